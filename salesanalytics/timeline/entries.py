"""On how many days a deal entered each stage: running counts, several packed in a column of the replay."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline.versions import PACK, sums

A_COLUMN = 4  # counts (below 4096 each) in one whole number


def entry_columns(book: DealBook) -> list[str]:
    """Names of the packed columns, for `unpacked_entries`."""
    return [f"entries_{k}" for k in range(-(-len(book.process.stages) // A_COLUMN))]


def running_entries(book: DealBook, entered: nw.Expr) -> dict[str, nw.Expr]:
    """The packed columns after each row of a part; ``entered``: the first entry of that day into the stage of a row."""
    terms = [entered & (nw.col("code") == k + 1) for k in range(len(book.process.stages))]
    return {name: sums(*terms[A_COLUMN * k : A_COLUMN * (k + 1)]) for k, name in enumerate(entry_columns(book))}


def unpacked_entries(book: DealBook, packed: pd.DataFrame) -> dict[str, pd.Series]:
    """Stage -> on how many days it was entered."""
    return {
        stage: packed[f"entries_{k // A_COLUMN}"] // PACK ** (k % A_COLUMN) % PACK
        for k, stage in enumerate(book.process.stage_ids)
    }
