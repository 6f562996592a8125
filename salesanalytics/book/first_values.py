"""A history that holds changes only: what was there before the first of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from salesanalytics.book.frames import to_days


def with_first_values(history: pa.Table, deals: pa.Table) -> pa.Table:
    """One more row for each deal and field whose first known row says in ``old_value`` what stood there before.

    It is dated at the creation of the deal, and known from the day of that first row: a file written before would not
    have had it. ``order`` puts it before all rows of the source. The column ``old_value`` goes.
    """
    if "old_value" not in history.column_names:
        return history
    old, history = history["old_value"], history.drop_columns("old_value")
    if old.null_count == len(old):
        return history
    rows = history.select(["deal_id", "field", "changed_at", "recorded_at_day", "order"]).to_pandas()
    rows["known_day"] = np.maximum(history["changed_at_day"].to_pandas(), rows["recorded_at_day"])
    known = rows.assign(old=old.to_pandas()).dropna(subset="known_day")
    in_order = known.sort_values(["known_day", "changed_at", "order"])
    first = in_order.drop_duplicates(["deal_id", "field"]).dropna(subset=["deal_id", "field", "old"]).sort_index()
    created = deals.select(["deal_id", "created_at"]).to_pandas().drop_duplicates("deal_id").set_index("deal_id")
    began = first["deal_id"].map(created["created_at"])
    began = began.where(began < first["changed_at"], first["changed_at"])
    taken = history.take(first.index.to_numpy())
    new = {
        "value": pa.array(first["old"], pa.string()),
        "changed_at": pa.array(began, pa.timestamp("us")),
        "changed_at_day": to_days(began.to_numpy()),
        "recorded_at_day": pa.array(first["known_day"], pa.int64()),
        "order": pa.array(first["order"] - len(rows) - 1, pa.int64()),
    }
    for name, column in new.items():
        taken = taken.set_column(taken.column_names.index(name), name, column)
    return pa.concat_tables([history, taken])
