"""All rules of the process on what was known at a date: what looks wrong, since when, and what is at stake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control.hits import RuleFunction, nothing
from salesanalytics.control.known import Known, know
from salesanalytics.control.registry import NEEDS, RULES, SAID, WITHOUT_OPEN_DEALS
from salesanalytics.control.wording import word
from salesanalytics.labels import LANGUAGES, label
from salesanalytics.process.model import Rule
from salesanalytics.timeline.calendar import to_timestamps

SEVERITIES = ("high", "medium", "low")
COLUMNS = [
    "rule", "scope", "severity", "deal_id", "rep_id", "since", "days", "evidence_zh", "evidence_en", "value_at_stake",
]  # fmt: skip
RULE_COLUMNS = [
    "rule", "scope", "severity", "name_zh", "name_en", "n_hits", "silent", *(f"reason_{lang}" for lang in LANGUAGES),
]  # fmt: skip

#: Key of a text and its values.
Reason = tuple[str, dict[str, str]]
Fired = tuple[Rule, pd.DataFrame, Reason | None]


@dataclass(frozen=True)
class Anomalies:
    """What the rules found at a date.

    Attributes
    ----------
    hits : DataFrame, one row a rule and deal (or rep, or rep and stage, or the portfolio), by severity and value
        ``rule``, ``scope``, ``severity``, ``deal_id`` (None: of a rep or of the portfolio), ``rep_id`` (the rep
        judged, or the owner of the deal), ``since`` (first day of what was found), ``days`` since then,
        ``evidence_zh``, ``evidence_en``, ``value_at_stake`` (amount of the deal, open amount of the rep; NaN:
        unknown).
    rules : DataFrame, one row a rule of the process, in its order
        ``rule``, ``scope``, ``severity``, ``name_zh``, ``name_en``, ``n_hits`` (0 where silent), ``silent``, and why
        (``reason_zh``, ``reason_en``; empty where it spoke).
    """

    hits: pd.DataFrame
    rules: pd.DataFrame

    def __repr__(self) -> str:
        silent = int(self.rules["silent"].sum())
        return f"<Anomalies: {len(self.hits):,} hits of {len(self.rules)} rules, {silent} of them silent>"


class ParameterMissingError(KeyError):
    """A rule asked for a parameter that the process file lacks."""


class Parameters(dict[str, Any]):
    """Parameters of a rule; asking for one that the process file lacks makes the rule silent."""

    def __missing__(self, name: str) -> Any:
        raise ParameterMissingError(name)


def find_anomalies(book: DealBook, *, as_of: Any, functions: Mapping[str, RuleFunction] | None = None) -> Anomalies:
    """Run all rules of the book's process on what was known at a date.

    A rule is an entry under ``rules`` of the process file and a function of the same id. Parameters are changed in the
    file; ``params: {active: false}`` switches one off. A rule is silent where the book does not keep what it ``needs``
    or its entry lacks a parameter; what is missing of a single deal never fires.

    Parameters
    ----------
    book : DealBook
    as_of : date
    functions : mapping of rule id to function, optional
        Functions of rules of your own (or in place of ours): ``(known, params) -> hits``, see
        `salesanalytics.control.hits.RuleFunction`; each also needs its entry in the process file.

    Returns
    -------
    Anomalies

    Raises
    ------
    AsOfError
        ``as_of`` lies after the end of the book.

    References
    ----------
    The 54 rules and where each comes from: the process file.
    """
    return anomalies_of(know(book, as_of=as_of), functions=functions)


def anomalies_of(known: Known, *, functions: Mapping[str, RuleFunction] | None = None) -> Anomalies:
    """`find_anomalies` on what was known at a date."""
    parts, rows = [], []
    for rule, hits, reason in fired(known, functions=functions):
        if len(hits):
            parts.append(_described(known, rule, hits))
        texts = {f"reason_{lang}": label(reason[0], lang, **reason[1]) if reason else "" for lang in LANGUAGES}
        row = {"rule": rule.id, "scope": rule.scope, "severity": rule.severity, "name_zh": rule.name.zh}
        rows.append({**row, "name_en": rule.name.en, "n_hits": len(hits), "silent": reason is not None, **texts})
    return Anomalies(_ordered(parts), pd.DataFrame(rows, columns=RULE_COLUMNS))


def fired(known: Known, *, functions: Mapping[str, RuleFunction] | None = None) -> Iterator[Fired]:
    """Each rule of the process with its bare hits, and why it is silent (None: it spoke)."""
    by_id = {**RULES, **(functions or {})}
    for rule in known.process.rules:
        yield rule, *run_rule(known, rule, by_id)


def run_rule(known: Known, rule: Rule, by_id: Mapping[str, RuleFunction]) -> tuple[pd.DataFrame, Reason | None]:
    """The bare hits of a rule, and why it is silent (None: it spoke)."""
    reason = _why_silent(known, rule, by_id)
    if reason:
        return nothing(), reason
    try:
        return by_id[rule.id](known, Parameters(rule.params)).reset_index(drop=True), None
    except ParameterMissingError as error:
        return nothing(), ("silent_parameter", {"name": str(error.args[0])})


def _why_silent(known: Known, rule: Rule, by_id: Mapping[str, RuleFunction]) -> Reason | None:
    """Key and values of the text that says why a rule is silent; None: it speaks."""
    if rule.params.get("active") is False:
        return "silent_off", {}
    if rule.id not in by_id:
        return "silent_no_function", {}
    if not len(known.deals) and rule.id not in WITHOUT_OPEN_DEALS:
        return "silent_no_deals", {}
    missing = [need for need in rule.needs if not (NEEDS[need](known) if need in NEEDS else need in known.fields.index)]
    if missing:
        return "silent_needs", {"needs": ", ".join(dict.fromkeys(SAID.get(need, need) for need in missing))}
    return None


def _described(known: Known, rule: Rule, found: pd.DataFrame) -> pd.DataFrame:
    """Hits as a person reads them."""
    since = found["since_day"].astype(float)
    severity = found["severity"] if "severity" in found else pd.Series(None, found.index, dtype=object)
    deal_id, rep_id, value = _whose(known, found)
    return pd.DataFrame(
        {
            "rule": rule.id,
            "scope": rule.scope,
            "severity": severity.where(severity.notna(), rule.severity),
            "deal_id": deal_id,
            "rep_id": rep_id,
            "since": to_timestamps(since.round()),
            "days": known.day - since.round(),
            **word(found, rule, known.book),
            "value_at_stake": value,
        }
    )


def _whose(known: Known, found: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Deal, owner or rep, and value at stake of hits."""
    nobody = pd.Series(None, found.index, dtype=object)
    deal = found["deal"] if "deal" in found else pd.Series(np.nan, found.index)
    rep = found.get("rep_id", nobody)
    of_deal = known.owned.reindex(deal).set_axis(found.index)
    ids = known.book.deals["deal_id"].to_numpy(dtype=object)
    deal_id = nobody.mask(deal.notna(), pd.Series(ids[deal.fillna(0).astype(int)], found.index))
    value = of_deal["amount"].astype(float)
    if rep.notna().any():
        value = value.fillna(rep.map(known.deals.groupby("rep_id")["amount"].sum()).astype(float))
    stated = found["value"].astype(float) if "value" in found else value
    owner = rep.where(rep.notna(), of_deal["rep_id"].astype(object))
    return deal_id.where(deal_id.notna(), None), owner.where(owner.notna(), None), stated.fillna(value)


def _ordered(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """By severity, then value at stake; ties in the order of the rules and the deals."""
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(parts, ignore_index=True)
    rank = table["severity"].map({name: k for k, name in enumerate(SEVERITIES)})
    order = np.lexsort([-table["value_at_stake"].fillna(0), rank])
    return table.iloc[order].reset_index(drop=True)[COLUMNS]
