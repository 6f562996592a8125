"""The walk of deals through the stages, day by day and all deals at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from salesanalytics.simulate.params import Walk
from salesanalytics.simulate.state import (
    LOST,
    N_STAGES,
    NO_DECISION,
    OPEN,
    WITHDRAWN,
    WON,
    State,
    days_to_quarter_end,
    is_working_day,
    quarter_index,
)  # fmt: skip


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
        Gets (day, deals, what, value): ``stage``, ``buyer``, ``hold``, ``resume``, ``end``, ``reopen``, ``dead``.
    """
    for day in range(first_day, last_day + 1):
        if is_working_day(day):
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
    died = moving[rng.random(len(moving)) < params.dead]
    state.dead[died] = True
    _note(log, day, died, "dead", state.stage)
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
    behind = state.stage[moving] < state.buyer[moving]
    ahead = (state.stage[moving] == state.buyer[moving]) & (state.stage[moving] < N_STAGES - 1)
    speed = np.where(state.fast[moving], np.exp(params.fast_pace), 1.0)
    runs = np.exp(state.eager[moving]) / params.ahead_days
    rate = np.where(behind, 1 / params.seller_days, np.where(ahead, runs, 0.0)) * speed
    moved = moving[rng.random(len(moving)) < 1 - np.exp(-rate)]
    skips = (rng.random(len(moved)) < params.skip) & (state.stage[moved] < state.buyer[moved] - 1)
    state.stage[moved] += 1 + skips
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
        walk(copies, params, first_day=day + 1, last_day=until, shock=shock, rng=rng)
        won += (copies.end == WON).reshape(times, n).sum(axis=0)
        done += times
    return won / draws
