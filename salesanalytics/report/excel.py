"""The same pack as a workbook: figures as numbers, totals as formulas, filters on, nothing typed in twice."""

from __future__ import annotations

from datetime import date
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from pandas.api.types import is_numeric_dtype

from salesanalytics.forecast import PipelineChange, QuarterForecast, disagreements, explain_change
from salesanalytics.forecast.result import reaches
from salesanalytics.labels import amount_label, cells, label
from salesanalytics.labels.units import unit_for
from salesanalytics.report.disagreement_section import disagreement_table
from salesanalytics.report.excel_tables import (
    change_deal_table,
    change_table,
    form_of,
    group_table,
    outlook_table,
    past_table,
)
from salesanalytics.report.faults import said
from salesanalytics.report.judgement_section import hypothesis_text, judgement_table, with_and_without_judgement
from salesanalytics.report.largest import TOLD, with_and_without
from salesanalytics.report.pacing_section import pacing_table
from salesanalytics.report.path_section import path_table
from salesanalytics.report.pipeline_rows import flow_deal_table, flow_table
from salesanalytics.report.sections import names_of, outlook_notes
from salesanalytics.report.tables import (
    ceiling_text,
    group_notes,
    known_amounts,
    method_text,
    note_texts,
    p_target_text,
    rep_texts,
    state_namer,
)
from salesanalytics.report.text import fold

HEAD = PatternFill("solid", fgColor="DCE6F1")
BOLD = Font(name="Calibri", bold=True)  # the font of all other cells; without a name it would be another
SHARES = (
    "p_in_period",
    "p_judged",
    "p_target",
    "p_rep",
    "p_rep_in_period",
    "p_model",
    "p_target_won",
    "p_target_path",
    "worth_share",
    "adds",
)  # heads of columns in percent
NOTE_WIDTH = 90
LINE_HEIGHT = 18.0  # points; Chinese needs more than the 15 of a Latin line
AMOUNT, SHARE, DATE = "#,##0", "0.0%", "yyyy-mm-dd"
DRAWN = '[<0.0005]"<0.1%";[>0.9995]">99.9%";0.0%'  # a chance told by draws is never quite 0 or 100 %


def write_workbook(
    forecast: QuarterForecast,
    path: Path,
    *,
    lang: str = "en",
    before: QuarterForecast | None = None,
    groups: pd.DataFrame | None = None,
    outlook: pd.DataFrame | None = None,
    pacing: pd.DataFrame | None = None,
    pipeline: PipelineChange | None = None,
) -> Path:
    """Write a forecast as .xlsx: summary with bands, components summed by formula, simple methods, every open deal.

    Sheets: summary, open deals (filters; expected amount = chance x amount as a formula; totals of what is filtered),
    the path to the target, judgement, where model and rep disagree, what there is of pacing, change (of the forecast,
    of the pipeline: causes, then deals), groups, months and past quarters, notes. Amounts are in the book's own unit.
    Texts that a spreadsheet would run as a formula are stored as text.
    """
    book = Workbook()
    summary = book.active
    summary.title = label("sheet_summary", lang)
    _summary(summary, forecast, lang)
    _deals(book.create_sheet(label("title_deals", lang)), forecast, lang)
    unit, apart = unit_for(0.0, forecast.unit, lang)[1], known_amounts(disagreements(forecast), forecast)
    tables = {
        "sheet_path": [] if forecast.p_target is None else [path_table(forecast, unit, lang)],
        "sheet_judgement": [judgement_table(forecast, unit, lang)] if forecast.unjudged else [],
        "sheet_disagreements": [disagreement_table(apart, forecast, unit, lang)] if len(apart) else [],
        "sheet_pacing": [] if pacing is None else [pacing_table(pacing, unit, lang)],
        "sheet_change": [] if before is None else _change(before, forecast, unit, lang),
        "sheet_pipeline": [] if pipeline is None else [f(pipeline, unit, lang) for f in (flow_table, flow_deal_table)],
        "sheet_groups": [] if groups is None else [group_table(known_amounts(groups, forecast), forecast, unit, lang)],
        "sheet_outlook": [] if outlook is None else [outlook_table(known_amounts(outlook, forecast), unit, lang)],
        "sheet_past": [] if forecast.record is None else [past_table(forecast.record, unit, lang)],
    }
    for name, parts in tables.items():
        if parts:
            _tables(book.create_sheet(label(name, lang)), parts, shares={label(key, lang) for key in SHARES})
    if outlook is not None:
        _below_months(book[label("sheet_outlook", lang)], outlook, forecast, lang)
    if forecast.unjudged is not None:
        _below_judgement(book[label("sheet_judgement", lang)], forecast, lang)
    if groups is not None:
        for note in group_notes(groups, lang):
            book[label("sheet_groups", lang)].append([None])
            book[label("sheet_groups", lang)].append([note])
    _notes(book.create_sheet(label("sheet_notes", lang)), forecast, lang)
    for sheet in book.worksheets:  # printed, a sheet is as wide as its page
        sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
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
        cell.font = BOLD


