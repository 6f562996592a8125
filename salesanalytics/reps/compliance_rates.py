"""Scores of groups from the conditions of their deals: raw, and drawn to the score of all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.models.pooling import pool_segments
from salesanalytics.models.shrinkage import effective_n

LATE = ("late", "back_filled")


def compliance_rates(rows: pd.DataFrame, *, by: str, confidence: float) -> pd.DataFrame:
    """One row a group of the conditions of `Compliance`, see `condition_compliance`; rows without a group are left out.

    The score is a ratio of sums over deals; deals are clusters (linearised variance), and the score counts as a rate
    with as many trials as give that variance.

    References
    ----------
    Cochran (1977), Sampling Techniques, section 6.3 (variance of a ratio).
    """
    rows = rows[rows[by].notna()]
    passed = rows[rows["left_to"].eq("passed")]
    groups = pd.Index(sorted(rows[by].unique()), name=by)
    table = _counts(passed, by).reindex(groups)
    counts = ["n_deals", "n_stages", "n_conditions"]
    table[counts] = table[counts].fillna(0).astype("int64")
    table["score"], table["shrunk"], table["lower"], table["upper"] = _shrunk(passed, by, groups, confidence)
    table["confidence"] = confidence
    done = passed[passed["status"].eq("done")]
    proved = done["weight"].where(done["evidence"].eq("buyer"), 0.0)
    table["buyer_share"] = proved.groupby(done[by]).sum() / done.groupby(by)["weight"].sum()
    due = passed.groupby(by)["due"].sum()
    for name, kinds in (("late_share", LATE), ("bulk_share", ("bulk",))):
        part = passed["due"].where(passed["status"].isin(kinds), 0.0)
        table[name] = part.groupby(passed[by]).sum() / due.where(due > 0)
    for left in ("ended", "open"):
        part = rows[rows["left_to"].eq(left)]
        table[f"n_{left}"] = _counts(part, by)["n_stages"].reindex(groups).fillna(0).astype("int64")
        sums = part.groupby(by)[["earned", "due"]].sum()
        table[f"{left}_score"] = sums["earned"] / sums["due"].where(sums["due"] > 0)
    return table.reset_index()


def _counts(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    due = rows[rows["due"] > 0]
    grouped = due.groupby(by)
    stages = due.drop_duplicates([by, "deal_id", "stage"]).groupby(by).size()
    counts = {"n_deals": grouped["deal_id"].nunique(), "n_stages": stages, "n_conditions": grouped.size()}
    return pd.DataFrame(counts, index=grouped.size().index)


def _shrunk(passed: pd.DataFrame, by: str, groups: pd.Index, confidence: float) -> tuple[np.ndarray, ...]:
    deals = passed.groupby([by, "deal_id"], as_index=False)[["earned", "due"]].sum()
    deals = deals[deals["due"] > 0]
    p, n_eff = _ratio(deals, deals[by], groups)
    everyone = pd.Index([0])
    centre, centre_n = _ratio(deals, pd.Series(0, deals.index), everyone)
    if not len(deals):
        nothing = np.full(len(groups), np.nan)
        return nothing, nothing, nothing, nothing
    fit = pool_segments(np.nan_to_num(p), n_eff, centre=centre[0], centre_n=centre_n[0], confidence=confidence)
    return p, fit["p"], fit["lower"], fit["upper"]


def _ratio(deals: pd.DataFrame, group: pd.Series, groups: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """Score of each group and the number of yes/no trials that would be as precise; no deal: NaN and 0."""
    sums = deals.groupby(group)[["earned", "due"]].sum()
    score = sums["earned"] / sums["due"]
    rest = deals["earned"] - deals["due"] * group.map(score)
    n = deals.groupby(group).size()
    variance = (rest**2).groupby(group).sum() / sums["due"] ** 2 * (n / (n - 1)).where(n > 1, 0.0)
    n_eff = pd.Series(effective_n(score, np.sqrt(variance), n), n.index)
    return score.reindex(groups).to_numpy(float), n_eff.reindex(groups).fillna(0.0).to_numpy(float)
