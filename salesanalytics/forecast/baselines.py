"""What simple methods would say, and what a finished quarter brought."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline import Period, amounts, parse_period
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.replay import at_dates, collect, trail
from salesanalytics.timeline.spells import known_outcomes, observed_from, told_from
from salesanalytics.timeline.values import open_amounts

N_QUARTERS = 4
WAYS = ("commit", "best_case", "probability", "close_dates")  # in which reps call a period


def won_deals(book: DealBook, day: int) -> pd.DataFrame:
    """Deals whose state known at a day is won: ``deal_id``, ``end_day``, ``amount``."""
    known = known_outcomes(book, day)
    won = known.loc[known["end"] == "won", ["deal_id", "end_day"]]
    won = won.merge(amounts(book, [day]).drop(columns="as_of_day"), on="deal_id", how="left")
    return won.sort_values("deal_id", ignore_index=True)


def signed_deals(book: DealBook, *, period: Period, day: int) -> pd.DataFrame:
    """Deals whose state known at a day is won and whose signing is dated in the period: ``deal_id``, ``amount``."""
    won = won_deals(book, day)
    return won[won["end_day"].between(period.start_day, period.end_day)]


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


def baselines(book: DealBook, *, period: Period, day: int, deals: pd.DataFrame) -> pd.DataFrame:
    """Forecasts by simple methods as of a day.

    Parameters
    ----------
    deals : DataFrame
        Scored open deals (`score_open_deals`): what the reps say of them.

    Returns
    -------
    DataFrame, one row a method
        ``method``, ``count``, ``amount`` (NaN where the book cannot give it), ``basis`` (what it rests on):
        ``nominal_weighted`` (signed so far + open deals x nominal rate, those whose expected close date lies in the
        quarter where the book has such dates), ``stage_week_conversion`` (signed so far + what stands open in each
        stage x the share signed by quarter end of what stood there as many days before the end of the last four
        quarters), ``coverage_ratio`` (signed so far + what stands open in all x the mean of these four shares),
        ``rep_commit``, ``rep_best_case``, ``rep_probability`` and ``rep_close_dates`` (signed so far + open deals that
        their reps call, `called_by_way`), ``same_quarter_last_year``, ``mean_of_last_four``.
    """
    won, standing = won_deals(book, day), open_amounts(book, [day])
    begin = told_from(book, day)
    so_far = _sum(won, period)
    finished = [_finished(won, begin, p, day) for p in _last_finished(period, day)]
    stood = _stood_open(book, won, period, day)
    rows = [
        _nominal_weighted(book, standing, period, day, so_far),
        _stage_week_conversion(standing, stood, so_far),
        _coverage_ratio(standing, stood, so_far),
        *_calls_of_reps(deals, period, so_far),
        ("same_quarter_last_year", *_finished(won, begin, period.back(_per_year(period)), day), "actual"),
        ("mean_of_last_four", *np.mean(finished, axis=0), "actual"),
    ]
    return pd.DataFrame(rows, columns=["method", "count", "amount", "basis"])


def _sum(won: pd.DataFrame, period: Period) -> np.ndarray:
    """Count and amount signed in a period."""
    signed = won[won["end_day"].between(period.start_day, period.end_day)]
    return np.array([len(signed), signed["amount"].sum()])


def _last_finished(period: Period, day: int) -> list[Period]:
    """The last four periods of the same length that are over at a day, the latest first."""
    latest = next(k for k in itertools.count(1) if period.back(k).end_day <= day)
    return [period.back(k) for k in range(latest, latest + N_QUARTERS)]


def conversion_days(period: Period, day: int) -> dict[int, Period]:
    """Days as long before the end of each of the last four finished periods, each with its period."""
    return {p.end_day - (period.end_day - day): p for p in _last_finished(period, day)}


def _per_year(period: Period) -> int:
    return {"Q": 4, "-": 12}.get(period.name[4:5], 1)


def _finished(won: pd.DataFrame, begin: float, period: Period, day: int) -> np.ndarray:
    """Count and amount of a past period as known at a day; NaN where the book does not reach back."""
    reached = begin <= period.start_day and period.end_day <= day
    return _sum(won, period) if reached else np.array([np.nan, np.nan])


def _nominal_weighted(
    book: DealBook, standing: pd.DataFrame, period: Period, day: int, so_far: np.ndarray
) -> tuple[str, float, float, str]:
    rate = standing["stage"].map(dict(book.process.nominal_win_rates)).astype(float)
    if not any(book.process.nominal_win_rates.values()):
        return "nominal_weighted", np.nan, np.nan, "the process has no nominal rates"
    if None in book.process.nominal_win_rates.values():  # deals of such a stage would count as nothing
        return "nominal_weighted", np.nan, np.nan, "not every stage has a nominal rate"
    basis = "all open deals"
    dates = collect(book, at_dates(book, trail(book, "close_date"), [day])).set_index("deal_id")["last"]
    if len(dates):
        rate = rate.where(standing["deal_id"].map(dates).between(period.start_day, period.end_day), 0.0)
        basis = "open deals whose expected close date lies in the period"
    return "nominal_weighted", so_far[0] + rate.sum(), so_far[1] + (rate * standing["amount"]).sum(), basis


def called_by_way(deals: pd.DataFrame, period: Period) -> dict[str, pd.Series]:
    """What each open deal counts for in the call of its rep, 0 to 1, by way; ways of which no rep says a thing: none.

    ``commit``: deals he commits to; ``best_case``: these and his best cases; ``probability``: all at his own chances;
    ``close_dates``: all in full. Each where he dates the deal in the period.
    """
    close_date, category = deals["close_date"], deals["category"].astype(object)
    dated = close_date.between(pd.Timestamp(period.start), pd.Timestamp(period.end))
    said = {
        "commit": (category.eq("commit"), category),
        "best_case": (category.isin(["commit", "best_case"]), category),
        "probability": (deals["p_rep"], deals["p_rep"]),
        "close_dates": (dated, close_date),
    }
    return {
        way: weight.astype(float).fillna(0.0).where(dated, 0.0)
        for way, (weight, told) in said.items()
        if (told.notna() & close_date.notna()).any()
    }


def _calls_of_reps(deals: pd.DataFrame, period: Period, so_far: np.ndarray) -> list[tuple[str, float, float, str]]:
    """What the reps say of open deals that they date in the period."""
    called, rows = called_by_way(deals, period), []
    for way in WAYS:
        if way not in called:
            basis = "the reps do not say" if len(deals) else "no open deals"
            rows.append((f"rep_{way}", np.nan, np.nan, basis))
            continue
        expected = so_far + np.array([called[way].sum(), (called[way] * deals["amount"]).sum()])
        rows.append((f"rep_{way}", *expected, "open deals that their reps date in the period"))
    return rows


def _stood_open(book: DealBook, won: pd.DataFrame, period: Period, day: int) -> pd.DataFrame:
    """What stood open as long before the end of each of the last four finished periods, and what of it was signed.

    One row a deal and period (``as_of_day``, day of each): ``state``, ``amount``, ``signed``, ``won_amount``.
    """
    past = {d: p for d, p in conversion_days(period, day).items() if d >= observed_from(book)}
    later = open_amounts(book, list(past)).merge(won, on="deal_id", how="left", suffixes=("", "_won"))
    # from the first day of the period on: what was signed by then and recorded later came in it, too
    first = later["as_of_day"].map({d: p.start_day for d, p in past.items()})
    signed = later["end_day"].between(first, later["as_of_day"].map({d: p.end_day for d, p in past.items()}))
    return later.assign(signed=signed, won_amount=later["amount_won"].where(signed, 0.0))


def _stage_week_conversion(
    standing: pd.DataFrame, stood: pd.DataFrame, so_far: np.ndarray
) -> tuple[str, float, float, str]:
    """Conversion of what stood open (`_stood_open`), by stage."""
    if not len(stood):
        return "stage_week_conversion", np.nan, np.nan, "no finished period"
    by_state = stood.groupby("state").agg({"signed": "mean", "won_amount": "sum", "amount": "sum"})
    count = standing["state"].map(by_state["signed"]).fillna(0.0).sum()
    value_rate = standing["state"].map(by_state["won_amount"] / by_state["amount"].where(by_state["amount"] > 0))
    value = (value_rate.fillna(0.0) * standing["amount"].fillna(0.0)).sum()
    return "stage_week_conversion", so_far[0] + count, so_far[1] + value, f"last {stood['as_of_day'].nunique()} periods"


def _coverage_ratio(standing: pd.DataFrame, stood: pd.DataFrame, so_far: np.ndarray) -> tuple[str, float, float, str]:
    """What stands open x the mean over past periods of the share of what stood open that was signed (`_stood_open`)."""
    if not len(stood):
        return "coverage_ratio", np.nan, np.nan, "no finished period"
    by_period = stood.groupby("as_of_day").agg({"signed": "mean", "won_amount": "sum", "amount": "sum"})
    share = (by_period["won_amount"] / by_period["amount"].where(by_period["amount"] > 0)).mean()
    count, value = len(standing) * by_period["signed"].mean(), standing["amount"].sum() * share
    basis = f"last {len(by_period)} periods"
    return "coverage_ratio", so_far[0] + count, so_far[1] + (0.0 if np.isnan(value) else value), basis
