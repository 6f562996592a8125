"""Drawing a quarter: every deal has its own stream of random numbers, so one more deal moves no other."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

CHUNK = 256


@dataclass(frozen=True)
class Signings:
    """Which deals sign in which draw, and for how much: one entry a signing.

    Attributes
    ----------
    deal : ndarray of int (n_signings,)
        Position of the deal.
    draw : ndarray of int (n_signings,)
    value : ndarray of float (n_signings,)
        Amount in the book's currency or unit; 0 where it cannot be known.
    n_draws : int
    """

    deal: np.ndarray
    draw: np.ndarray
    value: np.ndarray
    n_draws: int

    def count(self) -> np.ndarray:
        """Signings in each draw, (n_draws,)."""
        return np.bincount(self.draw, minlength=self.n_draws).astype(float)

    def total(self) -> np.ndarray:
        """Amount signed in each draw, (n_draws,)."""
        return np.bincount(self.draw, weights=self.value, minlength=self.n_draws)

    def of(self, group: np.ndarray, n_groups: int, *, by_value: bool) -> np.ndarray:
        """Count or amount of each group of deals in each draw, (n_groups, n_draws); ``group``: (n_deals,), -1: none."""
        code = group[self.deal]
        inside = code >= 0
        cell = code[inside].astype("int64") * self.n_draws + self.draw[inside]
        weights = self.value[inside] if by_value else None
        summed = np.bincount(cell, weights=weights, minlength=n_groups * self.n_draws)
        return summed.reshape(n_groups, self.n_draws).astype(float)


def joined(parts: list[Signings], n_draws: int) -> Signings:
    """Signings of several lots of deals, whose positions do not overlap."""
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts]) if parts else np.zeros(0, dtype=kind)
        for name, kind in (("deal", "int64"), ("draw", "int64"), ("value", float))
    }
    return Signings(**columns, n_draws=n_draws)


def deal_keys(deal_ids: pd.Series, seed: int) -> np.ndarray:
    """A 64-bit key for each deal and seed."""
    hashed = pd.util.hash_array(deal_ids.to_numpy(dtype=object), categorize=False)
    return hashed ^ _mix(np.full(1, seed, dtype=np.uint64))


def _mix(x: np.ndarray) -> np.ndarray:
    """SplitMix64: turns counters into independent uniform bits (Steele, Lea & Flood 2014)."""
    with np.errstate(over="ignore"):
        z = x + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniforms(keys: np.ndarray, n: int, *, purpose: str) -> np.ndarray:
    """Uniform numbers in [0, 1), one row a deal, one column a draw; each purpose has its own stream."""
    with np.errstate(over="ignore"):
        stream = _mix(keys ^ np.uint64(zlib.crc32(purpose.encode())))
        counter = stream[:, None] + np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        bits = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits ^= bits >> np.uint64(27)
        bits *= np.uint64(0x94D049BB133111EB)
        bits ^= bits >> np.uint64(31)
    return (bits >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)


def draw_deals(
    p: np.ndarray,
    amount: np.ndarray,
    keys: np.ndarray,
    *,
    shock: np.ndarray,
    amount_pool: np.ndarray,
    log_ratio: np.ndarray | None = None,
) -> Signings:
    """Signings and their amounts in every draw.

    Parameters
    ----------
    p : array (n_deals,)
        Chance of signing in the period.
    amount : array (n_deals,)
        Amount now; NaN is drawn from ``amount_pool``.
    keys : array (n_deals,)
        From `deal_keys`.
    shock : array (n_draws,)
        Shift of all chances on the logit scale in that draw (see `centred`).
    amount_pool : array
        Amounts for deals without one.
    log_ratio : array, optional
        Past log(final amount / amount at the time), drawn for every signing whose amount is known now.
    """
    n = len(shock)
    parts = []
    possible = np.flatnonzero(p > 0)
    shifted = bool(shock.any())
    for start in range(0, len(possible), CHUNK):
        part = possible[start : start + CHUNK]
        chance = expit(centred(p[part], shock)[:, None] + shock) if shifted else p[part, None]
        deal, draw = np.nonzero(uniforms(keys[part], n, purpose="sign") < chance)
        value = amount[part][deal]
        unknown = np.isnan(value)
        if log_ratio is not None and len(log_ratio):
            picked = uniforms(keys[part], n, purpose="ratio")[deal, draw]
            value = value * np.exp(log_ratio[(picked * len(log_ratio)).astype(int)])
        if len(amount_pool) and unknown.any():
            picked = uniforms(keys[part], n, purpose="amount")[deal, draw]
            value = np.where(unknown, amount_pool[(picked * len(amount_pool)).astype(int)], value)
        parts.append(Signings(part[deal], draw, np.nan_to_num(value), n))
    return joined(parts, n)


def centred(p: np.ndarray, shock: np.ndarray) -> np.ndarray:
    """Logits that give mean p once the shock is added (two Newton steps are exact to 1e-6 for spreads below 1)."""
    target = np.clip(p, 1e-9, 1 - 1e-9)
    spread2 = float(np.var(shock))
    location = logit(target) * np.sqrt(1 + spread2 * np.pi / 8)
    grid = np.quantile(shock, (np.arange(64) + 0.5) / 64)
    for _ in range(4):
        chance = expit(location[:, None] + grid)
        slope = np.maximum((chance * (1 - chance)).mean(axis=1), 1e-12)
        location = location + np.clip((target - chance.mean(axis=1)) / slope, -1, 1)
    return location
