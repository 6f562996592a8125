"""Features of a deal's history: pure functions of a snapshot and the references of its date.

Each function takes the snapshot as the timeline gives it (one row an open deal and date) and the reference table
(one row a date and state) and returns new columns on the same index. `HISTORY_FEATURES` lists those in use; a
new one is written as a function and added there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

Feature = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]


def clocks(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Days in the current visit to the state, since creation, and in holds (the current one included)."""
    days = snapshot["as_of_day"] - snapshot["since_day"]
    paused = snapshot["state"] != snapshot["stage"]
    return pd.DataFrame(
        {
            "days_in_state": days,
            "age_days": snapshot["as_of_day"] - snapshot["created_day"],
            "hold_days": snapshot["hold_days"] + days.where(paused, 0),
        }
    )


def path(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """How the deal came here: visits, falls back, skips, holds, reopenings, first and highest stage."""
    columns = ["n_visits", "n_regressions", "n_skips", "n_holds", "n_reopened", "entry_rank", "max_rank"]
    return snapshot[columns]


def amount(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Amount known on the date, its natural logarithm, the log change since the first one, and how often it moved."""
    known = snapshot["amount"].where(snapshot["amount"] > 0)
    first = snapshot["amount_first"].where(snapshot["amount_first"] > 0).fillna(known)
    return pd.DataFrame(
        {
            "amount": known,
            "log_amount": np.log(known),
            "log_amount_change": np.log(known / first),
            "n_amount_changes": snapshot["amount_n_changes"].fillna(0).astype("int64"),
        }
    )


def close_date(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """The rep's expected signing date: days from the date to it (negative = past), times it was pushed or pulled."""
    return pd.DataFrame(
        {
            "days_to_close_date": snapshot["close_date_last"] - snapshot["as_of_day"],
            "n_close_pushes": snapshot["close_date_n_up"].fillna(0).astype("int64"),
            "n_close_pulls": snapshot["close_date_n_down"].fillna(0).astype("int64"),
            "close_push_days": snapshot["close_date_last"] - snapshot["close_date_first"],
        }
    )


def pace(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Days in the state against deals won and recorded before the date: share of their median, and beyond their q90.

    NaN (and False) where no deal had been won through that state.
    """
    key = ["as_of", "state"]
    usual = snapshot[key].merge(reference[[*key, "won_days_q50", "won_days_q90"]], on=key, how="left")
    usual.index = snapshot.index
    days = snapshot["as_of_day"] - snapshot["since_day"]
    return pd.DataFrame(
        {
            "pace": days / usual["won_days_q50"].clip(lower=1),
            "beyond_won_q90": days > usual["won_days_q90"].fillna(np.inf),
        }
    )


def calendar(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Days from the date to the end of its fiscal quarter."""
    return pd.DataFrame({"days_to_quarter_end": snapshot["quarter_end_day"] - snapshot["as_of_day"]})


HISTORY_FEATURES: tuple[Feature, ...] = (clocks, path, amount, close_date, pace, calendar)
