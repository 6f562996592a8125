"""What hangs on one person: deals and customers that only one rep, or only one role at the customer, holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control.customers import contact_rows
from salesanalytics.control.known import Known, know
from salesanalytics.labels import label

DEAL_COLUMNS = [
    "deal_id", "name", "account_id", "rep_id", "stage", "amount", "expected_amount", "n_roles", "n_people",
    "documented", "single_line", "known_to_others",
]  # fmt: skip


@dataclass(frozen=True)
class KeyPersonRisk:
    """What a rep's leaving would put at risk.

    Attributes
    ----------
    reps : DataFrame
        One row an owner of open deals, see `key_person_risk`.
    deals : DataFrame
        One row an open deal.
    left_out : str or None
        ``no_owners``, ``no_contacts`` (the book keeps none: columns on contacts are NaN); else None.
    """

    reps: pd.DataFrame
    deals: pd.DataFrame
    left_out: str | None

    def why(self, lang: str = "en") -> str:
        """What is missing, in ``en`` or ``zh``; empty where nothing is."""
        return label(f"key_people_{self.left_out}", lang) if self.left_out else ""


def key_person_risk(book: DealBook, *, as_of: Any, horizon_days: int = 365) -> KeyPersonRisk:
    """Open deals by owner: how much he holds, on how few people it rests, and what nobody else could go on with.

    A contact belongs to the rep who owned the deal on that day. A customer is *known to others* where a colleague has
    had a contact there, on any deal. ``amount_alone`` and ``expected_alone`` say what is at risk if the rep leaves:
    his open deals at customers (or without a customer, the deals) of which no colleague knows anybody.

    Parameters
    ----------
    book : DealBook
    as_of : date
    horizon_days : int
        Days within which a signing counts in the expected value (stage table).

    Returns
    -------
    KeyPersonRisk
        ``reps``, by value at risk: ``rep_id``, ``name``, ``team`` (None where ``reps`` has none), ``n_open``,
        ``amount``, ``expected_amount``, ``share_of_team`` and ``share_of_all`` (of the open value), ``n_single_line``
        and ``amount_single_line`` (deals with exactly one role reached), ``n_undocumented`` and
        ``amount_undocumented`` (no contact on record), ``n_customers``, ``n_customers_alone`` (customers whose every
        contact he alone has reached), ``n_alone``, ``amount_alone``, ``expected_alone``.

        ``deals``, by rep and value: ``deal_id``, ``name``, ``account_id``, ``rep_id``, ``stage``, ``amount``,
        ``expected_amount``, ``n_roles``, ``n_people``, ``documented``, ``single_line``, ``known_to_others``.

    Raises
    ------
    AsOfError
        ``as_of`` lies after the end of the book.
    """
    known = know(book, as_of=as_of)
    keeps = "contact" in known.fields.index
    deals = _deals(known, keeps=keeps, horizon_days=horizon_days)
    owned = deals[deals["rep_id"].notna()]
    left_out = "no_owners" if owned.empty else None if keeps else "no_contacts"
    order = deals.assign(worth=-deals["amount"].fillna(0)).sort_values(["rep_id", "worth", "deal_id"])
    truths = ["documented", "single_line", "known_to_others"]
    shown = order.astype(dict.fromkeys(truths, bool)) if keeps else order
    return KeyPersonRisk(_reps(known, owned, keeps=keeps), shown[DEAL_COLUMNS].reset_index(drop=True), left_out)


def _deals(known: Known, *, keeps: bool, horizon_days: int) -> pd.DataFrame:
    deals = known.deals[["deal_id", "name", "account_id", "rep_id", "stage", "amount"]].copy()
    deals["expected_amount"] = deals["amount"] * (known.p_won(horizon_days) if len(deals) else np.nan)
    rows = contact_rows(known)
    rows["person"] = rows["who"].fillna(rows["role"])
    here = rows.groupby("deal")
    for name, column in (("n_roles", "role"), ("n_people", "person")):
        count = here[column].nunique().reindex(deals.index)
        deals[name] = count.fillna(0).astype("int64") if keeps else np.nan
    deals["customer"] = _customer(deals)
    place = _customer(known.everyone)  # a contact stays one when its deal ends or is no longer seen
    pairs = rows.assign(customer=rows["deal"].map(place))[["customer", "rep_id"]].dropna().drop_duplicates()
    met = pairs.groupby("customer").size().reindex(deals["customer"]).fillna(0).to_numpy()
    own = pd.MultiIndex.from_frame(deals[["customer", "rep_id"]]).isin(pd.MultiIndex.from_frame(pairs))
    for name, true in (
        ("documented", deals["n_roles"] > 0),
        ("single_line", deals["n_roles"] == 1),
        ("known_to_others", met - own > 0),
        ("met_by_him_only", (met == 1) & own),
    ):
        deals[name] = pd.Series(true, deals.index).astype("int64") if keeps else np.nan
    return deals


def _customer(deals: pd.DataFrame) -> pd.Series:
    """The customer of a deal; a deal without one stands for itself."""
    alone = ("deal " + deals["deal_id"].astype(str)).astype(object)
    return deals["account_id"].astype(object).where(deals["account_id"].notna(), alone)


def _reps(known: Known, deals: pd.DataFrame, *, keeps: bool) -> pd.DataFrame:
    alone = 1 - deals["known_to_others"]
    told = deals.assign(
        amount_single_line=deals["amount"] * deals["single_line"],
        undocumented=1 - deals["documented"],
        amount_undocumented=deals["amount"] * (1 - deals["documented"]),
        alone=alone,
        amount_alone=deals["amount"] * alone,
        expected_alone=deals["expected_amount"] * alone,
    )
    sums = {"single_line": "n_single_line", "undocumented": "n_undocumented", "alone": "n_alone"}
    names = [*sums, "amount", "expected_amount", "amount_single_line", "amount_undocumented"]
    names += ["amount_alone", "expected_alone"]
    grouped = told.groupby("rep_id")
    table = grouped[names].sum(min_count=0 if keeps else 1).rename(columns=sums)
    table.insert(0, "n_open", grouped.size())
    once = told.drop_duplicates(["rep_id", "customer"]).groupby("rep_id")
    table["n_customers"] = once.size()
    table["n_customers_alone"] = once["met_by_him_only"].sum(min_count=0 if keeps else 1)
    facts = known.book.reps.reindex(columns=["rep_id", "name", "team"]).drop_duplicates("rep_id").set_index("rep_id")
    table = table.join(facts)
    table[["name", "team"]] = table[["name", "team"]].astype(object).where(table[["name", "team"]].notna(), None)
    table["share_of_team"] = table["amount"] / table.groupby("team")["amount"].transform("sum")
    table["share_of_all"] = table["amount"] / max(table["amount"].sum(), 1e-300)
    order = table.reset_index().assign(worth=lambda t: -t["expected_alone"].fillna(t["expected_amount"]))
    columns = [
        "rep_id", "name", "team", "n_open", "amount", "expected_amount", "share_of_team", "share_of_all",
        "n_single_line", "amount_single_line", "n_undocumented", "amount_undocumented", "n_customers",
        "n_customers_alone", "n_alone", "amount_alone", "expected_alone",
    ]  # fmt: skip
    return order.sort_values(["worth", "rep_id"], kind="stable", ignore_index=True)[columns]
