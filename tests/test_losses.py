"""Loss reasons: counts by hand, shares that reconcile, and books that record less."""

import pandas as pd
import pytest
import worlds

import salesanalytics as sa
from salesanalytics.control import loss_reasons
from salesanalytics.errors import SchemaError
from salesanalytics.models.bands import jeffreys

PATHS = {
    "a": [("S1", 0), ("S2", 5), ("lost", 9)],
    "b": [("S1", 0), ("S2", 5), ("on_hold", 7), ("no_decision", 9)],
    "c": [("S1", 0), ("S2", 5), ("lost", 9)],
    "d": [("S1", 0), ("withdrawn", 9)],
    "e": [("S1", 0), ("S2", 5), ("won", 9)],
    "f": [("S1", 0), ("lost", 9, 30)],  # not known on day 20
    "g": [("S1", 0), ("lost", 9), ("S1", 12)],  # came back
}
ROWS = [
    ("a", "reason", "price", 9), ("a", "reason", "quality", 10), ("c", "reason", "quality", 9, 30),
    ("a", "competitor", "x", 6), ("b", "competitor", "y", 6),
]  # fmt: skip
FACTS = {"amount": [10.0, 30.0, 60.0, 5.0, 7.0, 9.0, 11.0]}


@pytest.fixture(scope="module")
def book():
    return worlds.tiny(PATHS, last=40, history=ROWS, deals=FACTS)


def test_reasons_by_hand(book):
    found = loss_reasons(book, as_of=worlds.day_of(20))
    rows = found.reasons
    assert rows[["stage", "reason", "n", "amount", "n_of"]].to_numpy().tolist() == [
        ["S1", "not_recorded", 1, 5.0, 1],
        ["S2", "not_recorded", 2, 90.0, 3],  # c's reason is typed in on day 30
        ["S2", "quality", 1, 10.0, 3],  # the last word
    ]
    assert rows.loc[2, ["share", "amount_share"]].tolist() == pytest.approx([1 / 3, 0.1])
    assert rows.loc[2, ["lower", "upper"]].tolist() == pytest.approx([float(x) for x in jeffreys(1, 3, confidence=0.9)])
    groups = found.groups.set_index("stage")
    counts = ["n", "n_lost", "n_no_decision", "n_withdrawn", "amount"]
    assert groups.loc["S2", counts].tolist() == [3, 2, 1, 0, 100.0]
    assert groups.loc["S1", counts].tolist() == [1, 0, 0, 1, 5.0]
    assert groups["share_no_decision"].tolist() == pytest.approx([0, 1 / 3])
    assert groups["share_not_recorded"].tolist() == pytest.approx([1, 2 / 3])
    assert found.left_out is None
    later = loss_reasons(book, as_of=worlds.day_of(40)).reasons
    assert later.loc[later["stage"].eq("S2") & later["reason"].eq("quality"), "n"].tolist() == [2]


def test_a_reason_taken_away_is_none():
    rows = [("a", "reason", "price", 9), ("a", "reason", "", 10), ("c", "reason", "quality", 9)]
    one = worlds.tiny(PATHS, last=40, history=rows)
    told = loss_reasons(one, as_of=worlds.day_of(20)).reasons
    of_s2 = told.loc[told["stage"].eq("S2"), ["reason", "n"]].to_numpy().tolist()
    assert of_s2 == [["not_recorded", 2], ["quality", 1]]


def test_by_competitor_every_deal_counts_once(book):
    found = loss_reasons(book, as_of=worlds.day_of(40), by="competitor")
    assert found.reasons["n"].sum() == found.groups["n"].sum() == 5
    of_x = found.groups[found.groups["competitor"].eq("x")]
    assert of_x[["stage", "n"]].to_numpy().tolist() == [["S2", 1]]
    assert found.groups["competitor"].isna().sum() == 2  # c in S2; d and f in S1
    assert found.reasons.groupby(["stage", "competitor"], dropna=False)["share"].sum().tolist() == pytest.approx(
        [1] * 4
    )


def test_a_grouping_that_is_not_there_is_refused(book):
    with pytest.raises(SchemaError, match="by must be"):
        loss_reasons(book, as_of=worlds.day_of(20), by="colour")


def test_a_book_without_reasons_or_losses_says_so():
    silent = worlds.tiny({"a": [("S1", 0), ("lost", 3)]}, last=9)
    found = loss_reasons(silent, as_of=worlds.day_of(9))
    assert found.reasons["reason"].tolist() == ["not_recorded"]
    assert (found.left_out, found.why()) == ("no_reasons", "The book records no reasons.")
    none = loss_reasons(silent, as_of=worlds.day_of(2))
    assert len(none.reasons) == len(none.groups) == 0
    assert none.why("zh") == "没有未成交而结束的项目。"
    assert "competitor" not in none.reasons
    assert "rep_id" in loss_reasons(silent, as_of=worlds.day_of(2), by="rep_id").groups


def test_counts_reconcile_with_the_outcomes_of_a_simulated_company():
    book = sa.simulate_book(n_deals=400, seed=5)
    as_of = book.settings.extracted_on
    found = loss_reasons(book, as_of=as_of, by="team")
    history = book.history[
        book.history["field"].eq("stage") & (book.history["recorded_at"] < pd.Timestamp(as_of) + pd.Timedelta(days=1))
    ]
    last = history.sort_values(["deal_id", "changed_at", "row"], kind="stable").groupby("deal_id")["value"].last()
    assert found.groups["n"].sum() == last.isin(["lost", "no_decision", "withdrawn"]).sum()
    assert found.groups["n_no_decision"].sum() == last.eq("no_decision").sum()
