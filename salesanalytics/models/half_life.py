"""How fast the past is forgotten: the half-life of the weights of past landmarks, chosen on past origins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.models.incidence import product_integral
from salesanalytics.models.stage_rates import ENDS, WON

HALF_LIVES = (np.inf, 1460.0, 730.0, 365.0)  # of equal ones the longest
EVERY_DAYS = 28
ORIGIN_DAYS, N_ORIGINS, MIN_ORIGINS = 84, 20, 4
MIN_ROWS = 30  # before an origin, and asked there


def half_life_weights(landmark_day: Any, half_life_days: float) -> np.ndarray:
    """Weight 1 at the last landmark, half as much a half-life earlier."""
    days = np.asarray(landmark_day, dtype=float)
    return 0.5 ** ((days.max() - days) / half_life_days) if len(days) else days


def seen_until(rows: pd.DataFrame) -> int:
    """Last date on the grid of the landmarks up to which all ends count as seen (the recording lag cuts the rest)."""
    end = int(rows["landmark_day"].max()) + EVERY_DAYS
    seen = int((rows["landmark_day"] + rows["duration_days"]).max())
    return end + EVERY_DAYS * min((seen - end) // EVERY_DAYS, 0)


def choose_half_life(rows: pd.DataFrame) -> float:
    """Half-life with the smallest log loss on past origins.

    At each of up to 20 origins (every 84 days, the last one 84 days before the end of what is seen) the rates of the
    states are made from what had happened by then, and judged on the deals that stood open there: signed within 84
    days or not. With fewer than 4 such origins all landmarks count the same.

    Parameters
    ----------
    rows : DataFrame
        Landmark rows with ``code`` (-1 open, 0 another end, 1 won).
    """
    if not len(rows):
        return np.inf
    columns = ("landmark_day", "duration_days", "code")
    landmark, duration, code = (rows[c].to_numpy(dtype="int64") for c in columns)
    state = pd.factorize(rows["state"])[0]
    origins = [seen_until(rows) - ORIGIN_DAYS * k for k in range(1, N_ORIGINS + 1)]
    losses = [_origin_losses(landmark, duration, code, state, int(o)) for o in origins]
    judged = np.array([loss for loss in losses if loss is not None])
    return HALF_LIVES[int(np.argmin(judged.mean(axis=0)))] if len(judged) >= MIN_ORIGINS else np.inf


def _origin_losses(
    landmark: np.ndarray, duration: np.ndarray, code: np.ndarray, state: np.ndarray, origin: int
) -> list[float] | None:
    """Log loss of each half-life at one origin; None where too little had happened."""
    past, asked = landmark < origin, (landmark >= origin) & (landmark < origin + EVERY_DAYS)
    if past.sum() < MIN_ROWS or asked.sum() < MIN_ROWS:
        return None
    seen = origin - landmark[past]
    code_then, duration_then = np.where(duration[past] <= seen, code[past], -1), np.minimum(duration[past], seen)
    weights = np.array([half_life_weights(landmark[past], half_life) for half_life in HALF_LIVES])
    p = np.clip(_signed_within(state[past], duration_then, code_then, weights, state.max() + 1), 0.001, 0.999)
    signed = ((code == WON) & (duration <= ORIGIN_DAYS))[asked]
    chance = p[:, state[asked]]
    return list(-np.log(np.where(signed, chance, 1 - chance)).sum(axis=1) / asked.sum())


def _signed_within(
    state: np.ndarray, duration: np.ndarray, code: np.ndarray, weights: np.ndarray, n_states: int
) -> np.ndarray:
    """Incidence of signing within 84 days under each row of weights, by state, (n_weights, n_states)."""
    code = np.where(duration > ORIGIN_DAYS, -1, code)
    n_days, n_codes = ORIGIN_DAYS + 2, len(ENDS) + 1
    cell = (state * n_days + np.minimum(duration, ORIGIN_DAYS + 1)) * n_codes + code + 1
    shape = (n_states, n_days, n_codes)
    left = np.array([np.bincount(cell, weight, np.prod(shape)).reshape(shape) for weight in weights])
    n_at_risk = left.sum(axis=-1)[..., ::-1].cumsum(axis=-1)[..., ::-1]
    p, _, _ = product_integral(left[..., 1:], n_at_risk)
    return p[..., -1, WON]
