"""The ladder: how much model the past of a book can carry."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from salesanalytics.models.past import MIN_CLOSED, Past
from salesanalytics.models.reliability import mean_difference
from salesanalytics.models.told import RUNGS


@dataclass(frozen=True)
class Rung:
    """Where a book stands on the ladder, and why.

    Attributes
    ----------
    name : str
        ``stage_table``, ``logistic`` or ``blend``.
    by_count, by_test : str
        Highest rung that the number of closed deals allows, and the one that the test out of time allows.
    n_closed : int
        Deals that ended by the date.
    n_judged : int
        Past predictions of the test (deal x horizon); 0: there was no past to test on.
    log_loss : dict of str to float
        Mean log loss of each rung in the test.
    """

    name: str
    by_count: str
    by_test: str
    n_closed: int
    n_judged: int
    log_loss: dict[str, float]


def choose_rung(past: Past | None, *, n_closed: int, fixed: str | None = None) -> Rung:
    """The lower of two: what the number of closed deals allows (60: logistic, 300: blend), and what the test allows.

    The test leaves the stage table for a rung that had the smaller mean log loss on past dates: for the blend, unless
    that was worse than the logistic regression by more than one standard error (clustered by deal: in a tie two views
    are worth more than one), else for the logistic regression. Without a past to test on nothing but the stage table is
    allowed. A ``fixed`` rung is taken, whatever they say.
    """
    by_count = next(rung for rung in reversed(RUNGS) if n_closed >= MIN_CLOSED[rung])
    losses = past.losses() if past is not None else pd.DataFrame()
    mean = {rung: float(losses[rung].mean()) for rung in RUNGS if rung in losses}
    by_test = RUNGS[0]
    better = [rung for rung in RUNGS[1:] if rung in mean and mean[rung] < mean[RUNGS[0]]]
    if better:
        by_test = better[-1]
        if len(better) == 2:
            gap = mean_difference(losses["blend"], losses["logistic"], cluster=losses["deal_id"])
            by_test = "blend" if gap.difference <= gap.se else "logistic"
    name = fixed or min(by_count, by_test, key=RUNGS.index)
    return Rung(name, by_count, by_test, n_closed, len(losses), mean)
