"""Forecasts: scored deals, the quarter as a distribution, simple methods beside it."""

from salesanalytics.forecast.backtest import backtest
from salesanalytics.forecast.baselines import actual
from salesanalytics.forecast.change import Change, explain_change
from salesanalytics.forecast.disagreements import disagreements
from salesanalytics.forecast.extracts import Extracts, compare_extracts
from salesanalytics.forecast.judgement import Judgement, read_judgements, with_judgement
from salesanalytics.forecast.ledger import Ledger
from salesanalytics.forecast.outlook import outlook
from salesanalytics.forecast.pacing import coverage_ratio, pacing
from salesanalytics.forecast.path import path_to_target
from salesanalytics.forecast.pipeline import PipelineChange, pipeline_change
from salesanalytics.forecast.quarter import forecast_quarter
from salesanalytics.forecast.result import QuarterForecast
from salesanalytics.forecast.rollups import draws_by, key_deals, rollup, what_if
from salesanalytics.forecast.score import score_open_deals
from salesanalytics.forecast.track_record import TrackRecord

__all__ = [
    "Change",
    "Extracts",
    "Judgement",
    "Ledger",
    "PipelineChange",
    "QuarterForecast",
    "TrackRecord",
    "actual",
    "backtest",
    "compare_extracts",
    "coverage_ratio",
    "disagreements",
    "draws_by",
    "explain_change",
    "forecast_quarter",
    "key_deals",
    "outlook",
    "pacing",
    "path_to_target",
    "pipeline_change",
    "read_judgements",
    "rollup",
    "score_open_deals",
    "what_if",
    "with_judgement",
]
