"""Amounts in units that a person reads: millions in English, 万 in Chinese, once they are long enough."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from salesanalytics.forecast import QuarterForecast
from salesanalytics.labels import label

LONG = 1e7
AMOUNTS = ["amount", "expected_amount"]


def unit_for(amount: float, unit: str, lang: str) -> tuple[float, str]:
    """How many of the book's units make one that suits an amount of this size, and its name.

    Examples
    --------
    >>> unit_for(6.1e7, "CNY", "en"), unit_for(6.1e7, "CNY", "zh"), unit_for(2500, "MW", "en")
    ((1000000.0, 'million CNY'), (10000.0, '万元'), (1.0, 'MW'))
    """
    unit = "元" if (unit, lang) == ("CNY", "zh") else unit
    if not abs(amount) >= LONG:  # nor where nothing is known
        return 1.0, unit
    return (1e4 if lang == "zh" else 1e6), label("in_large_units", lang, unit=unit).strip()


def in_units(forecast: QuarterForecast, lang: str) -> QuarterForecast:
    """The same forecast with every amount in the unit that suits its total."""
    factor, unit = unit_for(float(forecast.total().mean()), forecast.unit, lang)
    return replace(
        forecast,
        amount={name: draws / factor for name, draws in forecast.amount.items()},
        deals=deals_in(forecast.deals, factor),
        baselines=forecast.baselines.assign(amount=forecast.baselines["amount"] / factor),
        target=None if forecast.target is None else forecast.target / factor,
        unit=unit,
    )


def deals_in(deals: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Deals with their amounts divided."""
    return deals.assign(**{name: deals[name] / factor for name in AMOUNTS})
