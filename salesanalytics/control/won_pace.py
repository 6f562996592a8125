"""How long won deals took: the yardsticks of the rules of pace, from deals won and recorded before the date."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.control.known import Known

MIN_WON = 20  # deals a quantile rests on
SEGMENT = "deal_class"


def won_quantile(known: Known, quantile: float, *, min_n: int = MIN_WON) -> pd.Series:
    """Quantile of the days (holds left out) that won deals stayed in the stage of each open deal.

    Of deals of the same class where min_n of those were won through the stage, else of all; NaN below min_n.
    """
    rows = known.won_stays
    everyone = rows.groupby("stage")["days"].agg(n="size", q=lambda x: x.quantile(quantile))
    own = rows.groupby(["stage", SEGMENT])["days"].agg(n="size", q=lambda x: x.quantile(quantile))
    pooled = known.deals["s"].map(everyone["q"].where(everyone["n"] >= min_n)).astype(float)
    key = pd.MultiIndex.from_arrays([known.deals["s"], known.deals[SEGMENT]])
    special = own["q"].where(own["n"] >= min_n).reindex(key).to_numpy(dtype=float)
    return pd.Series(np.where(np.isnan(special), pooled, special), known.deals.index)


def won_stage_quantiles(known: Known, quantile: float) -> pd.Series:
    """Quantile of the days of won stays by stage; NaN where fewer than 20 deals were won through it."""
    grouped = known.won_stays.groupby("stage")["days"]
    return grouped.quantile(quantile).where(grouped.size() >= MIN_WON)
