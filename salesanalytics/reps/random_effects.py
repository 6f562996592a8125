"""Logistic model with one random intercept a rep: what a rep adds, once the deals he was dealt are allowed for.

Slopes of the case mix and effects of the reps are fitted together. A first fit without reps would give the skill of a
rep who gets the hard deals to the deals, and its effects would come out too small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from salesanalytics.reps.averaging import EFFECTS, SDS, AtSpread, Deals, at_spread, spread_prior, within_reps
from salesanalytics.reps.predictive import limits, wins_by_chance

SD_PRIOR = 0.5  # scale of the half-normal prior of the spread between reps (log odds)


@dataclass(frozen=True)
class RepFit:
    """Posterior of the effects of reps, and what chance allows.

    Attributes
    ----------
    n, observed, expected : ndarray (n_reps,)
        Deals; wins; wins that the same deals would bring an average company's rep (mean over the reps' spread).
    effect, lower, upper : ndarray (n_reps,)
        Log odds against a middling rep: posterior mean and interval.
    p_above_median : ndarray (n_reps,)
        Chance that the effect lies above the median of the reps.
    funnel_lower, funnel_upper : ndarray (n_reps,)
        Wins between which chance and the usual spread between reps leave 95 of 100 reps (or ``funnel``), all other reps
        deciding the spread.
    sd, sd_lower, sd_upper : float
        Spread between reps: posterior mean and interval.
    coefficients, errors : ndarray (n_columns,)
        Log odds of the columns of the case mix, the constant first, and their standard errors.
    chance : ndarray (n_deals,)
        Fitted chance of each deal with its own rep.
    """

    n: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    effect: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    p_above_median: np.ndarray
    funnel_lower: np.ndarray
    funnel_upper: np.ndarray
    sd: float
    sd_lower: float
    sd_upper: float
    coefficients: np.ndarray
    errors: np.ndarray
    chance: np.ndarray


def fit_rep_effects(x: Any, won: Any, rep: Any, *, confidence: float = 0.9, funnel: float = 0.95) -> RepFit:
    """Fit chances of winning to the case mix and one normal effect a rep.

    Slopes are those within reps: reps are left (almost) free while they are fitted, so that they stay right when
    strong reps get the hard deals. Then, for each spread between reps on a grid, effects are averaged out numerically
    and all results averaged over the posterior of the spread, whose prior is half-normal with scale ``SD_PRIOR``.
    Intervals allow for the spread and the slopes being unsure. Slopes have a normal prior with standard deviation
    ``SLOPE_SD``; where a fact is the same for all deals of each rep, data cannot tell it from the reps themselves, and
    the priors decide. For the funnel alone the spread is that of the other reps, a share of which (``OUTLIERS``) may
    stand at three times the spread: a few who stand out must not widen the limits until none of them does.

    Parameters
    ----------
    x : array, shape (n_deals, n_columns)
        The case mix without constant, columns in units of about one standard deviation.
    won : array of 0 and 1, shape (n_deals,)
    rep : array of int, shape (n_deals,)
        0 .. n_reps - 1, each with at least one deal.
    confidence, funnel : float
        Of the intervals of the effects; of the funnel.

    References
    ----------
    Rue, Martino & Chopin (2009), J. R. Stat. Soc. B 71, 319-392 (integration over the spread);
    Neuhaus & Kalbfleisch (1998), Biometrics 54, 638-645 (slopes within clusters);
    Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202 (funnel limits with spread between units);
    Spiegelhalter et al. (2012), J. R. Stat. Soc. A 175, 1-47 (outlying units kept from widening the limits);
    Marshall & Spiegelhalter (2007), Bayesian Analysis 2, 409-444 (the unit in question left out).
    """
    owner = np.asarray(rep)
    order = np.argsort(owner, kind="stable")
    owner = owner[order]
    columns = np.column_stack([np.ones(len(owner)), np.asarray(x, float).reshape(len(owner), -1)[order]])
    deals = Deals(columns, np.asarray(won, float)[order], owner, np.flatnonzero(np.diff(owner, prepend=-1)))
    slopes, covariance = within_reps(deals)
    found, constant = [], slopes[0]
    for sd in SDS:
        found.append(at_spread(deals, sd, slopes, constant))
        constant = found[-1].constant
    return _summary(deals, found, slopes[1:], covariance[1:, 1:], order, confidence, funnel)


def _unsure_slopes(one: AtSpread, covariance: np.ndarray) -> np.ndarray:
    """What constant and slopes not being known add to the variance of each effect.

    What moves all reps alike does not set them apart, and is left out.
    """
    moved = one.shift[:, :1] * one.follows + one.shift[:, 1:]
    moved, common = moved - moved.mean(axis=0), one.shift[:, 0] - one.shift[:, 0].mean()
    return np.einsum("ij,jk,ik->i", moved, covariance, moved) + common**2 * one.constant_variance


def _weights(log_likelihood: np.ndarray, constant_variance: np.ndarray) -> np.ndarray:
    """Posterior of the spread along the last axis: likelihood, prior, and Laplace's term for the constant."""
    log_weight = log_likelihood - 0.5 * (SDS / SD_PRIOR) ** 2 + 0.5 * np.log(constant_variance)
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    return weight / weight.sum(axis=-1, keepdims=True)


