"""The embedded engine of a book: one DuckDB database in memory that holds its tables and derived ones."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

N_LATELY = 16  # small tables that one date is asked for again and again


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
        self._lately: OrderedDict[Hashable, pd.DataFrame] = OrderedDict()

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

    def lately(self, key: Hashable, find: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """A table found once and remembered until so many others have been asked for; a copy, to be changed freely."""
        found = self._lately.pop(key) if key in self._lately else find()
        self._lately[key] = found
        if len(self._lately) > N_LATELY:
            self._lately.popitem(last=False)
        return found.copy()

    def table(self, name: str) -> nw.LazyFrame[Any]:
        """One table as a lazy frame."""
        return nw.from_native(self._connection.table(name))

    def frame(self, table: pa.Table) -> nw.LazyFrame[Any]:
        """A small arrow table as a lazy frame to join with, without keeping it."""
        return nw.from_native(self._connection.from_arrow(table))
