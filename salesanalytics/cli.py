"""Command line: parses, calls, prints.

Exit status: 0 done, 1 the data were refused (faults on stderr), 2 wrong usage.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import shutil
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salesanalytics.errors import AsOfError, SalesAnalyticsError, SchemaError
from salesanalytics.labels import LANGUAGES, label

if TYPE_CHECKING:
    import pandas as pd

    from salesanalytics.book import DealBook
    from salesanalytics.forecast import QuarterForecast

    Answer = dict[str, Any] | str  # one JSON object, or a text

PERIOD = re.compile(r"(19|20|21)\d\d(Q[1-4]|-(0[1-9]|1[0-2]))?")


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character shows a question mark
            stream.reconfigure(errors="replace")
    given = _parser().parse_args(argv)
    try:
        _run(given)
    except BrokenPipeError:  # the reader has seen enough; what is left goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (SalesAnalyticsError, OSError, ArgumentTypeError) as error:
        sys.stderr.write(f"salesanalytics: {error}\n")
        return 2 if isinstance(error, AsOfError | ArgumentTypeError) else 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(given: Namespace) -> None:
    from salesanalytics.book import read_book

    written = [_made(given.out / name) for name in given.files] if getattr(given, "out", None) else []
    if sys.stderr.isatty():
        sys.stderr.write(label(given.doing, given.lang, path=given.path) + "\n")
    answer = given.run(given) if given.run in (_sample, _ledger) else given.run(read_book(given.path), given)
    if isinstance(answer, dict):
        answer = json.dumps(answer, indent=2, allow_nan=False, default=str) + "\n"
    elif written:
        written += [given.out / name for name in getattr(given, "folders", ())]
        answer += label("written", given.lang, paths=label("list_comma", given.lang).join(map(str, written))) + "\n"
    sys.stdout.write(answer)
    sys.stdout.flush()


def _made(path: Path) -> Path:
    """A file to write, its folder made before any work is done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentTypeError(f"--out cannot be written: {error}") from error
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ArgumentTypeError(f"--out cannot be written: {path}")
    return path


def _parser() -> ArgumentParser:
    about = "Forecasts of project sales that show their work."
    parser = ArgumentParser("salesanalytics", description=about, allow_abbrev=False)
    as_of = ("as-of", _date, "DATE", "use only what was known at the end of that day")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _command(commands, "check", _check, "read a book and say what was kept, set aside and why")
    rates = _command(commands, "rates", _rates, "stage win rates against their nominal values")
    _option(rates, *as_of, required=True)
    _option(rates, "by", str, "COLUMN", "one row a stage and value: rep_id, team, a column of deals, a history field")
    _option(rates, "horizon", _count, "DAYS", "a signing counts within (730)", default=730)
    score = _command(commands, "score", _score, "chances of every open deal")
    _option(score, *as_of, required=True)
    _option(score, "until", _date, "DATE", "a signing counts up to that day, inclusive", required=True)
    _option(score, "why", _count, "N", "reasons of the N deals with the largest expected amount (5)", default=5)
    _option(score, "out", Path, "FILE", "write all deals to this csv file")
    score.set_defaults(files=("",))
    forecast = _command(commands, "forecast", _forecast, "the quarter as a distribution")
    _option(forecast, *as_of, required=True)
    _option(forecast, "quarter", _period, "PERIOD", "2026Q4, 2026-11 or 2026", required=True)
    _option(forecast, "target", _amount, "AMOUNT", "amount to reach (default: from targets of the book)")
    _option(forecast, "draws", _count, "N", "number of draws (10000)", default=10_000)
    _option(forecast, "seed", _seed, "N", "same seed, same numbers (0)", default=0)
    _option(forecast, "by", str, "COLUMN", "also one row a team, rep_id, manager_id, stage or attribute")
    _option(forecast, "out", Path, "DIR", "write forecast.html, forecast.xlsx, deals.csv there; record in ledger")
    forecast.set_defaults(files=("forecast.html", "forecast.xlsx", "deals.csv"), folders=("ledger",))
    _review_commands(commands, as_of)
    sample = _command(commands, "sample", _sample, "write a simulated company to practise on", path=_NEW)
    _option(sample, "deals", _count, "N", "projects opened in four years (1500)", default=1500)
    _option(sample, "seed", _seed, "N", "same seed, same company (20260930)", default=20260930)
    sample.set_defaults(doing="making")
    return parser


