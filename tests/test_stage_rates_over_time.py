"""Rates by cohort and by period, their drift, Gray's test by stage: by hand, by law, where the truth changes."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from worlds import CHANCES, book_of, day_of, simulate, tiny, true_incidence

import salesanalytics as sa
from salesanalytics.errors import SchemaError
from salesanalytics.models import cumulative_incidence, gray_test
from salesanalytics.models.horizon_rates import Clocks
from salesanalytics.models.rates_over_time import within
from salesanalytics.timeline import clock_rows

LAST = 1399


def at(number):
    return day_of(number).date()


@pytest.fixture(scope="module")
def book():
    deals, history = simulate(5, days=LAST + 1, per_day=0.4)
    product = np.where(np.arange(len(deals)) % 3, "p", "q")
    return book_of(deals.assign(product=product), history, last=LAST)


# ---------------------------------------------------------------- by hand


def test_cohort_and_period_by_hand():
    # day 0 is 2010-01-01, day 365 the first of 2011
    paths = {
        "a": [("S1", 0), ("won", 400)],
        "b": [("S1", 100), ("lost", 300)],
        "c": [("S1", 360), ("won", 380)],
        "d": [("S1", 364), ("lost", 364)],
        "e": [("S1", 370)],
    }
    table = sa.stage_rates_over_time(tiny(paths, last=450), as_of=at(450)).set_index(["stage", "period"])
    assert table.index.get_level_values("period").unique().tolist() == ["2010", "2011"]
    first, second = table.loc[("S1", "2010")], table.loc[("S1", "2011")]
    assert (str(second["start_on"].date()), str(second["end_on"].date())) == ("2011-01-01", str(at(450)))
    assert (first["n_entered"], second["n_entered"]) == (4, 1)
    # cohort 2010: d lost on clock day 0 of 4, c won on 20 of 3, b lost on 200 of 2, a won on 400
    assert (first["p_won_cohort"], first["p_open_cohort"]) == pytest.approx((0.75 / 3 + 0.75 / 3, 0))
    assert (second["p_won_cohort"], second["p_open_cohort"]) == (0, 1)
    # period 2010: a and c are cut at the end of the year, on clock days 364 and 4
    assert (first["n_watched"], first["n_won_period"], first["n_other_end_period"]) == (4, 0, 2)
    assert first["p_won_period"] == 0
    # period 2011: a comes in on clock day 365, c on day 5, e on day 0; c wins on 20 of {c, e}, a on 400 alone
    assert (second["n_watched"], second["n_won_period"], second["n_other_end_period"]) == (3, 2, 0)
    assert second["p_won_period"] == pytest.approx(0.5 + 0.5)  # e is censored on day 80
    assert first["share_reached"] == pytest.approx(0.4)  # 0.2 of 0.5 sign up to day 364, the oldest of 2010


def test_an_entry_on_the_last_day_of_a_period_is_not_at_risk_on_day_0_of_the_next():
    one = Clocks(*(np.array([x]) for x in (0, 0, 1, 0, 1.0)))
    assert within(one, np.array([9]), 0, 9).code.tolist() == [1]
    assert len(within(one, np.array([9]), 10, 19).code) == 0
    longer = Clocks(*(np.array([x]) for x in (1, 0, 1, 0, 1.0)))
    assert within(longer, np.array([9]), 0, 9).code.tolist() == [-1]
    assert within(longer, np.array([9]), 10, 19).code.tolist() == [1]
    known_late = Clocks(*(np.array([x]) for x in (30, 12, 1, 0, 1.0)))
    assert within(known_late, np.array([0]), 5, 99).entry.tolist() == [12]
    assert within(known_late, np.array([0]), 20, 99).entry.tolist() == [19.5]


def test_fiscal_years_and_quarters_are_those_of_the_book():
    paths = {"a": [("S1", 0), ("won", 200)], "b": [("S1", 40), ("lost", 300)]}
    book = tiny(paths, last=400, fiscal_year_start=4)
    years = sa.stage_rates_over_time(book, as_of=at(400))
    assert years["period"].unique().tolist() == ["2010", "2011"]
    assert years["start_on"].iloc[1] == pd.Timestamp("2010-04-01")
    quarters = sa.stage_rates_over_time(book, as_of=at(400), every="quarter")
    assert quarters["period"].unique().tolist() == ["2010Q4", "2011Q1", "2011Q2", "2011Q3", "2011Q4"]
    with pytest.raises(SchemaError, match="every must be year or quarter, got 'month'"):
        sa.stage_rates_over_time(book, as_of=at(400), every="month")
    with pytest.raises(SchemaError, match="horizon_days"):
        sa.stage_rates_over_time(book, as_of=at(400), horizon_days=0)
    before = sa.stage_rates_over_time(book, as_of=at(-3))
    assert before.empty
    assert sa.rate_drift(before).empty


# ---------------------------------------------------------------- laws


def test_periods_share_out_the_events_and_the_days_at_risk(book):
    rows = clock_rows(book, as_of=at(LAST))
    table = sa.stage_rates_over_time(book, as_of=at(LAST), every="quarter")
    for stage in CHANCES:
        here, parts = rows[rows["state"] == stage], table[table["stage"] == stage]
        assert parts["n_entered"].sum() == len(here)
        assert parts["n_won_period"].sum() == here["end"].eq("won").sum()
        assert parts["n_other_end_period"].sum() == here["end"].eq("lost").sum()
    rng = np.random.default_rng(0)
    day, duration = rng.integers(0, 60, 200), rng.integers(0, 40, 200)
    entry = np.where(rng.random(200) < 0.3, rng.integers(0, 20, 200), 0)
    some = Clocks(duration, entry, rng.choice([-1, 0, 1], 200), np.arange(200), np.ones(200))
    some, day = some.take(some.watched), day[some.watched]
    cuts = [0, 13, 14, 30, 55, 120]
    parts = [within(some, day, a, b - 1) for a, b in itertools.pairwise(cuts)]
    assert sum((p.code >= 0).sum() for p in parts) == (some.code >= 0).sum()

    def at_risk(c):
        return [((c.duration >= t) & ((c.entry < t) | ((c.entry == 0) & (t == 0)))).sum() for t in range(40)]

    np.testing.assert_array_equal(np.sum([at_risk(p) for p in parts], axis=0), at_risk(some))


def test_one_period_that_holds_everything_is_the_stage_win_rate():
    deals, history = simulate(9, days=300, per_day=0.5)
    book = book_of(deals, history, last=299)
    rates = sa.stage_win_rates(book, as_of=at(299), horizon_days=120).set_index("stage")
    table = sa.stage_rates_over_time(book, as_of=at(299), horizon_days=120).set_index("stage")
    assert table["period"].unique().tolist() == ["2010"]
    for stage in CHANCES:
        for suffix in ("cohort", "period"):
            names = [f"p_won_{suffix}", f"se_{suffix}", f"lower_{suffix}", f"upper_{suffix}", f"p_open_{suffix}"]
            expected = rates.loc[stage, ["p_won", "se_won", "lower_won", "upper_won", "p_open"]].tolist()
            assert table.loc[stage, names].tolist() == pytest.approx(expected)
        assert table.loc[stage, "share_reached"] == pytest.approx(1)


def test_a_cohort_is_the_incidence_of_its_deals(book):
    rows = clock_rows(book, as_of=at(LAST))
    year = day_of(rows["entered_day"].to_numpy() - (day_of(0) - pd.Timestamp("1970-01-01")).days).year
    table = sa.stage_rates_over_time(book, as_of=at(LAST), horizon_days=100).set_index(["stage", "period"])
    here = rows[(rows["state"] == "S2") & (year == 2011)]
    curve = cumulative_incidence(here["duration_days"], here["end"]).query("days <= 100").iloc[-1]
    assert table.loc[("S2", "2011"), "p_won_cohort"] == pytest.approx(curve["p_won"])


# ---------------------------------------------------------------- where the truth changes


def test_a_period_answers_at_once_and_a_cohort_late():
    # from day 730 on two wins in three are lost instead
    worse = {s: (up, won / 3, lost + won * 2 / 3) for s, (up, won, lost) in CHANCES.items()}
    found = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        rows, deals = [], []
        for i, born in enumerate(np.sort(rng.integers(0, 1460, 1100))):
            state, day = "S1", int(born)
            rows.append((f"D{i}", day, "S1"))
            deals.append((f"D{i}", day_of(born)))
            while state in CHANCES:
                chances = np.array((CHANCES if day < 729 else worse)[state])
                wait = int(rng.geometric(chances.sum()))
                if day < 729 < day + wait:  # nothing happened before the change
                    day = 729
                    continue
                day += wait
                if day >= 1460:
                    break
                step = int(rng.choice(3, p=chances / chances.sum()))
                state = [f"S{int(state[1]) + 1}", "won", "lost"][step]
                rows.append((f"D{i}", day, state))
        history = pd.DataFrame(rows, columns=["deal_id", "changed_at", "value"]).assign(field="stage")
        history["changed_at"] = day_of(history["changed_at"].to_numpy())
        book = book_of(pd.DataFrame(deals, columns=["deal_id", "created_at"]), history, last=1459)
        asked = {"as_of": at(1459), "horizon_days": 200}
        found.append(sa.stage_rates_over_time(book, **asked).assign(seed=seed))
        drift = sa.rate_drift(sa.stage_rates_over_time(book, every="quarter", **asked)).set_index("stage")
        assert drift.loc["S1", "drift_per_year"] < -0.03
        assert drift.loc["S1", "p_value"] < 0.1
    table = pd.concat(found)
    s1 = table[table["stage"] == "S1"].groupby("period")[["p_won_cohort", "p_won_period"]].mean()
    before, after = true_incidence("S1", 200), true_incidence("S1", 200, worse)
    assert s1.loc["2011", "p_won_period"] == pytest.approx(before, abs=0.03)
    assert s1.loc["2012", "p_won_period"] == pytest.approx(after, abs=0.03)
    assert s1.loc["2011", "p_won_cohort"] < s1.loc["2011", "p_won_period"]  # its late deals met the worse time
    inside = table["stage"].eq("S1") & table["period"].eq("2013")
    assert (table.loc[inside, "lower_period"].le(after) & table.loc[inside, "upper_period"].ge(after)).sum() >= 3


@pytest.mark.parametrize("n_periods", [4, 16])
@pytest.mark.parametrize("shock", [0.0, 0.08])
def test_rates_that_stay_drift_no_more_often_than_chance_says(n_periods, shock):
    rng = np.random.default_rng(n_periods)
    n, stages = rng.integers(30, 120, (n_periods, 600)), [f"stage {k}" for k in range(600)]
    p = rng.binomial(n, np.clip(0.4 + rng.normal(0, shock, n.shape), 0.05, 0.95)) / n
    start = pd.date_range("2010-01-01", periods=n_periods, freq="QS")
    table = pd.DataFrame(
        {
            "stage": stages * n_periods, "start_on": start.repeat(600), "n_effective_period": n.ravel(),
            "end_on": (start + pd.offsets.QuarterEnd()).repeat(600), "p_won_period": p.ravel(),
            "share_reached": 1.0,
        }
    )  # fmt: skip
    drift = sa.rate_drift(table)
    false = drift["p_value"].lt(0.1)
    assert false.mean() <= 0.13
    assert false.mean() >= 0.03
    assert (drift["lower"].gt(0) | drift["upper"].lt(0)).tolist() == false.tolist()


def test_drift_is_a_weighted_line():
    years = pd.DataFrame(
        {
            "stage": "S1", "start_on": pd.to_datetime(["2010-01-01", "2011-01-01", "2012-01-01", "2013-01-01"]),
            "end_on": pd.to_datetime(["2010-12-31", "2011-12-31", "2012-12-31", "2013-12-31"]),
            "p_won_period": [0.3, 0.35, 0.4, 0.1], "n_effective_period": [104, 112, 119, 44],
            "share_reached": [1, 1, 1, 0.2],
        }
    )  # fmt: skip
    drift = sa.rate_drift(years).iloc[0]
    assert (drift["n_periods"], drift["drift_per_year"]) == (3, pytest.approx(0.05, abs=1e-3))
    assert drift["lower"] < 0 < drift["upper"]
    assert drift["upper"] - drift["drift_per_year"] == pytest.approx(1.645 * 0.045 / np.sqrt(2), rel=0.1)
    unseen = years.assign(n_effective_period=[100, 0, 0.4, 44])  # what nobody was watched in tells nothing
    assert sa.rate_drift(unseen)["n_periods"].tolist() == [1]
    few = sa.rate_drift(years.head(2)).iloc[0]
    assert few[["drift_per_year", "lower", "upper", "p_value"]].isna().all()
    with pytest.raises(SchemaError, match="confidence"):
        sa.rate_drift(years, confidence=0)


# ---------------------------------------------------------------- do segments differ


def test_segments_differ_is_grays_test_of_the_clock_rows(book):
    tests = sa.segments_differ(book, as_of=at(LAST), by="product").set_index("stage")
    rows = clock_rows(book, as_of=at(LAST))
    product = rows["deal_id"].map(book.deals.set_index("deal_id")["product"])
    for stage in CHANCES:
        here = rows["state"] == stage
        expected = gray_test(rows.loc[here, "duration_days"], rows.loc[here, "end"], product[here])
        assert tests.loc[stage, ["statistic", "df", "p_value"]].tolist() == pytest.approx(
            [expected.statistic, expected.df, expected.p_value]
        )
        assert tests.loc[stage, ["n_segments", "n_deals", "n_missing"]].tolist() == [2, here.sum(), 0]
    assert tests.loc["S8", ["n_segments", "n_deals"]].tolist() == [0, 0]
    assert tests.loc["S8", ["statistic", "p_value"]].isna().all()


def test_deals_without_a_segment_or_without_time_at_risk_are_not_compared():
    paths = {
        "a": [("S1", 0), ("won", 9)], "b": [("S1", 0), ("lost", 9)], "c": [("S1", 0), ("won", 12)],
        "d": [("S1", 0), ("lost", 5)], "e": [("S1", 0, 20), ("won", 10, 20)],
    }  # fmt: skip
    book = tiny(paths, last=60, deals={"product": ["p", "q", None, "q", "p"]})
    s1 = sa.segments_differ(book, as_of=at(60), by="product").iloc[0]
    assert s1[["n_segments", "n_deals", "n_missing"]].tolist() == [2, 3, 1]
    with pytest.raises(SchemaError, match="by must be"):
        sa.segments_differ(book, as_of=at(60), by="colour")
