"""Means of reps drawn together: few observations lean on the mean of all."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

GRID = 60
STRETCH = np.linspace(-5, 5, 201)  # of a posterior, in its standard deviations


def shrunk_means(values: pd.Series, group: pd.Series, *, confidence: float) -> pd.DataFrame:
    """Mean of each group, drawn to the common mean as strongly as the groups are alike.

    Observations scatter around the mean of their group with one common variance, groups around the common mean; the
    spread between groups is integrated over (flat prior up to three times the spread of the raw means).

    Returns
    -------
    DataFrame, one row a group, in order
        ``n``, ``raw``, ``mean``, ``lower``, ``upper``.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, section 5.4.
    """
    known = values.notna() & group.notna()
    grouped = values[known].astype(float).groupby(group[known])
    n, raw = grouped.size(), grouped.mean()
    if not len(n):
        return pd.DataFrame(columns=["n", "raw", "mean", "lower", "upper"], dtype=float)
    within = values[known] - group[known].map(raw)
    free = max(int(n.sum()) - len(n), 1)
    variance = max(float((within**2).sum()) / free, 1e-12) / n.to_numpy()
    mean, spread, weight = _posterior(raw.to_numpy(), variance)
    middle = weight @ mean
    error = np.sqrt(weight @ (spread**2 + (mean - middle) ** 2))
    points = middle + STRETCH[:, None] * error  # (n_points, n_groups)
    below = np.einsum("s,sjk->jk", weight, ndtr((points[None] - mean[:, None]) / spread[:, None]))
    tail = (1 - confidence) / 2
    lower, upper = ([np.interp(q, below[:, j], points[:, j]) for j in range(len(n))] for q in (tail, 1 - tail))
    return pd.DataFrame({"n": n, "raw": raw, "mean": middle, "lower": lower, "upper": upper})


def _posterior(raw: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means and standard deviations of the groups for each spread (n_spreads, n_groups), and the spreads' weights."""
    widest = 3 * (float(raw.std()) or float(np.sqrt(variance.mean())))
    spreads = np.linspace(widest / GRID / 2, widest, GRID)[:, None]
    precision = 1 / (variance + spreads**2)
    total = precision.sum(axis=1, keepdims=True)
    centre = (precision * raw).sum(axis=1, keepdims=True) / total
    log_weight = 0.5 * (np.log(precision) - precision * (raw - centre) ** 2).sum(axis=1) - 0.5 * np.log(total[:, 0])
    weight = np.exp(log_weight - log_weight.max())
    share = spreads**2 / (spreads**2 + variance)
    mean = share * raw + (1 - share) * centre
    return mean, np.sqrt(share * variance + (1 - share) ** 2 / total), weight / weight.sum()


def median_interval(values: pd.Series, group: pd.Series, *, confidence: float) -> pd.DataFrame:
    """Median of each group with its exact interval from order statistics; NaN bounds where there are too few.

    Returns
    -------
    DataFrame, one row a group, in order
        ``n``, ``median``, ``lower``, ``upper``.

    References
    ----------
    Conover (1999), Practical Nonparametric Statistics, section 3.2.
    """
    found = [
        (name, len(part), part.median(), *_ranks(np.sort(part.to_numpy(float)), confidence))
        for name, part in values.dropna().groupby(group)
    ]
    return pd.DataFrame(found, columns=["group", "n", "median", "lower", "upper"]).set_index("group")


def _ranks(ordered: np.ndarray, confidence: float) -> tuple[float, float]:
    """The closest pair of order statistics, as far from the ends as each other, that holds the median often enough."""
    n = len(ordered)
    steps = np.concatenate([[0.0], np.cumsum(np.log(np.arange(n, 0, -1) / np.arange(1, n + 1)))]) - n * np.log(2)
    below = np.cumsum(np.exp(steps))  # chance of at most k of n values below the median
    k = int(np.searchsorted(below, (1 - confidence) / 2, side="right")) - 1
    return (float(ordered[k]), float(ordered[n - 1 - k])) if k >= 0 else (np.nan, np.nan)
