"""Whether won deals can be told from lost ones: the area under the ROC curve, its interval, and what the model says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from worlds import book_of, day_of, simulate

from salesanalytics.errors import SchemaError
from salesanalytics.models import CloseModel, auc, auc_interval
from salesanalytics.models.past import Past
from salesanalytics.models.supermodel import Bins
from salesanalytics.report.sentences import signal_text

EVEN = {"S1": (0.0, 0.008, 0.008), "S2": (0.0, 0.008, 0.008), "S3": (0.0, 0.008, 0.008)}
GOOD, BAD = (dict.fromkeys(EVEN, (0.0, w, 0.016 - w)) for w in (0.012, 0.004))


def delong(p, won):
    """Variance of the area by its definition, pair by pair."""
    high, low = p[won == 1], p[won == 0]
    above = (high[:, None] > low).astype(float) + 0.5 * (high[:, None] == low)
    return above.mean(axis=1).var(ddof=1) / len(high) + above.mean(axis=0).var(ddof=1) / len(low)


def test_by_hand():
    found = auc_interval([0.9, 0.4, 0.5, 0.1], [1, 1, 0, 0], cluster=list("abcd"))
    # placements: .9 above both, .4 above one of two; .5 below one of two, .1 below both; area 3/4
    deviation = np.array([1 - 0.75, 0.5 - 0.75, 0.5 - 0.75, 1 - 0.75]) / 2
    assert found.auc == pytest.approx(0.75)
    assert found.se == pytest.approx(np.sqrt(4 / 3 * (deviation**2).sum()))
    assert (found.n, found.n_clusters, found.lower >= 0, found.upper <= 1) == (4, 4, True, True)


@pytest.mark.parametrize("seed", range(20))
def test_laws(seed):
    rng = np.random.default_rng(seed)
    won = rng.random(300) < 0.3
    p = np.round(np.clip(rng.normal(0.4 + 0.1 * won, 0.2), 0, 1), 2)
    deal = np.arange(300)
    found = auc_interval(p, won, cluster=deal)
    assert found.auc == auc(p, won)
    assert found.se == pytest.approx(np.sqrt(delong(p, won)), rel=0.02)
    again = auc_interval(np.tile(p, 3), np.tile(won, 3), cluster=np.tile(deal, 3))
    assert (again.auc, again.se) == (pytest.approx(found.auc), pytest.approx(found.se))
    turned = auc_interval(1 - p, won, cluster=deal)
    assert (turned.auc, turned.se) == (pytest.approx(1 - found.auc), pytest.approx(found.se))
    order = rng.permutation(300)
    assert auc_interval(p[order], won[order], cluster=deal[order]).se == pytest.approx(found.se)


def test_intervals_hold_the_area_as_often_as_they_claim():
    """Three rows a deal that share its luck; normal scores one standard deviation apart: area .760."""
    held = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        won, own = rng.random(80) < 0.4, rng.normal(size=80)
        score = np.repeat(own + won, 3) * 0.9 + rng.normal(size=240) * np.sqrt(1 - 0.81)
        p = 1 / (1 + np.exp(-score))
        found = auc_interval(p, np.repeat(won, 3), cluster=np.repeat(np.arange(80), 3))
        held.append(found.lower <= 0.7377 <= found.upper)  # Phi(.9 / sqrt 2)
    assert 0.85 <= np.mean(held) <= 0.95


def test_only_deals_of_one_time_are_compared():
    """In the second month more are won, and all chances are higher: pairs across months would tell .75 and more."""
    p, won, month = [0.1, 0.2, 0.2, 0.1, 0.8, 0.9, 0.9, 0.8], [1, 0, 0, 0, 1, 1, 0, 1], [1] * 4 + [2] * 4
    apart = auc_interval(p, won, cluster=range(8), stratum=month)
    # first month: .1 below both .2, level with .1; second: .8 below .9 (twice), .9 level with it
    assert apart.auc == pytest.approx((0.5 + 0.5) / 6)
    assert auc_interval(p, won, cluster=range(8)).auc > 0.5
    order = np.random.default_rng(0).permutation(8)
    again = auc_interval(*(np.array(x)[order] for x in (p, won)), cluster=order, stratum=np.array(month)[order])
    assert (again.auc, again.se) == (pytest.approx(apart.auc), pytest.approx(apart.se))


def test_strata_by_pairs():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        p, won, time = np.round(rng.random(60), 1), rng.random(60) < 0.4, rng.integers(0, 6, 60)
        same = (time[:, None] == time) & won[:, None] & ~won
        above = (p[:, None] > p) + 0.5 * (p[:, None] == p)
        assert auc_interval(p, won, cluster=range(60), stratum=time).auc == pytest.approx(above[same].mean())


def test_a_time_that_favours_some_widens_the_interval():
    """A factor that helps in half of the months and harms in the others tells nothing of the next one."""
    signals = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        time, kind = np.repeat(np.arange(12), 50), rng.random(600) < 0.5
        won = rng.random(600) < 0.5 + 0.3 * np.where(kind, 1, -1) * rng.choice([-1, 1], 12)[time]
        signals.append(auc_interval(np.where(kind, 0.6, 0.4), won, cluster=range(600), stratum=time).signal)
    assert np.mean(signals) < 0.12  # the deal as the unit says so in a third and more
    plain = auc_interval(np.where(kind, 0.6, 0.4), won, cluster=range(600))
    assert plain.se < auc_interval(np.where(kind, 0.6, 0.4), won, cluster=range(600), stratum=time).se


def test_nothing_to_tell_apart_and_bad_input():
    assert np.isnan(auc_interval([0.5, 0.2], [1, 1], cluster=[1, 2]).auc)
    alone = auc_interval([0.5, 0.2], [1, 0], cluster=[1, 1])
    assert alone.auc == 1.0
    assert np.isnan(alone.se)
    assert not alone.signal
    with pytest.raises(SchemaError, match="cluster must have one value per row"):
        auc_interval([0.5, 0.2], [1, 0], cluster=[1])


def test_chance_that_an_end_is_a_signing_by_hand():
    rows = pd.DataFrame({"deal_id": ["a", "b"], "landmark_day": [100, 200]})
    bins = Bins(np.array([0, 0, 1]), *(np.array(x) for x in ([0, 7, 0], [7, 14, 7], [0, 0, 0])))
    odds = np.log(np.array([[1.0, 1.0], [1.0, 1.0], [0.25, 3.0]]))
    past = Past(rows, np.array([7]), {}, bins, np.array([-1, 1, 0]), {"logistic": odds})
    found = past.won_or_lost("logistic")
    assert found["deal_id"].tolist() == ["a", "b"]
    assert found["won"].tolist() == [True, False]
    assert found["from_day"].tolist() == [107, 200]
    # a: 1/2 won, else 1/2 of the rest; b: 1/5 won, else 3/4 of the rest
    np.testing.assert_allclose(found["p"], [0.5 / (0.5 + 0.25), 0.2 / (0.2 + 0.6)])


def world(seed, good, bad):
    """Two products, a and b, with chances of their own."""
    parts = [
        simulate(10 * seed + k, days=900, per_day=0.6, chances=chances, prefix=product)
        for k, (product, chances) in enumerate({"a": good, "b": bad}.items())
    ]
    deals, history = (pd.concat([part[k] for part in parts], ignore_index=True) for k in (0, 1))
    return book_of(deals.assign(product=deals["deal_id"].str[0]), history, last=899)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_model_says_when_there_is_no_signal(seed):
    told = CloseModel(rung="logistic").fit(world(seed, EVEN, EVEN), as_of=day_of(899)).won_or_lost()
    assert told.auc == pytest.approx(0.5, abs=0.1)
    assert told.n_clusters > 200
    if not told.signal:
        assert "no signal" in signal_text(told, "en")
        assert "没有信号" in signal_text(told, "zh")


def test_the_model_says_when_there_is_one():
    model = CloseModel(rung="logistic").fit(world(4, GOOD, BAD), as_of=day_of(899))
    told = model.won_or_lost()
    assert told.signal
    assert told.auc > 0.65
    assert f"AUC {told.auc:.2f}" in signal_text(told, "en")
    assert "no signal" not in signal_text(told, "en")
    assert CloseModel(rung="stage_table").fit(world(4, GOOD, BAD), as_of=day_of(899)).won_or_lost() is None


def test_silence_is_kept_on_noise():
    """Of worlds in which nothing tells won from lost, about one in twenty may seem to have a signal."""
    models = [CloseModel(rung="logistic").fit(world(s, EVEN, EVEN), as_of=day_of(899)) for s in range(10, 20)]
    assert sum(model.won_or_lost().signal for model in models) <= 3
