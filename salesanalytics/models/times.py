"""Good and bad times: a quarter helps or harms all deals at once, which must not be laid to what the deals are like."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from salesanalytics.models.supermodel import Bins
from salesanalytics.timeline.calendar import QUARTER_DAYS

QUARTER_SD = 1.0  # prior of a quarter's effect on the log odds: wide, so that the other coefficients do not serve it
SHOCK_VARIANCE = 0.06  # of what a quarter brings, relative to what it was expected to bring, beyond chance
ROUNDS = 30


def quarters(landmark_day: np.ndarray, bins: Bins) -> np.ndarray:
    """The calendar quarter each bin lies in (bins are split at quarter ends): 0, 1, ... in their order, (n_bins,)."""
    ends = landmark_day[bins.row] + bins.end + bins.to_quarter_end
    return np.asarray(np.unique(ends, return_inverse=True)[1])


def watched_part(landmark_day: np.ndarray, bins: Bins, quarter: np.ndarray) -> np.ndarray:
    """Share of each quarter that lies between the first and the last day that its bins watch, (n_quarters,)."""
    day = landmark_day[bins.row]
    first, last = np.full(quarter.max(initial=-1) + 1, np.inf), np.full(quarter.max(initial=-1) + 1, -np.inf)
    np.minimum.at(first, quarter, day + bins.start)
    np.maximum.at(last, quarter, day + bins.end)
    return np.asarray(np.minimum((last - first) / QUARTER_DAYS, 1.0))


def settled_level(
    log_odds: np.ndarray, happened: np.ndarray, quarter: np.ndarray, weight: np.ndarray, part: np.ndarray
) -> float:
    """Level to be added to log odds, so that they are right in the mean of the quarters.

    The sum over the quarters of what happened less what was expected is 0, each over its own variance: chance, and a
    common shock. So a quarter with many deals does not count much more than one with some, and one in which nothing
    happened counts like any other. A quarter of which only a part was watched (the first of a book) counts less: its
    last month is no quarter.

    Parameters
    ----------
    log_odds : ndarray (n_bins,)
    happened : ndarray of bool (n_bins,)
    quarter : ndarray of int (n_bins,)
    weight : ndarray (n_bins,)
        Every deal about once in all its rows: the variance by chance is that of a number of deals.
    part : ndarray (n_quarters,)
        From `watched_part`.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, chapter 9 (quasi-likelihood).
    """
    if not happened.any() or happened.all():
        return 0.0
    came, level = np.bincount(quarter, weight * happened, minlength=len(part)), 0.0
    for _ in range(ROUNDS):
        p = expit(log_odds + level)
        expected = np.bincount(quarter, weight * p, minlength=len(part))
        information = np.bincount(quarter, weight * p * (1 - p), minlength=len(part))
        counts = 1 / (1 + SHOCK_VARIANCE / part * expected)
        step = float(np.clip(counts @ (came - expected) / max(counts @ information, 1e-12), -1, 1))
        level += step
        if abs(step) < 1e-8:
            break
    return level
