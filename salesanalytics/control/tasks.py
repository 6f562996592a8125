"""What to do next on every open deal: the work due in the stage that all three clocks support."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control.clocks import clocks_of
from salesanalytics.control.known import Known, know
from salesanalytics.labels import LANGUAGES, label
from salesanalytics.process.model import Named, Stage

KINDS = ("milestone", "condition", "role")
COLUMNS = [
    "deal_id", "name", "rep_id", "stage", "seller_stage", "behind", "kind", "item", "task_zh", "task_en", "owner",
    "why_zh", "why_en", "proof_zh", "proof_en", "tools_zh", "tools_en", "weight", "won_ratio", "won_lower", "won_upper",
    "won_q", "value_at_stake",
]  # fmt: skip


def next_tasks(book: DealBook, *, as_of: Any, effects: pd.DataFrame | None = None) -> pd.DataFrame:
    """What is due on every open deal: milestone, required conditions and roles of its supported stage.

    The supported stage is min(s, b, m + 1) of `deal_clocks`: where our own stage lies beyond it, the work to catch up
    with comes first. Deals on hold have no tasks. A condition counts as open unless it stands done or waived; a role
    as open unless it (or one that does instead) was reached. Nothing is due where the book keeps no such field.

    Parameters
    ----------
    book : DealBook
    as_of : date
    effects : DataFrame, optional
        ``effects`` of `condition_effects` as of the same date: what deals in which a condition was met did better at,
        others held equal. An association, not a cause; it does not change the order.

    Returns
    -------
    DataFrame, one row a task, by value at stake, then deal; in a deal the milestone, then conditions by weight, roles
        ``deal_id``, ``name``, ``rep_id`` (owner of the deal), ``stage`` (the supported one), ``seller_stage``,
        ``behind`` (our stage lies beyond the supported one), ``kind`` (milestone, condition, role), ``item`` (its id;
        roles joined by ``|``), ``task_zh``, ``task_en``, ``owner`` (who does it: sales, manager, ...), ``why_zh``,
        ``why_en``, ``proof_zh``, ``proof_en`` (what proves it), ``tools_zh``, ``tools_en`` (the stage's forms),
        ``weight`` (of a condition); ``won_ratio``, ``won_lower``, ``won_upper`` (odds ratio of winning with the
        condition met, and its interval) and ``won_q`` (false-discovery rate), NaN without ``effects``;
        ``value_at_stake`` (amount of the deal).

    Raises
    ------
    AsOfError
        ``as_of`` lies after the end of the book.
    """
    known = know(book, as_of=as_of)
    where = clocks_of(known).set_index("deal_id")
    supported = known.deals["deal_id"].map(where["supported_rank"])
    active = supported[~known.deals["on_hold"]].dropna().astype(int)
    parts = [_of_stage(known, stage, active.index[active == stage.order]) for stage in book.process.stages]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(parts, ignore_index=True)
    named = {"stage": "seller_stage", "amount": "value_at_stake"}
    facts = known.deals[["deal_id", "name", "rep_id", "s", *named]].rename(columns=named)
    table = table.join(facts.loc[table["deal"]].set_axis(table.index))
    table["behind"] = table["s"] > table["rank"]
    table = _with_effects(_with_reason(table), effects)
    table["worth"] = -table["value_at_stake"].fillna(0)
    table["order"] = table["kind"].map({kind: k for k, kind in enumerate(KINDS)})
    table["lightness"] = -table["weight"].fillna(0)
    order = ["worth", "deal_id", "order", "lightness", "item"]
    return table.sort_values(order, kind="stable", ignore_index=True)[COLUMNS]


def _with_effects(table: pd.DataFrame, effects: pd.DataFrame | None) -> pd.DataFrame:
    """The measured association of each condition with winning."""
    names = {"ratio": "won_ratio", "lower": "won_lower", "upper": "won_upper", "q": "won_q"}
    if effects is None:
        return table.assign(**dict.fromkeys(names.values(), np.nan))
    of_won = effects[effects["measure"].eq("won")].set_index("condition")[list(names)]
    found = of_won.reindex(table["item"]).set_axis(table.index).rename(columns=names)
    return table.join(found.where(table["kind"].eq("condition")))


def week_sheet(tasks: pd.DataFrame, *, rep_id: str, most: int = 20) -> pd.DataFrame:
    """The first tasks of a rep for the week: at most three a deal, so that one deal does not fill the sheet.

    Parameters
    ----------
    tasks : DataFrame
        From `next_tasks`.
    rep_id : str
    most : int
        Rows at most.

    Returns
    -------
    DataFrame
        Rows of ``tasks`` in their order.
    """
    own = tasks[tasks["rep_id"] == rep_id]
    return own[own.groupby("deal_id").cumcount() < 3].head(most).reset_index(drop=True)


def _of_stage(known: Known, stage: Stage, deals: pd.Index) -> pd.DataFrame:
    """Open tasks of the deals whose supported stage is this one."""
    parts = [*_milestones(known, stage, deals), *_conditions(known, stage, deals), *_roles(known, stage, deals)]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    tools = {f"tools_{lang}": _listed(stage.tools, lang) for lang in LANGUAGES}
    return table.assign(stage=stage.id, rank=stage.order, **tools) if len(table) else table


def _rows(
    deals: pd.Index, kind: str, item: str, texts: dict[str, str], *, owner: str = "sales", weight: float = np.nan
) -> pd.DataFrame:
    return pd.DataFrame({"deal": deals, "kind": kind, "item": item, "owner": owner, "weight": weight, **texts})


def _milestones(known: Known, stage: Stage, deals: pd.Index) -> list[pd.DataFrame]:
    milestone = stage.milestone
    if milestone is None or "milestone" not in known.fields.index:
        return []
    due = deals[known.milestone_days.loc[deals, stage.order].isna()]
    return [_rows(due, "milestone", milestone.id, _words(milestone))]


def _conditions(known: Known, stage: Stage, deals: pd.Index) -> list[pd.DataFrame]:
    if "condition" not in known.fields.index:
        return []
    parts = []
    for c in stage.conditions:
        if c.required:
            is_due = known.closed_days.loc[deals, c.id].isna() & known.applies.loc[deals, c.id]
            parts.append(_rows(deals[is_due], "condition", c.id, _words(c), owner=c.owner, weight=c.weight))
    return parts


def _roles(known: Known, stage: Stage, deals: pd.Index) -> list[pd.DataFrame]:
    if "contact" not in known.fields.index:
        return []
    rows, parts = known.rows("contact"), []
    for roles in stage.roles_reached_by_exit:
        met = rows.loc[rows["value"].isin(roles), "deal"]
        texts: dict[str, str] = {}
        for lang in LANGUAGES:
            names = label("task_or", lang).join(known.process.label(role, lang) for role in roles)
            texts |= {f"task_{lang}": label("task_reach", lang, roles=names), f"proof_{lang}": ""}
        parts.append(_rows(deals[~deals.isin(met)], "role", "|".join(roles), texts))
    return parts


def _words(item: Any) -> dict[str, str]:
    """Name and proof of a milestone or condition in both languages."""
    texts = {f"task_{lang}": getattr(item.name, lang) for lang in LANGUAGES}
    return texts | {f"proof_{lang}": getattr(item.evidence.text, lang) if item.evidence else "" for lang in LANGUAGES}


def _listed(tools: tuple[Named, ...], lang: str) -> str:
    return label("list_comma", lang).join(getattr(tool.name, lang) for tool in tools)


def _with_reason(table: pd.DataFrame) -> pd.DataFrame:
    """Why each task is due: by its kind, and where our own stage runs ahead of what is supported."""
    key = pd.MultiIndex.from_frame(table[["kind", "stage", "seller_stage", "behind"]])
    for lang in LANGUAGES:
        said = {k: _reason(*k, lang=lang) for k in key.unique()}
        table[f"why_{lang}"] = [said[k] for k in key]
    return table


def _reason(kind: str, stage: str, seller_stage: str, behind: bool, *, lang: str) -> str:  # noqa: FBT001
    why = label(f"task_{kind}", lang, stage=stage)
    space = " " if lang == "en" else ""
    return why + space + label("task_behind", lang, s=seller_stage, stage=stage) if behind else why
