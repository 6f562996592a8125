"""Draws of the components of a period: open deals, deals that come back, deals not recorded, not created yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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


@dataclass(frozen=True)
class ToCome:
    """Signings of deals that are not in the book.

    Attributes
    ----------
    mean : float
        Expected number.
    variance : float
        Of the number expected, relative to its square: how unsure the rate of arrival is.
    lent : ndarray (n_wins,)
        Chance of each past win to lend its amount.
    """

    mean: float
    variance: float
    lent: np.ndarray


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


def ended_deals(book: DealBook, day: int, ahead: Sequence[int], now: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Deals that have ended, and their chances to come back and sign (0 if won) between days so far ahead.

    Returns
    -------
    ended : DataFrame
        ``deal_id``, ``state``, ``amount``, ``p_in_period``: between the first of these days and the last.
    parts : ndarray (n_deals, n_ahead - 1)
        The same from each of them to the next.
    """
    known = known_outcomes(book, day).rename(columns={"end": "state"})
    ended = known[known["state"] != OPEN].sort_values("deal_id", ignore_index=True)
    otherwise, parts = ended["state"].ne("won").to_numpy(), np.zeros((len(ended), len(ahead) - 1))
    if otherwise.any():
        ended["days_in_state"] = day - ended["end_day"]
        table = StageTable(ended=True).fit(book, as_of=to_date(day))
        p_won, _, _ = table.predict(ended[otherwise], horizon_days=np.array(ahead), confidence=None)
        parts[otherwise] = np.diff(p_won)
    ended["amount"] = ended["deal_id"].map(now.set_index("deal_id")["amount"]).astype(float)
    ended["p_in_period"] = parts.sum(axis=1)
    return ended[["deal_id", "state", "amount", "p_in_period"]], parts


def to_come(arrivals: Arrivals, period: Period, day: int, *, unrecorded: bool) -> dict[str, ToCome]:
    """Signings in the period of deals created after the date (``new``), and of those created by it but not recorded yet
    (``unrecorded``, only where the book can know of such).
    """
    created = np.arange(day + 1, period.end_day + 1)
    share = arrivals.signing_share(period.start_day - 1 - created, period.end_day - created)
    found = {"new": _to_come(arrivals, period, created, np.ones(len(created)), share)}
    if unrecorded:
        waited = np.arange(len(arrivals.recorded_share))
        created, missing = day - waited, 1 - arrivals.recorded_share
        share = arrivals.late_signing_share(waited, period.start_day - 1 - created, period.end_day - created)
        found["unrecorded"] = _to_come(arrivals, period, created, missing, share)
    return found


def _to_come(arrivals: Arrivals, period: Period, created: np.ndarray, weight: np.ndarray, share: np.ndarray) -> ToCome:
    """From days of creation, the share of their deals that is still to come, and of these the share that signs."""
    return ToCome(
        mean=float((arrivals.rate.on(created) * weight * share).sum()),
        variance=arrivals.rate.relative_variance(created, weight * share),
        lent=_lent(arrivals, period, created, arrivals.rate.on(created) * weight),
    )


def _lent(arrivals: Arrivals, period: Period, created: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A deal that signs within weeks of its creation is not like all that were won: quick deals are smaller.

    Past wins count by the days of creation from which their age at signing leads into the period, and more if deals of
    their segment are more of all deals than they were. Where these are few, others help, less the more their age is
    above the highest that does.
    """
    ages = arrivals.won_ages[:, None]
    inside = (ages > period.start_day - 1 - created) & (ages <= period.end_day - created)
    fits = (inside @ weight) * arrivals.won_weight
    n_fit = int((fits > 0).sum())
    quick = n_fit * fits / fits.sum() if n_fit else fits
    highest = max(int(period.end_day - created.min(initial=period.end_day)), 1)
    above = np.maximum(arrivals.won_ages / highest, 1.0)
    near = np.exp(above.min(initial=np.inf) - above) * arrivals.won_weight
    return np.asarray((quick + PRIOR_WINS * near / near.sum()) / (n_fit + PRIOR_WINS))


def drawn_rate(expected: ToCome, rng: np.random.Generator, shift: np.ndarray) -> np.ndarray:
    """Expected number in every draw: the rate itself is uncertain, and the common shock moves it."""
    factor = np.exp(shift)
    rate = expected.mean * factor / factor.mean()
    variance = expected.variance
    return np.asarray(rate * rng.gamma(1 / variance, variance, len(shift)) if variance else rate)


def draw_to_come(expected: ToCome, amounts: np.ndarray, rng: np.random.Generator, shift: np.ndarray) -> Signings:
    """Negative binomial counts under the common shock, and what they bring.

    ``amounts``: of past wins; ``deal`` of a signing is the position of the win that lends it its amount.
    """
    n, lent = len(shift), expected.lent
    draw = np.repeat(np.arange(n), rng.poisson(drawn_rate(expected, rng, shift)))
    win = rng.choice(len(lent), size=len(draw), p=lent) if len(lent) else np.zeros(len(draw), dtype="int64")
    return Signings(win, draw, amounts[win] if len(lent) else np.zeros(len(draw)), n)
