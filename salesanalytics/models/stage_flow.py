"""The funnel: where deals that entered a stage went next, and how long they stayed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.models.stage_rows import check_column, entry_rows, segments_of
from salesanalytics.timeline import amounts, clock_rows, spells
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.values import open_amounts


def stage_flow(book: DealBook, *, as_of: Any, by: str | None = None) -> pd.DataFrame:
    """Stage-to-stage conversion, skips, falls back, time in stage, by count and by value.

    Parameters
    ----------
    book : DealBook
    as_of : date
    by : str, optional
        As of `stage_win_rates`: what was known when the stage was first entered; of a deal that skipped it, when it
        entered the next one.

    Returns
    -------
    DataFrame, one row a stage (in order) and value of ``by``
        ``stage``; ``n_entered`` deals, ``amount_entered`` (their amounts on ``as_of``); ``n_passed`` (later reached a
        higher stage or were won), ``pass_rate`` = passed / (passed + ended otherwise) and ``n_undecided`` (neither
        yet: not in the rate); ``n_skipped`` (reached a higher stage or won without entering this one); ``n_fell_back``
        (left it for a lower stage at least once); ``n_ended_here`` (ended otherwise with this as the last stage; an end
        that was taken back is none); a pause between is looked through;
        ``won_days_q50``, ``won_days_q90`` (days in the stage of deals that were won); ``n_standing``,
        ``amount_standing`` (there on ``as_of``; one no longer seen stands nowhere).

    Notes
    -----
    The pass rate counts decided deals only and so leans to fast outcomes; `stage_win_rates` handles censoring.
    """
    day = as_of_day(book, as_of)
    visits = _bridging_pauses(spells(book, as_of=as_of), book.process.pause_state_ids)
    present = visits["deal_id"].isin(open_amounts(book, [day])["deal_id"])
    visits["standing"] = visits["left_on"].isna() & present
    outcome = clock_rows(book, as_of=as_of).groupby("deal_id")["end"].first()
    amount = amounts(book, [day]).set_index("deal_id")["amount"]
    stages = book.process.stages
    if by is None:
        return pd.DataFrame([_stage_row(book, visits, outcome, amount, stage.id) for stage in stages])
    check_column(by, ["stage", *_stage_row(book, visits, outcome, amount, stages[0].id)])
    entered = entry_rows(book, as_of=as_of, by=by).sort_values("entered_day", kind="stable")
    of_stage = {stage.id: visits["deal_id"].map(_segments(entered, stage.id, stage.order)) for stage in stages}
    rows = [
        {"stage": stage.id, by: value}
        | _stage_row(book, visits[of_stage[stage.id] == value], outcome, amount, stage.id)
        for value in segments_of(entered)
        for stage in stages
    ]
    if not rows:  # no deal is known yet: the columns of a stage that nobody has entered
        first = stages[0].id
        rows = [{"stage": first, by: None} | _stage_row(book, visits, outcome, amount, first)]
        return pd.DataFrame(rows).iloc[:0]
    return pd.DataFrame(rows)


def _segments(entered: pd.DataFrame, stage: str, rank: int) -> pd.Series:
    """Segment of each deal at its first entry into a stage, else into the first one above it, else into its last."""
    here, above = entered[entered["state"] == stage], entered[entered["rank"] > rank]
    order = pd.concat([here, above, entered[::-1]]).drop_duplicates("deal_id")
    return order.set_index("deal_id")["segment"]


def _bridging_pauses(visits: pd.DataFrame, pauses: tuple[str, ...]) -> pd.DataFrame:
    """Visits whose ``next_state`` is the one after the pause where a pause came next."""
    after = visits["next_state"].mask(visits["next_state"].isin(pauses))
    return visits.assign(next_state=after.groupby(visits["deal_id"]).bfill())


def _stage_row(
    book: DealBook, visits: pd.DataFrame, outcome: pd.Series, amount: pd.Series, stage: str
) -> dict[str, Any]:
    rank = book.process.stage(stage).order
    highest = visits.groupby("deal_id")["rank"].max()
    won = outcome.reindex(highest.index).eq("won")
    here = visits[visits["state"] == stage]
    deals = pd.Index(here["deal_id"].unique())
    went_on = highest.gt(rank) | won
    since = visits["visit"] > visits["deal_id"].map(here.groupby("deal_id")["visit"].min())
    passed = deals.isin(visits.loc[since & visits["rank"].gt(rank), "deal_id"]) | won.reindex(deals)
    ended = ~outcome.reindex(deals).isin(["open", "won"])
    lost = ended & ~passed
    orders = {s.id: s.order for s in book.process.stages}
    back = here["next_state"].map(orders).lt(rank)
    last = visits[visits["rank"].gt(0)].groupby("deal_id")["visit"].max()
    last_here = here.loc[here["visit"].eq(here["deal_id"].map(last)), "deal_id"]
    won_days = here[here["deal_id"].isin(highest.index[won])].groupby("deal_id")["duration_days"].sum()
    standing = here[here["standing"]]
    decided = int(passed.sum() + lost.sum())
    return {
        "stage": stage,
        "n_entered": len(deals),
        "amount_entered": float(amount.reindex(deals).sum()),
        "n_passed": int(passed.sum()),
        "n_undecided": len(deals) - decided,
        "pass_rate": passed.sum() / decided if decided else np.nan,
        "n_skipped": int((went_on & ~went_on.index.isin(deals)).sum()),
        "n_fell_back": int(here.loc[back, "deal_id"].nunique()),
        "n_ended_here": int((~outcome.reindex(last_here).isin(["open", "won"])).sum()),
        "won_days_q50": float(won_days.median()) if len(won_days) else np.nan,
        "won_days_q90": float(won_days.quantile(0.9)) if len(won_days) else np.nan,
        "n_standing": int(standing["deal_id"].nunique()),
        "amount_standing": float(amount.reindex(standing["deal_id"]).sum()),
    }
