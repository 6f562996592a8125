"""Shrinkage of rates: small groups lean on what is known of the larger one they belong to."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betaincinv, betaln

NO_SPREAD = 1e-9  # a standard error below it is rounding: all, or none, of the deals signed


def effective_n(p: Any, se: Any, n_at_risk: Any) -> np.ndarray:
    """Number of plain yes/no trials with the same standard error: p (1 - p) / se^2.

    Where nothing has happened yet (p or se is 0) the number at risk stands in for it.
    """
    p, se, n = (np.asarray(x, float) for x in (p, se, n_at_risk))
    informative = (se > NO_SPREAD) & (p > NO_SPREAD) & (p < 1 - NO_SPREAD)
    return np.where(informative, p * (1 - p) / np.where(informative, se, 1.0) ** 2, n)


def shrink(p: Any, n_eff: Any, *, prior: Any, strength: Any, confidence: float) -> dict[str, np.ndarray]:
    """Beta posterior of a rate: (n_eff p + k p0) / (n_eff + k), with its interval.

    Parameters
    ----------
    p, n_eff : array
        Estimate and its effective number of trials.
    prior : array
        p0; NaN leaves the estimate as it is.
    strength : array
        k, in trials.
    confidence : float

    Returns
    -------
    dict of arrays ``p``, ``lower``, ``upper``
    """
    p, n_eff, prior = np.broadcast_arrays(*(np.asarray(x, float) for x in (p, n_eff, prior)))
    k = np.where(np.isnan(prior), 0.0, strength)
    p0 = np.nan_to_num(prior)
    won, rest = n_eff * p + k * p0, n_eff * (1 - p) + k * (1 - p0)
    total = won + rest
    mean = np.where(total > 0, won / np.where(total > 0, total, 1), np.nan)
    tail = (1 - confidence) / 2
    inside = (won > 0) & (rest > 0)
    a, b = np.where(inside, won, 1.0), np.where(inside, rest, 1.0)
    bound = tail ** (1 / np.where(total > 0, total, 1))  # all or none: the exact binomial bound
    lower = np.where(inside, betaincinv(a, b, tail), np.where(mean > 0.5, bound, mean))
    upper = np.where(inside, betaincinv(a, b, 1 - tail), np.where(mean < 0.5, 1 - bound, mean))
    return {"p": mean, "lower": lower, "upper": upper}


def marginal_strength(p: Any, n_eff: Any, *, prior: float) -> float:
    """How many trials the stage is worth to its segments: k of largest marginal likelihood (beta-binomial).

    Segments that differ no more than chance get a large k (up to 1,000) and are drawn together.

    References
    ----------
    Carlin & Louis (2000), Bayes and Empirical Bayes Methods for Data Analysis, section 3.3.
    """
    p, n = np.asarray(p, float), np.asarray(n_eff, float)
    p0 = min(max(prior, 1e-6), 1 - 1e-6)
    grid = np.geomspace(1, 1000, 61)[:, None]
    won, rest = n * p, n * (1 - p)
    likelihood = betaln(won + grid * p0, rest + grid * (1 - p0)) - betaln(grid * p0, grid * (1 - p0))
    return float(grid[int(np.argmax(likelihood.sum(axis=1))), 0])
