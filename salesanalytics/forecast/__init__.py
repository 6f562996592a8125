"""Forecasts: scored deals, the quarter as a distribution, simple methods beside it."""

from salesanalytics.forecast.baselines import actual
from salesanalytics.forecast.quarter import forecast_quarter
from salesanalytics.forecast.result import QuarterForecast
from salesanalytics.forecast.score import score_open_deals

__all__ = ["QuarterForecast", "actual", "forecast_quarter", "score_open_deals"]
