"""What the nominal stage win rates mean: incidence of signing by stage, with intervals, beside the closed-only rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import SchemaError
from salesanalytics.models.incidence import clustered_se, cumulative_incidence, fit_incidence, loglog_interval
from salesanalytics.models.shrinkage import NO_SPREAD, effective_n, marginal_strength, shrink
from salesanalytics.timeline import clock_rows, landmark_rows, owners
from salesanalytics.timeline.calendar import as_of_day

ENDS = ["other", "won"]
WON = 1
RATES = {"won": "p_won", "in_stock": "p_won_in_stock"}


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
        Column of ``deals`` or ``rep_id`` (owner on ``as_of``): one row a stage and value, drawn to its stage by
        marginal likelihood.
    horizon_days : int
        Days within which a signing counts.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame, one row a state (stages in order, then pauses) and value of ``by``
        ``stage``, ``nominal``, ``n_entered``, ``n_won``, ``n_other_end``, ``n_open``, ``n_retrospective`` (end known
        no later than the deal: no time at risk), ``closed_only_rate`` = won / (won + other ends);
        ``p_won``, ``se_won``, ``lower_won``, ``upper_won``, ``p_open`` (still open at the horizon), ``n_at_horizon``
        (deals watched that long), ``shrunk_won``, ``shrunk_lower_won``, ``shrunk_upper_won``; ``n_in_stock`` (deals)
        and the same for ``_in_stock``; ``prior_strength``; ``horizon_days``, ``confidence``.

    Raises
    ------
    SchemaError
        ``by`` is not a column of ``deals``, or the horizon or level cannot be.
    AsOfError
        ``as_of`` lies after the end of the book.

    References
    ----------
    Aalen & Johansen (1978); Anderson, Cain & Gelber (1983), J. Clin. Oncol. 1, 710-719 for landmarks.
    """
    if horizon_days <= 0:
        raise SchemaError(f"horizon_days must be > 0, got {horizon_days}.")
    if not 0 < confidence < 1:
        raise SchemaError(f"confidence must lie between 0 and 1, got {confidence}.")
    entered = clock_rows(book, as_of=as_of)
    standing = landmark_rows(book, as_of=as_of)
    groups = segment_of(book, as_of=as_of, by=by)
    states = [
        *book.process.stage_ids,
        *(p for p in book.process.pause_state_ids if (entered["state"] == p).any()),
    ]
    rows = []
    for state in states:
        here, stock = entered[entered["state"] == state], standing[standing["state"] == state]
        whole = _row(here, stock, horizon_days, confidence)
        nominal = book.process.nominal_win_rates.get(state) if state in book.process.stage_ids else None
        nominal = np.nan if nominal is None else nominal
        if by is None:
            strength = book.process.nominal_prior_strength
            rows.append({"stage": state, "nominal": nominal, **whole, **_shrunk(whole, nominal, strength, confidence)})
            continue
        parts = {
            value: _row(here[here["deal_id"].isin(ids)], stock[stock["deal_id"].isin(ids)], horizon_days, confidence)
            for value, ids in groups.items()
        }
        for value, part in parts.items():
            shrunk = _drawn_to_stage(part, parts, whole, confidence)
            rows.append({"stage": state, by: value, "nominal": nominal, **part, **shrunk})
    return pd.DataFrame(rows).assign(horizon_days=horizon_days, confidence=confidence)


def segment_of(book: DealBook, *, as_of: Any, by: str | None) -> dict[Any, pd.Index]:
    """Deal ids of each value of a grouping, of the deals known at a date."""
    if by is None:
        return {}
    known = owners(book, [as_of_day(book, as_of)])[["deal_id", "rep_id"]]
    if by == "rep_id":
        values = known
    elif by in book.deals.columns:
        values = book.deals.loc[book.deals["deal_id"].isin(known["deal_id"]), ["deal_id", by]]
    else:
        raise SchemaError(f"by must be rep_id or a column of deals, got {by!r}; columns: {', '.join(book.deals)}.")
    return {value: pd.Index(part["deal_id"]) for value, part in values.groupby(by, sort=True)}


def end_codes(end: pd.Series) -> np.ndarray:
    """-1 open, 0 another end, 1 won."""
    return np.where(end.eq("open"), -1, end.eq("won").astype(int))


def _row(here: pd.DataFrame, stock: pd.DataFrame, horizon: int, confidence: float) -> dict[str, Any]:
    end = here["end"]
    n_won, n_open = int(end.eq("won").sum()), int(end.eq("open").sum())
    n_other = len(here) - n_won - n_open
    row: dict[str, Any] = {
        "n_entered": len(here),
        "n_won": n_won,
        "n_other_end": n_other,
        "n_open": n_open,
        "n_retrospective": int(here["retrospective"].sum()),
        "closed_only_rate": n_won / (n_won + n_other) if n_won + n_other else np.nan,
    }
    duration, entry = here["duration_days"].to_numpy(), here["entry_days"].to_numpy()
    row |= _at_horizon(duration, end_codes(end), horizon, confidence, "won", entry=entry)
    row["n_in_stock"] = stock["deal_id"].nunique()
    cluster = pd.factorize(stock["deal_id"])[0]
    return row | _at_horizon(
        stock["duration_days"].to_numpy(dtype="int64"), end_codes(stock["end"]), horizon, confidence, "in_stock",
        cluster=cluster,
    )  # fmt: skip


