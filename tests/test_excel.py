"""The workbook: formulas add up, texts stay texts, every deal is there."""

import re
from dataclasses import replace

import numpy as np
import pytest
from openpyxl import Workbook, load_workbook

from salesanalytics import (
    backtest,
    explain_change,
    forecast_quarter,
    outlook,
    pipeline_change,
    rollup,
    simulate_book,
    write_report,
)  # fmt: skip
from salesanalytics.errors import SalesAnalyticsError
from salesanalytics.labels import cells, label
from salesanalytics.report.columns import places
from salesanalytics.report.excel_cells import LINE_HEIGHT, widths, write_row
from salesanalytics.report.faults import said


@pytest.fixture(scope="module")
def forecast():
    book = simulate_book(n_deals=200, seed=5)
    return forecast_quarter(book, quarter="2026Q4", as_of="2026-09-30", target=2e7, draws=500)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_totals_are_formulas_over_the_parts(forecast, tmp_path, lang):
    sheet = load_workbook(write_report(forecast, tmp_path / "f.xlsx", lang=lang)).worksheets[0]
    parts = [sheet.cell(row, 2).value or 0 for row in range(4, 9)]
    assert sum(parts) == pytest.approx(forecast.total().mean())
    assert sheet["B9"].value == "=SUM(B4:B8)"
    assert sheet["E9"].value == "=SUM(E4:E8)"
    assert [sheet["C9"].value, sheet["D9"].value] == pytest.approx(forecast.bands()["80"])


def test_every_deal_with_its_product_as_a_formula(forecast, tmp_path):
    sheet = load_workbook(write_report(forecast, tmp_path / "f.xlsx")).worksheets[1]
    deals = forecast.deals
    ids = [sheet.cell(row, 1).value for row in range(2, len(deals) + 2)]
    assert ids == deals["deal_id"].tolist()
    for row, known in enumerate(deals["amount"].notna(), start=2):
        assert (sheet.cell(row, 8).value == f"=F{row}*G{row}") == known
    assert sheet.auto_filter.ref == f"A1:M{len(deals) + 1}"
    assert sheet[f"H{len(deals) + 3}"].value == f"=SUBTOTAL(109,H2:H{len(deals) + 1})"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_states_have_names_and_heads_fit(forecast, tmp_path, lang):
    deals = forecast.deals.assign(state="on_hold").assign(older_than_any_win=True)
    deals.loc[0, "state"] = "S3"
    book = load_workbook(write_report(replace(forecast, deals=deals), tmp_path / "f.xlsx", lang=lang))
    sheet, process = book.worksheets[1], forecast.process
    assert [sheet.cell(row, 4).value for row in (2, 3)] == [
        f"S3 · {process.label('S3', lang)}", process.label("on_hold", lang),
    ]  # fmt: skip
    assert sheet.cell(2, 13).value == label("yes", lang)
    for page in book.worksheets[:2]:
        head = 1 if page is sheet else 3
        for cell in page[head]:
            width = page.column_dimensions[cell.column_letter].width
            assert cells(cell.value) <= width * page.row_dimensions[head].height / LINE_HEIGHT
        assert page.page_setup.orientation == "landscape"
        assert page.sheet_properties.pageSetUpPr.fitToPage
    notes = book.worksheets[2]
    for row in range(1, notes.max_row + 1):
        lines = notes.row_dimensions[row].height / LINE_HEIGHT
        assert cells(notes.cell(row, 1).value) <= lines * notes.column_dimensions["A"].width


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_summary_says_median_target_and_what_methods_rest_on(forecast, tmp_path, lang):
    sheet = load_workbook(write_report(forecast, tmp_path / "f.xlsx", lang=lang)).worksheets[0]
    rows = {row[0].value: [cell.value for cell in row[1:]] for row in sheet.iter_rows(min_row=10) if row[0].value}
    amount, count = forecast.total(), forecast.total("count")
    middle = [np.median(amount), *forecast.bands()["50"], np.median(count), *forecast.bands("count")["50"]]
    assert rows[label("total", lang)] == pytest.approx(middle)
    assert rows[label("target", lang)][0] == 2e7
    less = forecast.without_largest()
    assert rows[label("all_deals", lang)] == pytest.approx(
        [amount.mean(), *forecast.bands()["80"], forecast.reached_80, 2e7 - amount.mean(), forecast.p_target]
    )
    deals = label("list_comma", lang).join(less["deals"])
    assert rows[label("without_largest", lang, n=3, deals=deals)] == pytest.approx(
        [less["mean"], *less["bands"]["80"], less["reached_80"], less["gap"], less["p_target"]]
    )
    assert rows[label("forecast", lang)][:2] == ["=B9", "=E9"]
    for method in forecast.baselines.itertuples():
        assert rows[label(method.method, lang)][2] == said(method.basis, lang)
    assert ("元" in sheet["B3"].value) is (lang == "zh")


