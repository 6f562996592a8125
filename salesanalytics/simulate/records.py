"""From what happened to what was typed in: the history rows of a company, with evidence, habits and delays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from salesanalytics.process import Process
from salesanalytics.simulate.facts import Reps
from salesanalytics.simulate.params import Company
from salesanalytics.simulate.walk import ENDS, LOST, N_STAGES, NO_DECISION

REASONS = ("price", "quality", "brand", "standard", "relationship", "technical_fit", "payment_terms", "late_entry")
RIVALS = ("甲公司", "乙公司", "丙公司", "丁公司")
Log = list[tuple[int, np.ndarray, str, np.ndarray]]


@dataclass
class Rows:
    """History rows as they are collected: arrays of deal position, day, value, who, evidence."""

    parts: list[pd.DataFrame] = field(default_factory=list)

    def add(self, deal: np.ndarray, day: Any, name: str, value: Any, *, who: Any = None, evidence: Any = None) -> None:
        """Append rows of one field."""
        if len(deal):
            columns = {"deal": deal, "day": day, "field": name, "value": value, "who": who, "evidence": evidence}
            self.parts.append(pd.DataFrame(columns))

    def table(self) -> pd.DataFrame:
        """All rows, in the order in which they were added."""
        return pd.concat(self.parts, ignore_index=True)


def path_rows(rows: Rows, log: Log, deals: pd.DataFrame, start_stage: np.ndarray, process: Process) -> pd.DataFrame:
    """Stage rows; returns the visits to seller stages: ``deal``, ``stage``, ``entered``, ``left`` (-1 = never)."""
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
            rows.add(calls, day, "tender_issued", _date(np.full(len(calls), day)))
            rows.add(calls, day, "bid_due", _date(day + rng.integers(14, 40, len(calls))))
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
    rows: Rows, visits: pd.DataFrame, done: np.ndarray, end_day: int, process: Process, rng: np.random.Generator
) -> None:
    """Conditions ticked (most while the stage lasts, some late), roles reached, stances, quotes, rivals."""
    first = visits.groupby(["deal", "stage"], as_index=False).first()
    for i, condition in enumerate(process.condition_ids):
        at = first[first["stage"] == int(condition[1])]
        at = at[done[at["deal"].to_numpy(), i]]
        stay = np.where(at["left"] < 0, end_day, at["left"]) - at["entered"].to_numpy()
        late = rng.random(len(at)) < 0.08
        day = at["entered"].to_numpy() + np.where(
            late, stay + rng.integers(3, 30, len(at)), stay * rng.beta(1.2, 1.8, len(at))
        )
        evidence = rng.choice(["buyer", "seller", "none"], size=len(at), p=[0.5, 0.38, 0.12])
        rows.add(at["deal"].to_numpy(), day.astype(int), "condition", condition, evidence=evidence)
    for stage in process.stages:
        at = first[first["stage"] == stage.order]
        for role in sorted({r for either in stage.roles_reached_by_exit for r in either}):
            reached = at[rng.random(len(at)) < 0.6]
            day = reached["entered"].to_numpy() + rng.integers(0, 15, len(reached))
            rows.add(reached["deal"].to_numpy(), day, "contact", role, who=role)
            stance = np.clip(np.round(rng.normal(0.5, 0.9, len(reached))), -2, 2).astype(int)
            rows.add(reached["deal"].to_numpy(), day, "stance", [f"{role}:{s}" for s in stance], who=role)
    quoted, rival = first[first["stage"] == 5], first[first["stage"] == 4]
    rival = rival[rng.random(len(rival)) < 0.6]
    rows.add(rival["deal"].to_numpy(), rival["entered"].to_numpy(), "competitor", rng.choice(RIVALS, len(rival)))
    rows.add(quoted["deal"].to_numpy(), quoted["entered"].to_numpy() + 3, "quote", "")


def habit_rows(
    rows: Rows, visits: pd.DataFrame, deals: pd.DataFrame, reps: Reps, company: Company, end_day: int, process: Process,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """What reps do all along: activities, next steps, dates that are pushed, probabilities, amounts, owners."""
    deal, entered = visits["deal"].to_numpy(), visits["entered"].to_numpy()
    left = np.where(visits["left"] < 0, end_day, visits["left"]).astype(int)
    busy = np.repeat(np.arange(len(visits)), rng.poisson((left - entered) / 16))
    day = entered[busy] + ((left - entered)[busy] * rng.random(len(busy))).astype(int)
    kinds = rng.choice(
        ["visit", "meeting", "call_out", "call_in", "mail_out", "mail_in"],
        len(busy),
        p=[0.2, 0.1, 0.25, 0.12, 0.2, 0.13],
    )
    rows.add(deal[busy], day, "activity", kinds)
    planned = rng.random(len(busy)) < 0.5
    rows.add(deal[busy][planned], day[planned], "next_step", _date(day[planned] + rng.integers(3, 21, planned.sum())))
    nominal = np.array([s.nominal_win_rate or 0.5 for s in process.stages])
    stage = visits["stage"].to_numpy()
    optimism = reps.optimism[deals["rep"].to_numpy()[deal]]
    p = expit(logit(np.clip(nominal[stage - 1], 0.02, 0.97)) + optimism + rng.normal(0, 0.3, len(visits)))
    rows.add(deal, entered, "probability", np.round(p, 2).astype(str))
    rows.add(
        deal,
        entered,
        "category",
        np.select([p > 0.8, p > 0.5, p > 0.15], ["commit", "best_case", "pipeline"], "omitted"),
    )
    ahead = np.asarray(company.walk.buyer_days)[::-1].cumsum()[::-1]
    date = entered + ahead[stage - 1] * np.exp(rng.normal(-0.35, 0.35, len(visits)) - 0.15 * optimism)
    rows.add(deal, entered, "close_date", _date(date.astype(int)))
    passed = (date < left - 5) & (date > entered)
    pushed = date[passed] + rng.integers(0, 10, passed.sum())
    rows.add(
        deal[passed], pushed.astype(int), "close_date", _date((pushed + rng.integers(30, 95, passed.sum())).astype(int))
    )
    moved = (rng.random(len(visits)) < 0.25) & (stage > 1)
    amount = deals["amount"].to_numpy()[deal[moved]] * np.exp(rng.normal(-0.03, 0.15, moved.sum()))
    rows.add(deal[moved], entered[moved], "amount", np.round(amount, -3).astype(int).astype(str))
    leaves = rng.random(len(visits)) < 1 - np.exp(-company.reps.owner_change * (left - entered))
    region = reps.table["region"].to_numpy()
    owner = [rng.choice(np.flatnonzero(region == r)) for r in deals["region"].to_numpy()[deal[leaves]]]
    ids = reps.table["rep_id"].to_numpy(dtype=object)
    rows.add(
        deal[leaves], (entered + (left - entered) / 2).astype(int)[leaves], "rep_id", ids[np.array(owner, dtype=int)]
    )


def fill_quotes(table: pd.DataFrame, deals: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Quotes lie a little above the amount."""
    quotes = table["field"].eq("quote")
    amount = deals["amount"].to_numpy()[table.loc[quotes, "deal"]]
    table.loc[quotes, "value"] = np.round(amount * rng.uniform(1.0, 1.12, quotes.sum()), -3).astype(int).astype(str)
    return table


