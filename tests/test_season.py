"""Seasons: quarters of the year that are better or worse for signings than the others."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from worlds import book_of, day_of, simulate

from salesanalytics.features.snapshots import snapshots
from salesanalytics.models.close_model import CloseModel
from salesanalytics.models.learners import fit_learners
from salesanalytics.models.season import season_effects, season_of
from salesanalytics.models.supermodel import future_bins
from salesanalytics.models.times import SHOCK_VARIANCE
from salesanalytics.timeline.calendar import to_date, to_day

SHORT = {"edges": (0, 7, 14, 28, 56), "fiscal_year_start": 1}
YEARS = np.tile(np.arange(4), 3)


@pytest.mark.parametrize(
    ("date", "month", "seasons"),
    [
        ("2026-03-20", 1, [0, 1]),  # quarters end on 31 March, 30 June
        ("2026-12-20", 1, [3, 0]),
        ("2026-04-20", 2, [1, 2]),  # of a fiscal year from February: 30 April, 31 July
    ],
)
def test_the_season_of_a_bin_is_that_of_the_quarter_it_lies_in(date, month, seasons):
    landmarks = pd.DataFrame({"as_of": [pd.Timestamp(date)]})
    bins = future_bins(np.array([to_day(date)]), edges=(0, 7, 28), fiscal_year_start=month)
    assert pd.unique(season_of(landmarks, bins)).tolist() == seasons


def test_seasons_by_hand():
    """Quarters of one season alike: they differ by a usual shock, nothing else."""
    effect = np.tile([-0.5, 0.1, -0.5, 0.9], 3)
    variance = (0.25 + SHOCK_VARIANCE) / 3  # of the mean of a season
    spread = np.var([-0.5, 0.1, -0.5, 0.9], ddof=1) - variance
    expected = spread / (spread + variance) * np.array([-0.5, 0.1, -0.5, 0.9])
    np.testing.assert_allclose(season_effects(effect, np.full(12, 4.0), YEARS), expected)
    np.testing.assert_allclose(season_effects(effect + 0.7, np.full(12, 4.0), YEARS), expected, atol=1e-12)


def test_nothing_is_read_from_few_quarters_or_from_quarters_that_told_nothing():
    effect, much = np.tile([-1.0, 0.0, 0.0, 1.0], 3), np.full(12, 50.0)
    assert season_effects(effect, much, YEARS)[3] > 0.5
    assert not season_effects(effect[:7], much[:7], YEARS[:7]).any()
    assert not season_effects(effect, np.where(YEARS == 3, 0.5, 50.0), YEARS).any()  # of a season never seen
    assert not season_effects(effect, np.where(np.arange(12) > 5, 0.0, 50.0), YEARS).any()
    assert not season_effects(np.zeros(0), np.zeros(0), np.zeros(0, dtype=int)).any()


@pytest.mark.parametrize("n_years", [2, 4, 8])
def test_over_many_companies_seasons_are_found_where_there_are_any(n_years):
    """200 companies with seasons of spread 0, .15, .5; quarters are shaken by .25 and by chance (12 signings each)."""
    rng, season = np.random.default_rng(n_years), np.tile(np.arange(4), n_years)
    for spread in (0.0, 0.15, 0.5):
        miss = []
        for _ in range(200):
            truth = rng.normal(0, spread, 4)
            truth -= truth.mean()
            effect = truth[season] + rng.normal(0, 0.25, len(season)) + rng.normal(0, 12**-0.5, len(season))
            told = season_effects(effect, np.full(len(season), 12.0), season)
            means = np.array([effect[season == k].mean() for k in range(4)]) - effect.mean()
            miss.append([((x - truth) ** 2).mean() for x in (told, means, 0 * truth)])
            order = rng.permutation(len(season))
            np.testing.assert_allclose(season_effects(effect[order], np.full(len(season), 12.0), season[order]), told)
            assert told.sum() == pytest.approx(0, abs=1e-9)
        told, means, none = np.mean(miss, axis=0)
        assert told < 1.1 * means
        assert told < none or spread < 0.5
        assert told < none + 0.5 * (means - none)


def seasonal(seed, factor, n=8000, years=5):
    """Landmarks of deals that are won by a daily chance of 1 % times that of the season, and otherwise ended by 1 %."""
    rng, first, last = np.random.default_rng(seed), to_day("2021-01-01"), to_day("2025-12-31")
    days = np.arange(first, last + 400)
    quarter = (pd.to_datetime(days, unit="D").month.to_numpy() - 1) // 3
    upto = np.cumsum(0.01 * np.asarray(factor)[quarter])
    day = np.sort(rng.integers(first, last, n))
    won = np.searchsorted(upto, upto[day - first] + rng.exponential(1, n)) - (day - first)
    other = rng.geometric(0.01, n)
    duration, watched = np.minimum(won, other), last - day
    code = np.where(duration <= watched, (won <= other).astype(int), -1)
    known = {"landmark_day": day, "as_of": pd.to_datetime(day, unit="D"), "watched_days": watched, "code": code}
    return pd.DataFrame(
        {
            "deal_id": np.arange(n).astype(str),
            **known,
            "duration_days": np.minimum(duration, watched),
            "x": rng.normal(0, 1, n),
        }
    )


def test_both_learners_find_the_season_of_signings_and_none_of_other_ends():
    factor = np.array([0.5, 1.0, 0.6, 1.8])
    model = fit_learners(seasonal(3, factor), half_life_days=1e9, boosted=True, **SHORT)
    truth = np.log(factor) - np.log(factor).mean()
    np.testing.assert_allclose(model.logit.seasons[0], truth, atol=0.15)
    assert np.abs(model.logit.seasons[1]).max() < 0.1
    fresh = pd.DataFrame({"as_of": pd.to_datetime(["2026-01-02", "2026-10-02"]), "x": 0.0})
    days = fresh["as_of"].to_numpy().astype("datetime64[D]").astype("int64")
    bins = future_bins(days, edges=(0, 28), fiscal_year_start=1)
    hazard = 0.01 * factor[[0, 3]]
    due = hazard / (hazard + 0.01) * (1 - np.exp(-28 * (hazard + 0.01)))
    for rung in ("logistic", "boosting", "blend"):
        p = expit(model.log_odds(rung, fresh, bins)[:, 0])
        np.testing.assert_allclose(p, due, rtol=0.2)
    drawn = model.logit.drawn(fresh, bins, 200)
    np.testing.assert_allclose(np.mean(drawn, axis=0), model.log_odds("logistic", fresh, bins), atol=0.03)


def test_a_company_that_signs_at_the_end_of_the_year_is_expected_to():
    """Of a company in which nothing changes, two of three wins of other quarters wait for October to December."""
    deals, history = simulate(4, days=1734, per_day=0.8)  # to 30 September
    rng, won = np.random.default_rng(1), history["value"].eq("won")
    late = won & history["changed_at"].dt.quarter.lt(4) & (rng.random(len(history)) < 2 / 3)
    october = pd.to_datetime(history["changed_at"].dt.year.astype(str) + "-10-01")
    day = october + pd.to_timedelta(rng.integers(0, 92, len(history)), unit="D")
    history["changed_at"] = history["changed_at"].where(~late, day)
    history = history[history["changed_at"] <= day_of(1733)]
    book = book_of(deals, history, last=1733)
    model = CloseModel().fit(book, as_of=to_date(to_day("2014-09-30")))
    assert model.learners_ is not None
    assert model.learners_.logit.seasons[0].argmax() == 3
    snapshot = snapshots(book, as_of="2014-09-30")
    fourth, half = model.curves(snapshot, days=[92, 182])[0].sum(axis=0)
    assert fourth > 3 * (half - fourth)  # of the next two quarters the fourth has by far the most
