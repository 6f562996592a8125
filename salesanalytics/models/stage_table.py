"""The stage table: chance of signing by a date from the state a deal stands in and the days it has been there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.models.half_life import EVERY_DAYS, choose_half_life, half_life_weights
from salesanalytics.models.hardly_signs import NoneWon, none_won
from salesanalytics.models.incidence import Incidence, fit_incidence
from salesanalytics.models.influence import clustered_error, row_influence
from salesanalytics.models.shrinkage import effective_n
from salesanalytics.models.stage_rates import ENDS, WON, end_codes, rate_interval
from salesanalytics.timeline import landmark_rows
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.spells import longest_won_stays, recording_lag_days

MIN_DEALS = 30
AGE_FACTOR = 1.5
AGE_GRID = 1.1
STAGE_STRENGTH = 10.0
SHRUNK_AT = 365  # the day whose effective number of deals says how much a pool knows


@dataclass(frozen=True)
class _State:
    """Landmark rows of one state by days in it, the days since its deals came into it, ascending, and the incidence of
    all rows.
    """

    age: np.ndarray
    duration: np.ndarray
    codes: np.ndarray
    deal: np.ndarray
    weight: np.ndarray
    came_ago: np.ndarray
    oldest_won: int
    whole: Incidence


@dataclass(frozen=True)
class _Pool:
    """Landmark rows of one state around an age: how many deals, those among them that were not won at such an age, the
    incidence of all, and how much they know beside the state.
    """

    part: slice
    n: int
    not_won: NoneWon
    fit: Incidence
    known: float


class StageTable:
    """Life table of open deals by state and days in it, on landmarks ``every_days`` apart, shrunk to the state.

    The chance of a deal d days in its state pools the deals that stood there at ages d/1.5 to 1.5 d, at least 30 of
    them (else wider), and is drawn to all deals of the state as 10 deals would. In its state for longer than any won
    deal was, it is 0.5 / (n + 1), flagged, with n trials by the deals of the pool that stood there that long, as far as
    they were watched there (`NoneWon`); and it is no better than that of all deals of the state. So it is too, of the
    whole pool and not flagged, where no landmark met a deal that was won later. A state in which nobody stood on a
    landmark has the chance of all states. Above 10 days ages are rounded to 10 %, so that a pool serves its neighbours.
    Recent landmarks count more: the half-life of their weights is chosen on past origins (`choose_half_life`).

    Parameters
    ----------
    half_life_days : float, optional
        Fixes the half-life instead (``inf``: all landmarks count the same).
    ended : bool
        False: open deals. True: deals that had ended without being won (the chance that they come back and sign).
    every_days : int
        Distance of the landmarks.

    Attributes
    ----------
    half_life_days_ : float
        Half-life in use.
    rows_ : DataFrame
        The landmark rows it learned from, with ``code`` (-1 open, 0 another end, 1 won).
    states_ : dict
        The same by state, as arrays.
    anybody_ : _State or None
        All of them as one state.
    watched_days_ : int
        Days for which an open deal of the past can have been watched: of later signings the book can say nothing.
    """

    def __init__(
        self, *, half_life_days: float | None = None, ended: bool = False, every_days: int = EVERY_DAYS
    ) -> None:
        self.half_life_days = half_life_days
        self.ended = ended
        self.every_days = every_days

    def fit(self, book: DealBook, *, as_of: Any) -> StageTable:
        """Learn from everything known at ``as_of``."""
        rows = landmark_rows(book, as_of=as_of, ended=self.ended, every_days=self.every_days)
        self.rows_ = rows.assign(code=end_codes(rows["end"]), deal=pd.factorize(rows["deal_id"])[0])
        chosen = self.half_life_days or (np.inf if self.ended else choose_half_life(self.rows_))
        self.half_life_days_ = float(chosen)
        self._pools: dict[tuple[str, int, bool], _Pool] = {}
        weight = half_life_weights(rows["landmark_day"], self.half_life_days_)
        seen_to = as_of_day(book, as_of) - recording_lag_days(book, as_of=as_of)
        rows = self.rows_.assign(weight=weight, came_ago=seen_to - rows["landmark_day"] + rows["days_in_state"])
        self.watched_days_ = int(seen_to - rows["landmark_day"].min()) if len(rows) else 0
        longest = longest_won_stays(book, as_of=as_of)
        self.states_ = {
            state: _learn(part.sort_values("days_in_state", kind="stable"), longest.get(str(state), -1))
            for state, part in rows.groupby("state", sort=False)
        }
        self.anybody_ = _learn(rows, -1) if len(rows) else None
        return self

    def predict(
        self, deals: pd.DataFrame, *, horizon_days: Any, confidence: float | None = 0.8
    ) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
        """Chance of being won, and of another end, by each horizon.

        Parameters
        ----------
        deals : DataFrame
            One row a deal, with ``state`` and ``days_in_state``.
        horizon_days : array of int, ascending
            Days from now; the last one is where the interval is given.
        confidence : float, optional
            None: no interval (``p_lower``, ``p_upper`` are NaN), which is much faster.

        Returns
        -------
        p_won, p_other : ndarray (n_deals, n_horizons)
        pool : DataFrame, one row a deal, on the index of ``deals``
            ``p_lower``, ``p_upper`` (of ``p_won`` at the last horizon), ``n_pool`` (deals it rests on),
            ``older_than_any_win``.
        """
        horizons = np.atleast_1d(horizon_days)
        state, days = deals["state"], deals["days_in_state"].to_numpy()
        oldest = state.map({name: rows.oldest_won for name, rows in self.states_.items()}).to_numpy(dtype=float)
        keys = pd.DataFrame({"state": state.to_numpy(), "age": _grid(days), "older": days > oldest})
        code = keys.groupby([*keys], sort=False).ngroup().to_numpy()
        distinct = keys.drop_duplicates().itertuples(index=False)
        found = [self._pool(state, int(age), horizons, confidence, older=old) for state, age, old in distinct]
        shape = (len(found), len(horizons))
        won, other = (np.array([f[i] for f in found]).reshape(shape)[code] for i in (0, 1))
        columns = ["p_lower", "p_upper", "n_pool", "older_than_any_win"]
        pool = pd.DataFrame([f[2] for f in found], columns=columns).iloc[code].set_index(deals.index)
        return won, other, pool

    def _pool(
        self, state: str, age: int, horizons: np.ndarray, confidence: float | None, *, older: bool
    ) -> tuple[np.ndarray, np.ndarray, tuple[float, float, int, bool]]:
        rows = self.states_.get(state)
        if rows is None and self.anybody_ is None:
            return np.zeros(len(horizons)), np.zeros(len(horizons)), (0.0, 1.0, 0, True)
        if rows is None:  # nobody ever stood there on a landmark
            won, other = self._of_all(horizons)
            return won, other, (0.0, 1.0, 0, False)
        key = (state, age, older)
        if key not in self._pools:
            self._pools[key] = _pool_around(rows, age, older=older, every_days=self.every_days)
        pool = self._pools[key]
        n, fit = pool.n, pool.fit
        won, other = _at(fit, horizons, WON), _at(fit, horizons, 1 - WON)
        if older or not (rows.codes == WON).any():
            upper = np.nan if confidence is None else pool.not_won.upper(horizons[-1], confidence)
            return *self._hardly(pool.not_won, horizons, other, rows), (0.0, upper, n, older)
        # drawn to the state as much on every day, whatever is asked: so that chances rise with the date
        keep = pool.known / (pool.known + STAGE_STRENGTH)
        won = keep * won + (1 - keep) * _at(rows.whole, horizons, WON)
        other = keep * other + (1 - keep) * _at(rows.whole, horizons, 1 - WON)
        won = np.clip(won, 0.0, 1.0)  # weighted sums end a hair outside
        if confidence is None:
            return won, other, (np.nan, np.nan, n, False)
        known = _effective_deals(rows, pool.part, fit, n, int(horizons[-1])) + STAGE_STRENGTH
        lower, upper = rate_interval(won[-1], np.sqrt(won[-1] * (1 - won[-1]) / known), n, confidence)
        return won, other, (lower, upper, n, False)

    def _of_all(self, horizons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Chances of being won, and of another end, of all states together."""
        assert self.anybody_ is not None
        won, other = (_at(self.anybody_.whole, horizons, k) for k in (WON, 1 - WON))
        if (self.anybody_.codes == WON).any():
            return won, other
        everybody, days = self.anybody_, self.every_days
        not_won = none_won(everybody.deal, everybody.codes, everybody.came_ago, every_days=days)
        return self._hardly(not_won, horizons, other, everybody)

    def _hardly(
        self, not_won: NoneWon, horizons: np.ndarray, other: np.ndarray, state: _State
    ) -> tuple[np.ndarray, np.ndarray]:
        """Chances where none was won; what else may come shrinks by what may be won in the end.

        That of coming back is 0.
        """
        if self.ended:
            return np.zeros(len(horizons)), other
        at_last = np.append(horizons.astype(float), np.inf)
        usual = _at(state.whole, at_last, WON) if (state.codes == WON).any() else 1.0
        won = not_won.chances(at_last, at_most=usual)
        return won[:-1], other * (1 - won[-1])


