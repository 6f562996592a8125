"""What was known of the work on a deal at a date: buyer's stage, milestones, conditions, activities, people."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from salesanalytics.book import DealBook
from salesanalytics.timeline.calendar import FOREVER
from salesanalytics.timeline.replay import Asked, at_dates, latest, meet

col = nw.col
Lazy = nw.LazyFrame[Any]
INBOUND = ("call_in", "mail_in")
BOTH_WAYS = ("visit", "meeting")


def _native(frame: Lazy) -> pd.DataFrame:
    """To pandas, deals as positions."""
    return frame.collect("pyarrow").to_native().to_pandas()


def last_texts(book: DealBook, field: str, asked: Asked) -> pd.DataFrame:
    """Last known value of a field: ``deal``, ``as_of_day``, ``value``."""
    return _native(at_dates(book, latest(book, field), asked).select("deal", "as_of_day", "value"))


def last_days(book: DealBook, field: str, asked: Asked, *, values: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Latest day on which something of a field happened, among what was known: ``deal``, ``as_of_day``, ``day``."""
    rows = book.events.filter(col("field") == field)
    if values is not None:
        rows = rows.filter(col("value").is_in(list(values)))
    rows = rows.group_by("deal", "known_day").agg(day=col("day").max())
    seen = meet(book, rows, asked).filter(col("known_day") <= col("as_of_day"))
    return _native(seen.group_by("deal", "as_of_day").agg(day=col("day").max()))


def milestones_done(book: DealBook, asked: Asked) -> pd.DataFrame:
    """``deal``, ``as_of_day``, ``milestones_in_row`` (highest k with M1..Mk all known), ``n_milestones``."""
    order = {m: k for k, m in enumerate(book.process.milestone_ids)}
    first = _native(
        book.events.filter(col("field") == "milestone").group_by("deal", "value").agg(known=col("known_day").min())
    )
    known = np.full((len(book.deals), max(len(order), 1)), FOREVER)
    known[first["deal"], first["value"].map(order).to_numpy(dtype=int)] = first["known"]
    complete = np.maximum.accumulate(known, axis=1)
    if isinstance(asked, list):
        asked = pd.MultiIndex.from_product([asked, range(len(known))], names=["as_of_day", "deal"]).to_frame(
            index=False
        )
    deal, day = asked["deal"].to_numpy(), asked["as_of_day"].to_numpy()[:, None]
    in_row, all_done = (complete[deal] <= day).sum(axis=1), (known[deal] <= day).sum(axis=1)
    return asked[["deal", "as_of_day"]].assign(milestones_in_row=in_row, n_milestones=all_done)


def conditions_done(book: DealBook, asked: Asked) -> pd.DataFrame:
    """Weight of the conditions standing as done or waived: ``deal``, ``as_of_day``, ``stage_rank``, ``done_weight``."""
    weights = {c.id: float(c.weight) for s in book.process.stages for c in s.conditions}
    ranks = {c.id: s.order for s in book.process.stages for c in s.conditions}
    table = pa.table(
        {
            "condition": pa.array(list(weights), pa.string()),
            "weight": pa.array(list(weights.values()), pa.float64()),
            "stage_rank": pa.array(list(ranks.values()), pa.int64()),
        }
    )
    standing = at_dates(book, _condition_states(book), asked).filter(col("is_done"))
    done = standing.join(book.engine.frame(table), on="condition")
    return _native(done.group_by("deal", "as_of_day", "stage_rank").agg(done_weight=col("weight").sum()))


def _condition_states(book: DealBook) -> Lazy:
    """The last known word on each condition of a deal: ``deal, condition, valid_from, valid_to, is_done``."""

    def build() -> Lazy:
        rows = book.events.filter(col("field") == "condition").with_columns(
            condition=col("value").str.split(":").list.get(0), is_done=~col("value").str.ends_with(":undone")
        )
        key = ("deal", "condition")
        later = rows.with_columns(later=col("known_day").cum_min(reverse=True).over(*key, order_by="seq"))
        following = col("later").shift(-1).over(*key, order_by="seq").fill_null(FOREVER)
        return (
            later.with_columns(valid_from=col("known_day"), valid_to=following)
            .filter(col("valid_from") < col("valid_to"))
            .select("deal", "condition", "valid_from", "valid_to", "is_done")
        )

    return book.engine.once("condition_states", build)


def people_reached(book: DealBook, asked: Asked) -> pd.DataFrame:
    """Roles reached: ``deal``, ``as_of_day``, ``n_roles``, ``dm_day`` (first contact with the decision maker).

    That somebody left (``DM:left``) is no contact.
    """
    is_role = ~col("value").str.contains(":", literal=True).fill_null(value=True)
    rows = book.events.filter((col("field") == "contact") & is_role)
    first = rows.group_by("deal", "value", "known_day").agg(day=col("day").min())
    seen = meet(book, first, asked).filter(col("known_day") <= col("as_of_day"))
    roles = seen.group_by("deal", "as_of_day", "value").agg(day=col("day").min())
    decision = nw.when(col("value") == "DM").then(col("day")).otherwise(nw.lit(FOREVER))
    return _native(roles.group_by("deal", "as_of_day").agg(n_roles=nw.len(), dm_day=decision.min()))


def stances(book: DealBook, asked: Asked) -> pd.DataFrame:
    """Last known stance of each role: ``deal``, ``as_of_day``, ``stance_min``, ``stance_mean`` (-2 .. 2)."""

    def build() -> Lazy:
        rows = book.events.filter(col("field") == "stance").with_columns(
            role=col("value").str.split(":").list.get(0), score=col("value").str.split(":").list.get(1).cast(nw.Float64)
        )
        key = ("deal", "role")
        later = rows.with_columns(later=col("known_day").cum_min(reverse=True).over(*key, order_by="seq"))
        following = col("later").shift(-1).over(*key, order_by="seq").fill_null(FOREVER)
        return later.with_columns(valid_from=col("known_day"), valid_to=following).select(
            "deal", "role", "score", "valid_from", "valid_to"
        )

    standing = at_dates(book, book.engine.once("stance_states", build), asked)
    scores = standing.group_by("deal", "as_of_day").agg(stance_min=col("score").min(), stance_mean=col("score").mean())
    return _native(scores)


def first_days(book: DealBook, field: str, asked: Asked) -> pd.DataFrame:
    """First day of a field among what was known: ``deal``, ``as_of_day``, ``day``."""
    rows = book.events.filter(col("field") == field).group_by("deal", "known_day").agg(day=col("day").min())
    seen = meet(book, rows, asked).filter(col("known_day") <= col("as_of_day"))
    return _native(seen.group_by("deal", "as_of_day").agg(day=col("day").min()))