def _summary(
    deals: Deals,
    found: list[AtSpread],
    slopes: np.ndarray,
    covariance: np.ndarray,
    order: np.ndarray,
    confidence: float,
    funnel: float,
) -> RepFit:
    own = np.array([one.constant_variance for one in found])
    weight = _weights(np.array([one.evidence.sum() for one in found]), own)

    def over_spreads(values: list[Any]) -> np.ndarray:
        return np.tensordot(weight, np.array(values), axes=1)

    posterior = over_spreads([one.posterior for one in found])
    mean = posterior @ EFFECTS
    variance = (posterior * (EFFECTS - mean[:, None]) ** 2).sum(axis=1)
    wider = np.sqrt(1 + over_spreads([_unsure_slopes(one, covariance) for one in found]) / variance)
    values = mean[:, None] + wider[:, None] * (EFFECTS - mean[:, None])
    below = posterior.cumsum(axis=1) - posterior / 2
    tail = (1 - confidence) / 2
    lower, upper = (_quantile(values, below, q) for q in (tail, 1 - tail))
    observed, n = deals.per_rep(deals.won), deals.per_rep(np.ones(len(deals.won)))
    priors = np.array([spread_prior(sd) for sd in SDS])
    wins, spread = (over_spreads([getattr(one, name) for one in found]) for name in ("mean_wins", "variance_wins"))
    robust = np.array([one.evidence_robust for one in found])
    others = _weights((robust.sum(axis=1, keepdims=True) - robust).T, own)
    low, high = limits(wins_by_chance(others @ priors, wins, spread), n, tail=(1 - funnel) / 2)
    constant = float(over_spreads([one.constant for one in found]))
    fitted = np.empty(len(order))
    fitted[order] = 1 / (1 + np.exp(-(constant + deals.x[:, 1:] @ slopes + mean[deals.rep])))
    error = np.sqrt(over_spreads([one.constant_variance + one.follows @ covariance @ one.follows for one in found]))
    spread_below = weight.cumsum() - weight / 2
    return RepFit(
        n=n.astype(int),
        observed=observed.astype(int),
        expected=(wins * (weight @ priors)).sum(axis=1),
        effect=mean,
        lower=lower,
        upper=upper,
        p_above_median=_above_median(values, below),
        funnel_lower=low,
        funnel_upper=high,
        sd=float(weight @ SDS),
        sd_lower=float(np.interp(tail, spread_below, SDS)),
        sd_upper=float(np.interp(1 - tail, spread_below, SDS)),
        coefficients=np.concatenate([[constant], slopes]),
        errors=np.concatenate([[float(error)], np.sqrt(np.diag(covariance))]),
        chance=fitted,
    )


def _quantile(values: np.ndarray, below: np.ndarray, level: float) -> np.ndarray:
    return np.array([np.interp(level, b, v) for b, v in zip(below, values, strict=True)])


def _above_median(values: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Chance to lie above the value that half of all reps, taken together, are expected to exceed."""
    points = np.sort(values[:, ::4].ravel())
    share = np.mean([np.interp(points, v, b) for v, b in zip(values, below, strict=True)], axis=0)
    median = np.interp(0.5, share, points)
    return np.array([1 - np.interp(median, v, b) for v, b in zip(values, below, strict=True)])
