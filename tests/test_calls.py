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
    table = calls_of(deals(), PERIOD).set_index(["way", "measure", "rep_id"])["called"]
    assert table["commit", "count"].to_dict() == {"": 1, "R1": 1, "R2": 0}
    assert table["commit", "amount"].to_dict() == {"": 80, "R1": 10, "R2": 0}
    assert table["probability", "count"].to_dict() == {"": 1, "R1": 0.5, "R2": 0.25}
    assert table["probability", "amount"].to_dict() == {"": 80, "R1": 5, "R2": 10}
    assert calls_of(deals().assign(category=None, p_rep=np.nan), PERIOD).empty


def test_what_came_counts_deals_that_were_not_called_too():
    signed = pd.DataFrame({"deal_id": ["b", "c", "new"], "amount": [21.0, 39.0, 5.0]})
    came = with_outcome(calls_of(deals(), PERIOD), deals(), signed).set_index(["way", "measure", "rep_id"])["came"]
    assert came["commit", "count"].to_dict() == {"": 0, "R1": 1, "R2": 1}
    assert came["probability", "amount"].to_dict() == {"": 0, "R1": 21, "R2": 39}


def past(ratios, n=4, called=10.0):
    fixed = {"way": "commit", "measure": "count", "called": called, "week": 0}
    rows = [fixed | {"rep_id": rep, "came": called * r, "quarter": q} for rep, r in ratios.items() for q in range(n)]
    return pd.DataFrame(rows)


def test_bias_is_drawn_to_all_reps_and_these_to_one_by_hand():
    bias = rep_bias(past({"R1": 0.5, "R2": 0.8})).set_index("rep_id")
    # 8 calls of 10 came as 4 x 5 + 4 x 8; one average call of the company (20) as it was called
    pooled = (4 * 13 + 20) / (4 * 20 + 20)
    assert bias["all_reps"].tolist() == pytest.approx([pooled, pooled])
    assert bias["ratio"].tolist() == pytest.approx([(20 + 40 * pooled) / 80, (32 + 40 * pooled) / 80])
    calls = pd.DataFrame({"rep_id": ["R1", "R9"], "way": "commit", "measure": "count", "called": [6.0, 3.0]})
    assert corrected(calls, past({"R1": 0.5, "R2": 0.8})) == {
        ("commit", "count"): pytest.approx(6 * bias.at["R1", "ratio"] + 3 * pooled)
    }
    assert corrected(calls, pd.DataFrame()) == {}


def test_a_steady_bias_is_learned():
    bias = rep_bias(past({"R1": 0.4, "R2": 1.2}, n=200)).set_index("rep_id")["ratio"]
    assert bias.to_dict() == pytest.approx({"R1": 0.4, "R2": 1.2}, rel=0.03)


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
