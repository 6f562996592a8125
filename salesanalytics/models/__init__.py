"""Models: incidence, stage rates, the stage table, the close model, time to signing, and scores of probabilities."""

from salesanalytics.models.bands import Coverage, band_columns, central_band, coverage, crps, interval_score
from salesanalytics.models.calibration_line import calibration_line
from salesanalytics.models.close_model import CloseModel
from salesanalytics.models.discrimination import AucInterval, auc_interval
from salesanalytics.models.gray import GrayTest, gray_test
from salesanalytics.models.incidence import cumulative_incidence
from salesanalytics.models.metrics import (
    ScoreDecomposition,
    auc,
    brier,
    brier_losses,
    decompose,
    log_loss,
    log_losses,
)
from salesanalytics.models.nominal_rates import propose_nominal_rates
from salesanalytics.models.probability_backtest import ProbabilityBacktest, backtest_probabilities
from salesanalytics.models.rates_effect import RatesEffect, nominal_rates_effect
from salesanalytics.models.rates_over_time import rate_drift, stage_rates_over_time
from salesanalytics.models.reasons import close_reasons
from salesanalytics.models.reliability import MeanDifference, mean_difference, reliability
from salesanalytics.models.rising_rates import RisingRates, rising_rates
from salesanalytics.models.segment_tests import segments_differ
from salesanalytics.models.signing_time import signing_time_effects, signing_time_ratios
from salesanalytics.models.stage_flow import stage_flow
from salesanalytics.models.stage_rates import signing_curves, stage_win_rates
from salesanalytics.models.stage_table import StageTable

__all__ = [
    "AucInterval",
    "CloseModel",
    "Coverage",
    "GrayTest",
    "MeanDifference",
    "ProbabilityBacktest",
    "RatesEffect",
    "RisingRates",
    "ScoreDecomposition",
    "StageTable",
    "auc",
    "auc_interval",
    "backtest_probabilities",
    "band_columns",
    "brier",
    "brier_losses",
    "calibration_line",
    "central_band",
    "close_reasons",
    "coverage",
    "crps",
    "cumulative_incidence",
    "decompose",
    "gray_test",
    "interval_score",
    "log_loss",
    "log_losses",
    "mean_difference",
    "nominal_rates_effect",
    "propose_nominal_rates",
    "rate_drift",
    "reliability",
    "rising_rates",
    "segments_differ",
    "signing_curves",
    "signing_time_effects",
    "signing_time_ratios",
    "stage_flow",
    "stage_rates_over_time",
    "stage_win_rates",
]
