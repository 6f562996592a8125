"""Where the model and the rep of a deal disagree, and what that is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.forecast.lent_amounts import known_or_usual
from salesanalytics.forecast.result import QuarterForecast

SIDES = ("rep", "model")


def disagreements(forecast: QuarterForecast) -> pd.DataFrame:
    """The rep's own chance of each open deal beside the model's: which of both expects more, and how much more.

    A rep's chance is of signing at all; in the period it is that chance where the rep dates the signing in the period,
    and 0 where he dates it later. Deals without a chance or a date of the rep, and those dated before the period (the
    date is over, `scrub_list` names them), are left out: of them he says nothing about the period.

    Returns
    -------
    DataFrame, one row an open deal of which the rep says something, the largest effect first
        ``deal_id``, ``name``, ``rep_id``, ``stage``, ``close_date`` (of the rep), ``amount`` (in the book's currency or
        unit; where none is known, the mean of wins like it), ``p_rep`` (as he states it), ``p_rep_in_period``,
        ``p_model`` (of signing in the period, without judgement), ``effect`` (amount x the rep's chance in the period
        less the model's), ``expects_more`` (``rep``, ``model``; missing where both say the same).
    """
    period, dated = forecast.period, forecast.deals["close_date"]
    said = forecast.deals["p_rep"].notna() & (dated >= pd.Timestamp(period.start))
    deals = forecast.deals[said]
    own = deals["p_rep"].astype(float).where(deals["close_date"] <= pd.Timestamp(period.end), 0.0)
    amount, apart = known_or_usual(deals), own - deals["p_model"]
    told = {"amount": amount, "p_rep_in_period": own, "effect": amount * apart}
    more = pd.Series(np.where(apart > 0, *SIDES), index=deals.index, dtype=object).where(apart != 0, None)
    columns = ["deal_id", "name", "rep_id", "stage", "close_date", "amount", "p_rep", "p_rep_in_period", "p_model"]
    found = deals.assign(**told, expects_more=more)[[*columns, "effect", "expects_more"]]
    order = found["effect"].abs().sort_values(ascending=False, kind="stable").index
    return found.loc[order].reset_index(drop=True)
