"""Cells of a sheet: values with their number formats, texts that stay texts, heads, widths; how it is printed."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from salesanalytics.labels import cells
from salesanalytics.report.text import fold

HEAD = PatternFill("solid", fgColor="DCE6F1")
BOLD = Font(name="Calibri", bold=True)  # the font of all other cells; without a name it would be another
LINE_HEIGHT = 18.0  # points; Chinese needs more than the 15 of a Latin line
AMOUNT, SHARE, DATE = "#,##0", "0.0%", "yyyy-mm-dd"


def put(cell: Cell, value: Any, form: str | None = None, *, bold: bool = False) -> None:
    """A value into a cell; a text stays a text, whatever it begins with."""
    if isinstance(value, str):
        cell.value, cell.data_type = value, "s"
        cell.quotePrefix = value[:1] in "=+-@"
    elif value is not None and value == value:
        cell.value = value
    if form:
        cell.number_format = form
    if bold:
        cell.font = BOLD


def write_row(sheet: Worksheet, at: int, values: list[Any], forms: list[str | None], *, bold: bool = False) -> None:
    """Values of one row, each with its number format; a text that its neighbour would cut takes several lines."""
    lines = 1
    for i, (value, form) in enumerate(zip(values, forms, strict=True), start=1):
        put(sheet.cell(at, i), value, form, bold=bold)
        needed = n_lines(value, sheet.column_dimensions[get_column_letter(i)].width) if isinstance(value, str) else 1
        if needed > 1 and i < len(values):
            sheet.cell(at, i).alignment = Alignment(wrap_text=True, vertical="top")
            lines = max(lines, needed)
    if lines > 1:
        sheet.row_dimensions[at].height = LINE_HEIGHT * lines


def head(sheet: Worksheet, at: int, names: list[str], *, n_text: int) -> None:
    """Heads, those of the numbers to the right like the numbers, in a row as high as the longest of them needs."""
    lines = 1
    for i, name in enumerate(names, start=1):
        cell = sheet.cell(at, i)
        put(cell, name, bold=True)
        cell.fill = HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left" if i <= n_text else "right")
        lines = max(lines, n_lines(name, sheet.column_dimensions[get_column_letter(i)].width))
    sheet.row_dimensions[at].height = LINE_HEIGHT * lines


def n_lines(text: str, width: float) -> int:
    """Lines that a text takes in a cell; a word that is longer than the cell is broken."""
    room = int(width) - 2
    return sum(max(ceil(cells(line) / room), 1) for line in fold(text, room))


def widths(sheet: Worksheet, widths: list[int]) -> None:
    """Widths of the first columns, in characters."""
    for i, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(i)].width = width


def formula(cell: Cell, text: str, form: str) -> None:
    """A total: a formula, in bold."""
    cell.value, cell.number_format, cell.font = text, form, BOLD


def plain(value: Any) -> Any:
    """Python's own types, None where nothing is known."""
    if value is None or value != value or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value


def saved(book: Workbook, path: Path) -> Path:
    """Write a workbook; printed, a sheet is as wide as its page."""
    for sheet in book.worksheets:
        sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path
