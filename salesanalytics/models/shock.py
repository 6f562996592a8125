"""What past forecasts missed: the common shock that makes a quarter good or bad for all deals at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import cauchy, norm

SHOCK_PRIOR = 0.25
SHOCK_GRID = np.linspace(0.0, 1.5, 61)


@dataclass(frozen=True)
class Shock:
    """Posterior of the spread of the common shock: a quarter is good or bad for all deals at once.

    Attributes
    ----------
    weight : ndarray
        Posterior weight of each spread in ``SHOCK_GRID`` (logit scale).
    shifts : ndarray (n_origins,)
        Shift of all chances that would have made each past forecast right.
    """

    weight: np.ndarray
    shifts: np.ndarray

    @property
    def spread(self) -> float:
        """Posterior mean of the spread."""
        return self.widened(0.0)

    def widened(self, more: float) -> float:
        """Mean spread where another shock of that spread, independent of this one, comes on top."""
        return float(self.weight @ np.hypot(SHOCK_GRID, more))

    def draw(self, rng: np.random.Generator, n: int, *, more: float = 0.0) -> np.ndarray:
        """Shifts of n quarters: the spread is drawn from its posterior, then the shift, centred on 0; see `widened`."""
        shift = np.hypot(rng.choice(SHOCK_GRID, size=n, p=self.weight), more) * rng.standard_normal(n)
        return np.asarray(shift - shift.mean())


def fit_shock(past: pd.DataFrame) -> Shock:
    """Spread of the common shock from what past forecasts missed.

    At every past landmark the shift of all chances that would have hit the number signed, and its sampling variance,
    give a likelihood of the spread, which is integrated over; half-Cauchy prior with scale 0.25, cut at 1.5: most of it
    near 0, and a tail that gives way to past quarters that say otherwise.

    Parameters
    ----------
    past : DataFrame
        ``origin_day``, ``p`` (above 0 and below 1), ``signed`` (0/1): see `Past.within`.

    References
    ----------
    Higgins, Thompson & Spiegelhalter (2009), J. R. Stat. Soc. A 172, 137-159 (between-study spread); Gelman (2006),
    Bayesian Analysis 1, 515-534 (the prior).
    """
    found = [_shift(part["p"].to_numpy(), float(part["signed"].sum())) for _, part in past.groupby("origin_day")]
    shifts, variances = np.array([f[0] for f in found]), np.array([f[1] for f in found])
    log_weight = cauchy.logpdf(SHOCK_GRID, scale=SHOCK_PRIOR)
    if len(found):
        scale = np.sqrt(SHOCK_GRID[None, :] ** 2 + variances[:, None])
        log_weight = log_weight + norm.logpdf(shifts[:, None], scale=scale).sum(axis=0)
    weight = np.exp(log_weight - log_weight.max())
    return Shock(weight / weight.sum(), shifts)


def _shift(p: np.ndarray, n_signed: float) -> tuple[float, float]:
    """Logit shift that makes the expected number equal the signed one (half a deal of caution), and its variance."""
    location = logit(p)
    shift = _level(location, min(max(n_signed, 0.5), len(p) - 0.5))
    chance = expit(location + shift)
    return shift, 1 / max(float((chance * (1 - chance)).sum()), 1e-9)


def _level(location: np.ndarray, target: float) -> float:
    """Shift of the log odds that makes the chances sum to a number."""
    level = 0.0
    for _ in range(30):
        chance = expit(location + level)
        information = max(float((chance * (1 - chance)).sum()), 1e-9)
        level += float(np.clip((target - chance.sum()) / information, -1, 1))
    return level
