"""Rules H (of deals), D and R06: the path of a deal through the stages, and records that cannot be right."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.control.hits import either, flag, pick
from salesanalytics.control.known import Known
from salesanalytics.timeline.calendar import GRACE_DAYS, quarter_of

Params = Mapping[str, Any]
RECENT_DAYS = 90  # ended deals are judged for so long; their record can still be put right
LOGGED_DAYS = 30  # late rows are reported for so long after they were typed in
LOGGED_FIELDS = ("stage", "buyer_stage", "milestone", "condition", "amount", "close_date")
FAST_TRACK = "fast_track"


def _own_stays(known: Known) -> pd.DataFrame:
    return known.stays[known.stays["deal"].isin(known.deals.index)]


def stage_regression(known: Known, params: Params) -> pd.DataFrame:
    """H01. The seller's stage fell (an end and a return in between do not count); high from high_n falls."""
    rows = _own_stays(known)
    falls = rows[rows["stage"] < rows["before_code"].where(rows["before_code"] <= len(known.process.stages))]
    n = known.on_deals(falls.groupby("deal").size(), 0)
    last = known.on_deals(falls.groupby("deal")[["before_code", "stage", "entered_day"]].last())
    severity = pick(n >= params["high_n"], "high", "medium")
    values = {"n": n, "s": last["stage"], "s_before": last["before_code"]}
    return flag(known, n > 0, since=last["entered_day"], severity=severity, **values)


def skipped_stage(known: Known, params: Params) -> pd.DataFrame:
    """H02. A move up by jump stages or more where no condition of a skipped stage stands done; deals of a fast-track
    class are exempt where the process lets those skip, all are where it lets everyone.
    """
    rows = _own_stays(known)
    up = rows[(rows["stage"] - rows["before_code"] >= params["jump"])]
    order = {c.id: stage.order for stage in known.process.stages for c in stage.conditions}
    done = known.conditions.loc[known.conditions["done"], ["deal", "condition"]]
    done = set(zip(done["deal"], done["condition"].map(order), strict=True))
    steps = up.loc[up.index.repeat((up["stage"] - up["before_code"] - 1).astype(int))]
    passed = steps["before_code"] + 1 + steps.groupby(level=0).cumcount()
    empty = [(deal, k) not in done for deal, k in zip(steps["deal"], passed, strict=True)]
    skipped = (
        steps.assign(skipped=passed)[np.array(empty, dtype=bool)].groupby("deal")[["skipped", "entered_day"]].last()
    )
    policy = known.process.transition_policy
    fast = {*(c.id for c in policy.fast_track_classes), FAST_TRACK} if policy.allow_skip == FAST_TRACK else set()
    exempt = known.deals["deal_class"].isin(fast) | (policy.allow_skip == "always")
    found = known.on_deals(skipped)
    return flag(known, found["skipped"].notna() & ~exempt, since=found["entered_day"], s=found["skipped"])


def born_late(known: Known, params: Params) -> pd.DataFrame:
    """H03. The first recorded stage is stage or a later one."""
    entry = known.deals["entry_rank"]
    return flag(known, entry >= params["stage"], since=known.deals["created_day"], s=entry)


def recently_ended(known: Known) -> pd.DataFrame:
    """Deals that ended in the last 90 days: a rule of ended deals reports them for so long."""
    return known.ended[known.ended["end_day"] > known.day - RECENT_DAYS]


def ended_hits(known: Known, chosen: pd.Series, *, text: str = "", **values: Any) -> pd.DataFrame:
    """Hits on ended deals, since their end."""
    deals = chosen.index[chosen.fillna(False).astype(bool)]  # noqa: FBT003
    end = known.ended.loc[deals, "end_day"].to_numpy()
    found = {k: v.reindex(deals).to_numpy() if isinstance(v, pd.Series) else v for k, v in values.items()}
    return pd.DataFrame({"deal": deals, "since_day": end, "text": text, **found})


def stated_creation(known: Known, deals: pd.Index) -> pd.Series:
    """``created_at`` of deals as the book states it, in days; NaN where it says nothing, or a day still to come."""
    at = known.book.deals["created_at"].set_axis(range(len(known.book.deals)), axis=0).reindex(deals)
    day = at.dt.normalize().sub(pd.Timestamp(0)).dt.days
    return day.where(day <= known.day)


def back_dated(known: Known, params: Params) -> pd.DataFrame:
    """H04. A deal ended before its ``created_at``, or no more than days after it; ended in the last 90 days."""
    ended = recently_ended(known)
    created = stated_creation(known, ended.index)
    took = ended["end_day"] - created
    return either(
        ended_hits(known, took < 0, text="_before", days=-took),
        ended_hits(known, took.between(0, params["days"]), days=took),
    )


