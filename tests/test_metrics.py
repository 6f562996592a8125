"""Scores of probabilities and distributions: by hand, by laws, by recovery, against sklearn, and scipy."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit
from sklearn import metrics as sk

import salesanalytics as sa
from salesanalytics import models
from salesanalytics.errors import SchemaError
from salesanalytics.models import (
    auc,
    band_columns,
    brier,
    brier_losses,
    calibration_line,
    central_band,
    coverage,
    crps,
    decompose,
    interval_score,
    log_loss,
    log_losses,
    mean_difference,
    reliability,
)

SEEDS = range(200)


def test_scores_are_reached_from_the_package_itself():
    told = {"auc", "auc_interval", "brier", "calibration_line", "crps", "interval_score", "log_loss", "reliability"}
    assert told <= set(sa.__all__)
    assert all(getattr(sa, name) is getattr(models, name) for name in told)
    assert sa.__getattr__("models") is models  # also before anything else has loaded it
    general = {"coverage", "decompose", "mean_difference", "brier_losses", "log_losses", "central_band"}
    assert general <= set(models.__all__) - set(sa.__all__)


def forecasts(seed, n=300):
    """Rounded p (many ties) and outcomes drawn from another curve."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 2, n).round(2)
    return p, (rng.random(n) < p**1.5).astype(int)


# ---------------------------------------------------------------- scores of probabilities


def test_scores_by_hand():
    p, won = [0.9, 0.2, 0.2, 0.5], [1, 0, 1, 0]
    assert brier_losses(p, won).tolist() == pytest.approx([0.01, 0.04, 0.64, 0.25])
    assert brier(p, won) == pytest.approx(0.235)
    assert log_loss(p, won) == pytest.approx(-np.log([0.9, 0.8, 0.2, 0.5]).mean())
    # pairs won > lost: .9 beats .2 and .5; .2 ties with .2 and loses to .5
    assert auc(p, won) == pytest.approx(2.5 / 4)


def test_a_certain_error_costs_what_is_stated():
    assert log_losses([0.0, 1.0], [1, 0]).tolist() == pytest.approx([-np.log(1e-6)] * 2)
    assert log_losses([0.0, 1.0], [0, 1]).tolist() == pytest.approx([0, 0], abs=1.1e-6)


def test_auc_needs_both_classes():
    assert np.isnan(auc([0.1, 0.9], [1, 1]))
    assert np.isnan(auc([0.1, 0.9], [0, 0]))
    assert auc([0.3, 0.3], [0, 1]) == 0.5


@pytest.mark.parametrize("seed", range(20))
def test_scores_equal_sklearn(seed):
    p, won = forecasts(seed)
    p = p.clip(0.01, 0.99)
    assert brier(p, won) == pytest.approx(sk.brier_score_loss(won, p), rel=1e-12)
    assert log_loss(p, won) == pytest.approx(sk.log_loss(won, p), rel=1e-12)
    assert auc(p, won) == pytest.approx(sk.roc_auc_score(won, p), rel=1e-12)


def test_any_array_like_will_do():
    p, won = forecasts(0)
    assert brier(pd.Series(p, index=range(5, 305)), pd.Series(won == 1)) == brier(p.tolist(), won)


# ---------------------------------------------------------------- decomposition


def test_decomposition_by_hand():
    # isotonic: .2 -> pooled with .4 (1/2, then 0): both 1/3; .8 -> 1
    parts = decompose([0.2, 0.2, 0.4, 0.8], [1, 0, 0, 1])
    recalibrated = (1 / 3**2 * 2 + (2 / 3) ** 2) / 4
    assert parts.uncertainty == pytest.approx(0.25)
    assert parts.discrimination == pytest.approx(0.25 - recalibrated)
    assert parts.miscalibration == pytest.approx((0.64 + 0.04 + 0.16 + 0.04) / 4 - recalibrated)


