"""Won deals that once stood where an open one stands now, and what was done next there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control.known import Known, know
from salesanalytics.errors import SchemaError
from salesanalytics.features import snapshots
from salesanalytics.features.landmarks import landmark_snapshots
from salesanalytics.labels import label
from salesanalytics.models.metrics import at_least_1
from salesanalytics.process.model import Stage
from salesanalytics.timeline.calendar import to_timestamps
from salesanalytics.timeline.evidence import known_rows

#: Features compared as numbers, the second ones as logarithms of 1 + days; attributes of the book as yes or no.
NUMBERS = ("log_amount", "buyer_lag", "milestones_in_row", "conditions_share", "n_roles", "stance_mean")
DAYS = ("days_in_state", "age_days", "days_since_inbound")
SAME_AGE, SAME_AGE_DAYS = 1.5, 14  # as in the stage table; and half the distance of the landmarks
STEP_KINDS = ("buyer_stage", "milestone", "condition", "contact", "activity")
DEAL_COLUMNS = [
    "deal_id", "name", "account_id", "rep_id", "distance", "same_age", "seen_on", "days_in_state", "amount",
    "next_state", "days_to_next", "days_to_signing", "signed_on", "amount_signed",
]  # fmt: skip
STEP_COLUMNS = ["deal_id", "kind", "item", "n", "days_after"]
NEXT_COLUMNS = ["kind", "item", "n_deals", "share", "n_per_deal", "days_after_q50", "done_here"]


@dataclass(frozen=True)
class SimilarDeals:
    """Won deals like an open one.

    Attributes
    ----------
    deal_id : str
        The open deal.
    deals : DataFrame
        One row a similar deal, nearest first, see `similar_won_deals`.
    steps : DataFrame
        One row a similar deal and thing done.
    done_next : DataFrame
        One row a thing done, over all similar deals.
    left_out : str or None
        Why there is none: ``no_won_deals`` (in that state); else None.
    """

    deal_id: str
    deals: pd.DataFrame
    steps: pd.DataFrame
    done_next: pd.DataFrame
    left_out: str | None

    def why(self, lang: str = "en") -> str:
        """Why there is no similar deal, in ``en`` or ``zh``; empty where there is one."""
        return label(f"similar_{self.left_out}", lang) if self.left_out else ""


def similar_won_deals(book: DealBook, *, as_of: Any, deal_id: str, n: int = 5) -> SimilarDeals:
    """The won deals that were most like an open one when they stood in its stage, and what was done next.

    Won deals are looked at on dates of the past (landmarks, 28 days apart), by what was known on that date: each one on
    the date on which it stood in the same state (and stage) for a time nearest to that of the open deal. Those whose
    time differs by more than a factor of 1.5 (and 14 days) come last. The distance is the mean over what both deals
    have of: 0 or 1 for each attribute of the book, and for amount (log), days in the state, age, days since the
    customer's last sign (logs), buyer lag, milestones in a row, share of conditions, roles reached and mean stance the
    difference over the middle 90 % of the won deals, 1 at most.

    It compares like with like and proves nothing: the steps were taken on deals that were won; whether lost deals saw
    fewer of them is for `condition_effects` to say.

    Parameters
    ----------
    book : DealBook
    as_of : date
    deal_id : str
        A deal open (or paused) on that date.
    n : int
        Similar deals at most.

    Returns
    -------
    SimilarDeals
        ``deals``: ``deal_id``, ``name``, ``account_id``, ``rep_id`` (owner then), ``distance`` (0..1), ``same_age``,
        ``seen_on`` (the date it is compared on), ``days_in_state`` and ``amount`` (then), ``next_state`` (stage or end
        that followed), ``days_to_next``, ``days_to_signing`` (from that date), ``signed_on``, ``amount_signed``.

        ``steps``, up to the day on which the stage was left (on that day nothing of later stages): ``deal_id``,
        ``kind`` (buyer_stage, milestone, condition, contact, activity), ``item``, ``n`` times, ``days_after`` (from
        ``seen_on`` to the first).

        ``done_next``, most frequent first: ``kind``, ``item``, ``n_deals`` in which it was done, their ``share``,
        ``n_per_deal`` (mean over all similar deals), ``days_after_q50``, ``done_here`` (the open deal has it already;
        an activity: in its present stage).

    Raises
    ------
    SchemaError
        The deal is not open on the date, or ``n`` is not positive.
    AsOfError
        ``as_of`` lies after the end of the book.

    References
    ----------
    Gower (1971), Biometrics 27, 857-871 (the distance).
    """
    at_least_1(n, "n")
    now = snapshots(book, as_of=as_of)
    own = now[now["deal_id"].eq(deal_id)]
    if own.empty:
        raise SchemaError(f"deal_id must be a deal that is open on {as_of}, got {deal_id!r}.")
    past = landmark_snapshots(book, as_of=as_of)
    same = past["state"].eq(own["state"].iloc[0]) & past["stage"].eq(own["stage"].iloc[0])
    past = past[same & past["end"].eq("won") & past["deal_id"].ne(deal_id)]
    if past.empty:
        deals, steps, found = (pd.DataFrame(columns=c) for c in (DEAL_COLUMNS, STEP_COLUMNS, NEXT_COLUMNS))
        return SimilarDeals(deal_id, deals, steps, found, left_out="no_won_deals")
    nearest = _nearest(past, own, book.settings.attributes).head(n)
    known = know(book, as_of=as_of)
    deals = _with_sequel(known, nearest)
    steps = _steps(known, deals)
    found = _done_next(known, steps, deal_id=deal_id, n=len(deals))
    return SimilarDeals(deal_id, deals[DEAL_COLUMNS], steps, found, left_out=None)


def _nearest(past: pd.DataFrame, own: pd.DataFrame, attributes: tuple[str, ...]) -> pd.DataFrame:
    """One landmark a deal, that with the time in the state nearest to the open deal's; the nearest deals first."""
    days = float(own["days_in_state"].iloc[0])
    gap = (np.log1p(past["days_in_state"]) - np.log1p(days)).abs()
    once = past.assign(gap=gap).sort_values(["gap", "landmark_day"], kind="stable").drop_duplicates("deal_id")
    apart = (once["days_in_state"] - days).abs()
    factor = (once["days_in_state"] / max(days, 1)).clip(lower=1e-9)
    once["same_age"] = (apart <= SAME_AGE_DAYS) | factor.between(1 / SAME_AGE, SAME_AGE)
    once["distance"] = gower(once, own, attributes=attributes)
    once["far"] = ~once["same_age"]
    return once.sort_values(["far", "distance", "deal_id"], kind="stable", ignore_index=True)


