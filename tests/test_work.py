"""Features of the work on a deal: by hand on one deal, and without look-ahead on a simulated company."""

import numpy as np
import pandas as pd
import pytest

from salesanalytics import make_book, snapshots
from salesanalytics.features.work import as_probability
from salesanalytics.process import read_process
from salesanalytics.simulate import simulate_book

ROWS = [  # day of January 2026, recorded on, field, value
    (1, 1, "stage", "S1"),
    (1, 1, "buyer_stage", "B1"),
    (3, 3, "activity", "visit"),
    (4, 4, "condition", "S1.C1"),
    (5, 5, "contact", "PURCH"),
    (5, 9, "contact", "DM"),  # typed in on the 9th
    (6, 6, "stance", "PURCH:1"),
    (6, 6, "milestone", "M1"),
    (7, 7, "quote", "100"),
    (8, 8, "stage", "S2"),
    (8, 12, "milestone", "M3"),
    (9, 9, "activity", "mail_out"),
    (10, 10, "condition", "S1.C1:undone"),
    (10, 10, "condition", "S2.C1"),
    (10, 10, "stance", "PURCH:-2"),
    (11, 11, "buyer_stage", "B3"),
    (11, 11, "competitor", "rival"),
    (11, 11, "next_step", "2026-01-15"),
    (12, 12, "contact", "DM:left"),
    (12, 12, "contact", ""),
    (12, 12, "probability", "60%"),
    (12, 12, "category", "commit"),
]


@pytest.fixture(scope="module")
def one_deal():
    day = "2026-01-{:02d}".format
    history = pd.DataFrame(ROWS, columns=["changed", "recorded", "field", "value"]).assign(deal_id="D1")
    history = history.assign(changed_at=history["changed"].map(day), recorded_at=history["recorded"].map(day))
    deals = pd.DataFrame({"deal_id": ["D1"], "created_at": ["2026-01-01"]})
    columns = ["deal_id", "changed_at", "recorded_at", "field", "value"]
    return make_book(deals=deals, history=history[columns], settings={"extracted_on": "2026-01-31"})


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (2, {"stage_rank": 1, "buyer_rank": 1, "supported_rank": 1}),
        (6, {"milestones_in_row": 1, "n_roles": 1, "stance_min": 1, "days_since_inbound": 3}),
        (
            8,
            {
                "stage_rank": 2,
                "buyer_rank": 1,
                "buyer_lag": 1,
                "supported_rank": 1,
                "quote_before_decision_maker": True,
            },
        ),
        (9, {"n_roles": 2, "quote_before_decision_maker": False, "days_since_activity": 0, "days_since_inbound": 6}),
        (11, {"buyer_rank": 3, "buyer_lag": -1, "stance_min": -2, "competitor_known": True, "n_milestones": 1}),
        (
            20,
            {
                "n_milestones": 2,
                "milestones_in_row": 1,
                "n_roles": 2,
                "p_rep": 0.6,
                "category": "commit",
                "next_step_overdue_days": 5,
            },
        ),
    ],
)
def test_by_hand(one_deal, day, expected):
    row = snapshots(one_deal, as_of=f"2026-01-{day:02d}").iloc[0]
    assert {name: row[name] for name in expected} == expected


def test_share_of_conditions_by_hand(one_deal):
    process = read_process()
    weight = {c.id: c.weight for s in process.stages for c in s.conditions}
    first = sum(c.weight for c in process.stages[0].conditions)
    both = first + sum(c.weight for c in process.stages[1].conditions)
    share = {day: snapshots(one_deal, as_of=f"2026-01-{day:02d}")["conditions_share"].iloc[0] for day in (5, 8, 10)}
    assert share[5] == pytest.approx(weight["S1.C1"] / first)
    assert share[8] == pytest.approx(weight["S1.C1"] / both)
    assert share[10] == pytest.approx(weight["S2.C1"] / both)  # the first one was undone


