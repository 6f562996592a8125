"""Shapes of a history other than one row a change: a stage table, and wide milestone dates."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from salesanalytics.book.contract import DATE_FIELDS, NUMBER_FIELDS
from salesanalytics.book.frames import SourceTable, as_text, parse_columns
from salesanalytics.book.settings import BookSettings, TableSource
from salesanalytics.book.text import parse_dates, parse_numbers
from salesanalytics.errors import SchemaError
from salesanalytics.process import Process


def history_from_changes(source: SourceTable, settings: BookSettings) -> pd.DataFrame:
    """One row a change, as it stands: parse its dates, and the numbers and dates among its values."""
    frame = parse_columns(source, settings)
    return frame.assign(column=None, order=frame["row"])


def history_from_wide_dates(
    table: pa.Table, rows: Any, *, source: TableSource, settings: BookSettings
) -> pd.DataFrame:
    """Wide milestone dates: every filled cell of a mapped column is one stage change on that date.

    At the same instant the order in which ``book.yaml`` names the columns decides.

    Raises
    ------
    SchemaError
        A column that ``book.yaml`` names is missing.
    """
    key = source.columns.get("deal_id", "deal_id")
    missing = [name for name in (key, *source.dates, *source.ignored) if name not in table.column_names]
    if missing or not source.dates:
        found = ", ".join(table.column_names)
        what = f"column missing: {', '.join(missing)}" if missing else "`dates` names no column"
        raise SchemaError(f"history (wide_dates): {what}. Columns found: {found}. Mend tables.history in book.yaml.")
    ids = as_text(table.column(key).to_pandas())
    parts = []
    for position, (name, state) in enumerate(source.dates.items()):
        text = as_text(table.column(name).to_pandas())
        filled = text.notna()
        if not filled.any():
            continue
        changed_at, unreadable = parse_dates(
            text[filled], column=name, date_format=settings.date_format, timezone=settings.timezone
        )
        parts.append(
            pd.DataFrame(
                {
                    "row": rows[filled.to_numpy()],
                    "deal_id": ids[filled],
                    "changed_at": changed_at,
                    "changed_at_unreadable": unreadable,
                    "changed_at_text": text[filled],
                    "value": str(state),
                    "column": name,
                    "order": position,
                }
            )
        )
    empty = pd.DataFrame({"row": [], "deal_id": [], "changed_at": pd.Series(dtype="datetime64[us]")})
    frame = pd.concat(parts, ignore_index=True) if parts else empty
    for name in ("recorded_at_text", "actor", "who", "evidence"):
        frame[name] = None
    return frame.assign(
        field="stage", recorded_at=pd.Series(pd.NaT, frame.index, "datetime64[us]"), recorded_at_unreadable=False
    )


def read_values(history: pd.DataFrame, *, process: Process, settings: BookSettings) -> pd.DataFrame:
    """Turn the text of ``value`` into what its field means: an id of the process, a number, a date.

    Adds ``number``, ``value_at`` and ``value_unreadable``; ids and names (either language, any case) of stages,
    buyer stages, milestones become ids.
    """
    frame = history.assign(number=float("nan"), value_at=pd.NaT, value_unreadable=False)
    frame["value_at"] = frame["value_at"].astype("datetime64[us]")
    frame["value"] = _process_ids(frame, process, settings)
    for name in NUMBER_FIELDS:
        at = frame.index[frame["field"].eq(name) & frame["value"].notna()]
        if len(at):
            number, failed = parse_numbers(
                frame.loc[at, "value"], column=f"history.value ({name})", decimal=settings.decimal
            )
            frame.loc[at, "number"], frame.loc[at, "value_unreadable"] = number.to_numpy(), failed.to_numpy()
    for name in DATE_FIELDS:
        at = frame.index[frame["field"].eq(name) & frame["value"].notna()]
        if len(at):
            when, failed = parse_dates(
                frame.loc[at, "value"],
                column=f"history.value ({name})",
                date_format=settings.date_format,
                timezone=settings.timezone,
            )
            frame.loc[at, "value_at"], frame.loc[at, "value_unreadable"] = when.to_numpy(), failed.to_numpy()
    return frame


def _process_ids(frame: pd.DataFrame, process: Process, settings: BookSettings) -> pd.Series:
    """Replace names of the process by its ids; the stage that means signing becomes ``won``."""
    value = frame["value"].copy()
    states = (*process.stage_ids, *process.end_state_ids, *process.pause_state_ids)
    kinds = {"stage": states, "buyer_stage": process.buyer_stage_ids, "milestone": process.milestone_ids}
    for name, ids in kinds.items():
        names = {process.label(i, lang).casefold(): i for i in ids for lang in ("zh", "en")}
        names |= {i.casefold(): i for i in ids}
        if name == "stage" and settings.won_on_entering:
            target = names.get(settings.won_on_entering.casefold())
            names = {text: "won" if i == target else i for text, i in names.items()}
        mask = frame["field"].eq(name)
        texts = value[mask]
        value[mask] = texts.str.casefold().map(names).fillna(texts) if len(texts) else texts
    return value
