"""Two extracts of one pipeline: by hand, by laws, and against the truth of simulated companies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest
from worlds import day_of, tiny

import salesanalytics as sa
from salesanalytics.errors import AsOfError, SchemaError
from salesanalytics.forecast import prepare as preparing
from salesanalytics.forecast.allowance import allowance, allowance_note, with_allowance
from salesanalytics.forecast.extracts import compare_extracts
from salesanalytics.forecast.parts import to_come
from salesanalytics.forecast.recording_lag import LONGEST_DAYS, lag_curve, lag_quantile
from salesanalytics.labels import LANGUAGES, label
from salesanalytics.timeline import parse_period
from salesanalytics.timeline.calendar import to_date

pytestmark = pytest.mark.usefixtures("on_the_stage_table")
SEEDS = range(3)

# ---------------------------------------------------------------- by hand


def by_hand():
    """Two extracts, days 100 and 130, in which each thing happens once."""
    facts = {"amount": [10.0] * 6, "rep_id": ["r1"] * 6}
    was = {
        "same": [("S1", 0), ("S2", 50)],
        "moved": [("S1", 0), ("S2", 60)],
        "back": [("S1", 0), ("won", 70)],
        "gone": [("S1", 0), ("S3", 20)],
        "said late": [("S1", 10)],
        "other stage": [("S1", 0), ("S2", 40)],
    }
    is_now = {
        "same": [("S1", 0), ("S2", 50), ("S3", 120)],
        "moved": [("S1", 0), ("S2", 64)],
        "back": [("S1", 0)],
        "said late": [("S1", 10), ("won", 95)],
        "other stage": [("S1", 0), ("S3", 40)],
        "late": [("S1", 91), ("S2", 110)],
    }
    before = tiny(was, last=100, deals=facts)
    after = tiny(is_now, last=130, deals=facts | {"amount": [10.0, 10, 10, 10, 12, 10]})
    return before, after


def test_each_thing_by_hand():
    found = compare_extracts(*by_hand())
    rows = found.rows.set_index(["deal_id", "what"]).sort_index()
    assert rows.groupby(level="what").size().to_dict() == {
        "unchanged": 6, "redated": 1, "rewritten": 1, "taken_back": 1, "of_vanished_deal": 2, "late": 1,
        "of_late_deal": 1, "since": 2,
    }  # fmt: skip
    assert rows.loc[("moved", "redated"), "shift_days"].tolist() == [4]
    assert rows.loc[("said late", "late"), "days_late"].tolist() == [6]  # dated on day 95, not there on day 100
    assert rows.loc[("late", "of_late_deal"), "days_late"].tolist() == [10]
    assert rows.loc[("other stage", "rewritten"), ["value_before", "value_after"]].to_numpy().tolist() == [["S2", "S3"]]
    deals = found.deals.set_index("deal_id")
    assert deals["what"].to_dict() == {
        "same": "both", "moved": "both", "back": "both", "gone": "vanished", "said late": "both",
        "other stage": "both", "late": "late",
    }  # fmt: skip
    assert deals.loc["gone", ["stage", "state_before", "amount"]].tolist() == ["S3", "S3", 10.0]
    assert (found.before_on, found.gap_days) == (day_of(100).date(), 30)
    table = found.summary().set_index(["unit", "what"]).sort_index()
    assert table.loc[("end_before", "taken_back"), ["n", "of"]].tolist() == [1, 1]
    assert table.loc[("open_before", "vanished"), ["n", "of"]].tolist() == [1, 5]
    assert table.loc[("open_before", "had_won"), ["n", "of"]].tolist() == [1, 5]
    assert table.loc[("won_after", "late"), ["n", "of", "median_days"]].tolist() == [1, 1, 6]
    assert table.loc[("amount", "rewritten"), ["n", "of"]].tolist() == [1, 5]
    assert table.loc[("created_at", "rewritten"), "n"] == 0
    assert table.loc[("row_before", "redated"), ["median_days", "n_later"]].tolist() == [4, 1]


def test_a_deal_that_an_extract_refused_is_neither_late_nor_gone():
    was, now = by_hand()
    refused = pd.DataFrame([{"table": "deals", "row": 1, "deal_id": "late", "rule": "x", "column": None, "value": ""}])
    found = compare_extracts(replace(was, set_aside=refused), now)
    kinds = found.deals.set_index("deal_id")["what"]
    assert kinds["late"] == "set_aside_before"
    assert not found.rows["what"].isin(["of_late_deal"]).any()


def test_extracts_that_are_none_are_refused():
    was, now = by_hand()
    with pytest.raises(SchemaError, match="later extract"):
        compare_extracts(now, was)
    with pytest.raises(SchemaError, match="share no deal_id"):
        compare_extracts(was, tiny({"another": [("S1", 0)]}, last=130))
    with pytest.raises(SchemaError, match="one process"):
        compare_extracts(was, replace(now, process=replace(now.process, id="other")))


def renamed(book, ids):
    """The book with other ids for some of its deals, and nothing else changed."""
    ids = {old: f"X-{old}" for old in ids}
    rows = book.history.drop(columns=["row", "recorded_at"], errors="ignore").replace({"deal_id": ids})
    told = {"extracted_on": book.settings.extracted_on.isoformat(), "attributes": []}
    return sa.make_book(deals=book.deals.replace({"deal_id": ids}), history=rows, settings=told)


@pytest.mark.parametrize("column", ["name", "amount"])
def test_deals_under_other_ids_are_named_and_most_of_them_refused(column):
    was = tiny({f"D{k}": [("S1", k)] for k in range(8)}, last=100, deals={column: [*"abcdefgh"] if column == "name"
               else np.arange(1.0, 9.0)})  # fmt: skip
    now = tiny({f"D{k}": [("S1", k)] for k in range(8)} | {"new": [("S1", 120)], "gone": [("S1", 3)]}, last=130,
               deals={column: [*"abcdefghaz"] if column == "name" else [*np.arange(1.0, 9.0), 1.0, 99.0]})  # fmt: skip
    assert compare_extracts(was, now).renamed.empty
    some = compare_extracts(was, renamed(now, ["D2", "D3"]))
    assert some.renamed.to_numpy().tolist() == [["D2", "X-D2"], ["D3", "X-D3"]]
    assert some.deals["what"].eq("vanished").sum() == 2
    assert len(compare_extracts(was, renamed(now, ["D0", "D1", "D2", "D3"])).renamed) == 4
    for ids in (["D0", "D1", "D2", "D3", "D4"], [f"D{k}" for k in range(8)]):
        text = rf"{len(ids)} of 8 deals .*same creation, {column}\): D0 = X-D0, D1 = X-D1, D2 = X-D2"
        with pytest.raises(SchemaError, match=text) as refused:
            compare_extracts(was, renamed(now, ids))
        assert f"8 个项目中，有 {len(ids)} 个在较晚的导出中换了 deal_id" in refused.value.__notes__[0]


def test_deals_that_vanish_beside_others_of_their_day_are_not_renamed():
    """Of the same day and customer, yet of another amount: one was deleted, another one recorded late."""
    facts = {"account_id": ["a", "b", "c"], "amount": [1.0, 2.0, 3.0]}
    was = tiny({"one": [("S1", 5)], "two": [("S1", 5)], "stays": [("S1", 6)]}, last=100, deals=facts)
    now = tiny({"new one": [("S1", 5)], "new two": [("S1", 5)], "stays": [("S1", 6)]}, last=130,
               deals=facts | {"amount": [1.0, 2.5, 3.0]})  # fmt: skip
    assert compare_extracts(was, now).renamed.to_numpy().tolist() == [["one", "new one"]]
    bare = [tiny({name: [("S1", 5)], "stays": [("S1", 6)]}, last=last) for name, last in (("old", 100), ("new", 130))]
    assert compare_extracts(*bare).renamed.empty  # nothing tells deals of one day apart


def test_a_forecast_says_which_vanished_deals_stand_there_under_other_ids():
    book = company(0, 400)
    last = book.extracted_day - 120
    was, now = extract(book, last - 60), extract(book, last)
    ids = sorted(set(was.deals["deal_id"]) & set(now.deals["deal_id"]))[:5]
    asked = {"quarter": "2026Q3", "as_of": to_date(last), "draws": 50}
    notes = dict(sa.forecast_quarter(now, **asked, extracts=compare_extracts(was, now)).notes)
    assert "note_extracts_renamed" not in notes
    told = renamed(now, ids)
    notes = dict(sa.forecast_quarter(told, **asked, extracts=compare_extracts(was, told)).notes)
    values = notes["note_extracts_renamed"]
    assert (values["n"], values["vanished"]) == (5, 5)
    for lang in LANGUAGES:
        assert f"{ids[0]} = X-{ids[0]}" in label("note_extracts_renamed", lang, **values)


def test_lag_curve_by_hand():
    """100 of each age 0 and 30; 60 and 90 of them were there: G(30) = .9 (all are by 60), G(0) = .6 x .9."""
    age = np.repeat([0, 30, 60], 100)
    known = np.concatenate([np.arange(100) < 60, np.arange(100) < 90, np.ones(100, dtype=bool)]).astype(float)
    curve = lag_curve(age, known, gap_days=30)
    share = curve["recorded_share"].to_numpy()
    np.testing.assert_allclose(share[[0, 30, 60, LONGEST_DAYS]], [0.54, 0.9, 1.0, 1.0])
    assert (lag_quantile(share, 0.9), lag_quantile(share, 1.0)) == (30, 60)
    assert curve["n"].sum() == 300


def test_without_any_event_everything_counts_as_recorded():
    nothing = np.zeros(0, dtype="int64")
    assert (lag_curve(nothing, nothing.astype(float), gap_days=7)["recorded_share"] == 1).all()


# ---------------------------------------------------------------- simulated companies, cut at two dates


@cache
def company(seed, n_deals=1500):
    return sa.simulate_book(n_deals=n_deals, seed=seed)


def extract(book, day, **settings):
    """What the company's system held at the end of a day, without saying since when."""
    end = pd.Timestamp(to_date(day)) + pd.Timedelta(days=1)
    ours = book.history["deal_id"].isin(book.deals["deal_id"])
    rows = book.history[ours & (book.history["recorded_at"] < end) & (book.history["changed_at"] < end)]
    deals = book.deals[book.deals["deal_id"].isin(rows["deal_id"])]
    told = {"extracted_on": to_date(day), "currency": book.settings.currency} | settings
    return sa.make_book(
        deals=deals, history=rows.drop(columns=["row", "recorded_at"]), reps=book.reps,
        settings=replace(book.settings, tables={}, **told), process=book.process,
    )  # fmt: skip


