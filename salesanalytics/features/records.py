"""Track records: how deals of the same owner, customer or segment had ended before the date."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline.track_records import track_records
from salesanalytics.timeline.values import fields_in

STRENGTH = 10.0


def record_names(book: DealBook) -> list[str]:
    """Columns of a deal that have a track record: its owner, its customer, its attributes."""
    names = ["rep_id", "account_id", *book.settings.attributes]
    return [name for name in dict.fromkeys(names) if name in book.deals]


def add_record_columns(book: DealBook, base: pd.DataFrame) -> dict[str, pd.Series]:
    """What `records` reads: ``<name>_n_ended`` and ``<name>_n_won`` for each name, and for all deals (``all``)."""
    names, fields = record_names(book), fields_in(book)
    given = [name for name in names if name in fields or book.deals[name].notna().any()]
    columns = {f"{name}_{c}": pd.Series(0, base.index) for name in names for c in ("n_ended", "n_won")}
    for name in (None, *given):
        rows = base[["as_of_day"]]
        if name is not None:
            rows = rows.assign(**{name: base[name] if name in base else book.deals[name].to_numpy()[base["deal"]]})
        asked = rows.drop_duplicates()  # many deals share a date and an owner
        found = rows.merge(asked.join(track_records(book, asked, by=name)), how="left").drop(columns=list(rows))
        columns |= {f"{name or 'all'}_{c}": found[c] for c in found}
    return columns


def records(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """``<name>_record``: log odds of winning among ended deals of the same owner, customer or segment, against all
    deals; drawn to 0 as 10 deals would. ``rep_id_n_ended``: how many deals the owner has seen to their end.
    """
    suffix = "_n_ended"
    names = [c.removesuffix(suffix) for c in snapshot if c.endswith(suffix) and c != f"all{suffix}"]
    p0 = (snapshot["all_n_won"] + 1) / (snapshot["all_n_ended"] + 2)
    usual = np.log(p0 / (1 - p0))
    columns = {}
    for name in names:
        n, won = snapshot[f"{name}{suffix}"], snapshot[f"{name}_n_won"]
        p = (won + STRENGTH * p0) / (n + STRENGTH)
        columns[f"{name}_record"] = np.log(p / (1 - p)) - usual
    if "rep_id" in names:
        columns["rep_id_n_ended"] = snapshot["rep_id_n_ended"]
    return pd.DataFrame(columns, index=snapshot.index)
