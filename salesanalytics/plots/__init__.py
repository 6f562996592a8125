"""Plots: a result frame becomes Axes; nothing is fitted or drawn at random here."""

from salesanalytics.plots.flow import funnel, signing_curves
from salesanalytics.plots.forecast import contributions, forecast_components, forecast_distribution
from salesanalytics.plots.rates import proposed_rates, rates_effect, rates_over_time, stage_rates
from salesanalytics.plots.signing_time import signing_time

__all__ = [
    "contributions",
    "forecast_components",
    "forecast_distribution",
    "funnel",
    "proposed_rates",
    "rates_effect",
    "rates_over_time",
    "signing_curves",
    "signing_time",
    "stage_rates",
]
