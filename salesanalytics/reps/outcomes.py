"""The deals that reps are judged by, with what was settled when each was created and no rep chose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.timeline import known_outcomes
from salesanalytics.timeline.asof_values import amounts_at
from salesanalytics.timeline.calendar import as_of_day
from salesanalytics.timeline.conditions import last_stage_visits
from salesanalytics.timeline.openings import first_texts, owner_spells
from salesanalytics.timeline.replay import OPEN

HORIZON_DAYS = 365
ENTRY_DAYS = 28  # a buyer stage noted later than this says where the deal went, not where it began
CATEGORIES = ("product", "source", "route", "customer", "buyer_stage")
SMALLEST_LEVEL = 10  # deals
UNKNOWN, OTHER = "unknown", "other"


def outcome_rows(book: DealBook, *, as_of: Any) -> pd.DataFrame:
    """Deals created at least 365 days ago: won within 365 days of creation or not, as known at a date.

    Parameters
    ----------
    book : DealBook
    as_of : date
        End of that day, inclusive.

    Returns
    -------
    DataFrame, one row a deal
        ``deal_id``; ``rep_id`` (the first owner before the outcome); ``created_day``; ``end``, ``end_day`` (as
        `outcomes`); ``won``;
        ``use``: ``judged``, or why it is not: ``handed_over`` (the owner changed before the outcome), ``vanished``
        (no longer seen, no end known), ``no_owner``; and the facts at creation: ``product``, ``source``, ``route``,
        ``customer`` (old: had an earlier deal), ``buyer_stage`` (the first noted within 28 days), ``amount`` (first
        known). Missing facts are None or NaN.
    """
    day = as_of_day(book, as_of)
    rows = creation_facts(book, as_of=as_of)
    rows = rows[rows["created_day"] <= day - HORIZON_DAYS].reset_index(drop=True)
    rows["won"] = rows["end"].eq("won") & (rows["end_day"] - rows["created_day"] <= HORIZON_DAYS)
    owned = _owners_until_decided(rows, owner_spells(book, as_of=as_of))
    rows["rep_id"] = rows["deal_id"].map(owned.drop_duplicates("deal_id").set_index("deal_id")["rep_id"])
    handed = rows["deal_id"].map(owned.groupby("deal_id").size()).fillna(0).gt(1)
    vanished = rows["end"].eq(OPEN) & (rows["end_day"] < rows["created_day"] + HORIZON_DAYS)
    reasons = [rows["rep_id"].isna() & ~handed, handed, vanished]
    rows["use"] = np.select(reasons, ["no_owner", "handed_over", "vanished"], "judged")
    columns = ["deal_id", "rep_id", "created_day", "end", "end_day", "won", "use", *CATEGORIES, "amount"]
    return rows[columns]


def creation_facts(book: DealBook, *, as_of: Any) -> pd.DataFrame:
    """Every deal known at a date, with what was settled when it was created.

    Returns
    -------
    DataFrame, one row a deal
        ``deal_id``, ``created_day``, ``known_from``, ``end``, ``end_day``, and the facts of `outcome_rows`.
    """
    rows = known_outcomes(book, as_of_day(book, as_of))
    stated = book.deals.set_index("deal_id").reindex(rows["deal_id"])
    first_of = rows["created_day"].groupby(stated["account_id"].to_numpy()).transform("min")
    customer = (rows["created_day"] > first_of).map({True: "old", False: "new"}).astype(object)
    rows["customer"] = customer.where(stated["account_id"].notna().to_numpy(), None)
    for name in ("product", "source", "route"):
        rows[name] = stated[name].to_numpy(dtype=object)
    rows["amount"] = amounts_at(book, deal_ids=rows["deal_id"], days=rows["known_from"]).to_numpy()
    stage = first_texts(book, "buyer_stage", as_of=as_of, within_days=ENTRY_DAYS)
    rows["buyer_stage"] = rows["deal_id"].map(stage).astype(object)
    return rows


def _owners_until_decided(rows: pd.DataFrame, owned: pd.DataFrame) -> pd.DataFrame:
    """Owners from creation to the outcome (the one at creation always), in order.

    A deal that waited for its first owner was not handed over.
    """
    decided = rows["end_day"].clip(upper=rows["created_day"] + HORIZON_DAYS).set_axis(rows["deal_id"])
    owned = owned[owned["deal_id"].isin(rows["deal_id"])]
    is_first = ~owned["deal_id"].duplicated()
    has_begun = owned["rep_id"].notna().groupby(owned["deal_id"]).cummax()
    return owned[has_begun & (is_first | (owned["from_day"] < owned["deal_id"].map(decided)))]


def passage_rows(book: DealBook, judged: pd.DataFrame, *, as_of: Any) -> pd.DataFrame:
    """Stages that judged deals left, for the last time: ``won`` says that the stage was passed, not ended in.

    Parameters
    ----------
    judged : DataFrame
        Rows of `outcome_rows`.

    Returns
    -------
    DataFrame, one row a deal and stage
        Columns of `outcome_rows`, and ``stage``.
    """
    visits = last_stage_visits(book, as_of=as_of)
    visits = visits[visits["left_to"].isin(["passed", "ended"])]
    rows = judged.drop(columns="won").merge(visits[["deal_id", "stage", "left_to"]], on="deal_id")
    return rows.assign(won=rows["left_to"].eq("passed")).drop(columns="left_to")


@dataclass(frozen=True)
class CaseMix:
    """Facts at creation as columns of a model: ``x`` (n_deals, n_columns), and for each ``fact`` and ``level``."""

    x: np.ndarray
    fact: list[str]
    level: list[str]


def case_mix(rows: pd.DataFrame) -> CaseMix:
    """The facts at creation of some deals as columns, each level against the most frequent one.

    Levels of fewer than 10 deals are put together; the amount enters as its logarithm, in standard deviations. Rows of
    stages (`passage_rows`) have the stage beside.
    """
    columns, names = [], []
    for fact in (*CATEGORIES, *(["stage"] if "stage" in rows else [])):
        values = rows[fact].astype(object).where(rows[fact].notna(), UNKNOWN).astype(str)
        counts = values.value_counts()
        values = values.where(values.map(counts) >= SMALLEST_LEVEL, OTHER)
        counts = values.value_counts().sort_index().sort_values(ascending=False, kind="stable")
        for level in counts.index[1:]:
            columns.append(values.eq(level).to_numpy(float))
            names.append((fact, level))
    log_amount = np.log(rows["amount"].where(rows["amount"] > 0))
    if log_amount.nunique() > 1:
        columns.append(((log_amount - log_amount.mean()) / log_amount.std()).fillna(0.0).to_numpy())
        names.append(("amount", "log"))
    x = np.column_stack(columns) if columns else np.empty((len(rows), 0))
    return CaseMix(x, [fact for fact, _ in names], [level for _, level in names])