@pytest.mark.parametrize("score", ["brier", "log_loss"])
@pytest.mark.parametrize("seed", SEEDS)
def test_laws_of_the_decomposition(seed, score):
    p, won = forecasts(seed, n=60)
    parts = decompose(p, won, score=score)
    assert parts.score == pytest.approx({"brier": brier, "log_loss": log_loss}[score](p, won), rel=1e-12)
    assert parts.miscalibration - parts.discrimination + parts.uncertainty == pytest.approx(parts.score, abs=1e-12)
    assert parts.miscalibration >= -1e-12
    assert parts.discrimination >= -1e-12
    order = np.random.default_rng(seed).permutation(len(p))
    assert asdict(decompose(p[order], won[order], score=score)) == pytest.approx(asdict(parts), abs=1e-12)
    # what depends on p only through its order does not change when p is bent
    bent = decompose(p**3 / 2, won, score=score)
    assert bent.discrimination == pytest.approx(parts.discrimination, abs=1e-12)
    assert bent.uncertainty == parts.uncertainty


@pytest.mark.parametrize("score", ["brier", "log_loss"])
def test_extremes_of_the_decomposition(score):
    won = np.array([0, 1, 1, 0, 1])
    perfect = decompose(won.astype(float), won, score=score)
    assert perfect.score == pytest.approx(0, abs=1.1e-6)
    assert perfect.discrimination == pytest.approx(perfect.uncertainty)
    same = decompose(np.full(5, 0.6), won, score=score)  # the overall frequency
    assert (same.miscalibration, same.discrimination) == pytest.approx((0, 0), abs=1e-12)
    one_class = decompose([0.2, 0.7], [1, 1], score=score)
    assert (one_class.discrimination, one_class.uncertainty) == (0, 0)
    assert one_class.miscalibration == one_class.score


def test_miscalibration_of_a_known_distortion():
    """True chance q, stated p: the Brier score splits into E(p-q)^2, Var q and q(1-q) of the mean."""
    rng = np.random.default_rng(3)
    q = rng.beta(2, 3, 200_000)
    p = expit(1.6 * logit(q) + 0.3)
    parts = decompose(p, rng.random(len(q)) < q)
    assert parts.miscalibration == pytest.approx(((p - q) ** 2).mean(), abs=0.0015)
    assert parts.discrimination == pytest.approx(q.var(), abs=0.0015)
    assert parts.uncertainty == pytest.approx(0.4 * 0.6, abs=0.001)


# ---------------------------------------------------------------- reliability


def test_reliability_by_hand():
    p = [0.1, 0.1, 0.3, 0.4, 0.8, 0.9]
    table = reliability(p, [0, 0, 1, 0, 1, 1], cluster=list("aabcde"), bins=3)
    assert table["p_lowest"].tolist() == [0.1, 0.3, 0.8]
    assert table["p_highest"].tolist() == [0.1, 0.4, 0.9]
    assert table["p_mean"].tolist() == pytest.approx([0.1, 0.35, 0.85])
    assert table["frequency"].tolist() == [0, 0.5, 1]
    assert table["n"].tolist() == [2, 2, 2]
    assert table["n_clusters"].tolist() == [1, 2, 2]
    # one outcome only: Jeffreys with one and with two deals
    assert table["lower"].tolist()[::2] == pytest.approx([0, stats.beta.ppf(0.05, 2.5, 0.5)])
    assert table["upper"].tolist()[::2] == pytest.approx([stats.beta.ppf(0.95, 0.5, 1.5), 1])


@pytest.mark.parametrize("seed", range(20))
def test_laws_of_the_reliability_table(seed):
    p, won = forecasts(seed)
    deal = np.random.default_rng(seed).integers(0, 80, len(p)).astype(str)
    table = reliability(p, won, cluster=deal, resamples=50, seed=1)
    assert table["n"].sum() == len(p)
    assert (table["n"] * table["p_mean"]).sum() == pytest.approx(p.sum())
    assert (table["n"] * table["frequency"]).sum() == pytest.approx(won.sum())
    assert (table["p_lowest"].to_numpy()[1:] > table["p_highest"].to_numpy()[:-1]).all()
    assert table["n"].min() > 0
    order = np.random.default_rng(seed).permutation(len(p))
    again = reliability(p[order], won[order], cluster=deal[order], resamples=50, seed=1)
    pd.testing.assert_frame_equal(table, again)


