"""The summary sheet of a forecast: components and their total, the target, the simple methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from salesanalytics.forecast import QuarterForecast
from salesanalytics.labels import amount_label, label
from salesanalytics.labels.units import unit_for
from salesanalytics.report.excel_cells import SHARE, formula, head, put, widths, write_row
from salesanalytics.report.excel_tables import form_of
from salesanalytics.report.faults import said
from salesanalytics.report.judgement_section import hypothesis_text
from salesanalytics.report.largest import TOLD, with_and_without
from salesanalytics.report.tables import known_amounts, p_target_text

DRAWN = '[<0.0005]"<0.1%";[>0.9995]">99.9%";0.0%'  # a chance told by draws is never quite 0 or 100 %


def summary_sheet(sheet: Worksheet, forecast: QuarterForecast, lang: str) -> None:
    """Components summed by formula, the middle of the total, the target, and the forecast beside the simple methods."""
    widths(sheet, [38, 18, 18, 18, 18, 18, 18])
    put(sheet.cell(1, 1), label("title_forecast", lang, quarter=forecast.period.name, as_of=forecast.as_of), bold=True)
    put(sheet.cell(2, 1), hypothesis_text(forecast, lang) or None, bold=True)
    last = _parts(sheet, 3, forecast, lang)
    at = _middle(sheet, last + 2, forecast, lang)
    at = _goal(sheet, at + 2, forecast, lang) if forecast.amounts_known else at
    amount, count = amount_head("amount", forecast, lang), label("count", lang)
    at += 1
    head(sheet, at + 1, [label("method", lang), amount, count, label("basis", lang)], n_text=1)
    sheet.cell(at + 1, 4).alignment = Alignment(horizontal="left", indent=1)
    write_row(sheet, at + 2, [label("forecast", lang)], [None])
    simple = known_amounts(forecast.baselines, forecast)
    of = {m: form_of(*simple[m], forecast.total(m).mean()) for m in ("amount", "count")}
    for column, total, form in ((2, f"=B{last}", of["amount"]), (3, f"=E{last}", of["count"])):
        formula(sheet.cell(at + 2, column), total, form)
    for i, method in enumerate(simple.to_dict("records"), start=at + 3):
        values = [label(method["method"], lang), method["amount"], method["count"], said(method["basis"], lang)]
        write_row(sheet, i, values, [None, of["amount"], of["count"], None])
        sheet.cell(i, 4).alignment = Alignment(horizontal="left", indent=1)
    sheet.freeze_panes = "B4"


def _parts(sheet: Worksheet, at: int, forecast: QuarterForecast, lang: str) -> int:
    """Components and their total, which is a formula; returns its row."""
    amount, count = amount_head("amount", forecast, lang), label("count", lang)
    head(sheet, at, [label("component", lang), amount, *bands("80", lang), count, *bands("80", lang)], n_text=1)
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
        formula(sheet[f"{column}{last}"], f"=SUM({column}{at + 1}:{column}{last - 1})", of[measure])
    if not forecast.amounts_known:
        put(sheet[f"B{last}"], "–")
    return last


def _middle(sheet: Worksheet, at: int, forecast: QuarterForecast, lang: str) -> int:
    """Median and 50 % band of the total, under the same columns; returns the last row."""
    heads = [label("median", lang), *bands("50", lang)]
    head(sheet, at, ["", *heads, *heads], n_text=1)
    values: list[Any] = [label("total", lang)]
    for measure in ("amount", "count"):
        there = measure == "count" or forecast.amounts_known
        middle = [float(np.median(forecast.total(measure))), *forecast.bands(measure)["50"]]
        values += middle if there else [None] * 3
    write_row(sheet, at + 1, values, [None, *(form_of(value) for value in values[1:])])
    return at + 1


def _goal(sheet: Worksheet, at: int, forecast: QuarterForecast, lang: str) -> int:
    """The target; what is reached of it, with all deals and without the largest; returns the last row."""
    if forecast.target is not None:
        write_row(sheet, at, [label("target", lang), forecast.target], [None, form_of(forecast.target)])
        at += 1
    heads = [
        label("mean", lang),
        *bands("80", lang),
        *(label(k, lang) for k in ("reached_80", "target_gap", "p_target")),
    ]
    shown = len(TOLD) if forecast.target is not None else TOLD.index("gap")
    head(sheet, at, [amount_head("forecast", forecast, lang), *heads[:shown]], n_text=1)
    for row in with_and_without(forecast, lang):
        at += 1
        values = [row[key] for key in TOLD[:shown]]
        forms = [chance_form(forecast) if key == "p_target" else form_of(row[key]) for key in TOLD[:shown]]
        write_row(sheet, at, [row["text"], *values], [None, *forms])
    return at


def chance_form(forecast: QuarterForecast) -> str:
    """How the chance of the target reads: only what is signed already makes it certain."""
    return SHARE if p_target_text(forecast) == "100 %" else DRAWN


def amount_head(key: str, forecast: QuarterForecast, lang: str) -> str:
    """The head of a column of amounts, in the unit of the book."""
    return amount_label(key, unit_for(0.0, forecast.unit, lang)[1], lang)


def bands(level: str, lang: str) -> list[str]:
    """The heads of both ends of a band."""
    band = label(f"band_{level}", lang)
    return [label("lower_of", lang, text=band), label("upper_of", lang, text=band)]
