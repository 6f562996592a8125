"""``book.yaml``: how the files of a book are to be read, and what its columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from salesanalytics.errors import SchemaError

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
        Columns of ``deals`` that may become features and groupings.
    won_on_entering : str or None
        Stage whose entry counts as signing. There is no default: only a ``won`` row wins.
    fiscal_year_start : int
        First month of the fiscal year; the year is named after the calendar year in which it ends.
    date_format, decimal, timezone : str or None
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
    date_format: str | None = None
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
        raw = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SchemaError(f"book.yaml is not readable as YAML in UTF-8: {error}") from error
    return parse_settings(raw)


def parse_settings(raw: Any) -> BookSettings:
    """Check the content of ``book.yaml`` and turn it into settings; one error names every fault."""
    if not isinstance(raw, dict):
        raise SchemaError(f"book.yaml must be a mapping of settings, got {type(raw).__name__}.")
    faults = _unknown(raw, BookSettings, "book.yaml")
    known = {key: value for key, value in raw.items() if key in _names(BookSettings) and value is not None}
    tables = known.pop("tables", {})
    if isinstance(tables, dict):
        known["tables"] = {name: _table_source(name, source, faults) for name, source in tables.items()}
    else:
        faults.append(f"tables must be a mapping of table names, got {tables!r}")
    for key in ("extracted_on", "observed_from", "earliest_on"):
        if key in known:
            known[key] = _as_date(key, known[key], faults)
    if "attributes" in known:
        known["attributes"] = tuple(map(str, known["attributes"]))
    _check_values(known, faults)
    if faults:
        raise SchemaError("book.yaml has faults:\n- " + "\n- ".join(faults))
    return BookSettings(**known)


def _names(cls: type) -> set[str]:
    return {item.name for item in fields(cls)}


def _unknown(raw: Mapping[str, Any], cls: type, where: str) -> list[str]:
    allowed = _names(cls)
    return [
        f"{where}: unknown setting {key!r}; known are {', '.join(sorted(allowed))}"
        for key in raw
        if key not in allowed
    ]


def _as_date(key: str, value: Any, faults: list[str]) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        faults.append(f"{key} must be a date such as 2026-09-30, got {value!r}")
        return None


def _table_source(name: str, raw: Any, faults: list[str]) -> TableSource:
    if isinstance(raw, str):
        return TableSource(file=raw)
    if not isinstance(raw, dict):
        faults.append(f"tables.{name} must be a file name or a mapping, got {raw!r}")
        return TableSource()
    faults += _unknown(raw, TableSource, f"tables.{name}")
    known = {key: value for key, value in raw.items() if key in _names(TableSource) and value is not None}
    if known.get("shape", "changes") not in SHAPES:
        faults.append(f"tables.{name}.shape must be one of {', '.join(SHAPES)}, got {known['shape']!r}")
    if "ignored" in known:
        known["ignored"] = tuple(known["ignored"])
    for key in ("columns", "values", "dates", "ended_status"):
        if not isinstance(known.get(key, {}), dict):
            faults.append(f"tables.{name}.{key} must be a mapping, got {known.pop(key)!r}")
    status = known.get("ended_status")
    if status is not None and set(status) != {"column", "values"}:
        faults.append(f"tables.{name}.ended_status needs exactly `column` and `values`, got {sorted(status)}")
    return TableSource(**known)


def _check_values(known: Mapping[str, Any], faults: list[str]) -> None:
    for key in ("amount_is", "owner_is"):
        if known.get(key, "initial") not in ("initial", "current"):
            faults.append(f"{key} must be initial or current, got {known[key]!r}")
    if known.get("fiscal_year_start", 1) not in range(1, 13):
        faults.append(f"fiscal_year_start must be a month 1..12, got {known['fiscal_year_start']!r}")
    if known.get("decimal", ".") not in (".", ","):
        faults.append(f'decimal must be "." or ",", got {known["decimal"]!r}')
    limit = known.get("limit_set_aside", 0.1)
    if not isinstance(limit, int | float) or not 0 <= limit <= 1:
        faults.append(f"limit_set_aside must be a share between 0 and 1, got {limit!r}")
    rates = known.get("rates", {})
    if not isinstance(rates, dict) or not all(isinstance(v, int | float) and v > 0 for v in rates.values()):
        faults.append(f"rates must map currencies to positive numbers, got {rates!r}")
