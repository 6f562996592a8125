"""Speed and memory of the heavy steps, each as seconds and as a ratio to a peer or a plain implementation in one run.

Run alone on the machine: python benchmarks/speed.py
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics import cumulative_incidence, make_book, score_open_deals, simulate_book, snapshots

STATES = np.array([*(f"S{k}" for k in range(1, 9)), "won", "lost", "no_decision", "on_hold"], dtype=object)


def best(run: Callable[[], Any], times: int = 5) -> float:
    """Shortest wall time of several runs."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return min(taken)


def incidence(n: int = 1_000_000) -> None:
    rng = np.random.default_rng(0)
    days = rng.integers(0, 1500, n)
    end = pd.Categorical.from_codes(rng.integers(0, 4, n), ["open", "won", "lost", "no_decision"])
    entry = np.minimum(days, rng.integers(0, 30, n))
    ours = best(lambda: cumulative_incidence(days, end))
    late = best(lambda: cumulative_incidence(days, end, entry_days=entry))

    def plain() -> None:  # the pandas way, without standard errors
        counts = pd.crosstab(days, end)
        left = counts.sum(axis=1)
        at_risk = left.iloc[::-1].cumsum().iloc[::-1]
        events = counts.drop(columns="open")
        p_open = (1 - events.sum(axis=1) / at_risk).cumprod()
        (events.div(at_risk, axis=0).mul(p_open.shift(fill_value=1.0), axis=0)).cumsum()

    peer = best(plain, 3)
    print(f"incidence of {n:,} deals with standard errors: {1000 * ours:.0f} ms; with late entry {1000 * late:.0f} ms;")
    print(f"  pandas crosstab without standard errors {1000 * peer:.0f} ms (ratio {ours / peer:.2f})")


def history(n_deals: int = 100_000, n_events: int = 1_000_000, *, late: float = 0.0) -> tuple[pd.DataFrame, ...]:
    """Deals that walk through the stages over four years, about ten stage changes each, two thirds of them ended."""
    rng = np.random.default_rng(1)
    per_deal = n_events // n_deals
    deal = np.repeat(np.arange(n_deals), per_deal)
    step = np.tile(np.arange(per_deal), n_deals)
    created = rng.integers(0, 1400, n_deals)
    day = created[deal] + step * 20 + rng.integers(0, 20, len(deal))
    state = np.minimum(step, 7)
    ended = (step == per_deal - 1) & (rng.random(len(deal)) < 0.67)
    value = np.where(ended, STATES[8 + rng.integers(0, 3, len(deal))], STATES[state])
    start = np.datetime64("2021-01-01")
    deals = pd.DataFrame({"deal_id": [f"D{i:06d}" for i in range(n_deals)], "created_at": start + created})
    deals["amount"] = rng.integers(1, 1000, n_deals).astype(float)
    table = pd.DataFrame(
        {"deal_id": deals["deal_id"].to_numpy()[deal], "changed_at": start + day, "field": "stage", "value": value}
    )
    lag = np.where(rng.random(len(deal)) < late, rng.integers(1, 40, len(deal)), 0)
    return deals, table.assign(recorded_at=start + day + lag) if late else table


def snapshot_dates() -> list[date]:
    return [date(2022, 1, 31) + timedelta(days=30 * k) for k in range(24)]


def time_snapshots() -> None:
    for late in (0.0, 0.2):
        deals, table = history(late=late)
        started = time.perf_counter()
        book = make_book(deals=deals, history=table, settings={"extracted_on": "2026-01-01"})
        read = time.perf_counter() - started
        started = time.perf_counter()
        frame = snapshots(book, as_of=snapshot_dates())
        first = time.perf_counter() - started
        again = best(lambda book=book: snapshots(book, as_of=snapshot_dates()), 3)
        naive = time_naive(table)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"100k deals, 1M stage changes, {late:.0%} recorded late: book in {read:.1f} s; snapshots on 24 dates")
        print(f"  {len(frame):,} rows in {first:.2f} s the first time, {again:.2f} s after; {memory:.1f} GiB at peak")
        print(f"  pandas groupby-last alone on the same dates {naive:.1f} s (ratio {first / naive:.2f})")


def time_naive(table: pd.DataFrame) -> float:
    """What one would write in pandas for the bare state on each date: filter, sort, last row of each deal."""
    started = time.perf_counter()
    known = table.sort_values("changed_at", kind="stable")
    for day in snapshot_dates():
        known[known["changed_at"] <= pd.Timestamp(day)].groupby("deal_id", sort=False).tail(1)
    return time.perf_counter() - started


def time_scores(n_deals: int) -> None:
    """Close model of a simulated company of four years, fitted, tested on its past and asked for all open deals."""
    book = simulate_book(n_deals=n_deals, seed=1)
    started = time.perf_counter()
    scored = score_open_deals(book, as_of=book.settings.extracted_on, until="2026-12-31")
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{n_deals:,} deals, {len(book.history):,} history rows: close model fitted and {len(scored):,} open deals")
    print(f"  scored in {seconds:.0f} s; {memory:.1f} GiB at peak (of the whole run, simulation included)")


if __name__ == "__main__":
    incidence()
    time_snapshots()
    for n in (10_000, 100_000):
        time_scores(n)
