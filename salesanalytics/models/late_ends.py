"""Deals that stand open on a date and had ended by then: their end is recorded later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesanalytics.models.curves import incidence_at
from salesanalytics.models.supermodel import OTHER, WON, Bins

PRIOR_ENDS = 10.0  # of a state count as all states do
KINDS = (WON, OTHER)


@dataclass(frozen=True)
class LateEnds:
    """Of the ends in the first bin: the share that was dated up to the landmark itself, by state and kind of end.

    Attributes
    ----------
    share : DataFrame
        One row a state, and ``""`` for any other; columns ``WON``, ``OTHER``. 0 everywhere: ends are known at once.
    within_days : int
        End of the first bin.
    """

    share: pd.DataFrame
    within_days: int

    def incidence(
        self, bins: Bins, log_odds: np.ndarray, landmark_day: np.ndarray, days: np.ndarray, *, state: pd.Series
    ) -> tuple[np.ndarray, np.ndarray]:
        """`incidence_at`, where that share of what ends in the first bin has ended on day 0.

        Day 0 lies in the first bin, in which the hazard is constant. From the end of it on nothing changes.

        Parameters
        ----------
        bins, log_odds, landmark_day, days
            As of `incidence_at`.
        state : Series (n_landmarks,)
        """
        own = incidence_at(bins, log_odds, landmark_day, np.append(days, self.within_days))
        share = self.share.reindex(state).fillna(self.share.loc[""]).to_numpy(dtype=float) if len(state) else None
        if share is None or not share.any():
            return own[0][:, :-1], own[1][:, :-1]
        near = days < self.within_days
        won, other = (
            np.where(near, x[:, :-1] + share[:, [k]] * (x[:, -1:] - x[:, :-1]), x[:, :-1]) for k, x in enumerate(own)
        )
        return won, other


def fit_late_ends(rows: pd.DataFrame, *, within: int) -> LateEnds:
    """Count them in landmark rows (``state``, ``code``, ``duration_days``, ``watched_days``) watched so many days.

    A state is drawn to all states by 10 ends.
    """
    seen = rows[rows["watched_days"] >= within]
    soon, late = seen["duration_days"] <= within, seen["duration_days"] <= 0
    share = {}
    for kind in KINDS:
        here = pd.DataFrame({"soon": soon & seen["code"].eq(kind), "late": late & seen["code"].eq(kind)})
        by_state = here.groupby(seen["state"].to_numpy()).sum()
        overall = by_state["late"].sum() / max(by_state["soon"].sum(), 1)
        drawn = (by_state["late"] + PRIOR_ENDS * overall) / (by_state["soon"] + PRIOR_ENDS)
        share[kind] = pd.concat([drawn, pd.Series({"": overall})])
    return LateEnds(pd.DataFrame(share), within)
