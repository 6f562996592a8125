"""Rate of arrival: level, damped trend, season, chance."""

import numpy as np
import pytest

from salesanalytics.forecast.arrival_rate import ArrivalRate, fit_arrival_rate
from salesanalytics.timeline.calendar import quarter_number, to_day

FIRST = to_day("2020-01-01")


def drawn(seed, log_rate, *, start="2020-01-01", until=None):
    """Days of creation under a daily rate, and the days that tell."""
    rng = np.random.default_rng(seed)
    days = to_day(start) + np.arange(len(log_rate))
    created = np.repeat(days, rng.poisson(np.exp(log_rate)))
    return created[created <= (until or days[-1])], np.ones(len(days) if until is None else until - days[0] + 1)


def fit(created, recorded, *, first=FIRST, start_month=1):
    return fit_arrival_rate(created, recorded, first=first, start_month=start_month)


def quarters_of(days, start_month=1):
    return quarter_number(np.asarray(days), start_month)


def test_quarters_are_those_of_the_fiscal_year():
    days = [to_day(d) for d in ("1970-01-01", "1970-03-31", "1970-04-01", "2020-02-29", "2020-03-01")]
    assert quarters_of(days).tolist() == [0, 0, 1, 200, 200]
    assert quarters_of(days, 3).tolist() == [-1, 0, 0, 199, 200]


def test_a_steady_company_keeps_its_mean():
    days = np.arange(1461)
    ahead = FIRST + 1461 + np.arange(91)
    for per_day in (0.05, 0.5, 2.0):
        found = [fit(*drawn(s, np.log(per_day) + 0 * days)).on(ahead).mean() / per_day for s in range(40)]
        assert np.mean(found) == pytest.approx(1, abs=3.5 * np.std(found) / 40**0.5 + 0.02)
        last_year = 1 / np.sqrt(per_day * 365)  # error of its mean; a trend and a season that could be cost a little
        assert np.sqrt(np.mean((np.array(found) - 1) ** 2)) < 1.2 * last_year


@pytest.mark.parametrize(("growth", "least", "most"), [(np.log(1.6), 0.8, 1.1), (np.log(0.6), 0.9, 1.35)])
def test_a_trend_goes_on_and_fades(growth, least, most):
    days = np.arange(1461)
    log_rate = np.log(0.6) + growth * (days - 730) / 365
    mean_of_last_year = np.exp(np.log(0.6) + growth * (731 - 182) / 365)
    soon, late, far = FIRST + 1461 + 45, FIRST + 1461 + 320, FIRST + 1461 + 680
    found = np.array([fit(*drawn(s, log_rate)).on(np.array([soon, late, far])) for s in range(20)]).mean(axis=0)
    truth = np.exp(np.log(0.6) + growth * (731 + np.array([45, 320])) / 365)
    assert least < found[0] / truth[0] < most
    assert abs(np.log(found[0] / truth[0])) < abs(np.log(mean_of_last_year / truth[0])) / 2
    steps = np.log(found[1:] / found[:-1]) / growth
    assert 0 < steps[1] < steps[0] < 0.75  # goes on, by less than it was, and ever less


def test_a_season_comes_back_and_follows_the_fiscal_year():
    days = np.arange(1461)
    for start_month, start in ((1, "2020-01-01"), (2, "2020-02-01")):
        first = to_day(start)
        season = np.array([-0.35, 0.1, -0.1, 0.35])[quarters_of(first + days, start_month) % 4]
        ahead = first + 1461 + 91 * np.arange(4) + 45
        found = [fit(*drawn(s, season, start=start), first=first, start_month=start_month).on(ahead) for s in range(20)]
        mean = np.log(found).mean(axis=0)
        np.testing.assert_allclose(mean, [-0.35, 0.1, -0.1, 0.35], atol=0.12)


