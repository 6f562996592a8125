"""A fingerprint of a book: books with the same data have the same one, whatever files they were read from."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.types as kind

from salesanalytics.book import DealBook

#: Settings that say how files are read; what they lead to is in the tables.
READING = {"tables", "date_format", "decimal", "timezone", "earliest_on", "limit_set_aside"}


def data_hash(book: DealBook, *, known_day: int | None = None) -> str:
    """SHA-256 of all that a forecast can depend on: the canonical tables, the process and the settings.

    With a ``known_day`` (days since 1970-01-01): of what a forecast of that day can depend on. Rows that became known
    later, and targets, do not count; deals count once a row of theirs does.

    The order of rows does not matter, but for those of one deal, moment and field in the history: there the later row
    of the file counts as the later one, and a book in which they are swapped is another book. Order of columns, names
    of files and types of numbers do not matter either.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    left_out = READING if known_day is None else READING | {"extracted_on"}
    for name, table in _tables(book, known_day):
        digest.update(f"{name} {table.num_rows}\n".encode())
        pyarrow.csv.write_csv(table, pa.PythonFile(_Sink(digest), mode="w"))
    rules = {
        "process": _plain(book.process),
        "settings": {k: v for k, v in _plain(book.settings).items() if k not in left_out},
        "has_recorded_at": book.has_recorded_at if known_day is None else book.told_when_recorded(known_day),
    }
    digest.update(json.dumps(rules, sort_keys=True, default=_text).encode())
    return digest.hexdigest()


def plain_table(frame: pd.DataFrame) -> pa.Table:
    """A frame in arrow: text, numbers, truth values and dates as they are, all else as text."""
    return pa.table({str(name): _plain_column(frame[name]) for name in frame.columns})


class _Sink(io.RawIOBase):
    """A file that remembers nothing of what is written but its digest."""

    def __init__(self, digest: Any) -> None:
        self._digest = digest

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return len(data)


def _tables(book: DealBook, known_day: int | None) -> Iterator[tuple[str, pa.Table]]:
    history = book.engine.table("history")
    lists = {name: getattr(book, name) for name in ("deals", "reps", "accounts", "targets")}
    if known_day is not None:
        after = datetime(1970, 1, 1) + timedelta(days=known_day + 1)  # noqa: DTZ001 - times of a book have no zone
        known_at = nw.coalesce("recorded_at", "changed_at")
        history = history.filter(nw.col("changed_at") < after, known_at < after)
        lists = {name: table for name, table in lists.items() if name != "targets"}
        lists["deals"] = _deals_known(book, known_day)
    for name, frame in lists.items():
        table = plain_table(frame)
        columns = sorted(table.column_names)
        yield name, table.select(columns).sort_by([(c, "ascending") for c in columns]) if columns else table
    yield "history", history.sort("deal_id", "changed_at", "field", "row").drop("row").collect("pyarrow").to_native()


def _deals_known(book: DealBook, day: int) -> pd.DataFrame:
    """Deals of which a row was known on a day, last seen no later than that."""
    known = book.events.filter(nw.col("known_day") <= day).select("deal").unique().collect("pyarrow")
    deals = book.deals.iloc[np.sort(known["deal"].to_numpy())]
    seen = deals["last_seen_on"]
    return deals.assign(last_seen_on=seen.where(seen <= pd.Timestamp(day, unit="D")))


def _plain_column(values: pd.Series) -> pa.Array:
    try:
        column = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # several kinds of value in one column
        column = pa.array(values.astype("string"))
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if kind.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", column.type.tz), safe=False)
    asis = (kind.is_floating, kind.is_integer, kind.is_boolean, kind.is_date, kind.is_string)
    if any(is_kind(column.type) for is_kind in asis):
        return column
    if kind.is_null(column.type) or kind.is_large_string(column.type):
        return column.cast(pa.string())
    return pa.array(values.astype("string"), pa.string(), from_pandas=True)


def _plain(value: Any) -> Any:
    """Dataclasses and mappings as dicts, all the way down."""
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else repr(value)
