"""How amounts of deals change until they are signed, learned from deals that were won."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline import amounts
from salesanalytics.timeline.spells import known_outcomes
from salesanalytics.timeline.values import fields_in, open_amounts

RATIO_LANDMARKS = 8
MIN_RATIOS = 30
TAILS = (0.05, 0.95)


@dataclass(frozen=True)
class AmountRatios:
    """How amounts changed until signing: log(final / now) = one of ``log_ratio`` + ``slope`` x log(now / ``centre``).

    Attributes
    ----------
    log_ratio : ndarray
        Of past wins, each as it would have been had the deal stood at ``centre``.
    slope : float
        Below 0 where what is large for its state is signed for less, and what is small for more.
    centre : float
        In the book's currency or unit.
    """

    log_ratio: np.ndarray
    slope: float = 0.0
    centre: float = 1.0

    def moved(self, amount: np.ndarray) -> np.ndarray:
        """Amounts now, each moved as its size asks for; a ratio comes on top."""
        return np.asarray(amount * (amount / self.centre) ** self.slope)

    def expected(self, amount: np.ndarray) -> np.ndarray:
        """Mean final amounts of deals with these amounts now, should they sign."""
        return self.moved(amount) * (np.exp(self.log_ratio).mean() if len(self.log_ratio) else 1.0)


UNCHANGED = AmountRatios(np.zeros(0))


def amount_ratios(book: DealBook, day: int) -> dict[str, AmountRatios]:
    """How amounts of deals won since changed, by the state they stood in; empty if none moved.

    From up to 8 dates 91 days apart; a state with fewer than 30 of them uses all states, and where those are fewer
    than 30, deals that did not change fill them up. Amounts often return to a mean: large ones are signed for less.
    """
    if "amount" not in fields_in(book):
        return {}
    then = open_amounts(book, ratio_days(day))
    final = known_outcomes(book, day)
    won = final.loc[final["end"] == "won", "deal_id"]
    final_amount = amounts(book, [day]).set_index("deal_id")["amount"].reindex(won)
    then["log_ratio"] = np.log(then["deal_id"].map(final_amount) / then["amount"])
    known = then.dropna(subset=["log_ratio"]).sort_values(["as_of_day", "deal_id"])  # whatever states are called
    if len(known) < MIN_RATIOS:
        return {"": AmountRatios(np.append(known["log_ratio"].to_numpy(), np.zeros(MIN_RATIOS - len(known))))}
    everything = _ratios(known, 0.0)
    states = ((str(state), part) for state, part in known.groupby("state") if len(part) >= MIN_RATIOS)
    return {state: _ratios(part, everything.slope) for state, part in states} | {"": everything}


def _ratios(known: pd.DataFrame, prior: float) -> AmountRatios:
    """Slope of log ratio on log amount, drawn to a prior as its error asks for; tails are cut, so no deal makes it.

    A deal may stand there on several dates: the error is that of deals, not of rows. Never above 0.

    References
    ----------
    Breiman (1995), Technometrics 37, 373-384 (garrote; 0 within 1.4 standard errors, where AIC would drop it).
    """
    log_ratio, log_amount = known["log_ratio"].to_numpy(), np.log(known["amount"].to_numpy())
    x, y = (v - v.mean() for v in (np.clip(v, *np.quantile(v, TAILS)) for v in (log_amount, log_ratio)))
    weight = max(float(x @ x), 1e-12)
    off = float(x @ y) / weight - prior
    misfit = pd.Series(x * (y - (prior + off) * x)).groupby(known["deal_id"].to_numpy()).sum()
    error2 = float((misfit**2).sum()) / weight**2
    slope = min(prior + off * max(1 - 2 * error2 / max(off**2, 1e-24), 0.0), 0.0)
    centre = log_amount.mean()
    return AmountRatios(log_ratio - slope * (log_amount - centre), slope, float(np.exp(centre)))


def ratio_days(day: int) -> list[int]:
    """Days of the past whose amounts `amount_ratios` compares with those of a day."""
    return [day - 91 * k for k in range(1, RATIO_LANDMARKS + 1)]


def expected_amounts(deals: pd.DataFrame, ratios: dict[str, AmountRatios]) -> np.ndarray:
    """Mean final amount of each deal that stands open, should it sign, (n_deals,); NaN where none is known now."""
    final = deals["amount"].to_numpy(dtype=float, copy=True)
    for place, of_state in by_state(deals, ratios):
        final[place] = of_state.expected(final[place])
    return final


def by_state(deals: pd.DataFrame, ratios: dict[str, AmountRatios]) -> Iterator[tuple[np.ndarray, AmountRatios]]:
    """Positions of the deals of each state, and how their amounts change."""
    for state, place in deals.groupby("state", sort=True).indices.items():
        yield place, ratios.get(str(state), ratios.get("", UNCHANGED))
