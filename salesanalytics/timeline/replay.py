"""Replay of the history: for every deal, what was known of it, and from which day to which day.

A row counts from the day on which it could be read (``known_day``), yet takes its place in the order of what
happened (``seq``). Versions (`salesanalytics.timeline.versions`) are computed once a book; the view as of any date is
the version valid on that date. Nothing else reads raw history.

Deals are positions in ``book.deals`` here, and states are codes (`state_codes`), both whole numbers; `collect` gives
them their names back.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from salesanalytics.book import DealBook
from salesanalytics.timeline.calendar import FOREVER, to_day
from salesanalytics.timeline.entries import entry_columns, running_entries
from salesanalytics.timeline.versions import VALIDITY, Lazy, digit, over, rest, steps, sums, versions

col = nw.col
OPEN = "open"
DAY_ONE = to_day("0001-01-01")  # the first date there is


def ended_states(book: DealBook) -> list[int]:
    """Codes of the end states."""
    return [book.state_codes[i] for i in book.process.end_state_ids]


def collect(book: DealBook, frame: Lazy) -> pd.DataFrame:
    """Bring a frame of the engine to pandas; ``deal`` becomes ``deal_id``, codes become names.

    Rows come by date and deal: the engine keeps no order, and a sum over another order has other last digits.
    """
    table = _by_date_and_deal(frame.collect("pyarrow").to_native().to_pandas(split_blocks=True))
    if "deal" in table:
        table.insert(0, "deal_id", book.deals["deal_id"].to_numpy(dtype=object)[table.pop("deal").to_numpy()])
    for name, nothing in (("state", None), ("stage", None), ("next_state", None), ("end", OPEN)):
        if name in table:
            names = np.array([nothing, *book.state_codes], dtype=object)
            table[name] = names[table[name].fillna(0).to_numpy(dtype="int64")]
    return table


def _by_date_and_deal(table: pd.DataFrame) -> pd.DataFrame:
    keys = [table[c].to_numpy() for c in ("as_of_day", "deal", "visit", "state") if c in table]
    return table if _in_order(keys) else table.iloc[np.lexsort(keys[::-1])].reset_index(drop=True)


def _in_order(keys: list[np.ndarray]) -> bool:
    """Whether rows are sorted by the first key, ties by the next: much cheaper to see than to sort again."""
    tied = np.ones(max(len(keys[0]) - 1, 0), dtype=bool) if keys else np.zeros(0, dtype=bool)
    for key in keys:
        before, after = key[:-1], key[1:]
        if (tied & ~(before <= after)).any():
            return False
        tied &= before == after
    return True


def stage_rows(book: DealBook) -> Lazy:
    """Changes of the seller's stage: ``deal``, ``seq``, ``day``, ``known_day``, ``code``."""
    return book.events.filter(col("field") == "stage").select("deal", "seq", "day", "known_day", "code")


PATH_COLUMNS = (
    "state", "since_day", "stage", "n_visits", "n_regressions", "n_skips", "n_holds",
    "hold_days", "n_reopened", "entry_rank", "max_rank",
)  # fmt: skip


def path_versions(book: DealBook) -> Lazy:
    """State and path of every deal, one row a deal and version.

    Columns: ``deal``, ``valid_from``, ``valid_to`` (exclusive), ``state`` (stage, pause or end), ``since_day`` (first
    day of the current visit to it), ``stage`` (last seller stage), ``n_visits``,
    ``n_regressions`` and ``n_skips`` (falls, and jumps over a stage, from one seller stage to the next), ``n_holds``,
    ``hold_days`` (of finished holds), ``n_reopened``, ``entry_rank``, ``max_rank`` (order of the first and of the
    highest stage, 0 without), and the columns of `entry_columns`.
    """
    return book.engine.once("path_versions", lambda: _path_versions(book))


def _path_versions(book: DealBook) -> Lazy:
    stepped = steps(book, "stage", stage_rows(book).select(nw.all().cast(nw.Int32)), of="code")  # half as much to sort
    columns = (*PATH_COLUMNS, *entry_columns(book))
    known = versions(stepped, of="code", replay=lambda part: _replay_path(part, book), columns=columns)
    silent = _before_any_stage(book, stepped)
    as_integers = col("deal", "valid_from", "valid_to", *columns).cast(nw.Int64)
    return nw.concat([known.with_columns(as_integers), silent.with_columns(as_integers)], how="vertical")