def write_row(sheet: Worksheet, at: int, values: list[Any], forms: list[str | None], *, bold: bool = False) -> None:
    """Values of one row, each with its number format; a text that its neighbour would cut takes several lines."""
    lines = 1
    for i, (value, form) in enumerate(zip(values, forms, strict=True), start=1):
        _put(sheet.cell(at, i), value, form, bold=bold)
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
        _put(cell, name, bold=True)
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


def _formula(cell: Cell, formula: str, form: str) -> None:
    cell.value, cell.number_format, cell.font = formula, form, BOLD


def _amount_head(key: str, forecast: QuarterForecast, lang: str) -> str:
    return amount_label(key, unit_for(0.0, forecast.unit, lang)[1], lang)


def _bands(level: str, lang: str) -> list[str]:
    band = label(f"band_{level}", lang)
    return [label("lower_of", lang, text=band), label("upper_of", lang, text=band)]


def _summary(sheet: Worksheet, forecast: QuarterForecast, lang: str) -> None:
    widths(sheet, [38, 18, 18, 18, 18, 18, 18])
    _put(sheet.cell(1, 1), label("title_forecast", lang, quarter=forecast.period.name, as_of=forecast.as_of), bold=True)
    _put(sheet.cell(2, 1), hypothesis_text(forecast, lang) or None, bold=True)
    last = _parts(sheet, 3, forecast, lang)
    at = _middle(sheet, last + 2, forecast, lang)
    at = _goal(sheet, at + 2, forecast, lang) if forecast.amounts_known else at
    amount, count = _amount_head("amount", forecast, lang), label("count", lang)
    at += 1
    head(sheet, at + 1, [label("method", lang), amount, count, label("basis", lang)], n_text=1)
    sheet.cell(at + 1, 4).alignment = Alignment(horizontal="left", indent=1)
    write_row(sheet, at + 2, [label("forecast", lang)], [None])
    simple = known_amounts(forecast.baselines, forecast)
    of = {m: form_of(*simple[m], forecast.total(m).mean()) for m in ("amount", "count")}
    for column, total, form in ((2, f"=B{last}", of["amount"]), (3, f"=E{last}", of["count"])):
        _formula(sheet.cell(at + 2, column), total, form)
    for i, method in enumerate(simple.to_dict("records"), start=at + 3):
        values = [label(method["method"], lang), method["amount"], method["count"], said(method["basis"], lang)]
        write_row(sheet, i, values, [None, of["amount"], of["count"], None])
        sheet.cell(i, 4).alignment = Alignment(horizontal="left", indent=1)
    sheet.freeze_panes = "B4"


def _goal(sheet: Worksheet, at: int, forecast: QuarterForecast, lang: str) -> int:
    """The target; what is reached of it, with all deals and without the largest; returns the last row."""
    unit = unit_for(0.0, forecast.unit, lang)[1]
    if forecast.target is not None:
        write_row(sheet, at, [label("target", lang), forecast.target], [None, form_of(forecast.target)])
        at += 1
    heads = [
        label("mean", lang),
        *_bands("80", lang),
        *(label(k, lang) for k in ("reached_80", "target_gap", "p_target")),
    ]
    shown = len(TOLD) if forecast.target is not None else TOLD.index("gap")
    head(sheet, at, [amount_label("forecast", unit, lang), *heads[:shown]], n_text=1)
    for row in with_and_without(forecast, lang):
        at += 1
        values = [row[key] for key in TOLD[:shown]]
        forms = [_chance_form(forecast) if key == "p_target" else form_of(row[key]) for key in TOLD[:shown]]
        write_row(sheet, at, [row["text"], *values], [None, *forms])
    return at


