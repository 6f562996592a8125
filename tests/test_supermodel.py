"""Parts of the supermodel: bins, incidence, encoding, learners; by hand, by law, against a reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq, minimize
from scipy.special import expit, logit
from sklearn.ensemble import HistGradientBoostingClassifier

from salesanalytics.models import boosting, cumulative_incidence, learners, spline_logit
from salesanalytics.models.boosting import fit_boosting, plain_design
from salesanalytics.models.curves import carried_on, incidence_at, without_dead_stock
from salesanalytics.models.encoding import MAX_CATEGORIES, NOT_FEATURES, fit_encoder
from salesanalytics.models.learners import Learners, fit_learners
from salesanalytics.models.ridge import EM_STEPS, GUESSED, PRIOR_VARIANCE, fit_ridge
from salesanalytics.models.season import season_of
from salesanalytics.models.spline_logit import (
    KINDS_REACH,
    STANDING_REACH,
    TIME_REACH,
    fit_logit,
    spline_design,
)
from salesanalytics.models.supermodel import (
    DEFAULT_EDGES,
    Bins,
    bin_features,
    future_bins,
    happened_in,
    last_supported,
    observed_bins,
)
from salesanalytics.models.times import QUARTER_SD, SHOCK_VARIANCE, quarters, settled_level
from salesanalytics.timeline.calendar import to_day

EDGES = (0, 7, 14, 28)
QUIET = to_day("2026-01-05")  # no quarter ends in the 28 days after it


def bins_of(*dates, edges=EDGES, month=1):
    days = np.array([d if isinstance(d, int) else to_day(d) for d in dates], dtype="int64")
    return future_bins(days, edges=edges, fiscal_year_start=month)


def listed(bins):
    return list(zip(bins.row, bins.start, bins.end, bins.to_quarter_end, strict=True))


# ---------------------------------------------------------------- bins


@pytest.mark.parametrize(
    ("date", "month", "expected"),
    [
        # 31 March is 10 days ahead and splits the second bin; the next quarter ends 101 days ahead
        ("2026-03-21", 1, [(0, 0, 7, 3), (0, 7, 10, 0), (0, 10, 14, 87), (0, 14, 28, 73)]),
        # fiscal quarters from February: 30 April is 40 days ahead
        ("2026-03-21", 2, [(0, 0, 7, 33), (0, 7, 14, 26), (0, 14, 28, 12)]),
        # on the last day of a quarter nothing of it is ahead
        ("2026-03-31", 1, [(0, 0, 7, 84), (0, 7, 14, 77), (0, 14, 28, 63)]),
        # an edge on a quarter end splits nothing: 7 and 28 days ahead
        ("2026-03-24", 1, [(0, 0, 7, 0), (0, 7, 14, 84), (0, 14, 28, 70)]),
        ("2026-03-03", 1, [(0, 0, 7, 21), (0, 7, 14, 14), (0, 14, 28, 0)]),
    ],
)
def test_bins_are_split_at_quarter_ends(date, month, expected):
    assert listed(bins_of(date, month=month)) == expected


def quarter_ends(first, last, month):
    offset = pd.offsets.QuarterEnd(startingMonth=(month - 2) % 3 + 1)
    dates = pd.date_range(pd.Timestamp(0, unit="D") + pd.Timedelta(days=first), periods=40, freq=offset)
    days = [to_day(date) for date in dates]
    assert days[-1] > last
    return days


@pytest.mark.parametrize("seed", range(20))
def test_bins_tile_the_future_of_every_landmark(seed):
    rng = np.random.default_rng(seed)
    days = rng.integers(14_000, 20_000, 12)[rng.integers(0, 12, 30)]  # several landmarks of one day, in any order
    month = int(rng.integers(1, 13))
    bins = bins_of(*days.tolist(), edges=DEFAULT_EDGES, month=month)
    assert (np.diff(bins.row) >= 0).all()
    for i, day in enumerate(days.tolist()):
        own = bins.take(bins.row == i)
        ends = [d - day for d in quarter_ends(day, day + 730, month)]
        cuts = sorted({*DEFAULT_EDGES, *(d for d in ends if 0 < d < 730)})
        assert own.start.tolist() == cuts[:-1]
        assert own.end.tolist() == cuts[1:]
        assert own.to_quarter_end.tolist() == [min(d for d in ends if d >= end) - end for end in cuts[1:]]


def test_no_landmark_has_no_bin():
    bins = future_bins(np.zeros(0, dtype="int64"), edges=EDGES, fiscal_year_start=1)
    assert listed(bins) == []


@pytest.mark.parametrize(
    ("duration", "watched", "code", "counts", "happened"),
    [
        (0, 30, 1, [True, False, False], [1, -1, -1]),  # an event of day 0 lies in the first bin
        (7, 30, 1, [True, False, False], [1, -1, -1]),  # the end of a bin belongs to it
        (8, 30, 1, [True, True, False], [-1, 1, -1]),
        (8, 13, 1, [True, False, False], [-1, 1, -1]),  # watched to day 13 only: out, although it was won in it
        (13, 13, -1, [True, False, False], [-1, -1, -1]),  # and out when nothing happened
        (14, 14, -1, [True, True, False], [-1, -1, -1]),
        (20, 28, 0, [True, True, True], [-1, -1, 0]),
        (0, 0, -1, [False, False, False], [-1, -1, -1]),
        (0, 5, 0, [False, False, False], [0, -1, -1]),
    ],
)
def test_a_bin_counts_if_it_was_watched_to_its_end_event_or_not(duration, watched, code, counts, happened):
    bins = bins_of(QUIET)
    duration, watched, code = (np.array([x]) for x in (duration, watched, code))
    assert observed_bins(bins, duration=duration, watched=watched).tolist() == counts
    assert happened_in(bins, duration=duration, code=code).tolist() == happened


def censored_deals(seed, n, *, h_won=0.01, h_other=0.02):
    """Constant daily hazards; everybody is watched for some days of his own."""
    rng = np.random.default_rng(seed)
    day = rng.geometric(h_won + h_other, n)
    won = rng.random(n) < h_won / (h_won + h_other)
    watched = rng.integers(1, 60, n)
    seen = day <= watched
    return np.where(seen, day, watched), watched, np.where(seen, won.astype(int), -1)


def test_cut_bins_would_bias_hazards_up_and_do_not():
    duration, watched, code = censored_deals(0, 40_000)
    bins = bins_of(*[QUIET] * len(code), edges=(0, 14, 28, 42))
    counts = observed_bins(bins, duration=duration, watched=watched)
    happened = happened_in(bins, duration=duration, code=code)
    at_risk = duration[bins.row] > bins.start
    truth = (0.01 / 0.03) * (1 - 0.97**14)  # won within 14 days, the same in every bin
    for start in (0, 14, 28):
        own = bins.start == start
        p, n = (happened[own & counts] == 1).mean(), (own & counts).sum()
        assert abs(p - truth) < 4 * np.sqrt(truth * (1 - truth) / n)
        kept_if_something_happened = own & at_risk & (counts | (happened >= 0))
        assert (happened[kept_if_something_happened] == 1).mean() > 1.1 * truth


def test_bin_features_by_hand():
    landmarks = pd.DataFrame({"days_to_close_date": [10.0, np.nan]})
    found = bin_features(bins_of("2026-03-21", "2026-03-21"), landmarks)
    first = found.iloc[:4]
    assert first["log_middle"].tolist() == pytest.approx(np.log([4.5, 9.5, 13, 22]))
    assert first["log_length"].tolist() == pytest.approx(np.log([7, 3, 4, 14]))
    assert first["ends_quarter"].tolist() == [0, 1, 0, 0]
    assert first["to_quarter_end"].tolist() == [3, 0, 87, 73]
    # middles 3.5, 8.5, 12, 21 against the promised day 10, which closes the second bin
    assert first["close_date_gap"].tolist() == pytest.approx([-(6.5**0.5), -(1.5**0.5), 2**0.5, 11**0.5])
    assert first["close_date_in_bin"].tolist() == [0, 1, 0, 0]
    assert found["close_date_gap"].iloc[4:].isna().all()
    assert (found["close_date_in_bin"].iloc[4:] == 0).all()
    assert "close_date_gap" not in bin_features(bins_of(QUIET), pd.DataFrame(index=[0]))
    dates = ("2025-12-31", "2026-01-05", "2026-01-21", "2026-02-20")  # 90, 85, 69, 39 days of it left
    ended = bin_features(bins_of(*dates), pd.DataFrame(index=range(4)))["quarter_just_ended"]
    first = bins_of(*dates).start == 0
    assert ended[first].tolist() == pytest.approx([1 - 1 / 28, 22 / 28, 6 / 28, 0])
    assert (ended[~first] == 0).all()


# ---------------------------------------------------------------- from hazards to incidence


def test_incidence_of_two_bins_by_hand():
    bins = Bins(np.array([0, 0]), np.array([0, 10]), np.array([10, 30]), np.array([5, 5]))
    odds = logit(np.array([[0.2, 0.25], [0.1, 0.5]]))  # won; ended otherwise, of those not won
    days = np.array([0, 5, 10, 30])
    won, other = incidence_at(bins, odds, np.array([QUIET]), days)
    # first bin: .2 won, .8 x .25 = .2 otherwise, .6 open; second: .06 won, .6 x .9 x .5 = .27 otherwise
    half = (1 - 0.6**0.5) / 0.4  # share of what happens in the first bin that happens in its first half
    assert won[0].tolist() == pytest.approx([0, 0.2 * half, 0.2, 0.26])
    assert other[0].tolist() == pytest.approx([0, 0.2 * half, 0.2, 0.47])


def test_beyond_the_last_bin_the_stage_table_goes_on_by_hand():
    # by the bins, at their end, .2 are won and .3 ended otherwise; by the table .1 and .1 are by then, .3 and .2 later
    own = (np.array([[0.15, 0.2]]), np.array([[0.1, 0.3]]))
    later, last = (np.array([[0.3]]), np.array([[0.2]])), (np.array([[0.1]]), np.array([[0.1]]))
    won, other = carried_on(own, later, last)
    # of the .5 still open the table would have .8, of whom .2 are won and .1 end otherwise
    assert won[0].tolist() == pytest.approx([0.15, 0.2 + 0.5 * 0.2 / 0.8])
    assert other[0].tolist() == pytest.approx([0.1, 0.3 + 0.5 * 0.1 / 0.8])


def test_last_supported_bin_by_hand():
    rows = pd.DataFrame({"duration_days": [20] * 60 + [5] * 10, "watched_days": [40] * 55 + [20] * 5 + [40] * 10})
    assert last_supported(rows, (0, 7, 14, 28, 56)) == 28  # 70, 60, 55 rows; nobody is watched for 56 days
    assert last_supported(rows.head(60), (0, 14, 35, 56)) == 35
    assert last_supported(rows.head(40), (0, 7)) == 0


def random_curves(seed, n=12):
    rng = np.random.default_rng(seed)
    landmark = rng.integers(14_000, 14_200, 4)[rng.integers(0, 4, n)]
    bins = future_bins(landmark, edges=DEFAULT_EDGES, fiscal_year_start=int(rng.integers(1, 13)))
    odds = rng.normal(-3, 2, (len(bins.row), 2))
    odds[rng.random(odds.shape) < 0.05] = 40.0  # as good as certain
    odds[rng.random(odds.shape) < 0.05] = -800.0  # impossible
    return landmark, bins, odds


@pytest.mark.parametrize("seed", range(200))
def test_incidence_is_monotone_and_leaves_something_open(seed):
    landmark, bins, odds = random_curves(seed)
    days = np.arange(731)
    won, other = incidence_at(bins, odds, landmark, days)
    assert (won[:, 0] == 0).all()
    assert np.diff(won, axis=1).min() >= -1e-12
    assert np.diff(other, axis=1).min() >= -1e-12
    assert (won + other).max() <= 1 + 1e-9
    order = np.random.default_rng(seed).permutation(len(landmark))
    own = np.concatenate([np.flatnonzero(bins.row == i) for i in order])
    row = np.repeat(np.arange(len(order)), np.bincount(bins.row)[order])
    shuffled = Bins(row, *(x[own] for x in (bins.start, bins.end, bins.to_quarter_end)))
    again = incidence_at(shuffled, odds[own], landmark[order], days)
    np.testing.assert_allclose(again[0], won[order], rtol=1e-12)
    np.testing.assert_allclose(again[1], other[order], rtol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_saturated_hazards_give_the_aalen_johansen_estimate(seed):
    duration, watched, code = censored_deals(seed, 300, h_won=0.02, h_other=0.03)
    edges = tuple(range(61))  # a bin a day: the estimate is free on every day
    bins = bins_of(*[QUIET] * len(code), edges=edges)
    counts = observed_bins(bins, duration=duration, watched=watched)
    happened, day = happened_in(bins, duration=duration, code=code)[counts], bins.end[counts]
    at_risk, won, other = (np.bincount(day[x], minlength=61)[1:] for x in (happened > -2, happened == 1, happened == 0))
    seen = at_risk > 0
    with np.errstate(divide="ignore"):
        odds = logit(np.column_stack([won[seen] / at_risk[seen], other[seen] / np.maximum(at_risk - won, 1)[seen]]))
    one = bins_of(QUIET, edges=tuple(range(int(seen.sum()) + 1)))
    days = one.end
    got = incidence_at(one, odds, np.array([QUIET]), days)
    end = np.array(["open", "lost", "won"])[np.array([0, 1, 2])[code + 1]]
    curve = cumulative_incidence(duration, end).set_index("days")[["p_won", "p_lost"]].reindex(days).ffill().fillna(0)
    np.testing.assert_allclose(got[0][0], curve["p_won"], atol=1e-10)
    np.testing.assert_allclose(got[1][0], curve["p_lost"], atol=1e-10)


def test_dead_stock_by_hand():
    pool = pd.DataFrame({"older_than_any_win": [True, True, False]})
    won = np.array([[0.01, 0.3], [0.2, 0.9], [0.1, 0.7]])
    by_table = np.array([[0.02, 0.05], [0.02, 0.05], [0.02, 0.05]])
    assert without_dead_stock(won, by_table, pool).tolist() == [[0.01, 0.05], [0.02, 0.05], [0.1, 0.7]]


# ---------------------------------------------------------------- encoding


def frame_of(n=1000, seed=0):
    rng = np.random.default_rng(seed)
    colour = np.array(["red"] * 600 + ["blue"] * 370 + ["green"] * 20 + [None] * 10, dtype=object)
    return pd.DataFrame(
        {
            "short": rng.integers(0, 11, n).astype(float),
            "long": rng.lognormal(3, 1, n),
            "gaps": np.where(rng.random(n) < 0.3, np.nan, rng.normal(5, 2, n)),
            "flag": rng.random(n) < 0.4,
            "same": 3.0,
            "never": np.nan,
            "colour": colour,
            "only": "one",
        }
    )


def test_columns_that_say_nothing_are_dropped():
    encoder = fit_encoder(frame_of())
    assert [spec.name for spec in encoder.numeric] == ["short", "long", "gaps", "flag"]
    assert list(encoder.categories) == ["colour"]


def test_the_unit_of_money_moves_nothing():
    amount = np.random.default_rng(0).lognormal(18, 1, 500)
    designs = [
        fit_encoder(frame).splines(frame)[0]
        for frame in (pd.DataFrame({"log_amount": np.log(amount * unit)}) for unit in (1, 1e-6, 1000))
    ]
    for design in designs[1:]:
        np.testing.assert_allclose(design, designs[0], atol=1e-9)


def test_numbers_become_splines():
    frame = frame_of()
    encoder = fit_encoder(frame)
    design, sources = encoder.splines(frame)
    own = design[:, [k for k, s in enumerate(sources) if s == "short"]]
    x = (frame["short"] - frame["short"].mean()) / frame["short"].std(ddof=0)
    knots = np.unique(np.quantile(x, [0.25, 0.5, 0.75]))
    np.testing.assert_allclose(own, np.column_stack([x, *(np.maximum(x - k, 0) for k in knots)]))
    # what ranges beyond 20 goes by its logarithm
    log = np.log1p(frame["long"])
    first = sources.index("long")
    np.testing.assert_allclose(design[:, first], np.clip((log - log.mean()) / log.std(ddof=0), -4, 4))
    # what is missing stands at the median and says that it is missing
    own = design[:, [k for k, s in enumerate(sources) if s == "gaps"]]
    missing = frame["gaps"].isna()
    assert own[:, -1].tolist() == missing.astype(float).tolist()
    middle = (frame["gaps"].median() - frame["gaps"].mean()) / frame["gaps"].std(ddof=0)
    np.testing.assert_allclose(own[missing, 0], middle)
    far = pd.concat([frame, frame.assign(short=1e9)]).tail(len(frame))
    assert encoder.splines(far)[0][:, 0].max() == 4  # one mistyped number does not carry a prediction away


def test_rare_and_unknown_categories_share_the_zero_row():
    frame = frame_of()
    encoder = fit_encoder(frame)
    assert encoder.categories["colour"] == ("blue", "red")
    asked = frame.iloc[[0, 700, 975, 995, 0]].assign(colour=["red", "blue", "green", None, "never seen"])
    design, sources = encoder.splines(asked)
    own = design[:, [k for k, s in enumerate(sources) if s == "colour"]]
    assert own.tolist() == [[0, 1], [1, 0], [0, 0], [0, 0], [0, 0]]
    assert encoder.plain(asked)[:, -1].tolist() == [2, 1, 0, 0, 0]


def test_no_more_than_the_most_frequent_categories():
    sizes = np.arange(31, 31 + MAX_CATEGORIES + 5)
    names = [f"c{k:02d}" for k in range(len(sizes))]
    frame = pd.DataFrame({"kind": np.repeat(names, sizes)})
    assert list(fit_encoder(frame).categories["kind"]) == names[5:]


def test_trees_get_classes_of_quantiles():
    frame = frame_of()
    encoder = fit_encoder(frame)
    plain = encoder.plain(frame)
    for k, name in enumerate(["short", "long", "gaps"]):
        seen = frame[name].notna().to_numpy()
        order = np.argsort(frame[name].to_numpy()[seen], kind="stable")
        assert (np.diff(plain[seen, k][order]) >= 0).all()
        assert (plain[~seen, k] == -1).all()
        assert len(np.unique(plain[:, k])) <= 65
    assert len(np.unique(plain[:, 0])) == 11  # few values stay apart


def test_labels_are_not_features():
    rng = np.random.default_rng(1)
    frame = frame_of()
    labels = {name: rng.permutation(len(frame)).astype(float) for name in NOT_FEATURES}
    with_labels, plain = fit_encoder(frame.assign(**labels)), fit_encoder(frame)
    assert {"end", "code", "duration_days", "watched_days", "deal_id"} <= set(NOT_FEATURES)
    np.testing.assert_array_equal(with_labels.splines(frame)[0], plain.splines(frame)[0])
    np.testing.assert_array_equal(with_labels.plain(frame), plain.plain(frame))


def test_encoding_is_the_same_for_a_row_alone():
    frame = frame_of()
    encoder = fit_encoder(frame)
    design, plain = encoder.splines(frame)[0], encoder.plain(frame)
    for i in (0, 650, 999):
        np.testing.assert_array_equal(encoder.splines(frame.iloc[[i]])[0][0], design[i])
        np.testing.assert_array_equal(encoder.plain(frame.iloc[[i]])[0], plain[i])
    empty = pd.DataFrame({"same": [1.0] * 5})
    assert fit_encoder(empty).splines(empty)[0].shape == fit_encoder(empty).plain(empty).shape == (5, 0)


# ---------------------------------------------------------------- learners


def landmarks_of(seed=0, n=400, n_deals=400):
    """Landmarks whose hazards depend on x, on a category and on nothing else."""
    rng = np.random.default_rng(seed)
    x, kind = rng.normal(0, 1, n), rng.choice(["a", "b"], n)
    h_won, h_other = 0.01 * np.exp(0.7 * x + 0.5 * (kind == "a")), np.full(n, 0.01)
    day = rng.geometric(np.minimum(h_won + h_other, 0.9))
    watched = rng.integers(5, 120, n)
    won = rng.random(n) < h_won / (h_won + h_other)
    frame = pd.DataFrame(
        {
            "deal_id": [f"D{i % n_deals}" for i in range(n)],
            "landmark_day": QUIET - 7 * rng.integers(0, 40, n),
            "duration_days": np.minimum(day, watched),
            "watched_days": watched,
            "code": np.where(day <= watched, won.astype(int), -1),
            "x": x,
            "kind": kind,
            "noise": rng.normal(0, 1, n),
        }
    )
    return dated(frame).sort_values("landmark_day", ignore_index=True)


def dated(frame):
    return frame.assign(as_of=pd.to_datetime(frame["landmark_day"], unit="D"))


SHORT = {"edges": (0, 7, 14, 28, 56), "fiscal_year_start": 1}


def binned(landmarks):
    duration = landmarks["duration_days"].to_numpy()
    bins = future_bins(landmarks["landmark_day"].to_numpy(), **SHORT)
    bins = bins.take(observed_bins(bins, duration=duration, watched=landmarks["watched_days"].to_numpy()))
    return bins, happened_in(bins, duration=duration, code=landmarks["code"].to_numpy())


def penalised(beta, z, happened, weight, variance):
    """Minus the log posterior: every coefficient but the first is N(0, variance)."""
    eta = z @ beta
    loss = weight @ (np.logaddexp(0, eta) - happened * eta)
    gradient = z.T @ (weight * (expit(eta) - happened))
    gradient[1:] += beta[1:] / variance
    return loss + 0.5 * (beta[1:] ** 2 / variance).sum(), gradient


@pytest.fixture(scope="module")
def fitted():
    landmarks = landmarks_of()
    bins, happened = binned(landmarks)
    weight = np.random.default_rng(5).uniform(0.2, 1.0, len(landmarks))[bins.row]
    model = fit_logit(fit_encoder(landmarks), landmarks, bins, happened, weight)
    return landmarks, bins, happened, weight, model


def parts(landmarks, bins):
    """Share of each quarter that is watched, quarter by quarter."""
    day = landmarks["landmark_day"].to_numpy()[bins.row]
    quarter = quarters(landmarks["landmark_day"].to_numpy(), bins)
    seen = [(day + bins.end)[quarter == q].max() - (day + bins.start)[quarter == q].min() for q in np.unique(quarter)]
    return np.minimum(np.array(seen) / 91, 1)


def right_in_the_mean(level, log_odds, happened, quarter, weight, part):
    """Quasi-score of the level, quarter by quarter."""
    total = 0.0
    for one in np.unique(quarter):
        w, p = weight[quarter == one], expit(log_odds[quarter == one] + level)
        total += (w @ (happened[quarter == one] - p)) / (1 + SHOCK_VARIANCE / part[one] * (w @ p))
    return total


@pytest.mark.parametrize("step", [0, 1])
def test_coefficients_are_those_of_an_independent_optimisation(fitted, step):
    landmarks, bins, happened, weight, model = fitted
    rows = happened < 2 if step == 0 else happened != 1  # the second step: of those not won
    z = model.design(landmarks, bins).astype(float)[rows]
    quarter = quarters(landmarks["landmark_day"].to_numpy(), bins)
    part = parts(landmarks, bins)
    of_quarter = (quarter[rows, None] == np.unique(quarter)) * QUARTER_SD / PRIOR_VARIANCE**0.5
    assert 3 < of_quarter.shape[1] < 10
    event, w = (happened[rows] == (1 if step == 0 else 0)).astype(float), weight[rows]
    assert 20 < event.sum() < len(event) - 20
    both = np.hstack([z, of_quarter])
    variance = np.r_[model.variance[step], np.full(of_quarter.shape[1], PRIOR_VARIANCE)]
    asked = {"args": (both, event, w, variance), "jac": True, "method": "BFGS", "tol": 1e-8}
    best = minimize(penalised, np.zeros(both.shape[1]), **asked)
    coef, effects = best.x[: z.shape[1]], best.x[z.shape[1] :] * QUARTER_SD / PRIOR_VARIANCE**0.5
    np.testing.assert_allclose(model.coef[step][1:], coef[1:], atol=2e-3)
    np.testing.assert_allclose(model.times[step], effects[quarter], atol=0.01)
    assert np.ptp(effects) > 0.05
    # the intercept is right in the mean of the quarters
    level = brentq(right_in_the_mean, -3, 3, args=(z @ coef, event, quarter[rows], w, part))
    assert model.coef[step][0] == pytest.approx(coef[0] + level, abs=0.01)
    # covariance: the inverse curvature of the same function
    p = expit(z @ model.coef[step])
    curvature = (z * (w * p * (1 - p))[:, None]).T @ z + np.diag(np.r_[0, 1 / model.variance[step]])
    covariance = np.linalg.inv(curvature)
    got = model.root[step] @ model.root[step].T
    np.testing.assert_allclose(got, covariance, atol=0.01 * np.abs(covariance).max())


def drawn_logit(seed, *, sizes=(0.5, 0.0), n=4000):
    """Two kinds of ten columns each, whose coefficients have these standard deviations, and five of no kind."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 25)).astype(np.float32)
    coef = np.r_[rng.standard_normal(10) * sizes[0], rng.standard_normal(10) * sizes[1], rng.standard_normal(5) * 0.1]
    happened = rng.random(n) < expit(z @ coef - 1.5)
    return z, happened, np.ones(n), np.repeat([0, 1, -1], [10, 10, 5]), coef