@cache
def pair(seed, gap=60):
    book = company(seed)
    last = book.extracted_day - 120
    days = last - gap, last
    return book, days, compare_extracts(extract(book, days[0]), extract(book, days[1]))


def known_days(book):
    """Creation and first recording of every deal, and of every row, days since 1970-01-01."""
    rows = book.history
    days = {
        name: rows[name].to_numpy().astype("datetime64[D]").astype("int64") for name in ("changed_at", "recorded_at")
    }
    table = pd.DataFrame({"deal_id": rows["deal_id"], "field": rows["field"], "value": rows["value"], **days})
    return table, table.groupby("deal_id").agg(created=("changed_at", "min"), known=("recorded_at", "min"))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_row_and_deal_is_explained_once(seed):
    _, (first, last), found = pair(seed)
    book = company(seed)
    table = found.summary()
    for unit, size in (
        ("row_before", len(extract(book, first).history)),
        ("row_after", len(extract(book, last).history)),
        ("deal_before", len(extract(book, first).deals)),
        ("deal_after", len(extract(book, last).deals)),
    ):
        part = table[table["unit"].eq(unit)]
        assert part["n"].sum() == size
        assert part["of"].eq(size).all()
    assert found.rows["what"].notna().all()
    assert table["share"].dropna().between(table["lower"].dropna(), table["upper"].dropna()).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_late_rows_and_deals_are_those_that_were_recorded_in_between(seed):
    book, (first, last), found = pair(seed)
    rows, deals = known_days(book)
    late = deals[(deals["created"] <= first) & (deals["known"] > first) & (deals["known"] <= last)]
    told = found.deals[found.deals["what"].eq("late")]
    assert set(told["deal_id"]) == set(late.index)
    assert len(late) > 0
    rows = rows.groupby(["deal_id", "field", "value", "changed_at"], as_index=False)["recorded_at"].min()  # said twice
    typed = rows[(rows["changed_at"] <= first) & (rows["recorded_at"] > first) & (rows["recorded_at"] <= last)]
    assert found.rows["what"].isin(["late", "of_late_deal"]).sum() == len(typed)
    assert set(found.rows["what"]) == {"unchanged", "late", "of_late_deal", "since"}  # nobody rewrites the past here


