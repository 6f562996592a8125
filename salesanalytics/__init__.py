"""salesanalytics: forecasts of project sales that show their work.

The names below are the public interface, in the order in which data walk through the house. They are loaded when
first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from salesanalytics.book import DealBook as DealBook
    from salesanalytics.book import make_book as make_book
    from salesanalytics.book import read_book as read_book
    from salesanalytics.control import Anomalies as Anomalies
    from salesanalytics.control import backtest_rules as backtest_rules
    from salesanalytics.control import clock_table as clock_table
    from salesanalytics.control import deal_clocks as deal_clocks
    from salesanalytics.control import find_anomalies as find_anomalies
    from salesanalytics.control import next_tasks as next_tasks
    from salesanalytics.control import week_sheet as week_sheet
    from salesanalytics.features import snapshots as snapshots
    from salesanalytics.forecast import Change as Change
    from salesanalytics.forecast import Ledger as Ledger
    from salesanalytics.forecast import QuarterForecast as QuarterForecast
    from salesanalytics.forecast import TrackRecord as TrackRecord
    from salesanalytics.forecast import actual as actual
    from salesanalytics.forecast import backtest as backtest
    from salesanalytics.forecast import draws_by as draws_by
    from salesanalytics.forecast import explain_change as explain_change
    from salesanalytics.forecast import forecast_quarter as forecast_quarter
    from salesanalytics.forecast import key_deals as key_deals
    from salesanalytics.forecast import rollup as rollup
    from salesanalytics.forecast import score_open_deals as score_open_deals
    from salesanalytics.forecast import what_if as what_if
    from salesanalytics.models import CloseModel as CloseModel
    from salesanalytics.models import backtest_probabilities as backtest_probabilities
    from salesanalytics.models import close_reasons as close_reasons
    from salesanalytics.models import cumulative_incidence as cumulative_incidence
    from salesanalytics.models import nominal_rates_effect as nominal_rates_effect
    from salesanalytics.models import propose_nominal_rates as propose_nominal_rates
    from salesanalytics.models import rate_drift as rate_drift
    from salesanalytics.models import reliability as reliability
    from salesanalytics.models import rising_rates as rising_rates
    from salesanalytics.models import segments_differ as segments_differ
    from salesanalytics.models import signing_curves as signing_curves
    from salesanalytics.models import signing_time_effects as signing_time_effects
    from salesanalytics.models import signing_time_ratios as signing_time_ratios
    from salesanalytics.models import stage_flow as stage_flow
    from salesanalytics.models import stage_rates_over_time as stage_rates_over_time
    from salesanalytics.models import stage_win_rates as stage_win_rates
    from salesanalytics.process import Process as Process
    from salesanalytics.process import read_process as read_process
    from salesanalytics.report import write_report as write_report
    from salesanalytics.reps import condition_compliance as condition_compliance
    from salesanalytics.reps import condition_effects as condition_effects
    from salesanalytics.reps import evaluate_reps as evaluate_reps
    from salesanalytics.reps import rep_scorecard as rep_scorecard
    from salesanalytics.simulate import Company as Company
    from salesanalytics.simulate import simulate_book as simulate_book
    from salesanalytics.simulate import write_sample as write_sample
    from salesanalytics.timeline import spells as spells

__version__ = "0.1.0"

_ROOM_OF = {
    "Process": "process",
    "read_process": "process",
    "DealBook": "book",
    "make_book": "book",
    "read_book": "book",
    "spells": "timeline",
    "snapshots": "features",
    "CloseModel": "models",
    "backtest_probabilities": "models",
    "close_reasons": "models",
    "cumulative_incidence": "models",
    "nominal_rates_effect": "models",
    "propose_nominal_rates": "models",
    "rate_drift": "models",
    "reliability": "models",
    "rising_rates": "models",
    "segments_differ": "models",
    "signing_curves": "models",
    "signing_time_effects": "models",
    "signing_time_ratios": "models",
    "stage_flow": "models",
    "stage_rates_over_time": "models",
    "stage_win_rates": "models",
    "Change": "forecast",
    "Ledger": "forecast",
    "QuarterForecast": "forecast",
    "TrackRecord": "forecast",
    "actual": "forecast",
    "backtest": "forecast",
    "draws_by": "forecast",
    "explain_change": "forecast",
    "forecast_quarter": "forecast",
    "key_deals": "forecast",
    "rollup": "forecast",
    "what_if": "forecast",
    "score_open_deals": "forecast",
    "condition_compliance": "reps",
    "condition_effects": "reps",
    "evaluate_reps": "reps",
    "rep_scorecard": "reps",
    "Company": "simulate",
    "simulate_book": "simulate",
    "write_sample": "simulate",
    "Anomalies": "control",
    "backtest_rules": "control",
    "clock_table": "control",
    "deal_clocks": "control",
    "find_anomalies": "control",
    "next_tasks": "control",
    "week_sheet": "control",
    "plots": "",
    "write_report": "report",
}
__all__ = sorted(_ROOM_OF)


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'salesanalytics' has no attribute {name!r}")
    if not _ROOM_OF[name]:
        return import_module(f"salesanalytics.{name}")
    return getattr(import_module(f"salesanalytics.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_ROOM_OF]
