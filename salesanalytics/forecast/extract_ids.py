"""Deals that stand in two extracts under different ids."""

from __future__ import annotations

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import SchemaError

MOST = 0.5  # of the deals of the earlier extract: above it a comparison by id says nothing
ALIKE = (["name"], ["account_id", "amount"])  # beside the creation; the second where the extracts have no names
N_EXAMPLES = 3


def renamed_deals(before: DealBook, after: DealBook, deals: pd.DataFrame) -> pd.DataFrame:
    """Deals that vanished and seem to come late in the later extract: created on the same day, and of the same name.

    Where the extracts have no names: of the same customer and amount, or of what they have of these.

    Parameters
    ----------
    deals : DataFrame
        ``deal_id``, ``what``, ``created_on`` of every deal of either extract.

    Returns
    -------
    DataFrame, one row a pair
        ``deal_id_before``, ``deal_id_after``. Of several that look alike the k-th goes with the k-th.

    Raises
    ------
    SchemaError
        It is most deals of the earlier extract.
    """
    key = next(filter(None, ([c for c in names if _told(before, c) and _told(after, c)] for names in ALIKE)), [])
    sides = []
    for book, what in ((before, "vanished"), (after, "late")):
        rows = deals.loc[deals["what"].eq(what), ["deal_id", "created_on"]]
        rows = rows.merge(book.deals.reindex(columns=["deal_id", *key]), on="deal_id").dropna(subset=key)
        sides.append(rows.assign(k=rows.groupby(["created_on", *key]).cumcount()))
    pairs = sides[0].merge(sides[1], on=["created_on", *key, "k"], suffixes=("_before", "_after")) if key else sides[0]
    found = pairs.reindex(columns=["deal_id_before", "deal_id_after"]).dropna()
    if len(found) > MOST * len(before.deals):
        n, of = len(found), len(before.deals)
        raise SchemaError(
            f"{n:,} of {of:,} deals of the earlier extract stand in the later one under another deal_id "
            f"(same creation, {', '.join(key)}): {examples(found)}. Give both extracts the same ids."
        )
    return found


def examples(renamed: pd.DataFrame) -> str:
    """The first pairs of ids, such as ``A1 = X7``."""
    pairs = renamed.head(N_EXAMPLES)
    return ", ".join(f"{old} = {new}" for old, new in zip(pairs["deal_id_before"], pairs["deal_id_after"], strict=True))


def renamed_note(renamed: pd.DataFrame, n_vanished: int) -> list[tuple[str, dict[str, object]]]:
    """What a forecast with an allowance says of such deals: a key of the label catalogue and what to fill in."""
    told = {"n": len(renamed), "vanished": n_vanished, "examples": examples(renamed)}
    return [("note_extracts_renamed", told)] if len(renamed) else []


def _told(book: DealBook, name: str) -> bool:
    return name in book.deals and bool(book.deals[name].notna().any())
