"""From facts to the columns of a model: what enters, in which unit, against what, and what has to stay out and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from salesanalytics.errors import InsufficientDataError

SIGNINGS_PER_COLUMN = 10
KNOWN_SHARE = 0.5
UNKNOWN, OTHER = "unknown", "other"
NEW_SHARE = 0.1  # of the variance of a column that the earlier ones must leave (variance inflation at most 10)
NOTHING = 1e-12  # what rounding leaves of the variance of a column that does not vary within the strata


@dataclass(frozen=True)
class Covariate:
    """A fact that may enter a model of time to signing.

    Attributes
    ----------
    name : str
        Column of the rows.
    kind : str
        ``number`` and ``share`` enter per ``step``; ``doubling`` as log2, ``doubling_days`` as log2 of 1 + days;
        ``yes_no`` holds 0 and 1; ``category`` enters by levels.
    step : float
    """

    name: str
    kind: Literal["number", "share", "doubling", "doubling_days", "yes_no", "category"]
    step: float = 1.0


@dataclass(frozen=True)
class Design:
    """The columns of a model and what they are.

    Attributes
    ----------
    x : DataFrame, shape (n_rows, n_columns)
        Columns are numbered from 0, as the first rows of ``terms``.
    terms : DataFrame, one row a column, then one row a covariate that stayed out
        ``effect``, ``level``, ``reference``, ``n_deals``, ``n_signings``, ``left_out`` (None, or the reason).
    """

    x: pd.DataFrame
    terms: pd.DataFrame


class _LeftOut(Exception):  # noqa: N818 - it says why a covariate stays out, and never leaves this file
    """Reason for which a covariate cannot enter."""


def build_design(rows: pd.DataFrame, covariates: Sequence[Covariate], *, stratum: Any) -> Design:
    """Columns for as many covariates, in the order given, as the signings can carry: ten for each column.

    A missing number gets the median of the others; a covariate known in less than half of the rows stays out. A level,
    and a yes, needs ten signings with it and ten without; smaller levels are put together as ``other``, and if that is
    too small as well they join the reference, which is the level with the most signings.

    Parameters
    ----------
    rows : DataFrame
        ``deal_id``, ``signed`` and the covariates.
    covariates : sequence of Covariate
        The most wanted ones first.
    stratum : array, shape (n_rows,)
        A covariate stays out if a column of it does not vary within the strata, or if earlier columns explain more
        than nine tenths of its variance there.

    Raises
    ------
    InsufficientDataError
        There are not even signings for one column, or no covariate can enter.

    References
    ----------
    Peduzzi, Concato, Feinstein & Holford (1995), J. Clin. Epidemiol. 48, 1503-1510 (ten events per variable).
    """
    n_signings = int(rows["signed"].sum())
    if n_signings < SIGNINGS_PER_COLUMN:
        raise InsufficientDataError(
            f"A model of time to signing needs {SIGNINGS_PER_COLUMN} signings for each covariate; under observation "
            f"there are {n_signings}, of {rows['deal_id'].nunique()} deals."
        )
    kept = np.empty((len(rows), 0))
    terms, left_out = [], []
    for covariate in covariates:
        try:
            columns = _columns(rows, covariate)
            values = np.column_stack([values for values, _ in columns])
            _check_room(kept, values, room=n_signings // SIGNINGS_PER_COLUMN, stratum=stratum)
        except _LeftOut as reason:
            counts = _story(rows, rows[covariate.name].notna().to_numpy(), None, None)
            left_out.append({"effect": covariate.name, "left_out": str(reason), **counts})
        else:
            kept = np.column_stack([kept, values])
            terms += [{"effect": covariate.name, **told} for _, told in columns]
    if not terms:
        told = ", ".join(f"{one['effect']} ({one['left_out']})" for one in left_out)
        raise InsufficientDataError(f"No covariate can enter the model of time to signing: {told}.")
    names = ["effect", "level", "reference", "n_deals", "n_signings", "left_out"]
    table = pd.DataFrame([*terms, *left_out], columns=names)
    words = table[["level", "reference", "left_out"]].astype(object)
    return Design(pd.DataFrame(kept), table.assign(**words.where(words.notna(), None)))


def _columns(rows: pd.DataFrame, covariate: Covariate) -> list[tuple[np.ndarray, dict[str, Any]]]:
    """Values and story of each column of a covariate."""
    values = rows[covariate.name]
    known = values.notna()
    if not known.any():
        raise _LeftOut("not_recorded")
    if values[known].nunique() < 2 and (known.all() or covariate.kind != "category"):
        raise _LeftOut("constant")
    if covariate.kind == "category":
        return _levels(rows, values.astype(object).where(known, UNKNOWN).astype(str))
    if known.mean() < KNOWN_SHARE:
        raise _LeftOut("mostly_missing")
    if covariate.kind == "yes_no":
        filled = values.fillna(float(values.median() > 0.5)).map({1.0: "yes", 0.0: "no"})
        return _levels(rows, filled, reference="no")
    number, level = _in_steps(values.astype(float), covariate)
    told = _story(rows, known.to_numpy(), level, None)
    return [(number.fillna(number.median()).to_numpy(), told)]


def _in_steps(values: pd.Series, covariate: Covariate) -> tuple[pd.Series, str]:
    """Values in units of the change that the ratio is for, and the words for that change."""
    if covariate.kind == "doubling":
        return np.log2(values.where(values > 0)), "×2"
    if covariate.kind == "doubling_days":
        return np.log2(1 + values), "×2"
    change = f"+{100 * covariate.step:g} %" if covariate.kind == "share" else f"+{covariate.step:g}"
    return values / covariate.step, change


def _levels(
    rows: pd.DataFrame, values: pd.Series, reference: str | None = None
) -> list[tuple[np.ndarray, dict[str, Any]]]:
    """One column for each level that has ten signings with and ten without it, against the reference."""
    counts = values[rows["signed"]].value_counts()
    counts = counts.sort_index().sort_values(ascending=False, kind="stable")
    base = reference if reference is not None else str(counts.index[0])
    small = [v for v in values.unique() if v != base and counts.get(v, 0) < SIGNINGS_PER_COLUMN]
    values = values.where(~values.isin(small), OTHER)
    wanted = sorted(set(values) - {base})
    signed = {level: int((values.eq(level) & rows["signed"]).sum()) for level in (base, *wanted)}
    wanted = [level for level in wanted if signed[level] >= SIGNINGS_PER_COLUMN]
    if not wanted or signed[base] < SIGNINGS_PER_COLUMN:
        raise _LeftOut("too_few_signings")
    return [
        (values.eq(level).to_numpy(float), _story(rows, values.eq(level).to_numpy(), level, base)) for level in wanted
    ]


def _story(rows: pd.DataFrame, chosen: np.ndarray, level: str | None, reference: str | None) -> dict[str, Any]:
    return {
        "level": level,
        "reference": reference,
        "n_deals": rows["deal_id"][chosen].nunique(),
        "n_signings": int(rows["signed"][chosen].sum()),
    }


def _check_room(kept: np.ndarray, values: np.ndarray, *, room: int, stratum: Any) -> None:
    if kept.shape[1] + values.shape[1] > room:
        raise _LeftOut("too_few_signings")
    strata = pd.factorize(np.asarray(stratum))[0]
    both = np.column_stack([kept, values])
    within = both - pd.DataFrame(both).groupby(strata).transform("mean").to_numpy()
    size = (within**2).sum(axis=0)[kept.shape[1] :]
    left = np.diag(np.linalg.qr(within, mode="r"))[kept.shape[1] :] ** 2
    overall = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    if (size <= NOTHING * overall).any() or (left < NEW_SHARE * size).any():
        raise _LeftOut("repeats_others")
