"""Seller's stage by buyer's stage: what stands in each cell, and what became of deals that stood there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control.known import know
from salesanalytics.control.past_days import past_days
from salesanalytics.errors import SchemaError
from salesanalytics.timeline import known_outcomes
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.replay import OPEN
from salesanalytics.timeline.spells import open_deals
from salesanalytics.timeline.work import last_texts

EVERY_DAYS = 28


def clock_table(book: DealBook, *, as_of: Any, horizon_days: int = 365) -> pd.DataFrame:
    """The table of seller's stage by (stated) buyer's stage, and the fate of past deals in each cell.

    A past deal counts once a cell, from the first of the dates (28 days apart) on which it was known to stand there;
    only dates after which the whole horizon has been seen count, so the shares need no correction for censoring.

    Parameters
    ----------
    book : DealBook
    as_of : date
    horizon_days : int
        Days within which an end counts.

    Returns
    -------
    DataFrame, one row a cell, seller's stage by buyer's stage (8 x 8 in the built-in process)
        ``stage``, ``buyer_stage``, ``ahead`` (s - b), ``n_open`` and ``amount`` (deals standing there now, sum of
        what is known), ``n_past``, ``n_won``, ``n_other_end`` (within the horizon), ``p_won``, ``p_other_end`` (NaN
        without past deals), ``horizon_days``.

    Raises
    ------
    SchemaError
        ``horizon_days`` is not positive.
    """
    if horizon_days <= 0:
        raise SchemaError(f"horizon_days must be > 0, got {horizon_days}.")
    known = know(book, as_of=as_of)
    process = book.process
    cells = pd.MultiIndex.from_product(
        [range(1, len(process.stages) + 1), range(1, len(process.buyer_stages) + 1)], names=["s", "b"]
    )
    now = (
        known.deals.assign(b=known.b)
        .dropna(subset=["b"])
        .groupby(["s", "b"])["amount"]
        .agg(n_open="size", amount="sum")
    )
    past = _past_cells(book, as_of=as_of, horizon_days=horizon_days)
    past = past.groupby(["s", "b"]).agg(n_past=("won", "size"), n_won=("won", "sum"), n_other_end=("other", "sum"))
    counts = ["n_open", "n_past", "n_won", "n_other_end"]
    table = pd.DataFrame(index=cells).join(now).join(past).astype(float).fillna(0.0).reset_index()
    table = table.astype(dict.fromkeys(counts, "int64"))
    seen = table["n_past"].where(table["n_past"] > 0)
    return pd.DataFrame(
        {
            "stage": [process.stage_ids[k - 1] for k in table["s"]],
            "buyer_stage": [process.buyer_stage_ids[k - 1] for k in table["b"]],
            "ahead": table["s"] - table["b"],
            **{name: table[name] for name in ("n_open", "amount", *counts[1:])},
            "p_won": table["n_won"] / seen,
            "p_other_end": table["n_other_end"] / seen,
            "horizon_days": horizon_days,
        }
    )


def _past_cells(book: DealBook, *, as_of: Any, horizon_days: int) -> pd.DataFrame:
    """One row a deal and cell it stood in on a past date: ``s``, ``b``, ``won``, ``other`` within the horizon."""
    known = known_outcomes(book, as_of_day(book, as_of)).set_index("deal_id")
    days = past_days(book, as_of=as_of, horizon_days=horizon_days, every_days=EVERY_DAYS)
    if not days:
        return pd.DataFrame(columns=["s", "b", "won", "other"])
    standing = open_deals(book, days=days).select("deal", "as_of_day", "stage", "last_seen_day")
    rows = standing.collect("pyarrow").to_native().to_pandas()
    rows = rows.merge(last_texts(book, "buyer_stage", days), on=["deal", "as_of_day"])
    order = {stage.id: stage.order for stage in book.process.buyer_stages}
    rows = rows.assign(b=rows["value"].map(order)).rename(columns={"stage": "s"})
    rows = rows.sort_values(["as_of_day", "deal"]).drop_duplicates(["deal", "s", "b"])
    outcome = known.loc[book.deals["deal_id"].to_numpy()[rows["deal"]]]
    within = (outcome["end_day"].to_numpy() - rows["as_of_day"].to_numpy()) <= horizon_days
    end = outcome["end"].to_numpy(dtype=object)
    vanished = (end == OPEN) & (rows["last_seen_day"].to_numpy() - rows["as_of_day"].to_numpy() < horizon_days)
    found = rows.assign(won=within & (end == "won"), other=within & (end != "won") & (end != OPEN))
    return found[~vanished & np.isfinite(found["b"])]