def test_equal_probabilities_stay_together():
    table = reliability([0.2] * 50 + [0.7] * 2, [0, 1] * 26, cluster=range(52), resamples=20)
    assert table["n"].tolist() == [50, 2]


def test_a_group_that_no_resample_drew_has_the_interval_of_its_deals():
    p, won = [0.1, *[0.5] * 40], [0, *[0, 1] * 20]
    table = reliability(p, won, cluster=range(41), bins=41, resamples=1, seed=2)
    few, all_drawn = table.iloc[0], reliability(p, won, cluster=range(41), bins=41, resamples=200).iloc[0]
    assert few["upper"] == all_drawn["upper"] == pytest.approx(stats.beta.ppf(0.95, 0.5, 1.5))


def test_reliability_intervals_cover_and_respect_clusters():
    """Each deal stands in 5 rows with one outcome: intervals for rows would be far too short."""
    held, width = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        q = rng.choice([0.3, 0.6], 150)
        won = np.repeat(rng.random(150) < q, 5)
        p, deal = np.repeat(q, 5), np.repeat(np.arange(150), 5)
        table = reliability(p, won, cluster=deal, resamples=200, seed=seed)
        held += ((table["lower"] <= [0.3, 0.6]) & (table["upper"] >= [0.3, 0.6])).tolist()
        width += [(table["upper"] - table["lower"]).mean()]
        if seed == 0:
            alone = reliability(p, won, cluster=range(750), resamples=200, seed=seed)
            assert (alone["upper"] - alone["lower"]).mean() < 0.6 * width[0]
    assert 0.82 <= np.mean(held) <= 0.97


# ---------------------------------------------------------------- calibration line


def test_calibration_line_by_hand():
    """Two values of p: the line goes through the log-odds of both frequencies."""
    p = [0.25] * 8 + [0.75] * 8
    won = [1] * 1 + [0] * 7 + [1] * 4 + [0] * 4
    line = calibration_line(p, won, cluster=range(16)).set_index("parameter")["estimate"]
    slope = (0 - logit(1 / 8)) / (2 * logit(0.75))
    assert line["slope"] == pytest.approx(slope, rel=1e-9)
    assert line["intercept"] == pytest.approx(0 - slope * logit(0.75), rel=1e-9)
    fitted = expit(logit(np.array(p)) + line["in_the_large"])
    assert fitted.sum() == pytest.approx(sum(won))


def test_the_line_is_the_maximum_and_its_errors_are_the_sandwich():
    """The formula written out row by row, one row a deal."""
    p, won = forecasts(11, n=120)
    p = p.clip(0.01, 0.99)
    line = calibration_line(p, won, cluster=range(120)).set_index("parameter")
    x = np.column_stack([np.ones(120), logit(p)])
    fitted = expit(x @ line.loc[["intercept", "slope"], "estimate"].to_numpy())
    np.testing.assert_allclose(x.T @ (won - fitted), 0, atol=1e-8)  # the maximum
    bread = np.linalg.inv(x.T @ (x * (fitted * (1 - fitted))[:, None]))
    meat = sum(np.outer(row, row) * (w - f) ** 2 for row, w, f in zip(x, won, fitted, strict=True))
    expected = np.sqrt(np.diag(bread @ meat @ bread) * 120 / 119)
    np.testing.assert_allclose(line.loc[["intercept", "slope"], "se"], expected, rtol=1e-8)


