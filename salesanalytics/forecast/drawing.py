"""Drawing a prepared period: all components under one shock, widened where past bands were too narrow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from salesanalytics.forecast.draws import Signings, centred, deal_keys, draw_deals
from salesanalytics.forecast.parts import ToCome, draw_open, draw_to_come, drawn_rate, to_come
from salesanalytics.forecast.prepare import Drawable
from salesanalytics.models.shock import SHOCK_GRID

MAX_SPREAD = 1.0  # a wider shock leaves most draws with next to nothing and a few with all
FEW_DRAWS, GRID = 2_000, 64  # to find by how much the shock has to be wider


def draw_components(
    prepared: Drawable, *, draws: int, seed: int, stretch: float
) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], dict[str, Signings], float]:
    """Draw all components of a period together.

    A ``stretch`` above 1 is realised by a second shock on top of the common one, as wide as it takes for the 80 % band
    of the number not signed yet to be that many times as wide as it was, but both together have a spread of 1 at most;
    totals are never rescaled.

    Returns
    -------
    components : dict
        Count and amount of each component in every draw, two arrays (n_draws,).
    signings : dict
        Each component that is not signed yet, signing by signing: of open deals by position in ``prepared.deals``, of
        reopened ones in ``prepared.ended``, of those to come that of the win that lends the amount.
    spread : float
        Mean spread of the shock, as drawn.
    """
    shock, more = prepared.shock, 0.0

    def few(added: float) -> np.ndarray:
        return shock.draw(_streams(seed)[0], FEW_DRAWS, more=added)

    if stretch > 1:
        asked = stretch * _width(prepared, few(0.0), seed)
        room = MAX_SPREAD**2 - float(shock.weight @ SHOCK_GRID**2)
        more = _root(lambda added: _width(prepared, few(added), seed) - asked, max(room, 0.0) ** 0.5)
    components, signings = _all(prepared, shock.draw(_streams(seed)[0], draws, more=more), seed)
    return components, signings, shock.widened(more)


def draw_totals(prepared: Drawable, *, draws: int, seed: int, stretch: float = 1.0) -> dict[str, np.ndarray]:
    """Draws of the whole, by measure: ``amount`` and ``count``, (n_draws,) each."""
    components, _, _ = draw_components(prepared, draws=draws, seed=seed, stretch=stretch)
    count, amount = (np.sum([pair[k] for pair in components.values()], axis=0) for k in (0, 1))
    return {"amount": amount, "count": count}


def _streams(seed: int) -> list[np.random.Generator]:
    """Streams of random numbers of the shock, of new deals and of deals not recorded yet."""
    return [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3)]


def _root(gap: Callable[[float], float], most: float) -> float:
    """Where a rising function reaches 0 between 0 and the most, to .005; an end where it does not."""
    if gap(most) <= 0:
        return most
    return float(brentq(gap, 0.0, most, xtol=0.005)) if gap(0.0) < 0 else 0.0


def _width(prepared: Drawable, shift: np.ndarray, seed: int) -> float:
    """Width of the 80 % band of the number not signed yet, normal under each shock: smooth in the spread, and quick."""
    p = np.concatenate([prepared.deals["p_in_period"], prepared.ended["p_in_period"]])
    p, grid = p[p > 0], np.quantile(shift, (np.arange(GRID) + 0.5) / GRID)
    chance = expit(centred(p, shift)[:, None] + grid)
    mean, variance = (np.interp(shift, grid, x.sum(axis=0)) for x in (chance, chance * (1 - chance)))
    for expected, rng in _to_come(prepared, seed).values():
        rate = drawn_rate(expected, rng, shift)
        mean, variance = mean + rate, variance + rate
    noise = np.random.default_rng(seed).standard_normal(len(shift))
    low, high = np.quantile(mean + np.sqrt(variance) * noise, [0.1, 0.9])
    return float(high - low)


def _to_come(prepared: Drawable, seed: int) -> dict[str, tuple[ToCome, np.random.Generator]]:
    """What is expected of deals that are not in the book, each with its random numbers."""
    expected = to_come(prepared.arrivals, prepared.period, prepared.day, unrecorded=prepared.has_recorded_at)
    return {name: (one, rng) for (name, one), rng in zip(expected.items(), _streams(seed)[1:], strict=False)}


def _all(
    prepared: Drawable, shift: np.ndarray, seed: int
) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], dict[str, Signings]]:
    """All components under given shocks."""
    worth, pools = prepared.arrivals.won_amounts, prepared.lent.pools
    n, signed, ended = len(shift), prepared.signed["amount"], prepared.ended
    p, amount = ended["p_in_period"].to_numpy(), ended["amount"].to_numpy()
    keys, group = deal_keys(ended["deal_id"], seed), ended["lent_group"].to_numpy()
    drawn = {
        "open": draw_open(prepared.deals, prepared.ratios, seed=seed, shift=shift, lent=prepared.lent),
        "reopened": draw_deals(p, amount, keys, shock=shift, amount_pool=pools, group=group),
    }
    for name, (expected, rng) in _to_come(prepared, seed).items():
        drawn[name] = draw_to_come(expected, worth, rng, shift)
    so_far = (np.full(n, float(len(signed))), np.full(n, float(signed.sum())))
    return {"signed": so_far} | {name: (one.count(), one.total()) for name, one in drawn.items()}, drawn


def accuracy_ceiling(prepared: Drawable, *, seed: int) -> float:
    """Mean relative error that even a model with perfect chances would have: E|T - median| / mean, without a shock.

    NaN where nothing is expected.
    """
    components, _ = _all(prepared, np.zeros(FEW_DRAWS), seed)
    total = np.sum([amount for _, amount in components.values()], axis=0)
    return float(np.abs(total - np.median(total)).mean() / total.mean()) if total.mean() else np.nan
