"""Backtest: every past quarter forecast again from what was known then, beside simple methods and the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import InsufficientDataError, SchemaError
from salesanalytics.forecast.backtest_cache import cache_file, keep, read_kept
from salesanalytics.forecast.baselines import signed_deals
from salesanalytics.forecast.calls import WAYS, call_and_past, combined, corrected, with_outcome
from salesanalytics.forecast.drawing import draw_totals
from salesanalytics.forecast.past_origins import DRAWS, Foreseen, Origin, foresee
from salesanalytics.forecast.track_record import NO_CALLS, OURS, WITH_CALLS, TrackRecord, stretch_of
from salesanalytics.models.bands import band_columns, crps, interval_score
from salesanalytics.timeline import Period, amounts
from salesanalytics.timeline.calendar import as_of_day, quarter_of, to_date
from salesanalytics.timeline.spells import n_closed, outcomes_on

GRACE_DAYS = 30
MAX_QUARTERS = 200
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
        reads differently, by a later extract too, and our code stays the same.
    progress : callable, optional
        Called with the number of dates done and of all dates.

    Returns
    -------
    TrackRecord
        ``scores``: one row a quarter, week, measure (amount, count) and method (``forecast``: ours; ``stage_table``:
        the same with the chances of the stage table; the methods of `baselines`; ``rep_commit_corrected`` and
        ``rep_probability_corrected``: what comes of the calls of reps by what came of them before; ``with_calls``:
        ours moved towards these as far as that helped before): ``as_of``, ``forecast``, ``actual``
        (known 30 days after the quarter), ``q10``, ``q25``, ``q50``, ``q75``, ``q90`` (ends of bands and median,
        `band_columns`), ``crps``, ``interval_score`` (of the 80 % band); ``in_50``, ``in_80`` (1 or 0); of ours
        ``pit``, ``stretch``; ``comparable``: every method that speaks at all has a CRPS here.

    Raises
    ------
    InsufficientDataError
        No past quarter can be forecast.
    SchemaError
        ``quarters`` is not a number from 1 to 200, or ``weeks`` are none from -52 to 13.

    References
    ----------
    Tashman (2000), Int. J. Forecasting 16, 437-450 (rolling origins); Gneiting & Raftery (2007), JASA 102, 359-378.
    """
    if not _whole(quarters, 1, MAX_QUARTERS):
        raise SchemaError(f"quarters must be a whole number from 1 to {MAX_QUARTERS}, got {quarters}.")
    if isinstance(weeks, str) or not np.iterable(weeks) or not len(weeks) or not all(_whole(w, -52, 13) for w in weeks):
        raise SchemaError(f"weeks must be one or more whole numbers from -52 to 13, got {weeks}.")
    day = as_of_day(book, as_of)
    periods = _finished(book, day, quarters)
    asked = (*(p.name for p in periods), tuple(weeks), seed)
    known_day = periods[-1].end_day + GRACE_DAYS
    file = None if cache is None else cache_file(Path(cache), book, known_day=known_day, asked=asked)
    kept = None if file is None else read_kept(file)
    if kept is not None:
        return TrackRecord(*kept)
    origins = [Origin(p, week, p.start_day - 1 + 7 * week) for p in periods for week in sorted(set(weeks))]
    closed = n_closed(book, [o.day for o in origins])
    origins = [o for o in origins if o.day < o.period.end_day and closed[o.day] >= MIN_CLOSED]
    if not origins:
        raise InsufficientDataError(
            f"No quarter that ended {GRACE_DAYS} days before {to_date(day)} has {MIN_CLOSED} closed deals before it."
        )
    record = TrackRecord(*_judged(book, foresee(book, origins, seed=seed, progress=progress), seed))
    if file is not None:
        keep(file, record.scores, record.calls)
    return record


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int | np.integer) and bool(least <= value <= most)


