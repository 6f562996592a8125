"""Where a process score comes from: what each rep leaves out by stage, and what each condition cost him."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.reps.compliance import FAILING, Compliance
from salesanalytics.reps.compliance_rates import LATE, compliance_rates

WEAK = "weak_proof"  # done, and the evidence counts for less than the whole weight
LOSSES = {"missing": ("missing", "undone"), "late": LATE, "bulk": ("bulk",), WEAK: ("done",)}


def condition_gaps(compliance: Compliance, *, confidence: float = 0.9) -> pd.DataFrame:
    """Score of each rep in each stage, drawn to that of all reps in the stage, and how far it lies below it.

    Parameters
    ----------
    compliance : Compliance
        Of `condition_compliance`.
    confidence : float
        Of the intervals.

    Returns
    -------
    DataFrame, one row a stage (in order of name) and rep
        ``stage``, ``rep_id``, ``n_deals`` and ``n_conditions`` due in stages passed, ``score`` (weight earned / weight
        due), ``shrunk``, ``lower``, ``upper``, ``company`` (score of all reps there), ``gap`` (company less shrunk:
        above 0 he does less than the others).
    """
    parts = []
    for stage, rows in compliance.conditions.groupby("stage"):
        rates = compliance_rates(rows, by="rep_id", confidence=confidence)
        passed = rows[rows["left_to"].eq("passed") & rows["rep_id"].notna()]
        due = passed["due"].sum()
        company = passed["earned"].sum() / due if due > 0 else np.nan
        parts.append(rates.assign(stage=stage, company=company, gap=company - rates["shrunk"]))
    columns = ["stage", "rep_id", "n_deals", "n_conditions", "score", "shrunk", "lower", "upper", "company", "gap"]
    return pd.concat(parts, ignore_index=True)[columns]


def score_losses(compliance: Compliance) -> pd.DataFrame:
    """Why each rep has the process score he has: what every condition cost him, and in which way.

    Stages passed only, as in the score. The points that a rep lost add up to 1 less his raw score.

    Parameters
    ----------
    compliance : Compliance
        Of `condition_compliance`.

    Returns
    -------
    DataFrame, one row a rep and condition that was due, the dearest first
        ``rep_id``, ``stage``, ``condition``, ``n`` (deals in which it was due), ``n_missing`` (not done, or taken
        back), ``n_late`` (typed in after the stage was left), ``n_bulk`` (ticked with many others), ``n_weak_proof``
        (done, without full proof), ``lost`` (share of the score lost by it), and of that ``lost_missing``,
        ``lost_late``, ``lost_bulk``, ``lost_weak_proof``.
    """
    rows = compliance.conditions
    rows = rows[rows["left_to"].eq("passed") & (rows["due"] > 0) & rows["rep_id"].notna()]
    short = rows["due"] - rows["earned"]
    columns = {"n": pd.Series(1, rows.index), "lost": short}
    for name, kinds in LOSSES.items():
        so = rows["status"].isin(kinds) & (short > 0)
        columns |= {f"n_{name}": so.astype(int), f"lost_{name}": short.where(so, 0.0)}
    key = ["rep_id", "stage", "condition"]
    table = pd.DataFrame(columns).groupby([rows[c] for c in key]).sum().reset_index()
    due = table["rep_id"].map(rows.groupby("rep_id")["due"].sum())
    shares = [c for c in table if str(c).startswith("lost")]
    table[shares] = table[shares].div(due, axis=0)
    order = [*key, "n", *(f"n_{name}" for name in LOSSES), "lost", *(f"lost_{name}" for name in LOSSES)]
    return table.sort_values(["rep_id", "lost"], ascending=[True, False], kind="stable", ignore_index=True)[order]


def open_gaps(compliance: Compliance) -> pd.DataFrame:
    """Conditions of the stages that deals are in now which are due and not yet earned: what can still be done.

    Returns
    -------
    DataFrame, one row a deal and condition
        ``rep_id``, ``deal_id``, ``stage``, ``condition``, ``status`` (why it does not count), ``weight``.
    """
    rows = compliance.conditions
    rows = rows[rows["left_to"].eq("open") & rows["status"].isin(FAILING) & rows["rep_id"].notna()]
    columns = ["rep_id", "deal_id", "stage", "condition", "status", "weight"]
    return rows.sort_values(columns[:4], kind="stable")[columns].reset_index(drop=True)
