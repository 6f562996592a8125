"""Draws of the components of a period: open deals, deals that come back, deals not recorded, not created yet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.forecast.amount_ratios import AmountRatios, by_state
from salesanalytics.forecast.arrivals import Arrivals
from salesanalytics.forecast.draws import Signings, deal_keys, draw_deals, joined
from salesanalytics.forecast.lent_amounts import LentAmounts
from salesanalytics.models import StageTable
from salesanalytics.timeline import Period
from salesanalytics.timeline.calendar import to_date
from salesanalytics.timeline.replay import OPEN
from salesanalytics.timeline.spells import known_outcomes

PRIOR_WINS = 5.0  # so many wins that were nearly as quick are mixed into those as quick as a deal to come has to be


def draw_open(
    deals: pd.DataFrame, ratios: dict[str, AmountRatios], *, seed: int, shift: np.ndarray, lent: LentAmounts
) -> Signings:
    """Deals that stand open, by state because amounts change differently in each; by position in ``deals``."""
    parts = []
    for place, of_state in by_state(deals, ratios):
        part = deals.iloc[place]
        some = draw_deals(
            part["p_in_period"].to_numpy(),
            of_state.moved(part["amount"].to_numpy(dtype=float)),
            deal_keys(part["deal_id"], seed),
            shock=shift,
            amount_pool=lent.pools,
            group=lent.group(part),
            log_ratio=of_state.log_ratio,
        )
        parts.append(replace(some, deal=place.astype(np.int32)[some.deal]))
    return joined(parts, len(shift))


def ended_deals(book: DealBook, day: int, horizon: int, before: int, now: pd.DataFrame) -> pd.DataFrame:
    """Deals that have ended: ``deal_id``, ``state``, ``amount``, ``p_in_period`` (come back and sign; 0 if won)."""
    known = known_outcomes(book, day).rename(columns={"end": "state"})
    ended = known[known["state"] != OPEN].sort_values("deal_id", ignore_index=True).assign(p_in_period=0.0)
    otherwise = ended["state"] != "won"
    if otherwise.any():
        ended["days_in_state"] = day - ended["end_day"]
        table = StageTable(ended=True).fit(book, as_of=to_date(day))
        p_won, _, _ = table.predict(ended[otherwise], horizon_days=np.array([before, horizon]), confidence=None)
        ended.loc[otherwise, "p_in_period"] = p_won[:, 1] - p_won[:, 0]
    ended["amount"] = ended["deal_id"].map(now.set_index("deal_id")["amount"]).astype(float)
    return ended[["deal_id", "state", "amount", "p_in_period"]]


def expected_new(arrivals: Arrivals, period: Period, day: int) -> float:
    """Mean number of deals created after the date and signed in the period."""
    created, _ = _new(period, day)
    share = arrivals.signing_share(period.start_day - 1 - created, period.end_day - created)
    return float(arrivals.per_day * share.sum())


def expected_unrecorded(arrivals: Arrivals, period: Period, day: int) -> float:
    """Mean number of deals created by the date but not recorded yet, signed in the period."""
    created, missing = _unrecorded(arrivals, day)
    share = arrivals.late_signing_share(day - created, period.start_day - 1 - created, period.end_day - created)
    return float(arrivals.per_day * (missing * share).sum())


def amounts_of_new(arrivals: Arrivals, period: Period, day: int) -> np.ndarray:
    """Chance of each past win to lend its amount to a deal created after the date, (n_wins,)."""
    return _lent(arrivals, period, *_new(period, day))


def amounts_of_unrecorded(arrivals: Arrivals, period: Period, day: int) -> np.ndarray:
    """Chance of each past win to lend its amount to a deal created by the date but not recorded yet, (n_wins,)."""
    return _lent(arrivals, period, *_unrecorded(arrivals, day))


def _new(period: Period, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Days of creation still to come, and their weights."""
    created = np.arange(day + 1, period.end_day + 1)
    return created, np.ones(len(created))


def _unrecorded(arrivals: Arrivals, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Days of creation so far, and the share of their deals that is not recorded yet."""
    return day - np.arange(len(arrivals.recorded_share)), 1 - arrivals.recorded_share


def _lent(arrivals: Arrivals, period: Period, created: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A deal that signs within weeks of its creation is not like all that were won: quick deals are smaller.

    Past wins count by the days of creation from which their age at signing leads into the period. Where these are few,
    others help, less the more their age is above the highest that does.
    """
    ages = arrivals.won_ages[:, None]
    inside = (ages > period.start_day - 1 - created) & (ages <= period.end_day - created)
    fits = inside @ weight
    n_fit = int((fits > 0).sum())
    quick = n_fit * fits / fits.sum() if n_fit else fits
    highest = max(int(period.end_day - created.min()), 1)
    above = np.maximum(arrivals.won_ages / highest, 1.0)
    near = np.exp(above.min(initial=np.inf) - above)
    return np.asarray((quick + PRIOR_WINS * near / near.sum()) / (n_fit + PRIOR_WINS))


def drawn_rate(mean: float, arrivals: Arrivals, rng: np.random.Generator, shift: np.ndarray) -> np.ndarray:
    """Expected number in every draw: the rate itself is uncertain, and the common shock moves it."""
    variance = arrivals.rate_variance + 1 / max(arrivals.n, 1)
    factor = np.exp(shift)
    return np.asarray(mean * rng.gamma(1 / variance, variance, len(shift)) * factor / factor.mean())


def draw_to_come(
    mean: float, arrivals: Arrivals, rng: np.random.Generator, lent: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Negative binomial counts under the common shock, amounts from past wins.

    ``lent``: chance of each past win to lend its amount.
    """
    n = len(shift)
    count = rng.poisson(drawn_rate(mean, arrivals, rng, shift))
    draw = np.repeat(np.arange(n), count)
    value = rng.choice(arrivals.won_amounts, size=len(draw), p=lent) if len(lent) else np.zeros(len(draw))
    return count.astype(float), np.bincount(draw, weights=value, minlength=n)
