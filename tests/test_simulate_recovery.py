"""What the simulator was told is found again in its books, by the functions a reader of any book would call.

Three companies: one whose deals are all alike and whose reps keep step with their customers, so that its books have a
closed form; the same one with good and bad quarters; and the default one. An error is stated in standard errors (3.5
where many figures are judged at once), and the standard errors themselves are bounded, so that nothing passes for lack
of data.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from salesanalytics import signing_curves, simulate_book, snapshots, spells, stage_win_rates
from salesanalytics.forecast.arrivals import fit_arrivals
from salesanalytics.models import StageTable
from salesanalytics.simulate import Company
from salesanalytics.simulate.params import Facts, Reps, Walk
from salesanalytics.timeline import clock_rows

END = "2026-09-30"
STAGES = [f"S{k}" for k in range(1, 9)]


def plain(shock):
    """Deals all alike, nothing but moves and ends; the rep enters a stage on the day on which the customer does."""
    same = {"all": (1.0, 0.0, 0.0)}
    facts = Facts(
        product=same, region=same, source=same, route=same, product_amount={}, size_pace=0.0, quality_spread=0.0,
        fast_track=0.0, late_entry=0.0,
    )  # fmt: skip
    reps = Reps(skill_spread=0.0, harder_for_strong=0.0, optimism_spread=0.0, condition_effect=0.0)
    walk = Walk(
        seller_days=1e-9, ahead_days=1e9, hold=0.0, regress=0.0, skip=0.0, dead=0.0, reopen=0.0, quarter_end_pull=1.0,
        shock=shock,
    )  # fmt: skip
    return Company(facts=facts, reps=reps, walk=walk)


@pytest.fixture(scope="module")
def steady():
    return simulate_book(n_deals=4000, seed=1, company=plain(shock=0.0))


@pytest.fixture(scope="module")
def shaken():
    return simulate_book(n_deals=4000, seed=2, company=plain(shock=0.25))


@pytest.fixture(scope="module")
def full():
    return simulate_book(n_deals=5000, seed=2)


def visits(book):
    """Visits to stages, with the first and the last day on which the customer could move, and whether it did."""
    found = spells(book, as_of=END).query("rank > 0")
    first = found["entered_on"] + pd.to_timedelta((found["visit"] > 1).astype(int), unit="D")
    following = pd.to_numeric(found["next_state"].str.extract(r"^S(\d)$")[0])
    moved = found["next_state"].eq("won") | following.gt(found["rank"])
    return found.assign(first=first, last=found["left_on"].fillna(pd.Timestamp(END)), moved=moved)


def trials(found, first="1970-01-01", last="2100-01-01"):
    """Working days at risk of each visit between two days, both inclusive."""
    first, end = np.datetime64(first, "D"), np.datetime64(last, "D") + 1
    begins, stops = (found[c].to_numpy().astype("datetime64[D]") for c in ("first", "last"))
    return np.busday_count(np.clip(begins, first, end), np.clip(stops + 1, first, end))


def hazards(walk):
    """Chances of a working day by stage: moving on (signing in the last), and ending otherwise."""
    ends = np.array(walk.lost) + np.array(walk.no_decision) + walk.withdrawn
    return (1 - ends) * -np.expm1(-1 / np.array(walk.buyer_days)), ends


def p_signed(walk, n_trials):
    """Chance of having signed from each stage after so many working days: the Markov chain of the plain company."""
    move, ends = hazards(walk)
    step = np.diag([*(1 - move - ends), 1.0])
    step[np.arange(8), np.arange(1, 9)] = move
    return np.linalg.matrix_power(step, n_trials)[:8, 8]


# ---------------------------------------------------------------- durations and stage rates


def test_time_in_stage_and_what_ends_it(steady):
    """Moves and ends a working day, from `spells`: within 3.5 standard errors; 400 visits or more each."""
    walk = steady.truth.company.walk
    move, ends = hazards(walk)
    found = visits(steady)
    for k, stage in enumerate(STAGES):
        here = found[found["state"] == stage]
        days = trials(here).sum()
        seen = here["next_state"].value_counts()
        causes = {"lost": walk.lost[k], "no_decision": walk.no_decision[k], "withdrawn": walk.withdrawn}
        pairs = [(here["moved"].sum(), move[k]), *((seen.get(c, 0), h) for c, h in causes.items())]
        for count, hazard in pairs:
            assert abs(count - hazard * days) < 3.5 * np.sqrt(hazard * days) + 1, (stage, count, hazard * days)
        n_left = here["left_on"].notna().sum()
        assert days / n_left == pytest.approx(1 / (move[k] + ends[k]), rel=3.5 / np.sqrt(n_left))
        assert n_left > 400


@pytest.mark.parametrize("days", [28, 91, 182, 364, 728])
def test_signing_curves_are_those_of_the_chain(steady, days):
    """Whole weeks hold five working days each, so the closed form is exact; within 3.5 standard errors, under 0.025."""
    curves = signing_curves(steady, as_of=END)
    entered = clock_rows(steady, as_of=END).groupby("state").size()
    for k, stage in enumerate(STAGES):
        known = curves[(curves["stage"] == stage) & (curves["days"] <= days)].iloc[-1]
        true = p_signed(steady.truth.company.walk, 5 * days // 7 + (k == 0))[k]  # a new deal can move on its first day
        se = max(known["se_won"], np.sqrt(true * (1 - true) / entered[stage]))  # few events tell little of their error
        assert abs(known["p_won"] - true) < 3.5 * se, (stage, known["p_won"], true)
        assert se < 0.025


def test_stage_rates_of_deals_entering_and_standing(steady):
    """In a company without memory a deal standing in a stage has the chance of one that enters it."""
    rates = stage_win_rates(steady, as_of=END, horizon_days=728)
    true = p_signed(steady.truth.company.walk, 520)
    for p, se, most in (("p_won", "se_won", 0.02), ("p_won_in_stock", "se_in_stock", 0.03)):
        assert ((rates[p] - true).abs() < 3.5 * rates[se]).all(), rates[[p, se]].assign(true=true)
        assert rates[se].max() < most


@pytest.mark.parametrize("as_of", ["2024-06-30", "2025-06-30", END])
def test_stage_rates_foretell_what_becomes_of_the_deals(full, as_of):
    """All habits of the default company: the rate known on a date against what the same deals did within two years."""
    rates = stage_win_rates(full, as_of=as_of).set_index("stage").loc[STAGES]
    entered = clock_rows(full, as_of=as_of)
    future = full.truth.deals.set_index("deal_id").loc[entered["deal_id"]]
    on = pd.to_datetime(entered["entered_day"], unit="D").to_numpy()
    signed = future["end"].eq("won").to_numpy() & ((future["end_on"].to_numpy() - on) <= np.timedelta64(730, "D"))
    came = pd.Series(signed).groupby(entered["state"].to_numpy()).mean().loc[STAGES]
    wrong = (rates["p_won"] - came).abs()
    assert (wrong < 3.5 * rates["se_won"]).all(), pd.DataFrame({"p": rates["p_won"], "came": came})
    assert wrong.max() < 0.04
    assert (rates["n_open"] / rates["n_entered"]).max() > 0.1  # many are still open on the date: censoring matters


# ---------------------------------------------------------------- recording lags


def test_recording_lag_of_new_deals(full):
    """Share recorded within whole weeks, right truncation allowed for, as `fit_arrivals` sees it."""
    share = fit_arrivals(full, as_of=END).recorded_share
    weeks = np.arange(9)
    mean = full.truth.company.recording.creation_mean_lag_days
    expected = 1 - (mean / (1 + mean)) ** (5 * weeks + 1)
    se = np.sqrt(expected * (1 - expected) / len(full.deals))
    late = 0.003  # of some deals even the first row is typed in later than it could be
    assert (np.abs(share[7 * weeks] - expected) < 3.5 * se + late).all()
    assert se.max() < 0.01


def test_late_recording_hides_as_much_of_the_last_month_as_it_should(full):
    """Visits of the four weeks before a date that `spells` knew on the date, of those it knew in the end."""
    p = full.truth.company.recording
    in_the_end = spells(full, as_of=END).query("visit > 1 and entry_days == 0")
    n_known, expected, variance = 0, 0.0, 0.0
    for date in pd.date_range("2023-09-30", periods=14, freq="2ME"):
        since = date - pd.Timedelta("28D")
        then, all_of_them = (
            rows.loc[rows["entered_on"].gt(since) & rows["entered_on"].le(date)]
            for rows in (spells(full, as_of=date).query("visit > 1 and entry_days == 0"), in_the_end)
        )
        days = all_of_them["entered_on"].to_numpy().astype("datetime64[D]")
        passed = np.busday_count(days, np.datetime64(date, "D") + 1) - 1
        late = (1 - p.slow_share) * (1 - 1 / p.mean_lag_days) ** passed
        late += p.slow_share * (1 - 1 / p.slow_mean_days) ** passed
        chance = 1 - (1 - p.at_once) * late
        n_known, expected = n_known + len(then), expected + chance.sum()
        variance += (chance * (1 - chance)).sum()
    assert expected > 3000
    assert n_known == pytest.approx(expected, abs=3.5 * np.sqrt(variance) + 0.005 * expected)


# ---------------------------------------------------------------- the common shock


def test_shock_of_every_quarter_from_the_moves_in_it(shaken):
    """Log of moves against their usual number, from `spells`: each within 3.5 standard errors."""
    walk = shaken.truth.company.walk
    found = visits(shaken)
    rows = {}
    for quarter in pd.period_range("2022Q4", "2026Q2", freq="Q"):  # in the last one moves are not all recorded yet
        days = pd.Series(trials(found, quarter.start_time, quarter.end_time)).groupby(found["rank"].to_numpy()).sum()
        moved = (found["moved"] & found["left_on"].dt.to_period("Q").eq(quarter)).groupby(found["rank"]).sum()
        usual = days / np.array(walk.buyer_days)[days.index - 1]
        rate = (-np.log1p(-moved / days) * days).sum() / usual.sum()
        rows[str(quarter)] = (np.log(rate), 1 / np.sqrt(moved.sum()), shaken.truth.shock[str(quarter)])
    table = pd.DataFrame(rows, index=["seen", "se", "true"]).T
    assert ((table["seen"] - table["true"]).abs() < 3.5 * table["se"]).all(), table
    assert (table["seen"] - table["true"]).abs().mean() < 0.06
    assert table["se"].max() < 0.09
    assert table["seen"].std() > 3.5 * table["se"].mean()  # there is something to see


def test_good_and_bad_quarters_show_in_what_was_signed_against_what_was_expected(full):
    """Deals open at the start of a quarter: signings expected from the stage table of all years, and those that came.

    The log of their ratio follows the shock; what is left is little more than the noise of counting.
    """
    table = StageTable(half_life_days=np.inf).fit(full, as_of=END)
    outcome = clock_rows(full, as_of=END).groupby("deal_id")[["entered_day", "duration_days", "end"]].first()
    end_on = pd.to_datetime(outcome["entered_day"] + outcome["duration_days"], unit="D")
    signed_on = end_on[outcome["end"].eq("won")]
    quarters = pd.period_range("2023Q3", "2026Q2", freq="Q")
    days = [(quarter.start_time - pd.Timedelta("1D")).normalize() for quarter in quarters]
    open_deals = snapshots(full, as_of=days)
    seen, noise = [], []
    for quarter, day in zip(quarters, days, strict=True):
        deals = open_deals[open_deals["as_of"] == day]
        p = table.predict(deals, horizon_days=[(quarter.end_time.normalize() - day).days])[0]
        signed = signed_on.reindex(deals["deal_id"]).le(quarter.end_time).sum()
        seen.append(np.log(signed / p.sum()))
        noise.append(np.sqrt((p * (1 - p)).sum()) / p.sum())
    true = np.array([full.truth.shock[str(quarter)] for quarter in quarters])
    slope, level = np.polyfit(true, seen, 1)
    left = np.array(seen) - level - slope * true
    assert np.corrcoef(seen, true)[0, 1] > 0.8
    assert 0.6 < slope < 1.3
    assert abs(level) < 0.2
    assert left.std(ddof=2) < 1.6 * np.mean(noise)
    assert np.mean(noise) < 0.12
