"""Command line: parses, calls, prints.

Exit status: 0 done, 1 the data were refused (faults on stderr), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salesanalytics.errors import AsOfError, SalesAnalyticsError
from salesanalytics.labels import LANGUAGES, label

if TYPE_CHECKING:
    import pandas as pd

    from salesanalytics.book import DealBook

MOST_DRAWS = 1_000_000
MOST_DAYS = 36_525
YEARS = range(1900, 2200)


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal that lacks a character shows a question mark
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough; what is left goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (AsOfError, argparse.ArgumentTypeError) as error:
        return _refuse(error, 2)
    except (SalesAnalyticsError, OSError) as error:
        return _refuse(error, 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _refuse(error: Exception, status: int) -> int:
    sys.stderr.write(f"salesanalytics: {error}\n")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="salesanalytics", description="Forecasts of project sales that show their work.", allow_abbrev=False
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _command(commands, "check", _check, "read a book and say what was kept, set aside and why")
    rates = _command(commands, "rates", _rates, "stage win rates against their nominal values")
    _as_of(rates)
    rates.add_argument("--by", metavar="COLUMN", help="one row a stage and value: rep_id or a column of deals")
    rates.add_argument(
        "--horizon", type=_whole(1, MOST_DAYS), default=730, metavar="DAYS", help="a signing counts within (730)"
    )
    score = _command(commands, "score", _score, "chances of every open deal")
    _as_of(score)
    score.add_argument(
        "--until", type=_date, required=True, metavar="DATE", help="a signing counts up to that day, inclusive"
    )
    score.add_argument("--out", type=Path, metavar="FILE", help="write all deals to this csv file")
    forecast = _command(commands, "forecast", _forecast, "the quarter as a distribution")
    _as_of(forecast)
    forecast.add_argument("--quarter", type=_period, required=True, metavar="PERIOD", help="2026Q4, 2026-11 or 2026")
    forecast.add_argument(
        "--target", type=_amount, metavar="AMOUNT", help="amount to reach (default: from targets of the book)"
    )
    forecast.add_argument(
        "--draws", type=_whole(1, MOST_DRAWS), default=10_000, metavar="N", help="number of draws (10000)"
    )
    forecast.add_argument(
        "--seed", type=_whole(0, 2**32 - 1), default=0, metavar="N", help="same seed, same numbers (0)"
    )
    forecast.add_argument("--out", type=Path, metavar="DIR", help="write forecast.html and deals.csv there")
    return parser


def _command(commands: Any, name: str, run: Callable[[Any], None], text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.add_argument("path", type=Path, metavar="PATH", help="folder of the book")
    parser.add_argument("--json", action="store_true", help="print one JSON object for machines")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="language of the texts (en)")
    parser.set_defaults(run=run)
    return parser


def _as_of(parser: argparse.ArgumentParser) -> None:
    text = "use only what was known at the end of that day"
    parser.add_argument("--as-of", type=_date, required=True, metavar="DATE", help=text)


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.year not in YEARS:
        raise argparse.ArgumentTypeError(f"a date is written 2026-09-30, got {text!r}")
    return day


def _period(text: str) -> str:
    if not text[:4].isdecimal() or int(text[:4]) not in YEARS:
        raise argparse.ArgumentTypeError(f"a period is written 2026Q4, 2026-11 or 2026, got {text!r}")
    return text


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 < amount < math.inf:
        raise argparse.ArgumentTypeError(f"an amount is a number above 0 such as 1500 or 5e7, got {text!r}")
    return amount


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text[:12]) <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, got {text!r}")
        return int(text)

    return read


def _book(arguments: argparse.Namespace) -> DealBook:
    from salesanalytics.book import read_book

    if getattr(arguments, "out", None):
        _make_folder(arguments.out.parent if arguments.run is _score else arguments.out)
    _progress(label("reading", arguments.lang, path=arguments.path))
    book = read_book(arguments.path)
    _progress(label("computing", arguments.lang))
    return book


def _make_folder(path: Path) -> None:
    """Make the folder to write to, before any work is done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"--out cannot be written: {error}") from error


