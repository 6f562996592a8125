"""What is due as a workbook: one sheet a rep, to be worked through, and an overview."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from salesanalytics.control import week_sheet
from salesanalytics.labels import amount_label, has_label, label
from salesanalytics.labels.units import unit_for
from salesanalytics.report.columns import with_names
from salesanalytics.report.excel_cells import AMOUNT, LINE_HEIGHT, head, n_lines, plain, saved, write_row
from salesanalytics.report.excel_cells import widths as set_widths

#: Columns of a rep's sheet and their widths; from ``won_ratio`` on they are numbers.
COLUMNS = {
    "this_week": 10, "deal_id": 12, "name": 26, "stage": 8, "kind": 12, "task": 40, "why": 40, "proof": 34, "tools": 26,
    "done_by": 12, "won_ratio": 12, "won_lower": 12, "won_upper": 12, "value_at_stake": 18,
}  # fmt: skip
N_TEXT = list(COLUMNS).index("won_ratio")
RATIO = "0.00"
FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
LONGEST_NAME = 31  # of a sheet


def write_tasks(
    tasks: pd.DataFrame,
    path: str | Path,
    *,
    as_of: date | str,
    unit: str = "",
    rep_names: Mapping[str, str] | None = None,
    lang: str = "en",
) -> Path:
    """Write tasks as .xlsx: an overview by rep, and a sheet for each rep with the week's tasks marked.

    Texts that a spreadsheet would run as a formula are stored as text.

    Parameters
    ----------
    tasks : DataFrame
        From `next_tasks`; tasks of deals without an owner stand on a sheet of their own.
    path : str or Path
        Folders are made.
    as_of : date or str
        The date of the tasks, for the title.
    unit : str
        Of the amounts (``book.settings.unit``).
    rep_names : mapping
        Names of reps by id (``book.rep_names``).
    lang : {"en", "zh"}

    Returns
    -------
    Path
        The file.
    """
    path = Path(path)
    tasks = tasks.assign(owner_name=with_names(tasks["rep_id"], rep_names or {}, nobody=label("missing_group", lang)))
    unit = unit_for(0.0, unit, lang)[1]
    book = Workbook()
    people = sorted(tasks["owner_name"].unique())
    overview = book.active
    names = _sheet_names(people, taken=[label("sheet_overview", lang)])
    overview.title = label("sheet_overview", lang)
    _overview(overview, tasks, people, title=label("title_tasks_due", lang, as_of=as_of), unit=unit, lang=lang)
    for owner, name in zip(people, names, strict=True):
        _of_rep(book.create_sheet(name), tasks[tasks["owner_name"].eq(owner)], unit, lang)
    return saved(book, path)


def _sheet_names(people: list[str], *, taken: list[str]) -> list[str]:
    """Names that a workbook accepts, all different whatever their case."""
    names: list[str] = []
    for owner in people:
        stem = FORBIDDEN.sub(" ", owner).strip(" '") or "–"
        name, k = stem[:LONGEST_NAME], 1
        while name.lower() in {other.lower() for other in (*taken, *names)}:
            k += 1
            name = f"{stem[: LONGEST_NAME - 5]} {k}"
        names.append(name)
    return names


def _overview(sheet: Worksheet, tasks: pd.DataFrame, people: list[str], *, title: str, unit: str, lang: str) -> None:
    """One row a rep: deals, tasks by kind, value at stake; the totals are formulas."""
    set_widths(sheet, [26, 12, 12, 14, 14, 14, 14, 20])
    write_row(sheet, 1, [title], [None], bold=True)
    kinds = ["milestone", "condition", "role"]
    heads = [label(key, lang) for key in ("rep_id", "count", "n_tasks", *(f"kind_{kind}" for kind in kinds))]
    head(sheet, 3, [*heads, label("n_behind", lang), amount_label("value_at_stake", unit, lang)], n_text=1)
    for at, owner in enumerate(people, start=4):
        own = tasks[tasks["owner_name"].eq(owner)]
        deals = own.drop_duplicates("deal_id")
        counts = [int(own["kind"].eq(kind).sum()) for kind in kinds]
        values = [
            owner,
            len(deals),
            len(own),
            *counts,
            int(deals["behind"].sum()),
            float(deals["value_at_stake"].sum()),
        ]
        write_row(sheet, at, values, [None, *[AMOUNT] * 7])
    last = 3 + len(people)
    if people:
        write_row(sheet, last + 1, [label("total", lang)], [None], bold=True)
        for column in "BCDEFGH":
            cell = sheet[f"{column}{last + 1}"]
            cell.value, cell.number_format = f"=SUM({column}4:{column}{last})", AMOUNT
    notes = [label("note_tasks_value", lang)]
    if tasks["won_ratio"].notna().any():
        notes.append(label("warning_condition_effects", lang))
    for at, note in enumerate(notes, start=last + 3):
        write_row(sheet, at, [note], [None])
    sheet.freeze_panes = "B4"


def _of_rep(sheet: Worksheet, tasks: pd.DataFrame, unit: str, lang: str) -> None:
    """All tasks of a rep in their order, those of the week marked; columns without any value are left out."""
    known = tasks["won_ratio"].notna().any()
    keys = [key for key in COLUMNS if known or not key.startswith("won_")]
    set_widths(sheet, [COLUMNS[key] for key in keys])
    names = [amount_label(k, unit, lang) if k == "value_at_stake" else label(k, lang) for k in keys]
    head(sheet, 1, names, n_text=N_TEXT)
    week = week_sheet(tasks.rename_axis("place").reset_index(), rep_id=tasks["rep_id"].iloc[0])
    chosen = tasks.index.isin(week["place"])
    shown = pd.DataFrame(
        {
            **{key: tasks[key] for key in ("deal_id", "name", "stage")},
            **{key: tasks[f"{key}_{lang}"] for key in ("task", "why", "proof", "tools")},
            **{key: tasks[key] for key in ("won_ratio", "won_lower", "won_upper", "value_at_stake")},
            "this_week": [label("yes", lang) if yes else "" for yes in chosen],
            "kind": [label(f"kind_{kind}", lang) for kind in tasks["kind"]],
            "done_by": [label(f"duty_{who}", lang) if has_label(f"duty_{who}") else who for who in tasks["owner"]],
        }
    )
    forms = [RATIO if key.startswith("won_") else AMOUNT if key == "value_at_stake" else None for key in keys]
    for at, row in enumerate(shown.to_dict("records"), start=2):
        _task(sheet, at, [plain(row[key]) for key in keys], forms, [COLUMNS[key] for key in keys])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(keys))}{len(tasks) + 1}"
    sheet.freeze_panes, sheet.print_title_rows = "C2", "1:1"


def _task(sheet: Worksheet, at: int, values: list[Any], forms: list[str | None], widths: list[int]) -> None:
    """One task, its texts folded, in a row as high as the longest of them needs."""
    write_row(sheet, at, values, forms)
    lines = 1
    for i, (value, width) in enumerate(zip(values, widths, strict=True), start=1):
        if isinstance(value, str) and value:
            sheet.cell(at, i).alignment = Alignment(wrap_text=True, vertical="top")
            lines = max(lines, n_lines(value, width))
        else:
            sheet.cell(at, i).alignment = Alignment(vertical="top")
    sheet.row_dimensions[at].height = LINE_HEIGHT * lines