def gower(rows: pd.DataFrame, own: pd.DataFrame, *, attributes: tuple[str, ...]) -> np.ndarray:
    """Gower's distance of rows from one row, 0..1; what either has no value of is left out (1: nothing in common)."""
    parts = [np.where(rows[a].notna(), rows[a].ne(own[a].iloc[0]), np.nan) for a in attributes if own[a].notna().all()]
    for name in (*NUMBERS, *DAYS):
        x, x0 = rows[name].to_numpy(float), float(own[name].iloc[0])
        if name in DAYS:
            x, x0 = np.log1p(np.maximum(x, 0)), np.log1p(max(x0, 0)) if x0 == x0 else np.nan
        if np.isnan(x).all() or x0 != x0:
            continue
        spread = np.subtract(*np.nanquantile(x, [0.95, 0.05]))
        if spread > 0:
            parts.append(np.minimum(np.abs(x - x0) / spread, 1.0))
    table = np.column_stack([np.ones(len(rows)), *parts]).astype(float)[:, 1:]
    n = (~np.isnan(table)).sum(axis=1)
    return np.where(n > 0, np.nansum(table, axis=1) / np.maximum(n, 1), 1.0)


def _with_sequel(known: Known, nearest: pd.DataFrame) -> pd.DataFrame:
    """What followed on each similar deal, as known at the date."""
    place = pd.Series(known.ended.index, index=known.ended["deal_id"])
    deals = nearest.assign(deal=nearest["deal_id"].map(place))
    of_deal = known.ended.loc[deals["deal"], ["name", "account_id", "amount", "end_day"]].set_axis(deals.index)
    deals = deals.join(of_deal.rename(columns={"amount": "amount_signed"}))
    seen = deals.set_index("deal")["landmark_day"]
    stays = known.stays[known.stays["deal"].isin(seen.index)]
    moves = stays[stays["entered_day"] > stays["deal"].map(seen)].drop_duplicates("deal").set_index("deal")
    moved = moves["entered_day"].reindex(deals["deal"]).to_numpy(float)
    before_end = moved <= deals["end_day"].to_numpy()
    rank = moves["stage"].reindex(deals["deal"]).fillna(1).to_numpy(int)
    deals["next_state"] = np.where(before_end, np.array(known.process.stage_ids, dtype=object)[rank - 1], "won")
    deals["left_day"] = np.where(before_end, moved, deals["end_day"])
    deals["days_to_next"] = (deals["left_day"] - deals["landmark_day"]).clip(lower=0)
    deals["days_to_signing"] = deals["duration_days"]
    deals["seen_on"], deals["signed_on"] = (to_timestamps(deals[c]) for c in ("landmark_day", "end_day"))
    return deals


