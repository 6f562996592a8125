"""Stage rates in full: by what was known on entry, by value, beyond the horizon; by hand, by law, against the truth."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from worlds import CHANCES, book_of, day_of, tiny, true_incidence

import salesanalytics as sa
from salesanalytics.errors import SchemaError
from salesanalytics.models.horizon_rates import ENDS, WON, Clocks, horizon_rate, rate_interval
from salesanalytics.models.incidence import cumulative_incidence, fit_incidence
from salesanalytics.models.influence import clustered_error, row_influence
from salesanalytics.models.pooling import drawn_to_nominal, drawn_to_stage, pool_segments
from salesanalytics.models.shrinkage import shrink
from salesanalytics.models.stage_rates import rates_of
from salesanalytics.models.stage_rows import clocks_of, entry_rows, standing_rows
from salesanalytics.timeline.asof_values import groupings

CODES = {"open": -1, "lost": 0, "won": 1}


def at(number):
    return day_of(number).date()


def clocks(duration, end, *, entry=None, deal=None, amount=None):
    n = len(duration)
    return Clocks(
        np.asarray(duration, dtype="int64"),
        np.zeros(n, dtype="int64") if entry is None else np.asarray(entry),
        np.array([CODES[e] for e in end]),
        np.arange(n) if deal is None else np.asarray(deal),
        np.ones(n) if amount is None else np.asarray(amount, dtype=float),
    )


def drawn(seed, *, n=80, late=False, clustered=False):
    """Random rows with ties, ends on day 0, censoring, and on demand late entry or several rows a deal."""
    rng = np.random.default_rng(seed)
    deal = np.sort(rng.integers(0, n // 3, n)) if clustered else np.arange(n)
    return Clocks(
        rng.integers(0, 25, n),
        np.where(rng.random(n) < 0.4, rng.integers(1, 12, n), 0) if late else np.zeros(n, dtype="int64"),
        rng.choice([-1, 0, 1], n),
        deal,
        rng.lognormal(0, 1, n),
    )


# ---------------------------------------------------------------- by hand


@pytest.fixture(scope="module")
def handed_over():
    """Three deals; a goes from r1 to r2 while in S1, b's rival is typed in late, c has no amount."""
    paths = {
        "a": [("S1", 0), ("S2", 30), ("won", 50)],
        "b": [("S1", 0), ("lost", 40)],
        "c": [("S1", 10), ("S2", 20), ("lost", 45)],
    }
    history = [("a", "rep_id", "r2", 10), ("b", "competitor", "x", 0, 25), ("c", "competitor", "y", 5)]
    deals = {"rep_id": ["r1", "r1", None], "amount": [30.0, 10.0, np.nan]}
    return tiny(paths, last=60, history=history, deals=deals)


def test_a_deal_counts_for_who_owned_it_when_it_entered(handed_over):
    rates = sa.stage_win_rates(handed_over, as_of=at(60), by="rep_id").set_index(["stage", "rep_id"])
    assert rates.index.get_level_values("rep_id").unique().tolist() == ["r1", "r2", "missing"]
    s1, s2 = rates.loc["S1"], rates.loc["S2"]
    assert s1["n_entered"].to_dict() == {"r1": 2, "r2": 0, "missing": 1}  # a entered S1 under r1
    assert s1["n_won"].to_dict() == {"r1": 1, "r2": 0, "missing": 0}
    assert s2["n_entered"].to_dict() == {"r1": 0, "r2": 1, "missing": 1}
    # landmarks on days 4 and 32: a stands in S1 under r1, then in S2 under r2
    assert s1["n_in_stock"].to_dict() == {"r1": 2, "r2": 0, "missing": 0}
    assert s2["n_in_stock"].to_dict() == {"r1": 0, "r2": 1, "missing": 1}


def test_a_rival_counts_from_the_day_it_was_typed_in(handed_over):
    rates = sa.stage_win_rates(handed_over, as_of=at(60), by="competitor").set_index(["stage", "competitor"])
    assert rates.loc["S1", "n_entered"].to_dict() == {"y": 1, "missing": 2, "x": 0}
    assert rates.loc[("S2", "y"), "n_entered"] == 1
    assert rates.loc["S1", "n_in_stock"].to_dict() == {"x": 1, "y": 0, "missing": 2}  # on day 32 x is known


