"""The workbook of tasks: what stands on which sheet, sums, texts that are no formulas, names of sheets."""

import pandas as pd
import pytest
import worlds
from openpyxl import load_workbook

import salesanalytics as sa
from salesanalytics.report.tasks import _sheet_names, write_tasks

PATHS = {"a": [("S3", 10)], "b": [("S1", 10)], "c": [("S1", 10)]}
ROWS = [
    ("a", "buyer_stage", "B2", 10),
    ("a", "milestone", "M1", 10),
    ("b", "condition", "S1.C1", 11),
    ("b", "contact", "DM", 12),
]
FACTS = {"amount": [10.0, 20.0, 40.0], "rep_id": ["r/1", "R 1", None], "name": ["=1+1", "plain", "@x"]}


@pytest.fixture(scope="module")
def tasks():
    book = worlds.tiny(PATHS, last=20, history=ROWS, deals=FACTS)
    return sa.next_tasks(book, as_of=worlds.day_of(20))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_task_stands_on_the_sheet_of_its_rep(tasks, tmp_path, lang):
    path = write_tasks(tasks, tmp_path / "new" / "tasks.xlsx", as_of="2010-01-21", unit="CNY", lang=lang)
    book = load_workbook(path)
    assert len(book.sheetnames) == 4
    assert {"R 1", "r 1 2"} < set(book.sheetnames)
    assert sum(sheet.max_row - 1 for sheet in book.worksheets[1:]) == len(tasks)
    overview = book.worksheets[0]
    rows = {row[0].value: [cell.value for cell in row[1:]] for row in overview.iter_rows(min_row=4, max_row=6)}
    of_r1 = tasks[tasks["rep_id"].eq("r/1")]
    kinds = [int(of_r1["kind"].eq(kind).sum()) for kind in ("milestone", "condition", "role")]
    assert rows["r/1"] == [1, len(of_r1), *kinds, 1, 10]
    assert overview["C7"].value == "=SUM(C4:C6)"
    sheet = book["r 1 2"]
    heads = [cell.value for cell in sheet[1]]
    assert len(heads) == len(set(heads)) == 11  # nothing measured, so no odds
    name = sheet.cell(2, 3)
    assert (name.value, name.data_type, name.quotePrefix) == ("=1+1", "s", True)
    marked = [row[0].value for row in sheet.iter_rows(min_row=2)]
    assert marked[:3] == [{"en": "yes", "zh": "是"}[lang]] * 3
    assert not any(marked[3:])


def test_sheets_bear_the_names_of_reps_where_the_book_has_them(tasks, tmp_path):
    path = write_tasks(tasks, tmp_path / "t.xlsx", as_of="2010-01-21", rep_names={"R 1": "Wang Wei"})
    book = load_workbook(path)
    assert "R 1 Wang Wei" in book.sheetnames
    assert "R 1 Wang Wei" in [row[0].value for row in book.worksheets[0].iter_rows(min_row=4)]


def test_measured_odds_and_their_warning_are_shown(tasks, tmp_path):
    known = tasks.assign(won_ratio=tasks["weight"] + 1.0, won_lower=1.0, won_upper=3.0)
    book = load_workbook(write_tasks(known, tmp_path / "t.xlsx", as_of="2010-01-21"))
    assert "Odds of winning with it" in [cell.value for cell in book["R 1"][1]]
    said = [row[0].value for row in book.worksheets[0].iter_rows(min_row=8)]
    assert any(str(text).startswith("Association, not cause") for text in said)


def test_no_task_gives_an_overview_alone(tasks, tmp_path):
    book = load_workbook(write_tasks(tasks.head(0), tmp_path / "t.xlsx", as_of="2010-01-21"))
    assert book.sheetnames == ["Overview"]


def test_names_of_sheets_are_ones_a_workbook_accepts():
    names = _sheet_names(["Overview", "a" * 40, "a" * 41, "[x]:*", "'"], taken=["Overview"])
    assert len({name.lower() for name in names}) == 5
    assert max(map(len, names)) <= 31
    assert names[0] == "Overview 2"
    assert not set("[]:*?/\\") & set("".join(names))


def test_the_frame_given_is_not_changed(tasks, tmp_path):
    before = tasks.copy(deep=True)
    write_tasks(tasks, tmp_path / "t.xlsx", as_of="2010-01-21")
    pd.testing.assert_frame_equal(tasks, before)
