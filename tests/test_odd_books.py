"""Books that are not as usual: imports, vanished deals, records that begin late, sums that miss by rounding."""

import numpy as np
import pandas as pd
import pytest
from worlds import CHANCES, book_of, day_of, path, simulate, tiny

import salesanalytics as sa

pytestmark = pytest.mark.usefixtures("on_the_stage_table")


def at(number):
    return day_of(number).date()


@pytest.mark.parametrize("since", [60, 180, 363])
def test_all_that_was_open_on_the_day_of_an_import_is_no_rate_of_arrival(since):
    rng = np.random.default_rng(1)
    deals, history = simulate(1, days=since + 100, per_day=0.1, amount=10.0, prefix="n")
    old = [(f"i{k}", day, "stage", s) for k in range(300) for s, day in path(rng, 0, since + 99, CHANCES)]
    rows = pd.DataFrame(old, columns=["deal_id", "changed_at", "field", "value"])
    rows["changed_at"] = day_of(rows["changed_at"].to_numpy("int64"))
    imported = pd.DataFrame({"deal_id": [f"i{k}" for k in range(300)], "created_at": day_of(0), "amount": 10.0})
    book = book_of(pd.concat([imported, deals]), pd.concat([rows, history]), last=since + 99)
    found = sa.forecast_quarter(book, quarter="2011Q2", as_of=at(since), draws=100)
    assert found.prepared.arrivals.rate.on(found.prepared.day) == pytest.approx(0.1, abs=0.05)


def test_deals_that_vanished_are_neither_won_nor_lost():
    rng = np.random.default_rng(3)
    paths, said, seen = {}, [], []
    for k in range(400):
        begun, gone = int(rng.integers(0, 600)), rng.random() < 0.5
        end = ("won" if rng.random() < 0.5 else "lost", begun + int(rng.integers(100, 200)))
        paths[f"d{k}"] = [("S1", begun)] + [] * gone + [end] * (not gone)
        seen.append(day_of(begun + 95) if gone else pd.NaT)
        said.append((f"d{k}", "probability", 0.5, begun))
    facts = {"amount": 1.0, "rep_id": [f"r{k % 4}" for k in range(400)], "last_seen_on": seen}
    book = tiny(paths, last=1200, deals=facts, history=said)
    odds = sa.stated_odds(book, as_of=at(1200))
    assert odds["company"].iloc[0] == pytest.approx(0.5, abs=0.08)
    honest = sa.evaluate_reps(book, as_of=at(1200)).reps["p_bias"]
    assert honest.abs().max() < 0.1
    quarters = sa.nominal_rates_effect(book, as_of=at(600), quarters=2).quarters
    proposed = quarters[quarters["method"].eq("proposed")]
    assert (proposed["n_vanished"] > 0).all()  # left out, and counted
    assert (proposed["count_error"] / proposed["n_deals"]).max() < 0.05  # what vanished made it .17


def test_simple_methods_rest_on_quarters_of_which_ends_were_recorded():
    deals, history = simulate(5, days=1500, per_day=0.3, amount=10.0, chances={"S1": (0.0, 0.004, 0.004)})
    before = history["value"].isin(["won", "lost"]) & (history["changed_at"] < day_of(900))
    gone = history.loc[before, "deal_id"]
    kept = deals[~deals["deal_id"].isin(gone)], history[~history["deal_id"].isin(gone)]
    book = book_of(*kept, last=1499, observed_from=at(900).isoformat())  # 2012-06-19
    found = sa.forecast_quarter(book, quarter="2013Q2", as_of=at(1100), draws=50).baselines.set_index("method")
    assert found.loc["same_quarter_last_year", ["count", "amount"]].isna().all()
    assert found.loc["mean_of_last_four", ["count", "amount"]].isna().all()
    assert found.loc["stage_week_conversion", "basis"] == "last 1 periods"  # 2012Q4


def test_a_book_that_begins_to_say_when_it_was_typed_in_knows_so_from_then_on():
    deals, history = simulate(5, days=1500, per_day=0.3, amount=10.0)
    lag = pd.to_timedelta(np.random.default_rng(1).choice([0, 0, 3, 20], len(history)), unit="D")
    typed = (history["changed_at"] + lag).where(history["changed_at"] >= day_of(1000))
    history = history.assign(recorded_at=typed).loc[typed.isna() | (typed < day_of(1500))]
    known = history[history["recorded_at"].fillna(history["changed_at"]) <= day_of(900)]
    asked = {"quarter": "2012Q3", "as_of": at(900), "draws": 50}
    whole = sa.forecast_quarter(book_of(deals, history, last=1499), **asked)
    then = sa.forecast_quarter(book_of(deals[deals["created_at"] <= day_of(900)], known, last=900), **asked)
    pd.testing.assert_frame_equal(whole.components(), then.components())
    assert whole.notes == then.notes
    later = sa.forecast_quarter(book_of(deals, history, last=1499), quarter="2013Q4", as_of=at(1370), draws=50)
    assert "unrecorded" in later.count
    assert "unrecorded" not in whole.count


