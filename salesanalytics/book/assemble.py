"""From source tables to a book: run the rules, keep, set aside, count, report."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from salesanalytics.book.audit import check_limit, count_rows, fault_table, observations
from salesanalytics.book.contract import OWN_COLUMNS
from salesanalytics.book.dealbook import EPOCH, DealBook
from salesanalytics.book.engine import Engine
from salesanalytics.book.fields import check_stages
from salesanalytics.book.first_values import with_first_values
from salesanalytics.book.frames import SourceTable, parse_columns
from salesanalytics.book.judging import UNKNOWN_STAGE, astray, judge_deals, judge_history, set_aside_ended
from salesanalytics.book.keep import check_signs, keep_deals, keep_history
from salesanalytics.book.lists import read_list
from salesanalytics.book.settings import USUAL_ATTRIBUTES, BookSettings
from salesanalytics.book.shapes import in_sequence, read_values
from salesanalytics.book.validate import as_set_aside
from salesanalytics.errors import SchemaError
from salesanalytics.process import Process

# One row in so many is a slip where a longer gap stands before it; fewer rows in all show no habit of recording.
FEW, LONGEST_GAP_DAYS = 100, 180


def assemble(
    sources: dict[str, SourceTable],
    history: pa.Table,
    *,
    malformed: list[tuple[int, str]],
    settings: BookSettings,
    process: Process,
) -> DealBook:
    """Validate the tables in the engine and build the book.

    Parameters
    ----------
    sources : mapping
        Every table but the history.
    history : pyarrow.Table
        One row a change, see `history_from_changes`.
    malformed : list of (row, text)
        Rows of the history that could not be split into columns.

    Raises
    ------
    SchemaError
        More than ``limit_set_aside`` of a table was set aside, no row of the history is about a stage, amounts are
        in several currencies without rates, an attribute is no column, the last dates cannot be the book's end, or
        all rows were recorded on one day.
    """
    engine = Engine()
    _check_attributes(sources["deals"], settings)
    deals = parse_columns(sources["deals"], settings)
    known_days = pc.max_element_wise(history["recorded_at_day"], history["changed_at_day"], skip_nulls=False)
    recorded_from = pc.min(known_days).as_py()
    _check_recorded(history)
    newest_first = history.num_rows > 0 and pc.min(history["order"]).as_py() < 0
    n_changes, history = history.num_rows, with_first_values(_recorded_when_changed(history), deals)
    n_first_values = history.num_rows - n_changes
    history = read_values(history, process=process, settings=settings)
    check_stages(history)
    check_signs(deals, history)
    states_extract = settings.extracted_on is not None
    if not states_extract:
        settings = replace(settings, extracted_on=_last_day(history, deals))
    end = (settings.extracted_on - EPOCH).days if settings.extracted_on else None
    engine.load("history_raw", in_sequence(history))
    n_read = {"deals": sources["deals"].n_read, "history": history.num_rows + len(malformed)}
    del history  # the engine has it
    deals_judged = judge_deals(
        engine, sources["deals"], deals, settings=settings, extracted_day=end if states_extract else None
    )
    history_judged = judge_history(engine, deals_judged, process=process, settings=settings, extracted_day=end)
    engine.drop("deals_raw", "history_raw")
    deals_judged, history_judged = set_aside_ended(
        engine, sources["deals"], deals_judged, history_judged, settings=settings, process=process
    )
    kept, settings = keep_deals(engine, deals, sources["deals"], deals_judged, settings)
    keep_history(engine, history_judged)
    lists = {name: read_list(source, settings) for name, source in sources.items() if name != "deals"}
    set_aside = _concat(
        [
            as_set_aside(deals_judged, table="deals", texts=_deal_texts(settings)),
            as_set_aside(history_judged, table="history", texts=_HISTORY_TEXTS),
            _malformed("history", malformed),
            *(_malformed(name, source.malformed) for name, source in sources.items()),
            *(aside for _, aside in lists.values()),
        ]
    )
    some_unknown = set_aside["rule"].eq(UNKNOWN_STAGE).any()
    lost_track = astray(history_judged) if some_unknown else pd.Series(dtype=object)
    engine.drop("deals_judged", "deals_judged_ended", "history_judged", "history_judged_ended")
    n_read |= {name: source.n_read for name, source in sources.items() if name != "deals"}
    book = DealBook(
        deals=kept,
        **{name: lists[name][0] if name in lists else pd.DataFrame() for name in ("reps", "accounts", "targets")},
        process=process,
        settings=settings,
        set_aside=set_aside,
        faults=fault_table(set_aside),
        rows=count_rows(n_read, set_aside),
        recorded_from=recorded_from,
        engine=engine,
    )
    check_limit(book, n_astray=len(lost_track))
    ids = deals["deal_id"].to_pandas()
    infinite = {name: ids[where & ids.isin(kept["deal_id"])] for name, where in sources["deals"].infinite.items()}
    seen = observations(
        book, newest_first=newest_first, astray=lost_track, n_first_values=n_first_values, infinite=infinite
    )
    return replace(book, faults=_concat([book.faults, seen]))


_DEAL_TEXTS = {"deal_id": "deal_id", "created_at": "created_at_text", "last_seen_on": "last_seen_on_text"}
_DEAL_TEXTS |= {"amount": "amount_text"}
_HISTORY_TEXTS = {"deal_id": "deal_id", "changed_at": "changed_at_text", "recorded_at": "recorded_at_text"}
_HISTORY_TEXTS |= {"value": "value", "field": "field"}


def _deal_texts(settings: BookSettings) -> dict[str, str]:
    table = settings.tables.get("deals")
    status = {} if table is None or table.ended_status is None else {table.ended_status["column"]: "status"}
    return status | _DEAL_TEXTS


def _check_attributes(deals: SourceTable, settings: BookSettings) -> None:
    taken = [name for name in settings.attributes if name in OWN_COLUMNS]
    if taken:
        raise SchemaError(
            f"attributes: {', '.join(taken)}: tables made of a book have columns of that name. Give it another one in "
            f"book.yaml, in `attributes` and as `my_{taken[0]}: {taken[0]}` under tables.deals.columns."
        )
    found = (*USUAL_ATTRIBUTES, *deals.table.column_names)
    missing = [name for name in settings.attributes if name not in found]
    if missing:
        raise SchemaError(
            f"deals: attribute column missing: {', '.join(missing)}. Columns found: "
            f"{', '.join(deals.table.column_names)}. Mend `attributes` in book.yaml."
        )


def _check_recorded(history: pa.Table) -> None:
    """Stop where a day of recording says when the file was made: nothing would have been known before it."""
    recorded, happened = history["recorded_at_day"], pc.count_distinct(history["changed_at_day"]).as_py()
    if history.num_rows < FEW or happened < 2 or recorded.null_count:
        return
    if pc.count_distinct(recorded).as_py() == 1:
        day = EPOCH + timedelta(days=recorded[0].as_py())
        raise SchemaError(
            f"history.recorded_at: all {history.num_rows:,} rows were recorded on one day, {day}, though they happened "
            f"on {happened:,} days: by it, nothing was known before. Leave out the column where it is the day of an "
            "import or an export."
        )


def _recorded_when_changed(history: pa.Table) -> pa.Table:
    """What has no date of recording counts as recorded when it happened."""
    days = pc.coalesce(history["recorded_at_day"], history["changed_at_day"])
    return history.set_column(history.column_names.index("recorded_at_day"), "recorded_at_day", days)


def _last_day(history: pa.Table, deals: pa.Table) -> date | None:
    """Default end of the book: the last day of recording; without history the last creation.

    Raises
    ------
    SchemaError
        A few of many rows lie so far behind all others that their dates are no end of a book, but typing errors.
    """
    name, table, column = "history", history, "recorded_at_day"
    if history[column].null_count == history.num_rows:
        name, table, column = "deals", deals, "created_at_day"
    days = np.sort(table[column].drop_null().to_numpy())
    few = len(days) // FEW
    alone = np.flatnonzero(np.diff(days[-few - 1 :]) > LONGEST_GAP_DAYS)
    if alone.size:
        n = few - int(alone[0])
        end, first, last = (EPOCH + timedelta(days=int(days[i])) for i in (-n - 1, -n, -1))
        late = table["deal_id"].filter(pc.greater_equal(table[column], days[-n])).drop_null()
        ids = ", ".join(late.unique().to_pylist()[:3])
        raise SchemaError(
            f"{name}: {n:,} of {len(days):,} rows are dated from {first} to {last}, though all others end on {end} "
            f"(deals {ids}). Mend their dates, or state extracted_on, the day of the extract, in book.yaml: what is "
            "dated after it is set aside."
        )
    return EPOCH + timedelta(days=int(days[-1])) if len(days) else None


def _malformed(table: str, rows: list[tuple[int, str]]) -> pd.DataFrame:
    columns = ["table", "row", "deal_id", "rule", "column", "value"]
    found = [(table, row, None, "wrong number of columns", None, text) for row, text in rows]
    return pd.DataFrame(found, columns=columns)


def _concat(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put frames below each other; the empty ones have no say in the types of the columns."""
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