def _steps(known: Known, deals: pd.DataFrame) -> pd.DataFrame:
    """What was done on the similar deals after the date they are compared on, up to leaving the stage."""
    positions = np.sort(deals["deal"].to_numpy(dtype="int64"))
    of_deal = deals.set_index("deal")[["deal_id", "landmark_day", "left_day", "stage_rank"]]
    parts = []
    for kind in STEP_KINDS:
        if kind in known.fields.index:
            rows = known_rows(known.book, kind, day=known.day, deals=positions, columns=["deal", "day", "value"])
            parts.append(rows.join(of_deal, on="deal").assign(kind=kind))
    if not parts:
        return pd.DataFrame(columns=STEP_COLUMNS)
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[(rows["day"] > rows["landmark_day"]) & (rows["day"] <= rows["left_day"])]
    marked = rows["kind"].isin(["condition", "contact"]) & rows["value"].str.contains(":", regex=False, na=True)
    rows = rows[~marked]  # a condition waived or undone was not done, who left was not reached
    rank = {i: s.order for s in known.process.stages for i in _items(s)}
    later = rows["value"].map(rank).gt(rows["stage_rank"])  # done on the day of leaving, but of the stage that followed
    rows = rows[~(later & rows["day"].eq(rows["left_day"]))]
    rows = rows.assign(days_after=rows["day"] - rows["landmark_day"], item=rows["value"])
    grouped = rows.groupby(["deal_id", "kind", "item"], as_index=False)
    steps = grouped.agg(n=("day", "size"), days_after=("days_after", "min"))
    return steps.sort_values(["deal_id", "days_after", "kind", "item"], ignore_index=True)[STEP_COLUMNS]


def _items(stage: Stage) -> list[str]:
    """Ids of the conditions and the milestone of a stage."""
    return [c.id for c in stage.conditions] + ([stage.milestone.id] if stage.milestone else [])


def _done_next(known: Known, steps: pd.DataFrame, *, deal_id: str, n: int) -> pd.DataFrame:
    grouped = steps.groupby(["kind", "item"], as_index=False)
    table = grouped.agg(n_deals=("n", "size"), times=("n", "sum"), days_after_q50=("days_after", "median"))
    table["share"], table["n_per_deal"] = table["n_deals"] / n, table["times"] / n
    table["done_here"] = pd.MultiIndex.from_frame(table[["kind", "item"]]).isin(_done_here(known, deal_id))
    order = table.assign(many=-table["n_deals"]).sort_values(["many", "days_after_q50", "kind", "item"])
    return order[NEXT_COLUMNS].reset_index(drop=True)


def _done_here(known: Known, deal_id: str) -> list[tuple[str, str]]:
    """Kind and item of what the open deal has already; of activities only those in its present stage."""
    deal = known.deals.index[known.deals["deal_id"].eq(deal_id)].to_numpy(dtype="int64")
    done = [("condition", c) for c in known.closed_days.columns[known.closed_days.loc[deal].notna().all()]]
    for kind in ("buyer_stage", "milestone", "contact", "activity"):
        rows = known_rows(known.book, kind, day=known.day, deals=deal, columns=["deal", "day", "value"])
        if kind == "activity":
            rows = rows[rows["day"] >= known.deals.loc[deal[0], "entered_day"]]
        done += [(kind, value) for value in rows["value"].unique()]
    return done
