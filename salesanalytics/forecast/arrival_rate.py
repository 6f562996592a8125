"""How many deals are created a day, by quarter, past and to come: level, damped trend, season, chance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from salesanalytics.timeline.calendar import quarter_number

PAST, AHEAD = 20, 8  # quarters
LEVEL_VARIANCE = 4.0  # of the logarithm of the level, beforehand: nearly nothing is known of it
TREND_KEPT = 0.85  # from one quarter to the next
# Spreads that the logarithm of the rate may have, and how likely each is beforehand: steps of the level from one
# quarter to the next; the trend; the season; what is of one quarter alone. Chosen on drawn series (steady, growing,
# shrinking, seasonal, wandering), looked at once on the planning book's.
STEP = ((0.05, 0.6), (0.12, 0.3), (0.4, 0.1))
TREND = ((0.0, 0.75), (0.08, 0.25))
SEASON = ((0.0, 0.65), (0.25, 0.35))
ALONE = ((0.0, 0.5), (0.15, 0.35), (0.35, 0.15))
NEWTON_STEPS, TINY = 10, 1e-9


@dataclass(frozen=True)
class ArrivalRate:
    """Deals created a day in each of some quarters of the fiscal year, one after the other.

    Attributes
    ----------
    first : int
        The first of the quarters, counted from 1970.
    start_month : int
        First month of the fiscal year.
    per_day : ndarray (n_quarters,)
    spread : ndarray (n_quarters, n_quarters)
        Relative covariance: how unsure the rates are, and by how much quarters differ by chance.
    """

    first: int
    start_month: int
    per_day: np.ndarray
    spread: np.ndarray

    def on(self, days: np.ndarray) -> np.ndarray:
        """Deals created on each of the days, in the mean."""
        return self.per_day[self._place(days)]

    def relative_variance(self, days: np.ndarray, weight: np.ndarray) -> float:
        """Variance of the sum of rate x weight over the days, relative to its square; 0 where nothing is expected."""
        share = np.bincount(self._place(days), weight * self.on(days), minlength=len(self.per_day))
        return float(share @ self.spread @ share / share.sum() ** 2) if share.sum() else 0.0

    def _place(self, days: np.ndarray) -> np.ndarray:
        """Position of the quarter; what lies beyond the last is like the last quarter of its season."""
        place = quarter_number(days, self.start_month) - self.first
        beyond = np.maximum(place - len(self.per_day) + 4, 0) // 4 * 4
        return np.asarray(np.maximum(place - beyond, 0))


def fit_arrival_rate(created: np.ndarray, recorded: np.ndarray, *, first: int, start_month: int) -> ArrivalRate:
    """Rate of creation over the last five years and the two ahead.

    The logarithm of the rate is a level that moves in small steps, a trend that fades, a season and what is of one
    quarter alone; how large each is is averaged over what the counts make likely (a Gaussian process with Poisson
    counts, Laplace's approximation). Of a short or sparse past little is taken for a trend or a season.

    Parameters
    ----------
    created : ndarray of int
        Day of creation of each deal that is recorded, none before ``first``.
    recorded : ndarray (n_days,)
        Share of the deals created on each day from ``first`` to the date that is recorded by then.
    first : int
        The first day on which the book would have seen a deal created.
    start_month : int
        Of the fiscal year.

    References
    ----------
    Gardner & McKenzie (1985), Management Science 31, 1237-1246 (damped trend); Rasmussen & Williams (2006), Gaussian
    Processes for Machine Learning, section 3.4 (Laplace).
    """
    days = first + np.arange(len(recorded))
    quarter = quarter_number(days, start_month)
    now, begin = int(quarter[-1]), max(int(quarter[0]), int(quarter[-1]) - PAST + 1)
    n_past = now - begin + 1
    place, born = quarter - begin, quarter_number(created, start_month) - begin
    exposure = np.bincount(place[place >= 0], recorded[place >= 0], minlength=n_past)
    count = np.bincount(born[born >= 0], minlength=n_past).astype(float)
    n = n_past + AHEAD
    if not count.sum():
        return ArrivalRate(begin, start_month, np.zeros(n), np.zeros((n, n)))
    mean, covariance, likely = _posterior(count, exposure, _kernels(n))
    rate = np.exp(mean)
    per_day = likely @ rate
    second = np.einsum("g,gi,gj,gij->ij", likely, rate, rate, np.exp(covariance))
    return ArrivalRate(begin, start_month, per_day, second / np.outer(per_day, per_day) - 1)


def _kernels(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of the logarithms of n quarters' rates under every combination of spreads, and how likely it is."""
    step, trend, season, alone = np.array([[x for x, _ in one] for one in product(STEP, TREND, SEASON, ALONE)]).T
    before = np.array([np.prod([p for _, p in one]) for one in product(STEP, TREND, SEASON, ALONE)])
    apart, summed, same = np.abs(np.subtract.outer(np.arange(n), np.arange(n))), np.tri(n), np.eye(n)
    drift = summed @ (TREND_KEPT**apart) @ summed.T
    parts = (summed @ summed.T, drift, (apart % 4 == 0).astype(float), same)
    spreads = np.stack([step, trend, season, alone]) ** 2
    return LEVEL_VARIANCE + np.einsum("pg,pij->gij", spreads, np.stack(parts)), before


def _posterior(
    count: np.ndarray, exposure: np.ndarray, kernels: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and covariance of the logarithms of all quarters' rates by combination, and how likely each is now."""
    covariance, before = kernels
    n, identity = len(count), np.eye(len(count))
    level = np.log(count.sum() / exposure.sum())
    past, across = covariance[:, :n, :n], covariance[:, :n, :]
    eta = level + np.log((count + 1) / (exposure * np.exp(level) + 1)) * np.ones((len(before), 1))
    for _ in range(NEWTON_STEPS):
        expected = np.maximum(exposure * np.exp(eta), TINY)
        working = eta - level + (count - expected) / expected
        told = np.linalg.solve(past + identity / expected[:, None, :], working[..., None])
        eta = level + (past @ told)[..., 0]
    away = eta - level
    root = np.sqrt(expected)
    logdet = np.linalg.slogdet(identity + root[:, :, None] * past * root[:, None, :])[1]
    fit = (count * np.log(expected) - expected).sum(axis=1) - 0.5 * ((away * told[..., 0]).sum(axis=1) + logdet)
    likely = before * np.exp(fit - fit.max())
    weighed = np.linalg.solve(past + identity / expected[:, None, :], across)
    mean = level + np.einsum("gnN,gn->gN", weighed, working)
    return mean, covariance - np.einsum("gnN,gnM->gNM", across, weighed), likely / likely.sum()
