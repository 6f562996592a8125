"""Days and periods: dates as whole days since 1970-01-01, quarters of a fiscal year."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.book.dealbook import EPOCH
from salesanalytics.errors import AsOfError

FOREVER = 10_000_000
QUARTER_DAYS = 91
GRACE_DAYS = 30  # so long after its end a quarter is closed, and judged by what is known then


def to_day(value: Any, *, name: str = "as_of") -> int:
    """A date (date, datetime, Timestamp, datetime64 or ISO text) as days since 1970-01-01.

    Raises
    ------
    AsOfError
        The value is not a date.
    """
    original = value
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value.strip()[:10]) if re.match(r"\d{4}-\d\d-\d\d", value.strip()) else None
        except ValueError:
            value = None
    if not isinstance(value, date) or pd.isna(value):
        raise AsOfError(f"{name} must be a date such as 2026-09-30, got {original!r}.")
    return (date(value.year, value.month, value.day) - EPOCH).days


def to_date(day: int) -> date:
    """Days since 1970-01-01 as a date."""
    return EPOCH + timedelta(days=int(day))


def to_timestamps(days: Any) -> pd.Series:
    """Whole days (NaN allowed) as a datetime column."""
    series = pd.Series(days)
    missing = series.isna()
    whole = series.where(~missing, 0).astype("int64").to_numpy().astype("datetime64[D]").astype("datetime64[us]")
    return pd.Series(whole, index=series.index).where(~missing)


def as_of_days(book: DealBook, as_of: Any) -> list[int]:
    """One date or many, checked against the end of the book, ascending and distinct.

    Raises
    ------
    AsOfError
        A date lies after ``extracted_on``, or is not a date.
    """
    many = isinstance(as_of, Sequence | np.ndarray | pd.Index | pd.Series) and not isinstance(as_of, str)
    days = sorted({to_day(value) for value in (as_of if many else [as_of])})
    if not days:
        raise AsOfError("as_of names no date.")
    if days[-1] > book.extracted_day:
        raise AsOfError(
            f"as_of {to_date(days[-1])} lies after the end of the book, {book.settings.extracted_on}: what happened "
            "between is not known. Read a later extract, or state extracted_on in book.yaml."
        )
    return days


def as_of_day(book: DealBook, as_of: Any) -> int:
    """Exactly one date, checked against the end of the book."""
    days = as_of_days(book, as_of)
    if len(days) != 1:
        raise AsOfError(f"as_of must be one date here, got {len(days)}.")
    return days[0]


@dataclass(frozen=True)
class Period:
    """A month, quarter or fiscal year: first and last day, both inclusive.

    Attributes
    ----------
    name : str
        As it was written: ``2026Q4``, ``2026-11`` or ``2026``.
    start_day, end_day : int
        Days since 1970-01-01.
    start_month : int
        First month of the fiscal year.
    """

    name: str
    start_day: int
    end_day: int
    start_month: int

    @property
    def start(self) -> date:
        """First day."""
        return to_date(self.start_day)

    @property
    def end(self) -> date:
        """Last day."""
        return to_date(self.end_day)

    def back(self, n: int) -> Period:
        """The period of the same length n periods earlier."""
        months = {"Q": 3, "-": 1}.get(self.name[4:5], 12)
        index = self.start.year * 12 + self.start.month - 1 - n * months
        return _period(index, months, self.start_month)


def quarter_number(days: np.ndarray, start_month: int) -> np.ndarray:
    """Quarters of the fiscal year since 1970, of days since 1970-01-01."""
    return (np.asarray(days).astype("datetime64[D]").astype("datetime64[M]").astype("int64") - (start_month - 1)) // 3


def parse_period(text: str, *, fiscal_year_start: int = 1) -> Period:
    """Read ``2026Q4``, ``2026-11`` or ``2026``; fiscal years are named after the year in which they end.

    Raises
    ------
    AsOfError
        The text is none of the three.

    Examples
    --------
    >>> parse_period("2026Q4").start, parse_period("2026Q4").end
    (datetime.date(2026, 10, 1), datetime.date(2026, 12, 31))
    >>> parse_period("2026Q1", fiscal_year_start=4).start
    datetime.date(2025, 4, 1)
    """
    match = re.fullmatch(r"((?:19|20|21)\d\d)(?:Q([1-4])|-(0[1-9]|1[0-2]))?", str(text).strip().upper())
    if match is None:
        raise AsOfError(f"A period is written 2026Q4, 2026-11 or 2026, got {text!r}.")
    year, quarter, month = match.groups()
    if month:
        return _period(int(year) * 12 + int(month) - 1, 1, fiscal_year_start)
    first_year = int(year) if fiscal_year_start == 1 else int(year) - 1
    index = first_year * 12 + fiscal_year_start - 1 + (3 * (int(quarter) - 1) if quarter else 0)
    return _period(index, 3 if quarter else 12, fiscal_year_start)


def quarter_of(day: int, *, fiscal_year_start: int = 1) -> Period:
    """The fiscal quarter that holds a day."""
    when = to_date(day)
    index = when.year * 12 + when.month - 1
    return _period(index - (index - (fiscal_year_start - 1)) % 3, 3, fiscal_year_start)


def _period(index: int, months: int, start_month: int) -> Period:
    """Build from the running month (year * 12 + month - 1) of its first day and its length."""
    first = date(index // 12, index % 12 + 1, 1)
    after = date((index + months) // 12, (index + months) % 12 + 1, 1)
    fiscal = index - (start_month - 1)
    year = fiscal // 12 + (0 if start_month == 1 else 1)
    name = {1: f"{first:%Y-%m}", 3: f"{year}Q{fiscal % 12 // 3 + 1}", 12: str(year)}[months]
    return Period(name, to_day(first), to_day(after) - 1, start_month)
