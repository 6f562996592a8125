"""Which month each drawn signing falls into: sums of the draws of the period itself."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.forecast.draws import Signings, deal_keys, uniforms
from salesanalytics.forecast.months import months_of
from salesanalytics.forecast.parts import to_come
from salesanalytics.forecast.result import QuarterForecast

ARRIVALS = ("unrecorded", "new")


def draws_by_month(forecast: QuarterForecast, *, measure: str) -> pd.DataFrame:
    """Draws of each month of the period, one row a draw; they add up to `QuarterForecast.total` draw by draw.

    Whether a deal signs is as drawn; in which month, then goes by its chances of the months. A deal to come falls into
    a month about as often as such deals lead into it and the win that lends it its amount was as quick.
    """
    months, by_value = months_of(forecast.period), measure == "amount"
    names = [month.name for month in months]
    signed, worth = forecast.signed, forecast.signed["amount"].fillna(0.0) if by_value else None
    place = np.searchsorted([month.end_day for month in months], signed["end_day"])
    drawn = np.zeros((len(months), forecast.signings.n_draws))
    drawn += np.bincount(place, weights=worth, minlength=len(months))[:, None]
    for signings, chances, u in (*_of_deals(forecast, names), *_of_arrivals(forecast)):
        drawn += signings.by(_month(signings.deal, chances, u), len(months), by_value=by_value)
    return pd.DataFrame(drawn.T, columns=names)


def _of_deals(forecast: QuarterForecast, names: list[str]) -> list[tuple[Signings, np.ndarray, np.ndarray]]:
    """Signings of open and of ended deals, the chances of their months, and a uniform number of each."""
    deals = [(forecast.signings, forecast.deals["deal_id"])]
    if "reopened" in forecast.elsewhere:
        deals.append((forecast.elsewhere["reopened"], forecast.prepared.ended["deal_id"]))
    found = []
    for signings, ids in deals:
        keys = deal_keys(ids, forecast.seed)[signings.deal]
        chances = forecast.prepared.months[names].reindex(ids).to_numpy()
        found.append((signings, chances, uniforms(keys, signings.draw, purpose="month")))
    return found


def _of_arrivals(forecast: QuarterForecast) -> list[tuple[Signings, np.ndarray, np.ndarray]]:
    """The same of signings of deals to come; a month that is over has no new ones."""
    prepared, found = forecast.prepared, []
    parts = [
        to_come(prepared.arrivals, month, prepared.day, unrecorded=prepared.has_recorded_at)
        for month in months_of(forecast.period)
    ]
    for k, name in enumerate(ARRIVALS):
        if name in forecast.elsewhere:
            signings, by_win = forecast.elsewhere[name], [part[name] for part in parts]
            chances = [one.mean * (one.lent if len(one.lent) else np.ones(1)) for one in by_win]
            rng = np.random.default_rng([forecast.seed, k])
            found.append((signings, np.column_stack(chances), rng.random(len(signings.deal))))
    return found


def _month(deal: np.ndarray, chances: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Month of each signing; ``chances``: (n_deals, n_months), the last where a deal has none at all."""
    whole = chances.sum(axis=1, keepdims=True)
    edges = np.cumsum(chances, axis=1)[:, :-1] / np.where(whole > 0, whole, 1.0)
    place = np.zeros(len(deal), dtype="int64")
    for edge in edges.T:
        place += u >= edge[deal]
    return place
