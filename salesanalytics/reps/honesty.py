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
from salesanalytics.timeline.replay import OPEN
from salesanalytics.timeline.spells import recording_lag_days
from salesanalytics.timeline.values import fields_in

EVERY_DAYS = 91
FARTHEST_DAYS = 730  # a date typed as 2206 is an error of typing, not of judgement
COMMIT = "commit"
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # of the classes of stated probabilities
ODDS = EDGES[1:-1]


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
    rows, soon = _looked_at(book, as_of)
    won = rows["end"].eq("won")
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


def stated_odds(book: DealBook, *, as_of: Any, confidence: float = 0.9) -> pd.DataFrame:
    """Are a rep's odds honest? The chances he gave his open deals, in five classes, against the share won.

    The same deals and dates as in `forecast_honesty`; a deal counts once per rep and class. In each class the shares
    of the reps are drawn to one another as strongly as they are alike.

    Parameters
    ----------
    book : DealBook
    as_of : date
        End of that day, inclusive.
    confidence : float
        Of the intervals.

    Returns
    -------
    DataFrame, one row a rep and class of his probabilities
        ``rep_id``, ``said_from``, ``said_to`` (the class, upper end included), ``said`` (mean of his own
        probabilities), ``won`` (share won within 365 days), ``shrunk``, ``lower``, ``upper``, ``company`` (share won
        of all reps' deals of the class), ``n_deals``. Empty where the book keeps no probabilities.
    """
    columns = ["rep_id", "said_from", "said_to", "said", "won", "shrunk", "lower", "upper", "company", "n_deals"]
    if "probability" not in fields_in(book):
        return pd.DataFrame(columns=columns)
    rows, soon = _looked_at(book, as_of)
    said = as_probability(values_at(book, by="probability", deal_ids=rows["deal_id"], days=rows["landmark_day"]))
    rows = rows[["rep_id", "deal_id"]].assign(said=said, value=soon, odds=np.searchsorted(ODDS, said)).dropna()
    deals = rows.groupby(["odds", "rep_id", "deal_id"], as_index=False)[["said", "value"]].mean()
    found = []
    for odds, part in deals.groupby("odds"):
        drawn = _drawn_shares(part, confidence)
        drawn["said"] = part.groupby("rep_id")["said"].mean()
        ends = {"said_from": EDGES[odds], "said_to": EDGES[odds + 1], "company": part["value"].mean()}
        found.append(drawn.assign(**ends).reset_index())
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)
    return table[columns].sort_values(["rep_id", "said_from"], ignore_index=True)


def _looked_at(book: DealBook, as_of: Any) -> tuple[pd.DataFrame, pd.Series]:
    """Open deals every 91 days, at least 365 days ago, with their owner then; and which were won within 365 days.

    Deals that vanished undecided before that are left out, as in `outcome_rows`.
    """
    rows = landmark_rows(book, as_of=as_of, every_days=EVERY_DAYS)
    seen_to = as_of_day(book, as_of) - recording_lag_days(book, as_of=as_of)
    rows = rows[rows["landmark_day"] <= seen_to - HORIZON_DAYS]
    rows = rows[rows["end"].ne(OPEN) | (rows["duration_days"] >= HORIZON_DAYS)].reset_index(drop=True)
    rows["duration_days"] = rows["duration_days"].astype(float)
    rows["rep_id"] = owned_on(owner_spells(book, as_of=as_of), rows["deal_id"], rows["landmark_day"])
    return rows, (rows["end"].eq("won") & (rows["duration_days"] <= HORIZON_DAYS)).astype(float)


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
    names = {"shrunk": "commit_won", "lower": "commit_won_lower", "upper": "commit_won_upper", "n_deals": "n_commit"}
    deals = _of_deals(rows, values)
    if deals.empty:
        return pd.DataFrame(columns=list(names.values()), dtype=float)
    return _drawn_shares(deals, confidence)[list(names)].rename(columns=names)


def _drawn_shares(deals: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Share of each rep, drawn to that of all: ``won`` (raw), ``shrunk``, ``lower``, ``upper``, ``n_deals``."""
    grouped = deals.groupby("rep_id")["value"]
    n, share, centre = grouped.size(), grouped.mean(), float(deals["value"].mean())
    fit = pool_segments(share, n, centre=centre, centre_n=float(len(deals)), confidence=confidence)
    columns = {"won": share, "shrunk": fit["p"], "lower": fit["lower"], "upper": fit["upper"], "n_deals": n}
    return pd.DataFrame(columns, index=n.index)
