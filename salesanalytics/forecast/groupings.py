"""What a forecast can be summed by: owners, teams, managers of every level, regions, customers, attributes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.book.management import lines_of_management
from salesanalytics.timeline.asof_values import groupings, team_is_of_owner, teams_of, values_at

LEVEL = "manager_level_"


def with_groupings(book: DealBook, deals: pd.DataFrame, day: int | np.ndarray) -> pd.DataFrame:
    """Deals with what their forecast can be summed by.

    Owner at the end of a day (one of each deal), team and the attributes of deals; of the owner today ``region``,
    ``manager_id`` and, where managers report to others, ``manager_level_1`` (the top), ``manager_level_2`` and so on;
    of the customer ``industry`` and ``region``. Where deals name no region at all that of the owner counts, else that
    of the customer.
    """
    known = [name for name in ("rep_id", "team", *book.settings.attributes) if name in groupings(book)]
    days = np.full(len(deals), day)
    for name in known:
        if name == "team" and name not in deals and team_is_of_owner(book):
            deals = deals.assign(team=teams_of(book, deals["rep_id"]))
        elif name not in deals:
            found = values_at(book, by=name, deal_ids=deals["deal_id"], days=days)
            deals = deals.assign(**{name: found.to_numpy(dtype=object)})
    if "rep_id" in deals:
        deals = _told_by(deals, deals["rep_id"], book.reps, "rep_id", ("region", "manager_id"))
        deals = _with_levels(deals, book.reps)
    if "account_id" in book.deals:
        account = deals["deal_id"].map(book.deals.set_index("deal_id")["account_id"])
        deals = _told_by(deals, account, book.accounts, "account_id", ("industry", "region"))
    return deals


def _told_by(deals: pd.DataFrame, key: pd.Series, table: pd.DataFrame, by: str, names: tuple[str, ...]) -> pd.DataFrame:
    """Deals with columns of another table that none of them tells itself: one source or the other, never a mixture."""
    for name in names:
        if {by, name} <= set(table) and (name not in deals or deals[name].isna().all()):
            deals = deals.assign(**{name: key.map(table.drop_duplicates(by).set_index(by)[name]).astype(object)})
    return deals


def _with_levels(deals: pd.DataFrame, reps: pd.DataFrame) -> pd.DataFrame:
    """Deals with the managers of their owner from the top down; nothing where no manager has one."""
    lines, _ = lines_of_management(reps)
    depth = max(map(len, lines.values()), default=0)
    if depth < 2:
        return deals
    levels = {
        f"{LEVEL}{k + 1}": deals["rep_id"].map({rep: line[k] for rep, line in lines.items() if len(line) > k})
        for k in range(depth)
    }
    return deals.assign(**{name: level.astype(object) for name, level in levels.items() if name not in deals})
