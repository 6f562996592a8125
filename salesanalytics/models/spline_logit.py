"""Ridge logistic regressions on linear splines: hazards of being won and of ending otherwise, bin by bin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
from scipy.special import expit

from salesanalytics.models.encoding import CLOCKS, SIZE, Encoder
from salesanalytics.models.ridge import PRIOR_VARIANCE, fit_ridge, information, posterior_root
from salesanalytics.models.season import season_effects, season_of
from salesanalytics.models.side_by_side import side_by_side
from salesanalytics.models.supermodel import OTHER, WON, Bins, bin_features
from salesanalytics.models.times import QUARTER_SD, quarters, settled_level, watched_part

TIME_REACH, STANDING_REACH = 4.0, 3.0  # priors so many times as wide: of the time ahead, of where a deal stands
TIME_KNOTS = (1.8, 3.0, 4.0, 5.0)  # of log(1 + days): 5, 19, 54, 147 days
HALF_QUARTER = 45.0  # days
KINDS_REACH = 0.5  # half as wide: of how clocks, size and time count for one kind of deals otherwise than for all
BY_TIME = ("state", "stage_rank", "buyer_rank", *CLOCKS, SIZE)  # where it stands; what they do changes along the future
AT_ONCE = 50_000  # bins whose design is in memory when chances are asked for
ALONG, PHASE = 0, 1  # parts of the design whose prior is learned


@dataclass(frozen=True)
class SplineLogit:
    """Ridge logistic regressions on linear splines.

    Attributes
    ----------
    kept, centre, scale : ndarray
        Columns of the design in use, and how they are standardised (a column whose prior is wider is larger).
    lowest, highest : ndarray
        Between what the standardised columns lay in the rows of the fit. A deal beyond counts as one that lies there:
        of a product that two rows have, the next may hold ten times as much, and the line has seen nothing there. Time
        itself goes on: columns of the part ``time`` have no bounds.
    coef : tuple of two ndarray
        Intercept and coefficients of the two steps (won; ended otherwise, of those not won).
    variance : tuple of two ndarray
        Of the priors of these coefficients.
    landmarks, bins, weight, not_won
        What it was fitted to; the second step on the bins in which nothing was won.
    seasons : ndarray (2, 4)
        What each quarter of the year adds to the log odds of either step, see `season_effects`.
    times : tuple of two ndarray (n_bins,)
        By how much the quarter of each of those bins was better or worse (log odds), for each step; no part of
        `log_odds`.
    """

    encoder: Encoder
    kept: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    coef: tuple[np.ndarray, np.ndarray]
    variance: tuple[np.ndarray, np.ndarray]
    landmarks: pd.DataFrame
    bins: Bins
    weight: np.ndarray
    not_won: np.ndarray
    seasons: np.ndarray
    times: tuple[np.ndarray, np.ndarray]

    @cached_property
    def root(self) -> tuple[np.ndarray, np.ndarray]:
        """A square root of the covariance of the coefficients of each step (Laplace, prior included).

        It costs as much as the fit, so it waits until somebody asks how far a chance may be off.
        """
        z = self.design(self.landmarks, self.bins)
        steps = [
            partial(information, z, self.coef[0], self.weight),
            partial(information, z, self.coef[1], self.weight * self.not_won),
        ]
        won, other = side_by_side(steps)
        return posterior_root(won, self.variance[0]), posterior_root(other, self.variance[1])

    def design(self, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
        """Standardised design with a column of ones in front."""
        x = spline_design(self.encoder, landmarks, bins)
        design = np.ones((len(x), len(self.kept) + 1), np.float32)
        z = design[:, 1:]
        x.take(self.kept, axis=1, out=z)
        np.clip(_standardised(z, self.centre, self.scale), self.lowest, self.highest, out=z)
        return design

    def log_odds(self, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
        """Log odds of both steps in every bin, (n_bins, 2)."""
        (odds,) = self._times(landmarks, bins, [np.column_stack(self.coef)])
        return odds + self.in_season(landmarks, bins)

    def _times(self, landmarks: pd.DataFrame, bins: Bins, matrices: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Design times matrices, some bins at a time: the whole design of many deals would take gigabytes."""
        found = []
        for first in range(0, max(len(bins.row), 1), AT_ONCE):
            part = np.arange(first, min(first + AT_ONCE, len(bins.row)))
            design = self.design(landmarks, bins.take(part))
            found.append([design @ matrix for matrix in matrices])
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]

    def in_season(self, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
        """What the season adds to the log odds of both steps, (n_bins, 2)."""
        return np.asarray(self.seasons[:, season_of(landmarks, bins)].T)

    def drawn(self, landmarks: pd.DataFrame, bins: Bins, n_draws: int) -> list[np.ndarray]:
        """Log odds (n_bins, 2) under draws of the coefficients."""
        rng = np.random.default_rng(0)
        noise = [rng.standard_normal((len(coef), n_draws)) for coef in self.coef]
        draws = [coef[:, None] + root @ some for coef, root, some in zip(self.coef, self.root, noise, strict=True)]
        steps = self._times(landmarks, bins, draws)
        season = self.in_season(landmarks, bins)
        return [np.column_stack([step[:, k] for step in steps]) + season for k in range(n_draws)]


def spline_design(encoder: Encoder, landmarks: pd.DataFrame, bins: Bins) -> np.ndarray:
    """The parts of the design (`_parts`) side by side, (n_bins, n_columns)."""
    return np.hstack([block for blocks in _parts(encoder, landmarks, bins).values() for block in blocks])


def _parts(encoder: Encoder, landmarks: pd.DataFrame, bins: Bins) -> dict[str, list[np.ndarray]]:
    """Blocks of columns of the design, by what they say.

    ``deal``: splines of the landmark; ``time``: of the bin; ``close_date``: of the bin and the rep's expected signing
    date; then products of a few splines: ``along`` with the log of the time, ``size`` with the clocks (large deals are
    slower, the largest by far), ``phase`` of the clocks with the phase of the quarter (what is signed early in it may
    be young, at its end old), ``kinds`` of the kind of a deal with its clocks, its size and the time.
    """
    splines, sources = encoder.splines(landmarks)
    splines = splines.astype(np.float32)  # half the memory, twice the speed; a probability needs no 16 digits
    of_bin = bin_features(bins, landmarks)
    time = of_bin["log_middle"].to_numpy()
    of_time = [time, *(np.maximum(time - knot, 0.0) for knot in TIME_KNOTS), of_bin["log_length"]]
    of_time += [of_bin["ends_quarter"], of_bin["ends_quarter"] * time, np.log1p(of_bin["to_quarter_end"])]
    of_time += [of_bin["quarter_just_ended"]]
    repeated = splines[bins.row]
    along = repeated[:, [source in BY_TIME for source in sources]]
    late = ((time - 4.0) / 1.5).astype(np.float32)[:, None]
    clocks = splines[:, [source in CLOCKS for source in sources]]
    phase = of_bin["to_quarter_end"].to_numpy() / HALF_QUARTER - 1.0  # 1: a quarter begins, -1: it ends
    phase = np.clip(phase, -1.0, 1.0).astype(np.float32)[:, None]
    kinds, measures = encoder.kind_columns(sources)
    return {
        "deal": [repeated],
        "time": [np.column_stack(of_time).astype(np.float32)],
        "close_date": [_of_close_date(of_bin)] if "close_date_gap" in of_bin else [],
        "along": [along * late, along * np.maximum(late, 0.0)],
        "size": [(splines[:, [size]] * clocks)[bins.row] for size in encoder.size_columns(sources)],
        "phase": [clocks[bins.row] * phase, phase, np.maximum(phase, 0.0), late * phase],
        "kinds": [
            *((splines[:, kinds] * splines[:, [measure]])[bins.row] for measure in measures),
            repeated[:, kinds] * late,
        ],
    }


def _of_close_date(of_bin: pd.DataFrame) -> np.ndarray:
    gap = of_bin["close_date_gap"].to_numpy() / 5.0  # 1: 25 days
    without = np.isnan(gap)
    gap = np.where(without, 0.0, gap)
    columns = [without, gap, np.maximum(gap, 0), np.maximum(gap - 1, 0), np.maximum(gap + 1, 0)]
    return np.column_stack([*columns, of_bin["close_date_in_bin"]]).astype(np.float32)


def fit_logit(
    encoder: Encoder, landmarks: pd.DataFrame, bins: Bins, code: np.ndarray, weight: np.ndarray
) -> SplineLogit:
    """Fit both steps. ``code``: what happened in each bin (1 won, 0 ended otherwise, -1 nothing).

    Every quarter of the calendar has an effect of its own. Without it, good and bad times would be laid to whatever
    goes along with the calendar (ages, in a young book), and the latest of them carried on into the next quarter. What
    quarters of the same season have in common is carried on: their season.
    """
    x = spline_design(encoder, landmarks, bins)
    centre = x.mean(axis=0, dtype=np.float64)
    scale = x.std(axis=0, dtype=np.float64, mean=centre[None])
    kept = np.flatnonzero(scale > 1e-6)
    reach, kinds, of_time = _prior(encoder, landmarks, bins)
    scale = scale / reach
    centre, scale = centre[kept].astype(np.float32), scale[kept].astype(np.float32)
    day = landmarks["landmark_day"].to_numpy()
    quarter = quarters(day, bins)
    part = watched_part(day, bins, quarter)
    z = np.empty((len(x), len(kept) + quarter.max(initial=-1) + 1), np.float32)
    x.take(kept, axis=1, out=z[:, : len(kept)])  # a row in one piece, as the fits want it
    _standardised(z[:, : len(kept)], centre, scale)
    lowest, highest = (end(z[:, : len(kept)], axis=0, initial=0.0) for end in (np.min, np.max))
    lowest[of_time[kept]], highest[of_time[kept]] = -np.inf, np.inf
    z[:, len(kept) :] = _of_quarters(quarter)
    kinds = np.r_[kinds[kept], np.full(z.shape[1] - len(kept), -1)]
    not_won, season = code != WON, season_of(landmarks, bins)
    steps = [
        partial(_fit_step, z, code == WON, weight, quarter, season, part=part, kinds=kinds),
        partial(
            _fit_step,
            *(z[not_won], code[not_won] == OTHER, weight[not_won], quarter[not_won], season[not_won]),
            part=part,
            kinds=kinds,
        ),
    ]
    (won, of_won, in_won, won_by), (other, of_other, in_other, other_by) = side_by_side(steps)
    return SplineLogit(
        encoder=encoder,
        kept=kept,
        centre=centre,
        scale=scale,
        lowest=lowest,
        highest=highest,
        coef=(won, other),
        variance=(of_won, of_other),
        landmarks=landmarks,
        bins=bins,
        weight=weight,
        not_won=not_won,
        seasons=np.array([won_by, other_by]),
        times=(in_won[quarter], in_other[quarter]),
    )


def _of_quarters(quarter: np.ndarray) -> np.ndarray:
    """An indicator a quarter, so large that the prior of all coefficients gives its effect that of a quarter."""
    known = np.arange(quarter.max(initial=-1) + 1)
    return (quarter[:, None] == known).astype(np.float32) * np.float32(QUARTER_SD / PRIOR_VARIANCE**0.5)


def _fit_step(
    z: np.ndarray,
    happened: np.ndarray,
    weight: np.ndarray,
    quarter: np.ndarray,
    season: np.ndarray,
    *,
    part: np.ndarray,
    kinds: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Intercept (right in the mean of the quarters) and coefficients, variances of the priors of these; effects of the
    quarters, and of the seasons.

    The last columns of the design are those of the quarters; ``part``: how much of each was watched.
    """
    (found, variance), n_kept = fit_ridge(z, happened, weight, kinds), z.shape[1] - len(part)
    coef, effects = found[: n_kept + 1], found[n_kept + 1 :] * QUARTER_SD / PRIOR_VARIANCE**0.5
    usual = z[:, :n_kept] @ coef[1:].astype(np.float32) + np.float32(coef[0])
    p = expit(usual + effects[quarter])
    of_quarter = np.zeros(len(effects), dtype=int)
    of_quarter[quarter] = season
    by_season = season_effects(effects, np.bincount(quarter, weight * p * (1 - p), minlength=len(effects)), of_quarter)
    level = settled_level(usual + by_season[season], happened, quarter, weight, part)
    return coef + np.r_[level, np.zeros(n_kept)], variance[:n_kept], effects, by_season


def _prior(encoder: Encoder, landmarks: pd.DataFrame, bins: Bins) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many times as wide as that of the other columns the prior of each column of the design is, its kind if that
    is learned (else -1), and whether it is of the part ``time``, three arrays (n_columns,).

    When ends come at all, and that few come soon in an early stage, is no guess that has to be drawn to nothing. How
    much what a deal is counts otherwise later, or at the end of a quarter, differs from company to company.
    """
    few = landmarks.head(1)
    parts, (_, sources) = _parts(encoder, few, bins.take(np.arange(0))), encoder.splines(few)
    part = np.repeat(list(parts), [sum(block.shape[1] for block in blocks) for blocks in parts.values()])
    reach = np.select([part == "time", part == "kinds"], [TIME_REACH, KINDS_REACH], 1.0)
    reach[part == "deal"] = [STANDING_REACH if source in BY_TIME else 1.0 for source in sources]
    return reach, np.select([part == "along", part == "phase"], [ALONG, PHASE], -1), part == "time"


def _standardised(z: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """In place: a copy of a design costs as much as some steps of the fit."""
    z -= centre
    z /= scale
    return z
