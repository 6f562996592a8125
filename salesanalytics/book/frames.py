"""Source tables -> one form: canonical column names, source row numbers, text, parsed dates and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from salesanalytics.book.contract import DATE_COLUMNS, NUMBER_COLUMNS, OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from salesanalytics.book.dates import parse_dates
from salesanalytics.book.files import TextTable
from salesanalytics.book.numbers import parse_numbers
from salesanalytics.book.settings import BookSettings, TableSource
from salesanalytics.errors import SchemaError

#: What stands in the cell of a date or a number that is not known, or has not come.
NOTHING = (
    "-", "--", "–", "—", "——", "/", "n/a", "#n/a", "na", "null", "none", "无", "0000-00-00", "0000-00-00 00:00:00",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SourceTable:
    """A table as it was read, under canonical names.

    Attributes
    ----------
    name : str
        Table of the contract.
    table : pyarrow.Table
        One row a well-formed source row; columns of the contract, and those that are only carried.
    rows : array of int
        Number of each row in the source (1 = first below the header).
    names : mapping
        Column name in the source -> canonical name.
    malformed : list of (row, text)
        Source rows that could not be split into columns.
    """

    name: str
    table: pa.Table
    rows: npt.NDArray[np.int64]
    names: Mapping[str, str]
    malformed: list[tuple[int, str]]

    @property
    def n_read(self) -> int:
        """Source rows, whatever became of them."""
        return self.table.num_rows + len(self.malformed)

    def column(self, name: str) -> Any:
        """One column as an arrow array; nulls where the source has no such column."""
        if name not in self.table.column_names:
            return pa.nulls(self.table.num_rows, pa.string())
        return one_chunk(self.table.column(name))

    def carried(self, keep: npt.NDArray[np.bool_]) -> pd.DataFrame:
        """Columns that are not of the contract, of the rows to keep, as in the source; infinity is no number."""
        found = self.table.select(self._carried_names).filter(pa.array(keep)).to_pandas()
        numbers = found.select_dtypes("floating")
        found[numbers.columns] = numbers.where(~np.isinf(numbers))
        return found

    @property
    def infinite(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Where numbers of such columns are infinite, by column, of those in which any is."""
        floating = [name for name in self._carried_names if pa.types.is_floating(self.table.schema.field(name).type)]
        found = {name: np.isinf(self.table.column(name).to_pandas().to_numpy()) for name in floating}
        return {name: where for name, where in found.items() if where.any()}

    @property
    def _carried_names(self) -> list[str]:
        known = contract_columns(self.name)
        return [name for name in self.table.column_names if name not in known]


def contract_columns(table_name: str) -> tuple[str, ...]:
    """Columns that the contract knows of a table."""
    return (*REQUIRED_COLUMNS[table_name], *OPTIONAL_COLUMNS[table_name])


def name_columns(text: TextTable, *, table_name: str, source: TableSource) -> SourceTable:
    """Rename the columns of a source table to those of the contract and apply the value mappings.

    A column that neither the contract nor ``book.yaml`` names is carried under its own name; of a history
    only the columns of the contract are read.

    Raises
    ------
    SchemaError
        Required columns, or columns that ``book.yaml`` names, are missing; all are listed.
    """
    found = text.table.column_names
    contract = contract_columns(table_name)
    wanted = {name: name for name in contract if name in found} | dict(source.columns)
    missing = [f"{new} ({old!r})" for new, old in source.columns.items() if old not in found]
    missing += [name for name in REQUIRED_COLUMNS[table_name] if name not in wanted]
    if table_name != "history":
        used = {*wanted, *wanted.values()}
        wanted |= {name: name for name in found if name not in used}
    missing += [f"{name} (`values`)" for name in source.values if name not in wanted]
    if missing:
        own = ["field"] if source.shape == "stage_table" else []  # ours, not one of the file
        listed = ", ".join(name for name in found if name not in own)
        raise SchemaError(
            f"{table_name}: required column missing: {', '.join(missing)}. Columns found: "
            f"{listed}. Name the right ones under tables.{table_name}.columns in book.yaml."
        )
    columns = {new: text.table.column(old) for new, old in wanted.items()}
    mappings = dict(source.values)
    if "old_value" in columns and "value" in mappings:
        mappings.setdefault("old_value", mappings["value"])
    for name, mapping in mappings.items():
        columns[name] = map_text(as_text(columns[name]), mapping)
    names = {old: new for new, old in wanted.items()}
    table = pa.table(list(columns.values()), names=list(columns))
    return SourceTable(table_name, table, text.rows, names, text.malformed)