def test_numbers_have_the_decimals_of_the_page(forecast, tmp_path):
    small = {name: draws / 1e7 for name, draws in forecast.amount.items()}
    small["reopened"] = np.where(np.arange(len(forecast.total())) == 0, 1.0, 0.0)
    deals = forecast.deals.assign(amount=forecast.deals["amount"] / 1e6, expected_amount=0.001)
    told = replace(forecast, amount=small, deals=deals, target=3.5)
    summary, open_deals = load_workbook(write_report(told, tmp_path / "f.xlsx")).worksheets[:2]
    form = {row[0].value: row[1].number_format for row in summary.iter_rows(min_row=3) if row[0].value}
    digits = places(told.components()["amount"])
    assert digits > 0
    assert form[label("open")].endswith("#,##0." + "0" * digits)
    assert f'"<{10.0**-digits:.{digits}f}"' in form[label("reopened")]
    assert form[label("target")] == "#,##0.0"
    assert open_deals["F2"].number_format == "#,##0." + "0" * places(deals["amount"])
    assert open_deals["H2"].number_format == '[=0]0;[<0.005]"<0.01";#,##0.00'


def test_a_text_that_looks_like_a_formula_stays_a_text(forecast, tmp_path):
    deals = forecast.deals.assign(name="=cmd|'/c calc'!A1")
    sheet = load_workbook(write_report(replace(forecast, deals=deals), tmp_path / "f.xlsx")).worksheets[1]
    assert {sheet.cell(row, 2).data_type for row in range(2, len(deals) + 2)} == {"s"}


def test_another_ending_is_refused(forecast, tmp_path):
    with pytest.raises(SalesAnalyticsError, match=r"html or \.xlsx"):
        write_report(forecast, tmp_path / "f.pdf")


def row_cells(sheet):
    return [cell for row in sheet.iter_rows() for cell in row]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_head_and_group_is_in_words(tmp_path, lang):
    book = simulate_book(n_deals=200, seed=5)
    record = backtest(book, as_of="2026-09-30", quarters=1, weeks=(0,))
    asked = {"quarter": "2026Q4", "as_of": "2026-09-30", "draws": 200}
    told = forecast_quarter(book, record=record, target=1e12, **asked)
    before = forecast_quarter(book, quarter="2026Q4", as_of="2026-08-31", draws=200)
    groups = rollup(told, by="team")
    groups.loc[0, "team"] = "missing"
    pipeline = pipeline_change(book, before="2026-08-31", as_of="2026-09-30")
    more = {"before": before, "groups": groups, "outlook": outlook(told, book=book), "pipeline": pipeline}
    sheets = load_workbook(write_report(told, tmp_path / "f.xlsx", lang=lang, **more))
    unit = "元" if lang == "zh" else "CNY"
    for key in ("sheet_change", "sheet_pipeline", "sheet_groups", "sheet_outlook", "sheet_past"):
        sheet = sheets[label(key, lang)]
        gaps = [at for at, row in enumerate(sheet.iter_rows(values_only=True), start=1) if not any(row)]
        for at in [1, *(gap + 1 for gap in gaps if key in ("sheet_change", "sheet_pipeline"))]:
            heads = [cell.value for cell in sheet[at] if cell.value is not None]
            assert len(set(heads)) == len(heads) > 2
            assert not [head for head in heads if "_" in head]
            assert all(re.search(r"[\u4e00-\u9fff]", head) for head in heads) or lang == "en"
        assert any(unit in str(cell.value) for row in sheet.iter_rows() for cell in row)
    names = [cell.value for cell in sheets[label("sheet_groups", lang)]["A"]]
    assert (names[1], names[-1]) == (label("missing_group", lang), label("not_by_deal", lang))
    months = sheets[label("sheet_outlook", lang)]
    chance = next(cell for cell in months[1] if cell.value == label("p_target", lang)).column
    quarter = next(row for row in range(2, 9) if months.cell(row, 1).value == "2026Q4")
    assert months.cell(quarter, chance).value == 0
    assert "<0.1%" in months.cell(quarter, chance).number_format
    reached = more["outlook"].assign(target=more["outlook"]["amount_signed"].clip(lower=1.0), p_target=1.0)
    sheets = load_workbook(write_report(told, tmp_path / "g.xlsx", lang=lang, outlook=reached))
    forms = [row[chance - 1].number_format for row in sheets[label("sheet_outlook", lang)].iter_rows(min_row=2)]
    sure = reached["amount_signed"] >= 1.0
    assert forms[: len(sure)] == ["0.0%" if one else months.cell(quarter, chance).number_format for one in sure]
    assert sure.any()
    assert months.cell(quarter, 7).value == pytest.approx(told.total().mean())
    long = [cell for sheet in sheets for cell in row_cells(sheet) if isinstance(cell.value, float) and cell.value > 1e4]
    assert len(long) > 20
    assert {cell.number_format for cell in long} == {"#,##0"}


