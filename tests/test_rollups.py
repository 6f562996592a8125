"""Sums of the same draws, key deals, what if, and what moved a forecast."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from worlds import book_of, day_of, simulate, tiny

import salesanalytics as sa
from salesanalytics.book.management import lines_of_management
from salesanalytics.errors import AsOfError, SchemaError
from salesanalytics.forecast.change import CAUSES, explain_change
from salesanalytics.forecast.rollups import MISSING, NOT_BY_DEAL, SIGNED, draws_by, key_deals, rollup, what_if

pytestmark = pytest.mark.usefixtures("on_the_stage_table")

DAYS = 1300


@cache
def book(lag=0):
    deals, history = simulate(11, days=DAYS, per_day=0.5)
    rng = np.random.default_rng(3)
    deals = deals.assign(
        rep_id=rng.choice(["r1", "r2", "r3", None], len(deals)), amount=rng.lognormal(3, 1, len(deals)).round(2)
    )
    moved = history[history["value"].eq("S2")].assign(field="amount")
    moved = moved.assign(value=rng.lognormal(3, 1, len(moved)).round(2).astype(str))
    history = pd.concat([history, moved], ignore_index=True)
    if lag:
        late = pd.to_timedelta(rng.integers(0, 2 * lag + 1, len(history)), unit="D")
        history = history.assign(recorded_at=history["changed_at"] + late)
        history = history[history["recorded_at"] < day_of(DAYS)]
    reps = pd.DataFrame(
        {"rep_id": ["r1", "r2", "r3"], "team": ["north", "north", "south"], "manager_id": ["m", "m", "n"]}
    )
    settings = {"extracted_on": day_of(DAYS - 1).date().isoformat()}
    return sa.make_book(deals=deals, history=history, reps=pd.DataFrame(reps), settings=settings)


@cache
def forecast(as_of="2013-04-30", *, quarter="2013Q2", lag=0, seed=0):
    return sa.forecast_quarter(book(lag), quarter=quarter, as_of=as_of, target=600.0, draws=1500, seed=seed)


def test_a_signing_belongs_to_the_owner_on_its_day_as_known_now():
    paths = {d: [("S1", 0), ("won", 95)] for d in ("typed in later", "after", "taken away")} | {"open": [("S1", 0)]}
    moves = [("typed in later", "r2", 90, 100), ("after", "r2", 96), ("taken away", "", 9)]
    moves = [(deal, "rep_id", *rest) for deal, *rest in moves]
    small = tiny(paths, last=110, history=moves, deals={"rep_id": "r1", "amount": 5.0})
    signed = sa.forecast_quarter(small, quarter="2010Q2", as_of=day_of(110), draws=20).signed.set_index("deal_id")
    assert signed["rep_id"].to_dict() == {"typed in later": "r2", "after": "r1", "taken away": None}


@pytest.mark.parametrize("measure", ["amount", "count"])
@pytest.mark.parametrize("by", ["rep_id", "team", "manager_id", "stage", "product"])
def test_groups_add_up_to_the_whole_in_every_draw(by, measure):
    found = forecast()
    draws = draws_by(found, by=by, measure=measure)
    np.testing.assert_allclose(draws.sum(axis=1), found.total(measure), rtol=1e-9)
    assert list(draws)[-1] == NOT_BY_DEAL
    table = rollup(found, by=by)
    assert table[measure].sum() == pytest.approx(found.total(measure).mean())
    assert (table[f"{measure}_lower"] <= table[f"{measure}_upper"]).all()
    assert table[by].tolist()[-1] == NOT_BY_DEAL


def test_teams_and_reps_have_their_targets():
    targets = {"team": {"north": 150.0, "west": 9.0}, "rep_id": {}}
    found, draws = replace(forecast(), group_targets=targets), draws_by(forecast(), by="team")
    table = rollup(found, by="team").set_index("team")
    assert table["target"].dropna().to_dict() == targets["team"]
    assert table["p_target"].dropna().to_dict() == {"north": (draws["north"] >= 150.0).mean(), "west": 0.0}
    assert 0 < table.at["north", "p_target"] < 1
    assert table.loc["west", ["amount", "count", "amount_upper"]].eq(0).all()  # nobody there has a deal
    assert table.index[-1] == NOT_BY_DEAL
    pd.testing.assert_frame_equal(
        table.drop(index="west", columns=["target", "p_target"]), rollup(forecast(), by="team").set_index("team")
    )
    assert "target" not in rollup(found, by="rep_id")
    assert "target" not in rollup(found, by="stage")


@pytest.mark.parametrize("by", ["stage", "state"])
def test_what_is_signed_has_a_group_of_its_own_among_stages(by):
    found = forecast()
    for measure, signed in (("amount", found.signed["amount"].sum()), ("count", len(found.signed))):
        draws = draws_by(found, by=by, measure=measure)
        assert MISSING not in draws  # each open deal stands in a stage
        np.testing.assert_allclose(draws[SIGNED], signed)
        np.testing.assert_allclose(draws.sum(axis=1), found.total(measure))
    assert SIGNED not in draws_by(found, by="team")


@pytest.mark.parametrize("nothing", [None, np.nan])
def test_where_no_deal_is_of_a_group_there_is_one_group(nothing):
    """Nor does pandas have anything to warn of."""
    none = pd.Series(np.full(len(forecast().deals), nothing, dtype=object))
    found = replace(forecast(), deals=forecast().deals.assign(category=none))
    draws = draws_by(found, by="category", measure="count")
    assert list(draws) == [MISSING, SIGNED, NOT_BY_DEAL]
    np.testing.assert_array_equal(draws.sum(axis=1), found.total("count"))


def test_by_category_of_the_rep():
    paths = {d: [("S1", 0)] for d in "abc"} | {d: [("S1", 0), ("won", 95)] for d in ("signed", "too")}
    said = [("a", "category", "commit", 50), ("b", "category", "best_case", 50), ("signed", "category", "commit", 50)]
    small = tiny(paths, last=110, history=said, deals={"rep_id": "r1", "amount": 5.0})
    found = sa.forecast_quarter(small, quarter="2010Q2", as_of=day_of(110), draws=200)
    draws = draws_by(found, by="category", measure="count")
    assert list(draws) == ["best_case", "commit", MISSING, SIGNED, NOT_BY_DEAL]
    assert set(draws[SIGNED]) == {2}
    place = {"a": "commit", "b": "best_case", "c": MISSING}
    for k, deal in enumerate(found.deals["deal_id"]):
        of_deal = found.signings.of(np.where(np.arange(3) == k, 0, -1), 1, by_value=False)[0]
        np.testing.assert_array_equal(draws[place[deal]], of_deal)
    np.testing.assert_allclose(draws.sum(axis=1), found.total("count"))


def test_teams_are_sums_of_their_reps():
    reps, teams = (draws_by(forecast(), by=by) for by in ("rep_id", "team"))
    np.testing.assert_allclose(reps["r1"] + reps["r2"], teams["north"])
    np.testing.assert_allclose(reps["r3"], teams["south"])
    np.testing.assert_allclose(reps[MISSING], teams[MISSING])
    assert forecast().count["signed"][0] > 3


@cache
def led():
    """The same company: r1 and a customer's own manager report to m, who reports to the top, as r3's manager n does."""
    reps = pd.DataFrame(
        {
            "rep_id": ["r1", "r2", "r3", "m", "top"],
            "manager_id": ["m", "top", "n", "top", "top"],  # who leads all names herself
            "region": ["EU", "EU", "CN", None, None],
        }
    )
    accounts = pd.DataFrame({"account_id": ["a", "b"], "industry": ["steel", "glass"], "region": ["DE", "FR"]})
    deals = book().deals.drop(columns=["deal"], errors="ignore")
    deals = deals.assign(account_id=np.where(np.arange(len(deals)) % 3, "a", "b"))
    settings = {"extracted_on": day_of(DAYS - 1).date().isoformat()}
    whole = sa.make_book(deals=deals, history=book().history, reps=reps, accounts=accounts, settings=settings)
    return sa.forecast_quarter(whole, quarter="2013Q2", as_of="2013-04-30", draws=500)


def test_managers_answer_for_all_who_report_to_them():
    reps, direct, first, second = (
        draws_by(led(), by=by) for by in ("rep_id", "manager_id", "manager_level_1", "manager_level_2")
    )
    assert list(first) == [MISSING, "n", "top", NOT_BY_DEAL]
    np.testing.assert_allclose(first["top"], reps["r1"] + reps["r2"])
    np.testing.assert_allclose(first["n"], reps["r3"])
    np.testing.assert_allclose(second["m"], reps["r1"])
    np.testing.assert_allclose(second[MISSING], reps["r2"] + reps["r3"] + reps[MISSING])  # under no one of level 2
    np.testing.assert_allclose(direct["m"], reps["r1"])
    assert "manager_level_1" not in forecast().deals  # one level: manager_id tells it


def test_regions_are_of_the_owner_where_deals_name_none_and_industries_of_the_customer():
    regions, industries, reps = (draws_by(led(), by=by) for by in ("region", "industry", "rep_id"))
    np.testing.assert_allclose(regions["EU"], reps["r1"] + reps["r2"])
    np.testing.assert_allclose(regions["CN"], reps["r3"])
    assert sorted(industries) == sorted(["glass", "steel", NOT_BY_DEAL])
    np.testing.assert_allclose(industries.sum(axis=1), led().total())


def test_lines_of_management_by_hand():
    reps = pd.DataFrame({"rep_id": list("abcdefx"), "manager_id": ["b", "c", None, "d", "f", "e", "a"]})
    lines, circle = lines_of_management(reps)
    up = {"a": ["c", "b", "a"], "b": ["c", "b"], "c": ["c"], "d": [], "x": ["c", "b", "a"]}
    assert {rep: lines[rep] for rep in up} == up
    assert sorted(circle) == ["e", "f"]
    assert lines["e"] == ["f", "e"]
    assert lines_of_management(pd.DataFrame({"rep_id": ["a"]})) == ({}, [])
    rows = pd.DataFrame({"deal_id": ["1"], "changed_at": ["2026-01-01"], "field": ["stage"], "value": ["S1"]})
    faults = sa.make_book(deals=rows[["deal_id"]], history=rows, reps=reps).faults.set_index("rule")
    assert faults.at["managers who report to each other", "examples"] == "e, f"


@pytest.mark.parametrize("by", ["colour", "amount", "close_date", "p_in_period"])
def test_a_forecast_cannot_be_summed_by_what_is_no_grouping(by):
    with pytest.raises(SchemaError, match=f"cannot be grouped by '{by}'; it can by: stage, state, category, rep_id"):
        draws_by(forecast(), by=by)


def test_key_deals_share_the_variance_and_move_the_target():
    found = forecast()
    table = key_deals(found)
    assert table["deal_id"].tolist() == found.deals["deal_id"].head(50).tolist()
    assert 0.3 < table["variance_share"].sum() < 1.05
    assert (table["p_target_won"] >= found.p_target - 1e-12).all()
    assert (table["p_target_lost"] <= found.p_target + 1e-12).all()
    np.testing.assert_allclose(table["adds"], table["p_target_won"] - found.p_target)
    one = what_if(found, lost=[table["deal_id"][0]])
    assert one.p_target == pytest.approx(table["p_target_lost"][0])
    for deal, p_won in table[["deal_id", "p_target_won"]].head(5).itertuples(index=False):
        won = what_if(found, won=[deal])
        assert won.p_target == pytest.approx(p_won)
        assert (won.total() >= found.total() - 1e-9).all()
        assert (won.total("count") >= found.total("count")).all()
    moved = replace(found, deals=found.deals.assign(expected_amount=np.arange(len(found.deals))))
    assert key_deals(moved)["deal_id"].tolist() == found.deals["deal_id"][:-51:-1].tolist()
    place = max(len(moved.deals) - 50, 0)
    assert key_deals(moved)["variance_share"].iloc[-1] == pytest.approx(_share(moved, place))


def test_signing_a_deal_is_worth_in_the_list_what_it_is_worth_in_what_if():
    """Also a deal without a chance whose amount nobody knows: it counts as the mean of past wins, not as nothing."""
    deal, calls = forecast().deals["deal_id"].iloc[0], {"who": "Wang", "why": "frozen"}
    small = replace(forecast(), deals=forecast().deals.assign(amount=np.nan, p_in_period=0.0, expected_amount=0.0))
    out = sa.with_judgement(forecast(), book=book(), judgements=[sa.Judgement(deal, excluded=True, **calls)])
    for found in (forecast(), small, replace(out, deals=out.deals.assign(amount=np.nan))):
        table = key_deals(found).set_index("deal_id")
        for one in (table.index[0], table.index[-1]):
            assert table.loc[one, "p_target_won"] == what_if(found, won=[one]).p_target
            assert table.loc[one, "p_target_lost"] == what_if(found, lost=[one]).p_target


def test_what_is_reached_for_sure_and_without_the_largest():
    found, total = forecast(), forecast().total()
    assert (total >= found.reached_80).mean() >= 0.8 >= (total > found.reached_80).mean()
    assert found.gap == pytest.approx(600.0 - total.mean())
    less = found.without_largest()
    assert less["deals"] == found.deals.nlargest(3, "expected_amount")["deal_id"].tolist()
    lost = what_if(found, lost=less["deals"]).to_dict()
    for key in ("mean", "median", "reached_80", "gap", "p_target"):
        assert less[key] == pytest.approx(lost[key])
    assert less["bands"]["80"] == pytest.approx(lost["bands"]["80"])
    assert found.to_dict()["without_largest"] == less
    bare = replace(found, target=None).to_dict()
    assert bare["gap"] is bare["without_largest"]["gap"] is None
    nothing = replace(found, amount={name: 0 * draws for name, draws in found.amount.items()})
    assert nothing.reached_80 is nothing.gap is nothing.without_largest()["mean"] is None


def _share(found, place):
    own = np.zeros(found.signings.n_draws)
    at = found.signings.deal == place
    np.add.at(own, found.signings.draw[at], found.signings.value[at])
    return np.cov(own, found.total())[0, 1] / found.total().var(ddof=1)


def test_what_if_moves_the_named_deals_alone():
    found = forecast()
    first, second, third = found.deals["deal_id"].head(3)
    other = what_if(found, won=[first], lost=[second], slipped=[third])
    place = np.arange(3)
    codes = np.where(np.arange(len(found.deals)) < 3, np.arange(len(found.deals)), 3)
    then, now = (f.signings.of(codes, 4, by_value=True) for f in (found, other))
    np.testing.assert_array_equal(then[3], now[3])
    np.testing.assert_array_equal(now[0], np.where(then[0] > 0, then[0], found.deals["amount"][0]))
    assert other.deals["expected_amount"].head(3).tolist() == [found.deals["amount"][0], 0, 0]
    assert other.prepared.deals["expected_amount"].equals(other.deals["expected_amount"])
    assert (now[place[1:]] == 0).all()
    assert other.deals["p_in_period"].head(3).tolist() == [1, 0, 0]
    for name in ("signed", "reopened", "new"):
        assert other.amount[name] is found.amount[name]
    for wrong in ({"won": ["nobody"]}, {"won": [first], "lost": [first]}):
        with pytest.raises(SchemaError, match="open in the forecast and be named once"):
            what_if(found, **wrong)
    with pytest.raises(SchemaError, match="lists of deal ids"):
        what_if(found, won=first)
    with pytest.raises(SchemaError, match="measure must be amount or count, got 'amounts'"):
        draws_by(found, by="rep_id", measure="amounts")


def test_where_amounts_halve_until_signing_a_deal_that_is_won_brings_half():
    """So do all open deals together, in the coverage as in the forecast."""
    deals, history = simulate(11, days=DAYS, per_day=0.5, amount=100.0)
    halved = history[history["value"].eq("won")].assign(field="amount", value="50")
    book = book_of(deals, pd.concat([history, halved], ignore_index=True), last=DAYS - 1)
    found = sa.forecast_quarter(book, quarter="2013Q2", as_of="2013-04-30", target=600.0, draws=1500)
    one = found.deals["deal_id"].iloc[0]
    won = what_if(found, won=[one])
    np.testing.assert_allclose(won.signings.value[won.signings.deal == 0], 50.0)
    causes = explain_change(found, won).causes.set_index("cause")["amount"]
    assert causes["judgement"] == pytest.approx(50 * (1 - found.deals["p_in_period"].iloc[0]))
    assert causes["draws"] == pytest.approx(0.0, abs=5.0)  # chance alone, not that it is told at another amount
    assert key_deals(found).set_index("deal_id").loc[one, "p_target_won"] == won.p_target
    assert sa.path_to_target(found).set_index("deal_id").loc[one, "p_target_won"] == won.p_target
    open_deals = found.components().set_index("component").at["open", "amount"]
    assert sa.coverage_ratio(found)["expected_open"] == pytest.approx(open_deals)


def test_a_win_belongs_to_the_owner_at_signing():
    signed = forecast().signed
    one = signed.loc[signed["rep_id"].eq("r1")].iloc[0]
    columns = ["deal_id", "changed_at", "field", "value"]
    signed_on = pd.Timestamp("1970-01-01") + pd.Timedelta(days=int(one["end_day"]))
    handed_over = [one["deal_id"], signed_on + pd.Timedelta(days=1), "rep_id", "r3"]
    history = pd.concat([book().history[columns], pd.DataFrame([handed_over], columns=columns)], ignore_index=True)
    settings = {"extracted_on": day_of(DAYS - 1).date().isoformat()}
    later = sa.make_book(deals=book().deals, history=history, reps=book().reps, settings=settings)
    found = sa.forecast_quarter(later, quarter="2013Q2", as_of="2013-04-30", draws=100)
    owner = found.signed.set_index("deal_id").loc[one["deal_id"], ["rep_id", "team", "manager_id"]]
    assert owner.tolist() == ["r1", "north", "m"]


# ---------------------------------------------------------------- what moved it


@pytest.mark.parametrize("lag", [0, 10])
def test_causes_add_up_between_any_two_dates(lag):
    rng = np.random.default_rng(lag)
    for quarter, first, last in (("2013Q2", "2013-02-10", "2013-06-20"), ("2012Q4", "2012-09-30", "2012-12-30")):
        days = pd.date_range(first, last)
        for _ in range(2):
            one, two = sorted(rng.choice(len(days), 2, replace=False))
            before, after = (forecast(str(days[k].date()), quarter=quarter, lag=lag) for k in (one, two))
            found = explain_change(before, after)
            assert found.causes["cause"].tolist() == list(CAUSES)
            for measure in ("amount", "count"):
                moved = after.total(measure).mean() - before.total(measure).mean()
                assert found.causes[measure].sum() == pytest.approx(
                    moved, rel=1e-9, abs=1e-9 * after.total(measure).mean()
                )
            by_cause = found.deals.drop(columns=["deal_id", "amount"])
            np.testing.assert_allclose(by_cause.sum(axis=1), found.deals["amount"])
            told = found.causes.set_index("cause").loc[list(by_cause), "amount"]
            np.testing.assert_allclose(by_cause.sum(), told, atol=1e-6)
            assert abs(found.causes.set_index("cause").at["draws", "count"]) < 0.5


def test_nothing_moves_a_forecast_but_another_seed():
    same = explain_change(forecast(), forecast()).causes.set_index("cause")
    assert (same["amount"] == 0).all()
    seeded = explain_change(forecast(), forecast(seed=1)).causes.set_index("cause")
    assert (seeded.drop("draws")["amount"] == 0).all()
    assert seeded.at["draws", "amount"] != 0


PAST = {f"w{k}": [("S1", 4 * k), ("S2", 4 * k + 20), ("won", 4 * k + 50)] for k in range(60)}
PAST |= {f"l{k}": [("S1", 4 * k + 1), ("lost", 4 * k + 60)] for k in range(60)}
LIVE = {
    "signs": [("S1", 360), ("won", 380)], "fails": [("S1", 361), ("lost", 381)], "stays": [("S1", 362)],
    "moves": [("S1", 363), ("S2", 382)], "comes": [("S1", 383)], "gone": [("S1", 364)],
}  # fmt: skip


def test_each_deal_has_its_cause_by_hand():
    paths = PAST | LIVE
    seen = [day_of(375) if name == "gone" else pd.NaT for name in paths]
    one = tiny(paths, last=400, deals={"amount": 100.0, "last_seen_on": seen})
    before, after = (sa.forecast_quarter(one, quarter="2011Q1", as_of=day_of(d).date(), draws=500) for d in (370, 390))
    found = explain_change(before, after).deals.set_index("deal_id")
    expected = before.deals.set_index("deal_id")["expected_amount"]
    assert found.at["signs", "signed"] == pytest.approx(100 - expected["signs"])
    assert found.at["fails", "ended"] == pytest.approx(-expected["fails"])
    assert found.at["gone", "vanished"] == pytest.approx(-expected["gone"])
    assert found.at["comes", "new"] == pytest.approx(after.deals.set_index("deal_id").at["comes", "expected_amount"])
    assert found.at["moves", "features"] > 0
    for name, cause in (("signs", "signed"), ("fails", "ended"), ("gone", "vanished"), ("comes", "new")):
        assert (found.loc[name].drop(["amount", cause]) == 0).all()
    assert found.at["stays", "new"] == found.at["stays", "ended"] == 0


def test_a_deal_that_kept_its_amount_is_not_moved_by_amounts():
    before, after = forecast("2013-03-20"), forecast()
    found = explain_change(before, after).deals.set_index("deal_id")
    was, now = (some.deals.set_index("deal_id") for some in (before, after))
    both = was.index.intersection(now.index)
    kept = was.loc[both, "amount"] == now.loc[both, "amount"]
    assert min(kept.sum(), (~kept).sum()) > 2
    assert before.prepared.ratios[""].expected(np.ones(1)) != after.prepared.ratios[""].expected(np.ones(1))
    assert (found["amounts"].reindex(both[kept]).fillna(0) == 0).all()
    p, ratios = was["p_in_period"], before.prepared.ratios
    for deal in both[~kept]:  # the other deals: by what the first date knew of their state
        of_state = ratios.get(was.at[deal, "state"], ratios[""])
        then, later = (of_state.expected(np.array([some.at[deal, "amount"]]))[0] for some in (was, now))
        assert found.at[deal, "amounts"] == pytest.approx(p[deal] * (later - then))


def test_only_one_period_is_compared_in_the_order_of_time():
    with pytest.raises(AsOfError, match="one period"):
        explain_change(forecast(), forecast(quarter="2013Q3"))
    with pytest.raises(AsOfError, match="the earlier one first"):
        explain_change(forecast(), forecast("2013-04-20"))
