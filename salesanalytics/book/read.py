"""The doors: a folder of files, or a few DataFrames, becomes a validated book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from salesanalytics.book.assemble import assemble
from salesanalytics.book.contract import TABLES
from salesanalytics.book.dealbook import DealBook
from salesanalytics.book.files import TextTable, find_table, read_text_table
from salesanalytics.book.frames import SourceTable, name_columns
from salesanalytics.book.settings import BookSettings, TableSource, parse_settings, read_settings
from salesanalytics.book.shapes import history_from_changes, history_from_wide_dates
from salesanalytics.errors import SchemaError
from salesanalytics.process import Process, read_process


def read_book(path: str | Path) -> DealBook:
    """Read a book: a folder with ``deals`` and ``history`` (csv, csv.gz, tsv, parquet or xlsx) and what goes with them.

    Parameters
    ----------
    path : str or Path
        Folder. ``book.yaml`` (mapping, settings) and ``process.yaml`` (another process) are optional.

    Returns
    -------
    DealBook

    Raises
    ------
    SchemaError
        The folder, a required table or a required column is missing, a column cannot be read one way, or more
        rows break the contract than ``limit_set_aside`` allows. One error names them all.
    ProcessError
        ``process.yaml`` breaks its rules.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise SchemaError(f"{folder} is not a folder. A book is a folder with a deals and a history table.")
    settings = read_settings(folder)
    process = read_process(folder / "process.yaml" if (folder / "process.yaml").exists() else None)
    tables: dict[str, TextTable] = {}
    missing = []
    for name in TABLES:
        source = settings.tables.get(name, TableSource())
        file = folder / source.file if source.file else find_table(folder, name)
        if file is None:
            missing += [name] if name in ("deals", "history") else []
            continue
        expect = frozenset([*source.columns.values(), *source.dates]) or None
        tables[name] = read_text_table(file, sheet=source.sheet, encoding=source.encoding, expect=expect)
    if missing:
        found = ", ".join(sorted(p.name for p in folder.iterdir())) or "nothing"
        raise SchemaError(
            f"{folder}: required table missing: {', '.join(missing)}. Files found: {found}. Name the files as the "
            "tables (deals.csv, history.csv), or say under tables.<table>.file in book.yaml where they are."
        )
    return _from_tables(tables, settings=settings, process=process)


def make_book(
    *,
    deals: Any,
    history: Any,
    reps: Any = None,
    accounts: Any = None,
    targets: Any = None,
    settings: dict[str, Any] | BookSettings | None = None,
    process: Process | None = None,
) -> DealBook:
    """Make a book from tables in memory.

    Parameters
    ----------
    deals, history, reps, accounts, targets : DataFrame
        Any table that narwhals knows (pandas, Polars, PyArrow, a DuckDB relation), with the columns of the contract
        or with a mapping in ``settings["tables"]``. The tables are not changed.
    settings : dict or BookSettings, optional
        What ``book.yaml`` would say.
    process : Process, optional
        Default: the built-in eight-stage process.

    Returns
    -------
    DealBook

    Raises
    ------
    SchemaError
        As `read_book`.
    """
    if not isinstance(settings, BookSettings):
        settings = parse_settings(settings or {})
    given = dict(zip(TABLES, (deals, history, reps, accounts, targets), strict=True))
    tables = {name: _in_memory(table, name) for name, table in given.items() if table is not None}
    return _from_tables(tables, settings=settings, process=process or read_process())


def _in_memory(table: Any, name: str) -> TextTable:
    if isinstance(table, pd.DataFrame):
        repeated = table.columns[table.columns.duplicated()]
        if len(repeated):
            raise SchemaError(f"{name}: column {repeated[0]!r} stands there twice; keep one of them.")
        plain = table.reset_index(drop=True)
        texts = {c: _arrow_safe(plain[c]) for c in plain.columns}
        arrow = pa.table({str(c): pa.array(v, from_pandas=True) for c, v in texts.items()})
    else:
        frame = nw.from_native(table)
        arrow = (frame.collect("pyarrow") if isinstance(frame, nw.LazyFrame) else frame).to_arrow()
    return TextTable(arrow, np.arange(1, arrow.num_rows + 1), [])


def _arrow_safe(values: pd.Series) -> pd.Series:
    """Mixed Python objects (numbers and text in one column) become text, as they would stand in a file."""
    if values.dtype != object:
        return values
    kinds = set(values.dropna().map(type))
    return values if len(kinds) <= 1 else values.where(values.isna(), values.astype(str))


def _from_tables(tables: dict[str, TextTable], *, settings: BookSettings, process: Process) -> DealBook:
    """Bring every table to its one row form and hand all of them to the rules."""
    sources = {
        name: SourceTable(
            name,
            name_columns(
                text.table,
                table_name=name,
                source=settings.tables.get(name, TableSource()),
                rows=text.rows,
            ),
            text.malformed,
        )
        for name, text in tables.items()
        if name != "history"
    }
    text, source = tables["history"], settings.tables.get("history", TableSource())
    if source.shape == "wide_dates":
        history = history_from_wide_dates(text.table, text.rows, source=source, settings=settings)
    else:
        table = _with_field(text.table) if source.shape == "stage_table" else text.table
        frame = name_columns(table, table_name="history", source=source, rows=text.rows)
        history = history_from_changes(SourceTable("history", frame), settings)
    return assemble(sources, history, malformed=text.malformed, settings=settings, process=process)


def _with_field(table: pa.Table) -> pa.Table:
    """A stage table has no ``field`` column: every row is about the stage."""
    names = [name for name in table.column_names if name != "field"]
    return table.select(names).append_column("field", pa.array(["stage"] * table.num_rows, pa.string()))