@pytest.mark.parametrize("by", ["rep_id", "competitor", "amount", "product", "category"])
def test_nothing_is_lost_between_segments(by, handed_over):
    book = tiny(
        {d: [("S1", 0), ("S2", 9), (end, 30)] for d, end in zip("abcd", ("won", "lost", "won", "lost"), strict=True)},
        last=60, deals={"product": ["p", None, "q", "p"], "amount": [1.0, 2.0, np.nan, 2.0]},
        history=[("a", "category", "commit", 3)],
    )  # fmt: skip
    for each in (book, handed_over):
        if by not in groupings(each):
            continue
        whole = sa.stage_win_rates(each, as_of=at(60)).set_index("stage")
        parts = sa.stage_win_rates(each, as_of=at(60), by=by)
        counts = ["n_entered", "n_won", "n_other_end", "n_open", "n_retrospective", "n_without_amount"]
        pd.testing.assert_frame_equal(parts.groupby("stage", sort=False)[counts].sum(), whole[counts])
        assert parts.groupby("stage", sort=False)["amount_entered"].sum().tolist() == whole["amount_entered"].tolist()
        curves = sa.signing_curves(each, as_of=at(60), by=by)
        assert curves.groupby(["stage", by])["n_at_risk"].first().groupby("stage").sum().max() <= 4


def test_rates_by_value_by_hand():
    # amounts 1, 2, 5, 2; day 10: the one of 2 lost, so 2 of 10; day 20: the one of 5 won, of 8 left
    some = clocks([10, 20, 30, 40], ["lost", "won", "won", "open"], amount=[2, 5, 1, 2])
    rate = horizon_rate(some, horizon_days=25, confidence=0.9, by_value=True)
    assert (rate.p, rate.p_open) == pytest.approx((0.8 * 5 / 8, 0.8 * 3 / 8))
    assert horizon_rate(some, horizon_days=25, confidence=0.9).p == pytest.approx(0.75 / 3)
    unpriced = clocks([10, 20, 30, 40, 5], ["lost", "won", "won", "open", "won"], amount=[2, 5, 1, 2, np.nan])
    assert horizon_rate(unpriced, horizon_days=25, confidence=0.9, by_value=True) == rate


def test_amounts_are_those_of_the_day(handed_over):
    book = tiny(
        {"a": [("S1", 0), ("S2", 30), ("won", 50)], "b": [("S1", 0), ("lost", 40)], "c": [("S1", 0), ("lost", 20)]},
        last=60, deals={"amount": [10.0, 30.0, np.nan]}, history=[("a", "amount", 50, 20), ("c", "amount", 5, 10)],
    )  # fmt: skip
    s1, s2 = sa.stage_win_rates(book, as_of=at(60)).set_index("stage").loc[["S1", "S2"]].itertuples()
    assert (s1.amount_entered, s1.n_without_amount, s1.p_won_value) == (40, 1, pytest.approx(10 / 40))
    assert (s2.amount_entered, s2.n_without_amount, s2.p_won_value) == (50, 0, 1)
    # landmarks on days 4 (a 10, b 30, c none) and 32 (a in S2, b 30): 10 of 70 in S1 sign
    assert (s1.n_in_stock, s1.n_in_stock_without_amount) == (3, 1)
    assert s1.p_won_in_stock_value == pytest.approx(10 / 70)
    none = tiny({"a": [("S1", 0), ("won", 5)]}, last=60)
    row = sa.stage_win_rates(none, as_of=at(60)).iloc[0]
    assert np.isnan(row["p_won_value"])
    assert (row["n_without_amount"], row["amount_entered"]) == (1, 0)


def test_why_won_of_closed_differs():
    paths = {
        "a": [("S1", 0), ("won", 10)], "b": [("S1", 0), ("won", 20)], "c": [("S1", 0), ("lost", 40)],
        "d": [("S1", 0)], "e": [("S1", 0), ("withdrawn", 50)],
    }  # fmt: skip
    s1 = sa.stage_win_rates(tiny(paths, last=60), as_of=at(60)).iloc[0]
    assert s1[["closed_only_rate", "open_share"]].tolist() == [0.5, 0.2]
    assert s1[["days_to_won_q50", "days_to_other_end_q50"]].tolist() == [15, 45]
    assert s1["p_won"] == pytest.approx(0.4)
    empty = sa.stage_win_rates(tiny(paths, last=60), as_of=at(60)).iloc[5]
    assert empty[["open_share", "days_to_won_q50", "days_to_other_end_q50"]].isna().all()


