"""The two learners of the close model: hazards of being won and of ending otherwise, bin by bin.

A bin ends in one of three ways, told apart in two steps: won or not, then, of those not won, ended otherwise or still
open. Each step is a weighted binary regression; together they are a multinomial one (sequential logits).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.models.boosting import Boosting, fit_boosting
from salesanalytics.models.encoding import fit_encoder
from salesanalytics.models.spline_logit import SplineLogit, fit_logit
from salesanalytics.models.supermodel import QUIET, Bins, future_bins, happened_in, observed_bins

CONSIST_OF = {"logistic": ("logistic",), "boosting": ("boosting",), "blend": ("logistic", "boosting")}  # rungs
MAX_QUIET = 50_000  # bins in which nothing happened; of more, so many are kept and stand for all


@dataclass(frozen=True)
class Learners:
    """Both learners fitted to the same rows; ``boosting`` is None where there are too few ends for it."""

    logit: SplineLogit
    boosting: Boosting | None

    @property
    def features(self) -> list[str]:
        """Columns of a snapshot in use."""
        encoder = self.logit.encoder
        return [*(spec.name for spec in encoder.numeric), *encoder.categories]

    @property
    def rungs(self) -> tuple[str, ...]:
        """What they can tell: `log_odds` of these."""
        return tuple(name for name, parts in CONSIST_OF.items() if self.boosting or "boosting" not in parts)

    def log_odds(self, rung: str, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
        """Of a rung: ``logistic`` or ``boosting`` alone, or their mean (``blend``), (n_bins, 2)."""
        return self.log_odds_of([rung], landmarks, bins)[rung]

    def log_odds_of(self, rungs: Sequence[str], landmarks: pd.DataFrame, bins: Bins) -> dict[str, np.ndarray]:
        """`log_odds` of some rungs; each learner is asked once."""
        both: dict[str, Any] = {"logistic": self.logit, "boosting": self.boosting}
        told = {name: both[name].log_odds(landmarks, bins) for name in {n for rung in rungs for n in CONSIST_OF[rung]}}
        return {rung: np.mean([told[name] for name in CONSIST_OF[rung]], axis=0) for rung in rungs}


def fit_learners(
    landmarks: pd.DataFrame,
    *,
    edges: tuple[int, ...],
    fiscal_year_start: int,
    half_life_days: float,
    boosted: bool,
) -> Learners:
    """Fit to landmark rows (``code``, ``duration_days``, ``watched_days``).

    Every deal stands on many landmarks, and its end is counted on each: rows weigh one over the mean number of
    landmarks a deal, so that the prior meets about as many events as there were. Recent landmarks weigh more.
    """
    duration, code = landmarks["duration_days"].to_numpy(), landmarks["code"].to_numpy()
    bins = future_bins(landmarks["landmark_day"].to_numpy(), edges=edges, fiscal_year_start=fiscal_year_start)
    bins = bins.take(observed_bins(bins, duration=duration, watched=landmarks["watched_days"].to_numpy()))
    happened = happened_in(bins, duration=duration, code=code)
    kept, stands_for = _thinned(happened, bins, landmarks["landmark_day"].to_numpy())
    bins, happened = bins.take(kept), happened[kept]
    age = (landmarks["landmark_day"].max() - landmarks["landmark_day"]).to_numpy()
    weight = 0.5 ** (age / half_life_days) * landmarks["deal_id"].nunique() / len(landmarks)
    counts, encoder = weight[bins.row] * stands_for, fit_encoder(landmarks)
    logit = fit_logit(encoder, landmarks, bins, happened, counts)
    boosting = fit_boosting(encoder, landmarks, bins, happened, counts, logit.times, logit.seasons) if boosted else None
    return Learners(logit, boosting)


def _thinned(happened: np.ndarray, bins: Bins, landmark_day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bins to learn from, and how many each stands for: all in which something happened, and enough of the others.

    Of those every so-manieth by start of the bin and date, so that each time ahead and each year keeps its share.
    """
    quiet = np.flatnonzero(happened == QUIET)
    if len(quiet) <= MAX_QUIET:
        return np.arange(len(happened)), np.ones(len(happened))
    in_turn = quiet[np.lexsort((landmark_day[bins.row[quiet]], bins.start[quiet]))]
    some = in_turn[((np.arange(MAX_QUIET) + 0.5) * len(quiet) / MAX_QUIET).astype("int64")]
    kept = np.union1d(np.flatnonzero(happened != QUIET), some)
    return kept, np.where(happened[kept] == QUIET, len(quiet) / MAX_QUIET, 1.0)