@pytest.mark.parametrize("gap", [7, 200])
def test_a_known_lag_is_recovered(gap):
    """Of 400,000 events 60 % are recorded at once, the rest after 10 days in the mean (geometric)."""
    rng = np.random.default_rng(gap)
    age = rng.integers(-gap, 700, 400_000)
    lag = np.where(rng.random(len(age)) < 0.6, 0, rng.geometric(0.1, len(age)))
    there = (age >= 0) & (lag <= age + gap)
    share = lag_curve(age[there], (lag <= age)[there].astype(float), gap_days=gap)["recorded_share"].to_numpy()
    days = np.array([3, 7, 14, 30, 60])
    np.testing.assert_allclose(share[days], 1 - 0.4 * 0.9**days, atol=0.03)
    assert (np.diff(share) >= -1e-12).all()


@pytest.mark.parametrize("gap", [60])
def test_the_lag_of_deals_is_recovered(gap):
    """Pooled over companies the curve lies on the true one."""
    told, truth = [], []
    for seed in SEEDS:
        book, _, found = pair(seed, gap)
        deals = known_days(book)[1]
        lag = (deals["known"] - deals["created"]).to_numpy()
        told.append(found.recorded_share("created"))
        truth.append((lag[:, None] <= np.arange(LONGEST_DAYS + 1)).mean(axis=0))
    at = [7, 14, 30, 60]
    np.testing.assert_allclose(np.mean(told, axis=0)[at], np.mean(truth, axis=0)[at], atol=0.15)


