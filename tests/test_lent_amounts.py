"""What deals without an amount are lent: the amounts of wins like them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from worlds import book_of, day_of, simulate, tiny

import salesanalytics as sa
from salesanalytics.forecast.change import explain_change
from salesanalytics.forecast.lent_amounts import _mixed, _own_shares, lent_amounts
from salesanalytics.forecast.pacing import coverage_ratio
from salesanalytics.forecast.parts import draw_open
from salesanalytics.forecast.prepare import beside_calls, expected_elsewhere
from salesanalytics.forecast.rollups import what_if

pytestmark = pytest.mark.usefixtures("on_the_stage_table")

LAST = 1299
AS_OF = day_of(LAST).date()
USUAL = {"big": 100 * np.exp(0.08), "small": 10 * np.exp(0.08)}  # means of log-normals with a log sd of .4


@cache
def world():
    """Two products, one ten times as large as the other, and a colour that says nothing."""
    deals, history = simulate(5, days=LAST + 1, per_day=0.3)
    rng = np.random.default_rng(1)
    deals["product"] = rng.choice(["big", "small"], len(deals))
    deals["colour"] = rng.choice(["red", "green", "blue"], len(deals))
    deals["amount"] = deals["product"].map({"big": 100.0, "small": 10.0}) * rng.lognormal(0, 0.4, len(deals))
    return deals, history


def ids(*ends):
    history = world()[1]
    return history.loc[history["value"].isin(ends), "deal_id"]


def forecast_of(missing, *, draws=2000, as_of=AS_OF, **settings):
    """Forecast of the book whose deals of these numbers lack their amount."""
    deals, history = world()
    book = book_of(deals.assign(amount=deals["amount"].mask(missing)), history, last=LAST, **settings)
    return sa.forecast_quarter(book, quarter="2013Q4", as_of=as_of.isoformat(), draws=draws)


@cache
def lacking(product):
    """Forecast where no open deal of a product has an amount."""
    deals = world()[0]
    return forecast_of(deals["product"].eq(product) & ~deals["deal_id"].isin(ids("won", "lost")))


@pytest.mark.parametrize("product", ["big", "small"])
def test_an_amount_is_drawn_from_the_wins_of_its_segment(product):
    found = lacking(product)
    own = found.deals[found.deals["product"].eq(product)]
    assert own["amount"].isna().all()
    expected = own["p_in_period"].sum() * USUAL[product]
    assert own["expected_amount"].sum() == pytest.approx(expected, rel=0.1)
    told = sa.rollup(found, by="product").set_index("product")["amount"]
    assert told[product] == pytest.approx(expected, rel=0.25)  # small ones were told five times too high
    assert told.sum() == pytest.approx(found.total().mean())
    assert ("note_amount_drawn", {"n": len(own)}) in found.notes


def test_all_places_say_the_same_of_a_deal_without_an_amount():
    found = lacking("small")
    deals = found.deals.assign(worth=lambda d: d["amount"].fillna(d["usual_amount"]))
    one = deals[deals["amount"].isna()].iloc[0]
    assert one["usual_amount"] == pytest.approx(USUAL["small"], rel=0.1)
    assert coverage_ratio(found)["open_amount"] == pytest.approx(deals["worth"].sum())
    assert deals["expected_amount"].tolist() == pytest.approx((deals["p_in_period"] * deals["worth"]).tolist())
    place = deals.index[deals["deal_id"].eq(one["deal_id"])][0]
    decided = what_if(found, won=[one["deal_id"]])
    drawn = found.signings.draw[found.signings.deal == place]
    anew = (decided.signings.deal == place) & ~np.isin(decided.signings.draw, drawn)
    assert set(decided.signings.value[anew]) == {one["usual_amount"]}


def test_judgement_and_what_explains_it_count_a_deal_without_an_amount_as_its_like():
    deals, history = world()
    small = deals["product"].eq("small") & ~deals["deal_id"].isin(ids("won", "lost"))
    book = book_of(deals.assign(amount=deals["amount"].mask(small)), history, last=LAST)
    one = deals.loc[small, "deal_id"].iloc[-1]
    plain = sa.forecast_quarter(book, quarter="2013Q4", as_of=AS_OF.isoformat(), draws=200)
    judged = sa.Judgement(one, chance=0.5, who="Wang", why="said so")
    told = sa.with_judgement(plain, book=book, judgements=[judged])
    of_it = told.deals.set_index("deal_id").loc[one]
    assert of_it["expected_amount"] == pytest.approx(0.5 * of_it["usual_amount"])
    change = explain_change(plain, told)
    moved = told.total().mean() - plain.total().mean()
    assert change.causes["amount"].sum() == pytest.approx(moved)


def test_deals_that_come_back_are_lent_likewise():
    deals = world()[0]
    found = forecast_of(deals["deal_id"].isin(ids("lost")))
    ended = found.prepared.ended.merge(deals[["deal_id", "product"]])
    lent = ended[ended["amount"].isna()].groupby("product")["usual_amount"]
    assert (lent.max() - lent.min()).tolist() == [0, 0]
    assert lent.mean().to_dict() == pytest.approx(USUAL, rel=0.1)
    p = found.prepared.ended["p_in_period"]
    expected = float((p * found.prepared.ended["amount"].fillna(found.prepared.ended["usual_amount"])).sum())
    assert expected_elsewhere(found.prepared, by_value=True)["reopened"] == pytest.approx(expected)
    assert beside_calls(found.prepared)["amount"] > 0


def test_one_deal_more_leaves_what_the_others_are_lent():
    prepared = lacking("small").prepared
    asked = {"seed": 0, "shift": np.zeros(500), "lent": prepared.lent}
    whole, rest = (draw_open(d, prepared.ratios, **asked) for d in (prepared.deals, prepared.deals.iloc[1:]))
    first = {name: getattr(whole, name)[whole.deal > 0] for name in ("deal", "draw", "value")}
    one, other = (
        pd.DataFrame(x).sort_values(["deal", "draw"], ignore_index=True).astype(float)
        for x in (first, {"deal": rest.deal + 1, "draw": rest.draw, "value": rest.value})
    )
    pd.testing.assert_frame_equal(one, other)


# ---------------------------------------------------------------- the fit


def lent(deals, *, as_of=AS_OF, **settings):
    book = book_of(deals, world()[1], last=LAST, **settings)
    return lent_amounts(book, as_of=as_of)


def means(found, deals):
    return found.mean(found.group(deals))


def test_without_attributes_amounts_are_those_of_wins_as_they_are():
    deals = world()[0]
    told = [
        lent(deals.drop(columns=["product", "colour"])),
        lent(deals, attributes=[]),
        lent(deals.assign(product="one"), attributes=["product"]),
    ]
    won = deals.set_index("deal_id")["amount"].reindex(ids("won"))
    for found in told:
        assert found.segment is None
        assert sorted(found.pools[0]) == sorted(won)
        np.testing.assert_array_equal(found.pools, told[0].pools)
        assert set(means(found, deals)) == {found.pools[0].mean()}


def test_an_attribute_that_says_nothing_is_hardly_ever_a_segment():
    deals, rng = world()[0], np.random.default_rng(0)
    shuffled = [deals.assign(colour=rng.permutation(deals["colour"])) for _ in range(20)]
    assert sum(lent(d, attributes=["colour"]).segment is not None for d in shuffled) <= 3  # of 20, at p = .05
    assert lent(deals).segment == "product"


def test_wins_of_a_segment_are_lent_as_they_are_where_there_are_many():
    """Segments that differ in spread as well: one ten times as large and narrow, one small with a long tail."""
    deals = world()[0].copy()
    small = deals["product"].eq("small")
    deals["amount"] = deals["amount"].mask(small, 10 * np.random.default_rng(3).lognormal(0, 1.5, len(deals)))
    found = lent(deals, attributes=["product"])
    won = deals[deals["deal_id"].isin(ids("won"))]
    for product, part in won.groupby("product")["amount"]:
        pool = found.pools[found.values.get_loc(product) + 1]
        assert pool.mean() == pytest.approx(part.mean(), rel=0.1)
        assert np.median(pool) == pytest.approx(part.median(), rel=0.1)


def test_a_value_with_few_wins_is_lent_by_all_wins_too():
    """By hand: the share of the own wins is that of the variance between values."""
    log_amount, value = np.repeat([0.0, 2.0], [2, 6]) + np.tile([-0.5, 0.5], 4), np.repeat([0, 1], [2, 6])
    within = 8 * 0.25 / 6
    between = (2 * 1.5**2 + 6 * 0.5**2 - within) / (8 - 40 / 8)
    shares = _own_shares(log_amount, value[:, None] == [0, 1])
    np.testing.assert_allclose(shares, between / (between + within / np.array([2, 6])))
    assert 0 < shares[0] < shares[1] < 1
    mixed = _mixed(np.array([4.0, 1.0, 2.0, 3.0]), np.array([True, False, False, False]), 0.5)
    assert mixed.tolist() == [1.0, 3.0, 4.0, 4.0]  # weights .125, .125, .125 and .625


def test_what_is_unknown_or_rare_is_lent_by_all_wins():
    deals = world()[0].assign(product=lambda d: d["product"].where(d.index % 100 > 0, "rare"))
    found = lent(deals)
    assert found.values.tolist() == ["big", "small"]
    asked = pd.DataFrame({"product": ["big", "rare", None, np.nan, "never seen"]})
    assert found.group(asked).tolist() == [1, 0, 0, 0, 0]


def test_no_wins_lend_nothing():
    deals = world()[0]
    nothing = lent(deals.drop(columns="amount"))
    assert not nothing.pools.size
    assert set(means(nothing, deals)) == {0.0}


# ---------------------------------------------------------------- deals to come


@cache
def turning(*, turns):
    """A company that sold big things until a year and a half before the end, and small ones since, if it turns."""
    deals = world()[0].copy()
    small = np.random.default_rng(2).random(len(deals)) < 0.5
    if turns:
        small = (deals["created_at"] > day_of(LAST - 550)).to_numpy()
    deals["product"] = np.where(small, "small", "big")
    size = np.where(small, 10.0, 100.0)
    deals["amount"] = size * np.random.default_rng(1).lognormal(0, 0.4, len(deals))
    return book_of(deals[["deal_id", "created_at", "product", "amount"]], world()[1], last=LAST)


def test_deals_to_come_bring_what_the_company_sells_now():
    asked = {"quarter": "2013Q4", "as_of": AS_OF.isoformat(), "draws": 4000}
    told = sa.forecast_quarter(turning(turns=True), **asked)
    each = told.amount["new"].mean() / told.count["new"].mean()
    assert each == pytest.approx(USUAL["small"], rel=0.35)  # two wins in three are big
    assert told.prepared.arrivals.won_amounts.mean() > 6 * USUAL["small"]
    steady = sa.forecast_quarter(turning(turns=False), **asked)
    each = steady.amount["new"].mean() / steady.count["new"].mean()
    assert each == pytest.approx((USUAL["big"] + USUAL["small"]) / 2, rel=0.25)


def test_what_a_win_counts_for_a_deal_to_come_by_hand():
    """40 deals a year, of the first year three in four big, of the last all small; every deal is won after 100 days."""
    paths, product = {}, []
    for k in range(80):
        day = 9 * k
        paths[f"w{k}"] = [("S1", day), ("won", day + 100)]
        product.append("small" if k >= 40 or k % 4 == 0 else "big")
    amount = [10.0 + (k % 3) if one == "small" else 100.0 + (k % 3) for k, one in enumerate(product)]
    book = tiny(paths, last=900, deals={"product": product, "amount": amount})
    as_of = day_of(820).date()
    found = lent_amounts(book, as_of=as_of)
    assert found.segment == "product"
    lately = sum(9 * k > 820 - 364 for k in range(80))
    share = {"big": 30 / 79, "small": 49 / 79}  # the first deal of the book is none of those watched
    now = {"big": 5 * share["big"] / (lately + 5), "small": (lately + 5 * share["small"]) / (lately + 5)}
    np.testing.assert_allclose(found.weight_now, [now[one] / share[one] for one in product])
    plain = tiny(paths, last=900, deals={"amount": amount})
    assert set(lent_amounts(plain, as_of=as_of).weight_now) == {1.0}


def test_where_nothing_turned_wins_count_nearly_alike():
    weights = lent_amounts(turning(turns=False), as_of=AS_OF).weight_now
    assert weights == pytest.approx(1, abs=0.25)
    assert weights.mean() == pytest.approx(1, abs=0.05)
