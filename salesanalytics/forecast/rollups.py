"""Sums of the same draws: by team, rep, stage or attribute; what carries a forecast; what if a deal went otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.errors import SchemaError
from salesanalytics.forecast.by_month import draws_by_month
from salesanalytics.forecast.draws import Signings
from salesanalytics.forecast.lent_amounts import known_or_usual
from salesanalytics.forecast.path import chances_if_decided
from salesanalytics.forecast.prepare import values
from salesanalytics.forecast.result import QuarterForecast, reaches
from salesanalytics.models.bands import central_band

MISSING, NOT_BY_DEAL, SIGNED = "missing", "to come", "signed"
N_LARGEST = 50


def draws_by(forecast: QuarterForecast, *, by: str, measure: str = "amount") -> pd.DataFrame:
    """Draws of each group; they add up to `QuarterForecast.total` draw by draw.

    Parameters
    ----------
    forecast : QuarterForecast
    by : str
        ``rep_id``, ``team``, ``manager_id``, ``manager_level_1`` (the top of the line of management) and so on where
        managers have managers, ``stage``, ``state``, ``category`` (the rep's own), ``region`` (of the deals; where none
        names one, of owners or customers), ``industry``, an attribute of the book, or ``month`` (if none is called so).
    measure : str
        ``amount`` or ``count``.

    Returns
    -------
    DataFrame, one row a draw, one column a group, by name
        Deals signed so far and open ones; ``missing``: of no group; ``signed``: those signed so far, which stand in no
        stage, state or category any more; ``to come``: reopened, unrecorded and new deals, for which no deal in the
        book stands. By ``month`` every signing has its own, so there are the months alone, in their order.

    Raises
    ------
    SchemaError
        Deals cannot be grouped so, or the measure is none.
    """
    of_signed_too = (c for c in forecast.signed if c not in ("deal_id", "end_day", "amount"))
    groupings = ["stage", "state", "category", *of_signed_too]
    if measure not in ("amount", "count"):
        raise SchemaError(f"measure must be amount or count, got {measure!r}.")
    if by == "month" and by not in groupings:
        return draws_by_month(forecast, measure=measure)
    if by not in groupings:
        raise SchemaError(f"A forecast cannot be grouped by {by!r}; it can by: {', '.join([*groupings, 'month'])}.")
    stands = by in forecast.signed  # what is signed stands in no stage any more
    ours = (MISSING, NOT_BY_DEAL) if stands else (MISSING, NOT_BY_DEAL, SIGNED)
    own = {name: f"'{name}'" for name in ours}  # groups of the user's that are called so
    signed = forecast.signed[by] if stands else pd.Series(SIGNED, index=forecast.signed.index)
    names = pd.concat([_named(forecast.deals[by], own), _named(signed, own if stands else {})])
    codes, groups = pd.factorize(names, sort=True)
    of_open, of_signed = codes[: len(forecast.deals)], codes[len(forecast.deals) :]
    by_value = measure == "amount"
    drawn = forecast.signings.of(of_open, len(groups), by_value=by_value)
    value = forecast.signed["amount"].fillna(0.0) if by_value else np.ones(len(of_signed))
    drawn += np.bincount(of_signed, weights=value, minlength=len(groups))[:, None]
    rest = [draws for name, draws in getattr(forecast, measure).items() if name not in ("signed", "open")]
    return pd.DataFrame(np.vstack([drawn, np.sum(rest, axis=0)]).T, columns=[*groups, NOT_BY_DEAL])


def _named(groups: pd.Series, own: dict[str, str]) -> pd.Series:
    """Names of the groups of deals, `MISSING` where there is none; ``own``: what the user's are called instead."""
    return groups.astype(str).replace(own).where(groups.notna(), MISSING)


def rollup(forecast: QuarterForecast, *, by: str) -> pd.DataFrame:
    """Forecast of each group.

    Returns
    -------
    DataFrame, one row a group, the largest amount first, then ``to come``; months in their order
        ``<by>``, ``amount``, ``amount_lower``, ``amount_upper``, ``count``, ``count_lower``, ``count_upper``: mean and
        80 % band. Means add up to the whole; bands do not, for groups do not all have luck at once. By ``team``,
        ``rep_id`` or ``month``, where the book states targets of such in the period, also ``target`` and ``p_target``
        (NaN: it has none), and a row of each that has a target and no deal. Deals to come belong to no team and no rep
        yet: their chances are without them; those of months are with them.

    Raises
    ------
    SchemaError
        Deals cannot be grouped so.
    """
    attribute_of_months = by == "month" and by in forecast.signed  # of the book's own, not of the calendar
    targets = pd.Series({} if attribute_of_months else forecast.group_targets.get(by, {}), dtype=float)
    table: dict[str, Any] = {}
    for measure in ("amount", "count"):
        draws = draws_by(forecast, by=by, measure=measure)
        to_come = [name for name in draws if name == NOT_BY_DEAL]
        without_deals = targets.index.difference(draws.columns)
        draws = draws.reindex(columns=[*draws.columns.difference(to_come), *without_deals, *to_come], fill_value=0.0)
        bands = np.array([central_band(draws[name], 0.8) for name in draws])
        table |= {measure: draws.mean(), f"{measure}_lower": bands[:, 0], f"{measure}_upper": bands[:, 1]}
        if measure == "amount" and len(targets):
            goals = targets.reindex(draws.columns)
            reached = pd.Series(reaches(draws, goals.to_numpy()).mean(axis=0), index=draws.columns)
            table |= {"target": goals, "p_target": reached.where(goals.notna())}
    found = pd.DataFrame(table).rename_axis(by).reset_index()
    if not to_come:
        return found
    last = found[by].eq(NOT_BY_DEAL)
    return pd.concat(
        [found[~last].sort_values("amount", ascending=False, kind="stable"), found[last]], ignore_index=True
    )


