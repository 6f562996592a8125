"""Time to signing: rows by hand, the choice of covariates, laws, recovery of known ratios, and against R."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from worlds import day_of, tiny

from salesanalytics import make_book, plots, signing_time_effects, signing_time_ratios, simulate_book
from salesanalytics.errors import AsOfError, InsufficientDataError, SchemaError
from salesanalytics.labels import label
from salesanalytics.models.signing_time_design import Covariate, build_design
from salesanalytics.models.signing_time_fits import AFT_MODELS, comparable, fit_aft, fit_cox
from salesanalytics.models.signing_time_rows import creation_rows, start_stop_rows

REFERENCE = Path(__file__).parent / "reference"
X = ["rep_load", "product", "lag"]

# ---------------------------------------------------------------- against R


@pytest.fixture(scope="module")
def r_rows():
    return pd.read_csv(REFERENCE / "signing_start_stop.csv")


def cox_of(rows, columns=X, by="state"):
    stratum = rows[by] if by else np.zeros(len(rows))
    return fit_cox(
        rows[columns].astype(float), start=rows["start"], stop=rows["stop"], event=rows["event"], stratum=stratum
    )


@pytest.mark.parametrize(("model", "by"), [("one_state", None), ("by_state", "state")])
def test_cox_equals_r(r_rows, model, by):
    expected = pd.read_csv(REFERENCE / "signing_cox.csv").query("model == @model").set_index("covariate")
    got = cox_of(r_rows, by=by)
    for column in ("coef", "se", "ph_chisq", "ph_p"):
        np.testing.assert_allclose(got.table[column], expected.loc[X, column], rtol=1e-6, err_msg=column)
    assert got.log_likelihood == pytest.approx(expected["log_likelihood"].iloc[0], rel=1e-9)


def test_the_reference_has_a_ratio_that_changes_with_age(r_rows):
    assert cox_of(r_rows).table["ph_p"]["lag"] < 0.001 < cox_of(r_rows).table["ph_p"]["rep_load"]


@pytest.mark.parametrize("model", AFT_MODELS)
def test_accelerated_failure_time_equals_r(model):
    rows = pd.read_csv(REFERENCE / "signing_aft_rows.csv")
    expected = pd.read_csv(REFERENCE / "signing_aft.csv").query("model == @model").set_index("covariate")
    columns = ["amount", "product"]
    got = fit_aft(
        rows[columns].astype(float), model=model, duration_days=rows["duration_days"], event=rows["event"],
        entry_days=np.zeros(len(rows)),
    )  # fmt: skip
    for column in ("coef", "se"):
        np.testing.assert_allclose(got.table[column], expected.loc[columns, column], rtol=1e-4, err_msg=column)
    assert got.intercept == pytest.approx(expected["coef"]["(Intercept)"], rel=1e-4)
    assert got.scale == pytest.approx(np.exp(expected["coef"]["log(scale)"]), rel=1e-4)
    assert got.log_likelihood == pytest.approx(expected["log_likelihood"].iloc[0], rel=1e-8)
    assert got.aic == pytest.approx(2 * 4 - 2 * got.log_likelihood)


# ---------------------------------------------------------------- laws of the fits


def test_cutting_a_row_in_two_and_mixing_the_rows_change_nothing(r_rows):
    whole = cox_of(r_rows).table
    middle = (r_rows["start"] + r_rows["stop"]) // 2
    long = r_rows["stop"] - r_rows["start"] > 1
    first, second = r_rows[long].assign(stop=middle, event=0), r_rows[long].assign(start=middle)
    cut = pd.concat([first, second, r_rows[~long]]).sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(cox_of(cut).table, whole, rtol=1e-6)


def test_names_of_strata_and_units_of_covariates_change_what_they_should(r_rows):
    plain = cox_of(r_rows).table
    renamed = cox_of(r_rows.assign(state=r_rows["state"].map({"S1": "z", "S2": "a"}))).table
    pd.testing.assert_frame_equal(renamed, plain, rtol=1e-6)
    tenths = cox_of(r_rows.assign(lag=10.0 * r_rows["lag"])).table
    np.testing.assert_allclose(tenths.loc["lag", ["coef", "se"]] * 10, plain.loc["lag", ["coef", "se"]], rtol=1e-6)
    np.testing.assert_allclose(tenths["ph_p"], plain["ph_p"], rtol=1e-5)


def two_ratios(seed, n=150):
    """Rows of 30 days with a constant hazard, ratios 1.5 and 0.5, late entry and whole days."""
    rng = np.random.default_rng(seed)
    x = pd.DataFrame({"a": rng.normal(0, 1, n), "b": rng.integers(0, 2, n).astype(float)})
    rate = 0.02 * np.exp(np.log(1.5) * x["a"] + np.log(0.5) * x["b"])
    start = rng.integers(0, 40, n)
    length = np.ceil(rng.exponential(1 / rate))
    stop = start + np.minimum(length, 60)
    return x, start, stop, length <= 60


def test_intervals_cover_known_ratios_and_the_test_of_proportional_hazards_keeps_its_level():
    held, refused = [], []
    truth = np.log([1.5, 0.5])
    for seed in range(100):
        x, start, stop, event = two_ratios(seed)
        table = fit_cox(x, start=start, stop=stop, event=event, stratum=np.zeros(len(x))).table
        held += (np.abs(table["coef"] - truth) < 1.6449 * table["se"]).tolist()
        refused += (table["ph_p"] < 0.05).tolist()
    assert 0.85 <= np.mean(held) <= 0.95
    assert 0.02 <= np.mean(refused) <= 0.09


def test_proportional_hazards_finds_an_effect_that_fades():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 2, (600, 1)).astype(float)
    early = np.ceil(rng.exponential(np.where(x[:, 0] == 1, 20, 60)))
    stop = np.where(early <= 30, early, 30 + np.ceil(rng.exponential(40, 600)))
    event = np.ones(600, bool)
    fit = fit_cox(pd.DataFrame(x), start=np.zeros(600), stop=stop, event=event, stratum=np.zeros(600))
    assert fit.table["ph_p"].iloc[0] < 1e-4


def test_signings_of_one_day_do_not_tell_whether_an_effect_fades():
    x = pd.DataFrame({"a": np.random.default_rng(3).normal(size=60)})
    day = np.full(60, 50.0)
    table = fit_cox(x, start=0 * day, stop=day, event=np.arange(60) % 3 == 0, stratum=np.zeros(60)).table
    assert np.isfinite(table[["coef", "se", "p"]]).all(axis=None)
    assert table[["ph_chisq", "ph_p"]].isna().all(axis=None)


def test_strata_without_a_comparison_tell_nothing(r_rows):
    whole = cox_of(r_rows).table
    alone = r_rows.iloc[[0]].assign(state="S8", event=1)
    quiet = r_rows.iloc[:20].assign(state="S1 again", event=0)
    more = pd.concat([alone, quiet, r_rows], ignore_index=True)
    kept = comparable(more["state"], more["event"] == 1)
    assert kept.tolist() == [False] * 21 + [True] * len(r_rows)
    pd.testing.assert_frame_equal(cox_of(pd.concat([quiet, r_rows])).table, whole, rtol=1e-6)


def test_late_entry_into_accelerated_failure_time_is_the_likelihood_given_survival_to_entry():
    rng = np.random.default_rng(4)
    x = pd.DataFrame({"b": rng.integers(0, 2, 800).astype(float)})
    duration = np.exp(4 + 0.6 * x["b"] + 0.7 * rng.gumbel(0, 1, 800) * -1).to_numpy()
    entry = np.where(rng.random(800) < 0.5, 30.0, 0.0)
    seen = duration > entry
    x, duration, entry = x[seen].reset_index(drop=True), duration[seen], entry[seen]
    event = duration < 150
    duration = np.minimum(duration, 150)

    def minus_log_likelihood(theta):
        scale = np.exp(theta[2])

        def log_survival(t):
            return -np.exp((np.log(t) - theta[0] - theta[1] * x["b"]) / scale)

        z = (np.log(duration) - theta[0] - theta[1] * x["b"]) / scale
        density = event * (z - theta[2] - np.log(duration))
        return -(density + log_survival(duration) - log_survival(np.maximum(entry, 1e-12))).sum()

    best = minimize(minus_log_likelihood, [4, 0, 0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9})
    got = fit_aft(x, model="weibull", duration_days=duration, event=event, entry_days=entry)
    assert got.table["coef"].iloc[0] == pytest.approx(best.x[1], rel=1e-4)
    assert got.log_likelihood == pytest.approx(-best.fun, rel=1e-8)
    assert got.table["coef"].iloc[0] == pytest.approx(0.6, abs=3 * got.table["se"].iloc[0])


def test_a_likelihood_without_a_maximum_is_named():
    x = pd.DataFrame({"a": np.arange(40.0)})
    with pytest.raises(InsufficientDataError, match="could not be fitted"):
        fit_cox(x, start=np.zeros(40), stop=np.arange(41, 1, -1), event=np.ones(40), stratum=np.zeros(40))


# ---------------------------------------------------------------- rows, by hand


PATHS = {
    "won": [("S1", 0), ("S2", 70), ("won", 100)],
    "lost": [("S1", 3), ("lost", 90)],
    "open": [("S1", 10), ("on_hold", 60), ("S1", 120)],
    "late": [("S1", 20), ("won", 100, 200)],  # signed on day 100, typed in on day 200
    "flash": [("S1", 30), ("won", 30)],
}


@pytest.fixture(scope="module")
def by_hand():
    facts = {"rep_id": ["r1", "r1", "r1", "r2", "r1"], "amount": [8.0, 4, 2, 1, 16], "product": list("ababa")}
    history = [
        ("won", "condition", "S1.C1", 5, 5), ("won", "condition", "S1.C2", 80, 80),
        ("won", "condition", "S2.C1", 75, 75), ("won", "condition", "S2.C1:undone", 95, 95),
    ]  # fmt: skip
    return tiny(PATHS, last=300, deals=facts, history=history)


@pytest.fixture(scope="module")
def rows(by_hand):
    found = start_stop_rows(by_hand, as_of=day_of(300), every_days=7)
    return {deal: part.sort_values("start", ignore_index=True) for deal, part in found.groupby("deal_id")}


def test_a_field_of_which_nothing_is_known_yet_is_nan():
    """Nobody notes activities, contacts, or conditions before day 150: on day 100 the book is one without them."""
    later = [("open", "activity", "visit", 150), ("open", "contact", "DM", 150), ("open", "condition", "S1.C1", 150)]
    later += [("open", "stance", "DM:1", 150), ("open", "competitor", "x", 150), ("open", "milestone", "M1", 150)]
    paths = {"open": [("S1", 0)], "won": [("S1", 3), ("S2", 40), ("won", 90)]}
    whole = tiny(paths, last=200, history=later)
    found = [start_stop_rows(some, as_of=day_of(100), every_days=28) for some in (whole, tiny(paths, last=200))]
    pd.testing.assert_frame_equal(found[0], found[1])
    kept = start_stop_rows(whole, as_of=day_of(200), every_days=28)
    assert kept[["days_since_inbound", "n_roles", "conditions_here", "competitor_known"]].notna().all(axis=None)


def test_rows_of_a_deal_follow_each_other_to_its_end(rows):
    assert set(rows) == {"won", "lost", "open", "late"}  # the flash is over before any landmark
    for deal, part in rows.items():
        assert part["start"].iloc[0] < 7, deal
        if deal != "late":
            assert part["start"].tolist()[1:] == part["stop"].tolist()[:-1], deal
    assert rows["won"]["stop"].iloc[-1] == 100
    assert rows["won"]["signed"].tolist() == [False] * (len(rows["won"]) - 1) + [True]
    assert rows["lost"]["stop"].iloc[-1] == 87
    assert not rows["lost"]["signed"].any()
    # the lag of the late signing counts as unseen at the end
    assert rows["open"]["stop"].iloc[-1] == 300 - 100 - 10
    assert not rows["open"]["signed"].any()
    assert set(rows["open"]["state"]) == {"S1", "on_hold"}


def test_a_signing_that_was_typed_in_late_falls_on_the_first_day_of_the_row(rows):
    late = rows["late"]
    after = late["start"] >= 80
    assert after.any()
    assert late["signed"].tolist() == (late["stop"] >= 80).tolist()
    assert (late.loc[after, "stop"] == late.loc[after, "start"] + 1).all()


def test_facts_are_those_of_the_landmark(rows):
    won, lost = rows["won"], rows["lost"]
    assert won.loc[won["start"] < 3, "rep_load"].tolist() == [1.0] * (won["start"] < 3).sum()
    assert (won.loc[won["start"].between(10, 89), "rep_load"] == 3).all()  # won, lost, open; flash came and went
    assert (won.loc[won["start"] >= 90, "rep_load"] == 2).all()
    assert (rows["open"].loc[rows["open"]["start"] > 95, "rep_load"] == 1).all()
    assert lost["amount"].unique().tolist() == [4.0]
    assert lost["days_since_inbound"].isna().all()  # the book keeps no activity


def test_conditions_are_shares_by_weight(by_hand, rows):
    weight = {c.id: c.weight for s in by_hand.process.stages for c in s.conditions}
    first = sum(c.weight for c in by_hand.process.stages[0].conditions)
    second = sum(c.weight for c in by_hand.process.stages[1].conditions)
    won = rows["won"].set_index("start")
    here, behind = won["conditions_here"], won["conditions_behind"]
    assert (here[here.index < 5] == 0).all()
    assert here[(here.index >= 5) & (here.index < 70)].unique() == pytest.approx([weight["S1.C1"] / first])
    assert here[(here.index >= 75) & (here.index < 95)].unique() == pytest.approx([weight["S2.C1"] / second])
    assert (here[here.index >= 95] == 0).all()
    assert behind[behind.index < 70].isna().all()
    done = (weight["S1.C1"] + weight["S1.C2"]) / first
    assert behind[behind.index >= 80].unique() == pytest.approx([done])
    assert (rows["lost"]["conditions_here"] == 0).all()


def test_creation_rows_by_hand():
    paths = {
        "won": [("S1", 0), ("won", 100)],
        "lost": [("S1", 5), ("lost", 45, 48)],
        "open": [("S1", 10, 40)],
        "flash": [("S1", 30), ("won", 30)],
        "seen_after": [("S1", 50, 60), ("won", 55, 60)],
        "again": [("S1", 60)],
    }
    facts = {"account_id": ["x", "x", "y", None, "z", "z"], "amount": [8.0, 4, np.nan, 1, 16, 2]}
    created = {"lost": 2}
    book = tiny(paths, last=300, created=created, deals=facts, history=[("open", "amount", 7, 41, 41)])
    found = creation_rows(book, as_of=day_of(200)).set_index("deal_id")
    # what was known only after its end tells nothing
    assert sorted(found.index) == ["again", "flash", "lost", "open", "won"]
    assert found["signed"].to_dict() == {"won": True, "lost": False, "open": False, "flash": True, "again": False}
    assert found["entry_days"].to_dict() == {"won": 0, "lost": 3, "open": 30, "flash": 0, "again": 0}
    assert found["duration_days"]["won"] == 100
    assert found["duration_days"]["lost"] == 43
    assert found["duration_days"]["open"] == 200 - 3 - 10  # the last q95 of the recording lag counts as unseen
    assert found["duration_days"]["flash"] == 0.5
    assert found["amount"]["won"] == 8
    assert np.isnan(found["amount"]["open"])  # known a day later only
    # the customer of "again" had signed a deal before, though nothing can be learned from that one
    assert found["account_known"][["won", "lost", "open", "again"]].tolist() == [0, 1, 0, 1]
    assert np.isnan(found["account_known"]["flash"])


# ---------------------------------------------------------------- what may enter


def facts_of(n_signed, n_other, **columns):
    n = n_signed + n_other
    return pd.DataFrame({"deal_id": range(n), "signed": np.arange(n) < n_signed, **columns})


def design_of(rows, *covariates, stratum=None):
    return build_design(rows, covariates, stratum=np.zeros(len(rows)) if stratum is None else stratum)


def test_ten_signings_a_column_and_the_first_ones_first():
    rng = np.random.default_rng(0)
    rows = facts_of(29, 100, a=rng.random(129), b=rng.random(129), c=rng.random(129))
    design = design_of(rows, Covariate("c", "number"), Covariate("a", "number", 10), Covariate("b", "number"))
    assert design.terms["effect"].tolist() == ["c", "a", "b"]
    assert design.terms["level"].tolist() == ["+1", "+10", None]
    assert design.terms["left_out"].tolist() == [None, None, "too_few_signings"]
    assert design.terms["n_signings"].tolist() == [29, 29, 29]
    np.testing.assert_allclose(design.x[1], rows["a"] / 10)


def test_a_covariate_of_many_levels_makes_room_for_a_smaller_one():
    rng = np.random.default_rng(0)
    rows = facts_of(30, 30, few=rng.random(60), many=list("abcd") * 15)
    rows.loc[rows["signed"], "many"] = list("a" * 10 + "b" * 10 + "c" * 10)
    design = design_of(rows, Covariate("many", "category"), Covariate("few", "number"))
    assert design.terms[["effect", "level"]].values.tolist() == [["many", "b"], ["many", "c"], ["few", "+1"]]
    small = facts_of(20, 40, few=rng.random(60), many=["a"] * 10 + ["b"] * 10 + list("ab") * 20)
    small.loc[55:, "many"] = None
    design = design_of(small, Covariate("many", "category"), Covariate("few", "number"))
    assert design.terms["left_out"].isna().all()


def test_small_levels_go_together_and_the_smallest_join_the_reference():
    levels = ["a"] * 20 + ["b"] * 12 + ["c"] * 6 + ["d"] * 5 + ["a"] * 10 + [None] * 5
    design = design_of(facts_of(43, 15, kind=levels), Covariate("kind", "category"))
    assert design.terms[["level", "reference", "n_signings"]].values.tolist() == [["b", "a", 12], ["other", "a", 11]]
    assert design.terms["n_deals"].tolist() == [12, 16]  # the five unknown ones are among the others
    levels = ["a"] * 20 + ["b"] * 12 + ["c"] * 6 + ["a"] * 20
    design = design_of(facts_of(38, 20, kind=levels), Covariate("kind", "category"))
    assert design.terms["level"].tolist() == ["b"]
    assert design.x[0].sum() == 12


def test_missing_numbers_get_the_median_and_doublings_are_logarithms():
    rows = facts_of(20, 4, a=[1.0, 4, 0, np.nan] * 6, d=[0.0, 3, 7, np.nan] * 6)
    design = design_of(rows, Covariate("a", "doubling"), Covariate("d", "doubling_days"))
    assert design.x[0][:4].tolist() == [0, 2, 1, 1]  # 0 has no logarithm: it is unknown
    assert design.x[1][:4].tolist() == [0, 2, 3, 2]
    assert design.terms["level"].tolist() == ["×2", "×2"]
    assert design.terms["n_deals"].tolist() == [18, 18]


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        (np.full(60, np.nan), "number", "not_recorded"),
        ([None] * 60, "category", "not_recorded"),
        ([2.0] * 60, "number", "constant"),
        (["a"] * 60, "category", "constant"),
        ([1.0] * 20 + [np.nan] * 40, "yes_no", "constant"),
        ([1.0, 2.0] * 10 + [np.nan] * 40, "number", "mostly_missing"),
        ([1.0] * 9 + [0.0] * 51, "yes_no", "too_few_signings"),
        ([1.0] * 25 + [0.0] * 35, "yes_no", "too_few_signings"),
        (np.arange(60.0) * 3 + 5, "number", "repeats_others"),
        ([1.0] * 30 + [2.0] * 30, "number", "repeats_others"),  # one value a stratum
    ],
)
def test_why_a_covariate_stays_out(values, kind, reason):
    rows = facts_of(30, 30, a=np.arange(60.0), b=values)
    stratum = np.repeat(["S1", "S2"], 30)
    design = design_of(rows, Covariate("a", "number"), Covariate("b", kind), stratum=stratum)
    assert design.terms["left_out"].tolist() == [None, reason]
    assert design.x.shape == (60, 1)


def test_too_few_signings_are_named():
    with pytest.raises(InsufficientDataError, match=r"10 signings for each covariate.*there are 9, of 30 deals"):
        design_of(facts_of(9, 21, a=np.arange(30.0)), Covariate("a", "number"))
    with pytest.raises(InsufficientDataError, match=r"No covariate can enter .*: a \(constant\)"):
        design_of(facts_of(19, 21, a=np.ones(40)), Covariate("a", "number"))


# ---------------------------------------------------------------- recovery, from a book


def company(seed, n=2500, days=900):
    """Deals whose chances are known: product b doubles the hazard of signing, and triples that of losing; the first
    milestone (after 40 days on average) makes signing 2.5 times as likely.
    """
    rng = np.random.default_rng(seed)
    born = np.sort(rng.integers(0, days, n))
    b = rng.random(n) < 0.5
    milestone = rng.exponential(40, n)
    wait = rng.exponential(1, n) / (0.006 * np.where(b, 2.0, 1.0))
    signed = np.where(wait <= milestone, wait, milestone + (wait - milestone) / 2.5)
    lost = rng.exponential(1, n) / (0.003 * np.where(b, 3.0, 1.0))
    last = np.minimum(signed, lost)
    end = np.where(signed <= lost, "won", "lost")
    ids = np.array([f"D{i:04d}" for i in range(n)])
    parts = [
        (ids, np.zeros(n), "stage", "S1"),
        (ids[milestone < last], milestone[milestone < last], "milestone", "M1"),
        (ids, last, "stage", end),
    ]
    table = [pd.DataFrame({"deal_id": i, "after": t, "field": f, "value": v}) for i, t, f, v in parts]
    history = pd.concat(table, ignore_index=True)
    on = pd.Series(born, index=ids)[history["deal_id"]].to_numpy() + np.ceil(history.pop("after"))
    history = history.assign(changed_at=day_of(on.astype(int)))[on <= days]
    deals = pd.DataFrame({"deal_id": ids, "created_at": day_of(born), "product": np.where(b, "b", "a")})
    return make_book(deals=deals, history=history, settings={"extracted_on": day_of(days).date().isoformat()})


@pytest.fixture(scope="module")
def found():
    return signing_time_effects(company(1), as_of=day_of(900), every_days=7)


@pytest.mark.parametrize(("effect", "truth"), [("product", 2.0), ("milestones_in_row", 2.5)])
def test_known_ratios_are_recovered_in_spite_of_competing_ends(found, effect, truth):
    row = found.set_index("effect").loc[effect]
    error = np.log(row["upper"] / row["lower"]) / (2 * 1.6449)
    assert error < 0.1
    assert abs(np.log(row["hazard_ratio"] / truth)) < 3 * error
    assert row["ph_p"] > 0.01


def test_what_makes_no_difference_has_a_ratio_around_1(found):
    row = found.set_index("effect").loc["days_in_state"]
    assert row["lower"] < 1.05
    assert row["upper"] > 0.95


def test_the_table_tells_what_it_left_out(found):
    left_out = found[found["left_out"].notna()].set_index("effect")
    assert left_out.loc[["conditions_here", "rep_load", "amount"], "left_out"].tolist() == ["not_recorded"] * 3
    assert left_out[["hazard_ratio", "lower", "p", "ph_p"]].isna().all(axis=None)
    assert found["left_out"].isna().tolist() == sorted(found["left_out"].isna(), reverse=True)
    row = found.set_index("effect").loc["product"]
    assert (row["level"], row["reference"]) in {("a", "b"), ("b", "a")}


def test_known_time_ratios_are_recovered_from_late_entries():
    rng = np.random.default_rng(8)
    n, days = 1500, 1500
    born, b, known = rng.integers(0, days, n), rng.random(n) < 0.5, rng.choice([0, 0, 20], n)
    wait = np.ceil(np.exp(4 + np.log(1.8) * b + 0.6 * rng.normal(0, 1, n))).astype(int)
    ids = np.array([f"D{i:04d}" for i in range(n)])
    opened = pd.DataFrame({"deal_id": ids, "day": born, "known": born + known, "value": "S1"})
    signed = opened.assign(day=born + wait, known=np.maximum(born + wait, opened["known"]), value="won")
    history = pd.concat([opened, signed])[lambda h: h["known"] <= days].assign(field="stage")
    history = history.assign(changed_at=day_of(history.pop("day")), recorded_at=day_of(history.pop("known")))
    deals = pd.DataFrame({"deal_id": ids, "created_at": day_of(born), "product": np.where(b, "b", "a")})
    deals = deals[deals["deal_id"].isin(history["deal_id"])]
    book = make_book(deals=deals, history=history, settings={"extracted_on": day_of(days).date().isoformat()})
    table = signing_time_ratios(book, as_of=day_of(days)).dropna(subset="time_ratio").set_index("model")
    row = table.loc["lognormal"]
    factor = {"a": 1 / 1.8, "b": 1.8}[row["level"]]
    error = np.log(row["upper"] / row["lower"]) / (2 * 1.6449)
    assert error < 0.06
    assert abs(np.log(row["time_ratio"] / factor)) < 3 * error
    assert table.loc["lognormal", "aic"] < table.loc["weibull", "aic"]  # the truth fits better


# ---------------------------------------------------------------- the whole way, and the picture


@pytest.fixture(scope="module")
def sample():
    return simulate_book(n_deals=300, seed=4)


@pytest.fixture(scope="module")
def effects(sample):
    return signing_time_effects(sample, as_of="2026-09-30")


def test_every_covariate_is_there_once_and_the_budget_is_kept(effects):
    shown = effects[effects["left_out"].isna()]
    assert 0 < len(shown) <= shown["n_signings"].max() // 10
    assert set(effects["effect"]) >= {"buyer_lag", "conditions_here", "rep_load", "product", "route"}
    assert not set(shown["effect"]) & set(effects.loc[effects["left_out"].notna(), "effect"])
    assert (shown["lower"] < shown["hazard_ratio"]).all()
    assert (shown["hazard_ratio"] < shown["upper"]).all()
    assert shown[["p", "ph_p"]].stack().between(0, 1).all()
    # being ahead of the customer does not bring the signature
    assert shown.set_index("effect").loc["buyer_lag", "upper"] < 1


def test_confidence_widens_the_interval_and_nothing_else(sample, effects):
    wide = signing_time_effects(sample, as_of="2026-09-30", confidence=0.99)
    assert (wide["upper"] > effects["upper"]).sum() == effects["left_out"].isna().sum()
    pd.testing.assert_series_equal(wide["hazard_ratio"], effects["hazard_ratio"])


def test_what_is_refused(sample):
    for function in (signing_time_effects, signing_time_ratios):
        with pytest.raises(SchemaError, match="confidence must lie between 0 and 1"):
            function(sample, as_of="2026-09-30", confidence=90)
        with pytest.raises(AsOfError):
            function(sample, as_of="2030-01-01")
        with pytest.raises(InsufficientDataError, match="needs 10 signings for each covariate"):
            function(sample, as_of="2022-09-01")
    with pytest.raises(SchemaError, match="every_days must be >= 1, got 0"):
        signing_time_effects(sample, as_of="2026-09-30", every_days=0)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_shows_the_table(sample, effects, lang):
    ratios = signing_time_ratios(sample, as_of="2026-09-30")
    for table, measure in ((effects, "hazard_ratio"), (ratios, "time_ratio")):
        shown = table[table["left_out"].isna()]
        ax = plots.signing_time(table, lang=lang)
        ax.figure.canvas.draw()
        dots = np.concatenate([line.get_xdata() for line in ax.lines if line.get_markerfacecolor() != "white"])
        assert set(shown[measure]) <= set(dots)
        ends = np.concatenate([[s[:, 0] for s in c.get_segments()] for c in ax.collections if c.get_segments()])
        np.testing.assert_allclose(sorted(map(tuple, ends)), sorted(zip(shown["lower"], shown["upper"], strict=True)))
        assert label("not_a_cause", lang) in ax.get_xlabel()
        n_rows = shown.drop_duplicates(["effect", "level"])
        assert len(ax.get_yticks()) == len(n_rows)
    plt.close("all")


def test_the_picture_marks_ratios_that_change_with_age(effects):
    shown = effects[effects["left_out"].isna()]
    marked = plots.signing_time(shown.assign(ph_p=[0.01] + [0.5] * (len(shown) - 1)))
    hollow = [line for line in marked.lines if line.get_markerfacecolor() == "white"]
    assert shown["hazard_ratio"].iloc[0] in hollow[0].get_xdata()
    assert label("ratio_changes") in [t.get_text() for t in marked.get_legend().get_texts()]
    plain = plots.signing_time(shown.assign(ph_p=0.5))
    assert label("ratio_changes") not in [t.get_text() for t in plain.get_legend().get_texts()]
    plt.close("all")


def test_attributes_of_any_name_are_drawn_as_they_are(effects):
    row = effects[effects["left_out"].isna()].iloc[[0]]
    ax = plots.signing_time(row.assign(effect="building_height", level="other", reference="$x_1$"), lang="zh")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["building_height：其他（对比 $x_1$）"]
    plt.close("all")


def test_without_any_signing_the_error_counts_the_deals_that_there_are():
    book = tiny({f"d{k}": [("S1", 5 * k), ("lost", 5 * k + 40)] for k in range(20)}, last=300)
    with pytest.raises(InsufficientDataError, match="there are 0, of 20 deals"):  # it said: of 0 deals
        signing_time_effects(book, as_of=day_of(300).date())
