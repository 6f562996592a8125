"""What nobody in the company knows: the future of every deal, its chances, skill, the shock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.errors import AsOfError
from salesanalytics.simulate.params import Company
from salesanalytics.simulate.state import ENDS, State, quarter_index
from salesanalytics.simulate.walk import forward, walk

FUTURE_DAYS = 1461


@dataclass(frozen=True, eq=False)
class Truth:
    """What nobody in the company knows.

    Attributes
    ----------
    deals : DataFrame
        One row a deal, also those not recorded yet and those opened in the year after the end of the book:
        ``deal_id``, ``created_on``, ``amount`` (as it ends), ``quality``, ``fast_track``, ``end`` and ``end_on`` as
        they will stand four years after the end of the book (``open``: never), ``dead``.
    reps : DataFrame
        ``rep_id``, ``skill``, ``discipline``, ``optimism``.
    back_dated : DataFrame
        One row a deal and stage whose conditions were typed in weeks late: ``deal_id``, ``stage``, ``typed_on``.
    effective_conditions : tuple of str
        Conditions that really help; all others do nothing.
    shock : dict
        Quarter (2026Q4) -> shift of the log hazards of moving on and signing.
    company : Company
    """

    deals: pd.DataFrame
    reps: pd.DataFrame
    back_dated: pd.DataFrame
    effective_conditions: tuple[str, ...]
    shock: dict[str, float]
    company: Company
    _start: State
    _seed: int
    _first_day: int
    _shock: dict[int, float]

    def true_p(self, deal_ids: Any, *, as_of: Any, until: Any, draws: int = 400, seed: int = 0) -> np.ndarray:
        """Chance that each deal stands won at ``until``, given all that was so at ``as_of``, hidden facts included.

        Each deal is simulated on from its full state ``draws`` times; the shock of the quarter of ``as_of`` is the
        one that reigns, later quarters draw new ones.

        Raises
        ------
        KeyError
            A deal the company never had.
        AsOfError
            ``as_of`` is not a day of the simulated years, or ``until`` lies before it.
        """
        day, last = self._day(as_of), to_day(until)
        if last < day:
            raise AsOfError(f"until {until} lies before as_of {as_of}.")
        wanted = pd.Index(deal_ids, dtype=object)
        position = pd.Index(self.deals["deal_id"]).get_indexer(wanted)
        if (position < 0).any():
            raise KeyError(f"unknown deals: {', '.join(map(str, wanted[position < 0][:5]))}")
        now, rng = self._shock[quarter_index(day)], np.random.default_rng(seed)
        state = self._state_at(day).take(position)
        return forward(state, self.company.walk, day=day, until=last, shock_now=now, draws=draws, rng=rng)

    def state_at(self, as_of: Any) -> pd.DataFrame:
        """Where the deals created by ``as_of`` stood at the end of that day, recorded or not.

        Returns
        -------
        DataFrame
            ``deal_id``, ``stage``, ``buyer_stage`` (1..8, the last one of ended deals), ``end`` (``open``: none yet),
            ``on_hold``, ``dead``.

        Raises
        ------
        AsOfError
            ``as_of`` is not a day of the simulated years.
        """
        day = self._day(as_of)
        state = self._state_at(day)
        table = pd.DataFrame(
            {
                "deal_id": self.deals["deal_id"],
                "stage": state.stage,
                "buyer_stage": state.buyer,
                "end": [ENDS.get(int(e), "open") for e in state.end],
                "on_hold": state.hold,
                "dead": state.dead,
            }
        )
        return table[state.created <= day].reset_index(drop=True)

    def _day(self, as_of: Any) -> int:
        day, first, last = to_day(as_of), self._first_day, to_day(self.company.end) + FUTURE_DAYS
        if not first <= day <= last:
            years = f"{np.datetime64(first, 'D')} to {np.datetime64(last, 'D')}"
            raise AsOfError(f"as_of {as_of} must be a day of the simulated years, {years}.")
        return day

    def _state_at(self, day: int) -> State:
        """The past is lived again with the same seed: the state at the end of a day, hidden facts included."""
        state = self._start.take(np.arange(len(self._start.stage)))
        rng = np.random.default_rng([self._seed, 1])
        walk(state, self.company.walk, first_day=self._first_day, last_day=day, shock=self._shock, rng=rng)
        return state


def to_day(value: Any) -> int:
    """A date as days since 1970-01-01."""
    try:
        return int((pd.Timestamp(value).normalize() - pd.Timestamp(0)).days)
    except (TypeError, ValueError, AttributeError) as error:  # NaT has no days
        raise AsOfError(f"{value!r} is not a date such as 2026-09-30.") from error
