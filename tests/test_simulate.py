"""The simulated company: its rules are recovered from what it leaves behind, and its truth is calibrated."""

from __future__ import annotations

import gzip
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from salesanalytics.book import read_book
from salesanalytics.errors import AsOfError
from salesanalytics.forecast import actual
from salesanalytics.process import read_process
from salesanalytics.simulate import Company, simulate_book, write_sample
from salesanalytics.simulate.facts import condition_stages, draw_deals, draw_reps
from salesanalytics.simulate.params import Arrivals, Reps, Walk
from salesanalytics.simulate.state import State, is_working_day, quarter_index
from salesanalytics.simulate.truth import to_day
from salesanalytics.simulate.walk import walk

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
FIELDS = {
    "stage", "buyer_stage", "milestone", "condition", "contact", "stance", "activity", "next_step", "quote",
    "competitor", "amount", "close_date", "probability", "category", "rep_id", "tender_issued", "bid_due", "award",
    "reason",
}  # fmt: skip
ENDS = ["won", "lost", "no_decision", "withdrawn"]
AT = "2025-09-30"


@cache
def book():
    return simulate_book(n_deals=3000, seed=11)


@cache
def stage_rows():
    """Stage rows in order, with the row before and the row after of the same deal."""
    history = book().history
    rows = history[history["field"].eq("stage")].copy()
    rows["before"] = rows.groupby("deal_id")["value"].shift()
    rows["order"] = pd.to_numeric(rows["value"].str.extract(r"^S(\d)$")[0])
    rows["order_before"] = rows.groupby("deal_id")["order"].shift()
    return rows


def field(name):
    return book().history[book().history["field"].eq(name)]


def first_owner():
    return book().deals.set_index("deal_id")["rep_id"]


def neutral(n, *, stage, buyer, day):
    """Deals without any facts, all in one stage."""
    zeros = np.zeros(n)
    return State(
        created=np.full(n, day), pace=zeros, risk=zeros, work=np.zeros((n, 8)), eager=zeros, fast=np.zeros(n, bool),
        stage=np.full(n, stage), buyer=np.full(n, buyer), end=np.zeros(n, int), end_day=np.zeros(n, int),
        hold=np.zeros(n, bool), dead=np.zeros(n, bool),
    )  # fmt: skip


# ---------------------------------------------------------------- the book


def test_same_seed_same_company():
    one, same, other = (simulate_book(n_deals=120, seed=seed) for seed in (1, 1, 2))
    for table in ("deals", "history", "reps", "accounts"):
        assert_frame_equal(getattr(one, table), getattr(same, table))
    assert_frame_equal(one.truth.deals, same.truth.deals)
    assert one.truth.shock == same.truth.shock != other.truth.shock
    assert not one.history["value"].equals(other.history["value"])


def test_nothing_is_set_aside_but_exact_duplicates():
    b = book()
    assert (b.rows["read"] == b.rows["kept"] + b.rows["set_aside"]).all()
    assert set(b.set_aside["rule"]) <= {"duplicate row"}
    assert set(b.faults["rule"]) <= {
        "duplicate row", "no stage row", "first stage row after creation", "two stages at one instant",
        "won without the last milestone",
    }  # fmt: skip


def test_every_field_is_there_and_every_value_is_of_the_process():
    b, p = book(), book().process
    assert set(b.history["field"]) == FIELDS
    allowed = {
        "stage": {*p.stage_ids, *p.pause_state_ids, *p.end_state_ids},
        "buyer_stage": set(p.buyer_stage_ids),
        "milestone": set(p.milestone_ids),
        "condition": set(p.condition_ids),
        "contact": {r.id for r in p.roles},
        "rep_id": set(b.reps["rep_id"]),
        "reason": {r.id for r in p.end_state_reasons},
        "category": {"commit", "best_case", "pipeline", "omitted"},
    }
    for name, values in allowed.items():
        assert set(field(name)["value"]) <= values, name
    assert set(field("stage")["value"]) == allowed["stage"]
    assert set(field("condition")["evidence"]) == {"buyer", "seller", "none"}
    assert field("stance")["value"].str.fullmatch(r"[A-Z]+:-?[012]").all()
    assert field("probability")["value"].astype(float).between(0.05, 1).all()
    for name in ("amount", "quote"):
        money = field(name)["value"].astype(float)
        assert ((money > 0) & (money % 1000 == 0)).all()


