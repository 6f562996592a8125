"""The as-of replay against an oracle of plain loops, the law of truncation, and the calendar."""

from __future__ import annotations

import importlib
import math
from collections import Counter
from contextlib import suppress
from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import ENDS, NEVER, PAUSE, RANKS, Oracle, to_day

from salesanalytics.book import make_book
from salesanalytics.errors import AsOfError
from salesanalytics.timeline import values
from salesanalytics.timeline.calendar import as_of_day, as_of_days, parse_period, quarter_of, to_date
from salesanalytics.timeline.calendar import to_day as day_of
from salesanalytics.timeline.entries import unpacked_entries
from salesanalytics.timeline.replay import collect

engine = importlib.import_module("salesanalytics.timeline.spells")  # the package exports a function of that name
STAGES = list(RANKS)
ORIGIN = pd.Timestamp("2024-01-01")
LAST = 420
SEEDS = range(8)
DEALS_PER_BOOK = 130


# ---------------------------------------------------------------- random books


def _moment(rng, day):
    """A day with its hour; few hours, so that many changes fall on the same instant."""
    return ORIGIN + pd.Timedelta(days=int(day), hours=int(rng.choice([0, 0, 9, 9, 14, 23])))


def _recorded(rng, moment, *, lags):
    kind = rng.random()
    if not lags or kind < 0.5:
        return moment
    if kind < 0.58:
        return moment - pd.Timedelta(days=int(rng.integers(1, 20)))  # a date of the future, typed in before
    days = int(rng.integers(0, 4)) if kind < 0.85 else int(rng.integers(4, 90))
    return moment + pd.Timedelta(days=days, hours=int(rng.integers(0, 5)))


def _next_state(rng, state):
    kind = rng.random()
    rank = RANKS.get(state, int(rng.integers(1, 9)))
    if state in ENDS:
        return str(rng.choice([*STAGES, PAUSE, *ENDS, state]))
    if kind < 0.45:
        return STAGES[min(rank, 7)]
    if kind < 0.55:
        return STAGES[min(rank + int(rng.integers(1, 4)), 7)]
    if kind < 0.65:
        return STAGES[int(rng.integers(0, rank))]
    if kind < 0.75:
        return PAUSE
    return str(rng.choice([state, "won", "won", "lost", "no_decision", "withdrawn"]))


def _stage_rows(rng, deal, start, *, lags):
    state, day, rows = str(rng.choice([*STAGES, STAGES[0], STAGES[0]])), start, []
    for _ in range(int(rng.integers(1, 11))):
        moment = _moment(rng, day)
        rows.append((deal, moment, _recorded(rng, moment, lags=lags), "stage", state))
        if state in ENDS and rng.random() < 0.5:
            break
        state = _next_state(rng, state)
        day = day + int(rng.choice([0, 0, 1, 3, 10, 30, 45]))
    return rows


def _other_rows(rng, deal, start, *, lags):
    rows = []
    for _ in range(int(rng.integers(0, 5))):
        moment = _moment(rng, start + rng.integers(-5, 150))
        field = str(rng.choice(["amount", "amount", "rep_id", "activity"]))
        value = {
            "amount": str(rng.choice(["0", "12.5", "100", "2000000", "37"])),
            "rep_id": str(rng.choice(["r1", "r2", "r3"])),
            "activity": "visit",
        }[field]
        rows.append((deal, moment, _recorded(rng, moment, lags=lags), field, value))
    return rows


