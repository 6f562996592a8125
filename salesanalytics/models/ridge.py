"""Logistic regression with a normal prior; how wide the prior of some kinds of columns is, is learned."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

PRIOR_VARIANCE = 0.0075  # of a coefficient per standard deviation of its column
CURVATURE_ROWS = 8_000
EM_STEPS, GUESSED = 4, 5.0  # a kind of columns has so many more that are as the guess says


def fit_ridge(
    z: np.ndarray, happened: np.ndarray, weight: np.ndarray, kinds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and coefficients of the largest penalised likelihood, and the variances of their priors.

    Columns of one kind share a variance that is learned by some steps of expectation maximisation: the mean of what
    their coefficients and the uncertainty of these say, with five columns beside them whose variance is that of all.

    Parameters
    ----------
    z : ndarray (n_rows, n_columns)
        Standardised.
    happened, weight : ndarray (n_rows,)
    kinds : ndarray of int (n_columns,)
        Kind of each column; below 0 the variance stays `PRIOR_VARIANCE`.

    Returns
    -------
    coef : ndarray (1 + n_columns,)
    variance : ndarray (n_columns,)

    References
    ----------
    MacKay (1992), Neural Computation 4, 415-447 (the evidence for a prior); Dempster, Laird & Rubin (1977), J. R. Stat.
    Soc. B 39, 1-38.
    """
    share = (weight[happened].sum() + 0.5) / (weight.sum() + 1.0)
    coef = np.r_[np.log(share / (1 - share)), np.zeros(z.shape[1])]
    variance = np.full(z.shape[1], PRIOR_VARIANCE)
    if not happened.any() or happened.all():  # nothing to tell apart: half an event of caution
        return coef, variance
    every = max(len(z) // CURVATURE_ROWS, 1)
    some, of_some = np.hstack([np.ones((len(z[::every]), 1), np.float32), z[::every]]), weight[::every] * every
    known = information(some, coef, of_some)
    coef = _search(z, happened, weight, start=coef, root=posterior_root(known, variance), variance=variance)
    for _ in range(EM_STEPS if (kinds >= 0).any() else 0):
        known = information(some, coef, of_some)
        unsure = (posterior_root(known, variance) ** 2).sum(axis=1)[1:]
        variance = _learned(coef[1:] ** 2 + unsure, kinds)
        coef = _search(z, happened, weight, start=coef, root=posterior_root(known, variance), variance=variance)
    return coef, variance


def information(design: np.ndarray, coef: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What rows of a design (ones in front) know of the coefficients: the curvature of their likelihood."""
    p = expit(design @ coef)
    weighted = design * np.sqrt(weight * p * (1 - p)).astype(np.float32)[:, None]
    return np.asarray((weighted.T @ weighted).astype(float))


def posterior_root(known: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Square root of the covariance of the coefficients (Laplace), from what the rows know and the prior."""
    return np.asarray(np.linalg.inv(np.linalg.cholesky(known + np.diag(_precision(variance)))).T)


def _precision(variance: np.ndarray) -> np.ndarray:
    """Of the prior of the intercept (as good as none) and the coefficients."""
    return np.r_[1e-6, 1 / variance]


def _learned(square: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Variance of each column from the expected squares of the coefficients, a mean over its kind."""
    own = kinds >= 0
    told = np.bincount(kinds[own], square[own]) + GUESSED * PRIOR_VARIANCE
    of_kind = told / (np.bincount(kinds[own]) + GUESSED)
    return np.where(own, of_kind[np.where(own, kinds, 0)], PRIOR_VARIANCE)


def _search(
    z: np.ndarray,
    happened: np.ndarray,
    weight: np.ndarray,
    *,
    start: np.ndarray,
    root: np.ndarray,
    variance: np.ndarray,
) -> np.ndarray:
    """Where the penalised likelihood is largest.

    Columns are far from independent, so the search is made in the eyes of a covariance guessed from every so-manieth
    row: there a step of 1 is about a posterior standard deviation, and a gradient of .01 means that near the end.
    """
    prior = _precision(variance)
    weight, signed = weight.astype(np.float32), happened.astype(np.float32)

    def loss(step: np.ndarray) -> tuple[float, np.ndarray]:
        coef = root @ step
        eta = z @ coef[1:].astype(np.float32) + np.float32(coef[0])
        value = (weight * (np.logaddexp(0, eta) - signed * eta)).sum(dtype=float) + prior @ coef**2 / 2
        miss = weight * (expit(eta) - signed)
        slope = np.r_[miss.sum(dtype=float), (miss @ z).astype(float)] + prior * coef
        return float(value), root.T @ slope

    begin = np.linalg.solve(root, start)
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 400, "gtol": 0.01, "ftol": 1e-10})
    return np.asarray(root @ found.x)
