"""Rules A: seller's stage, buyer's stage, milestones and conditions against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.control.hits import either, flag, pick
from salesanalytics.control.known import Known
from salesanalytics.control.won_pace import won_quantile
from salesanalytics.timeline.evidence import typed_in

Params = Mapping[str, Any]


def seller_ahead(known: Known, params: Params) -> pd.DataFrame:
    """A01. s - b >= gap; also gap - 1 where it has lasted more than persist_days (holds left out)."""
    gap, steps = params["gap"], known.steps
    ahead = known.deals["s"] - known.b
    wide = known.since(steps["s"] - steps["b"] >= gap)
    narrow = known.since(steps["s"] - steps["b"] >= gap - 1)
    lasting = (ahead >= gap - 1) & (known.days_since(narrow) > params["persist_days"])
    values = {"s": known.deals["s"], "b": known.b, "gap": ahead}
    return either(
        flag(known, ahead >= gap, since=wide, days=known.days_since(wide), **values),
        flag(known, lasting, since=narrow, days=known.days_since(narrow), **values),
    )


def seller_behind(known: Known, params: Params) -> pd.DataFrame:
    """A02. b - s >= 1 for more than persist_days (holds left out); high from 2, else medium."""
    behind = known.b - known.deals["s"]
    since = known.since(known.steps["b"] - known.steps["s"] >= 1)
    days = known.days_since(since)
    severity = pick(behind >= 2, "high", "medium")
    where = (behind >= 1) & (days > params["persist_days"])
    return flag(known, where, since=since, severity=severity, s=known.deals["s"], b=known.b, gap=behind, days=days)


def buyer_stage_stale(known: Known, params: Params) -> pd.DataFrame:
    """A03. No buyer stage was ever stated, or the last statement is older than max_age_days (holds left out).

    A statement is a row of the buyer's stage, the same stage again included.
    """
    said = known.last_day(known.rows("buyer_stage"))
    age = known.days_since(said)
    old = age > params["max_age_days"]
    return either(
        flag(known, old, since=said + params["max_age_days"], b=known.b, days=age),
        flag(known, said.isna(), since=known.deals["created_day"], text="_unknown"),
    )


def three_way_mismatch(known: Known, params: Params) -> pd.DataFrame:
    """A04. max(s, b, min(m+1, K)) - min(s, b, m+1) >= spread, where all three are known."""

    def spread(s: Any, b: Any, m: Any) -> Any:
        proved = np.minimum(m + 1, len(known.process.stages))
        return np.maximum(np.maximum(s, b), proved) - np.minimum(np.minimum(s, b), m + 1)

    now = spread(known.deals["s"], known.b, known.m)
    since = known.since(spread(known.steps["s"], known.steps["b"], known.steps["m"]) >= params["spread"])
    none = pick(known.m.eq(0), "_none", "")
    return flag(known, now >= params["spread"], since=since, text=none, s=known.deals["s"], b=known.b, m=known.m)


def milestone_missing(known: Known, params: Params) -> pd.DataFrame:
    """A05. s > m + 1; or (medium) M_s stands open after the median days of won deals in the stage."""
    s, steps = known.deals["s"], known.steps
    since = known.since(steps["s"] > steps["m"] + 1)
    usual = won_quantile(known, params["late_quantile"])
    own = pd.Series(np.nan, s.index)
    for order in known.milestone_days:
        own = own.mask(s == order, known.milestone_days[order])
    has_own = s.isin(known.milestone_days.columns)
    late = has_own & own.isna() & (known.deals["days"] > usual)
    started = known.deals["entered_day"]
    return either(
        flag(known, s > known.m + 1, since=since, text=pick(known.m.eq(0), "_none", ""), s=s, m=known.m),
        flag(
            known, late, since=started + usual, severity="medium", text="_late", s=s, days=known.deals["days"],
            usual=usual.round(),
        ),
    )  # fmt: skip


def milestone_without_proof(known: Known, params: Params) -> pd.DataFrame:
    """A06. A milestone done whose stated proof is ours or none, and no row of it has the buyer's.

    A row that does not say what proves it (no value) is not judged.
    """
    rows = known.rows("milestone")
    table = rows.assign(buyer=rows["evidence"].eq("buyer"), said=rows["evidence"].notna())
    each = table.groupby(["deal", "value"]).agg(buyer=("buyer", "max"), said=("said", "max"), day=("day", "min"))
    bare = each[each["said"] & ~each["buyer"]].reset_index().sort_values(["deal", "value"])
    names = known.on_deals(bare.groupby("deal")["value"].agg(", ".join))
    return flag(known, names.notna(), since=known.first_day(bare), items=names)


def earlier_conditions_open(known: Known, params: Params) -> pd.DataFrame:
    """A07. A required condition that applies stands open in a stage before s; high where the open weight exceeds
    share of their weight, else medium. Since the present stage was entered.
    """
    total = pd.Series(0.0, known.deals.index)
    undone, n = total.copy(), total.copy()
    for stage in known.process.stages:
        before = known.deals["s"] > stage.order
        for c in stage.conditions:
            if c.required:
                asked = before & known.applies[c.id]
                still = asked & known.closed_days[c.id].isna()
                total, undone, n = total + c.weight * asked, undone + c.weight * still, n + still
    share = undone / total.where(total > 0)
    severity = pick(share > params["share"], "high", "medium")
    return flag(known, n > 0, since=known.deals["entered_day"], severity=severity, n=n, s=known.deals["s"], share=share)


def work_off_stage(known: Known, params: Params) -> pd.DataFrame:
    """A08. More than share of at least min_tasks conditions done in the last window_days belong to stages two or more
    away from s. Tasks are conditions: other work does not say to which stage it belongs.
    """
    order = {c.id: stage.order for stage in known.process.stages for c in stage.conditions}
    recent = known.conditions[known.conditions["done"] & (known.conditions["day"] > known.day - params["window_days"])]
    s = known.deals["s"].reindex(recent["deal"]).to_numpy()
    off = pd.Series(np.abs(recent["condition"].map(order).to_numpy() - s) >= 2, recent.index)
    grouped = off.groupby(recent["deal"])
    n, n_off = known.on_deals(grouped.size(), 0), known.on_deals(grouped.sum(), 0)
    where = (n >= params["min_tasks"]) & (n_off > params["share"] * n)
    since = known.first_day(recent[off])
    return flag(known, where, since=since, n=n, n_off=n_off, s=known.deals["s"])


def bulk_ticking(known: Known, params: Params) -> pd.DataFrame:
    """A09. n conditions typed in within minutes, or share of a stage's conditions (at least two) done on the very day
    on which that stage was left; of those that apply to the deal. The first arm needs times of day. A condition
    un-ticked later on that day is none.
    """
    by_stage = {stage.id: stage for stage in known.process.stages}
    rank = {c.id: stage.order for stage in by_stage.values() for c in stage.conditions}
    rows = _ticked(known.rows("condition"))
    rows = rows.assign(stage=rows["condition"].map(rank))
    rows = rows[rows["stage"].notna()].drop_duplicates(["deal", "condition"])
    at = known.applies.index.get_indexer(rows["deal"]), known.applies.columns.get_indexer(rows["condition"])
    rows = rows[known.applies.to_numpy()[at]]
    ticked = rows.groupby(["deal", "stage", "day"]).size().rename("n").reset_index()
    own = known.stays[known.stays["deal"].isin(known.deals.index)]
    moved = own[["deal", "stage", "left_day"]].dropna().rename(columns={"left_day": "day"})
    ticked = ticked.merge(moved.drop_duplicates(), on=["deal", "stage", "day"])
    size = {stage.order: known.applies[[c.id for c in stage.conditions]].sum(axis=1) for stage in by_stage.values()}
    total = pd.Series(dtype=float) if not size else pd.concat(size).rename_axis(["stage", "deal"])
    ticked["of"] = total.reindex(pd.MultiIndex.from_frame(ticked[["stage", "deal"]])).to_numpy()
    bulk = ticked[(ticked["n"] >= 2) & (ticked["n"] >= params["share"] * ticked["of"])].drop_duplicates("deal")
    bulk = bulk.set_index("deal")
    found = known.on_deals(bulk["day"])
    names = [known.on_deals(bulk[c]) for c in ("n", "of", "stage")]
    return either(
        flag(known, found.notna(), since=found, text="_left", n=names[0], of=names[1], s=names[2]),
        _within_minutes(known, params),
    )


def _ticked(rows: pd.DataFrame) -> pd.DataFrame:
    """Ticks that stood at the end of their day, in their order: of each ``deal``, ``condition`` and ``day`` the first
    row of the last word, if that is neither undone nor waived.
    """
    said = rows["value"].str.extract("^(?P<condition>[^:]*):?(?P<word>.*)$")
    rows, each = rows.assign(**{name: said[name] for name in said}), ["deal", "condition", "day"]
    begins = rows["word"].ne(rows.groupby(each)["word"].shift())
    last = rows[begins].drop_duplicates(each, keep="last")
    return last[last["word"].eq("")]


def _within_minutes(known: Known, params: Params) -> pd.DataFrame:
    typed = typed_in(known.book, ["condition"], day=known.day, deal_ids=known.deals["deal_id"])
    typed = _ticked(typed.assign(deal=typed["deal_id"], day=typed["moment"].dt.normalize()))
    first = typed.groupby("deal_id")["moment"].shift(params["n"] - 1)
    quick = typed[(typed["moment"] - first) <= pd.Timedelta(minutes=params["minutes"])]
    at = quick.groupby("deal_id")["moment"].min()
    day = known.deals["deal_id"].map(at).dt.normalize().sub(pd.Timestamp(0)).dt.days
    return flag(known, day.notna(), since=day, n=params["n"], minutes=params["minutes"])