def test_facts_are_those_of_the_company():
    b, f = book(), Company().facts
    for name in ("product", "region", "source", "route"):
        shares = pd.Series({k: v[0] for k, v in getattr(f, name).items()})
        seen = b.deals[name].value_counts(normalize=True)
        assert set(seen.index) == set(shares.index)
        assert (seen - shares).abs().max() < (0.06 if name == "region" else 0.03), name
    assert set(b.deals["rep_id"]) == set(b.reps["rep_id"])
    assert set(b.deals["account_id"]) == set(b.accounts["account_id"])
    assert (b.deals.merge(b.reps, on="rep_id").eval("region_x == region_y")).all()
    assert b.accounts["name"].is_unique
    assert b.reps["name"].is_unique
    returning = b.deals.sort_values("deal_id").duplicated("account_id")
    assert (returning <= b.deals["source"].eq("老客户")).all()
    assert (b.deals["amount"] % 1000).eq(0).all()
    assert b.deals["created_at"].dt.day_of_week.lt(5).all()
    limited = {c.id: c.routes for s in b.process.stages for c in s.conditions if c.routes}
    ticked = field("condition").merge(b.deals[["deal_id", "route"]], on="deal_id")
    done = ticked[ticked["value"].isin(limited) & ticked["evidence"].ne("none")]
    assert all(row.route in limited[row.value] for row in done.itertuples())


