"""The two kinds of model of time to signing, fitted by lifelines: Cox on start-stop rows, accelerated failure time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr
from scipy.stats import rankdata

from salesanalytics.errors import InsufficientDataError

PRECISION = 1e-12
NOTHING = 1e-12  # what rounding leaves of a variance that is not there
COX_OPTIONS = {
    "precision": PRECISION,
    "step_size": 0.4,
    "max_steps": 300,
}  # full first steps run away where effects are strong
AFT_MODELS = ("weibull", "lognormal")


@dataclass(frozen=True)
class Fit:
    """Coefficients of a fitted model, one row a column of its design.

    Attributes
    ----------
    table : DataFrame
        Indexed by column: ``coef`` (log hazard ratio or log time ratio), ``se``, ``p`` (Wald); of a Cox model also
        ``ph_chisq``, ``ph_p``.
    log_likelihood : float
    aic : float
    intercept, scale : float
        Of an accelerated failure time model: log time where all columns are 0, and the factor of its error (as in R's
        ``survreg``); NaN of a Cox model, whose baseline is left open.
    """

    table: pd.DataFrame
    log_likelihood: float
    aic: float
    intercept: float = np.nan
    scale: float = np.nan


def fit_cox(x: pd.DataFrame, *, start: Any, stop: Any, event: Any, stratum: Any) -> Fit:
    """Cox model with covariates that change from row to row; ties by Efron's method, one baseline a stratum.

    Parameters
    ----------
    x : DataFrame, shape (n_rows, n_columns)
    start, stop : array of days, shape (n_rows,)
        A row is at risk on day t if start < t <= stop.
    event : array of bool, shape (n_rows,)
        Signed at ``stop``.
    stratum : array of str, shape (n_rows,)
        Each with rows to compare; see `comparable`.

    Raises
    ------
    InsufficientDataError
        The likelihood has no maximum that can be found.

    References
    ----------
    Cox (1972), JRSS B 34, 187-220; Therneau & Grambsch (2000), Modeling Survival Data, chapters 3, 5 and 6.
    """
    from lifelines import CoxTimeVaryingFitter  # slow to import

    columns = [f"x{k}" for k in range(x.shape[1])]
    rows = x.set_axis(columns, axis=1).assign(
        start=np.asarray(start, float), stop=np.asarray(stop, float), event=np.asarray(event, bool), stratum=stratum
    )
    with _failures_named():
        fitted = CoxTimeVaryingFitter(strata=["stratum"]).fit(rows, event_col="event", fit_options=COX_OPTIONS)
    coef = fitted.params_.to_numpy()
    table = _wald(x.columns, coef, fitted.standard_errors_.to_numpy())
    chisq = proportional_hazards(x.to_numpy(float), start=start, stop=stop, event=event, stratum=stratum, coef=coef)
    table = table.assign(ph_chisq=chisq, ph_p=chdtrc(1, chisq))
    log_likelihood = float(fitted.log_likelihood_)
    return Fit(table, log_likelihood, 2 * len(coef) - 2 * log_likelihood)


def comparable(stratum: pd.Series, event: pd.Series) -> pd.Series:
    """Rows of strata with a signing and another row: all others tell nothing, and lifelines fails on a single row."""
    by = stratum.astype(str)
    return event.groupby(by).transform("any") & (by.groupby(by).transform("size") > 1)


def proportional_hazards(
    x: np.ndarray, *, start: Any, stop: Any, event: Any, stratum: Any, coef: np.ndarray
) -> np.ndarray:
    """Chi-squared statistic (1 degree of freedom) of each column: does its effect change with the rank of the time? NaN
    where all signings have the same.

    The score test of coef + theta (g(t) - mean g) at theta = 0, g the rank of the signing's day among all signings:
    the sum of (g - mean g) times the Schoenfeld residuals, over its variance. lifelines computes such residuals with
    risk sets that ignore ``start``, which is wrong for start-stop rows; hence this function.

    References
    ----------
    Grambsch & Therneau (1994), Biometrika 81, 515-526; score form as in R survival >= 3.0, ``cox.zph``.
    """
    start, stop, event = np.asarray(start), np.asarray(stop), np.asarray(event, bool)
    strata = pd.factorize(np.asarray(stratum), sort=True)[0]
    days = stop[event]
    clock = dict(zip(days, rankdata(days) - (len(days) + 1) / 2, strict=True))
    n = x.shape[1]
    score, plain, mixed, squared = np.zeros(n), np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    risk = np.exp((x - x.mean(axis=0)) @ coef)
    for own in (np.flatnonzero(strata == k) for k in range(strata.max() + 1)):
        for day, residual, variance in _signing_days(x[own], start[own], stop[own], event[own], risk[own]):
            g = clock[day]
            score += g * residual
            plain += variance
            mixed += g * variance
            squared += g**2 * variance
    left = np.diag(squared) - np.einsum("ij,ji->i", mixed, np.linalg.solve(plain, mixed))
    told = left > NOTHING * np.diag(squared)  # nothing where all signings fall on one day
    return np.divide(score**2, left, out=np.full(n, np.nan), where=told)


def _signing_days(
    x: np.ndarray, start: np.ndarray, stop: np.ndarray, event: np.ndarray, risk: np.ndarray
) -> Iterator[tuple[Any, np.ndarray, np.ndarray]]:
    """Each day with signings: the day, the sum of its Schoenfeld residuals, its share of the information (Efron)."""
    for day in np.unique(stop[event]):
        here = np.flatnonzero((start < day) & (day <= stop))
        ends = event[here] & (stop[here] == day)
        xs, w = x[here], risk[here]
        n_ends = int(ends.sum())
        residual = xs[ends].sum(axis=0)
        variance = np.zeros((x.shape[1], x.shape[1]))
        for k in range(n_ends):
            weight = np.where(ends, w * (1 - k / n_ends), w)
            weight = weight / weight.sum()
            mean = weight @ xs
            residual = residual - mean
            variance += (xs - mean).T @ ((xs - mean) * weight[:, None])
        yield day, residual, variance


def fit_aft(x: pd.DataFrame, *, model: str, duration_days: Any, event: Any, entry_days: Any) -> Fit:
    """Accelerated failure time: log time = intercept + x coef + scale times an error of the model.

    Parameters
    ----------
    x : DataFrame, shape (n_deals, n_columns)
    model : "weibull" or "lognormal"
    duration_days : array, shape (n_deals,), > 0
    event : array of bool, shape (n_deals,)
    entry_days : array, shape (n_deals,)
        Days after the start of the clock from which the deal was under observation (late entry).

    Raises
    ------
    InsufficientDataError
        The likelihood has no maximum that can be found.
    """
    from lifelines import LogNormalAFTFitter, WeibullAFTFitter  # slow to import

    columns = [f"x{k}" for k in range(x.shape[1])]
    mean = x.mean().to_numpy()  # around it the search ends nearer to the maximum than far from 0
    rows = (
        (x - mean)
        .set_axis(columns, axis=1)
        .assign(
            duration=np.asarray(duration_days, float),
            event=np.asarray(event, bool),
            entry=np.asarray(entry_days, float),
        )
    )
    fitter = {"weibull": WeibullAFTFitter, "lognormal": LogNormalAFTFitter}[model]()
    with _failures_named():
        fitted = fitter.fit(rows, "duration", event_col="event", entry_col="entry")
    place, spread, sign = {"weibull": ("lambda_", "rho_", -1), "lognormal": ("mu_", "sigma_", 1)}[model]
    coef, se = (table[place][columns].to_numpy() for table in (fitted.params_, fitted.standard_errors_))
    return Fit(
        _wald(x.columns, coef, se),
        float(fitted.log_likelihood_),
        float(fitted.AIC_),
        intercept=float(fitted.params_[place]["Intercept"] - mean @ coef),
        scale=float(np.exp(sign * fitted.params_[spread]["Intercept"])),  # rho, of Weibull, is 1 / scale
    )


def _wald(names: pd.Index, coef: np.ndarray, se: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"coef": coef, "se": se, "p": 2 * ndtr(-np.abs(coef / se))}, index=names)


@contextmanager
def _failures_named() -> Iterator[None]:
    """A fit of lifelines that fails, or that lifelines doubts, becomes an InsufficientDataError."""
    from lifelines.exceptions import ApproximationWarning, ConvergenceError, ConvergenceWarning, StatisticalWarning

    with warnings.catch_warnings():
        for kind in (ConvergenceWarning, StatisticalWarning, ApproximationWarning):
            warnings.simplefilter("error", kind)
        # rare levels vary little among the signings; the rule of ten signings on either side looks after them
        warnings.filterwarnings("ignore", "Column.* have very low variance", ConvergenceWarning)
        try:
            yield
        except (ConvergenceError, ConvergenceWarning, StatisticalWarning, ApproximationWarning) as error:
            raise InsufficientDataError(f"The model of time to signing could not be fitted: {error}") from error
