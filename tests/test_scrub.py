"""The list to clear before a forecast: by hand, and against the rules and the forecast."""

from __future__ import annotations

import pandas as pd
import pytest
from worlds import tiny

import salesanalytics as sa
from salesanalytics.control.scrub import BY_RULE, COLUMNS, scrub_list
from salesanalytics.errors import AsOfError


def test_each_finding_by_hand():
    paths = {d: [("S1", 0)] for d in ("past", "no date", "no amount", "nobody's", "stranger's", "fine")}
    dates = [(d, "close_date", "2010-12-01", 5) for d in paths if d not in ("past", "no date")]
    book = tiny(
        paths,
        last=100,
        deals={"amount": [5.0, 4, None, 3, 2, 1], "rep_id": ["r1", "r1", "r1", None, "r9", "r1"]},
        history=[*dates, ("past", "close_date", "2010-02-01", 5)],
    )
    found = scrub_list(book, as_of="2010-04-11")
    assert list(found.columns) == COLUMNS
    assert list(zip(found["deal_id"], found["what"], strict=True)) == [
        ("past", "close_date_past"), ("no date", "no_close_date"), ("nobody's", "no_owner"), ("no amount", "no_amount"),
    ]  # fmt: skip
    assert found["since"].iloc[0] == pd.Timestamp("2010-02-02")
    assert found["days"].tolist() == [68, 100, 100, 100]
    assert "2010-02-01" in found["evidence_zh"].iloc[0]
    assert found["expected_amount"].isna().all()


def test_rules_speak_as_in_deal_control():
    book = sa.simulate_book(n_deals=300, seed=5)
    day = book.settings.extracted_on
    found = scrub_list(book, as_of=day, quarter="2026Q4")
    hits = sa.find_anomalies(book, as_of=day).hits
    for rule, what in BY_RULE.items():
        own = found[found["what"].eq(what)].set_index("deal_id")["evidence_zh"]
        theirs = hits[hits["rule"].eq(rule)].set_index("deal_id")["evidence_zh"]
        pd.testing.assert_series_equal(own.sort_index(), theirs.sort_index())
    assert found["what"].nunique() > 1
    assert not found.duplicated(["deal_id", "what"]).any()
    assert found["value_at_stake"].fillna(0).is_monotonic_decreasing
    known = found["value_at_stake"].notna()
    assert (found["expected_amount"] <= found["value_at_stake"] + 1e-6)[known].all()
    assert found.loc[known, "expected_amount"].ge(0).all()
    told = sa.forecast_quarter(book, quarter="2026Q4", as_of=day, draws=10).deals.set_index("deal_id")
    assert found.loc[known, "expected_amount"].to_numpy() == pytest.approx(
        found.loc[known, "deal_id"].map(told["expected_amount"]).to_numpy()
    )
    later = scrub_list(book, as_of=day, quarter="2027Q1")
    assert later["expected_amount"].ge(0)[known].all()
    with pytest.raises(AsOfError, match="ended on"):
        scrub_list(book, as_of=day, quarter="2026Q3")
