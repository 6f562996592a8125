"""Rows for models of time to signing: start-stop rows from landmarks, and one row a deal from its creation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.features.history import amount, clocks
from salesanalytics.features.landmarks import landmark_snapshots
from salesanalytics.features.work import activity, people, three_clocks
from salesanalytics.timeline import known_outcomes, owners
from salesanalytics.timeline.asof_values import amounts_at
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.replay import collect
from salesanalytics.timeline.spells import open_deals, recording_lag_days
from salesanalytics.timeline.values import fields_since
from salesanalytics.timeline.work import conditions_done

FEATURES = (clocks, amount, three_clocks, activity, people)
CAP = 50_000  # rows; more add little to the intervals and much to the wait
DEAL_DAYS = 300_000  # deals times days that are asked for at once, which keeps the memory small
KEY = ["deal_id", "landmark_day"]
SHARES = ("conditions_here", "conditions_behind")


def start_stop_rows(book: DealBook, *, as_of: Any, every_days: int) -> pd.DataFrame:
    """Stretches of a deal's life with what was known of it when they began; the clock runs from its creation.

    Returns
    -------
    DataFrame, one row an open deal and landmark
        ``deal_id``, ``start``, ``stop`` (days since creation; at risk if start < t <= stop), ``signed`` (at
        ``stop``), ``state``, and the facts of the landmark: ``conditions_here``, ``conditions_behind`` (shares by
        weight of the present stage, of the stages before it), ``rep_load`` (open deals of the owner), ``buyer_lag``,
        ``milestones_in_row``, ``amount``, ``days_in_state``, ``days_since_inbound`` (since creation where there was
        none), ``n_roles`` (0 where none), ``stance_mean`` (0 where none), ``competitor_known``,
        ``quote_before_decision_maker``, the attributes. Fields of which nothing is known yet are NaN. Another end
        than signing closes the row without event. A signing dated before the landmark but recorded after it falls on
        the row's first day.
    """
    rows = landmark_snapshots(book, as_of=as_of, every_days=every_days, cap=CAP, features=FEATURES)
    born = (rows["landmark_day"] - rows["age_days"]).groupby(rows["deal_id"]).transform("min")
    start = rows["landmark_day"] - born
    signed = rows["end"].eq("won") & (rows["duration_days"] <= every_days)
    last = rows["duration_days"].clip(upper=every_days)
    rows = rows.assign(start=start, stop=start + last.where(~signed, last.clip(lower=1)), signed=signed)
    rows = rows[rows["stop"] > rows["start"]].reset_index(drop=True)
    day = as_of_day(book, as_of)
    kept = {field for field, since in fields_since(book).items() if since <= day}
    if "activity" in kept:
        rows["days_since_inbound"] = rows["days_since_inbound"].fillna(rows["age_days"])
    for name, field in (("n_roles", "contact"), ("stance_mean", "stance")):
        if field in kept:
            rows[name] = rows[name].fillna(0.0)
    for name, field in (("competitor_known", "competitor"), ("quote_before_decision_maker", "quote")):
        rows[name] = rows[name].astype(float) if field in kept else np.nan
    has = "condition" in kept
    added = [_rep_load(book, part).join(_conditions(book, part, kept=has)) for part in _parts(book, rows)]
    return rows.join(pd.concat(added)) if added else rows.assign(rep_load=np.nan, **dict.fromkeys(SHARES, np.nan))


def _parts(book: DealBook, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows of a few landmarks at a time: what is asked of the timeline covers all deals on those days."""
    days = np.unique(rows["landmark_day"])
    at_once = max(DEAL_DAYS // max(len(book.deals), 1), 1)
    for start in range(0, len(days), at_once):
        yield rows[rows["landmark_day"].isin(days[start : start + at_once])]


def _rep_load(book: DealBook, rows: pd.DataFrame) -> pd.DataFrame:
    """Open deals (this one included) that the owner of each row had on its landmark; NaN without an owner."""
    days = _days(rows)
    key = ["landmark_day", "rep_id"]
    standing = collect(book, open_deals(book, days=days).select("deal", "as_of_day"))
    held = standing.merge(owners(book, days), on=["deal_id", "as_of_day"]).rename(columns={"as_of_day": "landmark_day"})
    counts = held.groupby(key).size().rename("rep_load").astype(float)
    return rows[key].join(counts, on=key)[["rep_load"]]


def _conditions(book: DealBook, rows: pd.DataFrame, *, kept: bool) -> pd.DataFrame:
    """Shares by weight of the conditions done in the present stage, and in those before it; NaN if none are kept."""
    rank = rows["stage_rank"].to_numpy()
    weights = np.array([0.0, *(sum(c.weight for c in s.conditions) for s in book.process.stages)])
    asked = dict(zip(SHARES, (weights[rank], np.cumsum(weights)[np.maximum(rank - 1, 0)]), strict=True))
    if not kept:
        return pd.DataFrame(np.nan, rows.index, list(SHARES))
    done = conditions_done(book, _days(rows)).rename(columns={"as_of_day": "landmark_day", "stage_rank": "of_stage"})
    done["deal_id"] = book.deals["deal_id"].to_numpy(dtype=object)[done.pop("deal")]
    found = rows[[*KEY, "stage_rank"]].merge(done, on=KEY)
    chosen = dict(
        zip(SHARES, (found["of_stage"] == found["stage_rank"], found["of_stage"] < found["stage_rank"]), strict=True)
    )
    shares = {}
    for name in SHARES:
        weight = rows.join(found[chosen[name]].groupby(KEY)["done_weight"].sum(), on=KEY)["done_weight"].fillna(0.0)
        shares[name] = (weight / asked[name]).where(asked[name] > 0)
    return pd.DataFrame(shares)


def _days(rows: pd.DataFrame) -> list[int]:
    return [int(day) for day in np.unique(rows["landmark_day"])]


def creation_rows(book: DealBook, *, as_of: Any) -> pd.DataFrame:
    """Time from creation to signing, with what was known of a deal when it was entered.

    Returns
    -------
    DataFrame, one row a deal known at ``as_of`` with time under observation
        ``deal_id``, ``duration_days`` (half a day for day 0), ``entry_days`` (creation to first knowledge), ``signed``
        (other ends and open deals are censored), ``amount`` (first known), ``account_known`` (1: the customer had an
        earlier deal), the attributes.
    """
    day = as_of_day(book, as_of)
    seen_to = day - recording_lag_days(book, as_of=as_of)
    rows = known_outcomes(book, day)
    account = rows["deal_id"].map(book.deals.set_index("deal_id")["account_id"])
    first = rows["created_day"].groupby(account).transform("min")
    signed = rows["end"].eq("won") & (rows["end_day"] <= seen_to)
    length = rows["end_day"].clip(upper=seen_to) - rows["created_day"]
    rows = rows.assign(
        signed=signed,
        duration_days=length.astype(float).clip(lower=0.5).where(length >= 0),
        entry_days=(rows["known_from"] - rows["created_day"]).clip(lower=0).astype(float),
        account_known=(rows["created_day"] > first).astype(float).where(account.notna()),
    )
    rows = rows[rows["entry_days"] < rows["duration_days"]].reset_index(drop=True)
    facts = book.deals.set_index("deal_id").loc[rows["deal_id"]].reset_index()
    for name in book.settings.attributes:
        rows[name] = facts[name]
    rows["amount"] = amounts_at(book, deal_ids=rows["deal_id"], days=rows["known_from"])
    columns = ["deal_id", "duration_days", "entry_days", "signed", "amount", "account_known"]
    return rows[[*columns, *book.settings.attributes]]
