"""Past forecasts beside the truth: each method with the distribution that its own past gave it by then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.forecast.baselines import WAYS, signed_deals
from salesanalytics.forecast.calls import call_and_past, combined, corrected, with_outcome
from salesanalytics.forecast.drawing import draw_totals
from salesanalytics.forecast.past_origins import DRAWS, Foreseen
from salesanalytics.forecast.simple_methods import spread
from salesanalytics.forecast.track_record import MIN_QUARTERS, NO_CALLS, OURS, WITH_CALLS, TrackRecord, stretch_of
from salesanalytics.models.bands import band_columns, crps, interval_score
from salesanalytics.timeline import amounts, parse_period
from salesanalytics.timeline.calendar import GRACE_DAYS, to_date
from salesanalytics.timeline.spells import outcomes_on


def judged(book: DealBook, told: list[Foreseen], seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forecasts beside the truth, each with what its past had taught by then; and the calls of reps.

    ``told``: by date. Scores are those of the scored origins; the others are the past of simple methods and of calls.
    """
    rows: list[dict[str, Any]] = []
    called: list[pd.DataFrame] = []
    over = {one.origin.period: one.origin.period.end_day + GRACE_DAYS for one in told}
    for at_once in (amounts, outcomes_on):  # each day is remembered then
        at_once(book, list(over.values()))
    brought = {period: signed_deals(book, period=period, day=known_day) for period, known_day in over.items()}
    for one in told:
        period, day, week = one.origin.period, one.origin.day, one.origin.week
        signed = brought[period]
        truth = {"amount": float(signed["amount"].sum()), "count": float(len(signed))}
        all_matured = [row for row in rows if row["matured_day"] <= day]
        matured = [row for row in all_matured if row["week"] == week]
        past = [c for c in called if c["matured_day"].iloc[0] <= day and c["week"].iloc[0] == week]
        head = {"quarter": period.name, "week": week, "as_of": to_date(day), "matured_day": over[period]}
        points = _with_corrected(one, pd.concat(past, ignore_index=True) if past else pd.DataFrame())
        found = _simple(points, matured, truth)
        if one.origin.scored:
            stretch, wide = _widened(one, all_matured, seed)
            found = [*_ours(one, wide, stretch, truth), *found, *_with_calls(one, points, wide, matured, truth)]
        rows += [head | row | {"scored": one.origin.scored} for row in found]
        if len(one.calls):
            called.append(with_outcome(one.calls, one.drawable.deals, signed).assign(**head))
    calls = pd.concat(called, ignore_index=True).drop(columns="matured_day") if called else NO_CALLS
    scores = pd.DataFrame(rows)
    scores = scores[scores["scored"]].drop(columns=["matured_day", "scored"]).reset_index(drop=True)
    return _comparable(scores), calls


def known_on(record: TrackRecord, day: int, *, fiscal_year_start: int) -> TrackRecord | None:
    """What a record could say on a day: its quarters that had ended 30 days before; None where none had.

    Which quarters can be compared is asked again: a method that began to speak later did not count then.
    """
    parts = []
    for rows in (record.scores, record.calls):
        ends = {q: parse_period(q, fiscal_year_start=fiscal_year_start).end_day for q in rows["quarter"].unique()}
        parts.append(rows[rows["quarter"].map(ends).astype(float) + GRACE_DAYS <= day].reset_index(drop=True))
    scores, calls = parts
    return replace(record, scores=_comparable(scores.drop(columns="comparable")), calls=calls) if len(scores) else None


def _widened(one: Foreseen, matured: list[dict[str, Any]], seed: int) -> tuple[float, dict[str, np.ndarray]]:
    """By how much the bands are widened, and the draws then."""
    columns = ["quarter", "measure", "method", "pit"]
    stretch = stretch_of(pd.DataFrame([row for row in matured if row["method"] == OURS], columns=columns))
    return stretch, one.totals if stretch == 1 else draw_totals(one.drawable, draws=DRAWS, seed=seed, stretch=stretch)


