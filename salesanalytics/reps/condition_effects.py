"""What the conditions go together with: passing the stage, winning, days to sign. Association, never cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from salesanalytics.book import DealBook
from salesanalytics.labels import label
from salesanalytics.reps.compliance import condition_compliance, condition_table
from salesanalytics.reps.logistic import adjusted_difference, adjusted_log_odds, false_discovery, two_sided
from salesanalytics.reps.outcomes import CATEGORIES, HORIZON_DAYS, case_mix, creation_facts
from salesanalytics.timeline.asof_values import amounts_at, values_at
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.openings import owned_on, owner_spells
from salesanalytics.timeline.values import fields_in

MEASURES = ("passed", "won", "days_to_sign")
FEWEST = 10  # deals with and without the condition, and with and without the outcome
FACT_SD, REP_SD = (
    1.5,
    1.5,
)  # of the priors of facts and of reps (log odds); reps almost free, as skill and diligence go together
WARNING = "warning_condition_effects"


@dataclass(frozen=True)
class ConditionEffects:
    """Adjusted associations of conditions.

    Attributes
    ----------
    effects : DataFrame
        One row a condition and measure, see `condition_effects`.
    confidence : float
    """

    effects: pd.DataFrame
    confidence: float

    def warning(self, lang: str = "en") -> str:
        """What must stand beside every effect, in ``en`` or ``zh``."""
        return label(WARNING, lang)


def condition_effects(book: DealBook, *, as_of: Any, confidence: float = 0.9) -> ConditionEffects:
    """How deals in which a condition was met fared, against equal deals of the same stage in which it was not.

    Deals that entered the stage at least 365 days ago, and were known before they left it. Held fixed: what was known
    on entering the stage (product, source, procurement route, customer old or new, buyer's stage, amount, age of the
    deal), the owner, and the days in the stage: who stays longer has more time to meet and record a condition, so
    deals are compared that had equally long. A condition counts as met as in `condition_compliance`; waived, not
    applicable and bulk-ticked ones are left out.

    Parameters
    ----------
    book : DealBook
    as_of : date
        End of that day, inclusive.
    confidence : float
        Of the intervals.

    Returns
    -------
    ConditionEffects
        ``effects`` has one row a condition and measure: ``condition``, ``stage``, ``measure`` (``passed``: the stage
        was left forward rather than by an end; ``won``: within 365 days of entering the stage; ``days_to_sign``: from
        leaving the stage, among deals won later); ``n`` deals, ``n_done`` with the condition met; ``effect`` and
        ``error`` (log odds ratio; for days the logarithm of the ratio of days), ``ratio``, ``lower``, ``upper`` (of
        the ratio), ``p``, ``q`` (false-discovery rate over the conditions of a measure), ``left_out`` (None, or
        ``too_few``).

    Raises
    ------
    InsufficientDataError
        The book has no conditions.
    """
    found = condition_compliance(book, as_of=as_of, by="condition").conditions
    entries = entry_facts(book, found, as_of=as_of)
    rows = found.merge(entries, on=["deal_id", "stage"], suffixes=("", "_entry"))
    return ConditionEffects(effects_of(rows, confidence=confidence).pipe(_in_order, book), confidence)


def entry_facts(book: DealBook, conditions: pd.DataFrame, *, as_of: Any) -> pd.DataFrame:
    """Deals x stages entered at least 365 days ago, with what was known on entering and how it went on.

    Returns
    -------
    DataFrame, one row a deal and stage
        ``deal_id``, ``stage``, ``owner``, the facts of `case_mix`, ``log_age``, ``log_stay`` (of days, plus 1);
        ``passed``, ``won``, ``days_to_sign`` (NaN where undecided, or not won).
    """
    day = as_of_day(book, as_of)
    rows = conditions.drop_duplicates(["deal_id", "stage"])[["deal_id", "stage", "entered_day", "left_day", "left_to"]]
    rows = rows[rows["entered_day"] <= day - HORIZON_DAYS]
    rows = rows.merge(creation_facts(book, as_of=as_of).drop(columns=["amount", "buyer_stage"]), on="deal_id")
    rows = rows[rows["known_from"] <= rows["left_day"]].reset_index(drop=True)
    asked = {"deal_ids": rows["deal_id"], "days": np.maximum(rows["entered_day"], rows["known_from"])}
    rows["amount"] = amounts_at(book, **asked).to_numpy()
    has_buyer = "buyer_stage" in fields_in(book)
    rows["buyer_stage"] = values_at(book, by="buyer_stage", **asked).to_numpy() if has_buyer else None
    rows["owner"] = owned_on(owner_spells(book, as_of=as_of), rows["deal_id"], rows["entered_day"])
    rows["log_age"] = np.log1p((rows["entered_day"] - rows["created_day"]).clip(lower=0))
    rows["log_stay"] = np.log1p((rows["left_day"] - rows["entered_day"]).clip(lower=0))
    rows["passed"] = rows["left_to"].map({"passed": 1.0, "ended": 0.0})
    signed = rows["end"].eq("won") & (rows["end_day"] >= rows["entered_day"])
    rows["won"] = (signed & (rows["end_day"] - rows["entered_day"] <= HORIZON_DAYS)).astype(float)
    rows["days_to_sign"] = (rows["end_day"] - rows["left_day"]).where(signed & (rows["end_day"] > rows["left_day"]))
    return rows[["deal_id", "stage", "owner", *CATEGORIES, "amount", "log_age", "log_stay", *MEASURES]]


def effects_of(rows: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Adjusted associations from rows of deal x stage x condition with ``status`` and the columns of `entry_facts`."""
    met = rows["status"].map({"done": 1.0, "missing": 0.0, "undone": 0.0, "late": 0.0, "back_filled": 0.0})
    rows = rows.assign(met=met)[met.notna()]
    parts = []
    for stage, of_stage in rows.groupby("stage", sort=False):
        deals = of_stage.drop_duplicates("deal_id").set_index("deal_id")
        x, prior_sd = _held_fixed(deals)
        for condition, of_condition in of_stage.groupby("condition", sort=False):
            exposed = of_condition.set_index("deal_id")["met"].reindex(deals.index).to_numpy()
            said = {"condition": condition, "stage": stage}
            parts += [said | _association(deals, measure, exposed, x, prior_sd) for measure in MEASURES]
    columns = ["condition", "stage", "measure", "n", "n_done", "effect", "error", "free", "left_out"]
    table = pd.DataFrame(parts, columns=columns)
    free = table.pop("free").fillna(np.inf).to_numpy(float)
    level = 0.5 + confidence / 2
    reach = np.where(np.isinf(free), norm.ppf(level), student.ppf(level, np.where(np.isinf(free), 1e9, free)))
    effect, error = table["effect"].to_numpy(float), table["error"].to_numpy(float)
    table["ratio"], table["lower"], table["upper"] = (np.exp(effect + k * reach * error) for k in (0, -1, 1))
    table["p"] = two_sided(effect, error, free)
    table["q"] = table.groupby("measure")["p"].transform(lambda p: false_discovery(p.to_numpy()))
    return table.assign(left_out=table.pop("left_out"))