def test_how_wide_the_prior_of_a_kind_is_is_learned():
    for seed in range(10):
        z, happened, weight, kinds, true = drawn_logit(seed)
        coef, variance = fit_ridge(z, happened, weight, kinds)
        wide, narrow, plain = variance[:10], variance[10:20], variance[20:]
        assert len(set(wide)) == len(set(narrow)) == 1
        assert wide[0] > 5 * PRIOR_VARIANCE
        assert narrow[0] < PRIOR_VARIANCE
        assert (plain == PRIOR_VARIANCE).all()
        fixed, same = fit_ridge(z, happened, weight, np.full(25, -1))
        assert (same == PRIOR_VARIANCE).all()
        assert ((coef[1:] - true) ** 2).sum() < ((fixed[1:] - true) ** 2).sum()


def test_learned_variances_are_steps_of_expectation_maximisation():
    """Each step by hand: the largest posterior by another optimiser, then means of squares and variances."""
    z, happened, weight, kinds, _ = drawn_logit(3, sizes=(0.3, 0.05), n=1500)
    design, event, variance = np.hstack([np.ones((len(z), 1)), z]).astype(float), happened.astype(float), kinds * 0.0

    def largest():
        asked = {"args": (design, event, weight, variance), "jac": True, "method": "BFGS", "tol": 1e-8}
        return minimize(penalised, np.zeros(26), **asked).x

    variance[:] = PRIOR_VARIANCE
    beta = largest()
    for _ in range(EM_STEPS):
        p = expit(design @ beta)
        prior = np.diag(np.r_[1e-6, 1 / variance])
        covariance = np.linalg.inv((design * (weight * p * (1 - p))[:, None]).T @ design + prior)
        square = beta[1:] ** 2 + np.diag(covariance)[1:]
        for kind in (0, 1):
            own = kinds == kind
            variance[own] = (square[own].sum() + GUESSED * PRIOR_VARIANCE) / (own.sum() + GUESSED)
        beta = largest()
    coef, found = fit_ridge(z, happened, weight, kinds)
    np.testing.assert_allclose(found, variance, rtol=0.01)
    np.testing.assert_allclose(coef, beta, atol=3e-3)