def _judged(book: DealBook, told: list[Foreseen], seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forecasts beside the truth, each with what its past had taught by then; and the calls of reps."""
    rows: list[dict[str, Any]] = []
    called: list[pd.DataFrame] = []
    over = {one.origin.period: one.origin.period.end_day + GRACE_DAYS for one in told}
    for at_once in (amounts, outcomes_on):  # each day is remembered then
        at_once(book, list(over.values()))
    brought = {period: signed_deals(book, period=period, day=known_day) for period, known_day in over.items()}
    for one in told:
        period, day, week = one.origin.period, one.origin.day, one.origin.week
        signed = brought[period]
        truth = {"amount": float(signed["amount"].sum()), "count": float(len(signed))}
        matured = [row for row in rows if row["matured_day"] <= day and row["week"] == week]
        all_matured = [row for row in rows if row["matured_day"] <= day]
        past = [c for c in called if c["matured_day"].iloc[0] <= day and c["week"].iloc[0] == week]
        head = {"quarter": period.name, "week": week, "as_of": to_date(day), "matured_day": period.end_day + GRACE_DAYS}
        stretch, wide = _widened(one, all_matured, seed)
        points = _with_corrected(one, pd.concat(past, ignore_index=True) if past else pd.DataFrame())
        found = _ours(one, wide, stretch, truth) + _simple(one, points, matured, truth)
        rows += [head | row for row in found + _with_calls(one, points, wide, matured, truth)]
        if len(one.calls):
            called.append(with_outcome(one.calls, one.drawable.deals, signed).assign(**head))
    calls = pd.concat(called, ignore_index=True).drop(columns="matured_day") if called else NO_CALLS
    return _comparable(pd.DataFrame(rows).drop(columns="matured_day")), calls


def _finished(book: DealBook, day: int, n: int) -> list[Period]:
    """The last n fiscal quarters that ended 30 days before a day, the earliest first."""
    last = quarter_of(day - GRACE_DAYS + 1, fiscal_year_start=book.settings.fiscal_year_start)
    return [last.back(k) for k in range(n, 0, -1)]


def _widened(one: Foreseen, matured: list[dict[str, Any]], seed: int) -> tuple[float, dict[str, np.ndarray]]:
    """By how much the bands are widened, and the draws then."""
    columns = ["quarter", "measure", "method", "pit"]
    stretch = stretch_of(pd.DataFrame([row for row in matured if row["method"] == OURS], columns=columns))
    return stretch, one.totals if stretch == 1 else draw_totals(one.drawable, draws=DRAWS, seed=seed, stretch=stretch)


def _ours(one: Foreseen, wide: dict[str, np.ndarray], stretch: float, truth: dict[str, float]) -> list[dict[str, Any]]:
    rows = []
    for measure, plain in one.totals.items():
        y = truth[measure]
        pit = float((plain < y).mean() + 0.5 * (plain == y).mean())
        rows.append(_row(measure, OURS, wide[measure], y) | {"pit": pit, "stretch": stretch})
    return rows


def _with_corrected(one: Foreseen, past: pd.DataFrame) -> pd.DataFrame:
    """Simple methods, and the calls of reps corrected by how they came out before (NaN: nothing to correct by)."""
    call = corrected(one.calls, past)
    points = one.points.copy()
    for way in WAYS:
        points.loc[f"rep_{way}_corrected"] = {
            m: call.get((way, m), np.nan) + one.elsewhere[m] for m in ("count", "amount")
        }
    return points


def _simple(
    one: Foreseen, points: pd.DataFrame, matured: list[dict[str, Any]], truth: dict[str, float]
) -> list[dict[str, Any]]:
    rows = []
    for method, point in points.iterrows():
        for measure in one.totals:
            past = [r for r in matured if (r["method"], r["measure"]) == (method, measure)]
            errors = np.array([r["forecast"] - r["actual"] for r in past if not np.isnan(r["forecast"])])
            x, y = float(point[measure]), truth[measure]
            if len(errors) < MIN_ERRORS or np.isnan(x):
                rows.append({"measure": measure, "method": str(method), "forecast": x, "actual": y})
            else:
                told = _row(measure, str(method), np.maximum(x - errors, 0.0), y)
                rows.append(told | {"forecast": x})
    return rows


def _with_calls(
    one: Foreseen,
    points: pd.DataFrame,
    wide: dict[str, np.ndarray],
    matured: list[dict[str, Any]],
    truth: dict[str, float],
) -> list[dict[str, Any]]:
    """Our forecast moved towards the corrected calls as far as that helped before."""
    rows = []
    signed = {"amount": float(one.drawable.signed["amount"].sum()), "count": float(len(one.drawable.signed))}
    for measure, draws in wide.items():
        call, past = call_and_past(points[measure], pd.DataFrame(matured), measure)
        moved = draws if np.isnan(call) else combined(draws, call, past, at_least=signed[measure])
        rows.append(_row(measure, WITH_CALLS, moved, truth[measure]))
    return rows


def _row(measure: str, method: str, draws: np.ndarray, y: float) -> dict[str, Any]:
    bands = band_columns(draws)
    return {
        "measure": measure,
        "method": method,
        "forecast": float(draws.mean()),
        "actual": y,
        **bands,
        "crps": float(crps(draws, y)),
        "interval_score": float(interval_score([bands["q10"]], [bands["q90"]], [y], level=0.8)[0]),
        "in_50": float(bands["q25"] <= y <= bands["q75"]),
        "in_80": float(bands["q10"] <= y <= bands["q90"]),
    }


def _comparable(scores: pd.DataFrame) -> pd.DataFrame:
    """Mark the forecasts for which every method that ever has a CRPS has one.

    But for the corrected calls, which begin to speak later than the rest.
    """
    key = ["quarter", "week", "measure"]
    usable = scores[scores["crps"].notna() & ~scores["method"].astype(str).str.endswith("_corrected")]
    n_methods = usable.groupby("measure")["method"].nunique()
    have = usable.groupby(key)["method"].nunique().rename("have").reset_index()
    complete = have.loc[have["have"] == have["measure"].map(n_methods), key]
    return (
        scores.merge(complete.assign(comparable=1), on=key, how="left")
        .fillna({"comparable": 0})
        .astype({"comparable": bool})
    )
