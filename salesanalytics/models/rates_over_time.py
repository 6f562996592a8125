"""Stage rates by the year or quarter: of the deals that entered then, and of what happened then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from salesanalytics.book import DealBook
from salesanalytics.errors import SchemaError
from salesanalytics.models.horizon_rates import (
    WON,
    Clocks,
    HorizonRate,
    fit_with_influence,
    horizon_rate,
    signed_by,
)
from salesanalytics.models.stage_rates import check_horizon
from salesanalytics.models.stage_rows import clocks_of, entry_rows, states_of
from salesanalytics.timeline import Period, parse_period, quarter_of
from salesanalytics.timeline.calendar import as_of_day, to_timestamps

DAYS_PER_YEAR = 365.25
LEAST_PERIODS, LEAST_REACHED = 3, 0.9
MEASURED = (
    "n_entered", "p_won_cohort", "se_cohort", "lower_cohort", "upper_cohort", "p_open_cohort", "n_effective_cohort",
    "n_watched", "n_won_period", "n_other_end_period",
    "p_won_period", "se_period", "lower_period", "upper_period", "p_open_period", "n_effective_period", "share_reached",
)  # fmt: skip


def stage_rates_over_time(
    book: DealBook,
    *,
    as_of: Any,
    every: Literal["year", "quarter"] = "year",
    horizon_days: int = 730,
    confidence: float = 0.9,
) -> pd.DataFrame:
    """Stage win rates by year or quarter, by cohort and by period side by side.

    The **cohort** rate follows the deals that first entered a stage in that time until ``as_of``: of late cohorts
    much is still open. The **period** rate is what a deal would meet if the daily chances of that time alone held
    from its entry on: hazards of the period, deals that entered earlier come in late at its start, deals that go on
    are censored at its end. It answers to change at once and is never won / (won + lost) of the deals closed then.

    Parameters
    ----------
    book : DealBook
    as_of : date
    every : {"year", "quarter"}
        Fiscal, as the book says. The first and the last one may be cut.
    horizon_days : int
        Days from first entry within which a signing counts.
    confidence : float

    Returns
    -------
    DataFrame, one row a state and year or quarter
        ``stage``, ``period``, ``start_on``, ``end_on`` (last day seen of it);
        ``n_entered``, ``p_won_cohort``, ``se_cohort``, ``lower_cohort``, ``upper_cohort``, ``p_open_cohort`` (still
        open at the horizon, or when last watched), ``n_effective_cohort`` (plain trials that would tell as much);
        ``n_watched`` (deals with time at risk in the period),
        ``n_won_period``, ``n_other_end_period``, ``p_won_period``, ``se_period``, ``lower_period``,
        ``upper_period``, ``p_open_period``, ``n_effective_period``, ``share_reached`` (of all signings from that
        stage, those that come no later after entry than the oldest deal watched in the period: where it is far below
        1, as in the first periods of a book, the period rate is too low); ``horizon_days``, ``confidence``.

    Raises
    ------
    SchemaError
        ``every`` is neither, or the horizon or level cannot be.
    AsOfError
        ``as_of`` lies after the end of the book.

    References
    ----------
    Brenner & Gefeller (1996), Cancer 78, 2004-2010, for period against cohort analysis.
    """
    check_horizon(horizon_days, confidence)
    if every not in ("year", "quarter"):
        raise SchemaError(f"every must be year or quarter, got {every!r}.")
    last, entered = as_of_day(book, as_of), entry_rows(book, as_of=as_of)
    level: dict[str, Any] = {"horizon_days": horizon_days, "confidence": confidence}
    periods = list(_periods(book, entered, last, every))
    rows = []
    for state in states_of(book, entered):
        here = entered[entered["state"] == state]
        clocks, day = clocks_of(here), here["entered_day"].to_numpy()
        all_signings = _signings(clocks, horizon_days)
        for period in periods:
            end_day = min(period.end_day, last)
            cohort = clocks.take((day >= period.start_day) & (day <= end_day))
            seen = within(clocks, day, period.start_day, end_day)
            rows.append(
                {"stage": state, "period": period.name, "start_day": period.start_day, "end_day": end_day}
                | {"n_entered": len(cohort.code)}
                | _columns(horizon_rate(cohort, **level), "cohort")
                | {"n_watched": len(seen.code), "n_won_period": int((seen.code == 1).sum())}
                | {"n_other_end_period": int((seen.code == 0).sum())}
                | _columns(horizon_rate(seen, **level), "period")
                | {"share_reached": all_signings(seen.duration.max(initial=-1))}
            )
    names = ["stage", "period", "start_on", "end_on"]
    if not rows:
        return pd.DataFrame(columns=[*names, *MEASURED, *level])
    table = pd.DataFrame(rows)
    table["start_on"], table["end_on"] = (to_timestamps(table.pop(c)) for c in ("start_day", "end_day"))
    return table[[*names, *table.columns.drop(names)]].assign(**level)


def _periods(book: DealBook, entered: pd.DataFrame, last: int, every: str) -> Iterator[Period]:
    """Years or quarters from the first entry to a day."""
    if not len(entered):
        return
    start = book.settings.fiscal_year_start
    period = quarter_of(int(entered["entered_day"].min()), fiscal_year_start=start)
    if every == "year":
        period = parse_period(period.name[:4], fiscal_year_start=start)
    while period.start_day <= last:
        yield period
        period = period.back(-1)


def within(clocks: Clocks, entered_day: np.ndarray, start_day: int, end_day: int) -> Clocks:
    """What was seen of clocks from one day to another, both inclusive.

    Deals that entered before come in late: half a day before the first clock day of theirs that lies in the period,
    for an entry of 0 would take in day 0 as well.
    """
    late = start_day - entered_day - 0.5
    entry = np.maximum(clocks.entry, np.where(late > 0, late, 0))
    cut = entered_day + clocks.duration > end_day
    duration = np.where(cut, end_day - entered_day, clocks.duration)
    seen = Clocks(duration, entry, np.where(cut, -1, clocks.code), clocks.deal, clocks.amount)
    return seen.take((entered_day <= end_day) & seen.watched)


def _signings(clocks: Clocks, horizon_days: float) -> Callable[[float], float]:
    """Share of the signings within the horizon that come up to a day after entry."""
    clocks = clocks.take(clocks.watched)
    if not (clocks.code == WON).any():
        return lambda day: np.nan
    fit, _ = fit_with_influence(clocks, horizon_days)
    whole = signed_by(fit, horizon_days)[0]
    return lambda day: signed_by(fit, min(day, horizon_days))[0] / whole if whole else np.nan


def _columns(rate: HorizonRate, suffix: str) -> dict[str, float]:
    return {
        f"p_won_{suffix}": rate.p, f"se_{suffix}": rate.se, f"lower_{suffix}": rate.lower,
        f"upper_{suffix}": rate.upper, f"p_open_{suffix}": rate.p_open, f"n_effective_{suffix}": rate.n_effective,
    }  # fmt: skip


def rate_drift(over_time: pd.DataFrame, *, confidence: float = 0.9) -> pd.DataFrame:
    """Whether the period rates of each stage drift: a straight line through them, weighted by what they rest on.

    Where the periods scatter more than their standard errors allow (a common shock), the line's error grows with
    the scatter, and the quantiles are Student's. Periods that reach less than nine tenths of the signings
    (``share_reached``), or in which less than one plain trial was watched (``n_effective_period``), are left out.

    Parameters
    ----------
    over_time : DataFrame
        Result of `stage_rates_over_time`.
    confidence : float

    Returns
    -------
    DataFrame, one row a state
        ``stage``, ``n_periods`` (in the line), ``drift_per_year`` (change of the rate in a year, .05 = five points),
        ``lower``, ``upper``, ``p_value`` (of no drift); NaN with fewer than three periods.
    """
    if not 0 < confidence < 1:
        raise SchemaError(f"confidence must lie between 0 and 1, got {confidence}.")
    rows = []
    for stage, part in over_time.groupby("stage", sort=False):
        told = part["p_won_period"].notna() & part["n_effective_period"].ge(1)  # where none was watched, none is told
        part = part[told & part["share_reached"].ge(LEAST_REACHED)]
        slope, error, df = _line(part) if len(part) >= LEAST_PERIODS else (np.nan, np.nan, np.inf)
        reach = stats.t.ppf(0.5 + confidence / 2, df) * error
        p_value = float(2 * stats.t.sf(abs(slope) / error, df))
        rows.append((stage, len(part), slope, slope - reach, slope + reach, p_value))
    return pd.DataFrame(rows, columns=["stage", "n_periods", "drift_per_year", "lower", "upper", "p_value"])


def _line(part: pd.DataFrame) -> tuple[float, float, float]:
    """Slope per year, its standard error, and degrees of freedom (infinite where the errors explain the scatter)."""
    middle = part["start_on"] + (part["end_on"] - part["start_on"]) / 2
    years = ((middle - middle.min()).dt.total_seconds() / (86400 * DAYS_PER_YEAR)).to_numpy()
    p = part["p_won_period"].to_numpy(dtype=float)
    n_eff = part["n_effective_period"].to_numpy(dtype=float)
    common = (n_eff @ p + 0.5) / (n_eff.sum() + 1)  # equal rates would have equal variances per deal
    weight = n_eff / (common * (1 - common))
    x = years - weight @ years / weight.sum()
    spread = weight @ x**2
    slope = float(weight @ (x * p) / spread)
    rest = p - weight @ p / weight.sum() - slope * x
    scatter = float(weight @ rest**2) / (len(p) - 2)
    return slope, float(np.sqrt(max(scatter, 1.0) / spread)), len(p) - 2 if scatter > 1 else np.inf
