"""Every open deal with its chance of being signed by a date, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import AsOfError
from salesanalytics.features import snapshots
from salesanalytics.models.close_model import CloseModel, fitted_close_model
from salesanalytics.timeline.calendar import as_of_day, to_date, to_day, to_timestamps

HORIZON_DAYS = 730
CONFIDENCE = 0.8
QUANTILES = {"sign_q10": 0.1, "sign_q50": 0.5, "sign_q90": 0.9}


@dataclass(frozen=True)
class Scores:
    """Scored open deals with their signing curves.

    Attributes
    ----------
    deals : DataFrame
        One row an open deal, see `score_open_deals`.
    snapshot : DataFrame
        The snapshot they were scored on, row by row as ``deals``.
    days : ndarray (n_days,)
        Days from ``as_of``, 0, 1, 2, ...
    p_won : ndarray (n_deals, n_days)
        Chance of having signed by the end of each of them.
    """

    deals: pd.DataFrame
    snapshot: pd.DataFrame
    days: np.ndarray
    p_won: np.ndarray


def score_open_deals(book: DealBook, *, as_of: Any, until: Any) -> pd.DataFrame:
    """Chances of every open deal to be signed by a date, and when.

    The model is the `CloseModel` of the date, on the rung that the past of the book carries.

    Parameters
    ----------
    book : DealBook
    as_of : date
        What was known at the end of that day is used, nothing later.
    until : date
        Day by which a signing counts, inclusive; after ``as_of``. Beyond the days for which the book has watched open
        deals (`StageTable.watched_days_`) nothing is known, and chances stay as they are on the last of them.

    Returns
    -------
    DataFrame, one row an open (or paused) deal, largest expected amount first
        ``deal_id``, ``name``, ``rep_id``, ``state``, ``stage``, ``days_in_state``, ``age_days``, ``amount`` (NaN where
        none is known); ``p_won_until``, ``p_lost_until`` (any other end), ``p_open_until`` (sum 1); ``p_end_<end>``
        (what ``p_lost_until`` consists of); ``p_lower`` and ``p_upper`` (80 % interval of ``p_won_until``, which
        holds about nine of ten, see `CloseModel.predict`); ``p_won`` within 730 days; ``p_stage_table`` (the stage
        table alone), ``p_nominal`` (nominal rate of the stage), ``p_rep``, ``category``, ``close_date`` (the rep's own,
        missing where none); ``sign_q10``, ``sign_q50``, ``sign_q90`` (first days by which that share of its signings
        within 730 days has fallen; NaT where it hardly signs); ``expected_amount`` = ``p_won_until`` x ``amount``;
        ``n_pool`` (past deals that stood where it stands), ``older_than_any_win``, ``method`` (rung in use).

    Raises
    ------
    AsOfError
        ``as_of`` lies after the end of the book, or ``until`` not after ``as_of``.
    """
    day, last = as_of_day(book, as_of), to_day(until, name="until")
    if last <= day:
        raise AsOfError(f"until must lie after as_of {to_date(day)}, got {to_date(last)}.")
    model = fitted_close_model(book, as_of=to_date(day))
    return score_with(model, book, snapshots(book, as_of=to_date(day)), horizon_days=last - day).deals


def score_with(
    model: CloseModel, book: DealBook, snapshot: pd.DataFrame, *, horizon_days: int, intervals: bool = True
) -> Scores:
    """Score a snapshot of the date of a fitted model, with the whole curve of each deal; see `score_open_deals`.

    Without ``intervals`` only the chances, and not what `CloseModel.predict` leaves out then.
    """
    day = to_day(model.as_of_)
    days = np.arange(max(horizon_days, HORIZON_DAYS) + 1)
    confidence = CONFIDENCE if intervals else None
    found, curve = model.chances(snapshot, horizon_days=horizon_days, confidence=confidence, days=days)
    within = curve[:, : HORIZON_DAYS + 1]
    scored = snapshot[["deal_id", "rep_id", "state", "stage", "days_in_state", "age_days", "amount"]].copy()
    scored.insert(1, "name", scored["deal_id"].map(book.deals.set_index("deal_id")["name"]))
    chances = [c for c in found if c.startswith("p_")]
    scored = scored.join(found[chances])
    ever = within[:, -1]
    scored["p_won"] = ever if horizon_days > HORIZON_DAYS else np.maximum(ever, found["p_won_until"])
    scored["p_nominal"] = scored["stage"].map(dict(book.process.nominal_win_rates)).astype(float)
    scored["p_rep"], scored["category"] = snapshot["p_rep"], snapshot["category"]
    scored["close_date"] = to_timestamps(day + snapshot["days_to_close_date"])
    signs = (ever >= 0.001) & ~found["older_than_any_win"].to_numpy(dtype=bool)
    scored = scored.assign(**_signing_dates(within, signs, day))
    scored["expected_amount"] = scored["p_won_until"] * scored["amount"]
    scored = scored.join(found[["n_pool", "older_than_any_win", "method"]])
    order = scored.sort_values(["expected_amount", "p_won_until"], ascending=False, kind="stable").index
    place = snapshot.index.get_indexer(order)
    scored, snapshot = (x.loc[order].reset_index(drop=True) for x in (scored, snapshot))
    return Scores(scored, snapshot, days[: horizon_days + 1], curve[place, : horizon_days + 1])


def _signing_dates(p_won: np.ndarray, signs: np.ndarray, as_of: int) -> dict[str, Any]:
    """First days by which 10, 50, 90 % of a deal's signings within the horizon fall, from the chance by the end of
    every day (n_deals, n_days); NaT where it hardly signs at all.
    """
    total = p_won[:, -1:]
    dates = {}
    for name, share in QUANTILES.items():
        found = pd.Series(as_of + (p_won < share * total).sum(axis=1), dtype=float).where(signs)
        dates[name] = to_timestamps(found).to_numpy()
    return dates
