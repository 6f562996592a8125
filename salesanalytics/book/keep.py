"""What holds: the kept deals in one currency, and their history as the timeline reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from salesanalytics.book.contract import MONEY_FIELDS
from salesanalytics.book.engine import Engine
from salesanalytics.book.frames import SourceTable, contract_columns, where_equal
from salesanalytics.book.numbers import CURRENCIES
from salesanalytics.book.settings import BookSettings
from salesanalytics.errors import SchemaError

Lazy = nw.LazyFrame[Any]
col = nw.col


def check_signs(deals: pa.Table, history: pa.Table) -> None:
    """Stop where amounts bear signs of several currencies and no deal says which is its own: they cannot be added.

    Raises
    ------
    SchemaError
        Names an amount of each currency.
    """
    if deals["currency"].null_count < len(deals):
        return
    money = history["value"].filter(pa.array(where_equal(history["field"].combine_chunks(), MONEY_FIELDS)))
    texts = pa.chunked_array([*deals["amount_text"].chunks, *money.chunks], pa.string()).unique().drop_null()
    marks = pc.replace_substring_regex(texts, r"[\d\s.,+-]", "").unique()  # few, however many the amounts
    bear = [f"(?i)(?:^|[^a-z])(?:{mark})(?:[^a-z]|$)" for mark in CURRENCIES]
    bear = [mark for mark in bear if pc.any(pc.match_substring_regex(marks, mark)).as_py()]
    if len(bear) > 1:
        found = [repr(texts.filter(pc.match_substring_regex(texts, mark))[0].as_py()) for mark in bear]
        raise SchemaError(
            f"Amounts bear the signs of several currencies ({', '.join(found)}), which cannot be added. Give deals a "
            "column `currency`, and currency and rates in book.yaml."
        )


def keep_deals(
    engine: Engine, deals: pa.Table, source: SourceTable, judged: Lazy, settings: BookSettings
) -> tuple[pd.DataFrame, BookSettings]:
    """Take the deals that broke no rule, with amounts in the currency of the book.

    A deal without currency is taken to be in that of the book. Where nothing states the book's currency and
    all deals are in one, it is that one. The engine gets what the timeline needs of them (``deal_facts``).

    Raises
    ------
    SchemaError
        Amounts are in several currencies, or in another than the book's, without rates.
    """
    rows = judged.filter(col("rule").is_null()).select("row").collect("pyarrow").to_native()["row"]
    keep = np.isin(source.rows, rows.to_numpy())
    kept = deals.filter(pa.array(keep))
    table = kept.select(contract_columns("deals")).to_pandas()
    rate = _rates(table, settings)
    table["amount"] *= rate
    engine.load(
        "deal_facts",
        pa.table(
            {
                "deal_id": kept["deal_id"],
                "deal": np.arange(len(table)),
                "deal_created_day": kept["created_at_day"],
                "last_seen_day": kept["last_seen_on_day"],
                "rate": rate,
            }
        ),
    )
    currencies = table["currency"].dropna().unique()
    if len(currencies) == 1 and not settings.unit:
        settings = replace(settings, currency=currencies[0])
    return pd.concat([table, source.carried(keep)], axis=1), settings


def _rates(deals: pd.DataFrame, settings: BookSettings) -> Any:
    """Value of one unit of each deal's currency in the currency of the book."""
    rates = {settings.currency: 1.0} | dict(settings.rates)
    found = deals["currency"]
    without = found.notna() & ~found.isin(list(rates))
    currencies = sorted({*found.dropna(), *filter(None, [settings.currency])})
    if without.any() and len(currencies) > 1:
        names, ids = found[without].unique(), deals.loc[without, "deal_id"].head(3)
        raise SchemaError(
            f"deals.currency: amounts in several currencies ({', '.join(currencies)}) cannot be added; "
            f"{without.sum():,} deals in {', '.join(sorted(names))} have no rate (e.g. {', '.join(ids)}). "
            "Give currency and rates in book.yaml."
        )
    return found.map(rates).fillna(1.0).to_numpy(dtype=float)


def keep_history(engine: Engine, judged: Lazy) -> None:
    """Kept rows, once as they stood (``history``) and once as the timeline reads them (``events``).

    Money in ``events`` is in the book's currency.
    """
    kept = judged.filter(col("rule").is_null())
    columns = ["row", "deal_id", "changed_at", "recorded_at", "field", "value", "actor", "who", "evidence"]
    engine.once("history", lambda: kept.select(*columns))
    facts = engine.table("deal_facts").select("deal_id", "deal", "rate")
    in_money = nw.when(col("field").is_in(list(MONEY_FIELDS))).then(col("rate")).otherwise(1.0)
    engine.once(
        "events",
        lambda: kept.join(facts, on="deal_id").select(
            "deal",
            "seq",
            day=col("changed_at_day"),
            known_day=nw.max_horizontal("changed_at_day", "recorded_at_day"),
            field=col("field"),
            value=col("value"),
            number=col("number") * in_money,
            value_day=col("value_day"),
            code=col("code"),
            who=col("who"),
            evidence=col("evidence"),
        ),
    )
