"""Rules N and C: budget, compelling event, and the people at the customer.

A contact row says that a role was reached, a two-way contact; ``who`` names the person (or again the role).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from salesanalytics.control.hits import either, flag
from salesanalytics.control.known import Known, roles_reached

Params = Mapping[str, Any]
KEY_ROLES = ("DM", "PURCH", "COACH")
OMITTED = "omitted"


def condition_id(known: Known, key: str) -> str | None:
    """Id of the condition with a key, None where the process has none."""
    ids = {c.key: c.id for stage in known.process.stages for c in stage.conditions}
    return ids.get(key)


def closed_day(known: Known, key: str) -> pd.Series | None:
    """Day on which a condition was done or waived, by open deal; None where the process has no such condition."""
    found = condition_id(known, key)
    return None if found is None else known.closed_days[found]


def reached_day(known: Known, role: str) -> pd.Series:
    """First day on which a role was reached, by open deal; NaN: never."""
    rows = known.rows("contact")
    return known.first_day(rows[rows["value"].eq(role)])


def with_role(known: Known, rows: pd.DataFrame, role: str) -> pd.Series:
    """Whether ``who`` of each row is a role, or a person who was noted as it on the deal."""
    noted = known.rows("contact")
    people = noted.loc[noted["value"].eq(role) & noted["who"].notna(), ["deal", "who"]]
    is_noted = pd.MultiIndex.from_frame(rows[["deal", "who"]]).isin(pd.MultiIndex.from_frame(people))
    return rows["who"].eq(role) | is_noted


def names_people(known: Known) -> pd.Series:
    """Whether any activity on each open deal says with whom it was."""
    rows = known.rows("activity")
    return pd.Series(known.deals.index.isin(rows.loc[rows["who"].notna(), "deal"]), known.deals.index)


def budget_gap(known: Known, params: Params) -> pd.DataFrame:
    """N01. No budget is known at s >= stage, or the amount exceeds it by more than pct."""
    budget = known.last("budget", "number")
    amount = known.deals["amount"]
    said = known.last_day(known.rows("budget"))
    unknown = budget.isna() & (known.deals["s"] >= params["stage"])
    return either(
        flag(known, unknown, since=known.deals["entered_day"], s=known.deals["s"]),
        flag(known, amount > budget * (1 + params["pct"]), since=said, text="_over", amount=amount, budget=budget),
    )


def no_compelling_event(known: Known, params: Params) -> pd.DataFrame:
    """N02. The condition ``compelling_event`` stands open at s >= stage while the deal is in the forecast: its category
    is any but omitted; of a deal without a category, it has an expected signing date.
    """
    closed = closed_day(known, "compelling_event")
    if closed is None:
        return flag(known, known.b.isna() & known.b.notna(), since=0)
    has_category, has_date = ("category" in known.fields.index), ("close_date" in known.fields.index)
    category = known.last("category") if has_category else pd.Series(None, known.deals.index, dtype=object)
    dated = known.last("close_date", "value_day").notna() if has_date else category.notna()
    forecast = category.str.lower().ne(OMITTED).where(category.notna(), dated).astype(bool)
    where = closed.isna() & (known.deals["s"] >= params["stage"]) & forecast
    return flag(known, where, since=known.deals["entered_day"], s=known.deals["s"])


def single_threaded(known: Known, params: Params) -> pd.DataFrame:
    """C01. Fewer than ``roles`` distinct roles reached at s >= 5; or at s >= 3 no more than one person seen in the last
    window_days (asked only of deals whose activities say with whom they were, and not of deals on hold).
    """
    contacts, activities = roles_reached(known.rows("contact")), known.rows("activity")
    roles = known.on_deals(contacts.groupby("deal")["value"].nunique(), 0)
    rows = pd.concat([contacts, activities])
    recent = rows[(rows["day"] > known.day - params["window_days"]) & rows["who"].notna()]
    people = known.on_deals(recent.groupby("deal")["who"].nunique(), 0)
    s, since = known.deals["s"], known.deals["entered_day"]
    alone = (people <= 1) & (s >= 3) & names_people(known) & ~known.deals["on_hold"]
    return either(
        flag(known, (roles < params["roles"]) & (s >= 5), since=since, n=roles, s=s),
        flag(known, alone, since=since, text="_window", n=people, window=params["window_days"], s=s),
    )


def due_role_missing(known: Known, params: Params) -> pd.DataFrame:
    """C02. A role (or each of the roles of which one is enough) that the stage before s should have reached was not."""
    parts = []
    rows = known.rows("contact")
    reached = {role: set(part["deal"]) for role, part in rows.groupby("value")}
    for stage in known.process.stages:
        here = known.deals.index[known.deals["s"] == stage.order + 1]
        for either_role in stage.roles_reached_by_exit:
            met = set().union(*(reached.get(role, set()) for role in either_role))
            parts.append(pd.DataFrame({"deal": here.difference(list(met)), "role": "/".join(either_role)}))
    table = pd.concat(parts) if parts else pd.DataFrame({"deal": [], "role": []})
    missing = known.on_deals(table.groupby("deal")["role"].agg(", ".join))
    return flag(known, missing.notna(), since=known.deals["entered_day"], items=missing, s=known.deals["s"] - 1)


def quoted_too_early(known: Known, params: Params) -> pd.DataFrame:
    """C03. The first quote is dated before the first contact with the decision maker (DM), or there was none."""
    quoted, met = known.first_day(known.rows("quote")), reached_day(known, "DM")
    return either(
        flag(known, quoted < met, since=quoted, days=met - quoted),
        flag(known, quoted.notna() & met.isna(), since=quoted, text="_never"),
    )


def no_coach(known: Known, params: Params) -> pd.DataFrame:
    """C04. At s >= stage no coach was reached, or the condition ``coach_tested`` stands open (where the book keeps
    conditions); or the coach was not heard of for more than days (asked only where activities say with whom they were).
    """
    s, met = known.deals["s"], reached_day(known, "COACH")
    late = s >= params["stage"]
    tested = closed_day(known, "coach_tested") if "condition" in known.fields.index else None
    untested = late & met.notna() & (tested.isna() if tested is not None else False)
    contacts, activities, stances = roles_reached(known.rows("contact")), known.rows("activity"), known.rows("stance")
    parts = [contacts[contacts["value"].eq("COACH")], stances[stances["value"].str.startswith("COACH:", na=False)]]
    heard = known.last_day(pd.concat([*parts, activities[with_role(known, activities, "COACH")]]))
    days = known.days_since(heard)
    since = known.deals["entered_day"]
    return either(
        flag(known, late & met.isna(), since=since, s=s),
        flag(known, untested, since=since, text="_untested", s=s),
        flag(known, late & names_people(known) & (days > params["days"]), since=heard, text="_silent", days=days),
    )


def key_person_against(known: Known, params: Params) -> pd.DataFrame:
    """C05. The last stance of DM or TECH is -1 or worse, and no next step with that person lies ahead."""
    parts = known.rows("stance")["value"].str.split(":", n=1)
    rows = known.rows("stance").assign(role=parts.str[0], score=pd.to_numeric(parts.str[1], errors="coerce"))
    last = rows[rows["role"].isin(["DM", "TECH"])].drop_duplicates(["deal", "role"], keep="last")
    against = last[last["score"] <= -1]
    steps = known.rows("next_step")
    ahead = steps[steps["value_day"] >= known.day]
    with_them = [ahead.loc[with_role(known, ahead, role), ["deal"]].assign(role=role) for role in ("DM", "TECH")]
    planned = pd.MultiIndex.from_frame(pd.concat(with_them))
    against = against[~pd.MultiIndex.from_frame(against[["deal", "role"]]).isin(planned)]
    grouped = against.sort_values(["deal", "role"]).groupby("deal")
    roles = known.on_deals(grouped["role"].agg(", ".join))
    worst = known.on_deals(grouped["score"].min())
    return flag(known, roles.notna(), since=known.first_day(against), items=roles, score=worst)


def proposal_before_needs(known: Known, params: Params) -> pd.DataFrame:
    """C06. The condition ``draft_delivered`` was done before ``needs_discovered``, or without it."""
    draft, needs = closed_day(known, "draft_delivered"), closed_day(known, "needs_discovered")
    if draft is None or needs is None:
        return flag(known, known.b.isna() & known.b.notna(), since=0)
    return flag(known, (draft < needs) | (draft.notna() & needs.isna()), since=draft)


def key_contact_changed(known: Known, params: Params) -> pd.DataFrame:
    """C07. In the last days another person than before was noted as DM, PURCH or COACH (``who`` of the contact rows
    differs), or the role was noted as ``left`` (``DM:left``).
    """
    parts = known.rows("contact")["value"].str.split(":", n=1)
    rows = known.rows("contact").assign(role=parts.str[0], word=parts.str[1])
    rows = rows[rows["role"].isin(KEY_ROLES)]
    before = rows.groupby(["deal", "role"])["who"].shift()
    changed = (rows["who"].notna() & before.notna() & rows["who"].ne(before)) | rows["word"].eq("left")
    recent = rows[changed & (rows["day"] > known.day - params["days"])]
    last = known.on_deals(recent.groupby("deal")[["role", "day"]].last())
    return flag(known, last["role"].notna(), since=last["day"], items=last["role"])
