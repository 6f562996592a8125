"""Backtest: every past quarter forecast again from what was known then, beside simple methods and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import InsufficientDataError
from salesanalytics.forecast.baselines import actual, baselines
from salesanalytics.forecast.drawing import draw_components
from salesanalytics.forecast.prepare import Prepared, expected_elsewhere, prepare
from salesanalytics.forecast.track_record import OURS, TrackRecord, stretch_of
from salesanalytics.models.bands import crps
from salesanalytics.timeline import Period
from salesanalytics.timeline.calendar import as_of_day, quarter_of, to_date
from salesanalytics.timeline.replay import OPEN, collect
from salesanalytics.timeline.spells import outcomes

GRACE_DAYS = 30
MIN_CLOSED = 30
MIN_ERRORS = 4  # of a simple method, before they are a distribution
DRAWS = 4_000
TABLE = "stage_table"


def backtest(
    book: DealBook, *, as_of: Any, quarters: int = 12, weeks: Sequence[int] = (0, 4, 8, 12), seed: int = 0
) -> TrackRecord:
    """Forecast past quarters as they would have been forecast, in one pass from the first to the last.

    Each forecast is made from what was known on its date, widening included: that rests on quarters that were over, and
    their truth known, by then. Simple methods get their own past errors (same week, earlier quarters) as distribution,
    for a bare number would lose to any spread.

    Parameters
    ----------
    book : DealBook
    as_of : date
        Quarters count that ended at least 30 days before it.
    quarters : int
        How many, the latest ones.
    weeks : sequence of int
        Weeks into the quarter at which it is forecast; 0: on the eve of its first day.
    seed : int

    Returns
    -------
    TrackRecord
        ``scores``: one row a quarter, week, measure (amount, count) and method (``forecast``: ours; ``stage_table``:
        the same with the chances of the stage table; the methods of `baselines`): ``as_of``, ``forecast``, ``actual``
        (known 30 days after the quarter), ``q10``, ``q25``, ``q50``, ``q75``, ``q90``, ``crps``;
        ``in_50``, ``in_80`` (1 or 0); of ours ``pit``, ``stretch``; ``comparable``: every method that speaks at all
        has a CRPS here.

    Raises
    ------
    InsufficientDataError
        No past quarter can be forecast.

    References
    ----------
    Tashman (2000), Int. J. Forecasting 16, 437-450 (rolling origins); Gneiting & Raftery (2007), JASA 102, 359-378.
    """
    day = as_of_day(book, as_of)
    rows: list[dict[str, Any]] = []
    for period in _finished(book, day, quarters):
        truth = actual(book, quarter=period.name, known_at=to_date(period.end_day + GRACE_DAYS))
        for week in weeks:
            origin = period.start_day - 1 + 7 * week
            if origin >= period.end_day or _n_closed(book, origin) < MIN_CLOSED:
                continue
            prepared = prepare(book, period=period, day=origin)
            matured = [row for row in rows if row["matured_day"] <= origin]
            head = {"quarter": period.name, "week": week, "as_of": to_date(origin)}
            head["matured_day"] = period.end_day + GRACE_DAYS
            rows += [head | row for row in _ours(prepared, matured, truth, seed)]
            rows += [head | row for row in _simple(book, prepared, matured, truth, week)]
    if not rows:
        raise InsufficientDataError(
            f"No quarter that ended {GRACE_DAYS} days before {to_date(day)} has {MIN_CLOSED} closed deals before it."
        )
    scores = pd.DataFrame(rows).drop(columns="matured_day")
    return TrackRecord(_comparable(scores))


def _finished(book: DealBook, day: int, n: int) -> list[Period]:
    """The last n fiscal quarters that ended 30 days before a day, the earliest first."""
    last = quarter_of(day - GRACE_DAYS + 1, fiscal_year_start=book.settings.fiscal_year_start)
    return [last.back(k) for k in range(n, 0, -1)]


def _n_closed(book: DealBook, day: int) -> int:
    return int(collect(book, outcomes(book, day).select("deal", "end"))["end"].ne(OPEN).sum())


def _ours(
    prepared: Prepared, matured: list[dict[str, Any]], truth: dict[str, float], seed: int
) -> list[dict[str, Any]]:
    own = pd.DataFrame(
        [row for row in matured if row["method"] == OURS], columns=["quarter", "measure", "method", "pit"]
    )
    stretch = stretch_of(own)
    plain = _totals(prepared, seed, 1.0)
    wide = plain if stretch == 1 else _totals(prepared, seed, stretch)
    rows = []
    for measure in ("amount", "count"):
        y, total = truth[measure], plain[measure]
        pit = float((total < y).mean() + 0.5 * (total == y).mean())
        rows.append(_row(measure, OURS, wide[measure], y) | {"pit": pit, "stretch": stretch})
    return rows


def _totals(prepared: Prepared, seed: int, stretch: float) -> dict[str, np.ndarray]:
    components, _, _ = draw_components(prepared, draws=DRAWS, seed=seed, stretch=stretch)
    count, amount = (np.sum([pair[k] for pair in components.values()], axis=0) for k in (0, 1))
    return {"count": count, "amount": amount}


def _simple(
    book: DealBook, prepared: Prepared, matured: list[dict[str, Any]], truth: dict[str, float], week: int
) -> list[dict[str, Any]]:
    points = baselines(book, period=prepared.period, day=prepared.day, deals=prepared.deals)
    points = points.set_index("method")[["count", "amount"]]
    points.loc[TABLE] = _by_table(prepared)
    rows = []
    for method, point in points.iterrows():
        for measure in ("amount", "count"):
            past = [r for r in matured if (r["method"], r["measure"], r["week"]) == (method, measure, week)]
            errors = np.array([r["forecast"] - r["actual"] for r in past if not np.isnan(r["forecast"])])
            x, y = float(point[measure]), truth[measure]
            if len(errors) < MIN_ERRORS or np.isnan(x):
                rows.append({"measure": measure, "method": str(method), "forecast": x, "actual": y})
            else:
                told = _row(measure, str(method), np.maximum(x - errors, 0.0), y)
                rows.append(told | {"forecast": x})
    return rows


def _by_table(prepared: Prepared) -> list[float]:
    """Signed so far, open deals by the stage table, and what else our model expects."""
    deals, signed = prepared.deals, prepared.signed
    amount = deals["amount"].fillna(prepared.pool.mean() if len(prepared.pool) else 0.0)
    p = deals["p_stage_table"]
    count, value = (sum(expected_elsewhere(prepared, by_value=by_value).values()) for by_value in (False, True))
    return [len(signed) + p.sum() + count, signed["amount"].sum() + (p * amount).sum() + value]


def _row(measure: str, method: str, draws: np.ndarray, y: float) -> dict[str, Any]:
    q10, q25, q50, q75, q90 = (float(q) for q in np.quantile(draws, [0.1, 0.25, 0.5, 0.75, 0.9]))
    return {
        "measure": measure,
        "method": method,
        "forecast": float(draws.mean()),
        "actual": y,
        "q10": q10,
        "q25": q25,
        "q50": q50,
        "q75": q75,
        "q90": q90,
        "crps": float(crps(draws, y)),
        "in_50": float(q25 <= y <= q75),
        "in_80": float(q10 <= y <= q90),
    }


def _comparable(scores: pd.DataFrame) -> pd.DataFrame:
    """Mark the forecasts for which every method that ever has a CRPS has one."""
    key = ["quarter", "week", "measure"]
    usable = scores[scores["crps"].notna()]
    n_methods = usable.groupby("measure")["method"].nunique()
    have = usable.groupby(key)["method"].nunique().rename("have").reset_index()
    complete = have.loc[have["have"] == have["measure"].map(n_methods), key]
    return (
        scores.merge(complete.assign(comparable=1), on=key, how="left")
        .fillna({"comparable": 0})
        .astype({"comparable": bool})
    )
