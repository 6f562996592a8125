"""Reasons: what raises and lowers a deal's chance against the mean of the open deals in its state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.errors import AsOfError
from salesanalytics.features.history import ENTERED
from salesanalytics.models.close_model import CloseModel
from salesanalytics.timeline.calendar import to_day

N_COMPARED = 16

GROUPS = {
    "reason_pace": ("days_in_state", "pace", "beyond_won_q90"),
    "reason_age": ("age_days",),
    "reason_stage": ("stage_rank",),  # of a paused deal: where it stood before
    "reason_path": ("n_visits", "n_regressions", "n_skips", "entry_rank", "max_rank"),
    "reason_hold": ("hold_days", "n_holds", "n_reopened"),
    "reason_amount": ("log_amount", "log_amount_change", "n_amount_changes"),
    "reason_close_date": ("days_to_close_date", "n_close_pushes", "n_close_pulls", "close_push_days"),
    "reason_buyer": ("buyer_rank", "buyer_lag", "supported_rank"),
    "reason_proof": ("milestones_in_row", "n_milestones"),
    "reason_conditions": ("conditions_share",),
    "reason_activity": ("days_since_activity", "days_since_inbound", "next_step_overdue_days"),
    "reason_people": ("n_roles", "stance_min", "stance_mean"),
    "reason_rival": ("competitor_known", "quote_before_decision_maker"),
    "reason_rep_view": ("p_rep", "category"),
    "reason_owner": ("rep_id_record", "rep_id_n_ended"),
    "reason_customer": ("account_id_record",),
}


def close_reasons(model: CloseModel, snapshot: pd.DataFrame, *, until: Any, deal_ids: Any = None) -> pd.DataFrame:
    """Why a deal's chance differs from the mean of the open deals in its state.

    Shapley values of groups of features: the group's own values against those of up to sixteen open deals in the same
    state, averaged over orders in which the groups are swapped (as many as deals compared with, half of them the
    reverse of another). Of more deals sixteen are taken at even steps from the lowest chance to the highest; by what
    these still differ from the mean of all, the effects are moved in proportion to their size. They say what moves the
    *model's* chance; they do not say what would happen if somebody acted. The stage table knows of a deal in a state
    only the days it has been there, and that is its one reason.

    Parameters
    ----------
    model : CloseModel
        Fitted.
    snapshot : DataFrame
        All open deals of one date, from `snapshots`; the average is taken over them.
    until : date
    deal_ids : sequence of text, optional
        Deals to explain; default all.

    Returns
    -------
    DataFrame, one row a deal and reason, strongest first
        ``deal_id``, ``state``, ``p_won_until``, ``p_average`` (mean of all open deals in the same state), ``reason``
        (key of the label catalogue, or the name of an attribute), ``effect`` (on ``p_won_until``). The effects of a
        deal sum to ``p_won_until - p_average``. ``reason_stage`` only in a pause, where it is not the same for all.

    Raises
    ------
    AsOfError
        The snapshot holds several dates, or ``until`` does not lie after it.

    References
    ----------
    Strumbelj & Kononenko (2014), Knowledge and Information Systems 41, 647-665.
    """
    columns = ["deal_id", "state", "p_won_until", "p_average", "reason", "effect"]
    if snapshot["as_of"].nunique() > 1:
        raise AsOfError("Reasons compare the open deals of one date; the snapshot holds several.")
    wanted = snapshot if deal_ids is None else snapshot[snapshot["deal_id"].isin(list(deal_ids))]
    if not len(wanted):
        return pd.DataFrame(columns=columns)
    horizon = np.array([to_day(until, name="until") - to_day(snapshot["as_of"].iloc[0])])
    if horizon[0] <= 0:
        raise AsOfError(f"until must lie after {snapshot['as_of'].iloc[0].date()}.")
    groups = _groups(model, snapshot)
    found = [
        _of_state(model, snapshot[snapshot["state"] == state], part, groups, horizon)
        for state, part in wanted.groupby("state", sort=False)
    ]
    table = pd.concat(found, ignore_index=True)
    order = table["effect"].abs().mul(-1).groupby(table["deal_id"]).rank(method="first")
    table = table.assign(order=order).sort_values(["p_won_until", "deal_id", "order"], ascending=[False, True, True])
    return table[columns].reset_index(drop=True)


def _groups(model: CloseModel, snapshot: pd.DataFrame) -> dict[str, list[str]]:
    """Reason -> columns the model reads; a column of no group (an attribute and its track record) is its own reason."""
    if model.learners_ is None:
        return {"reason_pace": ["days_in_state"]}
    read = [*model.learners_.features, "days_to_close_date"]
    entered = tuple(c for c in read if c.startswith(ENTERED))
    members = GROUPS | {"reason_path": (*GROUPS["reason_path"], *entered)}
    groups = {reason: [c for c in names if c in read and c in snapshot] for reason, names in members.items()}
    grouped = {c for names in groups.values() for c in names} | {"state"}  # equal within a state
    for column in read:
        if column in snapshot and column not in grouped:
            groups.setdefault(column.removesuffix("_record"), []).append(column)
    return {reason: names for reason, names in groups.items() if names}


def _of_state(
    model: CloseModel, peers: pd.DataFrame, deals: pd.DataFrame, groups: dict[str, list[str]], horizon: np.ndarray
) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    peers = peers.sort_values("deal_id")
    same_stage = "stage_rank" not in peers or peers["stage_rank"].nunique(dropna=False) == 1
    names = [reason for reason in groups if reason != "reason_stage" or not same_stage]
    p = model.curves(peers, days=horizon)[0][:, 0]
    compared = peers.iloc[_typical(p)]
    rounds = -(-N_COMPARED // len(compared)) * len(compared)  # every deal meets each of the others equally often
    orders = [rng.permutation(len(names)) for _ in range(-(-rounds // 2))]
    orders = [*orders, *(order[::-1] for order in orders)][:rounds]
    effects = np.zeros((len(deals), len(names)))
    own = pd.Index(peers["deal_id"]).get_indexer(deals["deal_id"])  # whatever else is asked, and in which order
    for k, order in enumerate(orders):
        other = compared.iloc[(own + k) % len(compared)]
        chances = _walk(model, deals, other, [groups[names[i]] for i in order], horizon)
        effects[:, order] += np.diff(chances, axis=0).T / len(orders)
        end = chances[-1]
    return pd.DataFrame(
        {
            "deal_id": np.repeat(deals["deal_id"].to_numpy(), len(names)),
            "state": np.repeat(deals["state"].to_numpy(), len(names)),
            "p_won_until": np.repeat(end, len(names)),
            "p_average": p.mean(),
            "reason": np.tile(names, len(deals)),
            "effect": _summing_to(end - p.mean(), effects).ravel(),
        }
    )


def _typical(p: np.ndarray) -> np.ndarray:
    """Places of up to sixteen deals that stand for all: at even steps from the lowest chance to the highest."""
    n = min(N_COMPARED, len(p))
    return np.sort(np.argsort(p, kind="stable")[((np.arange(n) + 0.5) * len(p) / n).astype("int64")])


def _summing_to(total: np.ndarray, effects: np.ndarray) -> np.ndarray:
    """Effects (n_deals, n_reasons) that sum to a total, moved in proportion to their size."""
    size = np.abs(effects) + 1e-12  # where there is none at all, alike
    share = size / size.sum(axis=1, keepdims=True)
    return np.asarray(effects + share * (total - effects.sum(axis=1))[:, None])


def _walk(
    model: CloseModel, deals: pd.DataFrame, other: pd.DataFrame, steps: list[list[str]], horizon: np.ndarray
) -> np.ndarray:
    """Chances on the way from the other deal to the own one, group by group: (n_groups + 1, n_deals)."""
    mixed = deals.reset_index(drop=True).copy()
    for columns in steps:
        for column in columns:
            mixed[column] = other[column].to_numpy()
    frames = [mixed]
    for columns in steps:
        mixed = mixed.copy()
        for column in columns:
            mixed[column] = deals[column].to_numpy()
        frames.append(mixed)
    won, _ = model.curves(pd.concat(frames, ignore_index=True), days=horizon)
    return won[:, 0].reshape(len(frames), len(deals))
