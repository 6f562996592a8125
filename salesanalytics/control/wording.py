"""The evidence of hits in words, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.labels import LANGUAGES, has_label, label, number, percent
from salesanalytics.labels.units import amount_text
from salesanalytics.process.model import Rule

PERCENT = ("p", "p_rep", "fresh", "share", "limit_share", "change", "points")
AMOUNTS = ("amount", "limit_amount", "usual_amount", "budget", "target", "expected")
DATES = ("due", "first", "last")
#: Columns of hits that are no numbers of the evidence.
NOT_EVIDENCE = ("deal", "rep_id", "since_day", "severity", "text", "value")


def word(hits: pd.DataFrame, rule: Rule, book: DealBook) -> pd.DataFrame:
    """``evidence_zh`` and ``evidence_en`` of hits.

    Columns given so by the rule stay; else the catalogue's text ``alert_<id><text>`` with the numbers of the hit; else
    the wording of the rule.
    """
    given = [f"evidence_{lang}" for lang in LANGUAGES]
    if set(given) <= set(hits):
        return hits[given]
    evidence = [c for c in hits if c not in NOT_EVIDENCE]
    shown = {lang: {c: _shown(c, hits[c], book, lang) for c in evidence} for lang in LANGUAGES}
    keys = f"alert_{rule.id}" + (hits["text"].fillna("") if "text" in hits else pd.Series("", hits.index))
    texts = pd.DataFrame(index=hits.index, columns=given, dtype=object)
    for key in keys.unique():
        rows = np.flatnonzero(keys == key)
        for lang in LANGUAGES:
            texts.iloc[rows, given.index(f"evidence_{lang}")] = [
                label(key, lang, **{c: said[i] for c, said in shown[lang].items()}) if has_label(key) else rule.rule
                for i in rows
            ]
    return texts


def _shown(name: str, values: pd.Series, book: DealBook, lang: str) -> list[str]:
    process = book.process
    formats: dict[str, Callable[[Any], str]] = {
        **dict.fromkeys(PERCENT, percent),
        **dict.fromkeys(AMOUNTS, lambda amount: amount_text(amount, book.settings.unit, lang)),
        **dict.fromkeys(DATES, lambda day: str(np.datetime64(int(day), "D"))),
        "s": lambda k: process.stage_ids[int(k) - 1],
        "s_before": lambda k: process.stage_ids[int(k) - 1],
        "b": lambda k: process.buyer_stage_ids[int(k) - 1],
        "m": lambda k: process.milestone_ids[int(k) - 1] if k >= 1 else "–",
    }
    if values.dtype == object and name not in formats:
        return [str(value) for value in values]
    show = formats.get(name, number)
    return [show(value) if value == value and value is not None else "–" for value in values.tolist()]
