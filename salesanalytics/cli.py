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

from salesanalytics.errors import AsOfError, SalesAnalyticsError
from salesanalytics.labels import LANGUAGES, label

if TYPE_CHECKING:
    import pandas as pd

    from salesanalytics.book import DealBook

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
        sys.stderr.write(label("working", given.lang, path=given.path) + "\n")
    book = read_book(given.path)
    answer = given.run(book, given)
    if isinstance(answer, dict):
        answer = json.dumps(answer, indent=2, allow_nan=False, default=str) + "\n"
    elif written:
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
    _option(rates, "by", str, "COLUMN", "one row a stage and value: rep_id or a column of deals")
    _option(rates, "horizon", _count, "DAYS", "a signing counts within (730)", default=730)
    score = _command(commands, "score", _score, "chances of every open deal")
    _option(score, *as_of, required=True)
    _option(score, "until", _date, "DATE", "a signing counts up to that day, inclusive", required=True)
    _option(score, "out", Path, "FILE", "write all deals to this csv file")
    score.set_defaults(files=("",))
    forecast = _command(commands, "forecast", _forecast, "the quarter as a distribution")
    _option(forecast, *as_of, required=True)
    _option(forecast, "quarter", _period, "PERIOD", "2026Q4, 2026-11 or 2026", required=True)
    _option(forecast, "target", _amount, "AMOUNT", "amount to reach (default: from targets of the book)")
    _option(forecast, "draws", _count, "N", "number of draws (10000)", default=10_000)
    _option(forecast, "seed", _seed, "N", "same seed, same numbers (0)", default=0)
    _option(forecast, "out", Path, "DIR", "write forecast.html, forecast.xlsx and deals.csv there")
    forecast.set_defaults(files=("forecast.html", "forecast.xlsx", "deals.csv"))
    return parser


def _command(commands: Any, name: str, run: Callable[[DealBook, Namespace], Answer], text: str) -> ArgumentParser:
    parser: ArgumentParser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.add_argument("path", type=Path, metavar="PATH", help="folder of the book")
    parser.add_argument("--json", action="store_true", help="print one JSON object for machines")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="language of the texts (en)")
    parser.set_defaults(run=run)
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
_seed = _value(int, lambda n: 0 <= n < 2**32, "a whole number from 0 to 4,294,967,295")


def _check(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.report.text import check_text

    if given.json:
        tables = {"rows": _records(book.rows), "faults": _records(book.faults)}
        return {"process": book.process.id, "extracted_on": book.settings.extracted_on, **tables}
    return check_text(book, given.lang, _width())


def _rates(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.models import stage_win_rates
    from salesanalytics.report.text import rates_text

    if given.by and given.by not in book.deals:
        raise ArgumentTypeError(f"--by must be one of {', '.join(map(str, book.deals))}, got {given.by!r}")
    rates = stage_win_rates(book, as_of=given.as_of, by=given.by, horizon_days=given.horizon)
    if given.json:
        return {"as_of": given.as_of, "rates": _records(rates)}
    return rates_text(rates, book, given.lang, _width(), as_of=given.as_of, by=given.by)


def _score(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.forecast import score_open_deals
    from salesanalytics.report.tables import write_csv
    from salesanalytics.report.text import score_text

    deals = score_open_deals(book, as_of=given.as_of, until=given.until)
    if given.out:
        write_csv(deals, given.out)
    if given.json:
        return {"as_of": given.as_of, "until": given.until, "deals": _records(deals)}
    return score_text(deals, book, given.lang, _width(), as_of=given.as_of, until=given.until)


def _forecast(book: DealBook, given: Namespace) -> Answer:
    from salesanalytics.forecast import forecast_quarter
    from salesanalytics.report import write_report
    from salesanalytics.report.tables import write_csv
    from salesanalytics.report.text import forecast_text

    wanted = {name: getattr(given, name) for name in ("quarter", "as_of", "target", "draws", "seed")}
    forecast = forecast_quarter(book, **wanted)
    if given.out:
        page, workbook, table = (given.out / name for name in given.files)
        write_report(forecast, page, lang=given.lang)
        write_report(forecast, workbook, lang=given.lang)
        write_csv(forecast.deals, table)
    return forecast.to_dict() if given.json else forecast_text(forecast, given.lang, _width())


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON: no NaN, dates ISO."""
    return list(json.loads(frame.to_json(orient="records", date_format="iso")))


def _width() -> int | None:
    """Width of the terminal; a file or pager has none to keep to."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


if __name__ == "__main__":
    sys.exit(main())
