"""Snapshots: every open deal on every asked date, with features made only from what was known then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.features.history import ENTERED, HISTORY_FEATURES, Feature
from salesanalytics.features.records import add_record_columns, records
from salesanalytics.features.work import WORK_FEATURES
from salesanalytics.features.work_columns import KEY, add_work_columns
from salesanalytics.timeline import quarter_of, references
from salesanalytics.timeline.calendar import as_of_days, to_timestamps
from salesanalytics.timeline.entries import entry_columns, unpacked_entries
from salesanalytics.timeline.replay import Lazy, at_dates, collect, latest, trail
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
    DataFrame, one row an open deal and date, by date and in the order of ``book.deals``
        ``deal_id``, ``as_of``, ``state`` (stage or pause), ``stage`` (last seller stage), ``rep_id`` (owner on the
        date), the ``settings.attributes``, and the columns of the features.

    Raises
    ------
    AsOfError
        A date lies after the end of the book.
    """
    days, name = as_of_days(book, as_of), ("snapshots", *features)
    found = book.engine.by_day(name, days, lambda days: _snapshots(book, days, features))
    del found["as_of_day"]
    return found


def _snapshots(book: DealBook, days: list[int], features: Sequence[Feature]) -> pd.DataFrame:
    base = snapshot_base(book, days)
    return described(book, base, to_timestamps(days), features).assign(as_of_day=base["as_of_day"])


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
    standing = open_deals(book, days=days).drop("known_from", "last_seen_day")
    # `collect` gives names for codes; the codes are of use too
    standing = standing.with_columns(
        position=nw.col("deal"), stage_rank=nw.col("stage"), paused=nw.col("state") != nw.col("stage")
    )
    base = collect(book, standing.sort("as_of_day", "deal"))
    if sample is not None:
        base = base[sample(base)].reset_index(drop=True)
    base["deal"] = base.pop("position")
    found: dict[str, Any] = {"as_of": to_timestamps(base["as_of_day"])}
    found |= {ENTERED + stage: n for stage, n in unpacked_entries(book, base).items()}
    base = base.drop(columns=entry_columns(book))
    month, ordered = book.settings.fiscal_year_start, sorted(days)
    ends = np.array([quarter_of(day, fiscal_year_start=month).end_day for day in ordered], dtype="int64")
    found["quarter_end_day"] = pd.Series(ends[np.searchsorted(ordered, base["as_of_day"])], base.index)
    facts, place = book.deals, base["deal"].to_numpy()
    for name in book.settings.attributes:
        found[name] = pd.Series(facts[name].to_numpy()[place], base.index)
    for name in TRAILS:
        found |= _trail(book, base, name)
    stated = pd.Series(facts["amount"].where(facts["amount"] > 0).to_numpy()[place], base.index)
    found["amount"] = found["amount_last"].fillna(stated)
    if book.settings.amount_is == "initial":
        found["amount_first"] = found["amount_first"].where(stated.isna(), stated)
    else:  # what an amount was at the extract is not what it began with
        found["amount_first"] = found["amount_first"].fillna(stated)
    found["rep_id"] = _owner(book, base, facts["rep_id"].to_numpy()[place])
    known = pd.DataFrame(dict(base.items()) | found, copy=False)  # assigned one by one, every column would be copied
    more = add_work_columns(book, known) | add_record_columns(book, known)
    return pd.DataFrame(dict(known.items()) | more, copy=False)


def _trail(book: DealBook, base: pd.DataFrame, name: str) -> dict[str, pd.Series]:
    """How a number or a date that is kept in history had moved; NaN where it is not kept."""
    if name not in fields_in(book):
        missing = pd.Series(np.nan, base.index)
        return {f"{name}_{c}": missing for c in TRAIL_COLUMNS}
    found = base[KEY].merge(_at_own_dates(book, base, trail(book, name)), on=KEY, how="left")
    return {f"{name}_{c}": found[c] for c in TRAIL_COLUMNS}


def _owner(book: DealBook, base: pd.DataFrame, stated: np.ndarray) -> pd.Series:
    owner = pd.Series(stated, index=base.index)
    if "rep_id" not in fields_in(book):
        return owner
    moved = base[KEY].merge(_at_own_dates(book, base, latest(book, "rep_id")), on=KEY, how="left", indicator=True)
    owner = moved["value"].where(moved["_merge"].eq("both"), owner)
    return owner.where(owner.notna(), None)


def _at_own_dates(book: DealBook, base: pd.DataFrame, versions: Lazy) -> pd.DataFrame:
    """What was valid on the date of each row, with ``deal`` as a position."""
    moved = at_dates(book, versions.with_columns(position=nw.col("deal")), base[KEY])
    return collect(book, moved).rename(columns={"position": "deal"})
