"""Chance of signing within a horizon, with its interval and with what lies beyond the horizon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from salesanalytics.models.incidence import Incidence, fit_incidence, loglog_interval
from salesanalytics.models.influence import clustered_error, row_influence
from salesanalytics.models.shrinkage import NO_SPREAD, effective_n

ENDS = ["other", "won"]
WON = 1


@dataclass(frozen=True)
class HorizonRate:
    """Incidence of signing at a horizon; all NaN where no row has time at risk.

    Attributes
    ----------
    p, se, lower, upper : float
        Estimate, standard error and interval.
    p_open : float
        Still open at the horizon.
    n_at_horizon : int
        Deals watched that long.
    n_effective : float
        Plain yes/no trials that would tell as much (`effective_n`; where all or none signed: `told_trials`).
    beyond : float
        Share of all signings seen that came after the horizon.
    beyond_most : float
        The same if every deal still open when last watched were to sign: the share cannot be larger.
    """

    p: float = np.nan
    se: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    p_open: float = np.nan
    n_at_horizon: int = 0
    n_effective: float = 0.0
    beyond: float = np.nan
    beyond_most: float = np.nan


def end_codes(end: pd.Series) -> np.ndarray:
    """-1 open, 0 another end, 1 won."""
    return np.where(end.eq("open"), -1, end.eq("won").astype(int))


@dataclass(frozen=True)
class Clocks:
    """Deals on a clock, one row each, or several where a deal stood in a stage on several dates.

    Attributes
    ----------
    duration, entry : ndarray (n_rows,), days
        To the end or the last observation; from which day on the row was watched.
    code : ndarray (n_rows,)
        End (`end_codes`).
    deal : ndarray of int (n_rows,)
        Rows of one deal hang together.
    amount : ndarray (n_rows,)
        Known when the clock started; NaN where none was.
    """

    duration: np.ndarray
    entry: np.ndarray
    code: np.ndarray
    deal: np.ndarray
    amount: np.ndarray

    def take(self, rows: np.ndarray) -> Clocks:
        """Some of the rows, by position or mask."""
        return Clocks(self.duration[rows], self.entry[rows], self.code[rows], self.deal[rows], self.amount[rows])

    @property
    def watched(self) -> np.ndarray:
        """Whether a row has time at risk: an end known with or before the entry has none."""
        return (self.entry < self.duration) | (self.entry == 0)

    @property
    def n_deals(self) -> int:
        """Distinct deals."""
        return int(np.unique(self.deal).size)


def horizon_rate(clocks: Clocks, *, horizon_days: float, confidence: float, by_value: bool = False) -> HorizonRate:
    """Incidence of signing at a horizon, standard errors clustered by deal.

    Parameters
    ----------
    clocks : Clocks
        Rows without time at risk are left out.
    horizon_days, confidence : float
    by_value : bool
        Rows count by their amount, those without one are left out.
    """
    clocks = clocks.take(clocks.watched & (clocks.amount > 0) if by_value else clocks.watched)
    if not len(clocks.duration):
        return HorizonRate()
    weight = clocks.amount / clocks.amount.mean() if by_value else None
    fit, influence = fit_with_influence(clocks, horizon_days, weight=weight)
    p, p_open = signed_by(fit, horizon_days)
    se = clustered_error(influence, clocks.deal, weight=weight)
    trials = told_trials(clocks, fit, horizon_days)
    lower, upper = rate_interval(p, se * _few(clocks.n_deals, len(clocks.deal), confidence), trials, confidence)
    n_at_horizon = clocks.take(clocks.duration >= horizon_days).n_deals
    n_effective = float(effective_n(p, se, trials))
    return HorizonRate(p, se, lower, upper, p_open, n_at_horizon, n_effective, *_beyond(fit, p))


def told_trials(clocks: Clocks, fit: Incidence, horizon_days: float) -> float:
    """So many plain trials stand behind a chance of which all, or none, came.

    A deal that ended is one; one that is still open speaks against a signing for the part of the horizon for which it
    was watched, and not for it. Who came under observation after the last day of all others says nothing: the estimate
    rests on those.
    """
    gone = fit.days[fit.p_open <= NO_SPREAD]
    last, whole = min([horizon_days, *gone[:1]]), max(horizon_days, 1)
    ended = (clocks.code >= 0) & (clocks.duration <= last)
    told = np.where(ended, 1 - clocks.entry / whole, 0.0)
    if signed_by(fit, horizon_days)[0] < 0.5:
        open_for = (np.minimum(clocks.duration, last) - clocks.entry) / whole
        told = np.where(ended, told, open_for)
    told = np.where((clocks.entry < last) | (clocks.entry == 0), told, 0.0)
    deal, most = np.unique(clocks.deal, return_inverse=True)[1], np.zeros(clocks.n_deals)
    np.maximum.at(most, deal, told)
    return float(most.sum())


def _few(n_deals: int, n_rows: int, confidence: float) -> float:
    """How much wider an interval is where few deals stand behind many rows: as usual with clusters, by n / (n - 1)
    and Student's quantile (Cameron & Miller 2015, J. Human Resources 50, 317-372).
    """
    if n_rows == n_deals or n_deals < 2:
        return 1.0
    level = 0.5 + confidence / 2
    return float(np.sqrt(n_deals / (n_deals - 1)) * stdtrit(n_deals - 1, level) / ndtri(level))


def fit_with_influence(
    clocks: Clocks, horizon_days: float, *, weight: np.ndarray | None = None
) -> tuple[Incidence, np.ndarray]:
    """Incidence of rows with time at risk, and what each of them does to the rate at the horizon (`row_influence`)."""
    entry = clocks.entry if clocks.entry.any() else None
    fit = fit_incidence(clocks.duration, clocks.code, ENDS, entry=entry, weight=weight, errors=False)
    influence = row_influence(fit, clocks.duration, clocks.code, at_day=horizon_days, k=WON, entry=entry, weight=weight)
    return fit, influence


def signed_by(fit: Incidence, horizon_days: float) -> tuple[float, float]:
    """Signed, and still open, at the horizon; sums of weights may end a hair outside 0 and 1."""
    at = int(np.searchsorted(fit.days, horizon_days, side="right")) - 1
    if at < 0:
        return 0.0, 1.0
    return float(np.clip(fit.p[at, WON], 0, 1)), float(np.clip(fit.p_open[at], 0, 1))


def _beyond(fit: Incidence, p: float) -> tuple[float, float]:
    """Share of signings after the horizon: of those seen, and if all that was still open at last were to sign."""
    seen, still_open = float(min(fit.p[-1, WON], 1)), float(max(fit.p_open[-1], 0))
    most = seen + still_open
    return max(seen - p, 0.0) / seen if seen > 0 else np.nan, max(most - p, 0.0) / most if most > 0 else np.nan


def rate_interval(p: float, se: float, n: float, confidence: float) -> tuple[float, float]:
    """Complementary log-log interval; where all or none of n trials signed, the exact binomial bound."""
    tail = ((1 - confidence) / 2) ** (1 / max(n, 1e-3))
    if se > NO_SPREAD:
        lower, upper = loglog_interval(p, se, confidence=confidence)
        return float(lower), float(upper)
    return (0.0, 1 - tail) if p < 0.5 else (tail, 1.0)
