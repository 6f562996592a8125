"""Plots: a result frame becomes Axes; nothing is fitted or drawn at random here."""

from salesanalytics.plots.control import clock_table
from salesanalytics.plots.flow import funnel, signing_curves
from salesanalytics.plots.forecast import contributions, forecast_components, forecast_distribution
from salesanalytics.plots.rates import proposed_rates, rates_effect, rates_over_time, stage_rates
from salesanalytics.plots.reps import condition_effects, rep_effects, rep_funnel
from salesanalytics.plots.signing_time import signing_time

__all__ = [
    "clock_table",
    "condition_effects",
    "contributions",
    "forecast_components",
    "forecast_distribution",
    "funnel",
    "proposed_rates",
    "rates_effect",
    "rates_over_time",
    "rep_effects",
    "rep_funnel",
    "signing_curves",
    "signing_time",
    "stage_rates",
]