def raw_tables(seed, n_deals=DEALS_PER_BOOK):
    """A deals table and a history with all that is allowed, and some that is set aside."""
    rng = np.random.default_rng(seed)
    lags, heads, rows = seed % 5 != 4, [], []
    for i in range(n_deals):
        deal, start, kind = f"D{i:03d}", int(rng.integers(0, 300)), rng.random()
        own = [] if kind < 0.1 else _other_rows(rng, deal, start, lags=lags)
        own += [] if kind < 0.2 else _stage_rows(rng, deal, start, lags=lags)
        created = ORIGIN + pd.Timedelta(days=start - int(rng.choice([0, 0, 0, 3, 40])))
        if own and rng.random() < 0.3:
            created = pd.NaT if rng.random() < 0.5 else created + pd.Timedelta(days=int(rng.integers(1, 60)))
        seen = max([created.normalize() if created is not pd.NaT else ORIGIN, *(r[1].normalize() for r in own)])
        seen = seen + pd.Timedelta(days=int(rng.integers(0, 90))) if rng.random() < 0.15 else pd.NaT
        amount = rng.choice([np.nan, 10.0, 55.5, 3e6])
        heads.append((deal, created, seen, amount, rng.choice(["r1", "r2", "r9", None]), rng.choice(["p", "q"])))
        rows += own
    rows += [rows[int(k)] for k in rng.integers(0, len(rows), 3)]  # exact duplicates
    order = np.arange(len(rows)) if seed % 2 else rng.permutation(len(rows))
    history = pd.DataFrame([rows[k] for k in order], columns=["deal_id", "changed_at", "recorded_at", "field", "value"])
    deals = pd.DataFrame(heads, columns=["deal_id", "created_at", "last_seen_on", "amount", "rep_id", "product"])
    return deals, history if lags else history.drop(columns="recorded_at")


END_OF_BOOK = ORIGIN + pd.Timedelta(days=LAST)


def book_of(deals, history, **options):
    options = {"extracted_on": END_OF_BOOK.date().isoformat(), "limit_set_aside": 0.9, **options}
    return make_book(deals=deals, history=history, settings=options)


@cache
def case(seed):
    """A book, its oracle and some dates: random ones, the last day, and one before anything was known."""
    deals, history = raw_tables(seed)
    observed_from = ORIGIN + pd.Timedelta(days=120) if seed % 3 == 2 else None
    options = {} if observed_from is None else {"observed_from": observed_from.date().isoformat()}
    book = book_of(deals, history, **options)
    oracle = Oracle(book.deals, book.history, -NEVER if observed_from is None else to_day(observed_from))
    rng = np.random.default_rng(1000 + seed)
    days = sorted({to_day(ORIGIN) - 60, to_day(END_OF_BOOK), *(to_day(ORIGIN) + rng.integers(0, LAST, 3)).tolist()})
    return book, oracle, days


# ---------------------------------------------------------------- comparing


def plain(frame, days=()):
    """Rows of a result as comparable tuples; day columns given as dates become whole days."""
    frame = frame.copy()
    for name in days:
        frame[name] = [None if pd.isna(v) else to_day(v) for v in frame[name]]
    rows = frame.itertuples(index=False, name=None)
    return [tuple(None if pd.isna(v) else round(v, 9) if isinstance(v, float) else v for v in row) for row in rows]


def same(got, expected, *, columns, days=(), ordered=False):
    """Both as sorted tuples, so that a difference reads as rows missing and rows in excess."""
    got = plain(got[columns], days)
    expected = plain(pd.DataFrame(expected, columns=columns).astype(object))
    if ordered:
        assert got == expected
    missing = sorted(set(expected) - set(got), key=repr)
    excess = sorted(set(got) - set(expected), key=repr)
    assert (missing[:4], excess[:4]) == ([], [])
    assert len(got) == len(expected)


STATE_COLUMNS = [
    "deal_id", "as_of_day", "state", "since_day", "stage", "n_visits", "n_regressions",
    "n_skips", "n_holds", "hold_days", "n_reopened", "entry_rank", "max_rank", "known_from",
    "created_day", "last_seen_day", *(f"n_entered_{stage}" for stage in RANKS),
]  # fmt: skip
SPELL_COLUMNS = [
    "deal_id", "visit", "state", "rank", "entered", "left", "next_state", "duration_days", "entry_days",
    "first_entry",
]  # fmt: skip
CLOCK_COLUMNS = [
    "deal_id",
    "state",
    "rank",
    "entered_day",
    "entry_days",
    "end",
    "duration_days",
    "retrospective",
]
LANDMARK_COLUMNS = ["deal_id", "landmark_day", "state", "days_in_state", "age_days", "end", "duration_days"]


def stated(book, days):
    rows = collect(book, engine.states(book, days))
    return rows.assign(**{f"n_entered_{stage}": n for stage, n in unpacked_entries(book, rows).items()})


