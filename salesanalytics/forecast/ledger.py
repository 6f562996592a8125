"""Every published forecast kept as it was, and judged once its quarter is over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import SchemaError
from salesanalytics.forecast.data_hash import data_hash
from salesanalytics.forecast.extracts import Extracts
from salesanalytics.forecast.judgement import FIELDS, read_judgements, with_judgement
from salesanalytics.forecast.ledger_accuracy import judged as judged_records
from salesanalytics.forecast.ledger_record import (
    LedgerRecord,
    as_record,
    bands_of,
    period_of,
    summary_of,
    tables_of,
)
from salesanalytics.forecast.quarter import forecast_quarter
from salesanalytics.forecast.record_files import (
    RECORD_ID,
    DamagedRecord,
    read_summary,
    read_tables,
    record_ids,
    write_record,
)
from salesanalytics.forecast.result import QuarterForecast
from salesanalytics.timeline.calendar import GRACE_DAYS, as_of_day

LISTED = [
    "record_id", "recorded_at", "quarter", "as_of", "unit", "mean", "q10", "q50", "q90", "count_mean", "signed",
    "target", "p_target", "method", "draws", "seed", "version", "note", "n_judgements", "data_hash", "damage", "file",
]  # fmt: skip
COMPARED = ["state", "p_in_period", "amount", "expected_amount"]


class Ledger:
    """An append-only folder of published forecasts.

    Records are never changed and never deleted, and several people may write at once. Keep one ledger a book. A writer
    that was killed may leave a folder ``.writing-...``: it was never reported as written, nothing reads it, and it may
    be deleted.

    Parameters
    ----------
    path : str or path
        Folder; made with the first record.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"<Ledger {self.path}: {len(record_ids(self.path)):,} records>"

    def record(
        self, forecast: QuarterForecast, *, book: DealBook, note: str = "", judgement: Sequence[Any] = ()
    ) -> str:
        """Keep a forecast; once this returns, its record is whole and on the disk.

        Parameters
        ----------
        forecast : QuarterForecast
        book : DealBook
            The book it was made from.
        note : str
        judgement : sequence of mappings or dataclasses
            Remarks of people: which deal, what, who, why. Judgement in the numbers (`with_judgement`) is kept anyway.

        Returns
        -------
        str
            Id of the record.

        Raises
        ------
        SchemaError
            ``judgement`` holds more than texts, numbers, dates, mappings and lists of them; the forecast is a
            `what_if`.
        """
        if forecast.decided:
            raise SchemaError("A what_if is no forecast: record the one that it was asked of.")
        summary = summary_of(forecast, book, note=note, judgement=judgement)
        return write_record(self.path, summary, tables_of(forecast))

    def list(self) -> pd.DataFrame:
        """All records, the oldest first; a damaged one is named and stops no other.

        Returns
        -------
        DataFrame, one row a record
            ``record_id``, ``recorded_at``, ``quarter``, ``as_of``, ``unit``, ``mean``, ``q10``, ``q50``, ``q90`` (of
            the amount), ``count_mean``, ``signed`` (amount by then), ``target``, ``p_target``, ``method``, ``draws``,
            ``seed``, ``version`` (of salesanalytics), ``note``, ``n_judgements``, ``data_hash``, ``damage``
            (empty: sound; missing, unreadable, altered; newer: of a later version) and ``file`` (which one). Where
            ``record.json`` is damaged the rest of the row is empty.
        """
        rows = [self._listed(record_id) for record_id in record_ids(self.path)]
        return pd.DataFrame(rows, columns=LISTED).astype(dict.fromkeys(("mean", "signed", "target", "p_target"), float))

    def load(self, record_id: str) -> LedgerRecord:
        """One record, its checksums proved.

        Raises
        ------
        SchemaError
            There is no such record, or it is damaged.
        """
        if not RECORD_ID.fullmatch(record_id) or not (self.path / record_id).exists():
            raise SchemaError(f"{self.path} has no record {record_id!r}; Ledger.list() names those there are.")
        try:
            summary = read_summary(self.path, record_id)
            return as_record(record_id, summary, read_tables(self.path, record_id, summary))
        except DamagedRecord as damaged:
            raise SchemaError(f"Record {record_id} is damaged: {damaged}. Restore it from a copy.") from damaged

    def accuracy(self, book: DealBook, *, as_of: Any, grace_days: int = GRACE_DAYS) -> pd.DataFrame:
        """How the recorded forecasts did whose quarter is over.

        Parameters
        ----------
        book : DealBook
            The book as it stands now, or any later extract of it.
        as_of : date
            A record counts if its quarter ended ``grace_days`` before that day, or earlier. No later date matters.
        grace_days : int
            Days after the end of a quarter on which its signings are taken as known, as in `backtest`.

        Returns
        -------
        DataFrame, one row a sound record and measure (amount, count)
            ``record_id``, ``quarter``, ``as_of`` (of the forecast), ``days_left`` (from there to the end of the
            quarter), ``measure``, ``forecast`` (mean), ``q10``, ``q25``, ``q50``, ``q75``, ``q90``, ``actual``,
            ``error`` (forecast - actual), ``crps``, ``interval_score`` (of the 80 % band), ``in_50``, ``in_80``
            (whether the band held ``actual``). Forecasts of one quarter share its luck: count quarters, not records.

        Raises
        ------
        AsOfError
            ``as_of`` lies after the end of the book.
        SchemaError
            A record counts amounts in another unit or has another fiscal year than the book.
        """
        day = as_of_day(book, as_of)
        due = [(name, found) for name, found in self._sound() if period_of(found).end_day + grace_days <= day]
        return judged_records(due, book, grace_days=grace_days)

    def compare(self, before: str, after: str) -> pd.DataFrame:
        """Two records of one quarter, deal by deal.

        Returns
        -------
        DataFrame, one row an open deal of either, the largest change first
            ``deal_id``, ``status`` (both, appeared, left), and before and after ``state``, ``p_in_period``, ``amount``,
            ``expected_amount`` (``state_before``, ...); ``change`` of the expected amount, 0 where there is no deal.

        Raises
        ------
        SchemaError
            A record is unknown or damaged, or they are about different quarters.
        """
        first, second = self.load(before), self.load(after)
        if first.period != second.period:
            raise SchemaError(f"The records are about {first.period.name} and {second.period.name}: not comparable.")
        sides = [found.deals.set_index("deal_id")[COMPARED] for found in (first, second)]
        both = sides[0].join(sides[1], how="outer", lsuffix="_before", rsuffix="_after").reset_index()
        old, new = (both["deal_id"].isin(side.index) for side in sides)
        expected = both[["expected_amount_before", "expected_amount_after"]].fillna(0.0)
        both["change"] = expected["expected_amount_after"] - expected["expected_amount_before"]
        both.insert(1, "status", np.select([old & new, new], ["both", "appeared"], "left"))
        order = both["change"].abs().sort_values(ascending=False, kind="stable").index
        return both.loc[order].reset_index(drop=True)

    def rerun(self, record_id: str, *, book: DealBook, extracts: Extracts | None = None) -> QuarterForecast:
        """Make a recorded forecast again from the same book; with the same versions it gives the same numbers.

        Judgement that was part of the numbers is part of them again.

        Parameters
        ----------
        record_id : str
        book : DealBook
        extracts : Extracts, optional
            Those that the forecast was made with, if it was.

        Raises
        ------
        SchemaError
            The record is unknown or damaged, the book holds other data than the one it was made from, or ``extracts``
            are missing or given to a forecast that was made without.
        """
        found = self.load(record_id)
        if found.with_extracts != (extracts is not None):
            was = "with an allowance from two extracts" if found.with_extracts else "without extracts"
            raise SchemaError(f"Record {record_id} was made {was}: make it again likewise.")
        if data_hash(book) != found.data_hash:
            raise SchemaError(
                f"Record {record_id} was made from other data than this book holds (recorded {found.recorded_at:%F}, "
                f"as of {found.as_of}). Read the extract it was made from."
            )
        forecast = forecast_quarter(
            book,
            quarter=found.period.name,
            as_of=found.as_of,
            target=found.target,
            draws=found.draws,
            seed=found.seed,
            record=found.track_record,
            extracts=extracts,
        )
        judged = read_judgements(pd.DataFrame(found.judgement[: found.n_applied], columns=list(FIELDS)))
        return with_judgement(forecast, book=book, judgements=judged) if judged else forecast

    def _sound(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Ids and summaries of the records that are not damaged."""
        for record_id in record_ids(self.path):
            try:
                summary = read_summary(self.path, record_id)
                read_tables(self.path, record_id, summary)
            except DamagedRecord:
                continue
            yield record_id, summary

    def _listed(self, record_id: str) -> dict[str, Any]:
        row: dict[str, Any] = {"record_id": record_id, "damage": "", "file": ""}
        try:
            found = read_summary(self.path, record_id)
            row |= _head(found)
            read_tables(self.path, record_id, found)
        except DamagedRecord as damaged:
            row |= {"damage": damaged.damage, "file": damaged.file}
        return row


def _head(found: dict[str, Any]) -> dict[str, Any]:
    """What the list shows of a record."""
    said = found["summary"]
    asis = ("quarter", "unit", "target", "draws", "seed", "note", "data_hash")
    return (
        {name: found[name] for name in asis}
        | bands_of(found, "amount")
        | {
            "recorded_at": datetime.fromisoformat(found["recorded_at"]),
            "as_of": date.fromisoformat(found["as_of"]),
            "mean": said["mean"],
            "count_mean": said["count"]["mean"],
            "signed": said["components"]["signed"]["mean"],
            "p_target": said["p_target"],
            "method": said["method"],
            "version": found["versions"]["salesanalytics"],
            "n_judgements": len(found["judgement"]),
        }
    )
