"""The embedded engine of a book: one DuckDB database in memory that holds its tables and derived ones."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

LATELY_CELLS = 25_000_000  # of tables that days are asked for again and again


class Engine:
    """Tables of one book in an embedded DuckDB database.

    Names of tables are ours; names of columns that come from files never enter a statement as text, because
    tables are handed over whole and asked through expressions.
    """

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:")
        # No file of the user is reachable from a statement, and no extension is fetched.
        self._connection.execute("SET enable_external_access = false")
        # A progress bar would be printed among results; in a notebook without widgets there is none to switch off.
        with contextlib.suppress(duckdb.InvalidInputException):
            self._connection.execute("SET enable_progress_bar = false")
        self._tables: set[str] = set()
        self._facts: dict[str, Any] = {}
        self._lately: OrderedDict[tuple[Hashable, int], pd.DataFrame] = OrderedDict()

    def __getstate__(self) -> dict[str, pa.Table]:
        """Tables to hand to another process; what is derived from them is handed over with them."""
        return {name: self._connection.table(name).to_arrow_table() for name in sorted(self._tables)}

    def __setstate__(self, tables: dict[str, pa.Table]) -> None:
        Engine.__init__(self)
        for name, table in tables.items():
            self.load(name, table)

    def load(self, name: str, table: pa.Table) -> nw.LazyFrame[Any]:
        """Copy an arrow table into the engine and give it back as a lazy frame."""
        self._connection.from_arrow(table).create(name)
        self._tables.add(name)
        return self.table(name)

    def drop(self, *names: str) -> None:
        """Forget tables; what was made of them stays."""
        for name in self._tables.intersection(names):
            self._connection.execute(f"DROP TABLE {name}")
            self._tables.remove(name)

    def once(self, name: str, build: Callable[[], nw.LazyFrame[Any]]) -> nw.LazyFrame[Any]:
        """Compute a derived table the first time it is asked for; later calls read it."""
        if name not in self._tables:
            build().to_native().create(name)
            self._tables.add(name)
        return self.table(name)

    def fact(self, name: str, find: Callable[[], Any]) -> Any:
        """Find something small the first time it is asked for; later calls remember it."""
        if name not in self._facts:
            self._facts[name] = find()
        return self._facts[name]

    def by_day(self, name: Hashable, days: Iterable[int], find: Callable[[list[int]], pd.DataFrame]) -> pd.DataFrame:
        """Rows of a table for some days, by ``as_of_day``: a copy, to be changed freely.

        A day is found once and remembered until too many others have been asked for; days not found yet are found
        together, which costs an engine little more than one of them. So whoever will ask for days one by one asks for
        all of them first. What is found for a day must not depend on the others.
        """
        asked = sorted(set(days))
        parts = {day: self._lately.pop((name, day)) for day in asked if (name, day) in self._lately}
        missing = [day for day in asked if day not in parts]
        if missing:
            table = find(missing)
            if not parts and table.size > LATELY_CELLS:  # there is no room for it, and a copy would cost seconds
                return table
            parts |= _apart(table, missing)
        self._lately |= {(name, day): parts[day] for day in asked}
        if missing:
            self._forget()
        found = [parts[day] for day in asked]
        return pd.concat([part for part in found if len(part)] or found[:1], ignore_index=True)

    def _forget(self) -> None:
        """Drop what was not asked for the longest, as far as there is no room for it."""
        held = sum(table.size for table in self._lately.values())
        while held > LATELY_CELLS:
            held -= self._lately.popitem(last=False)[1].size

    def table(self, name: str) -> nw.LazyFrame[Any]:
        """One table as a lazy frame."""
        return nw.from_native(self._connection.table(name))

    def frame(self, table: pa.Table) -> nw.LazyFrame[Any]:
        """A small arrow table as a lazy frame to join with, without keeping it."""
        return nw.from_native(self._connection.from_arrow(table))


def _apart(table: pd.DataFrame, days: list[int]) -> dict[int, pd.DataFrame]:
    """The rows of each day, of a table sorted by day."""
    bounds = np.searchsorted(table["as_of_day"].to_numpy(), [*days, days[-1] + 1])
    return {day: table.iloc[bounds[k] : bounds[k + 1]].reset_index(drop=True) for k, day in enumerate(days)}
