"""What moved a forecast between two dates: causes that add up, and the deals behind each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesanalytics.errors import AsOfError
from salesanalytics.forecast.late_bookings import chances_before, split_day
from salesanalytics.forecast.prepare import Prepared, expected_elsewhere, values
from salesanalytics.forecast.result import QuarterForecast
from salesanalytics.models.bands import central_band

CAUSES = (
    *("signed", "ended", "new", "vanished", "amounts", "time", "features", "model", "judgement"),
    *("reopened", "arrivals", "draws"),
)


@dataclass(frozen=True)
class Change:
    """What moved a forecast.

    Attributes
    ----------
    causes : DataFrame
        One row a cause, in the order of `CAUSES`: ``cause``, ``amount``, ``count``. They add up to the difference of
        the means. ``signed``: deals signed since, less what was expected of them; ``ended``: deals that ended
        otherwise, or whose signing was taken back; ``new``: deals that came in or came back; ``vanished``: gone
        without an end; ``amounts``: what was written of the amounts, by what the first date knew of how amounts
        change until signing (0 of an open deal that kept its amount); ``time``: less time is left, and the deal is
        still open; ``features``: what happened to the deals that are still open; ``model``: what was learned since,
        of chances, of how amounts change and of what is usual; ``judgement``: what people put over the model or took
        back (`with_judgement`, `what_if`); ``reopened`` and ``arrivals``: what is expected of ended deals, and of
        deals not in the book; ``draws``: chance of the drawing.
    deals : DataFrame
        One row a deal that moved: ``deal_id``, ``amount`` (sum), and a column of amounts for each cause of deals.
    before, after : dict
        ``mean``, ``q10``, ``q90`` of the amount, ``p_target``: shown, not split; None where no amount is known.
    """

    causes: pd.DataFrame
    deals: pd.DataFrame
    before: dict[str, float | None]
    after: dict[str, float | None]

    def __repr__(self) -> str:
        means = (told["mean"] for told in (self.before, self.after))
        moved = " to ".join("unknown" if mean is None else f"{mean:,.0f}" for mean in means)
        return f"<Change: mean {moved}, {len(self.causes)} causes, {len(self.deals):,} deals>"


def explain_change(before: QuarterForecast, after: QuarterForecast) -> Change:
    """Split the difference of two forecasts of one quarter by cause and by deal.

    Each step changes one thing and leaves the rest as it was, in the order of `CAUSES`; so a cause is told with the
    amounts, features or model that the steps before it brought in.

    Parameters
    ----------
    before, after : QuarterForecast
        Of the same period, ``after`` not earlier than ``before``.

    Raises
    ------
    AsOfError
        The periods differ, or ``after`` was made before ``before``.
    """
    if before.period != after.period or after.as_of < before.as_of:
        raise AsOfError(
            f"Two forecasts of one period are compared, the earlier one first: {before.period.name} as of "
            f"{before.as_of} and {after.period.name} as of {after.as_of} are not."
        )
    amount, count = (_by_deal(before, after, by_value=by_value) for by_value in (True, False))
    rows = []
    for cause in CAUSES:
        row: dict[str, str | float] = {"cause": cause}
        for measure, moved in (("amount", amount), ("count", count)):
            row[measure] = float(moved[cause].sum()) if cause in moved else _beside(before, after, cause, measure)
        rows.append(row)
    causes = pd.DataFrame(rows)
    moved = amount[(amount != 0).any(axis=1)]
    deals = moved.assign(amount=moved.sum(axis=1)).rename_axis("deal_id").reset_index()
    order = deals["amount"].abs().sort_values(ascending=False, kind="stable").index
    first = ["deal_id", "amount"]
    deals = deals.loc[order, [*first, *(c for c in deals if c not in first)]].reset_index(drop=True)
    return Change(causes, deals, _shown(before), _shown(after))


def _by_deal(before: QuarterForecast, after: QuarterForecast, *, by_value: bool) -> pd.DataFrame:
    """Causes that lie in deals: one row a deal, one column a cause."""
    old, new = before.prepared, after.prepared
    then, now = (_expected(p, by_value=by_value) for p in (old, new))
    signed_then, signed_now = (_signed(p, by_value=by_value) for p in (old, new))
    ids = pd.Index(pd.unique(pd.concat([pd.Series(x.index) for x in (then, now, signed_then, signed_now)])))
    e_then, s_then, s_now = (x.reindex(ids).fillna(0.0) for x in (then["expected"], signed_then, signed_now))
    is_open, was_open = ids.isin(now.index), ids.isin(then.index)
    is_signed, was_signed = ids.isin(signed_now.index), ids.isin(signed_then.index)
    has_ended = ids.isin(new.ended["deal_id"]) | was_signed
    both, gone = was_open & is_open, was_open & ~is_open & ~is_signed
    moved = pd.DataFrame(0.0, index=ids, columns=list(CAUSES[:9]))
    moved["signed"] = np.where(is_signed & ~was_signed, s_now - e_then, 0.0)
    moved["ended"] = np.where(gone & has_ended, -e_then, 0.0) - np.where(was_signed & ~is_signed, s_then, 0.0)
    moved["vanished"] = np.where(gone & ~has_ended, -e_then, 0.0)
    moved["new"] = np.where(is_open & ~was_open, now["expected"].reindex(ids).fillna(0.0), 0.0)
    moved["amounts"] = np.where(is_signed & was_signed, s_now - s_then, 0.0)
    shared = ids[both]
    for cause, change in _of_open_deals(old, new, then.loc[shared], now.loc[shared], by_value=by_value).items():
        moved.loc[shared, cause] += change
    return moved


def _of_open_deals(
    old: Prepared, new: Prepared, then: pd.DataFrame, now: pd.DataFrame, *, by_value: bool
) -> dict[str, np.ndarray]:
    """Causes of deals that are open on both dates, row by row as ``then`` and ``now``.

    The new amount is worth what the first date knew of how amounts change, in the old state and in the new one, until
    ``model``; judgement goes along unchanged until it is told.
    """
    ids = then.index
    was, stands = (some.deals.set_index("deal_id").loc[ids] for some in (old, new))
    stated = [was.assign(amount=stands["amount"], state=some["state"]) for some in (was, stands)]
    kept, moved = (values(old, deals) if by_value else np.ones(len(ids)) for deals in stated)
    over_then, over_now = (some["p"].to_numpy() - some["p_model"].to_numpy() for some in (then, now))
    p, value, last = (some.to_numpy() for some in (then["p_model"], now["value"], now["p_model"]))
    found = {"amounts": then["p"].to_numpy() * (kept - then["value"].to_numpy())}
    steps = [("time", _after_some_time(old, new).loc[ids].to_numpy(), kept)]
    steps += [("features", _by_old_model(old, new).loc[ids].to_numpy(), moved), ("model", last, value)]
    worth = kept
    for cause, chance, after in steps:
        found[cause] = (chance + over_then) * after - (p + over_then) * worth
        p, worth = chance, after
    return found | {"judgement": value * (over_now - over_then)}


def _expected(prepared: Prepared, *, by_value: bool) -> pd.DataFrame:
    """``p``, ``p_model``, ``value`` if signed, ``expected`` of each open deal."""
    deals = prepared.deals
    value = values(prepared, deals) if by_value else np.ones(len(deals))
    p = deals["p_in_period"].to_numpy(dtype=float)
    told = {"p": p, "p_model": deals["p_model"].to_numpy(dtype=float), "value": value, "expected": p * value}
    return pd.DataFrame(told).set_index(deals["deal_id"])


def _signed(prepared: Prepared, *, by_value: bool) -> pd.Series:
    amount = prepared.signed["amount"].fillna(0.0).to_numpy(dtype=float)
    return pd.Series(amount if by_value else np.ones(len(amount)), index=prepared.signed["deal_id"].to_numpy())


def _after_some_time(old: Prepared, new: Prepared) -> pd.Series:
    """Chances of the old model for the old snapshot, given that the deal is still open on the new date."""
    passed, last = new.day - old.day, new.period.end_day - old.day
    days, place = np.unique([passed, passed + split_day(new.period, new.day), last], return_inverse=True)
    won, other = old.model.curves(old.snapshot, days=days)
    gone_won, gone_other = (x[:, place[0]] if passed else 0.0 for x in (won, other))  # nothing has gone on the same day
    split, end = ((won[:, k] - gone_won) / np.maximum(1 - gone_won - gone_other, 1e-9) for k in place[1:])
    p = end - chances_before(new.before, old.deals["state"], split)
    return pd.Series(np.clip(p, 0.0, 1.0), index=old.deals["deal_id"].to_numpy())


def _by_old_model(old: Prepared, new: Prepared) -> pd.Series:
    """Chances of the old model for the new snapshot."""
    days = [split_day(new.period, new.day), new.period.end_day - new.day]
    asked, place = np.unique(days, return_inverse=True)
    won, _ = old.model.curves(new.snapshot, days=asked)
    earlier = chances_before(new.before, new.deals["state"], won[:, place[0]])
    return pd.Series(won[:, place[1]] - earlier, index=new.deals["deal_id"].to_numpy())


def _beside(before: QuarterForecast, after: QuarterForecast, cause: str, measure: str) -> float:
    """Causes that lie in no open deal."""
    by_value = measure == "amount"
    told = [expected_elsewhere(f.prepared, by_value=by_value) for f in (before, after)]
    if cause != "draws":
        return told[1][cause] - told[0][cause]
    noise = [
        float(f.total(measure).mean())
        - sum(some.values())
        - float(_expected(f.prepared, by_value=by_value)["expected"].sum())
        - float(_signed(f.prepared, by_value=by_value).sum())
        for f, some in zip((before, after), told, strict=True)
    ]
    return noise[1] - noise[0]


def _shown(forecast: QuarterForecast) -> dict[str, float | None]:
    if not forecast.amounts_known:
        return dict.fromkeys(("mean", "q10", "q90", "p_target"))
    total = forecast.total()
    q10, q90 = central_band(total, 0.8)
    return {"mean": float(total.mean()), "q10": q10, "q90": q90, "p_target": forecast.p_target}
