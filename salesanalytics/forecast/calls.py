"""What reps call for a period, corrected for how their calls came out before, and combined with the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.forecast.baselines import called_by_way
from salesanalytics.timeline import Period

COMBINED = ("probability", "commit", "close_dates")  # the first of them that reps state moves our forecast
KEYS = ["way", "measure"]
PRIOR_PAIRS_OF_CALLS = 50.0  # usual calls of a rep of which one more brought one more, before any is seen
PRIOR_FORECASTS = 1.0  # forecasts in which what came was what was called
PRIOR_REP_FORECASTS = 8.0  # forecasts of a rep in which came beyond the calls what comes of all reps
PRIOR_PAIRS = 8.0  # past forecasts in which the reps knew nothing more than the model, before any is seen


def calls_of(deals: pd.DataFrame, period: Period) -> pd.DataFrame:
    """What each rep calls of his open deals: one row a rep, way (`called_by_way`) and measure.

    Columns ``rep_id``, ``way``, ``measure``, ``called``; reps without a call have 0. Empty where nobody says a thing.
    """
    rep = deals["rep_id"].astype(object).where(deals["rep_id"].notna(), "")
    parts = []
    for way, weight in called_by_way(deals, period).items():
        for measure, value in (("amount", deals["amount"].fillna(0.0)), ("count", 1.0)):
            summed = (weight * value).groupby(rep.to_numpy()).sum().rename("called").rename_axis("rep_id").reset_index()
            parts.append(summed.assign(way=way, measure=measure))
    columns = ["rep_id", *KEYS, "called"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def with_outcome(calls: pd.DataFrame, deals: pd.DataFrame, signed: pd.DataFrame) -> pd.DataFrame:
    """Calls with ``came``: what was signed in the period of the deals that stood open with the rep, called or not.

    ``deals``: ``deal_id``, ``rep_id`` of the open deals; ``signed``: ``deal_id``, ``amount`` of the period.
    """
    of_rep = signed.merge(deals[["deal_id", "rep_id"]], on="deal_id")
    of_rep["rep_id"] = of_rep["rep_id"].astype(object).where(of_rep["rep_id"].notna(), "")
    sums = of_rep.groupby("rep_id").agg(amount=("amount", "sum"), count=("deal_id", "size")).astype(float)
    came = sums.stack().rename("came").rename_axis(["rep_id", "measure"]).reset_index()
    found = calls.merge(came, on=["rep_id", "measure"], how="left")
    return found.assign(came=found["came"].fillna(0.0))


def rep_bias(past: pd.DataFrame) -> pd.DataFrame:
    """What comes of a rep's open deals in a forecast: ``beyond + slope * called``, at least 0.

    A sum, and no ratio of what came to what was called: who calls next to nothing signs deals all the same, and the
    ratio has no bound. The slope is that of all reps, drawn to 1 (what is called more comes more) and never below 0;
    what comes beyond is drawn from that of the rep to that of all reps, and from there to 0 (as called).

    Parameters
    ----------
    past : DataFrame
        Calls with their outcome of past forecasts, `with_outcome`; ``quarter`` and ``week`` tell them apart.

    Returns
    -------
    DataFrame, one row a rep, way and measure
        ``rep_id``, ``way``, ``measure``, ``n`` (forecasts), ``called``, ``came`` (sums), ``slope``, ``beyond`` (a
        forecast, in the units of the measure), ``all_reps`` (what comes beyond of a rep who is not known).

    References
    ----------
    Ridge regression: Hoerl & Kennard (1970), Technometrics 12, 55-67; shrinkage of what is left by rep: Robinson
    (1991), Statistical Science 6, 15-32.
    """
    means = past.groupby(KEYS)[["called", "came"]].transform("mean")
    apart = past[["called", "came"]] - means
    products = past[KEYS].assign(square=apart["called"] ** 2, product=apart["called"] * apart["came"])
    sums = products.groupby(KEYS)[["square", "product"]].agg(["sum", "mean"])
    prior = PRIOR_PAIRS_OF_CALLS * sums[("square", "mean")]
    slope = (sums[("product", "sum")] + prior) / (sums[("square", "sum")] + prior)
    differ = past.groupby(KEYS)["called"].nunique() > 1  # else the squares are nothing but rounding
    slope = slope.clip(lower=0.0).where(differ, 1.0)
    left = past.merge(slope.rename("slope").reset_index(), on=KEYS)
    left["left"] = left["came"] - left["slope"] * left["called"]
    n_forecasts = left.drop_duplicates([*KEYS, "quarter", "week"]).groupby(KEYS).size()
    all_reps = left.groupby(KEYS)["left"].mean() * n_forecasts / (n_forecasts + PRIOR_FORECASTS)
    by_rep = left.groupby(["rep_id", *KEYS], as_index=False).agg(
        n=("called", "size"),
        called=("called", "sum"),
        came=("came", "sum"),
        left=("left", "sum"),
        slope=("slope", "first"),
    )
    by_rep = by_rep.merge(all_reps.rename("all_reps").reset_index(), on=KEYS)
    drawn = by_rep.pop("left") + PRIOR_REP_FORECASTS * by_rep["all_reps"]
    by_rep["beyond"] = drawn / (by_rep["n"] + PRIOR_REP_FORECASTS)
    return by_rep[["rep_id", *KEYS, "n", "called", "came", "slope", "beyond", "all_reps"]]


def corrected(calls: pd.DataFrame, past: pd.DataFrame) -> dict[tuple[str, str], float]:
    """What comes of the calls by way and measure, summed over reps (`rep_bias`); empty without a past or a call."""
    if not len(calls) or not len(past):
        return {}
    bias = rep_bias(past)
    of_all = bias.drop_duplicates(KEYS)[[*KEYS, "slope", "all_reps"]]
    found = calls.merge(of_all, on=KEYS).merge(bias[["rep_id", *KEYS, "beyond"]], on=["rep_id", *KEYS], how="left")
    comes = found["beyond"].fillna(found["all_reps"]) + found["slope"] * found["called"]
    sums = found.assign(value=comes.clip(lower=0.0)).groupby(KEYS)["value"].sum()
    return {(str(way), str(measure)): float(x) for (way, measure), x in sums.items()}


def weight_of_calls(past: list[dict[str, Any]]) -> float:
    """How far the model's number goes towards the corrected call, 0 to 1.

    Least squares of past errors of the model on how far the call stood from it, drawn to 0 (Bates & Granger 1969,
    Operational Research Quarterly 20, 451-468).

    Parameters
    ----------
    past : list of dict
        ``model``, ``call``, ``actual`` of past forecasts.
    """
    if not past:
        return 0.0
    apart = np.array([row["call"] - row["model"] for row in past])
    missed = np.array([row["actual"] - row["model"] for row in past])
    spread = float(apart @ apart)
    return float(np.clip(apart @ missed / max(spread * (1 + PRIOR_PAIRS / len(past)), 1e-300), 0.0, 1.0))


def combined(draws: np.ndarray, call: float, past: list[dict[str, Any]], *, at_least: float) -> np.ndarray:
    """Draws of the model moved towards the corrected call by what that was worth before; none below what is signed."""
    return np.maximum(draws + weight_of_calls(past) * (call - draws.mean()), at_least)


def call_and_past(points: pd.Series, past: pd.DataFrame, measure: str) -> tuple[float, list[dict[str, Any]]]:
    """The corrected call to combine with (chances, else commitments, else dates alone), and how it did before.

    ``points``: of each method now; ``past``: scored forecasts of the same week. NaN: there is none.
    """
    for way in COMBINED:
        method = f"rep_{way}_corrected"
        call = float(points.get(method, np.nan))
        if np.isnan(call):
            continue
        same = past[past["measure"].eq(measure)].set_index("quarter")
        ours, theirs = (same.loc[same["method"].eq(m), ["forecast", "actual"]] for m in ("forecast", method))
        both = ours.join(theirs[["forecast"]].rename(columns={"forecast": "call"})).dropna()
        rows = both.rename(columns={"forecast": "model"}).to_dict("records")
        return call, [{str(k): float(v) for k, v in row.items()} for row in rows]
    return np.nan, []
