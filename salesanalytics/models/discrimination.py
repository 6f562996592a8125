"""Whether chances tell successes from failures at all: the area under the ROC curve with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.models.metrics import probabilities_and_outcomes
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


def auc_interval(p: Any, outcome: Any, *, cluster: Any, stratum: Any = None, confidence: float = 0.9) -> AucInterval:
    """`auc` with a standard error that sums the placements within a deal first, Student's t with G - 1 degrees.

    The placement of a success is the number of failures it lies above, that of a failure the number of successes above
    it. With one row a deal the standard error is DeLong's but for his n - 1.

    Parameters
    ----------
    p, outcome, cluster, confidence : as in `reliability`
    stratum : array (n_rows,), optional
        Such as times: only successes and failures of the same stratum are compared, and the interval is the wider of
        two, with the deal and with the stratum as the unit, for a time can favour all deals of a kind at once.

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
    rows = pd.DataFrame(
        {"p": p, "won": won == 1, "stratum": 0 if stratum is None else pd.factorize(np.asarray(stratum))[0]}
    )
    both = [rows.groupby(keys)["p"] for keys in ("stratum", ["stratum", "won"])]
    n_all, n_own = (group.transform("size") for group in both)
    below = both[0].rank() - both[1].rank()  # rows of the other outcome, in the same stratum
    placed, n_other = below.where(rows["won"], n_all - n_own - below), n_all - n_own
    pairs = float(n_other[rows["won"]].sum())
    area = float(placed[rows["won"]].sum() / pairs) if pairs else np.nan
    told = rows.loc[n_other > 0, "stratum"].nunique()
    if not pairs or n_deals < 2:
        return AucInterval(area, np.nan, np.nan, np.nan, len(p), n_deals, confidence)
    influence = ((placed - area * n_other) / pairs).to_numpy()
    errors = [(_clustered(influence, deal, n_deals), n_deals)]
    if told > 1:
        errors.append((_clustered(influence, rows["stratum"].to_numpy(), told), told))
    se, n = max(errors, key=lambda one: one[0] * students_t(confidence, one[1]))
    reach = students_t(confidence, n) * se
    return AucInterval(area, se, max(area - reach, 0.0), min(area + reach, 1.0), len(p), n_deals, confidence)


def _clustered(influence: np.ndarray, unit: np.ndarray, n: int) -> float:
    """Standard error with a unit whose rows are summed first."""
    return float(np.sqrt(n / (n - 1) * (np.bincount(unit, weights=influence) ** 2).sum()))