def test_calibration_line_recovers_a_distortion_and_its_intervals_cover():
    held = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        p = np.repeat(rng.beta(1, 1, 150), 3).clip(0.01, 0.99)
        won = np.repeat(rng.random(150) < expit(0.4 + 0.7 * logit(p[::3])), 3)
        line = calibration_line(p, won, cluster=np.repeat(range(150), 3)).set_index("parameter")
        truth = pd.Series({"intercept": 0.4, "slope": 0.7})
        got = line.loc[truth.index]
        held += ((got["lower"] <= truth) & (truth <= got["upper"])).tolist()
    assert 0.85 <= np.mean(held) <= 0.95


@pytest.mark.parametrize("seed", range(20))
def test_laws_of_the_calibration_line(seed):
    p, won = forecasts(seed)
    p = p.clip(0.005, 0.995)
    deal = np.random.default_rng(seed).integers(0, 80, len(p))
    line = calibration_line(p, won, cluster=deal)
    order = np.random.default_rng(seed).permutation(len(p))
    pd.testing.assert_frame_equal(line, calibration_line(p[order], won[order], cluster=deal[order]), rtol=1e-7)
    # what it finds, put in, leaves nothing to find
    intercept, slope = line["estimate"][1:]
    better = expit(intercept + slope * logit(p))
    assert calibration_line(better, won, cluster=deal)["estimate"].tolist() == pytest.approx([0, 0, 1], abs=1e-6)


@pytest.mark.parametrize(
    ("p", "won", "known"),
    [
        ([0.2, 0.6, 0.7], [1, 1, 1], []),  # one class
        ([0.2, 0.6, 0.7], [0, 1, 1], ["in_the_large"]),  # parted
        ([0.5, 0.5, 0.5], [0, 1, 1], ["in_the_large"]),  # no spread
        ([0.0, 1.0, 0.0, 1.0], [1, 0, 0, 1], ["in_the_large", "intercept", "slope"]),  # certain and wrong
    ],
)
def test_a_line_without_a_maximum_is_missing(p, won, known):
    line = calibration_line(p, won, cluster=range(len(p))).set_index("parameter")["estimate"]
    assert line[line.notna()].index.tolist() == known


# ---------------------------------------------------------------- distributions and bands


def test_bands_of_whole_numbers_by_hand():
    draws = np.repeat([0, 1, 2, 3, 4, 9], [13, 27, 27, 18, 14, 1])
    assert np.quantile(draws, [0.1, 0.9]).tolist() == [0, 4]  # 99 of 100
    assert central_band(draws, 0.8) == (0, 3)  # 85; 1 to 4: 86; 1 to 3: 72
    assert central_band(draws, 0.5) == (1, 2)
    assert central_band([7, 7], 0.8) == (7, 7)
    assert central_band([0, 0, 5, 5, 5, 5, 5, 5, 9, 9], 0.8) == (5, 9)
    assert central_band([0] * 73 + [1] * 27, 0.8) == (0, 1)  # neither end can go
    assert band_columns(draws) == {"q10": 0, "q25": 1, "q50": 2, "q75": 2, "q90": 3}


@pytest.mark.parametrize(("nothing", "level"), [(0.85, 0.8), (0.81, 0.8), (0.55, 0.5)])
def test_where_no_deal_is_the_band_no_amount_is(nothing, level):
    """Each number of deals is one value, amounts are all different: both leave out the same draws."""
    n = round(10_000 * nothing)
    count = np.repeat([0.0, 1.0], [n, 10_000 - n])
    amount = np.append(np.zeros(n), np.random.default_rng(0).lognormal(13, 1, 10_000 - n))
    assert central_band(count, level) == central_band(amount, level) == (0, 0)
    assert central_band(amount + 7, level) == (7, 7)
    assert central_band(-amount, level) == (0, 0)


def test_bands_of_many_different_draws_are_quantiles_in_every_unit():
    draws = np.random.default_rng(0).normal(size=10_000)
    assert central_band(draws, 0.8) == pytest.approx(np.quantile(draws, [0.1, 0.9]).tolist())
    some = np.random.default_rng(0).poisson(2, 999) * 0.5
    assert np.array(central_band(some, 0.8)) / 0.5 == pytest.approx(np.array(central_band(1e6 * some, 0.8)) / 5e5)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.floats(0.05, 0.95))
