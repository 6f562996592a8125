"""What a field held on a date of each row's own: the owner when a stage was entered, the amount on a landmark."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from salesanalytics.book import DealBook
from salesanalytics.book.contract import FIELDS
from salesanalytics.errors import SchemaError
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.replay import Lazy, at_dates, births, col, collect, latest, trail
from salesanalytics.timeline.values import fields_in

NOT_A_GROUP = ("deal_id", "created_at", "last_seen_on", "stage")  # of one deal, of later, the rows themselves


def groupings(book: DealBook) -> list[str]:
    """Names by which deals can be grouped: ``rep_id``, ``team``, columns of ``deals``, fields of the history."""
    names = {"rep_id", *map(str, book.deals.columns), *fields_in(book)} | ({"team"} if _has_teams(book) else set())
    return sorted(names - set(NOT_A_GROUP))


def is_grouping(book: DealBook, name: str) -> bool:
    """Whether deals can be grouped by a name: one of `groupings`, or a field of the contract that nobody has typed in.

    The second, so that a book as it stood before anybody typed it in gives the same groups as a later one.
    """
    return name in groupings(book) or (name in FIELDS and name not in NOT_A_GROUP)


def values_at(book: DealBook, *, by: str, deal_ids: Any, days: Any) -> pd.Series:
    """What a field was known to hold at the end of a day, a day of its own for each row.

    Parameters
    ----------
    book : DealBook
    by : str
        One of `groupings`: ``rep_id`` (owner), ``team`` (today's team of the owner of that day), a field of the
        history, or a column of ``deals``. Where the history has no value yet the column of ``deals`` counts. A field
        of the contract that the book does not hold, or not yet, is known of no deal.
    deal_ids : array of text, shape (n_rows,)
    days : array of int, shape (n_rows,)
        Days since 1970-01-01.

    Returns
    -------
    Series of objects, one row a row asked, in the order given
        None where nothing was known.

    Raises
    ------
    SchemaError
        The book has no such grouping.
    """
    if not is_grouping(book, by):
        raise SchemaError(
            f"by must be rep_id, team, a column of deals or a field of the history, got {by!r}; this book has: "
            f"{', '.join(groupings(book))}."
        )
    has_field = by in fields_in(book)
    if by == "team" and team_is_of_owner(book):
        found = teams_of(book, values_at(book, by="rep_id", deal_ids=deal_ids, days=days))
    else:
        found = _of_deals(book, by, deal_ids)
    if has_field:
        kept = _valid_at(book, latest(book, by), ["value", "valid_from"], deal_ids, days)
        found = kept["value"].where(kept["valid_from"].notna(), found)  # a value taken away leaves none
    return found.where(found.notna(), None)


def amounts_at(book: DealBook, *, deal_ids: Any, days: Any) -> pd.Series:
    """Last positive amount known at the end of a day, a day of its own for each row; NaN where none was.

    ``deals.amount`` counts until history says otherwise.

    Parameters
    ----------
    deal_ids : array of text, shape (n_rows,)
    days : array of int, shape (n_rows,)
        Days since 1970-01-01.

    Returns
    -------
    Series of float, one row a row asked, in the order given, in the book's currency or unit
    """
    stated = pd.to_numeric(_of_deals(book, "amount", deal_ids)).astype(float)
    amount = stated.where(stated > 0)
    if "amount" in fields_in(book):
        amount = _valid_at(book, trail(book, "amount"), ["last"], deal_ids, days)["last"].astype(float).fillna(amount)
    return amount


def known_since(book: DealBook, *, as_of: Any) -> pd.Series:
    """Day on which each deal known at a date was first known (days since 1970-01-01), by ``deal_id``."""
    born = at_dates(book, births(book), [as_of_day(book, as_of)]).select("deal", "as_of_day", "known_from")
    return collect(book, born).set_index("deal_id")["known_from"]


def team_is_of_owner(book: DealBook) -> bool:
    """Whether a deal's team is today's team of its owner, for nothing else says it."""
    return _has_teams(book) and "team" not in fields_in(book) and "team" not in book.deals


def teams_of(book: DealBook, owners: pd.Series) -> pd.Series:
    """Today's team of each owner; None where there is none."""
    found = owners.map(book.reps.drop_duplicates("rep_id").set_index("rep_id")["team"]).astype(object)
    return found.where(found.notna(), None)


def _has_teams(book: DealBook) -> bool:
    return {"rep_id", "team"} <= set(book.reps.columns) and len(book.reps) > 0


def _of_deals(book: DealBook, column: str, deal_ids: Any) -> pd.Series:
    """A column of ``deals`` for each row."""
    if column not in book.deals:
        return pd.Series(np.full(len(deal_ids), None, dtype=object))
    values = book.deals[column].astype(object).to_numpy()
    return pd.Series(values[_positions(book, deal_ids)], dtype=object)


def _positions(book: DealBook, deal_ids: Any) -> np.ndarray:
    return pd.Index(book.deals["deal_id"]).get_indexer(np.asarray(deal_ids, dtype=object))


def _valid_at(book: DealBook, versions: Lazy, names: list[str], deal_ids: Any, days: Any) -> pd.DataFrame:
    """Columns of the versions that hold for each (deal, day), in the order given; missing where none holds."""
    ids, wanted = np.asarray(deal_ids, dtype=object), np.asarray(days, dtype="int64")
    rows = pd.DataFrame({"deal": _positions(book, ids), "as_of_day": wanted}).drop_duplicates()
    asked = book.engine.frame(pa.table({c: pa.array(rows[c], pa.int64()) for c in rows}))
    holds = (col("valid_from") <= col("as_of_day")) & (col("as_of_day") < col("valid_to"))
    found = collect(book, asked.join(versions, on="deal").filter(holds).select("deal", "as_of_day", *names))
    key = pd.DataFrame({"deal_id": ids, "as_of_day": wanted})
    return key.merge(found, on=["deal_id", "as_of_day"], how="left")[names]
