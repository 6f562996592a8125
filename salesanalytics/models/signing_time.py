"""What goes along with signing sooner or later: hazard ratios and time ratios. Associations, never causes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from salesanalytics.book import DealBook
from salesanalytics.models.metrics import at_least_1, between_0_and_1
from salesanalytics.models.signing_time_design import Covariate, Design, build_design
from salesanalytics.models.signing_time_fits import AFT_MODELS, Fit, comparable, fit_aft, fit_cox
from salesanalytics.models.signing_time_rows import creation_rows, start_stop_rows

#: What may change from landmark to landmark, the most wanted first; the book's attributes follow.
CHANGING = (
    Covariate("buyer_lag", "number"),
    Covariate("conditions_here", "share", 0.1),
    Covariate("days_in_state", "doubling_days"),
    Covariate("amount", "doubling"),
    Covariate("milestones_in_row", "number"),
    Covariate("rep_load", "number", 5),
    Covariate("days_since_inbound", "doubling_days"),
    Covariate("conditions_behind", "share", 0.1),
    Covariate("competitor_known", "yes_no"),
    Covariate("n_roles", "number"),
    Covariate("stance_mean", "number"),
    Covariate("quote_before_decision_maker", "yes_no"),
)
AT_CREATION = (Covariate("amount", "doubling"), Covariate("account_known", "yes_no"))


def signing_time_effects(book: DealBook, *, as_of: Any, every_days: int = 28, confidence: float = 0.9) -> pd.DataFrame:
    """Hazard ratios of signing: of two open deals of the same age in the same stage, which is signed sooner?

    Cause-specific Cox regression. The clock runs from the creation of a deal; facts change at landmarks
    ``every_days`` apart; a deal is at risk from its first landmark; other ends are censored; every stage, and the
    pause, has its own baseline; ties are handled by Efron's method. Each column needs ten signings
    (`salesanalytics.models.signing_time_design`): covariates that the data cannot carry are listed with the reason.

    A ratio is an association among deals as they were handled, not what would happen if one did otherwise: work is
    done on deals that are going well, and a hidden quality of the deal may stand behind both.

    Parameters
    ----------
    book : DealBook
    as_of : date
    every_days : int
        Distance of the landmarks.
    confidence : float

    Returns
    -------
    DataFrame, one row a covariate or level, those left out at the end
        ``effect`` (covariate); ``level`` (the level, or the change that the ratio is for: ``+1``, ``+10 %``,
        ``×2``); ``reference`` (the level it is compared with, None of a number); ``hazard_ratio`` (above 1: signed
        sooner), ``lower``, ``upper``, ``p`` (Wald); ``ph_p`` (test of proportional hazards; small: the ratio changes
        with the age of the deal); ``n_deals``, ``n_signings`` (where the value was known, or with that level);
        ``left_out`` (None, or ``not_recorded``, ``mostly_missing``, ``constant``, ``repeats_others``,
        ``too_few_signings``); ``confidence``.

    Raises
    ------
    SchemaError
        The distance of the landmarks or the level cannot be.
    AsOfError
        ``as_of`` lies after the end of the book.
    InsufficientDataError
        Fewer than ten signings under observation, no covariate can enter, or the model has no maximum.

    References
    ----------
    Putter, Fiocco & Geskus (2007), Statistics in Medicine 26, 2389-2430 (cause-specific hazards); Grambsch &
    Therneau (1994), Biometrika 81, 515-526 (proportional hazards).
    """
    between_0_and_1(confidence, "confidence")
    at_least_1(every_days, "every_days")
    rows = start_stop_rows(book, as_of=as_of, every_days=every_days)
    compared = comparable(rows["state"], rows["signed"])
    if compared.any():  # else the error of the design tells how many deals there are
        rows = rows[compared].reset_index(drop=True)
    design = build_design(rows, [*CHANGING, *_attributes(book)], stratum=rows["state"])
    fit = fit_cox(design.x, start=rows["start"], stop=rows["stop"], event=rows["signed"], stratum=rows["state"])
    table = _ratios(design, fit, "hazard_ratio", confidence)
    table.insert(7, "ph_p", fit.table["ph_p"].reindex(table.index))
    return table


def signing_time_ratios(book: DealBook, *, as_of: Any, confidence: float = 0.9) -> pd.DataFrame:
    """Time ratios of signing from what is known when a deal is created: by which factor is the time longer?

    Accelerated failure time models, Weibull and log-normal, on the days from creation to signing; other ends and
    open deals are censored, and deals entered late are at risk from then on only. A signing on day 0 counts as half
    a day. The model with the smaller ``aic`` fits better; where the two agree the shape matters little. Associations,
    as in `signing_time_effects`.

    Parameters
    ----------
    book : DealBook
    as_of : date
    confidence : float

    Returns
    -------
    DataFrame, one row a model and covariate or level, those left out at the end of each
        ``model`` (``weibull``, ``lognormal``), ``aic``, then as in `signing_time_effects` with ``time_ratio`` (above
        1: signed later) and without ``ph_p``.

    Raises
    ------
    AsOfError, InsufficientDataError
        As in `signing_time_effects`.

    References
    ----------
    Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, chapter 3.
    """
    between_0_and_1(confidence, "confidence")
    rows = creation_rows(book, as_of=as_of)
    design = build_design(rows, [*AT_CREATION, *_attributes(book)], stratum=np.zeros(len(rows)))
    times = {"duration_days": rows["duration_days"], "event": rows["signed"], "entry_days": rows["entry_days"]}
    parts = []
    for model in AFT_MODELS:
        fit = fit_aft(design.x, model=model, **times)
        part = _ratios(design, fit, "time_ratio", confidence)
        part.insert(0, "model", model)
        part.insert(1, "aic", fit.aic)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _attributes(book: DealBook) -> list[Covariate]:
    """The book's attributes: numbers as they are, anything else by levels."""
    is_number = {name: pd.api.types.is_numeric_dtype(book.deals[name]) for name in book.settings.attributes}
    return [Covariate(name, "number" if number else "category") for name, number in is_number.items()]


def _ratios(design: Design, fit: Fit, name: str, confidence: float) -> pd.DataFrame:
    """The story of every column with its ratio and interval; NaN for what was left out."""
    found = fit.table.reindex(design.terms.index)
    reach = ndtri(0.5 + confidence / 2) * found["se"]
    return design.terms[["effect", "level", "reference"]].assign(
        **{
            name: np.exp(found["coef"]),
            "lower": np.exp(found["coef"] - reach),
            "upper": np.exp(found["coef"] + reach),
            "p": found["p"],
            "n_deals": design.terms["n_deals"],
            "n_signings": design.terms["n_signings"],
            "left_out": design.terms["left_out"],
            "confidence": confidence,
        }
    )
