"""Late bookings: deals that stand open on a date, and had been signed before the period began."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline import Period
from salesanalytics.timeline.calendar import quarter_of, to_date
from salesanalytics.timeline.replay import collect
from salesanalytics.timeline.spells import known_outcomes, open_deals, recording_lag_days

WITHIN_DAYS = 28
N_PAST = 12
PRIOR_SIGNINGS = 2.0  # of a state count as all states do


def split_day(period: Period, day: int) -> int:
    """Days after a date by which some of the signings are not of the period: its eve, or 28 days if it has begun."""
    before = period.start_day - 1 - day
    return before if before > 0 else min(WITHIN_DAYS, period.end_day - day)


def shares_before(book: DealBook, *, period: Period, day: int) -> pd.Series:
    """Of the signings until `split_day`: the share that comes before the period, by state (``""``: of any other state).

    All of them where the period lies ahead. On its eve and later: those that are signed already and recorded late. A
    quarter's end brings many of them, so they are counted on the same day after the start of up to 12 past periods
    (quarters, or months within a quarter): of the deals that stood open then in a state and were signed within as many
    days as `split_day` says, the share whose signing was dated before that start. A state is drawn to all states by 2
    signings.

    Parameters
    ----------
    book : DealBook
    period : Period
    day : int
        What became of the deals is told as known then.
    """
    since_eve = day - (period.start_day - 1)
    if since_eve < 0:
        return pd.Series({"": 1.0})
    seen_to = day - recording_lag_days(book, as_of=to_date(day))
    days = [start - 1 + since_eve for start in _starts_alike(period)]
    within = split_day(period, day)
    days = [d for d in days if d + WITHIN_DAYS <= seen_to]
    if not book.told_when_recorded(day) or not days:
        return pd.Series({"": 0.0})
    stood = collect(book, open_deals(book, days=days).select("deal", "as_of_day", "state"))
    known = known_outcomes(book, day).set_index("deal_id").loc[stood["deal_id"]]
    after = known["end_day"].to_numpy() - stood["as_of_day"].to_numpy()
    soon = known["end"].eq("won").to_numpy() & (after <= within)
    counted = pd.DataFrame({"state": stood["state"], "soon": soon, "late": soon & (after <= -since_eve)})
    by_state = counted.groupby("state")[["soon", "late"]].sum()
    overall = by_state["late"].sum() / max(by_state["soon"].sum(), 1)
    share = (by_state["late"] + PRIOR_SIGNINGS * overall) / (by_state["soon"] + PRIOR_SIGNINGS)
    return pd.concat([share, pd.Series({"": overall})])


def _starts_alike(period: Period) -> list[int]:
    """First days of earlier quarters, or of months within a quarter if the period begins there."""
    quarter = quarter_of(period.start_day, fiscal_year_start=period.start_month)
    if quarter.start_day == period.start_day:
        return [quarter.back(k).start_day for k in range(1, N_PAST + 1)]
    starts = [period.back(k).start_day for k in range(1, N_PAST + 1)]
    return [s for s in starts if quarter_of(s, fiscal_year_start=period.start_month).start_day != s]


def chances_before(shares: pd.Series, state: pd.Series, p_won: np.ndarray) -> np.ndarray:
    """Chance of each deal to have been signed before the period; ``p_won``: by `split_day`."""
    return state.map(shares).fillna(shares[""]).to_numpy(dtype=float) * p_won
