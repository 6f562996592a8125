"""What moved the open pipeline between two dates: flows that add up, and the deals behind each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import AsOfError
from salesanalytics.timeline import amounts, known_outcomes
from salesanalytics.timeline.calendar import as_of_day, to_date
from salesanalytics.timeline.replay import OPEN, collect
from salesanalytics.timeline.spells import states

CAME, REPRICED, LEFT = ("new", "back", "late"), ("stated", "up", "down"), ("won", "lost", "other_end", "vanished")
FLOWS = (*CAME, *REPRICED, "stage", *LEFT)
MEASURES = ("amount", "weighted", "count", "without_amount")


@dataclass(frozen=True)
class PipelineChange:
    """What moved the open pipeline.

    Attributes
    ----------
    causes : DataFrame
        One row a cause, in the order of `FLOWS`: ``cause`` and the four measures of ``before`` and ``after``, whose
        differences they add up to. Came in: ``new`` (created since), ``back`` (had ended by the first date),
        ``late`` (created by the first date, recorded since). Amounts of deals that were there: ``stated`` (none was
        known before), ``up``, ``down``. ``stage``: moved on or fell back, which moves the weighted amount alone. Went
        out, with their last amount: ``won``, ``lost``, ``other_end``, ``vanished`` (gone without an end).
    deals : DataFrame
        One row a deal that moved, the largest first: ``deal_id``; ``name``; ``came`` and ``left`` (causes, None where
        it was there before, or still is); ``amount_before``, ``amount_after`` (NaN where it was not in the pipeline, or
        none was known); ``amount`` and ``weighted`` (the differences, a deal without one counting as 0); a column of
        amounts for each cause.
    before, after : dict
        Of the deals open on either date: ``amount``; ``weighted``, amount x nominal rate of the stage; ``count``;
        ``without_amount``, how many of them have none. ``amount`` is None where none is known at all, ``weighted`` also
        where not every stage has a nominal rate.
    before_on, after_on : date
    """

    causes: pd.DataFrame
    deals: pd.DataFrame
    before: dict[str, float | None]
    after: dict[str, float | None]
    before_on: date
    after_on: date

    def __repr__(self) -> str:
        moved = " to ".join(f"{told['count']:,.0f}" for told in (self.before, self.after))
        return f"<PipelineChange: {self.before_on} to {self.after_on}, open deals {moved}, {len(self.deals):,} moved>"


def pipeline_change(book: DealBook, *, before: Any, as_of: Any) -> PipelineChange:
    """Split the difference of the open pipeline of two dates by cause and by deal.

    Each date is seen as it was known then: what was recorded since, of whatever day, is part of the change. The
    pipeline is every deal that is open or paused and not vanished. A deal that came in and went out between the dates
    counts in both flows; one whose end was only replaced by another, in none.

    Parameters
    ----------
    book : DealBook
    before, as_of : date
        The two dates, end of day; ``before`` not later than ``as_of``.

    Returns
    -------
    PipelineChange
        In the book's currency or unit. Where the book holds amounts of the extract alone (``amount_is: current``),
        both dates show those.

    Raises
    ------
    AsOfError
        ``before`` lies after ``as_of``, or either after the end of the book.
    """
    first, last = as_of_day(book, before), as_of_day(book, as_of)
    if first > last:
        raise AsOfError(f"before must not lie after as_of {to_date(last)}, got {to_date(first)}.")
    now = _standing(book, last)
    then = _standing(book, first).reindex(now.index)
    flow = _flows(then, now, first)
    then, now = then.loc[flow.index], now.loc[flow.index]
    by_measure = {m: _by_cause(flow, *_worths(m, then, now)) for m in MEASURES}
    unknown = _unknown(book, flow, then, now)
    deals = _deals(flow, then, now, by_measure)
    deals.insert(1, "name", deals["deal_id"].map(book.deals.set_index("deal_id")["name"]))
    causes = pd.DataFrame({m: moved.sum() for m, moved in by_measure.items()}).rename_axis("cause").reset_index()
    causes[unknown] = deals[unknown] = np.nan
    return PipelineChange(
        causes=causes,
        deals=deals,
        before=_total(flow["was_open"], then, unknown),
        after=_total(flow["is_open"], now, unknown),
        before_on=to_date(first),
        after_on=to_date(last),
    )


def _standing(book: DealBook, day: int) -> pd.DataFrame:
    """How every deal known at a day stands, by its id, with its ``amount`` and the nominal ``rate`` of its stage."""
    found = known_outcomes(book, day).drop(columns="known_from").set_index("deal_id")
    stage = collect(book, states(book, [day]).select("deal", "stage")).set_index("deal_id")["stage"]
    found["amount"] = amounts(book, [day]).set_index("deal_id")["amount"]
    found["rate"] = stage.map(dict(book.process.nominal_win_rates)).astype(float)
    found["is_open"] = found["end"].eq(OPEN) & found["end_day"].eq(day)  # one that vanished was last seen earlier
    return found


def _flows(then: pd.DataFrame, now: pd.DataFrame, first: int) -> pd.DataFrame:
    """Deals that were in the pipeline between the dates: how each came, changed its amount, and left; None: it did not.

    A deal that had ended by the first date and was recorded later was never in it.
    """
    was_open, is_open, unknown = then["is_open"] == 1, now["is_open"], then["end"].isna()
    came_by = {
        "new": unknown & (now["created_day"] > first),
        "late": unknown & (now["created_day"] <= first) & (now["end_day"] > first),
        "back": ~unknown & ~was_open & is_open,
    }
    flow = pd.DataFrame({"was_open": was_open, "is_open": is_open, "came": _named(came_by)})
    had, has = then["amount"].notna(), now["amount"].notna()
    more, less = now["amount"] > then["amount"], now["amount"] < then["amount"]
    flow["repriced"] = _named({"stated": was_open & (had != has), "up": was_open & more, "down": was_open & less})
    end = now["end"].where(now["end"].isin(["won", "lost"]), "other_end").mask(now["end"].eq(OPEN), "vanished")
    flow["left"] = end.astype(object).mask(is_open, None)
    return flow[was_open | flow["came"].notna()]


def _named(cases: dict[str, pd.Series]) -> pd.Series:
    """The name of the case that holds for each deal; None where none does."""
    index = next(iter(cases.values())).index
    found = pd.Series(np.full(len(index), None, dtype=object), index)
    for name, holds in cases.items():
        found = found.mask(holds, name)
    return found


def _worths(measure: str, then: pd.DataFrame, now: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """What each deal counts as: before, with its new amount in the old stage, and with its new amount in its stage."""
    if measure == "count":
        one = pd.Series(1.0, now.index)
        return one, one, one
    if measure == "without_amount":
        had, has = (some["amount"].isna().astype(float) for some in (then, now))
        return had, has, has
    rates = [some["rate"].fillna(0.0) if measure == "weighted" else 1.0 for some in (then, now)]
    old, new = (some["amount"].fillna(0.0) for some in (then, now))
    return rates[0] * old, rates[0] * new, rates[1] * new


def _by_cause(flow: pd.DataFrame, before: pd.Series, repriced: pd.Series, after: pd.Series) -> pd.DataFrame:
    """One row a deal, one column a cause."""
    moved = {"stage": (after - repriced).where(flow["was_open"], 0.0)}
    steps = (("came", CAME, after), ("repriced", REPRICED, repriced - before), ("left", LEFT, -after))
    for step, names, change in steps:
        moved |= {name: change.where(flow[step].eq(name), 0.0) for name in names}
    return pd.DataFrame(moved, columns=list(FLOWS))


def _unknown(book: DealBook, flow: pd.DataFrame, then: pd.DataFrame, now: pd.DataFrame) -> list[str]:
    """Measures of which nothing can be said."""
    amount = pd.concat([then["amount"].where(flow["was_open"]), now["amount"]])
    if len(amount) and amount.isna().all():
        return ["amount", "weighted"]
    rates = book.process.nominal_win_rates.values()
    return ["weighted"] if None in rates or not any(rates) else []


def _total(there: pd.Series, standing: pd.DataFrame, unknown: list[str]) -> dict[str, float | None]:
    """The measures of the deals that are there."""
    own = standing[there]
    return {m: None if m in unknown else float(_worths(m, own, own)[2].sum()) for m in MEASURES}


def _deals(
    flow: pd.DataFrame, then: pd.DataFrame, now: pd.DataFrame, by_measure: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    """The deals that moved, the largest first."""
    by_cause = by_measure["amount"]
    table = flow[["came", "left"]].assign(
        amount_before=then["amount"].where(flow["was_open"]),
        amount_after=now["amount"].where(flow["is_open"]),
        **{m: by_measure[m].sum(axis=1) for m in ("amount", "weighted")},
    )
    moved = pd.concat([x.ne(0).any(axis=1) for x in by_measure.values()], axis=1).any(axis=1)
    sizes = pd.DataFrame({"whole": table["amount"].abs(), "part": by_cause.abs().max(axis=1)})[moved]
    order = sizes.sort_values(["whole", "part"], ascending=False, kind="stable").index
    return table.join(by_cause).loc[order].rename_axis("deal_id").reset_index()