def _pool_around(rows: _State, age: int, *, older: bool, every_days: int) -> _Pool:
    part = _around(rows, age)
    here = np.arange(len(rows.age))[part]
    if older:  # those that were won were younger
        here = here[rows.age[here] > rows.oldest_won]
    time_left = rows.came_ago - max(rows.oldest_won, 0)
    not_won = none_won(rows.deal[here], rows.codes[here], time_left, every_days=every_days)
    n = len(not_won.watched)
    fit = fit_incidence(rows.duration[part], rows.codes[part], ENDS, weight=rows.weight[part], errors=False)
    known = 0.0 if older else _effective_deals(rows, part, fit, n, SHRUNK_AT)
    return _Pool(part, n, not_won, fit, known)


def _effective_deals(rows: _State, part: slice, fit: Incidence, n: int, day: int) -> float:
    """So many deals, watched to the end, would tell the chance by a day as well."""
    duration, codes, deal, weight = (x[part] for x in (rows.duration, rows.codes, rows.deal, rows.weight))
    told = row_influence(fit, duration, codes, at_day=day, k=WON, weight=weight)
    se = clustered_error(told, deal, weight=weight)
    return float(effective_n(_at(fit, np.array([day]), WON)[0], se, n))


def _learn(part: pd.DataFrame, longest: int) -> _State:
    """``longest``: days of the longest stay of a won deal, which no landmark may have met at its end."""
    age, duration, code = (part[c].to_numpy(dtype="int64") for c in ("days_in_state", "duration_days", "code"))
    deal = pd.factorize(part["deal"])[0]
    weight = part["weight"].to_numpy(dtype=float)
    oldest = int(age[code == WON].max(initial=longest))
    stays = part[["deal", "came_ago"]].drop_duplicates()["came_ago"]
    whole = fit_incidence(duration, code, ENDS, weight=weight, errors=False)
    return _State(age, duration, code, deal, weight, np.sort(stays.to_numpy()), oldest, whole)