def test_what_lies_beyond_the_horizon():
    # won on days 5 and 50, lost on 20, open until 60: within 30 days 1/4, later 3/4 * 1/3 * ... = 1/4 more, 1/4 open
    some = clocks([5, 20, 50, 60], ["won", "lost", "won", "open"])
    rate = horizon_rate(some, horizon_days=30, confidence=0.9)
    assert (rate.p, rate.p_open, rate.n_at_horizon) == (0.25, 0.5, 2)
    assert (rate.beyond, rate.beyond_most) == pytest.approx((0.25 / 0.5, 0.5 / 0.75))
    whole = horizon_rate(some, horizon_days=100, confidence=0.9)
    assert (whole.beyond, whole.beyond_most) == pytest.approx((0, 0.25 / 0.75))
    nothing = horizon_rate(clocks([5, 9], ["lost", "open"]), horizon_days=30, confidence=0.9)
    assert np.isnan(nothing.beyond)
    assert nothing.beyond_most == 1
    assert horizon_rate(clocks([], []), horizon_days=30, confidence=0.9).n_at_horizon == 0


def test_where_all_or_none_signed_only_what_was_watched_counts_as_trials():
    # two won on day 10; of 98 that were last seen on day 5 nobody knows what they would have done
    both = horizon_rate(clocks([10] * 2 + [5] * 98, ["won"] * 2 + ["open"] * 98), horizon_days=100, confidence=0.9)
    assert (both.p, both.n_effective, both.upper) == (1.0, 2.0, 1.0)
    assert both.lower == pytest.approx(0.05**0.5)
    # none won: one lost, one watched for the whole horizon, 98 for a twentieth of it each
    none = horizon_rate(clocks([3, 150] + [5] * 98, ["lost"] + ["open"] * 99), horizon_days=100, confidence=0.9)
    assert (none.p, none.n_effective) == (0.0, pytest.approx(2 + 98 / 20))
    assert none.upper == pytest.approx(1 - 0.05 ** (1 / none.n_effective))
    # the only one watched from the start was won; those who came to be known on day 50 change nothing, nor do they tell
    late = clocks([5, *range(60, 70)], ["won"] + ["lost"] * 10, entry=[0] + [50] * 10)
    rate = horizon_rate(late, horizon_days=100, confidence=0.9)
    assert (rate.p, rate.n_effective, rate.lower) == (1.0, 1.0, pytest.approx(0.05))
    # on several landmarks a deal is one trial, as long as it was watched from the first
    stood = clocks([40, 12], ["open", "open"], deal=[0, 0])
    assert horizon_rate(stood, horizon_days=80, confidence=0.9).n_effective == 0.5
    # all ended, as ever
    ended = clocks([1, 2, 3], ["lost"] * 3)
    assert horizon_rate(ended, horizon_days=80, confidence=0.9).n_effective == 3


@pytest.mark.parametrize("share_won", [0.3, 0.6])
def test_bounds_of_a_young_book_hold_the_truth(share_won):
    """Deals watched for a tenth of the horizon: where none, or all, signed so far, the bound never held the truth."""
    rng, inside, n_flat = np.random.default_rng(0), [], 0
    for _ in range(400):
        watched, day = rng.integers(1, 40, 15), rng.integers(1, 400, 15)
        end = np.where(day > watched, "open", np.where(rng.random(15) < share_won, "won", "lost"))
        rate = horizon_rate(clocks(np.minimum(day, watched), end), horizon_days=400, confidence=0.9)
        if rate.se == 0:
            n_flat += 1
            inside.append(rate.lower <= share_won <= rate.upper)
    assert n_flat > 20
    assert np.mean(inside) > 0.9