def test_all_missing_where_the_book_keeps_no_such_field():
    history = pd.DataFrame({"deal_id": ["D1"], "changed_at": ["2026-01-01"], "field": ["stage"], "value": ["S1"]})
    book = make_book(deals=pd.DataFrame({"deal_id": ["D1"]}), history=history, settings={"extracted_on": "2026-02-01"})
    row = snapshots(book, as_of="2026-01-31").iloc[0]
    for name in ("buyer_rank", "milestones_in_row", "conditions_share", "days_since_activity", "n_roles", "p_rep"):
        assert pd.isna(row[name]), name
    assert not row["competitor_known"]


def test_a_field_is_not_kept_before_anything_of_it_is_known():
    """Milestones and conditions come in February: in January the book is one without them, and m limits nothing."""
    rows = [("2026-01-01", "stage", "S3"), ("2026-01-01", "buyer_stage", "B3")]
    rows += [("2026-02-01", "milestone", "M1"), ("2026-02-01", "condition", "S3.C1")]
    history = pd.DataFrame(rows, columns=["changed_at", "field", "value"]).assign(deal_id="D1")
    two = pd.concat([history, history.iloc[:2].assign(deal_id="D2")])
    deals = pd.DataFrame({"deal_id": ["D1", "D2"], "created_at": ["2026-01-01"] * 2})
    book = make_book(deals=deals, history=two, settings={"extracted_on": "2026-02-28"})
    found = snapshots(book, as_of=["2026-01-31", "2026-02-28"])
    work = found[["milestones_in_row", "n_milestones", "conditions_share"]]
    assert work[:2].isna().all(axis=None)
    assert work[2:].gt(0).all(axis=1).tolist() == [True, False]
    assert work.iloc[3].tolist() == [0, 0, 0]
    assert found["supported_rank"].tolist() == [3, 3, 2, 1]


def test_a_contact_typed_in_later_does_not_move_the_first_one_known():
    rows = [("01", "01", "stage", "S1"), ("10", "10", "quote", "100"), ("12", "12", "contact", "DM")]
    rows += [("05", "20", "contact", "DM")]  # dated before the quote, known from the 20th
    history = pd.DataFrame(rows, columns=["changed_at", "recorded_at", "field", "value"]).assign(deal_id="D1")
    days = "2026-01-" + history[["changed_at", "recorded_at"]]
    deals = pd.DataFrame({"deal_id": ["D1"], "created_at": ["2026-01-01"]})
    book = make_book(deals=deals, history=history.assign(**days), settings={"extracted_on": "2026-01-31"})
    rows = snapshots(book, as_of=["2026-01-19", "2026-01-20"])
    assert rows["quote_before_decision_maker"].tolist() == [True, False]
    assert rows["n_roles"].tolist() == [1, 1]


def test_probabilities_as_people_write_them():
    texts = pd.Series(["0.6", "60", "60%", "60 %", "1", "0", "-3", "250", "high", None], dtype=object)
    expected = [0.6, 0.6, 0.6, 0.6, 1, 0] + [np.nan] * 4
    assert as_probability(texts).tolist() == pytest.approx(expected, nan_ok=True)
    with_comma = pd.Series(["0,6", "12,5 %", "６０％", "0.6"])
    assert as_probability(with_comma).tolist() == pytest.approx([0.6, 0.125, 0.6, 0.6])


def test_no_look_ahead_in_a_simulated_company():
    book = simulate_book(n_deals=150, seed=11)
    history, deals = book.history.drop(columns=["row"]), book.deals
    rng = np.random.default_rng(0)
    for day in rng.choice(pd.date_range("2023-06-30", "2026-08-31"), 4, replace=False):
        as_of = pd.Timestamp(day)
        seen = history[history[["changed_at", "recorded_at"]].max(axis=1) < as_of + pd.Timedelta(days=1)]
        cut = make_book(
            deals=deals[deals["deal_id"].isin(seen["deal_id"])],
            history=seen,
            reps=book.reps,
            settings={"extracted_on": as_of.date(), "currency": "CNY"},
        )
        dates = [as_of, as_of - pd.Timedelta(days=100)]
        pd.testing.assert_frame_equal(snapshots(book, as_of=dates), snapshots(cut, as_of=dates))
