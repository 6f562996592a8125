"""The doors: a folder of files, or a few DataFrames, becomes a validated book."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from salesanalytics.book.assemble import assemble
from salesanalytics.book.contract import REQUIRED_COLUMNS, TABLES
from salesanalytics.book.dealbook import DealBook
from salesanalytics.book.files import TextTable, find_table, read_text_table, tidy_table
from salesanalytics.book.frames import contract_columns, name_columns
from salesanalytics.book.settings import BookSettings, TableSource, parse_settings, read_settings
from salesanalytics.book.shapes import history_from_changes, history_from_wide_dates, with_stage_field
from salesanalytics.errors import SchemaError
from salesanalytics.process import Process, read_process


def read_book(path: str | Path) -> DealBook:
    """Read a book: a folder with ``deals`` and ``history`` (csv, csv.gz, tsv, parquet, xlsx).

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
    own = folder / "process.yaml"
    process = read_process(own) if own.exists() else _built_in_process()
    tables: dict[str, TextTable] = {}
    missing = []
    for name in TABLES:
        source = settings.tables.get(name, TableSource())
        file = folder / source.file if source.file else find_table(folder, name)
        if file is None:
            missing += [name] if name in ("deals", "history") else []
            continue
        contract = [source.columns.get(column, column) for column in contract_columns(name)]
        expect = frozenset([*contract, *source.columns.values(), *source.dates])
        tables[name] = read_text_table(file, sheet=source.sheet, encoding=source.encoding, expect=expect)
    if missing:
        found = ", ".join(sorted(p.name for p in folder.iterdir())) or "–"
        message = (
            f"{folder}: required table missing: {', '.join(missing)}. Files found: {found}. "
            "Name the files as the tables (deals.csv, history.csv), or say under tables.<table>.file "
            "in book.yaml where they are."
        )
        raise SchemaError("\n".join([message, *_unread(folder, missing)]))
    return _from_tables(tables, settings=settings, process=process)


def _unread(folder: Path, missing: list[str]) -> list[str]:
    """What is said of files that bear the name of a missing table, but are of a kind that is not looked for."""
    found = {name: sorted(p.name for p in folder.glob(f"{name}.*") if p.is_file()) for name in missing}
    return [
        f"{name} is there as {', '.join(files)}, which is not read. Save it as xlsx or csv."
        for name, files in found.items()
        if files
    ]


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
        Any table that narwhals knows (pandas, Polars, PyArrow, a DuckDB relation), with the columns of the
        contract or with a mapping in ``settings["tables"]``. The tables are not changed.
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
    tables = {name: _in_memory(table, name) for name, table in given.items() if table is not None or name in TABLES[:2]}
    return _from_tables(tables, settings=settings, process=process or _built_in_process())


@cache
def _built_in_process() -> Process:
    return read_process()


def _in_memory(table: Any, name: str) -> TextTable:
    if isinstance(table, pd.DataFrame):
        columns = [_to_arrow(table.iloc[:, i]) for i in range(table.shape[1])]
        arrow = pa.table(columns, names=[str(column) for column in table.columns])
    elif isinstance(table, pa.Table):
        arrow = table
    else:
        try:
            frame = nw.from_native(table)
        except TypeError as error:
            raise SchemaError(
                f"{name} must be a table (pandas, Polars, PyArrow, a DuckDB relation), got {type(table).__name__}. "
                "Files are read by read_book; rows in a list become a table with pandas.DataFrame(rows)."
            ) from error
        arrow = (frame.collect("pyarrow") if isinstance(frame, nw.LazyFrame) else frame).to_arrow()
    if arrow.num_columns == 0:
        arrow = pa.table({column: pa.array([], pa.string()) for column in REQUIRED_COLUMNS[name]})
    return tidy_table(arrow, source=name)


def _to_arrow(values: pd.Series) -> Any:
    """A pandas column in arrow; mixed Python objects (numbers and text in one column) become text."""
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        array = None
    if array is None or isinstance(array.type, pa.BaseExtensionType):  # no type of arrow: text says it
        return pa.array([_object_text(value) for value in values], pa.string())
    return array


def _object_text(value: Any) -> str | None:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _from_tables(tables: dict[str, TextTable], *, settings: BookSettings, process: Process) -> DealBook:
    """Bring every table to its one row form and hand all of them to the rules.

    Takes the history out of ``tables``: with millions of rows nothing may hold its texts longer than they are needed.
    """
    wanted = {name: settings.tables.get(name, TableSource()) for name in tables}
    shape = wanted["history"].shape
    if shape == "stage_table":
        tables["history"] = with_stage_field(tables["history"])
    sources, faults = {}, []
    for name, source in wanted.items():
        if name == "history" and shape == "wide_dates":
            continue
        try:
            sources[name] = name_columns(tables[name], table_name=name, source=source)
        except SchemaError as fault:
            faults.append(str(fault))
    if faults:
        raise SchemaError("\n".join(faults))
    malformed = tables["history"].malformed
    if shape == "wide_dates":
        dates = wanted["history"]
        rows = [history_from_wide_dates(tables.pop("history"), source=dates, settings=settings, process=process)]
    else:
        del tables["history"]
        rows = [history_from_changes(sources.pop("history"), settings)]
    return assemble(sources, rows.pop(), malformed=malformed, settings=settings, process=process)
