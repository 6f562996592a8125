"""The book: canonical tables, the process they follow, and what was set aside and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import narwhals as nw
import pandas as pd

from salesanalytics.book.engine import Engine
from salesanalytics.book.settings import BookSettings
from salesanalytics.errors import AsOfError
from salesanalytics.process import Process

EPOCH = date(1970, 1, 1)


def state_codes(process: Process) -> dict[str, int]:
    """Numbers of the states a deal can be in: stages 1.. in their order, then pauses, then ends."""
    states = (*process.stage_ids, *process.pause_state_ids, *process.end_state_ids)
    return {state: code for code, state in enumerate(states, start=1)}


def _names(table: pd.DataFrame, key: str) -> dict[str, str]:
    """Names of a table's rows by id, of those that have one other than the id."""
    if not {key, "name"} <= set(table.columns):
        return {}
    named = table.dropna(subset=[key, "name"])
    return {i: name for i, name in zip(named[key], named["name"], strict=True) if name != i}


@dataclass(frozen=True, eq=False)
class DealBook:
    """Validated tables of one sales pipeline that follows one process.

    Attributes
    ----------
    deals : DataFrame
        One row a deal: ``deal_id`` (text, unique), ``created_at``, ``last_seen_on`` (NaT where not given),
        ``amount`` (in the book's currency or unit), ``rep_id``, the other columns of the contract, and any
        further column of the source.
    reps, accounts, targets : DataFrame
        One row a rep, a customer, a target; empty when the book has none.
    process : Process
        The sales process.
    settings : BookSettings
        What ``book.yaml`` said, with ``extracted_on`` filled in, and ``currency`` where all deals are in one.
    set_aside : DataFrame
        One row a source row (wide dates: a source cell) that broke the contract: ``table``, ``row`` (1 = the
        first below the header), ``deal_id``, ``rule``, ``column``, ``value``.
    faults : DataFrame
        One row a rule that fired: ``table``, ``rule``, ``n``, ``set_aside`` (False: kept and reported),
        ``examples``, ``note``.
    rows : DataFrame
        One row a table: ``table``, ``read``, ``kept``, ``set_aside``; read = kept + set aside.
    recorded_from : int or None
        First day (since 1970-01-01) on which a row was known that says when it was typed in; None: no row says so, and
        late recording is invisible.
    engine : Engine
        Where the history lives.
    truth : Any
        Of a simulated book: what nobody in the company knows (`salesanalytics.simulate.Truth`); else None.
    """

    deals: pd.DataFrame
    reps: pd.DataFrame
    accounts: pd.DataFrame
    targets: pd.DataFrame
    process: Process
    settings: BookSettings
    set_aside: pd.DataFrame
    faults: pd.DataFrame
    rows: pd.DataFrame
    recorded_from: int | None
    engine: Engine
    truth: Any = None

    @property
    def events(self) -> nw.LazyFrame[Any]:
        """The history as the timeline reads it, in the engine.

        One row a change, ``seq`` in the order of what happened: ``deal`` (position in ``deals``), ``seq``,
        ``day`` and ``known_day`` (whole days since 1970-01-01; ``known_day``: first day on which the row
        could be read), ``field``, ``value`` (text), ``number`` (of numeric fields), ``value_day`` (of date
        fields), ``code`` (of stage rows, see `state_codes`), ``who``, ``evidence``.
        """
        return self.engine.table("events")

    @cached_property
    def state_codes(self) -> dict[str, int]:
        """Numbers of the states of the process, see `state_codes`."""
        return state_codes(self.process)

    @cached_property
    def history(self) -> pd.DataFrame:
        """One row a kept change: ``row``, and the columns of the contract."""
        columns = [
            "row",
            "deal_id",
            "changed_at",
            "recorded_at",
            "field",
            "value",
            "actor",
            "who",
            "evidence",
        ]
        frame = self.engine.table("history").select(*columns).sort("row", "changed_at").collect("pyarrow")
        return frame.to_native().to_pandas()

    @property
    def has_recorded_at(self) -> bool:
        """Whether any row says when it was typed in."""
        return self.recorded_from is not None

    def told_when_recorded(self, day: int) -> bool:
        """Whether a row known by the end of a day (since 1970-01-01) said when it was typed in."""
        return self.recorded_from is not None and self.recorded_from <= day

    @cached_property
    def rep_names(self) -> dict[str, str]:
        """Names of reps by id, of those that have one other than the id."""
        return _names(self.reps, "rep_id")

    @cached_property
    def deal_names(self) -> dict[str, str]:
        """Names of deals by id, of those that have one other than the id."""
        return _names(self.deals, "deal_id")

    @property
    def extracted_day(self) -> int:
        """End of the book in days since 1970-01-01."""
        extracted_on = self.settings.extracted_on
        if extracted_on is None:
            raise AsOfError("The book has no dated row at all, so there is no date as of which to judge it.")
        return (extracted_on - EPOCH).days

    def __repr__(self) -> str:
        counts = ", ".join(f"{r.kept:,} {r.table}" for r in self.rows.itertuples())
        return f"<DealBook {self.process.id}: {counts}; extracted on {self.settings.extracted_on}>"