def test_nothing_is_learned_where_nothing_happened():
    z, _, weight, kinds, _ = drawn_logit(0, n=50)
    for happened in (np.zeros(50, bool), np.ones(50, bool)):
        coef, variance = fit_ridge(z, happened, weight, kinds)
        assert (coef[1:] == 0).all()
        assert (variance == PRIOR_VARIANCE).all()


def test_priors_are_wider_for_the_time_ahead_and_for_where_a_deal_stands():
    landmarks = landmarks_of().rename(columns={"kind": "state"})
    bins, happened = binned(landmarks)
    encoder = fit_encoder(landmarks)
    model = fit_logit(encoder, landmarks, bins, happened, np.ones(len(happened)))
    _, sources = encoder.splines(landmarks)
    spread = np.zeros(spline_design(encoder, landmarks, bins).shape[1])
    spread[model.kept] = model.design(landmarks, bins)[:, 1:].std(axis=0)
    # ridge sees a column that is so many times as large: its coefficient may be so many times as large for the same
    n_of_time = spline_logit._parts(encoder, landmarks, bins)["time"][0].shape[1]
    of_deal, of_time = spread[: len(sources)], spread[len(sources) :][:n_of_time]
    wide = np.array([source == "state" for source in sources])
    assert of_deal[wide] == pytest.approx(STANDING_REACH, rel=1e-3)
    assert of_deal[~wide] == pytest.approx(1, rel=1e-3)
    assert of_time[of_time > 0] == pytest.approx(TIME_REACH, rel=1e-3)
    products = spread[len(sources) + n_of_time :]
    assert products[products > 0] == pytest.approx(1, rel=1e-3)
    assert (products > 0).any()


