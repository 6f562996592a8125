"""Commands about the quarter: forecast, backtest, change, ledger."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from salesanalytics.cli.options import a_book, records, width
from salesanalytics.errors import InsufficientDataError, SchemaError
from salesanalytics.labels import label

if TYPE_CHECKING:
    import pandas as pd

    from salesanalytics.book import DealBook
    from salesanalytics.cli.options import Answer
    from salesanalytics.forecast import Extracts, PipelineChange, QuarterForecast, TrackRecord

PAST_QUARTERS = 12

Note = tuple[str, dict[str, Any]]


def forecast(book: DealBook, given: Namespace) -> Answer:
    """The quarter as a distribution, and the pack."""
    from salesanalytics.forecast import Ledger, forecast_quarter, outlook, pacing, pipeline_change
    from salesanalytics.report import write_report
    from salesanalytics.report.tables import known_amounts, write_csv
    from salesanalytics.report.text import forecast_text

    wanted = {name: getattr(given, name) for name in ("quarter", "target", "draws", "seed")}
    extracts, (record, notes) = _extracts(book, given), _record(book, given)
    wanted |= {"record": record, "extracts": extracts}
    told = _judged(book, forecast_quarter(book, as_of=given.as_of, **wanted), given)
    before = moved = None
    if given.since:
        if extracts is not None and extracts.after_on > given.since:  # they were not known then
            wanted["extracts"], notes = None, [*notes, ("note_since_without_extracts", {"since": given.since})]
        before = forecast_quarter(book, as_of=given.since, **wanted)
        moved = pipeline_change(book, before=given.since, as_of=given.as_of)
    told = replace(told, notes=(*told.notes, *notes))
    parts = _rollup(told, given.by) if given.by else None
    if given.out:
        page, workbook, table = (given.out / name for name in given.files)
        ahead = outlook(told, book=book) if "Q" in given.quarter else None
        groups = _rollup(told, "team") if parts is None and "team" in told.deals else parts
        pace = pacing(book, quarter=given.quarter, as_of=given.as_of) if told.period.start <= told.as_of else None
        for path in (page, workbook):
            more = {"groups": groups, "outlook": ahead, "pacing": pace, "pipeline": moved}
            write_report(told, path, lang=given.lang, before=before, **more)
        write_csv(told.deals, table)
        Ledger(given.out / "ledger").record(told, book=book)
    if given.json:
        found = told.to_dict() | ({} if parts is None else {"by": records(known_amounts(parts, told))})
        if before is None or moved is None:
            return found
        return found | {"change": _change(before, told), "pipeline": _pipeline(moved)}
    return forecast_text(told, given.lang, width(), parts=parts, before=before, pipeline=moved)


def _change(before: QuarterForecast, after: QuarterForecast) -> dict[str, Any]:
    """What moved a forecast, for machines."""
    from salesanalytics.forecast import explain_change

    change = explain_change(before, after)
    tables = {"causes": records(change.causes), "deals": records(change.deals)}
    return {"since": before.as_of, "before": change.before, "after": change.after} | tables


def _pipeline(change: PipelineChange) -> dict[str, Any]:
    """What moved the open pipeline, for machines."""
    tables = {"causes": records(change.causes), "deals": records(change.deals)}
    return {"since": change.before_on, "before": change.before, "after": change.after} | tables


def _extracts(book: DealBook, given: Namespace) -> Extracts | None:
    """What the earlier extract teaches of late recording; it is known from the day on which the book ends."""
    from salesanalytics.forecast import compare_extracts

    if not given.earlier:
        return None
    if book.has_recorded_at:
        raise ArgumentTypeError("--earlier is for a book without recorded_at: this one says when rows were recorded")
    found = compare_extracts(a_book(given.earlier, given.lang, option="--earlier"), book)
    if found.after_on > given.as_of:
        raise ArgumentTypeError(
            f"--earlier: what the two extracts teach is known from the end of the later one on: --as-of must be "
            f"{found.after_on}, got {given.as_of}"
        )
    return found


def _record(book: DealBook, given: Namespace) -> tuple[TrackRecord | None, list[Note]]:
    """How quarters did that were forecast as far ahead of their end; None where that is not asked for, or not known.

    Why it is not known is told as a note.
    """
    from salesanalytics.forecast import backtest
    from salesanalytics.forecast.backtest import MIN_CLOSED
    from salesanalytics.timeline import parse_period

    n = given.backtest if given.backtest is not None else PAST_QUARTERS if given.out else 0
    if not n:
        return None, []
    if "Q" not in given.quarter:
        return None, [("note_backtest_of_quarters", {})]
    period = parse_period(given.quarter, fiscal_year_start=book.settings.fiscal_year_start)
    week = max(-52, min(round(((given.as_of - period.start).days + 1) / 7), 12))  # further ahead none is tested
    kept = given.out and given.out / "ledger" / "backtests"
    asked: dict[str, Any] = {"quarters": n, "weeks": (week,), "cache": kept, "progress": _progress(given.lang)}
    try:
        return backtest(book, as_of=given.as_of, **asked), []
    except InsufficientDataError:
        return None, [("note_no_backtest", {"n": n, "least": MIN_CLOSED})]


def _progress(lang: str) -> Callable[[int, int], None] | None:
    """Past dates done so far, on a terminal only."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, n: int) -> None:
        end = "\n" if done == n else "\r"
        sys.stderr.write(label("past_dates_done", lang, done=done, n=n) + end)
        sys.stderr.flush()

    return show


