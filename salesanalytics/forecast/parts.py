"""Draws of the components of a period: open deals, deals that come back, deals not recorded, not created yet."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.forecast.arrivals import Arrivals
from salesanalytics.forecast.draws import deal_keys, draw_deals
from salesanalytics.models import StageTable
from salesanalytics.timeline import Period, amounts
from salesanalytics.timeline.calendar import to_date
from salesanalytics.timeline.replay import collect, ended_states
from salesanalytics.timeline.spells import open_deals, states
from salesanalytics.timeline.values import fields_in

RATIO_LANDMARKS = 8
MIN_RATIOS = 30


def amount_ratios(book: DealBook, day: int) -> dict[str, np.ndarray]:
    """Past log(final amount / amount at the time) of deals won since, by the state they stood in; empty if none moved.

    From up to 8 dates 91 days apart; a state with fewer than 30 of them uses all states, and where those are fewer
    than 30, deals that did not change fill them up.
    """
    if "amount" not in fields_in(book):
        return {}
    dates = [day - 91 * k for k in range(1, RATIO_LANDMARKS + 1)]
    then = collect(book, open_deals(book, days=dates)).merge(amounts(book, dates), on=["deal_id", "as_of_day"])
    final = collect(book, states(book, [day]))
    won = final.loc[final["state"] == "won", "deal_id"]
    final_amount = amounts(book, [day]).set_index("deal_id")["amount"].reindex(won)
    then["log_ratio"] = np.log(then["deal_id"].map(final_amount) / then["amount"])
    known = then.dropna(subset=["log_ratio"]).sort_values(["state", "as_of_day", "deal_id"])
    everything = np.append(known["log_ratio"].to_numpy(), np.zeros(max(MIN_RATIOS - len(known), 0)))
    by_state = {str(state): part["log_ratio"].to_numpy() for state, part in known.groupby("state")}
    return {state: r if len(r) >= MIN_RATIOS else everything for state, r in by_state.items()} | {"": everything}


def draw_open(
    deals: pd.DataFrame, ratios: dict[str, np.ndarray], *, seed: int, shift: np.ndarray, pool: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Deals that stand open, by state because amounts change differently in each."""
    count, total = np.zeros(len(shift)), np.zeros(len(shift))
    for state, part in deals.groupby("state", sort=True):
        some = draw_deals(
            part["p_in_period"].to_numpy(),
            part["amount"].to_numpy(),
            deal_keys(part["deal_id"], seed),
            shock=shift,
            amount_pool=pool,
            log_ratio=ratios.get(str(state), ratios.get("")),
        )
        count, total = count + some[0], total + some[1]
    return count, total


def draw_reopened(
    book: DealBook,
    day: int,
    horizon: int,
    before: int,
    now: pd.DataFrame,
    *,
    seed: int,
    shift: np.ndarray,
    pool: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Deals that ended otherwise and may come back and sign."""
    ended = collect(book, states(book, [day]).filter(nw.col("state").is_in(ended_states(book))))
    ended = ended[ended["state"] != "won"].sort_values("deal_id", ignore_index=True)
    if not len(ended):
        return np.zeros(len(shift)), np.zeros(len(shift))
    ended["days_in_state"] = ended["as_of_day"] - ended["since_day"]
    table = StageTable(ended=True).fit(book, as_of=to_date(day))
    p_won, _, _ = table.predict(ended, horizon_days=np.array([before, horizon]))
    p = p_won[:, 1] - p_won[:, 0]
    amount = ended["deal_id"].map(now.set_index("deal_id")["amount"]).to_numpy(dtype=float)
    return draw_deals(p, amount, deal_keys(ended["deal_id"], seed), shock=shift, amount_pool=pool)


def draw_new(
    arrivals: Arrivals,
    period: Period,
    day: int,
    rng: np.random.Generator,
    pool: np.ndarray,
    shift: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Deals created after the date and signed in the period."""
    created = np.arange(day + 1, period.end_day + 1)
    share = arrivals.signing_share(period.start_day - 1 - created, period.end_day - created)
    return _draw_poisson(arrivals.per_day * share.sum(), arrivals, rng, pool, shift)


def draw_unrecorded(
    arrivals: Arrivals,
    period: Period,
    day: int,
    rng: np.random.Generator,
    pool: np.ndarray,
    shift: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Deals created by the date but not recorded yet, signed in the period."""
    ages = np.arange(len(arrivals.recorded_share))
    hidden = arrivals.per_day * (1 - arrivals.recorded_share)
    created = day - ages
    share = arrivals.signing_share(period.start_day - 1 - created, period.end_day - created)
    return _draw_poisson(float((hidden * share).sum()), arrivals, rng, pool, shift)


def _draw_poisson(
    mean: float, arrivals: Arrivals, rng: np.random.Generator, pool: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Negative binomial counts (the rate itself is uncertain) under the common shock, amounts from past wins."""
    n = len(shift)
    variance = arrivals.rate_variance + 1 / max(arrivals.n, 1)
    rate = mean * rng.gamma(1 / variance, variance, n)
    factor = np.exp(shift)
    count = rng.poisson(rate * factor / factor.mean())
    draw = np.repeat(np.arange(n), count)
    value = rng.choice(pool, size=len(draw)) if len(pool) else np.zeros(len(draw))
    return count.astype(float), np.bincount(draw, weights=value, minlength=n)
