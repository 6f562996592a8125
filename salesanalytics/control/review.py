"""All of deal control at a date, for the page that a manager opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control.anomalies import Anomalies, find_anomalies
from salesanalytics.control.clock_table import clock_table
from salesanalytics.control.clocks import deal_clocks
from salesanalytics.control.customers import CustomerSheet, customer_sheet
from salesanalytics.control.key_people import KeyPersonRisk, key_person_risk
from salesanalytics.control.losses import LossReasons, loss_reasons
from salesanalytics.control.similar import SimilarDeals, similar_won_deals
from salesanalytics.control.tasks import next_tasks
from salesanalytics.process import Process
from salesanalytics.timeline.calendar import as_of_day, to_date


@dataclass(frozen=True)
class DealReview:
    """Deal control at a date.

    Attributes
    ----------
    as_of : date
    unit : str
        Of the amounts.
    process : Process
    clocks, cells : DataFrame
        `deal_clocks` and `clock_table`.
    anomalies : Anomalies
    record : DataFrame or None
        `backtest_rules`, where it was given.
    tasks : DataFrame
        `next_tasks`.
    similar : tuple of SimilarDeals
        Of the open deals with the largest expected amount.
    losses : LossReasons
    customers : CustomerSheet
    key_people : KeyPersonRisk
    deal_names, rep_names : dict
        Names of deals and of reps by id, of those that have one.
    """

    as_of: date
    unit: str
    process: Process
    clocks: pd.DataFrame
    cells: pd.DataFrame
    anomalies: Anomalies
    record: pd.DataFrame | None
    tasks: pd.DataFrame
    similar: tuple[SimilarDeals, ...]
    losses: LossReasons
    customers: CustomerSheet
    key_people: KeyPersonRisk
    deal_names: dict[str, str]
    rep_names: dict[str, str]

    def __repr__(self) -> str:
        return f"<DealReview as of {self.as_of}: {len(self.clocks):,} deals, {len(self.tasks):,} tasks>"


def review_deals(
    book: DealBook,
    *,
    as_of: Any,
    effects: pd.DataFrame | None = None,
    record: pd.DataFrame | None = None,
    n_similar: int = 3,
) -> DealReview:
    """Where each deal really is, what is wrong, what to do next, and what past deals teach.

    Parameters
    ----------
    book : DealBook
    as_of : date
    effects : DataFrame, optional
        ``effects`` of `condition_effects` as of the same date, for the tasks.
    record : DataFrame, optional
        `backtest_rules` as of the same date, to be shown beside the rules; it takes longer than all the rest.
    n_similar : int
        Open deals, by expected amount, of which similar won deals are looked for.

    Returns
    -------
    DealReview

    Raises
    ------
    AsOfError
        ``as_of`` lies after the end of the book.
    """
    key_people = key_person_risk(book, as_of=as_of)
    largest = key_people.deals.nlargest(n_similar, "expected_amount")["deal_id"]
    return DealReview(
        as_of=to_date(as_of_day(book, as_of)),
        unit=book.settings.unit,
        process=book.process,
        clocks=deal_clocks(book, as_of=as_of),
        cells=clock_table(book, as_of=as_of),
        anomalies=find_anomalies(book, as_of=as_of),
        record=record,
        tasks=next_tasks(book, as_of=as_of, effects=effects),
        similar=tuple(similar_won_deals(book, as_of=as_of, deal_id=deal) for deal in largest),
        losses=loss_reasons(book, as_of=as_of),
        customers=customer_sheet(book, as_of=as_of),
        key_people=key_people,
        deal_names=book.deal_names,
        rep_names=book.rep_names,
    )