def late_logging(known: Known, params: Params) -> pd.DataFrame:
    """H05. A change of stage, buyer stage, milestone, condition, amount or close date typed in more than lag_days
    after it happened, or after the quarter it belongs to was closed (30 days after its end); typed in within the last
    30 days, so that an alert is about something new.
    """
    parts = [known.rows(name)[["deal", "day", "known_day"]] for name in LOGGED_FIELDS]
    rows = pd.concat([part[part["known_day"] > known.day - LOGGED_DAYS] for part in parts])
    start = known.book.settings.fiscal_year_start
    closed = rows["day"].map({d: quarter_of(d, fiscal_year_start=start).end_day for d in rows["day"].unique()})
    late = rows[(rows["known_day"] - rows["day"] > params["lag_days"]) | (rows["known_day"] > closed + GRACE_DAYS)]
    worst = known.on_deals((late["known_day"] - late["day"]).groupby(late["deal"]).max())
    n = known.on_deals(late.groupby("deal").size(), 0)
    since = known.on_deals(late.groupby("deal")["known_day"].min())
    return flag(known, n > 0, since=since, n=n, days=worst)


def inconsistent(known: Known, params: Params) -> pd.DataFrame:
    """D01. Dates out of order: ``created_at`` after the first stage, a bid due before its tender, a milestone before
    the one it follows; of deals ended in the last 90 days: won without the last milestone (where the process calls that
    unproved), lost without a reason (where the book keeps any).

    Stage spells cannot overlap here: the history holds changes, and two stages at one instant are already reported
    with the faults of the book.
    """
    created = stated_creation(known, known.deals.index)
    first = known.on_deals(known.stays.groupby("deal")["entered_day"].min())
    parts = [flag(known, created > first, since=first, text="_created")]
    if {"bid_due", "tender_issued"} <= set(known.fields.index):
        due, issued = known.last("bid_due", "value_day"), known.last("tender_issued", "value_day")
        said = known.last_day(known.rows("bid_due"))
        parts.append(flag(known, due < issued, since=said, text="_bid"))
    if "milestone" in known.fields.index and len(known.milestone_days.columns) > 1:
        days = known.milestone_days
        back = days.diff(axis=1) < 0
        parts.append(flag(known, back.any(axis=1), since=days.where(back).min(axis=1), text="_milestones"))
    return either(*parts, *_unproved_ends(known))


def _unproved_ends(known: Known) -> list[pd.DataFrame]:
    ended, parts = recently_ended(known), []
    policy, ids = known.process.transition_policy, known.process.milestone_ids
    if "milestone" in known.fields.index and ids and policy.won_without_last_milestone == "unproved":
        rows = known.all_rows("milestone")
        proved = ended.index.isin(rows.loc[rows["value"].eq(ids[-1]), "deal"])
        parts.append(ended_hits(known, ended["end"].eq("won") & ~proved, text="_unproved", milestone=ids[-1]))
    if "reason" in known.fields.index:
        told = known.last_of_all("reason").reindex(ended.index).notna()
        parts.append(ended_hits(known, ended["end"].eq("lost") & ~told, text="_reason"))
    return parts


def duplicate_project(known: Known, params: Params) -> pd.DataFrame:
    """R06. An open deal and an earlier one of the same account, created within days of it, whose names are alike and
    whose amounts differ by no more than ``tolerance`` (default .2) of the larger one. The earlier one may have ended
    or vanished: an old deal is as easily entered anew by dropping it as by closing it.
    """
    tolerance = params.get("tolerance", 0.2)
    facts = ["name", "account_id", "amount", "created_day"]
    own = known.deals[["deal_id", *facts]].dropna().reset_index()
    gone = (known.ended[facts], known.vanished[facts])
    all_deals = pd.concat([own, *(part.reset_index() for part in gone if len(part))])
    all_deals["other_id"] = known.book.deals["deal_id"].to_numpy(dtype=object)[all_deals["deal"]]
    pairs = own.merge(all_deals.drop(columns="deal_id"), on="account_id", suffixes=("", "_b"))
    lag = pairs["created_day"] - pairs["created_day_b"]
    later = (lag > 0) | ((lag == 0) & (pairs["deal"] > pairs["deal_b"]))
    near = (pairs["amount"] - pairs["amount_b"]).abs() <= tolerance * pairs[["amount", "amount_b"]].max(axis=1)
    pairs = pairs[later & (lag <= params["days"]) & near & pairs["name_b"].notna()]
    alike = [SequenceMatcher(None, a, b).ratio() for a, b in zip(pairs["name"], pairs["name_b"], strict=True)]
    pairs = pairs.assign(alike=alike)
    pairs = pairs[pairs["alike"] >= params["similarity"]].sort_values("alike").drop_duplicates("deal", keep="last")
    found = known.on_deals(pairs.set_index("deal")[["other_id", "created_day"]])
    return flag(known, found["other_id"].notna(), since=found["created_day"], other=found["other_id"])