def _chance_form(forecast: QuarterForecast) -> str:
    """How the chance of the target reads: only what is signed already makes it certain."""
    return SHARE if p_target_text(forecast) == "100 %" else DRAWN


def _parts(sheet: Worksheet, at: int, forecast: QuarterForecast, lang: str) -> int:
    """Components and their total, which is a formula; returns its row."""
    amount, count = _amount_head("amount", forecast, lang), label("count", lang)
    head(sheet, at, [label("component", lang), amount, *_bands("80", lang), count, *_bands("80", lang)], n_text=1)
    table = known_amounts(forecast.components(), forecast)
    columns = ["amount", "amount_lower", "amount_upper", "count", "count_lower", "count_upper"]
    limits = {m: [form_of(*table[f"{m}_lower"], *table[f"{m}_upper"])] * 2 for m in ("amount", "count")}
    of = {m: form_of(*table[m]) for m in ("amount", "count")}
    forms = [None, of["amount"], *limits["amount"], of["count"], *limits["count"]]
    parts = table[table["component"] != "total"].to_dict("records")
    for i, part in enumerate(parts, start=at + 1):
        write_row(sheet, i, [label(part["component"], lang), *(part[c] for c in columns)], forms)
    last = at + len(parts) + 1
    total = table[table["component"] == "total"].iloc[0]
    write_row(sheet, last, [label("total", lang), None, *(total[c] for c in columns[1:])], forms, bold=True)
    for column, measure in (("B", "amount"), ("E", "count")):
        _formula(sheet[f"{column}{last}"], f"=SUM({column}{at + 1}:{column}{last - 1})", of[measure])
    if not forecast.amounts_known:
        _put(sheet[f"B{last}"], "–")
    return last


def _middle(sheet: Worksheet, at: int, forecast: QuarterForecast, lang: str) -> int:
    """Median and 50 % band of the total, under the same columns; returns the last row."""
    heads = [label("median", lang), *_bands("50", lang)]
    head(sheet, at, ["", *heads, *heads], n_text=1)
    values: list[Any] = [label("total", lang)]
    for measure in ("amount", "count"):
        there = measure == "count" or forecast.amounts_known
        middle = [float(np.median(forecast.total(measure))), *forecast.bands(measure)["50"]]
        values += middle if there else [None] * 3
    write_row(sheet, at + 1, values, [None, *(form_of(value) for value in values[1:])])
    return at + 1


def _deals(sheet: Worksheet, forecast: QuarterForecast, lang: str) -> None:
    """One row a deal; the expected amount is the product of its neighbours, the totals follow the filter."""
    keys = ["deal_id", "name", "rep_id", "state", "days_in_state", "amount", "p_in_period", "expected_amount"]
    keys += ["p_won", "sign_q10", "sign_q50", "sign_q90", "older_than_any_win"]
    widths(sheet, [14, 34, 16, 28, 14, 18, 16, 18, 16, 18, 18, 18, 16])
    names = [_amount_head(k, forecast, lang) if "amount" in k else label(k, lang) for k in keys]
    head(sheet, 1, names, n_text=4)
    money = {key: form_of(*known_amounts(forecast.deals, forecast)[key]) for key in ("amount", "expected_amount")}
    forms = [None, None, None, None, AMOUNT, money["amount"], SHARE, money["expected_amount"], SHARE]
    forms += [DATE, DATE, DATE, None]
    reps = rep_texts(forecast.rep_names)
    words = {"state": state_namer(forecast.process, lang), "older_than_any_win": {True: label("yes", lang)}.get,
             "rep_id": lambda rep: reps.get(rep, rep)}  # fmt: skip
    deals = known_amounts(forecast.deals[keys], forecast).assign(
        **{key: forecast.deals[key].map(word) for key, word in words.items()}
    )
    last = len(deals) + 1
    for at, deal in enumerate(deals.to_dict("records"), start=2):
        known = deal["amount"] == deal["amount"]
        values = [plain(deal[k]) for k in keys]
        values[7] = None if known else values[7]
        write_row(sheet, at, values, forms)
        sheet.cell(at, len(keys)).alignment = Alignment(horizontal="right")
        if known:
            sheet.cell(at, 8).value = f"=F{at}*G{at}"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(keys))}{max(last, 1)}"
    sheet.freeze_panes, sheet.print_title_rows = "C2", "1:1"
    _put(sheet.cell(last + 2, 1), label("total", lang), bold=True)
    signings = form_of(forecast.deals["p_in_period"].sum())
    for column, form in (("F", money["amount"]), ("G", signings), ("H", money["expected_amount"])):
        _formula(sheet[f"{column}{last + 2}"], f"=SUBTOTAL(109,{column}2:{column}{max(last, 2)})", form)


