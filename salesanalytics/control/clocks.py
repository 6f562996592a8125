"""The three clocks of every open deal: where we are, where the customer is, what is proved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control.known import Known, know
from salesanalytics.timeline.calendar import to_date, to_timestamps

#: What a dated fact says of the buyer's stage where nobody stated it, and how sure that is; best first.
EVIDENCE_OF_STAGE = (("award", "B7", "high"), ("bid_due", "B6", "low"), ("tender_issued", "B5", "high"))
NOT_AWARDED = ("no", "false", "0", "lost", "否", "未中标")


def deal_clocks(book: DealBook, *, as_of: Any) -> pd.DataFrame:
    """Seller's stage, buyer's stage and milestones of every open deal, and the stage that all three support.

    Where no buyer stage was ever stated it is read from evidence: an award (B7), a tender issued (B5), a bid date that
    has passed (B6), milestones in a row (the stage after the last one). No rule uses an inferred stage.

    Parameters
    ----------
    book : DealBook
    as_of : date

    Returns
    -------
    DataFrame, one row an open (or paused) deal, by deal id
        ``deal_id``, ``as_of``, ``rep_id`` (owner), ``amount``, ``state``, ``stage``; the clocks ``seller_rank`` (s),
        ``buyer_rank`` (b; NaN: unknown), ``milestones_in_row`` (m; NaN: the book keeps none);
        ``buyer_confidence`` (``stated``, or ``high``, ``medium``, ``low`` where inferred, None where unknown);
        ``supported_rank`` = min(s, b, m + 1) of those known; ``days_in_stage`` (holds left out),
        ``days_in_buyer_stage`` and ``days_since_confirmed`` (of a stated b), ``days_since_milestone``;
        ``ahead`` = s - b; ``differ_since`` (first day of the present time in which s and a stated b differ; NaT:
        they do not).

    Raises
    ------
    AsOfError
        ``as_of`` lies after the end of the book.
    """
    return clocks_of(know(book, as_of=as_of))


def clocks_of(known: Known) -> pd.DataFrame:
    """`deal_clocks` of what was known at a date."""
    deals = known.deals
    b, confidence = buyer_stage(known)
    supported = np.fmin(np.fmin(deals["s"].astype(float), b), known.m + 1)
    steps = known.steps
    confirmed = known.rows("buyer_stage")
    return pd.DataFrame(
        {
            "deal_id": deals["deal_id"],
            "as_of": pd.Timestamp(to_date(known.day)),
            "rep_id": deals["rep_id"],
            "amount": deals["amount"],
            "state": deals["state"],
            "stage": deals["stage"],
            "seller_rank": deals["s"],
            "buyer_rank": b,
            "buyer_confidence": confidence,
            "milestones_in_row": known.m,
            "supported_rank": supported,
            "days_in_stage": deals["days"],
            "days_in_buyer_stage": known.day - _since_last_change(known, "b"),
            "days_since_confirmed": known.day - known.last_day(confirmed),
            "days_since_milestone": known.day - known.in_row_days.max(axis=1) if len(known.m.dropna()) else np.nan,
            "ahead": deals["s"] - b,
            "differ_since": to_timestamps(known.since(steps["b"].notna() & steps["s"].ne(steps["b"]))),
        }
    ).sort_values("deal_id", ignore_index=True)


def _since_last_change(known: Known, clock: str) -> pd.Series:
    """First day of the present value of a clock, by open deal."""
    steps = known.steps
    moved = steps[clock].notna() & steps[clock].ne(steps[clock].groupby(steps["deal"]).shift())
    return known.last_day(steps[moved])


def buyer_stage(known: Known) -> tuple[pd.Series, pd.Series]:
    """Order of the buyer's stage of every open deal, and how it is known: stated, high, medium, low, None."""
    order = {stage.id: float(stage.order) for stage in known.process.buyer_stages}
    b = known.b.copy()
    confidence = pd.Series(None, b.index, dtype=object).mask(b.notna(), "stated")
    found: list[tuple[pd.Series, float, str]] = []
    for name, stage, sure in EVIDENCE_OF_STAGE:
        if stage in order and name in known.fields.index:
            found.append((_shown(known, name), order[stage], sure))
    for seen, rank, sure in found:
        take = b.isna() & seen
        b, confidence = b.mask(take, rank), confidence.mask(take, sure)
    by_milestones = (known.m + 1).clip(upper=len(order)).where(known.m > 0) if order else known.m * np.nan
    further = by_milestones.notna() & confidence.ne("stated") & ~(b >= by_milestones)
    confidence = confidence.mask(further, "medium")
    return b.mask(further, by_milestones), confidence.where(confidence.notna(), None)


def _shown(known: Known, name: str) -> pd.Series:
    """Whether a fact stands for each open deal: an award to us, a date that has come."""
    if name == "award":
        return award_day(known).notna()
    date = known.last(name, "value_day")
    return date.le(known.day)


def award_day(known: Known) -> pd.Series:
    """Day of the award to us, by open deal; NaN: none, or the last word is that it went elsewhere, or was emptied."""
    rows = known.rows("award")
    refused = rows["value"].isna() | rows["value"].str.strip().str.lower().isin(NOT_AWARDED)
    last = refused.groupby(rows["deal"]).last()
    elsewhere = known.deals.index.isin(last.index[last.astype(bool)])
    return known.first_day(rows[~refused]).mask(elsewhere)