def _review_commands(commands: Any, as_of: tuple[Any, ...]) -> None:
    backtest = _command(commands, "backtest", _backtest, "past quarters forecast again, beside what was signed")
    _option(backtest, *as_of, required=True)
    _option(backtest, "quarters", _count, "N", "how many finished quarters (12)", default=12)
    _option(backtest, "weeks", _weeks, "WEEKS", "weeks into the quarter, such as 0,4,8,12 (0)", default=(0,))
    change = _command(commands, "change", _change, "what moved a forecast between two dates")
    _option(change, "before", _date, "DATE", "the earlier date", required=True)
    _option(change, *as_of, required=True)
    _option(change, "quarter", _period, "PERIOD", "2026Q4, 2026-11 or 2026", required=True)
    alerts = _command(commands, "alerts", _alerts, "what is wrong with open deals, by the rules of the process")
    _option(alerts, *as_of, required=True)
    _option(alerts, "top", _count, "N", "the N gravest (20)", default=20)
    tasks = _command(commands, "tasks", _tasks, "what is due for the open deals")
    _option(tasks, *as_of, required=True)
    _option(tasks, "rep", str, "REP", "of one rep only")
    _option(tasks, "top", _count, "N", "the first N (20)", default=20)
    reps = _command(commands, "reps", _reps, "how reps do, given the deals they were dealt")
    _option(reps, *as_of, required=True)
    folder = ("DIR", "folder of the ledger")
    ledger = _command(commands, "ledger", _ledger, "recorded forecasts, and how they did", path=folder)
    _option(ledger, "book", Path, "PATH", "judge those whose quarter is over by this book")
    _option(ledger, *as_of)


_READ, _NEW = ("PATH", "folder of the book"), ("DIR", "a new or an empty folder")


def _command(
    commands: Any, name: str, run: Callable[..., Answer], text: str, *, path: tuple[str, str] = _READ
) -> ArgumentParser:
    parser: ArgumentParser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.add_argument("path", type=Path, metavar=path[0], help=path[1])
    parser.add_argument("--json", action="store_true", help="print one JSON object for machines")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="language of the texts (en)")
    parser.set_defaults(run=run, doing="working")
    return parser


def _option(parser: Any, name: str, read: Callable[[str], Any], metavar: str, text: str, **more: Any) -> None:
    parser.add_argument(f"--{name}", type=read, metavar=metavar, help=text, **more)


def _value(read: Callable[[str], Any], holds: Callable[[Any], Any], rule: str) -> Callable[[str], Any]:
    """How an option is read: what cannot be read, or does not hold, is refused with the rule."""

    def value(text: str) -> Any:
        try:
            found = read(text)
        except ValueError:
            found = None
        if found is None or not holds(found):
            raise ArgumentTypeError(f"{rule}, got {text!r}")
        return found

    return value


_date = _value(date.fromisoformat, lambda day: 1900 <= day.year < 2200, "a date is written 2026-09-30")
_period = _value(str.upper, PERIOD.fullmatch, "a period is written 2026Q4, 2026-11 or 2026")
_amount = _value(float, lambda amount: 0 < amount < math.inf, "an amount is a number above 0, such as 1500 or 5e7")
_count = _value(int, lambda n: 1 <= n <= 1_000_000, "a whole number from 1 to 1,000,000")
_weeks = _value(
    lambda text: tuple(int(week) for week in text.split(",")),
    lambda weeks: all(0 <= week <= 13 for week in weeks),
    "weeks are written 0,4,8,12 and lie between 0 and 13",
)
_seed = _value(int, lambda n: 0 <= n < 2**32, "a whole number from 0 to 4,294,967,295")


