"""Command line: parses, calls, prints.

Exit status: 0 done, 1 the data were refused (faults on stderr), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salesanalytics.errors import AsOfError, SalesAnalyticsError
from salesanalytics.labels import LANGUAGES, label, number, percent

if TYPE_CHECKING:
    import pandas as pd

    from salesanalytics.book import DealBook

TOP_DEALS = 10


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except AsOfError as error:
        print(f"salesanalytics: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except SalesAnalyticsError as error:
        print(f"salesanalytics: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="salesanalytics",
        description="Forecasts of project sales that show their work.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    check = _command(commands, "check", _check, "read a book and say what was kept, set aside and why")
    check.set_defaults(as_of=None)
    rates = _command(commands, "rates", _rates, "stage win rates against their nominal values")
    _as_of(rates)
    rates.add_argument("--by", metavar="COLUMN", help="one row a stage and value: rep_id or a column of deals")
    rates.add_argument("--horizon", type=int, default=730, metavar="DAYS", help="a signing counts within (730)")
    score = _command(commands, "score", _score, "chances of every open deal")
    _as_of(score)
    score.add_argument("--until", required=True, metavar="DATE", help="a signing counts up to that day")
    score.add_argument("--out", type=Path, metavar="FILE", help="write all deals to this csv file")
    forecast = _command(commands, "forecast", _forecast, "the quarter as a distribution")
    _as_of(forecast)
    forecast.add_argument("--quarter", required=True, metavar="PERIOD", help="2026Q4, 2026-11 or 2026")
    forecast.add_argument("--target", type=float, help="amount to reach (default: from targets of the book)")
    forecast.add_argument("--draws", type=int, default=10_000, help="number of draws (10000)")
    forecast.add_argument("--seed", type=int, default=0, help="same seed, same numbers (0)")
    forecast.add_argument("--out", type=Path, metavar="DIR", help="write forecast.html and deals.csv there")
    return parser


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.add_argument("path", metavar="PATH", help="folder of the book")
    parser.add_argument("--json", action="store_true", help="print one JSON object for machines")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="language of the texts (en)")
    parser.set_defaults(run=run)
    return parser


def _as_of(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as-of", required=True, metavar="DATE", help="use only what was known at the end of that day")


def _book(arguments: argparse.Namespace) -> DealBook:
    from salesanalytics.book import read_book

    return read_book(arguments.path)


def _check(arguments: argparse.Namespace) -> None:
    book = _book(arguments)
    if arguments.json:
        _print_json(
            {
                "process": book.process.id,
                "extracted_on": str(book.settings.extracted_on),
                "rows": book.rows.to_dict("records"),
                "faults": book.faults.to_dict("records"),
            }
        )
        return
    lang = arguments.lang
    rows = book.rows.rename(columns={c: label(c, lang) for c in book.rows})
    _print_table(rows, title=label("title_check", lang, process=getattr(book.process.name, lang)), n_text=1)
    faults = book.faults.assign(
        set_aside=book.faults["set_aside"].map({True: label("yes", lang), False: label("no", lang)})
    )
    shown = faults[["table", "rule", "n", "set_aside", "examples", "note"]]
    _print_table(shown.rename(columns={c: label(c, lang) for c in shown}), title=label("title_faults", lang), n_text=6)


def _rates(arguments: argparse.Namespace) -> None:
    from salesanalytics.models import stage_win_rates
    from salesanalytics.report.tables import rate_rows

    book = _book(arguments)
    rates = stage_win_rates(book, as_of=arguments.as_of, by=arguments.by, horizon_days=arguments.horizon)
    if arguments.json:
        _print_json({"as_of": arguments.as_of, "rates": json.loads(rates.to_json(orient="records"))})
        return
    title = label("title_rates", arguments.lang, as_of=arguments.as_of, days=arguments.horizon)
    _print_table(rate_rows(rates, book, arguments.lang, arguments.by), title=title, n_text=2 if arguments.by else 1)


def _score(arguments: argparse.Namespace) -> None:
    from salesanalytics.forecast import score_open_deals
    from salesanalytics.report.tables import score_rows, write_csv

    book = _book(arguments)
    deals = score_open_deals(book, as_of=arguments.as_of, until=arguments.until)
    if arguments.out:
        write_csv(deals, arguments.out)
    if arguments.json:
        records = json.loads(deals.to_json(orient="records", date_format="iso"))
        _print_json({"as_of": arguments.as_of, "until": arguments.until, "deals": records})
        return
    title = label("title_score", arguments.lang, as_of=arguments.as_of, until=arguments.until)
    _print_table(score_rows(deals, arguments.lang), title=title, n_text=3)
    if arguments.out:
        _print_text(label("written", arguments.lang, paths=str(arguments.out)))


def _forecast(arguments: argparse.Namespace) -> None:
    from salesanalytics.forecast import forecast_quarter
    from salesanalytics.report.html import write_report
    from salesanalytics.report.tables import write_csv

    forecast = forecast_quarter(
        _book(arguments),
        quarter=arguments.quarter,
        as_of=arguments.as_of,
        target=arguments.target,
        draws=arguments.draws,
        seed=arguments.seed,
    )
    written: list[Path] = []
    if arguments.out:
        written.append(write_report(forecast, arguments.out / "forecast.html", lang=arguments.lang))
        written.append(write_csv(forecast.deals, arguments.out / "deals.csv"))
    if arguments.json:
        _print_json(forecast.to_dict())
        return
    _print_forecast(forecast, arguments.lang)
    if written:
        _print_text(label("written", arguments.lang, paths=", ".join(map(str, written))))


def _print_forecast(forecast: Any, lang: str) -> None:
    from salesanalytics.report.tables import baseline_rows, component_rows, deal_rows, method_text, note_texts

    title = label("title_forecast", lang, quarter=forecast.period.name, as_of=forecast.as_of)
    _print_table(component_rows(forecast, lang), title=title, n_text=1)
    for measure in ("amount", "count"):
        bands, unit = forecast.bands(measure), f" {forecast.unit}" if measure == "amount" else ""
        shown = [
            f"{label(f'band_{level}', lang)} {number(low)} – {number(high)}{unit}"
            for level, (low, high) in bands.items()
        ]
        _print_text(f"{label(measure, lang)}: " + ", ".join(shown))
    if forecast.p_target is not None:
        text = f"{label('p_target', lang)} {number(forecast.target)} {forecast.unit}: {percent(forecast.p_target)}"
        _print_text(text)
    _print_table(baseline_rows(forecast, lang), title=label("title_baselines", lang), n_text=1)
    deals = deal_rows(forecast, lang).head(TOP_DEALS).drop(columns=label("rep_id", lang))
    _print_table(deals, title=label("title_contributions", lang), n_text=3)
    for note in note_texts(forecast, lang):
        _print_text(f"- {note}")
    n = number(len(forecast.total()))
    _print_text(label("draws_line", lang, n=n, seed=forecast.seed, method=method_text(forecast, lang)))


def _print_json(content: Any) -> None:
    _print_text(json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False, default=str))


def _print_text(text: str) -> None:
    sys.stdout.write(text + "\n")


def _print_table(frame: pd.DataFrame, *, title: str, n_text: int) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(frame.columns):
        text = i < n_text
        table.add_column(
            escape(str(column)), justify="left" if text else "right", overflow="fold" if text else "ignore"
        )
    for row in frame.itertuples(index=False):
        table.add_row(*(escape(str(v)) for v in row))
    console = Console()
    # piped into a file or pager there is no terminal width to keep to
    (console if console.is_terminal else Console(width=160)).print(table)


if __name__ == "__main__":
    sys.exit(main())
