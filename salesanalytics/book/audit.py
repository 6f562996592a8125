"""What the door saw: rows by table, faults by rule, and what was kept but should be known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd

from salesanalytics.book.contract import CATEGORIES, FIELDS
from salesanalytics.book.fields import unknown_names
from salesanalytics.book.frames import contract_columns
from salesanalytics.book.judging import UNKNOWN_STAGE
from salesanalytics.book.management import lines_of_management
from salesanalytics.book.references import unmatched
from salesanalytics.errors import SchemaError

if TYPE_CHECKING:
    from salesanalytics.book.dealbook import DealBook
    from salesanalytics.process import Process

col = nw.col
FAULT_COLUMNS = ["table", "rule", "n", "set_aside", "examples", "note"]
FAR_YEARS = 5
MOST, MANY = 0.5, 100  # of the history, recorded on one day: more than this share, and rows
MOST_KINDS = 12  # numbers in text that are more than these are hardly codes of kinds


def count_rows(read: dict[str, int], set_aside: pd.DataFrame) -> pd.DataFrame:
    """One row a table: rows read = rows kept + rows set aside."""
    aside = set_aside["table"].value_counts() if len(set_aside) else pd.Series(dtype=int)
    counts = pd.DataFrame({"table": list(read), "read": list(read.values())})
    counts["set_aside"] = counts["table"].map(aside).fillna(0).astype(int)
    return counts.assign(kept=counts["read"] - counts["set_aside"])[["table", "read", "kept", "set_aside"]]


def fault_table(set_aside: pd.DataFrame) -> pd.DataFrame:
    """One row a table and rule: how many rows were set aside, with three example ids."""
    if not len(set_aside):
        return pd.DataFrame(columns=FAULT_COLUMNS)
    groups = set_aside.groupby(["table", "rule"], sort=True)
    faults = groups.agg(n=("row", "size"), examples=("deal_id", _examples)).reset_index()
    return faults.assign(set_aside=True, note="")[FAULT_COLUMNS]


def _examples(ids: pd.Series) -> str:
    return ", ".join(map(str, ids.dropna().unique()[:3]))


def check_limit(book: DealBook, *, n_astray: int) -> None:
    """Stop when more of a table was set aside than ``limit_set_aside`` allows; the error lists every rule.

    So it does where that share of the deals (``n_astray``) stands in a stage that is not known: of an end there is one
    row a deal, and without it a deal would stay open for ever.
    """
    limit = book.settings.limit_set_aside
    rows = zip(*(book.rows[name] for name in ("table", "set_aside", "read")), strict=True)
    over = {table: (n, read) for table, n, read in rows if n > limit * read}
    lines = [
        f"{table}: {n:,} of {read:,} rows break the contract ({_percent(n / read)}, limit {_percent(limit)})"
        for table, (n, read) in over.items()
    ]
    refused = book.set_aside["table"].isin(list(over))
    if n_astray > limit * len(book.deals):
        share = f"{_percent(n_astray / len(book.deals))}, limit {_percent(limit)}"
        lines.append(f"deals: {n_astray:,} of {len(book.deals):,} stand in a stage that is not known ({share})")
        refused |= book.set_aside["rule"].eq(UNKNOWN_STAGE)
    if not lines:
        return
    aside = book.set_aside[refused]
    lines += [*map(_fault_line, _by_rule(aside)), *_advice(aside, book)]
    lines.append("Mend the source, map it in book.yaml, or raise limit_set_aside there if this share is meant.")
    raise SchemaError("\n".join(lines))


def _advice(refused: pd.DataFrame, book: DealBook) -> list[str]:
    """What is known to help against some of the rules."""
    lines = []
    if refused["rule"].str.fullmatch(r"(date value|\w+_at|\w+_on) unreadable").any():
        lines.append(
            'Dates in a form of their own are read by `date_format` in book.yaml, such as "%d/%m/%Y" (%y: a year of '
            "two digits), or a list of all forms in the files."
        )
    if refused["rule"].str.fullmatch(r"(\w+ not a number|amount unreadable)").any():
        lines.append(
            "Numbers are read like 1,200,000 or 1.200.000,50 € or ¥120万; take other signs and words out of them."
        )
    if not book.rows.set_index("table")["read"]["deals"]:
        lines.append("The table deals has no rows: export it again.")
    if refused["rule"].eq("unknown deal").any() and len(book.deals):
        ids = ", ".join(map(repr, book.deals["deal_id"].head(3)))
        lines.append(f"The table deals writes its ids as {ids}: the history must write them alike.")
    if refused["rule"].eq(UNKNOWN_STAGE).any():
        lines.append(f"Known stages: {_known_stages(book.process)}. Stages of your own belong in process.yaml.")
    return lines


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


def _known_stages(process: Process) -> str:
    """Ids and names of the first ten stages, and the ids of ends and pauses."""
    ids = process.stage_ids
    names = [" / ".join(dict.fromkeys((i, process.label(i, "zh"), process.label(i, "en")))) for i in ids[:10]]
    return ", ".join([*names, *["..."] * (len(ids) > 10), *process.end_state_ids, *process.pause_state_ids])


def _by_rule(set_aside: pd.DataFrame) -> list[pd.DataFrame]:
    return [rows for _, rows in set_aside.groupby(["table", "rule"], sort=True)]


def _fault_line(rows: pd.DataFrame) -> str:
    """One line of the error: where, which rule, how many rows, and up to three examples of each kind."""
    first = rows.iloc[0]
    where = ".".join([first["table"], "/".join(rows["column"].dropna().unique()[:3])]).rstrip(".")
    line = f"- {where}: {first['rule']}, rows: {len(rows):,} (row {_examples(rows['row'])})"
    ids, values = _examples(rows["deal_id"]), _examples(rows["value"].map(repr, na_action="ignore"))
    return line + (f"; deals {ids}" if ids else "") + (f"; values {values}" if values else "")


def observations(
    book: DealBook,
    *,
    newest_first: bool,
    astray: pd.Series,
    n_first_values: int,
    infinite: Mapping[str, pd.Series],
) -> pd.DataFrame:
    """What is history or habit rather than a broken row: kept, counted and named.

    ``astray`` and ``infinite`` are ids of deals: in an unknown stage; with an infinite number in a column, by column.
    """
    found: list[dict[str, Any]] = []

    def note(table: str, rule: str, ids: pd.Series, text: str) -> None:
        if len(ids):
            found.append(_remark(table, rule, text) | {"n": len(ids), "examples": _examples(ids)})

    if not len(_ids(book, _stages(book))):
        found.append(_remark("history", "history without stages", "every deal counts as in the first stage"))
    note("deals", "no stage row", _ids(book, _without_stage(book)), "is in the first stage since creation")
    note(
        "deals",
        "first stage row after creation",
        _ids(book, _late_stage(book)),
        "no stage is counted as entered before it",
    )
    note("deals", "stands in an unknown stage", astray, "counts as in its last known stage")
    note("deals", "row before creation", _ids(book, _moved_back(book)), "creation is the first known row")
    note("deals", "created_at missing", _without_creation(book), "creation is the first known row")
    order = "kept in the order of the source, from the bottom up" if newest_first else "kept in source order"
    note("history", "two stages at one instant", _ids(book, _same_instant(book)), order)
    note("history", "recorded before it happened", _foreseen(book), "counts from the day it happened")
    note("history", "won without the last milestone", _ids(book, _unproved(book)), "is won, unproved")
    note("targets", "period far after the end of the book", _far_targets(book), "kept, no forecast asks for it yet")
    circle = pd.Series(lines_of_management(book.reps)[1], dtype=object)
    note("reps", "managers who report to each other", circle, "a line of management ends where a name comes again")
    found += _unknown(book) + _unknown_columns(book) + _numbers_in_text(book) + _infinite(infinite)
    for table, rule, n, names in unmatched(book):
        found.append(_remark(table, rule, "kept as written") | {"n": n, "examples": names})
    found += _imported(book)
    if n_first_values:
        remark = _remark("history", "first values from old_value", "count as rows of their own, dated at the creation")
        found.append(remark | {"n": n_first_values})
    if newest_first:
        found.append(_remark("history", "newest rows first", "rows of one instant count from the bottom up"))
    if not book.has_recorded_at:
        found.append(_remark("history", "no recorded_at", "late recording is invisible to forecasts"))
    for name, setting in {"amount": book.settings.amount_is, "owner": book.settings.owner_is}.items():
        if setting == "current":
            text = f"dates before the extract see the {name} of the extract"
            found.append(_remark("deals", f"{name} is the current one", text))
    return pd.DataFrame(found, columns=FAULT_COLUMNS)


def _far_targets(book: DealBook) -> pd.Series:
    """Periods of targets more than five years ahead: 2062 is sooner a slip for 2026 than a plan."""
    quarters, end = book.targets.get("quarter", pd.Series(dtype=object)), book.settings.extracted_on
    if end is None or quarters.empty:  # a book without a dated row has no end
        return quarters.iloc[:0]
    return quarters[quarters.str[:4].astype(int) > end.year + FAR_YEARS]


def _imported(book: DealBook) -> list[dict[str, Any]]:
    """A remark where most of the history was typed in on one day, later than it happened."""
    history = book.engine.table("history").select("changed_at", day=col("recorded_at").dt.truncate("1d"))
    late = history.filter(col("changed_at") < col("day")).group_by("day").agg(n=nw.len()).collect("pyarrow").to_native()
    most = late.to_pandas().nlargest(1, "n")
    kept = int(book.rows.set_index("table").at["history", "kept"])
    if not len(most) or most["n"].iloc[0] <= max(MOST * kept, MANY):
        return []
    remark = _remark("history", "recorded on one day", "hardly anything counts as known before that day")
    return [remark | {"n": int(most["n"].iloc[0]), "examples": str(most["day"].iloc[0].date())}]


def _unknown(book: DealBook) -> list[dict[str, Any]]:
    """Remarks on fields and forecast categories that the contract does not know."""
    history = book.engine.table("history")
    fields = unknown_names(history, "field", FIELDS)
    categories = unknown_names(history.filter(col("field") == "category"), "value", CATEGORIES)
    remarks = (
        (fields, "field not of the contract", "carried along, no rule or forecast reads it"),
        (categories, "forecast category not of the contract", "counts as not committed"),
    )
    return [_remark("history", rule, text) | {"n": n, "examples": names} for (names, n), rule, text in remarks if n]


def _unknown_columns(book: DealBook) -> list[dict[str, Any]]:
    """Remarks on names that book.yaml gives to columns and that neither the contract nor ``attributes`` knows."""
    found = []
    for table, source in book.settings.tables.items():
        known = {*contract_columns(table), *(book.settings.attributes if table == "deals" else ())}
        names = [f"{name} ({column})" for name, column in source.columns.items() if name not in known]
        if names:
            remark = _remark(table, "column not of the contract", "carried along, no rule or forecast reads it")
            found.append(remark | {"examples": ", ".join(names)})
    return found


def _numbers_in_text(book: DealBook) -> list[dict[str, Any]]:
    """A remark on attributes that hold numbers in text, as csv and xlsx do: no model takes them for numbers."""
    names = []
    for name in (name for name in book.settings.attributes if name in book.deals):
        kinds = pd.Series(book.deals[name].dropna().unique(), dtype=object)
        are_text = kinds.map(lambda kind: isinstance(kind, str)).all()
        if len(kinds) > MOST_KINDS and are_text and pd.to_numeric(kinds, errors="coerce").notna().all():
            names.append(name)
    text = "each value counts as a kind of its own; in parquet and in DataFrames numbers are numbers"
    return [_remark("deals", "attribute of numbers in text", text) | {"examples": ", ".join(names)}] if names else []


def _infinite(infinite: Mapping[str, pd.Series]) -> list[dict[str, Any]]:
    """A remark on every column with infinite numbers, such as a ratio with nothing below the line."""
    remarks = ((_remark("deals", f"infinite {name}", "counts as missing"), ids) for name, ids in infinite.items())
    return [remark | {"n": len(ids), "examples": _examples(ids)} for remark, ids in remarks if len(ids)]


def _remark(table: str, rule: str, text: str) -> dict[str, Any]:
    return {"table": table, "rule": rule, "n": 0, "set_aside": False, "examples": "", "note": text}


def _ids(book: DealBook, frame: nw.LazyFrame[Any]) -> pd.Series:
    found = frame.select("deal").unique().sort("deal").collect("pyarrow").to_native()
    return book.deals["deal_id"].iloc[found["deal"].to_numpy()]


def _stages(book: DealBook) -> nw.LazyFrame[Any]:
    return book.events.filter(col("field") == "stage")


def _without_stage(book: DealBook) -> nw.LazyFrame[Any]:
    return book.engine.table("deal_facts").join(_stages(book), on="deal", how="anti")


def _late_stage(book: DealBook) -> nw.LazyFrame[Any]:
    first = _stages(book).group_by("deal").agg(first_day=col("day").min())
    return first.join(book.engine.table("deal_facts"), on="deal").filter(col("first_day") > col("deal_created_day"))


def _moved_back(book: DealBook) -> nw.LazyFrame[Any]:
    joined = book.events.join(book.engine.table("deal_facts"), on="deal")
    return joined.filter(col("day") < col("deal_created_day"))


def _without_creation(book: DealBook) -> pd.Series:
    return book.deals.loc[book.deals["created_at"].isna(), "deal_id"]


def _foreseen(book: DealBook) -> pd.Series:
    """Deal of each row that says it was recorded on a day before it happened."""
    rows = book.engine.table("history").filter(col("recorded_at") < col("changed_at").dt.truncate("1d"))
    return rows.select("deal_id", "row").sort("row").collect("pyarrow").to_native()["deal_id"].to_pandas()


def _same_instant(book: DealBook) -> nw.LazyFrame[Any]:
    stages = book.engine.table("history").filter(col("field") == "stage")
    several = (
        stages.select("deal_id", "changed_at", "value")
        .unique()
        .group_by("deal_id", "changed_at")
        .agg(n=nw.len())
        .filter(col("n") > 1)
    )
    return several.join(book.engine.table("deal_facts"), on="deal_id")


def _unproved(book: DealBook) -> nw.LazyFrame[Any]:
    """Won deals without the last milestone, where the book keeps milestones at all."""
    milestones = book.events.filter(col("field") == "milestone")
    won = _stages(book).filter(col("value") == "won")
    kept = milestones.select(any_milestone=col("field")).unique()
    last = milestones.filter(col("value").is_in(list(book.process.milestone_ids[-1:])))
    return won.join(last, on="deal", how="anti").join(kept, how="cross")
