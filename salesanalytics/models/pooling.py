"""Stages drawn to their nominal rates, and segments to one another as strongly as they are alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betaincinv, betaln

from salesanalytics.models.shrinkage import marginal_strength, shrink

RATES = {"won": "p_won", "in_stock": "p_won_in_stock"}
ALONE = 10.0  # deals that a stage is worth to its only segment
STRENGTHS = np.geomspace(1, 1000, 25)  # how many deals the stage is worth to a segment
STEPS = np.linspace(-4, 4, 13)  # of the centre, in standard errors
NEGLIGIBLE = 1e-4


def pool_segments(p: Any, n_eff: Any, *, centre: float, centre_n: float, confidence: float) -> dict[str, np.ndarray]:
    """Posterior of the rate of each segment when segments scatter around a common centre (beta-binomial).

    How strongly they are drawn together (k, in deals) and what to (p0, near the rate of the stage) both come from the
    segments themselves and are integrated over: with the likeliest k alone, the intervals of a few segments are far
    too short.

    Parameters
    ----------
    p, n_eff : array (n_segments,)
        Estimates and their effective numbers of trials (`effective_n`); 0 trials say nothing.
    centre, centre_n : float
        Rate of the stage and its effective number of trials.
    confidence : float

    Returns
    -------
    dict of arrays ``p``, ``lower``, ``upper`` (n_segments,)
        Of the beta distribution with the posterior's mean and variance.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, section 5.3.
    """
    p, n_eff = np.asarray(p, float), np.asarray(n_eff, float)
    told = n_eff > 0
    k, p0 = _candidates(p[told], centre, centre_n)
    prior_won, prior_rest = (k * p0)[:, None], (k * (1 - p0))[:, None]
    won, rest = prior_won + n_eff * p, prior_rest + n_eff * (1 - p)
    fit = (betaln(won, rest) - betaln(prior_won, prior_rest)).sum(axis=1)
    weight = np.exp(fit - fit.max())
    kept = weight > NEGLIGIBLE
    weight = (weight[kept] / weight[kept].sum())[:, None]
    total = (won + rest)[kept]
    mean = won[kept] / total
    middle = (weight * mean).sum(axis=0)
    spread = (weight * (mean * (1 - mean) / (total + 1) + (mean - middle) ** 2)).sum(axis=0)
    size = middle * (1 - middle) / spread - 1
    tail = (1 - confidence) / 2
    bounds = (betaincinv(size * middle, size * (1 - middle), level) for level in (tail, 1 - tail))
    return dict(zip(("p", "lower", "upper"), (middle, *bounds), strict=True))


def _candidates(p: np.ndarray, centre: float, centre_n: float) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of a strength and a centre; half a signing is added to the stage, so that none is certain."""
    middle = (centre_n * centre + 0.5) / (centre_n + 1)
    error = np.sqrt(middle * (1 - middle) / (centre_n + 1))
    if len(p):
        error = max(error, p.std() / np.sqrt(len(p)))
    k, step = np.meshgrid(STRENGTHS, STEPS, indexing="ij")
    return k.ravel(), np.clip(middle + error * step.ravel(), 1e-4, 1 - 1e-4)


def _effective(rows: list[dict[str, Any]], suffix: str) -> tuple[np.ndarray, np.ndarray]:
    """Rates and their effective numbers of trials; 0 of 0 where no deal has time at risk."""
    name = "n_effective_in_stock" if suffix == "in_stock" else "n_effective"
    return np.nan_to_num([row[RATES[suffix]] for row in rows]), np.array([row[name] for row in rows])


def _named(fit: dict[str, np.ndarray], suffix: str, i: int) -> dict[str, float]:
    names = {"p": f"shrunk_{suffix}", "lower": f"shrunk_lower_{suffix}", "upper": f"shrunk_upper_{suffix}"}
    return {name: float(fit[key][i]) for key, name in names.items()}


def drawn_to_nominal(row: dict[str, Any], nominal: float, *, strength: float, confidence: float) -> dict[str, float]:
    """Both rates of a stage drawn to its nominal one, which counts as ``strength`` deals."""
    out: dict[str, float] = {}
    for suffix in RATES:
        p, n_eff = _effective([row], suffix)
        fit = shrink(p, n_eff, prior=nominal, strength=strength, confidence=confidence)
        out |= _named(fit, suffix, 0)
    return out | {"prior_strength": strength}


def drawn_to_stage(parts: list[dict[str, Any]], whole: dict[str, Any], *, confidence: float) -> list[dict[str, float]]:
    """Both rates of each segment drawn to those of its stage, as strongly as the segments are alike."""
    drawn: list[dict[str, float]] = [{} for _ in parts]
    for suffix in RATES:
        p, n_eff = _effective(parts, suffix)
        centre, centre_n = (float(x[0]) for x in _effective([whole], suffix))
        told = n_eff > 0
        if told.sum() > 1:
            strength = marginal_strength(p[told], n_eff[told], prior=centre)
            fit = pool_segments(p, n_eff, centre=centre, centre_n=centre_n, confidence=confidence)
        else:
            strength, prior = ALONE, centre if centre_n > 0 else np.nan
            fit = shrink(p, n_eff, prior=prior, strength=strength, confidence=confidence)
        for i, out in enumerate(drawn):
            out |= _named(fit, suffix, i) | {f"prior_strength_{suffix}": strength}
    return drawn
