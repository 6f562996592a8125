"""The quarter as a distribution: draws, components, arrivals, simple methods, and whether the bands hold."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import kstest
from worlds import CHANCES, book_of, day_of, simulate, tiny, true_incidence

import salesanalytics as sa
from salesanalytics.errors import AsOfError, SchemaError
from salesanalytics.errors.chinese import rule_in_chinese
from salesanalytics.features import snapshots
from salesanalytics.forecast.amount_ratios import amount_ratios, expected_amounts
from salesanalytics.forecast.arrival_rate import ArrivalRate
from salesanalytics.forecast.arrivals import Arrivals, fit_arrivals, recorded_share
from salesanalytics.forecast.baselines import baselines
from salesanalytics.forecast.draws import centred, deal_keys, draw_deals, uniforms
from salesanalytics.forecast.late_bookings import shares_before
from salesanalytics.forecast.lent_amounts import LentAmounts
from salesanalytics.forecast.parts import ToCome, draw_open, draw_to_come, to_come
from salesanalytics.forecast.score import score_with
from salesanalytics.forecast.targets import group_targets, stated_target
from salesanalytics.models.close_model import fitted_close_model
from salesanalytics.timeline import parse_period
from salesanalytics.timeline.calendar import quarter_number, to_date, to_day

pytestmark = pytest.mark.usefixtures("on_the_stage_table")

NO_SHOCK = np.zeros(20_000)
NOTHING = np.zeros(0)


def at(number):
    return day_of(number).date()


def keys(n, seed=0, prefix="d"):
    return deal_keys(pd.Series([f"{prefix}{k}" for k in range(n)]), seed)


def grid(keys, n, purpose):
    """Uniform numbers, one row a deal, one column a draw."""
    return uniforms(keys[:, None], np.arange(n), purpose=purpose)


def sums(*deals, **settings):
    """Count and amount of each draw."""
    found = draw_deals(*deals, **settings)
    return found.count(), found.total()


# ---------------------------------------------------------------- draws


@pytest.mark.parametrize("purpose", ["sign", "amount", "ratio"])
def test_keyed_draws_are_uniform(purpose):
    u = grid(keys(40), 2000, purpose)
    assert u.shape == (40, 2000)
    assert ((u >= 0) & (u < 1)).all()
    assert kstest(u.ravel(), "uniform").pvalue > 1e-3
    assert kstest(u[:, 0], "uniform").pvalue > 1e-3  # down the deals as well as along the draws
    pairs = np.floor(u[:, ::2] * 8) * 8 + np.floor(u[:, 1::2] * 8)  # neighbours fill the square evenly
    counts = np.bincount(pairs.astype(int).ravel(), minlength=64)
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 63 + 5 * np.sqrt(2 * 63)


def test_keyed_draws_of_deals_seeds_and_purposes_are_independent():
    n = 5000
    streams = [grid(keys(12), n, "sign"), grid(keys(12, seed=1), n, "sign")]
    streams += [grid(keys(12), n, purpose) for purpose in ("amount", "ratio")]
    correlation = np.corrcoef(np.vstack(streams))
    assert np.abs(correlation - np.eye(48)).max() < 5 / np.sqrt(n)
    assert len(np.unique(keys(100_000))) == 100_000
    assert np.array_equal(grid(keys(3), 50, "sign"), grid(keys(3), 80, "sign")[:, :50])


def test_a_deal_signs_in_the_draws_whose_number_lies_below_its_chance():
    rng = np.random.default_rng(4)
    p = np.concatenate([rng.beta(1, 4, 90), [0.0, 1e-7, 0.5, 1 - 1e-7, 1.0]])
    amount, pool, ratio = rng.lognormal(3, 1, len(p)), np.array([5.0, 6.0, 7.0]), rng.normal(0, 0.2, 50)
    amount[::7] = np.nan
    for shock in (np.zeros(700), rng.normal(0, 0.7, 700)):
        chance = expit(centred(p, shock)[:, None] + shock) if shock.any() else p[:, None]
        number, for_amount, for_ratio = (grid(keys(len(p)), 700, purpose) for purpose in ("sign", "amount", "ratio"))
        signs = (number < chance) & (p > 0)[:, None]
        value = amount[:, None] * np.exp(ratio[(for_ratio * 50).astype(int)])
        value = np.where(np.isnan(value), pool[(for_amount * 3).astype(int)], value)
        found = draw_deals(p, amount, keys(len(p)), shock=shock, amount_pool=pool, log_ratio=ratio)
        deal, draw = np.nonzero(signs)
        assert np.array_equal(found.deal, deal)
        assert np.array_equal(found.draw, draw)
        np.testing.assert_allclose(found.value, value[deal, draw], rtol=1e-12)


def test_one_more_deal_moves_no_other():
    rng = np.random.default_rng(0)
    n = 600  # more than one chunk
    p, amount, shock = rng.random(n), rng.lognormal(3, 1, n), rng.normal(0, 0.4, 500)
    amount[::7] = np.nan
    pool, ratio = np.array([5.0, 6.0, 7.0]), rng.normal(0, 0.2, 50)

    def drawn(some):
        return sums(p[some], amount[some], keys(n)[some], shock=shock, amount_pool=pool, log_ratio=ratio)

    everything, one = np.arange(n), np.array([300])
    rest = np.delete(everything, one)
    for whole, part, single in zip(drawn(everything), drawn(rest), drawn(one), strict=True):
        np.testing.assert_allclose(whole, part + single, rtol=1e-9)
    for whole, shuffled in zip(drawn(everything), drawn(rng.permutation(n)), strict=True):
        np.testing.assert_allclose(whole, shuffled, rtol=1e-9)


def test_without_shock_the_count_is_poisson_binomial():
    rng = np.random.default_rng(1)
    p, amount = rng.beta(1, 4, 300), rng.lognormal(2, 1, 300)
    count, total = sums(p, amount, keys(300), shock=NO_SHOCK, amount_pool=NOTHING)
    sd, n = np.sqrt((p * (1 - p)).sum()), len(NO_SHOCK)
    assert count.mean() == pytest.approx(p.sum(), abs=4 * sd / np.sqrt(n))
    assert count.std() == pytest.approx(sd, rel=4 / np.sqrt(2 * n))
    sd = np.sqrt((amount**2 * p * (1 - p)).sum())
    assert total.mean() == pytest.approx(p @ amount, abs=4 * sd / np.sqrt(n))
    assert total.std() == pytest.approx(sd, rel=0.03)


@pytest.mark.parametrize("spread", [0.2, 0.6, 1.0])
def test_a_shock_widens_but_keeps_every_mean(spread):
    rng = np.random.default_rng(2)
    shock = rng.normal(0, spread, 20_000)
    shock -= shock.mean()
    p = np.array([1e-4, 0.01, 0.1, 0.3, 0.5, 0.8, 0.99])
    chance = expit(centred(p, shock)[:, None] + shock)
    np.testing.assert_allclose(chance.mean(axis=1), p, rtol=0.02)
    some = rng.beta(1, 4, 300)
    count, _ = sums(some, np.ones(300), keys(300), shock=shock, amount_pool=NOTHING)
    assert count.mean() == pytest.approx(some.sum(), rel=0.02)
    assert count.std() > np.sqrt((some * (1 - some)).sum()) * (1 + spread / 4)


def test_certain_and_impossible_deals():
    count, total = sums(np.array([0.0, 1.0]), np.array([7.0, 3.0]), keys(2), shock=np.zeros(100), amount_pool=NOTHING)
    assert (count == 1).all()
    assert (total == 3).all()


def test_unknown_amounts_are_drawn_as_they_are_and_known_ones_move():
    pool = np.array([10.0, 20.0, 90.0])
    p = np.ones(1)
    _, drawn = sums(p, np.array([np.nan]), keys(1), shock=NO_SHOCK, amount_pool=pool, log_ratio=np.log([2.0]))
    assert set(drawn) == {10, 20, 90}  # amounts of wins are final: no ratio upon them
    assert drawn.mean() == pytest.approx(40, rel=0.03)
    _, moved = sums(p, np.array([5.0]), keys(1), shock=NO_SHOCK, amount_pool=pool, log_ratio=np.log([2.0, 4.0]))
    assert set(moved.round(9)) == {10, 20}
    assert moved.mean() == pytest.approx(15, rel=0.03)
    _, nothing = sums(p, np.array([np.nan]), keys(1), shock=NO_SHOCK, amount_pool=NOTHING)
    assert (nothing == 0).all()


# ---------------------------------------------------------------- a forecast

DAYS, AS_OF = 1400, 1277  # 2013-06-30 is day 1276 (counted from 2010-01-01)


@cache
def world(lag=0, seed=5):
    """A stationary company; with a lag every change is typed in 0 to 2 x lag days late."""
    deals, history = simulate(seed, days=DAYS, per_day=0.5)
    if lag:
        rng = np.random.default_rng(seed)
        late = pd.to_timedelta(rng.integers(0, 2 * lag + 1, len(history)), unit="D")
        history = history.assign(recorded_at=history["changed_at"] + late)
        history = history[history["recorded_at"] < day_of(DAYS)]
    return deals, history


@cache
def book(lag=0):
    return book_of(*world(lag), last=DAYS - 1)


@cache
def forecast(quarter, as_of="2013-06-30", *, lag=0, draws=2000, seed=0, target=None):
    return sa.forecast_quarter(book(lag), quarter=quarter, as_of=as_of, draws=draws, seed=seed, target=target)


def signed_in(first, last, lag=0):
    history = world(lag)[1]
    won = history[history["value"] == "won"]
    return won[won["changed_at"].between(first, last)]


@pytest.mark.parametrize("lag", [0, 15])
def test_parts_sum_to_the_total_in_every_draw(lag):
    found = forecast("2013Q3", lag=lag)
    names = ["signed", "open", "reopened", *(["unrecorded"] if lag else []), "new"]
    for measure in ("count", "amount"):
        draws = getattr(found, measure)
        assert list(draws) == names
        np.testing.assert_allclose(found.total(measure), np.sum([draws[n] for n in names], axis=0), rtol=1e-12)
        assert all((d >= 0).all() for d in draws.values())
        assert all(len(d) == 2000 for d in draws.values())
    table = found.components().set_index("component")
    means = table.loc[["signed", "open", "reopened", "unrecorded", "new"], ["count", "amount"]].sum()
    assert means.tolist() == pytest.approx(table.loc["total", ["count", "amount"]].tolist())
    assert table.loc["unrecorded"].isna().all() == (lag == 0)
    assert (("note_no_recorded_at", {}) in found.notes) == (lag == 0)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"draws": 0}, "draws must be a whole number"),
        ({"draws": 1.5}, "draws must be a whole number"),
        ({"target": "5e6"}, "target must be an amount above 0, got '5e6'"),
        ({"target": np.nan}, "target must be an amount above 0"),
        ({"target": -1}, "target must be an amount above 0"),
    ],
)
def test_numbers_that_cannot_be_asked_for(asked, said):
    with pytest.raises(SchemaError, match=said):
        sa.forecast_quarter(book(), quarter="2013Q3", as_of="2013-06-30", **asked)


def test_bands_and_target_are_those_of_the_draws():
    found = forecast("2013Q3", target=700.0)
    total = found.total()
    assert found.bands()["80"] == pytest.approx(np.quantile(total, [0.1, 0.9]).tolist())
    (low, high), count = found.bands("count")["50"], found.total("count")
    assert np.quantile(count, 0.25) <= low <= high <= np.quantile(count, 0.75)
    assert ((low <= count) & (count <= high)).mean() >= 0.5
    assert found.p_target == pytest.approx((total >= 700).mean())
    assert forecast("2013Q3").p_target is None


def test_the_mean_of_the_open_part_is_the_sum_of_its_chances():
    found = forecast("2013Q3")
    p = found.deals["p_in_period"]
    assert found.count["open"].mean() == pytest.approx(p.sum(), rel=0.02)
    assert found.amount["open"].mean() == pytest.approx((p * found.deals["amount"]).sum(), rel=0.03)
    assert found.deals["expected_amount"].is_monotonic_decreasing


def curves(as_of, horizon, lag=0):
    """Chance of every open deal to have signed 0, 1, 2, ... days from a date."""
    model, snapshot = fitted_close_model(book(lag), as_of=as_of), snapshots(book(lag), as_of=as_of)
    scores = score_with(model, book(lag), snapshot, horizon_days=horizon)
    return pd.DataFrame(scores.p_won, index=scores.deals["deal_id"])


def same_chances(found, expected):
    got = found.deals.set_index("deal_id")["p_in_period"]
    np.testing.assert_allclose(got.reindex(expected.index), expected, rtol=1e-9, atol=1e-12)


def test_a_quarter_that_begins_tomorrow():
    found = forecast("2013Q3")
    assert (found.count["signed"] == 0).all()
    same_chances(found, curves("2013-06-30", 92)[92])


def test_a_quarter_in_progress():
    found = forecast("2013Q3", "2013-08-10")
    won = signed_in("2013-07-01", "2013-08-10")
    assert set(found.count["signed"]) == {len(won)}
    amounts = world()[0].set_index("deal_id")["amount"]
    assert found.amount["signed"][0] == pytest.approx(amounts[won["deal_id"]].sum())
    same_chances(found, curves("2013-08-10", 51)[51])


def test_a_later_quarter_asks_that_the_deal_has_not_signed_before():
    found = forecast("2013Q4")
    chances = curves("2013-06-30", 184)
    same_chances(found, chances[184] - chances[92])
    assert found.count["new"].mean() > forecast("2013Q3").count["new"].mean()


def test_a_win_of_before_that_is_typed_in_later_belongs_to_its_own_quarter():
    chances, found = curves("2013-06-30", 92, lag=15), forecast("2013Q3", lag=15)
    late = found.deals.set_index("deal_id")["p_late_booking"].reindex(chances.index)
    signed = world(lag=15)[1].query("field == 'stage' and value == 'won' and changed_at <= '2013-06-30'")["deal_id"]
    waiting = found.deals["deal_id"].isin(signed).sum()
    assert waiting == 3  # of those that stand open so many have signed already
    assert late.sum() == pytest.approx(waiting, abs=3 * waiting**0.5)
    same_chances(found, chances[92] - late)
    same_chances(forecast("2013Q3", "2013-08-10", lag=15), curves("2013-08-10", 51, lag=15)[51])  # within it, it counts


def test_months_quarters_and_years():
    quarter = forecast("2013Q3")
    months = [forecast(m, draws=100) for m in ("2013-07", "2013-08", "2013-09")]
    parts = sum(m.deals.set_index("deal_id")["p_in_period"] for m in months)
    whole = quarter.deals.set_index("deal_id")["p_in_period"]
    assert parts.sum() == pytest.approx(whole.sum(), rel=0.05)
    assert [len(m.baselines) for m in months] == [10, 10, 10]
    year = forecast("2013")
    assert set(year.count["signed"]) == {len(signed_in("2013-01-01", "2013-06-30"))}
    assert (year.period.start.isoformat(), year.period.end.isoformat()) == ("2013-01-01", "2013-12-31")
    assert year.total("count").mean() > quarter.total("count").mean() + year.count["signed"][0]
    fiscal = book_of(*world(), last=DAYS - 1, fiscal_year_start=4)
    found = sa.forecast_quarter(fiscal, quarter="2014Q2", as_of="2013-06-30", draws=500)
    assert found.period.start.isoformat() == "2013-07-01"
    assert found.total("count").tolist() == forecast("2013Q3", draws=500).total("count").tolist()


def test_same_seed_same_numbers():
    found, again = (
        sa.forecast_quarter(book(), quarter="2013Q3", as_of="2013-06-30", draws=300, seed=9) for _ in range(2)
    )
    other = forecast("2013Q3", draws=300, seed=10)
    assert found.to_dict() == again.to_dict()
    for name in found.amount:
        assert np.array_equal(found.amount[name], again.amount[name])
    assert not np.array_equal(found.amount["open"], other.amount["open"])
    assert not np.array_equal(found.amount["new"], other.amount["new"])
    assert found.total("count").mean() == pytest.approx(other.total("count").mean(), rel=0.1)


@pytest.mark.parametrize("lag", [0, 15])
def test_to_dict_is_what_design_promises(lag):
    said = forecast("2013Q3", lag=lag, target=700.0).to_dict()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert {"as_of", "quarter", "mean", "median", "bands", "target", "p_target", "count", "components"} <= set(said)
    assert {"method", "seed"} <= set(said)
    assert (said["as_of"], said["quarter"], said["seed"]) == ("2013-06-30", "2013Q3", 0)
    for part in (said, said["count"]):
        assert part["bands"]["80"][0] <= part["bands"]["50"][0] <= part["median"]
        assert part["median"] <= part["bands"]["50"][1] <= part["bands"]["80"][1]
    assert list(said["components"]) == ["signed", "open", "reopened", "unrecorded", "new"]
    assert (said["components"]["unrecorded"] is None) == (lag == 0)
    for part in filter(None, said["components"].values()):
        assert {"mean", "lower", "upper"} <= set(part)
    assert sum(p["mean"] for p in said["components"].values() if p) == pytest.approx(said["mean"])


@pytest.mark.parametrize(
    ("quarter", "as_of", "error", "message"),
    [
        ("2013Q2", "2013-06-30", AsOfError, "2013Q2 ended on 2013-06-30, as_of is 2013-06-30"),
        ("2012", "2013-06-30", AsOfError, "nothing to forecast"),
        ("2013Q9", "2013-06-30", AsOfError, "period is written"),
        ("2013Q4", "2015-06-30", AsOfError, "2015-06-30 lies after the end of the book"),
    ],
)
def test_what_cannot_be_forecast_is_refused(quarter, as_of, error, message):
    with pytest.raises(error, match=message):
        sa.forecast_quarter(book(), quarter=quarter, as_of=as_of)


def test_draws_must_be_some():
    with pytest.raises(SchemaError, match="draws"):
        sa.forecast_quarter(book(), quarter="2013Q3", as_of="2013-06-30", draws=0)
    one = forecast("2013Q3", draws=1)
    assert one.bands()["80"] == [one.total()[0]] * 2


# ---------------------------------------------------------------- scored deals


def test_scores_are_chances_in_order():
    scored = sa.score_open_deals(book(), as_of="2013-06-30", until="2013-09-30")
    assert len(scored) == len(sa.snapshots(book(), as_of="2013-06-30")) > 20
    parts = scored[["p_won_until", "p_lost_until", "p_open_until"]]
    assert parts.sum(axis=1).to_numpy() == pytest.approx(1)
    assert parts.min(axis=None) >= 0
    assert (scored["p_lower"] <= scored["p_won_until"]).all()
    assert (scored["p_won_until"] <= scored["p_upper"]).all()
    assert (scored["p_won_until"] <= scored["p_won"] + 1e-12).all()
    dates = scored[["sign_q10", "sign_q50", "sign_q90"]].dropna()
    assert len(dates) > 15
    assert (dates["sign_q10"] <= dates["sign_q50"]).all()
    assert (dates["sign_q50"] <= dates["sign_q90"]).all()
    assert (dates["sign_q10"] >= pd.Timestamp("2013-06-30")).all()
    assert scored["expected_amount"].to_numpy() == pytest.approx((scored["p_won_until"] * scored["amount"]).to_numpy())
    assert scored["expected_amount"].is_monotonic_decreasing
    assert scored["p_nominal"].tolist() == scored["stage"].map({"S1": 0.1, "S2": 0.2, "S3": 0.25}).tolist()
    for state in CHANCES:
        here = scored[(scored["state"] == state) & ~scored["older_than_any_win"]]
        assert here["p_won_until"].mean() == pytest.approx(true_incidence(state, 92), abs=0.08)
    with pytest.raises(AsOfError, match="until must lie after as_of"):
        sa.score_open_deals(book(), as_of="2013-06-30", until="2013-06-30")


def test_signing_dates_are_the_first_days_by_which_that_share_has_signed():
    model, snapshot = fitted_close_model(book(), as_of="2013-06-30"), snapshots(book(), as_of="2013-06-30")
    scored = sa.score_open_deals(book(), as_of="2013-06-30", until="2013-09-30").set_index("deal_id")
    by_day = np.column_stack([model.curves(snapshot, days=[day])[0][:, 0] for day in range(731)])  # one day at a time
    told = 0
    for name, share in (("sign_q10", 0.1), ("sign_q50", 0.5), ("sign_q90", 0.9)):
        reached = (by_day >= share * by_day[:, -1:]).argmax(axis=1)
        expected = pd.Series(reached, index=snapshot["deal_id"]).reindex(scored.index)
        days = (scored[name] - pd.Timestamp("2013-06-30")).dt.days
        assert (days == expected)[days.notna()].all()
        told += (days % 7 != 0)[days.notna()].sum()
    assert told > 20  # no grid of weeks


def test_a_date_beyond_two_years_does_not_lower_what_is_said_within_two():
    near = sa.score_open_deals(book(), as_of="2013-06-30", until="2015-06-30").set_index("deal_id")
    far = sa.score_open_deals(book(), as_of="2013-06-30", until="2017-06-30").set_index("deal_id")
    assert (near["p_won"] >= near["p_won_until"] - 1e-12).all()
    assert (far["p_won"] <= far["p_won_until"] + 1e-12).all()


def test_dead_stock_has_no_likely_date():
    paths = {f"w{k}": [("S1", 4 * k), ("won", 4 * k + 20 + k % 5)] for k in range(80)}
    dead = tiny({**paths, "dead": [("S1", 0)], "young": [("S1", 395)]}, last=400)
    scored = sa.score_open_deals(dead, as_of=at(400), until=at(490)).set_index("deal_id")
    assert scored["older_than_any_win"].to_dict() == {"dead": True, "young": False}
    assert scored.loc["dead", "p_won_until"] < 0.1 < 0.8 < scored.loc["young", "p_won_until"]
    assert scored.loc["dead", ["sign_q10", "sign_q50", "sign_q90"]].isna().all()
    assert pd.Timestamp(at(400)) < scored.loc["young", "sign_q50"] < pd.Timestamp(at(430))
    found = sa.forecast_quarter(dead, quarter="2011Q1", as_of=at(400), draws=200)
    assert dict(found.notes)["note_dead_stock"]["n"] == 1


def test_a_young_book_says_that_it_has_watched_nothing_for_as_long():
    # of signings more than 100 days away nothing is known: 0 are expected, in a band from 0 to 0
    paths = {f"w{k}": [("S1", 2 * k), ("won", 2 * k + 40 + k % 5)] for k in range(20)}
    paths |= {f"o{k}": [("S1", 2 * k + 30)] for k in range(30)}
    young, old = (tiny(paths | more, last=100) for more in ({}, {"first": [("S1", -400), ("won", -360)]}))
    near, far = (sa.forecast_quarter(young, quarter=q, as_of=at(100), draws=200) for q in ("2010-04", "2010Q3"))
    assert "note_beyond_watched" not in dict(near.notes)
    assert dict(far.notes)["note_beyond_watched"] == {"n": 84, "days": 172}
    assert far.count["open"].max() == 0
    quick = sa.forecast_quarter(old, quarter="2010Q3", as_of=at(100), draws=200)  # watched long, though none stayed
    assert "note_beyond_watched" not in dict(quick.notes)


# ---------------------------------------------------------------- signed before the period, recorded in it


def late_book(*, wait=30):
    """Every deal goes to S2 on day 9, signs on day 10 and is typed in ``wait`` days later; one is born every 3 days."""
    paths = {
        f"d{k:03d}": [("S1", 3 * k), ("S2", 3 * k + 9), ("won", 3 * k + 10, 3 * k + 10 + wait)] for k in range(230)
    }
    return tiny(paths, last=730)


def test_what_was_signed_before_the_period_does_not_count_in_it():
    # on the eve of 2011Q4 ten deals stand in S2, all but those that came today have signed; three stand in S1
    found = sa.forecast_quarter(late_book(), quarter="2011Q4", as_of="2011-09-30", draws=2000)
    deals = found.deals.set_index("deal_id").sort_index()
    in_s2 = deals["state"] == "S2"
    assert in_s2.sum() == 10
    assert (~in_s2).sum() == 3
    assert deals["p_won_until"].min() > 0.95
    assert deals.loc[in_s2, "p_late_booking"].min() > 0.9
    assert deals.loc[in_s2, "p_in_period"].max() < 0.1
    assert deals.loc[~in_s2, "p_in_period"].min() > 0.9
    assert deals["p_table_in_period"].to_numpy() == pytest.approx(deals["p_in_period"].to_numpy())
    assert (deals["p_late_booking"] + deals["p_in_period"]).to_numpy() == pytest.approx(deals["p_won_until"].to_numpy())
    late = dict(found.notes)["note_late_bookings"]["n"]
    assert float(late) == pytest.approx(deals["p_late_booking"].sum(), abs=0.06)


@pytest.mark.parametrize(
    ("as_of", "waited"), [("2011-09-30", 0), ("2011-10-01", 1), ("2011-10-11", 11), ("2011-10-31", 31)]
)
def test_what_was_signed_since_the_period_began_counts_in_it(as_of, waited):
    # signings wait 30 days, so those of S2 have waited -1 (one to come) to 29, all alike: 30 - k of 31 at least k
    found = sa.forecast_quarter(late_book(), quarter="2011Q4", as_of=as_of, draws=9)
    shares = found.prepared.before
    assert shares["S2"] == pytest.approx(max(30 - waited, 0) / 31, abs=0.04)
    assert shares["S1"] < 0.1  # none of its own, but 2 signings of all states are lent to it


def test_late_bookings_do_not_move_a_forecast_that_nothing_moved():
    found = sa.forecast_quarter(late_book(), quarter="2011Q4", as_of="2011-09-30", draws=200)
    assert found.deals["p_late_booking"].sum() > 5
    assert sa.explain_change(found, found).causes[["count", "amount"]].abs().to_numpy().max() < 1e-9


def test_months_share_the_late_bookings_of_their_quarter():
    book = late_book()
    quarter, month, second = (
        sa.forecast_quarter(book, quarter=name, as_of="2011-09-30", draws=9).deals
        for name in ("2011Q4", "2011-10", "2011-11")
    )
    assert quarter["p_late_booking"].sum() > 5
    assert month["p_late_booking"].sum() == pytest.approx(quarter["p_late_booking"].sum())
    assert second["p_late_booking"].sum() == 0  # it lies ahead: what comes before it is a month of signings
    ahead = sa.forecast_quarter(book, quarter="2011-11", as_of="2011-09-30", draws=9).prepared.before
    assert ahead.to_dict() == {"": 1.0}


@pytest.mark.parametrize("seed", range(3))
def test_late_bookings_do_not_look_ahead(seed):
    rng = np.random.default_rng(seed)
    paths = {f"d{k}": [("S1", int(b)), ("won", int(b) + 10, int(b) + 10 + int(rng.integers(0, 60)))]
             for k, b in enumerate(rng.integers(0, 600, 150))}  # fmt: skip
    known = {d: [row for row in rows if row[-1] <= 637] for d, rows in paths.items() if rows[0][1] <= 637}
    asked = {"period": parse_period("2011Q4"), "day": to_day("2011-09-30")}
    whole, then = (shares_before(tiny(p, last=last), **asked) for p, last in ((paths, 730), (known, 637)))
    pd.testing.assert_series_equal(whole, then)
    assert whole[""] > 0


def test_without_late_recording_nothing_waits():
    found = sa.forecast_quarter(book(), quarter="2013Q3", as_of="2013-06-30", draws=100)
    assert (found.deals["p_late_booking"] == 0).all()
    assert "note_late_bookings" not in dict(found.notes)


# ---------------------------------------------------------------- deals to come


def test_recorded_share_by_brute_force():
    rng = np.random.default_rng(0)
    since = rng.integers(0, 300, 500)
    lag = np.minimum(rng.geometric(0.1, 500) - 1, 60)
    kept = lag <= since
    lag, since = lag[kept], since[kept]
    expected = []
    for x in range(lag.max() + 1):
        share = 1.0
        for u in range(x + 1, lag.max() + 1):
            at_risk = ((lag <= u) & (since >= u)).sum()
            share *= 1 - (lag == u).sum() / at_risk if at_risk >= 30 else 1.0
        expected.append(share)
    np.testing.assert_allclose(recorded_share(lag, since), expected)


def test_recorded_share_finds_the_lag_although_long_ones_are_cut_off():
    rng = np.random.default_rng(1)
    since = rng.integers(0, 200, 20_000)
    lag = rng.geometric(0.05, 20_000) - 1
    got = recorded_share(lag[lag <= since], since[lag <= since])
    x = np.arange(60)
    np.testing.assert_allclose(got[:60], 1 - 0.95 ** (x + 1), atol=0.03)
    naive = (lag[lag <= since] <= 20).mean()
    assert abs(got[20] - (1 - 0.95**21)) < abs(naive - (1 - 0.95**21))


def test_one_deal_that_took_for_ever_does_not_hide_all_others():
    rng = np.random.default_rng(2)
    since = np.r_[999, rng.integers(0, 900, 400)]
    lag = np.r_[999, np.minimum(rng.integers(0, 10, 400), since[1:])]
    assert recorded_share(lag, since)[20] > 0.9
    assert recorded_share(NOTHING.astype(int), NOTHING.astype(int)).tolist() == [1]


def arriving(seed, *, days, per_day, mean_lag, born_from=0, migrated_on=None):
    """Deals recorded late as a whole, signed with chance .5 at a constant rate; some time the system is new."""
    rng = np.random.default_rng(seed)
    born = np.sort(rng.integers(born_from, days, rng.poisson(per_day * (days - born_from))))
    lag = rng.poisson(mean_lag, len(born))
    ends = born + rng.geometric(0.02, len(born))
    won = rng.random(len(born)) < 0.5
    rows = []
    for k, (b, known, end, w) in enumerate(zip(born, born + lag, ends, won, strict=True)):
        if migrated_on is not None:
            if end < migrated_on:
                continue  # over before the system came
            known = max(known, migrated_on)
        rows += [(f"d{k:05d}", b, known, "S1")]
        rows += [(f"d{k:05d}", end, max(end, known), "won" if w else "lost")] if end < days else []
    table = pd.DataFrame(rows, columns=["deal_id", "changed_at", "recorded_at", "value"]).assign(field="stage")
    table = table[table["recorded_at"] < days]
    deals = table.groupby("deal_id", as_index=False)["changed_at"].min().rename(columns={"changed_at": "created_at"})
    for frame, names in ((table, ("changed_at", "recorded_at")), (deals, ("created_at",))):
        for name in names:
            frame[name] = day_of(frame[name].to_numpy(dtype="int64"))
    return book_of(deals, table, last=days - 1)


@pytest.mark.parametrize("mean_lag", [0, 25])
def test_arrivals_find_rate_lag_and_signing_curve(mean_lag):
    days = 1100
    found = [fit_arrivals(arriving(s, days=days, per_day=0.8, mean_lag=mean_lag), as_of=at(days - 1)) for s in range(4)]
    last = to_day(at(days - 1))
    assert np.mean([a.rate.on(last) for a in found]) == pytest.approx(0.8, rel=4 / np.sqrt(4 * 0.8 * 364))
    ages = np.array([10, 40, 100, 300])
    truth = 0.5 * (1 - 0.98**ages)
    curves = np.mean([a.signing_share(np.full(4, -1), ages) for a in found], axis=0)
    np.testing.assert_allclose(curves, truth, atol=0.025)
    ahead = last + 1 + np.arange(91)
    assert np.mean([a.rate.relative_variance(ahead, np.ones(91)) for a in found]) < 0.04  # Poisson: little beyond
    if mean_lag:
        assert np.mean([a.recorded_share[25] for a in found]) == pytest.approx(0.55, abs=0.06)
        assert np.mean([a.recorded_share[40] for a in found]) > 0.98


def test_deals_typed_in_when_they_become_serious_have_a_long_way_to_go_until_then():
    # half of the deals are known at once and sign after 20 days, half are typed in after 60 and sign after 160: of the
    # latter none that waits is signed within a quarter (2.5 were expected, as if they were like all)
    eve = to_day("2012-06-30") - to_day(at(0))
    paths = {f"quick{k}": [("S1", 4 * k), ("won", 4 * k + 20)] for k in range(eve // 4)}
    paths |= {f"slow{k}": [("S1", 4 * k, 4 * k + 60), ("won", 4 * k + 160)] for k in range(eve // 4)}
    known = {d: [row for row in rows if row[-1] <= eve] for d, rows in paths.items()}
    one = tiny({d: rows for d, rows in known.items() if rows}, last=eve)
    found = fit_arrivals(one, as_of=at(eve))
    this, next_one = (parse_period(q, fiscal_year_start=1) for q in ("2012Q3", "2012Q4"))
    assert found.recorded_share[[0, 59, 60]] == pytest.approx([0.5, 0.5, 1], abs=0.02)

    def waiting(arrivals, period):
        return to_come(arrivals, period, to_day(at(eve)), unrecorded=True)["unrecorded"].mean

    assert waiting(found, this) == pytest.approx(0, abs=0.01)
    assert waiting(found, next_one) == pytest.approx(15, abs=1)
    assert waiting(replace(found, sign_if_late=()), this) == pytest.approx(2.5, abs=0.3)


def test_deals_to_come_take_the_amounts_of_wins_as_quick_as_they_have_to_be():
    period, eve = parse_period("2013Q3", fiscal_year_start=1), to_day("2013-06-30")
    ages, amounts = np.array([0, 10, 200]), np.array([1.0, 2.0, 90.0])
    one_a_day = ArrivalRate(quarter_number(eve, 1), 1, np.ones(8), np.zeros((8, 8)))
    known = Arrivals(NOTHING, eve, one_a_day, np.array([0.5, 1.0]), np.array([0.0, 0.1]), ages, amounts)
    found = to_come(known, period, eve, unrecorded=True)
    new = found["new"].lent  # from 92 days of creation for the first win, from 82 for the second
    near = np.array([1, 1, np.exp(1 - 200 / 91)])  # the others help: 91 days is the highest age that fits
    np.testing.assert_allclose(new, (2 * np.array([92, 82, 0]) / 174 + 5 * near / near.sum()) / 7)
    late = found["unrecorded"].lent  # created on the eve: signed that day is not in the quarter
    near = np.array([1, 1, np.exp(1 - 200 / 93)])
    np.testing.assert_allclose(late, (np.array([0, 1, 0]) + 5 * near / near.sum()) / 6)
    drawn = draw_to_come(ToCome(3.0, 0.0, new), amounts, np.random.default_rng(0), NO_SHOCK)
    assert drawn.count().mean() == pytest.approx(3, rel=0.02)
    np.testing.assert_array_equal(drawn.value, amounts[drawn.deal])
    assert drawn.total().mean() == pytest.approx(3 * new @ amounts, rel=0.03)
    slow = to_come(replace(known, won_ages=ages + 400), period, eve, unrecorded=False)["new"].lent
    near = np.exp(-np.array([0, 10, 200]) / 91)
    np.testing.assert_allclose(slow, near / near.sum())  # no win was ever that quick: the quickest ones
    nobody = replace(known, won_ages=ages[:0], won_amounts=amounts[:0])
    assert len(to_come(nobody, period, eve, unrecorded=False)["new"].lent) == 0


def test_a_migrated_book_neither_lags_nor_grows():
    """Deals of two years before the system came are in it only if they were still open then."""
    options = {"days": 1460, "per_day": 0.8, "mean_lag": 2, "migrated_on": 1000}
    found = fit_arrivals(arriving(1, **options), as_of=at(1459))
    assert found.rate.on(to_day(at(1459))) == pytest.approx(0.8, abs=0.2)
    assert len(found.recorded_share) < 15
    assert found.recorded_share[5] > 0.95
    assert found.signing_share(np.array([-1]), np.array([100]))[0] == pytest.approx(0.5 * (1 - 0.98**100), abs=0.08)
    soon = fit_arrivals(arriving(1, **options | {"days": 1030}), as_of=at(1029))
    assert 0.1 < soon.rate.on(to_day(at(1029))) < 1.2


def test_new_and_unrecorded_deals_are_as_many_as_there_will_be():
    days, as_of = 1461, 1276  # to the end of 2013, seen from 2013-06-30
    whole = arriving(3, days=days, per_day=1.5, mean_lag=25)
    found = sa.forecast_quarter(whole, quarter="2013Q3", as_of=at(as_of), draws=2000)
    first = whole.history.groupby("deal_id").agg(born=("changed_at", "min"), known=("recorded_at", "min"))
    won = whole.history[(whole.history["value"] == "won")].set_index("deal_id")["changed_at"]
    in_quarter = won[won.between("2013-07-01", "2013-09-30")]
    when = first.loc[in_quarter.index]
    new = (when["born"] > day_of(as_of)).sum()
    hidden = ((when["born"] <= day_of(as_of)) & (when["known"] > day_of(as_of))).sum()
    assert found.count["new"].mean() == pytest.approx(new, abs=4 * np.sqrt(new))
    assert found.count["unrecorded"].mean() == pytest.approx(hidden, abs=4 * np.sqrt(hidden))
    assert hidden > 3


def test_without_recorded_at_the_unrecorded_are_unknown():
    assert "unrecorded" not in forecast("2013Q3").count
    assert fit_arrivals(book(), as_of="2013-06-30").recorded_share.tolist() == [1]


# ---------------------------------------------------------------- amounts


def test_missing_amounts_come_from_wins():
    deals, history = world()
    deals = deals.assign(amount=deals["amount"].where(deals["deal_id"].isin(_ended())))
    unknown = book_of(deals, history, last=DAYS - 1)
    found = sa.forecast_quarter(unknown, quarter="2013Q3", as_of="2013-06-30", draws=1000)
    n_missing = int(found.deals["amount"].isna().sum())
    assert n_missing > 5
    assert ("note_amount_drawn", {"n": n_missing}) in found.notes
    assert found.amount["open"].mean() == pytest.approx(forecast("2013Q3").amount["open"].mean(), rel=0.3)
    assert (found.deals["expected_amount"] > 0).any()
    nowhere = book_of(deals.drop(columns="amount"), history, last=DAYS - 1)
    found = sa.forecast_quarter(nowhere, quarter="2013Q3", as_of="2013-07-30", draws=200)
    assert (found.total() == 0).all()
    assert found.total("count").mean() > 5
    assert ("note_signed_without_amount", {"n": int(found.count["signed"][0])}) in found.notes
    assert ("note_amount_unknown", {"n": len(found.deals)}) in found.notes
    assert "note_amount_drawn" not in dict(found.notes)


def _ended():
    history = world()[1]
    return history.loc[history["value"].isin(["won", "lost"]) & (history["changed_at"] < "2013-07-01"), "deal_id"]


def test_amount_ratios_find_what_was_planted():
    """On signing every amount becomes .8 of what was hoped for in S1, and stays what it was in S3."""
    deals, history = world()
    amount = deals.set_index("deal_id")["amount"]
    s3 = history[history["value"] == "S3"]
    won = history[(history["value"] == "won") & ~history["deal_id"].isin(s3["deal_id"])]
    rows = pd.concat([s3, won]).assign(field="amount")
    rows["value"] = (0.8 * rows["deal_id"].map(amount)).astype(str)
    moved = book_of(deals, pd.concat([history, rows]), last=DAYS - 1)
    ratios = {state: found.log_ratio for state, found in amount_ratios(moved, to_day("2013-06-30")).items()}
    assert np.exp(ratios["S1"]) == pytest.approx(np.full(len(ratios["S1"]), 0.8))
    assert ratios["S3"] == pytest.approx(np.zeros(len(ratios["S3"])), abs=1e-9)
    assert len(ratios["S1"]) >= 30
    found = sa.forecast_quarter(moved, quarter="2013Q3", as_of="2013-06-30", draws=2000)
    parts = found.deals.assign(final=found.deals["amount"] * found.deals["state"].map({"S3": 1.0}).fillna(0.8))
    assert found.amount["open"].mean() == pytest.approx((parts["p_in_period"] * parts["final"]).sum(), rel=0.03)


def test_a_single_changed_amount_does_not_move_all_others():
    paths = {f"w{k}": [("S1", k), ("won", 150 + k)] for k in range(3)} | {"o": [("S1", 290)]}
    few = tiny(paths, last=300, deals={"amount": 10.0}, history=[("w0", "amount", 1000, 149)])
    ratios = amount_ratios(few, to_day(at(300)))[""].log_ratio
    assert len(ratios) == 30
    assert (ratios > 0).sum() <= 2
    assert amount_ratios(book(), to_day("2013-06-30")) == {}


def returning(n, *, left, noise=0.0, seed=0):
    """S1 on day 0, amounts around 100 (log sd 1); won from day 100 on, with that share of the log distance left."""
    rng = np.random.default_rng(seed)
    now, noise = rng.normal(0, 1, n), rng.normal(0, noise, n)
    paths = {f"w{k:03}": [("S1", 0), ("won", 100 + k % 90)] for k in range(n)}
    rows = [(f"w{k:03}", "amount", 100 * np.exp(left * now[k] + noise[k]), 100 + k % 90) for k in range(n)]
    paths |= {"large": [("S1", 190)], "small": [("S1", 190)], "none": [("S1", 190)]}
    amount = [*(100 * np.exp(now)), 1000.0, 10.0, None]
    return tiny(paths, last=200, deals={"amount": amount}, history=rows)


def test_amounts_that_return_to_a_mean_are_expected_to():
    # a signing halves the distance to 100 in logs: 1000 becomes 100 x 10^.5, 10 becomes 100 / 10^.5
    ratios = amount_ratios(returning(60, left=0.5), to_day(at(200)))
    assert ratios["S1"].slope == pytest.approx(-0.5, abs=0.02)
    assert ratios["S1"].moved(np.array([1000.0, 10.0])) * np.exp(ratios["S1"].log_ratio.mean()) == pytest.approx(
        [316, 31.6], rel=0.1
    )
    standing = pd.DataFrame({"deal_id": ["a", "b", "c"], "state": "S1", "amount": [1000.0, 10.0, np.nan]})
    expected = expected_amounts(standing, ratios)
    assert expected[:2] == pytest.approx([316, 31.6], rel=0.1)
    assert np.isnan(expected[2])
    assert expected_amounts(standing, {})[:2].tolist() == [1000, 10]
    lent = LentAmounts(np.array([[7.0]]), None, pd.Index([]))
    drawn = draw_open(standing.assign(p_in_period=1.0), ratios, seed=0, shift=NO_SHOCK, lent=lent)
    assert [drawn.value[drawn.deal == k].mean() for k in range(3)] == pytest.approx([*expected[:2], 7.0], rel=0.01)


def test_amounts_that_wander_are_not_said_to_return():
    slopes = [amount_ratios(returning(40, left=1.0, noise=0.4, seed=k), to_day(at(200)))["S1"].slope for k in range(12)]
    assert np.count_nonzero(slopes) <= 3  # a step of its own whatever the amount: 8 % are taken for a slope
    assert min(slopes) > -0.15
    assert amount_ratios(returning(60, left=1.5), to_day(at(200)))["S1"].slope == 0  # nor do large ones run away


def test_a_single_typing_error_that_was_corrected_makes_no_slope():
    plain = returning(60, left=1.0)
    deals, history = plain.deals.copy(), plain.history.copy()
    deals.loc[deals["deal_id"] == "w005", "amount"] *= 1e6
    found = sa.make_book(deals=deals, history=history)
    assert amount_ratios(found, to_day(at(200)))["S1"].slope == pytest.approx(0, abs=1e-6)


TARGETS = [
    ("2013Q3", None, None, 1000.0, None), ("2013Q3", None, None, 7.0, "count"), ("2013Q3", "north", None, 300.0, None),
    ("2013Q4", "north", None, 300.0, "amount"), ("2013Q4", "south", None, 200.0, "amount"),
    ("2013Q4", None, "r1", 90.0, None), ("2013Q4", None, None, 5.0, "count"),
    ("2014Q1", None, "r1", 40.0, None), ("2014Q1", None, "r2", 2.0, None), ("2014Q2", None, None, 3.0, "count"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("quarter", "expected"), [("2013Q3", 1000.0), ("2013Q4", 500.0), ("2014Q1", 42.0), ("2014Q2", None), ("2013", None)]
)
def test_levels_of_targets_are_never_added(quarter, expected):
    targets = pd.DataFrame(TARGETS, columns=["quarter", "team", "rep_id", "amount", "measure"])
    with_targets = tiny({"a": [("S1", 0)]}, last=1400, targets=targets)
    assert stated_target(with_targets, parse_period(quarter)) == expected
    assert group_targets(with_targets, parse_period("2013Q4")) == {
        "team": {"north": 300, "south": 200},
        "rep_id": {"r1": 90},
        "month": {},
    }
    plain = tiny({"a": [("S1", 0)]}, last=1400, targets=targets[["quarter", "amount"]].iloc[:1])
    assert stated_target(plain, parse_period("2013Q3")) == 1000
    assert stated_target(book(), parse_period("2013Q3")) is None
    nothing = tiny({"a": [("S1", 0)]}, last=1400, targets=targets[["quarter", "amount"]].iloc[:1].assign(amount=0))
    assert stated_target(nothing, parse_period("2013Q3")) is None  # none is stated, not one that is reached


def test_the_target_of_a_year_is_that_of_its_four_quarters_at_one_level():
    rows = [(f"2013Q{k}", "north", None, 10.0 * k) for k in (1, 2, 3, 4)]
    rows += [(f"2013Q{k}", "south", None, 1.0) for k in (3, 4)]
    rows += [(f"2013Q{k}", None, "r1", 7.0) for k in (1, 2, 3)]
    rows += [("2013Q4", None, None, 500.0)]  # of the company one quarter alone: no year is made of it
    columns = ["quarter", "team", "rep_id", "amount"]

    def target(some):
        table = pd.DataFrame(some, columns=columns)
        return tiny({"a": [("S1", 0)]}, last=1400, targets=table), parse_period("2013")

    assert stated_target(*target(rows)) == 102.0
    assert group_targets(*target(rows)) == {"team": {"north": 100.0}, "rep_id": {}, "month": {}}
    assert stated_target(*target([row for row in rows if row[0] != "2013Q1"])) is None
    company = [(f"2013Q{k}", None, None, 200.0) for k in (1, 2, 3)]
    assert stated_target(*target(rows + company)) == 1100.0


def targets_of(*rows, **settings):
    """A book whose targets are (period, team, amount)."""
    table = pd.DataFrame(rows, columns=["quarter", "team", "amount"])
    return tiny({"a": [("S1", 0)]}, last=1400, targets=table, **settings)


def test_a_quarter_without_a_target_has_that_of_its_three_months():
    months = [(f"2013-{k:02d}", None, float(k)) for k in (7, 8, 9, 10, 11)]
    some, q3, q4 = targets_of(*months), parse_period("2013Q3"), parse_period("2013Q4")
    assert stated_target(some, parse_period("2013-08")) == 8
    assert stated_target(some, q3) == 7 + 8 + 9
    assert stated_target(some, q4) is None  # of December nobody said anything
    assert stated_target(some, parse_period("2013-12")) is None
    assert group_targets(some, q4) == {"team": {}, "rep_id": {}, "month": {"2013-10": 10.0, "2013-11": 11.0}}
    own = targets_of(*months, ("2013Q3", None, 100.0))
    assert stated_target(own, q3) == 100
    assert group_targets(own, q3)["month"] == {"2013-07": 7.0, "2013-08": 8.0, "2013-09": 9.0}
    fiscal = targets_of(*months, fiscal_year_start=9)
    assert stated_target(fiscal, parse_period("2014Q1", fiscal_year_start=9)) == 9 + 10 + 11


def test_teams_may_say_it_by_month_or_by_quarter():
    """A team with a target of its own for the quarter has that one; the others their months, if these are all named."""
    rows = [("2013Q3", "north", 50.0), ("2013-07", "north", 1.0), ("2013-07", "south", 2.0), ("2013-08", "south", 3.0)]
    q3 = parse_period("2013Q3")
    short, whole = targets_of(*rows), targets_of(*rows, ("2013-09", "south", 4.0))
    assert stated_target(short, q3) == 50
    assert stated_target(whole, q3) == 50 + 2 + 3 + 4
    assert group_targets(short, q3)["team"] == {"north": 50.0}
    assert group_targets(whole, q3) == {
        "team": {"north": 50.0, "south": 9.0}, "rep_id": {}, "month": {"2013-07": 3.0, "2013-08": 3.0, "2013-09": 4.0}
    }  # fmt: skip


def test_a_year_has_its_own_target_or_that_of_its_parts():
    quarters, year = [(f"2013Q{k}", None, 10.0) for k in (1, 2, 3)], parse_period("2013")
    months = [(f"2013-{k}", None, 4.0) for k in (10, 11, 12)]
    assert stated_target(targets_of(("2013", None, 70.0)), year) == 70
    assert stated_target(targets_of(("2013", None, 70.0)), parse_period("2013Q1")) is None
    assert stated_target(targets_of(("2013", None, 70.0), *quarters, *months), year) == 70
    assert stated_target(targets_of(*quarters, *months), year) == 42
    assert stated_target(targets_of(*quarters, *months[:2]), year) is None


# ---------------------------------------------------------------- simple methods, and what a quarter brought

PAST = {
    "a": [("S1", 0), ("won", 50)], "b": [("S1", 0), ("won", 100)], "c": [("S2", 60), ("won", 200)],
    "d": [("S2", 60), ("lost", 210)], "e": [("S1", 250), ("won", 300)], "f": [("S1", 350), ("won", 380)],
    "g": [("S1", 360)], "h": [("S2", 370), ("on_hold", 375)], "k": [("S3", 390)],
}  # fmt: skip
AMOUNTS = [10.0, 20.0, 30.0, 40.0, 50.0, 7.0, 100.0, 200.0, 1000.0]


def simple(day, quarter, *, history=(), **options):
    one = tiny(PAST, last=450, deals={"amount": AMOUNTS}, history=history, **options)
    deals = sa.score_open_deals(one, as_of=at(day), until=at(day + 30))
    found = baselines(one, period=parse_period(quarter), day=to_day(at(day)), deals=deals)
    return {m: (c, a) for m, c, a in found[["method", "count", "amount"]].itertuples(index=False)}


def test_simple_methods_by_hand():
    # 2011Q1 ends 54 days after day 400; 54 days before the ends of the last four quarters stood a and b (S1; a signed
    # in its quarter), c and d (S2; neither did), nobody, nobody. f is signed; g stands in S1, h paused, k in S3.
    found = simple(400, "2011Q1")
    assert found["nominal_weighted"] == pytest.approx((1 + 0.1 + 0.2 + 0.25, 7 + 10 + 40 + 250))
    assert found["stage_week_conversion"] == pytest.approx((1 + 0.5, 7 + 100 * 10 / 30))
    # of what stood there half and a third, then nothing, was signed; g, h and k stand for 1300
    assert found["coverage_ratio"] == pytest.approx((1 + 3 * (1 / 2 + 0) / 2, 7 + 1300 * (1 / 3 + 0) / 2))
    assert found["same_quarter_last_year"] == (1, 10)
    assert found["mean_of_last_four"] == pytest.approx((1, 27.5))


def test_conversion_by_stage_counts_what_was_signed_before_and_recorded_after_the_same_day():
    # 54 days before the end of 2010Q1 (day 35) a and b stood in S1. b had been signed in that quarter (day 30), and in
    # 2009Q4 c, each recorded on day 60: of the three, b alone came in the quarter, and nothing stood there later.
    paths = {"a": [("S1", 0), ("lost", 70)], "b": [("S1", 0), ("won", 30, 60)], "c": [("S1", -50), ("won", -5, 60)]}
    one = tiny(paths | {"g": [("S1", 390)]}, last=450, deals={"amount": [10.0, 20.0, 30.0, 300.0]})
    deals = sa.score_open_deals(one, as_of=at(400), until=at(430))
    found = baselines(one, period=parse_period("2011Q1"), day=to_day(at(400)), deals=deals).set_index("method")
    said = found.loc["stage_week_conversion", ["count", "amount"]].to_list()
    assert said == pytest.approx([1 / 3, 300 * 20 / 60])


def test_what_the_reps_say_by_hand():
    said = [("g", "close_date", "2011-02-20", 361), ("h", "close_date", "2011-05-01", 371)]
    said += [("k", "close_date", "2011-03-31", 391), ("g", "category", "commit", 362), ("h", "category", "commit", 372)]
    said += [("k", "category", "best_case", 392), ("g", "probability", "0.6", 362), ("k", "probability", "30", 392)]
    found = simple(400, "2011Q1", history=said)
    assert found["rep_commit"] == pytest.approx((1 + 1, 7 + 100))  # h is dated in the next quarter
    assert found["rep_best_case"] == pytest.approx((1 + 2, 7 + 100 + 1000))
    assert found["rep_probability"] == pytest.approx((1 + 0.6 + 0.3, 7 + 60 + 300))
    assert found["rep_close_dates"] == pytest.approx((1 + 2, 7 + 100 + 1000))
    assert np.isnan(simple(400, "2011Q1")["rep_commit"]).all()


@pytest.mark.parametrize(("day", "basis"), [(320, "no open deals"), (400, "the reps do not say")])
def test_where_no_deal_is_open_the_reps_are_not_blamed_for_saying_nothing(day, basis):
    one = tiny(PAST, last=450, deals={"amount": AMOUNTS})
    deals = sa.score_open_deals(one, as_of=at(day), until=at(day + 30))
    found = baselines(one, period=parse_period("2011Q1"), day=to_day(at(day)), deals=deals).set_index("method")
    assert found.loc[["rep_commit", "rep_probability"], "basis"].tolist() == [basis, basis]
    assert rule_in_chinese(basis) != basis


def test_simple_methods_of_a_later_quarter_look_at_finished_ones():
    found = simple(400, "2011Q3")
    assert found["mean_of_last_four"] == pytest.approx((1, 27.5))
    assert found["same_quarter_last_year"] == (1, 30)
    assert found["nominal_weighted"][0] == pytest.approx(0.55)  # f is not of that quarter
    assert np.isnan(simple(300, "2010Q4")["mean_of_last_four"][0])  # the book does not reach back that far
    months = simple(400, "2011-02")
    assert months["mean_of_last_four"] == pytest.approx((0.5, 57 / 4))  # e in October and f in January
    assert months["same_quarter_last_year"] == (1, 10)


def test_a_book_does_not_reach_back_to_before_anything_was_known():
    # a CRM brought in on day 400: what was open then is taken over with the date of its creation, and ends from day 410
    over = {"a": [("S1", 0, 400), ("won", 410)], "b": [("S2", 50, 400)], "c": [("S1", 420), ("won", 470)]}
    with_old = over | {"d": [("S1", 0, 400), ("won", 120, 400)], "e": [("S1", 0, 400), ("lost", 60, 400)]}
    found = {}
    for name, paths in (("open ones", over), ("all", with_old)):
        one = tiny(paths, last=500, deals={"amount": 10.0})
        deals = sa.score_open_deals(one, as_of=at(480), until=at(500))
        methods = baselines(one, period=parse_period("2011Q2"), day=to_day(at(480)), deals=deals)
        found[name] = methods.set_index("method")["count"]
    assert np.isnan(found["open ones"][["same_quarter_last_year", "mean_of_last_four"]]).all()  # 0 and .5 until lately
    assert found["all"][["same_quarter_last_year", "mean_of_last_four"]].tolist() == [1, 0.5]


def test_nominal_weighting_takes_the_close_dates_known_then():
    dated = [("g", "close_date", at(430), 361), ("k", "close_date", at(460), 391), ("g", "close_date", at(700), 420)]
    assert simple(400, "2011Q1", history=dated)["nominal_weighted"] == pytest.approx((1.1, 17))
    later = [("g", "close_date", at(430), 420)]  # no such date was known on day 400
    assert simple(400, "2011Q1", history=later)["nominal_weighted"] == simple(400, "2011Q1")["nominal_weighted"]


def test_what_a_quarter_brought():
    paths = {
        "a": [("S1", 0), ("won", 20)],
        "b": [("S1", 0), ("won", 30, 100)],  # typed in late
        "c": [("S1", 0), ("won", 40), ("S2", 120)],  # reversed
        "d": [("S1", 0), ("won", 85), ("lost", 95), ("won", 130)],  # signed again, in the second quarter
        "e": [("S1", 0), ("won", 50)],
    }
    one = tiny(paths, last=200, deals={"amount": [1.0, 2.0, 4.0, 8.0, np.nan]}, history=[("a", "amount", 3, 60)])

    def said(day, quarter="2010Q1"):
        return tuple(sa.actual(one, quarter=quarter, known_at=at(day)).values())

    assert said(25) == (1, 1, 0)
    assert said(89) == (4, 3 + 4 + 8, 1)
    assert said(110) == (4, 3 + 2 + 4, 1)  # b has come, d is lost
    assert said(200) == (3, 3 + 2, 1)
    assert said(200, "2010Q2") == (1, 8, 0)
    assert said(200, "2010") == (4, 3 + 2 + 8, 1)
    assert said(200, "2010-01") == (2, 3 + 2, 0)  # a, and b on its last day
    assert said(200, "2010-02") == (1, 0, 1)  # e


# ---------------------------------------------------------------- reopened deals


def test_lost_deals_come_back_only_where_they_have():
    assert (forecast("2013Q3").count["reopened"] == 0).all()
    rng = np.random.default_rng(0)
    paths = {}
    for k in range(1200):
        born = k
        paths[f"d{k}"] = [("S1", born), ("lost", born + 30)]
        if rng.random() < 0.3:
            back = born + 30 + int(rng.integers(1, 60))
            paths[f"d{k}"] += [("S2", back), ("won", back + 20)]
    whole = tiny({d: [s for s in p if s[1] <= 1300] for d, p in paths.items()}, last=1300, deals={"amount": 5.0})
    found = sa.forecast_quarter(whole, quarter="2013Q2", as_of=at(1186), draws=1000)  # day 1186 is 2013-04-01
    back = [p for p in paths.values() if len(p) == 4 and p[1][1] <= 1186 < p[2][1] and 1187 <= p[3][1] <= 1276]
    assert found.count["reopened"].mean() == pytest.approx(len(back), abs=4 * np.sqrt(len(back)))
    assert len(back) > 2
    assert found.amount["reopened"].mean() == pytest.approx(5 * found.count["reopened"].mean())


# ---------------------------------------------------------------- hardly any book at all

LITTLE = {
    "no deal known yet": ({"a": [("S1", 150)]}, 100),
    "one deal": ({"a": [("S1", 0)]}, 200),
    "deals without any history": ({"a": [], "b": []}, 200),
    "no wins": ({f"d{k}": [("S1", k), ("lost", 60 + 2 * k)] for k in range(60)} | {"o": [("S1", 90)]}, 200),
    "all ended": ({f"d{k}": [("S1", k), ("won" if k % 2 else "lost", 60 + k)] for k in range(60)}, 200),
    "one win": ({"a": [("S1", 0), ("won", 110)]}, 200),
}


@pytest.mark.parametrize("name", LITTLE)
@pytest.mark.parametrize("quarter", ["2010Q4", "2010"])
def test_books_with_hardly_anything_in_them(name, quarter):
    paths, day = LITTLE[name]
    one = tiny(paths, last=300, deals={"amount": 10.0})
    found = sa.forecast_quarter(one, quarter=quarter, as_of=at(day), draws=200)
    said = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert np.isfinite(found.total()).all()
    assert len(found.components()) == 6
    if name in ("no deal known yet", "one deal", "deals without any history", "no wins"):
        assert found.total("count").mean() < 0.6
        assert said["components"]["signed"]["mean"] == 0
    if name == "one win":
        assert found.count["signed"][0] == (quarter == "2010")
    if name == "all ended":
        assert (found.count["open"] == 0).all()
        assert len(found.deals) == 0
    scored = sa.score_open_deals(one, as_of=at(day), until=at(day + 90))
    assert len(scored) == len(found.deals)


def test_an_empty_history_is_a_book():
    deals = pd.DataFrame({"deal_id": ["a", "b"], "created_at": [day_of(0), day_of(5)], "amount": [3.0, 4.0]})
    history = pd.DataFrame({"deal_id": [], "changed_at": [], "field": [], "value": []}, dtype=str)
    found = sa.forecast_quarter(book_of(deals, history, last=100), quarter="2010Q2", as_of=at(100), draws=50)
    assert len(found.deals) == 2
    assert (found.total("count") <= 2).all()


# ---------------------------------------------------------------- do the bands hold?

N_QUARTERS, FIRST_DAY = 24, 1095


@cache
def attained():
    """Forecasts on the eve of 24 quarters of a company in which nothing ever changes, and what they brought."""
    days = FIRST_DAY + 92 * N_QUARTERS
    company = book_of(*simulate(11, days=days, per_day=0.3), last=days - 1)
    rows, period = [], parse_period("2013Q1")
    for _ in range(N_QUARTERS):
        eve = to_date(period.start_day - 1)
        found = sa.forecast_quarter(company, quarter=period.name, as_of=eve, draws=600)
        brought = sa.actual(company, quarter=period.name, known_at=period.end)
        simple_ones = found.baselines.set_index("method")["count"]
        rows.append(
            {
                "actual": brought["count"], "mean": found.total("count").mean(),
                "inside_50": _inside(found, 50, brought["count"]), "inside_80": _inside(found, 80, brought["count"]),
                "last_four": simple_ones["mean_of_last_four"], "spread": found.shock_spread,
            }
        )  # fmt: skip
        period = period.back(-1)
    return pd.DataFrame(rows)


def _inside(found, level, count):
    low, high = found.bands("count")[str(level)]
    return low <= count <= high


def test_the_bands_hold_as_often_as_they_say():
    found = attained()
    assert 0.65 <= found["inside_80"].mean() <= 0.95
    assert 0.3 <= found["inside_50"].mean() <= 0.75


def test_the_forecast_is_not_biased_and_beats_the_mean_of_the_last_four():
    found = attained()
    error = found["mean"] - found["actual"]
    assert abs(error.mean()) < 3 * error.std() / np.sqrt(len(error))
    assert error.abs().mean() < (found["last_four"] - found["actual"]).abs().mean()
    assert found["spread"].mean() < 0.25  # there is no common shock in this company
