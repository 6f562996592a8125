"""Deals that stand open and had ended: how many, by whom, and what it does to chances near a date."""

import numpy as np
import pandas as pd
import pytest
from worlds import book_of, day_of, simulate, tiny

import salesanalytics as sa
from salesanalytics.forecast.late_bookings import shares_before
from salesanalytics.models.curves import incidence_at
from salesanalytics.models.late_ends import PRIOR_ENDS, LateEnds, fit_late_ends
from salesanalytics.models.supermodel import OTHER, WON, future_bins
from salesanalytics.timeline import parse_period
from salesanalytics.timeline.calendar import to_day
from salesanalytics.timeline.spells import recording_lag_days


def rows(*counts, state="S1"):
    """Landmark rows of a state: (how many, code, duration, watched)."""
    parts = [pd.DataFrame({"state": state, "code": [c] * n, "duration_days": d, "watched_days": w})
             for n, c, d, w in counts]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_ends_before_and_after_the_landmark_by_hand():
    one = rows((6, 1, 0, 100), (20, 1, 28, 100), (9, 1, 29, 100), (3, 0, 0, 100), (10, 0, 1, 100), (50, -1, 100, 100))
    unseen = rows((99, 1, 0, 27), (99, 1, 5, 27))
    other = rows((40, 1, 10, 100), state="S2")
    found = fit_late_ends(pd.concat([one, unseen, other]), within=28)
    overall = 6 / 66
    assert found.share.loc["", WON] == pytest.approx(overall)
    assert found.share.loc["S1", WON] == pytest.approx((6 + PRIOR_ENDS * overall) / (26 + PRIOR_ENDS))
    assert found.share.loc["S2", WON] == pytest.approx(PRIOR_ENDS * overall / (40 + PRIOR_ENDS))
    assert found.share.loc["S1", OTHER] == pytest.approx(3 / 13)
    short = fit_late_ends(one, within=14)
    assert (short.within_days, short.share.loc["", OTHER]) == (14, pytest.approx(3 / 13))
    assert short.share.loc["", WON] == 1  # none of the others came so soon


@pytest.mark.parametrize("seed", range(5))
def test_chances_sum_to_one_rise_and_are_those_of_the_bins_without_late_ends(seed):
    rng = np.random.default_rng(seed)
    landmark, days = rng.integers(15_000, 15_090, 30), np.array([0, 1, 5, 28, 40, 91])
    bins = future_bins(landmark, edges=(0, 7, 14, 28, 91), fiscal_year_start=1)
    odds = rng.normal(-2, 1, (len(bins.row), 2))
    state = pd.Series(rng.choice(["S1", "S2", "S9"], 30))
    share = pd.DataFrame({WON: [0.5, 0.1, 0.3], OTHER: [0.2, 0.0, 0.1]}, index=["S1", "S2", ""])
    plain = incidence_at(bins, odds, landmark, days)
    told = LateEnds(share, 28).incidence(bins, odds, landmark, days, state=state)
    assert (told[0] + told[1] <= 1 + 1e-12).all()
    own = share.reindex(state).fillna(share.loc[""]).to_numpy()
    for k, found in enumerate(told):
        assert (np.diff(found, axis=1) >= -1e-12).all()
        np.testing.assert_allclose(found[:, 0], own[:, k] * plain[k][:, 3])
        np.testing.assert_array_equal(found[:, 3:], plain[k][:, 3:])
    same = LateEnds(0 * share, 28).incidence(bins, odds, landmark, days, state=state)
    np.testing.assert_array_equal(same, plain)


