"""Values on a date of each row's own: against an oracle of plain loops, and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from oracle import ENDS
from test_timeline import case
from worlds import day_of, tiny

import salesanalytics as sa
from salesanalytics import timeline
from salesanalytics.errors import SchemaError
from salesanalytics.timeline.asof_values import amounts_at, groupings, known_since, values_at

EPOCH = pd.Timestamp("1970-01-01")


def days_of(*numbers):
    return (day_of(np.array(numbers, dtype="int64")) - EPOCH).days.to_numpy()


def texts(series):
    return [None if value is None or value != value else value for value in series]


@pytest.mark.parametrize("seed", range(4))
def test_each_row_holds_what_was_known_on_its_own_day(seed):
    book, oracle, _ = case(seed)
    rng = np.random.default_rng(seed)
    begin = {deal: oracle.known_from(deal) for deal in oracle.deals}
    rows = [(d, begin[d] + int(k)) for d in oracle.deals for k in rng.choice([0, 1, 5, 20, 40, 90, 200], 4)]
    rows = [rows[k] for k in rng.permutation(len(rows))]  # not in the order of the engine, some of them twice
    asked = {"deal_ids": [d for d, _ in rows], "days": [t for _, t in rows]}
    assert texts(values_at(book, by="rep_id", **asked)) == texts(oracle.owner(d, t) for d, t in rows)
    activity = [[r.value for r in oracle.known_rows(d, t, "activity")] for d, t in rows]
    assert texts(values_at(book, by="activity", **asked)) == [found[-1] if found else None for found in activity]
    assert values_at(book, by="product", **asked).tolist() == [oracle.deals[d]["product"] for d, _ in rows]
    got = amounts_at(book, **asked).tolist()
    lost = [oracle.state(d, t)["state"] in ENDS[1:] for d, t in rows]  # those have another rule
    expected = [oracle.amount(d, t) for d, t in rows]
    assert sum(lost) < len(rows) / 2
    for one, other, is_lost in zip(got, expected, lost, strict=True):
        assert is_lost or one == other or (np.isnan(one) and np.isnan(other))


@pytest.mark.parametrize("seed", range(4))
def test_known_since(seed):
    book, oracle, days = case(seed)
    day = days[-1]
    got = known_since(book, as_of=(EPOCH + pd.Timedelta(days=day)).date())
    assert got.to_dict() == {d: oracle.known_from(d) for d in oracle.known_deals(day)}


def test_late_words_count_from_the_day_they_were_typed_in():
    history = [("a", "competitor", "x", 10, 30), ("a", "competitor", "y", 20), ("a", "amount", 50, 5, 15)]
    book = tiny({"a": [("S1", 0)], "b": [("S1", 0)]}, last=60, history=history, deals={"amount": [40.0, np.nan]})
    asked = {"deal_ids": list("aaaab"), "days": days_of(9, 20, 30, 60, 60)}
    assert texts(values_at(book, by="competitor", **asked)) == [None, "y", "y", "y", None]
    asked = {"deal_ids": list("aaab"), "days": days_of(5, 14, 15, 60)}
    np.testing.assert_equal(amounts_at(book, **asked).to_numpy(), [40, 40, 50, np.nan])


def test_an_owner_taken_away_leaves_nobody_and_not_the_first_one():
    moves = [("a", "rep_id", "r2", 10), ("a", "rep_id", "", 30)]
    book = tiny({"a": [("S1", 0)], "b": [("S1", 0)]}, last=60, history=moves, deals={"rep_id": ["r1", None]})
    asked = {"deal_ids": list("aaab"), "days": days_of(5, 10, 30, 60)}
    assert texts(values_at(book, by="rep_id", **asked)) == ["r1", "r2", None, None]
    assert timeline.owners(book, [int(days_of(60)[0])])["rep_id"].tolist() == [None, None]
    assert sa.snapshots(book, as_of=day_of(60))["rep_id"].tolist() == [None, None]
    assert sa.deal_clocks(book, as_of=day_of(20))["rep_id"].tolist() == ["r2", None]


def test_a_team_is_that_of_the_owner_of_the_day():
    book = tiny({"a": [("S1", 0)], "b": [("S1", 0)]}, last=60, history=[("a", "rep_id", "r2", 20)])
    deals = book.deals.assign(rep_id=["r1", None])
    reps = pd.DataFrame({"rep_id": ["r1", "r2"], "team": ["north", "south"]})
    book = sa.make_book(deals=deals, history=book.history.drop(columns="row"), reps=reps)
    asked = {"deal_ids": list("aab"), "days": days_of(19, 20, 20)}
    assert texts(values_at(book, by="team", **asked)) == ["north", "south", None]
    assert texts(values_at(book, by="rep_id", **asked)) == ["r1", "r2", None]


def test_what_a_book_can_be_grouped_by():
    book = tiny({"a": [("S1", 0)]}, last=60, history=[("a", "competitor", "x", 10)], deals={"colour": ["red"]})
    assert {"rep_id", "product", "competitor", "colour"} <= set(groupings(book))
    assert not {"deal_id", "stage", "team", "created_at", "last_seen_on"} & set(groupings(book))
    with pytest.raises(SchemaError, match=r"by must be rep_id, team, .* got 'shape'; this book has: .*colour"):
        values_at(book, by="shape", deal_ids=["a"], days=[0])
    assert values_at(book, by="competitor", deal_ids=[], days=[]).tolist() == []
    assert amounts_at(book, deal_ids=[], days=[]).tolist() == []


def test_a_field_that_nobody_has_typed_in_yet_is_known_of_no_deal():
    book = tiny({"a": [("S1", 0)]}, last=60)
    assert "competitor" not in groupings(book)
    assert texts(values_at(book, by="competitor", deal_ids=["a"], days=days_of(9))) == [None]
    assert set(sa.stage_win_rates(book, as_of=day_of(60), by="competitor")["competitor"]) == {"missing"}
    with pytest.raises(SchemaError, match="got 'stage'"):
        values_at(book, by="stage", deal_ids=["a"], days=[0])
