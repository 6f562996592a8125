"""What the stage table would have said at past dates, and what it then missed: the effect of size, the common shock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm

from salesanalytics.book import DealBook
from salesanalytics.models.stage_rates import WON
from salesanalytics.models.stage_table import EVERY_DAYS, StageTable, seen_until
from salesanalytics.timeline import amounts

STEP_DAYS = 84
N_ORIGINS = 12
FIRST_YEAR = 365
SIZE_QUANTILES = (0.2, 0.4, 0.6, 0.8, 0.95)
SIZE_PRIOR = 0.5
MIN_SIGNED = 20
SHIFT_PRIOR = 1.0
SHOCK_PRIOR = 0.3
SHOCK_GRID = np.linspace(0.0, 1.5, 61)


def past_forecasts(book: DealBook, table: StageTable, *, horizon_days: int) -> pd.DataFrame:
    """Chances that the table, as it was at up to 12 past landmarks, gave the deals open then, and what became of them.

    The landmarks lie 84 days apart and have their horizon behind them, and recorded; the first year of the book is
    left to learn.

    Returns
    -------
    DataFrame, one row a past landmark and open deal
        ``origin_day``, ``deal_id``, ``p`` (of signing within ``horizon_days``), ``signed`` (0/1), ``amount`` (known
        then, NaN where none).
    """
    rows = table.rows_
    columns = ["origin_day", "deal_id", "p", "signed", "amount"]
    if not len(rows):
        return pd.DataFrame(columns=columns)
    last = seen_until(rows) - EVERY_DAYS * int(np.ceil(horizon_days / EVERY_DAYS))
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
    return found.merge(known, on=["origin_day", "deal_id"], how="left")[columns]


@dataclass(frozen=True)
class SizeEffect:
    """How the chance of signing in a period moves with the amount.

    Attributes
    ----------
    edges : ndarray
        Amounts that part the size classes.
    log_odds : ndarray
        What each class adds to the log odds; empty where the past does not show that size matters.
    """

    edges: np.ndarray
    log_odds: np.ndarray

    @property
    def is_used(self) -> bool:
        """Whether size moves any chance."""
        return len(self.log_odds) > 0

    def of(self, amount: np.ndarray) -> np.ndarray:
        """What each deal's size adds to its log odds; 0 where its amount is unknown."""
        if not self.is_used:
            return np.zeros(len(amount))
        added = self.log_odds[np.searchsorted(self.edges, np.nan_to_num(amount), side="right")]
        return np.where(amount > 0, added, 0.0)

    def apply(self, p: np.ndarray, amount: np.ndarray) -> np.ndarray:
        """Chances (n_deals, n_horizons) moved by size; their sum at the last horizon stays what it was."""
        if not self.is_used or not len(p):
            return p
        moved = self.of(amount)
        location = logit(np.clip(p, 1e-9, 1 - 1e-9))
        level = _level(location[:, -1] + moved, float(p[:, -1].sum()))
        return np.where(p > 0, expit(location + moved[:, None] + level), 0.0)


def _level(location: np.ndarray, target: float) -> float:
    """Shift of the log odds that makes the chances sum to a number."""
    level = 0.0
    for _ in range(30):
        chance = expit(location + level)
        information = max(float((chance * (1 - chance)).sum()), 1e-9)
        level += float(np.clip((target - chance.sum()) / information, -1, 1))
    return level


def fit_size_effect(past: pd.DataFrame) -> SizeEffect:
    """Log odds added by size class over past forecasts, with a free level at each landmark.

    Classes are cut at the 20, 40, 60, 80 and 95 % quantiles of the amounts. Penalised maximum likelihood with the
    chances of the stage table as offset (normal priors: class effects sd 0.5, levels sd 1). The effect is used only if
    one made from the older two thirds of the landmarks improves the log loss on the newest third.
    """
    nothing = SizeEffect(np.zeros(0), np.zeros(0))
    known = past[past["amount"] > 0]
    if known["signed"].sum() < MIN_SIGNED or known["origin_day"].nunique() < 3:
        return nothing
    origins = np.sort(known["origin_day"].unique())
    cut = origins[int(np.ceil(len(origins) * 2 / 3)) - 1]
    older, newer = known[known["origin_day"] <= cut], known[known["origin_day"] > cut]
    trial = _class_effects(older)
    if _log_loss(newer, trial) >= _log_loss(newer, nothing):
        return nothing
    return _class_effects(known)


def _class_effects(past: pd.DataFrame) -> SizeEffect:
    edges = np.unique(np.quantile(past["amount"], SIZE_QUANTILES))
    size = np.searchsorted(edges, past["amount"], side="right")
    origin, _ = pd.factorize(past["origin_day"])
    n_levels, n_sizes = origin.max() + 1, len(edges) + 1
    design = np.zeros((len(past), n_levels + n_sizes))
    design[np.arange(len(past)), origin] = 1.0
    design[np.arange(len(past)), n_levels + size] = 1.0
    penalty = np.r_[np.full(n_levels, SHIFT_PRIOR**-2), np.full(n_sizes, SIZE_PRIOR**-2)]
    offset, signed = logit(past["p"].to_numpy(dtype=float)), past["signed"].to_numpy(dtype=float)
    beta = np.zeros(design.shape[1])
    for _ in range(30):
        chance = expit(offset + design @ beta)
        slope = design.T @ (signed - chance) - penalty * beta
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    return SizeEffect(edges, beta[n_levels:])


def _log_loss(past: pd.DataFrame, size: SizeEffect) -> float:
    """Mean log loss at the landmarks of ``past`` once the level of each is set by what the stage table expected."""
    losses = []
    for _, part in past.groupby("origin_day"):
        p = size.apply(part[["p"]].to_numpy(dtype=float), part["amount"].to_numpy(dtype=float))[:, 0]
        losses.append(-np.where(part["signed"] > 0, np.log(p), np.log1p(-p)))
    return float(np.concatenate(losses).mean())


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
    location = logit(p)
    shift = _level(location, min(max(n_signed, 0.5), len(p) - 0.5))
    chance = expit(location + shift)
    return shift, 1 / max(float((chance * (1 - chance)).sum()), 1e-9)