def test_a_grouping_cannot_be_called_as_a_column_of_the_result():
    """Its values were overwritten: by confidence, each row said 0.9."""
    names = ("confidence", "nominal", "shrunk_won", "days", "n_passed")
    book = tiny({"a": [("S1", 0)], "b": [("S1", 0)]}, last=60, deals={name: ["x", "y"] for name in names})
    asks = (*[sa.stage_win_rates] * 3, sa.signing_curves, sa.stage_flow)
    for ask, name in zip(asks, names, strict=True):
        with pytest.raises(SchemaError, match=f"by: the result has a column '{name}' of its own.*`my_{name}: {name}`"):
            ask(book, as_of=at(60), by=name)
    assert sa.stage_flow(book, as_of=at(60), by="confidence")["confidence"].unique().tolist() == ["x", "y"]


def test_a_segment_keeps_its_own_text_even_if_it_says_missing():
    book = tiny({"a": [("S1", 0)], "b": [("S1", 0)]}, last=60, deals={"product": ["missing", None]})
    rates = sa.stage_win_rates(book, as_of=at(60), by="product")
    assert rates.query("stage == 'S1'")[["product", "n_entered"]].to_numpy().tolist() == [["missing", 2]]


def test_a_horizon_that_is_no_number_is_refused():
    with pytest.raises(SchemaError, match="horizon_days must be > 0, got nan"):
        sa.stage_win_rates(tiny({"a": [("S1", 0)]}, last=60), as_of=at(60), horizon_days=float("nan"))


def test_segments_may_be_numbers():
    book = tiny({d: [("S1", 0)] for d in "abc"}, last=60, deals={"floor": [10.0, 2.0, np.nan]})
    assert sa.stage_win_rates(book, as_of=at(60), by="floor")["floor"].unique().tolist() == [2.0, 10.0, "missing"]


def test_the_funnel_counts_a_deal_for_who_owned_it_when_it_entered(handed_over):
    whole = sa.stage_flow(handed_over, as_of=at(60)).set_index("stage")
    parts = sa.stage_flow(handed_over, as_of=at(60), by="rep_id").set_index(["stage", "rep_id"])
    assert parts.loc["S1", "n_entered"].to_dict() == {"r1": 2, "r2": 0, "missing": 1}
    assert parts.loc["S2", "n_entered"].to_dict() == {"r1": 0, "r2": 1, "missing": 1}
    assert parts.loc["S3", "n_skipped"].to_dict() == {"r1": 0, "r2": 1, "missing": 0}  # a, last seen in S2 under r2
    counts = ["n_entered", "n_passed", "n_undecided", "n_skipped", "n_fell_back", "n_ended_here", "n_standing"]
    pd.testing.assert_frame_equal(parts.groupby("stage")[counts].sum(), whole[counts])


# ---------------------------------------------------------------- laws


@pytest.mark.parametrize("late", [False, True])
def test_a_rate_is_the_incidence_of_its_rows(late):
    names = {-1: "open", 0: "lost", 1: "won"}
    for seed in range(200):
        some = drawn(seed, late=late)
        curve = cumulative_incidence(some.duration, [names[c] for c in some.code], entry_days=some.entry)
        curve = curve[curve["days"] <= 15].iloc[-1]
        rate = horizon_rate(some, horizon_days=15, confidence=0.9)
        assert curve[["p_won", "p_lost", "p_open"]].sum() == pytest.approx(1)
        expected = curve[["p_won", "se_won", "lower_won", "upper_won", "p_open"]].tolist()
        assert [rate.p, rate.se, rate.lower, rate.upper, rate.p_open] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("by_value", [False, True])
def test_laws_of_rates(by_value):
    rng = np.random.default_rng(0)
    for seed in range(200):
        some = drawn(seed, late=seed % 2 == 0, clustered=seed % 4 < 2)
        rates = [horizon_rate(some, horizon_days=h, confidence=0.9, by_value=by_value) for h in (0, 3, 9, 24)]
        assert (np.diff([r.p for r in rates]) >= 0).all()
        assert (np.diff([r.p_open for r in rates]) <= 1e-12).all()
        for rate in rates:
            assert 0 <= rate.lower <= rate.p <= rate.upper <= 1
            assert rate.p + rate.p_open <= 1 + 1e-12
            assert np.isnan(rate.beyond) or 0 <= rate.beyond <= rate.beyond_most <= 1
        order = rng.permutation(len(some.code))
        other = some.take(order)
        renamed = Clocks(other.duration, other.entry, other.code, 1000 - 7 * other.deal + 7000, 1e6 * other.amount)
        renamed = Clocks(*(getattr(renamed, n) for n in ("duration", "entry", "code")),
                         pd.factorize(renamed.deal)[0], renamed.amount)  # fmt: skip
        again = horizon_rate(renamed, horizon_days=9, confidence=0.9, by_value=by_value)
        assert again.__dict__ == pytest.approx(rates[2].__dict__, rel=1e-9, nan_ok=True)


