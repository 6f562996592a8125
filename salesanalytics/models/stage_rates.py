"""What the nominal stage win rates mean: incidence of signing by stage, with intervals, beside the closed-only rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import SchemaError
from salesanalytics.models.horizon_rates import ENDS as ENDS
from salesanalytics.models.horizon_rates import WON as WON
from salesanalytics.models.horizon_rates import Clocks, horizon_rate
from salesanalytics.models.horizon_rates import end_codes as end_codes
from salesanalytics.models.horizon_rates import rate_interval as rate_interval
from salesanalytics.models.incidence import cumulative_incidence
from salesanalytics.models.pooling import drawn_to_nominal, drawn_to_stage
from salesanalytics.models.stage_rows import check_column, clocks_of, entry_rows, segments_of, standing_rows, states_of


def stage_win_rates(
    book: DealBook, *, as_of: Any, by: str | None = None, horizon_days: int = 730, confidence: float = 0.9
) -> pd.DataFrame:
    """Stage win rates against their nominal values.

    ``p_won`` is the incidence of signing from the *first entry* into the state, one row a deal. ``p_won_in_stock`` is
    the incidence from dates on which deals *stood open* in the state (every 28 days; standard errors clustered by
    deal): a weighted pipeline multiplies open deals, so that is what a nominal percentage has to be compared with. The
    other ends compete (Aalen-Johansen), open deals are censored, both at ``horizon_days``.

    Parameters
    ----------
    book : DealBook
    as_of : date
    by : str, optional
        ``rep_id``, ``team``, a field of the history or a column of ``deals`` (`groupings`): one row a stage and value,
        drawn to its stage as strongly as the segments are alike (`pool_segments`). It is what was known when the
        stage was entered (when the deal was first known, where that is later); for the rates of deals in stock, on the
        landmark. So a deal handed over counts for the owner of that day, and may stand in stock under several values.
    horizon_days : int
        Days within which a signing counts.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame, one row a state (stages in order, then pauses) and value of ``by`` (``missing`` where none was known)
        - ``stage``, ``nominal``, ``n_entered``, ``n_won``, ``n_other_end``, ``n_open``, ``n_retrospective`` (end known
          no later than the deal: no time at risk);
        - ``closed_only_rate`` = won / (won + other ends), and why it differs from ``p_won``: ``open_share`` (of the
          deals entered), ``days_to_won_q50``, ``days_to_other_end_q50`` (median days from entry; where wins come
          sooner than losses, or the reverse, the closed deals are not like the rest);
        - ``p_won``, ``se_won``, ``lower_won``, ``upper_won``, ``p_open`` (still open at the horizon), ``n_at_horizon``
          (deals watched that long), ``n_effective`` (plain trials that would tell as much), ``share_beyond`` (of all
          signings seen, those after the horizon), ``share_beyond_most`` (the same if all that was still open when last
          watched were to sign);
        - ``n_in_stock`` (deals) and the same for ``_in_stock``;
        - by value, each deal counting by its amount known at entry, or on the landmark: ``amount_entered``,
          ``p_won_value``, ``lower_won_value``, ``upper_won_value``, ``n_without_amount`` (deals left out), and the
          same for ``_in_stock``. A few large deals carry these, so their intervals are wide;
        - ``shrunk_won``, ``shrunk_lower_won``, ``shrunk_upper_won`` and the same for ``_in_stock``;
          ``prior_strength`` in deals (with ``by``: ``prior_strength_won``, ``prior_strength_in_stock``, the likeliest);
        - ``horizon_days``, ``confidence``.

    Raises
    ------
    SchemaError
        The book has no grouping ``by``, or the horizon or level cannot be.
    AsOfError
        ``as_of`` lies after the end of the book.

    References
    ----------
    Aalen & Johansen (1978); Anderson, Cain & Gelber (1983), J. Clin. Oncol. 1, 710-719 for landmarks.
    """
    check_horizon(horizon_days, confidence)
    entered, standing = entry_rows(book, as_of=as_of, by=by), standing_rows(book, as_of=as_of, by=by)
    segments = segments_of(entered, standing) if by else []
    level: dict[str, Any] = {"horizon_days": horizon_days, "confidence": confidence}
    cells = _Cells(entered, standing, ["state"])
    parts = _Cells(entered, standing, ["state", "segment"]) if by else cells
    everyone = rates_of(*cells.at(None), **level)
    pooled = drawn_to_stage([everyone], everyone, confidence=confidence)[0]
    check_column(by, ["stage", "nominal", *level, *everyone, *pooled])
    rows = []
    for state in states_of(book, entered):
        nominal, whole = nominal_rate(book, state), rates_of(*cells.at(state), **level)
        if by is None:
            strength = book.process.nominal_prior_strength
            shrunk = drawn_to_nominal(whole, nominal, strength=strength, confidence=confidence)
            rows.append({"stage": state, "nominal": nominal, **whole, **shrunk})
            continue
        found = [rates_of(*parts.at((state, value)), **level) for value in segments]
        heads = ({"stage": state, by: value, "nominal": nominal} for value in segments)
        drawn = drawn_to_stage(found, whole, confidence=confidence)
        rows += [{**head, **part, **shrunk} for head, part, shrunk in zip(heads, found, drawn, strict=True)]
    if by is not None and not rows:  # no deal is known yet: the columns of a state that nobody has entered
        whole = rates_of(*cells.at(None), **level)
        (shrunk,) = drawn_to_stage([whole], whole, confidence=confidence)
        return pd.DataFrame([{"stage": None, by: None, "nominal": np.nan, **whole, **shrunk}]).assign(**level).iloc[:0]
    return pd.DataFrame(rows).assign(**level)


class _Cells:
    """Rows entering and standing, to be had by state, or by state and segment."""

    def __init__(self, entered: pd.DataFrame, standing: pd.DataFrame, keys: list[str]) -> None:
        key = keys if len(keys) > 1 else keys[0]
        self._tables = [(clocks_of(table), table.groupby(key).indices) for table in (entered, standing)]

    def at(self, key: Any) -> tuple[Clocks, Clocks]:
        nothing = np.zeros(0, dtype="int64")
        entered, standing = (clocks.take(rows.get(key, nothing)) for clocks, rows in self._tables)
        return entered, standing


def check_horizon(horizon_days: float, confidence: float) -> None:
    """Refuse a horizon or a level that cannot be."""
    if not horizon_days > 0:
        raise SchemaError(f"horizon_days must be > 0, got {horizon_days}.")
    if not 0 < confidence < 1:
        raise SchemaError(f"confidence must lie between 0 and 1, got {confidence}.")


def nominal_rate(book: DealBook, state: str) -> float:
    """Nominal rate of a stage; NaN of a pause, or where the process has none."""
    rate = book.process.nominal_win_rates.get(state) if state in book.process.stage_ids else None
    return np.nan if rate is None else float(rate)


def rates_of(entered: Clocks, standing: Clocks, *, horizon_days: float, confidence: float) -> dict[str, Any]:
    """Both rates of a state from the deals that entered it and those that stood in it, by count and by value."""
    n, won, other = len(entered.code), entered.code == WON, entered.code == 1 - WON
    n_won, n_other = int(won.sum()), int(other.sum())
    row: dict[str, Any] = {
        "n_entered": n,
        "n_won": n_won,
        "n_other_end": n_other,
        "n_open": n - n_won - n_other,
        "n_retrospective": int((~entered.watched).sum()),
        "closed_only_rate": n_won / (n_won + n_other) if n_won + n_other else np.nan,
        "open_share": (n - n_won - n_other) / n if n else np.nan,
        "days_to_won_q50": float(np.median(entered.duration[won])) if n_won else np.nan,
        "days_to_other_end_q50": float(np.median(entered.duration[other])) if n_other else np.nan,
    }
    row |= _columns(entered, "won", horizon_days, confidence)
    row["n_in_stock"] = standing.n_deals
    row |= _columns(standing, "in_stock", horizon_days, confidence)
    row["amount_entered"] = float(np.nansum(entered.amount))
    row |= _by_value(entered, "won", horizon_days, confidence)
    return row | _by_value(standing, "in_stock", horizon_days, confidence)


def _columns(clocks: Clocks, suffix: str, horizon_days: float, confidence: float) -> dict[str, Any]:
    rate = horizon_rate(clocks, horizon_days=horizon_days, confidence=confidence)
    more = "" if suffix == "won" else "_in_stock"
    return {
        f"p_won{more}": rate.p, f"se_{suffix}": rate.se, f"lower_{suffix}": rate.lower, f"upper_{suffix}": rate.upper,
        f"p_open{more}": rate.p_open, f"n_at_horizon{more}": rate.n_at_horizon,
        f"n_effective{more}": rate.n_effective,
        f"share_beyond{more}": rate.beyond, f"share_beyond_most{more}": rate.beyond_most,
    }  # fmt: skip


def _by_value(clocks: Clocks, suffix: str, horizon_days: float, confidence: float) -> dict[str, Any]:
    rate = horizon_rate(clocks, horizon_days=horizon_days, confidence=confidence, by_value=True)
    more = "" if suffix == "won" else "_in_stock"
    return {
        f"p_won{more}_value": rate.p, f"lower_{suffix}_value": rate.lower, f"upper_{suffix}_value": rate.upper,
        f"n{more}_without_amount": clocks.take(~(clocks.amount > 0)).n_deals,
    }  # fmt: skip


def signing_curves(book: DealBook, *, as_of: Any, by: str | None = None, confidence: float = 0.9) -> pd.DataFrame:
    """Incidence of every end by days since the first entry into a state.

    Parameters
    ----------
    book : DealBook
    as_of : date
    by : str, optional
        As of `stage_win_rates`: what was known when the state was entered.
    confidence : float

    Returns
    -------
    DataFrame, one row a state, value of ``by`` and distinct day
        ``stage``, (``<by>``), then the columns of `cumulative_incidence`.
    """
    entered = entry_rows(book, as_of=as_of, by=by)
    ends = [e for e in book.process.end_state_ids if e == "won" or entered["end"].eq(e).any()]
    curves = []
    for state in states_of(book, entered):
        in_state = entered[entered["state"] == state]
        for value in segments_of(in_state) if by else [None]:
            rows = in_state if by is None else in_state[in_state["segment"] == value]
            if not len(rows):
                continue
            curve = cumulative_incidence(
                rows["duration_days"], rows["end"], entry_days=rows["entry_days"], confidence=confidence
            )
            missing = {f"{kind}_{end}": 0.0 for end in ends for kind in ("p", "se", "lower", "upper")}
            curve = curve.assign(**{c: v for c, v in missing.items() if c not in curve})
            curve.insert(0, "stage", state)
            check_column(by, curve)
            if by:
                curve.insert(1, by, value)
            curves.append(curve)
    if not curves:
        of_won = [f"{kind}_won" for kind in ("p", "se", "lower", "upper")]
        return pd.DataFrame(columns=["stage", *([by] if by else []), "days", "n_at_risk", "p_open", *of_won])
    return pd.concat(curves, ignore_index=True)