def _check(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.report.text import check_text

    if given.json:
        tables = {"rows": _records(book.rows), "faults": _records(book.faults)}
        return {"process": book.process.id, "extracted_on": book.settings.extracted_on, **tables}
    return check_text(book, given.lang, _width())


def _rates(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.models import (
        nominal_rates_effect,
        propose_nominal_rates,
        rate_drift,
        rising_rates,
        segments_differ,
        stage_rates_over_time,
        stage_win_rates,
    )
    from salesanalytics.report import rates as texts
    from salesanalytics.timeline.asof_values import groupings

    if given.by and given.by not in groupings(book):
        raise ArgumentTypeError(f"--by must be one of {', '.join(groupings(book))}, got {given.by!r}")
    asked: dict[str, Any] = {"as_of": given.as_of, "horizon_days": given.horizon}
    rates = stage_win_rates(book, by=given.by, **asked)
    tests = segments_differ(book, as_of=given.as_of, by=given.by) if given.by else None
    if tests is not None and not given.json:
        table = texts.rates_text(rates, book, given.lang, _width(), as_of=given.as_of, by=given.by)
        return table + "\n" + texts.differ_text(tests, book, given.lang, _width())
    proposal, rising = propose_nominal_rates(book, **asked), rising_rates(book, **asked)
    has_nominal = any(book.process.nominal_win_rates.values())
    effect = nominal_rates_effect(book, **asked) if has_nominal else None
    if given.json:
        over_time = stage_rates_over_time(book, **asked)
        return {
            "as_of": given.as_of, "rates": _records(rates), "proposal": _records(proposal),
            "rising": {"rise": rising.rise, "p_value": rising.p_value, "stages": _records(rising.stages)},
            "effect": effect and {"quarters": _records(effect.quarters), "methods": _records(effect.methods)},
            "over_time": _records(over_time), "drift": _records(rate_drift(over_time)),
            "segments_differ": None if tests is None else _records(tests),
        }  # fmt: skip
    parts = [
        texts.rates_text(rates, book, given.lang, _width(), as_of=given.as_of),
        texts.gap_text(rates, book, given.lang, _width()),
        texts.proposal_text(proposal, rising, book, given.lang, _width()),
    ]
    return "\n".join(parts) + (texts.effect_text(effect, given.lang, _width()) if effect else "")


def _score(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.features import snapshots
    from salesanalytics.forecast import score_open_deals
    from salesanalytics.models import close_reasons
    from salesanalytics.models.close_model import fitted_close_model
    from salesanalytics.report.tables import write_csv
    from salesanalytics.report.text import score_text

    deals = score_open_deals(book, as_of=given.as_of, until=given.until)
    model = fitted_close_model(book, as_of=given.as_of)
    snapshot = snapshots(book, as_of=given.as_of)
    reasons = close_reasons(model, snapshot, until=given.until, deal_ids=deals["deal_id"].head(given.why))
    if given.out:
        write_csv(deals, given.out)
    asked = {"as_of": given.as_of, "until": given.until}
    if given.json:
        return asked | {"model": vars(model.rung_), "deals": _records(deals), "reasons": _records(reasons)}
    return score_text(deals, reasons, book, given.lang, _width(), rung=model.rung_, **asked)


def _forecast(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.forecast import Ledger, forecast_quarter
    from salesanalytics.report import write_report
    from salesanalytics.report.tables import write_csv
    from salesanalytics.report.text import forecast_text

    wanted = {name: getattr(given, name) for name in ("quarter", "as_of", "target", "draws", "seed")}
    forecast = forecast_quarter(book, **wanted)
    parts = _rollup(forecast, given.by) if given.by else None
    if given.out:
        page, workbook, table = (given.out / name for name in given.files)
        write_report(forecast, page, lang=given.lang)
        write_report(forecast, workbook, lang=given.lang)
        write_csv(forecast.deals, table)
        Ledger(given.out / "ledger").record(forecast, book=book)
    if given.json:
        return forecast.to_dict() | ({} if parts is None else {"by": _records(parts)})
    return forecast_text(forecast, given.lang, _width(), parts=parts)


def _rollup(forecast: QuarterForecast, by: str) -> pd.DataFrame:
    from salesanalytics.forecast import rollup

    try:
        return rollup(forecast, by=by)
    except SchemaError as error:
        raise ArgumentTypeError(f"--by: {error}") from error


def _backtest(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.forecast import backtest
    from salesanalytics.report.review import backtest_text

    record = backtest(book, as_of=given.as_of, quarters=given.quarters, weeks=given.weeks)
    if given.json:
        use = {measure: record.recommended(measure) for measure in ("amount", "count")}
        tables = {"summary": _records(record.summary()), "scores": _records(record.scores)}
        return {"as_of": given.as_of, "use": use, "stretch": record.stretch} | tables
    return backtest_text(record, given.lang, _width(), as_of=given.as_of)


def _change(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.forecast import explain_change, forecast_quarter
    from salesanalytics.report.review import change_text

    days = (given.before, given.as_of)
    before, after = (forecast_quarter(book, quarter=given.quarter, as_of=day) for day in days)
    change = explain_change(before, after)
    if given.json:
        tables = {"causes": _records(change.causes), "deals": _records(change.deals)}
        return {"quarter": given.quarter, "before": change.before, "after": change.after} | tables
    return change_text(change, before, after, book, given.lang, _width())


def _alerts(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.control import find_anomalies
    from salesanalytics.report.review import alerts_text

    found = find_anomalies(book, as_of=given.as_of)
    if given.json:
        return {"as_of": given.as_of, "hits": _records(found.hits), "rules": _records(found.rules)}
    return alerts_text(found, book, given.lang, _width(), as_of=given.as_of, top=given.top)


def _tasks(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.control import next_tasks
    from salesanalytics.report.review import tasks_text

    tasks = next_tasks(book, as_of=given.as_of)
    if given.rep:
        tasks = tasks[tasks["rep_id"].eq(given.rep)]
    if given.json:
        return {"as_of": given.as_of, "tasks": _records(tasks)}
    return tasks_text(tasks, book, given.lang, _width(), as_of=given.as_of, top=given.top)


def _reps(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.report.review import reps_text
    from salesanalytics.reps import evaluate_reps

    found = evaluate_reps(book, as_of=given.as_of)
    if given.json:
        return {"as_of": given.as_of, "sd": found.sd, "reps": _records(found.reps)}
    return reps_text(found, book, given.lang, _width(), as_of=given.as_of)


def _ledger(given: Namespace) -> Answer:
    from salesanalytics.book import read_book
    from salesanalytics.forecast import Ledger
    from salesanalytics.report.ledger import accuracy_text, ledger_text

    if (given.book is None) != (given.as_of is None):
        raise ArgumentTypeError("--book and --as-of belong together")
    if not given.path.is_dir():
        raise SchemaError(f"{given.path} is not a folder.")
    ledger = Ledger(given.path)
    book = read_book(given.book) if given.book else None
    records, judged = ledger.list(), ledger.accuracy(book, as_of=given.as_of) if book else None
    if given.json:
        return {"records": _records(records), "accuracy": None if judged is None else _records(judged)}
    listed = ledger_text(records, given.lang, _width(), path=given.path)
    if book is None or judged is None:
        return listed
    told = accuracy_text(judged, given.lang, _width(), as_of=given.as_of, unit=book.settings.unit)
    return listed + "\n" + told


def _sample(given: Namespace) -> Answer:
    from salesanalytics.simulate import Company, write_sample

    if given.path.exists() and (not given.path.is_dir() or any(given.path.iterdir())):
        raise ArgumentTypeError(f"DIR must be a new or an empty folder, got {given.path}")
    folder = write_sample(given.path, n_deals=given.deals, seed=given.seed)
    as_of, files = Company().end, sorted(map(str, folder.iterdir()))
    if given.json:
        return {"as_of": as_of, "deals": given.deals, "seed": given.seed, "files": files}
    paths = label("list_comma", given.lang).join(files)
    return f"{label('written', given.lang, paths=paths)}\n{label('known_until', given.lang, as_of=as_of)}\n"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON: no NaN, dates ISO."""
    return list(json.loads(frame.to_json(orient="records", date_format="iso")))


def _width() -> int | None:
    """Width of the terminal; a file or pager has none to keep to."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


if __name__ == "__main__":
    sys.exit(main())
