"""The rows behind stage rates: deals entering a stage and deals standing in it, each with its segment of that day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import SchemaError
from salesanalytics.models.horizon_rates import Clocks, end_codes
from salesanalytics.timeline import clock_rows, landmark_rows
from salesanalytics.timeline.asof_values import amounts_at, known_since, values_at

MISSING = "missing"


def entry_rows(book: DealBook, *, as_of: Any, by: str | None = None) -> pd.DataFrame:
    """Deals that entered each state, with what was known of them then.

    Returns
    -------
    DataFrame, one row a deal and state it entered
        Columns of `clock_rows`; ``amount`` and (with ``by``) ``segment`` as known at the end of the day of the first
        entry, of the day on which the deal was first known where that is later. A segment that was not known is
        ``missing``.
    """
    rows = clock_rows(book, as_of=as_of)
    known = rows["deal_id"].map(known_since(book, as_of=as_of)).astype(float)
    return _described(book, rows, np.maximum(rows["entered_day"], known).astype("int64"), by)


def standing_rows(book: DealBook, *, as_of: Any, by: str | None = None) -> pd.DataFrame:
    """Deals that stood open in each state every 28 days, with what was known of them on that date.

    Returns
    -------
    DataFrame, one row a deal and landmark
        Columns of `landmark_rows`; ``amount`` and (with ``by``) ``segment`` as known on the landmark.
    """
    rows = landmark_rows(book, as_of=as_of)
    rows["duration_days"] = rows["duration_days"].astype("int64")
    return _described(book, rows, rows["landmark_day"].astype("int64"), by)


def _described(book: DealBook, rows: pd.DataFrame, day: pd.Series, by: str | None) -> pd.DataFrame:
    rows = rows.assign(amount=amounts_at(book, deal_ids=rows["deal_id"], days=day).to_numpy())
    if by is None:
        return rows
    segment = values_at(book, by=by, deal_ids=rows["deal_id"], days=day)
    return rows.assign(segment=segment.where(segment.notna(), MISSING).to_numpy())


def check_column(by: str | None, taken: Iterable[str]) -> None:
    """Refuse a grouping called as a column of the result, which would take its place."""
    if by is not None and by in taken:
        raise SchemaError(
            f"by: the result has a column {by!r} of its own. Give the column or field of the book another name: a "
            f"column in book.yaml, as `my_{by}: {by}` under tables.deals.columns."
        )


def clocks_of(rows: pd.DataFrame) -> Clocks:
    """Entry rows, or rows of deals standing (those are watched from the start), as arrays."""
    return Clocks(
        duration=rows["duration_days"].to_numpy(),
        entry=rows["entry_days"].to_numpy() if "entry_days" in rows else np.zeros(len(rows), dtype="int64"),
        code=end_codes(rows["end"]),
        deal=pd.factorize(rows["deal_id"], sort=True)[0],  # sums over deals in one order, whatever that of the rows
        amount=rows["amount"].to_numpy(dtype=float),
    )


def segments_of(*tables: pd.DataFrame) -> list[Any]:
    """The segments that occur in any of the tables, in order, ``missing`` last."""
    found = {value for table in tables for value in table["segment"].unique()}
    return sorted(found, key=lambda value: (value == MISSING, isinstance(value, str), value))


def states_of(book: DealBook, entered: pd.DataFrame) -> list[str]:
    """All stages in order, then the pauses in which a deal has been."""
    return [*book.process.stage_ids, *(p for p in book.process.pause_state_ids if entered["state"].eq(p).any())]
