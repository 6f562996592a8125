"""Where in the funnel a rep loses his deals: stages passed, by rep, drawn to what all reps pass there."""

from __future__ import annotations

from typing import Any

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.models import stage_flow
from salesanalytics.models.pooling import pool_segments
from salesanalytics.models.stage_rows import MISSING


def stage_conversion(book: DealBook, *, as_of: Any, confidence: float = 0.9) -> pd.DataFrame:
    """Share of deals that passed each stage, by the rep who owned them when they entered it.

    In each stage the shares of the reps are drawn to one another as strongly as they are alike. Decided deals only, as
    in `stage_flow`; the deals he was dealt are not allowed for (`evaluate_reps` does that).

    Parameters
    ----------
    book : DealBook
    as_of : date
        End of that day, inclusive.
    confidence : float
        Of the intervals.

    Returns
    -------
    DataFrame, one row a stage (in order) and rep
        ``stage``, ``rep_id``, ``n_decided``, ``n_passed``, ``pass_rate``, ``shrunk``, ``lower``, ``upper``,
        ``company`` (share that all reps passed there), ``gap`` (company less shrunk).
    """
    flow = stage_flow(book, as_of=as_of, by="rep_id")
    flow = flow[flow["rep_id"].ne(MISSING)]
    flow = flow.assign(n_decided=flow["n_entered"] - flow["n_undecided"])
    parts = []
    for _, rows in flow.groupby("stage", sort=False):
        rows = rows[rows["n_decided"] > 0]
        total = float(rows["n_decided"].sum())
        company = rows["n_passed"].sum() / total if total else float("nan")
        if total:
            rates = {"centre": company, "centre_n": total, "confidence": confidence}
            fit = pool_segments(rows["pass_rate"], rows["n_decided"], **rates)
            rows = rows.assign(shrunk=fit["p"], lower=fit["lower"], upper=fit["upper"], company=company)
            parts.append(rows.assign(gap=rows["company"] - rows["shrunk"]))
    columns = ["stage", "rep_id", "n_decided", "n_passed", "pass_rate", "shrunk", "lower", "upper", "company", "gap"]
    return pd.concat(parts)[columns].reset_index(drop=True) if parts else pd.DataFrame(columns=columns)