def parse_columns(source: SourceTable, settings: BookSettings) -> pa.Table:
    """Type the columns of the contract: dates, numbers, all else text. A dash and the like are no date, no number.

    Beside a date or number stand ``<column>_text``, as it was, and ``<column>_unreadable``, which marks the
    cells that failed; beside a date also ``<column>_day``.
    """
    columns: dict[str, Any] = {"row": source.rows}
    for name in contract_columns(source.name):
        column, label = source.column(name), f"{source.name}.{name}"
        if name in (*DATE_COLUMNS[source.name], *NUMBER_COLUMNS[source.name]) and pa.types.is_string(column.type):
            column = pc.if_else(says_nothing(column), pa.scalar(None, pa.string()), column)
        if name in DATE_COLUMNS[source.name]:
            columns |= dated(name, column, label=label, settings=settings)
        elif name in NUMBER_COLUMNS[source.name]:
            numbers, failed = parse_numbers(column, column=label, decimal=settings.decimal)
            columns[name] = pa.array(numbers, pa.float64(), from_pandas=True)
            columns |= {f"{name}_text": as_text(column), f"{name}_unreadable": failed.to_numpy()}
        else:
            columns[name] = as_text(column)
    return pa.table(columns)


def says_nothing(column: Any) -> Any:
    """Which cells hold what stands for nothing (``NOTHING``)."""
    return pc.is_in(pc.utf8_lower(as_text(column)), value_set=pa.array(NOTHING))


def dated(name: str, column: Any, *, label: str, settings: BookSettings) -> dict[str, Any]:
    """Columns that a date needs: itself, ``_text``, ``_unreadable``, and ``_day`` since 1970-01-01."""
    dates, failed = parse_dates(column, column=label, date_format=settings.date_format, timezone=settings.timezone)
    return {
        name: pa.array(dates, pa.timestamp("us"), from_pandas=True),
        f"{name}_text": as_text(column),
        f"{name}_unreadable": failed.to_numpy(),
        f"{name}_day": to_days(dates.to_numpy()),
    }


def to_days(dates: npt.NDArray[Any]) -> Any:
    """Timestamps as whole days since 1970-01-01, null where there is none."""
    return pa.array(dates.astype("datetime64[D]").astype("int64"), mask=np.isnat(dates))


def as_text(column: Any) -> Any:
    """Any column as text, null for blank; whole floats (ids that a join turned into floats) lose the .0."""
    column = one_chunk(column)
    if pa.types.is_string(column.type):
        return column
    if not pa.types.is_floating(column.type):
        try:
            return column.cast(pa.string())
        except pa.ArrowNotImplementedError:  # lists and the like
            return pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())
    numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    whole = (np.abs(numbers) < 2.0**53) & (numbers == np.floor(numbers))
    integers = pa.array(np.where(whole, numbers, 0).astype("int64")).cast(pa.string())
    return pc.if_else(pa.array(whole), integers, pa.array(numbers, from_pandas=True).cast(pa.string()))


def map_text(texts: Any, mapping: Mapping[str, str]) -> Any:
    """Replace the texts that a mapping knows, leave the others."""
    encoded = texts.dictionary_encode()
    new = pa.array([mapping.get(text, text) for text in encoded.dictionary.to_pylist()], pa.string())
    return new.take(encoded.indices)


def one_chunk(column: Any) -> Any:
    """A chunked array or a dictionary as one plain array."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def where_equal(texts: Any, value: str | Iterable[str]) -> npt.NDArray[np.bool_]:
    """Mask of the texts that equal a value, or one of several."""
    values = [value] if isinstance(value, str) else list(value)
    return pc.is_in(texts, value_set=pa.array(values, pa.string())).to_numpy(zero_copy_only=False)