def test_equal_amounts_count_like_deals_and_a_deal_twice_like_a_deal_of_two():
    for seed in range(200):
        some = drawn(seed, late=True, clustered=True)
        one = horizon_rate(some, horizon_days=12, confidence=0.9)
        flat = Clocks(some.duration, some.entry, some.code, some.deal, np.full(len(some.code), 0.003))
        same = horizon_rate(flat, horizon_days=12, confidence=0.9, by_value=True)
        assert same.__dict__ == pytest.approx(one.__dict__, rel=1e-9, nan_ok=True)
        twice = some.take(np.tile(np.arange(len(some.code)), 2))
        same = horizon_rate(twice, horizon_days=12, confidence=0.9)
        assert same.__dict__ == pytest.approx(one.__dict__, rel=1e-9, nan_ok=True)
        whole = np.round(some.amount * 2) + 1
        repeated = some.take(np.repeat(np.arange(len(some.code)), whole.astype(int)))
        heavy = Clocks(some.duration, some.entry, some.code, some.deal, whole)
        by_value = horizon_rate(heavy, horizon_days=12, confidence=0.9, by_value=True)
        assert by_value.__dict__ == pytest.approx(
            horizon_rate(repeated, horizon_days=12, confidence=0.9).__dict__, rel=1e-9, nan_ok=True
        )


def test_without_censoring_rates_are_plain_shares():
    for seed in range(200):
        some = drawn(seed)
        ended = Clocks(some.duration, some.entry, np.abs(some.code), some.deal, some.amount)
        by_count = horizon_rate(ended, horizon_days=99, confidence=0.9)
        by_value = horizon_rate(ended, horizon_days=99, confidence=0.9, by_value=True)
        p = ended.code.mean()
        assert (by_count.p, by_count.se) == pytest.approx((p, np.sqrt(p * (1 - p) / len(ended.code))))
        share = (ended.amount * ended.code).sum() / ended.amount.sum()
        assert by_value.p == pytest.approx(share)
        # the delta method of a ratio of sums
        spread = np.sqrt((ended.amount**2 * (ended.code - share) ** 2).sum()) / ended.amount.sum()
        lower, _ = rate_interval(share, spread, len(ended.code), 0.9)
        assert by_value.lower == pytest.approx(lower)


def test_influence_is_what_one_row_more_would_do():
    for seed in range(30):
        some = drawn(seed, late=True)
        some = some.take(some.watched)
        rows = (some.duration, some.code)
        fit = fit_incidence(*rows, ENDS, entry=some.entry, weight=some.amount + 1, errors=False)
        influence = row_influence(fit, *rows, at_day=11, k=WON, entry=some.entry, weight=some.amount + 1)
        day = np.searchsorted(fit.days, 11, side="right") - 1
        for row in (0, 7, 30):
            more = some.amount + 1 + 1e-6 * (np.arange(len(some.code)) == row)
            moved = fit_incidence(*rows, ENDS, entry=some.entry, weight=more, errors=False)
            change = (moved.p[day, WON] - fit.p[day, WON]) / 1e-6
            assert influence[row] == pytest.approx(change, rel=1e-3, abs=1e-6)
    assert row_influence(fit, *rows, at_day=-1, k=WON).tolist() == [0] * len(some.code)
    assert clustered_error(np.array([1.0, 2.0, -3.0]), np.array([0, 0, 1])) == pytest.approx(np.sqrt(18))


# ---------------------------------------------------------------- coverage, where the truth is known

N_WORLDS, LENGTH, HORIZON = 500, 500, 150


