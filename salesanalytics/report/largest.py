"""What is reached for sure, and how much of it rests on the largest deals."""

from __future__ import annotations

from typing import Any

import pandas as pd

from salesanalytics.forecast import QuarterForecast
from salesanalytics.forecast.result import reaches
from salesanalytics.labels import amount_label, band, chance, decimals, label, number, short
from salesanalytics.labels.units import unit_for

TOLD = ("mean", "lower", "upper", "reached_80", "gap", "p_target")


def with_and_without(forecast: QuarterForecast, lang: str) -> list[dict[str, Any]]:
    """The forecast and the same without the largest deals (`QuarterForecast.without_largest`): a row each.

    ``text`` and `TOLD`: mean, ends of the 80 % band, amount reached with 80 %, target less mean, chance of the target.
    """
    less, whole = forecast.without_largest(), forecast.to_dict()
    ids = label("list_comma", lang).join(less["deals"])
    texts = (label("all_deals", lang), label("without_largest", lang, n=len(less["deals"]), deals=ids))
    return [
        {"text": text, **told, **dict(zip(("lower", "upper"), told["bands"]["80"], strict=True))}
        for text, told in zip(texts, (whole, less), strict=True)
    ]


def largest_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """`with_and_without` for a person."""
    scale, unit = unit_for(forecast.total().mean(), forecast.unit, lang)
    n, rows = len(forecast.total()), with_and_without(forecast, lang)
    columns: dict[str, list[str]] = {
        amount_label("forecast", unit, lang): [row["text"] for row in rows],
        label("mean", lang): [short(row["mean"] / scale) for row in rows],
        label("band_80", lang): [band(row["lower"] / scale, row["upper"] / scale) for row in rows],
        label("reached_80", lang): [short(row["reached_80"] / scale) for row in rows],
    }
    if forecast.target is not None:
        sure = bool(reaches(forecast.amount["signed"].min(), forecast.target))
        columns[label("target_gap", lang)] = [gap_text(row["gap"] / scale, forecast.target / scale) for row in rows]
        columns[label("p_target", lang)] = [chance(row["p_target"], n, certain=sure) for row in rows]
    return pd.DataFrame(columns)


def gap_text(gap: float, target: float) -> str:
    """What is lacking of a target, with the decimals that suit it; with a minus sign what is to spare.

    Examples
    --------
    >>> gap_text(12.25, 60.0), gap_text(-184.4, 3460.0)
    ('12.2', '−184')
    """
    digits = decimals(max(abs(gap), target))
    return f"{'−' if round(gap, digits) < 0 else ''}{number(abs(gap), digits)}"
