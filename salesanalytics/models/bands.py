"""Bands of draws, and scores of distributions and bands: CRPS, interval score, coverage; plain functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaincinv

from salesanalytics.errors import SchemaError
from salesanalytics.models.metrics import between_0_and_1, numbers, one_per_row

HARDLY_ANY = 0.01  # share of the draws on an end below which leaving it out changes nothing


def central_band(draws: Any, level: float) -> tuple[float, float]:
    """Ends of the band in the middle of the draws that holds ``level`` of them; the ends belong to it.

    From one quantile to the other. Where many draws are equal (numbers of deals, nothing signed) more than that lies
    there: a band from 0 to 4 holds 95 % of a Poisson distribution of mean 2, not 80 %. So an end is left out, or both
    are, as long as the rest still holds at least ``level``: 1 to 4. An end that holds as much by itself is the band:
    where nothing is signed in 85 % of the draws, that is 0 deals and an amount of 0.

    Parameters
    ----------
    draws : array, shape (n_draws,)
    level : float
        Such as 0.8.

    Raises
    ------
    SchemaError
        There is no draw, one is missing, or level is not within 0..1.

    References
    ----------
    Casella & Berger (2002), Statistical Inference, 2nd ed., 9.3 (the smallest set of a probability).
    """
    (x,) = one_per_row(draws=draws)
    between_0_and_1(level, "level")
    levels = [0.5 - level / 2, 0.5 + level / 2]
    low, high = np.quantile(x, levels, method="inverted_cdf")
    if max((x == low).mean(), (x == high).mean()) < HARDLY_ANY:
        low, high = np.quantile(x, levels)
        return float(low), float(high)
    above, below = x[x > low].min(initial=np.inf), x[x < high].max(initial=-np.inf)
    ends = [(low, high), (above, high), (low, below), (above, below), (low, low), (high, high)]
    held = np.array([((x >= a) & (x <= b)).mean() for a, b in ends])
    least = np.where(held >= level, held, np.inf).argmin()
    return float(ends[least][0]), float(ends[least][1])


def band_columns(draws: Any) -> dict[str, float]:
    """Ends of the 80 % band (``q10``, ``q90``) and of the 50 % band (``q25``, ``q75``), and the median (``q50``).

    Parameters and errors as in `central_band`.
    """
    (q10, q90), (q25, q75) = (central_band(draws, level) for level in (0.8, 0.5))
    return {"q10": q10, "q25": q25, "q50": float(np.median(draws)), "q75": q75, "q90": q90}


def crps(draws: Any, actual: Any) -> np.ndarray:
    """Continuous ranked probability score of an ensemble, in the unit of the forecast quantity.

    The ensemble is taken as the distribution itself: E|X - y| - E|X - X'| / 2 with X, X' from the draws, computed
    from the sorted draws as 2/m^2 sum_i (x_(i) - y) (m 1{y < x_(i)} - i + 1/2). With one draw it is the absolute
    error.

    Parameters
    ----------
    draws : array, shape (..., n_draws)
    actual : array, shape (...)
        One number for a single forecast.

    Returns
    -------
    ndarray, shape of ``actual``

    Raises
    ------
    SchemaError
        Shapes do not fit, there is no draw, or a value is missing.

    References
    ----------
    Gneiting & Raftery (2007), JASA 102, 359-378; Laio & Tamea (2007), Hydrol. Earth Syst. Sci. 11, 1267-1277.
    """
    x, y = numbers(draws, "draws"), numbers(actual, "actual")
    if x.ndim < 1 or x.shape[:-1] != y.shape or not x.shape[-1]:
        raise SchemaError(f"draws must have the shape of actual and one more axis: {x.shape} and {y.shape}.")
    x = np.sort(x, axis=-1)
    m = x.shape[-1]
    distance = x - y[..., None]
    return 2 / m**2 * (distance * (m * (distance > 0) - np.arange(m) - 0.5)).sum(axis=-1)


def interval_score(lower: Any, upper: Any, actual: Any, *, level: float) -> np.ndarray:
    """Width of an interval plus 2 / (1 - level) times the distance by which it missed, per observation.

    Parameters
    ----------
    lower, upper, actual : array, shape (n,)
    level : float
        Share that the interval claims to cover (0.8 for a band from q10 to q90).

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    SchemaError
        Shapes differ, a lower end lies above its upper end, a value is missing, or level is not within 0..1.

    References
    ----------
    Winkler (1972), JASA 67, 187-191; Gneiting & Raftery (2007), JASA 102, 359-378.
    """
    low, high, y = _checked(lower, upper, actual)
    between_0_and_1(level, "level")
    missed = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    return high - low + 2 / (1 - level) * missed


@dataclass(frozen=True)
class Coverage:
    """How often bands held what happened: ``k`` of ``n``, the share, and its interval at ``confidence``."""

    k: int
    n: int
    share: float
    lower: float
    upper: float
    confidence: float


def coverage(lower: Any, upper: Any, actual: Any, *, confidence: float = 0.9) -> Coverage:
    """Bands that held what happened, ends included: k of n with its Jeffreys interval.

    Parameters
    ----------
    lower, upper, actual : array, shape (n,)
    confidence : float
        Of the interval of the share, not of the bands.

    Raises
    ------
    SchemaError
        Shapes differ, there is no row, a lower end lies above its upper end, or a value is missing.

    References
    ----------
    Brown, Cai & DasGupta (2001), Statistical Science 16, 101-133.
    """
    low, high, y = _checked(lower, upper, actual)
    between_0_and_1(confidence, "confidence")
    k, n = int(((low <= y) & (y <= high)).sum()), len(y)
    share_lower, share_upper = jeffreys(k, n, confidence=confidence)
    return Coverage(k, n, k / n, float(share_lower), float(share_upper), confidence)


def jeffreys(k: Any, n: Any, *, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Jeffreys interval of a share k of n; its end is 0 where k is 0, and 1 where k is n."""
    k, n = np.asarray(k, float), np.asarray(n, float)
    tail = (1 - confidence) / 2
    lower = np.where(k > 0, betaincinv(k + 0.5, n - k + 0.5, tail), 0.0)
    return lower, np.where(k < n, betaincinv(k + 0.5, n - k + 0.5, 1 - tail), 1.0)


def _checked(lower: Any, upper: Any, actual: Any) -> list[np.ndarray]:
    """Ends of intervals and what happened as float arrays, or a SchemaError that says what is wrong."""
    low, high, y = one_per_row(lower=lower, upper=upper, actual=actual)
    crossed = np.flatnonzero(low > high)
    if len(crossed):
        raise SchemaError(f"lower must be <= upper: {len(crossed)} are not, first at {crossed[:3].tolist()}.")
    return [low, high, y]
