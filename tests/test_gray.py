"""Gray's test: by hand, against R, by laws, and in worlds in which groups are alike or are not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from salesanalytics.errors import SchemaError
from salesanalytics.models import gray_test

REFERENCE = Path(__file__).parent / "reference"


def simulated(seed, *, n=120, groups=3, apart=0.0, late=False):
    """Whole-day cycles with competing ends; with ``apart`` the chance to win differs between groups."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    p_won = 0.35 + apart * (group / (groups - 1) - 0.5)
    end = np.where(rng.random(n) < p_won, "won", np.where(rng.random(n) < 0.7, "lost", "no_decision"))
    duration = np.floor(rng.exponential(20, n)).astype(int)
    cut = np.floor(rng.uniform(0, 60, n)).astype(int)
    end, duration = np.where(cut < duration, "open", end), np.minimum(cut, duration)
    entry = np.where(rng.random(n) < 0.5, rng.integers(1, 15, n), 0) if late else np.zeros(n, dtype=int)
    table = pd.DataFrame({"duration": duration, "end": end, "group": group.astype(str), "entry": entry})
    return table[(table["entry"] < table["duration"]) | table["entry"].eq(0)].reset_index(drop=True)


def statistics(table, **more):
    found = gray_test(table["duration"], table["end"], table["group"], entry_days=table["entry"], **more)
    return found.statistic, found.df, found.p_value


def test_equals_r():
    rows = pd.read_csv(REFERENCE / "gray_rows.csv")
    expected = pd.read_csv(REFERENCE / "gray_tests.csv")
    assert len(expected) == 18
    for want in expected.itertuples():
        part = rows[rows["data"] == want.data]
        got = gray_test(part["duration_days"], part["end"], part["group"], cause=want.cause)
        assert got.df == want.df
        assert got.statistic == pytest.approx(want.statistic, rel=1e-6)
        assert got.p_value == pytest.approx(want.p_value, rel=1e-6)


def test_by_hand():
    # one win on day 1 among one deal of each group: expected 1/2, variance 1/4
    got = gray_test([1, 2], ["won", "open"], ["a", "b"])
    assert (got.statistic, got.df) == pytest.approx((0.25 / 0.25, 1))
    assert got.p_value == pytest.approx(chi2.sf(1, 1))
    # day 0: a loses one of 2. Day 1, a win of a: both groups weigh h = Y / S = 1 / .5 = 2 / 1 = 2, so .5 was expected
    got = gray_test([0, 1, 2, 2], ["lost", "won", "open", "open"], list("aabb"))
    # an event of a moves its score by 2 - 2 * 2 / 4 = 1, one of b by -1, each with variance S dF / Y = 1 / 8; the
    # lost deal moves what lies ahead, 1 * dF = 1 / 4, by (1 - F) / S = 2, with variance d / Y^2 = 1 / 4
    direct = 1.0 * (1 / 8 + 1 / 8)
    lost = (2 * 0.25) ** 2 * (1 / 4)
    assert got.statistic == pytest.approx(0.5**2 / (direct + lost))


def test_order_names_and_units_do_not_matter():
    for seed in range(200):
        table = simulated(seed, n=60, late=seed % 2 == 1)
        expected = statistics(table)
        assert expected[0] >= 0
        shuffled = table.sample(frac=1, random_state=seed)
        renamed = shuffled.assign(group=shuffled["group"].map({"0": "z", "1": "m", "2": "a"}))
        merged = renamed.assign(end=renamed["end"].replace("no_decision", "lost"))
        weeks = merged.assign(duration=7 * merged["duration"], entry=7 * merged["entry"])
        assert statistics(weeks) == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("late", [False, True])
def test_alike_groups_are_told_apart_as_often_as_chance_says(late):
    p = np.array([statistics(simulated(seed, n=250, late=late))[2] for seed in range(400)])
    assert 0.06 < (p < 0.1).mean() < 0.145
    assert 0.44 < (p < 0.5).mean() < 0.56


@pytest.mark.parametrize("late", [False, True])
def test_groups_that_differ_are_told_apart(late):
    p = np.array([statistics(simulated(seed, n=250, apart=0.4, late=late))[2] for seed in range(60)])
    assert (p < 0.1).mean() > 0.8


def test_who_only_came_later_is_not_among_those_at_risk_before():
    # b comes on day 5: the win of day 3 was expected of a alone and says nothing
    got = gray_test([3, 9, 9], ["won", "open", "open"], ["a", "a", "b"], entry_days=[0, 0, 5])
    assert (got.df, np.isnan(got.statistic)) == (0, True)
    without = gray_test([3, 9, 9, 7, 8], ["won", "open", "open", "won", "won"], list("aabab"))
    late = gray_test([3, 9, 9, 7, 8], ["won", "open", "open", "won", "won"], list("aabab"), entry_days=[0, 0, 5, 0, 5])
    assert late.statistic < without.statistic  # the only win ahead of b came before b was there


def test_what_cannot_be_compared():
    assert gray_test([1, 2], ["won", "lost"], ["a", "a"]).df == 0
    assert np.isnan(gray_test([1, 2], ["lost", "open"], ["a", "b"]).p_value)
    assert np.isnan(gray_test([], [], []).statistic)
    table = simulated(1)
    unnamed = pd.concat([table, table.head(20).assign(group=None)])
    assert statistics(unnamed) == pytest.approx(statistics(table))
    with pytest.raises(SchemaError, match="one value per deal, got duration 2, end 1, group 2, entry 2"):
        gray_test([1, 2], ["won"], ["a", "b"])
    with pytest.raises(SchemaError, match="duration_days must be >= 0 and not missing: 1 are not"):
        gray_test([-1, 2], ["won", "lost"], ["a", "b"])
    with pytest.raises(SchemaError, match="entry_days must be >= 0 and not missing: 1 are not"):
        gray_test([3, 2], ["won", "lost"], ["a", "b"], entry_days=[0, np.nan])
    with pytest.raises(SchemaError, match="end has missing values"):  # it counted as another end
        gray_test([3, 2], ["won", None], ["a", "b"])
