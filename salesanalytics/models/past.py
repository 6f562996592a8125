"""The past as a test: what each rung of the ladder would have said at past dates, and what became of the deals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from salesanalytics.book import DealBook
from salesanalytics.features.landmarks import landmark_days, with_ends
from salesanalytics.models.stage_rates import end_codes
from salesanalytics.models.supermodel import Bins, happened_in, observed_bins
from salesanalytics.models.told import JUDGED_DAYS, RUNGS, Told, predictions_made
from salesanalytics.timeline.calendar import as_of_day, quarter_of
from salesanalytics.timeline.spells import recording_lag_days

MIN_CLOSED = {"stage_table": 0, "logistic": 60, "blend": 300}
N_FITS, STEP_DAYS, MIN_STEP = 4, 91, 14
MIN_JUDGED = 50


@dataclass(frozen=True)
class Past:
    """What each rung would have said at past dates, from what was known then, and what became of the deals.

    Attributes
    ----------
    rows : DataFrame
        One row a past date and deal open then: ``origin_day``, ``deal_id``, ``landmark_day``, ``state``, ``amount``,
        ``between`` (see `Told`), ``code`` (1 won, 0 ended otherwise, -1 open), ``duration_days``, ``watched_days``.
    days : ndarray (n_days,)
        Days after the landmark at which chances are kept.
    p_won : dict of str to ndarray (n_rows, n_days)
        Chance of having been won by then, of each rung.
    bins, happened : Bins, ndarray
        The observed bins of the rows (dead stock left out), and what happened in each (1, 0, -1).
    log_odds : dict of str to ndarray (n_bins, 2)
        Of each rung but the first, in those bins.
    """

    rows: pd.DataFrame
    days: np.ndarray
    p_won: dict[str, np.ndarray]
    bins: Bins
    happened: np.ndarray
    log_odds: dict[str, np.ndarray]

    def within(self, rung: str, horizon_days: int) -> pd.DataFrame:
        """Past chances of one rung beside what happened, where the horizon was fully observed.

        Returns
        -------
        DataFrame, one row a deal and past date, of those a whole step apart
            ``origin_day``, ``deal_id``, ``p``, ``signed`` (0/1), ``amount``.
        """
        rows = self.rows.assign(p=np.clip(self.at(rung, horizon_days), 1e-6, 1 - 1e-6))
        rows["signed"] = (rows["code"].eq(1) & (rows["duration_days"] <= horizon_days)).astype(float)
        seen = (rows["watched_days"] >= horizon_days) & ~rows["between"]
        return rows.loc[seen, ["origin_day", "deal_id", "p", "signed", "amount"]].reset_index(drop=True)

    def at(self, rung: str, horizon_days: int) -> np.ndarray:
        """Chances of having been won within some days, of every row."""
        p, days = self.p_won[rung], self.days
        k = int(np.clip(np.searchsorted(days, horizon_days), 1, len(days) - 1))
        share = min((horizon_days - days[k - 1]) / (days[k] - days[k - 1]), 1.0)
        return np.asarray(p[:, k - 1] + share * (p[:, k] - p[:, k - 1]))

    def won_or_lost(self, rung: str) -> pd.DataFrame:
        """Past deals that ended, with the chance that their end, in the bin it fell into, would be a signing.

        Returns
        -------
        DataFrame, one row a past date and deal that ended in an observed bin
            ``deal_id``, ``p``, ``won`` (bool), ``from_day`` (first day of that bin: deals that ended at one time).
        """
        ended = self.happened >= 0
        won, other = self.log_odds[rung][ended].T
        # in logarithms: both chances may be as good as 0; the second step is of those not won
        gap = np.logaddexp(0, won) + np.logaddexp(0, -other) - np.logaddexp(0, -won)
        rows = self.rows.iloc[self.bins.row[ended]]
        told = {"deal_id": rows["deal_id"].to_numpy(), "p": expit(gap), "won": self.happened[ended] == 1}
        return pd.DataFrame(told | {"from_day": rows["landmark_day"].to_numpy() + self.bins.start[ended]})

    def losses(self) -> pd.DataFrame:
        """Log losses of "won within 28, 91, 182, 364 days" where that was fully observed.

        Returns
        -------
        DataFrame, one row a past deal and horizon
            ``deal_id``, ``horizon_days``, then a column a rung.
        """
        parts = []
        for horizon in JUDGED_DAYS:
            k = int(np.searchsorted(self.days, horizon))
            if k == len(self.days) or self.days[k] != horizon:
                continue
            seen = (self.rows["watched_days"] >= horizon).to_numpy()
            won = (self.rows["code"].eq(1) & (self.rows["duration_days"] <= horizon)).to_numpy()[seen]
            part = pd.DataFrame({"deal_id": self.rows["deal_id"].to_numpy()[seen], "horizon_days": horizon})
            for rung, p in self.p_won.items():
                chance = np.clip(p[seen, k], 0.001, 0.999)
                part[rung] = -np.log(np.where(won, chance, 1 - chance))
            parts.append(part)
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["deal_id", "horizon_days"])


def past_predictions(
    book: DealBook,
    *,
    as_of: Any,
    n_closed: int,
    edges: tuple[int, ...],
    every_days: int,
) -> Past | None:
    """Predictions of all rungs at up to twelve past dates; None where too little had happened before them.

    Four fits, half a year apart (less in a short book), each made of what was known at its date and asked there, in the
    middle of the quarter that follows and at its end, so that no deal is judged by a model that knew its end. Their
    dates do not depend on ``as_of``: a prediction is made once a book, whoever asks later.

    Parameters
    ----------
    book : DealBook
    as_of : date
        What became of the deals is told as known then.
    n_closed : int
        Deals that ended; decides which rungs are tried at all.
    edges : tuple of int
    every_days : int
    """
    seen_to = as_of_day(book, as_of) - recording_lag_days(book, as_of=as_of)
    days = landmark_days(book, before=seen_to, every_days=every_days)
    if not len(days):
        return None
    step = int(np.clip((seen_to - days.index[0]) // 8, MIN_STEP, STEP_DAYS))
    origins = _origins(seen_to - every_days - step, step, book.settings.fiscal_year_start)
    tried = tuple(rung for rung in RUNGS if n_closed >= MIN_CLOSED[rung])
    told = [
        one
        for one in predictions_made(book, origins, step=step, tried=tried, edges=edges, every_days=every_days)
        if one.asked_at + every_days + step <= seen_to
    ]
    if sum(len(one.rows) for one in told) < MIN_JUDGED:
        return None
    rows = with_ends(book, pd.concat([one.rows for one in told], ignore_index=True), as_of=as_of)
    rows["code"] = end_codes(rows.pop("end"))
    first = np.cumsum([0, *(len(one.rows) for one in told)])
    parts = [rows.iloc[a : a + len(one.rows)].reset_index(drop=True) for one, a in zip(told, first, strict=False)]
    return _joined([_with_outcomes(one, part) for one, part in zip(told, parts, strict=True)])


def _origins(latest: int, step: int, fiscal_year_start: int) -> list[int]:
    """Dates of the fits, the latest first: eves of every other quarter, on which forecasts are made; or closer ones."""
    if step < STEP_DAYS:
        return [(latest // (2 * step) - k) * 2 * step for k in range(N_FITS)]
    quarter = quarter_of(latest + 1, fiscal_year_start=fiscal_year_start)
    last = quarter.back((quarter.start.month - 1) // 3 % 2)  # the first or third of a calendar year
    return [last.back(2 * k).start_day - 1 for k in range(N_FITS)]


def _with_outcomes(told: Told, rows: pd.DataFrame) -> Past:
    """Past predictions beside what became of the deals; dead stock has no bins (its chance is capped)."""
    duration, code = rows["duration_days"].to_numpy(), rows["code"].to_numpy()
    watched = observed_bins(told.bins, duration=duration, watched=rows["watched_days"].to_numpy())
    watched &= ~told.dead[told.bins.row]
    bins = told.bins.take(watched)
    happened = happened_in(bins, duration=duration, code=code)
    log_odds = {rung: odds[watched] for rung, odds in told.log_odds.items()}
    return Past(rows.assign(origin_day=told.asked_at), told.days, told.p_won, bins, happened, log_odds)


def _joined(parts: list[Past]) -> Past:
    rungs = list(parts[0].p_won)
    sizes = np.cumsum([0, *(len(part.rows) for part in parts)])
    row = np.concatenate([part.bins.row + n for part, n in zip(parts, sizes[:-1], strict=True)])
    start, end, gap = (
        np.concatenate([getattr(part.bins, name) for part in parts]) for name in ("start", "end", "to_quarter_end")
    )
    return Past(
        rows=pd.concat([part.rows for part in parts], ignore_index=True),
        days=parts[0].days,
        p_won={rung: np.vstack([part.p_won[rung] for part in parts]) for rung in rungs},
        bins=Bins(row, start, end, gap),
        happened=np.concatenate([part.happened for part in parts]),
        log_odds={rung: np.vstack([part.log_odds[rung] for part in parts]) for rung in rungs[1:]},
    )
