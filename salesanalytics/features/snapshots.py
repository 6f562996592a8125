"""Snapshots: every open deal on every asked date, with features made only from what was known then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.features.history import HISTORY_FEATURES, Feature
from salesanalytics.features.work import WORK_FEATURES
from salesanalytics.features.work_columns import add_work_columns
from salesanalytics.timeline import owners, quarter_of, references
from salesanalytics.timeline.calendar import as_of_days, to_timestamps
from salesanalytics.timeline.replay import at_dates, collect, trail
from salesanalytics.timeline.spells import open_deals
from salesanalytics.timeline.values import fields_in

DEFAULT_FEATURES: tuple[Feature, ...] = (*HISTORY_FEATURES, *WORK_FEATURES)
TRAILS = ("amount", "close_date", "next_step")
TRAIL_COLUMNS = ("first", "last", "n_changes", "n_up", "n_down")


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
    base = _base(book, as_of_days(book, as_of))
    reference = references(book, as_of=as_of)
    keep = ["deal_id", "as_of", "state", "stage", "rep_id", *book.settings.attributes]
    columns = {name: base[name] for name in keep}
    for feature in features:
        found = feature(base, reference)
        columns |= {name: found[name] for name in found}
    return pd.DataFrame(columns, index=base.index, copy=False)


def _base(book: DealBook, days: list[int]) -> pd.DataFrame:
    """What the features read: the state of every open deal, its trails of amount and close date, its facts."""
    standing = open_deals(book, days=days).drop("known_from", "last_seen_day")
    for name in TRAILS:
        if name in fields_in(book):
            moved = at_dates(book, trail(book, name), days)
            moved = moved.rename({c: f"{name}_{c}" for c in TRAIL_COLUMNS})
            standing = standing.join(moved, on=["deal", "as_of_day"], how="left")
    base = collect(book, standing.sort("as_of_day", "deal"))
    for name in TRAILS:
        if name not in fields_in(book):
            for c in TRAIL_COLUMNS:
                base[f"{name}_{c}"] = np.nan
    base["as_of"] = to_timestamps(base["as_of_day"])
    month = book.settings.fiscal_year_start
    ends = {day: quarter_of(day, fiscal_year_start=month).end_day for day in days}
    base["quarter_end_day"] = base["as_of_day"].map(ends)
    facts = book.deals.set_index("deal_id")
    place = facts.index.get_indexer(base["deal_id"])
    for name in book.settings.attributes:
        base[name] = facts[name].to_numpy()[place]
    stated = facts["amount"].where(facts["amount"] > 0).to_numpy()[place]
    base["amount"] = base["amount_last"].fillna(pd.Series(stated, index=base.index))
    base["amount_first"] = base["amount_first"].where(np.isnan(stated), stated)
    base["rep_id"] = _owner(book, base, days, facts["rep_id"].to_numpy()[place])
    base["deal"] = place
    for name, values in add_work_columns(book, base, days).items():
        base[name] = values
    base["stage_rank"] = base["stage"].map({s.id: s.order for s in book.process.stages}).fillna(0).astype(int)
    base["buyer_rank"] = base["buyer_stage"].map({s.id: s.order for s in book.process.buyer_stages}).astype(float)
    return base


def _owner(book: DealBook, base: pd.DataFrame, days: list[int], stated: np.ndarray) -> Any:
    if "rep_id" not in fields_in(book):
        return stated
    known = owners(book, days)
    return base[["deal_id", "as_of_day"]].merge(known, on=["deal_id", "as_of_day"], how="left")["rep_id"]