def _grid(days: np.ndarray) -> np.ndarray:
    """Ages rounded to 10 % above 10 days (where 10 % is a day)."""
    days = np.maximum(np.asarray(days, dtype=float), 0)
    coarse = np.round(AGE_GRID ** np.round(np.log(np.maximum(days, 1)) / np.log(AGE_GRID)))
    return np.where(days <= 10, days, coarse).astype("int64")


def _around(rows: _State, age: int) -> slice:
    """Landmarks at ages around the asked one, wide enough to hold 30 deals (or all there are)."""
    extra = 0
    while True:
        low, high = age / AGE_FACTOR - extra, age * AGE_FACTOR + extra
        part = slice(int(np.searchsorted(rows.age, low)), int(np.searchsorted(rows.age, high, side="right")))
        everything = part.start == 0 and part.stop == len(rows.age)
        if everything or _n_deals(rows.deal[part]) >= MIN_DEALS:
            return part
        extra = max(7, extra * 2)


def _n_deals(deal: np.ndarray) -> int:
    return int(np.count_nonzero(np.bincount(deal))) if len(deal) else 0


def _at(fit: Incidence, horizons: np.ndarray, k: int) -> np.ndarray:
    """Incidence at each horizon."""
    position = np.searchsorted(fit.days, horizons, side="right")
    return np.concatenate([[0.0], fit.p[:, k]])[position]
