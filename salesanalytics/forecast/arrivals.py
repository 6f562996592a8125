"""Deals that are not in the book yet: created but not recorded, and not created at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.forecast.arrival_rate import ArrivalRate, fit_arrival_rate
from salesanalytics.models.incidence import fit_incidence
from salesanalytics.models.stage_rates import ENDS, WON, end_codes
from salesanalytics.timeline import amounts
from salesanalytics.timeline.calendar import QUARTER_DAYS, as_of_day
from salesanalytics.timeline.spells import known_outcomes, observed_from

YOUNG_DAYS = 4 * 364  # the incidence of signing is that of deals not older
MIN_AT_RISK = 30
FEWER = 0.9  # deals typed in later than a day get a curve of their own where they are so many times those before
N_WON = 400


@dataclass(frozen=True)
class Arrivals:
    """What is known of deals to come, as of a date.

    Attributes
    ----------
    created : ndarray of int
        Days of creation that the rate rests on.
    created_from : int
        The first day of which they would tell.
    rate : ArrivalRate
        Deals created a day, past and to come, those not recorded yet allowed for.
    recorded_share : ndarray
        G: share of deals recorded within 0, 1, 2, ... days of their creation.
    sign_by_age : ndarray
        Incidence of signing by age in days since creation.
    won_ages : ndarray of int
        Age at signing of past wins whose amount is known, in days since creation.
    won_amounts : ndarray
        Their amounts.
    sign_if_late : tuple of (int, ndarray)
        A day, and the incidence of signing by age of the deals recorded later than so many days after their creation;
        ascending, the last one holds from its day on. Empty: no deal tells.
    won_weight : ndarray or float
        How much each of the past wins counts by its segment (`salesanalytics.forecast.lent_amounts.LentAmounts`).
    """

    created: np.ndarray
    created_from: int
    rate: ArrivalRate
    recorded_share: np.ndarray
    sign_by_age: np.ndarray
    won_ages: np.ndarray
    won_amounts: np.ndarray
    sign_if_late: tuple[tuple[int, np.ndarray], ...] = ()
    won_weight: np.ndarray | float = 1.0

    def signing_share(self, ages_from: np.ndarray, ages_to: np.ndarray) -> np.ndarray:
        """Chance of signing after age ``ages_from`` and by age ``ages_to`` (negative: not born yet)."""
        return _by(self.sign_by_age, ages_to) - _by(self.sign_by_age, ages_from)

    def late_signing_share(self, waited: np.ndarray, ages_from: np.ndarray, ages_to: np.ndarray) -> np.ndarray:
        """The same of deals that are not recorded yet ``waited`` days after their creation.

        Where deals are typed in when they become serious, one that is not yet has a long way to go.
        """
        share = self.signing_share(ages_from, ages_to)
        for day, curve in self.sign_if_late:
            share = np.where(waited >= day, _by(curve, ages_to) - _by(curve, ages_from), share)
        return share


def fit_arrivals(book: DealBook, *, as_of: Any) -> Arrivals:
    """Level and spread of creations over the past, recording lag, and incidence of signing by age.

    The recording lag is estimated in reverse time, since a lag longer than the time since creation cannot have been
    seen yet (right truncation). Of deals created before the book knows of any, only those that lasted are in it: they
    say nothing of lag and level, and count for the incidence from that day on (late entry). Nor does its first day
    tell of the level: what was open by then is often dated on it (an import).

    References
    ----------
    Lagakos, Barraj & De Gruttola (1988), Biometrika 75, 515-523.
    """
    day = as_of_day(book, as_of)
    known = known_outcomes(book, day)
    created, known_from = known["created_day"].to_numpy(), known["known_from"].to_numpy()
    since, first, told = day - created, int(known_from.min(initial=day)), book.told_when_recorded(day)
    watched, young = created > first, since < YOUNG_DAYS
    lag = (known_from - created)[watched]
    share = recorded_share(lag, since[watched]) if told else np.ones(1)
    counted = created[watched] if day - first >= QUARTER_DAYS else created[created != first]
    begin = int(counted.min(initial=min(first + 1, day)))
    rate = arrival_rate(counted, begin, share, day=day, start_month=book.settings.fiscal_year_start)
    duration = np.maximum(known["end_day"].to_numpy() - created, 0)
    entry = np.maximum(max(first, observed_from(book)) - created, 0)
    codes = end_codes(known["end"])
    sign = _incidence_by_age(duration[young], codes[young], entry[young])
    both = watched & young
    late = _sign_if_late((known_from - created)[both], duration[both], codes[both], entry[both]) if told else ()
    won = last_won(known, amounts(book, [day]))
    age = np.maximum(won["end_day"] - won["created_day"], 0).to_numpy()
    return Arrivals(counted, begin, rate, share, sign, age, won["amount"].to_numpy(), late)


def arrival_rate(
    created: np.ndarray, created_from: int, recorded_share: np.ndarray, *, day: int, start_month: int
) -> ArrivalRate:
    """Rate of creation by days of creation as known at a day, given what share is recorded so long after."""
    age = np.arange(day - created_from, -1, -1)
    recorded = recorded_share[np.minimum(age, len(recorded_share) - 1)]
    return fit_arrival_rate(created, recorded, first=created_from, start_month=start_month)


def recorded_share(lag_days: np.ndarray, since_days: np.ndarray) -> np.ndarray:
    """Share of deals recorded within 0, 1, 2, ... days of creation, from lags cut off by the day of looking.

    Parameters
    ----------
    lag_days : array of int
        Days from creation to first recording of the deals that are recorded.
    since_days : array of int
        Days from creation to the day of looking, >= lag.

    Notes
    -----
    Lags of which fewer than 30 deals could tell (too long for the history) count as the longest of the others.
    """
    if not len(lag_days):
        return np.ones(1)
    longest = int(max(lag_days.max(), 0))
    grid = np.arange(longest + 1)
    recorded = np.bincount(np.clip(lag_days, 0, longest), minlength=longest + 1)
    by_lag = np.cumsum(recorded)  # lag <= x ...
    too_young = np.searchsorted(np.sort(since_days), grid, side="left")  # ... less those created under x days ago
    at_risk = by_lag - too_young
    factor = 1 - np.where(at_risk >= MIN_AT_RISK, recorded, 0) / np.maximum(at_risk, 1)
    factor[0] = 1.0
    later = np.cumprod(factor[::-1])[::-1]  # product over lags > x is G(x)
    return np.concatenate([later[1:], [1.0]])


def _by(curve: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Incidence at ages in days; 0 before birth."""
    return np.where(ages < 0, 0.0, curve[np.clip(ages, 0, len(curve) - 1)])


