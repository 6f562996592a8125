"""Deals that stand open on a date and had ended by then: their end is recorded later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesanalytics.models.curves import incidence_at
from salesanalytics.models.supermodel import OTHER, WON, Bins

WITHIN_DAYS = 28
PRIOR_ENDS = 10.0  # of a state count as all states do
KINDS = (WON, OTHER)


@dataclass(frozen=True)
class LateEnds:
    """Ends dated up to the landmark for each one dated in the days after it, by state and kind of end.

    Attributes
    ----------
    ratio : DataFrame
        One row a state, and ``""`` for any other; columns ``WON``, ``OTHER``. 0 everywhere: ends are known at once.
    within_days : int
        What counts as the days after: up to here.
    """

    ratio: pd.DataFrame
    within_days: int

    def incidence(
        self, bins: Bins, log_odds: np.ndarray, landmark_day: np.ndarray, days: np.ndarray, *, state: pd.Series
    ) -> tuple[np.ndarray, np.ndarray]:
        """`incidence_at` of all deals that stand open; the bins speak of those that are open indeed.

        A deal had ended already with a chance in proportion to its own chance of ending soon: what makes it end soon
        had made it end.

        Parameters
        ----------
        bins, log_odds, landmark_day, days
            As of `incidence_at`.
        state : Series (n_landmarks,)
        """
        asked = np.append(days, self.within_days)
        own = incidence_at(bins, log_odds, landmark_day, asked)
        ratio = self.ratio.reindex(state).fillna(self.ratio.loc[""]).to_numpy(dtype=float)
        already = ratio * np.column_stack([x[:, -1] for x in own])
        still = 1 / (1 + already.sum(axis=1, keepdims=True))  # so that all chances sum to 1
        won, other = (still * (already[:, [k]] + x[:, :-1]) for k, x in enumerate(own))
        return won, other


def fit_late_ends(rows: pd.DataFrame, *, last_day: int) -> LateEnds:
    """Count both in landmark rows (``state``, ``code``, ``duration_days``, ``watched_days``).

    Of the rows watched for 28 days (or ``last_day`` if that is less), which a deal crosses about once; a state is drawn
    to all states by 10 ends.
    """
    within = min(WITHIN_DAYS, last_day)
    seen = rows[rows["watched_days"] >= within]
    before, after = seen["duration_days"] <= 0, seen["duration_days"].between(1, within)
    ratio = {}
    for kind in KINDS:
        here = pd.DataFrame({"before": before & seen["code"].eq(kind), "after": after & seen["code"].eq(kind)})
        by_state = here.groupby(seen["state"].to_numpy()).sum()
        overall = by_state["before"].sum() / max(by_state["after"].sum(), 1)
        drawn = (by_state["before"] + PRIOR_ENDS * overall) / (by_state["after"] + PRIOR_ENDS)
        ratio[kind] = pd.concat([drawn, pd.Series({"": overall})])
    return LateEnds(pd.DataFrame(ratio), within)
