"""From delimited text to a table of text: delimiter, header row, malformed rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from salesanalytics.errors import SchemaError

DELIMITERS = (",", ";", "\t", "|")
BLANK_TEXT = "".join(DELIMITERS) + " \r\n\u00a0\u3000"
LEADING_ROWS = 20
_SAMPLE_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 26


def read_csv(
    data: bytes, path: Path, delimiters: Sequence[str], expect: frozenset[str]
) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Rows below the header as text, and the number and text of each row with a wrong number of fields."""
    header, start, delimiter = _find_csv_header(data, delimiters, expect)
    if not header:
        raise SchemaError(empty_file(path))
    body = pa.py_buffer(data)[start:]
    names = [f"c{i}" for i in range(len(header))]  # own names: those of the file may be blank or repeated
    malformed: list[tuple[int, str]] = []

    def set_aside(row: Any) -> str:
        malformed.append((row.number, row.text))
        return "skip"

    if not data[start:].strip():
        return pa.table([pa.array([], pa.string())] * len(header), names=header), malformed
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(body),
            # Without threads the row numbers of malformed rows are known.
            pyarrow.csv.ReadOptions(use_threads=False, column_names=names, block_size=_BLOCK_BYTES),
            pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=set_aside),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise SchemaError(f'{path}: cannot be split into rows ({error}). Look for an open quote (").') from error
    _check_last_quote(table, malformed, data, path)
    if any(pc.any(pc.match_substring(column, "\n")).as_py() for column in table.columns) or malformed:
        _check_quotes(data, start, delimiter, path)
    return table.rename_columns(header), malformed


def _find_csv_header(data: bytes, delimiters: Sequence[str], expect: frozenset[str]) -> tuple[list[str], int, str]:
    """Names in the header row, the byte at which the next row starts, and the delimiter."""
    sample = data[:_SAMPLE_BYTES].decode(errors="ignore")
    best: tuple[tuple[int, int], list[str], int, str] = ((0, 0), [], 0, delimiters[0])
    for delimiter in delimiters:
        records = _leading_records(sample, delimiter)
        at = header_at([r for r, _ in records], expect)
        if not records:
            continue
        header, n_characters = records[at]
        score = (len(expect.intersection(map(bare, header))), len(header))
        if score > best[0]:
            best = (score, header, len(sample[:n_characters].encode()), delimiter)
    return best[1:]


def _leading_records(sample: str, delimiter: str) -> list[tuple[list[str], int]]:
    """Return the leading non-blank rows, each with the character at which the row after it starts."""
    lines = list(io.StringIO(sample, newline=""))
    ends = np.cumsum([0, *map(len, lines)])
    reader = csv.reader(lines, delimiter=delimiter)
    records: list[tuple[list[str], int]] = []
    try:
        for record in reader:
            if "".join(record).strip(BLANK_TEXT):
                records.append((record, int(ends[reader.line_num])))
            if len(records) == LEADING_ROWS:
                break
    except csv.Error:  # an oversized field far down; the rows above it are enough to find the header
        pass
    return records


def header_at(records: Iterable[Sequence[Any]], expect: frozenset[str]) -> int:
    """Which of the leading rows is the header: the first with most of the names that are expected."""
    hits = [len(expect.intersection(map(bare, record))) for record in records]
    return hits.index(max(hits)) if hits else 0


def _check_last_quote(table: pa.Table, malformed: list[tuple[int, str]], data: bytes, path: Path) -> None:
    # pyarrow takes a quote that is never closed as one long value up to the end of the file:
    # all rows below it would vanish without a word.
    n_rows = table.num_rows + len(malformed)
    if malformed and malformed[-1][0] == n_rows:
        is_open = malformed[-1][1].count('"') % 2 == 1 and "\n" in malformed[-1][1]
    else:
        last = [str(column[-1]) for column in table.columns if column[-1].is_valid][-1:]
        tail = data[-1000:].decode(errors="ignore").rstrip(BLANK_TEXT)
        is_open = any("\n" in text for text in last) and not tail.endswith('"')
    if is_open:
        raise SchemaError(f'{path}: a quote (") opened in data row {n_rows} is never closed. Remove it.')


def _check_quotes(data: bytes, start: int, delimiter: str, path: Path) -> None:
    # The quote that ends a field stands before a delimiter or the end of a line. Where it ends one of several lines
    # and does not, it is the first quote of another row, and all rows between the two would be one value.
    field = rf'(?:(?<=[{re.escape(delimiter)}\r\n])|(?<![\s\S]))"(?:[^"]++|"")*+"(?= *([\s\S]?))'.encode()
    breaks = 0
    for found in re.finditer(field, data):
        inside = found[0].count(b"\n")
        if inside and found[1] not in (delimiter.encode(), b"\r", b"\n", b""):
            row = data.count(b"\n", start, found.start()) - breaks + 1
            raise SchemaError(f'{path}: a quote (") opened in data row {row} is never closed. Remove it.')
        breaks += inside if found.start() >= start else 0


def bare(name: Any) -> str:
    """A name without the blanks and the byte order mark around it."""
    return str(name).strip().strip("\ufeff").strip()


def empty_file(path: Path) -> str:
    """What is said of a file without a header row."""
    return f"{path}: the file is empty, it has no header row. Export it again, or remove it."