def spelled(book, day):
    return engine.spells(book, as_of=to_date(day)).rename(columns={"entered_on": "entered", "left_on": "left"})


@pytest.fixture(params=SEEDS, scope="module")
def one(request):
    return case(request.param)


def each(oracle, day, function):
    """Rows that a function of the oracle gives for all deals known at a day."""
    return [row for deal in oracle.known_deals(day) for row in function(deal, day)]


def test_states_at_many_dates_and_at_one(one):
    book, oracle, days = one
    expected = [row for day in days for row in each(oracle, day, lambda d, t: [oracle.state(d, t)])]
    same(stated(book, days), expected, columns=STATE_COLUMNS)
    same(stated(book, days[2:3]), [r for r in expected if r["as_of_day"] == days[2]], columns=STATE_COLUMNS)


def test_spells(one):
    book, oracle, days = one
    for day in days:
        expected = each(oracle, day, oracle.spells)
        same(spelled(book, day), expected, columns=SPELL_COLUMNS, days=["entered", "left"], ordered=True)


def test_outcomes(one):
    book, oracle, days = one
    for day in days:
        expected = each(oracle, day, lambda d, t: [(d, *oracle.outcome(d, t))])
        same(collect(book, engine.outcomes(book, [day])), expected, columns=["deal_id", "end", "end_day"])


def test_clock_rows_and_life_table(one):
    book, oracle, days = one
    for day in days:
        expected = each(oracle, day, oracle.clock)
        same(engine.clock_rows(book, as_of=to_date(day)), expected, columns=CLOCK_COLUMNS)
        table = engine.life_table(book, as_of=to_date(day))
        kinds = Counter((state, entry, duration, end) for _, state, _, _, entry, end, duration, _ in expected)
        counts = [(*kind, n) for kind, n in kinds.items()]
        same(table, counts, columns=["state", "entry_days", "duration_days", "end", "n"])
        assert table["n"].sum() == len(expected)


@pytest.mark.parametrize("ended", [False, True])
def test_landmark_rows(one, ended):
    book, oracle, days = one
    for day in days:
        assert engine.recording_lag_days(book, as_of=to_date(day)) == oracle.lag(day)
        got = engine.landmark_rows(book, as_of=to_date(day), ended=ended)
        same(got, oracle.landmarks(day, ended=ended), columns=LANDMARK_COLUMNS)


def test_landmark_rows_at_another_distance(one):
    book, oracle, days = one
    got = engine.landmark_rows(book, as_of=to_date(days[-1]), every_days=91)
    same(got, oracle.landmarks(days[-1], 91), columns=LANDMARK_COLUMNS)


def test_amounts_and_owners(one):
    book, oracle, days = one
    known = [(deal, day) for day in days for deal in oracle.known_deals(day)]
    amounts = [(d, t, oracle.amount(d, t)) for d, t in known]
    same(values.amounts(book, days), amounts, columns=["deal_id", "as_of_day", "amount"])
    owners = [(d, t, oracle.owner(d, t)) for d, t in known]
    same(values.owners(book, days), owners, columns=["deal_id", "as_of_day", "rep_id"])
    same(
        values.owners(book, days[1:2]),
        [r for r in owners if r[1] == days[1]],
        columns=["deal_id", "as_of_day", "rep_id"],
    )


def test_references_at_many_dates_and_at_one(one):
    book, oracle, days = one
    names = ["as_of", "state", "n_won", "won_days_q50", "won_days_q90"]
    expected = [row for day in days for row in oracle.references(day)]
    same(values.references(book, as_of=[to_date(d) for d in days]), expected, columns=names, days=["as_of"])
    last = [r for r in expected if r[0] == days[-1]]
    same(values.references(book, as_of=to_date(days[-1])), last, columns=names, days=["as_of"])


@pytest.mark.parametrize("by", ["rep_id", "product"])
def test_tallies(one, by):
    book, oracle, days = one
    expected = [row for day in days for row in oracle.tallies(day, by)]
    got = values.tallies(book, as_of=[to_date(d) for d in days], by=by)
    same(got, expected, columns=["as_of", by, "n_ended", "n_won"], days=["as_of"])


