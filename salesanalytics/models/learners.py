"""The two learners of the close model: hazards of being won and of ending otherwise, bin by bin.

A bin ends in one of three ways, told apart in two steps: won or not, then, of those not won, ended otherwise or still
open. Each step is a weighted binary regression; together they are a multinomial one (sequential logits).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from salesanalytics.models.encoding import N_LEVELS, Encoder, fit_encoder
from salesanalytics.models.side_by_side import side_by_side
from salesanalytics.models.supermodel import Bins, bin_features, future_bins, happened_in, observed_bins

PRIOR_VARIANCE = 0.015  # of a coefficient per standard deviation of its column
TIME_KNOTS = (1.8, 3.0, 4.0, 5.0)  # of log(1 + days): 5, 19, 54, 147 days
SIZE, CLOCKS = "log_amount", ("days_in_state", "age_days")  # large deals are slower: their clocks count otherwise
BY_TIME = ("state", "stage_rank", "buyer_rank", *CLOCKS, SIZE)  # what they do changes along the future
BOOSTING = {"max_iter": 40, "learning_rate": 0.15, "max_leaf_nodes": 8, "l2_regularization": 20.0}
MIN_LEAF, LEAF_SHARE = 400, 0.02
MAX_BINS = N_LEVELS + 2
NO_DATE = -100.0  # far from any gap: trees part it from the others
WON, OTHER = 1, 0
CONSIST_OF = {"logistic": ("logistic",), "boosting": ("boosting",), "blend": ("logistic", "boosting")}  # rungs


@dataclass(frozen=True)
class SplineLogit:
    """Ridge logistic regressions on linear splines.

    Attributes
    ----------
    kept, centre, scale : ndarray
        Columns of the design in use, and how they are standardised.
    coef : tuple of two ndarray
        Intercept and coefficients of the two steps (won; ended otherwise, of those not won).
    landmarks, bins, weight, not_won
        What it was fitted to; the second step on the bins in which nothing was won.
    """

    encoder: Encoder
    kept: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    coef: tuple[np.ndarray, np.ndarray]
    landmarks: pd.DataFrame
    bins: Bins
    weight: np.ndarray
    not_won: np.ndarray

    @cached_property
    def root(self) -> tuple[np.ndarray, np.ndarray]:
        """A square root of the covariance of the coefficients of each step (Laplace, prior included).

        It costs as much as the fit, so it waits until somebody asks how far a chance may be off.
        """
        z, (won, other) = self.design(self.landmarks, self.bins), self.coef
        steps = [
            partial(_covariance_root, z, won, self.weight),
            partial(_covariance_root, z[self.not_won], other, self.weight[self.not_won]),
        ]
        first, second = side_by_side(steps)
        return first, second

    def design(self, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
        """Standardised design with a column of ones in front."""
        x = spline_design(self.encoder, landmarks, bins)
        return np.hstack([np.ones((len(x), 1), np.float32), _standardised(x, self.kept, self.centre, self.scale)])

    def log_odds(self, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
        """Log odds of both steps in every bin, (n_bins, 2)."""
        return self.design(landmarks, bins) @ np.column_stack(self.coef)

    def drawn(self, landmarks: pd.DataFrame, bins: Bins, n_draws: int) -> list[np.ndarray]:
        """Log odds (n_bins, 2) under draws of the coefficients."""
        design, rng = self.design(landmarks, bins), np.random.default_rng(0)
        noise = [rng.standard_normal((len(coef), n_draws)) for coef in self.coef]
        steps = [
            design @ (coef[:, None] + root @ some) for coef, root, some in zip(self.coef, self.root, noise, strict=True)
        ]
        return [np.column_stack([step[:, k] for step in steps]) for k in range(n_draws)]


def spline_design(encoder: Encoder, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
    """Splines of the landmark and of the bin; products of size and clocks, and of a few with the log of the time."""
    splines, sources = encoder.splines(landmarks)
    splines = splines.astype(np.float32)  # half the memory, twice the speed; a probability needs no 16 digits
    of_bin = bin_features(bins, landmarks)
    time = of_bin["log_middle"].to_numpy()
    columns = [time, *(np.maximum(time - knot, 0.0) for knot in TIME_KNOTS), of_bin["log_length"]]
    columns += [of_bin["ends_quarter"], of_bin["ends_quarter"] * time, np.log1p(of_bin["to_quarter_end"])]
    if "close_date_gap" in of_bin:
        gap = of_bin["close_date_gap"].to_numpy() / 5.0  # 1: 25 days
        without = np.isnan(gap)
        gap = np.where(without, 0.0, gap)
        columns += [without, gap, np.maximum(gap, 0), np.maximum(gap - 1, 0), np.maximum(gap + 1, 0)]
        columns += [of_bin["close_date_in_bin"]]
    repeated = splines[bins.row]
    along = repeated[:, [source in BY_TIME for source in sources]]
    late = ((time - 4.0) / 1.5).astype(np.float32)[:, None]
    products = [along * late, along * np.maximum(late, 0.0)]
    if SIZE in sources:  # the first of its columns is linear
        clocks = splines[:, [source in CLOCKS for source in sources]]
        products.append((splines[:, [sources.index(SIZE)]] * clocks)[bins.row])
    return np.hstack([repeated, np.column_stack(columns).astype(np.float32), *products])


def fit_logit(
    encoder: Encoder, landmarks: pd.DataFrame, bins: Bins, code: np.ndarray, weight: np.ndarray
) -> SplineLogit:
    """Fit both steps. ``code``: what happened in each bin (1 won, 0 ended otherwise, -1 nothing)."""
    x = spline_design(encoder, landmarks, bins)
    scale = x.std(axis=0, dtype=np.float64)
    kept = np.flatnonzero(scale > 1e-6)
    centre, scale = x[:, kept].mean(axis=0, dtype=np.float64).astype(np.float32), scale[kept].astype(np.float32)
    z = _standardised(x, kept, centre, scale)
    not_won = code != WON
    steps = [
        partial(_ridge, z, code == WON, weight),
        partial(_ridge, z[not_won], code[not_won] == OTHER, weight[not_won]),
    ]
    won, other = side_by_side(steps)
    return SplineLogit(encoder, kept, centre, scale, (won, other), landmarks, bins, weight, not_won)


def _standardised(x: np.ndarray, kept: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    z = x[:, kept]
    z -= centre  # in place: every copy of a design costs as much as some steps of the fit
    z /= scale
    return z


def _ridge(z: np.ndarray, happened: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Intercept and coefficients."""
    if not happened.any() or happened.all():  # nothing to tell apart: half an event of caution
        share = (weight[happened].sum() + 0.5) / (weight.sum() + 1.0)
        return np.r_[np.log(share / (1 - share)), np.zeros(z.shape[1])]
    learner = LogisticRegression(C=PRIOR_VARIANCE, tol=1e-4, max_iter=400)
    learner.fit(z, happened, sample_weight=weight)
    return np.r_[learner.intercept_, learner.coef_[0]]


