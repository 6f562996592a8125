"""Reasons: what raises and lowers a deal's chance against the average deal in its state."""

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
    """Why a deal's chance differs from that of the average deal in its state.

    Shapley values of groups of features: the group's own values against those of up to sixteen open deals in the same
    state, averaged over orders in which the groups are swapped (as many as deals compared with, half of them the
    reverse of another). They say what moves the *model's* chance; they do not say what would happen if somebody acted.

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
        ``deal_id``, ``state``, ``p_won_until``, ``p_average`` (of the deals in the same state it is compared with),
        ``reason`` (key of the label catalogue, or the name of an attribute), ``effect`` (on ``p_won_until``). The
        effects of a deal sum to ``p_won_until - p_average``. Empty on the stage table, which knows a state and days.

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
    if model.learners_ is None or not len(wanted):
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
    assert model.learners_ is not None
    read = [*model.learners_.features, "days_to_close_date"]
    entered = tuple(c for c in read if c.startswith(ENTERED))
    members = GROUPS | {"reason_path": (*GROUPS["reason_path"], *entered)}
    groups = {reason: [c for c in names if c in read and c in snapshot] for reason, names in members.items()}
    grouped = {c for names in groups.values() for c in names} | {"state", "stage_rank"}  # equal within a state
    for column in read:
        if column in snapshot and column not in grouped:
            groups.setdefault(column.removesuffix("_record"), []).append(column)
    return {reason: names for reason, names in groups.items() if names}


def _of_state(
    model: CloseModel, peers: pd.DataFrame, deals: pd.DataFrame, groups: dict[str, list[str]], horizon: np.ndarray
) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    peers = peers.sort_values("deal_id")
    compared = peers.iloc[np.unique(np.linspace(0, len(peers) - 1, N_COMPARED).round().astype(int))]
    rounds = -(-N_COMPARED // len(compared)) * len(compared)  # every deal meets each of the others equally often
    orders = [rng.permutation(len(groups)) for _ in range(-(-rounds // 2))]
    orders = [*orders, *(order[::-1] for order in orders)][:rounds]
    names = list(groups)
    effects = np.zeros((len(deals), len(names)))
    start = np.zeros(len(deals))
    own = pd.Index(peers["deal_id"]).get_indexer(deals["deal_id"])  # whatever else is asked, and in which order
    for k, order in enumerate(orders):
        other = compared.iloc[(own + k) % len(compared)]
        chances = _walk(model, deals, other, [groups[names[i]] for i in order], horizon)
        effects[:, order] += np.diff(chances, axis=0).T / len(orders)
        start += chances[0] / len(orders)
        end = chances[-1]
    return pd.DataFrame(
        {
            "deal_id": np.repeat(deals["deal_id"].to_numpy(), len(names)),
            "state": np.repeat(deals["state"].to_numpy(), len(names)),
            "p_won_until": np.repeat(end, len(names)),
            "p_average": np.repeat(start, len(names)),
            "reason": np.tile(names, len(deals)),
            "effect": effects.ravel(),
        }
    )


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
