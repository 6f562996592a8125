"""Drawing a prepared period: all components under one shock, widened where past bands were too narrow."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.optimize import brentq

from salesanalytics.forecast.draws import Signings, deal_keys, draw_deals
from salesanalytics.forecast.parts import (
    amounts_of_new,
    amounts_of_unrecorded,
    draw_open,
    draw_to_come,
    expected_new,
    expected_unrecorded,
)
from salesanalytics.forecast.prepare import Drawable

MAX_SCALE = 6.0
FEW_DRAWS = 2_000  # to find the scale of the shock


def draw_components(
    prepared: Drawable, *, draws: int, seed: int, stretch: float
) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], Signings, float]:
    """Draw all components of a period together.

    A ``stretch`` above 1 is realised by widening the spread of the shock until the 80 % band of the number not signed
    yet is that many times as wide as it was; totals are never rescaled.

    Returns
    -------
    components : dict
        Count and amount of each component in every draw, two arrays (n_draws,).
    signings : Signings
        Of the open deals, by position in ``prepared.deals``.
    scale : float
        By how much the spread of the shock was widened.
    """
    shock_rng, *_ = _streams(seed)
    shift = prepared.shock.draw(shock_rng, draws)
    scale = 1.0
    if stretch > 1 and shift.any():
        few = shift[:FEW_DRAWS]
        asked = (stretch * _width(_all(prepared, few, seed)[0])) ** 2
        scale = _scale_for(lambda square: _width(_all(prepared, np.sqrt(square) * few, seed)[0]) ** 2 - asked)
    components, signings = _all(prepared, scale * shift, seed)
    return components, signings, scale


def draw_totals(prepared: Drawable, *, draws: int, seed: int, stretch: float = 1.0) -> dict[str, np.ndarray]:
    """Draws of the whole, by measure: ``amount`` and ``count``, (n_draws,) each."""
    components, _, _ = draw_components(prepared, draws=draws, seed=seed, stretch=stretch)
    count, amount = (np.sum([pair[k] for pair in components.values()], axis=0) for k in (0, 1))
    return {"amount": amount, "count": count}


def _streams(seed: int) -> list[np.random.Generator]:
    """Streams of random numbers of the shock, of new deals and of deals not recorded yet."""
    return [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3)]


def _scale_for(gap: Callable[[float], float]) -> float:
    """Where a rising function of the squared scale reaches 0 between 1 and MAX_SCALE, to 2 %; an end where it does not.

    Variances add up, so the search is made among squares, where the function is nearly straight.
    """
    once = cache(gap)  # the search asks for both ends again
    if once(MAX_SCALE**2) <= 0:
        return MAX_SCALE
    return float(np.sqrt(brentq(once, 1.0, MAX_SCALE**2, xtol=0.04))) if once(1.0) < 0 else 1.0


def _width(components: dict[str, tuple[np.ndarray, np.ndarray]]) -> float:
    """Width of the 80 % band of the number not signed yet."""
    unsigned = np.sum([count for name, (count, _) in components.items() if name != "signed"], axis=0)
    low, high = np.quantile(unsigned, [0.1, 0.9])
    return float(high - low)


def _all(prepared: Drawable, shift: np.ndarray, seed: int) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], Signings]:
    """All components under given shocks; ``unrecorded`` is left out where the book cannot know of it."""
    _, new_rng, unrecorded_rng = _streams(seed)
    arrivals, pool = prepared.arrivals, prepared.pool
    told = (arrivals, prepared.period, prepared.day)
    to_come = {"new": (expected_new(*told), amounts_of_new(*told), new_rng)}
    if prepared.has_recorded_at:
        to_come["unrecorded"] = (expected_unrecorded(*told), amounts_of_unrecorded(*told), unrecorded_rng)
    n, signed, ended = len(shift), prepared.signed["amount"], prepared.ended
    open_deals = draw_open(prepared.deals, prepared.ratios, seed=seed, shift=shift, pool=pool)
    p, amount = ended["p_in_period"].to_numpy(), ended["amount"].to_numpy()
    back = draw_deals(p, amount, deal_keys(ended["deal_id"], seed), shock=shift, amount_pool=pool)
    return {
        "signed": (np.full(n, float(len(signed))), np.full(n, float(signed.sum()))),
        "open": (open_deals.count(), open_deals.total()),
        "reopened": (back.count(), back.total()),
        **{name: draw_to_come(mean, arrivals, rng, lent, shift) for name, (mean, lent, rng) in to_come.items()},
    }, open_deals


def accuracy_ceiling(prepared: Drawable, *, seed: int) -> float:
    """Mean relative error that even a model with perfect chances would have: E|T - median| / mean, without a shock.

    NaN where nothing is expected.
    """
    components, _ = _all(prepared, np.zeros(FEW_DRAWS), seed)
    total = np.sum([amount for _, amount in components.values()], axis=0)
    return float(np.abs(total - np.median(total)).mean() / total.mean()) if total.mean() else np.nan
