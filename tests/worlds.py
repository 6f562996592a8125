"""Small worlds whose truth is known: deals that move by constant daily chances, and what that implies exactly."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.book import make_book

START = pd.Timestamp("2010-01-01")
#: Daily chances of (next stage, won, lost) in each stage; the last stage has no next one.
CHANCES = {"S1": (0.02, 0.002, 0.008), "S2": (0.02, 0.004, 0.006), "S3": (0.0, 0.015, 0.010)}
COLUMNS = ["deal_id", "changed_at", "field", "value"]


def day_of(number):
    return START + pd.to_timedelta(number, unit="D")


def true_incidence(stage, horizon, chances=None):
    """Chance of being won within ``horizon`` days from a stage, by the powers of the daily transition matrix."""
    chances = CHANCES if chances is None else chances
    stages = list(chances)
    n = len(stages)
    step = np.eye(n + 2)
    for i, name in enumerate(stages):
        up, won, lost = chances[name]
        step[i] = 0
        step[i, n], step[i, n + 1], step[i, i] = won, lost, 1 - up - won - lost
        if up:
            step[i, i + 1] = up
    return float(np.linalg.matrix_power(step, int(horizon))[stages.index(stage), n])


def path(rng, born, until, chances):
    """States of one deal with the day on which each began."""
    stages, rows, day, i = list(chances), [], born, 0
    rows.append((stages[0], day))
    while True:
        p = np.array(chances[stages[i]])
        day += int(rng.geometric(p.sum()))
        if day > until:
            return rows
        kind = rng.choice(3, p=p / p.sum())
        if kind:
            return [*rows, (("won", "lost")[kind - 1], day)]
        i += 1
        rows.append((stages[i], day))


def simulate(seed, *, days, per_day=0.5, chances=None, prefix="", amount=None):
    """Deals and history of a company in which nothing changes; births are Poisson."""
    rng = np.random.default_rng(seed)
    chances = CHANCES if chances is None else chances
    born = np.sort(rng.integers(0, days, rng.poisson(per_day * days)))
    ids = [f"{prefix}D{i:05d}" for i in range(len(born))]
    rows = [
        (deal, day, "stage", state)
        for deal, b in zip(ids, born, strict=True)
        for state, day in path(rng, b, days - 1, chances)
    ]
    history = pd.DataFrame(rows, columns=COLUMNS)
    history["changed_at"] = day_of(history["changed_at"].to_numpy(dtype="int64"))
    amounts = rng.lognormal(3, 0.5, len(born)).round(1) if amount is None else np.full(len(born), float(amount))
    deals = pd.DataFrame({"deal_id": ids, "created_at": day_of(born), "amount": amounts})
    return deals, history


def book_of(deals, history, *, last=None, targets=None, **settings):
    """The book, which ends on day number ``last``."""
    if last is not None:
        settings |= {"extracted_on": day_of(last).date().isoformat()}
    return make_book(deals=deals, history=history, targets=targets, settings=settings)


def tiny(paths, *, last, created=None, deals=None, history=(), **settings):
    """A book from ``{deal: [(state, day), (state, day, day recorded), ...]}``, days counted from START.

    ``created`` gives days of creation (default the first row), ``deals`` further columns, ``history`` further rows
    (deal, field, value, day, day recorded).
    """
    rows = [(d, day[0], day[-1], "stage", state) for d, states in paths.items() for state, *day in states]
    rows += [(d, day[0], day[-1], field, str(value)) for d, field, value, *day in history]
    table = pd.DataFrame(rows, columns=["deal_id", "changed_at", "recorded_at", "field", "value"])
    if (table["changed_at"] == table["recorded_at"]).all():
        table = table.drop(columns="recorded_at")
    for name in ("changed_at", "recorded_at"):
        if name in table:
            table[name] = day_of(table[name].to_numpy(dtype="int64"))
    born = {d: states[0][1] if states else 0 for d, states in paths.items()} | (created or {})
    born_on = day_of(np.array([born[d] for d in paths], dtype="int64"))
    facts = pd.DataFrame({"deal_id": list(paths), "created_at": born_on}).assign(**(deals or {}))
    return book_of(facts, table, last=last, **settings)
