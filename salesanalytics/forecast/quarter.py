"""The quarter as a distribution: signed + open + reopened + unrecorded + new, drawn together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from salesanalytics.book import DealBook
from salesanalytics.errors import SchemaError
from salesanalytics.forecast.allowance import allowance_note, with_allowance
from salesanalytics.forecast.drawing import accuracy_ceiling, draw_components
from salesanalytics.forecast.extract_ids import renamed_note
from salesanalytics.forecast.extracts import Extracts
from salesanalytics.forecast.judged import known_on
from salesanalytics.forecast.prepare import Prepared, prepare
from salesanalytics.forecast.result import COMPONENTS, QuarterForecast
from salesanalytics.forecast.simple_methods import MEASURES, simple_methods, with_record
from salesanalytics.forecast.targets import group_targets, stated_target
from salesanalytics.forecast.track_record import TrackRecord
from salesanalytics.labels import percent
from salesanalytics.timeline import parse_period
from salesanalytics.timeline.calendar import as_of_day, to_date
from salesanalytics.timeline.spells import known_outcomes


def forecast_quarter(
    book: DealBook,
    *,
    quarter: str,
    as_of: Any,
    target: float | None = None,
    draws: int = 10_000,
    seed: int = 0,
    record: TrackRecord | None = None,
    extracts: Extracts | None = None,
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
        Amount to reach. Without it that of the book (`salesanalytics.forecast.targets.stated_target`): the company's
        row of ``book.targets``, else the sum of its teams, else of its reps; where the period has no row of its own the
        sum of its quarters or months.
    draws : int
    seed : int
        Same book, date and seed: same numbers.
    record : TrackRecord, optional
        From `backtest`: how past forecasts did. Where their bands were too narrow, the common shock is widened
        (`TrackRecord.stretch`), to a spread of 1 at most; without it they are as the model makes them. Of a record made
        later the quarters count that had ended 30 days before ``as_of``: the others were not known then.
    extracts : Extracts, optional
        From `compare_extracts`, of a book without ``recorded_at``: an allowance for what is recorded late and for
        deals that vanish (`salesanalytics.forecast.allowance.with_allowance`).

    Returns
    -------
    QuarterForecast

    Raises
    ------
    AsOfError
        The quarter is over at ``as_of``, or a date or period cannot be.
    SchemaError
        ``draws``, ``seed`` or ``target`` is no such number.
    """
    day = as_of_day(book, as_of)
    period = parse_period(quarter, fiscal_year_start=book.settings.fiscal_year_start)
    check_draws(draws, seed)
    if target is not None and not (isinstance(target, int | float | np.number) and 0 < target < np.inf):
        raise SchemaError(f"target must be an amount above 0, got {target!r}.")
    if record is not None:
        record = known_on(record, day, fiscal_year_start=book.settings.fiscal_year_start)
    asked: dict[str, Any] = {"draws": draws, "seed": seed, "target": target, "record": record}
    prepared = prepare(book, period=period, day=day)
    if extracts is None:
        return drawn(book, prepared, **asked)
    told = drawn(book, with_allowance(prepared, extracts=extracts, extracted_day=book.extracted_day), **asked)
    notes = [note for note in told.notes if note[0] != "note_no_recorded_at"]
    allowed = allowance_note(extracts, period, extracted_day=book.extracted_day)
    n_vanished = int(extracts.deals["what"].eq("vanished").sum())
    return replace(told, notes=(allowed, *renamed_note(extracts.renamed, n_vanished), *notes))


def check_draws(draws: Any, seed: Any) -> None:
    """Refuse a number of draws, or a seed, that cannot be."""
    for name, value, least in (("draws", draws, 1), ("seed", seed, 0)):
        if not isinstance(value, int | np.integer) or value < least:
            raise SchemaError(f"{name} must be a whole number from {least} on, got {value!r}.")


def drawn(
    book: DealBook, prepared: Prepared, *, draws: int, seed: int, target: float | None, record: TrackRecord | None
) -> QuarterForecast:
    """The forecast from what was prepared."""
    stretch = 1.0 if record is None else record.stretch
    components, signings, spread = draw_components(prepared, draws=draws, seed=seed, stretch=stretch)
    period = prepared.period
    target = target if target is not None else stated_target(book, period)
    simple = simple_methods(book, prepared)
    if record is not None:
        whole = {m: np.sum([pair[k] for pair in components.values()], axis=0) for k, m in enumerate(MEASURES)}
        simple = with_record(simple, prepared, draws=whole, record=record, target=target)
    return QuarterForecast(
        period=period,
        as_of=to_date(prepared.day),
        count={name: components[name][0] for name in COMPONENTS if name in components},
        amount={name: components[name][1] for name in COMPONENTS if name in components},
        signings=signings.pop("open"),
        elsewhere=signings,
        deals=prepared.deals,
        signed=prepared.signed,
        baselines=simple,
        target=target,
        unit=book.settings.unit,
        process=book.process,
        rung=prepared.model.rung_,
        half_life_days=prepared.model.half_life_days_,
        shock_spread=spread,
        prepared=prepared,
        ceiling=accuracy_ceiling(prepared, seed=seed),
        record=record,
        notes=_notes(book, prepared),
        seed=seed,
        rep_names=book.rep_names,
        group_targets=group_targets(book, period),
    )


def _notes(book: DealBook, prepared: Prepared) -> tuple[tuple[str, dict[str, Any]], ...]:
    """What has to be said beside the number."""
    known = known_outcomes(book, prepared.day)
    notes: list[tuple[str, dict[str, Any]]] = []
    if not len(known):
        notes.append(("note_nothing_known", {"day": to_date(prepared.day)}))
    elif not known["end"].eq("won").any():
        notes.append(("note_no_win", {"day": to_date(prepared.day)}))
    if not book.told_when_recorded(prepared.day):
        notes.append(("note_no_recorded_at", {}))
    if book.settings.amount_is == "current":
        notes.append(("note_amount_current", {}))
    return (*notes, *_notes_on_deals(prepared, has_won=known["end"].eq("won").any()))


def _notes_on_deals(prepared: Prepared, *, has_won: bool) -> list[tuple[str, dict[str, Any]]]:
    notes: list[tuple[str, dict[str, Any]]] = []
    deals, signed, n_origins = prepared.deals, prepared.signed, len(prepared.shock.shifts)
    ahead, watched = prepared.period.end_day - prepared.day, prepared.model.table_.watched_days_
    old, without = deals["older_than_any_win"], int(deals["amount"].isna().sum())
    late = float(deals["p_late_booking"].sum())
    if late >= 0.5:
        notes.append(("note_late_bookings", {"n": f"{late:.1f}"}))
    if len(deals) and ahead > watched:
        notes.append(("note_beyond_watched", {"n": watched, "days": ahead}))
    if old.any() and has_won:  # where nothing was ever signed every deal is older than any that was
        largest = percent(float(deals.loc[old, "p_in_period"].max()), 1)
        notes.append(("note_dead_stock", {"n": int(old.sum()), "largest": largest}))
    if without:
        notes.append(("note_amount_drawn" if prepared.lent.pools.size else "note_amount_unknown", {"n": without}))
    if signed["amount"].isna().any():
        notes.append(("note_signed_without_amount", {"n": int(signed["amount"].isna().sum())}))
    if n_origins < 4:
        notes.append(("note_few_origins", {"n": n_origins}))
    return notes
