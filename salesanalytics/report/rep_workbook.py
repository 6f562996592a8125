"""The figures of the reps as a workbook: all measures, what each condition cost, what is still open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from salesanalytics.labels import amount_label, label
from salesanalytics.labels.units import unit_for
from salesanalytics.report.excel_cells import head, plain, widths, write_row
from salesanalytics.reps import RepReview, open_gaps, score_losses

#: Columns of a sheet and how their numbers read.
Columns = dict[str, str | None]
REPS: Columns = {
    "rep_id": None, "name": None, "team": None, "rank": "0", "n_deals": "0", "n": "0", "observed": "0",
    "expected": "0.0", "effect": "0.00", "effect_lower": "0.00", "effect_upper": "0.00", "p_above_median": "0%",
    "process_score": "0%", "cycle_days": "0", "price_ratio": "0.0%", "p_bias": "0%", "date_bias_days": "0",
    "commit_won": "0%", "trend": "0.00", "volume": "#,##0", "n_signed": "0.0", "n_handed_over": "0",
}  # fmt: skip
LOST: Columns = {
    "rep_id": None, "stage": None, "condition": None, "words": None, "n": "0", "n_missing": "0", "n_late": "0",
    "n_bulk": "0", "n_weak_proof": "0", "lost": "0.0%",
}  # fmt: skip
OPEN: Columns = {"rep_id": None, "deal_id": None, "stage": None, "condition": None, "words": None, "status": None}
WIDE = {"words": 46, "name": 16, "team": 16}


def write_rep_workbook(review: RepReview, path: Path, *, lang: str = "en") -> Path:
    """Write the reps as .xlsx: measures of each rep, points lost by condition, conditions missing in open deals."""
    book = Workbook()
    sheet = book.active
    sheet.title = label("sheet_reps", lang)
    unit = unit_for(0.0, review.unit, lang)[1]
    _sheet(sheet, review.evaluation.reps, REPS, lang, unit=unit)
    if review.compliance is not None:
        for title, table, columns in (
            ("sheet_losses", score_losses(review.compliance), LOST),
            ("sheet_open_items", open_gaps(review.compliance), OPEN),
        ):
            words = [review.process.label(condition, lang) for condition in table["condition"]]
            table = table.assign(words=words)
            if "status" in columns:
                table["status"] = [label(f"status_{status}", lang) for status in table["status"]]
            _sheet(book.create_sheet(label(title, lang)), table, columns, lang)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def _sheet(sheet: Worksheet, table: pd.DataFrame, columns: Columns, lang: str, *, unit: str = "") -> None:
    widths(sheet, [WIDE.get(c, 14) for c in columns])
    n_text = sum(form is None for form in columns.values())
    heads = [amount_label(f"column_{c}", unit if c == "volume" else "", lang) for c in columns]
    head(sheet, 1, heads, n_text=n_text)
    forms = list(columns.values())
    for at, row in enumerate(table[list(columns)].to_dict("records"), start=2):
        write_row(sheet, at, [_value(row[c]) for c in columns], forms)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{max(len(table) + 1, 1)}"
    sheet.freeze_panes, sheet.print_title_rows = "B2", "1:1"


def _value(value: Any) -> Any:
    return None if value is pd.NA else plain(value)
