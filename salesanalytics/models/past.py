"""The past as a test: what each rung of the ladder would have said at past dates, and what became of the deals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.features.landmarks import lot
from salesanalytics.models.curves import incidence_at, without_dead_stock
from salesanalytics.models.learners import Learners, fit_learners
from salesanalytics.models.stage_table import StageTable
from salesanalytics.models.supermodel import Bins, future_bins, happened_in, observed_bins

RUNGS = ("stage_table", "logistic", "blend")
MIN_CLOSED = {"stage_table": 0, "logistic": 60, "blend": 300}
JUDGED_DAYS = (28, 91, 182, 364)
N_FITS, STEP_DAYS, MIN_STEP = 4, 91, 14
ORIGIN_CAP = 3_000
MIN_HALF_LIFE = 730.0  # features follow the drift that the stage table can follow only by forgetting
MIN_CLOSED_THEN, MIN_JUDGED = 30, 50


@dataclass(frozen=True)
class Past:
    """What each rung would have said at past dates, from what was known then, and what became of the deals.

    Attributes
    ----------
    rows : DataFrame
        One row a past date and deal open then: ``origin_day``, ``deal_id``, ``landmark_day``, ``state``, ``amount``,
        ``code`` (1 won, 0 ended otherwise, -1 open), ``duration_days``, ``watched_days``.
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
        DataFrame, one row a past date and deal
            ``origin_day``, ``deal_id``, ``p``, ``signed`` (0/1), ``amount``.
        """
        rows = self.rows.assign(p=np.clip(self.at(rung, horizon_days), 1e-6, 1 - 1e-6))
        rows["signed"] = (rows["code"].eq(1) & (rows["duration_days"] <= horizon_days)).astype(float)
        seen = rows["watched_days"] >= horizon_days
        return rows.loc[seen, ["origin_day", "deal_id", "p", "signed", "amount"]].reset_index(drop=True)

    def at(self, rung: str, horizon_days: int) -> np.ndarray:
        """Chances of having been won within some days, of every row."""
        p, days = self.p_won[rung], np.concatenate([[0], self.days[self.days > 0]])
        p = np.hstack([np.zeros((len(p), 1)), p[:, self.days > 0]])
        k = int(np.clip(np.searchsorted(days, horizon_days), 1, len(days) - 1))
        share = min((horizon_days - days[k - 1]) / (days[k] - days[k - 1]), 1.0)
        return np.asarray(p[:, k - 1] + share * (p[:, k] - p[:, k - 1]))

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
    landmarks: pd.DataFrame,
    table: StageTable,
    *,
    n_closed: int,
    edges: tuple[int, ...],
    fiscal_year_start: int,
    every_days: int,
) -> Past | None:
    """Predictions of all rungs at up to eight past dates; None where too little had happened before them.

    Four fits, 182 days apart (less in a short book), each asked at its own date and half a step later, so that no
    deal is judged by a model that knew its end.

    Parameters
    ----------
    landmarks : DataFrame
        From `landmark_snapshots`, with ``code``.
    n_closed : int
        Deals that ended; decides which rungs are tried at all.
    """
    if not len(landmarks):
        return None
    tried = [rung for rung in RUNGS if n_closed >= MIN_CLOSED[rung]]
    first, seen_to = landmarks["landmark_day"].min(), (landmarks["landmark_day"] + landmarks["watched_days"]).max()
    step = int(np.clip((seen_to - first) // 8, MIN_STEP, STEP_DAYS))
    days = np.union1d(edges, [d for d in JUDGED_DAYS if d <= edges[-1]])
    grids: dict[str, Any] = {"edges": tuple(int(d) for d in days if d in edges), "fiscal_year_start": fiscal_year_start}
    parts = []
    for k in range(N_FITS):
        origin = int(seen_to) - every_days - step * (2 * k + 2)
        known = as_known(landmarks, origin)
        closed = known.loc[known["code"] >= 0, "deal_id"].nunique()
        if closed < MIN_CLOSED_THEN:
            break
        half_life = max(table.half_life_days_, MIN_HALF_LIFE)
        learners = None
        if len(tried) > 1:
            boosted = "blend" in tried
            learners = fit_learners(_capped(known), half_life_days=half_life, boosted=boosted, **grids)
        for asked_at in (origin, origin + step):
            asked = landmarks[landmarks["landmark_day"].between(asked_at, asked_at + every_days - 1)]
            if len(asked):
                asked = asked.reset_index(drop=True).assign(origin_day=asked_at)
                parts.append(_asked(asked, tried, learners, table.as_at(origin), days, grids))
    if sum(len(part.rows) for part in parts) < MIN_JUDGED:
        return None
    return _joined(parts)


def as_known(landmarks: pd.DataFrame, day: int) -> pd.DataFrame:
    """Landmark rows as they would have been at an earlier day: later landmarks dropped, later ends unseen."""
    rows = landmarks[landmarks["landmark_day"] < day]
    seen = day - rows["landmark_day"]
    return rows.assign(
        code=rows["code"].where(rows["duration_days"] <= seen, -1),
        duration_days=np.minimum(rows["duration_days"], seen),
        watched_days=np.minimum(rows["watched_days"], seen),
    ).reset_index(drop=True)


def _capped(rows: pd.DataFrame) -> pd.DataFrame:
    if len(rows) <= ORIGIN_CAP:
        return rows
    kept = lot(rows["deal_id"], rows["landmark_day"] + 1) < ORIGIN_CAP / len(rows)
    return rows[kept].reset_index(drop=True)


def _asked(
    asked: pd.DataFrame,
    tried: list[str],
    learners: Learners | None,
    table: StageTable,
    days: np.ndarray,
    grids: dict[str, Any],
) -> Past:
    landmark = asked["landmark_day"].to_numpy()
    duration, code = asked["duration_days"].to_numpy(), asked["code"].to_numpy()
    bins = future_bins(landmark, **grids)
    by_table, _, pool = table.predict(asked, horizon_days=days)
    p_won = {"stage_table": by_table}
    watched = observed_bins(bins, duration=duration, watched=asked["watched_days"].to_numpy())
    watched &= ~pool["older_than_any_win"].to_numpy(dtype=bool)[bins.row]  # their chance is capped, not recalibrated
    log_odds = {}
    for rung in tried[1:]:
        assert learners is not None
        odds = learners.log_odds(rung, asked, bins)
        p_won[rung] = without_dead_stock(incidence_at(bins, odds, landmark, days)[0], pool)
        log_odds[rung] = odds[watched]
    bins = bins.take(watched)
    columns = ["origin_day", "deal_id", "landmark_day", "state", "amount", "code", "duration_days", "watched_days"]
    happened = happened_in(bins, duration=duration, code=code)
    return Past(asked[columns], days, p_won, bins, happened, log_odds)


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
