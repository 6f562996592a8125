"""Columns of text on their way to dates and numbers: distinct values, masks, examples for messages."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Values = Any  # pyarrow.Array, pyarrow.ChunkedArray or pandas.Series
Array = npt.NDArray[Any]
# Above this share of contrary values a column does not have one reading with slips, but two readings.
SLIPS = 0.10


def series(values: Array, index: pd.Index, column: str) -> pd.Series:
    """Values in the order and under the name of their column."""
    return pd.Series(values, index=index, name=column)


def as_arrow(values: Values) -> tuple[Any, pd.Index]:
    """A column as one arrow array, and its index."""
    index = values.index if isinstance(values, pd.Series) else pd.RangeIndex(len(values))
    if isinstance(values, pd.Series):
        try:
            values = pa.Array.from_pandas(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # text, dates and numbers in one column: all become text
            values = pa.array(values.astype("string"), from_pandas=True)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return values, index


def distinct(array: Any) -> tuple[Any, Array]:
    """Distinct trimmed texts and the code of each value among them; -1 is null or blank."""
    if pa.types.is_floating(array.type):
        with suppress(pa.ArrowInvalid):  # whole numbers have no point, and no power of ten
            array = array.cast(pa.int64())
    if not pa.types.is_string(array.type):
        try:
            array = array.cast(pa.string())
        except pa.ArrowNotImplementedError:  # lists and the like: their text fails value by value
            array = pa.array(array.to_pandas().astype("string"), from_pandas=True)
    encoded = array.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    texts = pc.utf8_trim_whitespace(encoded.dictionary)
    blank = np.flatnonzero(mask(pc.equal(texts, "")))
    return texts, np.where(np.isin(codes, blank), -1, codes) if blank.size else codes


def mask(array: Any) -> Array:
    """A boolean arrow array in numpy; null is False."""
    return array.fill_null(fill_value=False).to_numpy(zero_copy_only=False)


def examples(texts: Any, chosen: Array, counts: Array) -> str:
    """How many rows have one of the chosen texts, and up to three of these, for a message."""
    some = ", ".join(repr(t) for t in texts.filter(pa.array(chosen)).slice(0, 3).to_pylist())
    return f"{int(counts[chosen].sum())} value(s), for example {some}"
