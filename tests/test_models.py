"""Stage rates, shrinkage, stage table, hindsight and funnel: by hand, by law, and in worlds whose truth is known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaincinv, expit, logit
from worlds import CHANCES, book_of, day_of, simulate, tiny, true_incidence

import salesanalytics as sa
from salesanalytics.errors import SchemaError
from salesanalytics.models import StageTable, cumulative_incidence
from salesanalytics.models.half_life import choose_half_life, seen_until
from salesanalytics.models.hardly_signs import none_won
from salesanalytics.models.incidence import fit_incidence
from salesanalytics.models.influence import clustered_error, row_influence
from salesanalytics.models.shock import SHOCK_PRIOR, fit_shock
from salesanalytics.models.shrinkage import effective_n, marginal_strength, shrink
from salesanalytics.timeline import clock_rows, landmark_rows


def at(number):
    return day_of(number).date()


# ---------------------------------------------------------------- stage win rates by hand

HAND = {
    "a": [("S1", 0), ("S2", 10), ("won", 30)],
    "b": [("S1", 0), ("lost", 20)],
    "c": [("S1", 0), ("S2", 20), ("lost", 50)],
    "d": [("S1", 20)],
    "e": [("S2", 5, 15), ("won", 12, 15)],  # known when it was over
}


@pytest.fixture(scope="module")
def hand():
    return tiny(HAND, last=60, deals={"product": list("ppqqp"), "amount": [10.0, 20.0, 30.0, 40.0, 50.0]})


def test_rates_by_hand(hand):
    rates = sa.stage_win_rates(hand, as_of=at(60)).set_index("stage")
    s1, s2 = rates.loc["S1"], rates.loc["S2"]
    assert rates.index.tolist() == list(hand.process.stage_ids)
    assert s1[["n_entered", "n_won", "n_other_end", "n_open", "n_retrospective"]].tolist() == [4, 1, 2, 1, 0]
    assert s1["closed_only_rate"] == pytest.approx(1 / 3)
    # S1: day 20 one of 4 lost; day 30 one of 3 won; d is censored on day 40; day 50 the last one lost
    assert (s1["p_won"], s1["p_open"]) == pytest.approx((0.75 / 3, 0.0))
    assert s2[["n_entered", "n_won", "n_other_end", "n_open", "n_retrospective"]].tolist() == [3, 2, 1, 0, 1]
    assert s2["closed_only_rate"] == pytest.approx(2 / 3)
    assert s2["p_won"] == pytest.approx(1 / 2)  # e has no time at risk
    assert (s1["nominal"], s2["nominal"]) == (0.10, 0.20)
    assert rates.loc["S5", ["n_entered", "n_in_stock"]].tolist() == [0, 0]
    assert rates.loc["S5", ["p_won", "p_won_in_stock", "closed_only_rate"]].isna().all()
    assert rates.loc["S5", "shrunk_won"] == pytest.approx(rates.loc["S5", "nominal"])


def test_rates_in_stock_by_hand(hand):
    # landmarks on days 32 and 4 (28 days apart, back from 60, none on 60 itself); ends are known at once: nobody waited
    # for that of e, which came with the deal
    rows = landmark_rows(hand, as_of=at(60))
    got = sorted(rows[["landmark_day", "deal_id", "state", "duration_days", "end"]].itertuples(index=False, name=None))
    first, second = sorted(rows["landmark_day"].unique())
    assert got == [
        (first, "a", "S1", 26, "won"), (first, "b", "S1", 16, "lost"), (first, "c", "S1", 46, "lost"),
        (second, "c", "S2", 18, "lost"), (second, "d", "S1", 28, "open"),
    ]  # fmt: skip
    s1 = sa.stage_win_rates(hand, as_of=at(60)).set_index("stage").loc["S1"]
    # day 16 one of 4 lost, day 26 one of 3 won, day 28 d unseen, day 46 the last one lost
    assert s1["n_in_stock"] == 4
    assert (s1["p_won_in_stock"], s1["p_open_in_stock"]) == pytest.approx((0.75 / 3, 0.0))


def test_horizon(hand):
    s1 = sa.stage_win_rates(hand, as_of=at(60), horizon_days=29).set_index("stage").loc["S1"]
    assert (s1["p_won"], s1["p_open"], s1["n_at_horizon"]) == (0, 0.75, 3)
    assert (s1["lower_won"], s1["upper_won"]) == pytest.approx((0, 1 - 0.05 ** (1 / 4)))
    none = sa.stage_win_rates(hand, as_of=at(60), horizon_days=5).set_index("stage").loc["S1"]
    assert (none["p_won"], none["p_open"], none["n_at_horizon"]) == (0, 1, 4)
    with pytest.raises(SchemaError, match="horizon_days"):
        sa.stage_win_rates(hand, as_of=at(60), horizon_days=0)
    with pytest.raises(SchemaError, match="confidence"):
        sa.stage_win_rates(hand, as_of=at(60), confidence=1.0)


def test_late_entry_is_not_at_risk_before_it_is_known():
    # x enters S1 on day 0, is known from day 25 and won on day 40; y is lost on day 20, z on day 30, u open
    paths = {"x": [("S1", 0, 25), ("won", 40)], "y": [("S1", 0), ("lost", 20)], "z": [("S1", 0), ("lost", 30)]}
    book = tiny({**paths, "u": [("S1", 0)]}, last=60)
    s1 = sa.stage_win_rates(book, as_of=at(60)).set_index("stage").loc["S1"]
    # day 20: 1 of 3; day 30: 1 of 3 (x has come); day 40: 1 of 2
    assert s1["p_won"] == pytest.approx((2 / 3) * (2 / 3) / 2)


def test_a_state_of_which_all_is_known_too_late_says_nothing():
    book = tiny({"x": [("S1", 0, 30), ("won", 20, 30)], "y": [("S1", 0, 30), ("lost", 25, 30)]}, last=60)
    s1 = sa.stage_win_rates(book, as_of=at(60)).set_index("stage").loc["S1"]
    assert s1[["n_entered", "n_retrospective"]].tolist() == [2, 2]
    assert s1[["p_won", "se_won", "lower_won", "upper_won"]].isna().all()
    assert s1["shrunk_won"] == pytest.approx(s1["nominal"])  # no time at risk, so only the prior speaks


def test_a_reopened_deal_counts_by_its_last_outcome_from_its_first_entry():
    paths = {
        "x": [("S1", 0), ("lost", 10), ("S2", 30), ("S1", 35), ("won", 50)],
        "y": [("S1", 0), ("won", 5), ("S1", 9)],
    }
    rates = sa.stage_win_rates(tiny(paths, last=60), as_of=at(60)).set_index("stage")
    assert rates.loc["S1", ["n_entered", "n_won", "n_open"]].tolist() == [2, 1, 1]
    assert rates.loc["S1", "p_won"] == pytest.approx(0.5)  # x on day 50 of 2 at risk, y is censored on day 60
    assert rates.loc["S2", "n_won"] == 1


@cache
def world(seed=3, days=700, per_day=0.4):
    deals, history = simulate(seed, days=days, per_day=per_day)
    return deals.assign(product=np.where(np.arange(len(deals)) % 3, "p", "q")), history


@cache
def world_book():
    return book_of(*world(), last=699)


@pytest.mark.parametrize("horizon", [60, 730])
def test_rates_agree_with_the_incidence_of_the_clock_rows(horizon):
    rates = sa.stage_win_rates(world_book(), as_of=at(699), horizon_days=horizon, confidence=0.8).set_index("stage")
    rows = clock_rows(world_book(), as_of=at(699))
    for state in CHANCES:
        here = rows[rows["state"] == state]
        curve = cumulative_incidence(
            here["duration_days"], here["end"], entry_days=here["entry_days"], confidence=0.8
        ).query("days <= @horizon")
        names = ["p_won", "se_won", "lower_won", "upper_won", "p_open"]
        assert rates.loc[state, names].tolist() == pytest.approx(curve[names].iloc[-1].tolist())


def test_curves_are_those_of_the_clock_rows():
    curves = sa.signing_curves(world_book(), as_of=at(699), by="product")
    rows = clock_rows(world_book(), as_of=at(699))
    ids = world()[0].query("product == 'q'")["deal_id"]
    here = rows[(rows["state"] == "S2") & rows["deal_id"].isin(ids)]
    expected = cumulative_incidence(here["duration_days"], here["end"], entry_days=here["entry_days"])
    got = curves.query("stage == 'S2' and product == 'q'")[expected.columns]
    pd.testing.assert_frame_equal(got.reset_index(drop=True), expected)


def test_no_censoring_gives_plain_frequencies():
    deals, history = world()
    ended = history.loc[history["value"].isin(["won", "lost"]), "deal_id"]
    book = book_of(deals[deals["deal_id"].isin(ended)], history[history["deal_id"].isin(ended)], last=699)
    rates = sa.stage_win_rates(book, as_of=at(699)).set_index("stage")
    assert rates["p_won"].dropna().tolist() == pytest.approx(rates["closed_only_rate"].dropna().tolist())
    assert len(rates["p_won"].dropna()) == 3


@pytest.mark.parametrize("change", ["order", "names"])
def test_neither_row_order_nor_ids_matter(change):
    deals, history = world()
    rng = np.random.default_rng(0)
    if change == "order":
        # rows of one deal on one day keep their order: it says which came last
        history = history.iloc[np.argsort(rng.random(len(deals))[pd.factorize(history["deal_id"])[0]], kind="stable")]
        deals = deals.sample(frac=1, random_state=1)
    else:
        new = {old: f"{k:x}" for old, k in zip(deals["deal_id"], rng.permutation(len(deals)), strict=True)}
        deals, history = (t.assign(deal_id=t["deal_id"].map(new)) for t in (deals, history))
    other = book_of(deals, history, last=699)
    for by in (None, "product"):
        expected = sa.stage_win_rates(world_book(), as_of=at(650), by=by)
        pd.testing.assert_frame_equal(sa.stage_win_rates(other, as_of=at(650), by=by), expected, rtol=1e-9)
        expected = sa.stage_flow(world_book(), as_of=at(650), by=by)
        pd.testing.assert_frame_equal(sa.stage_flow(other, as_of=at(650), by=by), expected, rtol=1e-9)


def test_segments_are_those_of_known_deals_and_nothing_else(hand):
    rates = sa.stage_win_rates(hand, as_of=at(60), by="product")
    assert set(rates["product"]) == {"p", "q"}
    assert rates.groupby("stage")["n_entered"].sum()["S1"] == 4
    assert sa.stage_win_rates(hand, as_of=at(-1), by="product").empty
    with pytest.raises(
        SchemaError, match="by must be rep_id, team, a column of deals or a field of the history, got 'colour'"
    ):
        sa.stage_win_rates(hand, as_of=at(60), by="colour")


# ---------------------------------------------------------------- coverage, where the truth is known

N_WORLDS, HORIZON, LENGTH = 150, 150, 500


@cache
def covered():
    """150 companies, each a product of one book; constant chances, so that both rates have the same truth."""
    found = [simulate(s, days=LENGTH, per_day=0.15, prefix=f"w{s:03d}") for s in range(N_WORLDS)]
    deals = pd.concat([d.assign(product=d["deal_id"].str[:4]) for d, _ in found])
    book = book_of(deals, pd.concat([h for _, h in found]), last=LENGTH - 1)
    return sa.stage_win_rates(book, as_of=at(LENGTH - 1), by="product", horizon_days=HORIZON, confidence=0.9)


@pytest.mark.parametrize("suffix", ["won", "in_stock"])
def test_intervals_hold_the_truth_as_often_as_they_claim(suffix):
    inside = []
    for state in CHANCES:
        rates, truth = covered()[covered()["stage"] == state], true_incidence(state, HORIZON)
        p = rates["p_won" if suffix == "won" else "p_won_in_stock"]
        assert p.mean() == pytest.approx(truth, abs=4 * p.std() / np.sqrt(len(p)))
        inside += [rates[f"lower_{suffix}"].le(truth) & rates[f"upper_{suffix}"].ge(truth)]
    assert 0.85 <= np.mean(inside) <= 0.95


def test_alike_segments_are_drawn_together_and_hardly_cover_less():
    rates = covered()[covered()["stage"] == "S1"]
    truth = true_incidence("S1", HORIZON)
    assert (rates["prior_strength_won"] > 100).all()
    assert (rates["shrunk_won"] - truth).std() < 0.5 * (rates["p_won"] - truth).std()
    assert (rates["shrunk_lower_won"].le(truth) & rates["shrunk_upper_won"].ge(truth)).mean() > 0.85


# ---------------------------------------------------------------- shrinkage


def test_effective_n():
    assert effective_n(0.3, np.sqrt(0.3 * 0.7 / 40), 999) == pytest.approx(40)
    assert effective_n([0.0, 1.0, 0.5], [0.0, 0.0, 0.0], [7, 8, 9]).tolist() == [7, 8, 9]
    assert effective_n(0.0, np.nan, 0) == 0


def test_shrink_by_hand():
    fit = shrink(0.5, 20, prior=0.2, strength=10, confidence=0.9)
    assert fit["p"] == pytest.approx((10 + 2) / 30)
    assert fit["lower"] == pytest.approx(betaincinv(12, 18, 0.05))
    assert fit["upper"] == pytest.approx(betaincinv(12, 18, 0.95))
    nothing = shrink(0.0, 15, prior=0.2, strength=10, confidence=0.9)  # no events: Beta with the number at risk
    assert nothing["p"] == pytest.approx(2 / 25)
    assert nothing["upper"] == pytest.approx(betaincinv(2, 23, 0.95))
    free = shrink(0.4, 10, prior=np.nan, strength=10, confidence=0.9)
    assert free["p"] == pytest.approx(0.4)
    assert np.isnan(shrink(0.0, 0, prior=np.nan, strength=10, confidence=0.9)["p"])


def test_stage_is_drawn_to_its_nominal_rate(hand):
    s1 = sa.stage_win_rates(hand, as_of=at(60)).set_index("stage").loc["S1"]
    k = hand.process.nominal_prior_strength
    n_eff = s1["p_won"] * (1 - s1["p_won"]) / s1["se_won"] ** 2
    assert s1["prior_strength"] == k == 10
    assert s1["shrunk_won"] == pytest.approx((n_eff * s1["p_won"] + k * 0.1) / (n_eff + k))


def test_marginal_strength_tells_alike_from_different():
    rng = np.random.default_rng(0)
    n = np.full(12, 60.0)
    alike = [marginal_strength(rng.binomial(60, 0.3, 12) / 60, n, prior=0.3) for _ in range(40)]
    truth = [rng.beta(0.3 * 8, 0.7 * 8, 12) for _ in range(40)]
    different = [marginal_strength(rng.binomial(60, p) / 60, n, prior=0.3) for p in truth]
    assert np.median(alike) > 100
    assert 4 < np.median(different) < 16
    assert np.isfinite(marginal_strength([0.0, 0.0], [5.0, 0.0], prior=0.0))


# ---------------------------------------------------------------- the stage table


@cache
def table(half_life=np.inf):
    return StageTable(half_life_days=half_life).fit(world_book(), as_of=at(699))


def asked(state, *days):
    return pd.DataFrame({"state": state, "days_in_state": days})


def test_a_pool_is_what_stood_there_at_ages_around_drawn_to_the_state():
    rows = table().rows_
    state = rows[rows["state"] == "S1"]
    here = state[state["days_in_state"].between(10 / 1.5, 10 * 1.5)]
    assert here["deal_id"].nunique() >= 30
    won, other, pool = table().predict(asked("S1", 10), horizon_days=[30, 60], confidence=0.8)

    def plain(part, horizon):
        curve = cumulative_incidence(part["duration_days"], part["end"]).query("days <= @horizon").iloc[-1]
        return np.array([curve["p_won"], curve["p_lost"]])

    duration, codes = here["duration_days"].to_numpy("int64"), here["code"].to_numpy()
    fit = fit_incidence(duration, codes, ["other", "won"])
    influence = row_influence(fit, duration, codes, at_day=365, k=1)
    se = clustered_error(influence, pd.factorize(here["deal_id"])[0])
    p = plain(here, 365)[0]
    n_eff = p * (1 - p) / se**2
    for k, horizon in enumerate((30, 60)):
        expected = (n_eff * plain(here, horizon) + 10 * plain(state, horizon)) / (n_eff + 10)
        assert (won[0, k], other[0, k]) == pytest.approx(tuple(expected))
    assert pool["n_pool"].tolist() == [here["deal_id"].nunique()]
    assert 0.5 < n_eff / pool["n_pool"][0] < 2
    assert pool["p_lower"][0] < won[0, -1] < pool["p_upper"][0]


def test_a_pool_that_is_too_small_is_widened_to_thirty_deals():
    rows = table().rows_
    old = int(rows.loc[rows["state"].eq("S3"), "days_in_state"].quantile(0.99))
    near = rows[rows["state"].eq("S3") & rows["days_in_state"].between(old / 1.5, old * 1.5)]
    _, _, pool = table().predict(asked("S3", old), horizon_days=[60])
    assert near["deal_id"].nunique() < 30 <= pool["n_pool"][0]


def test_predictions_are_chances_that_grow():
    ages = [0, 3, 10, 27, 90, 400]
    horizons = np.arange(0, 400, 7)
    for state in CHANCES:
        won, other, pool = table().predict(asked(state, *ages), horizon_days=horizons)
        assert won.shape == other.shape == (len(ages), len(horizons))
        assert (np.diff(won, axis=1) >= 0).all()
        assert (np.diff(other, axis=1) >= -1e-12).all()
        assert (won >= 0).all()
        assert (other >= 0).all()
        assert (won + other <= 1 + 1e-12).all()
        assert (won[:, 0] == 0).all()  # who stands there has not signed
        assert (pool["p_lower"] <= won[:, -1]).all()
        assert (won[:, -1] <= pool["p_upper"]).all()


def test_older_than_any_win():
    rows = table().rows_
    s3 = rows[rows["state"] == "S3"]
    oldest = s3.loc[s3["code"] == 1, "days_in_state"].max()
    won, _, pool = table().predict(asked("S3", 3 * oldest, 1), horizon_days=[0, 30, 90])
    assert pool["older_than_any_win"].tolist() == [True, False]
    assert 0 == won[0, 0] < won[0, 1] <= won[0, 2] < won[1, 2] / 3
    unknown, other, pool = table().predict(asked("S8", 5), horizon_days=[90])
    everybody = cumulative_incidence(rows["duration_days"], rows["end"]).query("days <= 90").iloc[-1]
    assert (unknown[0, 0], other[0, 0]) == pytest.approx((everybody["p_won"], everybody["p_lost"]))
    assert (pool["n_pool"][0], pool["older_than_any_win"][0]) == (0, False)
    nobody, _, pool = (
        StageTable().fit(tiny({"x": [("S1", 9)]}, last=9), as_of=at(9)).predict(asked("S1", 0), horizon_days=[90])
    )
    assert (nobody[0, 0], pool["older_than_any_win"][0]) == (0, True)


def test_older_than_any_win_is_told_by_the_day_whatever_the_landmarks_met():
    paths = {f"d{k}": [("S1", 0), ("S2", 100), ("S1", 150), ("won", 355)] for k in range(40)}
    one = StageTable().fit(tiny(paths, last=450), as_of=at(450))  # landmarks on days 338 (the 188th in S1) and 366
    for state, longest in (("S1", 205), ("S2", 50)):
        _, _, pool = one.predict(asked(state, longest - 5, longest, longest + 1), horizon_days=[90])
        assert pool["older_than_any_win"].tolist() == [False, False, True]
    won, _, _ = one.predict(asked("S1", 200), horizon_days=[90])
    assert won[0, 0] > 0.8
    quick = StageTable().fit(
        tiny({f"q{k}": [("S1", 1), ("won", 20)] for k in range(5)} | {"o": [("S1", 0)]}, last=28), as_of=at(28)
    )
    won, _, pool = quick.predict(asked("S1", 19, 20), horizon_days=[90])  # a landmark met the open one alone
    # of 90 days it was watched for 28, at an age that others were won at, and not at all at a later one
    assert won[:, 0].tolist() == pytest.approx([0.5 / (28 / 90 + 1), 0.5])
    assert pool["older_than_any_win"].tolist() == [False, True]


def test_how_likely_dead_stock_is_hangs_on_the_deals_that_old_and_not_on_those_won_younger():
    won = {f"w{k}": [("S1", 0), ("won", 60)] for k in range(200)}
    for n_old, trials in ((3, 10), (40, 40)):
        old = {f"o{k}": [("S1", 0), ("lost", 100)] for k in range(n_old)}
        one = StageTable().fit(tiny(won | old, last=200), as_of=at(200))
        p, _, pool = one.predict(asked("S1", 61, 90), horizon_days=[0, 90])
        assert pool[["n_pool", "older_than_any_win"]].to_numpy().tolist() == [[n_old, True]] * 2
        assert p.tolist() == [[0, pytest.approx(0.5 / (trials + 1))]] * 2
    alive = {f"l{k}": [("S1", 0), ("lost", 20)] for k in range(9_800)}  # of all deals of the state 2 % are won
    one = StageTable().fit(tiny(won | old | alive, last=200), as_of=at(200))
    assert one.predict(asked("S1", 90), horizon_days=[1])[0][0, 0] < 0.5 / 41


def test_dead_stock_was_watched_for_as_many_stretches_as_the_horizon_asks_for():
    won = {f"w{k}": [("S1", 0), ("won", 60)] for k in range(200)}
    old = {f"o{k}": [("S1", 0)] for k in range(40)}
    one, days = StageTable().fit(tiny(won | old, last=1400), as_of=at(1400)), [0, 10, 91, 365, 3_000]
    p, _, pool = one.predict(asked("S1", 869), horizon_days=days)
    assert pool["older_than_any_win"].all()
    watched = 28 * one.rows_["days_in_state"].between(869 / 1.5, 869 * 1.5).sum()  # 40 deals for 724 days
    assert watched == pytest.approx(40 * 724, rel=0.02)
    assert p[0].tolist() == pytest.approx([0, *(0.5 / (watched / h + 1) for h in days[1:])])
    no_win = StageTable().fit(tiny(old, last=1400), as_of=at(1400))
    p, other, _ = no_win.predict(asked("S1", 869), horizon_days=days)
    assert p[0].tolist() == pytest.approx([0, *(0.5 / (watched / h + 1) for h in days[1:])])
    assert (other == 0).all()


def test_trials_by_hand():
    # a deal seen on 2 landmarks, still open; one on 1, lost; one on 20, open
    deal, codes = np.repeat([4, 0, 2], [2, 1, 20]), np.repeat([-1, 0, -1], [2, 1, 20])
    horizons = np.array([7, 91, 364, np.inf])
    told = none_won(deal, codes, np.array([-5, 100]), every_days=28)
    by_deal = [56 / horizons, np.maximum(28 / horizons, 1), 560 / horizons]
    assert told.trials(horizons) == pytest.approx(np.maximum(sum(by_deal), [5, 5, 0, 0]))
    assert told.chances(np.array([0, 364]), at_most=np.array([1, 0.1])).tolist() == [0, 0.1]
    assert told.chances(horizons[2:]) == pytest.approx([0.5 / (56 / 364 + 1 + 560 / 364 + 1), 0.25])
    nobody = none_won(deal[:0], codes[:0], np.array([-5, 100]), every_days=28)
    assert nobody.trials(horizons).tolist() == [5, 5, 0, 0]
    assert nobody.upper(91, 0.8) == pytest.approx(1 - 0.1 ** (1 / 6))


def test_in_a_young_book_older_than_any_win_means_little():
    expected = came = 0.0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        opened = np.sort(rng.integers(0, 120, 25))
        signed = opened + 1 + rng.exponential(400, 25).astype(int)
        paths = {f"d{k}": [("S1", opened[k]), *[("won", b)] * int(b < 150)] for k, b in enumerate(signed)}
        still = signed >= 150
        one = StageTable().fit(tiny(paths, last=149), as_of=at(149))
        p, _, pool = one.predict(asked("S1", *(149 - opened[still])), horizon_days=[91])
        old = pool["older_than_any_win"].to_numpy()
        expected += p[old].sum()
        came += (signed[still][old] - 149 <= 91).sum()
    assert came > 10
    assert 0.6 < expected / came < 1.2


def test_without_a_win_a_state_that_no_landmark_met_has_a_small_chance_and_not_none():
    young = StageTable().fit(tiny({f"d{k}": [("S1", 0), ("S2", 49)] for k in range(4)}, last=50), as_of=at(50))
    won, _, pool = young.predict(pd.concat([asked("S1", 50), asked("S2", 1)]), horizon_days=[0, 90])
    assert won.tolist() == [[0, pytest.approx(0.5 / (4 * 28 / 90 + 1))]] * 2  # 4 deals, for 28 days of 90
    assert pool["older_than_any_win"].tolist() == [True, False]


def test_nothing_signed_so_soon_still_leaves_room_above():
    paths = {f"d{k}": [("S1", 0), ("won", 205)] for k in range(40)}  # landmarks on days 188 and 216
    one = StageTable().fit(tiny(paths, last=300), as_of=at(300))
    won, _, pool = one.predict(asked("S1", 10), horizon_days=[5])
    assert won[0, 0] == 0
    assert 0 < pool["p_upper"][0] < 0.2


def test_the_table_knows_the_truth_of_a_constant_world():
    for state in CHANCES:
        won, _, _ = table().predict(asked(state, 5, 15, 30), horizon_days=[60])
        assert won[:, 0] == pytest.approx(true_incidence(state, 60), abs=0.09)


def test_weights_halve_with_the_half_life():
    state = table(300.0).states_["S1"]
    rows = table().rows_
    days = np.sort(rows["landmark_day"].unique())
    assert state.weight.max() == 1
    assert np.unique(state.weight)[0] == pytest.approx(0.5 ** ((days[-1] - days[0]) / 300), rel=1e-6)


def drifting(seed, *, drift, years=8, per_day=0.4):
    """Landmark rows of one state; every day 1 % end, won with a chance that stays at .4 or falls from .75 to .15."""
    rng = np.random.default_rng(seed)
    last = 364 * years
    born = np.sort(rng.integers(0, last, rng.poisson(per_day * last)))
    left = born + rng.geometric(0.01, len(born))
    won = rng.random(len(born)) < (0.75 - 0.6 * left / last if drift else 0.4)
    marks = np.arange(0, last, 28)
    deal, mark = np.nonzero((born[:, None] <= marks) & (marks < left[:, None]))
    seen = left[deal] < last
    columns = {
        "landmark_day": marks[mark],
        "state": "S1",
        "duration_days": np.minimum(left[deal], last) - marks[mark],
        "code": np.where(seen, won[deal].astype(int), -1),
    }
    return pd.DataFrame(columns)


def test_the_half_life_is_short_where_rates_drift_and_mostly_long_where_they_do_not():
    moving = [choose_half_life(drifting(s, drift=True)) for s in range(8)]
    still = [choose_half_life(drifting(s, drift=False)) for s in range(16)]
    assert np.mean([h <= 730 for h in moving]) >= 0.8
    assert np.mean([h >= 1460 for h in still]) >= 0.5


def test_without_a_past_all_landmarks_count_the_same():
    rows = drifting(1, drift=True)
    assert choose_half_life(rows.iloc[:0]) == np.inf
    assert choose_half_life(rows[rows["landmark_day"] < 300]) == np.inf
    assert choose_half_life(rows.assign(code=-1)) == np.inf  # nothing told them apart


def test_what_the_recording_lag_hides_is_not_taken_for_nothing():
    rows = pd.DataFrame({"landmark_day": [0, 28, 56], "duration_days": [3, 40, 28]})
    assert seen_until(rows) == 84
    assert seen_until(rows.assign(duration_days=[3, 40, 27])) == 56  # day 83 is the last one seen
    assert seen_until(rows.assign(duration_days=[3, 1, 2])) == 56


# ---------------------------------------------------------------- the common shock


def forecasts(seed, *, spread=0.0, n=250, origins=12):
    """Past forecasts that are right but for a common shift of each origin."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.2, 8, (origins, n))
    truth = expit(logit(p) + rng.normal(0, spread, (origins, 1)))
    parts = {"origin_day": np.repeat(np.arange(origins) * 84, n), "p": p.ravel()}
    signed = (rng.random((origins, n)) < truth).astype(float).ravel()
    return pd.DataFrame(parts | {"signed": signed, "deal_id": np.tile(np.arange(n).astype(str), origins)})


