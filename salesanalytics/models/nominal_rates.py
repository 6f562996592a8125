"""A proposal of new nominal percentages from what happened to the deals that stood in each stage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.models.horizon_rates import horizon_rate
from salesanalytics.models.rising_rates import never_falling, rising_among
from salesanalytics.models.shrinkage import shrink
from salesanalytics.models.stage_rates import check_horizon, nominal_rate
from salesanalytics.models.stage_rows import clocks_of, standing_rows, states_of

CLEAR_FALL = 0.05  # below this p-value the data do not allow rates that only rise
STEP, SMALL_STEP = 0.05, 0.01


def propose_nominal_rates(
    book: DealBook, *, as_of: Any, horizon_days: int = 730, confidence: float = 0.9
) -> pd.DataFrame:
    """New nominal percentages from what happened to the deals that stood in each stage.

    Each is the shrunk ``p_won_in_stock`` of `stage_win_rates` (drawn to the nominal rate by the prior of the
    process), made never to fall from stage to stage unless the data clearly contradict (`rising_rates`, p < .05),
    and rounded: to 5 %, below 5 % to 1 %, at least 1 %. A pause has no nominal rate; its own is proposed as it is.

    Parameters
    ----------
    book : DealBook
    as_of : date
    horizon_days : int
        Days within which a signing counts.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame, one row a state
        ``stage``, ``nominal``, ``proposed`` (NaN where neither data nor a nominal rate speak), ``lower``, ``upper``
        (interval of the shrunk rate, made never to fall like it), ``shrunk`` (before rounding), ``p_won_in_stock``
        (plain), ``n_in_stock``, ``p_unseen`` (where no deal was watched for the whole horizon, the part still open when
        last watched: what it signs later is in no rate), ``is_outside`` (the nominal rate lies outside the interval,
        widened by that part, and something speaks against it), ``made_rising`` (the rate was moved because the chance
        should not fall), ``p_value_rising`` (of true rates that never fall), ``horizon_days``, ``confidence``.

    Raises
    ------
    SchemaError
        The horizon or level cannot be.
    AsOfError
        ``as_of`` lies after the end of the book.
    """
    check_horizon(horizon_days, confidence)
    standing = standing_rows(book, as_of=as_of)
    clocks, of_state = clocks_of(standing), standing.groupby("state").indices
    states = states_of(book, standing)
    rows = []
    for state in states:
        here = clocks.take(of_state.get(state, np.zeros(0, dtype="int64")))
        rate = horizon_rate(here, horizon_days=horizon_days, confidence=confidence)
        unseen = rate.p_open if rate.n_at_horizon == 0 else 0.0
        rows.append((state, nominal_rate(book, state), rate.p, here.n_deals, rate.n_effective, unseen))
    names = ["stage", "nominal", "p_won_in_stock", "n_in_stock", "n_effective", "p_unseen"]
    table = pd.DataFrame(rows, columns=names)
    strength = np.where(table["nominal"].notna(), book.process.nominal_prior_strength, 0.0)
    p, n_eff = table["p_won_in_stock"].fillna(0.0), table["n_effective"].to_numpy()
    fit = shrink(p, n_eff, prior=table["nominal"], strength=strength, confidence=confidence)
    rising = rising_among(standing, book.process.stage_ids, horizon_days=horizon_days)
    moved = fit
    if rising.p_value >= CLEAR_FALL:
        is_stage = table["stage"].isin(book.process.stage_ids).to_numpy()
        moved = {key: _rising(values, n_eff, is_stage) for key, values in fit.items()}
    table = table.assign(
        proposed=rounded(moved["p"]), shrunk=moved["p"], lower=moved["lower"], upper=moved["upper"],
        made_rising=np.abs(np.nan_to_num(moved["p"] - fit["p"])) > 1e-6, p_value_rising=rising.p_value,
    )  # fmt: skip
    most = table["upper"] + table["p_unseen"].fillna(0.0)  # all that was open when last watched may sign yet
    outside = (table["nominal"] < table["lower"]) | (table["nominal"] > most)
    seen = table["p_won_in_stock"].fillna(table["nominal"])  # 100 % is in no interval, even if all are won
    table["is_outside"] = outside & (seen.ne(table["nominal"]) | table["made_rising"])
    first = ["stage", "nominal", "proposed", "lower", "upper", "shrunk", "p_won_in_stock", "n_in_stock", "p_unseen"]
    return table[[*first, "is_outside", "made_rising", "p_value_rising"]].assign(
        horizon_days=horizon_days, confidence=confidence
    )


def _rising(values: np.ndarray, weight: np.ndarray, is_stage: np.ndarray) -> np.ndarray:
    """Values of the stages that never fall; the same weights for rate and bounds keep their order.

    Deals alone give weight: a stage in which none stood follows its neighbours.
    """
    chosen = is_stage & ~np.isnan(values)
    out = values.copy()
    out[chosen] = np.clip(never_falling(values[chosen], np.maximum(weight[chosen], 1e-6)), 0, 1)
    return out


def rounded(rate: Any) -> np.ndarray:
    """To 5 %, below 5 % to 1 %, at least 1 %.

    Examples
    --------
    >>> rounded([0.003, 0.037, 0.12, 0.63, 0.98]).tolist()
    [0.01, 0.04, 0.1, 0.65, 1.0]
    """
    rate = np.asarray(rate, dtype=float)
    step = np.where(rate < STEP, SMALL_STEP, STEP)
    return np.round(np.maximum(np.round(rate / step) * step, SMALL_STEP), 2)
