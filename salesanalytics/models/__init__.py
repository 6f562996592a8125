"""Models: incidence, stage rates, the stage table."""

from salesanalytics.models.incidence import cumulative_incidence
from salesanalytics.models.stage_flow import stage_flow
from salesanalytics.models.stage_rates import signing_curves, stage_win_rates
from salesanalytics.models.stage_table import StageTable

__all__ = ["StageTable", "cumulative_incidence", "signing_curves", "stage_flow", "stage_win_rates"]
