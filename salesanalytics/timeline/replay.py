"""Replay of the history: for every deal, what was known of it, and from which day to which day.

A row counts from the day on which it could be read (``known_day``), yet takes its place in the order of what
happened (``seq``). So a deal has one *version* for each day on which something about it became known, and a version
holds all rows known by then in the order in which they happened, also those typed in late. Versions are computed
once a book; the view as of any date is the version valid on that date. Nothing else reads raw history.

Deals are positions in ``book.deals`` here, and states are codes (`state_codes`), both whole numbers; `collect` gives
them their names back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from salesanalytics.book import DealBook
from salesanalytics.timeline.calendar import FOREVER

col = nw.col
Lazy = nw.LazyFrame[Any]
OPEN = "open"
PACK = 4096  # seq * PACK + code: one number that orders by seq and remembers the code


def ended_states(book: DealBook) -> list[int]:
    """Codes of the end states."""
    return [book.state_codes[i] for i in book.process.end_state_ids]


def collect(book: DealBook, frame: Lazy) -> pd.DataFrame:
    """Bring a frame of the engine to pandas; ``deal`` becomes ``deal_id``, codes become names.

    Rows come by date and deal: the engine keeps no order, and a sum over another order has other last digits.
    """
    table = _by_date_and_deal(frame.collect("pyarrow").to_native().to_pandas())
    if "deal" in table:
        table.insert(0, "deal_id", book.deals["deal_id"].to_numpy(dtype=object)[table.pop("deal").to_numpy()])
    for name, nothing in (("state", None), ("stage", None), ("next_state", None), ("end", OPEN)):
        if name in table:
            names = np.array([nothing, *book.state_codes], dtype=object)
            table[name] = names[table[name].fillna(0).to_numpy(dtype="int64")]
    return table


def _by_date_and_deal(table: pd.DataFrame) -> pd.DataFrame:
    keys = [table[c].to_numpy() for c in ("as_of_day", "deal", "visit", "state") if c in table]
    order = np.lexsort(keys[::-1]) if keys and len(table) else np.arange(len(table))
    in_order = (np.diff(order) == 1).all()
    return table if in_order else table.iloc[order].reset_index(drop=True)


def stage_rows(book: DealBook) -> Lazy:
    """Changes of the seller's stage: ``deal``, ``seq``, ``day``, ``known_day``, ``code``."""
    return book.events.filter(col("field") == "stage").select("deal", "seq", "day", "known_day", "code")


def _in_order_and_late(book: DealBook, rows: Lazy, name: str) -> tuple[Lazy, Lazy]:
    """Rows with the ``part`` they are replayed in: deals known in the order of what happened, and the others.

    A deal of the first kind needs one part: each of its rows stands for the version that it opened. For the others
    every version is spelled out as a part of its own (``version``), with all rows known by then.
    """
    known_before = col("known_day").cum_max().over("deal", order_by="seq")
    out_of_order = rows.with_columns(before=known_before).filter(col("before") > col("known_day"))
    late = book.engine.once(f"late_{name}", lambda: out_of_order.select("deal").unique())
    in_order = rows.join(late, on="deal", how="anti").with_columns(part=col("deal"))
    of_late = rows.join(late, on="deal", how="semi")
    versions = (
        of_late.select("deal", version=col("known_day")).unique().with_row_index("part", order_by=("deal", "version"))
    )
    spelled = versions.join(of_late, on="deal").filter(col("known_day") <= col("version"))
    return in_order, spelled


def _over(expr: nw.Expr) -> nw.Expr:
    return expr.over("part", order_by="seq")


def _versions(
    book: DealBook, rows: Lazy, name: str, *, replay: Callable[[Lazy], Lazy], columns: tuple[str, ...]
) -> Lazy:
    """The last row of each version after a replay, with the days from which and to which it holds.

    A replay adds ``next_known`` (`_next_known`) beside its columns, in the pass that it needs anyway.
    """
    in_order, late = _in_order_and_late(book, rows, name)
    opened = replay(in_order).filter(col("next_known").is_null() | (col("next_known") > col("known_day")))
    opened = opened.with_columns(valid_from=col("known_day"), valid_to=col("next_known").fill_null(FOREVER))
    spelled = replay(late).filter(col("next_known").is_null()).with_columns(valid_from=col("version"))
    following = col("valid_from").shift(-1).over("deal", order_by="valid_from")
    spelled = spelled.with_columns(valid_to=following.fill_null(FOREVER))
    kept = ("deal", "valid_from", "valid_to", *columns)
    return nw.concat([opened.select(*kept), spelled.select(*kept)], how="vertical")


