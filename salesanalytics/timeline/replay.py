"""Replay of the history: for every deal, what was known of it, and from which day to which day.

A row counts from the day on which it could be read (``known_day``), yet takes its place in the order of what
happened (``seq``). So one deal has one *version* for each day on which something about it became known, and a
version holds all rows known by then in the order in which they happened, also those typed in late. Versions are
computed once a book; the view as of any date is the version valid on that date. Nothing else reads raw history.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pyarrow as pa

from salesanalytics.book import DealBook
from salesanalytics.timeline.calendar import FOREVER

col = nw.col
Lazy = nw.LazyFrame[Any]


def path_versions(book: DealBook) -> Lazy:
    """State and path of every deal, one row a deal and version.

    Columns: ``deal_id``, ``valid_from``, ``valid_to`` (exclusive), ``state`` (stage, pause or end), ``since_day``
    (first day of the current visit to it), ``stage`` (last seller stage), ``first_stage_day``, ``n_visits``,
    ``n_regressions``, ``n_skips``, ``n_holds``, ``hold_days`` (finished holds), ``n_reopened``, ``entry_rank``,
    ``max_rank``.
    """
    return book.engine.once("path_versions", lambda: _path_versions(book))


def _path_versions(book: DealBook) -> Lazy:
    process = book.process
    rows = book.events.filter(col("field") == "stage").select("deal_id", "seq", "day", "known_day", "value", "rank")
    visible = _visible(rows)
    key = ("deal_id", "version")

    def previous(name: str) -> nw.Expr:
        return col(name).shift(1).over(*key, order_by="seq")

    ends, pauses = list(process.end_state_ids), list(process.pause_state_ids)
    steps = visible.with_columns(
        before=previous("value"), next_day=col("day").shift(-1).over(*key, order_by="seq")
    ).with_columns(
        is_new=(col("before").is_null() | (col("before") != col("value"))).fill_null(value=True),
        is_pause=col("value").is_in(pauses),
        reopens=(col("before").is_in(ends) & ~col("value").is_in(ends)).fill_null(value=False),
    )
    state = steps.group_by(*key).agg(
        last_seq=col("seq").max(),
        since_day=nw.when(col("is_new")).then(col("day")).max(),
        first_stage_day=col("day").min(),
        n_visits=nw.when(col("is_new")).then(1).otherwise(0).sum(),
        n_holds=nw.when(col("is_new") & col("is_pause")).then(1).otherwise(0).sum(),
        hold_days=nw.when(col("is_pause")).then(col("next_day") - col("day")).otherwise(0).sum(),
        n_reopened=nw.when(col("reopens")).then(1).otherwise(0).sum(),
    )
    walk = (
        visible.filter(col("rank") > 0)
        .with_columns(before=previous("rank"))
        .group_by(*key)
        .agg(
            stage_seq=col("seq").max(),
            first_seq=col("seq").min(),
            max_rank=col("rank").max(),
            n_regressions=nw.when(col("rank") < col("before")).then(1).otherwise(0).sum(),
            n_skips=nw.when(col("rank") > col("before") + 1).then(1).otherwise(0).sum(),
        )
    )
    named = rows.select("deal_id", "seq", "value", "rank")
    versions = (
        state.join(named.select("deal_id", last_seq=col("seq"), state=col("value")), on=["deal_id", "last_seq"])
        .join(walk, on=list(key), how="left")
        .join(
            named.select("deal_id", stage_seq=col("seq"), stage=col("value")),
            on=["deal_id", "stage_seq"],
            how="left",
        )
        .join(
            named.select("deal_id", first_seq=col("seq"), entry_rank=col("rank")),
            on=["deal_id", "first_seq"],
            how="left",
        )
        .drop("last_seq", "stage_seq", "first_seq")
    )
    return nw.concat([_valid(versions), _before_any_stage(book, rows)], how="vertical")


PATH_COLUMNS = (
    "deal_id", "valid_from", "valid_to", "state", "since_day", "stage", "first_stage_day", "n_visits",
    "n_regressions", "n_skips", "n_holds", "hold_days", "n_reopened", "entry_rank", "max_rank",
)  # fmt: skip


def _visible(rows: Lazy) -> Lazy:
    """Each version of a deal with all rows known by then."""
    versions = rows.select("deal_id", version=col("known_day")).unique()
    return versions.join(rows, on="deal_id").filter(col("known_day") <= col("version"))


def _valid(versions: Lazy) -> Lazy:
    """From the day on which a version became known to the day of the next one."""
    following = col("version").shift(-1).over("deal_id", order_by="version").fill_null(FOREVER)
    integers = [c for c in PATH_COLUMNS if c not in ("deal_id", "state", "stage")]
    return (
        versions.with_columns(valid_from=col("version"), valid_to=following)
        .with_columns(col(*integers).fill_null(0).cast(nw.Int64))
        .select(*PATH_COLUMNS)
    )


def _before_any_stage(book: DealBook, rows: Lazy) -> Lazy:
    """A deal of which no stage is known yet stands in the first stage since its creation."""
    first_stage = book.process.first_stage
    first_known = rows.group_by("deal_id").agg(stage_known=col("known_day").min())
    zeros = [
        nw.lit(0).cast(nw.Int64).alias(c)
        for c in ("n_regressions", "n_skips", "n_holds", "hold_days", "n_reopened")
    ]
    ones = [nw.lit(1).cast(nw.Int64).alias(c) for c in ("n_visits", "entry_rank", "max_rank")]
    return (
        births(book)
        .join(first_known, on="deal_id", how="left")
        .with_columns(
            valid_to=nw.min_horizontal(col("valid_to"), col("stage_known").fill_null(FOREVER)),
            state=nw.lit(first_stage),
            stage=nw.lit(first_stage),
            since_day=col("created_day"),
            first_stage_day=col("created_day"),
        )
        .with_columns(*zeros, *ones)
        .filter(col("valid_from") < col("valid_to"))
        .select(*PATH_COLUMNS)
    )


def births(book: DealBook) -> Lazy:
    """Since when a deal is known and when it was created, by what is known: one row a deal and version.

    Columns: ``deal_id``, ``valid_from``, ``valid_to``, ``known_from``, ``created_day``. Creation is ``created_at``,
    moved back to the first known row where that is earlier; a deal without ``created_at`` begins with it.
    """
    return book.engine.once("births", lambda: _births(book))


def _births(book: DealBook) -> Lazy:
    deals = book.engine.table("deal_facts").select("deal_id", "deal_created_day", "last_seen_day")
    first = book.events.group_by("deal_id", "known_day").agg(day=col("day").min())
    by_known: dict[str, Any] = {"order_by": "known_day"}
    known = (
        first.with_columns(earliest=col("day").cum_min().over("deal_id", **by_known))
        .with_columns(before=col("earliest").shift(1).over("deal_id", **by_known))
        .filter(col("before").is_null() | (col("earliest") < col("before")))
        .select("deal_id", valid_from=col("known_day"), earliest=col("earliest"))
    )
    silent = deals.join(known.select("deal_id").unique(), on="deal_id", how="anti").select(
        "deal_id", valid_from=col("deal_created_day"), earliest=col("deal_created_day")
    )
    births_ = nw.concat([known, silent.filter(~col("valid_from").is_null())], how="vertical")
    return births_.join(deals, on="deal_id").select(
        "deal_id",
        "valid_from",
        valid_to=col("valid_from").shift(-1).over("deal_id", order_by="valid_from").fill_null(FOREVER),
        known_from=col("valid_from").min().over("deal_id"),
        created_day=nw.min_horizontal("earliest", "deal_created_day"),
        last_seen_day=col("last_seen_day").fill_null(FOREVER),
    )


def trail(book: DealBook, name: str) -> Lazy:
    """How a number or a date that is kept in history moved: one row a deal and version.

    Columns: ``deal_id``, ``valid_from``, ``valid_to``, ``first``, ``last``, ``n_changes``, ``n_up``, ``n_down``; of an
    amount only positive values count. A date is in days since 1970-01-01.
    """
    return book.engine.once(f"trail_{name}", lambda: _trail(book, name))


def _trail(book: DealBook, name: str) -> Lazy:
    x = nw.coalesce(col("number"), col("value_day").cast(nw.Float64))
    rows = (
        book.events.filter(col("field") == name)
        .with_columns(x=x)
        .filter(~col("x").is_null())
        .select("deal_id", "seq", "known_day", "x")
    )
    if name == "amount":
        rows = rows.filter(col("x") > 0)
    key = ("deal_id", "version")
    moves = (
        _visible(rows)
        .with_columns(before=col("x").shift(1).over(*key, order_by="seq"))
        .group_by(*key)
        .agg(
            first_seq=col("seq").min(),
            last_seq=col("seq").max(),
            n_up=nw.when(col("x") > col("before")).then(1).otherwise(0).sum(),
            n_down=nw.when(col("x") < col("before")).then(1).otherwise(0).sum(),
        )
    )
    values = rows.select("deal_id", "seq", "x")
    return (
        moves.join(values.select("deal_id", first_seq=col("seq"), first=col("x")), on=["deal_id", "first_seq"])
        .join(values.select("deal_id", last_seq=col("seq"), last=col("x")), on=["deal_id", "last_seq"])
        .select(
            "deal_id",
            valid_from=col("version"),
            valid_to=col("version").shift(-1).over("deal_id", order_by="version").fill_null(FOREVER),
            first=col("first"),
            last=col("last"),
            n_changes=col("n_up") + col("n_down"),
            n_up=col("n_up"),
            n_down=col("n_down"),
        )
    )


def latest(book: DealBook, name: str) -> Lazy:
    """The last known text of a field, one row a value: ``deal_id, valid_from, valid_to, value``.

    A row is the last one from the day it is known until a row that happened later is known.
    """
    return book.engine.once(f"latest_{name}", lambda: _latest(book, name))


def _latest(book: DealBook, name: str) -> Lazy:
    rows = book.events.filter(col("field") == name).select("deal_id", "seq", "known_day", "value")
    later = col("known_day").cum_min(reverse=True).over("deal_id", order_by="seq")
    return (
        rows.with_columns(later=later)
        .with_columns(valid_to=col("later").shift(-1).over("deal_id", order_by="seq").fill_null(FOREVER))
        .filter(col("known_day") < col("valid_to"))
        .select("deal_id", valid_from=col("known_day"), valid_to=col("valid_to"), value=col("value"))
    )


def at_dates(book: DealBook, versions: Lazy, days: list[int]) -> Lazy:
    """The versions valid at the end of each date: adds ``as_of_day``, drops the validity."""
    dates = book.engine.frame(pa.table({"as_of_day": pa.array(days, pa.int64())}))
    valid = (col("valid_from") <= col("as_of_day")) & (col("as_of_day") < col("valid_to"))
    return versions.join(dates, how="cross").filter(valid).drop("valid_from", "valid_to")
