"""Backtest: scores by hand, bands that hold where they should, widening where they do not."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy.stats import norm
from worlds import book_of, simulate, tiny

import salesanalytics as sa
from salesanalytics.errors import InsufficientDataError, SchemaError
from salesanalytics.forecast import backtest_cache, judged
from salesanalytics.forecast.data_hash import data_hash
from salesanalytics.forecast.drawing import accuracy_ceiling, draw_components
from salesanalytics.forecast.judged import known_on
from salesanalytics.forecast.past_origins import Origin, foresee
from salesanalytics.forecast.prepare import prepare, prepare_by_table
from salesanalytics.forecast.simple_methods import simple_methods
from salesanalytics.forecast.track_record import PRIOR_QUARTERS, TrackRecord, stretch_of
from salesanalytics.labels import band, label, short
from salesanalytics.models.bands import central_band
from salesanalytics.models.shock import SHOCK_GRID
from salesanalytics.report.review import backtest_text
from salesanalytics.report.review_rows import method_name
from salesanalytics.report.sections import sections
from salesanalytics.timeline import parse_period
from salesanalytics.timeline.calendar import to_date, to_day

module = sys.modules["salesanalytics.forecast.backtest"]
pytestmark = pytest.mark.usefixtures("on_the_stage_table")

DAYS = 2200


@cache
def book():
    deals, history = simulate(21, days=DAYS, per_day=0.6)
    deals["amount"] = np.random.default_rng(0).lognormal(3, 0.7, len(deals)).round(2)
    return book_of(deals, history, last=DAYS - 1)


@cache
def record():
    return sa.backtest(book(), as_of="2015-12-31", quarters=12, weeks=(0, 6))


def test_every_quarter_week_measure_and_method_has_a_row():
    scores = record().scores
    assert scores["quarter"].unique().tolist() == [f"{y}Q{q}" for y in range(2012, 2016) for q in range(1, 5)][3:15]
    shape = scores.groupby(["quarter", "week", "measure"])["method"].nunique()
    assert set(shape) == {16}
    assert len(shape) == 12 * 2 * 2
    assert (scores.groupby(["quarter", "measure"])["actual"].nunique() == 1).all()
    for quarter, part in scores[scores["measure"].eq("count")].groupby("quarter"):
        after = (parse_period(quarter).end + pd.Timedelta(days=30)).isoformat()
        assert part["actual"].iloc[0] == sa.actual(book(), quarter=quarter, known_at=after)["count"]


def test_a_forecast_of_the_past_is_the_one_made_then():
    scores = record().scores.set_index(["quarter", "week", "measure", "method"])
    then = sa.forecast_quarter(book(), quarter="2013Q2", as_of="2013-03-31", draws=4000)
    row = scores.loc[("2013Q2", 0, "count", "forecast")]
    assert row["stretch"] == 1 or row["q90"] - row["q10"] >= np.diff(np.quantile(then.total("count"), [0.1, 0.9]))[0]
    assert row["forecast"] == pytest.approx(then.total("count").mean(), rel=0.03)
    simple = then.baselines.set_index("method")["count"]
    for method in ("nominal_weighted", "stage_week_conversion", "mean_of_last_four", "same_quarter_last_year"):
        told = scores.loc[("2013Q2", 0, "count", method), "forecast"]
        assert told == pytest.approx(simple[method], nan_ok=True)


def count(quarter, known_at):
    return sa.actual(book(), quarter=quarter, known_at=known_at)["count"]


@pytest.mark.parametrize("place", [0, -1])
def test_simple_methods_have_their_own_earlier_errors_as_distribution(place):
    scores = record().scores
    own = scores[scores["method"].eq("mean_of_last_four") & scores["measure"].eq("count") & scores["week"].eq(0)]
    row = own.iloc[place]
    period, errors = parse_period(row["quarter"]), []
    # on its eve the quarter before was over, but not known for 30 days; those before the scored ones count too, from
    # 2011Q1 on, seven before the first (two are needed for what reps call to be corrected, and four quarters as past)
    for earlier in (period.back(k) for k in range(2, 30)):
        if earlier.start_day < parse_period("2011Q1").start_day:
            break
        eve = to_date(earlier.start_day - 1)
        said = np.mean([count(earlier.back(k).name, eve) for k in (1, 2, 3, 4)])
        errors.append(said - count(earlier.name, to_date(earlier.end_day + 30)))
    draws = np.maximum(row["forecast"] - np.array(errors), 0)
    assert row["q10"] == central_band(draws, 0.8)[0]
    spread = np.abs(np.subtract.outer(draws, draws)).mean() / 2
    assert row["crps"] == pytest.approx(np.abs(draws - row["actual"]).mean() - spread)


def test_without_a_close_model_simple_methods_say_the_same():
    for day in ("2012-03-31", "2012-05-15"):
        asked = {"period": parse_period("2012Q2"), "day": to_day(day)}
        fitted, light = (simple_methods(book(), way(book(), **asked)) for way in (prepare, prepare_by_table))
        pd.testing.assert_frame_equal(fitted, light)


def test_where_the_book_is_long_enough_all_scored_quarters_compare():
    assert record().n_compared("count") == record().n_compared() == 12
    others = record().scores["method"].nunique() - record().scores.query("crps.isna()")["method"].nunique()
    assert record().n_methods("count") == others


def told_by_oracles(history, periods):
    """Reps who commit, on the eve of each quarter, to what will be signed in it of the deals that stand open."""
    won = history[history["value"].eq("won")]
    known = history.groupby("deal_id")["changed_at"].min()
    rows = []
    for period in periods:
        eve = pd.Timestamp(period.start) - pd.Timedelta(days=1)
        some = won[won["changed_at"].between(pd.Timestamp(period.start), pd.Timestamp(period.end))]["deal_id"]
        some = some[some.map(known) <= eve]
        for field, value in (("category", "commit"), ("close_date", str(period.end))):
            rows.append(pd.DataFrame({"deal_id": some, "changed_at": eve, "field": field, "value": value}))
    return pd.concat([history, *rows], ignore_index=True)


def test_by_default_settings_a_simple_method_that_is_better_is_recommended():
    last = parse_period("2015Q4")
    deals, history = simulate(5, days=DAYS, per_day=0.4)
    history = told_by_oracles(history, [last.back(k) for k in range(24)])
    found = sa.backtest(book_of(deals, history, last=DAYS - 1), as_of="2015-12-31", weeks=(0,))
    table = found.summary().set_index(["measure", "method"])["crps"]["count"]
    assert found.n_compared("count") >= 8
    assert found.recommended("count").startswith("rep_")
    assert table["rep_commit"] < 0.8 * table["forecast"]


def test_a_recommended_method_has_a_number_and_a_band_for_the_present_quarter(monkeypatch):
    last = parse_period("2015Q4")
    deals, history = simulate(5, days=DAYS, per_day=0.4)
    told = told_by_oracles(history, [last.back(k) for k in range(24)])
    company = book_of(deals, told, last=DAYS - 1)
    past = sa.backtest(company, as_of="2015-09-30", weeks=(0,), quarters=5)
    now = sa.forecast_quarter(company, quarter="2015Q4", as_of="2015-09-30", target=600.0, record=past, draws=2000)
    simple = now.baselines.set_index("method")
    assert set(past.scores["method"]) - {"forecast"} == set(simple.index)
    row, scores = simple.loc["rep_commit"], past.scores.query("method == 'rep_commit' and measure == 'amount'")
    draws = np.maximum(row["amount"] - (scores["forecast"] - scores["actual"]), 0)
    assert (row["amount_lower"], row["amount_upper"]) == central_band(draws, 0.8)
    assert row["p_target"] == (draws >= 600).mean()
    lead = " ".join(sections(now, "en", before=None, groups=None, outlook=None)[-1].lead)
    assert ("For 2015Q4 it says" in lead, "too few quarters to compare" in lead) == (False, True)
    monkeypatch.setattr(TrackRecord, "recommended", lambda *_: "rep_commit")
    lead = " ".join(sections(now, "en", before=None, groups=None, outlook=None)[-1].lead)
    assert f"For 2015Q4 it says {short(row['count'])}; " in lead
    assert f"{band(row['amount_lower'], row['amount_upper'])} " in lead
    row = simple.loc["with_calls"]
    assert row["count_lower"] < row["count"] < row["count_upper"]
    assert 0 < row["p_target"] < 1
    assert now.to_dict()["baselines"]["with_calls"]["p_target"] == row["p_target"]
    few = TrackRecord(past.scores[past.scores["quarter"] > "2014Q3"])  # three quarters are too few errors
    now = sa.forecast_quarter(company, quarter="2015Q4", as_of="2015-09-30", record=few, draws=200)
    assert now.baselines[["amount_lower", "count_upper", "p_target"]].isna().all(axis=None)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_text_tells_how_many_methods_and_quarters_were_compared(lang):
    enough, day = record(), pd.Timestamp("2015-12-31").date()
    few = replace(enough, scores=enough.scores.assign(comparable=enough.scores["quarter"] >= "2014Q1"))
    for found, quarters in ((enough, 12), (few, 7)):
        text = backtest_text(found, lang, as_of=day)
        for measure in ("amount", "count"):
            told = {"measure": label(measure, lang), "quarters": quarters, "least": 8}
            method = method_name(found.recommended(measure), lang)
            use = label("use_by_record", lang, method=method, n=found.n_methods(measure), **told)
            too_few = label("too_few_compared", lang, **told)
            assert (use in text, too_few in text) == ((True, False) if quarters == 12 else (False, True))
        assert label("backtest_flatters", lang) in text  # the book does not say when its rows were recorded
    assert label("backtest_flatters", lang) not in backtest_text(replace(enough, one_extract=False), lang, as_of=day)


def test_the_interval_score_is_summed_up_over_what_compares():
    scores = record().scores.query("measure == 'count' and method == 'forecast' and comparable")
    q10, q90, y = (scores[name] for name in ("q10", "q90", "actual"))
    score = (q90 - q10) + 10 * (q10 - y).clip(lower=0) + 10 * (y - q90).clip(lower=0)
    told = record().summary().set_index(["measure", "method"]).at[("count", "forecast"), "interval_score"]
    assert told == pytest.approx(score.mean() / y.mean())


def speaks(n_of_method):
    """Scores of quarters Q00, Q01 ...: each method has a CRPS in the last n of 12."""
    rows = [
        {"quarter": f"Q{q:02}", "week": 0, "measure": "count", "method": m, "crps": 1.0 if q >= 12 - n else np.nan}
        for m, n in n_of_method.items() for q in range(12)
    ]  # fmt: skip
    return judged._comparable(pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("n_of_method", "n_compared", "n_methods"),
    [
        ({"forecast": 12, "with_calls": 12, "a": 10, "b": 9}, 9, 4),
        ({"forecast": 12, "with_calls": 12, "a": 10, "b": 6}, 10, 3),  # one that speaks too seldom is left out
        ({"forecast": 12, "with_calls": 12, "a": 7, "b": 6}, 7, 3),
        ({"forecast": 12, "with_calls": 12, "a": 0}, 12, 2),
    ],
)
def test_what_can_be_compared_by_hand(n_of_method, n_compared, n_methods):
    found = TrackRecord(speaks(n_of_method))
    assert (found.n_compared("count"), found.n_methods("count")) == (n_compared, n_methods)


def test_bands_hold_about_as_often_as_they_say_in_a_stationary_world():
    k, n = record().held("count", 80)
    assert n == 24
    assert k >= 15
    summary = record().summary().set_index(["measure", "method"])
    assert summary.at[("count", "forecast"), "wape"] < 0.3
    assert summary.at[("count", "forecast"), "n_quarters"] == 12
    assert summary.at[("count", "forecast"), "crps"] < 1.15 * summary.xs("count")["crps"].min()


def made_up(pits, *, weeks=1, first=2009):
    """Scores of our method with given places of the truth in the forecast, from a first year on."""
    rows = [
        {"quarter": f"{first + q // 4}Q{q % 4 + 1}", "week": w, "measure": "count", "method": "forecast", "pit": p}
        for q, p in enumerate(pits) for w in range(weeks)
    ]  # fmt: skip
    rows = pd.DataFrame(rows, columns=["quarter", "week", "measure", "method", "pit"])
    return rows.assign(crps=1.0, comparable=len(rows) > 0)


def test_widening_by_hand():
    assert stretch_of(made_up([])) == 1
    assert stretch_of(made_up([0.5] * 10)) == 1  # never narrower
    z = np.array([2.0, -2.0, 1.5])
    expected = np.sqrt((PRIOR_QUARTERS + (z**2).sum()) / (PRIOR_QUARTERS + 3))
    assert stretch_of(made_up(norm.cdf(z))) == pytest.approx(expected)
    assert stretch_of(made_up(norm.cdf(z), weeks=4)) == pytest.approx(expected)  # weeks share the luck of a quarter
    assert stretch_of(made_up([0.0])) < 1.6  # a truth beyond all draws is not infinitely surprising


@pytest.mark.parametrize("stretch", [1.3, 2.0])
def test_a_stretch_widens_what_is_not_signed_and_lowers_nothing_below_signed(stretch):
    prepared = prepare(book(), period=parse_period("2015Q2"), day=to_day("2015-04-25"))
    (plain, _, own), (wide, _, spread) = (
        draw_components(prepared, draws=4000, seed=0, stretch=s) for s in (1.0, stretch)
    )
    assert own == prepared.shock.spread < spread <= 1

    def unsigned(components):
        return np.sum([count for name, (count, _) in components.items() if name != "signed"], axis=0)

    width = [np.diff(np.quantile(unsigned(c), [0.1, 0.9]))[0] for c in (plain, wide)]
    assert width[1] == pytest.approx(stretch * width[0], rel=0.15, abs=2)  # ends are whole numbers
    assert unsigned(wide).mean() == pytest.approx(unsigned(plain).mean(), rel=0.04)
    assert unsigned(wide).min() >= 0
    np.testing.assert_array_equal(wide["signed"][0], plain["signed"][0])


def test_a_shock_is_not_widened_until_few_draws_hold_all():
    prepared = prepare(book(), period=parse_period("2015Q2"), day=to_day("2015-04-25"))
    certain = np.where(np.isclose(SHOCK_GRID, 0.6), 1.0, 0.0)
    wide = replace(prepared.drawable(), shock=replace(prepared.shock, weight=certain))
    components, _, spread = draw_components(wide, draws=4000, seed=0, stretch=3.0)
    assert spread == pytest.approx(1)
    count = np.sum([count for name, (count, _) in components.items() if name != "signed"], axis=0)
    assert np.median(count) > 0.6 * count.mean()
    assert draw_components(wide, draws=4000, seed=0, stretch=1.0)[2] == pytest.approx(0.6)


def test_a_record_widens_the_next_forecast():
    bad = made_up([0.001, 0.999] * 6)
    scores = pd.concat([record().scores, bad])
    asked = {"quarter": "2016Q1", "as_of": "2015-12-31", "draws": 3000}
    plain, wide = (sa.forecast_quarter(book(), **asked, record=r) for r in (None, TrackRecord(scores)))
    widths = [np.diff(f.bands("count")["80"])[0] for f in (plain, wide)]
    assert widths[1] > 1.2 * widths[0]
    assert wide.record.stretch > 1.5
    assert wide.shock_spread > plain.shock_spread


def test_a_record_made_later_tells_an_earlier_forecast_what_was_known_then():
    """Quarters were over, and judged, 30 days after they ended; what came later widened the earlier forecast too."""
    good, bad = (
        made_up(pits, first=year).assign(forecast=1.0, actual=9.0)
        for pits, year in (([0.5] * 4, 2013), ([0.001, 0.999] * 2, 2014))
    )
    later, then = (TrackRecord(pd.concat(parts, ignore_index=True)) for parts in ([good, bad], [good]))
    assert later.stretch > 1.2 > then.stretch
    for day, quarters in (("2014-01-29", 3), ("2014-01-30", 4)):
        asked = {"quarter": "2014Q1", "as_of": day, "draws": 300}
        told, alone = (sa.forecast_quarter(book(), **asked, record=one) for one in (later, then))
        assert told.record.scores["quarter"].nunique() == quarters
        np.testing.assert_array_equal(told.total(), alone.total())
    asked = {"quarter": "2015Q2", "as_of": "2015-03-31", "draws": 300}
    assert sa.forecast_quarter(book(), **asked, record=later).record.stretch == later.stretch
    asked = {"quarter": "2014Q1", "as_of": "2014-01-30", "draws": 300}
    assert sa.forecast_quarter(book(), **asked, record=TrackRecord(bad)).record is None


def test_calls_of_a_record_made_later_are_left_out_too():
    scores = made_up([0.5] * 8, first=2013)
    past = TrackRecord(scores, scores[["quarter", "week", "measure"]].assign(rep_id="r", called=1.0, came=2.0))
    told = known_on(past, to_day("2014-08-05"), fiscal_year_start=1)
    for rows in (told.scores, told.calls):
        assert rows["quarter"].tolist() == scores["quarter"].tolist()[:6]
    fiscal = known_on(past, to_day("2013-05-01"), fiscal_year_start=4)  # a year that ends in March 2013
    assert fiscal.scores["quarter"].tolist() == scores["quarter"].tolist()[:4]
    late = scores.assign(method="rep_commit").tail(2)  # it spoke too seldom to count before, and counts then
    both = pd.concat([scores, scores.assign(method="mean_of_last_four"), late], ignore_index=True)
    seldom = TrackRecord(both.assign(comparable=both["quarter"].isin(late["quarter"])))
    then = known_on(seldom, to_day("2014-08-05"), fiscal_year_start=1)
    assert [one.n_compared("count") for one in (seldom, then)] == [2, 6]
    pd.testing.assert_frame_equal(known_on(record(), to_day("2015-12-31"), fiscal_year_start=1).scores, record().scores)


def test_a_simple_method_that_did_better_is_recommended():
    rows = [
        {"quarter": f"Q{q}", "week": 0, "measure": "amount", "method": m, "crps": c, "comparable": True}
        for q in range(8) for m, c in (("forecast", 2.0), ("mean_of_last_four", 1.0))
    ]  # fmt: skip
    assert TrackRecord(pd.DataFrame(rows)).recommended() == "mean_of_last_four"
    assert [TrackRecord(pd.DataFrame(r)).n_compared() for r in (rows, rows[:-2])] == [8, 7]
    unlike = pd.DataFrame(rows).assign(comparable=lambda t: t["quarter"] > "Q4")
    assert (TrackRecord(unlike).n_compared(), TrackRecord(unlike).recommended()) == (3, "forecast")
    assert TrackRecord(pd.DataFrame(rows[:-2])).recommended() == "forecast"  # seven quarters are too few
    assert TrackRecord(pd.DataFrame(rows).assign(crps=1.0)).recommended() == "forecast"  # a tie
    hair = pd.DataFrame(rows)
    ours, luck = hair["method"].eq("forecast"), np.repeat([0.9, -1.0, 0.9, -1.0, 1.0, -1.0, 1.0, -1.0], 2)
    hair["crps"] = 2.0 + np.where(ours, 0.0, luck)  # ahead by .025, of a spread of 1
    assert TrackRecord(hair).recommended() == "forecast"
    hair["crps"] = 2.0 + np.where(ours, 0.0, luck - 0.5)
    assert TrackRecord(hair).recommended() == "mean_of_last_four"


def test_even_perfect_chances_miss_more_where_deals_are_few():
    many = prepare(book(), period=parse_period("2015Q2"), day=to_day("2015-03-31"))
    nothing_new = replace(many.arrivals, rate=replace(many.arrivals.rate, per_day=0 * many.arrivals.rate.per_day))
    few = replace(many, deals=many.deals.head(4), ended=many.ended.head(0), arrivals=nothing_new)
    assert 0 < accuracy_ceiling(many, seed=0) < accuracy_ceiling(few, seed=0) < 2
    none = replace(few, deals=many.deals.head(0))
    assert np.isnan(accuracy_ceiling(none, seed=0))
    certain = replace(few, deals=many.deals.head(4).assign(p_in_period=1.0), ratios={})
    assert accuracy_ceiling(certain, seed=0) == 0


def test_where_nothing_was_signed_no_share_of_it_is_told():
    scores = record().scores.assign(actual=0.0)
    told = TrackRecord(scores).summary()
    assert told[["wape", "bias", "crps"]].isna().all(axis=None)
    with pytest.raises(SchemaError, match="quarters must be a whole number from 1 to 200, got 1000"):
        sa.backtest(book(), as_of="2013-06-30", quarters=1000)


@pytest.mark.parametrize("quarters", [["2013Q1"], "4", 2.5, 0, None])
def test_quarters_are_a_number(quarters):
    with pytest.raises(SchemaError, match="quarters must be a whole number from 1 to 200, got "):
        sa.backtest(book(), as_of="2013-06-30", quarters=quarters)


@pytest.mark.parametrize("weeks", [0, "0", "", (), ["a"], [0, 1.5], [14], [-53], None])
def test_weeks_are_whole_numbers(weeks):
    with pytest.raises(SchemaError, match="weeks must be one or more whole numbers from -52 to 13, got "):
        sa.backtest(book(), as_of="2013-06-30", weeks=weeks)


def test_too_little_past_is_an_error():
    with pytest.raises(InsufficientDataError, match="has 30 closed deals before it"):
        sa.backtest(tiny({"a": [("S1", 0)]}, last=400), as_of="2011-01-31")


def test_other_processes_foresee_the_same():
    origins = [Origin(parse_period(f"2013Q{q}"), week, parse_period(f"2013Q{q}").start_day - 1 + 7 * week)
               for q in (1, 2, 3, 4) for week in (0, 6)]  # fmt: skip
    done = []
    alone = foresee(book(), origins, seed=3, progress=lambda n, of: done.append((n, of)))
    assert done == [(n, 8) for n in range(1, 9)]
    with parallel_config(backend="loky", n_jobs=2):
        elsewhere = foresee(handed_over(book()), origins, seed=3, progress=None)
    assert [one.origin for one in elsewhere] == origins
    # the other processes stand on a higher rung: what no model touches is equal to the last digit
    for one, other in zip(alone, elsewhere, strict=True):
        pd.testing.assert_frame_equal(one.points.drop("stage_table"), other.points.drop("stage_table"))
        assert one.drawable.signed.equals(other.drawable.signed)


def handed_over(book):
    """The book as another process gets it."""
    return pickle.loads(pickle.dumps(book))


def test_a_book_that_was_handed_over_is_the_same_book():
    copy = handed_over(book())
    assert data_hash(copy) == data_hash(book())
    told = [sa.forecast_quarter(b, quarter="2014Q2", as_of="2014-03-31", draws=500).total() for b in (book(), copy)]
    assert (told[0] == told[1]).all()


def test_a_backtest_is_kept_as_long_as_the_past_stays(tmp_path, monkeypatch):
    asked = {"quarters": 2, "weeks": (0,), "cache": tmp_path / "kept"}
    first = sa.backtest(book(), as_of="2015-12-31", **asked)
    calls, file = sorted((tmp_path / "kept").iterdir(), key=lambda path: len(path.suffixes), reverse=True)
    assert calls.name == f"{file.stem}.calls.parquet"

    def never(*_, **__):
        raise AssertionError("it was forecast again")

    assert first.one_extract  # told by the book, not by what is kept

    with monkeypatch.context() as patch:
        patch.setattr(module, "foresee", never)
        again = sa.backtest(book(), as_of="2015-12-20", **asked)  # the same quarters are over
        pd.testing.assert_frame_equal(first.scores, again.scores)
        assert again.one_extract
        with pytest.raises(AssertionError, match="again"):
            sa.backtest(book(), as_of="2015-12-31", **asked | {"weeks": (1,)})
        patch.setattr(backtest_cache, "_our_code", lambda: "changed")
        with pytest.raises(AssertionError, match="again"):
            sa.backtest(book(), as_of="2015-12-31", **asked)
    file.write_bytes(file.read_bytes()[:100])
    pd.testing.assert_frame_equal(first.scores, sa.backtest(book(), as_of="2015-12-31", **asked).scores)


def test_what_is_known_later_does_not_count_in_the_hash_of_a_day():
    deals, history = simulate(21, days=DAYS, per_day=0.2)
    whole, day = book_of(deals, history, last=DAYS - 1), 16200
    early = history[history["changed_at"] <= pd.Timestamp(day, unit="D")]
    some = deals[deals["deal_id"].isin(early["deal_id"])]
    cut = book_of(some, early, last=DAYS - 1)
    assert data_hash(cut, known_day=day) == data_hash(whole, known_day=day)
    assert data_hash(whole, known_day=day) != data_hash(whole, known_day=day + 60)
    other = early.assign(value=early["value"].where(early.index != early.index[5], "S5"))
    assert data_hash(book_of(some, other, last=DAYS - 1), known_day=day) != data_hash(cut, known_day=day)