def parts_of(sheet):
    """Tables that stand one below the other, as lists of rows without their heads."""
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    gap = next(at for at, row in enumerate(rows) if not any(row))
    return rows[1:gap], rows[gap + 2 :]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_deals_that_moved_stand_below_the_causes_and_add_up(tmp_path, lang):
    book = simulate_book(n_deals=200, seed=5)
    days = {"before": "2026-08-31", "as_of": "2026-09-30"}
    before, told = (forecast_quarter(book, quarter="2026Q4", as_of=day, draws=200) for day in days.values())
    change, pipeline = explain_change(before, told), pipeline_change(book, **days)
    path = write_report(told, tmp_path / "f.xlsx", lang=lang, before=before, pipeline=pipeline)
    sheets = load_workbook(path)
    causes, deals = parts_of(sheets[label("sheet_change", lang)])
    assert [row[0] for row in deals] == change.deals["deal_id"].tolist()
    assert all(row[1] for row in deals)
    for place, cause in enumerate(list(change.deals)[2:], start=3):
        own = next(row for row in causes if row[0] == label(f"cause_{cause}", lang))
        assert sum(row[place] for row in deals) == pytest.approx(own[1], abs=1e-6)
    flows, deals = parts_of(sheets[label("sheet_pipeline", lang)])
    assert [row[0] for row in deals] == pipeline.deals["deal_id"].tolist()
    ends = [["2026-08-31", pipeline.before["amount"]], ["2026-09-30", pipeline.after["amount"]]]
    assert [flows[0][:2], flows[-1][:2]] == ends
    for column in range(1, 5):
        assert sum(row[column] for row in flows[:-1]) == pytest.approx(flows[-1][column])
    assert sum(row[6] for row in deals) == pytest.approx(flows[-1][1] - flows[0][1])
    assert sum(row[7] for row in deals) == pytest.approx(flows[1][1])


def test_a_text_wider_than_its_column_takes_lines_of_its_own_and_is_not_cut():
    sheet = Workbook().active
    widths(sheet, [10, 10, 10])
    write_row(sheet, 1, ["short", "deals to come back or to come", 3.0], [None, None, "0"])
    write_row(sheet, 2, ["a title with nothing beside it"], [None])
    assert sheet["B1"].alignment.wrap_text
    assert not sheet["A1"].alignment.wrap_text
    assert sheet.row_dimensions[1].height >= 3 * LINE_HEIGHT
    assert (sheet["A2"].alignment.wrap_text, sheet.row_dimensions[2].height) == (None, None)
    write_row(sheet, 3, ["x" * 24, "a word without a space is broken"], [None, None])
    assert sheet["A3"].alignment.wrap_text
    assert sheet.row_dimensions[3].height >= 3 * LINE_HEIGHT
