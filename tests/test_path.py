"""The path to the target: by hand, and against `what_if`, which counts every draw anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook
from test_plots import small_forecast
from test_rollups import forecast

from salesanalytics import key_deals, path_to_target, what_if, write_report
from salesanalytics.errors import SchemaError
from salesanalytics.forecast.draws import Signings
from salesanalytics.labels import label
from salesanalytics.report.sections import sections

pytestmark = pytest.mark.usefixtures("on_the_stage_table")


def by_hand():
    """Four draws; big signs in the first, small in the first two, none never; 10 are signed, 40 are wanted."""
    plain = small_forecast(names=("big", "small", "none", "out"), target=40.0)
    deals = plain.deals.assign(amount=[30.0, 10.0, 50.0, 90.0], p_in_period=[0.25, 0.5, 0.001, 0.0])
    signings = Signings(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([30.0, 10.0, 10.0]), 4)
    amount = {"signed": np.full(4, 10.0), "open": np.array([40.0, 10.0, 0.0, 0.0])}
    return replace(plain, deals=deals, signings=signings, amount=amount, count={k: np.zeros(4) for k in amount})


def test_by_hand():
    path = path_to_target(by_hand())  # totals 50, 20, 10, 10: the target of 40 is reached in one of four
    assert path["deal_id"].tolist() == ["big", "none", "small"]  # out cannot sign
    told = path.set_index("deal_id")
    assert told["p_target_won"].to_dict() == {"big": 1.0, "none": 1.0, "small": 0.25}
    assert told["adds"].to_dict() == {"big": 0.75, "none": 0.75, "small": 0.0}
    room = {"big": 0.4 - 0.25, "small": 2 / 3 - 0.5, "none": 0.002 / 1.001 - 0.001}  # odds 1:3 to 2:3, 1:1 to 2:1
    assert told["room"].to_dict() == pytest.approx(room)
    # big decides all draws; none would bring the three it has not; without small the first still has 40
    assert told["worth"].to_dict() == pytest.approx({"big": 0.15, "none": room["none"] * 0.75, "small": 0.0})
    assert path["p_target_path"].tolist() == [1.0, 1.0, 1.0]


def test_the_path_says_what_what_if_says():
    found = forecast()
    path = path_to_target(found)
    assert sorted(path["deal_id"]) == sorted(found.deals.loc[found.deals["p_in_period"] > 0, "deal_id"])
    assert path["worth"].is_monotonic_decreasing
    assert path["p_target_path"].is_monotonic_increasing
    for n in (1, 2, 5, len(path)):
        won = what_if(found, won=path["deal_id"].head(n).tolist())
        assert path["p_target_path"].iloc[n - 1] == pytest.approx(won.p_target)
    for deal in path.iloc[[0, 3, -1]].itertuples():
        won, lost = (what_if(found, **{how: [deal.deal_id]}).p_target for how in ("won", "lost"))
        assert deal.p_target_won == pytest.approx(won)
        doubled = 2 * deal.p_in_period / (1 + deal.p_in_period)
        assert deal.worth == pytest.approx((doubled - deal.p_in_period) * (won - lost))
    both = path.merge(key_deals(found), on="deal_id")
    np.testing.assert_array_equal(both["adds_x"], both["adds_y"])


def test_a_path_longer_than_is_worked_out_at_once(monkeypatch):
    found = replace(forecast(), target=2.0 * forecast().total().mean())
    whole = path_to_target(found)
    assert 0 < whole["p_target_path"].iloc[3] < 1
    monkeypatch.setattr("salesanalytics.forecast.path.CHUNK", 2)
    pd.testing.assert_frame_equal(path_to_target(found), whole)


def test_a_path_needs_a_target_that_is_told_in_amounts():
    for change in ({"target": None}, {"amount": {k: 0 * v for k, v in by_hand().amount.items()}}):
        bare = replace(by_hand(), count={"signed": np.ones(4)}, **change)
        with pytest.raises(SchemaError, match="A path needs a target and amounts"):
            path_to_target(bare)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_page_and_workbook_show_the_path(lang, tmp_path):
    found = forecast()
    path = path_to_target(found)
    part = next(s for s in sections(found, lang, before=None, groups=None, outlook=None)
                if s.title == label("title_path", lang))  # fmt: skip
    assert part.tables[0][0].iloc[:, 0].tolist() == path["deal_id"].head(10).tolist()
    assert (len(part.lead) == 2) == (found.p_target < 0.8)
    sheet = load_workbook(write_report(found, tmp_path / "f.xlsx", lang=lang))[label("sheet_path", lang)]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [row[0] for row in rows] == path["deal_id"].tolist()
    assert [row[-1] for row in rows] == pytest.approx(path["p_target_path"].tolist())
    assert sheet.cell(2, 10).number_format == "0.0%"
