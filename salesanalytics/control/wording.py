"""The evidence of hits in words, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.labels import LANGUAGES, has_label, label, number, percent
from salesanalytics.process import Process
from salesanalytics.process.model import Rule

PERCENT = ("p", "p_rep", "fresh", "share", "limit_share", "change", "points")
DATES = ("due", "first", "last")
#: Columns of hits that are no numbers of the evidence.
NOT_EVIDENCE = ("deal", "rep_id", "since_day", "severity", "text", "value")


def word(hits: pd.DataFrame, rule: Rule, process: Process) -> pd.DataFrame:
    """``evidence_zh`` and ``evidence_en`` of hits.

    Columns given so by the rule stay; else the catalogue's text ``alert_<id><text>`` with the numbers of the hit; else
    the wording of the rule.
    """
    given = [f"evidence_{lang}" for lang in LANGUAGES]
    if set(given) <= set(hits):
        return hits[given]
    shown = {c: _shown(c, hits[c], process) for c in hits if c not in NOT_EVIDENCE}
    keys = f"alert_{rule.id}" + (hits["text"].fillna("") if "text" in hits else pd.Series("", hits.index))
    texts = pd.DataFrame(index=hits.index, columns=given, dtype=object)
    for key in keys.unique():
        rows = np.flatnonzero(keys == key)
        named = has_label(key)
        values = (
            [dict(zip(shown, numbers, strict=True)) for numbers in zip(*shown.values(), strict=True)] if named else []
        )
        for lang in LANGUAGES:
            said = [label(key, lang, **values[i]) for i in rows] if values else [_plain(key, rule, lang)] * len(rows)
            texts.iloc[rows, given.index(f"evidence_{lang}")] = said
    return texts


def _plain(key: str, rule: Rule, lang: str) -> str:
    """A wording without numbers, or the rule's own."""
    return label(key, lang) if has_label(key) else rule.rule


def _shown(name: str, values: pd.Series, process: Process) -> list[str]:
    formats: dict[str, Callable[[Any], str]] = {
        **dict.fromkeys(PERCENT, percent),
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
