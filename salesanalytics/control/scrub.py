"""The list to clear before a forecast: open deals whose entries cannot be right, with what hangs on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control.anomalies import run_rule
from salesanalytics.control.hits import flag
from salesanalytics.control.known import Known, know
from salesanalytics.control.registry import RULES
from salesanalytics.control.won_pace import MIN_WON
from salesanalytics.control.wording import word
from salesanalytics.errors import AsOfError
from salesanalytics.forecast.prepare import prepare
from salesanalytics.labels import LANGUAGES, label, number
from salesanalytics.process import Process, read_process
from salesanalytics.process.model import FrozenMap, Rule
from salesanalytics.timeline import parse_period
from salesanalytics.timeline.calendar import to_date, to_timestamps

#: Rules of deal control that find what has to be cleared -> what it is called here.
BY_RULE = {"F02": "close_date_past", "T05": "no_activity", "R06": "duplicate"}
HORIZON_DAYS = 730
COLUMNS = [
    "deal_id", "name", "rep_id", "what", "since", "days", "evidence_zh", "evidence_en", "value_at_stake",
    "expected_amount",
]  # fmt: skip


def scrub_list(book: DealBook, *, as_of: Any, quarter: str | None = None) -> pd.DataFrame:
    """Open deals to be cleared up before a forecast is made.

    Parameters
    ----------
    book : DealBook
    as_of : date
        Nothing recorded later counts.
    quarter : str, optional
        Period of the forecast, not over at ``as_of``: adds what each deal is expected to bring in it.

    Returns
    -------
    DataFrame, one row a deal and finding, the largest amount first
        ``deal_id``, ``name``, ``rep_id`` (owner); ``what``: ``close_date_past`` (rule F02), ``no_activity`` (T05),
        ``duplicate`` (R06; each with the parameters of the process file, those of the built-in process where the file
        has no rules at all, and none where the rule is silent),
        ``no_close_date`` (where the book keeps them), ``no_amount``, ``no_owner``, ``owner_unknown`` (not in the table
        of reps), ``dead_stock`` (longer in its state than any deal that was won from
        it; asked where at least 20 were won); ``since`` and ``days`` since
        then; ``evidence_zh``, ``evidence_en``; ``value_at_stake`` (amount; NaN: unknown); ``expected_amount`` (chance
        to sign in ``quarter``, as `forecast_quarter` has it, x amount; NaN without ``quarter`` or amount).

    Raises
    ------
    AsOfError
        ``as_of`` lies after the end of the book, or the quarter is over by then.
    """
    known = know(book, as_of=as_of)
    expected = _expected(known, quarter)
    found = [*_by_rule(known), *_by_entry(known)]
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["deal", "what"])
    if not len(table):
        return pd.DataFrame(columns=COLUMNS)
    of_deal = known.deals.loc[table["deal"], ["deal_id", "name", "rep_id", "amount"]].reset_index(drop=True)
    since = table["since_day"].astype(float).round()
    table = pd.concat([table, of_deal.rename(columns={"amount": "value_at_stake"})], axis=1).assign(
        since=to_timestamps(since), days=known.day - since, expected_amount=table["deal"].map(expected)
    )
    order = np.lexsort([table["what"], table["deal_id"], -table["value_at_stake"].fillna(0).to_numpy()])
    return table.iloc[order].reset_index(drop=True)[COLUMNS]


def _by_rule(known: Known) -> list[pd.DataFrame]:
    """What rules of the process find."""
    parts = []
    for rule in known.process.rules or _usual_rules(known.process):
        if rule.id not in BY_RULE:
            continue
        hits, _ = run_rule(known, rule, RULES)
        if len(hits):
            said = word(hits, rule, known.book)
            parts.append(pd.concat([hits[["deal", "since_day"]], said], axis=1).assign(what=BY_RULE[rule.id]))
    return parts


def _usual_rules(process: Process) -> list[Rule]:
    """The built-in rules, for a process file that has none; its stages all have the longest time without activity."""
    rules = {rule.id: rule for rule in read_process().rules if rule.id in BY_RULE}
    limit = max(rules["T05"].params["N"].values())
    rules["T05"] = replace(rules["T05"], params=FrozenMap({"N": dict.fromkeys(process.stage_ids, limit)}))
    return list(rules.values())


def _by_entry(known: Known) -> list[pd.DataFrame]:
    """What is missing from a deal, or too old."""
    deals = known.deals
    if not len(deals):
        return []
    created, owner = deals["known_from"], deals["rep_id"]
    reps = set(known.book.reps["rep_id"]) if "rep_id" in known.book.reps else set()
    cases = {
        "no_amount": (deals["amount"].isna(), created),
        "no_owner": (owner.isna(), created),
        "owner_unknown": (owner.notna() & ~owner.isin(reps) & bool(reps), created),
        "dead_stock": (_older_than_any_win(known), deals["since_day"]),
    }
    if "close_date" in known.fields.index:
        cases["no_close_date"] = (known.last("close_date", "value_day").isna(), created)
    parts = []
    for what, (where, since) in cases.items():
        hits = flag(known, where, since=since)
        days = [number(known.day - day) for day in hits["since_day"]]
        said = {f"evidence_{lang}": [label(f"scrub_{what}", lang, days=d) for d in days] for lang in LANGUAGES}
        parts.append(hits[["deal", "since_day"]].assign(what=what, **said))
    return [part for part in parts if len(part)]


def _older_than_any_win(known: Known) -> pd.Series:
    """Whether each open deal stands in its state for longer than any deal won from it; asked from 20 wins on."""
    if known.ended["end"].eq("won").sum() < MIN_WON:
        return pd.Series(np.zeros(len(known.deals), dtype=bool), known.deals.index)
    asked = pd.DataFrame({"state": known.deals["state"], "days_in_state": known.day - known.deals["since_day"]})
    _, _, pool = known.table.predict(asked, horizon_days=[HORIZON_DAYS], confidence=None)
    return pd.Series(pool["older_than_any_win"].to_numpy(dtype=bool), known.deals.index)


def _expected(known: Known, quarter: str | None) -> pd.Series:
    """Chance to sign in a period, as the forecast has it, x amount, by open deal."""
    if quarter is None or not len(known.deals):
        return pd.Series(np.nan, known.deals.index)
    period = parse_period(quarter, fiscal_year_start=known.book.settings.fiscal_year_start)
    if period.end_day <= known.day:
        raise AsOfError(
            f"{period.name} ended on {period.end}, as_of is {to_date(known.day)}: nothing is to come in it."
        )
    told = prepare(known.book, period=period, day=known.day, in_full=False).deals.set_index("deal_id")
    return known.deals["deal_id"].map(told["p_in_period"]) * known.deals["amount"]