def _check(arguments: argparse.Namespace) -> None:
    book, lang = _book(arguments), arguments.lang
    from salesanalytics.report.faults import fault_rows, row_counts

    if arguments.json:
        tables = {"rows": _records(book.rows), "faults": _records(book.faults)}
        _print_json({"process": book.process.id, "extracted_on": book.settings.extracted_on, **tables})
        return
    title = label("title_check", lang, process=book.process.name.zh if lang == "zh" else book.process.name.en)
    _print_table(row_counts(book, lang), title=title, n_text=1, lang=lang)
    _print_table(fault_rows(book, lang), title=label("title_faults", lang), n_text=5, lang=lang)


def _rates(arguments: argparse.Namespace) -> None:
    from salesanalytics.models import stage_win_rates
    from salesanalytics.report.tables import rate_rows

    book, by, lang = _book(arguments), arguments.by, arguments.lang
    if by and by not in book.deals:
        raise argparse.ArgumentTypeError(
            f"--by must be a column of deals, got {by!r}; columns: {', '.join(map(str, book.deals))}."
        )
    rates = stage_win_rates(book, as_of=arguments.as_of, by=by, horizon_days=arguments.horizon)
    if arguments.json:
        _print_json({"as_of": arguments.as_of, "rates": _records(rates)})
        return
    title = label("title_rates", lang, as_of=arguments.as_of, days=arguments.horizon)
    _print_table(rate_rows(rates, book, lang, by), title=title, n_text=2 if by else 1, lang=lang)


def _score(arguments: argparse.Namespace) -> None:
    from salesanalytics.forecast import score_open_deals
    from salesanalytics.report.tables import score_rows, write_csv

    book, lang = _book(arguments), arguments.lang
    deals = score_open_deals(book, as_of=arguments.as_of, until=arguments.until)
    if arguments.out:
        write_csv(deals, arguments.out)
    if arguments.json:
        _print_json({"as_of": arguments.as_of, "until": arguments.until, "deals": _records(deals)})
        return
    title = label("title_score", lang, as_of=arguments.as_of, until=arguments.until)
    _print_table(score_rows(deals, book, lang), title=title, n_text=3, lang=lang)
    _print_written([arguments.out] if arguments.out else [], lang)


def _forecast(arguments: argparse.Namespace) -> None:
    from salesanalytics.forecast import forecast_quarter
    from salesanalytics.report.html import write_report
    from salesanalytics.report.tables import write_csv
    from salesanalytics.report.text import forecast_text

    book, lang, out = _book(arguments), arguments.lang, arguments.out
    given = {name: getattr(arguments, name) for name in ("quarter", "as_of", "target", "draws", "seed")}
    forecast = forecast_quarter(book, **given)
    written: list[Path] = []
    if out:
        written.append(write_report(forecast, out / "forecast.html", lang=lang))
        written.append(write_csv(forecast.deals, out / "deals.csv"))
    if arguments.json:
        _print_json(forecast.to_dict())
        return
    _print(forecast_text(forecast, lang, _width()))
    _print_written(written, lang)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return json.loads(frame.to_json(orient="records", date_format="iso"))


def _print_json(content: dict[str, Any]) -> None:
    _print(json.dumps(content, indent=2, allow_nan=False, default=str))


def _print_table(frame: pd.DataFrame, *, title: str, n_text: int, lang: str) -> None:
    from salesanalytics.report.text import text_table

    _print(text_table(frame, title=title, n_text=n_text, lang=lang, width=_width()))


def _print_written(paths: list[Path], lang: str) -> None:
    if paths:
        _print(label("written", lang, paths=label("list_comma", lang).join(map(str, paths))))


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _width() -> int | None:
    """Width of the terminal; a file or pager has none to keep to."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
