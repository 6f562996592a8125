"""Single rows of the history as they were known at a date: what the rules of deal control look at.

Everything here filters by ``known_day <= day``; the order of the rows is that of what happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from salesanalytics.book import DealBook
from salesanalytics.timeline.replay import col

ROW_COLUMNS = ["deal", "day", "known_day", "value", "number", "value_day", "code", "who", "evidence"]


def known_rows(
    book: DealBook,
    field: str,
    *,
    day: int,
    deals: np.ndarray | None = None,
    columns: Sequence[str] = ROW_COLUMNS,
) -> pd.DataFrame:
    """Rows of one field known at the end of a day, by deal and in the order of what happened.

    Parameters
    ----------
    field : str
        A field of the history.
    day : int
        Days since 1970-01-01.
    deals : array of int, optional
        Positions of deals; default all.
    columns : sequence of str
        Those asked for; text takes time.

    Returns
    -------
    DataFrame, one row a change
        ``deal`` (position), ``day``, ``known_day``, ``value``, ``number``, ``value_day``, ``code``, ``who``,
        ``evidence``.
    """
    rows = book.events.filter((col("field") == field) & (col("known_day") <= day))
    if deals is not None:
        rows = rows.join(book.engine.frame(pa.table({"deal": pa.array(deals, pa.int64())})), on="deal", how="semi")
    rows = rows.select("seq", *columns).sort("deal", "seq")
    return rows.collect("pyarrow").to_native().to_pandas()[list(columns)]


def fields_known(book: DealBook, *, day: int) -> pd.DataFrame:
    """Fields of which something was known at the end of a day.

    Returns
    -------
    DataFrame, one row a field, indexed by its name
        ``n`` rows, those among them that name a person (``n_who``) and a proof (``n_evidence``).
    """
    rows = book.events.filter(col("known_day") <= day).group_by("field")
    found = rows.agg(n=nw.len(), n_who=col("who").count(), n_evidence=col("evidence").count())
    return found.collect("pyarrow").to_native().to_pandas().set_index("field").sort_index()


def typed_in(
    book: DealBook, fields: Sequence[str], *, day: int, since_day: int | None = None, deal_ids: Any = None
) -> pd.DataFrame:
    """When rows known at the end of a day were typed in, to the minute; rows without a time of day are left out.

    Parameters
    ----------
    fields : sequence of str
    day, since_day : int
        Last and first day of typing in, days since 1970-01-01.
    deal_ids : array of text, optional
        Default all deals.

    Returns
    -------
    DataFrame, one row a change, by deal and moment
        ``deal_id``, ``field``, ``value``, ``moment`` (``recorded_at``, else ``changed_at``).
    """
    moment = nw.coalesce("recorded_at", "changed_at")
    rows = book.engine.table("history").filter(col("field").is_in(list(fields)))
    rows = rows.select("row", "deal_id", "field", "value", "changed_at", moment=moment)
    last = np.datetime64(day + 1, "D").astype("datetime64[us]").item()
    rows = rows.filter((col("moment") < nw.lit(last)) & (col("changed_at") < nw.lit(last)))
    if since_day is not None:
        first = np.datetime64(since_day, "D").astype("datetime64[us]").item()
        rows = rows.filter(col("moment") >= nw.lit(first))
    if deal_ids is not None:
        asked = pa.table({"deal_id": pa.array(np.asarray(deal_ids, dtype=object), pa.string())})
        rows = rows.join(book.engine.frame(asked), on="deal_id", how="semi")
    frame = rows.collect("pyarrow").to_native().to_pandas()
    timed = frame[frame["moment"] != frame["moment"].dt.normalize()]
    timed = timed.sort_values(["deal_id", "moment", "row"], ignore_index=True)
    return timed[["deal_id", "field", "value", "moment"]]