def test_what_is_of_one_quarter_alone_widens_and_does_not_stay():
    rng = np.random.default_rng(1)
    days = np.arange(1461)
    wild, calm, level = [], [], []
    for s in range(20):
        ups = rng.normal(0, 0.35, 17)[quarters_of(FIRST + days) - quarters_of(FIRST)]
        found = fit(*drawn(s, ups))
        ahead = FIRST + 1461 + np.arange(91)
        wild.append(found.relative_variance(ahead, np.ones(91)))
        level.append(found.on(ahead).mean())
        calm.append(fit(*drawn(s, 0 * days)).relative_variance(ahead, np.ones(91)))
    assert 0.06 < np.mean(wild) < 0.25  # .35 squared is .12
    assert np.mean(calm) < 0.03
    assert np.mean(level) == pytest.approx(np.exp(0.35**2 / 2), rel=0.2)


def test_further_ahead_is_less_sure_and_two_quarters_together_surer_than_if_they_were_one():
    found = fit(*drawn(3, np.zeros(1461)))
    spread = np.diag(found.spread)[-8:]
    assert (np.diff(spread) > 0).all()
    days = FIRST + 1461 + np.arange(182)
    both, each = found.relative_variance(days, np.ones(182)), spread[:2].mean()
    assert each / 2 < both < each * 1.2


def test_what_is_not_recorded_yet_is_counted():
    created, recorded = drawn(4, np.zeros(1461))
    share = np.where(np.arange(1461) >= 1461 - 60, 0.5, 1.0)
    late = created >= FIRST + 1461 - 60
    kept = created[~late | (np.random.default_rng(0).random(len(created)) < 0.5)]
    whole, part = fit(created, recorded), fit(kept, share)
    ahead = FIRST + 1461 + np.arange(91)
    assert part.on(ahead).mean() == pytest.approx(whole.on(ahead).mean(), rel=0.06)
    assert fit(kept, recorded).on(ahead).mean() < 0.97 * whole.on(ahead).mean()


def test_begun_quarters_count_by_their_days():
    created, recorded = drawn(5, np.zeros(1461), until=FIRST + 1461 - 80)  # 12 days into the last quarter
    assert fit(created, recorded).on(FIRST + 1461).item() == pytest.approx(1, abs=0.15)


def test_rows_count_not_their_order_and_the_past_beyond_five_years_not_at_all():
    created, recorded = drawn(6, np.zeros(2200))
    one, other = fit(created, recorded), fit(np.random.default_rng(0).permutation(created), recorded)
    np.testing.assert_array_equal(one.per_day, other.per_day)
    more = np.concatenate([np.full(500, FIRST), created])
    np.testing.assert_array_equal(fit(more, recorded).per_day, one.per_day)


def test_little_and_nothing():
    none = fit(np.zeros(0, dtype=int), np.ones(400))
    assert none.on(FIRST + np.arange(1000)).sum() == 0
    assert none.relative_variance(FIRST + np.arange(400, 500), np.ones(100)) == 0
    one = fit(np.array([FIRST + 3]), np.ones(10))  # a single deal in ten days
    assert 0.02 < one.on(FIRST + 10).item() < 0.3
    assert np.isfinite(one.spread).all()
    crash = np.repeat(FIRST + np.arange(1461), np.where(np.arange(1461) < 1370, 9, 0))  # then nobody for a quarter
    assert 0 < fit(crash, np.ones(1461)).on(FIRST + 1500).item() < 4
    boom = np.repeat(FIRST + np.arange(1461), np.where(np.arange(1461) < 1370, 1, 60))
    assert 10 < fit(boom, np.ones(1461)).on(FIRST + 1500).item() < 70


def test_beyond_the_quarters_ahead_seasons_repeat():
    rate = ArrivalRate(200, 1, np.arange(1.0, 9.0), np.eye(8))
    starts = np.array([to_day(f"{y}-{m:02d}-01") for y in (2020, 2021, 2022, 2023) for m in (1, 4, 7, 10)])
    assert rate.on(starts).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8, 5, 6, 7, 8]


def test_sums_by_hand():
    rate = ArrivalRate(200, 1, np.array([2.0, 1.0]), np.array([[0.1, 0.04], [0.04, 0.2]]))
    days = np.array([to_day("2020-03-31"), to_day("2020-04-01")])
    share = np.array([2.0, 1.0]) / 3  # of what is expected
    expected = share @ np.array([[0.1, 0.04], [0.04, 0.2]]) @ share
    assert rate.relative_variance(days, np.ones(2)) == pytest.approx(expected)