def _at_horizon(
    duration: np.ndarray,
    codes: np.ndarray,
    horizon: int,
    confidence: float,
    suffix: str,
    *,
    entry: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
) -> dict[str, Any]:
    """Incidence of signing at the horizon with its standard error and what is still open there."""
    more = "" if suffix == "won" else "_in_stock"
    columns = [f"p_won{more}", f"se_{suffix}", f"lower_{suffix}", f"upper_{suffix}"]
    columns += [f"p_open{more}", f"n_at_horizon{more}"]
    if entry is not None:
        watched = (entry < duration) | (entry == 0)
        duration, codes, entry = duration[watched], codes[watched], entry[watched]
    if not len(duration):
        return dict(zip(columns, [np.nan] * 5 + [0], strict=True))
    fit = fit_incidence(duration, codes, ENDS, entry=entry if entry is not None and entry.any() else None)
    at = int(np.searchsorted(fit.days, horizon, side="right")) - 1
    if at < 0:
        return dict(
            zip(
                columns,
                [0.0, 0.0, *rate_interval(0.0, 0.0, len(duration), confidence), 1.0, len(duration)],
                strict=True,
            )
        )
    p, se = fit.p[at, WON], fit.se[at, WON]
    if cluster is not None:
        se = clustered_se(fit, duration, codes, cluster, at_day=horizon, k=WON)
    lower, upper = rate_interval(p, se, len(set(cluster)) if cluster is not None else len(duration), confidence)
    n_watched = int((duration >= horizon).sum()) if cluster is None else len(set(cluster[duration >= horizon]))
    values = [p, se, lower, upper, fit.p_open[at], n_watched]
    return dict(zip(columns, values, strict=True))


def rate_interval(p: float, se: float, n: int, confidence: float) -> tuple[float, float]:
    """Complementary log-log interval; where all or none of n deals signed, the exact binomial bound."""
    tail = ((1 - confidence) / 2) ** (1 / max(n, 1))
    if se > NO_SPREAD:
        lower, upper = loglog_interval(p, se, confidence=confidence)
        return float(lower), float(upper)
    return (0.0, 1 - tail) if p < 0.5 else (tail, 1.0)


def _n_watched(row: dict[str, Any], suffix: str) -> int:
    """Deals with time at risk behind a rate."""
    return int(row["n_in_stock"] if suffix == "in_stock" else row["n_entered"] - row["n_retrospective"])


def _shrunk(row: dict[str, Any], prior: float, strength: float, confidence: float) -> dict[str, Any]:
    """Both rates drawn to the nominal one."""
    out: dict[str, Any] = {}
    for suffix, p in RATES.items():
        value = 0.0 if np.isnan(row[p]) else row[p]
        n_eff = effective_n(value, row[f"se_{suffix}"], _n_watched(row, suffix))
        fit = shrink(value, n_eff, prior=prior, strength=strength, confidence=confidence)
        out |= {f"shrunk_{suffix}": float(fit["p"]), f"shrunk_lower_{suffix}": float(fit["lower"])}
        out[f"shrunk_upper_{suffix}"] = float(fit["upper"])
    return out | {"prior_strength": strength}


def _drawn_to_stage(
    part: dict[str, Any], parts: dict[Any, dict[str, Any]], whole: dict[str, Any], confidence: float
) -> dict[str, Any]:
    """Both rates of a segment drawn to those of its stage, as strongly as the segments are alike."""
    out: dict[str, Any] = {}
    for suffix, p in RATES.items():
        peers = [s for s in parts.values() if not np.isnan(s[p])]
        values = np.array([s[p] for s in peers])
        n_eff = effective_n(values, [s[f"se_{suffix}"] for s in peers], [_n_watched(s, suffix) for s in peers])
        strength = marginal_strength(values, n_eff, prior=whole[p]) if len(peers) > 1 else 10.0
        value = 0.0 if np.isnan(part[p]) else part[p]
        own = effective_n(value, part[f"se_{suffix}"], _n_watched(part, suffix))
        fit = shrink(value, own, prior=whole[p], strength=strength, confidence=confidence)
        out |= {f"shrunk_{suffix}": float(fit["p"]), f"shrunk_lower_{suffix}": float(fit["lower"])}
        out |= {f"shrunk_upper_{suffix}": float(fit["upper"]), f"prior_strength_{suffix}": strength}
    return out


def signing_curves(book: DealBook, *, as_of: Any, by: str | None = None, confidence: float = 0.9) -> pd.DataFrame:
    """Incidence of every end by days since the first entry into a state.

    Returns
    -------
    DataFrame, one row a state, value of ``by`` and distinct day
        ``stage``, (``<by>``), then the columns of `cumulative_incidence`.
    """
    entered = clock_rows(book, as_of=as_of)
    groups = segment_of(book, as_of=as_of, by=by) if by else {None: pd.Index(entered["deal_id"].unique())}
    ends = [e for e in book.process.end_state_ids if entered["end"].eq(e).any()]
    curves = []
    for state in [*book.process.stage_ids, *book.process.pause_state_ids]:
        for value, ids in groups.items():
            rows = entered[(entered["state"] == state) & entered["deal_id"].isin(ids)]
            if not len(rows):
                continue
            curve = cumulative_incidence(
                rows["duration_days"], rows["end"], entry_days=rows["entry_days"], confidence=confidence
            )
            missing = {f"{kind}_{end}": 0.0 for end in ends for kind in ("p", "se", "lower", "upper")}
            curve = curve.assign(**{c: v for c, v in missing.items() if c not in curve})
            curve.insert(0, "stage", state)
            if by:
                curve.insert(1, by, value)
            curves.append(curve)
    if not curves:
        return pd.DataFrame(columns=["stage", "days", "n_at_risk", "p_open"])
    return pd.concat(curves, ignore_index=True)
