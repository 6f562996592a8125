"""Where every deal stands, and the calendar it lives in."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

OPEN, WON, LOST, NO_DECISION, WITHDRAWN = 0, 1, 2, 3, 4
ENDS = {WON: "won", LOST: "lost", NO_DECISION: "no_decision", WITHDRAWN: "withdrawn"}
N_STAGES = 8


@dataclass
class State:
    """Where every deal stands at the end of a day, hidden facts included; one element a deal.

    Attributes
    ----------
    created : ndarray of int
        Day of creation; a deal sleeps until then.
    pace, risk : ndarray of float
        What the facts and the hidden quality of a deal add to the log hazards of the buyer moving on, of losing.
    work : ndarray (n_deals, 8)
        What the conditions done in each stage add to the pace (and take from the risk).
    eager : ndarray of float
        What the rep's optimism adds to the log hazard of running ahead of the customer.
    fast : ndarray of bool
    stage, buyer : ndarray of int
        Seller's and buyer's stage, 1..8.
    end : ndarray of int
        0 open, else the code of the end.
    end_day : ndarray of int
    hold, dead : ndarray of bool
        On hold; dead stock: nothing will ever happen, though nobody says so.
    """

    created: np.ndarray
    pace: np.ndarray
    risk: np.ndarray
    work: np.ndarray
    eager: np.ndarray
    fast: np.ndarray
    stage: np.ndarray
    buyer: np.ndarray
    end: np.ndarray
    end_day: np.ndarray
    hold: np.ndarray
    dead: np.ndarray

    def take(self, rows: np.ndarray) -> State:
        """The state of some deals, repeated if a row is asked for twice."""
        return State(**{f.name: getattr(self, f.name)[rows].copy() for f in fields(self)})


def is_working_day(day: Any) -> Any:
    """Monday to Friday, of days since 1970-01-01 (a Thursday); public holidays are not known here."""
    return (day + 3) % 7 < 5


def quarter_index(day: int) -> int:
    """Running number of the calendar quarter of a day since 1970-01-01."""
    month = np.datetime64(day, "D").astype("datetime64[M]").astype(int)
    return int(month // 3)


def days_to_quarter_end(day: int) -> int:
    """Days from a day to the last day of its calendar quarter."""
    first_after = (np.datetime64((quarter_index(day) + 1) * 3, "M")).astype("datetime64[D]").astype(int)
    return int(first_after - 1 - day)