def test_what_is_not_recorded_yet_is_recovered():
    """Deals and signings that happened by the end of the later extract and are not in it, over companies."""
    told, truth, spread = {"created": 0.0, "won": 0.0}, {"created": 0, "won": 0}, {"created": 0.0, "won": 0.0}
    for seed in SEEDS:
        book, (_, last), found = pair(seed)
        rows, deals = known_days(book)
        won = rows[rows["field"].eq("stage") & rows["value"].eq("won")]
        truth["created"] += int(((deals["created"] <= last) & (deals["known"] > last)).sum())
        truth["won"] += int(((won["changed_at"] <= last) & (won["recorded_at"] > last)).sum())
        for row in allowance(found).unrecorded.itertuples():
            told[row.kind] += row.mean
            spread[row.kind] += row.spread**2
    assert truth["created"] > 10
    for kind in told:
        assert abs(told[kind] - truth[kind]) < 3 * np.sqrt(spread[kind] + truth[kind])


# ---------------------------------------------------------------- the allowance in a forecast


@cache
def allowed(seed, *, vanish=0.0):
    """Prepared without and with the allowance; a share of the deals open at the earlier extract is gone later."""
    book = company(seed, 400)
    last = book.extracted_day - 120
    first = last - 60
    was, now = extract(book, first), extract(book, last)
    if vanish:
        rng = np.random.default_rng(seed)
        gone = now.deals["deal_id"][rng.random(len(now.deals)) < vanish]
        kept = replace(book, deals=book.deals[~book.deals["deal_id"].isin(gone)])
        now = extract(kept, last)
    found = compare_extracts(was, now)
    period = parse_period("2026Q3")
    plain = preparing.prepare(now, period=period, day=last)
    return found, plain, with_allowance(plain, extracts=found, extracted_day=last)


