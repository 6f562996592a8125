"""Command line: parses, calls, prints.

Exit status: 0 done, 1 the data were refused (faults on stderr), 2 wrong usage.
"""

from __future__ import annotations

import io
import json
import os
import sys
from argparse import ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from salesanalytics.cli.options import a_book, made
from salesanalytics.cli.parser import parser
from salesanalytics.errors import AsOfError, SalesAnalyticsError
from salesanalytics.errors.chinese import in_chinese
from salesanalytics.labels import label

if TYPE_CHECKING:
    from salesanalytics.book import DealBook


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character shows a question mark
            stream.reconfigure(errors="replace")
    given = parser(argv).parse_args(argv)
    try:
        _run(given)
    except BrokenPipeError:  # the reader has seen enough; what is left goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (SalesAnalyticsError, OSError, ArgumentTypeError) as error:
        message = in_chinese(str(error)) if given.lang == "zh" else str(error)
        sys.stderr.write(f"salesanalytics: {message}\n")
        return 2 if isinstance(error, AsOfError | ArgumentTypeError) else 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(given: Namespace) -> None:
    written = [made(given.out / name) for name in given.files] if getattr(given, "out", None) else []
    if sys.stderr.isatty():
        sys.stderr.write(label(given.doing, given.lang, path=given.path) + "\n")
    answer = given.run(given) if given.bookless else given.run(_read(given), given)
    if isinstance(answer, dict):
        answer = json.dumps(answer, indent=2, allow_nan=False, default=str) + "\n"
    elif written:
        written += [given.out / name for name in getattr(given, "folders", ())]
        answer += label("written", given.lang, paths=label("list_comma", given.lang).join(map(str, written))) + "\n"
    sys.stdout.write(answer)
    sys.stdout.flush()


def _read(given: Namespace) -> DealBook:
    from salesanalytics.book import read_book

    return read_book(given.path) if given.command == "check" else a_book(given.path, given.lang)