# ---------------------------------------------------------------- laws


def everything(book, day):
    """All results at a date, rows and columns in a fixed order; a later ``last_seen_on`` is not known yet."""
    as_of = to_date(day)
    states = stated(book, [day])
    states["last_seen_day"] = states["last_seen_day"].mask(states["last_seen_day"] > day, NEVER)
    frames = {
        "states": states,
        "spells": engine.spells(book, as_of=as_of),
        "outcomes": collect(book, engine.outcomes(book, [day])),
        "clock_rows": engine.clock_rows(book, as_of=as_of),
        "life_table": engine.life_table(book, as_of=as_of),
        "landmark_rows": engine.landmark_rows(book, as_of=as_of),
        "ended landmark_rows": engine.landmark_rows(book, as_of=as_of, ended=True),
        "amounts": values.amounts(book, [day]),
        "owners": values.owners(book, [day]),
        "references": values.references(book, as_of=as_of),
        "tallies": values.tallies(book, as_of=as_of),
    }
    return {name: frame.sort_values(list(frame.columns), ignore_index=True) for name, frame in frames.items()}


def as_it_stood(deals, history, known, day):
    """The source as it stood at the end of a day: without later rows, later dates, deals not yet known."""
    end = ORIGIN.normalize() + pd.Timedelta(days=day - to_day(ORIGIN) + 1)
    deals = deals[deals["deal_id"].isin(known)].copy()
    for name in ["created_at", "last_seen_on"]:
        deals[name] = deals[name].mask(deals[name] >= end)
    stamps = [name for name in ["changed_at", "recorded_at"] if name in history]
    return deals, history[(history[stamps].max(axis=1) < end) & history["deal_id"].isin(known)]


@pytest.mark.parametrize("seed", [0, 1, 2, 4, 5, 6, 7])
def test_a_book_cut_off_at_a_date_says_the_same_as_the_whole_book_at_that_date(seed):
    book, oracle, _ = case(seed)
    day = to_day(ORIGIN) + int(np.random.default_rng(2000 + seed).integers(60, LAST))
    deals, history = as_it_stood(*raw_tables(seed), oracle.known_deals(day), day)
    options = {"extracted_on": to_date(day).isoformat()}
    if book.settings.observed_from:
        options["observed_from"] = book.settings.observed_from.isoformat()
    whole, cut = everything(book, day), everything(book_of(deals, history, **options), day)
    for name, frame in whole.items():
        pd.testing.assert_frame_equal(cut[name], frame, obj=name)


def test_tables_given_are_not_changed():
    deals, history = raw_tables(3)
    deals_before, history_before = deals.copy(deep=True), history.copy(deep=True)
    book = book_of(deals, history)
    kept, last = book.history.copy(deep=True), book.extracted_day
    everything(book, last)
    pd.testing.assert_frame_equal(deals, deals_before)
    pd.testing.assert_frame_equal(history, history_before)
    pd.testing.assert_frame_equal(book.history, kept)


@pytest.mark.parametrize(
    "ask",
    [
        engine.spells, engine.clock_rows, engine.life_table, engine.recording_lag_days, engine.landmark_rows,
        values.references, values.tallies,
    ],
)  # fmt: skip
def test_a_date_after_the_end_of_the_book_is_an_error_that_names_both(ask):
    book, _, _ = case(0)
    late = END_OF_BOOK.date() + timedelta(days=1)
    with pytest.raises(AsOfError, match=str(late)) as error:
        ask(book, as_of=late)
    assert END_OF_BOOK.date().isoformat() in str(error.value)
    with pytest.raises(AsOfError):
        ask(book, as_of="soon")


# ---------------------------------------------------------------- by hand


def small(*rows, created="2024-01-01", seen=None, **options):
    """A book of one deal D; rows are (changed, recorded or None, field, value)."""
    history = [("D", changed, recorded or changed, field, value) for changed, recorded, field, value in rows]
    deals = pd.DataFrame(
        {
            "deal_id": ["D"],
            "created_at": [created],
            "last_seen_on": [seen],
            "amount": [10.0],
            "rep_id": ["r1"],
        }
    )
    names = ["deal_id", "changed_at", "recorded_at", "field", "value"]
    return book_of(deals, pd.DataFrame(history, columns=names), **options)