def _sign_if_late(
    lag: np.ndarray, duration: np.ndarray, end: np.ndarray, entry: np.ndarray
) -> tuple[tuple[int, np.ndarray], ...]:
    """Incidence by age of the deals recorded later than some days: of fewer each time by a tenth, of 30 at least."""
    found: list[tuple[int, np.ndarray]] = []
    least = np.inf
    days = np.unique(np.maximum(lag, 0))
    for day, n in zip(days, len(lag) - np.searchsorted(np.sort(lag), days, side="right"), strict=True):
        if n < MIN_AT_RISK:
            break
        if n <= FEWER * least:
            least, later = n, lag > day
            found.append((int(day), _incidence_by_age(duration[later], end[later], entry[later])))
    return tuple(found)


def _incidence_by_age(duration: np.ndarray, end: np.ndarray, entry: np.ndarray) -> np.ndarray:
    """Incidence of signing for every whole day of age.

    Deals count from birth however late they were recorded: the rate of arrival counts all that get recorded.
    """
    fit = fit_incidence(duration, end, ENDS, entry=entry, errors=False)
    if not len(fit.days):
        return np.zeros(1)
    ages = np.arange(int(fit.days[-1]) + 1)
    position = np.searchsorted(fit.days, ages, side="right")
    return np.concatenate([[0.0], fit.p[:, WON]])[position]


def last_won(known: pd.DataFrame, amounts: pd.DataFrame) -> pd.DataFrame:
    """The last won deals whose amount is known (at most 400), the latest last: ``known`` with ``amount``."""
    won = known[known["end"] == "won"].sort_values(["end_day", "deal_id"]).merge(amounts, on="deal_id")
    return won.dropna(subset=["amount"]).tail(N_WON)
