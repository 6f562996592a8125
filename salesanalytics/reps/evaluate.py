"""How reps do, given the deals they were dealt: effects with their certainty, and what is measured beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from salesanalytics.book import DealBook
from salesanalytics.errors import InsufficientDataError, SchemaError
from salesanalytics.models.bands import jeffreys
from salesanalytics.reps.compliance import condition_compliance
from salesanalytics.reps.honesty import forecast_honesty
from salesanalytics.reps.outcomes import HORIZON_DAYS, CaseMix, case_mix, outcome_rows, passage_rows
from salesanalytics.reps.random_effects import RepFit, fit_rep_effects
from salesanalytics.reps.volume import volume_and_pace
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.openings import owner_spells
from salesanalytics.timeline.values import fields_in

FEWEST_RANKED = 20  # deals
FEWEST_DEALS, FEWEST_ENDS, FEWEST_REPS = 30, 5, 3
OUTCOMES = ("won", "passed")
RAMP_DAYS = 180
FUNNEL = 0.95
TREND_SD = 0.25  # of the prior of a rep's change a year (log odds)
YEAR_DAYS = 365.25


@dataclass(frozen=True)
class RepEvaluation:
    """Reps judged by outcome, given their deals, with the other measures beside it.

    Attributes
    ----------
    reps : DataFrame
        One row a rep, see `evaluate_reps`.
    apart : DataFrame
        Deals old enough to be judged that are not: ``deal_id``, ``rep_id`` (first owner), ``use`` (handed_over,
        vanished, no_owner), ``won``.
    case_mix : DataFrame
        What was held fixed: ``fact``, ``level`` (against the most frequent one; of the amount per standard deviation
        of its logarithm), ``log_odds``, ``error``.
    sd, sd_lower, sd_upper : float
        Spread between reps (log odds): posterior mean and interval.
    confidence, funnel : float
        Of the intervals; of the funnel.
    outcome : str
        ``won`` or ``passed``.
    n_judged : int
        Deals behind the effects.
    """

    reps: pd.DataFrame
    apart: pd.DataFrame
    case_mix: pd.DataFrame
    sd: float
    sd_lower: float
    sd_upper: float
    confidence: float
    funnel: float
    outcome: str
    n_judged: int


def evaluate_reps(book: DealBook, *, as_of: Any, outcome: str = "won", confidence: float = 0.9) -> RepEvaluation:
    """How each rep does, given the deals he was dealt, and how certain that is.

    The outcome is: won within 365 days of creation, for deals created at least 365 days before ``as_of``, as known
    then. The effect of a rep comes from a logistic model with the facts at creation that he did not choose (product,
    source, procurement route, customer old or new, first amount, buyer's stage at entry) and a random intercept a rep
    (`fit_rep_effects`; prior of the spread: half-normal with scale 0.5). Deals handed over before their outcome stay
    out of it (``apart``); volume is credited by time owned.

    Parameters
    ----------
    book : DealBook
    as_of : date
        End of that day, inclusive.
    outcome : str
        ``won``, or ``passed``: whether each stage that a judged deal left was passed rather than ended in, with the
        stage among the facts. In simulations it ranks reps better, as each deal tells more than once; its intervals
        take the stages of a deal as independent, and are somewhat short.
    confidence : float
        Of the intervals.

    Returns
    -------
    RepEvaluation
        ``reps`` has one row a rep that owned a deal or is on the list: ``rep_id``, ``name``, ``team``; ``n_deals``
        judged; ``n`` rows (deals, or their stages), ``observed`` wins or passages, ``expected`` ones of an average rep
        with the same deals, ``oe`` (observed / expected); ``effect`` (log odds against a middling rep, shrunk),
        ``effect_lower``, ``effect_upper``, ``p_above_median``,
        ``rank`` (by effect; only from 20 judged deals on, and not while ramping), ``ramping`` (all deals old enough to
        be judged were created in the first 180 days after hiring, or after the first deal), ``win_rate`` (raw, shown
        beside, never instead) with ``win_rate_lower``, ``win_rate_upper``; ``funnel_lower``, ``funnel_upper`` (limits
        of ``oe``, spread between reps included) and ``flag`` (``above``, ``below`` or None); ``trend`` (change of the
        log odds a year, shrunk), ``trend_lower``, ``trend_upper``; ``n_handed_over``; the columns of
        `volume_and_pace` and `forecast_honesty`; ``process_score``, ``process_lower``, ``process_upper`` (shrunk
        score of `condition_compliance`; NaN where the book has no conditions), ``n_stages_passed`` behind it.

    Raises
    ------
    InsufficientDataError
        No deal has an owner, fewer than 30 deals can be judged, or fewer than 5 wins or 5 others, or fewer than 3 reps.
    SchemaError
        ``outcome`` is something else.

    References
    ----------
    Normand, Glickman & Gatsonis (1997), JASA 92, 803-814 (profiling with random effects); Goldstein & Spiegelhalter
    (1996), J. R. Stat. Soc. A 159, 385-443 (why ranks need their uncertainty).
    """
    if outcome not in OUTCOMES:
        raise SchemaError(f"outcome must be one of {', '.join(OUTCOMES)}, got {outcome!r}.")
    rows = outcome_rows(book, as_of=as_of)
    judged = rows[rows["use"].eq("judged")].reset_index(drop=True)
    _check_owned(rows)
    _check_enough(judged)
    n_deals = judged.groupby("rep_id").size()
    if outcome == "passed":
        judged = passage_rows(book, judged, as_of=as_of)
    ids, codes = np.unique(judged["rep_id"].to_numpy(dtype=str), return_inverse=True)
    mix = case_mix(judged)
    fit = fit_rep_effects(mix.x, judged["won"], codes, confidence=confidence, funnel=FUNNEL)
    parts = [_effects(fit, ids, confidence), _trends(fit, judged, codes, ids, confidence)]
    parts += [volume_and_pace(book, as_of=as_of, confidence=confidence).set_index("rep_id")]
    parts += [forecast_honesty(book, as_of=as_of, confidence=confidence).set_index("rep_id")]
    parts += [_process(book, as_of, confidence)]
    table = _listed(book, as_of).join(pd.concat(parts, axis=1), how="left")
    apart = rows.loc[~rows["use"].eq("judged"), ["deal_id", "rep_id", "use", "won"]].reset_index(drop=True)
    table = _counted(table, apart, n_deals)
    return RepEvaluation(
        reps=_ranked(table).rename_axis("rep_id").reset_index(),
        apart=apart,
        case_mix=_held_fixed(fit, mix),
        sd=fit.sd,
        sd_lower=fit.sd_lower,
        sd_upper=fit.sd_upper,
        confidence=confidence,
        funnel=FUNNEL,
        outcome=outcome,
        n_judged=int(n_deals.sum()),
    )


def _check_owned(rows: pd.DataFrame) -> None:
    if len(rows) and rows["use"].eq("no_owner").all():
        raise InsufficientDataError(
            f"Reps cannot be evaluated: of {len(rows):,} deals created at least {HORIZON_DAYS} days ago none has an "
            "owner. Name the column of owners as rep_id of deals."
        )


def _check_enough(judged: pd.DataFrame) -> None:
    n, n_won, n_reps = len(judged), int(judged["won"].sum()), judged["rep_id"].nunique()
    if n < FEWEST_DEALS or min(n_won, n - n_won) < FEWEST_ENDS or n_reps < FEWEST_REPS:
        raise InsufficientDataError(
            f"Reps can be evaluated from {FEWEST_DEALS} deals created at least {HORIZON_DAYS} days ago on, with "
            f"{FEWEST_ENDS} won, {FEWEST_ENDS} not won, and {FEWEST_REPS} reps; here are deals: {n}, won: {n_won}, "
            f"reps: {n_reps}."
        )


def _effects(fit: RepFit, ids: np.ndarray, confidence: float) -> pd.DataFrame:
    low, high = jeffreys(fit.observed, fit.n, confidence=confidence)
    below, above = fit.observed < fit.funnel_lower, fit.observed > fit.funnel_upper
    columns = {
        "n": fit.n,
        "observed": fit.observed,
        "expected": fit.expected,
        "oe": fit.observed / fit.expected,
        "effect": fit.effect,
        "effect_lower": fit.lower,
        "effect_upper": fit.upper,
        "p_above_median": fit.p_above_median,
        "win_rate": fit.observed / fit.n,
        "win_rate_lower": low,
        "win_rate_upper": high,
        "funnel_lower": np.maximum(fit.funnel_lower, 0) / fit.expected,
        "funnel_upper": fit.funnel_upper / fit.expected,
        "flag": np.select([below, above], ["below", "above"], "").astype(object),
    }
    return pd.DataFrame(columns, index=ids)


def _trends(fit: RepFit, judged: pd.DataFrame, codes: np.ndarray, ids: np.ndarray, confidence: float) -> pd.DataFrame:
    """One Newton step from no change, with a normal prior: wins late in a rep's time that the fit did not expect."""
    years = judged["created_day"].to_numpy(float) / YEAR_DAYS
    weight = fit.chance * (1 - fit.chance)

    def per_rep(values: np.ndarray) -> np.ndarray:
        return np.bincount(codes, values, minlength=len(ids))

    years = years - (per_rep(weight * years) / per_rep(weight))[codes]
    information = per_rep(weight * years**2) + 1 / TREND_SD**2
    slope = per_rep(years * (judged["won"].to_numpy(float) - fit.chance)) / information
    reach = norm.ppf(0.5 + confidence / 2) / np.sqrt(information)
    return pd.DataFrame({"trend": slope, "trend_lower": slope - reach, "trend_upper": slope + reach}, index=ids)


def _process(book: DealBook, as_of: Any, confidence: float) -> pd.DataFrame:
    names = {"shrunk": "process_score", "lower": "process_lower", "upper": "process_upper"}
    names |= {"n_stages": "n_stages_passed"}
    if "condition" not in fields_in(book):
        return pd.DataFrame(columns=list(names.values()), dtype=float)
    try:
        rates = condition_compliance(book, as_of=as_of, by="rep_id", confidence=confidence).rates
    except InsufficientDataError:
        return pd.DataFrame(columns=list(names.values()), dtype=float)
    return rates.set_index("rep_id")[list(names)].rename(columns=names)


def _listed(book: DealBook, as_of: Any) -> pd.DataFrame:
    """All reps of the list and of the deals, with whether they are still ramping."""
    owned = owner_spells(book, as_of=as_of)
    first = owned.groupby("rep_id")["from_day"].min()
    listed = book.reps.drop_duplicates("rep_id").set_index("rep_id") if len(book.reps) else pd.DataFrame()
    ids = first.index.union(pd.Index(listed.index, dtype=object))
    table = listed.reindex(index=ids, columns=["name", "team", "hired_at"])
    hired = pd.to_datetime(table.pop("hired_at"))
    since = pd.Series(hired.to_numpy().astype("datetime64[D]").astype("int64"), ids).where(hired.notna(), first)
    last_judged = as_of_day(book, as_of) - HORIZON_DAYS
    return table.assign(ramping=(since > last_judged - RAMP_DAYS).to_numpy())


def _counted(table: pd.DataFrame, apart: pd.DataFrame, n_deals: pd.Series) -> pd.DataFrame:
    handed = apart[apart["use"].eq("handed_over")].groupby("rep_id").size()
    table = table.assign(n_handed_over=handed.reindex(table.index).fillna(0).astype("int64"))
    table.insert(list(table.columns).index("n"), "n_deals", n_deals.reindex(table.index))
    counts = ["n_deals", "n", "observed", "n_won", "n_priced", "n_dates", "n_p", "n_commit", "n_stages_passed"]
    flag = table["flag"].where(table["flag"].isin(["above", "below"]), None)
    return table.assign(**table[counts].astype(float).fillna(0).astype("int64"), flag=flag.astype(object))


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    may = (table["n_deals"] >= FEWEST_RANKED) & ~table["ramping"]
    rank = table["effect"].where(may).rank(ascending=False, method="min").astype("Int64")
    place = list(table.columns).index("p_above_median") + 1
    table.insert(place, "rank", rank)
    return table


def _held_fixed(fit: RepFit, mix: CaseMix) -> pd.DataFrame:
    columns = {"fact": mix.fact, "level": mix.level, "log_odds": fit.coefficients[1:], "error": fit.errors[1:]}
    return pd.DataFrame(columns)
