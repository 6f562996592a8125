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
    from salesanalytics.control import customer_sheet as customer_sheet
    from salesanalytics.control import deal_clocks as deal_clocks
    from salesanalytics.control import find_anomalies as find_anomalies
    from salesanalytics.control import key_person_risk as key_person_risk
    from salesanalytics.control import loss_reasons as loss_reasons
    from salesanalytics.control import next_tasks as next_tasks
    from salesanalytics.control import review_deals as review_deals
    from salesanalytics.control import scrub_list as scrub_list
    from salesanalytics.control import similar_won_deals as similar_won_deals
    from salesanalytics.control import week_sheet as week_sheet
    from salesanalytics.features import snapshots as snapshots
    from salesanalytics.forecast import Change as Change
    from salesanalytics.forecast import Judgement as Judgement
    from salesanalytics.forecast import Ledger as Ledger
    from salesanalytics.forecast import PipelineChange as PipelineChange
    from salesanalytics.forecast import QuarterForecast as QuarterForecast
    from salesanalytics.forecast import TrackRecord as TrackRecord
    from salesanalytics.forecast import actual as actual
    from salesanalytics.forecast import backtest as backtest
    from salesanalytics.forecast import compare_extracts as compare_extracts
    from salesanalytics.forecast import coverage_ratio as coverage_ratio
    from salesanalytics.forecast import disagreements as disagreements
    from salesanalytics.forecast import draws_by as draws_by
    from salesanalytics.forecast import explain_change as explain_change
    from salesanalytics.forecast import forecast_quarter as forecast_quarter
    from salesanalytics.forecast import key_deals as key_deals
    from salesanalytics.forecast import outlook as outlook
    from salesanalytics.forecast import pacing as pacing
    from salesanalytics.forecast import path_to_target as path_to_target
    from salesanalytics.forecast import pipeline_change as pipeline_change
    from salesanalytics.forecast import read_judgements as read_judgements
    from salesanalytics.forecast import rollup as rollup
    from salesanalytics.forecast import score_open_deals as score_open_deals
    from salesanalytics.forecast import what_if as what_if
    from salesanalytics.forecast import with_judgement as with_judgement
    from salesanalytics.models import CloseModel as CloseModel
    from salesanalytics.models import auc as auc
    from salesanalytics.models import auc_interval as auc_interval
    from salesanalytics.models import backtest_probabilities as backtest_probabilities
    from salesanalytics.models import brier as brier
    from salesanalytics.models import calibration_line as calibration_line
    from salesanalytics.models import close_reasons as close_reasons
    from salesanalytics.models import crps as crps
    from salesanalytics.models import cumulative_incidence as cumulative_incidence
    from salesanalytics.models import interval_score as interval_score
    from salesanalytics.models import log_loss as log_loss
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
    from salesanalytics.report import write_control_report as write_control_report
    from salesanalytics.report import write_rep_report as write_rep_report
    from salesanalytics.report import write_report as write_report
    from salesanalytics.report import write_tasks as write_tasks
    from salesanalytics.reps import condition_compliance as condition_compliance
    from salesanalytics.reps import condition_effects as condition_effects
    from salesanalytics.reps import condition_gaps as condition_gaps
    from salesanalytics.reps import evaluate_reps as evaluate_reps
    from salesanalytics.reps import rep_scorecard as rep_scorecard
    from salesanalytics.reps import review_reps as review_reps
    from salesanalytics.reps import score_losses as score_losses
    from salesanalytics.reps import stage_conversion as stage_conversion
    from salesanalytics.reps import stated_odds as stated_odds
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
    "auc": "models",
    "auc_interval": "models",
    "backtest_probabilities": "models",
    "brier": "models",
    "calibration_line": "models",
    "close_reasons": "models",
    "crps": "models",
    "cumulative_incidence": "models",
    "interval_score": "models",
    "log_loss": "models",
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
    "Judgement": "forecast",
    "Ledger": "forecast",
    "PipelineChange": "forecast",
    "QuarterForecast": "forecast",
    "TrackRecord": "forecast",
    "actual": "forecast",
    "backtest": "forecast",
    "disagreements": "forecast",
    "draws_by": "forecast",
    "explain_change": "forecast",
    "forecast_quarter": "forecast",
    "key_deals": "forecast",
    "outlook": "forecast",
    "path_to_target": "forecast",
    "read_judgements": "forecast",
    "rollup": "forecast",
    "what_if": "forecast",
    "with_judgement": "forecast",
    "score_open_deals": "forecast",
    "compare_extracts": "forecast",
    "coverage_ratio": "forecast",
    "pacing": "forecast",
    "pipeline_change": "forecast",
    "condition_compliance": "reps",
    "condition_gaps": "reps",
    "review_reps": "reps",
    "score_losses": "reps",
    "stage_conversion": "reps",
    "stated_odds": "reps",
    "write_rep_report": "report",
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
    "similar_won_deals": "control",
    "loss_reasons": "control",
    "customer_sheet": "control",
    "key_person_risk": "control",
    "review_deals": "control",
    "scrub_list": "control",
    "models": "",
    "plots": "",
    "write_report": "report",
    "write_control_report": "report",
    "write_tasks": "report",
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