def key_deals(forecast: QuarterForecast) -> pd.DataFrame:
    """The open deals that carry a forecast, and those that carry its uncertainty.

    Returns
    -------
    DataFrame, one row an open deal (the 50 largest by expected amount), in their order
        ``deal_id``, ``name``, ``rep_id``, ``stage``, ``amount``, ``p_in_period``, ``expected_amount``;
        ``variance_share`` (covariance of the deal with the total over the variance of the total); with a target
        ``p_target_won`` and ``p_target_lost`` (chance to reach it if the deal is signed in the period, or is not; all
        else as drawn) and ``adds`` (``p_target_won`` less the chance now: what signing it is worth).
    """
    order = forecast.deals["expected_amount"].sort_values(ascending=False, kind="stable").index[:N_LARGEST]
    top = forecast.deals.loc[order].reset_index(drop=True)
    total, n = forecast.total(), forecast.signings.n_draws
    place = np.full(len(forecast.deals), -1)
    place[order] = np.arange(len(top))
    own = forecast.signings.of(place, len(top), by_value=True)
    found = top[["deal_id", "name", "rep_id", "stage", "amount", "p_in_period", "expected_amount"]].copy()
    centred = total - total.mean()
    found["variance_share"] = own @ centred / n / max(float(centred @ centred) / n, 1e-300)
    if forecast.target is not None:
        won, lost = chances_if_decided(forecast, forecast.target)
        found["p_target_won"], found["p_target_lost"] = won[order], lost[order]
        found["adds"] = found["p_target_won"] - reaches(total, forecast.target).mean()
    return found


def what_if(
    forecast: QuarterForecast, *, won: Sequence[str] = (), lost: Sequence[str] = (), slipped: Sequence[str] = ()
) -> QuarterForecast:
    """The same forecast with some open deals decided; nothing is fitted or drawn again, all other deals stay.

    Parameters
    ----------
    won : sequence of str
        Deals that sign in the period: where they sign anyway for what was drawn, else for what they bring in the mean
        (the amount known now, and how amounts change until signing; that of wins like it where none is known).
    lost, slipped : sequence of str
        Deals that do not sign in the period.

    Raises
    ------
    SchemaError
        A deal is not open in the forecast, or is named twice; a text is given instead of a list.
    """
    if any(isinstance(ids, str) for ids in (won, lost, slipped)):
        raise SchemaError("won, lost and slipped are lists of deal ids, such as lost=['P01393'].")
    asked = [*won, *lost, *slipped]
    unknown = [d for d in asked if d not in set(forecast.deals["deal_id"])]
    if unknown or len(set(asked)) < len(asked):
        raise SchemaError(f"Deals must be open in the forecast and be named once; not so: {unknown or asked}.")
    ids, old = forecast.deals["deal_id"], forecast.signings
    kept = ~ids.isin([*lost, *slipped]).to_numpy()[old.deal]
    place = np.flatnonzero(ids.isin(list(won)))
    rank = np.full(len(ids), -1)
    rank[place] = np.arange(len(place))
    which, draw = np.nonzero(old.of(rank, len(place), by_value=False) == 0)  # draws in which they did not sign
    worth = values(forecast.prepared, forecast.deals)
    signings = Signings(
        deal=np.concatenate([old.deal[kept], place[which]]),
        draw=np.concatenate([old.draw[kept], draw]),
        value=np.concatenate([old.value[kept], worth[place[which]]]),
        n_draws=old.n_draws,
    )
    p = forecast.deals["p_in_period"].where(~ids.isin(asked), ids.isin(list(won)).astype(float))
    decided = {"p_in_period": p, "expected_amount": p * known_or_usual(forecast.deals)}
    return replace(
        forecast,
        signings=signings,
        count=forecast.count | {"open": signings.count()},
        amount=forecast.amount | {"open": signings.total()},
        deals=forecast.deals.assign(**decided),
        prepared=replace(forecast.prepared, deals=forecast.prepared.deals.assign(**decided)),
        decided=tuple(sorted({*forecast.decided, *asked})),
    )
