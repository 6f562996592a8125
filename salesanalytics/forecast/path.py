"""Path to the target: which open deals to work on, and how far the target comes as they are signed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.errors import SchemaError
from salesanalytics.forecast.prepare import values
from salesanalytics.forecast.result import ROUNDING, QuarterForecast, reaches

CHUNK = 128  # deals at a time: their draws take some ten megabytes


def chances_if_decided(forecast: QuarterForecast, target: float) -> tuple[np.ndarray, np.ndarray]:
    """Chance to reach an amount if each open deal is signed in the period, and if it is not, all else as drawn.

    Two arrays (n_deals,). A deal that signs in a draw anyway brings what was drawn, else what it brings in the mean
    (`values`); `what_if` says the same of each. Only draws in which the deal decides are looked at.
    """
    total, signings = forecast.total(), forecast.signings
    value = values(forecast.prepared, forecast.deals)
    deal, there = signings.deal, total[signings.draw]
    reached = reaches(there, target)
    needed = ~reached & reaches(there + value[deal], target)  # signing twice would do it: that counts for nothing
    decisive = reached & ~reaches(there - signings.value, target)
    n_if_more = len(total) - np.searchsorted(np.sort(total), target * (1 - ROUNDING) - value)
    twice, alone = (np.bincount(deal[which], minlength=len(value)) for which in (needed, decisive))
    return (n_if_more - twice) / len(total), (reaches(total, target).sum() - alone) / len(total)


def path_to_target(forecast: QuarterForecast) -> pd.DataFrame:
    """Open deals that can be signed in the period, those first on which work brings the target closest.

    An analyst cannot sign a deal, she can work on it. So the order is by what work is worth: were the odds of a deal
    doubled, its chance p would rise by p (1 - p) / (1 + p) (``room``), and with it the chance of the target by so much
    of the difference between signed and not signed (``worth``). A large deal that has hardly a chance does not lead,
    for twice hardly any is hardly any; nor does one that is as good as signed.

    Parameters
    ----------
    forecast : QuarterForecast
        With a target.

    Returns
    -------
    DataFrame, one row an open deal whose chance in the period is not 0, the one worth most first
        ``deal_id``, ``name``, ``rep_id``, ``stage``, ``amount``, ``p_in_period``; ``p_target_won`` (chance of the
        target if this one is signed, all else as drawn), ``adds`` (that less the chance now), ``room``, ``worth``
        (chance of the target gained if the odds double), ``p_target_path`` (chance of the target if this deal and all
        above it are signed). Shares, not percent; the amount in the book's currency or unit.

    Raises
    ------
    SchemaError
        The forecast has no target, or no amount is known.
    """
    now = forecast.p_target
    if forecast.target is None or now is None:
        raise SchemaError("A path needs a target and amounts: state target, or give the book targets.")
    p = forecast.deals["p_in_period"].to_numpy(dtype=float)
    won, lost = chances_if_decided(forecast, forecast.target)
    room = p * (1 - p) / (1 + p)
    told = {"p_target_won": won, "adds": won - now, "room": room, "worth": room * (won - lost)}
    columns = ["deal_id", "name", "rep_id", "stage", "amount", "p_in_period"]
    found = forecast.deals[columns].assign(**told)[p > 0].sort_values("worth", ascending=False, kind="stable")
    path = _chances_along(forecast, found.index.to_numpy(), forecast.target)
    return found.assign(p_target_path=path).reset_index(drop=True)


def _chances_along(forecast: QuarterForecast, order: np.ndarray, target: float) -> np.ndarray:
    """Chance of the target when deals are signed one after the other, (n_order,), by their places in this order."""
    total, found = forecast.total(), np.ones(len(order))
    value = values(forecast.prepared, forecast.deals)
    for start in range(0, len(order), CHUNK):
        part = order[start : start + CHUNK]
        place = np.full(len(value), -1)
        place[part] = np.arange(len(part))
        signs = forecast.signings.of(place, len(part), by_value=False) > 0
        totals = total + np.cumsum(np.where(signs, 0.0, value[part, None]), axis=0)
        found[start : start + CHUNK] = reaches(totals, target).mean(axis=1)
        total = totals[-1]
        if found[start + len(part) - 1] == 1:  # then it is reached with all the others too
            break
    return found
