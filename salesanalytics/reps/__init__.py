"""Were the conditions met, what are they worth, and how do reps do, given the deals they were dealt?"""

from salesanalytics.reps.compliance import Compliance, condition_compliance
from salesanalytics.reps.condition_effects import ConditionEffects, condition_effects
from salesanalytics.reps.condition_gaps import condition_gaps, open_gaps, score_losses
from salesanalytics.reps.evaluate import RepEvaluation, evaluate_reps
from salesanalytics.reps.honesty import stated_odds
from salesanalytics.reps.random_effects import RepFit, fit_rep_effects
from salesanalytics.reps.review import RepReview, review_reps
from salesanalytics.reps.scorecard import Scorecard, rep_scorecard
from salesanalytics.reps.stage_conversion import stage_conversion

__all__ = [
    "Compliance", "ConditionEffects", "RepEvaluation", "RepFit", "RepReview", "Scorecard",
    "condition_compliance", "condition_effects", "condition_gaps", "evaluate_reps", "fit_rep_effects", "open_gaps",
    "rep_scorecard", "review_reps", "score_losses", "stage_conversion", "stated_odds",
]  # fmt: skip
