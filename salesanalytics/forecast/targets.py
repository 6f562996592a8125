"""Targets of a period from the book: of the company, of its teams, of its reps."""

from __future__ import annotations

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline import Period

LEVELS = ("team", "rep_id")


def stated_target(book: DealBook, period: Period) -> float | None:
    """Target of a period from ``book.targets``: the company's row, else the sum of teams, else of reps; 0 is none.

    A fiscal year without a row of its own has the sum of its quarters, if the same level (company, teams or reps)
    names all four; with fewer it has none.
    """
    for rows in _by_level(book):
        own = rows[rows["quarter"].eq(period.name)]
        if len(own):
            return float(own["amount"].sum()) or None
        parts = rows[rows["quarter"].isin(_quarters(period))]
        if len(parts) and parts["quarter"].nunique() == 4:
            return float(parts["amount"].sum()) or None
    return None


def group_targets(book: DealBook, period: Period) -> dict[str, dict[str, float]]:
    """Targets above 0 of each team and each rep that the book names for a period, by level (``team``, ``rep_id``).

    Of a fiscal year likewise the sum of its quarters where all four of the group are there.
    """
    found = {}
    for level, rows in zip(LEVELS, _by_level(book)[1:], strict=True):
        own = rows[rows["quarter"].eq(period.name)].groupby(level)["amount"].sum()
        parts = rows[rows["quarter"].isin(_quarters(period))].groupby(level)
        whole = parts["amount"].sum()[parts["quarter"].nunique() == 4]
        told = pd.concat([own, whole[~whole.index.isin(own.index)]]).astype(float)
        found[level] = {str(name): amount for name, amount in told.items() if amount > 0}
    return found


def _by_level(book: DealBook) -> list[pd.DataFrame]:
    """Rows of amounts of the company, of teams, of reps; ``quarter`` as text."""
    empty = {column: pd.Series(dtype=object) for column in ("quarter", "amount", *LEVELS, "measure")}
    rows = book.targets.reindex(columns=list(empty)) if len(book.targets) else pd.DataFrame(empty)
    rows = rows[rows["measure"].isna() | rows["measure"].eq("amount")]
    rows = rows.assign(quarter=rows["quarter"].astype(str), amount=rows["amount"].astype(float))
    team, rep = rows["team"].notna(), rows["rep_id"].notna()
    return [rows[level] for level in (~team & ~rep, team & ~rep, rep)]


def _quarters(period: Period) -> list[str]:
    """Names of the quarters of a fiscal year; none of another period."""
    return [f"{period.name}Q{k}" for k in (1, 2, 3, 4)] if period.name.isdigit() else []
