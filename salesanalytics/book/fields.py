"""What the rows of a history are about: fields of the contract, and names that it does not know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import narwhals as nw
import pyarrow as pa

from salesanalytics.book.contract import FIELDS
from salesanalytics.errors import SchemaError

SHOWN = 8


def check_stages(history: pa.Table) -> None:
    """Stop where no row of a history is about a stage and some fields are not known: the stages go by another name.

    Raises
    ------
    SchemaError
        Names the fields that were found and how to map them.
    """
    counts = {pair["values"]: pair["counts"] for pair in history["field"].value_counts().to_pylist()}
    counts.pop(None, None)
    unknown = sorted(counts.keys() - set(FIELDS), key=lambda name: (-counts[name], name))
    if unknown and "stage" not in counts:
        raise SchemaError(
            f"history: no row is about a stage (`field` is never `stage`). Unknown fields: {listed(unknown, counts)}. "
            f"Map them under tables.history.values in book.yaml, for example `field: {{{unknown[0]}: stage}}`."
        )


def unknown_names(history: nw.LazyFrame[Any], column: str, known: Iterable[str]) -> tuple[str, int]:
    """Values of a column that are not among those known, with their rows, and how many rows they have."""
    others = history.filter(~nw.col(column).is_in(list(known))).group_by(column).agg(n=nw.len())
    found = others.collect("pyarrow").to_native().to_pydict()
    counts = dict(sorted(zip(found[column], found["n"], strict=True), key=lambda pair: (-pair[1], pair[0])))
    return listed(list(counts), counts), sum(counts.values())


def listed(names: list[str], counts: dict[str, int]) -> str:
    """The first few names, each with its rows."""
    some = [f"{name} ({counts[name]:,})" for name in names[:SHOWN]]
    return ", ".join(some + ["..."] * (len(names) > SHOWN))
