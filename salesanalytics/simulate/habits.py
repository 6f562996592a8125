"""What reps do all along: activities, own forecasts, dates pushed, amounts corrected, owners changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from salesanalytics.process import Process
from salesanalytics.simulate.facts import Reps
from salesanalytics.simulate.params import Company
from salesanalytics.simulate.records import Rows, iso, money

OUTWARD = {"call_out": 0.42, "mail_out": 0.33, "visit": 0.25}
INWARD = {"call_in": 0.36, "mail_in": 0.36, "meeting": 0.28}
ACTIVITY_DAYS = 16
PUSHES = 6
BACK_DATED_DAYS = (25, 60)  # from leaving the stage to the day of typing


def habit_rows(
    rows: Rows, visits: pd.DataFrame, deals: pd.DataFrame, reps: Reps, company: Company, end_day: int, process: Process,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Rows of all habits, stage visit by stage visit."""
    visits = visits.assign(left=np.where(visits["left"] < 0, end_day, visits["left"]))
    visits["quality"] = deals["quality"].to_numpy()[visits["deal"]]
    owner = _owner_rows(rows, visits, deals, reps, company.reps.owner_change, rng)
    optimism = reps.optimism[owner]
    _activity_rows(rows, visits, rng)
    _opinion_rows(rows, visits, optimism, company.reps.insight, process, rng)
    _close_date_rows(rows, visits, optimism, company, rng)
    corrected = visits[(rng.random(len(visits)) < 0.25) & (visits["stage"] > 1)]
    deal = corrected["deal"].to_numpy()
    amount = deals["amount"].to_numpy()[deal] * np.exp(rng.normal(-0.03, 0.15, len(deal)))
    rows.add(deal, corrected["entered"].to_numpy(), "amount", money(amount))


def back_dated(table: pd.DataFrame, visits: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """The recorded history with the conditions of some stages typed in weeks after they were left, their dates kept.

    Adds ``back_dated``, the stage so treated (0: none).
    """
    first = visits.groupby(["deal", "stage"], as_index=False).first()
    first = first[(first["left"] >= 0) & (rng.random(len(first)) < share)]
    late = np.busday_offset(
        (first["left"] + rng.integers(*BACK_DATED_DAYS, len(first))).to_numpy().astype("datetime64[D]"), 0, "forward"
    )
    typed = pd.Series(late.astype("int64"), pd.MultiIndex.from_frame(first[["deal", "stage"]]))
    stage = table["value"].where(table["field"].eq("condition"), "S0").str[1:2].astype(int)
    day = typed.reindex(pd.MultiIndex.from_arrays([table["deal"], stage])).to_numpy()
    moved = np.fmax(table["recorded_day"].to_numpy(), day).astype("int64")
    shift = (moved - table["recorded_day"].to_numpy()).astype("timedelta64[D]")
    return table.assign(
        recorded_day=moved, recorded_at=table["recorded_at"] + shift, back_dated=np.where(np.isnan(day), 0, stage)
    )


def _owner_rows(
    rows: Rows, visits: pd.DataFrame, deals: pd.DataFrame, reps: Reps, hazard: float, rng: np.random.Generator
) -> np.ndarray:
    """A colleague of the region takes over halfway through a visit; returns the owner when each visit begins."""
    owner = deals["rep"].to_numpy().copy()
    region, ids = reps.table["region"].to_numpy(), reps.table["rep_id"].to_numpy(dtype=object)
    deal, entered, left = (visits[c].to_numpy() for c in ("deal", "entered", "left"))
    leaves = rng.random(len(visits)) < 1 - np.exp(-hazard * (left - entered))
    at_entry = owner[deal]
    new = np.full(len(visits), -1)
    for i in np.flatnonzero(leaves):
        now = owner[deal[i]]
        colleagues = np.flatnonzero((region == region[now]) & (ids != ids[now]))
        if len(colleagues):
            new[i] = owner[deal[i]] = rng.choice(colleagues)
            later = np.flatnonzero(deal[i + 1 : i + 200] == deal[i]) + i + 1
            at_entry[later] = new[i]
    changed = new >= 0
    rows.add(deal[changed], (entered + (left - entered) // 2)[changed], "rep_id", ids[new[changed]])
    return at_entry


def _activity_rows(rows: Rows, visits: pd.DataFrame, rng: np.random.Generator) -> None:
    """Activities; customers come back more often where the hidden quality is; half plan a next step."""
    deal, entered, left = (visits[c].to_numpy() for c in ("deal", "entered", "left"))
    busy = np.repeat(np.arange(len(visits)), rng.poisson((left - entered) / ACTIVITY_DAYS))
    day = entered[busy] + ((left - entered)[busy] * rng.random(len(busy))).astype(int)
    inward = rng.random(len(busy)) < expit(logit(0.35) + 0.7 * visits["quality"].to_numpy()[busy])
    drawn = [rng.choice(list(kinds), len(busy), p=list(kinds.values())) for kinds in (OUTWARD, INWARD)]
    rows.add(deal[busy], day, "activity", np.where(inward, drawn[1], drawn[0]).astype(object))
    planned = rng.random(len(busy)) < 0.5
    rows.add(deal[busy][planned], day[planned], "next_step", iso(day[planned] + rng.integers(3, 21, planned.sum())))


def _opinion_rows(
    rows: Rows, visits: pd.DataFrame, optimism: np.ndarray, insight: float, process: Process, rng: np.random.Generator
) -> None:
    """The rep's probability: the nominal rate, some insight, optimism, in steps of 5 %; and the category."""
    deal, entered, stage = (visits[c].to_numpy() for c in ("deal", "entered", "stage"))
    nominal = np.array([s.nominal_win_rate or 0.5 for s in process.stages])[stage - 1]
    seen = insight * visits["quality"].to_numpy() + rng.normal(0, 0.3, len(visits))
    p = np.clip(np.round(expit(logit(np.clip(nominal, 0.02, 0.97)) + optimism + seen) * 20) / 20, 0.05, 1.0)
    rows.add(deal, entered, "probability", np.char.mod("%.2f", p).astype(object))
    names = ["commit", "best_case", "pipeline"]
    rows.add(deal, entered, "category", np.select([p > 0.8, p > 0.5, p > 0.15], names, "omitted").astype(object))


def _close_date_rows(
    rows: Rows, visits: pd.DataFrame, optimism: np.ndarray, company: Company, rng: np.random.Generator
) -> None:
    """An expected signing date on entering a stage, early rather than late, pushed whenever it has passed."""
    deal, entered, left, stage = (visits[c].to_numpy() for c in ("deal", "entered", "left", "stage"))
    ahead = np.asarray(company.walk.buyer_days)[::-1].cumsum()[::-1] * 7 / 5
    date = entered + (ahead[stage - 1] * np.exp(rng.normal(-0.35, 0.35, len(visits)) - 0.15 * optimism)).astype(int)
    rows.add(deal, entered, "close_date", iso(date))
    for _ in range(PUSHES):
        noticed = date + rng.integers(0, 10, len(date))
        passed = noticed < left
        deal, left, noticed = deal[passed], left[passed], noticed[passed]
        date = noticed + rng.integers(30, 95, len(noticed))
        rows.add(deal, noticed, "close_date", iso(date))
