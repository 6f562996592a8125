"""Chance of signing where none of the deals that stood there was ever won."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_TRIALS = 10  # that fewer came to stand there so long does not make it likely


@dataclass(frozen=True)
class NoneWon:
    """Deals of which none was won while they were watched: half a signing in so many trials.

    A deal is one trial for the part of the horizon for which it was watched, a whole one if it ended otherwise, and
    more than one if it was watched for longer than the horizon. There are ten at least, where all deals of the state
    had the time to come to stand there and to be watched for the horizon; where a part of them had, that part of ten.

    Attributes
    ----------
    watched : ndarray (n_deals,)
        Days for which each was watched there.
    ended : ndarray of bool (n_deals,)
        Whether it ended, without being won.
    time_left : ndarray (n_stays,), ascending
        Days for which each deal of the state could have been watched there, had it stayed (below 0: it came too late).
    """

    watched: np.ndarray
    ended: np.ndarray
    time_left: np.ndarray

    def trials(self, horizons: np.ndarray) -> np.ndarray:
        """So many trials for each horizon (days, ``inf`` for any time)."""
        ended = np.sort(self.watched[self.ended])
        n_whole = np.searchsorted(ended, horizons)
        others = self.watched.sum() - np.append(0.0, np.cumsum(ended))[n_whole]
        made = n_whole + others / np.maximum(horizons, 1)
        had_time = 1 - np.searchsorted(self.time_left, horizons) / len(self.time_left)
        return np.maximum(made, LEAST_TRIALS * had_time)

    def chances(self, horizons: np.ndarray, *, at_most: np.ndarray | float = 1.0) -> np.ndarray:
        """Chance of being won by each horizon, ``at_most`` that of all deals of the state."""
        return np.where(horizons > 0, np.minimum(0.5 / (self.trials(horizons) + 1), at_most), 0.0)

    def upper(self, horizon: float, confidence: float) -> float:
        """Upper end of the interval of the chance: exact, of no signing in the trials."""
        return float(1 - ((1 - confidence) / 2) ** (1 / (self.trials(np.array([horizon]))[0] + 1)))


def none_won(deal: np.ndarray, codes: np.ndarray, time_left: np.ndarray, *, every_days: int) -> NoneWon:
    """From landmark rows (``deal`` coded from 0, ``codes`` -1 where its end is not known), ``every_days`` apart."""
    _, which, rows = np.unique(deal, return_inverse=True, return_counts=True)
    ended = np.bincount(which, weights=codes >= 0) > 0 if len(deal) else np.zeros(0, dtype=bool)
    return NoneWon(every_days * rows.astype(float), ended, time_left)