def test_a_band_holds_what_it_says_and_lies_within_the_quantiles(values, level):
    draws = np.array(values)
    low, high = central_band(draws, level)
    plain = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2], method="inverted_cdf")
    assert plain[0] <= low <= high <= plain[1]
    assert ((low <= draws) & (draws <= high)).mean() >= level
    if (low, high) == tuple(plain):
        assert max(((low < draws) & (draws <= high)).mean(), ((low <= draws) & (draws < high)).mean()) < level
    assert central_band(draws + 5, level) == (low + 5, high + 5)
    q10, q25, _, q75, q90 = band_columns(draws).values()
    assert q10 <= q25 <= q75 <= q90


def test_crps_by_hand():
    # draws 0 and 2 around 1: E|X-1| = 1, E|X-X'| = 1
    assert crps([0, 2], 1.0) == pytest.approx(0.5)
    assert crps([[0, 2], [5, 5]], [3, 4]).tolist() == pytest.approx([2 - 0.5, 1])
    assert crps([3.0], 1.0) == pytest.approx(2)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.floats(-100, 100))
def test_crps_is_the_double_mean_of_its_definition(draws, actual):
    x = np.array(draws)
    by_definition = np.abs(x - actual).mean() - np.abs(x[:, None] - x).mean() / 2
    assert crps(x, actual) == pytest.approx(by_definition, abs=1e-9)
    assert crps(x[::-1], actual) == crps(x, actual)
    assert crps(np.full(5, actual), actual) == 0


@pytest.mark.parametrize("actual", [-1.5, 0.0, 0.7, 3.0])
def test_crps_of_a_normal(actual):
    """Gneiting & Raftery (2007), eq. 21; the ensemble is the grid of quantiles of a normal."""
    draws = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000, loc=1, scale=2)
    z = (actual - 1) / 2
    exact = 2 * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    assert crps(draws, actual) == pytest.approx(exact, rel=1e-4)


def test_crps_is_smallest_for_the_truth():
    rng = np.random.default_rng(4)
    actual = rng.normal(0, 1, 2000)
    draws = rng.normal(0, 1, (2000, 200))
    honest = crps(draws, actual).mean()
    assert all(honest < crps(other, actual).mean() for other in (draws + 0.3, draws * 0.6, draws * 1.6))


def test_interval_score_by_hand():
    assert interval_score([0, 0, 0], [4, 4, 4], [2, -1, 6], level=0.8).tolist() == pytest.approx([4, 14, 24])


def test_interval_score_is_smallest_at_the_quantiles():
    actual = np.random.default_rng(6).normal(0, 1, 20_000)

    def score(half_width):
        ends = np.full(len(actual), half_width)
        return interval_score(-ends, ends, actual, level=0.8).mean()

    best = stats.norm.ppf(0.9)
    assert score(best) < min(score(best * 0.8), score(best * 1.25))


def test_coverage_by_hand():
    got = coverage([0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1.01, 0.5])
    assert (got.k, got.n, got.share) == (3, 4, 0.75)
    assert (got.lower, got.upper) == pytest.approx(tuple(stats.beta.ppf([0.05, 0.95], 3.5, 1.5)))
    assert coverage([0], [1], [2]).lower == 0
    assert coverage([0], [1], [1]).upper == 1


# ---------------------------------------------------------------- differences


