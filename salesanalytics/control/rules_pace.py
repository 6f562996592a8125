"""Rules T: pace and silence. Clocks stand still while a deal is on hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.control.hits import either, flag, stage_at
from salesanalytics.control.known import OUTBOUND, WITH_CUSTOMER, Known
from salesanalytics.control.stays import held_days
from salesanalytics.control.won_pace import MIN_WON, won_quantile, won_stage_quantiles

Params = Mapping[str, Any]
HORIZON_DAYS = 730
MIN_ENDED = 60  # ended deals below which no chance by days in the stage is read


def stalled(known: Known, params: Params) -> pd.DataFrame:
    """T01. P(win | still here after d_s days) below ``survival`` (default .5) of P(win | just entered).

    By the stage table, which knows lost and open deals too; days of won deals alone run short (survivors). Both are
    chances of deals that stand alike, not this one's chance by the close model, and are told so. With fewer
    than 60 ended deals, or ``survival: 0``: d_s above the quantile of won deals of the same stage and class (pooled
    below min_n). A deal is stalled only when it stands there for longer than the median won deal.
    """
    days = known.deals["days"]
    share = params.get("survival", 0.5)
    if share and len(known.ended) >= MIN_ENDED:
        chance, fresh = known.p_won(HORIZON_DAYS), known.p_won(HORIZON_DAYS, fresh=True)
        usual = won_quantile(known, 0.5, min_n=params["min_n"])
        stuck = (chance < share * fresh) & (days > usual) & ~known.deals["on_hold"]
        since = known.deals["entered_day"] + usual
        return flag(known, stuck, since=since, text="_survival", days=days, p=chance, fresh=fresh, s=known.deals["s"])
    limit = won_quantile(known, params["quantile"], min_n=params["min_n"])
    since = known.deals["entered_day"] + limit
    return flag(known, days > limit, since=since, days=days, limit=limit.round(), s=known.deals["s"])


def moving_slowly(known: Known, params: Params) -> pd.DataFrame:
    """T02. d_s > mult x the median of won deals, and not stalled (T01 with its own parameters in the process)."""
    own = [rule.params for rule in known.process.rules if rule.id == "T01"]
    usual = won_quantile(known, 0.5)
    stuck = stalled(known, own[0])["deal"] if own else []
    slow = (known.deals["days"] > params["mult"] * usual) & ~known.deals.index.isin(stuck)
    since = known.deals["entered_day"] + (params["mult"] * usual).round()
    return flag(known, slow, since=since, days=known.deals["days"], usual=usual.round(), s=known.deals["s"])


def overage(known: Known, params: Params) -> pd.DataFrame:
    """T03. Age since opening (holds left out) above the quantile of the cycle of at least 20 won deals."""
    won = known.ended[known.ended["end"].eq("won")]
    created = won["created_day"].astype(float)
    cycle = won["end_day"] - created - held_days(known.holds, created, known.day)
    limit = cycle.quantile(params["quantile"]) if len(cycle) >= MIN_WON else np.nan
    age = known.days_since(known.deals["created_day"].astype(float))
    return flag(known, age > limit, since=known.deals["created_day"] + limit, days=age, limit=np.round(limit))


def too_fast(known: Known, params: Params) -> pd.DataFrame:
    """T04. n advances within hours; or two stages in a row left (upwards) in fewer days than the quantile of won deals.

    Stage rows count in days: 24 hours means the same day, 48 the same or the next.
    """
    rows = known.stays[known.stays["deal"].isin(known.deals.index)]
    is_up = (rows["next_code"] > rows["stage"]) & (rows["next_code"] <= len(known.process.stages))
    up = rows[is_up]
    nth = up.groupby("deal")["left_day"].shift(params["n"] - 1)
    burst = up[up["left_day"] - nth <= max(params["hours"] // 24 - 1, 0)]
    quick = is_up & (rows["days"] < rows["stage"].map(won_stage_quantiles(known, params["quantile"])))
    twice = rows[quick & quick.groupby(rows["deal"]).shift(fill_value=False)]
    days = [known.on_deals(part.groupby("deal")["left_day"].min()) for part in (burst, twice)]
    return either(
        flag(known, days[0].notna(), since=days[0], n=params["n"], hours=params["hours"]),
        flag(known, days[1].notna(), since=days[1], text="_pair"),
    )


def no_activity(known: Known, params: Params) -> pd.DataFrame:
    """T05. Days since the last activity (without any: since creation; holds left out) above N of the stage, or above
    the 95 % quantile of the gaps of won deals in that stage. A deal on hold is not asked.
    """
    last = known.last_day(known.rows("activity"))
    since = last.fillna(known.deals["created_day"])
    days = known.days_since(since)
    ids = pd.Series(known.process.stage_ids, index=range(1, len(known.process.stages) + 1))
    limit = known.deals["s"].map(ids.map(dict(params["N"]))).astype(float)
    limit = np.fmin(limit, known.deals["s"].map(_won_gaps(known)).astype(float))
    where = (days > limit) & ~known.deals["on_hold"]
    return either(
        flag(known, where & last.notna(), since=last + limit, days=days, limit=limit.round()),
        flag(known, where & last.isna(), since=since + limit, text="_never", days=days),
    )


def _won_gaps(known: Known) -> pd.Series:
    """95 % quantile of the days between two activities of won deals, by the stage at the first; at least 20 gaps.

    What comes after the signing is no work on the deal.
    """
    signed = known.ended.loc[known.ended["end"].eq("won"), "end_day"]
    rows = known.all_rows("activity")
    rows = rows.loc[rows["day"] <= rows["deal"].map(signed), ["deal", "day"]]
    gap = rows.groupby("deal")["day"].shift(-1) - rows["day"]
    stage = stage_at(known, rows["deal"], rows["day"])
    grouped = gap.groupby(stage)
    return grouped.quantile(0.95).where(grouped.count() >= MIN_WON)


def no_next_step(known: Known, params: Params) -> pd.DataFrame:
    """T06. No next step is planned, or the last one planned lies before the date. Not asked of deals on hold."""
    due = known.last("next_step", "value_day")
    without = known.last_day(known.rows("next_step")).fillna(known.deals["created_day"])
    active = ~known.deals["on_hold"]
    return either(
        flag(known, (due < known.day) & active, since=due + 1, due=due, days=known.day - due),
        flag(known, due.isna() & active, since=without, text="_none"),
    )


def buyer_silent(known: Known, params: Params) -> pd.DataFrame:
    """T07. At least n calls or mails from us and no contact with the customer in the last window_days.

    A visit or a meeting is a contact with the customer.
    """
    rows = known.rows("activity")
    recent = rows[rows["day"] > known.day - params["window_days"]]
    n_out = known.on_deals(recent[recent["value"].isin(OUTBOUND)].groupby("deal").size(), 0)
    n_in = known.on_deals(recent[recent["value"].isin(WITH_CUSTOMER)].groupby("deal").size(), 0)
    heard = known.last_day(rows[rows["value"].isin(WITH_CUSTOMER)]).fillna(known.deals["created_day"])
    where = (n_out >= params["n"]) & (n_in == 0) & ~known.deals["on_hold"]
    return flag(known, where, since=heard, n=n_out, window=params["window_days"], days=known.day - heard)
