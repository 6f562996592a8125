"""Backtest: every past quarter forecast again from what was known then, beside simple methods and the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import InsufficientDataError
from salesanalytics.forecast.backtest_cache import cache_file, keep_scores, read_scores
from salesanalytics.forecast.past_origins import Foreseen, Origin, foresee, total, truth_of
from salesanalytics.forecast.track_record import OURS, TrackRecord, stretch_of
from salesanalytics.models.bands import crps, interval_score
from salesanalytics.timeline import Period
from salesanalytics.timeline.calendar import as_of_day, quarter_of, to_date
from salesanalytics.timeline.replay import OPEN, collect
from salesanalytics.timeline.spells import outcomes

GRACE_DAYS = 30
MIN_CLOSED = 30
MIN_ERRORS = 4  # of a simple method, before they are a distribution


def backtest(
    book: DealBook,
    *,
    as_of: Any,
    quarters: int = 12,
    weeks: Sequence[int] = (0, 4, 8, 12),
    seed: int = 0,
    cache: str | PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> TrackRecord:
    """Forecast past quarters as they would have been forecast, in one pass from the first to the last.

    Each forecast is made from what was known on its date, widening included: that rests on quarters that were over, and
    their truth known, by then. Simple methods get their own past errors (same week, earlier quarters) as distribution,
    for a bare number would lose to any spread. The dates are worked out on all cores through joblib; with
    ``joblib.parallel_config(backend="dask")`` around the call, a cluster takes them.

    Parameters
    ----------
    book : DealBook
    as_of : date
        Quarters count that ended at least 30 days before it.
    quarters : int
        How many, the latest ones.
    weeks : sequence of int
        Weeks into the quarter at which it is forecast; 0: on the eve of its first day; below 0: before that.
    seed : int
    cache : path, optional
        Folder in which the result is kept. It is found again as long as nothing known 30 days after the last quarter
        reads differently, by a later extract too.
    progress : callable, optional
        Called with the number of dates done and of all dates.

    Returns
    -------
    TrackRecord
        ``scores``: one row a quarter, week, measure (amount, count) and method (``forecast``: ours; ``stage_table``:
        the same with the chances of the stage table; the methods of `baselines`): ``as_of``, ``forecast``, ``actual``
        (known 30 days after the quarter), ``q10``, ``q25``, ``q50``, ``q75``, ``q90``, ``crps``, ``interval_score``
        (of the 80 % band); ``in_50``, ``in_80`` (1 or 0); of ours ``pit``, ``stretch``; ``comparable``: every method
        that speaks at all has a CRPS here.

    Raises
    ------
    InsufficientDataError
        No past quarter can be forecast.

    References
    ----------
    Tashman (2000), Int. J. Forecasting 16, 437-450 (rolling origins); Gneiting & Raftery (2007), JASA 102, 359-378.
    """
    day = as_of_day(book, as_of)
    periods = _finished(book, day, quarters)
    asked = (*(p.name for p in periods), tuple(weeks), seed)
    known_day = periods[-1].end_day + GRACE_DAYS
    file = None if cache is None else cache_file(Path(cache), book, known_day=known_day, asked=asked)
    kept = None if file is None else read_scores(file)
    if kept is not None:
        return TrackRecord(kept)
    origins = [Origin(p, week, p.start_day - 1 + 7 * week) for p in periods for week in sorted(set(weeks))]
    origins = [o for o in origins if o.day < o.period.end_day and _n_closed(book, o.day) >= MIN_CLOSED]
    if not origins:
        raise InsufficientDataError(
            f"No quarter that ended {GRACE_DAYS} days before {to_date(day)} has {MIN_CLOSED} closed deals before it."
        )
    record = TrackRecord(_judged(book, foresee(book, origins, seed=seed, progress=progress), seed))
    if file is not None:
        keep_scores(file, record.scores)
    return record


def _judged(book: DealBook, told: list[Foreseen], seed: int) -> pd.DataFrame:
    """Forecasts beside the truth, each with what its past had taught by then."""
    rows: list[dict[str, Any]] = []
    truths: dict[Period, dict[str, float]] = {}
    for one in told:
        period, day = one.origin.period, one.origin.day
        if period not in truths:
            truths[period] = truth_of(book, period, grace_days=GRACE_DAYS)
        matured = [row for row in rows if row["matured_day"] <= day]
        head = {"quarter": period.name, "week": one.origin.week, "as_of": to_date(day)}
        head["matured_day"] = period.end_day + GRACE_DAYS
        rows += [head | row for row in _ours(one, matured, truths[period], seed)]
        rows += [head | row for row in _simple(one, matured, truths[period])]
    return _comparable(pd.DataFrame(rows).drop(columns="matured_day"))


def _finished(book: DealBook, day: int, n: int) -> list[Period]:
    """The last n fiscal quarters that ended 30 days before a day, the earliest first."""
    last = quarter_of(day - GRACE_DAYS + 1, fiscal_year_start=book.settings.fiscal_year_start)
    return [last.back(k) for k in range(n, 0, -1)]


def _n_closed(book: DealBook, day: int) -> int:
    return int(collect(book, outcomes(book, day).select("deal", "end"))["end"].ne(OPEN).sum())


def _ours(one: Foreseen, matured: list[dict[str, Any]], truth: dict[str, float], seed: int) -> list[dict[str, Any]]:
    columns = ["quarter", "measure", "method", "pit"]
    stretch = stretch_of(pd.DataFrame([row for row in matured if row["method"] == OURS], columns=columns))
    wide = one.totals if stretch == 1 else total(one.drawable, seed=seed, stretch=stretch)
    rows = []
    for measure, plain in one.totals.items():
        y = truth[measure]
        pit = float((plain < y).mean() + 0.5 * (plain == y).mean())
        rows.append(_row(measure, OURS, wide[measure], y) | {"pit": pit, "stretch": stretch})
    return rows


def _simple(one: Foreseen, matured: list[dict[str, Any]], truth: dict[str, float]) -> list[dict[str, Any]]:
    rows = []
    for method, point in one.points.iterrows():
        for measure in one.totals:
            same = (method, measure, one.origin.week)
            past = [r for r in matured if (r["method"], r["measure"], r["week"]) == same]
            errors = np.array([r["forecast"] - r["actual"] for r in past if not np.isnan(r["forecast"])])
            x, y = float(point[measure]), truth[measure]
            if len(errors) < MIN_ERRORS or np.isnan(x):
                rows.append({"measure": measure, "method": str(method), "forecast": x, "actual": y})
            else:
                told = _row(measure, str(method), np.maximum(x - errors, 0.0), y)
                rows.append(told | {"forecast": x})
    return rows


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
        "interval_score": float(interval_score([q10], [q90], [y], level=0.8)[0]),
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
