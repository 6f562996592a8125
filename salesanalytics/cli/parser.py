"""Commands and their options; what ``--help`` says is in the catalogue of labels."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from salesanalytics.cli import book, quarter, review
from salesanalytics.cli.options import (
    a_count,
    a_csv,
    a_date,
    a_period,
    a_seed,
    an_amount,
    an_xlsx,
    some_finished,
    some_quarters,
    some_weeks,
)
from salesanalytics.errors.chinese import in_chinese
from salesanalytics.labels import LANGUAGES, label

_BOOK, _NEW, _LEDGER = ("PATH", "help_book"), ("DIR", "help_new_folder"), ("DIR", "help_ledger_folder")
_AS_OF = ("as-of", a_date, "DATE", "help_as_of")
_PERIOD = ("quarter", a_period, "PERIOD", "help_period")


class Parser(ArgumentParser):
    """A parser whose help is in one language."""

    def __init__(self, *, lang: str, **more: Any) -> None:
        super().__init__(add_help=False, allow_abbrev=False, **more)
        self.lang = lang
        self.arguments = self.add_argument_group(label("help_arguments", lang))
        self.options = self.add_argument_group(label("help_options", lang))
        self.options.add_argument("-h", "--help", action="help", help=label("help_help", lang))

    def option(self, name: str, read: Callable[[str], Any], metavar: str, key: str, **more: Any) -> None:
        """Add an option whose help is the label of a key."""
        self.options.add_argument(f"--{name}", type=read, metavar=metavar, help=label(key, self.lang), **more)

    def error(self, message: str) -> NoReturn:
        """As argparse has it, in the language of the parser."""
        self.print_usage(sys.stderr)
        said = in_chinese(message) if self.lang == "zh" else message
        self.exit(2, f"{self.prog}: {label('help_error', self.lang)}{said}\n")

    def format_usage(self) -> str:
        """As argparse has it, but for the first word."""
        return super().format_usage().replace("usage: ", label("help_usage", self.lang), 1)

    def format_help(self) -> str:
        """As argparse has it, but for the first word."""
        return super().format_help().replace("usage: ", label("help_usage", self.lang), 1)


def parser(argv: Sequence[str] | None = None) -> Parser:
    """All commands; ``run`` of what was parsed is the function that answers. Help speaks the language of ``argv``."""
    first = ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--lang", nargs="?")
    asked = first.parse_known_args(argv)[0].lang
    lang = asked if asked in LANGUAGES else "en"
    parser = Parser(prog="salesanalytics", description=label("help_about", lang), lang=lang)
    _language(parser, default="en")
    found = parser.add_subparsers(title=label("help_commands", lang), required=True, metavar="COMMAND", dest="command")
    commands = partial(_command, found, lang)
    commands("check", book.check)
    rates = commands("rates", book.rates)
    rates.option(*_AS_OF, required=True)
    rates.option("by", str, "COLUMN", "help_rates_by")
    rates.option("horizon", a_count, "DAYS", "help_rates_horizon", default=730)
    score = commands("score", book.score)
    score.option(*_AS_OF, required=True)
    score.option("until", a_date, "DATE", "help_score_until", required=True)
    score.option("why", a_count, "N", "help_score_why", default=5)
    score.option("backtest", some_finished, "N", "help_score_backtest")
    score.option("out", a_csv, "FILE", "help_score_out")
    score.set_defaults(files=("",))
    forecast = commands("forecast", quarter.forecast)
    forecast.option(*_AS_OF, required=True)
    forecast.option(*_PERIOD, required=True)
    forecast.option("target", an_amount, "AMOUNT", "help_forecast_target")
    forecast.option("draws", a_count, "N", "help_forecast_draws", default=10_000)
    forecast.option("seed", a_seed, "N", "help_forecast_seed", default=0)
    forecast.option("by", str, "COLUMN", "help_forecast_by")
    forecast.option("since", a_date, "DATE", "help_forecast_since")
    forecast.option("judgement", Path, "FILE", "help_forecast_judgement")
    forecast.option("earlier", Path, "PATH", "help_forecast_earlier")
    forecast.option("backtest", some_quarters, "N", "help_forecast_backtest")
    forecast.option("out", Path, "DIR", "help_forecast_out")
    forecast.set_defaults(files=("forecast.html", "forecast.xlsx", "deals.csv"), folders=("ledger",))
    _review_commands(commands)
    sample = commands("sample", book.sample, path=_NEW)
    sample.option("deals", a_count, "N", "help_sample_deals", default=1500)
    sample.option("seed", a_seed, "N", "help_sample_seed", default=20260930)
    sample.set_defaults(doing="making", bookless=True)
    return parser


def _review_commands(commands: Callable[..., Parser]) -> None:
    backtest = commands("backtest", quarter.backtest)
    backtest.option(*_AS_OF, required=True)
    backtest.option("quarters", some_finished, "N", "help_backtest_quarters", default=12)
    backtest.option("weeks", some_weeks, "WEEKS", "help_backtest_weeks", default=(0,))
    backtest.option("cache", Path, "DIR", "help_backtest_cache")
    change = commands("change", quarter.change)
    change.option("before", a_date, "DATE", "help_change_before", required=True)
    change.option(*_AS_OF, required=True)
    change.option(*_PERIOD, required=True)
    alerts = commands("alerts", review.alerts)
    alerts.option(*_AS_OF, required=True)
    alerts.option("top", a_count, "N", "help_alerts_top", default=20)
    alerts.option("out", Path, "DIR", "help_alerts_out")
    alerts.set_defaults(files=("control.html",))
    scrub = commands("scrub", review.scrub)
    scrub.option(*_AS_OF, required=True)
    scrub.option("quarter", a_period, "PERIOD", "help_scrub_quarter")
    scrub.option("top", a_count, "N", "help_first", default=20)
    tasks = commands("tasks", review.tasks)
    tasks.option(*_AS_OF, required=True)
    tasks.option("rep", str, "REP", "help_tasks_rep")
    tasks.option("top", a_count, "N", "help_first", default=20)
    tasks.option("out", an_xlsx, "FILE", "help_tasks_out")
    tasks.set_defaults(files=("",))
    reps = commands("reps", review.reps)
    reps.option(*_AS_OF, required=True)
    reps.option("out", Path, "DIR", "help_reps_out")
    reps.set_defaults(files=("index.html", "reps.xlsx"))
    ledger = commands("ledger", quarter.ledger, path=_LEDGER)
    ledger.option("book", Path, "PATH", "help_ledger_book")
    ledger.option(*_AS_OF)
    ledger.set_defaults(bookless=True)


def _command(found: Any, lang: str, name: str, run: Callable[..., Any], *, path: tuple[str, str] = _BOOK) -> Parser:
    text = label(f"help_{name}", lang)
    parser: Parser = found.add_parser(name, help=text, description=text, lang=lang)
    parser.arguments.add_argument("path", type=Path, metavar=path[0], help=label(path[1], lang))
    parser.options.add_argument("--json", action="store_true", help=label("help_json", lang))
    _language(parser, default=SUPPRESS)  # it may stand before the command too
    parser.set_defaults(run=run, doing="working", bookless=False)
    return parser


def _language(parser: Parser, *, default: str) -> None:
    parser.options.add_argument("--lang", choices=LANGUAGES, default=default, help=label("help_lang", parser.lang))
