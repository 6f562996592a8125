"""What fields held on a date, and what the past of a date says: amounts, owners, references."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline.calendar import as_of_days, to_timestamps
from salesanalytics.timeline.replay import (
    at_dates,
    collect,
    ended_states,
    latest,
    path_versions,
    stage_rows,
    trail,
)
from salesanalytics.timeline.spells import open_deals, stage_runs, states

col = nw.col


def fields_since(book: DealBook) -> dict[str, int]:
    """History fields that the book has at all, and the day since which it is known that it keeps them."""

    def build() -> dict[str, int]:
        first = collect(book, book.events.group_by("field").agg(day=col("known_day").min()))
        return {str(field): int(day) for field, day in zip(first["field"], first["day"], strict=True)}

    since: dict[str, int] = book.engine.fact("fields", build)
    return since


def fields_in(book: DealBook) -> frozenset[str]:
    """History fields that the book has at all."""
    return frozenset(fields_since(book))


def amounts(book: DealBook, days: list[int]) -> pd.DataFrame:
    """Last positive amount of every known deal at the end of each day, in the book's currency or unit.

    Returns
    -------
    DataFrame, one row a deal and day
        ``deal_id``, ``as_of_day``, ``amount`` (NaN where none is known). ``deals.amount`` counts until history says
        otherwise, and an amount that was emptied until the next; of a deal that ended without being won, the last
        amount while it was open.
    """
    return book.engine.by_day("amounts", days, lambda days: _amounts(book, days))


def _amounts(book: DealBook, days: list[int]) -> pd.DataFrame:
    known = collect(book, states(book, days).select("deal", "as_of_day"))
    stated = book.deals.set_index("deal_id")["amount"]
    amount = known["deal_id"].map(stated.where(stated > 0))
    if "amount" in fields_in(book):
        kept = collect(book, at_dates(book, trail(book, "amount"), days).select("deal", "as_of_day", "last"))
        lost = _while_open(book, days)
        key = ["deal_id", "as_of_day"]
        moved = known.merge(kept, on=key, how="left").merge(lost, on=key, how="left")
        of_lost = moved["ended"].notna()
        amount = moved["last"].where(~of_lost, moved["while_open"]).fillna(amount)
    return known.assign(amount=amount.astype(float)).sort_values(["as_of_day", "deal_id"], ignore_index=True)


def open_amounts(book: DealBook, days: list[int]) -> pd.DataFrame:
    """Open deals at the end of each day: ``deal_id``, ``as_of_day``, ``state``, ``stage``, ``amount``."""
    return book.engine.by_day("open_amounts", days, lambda days: _open_amounts(book, days))


def _open_amounts(book: DealBook, days: list[int]) -> pd.DataFrame:
    found = collect(book, open_deals(book, days=days).select("deal", "as_of_day", "state", "stage"))
    return found.merge(_amounts(book, days), on=["deal_id", "as_of_day"], how="left")


def _while_open(book: DealBook, days: list[int]) -> pd.DataFrame:
    """Of deals that ended without being won: the last positive amount dated no later than their end."""
    is_lost = col("state").is_in(ended_states(book)) & (col("state") != book.state_codes["won"])
    lost = states(book, days).filter(is_lost).select("deal", "as_of_day", "since_day")
    rows = book.events.filter((col("field") == "amount") & (col("number") > 0))
    seen = lost.join(rows.select("deal", "seq", "day", "known_day", "number"), on="deal").filter(
        (col("known_day") <= col("as_of_day")) & (col("day") <= col("since_day"))
    )
    last = seen.filter(col("seq") == col("seq").max().over("deal", "as_of_day"))
    frame = collect(book, lost.join(last.select("deal", "as_of_day", "number"), on=["deal", "as_of_day"], how="left"))
    return frame.rename(columns={"number": "while_open"}).assign(ended=True).drop(columns="since_day")


def owners(book: DealBook, days: list[int]) -> pd.DataFrame:
    """Owner of every known deal at the end of each day: ``deal_id``, ``as_of_day``, ``rep_id`` (None if unknown)."""
    known = collect(book, states(book, days).select("deal", "as_of_day"))
    owner = known["deal_id"].map(book.deals.set_index("deal_id")["rep_id"]).astype(object)
    if "rep_id" in fields_in(book):
        kept = collect(book, at_dates(book, latest(book, "rep_id"), days).select("deal", "as_of_day", "value"))
        moved = known.merge(kept, on=["deal_id", "as_of_day"], how="left", indicator=True)
        owner = moved["value"].where(moved["_merge"].eq("both"), owner)  # an owner taken away leaves nobody
    return known.assign(rep_id=owner.where(owner.notna(), None))


def won_stage_days(book: DealBook) -> nw.LazyFrame[Any]:
    """Days that won deals spent in each stage, from the day on which the signing was known, in the engine.

    Columns: ``deal``, ``valid_from``, ``valid_to``, ``state``, ``days``.
    """
    return book.engine.once("won_stage_days", lambda: _won_stage_days(book))


def _won_stage_days(book: DealBook) -> nw.LazyFrame[Any]:
    is_won = col("state") == book.state_codes["won"]
    won = path_versions(book).filter(is_won).select("deal", "valid_from", "valid_to")
    visible = won.join(stage_rows(book), on="deal").filter(col("known_day") <= col("valid_from"))
    runs = stage_runs(visible, ("deal", "valid_from"))
    runs = runs.filter(~col("left_day").is_null() & ~col("code").is_in(ended_states(book)))
    stays = runs.with_columns(state=col("code"), days=col("left_day") - col("day"))
    return stays.group_by("deal", "valid_from", "valid_to", "state").agg(col("days").sum())


def references(book: DealBook, *, as_of: Any) -> pd.DataFrame:
    """How long won deals stayed in each stage, by what was known at each date (only deals won and recorded by then).

    Parameters
    ----------
    as_of : date or sequence of dates

    Returns
    -------
    DataFrame, one row a date and state
        ``as_of``, ``state``, ``n_won`` (deals), ``won_days_q50``, ``won_days_q90`` (days in that state, summed over
        the visits of a deal).
    """
    days = as_of_days(book, as_of)
    standing = at_dates(book, won_stage_days(book), days)
    frame = collect(
        book,
        standing.group_by("as_of_day", "state").agg(
            n_won=nw.len(),
            won_days_q50=col("days").quantile(0.5, interpolation="linear"),
            won_days_q90=col("days").quantile(0.9, interpolation="linear"),
        ),
    )
    frame.insert(0, "as_of", to_timestamps(frame["as_of_day"]))
    return frame.drop(columns="as_of_day").sort_values(["as_of", "state"], ignore_index=True)


def tallies(book: DealBook, *, as_of: Any, by: str = "rep_id") -> pd.DataFrame:
    """Ended and won deals of each owner or segment, by what was known at each date.

    Parameters
    ----------
    by : str
        ``rep_id`` (owner when the deal ended counts as today's) or a column of ``deals``.

    Returns
    -------
    DataFrame, one row a date and value of ``by``
        ``as_of``, ``<by>``, ``n_ended``, ``n_won``.
    """
    days = as_of_days(book, as_of)
    ended = states(book, days).filter(col("state").is_in(ended_states(book)))
    frame = collect(book, ended.select("deal", "as_of_day", won=col("state") == book.state_codes["won"]))
    if by == "rep_id":
        frame = frame.merge(owners(book, days), on=["deal_id", "as_of_day"], how="left")
    else:
        frame[by] = frame["deal_id"].map(book.deals.set_index("deal_id")[by])
    counts = frame.groupby(["as_of_day", by])["won"].agg(n_ended="size", n_won="sum").reset_index()
    counts.insert(0, "as_of", to_timestamps(counts.pop("as_of_day")))
    return counts
