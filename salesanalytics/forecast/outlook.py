"""Beyond one quarter: its months, the next quarter, the fiscal year."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import AsOfError
from salesanalytics.forecast.drawing import draw_totals
from salesanalytics.forecast.prepare import prepare
from salesanalytics.forecast.quarter import check_draws
from salesanalytics.forecast.result import QuarterForecast, reaches
from salesanalytics.forecast.targets import stated_target
from salesanalytics.models.bands import band_columns
from salesanalytics.timeline import Period, parse_period
from salesanalytics.timeline.calendar import as_of_day


def outlook(book: DealBook, *, quarter: str, as_of: Any, draws: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Forecast the months of a quarter that are not over, the quarter, the next one, and the fiscal year.

    All rest on the same model and date. Means of the months add up to that of the quarter, less what was signed in
    months that are over, but for the chance of the draws and for bookings around the end of the first month; bands do
    not, for months do not all have luck at once. Of open deals a period counts only what falls into the days for which
    the book has watched such (`StageTable.watched_days_`).

    Parameters
    ----------
    book : DealBook
    quarter : str
        Such as ``2026Q4``.
    as_of : date
    draws, seed : int
        As of `forecast_quarter`: with the same, the quarter is drawn alike (but never widened by past bands).

    Returns
    -------
    DataFrame, one row a period, months first
        ``period``, ``kind`` (month, quarter, next, year), ``start``, ``end``, ``target`` (NaN without one);
        ``amount`` and ``count``: mean, each with ``_signed`` (by ``as_of``), ``_q10``, ``_q25``, ``_q50``, ``_q75``,
        ``_q90`` (ends of bands and median, `band_columns`); ``p_target``.

    Raises
    ------
    AsOfError
        ``quarter`` is not a quarter, or is over at ``as_of``.
    """
    check_draws(draws, seed)
    start = book.settings.fiscal_year_start
    period = parse_period(quarter, fiscal_year_start=start)
    if "Q" not in period.name:
        raise AsOfError(f"An outlook starts from a quarter such as 2026Q4, got {quarter!r}.")
    day = as_of_day(book, as_of)
    months = [parse_period(f"{m:%Y-%m}", fiscal_year_start=start) for m in _months(period)]
    wanted = [("month", m) for m in months if m.end_day > day]
    wanted += [("quarter", period), ("next", period.back(-1))]
    wanted.append(("year", parse_period(period.name[:4], fiscal_year_start=start)))
    rows = []
    for kind, one in wanted:
        prepared = prepare(book, period=one, day=day, intervals=False)
        totals = draw_totals(prepared, draws=draws, seed=seed)
        rows.append(_row(kind, one, totals, signed=prepared.signed, target=stated_target(book, one)))
    return pd.DataFrame(rows).astype({"target": float, "p_target": float})


def with_headline(outlook: pd.DataFrame, forecast: QuarterForecast) -> pd.DataFrame:
    """An outlook whose row of the forecast's own quarter says what the forecast says: one number, one place.

    The other periods stay: judgement and what widens or allows for are of the forecast alone.
    """
    totals = {measure: forecast.total(measure) for measure in ("amount", "count")}
    row = _row("quarter", forecast.period, totals, signed=forecast.signed, target=forecast.target)
    own = outlook["kind"].eq("quarter") & outlook["period"].eq(row["period"])
    rows = [row if mine else other for mine, other in zip(own, outlook.to_dict("records"), strict=True)]
    return pd.DataFrame(rows, columns=list(outlook)).astype({"target": float, "p_target": float})


def _row(
    kind: str, period: Period, totals: dict[str, np.ndarray], *, signed: pd.DataFrame, target: float | None
) -> dict[str, Any]:
    row: dict[str, Any] = {"period": period.name, "kind": kind, "start": period.start, "end": period.end}
    row |= {"target": target, "p_target": None if target is None else float(reaches(totals["amount"], target).mean())}
    so_far = {"amount": float(signed["amount"].sum()), "count": float(len(signed))}
    for measure, total in totals.items():
        row |= {measure: total.mean(), f"{measure}_signed": so_far[measure]}
        row |= {f"{measure}_{name}": end for name, end in band_columns(total).items()}
    return row


def _months(period: Period) -> pd.DatetimeIndex:
    return pd.date_range(period.start, period.end, freq="MS")
