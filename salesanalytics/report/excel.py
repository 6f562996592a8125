"""The same pack as a workbook: figures as numbers, totals as formulas, filters on, nothing typed in twice."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from pandas.api.types import is_numeric_dtype

from salesanalytics.forecast import PipelineChange, QuarterForecast, disagreements, explain_change
from salesanalytics.forecast.result import reaches
from salesanalytics.labels import label
from salesanalytics.labels.units import unit_for
from salesanalytics.report.columns import rep_texts, state_namer
from salesanalytics.report.disagreement_section import disagreement_table
from salesanalytics.report.excel_cells import (
    AMOUNT,
    DATE,
    LINE_HEIGHT,
    SHARE,
    formula,
    head,
    n_lines,
    plain,
    put,
    saved,
    widths,
    write_row,
)
from salesanalytics.report.excel_summary import DRAWN, amount_head, bands, chance_form, summary_sheet
from salesanalytics.report.excel_tables import (
    change_deal_table,
    change_table,
    form_of,
    group_table,
    outlook_table,
    past_table,
)
from salesanalytics.report.judgement_section import judgement_table, with_and_without_judgement
from salesanalytics.report.pacing_section import pacing_table
from salesanalytics.report.path_section import path_table
from salesanalytics.report.pipeline_rows import flow_deal_table, flow_table
from salesanalytics.report.sections import names_of, outlook_notes
from salesanalytics.report.sentences import ceiling_text, method_text, note_texts
from salesanalytics.report.tables import group_notes, known_amounts

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
    summary_sheet(summary, forecast, lang)
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
    return saved(book, path)


def _deals(sheet: Worksheet, forecast: QuarterForecast, lang: str) -> None:
    """One row a deal; the expected amount is the product of its neighbours, the totals follow the filter."""
    keys = ["deal_id", "name", "rep_id", "state", "days_in_state", "amount", "p_in_period", "expected_amount"]
    keys += ["p_won", "sign_q10", "sign_q50", "sign_q90", "older_than_any_win"]
    widths(sheet, [14, 34, 16, 28, 14, 18, 16, 18, 16, 18, 18, 18, 16])
    names = [amount_head(k, forecast, lang) if "amount" in k else label(k, lang) for k in keys]
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
    put(sheet.cell(last + 2, 1), label("total", lang), bold=True)
    signings = form_of(forecast.deals["p_in_period"].sum())
    for column, form in (("F", money["amount"]), ("G", signings), ("H", money["expected_amount"])):
        formula(sheet[f"{column}{last + 2}"], f"=SUBTOTAL(109,{column}2:{column}{max(last, 2)})", form)


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
        amount_head("forecast", forecast, lang),
        label("mean", lang),
        *bands("80", lang),
        label("p_target", lang),
    ]
    head(sheet, at, heads, n_text=1)
    for i, values in enumerate(with_and_without_judgement(forecast, lang), start=at + 1):
        write_row(sheet, i, values, [None, *map(form_of, values[1:4]), chance_form(forecast)])


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


def _notes(sheet: Worksheet, forecast: QuarterForecast, lang: str) -> None:
    widths(sheet, [NOTE_WIDTH])
    texts = [*note_texts(forecast, lang), *filter(None, [ceiling_text(forecast, lang)]), method_text(forecast, lang)]
    for at, text in enumerate(texts, start=1):
        put(sheet.cell(at, 1), text)
        sheet.cell(at, 1).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[at].height = LINE_HEIGHT * n_lines(text, NOTE_WIDTH)
