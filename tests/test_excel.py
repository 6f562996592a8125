"""The workbook: formulas add up, texts stay texts, every deal is there."""

from dataclasses import replace

import pytest
from openpyxl import load_workbook

from salesanalytics import forecast_quarter, simulate_book, write_report
from salesanalytics.errors import SalesAnalyticsError


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
    assert sheet.auto_filter.ref == f"A1:L{len(deals) + 1}"
    assert sheet[f"H{len(deals) + 3}"].value == f"=SUBTOTAL(109,H2:H{len(deals) + 1})"


def test_a_text_that_looks_like_a_formula_stays_a_text(forecast, tmp_path):
    deals = forecast.deals.assign(name="=cmd|'/c calc'!A1")
    sheet = load_workbook(write_report(replace(forecast, deals=deals), tmp_path / "f.xlsx")).worksheets[1]
    assert {sheet.cell(row, 2).data_type for row in range(2, len(deals) + 2)} == {"s"}


def test_another_ending_is_refused(forecast, tmp_path):
    with pytest.raises(SalesAnalyticsError, match=r"html or \.xlsx"):
        write_report(forecast, tmp_path / "f.pdf")
