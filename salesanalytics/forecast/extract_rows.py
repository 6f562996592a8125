"""Row by row: what two extracts of one pipeline say of the same deals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline.calendar import to_timestamps
from salesanalytics.timeline.evidence import fields_known, known_rows
from salesanalytics.timeline.values import fields_in

#: What became of a row of the earlier extract, and where a row of the later one comes from; pairs stand in both.
PAIRS = ("unchanged", "redated", "rewritten")
OF_BEFORE = (*PAIRS, "taken_back", "of_vanished_deal", "of_deal_set_aside_after")
OF_AFTER = (*PAIRS, "late", "of_late_deal", "since", "of_deal_set_aside_before")
FACTS = ("created_at", "amount", "rep_id")


def rows_of(book: DealBook) -> pd.DataFrame:
    """All rows of the history: ``deal_id``, ``field``, ``value`` (numbers and dates written in one way), ``day``."""
    day = book.extracted_day
    columns = ["deal", "day", "value", "number", "value_day"]
    parts = [known_rows(book, f, day=day, columns=columns).assign(field=f) for f in fields_known(book, day=day).index]
    if not parts:
        return pd.DataFrame({c: pd.Series(dtype=object) for c in ("deal_id", "field", "value")} | {"day": []})
    table = pd.concat(parts, ignore_index=True)
    dated = to_timestamps(table["value_day"].astype(float)).dt.strftime("%Y-%m-%d")
    value = table["value"].astype(object).mask(table["number"].notna(), table["number"].map("{:.12g}".format))
    table["value"] = value.mask(table["value_day"].notna(), dated)
    table["deal_id"] = book.deals["deal_id"].to_numpy(dtype=object)[table["deal"].to_numpy(dtype="int64")]
    return table[["deal_id", "field", "value", "day"]]


def compare_rows(before: DealBook, after: DealBook, kinds: pd.Series) -> pd.DataFrame:
    """Every row of both histories once, those that belong together side by side.

    Rows of a deal and field are paired: of the same value and day; else of the same value (in order of their days);
    else of the same day.

    Parameters
    ----------
    kinds : Series of str
        By ``deal_id``: ``both``, ``vanished``, ``late``, ``new``, ``set_aside_before``, ``set_aside_after``.

    Returns
    -------
    DataFrame, one row a pair or a row without a partner
        ``deal_id``, ``field``, ``what`` (`OF_BEFORE`, `OF_AFTER`), ``value_before``, ``value_after``, ``day_before``,
        ``day_after`` (days since 1970-01-01; NaN: not there), ``shift_days`` (of a redated row), ``days_late`` (of a
        late one: at least so many days passed before it was recorded).
    """
    left, right = rows_of(before), rows_of(after)
    parts = []
    for what, key in (("unchanged", ["value", "day"]), ("redated", ["value"]), ("rewritten", ["day"])):
        pairs, left, right = _paired(left, right, ["deal_id", "field", *key])
        parts.append(pairs.assign(what=what))
    gone = _named(left, "before")
    kind = gone["deal_id"].map(kinds)
    taken = {"vanished": "of_vanished_deal", "set_aside_after": "of_deal_set_aside_after", "both": "taken_back"}
    parts.append(gone.assign(what=kind.map(taken)))
    come = _named(right, "after")
    kind = come["deal_id"].map(kinds)
    past = come["day_after"] <= before.extracted_day
    found = kind.map({"late": "of_late_deal", "both": "late"}).where(past, "since")
    parts.append(come.assign(what=found.mask(kind.eq("set_aside_before"), "of_deal_set_aside_before")))
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    table["shift_days"] = (table["day_after"] - table["day_before"]).where(table["what"].eq("redated"))
    was_late = table["what"].isin(["late", "of_late_deal"])
    table["days_late"] = (before.extracted_day + 1 - table["day_after"]).where(was_late)
    order = ["deal_id", "field", "day_before", "day_after"]
    columns = ["deal_id", "field", "what", "value_before", "value_after", "day_before", "day_after"]
    return table.sort_values(order, ignore_index=True)[[*columns, "shift_days", "days_late"]]


def _named(rows: pd.DataFrame, side: str) -> pd.DataFrame:
    return rows.rename(columns={"value": f"value_{side}", "day": f"day_{side}"})


def _paired(left: pd.DataFrame, right: pd.DataFrame, key: list[str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Pairs of rows that agree in a key (the k-th with the k-th), and what is left of both sides."""
    sides = []
    for rows in (left, right):
        ordered = rows.sort_values(["deal_id", "field", "day", "value"], kind="stable", ignore_index=True)
        numbered = ordered.assign(k=ordered.groupby(key, dropna=False).cumcount(), place=np.arange(len(ordered)))
        sides.append(numbered)
    joined = sides[0].merge(sides[1], on=[*key, "k"], suffixes=("_before", "_after"))
    for name in ("value", "day"):
        if name in key:
            joined[f"{name}_before"] = joined[f"{name}_after"] = joined[name]
    pairs = joined[["deal_id", "field", "value_before", "value_after", "day_before", "day_after"]]
    used = joined["place_before"], joined["place_after"]
    rest = [side.drop(index=list(place)).drop(columns=["k", "place"]) for side, place in zip(sides, used, strict=True)]
    return pairs, rest[0], rest[1]


def compare_facts(before: DealBook, after: DealBook) -> pd.DataFrame:
    """What the table of deals says of the deals that stand in both extracts, where no history of it is kept.

    Returns
    -------
    DataFrame, one row a deal and fact
        ``deal_id``, ``fact`` (``created_at``, ``amount``, ``rep_id``), ``before``, ``after``, ``changed``,
        ``shift_days`` (of a creation that moved). Facts missing in both are left out.
    """
    left, right = (book.deals.set_index("deal_id") for book in (before, after))
    shared = left.index.intersection(right.index)
    kept = [f for f in FACTS if f in left and f in right and f not in fields_in(before) | fields_in(after)]
    parts = []
    for fact in kept:
        was, now = left.loc[shared, fact], right.loc[shared, fact]
        if fact == "created_at":
            was, now = was.dt.normalize(), now.dt.normalize()
        same = (was == now) | (was.isna() & now.isna())
        shift = (now - was).dt.days if fact == "created_at" else pd.Series(np.nan, shared)
        row = {"deal_id": shared, "fact": fact, "before": was.astype(object), "after": now.astype(object)}
        frame = pd.DataFrame({**row, "changed": ~same, "shift_days": shift.where(~same)})
        parts.append(frame[was.notna() | now.notna()])
    empty = pd.DataFrame(columns=["deal_id", "fact", "before", "after", "changed", "shift_days"])
    return pd.concat([p for p in parts if len(p)], ignore_index=True) if any(map(len, parts)) else empty
