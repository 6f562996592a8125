"""How far a chance of the close model may itself be off."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm

from salesanalytics.models.curves import incidence_at
from salesanalytics.models.learners import Learners
from salesanalytics.models.supermodel import Bins

N_DRAWS = 60


def chance_spread(
    learners: Learners, snapshot: pd.DataFrame, bins: Bins, landmark_day: np.ndarray, *, horizon: int, level_se: float
) -> np.ndarray:
    """Standard error of the logit of each chance of having been won by a horizon, (n_deals,).

    The spread of the logistic coefficients, half the distance between the two learners, and ``level_se``, that of the
    recalibrated level, added in squares.

    Parameters
    ----------
    learners : Learners
    snapshot : DataFrame
        Of which ``bins`` and ``landmark_day`` are the futures and the dates.
    horizon : int
        Days, not beyond the last bin.
    level_se : float
    """
    days = np.array([horizon])
    found = [_logit_at(bins, odds, landmark_day, days) for odds in learners.logit.drawn(snapshot, bins, N_DRAWS)]
    variance = np.var(found, axis=0) + level_se**2
    if learners.boosting is not None:
        pair = (learners.logit, learners.boosting)
        both = [_logit_at(bins, one.log_odds(snapshot, bins), landmark_day, days) for one in pair]
        variance = variance + ((both[0] - both[1]) / 2) ** 2
    return np.asarray(np.sqrt(variance))


def around(won: np.ndarray, spread: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends around chances, so many standard errors of the logit away."""
    reach, centre = norm.ppf(0.5 + confidence / 2) * spread, _logit(won)
    return expit(centre - reach), expit(centre + reach)


def _logit_at(bins: Bins, log_odds: np.ndarray, landmark_day: np.ndarray, days: np.ndarray) -> np.ndarray:
    won, _ = incidence_at(bins, log_odds, landmark_day, days)
    return _logit(won[:, 0])


def _logit(p: np.ndarray) -> np.ndarray:
    return np.asarray(logit(np.clip(p, 1e-6, 1 - 1e-6)))
