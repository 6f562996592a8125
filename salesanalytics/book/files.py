"""From a file on disk to a table of text: encoding, delimiter, header row, blank and malformed rows."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from salesanalytics.errors import SchemaError

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".parquet", ".xlsx", ".txt")
_DELIMITERS = (",", ";", "\t", "|")
_BLANK_TEXT = "".join(_DELIMITERS) + " \r\n\u00a0\u3000"
_LEADING_ROWS = 20
_SAMPLE_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 26


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
        raise SchemaError(_empty(path))
    if suffix == ".parquet":
        return tidy_table(_read_parquet(path), source=str(path))
    if suffix == ".xlsx":
        return tidy_table(_read_xlsx(path, sheet, expect), source=str(path))
    data, used = _decode(_bytes(path), encoding, path)
    table, malformed = _read_csv(data, path, ("\t",) if suffix == ".tsv" else _DELIMITERS, expect)
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
        if bare := _strip(name):
            named.append((bare, column))
        elif column.null_count < len(column):
            named.append((f"unnamed_{position}", column))
    twice = [f"{name!r} ({n} times)" for name, n in Counter(name for name, _ in named).items() if n > 1]
    if twice:
        raise SchemaError(f"{source}: column name repeated: {', '.join(twice)}. Rename or remove all but one.")
    blank = np.ones(table.num_rows, dtype=bool)
    for _, column in named:
        blank &= column.is_null().to_numpy()
    keep = pa.table([c for _, c in named], names=[n for n, _ in named])
    rows, kept_malformed = _number_rows(blank, malformed)
    keep = keep.filter(pa.array(~blank)) if blank.any() else keep
    return TextTable(table=keep, rows=rows, malformed=kept_malformed, encoding=encoding)


def _strip(name: Any) -> str:
    return str(name).strip().strip("\ufeff").strip()


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
    empty = [position for position, text in malformed if not text.strip(_BLANK_TEXT + '"')]
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


def _empty(path: Path) -> str:
    return f"{path}: the file is empty, it has no header row. Export it again, or remove it."


def _bytes(path: Path) -> bytes:
    raw = path.read_bytes()
    if not path.name.lower().endswith(".gz"):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise SchemaError(f"{path}: not a whole gzip file ({error}). Copy or compress it again.") from error


def _decode(raw: bytes, encoding: str | None, path: Path) -> tuple[bytes, str]:
    """Return the bytes as utf-8 without BOM, and the encoding they were in."""
    used = encoding or ("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
    try:
        text = raw.decode(used)
    except LookupError as error:
        raise SchemaError(f"{path}: encoding {used!r} is unknown. Write for example utf-8 or cp1252.") from error
    except UnicodeDecodeError as error:
        if encoding or used == "utf-16":
            raise SchemaError(_undecodable(path, f"{used} ({error.reason} at byte {error.start})")) from error
        text, used = _decode_legacy(raw, path)
    if "\0" in text:
        raise SchemaError(_undecodable(path, f"text in {used}: it holds NUL characters"))
    if used == "utf-8":
        return raw.removeprefix(b"\xef\xbb\xbf"), used  # a second copy of a large file costs time
    return text.removeprefix("\ufeff").encode(), used


def _decode_legacy(raw: bytes, path: Path) -> tuple[str, str]:
    # Real Chinese text is almost all common characters (GB 2312 level 1) and Chinese punctuation, while
    # accented Latin letters read as gb18030 either fail or give rare characters: that share is the evidence.
    decoded: dict[str, str] = {}
    for name in ("gb18030", "cp1252"):
        try:
            decoded[name] = raw.decode(name)
        except UnicodeDecodeError:
            continue
    share = _common_chinese_share(decoded.get("gb18030", ""))
    if "cp1252" in decoded and share <= 0.05:
        return decoded["cp1252"], "cp1252"
    if "gb18030" in decoded and share > (0.5 if "cp1252" in decoded else 0.05):
        return decoded["gb18030"], "gb18030"
    if decoded.keys() == {"gb18030", "cp1252"}:
        raise SchemaError(_undecodable(path, "one encoding for certain: gb18030 and cp1252 both fit"))
    raise SchemaError(_undecodable(path, "utf-8, gb18030 or cp1252"))


def _common_chinese_share(text: str) -> float:
    foreign = "".join(m.group() for m in islice(re.finditer(r"[^\x00-\x7f]+", text), 100_000))
    lead = np.frombuffer(foreign.encode("gb2312", errors="ignore"), dtype=np.uint8)[::2]
    return float(((lead >= 0xB0) & (lead <= 0xD7) | (lead <= 0xA3)).sum() / max(len(foreign), 1))


def _undecodable(path: Path, what: str) -> str:
    return f"{path}: cannot be read as {what}. Save it as utf-8, or name its `encoding` in book.yaml."


def _read_csv(
    data: bytes, path: Path, delimiters: Sequence[str], expect: frozenset[str]
) -> tuple[pa.Table, list[tuple[int, str]]]:
    header, start, delimiter = _find_csv_header(data, delimiters, expect)
    if not header:
        raise SchemaError(_empty(path))
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
    return table.rename_columns(header), malformed


def _find_csv_header(data: bytes, delimiters: Sequence[str], expect: frozenset[str]) -> tuple[list[str], int, str]:
    """Names in the header row, the byte at which the next row starts, and the delimiter."""
    sample = data[:_SAMPLE_BYTES].decode(errors="ignore")
    best: tuple[tuple[int, int], list[str], int, str] = ((0, 0), [], 0, delimiters[0])
    for delimiter in delimiters:
        records = _leading_records(sample, delimiter)
        at = _header_at([r for r, _ in records], expect)
        if not records:
            continue
        header, n_characters = records[at]
        score = (len(expect.intersection(map(_strip, header))), len(header))
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
            if "".join(record).strip(_BLANK_TEXT):
                records.append((record, int(ends[reader.line_num])))
            if len(records) == _LEADING_ROWS:
                break
    except csv.Error:  # an oversized field far down; the rows above it are enough to find the header
        pass
    return records


def _header_at(records: Iterable[Sequence[Any]], expect: frozenset[str]) -> int:
    hits = [len(expect.intersection(map(_strip, record))) for record in records]
    return hits.index(max(hits)) if hits else 0


def _check_last_quote(table: pa.Table, malformed: list[tuple[int, str]], data: bytes, path: Path) -> None:
    # pyarrow takes a quote that is never closed as one long value up to the end of the file:
    # all rows below it would vanish without a word.
    n_rows = table.num_rows + len(malformed)
    if malformed and malformed[-1][0] == n_rows:
        is_open = malformed[-1][1].count('"') % 2 == 1 and "\n" in malformed[-1][1]
    else:
        last = [str(column[-1]) for column in table.columns if column[-1].is_valid][-1:]
        tail = data[-1000:].decode(errors="ignore").rstrip(_BLANK_TEXT)
        is_open = any("\n" in text for text in last) and not tail.endswith('"')
    if is_open:
        raise SchemaError(f'{path}: a quote (") opened in data row {n_rows} is never closed. Remove it.')


def _read_parquet(path: Path) -> pa.Table:
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            return file.read()
    except (pa.ArrowInvalid, OSError) as error:
        raise SchemaError(f"{path}: not a parquet file ({error}). Export it again.") from error


def _read_xlsx(path: Path, sheet: str | None, expect: frozenset[str]) -> pa.Table:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations that openpyxl does not know
            book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=True)
            sheets = {s.title: _sheet_rows(s) for s in book.worksheets if sheet in (None, s.title)}
            titles = book.sheetnames
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise SchemaError(f"{path}: not a real xlsx file ({error}). Open it and save it as xlsx or csv.") from error
    if sheet is not None and sheet not in sheets:
        raise SchemaError(f"{path}: there is no sheet {sheet!r}. Sheets: {', '.join(titles)}.")
    filled = {title: rows for title, rows in sheets.items() if rows}
    if not filled:
        raise SchemaError(_empty(path))
    if len(filled) > 1:
        raise SchemaError(f"{path}: {len(filled)} sheets hold data: {', '.join(filled)}. Name one as `sheet`.")
    rows = next(iter(filled.values()))
    rows = rows[_header_at(rows[:_LEADING_ROWS], expect) :]
    columns = list(zip_longest(*rows, fillvalue=""))
    return pa.table([pa.array(c[1:], pa.string()) for c in columns], names=[c[0] for c in columns])


def _sheet_rows(sheet: Any) -> list[list[str]]:
    sheet.reset_dimensions()  # the stated size is often wrong
    rows = ([_cell_text(value) for value in row] for row in sheet.iter_rows(values_only=True))
    return [row for row in rows if any(map(_strip, row))]


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
