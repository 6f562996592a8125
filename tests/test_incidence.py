"""The Aalen-Johansen estimator: by hand, by laws, and against R."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesanalytics.errors import SchemaError
from salesanalytics.models.incidence import cumulative_incidence, fit_incidence, loglog_interval
from salesanalytics.models.influence import clustered_error, row_influence

REFERENCE = Path(__file__).parent / "reference"


@pytest.mark.parametrize(
    ("data", "result", "day"),
    [("mgus2", "mgus2_incidence", "days"), ("aidssi", "aidssi_incidence", "time")],
)
def test_equals_r_without_late_entry(data, result, day):
    rows = pd.read_csv(REFERENCE / f"{data}.csv")
    expected = pd.read_csv(REFERENCE / f"{result}.csv")
    got = cumulative_incidence(rows[day], rows["end"])
    got = got[got["days"].isin(expected[day])].reset_index(drop=True)
    _assert_equals_r(got, expected)


def test_equals_r_with_late_entry_ties_and_day_0():
    rows = pd.read_csv(REFERENCE / "simulated_deals.csv")
    expected = pd.read_csv(REFERENCE / "simulated_incidence.csv")
    got = cumulative_incidence(rows["duration_days"], rows["end"], entry_days=rows["entry_days"])
    assert got["days"].tolist() == expected["days"].tolist()
    assert got["n_at_risk"].tolist() == expected["n_at_risk"].tolist()
    _assert_equals_r(got, expected)


def _assert_equals_r(got, expected):
    columns = [c for c in expected.columns if c.startswith(("p_", "se_"))]
    assert len(columns) >= 5
    for column in columns:
        if column in got:
            np.testing.assert_allclose(got[column], expected[column], rtol=1e-6, atol=1e-12, err_msg=column)


def test_clustered_standard_errors_equal_r():
    rows = pd.read_csv(REFERENCE / "simulated_clustered.csv")
    expected = pd.read_csv(REFERENCE / "simulated_clustered_incidence.csv")
    ends = sorted(set(rows["end"]) - {"open"})
    codes = rows["end"].map({e: k for k, e in enumerate(ends)}).fillna(-1).astype(int).to_numpy()
    cluster = pd.factorize(rows["deal_id"])[0]
    duration = rows["duration_days"].to_numpy()
    fit = fit_incidence(duration, codes, ends)
    for row in expected.itertuples():
        for k, name in enumerate(ends):
            se = clustered_error(row_influence(fit, duration, codes, at_day=row.days, k=k), cluster)
            assert se == pytest.approx(getattr(row, f"se_{name}"), rel=1e-6, abs=1e-12)


def test_by_hand():
    # day 0: 1 of 4 lost; day 2: 1 of 3 won, 1 censored after it; day 5: the last one won
    got = cumulative_incidence([0, 2, 2, 5], ["lost", "won", "open", "won"], confidence=0.9)
    assert got["n_at_risk"].tolist() == [4, 3, 1]
    assert got["p_won"].tolist() == pytest.approx([0, 0.25, 0.75])
    assert got["p_lost"].tolist() == pytest.approx([0.25, 0.25, 0.25])
    assert got["se_lost"].tolist() == pytest.approx([np.sqrt(0.25 * 0.75 / 4)] * 3)


def test_late_entry_by_hand():
    # the second deal is watched from day 3 on: it cannot be at risk when the first ends on day 3
    got = cumulative_incidence([3, 5, 5], ["won", "won", "lost"], entry_days=[0, 3, 0])
    assert got["n_at_risk"].tolist() == [2, 2]
    assert got["p_won"].tolist() == pytest.approx([0.5, 0.75])


def test_row_that_left_before_its_entry_does_not_count():
    with_it = cumulative_incidence([3, 5, 2], ["won", "lost", "won"], entry_days=[0, 0, 2])
    without = cumulative_incidence([3, 5], ["won", "lost"])
    pd.testing.assert_frame_equal(with_it, without)


deals = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.sampled_from(["open", "won", "lost", "no_decision"])),
    min_size=1,
    max_size=60,
)


@given(deals)
def test_laws(rows):
    entry = np.array([min(a, b) for a, b, _ in rows])
    duration = np.array([max(a, b) for a, b, _ in rows])
    end = [e for *_, e in rows]
    for entry_days in (None, entry):
        got = cumulative_incidence(duration, end, entry_days=entry_days)
        incidences = got.filter(regex="^p_")
        np.testing.assert_allclose(incidences.sum(axis=1), 1, atol=1e-9)
        assert (incidences.drop(columns="p_open").diff().dropna() >= -1e-12).all(axis=None)
        assert np.isfinite(got.to_numpy(float)).all()
        order = np.random.default_rng(len(rows)).permutation(len(rows))
        again = cumulative_incidence(
            duration[order],
            pd.Categorical(np.array(end)[order]),
            entry_days=None if entry_days is None else entry_days[order],
        )
        pd.testing.assert_frame_equal(got, again, atol=1e-7)  # a variance of 0 comes out as 1e-16, its root as 1e-8


@pytest.mark.parametrize("seed", range(50))
def test_no_censoring_gives_plain_frequencies_and_binomial_errors(seed):
    rng = np.random.default_rng(seed)
    duration, end = rng.integers(0, 30, 200), rng.choice(["won", "lost"], 200)
    last = cumulative_incidence(duration, end).iloc[-1]
    share = (end == "won").mean()
    assert last["p_won"] == pytest.approx(share)
    assert last["se_won"] == pytest.approx(np.sqrt(share * (1 - share) / 200))


def test_standard_error_with_late_entry_matches_brute_force_jackknife():
    rng = np.random.default_rng(5)
    entry = rng.integers(0, 6, 40)
    duration = entry + rng.integers(1, 15, 40)
    end = rng.choice(["won", "lost", "open"], 40)
    base = cumulative_incidence(duration, end, entry_days=entry)
    # derivative of the last estimate with respect to each row's weight, by finite difference
    codes = np.array([{"lost": 0, "won": 1, "open": -1}[e] for e in end])
    influence = []
    for i in range(40):
        moved = []
        for step in (1e-5, -1e-5):
            weight = np.ones(40)
            weight[i] += step
            moved.append(fit_incidence(duration, codes, ["lost", "won"], entry=entry, weight=weight).p[-1, 1])
        influence.append((moved[0] - moved[1]) / 2e-5)
    assert base["se_won"].iloc[-1] == pytest.approx(np.sqrt(np.square(influence).sum()), rel=1e-4)


def test_interval_stays_within_bounds_and_contains_the_estimate():
    p = np.array([0, 0.001, 0.5, 0.999, 1])
    lower, upper = loglog_interval(p, np.full(5, 0.3), confidence=0.9)
    assert (lower >= 0).all()
    assert (upper <= 1).all()
    assert (lower <= p).all()
    assert (p <= upper).all()


@pytest.mark.parametrize(
    ("duration", "end", "entry", "message"),
    [
        ([1, -2], ["won", "open"], None, "duration_days must be >= 0"),
        ([1, np.nan], ["won", "open"], None, "duration_days must be >= 0"),
        ([1], ["won", "open"], None, "one value per deal"),
        ([1, 2], ["won", None], None, "missing"),
        ([1, 2], ["won", "open"], [0, -1], "entry_days must be >= 0"),
    ],
)
def test_bad_input_is_named(duration, end, entry, message):
    with pytest.raises(SchemaError, match=message):
        cumulative_incidence(duration, end, entry_days=entry)
