"""Source tables -> one row form: canonical column names, source row numbers, parsed dates and numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from salesanalytics.book.contract import DATE_COLUMNS, NUMBER_COLUMNS, OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from salesanalytics.book.settings import BookSettings, TableSource
from salesanalytics.book.text import parse_dates, parse_numbers
from salesanalytics.errors import SchemaError


@dataclass(frozen=True)
class SourceTable:
    """A table as it was read, under canonical names.

    Attributes
    ----------
    name : str
        Table of the contract.
    frame : DataFrame
        One row a source row, with ``row`` (1 = first below the header); text or native types.
    malformed : list of (row, text)
        Source rows that could not be split into columns.
    order : str or None
        Column that settles the order of rows at the same instant (default: ``row``).
    """

    name: str
    frame: pd.DataFrame
    malformed: list[tuple[int, str]] = field(default_factory=list)


def name_columns(table: pa.Table, *, table_name: str, source: TableSource, rows: np.ndarray) -> pd.DataFrame:
    """Rename the columns of a source table to those of the contract and apply the value mappings.

    Raises
    ------
    SchemaError
        Required columns, or columns that ``book.yaml`` names, are missing; all are listed.
    """
    found = list(table.column_names)
    wanted = dict(source.columns)
    for name in (*REQUIRED_COLUMNS[table_name], *OPTIONAL_COLUMNS[table_name]):
        if name not in wanted and name in found:
            wanted[name] = name
    missing = [f"{new} (mapped to {old!r})" for new, old in source.columns.items() if old not in found]
    missing += [name for name in REQUIRED_COLUMNS[table_name] if name not in wanted]
    if missing:
        raise SchemaError(
            f"{table_name}: required column missing: {', '.join(missing)}. Columns found: {', '.join(found)}. "
            f"Name the right ones under tables.{table_name}.columns in book.yaml."
        )
    used = {old: new for new, old in wanted.items()}
    frame = pd.DataFrame({new: _column(table, old) for new, old in wanted.items()})
    for name in found:
        if name not in used and name not in frame.columns and table_name != "history":
            frame[name] = _column(table, name)
    for name, mapping in source.values.items():
        if name in frame.columns:
            frame[name] = frame[name].map(lambda v, m=mapping: m.get(v, v), na_action="ignore")
    frame.insert(0, "row", rows)
    return frame


def _column(table: pa.Table, name: str) -> pd.Series:
    return table.column(name).to_pandas()


def parse_columns(source: SourceTable, settings: BookSettings) -> pd.DataFrame:
    """Parse the date and number columns of a table; ``<column>_unreadable`` marks the cells that failed."""
    frame = source.frame.copy(deep=False)
    for name in (*REQUIRED_COLUMNS[source.name], *OPTIONAL_COLUMNS[source.name]):
        if name not in frame.columns:
            frame[name] = None
    for name in DATE_COLUMNS[source.name]:
        frame[f"{name}_text"] = frame[name].astype(object)
        frame[name], frame[f"{name}_unreadable"] = parse_dates(
            frame[name],
            column=f"{source.name}.{name}",
            date_format=settings.date_format,
            timezone=settings.timezone,
        )
    for name in NUMBER_COLUMNS[source.name]:
        frame[f"{name}_text"] = frame[name].astype(object)
        frame[name], frame[f"{name}_unreadable"] = parse_numbers(
            frame[name], column=f"{source.name}.{name}", decimal=settings.decimal
        )
    for name in frame.columns.intersection(["deal_id", "rep_id", "account_id", "field", "value", "currency"]):
        frame[name] = as_text(frame[name])
    return frame


def as_text(values: pd.Series) -> pd.Series:
    """Any column as text with None for missing; whole floats (ids that a join turned into floats) lose the .0."""
    if values.dtype == object or isinstance(values.dtype, pd.StringDtype):
        texts = values.astype(object)
    elif pd.api.types.is_float_dtype(values.dtype):
        whole = values.notna() & (values == np.floor(values))
        texts = values.astype(object).where(~whole, values.where(whole, 0).astype("int64").astype(object))
    else:
        texts = values.astype(object)
    is_text = texts.map(type).eq(str)
    if not is_text.all():
        texts = texts.where(is_text | texts.isna(), texts.astype(str))
    texts = texts.where(texts.notna(), None)
    stripped = texts.str.strip()
    return stripped.where(stripped.notna() & stripped.ne(""), None).astype(object)
