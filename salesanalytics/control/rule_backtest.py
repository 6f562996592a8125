"""Does a rule earn its keep? What became of deals it flagged in the past, against unflagged ones of the same stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from salesanalytics.book import DealBook
from salesanalytics.control.anomalies import fired
from salesanalytics.control.hits import RuleFunction
from salesanalytics.control.known import Known, know
from salesanalytics.control.past_days import past_days
from salesanalytics.errors import InsufficientDataError, SchemaError
from salesanalytics.labels import LANGUAGES, label
from salesanalytics.timeline import known_outcomes
from salesanalytics.timeline.calendar import as_of_day, to_date
from salesanalytics.timeline.replay import OPEN

MIN_FLAGGED = 20  # deals flagged, and unflagged beside them, below which a rule is not judged
_MEASURES = ("difference", "lower", "upper", "ratio", "ratio_lower", "ratio_upper")


def backtest_rules(
    book: DealBook,
    *,
    as_of: Any,
    every_days: int = 28,
    horizon_days: int = 182,
    confidence: float = 0.9,
    functions: Mapping[str, RuleFunction] | None = None,
) -> pd.DataFrame:
    """Run all rules on past dates, each time on what was known then, and compare what followed.

    The dates lie ``every_days`` apart; the whole horizon after each has been seen. Lost means ended without being won
    within the horizon. Flagged open deals are compared with unflagged ones *in the same stage*: the difference is the
    mean over stages, weighted by the flagged. Errors are clustered by deal. A rule about reps flags their open deals.
    An association: a rule that finds late records, say, need not find losers to be worth having.

    Parameters
    ----------
    book : DealBook
    as_of : date
        Ends count as they were known at the end of that day.
    every_days, horizon_days : int
    confidence : float
    functions : mapping, optional
        As of `find_anomalies`.

    Returns
    -------
    DataFrame, one row a rule of the process, in its order
        ``rule``, ``name_zh``, ``name_en``, ``scope``, ``severity``; ``n_dates``; ``n_rows`` (open deals x dates on
        which the rule spoke), ``flag_rate`` (share of them flagged), ``n_deals_flagged``, ``n_deals_unflagged``;
        ``p_lost_flagged`` and ``p_lost_matched`` (unflagged, weighted to the stages of the flagged), their
        ``difference`` with ``lower`` and ``upper``, and ``ratio`` with ``ratio_lower`` and ``ratio_upper``;
        ``p_won_flagged``, ``p_won_matched``, ``won_difference``, ``won_lower``, ``won_upper``: the same of being won;
        ``days_before_end`` (median days from a deal's first flag to its end, of flagged deals that were lost);
        ``verdict`` (earns: lost more often; stalls: won less often, though not lost; none, opposite: lost less and won
        no less; few: under 20 deals flagged or unflagged; elsewhere: it fires on
        ended deals or on the whole; silent), ``verdict_zh``, ``verdict_en``. NaN where nothing
        was flagged. Of 54 rules without any meaning some five would stand out by accident at the default confidence.

    Raises
    ------
    InsufficientDataError
        No past date has its whole horizon behind it.
    SchemaError
        A number of days is not positive, or ``confidence`` not between 0 and 1.

    References
    ----------
    Direct standardisation: Breslow & Day (1987), Statistical Methods in Cancer Research II, 2.2. Clustered errors:
    Liang & Zeger (1986), Biometrika 73, 13-22.
    """
    if every_days <= 0 or horizon_days <= 0 or not 0 < confidence < 1:
        raise SchemaError(
            "every_days and horizon_days must be > 0 and confidence between 0 and 1, got "
            f"{every_days}, {horizon_days}, {confidence}."
        )
    rows, flags, spoke, n_hits = _past_flags(book, as_of, every_days, horizon_days, functions)
    z = float(norm.ppf(0.5 + confidence / 2))
    found = []
    for rule in book.process.rules:
        own = rows[rows["as_of_day"].isin(spoke.get(rule.id, ()))]
        hit = flags.loc[flags["rule"] == rule.id, ["deal_id", "as_of_day"]].assign(flagged=True)
        own = own.merge(hit, on=["deal_id", "as_of_day"], how="left")
        own["flagged"] = own["flagged"].notna()
        about = {"rule": rule.id, "name_zh": rule.name.zh, "name_en": rule.name.en, "scope": rule.scope}
        found.append({**about, "severity": rule.severity, **_judged(own, n_hits.get(rule.id, 0), z)})
    return pd.DataFrame(found)


def _past_flags(
    book: DealBook, as_of: Any, every_days: int, horizon_days: int, functions: Mapping[str, RuleFunction] | None
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, list[int]], dict[str, int]]:
    """Open deals on past dates with what became of them, what was flagged, when each rule spoke, its number of hits."""
    day = as_of_day(book, as_of)
    known = known_outcomes(book, day).set_index("deal_id")
    days = past_days(book, as_of=as_of, horizon_days=horizon_days, every_days=every_days)
    if not days:
        raise InsufficientDataError(
            f"No date lies {horizon_days} days (and the recording lag) before {to_date(day)} and after the first deal; "
            "choose a shorter horizon_days."
        )
    rows, flags, spoke, n_hits = [], [], dict[str, list[int]](), dict[str, int]()
    for past in days:
        then = know(book, as_of=to_date(past))
        if not len(then.deals):
            continue
        rows.append(then.deals[["deal_id", "s", "rep_id"]].assign(as_of_day=past))
        for rule, hits, reason in fired(then, functions=functions):
            if reason is None:
                spoke.setdefault(rule.id, []).append(past)
                n_hits[rule.id] = n_hits.get(rule.id, 0) + len(hits)
                flags.append(pd.DataFrame({"rule": rule.id, "deal_id": _flagged(hits, then), "as_of_day": past}))
    if not rows:
        raise InsufficientDataError("No deal was open on any of the past dates.")
    table = pd.concat(rows, ignore_index=True)
    end = known.loc[table["deal_id"]]
    took = end["end_day"].to_numpy() - table["as_of_day"].to_numpy()
    state = end["end"].to_numpy(dtype=object)
    table["won"] = (took <= horizon_days) & (state == "won")
    table["lost"] = (took <= horizon_days) & (state != "won") & (state != OPEN)
    table["days_to_end"] = np.where(table["lost"], np.maximum(took, 0), np.nan)
    vanished = (state == OPEN) & (took < horizon_days)
    return table[~vanished].reset_index(drop=True), pd.concat(flags, ignore_index=True), spoke, n_hits


def _flagged(hits: pd.DataFrame, known: Known) -> pd.Series:
    """Ids of the open deals that a rule flagged: those named, and those of the reps named."""
    none = pd.Series(dtype=object)
    deal, rep = (hits[name].dropna() if name in hits else none for name in ("deal", "rep_id"))
    chosen = known.deals.index.isin(deal) | known.deals["rep_id"].isin(rep)
    return known.deals.loc[chosen, "deal_id"].reset_index(drop=True)


def _judged(own: pd.DataFrame, n_hits: int, z: float) -> dict[str, Any]:
    """What followed on flagged and matched unflagged rows of one rule."""
    flagged = own["flagged"]
    counts = {
        "n_dates": int(own["as_of_day"].nunique()),
        "n_rows": len(own),
        "flag_rate": float(flagged.mean()) if len(own) else np.nan,
        "n_deals_flagged": int(own.loc[flagged, "deal_id"].nunique()),
        "n_deals_unflagged": int(own.loc[~flagged, "deal_id"].nunique()),
    }
    lost, won = _compared(own, "lost", z), _compared(own, "won", z)
    compared = {name: lost[name] for name in ("p_lost_flagged", "p_lost_matched", *_MEASURES)}
    compared |= {"p_won_flagged": won["p_won_flagged"], "p_won_matched": won["p_won_matched"]}
    compared |= {f"won_{name}": won[name] for name in ("difference", "lower", "upper")}
    first = own[flagged].sort_values("as_of_day").drop_duplicates("deal_id")
    lead = first["days_to_end"].dropna().median() if first["days_to_end"].notna().any() else np.nan
    verdict = "elsewhere" if n_hits and not flagged.any() else _verdict(counts, compared)
    words = {f"verdict_{lang}": label(f"verdict_{verdict}", lang) for lang in LANGUAGES}
    return {**counts, **compared, "days_before_end": float(lead), "verdict": verdict, **words}


def _verdict(counts: dict[str, Any], compared: dict[str, float]) -> str:
    if not counts["n_rows"]:
        return "silent"
    few = min(counts["n_deals_flagged"], counts["n_deals_unflagged"]) < MIN_FLAGGED
    if few or np.isnan(compared["lower"]):
        return "few"
    if compared["lower"] > 0:
        return "earns"
    if compared["won_upper"] < 0:
        return "stalls"
    return "opposite" if compared["upper"] < 0 else "none"


def _compared(own: pd.DataFrame, outcome: str, z: float) -> dict[str, float]:
    """Share won or lost of the flagged, of the unflagged weighted to their stages, difference and ratio with intervals.

    Only stages with both kinds of rows can be compared. Each row's influence on both shares is summed by deal; the
    interval of the ratio is on the log scale.
    """
    names = (f"p_{outcome}_flagged", f"p_{outcome}_matched", *_MEASURES)
    rows = own[own.groupby("s")["flagged"].transform("nunique").eq(2)]
    if not len(rows):
        return dict.fromkeys(names, np.nan)
    hit, came = rows["flagged"].to_numpy(), rows[outcome].to_numpy(dtype=float)
    n_hit = rows.groupby("s")["flagged"].transform("sum").to_numpy(dtype=float)
    n_all = rows.groupby("s")["flagged"].transform("size").to_numpy(dtype=float)
    weight = np.where(hit, 1.0, n_hit / (n_all - n_hit)) / hit.sum()
    beside = rows["s"].map(rows[~rows["flagged"]].groupby("s")[outcome].mean()).to_numpy(dtype=float)
    p1, p0 = float((weight * came)[hit].sum()), float((weight * came)[~hit].sum())
    # the stages of the flagged are drawn too, so a flagged row moves the matched share as well
    on_p1 = np.where(hit, weight * (came - p1), 0.0)
    on_p0 = weight * np.where(hit, beside - p0, came - beside)
    deal = rows["deal_id"].to_numpy()
    spread = z * _clustered(on_p1 - on_p0, deal)
    ratio = [np.nan] * 3
    if p1 > 0 and p0 > 0:
        wide = np.exp(z * _clustered(on_p1 / p1 - on_p0 / p0, deal))
        ratio = [p1 / p0, p1 / p0 / wide, p1 / p0 * wide]
    return dict(zip(names, [p1, p0, p1 - p0, p1 - p0 - spread, p1 - p0 + spread, *ratio], strict=True))


def _clustered(influence: np.ndarray, deal: np.ndarray) -> float:
    """Standard error of a sum of influences that come in clusters."""
    return float(np.sqrt((pd.Series(influence).groupby(deal).sum() ** 2).sum()))
