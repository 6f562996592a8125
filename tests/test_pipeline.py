"""What moved the open pipeline between two dates: by hand, added up, and counted anew."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from worlds import day_of, simulate, tiny

import salesanalytics as sa
from salesanalytics.errors import AsOfError
from salesanalytics.forecast.pipeline import CAME, FLOWS, LEFT, MEASURES, pipeline_change

PATHS = {
    "stays": [("S1", 0)], "climbs": [("S1", 0), ("S2", 15)], "signs": [("S2", 0), ("won", 20)],
    "fails": [("S1", 0), ("lost", 20)], "drops": [("S1", 0), ("no_decision", 18)], "gone": [("S1", 0)],
    "comes": [("S1", 14)], "passes": [("S1", 14), ("S2", 16), ("won", 19)],
    "returns": [("S1", 0), ("lost", 5), ("S1", 17)], "late": [("S1", 4, 16)],
    "over": [("S1", 4, 16), ("lost", 8, 16)], "corrected": [("S1", 0), ("lost", 5), ("won", 15)],
    "grows": [("S1", 0)], "shrinks": [("S1", 0)], "told": [("S1", 0)], "silent": [("S1", 0)],
    "late end": [("S1", 0), ("lost", 8, 13)], "both": [("S1", 0), ("won", 20)],
}  # fmt: skip
#: Of the built-in process: 10 % in S1, 20 % in S2.
MOVES = [("grows", "amount", "150", 12), ("grows", "amount", "90", 13, 40), ("shrinks", "amount", "60", 14),
         ("told", "amount", "70", 14), ("both", "amount", "130", 20)]  # fmt: skip


def by_hand():
    deals = {
        "amount": [np.nan if name in ("told", "silent") else 100.0 for name in PATHS],
        "last_seen_on": [day_of(15) if name == "gone" else pd.NaT for name in PATHS],
    }
    return tiny(PATHS, last=50, deals=deals, history=MOVES)


def test_every_deal_has_its_causes_by_hand():
    found = pipeline_change(by_hand(), before=day_of(10), as_of=day_of(30))
    deals = found.deals.set_index("deal_id")
    wanted = {
        "climbs": {}, "signs": {"won": -100}, "fails": {"lost": -100}, "drops": {"other_end": -100},
        "gone": {"vanished": -100}, "comes": {"new": 100}, "passes": {"new": 100, "won": -100},
        "returns": {"back": 100}, "late": {"late": 100}, "grows": {"up": 50}, "shrinks": {"down": -40},
        "told": {"stated": 70}, "late end": {"lost": -100}, "both": {"up": 30, "won": -130},
    }  # fmt: skip
    assert sorted(deals.index) == sorted(wanted)  # neither what stays, nor what was over, nor a corrected end
    for name, moved in wanted.items():
        own = deals.loc[name, list(FLOWS)]
        assert own[own != 0].to_dict() == moved, name
    assert deals.loc["passes", ["came", "left"]].tolist() == ["new", "won"]
    assert deals.loc["climbs", ["came", "left"]].tolist() == [None, None]
    assert deals.loc["both", ["amount_before", "amount"]].tolist() == [100, -100]
    assert np.isnan(deals.at["both", "amount_after"])
    assert (found.before_on, found.after_on) == (day_of(10).date(), day_of(30).date())


def test_the_measures_by_hand():
    found = pipeline_change(by_hand(), before=day_of(10), as_of=day_of(30))
    causes = found.causes.set_index("cause")
    assert causes.index.tolist() == list(FLOWS)
    assert causes["count"][list(FLOWS)].tolist() == [2, 1, 1, 0, 0, 0, 0, -3, -2, -1, -1]
    assert causes["without_amount"][causes["without_amount"] != 0].to_dict() == {"stated": -1}
    # "climbs" is worth 10 more, "passes" came and went with 20 %; "signs" with 20, "both" with 10 %, now of 130
    weighted = [30, 10, 10, 7, 8, -4, 10, -53, -20, -10, -10]
    assert causes["weighted"].tolist() == pytest.approx(weighted)
    assert found.before == {"amount": 1000, "weighted": 110, "count": 12, "without_amount": 2}
    assert found.after == pytest.approx({"amount": 780, "weighted": 88, "count": 9, "without_amount": 1})


def test_a_deal_without_an_amount_is_counted_apart():
    paths = {"a": [("S1", 0)], "b": [("S1", 0), ("lost", 20)], "c": [("S1", 15)]}
    found = pipeline_change(tiny(paths, last=50), before=day_of(10), as_of=day_of(30))
    assert found.before == {"amount": None, "weighted": None, "count": 2, "without_amount": 2}
    causes = found.causes.set_index("cause")
    assert causes[["amount", "weighted"]].isna().all(axis=None)
    for measure in ("count", "without_amount"):
        assert causes[measure][causes[measure] != 0].to_dict() == {"new": 1, "lost": -1}
    assert found.deals[["deal_id", "came", "left"]].to_numpy().tolist() == [["b", None, "lost"], ["c", "new", None]]


# ---------------------------------------------------------------- laws over random dates of several books


@cache
def book(seed):
    if seed == "company":
        return sa.simulate_book(n_deals=300, seed=5)
    deals, history = simulate(seed, days=700, per_day=0.6)
    rng = np.random.default_rng(seed)
    seen = pd.Series(day_of(rng.integers(0, 700, len(deals)))).where(rng.random(len(deals)) < 0.1)
    seen = seen.where(seen > deals["created_at"])
    deals = deals.assign(amount=deals["amount"].mask(rng.random(len(deals)) < 0.2), last_seen_on=seen)
    moved = history[history["value"].eq("S2")].assign(field="amount")
    moved = moved.assign(value=rng.lognormal(3, 1, len(moved)).round(2).astype(str))
    again = history[history["value"].eq("lost")].sample(frac=0.3, random_state=seed).assign(value="S1")
    again["changed_at"] += pd.to_timedelta(rng.integers(1, 90, len(again)), unit="D")
    history = pd.concat([history, moved, again], ignore_index=True)
    late = pd.to_timedelta(rng.integers(0, 40, len(history)) * (rng.random(len(history)) < 0.4), unit="D")
    history = history.assign(recorded_at=history["changed_at"] + late)
    history = history[history["recorded_at"] < day_of(700)]
    deals = deals[deals["deal_id"].isin(history["deal_id"])]
    return sa.make_book(deals=deals, history=history, settings={"extracted_on": day_of(699).date().isoformat()})


def some_days(one, rng, n):
    last = pd.Timestamp(one.settings.extracted_on)
    return sorted(last - pd.Timedelta(days=int(d)) for d in rng.choice(600, n, replace=False))


@pytest.mark.parametrize("seed", [1, 2, 3, "company"])
def test_causes_add_up_between_any_two_dates(seed):
    rng = np.random.default_rng(7)
    seen = set()
    for _ in range(12):
        first, last = some_days(book(seed), rng, 2)
        found = pipeline_change(book(seed), before=first, as_of=last)
        for measure in MEASURES:
            moved = found.after[measure] - found.before[measure]
            size = max(found.before[measure], found.after[measure], 1.0)
            assert found.causes[measure].sum() == pytest.approx(moved, rel=0, abs=1e-9 * size)
        deals = found.deals
        size = 1e-9 * max(found.before["amount"], found.after["amount"])
        difference = deals["amount_after"].fillna(0) - deals["amount_before"].fillna(0)
        np.testing.assert_allclose(deals["amount"], difference, rtol=0, atol=size)
        np.testing.assert_allclose(deals[list(FLOWS)].sum(axis=1), deals["amount"], rtol=0, atol=size)
        causes = found.causes.set_index("cause")
        np.testing.assert_allclose(deals[list(FLOWS)].sum(), causes["amount"], rtol=0, atol=size)
        assert deals["weighted"].sum() == pytest.approx(causes["weighted"].sum(), rel=0, abs=size)
        assert deals["came"].value_counts().to_dict() == dict(causes["count"][list(CAME)].loc[lambda n: n > 0])
        assert deals["left"].value_counts().to_dict() == dict(-causes["count"][list(LEFT)].loc[lambda n: n < 0])
        seen |= set(causes.index[causes["count"].ne(0) | causes["amount"].ne(0)])
    assert {"new", "late", "up", "down", "won", "lost"} <= seen
    assert seed == "company" or {"back", "stated", "vanished"} <= seen


@pytest.mark.parametrize("seed", [1, "company"])
def test_two_changes_one_after_the_other_move_each_deal_as_one_over_both(seed):
    rng = np.random.default_rng(8)
    for _ in range(5):
        a, b, c = some_days(book(seed), rng, 3)
        parts = [pipeline_change(book(seed), before=x, as_of=y) for x, y in ((a, b), (b, c), (a, c))]
        assert parts[0].after == parts[1].before
        assert (parts[0].before, parts[1].after) == (parts[2].before, parts[2].after)
        first, then, whole = (part.deals.set_index("deal_id")["amount"] for part in parts)
        together = first.add(then, fill_value=0)
        np.testing.assert_allclose(together, whole.reindex(together.index).fillna(0), atol=1e-6)


def test_nothing_moves_a_pipeline_within_a_day_and_time_does_not_run_back():
    same = pipeline_change(book(1), before="2011-06-01", as_of="2011-06-01")
    assert (same.causes[list(MEASURES)] == 0).all(axis=None)
    assert same.before == same.after
    assert same.deals.empty
    with pytest.raises(AsOfError, match="before must not lie after as_of 2011-06-01, got 2011-06-02"):
        pipeline_change(book(1), before="2011-06-02", as_of="2011-06-01")


# ---------------------------------------------------------------- counted anew, row by row, from the tables


def stood(one, deal, rows, day):
    """Whether a deal stood open at the end of a day by what was known then, its state, amount and creation."""
    end = day + pd.Timedelta(days=1)
    known = rows[(rows["recorded_at"] < end) & (rows["changed_at"] < end)]
    if known.empty:
        return None
    stage = known[known["field"].eq("stage")]["value"]
    amount = known[known["field"].eq("amount")]["value"].astype(float)
    state = stage.iloc[-1] if len(stage) else "S1"
    seen = deal.last_seen_on if pd.notna(deal.last_seen_on) else pd.Timestamp.max
    return {
        "open": state.startswith("S") and seen >= day,
        "state": state,
        "seen": seen,
        "stated": amount.iloc[-1] if len(amount) else deal.amount,
        "created": min(deal.created_at, known["changed_at"].min()),
        "ended": stage[::-1].index[0] if len(stage) else None,
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_counting_row_by_row_gives_the_same(seed):
    one, rng = book(seed), np.random.default_rng(9)
    history = one.history.sort_values("changed_at", kind="stable")
    groups = dict(list(history.groupby("deal_id")))
    first, last = some_days(one, rng, 2)
    amount, count = dict.fromkeys(FLOWS, 0.0), dict.fromkeys(FLOWS, 0.0)
    for deal in one.deals.itertuples():
        rows = groups[deal.deal_id]
        was, now = (stood(one, deal, rows, day) for day in (first, last))
        if now is None or (was is None and not now["open"] and passed_by(now, rows, first)):
            continue
        if was is None:
            came = "new" if now["created"].normalize() > first else "late"
        elif not was["open"]:
            came = "back" if now["open"] else "never"
        else:
            came = None
        if came == "never":
            continue
        value = np.nan_to_num(now["stated"])
        if came:
            amount[came] += value
            count[came] += 1
        elif not np.isclose(np.nan_to_num(was["stated"]), value):
            cause = "stated" if np.isnan(was["stated"]) else "up" if value > was["stated"] else "down"
            amount[cause] += value - np.nan_to_num(was["stated"])
        if not now["open"]:
            left = now["state"] if now["state"] in ("won", "lost") else "vanished"
            amount[left] -= value
            count[left] -= 1
    causes = pipeline_change(one, before=first, as_of=last).causes.set_index("cause")
    assert causes["count"].to_dict() == count
    assert causes["amount"].to_dict() == pytest.approx(amount)
    assert sum(x != 0 for x in amount.values()) >= 6


def passed_by(now, rows, first):
    """Whether a deal that was not known on the first date had ended, or was last seen, by then."""
    over = rows.loc[now["ended"], "changed_at"] if not now["state"].startswith("S") else now["seen"]
    return over.normalize() <= first
