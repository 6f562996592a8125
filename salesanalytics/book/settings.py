"""``book.yaml``: how the files of a book are to be read, and what its columns mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from math import inf
from pathlib import Path
from typing import Any

from salesanalytics.book.contract import TABLES
from salesanalytics.errors import SchemaError
from salesanalytics.process.yaml_file import as_written, load_yaml

USUAL_ATTRIBUTES = ("product", "region", "source", "route", "deal_class")
SHAPES = ("changes", "stage_table", "wide_dates")


@dataclass(frozen=True)
class TableSource:
    """Where one table comes from and what its columns are called there.

    Attributes
    ----------
    file : str or None
        File name inside the book's folder; None looks for ``<table>.csv`` and its kin.
    shape : {"changes", "stage_table", "wide_dates"}
        Form of a history; the other tables are always ``changes`` (one row as it stands).
    columns : mapping
        Canonical column name -> column name in the file.
    values : mapping
        Canonical column name -> {value in the file: value to use}.
    dates : mapping
        Only for ``wide_dates``: column in the file -> stage, end or pause state that its date means.
    ignored : tuple of str
        Only for ``wide_dates``: date columns that hold plans, not events.
    ended_status : mapping or None
        ``{column: ..., values: [...]}``: deals whose status says that they ended, though no usable end date
        is there, are set aside (they would stay open for ever). Nothing else is read from that column.
    sheet, encoding : str or None
        Sheet of a workbook; encoding of a text file (found out when not given).
    """

    file: str | None = None
    shape: str = "changes"
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    ended_status: Mapping[str, Any] | None = None
    sheet: str | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class BookSettings:
    """Settings of a book; every one has a default, and ``book.yaml`` may state any of them.

    Attributes
    ----------
    extracted_on : date or None
        End of the book. Default: the day of the last ``recorded_at`` (else ``changed_at``).
    observed_from : date or None
        Day from which ends were recorded at all (late entry for older deals).
    earliest_on : date
        A date before it is a typing error (1900-style dates).
    currency, amount_unit : str or None
        What an amount is counted in; the unit where it is not money (MW).
    rates : mapping
        Currency -> value of one unit in ``currency``. Needed when deals carry several currencies.
    amount_is, owner_is : {"initial", "current"}
        Whether ``deals.amount`` and ``deals.rep_id`` hold the value at creation or at extraction.
    attributes : tuple of str
        Columns of ``deals`` that may become features and groupings: numbers where the table says so (parquet, a
        DataFrame), all that comes as text (csv, xlsx) by its values.
    won_on_entering : str or None
        Stage whose entry counts as signing. There is no default: only a ``won`` row wins.
    fiscal_year_start : int
        First month of the fiscal year; the year is named after the calendar year in which it ends.
    date_format : str, sequence of str, or None
    decimal, timezone : str or None
        Only needed where the data leave them open; the error says so.
    limit_set_aside : float
        Share of a table above which reading stops.
    tables : mapping
        Table name -> TableSource.
    """

    extracted_on: date | None = None
    observed_from: date | None = None
    earliest_on: date = date(1950, 1, 1)
    currency: str | None = None
    amount_unit: str | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    amount_is: str = "initial"
    owner_is: str = "initial"
    attributes: tuple[str, ...] = USUAL_ATTRIBUTES
    won_on_entering: str | None = None
    fiscal_year_start: int = 1
    date_format: str | Sequence[str] | None = None
    decimal: str | None = None
    timezone: str | None = None
    limit_set_aside: float = 0.10
    tables: Mapping[str, TableSource] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """What amounts are counted in, or an empty text."""
        return self.amount_unit or self.currency or ""


def read_settings(folder: Path) -> BookSettings:
    """Read ``book.yaml`` of a folder; defaults when there is none.

    Raises
    ------
    SchemaError
        The file is not YAML, names an unknown setting, or a setting has a value it cannot have.
    """
    path = folder / "book.yaml"
    if not path.exists():
        return BookSettings()
    try:
        raw = load_yaml(path)
    except ValueError as error:
        raise SchemaError(f"book.yaml must be {error}.") from error
    return parse_settings({} if raw is None else raw)


def parse_settings(raw: Any) -> BookSettings:
    """Check the content of ``book.yaml`` and turn it into settings; one error names every fault."""
    if not isinstance(raw, dict):
        kind = "a list" if isinstance(raw, list) else "text" if isinstance(raw, str) else "a number"
        raise SchemaError(f"book.yaml must be a mapping of settings, got {kind}.")
    faults: list[str] = []
    known = _checked(raw, BookSettings, _SETTINGS, "book.yaml", faults)
    tables = known.pop("tables", {})
    known["tables"] = {name: _table_source(name, source, faults) for name, source in tables.items()}
    for key in _DATES:
        if key in known:
            known[key] = _as_date(known[key])
    if "attributes" in known:
        known["attributes"] = tuple(known["attributes"])
    if known.get("rates") and not known.get("currency"):
        faults.append("rates need `currency`: they are the value of one unit in it")
    first, last = known.get("observed_from"), known.get("extracted_on")
    if first and last and first > last:
        faults.append(f"observed_from ({first}) lies after extracted_on ({last})")
    if faults:
        raise SchemaError("book.yaml has faults:\n- " + "\n- ".join(faults))
    return BookSettings(**known)


Check = tuple[Callable[[Any], bool], str]


def _checked(
    raw: dict[Any, Any], cls: type, checks: Mapping[str, Check], where: str, faults: list[str]
) -> dict[str, Any]:
    """The entries that are as they should be; a fault for each of the others. Null counts as left out."""
    allowed = sorted(item.name for item in fields(cls))
    unknown = [key for key in raw if key not in allowed]
    faults += [f"{where}: unknown setting {key!r}; known are {', '.join(allowed)}" for key in unknown]
    given = {key: value for key, value in raw.items() if key in allowed and value is not None}
    wrong = [key for key, value in given.items() if not checks[key][0](value)]
    faults += [f"{where}: {key} must be {checks[key][1]}, got {as_written(given[key])}" for key in wrong]
    return {key: value for key, value in given.items() if key not in wrong}


def _table_source(name: str, raw: Any, faults: list[str]) -> TableSource:
    where = f"book.yaml, tables.{name}"
    if name not in TABLES:
        faults.append(f"{where}: unknown table; known are {', '.join(TABLES)}")
    if isinstance(raw, str):
        return TableSource(file=raw)
    if not isinstance(raw, dict):
        faults.append(f"{where} must be a file name or a mapping, got {as_written(raw)}")
        return TableSource()
    known = _checked(raw, TableSource, _TABLE, where, faults)
    if name != "history" and known.get("shape", "changes") != "changes":
        faults.append(f"{where}: only a history has another shape than changes")
    if "ignored" in known:
        known["ignored"] = tuple(known["ignored"])
    for key in ("columns", "dates"):
        known[key] = _texts(known.get(key, {}))
    known["values"] = {column: _texts(mapping) for column, mapping in known.get("values", {}).items()}
    return TableSource(**known)


def _texts(mapping: Mapping[Any, Any]) -> dict[str, str]:
    """A mapping with text on both sides; YAML reads a plain 2024 as a number, the source has it as text."""
    return {str(key): str(value) for key, value in mapping.items()}


def _as_date(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict) and not any(isinstance(v, dict | list) for v in value.values())


def _one_of(*values: str) -> Check:
    return lambda value: value in values, f"one of {', '.join(map(repr, values))}"


_DATES = ("extracted_on", "observed_from", "earliest_on")
_TEXT: Check = (_is_text, "text")
_DATE: Check = (lambda value: _as_date(value) is not None, "a date such as 2026-09-30")
_TEXTS: Check = (_is_texts, "a list of texts")
_MAPPING: Check = (_is_mapping, "a mapping of names")
_SETTINGS: dict[str, Check] = {
    **dict.fromkeys(_DATES, _DATE),
    **dict.fromkeys(("currency", "amount_unit", "won_on_entering", "timezone"), _TEXT),
    **dict.fromkeys(("amount_is", "owner_is"), _one_of("initial", "current")),
    "rates": (
        lambda v: isinstance(v, dict) and all(_is_number(r) and 0 < r < inf for r in v.values()),
        "a mapping of currencies to positive numbers",
    ),
    "attributes": _TEXTS,
    "fiscal_year_start": (lambda v: type(v) is int and v in range(1, 13), "a month 1..12"),
    "date_format": (
        lambda v: _is_text(v) or (_is_texts(v) and bool(v)),
        'text such as "%d/%m/%Y", or a list',
    ),
    "decimal": _one_of(".", ","),
    "limit_set_aside": (lambda v: _is_number(v) and 0 <= v <= 1, "a share between 0 and 1"),
    "tables": (lambda v: isinstance(v, dict), "a mapping of table names"),
}
_TABLE: dict[str, Check] = {
    **dict.fromkeys(("file", "sheet", "encoding"), _TEXT),
    "shape": _one_of(*SHAPES),
    "columns": _MAPPING,
    "values": (lambda v: isinstance(v, dict) and all(map(_is_mapping, v.values())), "a mapping of mappings"),
    "dates": _MAPPING,
    "ignored": _TEXTS,
    "ended_status": (
        lambda v: (
            isinstance(v, dict)
            and set(v) == {"column", "values"}
            and _is_text(v["column"])
            and isinstance(v["values"], list | tuple)
        ),
        "`column` (a name) and `values` (a list)",
    ),
}
