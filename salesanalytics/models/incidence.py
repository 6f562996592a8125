"""Cumulative incidence of competing ends: the Aalen-Johansen estimator on whole days, ties and day 0 exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from salesanalytics.errors import SchemaError
from salesanalytics.models.jackknife import Rows, standard_errors

OPEN = "open"


@dataclass(frozen=True)
class Incidence:
    """An estimated incidence and what is needed to judge it at one day.

    Attributes
    ----------
    days : ndarray (n_days,)
        Distinct days on which something left observation, ascending.
    n_at_risk : ndarray (n_days,)
        Rows (or their weights) under observation on that day.
    p_open : ndarray (n_days,)
        Probability that no end was reached by the end of that day.
    p, se : ndarray (n_days, n_ends)
        Cumulative incidence of each end and its standard error.
    ends : list of str
        Names of the ends, in the order of the columns.
    """

    days: np.ndarray
    n_at_risk: np.ndarray
    p_open: np.ndarray
    p: np.ndarray
    se: np.ndarray
    ends: list[str]


def cumulative_incidence(
    duration_days: Any, end: Any, *, entry_days: Any = None, confidence: float = 0.9
) -> pd.DataFrame:
    """Probability that a deal has reached each end, or is still open, by days on the clock.

    Aalen-Johansen estimator. Tied days and day 0 are exact, open deals are censored, events come before censoring
    on a day. A deal is at risk on day t if entry < t <= duration; an entry of 0 includes day 0.

    Parameters
    ----------
    duration_days : array of int, shape (n_deals,), days, >= 0
        Days from the start of the clock to the end, or to the last observation. Other units work as well.
    end : array of text or Categorical, shape (n_deals,)
        ``"open"`` is censored; any other value names the end reached.
    entry_days : array, shape (n_deals,), optional
        Day on which each deal came under observation (late entry). A deal that left on or before its entry has
        no time at risk and does not count, except on day 0 with entry 0.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame, one row per distinct day, ascending
        ``days``, ``n_at_risk``, ``p_open`` and for each end ``p_<end>``, ``se_<end>``, ``lower_<end>``,
        ``upper_<end>``. ``p_open`` and the ``p_<end>`` sum to 1. Standard errors are infinitesimal-jackknife
        (what R's survfit gives; without late entry they equal the delta-method form); intervals are
        complementary log-log.

    Raises
    ------
    SchemaError
        A duration or entry is negative or missing, or the arrays differ in length.

    References
    ----------
    Aalen & Johansen (1978), Scand. J. Statist. 5, 141-150. Therneau & Grambsch (2000), Modeling Survival Data,
    chapter 7, for the infinitesimal jackknife.

    Examples
    --------
    >>> cumulative_incidence([0, 2, 2, 5], ["lost", "won", "open", "won"])[["days", "p_open", "p_lost", "p_won"]]
       days  p_open  p_lost  p_won
    0     0    0.75    0.25   0.00
    1     2    0.50    0.25   0.25
    2     5    0.00    0.25   0.75
    """
    if not 0 < confidence < 1:
        raise SchemaError(f"confidence must lie between 0 and 1, got {confidence}.")
    codes, ends = _codes(end)
    duration = _checked(duration_days, "duration_days", len(codes))
    entry = np.zeros(1, dtype=int) if entry_days is None else _checked(entry_days, "entry_days", len(codes))
    fit = fit_incidence(duration, codes, ends, entry=entry if entry.any() else None)
    columns: dict[str, Any] = {
        "days": fit.days,
        "n_at_risk": fit.n_at_risk.astype(np.int64),
        "p_open": fit.p_open,
    }
    for k, name in enumerate(fit.ends):
        lower, upper = loglog_interval(fit.p[:, k], fit.se[:, k], confidence=confidence)
        columns |= {
            f"p_{name}": fit.p[:, k], f"se_{name}": fit.se[:, k], f"lower_{name}": lower, f"upper_{name}": upper,
        }  # fmt: skip
    return pd.DataFrame(columns)


def _codes(end: Any) -> tuple[np.ndarray, list[str]]:
    """Codes of the ends (-1 = open) and their names in alphabetical order, so that row order does not matter."""
    values = end if isinstance(end, pd.Categorical) else getattr(end, "array", end)
    if not isinstance(values, pd.Categorical):
        values = pd.Categorical(np.asarray(end, dtype=object))
    if len(values) and (values.codes < 0).any():
        raise SchemaError("end has missing values; an open deal is written 'open'.")
    present = np.bincount(values.codes, minlength=len(values.categories)) > 0
    names = [str(c) for c, there in zip(values.categories, present, strict=True) if there and str(c) != OPEN]
    ends = sorted(names)
    lookup = np.array([ends.index(str(c)) if str(c) in ends else -1 for c in values.categories] or [-1])
    return lookup.astype(np.int8 if len(ends) < 127 else np.int64)[values.codes], ends


def _checked(values: Any, name: str, n: int) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind == "b" or array.dtype.kind not in "iuf":
        array = np.asarray(values, dtype=float)
    if array.shape != (n,):
        raise SchemaError(f"{name} must have one value per deal: {n} ends, shape {array.shape}.")
    if n and not array.min() >= 0:  # also true for NaN
        bad = np.flatnonzero(~(array >= 0))
        raise SchemaError(f"{name} must be >= 0 and not missing: {len(bad)} are not, first at {bad[:3].tolist()}.")
    return array


def fit_incidence(
    duration: np.ndarray,
    codes: np.ndarray,
    ends: list[str],
    *,
    entry: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    errors: bool = True,
) -> Incidence:
    """Estimate from arrays: ``codes`` number the ends (-1 = censored), ``weight`` counts equal rows.

    Standard errors are left NaN unless ``errors`` (curves that are needed by the hundred do without).
    """
    n_ends = len(ends)
    if entry is not None:
        under_observation = (entry < duration) | ((entry == 0) & (duration == 0))
        duration, codes, entry = (
            duration[under_observation],
            codes[under_observation],
            entry[under_observation],
        )
        weight = None if weight is None else weight[under_observation]
    days, at = _days(duration)
    cells = np.bincount(at * (n_ends + 1) + (codes + 1), weights=weight, minlength=len(days) * (n_ends + 1)).reshape(
        len(days), n_ends + 1
    )
    seen = cells.sum(axis=1) > 0
    if not seen.all():  # dense whole days: keep those on which somebody left
        position = np.cumsum(seen) - 1
        days, cells, at = days[seen], cells[seen], position[at]
    left = cells.sum(axis=1)
    came = _entered_before(entry, days, left.sum(), weight)
    n_at_risk = came - np.concatenate([[0], np.cumsum(left)[:-1]])
    events = cells[:, 1:]
    p, p_open, p_before = product_integral(events, n_at_risk)
    se = np.full(p.shape, np.nan)
    if errors:
        table = Rows(at, codes, entry, weight) if entry is not None else Rows.from_cells(cells)
        se = standard_errors(table, days, events, n_at_risk, p, p_before)
    return Incidence(days, n_at_risk, p_open, p, se, ends)


def _days(duration: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct durations and the position of each row among them; whole days need no sort."""
    if len(duration) and duration.dtype.kind in "iu" and duration.max() < 1_000_000:
        return np.arange(int(duration.max()) + 1), duration.astype(np.intp, copy=False)
    return np.unique(duration, return_inverse=True)


def _entered_before(entry: np.ndarray | None, days: np.ndarray, n: float, weight: np.ndarray | None) -> np.ndarray:
    """Rows that had come under observation before each day (entry 0 includes day 0)."""
    if entry is None:
        return np.full(len(days), n)
    at_start = np.where(entry == 0, -1, entry)
    order = np.argsort(at_start, kind="stable")
    total = np.cumsum(np.ones(len(entry)) if weight is None else weight[order])
    position = np.searchsorted(at_start[order], days, side="left")
    return np.concatenate([[0.0], total])[position]


def product_integral(events: np.ndarray, n_at_risk: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Incidence of each end, open probability after and just before each day, from counts (..., n_days, n_ends)."""
    at_risk = np.where(n_at_risk > 0, n_at_risk, 1)  # weights may leave less than one row at risk
    p_open = np.cumprod(np.maximum(1 - events.sum(axis=-1) / at_risk, 0), axis=-1)
    p_before = np.concatenate([np.ones_like(p_open[..., :1]), p_open[..., :-1]], axis=-1)
    return np.cumsum(p_before[..., None] * events / at_risk[..., None], axis=-2), p_open, p_before


def loglog_interval(p: Any, se: Any, *, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Complementary log-log interval of a probability; it stays within 0 and 1."""
    p, se = np.asarray(p, float), np.asarray(se, float)
    z = ndtri(0.5 + confidence / 2)
    inside = (p > 0) & (p < 1)
    safe = np.where(inside, p, 0.5)
    log_rest = np.log1p(-safe)
    spread = np.minimum(z * se / ((1 - safe) * -log_rest), 700.0)  # exp stays finite
    lower = -np.expm1(log_rest * np.exp(-spread))
    upper = -np.expm1(log_rest * np.exp(spread))
    return np.where(inside, lower, p), np.where(inside, upper, p)
