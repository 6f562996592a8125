"""One page a rep: what he does well, two conditions to coach, and the evidence for each line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesanalytics.errors import SchemaError
from salesanalytics.labels import band, label, number, percent, short
from salesanalytics.process import Process
from salesanalytics.reps.compliance import Compliance
from salesanalytics.reps.condition_effects import ConditionEffects
from salesanalytics.reps.evaluate import FEWEST_RANKED, RepEvaluation

TO_COACH = 2
ALONE = 10  # deals that the company's share is worth beside a rep's own
FALSE_DISCOVERIES = 0.1
#: Measures of the page: column, its interval, how it reads, and whether more is better (None: neither).
MEASURES = (
    ("effect", "effect_lower", "effect_upper", "signed", True),
    ("process_score", "process_lower", "process_upper", "share", True),
    ("price_ratio", "price_lower", "price_upper", "share", True),
    ("cycle_days", "cycle_lower", "cycle_upper", "plain", None),
    ("date_bias_days", "date_bias_lower", "date_bias_upper", "signed", None),
    ("p_bias", "p_bias_lower", "p_bias_upper", "points", None),
    ("commit_won", "commit_won_lower", "commit_won_upper", "share", None),
    ("trend", "trend_lower", "trend_upper", "signed", None),
    ("activity_per_deal_month", None, None, "plain", None),
    ("volume", None, None, "plain", None),
)


@dataclass(frozen=True)
class Scorecard:
    """The content of one page.

    Attributes
    ----------
    rep_id, title : str
    verdict : tuple of str
        Sentences on the outcome: wins against expected, how certain, flag, what was left out.
    measures : DataFrame
        ``measure``, ``name`` (words), ``value``, ``lower``, ``upper``, ``company`` (median of the reps), ``text``.
    strengths : tuple of str
        Where he is clearly above the others (interval beyond the median of the reps); may be empty.
    coach : DataFrame
        At most two conditions: ``condition``, ``name``, ``stage``, ``met`` (his shrunk share by weight), ``company``,
        ``gap``, ``n_conditions``, ``odds_ratio``, ``q`` (of passing the stage), ``text``.
    warning : str
        What must stand beside the effects of conditions.
    """

    rep_id: str
    title: str
    verdict: tuple[str, ...]
    measures: pd.DataFrame
    strengths: tuple[str, ...]
    coach: pd.DataFrame
    warning: str


def rep_scorecard(
    evaluation: RepEvaluation,
    compliance: Compliance | None,
    effects: ConditionEffects | None,
    *,
    process: Process,
    rep_id: str,
    lang: str = "en",
) -> Scorecard:
    """Put what is known of one rep on a page, in words; computes no new estimate but the gaps of his conditions.

    Conditions to coach are those where most is to be gained: gap to the company (drawn to it) times the weight in the
    process, of conditions that he meets less than others; a condition that goes with passing the stage comes first.

    Parameters
    ----------
    evaluation : RepEvaluation
    compliance : Compliance or None
        None where the book has no conditions.
    effects : ConditionEffects or None
    process : Process
    rep_id : str
    lang : str
        ``en`` or ``zh``.

    Returns
    -------
    Scorecard

    Raises
    ------
    SchemaError
        The evaluation has no such rep.
    """
    found = evaluation.reps[evaluation.reps["rep_id"].eq(rep_id)]
    if found.empty:
        raise SchemaError(f"rep_id must be one of {', '.join(evaluation.reps['rep_id'])}, got {rep_id!r}.")
    row = found.iloc[0]
    name = row["name"] if isinstance(row["name"], str) else rep_id
    measures = _measures(evaluation.reps, row, lang)
    return Scorecard(
        rep_id=rep_id,
        title=label("scorecard_title", lang, name=name),
        verdict=_verdict(row, evaluation, lang),
        measures=measures,
        strengths=_strengths(measures, lang),
        coach=_to_coach(compliance, effects, process, rep_id, lang),
        warning=label("warning_condition_effects", lang),
    )


def _verdict(row: pd.Series, evaluation: RepEvaluation, lang: str) -> tuple[str, ...]:
    lines = []
    if row["n"]:
        told = {"n": row["n"], "observed": row["observed"], "expected": number(row["expected"], 1)}
        lines.append(label(f"scorecard_of_{evaluation.outcome}", lang, **told))
        lines.append(label("scorecard_median", lang, p=percent(row["p_above_median"])))
    if isinstance(row["flag"], str):
        lines.append(label(f"scorecard_{row['flag']}", lang, funnel=percent(evaluation.funnel)))
    if row["ramping"]:
        lines.append(label("scorecard_ramping", lang))
    elif row["n_deals"] < FEWEST_RANKED:
        lines.append(label("scorecard_few", lang, n=FEWEST_RANKED))
    if row["n_handed_over"]:
        lines.append(label("scorecard_handed_over", lang, n=row["n_handed_over"]))
    return tuple(lines)


def _measures(reps: pd.DataFrame, row: pd.Series, lang: str) -> pd.DataFrame:
    lines = []
    for measure, lower, upper, kind, _ in MEASURES:
        low, high = (float(row[c]) if c else np.nan for c in (lower, upper))
        value = float(row[measure])
        if not np.isnan(value):
            said = _said(value, low, high, kind)
            line = (measure, label(f"rep_{measure}", lang), value, low, high, float(reps[measure].median()), said)
            lines.append(line)
    return pd.DataFrame(lines, columns=["measure", "name", "value", "lower", "upper", "company", "text"])


def _said(value: float, low: float, high: float, kind: str) -> str:
    if kind == "share":
        text, ends = percent(value), (percent(low), percent(high))
    elif kind == "points":
        text, ends = f"{100 * value:+.0f} %", (f"{100 * low:+.0f} %", f"{100 * high:+.0f} %")
    elif kind == "signed":
        text, ends = f"{value:+.2f}", (f"{low:+.2f}", f"{high:+.2f}")
        if abs(value) >= 1:
            text, ends = f"{value:+.0f}", (f"{low:+.0f}", f"{high:+.0f}")
    else:
        return short(round(value, 2)) if np.isnan(low) else f"{short(value)} ({band(low, high, 0)})"
    return text if np.isnan(low) else f"{text} ({ends[0]} – {ends[1]})"


def _strengths(measures: pd.DataFrame, lang: str) -> tuple[str, ...]:
    better = {measure for measure, *_, more in MEASURES if more}
    clear = measures[measures["measure"].isin(better) & (measures["lower"] > measures["company"])]
    return tuple(label("part_of", lang, text=n, part=t) for n, t in zip(clear["name"], clear["text"], strict=True))


def _to_coach(
    compliance: Compliance | None, effects: ConditionEffects | None, process: Process, rep_id: str, lang: str
) -> pd.DataFrame:
    columns = ["condition", "name", "stage", "met", "company", "gap", "n_conditions", "odds_ratio", "q", "text"]
    if compliance is None:
        return pd.DataFrame(columns=columns)
    gaps = _gaps(compliance, rep_id)
    gaps = gaps.assign(odds_ratio=np.nan, q=np.nan)
    if effects is not None:
        passing = effects.effects[effects.effects["measure"].eq("passed")].set_index("condition")
        gaps["odds_ratio"], gaps["q"] = (gaps["condition"].map(passing[c]) for c in ("ratio", "q"))
    gaps["earns"] = gaps["odds_ratio"].gt(1) & gaps["q"].le(FALSE_DISCOVERIES)
    gaps["worth"] = gaps["gap"] * gaps["weight"]
    chosen = gaps[gaps["gap"] > 0].sort_values(["earns", "worth"], ascending=False, kind="stable").head(TO_COACH)
    chosen = chosen.assign(name=[process.label(c, lang) for c in chosen["condition"]])
    said = [
        label("scorecard_coach", lang, name=r.name_, met=percent(r.met), company=percent(r.company), n=r.n_conditions)
        for r in chosen.rename(columns={"name": "name_"}).itertuples()
    ]
    return chosen.assign(text=said)[columns].reset_index(drop=True)


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
