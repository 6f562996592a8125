"""Conditions of a stage: judged by hand on one deal each, sums that reconcile, rates, and effects of known truth."""

import numpy as np
import pandas as pd
import pytest

from salesanalytics import condition_compliance, condition_effects, make_book, simulate_book
from salesanalytics.errors import InsufficientDataError, SchemaError
from salesanalytics.process import read_process
from salesanalytics.reps.compliance import EARNING, FAILING, GROUPS, NOT_DUE
from salesanalytics.reps.condition_effects import MEASURES, effects_of
from salesanalytics.reps.logistic import adjusted_difference, adjusted_log_odds, false_discovery

PROCESS = read_process()
LEFT = "2026-01-20"  # S1 lasts from the 1st to this day


def one_deal(ticks, *, route="open_tender", moves=(("2026-01-01", "S1"), (LEFT, "S2")), recorded=True):
    """A book of one deal; ticks are (condition, changed at, recorded at, evidence)."""
    rows = [(at, at, "stage", state, None) for at, state in moves]
    ticks = [*ticks, ("S8.C6", "2026-03-01", "2026-03-01", "buyer")]  # so that the book keeps conditions at all
    rows += [(changed, typed, "condition", condition, evidence) for condition, changed, typed, evidence in ticks]
    history = pd.DataFrame(rows, columns=["changed_at", "recorded_at", "field", "value", "evidence"])
    history = history.assign(deal_id="D1").drop(columns=[] if recorded else ["recorded_at"])
    deals = pd.DataFrame({"deal_id": ["D1"], "created_at": ["2026-01-01"], "rep_id": ["r1"], "route": [route]})
    return make_book(deals=deals, history=history, settings={"extracted_on": "2026-03-31"})


def status(ticks, **options):
    rows = condition_compliance(one_deal(ticks, **options), as_of="2026-03-31").conditions
    return rows.set_index("condition")


def tick(condition, changed, typed=None, evidence="buyer"):
    return (condition, changed, typed or changed, evidence)


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        ([], "missing"),
        ([tick("S1.C1", "2026-01-05")], "done"),
        ([tick("S1.C1", LEFT)], "done"),  # the day of leaving counts
        ([tick("S1.C1", "2026-01-05", "2026-01-21")], "back_filled"),
        ([tick("S1.C1", "2026-01-21")], "late"),
        ([tick("S1.C1", "2026-01-05"), tick("S1.C1:undone", "2026-01-10")], "undone"),
        ([tick("S1.C1", "2026-01-05"), tick("S1.C1:undone", "2026-01-25")], "done"),
        ([tick("S1.C1:waived", "2026-01-05")], "waived"),
        ([tick("S1.C1:undone", "2026-01-25"), tick("S1.C1", "2026-01-26")], "late"),
        ([tick("S1.C1:waived", "2026-01-25")], "missing"),  # neither done nor waived when the stage was left
        ([tick("S1.C1:waived", "2026-01-05", "2026-01-25")], "missing"),
        ([tick("S1.C1:waived", "2026-01-25"), tick("S1.C1", "2026-01-26")], "late"),
    ],
)
def test_a_condition_is_judged_by_the_records_of_the_day_of_leaving(ticks, expected):
    assert status(ticks).loc["S1.C1", "status"] == expected


def test_evidence_weighs_what_was_done():
    found = status([tick("S1.C1", "2026-01-05", evidence=e) for e in ["seller"]] + [tick("S1.C2", "2026-01-06"),
                   tick("S1.C3", "2026-01-07", evidence=None)])  # fmt: skip
    weights = {c.id: c.weight for c in PROCESS.stage("S1").conditions}
    assert found.loc["S1.C1", "earned"] == pytest.approx(0.7 * weights["S1.C1"])
    assert found.loc["S1.C2", "earned"] == pytest.approx(1.0 * weights["S1.C2"])
    assert found.loc["S1.C3", "earned"] == pytest.approx(0.3 * weights["S1.C3"])
    assert found.loc["S1.C4", "earned"] == 0
    assert found.loc["S1.C4", "due"] == weights["S1.C4"]


