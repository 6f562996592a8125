"""Amounts lent to deals that have none: those of past wins of their segment, and of all wins where it has few."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import f_oneway

from salesanalytics.book import DealBook
from salesanalytics.forecast.arrivals import last_won
from salesanalytics.timeline import amounts
from salesanalytics.timeline.asof_values import groupings, values_at
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.spells import known_outcomes

MIN_OF_VALUE = 5
MAX_P = 0.05  # of no difference between the values of any attribute
YEAR_DAYS, MIX_PRIOR = 364, 5.0


@dataclass(frozen=True)
class LentAmounts:
    """What deals without an amount are lent.

    Attributes
    ----------
    pools : ndarray (1 + n_values, n_wins)
        Equally likely amounts; the first row: of all wins, the others: of a deal of each value of the segment.
    segment : str or None
        The attribute by whose values amounts differ most; None where they do not.
    values : Index
    weight_now : ndarray (n_wins,) or float
        How much each win counts for a deal that is created now. A company that turned to another product does not sign
        what it used to. So a win counts by the share that deals of its segment have of those created in the last 364
        days, over the share they had between the first and the last creation of these wins; with 5 deals of that older
        share beside the recent ones. Deals from before the book knew of any do not count: of these only such are in it
        that lasted.
    """

    pools: np.ndarray
    segment: str | None
    values: pd.Index
    weight_now: np.ndarray | float = 1.0

    def group(self, deals: pd.DataFrame) -> np.ndarray:
        """Row of `pools` for each deal, (n_deals,); ``deals`` has the segment as a column, see `attributes_at`."""
        if self.segment is None:
            return np.zeros(len(deals), dtype="int64")
        return self.values.get_indexer(deals[self.segment].astype(object)) + 1

    def mean(self, group: np.ndarray) -> np.ndarray:
        """Mean of what deals of these rows are lent, (n_deals,); 0 where no win tells."""
        return self.pools.mean(axis=1)[group] if self.pools.size else np.zeros(len(group))


def lent_amounts(book: DealBook, *, as_of: Any) -> LentAmounts:
    """Amounts of the last won deals (at most 400), of all and by the attribute by which they differ most.

    The segment is the attribute with the smallest p of an analysis of variance of the logs of the amounts, among the
    values of at least 5 wins each, if that is below .05 over the number of attributes. A deal of a value is lent the
    amounts of the wins of that value with a chance of t2 / (t2 + s2 / n), those of all wins otherwise (t2, s2:
    variance between and within values, by moments).

    Parameters
    ----------
    book : DealBook
    as_of : date

    References
    ----------
    Searle, Casella & McCulloch (1992), Variance Components, chapter 3 (one-way classification, unbalanced).
    """
    day = as_of_day(book, as_of)
    known = known_outcomes(book, day)
    won, attributes = last_won(known, amounts(book, [day])), attributes_at(book, known["deal_id"], day)
    lent = _lent(won["amount"].to_numpy(dtype=float), attributes.set_axis(known["deal_id"]).loc[won["deal_id"]])
    group = pd.Series(lent.group(attributes), index=known["deal_id"])
    return replace(lent, weight_now=_weight_now(known, group, won, len(lent.pools), day))


def _lent(amount: np.ndarray, attributes: pd.DataFrame) -> LentAmounts:
    """Pools from the amounts of wins and their attributes, row by row."""
    found = [(p, name) for name in attributes if (p := _p_alike(amount, attributes[name])) is not None]
    if not found or min(found)[0] > MAX_P / len(found):
        return LentAmounts(amount[None], None, pd.Index([], dtype=object))
    name = min(found)[1]
    values, member = _common(attributes[name])
    own_share = _own_shares(np.log(amount), member)
    pools = [_mixed(amount, own, share) for own, share in zip(member.T, own_share, strict=True)]
    return LentAmounts(np.vstack([amount, *pools]), name, values)


def _weight_now(known: pd.DataFrame, group: pd.Series, won: pd.DataFrame, n_groups: int, day: int) -> np.ndarray:
    """`LentAmounts.weight_now`; ``group``: row of the pools of each known deal, by its id."""
    born, of_deal = known["created_day"], group.to_numpy()
    watched = born > known["known_from"].min()
    then = born.between(won["created_day"].min(), won["created_day"].max())
    before, lately = (
        np.bincount(of_deal[watched & which], minlength=n_groups) for which in (then, born > day - YEAR_DAYS)
    )
    share = before / max(before.sum(), 1)
    now = (lately + MIX_PRIOR * share) / (lately.sum() + MIX_PRIOR)
    return np.divide(now, share, out=np.ones(len(share)), where=share > 0)[group.loc[won["deal_id"]]]


def attributes_at(book: DealBook, deal_ids: pd.Series, day: int) -> pd.DataFrame:
    """Attributes of deals as known at the end of a day, one row a deal, one column each that the book has."""
    days, has = np.full(len(deal_ids), day), groupings(book)
    known = [name for name in book.settings.attributes if name in has]
    found = {name: values_at(book, by=name, deal_ids=deal_ids, days=days).to_numpy(dtype=object) for name in known}
    return pd.DataFrame(found, index=deal_ids.index)


def known_or_usual(deals: pd.DataFrame) -> pd.Series:
    """Amount of each deal; where none is known, what it is expected to bring (``usual_amount``)."""
    return deals["amount"].fillna(deals["usual_amount"])


def _common(column: pd.Series) -> tuple[pd.Index, np.ndarray]:
    """Values of at least 5 wins, and which wins have each, (n_wins, n_values)."""
    counts = column.value_counts()
    values = pd.Index(sorted(counts[counts >= MIN_OF_VALUE].index, key=str), dtype=object)
    return values, column.to_numpy(dtype=object)[:, None] == values.to_numpy()


def _p_alike(amount: np.ndarray, column: pd.Series) -> float | None:
    """Chance of differences as large as these if amounts had nothing to do with the values; None without two."""
    values, member = _common(column)
    if len(values) < 2:
        return None
    logs = [np.log(amount[own]) for own in member.T]
    return float(f_oneway(*logs).pvalue) if np.ptp(np.concatenate(logs)) > 0 else None


def _own_shares(log_amount: np.ndarray, member: np.ndarray) -> np.ndarray:
    """How much each value is told by its own wins, (n_values,)."""
    n, parts = member.sum(axis=0), [log_amount[own] for own in member.T]
    within = sum(((x - x.mean()) ** 2).sum() for x in parts) / max(n.sum() - len(n), 1)
    means = np.array([x.mean() for x in parts])
    centre = n @ means / n.sum()
    excess = n @ (means - centre) ** 2 - (len(n) - 1) * within
    between = max(excess / (n.sum() - (n**2).sum() / n.sum()), 0.0)
    return np.asarray(between / np.maximum(between + within / n, 1e-300))


def _mixed(amount: np.ndarray, own: np.ndarray, share: float) -> np.ndarray:
    """As many equally likely amounts as there are wins: of a mixture of the own ones (``share``) and all."""
    order = np.argsort(amount, kind="stable")
    weight = share * own / own.sum() + (1 - share) / len(amount)
    upto = np.cumsum(weight[order])
    at = (np.arange(len(amount)) + 0.5) / len(amount) * upto[-1]
    return np.asarray(amount[order][np.searchsorted(upto, at)])
