"""What a book without ``recorded_at`` cannot know of itself, allowed for by what two extracts of it showed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.errors import AsOfError, SchemaError
from salesanalytics.forecast.arrivals import Arrivals, arrival_rate
from salesanalytics.forecast.extract_summary import DEALS_OF_AFTER
from salesanalytics.forecast.extracts import Extracts
from salesanalytics.forecast.lent_amounts import known_or_usual
from salesanalytics.forecast.months import months_of
from salesanalytics.forecast.prepare import Prepared
from salesanalytics.forecast.recording_lag import LONGEST_DAYS, lag_quantile
from salesanalytics.models.shock import SHOCK_GRID, Shock
from salesanalytics.timeline import Period
from salesanalytics.timeline.calendar import GRACE_DAYS, QUARTER_DAYS, to_date, to_day

PRIOR_DEALS = 10.0  # a state counts as so many deals of the mean of all states before any is seen
PRIOR_SIGNINGS = 5.0  # late deals count as signing like all others, by so many of them, before any is seen
YEAR_DAYS = 364
FATES = ("vanished", "had_won", "had_ended")


@dataclass(frozen=True)
class Allowance:
    """What to allow for in a forecast from the end of an extract.

    Dates that were moved in rows both extracts have (``redated``) are counted in `Extracts.summary` and not allowed
    for.

    Attributes
    ----------
    states : DataFrame, one row a state in which deals stood open at the end of the earlier extract, and ``all``
        ``state``, ``n``, ``n_vanished``, ``n_had_won``, ``n_had_ended``, and of each the share ``p_*`` (of a state
        shrunk to that of all, which counts as 10 deals): gone from the later extract; won, or ended otherwise, by the
        end of the earlier one and recorded later.
    gap_days : int
        Days in which so many vanished.
    created_share, won_share : ndarray
        Share of deals, of signings, recorded within 0, 1, 2, ... days.
    unrecorded : DataFrame, one row a kind (``created``, ``won``)
        ``kind``, ``per_day`` (of the year before the end of the earlier extract, as it will stand), ``lag_q50``,
        ``lag_q95`` (days), ``mean`` and ``spread`` (standard deviation) of what happened by the end of an extract and
        is not recorded yet, of it in the last ``lag_q95`` days (``mean_recent``).
    late_pace : float
        How often deals recorded late had signed by the end of the later extract, against all deals of their age.
    """

    states: pd.DataFrame
    gap_days: int
    created_share: np.ndarray
    won_share: np.ndarray
    unrecorded: pd.DataFrame
    late_pace: float

    def level(self, period: Period, *, extracted_day: int, known_day: int) -> dict[str, float]:
        """By how much a forecast of a period from the end of an extract runs high without an allowance.

        Returns
        -------
        dict
            ``open``: share of what open deals were expected to bring that is left (they had ended already, or
            vanish); ``recorded``: share of the signings of the period that is recorded by ``known_day``; ``factor``:
            expected over recorded of such deals, against 1 in a backtest inside one extract.
        """
        whole = self.states[self.states["state"].eq("all")].iloc[0]
        kept = (1 - whole["p_vanished"]) ** (max(period.end_day - extracted_day, 0) / self.gap_days)
        left = float((1 - whole["p_had_won"] - whole["p_had_ended"]) * kept)
        ages = known_day - np.arange(period.start_day, period.end_day + 1)
        seen = float(_at(self.won_share, ages[ages >= 0]).sum() / len(ages))
        return {"open": left, "recorded": seen, "factor": 1 / max(left * seen, 1e-12)}


def allowance(extracts: Extracts) -> Allowance:
    """What two extracts teach of a forecast from the end of one: the lag, deals that vanish, ends not known yet."""
    deals, last = extracts.deals, pd.Timestamp(extracts.before_on)
    standing = deals[deals["what"].isin(["both", "vanished"]) & deals["end_before_on"].isna()]
    had_ended = standing["end_after_on"] <= last
    won = standing["state_after"].eq("won")
    fates = pd.DataFrame(
        {
            "state": standing["state_before"],
            "vanished": standing["what"].eq("vanished"),
            "had_won": had_ended & won,
            "had_ended": had_ended & ~won,
        }
    )
    by_state = fates.groupby("state")[list(FATES)].agg(["size", "sum"])
    table = pd.DataFrame({"n": by_state[("vanished", "size")].astype("int64")})
    table = pd.concat([table, pd.DataFrame({"n": len(fates)}, index=["all"])])
    for fate in FATES:
        # Jeffreys prior of three fates (won, ended otherwise, neither), so that chances sum to less than 1; chances of
        # vanishing go with time: what is taken as seen before any is seen, too
        share = min(extracts.gap_days / QUARTER_DAYS, 1.0) if fate == "vanished" else 1.0
        pooled = (fates[fate].sum() + 0.5 * share) / (len(fates) + 1.5 * share) if len(fates) else 0.0
        count = by_state[(fate, "sum")].reindex(table.index[:-1]).astype("int64")
        table[f"n_{fate}"] = [*count, int(fates[fate].sum())]
        table[f"p_{fate}"] = (table[f"n_{fate}"] + PRIOR_DEALS * pooled) / (table["n"] + PRIOR_DEALS)
        table.loc["all", f"p_{fate}"] = pooled
    late = deals[deals["what"].eq("late") & (deals["days_late"] <= LONGEST_DAYS)]
    signed = float(late["state_after"].eq("won").sum())
    shares = {kind: extracts.recorded_share(kind) for kind in ("created", "won")}
    return Allowance(
        states=table.rename_axis("state").reset_index(),
        gap_days=extracts.gap_days,
        created_share=shares["created"],
        won_share=shares["won"],
        unrecorded=pd.DataFrame([_unrecorded(extracts, kind, share) for kind, share in shares.items()]),
        late_pace=(signed + PRIOR_SIGNINGS) / (float(late["p_signed"].sum()) + PRIOR_SIGNINGS),
    )


def _unrecorded(extracts: Extracts, kind: str, share: np.ndarray) -> dict[str, Any]:
    """What happened by the end of an extract and is not in it: rate x days not recorded yet."""
    deals = extracts.deals[extracts.deals["what"].isin(DEALS_OF_AFTER)]
    day = deals["created_on"] if kind == "created" else deals.loc[deals["state_after"].eq("won"), "end_after_on"]
    age = (pd.Timestamp(extracts.before_on) - day).dt.days
    n = int(age.between(0, YEAR_DAYS - 1).sum())
    exposure = float(_at(share, np.arange(YEAR_DAYS) + extracts.gap_days).sum())
    per_day, q95 = n / max(exposure, 1.0), lag_quantile(share, 0.95)
    mean = per_day * float((1 - share).sum())
    return {
        "kind": kind, "per_day": per_day, "lag_q50": lag_quantile(share, 0.5), "lag_q95": q95, "mean": mean,
        "spread": float(np.sqrt(mean + mean**2 / max(n, 1))),
        "mean_recent": per_day * float((1 - share[: q95 + 1]).sum()),
    }  # fmt: skip


def with_allowance(prepared: Prepared, *, extracts: Extracts, extracted_day: int) -> Prepared:
    """What a forecast is drawn from, with an allowance for late recording and vanishing deals.

    Open deals: each had ended already with the chance of its state (won ones count where their date lies in the
    period), and vanishes by the end of the period with the chance of its state, at a constant rate a day. Deals
    created and not recorded yet become a component of their own (``unrecorded``; they sign as often as late deals
    did), and the rate of arrivals counts them. How unsure these chances are widens the common shock. All of it is
    drawn with the rest; no total is rescaled. Moved dates (``redated`` in `Extracts.summary`) are not allowed for.

    Parameters
    ----------
    prepared : Prepared
        Of a book without ``recorded_at``.
    extracts : Extracts
        Both taken by the date of the forecast.
    extracted_day : int
        End of the book in days since 1970-01-01: what happened long before it is recorded by now.

    Raises
    ------
    AsOfError
        The later extract was taken after the date of the forecast.
    SchemaError
        The book says when its rows were recorded: it needs no allowance.
    """
    if prepared.has_recorded_at:
        raise SchemaError("The book has recorded_at: late recording is estimated from it, leave extracts out.")
    if to_day(extracts.after_on) > prepared.day:
        raise AsOfError(
            f"extracts end on {extracts.after_on}, after as_of {to_date(prepared.day)}: what they show was not known."
        )
    found, behind = allowance(extracts), extracted_day - prepared.day
    chance = _chances(found, prepared, behind)
    left, signed = chance["left"], chance["signed"]  # (n_deals,), (n_deals, n_months)
    p = prepared.deals["p_in_period"].to_numpy() * left + signed.sum(axis=1)
    deals, months = prepared.deals.assign(p_in_period=p, p_model=p), prepared.months.copy()
    months.loc[deals["deal_id"]] = months.loc[deals["deal_id"]].to_numpy() * left[:, None] + signed
    deals["expected_amount"] = p * known_or_usual(deals)
    order = deals.sort_values(["expected_amount", "p_in_period"], ascending=False, kind="stable").index
    return replace(
        prepared,
        deals=deals.loc[order].reset_index(drop=True),
        snapshot=prepared.snapshot.loc[order].reset_index(drop=True),
        arrivals=_late_arrivals(prepared.arrivals, found, prepared.day, behind),
        shock=_widened(prepared.shock, _doubt(found, prepared)),
        has_recorded_at=True,
        months=months,
    )


def _chances(found: Allowance, prepared: Prepared, behind: int) -> dict[str, np.ndarray]:
    """Of each open deal: the chance that it is still open and stays, and that it had signed in each month so far."""
    period, day = prepared.period, prepared.day
    table = found.states.set_index("state")
    of_state = prepared.deals["state"].where(prepared.deals["state"].isin(table.index), "all")
    vanished, won, ended = (of_state.map(table[f"p_{fate}"]).to_numpy(dtype=float) for fate in FATES)
    missing = 1 - found.won_share  # of signings so many days ago
    whole = max(float(missing.sum()), 1e-12)
    ages = np.arange(LONGEST_DAYS + 1)
    still = float((1 - _at(found.won_share, ages + behind)).sum()) / whole  # an older date: more is recorded by now
    inside = [
        (1 - _at(found.won_share, day - np.arange(m.start_day, min(m.end_day, day) + 1) + behind)).sum()
        for m in months_of(period)
    ]
    days_left = max(period.end_day - max(day + behind, day), 0)
    stays = (1 - vanished) ** (days_left / found.gap_days)
    return {"left": (1 - still * (won + ended)) * stays, "signed": np.outer(won, inside) / whole}


def _late_arrivals(arrivals: Arrivals, found: Allowance, day: int, behind: int) -> Arrivals:
    """Arrivals with the recording lag that the book could not know; the level counts what is not recorded yet.

    What is missing from the share recorded counts by how often late deals sign: nothing else is drawn from it.
    """
    share = _at(found.created_share, np.arange(LONGEST_DAYS + 1) + behind)
    start = arrivals.rate.start_month
    rate = arrival_rate(arrivals.created, arrivals.created_from, share, day=day, start_month=start)
    return replace(arrivals, rate=rate, recorded_share=1 - found.late_pace * (1 - share))


def _doubt(found: Allowance, prepared: Prepared) -> float:
    """How unsure the level of what is left of open deals is: standard deviation on the logit scale."""
    whole = found.states[found.states["state"].eq("all")].iloc[0]
    ahead = max(prepared.period.end_day - prepared.day, 0) / found.gap_days
    ended = whole["p_had_won"] + whole["p_had_ended"]
    odds = [times**2 * p / (1 - p) for p, times in ((whole["p_vanished"], ahead), (ended, 1.0))]
    variance = sum(odds) / max(whole["n"], 1)
    p = prepared.deals["p_in_period"].to_numpy()
    inner = float((p * (1 - p)).sum() / p.sum()) if p.sum() else 1.0
    return float(np.sqrt(variance) / max(inner, 0.1))


def _widened(shock: Shock, doubt: float) -> Shock:
    """A posterior of the spread with an independent part of known spread added, each weight to its two neighbours."""
    wider = np.minimum(np.sqrt(SHOCK_GRID**2 + doubt**2), SHOCK_GRID[-1])
    place = np.clip(np.searchsorted(SHOCK_GRID, wider, side="right") - 1, 0, len(SHOCK_GRID) - 2)
    upper = (wider - SHOCK_GRID[place]) / np.diff(SHOCK_GRID)[place]
    weight = np.bincount(place, shock.weight * (1 - upper), len(SHOCK_GRID))
    return replace(shock, weight=weight + np.bincount(place + 1, shock.weight * upper, len(SHOCK_GRID)))


def allowance_note(extracts: Extracts, period: Period, *, extracted_day: int) -> tuple[str, dict[str, Any]]:
    """What a forecast of a period with an allowance says of it: a key of the label catalogue and what to fill in."""
    found, known_day = allowance(extracts), period.end_day + GRACE_DAYS
    whole = found.states[found.states["state"].eq("all")].iloc[0]
    level = found.level(period, extracted_day=extracted_day, known_day=known_day)
    counts = {"n": int(whole["n"]), "vanished": int(whole["n_vanished"])}
    dates = {"before": extracts.before_on, "after": extracts.after_on, "known": to_date(known_day)}
    return "note_extracts", {**dates, **counts, "factor": f"{level['factor']:.2f}"}


def _at(share: np.ndarray, days: np.ndarray) -> np.ndarray:
    return share[np.clip(days, 0, len(share) - 1)]
