"""Amounts lent to deals that have none: those of past wins, as much larger or smaller as wins like the deal were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV

from salesanalytics.book import DealBook
from salesanalytics.forecast.arrivals import last_won
from salesanalytics.timeline.asof_values import groupings, values_at
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.spells import known_outcomes

MIN_WINS = 20
MIN_OF_LEVEL = 5
STRENGTHS = np.append(np.geomspace(0.1, 1000, 9), 1e9)  # under the last one attributes say nothing of amounts


@dataclass(frozen=True)
class LentAmounts:
    """What deals without an amount are lent.

    Attributes
    ----------
    pool : ndarray
        Amounts of the last wins (at most 400), each with what is usual for its attributes taken out; their mean is
        that of the amounts as they were.
    effects : dict
        By attribute and value: by how much the log of an amount differs. A value of fewer than 5 wins has none.
    scale : float
        Brings the level of the wins (`expected` over the mean of the pool) to 1 in the mean.
    bounds : tuple of float
        Lowest and highest level of a win; no deal leaves them.
    """

    pool: np.ndarray
    effects: Mapping[str, Mapping[object, float]] = field(default_factory=dict)
    scale: float = 1.0
    bounds: tuple[float, float] = (1.0, 1.0)

    def expected(self, deals: pd.DataFrame) -> np.ndarray:
        """Mean of what each deal brings if it signs and nobody knows its amount, (n_deals,); 0 where no win tells.

        ``deals`` has the attributes as columns, see `attributes_at`.
        """
        mean = float(self.pool.mean()) if len(self.pool) else 0.0
        return np.clip(self.scale * np.exp(_log_level(self.effects, deals)), *self.bounds) * mean


def lent_amounts(book: DealBook, amounts: pd.DataFrame, *, as_of: Any) -> LentAmounts:
    """Amounts of the last won deals and how they go with attributes of the deals, both as known at a date.

    The log of the amount is regressed on indicators of the values of all attributes by a ridge; leaving out one win at
    a time says how strong it is, up to no effect at all. Where an attribute is not known of a deal, or few wins share
    its value, it counts as the mean of the wins. Below 20 wins all deals are lent alike.

    Parameters
    ----------
    book : DealBook
    amounts : DataFrame
        ``deal_id``, ``amount`` as known at the date.
    as_of : date

    References
    ----------
    Hoerl & Kennard (1970), Technometrics 12, 55-67; Golub, Heath & Wahba (1979), Technometrics 21, 215-223.
    """
    day = as_of_day(book, as_of)
    won = last_won(known_outcomes(book, day), amounts)
    amount, attributes = won["amount"].to_numpy(dtype=float), attributes_at(book, won["deal_id"], day)
    effects = _effects(np.log(amount), attributes) if len(won) >= MIN_WINS else {}
    if not effects:
        return LentAmounts(amount)
    level = np.exp(_log_level(effects, attributes))
    scale = 1 / level.mean()
    pool = amount / level
    bounds = float(scale * level.min()), float(scale * level.max())
    return LentAmounts(pool * (amount.mean() / pool.mean()), effects, float(scale), bounds)


def attributes_at(book: DealBook, deal_ids: pd.Series, day: int) -> pd.DataFrame:
    """Attributes of deals as known at the end of a day, one row a deal, one column each that the book has."""
    days, has = np.full(len(deal_ids), day), groupings(book)
    known = [name for name in book.settings.attributes if name in has]
    found = {name: values_at(book, by=name, deal_ids=deal_ids, days=days).to_numpy(dtype=object) for name in known}
    return pd.DataFrame(found, index=deal_ids.index)


def known_or_usual(deals: pd.DataFrame) -> pd.Series:
    """Amount of each deal; where none is known, what it is expected to bring (``usual_amount``)."""
    return deals["amount"].fillna(deals["usual_amount"])


def _log_level(effects: Mapping[str, Mapping[object, float]], deals: pd.DataFrame) -> np.ndarray:
    found = np.zeros(len(deals))
    for name, of_value in effects.items():
        found += deals[name].map(dict(of_value)).fillna(0.0).to_numpy(dtype=float)
    return found


def _effects(log_amount: np.ndarray, attributes: pd.DataFrame) -> dict[str, dict[object, float]]:
    """Effect of each value of each attribute, 0 in the mean of the wins; without attributes that differ: none."""
    from_mean, told = [], []
    for name in attributes:
        code, values = pd.factorize(attributes[name].to_numpy(dtype=object))
        n = np.bincount(code[code >= 0], minlength=len(values))
        common = np.flatnonzero(n >= MIN_OF_LEVEL)
        if len(common) > 1:
            holds, share = code[:, None] == common, n[common] / n[common].sum()
            from_mean.append((holds - share) * holds.any(axis=1, keepdims=True))
            told.append((name, values[common], share))
    if not told:
        return {}
    slopes = RidgeCV(STRENGTHS).fit(np.hstack(from_mean), log_amount).coef_
    of_each = np.split(slopes, np.cumsum([len(share) for *_, share in told])[:-1])
    effects = {}
    for (name, values, share), own in zip(told, of_each, strict=True):
        effects[name] = dict(zip(values, (own - own @ share).tolist(), strict=True))
    return effects
