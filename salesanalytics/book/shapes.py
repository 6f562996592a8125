"""Shapes of a history: one row a change, a stage table, wide milestone dates. All become the first."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from salesanalytics.book.contract import CATEGORIES, DATE_FIELDS, FIELDS, NUMBER_FIELDS
from salesanalytics.book.dates import parse_dates
from salesanalytics.book.dealbook import state_codes
from salesanalytics.book.files import TextTable
from salesanalytics.book.frames import (
    SourceTable,
    as_text,
    dated,
    map_text,
    one_chunk,
    parse_columns,
    says_nothing,
    to_days,
    where_equal,
)
from salesanalytics.book.numbers import parse_numbers
from salesanalytics.book.settings import BookSettings, TableSource
from salesanalytics.errors import SchemaError
from salesanalytics.process import Process

LEAST_STEPS_BACK, MOST_STEPS_FORTH = 20, 0.02  # of a source that has the newest rows first


def with_stage_field(text: TextTable) -> TextTable:
    """A stage table has no ``field`` column: every row is about the stage."""
    names = [name for name in text.table.column_names if name != "field"]
    field = pa.array(["stage"] * text.table.num_rows, pa.string())
    return TextTable(text.table.select(names).append_column("field", field), text.rows, text.malformed)


def history_from_changes(source: SourceTable, settings: BookSettings) -> pa.Table:
    """One row a change, as it stands: at the same instant the order of the source decides.

    Where the source has the newest rows first, as exports of a CRM do, its order is read from the bottom up (``order``
    below 0).
    """
    frame = parse_columns(source, settings)
    no_column = pa.nulls(frame.num_rows, pa.string())
    order = pc.negate(frame["row"]) if _newest_first(frame) else frame["row"]
    return frame.append_column("source_column", no_column).append_column("order", order)


def _newest_first(frame: pa.Table) -> bool:
    """Whether the rows of a deal go back in time, one after the other in the source, and hardly ever forth."""
    dated = frame.select(["deal_id", "changed_at"]).drop_null()
    deal = dated["deal_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    at = dated["changed_at"].cast(pa.int64()).to_numpy()
    by_deal = np.argsort(deal, kind="stable")
    step = np.diff(at[by_deal])[np.diff(deal[by_deal]) == 0]
    back, forth = np.count_nonzero(step < 0), np.count_nonzero(step > 0)
    return bool(back >= LEAST_STEPS_BACK and forth <= MOST_STEPS_FORTH * back)


def history_from_wide_dates(
    text: TextTable, *, source: TableSource, settings: BookSettings, process: Process
) -> pa.Table:
    """Wide milestone dates: every filled cell of a mapped column is one stage change on that date.

    A dash and the like (``NOTHING``) fill no cell. At the same instant the order in which ``book.yaml`` names the
    columns decides.

    Raises
    ------
    SchemaError
        A column that ``book.yaml`` names is missing, or a state that it names is none of the process.
    """
    table, key = text.table, source.columns.get("deal_id", "deal_id")
    missing = [name for name in (key, *source.dates, *source.ignored) if name not in table.column_names]
    states = stage_names(process, settings)
    unknown = [f"{name}: {state}" for name, state in source.dates.items() if _plain(state) not in states]
    if missing or unknown or not source.dates:
        what = [f"column missing: {', '.join(missing)}"] if missing else []
        what += [f"`dates` names no state of the process: {', '.join(unknown)}"] if unknown else []
        what += [] if source.dates else ["`dates` names no column"]
        raise SchemaError(
            f"history (wide_dates): {'; '.join(what)}. Columns found: {', '.join(table.column_names)}. "
            f"States: {', '.join(dict.fromkeys(states.values()))}. Mend tables.history in book.yaml."
        )
    ids = as_text(table.column(key))
    parts = []
    for order, (name, state) in enumerate(source.dates.items()):
        column = one_chunk(table.column(name))
        filled = _filled(column)
        n = filled.true_count
        fixed = {"field": "stage", "value": state, "source_column": name}
        empty = dict.fromkeys(("recorded_at_text", "actor", "who", "evidence"), pa.nulls(n, pa.string()))
        parts.append(
            pa.table(
                {"row": pa.array(text.rows).filter(filled), "order": np.full(n, order)}
                | {"deal_id": ids.filter(filled)}
                | dated("changed_at", column.filter(filled), label=name, settings=settings)
                | {"recorded_at": pa.nulls(n, pa.timestamp("us")), "recorded_at_day": pa.nulls(n, pa.int64())}
                | {"recorded_at_unreadable": np.zeros(n, dtype=bool)}
                | {new: pa.repeat(pa.scalar(value), n) for new, value in fixed.items()}
                | empty
            )
        )
    return pa.concat_tables(parts)


def _filled(column: Any) -> Any:
    return pc.and_(column.is_valid(), pc.invert(says_nothing(column)))


def read_values(history: pa.Table, *, process: Process, settings: BookSettings) -> pa.Table:
    """Turn the text of ``value`` into what its field means: an id of the process, a number, a date.

    Adds ``number``, ``value_day``, ``value_unreadable`` and ``code`` (of the state); ids and names (either
    language, any case) of stages, buyer stages, milestones and forecast categories become ids. Fields of the contract
    are known in any case, with blanks or hyphens too (``Close Date``). Full-width characters count as ordinary ones.
    """
    field = _contract_fields(history["field"].combine_chunks())
    history = history.set_column(history.column_names.index("field"), "field", field)
    value = _process_ids(field, history["value"].combine_chunks(), process, settings)
    number = np.full(len(value), np.nan)
    when = np.full(len(value), np.datetime64("NaT"), dtype="datetime64[us]")
    unreadable = np.zeros(len(value), dtype=bool)
    for name in (*NUMBER_FIELDS, *DATE_FIELDS):
        at = np.flatnonzero(where_equal(field, name) & value.is_valid().to_numpy(zero_copy_only=False))
        texts, label = value.take(pa.array(at)), f"history.value ({name})"
        if name == "probability":  # a sign that no other number may carry
            texts = pc.utf8_rtrim(texts, characters="%％ ")
        if name in NUMBER_FIELDS:
            found, failed = parse_numbers(texts, column=label, decimal=settings.decimal)
            number[at] = found
        else:
            found, failed = parse_dates(
                texts, column=label, date_format=settings.date_format, timezone=settings.timezone
            )
            when[at] = found
        unreadable[at] = failed
    code = np.where(where_equal(field, "stage"), _codes(value, process), 0)
    added = {"number": pa.array(number, from_pandas=True), "value_day": to_days(when)}
    added |= {"value_unreadable": pa.array(unreadable), "code": pa.array(code, pa.int64())}
    history = history.set_column(history.column_names.index("value"), "value", value)
    for name, column in added.items():
        history = history.append_column(name, column)
    return history


def in_sequence(history: pa.Table) -> pa.Table:
    """Put ``seq``, each row's place among all that happened, for ``order``: by instant, then as the source has it.

    Once for all: a window over millions of rows with their texts takes the engine seconds and half a gigabyte.
    """
    keys = [(name, "ascending") for name in ("changed_at", "order", "row")]
    places = pc.sort_indices(history.select([name for name, _ in keys]), sort_keys=keys).to_numpy()
    seq = np.empty(len(places), dtype=np.int64)
    seq[places] = np.arange(len(places))
    return history.drop_columns("order").append_column("seq", pa.array(seq))


def _contract_fields(field: Any) -> Any:
    texts = field.unique().drop_null().to_pylist()
    plain = {text: re.sub(r"[\s-]+", "_", _plain(text)) for text in texts}
    return map_text(field, {text: name for text, name in plain.items() if name in FIELDS})


def stage_names(process: Process, settings: BookSettings) -> dict[str, str]:
    """Plain ids and names of all states -> id; the stage that means signing is ``won``.

    Raises
    ------
    SchemaError
        ``won_on_entering`` is no stage of the process.
    """
    names = _names(process, (*process.stage_ids, *process.end_state_ids, *process.pause_state_ids))
    if settings.won_on_entering is None:
        return names
    signing = names.get(_plain(settings.won_on_entering))
    if signing not in process.stage_ids:
        raise SchemaError(
            f"won_on_entering must be a stage of the process, got {settings.won_on_entering!r}. "
            f"Write one of {', '.join(process.stage_ids)} in book.yaml."
        )
    return {text: "won" if i == signing else i for text, i in names.items()}


def _plain(text: str) -> str:
    """A name in small letters; full-width letters, digits and brackets as their ordinary ones."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _names(process: Process, ids: tuple[str, ...]) -> dict[str, str]:
    """Plain ids and names -> id; a name that several items bear stands for none of them."""
    ids_of: dict[str, set[str]] = {}
    for i in ids:
        for lang in ("zh", "en"):
            ids_of.setdefault(_plain(process.label(i, lang)), set()).add(i)
    return {text: i for text, (i, *others) in ids_of.items() if not others} | {_plain(i): i for i in ids}


def _process_ids(field: Any, value: Any, process: Process, settings: BookSettings) -> Any:
    kinds = {"stage": stage_names(process, settings)}
    kinds["buyer_stage"] = _names(process, process.buyer_stage_ids)
    kinds["milestone"] = _names(process, process.milestone_ids)
    kinds["category"] = {word: name for name, words in CATEGORIES.items() for word in (name, *words)}
    for kind, names in kinds.items():
        mask = pa.array(where_equal(field, kind))
        texts = value.filter(mask)
        known = {text: names.get(_plain(text), text) for text in texts.drop_null().unique().to_pylist()}
        value = pc.replace_with_mask(value, mask, map_text(texts, known))
    return value


def _codes(value: Any, process: Process) -> Any:
    codes = state_codes(process)
    encoded = value.dictionary_encode()
    known = np.array([*(codes.get(text, 0) for text in encoded.dictionary.to_pylist()), 0])
    return known[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
