"""Two extracts of one pipeline: what was recorded late, moved, rewritten, dropped between their dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import SchemaError
from salesanalytics.forecast.arrivals import fit_arrivals
from salesanalytics.forecast.extract_ids import renamed_deals
from salesanalytics.forecast.extract_rows import compare_facts, compare_rows
from salesanalytics.forecast.extract_summary import DEALS_OF_AFTER, counts
from salesanalytics.forecast.recording_lag import lag_curve
from salesanalytics.timeline import amounts
from salesanalytics.timeline.calendar import to_date, to_timestamps
from salesanalytics.timeline.replay import OPEN, collect
from salesanalytics.timeline.spells import known_outcomes, states


@dataclass(frozen=True)
class Extracts:
    """What two extracts of one pipeline say of each other.

    Attributes
    ----------
    before_on, after_on : date
        Ends of the two books (``settings.extracted_on``).
    rows : DataFrame
        One row a pair of history rows, or a row without a partner, see `compare_rows`.
    facts : DataFrame
        One row a deal and fact of the table of deals, see `compare_facts`.
    deals : DataFrame, one row a deal of either extract
        ``deal_id``; ``what`` (``both``, ``vanished``: gone from the later one; ``late``: created by the end of the
        earlier one, yet only in the later one; ``new``: created since; ``set_aside_before``, ``set_aside_after``: that
        extract has it and its contract refused it); ``created_on``, ``stage``, ``state_before``, ``state_after``,
        ``end_before_on``, ``end_after_on`` (NaT: open), ``amount`` (of the later extract that has it), ``days_late``
        (of a late deal: at least so many days passed before it was recorded), ``p_signed`` (of a late deal: chance
        of a deal of its age to have signed by the end of the later extract, as all deals there).
    lags : DataFrame, one row a kind and day
        `lag_curve` of ``created`` (deals) and ``won`` (signings), with ``kind``.
    renamed : DataFrame, one row a deal that seems to stand in both under different ids
        `renamed_deals`; above they count as ``vanished`` and ``late``.
    """

    before_on: date
    after_on: date
    rows: pd.DataFrame
    facts: pd.DataFrame
    deals: pd.DataFrame
    lags: pd.DataFrame
    renamed: pd.DataFrame

    @property
    def gap_days(self) -> int:
        """Days from the earlier extract to the later one."""
        return (self.after_on - self.before_on).days

    def recorded_share(self, kind: str) -> np.ndarray:
        """Share recorded within 0, 1, 2, ... days; ``kind`` = ``created`` or ``won``."""
        return self.lags.loc[self.lags["kind"].eq(kind), "recorded_share"].to_numpy()

    def summary(self) -> pd.DataFrame:
        """What became of the rows, deals and ends of the earlier extract, and where those of the later one come from.

        Returns
        -------
        DataFrame, one row a unit and thing that can have happened
            ``unit`` (``row_before``, ``row_after``, ``deal_before``, ``deal_after``: every one counts once, so that
            ``n`` adds up to ``of``; ``created_at``, ``amount``, ``rep_id``: facts of deals in both; ``end_before``:
            ends of the earlier extract; ``open_before``: its open deals; ``won_after``: signings of the later one dated
            up to the end of the earlier one), ``what``, ``n``, ``of``, ``share``, ``lower``, ``upper`` (Jeffreys
            interval), ``confidence``, ``median_days`` (redated: size of the shift; late: days late at least),
            ``n_later`` (redated: to a later day).
        """
        return counts(self.rows, self.deals, self.facts, self.before_on)


def compare_extracts(before: DealBook, after: DealBook) -> Extracts:
    """Compare two extracts of one pipeline, taken at two dates (``settings.extracted_on`` of each).

    Without ``recorded_at`` one extract cannot know what it lacks. A second one can tell: what it dates before the end
    of the first one, and that one had not, was recorded late.

    Parameters
    ----------
    before, after : DealBook
        The earlier and the later one, read by the same process and with the same ids.

    Returns
    -------
    Extracts

    Raises
    ------
    SchemaError
        The processes differ, ``after`` is not the later one, they share no deal, or most deals have other ids.
    """
    if before.process.id != after.process.id or before.state_codes != after.state_codes:
        raise SchemaError(f"Both extracts must follow one process, got {before.process.id} and {after.process.id}.")
    if after.extracted_day <= before.extracted_day:
        raise SchemaError(
            f"after must be the later extract; before ends on {to_date(before.extracted_day)}, after on "
            f"{to_date(after.extracted_day)}. State extracted_on in book.yaml, or change their order."
        )
    deals = _deals(before, after)
    renamed = renamed_deals(before, after, deals)
    if not set(before.deals["deal_id"]) & set(after.deals["deal_id"]):
        raise SchemaError("The two extracts share no deal_id: are they of one pipeline, with ids that stay?")
    signed = fit_arrivals(after, as_of=to_date(after.extracted_day)).sign_by_age
    age = (after.extracted_day - deals["created_day"]).clip(0, len(signed) - 1).astype("int64")
    deals["p_signed"] = pd.Series(signed[age], deals.index).where(deals["what"].eq("late"))
    return Extracts(
        before_on=to_date(before.extracted_day),
        after_on=to_date(after.extracted_day),
        rows=compare_rows(before, after, deals.set_index("deal_id")["what"]),
        facts=compare_facts(before, after),
        deals=deals.drop(columns=["created_day", "end_day"]),
        lags=_lags(deals, before.extracted_day, after.extracted_day),
        renamed=renamed,
    )


def _deals(before: DealBook, after: DealBook) -> pd.DataFrame:
    """Deals of either extract; days of the later one that has them."""
    sides = [_standing(book).set_index("deal_id") for book in (before, after)]
    was, now = (side.reindex(sides[0].index.union(sides[1].index)) for side in sides)
    refused = [was.index.isin(book.set_aside["deal_id"].dropna()) for book in (before, after)]
    created = now["created_day"].fillna(was["created_day"])
    only_before, only_after = now["state"].isna(), was["state"].isna()
    late = only_after & (created <= before.extracted_day)
    cases = [
        (only_before & refused[1], "set_aside_after"),
        (only_before, "vanished"),
        (only_after & refused[0], "set_aside_before"),
        (late, "late"),
        (only_after, "new"),
    ]
    what = np.select([case for case, _ in cases], [name for _, name in cases], default="both")
    table = pd.DataFrame(
        {
            "what": what,
            "created_on": to_timestamps(created),
            "stage": now["stage"].where(~only_before, was["stage"]),
            "state_before": was["state"],
            "state_after": now["state"],
            "end_before_on": to_timestamps(was["end_day"]),
            "end_after_on": to_timestamps(now["end_day"]),
            "amount": now["amount"].where(~only_before, was["amount"]),
            "days_late": (before.extracted_day + 1 - created).where(what == "late"),
            "created_day": created,
            "end_day": now["end_day"],
        }
    )
    return table.rename_axis("deal_id").reset_index()


def _standing(book: DealBook) -> pd.DataFrame:
    """How every deal stands at the end of a book: ``deal_id``, ``state``, ``stage``, ``created_day``, ``end_day``."""
    day = book.extracted_day
    known = collect(book, states(book, [day]).select("deal", "as_of_day", "state", "stage", "created_day"))
    ends = known_outcomes(book, day)[["deal_id", "end", "end_day"]]
    ends["end_day"] = ends["end_day"].where(ends["end"].ne(OPEN)).astype(float)
    money = amounts(book, [day])[["deal_id", "amount"]]
    return known.drop(columns="as_of_day").merge(ends.drop(columns="end"), on="deal_id").merge(money, on="deal_id")


def _lags(deals: pd.DataFrame, before_day: int, after_day: int) -> pd.DataFrame:
    """Recording lag of deals and of signings."""
    judged = deals[deals["what"].isin(DEALS_OF_AFTER) & deals["what"].ne("set_aside_before")]
    won = judged[judged["state_after"].eq("won")]
    parts = []
    for kind, day, known in (
        ("created", judged["created_day"], judged["what"].eq("both")),
        ("won", won["end_day"], won["state_before"].eq("won")),
    ):
        past = (day <= before_day).to_numpy()
        age = (before_day - day[past]).to_numpy(dtype="int64")
        curve = lag_curve(age, known[past].to_numpy(dtype=float), gap_days=after_day - before_day)
        curve.insert(0, "kind", kind)
        parts.append(curve)
    return pd.concat(parts, ignore_index=True)