def test_the_spread_of_the_common_shock_is_found():
    none, small, large = (
        np.mean([fit_shock(forecasts(s, spread=spread)).spread for s in range(12)]) for spread in (0.0, 0.35, 0.8)
    )
    assert none < 0.2
    assert 0.25 < small < 0.45
    assert 0.5 < large < 0.9
    prior = fit_shock(forecasts(0).iloc[:0])
    end = 1.5 / SHOCK_PRIOR  # where the half-Cauchy distribution is cut
    by_hand = SHOCK_PRIOR * np.log1p(end**2) / (2 * np.arctan(end))
    assert prior.spread == pytest.approx(by_hand, abs=0.02)
    assert len(prior.shifts) == 0


def test_a_shock_is_centred_and_as_wide_as_its_posterior():
    shock = fit_shock(forecasts(1, spread=0.8))
    drawn = shock.draw(np.random.default_rng(0), 20_000)
    grid = np.linspace(0, 1.5, 61)
    assert drawn.mean() == pytest.approx(0, abs=1e-12)
    assert drawn.std() == pytest.approx(np.sqrt(shock.weight @ grid**2), rel=0.03)
    assert shock.draw(np.random.default_rng(0), 1).tolist() == [0]


def test_origins_that_hardly_expect_anything_say_hardly_anything():
    few = [fit_shock(forecasts(s, n=3)).spread for s in range(10)]
    assert np.mean(few) == pytest.approx(0.24, abs=0.06)  # the prior


