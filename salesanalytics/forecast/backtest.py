"""Backtest: every past quarter forecast again from what was known then, beside simple methods and the truth."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from salesanalytics.book import DealBook
from salesanalytics.errors import InsufficientDataError, SchemaError
from salesanalytics.forecast.backtest_cache import cache_file, keep, read_kept
from salesanalytics.forecast.judged import judged
from salesanalytics.forecast.past_origins import Origin, foresee
from salesanalytics.forecast.simple_methods import MIN_ERRORS
from salesanalytics.forecast.track_record import TrackRecord
from salesanalytics.timeline import Period
from salesanalytics.timeline.calendar import GRACE_DAYS, as_of_day, quarter_of, to_date
from salesanalytics.timeline.spells import n_closed, told_from

MAX_QUARTERS = 200
MIN_CLOSED = 30


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
    for a bare number would lose to any spread; so they, and they alone, are worked out for quarters before the scored
    ones too, as far back as the book knew of deals. The dates are worked out on all cores through joblib; with
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
        the same with the chances of the stage table; the methods of `baselines`; ``rep_<way>_corrected``: what comes of
        the calls of reps (`called_by_way`) by what came of them before; ``with_calls``: ours moved towards one of these
        as far as that helped before): ``as_of``, ``forecast``, ``actual``
        (known 30 days after the quarter), ``q10``, ``q25``, ``q50``, ``q75``, ``q90`` (ends of bands and median,
        `band_columns`), ``crps``, ``interval_score`` (of the 80 % band); ``in_50``, ``in_80`` (1 or 0); of ours
        ``pit``, ``stretch``; ``comparable``: every method that has a CRPS in 8 quarters (or in as many
        as any simple one has) has one here. ``calls``: those of the quarters before too.

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
    one_extract = not book.told_when_recorded(day)
    if kept is not None:
        return TrackRecord(*kept, one_extract=one_extract)
    origins = [Origin(p, week, p.start_day - 1 + 7 * week) for p in periods for week in sorted(set(weeks))]
    closed = n_closed(book, [o.day for o in origins])
    origins = [o for o in origins if o.day < o.period.end_day and closed[o.day] >= MIN_CLOSED]
    if not origins:
        raise InsufficientDataError(
            f"No quarter that ended {GRACE_DAYS} days before {to_date(day)} has {MIN_CLOSED} closed deals before it."
        )
    origins = [*_before(book, origins[0].period, sorted(set(weeks))), *origins]
    told = foresee(book, origins, seed=seed, progress=progress)
    record = TrackRecord(*judged(book, told, seed), one_extract=one_extract)
    if file is not None:
        keep(file, record.scores, record.calls)
    return record


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int | np.integer) and bool(least <= value <= most)


def _finished(book: DealBook, day: int, n: int) -> list[Period]:
    """The last n fiscal quarters that ended 30 days before a day, the earliest first."""
    last = quarter_of(day - GRACE_DAYS + 1, fiscal_year_start=book.settings.fiscal_year_start)
    return [last.back(k) for k in range(n, 0, -1)]


def _before(book: DealBook, first: Period, weeks: Sequence[int]) -> list[Origin]:
    """Origins before the first scored quarter that give simple methods, and calls corrected by what came of earlier
    ones, their errors by then; those at which the book told of the quarter.
    """
    found = []
    for week in weeks:
        latest = next(k for k in itertools.count(1) if first.back(k).end_day + GRACE_DAYS < first.start_day + 7 * week)
        for k in range(2 * latest + MIN_ERRORS - 1, 0, -1):
            period = first.back(k)
            found.append(Origin(period, week, period.start_day - 1 + 7 * week, scored=False))
    told = {one.day: told_from(book, one.day) for one in found}
    found = [one for one in found if one.day < one.period.end_day and told[one.day] <= one.period.start_day]
    return sorted(found, key=lambda one: (one.period.start_day, one.week))
