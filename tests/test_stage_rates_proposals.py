"""Does the chance rise, what percentages are proposed, what they would have done; their pictures and texts."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from worlds import book_of, day_of, simulate, tiny, true_incidence

import salesanalytics as sa
from salesanalytics import plots
from salesanalytics.cli import main
from salesanalytics.errors import SchemaError
from salesanalytics.forecast.baselines import baselines
from salesanalytics.labels import label, signed
from salesanalytics.models.nominal_rates import rounded
from salesanalytics.models.rising_rates import never_falling, precision, rising_among
from salesanalytics.models.shrinkage import effective_n, shrink
from salesanalytics.process import read_process
from salesanalytics.report.columns import state_namer
from salesanalytics.report.rates import (
    differ_text,
    effect_text,
    gap_text,
    over_time_text,
    p_text,
    proposal_text,
    rates_text,
    rising_sentence,
)
from salesanalytics.timeline import parse_period
from salesanalytics.timeline.calendar import to_day

LAST = 899
LANGUAGES = ("en", "zh")


def at(number):
    return day_of(number).date()


@cache
def world():
    deals, history = simulate(4, days=LAST + 1, per_day=0.5)
    return book_of(deals, history, last=LAST)


def standing(p, *, n=200, seed=0, several=True):
    """Rows of deals that stood in stages with these chances to win; with ``several`` a deal stands in two stages."""
    rng = np.random.default_rng(seed)
    parts = []
    for i, chance in enumerate(p):
        luck = rng.random(n)
        parts.append(
            pd.DataFrame(
                {
                    "deal_id": [f"D{(i // 2 if several else i)}-{k}" for k in range(n)], "state": f"S{i + 1}",
                    "landmark_day": 28 * i, "duration_days": rng.integers(1, 90, n),
                    "end": np.where(luck < chance, "won", "lost"), "amount": np.nan,
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


STAGES = [f"S{k}" for k in range(1, 9)]

# ---------------------------------------------------------------- does the chance rise


def test_rates_that_never_fall_by_hand():
    # .3 and .2 with weights 1 and 3 become .225
    np.testing.assert_allclose(
        never_falling(np.array([0.1, 0.3, 0.2, 0.9]), np.array([1, 1, 3, 1.0])), [0.1, 0.225, 0.225, 0.9]
    )
    assert never_falling(np.array([]), np.array([])).tolist() == []
    assert precision(np.array([0.25]), np.array([0.05]), np.array([75]))[0] == pytest.approx(
        76 / ((19.25 / 76) * (56.75 / 76))
    )
    assert np.isfinite(precision(np.array([0.0, 1.0]), np.zeros(2), np.array([9, 9]))).all()


def test_a_chance_that_rises_and_one_that_falls():
    rises = rising_among(standing([0.1, 0.3, 0.5, 0.8]), STAGES, horizon_days=365)
    assert rises.rise
    assert (rises.statistic, rises.p_value) == (0, 1)
    np.testing.assert_allclose(rises.stages["p_rising"], rises.stages["p_won_in_stock"])
    falls = rising_among(standing([0.1, 0.6, 0.3, 0.8]), STAGES, horizon_days=365)
    assert falls.stages["falls"].tolist() == [False, False, True, False]
    assert falls.stages["p_rising"].is_monotonic_increasing
    assert falls.p_value < 0.01
    again = rising_among(standing([0.1, 0.6, 0.3, 0.8]), STAGES, horizon_days=365)
    assert again.p_value == falls.p_value
    won = rising_among(standing([1.0, 0.9], n=6), STAGES, horizon_days=365)  # all of six signed
    assert 0.05 < won.p_value <= 1
    assert rising_among(standing([0.5]).head(0), STAGES, horizon_days=365).rise


def test_equal_chances_seem_to_fall_as_often_as_chance_says():
    p = [rising_among(standing([0.4] * 5, seed=s), STAGES, horizon_days=365).p_value for s in range(150)]
    assert 0.04 < np.mean(np.array(p) < 0.1) < 0.17


def test_rising_rates_reads_the_book():
    found = sa.rising_rates(world(), as_of=at(LAST), horizon_days=150)
    rates = sa.stage_win_rates(world(), as_of=at(LAST), horizon_days=150).set_index("stage")
    names = ["n_in_stock", "p_won_in_stock", "se_in_stock"]
    np.testing.assert_allclose(
        found.stages[names].to_numpy(float), rates.loc[found.stages["stage"], names].to_numpy(float)
    )
    assert found.rise
    with pytest.raises(SchemaError, match="horizon_days"):
        sa.rising_rates(world(), as_of=at(LAST), horizon_days=-1)


# ---------------------------------------------------------------- the proposal


def test_rounding():
    assert rounded([0.001, 0.004, 0.014, 0.0499, 0.05, 0.074, 0.126, 0.974, 0.976, 1.0, np.nan]).tolist()[:-1] == [
        0.01, 0.01, 0.01, 0.05, 0.05, 0.05, 0.15, 0.95, 1.0, 1.0,
    ]  # fmt: skip
    assert np.isnan(rounded(np.nan))


def test_where_no_deal_stood_nothing_speaks_against_a_nominal_rate():
    book = tiny({"a": [("S1", 0)]}, last=9)
    proposal = sa.propose_nominal_rates(book, as_of=at(9)).set_index("stage")
    assert proposal.loc["S8", ["nominal", "n_in_stock"]].tolist() == [1.0, 0]
    assert proposal.loc["S8", "upper"] < 1
    assert not proposal["is_outside"].any()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_book_of_weeks_speaks_against_no_nominal_rate_that_time_may_still_bring(lang):
    """98 deals open for 40 of 730 days: 1 % was proposed, and 10 % said to lie outside."""
    paths = {f"d{k}": [("S1", 0)] for k in range(98)} | {f"w{k}": [("S8", 0), ("won", 38)] for k in range(40)}
    book = tiny(paths, last=40)
    proposal = sa.propose_nominal_rates(book, as_of=at(40)).set_index("stage")
    s1 = proposal.loc["S1"]
    assert (s1["p_won_in_stock"], s1["p_unseen"], s1["is_outside"]) == (0, 1, False)
    n = 98 * 28 / 730  # all stood there on a landmark or more, the first 28 days ago at most
    assert s1["shrunk"] == pytest.approx(1 / (n + 10), rel=0.3)
    assert s1["upper"] > 0.1
    assert proposal.loc["S8", "p_unseen"] == 0
    text = proposal_text(proposal.reset_index(), sa.rising_rates(book, as_of=at(40)), book, lang)
    named = state_namer(book.process, lang)("S1")
    assert label("proposal_unseen", lang, days="730", stages=named) in text.replace("\n", " ")
    seen = sa.propose_nominal_rates(book, as_of=at(40), horizon_days=12)
    assert seen["p_unseen"].fillna(0).eq(0).all()
    assert seen.set_index("stage").loc["S1", "is_outside"]


def test_a_proposal_is_the_shrunk_rate_of_deals_in_stock_rounded():
    proposal = sa.propose_nominal_rates(world(), as_of=at(LAST), horizon_days=150).set_index("stage")
    rates = sa.stage_win_rates(world(), as_of=at(LAST), horizon_days=150).set_index("stage")
    # S4 and S5, in which no deal stood, follow S3 where their nominal rates lie below
    assert proposal["made_rising"].to_dict() == {s: s in ("S4", "S5") for s in proposal.index}
    assert proposal.loc[["S4", "S5"], "shrunk"].tolist() == pytest.approx([proposal.loc["S3", "shrunk"]] * 2, abs=1e-4)
    proposal, rates = (table.drop(["S4", "S5"]) for table in (proposal, rates))
    for name, column in (("shrunk", "shrunk_in_stock"), ("lower", "shrunk_lower_in_stock"),
                         ("upper", "shrunk_upper_in_stock"), ("p_won_in_stock", "p_won_in_stock"),
                         ("nominal", "nominal"), ("n_in_stock", "n_in_stock")):  # fmt: skip
        np.testing.assert_allclose(proposal[name], rates[column], rtol=1e-6, err_msg=name)
    np.testing.assert_array_equal(proposal["proposed"], rounded(rates["shrunk_in_stock"]))
    outside = (rates["nominal"] < proposal["lower"]) | (rates["nominal"] > proposal["upper"])
    assert proposal["is_outside"].tolist() == outside.tolist()
    assert outside[["S1", "S2", "S3"]].all()


def test_a_proposal_never_falls_unless_the_data_insist():
    def book_with(p, n):
        paths, k = {}, 0
        for i, chance in enumerate(p):
            for j in range(n):
                paths[f"D{k}"] = [(f"S{i + 1}", 0), ("won" if j < round(chance * n) else "lost", 100)]
                k += 1
        return tiny(paths, last=200)

    slightly = sa.propose_nominal_rates(book_with([0.2, 0.4, 0.35, 0.6], 30), as_of=at(200)).set_index("stage")
    assert slightly["p_value_rising"].iloc[0] > 0.05
    assert slightly["made_rising"].to_dict() == {s: s in ("S2", "S3", "S5") for s in slightly.index}
    together = slightly.loc[["S2", "S3"]]
    own = {s: shrink(p, effective_n(p, np.sqrt(p * (1 - p) / 30), 30), prior=p0, strength=10, confidence=0.9)
           for s, p, p0 in (("S2", 0.4, 0.2), ("S3", 10 / 30, 0.25))}  # fmt: skip
    for name, key in (("shrunk", "p"), ("lower", "lower"), ("upper", "upper")):
        middle = (own["S2"][key] + own["S3"][key]) / 2  # both rest on 30 deals
        assert together[name].tolist() == pytest.approx([middle, middle], abs=0.005)
    assert (slightly["lower"] <= slightly["shrunk"] + 1e-9).all()
    assert (slightly["shrunk"] <= slightly["upper"] + 1e-9).all()
    insist = sa.propose_nominal_rates(book_with([0.2, 0.8, 0.1, 0.6], 60), as_of=at(200)).set_index("stage")
    assert insist["p_value_rising"].iloc[0] < 0.05
    assert not insist["made_rising"].any()
    assert insist.loc["S3", "proposed"] < insist.loc["S2", "proposed"]


def test_a_pause_gets_its_own_and_a_stage_without_deals_keeps_its_nominal_rate():
    paths = {f"D{k}": [("S1", 0), ("on_hold", 20), ("won" if k % 4 == 0 else "lost", 90)] for k in range(40)}
    proposal = sa.propose_nominal_rates(tiny(paths, last=200), as_of=at(200)).set_index("stage")
    assert (proposal.loc["on_hold", "proposed"], proposal.loc["on_hold", "n_in_stock"]) == (0.25, 40)
    assert np.isnan(proposal.loc["on_hold", "nominal"])
    assert (proposal.loc["S5", "proposed"], proposal.loc["S5", "n_in_stock"]) == (0.5, 0)
    early = sa.propose_nominal_rates(tiny(paths, last=200), as_of=at(-5))
    assert early["proposed"].tolist() == early["nominal"].tolist()


def test_proposals_find_the_truth():
    proposal = sa.propose_nominal_rates(world(), as_of=at(LAST), horizon_days=150).set_index("stage")
    for stage in ("S1", "S2", "S3"):
        truth = true_incidence(stage, 150)
        assert proposal.loc[stage, "lower"] - 0.02 < truth < proposal.loc[stage, "upper"] + 0.02
        assert abs(proposal.loc[stage, "proposed"] - truth) < 0.075


# ---------------------------------------------------------------- their effect


def test_effect_by_hand():
    # quarters begin on days 0, 90, 181, 273, 365; as of day 400 the last finished one is that from day 273
    paths = {
        "a": [("S1", 10), ("S5", 60), ("won", 200)],
        "b": [("S1", 20), ("lost", 300)],
        "c": [("S6", 100), ("on_hold", 170)],
        "d": [("S3", 50), ("won", 85)],
    }
    deals = {"amount": [100.0, 40.0, np.nan, 7.0]}
    book = tiny(paths, last=400, deals=deals, history=[("a", "amount", 120, 190)])
    effect = sa.nominal_rates_effect(book, as_of=at(400), quarters=3, horizon_days=365)
    table = effect.quarters.set_index(["quarter", "method"])
    assert table.index.get_level_values("quarter").unique().tolist() == ["2010Q2", "2010Q3", "2010Q4"]
    q2, q3, q4 = (table.loc[(q, "nominal")] for q in ("2010Q2", "2010Q3", "2010Q4"))
    assert str(q3["made_on"].date()) == str(at(180))
    # day 89: a in S5 (.5), b in S1 (.1); day 180: and c on hold since S6 (.75); day 272: b and c
    assert [q["n_deals"] for q in (q2, q3, q4)] == [2, 3, 2]
    assert [q["count"] for q in (q2, q3, q4)] == pytest.approx([0.6, 1.35, 0.85])
    assert [q["amount"] for q in (q2, q3, q4)] == pytest.approx([0.5 * 100 + 0.1 * 40, 0.5 * 100 + 0.1 * 40, 0.1 * 40])
    assert [q["count_signed"] for q in (q2, q3, q4)] == [1, 1, 0]
    assert [q["amount_signed"] for q in (q2, q3, q4)] == [120, 120, 0]  # with its last amount
    assert [q["n_without_amount"] for q in (q2, q3, q4)] == [0, 1, 1]
    assert [q["n_undecided"] for q in (q2, q3, q4)] == [0, 1, 1]  # c
    np.testing.assert_allclose(table["count_error"], table["count"] - table["count_signed"] - table["count_to_come"])
    np.testing.assert_allclose(
        table["amount_error"], table["amount"] - table["amount_signed"] - table["amount_to_come"]
    )
    methods = effect.methods.set_index("method")
    for method in ("nominal", "proposed"):
        part = effect.quarters[effect.quarters["method"] == method]
        assert methods.loc[method, "count_bias"] == pytest.approx(part["count_error"].mean())
        assert methods.loc[method, "amount_miss"] == pytest.approx(part["amount_error"].abs().mean())
        came = part["count_signed"] + part["count_to_come"]
        assert methods.loc[method, "count_ratio"] == pytest.approx(part["count"].sum() / came.sum())
    short = sa.nominal_rates_effect(book, as_of=at(400), quarters=3, horizon_days=100)
    assert short.quarters.query("method == 'nominal'")["count_signed"].tolist() == [0, 1, 0]


def test_each_proposal_is_the_one_of_its_day_and_weighs_by_state():
    effect = sa.nominal_rates_effect(world(), as_of=at(LAST), quarters=3, horizon_days=150)
    assert effect.horizon_days == 150
    assert len(effect.quarters) == 6
    for (quarter, made_on), part in effect.proposals.groupby(["quarter", "made_on"]):
        expected = sa.propose_nominal_rates(world(), as_of=made_on.date(), horizon_days=150)
        pd.testing.assert_frame_equal(part.drop(columns=["quarter", "made_on"]).reset_index(drop=True), expected)
        open_then = sa.snapshots(world(), as_of=made_on.date())
        rows = effect.quarters.set_index(["quarter", "method"]).loc[quarter]
        assert rows["n_deals"].tolist() == [len(open_then)] * 2
        weights = expected.set_index("stage")
        for method, name in (("nominal", "nominal"), ("proposed", "proposed")):
            weight = open_then["stage"].map(weights[name])
            assert rows.loc[method, "count"] == pytest.approx(weight.sum())
            assert rows.loc[method, "amount"] == pytest.approx((weight * open_then["amount"]).sum())


def test_where_nothing_changes_proposals_are_nearer_than_wrong_nominal_rates():
    ratios = []
    for seed in (4, 5):
        deals, history = simulate(seed, days=LAST + 1, per_day=0.5)
        book = book_of(deals, history, last=LAST)
        effect = sa.nominal_rates_effect(book, as_of=at(LAST), quarters=4, horizon_days=365)
        methods = effect.methods.set_index("method")
        assert methods.loc["nominal", "count_ratio"] < 0.6  # true chances are .42, .53, .60; .10, .20, .25 are stated
        assert methods.loc["proposed", "count_miss"] < 0.5 * methods.loc["nominal", "count_miss"]
        assert methods.loc["proposed", "amount_miss"] < 0.5 * methods.loc["nominal", "amount_miss"]
        ratios.append(methods.loc["proposed", ["count_ratio", "amount_ratio"]].mean())
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)


def test_effects_that_cannot_be(tmp_path):
    with pytest.raises(SchemaError, match="quarters must be >= 1, got 0"):
        sa.nominal_rates_effect(world(), as_of=at(LAST), quarters=0)
    nothing = sa.nominal_rates_effect(tiny({"a": [("S1", 390)]}, last=400), as_of=at(400), quarters=2)
    assert nothing.quarters.empty
    assert nothing.methods.empty
    assert effect_text(nothing, "en") == ""
    text = tmp_path / "process.yaml"
    text.write_text("stages: [S1, S2]", encoding="utf-8")
    deals = pd.DataFrame({"deal_id": ["a"], "created_at": ["2010-01-01"]})
    history = pd.DataFrame({"deal_id": ["a"], "changed_at": ["2010-01-01"], "field": ["stage"], "value": ["S1"]})
    plain = sa.make_book(deals=deals, history=history, process=read_process(text))
    with pytest.raises(SchemaError, match="no nominal win rates"):
        sa.nominal_rates_effect(plain, as_of="2010-01-01")
    text.write_text("stages: [{id: S1, nominal_win_rate: 0.1}, S2]", encoding="utf-8")
    partly = sa.make_book(deals=deals, history=history, process=read_process(text))
    with pytest.raises(SchemaError, match="no nominal win rate of S2"):
        sa.nominal_rates_effect(partly, as_of="2010-01-01")
    scored = sa.score_open_deals(partly, as_of="2010-01-01", until="2010-03-31")
    found = baselines(partly, period=parse_period("2010Q1"), day=to_day("2010-01-01"), deals=scored)
    simple = found.set_index("method")
    assert simple.loc["nominal_weighted", "basis"] == "not every stage has a nominal rate"
    assert np.isnan(simple.loc["nominal_weighted", "count"])
    rising = sa.rising_rates(plain, as_of="2010-01-01")
    shown = proposal_text(sa.propose_nominal_rates(plain, as_of="2010-01-01"), rising, plain, "en")
    assert label("proposal_basis_observed", days="730") in shown
    assert sa.propose_nominal_rates(plain, as_of="2010-01-01")["proposed"].isna().all()


# ---------------------------------------------------------------- pictures


def drawn(ax):
    ax.figure.canvas.draw()
    return ax


def texts(ax):
    return [text.get_text() for text in ax.findobj(matplotlib.text.Text)]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@cache
def proposed():
    return sa.propose_nominal_rates(world(), as_of=at(LAST), horizon_days=150)


@cache
def effects():
    return sa.nominal_rates_effect(world(), as_of=at(LAST), quarters=4, horizon_days=150)


@cache
def over_time():
    table = sa.stage_rates_over_time(world(), as_of=at(LAST), every="quarter", horizon_days=150)
    return table[table["stage"] == "S2"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pictures_are_drawn_on_the_axes_given_in_both_languages(lang):
    for plot, frame, title in (
        (plots.rates_over_time, over_time(), label("title_over_time", lang, stage="S2")),
        (plots.proposed_rates, proposed(), label("title_proposal", lang)),
        (plots.rates_effect, effects(), label("title_effect", lang)),
    ):
        ax = plt.subplots()[1]
        assert drawn(plot(frame, ax=ax, lang=lang)) is ax
        assert ax.get_title(loc="left") == title


def test_pictures_show_what_the_tables_say():
    ax = drawn(plots.proposed_rates(proposed()))
    by_label = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_array_equal(by_label["Proposed"], proposed()["proposed"])
    np.testing.assert_array_equal(by_label["Nominal"], proposed()["nominal"])
    bars = np.array([segment[:, 1] for segment in ax.collections[0].get_segments()])
    np.testing.assert_allclose(bars, proposed()[["lower", "upper"]])

    ax = drawn(plots.rates_effect(effects()))
    nominal = effects().quarters.query("method == 'nominal'")
    heights = [bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(heights, [*nominal["count_signed"], *nominal["count_to_come"]])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), nominal["count"])
    assert [t.get_text() for t in ax.get_xticklabels()] == nominal["quarter"].tolist()
    assert len({line.get_marker() for line in ax.lines}) == 2  # told apart without colours
    money = drawn(plots.rates_effect(effects(), measure="amount"))
    np.testing.assert_allclose(money.lines[0].get_ydata(), nominal["amount"])
    assert money.get_ylabel() == "Amount"

    table = over_time()
    ax = drawn(plots.rates_over_time(table))
    points = np.sort(np.concatenate([c.lines[0].get_ydata() for c in ax.containers]))
    both = table[["p_won_cohort", "p_won_period"]].to_numpy(dtype=float).ravel()
    np.testing.assert_allclose(points.astype(float), np.sort(both[~np.isnan(both)]))
    assert 2 <= len(ax.get_xticks()) <= 9
    assert label("not_sure_yet") in texts(ax)


def test_only_one_stage_is_drawn_over_time():
    table = sa.stage_rates_over_time(world(), as_of=at(LAST), horizon_days=150)
    with pytest.raises(SchemaError, match=r"draws one stage, got S1, S2.*; choose with"):
        plots.rates_over_time(table)
    with pytest.raises(SchemaError, match="got none"):
        plots.rates_over_time(table.head(0))


# ---------------------------------------------------------------- texts and the terminal


@pytest.mark.parametrize("lang", LANGUAGES)
def test_texts_say_the_numbers(lang):
    book = world()
    rates = sa.stage_win_rates(book, as_of=at(LAST))
    gap = gap_text(rates, book, lang)
    row = rates.iloc[0]
    assert signed(100 * (row["closed_only_rate"] - row["p_won"]), 1) in gap
    lower = gap_text(rates.assign(closed_only_rate=0.125, p_won=0.25), book, lang)
    assert "−12.5" in lower  # a minus as in every other table, not a hyphen
    assert "-12.5" not in lower
    assert f"{100 * row['closed_only_rate']:.1f} %" in gap
    assert label("gap_why", lang) in gap
    assert label("gap_late", lang) not in gap  # nothing here was typed in late
    late = rates.assign(n_retrospective=3)
    assert label("gap_late", lang) in gap_text(late, book, lang)
    rising = sa.rising_rates(book, as_of=at(LAST))
    text = proposal_text(proposed(), rising, book, lang)
    for p in proposed()["proposed"]:
        assert f"{100 * p:.0f} %" in text
    assert label("rising_yes", lang) in text
    alike = replace(effects(), methods=effects().methods.assign(count_miss=1.5))
    assert not {label(f"nearer_{m}", lang) for m in ("nominal", "proposed")} & set(effect_text(alike, lang).split("\n"))
    methods = effects().methods.set_index("method")
    said = effect_text(effects(), lang)
    assert f"{signed(100 * (methods.loc['proposed', 'amount_ratio'] - 1))} %" in said
    assert label("nearer_proposed", lang) in said
    segments = sa.stage_win_rates(book, as_of=at(LAST), by="rep_id")
    shown = rates_text(segments, book, lang, as_of=at(LAST), by="rep_id")
    assert label("missing_group", lang) in shown  # no deal has an owner
    assert label("by_value", lang) in shown
    tests = sa.segments_differ(book, as_of=at(LAST), by="rep_id")
    assert label("title_differ", lang) in differ_text(tests, book, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_years_and_what_lies_beyond_are_told(lang):
    book = world()
    over_time = sa.stage_rates_over_time(book, as_of=at(LAST))
    drift = sa.rate_drift(over_time)
    years = over_time["period"].unique()
    text = over_time_text(over_time, drift, book, lang)
    assert all((year in text.split("\n")[3 - 1]) for year in years[-4:])
    last = over_time[(over_time["stage"] == "S2") & (over_time["period"] == years[-1])].iloc[0]
    both = " / ".join(f"{100 * last[f'p_won_{kind}']:.0f}" for kind in ("cohort", "period"))
    assert f"{both} %" in next(line for line in text.split("\n") if line.startswith("S2"))
    told = drift.assign(drift_per_year=[0.0123, *[np.nan] * (len(drift) - 1)], lower=-0.01, upper=0.045)
    assert "+1.2" in (said := over_time_text(over_time, told, book, lang).split("\n"))[4]
    assert "−1.0" in said[4]
    assert "+4.5" in said[4]
    assert over_time_text(over_time.head(0), drift.head(0), book, lang) == ""
    rates = sa.stage_win_rates(book, as_of=at(LAST)).assign(share_beyond=0.031, share_beyond_most=0.274)
    assert "3 – 27 %" in gap_text(rates, book, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_whether_the_chance_rises_is_said_plainly(lang):
    falls = rising_among(standing([0.1, 0.6, 0.3, 0.8]), STAGES, horizon_days=365)
    assert rising_sentence(replace(falls, stages=falls.stages.iloc[:1]), lang) == ""
    assert rising_sentence(rising_among(standing([0.0, 0.0, 0.0]), STAGES, horizon_days=365), lang) == ""  # nor falls
    assert rising_sentence(falls, lang) == label(
        "rising_no", lang, stages="S3", p=f"p {p_text(falls.p_value)}".replace("<", "< ")
    )
    hardly = rising_among(standing([0.1, 0.6, 0.58, 0.8]), STAGES, horizon_days=365)
    assert hardly.stages["falls"].any()
    surely = replace(hardly, p_value=0.9999)
    assert f"{'(' if lang == 'en' else '（'}p > 0.99" in rising_sentence(surely, lang)
    assert rising_sentence(hardly, lang).startswith(label("rising_chance", lang, stages="S3", p="0").split("(")[0][:12])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("rates")
    deals, history = simulate(2, days=500, per_day=0.3)
    owner = np.where(np.arange(len(deals)) % 2, "r1", "r2")
    deals.assign(rep_id=owner).to_csv(path / "deals.csv", index=False)
    rivals = history[history["value"] == "S2"].assign(field="competitor", value="rival")
    pd.concat([history, rivals]).to_csv(path / "history.csv", index=False)
    pd.DataFrame({"rep_id": ["r1", "r2"], "name": ["A", "B"], "team": ["north", "south"]}).to_csv(
        path / "reps.csv", index=False
    )
    (path / "book.yaml").write_text(f"extracted_on: {at(499)}\n", encoding="utf-8")
    return str(path)


def test_the_command_shows_rates_reasons_and_proposal(folder, capsys):
    assert main(["rates", folder, "--as-of", str(at(499))]) == 0
    text = capsys.readouterr().out
    for key in ("title_gap", "title_proposal", "nearer_proposed"):
        assert label(key) in text
    for by in ("team", "competitor"):
        assert main(["rates", folder, "--as-of", str(at(499)), "--by", by, "--lang", "zh"]) == 0
        text = capsys.readouterr().out
        assert label("title_differ", "zh") in text
        assert label(by, "zh") in text
    assert main(["rates", folder, "--as-of", str(at(499)), "--by", "colour"]) == 2
    assert "--by must be one of" in capsys.readouterr().err


def test_json_of_the_command_holds_all(folder, capsys):
    assert main(["rates", folder, "--as-of", str(at(499)), "--by", "team", "--json"]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
    assert {"as_of", "rates", "proposal", "rising", "segments_differ", "over_time", "drift", "effect"} == set(found)
    assert {row["team"] for row in found["rates"]} == {"north", "south"}
    assert len(found["segments_differ"]) == 8
    assert set(found["effect"]) == {"quarters", "methods"}
    assert {"rise", "p_value", "stages"} == set(found["rising"])


@pytest.mark.parametrize("seed", [22, 28, 60, 82, 94, 144])
def test_the_order_of_rows_does_not_move_the_p_value_of_rising_rates(seed):
    """Few deals make stages with equal errors: then the last digit of a sum turned the draws behind the p-value."""
    rng, n = np.random.default_rng(seed), 16
    rows = pd.DataFrame({"deal_id": [f"D{k % 8}" for k in range(n)], "state": rng.choice(["S1", "S2", "S3"], n)})
    rows["duration_days"] = rng.integers(1, 9, n) * 28
    rows = rows.assign(end=rng.choice(["won", "lost", "open"], n), amount=1.0)
    orders = [np.arange(n), *(np.random.default_rng(k).permutation(n) for k in range(3))]
    found = {rising_among(rows.iloc[order], ["S1", "S2", "S3"], horizon_days=730).p_value for order in orders}
    assert len(found) == 1