def test_a_target_missed_by_rounding_alone_is_reached():
    paths = {f"d{k}": [("S1", k), ("won" if k % 2 else "lost", 60 + k)] for k in range(40)}
    paths |= {"a": [("S1", 100), ("won", 185)], "b": [("S1", 101), ("won", 186)]}
    book = tiny(paths, last=190, deals={"amount": [5.0] * 40 + [0.1, 0.7]})
    found = sa.forecast_quarter(book, quarter="2010Q3", as_of=at(190), target=0.8, draws=50)
    assert found.total().min() < 0.8
    assert found.p_target == 1
    assert sa.coverage_ratio(found)["to_go"] == 0


@pytest.mark.parametrize("name", ["to come", "missing"])
def test_groups_may_be_called_as_ours_are(name):
    deals, history = simulate(5, days=900, per_day=0.3, amount=10.0)
    deals["product"] = [name, "other", None] * (len(deals) // 3) + [name] * (len(deals) % 3)
    found = sa.forecast_quarter(book_of(deals, history, last=899), quarter="2012Q3", as_of=at(899), draws=50)
    groups = sa.rollup(found, by="product")
    assert set(groups["product"]) == {f"'{name}'", "other", "missing", "to come"}
    assert groups["count"].sum() == pytest.approx(found.total("count").mean())


def test_a_date_before_the_book_is_named():
    paths = {f"d{k}": [("S1", 400 + k), ("won", 450 + k)] for k in range(9)}
    found = sa.forecast_quarter(tiny(paths, last=600), quarter="2010Q1", as_of=at(10), draws=9)
    assert "note_nothing_known" in dict(found.notes)


def test_a_book_in_which_nothing_was_ever_signed_says_so():
    paths = {f"d{k}": [("S1", 5 * k), ("lost", 5 * k + 30)] for k in range(40)} | {"a": [("S1", 300)]}
    late = tiny(paths | {"w": [("S1", 0), ("won", 380)]}, last=400)
    told = {day: dict(sa.forecast_quarter(late, quarter="2011Q1", as_of=at(day), draws=9).notes) for day in (370, 390)}
    assert told[370]["note_no_win"] == {"day": at(370)}
    assert "note_dead_stock" not in told[370]  # each deal is older than any that was signed, for none was
    assert "note_no_win" not in told[390]


def test_before_the_first_deal_tables_have_their_columns():
    paths = {"a": [("S1", 400), ("won", 450)], "b": [("S1", 410)]}
    book = tiny(paths, last=600, deals={"rep_id": ["r", "s"]})
    for ask in (
        lambda day: sa.stage_flow(book, as_of=day, by="rep_id"),
        lambda day: sa.signing_curves(book, as_of=day),
        lambda day: sa.signing_curves(book, as_of=day, by="rep_id"),
        lambda day: sa.stage_rates_over_time(book, as_of=day),
        lambda day: sa.stage_conversion(book, as_of=day),
    ):
        before, after = ask(at(10)), ask(at(600))
        assert len(before) == 0
        assert list(before) == list(after)
    assert sa.rate_drift(sa.stage_rates_over_time(book, as_of=at(10))).empty
    effects = [sa.nominal_rates_effect(book, as_of=at(day), quarters=2) for day in (10, 600)]
    for name in ("quarters", "methods", "proposals"):
        before, after = (getattr(effect, name) for effect in effects)
        assert len(before) == 0 < len(after)
        assert list(before) == list(after)
    assert sa.plots.rates_effect(effects[0]) is not None


def test_work_is_known_of_deals_whose_first_stage_is_still_to_be_typed_in():
    """The rule on edits (H06) found no field that is edited, and stopped all alerts."""
    book = tiny({"a": [("S1", 0, 50)], "b": [("S2", 0, 50)]}, last=60, history=[("a", "activity", "visit", 1, 2)])
    found = sa.find_anomalies(book, as_of=at(9))
    assert found.rules.set_index("rule").loc["H06", ["n_hits", "silent"]].tolist() == [0, False]
    assert len(sa.review_deals(book, as_of=at(9), n_similar=0).clocks) == 1
