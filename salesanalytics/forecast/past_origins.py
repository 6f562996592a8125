"""Forecasts of past quarters before anything is learned from how they went: independent of each other, on all cores."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs

from salesanalytics.book import DealBook
from salesanalytics.forecast.baselines import actual, baselines
from salesanalytics.forecast.drawing import draw_components
from salesanalytics.forecast.prepare import Drawable, expected_elsewhere, prepare
from salesanalytics.timeline import Period
from salesanalytics.timeline.calendar import to_date

DRAWS = 4_000
TABLE = "stage_table"
BLOCK = 6  # origins of a block follow each other: what one learns about the past, the next ones use


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
    """

    period: Period
    week: int
    day: int


@dataclass(frozen=True)
class Foreseen:
    """What was said at an origin.

    Attributes
    ----------
    origin : Origin
    drawable : Drawable
    totals : dict of ndarray
        Draws of ``amount`` and ``count``, bands not widened.
    points : DataFrame
        ``count`` and ``amount`` by each simple method (index).
    """

    origin: Origin
    drawable: Drawable
    totals: dict[str, np.ndarray]
    points: pd.DataFrame


def foresee(
    book: DealBook, origins: Sequence[Origin], *, seed: int, progress: Callable[[int, int], None] | None
) -> list[Foreseen]:
    """Forecast every origin, in blocks of consecutive ones through joblib.

    Whoever wants another number of cores, or a cluster, says so by ``joblib.parallel_config``.
    """
    blocks = [list(block) for block in _blocks(origins, BLOCK)]
    if effective_n_jobs(-1) == 1 or len(blocks) == 1:
        blocks = [[origin] for origin in origins]
        found = (_block(book, block, seed) for block in blocks)
    else:
        found = Parallel(n_jobs=-1, return_as="generator")(delayed(_block)(book, block, seed) for block in blocks)
    told: list[Foreseen] = []
    for part in found:
        told += part
        if progress is not None:
            progress(len(told), len(origins))
    return told


def total(drawable: Drawable, *, seed: int, stretch: float) -> dict[str, np.ndarray]:
    """Draws of the whole, by measure."""
    components, _, _ = draw_components(drawable, draws=DRAWS, seed=seed, stretch=stretch)
    count, amount = (np.sum([pair[k] for pair in components.values()], axis=0) for k in (0, 1))
    return {"amount": amount, "count": count}


def truth_of(book: DealBook, period: Period, *, grace_days: int) -> dict[str, float]:
    """What a past period brought, as known some days after it."""
    return actual(book, quarter=period.name, known_at=to_date(period.end_day + grace_days))


def _blocks(origins: Sequence[Origin], size: int) -> list[Sequence[Origin]]:
    n = -(-len(origins) // size)
    bounds = np.linspace(0, len(origins), n + 1).round().astype(int)
    return [origins[first:last] for first, last in itertools.pairwise(bounds)]


def _block(book: DealBook, origins: list[Origin], seed: int) -> list[Foreseen]:
    return [_foreseen(book, origin, seed) for origin in origins]


def _foreseen(book: DealBook, origin: Origin, seed: int) -> Foreseen:
    prepared = prepare(book, period=origin.period, day=origin.day)
    points = baselines(book, period=origin.period, day=origin.day, deals=prepared.deals)
    points = points.set_index("method")[["count", "amount"]]
    points.loc[TABLE] = _by_table(prepared)
    drawable = prepared.drawable()
    return Foreseen(origin, drawable, total(drawable, seed=seed, stretch=1.0), points)


def _by_table(drawable: Drawable) -> list[float]:
    """Signed so far, open deals by the stage table, and what else our model expects."""
    deals, signed = drawable.deals, drawable.signed
    amount = deals["amount"].fillna(drawable.pool.mean() if len(drawable.pool) else 0.0)
    p = deals["p_stage_table"]
    count, value = (sum(expected_elsewhere(drawable, by_value=by_value).values()) for by_value in (False, True))
    return [len(signed) + p.sum() + count, signed["amount"].sum() + (p * amount).sum() + value]