def _held_fixed(deals: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Facts known on entering, days in the stage (in fifths too) and owner, as columns; the width of their priors."""
    clocks = deals[["log_age", "log_stay"]].to_numpy(float)
    clocks = (clocks - clocks.mean(axis=0)) / np.maximum(clocks.std(axis=0), 1e-9)
    fifths = np.searchsorted(np.quantile(clocks[:, 1], [0.2, 0.4, 0.6, 0.8]), clocks[:, 1])
    facts = np.column_stack([case_mix(deals.drop(columns="stage")).x, clocks, fifths[:, None] == np.arange(1, 5)])
    owner = pd.get_dummies(deals["owner"].fillna("")).to_numpy(float)
    widths = [*np.full(facts.shape[1], FACT_SD), *np.full(owner.shape[1], REP_SD)]
    return np.column_stack([facts, owner]), np.array(widths)


def _association(
    deals: pd.DataFrame, measure: str, exposed: np.ndarray, x: np.ndarray, prior_sd: np.ndarray
) -> dict[str, Any]:
    outcome = deals[measure].to_numpy(float)
    known = ~np.isnan(exposed) & ~np.isnan(outcome)
    exposed, outcome = exposed[known], outcome[known]
    said = {"measure": measure, "n": int(known.sum()), "n_done": int(exposed.sum()), "left_out": None}
    groups = [exposed, 1 - exposed] + ([] if measure == "days_to_sign" else [outcome, 1 - outcome])
    if min(group.sum() for group in groups) < FEWEST:
        return said | {"effect": np.nan, "error": np.nan, "free": np.inf, "left_out": "too_few"}
    if measure == "days_to_sign":
        effect, error = adjusted_difference(exposed, np.log1p(outcome), x[known], prior_sd)
        return said | {"effect": effect, "error": error, "free": float(max(len(outcome) - 2 - x.shape[1], 5))}
    effect, error = adjusted_log_odds(exposed, outcome, x[known], prior_sd)
    return said | {"effect": effect, "error": error, "free": np.inf}


def _in_order(table: pd.DataFrame, book: DealBook) -> pd.DataFrame:
    """Conditions in the order of the process, measures in their own."""
    place = {c: k for k, c in enumerate(condition_table(book.process)["condition"])}
    order = pd.DataFrame({"measure": table["measure"].map(MEASURES.index), "place": table["condition"].map(place)})
    return table.loc[order.sort_values(["measure", "place"]).index].reset_index(drop=True)