def _replay_path(rows: Lazy, book: DealBook) -> Lazy:
    """State and path after each row of a part."""
    last_stage = len(book.process.stages)  # codes are of stages, then of pauses, then of ends
    last_pause = last_stage + len(book.process.pause_state_ids)
    code, before = col("code"), col("before")
    is_seller, was_seller = code <= last_stage, before <= last_stage
    is_pause, was_pause = ((x > last_stage) & (x <= last_pause) for x in (code, before))
    is_new = before.is_null() | (before != code)
    paused, resumed = is_new & is_pause, is_new & was_pause
    entered = is_new & is_seller
    reopened = (before > last_pause) & (code <= last_pause)
    paused_on, resumed_on = (nw.when(x).then(col("day")).otherwise(nw.lit(0)) for x in (paused, resumed))
    seen = rows.with_columns(
        since_day=over(nw.when(is_new).then(col("day")).fill_null(strategy="forward")),
        seller_before=over(nw.when(was_seller).then(before).fill_null(strategy="forward")).fill_null(0),
        # 0 and not null in other states: a running maximum is null where its own value is null
        max_rank=over(nw.when(is_seller).then(code).otherwise(nw.lit(0)).cum_max()),
        visits=sums(is_new, paused, reopened, resumed_on - paused_on),
        entered_today=entered.cast(nw.Int64).cum_sum().over("part", "code", "day", order_by="seq"),
        **VALIDITY,
    )
    last = col("seller_before")
    fell, skipped = is_seller & (code < last), is_seller & (last > 0) & (code > last + 1)
    entry = nw.when(is_seller & (last == 0)).then(code).otherwise(nw.lit(0))
    moved = seen.with_columns(
        moves=sums(fell, skipped, entry), **running_entries(book, entered & (col("entered_today") == 1))
    )
    lasting = nw.when(is_pause).then(col("since_day")).otherwise(nw.lit(0))  # a hold that is not over counts later
    return moved.with_columns(
        state=code,
        stage=nw.when(is_seller).then(code).otherwise(last),
        n_visits=digit("visits", 0),
        n_holds=digit("visits", 1),
        n_reopened=digit("visits", 2),
        hold_days=rest("visits", 3) + lasting,
        n_regressions=digit("moves", 0),
        n_skips=digit("moves", 1),
        entry_rank=rest("moves", 2),
    )


def _before_any_stage(book: DealBook, stepped: Lazy) -> Lazy:
    """A deal of which no stage is known yet stands in the first stage since its creation."""
    first_known = stepped.filter(col("before").is_null()).select("deal", stage_known=col("onward"))
    fixed = dict.fromkeys(("n_regressions", "n_skips", "n_holds", "hold_days", "n_reopened"), 0)
    fixed |= dict.fromkeys(entry_columns(book), 0)
    fixed |= dict.fromkeys(("state", "stage", "n_visits", "entry_rank", "max_rank", "entries_0"), 1)
    return (
        births(book)
        .join(first_known, on="deal", how="left")
        .with_columns(
            valid_to=nw.min_horizontal(col("valid_to"), col("stage_known").fill_null(FOREVER)),
            since_day=col("created_day"),
            **{name: nw.lit(value) for name, value in fixed.items()},
        )
        .filter(col("valid_from") < col("valid_to"))
        .select("deal", "valid_from", "valid_to", *PATH_COLUMNS, *entry_columns(book))
    )


def births(book: DealBook) -> Lazy:
    """Since when a deal is known and when it was created, by what is known: one row a deal and version.

    Columns: ``deal``, ``valid_from``, ``valid_to``, ``known_from``, ``created_day``, ``last_seen_day``. Creation is
    ``created_at``, moved back to the first known row where that is earlier; a deal without ``created_at`` begins
    with that row, and a deal without rows is known from ``created_at``.
    """
    return book.engine.once("births", lambda: _births(book))


