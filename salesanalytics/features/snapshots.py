"""Snapshots: every open deal on every asked date, with features made only from what was known then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.features.history import HISTORY_FEATURES, Feature
from salesanalytics.features.records import add_record_columns, records
from salesanalytics.features.work import WORK_FEATURES
from salesanalytics.features.work_columns import add_work_columns
from salesanalytics.timeline import owners, quarter_of, references
from salesanalytics.timeline.calendar import as_of_days, to_timestamps
from salesanalytics.timeline.replay import at_dates, collect, trail
from salesanalytics.timeline.spells import open_deals
from salesanalytics.timeline.values import fields_in

DEFAULT_FEATURES: tuple[Feature, ...] = (*HISTORY_FEATURES, *WORK_FEATURES, records)
TRAILS = ("amount", "close_date", "next_step")
TRAIL_COLUMNS = ("first", "last", "n_changes", "n_up", "n_down")
Sample = Callable[[pd.DataFrame], np.ndarray]  # rows (deal_id, as_of_day) -> which to keep


def snapshots(book: DealBook, *, as_of: Any, features: Sequence[Feature] = DEFAULT_FEATURES) -> pd.DataFrame:
    """Open deals (paused ones included) at the end of one or many dates.

    Parameters
    ----------
    book : DealBook
    as_of : date or sequence of dates
    features : sequence of functions
        Each turns (snapshot, references of the date) into columns; default `DEFAULT_FEATURES`.

    Returns
    -------
    DataFrame, one row an open deal and date, by date and deal id
        ``deal_id``, ``as_of``, ``state`` (stage or pause), ``stage`` (last seller stage), ``rep_id`` (owner on the
        date), the ``settings.attributes``, and the columns of the features.

    Raises
    ------
    AsOfError
        A date lies after the end of the book.
    """
    return described(book, snapshot_base(book, as_of_days(book, as_of)), as_of, features)


def described(book: DealBook, base: pd.DataFrame, as_of: Any, features: Sequence[Feature]) -> pd.DataFrame:
    """The columns of a snapshot from its base."""
    reference = references(book, as_of=as_of)
    keep = ["deal_id", "as_of", "state", "stage", "rep_id", *book.settings.attributes]
    columns = {name: base[name] for name in keep}
    for feature in features:
        found = feature(base, reference)
        columns |= {name: found[name] for name in found}
    return pd.DataFrame(columns, index=base.index, copy=False)


def snapshot_base(book: DealBook, days: list[int], sample: Sample | None = None) -> pd.DataFrame:
    """What the features read: the state of every open deal, its trails of amount and close date, its facts."""
    fields = fields_in(book)
    standing = open_deals(book, days=days).drop("known_from", "last_seen_day")
    for name in TRAILS:
        if name in fields:
            moved = at_dates(book, trail(book, name), days)
            moved = moved.rename({c: f"{name}_{c}" for c in TRAIL_COLUMNS})
            standing = standing.join(moved, on=["deal", "as_of_day"], how="left")
    # `collect` gives names for codes; the codes are of use too
    standing = standing.with_columns(
        position=nw.col("deal"), stage_rank=nw.col("stage"), paused=nw.col("state") != nw.col("stage")
    )
    base = collect(book, standing.sort("as_of_day", "deal"))
    if sample is not None:
        base = base[sample(base)].reset_index(drop=True)
    base["deal"] = base.pop("position")
    base[[f"{name}_{c}" for name in TRAILS if name not in fields for c in TRAIL_COLUMNS]] = np.nan
    base["as_of"] = to_timestamps(base["as_of_day"])
    month = book.settings.fiscal_year_start
    ends = np.array([quarter_of(day, fiscal_year_start=month).end_day for day in sorted(days)], dtype="int64")
    base["quarter_end_day"] = ends[np.searchsorted(sorted(days), base["as_of_day"])]
    facts, place = book.deals, base["deal"].to_numpy()
    for name in book.settings.attributes:
        base[name] = facts[name].to_numpy()[place]
    stated = facts["amount"].where(facts["amount"] > 0).to_numpy()[place]
    base["amount"] = base["amount_last"].fillna(pd.Series(stated, index=base.index))
    base["amount_first"] = base["amount_first"].where(np.isnan(stated), stated)
    base["rep_id"] = _owner(book, base, days, facts["rep_id"].to_numpy()[place])
    found = add_work_columns(book, base, days) | add_record_columns(book, base)
    return pd.DataFrame(dict(base.items()) | found, copy=False)


def _owner(book: DealBook, base: pd.DataFrame, days: list[int], stated: np.ndarray) -> Any:
    if "rep_id" not in fields_in(book):
        return stated
    known = owners(book, days)
    return base[["deal_id", "as_of_day"]].merge(known, on=["deal_id", "as_of_day"], how="left")["rep_id"]
