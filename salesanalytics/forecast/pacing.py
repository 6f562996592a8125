"""Pacing: what was signed by this week of the quarter, against the same week of past quarters and how they ended."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import AsOfError
from salesanalytics.forecast.baselines import signed_deals
from salesanalytics.forecast.lent_amounts import known_or_usual
from salesanalytics.forecast.result import QuarterForecast, reaches
from salesanalytics.timeline import Period, amounts, parse_period
from salesanalytics.timeline.calendar import GRACE_DAYS, as_of_day, to_date, to_timestamps
from salesanalytics.timeline.spells import known_outcomes, observed_from, outcomes_on

COLUMNS = ["quarter", "week", "day", "count", "amount", "final_count", "final_amount", "share_of_final", "is_current"]


def pacing(book: DealBook, *, quarter: str, as_of: Any, quarters: int = 8) -> pd.DataFrame:
    """What had been signed by the end of each week of a quarter and of past ones, as it was known then.

    Parameters
    ----------
    book : DealBook
    quarter : str
        A period in progress at ``as_of``: ``2026Q4``, a month or a fiscal year.
    as_of : date
        Nothing recorded later counts.
    quarters : int
        Past periods beside it.

    Returns
    -------
    DataFrame, one row a period and week, the latest period first
        ``quarter``; ``week`` (1 = its first seven days; the last one ends with the period) and ``day``, its last day
        (of the running week: ``as_of``); ``count`` and ``amount`` signed in the period up to then and known then;
        ``final_count``, ``final_amount`` as known 30 days after its end (at ``as_of`` where that is earlier; NaN while
        it runs); ``share_of_final`` (of the amount; above 1 where signings were taken back); ``is_current``. Periods
        that began before the book knew of any deal are left out.

    Raises
    ------
    AsOfError
        ``as_of`` does not lie in the period, or ``quarters`` is negative.
    """
    day = as_of_day(book, as_of)
    now = parse_period(quarter, fiscal_year_start=book.settings.fiscal_year_start)
    if not now.start_day <= day <= now.end_day:
        raise AsOfError(f"as_of must lie in {now.name} ({now.start} to {now.end}), got {to_date(day)}.")
    if quarters < 0:
        raise AsOfError(f"quarters must be at least 0, got {quarters}.")
    begin = max(_first_day(book, day), observed_from(book))
    periods = [now, *(now.back(k) for k in range(1, quarters + 1) if now.back(k).start_day >= begin)]
    asked = {d for period in periods for d in (*_ends(period, day), min(period.end_day + GRACE_DAYS, day))}
    for at_once in (amounts, outcomes_on):  # each day is remembered then
        at_once(book, sorted(asked))
    return pd.concat([_weeks(book, period, day) for period in periods], ignore_index=True)[COLUMNS]


def _ends(period: Period, as_of: int) -> list[int]:
    """Last days of the weeks of a period that have begun, the running one cut."""
    n_weeks = round((period.end_day - period.start_day + 1) / 7)  # 90 to 92 days are 13 weeks
    ends = [*(period.start_day + 7 * np.arange(1, n_weeks) - 1), period.end_day]
    return [int(d) for d in ends if d <= as_of] if as_of > period.end_day else _until(ends, as_of)


def _weeks(book: DealBook, period: Period, as_of: int) -> pd.DataFrame:
    """The weeks of one period."""
    ends = _ends(period, as_of)
    rows = [_signed(book, period, day) for day in ends]
    over = as_of > period.end_day
    final = _signed(book, period, min(period.end_day + GRACE_DAYS, as_of)) if over else (np.nan, np.nan)
    table = pd.DataFrame(rows, columns=["count", "amount"]).astype(float)
    share = table["amount"] / final[1] if over and final[1] > 0 else pd.Series(np.nan, table.index)
    return table.assign(
        quarter=period.name,
        week=np.arange(1, len(ends) + 1),
        day=to_timestamps(pd.Series(ends, dtype=float)),
        final_count=final[0],
        final_amount=final[1],
        share_of_final=share,
        is_current=not over,
    )


def _until(ends: list[Any], day: int) -> list[int]:
    """Ends of the weeks that have begun by a day, the last one cut there."""
    return [*(int(d) for d in ends if d < day), day]


def _signed(book: DealBook, period: Period, day: int) -> tuple[float, float]:
    """Count and amount signed in a period by a day, as known then."""
    signed = signed_deals(book, period=period, day=day)
    return float(len(signed)), float(signed["amount"].sum())


def _first_day(book: DealBook, day: int) -> int:
    """First day on which anything was known, of what is known at a day; the day after it without any."""
    known = known_outcomes(book, day)
    return int(known["known_from"].min()) if len(known) else day + 1


def coverage_ratio(forecast: QuarterForecast) -> dict[str, float]:
    """How far the open pipeline covers what the target still lacks.

    Returns
    -------
    dict
        ``signed``, ``to_go`` (target less signed, at least 0), ``open_amount`` (of all open deals; one of
        unknown amount counts as the mean of wins like it),
        ``expected_open`` (expected of them in the period, as in the forecast: the mean of its draws, in which amounts
        change until signing), ``coverage`` = open amount / to go,
        ``expected_coverage`` = expected / to go (1 reaches the target in the mean, without deals yet to come).
        In the book's currency or unit; NaN without a target, and the ratios where nothing is left to go.
    """
    signed = float(forecast.signed["amount"].sum())
    target = np.nan if forecast.target is None else forecast.target
    to_go = 0.0 if reaches(signed, target) else target - signed
    open_amount = float(known_or_usual(forecast.deals).sum())
    expected = float(forecast.amount["open"].mean())
    lacks = to_go if to_go > 0 else np.nan
    return {
        "signed": signed, "to_go": to_go, "open_amount": open_amount, "expected_open": expected,
        "coverage": open_amount / lacks, "expected_coverage": expected / lacks,
    }  # fmt: skip
