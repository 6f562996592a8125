"""What models fitted at past dates said then: made once a book and date, and used by everything that asks later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.features.landmarks import landmark_days, landmark_snapshots, landmarks_on
from salesanalytics.models.curves import carried_on, without_dead_stock
from salesanalytics.models.late_ends import LateEnds, fit_late_ends
from salesanalytics.models.learners import Learners, fit_learners
from salesanalytics.models.stage_rates import end_codes
from salesanalytics.models.stage_table import StageTable
from salesanalytics.models.supermodel import Bins, future_bins, last_supported
from salesanalytics.timeline.calendar import to_date

RUNGS = ("stage_table", "logistic", "blend")
JUDGED_DAYS = (28, 91, 182, 364)
ORIGIN_CAP = 2_500
MIN_HALF_LIFE = 730.0  # features follow the drift that the stage table can follow only by forgetting
MIN_CLOSED_THEN = 30


@dataclass(frozen=True)
class Told:
    """What every rung, fitted at a past date, said of the deals that stood open on their next landmark.

    Attributes
    ----------
    asked_at : int
        The deals' landmarks lie in the ``every_days`` days from here on.
    rows : DataFrame
        One row a deal: ``deal_id``, ``landmark_day``, ``state``, ``amount``; ``between``: whether the date lies half a
        step from two others, so that its good and bad times are theirs too.
    days : ndarray (n_days,)
        Days after the landmark at which chances are kept.
    p_won : dict of str to ndarray (n_rows, n_days)
    bins : Bins
        Those that the past of that date supports; beyond them the stage table goes on.
    log_odds : dict of str to ndarray (n_bins, 2)
        Of each rung but the first.
    dead : ndarray of bool (n_rows,)
        Older than any deal that had been won from its state.
    """

    asked_at: int
    rows: pd.DataFrame
    days: np.ndarray
    p_won: dict[str, np.ndarray]
    bins: Bins
    log_odds: dict[str, np.ndarray]
    dead: np.ndarray


_TOLD: WeakKeyDictionary[DealBook, dict[tuple[Any, ...], list[Told]]] = WeakKeyDictionary()
_FITTED: WeakKeyDictionary[DealBook, dict[tuple[Any, ...], Any]] = WeakKeyDictionary()


def stage_table_at(book: DealBook, day: int, *, every_days: int) -> StageTable:
    """The stage table of what was known at a day, fitted once a book."""
    fitted, key = _FITTED.setdefault(book, {}), (day, every_days)
    if key not in fitted:
        fitted[key] = StageTable(every_days=every_days).fit(book, as_of=to_date(day))
    table: StageTable = fitted[key]
    return table


def learners_half_life(table: StageTable) -> float:
    """Half-life of the weights of the learners' landmarks, in days: that of the stage table, two years at least."""
    return max(table.half_life_days_, MIN_HALF_LIFE)


def learners_at(
    book: DealBook, day: int, rows: pd.DataFrame, *, edges: tuple[int, ...], every_days: int, boosted: bool
) -> Learners:
    """Learners of the landmark rows seen at a day, fitted once a book.

    Who asks later for what would have been said at that day finds them fitted, unless the rows were thinned then.
    """
    fitted, key = _FITTED.setdefault(book, {}), (day, every_days, len(rows), edges, boosted)
    if key not in fitted:
        half_life = learners_half_life(stage_table_at(book, day, every_days=every_days))
        month = book.settings.fiscal_year_start
        fitted[key] = fit_learners(
            rows, edges=edges, fiscal_year_start=month, half_life_days=half_life, boosted=boosted
        )
    learners: Learners = fitted[key]
    return learners


