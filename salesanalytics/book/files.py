"""From a file on disk to a table of text: blank rows gone, source rows numbered."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from salesanalytics.book.delimited import BLANK_TEXT, DELIMITERS, bare, empty_file, read_csv
from salesanalytics.book.encodings import decode, read_bytes
from salesanalytics.book.sheets import read_xlsx
from salesanalytics.errors import SchemaError

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".parquet", ".xlsx", ".txt")


@dataclass(frozen=True, eq=False)
class TextTable:
    """One file as read, before any typing.

    Attributes
    ----------
    table : pyarrow.Table, one row per well-formed, non-blank source row
        Columns in file order; text with null for blank (native types where the file has them).
    rows : array of int, shape (table.num_rows,)
        Source row number: the header is row 0, blank rows are not counted.
    malformed : list of (row number, text)
        Rows with a wrong number of fields. ``len(rows) + len(malformed)`` is the number of rows read.
    encoding : str
        Encoding the text was read with; empty for parquet and xlsx.
    """

    table: pa.Table
    rows: npt.NDArray[np.int64]
    malformed: list[tuple[int, str]] = field(default_factory=list)
    encoding: str = ""


def read_text_table(
    path: str | Path,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    expect: frozenset[str] | None = None,
) -> TextTable:
    """Read one csv, tsv, txt, parquet or xlsx file; values stay the text they are in the file.

    Parameters
    ----------
    path : str or Path
    sheet : str, optional
        Sheet of a workbook; needed when more than one sheet holds data.
    encoding : str, optional
        Without it, utf-8, utf-16 with BOM, gb18030 and cp1252 are told apart by the bytes.
    expect : frozenset of str, optional
        Column names that tell the header from title rows above it: among the leading 20 rows
        the first one with most of these names is the header, without any match the first row.

    Returns
    -------
    TextTable

    Raises
    ------
    SchemaError
        File missing, empty or not what its suffix says; encoding unclear; a column name twice.
    """
    path, expect = Path(path), expect or frozenset()
    suffix = next((s for s in SUFFIXES if path.name.lower().endswith(s)), None)
    if not path.is_file():
        raise SchemaError(_missing(path))
    if suffix is None:
        raise SchemaError(f"{path}: files of this kind are not read. Save it as one of {', '.join(SUFFIXES)}.")
    if path.stat().st_size == 0:
        raise SchemaError(empty_file(path))
    if suffix == ".parquet":
        return tidy_table(_read_parquet(path), source=str(path))
    if suffix == ".xlsx":
        return tidy_table(read_xlsx(path, sheet, expect), source=str(path))
    data, used = decode(read_bytes(path), encoding, path)
    table, malformed = read_csv(data, path, ("\t",) if suffix == ".tsv" else DELIMITERS, expect)
    return tidy_table(table, source=str(path), malformed=malformed, encoding=used)


def find_table(folder: str | Path, name: str) -> Path | None:
    """Path of the file in `folder` that holds table `name`; None without one, SchemaError with several."""
    found = [p for s in SUFFIXES[:-1] if (p := Path(folder) / f"{name}{s}").is_file()]
    if len(found) > 1:
        names = ", ".join(p.name for p in found)
        raise SchemaError(f"{folder}: table {name!r} is there {len(found)} times ({names}). Keep one of them.")
    return found[0] if found else None


def tidy_table(
    table: pa.Table, *, source: str, malformed: Sequence[tuple[int, str]] = (), encoding: str = ""
) -> TextTable:
    """Trim names and text, turn blank text into null, drop blank rows and nameless empty columns.

    Parameters
    ----------
    table : pyarrow.Table
    source : str
        Where the table comes from, for messages.
    malformed : sequence of (position, text)
        Rows that are missing in `table`; positions are 1-based and count blank rows too.
    encoding : str
    """
    columns = [_tidy(column) for column in table.columns]
    named: list[tuple[str, Any]] = []
    for position, (name, column) in enumerate(zip(table.column_names, columns, strict=True), start=1):
        if known := bare(name):
            named.append((known, column))
        elif column.null_count < len(column):
            named.append((f"unnamed_{position}", column))
    twice = [f"{name!r} ({n}×)" for name, n in Counter(name for name, _ in named).items() if n > 1]
    if twice:
        raise SchemaError(f"{source}: column name repeated: {', '.join(twice)}. Rename or remove all but one.")
    blank = np.ones(table.num_rows, dtype=bool)
    for _, column in named:
        blank &= column.is_null().to_numpy()
    keep = pa.table([c for _, c in named], names=[n for n, _ in named])
    rows, kept_malformed = _number_rows(blank, malformed)
    keep = keep.filter(pa.array(~blank)) if blank.any() else keep
    return TextTable(table=keep, rows=rows, malformed=kept_malformed, encoding=encoding)


def _tidy(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, column.type), trimmed)


def _number_rows(
    blank: npt.NDArray[np.bool_], malformed: Sequence[tuple[int, str]]
) -> tuple[npt.NDArray[np.int64], list[tuple[int, str]]]:
    """Row numbers that count neither the blank rows of the table nor the blank ones among the malformed."""
    bad = np.array([position for position, _ in malformed], dtype=np.int64)
    good = np.delete(np.arange(1, len(blank) + len(bad) + 1), bad - 1)
    empty = [position for position, text in malformed if not text.strip(BLANK_TEXT + '"')]
    gone = np.sort(np.concatenate([good[blank], np.array(empty, dtype=np.int64)]))
    rows = good[~blank] - np.searchsorted(gone, good[~blank])
    shift = np.searchsorted(gone, bad)
    dropped = set(empty)
    return rows, [(int(p - s), text) for (p, text), s in zip(malformed, shift, strict=True) if p not in dropped]


def _missing(path: Path) -> str:
    if not path.parent.is_dir():
        return f"{path}: the folder {path.parent} does not exist. Check the path."
    names = sorted(p.name for p in path.parent.iterdir() if p.is_file())
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.4) or names[:3]
    hint = f"The nearest names there are {', '.join(near)}." if near else "The folder holds no files."
    return f"{path}: there is no such file. {hint} Check the name."


def _read_parquet(path: Path) -> pa.Table:
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            return file.read()
    except (pa.ArrowInvalid, OSError) as error:
        raise SchemaError(f"{path}: not a parquet file ({error}). Export it again.") from error
