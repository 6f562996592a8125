"""The three clocks: by hand on small books, and the table of past deals against a count of every deal."""

import numpy as np
import pandas as pd
import pytest
import worlds

import salesanalytics as sa
from salesanalytics.control.known import know
from salesanalytics.control.stays import held_days, stays
from salesanalytics.errors import SchemaError
from salesanalytics.labels import label
from salesanalytics.plots.control import clock_table

LAST = 60
ROWS = [  # deal, field, value, day
    ("a", "buyer_stage", "B1", 10), ("a", "buyer_stage", "B2", 25), ("a", "milestone", "M1", 26),
    ("a", "milestone", "M3", 27), ("a", "buyer_stage", "B2", 40),
    ("proved", "milestone", "M1", 12), ("proved", "milestone", "M2", 30),
    ("awarded", "award", "yes", 33), ("awarded", "tender_issued", "2010-01-20", 15),
    ("refused", "award", "yes", 33), ("refused", "award", "no", 35),
    ("emptied", "award", "yes", 33), ("emptied", "award", "", 35),
    ("invited", "tender_issued", "2010-01-20", 15), ("announced", "tender_issued", "2010-03-30", 15),
    ("handed in", "tender_issued", "2010-01-20", 15), ("handed in", "bid_due", "2010-02-20", 15),
]  # fmt: skip
PATHS = {
    "a": [("S1", 10), ("S2", 20), ("on_hold", 30), ("S2", 37), ("S3", 45)],
    **{name: [("S1", 10)] for name in ("proved", "awarded", "refused", "emptied", "invited", "announced", "handed in")},
    "gone": [("S1", 10), ("lost", 20)],
}


@pytest.fixture(scope="module")
def clocks():
    book = worlds.tiny(PATHS, last=LAST, history=ROWS, deals={"amount": 5.0, "rep_id": "r"})
    return sa.deal_clocks(book, as_of=worlds.day_of(LAST)).set_index("deal_id")


def test_clocks_by_hand(clocks):
    a = clocks.loc["a"]
    assert (a["seller_rank"], a["buyer_rank"], a["milestones_in_row"], a["supported_rank"]) == (3, 2, 1, 2)
    assert (a["ahead"], a["buyer_confidence"], a["stage"], a["amount"], a["rep_id"]) == (1, "stated", "S3", 5.0, "r")
    assert (a["days_in_stage"], a["days_in_buyer_stage"], a["days_since_confirmed"]) == (15, 35, 20)
    assert a["days_since_milestone"] == 34
    assert a["differ_since"] == worlds.day_of(45)
    assert "gone" not in clocks.index


def test_buyer_stage_is_inferred_where_it_was_never_stated(clocks):
    found = clocks[["buyer_rank", "buyer_confidence"]].drop("a")
    assert dict(zip(found.index, found["buyer_confidence"], strict=True)) == {
        "proved": "medium", "awarded": "high", "refused": None, "emptied": None, "invited": "high", "announced": None,
        "handed in": "low",
    }  # fmt: skip
    assert found["buyer_rank"].fillna(0).to_dict() == {
        "proved": 3, "awarded": 7, "refused": 0, "emptied": 0, "invited": 5, "announced": 0, "handed in": 6,
    }  # fmt: skip
    assert clocks["differ_since"].drop("a").isna().all()  # an inferred stage is no statement to differ from


def test_a_book_without_milestones_and_buyer_stages_has_one_clock():
    book = worlds.tiny({"a": [("S2", 3)]}, last=9)
    row = sa.deal_clocks(book, as_of=worlds.day_of(9)).iloc[0]
    assert row["supported_rank"] == 2
    assert row[["buyer_rank", "milestones_in_row", "buyer_confidence"]].isna().all()


def test_stays_by_hand():
    # stages 1, 2; 3 is the pause, 4 an end: S1, hold, S1 again, S2, back to S1, lost, reopened in S1
    rows = pd.DataFrame({"deal": 0, "day": [0, 5, 9, 10, 12, 20, 30], "code": [1, 3, 1, 2, 1, 4, 1]})
    found, holds = stays(rows, n_stages=2, n_pauses=1, day=33)
    assert found["stage"].tolist() == [1, 2, 1, 1]
    assert found["days"].tolist() == [6, 2, 8, 3]  # 10 less 4 on hold; the last one lasts
    assert found["left_day"].fillna(-1).tolist() == [10, 12, 20, -1]
    assert found["next_code"].fillna(-1).tolist() == [2, 1, 4, -1]
    assert found["before_code"].fillna(-1).tolist() == [-1, 1, 2, 4]
    assert holds.to_numpy().tolist() == [[0, 5, 9]]
    since = pd.Series({0: 7.0, 1: np.nan})
    assert held_days(holds, since, 33).fillna(-1).to_dict() == {0: 2.0, 1: -1.0}


def test_days_in_stage_of_a_paused_deal_stand_still():
    book = worlds.tiny({"a": [("S1", 0), ("on_hold", 10)]}, last=50)
    days = [know(book, as_of=worlds.day_of(day)).deals["days"].item() for day in (5, 10, 30, 50)]
    assert days == [5, 10, 10, 10]


def test_a_hold_before_the_first_stage_or_after_an_end_interrupts_no_stay():
    paths = {
        "a": [("S1", 0), ("S2", 30)],
        "b": [("on_hold", 5), ("S1", 25)],  # its hold is none of the deal that stands before it in the book
        "c": [("S1", 0), ("lost", 10), ("on_hold", 20)],
    }
    clocks = sa.deal_clocks(worlds.tiny(paths, last=50), as_of=worlds.day_of(50)).set_index("deal_id")
    assert clocks["days_in_stage"].to_dict() == {"a": 20, "b": 25, "c": 10}


