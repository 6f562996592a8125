"""Plots: a result frame becomes Axes; nothing is fitted or drawn at random here."""

from salesanalytics.plots.flow import funnel, signing_curves
from salesanalytics.plots.forecast import contributions, forecast_components, forecast_distribution
from salesanalytics.plots.rates import stage_rates

__all__ = ["contributions", "forecast_components", "forecast_distribution", "funnel", "signing_curves", "stage_rates"]
