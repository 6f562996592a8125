"""What simple methods would say, and what a finished quarter brought."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline import Period, amounts, parse_period
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.replay import at_dates, collect, trail
from salesanalytics.timeline.spells import open_deals, outcomes
from salesanalytics.timeline.values import fields_in

N_QUARTERS = 4


def signed_deals(book: DealBook, *, period: Period, day: int) -> pd.DataFrame:
    """Deals whose state known at a day is won and whose signing is dated in the period: ``deal_id``, ``amount``."""
    known = collect(book, outcomes(book, day))
    won = known[(known["end"] == "won") & known["end_day"].between(period.start_day, period.end_day)]
    return won[["deal_id", "end_day"]].merge(amounts(book, [day]), on="deal_id", how="left")


def actual(book: DealBook, *, quarter: str, known_at: Any) -> dict[str, float]:
    """What was signed in a quarter, as known at a date.

    Returns
    -------
    dict
        ``count``, ``amount`` and ``n_without_amount`` of the deals whose latest known state is won and whose signing
        is dated in the quarter.

    Raises
    ------
    AsOfError
        ``quarter`` is not a period, or ``known_at`` lies after the end of the book.
    """
    period = parse_period(quarter, fiscal_year_start=book.settings.fiscal_year_start)
    signed = signed_deals(book, period=period, day=as_of_day(book, known_at))
    amount = signed["amount"]
    return {
        "count": float(len(signed)),
        "amount": float(amount.sum()),
        "n_without_amount": float(amount.isna().sum()),
    }


def baselines(book: DealBook, *, period: Period, day: int) -> pd.DataFrame:
    """Forecasts by simple methods as of a day.

    Returns
    -------
    DataFrame, one row a method
        ``method``, ``count``, ``amount`` (NaN where the book cannot give it), ``basis`` (what it rests on):
        ``nominal_weighted`` (signed so far + open deals x nominal rate, those whose expected close date lies in the
        quarter where the book has such dates), ``stage_week_conversion`` (signed so far + what stands open in each
        stage x the share signed by quarter end of what stood there as many days before the end of the last four
        quarters), ``same_quarter_last_year``, ``mean_of_last_four``.
    """
    signed = signed_deals(book, period=period, day=day)
    so_far = np.array([len(signed), signed["amount"].sum()])
    past = [period.back(k) for k in range(1, N_QUARTERS + 1)]
    finished = [_finished(book, p, day) for p in past]
    rows = [
        _nominal_weighted(book, period, day, so_far),
        _stage_week_conversion(book, period, day, so_far),
        ("same_quarter_last_year", *_finished(book, period.back(_per_year(period)), day), "actual"),
        ("mean_of_last_four", *np.mean(finished, axis=0), "actual"),
    ]
    return pd.DataFrame(rows, columns=["method", "count", "amount", "basis"])


def _per_year(period: Period) -> int:
    return {"Q": 4, "-": 12}.get(period.name[4:5], 1)


def _finished(book: DealBook, period: Period, day: int) -> np.ndarray:
    """Count and amount of a past period as known at a day; NaN where the book does not reach back."""
    known = collect(book, outcomes(book, day))
    if not len(known) or known["created_day"].min() > period.start_day or period.end_day > day:
        return np.array([np.nan, np.nan])
    signed = signed_deals(book, period=period, day=day)
    return np.array([len(signed), signed["amount"].sum()])


def _nominal_weighted(book: DealBook, period: Period, day: int, so_far: np.ndarray) -> tuple[str, float, float, str]:
    rates = dict(book.process.nominal_win_rates)
    standing = collect(book, open_deals(book, days=[day])).merge(amounts(book, [day]), on="deal_id", how="left")
    rate = standing["stage"].map(rates).astype(float)
    if not rate.notna().any():
        return "nominal_weighted", np.nan, np.nan, "the process has no nominal rates"
    basis = "all open deals"
    if "close_date" in fields_in(book):
        dates = collect(book, at_dates(book, trail(book, "close_date"), [day])).set_index("deal_id")["last"]
        rate = rate.where(standing["deal_id"].map(dates).between(period.start_day, period.end_day), 0.0)
        basis = "open deals whose expected close date lies in the period"
    return "nominal_weighted", so_far[0] + rate.sum(), so_far[1] + (rate * standing["amount"]).sum(), basis


def _stage_week_conversion(
    book: DealBook, period: Period, day: int, so_far: np.ndarray
) -> tuple[str, float, float, str]:
    """Conversion of what stood open, by stage, as long before the end of each of the last four finished periods."""
    distance = period.end_day - day
    past = [p for p in (period.back(k) for k in range(1, N_QUARTERS + 3)) if p.end_day <= day][:N_QUARTERS]
    parts = []
    for p in past:
        then = p.end_day - distance
        standing = collect(book, open_deals(book, days=[then])).merge(amounts(book, [then]), on="deal_id", how="left")
        signed = signed_deals(book, period=p, day=day)
        later = signed[signed["end_day"] > then].set_index("deal_id")["amount"]
        standing["signed"] = standing["deal_id"].isin(later.index).astype(float)
        standing["signed_amount"] = standing["deal_id"].map(later).fillna(0.0)
        parts.append(standing[["state", "amount", "signed", "signed_amount"]])
    history = pd.concat(parts) if parts else pd.DataFrame(columns=["state", "amount", "signed", "signed_amount"])
    if not len(history):
        return "stage_week_conversion", np.nan, np.nan, "no finished period"
    by_state = history.groupby("state").agg(
        n=("signed", "size"),
        open_amount=("amount", "sum"),
        won=("signed", "sum"),
        won_amount=("signed_amount", "sum"),
    )
    now = collect(book, open_deals(book, days=[day])).merge(amounts(book, [day]), on="deal_id", how="left")
    count = now["state"].map(by_state["won"] / by_state["n"]).fillna(0.0).sum()
    value_rate = now["state"].map(by_state["won_amount"] / by_state["open_amount"].where(by_state["open_amount"] > 0))
    value = (value_rate.fillna(0.0) * now["amount"].fillna(0.0)).sum()
    return "stage_week_conversion", so_far[0] + count, so_far[1] + value, f"last {len(past)} periods"
