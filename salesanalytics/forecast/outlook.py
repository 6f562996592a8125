"""Beyond one quarter: its months, the next quarter, the fiscal year."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import AsOfError
from salesanalytics.forecast.by_month import draws_by_month
from salesanalytics.forecast.drawing import draw_totals
from salesanalytics.forecast.months import months_of
from salesanalytics.forecast.prepare import prepare
from salesanalytics.forecast.result import QuarterForecast, reaches
from salesanalytics.forecast.simple_methods import MEASURES
from salesanalytics.forecast.targets import stated_target
from salesanalytics.models.bands import band_columns
from salesanalytics.timeline import Period, parse_period


def outlook(forecast: QuarterForecast, *, book: DealBook) -> pd.DataFrame:
    """The months of a forecast quarter, the quarter, the next one, and the fiscal year.

    Months and quarter are the forecast's own draws, with all that it holds (judgement, what if, what widens or allows
    for): in every draw the months add up to the quarter; bands do not, for months do not all have luck at once. The
    next quarter and the year are drawn from the same model and date, without these. Of open deals a period counts only
    what falls into the days for which the book has watched such (`StageTable.watched_days_`).

    Parameters
    ----------
    forecast : QuarterForecast
        Of a quarter such as ``2026Q4``.
    book : DealBook
        The book it was made from.

    Returns
    -------
    DataFrame, one row a period, months first
        ``period``, ``kind`` (month, quarter, next, year), ``start``, ``end``, ``target`` (NaN without one);
        ``amount`` and ``count``: mean, each with ``_signed`` (by ``as_of``), ``_q10``, ``_q25``, ``_q50``, ``_q75``,
        ``_q90`` (ends of bands and median, `band_columns`); ``p_target``.

    Raises
    ------
    AsOfError
        The forecast is not of a quarter.
    """
    period, signed = forecast.period, forecast.signed
    if "Q" not in period.name:
        raise AsOfError(f"An outlook starts from a quarter such as 2026Q4, got {period.name!r}.")
    by_month = {measure: draws_by_month(forecast, measure=measure) for measure in MEASURES}
    rows = []
    for month in months_of(period):
        own = signed[signed["end_day"].between(month.start_day, month.end_day)]
        totals = {measure: by_month[measure][month.name].to_numpy() for measure in MEASURES}
        rows.append(_row("month", month, totals, signed=own, target=stated_target(book, month)))
    totals = {measure: forecast.total(measure) for measure in MEASURES}
    rows.append(_row("quarter", period, totals, signed=signed, target=forecast.target))
    year = parse_period(period.name[:4], fiscal_year_start=period.start_month)
    for kind, one in (("next", period.back(-1)), ("year", year)):
        prepared = prepare(book, period=one, day=forecast.prepared.day, in_full=False)
        totals = draw_totals(prepared, draws=forecast.signings.n_draws, seed=forecast.seed)
        rows.append(_row(kind, one, totals, signed=prepared.signed, target=stated_target(book, one)))
    return pd.DataFrame(rows).astype({"target": float, "p_target": float})


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
