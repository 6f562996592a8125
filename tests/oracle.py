"""What was known of every deal on a day, by plain loops over the definitions: the oracle of the timeline.

It reads nothing of the package: a book is its deals and its kept history (``row`` = file order). Days are
whole days since 1970-01-01.
"""

from collections import defaultdict
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

RANKS = {f"S{k}": k for k in range(1, 9)}
ENDS = ("won", "lost", "no_decision", "withdrawn")
PAUSE, FIRST, OPEN, NEVER = "on_hold", "S1", "open", 10_000_000


def to_day(stamp: Any) -> int:
    return (pd.Timestamp(stamp).normalize() - pd.Timestamp("1970-01-01")).days


class Row(NamedTuple):
    day: int
    known: int
    field: str
    value: str


class Visit(NamedTuple):
    state: str
    entered: int
    left: int | None
    next_state: str | None


class Oracle:
    def __init__(self, deals: pd.DataFrame, history: pd.DataFrame, observed_from: int = -NEVER):
        self.observed_from = observed_from
        self.deals = {d["deal_id"]: d for d in deals.to_dict("records")}
        self.rows: dict[str, list[Row]] = defaultdict(list)  # in the order of what happened
        for h in history.sort_values(["changed_at", "row"], kind="stable").to_dict("records"):
            day = to_day(h["changed_at"])
            known = day if pd.isna(h["recorded_at"]) else max(day, to_day(h["recorded_at"]))
            self.rows[h["deal_id"]].append(Row(day, known, h["field"], h["value"]))

    def known_from(self, deal: str) -> int:
        rows = self.rows.get(deal)
        return min(r.known for r in rows) if rows else to_day(self.deals[deal]["created_at"])

    def known_deals(self, day: int) -> list[str]:
        return sorted(d for d in self.deals if self.known_from(d) <= day)

    def known_rows(self, deal: str, day: int, field: str | None = None) -> list[Row]:
        return [r for r in self.rows.get(deal, []) if r.known <= day and field in (None, r.field)]

    def last_seen(self, deal: str) -> int:
        day = self.deals[deal]["last_seen_on"]
        return NEVER if pd.isna(day) else to_day(day)

    def created(self, deal: str, day: int) -> int:
        at = self.deals[deal]["created_at"]
        return min([r.day for r in self.known_rows(deal, day)] + ([] if pd.isna(at) else [to_day(at)]))

    def stage_rows(self, deal: str, day: int) -> list[tuple[str, int]]:
        """Value and day; a deal of which no stage row is known stands in the first stage since creation."""
        known = [(r.value, r.day) for r in self.known_rows(deal, day, "stage")]
        return known or [(FIRST, self.created(deal, day))]

    def visits(self, deal: str, day: int) -> list[Visit]:
        """Consecutive stage rows with the same state are one visit."""
        rows = self.stage_rows(deal, day)
        starts = [row for k, row in enumerate(rows) if k == 0 or row[0] != rows[k - 1][0]]
        nexts = [*starts[1:], (None, None)]
        return [Visit(*this, left, then) for this, (then, left) in zip(starts, nexts, strict=True)]

    def state(self, deal: str, day: int) -> dict[str, Any]:
        visits = self.visits(deal, day)
        sellers = [value for value, _ in self.stage_rows(deal, day) if value in RANKS]
        steps = [RANKS[after] - RANKS[before] for before, after in pairwise(sellers)]
        holds = [v for v in visits if v.state == PAUSE]
        back = [b for a, b in pairwise(visits) if a.state in ENDS and b.state not in ENDS]
        return {
            "deal_id": deal, "as_of_day": day, "state": visits[-1].state, "since_day": visits[-1].entered,
            "stage": sellers[-1] if sellers else None,
            "n_visits": len(visits), "n_regressions": sum(step < 0 for step in steps),
            "n_skips": sum(step > 1 for step in steps), "n_holds": len(holds),
            "hold_days": sum(v.left - v.entered for v in holds if v.left is not None),
            "n_reopened": len(back), "entry_rank": RANKS[sellers[0]] if sellers else 0,
            "max_rank": max((RANKS[s] for s in sellers), default=0), "known_from": self.known_from(deal),
            "created_day": self.created(deal, day), "last_seen_day": self.last_seen(deal),
            **{f"n_entered_{s}": len({v.entered for v in visits if v.state == s}) for s in RANKS},
        }  # fmt: skip

    def outcome(self, deal: str, day: int) -> tuple[str, int]:
        """An end counts if it is the last stage row known; an open deal is observed until last seen."""
        last = self.visits(deal, day)[-1]
        return (last.state, last.entered) if last.state in ENDS else (OPEN, min(day, self.last_seen(deal)))

    def spells(self, deal: str, day: int) -> list[tuple[Any, ...]]:
        """deal, visit, state, rank, entered, left, next state, duration, late entry, first entry."""
        rows: list[tuple[Any, ...]] = []
        observed = max(self.known_from(deal), self.observed_from)
        for n, v in enumerate(self.visits(deal, day), 1):
            if v.state not in ENDS:
                until = min(day, self.last_seen(deal)) if v.left is None else v.left
                days = (max(0, until - v.entered), max(0, observed - v.entered))
                first = v.state not in [row[2] for row in rows]
                rows.append((deal, n, v.state, RANKS.get(v.state, 0), *v[1:], *days, first))
        return rows

    def clock(self, deal: str, day: int) -> list[tuple[Any, ...]]:
        """deal, state, rank, entered, entry, end, duration, retrospective (late entry, no time at risk)."""
        end, end_day = self.outcome(deal, day)
        rows = []
        for _, _, state, rank, entered, _, _, _, entry, first in self.spells(deal, day):
            duration = max(0, end_day - entered)
            if first:
                rows.append((deal, state, rank, entered, entry, end, duration, 0 < entry >= duration))
        return rows

    def lag(self, day: int) -> int:
        rows = [(d, r) for d in self.deals for r in self.known_rows(d, day, "stage")]
        lags = [r.known - r.day for d, r in rows if r.value in ENDS and r.day >= self.known_from(d)]
        return int(np.quantile(lags, 0.95, method="higher")) if lags else 0

    def landmarks(self, day: int, every: int = 28, *, ended: bool = False) -> list[tuple[Any, ...]]:
        """deal, landmark, state, days in state, age, end, duration; an ended deal can only be signed."""
        horizon, rows = day - self.lag(day), []
        begin = max(self.observed_from, min(map(self.known_from, self.deals), default=day))
        for mark in [m for m in range(day, begin - 1, -every) if m < horizon]:
            for deal in [d for d in self.known_deals(mark) if self.last_seen(d) >= mark]:
                then, (end, end_day) = self.state(deal, mark), self.outcome(deal, day)
                if end == OPEN or end_day > horizon or (ended and end != "won"):
                    end, end_day = OPEN, min(horizon, self.last_seen(deal))
                if then["state"] in (ENDS[1:] if ended else (*RANKS, PAUSE)):
                    ages = (mark - then["since_day"], mark - then["created_day"])
                    rows.append((deal, mark, then["state"], *ages, end, max(0, end_day - mark)))
        return rows

    def amount(self, deal: str, day: int) -> float:
        rows = self.known_rows(deal, day, "amount")
        state = self.state(deal, day)
        if state["state"] in ENDS and state["state"] != "won":
            rows = [r for r in rows if r.day <= state["since_day"]]
        numbers = [float(r.value) for r in rows if float(r.value) > 0]
        return numbers[-1] if numbers else self.deals[deal]["amount"]

    def owner(self, deal: str, day: int) -> str | None:
        names = [r.value for r in self.known_rows(deal, day, "rep_id")]
        return names[-1] if names else self.deals[deal]["rep_id"]

    def references(self, day: int) -> list[tuple[Any, ...]]:
        """day, state, deals won and known so that were in it, median and 90 % quantile of their days."""
        days: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for deal in [d for d in self.known_deals(day) if self.outcome(d, day)[0] == "won"]:
            for _, _, state, _, _, _, _, duration, _, _ in self.spells(deal, day):
                days[state][deal] += duration
        found = [(state, list(by_deal.values())) for state, by_deal in days.items()]
        return [(day, s, len(v), float(np.quantile(v, 0.5)), float(np.quantile(v, 0.9))) for s, v in found]

    def tallies(self, day: int, by: str) -> list[tuple[Any, ...]]:
        """day, owner (or value of a column of deals), ended, won; deals without a value are left out."""
        ends: dict[str, list[str]] = defaultdict(list)
        for deal in self.known_deals(day):
            value = self.owner(deal, day) if by == "rep_id" else self.deals[deal][by]
            if self.outcome(deal, day)[0] != OPEN and not pd.isna(value):
                ends[value].append(self.outcome(deal, day)[0])
        return [(day, value, len(e), e.count("won")) for value, e in ends.items()]
