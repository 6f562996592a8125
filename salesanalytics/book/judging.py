"""Deals and history before the rules: what they need is put beside them, and every row gets its verdict."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from salesanalytics.book import validate
from salesanalytics.book.engine import Engine
from salesanalytics.book.frames import SourceTable, as_text
from salesanalytics.book.settings import BookSettings
from salesanalytics.errors import SchemaError
from salesanalytics.process import Process

Lazy = nw.LazyFrame[Any]
col = nw.col
UNKNOWN_STAGE = "unknown stage"
NEEDED_BY_RULES = (
    *("changed_at_unreadable", "recorded_at_unreadable", "value_unreadable"),
    *("deal_known", "deal_created_day", "deal_kept", "repeated"),
)


def judge_deals(
    engine: Engine, source: SourceTable, deals: pa.Table, *, settings: BookSettings, extracted_day: int | None
) -> Lazy:
    """Load ``deals`` and judge its rows; ``history_raw`` is loaded, and says which deals were known when."""
    raw = engine.load("deals_raw", deals.append_column("fingerprint", _fingerprints(source, deals["deal_id"])))
    known_day = nw.max_horizontal("changed_at_day", "recorded_at_day")
    first = engine.table("history_raw").group_by("deal_id").agg(first_known_day=known_day.min())
    rules = validate.deal_rules(earliest_on=settings.earliest_on, extracted_day=extracted_day)
    judged = validate.judge(raw.join(first, on="deal_id", how="left"), rules)
    no_text = nw.lit(None, dtype=nw.String)
    return engine.once("deals_judged", lambda: judged.with_columns(source_column=no_text, status=no_text))


def _fingerprints(source: SourceTable, ids: Any) -> Any:
    """One number a row, the same for rows that are the same; only rows that share their id need one."""
    shared = ids.to_pandas().duplicated(keep=False).to_numpy()
    content = source.table.filter(pa.array(shared)).to_pandas().astype(str)
    numbers = np.zeros(len(shared), dtype="uint64")
    numbers[shared] = pd.util.hash_pandas_object(content, index=False)
    return pa.array(numbers)


def judge_history(
    engine: Engine, deals: Lazy, *, process: Process, settings: BookSettings, extracted_day: int | None
) -> Lazy:
    """Judge the rows of ``history_raw``; a deal that was set aside takes its rows along."""
    kept = nw.when(col("rule").is_null()).then(1).otherwise(0)
    known = (
        deals.filter(~col("deal_id").is_null())
        .group_by("deal_id")
        .agg(deal_known=col("row").max(), deal_created_day=col("created_at_day").min(), deal_kept=kept.max())
    )
    history = engine.table("history_raw")
    repeated = validate.repeated(history)
    joined = history.join(known, on="deal_id", how="left").join(repeated, on="seq", how="left")
    rules = validate.history_rules(process, earliest_on=settings.earliest_on, extracted_day=extracted_day)
    judged = validate.judge_ends(validate.judge(joined, rules), process)
    # millions of rows: what only the rules needed stays behind, and so do the texts of rows that broke none
    texts = {text: nw.when(~col("rule").is_null()).then(col(text)) for text in ("changed_at_text", "recorded_at_text")}
    return engine.once("history_judged", lambda: judged.with_columns(**texts).drop(*NEEDED_BY_RULES))


def astray(history: Lazy) -> pd.Series:
    """Ids of the deals that stand, by their latest row about a stage, in one that is not known."""
    told = history.filter((col("field") == "stage") & (col("rule").is_null() | (col("rule") == UNKNOWN_STAGE)))
    last = told.filter(col("seq") == col("seq").max().over("deal_id"))
    ids = last.filter(col("rule") == UNKNOWN_STAGE).select("deal_id", "row").sort("row").collect("pyarrow")
    return ids.to_native()["deal_id"].to_pandas()


def set_aside_ended(
    engine: Engine,
    source: SourceTable,
    deals: Lazy,
    history: Lazy,
    *,
    settings: BookSettings,
    process: Process,
) -> tuple[Lazy, Lazy]:
    """Set aside deals whose status says that they ended, though by their kept rows they would stay open."""
    table = settings.tables.get("deals")
    if table is None or table.ended_status is None:
        return deals, history
    said = engine.frame(_ended_rows(source, table.ended_status))
    stages = history.filter(col("rule").is_null() & (col("field") == "stage"))
    last = stages.filter(col("seq") == col("seq").max().over("deal_id"))
    ends = last.filter(col("value").is_in(list(process.end_state_ids))).select("deal_id", has_end=col("row"))
    rule = "ended without a usable date"
    joined = deals.drop("status").join(said, on="row", how="left").join(ends, on="deal_id", how="left")
    still_open = ~col("status").is_null() & col("has_end").is_null()
    marked = validate.mark(joined, rule, table.ended_status["column"], still_open)
    deals = engine.once("deals_judged_ended", lambda: marked.drop("has_end"))
    gone = deals.filter(col("rule") == rule).select("deal_id", gone=nw.lit(1)).unique()
    with_gone = history.join(gone, on="deal_id", how="left")
    taken = validate.mark(with_gone, "deal set aside", "deal_id", ~col("gone").is_null())
    return deals, engine.once("history_judged_ended", lambda: taken.drop("gone"))


def _ended_rows(source: SourceTable, ended_status: Any) -> pa.Table:
    """Rows of ``deals`` whose status is among those that mean an end: ``row``, ``status``."""
    name = ended_status["column"]
    if name not in source.names:
        raise SchemaError(
            f"deals: column {name!r} of ended_status is missing. Columns found: {', '.join(source.names)}. "
            "Name the right one under tables.deals.ended_status in book.yaml."
        )
    status = as_text(source.column(source.names[name]))
    wanted = {str(value).casefold() for value in ended_status["values"]}
    said = np.array([text is not None and text.casefold() in wanted for text in status.to_pylist()], dtype=bool)
    return pa.table({"row": source.rows, "status": status}).filter(pa.array(said))
