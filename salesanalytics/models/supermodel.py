"""Supermodel rows: every landmark meets every bin of its future in which it was watched to the end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from salesanalytics.timeline.calendar import QUARTER_DAYS, quarter_of

WON, OTHER, QUIET = 1, 0, -1  # what happened in a bin
MIN_BIN_ROWS = 50
TYPED_IN_DAYS = 28
DEFAULT_EDGES = (0, 7, 14, 28, 42, 56, 70, 84, 98, 126, 182, 273, 365, 546, 730)


@dataclass(frozen=True)
class Bins:
    """Bins of the future of some landmarks, by landmark and time.

    Attributes
    ----------
    row : ndarray
        Position of the landmark.
    start, end : ndarray
        Days after the landmark: (start, end]; the first bin of a landmark includes day 0.
    to_quarter_end : ndarray
        Days from the end of the bin to the end of the fiscal quarter it lies in; 0: the bin ends with it.
    """

    row: np.ndarray
    start: np.ndarray
    end: np.ndarray
    to_quarter_end: np.ndarray

    def take(self, which: np.ndarray) -> Bins:
        """Some of the bins."""
        return Bins(self.row[which], self.start[which], self.end[which], self.to_quarter_end[which])


def future_bins(landmark_day: np.ndarray, *, edges: tuple[int, ...], fiscal_year_start: int) -> Bins:
    """Bins between the edges, split at quarter ends."""
    days, which = np.unique(landmark_day, return_inverse=True)
    if not len(days):
        nothing = np.zeros(0, dtype="int64")
        return Bins(nothing, nothing, nothing, nothing)
    ends = _quarter_ends(int(days[0]), int(days[-1]) + edges[-1], fiscal_year_start)
    order = np.argsort(which, kind="stable")
    counts = np.bincount(which)
    parts, first = [], 0
    for day, n in zip(days, counts, strict=True):
        quarter = ends - day
        cuts = np.union1d(edges, quarter[(quarter > 0) & (quarter < edges[-1])]).astype("int64")
        gap = quarter[np.searchsorted(quarter, cuts[1:])] - cuts[1:]
        rows = np.repeat(order[first : first + n], len(gap))
        parts.append((rows, np.tile(cuts[:-1], n), np.tile(cuts[1:], n), np.tile(gap, n)))
        first += n
    row, start, end, gap = (np.concatenate(x) for x in zip(*parts, strict=True))
    by_row = np.argsort(row, kind="stable")
    return Bins(row[by_row], start[by_row], end[by_row], gap[by_row])


def _quarter_ends(first: int, last: int, month: int) -> np.ndarray:
    """Last days of the quarters that hold the days from first to last."""
    ends = [quarter_of(first, fiscal_year_start=month).end_day]
    while ends[-1] < last:
        ends.append(quarter_of(ends[-1] + 1, fiscal_year_start=month).end_day)
    return np.array(ends)


def observed_bins(bins: Bins, *, duration: np.ndarray, watched: np.ndarray) -> np.ndarray:
    """Which bins count: the deal was still open when they began, and they were watched to their end, event or not.

    Dropping a cut bin only where nothing happened in it would bias the hazards up.

    Parameters
    ----------
    duration : ndarray (n_landmarks,)
        Days to the end, or to the last observation.
    watched : ndarray (n_landmarks,)
        Days up to which an end would have been seen.
    """
    at_risk = (duration[bins.row] > bins.start) | (bins.start == 0)
    return np.asarray(at_risk & (bins.end <= watched[bins.row]))


def last_supported(rows: pd.DataFrame, edges: tuple[int, ...]) -> int:
    """End of the last bin with at least 50 landmark rows that were open at its start and watched to its end; or 0."""
    at_risk, watched = rows["duration_days"].to_numpy(), rows["watched_days"].to_numpy()
    n = [int(((at_risk > a) & (watched >= b)).sum()) for a, b in pairwise(edges)]
    short = np.flatnonzero(np.array(n) < MIN_BIN_ROWS)
    return int(edges[short[0]] if len(short) else edges[-1])


def happened_in(bins: Bins, *, duration: np.ndarray, code: np.ndarray) -> np.ndarray:
    """What happened in each bin: the code of the end, or nothing."""
    inside = (duration[bins.row] <= bins.end) & ((duration[bins.row] > bins.start) | (bins.start == 0))
    return np.where(inside, code[bins.row], QUIET)


def bin_features(bins: Bins, landmarks: pd.DataFrame) -> pd.DataFrame:
    """Columns of a bin: logarithms of its middle and length, the quarter end, the rep's expected signing date.

    ``log_middle``, ``log_length``, ``ends_quarter``, ``to_quarter_end``; ``quarter_just_ended`` (of the first bin: 1
    right after the end of a quarter, 0 four weeks later; what was signed at the end is still being typed in);
    ``close_date_gap`` (days from the expected
    signing date to the middle of the bin, signed square root; NaN without one), ``close_date_in_bin``.
    """
    middle = (bins.start + bins.end) / 2
    since_quarter_end = QUARTER_DAYS - (bins.end + bins.to_quarter_end)  # at the landmark
    columns = {
        "log_middle": np.log1p(middle),
        "log_length": np.log(bins.end - bins.start),
        "ends_quarter": (bins.to_quarter_end == 0).astype(float),
        "to_quarter_end": bins.to_quarter_end.astype(float),
        "quarter_just_ended": np.where(bins.start == 0, np.clip(1 - since_quarter_end / TYPED_IN_DAYS, 0.0, 1.0), 0.0),
    }
    if "days_to_close_date" in landmarks:
        date = landmarks["days_to_close_date"].to_numpy(dtype=float)[bins.row]
        gap = middle - date
        columns["close_date_gap"] = np.sign(gap) * np.sqrt(np.abs(gap))
        columns["close_date_in_bin"] = ((date > bins.start) & (date <= bins.end)).astype(float)
    return pd.DataFrame(columns)
