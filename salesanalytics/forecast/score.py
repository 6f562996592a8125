"""Every open deal with its chance of being signed by a date, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import AsOfError
from salesanalytics.features import snapshots
from salesanalytics.models import StageTable
from salesanalytics.models.hindsight import SizeEffect, fit_size_effect, past_forecasts
from salesanalytics.timeline.calendar import as_of_day, to_date, to_day, to_timestamps

HORIZON_DAYS = 730
QUANTILES = {"sign_q10": 0.1, "sign_q50": 0.5, "sign_q90": 0.9}


@dataclass(frozen=True)
class Scores:
    """Scored open deals with their signing curves.

    Attributes
    ----------
    deals : DataFrame
        One row an open deal, see `score_open_deals`.
    days : ndarray (n_days,)
        Days from ``as_of``, 0, 1, 2, ...
    p_won : ndarray (n_deals, n_days)
        Chance of having signed by the end of each of them.
    """

    deals: pd.DataFrame
    days: np.ndarray
    p_won: np.ndarray


def score_open_deals(book: DealBook, *, as_of: Any, until: Any) -> pd.DataFrame:
    """Chances of every open deal, from its state and the days it has been there.

    The model is the stage table (`StageTable`), moved by deal size where past forecasts show that size matters.

    Parameters
    ----------
    book : DealBook
    as_of : date
        What was known at the end of that day is used, nothing later.
    until : date
        Day by which a signing counts, inclusive; after ``as_of``.

    Returns
    -------
    DataFrame, one row an open (or paused) deal, largest expected amount first
        ``deal_id``, ``name``, ``rep_id``, ``state``, ``stage``, ``days_in_state``, ``age_days``, ``amount`` (NaN where
        none is known); ``p_won_until``, ``p_lost_until`` (any other end), ``p_open_until`` (sum 1); ``p_lower`` and
        ``p_upper`` (80 % interval of ``p_won_until``); ``p_won`` within 730 days; ``p_stage_table`` (the stage
        table alone, without the effect of size), ``p_nominal`` (nominal rate of the stage), ``p_rep`` (the
        rep's own, NaN where none); ``sign_q10``, ``sign_q50``, ``sign_q90`` (dates by which that share of its signings
        within 730 days fall; NaT where it hardly signs); ``expected_amount`` = ``p_won_until`` x ``amount``;
        ``n_pool`` (past deals it rests on), ``older_than_any_win``.

    Raises
    ------
    AsOfError
        ``as_of`` lies after the end of the book, or ``until`` not after ``as_of``.
    """
    day, last = as_of_day(book, as_of), to_day(until, name="until")
    if last <= day:
        raise AsOfError(f"until must lie after as_of {to_date(day)}, got {to_date(last)}.")
    return fit_scorer(book, as_of=to_date(day), horizon_days=last - day).score(book).deals


@dataclass(frozen=True)
class Scorer:
    """The model in use: the stage table, moved by deal size where the past shows that size matters.

    Attributes
    ----------
    as_of : date
    horizon_days : int
    table : StageTable
    past : DataFrame
        Past forecasts of the same reach, by the model in use (`past_forecasts`).
    size : SizeEffect
    """

    as_of: date
    horizon_days: int
    table: StageTable
    past: pd.DataFrame
    size: SizeEffect

    def score(self, book: DealBook) -> Scores:
        """Score the open deals of the date, with the whole curve of each; see `score_open_deals`."""
        snapshot = snapshots(book, as_of=self.as_of)
        days = np.arange(self.horizon_days + 1)
        plain, p_other, pool = self.table.predict(snapshot, horizon_days=days)
        amount = snapshot["amount"].to_numpy(dtype=float)
        p_won = self.size.apply(plain, amount)
        rest = np.where(plain[:, -1] < 1, (1 - p_won[:, -1]) / np.maximum(1 - plain[:, -1], 1e-9), 1.0)
        later = np.append(np.arange(0, HORIZON_DAYS, 7), HORIZON_DAYS)
        far = self.size.apply(self.table.predict(snapshot, horizon_days=later)[0], amount)
        scored = snapshot[["deal_id", "rep_id", "state", "stage", "days_in_state", "age_days", "amount"]].copy()
        scored.insert(1, "name", scored["deal_id"].map(book.deals.set_index("deal_id")["name"]))
        until, other = p_won[:, -1], p_other[:, -1] * rest
        scored = scored.assign(p_won_until=until, p_lost_until=other, p_open_until=np.clip(1 - until - other, 0, 1))
        low, high = (self.size.apply(pool[c].to_numpy()[:, None], amount)[:, 0] for c in ("p_lower", "p_upper"))
        scored = scored.assign(p_lower=np.minimum(low, until), p_upper=np.maximum(high, until))
        within = np.maximum if self.horizon_days <= HORIZON_DAYS else np.minimum
        scored["p_won"] = within(far[:, -1], until)
        scored["p_stage_table"] = plain[:, -1]
        scored["p_nominal"] = scored["stage"].map(dict(book.process.nominal_win_rates)).astype(float)
        scored["p_rep"] = snapshot["p_rep"]
        signs = (far[:, -1] >= 0.001) & ~pool["older_than_any_win"].to_numpy(dtype=bool)
        scored = scored.assign(**_signing_dates(far, later, signs, to_day(self.as_of)))
        scored["expected_amount"] = scored["p_won_until"] * scored["amount"]
        scored = scored.assign(n_pool=pool["n_pool"], older_than_any_win=pool["older_than_any_win"])
        order = scored.sort_values(["expected_amount", "p_won_until"], ascending=False, kind="stable").index
        return Scores(scored.loc[order].reset_index(drop=True), days, p_won[snapshot.index.get_indexer(order)])


def fit_scorer(book: DealBook, *, as_of: date, horizon_days: int) -> Scorer:
    """Fit the stage table, look at its past forecasts, and let them say whether size matters."""
    table = StageTable().fit(book, as_of=as_of)
    past = past_forecasts(book, table, horizon_days=horizon_days)
    size = fit_size_effect(past)
    if size.is_used:
        moved = [
            size.apply(part[["p"]].to_numpy(dtype=float), part["amount"].to_numpy(dtype=float))[:, 0]
            for _, part in past.groupby("origin_day")
        ]
        past = past.sort_values("origin_day", kind="stable").assign(p=np.concatenate(moved))
    return Scorer(as_of, horizon_days, table, past, size)


def _signing_dates(p_won: np.ndarray, days: np.ndarray, signs: np.ndarray, as_of: int) -> dict[str, Any]:
    """Dates by which 10, 50, 90 % of a deal's signings within the horizon fall; NaT where it hardly signs at all."""
    total = p_won[:, -1:]
    dates = {}
    for name, share in QUANTILES.items():
        position = (p_won < share * total).sum(axis=1).clip(max=len(days) - 1)
        found = pd.Series(as_of + days[position], dtype=float).where(signs)
        dates[name] = to_timestamps(found).to_numpy()
    return dates
