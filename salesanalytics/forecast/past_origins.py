"""Forecasts of past quarters before anything is learned from how they went: independent of each other, on all cores."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs

from salesanalytics.book import DealBook
from salesanalytics.features import snapshots
from salesanalytics.forecast.amount_ratios import ratio_days
from salesanalytics.forecast.baselines import conversion_days
from salesanalytics.forecast.calls import calls_of
from salesanalytics.forecast.drawing import draw_totals
from salesanalytics.forecast.prepare import Drawable, beside_calls, prepare, prepare_by_table
from salesanalytics.forecast.simple_methods import simple_methods
from salesanalytics.timeline import Period, amounts
from salesanalytics.timeline.calendar import to_date
from salesanalytics.timeline.spells import outcomes_on
from salesanalytics.timeline.values import open_amounts

DRAWS = 4_000
BLOCK = 8  # origins of a block at most: they follow each other, and what one learns about the past the next ones use


@dataclass(frozen=True)
class Origin:
    """A date at which a past quarter is forecast.

    Attributes
    ----------
    period : Period
    week : int
        Weeks into the quarter; below 0: before it.
    day : int
        Days since 1970-01-01.
    scored : bool
        Whether our model forecasts there; else simple methods alone, so that they have past errors to be scored by.
    """

    period: Period
    week: int
    day: int
    scored: bool = True


@dataclass(frozen=True)
class Foreseen:
    """What was said at an origin.

    Attributes
    ----------
    origin : Origin
    drawable : Drawable
    totals : dict of ndarray
        Draws of ``amount`` and ``count``, bands not widened; none where our model was not asked.
    points : DataFrame
        ``count`` and ``amount`` by each simple method (index).
    calls : DataFrame
        What each rep calls, `calls_of`.
    elsewhere : dict
        Expected of deals that nobody can call: ended ones that come back, and those not in the book.
    """

    origin: Origin
    drawable: Drawable
    totals: dict[str, np.ndarray]
    points: pd.DataFrame
    calls: pd.DataFrame
    elsewhere: dict[str, float]


def foresee(
    book: DealBook, origins: Sequence[Origin], *, seed: int, progress: Callable[[int, int], None] | None
) -> list[Foreseen]:
    """Forecast every origin, in blocks of consecutive ones through joblib.

    Whoever wants another number of cores, or a cluster, says so by ``joblib.parallel_config``. The last blocks have
    most to learn from and come first, so that no core is left alone with one at the end.
    """
    n_jobs = effective_n_jobs(-1)
    blocks = [list(block) for block in _blocks(origins, max(-(-len(origins) // BLOCK), n_jobs))][::-1]
    if n_jobs == 1 or len(blocks) == 1:
        found = ([one] for block in blocks for one in _in_turn(book, block, seed))
    else:
        found = Parallel(n_jobs=-1, return_as="generator")(delayed(_block)(book, block, seed) for block in blocks)
    told: list[Foreseen] = []
    for part in found:
        told[:0] = part
        if progress is not None:
            progress(len(told), len(origins))
    return told


def _blocks(origins: Sequence[Origin], n: int) -> list[Sequence[Origin]]:
    """At most n blocks, as long as each other to one."""
    bounds = np.linspace(0, len(origins), min(n, len(origins)) + 1).round().astype(int)
    return [origins[first:last] for first, last in itertools.pairwise(bounds)]


def _block(book: DealBook, origins: list[Origin], seed: int) -> list[Foreseen]:
    return list(_in_turn(book, origins, seed))[::-1]


def _in_turn(book: DealBook, origins: list[Origin], seed: int) -> Iterator[Foreseen]:
    """What was said at each origin, the last one first."""
    _ask_together(book, origins)
    for origin in reversed(origins):
        yield _foreseen(book, origin, seed)


def _ask_together(book: DealBook, origins: list[Origin]) -> None:
    """Ask at once for what the origins will ask for day by day: the book remembers it (`Engine.by_day`)."""
    days = [origin.day for origin in origins]
    snapshots(book, as_of=[to_date(day) for day in days])
    amounts(book, days)
    outcomes_on(book, days)
    earlier = [day for one in origins for day in (*conversion_days(one.period, one.day), *ratio_days(one.day))]
    open_amounts(book, [*days, *earlier])


def _foreseen(book: DealBook, origin: Origin, seed: int) -> Foreseen:
    asked: dict[str, Any] = {"period": origin.period, "day": origin.day}
    if origin.scored:
        drawable = prepare(book, **asked, in_full=False).drawable()
        totals = draw_totals(drawable, draws=DRAWS, seed=seed)
    else:
        drawable, totals = prepare_by_table(book, **asked), {}
    points = simple_methods(book, drawable).set_index("method")[["count", "amount"]]
    return Foreseen(origin, drawable, totals, points, calls_of(drawable.deals, origin.period), beside_calls(drawable))
