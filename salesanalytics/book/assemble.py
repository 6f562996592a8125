"""From parsed source tables to a book: run the rules, keep, set aside, count, report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from salesanalytics.book import validate
from salesanalytics.book.contract import MONEY_FIELDS
from salesanalytics.book.dealbook import EPOCH, DealBook
from salesanalytics.book.engine import Engine
from salesanalytics.book.frames import SourceTable, as_text, parse_columns
from salesanalytics.book.audit import check_limit, count_rows, fault_table, observations
from salesanalytics.book.settings import BookSettings
from salesanalytics.book.shapes import read_values
from salesanalytics.errors import SchemaError
from salesanalytics.process import Process

col = nw.col
ONE_DAY = np.timedelta64(1, "D")


def assemble(
    sources: dict[str, SourceTable],
    history: pd.DataFrame,
    *,
    malformed: list[tuple[int, str]],
    settings: BookSettings,
    process: Process,
) -> DealBook:
    """Validate the tables in the engine and build the book.

    Raises
    ------
    SchemaError
        More than ``limit_set_aside`` of a table was set aside, or amounts are in several currencies without rates.
    """
    engine = Engine()
    deals = _with_days(parse_columns(sources["deals"], settings), created_at="created_day", last_seen_on="last_seen_day")
    history = _with_days(
        read_values(history, process=process, settings=settings),
        changed_at="day",
        recorded_at="recorded_day",
        value_at="value_day",
    )
    has_recorded_at = bool(history["recorded_at"].notna().any())
    history["recorded_day"] = history["recorded_day"].fillna(history["day"])
    stated = settings.extracted_on is not None
    if not stated:
        settings = replace(settings, extracted_on=_last_day(history, deals))
    extracted_day = (settings.extracted_on - EPOCH).days if stated and settings.extracted_on else None

    deals_judged = _judge_deals(engine, deals, settings, extracted_day)
    history_judged = _judge_history(engine, history, deals_judged, process, settings, extracted_day)
    deals_judged, history_judged = _ended_without_date(
        engine, sources["deals"].frame, deals_judged, history_judged, process, settings
    )
    aside = [
        validate.as_set_aside(
            deals_judged.with_columns(source_column=nw.lit(None, dtype=nw.String)),
            table="deals",
            texts=_DEAL_TEXTS | _status_text(settings),
        ),
        validate.as_set_aside(history_judged, table="history", texts=_HISTORY_TEXTS),
        _malformed("deals", sources["deals"].malformed),
        _malformed("history", malformed),
    ]
    kept = _kept_deals(deals, deals_judged, sources["deals"].frame, settings)
    _keep_deal_facts(engine, kept)
    _keep_events(engine, history_judged)
    others = {name: _plain_table(sources.get(name), name, settings, aside) for name in ("reps", "accounts", "targets")}
    set_aside = pd.concat([a for a in aside if len(a)] or aside[:1], ignore_index=True)
    read = {"deals": len(deals) + len(sources["deals"].malformed), "history": len(history) + len(malformed)}
    read |= {name: len(s.frame) + len(s.malformed) for name, s in sources.items() if name != "deals"}
    rows = count_rows(read, set_aside)
    book = DealBook(
        deals=kept.drop(columns=["row", "created_day", "last_seen_day", "rate"]),
        **others,
        process=process,
        settings=settings,
        set_aside=set_aside,
        faults=fault_table(set_aside),
        rows=rows,
        has_recorded_at=has_recorded_at,
        engine=engine,
    )
    check_limit(book)
    return replace(book, faults=pd.concat([book.faults, observations(book)], ignore_index=True))


_DEAL_TEXTS = {"deal_id": "deal_id", "created_at": "created_at_text", "last_seen_on": "last_seen_on_text"}
_DEAL_TEXTS |= {"amount": "amount_text"}
_HISTORY_TEXTS = {"deal_id": "deal_id", "changed_at": "changed_at_text", "recorded_at": "recorded_at_text"}
_HISTORY_TEXTS |= {"value": "value", "field": "field"}


def _status_text(settings: BookSettings) -> dict[str, str]:
    table = settings.tables.get("deals")
    return {} if table is None or table.ended_status is None else {table.ended_status["column"]: "status"}


def _with_days(frame: pd.DataFrame, **day_of: str) -> pd.DataFrame:
    """Add whole days since 1970-01-01 beside timestamp columns (null where the timestamp is missing)."""
    for source, target in day_of.items():
        days = frame[source].to_numpy().astype("datetime64[D]").astype("int64")
        frame[target] = pd.array(days, dtype="Int64")
        frame.loc[frame[source].isna(), target] = pd.NA
    return frame


def _last_day(history: pd.DataFrame, deals: pd.DataFrame) -> Any:
    """Default end of the book: the last day on which something was recorded; without history the last creation."""
    last = history["recorded_day"].max() if history["recorded_day"].notna().any() else deals["created_day"].max()
    return None if pd.isna(last) else EPOCH + timedelta(days=int(last))


def _arrow(frame: pd.DataFrame, columns: dict[str, pa.DataType]) -> pa.Table:
    return pa.table({name: pa.array(frame[name], type=kind, from_pandas=True) for name, kind in columns.items()})


_TEXT, _STAMP, _DAY, _FLAG, _NUMBER = pa.string(), pa.timestamp("us"), pa.int64(), pa.bool_(), pa.float64()


def _judge_deals(
    engine: Engine, deals: pd.DataFrame, settings: BookSettings, extracted_day: int | None
) -> nw.LazyFrame[Any]:
    kinds = {"row": _DAY, "deal_id": _TEXT, "created_at": _STAMP, "created_day": _DAY, "last_seen_day": _DAY}
    kinds |= {"amount": _NUMBER, "fingerprint": pa.uint64()}
    kinds |= {f"{c}_unreadable": _FLAG for c in ("created_at", "last_seen_on", "amount")}
    texts = {f"{c}_text": as_text(deals[f"{c}_text"]) for c in ("created_at", "last_seen_on", "amount")}
    content = deals.drop(columns="row").astype(str)
    frame = deals.assign(**texts, fingerprint=pd.util.hash_pandas_object(content, index=False))
    raw = engine.load("deals_raw", _arrow(frame, kinds | {name: _TEXT for name in texts}))
    rules = validate.deal_rules(
        ["deal_id", "fingerprint"], earliest_on=settings.earliest_on, extracted_day=extracted_day
    )
    judged = validate.duplicate_ids(validate.judge(raw, rules))
    return engine.once("deals_judged", lambda: judged.with_columns(status=nw.lit(None, dtype=nw.String)))


def _judge_history(
    engine: Engine,
    history: pd.DataFrame,
    deals_judged: nw.LazyFrame[Any],
    process: Process,
    settings: BookSettings,
    extracted_day: int | None,
) -> nw.LazyFrame[Any]:
    kinds = {"row": _DAY, "order": _DAY, "deal_id": _TEXT, "changed_at": _STAMP, "recorded_at": _STAMP}
    kinds |= {"day": _DAY, "recorded_day": _DAY, "value_day": _DAY, "number": _NUMBER}
    kinds |= {c: _TEXT for c in ("field", "value", "actor", "who", "evidence", "changed_at_text", "recorded_at_text")}
    kinds |= {f"{c}_unreadable": _FLAG for c in ("changed_at", "recorded_at", "value")}
    frame = history.rename(columns={"column": "source_column"})
    for name in ("changed_at_text", "recorded_at_text", "actor", "who", "evidence", "source_column"):
        frame[name] = as_text(frame[name])
    order = {stage.id: stage.order for stage in process.stages}
    frame["rank"] = frame["value"].map(order).where(frame["field"].eq("stage"), 0).fillna(0)
    raw = engine.load("history_raw", _arrow(frame, kinds | {"source_column": _TEXT, "rank": _DAY}))
    known = deals_judged.filter(~col("deal_id").is_null()).group_by("deal_id").agg(
        deal_known=col("row").max(),
        deal_created_day=col("created_day").min(),
        n_kept=nw.when(col("rule").is_null()).then(1).otherwise(0).sum(),
        deal_rule=col("rule").max(),
    )
    known = known.with_columns(deal_rule=nw.when(col("n_kept") == 0).then(col("deal_rule")))
    joined = raw.join(known.drop("n_kept"), on="deal_id", how="left")
    rules = validate.history_rules(process, earliest_on=settings.earliest_on, extracted_day=extracted_day)
    return engine.once("history_judged", lambda: validate.judge(joined, rules))


def _ended_without_date(
    engine: Engine,
    source: pd.DataFrame,
    deals_judged: nw.LazyFrame[Any],
    history_judged: nw.LazyFrame[Any],
    process: Process,
    settings: BookSettings,
) -> tuple[nw.LazyFrame[Any], nw.LazyFrame[Any]]:
    """Set aside deals whose status says that they ended, though by their kept rows they would stay open for ever."""
    table = settings.tables.get("deals")
    if table is None or table.ended_status is None:
        return deals_judged, history_judged
    name = table.ended_status["column"]
    if name not in source.columns:
        raise SchemaError(f"deals: column {name!r} of ended_status is missing; found {', '.join(source.columns)}.")
    status = as_text(source[name])
    wanted = {str(v).casefold() for v in table.ended_status["values"]}
    said = source["row"][status.str.casefold().isin(wanted)]
    ended = pa.table({"row": pa.array(said, pa.int64()), "said": pa.array(status[said.index], pa.string())})
    stages = history_judged.filter(col("rule").is_null() & (col("field") == "stage"))
    in_order = stages.with_row_index("seq", order_by=("changed_at", "order", "row"))
    last = in_order.filter(col("seq") == col("seq").max().over("deal_id"))
    ends = last.filter(col("value").is_in(list(process.end_state_ids))).select("deal_id", has_end=col("row"))
    rule = "ended without a usable date"

    def mark(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        joined = frame.join(engine.frame(ended), on="row", how="left").join(ends, on="deal_id", how="left")
        broken = col("rule").is_null() & ~col("said").is_null() & col("has_end").is_null()
        return joined.with_columns(
            status=col("said"),
            rule=nw.when(broken).then(nw.lit(rule)).otherwise(col("rule")),
            rule_column=nw.when(broken).then(nw.lit(name)).otherwise(col("rule_column")),
        )

    deals_now = engine.once("deals_judged_ended", lambda: mark(deals_judged).drop("said", "has_end"))
    gone = deals_now.filter(col("rule") == rule).select("deal_id", gone=nw.lit(1)).unique()
    broken = col("rule").is_null() & ~col("gone").is_null()
    history_now = history_judged.join(gone, on="deal_id", how="left").with_columns(
        rule=nw.when(broken).then(nw.lit("deal set aside")).otherwise(col("rule")),
        rule_column=nw.when(broken).then(nw.lit("deal_id")).otherwise(col("rule_column")),
    )
    return deals_now, engine.once("history_judged_ended", lambda: history_now.drop("gone"))


def _keep_events(engine: Engine, judged: nw.LazyFrame[Any]) -> None:
    """Kept rows, once as they stood (``history``) and once as the timeline reads them (``events``).

    Money is in the book's currency from here on.
    """
    kept = judged.filter(col("rule").is_null())
    columns = ["row", "deal_id", "changed_at", "recorded_at", "field", "value", "actor", "who", "evidence"]
    engine.once("history", lambda: kept.select(*columns))
    rates = engine.table("deal_facts").select("deal_id", "rate")
    in_money = nw.when(col("field").is_in(list(MONEY_FIELDS))).then(col("rate")).otherwise(1.0)
    ordered = kept.join(rates, on="deal_id").with_row_index("seq", order_by=("changed_at", "order", "row"))
    engine.once(
        "events",
        lambda: ordered.select(
            "deal_id",
            "seq",
            "day",
            known_day=nw.max_horizontal("day", "recorded_day"),
            field=col("field"),
            value=col("value"),
            number=col("number") * in_money,
            value_day=col("value_day"),
            rank=col("rank"),
            who=col("who"),
            evidence=col("evidence"),
        ),
    )


def _kept_deals(
    deals: pd.DataFrame, judged: nw.LazyFrame[Any], source: pd.DataFrame, settings: BookSettings
) -> pd.DataFrame:
    rows = judged.filter(col("rule").is_null()).select("row").collect("pyarrow").to_native().column("row").to_numpy()
    helpers = [c for c in deals.columns if c.endswith(("_unreadable", "_text")) and c not in source.columns]
    kept = deals[deals["row"].isin(rows)].drop(columns=helpers).sort_values("row").reset_index(drop=True)
    currencies = sorted(kept["currency"].dropna().unique())
    rates = {settings.currency: 1.0} | dict(settings.rates)
    kept["rate"] = kept["currency"].map(rates).fillna(1.0).astype(float)
    if len(currencies) > 1 or settings.rates:
        missing = [c for c in currencies if c not in settings.rates and c != settings.currency]
        if missing:
            n = int(kept["currency"].isin(missing).sum())
            ids = ", ".join(kept.loc[kept["currency"].isin(missing), "deal_id"].head(3))
            raise SchemaError(
                f"deals.currency: amounts in several currencies ({', '.join(currencies)}) cannot be added; {n} deals "
                f"in {', '.join(missing)} have no rate (e.g. {ids}). Give currency and rates in book.yaml."
            )
    kept["amount"] *= kept["rate"]
    return kept


def _keep_deal_facts(engine: Engine, kept: pd.DataFrame) -> None:
    facts = pa.table(
        {
            "deal_id": pa.array(kept["deal_id"], _TEXT, from_pandas=True),
            "deal_created_day": pa.array(kept["created_day"], _DAY, from_pandas=True),
            "last_seen_day": pa.array(kept["last_seen_day"], _DAY, from_pandas=True),
            "rate": pa.array(kept["rate"], _NUMBER),
        }
    )
    engine.load("deal_facts", facts)


def _malformed(table: str, rows: list[tuple[int, str]]) -> pd.DataFrame:
    columns = ["table", "row", "deal_id", "rule", "column", "value"]
    found = [(table, row, None, "wrong number of columns", None, text) for row, text in rows]
    return pd.DataFrame(found, columns=columns)


def _plain_table(
    source: SourceTable | None, name: str, settings: BookSettings, aside: list[pd.DataFrame]
) -> pd.DataFrame:
    """Reps, accounts, targets: parse, set aside rows without a key or with unreadable cells, keep the rest."""
    if source is None:
        return pd.DataFrame()
    frame = parse_columns(source, settings)
    key = {"reps": "rep_id", "accounts": "account_id", "targets": "quarter"}[name]
    rule = pd.Series(None, index=frame.index, dtype=object)
    if name != "targets":
        rule[frame[key].duplicated() & frame[key].notna()] = f"duplicate {key}"
    for column in [c for c in frame.columns if c.endswith("_unreadable")]:
        rule[frame[column].astype(bool)] = f"{column.removesuffix('_unreadable')} unreadable"
    rule[frame[key].isna()] = f"{key} missing"
    bad = rule.notna()
    columns = {"table": name, "row": frame["row"], "deal_id": None, "rule": rule, "column": key, "value": frame[key]}
    aside += [pd.DataFrame(columns)[bad], _malformed(name, source.malformed)]
    helpers = [c for c in frame.columns if c.endswith(("_unreadable", "_text")) and c not in source.frame.columns]
    return frame[~bad].drop(columns=[*helpers, "row"]).reset_index(drop=True)
