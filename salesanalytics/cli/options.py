"""How options are read, and how answers are put together."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salesanalytics.labels import label

if TYPE_CHECKING:
    import pandas as pd

    from salesanalytics.book import DealBook

    Answer = dict[str, Any] | str  # one JSON object, or a text

PERIOD = re.compile(r"(19|20|21)\d\d(Q[1-4]|-(0[1-9]|1[0-2]))?")


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


def _amount(text: str) -> float:
    """An amount as a book may hold it: 1500, 5e7, 30,000,000, 3000万, 1.2亿元; NaN where it is none."""
    import pandas as pd

    from salesanalytics.book.numbers import parse_numbers

    return float(parse_numbers(pd.Series([text], dtype=object), column="--target", decimal=".")[0].iloc[0])


a_date = _value(date.fromisoformat, lambda day: 1900 <= day.year < 2200, "a date is written 2026-09-30")
a_period = _value(str.upper, PERIOD.fullmatch, "a period is written 2026Q4, 2026-11 or 2026")
an_amount = _value(_amount, lambda amount: 0 < amount < math.inf, "an amount is a number above 0, such as 1500 or 5e7")
a_count = _value(int, lambda n: 1 <= n <= 1_000_000, "a whole number from 1 to 1,000,000")
a_csv = _value(Path, lambda path: path.suffix.lower() == ".csv", "the name of this file ends in .csv")
an_xlsx = _value(Path, lambda path: path.suffix.lower() == ".xlsx", "the name of this file ends in .xlsx")
some_weeks = _value(
    lambda text: tuple(int(week) for week in text.split(",")),
    lambda weeks: all(0 <= week <= 13 for week in weeks),
    "weeks are written 0,4,8,12 and lie between 0 and 13",
)
some_quarters = _value(int, lambda n: 0 <= n <= 200, "a whole number from 0 to 200")
some_finished = _value(int, lambda n: 1 <= n <= 200, "a whole number from 1 to 200")
a_seed = _value(int, lambda n: 0 <= n < 2**32, "a whole number from 0 to 4,294,967,295")


def made(path: Path) -> Path:
    """A file to write, its folder made before any work is done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        file = next(above for above in path.parents if above.exists())
        raise ArgumentTypeError(f"--out must be a folder: {file} is a file") from error
    except OSError as error:
        raise ArgumentTypeError(f"--out cannot be written: {error.filename}") from error
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ArgumentTypeError(f"--out cannot be written: {path}")
    return path


def a_book(path: Path, lang: str, *, option: str = "") -> DealBook:
    """A book; rows that were set aside are told on stderr, for no number says that they are missing."""
    from salesanalytics.book import read_book

    book = read_book(path)
    aside, read = int(book.rows["set_aside"].sum()), int(book.rows["read"].sum())
    if aside:
        told = label("rows_set_aside", lang, n=f"{aside:,}", read=f"{read:,}")
        sys.stderr.write((label("part_of", lang, text=option, part=told) if option else told) + "\n")
    return book


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON: no NaN, dates ISO."""
    return list(json.loads(frame.to_json(orient="records", date_format="iso")))


def width() -> int | None:
    """Width of the terminal; a file or pager has none to keep to."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
