"""From what happened to what was typed in: the history rows of a company, with evidence, habits and delays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.process import Process
from salesanalytics.simulate.facts import condition_stages
from salesanalytics.simulate.params import Company
from salesanalytics.simulate.state import ENDS, LOST, NO_DECISION

REASONS = ("price", "quality", "brand", "standard", "relationship", "technical_fit", "payment_terms", "late_entry")
RIVALS = ("甲公司", "乙公司", "丙公司", "丁公司")
Log = list[tuple[int, np.ndarray, str, np.ndarray]]


@dataclass
class Rows:
    """History rows as they are collected: arrays of deal position, day, value, who, evidence."""

    parts: list[dict[str, np.ndarray]] = field(default_factory=list)

    def add(self, deal: np.ndarray, day: Any, name: str, value: Any, *, who: Any = None, evidence: Any = None) -> None:
        """Append rows of one field."""
        if n := len(deal):
            texts = {"field": name, "value": value, "who": who, "evidence": evidence}
            columns = {"deal": deal, "day": day} | {k: np.asarray(text, dtype=object) for k, text in texts.items()}
            self.parts.append({k: np.broadcast_to(column, n) for k, column in columns.items()})

    def table(self) -> pd.DataFrame:
        """All rows, in the order in which they were added."""
        return pd.DataFrame({k: np.concatenate([part[k] for part in self.parts]) for k in self.parts[0]})


def path_rows(rows: Rows, log: Log, deals: pd.DataFrame, start_stage: np.ndarray, process: Process) -> pd.DataFrame:
    """Stage rows; returns the visits to seller stages: ``deal``, ``stage``, ``entered``, ``left`` (-1 = never).

    A visit ends with the next stage row, or when the deal dies.
    """
    ids = np.array(process.stage_ids, dtype=object)
    position = np.arange(len(deals))
    rows.add(position, deals["created_day"], "stage", ids[start_stage - 1])
    moves = [pd.DataFrame({"deal": position, "day": deals["created_day"], "stage": start_stage})]
    for day, at, what, value in log:
        if what in ("stage", "reopen", "resume"):
            rows.add(at, day, "stage", ids[value - 1])
            moves.append(pd.DataFrame({"deal": at, "day": day, "stage": value}))
        elif what == "hold":
            rows.add(at, day, "stage", process.pause_state_ids[0])
            moves.append(pd.DataFrame({"deal": at, "day": day, "stage": 0}))
        elif what == "end":
            rows.add(at, day, "stage", np.array([ENDS[v] for v in value], dtype=object))
            moves.append(pd.DataFrame({"deal": at, "day": day, "stage": 0}))
        elif what == "dead":  # nobody says so, but the work stops
            moves.append(pd.DataFrame({"deal": at, "day": day, "stage": 0}))
    visits = pd.concat(moves, ignore_index=True).rename(columns={"day": "entered"})
    visits = visits.sort_values(["deal", "entered"], kind="stable", ignore_index=True)
    visits["left"] = visits.groupby("deal")["entered"].shift(-1).fillna(-1).astype(int)
    return visits[visits["stage"] > 0].reset_index(drop=True)


def buyer_rows(
    rows: Rows, log: Log, deals: pd.DataFrame, start_buyer: np.ndarray, process: Process, rng: np.random.Generator
) -> None:
    """Buyer's stages as the reps note them, the milestones that prove them, tender dates, awards."""
    ids = np.array(process.buyer_stage_ids, dtype=object)
    milestones = np.array(process.milestone_ids, dtype=object)
    tender = deals["route"].isin(["open_tender", "invited_tender"]).to_numpy()
    rows.add(np.arange(len(deals)), deals["created_day"], "buyer_stage", ids[start_buyer - 1])
    for day, at, what, value in log:
        if what == "buyer":
            rows.add(at, day, "buyer_stage", ids[value - 1])
            proved = rng.random(len(at)) < 0.85
            evidence = rng.choice(["buyer", "seller", "none"], size=proved.sum(), p=[0.62, 0.28, 0.10])
            rows.add(at[proved], day, "milestone", milestones[value[proved] - 2], evidence=evidence)
            calls = at[(value == 5) & tender[at]]
            rows.add(calls, day, "tender_issued", iso(np.full(len(calls), day)))
            rows.add(calls, day, "bid_due", iso(day + rng.integers(14, 40, len(calls))))
            rows.add(at[value == 7], day, "award", "yes")
        elif what == "end":
            won = at[value == 1]
            proved = won[rng.random(len(won)) < 0.92]
            rows.add(proved, day, "milestone", milestones[-1], evidence="buyer")
            lost = at[(value == LOST) | (value == NO_DECISION)]
            reason = np.where(
                value[(value == LOST) | (value == NO_DECISION)] == LOST, rng.choice(REASONS, len(lost)), "no_decision"
            )
            told = rng.random(len(lost)) < 0.8
            rows.add(lost[told], day, "reason", reason[told].astype(object))


