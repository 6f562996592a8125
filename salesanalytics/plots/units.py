"""A forecast and its deals in the units that suit their amounts."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from salesanalytics.forecast import QuarterForecast
from salesanalytics.labels.units import unit_for

AMOUNTS = ["amount", "expected_amount"]


def in_units(forecast: QuarterForecast, lang: str) -> QuarterForecast:
    """The same forecast with every sum in the unit that suits its total; deals as they are."""
    factor, unit = unit_for(float(forecast.total().mean()), forecast.unit, lang)
    simple = forecast.baselines
    sums = [name for name in simple if name.startswith("amount")]
    return replace(
        forecast,
        amount={name: draws / factor for name, draws in forecast.amount.items()},
        baselines=forecast.baselines.assign(**{name: simple[name] / factor for name in sums}),
        target=None if forecast.target is None else forecast.target / factor,
        unit=unit,
    )


def deals_in(deals: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Deals with their amounts divided."""
    return deals.assign(**{name: deals[name] / factor for name in AMOUNTS})
