"""What the stage table would have said at past dates, and what it then missed: the effect of size, the common shock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm

from salesanalytics.book import DealBook
from salesanalytics.models.stage_rates import WON
from salesanalytics.models.stage_table import StageTable
from salesanalytics.timeline import amounts

STEP_DAYS = 84
N_ORIGINS = 12
FIRST_YEAR = 365
SLOPE_PRIOR = 0.5
SHIFT_PRIOR = 1.0
SHOCK_PRIOR = 0.3
SHOCK_GRID = np.linspace(0.0, 1.5, 61)


def past_forecasts(book: DealBook, table: StageTable, *, horizon_days: int) -> pd.DataFrame:
    """Chances that the table, as it was at up to 12 past landmarks, gave the deals open then, and what became of them.

    The landmarks lie 84 days apart and have their horizon behind them; the first year of the book is left to learn.

    Returns
    -------
    DataFrame, one row a past landmark and open deal
        ``origin_day``, ``deal_id``, ``p`` (of signing within ``horizon_days``), ``signed`` (0/1), ``size`` (log amount
        known then, less its mean over the deals open then; 0 where unknown).
    """
    rows = table.rows_
    columns = ["origin_day", "deal_id", "p", "signed", "size"]
    if not len(rows):
        return pd.DataFrame(columns=columns)
    last = int(rows["landmark_day"].max()) + 28 - 28 * int(np.ceil(horizon_days / 28))
    first = int(rows["landmark_day"].min()) + FIRST_YEAR
    origins = [last - STEP_DAYS * step for step in range(N_ORIGINS) if last - STEP_DAYS * step >= first]
    asked = rows[rows["landmark_day"].isin(origins)]
    parts = []
    for origin, part in asked.groupby("landmark_day"):
        p, _, _ = table.as_at(int(origin)).predict(part, horizon_days=[horizon_days])
        parts.append(part.assign(p=np.clip(p[:, 0], 1e-6, 1 - 1e-6)))
    if not parts:
        return pd.DataFrame(columns=columns)
    found = pd.concat(parts).rename(columns={"landmark_day": "origin_day"})
    found["signed"] = ((found["code"] == WON) & (found["duration_days"] <= horizon_days)).astype(float)
    known = amounts(book, sorted(set(found["origin_day"]))).rename(columns={"as_of_day": "origin_day"})
    found = found.merge(known, on=["origin_day", "deal_id"], how="left")
    log_amount = np.log(found["amount"].where(found["amount"] > 0))
    found["size"] = (log_amount - log_amount.groupby(found["origin_day"]).transform("mean")).fillna(0.0)
    return found[columns]


@dataclass(frozen=True)
class SizeEffect:
    """How the chance of signing in a period moves with the amount.

    Attributes
    ----------
    slope : float
        Change of the log odds per unit of log amount; 0 where the past does not show one.
    error : float
        Its standard error.
    """

    slope: float
    error: float

    def apply(self, p: np.ndarray, amount: np.ndarray) -> np.ndarray:
        """Chances (n_deals, n_horizons) moved by size; their sum at the last horizon stays what it was."""
        if not self.slope or not len(p):
            return p
        log_amount = np.log(np.where(amount > 0, amount, np.nan))
        if np.isnan(log_amount).all():
            return p
        moved = self.slope * np.nan_to_num(log_amount - np.nanmean(log_amount))
        location = logit(np.clip(p, 1e-9, 1 - 1e-9))
        level = 0.0
        for _ in range(20):
            chance = expit(location[:, -1] + moved + level)
            slope = max(float((chance * (1 - chance)).sum()), 1e-12)
            level += float(np.clip((p[:, -1].sum() - chance.sum()) / slope, -1, 1))
        return np.where(p > 0, expit(location + moved[:, None] + level), 0.0)


def fit_size_effect(past: pd.DataFrame) -> SizeEffect:
    """Slope of the log odds on log amount over past forecasts, with a free level at each landmark.

    Penalised maximum likelihood (normal priors: slope sd 0.5, levels sd 1), standard error clustered by deal; used
    only if it is more than twice that.
    """
    if past["signed"].sum() < 20 or not past["size"].any():
        return SizeEffect(0.0, np.inf)
    origin, _ = pd.factorize(past["origin_day"])
    n = origin.max() + 1
    x, y, offset = (past[c].to_numpy(dtype=float) for c in ("size", "signed", "p"))
    offset = logit(offset)
    beta, level = 0.0, np.zeros(n)
    for _ in range(30):
        chance = expit(offset + level[origin] + beta * x)
        weight = chance * (1 - chance)
        diagonal = np.bincount(origin, weight, n) + SHIFT_PRIOR**-2
        cross = np.bincount(origin, weight * x, n)
        information = (weight * x * x).sum() + SLOPE_PRIOR**-2
        slope_level = np.bincount(origin, y - chance, n) - level / SHIFT_PRIOR**2
        slope_beta = ((y - chance) * x).sum() - beta / SLOPE_PRIOR**2
        schur = information - (cross**2 / diagonal).sum()
        step = (slope_beta - (cross * slope_level / diagonal).sum()) / schur
        beta += step
        level += (slope_level - cross * step) / diagonal
        if abs(step) < 1e-8:
            break
    score = (y - chance) * (x - (cross / diagonal)[origin])
    by_deal = np.bincount(pd.factorize(past["deal_id"])[0], weights=score)
    error = float(np.sqrt((by_deal**2).sum()) / schur)
    return SizeEffect(float(beta), error) if abs(beta) > 2 * error else SizeEffect(0.0, error)


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
        return float(self.weight @ SHOCK_GRID)

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Shifts of n quarters: the spread is drawn from its posterior, then the shift, centred on 0."""
        shift = rng.choice(SHOCK_GRID, size=n, p=self.weight) * rng.standard_normal(n)
        return shift - shift.mean()


def fit_shock(past: pd.DataFrame) -> Shock:
    """Spread of the common shock from what past forecasts missed.

    At every past landmark the shift of all chances that would have hit the number signed, and its sampling variance,
    give a likelihood of the spread; half-normal prior with scale 0.3, so that the spread is integrated over.

    References
    ----------
    Higgins, Thompson & Spiegelhalter (2009), J. R. Stat. Soc. A 172, 137-159 (between-study spread).
    """
    found = [_shift(part["p"].to_numpy(), float(part["signed"].sum())) for _, part in past.groupby("origin_day")]
    shifts, variances = np.array([f[0] for f in found]), np.array([f[1] for f in found])
    log_weight = norm.logpdf(SHOCK_GRID, scale=SHOCK_PRIOR)
    if len(found):
        scale = np.sqrt(SHOCK_GRID[None, :] ** 2 + variances[:, None])
        log_weight = log_weight + norm.logpdf(shifts[:, None], scale=scale).sum(axis=0)
    weight = np.exp(log_weight - log_weight.max())
    return Shock(weight / weight.sum(), shifts)


def _shift(p: np.ndarray, n_signed: float) -> tuple[float, float]:
    """Logit shift that makes the expected number equal the signed one (half a deal of caution), and its variance."""
    location, shift = logit(p), 0.0
    target = min(max(n_signed, 0.5), len(p) - 0.5)
    for _ in range(30):
        chance = expit(location + shift)
        information = max(float((chance * (1 - chance)).sum()), 1e-9)
        shift += float(np.clip((target - chance.sum()) / information, -1, 1))
    return shift, 1 / information
