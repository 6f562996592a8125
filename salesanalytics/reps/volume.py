"""What reps brought in and how: volume by time owned, days to sign, price kept, activity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.reps.means import median_interval, shrunk_means
from salesanalytics.timeline import amounts, known_outcomes
from salesanalytics.timeline.asof_values import amounts_at
from salesanalytics.timeline.calendar import FOREVER, as_of_day
from salesanalytics.timeline.evidence import known_rows
from salesanalytics.timeline.openings import activity_days, owned_on, owner_spells
from salesanalytics.timeline.values import fields_since

YEAR_DAYS, MONTH_DAYS = 365, 365.25 / 12


def volume_and_pace(book: DealBook, *, as_of: Any, confidence: float) -> pd.DataFrame:
    """Plain measures of each rep's work, each by itself: none is allowed for the deals he was dealt.

    Returns
    -------
    DataFrame, one row a rep
        ``rep_id``; of deals signed in the last 365 days: ``n_signed``, ``volume`` (amount), both credited by the share
        of the days from creation to signing in which he owned the deal; of all deals signed by him: ``n_won``,
        ``cycle_days`` (median from creation to signing), ``cycle_lower``, ``cycle_upper``; ``price_ratio`` (final to
        first amount known before the day of signing, geometric mean, drawn to that of all), ``price_lower``,
        ``price_upper``, ``n_priced`` (deals with both); of the last 365 days:
        ``deal_months`` (open deals x months owned), ``activity_per_deal_month`` (NaN where the book keeps none).
    """
    day = as_of_day(book, as_of)
    deals = known_outcomes(book, day)
    owned = owner_spells(book, as_of=as_of)
    won = deals[deals["end"].eq("won")].reset_index(drop=True)
    won["amount"] = won["deal_id"].map(amounts(book, [day]).set_index("deal_id")["amount"])
    won["rep_id"] = owned_on(owned, won["deal_id"], won["end_day"])
    won["log_price"] = np.log(won["amount"] / _first_amounts(book, won, day))
    won["days"] = won["end_day"] - won["created_day"]
    cycle = median_interval(won["days"], won["rep_id"], confidence=confidence)
    price = shrunk_means(won["log_price"], won["rep_id"], confidence=confidence)
    parts = [
        _credited(won[won["end_day"] > day - YEAR_DAYS], owned),
        cycle.set_axis(["n_won", "cycle_days", "cycle_lower", "cycle_upper"], axis=1),
        np.exp(price[["mean", "lower", "upper"]]).set_axis(["price_ratio", "price_lower", "price_upper"], axis=1),
        price["n"].rename("n_priced"),
        _activity(book, deals, owned, as_of),
    ]
    table = pd.concat(parts, axis=1)
    table.index.name = "rep_id"
    counts = ["n_signed", "volume", "n_won", "n_priced"]
    table = table.assign(**table[counts].astype(float).fillna(0.0))
    return table.astype({"n_won": "int64", "n_priced": "int64"}).sort_index().reset_index()


def _first_amounts(book: DealBook, won: pd.DataFrame, day: int) -> np.ndarray:
    """Amount of each won deal when it was first known; of one without, the first known before it was signed."""
    at_first = amounts_at(book, deal_ids=won["deal_id"], days=won["known_from"]).to_numpy()
    rows = known_rows(book, "amount", day=day, columns=["deal", "known_day", "number"])
    rows["deal_id"] = book.deals["deal_id"].to_numpy(dtype=object)[rows["deal"]]
    before = rows["known_day"] < rows["deal_id"].map(won.set_index("deal_id")["end_day"])
    found = rows[before & (rows["number"] > 0)].sort_values("known_day", kind="stable").drop_duplicates("deal_id")
    later = won["deal_id"].map(found.set_index("deal_id")["number"]).to_numpy(dtype=float)
    return np.where(np.isnan(at_first), later, at_first)


def _credited(signed: pd.DataFrame, owned: pd.DataFrame) -> pd.DataFrame:
    """Wins and amounts shared out by the days in which each rep owned the deal (the day of signing included)."""
    parts = signed.merge(owned[owned["rep_id"].notna()], on="deal_id", suffixes=("_at_signing", ""))
    days = parts["to_day"].clip(upper=parts["end_day"] + 1) - parts["from_day"]
    share = days.clip(lower=0) / (parts["end_day"] + 1 - parts["created_day"])
    credit = pd.DataFrame({"n_signed": share, "volume": share * parts["amount"].fillna(0.0)})
    return credit.groupby(parts["rep_id"]).sum()


def _activity(book: DealBook, deals: pd.DataFrame, owned: pd.DataFrame, as_of: Any) -> pd.DataFrame:
    day = as_of_day(book, as_of)
    parts = owned.merge(deals[["deal_id", "end_day"]], on="deal_id")
    days = parts["to_day"].clip(upper=parts["end_day"] + 1) - parts["from_day"].clip(lower=day - YEAR_DAYS + 1)
    months = (days.clip(lower=0) / MONTH_DAYS).groupby(parts["rep_id"]).sum()
    table = pd.DataFrame({"deal_months": months[months > 0]})
    if fields_since(book).get("activity", FOREVER) > day:
        return table.assign(activity_per_deal_month=np.nan)
    rows = activity_days(book, as_of=as_of, since_day=day - YEAR_DAYS)
    ends = rows["deal_id"].map(deals.set_index("deal_id")["end_day"])
    rows = rows[rows["day"] <= ends]
    owner = owned_on(owned, rows["deal_id"], rows["day"])
    n = rows["n"].groupby(owner).sum()
    return table.assign(activity_per_deal_month=n.reindex(table.index).fillna(0) / table["deal_months"])
