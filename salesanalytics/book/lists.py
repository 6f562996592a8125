"""Reps, accounts and targets: small tables without history, judged in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from salesanalytics.book.contract import DATE_COLUMNS, NUMBER_COLUMNS
from salesanalytics.book.frames import SourceTable, contract_columns, parse_columns
from salesanalytics.book.settings import BookSettings

#: How people write a quarter, a month or a year of a target, without blanks and in capitals. 2026-4 is left out: April
#: to some, the fourth quarter to others.
PERIODS = (
    r"(?:FY)?(?P<year>\d{4}|\d\d)[-/年]?(?:Q(?P<n>[1-4])|第?(?P<zh>[1-4一二三四])季度?)",
    r"(?:Q(?P<n>[1-4])|(?P<zh>[1-4])Q)[-/]?(?:FY)?(?P<year>\d{4}|\d\d)",
    r"(?P<year>\d{4})[-/.](?P<month>0[1-9]|1[0-2])",
    r"(?P<year>\d{4})年(?P<month>0?[1-9]|1[0-2])月份?",
    r"FY(?P<year>\d{4}|\d\d)",
    r"(?P<year>\d{4})(?:年度?|年?全年)?",
)
NUMBERS = {name: f"{k % 4 + 1}" for k, name in enumerate("1234一二三四")}
MEASURES = {"AMOUNT": "amount", "金额": "amount", "COUNT": "count", "数量": "count", "项目数": "count"}
#: What a row of the table is about; a second row about the same is set aside.
KEYS = {"reps": ["rep_id"], "accounts": ["account_id"], "targets": ["quarter", "rep_id", "team", "measure"]}


def read_list(source: SourceTable, settings: BookSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Kept rows of such a table, and those set aside (in the form of ``DealBook.set_aside``)."""
    frame = parse_columns(source, settings).to_pandas()
    if source.name == "targets":
        frame = _plain_targets(frame)
    aside = pd.DataFrame({"table": source.name, "row": frame["row"]}).assign(
        **dict.fromkeys(("deal_id", "rule", "column", "value"))
    )
    for rule, column, broken in _rules(source.name, frame):
        new = broken & aside["rule"].isna()
        text = frame.get(f"{column}_text", frame[column])
        aside.loc[new, ["rule", "column"]] = rule, column
        aside.loc[new, "value"] = text[new]
    kept = aside["rule"].isna().to_numpy()
    table = frame.loc[kept, list(contract_columns(source.name))].reset_index(drop=True)
    return pd.concat([table, source.carried(kept)], axis=1), aside[~kept]


def _plain_targets(frame: pd.DataFrame) -> pd.DataFrame:
    """Periods and measures in the form of the book (2026年四季度, FY26 Q4, 4Q26 are 2026Q4); others as they are."""
    said = frame[["quarter", "measure"]].astype("str")
    plain = said.apply(lambda texts: texts.str.normalize("NFKC").str.replace(r"\s", "", regex=True).str.upper())
    texts = {"quarter_text": frame["quarter"], "measure_text": frame["measure"]}
    period, measure = plain["quarter"].map(_plain_period, na_action="ignore"), plain["measure"].map(MEASURES)
    found = {"quarter": period.where(period.notna(), frame["quarter"])}
    return frame.assign(**texts, **found, measure=measure.where(measure.notna(), frame["measure"]))


def _plain_period(text: str) -> str | None:
    """``2026Q4``, ``2026-10`` or ``2026`` of what people write; None: it is none of these."""
    found = next(filter(None, (re.fullmatch(form, text) for form in PERIODS)), None)
    if found is None:
        return None
    told = dict.fromkeys(("n", "zh", "month")) | found.groupdict()
    year, number = f"20{told['year']}"[-4:], told["n"] or told["zh"]
    return f"{year}Q{NUMBERS[number]}" if number else f"{year}-{told['month']:0>2}" if told["month"] else year


def _rules(name: str, frame: pd.DataFrame) -> Iterator[tuple[str, str, pd.Series]]:
    key = KEYS[name][0]
    yield f"{key} missing", key, frame[key].isna()
    for column in (*DATE_COLUMNS[name], *NUMBER_COLUMNS[name]):
        yield f"{column} unreadable", column, frame[f"{column}_unreadable"]
    if name == "targets":
        form = r"\d{4}(?:Q[1-4]|-(?:0[1-9]|1[0-2]))?"
        yield "quarter not like 2026Q4, 2026-10 or 2026", key, ~frame[key].fillna("").str.fullmatch(form)
        yield "amount missing", "amount", frame["amount"].isna()
        yield "negative amount", "amount", frame["amount"] < 0
        yield "unknown measure", "measure", ~frame["measure"].isin(["amount", "count", None])
        frame = frame.assign(measure=frame["measure"].fillna("amount"))  # what nothing is said of is an amount
    yield f"duplicate {name.removesuffix('s')}", key, frame.duplicated(KEYS[name])
