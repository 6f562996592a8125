"""How far to trust a set of probabilities or bands: reliability, differences of losses.

Rows of one deal hang together, so every interval here treats the deal (the cluster) as the unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from salesanalytics.errors import SchemaError
from salesanalytics.models.bands import jeffreys
from salesanalytics.models.metrics import between_0_and_1, one_per_row, probabilities_and_outcomes

BATCH = 50  # bootstrap samples counted at once: quick, and the memory stays small


def reliability(
    p: Any, outcome: Any, *, cluster: Any, bins: int = 10, confidence: float = 0.9, resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """What was promised and what came, by groups of equal size from the lowest to the highest probability.

    Parameters
    ----------
    p : array, shape (n,), within 0..1
    outcome : array of bool or 0/1, shape (n,)
    cluster : array, shape (n,)
        The deal of each row.
    bins : int
        Groups asked for, by quantiles of p. Equal p stay together, so there may be fewer.
    confidence : float
        Of the intervals: percentiles of a bootstrap that draws whole deals. Where that has no width (a group with one
        outcome only, or one deal) it is the Jeffreys interval with the number of deals as its trials.
    resamples, seed : int
        Bootstrap samples, and the seed of their one generator.

    Returns
    -------
    DataFrame, one row a group, ascending
        ``p_lowest``, ``p_highest``, ``p_mean``, ``frequency`` (share of outcomes 1), ``lower``, ``upper`` (of the
        frequency), ``n`` (rows), ``n_clusters`` (deals), ``confidence``.

    Raises
    ------
    SchemaError
        As in `brier`, or ``cluster`` does not fit.
    """
    p, won = probabilities_and_outcomes(p, outcome)
    between_0_and_1(confidence, "confidence")
    if bins < 1 or resamples < 1:
        raise SchemaError(f"bins and resamples must be >= 1, got {bins} and {resamples}.")
    deal, n_deals = clusters(cluster, len(p))
    tops = np.unique(np.quantile(p, np.arange(1, bins + 1) / bins, method="inverted_cdf"))
    at = np.searchsorted(tops, p)
    n_bins = len(tops)
    cell = deal * n_bins + at
    rows = np.bincount(cell, minlength=n_deals * n_bins).reshape(n_deals, n_bins)
    wins = np.bincount(cell, weights=won, minlength=n_deals * n_bins).reshape(n_deals, n_bins)
    n, n_won, n_clusters = rows.sum(axis=0), wins.sum(axis=0), (rows > 0).sum(axis=0)
    lower, upper = _bootstrap(rows, wins, confidence=confidence, resamples=resamples, seed=seed)
    share = n_won / n
    flat_lower, flat_upper = jeffreys(share * n_clusters, n_clusters, confidence=confidence)
    no_width = ~(lower < upper)
    order = np.sort(p)
    first = np.concatenate([[0], np.cumsum(n)[:-1]])
    return pd.DataFrame(
        {
            "p_lowest": order[first],
            "p_highest": tops,
            "p_mean": np.bincount(at, weights=p, minlength=n_bins) / n,
            "frequency": share,
            "lower": np.where(no_width, flat_lower, lower),
            "upper": np.where(no_width, flat_upper, upper),
            "n": n,
            "n_clusters": n_clusters,
            "confidence": confidence,
        }
    )


def _bootstrap(
    rows: np.ndarray, wins: np.ndarray, *, confidence: float, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of the share of each group when deals (rows of both tables) are drawn with replacement."""
    rng = np.random.default_rng(seed)
    n_deals, n_bins = rows.shape
    both = np.hstack([rows, wins]).astype(float)
    totals = np.empty((resamples, 2 * n_bins))
    for start in range(0, resamples, BATCH):
        draws = [rng.integers(0, n_deals, n_deals) for _ in range(min(BATCH, resamples - start))]
        times = np.array([np.bincount(drawn, minlength=n_deals) for drawn in draws], dtype=float)
        totals[start : start + BATCH] = times @ both
    drawn, won = totals[:, :n_bins], totals[:, n_bins:]
    share = np.where(drawn > 0, won / np.maximum(drawn, 1), np.nan)
    share[:, ~(drawn > 0).any(axis=0)] = 0.0  # never drawn: no width, as if nothing varied
    tail = (1 - confidence) / 2
    lower, upper = np.nanquantile(share, [tail, 1 - tail], axis=0)
    return lower, upper


@dataclass(frozen=True)
class MeanDifference:
    """Mean of a - b over all rows, with a standard error and interval that take the deal as the unit."""

    difference: float
    se: float
    lower: float
    upper: float
    n: int
    n_clusters: int
    confidence: float


def mean_difference(a: Any, b: Any, *, cluster: Any, confidence: float = 0.9) -> MeanDifference:
    """Difference of the mean losses of two methods on the same rows, clustered by deal.

    The standard error sums the deviations within a deal first: sqrt(G / (G - 1) sum_g (sum_i d_i - d)^2) / n, with
    Student's t of G - 1 degrees of freedom. With one row a deal it is the paired t-interval.

    Parameters
    ----------
    a, b : array, shape (n,)
        Losses of the two methods row by row (`brier_losses`, `log_losses`, `crps`); below 0 says that a is better.
    cluster : array, shape (n,)
        The deal of each row; for forecasts of quarters, the quarter.
    confidence : float

    Raises
    ------
    SchemaError
        Lengths differ, there is no row, or a value is missing.
    """
    first, second = one_per_row(a=a, b=b)
    deal, n_deals = clusters(cluster, len(first))
    gap = first - second
    mean = float(gap.mean())
    by_deal = np.bincount(deal, weights=gap - mean)
    se = float(np.sqrt(n_deals / (n_deals - 1) * (by_deal**2).sum()) / len(gap)) if n_deals > 1 else float("nan")
    reach = students_t(confidence, n_deals) * se
    return MeanDifference(mean, se, mean - reach, mean + reach, len(gap), n_deals, confidence)


def students_t(confidence: float, n_deals: int) -> float:
    """Half width of an interval in standard errors, G - 1 degrees of freedom; NaN with one cluster."""
    between_0_and_1(confidence, "confidence")
    return float(stdtrit(n_deals - 1, 0.5 + confidence / 2)) if n_deals > 1 else float("nan")


def clusters(cluster: Any, n: int) -> tuple[np.ndarray, int]:
    """Codes of the clusters in the order of their names, so that the order of rows does not matter."""
    names = pd.Series(np.asarray(cluster))
    if len(names) != n:
        raise SchemaError(f"cluster must have one value per row: {len(names)} for {n} rows.")
    codes, found = pd.factorize(names, sort=True)
    if (codes < 0).any():
        raise SchemaError(f"cluster must not be missing: {(codes < 0).sum()} are.")
    return codes, len(found)
