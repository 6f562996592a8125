"""Whether chances tell successes from failures at all: the area under the ROC curve with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from salesanalytics.models.metrics import auc, probabilities_and_outcomes
from salesanalytics.models.reliability import clusters, students_t


@dataclass(frozen=True)
class AucInterval:
    """An area under the ROC curve and its interval, the deal as the unit.

    Attributes
    ----------
    auc, se, lower, upper : float
        NaN with one class; the interval also with one deal.
    n, n_clusters : int
        Rows and deals.
    confidence : float
    """

    auc: float
    se: float
    lower: float
    upper: float
    n: int
    n_clusters: int
    confidence: float

    @property
    def signal(self) -> bool:
        """Whether the whole interval lies above one half, where a coin lies."""
        return self.lower > 0.5


def auc_interval(p: Any, outcome: Any, *, cluster: Any, confidence: float = 0.9) -> AucInterval:
    """`auc` with a standard error that sums the placements within a deal first, Student's t with G - 1 degrees.

    The placement of a success is the share of failures it lies above, that of a failure the share of successes above
    it. With one row a deal the standard error is DeLong's but for his n - 1.

    Parameters
    ----------
    p, outcome, cluster, confidence : as in `reliability`

    Raises
    ------
    SchemaError
        As in `brier`, or ``cluster`` does not fit.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845; Obuchowski (1997), Biometrics 53, 567-578
    (clustered data).
    """
    p, won = probabilities_and_outcomes(p, outcome)
    deal, n_deals = clusters(cluster, len(p))
    area = auc(p, won)
    is_won = won == 1
    n_won, n_rest = int(is_won.sum()), int((~is_won).sum())
    if not n_won or not n_rest or n_deals < 2:
        return AucInterval(area, np.nan, np.nan, np.nan, len(p), n_deals, confidence)
    rank, influence = rankdata(p), np.empty(len(p))
    influence[is_won] = ((rank[is_won] - rankdata(p[is_won])) / n_rest - area) / n_won
    influence[~is_won] = (1 - (rank[~is_won] - rankdata(p[~is_won])) / n_won - area) / n_rest
    by_deal = np.bincount(deal, weights=influence)
    se = float(np.sqrt(n_deals / (n_deals - 1) * (by_deal**2).sum()))
    reach = students_t(confidence, n_deals) * se
    return AucInterval(area, se, max(area - reach, 0.0), min(area + reach, 1.0), len(p), n_deals, confidence)