def lagging(mean_lag, days=1700, per_day=0.9, last=None):
    """Signings and losses are typed in after an exponential lag; the book, and when deals were won indeed."""
    chances = {"S1": (0.05, 0.0, 0.002), "S2": (0.0, 0.03, 0.005)}
    deals, history = simulate(7, days=days, per_day=per_day, amount=10.0, chances=chances)
    lag = np.random.default_rng(1).exponential(mean_lag, len(history)).round()
    late = pd.to_timedelta(np.where(history["value"].isin(["won", "lost"]), lag, 0), unit="D")
    history["recorded_at"] = history["changed_at"] + late
    won = history[history["value"].eq("won")].set_index("deal_id")["changed_at"]
    return book_of(deals, history[history["recorded_at"] < day_of(days)], last=days - 1), won


def test_near_dates_know_of_what_is_signed_and_not_recorded():
    book, won = lagging(15.0)
    said, came = np.zeros(3), np.zeros(3)
    for day in range(1000, 1580, 45):
        for k, horizon in enumerate((1, 7, 28)):
            scored = sa.score_open_deals(book, as_of=day_of(day).date(), until=day_of(day + horizon).date())
            said[k] += scored["p_won_until"].sum()
            came[k] += (won.reindex(scored["deal_id"]) <= day_of(day + horizon)).sum()
    assert came[0] > 60  # half of the signings of a month are signed already
    np.testing.assert_allclose(said, came, rtol=0.15)


@pytest.mark.parametrize("left", [2, 12])
def test_late_bookings_near_the_end_of_a_period(left):
    book, won = lagging(30.0, days=2200)
    said = came = 0.0
    for month in pd.period_range("2014-06", "2015-09", freq="M"):
        as_of = month.end_time.normalize() - pd.Timedelta(days=left)
        found = sa.forecast_quarter(book, quarter=str(month), as_of=as_of.date(), draws=10).deals
        said += found["p_late_booking"].sum()
        came += (won.reindex(found["deal_id"]) < month.start_time).sum()
    assert came > 80
    assert said == pytest.approx(came, rel=0.2)


def test_what_was_imported_with_its_end_tells_no_lag():
    paths = {f"old{k}": [("S1", k, 1000), ("lost", k + 5, 1000)] for k in range(50)}
    paths |= {f"new{k}": [("S1", 1000 + k), ("won", 1010 + k, 1012 + k)] for k in range(40)}
    book = tiny(paths, last=1100)
    assert recording_lag_days(book, as_of=day_of(1100).date()) == 2
    assert recording_lag_days(book, as_of=day_of(1000).date()) == 0


def test_an_imported_book_keeps_its_open_deals_alive():
    deals, history = simulate(5, days=2190, per_day=0.3, amount=10.0)
    asked = {"quarter": "2016Q1", "as_of": day_of(2160).date(), "draws": 200}
    open_deals = []
    for imported_on in (0, 1460):
        recorded = history["changed_at"].where(history["changed_at"] >= day_of(imported_on), day_of(imported_on))
        found = sa.forecast_quarter(book_of(deals, history.assign(recorded_at=recorded), last=2189), **asked)
        assert not found.deals["older_than_any_win"].any()
        open_deals.append(found.count["open"].mean())
    assert open_deals[1] == pytest.approx(open_deals[0], rel=0.3)


def test_shares_before_a_period_count_as_many_days_as_are_asked_of():
    # of 10 deals open on the 21st (won on the 1st, typed in on the 22nd); 10 more are won on the 28th
    paths = {}
    for month in pd.date_range("2010-02-01", "2011-06-01", freq="MS"):
        first = (month - pd.Timestamp(day_of(0))).days
        paths |= {f"{month:%y%m}a{k}": [("S1", first - 7), ("won", first - 1, first + 22)] for k in range(10)}
        paths |= {f"{month:%y%m}b{k}": [("S1", first - 7), ("won", first + 27)] for k in range(10)}
    book = tiny(paths, last=600)
    told = {left: shares_before(book, period=parse_period("2011-06"), day=to_day("2011-06-30") - left)[""]
            for left in (5, 9)}  # fmt: skip
    assert told[9] == pytest.approx(0.5)
    assert told[5] == 0  # the late ones have been typed in by then