@cache
def worlds():
    """500 companies with constant chances: rows of deals that entered, and that stood in, each stage, by company."""
    rng = np.random.default_rng(11)
    n = rng.poisson(75, N_WORLDS)
    world = np.repeat(np.arange(N_WORLDS), n)
    day, alive = rng.integers(0, LENGTH, n.sum()), np.ones(n.sum(), dtype=bool)
    ids = np.char.add(np.char.add("w", world.astype(str)), np.char.add("d", np.arange(len(world)).astype(str)))
    born, rows = day.copy(), []
    for stage in CHANCES:
        rows.append(pd.DataFrame({"deal_id": ids[alive], "day": day[alive], "value": stage}))
        chances = np.array(CHANCES[stage])
        day = day + rng.geometric(chances.sum(), len(day))
        kind = rng.choice(3, len(day), p=chances / chances.sum())
        alive &= day < LENGTH
        for k, end in ((1, "won"), (2, "lost")):
            ended = alive & (kind == k)
            rows.append(pd.DataFrame({"deal_id": ids[ended], "day": day[ended], "value": end}))
            alive &= ~ended
    history = pd.concat(rows).assign(field="stage", changed_at=lambda t: day_of(t["day"].to_numpy()))
    deals = pd.DataFrame({"deal_id": ids, "created_at": day_of(born), "company": [f"w{w}" for w in world]})
    book = book_of(deals, history[["deal_id", "changed_at", "field", "value"]], last=LENGTH - 1)
    read = (entry_rows, standing_rows)
    return [rows(book, as_of=at(LENGTH - 1), by="company") for rows in read]


def _each_world(table):
    """Rows of each company and stage."""
    every = clocks_of(table)
    return {key: every.take(rows) for key, rows in table.groupby(["segment", "state"]).indices.items()}


@pytest.mark.parametrize("kind", [0, 1], ids=["entered", "standing"])
def test_intervals_hold_the_truth_in_500_worlds(kind):
    truth = {stage: true_incidence(stage, HORIZON) for stage in CHANCES}
    cells = _each_world(worlds()[kind])
    found = {key: horizon_rate(rows, horizon_days=HORIZON, confidence=0.9) for key, rows in cells.items()}
    inside = [rate.lower <= truth[stage] <= rate.upper for (_, stage), rate in found.items()]
    assert len(inside) > 1400
    assert 0.85 <= np.mean(inside) <= 0.95
    for stage, p in truth.items():
        rates = np.array([rate.p for (_, s), rate in found.items() if s == stage])
        assert rates.mean() == pytest.approx(p, abs=4 * rates.std() / np.sqrt(len(rates)))