def predictions_made(
    book: DealBook,
    origins: Sequence[int],
    *,
    step: int,
    tried: tuple[str, ...],
    edges: tuple[int, ...],
    every_days: int,
) -> list[Told]:
    """Predictions of models fitted at some past days, asked there, half a step and a step later, the latest first.

    On eves of quarters alone nothing is asked about the end of a quarter that is near, and who knows of it looks no
    better than who does not.

    It ends with the first day before which fewer than 30 deals had ended.
    """
    made = _TOLD.setdefault(book, {})
    keys = {origin: (origin, step, tried, edges, every_days) for origin in origins}
    samples = {}
    for origin in origins:
        if keys[origin] not in made:
            samples[origin] = _sample(book, origin, every_days)
            if samples[origin]["deal_id"][samples[origin]["code"] >= 0].nunique() < MIN_CLOSED_THEN:
                made[keys[origin]] = []
        if made.get(keys[origin]) == []:
            break
    todo = [origin for origin in samples if keys[origin] not in made]
    tables = [stage_table_at(book, origin, every_days=every_days) for origin in todo]
    days = np.union1d(edges, [d for d in JUDGED_DAYS if d <= edges[-1]])
    grid = {"edges": edges, "fiscal_year_start": book.settings.fiscal_year_start}
    fitted = [
        learners_at(book, o, samples[o], edges=edges, every_days=every_days, boosted="blend" in tried)
        if len(tried) > 1
        else None
        for o in todo
    ]
    later = (0, step // 2, step)
    windows = [_window(book, origin + wait, every_days) for origin in todo for wait in later]
    if windows:  # all at once is faster than one by one; each is then taken from what the book has kept
        merged = pd.concat(windows).sort_index()  # in a short book they overlap
        merged = merged[~merged.index.duplicated()]
        landmarks_on(book, merged, every_days=every_days, cap=ORIGIN_CAP * len(windows))
    for origin, table, learners in zip(todo, tables, fitted, strict=True):
        last = last_supported(samples[origin], edges)
        late = fit_late_ends(samples[origin], within=edges[1])
        model = (learners if last else None, late, table, last)
        asked = [
            (origin + wait, _asked(book, origin + wait, every_days).assign(between=wait == step // 2)) for wait in later
        ]
        made[keys[origin]] = [_told(at, rows, tried, *model, days, grid) for at, rows in asked if len(rows)]
    return [told for origin in origins for told in made.get(keys[origin], [])]


def _sample(book: DealBook, origin: int, every_days: int) -> pd.DataFrame:
    rows = landmark_snapshots(book, as_of=to_date(origin), every_days=every_days, cap=ORIGIN_CAP)
    return rows.assign(code=end_codes(rows["end"]))


def _window(book: DealBook, first: int, every_days: int) -> pd.Series:
    """Landmark days of one window, each with its grid."""
    return landmark_days(book, before=first + every_days, every_days=every_days).loc[first:]


def _asked(book: DealBook, first: int, every_days: int) -> pd.DataFrame:
    return landmarks_on(book, _window(book, first, every_days), every_days=every_days, cap=ORIGIN_CAP)


def _told(
    at: int,
    asked: pd.DataFrame,
    tried: tuple[str, ...],
    learners: Learners | None,
    late: LateEnds,
    table: StageTable,
    last_day: int,
    days: np.ndarray,
    grid: dict[str, Any],
) -> Told:
    landmark = asked["landmark_day"].to_numpy()
    bins, near = future_bins(landmark, **grid), days <= last_day
    every = np.union1d(days, [last_day])
    *table_says, pool = table.predict(asked, horizon_days=every, confidence=None)
    later, at_last = (
        (table_says[0][:, place], table_says[1][:, place])
        for place in (np.searchsorted(every, days[~near]), np.searchsorted(every, [last_day]))
    )
    by_table = table_says[0][:, np.searchsorted(every, days)]
    supported = bins.end <= last_day
    p_won, log_odds = dict.fromkeys(tried, by_table), {rung: np.zeros((0, 2)) for rung in tried[1:]}
    for rung, odds in ({} if learners is None else learners.log_odds_of(tried[1:], asked, bins)).items():
        own = late.incidence(bins, odds, landmark, np.append(days[near], last_day), state=asked["state"])
        p_won[rung] = without_dead_stock(carried_on(own, later, at_last)[0], by_table, pool)
        log_odds[rung] = odds[supported]
    rows = asked[["deal_id", "landmark_day", "state", "amount", "between"]]
    dead = pool["older_than_any_win"].to_numpy(dtype=bool)
    return Told(at, rows, days, p_won, bins.take(supported), log_odds, dead)
