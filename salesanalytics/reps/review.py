"""All that the pages about reps show, worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import InsufficientDataError
from salesanalytics.process import Process
from salesanalytics.reps.compliance import Compliance, condition_compliance
from salesanalytics.reps.condition_effects import ConditionEffects, condition_effects
from salesanalytics.reps.evaluate import RepEvaluation, evaluate_reps
from salesanalytics.reps.honesty import stated_odds
from salesanalytics.reps.stage_conversion import stage_conversion
from salesanalytics.timeline.calendar import as_of_day, to_date


@dataclass(frozen=True)
class RepReview:
    """What is known of the reps at a date.

    Attributes
    ----------
    evaluation : RepEvaluation
    compliance : Compliance or None
        None where the book has no conditions, as ``effects``.
    effects : ConditionEffects or None
    odds : DataFrame
        `stated_odds`; empty where the book keeps no probabilities.
    conversion : DataFrame
        `stage_conversion`.
    process : Process
    as_of : date
    unit : str
        Of amounts.
    """

    evaluation: RepEvaluation
    compliance: Compliance | None
    effects: ConditionEffects | None
    odds: pd.DataFrame
    conversion: pd.DataFrame
    process: Process
    as_of: date
    unit: str

    def __repr__(self) -> str:
        return f"<RepReview as of {self.as_of}: {len(self.evaluation.reps):,} reps>"


def review_reps(book: DealBook, *, as_of: Any) -> RepReview:
    """Work out all that a page about each rep, and the page about all of them, show (`write_rep_report`).

    Parameters
    ----------
    book : DealBook
    as_of : date
        End of that day, inclusive.

    Returns
    -------
    RepReview

    Raises
    ------
    InsufficientDataError
        There are too few deals or reps, see `evaluate_reps`.
    """
    evaluation = evaluate_reps(book, as_of=as_of)
    try:
        compliance = condition_compliance(book, as_of=as_of)
    except InsufficientDataError:
        compliance = None
    return RepReview(
        evaluation=evaluation,
        compliance=compliance,
        effects=None if compliance is None else condition_effects(book, as_of=as_of),
        odds=stated_odds(book, as_of=as_of),
        conversion=stage_conversion(book, as_of=as_of),
        process=book.process,
        as_of=to_date(as_of_day(book, as_of)),
        unit=book.settings.unit,
    )