@pytest.mark.parametrize("seed", range(20))
def test_with_one_row_a_deal_it_is_the_paired_t_interval(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.random(30), rng.random(30)
    got = mean_difference(a, b, cluster=np.arange(30), confidence=0.8)
    expected = stats.ttest_rel(a, b).confidence_interval(0.8)
    assert (got.lower, got.upper) == pytest.approx((expected.low, expected.high))
    assert mean_difference(b, a, cluster=np.arange(30)).difference == pytest.approx(-got.difference)


@pytest.mark.parametrize("seed", range(20))
def test_copies_of_a_deal_add_nothing(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.random(20), rng.random(20)
    once = mean_difference(a, b, cluster=np.arange(20))
    often = mean_difference(np.repeat(a, 7), np.repeat(b, 7), cluster=np.repeat(np.arange(20), 7))
    assert (often.difference, often.se, often.lower) == pytest.approx((once.difference, once.se, once.lower))
    assert (often.n, often.n_clusters) == (140, 20)


def test_difference_by_hand_and_with_one_deal():
    # d = 1, 1, 0 with mean 2/3; deals: (1/3 + 1/3), -2/3; se = sqrt(2 * (4/9 + 4/9)) / 3
    got = mean_difference([2, 2, 1], [1, 1, 1], cluster=["x", "x", "y"])
    assert (got.difference, got.se) == pytest.approx((2 / 3, np.sqrt(2 * 8 / 9) / 3))
    alone = mean_difference([2, 1], [1, 1], cluster=["x", "x"])
    assert alone.difference == 0.5
    assert np.isnan([alone.se, alone.lower, alone.upper]).all()


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("score", [brier, log_loss, auc, decompose])
@pytest.mark.parametrize(
    ("p", "won", "message"),
    [
        ([0.5, 1.2], [0, 1], "p must lie within 0..1: 1 do not, first at \\[1\\]"),
        ([-0.1, 0.5], [0, 1], "p must lie within 0..1"),
        ([0.5, np.nan], [0, 1], "p must be finite and not missing: 1 are not, first at \\[1\\]"),
        ([0.5, 0.5], [0, np.nan], "outcome must be finite"),
        ([0.5, 0.5], [0, 2], "outcome must be 0 or 1"),
        ([0.5], [0, 1], "equal lengths: p \\(1,\\), outcome \\(2,\\)"),
        ([[0.5], [0.5]], [[0], [1]], "one value per row"),
        ([], [], "nothing to score"),
        (["high"], [1], "p must be numbers"),
        ([0.5, None], [0, 1], "p must be"),
    ],
)
def test_bad_probabilities_are_refused(score, p, won, message):
    with pytest.raises(SchemaError, match=message):
        score(p, won)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: decompose([0.5], [1], score="mae"), "brier or log_loss, got 'mae'"),
        (lambda: reliability([0.5], [1], cluster=["a", "b"]), "cluster must have one value per row: 2 for 1"),
        (lambda: reliability([0.5], [1], cluster=[None]), "cluster must not be missing"),
        (lambda: reliability([0.5], [1], cluster=["a"], confidence=90), "confidence must lie between 0 and 1, got 90"),
        (lambda: reliability([0.5], [1], cluster=["a"], bins=0), "bins and resamples must be >= 1"),
        (lambda: calibration_line([2], [1], cluster=["a"]), "within 0..1"),
        (lambda: calibration_line([0.5, 0.6], [1, 0], cluster=[1, 2], confidence=1), "confidence"),
        (lambda: crps([[1, 2]], 1.0), "draws must have the shape of actual and one more axis"),
        (lambda: crps([], 1.0), "draws must have"),
        (lambda: crps([1, np.nan], 1.0), "draws must be finite"),
        (lambda: interval_score([1], [0], [0], level=0.8), "lower must be <= upper: 1 are not"),
        (lambda: interval_score([0], [1], [0], level=80), "level must lie between 0 and 1, got 80"),
        (lambda: coverage([0], [1, 2], [0]), "equal lengths"),
        (lambda: coverage([0], [1], [0], confidence=0), "confidence"),
        (lambda: mean_difference([1], [1, 2], cluster=["a"]), "equal lengths"),
        (lambda: mean_difference([1, 2], [1, 2], cluster=["a"]), "cluster must have one value per row"),
        (lambda: mean_difference([1, np.inf], [1, 2], cluster=["a", "b"]), "a must be finite"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(SchemaError, match=message):
        call()
