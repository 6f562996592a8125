"""The quarter as a distribution: signed + open + reopened + unrecorded + new, drawn together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import AsOfError, SchemaError
from salesanalytics.forecast.arrivals import fit_arrivals, won_amounts
from salesanalytics.forecast.baselines import baselines, signed_deals
from salesanalytics.forecast.parts import amount_ratios, draw_new, draw_open, draw_reopened, draw_unrecorded
from salesanalytics.forecast.result import COMPONENTS, QuarterForecast
from salesanalytics.forecast.score import score_with
from salesanalytics.models.close_model import fitted_close_model
from salesanalytics.models.shock import fit_shock
from salesanalytics.timeline import Period, amounts, parse_period
from salesanalytics.timeline.calendar import as_of_day, to_date


def forecast_quarter(
    book: DealBook,
    *,
    quarter: str,
    as_of: Any,
    target: float | None = None,
    draws: int = 10_000,
    seed: int = 0,
) -> QuarterForecast:
    """Forecast what will be signed in a quarter, from what was known at a date.

    Parameters
    ----------
    book : DealBook
    quarter : str
        ``2026Q4``, a month ``2026-11`` or a fiscal year ``2026``; it may have begun, or lie ahead.
    as_of : date
        End of that day, inclusive.
    target : float, optional
        Amount to reach. Without it the company's row of ``book.targets`` for the quarter, else the sum of its teams,
        else of its reps.
    draws : int
    seed : int
        Same book, date and seed: same numbers.

    Returns
    -------
    QuarterForecast

    Raises
    ------
    AsOfError
        The quarter is over at ``as_of``, or a date or period cannot be.
    """
    day = as_of_day(book, as_of)
    period = parse_period(quarter, fiscal_year_start=book.settings.fiscal_year_start)
    if period.end_day <= day:
        raise AsOfError(f"{period.name} ended on {period.end}, as_of is {to_date(day)}: there is nothing to forecast.")
    if draws < 1:
        raise SchemaError(f"draws must be at least 1, got {draws}.")
    shock_rng, new_rng, unrecorded_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    horizon, before = period.end_day - day, period.start_day - 1 - day
    model = fitted_close_model(book, as_of=to_date(day))
    scores = score_with(model, book, horizon_days=horizon)
    shock = fit_shock(model.past_within(horizon))
    shift = shock.draw(shock_rng, draws)
    # signed by now and not typed in yet: of this period if it has begun, else a late booking of an earlier one
    p = scores.p_won[:, -1] - (scores.p_won[:, before] if before >= 0 else 0.0)
    now = amounts(book, [day])
    pool = won_amounts(book, now, as_of=to_date(day))
    deals = scores.deals.assign(p_in_period=p)
    deals["expected_amount"] = deals["p_in_period"] * deals["amount"].fillna(pool.mean() if len(pool) else 0.0)
    ratios = amount_ratios(book, day)
    count: dict[str, np.ndarray] = {}
    amount: dict[str, np.ndarray] = {}
    signed = signed_deals(book, period=period, day=day)
    count["signed"] = np.full(draws, float(len(signed)))
    amount["signed"] = np.full(draws, float(signed["amount"].sum()))
    count["open"], amount["open"] = draw_open(deals, ratios, seed=seed, shift=shift, pool=pool)
    count["reopened"], amount["reopened"] = draw_reopened(
        book, day, horizon, before, now, seed=seed, shift=shift, pool=pool
    )
    arrivals = fit_arrivals(book, as_of=to_date(day))
    if book.has_recorded_at:
        count["unrecorded"], amount["unrecorded"] = draw_unrecorded(arrivals, period, day, unrecorded_rng, pool, shift)
    count["new"], amount["new"] = draw_new(arrivals, period, day, new_rng, pool, shift)
    return QuarterForecast(
        period=period,
        as_of=to_date(day),
        count={name: count[name] for name in COMPONENTS if name in count},
        amount={name: amount[name] for name in COMPONENTS if name in amount},
        deals=deals.sort_values(["expected_amount", "p_in_period"], ascending=False, kind="stable", ignore_index=True),
        baselines=baselines(book, period=period, day=day),
        target=target if target is not None else stated_target(book, period),
        unit=book.settings.unit,
        process=book.process,
        rung=model.rung_,
        half_life_days=model.table_.half_life_days_,
        shock_spread=shock.spread,
        notes=_notes(book, deals, signed, len(shock.shifts)),
        seed=seed,
    )


def stated_target(book: DealBook, period: Period) -> float | None:
    """Target of the period from ``book.targets``: the company's row, else the sum of teams, else of reps."""
    targets = book.targets
    if not len(targets):
        return None
    rows = targets[targets["quarter"].astype(str).eq(period.name)]
    if "measure" in rows:
        rows = rows[rows["measure"].isna() | rows["measure"].eq("amount")]
    team, rep = (rows[c].notna() if c in rows else pd.Series(data=False, index=rows.index) for c in ("team", "rep_id"))
    for level in (~team & ~rep, team & ~rep, rep):
        if level.any():
            return float(rows.loc[level, "amount"].sum())
    return None


def _notes(
    book: DealBook, deals: pd.DataFrame, signed: pd.DataFrame, n_origins: int
) -> tuple[tuple[str, dict[str, Any]], ...]:
    """What has to be said beside the number."""
    notes: list[tuple[str, dict[str, Any]]] = []
    old, without = int(deals["older_than_any_win"].sum()), int(deals["amount"].isna().sum())
    if not book.has_recorded_at:
        notes.append(("note_no_recorded_at", {}))
    if book.settings.amount_is == "current":
        notes.append(("note_amount_current", {}))
    if old:
        notes.append(("note_dead_stock", {"n": old}))
    if without:
        notes.append(("note_amount_drawn", {"n": without}))
    if signed["amount"].isna().any():
        notes.append(("note_signed_without_amount", {"n": int(signed["amount"].isna().sum())}))
    if n_origins < 4:
        notes.append(("note_few_origins", {"n": n_origins}))
    return tuple(notes)
