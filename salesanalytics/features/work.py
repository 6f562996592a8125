"""Features of the work on a deal: the three clocks, what was done, activity, people, the rep's own view.

Pure functions of a snapshot, as in `salesanalytics.features.history`; all NaN where the book keeps no such field.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.features.history import columns


def three_clocks(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Seller's stage s, buyer's stage b (order of the last one known), milestones done in a row m.

    ``supported_rank`` = min(s, b, m + 1) is the stage that the evidence supports; ``buyer_lag`` = s - b (positive: we
    are ahead of the customer).
    """
    seller, buyer = snapshot["stage_rank"].astype(float), snapshot["buyer_rank"]
    supported = np.fmin(np.fmin(seller, buyer), snapshot["milestones_in_row"] + 1)  # of those that are known
    return columns(
        snapshot,
        {
            "stage_rank": snapshot["stage_rank"],
            "buyer_rank": buyer,
            "milestones_in_row": snapshot["milestones_in_row"],
            "supported_rank": supported,
            "buyer_lag": seller - buyer,
        },
    )


def work_done(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Milestones done, and the share (by weight) of the conditions done of the stages up to the highest reached."""
    return columns(snapshot, {name: snapshot[name] for name in ("n_milestones", "conditions_share")})


def activity(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Days since the last activity, and since the last one in which the customer took part; days by which the next
    step is overdue (negative: still ahead).
    """
    day = snapshot["as_of_day"]
    return columns(
        snapshot,
        {
            "days_since_activity": day - snapshot["last_activity_day"],
            "days_since_inbound": day - snapshot["last_inbound_day"],
            "next_step_overdue_days": day - snapshot["next_step_last"],
        },
    )


def people(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Roles reached, worst and mean stance, whether a rival is known, whether a quote went out before the decision
    maker was met.
    """
    quoted, met = snapshot["quote_day"], snapshot["dm_day"].fillna(np.inf)
    return columns(
        snapshot,
        {
            "n_roles": snapshot["n_roles"],
            "stance_min": snapshot["stance_min"],
            "stance_mean": snapshot["stance_mean"],
            "competitor_known": snapshot["competitor"].notna(),
            "quote_before_decision_maker": quoted.notna() & (quoted < met),
        },
    )


def rep_view(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """The rep's own probability (0..1) and category."""
    return columns(snapshot, {"p_rep": as_probability(snapshot["probability"]), "category": snapshot["category"]})


def as_probability(texts: pd.Series) -> pd.Series:
    """0.6, 0,6, 60, 60% and 60％ all mean 0.6; what lies outside 0..1 after that is no probability (NaN)."""
    given = texts[texts.notna()].astype(object).str.normalize("NFKC").str.replace(",", ".", regex=False)
    p = pd.to_numeric(given.str.rstrip("% "), errors="coerce").astype(float)
    p = p.where(p.le(1) & ~given.str.endswith("%"), p / 100)
    return p.where(p.between(0, 1)).reindex(texts.index)


WORK_FEATURES = (three_clocks, work_done, activity, people, rep_view)
