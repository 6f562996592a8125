"""The columns of a snapshot that tell of the work on a deal; NaN (or None) where the book does not keep a field, or was
not known to on the date.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline import work
from salesanalytics.timeline.calendar import FOREVER
from salesanalytics.timeline.values import fields_since

KEY = ["deal", "as_of_day"]


def add_work_columns(book: DealBook, base: pd.DataFrame) -> dict[str, pd.Series]:
    """What was known of buyer's stage, milestones, conditions, activities, people and the rep's own view.

    ``base`` has ``deal`` (position in ``book.deals``), ``as_of_day`` and ``max_rank``.
    """
    fields = fields_since(book)
    key = base[KEY]

    def joined(found: pd.DataFrame, column: str) -> pd.Series:
        return key.merge(found[[*KEY, column]], on=KEY, how="left")[column].set_axis(base.index)

    columns: dict[str, pd.Series] = {}
    unknown = pd.Series(None, base.index, dtype=object)
    for name in ("buyer_stage", "competitor", "category", "probability"):
        columns[name] = joined(work.last_texts(book, name, key), "value") if name in fields else unknown
    missing = pd.Series(np.nan, base.index)
    ranks = {s.id: float(s.order) for s in book.process.buyer_stages}
    columns["buyer_rank"] = columns["buyer_stage"].map(ranks).astype(float) if "buyer_stage" in fields else missing
    activity, kinds = (
        "activity" in fields,
        {"last_activity_day": None, "last_inbound_day": work.INBOUND + work.BOTH_WAYS},
    )
    for name, values in kinds.items():
        columns[name] = joined(work.last_days(book, "activity", key, values=values), "day") if activity else missing
    for name, field in (("quote_day", "quote"), ("tender_day", "tender_issued")):
        columns[name] = joined(work.first_days(book, field, key), "day") if field in fields else missing
    if "milestone" in fields:
        done, kept = work.milestones_done(book, key), key["as_of_day"] >= fields["milestone"]
        columns |= {name: joined(done, name).where(kept) for name in ("milestones_in_row", "n_milestones")}
    if "contact" in fields:
        people = work.people_reached(book, key)
        columns |= {name: joined(people, name) for name in ("n_roles", "dm_day")}
    if "stance" in fields:
        stances = work.stances(book, key)
        columns |= {name: joined(stances, name) for name in ("stance_min", "stance_mean")}
    for name in ("milestones_in_row", "n_milestones", "n_roles", "dm_day", "stance_min", "stance_mean"):
        columns.setdefault(name, missing)
    share = _conditions_share(book, base) if "condition" in fields else missing
    columns["conditions_share"] = share.where(key["as_of_day"] >= fields.get("condition", FOREVER))
    return columns


def _conditions_share(book: DealBook, base: pd.DataFrame) -> pd.Series:
    """Weight of the conditions done, over that of all conditions of the stages up to the highest one reached."""
    by_stage = np.array([sum(c.weight for c in s.conditions) for s in book.process.stages], dtype=float)
    due = np.concatenate([[0.0], np.cumsum(by_stage)])
    done = work.conditions_done(book, base[KEY]).merge(base[[*KEY, "max_rank"]], on=KEY)
    done = done[done["stage_rank"] <= done["max_rank"]].groupby(KEY, as_index=False)["done_weight"].sum()
    weight = base[KEY].merge(done, on=KEY, how="left")["done_weight"].fillna(0.0).set_axis(base.index)
    asked = pd.Series(due[base["max_rank"]], base.index)
    return (weight / asked).where(asked > 0)
