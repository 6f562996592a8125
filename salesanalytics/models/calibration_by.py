"""Calibration in the large by group: how many wins were expected of each, how many came."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.models.bands import jeffreys
from salesanalytics.models.reliability import mean_difference
from salesanalytics.models.shrinkage import effective_n

CONFIDENCE = 0.9


def expected_and_came(predictions: pd.DataFrame, *, by: str, method: str) -> pd.DataFrame:
    """Expected and come by horizon and group, see `ProbabilityBacktest.by`.

    Rows of one deal hang together: the standard error of the share that came, beside what was promised, is clustered by
    deal, and the interval is the Jeffreys one of so many plain trials; where none or all came, of the number of deals.
    """
    said = predictions.dropna(subset=[method])
    rows = []
    for (horizon, group), part in said.groupby(["horizon", by], sort=False, dropna=False):
        p, won = part[method].to_numpy(dtype=float), part["won"].to_numpy(dtype=float)
        n, share = len(part), won.mean()
        gap = mean_difference(won, p, cluster=part["deal_id"], confidence=CONFIDENCE)
        trials = effective_n(share, np.nan_to_num(gap.se), gap.n_clusters)
        lower, upper = (n * float(limit) for limit in jeffreys(share * trials, trials, confidence=CONFIDENCE))
        counts = {"n": n, "n_deals": gap.n_clusters, "expected": p.sum(), "won": int(won.sum())}
        rows.append({"horizon": horizon, by: group, **counts, "won_lower": lower, "won_upper": upper})
    columns = ["horizon", by, "n", "n_deals", "expected", "won", "won_lower", "won_upper"]
    found = pd.DataFrame(rows, columns=columns).sort_values(by, kind="stable")
    first = {horizon: k for k, horizon in enumerate(predictions["horizon"].unique())}
    return found.sort_values("horizon", key=lambda h: h.map(first), kind="stable").reset_index(drop=True)
