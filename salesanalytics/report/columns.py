"""Columns of a table for a person: numbers with the decimals they need, ids with their names, groups in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pandas as pd

from salesanalytics.forecast.groupings import LEVEL
from salesanalytics.labels import decimals, label, percent, rounded, signed
from salesanalytics.process import Process

GROUPINGS = {key: key for key in ("rep_id", "team", "manager_id", "stage", "state", "competitor", "category")}
GROUPINGS |= {key: f"effect_{key}" for key in ("product", "region", "source", "route", "deal_class")}
GROUPINGS |= {"month": "kind_month"}


def numbers(values: pd.Series) -> pd.Series:
    """A column with as many decimals as its largest number asks for, none where all are whole; only nothing reads 0.

    Examples
    --------
    >>> numbers(pd.Series([17.0, 8.26, 0.01, 0.0, float("nan")])).tolist()
    ['17.0', '8.3', '<0.1', '0', '–']
    """
    values = values.astype(float)
    digits = places(values)
    return values.map(lambda value: rounded(value, digits))


def differences(values: pd.Series) -> list[str]:
    """As `numbers`, each with its sign; what rounds to nothing reads 0.

    Examples
    --------
    >>> differences(pd.Series([0.79, -0.12, -0.001, 0.0])), differences(pd.Series([-1.02, 0.2]))
    (['+0.79', '−0.12', '0', '0'], ['−1.0', '+0.2'])
    """
    digits = places(values)
    return [signed(value, digits) for value in values]


def places(values: pd.Series) -> int:
    """Decimals of a column: as many as its largest number asks for, none where all are whole."""
    return 0 if (values.dropna() % 1 == 0).all() else decimals(values.abs().max())


def intervals(lower: pd.Series, upper: pd.Series, digits: int = 0) -> list[str]:
    """Intervals of chances; only what is certain reads 0 or 100.

    Examples
    --------
    >>> intervals(pd.Series([0.004, 0.0, float("nan")]), pd.Series([0.999, 0.456, float("nan")]))
    ['<1 – >99 %', '0 – 46 %', '–']
    """
    limits = zip(lower, upper, strict=True)
    return [
        f"{percent(low, digits).removesuffix(' %')} – {percent(high, digits)}" if low == low else "–"
        for low, high in limits
    ]


def id_and_name(identity: str, name: str | None, *, between: str = " ") -> str:
    """What has an id and a name, as a person knows it; once where both are one word, or there is no name."""
    return identity if not isinstance(name, str) or name == identity else f"{identity}{between}{name}"


def rep_texts(names: Mapping[str, str]) -> dict[str, str]:
    """Reps as a person knows them, by id: the id and the name."""
    return {rep: id_and_name(rep, name) for rep, name in names.items()}


def with_names(ids: pd.Series, names: Mapping[str, str], *, nobody: str = "–") -> pd.Series:
    """A column of ids (of reps, of deals) for a person, with their names; nobody where there is none."""
    return ids.where(ids.notna(), nobody).astype(str).map(lambda one: id_and_name(one, names.get(one)))


def state_namer(process: Process, lang: str) -> Callable[[str], str]:
    """Makes of a stage its id and its name, of a pause or an end its name."""
    stages = set(process.stage_ids)
    names = {state: process.label(state, lang) for state in stages}
    return lambda state: (
        id_and_name(state, names[state], between=" · ") if state in stages else process.label(state, lang)
    )


def group_head(by: str, lang: str) -> str:
    """What deals are grouped by, in words; an attribute that is not one of the contract's keeps its own name."""
    level = re.fullmatch(rf"{LEVEL}(\d+)", by)
    if level:
        return label("manager_level", lang, n=level[1])
    return label(GROUPINGS[by], lang) if by in GROUPINGS else by


def group_names(groups: pd.Series, process: Process, rep_names: Mapping[str, str], lang: str) -> list[str]:
    """Groups for a person: reps, stages, routes and classes with their names; of no group; signed; to come."""
    known = {"missing": label("missing_group", lang), "to come": label("not_by_deal", lang)}
    if groups.name in ("rep_id", "manager_id") or str(groups.name).startswith(LEVEL):
        known |= rep_texts(rep_names)
    elif groups.name in ("stage", "state"):
        states = (*process.stage_ids, *process.pause_state_ids, *process.end_state_ids)
        known |= {state: state_namer(process, lang)(state) for state in states}
        known["signed"] = label("signed_so_far", lang)
    elif groups.name in ("route", "deal_class"):
        named = (*process.procurement_routes, *process.transition_policy.fast_track_classes)
        known |= {item.id: process.label(item.id, lang) for item in named}
    return [known.get(str(name), str(name)) for name in groups]
