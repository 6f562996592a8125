"""Landmarks: snapshots of the past with what became of the deals, to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.features.history import Feature
from salesanalytics.features.snapshots import DEFAULT_FEATURES, described, snapshot_base
from salesanalytics.timeline import outcomes
from salesanalytics.timeline.calendar import as_of_day, to_timestamps
from salesanalytics.timeline.replay import OPEN, births, collect
from salesanalytics.timeline.spells import observed_from, open_deals, recording_lag_days

N_GRIDS = 4
CHUNK = 500_000  # rows brought from the engine at once


def landmark_snapshots(
    book: DealBook,
    *,
    as_of: Any,
    every_days: int = 28,
    cap: int = 25_000,
    features: Sequence[Feature] = DEFAULT_FEATURES,
) -> pd.DataFrame:
    """Snapshots of the past with what became of the deals.

    Every deal has landmarks of its own: ``every_days`` apart, counted back from ``as_of`` with one of four offsets,
    from the hash of its id. So all distances to a quarter end occur, and neighbours do not share a date.

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
    day = as_of_day(book, as_of)
    seen_to = day - recording_lag_days(book, as_of=as_of)
    n_grids = min(N_GRIDS, every_days)
    grid = _grid_of_days(book, day, seen_to, every_days, n_grids)
    n_open = _n_open(book, grid.index.to_list())
    share = min(cap * n_grids / n_open, 1.0) if n_open else 1.0
    chunks = np.array_split(grid.index.to_numpy(), n_open // CHUNK + 1)
    parts = [_part(book, grid.loc[days], n_grids, share, features) for days in chunks if len(days)]
    if not parts:
        nothing = snapshot_base(book, [day], lambda base: np.zeros(len(base), dtype=bool))
        parts = [described(book, nothing, as_of, features).assign(landmark_day=pd.Series(dtype="int64"))]
    rows = pd.concat(parts).sort_values(["landmark_day", "deal_id"], ignore_index=True)
    known = collect(book, outcomes(book, day)).set_index("deal_id").loc[rows["deal_id"], ["end", "end_day"]]
    end_day = known["end_day"].to_numpy()
    landmark = rows["landmark_day"].to_numpy()
    rows["end"] = np.where(end_day > seen_to, OPEN, known["end"].to_numpy(dtype=object))
    rows["duration_days"] = np.maximum(np.minimum(end_day, seen_to) - landmark, 0)
    rows["watched_days"] = np.where(rows["end"].eq(OPEN), rows["duration_days"], seen_to - landmark)
    return rows


def lot(deal_id: pd.Series, day: pd.Series) -> np.ndarray:
    """A number in [0, 1) from the hash of a deal and a landmark: the same sample whatever else is in the book."""
    hashed = pd.util.hash_array(deal_id.to_numpy(dtype=object), categorize=False)
    mixed = pd.util.hash_array((hashed >> np.uint64(2)) ^ (day.to_numpy().astype(np.uint64) << np.uint64(40)))
    return mixed / 2.0**64


def _grid_of_days(book: DealBook, day: int, seen_to: int, every_days: int, n_grids: int) -> pd.Series:
    """Landmark days, ascending, each with the grid it belongs to; all with some time in which an end would be seen."""
    begin = collect(book, births(book).select(day=nw.col("created_day").min()))["day"].iloc[0]
    if pd.isna(begin):
        return pd.Series(dtype="int64")
    first = max(int(begin), observed_from(book))
    starts = [day - every_days * k // n_grids for k in range(n_grids)]
    days = {d: k for k, start in enumerate(starts) for d in range(start, first - 1, -every_days) if d < seen_to}
    return pd.Series(days, dtype="int64").sort_index()


def _n_open(book: DealBook, days: list[int]) -> int:
    """Deals open on the days, one count a day."""
    return int(collect(book, open_deals(book, days=days).select(n=nw.len()))["n"].iloc[0]) if days else 0


def _part(book: DealBook, grid: pd.Series, n_grids: int, share: float, features: Sequence[Feature]) -> pd.DataFrame:
    def sample(base: pd.DataFrame) -> np.ndarray:
        hashed = pd.util.hash_array(base["deal_id"].to_numpy(dtype=object), categorize=False)
        own = hashed % np.uint64(n_grids) == base["as_of_day"].map(grid).to_numpy()
        return np.asarray(own & (lot(base["deal_id"], base["as_of_day"]) < share))

    days = grid.index.to_list()
    base = snapshot_base(book, days, sample)
    rows = described(book, base, to_timestamps(days), features)
    rows["landmark_day"] = base["as_of_day"].to_numpy()
    return rows
