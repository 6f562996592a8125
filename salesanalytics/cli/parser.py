"""Commands and their options."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from salesanalytics.cli import book, quarter, review
from salesanalytics.cli.options import a_count, a_date, a_period, a_seed, an_amount, some_quarters, some_weeks
from salesanalytics.labels import LANGUAGES

_READ, _NEW = ("PATH", "folder of the book"), ("DIR", "a new or an empty folder")


def parser() -> ArgumentParser:
    """All commands; ``run`` of what was parsed is the function that answers."""
    about = "Forecasts of project sales that show their work."
    parser = ArgumentParser("salesanalytics", description=about, allow_abbrev=False)
    as_of = ("as-of", a_date, "DATE", "use only what was known at the end of that day")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _command(commands, "check", book.check, "read a book and say what was kept, set aside and why")
    rates = _command(commands, "rates", book.rates, "stage win rates against their nominal values")
    _option(rates, *as_of, required=True)
    _option(rates, "by", str, "COLUMN", "one row a stage and value: rep_id, team, a column of deals, a history field")
    _option(rates, "horizon", a_count, "DAYS", "a signing counts within (730)", default=730)
    score = _command(commands, "score", book.score, "chances of every open deal")
    _option(score, *as_of, required=True)
    _option(score, "until", a_date, "DATE", "a signing counts up to that day, inclusive", required=True)
    _option(score, "why", a_count, "N", "reasons of the N deals with the largest expected amount (5)", default=5)
    _option(score, "out", Path, "FILE", "write all deals to this csv file")
    score.set_defaults(files=("",))
    forecast = _command(commands, "forecast", quarter.forecast, "the quarter as a distribution")
    _option(forecast, *as_of, required=True)
    _option(forecast, "quarter", a_period, "PERIOD", "2026Q4, 2026-11 or 2026", required=True)
    _option(forecast, "target", an_amount, "AMOUNT", "amount to reach (default: from targets of the book)")
    _option(forecast, "draws", a_count, "N", "number of draws (10000)", default=10_000)
    _option(forecast, "seed", a_seed, "N", "same seed, same numbers (0)", default=0)
    _option(forecast, "by", str, "COLUMN", "also one row a team, rep_id, manager_id, stage or attribute")
    _option(forecast, "since", a_date, "DATE", "also tell what moved the forecast since that day")
    _option(
        forecast, "judgement", Path, "FILE", "csv of what people put over the model: deal_id, who, why, chance, ..."
    )
    _option(forecast, "earlier", Path, "PATH", "an earlier extract of the book, where it has no recorded_at")
    help_n = "test the bands on N past quarters and widen them by it (12 with --out, else 0)"
    _option(forecast, "backtest", some_quarters, "N", help_n)
    _option(forecast, "out", Path, "DIR", "write forecast.html, forecast.xlsx, deals.csv there; record in ledger")
    forecast.set_defaults(files=("forecast.html", "forecast.xlsx", "deals.csv"), folders=("ledger",))
    _review_commands(commands, as_of)
    sample = _command(commands, "sample", book.sample, "write a simulated company to practise on", path=_NEW)
    _option(sample, "deals", a_count, "N", "projects opened in four years (1500)", default=1500)
    _option(sample, "seed", a_seed, "N", "same seed, same company (20260930)", default=20260930)
    sample.set_defaults(doing="making", bookless=True)
    return parser


def _review_commands(commands: Any, as_of: tuple[Any, ...]) -> None:
    backtest = _command(commands, "backtest", quarter.backtest, "past quarters forecast again, beside what was signed")
    _option(backtest, *as_of, required=True)
    _option(backtest, "quarters", a_count, "N", "how many finished quarters (12)", default=12)
    _option(backtest, "weeks", some_weeks, "WEEKS", "weeks into the quarter, such as 0,4,8,12 (0)", default=(0,))
    _option(backtest, "cache", Path, "DIR", "keep the result there; found again while the past stays as it was")
    change = _command(commands, "change", quarter.change, "what moved a forecast between two dates")
    _option(change, "before", a_date, "DATE", "the earlier date", required=True)
    _option(change, *as_of, required=True)
    _option(change, "quarter", a_period, "PERIOD", "2026Q4, 2026-11 or 2026", required=True)
    alerts = _command(commands, "alerts", review.alerts, "what is wrong with open deals, by the rules of the process")
    _option(alerts, *as_of, required=True)
    _option(alerts, "top", a_count, "N", "the N gravest (20)", default=20)
    _option(alerts, "out", Path, "DIR", "write control.html there: the whole page of deal control")
    alerts.set_defaults(files=("control.html",))
    scrub = _command(commands, "scrub", review.scrub, "what to mend in the open deals before a forecast")
    _option(scrub, *as_of, required=True)
    _option(scrub, "quarter", a_period, "PERIOD", "also what hangs on it in that quarter")
    _option(scrub, "top", a_count, "N", "the first N (20)", default=20)
    tasks = _command(commands, "tasks", review.tasks, "what is due for the open deals")
    _option(tasks, *as_of, required=True)
    _option(tasks, "rep", str, "REP", "of one rep only")
    _option(tasks, "top", a_count, "N", "the first N (20)", default=20)
    _option(tasks, "out", Path, "FILE", "write a sheet for each owner to this .xlsx file")
    tasks.set_defaults(files=("",))
    reps = _command(commands, "reps", review.reps, "how reps do, given the deals they were dealt")
    _option(reps, *as_of, required=True)
    _option(reps, "out", Path, "DIR", "write index.html, a page a rep and reps.xlsx there")
    reps.set_defaults(files=("index.html", "reps.xlsx"))
    folder = ("DIR", "folder of the ledger")
    ledger = _command(commands, "ledger", quarter.ledger, "recorded forecasts, and how they did", path=folder)
    _option(ledger, "book", Path, "PATH", "judge those whose quarter is over by this book")
    _option(ledger, *as_of)
    ledger.set_defaults(bookless=True)


def _command(
    commands: Any, name: str, run: Callable[..., Any], text: str, *, path: tuple[str, str] = _READ
) -> ArgumentParser:
    parser: ArgumentParser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.add_argument("path", type=Path, metavar=path[0], help=path[1])
    parser.add_argument("--json", action="store_true", help="print one JSON object for machines")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="language of the texts (en)")
    parser.set_defaults(run=run, doing="working", bookless=False)
    return parser


def _option(parser: Any, name: str, read: Callable[[str], Any], metavar: str, text: str, **more: Any) -> None:
    parser.add_argument(f"--{name}", type=read, metavar=metavar, help=text, **more)