def test_ticks_typed_in_at_one_instant_do_not_count():
    at = [f"2026-01-{day:02d}" for day in (3, 4, 5, 6, 7)]
    typed = [f"2026-01-15 10:0{minute}" for minute in range(5)]
    ticks = [tick(f"S1.C{k + 1}", a, t) for k, (a, t) in enumerate(zip(at, typed, strict=True))]
    assert set(status(ticks)["status"].loc["S1.C1":"S1.C5"]) == {"bulk"}
    apart = [*ticks[:4], tick("S1.C5", at[4], "2026-01-15 10:11")]
    assert set(status(apart)["status"].loc["S1.C1":"S1.C5"]) == {"done"}
    no_hours = [tick(c, a, "2026-01-15") for c, a, *_ in ticks]
    assert set(status(no_hours)["status"].loc["S1.C1":"S1.C5"]) == {"done"}


def test_a_stage_ticked_on_the_day_it_is_left_does_not_count():
    of_stage = len(PROCESS.stage("S1").conditions)
    enough = int(np.ceil(0.6 * of_stage))
    last_day = [tick(f"S1.C{k + 1}", LEFT) for k in range(enough)]
    assert set(status(last_day)["status"].iloc[:enough]) == {"bulk"}
    assert set(status([*last_day[1:]])["status"].iloc[1:enough]) == {"done"}


def test_a_condition_of_another_route_is_not_due():
    limited = next(c for s in PROCESS.stages for c in s.conditions if c.routes)
    stage = limited.id.split(".")[0]
    moves = (("2026-01-01", stage),)
    other = next(r.id for r in PROCESS.procurement_routes if r.id not in limited.routes)
    for route, expected in ((limited.routes[0], "missing"), (other, "not_applicable"), (None, "not_applicable")):
        row = status([], route=route, moves=moves).loc[limited.id]
        assert row["status"] == expected
        assert (row["due"] > 0) == (expected == "missing")


@pytest.mark.parametrize(
    ("moves", "left_to", "left"),
    [
        ((("2026-01-01", "S1"),), "open", "2026-03-31"),
        ((("2026-01-01", "S1"), (LEFT, "won")), "passed", LEFT),
        ((("2026-01-01", "S1"), (LEFT, "lost")), "ended", LEFT),
        ((("2026-01-01", "S1"), (LEFT, "S4")), "passed", LEFT),
        ((("2026-01-01", "S1"), ("2026-01-10", "on_hold"), (LEFT, "S2")), "passed", LEFT),
        ((("2026-01-01", "S1"), ("2026-01-10", "on_hold")), "open", "2026-03-31"),
        ((("2026-01-01", "S1"), ("2026-01-05", "S2"), ("2026-01-08", "S1"), (LEFT, "S2")), "passed", LEFT),
        ((("2026-01-01", "S1"), ("2026-01-05", "lost"), ("2026-01-08", "S1")), "open", "2026-03-31"),
        ((("2026-01-01", "S1"), (LEFT, "lost"), ("2026-02-08", "S2")), "passed", LEFT),  # an end taken back is none
        ((("2026-01-01", "S1"), (LEFT, "lost"), ("2026-02-08", "won")), "passed", LEFT),
        ((("2026-01-01", "S1"), (LEFT, "lost"), ("2026-02-08", "on_hold"), ("2026-02-09", "S2")), "passed", LEFT),
        ((("2026-01-01", "S1"), (LEFT, "won"), ("2026-02-08", "on_hold")), "open", "2026-03-31"),
    ],
)
def test_a_stage_is_judged_when_it_was_left_for_the_last_time(moves, left_to, left):
    row = status([], moves=moves).loc["S1.C1"]
    day = (pd.Timestamp(left) - pd.Timestamp("1970-01-01")).days
    assert (row["left_to"], row["left_day"]) == (left_to, day)
    assert row["entered_day"] == (pd.Timestamp("2026-01-01") - pd.Timestamp("1970-01-01")).days


def test_a_stage_jumped_over_asks_for_nothing():
    rows = status([], moves=(("2026-01-01", "S1"), (LEFT, "S4")))
    assert set(rows["stage"]) == {"S1", "S4"}


def test_without_recording_dates_nothing_is_late_and_the_result_says_so():
    ticks = [tick("S1.C1", "2026-01-05")]
    found = condition_compliance(one_deal(ticks, recorded=False), as_of="2026-03-31")
    assert not found.recorded
    assert found.conditions.set_index("condition").loc["S1.C1", "status"] == "done"