def _covariance_root(design: np.ndarray, coef: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Square root of the inverse of the information, prior included."""
    p = expit(design @ coef)
    weighted = design * np.sqrt(weight * p * (1 - p)).astype(np.float32)[:, None]
    precision = (weighted.T @ weighted).astype(float)
    precision[np.diag_indices(len(coef))] += np.r_[1e-6, np.full(len(coef) - 1, 1 / PRIOR_VARIANCE)]
    return np.asarray(np.linalg.inv(np.linalg.cholesky(precision)).T)


@dataclass(frozen=True)
class BoostedStep:
    """One step of gradient boosting (None: nothing to tell apart, ``level`` stands in), and the classes it reads."""

    learner: HistGradientBoostingClassifier | None
    level: float
    cuts: dict[int, np.ndarray]

    def log_odds(self, x: np.ndarray) -> np.ndarray:
        """Log odds of what the step tells apart, for rows of the plain design."""
        if self.learner is None:
            return np.full(len(x), self.level)
        return np.asarray(self.learner.decision_function(_classed(x, self.cuts)))


@dataclass(frozen=True)
class Boosting:
    """Strongly regularised gradient boosting of both steps."""

    encoder: Encoder
    steps: tuple[BoostedStep, BoostedStep]

    def log_odds(self, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
        """Log odds of both steps in every bin, (n_bins, 2)."""
        x = _plain_design(self.encoder, landmarks, bins)
        return np.column_stack([step.log_odds(x) for step in self.steps])


def fit_boosting(
    encoder: Encoder, landmarks: pd.DataFrame, bins: Bins, code: np.ndarray, weight: np.ndarray
) -> Boosting:
    """Fit both steps: few leaves, none with fewer than 400 rows (2 % of the rows where there are few).

    Early stopping is off: it would judge a deal's rows by other rows of the same deal. One step after the other, each
    on all cores: a fit changes the filters of warnings for a while, which two threads must not do at once.
    """
    x = _plain_design(encoder, landmarks, bins)
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
    weight = weight / weight.mean()

    def step(end: int, rows: slice | np.ndarray) -> BoostedStep:
        happened = code[rows] == end
        share = (happened.sum() + 0.5) / (len(happened) + 1.0)
        level = float(np.log(share / (1 - share)))
        if not happened.any() or happened.all():
            return BoostedStep(None, level, {})
        learner, cuts = HistGradientBoostingClassifier(**settings), _weighted_cuts(x[rows], weight[rows], of_bins)
        learner.fit(_classed(x[rows], cuts), happened, sample_weight=weight[rows])
        return BoostedStep(learner, level, cuts)

    return Boosting(encoder, (step(WON, slice(None)), step(OTHER, code != WON)))


def _plain_design(encoder: Encoder, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
    of_bin = bin_features(bins, landmarks).fillna(NO_DATE).to_numpy(dtype=float)
    return np.column_stack([encoder.plain(landmarks)[bins.row], np.round(of_bin * 4) / 4])  # few distinct values


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

    def log_odds(self, rung: str, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
        """Of a rung: ``logistic`` or ``boosting`` alone, or their mean (``blend``), (n_bins, 2)."""
        return self.log_odds_of([rung], landmarks, bins)[rung]

    def log_odds_of(self, rungs: Sequence[str], landmarks: pd.DataFrame, bins: Bins) -> dict[str, np.ndarray]:
        """`log_odds` of some rungs; each learner is asked once."""
        both = {"logistic": self.logit, "boosting": self.boosting or self.logit}
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
    age = (landmarks["landmark_day"].max() - landmarks["landmark_day"]).to_numpy()
    weight = 0.5 ** (age / half_life_days) * landmarks["deal_id"].nunique() / len(landmarks)
    encoder = fit_encoder(landmarks)
    logit = fit_logit(encoder, landmarks, bins, happened, weight[bins.row])
    boosting = fit_boosting(encoder, landmarks, bins, happened, weight[bins.row]) if boosted else None
    return Learners(logit, boosting)
