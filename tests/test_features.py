"""The default features by hand, and what a snapshot holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_timeline import book_of as timeline_book
from test_timeline import raw_tables
from worlds import START, day_of, tiny

import salesanalytics as sa
from salesanalytics.features import DEFAULT_FEATURES
from salesanalytics.features.history import clocks
from salesanalytics.timeline import references
from salesanalytics.timeline.calendar import to_date, to_day
from salesanalytics.timeline.replay import collect
from salesanalytics.timeline.spells import open_deals


def at(number):
    return day_of(number).date()


DAYS = (40, 50, 60, 70, 80, 90)


@pytest.fixture(scope="module")
def book():
    """W is won after 10 days in S1 and 30 in S2, V after 20 and 50; A, B and P are open on day 200."""
    paths = {
        "W": [("S1", 0), ("S2", 10), ("won", 40)],
        "V": [("S1", 0), ("S2", 20), ("won", 70)],
        "late": [("S1", 0), ("S2", 1), ("won", 2, 300)],  # its signing is typed in after day 200
        "A": [("S1", 100), ("S4", 110), ("S2", 150)],
        "B": [("S2", 120), ("lost", 130), ("S2", 160)],
        "P": [("S1", 130), ("on_hold", 140), ("S1", 150), ("on_hold", 180)],
        "young": [("S1", 205)],
    }
    history = [
        ("A", "amount", 150, 115), ("A", "amount", 120, 160), ("A", "amount", 999, 150, 250),
        ("A", "close_date", at(250), 105), ("A", "close_date", at(300), 130), ("A", "close_date", at(280), 170),
        ("B", "amount", 40, 125), ("A", "rep_id", "r2", 155),
    ]  # fmt: skip
    deals = {"amount": [1.0, 1.0, 1.0, 100.0, np.nan, np.nan, 5.0], "rep_id": ["r1"] * 7, "product": list("xxxyzzy")}
    return tiny(paths, last=320, deals=deals, history=history)


@pytest.fixture(scope="module")
def rows(book):
    return sa.snapshots(book, as_of=at(200)).set_index("deal_id")


def test_rows_are_the_open_deals(book, rows):
    assert rows.index.tolist() == ["late", "A", "B", "P"]
    assert rows["state"].tolist() == ["S2", "S2", "S2", "on_hold"]
    assert rows["stage"].tolist() == ["S2", "S2", "S2", "S1"]
    assert rows["rep_id"].tolist() == ["r1", "r2", "r1", "r1"]
    assert rows["product"].tolist() == ["x", "y", "z", "z"]
    assert (rows["as_of"] == day_of(200)).all()


def test_clocks(rows):
    assert rows["days_in_state"].to_dict() == {"late": 199, "A": 50, "B": 40, "P": 20}
    assert rows["age_days"].to_dict() == {"late": 200, "A": 100, "B": 80, "P": 70}
    assert rows["hold_days"].to_dict() == {"late": 0, "A": 0, "B": 0, "P": 10 + 20}


def test_path(rows):
    names = ["n_visits", "n_regressions", "n_skips", "n_holds", "n_reopened", "entry_rank", "max_rank"]
    assert rows.loc["A", names].tolist() == [3, 1, 1, 0, 0, 1, 4]
    assert rows.loc["B", names].tolist() == [3, 0, 0, 0, 1, 2, 2]
    assert rows.loc["P", names].tolist() == [4, 0, 0, 2, 0, 1, 1]


def test_days_on_which_each_stage_was_entered(rows):
    entered = rows.filter(like="n_entered_")
    assert list(entered) == [f"n_entered_S{k}" for k in range(1, 9)]
    assert entered.loc["A"].tolist() == [1, 1, 0, 1, 0, 0, 0, 0]
    assert entered.loc["B"].tolist() == [0, 2, 0, 0, 0, 0, 0, 0]
    assert entered.loc["P"].tolist() == [2, 0, 0, 0, 0, 0, 0, 0]


def test_a_stage_entered_again_on_the_same_day_was_entered_on_one_day():
    path = [("S1", "02 09:00"), ("S2", "05 09:00"), ("S3", "05 10:00"), ("S2", "05 11:00"), ("S3", "09 09:00")]
    history = pd.DataFrame(path, columns=["value", "changed_at"]).assign(deal_id="A", field="stage")
    history["changed_at"] = "2024-01-" + history["changed_at"]
    book = sa.make_book(deals=pd.DataFrame({"deal_id": ["A"], "created_at": ["2024-01-02"]}), history=history)
    entered = sa.snapshots(book, as_of=["2024-01-04", "2024-01-05", "2024-01-09"]).filter(like="n_entered_")
    assert entered.iloc[:, :3].to_numpy().tolist() == [[1, 0, 0], [1, 1, 1], [1, 1, 2]]


def test_amount(rows):
    # A: 100 at creation, then 150, then 120; the row typed in on day 250 is not known yet
    a = rows.loc["A"]
    assert (a["amount"], a["n_amount_changes"]) == (120, 1)
    assert a["log_amount"] == pytest.approx(np.log(120))
    assert a["log_amount_change"] == pytest.approx(np.log(120 / 100))
    b = rows.loc["B"]
    assert (b["amount"], b["log_amount_change"], b["n_amount_changes"]) == (40, 0, 0)
    assert rows.loc["P", ["amount", "log_amount", "log_amount_change"]].isna().all()


def test_close_date(rows):
    # promised for day 250, pushed to 300, pulled to 280
    names = ["days_to_close_date", "n_close_pushes", "n_close_pulls", "close_push_days"]
    assert rows.loc["A", names].tolist() == [80, 1, 1, 30]
    assert rows.loc["B", names[1:3]].tolist() == [0, 0]
    assert rows.loc["B", [names[0], names[3]]].isna().all()


def test_a_date_taken_away_is_none_until_the_next_and_an_amount_taken_away_stays():
    moved = [(40, at(100), 40), (50, "", 50), (60, at(120), 60), (45, at(90), 70), (80, "", 80), (55, at(300), 90)]
    history = [("A", "close_date", value, day, known) for day, value, known in moved]
    history += [("B", "close_date", "", 20), ("B", "close_date", at(100), 30), ("A", "probability", 60, 20)]
    history += [("A", "probability", "", 30), ("A", "amount", 50, 20), ("A", "amount", "", 30)]
    states = {"A": [("S1", 0)], "B": [("S1", 0)]}
    found = sa.snapshots(tiny(states, last=99, history=history, limit_set_aside=0.5), as_of=[at(d) for d in DAYS])
    names = ["days_to_close_date", "n_close_pushes", "n_close_pulls", "close_push_days"]
    a = found[found["deal_id"] == "A"]
    # 90, recorded on day 70, came between 100 and nothing; 300, recorded on day 90, between nothing and 120
    expected = [[60, 0, 0, 0], [np.nan, 0, 0, np.nan], [60, 1, 0, 20], [50, 1, 1, 20], [np.nan, 1, 1, np.nan]]
    np.testing.assert_array_equal(a[names].to_numpy(dtype=float), [*expected, [np.nan, 1, 2, np.nan]])
    assert a["amount"].eq(50).all()
    assert a["p_rep"].isna().all()
    b = found[found["deal_id"] == "B"].iloc[0]
    assert b[names].tolist() == [60, 0, 0, 0]


def test_pace_and_calendar(rows):
    # S2 of the two won and known: 30 and 50 days, so median 40 and 90 % quantile 48
    assert rows["pace"].to_dict() == pytest.approx({"late": 199 / 40, "A": 50 / 40, "B": 1.0, "P": np.nan}, nan_ok=True)
    assert rows["beyond_won_q90"].to_dict() == {"late": True, "A": True, "B": False, "P": False}
    # day 200 is 2010-07-20; the quarter ends on 2010-09-30
    assert set(rows["days_to_quarter_end"]) == {72}


def test_references_use_only_what_was_known(book):
    then, later = (references(book, as_of=at(d)).set_index("state") for d in (200, 310))
    assert then.loc["S2", ["n_won", "won_days_q50"]].tolist() == [2, 40]
    assert later.loc["S2", ["n_won", "won_days_q50"]].tolist() == [3, 30]
    assert len(references(book, as_of=at(30))) == 0
    before = sa.snapshots(book, as_of=at(30))
    assert before["pace"].isna().all()
    assert not before["beyond_won_q90"].any()


def test_many_dates_are_the_single_dates_one_below_the_other(book):
    dates = [at(30), at(125), at(200), at(320)]
    many = sa.snapshots(book, as_of=dates[::-1])
    single = pd.concat([sa.snapshots(book, as_of=d) for d in dates], ignore_index=True)
    pd.testing.assert_frame_equal(many, single, check_dtype=False)


def test_the_quarter_is_the_fiscal_one():
    fiscal = tiny({"A": [("S1", 0)]}, last=10, fiscal_year_start=2)
    row = sa.snapshots(fiscal, as_of=at(10)).iloc[0]
    assert row["days_to_quarter_end"] == to_day("2010-01-31") - to_day(START) - 10


def test_snapshots_of_a_random_book_are_its_open_deals():
    deals, history = raw_tables(1)
    book = timeline_book(deals, history)
    days = [book.extracted_day - k for k in (0, 70, 200)]
    rows = sa.snapshots(book, as_of=[to_date(d) for d in days])
    expected = collect(book, open_deals(book, days=days).select("deal", "as_of_day", "state"))
    got = {(r.deal_id, to_day(r.as_of), r.state) for r in rows.itertuples()}
    assert got == set(expected.itertuples(index=False, name=None))
    assert len(rows) == len(expected) > 50
    assert rows.columns.is_unique


@pytest.mark.parametrize("feature", DEFAULT_FEATURES, ids=lambda f: f.__name__)
def test_a_feature_is_pure(feature, book):
    from salesanalytics.features.snapshots import snapshot_base

    base, reference = snapshot_base(book, [to_day(at(200))]), references(book, as_of=at(200))
    base.index = base.index + 10
    before, reference_before = base.copy(deep=True), reference.copy(deep=True)
    got = feature(base, reference)
    pd.testing.assert_frame_equal(base, before)
    pd.testing.assert_frame_equal(reference, reference_before)
    pd.testing.assert_index_equal(got.index, base.index)
    pd.testing.assert_frame_equal(feature(base, reference), got)


def test_features_can_be_chosen_and_written(book):
    def twice(snapshot, reference):
        return pd.DataFrame({"twice": 2 * (snapshot["as_of_day"] - snapshot["since_day"])})

    rows = sa.snapshots(book, as_of=at(200), features=[clocks, twice])
    assert (rows["twice"] == 2 * rows["days_in_state"]).all()
    assert "pace" not in rows


def test_nobody_there_gives_no_rows(book):
    rows = sa.snapshots(book, as_of=at(-5))
    assert len(rows) == 0
    assert {"deal_id", "pace", "log_amount", "days_to_quarter_end"} <= set(rows.columns)
