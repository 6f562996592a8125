"""The same pack as a workbook: figures as numbers, totals as formulas, filters on, nothing typed in twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from salesanalytics.forecast import QuarterForecast
from salesanalytics.labels import amount_label, label
from salesanalytics.report.tables import method_text, note_texts

HEAD = PatternFill("solid", fgColor="DCE6F1")
AMOUNT, COUNT, SHARE, DATE = "#,##0", "#,##0.0", "0.0%", "yyyy-mm-dd"


def write_workbook(forecast: QuarterForecast, path: Path, *, lang: str = "en") -> Path:
    """Write a forecast as .xlsx: summary with bands, components summed by formula, simple methods, every open deal.

    Sheets: summary, open deals (filters; expected amount = chance x amount as a formula; totals of what is filtered),
    notes. Texts that a spreadsheet would run as a formula are stored as text.
    """
    book = Workbook()
    summary = book.active
    summary.title = label("sheet_summary", lang)
    _summary(summary, forecast, lang)
    _deals(book.create_sheet(label("title_deals", lang)), forecast, lang)
    _notes(book.create_sheet(label("sheet_notes", lang)), forecast, lang)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def _put(cell: Cell, value: Any, form: str | None = None, *, bold: bool = False) -> None:
    """A value into a cell; a text stays a text, whatever it begins with."""
    if isinstance(value, str):
        cell.value, cell.data_type = value, "s"
        cell.quotePrefix = value[:1] in "=+-@"
    elif value is not None and value == value:
        cell.value = value
    if form:
        cell.number_format = form
    if bold:
        cell.font = Font(bold=True)


def _row(sheet: Worksheet, at: int, values: list[Any], forms: list[str | None], *, bold: bool = False) -> None:
    for i, (value, form) in enumerate(zip(values, forms, strict=True), start=1):
        _put(sheet.cell(at, i), value, form, bold=bold)


def _head(sheet: Worksheet, at: int, names: list[str], widths: list[int] | None = None) -> None:
    for i, name in enumerate(names, start=1):
        cell = sheet.cell(at, i)
        _put(cell, name, bold=True)
        cell.fill, cell.alignment = HEAD, Alignment(wrap_text=True, vertical="top")
        if widths:
            sheet.column_dimensions[get_column_letter(i)].width = widths[i - 1]


def _summary(sheet: Worksheet, forecast: QuarterForecast, lang: str) -> None:
    amount, count = amount_label("amount", forecast.unit, lang), label("count", lang)
    _put(sheet.cell(1, 1), label("title_forecast", lang, quarter=forecast.period.name, as_of=forecast.as_of), bold=True)
    band = label("band_80", lang)
    names = [label("component", lang), amount, f"{band} <", f"{band} >", count, f"{band} <", f"{band} >"]
    _head(sheet, 3, names, [38, 18, 18, 18, 14, 14, 14])
    table = forecast.components()
    columns = ["amount", "amount_lower", "amount_upper", "count", "count_lower", "count_upper"]
    forms = [None, AMOUNT, AMOUNT, AMOUNT, COUNT, AMOUNT, AMOUNT]
    parts = table[table["component"] != "total"]
    for at, part in enumerate(parts.to_dict("records"), start=4):
        _row(sheet, at, [label(part["component"], lang), *(part[c] for c in columns)], forms)
    last = 3 + len(parts)
    total = table[table["component"] == "total"].iloc[0]
    sums = [f"=SUM(B4:B{last})", total["amount_lower"], total["amount_upper"]]
    sums += [f"=SUM(E4:E{last})", total["count_lower"], total["count_upper"]]
    for i, (value, form) in enumerate(zip(sums, forms[1:], strict=True), start=2):
        cell = sheet.cell(last + 1, i)
        cell.value, cell.number_format, cell.font = value, form, Font(bold=True)
    _put(sheet.cell(last + 1, 1), label("total", lang), bold=True)
    at = last + 3
    for level, (low, high) in forecast.bands().items():
        _row(sheet, at, [label(f"band_{level}", lang), low, high], [None, AMOUNT, AMOUNT])
        at += 1
    if forecast.p_target is not None:
        _row(sheet, at, [label("target", lang), forecast.target], [None, AMOUNT])
        _row(sheet, at + 1, [label("p_target", lang), forecast.p_target], [None, SHARE])
        at += 2
    _head(sheet, at + 1, [label("method", lang), amount, count])
    for i, method in enumerate(forecast.baselines.to_dict("records"), start=at + 2):
        _row(sheet, i, [label(method["method"], lang), method["amount"], method["count"]], [None, AMOUNT, COUNT])
    sheet.freeze_panes = "B4"


def _deals(sheet: Worksheet, forecast: QuarterForecast, lang: str) -> None:
    """One row a deal; the expected amount is the product of its neighbours, the totals follow the filter."""
    keys = ["deal_id", "name", "rep_id", "state", "days_in_state", "amount", "p_in_period", "expected_amount"]
    keys += ["p_won", "sign_q10", "sign_q50", "sign_q90"]
    names = [amount_label(k, forecast.unit, lang) if "amount" in k else label(k, lang) for k in keys]
    _head(sheet, 1, names, [14, 34, 16, 14, 12, 18, 14, 18, 14, 13, 13, 13])
    forms = [None, None, None, None, AMOUNT, AMOUNT, SHARE, AMOUNT, SHARE, DATE, DATE, DATE]
    deals = forecast.deals
    last = len(deals) + 1
    for at, deal in enumerate(deals[keys].to_dict("records"), start=2):
        known = deal["amount"] == deal["amount"]
        values = [_plain(deal[k]) for k in keys]
        values[7] = None if known else values[7]
        _row(sheet, at, values, forms)
        if known:
            sheet.cell(at, 8).value = f"=F{at}*G{at}"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(keys))}{max(last, 1)}"
    sheet.freeze_panes = "C2"
    _put(sheet.cell(last + 2, 1), label("total", lang), bold=True)
    for column in ("F", "G", "H"):
        cell = sheet[f"{column}{last + 2}"]
        cell.value = f"=SUBTOTAL(109,{column}2:{column}{max(last, 2)})"
        cell.number_format, cell.font = (COUNT if column == "G" else AMOUNT), Font(bold=True)


def _plain(value: Any) -> Any:
    """Python's own types, None where nothing is known."""
    if value is None or value != value or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value


def _notes(sheet: Worksheet, forecast: QuarterForecast, lang: str) -> None:
    sheet.column_dimensions["A"].width = 120
    texts = [*note_texts(forecast, lang), method_text(forecast, lang)]
    for at, text in enumerate(texts, start=1):
        _put(sheet.cell(at, 1), text)
        sheet.cell(at, 1).alignment = Alignment(wrap_text=True)
