"""The rules of the contract, run in the engine: what is kept, and what is set aside and why.

A row is judged by itself and by rows recorded no later than it, so that a judgement never looks ahead. The first
rule that a row breaks names it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw
import pandas as pd

from salesanalytics.book.contract import NONNEGATIVE_FIELDS, NUMBER_FIELDS
from salesanalytics.process import Process

Rules = list[tuple[str, str, nw.Expr]]
col = nw.col


def judge(frame: nw.LazyFrame[Any], rules: Rules) -> nw.LazyFrame[Any]:
    """Add ``rule`` and ``rule_column``: the first broken rule of each row, null where all hold."""
    name = nw.lit(None, dtype=nw.String)
    column = nw.lit(None, dtype=nw.String)
    for rule, where, broken in reversed(rules):
        hit = broken.fill_null(value=False)
        name = nw.when(hit).then(nw.lit(rule)).otherwise(name)
        column = nw.when(hit).then(nw.lit(where)).otherwise(column)
    return frame.with_columns(rule=name, rule_column=column)


def deal_rules(columns: list[str], *, earliest_on: date, extracted_day: int | None) -> Rules:
    """Rules for a row of ``deals``; ``columns`` are those that make two rows the same row."""
    repeat = col("row") > col("row").min().over(*columns)
    rules: Rules = [
        ("deal_id missing", "deal_id", col("deal_id").is_null()),
        ("created_at unreadable", "created_at", col("created_at_unreadable")),
        ("implausible date", "created_at", col("created_at") < nw.lit(earliest_on)),
        ("last_seen_on unreadable", "last_seen_on", col("last_seen_on_unreadable")),
        ("amount not a number", "amount", col("amount_unreadable")),
        ("negative amount", "amount", col("amount") < 0),
        ("duplicate row", "deal_id", repeat),
    ]
    if extracted_day is not None:
        rules.insert(3, ("created after the extract", "created_at", col("created_day") > extracted_day))
    return rules


def duplicate_ids(judged: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Among rows that hold so far, deals with one id and different values: none of them can be trusted."""
    holds = nw.when(col("rule").is_null()).then(1).otherwise(0)
    many = (holds.sum().over("deal_id") > 1) & col("rule").is_null()
    return judged.with_columns(
        rule=nw.when(many).then(nw.lit("duplicate deal_id")).otherwise(col("rule")),
        rule_column=nw.when(many).then(nw.lit("deal_id")).otherwise(col("rule_column")),
    )


def history_rules(process: Process, *, earliest_on: date, extracted_day: int | None) -> Rules:
    """Rules for a row of ``history`` joined with its deal (``deal_rule``, ``deal_created_day``)."""
    states = (*process.stage_ids, *process.end_state_ids, *process.pause_state_ids)
    conditions = [f"{c}{suffix}" for c in process.condition_ids for suffix in ("", ":waived", ":undone")]
    known_ids = {
        "stage": list(states),
        "buyer_stage": list(process.buyer_stage_ids),
        "milestone": list(process.milestone_ids),
        "condition": conditions,
    }
    rules: Rules = [
        ("deal_id missing", "deal_id", col("deal_id").is_null()),
        ("unknown deal", "deal_id", col("deal_known").is_null()),
        ("deal set aside", "deal_id", col("deal_rule").fill_null("") != ""),
        ("changed_at missing", "changed_at", col("changed_at").is_null() & ~col("changed_at_unreadable")),
        ("changed_at unreadable", "changed_at", col("changed_at_unreadable")),
        ("recorded_at unreadable", "recorded_at", col("recorded_at_unreadable")),
        ("implausible date", "changed_at", col("changed_at") < nw.lit(earliest_on)),
        ("implausible date", "recorded_at", col("recorded_at") < nw.lit(earliest_on)),
        ("field missing", "field", col("field").is_null()),
    ]
    if extracted_day is not None:
        rules += [
            ("scheduled, not an event", "changed_at", col("day") > extracted_day),
            ("recorded after the extract", "recorded_at", col("recorded_day") > extracted_day),
        ]
    for name, ids in known_ids.items():
        wrong = (col("field") == name) & (col("value").is_null() | ~col("value").is_in(ids))
        rules.append((f"unknown {name.replace('_', ' ')}", "value", wrong))
    for name in NUMBER_FIELDS:
        unreadable = (col("field") == name) & (col("value_unreadable") | col("value").is_null())
        rules.append((f"{name} not a number", "value", unreadable))
    for name in NONNEGATIVE_FIELDS:
        rules.append((f"negative {name}", "value", (col("field") == name) & (col("number") < 0)))
    rules.append(("date value unreadable", "value", col("value_unreadable")))
    same = ("deal_id", "changed_at", "recorded_at", "field", "value", "actor", "who", "evidence")
    rules.append(("duplicate row", "deal_id", col("row") > col("row").min().over(*same)))
    rules.append(("end before creation", "changed_at", _end_before_creation(process)))
    return rules


def _end_before_creation(process: Process) -> nw.Expr:
    """An end dated before its deal began, by what was recorded no later than that end.

    A deal begins at ``created_at``, or earlier where a stage row that was recorded in time says so.
    """
    is_end = (col("field") == "stage") & col("value").is_in(list(process.end_state_ids))
    stages = [*process.stage_ids, *process.pause_state_ids]
    is_stage = (col("field") == "stage") & col("value").is_in(stages) & ~col("changed_at_unreadable")
    first_stage = nw.when(is_stage).then(col("day")).cum_min().over("deal_id", order_by=("recorded_day", "row"))
    begins = nw.min_horizontal(col("deal_created_day"), first_stage)
    return is_end & (col("day") < begins)


def as_set_aside(judged: nw.LazyFrame[Any], *, table: str, texts: dict[str, str]) -> pd.DataFrame:
    """The rows that broke a rule, in pandas: table, row, deal_id, rule, column, value as it stood in the source."""
    value = nw.lit(None, dtype=nw.String)
    for column, text in texts.items():
        value = nw.when(col("rule_column") == column).then(col(text).cast(nw.String)).otherwise(value)
    where = nw.coalesce(col("source_column"), col("rule_column"))
    frame = judged.filter(~col("rule").is_null()).select(
        nw.lit(table).alias("table"), "row", "deal_id", "rule", where.alias("column"), value.alias("value")
    )
    return frame.sort("row").collect("pyarrow").to_native().to_pandas()