def _births(book: DealBook) -> Lazy:
    deals = book.engine.table("deal_facts").select("deal", "deal_created_day", "last_seen_day")
    rows = book.events.select("deal", "day", "known_day")
    # in one number: the day on which a deal is first known, and the first day among the rows known then
    packed = col("known_day") * FOREVER + (col("day") - DAY_ONE)
    first = rows.group_by("deal").agg(packed=packed.min(), earliest=col("day").min())
    first = first.with_columns(known_from=col("packed") // FOREVER, first_day=col("packed") % FOREVER + DAY_ONE)
    moved = first.filter(col("earliest") < col("first_day")).select("deal", "known_from")
    begun = deals.join(moved, on="deal", how="anti").join(first, on="deal", how="left")
    begun = begun.with_columns(
        known_from=nw.coalesce("known_from", "deal_created_day"), earliest=nw.coalesce("earliest", "deal_created_day")
    )
    begun = begun.filter(~col("known_from").is_null())
    begun = begun.with_columns(valid_from=col("known_from"), valid_to=nw.lit(FOREVER).cast(nw.Int64))
    kept = ("deal", "valid_from", "valid_to", "known_from", "earliest")
    known = nw.concat([begun.select(*kept), _moved_back(rows, moved).select(*kept)], how="vertical")
    return known.join(deals, on="deal").select(
        "deal",
        "valid_from",
        "valid_to",
        "known_from",
        created_day=nw.min_horizontal("earliest", "deal_created_day"),
        last_seen_day=col("last_seen_day").fill_null(FOREVER),
    )


def _moved_back(rows: Lazy, moved: Lazy) -> Lazy:
    """Deals of which an earlier row became known later: their earliest day after each day of knowledge."""
    by_known: dict[str, Any] = {"order_by": "known_day"}
    days = rows.join(moved, on="deal").group_by("deal", "known_from", "known_day").agg(day=col("day").min())
    return days.with_columns(
        valid_from=col("known_day"),
        valid_to=col("known_day").shift(-1).over("deal", **by_known).fill_null(FOREVER),
        earliest=col("day").cum_min().over("deal", **by_known),
    )


def trail(book: DealBook, name: str) -> Lazy:
    """How a number or a date that is kept in history moved: one row a deal and version.

    Columns: ``deal``, ``valid_from``, ``valid_to``, ``first``, ``last``, ``n_changes``, ``n_up``, ``n_down``. Of an
    amount only positive values count: one that was emptied is the last one known. A date (days since 1970-01-01) that
    was emptied is none (``last`` null) from then on, and the next one is compared with the one before.
    """
    return book.engine.once(f"trail_{name}", lambda: _trail(book, name))


def _trail(book: DealBook, name: str) -> Lazy:
    x = nw.coalesce(col("number"), col("value_day").cast(nw.Float64))
    rows = book.events.filter(col("field") == name).select("deal", "seq", "known_day", x=x)
    if name == "amount":
        rows = rows.filter(col("x") > 0)
    columns = ("first", "last", "n_changes", "n_up", "n_down")
    return versions(steps(book, name, rows, of="x"), of="x", replay=_replay_trail, columns=columns)


def _replay_trail(rows: Lazy) -> Lazy:
    stated = rows.with_columns(before=over(col("before").fill_null(strategy="forward")))  # the last one that was stated
    went_up, went_down = col("x") > col("before"), col("x") < col("before")
    first = nw.when(col("before").is_null()).then(col("x")).fill_null(strategy="forward")
    moved = stated.with_columns(first=over(first), moves=sums(went_down, went_up), **VALIDITY)
    named = moved.with_columns(last=col("x"), n_up=rest("moves", 1), n_down=digit("moves", 0))
    return named.with_columns(n_changes=col("n_up") + col("n_down"))


def latest(book: DealBook, name: str) -> Lazy:
    """The last known text of a field, one row a value: ``deal, valid_from, valid_to, value``.

    A row is the last one from the day it is known until a row that happened later is known.
    """
    return book.engine.once(f"latest_{name}", lambda: _latest(book, name))


def _latest(book: DealBook, name: str) -> Lazy:
    rows = book.events.filter(col("field") == name).select("deal", "seq", "known_day", "value")
    later = col("known_day").cum_min(reverse=True).over("deal", order_by="seq")
    return (
        rows.with_columns(later=later)
        .with_columns(valid_to=col("later").shift(-1).over("deal", order_by="seq").fill_null(FOREVER))
        .filter(col("known_day") < col("valid_to"))
        .select("deal", valid_from=col("known_day"), valid_to=col("valid_to"), value=col("value"))
    )


Asked: TypeAlias = "list[int] | pd.DataFrame"


def meet(book: DealBook, rows: Lazy, asked: Asked) -> Lazy:
    """Rows of deals beside the days they are asked for: every day of a list, or a deal's own (``deal, as_of_day``)."""
    pairs = pd.DataFrame({"as_of_day": asked}, dtype="int64") if isinstance(asked, list) else asked
    table = book.engine.frame(pa.table({c: pa.array(pairs[c], pa.int64()) for c in pairs}))
    return rows.join(table, how="cross") if isinstance(asked, list) else rows.join(table, on="deal")


def at_dates(book: DealBook, versions: Lazy, asked: Asked) -> Lazy:
    """The versions valid at the end of the days asked for (see `meet`): adds ``as_of_day``, drops the validity."""
    if isinstance(asked, list) and len(asked) == 1:  # no table to join with, which an engine plans far sooner
        day = nw.lit(asked[0])
        standing = versions.filter((col("valid_from") <= day) & (day < col("valid_to")))
        return standing.with_columns(as_of_day=day.cast(nw.Int64)).drop("valid_from", "valid_to")
    valid = (col("valid_from") <= col("as_of_day")) & (col("as_of_day") < col("valid_to"))
    return meet(book, versions, asked).filter(valid).drop("valid_from", "valid_to")