def test_a_deal_beyond_what_was_learned_from_counts_as_one_on_the_edge_of_it():
    """Of a large and old deal the product of both was hundreds of deviations away, and its chance 1."""
    n = 400
    landmarks = landmarks_of(n=n).rename(columns={"x": "log_amount"}).assign(age_days=np.arange(n) % 100.0)
    large = landmarks["log_amount"] > landmarks["log_amount"].quantile(0.9)
    landmarks["age_days"] = landmarks["age_days"].where(~large, np.minimum(landmarks["age_days"], 50))
    bins, happened = binned(landmarks)
    model = fit_logit(fit_encoder(landmarks), landmarks, bins, happened, np.ones(len(happened)))
    far = landmarks.head(3).assign(log_amount=9.0, age_days=5000.0)
    asked = future_bins(far["landmark_day"].to_numpy(), **SHORT)
    known, beyond = model.design(landmarks, bins), model.design(far, asked)
    assert (beyond <= known.max(axis=0) + 1e-6).all()
    assert (beyond >= known.min(axis=0) - 1e-6).all()
    later = future_bins(far["landmark_day"].to_numpy(), edges=(0, 7, 5000), fiscal_year_start=1)
    assert (model.design(far, later) > known.max(axis=0) + 1e-6).any(), "time itself goes on"
    told = model.log_odds(far, asked)
    assert told.max() < model.log_odds(landmarks, bins).max() + 3


