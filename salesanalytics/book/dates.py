"""From columns of text to dates: one reading per column, and a mask of what did not fit it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from salesanalytics.book.text import SLIPS, Array, Values, as_arrow, distinct, examples, mask, series
from salesanalytics.errors import SchemaError

# A year has four digits: 0024 is a slip for 2024, not late antiquity.
_FIRST_YEAR = np.datetime64("1000-01-01")
_CLOCK = (
    r"^(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"\s*(?P<half>(?:[AaPp][Mm])?)\s*(?P<z>(?:Z|UTC|[+-]\d{2}(?::?\d{2})?)?)$"
)
_WEEKDAY = r"\s*[（(]?(?:星期|周)[一二三四五六日天][）)]?"
_PLAIN_ISO = r"^[1-9]\d{3}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?$"
_SPLIT = r"^(?P<day>.*?)(?:(?:T|\s+)(?P<clock>\d{1,2}:.*))?$"
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?P<m>(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?))"
)
# The separator is part of group m because RE2 has no back-references: 2024-03/01 must not match.
_YEAR_FIRST = (
    r"^(?P<y>\d{4})(?P<m>-\d{1,2}-|/\d{1,2}/|\.\d{1,2}\.)(?P<d>\d{1,2})$",
    r"^(?P<y>\d{4})年(?P<m>\d{1,2})月(?P<d>\d{1,2})日$",
    r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})$",
)
_YEAR_LAST = (r"^(?P<d>\d{1,2})(?P<m>-\d{1,2}-|/\d{1,2}/|\.\d{1,2}\.)(?P<y>\d{4})$",)
# Days since 30 December 1899, as Excel counts them, with the time of day as a fraction: from 1970 to 2099.
_SERIAL, _FIRST_SERIAL, _LAST_SERIAL = r"^\d{5}(?:\.\d+)?$", 25_569, 73_051
# Milliseconds since 1970 in UTC, as HubSpot counts them: from 2001 to 2099.
_EPOCH, _LAST_EPOCH = r"^\d{13}$", 4_102_444_800_000
_NAMED = (
    rf"^(?P<d>\d{{1,2}})[ -]{_MONTH}[ -](?P<y>\d{{4}})$",
    rf"^{_MONTH} (?P<d>\d{{1,2}}),? (?P<y>\d{{4}})$",
)


def parse_dates(
    values: Values, *, column: str, date_format: str | Sequence[str] | None, timezone: str | None
) -> tuple[pd.Series, pd.Series]:
    """Read a column of dates; the whole column is read in one way, chosen by its unambiguous values.

    Beside dates with the year first, or alone, stand numbers of days as Excel counts them (46023 is 2026-01-01). A
    column of milliseconds since 1970 (1719878400000) is in UTC; where all are midnights, they are days, in any zone.

    Parameters
    ----------
    values : pyarrow.Array, pyarrow.ChunkedArray or pandas.Series
        Text, or dates and timestamps, which pass through.
    column : str
        Name for messages.
    date_format : str or sequence of str, optional
        strptime format(s); then nothing is chosen, and text in any other form fails.
    timezone : str, optional
        Where the book is local; needed when values carry a zone. They are stored without it.

    Returns
    -------
    (Series of datetime64[us], Series of bool)
        The dates, NaT where null or failed, and which values are there but are no date in that reading.

    Raises
    ------
    SchemaError
        The column has no one reading (day or month first), or zones without `timezone`.
    """
    array, index = as_arrow(values)
    if timezone is not None:
        _check_timezone(timezone)
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        dates = _typed_dates(array, column, timezone)
        return series(dates, index, column), series(np.zeros(len(array), dtype=bool), index, column)
    texts, codes = distinct(array)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    if date_format is not None:
        parsed, is_zoned = _formatted(texts, date_format, column)
    else:
        parsed, is_zoned = _guessed(texts, counts, column)
    parsed = _zoned_to_local(parsed, is_zoned, texts, counts, column, timezone)
    dates = np.append(parsed, np.datetime64("NaT"))[codes]  # code -1, the null, takes the last
    return series(dates, index, column), series((codes >= 0) & np.isnat(dates), index, column)


def _check_timezone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        message = f"timezone {timezone!r} is unknown. Write it like Asia/Shanghai or Europe/Berlin in book.yaml."
        raise SchemaError(message) from error


def _need_timezone(column: str, what: str) -> SchemaError:
    return SchemaError(
        f"Column {column!r}: times with a zone or in milliseconds (UTC), but the book has no `timezone`: {what}. "
        "Write for example `timezone: Asia/Shanghai` in book.yaml; times are kept in that zone."
    )


def _typed_dates(array: Any, column: str, timezone: str | None) -> Array:
    if not getattr(array.type, "tz", None):
        return array.cast(pa.timestamp("us"), safe=False).to_numpy(zero_copy_only=False)
    if timezone is None:
        raise _need_timezone(column, f"the column is in {array.type.tz}")
    utc = array.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.timestamp("us"))
    return _to_local(utc.to_numpy(zero_copy_only=False), timezone)


def _to_local(utc: Array, timezone: str) -> Array:
    moments = pd.DatetimeIndex(utc.astype("datetime64[us]")).tz_localize("UTC").tz_convert(timezone)
    return moments.tz_localize(None).to_numpy().astype("datetime64[us]")


def _zoned_to_local(
    parsed: Array, is_zoned: Array, texts: Any, counts: Array, column: str, timezone: str | None
) -> Array:
    if not is_zoned.any():
        return parsed
    if timezone is None:
        raise _need_timezone(column, examples(texts, is_zoned, counts))
    out = parsed.copy()
    out[is_zoned] = _to_local(parsed[is_zoned], timezone)
    return out


def _formatted(texts: Any, date_format: str | Sequence[str], column: str) -> tuple[Array, Array]:
    formats = [date_format] if isinstance(date_format, str) else list(date_format)
    hint = 'Write it like "%d/%m/%Y" in book.yaml.'
    if not formats or any("%" not in f for f in formats):
        raise SchemaError(f"Column {column!r}: date_format {date_format!r} is no strptime format. {hint}")
    out = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[us]")
    is_zoned = np.zeros(len(texts), dtype=bool)
    with duckdb.connect() as engine:
        engine.register("texts", pa.table({"value": texts}))
        for one in formats:
            query = "SELECT epoch_us(try_strptime(value, ?)) AS micros FROM texts"
            try:
                micros = engine.execute(query, [one]).fetchnumpy()["micros"]
            except duckdb.Error as error:
                message = f"Column {column!r}: date_format {one!r} is not understood ({error}). {hint}"
                raise SchemaError(message) from error
            dates = np.ma.filled(np.ma.asarray(micros), np.iinfo(np.int64).min).astype("datetime64[us]")
            new = np.isnat(out) & (dates >= _FIRST_YEAR)  # to DuckDB, %Y also means the year 24
            out[new] = dates[new]
            is_zoned |= new & ("%z" in one or "%Z" in one)
    return out, is_zoned


def _guessed(texts: Any, counts: Array, column: str) -> tuple[Array, Array]:
    """Dates (in UTC where zoned, else local) of the distinct texts, and which of them are zoned."""
    if mask(pc.match_substring_regex(texts, _PLAIN_ISO)).all():
        with suppress(pa.ArrowInvalid):  # the fast way; with an impossible date the long way finds which
            plain = texts.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
            return plain, np.zeros(len(texts), dtype=bool)
    epochs = _epochs(texts)
    counted = ~np.isnat(epochs)
    if counts[counted].sum() > counts.sum() / 2:
        are_days = (epochs == epochs.astype("datetime64[D]"))[counted].all()
        return epochs, counted & ~are_days
    split = pc.extract_regex(_without_chinese(texts), _SPLIT)
    days, day_codes = distinct(pc.struct_field(split, "day"))
    clocks, clock_codes = distinct(pc.struct_field(split, "clock"))
    # a text with a line break splits into nothing (code -1), which takes the appended last entry
    n_rows = np.bincount(day_codes[day_codes >= 0], counts[day_codes >= 0], len(days))
    dates = np.append(_choose_days(days, n_rows, column), np.datetime64("NaT"))[day_codes]
    micros, zoned = _read_clocks(clocks)
    micros = np.append(micros, np.timedelta64(0, "us"))[clock_codes]
    out = dates.astype("datetime64[us]") + micros
    return out, np.append(zoned, np.False_)[clock_codes] & ~np.isnat(out)


def _epochs(texts: Any) -> Array:
    """Moments in UTC of the texts that are milliseconds since 1970."""
    found = pc.if_else(pc.match_substring_regex(texts, _EPOCH), texts, "0")
    millis = found.cast(pa.int64()).to_numpy(zero_copy_only=False)
    real = (millis > 0) & (millis < _LAST_EPOCH)
    return np.where(real, millis.astype("datetime64[ms]"), np.datetime64("NaT")).astype("datetime64[us]")


def _without_chinese(texts: Any) -> Any:
    """Weekdays go, as the day says them; the halves of a day become AM and PM."""
    if mask(pc.string_is_ascii(texts)).all():
        return texts
    texts = pc.replace_substring_regex(texts, _WEEKDAY, "")
    for half, said in (("上午", "AM"), ("下午", "PM")):
        texts = pc.replace_substring_regex(texts, rf"\s*{half}\s*(\d{{1,2}}:[\d:]+)$", rf" \1 {said}")
    return texts


def _choose_days(days: Any, n_rows: Array, column: str) -> Array:
    year_first, named = _dates(*_fields(days, _YEAR_FIRST)), _dates(*_fields(days, _NAMED))
    year_first = np.where(np.isnat(year_first), _serials(days), year_first)
    year, middle, first = _fields(days, _YEAR_LAST)
    day_first, month_first = _dates(year, middle, first), _dates(year, first, middle)
    votes = [
        n_rows[~np.isnat(year_first)].sum(),
        n_rows[~np.isnat(named)].sum(),
        n_rows[~np.isnat(day_first) | ~np.isnat(month_first)].sum(),
    ]
    if votes[2] > max(votes[:2]):
        return _choose_order(day_first, month_first, days, n_rows, column)
    return named if votes[1] > votes[0] else year_first


def _serials(days: Any) -> Array:
    """Moments of the texts that are dates as Excel counts them, to the second."""
    texts = pc.if_else(pc.match_substring_regex(days, _SERIAL), days, pa.scalar(None, pa.string()))
    numbers = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    real = (numbers >= _FIRST_SERIAL) & (numbers < _LAST_SERIAL)
    seconds = np.round((np.where(real, numbers, 0) - _FIRST_SERIAL) * 86_400).astype("int64").astype("datetime64[s]")
    return np.where(real, seconds, np.datetime64("NaT")).astype("datetime64[us]")


def _choose_order(day_first: Array, month_first: Array, days: Any, n_rows: Array, column: str) -> Array:
    is_day, is_month = ~np.isnat(day_first), ~np.isnat(month_first)
    differs = is_day & is_month & (day_first != month_first)
    n_day, n_month = n_rows[is_day & ~is_month].sum(), n_rows[is_month & ~is_day].sum()
    hint = '`date_format: "%d/%m/%Y"` or `"%m/%d/%Y"` in book.yaml, with the separator of the file.'
    if n_day == n_month == 0 and differs.any():
        raise SchemaError(
            f"Column {column!r}: day or month first? No value decides: {examples(days, differs, n_rows)}. Write {hint}"
        )
    if min(n_day, n_month) > SLIPS * (n_day + n_month):
        raise SchemaError(
            f"Column {column!r}: both orders occur: day first in {examples(days, is_day & ~is_month, n_rows)}; "
            f"month first in {examples(days, is_month & ~is_day, n_rows)}. Repair them, or write {hint}"
        )
    return day_first if n_day >= n_month else month_first


def _fields(days: Any, patterns: Sequence[str]) -> tuple[Array, Array, Array]:
    """Year, month and day as integers by the first pattern that matches; 0 where none does."""
    out = np.zeros((3, len(days)), dtype=np.int64)
    for pattern in patterns:
        found = pc.extract_regex(days, pattern)
        month = pc.utf8_trim(pc.struct_field(found, "m"), characters="-/.")
        if _MONTH in pattern:
            month = pc.index_in(pc.utf8_lower(pc.utf8_slice_codeunits(month, 0, 3)), pa.array(_MONTHS))
            month = pc.add(month, 1)
        year, day = pc.struct_field(found, "y"), pc.struct_field(found, "d")
        out += [_integers(part) for part in (year, month, day)]  # the patterns exclude each other
    return out[0], out[1], out[2]


def _integers(texts: Any) -> Array:
    if pa.types.is_string(texts.type):
        texts = pc.if_else(pc.equal(texts, ""), "0", texts)
    return texts.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)


def _dates(year: Array, month: Array, day: Array) -> Array:
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    dates = first.astype("datetime64[D]") + (day - 1)
    real = (year >= 1000) & (month >= 1) & (month <= 12) & (day >= 1) & (dates.astype("datetime64[M]") == first)
    return np.where(real, dates, np.datetime64("NaT"))


def _read_clocks(clocks: Any) -> tuple[Array, Array]:
    """Microseconds to add to the day (NaT: no time of day), in UTC where a zone is given, and where it is."""
    found = pc.extract_regex(clocks, _CLOCK)
    part: Callable[[str], Any] = lambda name: pc.struct_field(found, name)  # noqa: E731
    hour, minute, second = (_integers(part(name)) for name in ("h", "mi", "s"))
    fraction = _integers(pc.utf8_slice_codeunits(pc.utf8_rpad(part("f"), 6, "0"), 0, 6))
    half, zone = pc.utf8_lower(part("half")), part("z")
    has_half, is_pm = mask(pc.not_equal(half, "")), mask(pc.equal(half, "pm"))
    real = mask(found.is_valid()) & (minute < 60) & (second < 60)
    real &= np.where(has_half, (hour >= 1) & (hour <= 12), hour < 24)
    hour = np.where(has_half, hour % 12 + 12 * is_pm, hour)
    digits = pc.if_else(pc.match_substring_regex(zone, r"^[+-]"), zone, "+0000")
    digits = pc.utf8_rpad(pc.replace_substring(digits, ":", ""), 5, "0")
    offset = _integers(pc.utf8_slice_codeunits(digits, 1, 3)) * 60 + _integers(pc.utf8_slice_codeunits(digits, 3, 5))
    real &= offset <= 14 * 60
    offset = np.where(mask(pc.starts_with(digits, "-")), -offset, offset)
    micros = ((hour * 60 + minute - offset) * 60 + second) * 1_000_000 + fraction
    out = micros.astype("timedelta64[us]")
    return np.where(real, out, np.timedelta64("NaT")), mask(pc.not_equal(zone, ""))
