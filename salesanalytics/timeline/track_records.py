"""How deals of an owner, a customer or a segment had ended by a date: counts known then, for any rows at once."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline.replay import collect, ended_states, latest, path_versions
from salesanalytics.timeline.values import fields_in

col = nw.col
SPAN = np.int64(2**32)  # a segment and a day in one number


def track_records(book: DealBook, rows: pd.DataFrame, *, by: Sequence[str]) -> pd.DataFrame:
    """Deals of the same owner, customer or segment that had ended, and those won among them, as known on a date.

    Parameters
    ----------
    rows : DataFrame
        ``as_of_day``, and the columns ``by``.
    by : sequence of str
        ``rep_id`` (a deal belongs to its owner on the day on which the end was known) or columns of ``deals``.

    Returns
    -------
    DataFrame on the index of ``rows``
        ``<name>_n_ended`` and ``<name>_n_won`` for each name, 0 where its value is missing; ``all_n_ended`` and
        ``all_n_won`` of all deals.
    """
    ended = book.engine.fact("ended_versions", lambda: _ended_versions(book))
    days = rows["as_of_day"].to_numpy(dtype="int64")
    known = [("all", np.zeros(len(ended), dtype="int64"), np.zeros(len(rows), dtype="int64"))]
    for name in by:
        asked, values = pd.factorize(rows[name])
        segment = ended[name] if name == "rep_id" else book.deals[name].to_numpy(dtype=object)[ended["position"]]
        known.append((name, pd.Index(np.asarray(values, dtype=object)).get_indexer(segment), asked.astype("int64")))
    columns: dict[str, np.ndarray] = {}
    for name, segment, asked in known:
        found = _counts(ended, segment, asked, days)
        columns |= {f"{name}_n_ended": found[:, 0], f"{name}_n_won": found[:, 1]}
    return pd.DataFrame(columns, index=rows.index, copy=False)


def _counts(ended: pd.DataFrame, segment: np.ndarray, asked: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Ended and won deals of each row's segment on its day, (n_rows, 2)."""
    usable = segment >= 0
    come = segment[usable] * SPAN + ended["valid_from"].to_numpy()[usable]
    gone = segment[usable] * SPAN + ended["valid_to"].to_numpy()[usable]  # reopened, or the end was corrected
    one = np.column_stack([np.ones(len(come), dtype="int64"), ended["won"].to_numpy()[usable]])
    place = np.concatenate([come, gone])
    order = np.argsort(place, kind="stable")
    totals = np.vstack([[0, 0], np.concatenate([one, -one])[order].cumsum(axis=0)])
    key, distinct = pd.factorize(asked * SPAN + days)  # many deals share a date and a segment
    place = place[order]
    upto = np.searchsorted(place, distinct, side="right")
    before = np.searchsorted(place, distinct - distinct % SPAN, side="left")
    found = np.where((distinct >= 0)[:, None], totals[upto] - totals[before], 0)
    return np.asarray(found[key])


def _ended_versions(book: DealBook) -> pd.DataFrame:
    """When each end was known: ``position``, ``valid_from``, ``valid_to`` (exclusive), ``won``, ``rep_id`` (owner)."""
    won = col("state") == book.state_codes["won"]
    ended = (
        path_versions(book)
        .filter(col("state").is_in(ended_states(book)))
        .select("deal", "valid_from", "valid_to", position=col("deal"), won=won.cast(nw.Int64))
    )
    frame = collect(book, ended)
    if "rep_id" not in book.deals and "rep_id" not in fields_in(book):
        return frame
    frame["rep_id"] = book.deals["rep_id"].to_numpy(dtype=object)[frame["position"]]
    if "rep_id" in fields_in(book):
        owner = ended.select("deal", on_day=col("valid_from")).join(latest(book, "rep_id"), on="deal")
        owner = owner.filter((col("valid_from") <= col("on_day")) & (col("on_day") < col("valid_to")))
        moved = collect(book, owner.select("deal", "value", valid_from=col("on_day")))
        found = frame.merge(moved, on=["deal_id", "valid_from"], how="left", indicator="said")
        frame["rep_id"] = found["value"].where(found["said"].eq("both"), found["rep_id"]).to_numpy(dtype=object)
    return frame
