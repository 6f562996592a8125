"""The probability backtest: what was promised at past dates, by hand and against the model of those dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaincinv
from test_close_model import at, company
from worlds import COLUMNS, book_of, day_of, tiny

import salesanalytics as sa
from salesanalytics.errors import AsOfError, InsufficientDataError, SchemaError
from salesanalytics.labels import LANGUAGES, cells, label
from salesanalytics.models import CloseModel
from salesanalytics.models.calibration_by import expected_and_came
from salesanalytics.models.metrics import auc, brier, log_loss
from salesanalytics.models.probability_backtest import (
    CLIP,
    LEARNED,
    METHODS,
    ProbabilityBacktest,
    backtest_probabilities,
    score_predictions,
)
from salesanalytics.report.chances import chances_text

LAST = 559
#: Day 380 is 16 January 2011 (the quarter ends on day 454), day 470 is 16 April (545).
ORIGINS, QUARTER_ENDS = (380, 470), {380: 454, 470: 545}


def with_rep_calls(deals, history):
    """Half of the reps state a probability when they take up a deal."""
    stated = deals.iloc[::2].assign(field="probability", changed_at=deals["created_at"])
    stated["value"] = np.resize(["20", "60", "80%"], len(stated))
    return deals, pd.concat([history, stated[COLUMNS]], ignore_index=True)


@pytest.fixture(scope="module")
def tables():
    return with_rep_calls(*company(4, days=LAST + 1, per_day=0.4))


@pytest.fixture(scope="module")
def book(tables):
    return book_of(*tables, last=LAST)


@pytest.fixture(scope="module")
def backtest(book):
    return backtest_probabilities(book, as_of=at(LAST), origins=[at(k) for k in ORIGINS], horizons=(30, 90))


@pytest.fixture(scope="module")
def large():
    """More than 300 deals are closed on the one date asked."""
    book = book_of(*company(5, days=520, per_day=1.2), last=519)
    return book, backtest_probabilities(book, as_of=at(519), origins=[at(430)], horizons=(60,))


# ---------------------------------------------------------------- what is asked


def test_only_horizons_seen_to_their_end(backtest, book):
    found = backtest.predictions
    asked = found.groupby(["origin", "horizon"])["horizon_days"].unique().map(list).to_dict()
    first, second = (pd.Timestamp(at(k)) for k in ORIGINS)
    assert asked == {
        (first, "30"): [30], (first, "90"): [90], (first, "quarter end"): [454 - 380],
        (second, "30"): [30], (second, "quarter end"): [545 - 470],  # 90 days later the book is over
    }  # fmt: skip
    for (origin, _), part in found.groupby(["origin", "horizon"]):
        expected = sa.snapshots(book, as_of=origin.date())["deal_id"]
        assert part["deal_id"].tolist() == expected.tolist()


def test_won_is_what_the_history_says(backtest, tables):
    found = backtest.predictions
    signed = found["deal_id"].map(tables[1].query("value == 'won'").set_index("deal_id")["changed_at"])
    assert (found["won"] == (signed <= found["origin"] + pd.to_timedelta(found["horizon_days"], unit="D"))).all()
    assert 10 < found["won"].sum() < len(found)


def test_a_pipeline_weighted_as_usual_by_hand(backtest, book):
    found = backtest.predictions
    for origin, part in found.groupby("origin"):
        rows = sa.snapshots(book, as_of=origin.date()).set_index("deal_id").loc[part["deal_id"]]
        outside = (rows["days_to_close_date"] > part["horizon_days"].to_numpy()).to_numpy()
        assert 0.02 < outside.mean() < 0.98
        nominal = rows["stage"].map({"S1": 0.10, "S2": 0.20, "S3": 0.25}).to_numpy()
        np.testing.assert_allclose(part["nominal"], np.where(outside, 0, nominal))
        p_rep = rows["p_rep"].to_numpy()
        assert set(p_rep[~np.isnan(p_rep)]) == {0.2, 0.6, 0.8}
        np.testing.assert_allclose(part["rep"], np.where(outside & ~np.isnan(p_rep), 0, p_rep))


def test_promises_are_those_of_the_model_of_the_date(backtest, book):
    on = at(ORIGINS[0])
    part = backtest.predictions.query("origin == @pd.Timestamp(@on) and horizon == '90'")
    fitted = CloseModel().fit(book, as_of=on)
    rows = sa.snapshots(book, as_of=on)
    np.testing.assert_allclose(part["in_use"], fitted.curves(rows, days=[90])[0][:, 0])
    np.testing.assert_allclose(part["stage_table"], fitted.table_.predict(rows, horizon_days=[90])[0][:, 0])
    stood = backtest.rungs.iloc[0]
    assert stood["origin"] == on
    rung = fitted.rung_
    assert stood[["n_closed", "rung", "by_count", "by_test"]].tolist() == [
        rung.n_closed, rung.name, rung.by_count, rung.by_test,
    ]  # fmt: skip
    assert len(backtest.rungs) == 2
    assert backtest.predictions["boosting"].isna().all()  # not from fewer than 300 closed deals
    assert backtest.predictions["blend"].isna().all()


def test_the_logistic_regression_speaks_from_sixty_closed_deals_on(backtest):
    assert backtest.rungs["n_closed"].between(60, 299).all()
    assert backtest.predictions["logistic"].notna().all()


def test_all_learners_speak_from_three_hundred_on(large):
    book, found = large
    assert found.rungs["n_closed"].item() >= 300
    assert found.predictions[list(LEARNED)].notna().all(axis=None)
    fitted = CloseModel(rung="blend").fit(book, as_of=at(430))
    rows = sa.snapshots(book, as_of=at(430))
    for rung in LEARNED:
        part = found.predictions[found.predictions["horizon"] == "60"]
        np.testing.assert_allclose(part[rung], fitted.curves(rows, days=[60], rung=rung)[0][:, 0], rtol=1e-9)
    chosen = found.rungs["rung"].item()
    other = [rung for rung in LEARNED if rung != chosen]
    assert all((found.predictions["in_use"] != found.predictions[rung]).any() for rung in other)
    scores = found.scores[found.scores["horizon"] == "60"].set_index("method")
    assert scores.index.tolist() == ["nominal", *LEARNED, "in_use"]  # no rep stated a probability
    assert scores["slope"].between(scores["slope_lower"], scores["slope_upper"]).all()
    loss = scores["log_loss"]
    assert loss["blend"] < loss["stage_table"]  # the products differ, which stages do not tell


def test_later_events_change_no_promise(tables, backtest):
    deals, history = tables
    on = pd.Timestamp(at(ORIGINS[0]))
    other = history.assign(
        value=history["value"].where(history["changed_at"] <= on, history["value"].replace("won", "lost"))
    )
    again = backtest_probabilities(book_of(deals, other, last=LAST), as_of=at(LAST), origins=[on], horizons=(30, 90))
    expected = backtest.predictions[backtest.predictions["origin"] == on]
    assert not again.predictions["won"].any()
    pd.testing.assert_frame_equal(again.predictions.drop(columns="won"), expected.drop(columns="won"))


def test_a_vanished_deal_is_neither_won_nor_lost():
    paths = {
        "gone": [("S1", 0)], "seen": [("S1", 0)], "won": [("S1", 0), ("won", 50)], "late": [("S1", 0), ("won", 80)],
        "lost": [("S1", 0), ("lost", 45)],
    }  # fmt: skip
    seen = [day_of(60), *[pd.NaT] * 4]
    book = tiny(paths, last=140, deals={"last_seen_on": seen})
    found = backtest_probabilities(book, as_of=at(140), origins=[at(40)], horizons=(15, 30)).predictions
    won = {h: part.set_index("deal_id")["won"].to_dict() for h, part in found.groupby("horizon")}
    assert won["15"] == {"gone": False, "seen": False, "won": True, "late": False, "lost": False}  # seen until then
    assert won["30"] == {"seen": False, "won": True, "late": False, "lost": False}
    assert won["quarter end"] == {"seen": False, "won": True, "late": True, "lost": False}  # 31 March is day 89


def test_what_is_typed_in_late_is_not_seen_to_its_end():
    # every end is typed in 20 days late: of day 100, day 80 is seen
    paths = {f"d{k}": [("S1", 0), ("lost", 10 + k, 30 + k)] for k in range(20)}
    paths |= {"A": [("S1", 0)], "B": [("S1", 0), ("won", 55, 75)]}
    book = tiny(paths, last=100)
    found = backtest_probabilities(book, as_of=at(100), origins=[at(50)], horizons=(30, 31)).predictions
    assert set(found["horizon"]) == {"30"}
    assert found.set_index("deal_id")["won"].to_dict() == {"A": False, "B": True}


# ---------------------------------------------------------------- scores


def test_scores_by_hand():
    won = np.array([True, False, True, False, False, True])
    frame = pd.DataFrame(
        {
            "origin": day_of(0),
            "deal_id": list("abcabc"),
            "horizon": "30",
            "horizon_days": 30,
            "won": won,
            "nominal": [0.3, 0.3, 0.3, 0.0, 0.1, 1.0],
            "rep": [0.9, np.nan, np.nan, np.nan, 0.4, np.nan],  # speaks on a third of the rows: left out
            "stage_table": [0.5, 0.2, 0.6, 0.3, 0.1, 0.7],
            "logistic": [0.6, 0.1, 0.7, 0.4, 0.2, np.nan],  # speaks on five of six: all are judged there
        }
    )
    scores = score_predictions(pd.concat([frame, frame.assign(horizon="90", won=~won)])).set_index(
        ["horizon", "method"]
    )
    assert scores.index.tolist() == [(h, m) for h in ("30", "90") for m in ("nominal", "stage_table", "logistic")]
    judged, p = won[:5], np.array([0.6, 0.1, 0.7, 0.4, 0.2])
    row = scores.loc[("30", "logistic")]
    assert np.isnan(row[["slope", "slope_lower", "slope_upper"]].to_numpy(dtype=float)).all()  # it parts the outcomes
    assert (row["n"], row["n_deals"], row["won"], row["expected"]) == (5, 3, 2, pytest.approx(2.0))
    assert row["brier"] == pytest.approx(((p - judged) ** 2).mean())
    loss = -np.log(np.where(judged, p, 1 - p))
    assert row["log_loss"] == pytest.approx(loss.mean())
    assert row["auc"] == 1
    base = -(0.4 * np.log(0.4) + 0.6 * np.log(0.6))  # recalibrated it is perfect: it parts the outcomes
    parts = row[["miscalibration", "discrimination", "uncertainty"]].to_numpy(dtype=float)
    np.testing.assert_allclose(parts, [loss.mean(), base, base])
    table = np.array([0.5, 0.2, 0.6, 0.3, 0.1])
    gap = loss + np.log(np.where(judged, table, 1 - table))
    by_deal = np.array([gap[[0, 3]].sum(), gap[[1, 4]].sum(), gap[2]]) - gap.mean() * np.array([2, 2, 1])
    se = np.sqrt(3 / 2 * (by_deal**2).sum()) / 5
    assert row["difference"] == pytest.approx(gap.mean())
    assert row["upper"] - row["lower"] == pytest.approx(2 * 2.9199856 * se)  # t of 2 degrees of freedom, 90 %
    assert (scores.loc[("30", "stage_table"), ["difference", "lower", "upper"]] == 0).all()
    assert np.isfinite(scores.loc[("30", "nominal"), "log_loss"])  # a promise of 0 is held at CLIP
    assert scores.loc[("90", "logistic"), "won"] == 3


def test_methods_that_speak_of_no_deal_together_do_not_stop_the_others():
    """A process with nominal rates of some stages, reps who state a chance in the others."""
    half = [0.5, 0.4, 0.3, 0.2] + [np.nan] * 4
    frame = pd.DataFrame({"deal_id": list("abcdefgh"), "horizon": "30", "won": [0, 1] * 4, "nominal": half})
    frame = frame.assign(rep=half[::-1], stage_table=0.4, in_use=0.3)
    scores = score_predictions(frame).set_index("method")
    assert scores.index.tolist() == ["rep", "stage_table", "in_use"]
    assert scores["n"].tolist() == [4, 4, 4]
    one = frame.assign(rep=frame["rep"].where(frame["deal_id"].ne("d"), 0.5))  # one deal of eight is no comparison
    assert score_predictions(one).set_index("method")["n"].to_dict() == {"rep": 5, "stage_table": 5, "in_use": 5}


def test_scores_are_those_of_the_predictions(backtest):
    for (horizon, method), row in backtest.scores.set_index(["horizon", "method"]).iterrows():
        part = backtest.predictions[backtest.predictions["horizon"] == horizon]
        shown = [m for m in METHODS if part[m].notna().mean() >= 0.5]
        assert method in shown
        part = part.dropna(subset=shown)
        p = part[method].clip(CLIP, 1 - CLIP)
        expected = (len(part), part["won"].sum(), p.sum(), brier(p, part["won"]), log_loss(p, part["won"]))
        assert tuple(row[["n", "won", "expected", "brier", "log_loss"]]) == pytest.approx(expected)
        assert row["auc"] == pytest.approx(auc(p, part["won"]))
        assert row["lower"] <= row["difference"] <= row["upper"]
    assert {"stage_table", "in_use"} <= set(backtest.scores["method"])


# ---------------------------------------------------------------- by group


def test_who_stood_where_is_what_was_known_on_the_date(backtest, book):
    for origin, part in backtest.predictions.groupby("origin"):
        rows = sa.snapshots(book, as_of=origin.date()).set_index("deal_id").loc[part["deal_id"]]
        for name in ("state", "rep_id", "product"):
            assert part[name].tolist() == rows[name].tolist()
    named = backtest.predictions.groupby("origin")["quarter"].unique().map(list).tolist()
    assert named == [["2011Q1"], ["2011Q2"]]


def test_expected_and_came_by_hand():
    frame = pd.DataFrame(
        {
            "origin": day_of(0), "deal_id": list("abcdaefg"), "horizon": "30", "horizon_days": 30,
            "won": [True, False, False, True, True, False, False, False],
            "in_use": [0.6, 0.2, 0.4, 0.7, 0.5, np.nan, 0.1, 0.3],
            "product": ["x"] * 5 + ["x", "y", None],
        }
    )  # fmt: skip
    found = ProbabilityBacktest(pd.concat([frame, frame.assign(horizon="90")]), None, None).by("product")
    assert found["horizon"].tolist() == ["30"] * 3 + ["90"] * 3
    x, y, missing = (found.iloc[k] for k in range(3))
    assert (x["product"], y["product"], pd.isna(missing["product"])) == ("x", "y", True)
    assert (x["n"], x["n_deals"], x["expected"], x["won"]) == (5, 4, pytest.approx(2.4), 3)
    gap = np.array([0.4 + 0.5, -0.2, -0.4, 0.3])  # deal a stands there twice
    off = gap - 0.6 / 5 * np.array([2, 1, 1, 1])
    trials = 0.6 * 0.4 / (4 / 3 * (off**2).sum() / 25)
    limits = [5 * betaincinv(0.6 * trials + 0.5, 0.4 * trials + 0.5, q) for q in (0.05, 0.95)]
    np.testing.assert_allclose([x["won_lower"], x["won_upper"]], limits)
    assert (y["won"], y["won_lower"], y["won_upper"]) == (0, 0, pytest.approx(betaincinv(0.5, 1.5, 0.95)))


def test_groups_add_up(backtest):
    whole = backtest.scores[backtest.scores["method"] == "in_use"].set_index("horizon")
    for group in ("state", "rep_id", "product", "quarter"):
        found = backtest.by(group)
        assert (found["won_lower"] <= found["won"]).all()
        assert (found["won"] <= found["won_upper"]).all()
        assert (found["won_upper"] <= found["n"]).all()
        total = found.groupby("horizon")[["n", "expected", "won"]].sum()
        said = backtest.predictions.groupby("horizon")["in_use"].sum()
        pd.testing.assert_series_equal(total["expected"], said, check_names=False)
        assert (total.loc[whole.index, ["n", "won"]] == whole[["n", "won"]]).all(axis=None)
    with pytest.raises(SchemaError, match="group must be one of quarter, state, rep_id, product"):
        backtest.by("team")
    with pytest.raises(SchemaError, match="method must be one of"):
        backtest.by("state", method="won")


def test_an_interval_holds_what_calibrated_chances_expect():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(200):
        p, deal = rng.uniform(0.05, 0.6, 60), np.arange(60)
        won = rng.random(60) < p
        frame = pd.DataFrame({"deal_id": np.tile(deal, 2), "horizon": "30", "won": np.tile(won, 2), "g": "all"})
        frame["in_use"] = np.tile(p, 2)  # each deal twice: no more is known by that
        row = expected_and_came(frame, by="g", method="in_use").iloc[0]
        held.append(row["won_lower"] <= row["expected"] <= row["won_upper"])
    assert 0.84 < np.mean(held) < 0.96


# ---------------------------------------------------------------- dates


def test_dates_by_default():
    # the first deal is born on day 0 and the book ends on day 700: eight dates 91 days apart, less the first year
    book = tiny({f"d{k}": [("S1", 7 * k)] for k in range(90)}, last=700)
    found = backtest_probabilities(book, as_of=at(700), horizons=(30,))
    assert found.rungs["origin"].tolist() == [at(700 - 91 * k) for k in (3, 2, 1)]
    assert not found.predictions["won"].any()


def test_too_short_a_book():
    young = tiny({"A": [("S1", 0)], "B": [("S1", 0), ("won", 50)]}, last=300)
    with pytest.raises(InsufficientDataError, match=f"observed by {at(300)}; origins asked: 0"):
        backtest_probabilities(young, as_of=at(300))
    with pytest.raises(InsufficientDataError, match="origins asked: 1"):
        backtest_probabilities(young, as_of=at(300), origins=[at(299)], horizons=(30,))
    empty = tiny({"A": [("S1", 200)]}, last=300)
    with pytest.raises(InsufficientDataError, match="No past date has an open deal"):
        backtest_probabilities(empty, as_of=at(300), origins=[at(100)], horizons=(30,))


@pytest.mark.parametrize("horizon", [0, -30])
def test_a_horizon_without_days_is_refused(book, horizon):
    with pytest.raises(SchemaError, match=f"horizons must be > 0, got {horizon}"):
        backtest_probabilities(book, as_of=at(LAST), horizons=(30, horizon))


def test_the_book_ends_somewhere(book):
    with pytest.raises(AsOfError, match="lies after the end of the book"):
        backtest_probabilities(book, as_of=at(LAST + 1))
    with pytest.raises(AsOfError, match="origins must be a date"):
        backtest_probabilities(book, as_of=at(LAST), origins=["soon"])
    with pytest.raises(AsOfError, match="lies after the end of the book"):
        backtest_probabilities(book, as_of=at(LAST), origins=[at(LAST - 400), at(LAST + 1)])


# ---------------------------------------------------------------- the verdict in words


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_verdict_says_what_is_used_why_and_whether_it_kept_its_word(backtest, lang):
    text = chances_text(backtest, lang)
    used = backtest.scores[backtest.scores["method"] == "in_use"]
    for row in used.itertuples():
        assert f"{row.expected:.1f}" in text
        assert f"{row.log_loss:.3f}" in text
    last = backtest.rungs.iloc[-1]
    names = {key: label(f"told_{last[key]}", lang) for key in ("rung", "by_count", "by_test")}
    assert label("chances_why", lang, day=last["origin"], n=str(last["n_closed"]), **names) in text
    assert max(map(cells, chances_text(backtest, lang, 100).split("\n"))) <= 100


@pytest.mark.parametrize(
    ("lower", "upper", "key"),
    [(-0.02, -0.01, "better"), (0.01, 0.02, "worse"), (-0.01, 0.02, "alike"), (0.0, 0.0, None)],
)
def test_the_verdict_follows_the_interval(backtest, lower, upper, key):
    scores = backtest.scores.assign(lower=lower, upper=upper)
    text = chances_text(ProbabilityBacktest(backtest.predictions, scores, backtest.rungs), "en")
    said = {k: text.count(f": {label(k, 'en')};") for k in ("chances_better", "chances_worse", "chances_alike")}
    said["same_table"] = text.count(f": {label('same_table', 'en')};")
    wanted = f"chances_{key}" if key else "same_table"
    assert said == {k: 3 if k == wanted else 0 for k in said}
