"""Similar won deals: the distance by hand, the deals found, what was done next, and what was not known yet."""

import numpy as np
import pandas as pd
import pytest
import worlds

import salesanalytics as sa
from salesanalytics.control import similar_won_deals
from salesanalytics.control.similar import DAYS, NUMBERS, gower
from salesanalytics.errors import SchemaError

#: Four won deals and an open one that has stood in S2 for 40 days; "late" was won, but after the date of looking.
PATHS = {
    "twin": [("S1", 0), ("S2", 100), ("S3", 160), ("won", 200)],
    "rich": [("S1", 0), ("S2", 100), ("S3", 170), ("won", 230)],
    "other": [("S1", 0), ("S2", 100), ("won", 190)],
    "lost": [("S1", 0), ("S2", 100), ("lost", 190)],
    "late": [("S1", 0), ("S2", 100), ("S3", 160), ("won", 390, 460)],
    "open": [("S1", 300), ("S2", 360)],
}
FACTS = {
    "amount": [100.0, 5000.0, 100.0, 100.0, 100.0, 100.0],
    "product": ["a", "a", "b", "a", "a", "a"],
    "rep_id": "r1",
    "name": "x",
}
ROWS = [
    ("twin", "contact", "USER", 50), ("open", "contact", "USER", 350), ("rich", "contact", "USER", 50),
    ("twin", "condition", "S2.C1", 158), ("twin", "condition", "S2.C2:waived", 158),
    ("rich", "condition", "S2.C1", 168), ("rich", "condition", "S3.C1", 170), ("rich", "condition", "S2.C3", 170),
    ("twin", "activity", "visit", 159), ("twin", "activity", "visit", 160), ("twin", "activity", "visit", 161),
    ("other", "milestone", "M2", 190), ("open", "condition", "S2.C1", 380),
]  # fmt: skip


def asked(**more):
    book = worlds.tiny(PATHS, last=470, history=ROWS, deals=FACTS)
    return similar_won_deals(book, as_of=worlds.day_of(400), deal_id="open", **more)


def test_the_nearest_won_deals_at_the_same_stage_by_hand():
    found = asked().deals.set_index("deal_id")
    assert found.index.tolist() == ["twin", "other", "rich"]  # neither the lost one nor the one not known as won
    assert found["same_age"].all()
    assert (found["days_in_state"] - 40).abs().max() <= 14  # landmarks lie 28 days apart
    assert found["next_state"].to_dict() == {"twin": "S3", "other": "won", "rich": "S3"}
    left = pd.Series({"twin": 160, "other": 190, "rich": 170})
    seen = (found["seen_on"] - worlds.START).dt.days
    assert (found["days_to_next"] == left - seen).all()
    assert (found["days_to_signing"] == pd.Series({"twin": 200, "other": 190, "rich": 230}) - seen).all()
    assert found["amount_signed"].to_dict() == {"twin": 100.0, "other": 100.0, "rich": 5000.0}
    assert asked(n=1).deals["deal_id"].tolist() == ["twin"]


def test_what_was_done_next_there():
    result = asked()
    table = result.done_next.set_index(["kind", "item"])
    assert table["n_deals"].to_dict() == {
        ("condition", "S2.C1"): 2, ("condition", "S2.C3"): 1, ("activity", "visit"): 1, ("milestone", "M2"): 1,
    }  # fmt: skip
    visit = table.loc[("activity", "visit")]
    assert (visit["n_per_deal"], visit["share"]) == (
        pytest.approx(2 / 3),
        pytest.approx(1 / 3),
    )  # that of day 161: later
    assert table["done_here"].to_dict()[("condition", "S2.C1")]
    assert not table.loc[("milestone", "M2"), "done_here"]
    seen = (result.deals.set_index("deal_id")["seen_on"] - worlds.START).dt.days
    steps = result.steps.set_index(["deal_id", "item"])
    assert steps.loc[("twin", "visit"), ["n", "days_after"]].tolist() == [2, 159 - seen["twin"]]
    assert ("twin", "S2.C2:waived") not in steps.index


def test_steps_without_a_name_and_names_with_a_colon():
    rows = [*ROWS, ("twin", "activity", "visit: plant", 158), ("rich", "activity", "", 165)]
    book = worlds.tiny(PATHS, last=470, history=rows, deals=FACTS)
    steps = similar_won_deals(book, as_of=worlds.day_of(400), deal_id="open").steps
    assert steps.loc[steps["kind"].eq("activity"), "item"].tolist() == ["visit: plant", "visit"]


def rows_of(**columns):
    n = len(next(iter(columns.values())))
    empty = {name: np.full(n, np.nan) for name in (*NUMBERS, *DAYS)}
    return pd.DataFrame(empty | columns)


def test_the_distance_by_hand():
    rows = rows_of(
        product=["a", "b", None, "b"], n_roles=[1.0, 3.0, np.nan, 2.0], days_in_state=[0.0, 9.0, 4.0, np.nan]
    )
    own = rows.iloc[[0]]
    spread = np.subtract(*np.quantile([1, 2, 3], [0.95, 0.05]))
    days = np.log1p([0, 9, 4]) / np.subtract(*np.quantile(np.log1p([0, 9, 4]), [0.95, 0.05]))
    expected = [0, 1, min(days[2], 1), (1 + 1 / spread) / 2]  # 1: all three differ by as much as can be
    assert gower(rows, own, attributes=("product",)) == pytest.approx(expected)
    nothing = rows_of(product=[None, None])
    assert gower(nothing, nothing.iloc[[0]], attributes=("product",)).tolist() == [1.0, 1.0]


def test_a_book_without_any_won_deal_says_so():
    book = worlds.tiny({"a": [("S1", 0)], "b": [("S1", 0), ("lost", 90)]}, last=100)
    found = similar_won_deals(book, as_of=worlds.day_of(100), deal_id="a")
    assert [len(part) for part in (found.deals, found.steps, found.done_next)] == [0, 0, 0]
    assert found.left_out == "no_won_deals"
    assert found.why().startswith("No won deal")
    assert found.why("zh").endswith("。")


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(SchemaError, match="open on"):
        similar_won_deals(worlds.tiny(PATHS, last=470), as_of=worlds.day_of(400), deal_id="twin")
    with pytest.raises(SchemaError, match="n must be"):
        asked(n=0)


def test_similar_deals_really_stood_there_on_that_date():
    book = sa.simulate_book(n_deals=250, seed=3)
    as_of = book.settings.extracted_on
    now = sa.snapshots(book, as_of=as_of)
    own = now[now["state"].isin(["S3", "S4", "S5"])].iloc[0]
    found = similar_won_deals(book, as_of=as_of, deal_id=own["deal_id"]).deals
    then = sa.snapshots(book, as_of=found["seen_on"].tolist())
    rows = found.merge(then, left_on=["deal_id", "seen_on"], right_on=["deal_id", "as_of"], suffixes=("", "_then"))
    assert len(rows) == len(found) == 5
    assert (rows["stage"] == own["stage"]).all()
    assert (rows["days_in_state"] == rows["days_in_state_then"]).all()
    assert (rows["amount"] == rows["amount_then"]).all()
    assert (found["days_to_next"] <= found["days_to_signing"]).all()
    assert found["distance"].between(0, 1).all()
    assert found[["same_age", "distance"]].eval("distance + 2 * (not same_age)").is_monotonic_increasing
