"""The best anybody could say of a quarter of a simulated company: only luck is left."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from salesanalytics.simulate.params import Company
from salesanalytics.simulate.state import LOST, NO_DECISION, OPEN, WON, State, is_working_day, quarter_index
from salesanalytics.simulate.truth import Truth, to_day
from salesanalytics.simulate.walk import walk
from salesanalytics.timeline import Period

DRAWS = 400


def foreseen(truth: Truth, period: Period, *, rng: np.random.Generator, draws: int = DRAWS) -> dict[str, np.ndarray]:
    """Count and amount signed in a calendar quarter, seen from its eve, in every draw.

    Known are every deal's hidden state and final amount, the laws by which it moves, the spread of the shock and the
    rate of arrivals. `Truth.true_p` gives chances deal by deal; here the deals are simulated on together, for one
    shock hits them all.
    """
    day, params = period.start_day - 1, truth.company.walk
    now = truth._state_at(day)
    may_return = np.isin(now.end, (LOST, NO_DECISION)) & (day - now.end_day <= params.reopen_days)
    known = np.flatnonzero((now.created <= day) & ~now.dead & ((now.end == OPEN) | may_return))
    n_new = rng.poisson(_expected_creations(truth, period) * _good_or_bad(truth.company, draws, rng))
    model = rng.integers(len(now.stage), size=n_new.sum())  # new deals are like those the company ever had
    born = truth._start.take(model)
    days = np.arange(period.start_day, period.end_day + 1)
    weight = _creation_rate(truth.company, days)
    born.created = rng.choice(days, size=len(model), p=weight / weight.sum())
    draw = np.concatenate([np.repeat(np.arange(draws), len(known)), np.repeat(np.arange(draws), n_new)])
    state = _both(now.take(np.tile(known, draws)), born)
    shock = {quarter_index(day + 1): rng.normal(0, params.shock, draws)[draw]}
    walk(state, params, first_day=day + 1, last_day=period.end_day, shock=shock, rng=rng)
    won = state.end == WON
    amount = truth.deals["amount"].to_numpy()[np.concatenate([np.tile(known, draws), model])]
    return {
        "amount": np.bincount(draw[won], weights=amount[won], minlength=draws),
        "count": np.bincount(draw[won], minlength=draws).astype(float),
    }


def _creation_rate(company: Company, days: np.ndarray) -> np.ndarray:
    """Relative rate of creations on each day, good and bad quarters apart."""
    p, month = company.arrivals, days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    growth = (1 + p.growth_per_year) ** ((days - to_day(company.start)) / 365.25)
    return np.asarray(p.season)[month] * growth * is_working_day(days)


def _expected_creations(truth: Truth, period: Period) -> float:
    company = truth.company
    first, last = to_day(company.start), to_day(company.end)
    n_deals = int((truth._start.created <= last).sum())
    rate = _creation_rate(company, np.arange(first, last + 1))
    inside = slice(period.start_day - first, period.end_day + 1 - first)
    return float(n_deals * rate[inside].sum() / rate.sum())


def _good_or_bad(company: Company, n: int, rng: np.random.Generator) -> np.ndarray:
    spread = company.arrivals.spread
    return np.asarray(np.exp(rng.normal(-(spread**2) / 2, spread, n)))


def _both(one: State, other: State) -> State:
    return State(**{f.name: np.concatenate([getattr(one, f.name), getattr(other, f.name)]) for f in fields(State)})
