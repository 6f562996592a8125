"""One page a rep: what he does well, two conditions to coach, and the evidence for each line."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from salesanalytics.errors import SchemaError
from salesanalytics.labels import label, number, percent
from salesanalytics.process import Process
from salesanalytics.reps.coaching import conditions_to_coach
from salesanalytics.reps.compliance import Compliance
from salesanalytics.reps.condition_effects import ConditionEffects
from salesanalytics.reps.evaluate import FEWEST_RANKED, RepEvaluation
from salesanalytics.reps.outcomes import HORIZON_DAYS
from salesanalytics.reps.scorecard_measures import MEASURES, card_measures, measure_name


@dataclass(frozen=True)
class Scorecard:
    """The content of one page.

    Attributes
    ----------
    rep_id, title : str
    verdict : tuple of str
        Sentences on the outcome: wins against expected, how certain, flag.
    not_judged : tuple of str
        What was left out, which measures are not known, whether there is no rank, and why.
    measures : DataFrame
        ``measure``, ``name`` (words), ``value``, ``lower``, ``upper``, ``company`` (median of the reps), ``n`` (what
        stands behind it; NaN where that says nothing), ``text``, ``company_text``. The effect reads as the share won
        of deals like his (of an average rep with these deals under ``company``), the trend as points of it a year.
    strengths : tuple of str
        Where he is clearly above the others (interval beyond the median of the reps); may be empty.
    coach : DataFrame
        At most two conditions: ``condition``, ``name``, ``stage``, ``met`` (his shrunk share by weight), ``company``,
        ``gap``, ``n_conditions``, ``odds_ratio``, ``q`` (of passing the stage), ``text``, ``evidence`` (what meeting it
        goes with, in words; empty where that cannot be told).
    warning : str
        What must stand beside the effects of conditions.
    """

    rep_id: str
    title: str
    verdict: tuple[str, ...]
    not_judged: tuple[str, ...]
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
    measures = card_measures(evaluation, row, lang)
    return Scorecard(
        rep_id=rep_id,
        title=label("scorecard_title", lang, name=name),
        verdict=_verdict(row, evaluation, measures, lang),
        not_judged=_not_judged(row, evaluation, measures, lang),
        measures=measures,
        strengths=_strengths(measures, lang),
        coach=conditions_to_coach(compliance, effects, process, rep_id, lang),
        warning=label("warning_condition_effects", lang),
    )


def _verdict(row: pd.Series, evaluation: RepEvaluation, measures: pd.DataFrame, lang: str) -> tuple[str, ...]:
    if not row["n"]:
        return (label("scorecard_nothing", lang),)
    told = {"n": row["n"], "observed": row["observed"], "expected": number(row["expected"], 1)}
    effect = measures.iloc[0]
    chances = {"own": effect["text"], "average": effect["company_text"]}
    lines = [
        label(f"scorecard_of_{evaluation.outcome}", lang, **told),
        label(f"scorecard_chance_{evaluation.outcome}", lang, **chances, level=percent(evaluation.confidence)),
        label("scorecard_median", lang, p=percent(row["p_above_median"])),
    ]
    if isinstance(row["flag"], str):
        lines.append(label(f"scorecard_{row['flag']}", lang, funnel=percent(evaluation.funnel)))
    return tuple(lines)


def _not_judged(row: pd.Series, evaluation: RepEvaluation, measures: pd.DataFrame, lang: str) -> tuple[str, ...]:
    lines = []
    if row["ramping"]:
        lines.append(label("scorecard_ramping", lang))
    elif row["n_deals"] < FEWEST_RANKED:
        lines.append(label("scorecard_few", lang, n=FEWEST_RANKED))
    uses = evaluation.apart.loc[evaluation.apart["rep_id"].eq(row["rep_id"]), "use"].value_counts()
    lines += [label(f"scorecard_{use}", lang, n=uses[use]) for use in ("handed_over", "vanished") if use in uses]
    lines.append(label("scorecard_young", lang, days=HORIZON_DAYS))
    known = set(measures["measure"])
    unknown = [measure_name(m, evaluation.outcome, lang) for m, *_ in MEASURES if m not in known]
    if unknown:
        lines.append(label("scorecard_unknown", lang, names=label("list_comma", lang).join(unknown)))
    return tuple(lines)


def _strengths(measures: pd.DataFrame, lang: str) -> tuple[str, ...]:
    better = {measure for measure, *_, more in MEASURES if more}
    clear = measures[measures["measure"].isin(better) & (measures["lower"] > measures["company"])]
    return tuple(label("part_of", lang, text=n, part=t) for n, t in zip(clear["name"], clear["text"], strict=True))
