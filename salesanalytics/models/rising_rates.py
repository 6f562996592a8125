"""Does the chance rise from stage to stage? Rates that may only rise, against free ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.models.horizon_rates import fit_with_influence, signed_by, told_trials
from salesanalytics.models.shrinkage import effective_n
from salesanalytics.models.stage_rates import check_horizon
from salesanalytics.models.stage_rows import clocks_of, standing_rows

N_DRAWS = 2000


@dataclass(frozen=True)
class RisingRates:
    """Result of `rising_rates`.

    Attributes
    ----------
    stages : DataFrame, one row a stage in which a deal stood
        ``stage``, ``n_in_stock``, ``p_won_in_stock`` (free), ``se_in_stock``, ``p_rising`` (closest rates that never
        fall), ``falls`` (the free rate is below that of the stage before).
    statistic : float
        Squared distance between the two, in standard errors, summed over the stages; 0 where the free rates rise.
    p_value : float
        Chance of such a distance, or a larger one, if all stages had the same chance (of all rates that never fall
        the hardest case); 1 where the free rates rise.
    """

    stages: pd.DataFrame
    statistic: float
    p_value: float

    @property
    def rise(self) -> bool:
        """Whether the free rates rise from each stage to the next."""
        return not self.stages["falls"].any()


def rising_rates(book: DealBook, *, as_of: Any, horizon_days: int = 730, seed: int = 0) -> RisingRates:
    """Whether the chance to sign rises with the stage, of deals that stand there (``p_won_in_stock``).

    Rates that never fall are the weighted least-squares ones (isotonic regression). How far free
    rates may lie from them by chance is drawn: normal errors around equal rates, correlated as the deals that stood
    in several stages make them.

    Parameters
    ----------
    book : DealBook
    as_of : date
    horizon_days : int
    seed : int
        Of the draws behind the p-value.

    Returns
    -------
    RisingRates

    References
    ----------
    Robertson, Wright & Dykstra (1988), Order Restricted Statistical Inference, chapter 2.
    """
    check_horizon(horizon_days, 0.5)
    return rising_among(standing_rows(book, as_of=as_of), book.process.stage_ids, horizon_days=horizon_days, seed=seed)


def rising_among(
    standing: pd.DataFrame, stage_ids: Sequence[str], *, horizon_days: float, seed: int = 0
) -> RisingRates:
    """The same from the rows of deals standing (`standing_rows`) and the stages in their order."""
    clocks, n_deals = clocks_of(standing), standing["deal_id"].nunique()
    of_stage = standing.groupby("state").indices
    stages = [stage for stage in stage_ids if stage in of_stage]
    p, n, trials = np.zeros(len(stages)), np.zeros(len(stages), dtype=int), np.zeros(len(stages))
    influence = np.zeros((len(stages), n_deals))
    for i, stage in enumerate(stages):
        here = clocks.take(of_stage[stage])
        fit, per_row = fit_with_influence(here, horizon_days)
        p[i], n[i] = signed_by(fit, horizon_days)[0], here.n_deals
        trials[i] = told_trials(here, fit, horizon_days)
        influence[i] = np.bincount(here.deal, weights=per_row, minlength=n_deals)
    covariance = influence @ influence.T
    error = np.sqrt(np.diag(covariance))
    weight = precision(p, error, trials)
    rising = never_falling(p, weight)
    statistic = float(weight @ (p - rising) ** 2)
    table = pd.DataFrame({"stage": stages, "n_in_stock": n, "p_won_in_stock": p, "se_in_stock": error})
    table = table.assign(p_rising=rising, falls=np.diff(p, prepend=-1.0) < 0)
    if not table["falls"].any():
        return RisingRates(table, 0.0, 1.0)
    spread = np.where(error > 0, 1, 0)[:, None] * covariance  # a stage without any event has no error of its own
    spread += np.diag(np.where(error > 0, 0.0, 1 / weight))
    draws = np.random.default_rng(seed).multivariate_normal(np.zeros(len(p)), spread, N_DRAWS, method="eigh")
    far = (draws - never_falling(draws, weight)) ** 2 @ weight
    return RisingRates(table, statistic, float(np.mean(far >= statistic)))


def precision(p: np.ndarray, se: np.ndarray, n: np.ndarray) -> np.ndarray:
    """One over the variance of each rate, kept finite where all or none signed (half a signing is added)."""
    n_eff = effective_n(p, se, n)
    kept = (n_eff * p + 0.5) / (n_eff + 1)
    return (n_eff + 1) / (kept * (1 - kept))


def never_falling(p: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Closest values that never fall along the last axis, by weighted least squares (max-min of running means)."""
    n = p.shape[-1]
    total = np.concatenate([[0.0], np.cumsum(weight)])
    summed = np.cumsum(np.concatenate([np.zeros((*p.shape[:-1], 1)), p * weight], axis=-1), axis=-1)
    out = np.full(p.shape, -np.inf)
    for first in range(n):
        mean = (summed[..., first + 1 :] - summed[..., first, None]) / (total[first + 1 :] - total[first])
        least = np.minimum.accumulate(mean[..., ::-1], axis=-1)[..., ::-1]  # over all last ones from each value on
        out[..., first:] = np.maximum(out[..., first:], least)
    return out