def test_arrivals_grow_and_follow_the_season():
    arrivals = Arrivals(growth_per_year=0.2, spread=0.0)
    company = replace(Company(), arrivals=arrivals)
    _, state, _ = draw_deals(company, draw_reps(company, np.random.default_rng(0)), read_process(), 20_000,
                             np.random.default_rng(1))  # fmt: skip
    created = pd.Series(state.created.astype("datetime64[D]"))
    year = created[created >= "2022-10-01"].groupby((created - pd.Timestamp("2022-10-01")).dt.days // 365).size()
    assert np.allclose((year / year.shift()).iloc[1:4], 1.2, atol=0.06)
    month = created[created.between("2023-01-01", "2025-12-31")].dt.month.value_counts()
    assert month[[1, 2]].max() < month[[3, 12]].min()


# ---------------------------------------------------------------- rules recovered


def test_recording_lags_are_recovered():
    p, b = Company().recording, book()
    known_from = b.history.groupby("deal_id")["recorded_at"].min().dt.normalize()
    rows = b.history[b.history["changed_at"].lt("2025-06-30")]
    rows = rows[rows["changed_at"] > known_from.reindex(rows["deal_id"]).to_numpy()]
    assert len(rows) > 50_000
    lag = np.busday_count(*(rows[c].to_numpy().astype("datetime64[D]") for c in ("changed_at", "recorded_at")))
    assert np.mean(lag == 0) == pytest.approx(p.at_once, abs=0.01)
    mean = (1 - p.slow_share) * p.mean_lag_days + p.slow_share * p.slow_mean_days
    assert lag[lag > 0].mean() == pytest.approx(mean, rel=0.03)
    created = b.deals.set_index("deal_id")["created_at"].loc[lambda s: s < "2026-03-31"]
    opening = np.busday_count(*(s.to_numpy().astype("datetime64[D]") for s in (created, known_from[created.index])))
    assert opening.mean() == pytest.approx(p.creation_mean_lag_days, rel=0.08)


@pytest.mark.parametrize("buyer", range(1, 9))
def test_times_and_hazards_of_neutral_deals_are_recovered(buyer):
    """Moves and ends per working day in one buying stage, within 5 % or three and a half standard errors."""
    day, n, days = to_day("2024-01-01"), 60_000, 42
    params = replace(Walk(), quarter_end_pull=1.0)
    log = []
    walk(neutral(n, stage=8, buyer=buyer, day=day), params, first_day=day, last_day=day + days - 1,
         shock={quarter_index(day): 0.0}, rng=np.random.default_rng(buyer), log=log)  # fmt: skip
    events = pd.DataFrame(
        [(int(d), at, what, v) for when, deals, what, values in log for d, at, v in
         zip(deals, np.full(len(deals), when), values, strict=True)],
        columns=["deal", "day", "what", "value"],
    )  # fmt: skip
    first = events[events["what"].isin(["buyer", "end", "hold", "dead"])].drop_duplicates("deal").set_index("deal")
    last = first["day"].reindex(range(n)).fillna(day + days - 1).to_numpy(dtype="int64")
    exposure = np.busday_count(np.datetime64(day, "D"), (last + 1).astype("datetime64[D]")).sum()
    end = first["value"].where(first["what"].eq("end"))
    moved = (end.eq(1) if buyer == 8 else first["what"].eq("buyer")).sum()
    mean_time = -1 / np.log1p(-moved / (exposure - end.gt(1).sum()))
    assert mean_time == pytest.approx(params.buyer_days[buyer - 1], rel=0.05)
    expected = {2: params.lost[buyer - 1], 3: params.no_decision[buyer - 1], 4: params.withdrawn}
    for code, hazard in expected.items():
        assert abs(end.eq(code).sum() / exposure / hazard - 1) < max(0.05, 3.5 / np.sqrt(hazard * exposure)), code
    for what, hazard in (("hold", params.hold), ("dead", params.dead)):
        n_seen = first["what"].eq(what).sum()
        assert abs(n_seen / exposure / hazard - 1) < max(0.05, 4.0 / np.sqrt(hazard * exposure)), what


def test_shock_is_recovered():
    """Every quarter's shock from the signings of neutral deals in it, and the spread of 137 of them."""
    company = replace(Company(), start="1996-07-01")
    truth = simulate_book(n_deals=20, seed=3, company=company).truth
    params = replace(company.walk, quarter_end_pull=1.0, lost=(0.0,) * 8, no_decision=(0.0,) * 8, withdrawn=0.0,
                     hold=0.0, dead=0.0)  # fmt: skip
    seen = {}
    for quarter in truth.shock:
        day = to_day(pd.Period(quarter).start_time)
        state = neutral(2500, stage=8, buyer=8, day=day)
        walk(state, params, first_day=day, last_day=day + 27, shock=truth._shock, rng=np.random.default_rng(day))
        seen[quarter] = np.log(-np.log(1 - np.mean(state.end == 1)) / 20 * params.buyer_days[7])
    seen, true = pd.Series(seen), pd.Series(truth.shock)
    assert len(seen) > 130
    assert (seen - true).abs().mean() < 0.03
    assert seen.std() == pytest.approx(company.walk.shock, rel=3 / np.sqrt(2 * len(seen)))


def test_conditions_that_matter_raise_the_win_rate_and_the_others_do_not():
    company = replace(Company(), reps=replace(Reps(), skill_spread=0.0, harder_for_strong=0.0, discipline_spread=0.0))
    rng, process = np.random.default_rng(5), read_process()
    deals, state, done = draw_deals(company, draw_reps(company, rng), process, 40_000, rng)
    day = to_day("2023-01-02")
    state.created[:] = day
    shock = {quarter_index(day) + q: 0.0 for q in range(9)}
    walk(state, company.walk, first_day=day, last_day=day + 600, shock=shock, rng=rng)
    won, slow = state.end == 1, ~state.fast
    gain = {}
    for i, (condition, _) in enumerate(condition_stages(process)):
        routes = next(c.routes for s in process.stages for c in s.conditions if c.id == condition)
        here = slow & (deals["route"].isin(routes).to_numpy() if routes else True)
        gain[condition] = won[here & done[:, i]].mean() - won[here & ~done[:, i]].mean()
    gain = pd.Series(gain)
    matters = gain.index.isin(company.reps.effective_conditions)
    assert matters.sum() == 6
    assert gain[matters].min() > 0.01
    assert gain[matters].mean() > 0.02
    assert gain[~matters].abs().max() < 0.02
    assert abs(gain[~matters].mean()) < 0.004


def test_strong_reps_get_the_harder_deals_and_skill_helps():
    truth = book().truth
    deals = truth.deals.merge(first_owner().rename("rep_id"), left_on="deal_id", right_index=True)
    deals = deals.merge(truth.reps, on="rep_id")
    assert -0.6 < deals["quality"].corr(deals["skill"]) < -0.2
    ended = deals[deals["end"].ne("open") & ~deals["fast_track"]]
    columns = np.column_stack([np.ones(len(ended)), ended["quality"], ended["skill"]])
    effect = np.linalg.lstsq(columns, ended["end"].eq("won").to_numpy(dtype=float), rcond=None)[0]
    assert (effect[1:] > 0.03).all()


# ---------------------------------------------------------------- what a sales force looks like


def test_wins():
    won = field("stage").query("value == 'won'").merge(book().deals, on="deal_id")
    same_quarter = won["changed_at"].dt.to_period("Q") == won["created_at"].dt.to_period("Q")
    assert 0.15 <= same_quarter.mean() <= 0.4
    left = (won["changed_at"].dt.to_period("Q").dt.end_time.dt.normalize() - won["changed_at"]).dt.days
    assert left.lt(12).mean() > 1.5 * 12 / 91
    closed = book().truth.deals.query("created_on < '2025-01-01' and not fast_track")
    assert 0.15 < closed["end"].eq("won").mean() < 0.35
    cycle = (won["changed_at"] - won["created_at"]).dt.days.groupby(won["deal_class"]).median()
    assert cycle["fast_track"] < 40 < 120 < cycle["standard"] < 270
    proved = won["deal_id"].isin(field("milestone").query("value == 'M8'")["deal_id"]).mean()
    assert 0.85 < proved < 0.97


def test_irregular_paths():
    rows, n = stage_rows(), len(book().deals)
    step = rows["order"] - rows["order_before"]
    counts = {
        "skipped": step.ge(2).sum(),
        "back": step.lt(0).sum(),
        "held": rows["value"].eq("on_hold").sum(),
        "resumed": (rows["before"].eq("on_hold") & rows["order"].notna()).sum(),
        "reopened": rows["before"].isin(ENDS).sum(),
        "no_decision": rows["value"].eq("no_decision").sum(),
        "withdrawn": rows["value"].eq("withdrawn").sum(),
    }
    assert all(0.005 * n < k < 0.4 * n for k in counts.values()), counts
    assert not rows["before"].eq("won").any()
    assert not (rows["value"] == rows["before"]).any()


def test_dead_stock_falls_silent():
    state = book().truth.state_at("2026-09-30").query("end == 'open'")
    last = field("activity").groupby("deal_id")["changed_at"].max().reindex(state["deal_id"])
    silent = (pd.Timestamp("2026-09-30") - last).dt.days.groupby(state["dead"].to_numpy()).median()
    assert 0.1 < state["dead"].mean() < 0.4
    assert silent[True] > 180 > 60 > silent[False]


def test_owners_change_to_a_colleague():
    rows = field("rep_id").copy()
    rows["before"] = rows.groupby("deal_id")["value"].shift().fillna(rows["deal_id"].map(first_owner()))
    assert 0.02 * len(book().deals) < len(rows) < 0.3 * len(book().deals)
    region = book().reps.set_index("rep_id")["region"]
    assert (rows["value"] != rows["before"]).all()
    assert (rows["value"].map(region) == rows["before"].map(region)).all()


def test_late_and_back_dated_rows_bulk_ticks_and_weekends():
    history = book().history
    lag = (history["recorded_at"].dt.normalize() - history["changed_at"]).dt.days
    assert lag.ge(0).all()
    assert 0.005 < lag.gt(28).mean() < 0.05
    assert history["changed_at"].dt.day_of_week.lt(5).all()
    assert history["recorded_at"].dt.day_of_week.lt(5).all()
    ticks = field("condition")
    at_once = ticks.groupby(["deal_id", ticks["value"].str[:2]])["changed_at"].agg(lambda s: s.value_counts().iloc[0])
    assert 0.03 < at_once.ge(5).mean() < 0.2


def test_optimists_and_sandbaggers_can_be_told_from_their_own_figures():
    rows = field("probability").merge(first_owner().rename("rep_id"), left_on="deal_id", right_index=True)
    rows = rows.merge(book().truth.deals[["deal_id", "end", "quality"]], on="deal_id").query("end != 'open'")
    said = rows["value"].astype(float)
    excess = (said - rows["end"].eq("won")).groupby(rows["rep_id"]).mean()
    optimism = book().truth.reps.set_index("rep_id")["optimism"]
    assert excess.corr(optimism) > 0.7
    assert excess.max() - excess.min() > 0.15
    live = book().truth.state_at(AT).query("end == 'open' and not dead")
    assert 0.05 < (live["stage"] > live["buyer_stage"]).mean() < 0.4  # happy ears


def test_close_dates_are_pushed_and_amounts_change():
    pushes = field("close_date").groupby("deal_id").size()
    assert (pushes > 4).mean() > 0.15
    amounts = field("amount").groupby("deal_id")["value"].nunique()
    assert 0.2 < len(amounts) / len(book().deals) < 0.7


# ---------------------------------------------------------------- truth


@pytest.mark.parametrize("as_of", ["2023-03-31", "2024-12-31", AT])
def test_the_past_lived_again_is_the_past_of_the_book(as_of):
    state = book().truth.state_at(as_of).set_index("deal_id")
    rows = stage_rows().loc[lambda r: r["changed_at"].le(as_of)]
    rows = rows[rows["recorded_at"].le("2026-09-30")]
    seen = rows.groupby("deal_id")["value"].last()
    lived = np.where(state["end"].ne("open"), state["end"],
                     np.where(state["on_hold"], "on_hold", "S" + state["stage"].astype(str)))  # fmt: skip
    assert set(seen.index) == set(state.index)
    same = seen.reindex(state.index) == lived
    assert same.mean() > 0.998  # the rest is not recorded even after a year
    buyer = field("buyer_stage").loc[lambda r: r["changed_at"].le(as_of)].groupby("deal_id")["value"].last()
    assert (buyer.reindex(state.index) == "B" + state["buyer_stage"].astype(str)).mean() > 0.998


def test_the_future_of_the_deals_is_the_future_of_the_state():
    truth = book().truth
    later = truth.state_at("2026-12-31").set_index("deal_id")
    deals = truth.deals.set_index("deal_id").loc[later.index]
    won = deals["end"].eq("won") & deals["end_on"].le("2026-12-31")
    assert (later["end"].eq("won") == won).all()
    assert truth.state_at("2030-09-30")["end"].tolist() == truth.deals["end"].tolist()


def test_the_year_after_the_book_has_new_deals_too():
    b = book()
    new = b.truth.deals.query("created_on > '2026-09-30'")
    year = b.truth.deals["created_on"].between("2025-10-01", "2026-09-30").sum()
    assert 0.7 < len(new) / year < 1.5
    assert new["created_on"].max() <= pd.Timestamp("2027-10-01")
    assert not new["deal_id"].isin(b.deals["deal_id"]).any()
    assert (new["end"].eq("won") & new["end_on"].le("2026-12-31")).sum() > 2
    known = b.truth.deals.set_index("deal_id").loc[b.deals["deal_id"]]
    last = field("amount").groupby("deal_id")["value"].last().astype(float)
    settled = known["end"].ne("open") & known["end_on"].lt("2026-01-01")
    amount = last.reindex(known.index).fillna(b.deals.set_index("deal_id")["amount"])
    assert (amount[settled] == known["amount"][settled]).mean() > 0.99


def test_work_in_progress_at_the_end_of_the_book_looks_like_that_of_any_other_day():
    """Conditions ticked in the current stage of open deals: as many on the last day as two years before."""
    counts = {}
    for as_of in ("2024-09-30", "2026-09-30"):
        state = book().truth.state_at(as_of).query("end == 'open' and stage <= 4")
        ticks = field("condition").loc[lambda r, day=as_of: r["recorded_at"].lt(pd.Timestamp(day) + pd.Timedelta("1D"))]
        mine = ticks.merge(state, on="deal_id").query("value.str[1] == stage.astype('str')")
        counts[as_of] = len(mine) / len(state)
    assert counts["2026-09-30"] == pytest.approx(counts["2024-09-30"], rel=0.15)


@cache
def windows():
    """Open deals on thirteen dates of a company without shock: two independent predictions each, and what came."""
    company = replace(Company(), start="2025-01-01", end="2026-06-30", walk=replace(Walk(), shock=0.0))
    truth = simulate_book(n_deals=8200, seed=7, company=company).truth
    signed = truth.deals.query("end == 'won'").set_index("deal_id")["end_on"]
    dates = pd.date_range("2025-07-01", periods=14, freq="45D")
    parts = []
    for now, until in pairwise(dates):
        ids = truth.state_at(now).query("end == 'open' and not dead")["deal_id"]
        p = [truth.true_p(ids, as_of=now, until=until, draws=30, seed=seed) for seed in (0, 1)]
        won = signed.reindex(ids).le(until).to_numpy()
        parts.append(pd.DataFrame({"p": p[0], "again": p[1], "won": won}))
    return pd.concat(parts, ignore_index=True)


def test_true_p_is_calibrated():
    """Overall within 1 %, and by bin within 3 standard errors; the bins are drawn with other draws than the mean."""
    table = windows()
    assert len(table) >= 20_000
    assert abs(table["p"].mean() - table["won"].mean()) < 0.01
    bins = pd.cut(table["again"], [-1, 0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    rows = table.groupby(bins, observed=True).agg(n=("won", "size"), p=("p", "mean"), won=("won", "mean"))
    noise = np.sqrt((rows["p"] * (1 - rows["p"])).clip(lower=1e-4) / rows["n"] * (1 + 1 / 30))
    assert ((rows["p"] - rows["won"]).abs() < 3 * noise).all(), rows
    assert len(rows) >= 9


def test_true_p_knows_what_is_settled_and_repeats_itself():
    truth = book().truth
    state = truth.state_at(AT)
    ids = state["deal_id"].to_numpy()
    p = truth.true_p(ids, as_of=AT, until="2025-12-31", draws=20)
    assert (p[state["end"].eq("won")] == 1).all()
    assert (p[state["end"].eq("withdrawn") | state["dead"]] == 0).all()
    assert p[state["end"].eq("lost")].max() <= 0.2
    assert (p == truth.true_p(ids, as_of=AT, until="2025-12-31", draws=20)).all()
    assert (p != truth.true_p(ids, as_of=AT, until="2025-12-31", draws=20, seed=1)).any()
    assert (truth.true_p(ids, as_of=AT, until=AT, draws=2) == state["end"].eq("won")).all()
    further = truth.true_p(ids, as_of=pd.Timestamp(AT), until="2026-09-30", draws=20)
    assert further.mean() > p.mean() + 0.01


@pytest.mark.parametrize(
    ("as_of", "until"),
    [("2021-01-01", AT), (AT, "2025-01-01"), ("2099-01-01", "2099-02-01"), ("yesterday-ish", AT), (AT, None)],
)
def test_true_p_refuses_impossible_dates(as_of, until):
    with pytest.raises(AsOfError):
        book().truth.true_p(["P00001"], as_of=as_of, until=until, draws=2)


def test_true_p_refuses_deals_the_company_never_had():
    with pytest.raises(KeyError, match="nonsense"):
        book().truth.true_p(["P00001", "nonsense"], as_of=AT, until="2025-12-31", draws=2)


def test_working_days():
    days = np.arange(to_day("2026-09-26"), to_day("2026-10-05"))
    assert is_working_day(days).tolist() == [False, False, True, True, True, True, True, False, False]


# ---------------------------------------------------------------- the sample


def test_the_sample_is_what_the_call_writes(tmp_path):
    write_sample(tmp_path)
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {path.name for path in SAMPLE.iterdir() if path.is_file()} - {"README.md"}
    for name in written:
        new, old = ((folder / name).read_bytes() for folder in (tmp_path, SAMPLE))
        assert (gzip.decompress(new) == gzip.decompress(old)) if name.endswith(".gz") else new == old, name
    assert sum(path.stat().st_size for path in SAMPLE.glob("*.csv.gz")) < 6_000_000


def test_the_sample_can_be_read_and_holds_no_truth():
    b = read_book(SAMPLE)
    assert b.truth is None
    assert set(b.set_aside["rule"]) <= {"duplicate row"}
    assert len(b.set_aside) < 5
    assert 1450 < len(b.deals) <= 1500
    assert 12 <= len(b.reps) <= 15
    assert b.reps["team"].nunique() == b.reps["manager_id"].nunique() == 3
    assert str(b.settings.extracted_on) == "2026-09-30"
    assert b.targets["quarter"].nunique() == 8
    by_level = b.targets.assign(rep=b.targets["rep_id"].notna()).groupby(["quarter", "rep"])["amount"].sum().unstack()
    assert np.allclose(by_level[True], by_level[False])
    for quarter, asked in by_level[False].items():
        before = [str(pd.Period(quarter) - k) for k in range(1, 9)]
        fair = 1.25 * np.mean([actual(b, quarter=q, known_at="2026-09-30")["amount"] for q in before])
        assert fair <= asked < fair + len(b.reps) * 1e5
    secret = {"quality", "skill", "discipline", "optimism", "dead", "pace", "risk", "end_on", "fast_track"}
    assert not secret & {*b.deals, *b.history, *b.reps, *b.accounts, *b.targets, *b.history["field"]}


def test_a_team_that_never_signed_is_asked_for_the_least_step(tmp_path):
    targets = read_book(write_sample(tmp_path, n_deals=1, seed=3)).targets
    assert len(targets) == 8 * (3 + 14)
    assert targets.loc[targets["rep_id"].notna(), "amount"].eq(1e5).all()
