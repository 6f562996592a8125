"""Plots: a result frame becomes Axes; nothing is fitted or drawn at random here."""

from salesanalytics.plots.change import forecast_waterfall, pipeline_waterfall
from salesanalytics.plots.control import clock_table
from salesanalytics.plots.flow import funnel, signing_curves
from salesanalytics.plots.forecast import contributions, forecast_components, forecast_distribution, target_curve
from salesanalytics.plots.pacing import pacing
from salesanalytics.plots.rates import proposed_rates, rates_effect, rates_over_time, stage_rates
from salesanalytics.plots.reps import (
    condition_effects,
    rep_condition_gaps,
    rep_effects,
    rep_funnel,
    rep_odds,
    rep_stage_conversion,
)
from salesanalytics.plots.signing_time import signing_time
from salesanalytics.plots.track_record import errors_by_week, hits_by_week, past_quarters, pit_histogram, quarter_fan

__all__ = [
    "clock_table",
    "condition_effects",
    "contributions",
    "errors_by_week",
    "forecast_components",
    "forecast_distribution",
    "forecast_waterfall",
    "funnel",
    "hits_by_week",
    "pacing",
    "past_quarters",
    "pipeline_waterfall",
    "pit_histogram",
    "proposed_rates",
    "quarter_fan",
    "rates_effect",
    "rates_over_time",
    "rep_condition_gaps",
    "rep_effects",
    "rep_funnel",
    "rep_odds",
    "rep_stage_conversion",
    "signing_curves",
    "signing_time",
    "stage_rates",
    "target_curve",
]
