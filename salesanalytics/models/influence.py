"""What each row does to an estimated incidence: standard errors of weighted, clustered and late-entering rows."""

from __future__ import annotations

import numpy as np

from salesanalytics.models.incidence import Incidence
from salesanalytics.models.jackknife import influence_terms


def row_influence(
    fit: Incidence,
    duration: np.ndarray,
    codes: np.ndarray,
    *,
    at_day: float,
    k: int,
    entry: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> np.ndarray:
    """Influence of each row on the incidence of end ``k`` at a day (infinitesimal jackknife).

    Sums of it say how the estimate would move if those rows counted a little more. The root of the sum of squares is
    the standard error of independent rows; rows of one deal are summed before they are squared, and rows that count
    by their amount are multiplied by it.

    Parameters
    ----------
    fit : Incidence
        Estimate from these rows (`fit_incidence`).
    duration, codes, entry, weight : arrays (n_rows,)
        As they were fitted; every row has time at risk.
    at_day : float
    k : int
        Column of the end.

    Returns
    -------
    ndarray (n_rows,)

    References
    ----------
    Therneau & Grambsch (2000), Modeling Survival Data, chapter 7.
    """
    upto = int(np.searchsorted(fit.days, at_day, side="right"))
    if upto == 0:
        return np.zeros(len(duration))
    position = _positions(fit.days, duration)
    at = np.minimum(position, upto - 1)
    ended = (codes >= 0) & (position < upto)
    shape = (upto, len(fit.ends))
    cell = position[ended] * shape[1] + codes[ended]
    ends = np.bincount(cell, weights=None if weight is None else weight[ended], minlength=shape[0] * shape[1])
    p, at_risk = fit.p[:upto], fit.n_at_risk[:upto]
    p_before = np.concatenate([[1.0], fit.p_open[: upto - 1]])
    own, any_a, any_b, paid_a, paid_b = influence_terms(ends.reshape(shape), at_risk, p, p_before, k)
    a = np.where(ended & (codes == k), own[at], 0.0) + np.where(ended, any_a[at], 0.0) - paid_a[at]
    b = np.where(ended, any_b[at], 0.0) - paid_b[at]
    if entry is not None:
        first = np.searchsorted(fit.days[:upto], np.where(entry == 0, -1, entry), side="right")
        a += np.concatenate([[0.0], paid_a])[first]
        b += np.concatenate([[0.0], paid_b])[first]
    return a - p[-1, k] * b


def clustered_error(influence: np.ndarray, cluster: np.ndarray, *, weight: np.ndarray | None = None) -> float:
    """Standard error when rows of a cluster (a deal) hang together and count by their weight."""
    sums = np.bincount(cluster, weights=influence if weight is None else weight * influence)
    return float(np.sqrt((sums**2).sum()))


def _positions(days: np.ndarray, duration: np.ndarray) -> np.ndarray:
    """First day not before each duration; whole days are looked up instead of searched."""
    if duration.dtype.kind not in "iu" or not len(days) or duration.max() > 100_000:
        return np.searchsorted(days, duration, side="left")
    return np.searchsorted(days, np.arange(int(duration.max()) + 1), side="left")[duration]
