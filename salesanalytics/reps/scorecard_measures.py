"""The measures of a scorecard, as a person reads them: shares instead of log odds, each with its interval and n."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from salesanalytics.labels import label, number, percent, short
from salesanalytics.reps.evaluate import RepEvaluation

#: Measures of the page: column, its interval, how many stand behind it, how it reads, whether more is better (None:
#: neither).
MEASURES = (
    ("effect", "effect_lower", "effect_upper", "n", "share", True),
    ("trend", "trend_lower", "trend_upper", "n", "points", None),
    ("cycle_days", "cycle_lower", "cycle_upper", "n_won", "days", None),
    ("price_ratio", "price_lower", "price_upper", "n_priced", "ratio", True),
    ("process_score", "process_lower", "process_upper", "n_stages_passed", "share", True),
    ("p_bias", "p_bias_lower", "p_bias_upper", "n_p", "points", None),
    ("date_bias_days", "date_bias_lower", "date_bias_upper", "n_dates", "signed", None),
    ("commit_won", "commit_won_lower", "commit_won_upper", "n_commit", "share", None),
    ("activity_per_deal_month", None, None, None, "plain", None),
    ("volume", None, None, None, "plain", None),
)


def measure_name(measure: str, outcome: str, lang: str) -> str:
    """Words for a measure of the page."""
    return label(f"rep_chance_{outcome}" if measure == "effect" else f"rep_{measure}", lang)


def card_measures(evaluation: RepEvaluation, row: pd.Series, lang: str) -> pd.DataFrame:
    """The measures of one rep that are known, see `Scorecard`."""
    reps, base = evaluation.reps, row["expected"] / row["n"] if row["n"] else np.nan
    lines = []
    for measure, lower, upper, n, kind, _ in MEASURES:
        found = [float(row[c]) if c else np.nan for c in (measure, lower, upper)]
        if np.isnan(found[0]):
            continue
        found.append(float(reps[measure].median()))
        if measure == "effect":
            found = [float(expit(logit(base) + x)) for x in (*found[:3], 0.0)]
        elif measure == "trend":
            own = expit(logit(base) + row["effect"])
            found = [float(own * (1 - own) * x) for x in found]
        value, low, high, company = found
        said = [_said(value, low, high, kind, lang), _said(company, np.nan, np.nan, kind, lang)]
        count = float(row[n]) if n else np.nan
        lines.append(
            (measure, measure_name(measure, evaluation.outcome, lang), value, low, high, company, count, *said)
        )
    columns = ["measure", "name", "value", "lower", "upper", "company", "n", "text", "company_text"]
    return pd.DataFrame(lines, columns=columns)


def _said(value: float, low: float, high: float, kind: str, lang: str) -> str:
    if kind == "plain":
        return short(round(value, 2))
    if np.isnan(low):
        return _one(value, kind)
    return label("with_unit", lang, text=_one(value, kind), unit=f"{_one(low, kind)} – {_one(high, kind)}")


def _one(x: float, kind: str) -> str:
    if kind == "share":
        return percent(x)
    if kind == "ratio":  # of prices: no chance, and 100 % is not certain
        return f"{number(100 * x)} %"
    if kind == "days":
        return number(x)
    amount = round(100 * x) if kind == "points" else round(x)
    sign = "+" if amount > 0 else "−" if amount < 0 else ""
    return f"{sign}{abs(amount)}{' %' if kind == 'points' else ''}"