def _next_known() -> nw.Expr:
    return _over(col("known_day").shift(-1))


def _counts(*conditions: nw.Expr) -> nw.Expr:
    """How often each condition held so far: one running sum, the k-th count in the k-th digit to base PACK."""
    digits = [nw.when(held).then(nw.lit(PACK**k)).otherwise(nw.lit(0)) for k, held in enumerate(conditions)]
    return _over(nw.sum_horizontal(*digits).cum_sum()).cast(nw.Int64)


def _digit(name: str, k: int) -> nw.Expr:
    return (col(name) // PACK**k) % PACK


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
    highest stage, 0 without).
    """
    return book.engine.once("path_versions", lambda: _path_versions(book))


def _path_versions(book: DealBook) -> Lazy:
    rows = stage_rows(book)
    versions = _versions(book, rows, "stage", replay=lambda part: _replay_path(part, book), columns=PATH_COLUMNS)
    silent = _before_any_stage(book, rows)
    return nw.concat([versions.with_columns(_as_integers()), silent.with_columns(_as_integers())], how="vertical")


def _replay_path(rows: Lazy, book: DealBook) -> Lazy:
    """State and path after each row of a part."""
    ends = ended_states(book)
    pauses = [book.state_codes[i] for i in book.process.pause_state_ids]
    is_seller = (col("code") >= 1) & (col("code") <= len(book.process.stages))
    packed = col("seq") * PACK + col("code")
    # sentinels instead of nulls: a cumulative maximum is null where its own value is null
    seen = rows.with_columns(
        before=_over(col("code").shift(1)),
        seller=_over(nw.when(is_seller).then(packed).otherwise(nw.lit(0)).cum_max()),
        first_seller=_over(nw.when(is_seller).then(packed).otherwise(nw.lit(FOREVER * PACK)).cum_min()),
        max_rank=_over(nw.when(is_seller).then(col("code")).otherwise(nw.lit(0)).cum_max()),
        next_known=_next_known(),
    )
    is_new = col("before").is_null() | (col("before") != col("code"))
    pause, was_pause = col("code").is_in(pauses), col("before").is_in(pauses)
    stepped = seen.with_columns(
        seller_before=_over(col("seller").shift(1)) % PACK,
        since_day=_over(nw.when(is_new).then(col("day")).otherwise(nw.lit(-FOREVER)).cum_max()),
        visits=_counts(is_new, is_new & pause, col("before").is_in(ends) & ~col("code").is_in(ends)),
        holds=_over(nw.when(is_new & was_pause).then(col("day")).otherwise(nw.lit(0)).cum_sum())
        - _over(nw.when(is_new & pause).then(col("day")).otherwise(nw.lit(0)).cum_sum()),
    )
    after_seller = is_seller & (col("seller_before") > 0)
    moved = stepped.with_columns(
        moves=_counts(
            after_seller & (col("code") < col("seller_before")), after_seller & (col("code") > col("seller_before") + 1)
        )
    )
    lasting = nw.when(pause).then(col("since_day")).otherwise(nw.lit(0))  # a hold that is not over counts later
    return moved.with_columns(
        state=col("code"),
        stage=col("seller") % PACK,
        n_visits=_digit("visits", 0),
        n_holds=_digit("visits", 1),
        n_reopened=_digit("visits", 2),
        n_regressions=_digit("moves", 0),
        n_skips=_digit("moves", 1),
        hold_days=col("holds") + lasting,
        entry_rank=col("first_seller") % PACK,  # 0 when no seller stage is known
    )


def _as_integers() -> nw.Expr:
    return col("valid_from", "valid_to", *PATH_COLUMNS).cast(nw.Int64)


def _before_any_stage(book: DealBook, rows: Lazy) -> Lazy:
    """A deal of which no stage is known yet stands in the first stage since its creation."""
    first_known = rows.group_by("deal").agg(stage_known=col("known_day").min())
    fixed = dict.fromkeys(("n_regressions", "n_skips", "n_holds", "hold_days", "n_reopened"), 0)
    fixed |= dict.fromkeys(("state", "stage", "n_visits", "entry_rank", "max_rank"), 1)
    return (
        births(book)
        .join(first_known, on="deal", how="left")
        .with_columns(
            valid_to=nw.min_horizontal(col("valid_to"), col("stage_known").fill_null(FOREVER)),
            since_day=col("created_day"),
            **{name: nw.lit(value) for name, value in fixed.items()},
        )
        .filter(col("valid_from") < col("valid_to"))
        .select("deal", "valid_from", "valid_to", *PATH_COLUMNS)
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
    first = rows.group_by("deal").agg(known_from=col("known_day").min(), earliest=col("day").min())
    silent = deals.join(first, on="deal", how="anti").filter(~col("deal_created_day").is_null())
    of_silent = silent.select(
        "deal", valid_from=col("deal_created_day"), known_from=col("deal_created_day"), earliest=col("deal_created_day")
    )
    known = nw.concat([_earlier_rows(rows, first), of_silent], how="vertical")
    return known.join(deals, on="deal").select(
        "deal",
        "valid_from",
        valid_to=col("valid_from").shift(-1).over("deal", order_by="valid_from").fill_null(FOREVER),
        known_from=col("known_from"),
        created_day=nw.min_horizontal("earliest", "deal_created_day"),
        last_seen_day=col("last_seen_day").fill_null(FOREVER),
    )


def _earlier_rows(rows: Lazy, first: Lazy) -> Lazy:
    """The earliest day of a deal by what is known, and from when: most deals begin with their first known row."""
    at_first = rows.join(first, on="deal").filter(col("known_day") == col("known_from"))
    begun = at_first.group_by("deal", "known_from", "earliest").agg(first_day=col("day").min())
    moved = begun.filter(col("earliest") < col("first_day")).select("deal", "known_from")
    by_known: dict[str, Any] = {"order_by": "known_day"}
    days = rows.join(moved, on="deal").group_by("deal", "known_from", "known_day").agg(day=col("day").min())
    steps = days.with_columns(earliest=col("day").cum_min().over("deal", **by_known)).with_columns(
        before=col("earliest").shift(1).over("deal", **by_known)
    )
    changed = steps.filter(col("before").is_null() | (col("earliest") < col("before")))
    kept = ("deal", "valid_from", "known_from", "earliest")
    simple = begun.join(moved, on="deal", how="anti").with_columns(valid_from=col("known_from"))
    return nw.concat(
        [simple.select(*kept), changed.with_columns(valid_from=col("known_day")).select(*kept)], how="vertical"
    )


def trail(book: DealBook, name: str) -> Lazy:
    """How a number or a date that is kept in history moved: one row a deal and version.

    Columns: ``deal``, ``valid_from``, ``valid_to``, ``first``, ``last``, ``n_changes``, ``n_up``, ``n_down``; of an
    amount only positive values count. A date is in days since 1970-01-01.
    """
    return book.engine.once(f"trail_{name}", lambda: _trail(book, name))


def _trail(book: DealBook, name: str) -> Lazy:
    x = nw.coalesce(col("number"), col("value_day").cast(nw.Float64))
    rows = book.events.filter(col("field") == name).with_columns(x=x).filter(~col("x").is_null())
    rows = rows.select("deal", "seq", "known_day", "x")
    if name == "amount":
        rows = rows.filter(col("x") > 0)
    columns = ("first", "last", "n_changes", "n_up", "n_down")
    return _versions(book, rows, name, replay=_replay_trail, columns=columns)


def _replay_trail(rows: Lazy) -> Lazy:
    steps = rows.with_columns(before=_over(col("x").shift(1)), first=_over(col("x").first()), next_known=_next_known())
    moved = steps.with_columns(moves=_counts(col("x") > col("before"), col("x") < col("before")))
    named = moved.with_columns(last=col("x"), n_up=_digit("moves", 0), n_down=_digit("moves", 1))
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


def at_dates(book: DealBook, versions: Lazy, days: list[int]) -> Lazy:
    """The versions valid at the end of each date: adds ``as_of_day``, drops the validity."""
    dates = book.engine.frame(pa.table({"as_of_day": pa.array(days, pa.int64())}))
    valid = (col("valid_from") <= col("as_of_day")) & (col("as_of_day") < col("valid_to"))
    return versions.join(dates, how="cross").filter(valid).drop("valid_from", "valid_to")
