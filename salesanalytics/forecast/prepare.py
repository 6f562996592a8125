"""What a forecast of a period is drawn from: scored deals, deals that may come back, arrivals, amounts, the shock."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import AsOfError
from salesanalytics.features import snapshots
from salesanalytics.forecast.amount_ratios import AmountRatios, amount_ratios, expected_amounts
from salesanalytics.forecast.arrivals import Arrivals, fit_arrivals
from salesanalytics.forecast.baselines import signed_deals
from salesanalytics.forecast.groupings import with_groupings
from salesanalytics.forecast.late_bookings import chances_before, shares_before, split_day
from salesanalytics.forecast.lent_amounts import LentAmounts, attributes_at, known_or_usual, lent_amounts
from salesanalytics.forecast.months import months_of, open_by_month
from salesanalytics.forecast.parts import ended_deals, to_come
from salesanalytics.forecast.score import score_with
from salesanalytics.models.close_model import CloseModel, fitted_close_model
from salesanalytics.models.shock import Shock, fit_shock
from salesanalytics.models.told import stage_table_at
from salesanalytics.timeline import Period, amounts
from salesanalytics.timeline.calendar import to_date, to_timestamps
from salesanalytics.timeline.openings import owned_on, owner_spells


@dataclass(frozen=True)
class Drawable:
    """All that the draws of a period rest on.

    Attributes
    ----------
    period : Period
    day : int
        ``as_of``, days since 1970-01-01.
    deals : DataFrame
        Scored open deals (`score_open_deals`) with ``p_in_period`` (``p_model``: what the model says of it;
        ``p_table_in_period``: the stage table alone; ``p_late_booking``: signed before the period, to be recorded yet),
        what deals can be grouped by (`with_groupings`), ``usual_amount`` (what it brings in the mean if nobody knows
        its amount), largest expected amount first.
    signed : DataFrame
        Deals signed in the period so far: ``deal_id``, ``amount``, and the same groupings.
    ended : DataFrame
        From `ended_deals`, with ``lent_group`` and ``usual_amount``.
    arrivals : Arrivals
    lent : LentAmounts
        What deals without an amount are lent.
    ratios : dict
        From `amount_ratios`.
    shock : Shock
    has_recorded_at : bool
        Whether the book can know of deals that are not recorded yet.
    before : Series
        From `shares_before`: what of the chances is not of the period.
    """

    period: Period
    day: int
    deals: pd.DataFrame
    signed: pd.DataFrame
    ended: pd.DataFrame
    arrivals: Arrivals
    lent: LentAmounts
    ratios: dict[str, AmountRatios]
    shock: Shock
    has_recorded_at: bool
    before: pd.Series


@dataclass(frozen=True)
class Prepared(Drawable):
    """Everything that was worked out before the first draw.

    Attributes
    ----------
    model : CloseModel
    snapshot : DataFrame
        The snapshot of the open deals, row by row as ``deals``.
    months : DataFrame
        How the chance of each open and ended deal, by ``deal_id``, divides among the months of the period, one column
        a month: rows sum to ``p_in_period`` until somebody judges the deal, then only their proportions count. Of
        ended deals alone where no more than totals is asked for.
    """

    model: CloseModel
    snapshot: pd.DataFrame
    months: pd.DataFrame

    def drawable(self) -> Drawable:
        """What is left once the chances stand: without the model, which is large."""
        return Drawable(**{item.name: getattr(self, item.name) for item in fields(Drawable)})


@dataclass(frozen=True)
class _Known:
    """What every period forecast at a date shares, but for the close model."""

    day: int
    snapshot: pd.DataFrame
    arrivals: Arrivals
    lent: LentAmounts
    ratios: dict[str, AmountRatios]


_LAST: WeakKeyDictionary[DealBook, _Known] = WeakKeyDictionary()


def _known_at(book: DealBook, day: int) -> _Known:
    """Worked out once for all periods asked for at a date, until another date is asked for."""
    last = _LAST.get(book)
    if last is None or last.day != day:
        as_of = to_date(day)
        lent = lent_amounts(book, as_of=as_of)
        last = _LAST[book] = _Known(
            day=day,
            snapshot=snapshots(book, as_of=as_of),
            arrivals=replace(fit_arrivals(book, as_of=as_of), won_weight=lent.weight_now),
            lent=lent,
            ratios=amount_ratios(book, day),
        )
    return last


def prepare(book: DealBook, *, period: Period, day: int, in_full: bool = True) -> Prepared:
    """Fit and score; ``in_full``: with intervals of the chances (`score_with`) and months.

    A period that is over is an `AsOfError`.
    """
    if period.end_day <= day:
        raise AsOfError(f"{period.name} ended on {period.end}, as_of is {to_date(day)}: there is nothing to forecast.")
    horizon = period.end_day - day
    known, model = _known_at(book, day), fitted_close_model(book, as_of=to_date(day))
    scores = score_with(model, book, known.snapshot, horizon_days=horizon, intervals=in_full)
    split, before_it = split_day(period, day), shares_before(book, period=period, day=day)
    table, _, _ = model.table_.predict(scores.snapshot, horizon_days=[split, horizon], confidence=None)
    state = scores.deals["state"]
    earlier, earlier_by_table = (chances_before(before_it, state, x) for x in (scores.p_won[:, split], table[:, 0]))
    p = scores.p_won[:, -1] - earlier
    chances = {"p_in_period": p, "p_model": p, "p_table_in_period": table[:, 1] - earlier_by_table}
    chances["p_late_booking"] = earlier if period.start_day - 1 <= day else 0.0 * p
    deals = _worth(book, scores.deals.assign(**chances), known)
    deals = deals.sort_values(["expected_amount", "p_in_period"], ascending=False, kind="stable")
    ended, months = _ended(book, period, known)
    if in_full:
        asked = {"period": period, "day": day, "deal_ids": scores.deals["deal_id"], "state": state}
        months = pd.concat([open_by_month(book, **asked, p_won=scores.p_won, p_before=earlier), months])
    return Prepared(
        model=model,
        deals=deals.reset_index(drop=True),
        snapshot=scores.snapshot.loc[deals.index].reset_index(drop=True),
        shock=fit_shock(model.past_within(horizon)),
        before=before_it,
        ended=ended,
        months=months,
        **_beside(book, period, known),
    )


def prepare_by_table(book: DealBook, *, period: Period, day: int) -> Drawable:
    """The same by the stage table alone, where only simple methods are asked: no close model is fitted, no past tried.

    ``deals`` have what these methods read, in the order of the snapshot; the shock is as before any past.
    """
    known, before_it = _known_at(book, day), shares_before(book, period=period, day=day)
    table, snapshot = stage_table_at(book, day, every_days=CloseModel().every_days), known.snapshot
    ahead = [split_day(period, day), period.end_day - day]
    p_won, _, _ = table.predict(snapshot, horizon_days=ahead, confidence=None)
    p = p_won[:, 1] - chances_before(before_it, snapshot["state"], p_won[:, 0])
    deals = snapshot[["deal_id", "rep_id", "state", "stage", "amount", "p_rep", "category"]].assign(
        close_date=to_timestamps(day + snapshot["days_to_close_date"]), p_in_period=p, p_table_in_period=p
    )
    nothing = pd.DataFrame(columns=["origin_day", "p", "signed"])
    asked = {"ended": _ended(book, period, known)[0], "before": before_it} | _beside(book, period, known)
    return Drawable(deals=_worth(book, deals, known), shock=fit_shock(nothing), **asked)


def _worth(book: DealBook, deals: pd.DataFrame, known: _Known) -> pd.DataFrame:
    """Open deals with their groupings, and what they bring in the mean."""
    deals = with_groupings(book, deals, known.day)
    deals["usual_amount"] = known.lent.mean(known.lent.group(deals))
    deals["expected_amount"] = deals["p_in_period"] * known_or_usual(deals)
    return deals


def _beside(book: DealBook, period: Period, known: _Known) -> dict[str, Any]:
    """Parts of a `Drawable` that no chance of an open deal enters."""
    day = known.day
    return {
        "period": period,
        "day": day,
        "signed": _signed(book, period, day),
        "arrivals": known.arrivals,
        "lent": known.lent,
        "ratios": known.ratios,
        "has_recorded_at": book.told_when_recorded(day),
    }


def _ended(book: DealBook, period: Period, known: _Known) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Deals that have ended and may come back, and their chance of signing in each month of the period."""
    day, months = known.day, months_of(period)
    ahead = [month.start_day - 1 - day for month in months]
    ended, parts = ended_deals(book, day, [*ahead, period.end_day - day], amounts(book, [day]))
    ended["lent_group"] = known.lent.group(attributes_at(book, ended["deal_id"], day))
    ended["usual_amount"] = known.lent.mean(ended["lent_group"].to_numpy())
    return ended, pd.DataFrame(parts, index=pd.Index(ended["deal_id"]), columns=[month.name for month in months])


