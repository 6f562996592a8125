"""Months of a period: the chance of each deal to sign in each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.forecast.late_bookings import chances_before, shares_before, split_day
from salesanalytics.timeline import Period, parse_period


def months_of(period: Period) -> list[Period]:
    """Months of a month, quarter or fiscal year, in their order."""
    firsts = pd.date_range(period.start, period.end, freq="MS")
    return [parse_period(f"{first:%Y-%m}", fiscal_year_start=period.start_month) for first in firsts]


def month_names(days: Any) -> np.ndarray:
    """Names of the months of days since 1970-01-01, such as ``2026-11``."""
    return np.asarray(days).astype("datetime64[D]").astype("datetime64[M]").astype(str)


def open_by_month(
    book: DealBook,
    *,
    period: Period,
    day: int,
    deal_ids: pd.Series,
    state: pd.Series,
    p_won: np.ndarray,
    p_before: np.ndarray,
) -> pd.DataFrame:
    """Chance of each open deal to sign in each month of a period, one row a deal, one column a month.

    A month ahead is what lies between two days of the chances; in months that have begun or are over stand deals that
    were signed in them and are recorded late, as told for each by `shares_before`. Rows sum to the chance of the
    period.

    Parameters
    ----------
    book : DealBook
    period : Period
    day : int
        ``as_of``, days since 1970-01-01.
    deal_ids, state : Series (n_deals,)
    p_won : ndarray (n_deals, n_days + 1)
        Chance of being won within 0, 1, ... days, up to the end of the period.
    p_before : ndarray (n_deals,)
        Of it, what comes before the period; see `chances_before`.
    """
    months, eves = months_of(period), [p_before]
    for month in months[1:]:
        onward = replace(month, end_day=period.end_day)
        shares = shares_before(book, period=onward, day=day)
        eves.append(chances_before(shares, state, p_won[:, split_day(onward, day)]))
    edges = np.maximum.accumulate(np.column_stack([*eves, p_won[:, -1]]), axis=1)
    edges = np.minimum(edges, p_won[:, -1:])  # shares of neighbouring months are counted on different past days
    return pd.DataFrame(np.diff(edges), index=pd.Index(deal_ids, name="deal_id"), columns=[m.name for m in months])
