"""What became of past chances, in words: which method is used, why, and whether it kept what it promised."""

from __future__ import annotations

from typing import Any

import pandas as pd

from salesanalytics.labels import label, number, percent, signed
from salesanalytics.models import ProbabilityBacktest
from salesanalytics.report.text import fold, text_table

CONFIDENCE = 0.9  # of the intervals of `ProbabilityBacktest.scores`


def chances_text(record: ProbabilityBacktest, lang: str, width: int | None = None) -> str:
    """The verdict of a probability backtest for a terminal: the methods, then what is to be said of the one in use."""
    scores, level = record.scores, percent(CONFIDENCE)
    differs = label("loss_difference", lang, level=level)
    columns: dict[str, Any] = {
        label("horizon", lang): [_horizon(h, lang) for h in scores["horizon"]],
        label("method", lang): [label(f"told_{method}", lang) for method in scores["method"]],
        label("expected", lang): [number(x, 1) for x in scores["expected"]],
        label("observed", lang): [number(x) for x in scores["won"]],
        label("log_loss", lang): [f"{x:.3f}" for x in scores["log_loss"]],
        differs: [_difference(row, lang) for row in scores.itertuples()],
        label("auc", lang): [f"{x:.2f}" if x == x else "–" for x in scores["auc"]],
    }
    origins = record.rungs["origin"]
    title = label("title_chances", lang, n=len(origins), first=origins.min(), last=origins.max())
    table = text_table(pd.DataFrame(columns), title=title, n_text=2, lang=lang, width=width)
    told = [*_why(record, lang), *_verdicts(scores, lang), label("chances_note", lang)]
    return "\n".join([table, *(line for text in told for line in fold(text, width)), ""])


def _difference(row: Any, lang: str) -> str:
    if row.method == "stage_table":
        return "–"
    gap, lower, upper = (signed(x, 3) for x in (row.difference, row.lower, row.upper))
    return label("gap_between", lang, gap=gap, lower=lower, upper=upper)


def _horizon(horizon: str, lang: str) -> str:
    return label("within_days", lang, n=horizon) if horizon.isdigit() else label("until_quarter_end", lang)


def _why(record: ProbabilityBacktest, lang: str) -> list[str]:
    """Which method was used, at every horizon alike, and both reasons for it on the last date."""
    used, last = record.rungs["rung"].value_counts(), record.rungs.iloc[-1]
    comma = label("list_comma", lang)
    methods = comma.join(label("used_on", lang, method=label(f"told_{m}", lang), n=n) for m, n in used.items())
    names = {key: label(f"told_{last[key]}", lang) for key in ("rung", "by_count", "by_test")}
    return [
        label("chances_used", lang, methods=methods),
        label("chances_why", lang, day=last["origin"], n=number(last["n_closed"]), **names),
    ]


def _verdicts(scores: pd.DataFrame, lang: str) -> list[str]:
    """One sentence a horizon: the method in use beside the stage table, expected and come."""
    lines = []
    for row in scores[scores["method"] == "in_use"].itertuples():
        key = "better" if row.upper < 0 else "worse" if row.lower > 0 else "alike"
        verdict = label("same_table", lang) if row.lower == row.upper == 0 else label(f"chances_{key}", lang)
        told = {"expected": number(row.expected, 1), "won": number(row.won)}
        lines.append(label("chances_line", lang, horizon=_horizon(row.horizon, lang), verdict=verdict, **told))
    return lines
