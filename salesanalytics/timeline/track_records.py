"""How deals of an owner, a customer or a segment had ended by a date: counts known then, for any rows at once."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline.replay import collect, ended_states, latest, path_versions
from salesanalytics.timeline.values import fields_in

col = nw.col


def track_records(book: DealBook, rows: pd.DataFrame, *, by: str | None) -> pd.DataFrame:
    """Deals of the same owner, customer or segment that had ended, and those won among them, as known on a date.

    Parameters
    ----------
    rows : DataFrame
        ``as_of_day``, and the column ``by``.
    by : str or None
        ``rep_id`` (a deal belongs to its owner on the day on which the end was known), a column of ``deals``, or
        None: all deals.

    Returns
    -------
    DataFrame on the index of ``rows``
        ``n_ended``, ``n_won``; 0 where ``by`` is missing.
    """
    ended = _ended_versions(book)
    value = np.zeros(len(ended), dtype=object) if by is None else _segment(book, ended, by)
    asked = np.zeros(len(rows), dtype=object) if by is None else rows[by].to_numpy(dtype=object)
    codes, _ = pd.factorize(np.concatenate([value, asked]))
    come = pd.DataFrame({"code": codes[: len(ended)], "day": ended["valid_from"], "ended": 1, "won": ended["won"]})
    gone = come.assign(day=ended["valid_to"], ended=-1, won=-come["won"])  # reopened, or the end was corrected
    steps = pd.concat([come, gone]).query("code >= 0").sort_values(["code", "day"], kind="stable")
    totals = steps[["ended", "won"]].to_numpy(dtype="int64").cumsum(axis=0)
    totals = np.vstack([[0, 0], totals])
    span = np.int64(2**32)  # a segment and a day in one number
    place = steps["code"].to_numpy(dtype="int64") * span + steps["day"].to_numpy(dtype="int64")
    code = codes[len(ended) :].astype("int64")
    upto = np.searchsorted(place, code * span + rows["as_of_day"].to_numpy(dtype="int64"), side="right")
    before = np.searchsorted(place, code * span, side="left")
    found = np.where((code >= 0)[:, None], totals[upto] - totals[before], 0)
    return pd.DataFrame(found, columns=["n_ended", "n_won"], index=rows.index)


def _ended_versions(book: DealBook) -> pd.DataFrame:
    """When each end was known: ``deal_id``, ``valid_from``, ``valid_to`` (exclusive), ``won``, ``rep_id``."""
    ended = path_versions(book).filter(col("state").is_in(ended_states(book)))
    frame = collect(book, ended.select("deal", "valid_from", "valid_to", won=col("state") == book.state_codes["won"]))
    frame = frame.sort_values(["deal_id", "valid_from"], ignore_index=True)
    frame["won"] = frame["won"].astype("int64")
    return frame


def _segment(book: DealBook, ended: pd.DataFrame, by: str) -> np.ndarray:
    stated = ended["deal_id"].map(book.deals.set_index("deal_id")[by]).astype(object)
    if by != "rep_id" or "rep_id" not in fields_in(book):
        return stated.to_numpy(dtype=object)
    key = ["deal_id", "valid_from"]
    at_end = path_versions(book).filter(col("state").is_in(ended_states(book))).select("deal", on_day=col("valid_from"))
    owner = at_end.join(latest(book, "rep_id"), on="deal").filter(
        (col("valid_from") <= col("on_day")) & (col("on_day") < col("valid_to"))
    )
    known = collect(book, owner.select("deal", "on_day", "value")).rename(columns={"on_day": "valid_from"})
    moved = ended[key].merge(known, on=key, how="left")["value"]
    return moved.where(moved.notna(), stated).to_numpy(dtype=object)