def test_that_the_book_will_say_later_when_rows_were_typed_in_is_not_known_yet():
    """Rows of March bring the first recording dates: in February the book is one without them."""
    ticks = [("2026-01-15 10:00", None, "condition", f"S1.C{k}") for k in range(1, 6)]
    moves = [("2026-01-01", None, "stage", "S1"), (LEFT, None, "stage", "S2")]
    march = [("2026-03-01", "2026-03-02", "activity", "visit")]
    found = []
    for rows in ([*moves, *ticks, *march], [*moves, *ticks]):
        history = pd.DataFrame(rows, columns=["changed_at", "recorded_at", "field", "value"]).assign(deal_id="D1")
        deals = pd.DataFrame({"deal_id": ["D1"], "created_at": ["2026-01-01"], "rep_id": ["r1"]})
        book = make_book(deals=deals, history=history, settings={"extracted_on": "2026-03-31"})
        found.append(condition_compliance(book, as_of="2026-02-28"))
    whole, then = found
    assert not whole.recorded
    assert set(then.conditions["status"].iloc[:5]) == {"bulk"}
    pd.testing.assert_frame_equal(whole.conditions, then.conditions)


def test_a_book_without_conditions_and_a_wrong_grouping_are_refused():
    with pytest.raises(InsufficientDataError, match="no conditions"):
        condition_compliance(one_deal([]), as_of="2026-01-02")
    with pytest.raises(SchemaError, match="by must be one of"):
        condition_compliance(one_deal([]), as_of="2026-01-02", by="product")


# ---------------------------------------------------------------- a simulated company


@pytest.fixture(scope="module")
def book():
    return simulate_book(n_deals=900, seed=3)


@pytest.fixture(scope="module")
def found(book):
    return condition_compliance(book, as_of=book.settings.extracted_on)


def test_sums_reconcile(book, found):
    rows, tally = found.conditions, found.tally
    assert not rows.duplicated(["deal_id", "condition"]).any()
    n_conditions = {s.id: len(s.conditions) for s in PROCESS.stages}
    stages = rows.drop_duplicates(["deal_id", "stage"])
    assert len(rows) == stages["stage"].map(n_conditions).sum() == tally["n"].sum()
    assert tally[["passed", "back", "ended", "open"]].sum(axis=1).eq(tally["n"]).all()
    assert set(tally["status"]) == {*EARNING, *FAILING, *NOT_DUE}
    assert tally.set_index("status")["n"].to_dict() | rows["status"].value_counts().to_dict() == (
        tally.set_index("status")["n"].to_dict()
    )
    assert (rows["due"].eq(0) == rows["status"].isin(NOT_DUE)).all()
    assert (rows["earned"].gt(0) == rows["status"].isin(EARNING)).all()


@pytest.mark.parametrize("by", GROUPS)
def test_scores_of_groups_are_ratios_of_sums(book, by):
    found = condition_compliance(book, as_of=book.settings.extracted_on, by=by)
    passed = found.conditions[found.conditions["left_to"].eq("passed")]
    sums = passed.groupby(by)[["earned", "due"]].sum()
    rates = found.rates.set_index(by)
    told = rates["score"].dropna()
    np.testing.assert_allclose(told, (sums["earned"] / sums["due"]).reindex(told.index))
    assert (rates["lower"] <= rates["shrunk"]).all()
    assert (rates["shrunk"] <= rates["upper"]).all()
    everyone = sums["earned"].sum() / sums["due"].sum()
    drawn = rates["n_deals"] > 0
    beyond = (rates["shrunk"] - everyone).abs() - (rates["score"] - everyone).abs()
    assert beyond[drawn].max() < 0.02
    for share in ("buyer_share", "late_share", "bulk_share"):
        assert rates[share].dropna().between(0, 1).all()


def test_stages_ticked_all_at_once_by_the_simulator_are_found(book, found):
    """It ticks a tenth of the stages left all at once, done or not; some are typed in late, or fall on other days."""
    bulk = found.conditions[found.conditions["status"].eq("bulk")]
    stages = found.conditions[found.conditions["left_to"].isin(["passed", "ended"])].drop_duplicates(
        ["deal_id", "stage"]
    )
    share = len(bulk.drop_duplicates(["deal_id", "stage"])) / len(stages)
    assert 0.03 < share < 0.12
    assert bulk["left_to"].ne("open").all()


# ---------------------------------------------------------------- effects