def _ours(one: Foreseen, wide: dict[str, np.ndarray], stretch: float, truth: dict[str, float]) -> list[dict[str, Any]]:
    rows = []
    for measure, plain in one.totals.items():
        y = truth[measure]
        pit = float((plain < y).mean() + 0.5 * (plain == y).mean())
        rows.append(_row(measure, OURS, wide[measure], y) | {"pit": pit, "stretch": stretch})
    return rows


def _with_corrected(one: Foreseen, past: pd.DataFrame) -> pd.DataFrame:
    """Simple methods, and the calls of reps corrected by how they came out before (NaN: nothing to correct by)."""
    call = corrected(one.calls, past)
    points = one.points.copy()
    for way in WAYS:
        points.loc[f"rep_{way}_corrected"] = {
            m: call.get((way, m), np.nan) + one.elsewhere[m] for m in ("count", "amount")
        }
    return points


def _simple(points: pd.DataFrame, matured: list[dict[str, Any]], truth: dict[str, float]) -> list[dict[str, Any]]:
    rows = []
    for method, point in points.iterrows():
        for measure in truth:
            past = [r for r in matured if (r["method"], r["measure"]) == (method, measure)]
            errors = np.array([r["forecast"] - r["actual"] for r in past if not np.isnan(r["forecast"])])
            x, y = float(point[measure]), truth[measure]
            own = spread(x, errors)
            plain = {"measure": measure, "method": str(method), "actual": y}
            rows.append((_row(measure, str(method), own, y) if len(own) else plain) | {"forecast": x})
    return rows


def _with_calls(
    one: Foreseen,
    points: pd.DataFrame,
    wide: dict[str, np.ndarray],
    matured: list[dict[str, Any]],
    truth: dict[str, float],
) -> list[dict[str, Any]]:
    """Our forecast moved towards the corrected calls as far as that helped before."""
    rows = []
    signed = {"amount": float(one.drawable.signed["amount"].sum()), "count": float(len(one.drawable.signed))}
    for measure, draws in wide.items():
        call, past = call_and_past(points[measure], pd.DataFrame(matured), measure)
        moved = draws if np.isnan(call) else combined(draws, call, past, at_least=signed[measure])
        rows.append(_row(measure, WITH_CALLS, moved, truth[measure]))
    return rows


def _row(measure: str, method: str, draws: np.ndarray, y: float) -> dict[str, Any]:
    bands = band_columns(draws)
    return {
        "measure": measure,
        "method": method,
        "forecast": float(draws.mean()),
        "actual": y,
        **bands,
        "crps": float(crps(draws, y)),
        "interval_score": float(interval_score([bands["q10"]], [bands["q90"]], [y], level=0.8)[0]),
        "in_50": float(bands["q25"] <= y <= bands["q75"]),
        "in_80": float(bands["q10"] <= y <= bands["q90"]),
    }


def _comparable(scores: pd.DataFrame) -> pd.DataFrame:
    """Mark the forecasts for which every method that can be compared has a CRPS.

    Those that can: with one in 8 quarters, or in as many as any simple method has. One that speaks too seldom to be
    recommended does not keep the others from being compared.
    """
    key = ["quarter", "week", "measure"]
    usable = scores[scores["crps"].notna()]
    quarters = usable.groupby(["measure", "method"])["quarter"].nunique()
    simple = quarters.drop([OURS, WITH_CALLS], level="method", errors="ignore").groupby("measure").max()
    least = quarters.index.get_level_values("measure").map(simple.clip(upper=MIN_QUARTERS)).fillna(0)
    methods = quarters[quarters.to_numpy() >= least].rename("n").reset_index()
    have = usable.merge(methods[["measure", "method"]]).groupby(key).size().rename("have").reset_index()
    complete = have.loc[have["have"] == have["measure"].map(methods["measure"].value_counts()), key]
    return (
        scores.merge(complete.assign(comparable=1), on=key, how="left")
        .fillna({"comparable": 0})
        .astype({"comparable": bool})
    )
