"""Reps given their deals: the random-effects fit against quadrature, other fits and known truth; books by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import binom, norm, spearmanr
from sklearn.linear_model import LogisticRegression

import salesanalytics as sa
from salesanalytics.errors import InsufficientDataError, SchemaError
from salesanalytics.labels import label
from salesanalytics.process import read_process
from salesanalytics.reps import averaging
from salesanalytics.reps.averaging import EFFECTS, OUTLIERS, WIDTHS, Deals, at_spread, within_reps
from salesanalytics.reps.honesty import forecast_honesty
from salesanalytics.reps.means import median_interval, shrunk_means
from salesanalytics.reps.outcomes import case_mix, outcome_rows
from salesanalytics.reps.predictive import limits, mid_p, wins_by_chance
from salesanalytics.reps.random_effects import fit_rep_effects
from salesanalytics.reps.volume import volume_and_pace

START = pd.Timestamp("2022-01-01")
SD = 0.35


def world(seed, *, harder=0.0, n_reps=40, low=6, high=250):
    """Reps of known skill; with ``harder`` the facts of their deals go with it."""
    rng = np.random.default_rng(seed)
    n = np.exp(rng.uniform(np.log(low), np.log(high), n_reps)).astype(int)
    z = rng.standard_normal(n_reps)
    rep = np.repeat(np.arange(n_reps), n)
    x = -harder * z[rep][:, None] + np.sqrt(1 - harder**2) * rng.standard_normal((len(rep), 2))
    location = -1.0 + x @ [0.8, 0.6]
    won = (rng.random(len(rep)) < expit(location + SD * z[rep])).astype(float)
    return {"x": x, "won": won, "rep": rep, "skill": SD * z, "location": location, "n": n}


def oracle(w):
    z = w["location"][:, None] + EFFECTS
    log_chance = np.where(w["won"][:, None] > 0, -np.log1p(np.exp(-z)), -np.log1p(np.exp(z)))
    starts = np.concatenate([[0], np.cumsum(w["n"])[:-1]])
    fit = np.add.reduceat(log_chance, starts, axis=0) + np.log(WIDTHS) - 0.5 * (EFFECTS / SD) ** 2
    weight = np.exp(fit - fit.max(axis=1, keepdims=True))
    return (weight @ EFFECTS) / weight.sum(axis=1)


def fit_of(w):
    return fit_rep_effects(w["x"], w["won"], w["rep"])


# ---------------------------------------------------------------- against other computations


def test_effects_are_averaged_out_as_quadrature_does_it():
    rng = np.random.default_rng(0)
    rep = np.repeat([0, 1, 2], [4, 9, 30])
    won = (rng.random(43) < 0.4).astype(float)
    deals = Deals(np.ones((43, 1)), won, rep, np.flatnonzero(np.diff(rep, prepend=-1)))
    for sd in (0.1, 0.4, 1.0):
        found = at_spread(deals, sd, np.array([-0.4]), -0.4)
        for j in range(3):
            k, n = won[rep == j].sum(), (rep == j).sum()

            def joint(u, power=0, *, k=k, n=n, c=found.constant, sd=sd):
                return u**power * expit(c + u) ** k * expit(-c - u) ** (n - k) * norm.pdf(u, scale=sd)

            total = quad(joint, -4, 4)[0]
            assert found.evidence[j] == pytest.approx(np.log(total), abs=2e-3)
            assert found.posterior[j] @ EFFECTS == pytest.approx(quad(joint, -4, 4, args=(1,))[0] / total, abs=2e-3)


def test_slopes_within_reps_are_those_of_a_fit_with_a_dummy_a_rep():
    w = world(1, harder=0.5, n_reps=12, low=150, high=250)
    columns = np.column_stack([np.ones(len(w["won"])), w["x"]])
    starts = np.flatnonzero(np.diff(w["rep"], prepend=-1))
    slopes, covariance = within_reps(Deals(columns, w["won"], w["rep"], starts))
    dummies = (w["rep"][:, None] == np.arange(12)).astype(float)
    peer = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8, max_iter=500)
    peer.fit(np.column_stack([w["x"], dummies]), w["won"])
    np.testing.assert_allclose(slopes[1:], peer.coef_[0, :2], atol=0.1 * np.sqrt(np.diag(covariance)[1:]).max())


def test_wins_by_chance_are_binomial_where_all_chances_are_equal():
    n, p = 12, 0.3
    mixture = wins_by_chance(np.ones((1, 1)), np.array([[n * p]]), np.array([[n * p * (1 - p)]]))
    for k in range(n + 1):
        expected = (binom.cdf(k, n, p) + binom.cdf(k - 1, n, p)) / 2
        assert mid_p(mixture, np.array([float(k)]))[0] == pytest.approx(expected, abs=1e-9)
    low, high = limits(mixture, np.array([n]), tail=0.025)
    assert mid_p(mixture, low)[0] == pytest.approx(0.025, abs=1e-6)
    assert mid_p(mixture, high)[0] == pytest.approx(0.975, abs=1e-6)


def test_wins_of_unequal_chances_are_close_to_the_exact_sum():
    chances = np.array([0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.15, 0.25])
    exact = np.array([1.0])
    for p in chances:
        exact = np.convolve(exact, [1 - p, p])
    mixture = wins_by_chance(
        np.ones((1, 1)), chances.sum(keepdims=True)[None], (chances * (1 - chances)).sum(keepdims=True)[None]
    )
    told = [mid_p(mixture, np.array([float(k)]))[0] for k in range(9)]
    np.testing.assert_allclose(told, exact.cumsum() - exact / 2, atol=0.01)


# ---------------------------------------------------------------- known truth, and laws


@pytest.mark.parametrize("harder", [0.0, 0.5])
def test_skill_is_found_nearly_as_well_as_if_case_mix_and_spread_were_known(harder):
    found = []
    for seed in range(8):
        w = world(seed, harder=harder)
        fit = fit_of(w)
        covered = ((fit.lower <= w["skill"]) & (w["skill"] <= fit.upper)).mean()
        outside = ((fit.observed < fit.funnel_lower) | (fit.observed > fit.funnel_upper)).mean()
        ranks = [spearmanr(e, w["skill"])[0] for e in (fit.effect, oracle(w), fit.observed / fit.n)]
        found.append([*ranks, covered, outside])
    ours, best, raw, covered, outside = np.mean(found, axis=0)
    assert ours > 0.93 * best
    assert raw < ours
    assert (raw < 0) == (harder > 0)
    assert 0.83 < covered < 0.97
    assert outside < 0.1


def test_a_planted_rep_is_flagged_and_pulled_in():
    w = world(3, low=60, high=120)
    own = w["rep"] == 7
    w["won"][own] = np.random.default_rng(0).random(own.sum()) < expit(w["location"][own] + 1.6)
    fit = fit_of(w)
    assert fit.observed[7] > fit.funnel_upper[7]
    assert 0.4 < fit.effect[7] < 1.6


def test_several_planted_reps_do_not_hide_one_another():
    shares, found = (1e-9, OUTLIERS), []
    for seed in range(4):
        w = world(100 + seed, n_reps=30, low=60, high=90)
        planted = np.arange(4)
        own = w["rep"] < 4
        skill = np.array([3, -3, 3, -3])[w["rep"][own]] * SD
        w["won"][own] = np.random.default_rng(seed).random(own.sum()) < expit(w["location"][own] + skill)
        found.append([_flagged_with(w, share)[planted].sum() for share in shares])
    hidden, seen = np.sum(found, axis=0) / 16
    assert seen > 0.5 > hidden


def _flagged_with(w, outliers):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(averaging, "OUTLIERS", outliers)
        fit = fit_of(w)
    return (fit.observed < fit.funnel_lower) | (fit.observed > fit.funnel_upper)


def test_neither_the_order_of_deals_nor_the_names_of_reps_matter():
    w = world(4, n_reps=9)
    whole = fit_of(w)
    rng = np.random.default_rng(1)
    order, names = rng.permutation(len(w["rep"])), rng.permutation(9)
    other = fit_rep_effects(w["x"][order], w["won"][order], names[w["rep"]][order])
    for name in ("effect", "lower", "upper", "p_above_median", "expected", "funnel_lower", "funnel_upper"):
        np.testing.assert_allclose(getattr(other, name)[names], getattr(whole, name), atol=1e-6)
    np.testing.assert_allclose(other.chance, whole.chance[order], atol=1e-6)


def test_the_fit_adds_up():
    fit = fit_of(world(5))
    assert fit.expected.sum() == pytest.approx(fit.observed.sum(), rel=0.05)
    assert fit.chance.sum() == pytest.approx(fit.observed.sum(), rel=0.02)
    assert (fit.lower < fit.effect).all()
    assert (fit.effect < fit.upper).all()
    assert np.median(fit.p_above_median) == pytest.approx(0.5, abs=0.15)
    assert fit.p_above_median.mean() == pytest.approx(0.5, abs=0.01)
    assert fit.sd_lower < fit.sd < fit.sd_upper


def test_equal_reps_are_drawn_together():
    rep = np.repeat(np.arange(20), 40)
    won = np.tile(np.repeat([1.0, 0.0], [12, 28]), 20)
    fit = fit_rep_effects(np.empty((800, 0)), won, rep)
    assert np.abs(fit.effect).max() < 0.02
    assert fit.sd < 0.15
    np.testing.assert_allclose(fit.p_above_median, 0.5, atol=0.01)


def test_a_rep_who_wins_all_or_nothing_has_finite_numbers():
    rep = np.repeat(np.arange(4), [5, 5, 30, 30])
    won = np.concatenate([np.ones(5), np.zeros(5), np.tile([1.0, 0, 0], 20)])
    fit = fit_rep_effects(np.empty((70, 0)), won, rep)
    for name in ("effect", "lower", "upper", "expected", "funnel_lower", "funnel_upper"):
        assert np.isfinite(getattr(fit, name)).all()
    assert fit.effect[0] > fit.effect[2] > fit.effect[1]


def test_means_are_drawn_to_one_another():
    rng = np.random.default_rng(2)
    group = pd.Series(np.repeat(np.arange(8), [2, 5, 10, 20, 40, 40, 60, 80]))
    truth = rng.normal(5, 1, 8)
    values = pd.Series(truth[group] + rng.normal(0, 3, len(group)))
    found = shrunk_means(values, group, confidence=0.9)
    centre = found["mean"].mean()
    assert (np.abs(found["mean"] - centre) <= np.abs(found["raw"] - centre) + 0.3).all()
    assert ((found["lower"] < truth) & (truth < found["upper"])).mean() >= 0.7
    assert found["n"].tolist() == [2, 5, 10, 20, 40, 40, 60, 80]
    assert shrunk_means(values * np.nan, group, confidence=0.9).empty


def test_shrunk_means_cover():
    hit = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        group = pd.Series(np.repeat(np.arange(12), rng.integers(3, 30, 12)))
        truth = rng.normal(0, 1, 12)
        found = shrunk_means(pd.Series(truth[group] + rng.normal(0, 2, len(group))), group, confidence=0.9)
        hit.append(((found["lower"] <= truth) & (truth <= found["upper"])).mean())
    assert 0.86 < np.mean(hit) < 0.94


def test_the_interval_of_a_median_comes_from_ranks():
    """Of ten values at most one falls below the median with chance 11/1024, at most two with 56/1024 > 5 %."""
    found = median_interval(pd.Series(np.arange(1.0, 11)), pd.Series(["a"] * 10), confidence=0.9)
    assert found.loc["a"].tolist() == [10, 5.5, 2, 9]
    few = median_interval(pd.Series([1.0, 2, 3]), pd.Series(["a"] * 3), confidence=0.9)
    assert few[["lower", "upper"]].isna().all(axis=None)


# ---------------------------------------------------------------- books by hand


def moment(day):
    return START + pd.Timedelta(days=day)


def book_of(deals, rows, *, last=800, reps=None, amount=100.0):
    """Deals (id, created, rep), rows (deal, day, field, value); the book ends on day ``last``."""
    table = pd.DataFrame(deals, columns=["deal_id", "created_at", "rep_id"]).assign(amount=amount)
    table["created_at"] = [moment(d) for d in table["created_at"]]
    born = [(d, day, "stage", "S1") for d, day, _ in deals]
    history = pd.DataFrame([*born, *rows], columns=["deal_id", "changed_at", "field", "value"])
    history["changed_at"] = [moment(d) for d in history["changed_at"]]
    settings = {"extracted_on": moment(last).date().isoformat()}
    return sa.make_book(deals=table, history=history, reps=reps, settings=settings)


def test_the_outcome_is_won_within_a_year_of_creation():
    deals = [("in", 0, "a"), ("late", 0, "a"), ("lost", 0, "b"), ("young", 436, "a"), ("edge", 435, "a"),
             ("handed", 0, "a"), ("after", 0, "a"), ("nobody", 0, None)]  # fmt: skip
    rows = [("in", 365, "stage", "won"), ("late", 366, "stage", "won"), ("lost", 10, "stage", "lost"),
            ("handed", 100, "rep_id", "b"), ("handed", 200, "stage", "won"),
            ("after", 20, "stage", "won"), ("after", 30, "rep_id", "b")]  # fmt: skip
    book = book_of(deals, rows)
    found = outcome_rows(book, as_of=moment(800)).set_index("deal_id")
    assert set(found.index) == {"in", "late", "lost", "edge", "handed", "after", "nobody"}
    assert found["won"].to_dict() == {
        "in": True, "late": False, "lost": False, "edge": False, "handed": True, "after": True, "nobody": False,
    }  # fmt: skip
    assert found["use"].drop("handed").drop("nobody").eq("judged").all()
    assert found.loc["handed", "use"] == "handed_over"
    assert found.loc["nobody", "use"] == "no_owner"
    assert found.loc["after", "rep_id"] == "a"


def test_a_deal_that_waited_for_its_first_owner_was_not_handed_over():
    deals = [("waited", 0, None), ("passed_on", 0, None), ("left", 0, "a"), ("too_late", 0, None)]
    rows = [("waited", 2, "rep_id", "a"), ("waited", 90, "stage", "won"), ("passed_on", 2, "rep_id", "a"),
            ("passed_on", 50, "rep_id", "b"), ("left", 50, "rep_id", ""), ("too_late", 20, "stage", "lost"),
            ("too_late", 30, "rep_id", "a")]  # fmt: skip
    found = outcome_rows(book_of(deals, rows), as_of=moment(800)).set_index("deal_id")
    expected = {"waited": "judged", "passed_on": "handed_over", "left": "handed_over", "too_late": "no_owner"}
    assert found["use"].to_dict() == expected
    assert found["rep_id"].drop("too_late").tolist() == ["a", "a", "a"]


def test_volume_is_credited_by_the_days_owned():
    """Created on day 600, handed over on day 630, signed on day 659: 30 days each, the day of signing included."""
    book = book_of([("x", 600, "a"), ("y", 600, "b")], [("x", 630, "rep_id", "b"), ("x", 659, "stage", "won"),
                   ("x", 659, "amount", "90"), ("y", 610, "stage", "lost")])  # fmt: skip
    found = volume_and_pace(book, as_of=moment(800), confidence=0.9).set_index("rep_id")
    assert found["n_signed"].to_dict() == pytest.approx({"a": 0.5, "b": 0.5})
    assert found["volume"].to_dict() == pytest.approx({"a": 45.0, "b": 45.0})
    assert found["n_won"].to_dict() == {"a": 0, "b": 1}
    assert found.loc["b", "cycle_days"] == 59
    assert found.loc["b", "price_ratio"] == pytest.approx(0.9, rel=1e-6)
    assert volume_and_pace(book, as_of=moment(640), confidence=0.9)["n_signed"].sum() == 0


def test_the_first_price_may_be_known_later_than_the_deal():
    """Typed in a week after its creation it counts; with the signing it says nothing of what was kept."""
    deals = [("later", 600, "a"), ("signing", 600, "b"), ("never", 600, "b")]
    rows = [("later", 607, "amount", "100"), ("later", 640, "amount", "95"), ("later", 659, "amount", "90"),
            ("signing", 659, "amount", "80")]  # fmt: skip
    rows += [(deal, 659, "stage", "won") for deal, *_ in deals]
    book = book_of(deals, rows, amount=np.nan)
    found = volume_and_pace(book, as_of=moment(800), confidence=0.9).set_index("rep_id")
    assert found["n_priced"].to_dict() == {"a": 1, "b": 0}
    assert found.loc["a", "price_ratio"] == pytest.approx(0.9, rel=1e-6)
    assert np.isnan(found.loc["b", "price_ratio"])


def test_activity_is_counted_for_the_owner_of_the_day():
    rows = [("x", 610, "activity", "visit"), ("x", 640, "activity", "visit"), ("x", 641, "activity", "call_out"),
            ("x", 630, "rep_id", "b")]  # fmt: skip
    found = volume_and_pace(book_of([("x", 600, "a")], rows, last=660), as_of=moment(660), confidence=0.9)
    found = found.set_index("rep_id")
    months = 365.25 / 12
    assert found["deal_months"].to_dict() == pytest.approx({"a": 30 / months, "b": 31 / months})
    assert found["activity_per_deal_month"].to_dict() == pytest.approx({"a": months / 30, "b": 2 * months / 31})


def test_activity_that_the_book_keeps_from_a_later_day_on_is_not_known_yet():
    rows = [("x", 640, "activity", "visit")]
    book = book_of([("x", 600, "a")], rows, last=660)
    rate = [volume_and_pace(book, as_of=moment(day), confidence=0.9)["activity_per_deal_month"] for day in (639, 640)]
    assert rate[0].isna().all()
    assert rate[1].gt(0).all()


def test_honesty_compares_what_was_said_with_what_came():
    deals = [(f"d{i}", 0, "ab"[i % 2]) for i in range(40)]
    rows = []
    for i in range(40):
        won = i % 4 < 2
        rows += [(f"d{i}", 1, "probability", "0.9" if i % 2 else "0.5"), (f"d{i}", 1, "category", "commit")]
        rows += [(f"d{i}", 1, "close_date", moment(200).date().isoformat())]
        rows += [(f"d{i}", 260, "stage", "won" if won else "lost")]
    book = book_of(deals, rows, last=800)
    found = forecast_honesty(book, as_of=moment(800), confidence=0.9).set_index("rep_id")
    assert found.loc["a", "p_bias"] == pytest.approx(0.0, abs=0.1)
    assert found.loc["b", "p_bias"] == pytest.approx(0.4, abs=0.1)
    assert found["date_bias_days"].tolist() == pytest.approx([60, 60], abs=0.5)
    assert found["commit_won"].between(0.35, 0.65).all()
    assert found["n_p"].tolist() == [20, 20]


def test_too_few_deals_are_refused_in_words():
    with pytest.raises(InsufficientDataError, match="from 30 deals"):
        sa.evaluate_reps(book_of([("x", 0, "a")], []), as_of=moment(800))


def test_deals_without_owners_are_named_as_the_cause():
    with pytest.raises(InsufficientDataError, match="of 2 deals created at least 365 days ago none has an owner"):
        sa.evaluate_reps(book_of([("x", 0, None), ("y", 5, None)], []), as_of=moment(800))


def test_rare_levels_are_put_together_and_missing_ones_named():
    rows = pd.DataFrame({"product": ["a"] * 30 + ["b"] * 15 + ["c"] * 6 + ["d"] * 5 + [None] * 12})
    rows = rows.assign(source=None, route=None, customer="new", buyer_stage=None, amount=np.nan)
    mix = case_mix(rows)
    assert list(zip(mix.fact, mix.level, strict=True)) == [
        ("product", "b"),
        ("product", "unknown"),
        ("product", "other"),
    ]
    assert mix.x.sum(axis=0).tolist() == [15, 12, 11]


# ---------------------------------------------------------------- a simulated company


@pytest.fixture(scope="module")
def company():
    book = sa.simulate_book(n_deals=900, seed=5)
    as_of = book.settings.extracted_on
    return book, sa.evaluate_reps(book, as_of=as_of)


def test_one_row_a_rep_with_all_measures(company):
    book, found = company
    reps = found.reps
    assert reps["rep_id"].tolist() == sorted(book.reps["rep_id"])
    assert reps["n"].sum() == found.n_judged
    rows = outcome_rows(book, as_of=book.settings.extracted_on)
    assert len(rows) == found.n_judged + len(found.apart)
    assert reps["n_handed_over"].sum() == found.apart["use"].eq("handed_over").sum()
    assert reps["oe"].to_numpy() == pytest.approx((reps["observed"] / reps["expected"]).to_numpy())
    assert (reps["rank"].notna() == (reps["n_deals"] >= 20) & ~reps["ramping"]).all()
    assert (reps["n"] == reps["n_deals"]).all()
    assert (reps["flag"].eq("above") == (reps["oe"] > reps["funnel_upper"])).all()
    for name in ("process", "trend", "price", "p_bias", "date_bias", "commit_won"):
        ends = reps[[f"{name}_lower", f"{name}_upper"]].dropna()
        assert len(ends) > 10
        assert (ends.iloc[:, 0] <= ends.iloc[:, 1]).all()
    assert reps["process_score"].between(0, 1).all()


def test_stages_passed_can_be_the_outcome(company):
    book, of_deals = company
    as_of = book.settings.extracted_on
    found = sa.evaluate_reps(book, as_of=as_of, outcome="passed")
    left = sa.condition_compliance(book, as_of=as_of).conditions.drop_duplicates(["deal_id", "stage"])
    rows = outcome_rows(book, as_of=as_of)
    judged = rows.loc[rows["use"].eq("judged"), "deal_id"]
    left = left[left["deal_id"].isin(judged) & left["left_to"].isin(["passed", "ended"])]
    assert found.reps["n"].sum() == len(left)
    assert found.reps["observed"].sum() == left["left_to"].eq("passed").sum()
    assert found.reps["n_deals"].tolist() == of_deals.reps["n_deals"].tolist()
    assert found.n_judged == of_deals.n_judged
    assert {"stage"} <= set(found.case_mix["fact"])
    card = sa.rep_scorecard(found, None, None, process=book.process, rep_id=found.reps["rep_id"].iloc[0])
    assert "stages passed" in card.verdict[0]
    with pytest.raises(SchemaError, match="outcome must be one of"):
        sa.evaluate_reps(book, as_of=as_of, outcome="lost")


def test_a_rep_hired_lately_is_ramping_and_has_no_rank(company):
    book, _ = company
    as_of = pd.Timestamp(book.settings.extracted_on)
    hired = [as_of - pd.Timedelta(days=days) for days in (544, 545)]
    reps = book.reps.assign(hired_at=[hired[0], hired[1], *book.reps["hired_at"].iloc[2:]])
    found = sa.evaluate_reps(replace(book, reps=reps), as_of=as_of).reps
    assert found["ramping"].tolist()[:2] == [True, False]
    assert pd.isna(found["rank"].iloc[0])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_scorecard_says_it_in_words(company, lang):
    book, found = company
    as_of = book.settings.extracted_on
    compliance = sa.condition_compliance(book, as_of=as_of)
    effects = sa.condition_effects(book, as_of=as_of)
    for rep in found.reps["rep_id"]:
        card = sa.rep_scorecard(found, compliance, effects, process=book.process, rep_id=rep, lang=lang)
        assert len(card.coach) <= 2
        assert (card.coach["gap"] > 0).all()
        assert card.coach["met"].lt(card.coach["company"]).all()
        assert card.verdict
        assert card.measures["text"].str.len().gt(0).all()
        assert card.warning == effects.warning(lang)
    bare = sa.rep_scorecard(found, None, None, process=read_process(), rep_id=rep, lang=lang)
    assert bare.coach.empty
    with pytest.raises(SchemaError, match="rep_id must be one of"):
        sa.rep_scorecard(found, None, None, process=read_process(), rep_id="nobody", lang=lang)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pictures_show_every_rep_and_condition(company, lang):
    book, found = company
    funnel, effects = sa.plots.rep_funnel(found, lang=lang), sa.plots.rep_effects(found, lang=lang)
    assert sum(len(line.get_xdata()) for line in funnel.lines[:-1]) == len(found.reps)
    assert len(effects.get_yticks()) == len(found.reps)
    table = sa.condition_effects(book, as_of=book.settings.extracted_on)
    for measure in ("passed", "won", "days_to_sign"):
        ax = sa.plots.condition_effects(table, measure=measure, lang=lang)
        shown = table.effects[table.effects["measure"].eq(measure) & table.effects["left_out"].isna()]
        assert [tick.get_text() for tick in ax.get_yticklabels()] == shown["condition"].tolist()
        assert table.warning(lang)[:10] in ax.get_xlabel()
    few = replace(table, effects=table.effects.assign(left_out="too_few"))
    assert [text.get_text() for text in sa.plots.condition_effects(few, lang=lang).texts] == [
        label("no_condition_effects", lang)
    ]
