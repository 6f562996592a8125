"""From columns of text to numbers: one reading per column, and a mask of what did not fit it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from salesanalytics.book.text import SLIPS, Array, Values, as_arrow, distinct, examples, mask, series
from salesanalytics.errors import SchemaError

#: What stands at amounts, before or behind: signs and codes, one pattern a currency.
CURRENCIES = (
    "[¥￥元]|CNY|RMB", r"(?:US)?\$|USD", "€|EUR", "£|GBP",
    "AED", "AUD", "BRL", "CAD", "CHF", "CZK", "DKK", "HKD", "IDR", "INR", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD",
    "PLN", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "VND", "ZAR",
)  # fmt: skip
_CURRENCY = f"(?i:{'|'.join(CURRENCIES)})"
_WIDE_SPACES = "\u00a0\u2009\u202f\u3000"
_NUMBER_ALPHABET = rf"^[-+−－＋0-9０-９.,．，A-Za-z\s{_WIDE_SPACES}¥￥€$£万亿元]+$"
_SIGN = rf"(?:[-+]?\s*{_CURRENCY}?|{_CURRENCY}\s*[-+])\s*"


def parse_numbers(values: Values, *, column: str, decimal: str | None) -> tuple[pd.Series, pd.Series]:
    """Read a column of numbers; decimal point or decimal comma is chosen once for the whole column.

    Parameters
    ----------
    values : pyarrow.Array, pyarrow.ChunkedArray or pandas.Series
        Text, or numbers, which pass through (NaN is null, infinity fails).
    column : str
        Name for messages.
    decimal : {".", ","}, optional
        The decimal sign; then nothing is chosen.

    Returns
    -------
    (Series of float64, Series of bool)
        The numbers, NaN where null or failed, and which values are there but are no number.

    Raises
    ------
    SchemaError
        The values speak for the point and for the comma, or only such as ``1.234`` are there.
    """
    if decimal not in (None, ".", ","):
        raise SchemaError(f'Column {column!r}: decimal must be "." or ",", got {decimal!r}.')
    array, index = as_arrow(values)
    kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(float)
        failed = np.isinf(numbers)
        return series(np.where(failed, np.nan, numbers), index, column), series(failed, index, column)
    texts, codes = distinct(array)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    plain = _plain_digits(texts)
    fits = {sign: mask(pc.match_substring_regex(plain, _grammar(sign))) for sign in ".,"}
    sign = decimal or _decimal_sign(fits["."], fits[","], texts, counts, column)
    parsed = np.append(_to_float(plain, sign, fits[sign]), np.nan)[codes]
    return series(parsed, index, column), series((codes >= 0) & np.isnan(parsed), index, column)


def _plain_digits(texts: Any) -> Any:
    """Full-width digits, signs and spaces as ASCII; text that is no number anyway becomes blank."""
    if mask(pc.string_is_ascii(texts)).all():
        return texts
    # Only within this alphabet: elsewhere the normal form would turn a superscript into a digit.
    known = pc.match_substring_regex(texts, _NUMBER_ALPHABET)
    plain = pc.utf8_normalize(pc.if_else(known, texts, ""), form="NFKC")
    return pc.replace_substring(plain, "−", "-")


def _grammar(decimal: str) -> str:
    group, point = (",", r"\.") if decimal == "." else (r"\.", ",")
    # A group of thousands never starts with 0, so 0.125 can only be a decimal.
    whole = rf"(?:\d+|[1-9]\d{{0,2}}(?:{group}\d{{3}})+|[1-9]\d{{0,2}}(?: \d{{3}})+)"
    power = rf"\d+(?:{point}\d+)?[eE][-+]?\d{{1,3}}"
    return rf"^{_SIGN}(?:(?:{whole}(?:{point}\d+)?|{point}\d+)\s?[万亿]?\s?{_CURRENCY}?|{power})$"


def _decimal_sign(point: Array, comma: Array, texts: Any, counts: Array, column: str) -> str:
    n_point, n_comma = counts[point & ~comma].sum(), counts[comma & ~point].sum()
    hint = '`decimal: "."` or `decimal: ","` in book.yaml.'
    if min(n_point, n_comma) > SLIPS * (n_point + n_comma):
        raise SchemaError(
            f"Column {column!r}: decimal point in {examples(texts, point & ~comma, counts)}; "
            f"decimal comma in {examples(texts, comma & ~point, counts)}. Repair them, or write {hint}"
        )
    dotted = point & comma & mask(pc.match_substring(texts, "."))
    if n_point == n_comma == 0 and dotted.any():
        raise SchemaError(
            f"Column {column!r}: is the dot a decimal point or a separator of thousands? No value decides: "
            f"{examples(texts, dotted, counts)}. Write {hint}"
        )
    return "," if n_comma > n_point else "."


def _to_float(plain: Any, decimal: str, fits: Array) -> Array:
    text = pc.if_else(pa.array(fits), plain, pa.scalar(None, pa.string()))
    text = pc.replace_substring_regex(text, _CURRENCY, "")
    for sign in "+ " + ("," if decimal == "." else "."):
        text = pc.replace_substring(text, sign, "")
    for sign, power in ((",", "."), ("万", "e4"), ("亿", "e8")):
        text = pc.replace_substring(text, sign, power)
    numbers = text.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isinf(numbers), np.nan, numbers)
