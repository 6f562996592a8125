"""How many wins chance allows: sums of unequal chances, mixed over what a rep may add."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

HALVINGS = 40
NEGLIGIBLE = 1e-7


@dataclass(frozen=True)
class Mixture:
    """Distribution of the wins of each rep: weights (n_reps, n_parts), and the binomial of each part."""

    weight: np.ndarray
    trials: np.ndarray
    chance: np.ndarray


def wins_by_chance(weight: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> Mixture:
    """A mixture of binomials with these means and variances; parts that no rep takes are left out.

    A sum of unequal chances has a smaller variance than a binomial of as many trials; the binomial with its mean and
    variance (the trials need not be whole) is closer than a normal curve, above all where wins are few.

    References
    ----------
    Ehm (1991), Statistics & Probability Letters 11, 7-16 (binomial approximation of such sums).
    """
    used = (weight > NEGLIGIBLE).any(axis=0)
    m, v = mean[:, used], variance[:, used]
    return Mixture(weight[:, used], m**2 / (m - v), (m - v) / m)


def mid_p(mixture: Mixture, wins: np.ndarray) -> np.ndarray:
    """Chance of fewer wins, plus half the chance of exactly as many; ``wins`` may lie between whole numbers."""
    both = (_at_most(mixture, wins) + _at_most(mixture, wins - 1)) / 2
    return (mixture.weight * both).sum(axis=1) / mixture.weight.sum(axis=1)


def limits(mixture: Mixture, n: np.ndarray, *, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Wins below which, and above which, `mid_p` leaves ``tail``, by bisection; from -1 (nothing is too few)."""
    found = []
    for level in (tail, 1 - tail):
        low, high = np.full(len(n), -1.0), n + 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            under = mid_p(mixture, middle) < level
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        found.append((low + high) / 2)
    return found[0], found[1]


def _at_most(mixture: Mixture, wins: np.ndarray) -> np.ndarray:
    k = np.broadcast_to(wins[:, None], mixture.trials.shape)
    inside = (k > -1) & (k < mixture.trials)
    at = np.where(inside, k, 0.0)
    rest = np.where(inside, mixture.trials - at, 1.0)
    return np.where(inside, betainc(rest, at + 1, 1 - mixture.chance), (k >= mixture.trials).astype(float))