def _signed(book: DealBook, period: Period, day: int) -> pd.DataFrame:
    """Signings of the period so far; each belongs to the owner at signing, handing over typed in later included."""
    signed = signed_deals(book, period=period, day=day)
    owner = owned_on(owner_spells(book, as_of=to_date(day)), signed["deal_id"], signed["end_day"])
    return with_groupings(book, signed.assign(rep_id=owner), signed["end_day"].to_numpy(dtype="int64"))


def values(prepared: Drawable, deals: pd.DataFrame) -> np.ndarray:
    """What each open deal is expected to bring if it signs, (n_deals,): its amount and how amounts change until then.

    Where none is known: what is usual for deals like it.
    """
    final = expected_amounts(deals, prepared.ratios)
    return np.where(np.isnan(final), deals["usual_amount"], final)


def expected_elsewhere(prepared: Drawable, *, by_value: bool) -> dict[str, float]:
    """Expected of ended deals that come back, and of deals that are not in the book."""
    ended, worth = prepared.ended, prepared.arrivals.won_amounts
    unseen = to_come(prepared.arrivals, prepared.period, prepared.day, unrecorded=prepared.has_recorded_at).values()
    arrivals = sum(one.mean * (float(one.lent @ worth) if by_value else 1.0) for one in unseen)
    value = known_or_usual(ended) if by_value else 1.0
    return {"reopened": float((ended["p_in_period"] * value).sum()), "arrivals": arrivals}


def beside_calls(drawable: Drawable) -> dict[str, float]:
    """Signed so far, and expected of deals that no rep can call, by measure."""
    so_far = {"amount": float(drawable.signed["amount"].sum()), "count": float(len(drawable.signed))}
    return {m: x + sum(expected_elsewhere(drawable, by_value=m == "amount").values()) for m, x in so_far.items()}
