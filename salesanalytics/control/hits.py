"""How a rule says what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.control.known import Known

#: A rule takes what was known at a date and its parameters, and returns its hits: ``deal`` (position) or ``rep_id``
#: (neither: the whole portfolio), ``since_day``; optionally ``severity``, ``text`` (what its wording's key ends in) and
#: ``value`` (at stake); any other column is a number of the evidence.
RuleFunction = Callable[[Known, Mapping[str, Any]], pd.DataFrame]


def flag(
    known: Known, where: pd.Series, *, since: Any, severity: Any = None, text: Any = "", **values: Any
) -> pd.DataFrame:
    """Hits on open deals; everything is a series by deal, or one value for all.

    Parameters
    ----------
    where : Series of bool
        Missing counts as False: what is not known never fires.
    since : Series of days
    severity, text : see `RuleFunction`
    """
    chosen = where.reindex(known.deals.index).fillna(False).astype(bool)  # noqa: FBT003
    chosen_deals = known.deals.index[chosen]
    columns = {"since_day": since, "severity": severity, "text": text, **values}
    found = {k: v.reindex(chosen_deals).to_numpy() if isinstance(v, pd.Series) else v for k, v in columns.items()}
    return pd.DataFrame({"deal": chosen_deals, **found})


def either(*parts: pd.DataFrame) -> pd.DataFrame:
    """Hits of the arms of a rule; a deal (or rep) hit by several counts for the first."""
    table = pd.concat([part for part in parts if len(part)] or [parts[0]], ignore_index=True)
    key = [c for c in ("deal", "rep_id", "stage") if c in table]
    return table.drop_duplicates(key, ignore_index=True)


def pick(condition: pd.Series, yes: str, no: str) -> pd.Series:
    """One of two words by deal."""
    return pd.Series(np.where(condition.fillna(False).astype(bool), yes, no), condition.index, dtype=object)  # noqa: FBT003


def stage_at(known: Known, deal: pd.Series, day: pd.Series) -> pd.Series:
    """Order of the seller's stage in which each deal stood at the end of a day; NaN before its first."""
    asked = pd.DataFrame({"deal": deal.to_numpy(), "day": day.to_numpy(dtype="int64"), "row": np.arange(len(deal))})
    moves = known.stays[["deal", "entered_day", "stage"]].rename(columns={"entered_day": "day"})
    moves = moves.astype("int64").sort_values("day", kind="stable")
    found = pd.merge_asof(asked.sort_values("day", kind="stable"), moves, on="day", by="deal").set_index("row")
    return found["stage"].sort_index().set_axis(deal.index).astype(float)


def nothing() -> pd.DataFrame:
    """No hits."""
    return pd.DataFrame({"since_day": pd.Series(dtype=float)})