def prior_worlds(seed, n_worlds, *, prior, strength, n_deals):
    """Deals of one stage in many companies whose chance to win is drawn from the prior; some are still open."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(strength * prior, strength * (1 - prior), n_worlds)
    for p in truth:
        n = 2 + rng.poisson(n_deals)
        ends, watched = rng.integers(1, 60, n), rng.integers(10, 120, n)
        won = rng.random(n) < p
        code = np.where(ends <= watched, won.astype(int), -1)
        entered = Clocks(np.minimum(ends, watched), np.zeros(n, "int64"), code, np.arange(n), np.full(n, np.nan))
        marks = [d for d in range(n) for _ in range(2)]
        left = entered.duration[marks] - rng.integers(0, 60, 2 * n)
        stock = Clocks(left, np.zeros(2 * n, "int64"), code[marks], np.array(marks), np.full(2 * n, np.nan))
        yield p, entered, stock.take(left > 0)


@pytest.mark.parametrize(("prior", "n_deals"), [(0.1, 25), (0.3, 12), (0.5, 60), (0.75, 8)])
def test_stages_drawn_to_the_prior_hold_truths_drawn_from_it(prior, n_deals):
    inside = {"won": [], "in_stock": []}
    for p, entered, stock in prior_worlds(int(100 * prior), N_WORLDS, prior=prior, strength=10, n_deals=n_deals):
        row = rates_of(entered, stock, horizon_days=730, confidence=0.9)
        shrunk = drawn_to_nominal(row, prior, strength=10.0, confidence=0.9)
        for suffix, hits in inside.items():
            hits.append(shrunk[f"shrunk_lower_{suffix}"] <= p <= shrunk[f"shrunk_upper_{suffix}"])
    for suffix, hits in inside.items():
        assert 0.85 <= np.mean(hits) <= 0.95, suffix


@pytest.mark.parametrize(("n_segments", "strength", "n_deals"), [(4, 15, 60), (20, 15, 30), (20, 60, 30)])
def test_segments_drawn_to_their_stage_hold_truths_drawn_around_it(n_segments, strength, n_deals):
    inside, closer = [], []
    for seed in range(500 // n_segments):
        found = list(prior_worlds(seed, n_segments, prior=0.3, strength=strength, n_deals=n_deals))
        parts = [rates_of(e, s, horizon_days=730, confidence=0.9) for _, e, s in found]
        p = np.array([truth for truth, _, _ in found])
        together = (_together([row[k] for row in found]) for k in (1, 2))
        whole = rates_of(*together, horizon_days=730, confidence=0.9)
        shrunk = pd.DataFrame(drawn_to_stage(parts, whole, confidence=0.9))
        inside += [*(shrunk["shrunk_lower_won"].le(p) & shrunk["shrunk_upper_won"].ge(p))]
        plain = np.array([part["p_won"] for part in parts])
        closer.append(np.mean((plain - p) ** 2) - np.mean((shrunk["shrunk_won"] - p) ** 2))
    assert len(inside) == 500
    assert 0.83 <= np.mean(inside) <= 0.95
    assert np.mean(closer) > (2 if n_segments > 4 else 0) * np.std(closer) / np.sqrt(len(closer))


def test_pooled_segments_by_law():
    p, n = np.array([0.1, 0.3, 0.0, 0.9]), np.array([20.0, 40.0, 0.0, 5.0])
    fit = pool_segments(p, n, centre=0.25, centre_n=65, confidence=0.9)
    assert (fit["lower"] < fit["p"]).all()
    assert (fit["p"] < fit["upper"]).all()
    told = n > 0
    assert fit["p"][told].std() < p[told].std()  # drawn together
    assert fit["upper"][2] - fit["lower"][2] == (fit["upper"] - fit["lower"]).max()  # nothing known of the third
    back = pool_segments(p[::-1], n[::-1], centre=0.25, centre_n=65, confidence=0.9)
    np.testing.assert_allclose(back["p"], fit["p"][::-1])
    alone = pool_segments(p, 1e6 * n, centre=0.25, centre_n=65e6, confidence=0.9)
    np.testing.assert_allclose(alone["p"][told], p[told], atol=1e-3)  # enough deals speak for themselves
    never = pool_segments([0.0, 0.0], [30.0, 50.0], centre=0.0, centre_n=80, confidence=0.9)
    assert (never["upper"] > 0.002).all()
    assert (never["p"] < 0.03).all()


def _together(some):
    shift = np.cumsum([0, *(s.deal.max(initial=-1) + 1 for s in some[:-1])])
    columns = {n: np.concatenate([getattr(s, n) for s in some]) for n in ("duration", "entry", "code", "amount")}
    deal = np.concatenate([s.deal + k for s, k in zip(some, shift, strict=True)])
    return Clocks(columns["duration"], columns["entry"], columns["code"], deal, columns["amount"])


def test_all_signed_is_not_certain():
    fit = shrink(1.0, 5, prior=1.0, strength=10, confidence=0.9)
    assert (fit["p"], fit["upper"]) == (1, 1)
    assert fit["lower"] == pytest.approx(0.05 ** (1 / 15))
    never = shrink(0.0, 5, prior=0.0, strength=10, confidence=0.9)
    assert (never["p"], never["lower"], never["upper"]) == pytest.approx((0, 0, 1 - 0.05 ** (1 / 15)))


def test_weights_below_one_and_days_that_end_everybody():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n = int(rng.integers(3, 30))
        code, duration = rng.integers(0, 3, n), np.where(np.arange(n) < n // 2, 2, 4)
        fit = fit_incidence(duration, code, ["a", "b", "c"])
        p = np.bincount(code, minlength=3) / n
        np.testing.assert_allclose(fit.se[-1], np.sqrt(p * (1 - p) / n), atol=1e-9)  # no censoring: binomial
        light = fit_incidence(duration, code, ["a", "b", "c"], weight=np.full(n, 0.01), errors=False)
        np.testing.assert_allclose(light.p, fit.p)
