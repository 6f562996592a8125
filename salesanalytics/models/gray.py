"""Gray's test: do groups of deals sign equally often and equally soon, when the other ends compete?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from salesanalytics.errors import SchemaError
from salesanalytics.models.incidence import OPEN


@dataclass(frozen=True)
class GrayTest:
    """Result of `gray_test`.

    Attributes
    ----------
    statistic : float
        Chi-squared under the hypothesis that the incidence is the same in all groups; NaN where nothing can be said.
    df : int
        Degrees of freedom: groups that can differ, less one.
    p_value : float
        Chance of a statistic as large as this if the groups are alike.
    """

    statistic: float
    df: int
    p_value: float


def gray_test(duration_days: Any, end: Any, group: Any, *, cause: str = "won", entry_days: Any = None) -> GrayTest:
    """Gray's k-sample test: is the cumulative incidence of one end the same in all groups?

    The other ends compete, open deals are censored. Tied days are handled as the R function ``cmprsk::cuminc``
    handles them, whose figures this equals. Late entry (`entry_days`) goes beyond it: a deal counts among those at
    risk only from the day on which it came under observation.

    Parameters
    ----------
    duration_days : array of int, shape (n_deals,), days, >= 0
        Days from the start of the clock to the end, or to the last observation.
    end : array of text, shape (n_deals,)
        ``"open"`` is censored; any other value names the end reached.
    group : array, shape (n_deals,)
        What to compare; deals without a value (None, NaN) are left out.
    cause : str
        The end whose incidence is compared.
    entry_days : array of int, shape (n_deals,), optional
        Day on which each deal came under observation.

    Returns
    -------
    GrayTest
        Where so few deals are left that the variance has no inverse (R says nothing then), ``df`` is its rank.

    Raises
    ------
    SchemaError
        The arrays differ in length, a duration or entry is negative or missing, or an end is missing.

    References
    ----------
    Gray (1988), Annals of Statistics 16, 1141-1154.

    Examples
    --------
    >>> test = gray_test([3, 5, 8, 2, 9, 9], ["won", "won", "lost", "lost", "won", "open"], list("aaabbb"))
    >>> round(test.statistic, 4), test.df
    (2.195, 1)
    """
    table = _table(duration_days, end, group, entry_days)
    code = pd.factorize(table["group"], sort=False)[0]
    n_groups = int(code.max(initial=-1)) + 1
    ended = table["end"].ne(OPEN).to_numpy()
    days = np.unique(table.loc[ended, "duration"])
    if n_groups < 2 or not table["end"].eq(cause).any():
        return GrayTest(np.nan, max(n_groups - 1, 0), np.nan)
    position = np.searchsorted(days, table["duration"])
    chosen = table["end"].eq(cause).to_numpy()
    won, other = (_counts(position[rows], code[rows], (len(days), n_groups)) for rows in (chosen, ended & ~chosen))
    score, variance = _score_and_variance(won, other, _at_risk(table, code, days, n_groups))
    df = int(np.linalg.matrix_rank(variance, hermitian=True))
    statistic = float(score @ np.linalg.pinv(variance, hermitian=True) @ score) if df else np.nan
    return GrayTest(statistic, df, float(chi2.sf(statistic, df)) if df else np.nan)


def _table(duration_days: Any, end: Any, group: Any, entry_days: Any) -> pd.DataFrame:
    columns = {"duration": duration_days, "end": end, "group": group}
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    arrays["entry"] = np.zeros(len(arrays["duration"])) if entry_days is None else np.asarray(entry_days)
    if len({len(a) for a in arrays.values()}) > 1:
        sizes = ", ".join(f"{name} {len(a)}" for name, a in arrays.items())
        raise SchemaError(f"All arrays must have one value per deal, got {sizes}.")
    table = pd.DataFrame(arrays)
    for name in ("duration", "entry"):
        bad = ~(table[name].astype(float) >= 0)
        if bad.any():
            raise SchemaError(f"{name}_days must be >= 0 and not missing: {bad.sum()} are not.")
    if table["end"].isna().any():
        raise SchemaError("end has missing values; an open deal is written 'open'.")
    watched = (table["entry"] < table["duration"]) | table["entry"].eq(0)
    return table[watched & table["group"].notna()]


def _counts(position: np.ndarray, code: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    cells = np.bincount(position * shape[1] + code, minlength=shape[0] * shape[1])
    return cells.reshape(shape).astype(float)


def _at_risk(table: pd.DataFrame, code: np.ndarray, days: np.ndarray, n_groups: int) -> np.ndarray:
    """Deals of each group under observation on each day: entry < day <= duration, an entry of 0 includes day 0."""
    shape = (len(days) + 1, n_groups)
    last = np.searchsorted(days, table["duration"], side="right")
    first = np.searchsorted(days, np.where(table["entry"] == 0, -1, table["entry"]), side="right")
    return np.cumsum(_counts(first, code, shape) - _counts(last, code, shape), axis=0)[:-1]


def _score_and_variance(won: np.ndarray, other: np.ndarray, at_risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Observed less expected wins of each group but the last, and their variance (Gray 1988, section 3).

    In the words of the paper: ``weight`` is h_k = Y_k / S_k(t-), ``pooled`` the incidence F0 of all groups together.
    Days on which several deals end get the hypergeometric factor of tied log-rank tests.
    """
    n = np.maximum(at_risk, 1)
    p_open = np.cumprod(1 - (won + other) / n, axis=0)
    p_before = np.vstack([np.ones((1, n.shape[1])), p_open[:-1]])
    incidence = np.cumsum(p_before * won / n, axis=0)
    incidence_before = np.vstack([np.zeros((1, n.shape[1])), incidence[:-1]])
    live = (at_risk > 0) & (p_before > 0)
    weight = np.where(live, at_risk / np.where(live, p_before, 1), 0.0)
    total = weight.sum(axis=1)
    total = np.where(total > 0, total, 1.0)
    won_today = won.sum(axis=1)
    rest = weight * (1 - incidence_before)
    expected = won_today[:, None] * rest / np.where(rest.sum(axis=1) > 0, rest.sum(axis=1), 1)[:, None]
    score = (won - expected).sum(axis=0)

    step = won_today / total
    pooled = np.cumsum(step)
    unsigned = 1 - np.concatenate([[0.0], pooled[:-1]])
    hazard = np.where(unsigned > 0, step / np.where(unsigned > 0, unsigned, 1), 0.0)
    variance = np.zeros((n.shape[1], n.shape[1]))
    for r in range(n.shape[1]):  # what chance in group r does to the score of every group
        direct = -weight * (weight[:, r] / total)[:, None]
        direct[:, r] += weight[:, r]
        paid = np.cumsum(direct * hazard[:, None], axis=0)
        ahead = paid[-1] - paid
        gone = np.where(p_open[:, r] > 0, (1 - pooled) / np.where(p_open[:, r] > 0, p_open[:, r], 1), 0.0)
        of_win = direct + (1 - gone)[:, None] * ahead
        of_other = gone[:, None] * ahead
        by_win = live[:, r] * _tied(won_today, total * p_before[:, r]) * p_before[:, r] * step / n[:, r]
        by_other = live[:, r] * _tied(other[:, r], n[:, r]) * p_before[:, r] ** 2 * other[:, r] / n[:, r] ** 2
        variance += (of_win * by_win[:, None]).T @ of_win + (of_other * by_other[:, None]).T @ of_other
    return score[:-1], variance[:-1, :-1]


def _tied(ends: np.ndarray, at_risk: np.ndarray) -> np.ndarray:
    """Variance of several ends on one day, drawn without putting back, against that of as many single ones."""
    several = (ends > 1) & (at_risk > 1)
    return np.where(several, 1 - (ends - 1) / np.where(several, at_risk - 1, 1), 1.0)
