"""Does a rep know where his deals stand? His dates, probabilities and categories against what came of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.features.work import as_probability
from salesanalytics.models.pooling import pool_segments
from salesanalytics.reps.means import shrunk_means
from salesanalytics.reps.outcomes import HORIZON_DAYS
from salesanalytics.timeline import landmark_rows
from salesanalytics.timeline.asof_values import values_at
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.openings import last_numbers, owned_on, owner_spells
from salesanalytics.timeline.values import fields_in

EVERY_DAYS = 91
FARTHEST_DAYS = 730  # a date typed as 2206 is an error of typing, not of judgement
COMMIT = "commit"


def forecast_honesty(book: DealBook, *, as_of: Any, confidence: float) -> pd.DataFrame:
    """What reps said of their open deals every 91 days, at least 365 days ago, against what came of them.

    Deals count once per rep, as the mean over the dates; all figures are drawn to those of all reps.

    Returns
    -------
    DataFrame, one row a rep
        ``rep_id``; ``date_bias_days`` (signing later than he said, days; deals later won), ``date_bias_lower``,
        ``date_bias_upper``, ``n_dates``; ``p_bias`` (his probability less the share won within 365 days: above 0 is
        too hopeful), ``p_bias_lower``, ``p_bias_upper``, ``n_p``; ``commit_won`` (of what he called commit, the share
        won within 365 days), ``commit_won_lower``, ``commit_won_upper``, ``n_commit``. NaN where the book keeps no
        such field.
    """
    rows = landmark_rows(book, as_of=as_of, every_days=EVERY_DAYS)
    rows = rows[rows["landmark_day"] <= as_of_day(book, as_of) - HORIZON_DAYS].reset_index(drop=True)
    rows["duration_days"] = rows["duration_days"].astype(float)
    rows["rep_id"] = owned_on(owner_spells(book, as_of=as_of), rows["deal_id"], rows["landmark_day"])
    won = rows["end"].eq("won")
    soon = (won & (rows["duration_days"] <= HORIZON_DAYS)).astype(float)
    asked = {"deal_ids": rows["deal_id"], "days": rows["landmark_day"].astype("int64")}
    fields, nothing = fields_in(book), pd.Series(np.nan, rows.index)
    late = nothing
    if "close_date" in fields:
        said = last_numbers(book, "close_date", **asked)
        late = (rows["landmark_day"] + rows["duration_days"] - said).clip(-FARTHEST_DAYS, FARTHEST_DAYS).where(won)
    hopeful = nothing
    if "probability" in fields:
        hopeful = as_probability(values_at(book, by="probability", **asked)) - soon
    commit = nothing
    if "category" in fields:
        commit = soon.where(values_at(book, by="category", **asked).eq(COMMIT))
    parts = [
        _drawn(rows, late.astype(float), ("date_bias_days", "date_bias", "n_dates"), confidence),
        _drawn(rows, hopeful.astype(float), ("p_bias", "p_bias", "n_p"), confidence),
        _shares(rows, commit.astype(float), confidence),
    ]
    reps = pd.Index(sorted(rows["rep_id"].dropna().unique()), name="rep_id")
    return pd.concat([part.reindex(reps) for part in parts], axis=1).reset_index()


def _of_deals(rows: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """One value a deal and rep."""
    known = rows[["rep_id", "deal_id"]].assign(value=values).dropna()
    return known.groupby(["rep_id", "deal_id"], as_index=False)["value"].mean()


def _drawn(rows: pd.DataFrame, values: pd.Series, names: tuple[str, str, str], confidence: float) -> pd.DataFrame:
    deals = _of_deals(rows, values)
    found = shrunk_means(deals["value"], deals["rep_id"], confidence=confidence)
    mean, stem, n = names
    named = {"mean": mean, "lower": f"{stem}_lower", "upper": f"{stem}_upper", "n": n}
    return found.rename(columns=named)[list(named.values())]


def _shares(rows: pd.DataFrame, values: pd.Series, confidence: float) -> pd.DataFrame:
    deals = _of_deals(rows, values)
    names = ["commit_won", "commit_won_lower", "commit_won_upper", "n_commit"]
    if deals.empty:
        return pd.DataFrame(columns=names, dtype=float)
    grouped = deals.groupby("rep_id")["value"]
    n, share, centre = grouped.size(), grouped.mean(), float(deals["value"].mean())
    fit = pool_segments(share, n, centre=centre, centre_n=float(len(deals)), confidence=confidence)
    columns = [fit["p"], fit["lower"], fit["upper"], n.to_numpy()]
    return pd.DataFrame(dict(zip(names, columns, strict=True)), index=n.index)
