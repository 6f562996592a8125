"""Which conditions to coach a rep on: where most is to be gained, and what meeting them goes with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.labels import band, label, number, percent
from salesanalytics.process import Process
from salesanalytics.reps.compliance import Compliance
from salesanalytics.reps.condition_effects import ConditionEffects

TO_COACH = 2
ALONE = 10  # deals that the company's share is worth beside a rep's own
FALSE_DISCOVERIES = 0.1


def conditions_to_coach(
    compliance: Compliance | None, effects: ConditionEffects | None, process: Process, rep_id: str, lang: str
) -> pd.DataFrame:
    """At most two conditions, see `rep_scorecard`; empty where the book has none."""
    columns = [
        "condition",
        "name",
        "stage",
        "met",
        "company",
        "gap",
        "n_conditions",
        "odds_ratio",
        "q",
        "text",
        "evidence",
    ]
    if compliance is None:
        return pd.DataFrame(columns=columns)
    gaps = _gaps(compliance, rep_id)
    gaps = gaps.assign(odds_ratio=np.nan, lower=np.nan, upper=np.nan, q=np.nan)
    if effects is not None:
        passing = effects.effects[effects.effects["measure"].eq("passed")].set_index("condition")
        passing = passing.rename(columns={"ratio": "odds_ratio"})
        gaps = gaps.assign(**{c: gaps["condition"].map(passing[c]) for c in ("odds_ratio", "lower", "upper", "q")})
    gaps["earns"] = gaps["odds_ratio"].gt(1) & gaps["q"].le(FALSE_DISCOVERIES)
    gaps["worth"] = gaps["gap"] * gaps["weight"]
    chosen = gaps[gaps["gap"] > 0].sort_values(["earns", "worth"], ascending=False, kind="stable").head(TO_COACH)
    chosen = chosen.assign(name=[process.label(c, lang) for c in chosen["condition"]])
    said = [
        label("scorecard_coach", lang, name=r.name_, met=percent(r.met), company=percent(r.company), n=r.n_conditions)
        for r in chosen.rename(columns={"name": "name_"}).itertuples()
    ]
    evidence = [_association(r.odds_ratio, r.lower, r.upper, r.q, lang) for r in chosen.itertuples()]
    return chosen.assign(text=said, evidence=evidence)[columns].reset_index(drop=True)


def _association(ratio: float, low: float, high: float, q: float, lang: str) -> str:
    if np.isnan(ratio):
        return ""
    key = "scorecard_earns" if ratio > 1 and q <= FALSE_DISCOVERIES else "scorecard_unproved"
    return label(key, lang, ratio=number(ratio, 1), band=band(low, high, 1))


def _gaps(compliance: Compliance, rep_id: str) -> pd.DataFrame:
    """Of each condition: the share met by the rep, drawn to the company's, and the company's."""
    rows = compliance.conditions
    rows = rows[rows["left_to"].eq("passed") & (rows["due"] > 0)].assign(met=lambda r: r["status"].eq("done"))
    grouped = rows.groupby(["stage", "condition"], as_index=False)
    everyone = grouped.agg(company=("met", "mean"), weight=("weight", "first"))
    own = rows[rows["rep_id"].eq(rep_id)].groupby("condition")["met"].agg(["mean", "size"])
    table = everyone.join(own, on="condition").dropna(subset=["mean"])
    n = table["size"]
    drawn = (n * table["mean"] + ALONE * table["company"]) / (n + ALONE)
    table = table.assign(met=drawn, n_conditions=n.astype(int))
    return table.assign(gap=table["company"] - table["met"])