def test_a_deal_only_ever_on_hold_stands_in_no_stage():
    rows = [("held", "buyer_stage", "B5", 3), ("held", "milestone", "M1", 4)]
    book = worlds.tiny({"held": [("on_hold", 0)], "a": [("S2", 0)]}, last=50, history=rows, deals={"rep_id": "r"})
    held = sa.deal_clocks(book, as_of=worlds.day_of(50)).set_index("deal_id").loc["held"]
    assert (held["state"], held["stage"], held["supported_rank"]) == ("on_hold", None, 2)
    assert np.isnan([held["seller_rank"], held["ahead"], held["days_in_stage"]]).all()
    hits = sa.find_anomalies(book, as_of=worlds.day_of(50)).hits
    assert not hits.loc[hits["deal_id"].eq("held"), "rule"].isin(["A02", "A04"]).any()
    people = sa.key_person_risk(book, as_of=worlds.day_of(50)).deals.set_index("deal_id")
    assert people["stage"].to_dict() == {"held": None, "a": "S2"}


def test_the_table_of_cells_against_a_count_deal_by_deal():
    book = sa.simulate_book(n_deals=250, seed=3, company=sa.Company(start="2025-07-01"))
    horizon, as_of = 120, pd.Timestamp("2026-06-30")
    table = sa.clock_table(book, as_of=as_of, horizon_days=horizon)
    assert len(table) == 64
    clocks = sa.deal_clocks(book, as_of=as_of)
    assert table["n_open"].sum() == clocks["buyer_confidence"].eq("stated").sum()
    stated = clocks[clocks["buyer_confidence"].eq("stated")]
    assert table["amount"].sum() == pytest.approx(stated["amount"].sum())
    # the same dates, each asked by itself
    outcome = _ends(book, as_of)
    lag = _lag(book, as_of)
    first = {}
    for day in pd.date_range(book.deals["created_at"].min(), as_of, freq="D")[::-1]:
        if (as_of - pd.Timedelta(days=horizon + lag) - day).days % 28 == 0 and (as_of - day).days >= horizon + lag:
            then = sa.deal_clocks(book, as_of=day)
            for row in then[then["buyer_confidence"].eq("stated")].itertuples():
                first[row.deal_id, row.stage, row.buyer_rank] = day  # the dates run backwards
    assert table["n_past"].sum() == len(first)
    won = {key: outcome.loc[key[0], "end"] == "won" and (outcome.loc[key[0], "on"] - day).days <= horizon
           for key, day in first.items()}  # fmt: skip
    for row in table.itertuples():
        cell = [w for key, w in won.items() if key[1:] == (row.stage, float(row.buyer_stage[1:]))]
        assert (len(cell), sum(cell)) == (row.n_past, row.n_won)


def _ends(book, as_of):
    rows = book.history
    seen = rows[(rows["field"] == "stage") & (rows[["changed_at", "recorded_at"]].max(axis=1).dt.normalize() <= as_of)]
    last = seen.sort_values(["changed_at", "row"], kind="stable").groupby("deal_id").tail(1)
    return last.set_index("deal_id")[["value", "changed_at"]].set_axis(["end", "on"], axis=1)


def _lag(book, as_of):
    rows = book.history
    rows = rows.assign(known=rows[["changed_at", "recorded_at"]].max(axis=1).dt.normalize())
    ends = rows[(rows["field"] == "stage") & rows["value"].isin(book.process.end_state_ids)]
    begun = ends["deal_id"].map(rows.groupby("deal_id")["known"].min())
    known = ends[(ends["known"] <= as_of) & (ends["changed_at"].dt.normalize() >= begun)]
    days = (known["recorded_at"].dt.normalize() - known["changed_at"].dt.normalize()).dt.days
    return int(days.quantile(0.95, interpolation="higher"))


def test_the_horizon_must_be_positive():
    book = worlds.tiny({"a": [("S2", 3)]}, last=9)
    with pytest.raises(SchemaError, match="horizon_days"):
        sa.clock_table(book, as_of=worlds.day_of(9), horizon_days=0)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_shows_what_the_table_says(lang):
    cells = [
        ("S1", "B1", 0, 7, 40, 0.25),
        ("S1", "B2", -1, 0, 4, 0.5),
        ("S2", "B1", 1, 0, 0, np.nan),
        ("S2", "B2", 0, 1, 9, 1),
    ]
    table = pd.DataFrame(cells, columns=["stage", "buyer_stage", "ahead", "n_open", "n_past", "p_won"])
    ax = clock_table(table.assign(horizon_days=365), lang=lang)
    shown = {text.get_text() for text in ax.texts} - {""}
    assert shown == {"7", "1"} | {label("clock_past", lang, p=p, n=n) for p, n in (("25 %", "40"), ("100 %", "9"))}
    assert "365" in ax.get_xlabel()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["S1", "S2"]
    nobody = clock_table(table.assign(horizon_days=365, n_open=0, n_past=4), lang=lang)
    assert [text.get_text() for text in nobody.texts] == [label("no_buyer_stage", lang)]
    assert not nobody.images
    with pytest.raises(SchemaError, match="at least one cell"):
        clock_table(table.iloc[:0])
