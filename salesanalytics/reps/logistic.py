"""Association of one yes/no fact with an outcome, other facts held fixed; and what many such questions cost."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

STEPS, SMALL_STEP = 50, 1e-8


def adjusted_log_odds(
    exposed: np.ndarray, outcome: np.ndarray, x: np.ndarray, prior_sd: np.ndarray
) -> tuple[float, float]:
    """Log odds ratio of a yes/no fact and its standard error, by logistic regression.

    The fact and the constant are free; each other column has a normal prior around 0 (large samples forget it), which
    keeps rare levels from running away. As in least squares the variance grows by size / (size - columns spent), with
    size = 4 sum p (1 - p), the number of even yes/no trials that tell as much: with many columns the plain error of a
    logistic regression is too small.

    Parameters
    ----------
    exposed, outcome : array of 0 and 1, shape (n,)
    x : array, shape (n, n_columns)
    prior_sd : array, shape (n_columns,)
    """
    columns = np.column_stack([np.ones(len(exposed)), exposed, x])
    precision = np.concatenate([[1e-8, 1e-8], 1 / np.asarray(prior_sd, float) ** 2])
    slopes = np.zeros(columns.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-(columns @ slopes)))
        information = (columns * (chance * (1 - chance))[:, None]).T @ columns + np.diag(precision)
        step = np.linalg.solve(information, columns.T @ (outcome - chance) - precision * slopes)
        slopes = slopes + np.clip(step, -2, 2)
        if np.abs(step).max() < SMALL_STEP:
            break
    inverse = np.linalg.inv(information)
    data = information - np.diag(precision)
    size, spent = 4 * data[0, 0], np.trace(inverse @ data)
    return float(slopes[1]), float(np.sqrt(inverse[1, 1] * size / max(size - spent, 1.0)))


def adjusted_difference(
    exposed: np.ndarray, outcome: np.ndarray, x: np.ndarray, prior_sd: np.ndarray
) -> tuple[float, float]:
    """Difference of a number between yes and no and its standard error, by least squares with the same priors.

    The priors are in units of the residual standard deviation.
    """
    columns = np.column_stack([np.ones(len(exposed)), exposed, x])
    information = columns.T @ columns + np.diag(np.concatenate([[1e-8, 1e-8], 1 / np.asarray(prior_sd, float) ** 2]))
    slopes = np.linalg.solve(information, columns.T @ outcome)
    inverse = np.linalg.inv(information)
    free = len(outcome) - np.trace(inverse @ (columns.T @ columns))
    variance = ((outcome - columns @ slopes) ** 2).sum() / max(free, 1.0)
    return float(slopes[1]), float(np.sqrt(variance * inverse[1, 1]))


def two_sided(effect: np.ndarray, error: np.ndarray, free: np.ndarray | float = np.inf) -> np.ndarray:
    """P value of an effect of 0: normal, or Student's t with ``free`` degrees of freedom."""
    z = np.abs(effect) / error
    return np.where(np.isinf(free), 2 * norm.sf(z), 2 * student.sf(z, np.where(np.isinf(free), 1e9, free)))


def false_discovery(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg q values: calling all with q <= .1 makes about a tenth of the calls false. NaN stays NaN.

    Examples
    --------
    >>> false_discovery(np.array([0.01, 0.04, 0.03, np.nan])).round(3).tolist()
    [0.03, 0.04, 0.04, nan]

    References
    ----------
    Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57, 289-300.
    """
    p = np.asarray(p, float)
    q = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(-p[known], kind="stable")]
    m = len(known)
    q[order] = np.minimum.accumulate(np.minimum(p[order] * m / np.arange(m, 0, -1), 1.0))
    return q
