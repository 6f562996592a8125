"""Drawing a quarter: every deal has its own stream of random numbers, so one more deal moves no other."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

CHUNK = 32  # deals at a time, so that their draws stay in the processor's cache
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


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
        return self.by(group[self.deal], n_groups, by_value=by_value)

    def by(self, code: np.ndarray, n_groups: int, *, by_value: bool) -> np.ndarray:
        """The same of groups of signings; ``code``: (n_signings,)."""
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
        z = _top_bits(x + GOLDEN)
        z ^= z >> np.uint64(31)
    return z


def _top_bits(z: np.ndarray) -> np.ndarray:
    """SplitMix64 without its last step, which leaves the upper 31 bits as they are; in place."""
    shifted = z >> np.uint64(30)
    z ^= shifted
    z *= np.uint64(0xBF58476D1CE4E5B9)
    np.right_shift(z, np.uint64(27), out=shifted)
    z ^= shifted
    z *= np.uint64(0x94D049BB133111EB)
    return z


def uniforms(keys: np.ndarray, draw: np.ndarray, *, purpose: str) -> np.ndarray:
    """Uniform numbers in [0, 1) of deals and draws, element by element; each purpose has its own stream."""
    with np.errstate(over="ignore"):
        bits = _top_bits(_stream(keys, purpose) + draw.astype(np.uint64) * GOLDEN)
    return (bits >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)


def _stream(keys: np.ndarray, purpose: str) -> np.ndarray:
    return _mix(keys ^ np.uint64(zlib.crc32(purpose.encode())))


def draw_deals(
    p: np.ndarray,
    amount: np.ndarray,
    keys: np.ndarray,
    *,
    shock: np.ndarray,
    amount_pool: np.ndarray,
    log_ratio: np.ndarray | None = None,
    group: np.ndarray | None = None,
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
        Amounts for deals without one; with ``group`` one row of them a group of deals.
    log_ratio : array, optional
        Past log(final amount / amount at the time), drawn for every signing whose amount is known now.
    group : array of int (n_deals,), optional
        Row of ``amount_pool`` from which each deal is lent.
    """
    parts = []
    pools, row = np.atleast_2d(amount_pool), np.zeros(len(p), dtype="int64") if group is None else group
    possible = np.flatnonzero(p > 0)
    for start in range(0, len(possible), CHUNK):
        part = possible[start : start + CHUNK]
        at, draw = _signing(p[part], keys[part], shock)
        deal = part.astype(np.int32)[at]
        value = amount[deal]
        unknown = np.isnan(value)
        if log_ratio is not None and len(log_ratio):
            value *= np.exp(log_ratio[_places(len(log_ratio), keys[deal], draw, "ratio")])
        if pools.size:
            lent = deal[unknown]
            value[unknown] = pools[row[lent], _places(pools.shape[1], keys[lent], draw[unknown], "amount")]
        parts.append(Signings(deal, draw, np.nan_to_num(value, copy=False), len(shock)))
    return joined(parts, len(shock))


def _signing(p: np.ndarray, keys: np.ndarray, shock: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Deals and draws in which they sign, ordered.

    Each chance is worked out only where the deal would sign under the largest shock of all.
    """
    shifted = bool(shock.any())
    location = centred(p, shock) if shifted else p
    most = expit(location + shock.max()) if shifted else p
    last = np.minimum(most * 2**24 + 1, 2**24 - 1).astype(np.uint64)  # of 24 bits, one to spare for rounding
    with np.errstate(over="ignore"):
        counter = np.arange(len(shock), dtype=np.uint64) * GOLDEN
        bits = _top_bits(_stream(keys, "sign")[:, None] + counter)
    may = np.flatnonzero(bits <= ((last << np.uint64(40)) | np.uint64(2**40 - 1))[:, None])
    deal, draw = (x.astype(np.int32) for x in np.divmod(may, len(shock)))
    chance = expit(location[deal] + shock[draw]) if shifted else p[deal]
    signs = (bits.ravel()[may] >> np.uint64(40)) < chance * 2**24
    return deal[signs], draw[signs]


def _places(n: int, keys: np.ndarray, draw: np.ndarray, purpose: str) -> np.ndarray:
    """One of n places of a pool for each deal and draw."""
    return np.asarray((uniforms(keys, draw, purpose=purpose) * n).astype(int))


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