def test_the_prior_is_narrower_for_what_sets_kinds_of_deals_apart():
    landmarks = landmarks_of().rename(columns={"x": "log_amount"}).assign(age_days=lambda rows: 3 * rows.index)
    bins, happened = binned(landmarks)
    encoder = fit_encoder(landmarks)
    model = fit_logit(encoder, landmarks, bins, happened, np.ones(len(happened)))
    spread = np.zeros(spline_design(encoder, landmarks, bins).shape[1])
    spread[model.kept] = model.design(landmarks, bins)[:, 1:].std(axis=0)
    of_kinds = 2 * 3  # two kinds; age, size and time ahead
    assert spread[-of_kinds:] == pytest.approx(KINDS_REACH, rel=1e-3)
    assert spread[:-of_kinds][spread[:-of_kinds] > 0].min() == pytest.approx(1, rel=1e-3)


def test_the_kinds_of_which_the_prior_is_learned_are_products_with_time_and_phase():
    columns = {"x": "log_amount", "kind": "state"}
    landmarks = landmarks_of().rename(columns=columns).assign(age_days=lambda rows: 3 * rows.index % 500)
    bins, _ = binned(landmarks)
    encoder = fit_encoder(landmarks)
    design = spline_design(encoder, landmarks, bins)
    splines, sources = encoder.splines(landmarks)
    _, kind, _ = spline_logit._prior(encoder, landmarks, bins)
    of_bin = bin_features(bins, landmarks)
    late = (of_bin["log_middle"].to_numpy() - 4.0) / 1.5
    phase = np.clip(of_bin["to_quarter_end"].to_numpy() / 45 - 1, -1, 1)
    along = splines[:, [one in spline_logit.BY_TIME for one in sources]][bins.row]
    clocks = splines[:, [one in spline_logit.CLOCKS for one in sources]][bins.row]
    assert clocks.shape[1] > 1
    with_time = np.hstack([along * late[:, None], along * np.maximum(late, 0)[:, None]])
    np.testing.assert_allclose(design[:, kind == spline_logit.ALONG], with_time, atol=1e-4)
    with_phase = np.column_stack([clocks * phase[:, None], phase, np.maximum(phase, 0), late * phase])
    np.testing.assert_allclose(design[:, kind == spline_logit.PHASE], with_phase, atol=1e-4)


