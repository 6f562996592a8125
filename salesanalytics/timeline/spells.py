"""Spells (deal x visit of a stage), outcomes, landmark rows and life tables, all as of a date."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline.calendar import FOREVER, as_of_day, to_day, to_timestamps
from salesanalytics.timeline.replay import (
    OPEN,
    at_dates,
    births,
    collect,
    ended_states,
    path_versions,
    stage_rows,
)

col = nw.col


def states(book: DealBook, days: list[int]) -> nw.LazyFrame[Any]:
    """State of every known deal at the end of each day, in the engine: one row a deal and ``as_of_day``.

    Columns of `path_versions` plus ``known_from``, ``created_day``, ``last_seen_day``.
    """
    return at_dates(book, book.engine.once("standing", lambda: _standing(book)), days)


def _standing(book: DealBook) -> nw.LazyFrame[Any]:
    """Path and birth of every deal, one row a deal and version of either."""
    both = path_versions(book).join(births(book), on="deal", suffix="_born")
    first, last = nw.max_horizontal("valid_from", "valid_from_born"), nw.min_horizontal("valid_to", "valid_to_born")
    both = both.with_columns(valid_from=first, valid_to=last).drop("valid_from_born", "valid_to_born")
    return both.filter(col("valid_from") < col("valid_to"))


def first_day(book: DealBook) -> int | None:
    """First day on which a deal stood open and an end would have been recorded; None without a deal."""
    begin = book.engine.fact("first_created", lambda: _first_created(book))
    return None if pd.isna(begin) else max(int(begin), observed_from(book))


def _first_created(book: DealBook) -> float:
    return collect(book, births(book).select(day=col("created_day").min()))["day"].iloc[0]


def observed_from(book: DealBook) -> int:
    """First day on which ends were recorded at all; before any date when the book does not say."""
    since = book.settings.observed_from
    return -FOREVER if since is None else to_day(since)


def told_from(book: DealBook, day: int) -> float:
    """First day from which on a book tells of signings, as known at a day; infinite where it knows of no deal.

    Of the time before anything was known (a CRM brought in with deals that had long begun) it tells as far back as an
    end is dated: where only open deals were taken over, nothing at all.
    """
    known = known_outcomes(book, day)
    first = [known["known_from"].min(), known.loc[known["end"] != OPEN, "end_day"].min()]
    return float(max(np.nanmin(np.array(first, dtype=float), initial=np.inf), observed_from(book)))


def spells(book: DealBook, *, as_of: Any) -> pd.DataFrame:
    """Visits of deals to states, as known at a date.

    Parameters
    ----------
    book : DealBook
    as_of : date
        End of that day, inclusive.

    Returns
    -------
    DataFrame, one row a deal and visit, in the order in which they happened
        ``deal_id``; ``visit`` (1 = the deal's first); ``state`` (stage or pause); ``rank`` (order of the stage, 0 for
        a pause); ``entered_on``; ``left_on`` (NaT while it lasts); ``next_state`` (None while it lasts);
        ``duration_days`` (to the leaving, else to ``as_of`` or the day last seen); ``entry_days`` (days from entering
        to the first knowledge of the deal: late entry); ``first_entry`` (first visit of this deal to this state).

    Raises
    ------
    AsOfError
        ``as_of`` lies after the end of the book.
    """
    frame = collect(book, _visits(book, as_of_day(book, as_of)).sort("deal", "visit"))
    frame["entered_on"] = to_timestamps(frame.pop("entered_day"))
    frame["left_on"] = to_timestamps(frame.pop("left_day"))
    columns = ["deal_id", "visit", "state", "rank", "entered_on", "left_on", "next_state", "duration_days"]
    return frame[[*columns, "entry_days", "first_entry"]]


def stage_runs(rows: nw.LazyFrame[Any], key: tuple[str, ...]) -> nw.LazyFrame[Any]:
    """Runs of equal states, in the order of what happened: adds ``visit``, ``left_day``, ``next_state``."""

    def shifted(name: str, step: int) -> nw.Expr:
        return col(name).shift(step).over(*key, order_by="seq")

    starts = rows.with_columns(before=shifted("code", 1)).filter(
        col("before").is_null() | (col("before") != col("code"))
    )
    return starts.with_columns(
        left_day=shifted("day", -1),
        next_state=shifted("code", -1),
        visit=col("seq").rank("ordinal").over(*key).cast(nw.Int64),
    )


def _visits(book: DealBook, day: int) -> nw.LazyFrame[Any]:
    """Visits to stages and pauses as known at a day; the last one of an open deal lasts until then."""
    rows = stage_rows(book).filter(col("known_day") <= day).select("deal", "seq", "day", "code")
    born = at_dates(book, births(book), [day])
    silent = born.join(rows.select("deal").unique(), on="deal", how="anti").select(
        "deal",
        seq=nw.lit(0).cast(nw.Int64),
        day=col("created_day"),
        code=nw.lit(1).cast(nw.Int64),
    )
    runs = stage_runs(nw.concat([rows, silent], how="vertical"), ("deal",))
    runs = runs.with_columns(first_seq=col("seq").min().over("deal", "code"))
    seen = runs.filter(~col("code").is_in(ended_states(book))).join(born, on="deal")
    is_stage = col("code") <= len(book.process.stages)
    watched = nw.max_horizontal("known_from", nw.lit(observed_from(book)))
    until = nw.max_horizontal(nw.min_horizontal(nw.lit(day), col("last_seen_day")), "day")
    return seen.select(
        "deal",
        "visit",
        state=col("code"),
        rank=nw.when(is_stage).then(col("code")).otherwise(nw.lit(0)),
        entered_day=col("day"),
        left_day=col("left_day"),
        next_state=col("next_state"),
        duration_days=nw.coalesce(col("left_day"), until) - col("day"),
        entry_days=nw.max_horizontal(watched - col("day"), nw.lit(0)),
        first_entry=col("seq") == col("first_seq"),
    )


def outcomes(book: DealBook, days: list[int]) -> nw.LazyFrame[Any]:
    """How every known deal stands at the end of each day: ``deal, as_of_day, end, end_day, created_day, known_from``.

    ``end`` is the code of an end state that was not reversed, or 0 = open; ``end_day`` is the day of the end, of an
    open deal the last day on which it was under observation.
    """
    ended = col("state").is_in(ended_states(book))
    until = nw.min_horizontal("as_of_day", "last_seen_day")
    return states(book, days).select(
        "deal",
        "as_of_day",
        end=nw.when(ended).then(col("state")).otherwise(nw.lit(0)),
        end_day=nw.when(ended).then(col("since_day")).otherwise(until),
        created_day=col("created_day"),
        known_from=col("known_from"),
    )


def known_outcomes(book: DealBook, day: int) -> pd.DataFrame:
    """`outcomes` of a day with names, by deal: ``deal_id, end, end_day, created_day, known_from``."""
    return outcomes_on(book, [day]).drop(columns="as_of_day")


def outcomes_on(book: DealBook, days: list[int]) -> pd.DataFrame:
    """`outcomes` with names, by ``as_of_day`` and deal: what is found here `known_outcomes` need not find again."""
    return book.engine.by_day("outcomes", days, lambda days: collect(book, outcomes(book, days)))


def n_closed(book: DealBook, days: list[int]) -> dict[int, int]:
    """How many deals had ended by the end of each day."""
    ended = states(book, sorted(set(days))).filter(col("state").is_in(ended_states(book)))
    found = collect(book, ended.group_by("as_of_day").agg(n=nw.len()))
    return dict.fromkeys(days, 0) | dict(zip(found["as_of_day"].tolist(), found["n"].tolist(), strict=True))


def longest_won_stays(book: DealBook, *, as_of: Any) -> dict[str, int]:
    """Days of the longest visit that a deal known as won has made to each state; states without one are left out."""
    day = as_of_day(book, as_of)
    won = outcomes(book, [day]).filter(col("end") == book.state_codes["won"]).select("deal")
    stays = _visits(book, day).join(won, on="deal").group_by("state").agg(days=col("duration_days").max())
    return collect(book, stays).set_index("state")["days"].to_dict()


def clock_rows(book: DealBook, *, as_of: Any) -> pd.DataFrame:
    """Time from the first entry into each state to the deal's outcome, as known at a date.

    Returns
    -------
    DataFrame, one row a deal and state it entered
        ``deal_id``, ``state``, ``rank``, ``entered_day``, ``duration_days``, ``end`` (``open`` = censored),
        ``entry_days`` (late entry). A deal whose end was known with or before its entry has no time at risk; it is a
        retrospective entry (``retrospective``).
    """
    day = as_of_day(book, as_of)
    first = _visits(book, day).filter(col("first_entry")).select("deal", "state", "rank", "entered_day", "entry_days")
    frame = collect(
        book,
        first.join(outcomes(book, [day]).select("deal", "end", "end_day"), on="deal").sort("deal", "rank"),
    )
    frame["duration_days"] = (frame.pop("end_day") - frame["entered_day"]).clip(lower=0)
    late = frame["entry_days"] > 0
    frame["retrospective"] = late & (frame["entry_days"] >= frame["duration_days"])
    return frame


def life_table(book: DealBook, *, as_of: Any) -> pd.DataFrame:
    """Counts that suffice for every stage-level estimate: state x entry x duration x end.

    Returns
    -------
    DataFrame, one row a distinct combination
        ``state``, ``entry_days``, ``duration_days``, ``end``, ``n``. Summing ``n`` gives the deals that entered.
    """
    day = as_of_day(book, as_of)
    first = _visits(book, day).filter(col("first_entry"))
    rows = first.select("deal", "state", "entered_day", "entry_days").join(outcomes(book, [day]), on="deal")
    counted = (
        rows.with_columns(duration_days=nw.max_horizontal(col("end_day") - col("entered_day"), nw.lit(0)))
        .group_by("state", "entry_days", "duration_days", "end")
        .agg(n=nw.len())
    )
    return collect(book, counted.sort("state", "entry_days", "duration_days", "end"))


def recording_lag_days(book: DealBook, *, as_of: Any) -> int:
    """95 % quantile of the days between an end and its recording, among ends known at a date; 0 without lag.

    Of deals that ended before anything was known of them (an import, a retrospective entry) nobody waited for the end:
    they do not count.
    """
    day = as_of_day(book, as_of)
    recorded = book.engine.fact("recorded_ends", lambda: _recorded_ends(book))
    lags = recorded.loc[recorded["known_day"] <= day, "lag"]
    return int(lags.quantile(0.95, interpolation="higher")) if len(lags) else 0


def _recorded_ends(book: DealBook) -> pd.DataFrame:
    """Every row that tells of an end of a deal known by then: ``known_day``, ``lag`` (days from the end to there)."""
    ends = stage_rows(book).filter(col("code").is_in(ended_states(book)))
    ends = ends.join(births(book).select("deal", "known_from").unique(), on="deal")
    ends = ends.filter(col("day") >= col("known_from"))
    return collect(book, ends.select("known_day", lag=col("known_day") - col("day")))


def landmark_rows(book: DealBook, *, as_of: Any, every_days: int = 28, ended: bool = False) -> pd.DataFrame:
    """Deals standing in a state on dates of the past, with the time from there to their outcome as known at ``as_of``.

    Parameters
    ----------
    every_days : int
        Distance of the landmarks, counted back from ``as_of``.
    ended : bool
        False: open deals (stages and pauses). True: deals that had ended without being won; they can come back, so
        only a later signing is an event, and all others are censored.

    Returns
    -------
    DataFrame, one row a deal and landmark
        ``deal_id``, ``landmark_day``, ``state``, ``days_in_state``, ``age_days`` (since creation), ``duration_days``
        (landmark to end, or to the last observation), ``end``. An end dated before the landmark but recorded after
        it has duration 0. The last q95 of the recording lag before ``as_of`` counts as unobserved.
    """
    day = as_of_day(book, as_of)
    censored = day - recording_lag_days(book, as_of=as_of)
    first = first_day(book)
    landmarks = [] if first is None else [d for d in range(day - every_days, first - 1, -every_days) if d < censored]
    if not landmarks:
        return pd.DataFrame(columns=LANDMARK_COLUMNS)
    at_end = col("state").is_in(ended_states(book))
    standing = states(book, sorted(landmarks)).filter(col("last_seen_day") >= col("as_of_day"))
    standing = standing.filter((at_end & (col("state") != book.state_codes["won"])) if ended else ~at_end)
    rows = standing.select(
        "deal",
        landmark_day=col("as_of_day"),
        state=col("state"),
        days_in_state=col("as_of_day") - col("since_day"),
        age_days=col("as_of_day") - col("created_day"),
        last_seen_day=col("last_seen_day"),
    )
    frame = collect(book, rows.sort("deal", "landmark_day"))
    frame = frame.merge(known_outcomes(book, day)[["deal_id", "end", "end_day"]], on="deal_id")
    unseen = (frame["end_day"] > censored) | (ended & frame["end"].ne("won"))
    frame["end"] = frame["end"].where(~unseen, OPEN)
    watched = frame["last_seen_day"].clip(upper=censored)
    frame["end_day"] = frame["end_day"].where(~(unseen & ended), watched).clip(upper=censored)
    frame["duration_days"] = (frame.pop("end_day") - frame["landmark_day"]).clip(lower=0)
    return frame[LANDMARK_COLUMNS]


LANDMARK_COLUMNS = ["deal_id", "landmark_day", "state", "days_in_state", "age_days", "end", "duration_days"]


def open_deals(book: DealBook, *, days: list[int]) -> nw.LazyFrame[Any]:
    """Deals open (or paused) and not vanished at the end of each date, in the engine."""
    at_end = col("state").is_in(ended_states(book))
    return states(book, days).filter(~at_end & (col("last_seen_day") >= col("as_of_day")))
