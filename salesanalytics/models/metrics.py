"""Scores of probabilities: plain functions on arrays, one observation a place.

Every score here is a loss: smaller is better, 0 is perfect. All of them ask for outcomes that were fully observed up
to the horizon of the probability; whether they were is the caller's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import xlogy
from scipy.stats import rankdata

from salesanalytics.errors import SchemaError

CLIP = 1e-6  # a probability counts as within CLIP .. 1 - CLIP where its logarithm is taken

Score = Literal["brier", "log_loss"]


def brier(p: Any, outcome: Any) -> float:
    """Mean squared distance of probabilities from outcomes.

    Parameters
    ----------
    p : array, shape (n,), within 0..1
    outcome : array of bool or 0/1, shape (n,)

    Raises
    ------
    SchemaError
        Lengths differ, there is no row, p lies outside 0..1, an outcome is neither 0 nor 1, or a value is missing.

    References
    ----------
    Brier (1950), Monthly Weather Review 78, 1-3.
    """
    return float(brier_losses(p, outcome).mean())


def brier_losses(p: Any, outcome: Any) -> np.ndarray:
    """Squared distance of each observation, shape (n,); see `brier`."""
    p, won = probabilities_and_outcomes(p, outcome)
    return (p - won) ** 2


def log_loss(p: Any, outcome: Any) -> float:
    """Mean negative logarithm of the probability given to what happened; p is clipped to 1e-6 .. 1 - 1e-6 (`CLIP`).

    Parameters and errors as in `brier`. Without clipping one certain error would make the mean infinite; with it, it
    costs 13.8.
    """
    return float(log_losses(p, outcome).mean())


def log_losses(p: Any, outcome: Any) -> np.ndarray:
    """Negative log probability of each observation, shape (n,); see `log_loss`."""
    p, won = probabilities_and_outcomes(p, outcome)
    return _log_losses(np.clip(p, CLIP, 1 - CLIP), won)


def _log_losses(p: np.ndarray, won: np.ndarray) -> np.ndarray:
    return -(xlogy(won, p) + xlogy(1 - won, 1 - p))


def auc(p: Any, outcome: Any) -> float:
    """Chance that a random success has a higher p than a random failure; ties count one half. NaN with one class.

    Parameters and errors as in `brier`.

    References
    ----------
    Hanley & McNeil (1982), Radiology 143, 29-36 (the Mann-Whitney statistic).
    """
    p, won = probabilities_and_outcomes(p, outcome)
    n_won = won.sum()
    n_rest = len(won) - n_won
    if not n_won or not n_rest:
        return float("nan")
    return float((rankdata(p)[won == 1].sum() - n_won * (n_won + 1) / 2) / (n_won * n_rest))


@dataclass(frozen=True)
class ScoreDecomposition:
    """A mean score in three parts: ``score`` = ``miscalibration`` - ``discrimination`` + ``uncertainty``.

    Attributes
    ----------
    score : float
        The mean score itself.
    miscalibration : float
        What recalibration would save, >= 0; 0 if calibrated.
    discrimination : float
        What the recalibrated p save against giving everybody the overall frequency, >= 0.
    uncertainty : float
        Score of the overall frequency: a fact about the outcomes, not about the method.
    """

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float


def decompose(p: Any, outcome: Any, *, score: Score = "brier") -> ScoreDecomposition:
    """The CORP decomposition of the Brier score or the log loss, by isotonic regression of outcomes on p.

    Equal p stay together. The parts are never negative and need no bins. p is clipped for the log loss as in
    `log_loss`; recalibrated values are not clipped.

    Parameters
    ----------
    p, outcome : as in `brier`
    score : "brier" or "log_loss"

    Raises
    ------
    SchemaError
        As in `brier`, or an unknown score.

    References
    ----------
    Dimitriadis, Gneiting & Jordan (2021), PNAS 118 (8), e2016191118.
    """
    if score not in ("brier", "log_loss"):
        raise SchemaError(f"score must be brier or log_loss, got {score!r}.")
    p, won = probabilities_and_outcomes(p, outcome)
    better = recalibrated(p, won)
    overall = np.full(len(won), won.mean())
    if score == "brier":
        raw, recalibration, constant = (float(((q - won) ** 2).mean()) for q in (p, better, overall))
    else:
        clipped = np.clip(p, CLIP, 1 - CLIP)
        raw, recalibration, constant = (float(_log_losses(q, won).mean()) for q in (clipped, better, overall))
    return ScoreDecomposition(raw, raw - recalibration, constant - recalibration, constant)


def recalibrated(p: np.ndarray, won: np.ndarray) -> np.ndarray:
    """Isotonic regression of outcomes on p (pool adjacent violators), equal p pooled first, shape (n,)."""
    values, place, n = np.unique(p, return_inverse=True, return_counts=True)
    share = np.bincount(place, weights=won, minlength=len(values)) / n
    return isotonic_regression(share, weights=n).x[place]


def probabilities_and_outcomes(p: Any, outcome: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as float arrays, or a SchemaError that says what is wrong."""
    p, won = one_per_row(p=p, outcome=outcome)
    outside = np.flatnonzero((p < 0) | (p > 1))
    if len(outside):
        raise SchemaError(f"p must lie within 0..1: {len(outside)} do not, first at {outside[:3].tolist()}.")
    neither = np.flatnonzero((won != 0) & (won != 1))
    if len(neither):
        raise SchemaError(f"outcome must be 0 or 1: {len(neither)} are not, first at {neither[:3].tolist()}.")
    return p, won


def one_per_row(**arrays: Any) -> list[np.ndarray]:
    """Named values as float arrays of one length, at least one row, nothing missing; else a SchemaError."""
    given = {name: numbers(values, name) for name, values in arrays.items()}
    shapes = {name: array.shape for name, array in given.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise SchemaError(f"{' and '.join(shapes)} must have one value per row and equal lengths: {told}.")
    if not next(iter(shapes.values()))[0]:
        raise SchemaError(f"{' and '.join(shapes)} have no row: there is nothing to score.")
    return list(given.values())


def numbers(values: Any, name: str) -> np.ndarray:
    """A float array without gaps, or a SchemaError."""
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise SchemaError(f"{name} must be numbers and not missing: {error}.") from error
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise SchemaError(f"{name} must be finite and not missing: {len(bad)} are not, first at {bad[:3].tolist()}.")
    return array


def between_0_and_1(value: float, name: str) -> None:
    """A level or a confidence that is neither nothing nor certainty, or a SchemaError."""
    if not 0 < value < 1:
        raise SchemaError(f"{name} must lie between 0 and 1, got {value}.")


def at_least_1(value: int, name: str) -> None:
    """A number of days, quarters or deals of which there is one, or a SchemaError."""
    if value < 1:
        raise SchemaError(f"{name} must be >= 1, got {value}.")
