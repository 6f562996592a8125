"""Rules about the portfolio: concentration, a funnel too thin, dead stock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.control.hits import flag
from salesanalytics.control.known import Known
from salesanalytics.forecast import actual
from salesanalytics.forecast.targets import stated_target
from salesanalytics.timeline.calendar import to_date

Params = Mapping[str, Any]
MOVES = ("stage", "close_date", "amount")


def concentration(known: Known, params: Params) -> pd.DataFrame:
    """R01. One open deal carries more than share of what open deals are expected to sign by the end of the quarter
    (the next one on the last day): chance by the stage table x amount; at least 3 open deals with an amount.
    """
    quarter = known.quarter(1 if known.quarter().end_day == known.day else 0)
    expected = known.deals["amount"] * known.p_won(quarter.end_day - known.day)
    share = expected / expected.sum() if expected.sum() > 0 else expected * np.nan
    where = (share > params["share"]) & (expected.notna().sum() >= 3)
    return flag(known, where, since=known.day, share=share, quarter=quarter.name)


def funnel_gap(known: Known, params: Params) -> pd.DataFrame:
    """R04. What open deals are expected to sign by the end of the k-th quarter after this one (stage table x amount),
    with what this quarter has signed already, falls short of the targets up to then; k = 1 .. periods. Deals not opened
    yet are left out: the rule asks whether the funnel at hand is enough. A quarter without a target (`stated_target`)
    is not judged.
    """
    signed = actual(known.book, quarter=known.quarter().name, known_at=to_date(known.day))["amount"]
    hits, due = [], 0.0
    for k in range(params["periods"] + 1):
        quarter = known.quarter(k)
        due += stated_target(known.book, quarter) or np.nan
        expected = float((known.deals["amount"] * known.p_won(quarter.end_day - known.day)).sum())
        if k and due > expected + signed:
            sums = {"target": due, "expected": expected + signed}
            hits.append({"since_day": known.day, "value": due - expected - signed, "quarter": quarter.name, **sums})
    return pd.DataFrame(hits[:1] or {"since_day": []})


def dead_stock(known: Known, params: Params) -> pd.DataFrame:
    """R05. Days since stage, expected signing date or amount last changed above flag_days (holds left out), with the
    bucket it has reached.
    """
    last = known.deals["created_day"].astype(float)
    for name in MOVES:
        if name in known.fields.index:
            last = np.fmax(last, known.last_day(known.rows(name)))
    days = known.days_since(last)
    reached = np.searchsorted(sorted(params["buckets"]), days.to_numpy(), side="right")
    bucket = pd.Series(np.array([0, *sorted(params["buckets"])])[reached], days.index)
    return flag(known, days > params["flag_days"], since=last, days=days, bucket=bucket)
