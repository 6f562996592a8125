"""What the door saw: rows by table, faults by rule, and what was kept but should be known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd

from salesanalytics.errors import SchemaError

if TYPE_CHECKING:
    from salesanalytics.book.dealbook import DealBook

col = nw.col
FAULT_COLUMNS = ["table", "rule", "n", "set_aside", "examples", "note"]


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


def check_limit(book: DealBook) -> None:
    """Stop when more of a table was set aside than ``limit_set_aside`` allows; the error lists every rule."""
    limit = book.settings.limit_set_aside
    over = book.rows[book.rows["set_aside"] > limit * book.rows["read"]]
    if not len(over):
        return
    lines = [
        f"{t.table}: {t.set_aside:,} of {t.read:,} rows break the contract ({t.set_aside / t.read:.0%}, limit {limit:.0%})"
        for t in over.itertuples()
    ]
    for fault in book.faults[book.faults["table"].isin(over["table"])].itertuples():
        aside = book.set_aside.query("table == @fault.table and rule == @fault.rule")
        values = ", ".join(map(repr, aside["value"].dropna().unique()[:3]))
        columns = ", ".join(aside["column"].dropna().unique()[:3])
        lines.append(f"- {fault.table}.{columns}: {fault.rule}, {fault.n:,} rows; deals {fault.examples}; values {values}")
    lines.append("Mend the source, map it in book.yaml, or raise limit_set_aside there if this share is meant.")
    raise SchemaError("\n".join(lines))


def observations(book: DealBook) -> pd.DataFrame:
    """What is history or habit rather than a broken row: kept, counted and named."""
    found: list[dict[str, Any]] = []

    def note(table: str, rule: str, ids: pd.Series, text: str) -> None:
        if len(ids):
            found.append(
                {"table": table, "rule": rule, "n": len(ids), "set_aside": False, "examples": _examples(ids), "note": text}
            )

    note("deals", "no stage row", _ids(_without_stage(book)), "stands in the first stage since its creation")
    note("deals", "row before creation", _ids(_moved_back(book)), "creation moves back to the first known row")
    note("deals", "created_at missing", _without_creation(book), "creation is the first known row")
    note("history", "two stages at one instant", _ids(_same_instant(book)), "kept in the order of the source")
    note("history", "won without the last milestone", _ids(_unproved(book)), "counts as won, unproved")
    if not book.has_recorded_at:
        found.append(_remark("history", "no recorded_at", "late recording is invisible; forecasts cannot allow for it"))
    if book.settings.amount_is == "current":
        found.append(_remark("deals", "amount is the current one", "dates before the extract see today's amounts"))
    if book.settings.owner_is == "current":
        found.append(_remark("deals", "owner is the current one", "dates before the extract see today's owners"))
    return pd.DataFrame(found, columns=FAULT_COLUMNS)


def _remark(table: str, rule: str, text: str) -> dict[str, Any]:
    return {"table": table, "rule": rule, "n": 0, "set_aside": False, "examples": "", "note": text}


def _ids(frame: nw.LazyFrame[Any]) -> pd.Series:
    return frame.select("deal_id").unique().sort("deal_id").collect("pyarrow").to_native().to_pandas()["deal_id"]


def _stages(book: DealBook) -> nw.LazyFrame[Any]:
    return book.events.filter(col("field") == "stage")


def _without_stage(book: DealBook) -> nw.LazyFrame[Any]:
    return book.engine.table("deal_facts").join(_stages(book), on="deal_id", how="anti")


def _moved_back(book: DealBook) -> nw.LazyFrame[Any]:
    joined = book.events.join(book.engine.table("deal_facts"), on="deal_id")
    return joined.filter(col("day") < col("deal_created_day"))


def _without_creation(book: DealBook) -> pd.Series:
    return book.deals.loc[book.deals["created_at"].isna(), "deal_id"]


def _same_instant(book: DealBook) -> nw.LazyFrame[Any]:
    history = book.engine.table("history").filter(col("field") == "stage").select("deal_id", "changed_at", "value")
    return history.unique().group_by("deal_id", "changed_at").agg(n=nw.len()).filter(col("n") > 1)


def _unproved(book: DealBook) -> nw.LazyFrame[Any]:
    """Won deals without the last milestone, where the book keeps milestones at all."""
    milestones = book.events.filter(col("field") == "milestone")
    won = _stages(book).filter(col("value") == "won")
    kept = milestones.select(any_milestone=col("field")).unique()
    last = milestones.filter(col("value").is_in(list(book.process.milestone_ids[-1:])))
    return won.join(last, on="deal_id", how="anti").join(kept, how="cross")