def record(table: pd.DataFrame, deals: pd.DataFrame, company: Company, rng: np.random.Generator) -> pd.DataFrame:
    """Add when each row was typed in: some at once, most after days, a few after weeks, none before the deal itself."""
    p, n = company.recording, len(table)
    lag = rng.exponential(np.where(rng.random(n) < p.slow_share, p.slow_mean_days, p.mean_lag_days))
    lag = np.where(rng.random(n) < p.at_once, 0, lag).astype(int)
    opened = deals["created_day"].to_numpy() + rng.exponential(p.creation_mean_lag_days, len(deals)).astype(int)
    recorded = np.maximum(table["day"].to_numpy() + lag, opened[table["deal"].to_numpy()])
    hour = rng.integers(8 * 60, 18 * 60, n)
    return table.assign(
        changed_at=table["day"].to_numpy().astype("datetime64[D]").astype("datetime64[s]"),
        recorded_at=recorded.astype("datetime64[D]").astype("datetime64[s]") + hour.astype("timedelta64[m]"),
        recorded_day=recorded,
    )


def _date(days: np.ndarray) -> np.ndarray:
    return np.asarray(days).astype("int64").astype("datetime64[D]").astype(str).astype(object)


__all__ = ["N_STAGES", "Rows", "buyer_rows", "fill_quotes", "habit_rows", "path_rows", "record", "work_rows"]
