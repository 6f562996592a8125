"""Rules B: bids, prices and awards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.control.clocks import award_day
from salesanalytics.control.hits import either, flag, stage_at
from salesanalytics.control.known import Known
from salesanalytics.control.rules_people import closed_day, reached_day
from salesanalytics.control.won_pace import MIN_WON

Params = Mapping[str, Any]
ENTRY_DAYS = 30  # a buyer stage first stated later than so many days after creation says nothing of the entry
LATE_BUYER, BID_DAYS = 5, 20
BOUND_BY_LAW = ("open_tender", "invited_tender")
PRICE_STAGE, QUOTE_STAGE = 7, 6


def entry_stage(known: Known) -> pd.Series:
    """Order of the buyer stage first stated, within 30 days of creation, by open deal; NaN: unknown."""
    order = {stage.id: float(stage.order) for stage in known.process.buyer_stages}
    rows = known.rows("buyer_stage").drop_duplicates("deal")
    first = rows.set_index("deal")
    soon = known.on_deals(first["day"]) - known.deals["created_day"] <= ENTRY_DAYS
    return known.on_deals(first["value"]).map(order).astype(float).where(soon)


def late_entry(known: Known, params: Params) -> pd.DataFrame:
    """B01. The customer stood in stage or beyond when we entered (first statement, within 30 days of creation)."""
    entry = entry_stage(known)
    return flag(known, entry >= params["stage"], since=known.deals["created_day"], b=entry)


def bid_window(known: Known) -> pd.Series:
    """Days from the issue of the tender to its deadline, by open deal; NaN: unknown."""
    if not {"bid_due", "tender_issued"} <= set(known.fields.index):
        return pd.Series(np.nan, known.deals.index)
    return known.last("bid_due", "value_day") - known.last("tender_issued", "value_day")


def makeweight(known: Known, params: Params) -> pd.DataFrame:
    """B02. At s >= 5 at least n of: entry at b >= 5; no coach reached; ``criteria_contributed`` not done; DM not
    reached; a bid window below 20 days. What is not known does not count.
    """
    unknown = pd.Series(False, known.deals.index)  # noqa: FBT003
    influenced = closed_day(known, "criteria_contributed")
    entry = entry_stage(known) if "buyer_stage" in known.fields.index else pd.Series(np.nan, known.deals.index)
    signs = [
        entry >= LATE_BUYER,
        reached_day(known, "COACH").isna(),
        unknown if influenced is None else influenced.isna(),
        reached_day(known, "DM").isna(),
        bid_window(known) < BID_DAYS,
    ]
    n = sum(sign.fillna(False).astype(int) for sign in signs)  # noqa: FBT003
    where = (known.deals["s"] >= 5) & (n >= params["n"])
    return flag(known, where, since=known.deals["entered_day"], n=n, s=known.deals["s"])


def price_cuts(known: Known, params: Params) -> pd.DataFrame:
    """B03. At least n lower quotes in stage 7, or one before stage 6, or a discount (last quote against the first)
    above the quantile of at least 20 won deals with two quotes. The authority of reps to cut prices is in no table, so
    it is not judged.
    """
    rows = known.rows("quote")
    cuts = rows[rows["number"] < rows.groupby("deal")["number"].shift()]
    stage = stage_at(known, cuts["deal"], cuts["day"])
    early, late = cuts[stage < QUOTE_STAGE], cuts[stage == PRICE_STAGE]
    n = known.on_deals(late.groupby("deal").size(), 0)
    first_early, last = known.first_day(early), known.last_day(cuts)
    discount, limit = known.on_deals(_discounts(rows)), _won_discount(known, params["quantile"])
    return either(
        flag(known, n >= params["n"], since=last, n=n),
        flag(known, first_early.notna(), since=first_early, text="_early"),
        flag(known, discount > limit, since=last, text="_discount", share=discount, limit_share=limit),
    )


def _discounts(rows: pd.DataFrame) -> pd.Series:
    quotes = rows.groupby("deal")["number"]
    first = quotes.first()
    return (1 - quotes.last() / first.where(first > 0)).where(quotes.size() > 1)


def _won_discount(known: Known, quantile: float) -> float:
    rows = known.all_rows("quote")
    won = known.ended.index[known.ended["end"].eq("won")]
    found = _discounts(rows[rows["deal"].isin(won)]).dropna()
    return float(found.quantile(quantile)) if len(found) >= MIN_WON else np.nan


def unsigned_after_award(known: Known, params: Params) -> pd.DataFrame:
    """B04. Awarded to us more than days ago and still open (holds count: the law does not pause)."""
    awarded = award_day(known)
    days = known.day - awarded
    return flag(known, days > params["days"], since=awarded + params["days"], days=days)


def short_bid_window(known: Known, params: Params) -> pd.DataFrame:
    """B05. Fewer than days from the issue of a tender to its deadline; on routes bound by the tendering law (open and
    invited tenders). A deal whose route is unknown is not judged.
    """
    window = bid_window(known)
    bound = known.deals["route"].isin(BOUND_BY_LAW)
    issued = known.last("tender_issued", "value_day")
    return flag(known, bound & window.lt(params["days"]) & window.ge(0), since=issued, days=window)