def entries(seed, *, n=600, effect=0.0, hidden=0.0):
    """Deals of one stage with four conditions; what is done follows product and customer, as passing does."""
    rng = np.random.default_rng(seed)
    product, old, quality = rng.integers(0, 3, n), rng.random(n) < 0.5, rng.standard_normal(n)
    ease = 0.8 * (product - 1) + 0.8 * (old - 0.5)
    done = rng.random((n, 4)) < 1 / (1 + np.exp(-(ease + hidden * quality)))[:, None]
    passed = rng.random(n) < 1 / (1 + np.exp(-(ease + effect * done[:, 0] + hidden * quality - 0.3)))
    deals = pd.DataFrame({
        "deal_id": [f"D{i}" for i in range(n)], "stage": "S1", "owner": "r1", "product": product.astype(str),
        "source": "x", "route": None, "customer": np.where(old, "old", "new"), "buyer_stage": None, "amount": 1.0,
        "log_age": 0.0, "log_stay": rng.normal(3, 1, n), "passed": passed.astype(float),
        "won": passed.astype(float), "days_to_sign": np.where(passed, rng.lognormal(4, 0.5, n), np.nan),
    })  # fmt: skip
    status = np.where(done, "done", "missing")
    return pd.concat([deals.assign(condition=f"S1.C{k + 1}", status=status[:, k]) for k in range(4)])


def passing(table):
    return table[table["measure"].eq("passed")].set_index("condition")


def test_what_goes_through_recorded_facts_is_not_put_down_to_the_condition():
    p = np.concatenate([passing(effects_of(entries(seed), confidence=0.9))["p"] for seed in range(12)])
    assert 0.0 <= (p < 0.1).mean() < 0.25
    assert abs(np.mean(p) - 0.5) < 0.12


def test_an_effect_is_found_again_within_its_error():
    tables = [passing(effects_of(entries(seed, n=1500, effect=0.9), confidence=0.9)) for seed in range(6)]
    first = pd.concat([table.loc[["S1.C1"]] for table in tables])
    assert first["effect"].mean() == pytest.approx(0.9, abs=3 * first["error"].mean() / np.sqrt(6))
    assert (first["q"] < 0.1).all()
    assert (first["lower"] < first["ratio"]).all()
    assert (first["ratio"] < first["upper"]).all()


def test_hidden_quality_makes_false_effects_and_the_warning_says_so(book):
    table = passing(effects_of(entries(1, n=1500, hidden=1.0), confidence=0.9))
    assert (table["q"] < 0.1).all()  # the limit of the method: nobody can tell
    found = condition_effects(book, as_of=book.settings.extracted_on)
    assert "not cause" in found.warning("en")
    assert "不是因果" in found.warning("zh")


def test_effects_have_one_row_a_condition_and_measure(book):
    table = condition_effects(book, as_of=book.settings.extracted_on).effects
    assert not table.duplicated(["condition", "measure"]).any()
    assert list(dict.fromkeys(table["measure"])) == list(MEASURES)
    told = table[table["left_out"].isna()]
    assert told[["effect", "ratio", "lower", "upper", "p", "q"]].notna().all(axis=None)
    assert table.loc[table["left_out"].notna(), "effect"].isna().all()
    assert (told["q"] >= told["p"] - 1e-12).all()


def test_log_odds_of_a_two_by_two_table():
    """30 of 40 with, 20 of 60 without: odds ratio 3 * 2 = 6, variance 1/30 + 1/10 + 1/20 + 1/40.

    Two columns are spent, of a size of 4 * (30 * 10 / 40 + 20 * 40 / 60).
    """
    exposed = np.repeat([1.0, 0.0], [40, 60])
    outcome = np.concatenate([np.repeat([1.0, 0.0], [30, 10]), np.repeat([1.0, 0.0], [20, 40])])
    effect, error = adjusted_log_odds(exposed, outcome, np.empty((100, 0)), np.empty(0))
    assert effect == pytest.approx(np.log(6), abs=1e-6)
    size = 4 * (30 * 10 / 40 + 20 * 40 / 60)
    assert error == pytest.approx(np.sqrt((1 / 30 + 1 / 10 + 1 / 20 + 1 / 40) * size / (size - 2)), abs=1e-6)


def test_difference_of_two_means():
    """Means 2 and 5, pooled variance ((2 * 1) + (2 * 1)) / 4 = 1, error sqrt(2/3)."""
    exposed, outcome = np.repeat([0.0, 1.0], 3), np.array([1.0, 2, 3, 4, 5, 6])
    effect, error = adjusted_difference(exposed, outcome, np.empty((6, 0)), np.empty(0))
    assert effect == pytest.approx(3)
    assert error == pytest.approx(np.sqrt(2 / 3))


def test_false_discovery_rates_keep_the_order_of_p():
    p = np.random.default_rng(0).random(50)
    q = false_discovery(p)
    assert (np.diff(q[np.argsort(p)]) >= 0).all()
    assert (q >= p - 1e-12).all()
    assert (q <= 1).all()
