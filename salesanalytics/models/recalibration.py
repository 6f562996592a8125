"""Recalibration: two shrunk parameters for each step of the hazards, learned from predictions of past dates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from salesanalytics.models.past import Past
from salesanalytics.models.supermodel import Bins
from salesanalytics.models.times import SHOCK_VARIANCE
from salesanalytics.timeline.calendar import quarter_number

LEVEL_SD, SLOPE_SD = 0.1, 0.03  # a past date had less to learn from than today: its slope errs low
QUARTER_SD = 1.0  # of the level of one quarter: keeps one without an event finite
LEAST_SPREAD = SHOCK_VARIANCE**0.5


@dataclass(frozen=True)
class Recalibration:
    """log odds -> log odds + level + (slope - 1) x (log odds a day - centre), for both steps.

    Attributes
    ----------
    level, slope, centre, level_se : ndarray (2,)
        For "won" and "ended otherwise"; 0 and 1 where the past has nothing to say.
    spread : ndarray (2,)
        How much the level moved from one past quarter to the next beyond chance (standard deviation).
    """

    level: np.ndarray
    slope: np.ndarray
    centre: np.ndarray
    level_se: np.ndarray
    spread: np.ndarray

    def apply(self, log_odds: np.ndarray, bins: Bins) -> np.ndarray:
        """Recalibrated log odds, (n_bins, 2)."""
        a_day = log_odds - np.log(bins.end - bins.start)[:, None]
        return np.asarray(log_odds + self.level + (self.slope - 1) * (a_day - self.centre))


NO_RECALIBRATION = Recalibration(np.zeros(2), np.ones(2), np.zeros(2), np.full(2, LEVEL_SD), np.zeros(2))


def recalibration_of(past: Past | None, rung: str, *, fiscal_year_start: int) -> Recalibration:
    """That of a rung, or of boosting alone, from what it said at past dates itself; none where it said nothing."""
    told = past.log_odds if past is not None else {}
    if rung == "boosting" and "blend" in told:
        told = {rung: 2 * told["blend"] - told["logistic"]}  # the blend is the mean of the two
    if past is None or rung not in told:
        return NO_RECALIBRATION
    weight = past.rows["deal_id"].nunique() / len(past.rows)
    quarter = quarter_number(past.rows["origin_day"].to_numpy()[past.bins.row] + 1, fiscal_year_start)
    return fit_recalibration(told[rung], past.bins, past.happened, quarter, weight=weight)


def fit_recalibration(
    log_odds: np.ndarray, bins: Bins, happened: np.ndarray, quarter: np.ndarray, *, weight: float
) -> Recalibration:
    """Level and slope by penalised maximum likelihood, priors N(0, .1) and N(1, .03).

    Times are good or bad for all deals at once, so the level of one past quarter says little about the next: the levels
    of the quarters are a random sample, and their mean is known only as well as their spread (at least that of a usual
    shock) allows.

    Parameters
    ----------
    log_odds : ndarray (n_bins, 2)
        As predicted at past dates.
    happened : ndarray (n_bins,)
        1 won, 0 ended otherwise, -1 nothing.
    quarter : ndarray (n_bins,)
        The quarter that begins or runs after the past date of the prediction.
    weight : float
        Weight of a row: a deal stands on several past dates.

    References
    ----------
    Cox (1958), Biometrika 45, 562-565 (level and slope of a prediction); DerSimonian & Laird (1986), Controlled
    Clinical Trials 7, 177-188 (spread of the levels).
    """
    found = []
    for step, end in enumerate((1, 0)):
        rows = np.flatnonzero((happened != 1) | (end == 1))
        a_day = log_odds[rows, step] - np.log(bins.end - bins.start)[rows]
        found.append(_one_step(log_odds[rows, step], a_day, happened[rows] == end, quarter[rows], weight))
    return Recalibration(*(np.array(x) for x in zip(*found, strict=True)))


def _one_step(
    eta: np.ndarray, a_day: np.ndarray, happened: np.ndarray, quarter: np.ndarray, weight: float
) -> tuple[float, float, float, float, float]:
    if not len(eta):
        return 0.0, 1.0, 0.0, LEVEL_SD, 0.0
    p = expit(eta)
    centre = float((a_day * p).sum() / p.sum())  # where the events are expected
    quarters, which = np.unique(quarter, return_inverse=True)
    design = np.column_stack([which[:, None] == np.arange(len(quarters)), a_day - centre]).astype(float)
    prior = np.r_[np.full(len(quarters), QUARTER_SD**-2), SLOPE_SD**-2]
    beta = np.zeros(len(prior))  # level of each quarter, slope - 1
    for _ in range(25):
        p = expit(eta + design @ beta)
        gradient = weight * (design.T @ (happened - p)) - prior * beta
        curvature = weight * (design * (p * (1 - p))[:, None]).T @ design + np.diag(prior)
        step = np.linalg.solve(curvature, gradient)
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    variance = np.diag(np.linalg.inv(curvature))[:-1]
    spread = _spread(beta[:-1], variance)
    known = 1 / (variance + max(spread, LEAST_SPREAD) ** 2)
    total = known.sum() + LEVEL_SD**-2
    return float((known * beta[:-1]).sum() / total), float(1 + beta[-1]), centre, float(total**-0.5), spread


def _spread(level: np.ndarray, variance: np.ndarray) -> float:
    """Standard deviation between quarters, by moments."""
    if len(level) < 2:
        return 0.0
    known = 1 / variance
    mean = (known * level).sum() / known.sum()
    excess = (known * (level - mean) ** 2).sum() - (len(level) - 1)
    scale = known.sum() - (known**2).sum() / known.sum()
    return float(np.sqrt(max(excess / scale, 0.0)))
