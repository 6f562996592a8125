"""What we know of a customer: its deals, the people we reached there, and who of us reached them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control.known import Known, know, roles_reached
from salesanalytics.errors import SchemaError
from salesanalytics.labels import label
from salesanalytics.timeline.calendar import to_date, to_timestamps
from salesanalytics.timeline.openings import owned_on, owner_spells

VANISHED = "vanished"
CONTACT_COLUMNS = [
    "account_id",
    "role",
    "who",
    "n",
    "n_deals",
    "first_on",
    "last_on",
    "reached_by",
    "stance",
    "stance_on",
]
DEAL_COLUMNS = ["account_id", "deal_id", "name", "product", "rep_id", "created_on", "state", "ended_on", "amount"]
CUSTOMER_COLUMNS = [
    "account_id", "name", "industry", "region", "n_deals", "n_won", "n_lost", "n_open", "n_vanished", "amount_won",
    "amount_open", "first_signed_on", "last_signed_on", "last_activity_on", "n_roles", "last_contact_on",
]  # fmt: skip


@dataclass(frozen=True)
class CustomerSheet:
    """Customers as of a date.

    Attributes
    ----------
    customers, contacts, deals : DataFrame
        One row a customer; a customer, role and person; a deal. See `customer_sheet`.
    left_out : str or None
        ``no_accounts`` (the book keeps no ``account_id``), ``no_contacts`` (it keeps no contacts); else None.
    """

    customers: pd.DataFrame
    contacts: pd.DataFrame
    deals: pd.DataFrame
    left_out: str | None

    def why(self, lang: str = "en") -> str:
        """What is missing, in ``en`` or ``zh``; empty where nothing is."""
        return label(f"customers_{self.left_out}", lang) if self.left_out else ""


def customer_sheet(book: DealBook, *, as_of: Any, account_id: str | None = None) -> CustomerSheet:
    """Customers with what was signed, lost and stands open, the people reached by role, and the history of deals.

    Parameters
    ----------
    book : DealBook
    as_of : date
    account_id : str, optional
        One customer; default all with a known deal.

    Returns
    -------
    CustomerSheet
        ``customers``, by value signed: ``account_id``, ``name``, ``industry``, ``region`` (of ``accounts``),
        ``n_deals``, ``n_won``, ``n_lost`` (every other end), ``n_open``, ``n_vanished`` (no longer seen, no known end),
        ``amount_won``, ``amount_open``, ``first_signed_on``, ``last_signed_on``, ``last_activity_on``, ``n_roles``
        reached, ``last_contact_on``.

        ``contacts``, by customer and last day: ``account_id``, ``role``, ``who`` (person; None where the book names
        only the role), ``n`` rows, ``n_deals``, ``first_on``, ``last_on``, ``reached_by`` (owners of the deals on
        those days, in order of name), ``stance`` (the last word on the role, -2..2), ``stance_on``.

        ``deals``, by customer and date: ``account_id``, ``deal_id``, ``name``, ``product``, ``rep_id``,
        ``created_on``, ``state`` (``vanished``: no longer seen), ``ended_on`` (NaT: no known end), ``amount``.

    Raises
    ------
    SchemaError
        No known deal belongs to ``account_id``.
    AsOfError
        ``as_of`` lies after the end of the book.
    """
    known = know(book, as_of=as_of)
    deals = all_deals(known)
    left_out = None if deals["account_id"].notna().any() else "no_accounts"
    deals = deals[deals["account_id"].notna()]
    if account_id is not None:
        deals = deals[deals["account_id"].eq(account_id)]
        if deals.empty:
            raise SchemaError(f"account_id must be that of a deal known on {as_of}, got {account_id!r}.")
    rows = contact_rows(known)
    rows = rows[rows["deal"].isin(deals.index)]
    if left_out is None and "contact" not in known.fields.index:
        left_out = "no_contacts"
    contacts = _contacts(known, rows, deals)
    customers = _customers(known, deals, contacts)
    history = deals.sort_values(["account_id", "created_on", "deal_id"], ignore_index=True)[DEAL_COLUMNS]
    return CustomerSheet(customers, contacts, history, left_out)


def all_deals(known: Known) -> pd.DataFrame:
    """Known deals, open, ended and vanished, by position: facts, ``rep_id``, ``amount``, ``state``, opening and end."""
    parts = [
        known.deals.assign(end_day=float("nan")),
        known.ended.rename(columns={"end": "state"}),
        known.vanished.assign(state=VANISHED, end_day=float("nan")),
    ]
    columns = ["deal_id", "name", "account_id", "product", "rep_id", "amount", "created_day", "state", "end_day"]
    table = pd.concat([part[columns] for part in parts if len(part)] or [parts[0][columns]])
    return table.assign(created_on=to_timestamps(table["created_day"]), ended_on=to_timestamps(table["end_day"]))


def contact_rows(known: Known) -> pd.DataFrame:
    """Contacts known at the date: ``deal``, ``role``, ``who``, ``day``, ``rep_id`` (owner of the deal on that day)."""
    rows = roles_reached(known.all_rows("contact"))[["deal", "day", "value", "who"]].rename(columns={"value": "role"})
    rows["who"] = rows["who"].astype(object).where(rows["who"].notna() & rows["who"].ne(rows["role"]), None)
    owners = owner_spells(known.book, as_of=to_date(known.day))
    ids = known.book.deals["deal_id"].to_numpy()[rows["deal"].to_numpy(dtype=int)]
    return rows.assign(rep_id=owned_on(owners, ids, rows["day"]))


def _contacts(known: Known, rows: pd.DataFrame, deals: pd.DataFrame) -> pd.DataFrame:
    rows = rows.join(deals["account_id"], on="deal")
    grouped = rows.groupby(["account_id", "role", "who"], dropna=False, as_index=False)
    table = grouped.agg(n=("day", "size"), n_deals=("deal", "nunique"), first=("day", "min"), last=("day", "max"))
    pairs = rows.drop_duplicates(["account_id", "role", "who", "rep_id"]).dropna(subset=["rep_id"])
    pairs = pairs.sort_values("rep_id").groupby(["account_id", "role", "who"], dropna=False)["rep_id"]
    reached = pairs.agg(", ".join).rename("reached_by").reset_index()
    said = known.all_rows("stance")[["deal", "day", "value"]].join(deals["account_id"], on="deal", how="inner")
    parts = said["value"].str.partition(":")
    said = said.assign(role=parts.get(0), stance=pd.to_numeric(parts.get(2))).sort_values("day", kind="stable")
    last = said.drop_duplicates(["account_id", "role"], keep="last").rename(columns={"day": "said"})
    if len(table):
        table = table.merge(reached, how="left", on=["account_id", "role", "who"])
        table = table.merge(last[["account_id", "role", "stance", "said"]], how="left", on=["account_id", "role"])
    table = table.reindex(
        columns=["account_id", "role", "who", "n", "n_deals", "first", "last", "reached_by", "stance", "said"]
    )
    for name, day in (("first_on", "first"), ("last_on", "last"), ("stance_on", "said")):
        table[name] = to_timestamps(table[day].astype(float))
    table["who"] = table["who"].astype(object).where(table["who"].notna(), None)
    order = table.assign(recent=-table["last"].astype(float)).sort_values(
        ["account_id", "recent", "role"], kind="stable"
    )
    return order[CONTACT_COLUMNS].reset_index(drop=True)


def _customers(known: Known, deals: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    won, gone = deals["state"].eq("won"), deals["state"].eq(VANISHED)
    still = deals["ended_on"].isna() & ~gone
    told = deals.assign(
        won=won, lost=~won & ~still & ~gone, open=still, gone=gone,
        amount_won=deals["amount"].where(won), amount_open=deals["amount"].where(still),
        signed_on=deals["ended_on"].where(won),
    )  # fmt: skip
    active = to_timestamps(known.all_rows("activity").groupby("deal")["day"].max().reindex(told.index).astype(float))
    grouped = told.assign(active_on=active).groupby("account_id")
    table = grouped.agg(
        n_deals=("deal_id", "size"), n_won=("won", "sum"), n_lost=("lost", "sum"), n_open=("open", "sum"),
        n_vanished=("gone", "sum"),
        amount_won=("amount_won", "sum"), amount_open=("amount_open", "sum"), first_signed_on=("signed_on", "min"),
        last_signed_on=("signed_on", "max"), last_activity_on=("active_on", "max"),
    )  # fmt: skip
    table["n_roles"] = contacts.groupby("account_id")["role"].nunique().reindex(table.index)
    if "contact" in known.fields.index:
        table["n_roles"] = table["n_roles"].fillna(0).astype("int64")
    table["last_contact_on"] = contacts.groupby("account_id")["last_on"].max().reindex(table.index)
    facts = known.book.accounts.reindex(columns=["account_id", "name", "industry", "region"]).astype(object)
    table = table.reset_index().merge(facts.drop_duplicates("account_id"), on="account_id", how="left")
    order = table.assign(worth=-table["amount_won"]).sort_values(["worth", "account_id"], kind="stable")
    return order[CUSTOMER_COLUMNS].reset_index(drop=True)