# ---------------------------------------------------------------- the funnel


def test_flow_by_hand():
    paths = {
        "a": [("S1", 0), ("S2", 10), ("S3", 30), ("won", 60)],
        "b": [("S1", 0), ("S3", 20), ("S2", 30), ("lost", 45)],  # skips S2, falls back to it
        "c": [("S1", 5), ("on_hold", 15), ("lost", 40)],
        "d": [("S2", 10), ("on_hold", 20), ("S1", 30)],  # falls back through a pause
        "e": [("S1", 50)],
        "f": [("S2", 0), ("won", 50)],
        "g": [("S1", 0), ("S2", 4), ("lost", 8), ("S3", 50)],  # comes back
    }
    book = tiny(paths, last=70, deals={"amount": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0], "product": list("xxxyyyx")})
    flow = sa.stage_flow(book, as_of=at(70)).set_index("stage")
    s1, s2, s3 = (flow.loc[s] for s in ("S1", "S2", "S3"))
    assert (s1["n_entered"], s1["amount_entered"]) == (6, 1 + 2 + 4 + 8 + 16 + 64)
    # a, b, g went on; c was lost; d came from above and has not gone on; e is new
    assert (s1["n_passed"], s1["n_undecided"], s1["pass_rate"]) == (3, 2, 0.75)
    assert (s1["n_skipped"], s1["n_fell_back"], s1["n_ended_here"]) == (1, 0, 1)
    assert (s1["n_standing"], s1["amount_standing"]) == (2, 8 + 16)
    # a, f, g passed S2; b reached S3 before it and not after
    assert (s2["n_entered"], s2["n_passed"], s2["n_undecided"], s2["pass_rate"]) == (5, 3, 1, 0.75)
    # b was lost there; the loss of g was taken back
    assert (s2["n_fell_back"], s2["n_ended_here"], s2["n_skipped"], s2["n_standing"]) == (1, 1, 0, 0)
    assert (s2["won_days_q50"], s2["won_days_q90"]) == pytest.approx((35, 47))  # a 20, f 50
    assert (s3["n_entered"], s3["n_passed"], s3["n_skipped"], s3["n_standing"]) == (3, 1, 1, 1)
    assert (s3["n_fell_back"], s3["pass_rate"], s3["n_undecided"]) == (1, 0.5, 1)
    assert flow.loc["S4", ["n_entered", "n_passed", "n_skipped"]].tolist() == [0, 0, 2]

    by = sa.stage_flow(book, as_of=at(70), by="product").groupby("stage")["n_entered"].sum()
    assert by.to_dict() == flow["n_entered"].to_dict()