def test_by_hand_a_signing_typed_in_late_and_then_reversed():
    book = small(
        ("2024-01-01", None, "stage", "S1"),
        ("2024-01-11", None, "stage", "S4"),
        ("2024-01-21", "2024-02-10", "stage", "won"),
        ("2024-01-31", None, "stage", "S3"),
        ("2024-03-01", None, "stage", "won"),
    )
    days = [day_of(d) for d in ["2024-01-10", "2024-01-25", "2024-02-09", "2024-02-10", "2024-03-01"]]
    states = stated(book, days).sort_values("as_of_day")
    assert states["state"].tolist() == ["S1", "S4", "S3", "S3", "won"]
    assert states["n_reopened"].tolist() == [0, 0, 0, 1, 1]
    assert states["n_regressions"].tolist() == [0, 0, 1, 1, 1]
    assert states["n_skips"].tolist() == [0, 1, 1, 1, 1]
    visits = engine.spells(book, as_of="2024-03-01")
    assert visits["state"].tolist() == ["S1", "S4", "S3"]
    assert visits["duration_days"].tolist() == [10, 10, 30]
    clocks = engine.clock_rows(book, as_of="2024-03-01").set_index("state")["duration_days"]
    assert clocks.to_dict() == {"S1": 60, "S4": 50, "S3": 30}


@pytest.mark.parametrize("recorded", [None, "2024-03-01"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_an_end_is_kept_where_an_earlier_row_moves_the_creation_back(newest_first, recorded):
    # Definitions, section 1: creation moves back to an earlier first row; rows recorded no later count.
    rows = [("2024-01-01", recorded, "stage", "S1"), ("2024-02-01", recorded, "stage", "won")]
    book = small(*(rows[::-1] if newest_first else rows), created="2024-03-01")
    assert book.set_aside["rule"].tolist() == []
    assert stated(book, [day_of("2024-03-01")])["state"].tolist() == ["won"]


def test_a_hold_said_twice_is_one_hold_that_is_not_over():
    book = small(
        ("2024-01-01", None, "stage", "S1"),
        ("2024-01-11", None, "stage", "on_hold"),
        ("2024-01-21", None, "stage", "on_hold"),
    )
    state = stated(book, [day_of("2024-01-31")]).iloc[0]
    assert (state["n_holds"], state["hold_days"]) == (1, 0)


def test_an_amount_typed_in_after_the_loss_does_not_count():
    # Definitions, section 1: of a deal that is not won, the last positive amount while it was open.
    book = small(
        ("2024-01-01", None, "stage", "S1"),
        ("2024-01-05", None, "amount", "20"),
        ("2024-01-11", None, "stage", "lost"),
        ("2024-01-21", None, "amount", "30"),
    )
    assert values.amounts(book, [day_of("2024-01-31")])["amount"].tolist() == [20.0]


def test_an_amount_typed_in_after_the_signing_counts():
    book = small(
        ("2024-01-01", None, "stage", "S1"),
        ("2024-01-11", None, "stage", "won"),
        ("2024-01-21", None, "amount", "30"),
        ("2024-01-22", None, "amount", "0"),
    )
    assert values.amounts(book, [day_of("2024-01-31")])["amount"].tolist() == [30.0]


def test_a_deal_that_came_back_and_vanished_is_censored_when_last_seen():
    book = small(
        ("2024-01-01", None, "stage", "S1"),
        ("2024-01-11", None, "stage", "lost"),
        ("2024-02-11", None, "stage", "S2"),
        seen="2024-03-01",
    )
    rows = engine.landmark_rows(book, as_of="2024-05-22", ended=True)  # landmarks 28 days apart: 2024-01-31
    assert rows[["state", "end", "duration_days"]].values.tolist() == [["lost", "open", 30]]


# ---------------------------------------------------------------- calendar

FISCAL_STARTS = st.integers(1, 12)
DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@given(DAYS, FISCAL_STARTS)
def test_the_quarter_of_a_day_holds_it_and_quarters_tile_the_calendar(day, start):
    quarter = quarter_of(day_of(day), fiscal_year_start=start)
    assert quarter.start <= day <= quarter.end
    assert quarter.start.day == 1
    assert (quarter.start.month - start) % 3 == 0
    assert 89 <= quarter.end_day - quarter.start_day + 1 <= 92
    after = quarter_of(quarter.end_day + 1, fiscal_year_start=start)
    assert after.start_day == quarter.end_day + 1
    assert after.back(1) == quarter
    assert parse_period(quarter.name, fiscal_year_start=start) == quarter


@given(DAYS, FISCAL_STARTS)
def test_four_quarters_back_is_the_same_quarter_of_last_year(day, start):
    quarter = quarter_of(day_of(day), fiscal_year_start=start)
    year, number = quarter.name.split("Q")
    before = quarter.back(4)
    assert before.name == f"{int(year) - 1}Q{number}"
    assert (before.start.year + 1, before.start.month) == (quarter.start.year, quarter.start.month)
    assert quarter.back(0) == quarter
    assert quarter.back(3).back(1) == before


@given(st.integers(1990, 2060), FISCAL_STARTS)
def test_a_fiscal_year_is_its_four_quarters_and_is_named_by_the_year_in_which_it_ends(year, start):
    whole = parse_period(str(year), fiscal_year_start=start)
    quarters = [parse_period(f"{year}Q{k}", fiscal_year_start=start) for k in range(1, 5)]
    assert [q.start_day for q in quarters] == [whole.start_day, *(q.end_day + 1 for q in quarters[:3])]
    assert quarters[3].end_day == whole.end_day
    assert (whole.end.year, whole.start.month) == (year, start)
    assert whole.back(1).end_day + 1 == whole.start_day


@given(st.integers(1990, 2060), st.integers(1, 12), FISCAL_STARTS)
def test_months_are_calendar_months(year, month, start):
    period = parse_period(f"{year}-{month:02d}", fiscal_year_start=start)
    assert period.start == date(year, month, 1)
    assert (period.end + timedelta(days=1)).day == 1
    assert period.end_day - period.start_day in (27, 28, 29, 30)
    assert period.back(1).end_day + 1 == period.start_day
    assert period.back(12).start == date(year - 1, month, 1)


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "2026Q5",
        "2026Q0",
        "Q4",
        "Q4 2026",
        "26Q4",
        "2026-13",
        "2026-00",
        "2026-1-1",
        "2026Q",
        "x",
        "2026Q44",
    ],
)
def test_what_is_no_period_is_an_error(junk):
    with pytest.raises(AsOfError):
        parse_period(junk)


