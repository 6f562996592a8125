"""How a deal began and whose it was: the first value of a field, and the owners one after another."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline.calendar import FOREVER, as_of_day
from salesanalytics.timeline.replay import at_dates, births, collect, trail
from salesanalytics.timeline.values import fields_in

col = nw.col


def owner_spells(book: DealBook, *, as_of: Any) -> pd.DataFrame:
    """Who owned each deal from when to when, as known at a date.

    Returns
    -------
    DataFrame, one row a deal and owner, in the order of time
        ``deal_id``, ``rep_id`` (None where unknown), ``from_day`` (the first one: creation), ``to_day`` (exclusive;
        10,000,000 while it lasts). Days since 1970-01-01. A change of owner counts from the day on which it happened.
    """
    day = as_of_day(book, as_of)
    born = collect(book, at_dates(book, births(book), [day]).select("deal", from_day=col("created_day")))
    first = born.assign(rep_id=born["deal_id"].map(book.deals.set_index("deal_id")["rep_id"]), seq=-1)
    parts = [first]
    if "rep_id" in fields_in(book):
        known = book.events.filter((col("field") == "rep_id") & (col("known_day") <= day))
        moved = collect(book, known.select("deal", "seq", from_day=col("day"), rep_id=col("value")))
        parts.append(moved)
    rows = pd.concat(parts, ignore_index=True).sort_values(["deal_id", "seq"], ignore_index=True)
    rows["rep_id"] = rows["rep_id"].astype(object).where(rows["rep_id"].notna(), None)
    rows["from_day"] = rows.groupby("deal_id")["from_day"].cummax()
    rows["to_day"] = rows.groupby("deal_id")["from_day"].shift(-1).fillna(FOREVER).astype("int64")
    rows = rows[rows["from_day"] < rows["to_day"]]
    same = rows["deal_id"].eq(rows["deal_id"].shift()) & rows["rep_id"].fillna("").eq(rows["rep_id"].shift().fillna(""))
    rows = rows.assign(run=(~same).cumsum())
    runs = rows.groupby("run", sort=False)
    joined = runs[["deal_id", "rep_id", "from_day"]].head(1).reset_index(drop=True)
    return joined.assign(to_day=runs["to_day"].max().to_numpy())


def first_texts(book: DealBook, field: str, *, as_of: Any, within_days: int) -> pd.Series:
    """The first text of a field that is dated within so many days of a deal's creation, by ``deal_id``.

    As known at ``as_of``; deals without one are absent.
    """
    day = as_of_day(book, as_of)
    if field not in fields_in(book):
        return pd.Series(dtype=object)
    born = at_dates(book, births(book), [day]).select("deal", "created_day")
    rows = book.events.filter((col("field") == field) & (col("known_day") <= day)).join(born, on="deal")
    soon = rows.filter(col("day") - col("created_day") <= within_days)
    first = soon.filter(col("seq") == col("seq").min().over("deal"))
    return collect(book, first.select("deal", "value")).set_index("deal_id")["value"]


def activity_days(book: DealBook, *, as_of: Any, since_day: int) -> pd.DataFrame:
    """Activities dated after a day, as known at a date: ``deal_id``, ``day``, ``n``."""
    day = as_of_day(book, as_of)
    done = (col("field") == "activity") & (col("known_day") <= day) & (col("day") > since_day)
    counted = book.events.filter(done).group_by("deal", "day").agg(n=nw.len())
    return collect(book, counted).sort_values(["deal_id", "day"], ignore_index=True)


def owned_on(spells: pd.DataFrame, deal_ids: Any, days: Any) -> np.ndarray:
    """Owner of each deal on a day of its own, from `owner_spells`; None before it was created."""
    asked = pd.DataFrame({"deal_id": np.asarray(deal_ids, dtype=object), "day": np.asarray(days, dtype="int64")})
    asked["row"] = np.arange(len(asked))
    found = asked.merge(spells, on="deal_id")
    found = found[(found["from_day"] <= found["day"]) & (found["day"] < found["to_day"])]
    owner = np.full(len(asked), None, dtype=object)
    owner[found["row"].to_numpy()] = found["rep_id"].to_numpy(dtype=object)
    return owner


def last_numbers(book: DealBook, field: str, *, deal_ids: Any, days: Any) -> pd.Series:
    """Number (of a date: days since 1970-01-01) that a field was known to hold at the end of a day of each row's own.

    In the order given; NaN where none was known.
    """
    asked = pd.DataFrame({"deal_id": np.asarray(deal_ids, dtype=object), "as_of_day": np.asarray(days, dtype="int64")})
    dates = [int(day) for day in asked["as_of_day"].unique()]
    known = collect(book, at_dates(book, trail(book, field), dates).select("deal", "as_of_day", "last"))
    return asked.merge(known, on=["deal_id", "as_of_day"], how="left")["last"].astype(float)