def test_a_deal_no_longer_seen_stands_nowhere():
    paths = {"a": [("S1", 0)], "gone": [("S1", 0)]}
    book = tiny(paths, last=70, deals={"amount": [1.0, 2.0], "last_seen_on": [pd.NaT, at(30)]})
    for by in (None, "product"):
        s1 = sa.stage_flow(book, as_of=at(70), by=by).iloc[0]
        assert (s1["n_entered"], s1["n_undecided"], s1["n_standing"], s1["amount_standing"]) == (2, 2, 1, 1.0)
    assert sa.stage_flow(book, as_of=at(30)).iloc[0]["n_standing"] == 2  # the last day on which it was seen


def test_models_of_a_book_in_which_nothing_has_happened():
    book = tiny({"a": [], "b": []}, last=10)
    rates = sa.stage_win_rates(book, as_of=at(5)).set_index("stage")
    assert rates.loc["S1", "n_open"] == 2
    assert rates["p_won"].dropna().eq(0).all()
    assert sa.stage_flow(book, as_of=at(5))["n_standing"].tolist() == [2, *[0] * 7]
    before = sa.stage_win_rates(book, as_of=at(-5))
    assert before["n_entered"].eq(0).all()
    assert before["p_won"].isna().all()
    assert sa.stage_flow(book, as_of=at(-5))["n_entered"].eq(0).all()
    assert sa.signing_curves(book, as_of=at(-5)).empty
    never = sa.signing_curves(tiny({"a": [("S1", 0), ("lost", 5)], "b": [("S1", 0)]}, last=9), as_of=at(9))
    assert never["p_won"].tolist() == [0.0] * len(never)  # nothing was won, and that is drawn
    won, other, _ = StageTable().fit(book, as_of=at(-5)).predict(asked("S1", 5), horizon_days=[30])
    assert (won[0, 0], other[0, 0]) == (0, 0)
