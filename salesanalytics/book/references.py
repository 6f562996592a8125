"""Names in one table that another one should know, and does not: owners, customers, teams of targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from salesanalytics.book.fields import listed

if TYPE_CHECKING:
    from salesanalytics.book.dealbook import DealBook


def unmatched(book: DealBook) -> list[tuple[str, str, int, str]]:
    """Names without a row where they should have one: table, rule, rows that bear such a name, and the names.

    Of a table that the book does not have nothing is said.
    """
    owners = book.engine.table("history").filter(nw.col("field") == "rep_id").select("value").collect("pyarrow")
    asked = [
        ("deals", book.deals, "rep_id", "reps"),
        ("history", owners.to_native().to_pandas().rename(columns={"value": "rep_id"}), "rep_id", "reps"),
        ("deals", book.deals, "account_id", "accounts"),
        ("targets", book.targets, "rep_id", "reps"),
        ("targets", book.targets, "team", "reps"),
    ]
    found = []
    for table, frame, column, by in asked:
        known = getattr(book, by).get(column)
        if known is not None and known.notna().any() and len(frame):
            names = frame[column].dropna()
            counts = names[~names.isin(known)].value_counts().to_dict()
            found.append((table, f"{column} not among the {by}", sum(counts.values()), listed(list(counts), counts)))
    return [remark for remark in found if remark[2]]
