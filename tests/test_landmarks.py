"""Landmarks and track records: by hand, against an oracle of plain loops, and by the laws of sampling."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest
from oracle import OPEN, PAUSE, RANKS, to_day
from test_timeline import ORIGIN, case, same
from worlds import START, book_of, day_of, simulate, tiny

import salesanalytics as sa
from salesanalytics.features.landmarks import landmark_snapshots, lot
from salesanalytics.features.records import STRENGTH, record_names, records
from salesanalytics.timeline.calendar import to_date
from salesanalytics.timeline.track_records import track_records

module = importlib.import_module("salesanalytics.features.landmarks")
ZERO = to_day(START)
SEEDS = (0, 2, 4)  # late recording, a first day of observation, no recorded_at


def at(number):
    return day_of(number).date()


def grid_of(deal, n_grids=4):
    return int(pd.util.hash_array(np.array([deal], dtype=object), categorize=False)[0] % np.uint64(n_grids))


# ---------------------------------------------------------------- landmarks by hand

PATHS = {
    **{f"filler{k}": [("S1", 0), ("lost", 5)] for k in range(20)},  # so that one late end is no habit
    "won": [("S1", 3), ("S2", 20), ("won", 80)],
    "open": [("S1", 0)],
    "gone": [("S1", 0)],
    "late": [("S1", 0), ("won", 50, 90)],
    "back": [("S1", 0), ("lost", 40), ("S1", 60)],
    "new": [("S1", 99)],
}


@pytest.fixture(scope="module")
def tiny_book():
    seen = [pd.NaT] * len(PATHS)
    seen[list(PATHS).index("gone")] = day_of(60)
    return tiny(PATHS, last=110, deals={"last_seen_on": seen})


def of_day_100(book, **options):
    rows = landmark_snapshots(book, as_of=at(100), **options)
    return rows.assign(day=rows["landmark_day"] - ZERO)


def test_durations_by_hand(tiny_book):
    rows = of_day_100(tiny_book).set_index("deal_id")
    won, opened, gone, late = (rows.loc[[d]] for d in ("won", "open", "gone", "late"))
    assert won["day"].between(3, 79).all()
    assert (won["duration_days"] == 80 - won["day"]).all()
    assert (won["watched_days"] == 100 - won["day"]).all()  # seen to the end of the book, although it ended before
    assert set(won["end"]) == {"won"}
    assert (opened["duration_days"] == 100 - opened["day"]).all()
    assert (opened["watched_days"] == opened["duration_days"]).all()
    assert set(opened["end"]) == {OPEN}
    # nobody saw it after day 60: no landmarks there, and nothing watched
    assert gone["day"].max() <= 60
    assert (gone["duration_days"] == 60 - gone["day"]).all()
    assert (gone["watched_days"] == 60 - gone["day"]).all()
    # signed on day 50, typed in on day 90: open on landmarks until then, and the end comes on day 0
    assert (late["duration_days"] == (50 - late["day"]).clip(lower=0)).all()
    assert (late["watched_days"] == 100 - late["day"]).all()
    assert set(late["end"]) == {"won"}
    assert (late["day"] < 90).all()
    assert late["day"].gt(50).any()
    assert not rows.loc[["back"], "day"].between(40, 59).any()
    assert set(rows.loc[["back"], "end"]) == {OPEN}  # its end was reversed
    assert not rows.loc[rows.index.str.startswith("filler"), "day"].ge(5).any()


def test_landmarks_of_a_deal_are_as_far_apart_as_asked(tiny_book):
    for every in (28, 5, 2):
        rows = of_day_100(tiny_book, every_days=every)
        for deal in ("open", "won", "new"):
            days = rows.loc[rows["deal_id"] == deal, "day"].tolist()
            grids = min(4, every)
            shift = every * grid_of(deal, grids) // grids
            life = {"open": (0, 100), "won": (3, 80), "new": (99, 100)}[deal]
            assert days == [d for d in range(*life) if (ZERO + d) % every == shift]
    assert {(ZERO + d) % 28 for d in of_day_100(tiny_book)["day"]} == {0, 7, 14, 21}


def test_the_last_days_are_unseen_where_ends_are_typed_in_late():
    # every end is typed in 10 days late but for one
    paths = {f"d{k:02d}": [("S1", 0), ("lost", 30 + k, 40 + k)] for k in range(40)}
    paths |= {"quick": [("S1", 0), ("won", 95)], "slow": [("S1", 0), ("lost", 88, 98)], "open": [("S1", 0)]}
    book = tiny(paths, last=110)
    rows = landmark_snapshots(book, as_of=at(100)).set_index("deal_id")
    day = rows["landmark_day"] - ZERO
    assert day.max() < 90
    quick, slow = rows.loc[["quick"]], rows.loc[["slow"]]
    assert set(quick["end"]) == {OPEN}  # signed on day 95, which belongs to the unseen days
    assert (quick["duration_days"] == 90 - day["quick"]).all()
    assert (quick["watched_days"] == 90 - day["quick"]).all()
    assert set(slow["end"]) == {"lost"}
    assert (slow["duration_days"] == 88 - day["slow"]).all()
    assert (slow["watched_days"] == 90 - day["slow"]).all()


def test_nothing_before_gives_no_rows():
    book = tiny({"A": [("S1", 10)]}, last=60)
    for day in (0, 10):
        rows = landmark_snapshots(book, as_of=at(day))
        assert len(rows) == 0
        assert {"deal_id", "state", "landmark_day", "end", "duration_days", "watched_days"} <= set(rows)
    empty = sa.make_book(
        deals=pd.DataFrame({"deal_id": pd.Series(dtype=object), "created_at": pd.Series(dtype="datetime64[ns]")}),
        history=pd.DataFrame({c: pd.Series(dtype=object) for c in ("deal_id", "changed_at", "field", "value")}),
        settings={"extracted_on": "2011-01-01"},
    )
    assert len(landmark_snapshots(empty, as_of="2010-12-31")) == 0


# ---------------------------------------------------------------- landmarks against loops


@pytest.mark.parametrize("seed", SEEDS)
def test_landmarks_are_those_of_the_oracle(seed):
    book, oracle, days = case(seed)
    day = days[-1]
    got = landmark_snapshots(book, as_of=to_date(day))
    horizon, expected = day - oracle.lag(day), []
    for deal in oracle.deals:
        for mark in range(min(oracle.created(d, day) for d in oracle.deals), day + 1):
            known = oracle.known_from(deal) <= mark <= oracle.last_seen(deal)
            if mark % 28 != 7 * grid_of(deal) or not known or mark >= horizon or mark < oracle.observed_from:
                continue
            state, (end, end_day) = oracle.state(deal, mark)["state"], oracle.outcome(deal, day)
            if state not in (*RANKS, PAUSE):
                continue
            watched = horizon - mark
            if end == OPEN or end_day > horizon:
                end, end_day = OPEN, min(horizon, oracle.last_seen(deal))
                watched = end_day - mark
            expected.append((deal, mark, state, end, max(end_day - mark, 0), watched))
    assert len(expected) > 60
    same(got, expected, columns=["deal_id", "landmark_day", "state", "end", "duration_days", "watched_days"])


@pytest.fixture(scope="module")
def world():
    deals, history = simulate(3, days=500, per_day=0.3)
    deals = deals.assign(
        product=np.where(np.arange(len(deals)) % 3, "p", "q"), rep_id=np.resize(["r1", "r2"], len(deals))
    )
    return deals, history


@pytest.fixture(scope="module")
def book(world):
    return book_of(*world, last=499)


@pytest.fixture(scope="module")
def rows(book):
    return landmark_snapshots(book, as_of=at(499))


def test_a_landmark_is_a_snapshot_of_its_date(book, rows):
    for day in rows["landmark_day"].unique()[[3, 20, -1]]:
        own = rows[rows["landmark_day"] == day]
        snapshot = sa.snapshots(book, as_of=to_date(day))
        expected = snapshot[snapshot["deal_id"].isin(own["deal_id"])]
        got = own[snapshot.columns]
        pd.testing.assert_frame_equal(*(x.reset_index(drop=True) for x in (got, expected)), check_dtype=False)


def test_rows_come_by_landmark_and_deal(rows):
    keys = list(zip(rows["landmark_day"], rows["deal_id"], strict=True))
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_the_engine_may_be_asked_in_parts(world, rows, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 200)
    pd.testing.assert_frame_equal(landmark_snapshots(book_of(*world, last=499), as_of=at(499)), rows)


def test_landmarks_asked_for_before_are_the_same_again(world, rows):
    book = book_of(*world, last=499)
    for day, cap in ((300, 50), (420, 25_000), (350, 100), (499, 80)):
        again, first = (landmark_snapshots(b, as_of=at(day), cap=cap) for b in (book, book_of(*world, last=499)))
        pd.testing.assert_frame_equal(again, first)
    pd.testing.assert_frame_equal(landmark_snapshots(book, as_of=at(499)), rows)


# ---------------------------------------------------------------- sampling


def test_a_cap_keeps_a_share_of_the_same_rows(book, rows):
    for cap in (len(rows) // 2, len(rows) // 5):
        kept = landmark_snapshots(book, as_of=at(499), cap=cap)
        assert abs(len(kept) - cap) < 4 * np.sqrt(cap) + 0.06 * cap  # the four grids are not equally full
        both = kept.merge(rows, how="left", on=list(rows.columns))
        assert len(both) == len(kept)
        key = ["deal_id", "landmark_day", "duration_days", "end", "age_days", "log_amount"]
        assert set(map(tuple, kept[key].to_numpy().tolist())) <= set(map(tuple, rows[key].to_numpy().tolist()))


def test_rows_kept_stay_when_other_deals_leave_the_book(world, rows):
    deals, history = world
    some = deals["deal_id"].iloc[::2]
    fewer = book_of(deals[deals["deal_id"].isin(some)], history[history["deal_id"].isin(some)], last=499)
    cap = len(rows) // 3
    kept = landmark_snapshots(book_of(deals, history, last=499), as_of=at(499), cap=cap)
    then = landmark_snapshots(fewer, as_of=at(499), cap=cap)
    pairs, pairs_then = (set(zip(x["deal_id"], x["landmark_day"], strict=True)) for x in (kept, then))
    assert {pair for pair in pairs if pair[0] in set(some)} <= pairs_then  # a smaller book keeps more, and never less


def test_a_lot_is_a_fair_draw_and_belongs_to_deal_and_landmark():
    ids = pd.Series([f"D{k}" for k in range(20_000)])
    day = pd.Series(np.full(len(ids), 14_700))
    drawn = lot(ids, day)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts = np.histogram(drawn, bins=20, range=(0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 45  # chi square, 19 degrees of freedom: beyond once in 1500
    np.testing.assert_array_equal(lot(ids[::-1], day), drawn[::-1])
    np.testing.assert_array_equal(lot(ids[5:6], day[:1]), drawn[5:6])
    grid = np.array([grid_of(deal) for deal in ids[:4000]])
    for other in (lot(ids, day + 1), lot(ids, day + 28), (ids + "x").pipe(lot, day)):
        assert abs(np.corrcoef(drawn, other)[0, 1]) < 0.03
    assert all(abs(drawn[:4000][grid == k].mean() - 0.5) < 0.04 for k in range(4))


# ---------------------------------------------------------------- track records by hand

HAND = {
    "A": [("S1", 0), ("lost", 10), ("S1", 20), ("won", 30)],  # reopened, then won
    "B": [("S1", 0), ("won", 15)],
    "C": [("S1", 0), ("lost", 12, 25)],  # typed in on day 25
    "D": [("S1", 0), ("lost", 22)],  # r1 gave it to r2 on day 18
    "E": [("S1", 0), ("won", 5)],  # r1 won it; given to r2 on day 40
    "F": [("S1", 0), ("withdrawn", 33)],  # nobody's
    "G": [("S1", 0)],
}


@pytest.fixture(scope="module")
def hand():
    deals = {"rep_id": ["r1", "r1", "r2", "r1", "r1", None, "r1"], "product": ["x", "x", "y", "y", None, "x", "y"]}
    history = [("D", "rep_id", "r2", 18), ("E", "rep_id", "r2", 40)]
    return tiny(HAND, last=60, deals=deals, history=history)


def counted(book, by, value, *days):
    rows = pd.DataFrame({"as_of_day": ZERO + np.array(days), by or "nothing": value}, index=np.arange(len(days)) + 7)
    found = track_records(book, rows, by=[by] if by else [])
    assert found.index.equals(rows.index)
    return list(zip(found[f"{by or 'all'}_n_ended"], found[f"{by or 'all'}_n_won"], strict=True))


def test_track_records_by_hand(hand):
    days = (4, 5, 10, 12, 15, 20, 22, 25, 30, 33, 60)
    assert counted(hand, None, None, *days) == [
        (0, 0), (1, 1), (2, 1), (2, 1), (3, 2), (2, 2), (3, 2), (4, 2), (5, 3), (6, 3), (6, 3),
    ]  # fmt: skip
    # r1: E won, A lost, B won, A open again on day 20, A won on day 30; D had left
    assert counted(hand, "rep_id", "r1", *days) == [
        (0, 0), (1, 1), (2, 1), (2, 1), (3, 2), (2, 2), (2, 2), (2, 2), (3, 3), (3, 3), (3, 3),
    ]  # fmt: skip
    assert counted(hand, "rep_id", "r2", 12, 21, 22, 25, 60) == [(0, 0), (0, 0), (1, 0), (2, 0), (2, 0)]
    assert counted(hand, "product", "x", 10, 15, 20, 30, 33) == [(1, 0), (2, 1), (1, 1), (2, 2), (3, 2)]
    assert counted(hand, "product", "y", 21, 22, 25) == [(0, 0), (1, 0), (2, 0)]
    for missing in (None, np.nan, "nobody"):
        assert counted(hand, "rep_id", missing, 60) == [(0, 0)]
        assert counted(hand, "product", missing, 60) == [(0, 0)]


def test_record_columns_of_a_snapshot_by_hand(hand):
    row = sa.snapshots(hand, as_of=at(30)).set_index("deal_id").loc["G"]
    # of 5 deals 3 were won, hence 4 of 7; r1 won 3 of 3, product y 0 of 2
    p0 = 4 / 7
    rep, product = (3 + 10 * p0) / 13, (0 + 10 * p0) / 12
    assert row["rep_id_record"] == pytest.approx(np.log(rep / (1 - rep)) - np.log(p0 / (1 - p0)))
    assert row["product_record"] == pytest.approx(np.log(product / (1 - product)) - np.log(p0 / (1 - p0)))
    assert row["rep_id_n_ended"] == 3
    assert {"rep_id", "product"} <= set(record_names(hand))
    assert "never_there" not in record_names(hand)


def test_a_record_is_drawn_to_the_others_and_has_its_sign():
    columns = {"all_n_ended": 18, "all_n_won": 8, "rep_id_n_ended": [0, 10, 10, 1000], "rep_id_n_won": [0, 9, 0, 900]}
    got = records(pd.DataFrame(columns, index=[3, 1, 2, 0]), pd.DataFrame())
    p = (np.array([0, 9, 0, 900]) + STRENGTH * 0.45) / (np.array([0, 10, 10, 1000]) + STRENGTH)
    assert got["rep_id_record"].tolist() == pytest.approx((np.log(p / (1 - p)) - np.log(0.45 / 0.55)).tolist())
    assert got["rep_id_record"].iloc[0] == 0
    assert got["rep_id_record"].iloc[2] < 0 < got["rep_id_record"].iloc[1] < got["rep_id_record"].iloc[3]
    assert got.index.tolist() == [3, 1, 2, 0]


# ---------------------------------------------------------------- track records against loops


def owner_at_the_end(oracle, deal, day):
    """Owner on the day on which the end, as it stands on a day, was known."""
    known = [row.known for row in oracle.known_rows(deal, day, "stage")]
    return oracle.owner(deal, max(known))


@pytest.mark.parametrize("by", [None, "product", "rep_id"])
@pytest.mark.parametrize("seed", SEEDS)
def test_track_records_are_those_of_the_oracle(seed, by):
    book, oracle, days = case(seed)
    expected, asked = [], []
    for day in [*days, to_day(ORIGIN) + 77]:
        ends = {d: oracle.outcome(d, day)[0] for d in oracle.known_deals(day)}
        ends = {d: end for d, end in ends.items() if end != OPEN}
        owners = {d: owner_at_the_end(oracle, d, day) if by == "rep_id" else oracle.deals[d].get(by) for d in ends}
        for value in {None: [None], "product": ["p", "q"], "rep_id": ["r1", "r2", "r3", "r9", None]}[by]:
            mine = [end for d, end in ends.items() if by is None or owners[d] == value]
            expected.append((len(mine), mine.count("won")) if by is None or value else (0, 0))
            asked.append((day, value))
    rows = pd.DataFrame(asked, columns=["as_of_day", by or "all"]).sample(frac=1, random_state=seed)
    found = track_records(book, rows, by=[by] if by else []).sort_index()
    assert list(zip(found[f"{by or 'all'}_n_ended"], found[f"{by or 'all'}_n_won"], strict=True)) == expected
    assert max(n for n, _ in expected) >= 8
