"""Targets of a period from the book: of the company, of its teams, of its reps; of its months."""

from __future__ import annotations

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.forecast.months import months_of
from salesanalytics.timeline import Period, parse_period

LEVELS = ("team", "rep_id")


def stated_target(book: DealBook, period: Period) -> float | None:
    """Target of a period from ``book.targets``: the company's row, else the sum of teams, else of reps; 0 is none.

    A period without a row of its own has the sum of its parts (a quarter its months, a fiscal year its quarters), if
    all of them are named at the same level (company, teams or reps), by whichever teams or reps; with fewer it has
    none. Who has a row for the period counts by it, the others by theirs for its parts.
    """
    for rows in _by_level(book):
        amount = _amount(rows, period)
        if amount is not None:
            return amount or None
    return None


def group_targets(book: DealBook, period: Period) -> dict[str, dict[str, float]]:
    """Targets above 0 of each team, rep and month of a period, by level (``team``, ``rep_id``, ``month``).

    Of a team or a rep likewise its own row, else the sum of all parts of the period; of a month `stated_target`.
    """
    told = {}
    for level, rows in zip(LEVELS, _by_level(book)[1:], strict=True):
        told[level] = {str(name): _amount(own, period) for name, own in rows.groupby("name")}
    told["month"] = {month.name: stated_target(book, month) for month in months_of(period)}
    return {level: {name: amount for name, amount in of.items() if amount} for level, of in told.items()}


def _amount(rows: pd.DataFrame, period: Period) -> float | None:
    """Sum of own rows of a period and, over those who have none, of all its parts; None: neither is there."""
    own = rows[rows["quarter"].eq(period.name)]
    others = rows[~rows["name"].isin(own["name"])]
    parts = [_amount(others, part) for part in _parts(period)] if len(others) else []
    named = [amount for amount in parts if amount is not None]
    if len(named) < len(parts) or not named:
        return float(own["amount"].sum()) if len(own) else None
    return float(own["amount"].sum()) + sum(named)


def _parts(period: Period) -> list[Period]:
    """Quarters of a fiscal year, months of a quarter; a month has none."""
    if "Q" in period.name:
        return months_of(period)
    names = [f"{period.name}Q{k}" for k in (1, 2, 3, 4)] if period.name.isdigit() else []
    return [parse_period(name, fiscal_year_start=period.start_month) for name in names]


def _by_level(book: DealBook) -> list[pd.DataFrame]:
    """Rows of amounts of the company, of teams, of reps: ``quarter`` (a period) and ``name`` as text, ``amount``."""
    empty = {column: pd.Series(dtype=object) for column in ("quarter", "amount", *LEVELS, "measure")}
    rows = book.targets.reindex(columns=list(empty)) if len(book.targets) else pd.DataFrame(empty)
    rows = rows[rows["measure"].isna() | rows["measure"].eq("amount")]
    rows = rows.assign(quarter=rows["quarter"].astype(str), amount=rows["amount"].astype(float))
    team, rep = rows["team"].notna(), rows["rep_id"].notna()
    names = ((~team & ~rep, ""), (team & ~rep, rows["team"]), (rep, rows["rep_id"]))
    return [rows.assign(name=name)[level] for level, name in names]
