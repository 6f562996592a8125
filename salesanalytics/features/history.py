"""Features of a deal's history: pure functions of a snapshot and the references of its date.

Each function takes the snapshot as the timeline gives it (one row an open deal and date) and the reference table
(one row a date and state) and returns new columns on the same index. `HISTORY_FEATURES` lists those in use; a
new one is written as a function and added there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

ENTERED = "n_entered_"  # begins the names of columns that count the entries into a stage
Feature = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]


def columns(snapshot: pd.DataFrame, found: Mapping[str, np.ndarray | pd.Series]) -> pd.DataFrame:
    """New columns on the index of a snapshot, not copied: snapshots are large."""
    return pd.DataFrame(dict(found), index=snapshot.index, copy=False)


def clocks(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Days in the current visit to the state, since creation, and in holds (the current one included)."""
    days = snapshot["as_of_day"] - snapshot["since_day"]
    found = {"days_in_state": days, "age_days": snapshot["as_of_day"] - snapshot["created_day"]}
    return columns(snapshot, found | {"hold_days": snapshot["hold_days"] + days * snapshot["paused"]})


def path(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """How the deal came here: visits, falls back, skips, holds, reopenings, first and highest stage.

    ``n_entered_<stage>``: on how many days it entered each stage.
    """
    names = ["n_visits", "n_regressions", "n_skips", "n_holds", "n_reopened", "entry_rank", "max_rank"]
    names += [name for name in snapshot if name.startswith(ENTERED)]
    return columns(snapshot, {name: snapshot[name] for name in names})


def amount(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Amount known on the date, its natural logarithm, the log change since the first one, and how often it moved."""
    known, first = (_positive(snapshot[c]) for c in ("amount", "amount_first"))
    log_known = np.log(known)
    return columns(
        snapshot,
        {
            "amount": known,
            "log_amount": log_known,
            "log_amount_change": log_known - np.log(np.where(np.isnan(first), known, first)),
            "n_amount_changes": _count(snapshot["amount_n_changes"]),
        },
    )


def _positive(column: pd.Series) -> np.ndarray:
    x = column.to_numpy(dtype=float)
    return np.where(x > 0, x, np.nan)


def _count(column: pd.Series) -> np.ndarray:
    """Whole numbers, 0 where nothing is known."""
    return np.asarray(np.nan_to_num(column.to_numpy(dtype=float)).astype("int64"))


def close_date(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """The rep's expected signing date: days from the date to it (negative = past), times it was pushed or pulled."""
    return columns(
        snapshot,
        {
            "days_to_close_date": snapshot["close_date_last"] - snapshot["as_of_day"],
            "n_close_pushes": _count(snapshot["close_date_n_up"]),
            "n_close_pulls": _count(snapshot["close_date_n_down"]),
            "close_push_days": snapshot["close_date_last"] - snapshot["close_date_first"],
        },
    )


def pace(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Days in the state against deals won and recorded before the date: share of their median, and beyond their q90.

    NaN (and False) where no deal had been won through that state.
    """
    at, dates = pd.factorize(snapshot["as_of"])
    of, states = pd.factorize(snapshot["state"])
    days = (snapshot["as_of_day"] - snapshot["since_day"]).to_numpy()

    def usual(name: str) -> np.ndarray:
        table = reference.pivot(index="as_of", columns="state", values=name).reindex(index=dates, columns=states)
        return np.asarray(table.to_numpy(dtype=float)[at, of])

    q50, q90 = usual("won_days_q50"), usual("won_days_q90")
    beyond = days > np.nan_to_num(q90, nan=np.inf)
    return columns(snapshot, {"pace": days / np.maximum(q50, 1), "beyond_won_q90": beyond})


def calendar(snapshot: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Days from the date to the end of its fiscal quarter."""
    return columns(snapshot, {"days_to_quarter_end": snapshot["quarter_end_day"] - snapshot["as_of_day"]})


HISTORY_FEATURES: tuple[Feature, ...] = (clocks, path, amount, close_date, pace, calendar)
