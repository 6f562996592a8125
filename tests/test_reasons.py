"""Reasons: by hand on a model that adds, and by the laws of Shapley values on a fitted one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from test_close_model import at, company
from worlds import book_of, day_of

import salesanalytics as sa
from salesanalytics import labels
from salesanalytics.errors import AsOfError
from salesanalytics.models import CloseModel, close_reasons
from salesanalytics.models.reasons import GROUPS, N_COMPARED, _typical

LAST = 599
UNTIL = at(LAST + 91)
COLUMNS = ["deal_id", "state", "p_won_until", "p_average", "reason", "effect"]


# ---------------------------------------------------------------- by hand

WEIGHTS = {"days_in_state": 0.01, "log_amount": 0.02, "p_rep": 0.1, "size": -0.03}


class Adds:
    """A chance that is a sum: then the effect of a column is its weight times its distance from the average."""

    learners_ = SimpleNamespace(features=[*WEIGHTS, "stage_rank", "unused"])

    def curves(self, snapshot, *, days):
        p = 0.2 + sum(weight * snapshot[name] for name, weight in WEIGHTS.items())
        return p.to_numpy()[:, None], np.zeros((len(snapshot), 1))


def deals_of(states, seed=0):
    rng = np.random.default_rng(seed)
    n = len(states)
    columns = {"deal_id": [f"D{k:02d}" for k in range(n)], "as_of": day_of(0), "state": states, "stage_rank": 1}
    return pd.DataFrame(columns | {name: rng.normal(0, 1, n) for name in WEIGHTS}).assign(unused=7.0)


REASON_OF = {
    "days_in_state": "reason_pace", "log_amount": "reason_amount", "p_rep": "reason_rep_view", "size": "size",
    "unused": "unused",
}  # fmt: skip


def test_effects_of_a_sum_by_hand():
    deals = deals_of(["S1"] * 5 + ["S2"] * N_COMPARED + ["S3"])
    found = close_reasons(Adds(), deals, until=at(10))
    assert found.columns.tolist() == COLUMNS
    effects = found.pivot(index="deal_id", columns="reason", values="effect")
    average = deals.groupby("state")[list(WEIGHTS)].transform("mean").set_index(deals["deal_id"])
    for name, weight in WEIGHTS.items():
        expected = weight * (deals.set_index("deal_id")[name] - average[name])
        np.testing.assert_allclose(effects[REASON_OF[name]], expected, atol=1e-12)
    assert set(effects.columns) == set(REASON_OF.values())  # the state itself is no reason: all have the same
    assert effects["unused"].abs().max() < 1e-12
    assert (effects.loc["D21"].abs() < 1e-12).all()  # alone in its state it is its own average


def test_a_large_state_is_compared_with_some_that_stand_for_all():
    deals = deals_of(["S1"] * 70)
    found = close_reasons(Adds(), deals, until=at(10))
    p = Adds().curves(deals, days=[1])[0][:, 0]
    np.testing.assert_allclose(found["p_average"], p.mean())
    effects = found.pivot(index="deal_id", columns="reason", values="effect")
    np.testing.assert_allclose(effects.sum(axis=1), p - p.mean(), atol=1e-12)
    chosen = deals.iloc[_typical(p)]
    assert len(chosen) == N_COMPARED
    near = Adds().curves(chosen, days=[1])[0].mean()
    assert abs(near - p.mean()) < 0.1 * p.std()
    raw = {REASON_OF[name]: w * (deals[name] - chosen[name].mean()).to_numpy() for name, w in WEIGHTS.items()}
    size = sum(np.abs(effect) for effect in raw.values())
    for reason, effect in raw.items():  # what is left to the mean of all goes to them by their size
        np.testing.assert_allclose(effects[reason], effect + np.abs(effect) / size * (near - p.mean()), atol=1e-12)


def test_the_stage_is_a_reason_in_a_pause_alone():
    deals = deals_of(["S1"] * 4 + ["on_hold"] * 6).assign(stage_rank=[1] * 4 + [1, 2, 5, 5, 7, 3])

    class Ranks(Adds):
        def curves(self, snapshot, *, days):
            won, other = super().curves(snapshot, days=days)
            return won + 0.05 * snapshot["stage_rank"].to_numpy()[:, None], other

    found = close_reasons(Ranks(), deals, until=at(10))
    effects = found[found["reason"] == "reason_stage"].set_index("deal_id")["effect"]
    held = deals[deals["state"] == "on_hold"].set_index("deal_id")
    np.testing.assert_allclose(effects[held.index], 0.05 * (held["stage_rank"] - held["stage_rank"].mean()), atol=1e-12)
    assert len(effects) == len(held)
    assert found.groupby("state")["p_average"].nunique().eq(1).all()


# ---------------------------------------------------------------- a fitted model


@pytest.fixture(scope="module")
def book():
    return book_of(*company(3, days=LAST + 1, per_day=0.6), last=LAST)


@pytest.fixture(scope="module")
def model(book):
    return CloseModel(rung="blend").fit(book, as_of=at(LAST))


@pytest.fixture(scope="module")
def snapshot(book):
    return sa.snapshots(book, as_of=at(LAST))


@pytest.fixture(scope="module")
def reasons(model, snapshot):
    return close_reasons(model, snapshot, until=UNTIL)


def test_effects_sum_to_the_difference(model, snapshot, reasons):
    total = reasons.groupby("deal_id").agg(
        p=("p_won_until", "first"), average=("p_average", "first"), effect=("effect", "sum"), n=("effect", "size")
    )
    assert set(total.index) == set(snapshot["deal_id"])
    assert total["n"].nunique() == 1
    np.testing.assert_allclose(total["effect"], total["p"] - total["average"], atol=1e-10)
    predicted = model.predict(snapshot, until=UNTIL).set_index(snapshot["deal_id"])["p_won_until"]
    np.testing.assert_allclose(total["p"], predicted[total.index], rtol=1e-9)
    sizes = snapshot["state"].value_counts()
    for state in sizes.index:
        ids = snapshot.loc[snapshot["state"] == state, "deal_id"]
        np.testing.assert_allclose(total.loc[ids, "average"], predicted[ids].mean(), rtol=1e-9)
    assert sizes.min() <= N_COMPARED < sizes.max()
    assert total["effect"].abs().max() > 0.05


def test_the_strongest_reason_comes_first(reasons):
    p = reasons["p_won_until"].to_numpy()
    assert (np.diff(p) <= 0).all()
    size = reasons["effect"].abs().groupby(reasons["deal_id"], sort=False)
    assert all((np.diff(effects) <= 0).all() for _, effects in size)


def test_the_product_is_the_reason_where_it_is(snapshot, reasons):
    by_product = reasons[reasons["reason"] == "product"].set_index("deal_id")["effect"]
    product = snapshot.set_index("deal_id")["product"].reindex(by_product.index)
    both = snapshot.groupby("state")["product"].transform("nunique").set_axis(snapshot["deal_id"]) > 1
    good, poor = (by_product[(product == p) & both.reindex(by_product.index)] for p in ("a", "b"))
    assert good.min() > 0 > poor.max()
    mean = reasons["effect"].abs().groupby(reasons["reason"]).mean()
    assert mean.idxmax() == "product"


def by_deal_and_reason(reasons):
    return reasons.set_index(["deal_id", "reason"]).drop(columns="state").sort_index()


@pytest.mark.parametrize("n", [1, 4])
def test_some_deals_are_told_what_all_are_told(model, snapshot, reasons, n):
    ids = snapshot["deal_id"].sample(n, random_state=n).tolist()
    found = close_reasons(model, snapshot, until=UNTIL, deal_ids=ids)
    expected = reasons[reasons["deal_id"].isin(ids)]
    pd.testing.assert_frame_equal(*(by_deal_and_reason(x) for x in (found, expected)), atol=1e-6)


def test_the_order_of_the_deals_does_not_matter(model, snapshot, reasons):
    found = close_reasons(model, snapshot.sample(frac=1, random_state=0), until=UNTIL)
    pd.testing.assert_frame_equal(*(by_deal_and_reason(x) for x in (found, reasons)), atol=1e-6)


def test_nothing_given_is_changed(model, snapshot):
    before = snapshot.copy(deep=True)
    close_reasons(model, snapshot, until=UNTIL, deal_ids=snapshot["deal_id"].iloc[:1])
    pd.testing.assert_frame_equal(snapshot, before)


def test_every_reason_has_a_name_and_every_column_exists(snapshot, reasons):
    assert set(GROUPS) <= set(labels._TEXTS)
    named = {column for names in GROUPS.values() for column in names}
    assert named - set(snapshot.columns) == {"account_id_record"} - set(snapshot.columns)
    assert {r for r in reasons["reason"] if r.startswith("reason_")} <= set(GROUPS)


# ---------------------------------------------------------------- errors, and where there is nothing to say


def test_one_date_at_a_time(book, model):
    both = sa.snapshots(book, as_of=[at(LAST - 28), at(LAST)])
    with pytest.raises(AsOfError, match="the snapshot holds several"):
        close_reasons(model, both, until=UNTIL)


@pytest.mark.parametrize("ahead", [0, -10])
def test_until_must_lie_ahead(model, snapshot, ahead):
    with pytest.raises(AsOfError, match=f"until must lie after {at(LAST)}"):
        close_reasons(model, snapshot, until=at(LAST + ahead))


def test_the_stage_table_has_one_reason(book, snapshot):
    by_table = CloseModel(rung="stage_table").fit(book, as_of=at(LAST))
    found = close_reasons(by_table, snapshot, until=UNTIL).set_index("deal_id")
    assert set(found["reason"]) == {"reason_pace"}
    p = by_table.predict(snapshot, until=UNTIL)["p_won_until"]
    gap = (p - p.groupby(snapshot["state"]).transform("mean")).set_axis(snapshot["deal_id"])
    np.testing.assert_allclose(found["effect"], gap[found.index], atol=1e-12)
    assert found["effect"].abs().max() > 0.02


def test_nobody_has_no_reasons(model, snapshot):
    for found in (
        close_reasons(model, snapshot.iloc[:0], until=UNTIL),
        close_reasons(model, snapshot, until=UNTIL, deal_ids=["nobody"]),
    ):
        assert found.columns.tolist() == COLUMNS
        assert len(found) == 0
