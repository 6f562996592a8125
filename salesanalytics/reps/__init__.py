"""Were the conditions met, what are they worth, and how do reps do, given the deals they were dealt?"""

from salesanalytics.reps.compliance import Compliance, condition_compliance
from salesanalytics.reps.condition_effects import ConditionEffects, condition_effects
from salesanalytics.reps.evaluate import RepEvaluation, evaluate_reps
from salesanalytics.reps.random_effects import RepFit, fit_rep_effects
from salesanalytics.reps.scorecard import Scorecard, rep_scorecard

__all__ = [
    "Compliance", "ConditionEffects", "RepEvaluation", "RepFit", "Scorecard", "condition_compliance",
    "condition_effects", "evaluate_reps", "fit_rep_effects", "rep_scorecard",
]  # fmt: skip
