"""Why deals were lost, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control.known import know
from salesanalytics.labels import label
from salesanalytics.models.bands import jeffreys
from salesanalytics.timeline.asof_values import values_at

NOT_RECORDED = "not_recorded"
GROUP_SHARES = ("no_decision", NOT_RECORDED)


@dataclass(frozen=True)
class LossReasons:
    """Ended deals that were not won.

    Attributes
    ----------
    reasons : DataFrame
        One row a stage left, group and reason, see `loss_reasons`.
    groups : DataFrame
        One row a stage left and group.
    left_out : str or None
        ``no_losses`` or ``no_reasons`` (the book records none: all are ``not_recorded``); else None.
    """

    reasons: pd.DataFrame
    groups: pd.DataFrame
    left_out: str | None

    def why(self, lang: str = "en") -> str:
        """What is missing, in ``en`` or ``zh``; empty where nothing is."""
        return label(f"losses_{self.left_out}", lang) if self.left_out else ""


def loss_reasons(book: DealBook, *, as_of: Any, by: str | None = None, confidence: float = 0.9) -> LossReasons:
    """Deals lost, not decided or withdrawn, by the stage they were in and the reason recorded last.

    A deal without a recorded reason counts as ``not_recorded``, in every share: reasons are recorded for some losses
    and not for others, and the rest cannot be known.

    Parameters
    ----------
    book : DealBook
    as_of : date
    by : str, optional
        ``rep_id``, ``team``, ``competitor``, a column of ``deals`` or another field of the history, as known at
        ``as_of``; deals without a value have the group None.
    confidence : float
        Of the intervals.

    Returns
    -------
    LossReasons
        ``reasons``, by stage, group and number: ``stage`` (left; None: never in a stage), the column ``by``,
        ``reason``, ``n``, ``amount`` (sum of what is known), ``n_of`` (deals of that stage and group), ``share``
        (n / n_of), ``lower``, ``upper``, ``amount_share``, ``confidence``.

        ``groups``: ``stage``, the column ``by``, ``n``, ``n_lost``, ``n_no_decision``, ``n_withdrawn`` (end states of
        the process; NaN where it tells no_decision not apart), ``amount``, ``share_no_decision`` and
        ``share_not_recorded``, each with ``_lower``, ``_upper``.

    Raises
    ------
    SchemaError
        The book has no such grouping.
    AsOfError
        ``as_of`` lies after the end of the book.

    References
    ----------
    Brown, Cai & DasGupta (2001), Statistical Science 16, 101-133 (Jeffreys interval).
    """
    known = know(book, as_of=as_of)
    rows = known.ended[known.ended["end"].ne("won")]
    stages = np.array([*book.process.stage_ids, None], dtype=object)
    last = known.stays.drop_duplicates("deal", keep="last").set_index("deal")["stage"].reindex(rows.index)
    rows = rows.assign(stage=stages[last.fillna(len(stages)).to_numpy(int) - 1], rank=last.fillna(0))
    rows["reason"] = known.last_of_all("reason").reindex(rows.index).fillna(NOT_RECORDED).astype(object)
    keys = ["rank", "stage"]
    if by:
        ids, days = rows["deal_id"].to_numpy(), np.full(len(rows), known.day)
        rows[by] = values_at(book, by=by, deal_ids=ids, days=days).to_numpy()
        keys.append(by)
    left_out = "no_losses" if rows.empty else None if rows["reason"].ne(NOT_RECORDED).any() else "no_reasons"
    groups = _groups(rows, keys, [state.id for state in book.process.end_states], confidence)
    reasons = _reasons(rows, keys, confidence)
    return LossReasons(_named(reasons, keys), _named(groups, keys), left_out)


def _reasons(rows: pd.DataFrame, keys: list[str], confidence: float) -> pd.DataFrame:
    grouped = rows.groupby([*keys, "reason"], dropna=False, as_index=False)
    table = grouped.agg(n=("deal_id", "size"), amount=("amount", "sum"))
    whole = table.groupby(keys, dropna=False)[["n", "amount"]].transform("sum")
    table["n_of"], table["share"] = whole["n"], table["n"] / whole["n"]
    table["lower"], table["upper"] = jeffreys(table["n"], table["n_of"], confidence=confidence)
    table["amount_share"] = table["amount"] / whole["amount"].where(whole["amount"] > 0)
    table = table.assign(confidence=confidence, few=-table["n"])
    return table.sort_values([*_sortable(keys), "few", "reason"], ignore_index=True).drop(columns="few")


def _groups(rows: pd.DataFrame, keys: list[str], ends: list[str], confidence: float) -> pd.DataFrame:
    others = [end for end in ends if end != "won"]
    told = rows.assign(**{f"n_{end}": rows["end"].eq(end) for end in others})
    told["n_no_reason"] = rows["reason"].eq(NOT_RECORDED)
    counts = [f"n_{end}" for end in others]
    grouped = told.groupby(keys, dropna=False, as_index=False)
    table = grouped.agg(
        n=("deal_id", "size"), amount=("amount", "sum"), **{c: (c, "sum") for c in [*counts, "n_no_reason"]}
    )
    table["n_no_decision"] = table.get("n_no_decision", np.nan)  # a process may not tell it apart
    for name, count in zip(GROUP_SHARES, ("n_no_decision", "n_no_reason"), strict=True):
        limits = jeffreys(table[count].fillna(0), table["n"], confidence=confidence)
        low, high = (np.where(table[count].notna(), limit, np.nan) for limit in limits)
        shares = {"": table[count] / table["n"], "_lower": low, "_upper": high}
        table = table.assign(**{f"share_{name}{end}": values for end, values in shares.items()})
    return table.drop(columns="n_no_reason").sort_values(_sortable(keys), ignore_index=True)


def _named(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Without the rank, and None where a stage or group has no name."""
    names = {key: table[key].astype(object).where(table[key].notna(), None) for key in keys[1:]}
    return table.drop(columns="rank").assign(**names)


def _sortable(keys: list[str]) -> list[str]:
    return [key for key in keys if key != "stage"]
