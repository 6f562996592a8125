"""Rules F (of deals): the rep's dates, amounts, probabilities and categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.control.hits import either, flag, pick
from salesanalytics.control.known import Known
from salesanalytics.control.won_pace import MIN_WON
from salesanalytics.features.work import as_probability
from salesanalytics.timeline.calendar import quarter_of

Params = Mapping[str, Any]
HORIZON_DAYS = 730
CHANGED_DAYS = 91  # changes of an amount are reported for so long
STEP_DAYS = 7


def quarter_ends(known: Known, days: pd.Series) -> pd.Series:
    """Last day of the fiscal quarter of each day; NaN stays."""
    start = known.book.settings.fiscal_year_start
    ends = {d: quarter_of(int(d), fiscal_year_start=start).end_day for d in days.dropna().unique()}
    return days.map(ends).astype(float)


def close_date_pushed(known: Known, params: Params) -> pd.DataFrame:
    """F01. The expected signing date was moved to a later day n times or more; high from high_n times or where it has
    left the quarter first promised, else medium.
    """
    rows = known.rows("close_date")
    rows = rows[rows["value_day"].notna()]
    grouped = rows.groupby("deal")["value_day"]
    pushes = rows[rows["value_day"] > grouped.shift()]
    n = known.on_deals(pushes.groupby("deal").size(), 0)
    first, last = known.on_deals(grouped.first()), known.on_deals(grouped.last())
    crossed = quarter_ends(known, last) > quarter_ends(known, first)
    nth = pushes[pushes.groupby("deal").cumcount() == params["n"] - 1].set_index("deal")["day"]
    severity = pick((n >= params["high_n"]) | crossed, "high", "medium")
    return flag(known, n >= params["n"], since=known.on_deals(nth), severity=severity, n=n, first=first, last=last)


def close_date_past(known: Known, params: Params) -> pd.DataFrame:
    """F02. The expected signing date lies before the date."""
    due = known.last("close_date", "value_day")
    return flag(known, due < known.day, since=due + 1, due=due, days=known.day - due)


def close_date_infeasible(known: Known, params: Params) -> pd.DataFrame:
    """F03. Days to the expected signing date below the quantile of the days that won deals still needed when they stood
    in the stage (every 7th day of their stays counts; at least 20 won deals).
    """
    due = known.last("close_date", "value_day")
    left = due - known.day
    said = known.last_day(known.rows("close_date"))
    limit = known.deals["s"].map(_remaining(known, params["quantile"])).astype(float)
    where = (left >= 0) & (left < limit)
    return flag(known, where, since=said, due=due, days=left, limit=limit.round(), s=known.deals["s"])


def _remaining(known: Known, quantile: float) -> pd.Series:
    """Quantile of the days from standing in a stage to signing, by stage."""
    rows = known.won_stays
    times = ((rows["left_day"] - rows["entered_day"]) // STEP_DAYS + 1).astype(int)
    each = rows.loc[rows.index.repeat(times)]
    left = each["end_day"] - each["entered_day"] - STEP_DAYS * each.groupby(level=0).cumcount()
    deals = rows.groupby("stage")["deal"].nunique()
    return left.groupby(each["stage"]).quantile(quantile).where(deals >= MIN_WON)


def amount_changed_late(known: Known, params: Params) -> pd.DataFrame:
    """F05. The amount moved by pct or more within days before the end of a quarter, or before the signing date expected
    at that time; in the last 91 days.
    """
    rows = known.rows("amount")
    rows = rows[rows["number"] > 0]
    before = rows.groupby("deal")["number"].shift()
    if known.book.settings.amount_is == "initial":  # else it may be the amount of a later day
        stated = known.book.deals["amount"].to_numpy(dtype=float)[rows["deal"]]
        before = before.fillna(pd.Series(stated, rows.index))
    change = rows["number"] / before.where(before > 0) - 1
    moved = rows.assign(change=change)[change.abs() >= params["pct"]]
    moved = moved[moved["day"] > known.day - CHANGED_DAYS]
    to_end = quarter_ends(known, moved["day"]) - moved["day"]
    to_close = _expected_then(known, moved) - moved["day"]
    late = moved[to_end.lt(params["days"]) | to_close.between(0, params["days"])]
    found = known.on_deals(late.groupby("deal")[["day", "change"]].last())
    return flag(known, found["day"].notna(), since=found["day"], change=found["change"])


def _expected_then(known: Known, rows: pd.DataFrame) -> pd.Series:
    """Signing date expected at the end of the day of each row; NaN: none."""
    if "close_date" not in known.fields.index or not len(rows):
        return pd.Series(np.nan, rows.index)
    dates = known.rows("close_date")[["deal", "day", "value_day"]].astype({"deal": "int64", "day": "int64"})
    asked = rows[["deal", "day"]].astype("int64").reset_index().sort_values("day", kind="stable")
    found = pd.merge_asof(asked, dates.sort_values("day", kind="stable"), on="day", by="deal")
    return found.set_index("index")["value_day"].reindex(rows.index)


def amount_outlier(known: Known, params: Params) -> pd.DataFrame:
    """F06. The amount is above the quantile of its product (at least 20 known deals, itself included; of all deals
    where the book keeps no products), or above mult x the median of at least 3 other deals of the account.
    """
    everyone = known.everyone[["product", "account_id", "amount"]]
    kept = everyone["product"].notna().any()
    everyone = everyone[everyone["amount"] > 0]
    product = everyone["product"] if kept else pd.Series("", everyone.index)
    by_product = everyone["amount"].groupby(product)
    limit = by_product.quantile(params["quantile"]).where(by_product.size() >= MIN_WON)
    amount = known.deals["amount"]
    limit = product.reindex(amount.index).map(limit).astype(float)
    usual = _account_median(everyone.reset_index(names="deal"), known)
    created = known.deals["known_from"]
    return either(
        flag(known, amount > limit, since=created, amount=amount, limit_amount=limit),
        flag(known, amount > params["mult"] * usual, since=created, text="_account", amount=amount, usual_amount=usual),
    )


def _account_median(everyone: pd.DataFrame, known: Known) -> pd.Series:
    """Median amount of the other deals of the account of each open deal; NaN below three of them."""
    own = known.deals[["account_id"]].dropna().reset_index()
    pairs = own.merge(everyone.dropna(subset=["account_id"]), on="account_id", suffixes=("", "_b"))
    others = pairs[pairs["deal"] != pairs["deal_b"]].groupby("deal")["amount"]
    return known.on_deals(others.median().where(others.size() >= 3))


def happy_ears(known: Known, params: Params) -> pd.DataFrame:
    """F07. The rep's probability exceeds that of the stage table (won within 730 days, from the days in the stage;
    asked from 60 ended deals on) by delta, or the nominal rate of the stage min(b, m + 1) by delta.
    """
    p_rep = as_probability(known.last("probability"))
    said = known.last_day(known.rows("probability"))
    p_table = known.p_won(HORIZON_DAYS)
    nominal = {s.order: s.nominal_win_rate for s in known.process.stages if s.nominal_win_rate is not None}
    proved = np.minimum(np.minimum(known.b, known.m + 1), len(known.process.stages))
    stated = proved.map(nominal).astype(float)
    by_table = (p_rep - p_table >= params["delta"] - 1e-9) & (len(known.ended) >= 60)
    return either(
        flag(known, by_table, since=said, p_rep=p_rep, p=p_table),
        flag(
            known, p_rep - stated > params["delta"] + 1e-9, since=said, text="_proved", p_rep=p_rep, p=stated, s=proved
        ),
    )


def commit_without_evidence(known: Known, params: Params) -> pd.DataFrame:
    """F10. The category is commit, and the stated buyer stage lies below min_buyer_stage, or the milestone of the stage
    before that is not done, or the decision maker (DM) was never reached.
    """
    rows = known.rows("category")
    commit = known.last("category").str.strip().str.lower().eq("commit")
    since = known.on_deals(rows.groupby("deal")["day"].last())
    low = known.b < params["min_buyer_stage"]
    order = params["min_buyer_stage"] - 1
    days = known.milestone_days
    bare = days[order].isna() if order in days else pd.Series(False, days.index)  # noqa: FBT003
    contacts = known.rows("contact")
    unmet = ~pd.Series(known.deals.index.isin(contacts.loc[contacts["value"].eq("DM"), "deal"]), known.deals.index)
    return either(
        flag(known, commit & low, since=since, text="_buyer", b=known.b),
        flag(known, commit & bare, since=since, text="_milestone", m=order),
        flag(known, commit & unmet, since=since, text="_decision_maker"),
    )
