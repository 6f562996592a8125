"""Stays of deals in the seller's stages: a hold interrupts the clock and not the stay."""

from __future__ import annotations

import numpy as np
import pandas as pd


def stays(rows: pd.DataFrame, *, n_stages: int, n_pauses: int, day: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stays in stages and holds, from the known stage rows of deals.

    Parameters
    ----------
    rows : DataFrame
        ``deal``, ``day``, ``code`` (stages, then pauses, then ends), by deal and in the order of what happened.
    day : int
        The date of looking; what is not over lasts until then.

    Returns
    -------
    stays : DataFrame, one row a deal and stay
        ``deal``, ``stage`` (order), ``entered_day``, ``left_day`` (NaN: not left), ``next_code`` (stage or end that
        followed, NaN: none), ``before_code`` (what preceded, NaN: nothing), ``hold_days``, ``days`` (holds left out).
    holds : DataFrame, one row a hold
        ``deal``, ``start``, ``end``.
    """
    deal, code, at = (rows[c].to_numpy() for c in ("deal", "code", "day"))
    is_stage = code <= n_stages
    is_pause = ~is_stage & (code <= n_stages + n_pauses)
    moving = pd.Series(np.where(is_pause, np.nan, code)).groupby(deal).ffill()
    before = moving.groupby(deal).shift().to_numpy()
    begins = is_stage & (before != code)
    number = np.cumsum(begins) - 1
    following = pd.Series(at).groupby(deal).shift(-1).fillna(day).to_numpy()
    holds = pd.DataFrame({"deal": deal, "start": at, "end": following})[is_pause]
    interrupts = is_pause & (moving <= n_stages)  # a hold before the first stage, or after an end, is of no stay
    held = np.bincount(number[interrupts], (following - at)[interrupts], begins.sum())
    edge = begins | (code > n_stages + n_pauses)
    edges = pd.DataFrame({"deal": deal[edge], "code": code[edge], "day": at[edge]})
    after = edges.groupby("deal")[["day", "code"]].shift(-1)[begins[edge]]
    found = pd.DataFrame(
        {
            "deal": deal[begins],
            "stage": code[begins],
            "entered_day": at[begins],
            "left_day": after["day"].to_numpy(),
            "next_code": after["code"].to_numpy(),
            "before_code": before[begins],
            "hold_days": held,
        }
    )
    found["days"] = found["left_day"].fillna(day) - found["entered_day"] - found["hold_days"]
    return found, holds.reset_index(drop=True)


def held_days(holds: pd.DataFrame, since: pd.Series, day: int) -> pd.Series:
    """Days on hold after ``since`` (by deal, days since 1970-01-01) and up to ``day``; 0 without, NaN where NaN."""
    start = np.maximum(holds["start"].to_numpy(), since.reindex(holds["deal"]).to_numpy(dtype=float))
    length = np.clip(np.minimum(holds["end"].to_numpy(), day) - start, 0, None)
    total = pd.Series(length).groupby(holds["deal"].to_numpy()).sum()
    return total.reindex(since.index).fillna(0.0).where(since.notna())
