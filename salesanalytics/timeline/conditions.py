"""Stage conditions as they were typed in: every tick known at a date, and the visits they belong to."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.replay import OPEN, collect
from salesanalytics.timeline.spells import known_outcomes, spells

col = nw.col
DONE, WAIVED, UNDONE = "done", "waived", "undone"
TICK_COLUMNS = ["deal_id", "condition", "mark", "day", "known_day", "typed_at", "evidence"]


def condition_ticks(book: DealBook, *, as_of: Any) -> pd.DataFrame:
    """Rows of the field ``condition`` known at a date, in the order of what happened.

    Returns
    -------
    DataFrame, one row a tick
        ``deal_id``; ``condition``; ``mark`` (done, waived, undone); ``day`` (on which it is said to have happened) and
        ``known_day`` (on which it could be read), days since 1970-01-01; ``typed_at`` (moment of recording, NaT where
        the book knows only its day); ``evidence`` (buyer, seller, none).
    """
    day = as_of_day(book, as_of)
    typed = "recorded_at" if book.told_when_recorded(day) else "changed_at"
    places = book.engine.table("deal_facts").select("deal_id", "deal")
    rows = book.engine.table("history").filter(col("field") == "condition").join(places, on="deal_id")
    kept = rows.select("deal", "row", "changed_at", "recorded_at", "value", "evidence")
    ticks = collect(book, kept)
    at = pd.to_datetime(ticks["changed_at"])
    recorded = pd.to_datetime(ticks["recorded_at"]).fillna(at)
    ticks["day"], ticks["known_day"] = _days(at), np.maximum(_days(at), _days(recorded))
    moment = pd.to_datetime(ticks[typed])
    ticks["typed_at"] = moment.where(moment != moment.dt.normalize())
    ticks = ticks[ticks["known_day"] <= day].sort_values(["deal_id", "changed_at", "row"], ignore_index=True)
    parts = ticks["value"].str.split(":", n=1, expand=True).reindex(columns=[0, 1])
    ticks["condition"], ticks["mark"] = parts[0], parts[1].where(parts[1].isin([WAIVED, UNDONE]), DONE)
    ticks["evidence"] = ticks["evidence"].astype(object).where(ticks["evidence"].isin(["buyer", "seller"]), "none")
    return ticks[TICK_COLUMNS]


def _days(moments: pd.Series) -> np.ndarray:
    return moments.to_numpy().astype("datetime64[D]").astype("int64")


def last_stage_visits(book: DealBook, *, as_of: Any) -> pd.DataFrame:
    """The last visit of each deal to each seller stage, as known at a date.

    Returns
    -------
    DataFrame, one row a deal and stage it was in
        ``deal_id``, ``stage``, ``rank``, ``entered_day`` (of the first visit), ``left_day`` (``as_of`` while it
        lasts), ``left_to``: ``passed`` (on to a later stage, or won), ``back`` (to an earlier one), ``ended`` (lost,
        no decision, withdrawn), ``open`` (there still, or on hold from there). Of a deal that ended there and came
        back: where it came back to.
    """
    day = as_of_day(book, as_of)
    rows = spells(book, as_of=as_of)
    ranks = {stage: k for k, stage in enumerate(book.process.stage_ids, start=1)}
    paused = rows["next_state"].isin(book.process.pause_state_ids)  # a hold belongs to the stage it interrupts
    rows["left_on"] = rows["left_on"].mask(paused).groupby(rows["deal_id"]).bfill()
    rows = rows[rows["rank"] > 0]
    stands = rows["deal_id"].map(known_outcomes(book, day).set_index("deal_id")["end"])  # an end taken back is none
    rows = rows.assign(onto=rows.groupby("deal_id")["state"].shift(-1).fillna(stands))
    visits = rows.groupby(["deal_id", "state"], sort=False)
    last = visits.tail(1).sort_values(["deal_id", "rank"], ignore_index=True)
    first = visits["entered_on"].min().reindex(pd.MultiIndex.from_frame(last[["deal_id", "state"]]))
    rank = last["onto"].map(ranks)
    end = last["onto"].isin(book.process.end_state_ids)
    passed = last["onto"].eq("won") | rank.gt(last["rank"])
    left_to = np.select([passed, end, rank.lt(last["rank"])], ["passed", "ended", "back"], OPEN)
    left = np.where(left_to == OPEN, day, _days(last["left_on"].fillna(pd.Timestamp(0))))
    found = {"entered_day": _days(first), "left_day": left, "left_to": left_to}
    return last[["deal_id", "state", "rank"]].rename(columns={"state": "stage"}).assign(**found)
