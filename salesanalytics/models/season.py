"""Season: how much better or worse each quarter of the year is for signings (and for other ends) than the mean."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.models.supermodel import Bins
from salesanalytics.models.times import SHOCK_VARIANCE

MIN_QUARTERS = 8  # of the past, two of each season


def season_of(landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
    """Which quarter of the year each bin lies in: 0 to 3, by the month in which the quarter ends, (n_bins,)."""
    day = landmarks["as_of"].to_numpy().astype("datetime64[D]").astype("int64")
    ends = day[bins.row] + bins.end + bins.to_quarter_end
    days, which = np.unique(ends, return_inverse=True)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype("int64") % 12
    return np.asarray((months // 3)[which])


def season_effects(effect: np.ndarray, information: np.ndarray, season: np.ndarray) -> np.ndarray:
    """Effects of the four seasons on the log odds, drawn to 0 as far as the quarters of one season differ, (4,).

    Quarters differ by chance and by good and bad times (their spread by moments, at least that of a usual shock);
    what the means of the seasons differ by beyond that is the season. With fewer than eight quarters, or without more
    difference than the quarters of a season have among themselves, nothing.

    Parameters
    ----------
    effect : ndarray (n_quarters,)
        How much better a quarter was (log odds).
    information : ndarray (n_quarters,)
        One over the variance of that by chance.
    season : ndarray of int (n_quarters,)

    References
    ----------
    DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188 (spread by moments); Efron & Morris (1973),
    JASA 68, 117-130 (means drawn to each other).
    """
    told = information > 1.0  # an event or more
    effect, known, season = effect[told], information[told], season[told]
    n = np.bincount(season, minlength=4)
    if len(effect) < MIN_QUARTERS or n.min() < 2:
        return np.zeros(4)
    mean = _means(effect, known, season)
    sum_of = np.bincount(season, known, minlength=4)
    excess = (known * (effect - mean[season]) ** 2).sum() - (len(effect) - 4)
    scale = known.sum() - (np.bincount(season, known**2, minlength=4) / sum_of).sum()
    between = max(excess / scale, SHOCK_VARIANCE)
    known = 1 / (1 / known + between)
    mean, sum_of = _means(effect, known, season), np.bincount(season, known, minlength=4)
    centre = (sum_of * mean).sum() / sum_of.sum()
    excess = (sum_of * (mean - centre) ** 2).sum() - 3
    spread = max(excess / (sum_of.sum() - (sum_of**2).sum() / sum_of.sum()), 0.0)
    drawn = spread / (spread + 1 / sum_of) * (mean - centre)
    return np.asarray(drawn)


def _means(effect: np.ndarray, known: np.ndarray, season: np.ndarray) -> np.ndarray:
    return np.bincount(season, known * effect, minlength=4) / np.bincount(season, known, minlength=4)
