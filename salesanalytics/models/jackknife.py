"""Standard errors of incidences by the infinitesimal jackknife: what each row adds, summed by day at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROUNDING = 1e-14  # what is left of a variance of 0 when sums of squares cancel


@dataclass(frozen=True)
class Rows:
    """Rows (or counts of equal rows) by position of their last day, end, entry."""

    at: np.ndarray
    codes: np.ndarray
    entry: np.ndarray | None
    weight: np.ndarray | None

    @classmethod
    def from_cells(cls, cells: np.ndarray) -> Rows:
        """Counts by position of the last day (rows) and end (columns, the first one censored)."""
        at, code = np.nonzero(cells)
        return cls(at, code - 1, None, cells[at, code])


def influence_terms(
    events: np.ndarray, n_at_risk: np.ndarray, p: np.ndarray, p_before: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What a row's event and its time at risk do to the incidence of end ``k``.

    The influence of a row on F(t) is A - F(t) B: an event of end k on day j adds ``own[j] + any_a[j]`` to A (of
    another end: ``any_a[j]``) and ``any_b[j]`` to B; being at risk up to day j takes ``paid_a[j]`` and ``paid_b[j]``.
    """
    at_risk = np.where(n_at_risk > 0, n_at_risk, 1)
    hazard = events / at_risk[:, None]
    total = hazard.sum(axis=1)
    # after a day that ends everybody nothing can change; a sum of shares may miss 1 by rounding
    rest = np.where(total < 1 - 1e-12, 1 - total, np.inf)
    any_b = 1 / (rest * at_risk)
    any_a = p[:, k] * any_b
    own = p_before / at_risk
    return own, any_a, any_b, np.cumsum(hazard[:, k] * own + total * any_a), np.cumsum(total * any_b)


def standard_errors(
    rows: Rows,
    days: np.ndarray,
    events: np.ndarray,
    n_at_risk: np.ndarray,
    p: np.ndarray,
    p_before: np.ndarray,
) -> np.ndarray:
    """Square root of the sum of squared influences of the rows, at every day at once, by cumulative sums."""
    n_days, n_ends = events.shape
    se = np.zeros((n_days, n_ends))
    for k in range(n_ends):
        own, any_a, any_b, paid_a, paid_b = influence_terms(events, n_at_risk, p, p_before, k)
        start_a, start_b, start_at = _paid_at_entry(rows, days, paid_a, paid_b)
        ended = rows.codes >= 0
        last_a = np.where(rows.codes == k, own[rows.at], 0.0) + np.where(ended, any_a[rows.at], 0.0)
        last_a += start_a - paid_a[rows.at]
        last_b = np.where(ended, any_b[rows.at], 0.0) + start_b - paid_b[rows.at]
        gone = _Squares.by_day(rows.at, last_a, last_b, rows.weight, n_days)
        came = _Squares.by_day(start_at, start_a, start_b, rows.weight, n_days)
        went = _Squares.by_day(rows.at, start_a, start_b, rows.weight, n_days)
        here = came.minus(went).moved(paid_a, paid_b)
        total = gone.plus(here)
        f = p[:, k]
        variance = total.aa - 2 * f * total.ab + f**2 * total.bb
        se[:, k] = np.sqrt(np.where(variance > ROUNDING, variance, 0.0))
    return se


def _paid_at_entry(
    rows: Rows, days: np.ndarray, paid_a: np.ndarray, paid_b: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What was paid for the days up to each row's entry, and the first position at which the row is at risk."""
    if rows.entry is None:
        zero = np.zeros(len(rows.at))
        return zero, zero, np.zeros(len(rows.at), dtype=np.intp)
    first = np.searchsorted(days, np.where(rows.entry == 0, -1, rows.entry), side="right")
    padded_a, padded_b = np.concatenate([[0.0], paid_a]), np.concatenate([[0.0], paid_b])
    return padded_a[first], padded_b[first], first


@dataclass(frozen=True)
class _Squares:
    """Running sums over rows of 1, a, b, aa, ab, bb, by day."""

    n: np.ndarray
    a: np.ndarray
    b: np.ndarray
    aa: np.ndarray
    ab: np.ndarray
    bb: np.ndarray

    @classmethod
    def by_day(cls, at: np.ndarray, a: np.ndarray, b: np.ndarray, weight: np.ndarray | None, n: int) -> _Squares:
        w = np.ones(len(at)) if weight is None else weight
        terms = (w, w * a, w * b, w * a * a, w * a * b, w * b * b)
        return cls(*(np.cumsum(np.bincount(at, weights=term, minlength=n)) for term in terms))

    def plus(self, other: _Squares) -> _Squares:
        return _Squares(*(x + y for x, y in zip(self._all(), other._all(), strict=True)))

    def minus(self, other: _Squares) -> _Squares:
        return _Squares(*(x - y for x, y in zip(self._all(), other._all(), strict=True)))

    def moved(self, da: np.ndarray, db: np.ndarray) -> _Squares:
        """The sums when every a becomes a - da and every b becomes b - db, day by day."""
        return _Squares(
            self.n,
            self.a - self.n * da,
            self.b - self.n * db,
            self.aa - 2 * da * self.a + self.n * da**2,
            self.ab - da * self.b - db * self.a + self.n * da * db,
            self.bb - 2 * db * self.b + self.n * db**2,
        )

    def _all(self) -> tuple[np.ndarray, ...]:
        return self.n, self.a, self.b, self.aa, self.ab, self.bb
