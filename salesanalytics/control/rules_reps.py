"""Rules about reps: edits at quarter ends, honesty of their probabilities, stages and conversions out of line.

A deal counts for its owner at the date. Every rule asks for a least number of deals or edits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom, hypergeom, norm

from salesanalytics.control.hits import either, flag, nothing, stage_at
from salesanalytics.control.known import Known
from salesanalytics.control.rules_forecast import quarter_ends
from salesanalytics.features.work import as_probability
from salesanalytics.timeline.calendar import to_date
from salesanalytics.timeline.evidence import known_rows, typed_in
from salesanalytics.timeline.openings import owned_on, owner_spells

Params = Mapping[str, Any]
EDITS = ("stage", "amount", "close_date", "probability", "category")
MIN_EDITS = 20  # of a rep, in the quarter judged and before it
HOUR_DAYS, HOUR_SECONDS = 91, 3600
MIN_DATED, MIN_OPEN, MIN_WINS = 5, 5, 5
MIN_NOTED = 10
EARLY_STAGE = 4
HANDOVER_STAGE = 5


def quarter_end_burst(known: Known, params: Params) -> pd.DataFrame:
    """H06. Of the rep's edits (stage, amount, close date, probability, category; by day typed in) of the last quarter
    to have ended, more than share fell into its last days, with z > z0 against the rep's own earlier quarters (at least
    20 edits in either); or n of the rep's deals were edited within one hour in the last 91 days (needs times
    of day).
    """
    fields = [name for name in EDITS if name in known.fields.index]
    if not fields:  # of deals that stand in their first stage by their creation alone, other work may be known
        return nothing()
    columns = ["deal", "known_day"]
    rows = pd.concat([known_rows(known.book, name, day=known.day, columns=columns) for name in fields])
    owner = known.owned["rep_id"].astype("category").reindex(rows["deal"]).array  # words compare slowly
    rows = rows.assign(rep_id=owner, quarter=quarter_ends(known, rows["known_day"]))
    rows["late"] = rows["quarter"] - rows["known_day"] < params["days"]
    judged = known.quarter(0 if known.quarter().end_day == known.day else -1).end_day
    now = rows[rows["quarter"] == judged].groupby("rep_id", observed=True)["late"].agg(n="size", k="sum")
    past = rows[rows["quarter"] < judged].groupby("rep_id", observed=True)["late"].agg(n0="size", k0="sum")
    table = now.join(past, how="inner").astype(float)
    p0 = (table["k0"] + 0.5) / (table["n0"] + 1)
    z = (table["k"] - table["n"] * p0) / np.sqrt(table["n"] * p0 * (1 - p0))
    share = table["k"] / table["n"]
    enough = (table["n"] >= MIN_EDITS) & (table["n0"] >= MIN_EDITS)
    hit = table.index[(share > params["share"]) & (z > params["z0"]) & enough]
    found = pd.DataFrame({"rep_id": hit, "since_day": judged, "text": "", "share": share[hit].to_numpy()})
    return either(found.assign(n=table.loc[hit, "n"].to_numpy()), _hourly(known, params, fields))


def _hourly(known: Known, params: Params, fields: list[str]) -> pd.DataFrame:
    typed = typed_in(known.book, fields, day=known.day, since_day=known.day - HOUR_DAYS)
    reps = known.everyone.set_index("deal_id")["rep_id"]
    typed = typed.assign(rep_id=typed["deal_id"].map(reps)).dropna(subset="rep_id")
    typed = typed.sort_values(["rep_id", "moment", "deal_id"], ignore_index=True)
    typed["n"] = _in_the_last_hour(typed)
    typed["day"] = (typed["moment"].dt.normalize() - pd.Timestamp(0)).dt.days
    busy = typed[typed["n"] >= params["n"]].sort_values(["day", "n"], kind="stable")
    busy = busy.drop_duplicates("rep_id", keep="last")
    return pd.DataFrame({"rep_id": busy["rep_id"], "since_day": busy["day"], "text": "_hour", "n": busy["n"]})


def _in_the_last_hour(typed: pd.DataFrame) -> np.ndarray:
    """How many deals of the rep were edited in the hour up to each edit, itself included; by rep and moment.

    An edit stands for its deal until the deal is edited again or the hour is over.
    """
    rep, second = pd.factorize(typed["rep_id"])[0], typed["moment"].to_numpy().astype("datetime64[s]").astype("int64")
    moment = rep * 2**40 + second  # ascending
    over = np.searchsorted(moment, moment + HOUR_SECONDS, side="right")
    at = pd.Series(np.arange(len(typed)), index=typed.index)
    again = at.groupby([typed["rep_id"], typed["deal_id"]]).shift(-1, fill_value=len(typed))
    leaves = np.bincount(np.minimum(over, again), minlength=len(typed))[: len(typed)]
    return np.asarray(np.cumsum(1 - leaves))


def dates_clumped(known: Known, params: Params) -> pd.DataFrame:
    """F04. More than share of the rep's open deals with an expected signing date (at least 5) expect it in the last
    days of a quarter.
    """
    due = known.last("close_date", "value_day")
    last = quarter_ends(known, due) - due < params["days"]
    table = last[due.notna()].groupby(known.deals["rep_id"]).agg(n="size", k="sum")
    hit = table[(table["n"] >= MIN_DATED) & (table["k"] > params["share"] * table["n"])]
    return pd.DataFrame({"rep_id": hit.index, "since_day": known.day, "n": hit["n"], "k": hit["k"]})


def _honesty(known: Known, params: Params) -> pd.DataFrame:
    """How far a rep's stated probabilities of resolved deals lie too high, by rep, with its interval.

    All probabilities count that he stated while he owned the deal; errors are clustered by deal. Where fewer reps than
    ``reps`` have ``n`` resolved deals, against what came true. Else against what all reps said of deals in the same
    stage: a scale that the whole company reads too high is no rep's fault, and the wins of one rep are too few to tell
    his habit from his luck. ``own`` is the same measured by his own wins; if it has another sign, his deals justify
    what he says.
    """
    rows = known.all_rows("probability")
    rows = rows[rows["deal"].isin(known.ended.index)]
    ids = known.book.deals["deal_id"].to_numpy(dtype=object)[rows["deal"]]
    owner = owned_on(owner_spells(known.book, as_of=to_date(known.day)), ids, rows["day"])
    said = pd.DataFrame({"deal": rows["deal"], "p": as_probability(rows["value"]), "rep_id": owner})
    said["excess"] = said["p"] - known.ended["end"].eq("won").reindex(rows["deal"]).to_numpy(dtype=float)
    said["stage"] = stage_at(known, rows["deal"], rows["day"])
    said = said.dropna(subset=["p", "rep_id"])
    n = said.groupby("rep_id")["deal"].nunique()
    with_others = int((n >= params["n"]).sum()) >= params["reps"]
    if with_others:
        said = said.dropna(subset=["stage"])
        of_stage = said.groupby("stage")[["p", "excess"]].transform("mean")
        said[["p", "excess"]] -= of_stage
    else:
        said["p"] = said["excess"]
    grouped = said.groupby("rep_id")
    gap, own, n_said = grouped["p"].mean(), grouped["excess"].mean(), grouped.size()
    said["residual"] = said["p"] - said["rep_id"].map(gap)
    by_deal = said.groupby(["rep_id", "deal"])["residual"].sum()
    se = np.sqrt((by_deal**2).groupby("rep_id").sum()) / n_said
    margin = norm.ppf(0.5 + params["level"] / 2) * se
    table = pd.DataFrame({"gap": gap, "own": own, "lower": gap - margin, "upper": gap + margin, "n": n})
    return table.assign(text="_others" if with_others else "")


def optimist(known: Known, params: Params) -> pd.DataFrame:
    """F08. The rep's stated probabilities lie too high (`_honesty`) by more than delta over at least n resolved deals,
    the interval lies above 0, and his own wins do not justify them.
    """
    table = _honesty(known, params)
    enough = (table["n"] >= params["n"]) & (table["own"] > 0)
    hit = table[enough & (table["gap"] > params["delta"]) & (table["lower"] > 0)]
    values = {"text": hit["text"], "n": hit["n"], "points": hit["gap"]}
    return pd.DataFrame({"rep_id": hit.index, "since_day": known.day, **values})


def sandbagger(known: Known, params: Params) -> pd.DataFrame:
    """F09. The same the other way round: stated probabilities too low by more than delta; or more than share of at
    least 5 wins stood in stage 4 or before it days before they were won.
    """
    table = _honesty(known, params)
    enough = (table["n"] >= params["n"]) & (table["own"] < 0)
    hit = table[enough & (-table["gap"] > params["delta"]) & (table["upper"] < 0)]
    values = {"text": hit["text"], "n": hit["n"], "points": -hit["gap"]}
    low = pd.DataFrame({"rep_id": hit.index, "since_day": known.day, **values})
    won = known.ended[known.ended["end"].eq("won")]
    before = stage_at(known, won.index.to_series(), won["end_day"] - params["days"])
    jumped = (before <= EARLY_STAGE).groupby(won["rep_id"]).agg(n="size", k="sum")
    jumps = jumped[(jumped["n"] >= MIN_WINS) & (jumped["k"] > params["share"] * jumped["n"])]
    quick = {"rep_id": jumps.index, "since_day": known.day, "text": "_jump", "n": jumps["n"], "k": jumps["k"]}
    return either(low, pd.DataFrame(quick))


def _teams(known: Known) -> pd.Series:
    """Team of each rep; one team where the book names none."""
    reps = known.book.reps
    if "team" not in reps or not len(reps):
        return pd.Series(dtype=object)
    return reps.drop_duplicates("rep_id").set_index("rep_id")["team"]


def stage_hoarding(known: Known, params: Params) -> pd.DataFrame:
    """R02. The rep has more open deals in a stage than the upper limit, had those of the team there fallen to its
    members by chance (hypergeometric; at least 5 open deals of the rep and of the others). Few are no hoarding.
    """
    deals = known.deals[["rep_id", "s"]].dropna()
    deals = deals.assign(team=deals["rep_id"].map(_teams(known)).fillna(""))
    cells = deals.groupby(["team", "rep_id", "s"]).size().rename("k").reset_index()
    k_team = deals.groupby(["team", "s"]).size().rename("k_team").reset_index()
    cells = cells.merge(k_team, on=["team", "s"])
    own = cells["rep_id"].map(deals.groupby("rep_id").size())
    team = cells["team"].map(deals.groupby("team").size())
    enough = (own >= MIN_OPEN) & (team - own >= MIN_OPEN)
    limit = hypergeom.ppf(0.5 + params["level"] / 2, team, cells["k_team"], own)
    hit = cells[(cells["k"] > limit) & enough]
    share = (hit["k_team"] - hit["k"]) / (team - own)[hit.index]
    values = {"n": own[hit.index], "k": hit["k"], "stage": hit["s"], "s": hit["s"], "share": share}
    return pd.DataFrame({"rep_id": hit["rep_id"], "since_day": known.day, **values})


def odd_conversion(known: Known, params: Params) -> pd.DataFrame:
    """R03. The share of the rep's deals that went on from a stage (to a higher one, or won) among those that left it
    upwards or ended lies outside the binomial limits of the share of all reps; at least min_n of them.

    References
    ----------
    Spiegelhalter (2005), Funnel plots for comparing institutional performance, Statistics in Medicine 24.
    """
    rows = known.stays[known.stays["next_code"].notna() & ~(known.stays["next_code"] < known.stays["stage"])]
    won = known.book.state_codes["won"]
    on = (rows["next_code"] <= len(known.process.stages)) | rows["next_code"].eq(won)
    table = pd.DataFrame({"rep_id": rows["deal"].map(known.owned["rep_id"]), "s": rows["stage"], "on": on}).dropna()
    cells = table.groupby(["rep_id", "s"])["on"].agg(n="size", k="sum").reset_index()
    p = cells["s"].map(table.groupby("s")["on"].mean())
    tail = (1 - params["level"]) / 2
    low, high = binom.ppf(tail, cells["n"], p), binom.ppf(1 - tail, cells["n"], p)
    out = ((cells["k"] < low) | (cells["k"] > high)) & (cells["n"] >= params["min_n"])
    hit = cells[out]
    text = np.where(hit["k"] < low[out], "", "_high")
    values = {"n": hit["n"], "k": hit["k"], "stage": hit["s"], "s": hit["s"], "share": p[out]}
    return pd.DataFrame({"rep_id": hit["rep_id"], "since_day": known.day, "text": text, **values})


def one_person(known: Known, params: Params) -> pd.DataFrame:
    """R07. More than share of a rep's milestones and contacts on open deals (at least 10) stand without proof: the
    evidence is none, or missing where the book proves others of that kind; or (on the deal) the owner changed at
    s >= 5 (an owner noted on the day of creation is no change, nor is the same one noted again).
    """
    parts = [
        known.rows(name)
        for name in ("milestone", "contact")
        if name in known.fields.index and known.fields.loc[name, "n_evidence"] > 0
    ]
    reps = nothing()
    if parts:
        rows = pd.concat(parts)
        bare = ~rows["evidence"].isin(["buyer", "seller"])
        table = bare.groupby(rows["deal"].map(known.deals["rep_id"])).agg(n="size", k="sum")
        hit = table[(table["n"] >= MIN_NOTED) & (table["k"] > params["share"] * table["n"])]
        reps = pd.DataFrame({"rep_id": hit.index, "since_day": known.day, "text": "", "n": hit["n"], "k": hit["k"]})
    if "rep_id" not in known.fields.index:
        return reps
    owned = owner_spells(known.book, as_of=to_date(known.day))
    owned = owned[owned["deal_id"].duplicated()]
    deal = owned["deal_id"].map(pd.Series(known.deals.index, known.deals["deal_id"])).dropna()
    rows = pd.DataFrame({"deal": deal, "day": owned["from_day"]}).dropna().astype("int64")
    late = rows[stage_at(known, rows["deal"], rows["day"]) >= HANDOVER_STAGE]
    changed = known.last_day(late)
    handed = flag(known, changed.notna(), since=changed, text="_handover", s=known.deals["s"])
    return pd.concat([reps, handed], ignore_index=True)
