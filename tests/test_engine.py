"""What an engine remembers by day: found together, taken apart, and the same as if each day had been asked alone."""

from __future__ import annotations

import pandas as pd
import pytest

import salesanalytics as sa
from salesanalytics.book import engine as engine_module
from salesanalytics.book.engine import Engine
from salesanalytics.timeline import amounts
from salesanalytics.timeline.calendar import to_date
from salesanalytics.timeline.spells import known_outcomes, n_closed, outcomes_on
from salesanalytics.timeline.values import open_amounts

ASKED = {
    "snapshots": lambda book, days: sa.snapshots(book, as_of=[to_date(day) for day in days]),
    "amounts": amounts,
    "outcomes": outcomes_on,
    "open_amounts": open_amounts,
}


def counted(calls):
    def find(days):
        calls.append(days)
        return pd.DataFrame({"as_of_day": days, "x": [day / 2 for day in days]})

    return find


def test_days_not_found_yet_are_found_together_and_once():
    engine, calls = Engine(), []
    assert engine.by_day("x", [5, 3, 5], counted(calls))["as_of_day"].tolist() == [3, 5]
    assert engine.by_day("x", [9, 4, 3], counted(calls))["x"].tolist() == [1.5, 2.0, 4.5]
    assert calls == [[3, 5], [4, 9]]
    engine.by_day("y", [3], counted(calls))
    assert calls[-1] == [3]


def test_a_day_without_rows_is_remembered_too():
    engine, calls = Engine(), []

    def find(days):
        calls.append(days)
        return pd.DataFrame({"as_of_day": [4, 4], "x": [1, 2]})

    assert len(engine.by_day("x", [3, 4, 5], find)) == 2
    assert not len(engine.by_day("x", [3, 5], find))
    assert calls == [[3, 4, 5]]


def test_what_is_given_can_be_changed_freely():
    engine, calls = Engine(), []
    given = engine.by_day("x", [1, 2], counted(calls))
    given.loc[0, "x"] = 7.0
    engine.by_day("x", [1], counted(calls)).insert(0, "y", 8.0)
    again = engine.by_day("x", [1, 2], counted(calls))
    assert again.to_dict("list") == {"as_of_day": [1, 2], "x": [0.5, 1.0]}


def test_what_was_not_asked_for_the_longest_is_forgotten(monkeypatch):
    monkeypatch.setattr(engine_module, "LATELY_CELLS", 4)  # two days
    engine, calls = Engine(), []
    for day in (1, 2, 1, 3):
        engine.by_day("x", [day], counted(calls))
    engine.by_day("x", [1, 3], counted(calls))
    assert calls == [[1], [2], [3]]
    assert engine.by_day("x", [2, 4, 6], counted(calls))["as_of_day"].tolist() == [2, 4, 6]
    assert calls[-1] == [2, 4, 6]


def test_what_there_is_no_room_for_is_given_and_not_remembered(monkeypatch):
    monkeypatch.setattr(engine_module, "LATELY_CELLS", 4)  # two days
    engine, calls = Engine(), []
    for _ in range(2):
        assert engine.by_day("x", [3, 1, 2], counted(calls))["as_of_day"].tolist() == [1, 2, 3]
    assert calls == [[1, 2, 3]] * 2
    engine.by_day("x", [1], counted(calls))
    assert engine.by_day("x", [3, 1, 2], counted(calls))["as_of_day"].tolist() == [1, 2, 3]


@pytest.fixture(scope="module")
def books():
    """The same company twice: one is asked for many days at once, the other day by day."""
    return [sa.simulate_book(n_deals=150, seed=11) for _ in range(2)]


@pytest.mark.parametrize("name", ASKED)
def test_days_asked_together_are_the_days_asked_alone(books, name):
    together, alone = books
    days = [alone.extracted_day - 170 * k for k in range(6, -1, -1)]
    ASKED[name](together, days)
    for day in days:
        pd.testing.assert_frame_equal(ASKED[name](together, [day]), ASKED[name](alone, [day]))


def test_closed_deals_are_counted_by_day(books):
    days = [books[0].extracted_day - 170 * k for k in range(6)]
    alone = {day: int(known_outcomes(books[1], day)["end"].ne("open").sum()) for day in days}
    assert n_closed(books[0], [*days, days[0]]) == alone