def test_the_allowance_draws_what_is_not_recorded():
    for seed in SEEDS[:2]:
        _, plain, wide = allowed(seed)
        assert wide.has_recorded_at
        assert not plain.has_recorded_at
        assert to_come(wide.arrivals, wide.period, wide.day, unrecorded=True)["unrecorded"].mean > 0
        assert wide.arrivals.rate.on(wide.day) > plain.arrivals.rate.on(plain.day)
        assert wide.shock.spread >= plain.shock.spread
        assert wide.shock.weight.sum() == pytest.approx(1)
        assert sorted(wide.deals["deal_id"]) == sorted(plain.deals["deal_id"])
        assert (wide.deals["deal_id"].to_numpy() == wide.snapshot["deal_id"].to_numpy()).all()
        assert wide.deals["expected_amount"].is_monotonic_decreasing
        months = wide.months.loc[wide.deals["deal_id"]].sum(axis=1)
        np.testing.assert_allclose(months, wide.deals["p_in_period"], atol=1e-12)


def test_vanishing_deals_take_their_share():
    """What open deals bring falls by the share that vanished in 60 days, for every 60 days ahead."""
    left = []
    for seed in SEEDS[:2]:
        found, plain, wide = allowed(seed, vanish=0.1)
        told = allowance(found)
        whole = told.states.set_index("state").loc["all"]
        assert 0 < whole["n_vanished"] < 0.3 * whole["n"]
        share = wide.deals["p_in_period"].sum() / plain.deals["p_in_period"].sum()
        left.append((share, 1 - whole["p_vanished"], wide.period.end_day - wide.day))
        level = told.level(wide.period, extracted_day=wide.day, known_day=wide.period.end_day + 30)
        assert 0 < level["open"] < 1
        assert 0.9 < level["recorded"] <= 1
        assert level["factor"] == pytest.approx(1 / (level["open"] * level["recorded"]))
    for share, stays, days in left:
        assert share == pytest.approx(stays ** (days / 60), abs=0.1)


@pytest.mark.parametrize("gap", [1, 7, 30])
def test_a_short_gap_in_which_nothing_vanished_does_not_eat_the_pipeline(gap):
    book = company(0, 400)
    last = book.extracted_day - 120
    found = compare_extracts(extract(book, last - gap), extract(book, last))
    whole = allowance(found).states.set_index("state").loc["all"]
    assert whole["n_vanished"] == 0
    a_quarter = 1 - (1 - whole["p_vanished"]) ** (91 / gap)
    assert a_quarter == pytest.approx(0.5 / (whole["n"] + 1), rel=0.1)


def test_the_allowance_says_what_it_rests_on():
    found, plain, wide = allowed(0)
    key, values = allowance_note(found, wide.period, extracted_day=wide.day)
    known_day = wide.period.end_day + 30
    factor = allowance(found).level(wide.period, extracted_day=wide.day, known_day=known_day)["factor"]
    assert factor > 1
    for lang in LANGUAGES:
        said = label(key, lang, **values)
        assert f"{factor:.2f}" in said
        assert str(to_date(known_day)) in said
    assert all(str(found.after_on) in label(key, lang, **values) for lang in LANGUAGES)
    with pytest.raises(SchemaError, match="recorded_at"):
        with_allowance(wide, extracts=found, extracted_day=wide.day)
    later = replace(found, after_on=found.after_on + timedelta(1))
    with pytest.raises(AsOfError, match="not known"):
        with_allowance(plain, extracts=later, extracted_day=plain.day)
