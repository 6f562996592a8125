"""Track records: how deals of the same owner, customer or segment had ended before the date."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.features.history import columns
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
    given = [n for n in names if n in fields or book.deals[n].notna().any()]
    values = {n: base[n] if n == "rep_id" else _of_deals(book.deals[n], base["deal"].to_numpy()) for n in given}
    found = track_records(book, pd.DataFrame({"as_of_day": base["as_of_day"], **values}, copy=False), by=given)
    without = {f"{name}_{c}": pd.Series(0, base.index) for name in names for c in ("n_ended", "n_won")}
    return without | {str(name): found[name] for name in found}


def _of_deals(column: pd.Series, place: np.ndarray) -> pd.Categorical:
    """A column of ``deals`` for each row, told apart once a deal."""
    codes, values = pd.factorize(column)
    return pd.Categorical.from_codes(codes[place], pd.Index(values, dtype=object))


def records(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """``<name>_record``: log odds of winning among ended deals of the same owner, customer or segment, against all
    deals; drawn to 0 as 10 deals would. ``rep_id_n_ended``: how many deals the owner has seen to their end.
    """
    suffix = "_n_ended"
    names = [c.removesuffix(suffix) for c in snapshot if c.endswith(suffix) and c != f"all{suffix}"]
    p0 = (snapshot["all_n_won"].to_numpy() + 1) / (snapshot["all_n_ended"].to_numpy() + 2)
    usual, won0, lost0 = np.log(p0 / (1 - p0)), STRENGTH * p0, STRENGTH * (1 - p0)
    found: dict[str, np.ndarray | pd.Series] = {}
    for name in names:
        n, won = (snapshot[f"{name}_{c}"].to_numpy() for c in ("n_ended", "n_won"))
        if not n.any():  # a column without values
            found[f"{name}_record"] = np.zeros(len(n))
            continue
        odds = won + won0
        odds /= lost0 + (n - won)
        found[f"{name}_record"] = record = np.log(odds, out=odds)
        record -= usual
        record[n == 0] = 0.0
    if "rep_id" in names:
        found["rep_id_n_ended"] = snapshot["rep_id_n_ended"]
    return columns(snapshot, found)
