"""Simple methods beside our forecast: what they say of a period, and how far off they were before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.forecast.baselines import WAYS, baselines
from salesanalytics.forecast.calls import call_and_past, calls_of, combined, corrected
from salesanalytics.forecast.lent_amounts import known_or_usual
from salesanalytics.forecast.prepare import Drawable, beside_calls
from salesanalytics.forecast.result import reaches
from salesanalytics.forecast.track_record import WITH_CALLS, TrackRecord
from salesanalytics.models.bands import central_band

TABLE = "stage_table"
MEASURES = ("count", "amount")
MIN_ERRORS = 4  # of a simple method, before they are a distribution


def simple_methods(book: DealBook, drawable: Drawable) -> pd.DataFrame:
    """What simple methods say: rows as of `baselines`, and ``stage_table`` (open deals by its chances, else ours)."""
    deals, rest = drawable.deals, beside_calls(drawable)
    p = deals["p_table_in_period"]
    told = [p.sum() + rest["count"], (p * known_or_usual(deals)).sum() + rest["amount"]]
    points = baselines(book, period=drawable.period, day=drawable.day, deals=deals)
    points.loc[len(points)] = [TABLE, *told, "open deals by the stage table, all else as forecast"]
    return points


def with_record(
    points: pd.DataFrame,
    drawable: Drawable,
    *,
    draws: Mapping[str, np.ndarray],
    record: TrackRecord,
    target: float | None,
) -> pd.DataFrame:
    """Simple methods with what a backtest knows of them, of the scored week nearest to how far the period has run.

    Parameters
    ----------
    points : DataFrame
        From `simple_methods`.
    drawable : Drawable
    draws : mapping
        Of our whole forecast, by measure.
    record : TrackRecord
    target : float, optional

    Returns
    -------
    DataFrame, one row a method
        ``method``, ``count``, ``amount``, ``basis``; besides those of `simple_methods` the calls of reps corrected by
        what came of them, and ``with_calls``, our forecast moved by them. ``count_lower``, ``count_upper``,
        ``amount_lower``, ``amount_upper`` (80 % band) and ``p_target``: of ``with_calls`` from its draws, of the others
        from their own past errors; NaN with fewer than 4.
    """
    past = _nearest(record.scores, drawable)
    moved, draws = points, dict(draws)
    if len(record.calls):
        table, draws = _corrected(drawable, draws, _nearest(record.calls, drawable), past)
        moved = pd.concat([points, table], ignore_index=True)
    errors = (past["forecast"] - past["actual"]).groupby([past["method"], past["measure"]])
    by_method = {key: part.dropna().to_numpy(dtype=float) for key, part in errors}
    rows = []
    for told in moved.to_dict("records"):
        row: dict[str, float] = {}
        for measure in MEASURES:
            own = draws[measure] if told["method"] == WITH_CALLS else None
            if own is None:
                own = spread(told[measure], by_method.get((told["method"], measure), np.zeros(0)))
            low, high = central_band(own, 0.8) if len(own) else (np.nan, np.nan)
            row |= {f"{measure}_lower": low, f"{measure}_upper": high}
            if measure == "amount":
                row["p_target"] = float(reaches(own, target).mean()) if target is not None and len(own) else np.nan
        rows.append(row)
    return moved.join(pd.DataFrame(rows, index=moved.index))


def spread(point: float, errors: np.ndarray) -> np.ndarray:
    """A number with its own past errors as distribution, none of it below 0; empty without it, or with too few."""
    return np.zeros(0) if len(errors) < MIN_ERRORS or np.isnan(point) else np.maximum(point - errors, 0.0)


def _nearest(rows: pd.DataFrame, drawable: Drawable) -> pd.DataFrame:
    """Rows of the scored week nearest to how far the period has run."""
    week = (drawable.day + 1 - drawable.period.start_day) / 7
    weeks = rows["week"].unique()
    return rows[rows["week"].eq(min(weeks, key=lambda w: (abs(w - week), w)))] if len(weeks) else rows


def _corrected(
    drawable: Drawable, draws: dict[str, np.ndarray], calls: pd.DataFrame, past: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """What the corrected calls say of a period, and our forecast with them, rows as of `baselines`; its draws."""
    call, rest = corrected(calls_of(drawable.deals, drawable.period), calls), beside_calls(drawable)
    table = pd.DataFrame(
        {m: {f"rep_{way}_corrected": call.get((way, m), np.nan) + rest[m] for way in WAYS} for m in MEASURES}
    )
    signed = {"amount": float(drawable.signed["amount"].sum()), "count": float(len(drawable.signed))}
    moved = {}
    for measure, some in draws.items():
        own, before = call_and_past(table[measure], past, measure)
        moved[measure] = some if np.isnan(own) else combined(some, own, before, at_least=signed[measure])
    table.loc[WITH_CALLS] = {m: x.mean() for m, x in moved.items()}
    return table.rename_axis("method").reset_index().assign(basis="how their calls came out before"), moved