def work_rows(
    rows: Rows, visits: pd.DataFrame, done: np.ndarray, company: Company, end_day: int, process: Process,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Conditions ticked: most while the stage lasts, some late, in some stages all at once on leaving, done or not."""
    first = visits.groupby(["deal", "stage"], as_index=False).first()
    bulk_tick = (rng.random(len(first)) < company.reps.bulk_tick) & (first["left"] >= 0)
    for i, (condition, stage) in enumerate(condition_stages(process)):
        here = (first["stage"] == stage).to_numpy()
        really = done[first["deal"], i]
        at, bulk, did = (part[here & (really | bulk_tick)] for part in (first, bulk_tick.to_numpy(), really))
        entered, left = at["entered"].to_numpy(), at["left"].to_numpy()
        stay = np.where(left < 0, end_day, left) - entered
        late = rng.random(len(at)) < 0.08
        day = entered + np.where(late, stay + rng.integers(3, 30, len(at)), stay * rng.beta(1.2, 1.8, len(at)))
        evidence = rng.choice(["buyer", "seller", "none"], size=len(at), p=[0.5, 0.38, 0.12])
        day, evidence = np.where(bulk, left, day).astype(int), np.where(did, evidence, "none").astype(object)
        rows.add(at["deal"].to_numpy(), day, "condition", condition, evidence=evidence)


def people_rows(
    rows: Rows, visits: pd.DataFrame, deals: pd.DataFrame, end_day: int, process: Process, rng: np.random.Generator
) -> None:
    """Roles reached, stances (better where the hidden quality is), rivals, quotes a little above the amount."""
    first = visits.groupby(["deal", "stage"], as_index=False).first()
    stay = np.where(first["left"] < 0, end_day, first["left"]) - first["entered"]
    first["soon"] = first["entered"] + (np.minimum(stay, 20) * rng.random(len(first))).astype(int)
    quality, amount = deals["quality"].to_numpy(), deals["amount"].to_numpy()
    for stage in process.stages:
        at = first[first["stage"] == stage.order]
        for role in sorted({r for either in stage.roles_reached_by_exit for r in either}):
            reached = at[rng.random(len(at)) < 0.6]
            deal, day = reached["deal"].to_numpy(), reached["soon"].to_numpy()
            rows.add(deal, day, "contact", role, who=role)
            stance = np.clip(np.round(rng.normal(0.4 + 0.4 * quality[deal], 0.9)), -2, 2).astype(int)
            rows.add(deal, day, "stance", [f"{role}:{s}" for s in stance], who=role)
    rival = first[(first["stage"] == 4) & (rng.random(len(first)) < 0.6)]
    rows.add(rival["deal"].to_numpy(), rival["entered"].to_numpy(), "competitor", rng.choice(RIVALS, len(rival)))
    quoted = first[first["stage"] == 5]
    deal = quoted["deal"].to_numpy()
    quote = money(amount[deal] * rng.uniform(1.0, 1.12, len(deal)))
    rows.add(deal, quoted["soon"].to_numpy(), "quote", quote)


def record(table: pd.DataFrame, deals: pd.DataFrame, company: Company, rng: np.random.Generator) -> pd.DataFrame:
    """Add when each row was typed in; what reps note of a weekend is dated on its Friday."""
    p, n = company.recording, len(table)
    day = table["day"].to_numpy() - np.maximum((table["day"].to_numpy() + 3) % 7 - 4, 0)
    lag = rng.geometric(np.where(rng.random(n) < p.slow_share, 1 / p.slow_mean_days, 1 / p.mean_lag_days))
    lag = np.where(rng.random(n) < p.at_once, 0, lag)
    opening = rng.geometric(1 / (1 + p.creation_mean_lag_days), len(deals)) - 1
    opened = _working_days_later(deals["created_day"].to_numpy(), opening)[table["deal"].to_numpy()]
    recorded = np.maximum(_working_days_later(day, lag), opened)
    hour = rng.integers(8 * 60, 18 * 60, n)
    return table.assign(
        day=day,
        changed_at=day.astype("datetime64[D]").astype("datetime64[s]"),
        recorded_at=recorded.astype("datetime64[D]").astype("datetime64[s]") + hour.astype("timedelta64[m]"),
        recorded_day=recorded,
    )


def _working_days_later(day: np.ndarray, n: np.ndarray) -> np.ndarray:
    return np.busday_offset(np.asarray(day).astype("datetime64[D]"), n).astype("int64")


def iso(days: np.ndarray) -> np.ndarray:
    """Days since 1970-01-01 as ISO text."""
    return np.asarray(days).astype("int64").astype("datetime64[D]").astype(str).astype(object)


def money(amounts: np.ndarray) -> np.ndarray:
    """Amounts as text, in whole thousands."""
    return np.maximum(np.round(amounts, -3), 1000).astype("int64").astype(str).astype(object)
