"""Landmarks: snapshots of the past with what became of the deals, to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.features.history import Feature
from salesanalytics.features.snapshots import DEFAULT_FEATURES, described, snapshot_base
from salesanalytics.timeline import known_outcomes
from salesanalytics.timeline.calendar import as_of_day, to_timestamps
from salesanalytics.timeline.replay import OPEN, collect
from salesanalytics.timeline.spells import first_day, open_deals, recording_lag_days

N_GRIDS = 4
CHUNK = 500_000  # rows brought from the engine at once
_KEPT: WeakKeyDictionary[DealBook, dict[tuple[Any, ...], _Kept]] = WeakKeyDictionary()


def landmark_snapshots(
    book: DealBook,
    *,
    as_of: Any,
    every_days: int = 28,
    cap: int = 25_000,
    features: Sequence[Feature] = DEFAULT_FEATURES,
) -> pd.DataFrame:
    """Snapshots of the past with what became of the deals.

    Every deal has landmarks of its own: ``every_days`` apart, on one of four grids of days, by the hash of its id. So
    all distances to a quarter end occur, and neighbours do not share a date. The grids do not depend on ``as_of``:
    what a landmark looks like is worked out once a book, for all dates from which it is seen.

    Parameters
    ----------
    book : DealBook
    as_of : date
        Ends count as they were known at the end of that day; the last q95 of the recording lag counts as unseen.
    every_days : int
    cap : int
        About so many rows at most; above it a share is kept by a hash of deal and landmark.
    features : sequence of functions

    Returns
    -------
    DataFrame, one row an open deal and landmark, by landmark and deal id
        The columns of `snapshots`, then ``landmark_day`` (since 1970-01-01), ``end`` (``open``: not seen to end),
        ``duration_days`` (landmark to end, or to the last day on which an end would have been seen) and
        ``watched_days`` (to that last day, ended or not). An end dated before the landmark but recorded after it has
        duration 0.
    """
    seen_to = as_of_day(book, as_of) - recording_lag_days(book, as_of=as_of)
    days = landmark_days(book, before=seen_to, every_days=every_days)
    rows = landmarks_on(book, days, every_days=every_days, cap=cap, features=features)
    return with_ends(book, rows, as_of=as_of)


def landmark_days(book: DealBook, *, before: int, every_days: int = 28) -> pd.Series:
    """The days of the four grids from the first deal on, ascending: the grid (0 to 3) of each, by day."""
    first = first_day(book)
    if first is None:
        return pd.Series(dtype="int64")
    n_grids = min(N_GRIDS, every_days)
    offset = {every_days * k // n_grids: k for k in range(n_grids)}
    days = range(first, before)
    return pd.Series({d: offset[d % every_days] for d in days if d % every_days in offset}, dtype="int64")


def landmarks_on(
    book: DealBook,
    days: pd.Series,
    *,
    every_days: int,
    cap: int,
    features: Sequence[Feature] = DEFAULT_FEATURES,
) -> pd.DataFrame:
    """Snapshots on days of `landmark_days`, of the deals of their grids, with ``landmark_day``; about ``cap`` rows."""
    n_grids = min(N_GRIDS, every_days)
    of_book = _KEPT.setdefault(book, {})
    key = (every_days, *features)
    if key not in of_book:
        of_book[key] = _Kept(_no_rows(book, features), {}, {})
    kept = of_book[key]
    n_open = _n_open(book, days.index.to_list(), kept.n_open)
    share = min(cap * n_grids / n_open, 1.0) if n_open else 1.0
    missing = days[[kept.share.get(day, 0.0) < share for day in days.index]]
    if len(missing):
        chunks = np.array_split(missing.index.to_numpy(), n_open * len(missing) // len(days) // CHUNK + 1)
        parts = [_part(book, missing.loc[chunk], n_grids, share, features) for chunk in chunks if len(chunk)]
        old = kept.rows[~kept.rows["landmark_day"].isin(missing.index)]
        rows = pd.concat([part for part in (old, *parts) if len(part)] or [old], ignore_index=True)
        kept.rows = rows.sort_values(["landmark_day", "deal_id"], ignore_index=True)
        kept.share |= dict.fromkeys(missing.index, share)
    rows = kept.rows[kept.rows["landmark_day"].isin(days.index) & (kept.rows["lot"] < share)]
    return rows.drop(columns="lot").reset_index(drop=True)


def with_ends(book: DealBook, rows: pd.DataFrame, *, as_of: Any) -> pd.DataFrame:
    """Landmark rows with what had become of the deals as known at ``as_of``; see `landmark_snapshots`."""
    day = as_of_day(book, as_of)
    seen_to = day - recording_lag_days(book, as_of=as_of)
    known = known_outcomes(book, day).set_index("deal_id").loc[rows["deal_id"], ["end", "end_day"]]
    end_day, landmark = known["end_day"].to_numpy(), rows["landmark_day"].to_numpy()
    end = np.where(end_day > seen_to, OPEN, known["end"].to_numpy(dtype=object))
    duration = np.maximum(np.minimum(end_day, seen_to) - landmark, 0)
    watched = np.where(end == OPEN, duration, seen_to - landmark)
    return rows.assign(end=end, duration_days=duration, watched_days=watched)


def lot(deal_id: pd.Series, day: pd.Series) -> np.ndarray:
    """A number in [0, 1) from the hash of a deal and a landmark: the same sample whatever else is in the book."""
    hashed = pd.util.hash_array(deal_id.to_numpy(dtype=object), categorize=False)
    mixed = pd.util.hash_array((hashed >> np.uint64(2)) ^ (day.to_numpy().astype(np.uint64) << np.uint64(40)))
    return mixed / 2.0**64


@dataclass
class _Kept:
    """Landmarks of a book worked out so far, with the ``lot`` of each, the share of the deals kept on each day, and
    how many were open on it.
    """

    rows: pd.DataFrame
    share: dict[int, float]
    n_open: dict[int, int]


def _no_rows(book: DealBook, features: Sequence[Feature]) -> pd.DataFrame:
    day = [0]
    base = snapshot_base(book, day, lambda base: np.zeros(len(base), dtype=bool))
    rows = described(book, base, to_timestamps(day), features)
    return rows.assign(landmark_day=pd.Series(dtype="int64"), lot=pd.Series(dtype=float))


def _n_open(book: DealBook, days: list[int], known: dict[int, int]) -> int:
    """Deals open on the days, one count a day; what is found is added to what is known."""
    missing = [day for day in days if day not in known]
    if missing:
        found = collect(book, open_deals(book, days=missing).group_by("as_of_day").agg(n=nw.len()))
        known |= dict.fromkeys(missing, 0) | dict(zip(found["as_of_day"], found["n"], strict=True))
    return int(sum(known[day] for day in days))


def _part(book: DealBook, grid: pd.Series, n_grids: int, share: float, features: Sequence[Feature]) -> pd.DataFrame:
    def sample(base: pd.DataFrame) -> np.ndarray:
        hashed = pd.util.hash_array(base["deal_id"].to_numpy(dtype=object), categorize=False)
        own = hashed % np.uint64(n_grids) == base["as_of_day"].map(grid).to_numpy()
        return np.asarray(own & (lot(base["deal_id"], base["as_of_day"]) < share))

    days = grid.index.to_list()
    base = snapshot_base(book, days, sample)
    rows = described(book, base, to_timestamps(days), features)
    return rows.assign(landmark_day=base["as_of_day"], lot=lot(base["deal_id"], base["as_of_day"]))
