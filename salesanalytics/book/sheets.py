"""From a workbook to a table of text."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from datetime import datetime, time
from itertools import zip_longest
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa

from salesanalytics.book.delimited import LEADING_ROWS, bare, empty_file, header_at
from salesanalytics.errors import SchemaError

# A formula without a value, as programs write it that do not compute; a text (t="str") may be empty.
_UNCOMPUTED = re.compile(
    rb'<(?P<ns>(?:\w+:)?)c (?![^>]*t="str")[^>]*\br="(?P<cell>\w+)"[^>]*><(?P=ns)f(?:[^>]*/>|[^>]*>[^<]*</(?P=ns)f>)'
    rb"(?:<(?P=ns)v */>|<(?P=ns)v></(?P=ns)v>)?</(?P=ns)c>"
)
# What openpyxl runs into where a part of the workbook is damaged; broken XML is a SyntaxError.
_BROKEN = (zipfile.BadZipFile, zlib.error, SyntaxError, EOFError, KeyError, IndexError, TypeError, ValueError, OSError)


def read_xlsx(path: Path, sheet: str | None, expect: frozenset[str]) -> pa.Table:
    """The one sheet of a workbook that holds data, or the named one, as text; a hidden sheet only if no other does."""
    data = io.BytesIO(path.read_bytes())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations that openpyxl does not know
            book = openpyxl.load_workbook(data, read_only=True, data_only=True)
            sheets = {s.title: _sheet_rows(s) for s in book.worksheets if sheet in (None, s.title)}
            titles = book.sheetnames
            hidden = {s.title for s in book.worksheets if s.sheet_state != "visible"}
        cell = _uncomputed(data)
    except _BROKEN as error:
        raise SchemaError(f"{path}: not a real xlsx file ({error}). Open it and save it as xlsx or csv.") from error
    if cell:
        raise SchemaError(
            f"{path}: cell {cell} is a formula that was never computed, and so has no value. "
            "Open the file in a spreadsheet program and save it."
        )
    if sheet is not None and sheet not in sheets:
        raise SchemaError(f"{path}: there is no sheet {sheet!r}. Sheets: {', '.join(titles)}.")
    filled = {title: rows for title, rows in sheets.items() if rows}
    filled = {title: rows for title, rows in filled.items() if title not in hidden} or filled
    if not filled:
        raise SchemaError(empty_file(path))
    if len(filled) > 1:
        raise SchemaError(f"{path}: {len(filled)} sheets hold data: {', '.join(filled)}. Name one as `sheet`.")
    rows = next(iter(filled.values()))
    rows = rows[header_at(rows[:LEADING_ROWS], expect) :]
    columns = list(zip_longest(*rows, fillvalue=""))
    return pa.table([pa.array(c[1:], pa.string()) for c in columns], names=[c[0] for c in columns])


def _uncomputed(data: io.BytesIO) -> str | None:
    """The first cell of a workbook that holds a formula and no value: to a reader it would be blank."""
    with zipfile.ZipFile(data) as archive:
        names = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        found = filter(None, (_UNCOMPUTED.search(archive.read(name)) for name in names))
        first = next(found, None)
    return first["cell"].decode() if first else None


def _sheet_rows(sheet: Any) -> list[list[str]]:
    sheet.reset_dimensions()  # the stated size is often wrong
    rows = ([_cell_text(value) for value in row] for row in sheet.iter_rows(values_only=True))
    return [row for row in rows if any(map(bare, row))]


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
