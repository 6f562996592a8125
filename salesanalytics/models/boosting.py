"""Gradient boosting of the hazards of being won and of ending otherwise, strongly regularised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from salesanalytics.models.encoding import CLOCKS, Encoder
from salesanalytics.models.season import season_of
from salesanalytics.models.supermodel import OTHER, QUIET, WON, Bins, bin_features
from salesanalytics.models.times import quarters, settled_level, watched_part

BOOSTING = {"max_iter": 25, "learning_rate": 0.15, "max_leaf_nodes": 8, "l2_regularization": 20.0}
MIN_LEAF, LEAF_SHARE = 400, 0.02
MAX_BINS = 66
NO_DATE = -100.0  # far from any gap: trees part it from the others


@dataclass(frozen=True)
class BoostedStep:
    """One step of gradient boosting, the level added to it (alone where nothing is to be told apart: None), the classes
    it reads.
    """

    learner: HistGradientBoostingClassifier | None
    level: float
    cuts: dict[int, np.ndarray]

    def log_odds(self, x: np.ndarray) -> np.ndarray:
        """Log odds of what the step tells apart, for rows of the plain design."""
        if self.learner is None:
            return np.full(len(x), self.level)
        return np.asarray(self.learner.decision_function(_classed(x, self.cuts)) + self.level)


@dataclass(frozen=True)
class Boosting:
    """Strongly regularised gradient boosting of both steps."""

    encoder: Encoder
    steps: tuple[BoostedStep, BoostedStep]
    seasons: np.ndarray

    def log_odds(self, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
        """Log odds of both steps in every bin, (n_bins, 2)."""
        x = plain_design(self.encoder, landmarks, bins)
        season = season_of(landmarks, bins)
        return np.column_stack([step.log_odds(x) for step in self.steps]) + self.seasons[:, season].T


def fit_boosting(
    encoder: Encoder,
    landmarks: pd.DataFrame,
    bins: Bins,
    code: np.ndarray,
    weight: np.ndarray,
    times: tuple[np.ndarray, np.ndarray],
    seasons: np.ndarray,
) -> Boosting:
    """Fit both steps: few leaves, none with fewer than 400 rows (2 % of the rows where there are few).

    Trees know no offset for the effects of the quarters (``times``, of the regression): instead, what happened weighs
    less by as much as its quarter was better. The season (``seasons``, of the regression as well) is added to what
    they say.

    Early stopping is off: it would judge a deal's rows by other rows of the same deal. One step after the other, each
    on all cores: a fit changes the filters of warnings for a while, which two threads must not do at once.
    """
    x = plain_design(encoder, landmarks, bins)
    n_numeric = len(encoder.numeric)
    of_bins = range(n_numeric + len(encoder.categories), x.shape[1])
    settings = {
        **BOOSTING,
        "min_samples_leaf": int(min(MIN_LEAF, max(LEAF_SHARE * len(code), 20))),
        "categorical_features": list(range(n_numeric, n_numeric + len(encoder.categories))) or None,
        "max_bins": MAX_BINS,
        "early_stopping": False,
        "random_state": 0,
    }
    day = landmarks["landmark_day"].to_numpy()
    quarter = quarters(day, bins)
    part = watched_part(day, bins, quarter)
    in_season = seasons[:, season_of(landmarks, bins)]

    def step(end: int, rows: np.ndarray, time: np.ndarray) -> BoostedStep:
        happened = code[rows] == end
        share = (happened.sum() + 0.5) / (len(happened) + 1.0)
        level = float(np.log(share / (1 - share)))
        if not happened.any() or happened.all():
            return BoostedStep(None, level, {})
        counts = weight[rows]
        alone = weight[code != QUIET].mean()  # of a row in which something happened: it stands for no other
        in_usual_times = counts / alone * np.where(happened, np.exp(-time[rows]), 1.0)
        learner, cuts = HistGradientBoostingClassifier(**settings), _weighted_cuts(x[rows], in_usual_times, of_bins)
        classed = _classed(x[rows], cuts)
        learner.fit(classed, happened, sample_weight=in_usual_times)
        told = learner.decision_function(classed) + in_season[1 - end][rows]
        level = settled_level(told, happened, quarter[rows], counts, part)
        return BoostedStep(learner, level, cuts)

    steps = step(WON, np.arange(len(code)), times[0]), step(OTHER, np.flatnonzero(code != WON), times[1])
    return Boosting(encoder, steps, seasons)


def plain_design(encoder: Encoder, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
    """Quantile classes and codes of the landmark, values of the bin, what the clocks show in it: one row a bin."""
    of_bin = bin_features(bins, landmarks).fillna(NO_DATE).to_numpy(dtype=float)
    values = np.round(of_bin * 4) / 4  # few distinct values
    return np.column_stack([encoder.plain(landmarks)[bins.row], values, _clocks(landmarks, bins)])


def _clocks(landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
    """Days in the state and since the creation at the middle of each bin, for a deal that still stands there; on a
    logarithmic scale, in steps of 6 %.

    Where something is due after so many days, no day of the landmark says that it is, nor any time ahead of it.
    """
    days = landmarks[[clock for clock in CLOCKS if clock in landmarks]].to_numpy(dtype=float)
    return np.asarray(np.round(16 * np.log1p(days[bins.row] + ((bins.start + bins.end) / 2)[:, None])))


def _weighted_cuts(x: np.ndarray, weight: np.ndarray, columns: Iterable[int]) -> dict[int, np.ndarray]:
    """Cuts of the columns that have more than MAX_BINS values into classes of about the same weight.

    Trees bin by the same quantiles, but sort a column anew for each of them.
    """
    cuts = {}
    for column in columns:
        values, place = np.unique(x[:, column], return_inverse=True)
        if len(values) > MAX_BINS:
            upto = np.cumsum(np.bincount(place, weights=weight))
            cuts[column] = np.unique(values[np.searchsorted(upto, np.linspace(0, upto[-1], MAX_BINS + 1)[1:-1])])
    return cuts


def _classed(x: np.ndarray, cuts: dict[int, np.ndarray]) -> np.ndarray:
    """The design with classes for values in the columns that are cut; a value on a cut is of the class below it."""
    x = x.copy()
    for column, at in cuts.items():
        x[:, column] = np.searchsorted(at, x[:, column])
    return x