def test_draws_have_the_spread_of_the_coefficients(fitted):
    landmarks, bins, _, _, model = fitted
    few = bins.take(np.arange(40))
    design = model.design(landmarks, few)
    draws = np.array(model.drawn(landmarks, few, 2000))
    assert draws.shape == (2000, 40, 2)
    for step in (0, 1):
        expected = np.sqrt(((design @ model.root[step]) ** 2).sum(axis=1))
        np.testing.assert_allclose(draws[:, :, step].std(axis=0), expected, rtol=0.1)
        np.testing.assert_allclose(
            draws[:, :, step].mean(axis=0), design @ model.coef[step], atol=0.15 * expected.max()
        )


def test_of_many_quiet_bins_some_stand_for_all(monkeypatch):
    landmarks = landmarks_of(n=3000, n_deals=3000)
    bins, happened = binned(landmarks)
    settings = {"half_life_days": 1e9, "boosted": True, **SHORT}
    whole = fit_learners(landmarks, **settings)
    monkeypatch.setattr(learners, "MAX_QUIET", 2_000)
    day = landmarks["landmark_day"].to_numpy()
    kept, stands_for = learners._thinned(happened, bins, day)
    assert set(np.flatnonzero(happened >= 0)) <= set(kept)
    assert len(kept) == (happened >= 0).sum() + 2_000 < len(happened) / 2
    assert stands_for.sum() == pytest.approx(len(happened))
    quiet = happened[kept] < 0
    for told in (bins.start, day[bins.row] // 91):  # every time ahead and every quarter keeps its share
        values, all_of = np.unique(told[happened < 0], return_counts=True)
        some = np.bincount(np.searchsorted(values, told[kept][quiet]), stands_for[quiet])
        np.testing.assert_allclose(some, all_of, rtol=0.1, atol=8)
    fewer = fit_learners(landmarks, **settings)
    assert len(fewer.logit.bins.row) == len(kept)
    for rung, least in (("logistic", 0.98), ("boosting", 0.9)):
        one, other = (model.log_odds(rung, landmarks, bins) for model in (whole, fewer))
        for step in (0, 1):
            assert np.corrcoef(one[:, step], other[:, step])[0, 1] > least
            assert expit(other[:, step]).mean() == pytest.approx(expit(one[:, step]).mean(), rel=0.1)


def usual(bins):
    """No quarter better than another, and no season."""
    return (np.zeros(len(bins.row)), np.zeros(len(bins.row))), np.zeros((2, 4))


def booming(seed=8, n=6000):
    """Landmarks of two years; twice as much is won in the last two quarters. ``x`` only grows with the calendar."""
    rng = np.random.default_rng(seed)
    day = QUIET - rng.integers(0, 730, n)
    first_good = QUIET - 180
    duration = rng.geometric(0.012, n)
    late = day + duration > first_good  # from there on things end twice as fast
    duration = np.where(late, np.maximum(first_good - day, 0) + rng.geometric(0.024, n), duration)
    watched = QUIET - day
    won = rng.random(n) < 0.5
    x = (day - day.mean()) / 200 + rng.normal(0, 0.3, n)
    code = np.where(duration <= watched, won.astype(int), -1)
    known = {"landmark_day": day, "duration_days": np.minimum(duration, watched), "watched_days": watched}
    frame = pd.DataFrame({"deal_id": np.arange(n).astype(str), **known, "code": code, "x": x})
    return dated(frame).sort_values("landmark_day", ignore_index=True)


@pytest.mark.parametrize("rung", ["logistic", "boosting"])
def test_good_times_are_not_laid_to_what_goes_with_the_calendar(rung, monkeypatch):
    landmarks = booming()
    x = np.r_[np.linspace(-1.5, -0.5, 20), np.linspace(1.2, 1.7, 20)]
    fresh = dated(pd.DataFrame({"x": x, "landmark_day": QUIET}))
    bins = future_bins(fresh["landmark_day"].to_numpy(), edges=(0, 7), fiscal_year_start=1)
    gaps = []
    for spread in (QUARTER_SD, 1e-3):
        monkeypatch.setattr(spline_logit, "QUARTER_SD", spread)
        model = fit_learners(landmarks, half_life_days=1e9, boosted=True, **SHORT)
        odds = model.log_odds(rung, fresh, bins)[:, 0]
        gaps.append(odds[20:].mean() - odds[:20].mean())
    with_times, without = gaps
    assert without > 0.35, gaps
    assert abs(with_times) < 0.5 * without


def test_level_is_right_in_the_mean_of_the_quarters():
    odds, quarter = np.full(300, logit(0.1)), np.repeat([0, 1, 2], 100)
    happened, weight = np.zeros(300, dtype=bool), np.ones(300)
    happened[[*range(5), *range(100, 140)]] = True  # 5, 40 and none of 100
    whole = np.ones(3)
    p = expit(odds[0] + settled_level(odds, happened, quarter, weight, whole))
    assert p == pytest.approx(0.15, rel=1e-6)  # as many rows in each: no quarter counts more
    once = settled_level(odds, happened, np.zeros(300, dtype=int), weight, whole[:1])
    assert once == pytest.approx(logit(0.15) - logit(0.1), rel=1e-6)
    # ten times as many rows of the good quarter do not count ten times, as they would by chance alone
    many = np.r_[np.arange(300), np.tile(np.arange(100, 200), 9)]
    p = expit(odds[0] + settled_level(odds[many], happened[many], quarter[many], np.ones(len(many)), whole))
    by_chance = happened[many].mean()
    equal = happened.mean()
    assert equal < p < equal + 0.4 * (by_chance - equal)
    # of the good quarter only a third was watched: it counts less
    partly = expit(odds[0] + settled_level(odds, happened, quarter, weight, np.array([1, 1 / 3, 1])))
    assert 0.1 < partly < 0.14
    for nothing in (np.zeros(300, dtype=bool), np.ones(300, dtype=bool)):
        assert settled_level(odds, nothing, quarter, weight, whole) == 0


@pytest.mark.parametrize("code", [-1, 0, 1])
def test_nothing_to_tell_apart_gives_one_level(code):
    landmarks = landmarks_of().assign(code=code)
    bins, happened = binned(landmarks)
    happened = np.full(len(happened), code)
    weight = np.full(len(happened), 0.5)
    encoder = fit_encoder(landmarks)
    n = len(happened)
    weighted, plain = ((happened == 1).sum() * w + 0.5 for w in (0.5, 1.0))
    odds = fit_logit(encoder, landmarks, bins, happened, weight).log_odds(landmarks, bins)
    np.testing.assert_allclose(odds[:, 0], logit(weighted / (0.5 * n + 1)), rtol=1e-5)
    odds = fit_boosting(encoder, landmarks, bins, happened, weight, *usual(bins)).log_odds(landmarks, bins)
    np.testing.assert_allclose(odds[:, 0], logit(plain / (n + 1)))
    assert np.isfinite(odds).all()


def test_values_cut_into_classes_give_the_trees_that_the_values_give():
    landmarks = landmarks_of(n=3000, n_deals=3000)
    rng = np.random.default_rng(6)
    landmarks["days_to_close_date"] = rng.integers(-400, 400, len(landmarks)).astype(float)
    landmarks.loc[::7, "days_to_close_date"] = np.nan
    bins, happened = binned(landmarks)
    weight = rng.uniform(0.2, 1.0, len(landmarks))[bins.row]
    times = rng.normal(0, 0.3, (2, len(happened)))
    seasons = rng.normal(0, 0.3, (2, 4))
    model = fit_boosting(fit_encoder(landmarks), landmarks, bins, happened, weight, tuple(times), seasons)
    in_season = seasons[:, season_of(landmarks, bins)]
    quarter = quarters(landmarks["landmark_day"].to_numpy(), bins)
    part = parts(landmarks, bins)
    x = plain_design(model.encoder, landmarks, bins)
    told = model.log_odds(landmarks, bins)
    for k, (rows, end) in enumerate(((happened < 2, 1), (happened != 1, 0))):
        step, time = model.steps[k], times[k]
        assert step.cuts
        plain, event = HistGradientBoostingClassifier(**step.learner.get_params()), happened[rows] == end
        counts = np.where(event, np.exp(-time[rows]), 1)  # good times: count less
        counts = counts * weight[rows] / weight[happened >= 0].mean()
        plain.fit(x[rows], event, sample_weight=counts)
        odds = plain.decision_function(x) + in_season[k]
        level = brentq(right_in_the_mean, -3, 3, args=(odds[rows], event, quarter[rows], weight[rows], part))
        np.testing.assert_allclose(told[:, k], odds + level, rtol=1e-6)


def test_a_deal_counts_once_on_however_many_landmarks_it_stands():
    landmarks = landmarks_of()
    twice = pd.concat([landmarks, landmarks]).sort_values("landmark_day", ignore_index=True)
    once, again = (fit_learners(x, half_life_days=1e9, boosted=False, **SHORT) for x in (landmarks, twice))
    bins, _ = binned(landmarks)
    got, expected = (model.log_odds("logistic", landmarks, bins) for model in (again, once))
    np.testing.assert_allclose(got, expected, atol=5e-3)


def test_recent_landmarks_weigh_more(monkeypatch):
    landmarks = landmarks_of(n=300, n_deals=100)
    weights = []
    monkeypatch.setattr(learners, "fit_logit", lambda *args, **_: weights.append(args[4]))
    fit_learners(landmarks, half_life_days=70.0, boosted=False, **SHORT)
    bins, _ = binned(landmarks)
    age = (landmarks["landmark_day"].max() - landmarks["landmark_day"]).to_numpy()[bins.row]
    np.testing.assert_allclose(weights[0], 0.5 ** (age / 70) / 3)  # every deal stands on three landmarks


def test_the_blend_is_the_mean_and_boosting_is_repeatable():
    landmarks = landmarks_of()
    model, again = (fit_learners(landmarks, half_life_days=1e9, boosted=True, **SHORT) for _ in range(2))
    assert model.features == ["x", "noise", "kind"]
    bins, _ = binned(landmarks)
    odds = {rung: model.log_odds(rung, landmarks, bins) for rung in ("logistic", "boosting", "blend")}
    np.testing.assert_allclose(odds["blend"], (odds["logistic"] + odds["boosting"]) / 2)
    np.testing.assert_array_equal(again.log_odds("boosting", landmarks, bins), odds["boosting"])
    assert np.abs(odds["logistic"] - odds["boosting"]).max() > 0.01
    assert model.rungs == tuple(odds)
    assert Learners(model.logit, None).rungs == ("logistic",)


@pytest.mark.parametrize("rung", ["logistic", "boosting"])
def test_what_moves_the_hazard_is_found(rung):
    train, fresh = landmarks_of(1, 3000, 3000), landmarks_of(2, 3000, 3000)
    model = fit_learners(train, half_life_days=1e9, boosted=True, **SHORT)
    bins, happened = binned(fresh)
    odds = model.log_odds(rung, fresh, bins)
    p = expit(odds[:, 0])
    for high in (fresh["x"].to_numpy()[bins.row] > 0, fresh["kind"].eq("a").to_numpy()[bins.row]):
        for part in (high, ~high):
            noise = 2 * np.sqrt((p[part] * (1 - p[part])).sum())  # of the outcomes and, as large, of the fit
            assert abs(p[part].sum() - (happened[part] == 1).sum()) < 2 * noise
        assert p[high].mean() > 1.2 * p[~high].mean()


def due(seed, n=3000):
    """Landmarks of deals that are won when they are about 90 days old (a), or end at any time (b)."""
    rng = np.random.default_rng(seed)
    kind, age = rng.choice(["a", "b"], n), rng.integers(0, 85, n)
    duration = np.where(kind == "a", 90 + rng.integers(-3, 4, n) - age, rng.geometric(0.02, n))
    frame = {"landmark_day": QUIET - rng.integers(0, 280, n), "duration_days": np.maximum(duration, 1), "age_days": age}
    ends = {"watched_days": 400, "code": np.where(kind == "a", 1, rng.integers(0, 2, n)), "kind": kind}
    found = pd.DataFrame({"deal_id": np.arange(n).astype(str), **frame, **ends})
    return dated(found).sort_values("landmark_day", ignore_index=True)


def test_what_is_due_after_so_many_days_is_seen_by_the_trees(monkeypatch):
    fresh = due(2)
    bins, happened = binned(fresh)
    won = happened == 1

    def loss():
        model = fit_learners(due(1), half_life_days=1e9, boosted=True, **SHORT)
        p = expit(model.log_odds("boosting", fresh, bins)[:, 0])
        return -np.log(np.where(won, p, 1 - p)).mean()

    with_clocks = loss()
    monkeypatch.setattr(boosting, "_clocks", lambda landmarks, bins: np.zeros((len(bins.row), 0)))
    assert with_clocks < 0.95 * loss()


def test_each_kind_of_deals_has_clocks_of_its_own():
    """Of two kinds of deals one is signed early or never, the other late: together age says nothing."""
    rng = np.random.default_rng(3)
    n = 4000
    kind, age = rng.choice(["a", "b"], n), rng.uniform(0, 300, n)
    hazard = 0.02 * np.exp(np.where(kind == "a", -1, 1) * (age - 150) / 100)
    day = rng.geometric(hazard)
    landmarks = pd.DataFrame(
        {
            "deal_id": np.arange(n).astype(str), "landmark_day": np.sort(QUIET - rng.integers(0, 280, n)),
            "duration_days": np.minimum(day, 100), "watched_days": 100, "code": np.where(day <= 100, 1, -1),
            "age_days": age, "kind": kind,
        }
    )  # fmt: skip
    model = fit_learners(dated(landmarks), half_life_days=1e9, boosted=False, **SHORT)
    asked = dated(pd.DataFrame({"age_days": [30.0, 270.0] * 2, "kind": [*"aabb"], "landmark_day": QUIET}))
    bins = future_bins(asked["landmark_day"].to_numpy(), **SHORT)
    odds = model.log_odds("logistic", asked, bins)
    found = incidence_at(bins, odds, asked["landmark_day"].to_numpy(), np.array([28]))[0][:, 0]
    truth = 1 - (1 - 0.02 * np.exp(np.array([1.2, -1.2, -1.2, 1.2]))) ** 28
    np.testing.assert_allclose(found, truth, atol=0.2)  # drawn towards what both have in common (.45)
