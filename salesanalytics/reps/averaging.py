"""Chances with the effects of reps averaged out numerically, for one spread between reps at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SDS = np.arange(0.025, 1.5, 0.05)  # the spread is integrated over these
SLOPE_SD = 1.5  # of the normal prior of a slope; columns are in units of about one standard deviation
#: Values an effect can take (log odds), closer together near 0, and the width that each stands for.
EFFECTS = 4 * np.sinh(3 * np.linspace(-1, 1, 81)) / np.sinh(3)
WIDTHS = np.gradient(EFFECTS)
FREE_SD = 3.0  # spread at which reps are as good as free
#: Share of reps that the funnel takes to be outliers, at three times the spread. With more, outliers hide one another
#: less, but more reps are flagged where nobody stands out: 6.4 % of 40 with .15, over 7 % with .2.
OUTLIERS = 0.15
STEPS, SMALL_STEP, FLAT = 40, 1e-6, 1e-6


@dataclass(frozen=True)
class Deals:
    """Deals in the order of their reps: columns (constant first), wins, rep of each, first deal of each rep."""

    x: np.ndarray
    won: np.ndarray
    rep: np.ndarray
    starts: np.ndarray

    def per_rep(self, values: np.ndarray) -> np.ndarray:
        """Sums over the deals of each rep."""
        return np.add.reduceat(values, self.starts, axis=0)


@dataclass(frozen=True)
class AtSpread:
    """What one value of the spread implies, given the slopes."""

    constant: float
    constant_variance: float
    follows: np.ndarray  # (n_columns,) how the constant moves with the slopes
    evidence: np.ndarray  # (n_reps,) log likelihood of a rep's deals, effects averaged out
    evidence_robust: np.ndarray  # the same if some reps are outliers
    posterior: np.ndarray  # (n_reps, n_effects)
    mean_wins: np.ndarray  # (n_reps, n_effects)
    variance_wins: np.ndarray
    shift: np.ndarray  # (n_reps, 1 + n_columns) how an effect moves with constant and slopes


def spread_prior(sd: float) -> np.ndarray:
    """Normal weights of ``EFFECTS`` for a spread."""
    density = WIDTHS * np.exp(-0.5 * (EFFECTS / sd) ** 2)
    return density / density.sum()


@dataclass(frozen=True)
class _Averaged:
    """Effects averaged out: chances and likelihoods by effect, posterior of the effects, what a Newton step needs."""

    chance: np.ndarray  # (n_deals, n_effects)
    likelihood: np.ndarray  # (n_reps, n_effects), log
    posterior: np.ndarray
    evidence: np.ndarray
    expected: np.ndarray  # (n_deals,)
    shift: np.ndarray  # (n_reps, 1 + n_columns)
    information: np.ndarray


def _average_out(deals: Deals, location: np.ndarray, prior: np.ndarray) -> _Averaged:
    """Louis' formula, taken as linear in the effect, gives the information on constant and slopes."""
    z = location[:, None] + EFFECTS
    odds = np.exp(z)
    chance = odds / (1 + odds)
    likelihood = deals.per_rep(deals.won[:, None] * z - np.log1p(odds))
    posterior, evidence = _weighed(likelihood, prior)
    own = posterior[deals.rep]
    expected = np.einsum("ij,ij->i", chance, own)
    weight = expected - np.einsum("ij,ij,ij->i", chance, chance, own)
    mean = posterior @ EFFECTS
    variance = (posterior * (EFFECTS - mean[:, None]) ** 2).sum(axis=1)
    pull = deals.per_rep(weight[:, None] * deals.x)  # how a rep's expected wins move with constant and slopes
    return _Averaged(
        chance=chance,
        likelihood=likelihood,
        posterior=posterior,
        evidence=evidence,
        expected=expected,
        shift=-pull * variance[:, None],
        information=(deals.x * weight[:, None]).T @ deals.x - (pull * variance[:, None]).T @ pull,
    )


def _weighed(likelihood: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior of each rep's effect, and the log likelihood with the effect averaged out."""
    top = likelihood.max(axis=1, keepdims=True)
    posterior = np.exp(likelihood - top) * prior
    total = posterior.sum(axis=1, keepdims=True)
    return posterior / total, (top + np.log(total))[:, 0]


def within_reps(deals: Deals) -> tuple[np.ndarray, np.ndarray]:
    """Constant and slopes with reps almost free, by Newton's method, and their covariance."""
    share = (deals.won.sum() + 0.5) / (len(deals.won) + 1)
    slopes = np.zeros(deals.x.shape[1])
    slopes[0] = np.log(share / (1 - share))
    precision = np.full(len(slopes), 1 / SLOPE_SD**2)
    precision[0] = FLAT
    for _ in range(STEPS):
        now = _average_out(deals, deals.x @ slopes, spread_prior(FREE_SD))
        information = now.information + np.diag(precision)
        step = np.linalg.solve(information, deals.x.T @ (deals.won - now.expected) - precision * slopes)
        slopes = slopes + np.clip(step, -2, 2)
        if np.abs(step).max() < SMALL_STEP:
            break
    return slopes, np.linalg.inv(information)


def at_spread(deals: Deals, sd: float, slopes: np.ndarray, constant: float) -> AtSpread:
    """Best constant for a spread, by Newton's method, and what follows from it."""
    prior = spread_prior(sd)
    fixed = deals.x[:, 1:] @ slopes[1:]
    for _ in range(STEPS):
        now = _average_out(deals, fixed + constant, prior)
        information = now.information[0, 0] + FLAT
        step = float((deals.won - now.expected).sum() / information)
        if abs(step) < SMALL_STEP:
            break
        constant += float(np.clip(step, -2, 2))
    outliers = (1 - OUTLIERS) * prior + OUTLIERS * spread_prior(3 * sd)
    return AtSpread(
        constant=constant,
        constant_variance=1 / information,
        follows=-now.information[0, 1:] / information,
        evidence=now.evidence,
        evidence_robust=_weighed(now.likelihood, outliers)[1],
        posterior=now.posterior,
        mean_wins=deals.per_rep(now.chance),
        variance_wins=deals.per_rep(now.chance * (1 - now.chance)),
        shift=now.shift,
    )
