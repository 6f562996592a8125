"""Nothing is seen before its time: a book cut back to a date, file by file, says the same as the whole book there.

Every function of the package that takes a date to look from is found by its signature; one without an entry in
``ASK`` fails, so that none can be forgotten.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import tempfile
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import salesanalytics as sa
from salesanalytics import models, timeline
from salesanalytics.control import customers, key_people, losses, review_deals, similar
from salesanalytics.control.known import know
from salesanalytics.control.past_days import past_days
from salesanalytics.control.scrub import scrub_list
from salesanalytics.errors import InsufficientDataError
from salesanalytics.features.landmarks import landmark_snapshots
from salesanalytics.forecast import arrivals, baselines, late_bookings, lent_amounts, parts, prepare
from salesanalytics.forecast.amount_ratios import amount_ratios
from salesanalytics.forecast.simple_methods import simple_methods
from salesanalytics.models import signing_time_rows, stage_rows
from salesanalytics.models.close_model import fitted_close_model
from salesanalytics.reps import honesty, outcomes, review_reps, stage_conversion, volume
from salesanalytics.timeline import asof_values, conditions, evidence, openings, values
from salesanalytics.timeline.calendar import quarter_of, to_date, to_day
from salesanalytics.timeline.replay import collect

SEED, N_DEALS, N_DATES = 7, 320, 20
START, LAST = pd.Timestamp("2021-02-01"), 1300  # days
ROOMS = ("timeline", "features", "models", "forecast", "control", "reps")
#: Fields of the work on a deal, and some of their values.
WORK = {
    "buyer_stage": ["B1", "B2", "B3", "B4"], "milestone": ["M1", "M2", "M3"], "contact": ["DM", "TB"],
    "condition": ["S1.C1", "S1.C2", "S2.C1", "S1.C1:undone"], "activity": ["visit", "call_out", "mail_in"],
    "stance": ["DM:1", "TB:-2", "DM:-1"], "category": ["commit", "pipeline"], "quote": ["100", "250"],
    "competitor": ["x", "y"],
}  # fmt: skip
DATES = ("as_of", "known_at", "day", "days")

# ---------------------------------------------------------------- a random book, as files


def _moment(day, hour=9):
    return START + pd.Timedelta(days=int(day), hours=hour)


def _path(rng, born):
    """Stage rows (day, value) of one deal: it climbs, skips, falls back, pauses, ends, comes back."""
    day, rank, rows = born, int(rng.choice([1, 1, 1, 2, 4])), []
    value = f"S{rank}"
    while day < LAST and len(rows) < 14:
        rows.append((day, value))
        day += int(rng.integers(1, 60))
        kind = rng.random()
        if value in ("won", "lost", "no_decision"):
            if kind > (0.06 if value == "won" else 0.2):
                break
            value = f"S{rank}"  # reopened
        elif kind < 0.22:
            value = str(rng.choice(["won", "won", "lost", "lost", "no_decision"]))
        elif kind < 0.3:
            value = "on_hold"
        else:
            rank = int(np.clip(rank + rng.choice([-1, 1, 1, 1, 2]), 1, 8))
            value = f"S{rank}"
    return rows


def _deal_rows(rng, deal, born):
    stages = _path(rng, born)
    end = stages[-1][0]
    rows = [(deal, day, "stage", value) for day, value in stages]
    amount = float(rng.lognormal(4, 0.8))
    for day in sorted(rng.integers(born, end + 20, int(rng.integers(0, 4)))):
        amount *= float(rng.lognormal(0, 0.3))
        rows.append((deal, day, "amount", f"{amount:.1f}"))
    for day in sorted(rng.integers(born, end + 1, int(rng.integers(0, 4)))):
        promised = _moment(day + int(rng.integers(5, 150)))
        rows.append((deal, day, "close_date", promised.date().isoformat()))
        rows.append((deal, day, "probability", str(rng.choice([10, 30, 60, 90]))))
    for field, texts in WORK.items():
        days = sorted(rng.integers(born, end + 1, int(rng.integers(0, 3))))
        rows += [(deal, day, field, str(rng.choice(texts))) for day in days]
    if rng.random() < 0.2:
        rows.append((deal, rng.integers(born, end + 1), "rep_id", str(rng.choice(["r1", "r2", "r3"]))))
    return rows


@cache
def tables():
    rng = np.random.default_rng(SEED)
    heads, rows = [], []
    for i, born in enumerate(np.sort(rng.integers(0, LAST, N_DEALS))):
        deal = f"D{rng.integers(10**6):06d}-{i}"
        rows += [] if i % 60 == 59 else _deal_rows(rng, deal, int(born))
        seen = _moment(born + 200) if rng.random() < 0.03 else pd.NaT
        amount = np.nan if rng.random() < 0.1 else round(float(rng.lognormal(4, 0.8)), 1)
        product = str(rng.choice(["a", "b"])) if born < 900 else "launched late"
        heads.append((deal, _moment(born, 8), seen, amount, str(rng.choice(["r1", "r2"])), product, f"A{i % 90}"))
    history = pd.DataFrame(rows, columns=["deal_id", "day", "field", "value"])
    history.loc[(history["field"] == "close_date") & (history["day"] < 500), "field"] = "next_step"  # kept later only
    history["changed_at"] = [_moment(d) for d in history.pop("day")]
    lag = rng.choice([0, 0, 0, 1, 3, 10, 45], len(history)) + (rng.random(len(history)) < 0.01) * 120
    history["recorded_at"] = history["changed_at"] + pd.to_timedelta(lag, unit="D")
    columns = ["deal_id", "created_at", "last_seen_on", "amount", "rep_id", "product", "account_id"]
    last = _moment(LAST).normalize() + pd.Timedelta(days=1)
    deals = pd.DataFrame(heads, columns=columns)
    return deals, history[(history["recorded_at"] < last)].drop_duplicates(ignore_index=True)


TARGETS = pd.DataFrame({"quarter": [f"{year}Q{q}" for year in range(2020, 2027) for q in range(1, 5)], "amount": 900.0})


def as_it_stood(deals, history, day):
    """The source files at the end of a day: later rows and dates gone, and deals of which nothing was known."""
    end = pd.Timestamp(to_date(day)) + pd.Timedelta(days=1)
    then = history[(history["recorded_at"] < end) & (history["changed_at"] < end)]
    silent = ~deals["deal_id"].isin(history["deal_id"]) & (deals["created_at"] < end)
    kept = deals[deals["deal_id"].isin(then["deal_id"]) | silent].copy()
    for name in ("created_at", "last_seen_on"):
        kept[name] = kept[name].mask(kept[name] >= end)
    return kept, then


def written(folder, deals, history, day):
    folder.mkdir(exist_ok=True)
    deals.to_csv(folder / "deals.csv", index=False)
    history.to_csv(folder / "history.csv", index=False)
    TARGETS.to_csv(folder / "targets.csv", index=False)
    settings = {"extracted_on": to_date(day).isoformat(), "fiscal_year_start": 4, "limit_set_aside": 0.0}
    (folder / "book.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return sa.read_book(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return written(tmp_path_factory.mktemp("whole"), *tables(), to_day(_moment(LAST)))


def some_days():
    rng = np.random.default_rng(SEED + 1)
    return [to_day(START) + int(d) for d in np.sort(rng.choice(np.arange(90, LAST + 1), N_DATES, replace=False))]


def test_the_book_has_what_could_go_wrong(whole):
    deals, history = tables()
    stage = history[history["field"] == "stage"]
    after = stage.sort_values(["deal_id", "changed_at"]).groupby("deal_id")["value"].shift(-1)
    ended = stage["value"].isin(["won", "lost", "no_decision"])
    assert len(deals) > 300
    assert (stage["value"] == "won").sum() > 60
    assert (stage["value"] == "lost").sum() > 60
    assert (ended & after.str.startswith("S")).sum() > 15
    late = (history["recorded_at"] - history["changed_at"]).dt.days
    assert (late > 30).mean() > 0.1
    assert (stage.loc[ended, "recorded_at"] > stage.loc[ended, "changed_at"]).mean() > 0.3
    assert history["field"].value_counts()[["amount", "close_date", "probability", "rep_id"]].min() > 30
    assert len(whole.set_aside) == 0
    assert whole.has_recorded_at


# ---------------------------------------------------------------- what to ask


def _period(book, date):
    """On even days the quarter in progress, on odd ones the one after the next."""
    now = quarter_of(to_day(date), fiscal_year_start=book.settings.fiscal_year_start)
    return now.back(-2 if to_day(date) % 2 or now.end_day == to_day(date) else 0)


def _dates(date):
    return [date, to_date(to_day(date) - 40), to_date(to_day(date) - 200)]


@cache
def _recorded():
    """A ledger of three forecasts that were made early; the folder lives as long as what is given back."""
    folder = tempfile.TemporaryDirectory()
    day = to_day(START) + 80
    book = written(Path(folder.name) / "book", *as_it_stood(*tables(), day), day)
    for quarter in ("2022Q2", "2022Q4", "2024Q1"):
        found = sa.forecast_quarter(book, quarter=quarter, as_of=to_date(day), draws=50)
        sa.Ledger(Path(folder.name) / "ledger").record(found, book=book)
    return folder


def _judged(book, date):
    return sa.Ledger(Path(_recorded().name) / "ledger").accuracy(book, as_of=date)


def _similar(book, date):
    """Of the first open deals of two states."""
    first = sa.snapshots(book, as_of=date).drop_duplicates("state")["deal_id"].head(2)
    return [similar.similar_won_deals(book, as_of=date, deal_id=deal) for deal in first]


def _forecast(book, date):
    found = sa.forecast_quarter(book, quarter=_period(book, date).name, as_of=date, draws=300, seed=3)
    model = found.prepared.model  # what it learned, asked of other functions here
    plain = replace(found, prepared=replace(found.prepared, model=None))
    return plain, model.rung_, model.recalibration_, found.to_dict(), found.components()


def _table(book, date):
    table = models.StageTable().fit(book, as_of=date)
    return table.rows_, table.half_life_days_


def _logistic(book, date):
    """What a regression learned, promises and gives as reasons; also on a date on which the ladder would not climb."""
    fitted = models.CloseModel(rung="logistic").fit(book, as_of=date)
    rows, until = sa.snapshots(book, as_of=date), to_date(to_day(date) + 60)
    reasons = models.close_reasons(fitted, rows, until=until, deal_ids=rows["deal_id"].iloc[:1])
    told = fitted.won_or_lost()
    signal = None if told is None else pd.DataFrame([vars(told)])
    return fitted.past_, fitted.recalibration_, fitted.predict(rows, until=until), reasons, signal


def _rows(book, date, field):
    """Rows known at a date, deals by their names."""
    rows = evidence.known_rows(book, field, day=to_day(date))
    return rows.assign(deal=book.deals["deal_id"].to_numpy()[rows["deal"]]).sort_values("deal", kind="stable")


def _known(book, date):
    found = know(book, as_of=date)
    clocks = found.steps[["day", "s", "b", "m"]]
    return found.deals.reset_index(drop=True), found.b.to_numpy(), found.m.to_numpy(), clocks


def _backtest(book, date):
    try:
        return sa.backtest_probabilities(book, as_of=date, origins=[to_date(to_day(date) - 100)], horizons=(60,))
    except InsufficientDataError as error:
        return str(error)


condition_effects = importlib.import_module("salesanalytics.reps.condition_effects")  # likewise
spelling = importlib.import_module("salesanalytics.timeline.spells")  # the package exports a function of that name
PERIODS = ("2021Q4", "2023", "2024-01")
BY = (None, "product", "rep_id")
SEGMENTS = ("product", "rep_id", "competitor", "buyer_stage")
LEARNED = ("rung_", "past_", "recalibration_", "last_day_")


def _or_why(function, book, **options):
    """What a function says, or why it cannot say anything yet."""
    try:
        return function(book, **options)
    except InsufficientDataError as error:
        return str(error)


def _entry_facts(book, date):
    found = _or_why(sa.condition_compliance, book, as_of=date)
    return found if isinstance(found, str) else condition_effects.entry_facts(book, found.conditions, as_of=date)


#: What to ask of each function; the names are those of its module and itself.
def _baselines(book, date):
    deals = sa.score_open_deals(book, as_of=date, until=to_date(to_day(date) + 60))
    return baselines.baselines(book, period=_period(book, date), day=to_day(date), deals=deals)


def _track_record(book, as_of):
    found = sa.backtest(book, as_of=as_of, quarters=2, weeks=(0, 6))
    return found.scores, found.summary(), found.stretch


def _by_table(book, date):
    found = prepare.prepare_by_table(book, period=_period(book, date), day=to_day(date))
    parts = [found.signed, found.ended, found.before.sort_index(), *simple_methods(book, found)["amount"].tolist()]
    return found.deals.sort_values("deal_id", ignore_index=True), *parts


def _pace(book, date):
    now = quarter_of(to_day(date), fiscal_year_start=book.settings.fiscal_year_start)
    return sa.pacing(book, quarter=now.name, as_of=date, quarters=4)


def _ended(book, date):
    return parts.ended_deals(book, to_day(date), [0, 30, 60], timeline.amounts(book, [to_day(date)]))


def _outlook(book, date):
    told = sa.forecast_quarter(book, quarter=_period(book, date).name, as_of=date, draws=200)
    return sa.outlook(told, book=book), *(sa.draws_by(told, by="month", measure=m) for m in ("count", "amount"))


def _grouped(book, date):
    return prepare.with_groupings(book, pd.DataFrame({"deal_id": _ids(book, date)}), to_day(date))


ASK = {
    "timeline.spells.spells": lambda b, d: sa.spells(b, as_of=d),
    "timeline.spells.longest_won_stays": lambda b, d: pd.Series(spelling.longest_won_stays(b, as_of=d)),
    "timeline.spells.clock_rows": lambda b, d: timeline.clock_rows(b, as_of=d),
    "timeline.spells.life_table": lambda b, d: timeline.life_table(b, as_of=d),
    "timeline.spells.recording_lag_days": lambda b, d: spelling.recording_lag_days(b, as_of=d),
    "timeline.spells.landmark_rows": lambda b, d: [timeline.landmark_rows(b, as_of=d, ended=e) for e in (False, True)],
    "timeline.spells.outcomes": lambda b, d: _collected(b, timeline.outcomes(b, [to_day(d)])),
    "timeline.spells.known_outcomes": lambda b, d: timeline.known_outcomes(b, to_day(d)),
    "timeline.spells.outcomes_on": lambda b, d: spelling.outcomes_on(b, [to_day(x) for x in _dates(d)]),
    "timeline.spells.n_closed": lambda b, d: spelling.n_closed(b, [to_day(x) for x in _dates(d)]),
    "timeline.spells.told_from": lambda b, d: spelling.told_from(b, to_day(d)),
    "timeline.spells.states": lambda b, d: _states(b, [to_day(x) for x in _dates(d)]),
    "timeline.spells.open_deals": lambda b, d: _states(b, [to_day(d)], spelling.open_deals(b, days=[to_day(d)])),
    "timeline.values.amounts": lambda b, d: timeline.amounts(b, [to_day(x) for x in _dates(d)[::-1]]),
    "timeline.values.open_amounts": lambda b, d: values.open_amounts(b, [to_day(x) for x in _dates(d)]),
    "timeline.values.owners": lambda b, d: timeline.owners(b, [to_day(d)]).sort_values("deal_id", ignore_index=True),
    "timeline.values.references": lambda b, d: timeline.references(b, as_of=_dates(d)),
    "timeline.values.tallies": lambda b, d: [timeline.tallies(b, as_of=_dates(d), by=c) for c in BY[1:]],
    "features.snapshots.snapshots": lambda b, d: sa.snapshots(b, as_of=_dates(d)),
    "timeline.asof_values.values_at": lambda b, d: [_values(b, d, c) for c in SEGMENTS],
    "timeline.asof_values.amounts_at": lambda b, d: asof_values.amounts_at(b, **_deals_and_days(b, d)),
    "timeline.asof_values.known_since": lambda b, d: asof_values.known_since(b, as_of=d),
    "models.stage_rows.entry_rows": lambda b, d: stage_rows.entry_rows(b, as_of=d, by=SEGMENTS[to_day(d) % 4]),
    "models.stage_rows.standing_rows": lambda b, d: stage_rows.standing_rows(b, as_of=d, by=SEGMENTS[to_day(d) % 4]),
    "models.stage_rates.stage_win_rates": lambda b, d: [sa.stage_win_rates(b, as_of=d, by=c) for c in _two(d)],
    "models.stage_rates.signing_curves": lambda b, d: [sa.signing_curves(b, as_of=d, by=c) for c in _two(d)],
    "models.rates_over_time.stage_rates_over_time": lambda b, d: sa.stage_rates_over_time(b, as_of=d, every="quarter"),
    "models.segment_tests.segments_differ": lambda b, d: sa.segments_differ(b, as_of=d, by=SEGMENTS[to_day(d) % 4]),
    "models.rising_rates.rising_rates": lambda b, d: sa.rising_rates(b, as_of=d),
    "models.nominal_rates.propose_nominal_rates": lambda b, d: sa.propose_nominal_rates(b, as_of=d),
    "models.rates_effect.nominal_rates_effect": lambda b, d: sa.nominal_rates_effect(b, as_of=d, quarters=2),
    "models.stage_flow.stage_flow": lambda b, d: [sa.stage_flow(b, as_of=d, by=c) for c in _two(d)],
    "models.stage_table.StageTable.fit": _table,
    "forecast.months.open_by_month": _outlook,
    "forecast.score.score_open_deals": lambda b, d: sa.score_open_deals(b, as_of=d, until=to_date(to_day(d) + 77)),
    "features.landmarks.landmark_snapshots": lambda b, d: landmark_snapshots(b, as_of=d),
    "models.close_model.CloseModel.fit": _logistic,
    "models.close_model.fitted_close_model": lambda b, d: [vars(fitted_close_model(b, as_of=d))[n] for n in LEARNED],
    "models.probability_backtest.backtest_probabilities": _backtest,
    "models.signing_time.signing_time_effects": lambda b, d: _or_why(sa.signing_time_effects, b, as_of=d),
    "models.signing_time.signing_time_ratios": lambda b, d: _or_why(sa.signing_time_ratios, b, as_of=d),
    "models.signing_time_rows.start_stop_rows": lambda b, d: signing_time_rows.start_stop_rows(
        b, as_of=d, every_days=28
    ),
    "models.signing_time_rows.creation_rows": lambda b, d: signing_time_rows.creation_rows(b, as_of=d),
    "timeline.conditions.condition_ticks": lambda b, d: conditions.condition_ticks(b, as_of=d),
    "timeline.conditions.last_stage_visits": lambda b, d: conditions.last_stage_visits(b, as_of=d),
    "timeline.openings.owner_spells": lambda b, d: openings.owner_spells(b, as_of=d),
    "timeline.openings.first_texts": lambda b, d: openings.first_texts(b, "buyer_stage", as_of=d, within_days=28),
    "timeline.openings.activity_days": lambda b, d: openings.activity_days(b, as_of=d, since_day=to_day(d) - 200),
    "timeline.openings.last_numbers": lambda b, d: openings.last_numbers(b, "close_date", **_deals_and_days(b, d)),
    "reps.outcomes.outcome_rows": lambda b, d: outcomes.outcome_rows(b, as_of=d),
    "reps.outcomes.passage_rows": lambda b, d: outcomes.passage_rows(b, outcomes.outcome_rows(b, as_of=d), as_of=d),
    "reps.outcomes.creation_facts": lambda b, d: outcomes.creation_facts(b, as_of=d),
    "reps.compliance.condition_compliance": lambda b, d: _or_why(sa.condition_compliance, b, as_of=d, by="quarter"),
    "reps.condition_effects.condition_effects": lambda b, d: _or_why(sa.condition_effects, b, as_of=d),
    "reps.condition_effects.entry_facts": _entry_facts,
    "reps.honesty.forecast_honesty": lambda b, d: honesty.forecast_honesty(b, as_of=d, confidence=0.9),
    "reps.honesty.stated_odds": lambda b, d: honesty.stated_odds(b, as_of=d),
    "reps.review.review_reps": lambda b, d: _or_why(review_reps, b, as_of=d),
    "reps.stage_conversion.stage_conversion": lambda b, d: stage_conversion(b, as_of=d),
    "reps.volume.volume_and_pace": lambda b, d: volume.volume_and_pace(b, as_of=d, confidence=0.9),
    "reps.evaluate.evaluate_reps": lambda b, d: _or_why(sa.evaluate_reps, b, as_of=d),
    "forecast.arrivals.fit_arrivals": lambda b, d: arrivals.fit_arrivals(b, as_of=d),
    "forecast.lent_amounts.lent_amounts": lambda b, d: lent_amounts.lent_amounts(b, as_of=d),
    "forecast.lent_amounts.attributes_at": lambda b, d: lent_amounts.attributes_at(b, _ids(b, d), to_day(d)),
    "forecast.baselines.actual": lambda b, d: [sa.actual(b, quarter=q, known_at=d) for q in PERIODS],
    "forecast.baselines.baselines": _baselines,
    "forecast.backtest.backtest": lambda b, d: _or_why(_track_record, b, as_of=d),
    "forecast.parts.ended_deals": _ended,
    "forecast.late_bookings.shares_before": lambda b, d: late_bookings.shares_before(
        b, period=_period(b, d), day=to_day(d)
    ),
    "forecast.pacing.pacing": _pace,
    "forecast.pipeline.pipeline_change": lambda b, d: sa.pipeline_change(b, before=_dates(d)[2], as_of=d),
    "forecast.prepare.prepare_by_table": _by_table,
    "forecast.groupings.with_groupings": _grouped,
    "forecast.baselines.won_deals": lambda b, d: baselines.won_deals(b, to_day(d)),
    "forecast.baselines.signed_deals": lambda b, d: baselines.signed_deals(b, period=_period(b, d), day=to_day(d)),
    "forecast.quarter.forecast_quarter": _forecast,
    "forecast.ledger.Ledger.accuracy": _judged,
    "forecast.amount_ratios.amount_ratios": lambda b, d: amount_ratios(b, to_day(d)),
    "timeline.evidence.known_rows": lambda b, d: [_rows(b, d, field) for field in ("stage", "amount", "condition")],
    "timeline.evidence.fields_known": lambda b, d: evidence.fields_known(b, day=to_day(d)),
    "timeline.evidence.typed_in": lambda b, d: evidence.typed_in(b, ["stage", "amount"], day=to_day(d)),
    "control.clocks.deal_clocks": lambda b, d: sa.deal_clocks(b, as_of=d),
    "control.clock_table.clock_table": lambda b, d: sa.clock_table(b, as_of=d, horizon_days=90),
    "control.known.know": _known,
    "control.anomalies.find_anomalies": lambda b, d: sa.find_anomalies(b, as_of=d),
    "control.rule_backtest.backtest_rules": lambda b, d: _or_why(
        sa.backtest_rules, b, as_of=d, every_days=400, horizon_days=120
    ),
    "control.scrub.scrub_list": lambda b, d: scrub_list(b, as_of=d, quarter=_period(b, d).name),
    "control.tasks.next_tasks": lambda b, d: sa.next_tasks(b, as_of=d),
    "control.similar.similar_won_deals": _similar,
    "control.past_days.past_days": lambda b, d: pd.Series(past_days(b, as_of=d, horizon_days=60, every_days=28)),
    "control.losses.loss_reasons": lambda b, d: [losses.loss_reasons(b, as_of=d, by=by) for by in _two(d)],
    "control.customers.customer_sheet": lambda b, d: customers.customer_sheet(b, as_of=d),
    "control.key_people.key_person_risk": lambda b, d: key_people.key_person_risk(b, as_of=d),
    "control.review.review_deals": lambda b, d: replace(review_deals(b, as_of=d, n_similar=1), process=None),
}  # fmt: skip
#: These fit close models or run all rules, which takes seconds: all on the same four dates, so that they share some.
FITS = {
    "forecast.backtest.backtest",
    "forecast.baselines.baselines",
    "forecast.score.score_open_deals",
    "forecast.quarter.forecast_quarter",
    "models.close_model.CloseModel.fit",
    "models.close_model.fitted_close_model",
    "models.probability_backtest.backtest_probabilities",
    "control.rule_backtest.backtest_rules",
    "control.review.review_deals",
    "control.similar.similar_won_deals",
}
#: These only read a date.
ONLY_DATES = {"timeline.calendar.as_of_day", "timeline.calendar.as_of_days", "timeline.replay.at_dates"}
#: What these give goes into snapshots alone, by position of the deal; tests/test_work.py asks a simulated company.
IN_SNAPSHOTS = {
    *(f"timeline.work.{name}" for name in ("last_texts", "last_days", "first_days", "milestones_done")),
    *(f"timeline.work.{name}" for name in ("conditions_done", "people_reached", "stances")),
    "features.work_columns.add_work_columns",
    "features.snapshots.snapshot_base",
    "features.snapshots.described",
    "features.landmarks.landmarks_on",  # what landmark_snapshots consists of
    "features.landmarks.landmark_days",
    "features.landmarks.with_ends",
    "models.past.past_predictions",  # kept in the close model as past_
    *(f"models.told.{name}" for name in ("predictions_made", "stage_table_at", "learners_at")),
    "forecast.prepare.prepare",  # drawn from by forecast_quarter
    "forecast.quarter.drawn",
}


def _ids(book, date):
    return timeline.owners(book, [to_day(date)])["deal_id"].sort_values(ignore_index=True)


def _two(date):
    """Rates of all deals, and by one thing or another."""
    return (None, SEGMENTS[to_day(date) % 4])


def _deals_and_days(book, date):
    """Deals known at a date, each on a day of its own up to then."""
    ids = _ids(book, date)
    return {"deal_ids": ids, "days": to_day(date) - np.arange(len(ids)) % 90}


def _values(book, date, by):
    return asof_values.values_at(book, by=by, **_deals_and_days(book, date))


def _collected(book, frame):
    found = collect(book, frame)
    return found.sort_values([c for c in ("as_of_day", "deal_id") if c in found], ignore_index=True)


def _states(book, days, frame=None):
    """A date last seen that lies ahead is not known yet."""
    found = _collected(book, spelling.states(book, days) if frame is None else frame)
    return found.assign(last_seen_day=found["last_seen_day"].clip(upper=max(days) + 1))


def _modules():
    for room in ROOMS:
        try:
            package = importlib.import_module(f"salesanalytics.{room}")
        except ModuleNotFoundError:
            continue
        for info in pkgutil.iter_modules(package.__path__):
            yield f"{room}.{info.name}", importlib.import_module(f"salesanalytics.{room}.{info.name}")


def _asked_with_a_date(thing):
    parameters = inspect.signature(thing).parameters
    return "book" in parameters and any(name in parameters for name in DATES)


def found_by_signature():
    """Public functions, and methods of public classes, that take a book and a date to look from."""
    names = set()
    for name, module in _modules():
        for label, thing in vars(module).items():
            if label.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
                continue
            if inspect.isfunction(thing) and _asked_with_a_date(thing):
                names.add(f"{name}.{label}")
            if inspect.isclass(thing):
                methods = inspect.getmembers(thing, inspect.isfunction)
                names |= {f"{name}.{label}.{m}" for m, f in methods if m[0] != "_" and _asked_with_a_date(f)}
    return names


def public_names():
    """The same of ``salesanalytics.__all__``, wherever they live."""
    names = set()
    for label in sa.__all__:
        thing = getattr(sa, label)
        where = getattr(thing, "__module__", "").removeprefix("salesanalytics.")
        if inspect.isfunction(thing) and _asked_with_a_date(thing):
            names.add(f"{where}.{label}")
    return names


def test_no_function_is_forgotten():
    assert sorted(found_by_signature() - set(ASK) - ONLY_DATES - IN_SNAPSHOTS) == []
    assert sorted(public_names() - set(ASK)) == []
    assert sorted(set(ASK) - found_by_signature()) == []


# ---------------------------------------------------------------- the law


def assert_same(got, expected, where):
    """Equal to 12 digits, whatever it is made of."""
    assert type(got) is type(expected), where
    if isinstance(expected, pd.DataFrame | pd.Series | pd.Index):
        got, expected = (pd.DataFrame(x).convert_dtypes() for x in (got, expected))
        pd.testing.assert_frame_equal(got, expected, rtol=1e-12, atol=1e-12, check_dtype=False, obj=where)
    elif is_dataclass(expected):
        for item in fields(expected):
            assert_same(getattr(got, item.name), getattr(expected, item.name), f"{where}.{item.name}")
    elif isinstance(expected, dict):
        assert list(got) == list(expected), where
        for key in expected:
            assert_same(got[key], expected[key], f"{where}[{key!r}]")
    elif isinstance(expected, list | tuple):
        assert len(got) == len(expected), where
        for k, (one, other) in enumerate(zip(got, expected, strict=True)):
            assert_same(one, other, f"{where}[{k}]")
    elif isinstance(expected, np.ndarray | float):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12, err_msg=where)
    else:
        assert got == expected, where


def asked_on(turn):
    """A third of all functions on each date, for a book asked everything takes seconds; LOOK_AHEAD=all asks all."""
    if os.environ.get("LOOK_AHEAD") == "all":
        return list(ASK)
    return [name for k, name in enumerate(ASK) if (turn % 5 == 4 if name in FITS else (turn + k) % 3 == 0)]


@pytest.mark.parametrize("turn", range(N_DATES), ids=lambda k: str(to_date(some_days()[k])))
def test_the_whole_book_says_at_a_date_what_the_files_of_that_date_say(turn, whole, tmp_path):
    day = some_days()[turn]
    then = written(tmp_path, *as_it_stood(*tables(), day), day)
    differ = {}
    for name in asked_on(turn):
        try:
            assert_same(ASK[name](whole, to_date(day)), ASK[name](then, to_date(day)), name)
        except AssertionError as error:
            differ[name] = str(error)[:400]
    assert differ == {}
