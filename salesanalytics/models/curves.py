"""From hazards of bins to the chance of having been won, or of having ended otherwise, by any day."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from salesanalytics.models.supermodel import Bins


def incidence_at(
    bins: Bins, log_odds: np.ndarray, landmark_day: np.ndarray, days: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative incidence of both ends at some days after each landmark.

    Within a bin the hazard is constant.

    Parameters
    ----------
    bins : Bins
        All bins of every landmark, without gaps.
    log_odds : ndarray (n_bins, 2)
        Of being won in the bin, and of ending otherwise if not won.
    landmark_day : ndarray (n_landmarks,)
        Landmarks of the same day have the same bins.
    days : ndarray (n_days,)
        Not beyond the last bin.

    Returns
    -------
    won, other : ndarray (n_landmarks, n_days)
    """
    won, other = (np.zeros((len(landmark_day), len(days))) for _ in range(2))
    hazard = expit(log_odds)
    first = np.searchsorted(bins.row, np.arange(len(landmark_day)))
    for day in np.unique(landmark_day):
        rows = np.flatnonzero(landmark_day == day)
        n = int(np.count_nonzero(bins.row == rows[0]))
        cells = first[rows][:, None] + np.arange(n)
        start, end = bins.start[cells[0]], bins.end[cells[0]]
        won[rows], other[rows] = _cumulate(hazard[cells, 0], hazard[cells, 1], start, end, days)
    return won, other


def _cumulate(
    h_won: np.ndarray, h_other: np.ndarray, start: np.ndarray, end: np.ndarray, days: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Incidence from hazards (n_rows, n_bins)."""
    stays = (1 - h_won) * (1 - h_other)
    open_before = np.hstack([np.ones((len(stays), 1)), np.cumprod(stays, axis=1)[:, :-1]])
    of_won, of_other = open_before * h_won, open_before * (1 - h_won) * h_other
    j = np.minimum(np.searchsorted(end, days), len(end) - 1)
    share = np.clip((days - start[j]) / (end[j] - start[j]), 0.0, 1.0)
    left = np.maximum(stays[:, j], 1e-12)
    part = np.where(left < 1 - 1e-9, (1 - left**share) / np.maximum(1 - left, 1e-12), share)
    before_won, before_other = (np.cumsum(x, axis=1) - x for x in (of_won, of_other))
    return before_won[:, j] + part * of_won[:, j], before_other[:, j] + part * of_other[:, j]


def carried_on(
    own: tuple[np.ndarray, np.ndarray], later: tuple[np.ndarray, np.ndarray], last: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Incidence of both ends beyond the last bin: those still open there go on as the stage table has them go on.

    Parameters
    ----------
    own : pair of ndarray (n_deals, n_near + 1)
        By the bins, on some days and, in the last column, at the end of the last bin.
    later, last : pair of ndarray (n_deals, n_later), (n_deals, 1)
        By the stage table, on days beyond the last bin and at its end.

    Returns
    -------
    won, other : ndarray (n_deals, n_near + n_later)
    """
    still = (1 - own[0][:, -1:] - own[1][:, -1:]) / np.maximum(1 - last[0] - last[1], 1e-9)
    won, other = (
        np.hstack([x[:, :-1], x[:, -1:] + still * (table - end)])
        for x, table, end in zip(own, later, last, strict=True)
    )
    return won, other


def without_dead_stock(won: np.ndarray, by_table: np.ndarray, pool: pd.DataFrame) -> np.ndarray:
    """Incidence (n_deals, n_days) with no deal older than any win above what the stage table says of it.

    ``by_table`` (n_deals, n_days) and ``pool`` (``older_than_any_win``) are from `StageTable.predict`.
    """
    dead = pool["older_than_any_win"].to_numpy(dtype=bool)
    return np.minimum(won, np.where(dead[:, None], by_table, 1.0))
