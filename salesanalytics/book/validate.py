"""The rules of the contract, run in the engine: what is kept, and what is set aside and why.

A row is judged by itself and by rows recorded no later than it, so that a judgement never looks ahead. The
first rule that a row breaks names it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw
import pandas as pd

from salesanalytics.book.contract import MONEY_FIELDS, NONNEGATIVE_FIELDS, NUMBER_FIELDS, STANCE
from salesanalytics.process import Process

Lazy = nw.LazyFrame[Any]
Rules = list[tuple[str, str, nw.Expr]]
col = nw.col


def judge(frame: Lazy, rules: Rules) -> Lazy:
    """Add ``rule`` and ``rule_column``: the first broken rule of each row, null where all hold."""
    return frame.with_columns(
        rule=nw.coalesce(*(nw.when(broken).then(nw.lit(rule)) for rule, _, broken in rules)),
        rule_column=nw.coalesce(*(nw.when(broken).then(nw.lit(where)) for _, where, broken in rules)),
    )


def mark(judged: Lazy, rule: str, where: str, broken: nw.Expr) -> Lazy:
    """One more rule, for the rows that have broken none so far."""
    hit = broken.fill_null(value=False) & col("rule").is_null()
    return judged.with_columns(
        rule=nw.when(hit).then(nw.lit(rule)).otherwise(col("rule")),
        rule_column=nw.when(hit).then(nw.lit(where)).otherwise(col("rule_column")),
    )


def deal_rules(*, earliest_on: date, extracted_day: int | None) -> Rules:
    """Rules for a row of ``deals`` with its ``fingerprint`` and the ``first_known_day`` of its history."""
    fingerprint = col("fingerprint")
    rules: Rules = [
        ("deal_id missing", "deal_id", col("deal_id").is_null()),
        ("created_at unreadable", "created_at", col("created_at_unreadable")),
        ("implausible date", "created_at", col("created_at") < nw.lit(earliest_on)),
        ("neither creation nor history", "created_at", col("created_at").is_null() & col("first_known_day").is_null()),
        ("last_seen_on unreadable", "last_seen_on", col("last_seen_on_unreadable")),
        ("implausible date", "last_seen_on", col("last_seen_on") < nw.lit(earliest_on)),
        ("amount not a number", "amount", col("amount_unreadable")),
        ("negative amount", "amount", col("amount") < 0),
        (
            "duplicate deal_id",  # with different values: none of them can be trusted
            "deal_id",
            fingerprint.min().over("deal_id") != fingerprint.max().over("deal_id"),
        ),
        ("duplicate row", "deal_id", col("row") > col("row").min().over("deal_id")),
    ]
    if extracted_day is not None:
        unseen = col("first_known_day").is_null() | (col("first_known_day") > extracted_day)
        late = (col("created_at_day") > extracted_day) & unseen
        rules.insert(3, ("created after the extract", "created_at", late))
    return rules


def history_rules(process: Process, *, earliest_on: date, extracted_day: int | None) -> Rules:
    """Rules for a row of ``history`` joined with its deal (``deal_known``, ``deal_kept``) and with ``repeated``."""
    return [
        ("deal_id missing", "deal_id", col("deal_id").is_null()),
        ("unknown deal", "deal_id", col("deal_known").is_null()),
        ("deal set aside", "deal_id", col("deal_kept") == 0),
        *_date_rules(earliest_on, extracted_day),
        ("field missing", "field", col("field").is_null()),
        *_value_rules(process),
        ("duplicate row", "deal_id", ~col("repeated").is_null()),
    ]


_SAME = ("deal_id", "changed_at", "recorded_at", "field", "value", "actor", "who", "evidence")


def repeated(history: Lazy) -> Lazy:
    """``seq`` of the rows that say what a row above them says, in every column."""
    keys = ["deal_id", "changed_at", "field", "said"]
    said = history.with_columns(said=col("value").fill_null(""))
    shared = said.group_by(*keys).agg(n=nw.len()).filter(col("n") > 1).select(*keys)
    alike = said.join(shared, on=keys)  # few: a window over all rows would carry the texts of millions
    return alike.filter(col("row") > col("row").min().over(*_SAME)).select("seq", repeated=nw.lit(1))


def _date_rules(earliest_on: date, extracted_day: int | None) -> Rules:
    rules: Rules = [
        ("changed_at missing", "changed_at", col("changed_at").is_null() & ~col("changed_at_unreadable")),
        ("changed_at unreadable", "changed_at", col("changed_at_unreadable")),
        ("recorded_at unreadable", "recorded_at", col("recorded_at_unreadable")),
        ("implausible date", "changed_at", col("changed_at") < nw.lit(earliest_on)),
        ("implausible date", "recorded_at", col("recorded_at") < nw.lit(earliest_on)),
    ]
    if extracted_day is not None:
        rules += [
            ("scheduled, not an event", "changed_at", col("changed_at_day") > extracted_day),
            ("recorded after the extract", "recorded_at", col("recorded_at_day") > extracted_day),
        ]
    return rules


def _value_rules(process: Process) -> Rules:
    conditions = [f"{c}{suffix}" for c in process.condition_ids for suffix in ("", ":waived", ":undone")]
    known_ids = {
        "stage": [*process.stage_ids, *process.end_state_ids, *process.pause_state_ids],
        "buyer_stage": list(process.buyer_stage_ids),
        "milestone": list(process.milestone_ids),
        "condition": conditions,
    }
    rules: Rules = []
    for name, ids in known_ids.items():
        wrong = (col("field") == name) & (col("value").is_null() | ~col("value").is_in(ids))
        rules.append((f"unknown {name.replace('_', ' ')}", "value", wrong))
    stance = ~col("value").str.contains(STANCE).fill_null(value=False)
    rules.append(("unknown stance", "value", (col("field") == "stance") & stance))
    for name in NUMBER_FIELDS:
        broken = col("value_unreadable")
        if name in MONEY_FIELDS:  # an emptied sum says less than the one before; an emptied probability is none
            broken |= col("value").is_null()
        rules.append((f"{name} not a number", "value", (col("field") == name) & broken))
    for name in NONNEGATIVE_FIELDS:
        rules.append((f"negative {name}", "value", (col("field") == name) & (col("number") < 0)))
    rules.append(("probability above 100", "value", (col("field") == "probability") & (col("number") > 100)))
    return [*rules, ("date value unreadable", "value", col("value_unreadable"))]


def judge_ends(judged: Lazy, process: Process) -> Lazy:
    """Set aside an end dated before its deal began, by what was recorded no later than that end.

    A deal begins at ``created_at``, or earlier where a kept row other than an end says so.
    """
    created, told_day = col("deal_created_day"), col("changed_at_day")
    is_end = (col("field") == "stage") & col("value").is_in(list(process.end_state_ids))
    judged = judged.with_columns(is_end=is_end.fill_null(value=False))
    before_creation = col("rule").is_null() & col("is_end") & (created.is_null() | (told_day < created))
    asked = judged.join(judged.filter(before_creation).select("deal_id").unique(), on="deal_id")  # few deals
    begun = (  # never null where the deal has a creation: a cumulated null would stay null
        nw.when(col("rule").is_null() & ~col("is_end")).then(nw.min_horizontal(created, told_day)).otherwise(created)
    )
    # Rows recorded on one day count for each other, so the ends among them come last.
    begins = begun.cum_min().over("deal_id", order_by=("recorded_at_day", "is_end", "row"))
    asked = asked.with_columns(begins=begins).filter(col("is_end") & (told_day < col("begins")))
    judged = judged.join(asked.select("seq", early=nw.lit(1)), on="seq", how="left")
    return mark(judged, "end before creation", "changed_at", ~col("early").is_null()).drop("is_end", "early")


def as_set_aside(judged: Lazy, *, table: str, texts: dict[str, str]) -> pd.DataFrame:
    """The rows that broke a rule, in pandas: table, row, deal_id, rule, column, value as in the source.

    ``texts`` says for a column where its text stands.
    """
    value = nw.coalesce(*(nw.when(col("rule_column") == c).then(col(text)) for c, text in texts.items()))
    where = nw.coalesce(col("source_column"), col("rule_column"))
    frame = judged.filter(~col("rule").is_null()).select(
        nw.lit(table).alias("table"), "row", "deal_id", "rule", where.alias("column"), value.alias("value")
    )
    return frame.sort("row", "column").collect("pyarrow").to_native().to_pandas()