NO_DATES = ["", "soon", "2026-02-30", "2026Q4", 20260930, None, pd.NaT, math.nan, np.datetime64("NaT")]


@pytest.mark.parametrize("junk", NO_DATES, ids=repr)
def test_what_is_no_date_is_an_error(junk):
    book, _, _ = case(0)
    with pytest.raises(AsOfError):
        engine.spells(book, as_of=junk)


def test_a_date_without_hyphens_is_read_or_refused():
    with suppress(AsOfError):
        assert day_of("20260930") == day_of("2026-09-30")


def test_a_date_may_be_written_in_many_ways():
    day = date(2024, 6, 30)
    stamp = pd.Timestamp("2024-06-30 23:59:59")
    ways = [day, stamp, stamp.to_pydatetime(), stamp.to_datetime64(), "2024-06-30"]
    assert {day_of(way) for way in ways} == {day.toordinal() - date(1970, 1, 1).toordinal()}
    assert to_date(day_of(day)) == day


def test_dates_are_sorted_and_distinct():
    book, _, days = case(0)
    assert as_of_days(book, [to_date(d) for d in [*days[::-1], days[0]]]) == days
    assert as_of_days(book, to_date(days[0])) == days[:1]
    assert as_of_day(book, to_date(days[0])) == days[0]
    with pytest.raises(AsOfError, match=str(END_OF_BOOK.date())):
        as_of_days(book, [END_OF_BOOK.date(), END_OF_BOOK.date() + timedelta(days=1)])
    with pytest.raises(AsOfError):
        as_of_day(book, [to_date(days[0]), to_date(days[1])])
