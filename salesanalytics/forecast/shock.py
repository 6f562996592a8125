"""The common shock: a quarter is good or bad for all deals at once, and how much so is estimated, not assumed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from salesanalytics.models import StageTable
from salesanalytics.models.stage_rates import WON

GRID = np.linspace(0.0, 1.5, 61)
PRIOR_SPREAD = 0.3
STEP_DAYS = 84
N_ORIGINS = 12


@dataclass(frozen=True)
class Shock:
    """Posterior of the spread of the common shock on the logit scale.

    Attributes
    ----------
    weight : ndarray
        Posterior weight of each spread in ``GRID``.
    shifts : ndarray (n_origins,)
        Shift of all chances that would have made each past forecast right.
    """

    weight: np.ndarray
    shifts: np.ndarray

    @property
    def spread(self) -> float:
        """Posterior mean of the spread."""
        return float(self.weight @ GRID)

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Shifts of n quarters: the spread is drawn from its posterior, then the shift, centred on 0."""
        spread = rng.choice(GRID, size=n, p=self.weight)
        shift = spread * rng.standard_normal(n)
        return shift - shift.mean()


def fit_shock(table: StageTable, *, horizon_days: int) -> Shock:
    """Estimate the spread from what past forecasts of the same reach missed.

    At up to 12 past origins (84 days apart, their horizon over by now) the table as it was then forecasts the deals
    that stood open; the shift of all their chances that would have hit the number signed, and its sampling variance,
    give a likelihood of the spread. Half-normal prior with scale 0.3.

    References
    ----------
    Berkson & Gart style logit shift; integration over the between-origin spread as in Higgins, Thompson &
    Spiegelhalter (2009), J. R. Stat. Soc. A 172, 137-159.
    """
    rows = table.rows_
    if not len(rows):
        return Shock(_posterior(np.zeros(0), np.zeros(0)), np.zeros(0))
    last = int(rows["landmark_day"].max()) + 28
    first_day = int(rows["landmark_day"].min())
    shifts, variances = [], []
    for step in range(N_ORIGINS):
        origin = last - 28 * int(np.ceil(horizon_days / 28)) - STEP_DAYS * step
        if origin - first_day < 365:
            break
        asked = rows[rows["landmark_day"] == origin]
        if len(asked) < 10:
            continue
        p, _, _ = table.as_at(origin).predict(asked, horizon_days=[horizon_days])
        signed = (asked["code"] == WON) & (asked["duration_days"] <= horizon_days)
        shift, variance = _shift(np.clip(p[:, 0], 1e-6, 1 - 1e-6), int(signed.sum()))
        shifts.append(shift)
        variances.append(variance)
    return Shock(_posterior(np.array(shifts), np.array(variances)), np.array(shifts))


def _shift(p: np.ndarray, n_signed: int) -> tuple[float, float]:
    """Logit shift that makes the expected number equal the signed one (half a deal of caution), and its variance."""
    location, shift = logit(p), 0.0
    target = min(max(n_signed, 0.5), len(p) - 0.5)
    for _ in range(25):
        chance = expit(location + shift)
        information = float((chance * (1 - chance)).sum())
        shift += float(np.clip((target - chance.sum()) / max(information, 1e-9), -1, 1))
    chance = expit(location + shift)
    return shift, 1 / max(float((chance * (1 - chance)).sum()), 1e-9)


def _posterior(shifts: np.ndarray, variances: np.ndarray) -> np.ndarray:
    log_weight = norm.logpdf(GRID, scale=PRIOR_SPREAD)
    if len(shifts):
        log_weight = log_weight + norm.logpdf(
            shifts[:, None], scale=np.sqrt(GRID[None, :] ** 2 + variances[:, None])
        ).sum(axis=0)
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()
