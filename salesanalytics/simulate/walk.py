"""The walk of deals through the stages, day by day and all deals at once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from salesanalytics.simulate.params import Walk

OPEN, WON, LOST, NO_DECISION, WITHDRAWN = 0, 1, 2, 3, 4
ENDS = {WON: "won", LOST: "lost", NO_DECISION: "no_decision", WITHDRAWN: "withdrawn"}
N_STAGES = 8


@dataclass
class State:
    """Where every deal stands at the end of a day, hidden facts included; one element a deal.

    Attributes
    ----------
    created : ndarray of int
        Day of creation; a deal sleeps until then.
    pace, risk : ndarray of float
        What the facts and the hidden quality of a deal add to the log hazards of the buyer moving on, of losing.
    work : ndarray (n_deals, 8)
        What the conditions done in each stage add to the pace (and take from the risk).
    fast : ndarray of bool
    stage, buyer : ndarray of int
        Seller's and buyer's stage, 1..8.
    end : ndarray of int
        0 open, else the code of the end.
    end_day : ndarray of int
    hold, dead : ndarray of bool
        On hold; dead stock: nothing will ever happen, though nobody says so.
    """

    created: np.ndarray
    pace: np.ndarray
    risk: np.ndarray
    work: np.ndarray
    fast: np.ndarray
    stage: np.ndarray
    buyer: np.ndarray
    end: np.ndarray
    end_day: np.ndarray
    hold: np.ndarray
    dead: np.ndarray

    def take(self, rows: np.ndarray) -> State:
        """The state of some deals, repeated if a row is asked for twice."""
        return State(**{f.name: getattr(self, f.name)[rows].copy() for f in fields(self)})


def quarter_index(day: int) -> int:
    """Running number of the calendar quarter of a day since 1970-01-01."""
    month = np.datetime64(day, "D").astype("datetime64[M]").astype(int)
    return int(month // 3)


def days_to_quarter_end(day: int) -> int:
    """Days from a day to the last day of its calendar quarter."""
    first_after = (np.datetime64((quarter_index(day) + 1) * 3, "M")).astype("datetime64[D]").astype(int)
    return int(first_after - 1 - day)


def walk(
    state: State,
    params: Walk,
    *,
    first_day: int,
    last_day: int,
    shock: dict[int, Any],
    rng: np.random.Generator,
    log: list[tuple[int, np.ndarray, str, np.ndarray]] | None = None,
) -> None:
    """Move the state from the morning of ``first_day`` to the end of ``last_day``, in place.

    Parameters
    ----------
    shock : dict
        Quarter index -> shift of the log hazards of moving on and signing in that quarter, one number or one a deal.
    log : list, optional
        Gets (day, deals, what, value): ``stage``, ``buyer``, ``hold``, ``resume``, ``end``, ``reopen``.
    """
    for day in range(first_day, last_day + 1):
        _one_day(state, params, day, shock[quarter_index(day)], rng, log if log is not None else [])


def _one_day(state: State, params: Walk, day: int, shock: Any, rng: np.random.Generator, log: list[Any]) -> None:
    born = state.created <= day
    active = np.flatnonzero(born & (state.end == OPEN) & ~state.dead)
    push = np.broadcast_to(np.asarray(shock, dtype=float), state.stage.shape)
    paused = active[state.hold[active]]
    resumed = paused[rng.random(len(paused)) < 1 / params.resume_days]
    state.hold[resumed] = False
    _note(log, day, resumed, "resume", state.stage)
    moving = active[~state.hold[active]]
    _end_some(state, params, day, moving, rng, log)
    moving = moving[state.end[moving] == OPEN]
    _buyer_moves(state, params, day, moving, push, rng, log)
    moving = moving[state.end[moving] == OPEN]
    _seller_moves(state, params, day, moving, rng, log)
    held = moving[rng.random(len(moving)) < params.hold]
    state.hold[held] = True
    _note(log, day, held, "hold", state.stage)
    state.dead[moving[rng.random(len(moving)) < params.dead]] = True
    _reopen(state, params, day, rng, log)


def _note(log: list[Any], day: int, deals: np.ndarray, what: str, value: np.ndarray) -> None:
    if len(deals):
        log.append((day, deals, what, value[deals].copy()))


def _end_some(
    state: State, params: Walk, day: int, moving: np.ndarray, rng: np.random.Generator, log: list[Any]
) -> None:
    """Losing, no decision, withdrawal compete."""
    at = state.buyer[moving] - 1
    doing = state.work[moving, state.stage[moving] - 1]
    lost = np.asarray(params.lost)[at] * np.exp(state.risk[moving] - doing)
    fast = np.where(state.fast[moving], np.exp(params.fast_pace * 0.8), 1.0)
    undecided = np.asarray(params.no_decision)[at] * np.exp(0.5 * state.risk[moving])
    u = rng.random(len(moving)) / fast
    end = np.select(
        [u < lost, u < lost + undecided, u < lost + undecided + params.withdrawn], [LOST, NO_DECISION, WITHDRAWN], OPEN
    )
    ended = moving[end != OPEN]
    state.end[ended], state.end_day[ended] = end[end != OPEN], day
    _note(log, day, ended, "end", state.end)


def _buyer_moves(
    state: State,
    params: Walk,
    day: int,
    moving: np.ndarray,
    push: np.ndarray,
    rng: np.random.Generator,
    log: list[Any],
) -> None:
    """The customer moves on; from the last stage it signs, more often as the quarter ends."""
    at = state.buyer[moving] - 1
    doing = state.work[moving, state.stage[moving] - 1]
    rate = np.exp(state.pace[moving] + doing + push[moving] + params.fast_pace * state.fast[moving])
    rate = rate / np.asarray(params.buyer_days)[at]
    signs = state.buyer[moving] == N_STAGES
    pull = params.quarter_end_pull if days_to_quarter_end(day) < params.pull_days else 1 / params.quarter_end_pull**0.25
    u = rng.random(len(moving))
    moved = u < 1 - np.exp(-rate * np.where(signs, pull, 1.0))
    won = moving[moved & signs & (state.stage[moving] >= N_STAGES - 1)]
    state.end[won], state.end_day[won] = WON, day
    short = won[state.stage[won] < N_STAGES]
    state.stage[short] = N_STAGES
    _note(log, day, short, "stage", state.stage)
    _note(log, day, won, "end", state.end)
    on = moving[moved & ~signs]
    state.buyer[on] += 1
    _note(log, day, on, "buyer", state.buyer)


def _seller_moves(
    state: State, params: Walk, day: int, moving: np.ndarray, rng: np.random.Generator, log: list[Any]
) -> None:
    """The rep follows the customer, sometimes skips a stage, sometimes runs ahead, sometimes has to go back."""
    behind = (state.stage[moving] < state.buyer[moving]) & (state.stage[moving] < N_STAGES - 1)
    ahead = (state.stage[moving] == state.buyer[moving]) & (state.stage[moving] < N_STAGES - 1)
    speed = np.where(state.fast[moving], np.exp(params.fast_pace), 1.0)
    rate = np.where(behind, 1 / params.seller_days, np.where(ahead, 1 / params.ahead_days, 0.0)) * speed
    moved = moving[rng.random(len(moving)) < 1 - np.exp(-rate)]
    skips = (rng.random(len(moved)) < params.skip) & (state.stage[moved] < state.buyer[moved] - 1)
    state.stage[moved] += 1 + (skips & (state.stage[moved] < N_STAGES - 2))
    _note(log, day, moved, "stage", state.stage)
    back = moving[(rng.random(len(moving)) < params.regress) & (state.stage[moving] > 1)]
    state.stage[back] -= 1
    _note(log, day, back, "stage", state.stage)


def _reopen(state: State, params: Walk, day: int, rng: np.random.Generator, log: list[Any]) -> None:
    """A lost or undecided deal comes back, one stage earlier, for some months after its end."""
    ended = (state.end == LOST) | (state.end == NO_DECISION)
    recent = np.flatnonzero(ended & (day - state.end_day <= params.reopen_days) & (state.end_day < day))
    back = recent[rng.random(len(recent)) < params.reopen]
    state.end[back], state.stage[back] = OPEN, np.maximum(state.stage[back] - 1, 1)
    _note(log, day, back, "reopen", state.stage)


def forward(
    state: State,
    params: Walk,
    *,
    day: int,
    until: int,
    shock_now: float,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Share of futures in which each deal stands won at ``until``; quarters after that of ``day`` get new shocks."""
    n = len(state.stage)
    won = np.zeros(n)
    per_round = max(1, 400_000 // max(n, 1))
    done = 0
    while done < draws:
        times = min(per_round, draws - done)
        copies = state.take(np.tile(np.arange(n), times))
        now = quarter_index(day)
        shock: dict[int, Any] = {now: shock_now}
        for quarter in range(now + 1, quarter_index(until) + 1):
            shock[quarter] = rng.normal(0, params.shock, n * times)
        walk(copies, replace(params), first_day=day + 1, last_day=until, shock=shock, rng=rng)
        won += (copies.end == WON).reshape(times, n).sum(axis=0)
        done += times
    return won / draws
