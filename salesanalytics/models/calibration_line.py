"""Whether probabilities are too high, too low, too extreme or too timid: outcomes regressed on their log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from salesanalytics.models.metrics import CLIP, probabilities_and_outcomes
from salesanalytics.models.reliability import clusters, students_t

STEPS = 100  # of Newton's method; it needs about 6


def calibration_line(p: Any, outcome: Any, *, cluster: Any, confidence: float = 0.9) -> pd.DataFrame:
    """Intercept and slope of the outcomes on the log-odds of p: calibrated probabilities have 0 and 1.

    Logistic regression by maximum likelihood. A slope under 1 says that the p are too extreme, over 1 too timid.
    ``in_the_large`` is the intercept when the slope is held at 1: above 0 more was signed than promised. p is clipped
    to 1e-6 .. 1 - 1e-6. Standard errors are sandwich ones, clustered by deal, times sqrt(G / (G - 1)); intervals use
    Student's t with G - 1 degrees of freedom (G deals).

    Parameters
    ----------
    p, outcome, cluster, confidence : as in `reliability`

    Returns
    -------
    DataFrame, one row a parameter (``in_the_large``, ``intercept``, ``slope``)
        ``parameter``, ``estimate``, ``se``, ``lower``, ``upper``, ``confidence``; NaN where the likelihood has no
        maximum (one class only, all p equal, or p that part the outcomes completely).

    Raises
    ------
    SchemaError
        As in `brier`, or ``cluster`` does not fit.

    References
    ----------
    Cox (1958), Biometrika 45, 562-565; Van Calster et al. (2016), J. Clin. Epidemiol. 74, 167-176.
    """
    p, won = probabilities_and_outcomes(p, outcome)
    deal, n_deals = clusters(cluster, len(p))
    odds = logit(np.clip(p, CLIP, 1 - CLIP))
    ones = np.ones((len(p), 1))
    missing = np.full(2, np.nan)
    one_class = won.min() == won.max()
    large, large_se = (missing, missing) if one_class else _logistic(ones, won, odds, deal)
    found = not one_class and not _parted(odds, won)
    line, line_se = _logistic(np.column_stack([ones, odds]), won, 0 * odds, deal) if found else (missing, missing)
    estimate = np.array([large[0], *line])
    se = np.array([large_se[0], *line_se])
    reach = students_t(confidence, n_deals) * se
    return pd.DataFrame(
        {
            "parameter": ["in_the_large", "intercept", "slope"],
            "estimate": estimate,
            "se": se,
            "lower": estimate - reach,
            "upper": estimate + reach,
            "confidence": confidence,
        }
    )


def _parted(x: np.ndarray, won: np.ndarray) -> bool:
    """Whether a threshold of x tells the outcomes apart, or x does not vary: no finite slope then."""
    low, high = x[won == 0], x[won == 1]
    return bool(high.min() >= low.max() or low.min() >= high.max())


def _logistic(x: np.ndarray, won: np.ndarray, offset: np.ndarray, deal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maximum likelihood by Newton's method with halved steps, and standard errors clustered by deal."""
    b = np.zeros(x.shape[1])
    for _ in range(STEPS):
        score, information = _derivatives(x, won, offset, b)
        step = np.linalg.solve(information, score.sum(axis=0))
        while _deviance(x, won, offset, b + step) > _deviance(x, won, offset, b) + 1e-12 * len(won):
            step = step / 2
        b = b + step
        if np.abs(step).max() < 1e-10 * (1 + np.abs(b).max()):
            break
    score, information = _derivatives(x, won, offset, b)
    by_deal = np.column_stack([np.bincount(deal, weights=column) for column in score.T])
    n = len(by_deal)
    bread = np.linalg.inv(information)
    if n < 2:
        return b, np.full(len(b), np.nan)
    return b, np.sqrt(np.diag(bread @ by_deal.T @ by_deal @ bread) * n / (n - 1))


def _derivatives(x: np.ndarray, won: np.ndarray, offset: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    fitted = expit(offset + x @ b)
    return x * (won - fitted)[:, None], (x * (fitted * (1 - fitted))[:, None]).T @ x


def _deviance(x: np.ndarray, won: np.ndarray, offset: np.ndarray, b: np.ndarray) -> float:
    eta = offset + x @ b
    return float(np.logaddexp(0, np.where(won == 1, -eta, eta)).sum())
