"""Model and rep: by hand, and against the sum that the simple method of the reps' chances makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook
from test_plots import small_forecast

import salesanalytics as sa
from salesanalytics.labels import label
from salesanalytics.report.sections import sections


def by_hand():
    """2026Q4: a rep sure of his deal, one that dates later, one whose date is over, two that say half, one nothing."""
    plain = small_forecast(names=("sure", "later", "over", "alike", "silent", "unknown"))
    dates = ["2026-12-31", "2027-01-01", "2026-09-30", "2026-10-01", "2026-11-01", "2026-11-01"]
    told = {
        "p_rep": [0.9, 0.8, 0.8, 0.5, np.nan, 1.0],
        "close_date": pd.to_datetime(dates),
        "p_model": [0.4, 0.7, 0.1, 0.5, 0.3, 0.75],
        "amount": [10.0, 100.0, 1000.0, 50.0, 50.0, np.nan],
        "usual_amount": 20.0,
        "sign_q10": pd.NaT,
        "sign_q90": pd.NaT,
    }
    return replace(plain, deals=plain.deals.assign(**told))


def test_by_hand():
    found = sa.disagreements(by_hand()).set_index("deal_id")
    assert found["effect"].to_dict() == pytest.approx({"later": -70.0, "sure": 5.0, "unknown": 5.0, "alike": 0.0})
    assert list(found.index) == ["later", "sure", "unknown", "alike"]
    assert found["p_rep_in_period"].tolist() == [0.0, 0.9, 1.0, 0.5]
    assert found.at["later", "p_rep"] == 0.8
    assert found["expects_more"].tolist() == ["model", "rep", "rep", None]


@pytest.fixture(scope="module")
def company():
    return sa.simulate_book(n_deals=300, seed=5)


def test_effects_add_up_to_what_the_reps_expect_less_what_the_model_does(company):
    told = sa.forecast_quarter(company, quarter="2026Q4", as_of="2026-09-30", draws=50)
    found = sa.disagreements(told)
    assert len(found) > 5
    assert found["effect"].abs().is_monotonic_decreasing
    assert (found["effect"].gt(0) == found["expects_more"].eq("rep")).all()
    reps = told.baselines.set_index("method").at["rep_probability", "amount"] - told.signed["amount"].sum()
    ours = told.deals.set_index("deal_id").loc[found["deal_id"]]
    known = ours["amount"].notna().to_numpy()
    model = (ours["p_model"] * ours["amount"]).sum()
    assert found.loc[known, "effect"].sum() == pytest.approx(reps - model)
    out = sa.Judgement(found["deal_id"].iloc[0], "Li", "frozen", excluded=True)
    judged = sa.with_judgement(told, book=company, judgements=[out])
    pd.testing.assert_frame_equal(sa.disagreements(judged), found)  # it is the model's chance, not what people put over


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_page_and_workbook_show_the_largest(lang, tmp_path):
    title = label("title_disagreements", lang)
    parts = sections(by_hand(), lang, before=None, groups=None, outlook=None)
    rows = next(part for part in parts if part.title == title).tables[0][0]
    assert rows.iloc[:, 0].tolist() == ["later", "sure", "unknown"]  # not the one on which both agree
    assert rows.iloc[:, 6].tolist() == ["−70", "+5", "+5"]
    assert title not in [p.title for p in sections(small_forecast(), lang, before=None, groups=None, outlook=None)]
    book = load_workbook(sa.write_report(by_hand(), tmp_path / "f.xlsx", lang=lang))
    sheet = book[label("sheet_disagreements", lang)]
    assert [cell.value for cell in sheet["A"]][1:] == ["later", "sure", "unknown", "alike"]
    assert [cell.value for cell in sheet["K"]][1:] == [label("side_model", lang), *[label("side_rep", lang)] * 2, None]