def _judged(book: DealBook, told: QuarterForecast, given: Namespace) -> QuarterForecast:
    from salesanalytics.book.files import read_text_table
    from salesanalytics.forecast import read_judgements, with_judgement

    if not given.judgement:
        return told
    table = read_text_table(given.judgement)
    if table.malformed:
        row, text = table.malformed[0]
        raise SchemaError(f"{given.judgement}: row {row} has another number of columns than the first: {text!r}")
    return with_judgement(told, book=book, judgements=read_judgements(table.table.to_pandas()))


def _rollup(forecast: QuarterForecast, by: str) -> pd.DataFrame:
    from salesanalytics.forecast import rollup

    try:
        return rollup(forecast, by=by)
    except SchemaError as error:
        raise ArgumentTypeError(f"--by: {error}") from error


def backtest(book: DealBook, given: Namespace) -> Answer:
    """Past quarters forecast again."""
    from salesanalytics.forecast import backtest
    from salesanalytics.report.review import backtest_text
    from salesanalytics.report.review_rows import judged_measures

    asked = {"quarters": given.quarters, "weeks": given.weeks, "cache": given.cache, "progress": _progress(given.lang)}
    record = backtest(book, as_of=given.as_of, **asked)
    if given.json:
        judged = judged_measures(record)
        use = {m: record.recommended(m) if m in judged else None for m in ("amount", "count")}
        tables = {"summary": records(record.summary()), "scores": records(record.scores)}
        compared = {m: {"quarters": record.n_compared(m), "methods": record.n_methods(m)} for m in judged}
        told = {"as_of": given.as_of, "use": use, "compared": compared, "one_extract": record.one_extract}
        return told | {"stretch": record.stretch} | tables
    return backtest_text(record, given.lang, width(), as_of=given.as_of)


def change(book: DealBook, given: Namespace) -> Answer:
    """What moved a forecast, and the open pipeline."""
    from salesanalytics.forecast import explain_change, forecast_quarter, pipeline_change
    from salesanalytics.report.review import change_text, pipeline_text

    days = (given.before, given.as_of)
    before, after = (forecast_quarter(book, quarter=given.quarter, as_of=day) for day in days)
    moved = pipeline_change(book, before=given.before, as_of=given.as_of)
    if given.json:
        return {"quarter": given.quarter} | _change(before, after) | {"pipeline": _pipeline(moved)}
    told = change_text(explain_change(before, after), before, after, book, given.lang, width())
    return f"{told}\n{pipeline_text(moved, book.settings.unit, given.lang, width())}"


def ledger(given: Namespace) -> Answer:
    """Recorded forecasts."""
    from salesanalytics.forecast import Ledger
    from salesanalytics.report.ledger import accuracy_text, ledger_text, waiting_text

    if (given.book is None) != (given.as_of is None):
        raise ArgumentTypeError("--book and --as-of belong together")
    if not given.path.is_dir():
        raise SchemaError(f"{given.path} is not a folder.")
    ledger = Ledger(given.path)
    book = a_book(given.book, given.lang) if given.book else None
    listing, judged = ledger.list(), ledger.accuracy(book, as_of=given.as_of) if book else None
    if given.json:
        return {"records": records(listing), "accuracy": None if judged is None else records(judged)}
    listed = ledger_text(listing, given.lang, width(), path=given.path)
    if book is None or judged is None:
        return listed
    if not len(listing):
        return listed
    told = accuracy_text(judged, given.lang, width(), as_of=given.as_of, unit=book.settings.unit)
    year = book.settings.fiscal_year_start
    waiting = waiting_text(listing, given.lang, width(), as_of=given.as_of, fiscal_year_start=year)
    return f"{listed}\n{told}{waiting}"