def _below_months(sheet: Worksheet, outlook: pd.DataFrame, forecast: QuarterForecast, lang: str) -> None:
    """How the chances of their targets read, and what has to be known of months, quarters and the year."""
    column = next(cell.column for cell in sheet[1] if cell.value == label("p_target", lang))
    for at, sure in enumerate(reaches(outlook["amount_signed"], outlook["target"]), start=2):
        sheet.cell(at, column).number_format = SHARE if sure else DRAWN
    for note in outlook_notes(outlook, forecast, lang):
        sheet.append([None])
        sheet.append([note])


def _change(before: QuarterForecast, forecast: QuarterForecast, unit: str, lang: str) -> list[pd.DataFrame]:
    """What moved the forecast, by cause, and by deal where there is any amount to speak of."""
    change = explain_change(before, forecast)
    causes = [change_table(change, unit, lang)]
    return [*causes, change_deal_table(change, names_of(before, forecast), unit, lang)] if len(change.deals) else causes


def _below_judgement(sheet: Worksheet, forecast: QuarterForecast, lang: str) -> None:
    """The forecast with judgement and without it."""
    at = sheet.max_row + 2
    heads = [
        _amount_head("forecast", forecast, lang),
        label("mean", lang),
        *_bands("80", lang),
        label("p_target", lang),
    ]
    head(sheet, at, heads, n_text=1)
    for i, values in enumerate(with_and_without_judgement(forecast, lang), start=at + 1):
        write_row(sheet, i, values, [None, *map(form_of, values[1:4]), _chance_form(forecast)])


def _tables(sheet: Worksheet, frames: list[pd.DataFrame], *, shares: set[str]) -> None:
    """Tables one below the other, whose heads and texts are in words, numbers as numbers, shares in percent."""
    widths(sheet, [24, *[16] * (max(frame.shape[1] for frame in frames) - 1)])
    sheet.freeze_panes, at = "B2", 1
    for frame in frames:
        n_text = 1 if at == 1 else [is_numeric_dtype(column) for column in frame.dtypes].index(True)
        head(sheet, at, list(frame), n_text=n_text)
        for row in frame.to_dict("records"):
            at, values = at + 1, [plain(value) for value in row.values()]
            forms = [SHARE if name in shares else _form(v) for name, v in zip(row, values, strict=True)]
            write_row(sheet, at, values, forms)
        at += 2


def _form(value: Any) -> str | None:
    """Decimals for small numbers only: nobody reads thousandths of millions."""
    if isinstance(value, float):
        return AMOUNT if abs(value) >= 1000 or value % 1 == 0 else "#,##0.0##"
    return DATE if isinstance(value, date) else None


def plain(value: Any) -> Any:
    """Python's own types, None where nothing is known."""
    if value is None or value != value or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value


def _notes(sheet: Worksheet, forecast: QuarterForecast, lang: str) -> None:
    widths(sheet, [NOTE_WIDTH])
    texts = [*note_texts(forecast, lang), *filter(None, [ceiling_text(forecast, lang)]), method_text(forecast, lang)]
    for at, text in enumerate(texts, start=1):
        _put(sheet.cell(at, 1), text)
        sheet.cell(at, 1).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[at].height = LINE_HEIGHT * n_lines(text, NOTE_WIDTH)
