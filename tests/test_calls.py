"""Calls of reps: what is called, how it came out, corrected by hand, combined only as far as that helped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from salesanalytics.forecast.calls import (
    calls_of,
    combined,
    corrected,
    rep_bias,
    weight_of_calls,
    with_outcome,
)
from salesanalytics.timeline import parse_period

PERIOD = parse_period("2026Q4")


def deals():
    return pd.DataFrame(
        {
            "deal_id": ["a", "b", "c", "d"],
            "rep_id": ["R1", "R1", "R2", None],
            "amount": [10.0, 20.0, 40.0, 80.0],
            "close_date": pd.to_datetime(["2026-10-05", "2027-01-05", "2026-12-31", "2026-11-01"]),
            "category": ["commit", "commit", "pipeline", "commit"],
            "p_rep": [0.5, 0.9, 0.25, 1.0],
        }
    )


def test_what_each_rep_calls_by_hand():
    table = calls_of(deals(), PERIOD).set_index(["way", "measure", "rep_id"])["called"].sort_index()
    assert table["commit", "count"].to_dict() == {"": 1, "R1": 1, "R2": 0}
    assert table["commit", "amount"].to_dict() == {"": 80, "R1": 10, "R2": 0}
    assert table["probability", "count"].to_dict() == {"": 1, "R1": 0.5, "R2": 0.25}
    assert table["probability", "amount"].to_dict() == {"": 80, "R1": 5, "R2": 10}
    assert table["best_case", "count"].to_dict() == {"": 1, "R1": 1, "R2": 0}
    assert table["close_dates", "amount"].to_dict() == {"": 80, "R1": 10, "R2": 40}
    nothing = deals().assign(category=None, p_rep=np.nan)
    assert set(calls_of(nothing, PERIOD)["way"]) == {"close_dates"}
    assert calls_of(nothing.assign(close_date=pd.NaT), PERIOD).empty


def test_best_cases_are_commitments_too():
    some = deals().assign(category=["commit", "best_case", "best_case", "omitted"])
    table = calls_of(some, PERIOD).set_index(["way", "measure", "rep_id"])["called"].sort_index()
    assert table["best_case", "amount"].to_dict() == {"": 0, "R1": 10, "R2": 40}  # b is dated in the next quarter
    assert table["commit", "amount"].to_dict() == {"": 0, "R1": 10, "R2": 0}


def test_what_came_counts_deals_that_were_not_called_too():
    signed = pd.DataFrame({"deal_id": ["b", "c", "new"], "amount": [21.0, 39.0, 5.0]})
    came = with_outcome(calls_of(deals(), PERIOD), deals(), signed).set_index(["way", "measure", "rep_id"])
    came = came["came"].sort_index()
    assert came["commit", "count"].to_dict() == {"": 0, "R1": 1, "R2": 1}
    assert came["probability", "amount"].to_dict() == {"": 0, "R1": 21, "R2": 39}


def past(came_of, calls=(10.0, 10.0, 10.0, 10.0)):
    """Forecasts of reps who all call the same, quarter by quarter; what comes of a call is a function by rep."""
    fixed = {"way": "commit", "measure": "count", "week": 0}
    rows = [
        fixed | {"rep_id": rep, "called": called, "came": came(called), "quarter": quarter}
        for rep, came in came_of.items()
        for quarter, called in enumerate(calls)
    ]
    return pd.DataFrame(rows)


def calls(**called):
    return pd.DataFrame({"rep_id": list(called), "way": "commit", "measure": "count", "called": list(called.values())})


def test_what_comes_beyond_the_calls_is_drawn_to_all_reps_and_these_to_none_by_hand():
    before = past({"R1": lambda c: c - 5, "R2": lambda c: c - 2})
    bias = rep_bias(before).set_index("rep_id")
    # no two calls differ, so that one more brings one more; 4 forecasts and one in which came what was called
    of_all = -3.5 * 4 / (4 + 1)
    assert bias["slope"].tolist() == [1, 1]
    assert bias["all_reps"].tolist() == pytest.approx([of_all, of_all])
    assert bias["beyond"].tolist() == pytest.approx([(-20 + 8 * of_all) / 12, (-8 + 8 * of_all) / 12])
    assert bias[["n", "called", "came"]].to_numpy().tolist() == [[4, 40, 20], [4, 40, 32]]
    assert corrected(calls(R1=6.0, R9=3.0, R2=0.0), before) == {
        ("commit", "count"): pytest.approx(6 + bias.at["R1", "beyond"] + 3 + of_all)  # R2: not below 0
    }
    assert corrected(calls(R1=6.0), pd.DataFrame()) == {}


def test_the_slope_is_drawn_to_one_by_hand():
    bias = rep_bias(past({"R1": lambda c: 0.5 * c}, calls=(0.0, 4.0)))
    # sum of squares 8 and of products 4; 50 calls of the usual square, 4, in which one more brought one more
    assert bias["slope"].tolist() == pytest.approx([(4 + 50 * 4) / (8 + 50 * 4)])


@pytest.mark.parametrize("called", [0.1, 123456.7])
def test_calls_that_do_not_differ_say_nothing_of_the_slope(called):
    rng = np.random.default_rng(0)
    before = past({rep: lambda c: c * rng.poisson(1.0) for rep in "abc"}, calls=(called,) * 7)
    assert rep_bias(before)["slope"].tolist() == [1, 1, 1]


def test_who_calls_more_where_less_comes_has_a_slope_of_none():
    before = past({"R1": lambda c: 100.0 - 60 * c}, calls=(0.0, 1.0))
    assert rep_bias(before)["slope"].tolist() == [0]


def test_steady_habits_are_learned():
    many = np.tile([0.0, 5.0, 10.0, 15.0], 500)
    bias = rep_bias(past({"R1": lambda c: 0.4 * c + 1, "R2": lambda c: 0.4 * c + 3}, calls=many)).set_index("rep_id")
    assert bias["slope"].tolist() == pytest.approx([0.4, 0.4], abs=0.02)
    assert bias["beyond"].to_dict() == pytest.approx({"R1": 1, "R2": 3}, abs=0.15)


@pytest.mark.parametrize("seed", range(20))
def test_few_calls_are_not_blown_up(seed):
    """Reps who commit to next to nothing and sign all the same: the corrected calls stay near what comes."""
    rng = np.random.default_rng(seed)
    reps = [f"R{k}" for k in range(12)]
    rows = [(rep, quarter, rng.poisson(0.1), rng.poisson(1.0)) for rep in reps for quarter in range(6)]
    before = pd.DataFrame(rows, columns=["rep_id", "quarter", "called", "came"]).astype({"called": float})
    before = before.assign(way="commit", measure="count", week=0)
    for total in (0.0, 3.0):
        found = corrected(calls(**dict.fromkeys(reps, total / len(reps))), before)["commit", "count"]
        assert 6 < found < 18


def test_units_do_not_matter():
    before = past({"R1": lambda c: 0.5 * c, "R2": lambda c: 3.0}, calls=(1.0, 4.0, 9.0))
    dearer = before.assign(called=before["called"] * 1e6, came=before["came"] * 1e6)
    plain, large = corrected(calls(R1=2.0, R2=5.0), before), corrected(calls(R1=2e6, R2=5e6), dearer)
    assert large["commit", "count"] == pytest.approx(1e6 * plain["commit", "count"])


def test_calls_count_as_far_as_they_helped():
    rng = np.random.default_rng(0)
    actual = rng.normal(100, 20, 60)
    knows = [{"model": 100.0, "call": a, "actual": a} for a in actual]
    guesses = [{"model": a + 1, "call": a + rng.normal(0, 30), "actual": a} for a in actual]
    assert weight_of_calls(knows) == pytest.approx(60 / 68)
    assert weight_of_calls(guesses) < 0.05
    assert weight_of_calls(knows[:2]) == pytest.approx(2 / 10)
    assert weight_of_calls([]) == 0
    draws = np.array([90.0, 100.0, 110.0])
    moved = 40 * 60 / 68
    assert combined(draws, 60.0, knows, at_least=60.0).tolist() == pytest.approx([60.0, 100 - moved, 110 - moved])
    assert combined(draws, 60.0, [], at_least=0.0).tolist() == draws.tolist()
