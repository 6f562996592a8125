"""What proposed percentages, each made from what was known then, would have done to past weighted pipelines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import SchemaError
from salesanalytics.models.metrics import at_least_1
from salesanalytics.models.nominal_rates import propose_nominal_rates
from salesanalytics.models.stage_rates import nominal_rate
from salesanalytics.models.stage_table import StageTable
from salesanalytics.timeline import amounts, known_outcomes, quarter_of
from salesanalytics.timeline.asof_values import amounts_at
from salesanalytics.timeline.calendar import as_of_day, to_date
from salesanalytics.timeline.replay import OPEN, collect
from salesanalytics.timeline.spells import open_deals


@dataclass(frozen=True)
class RatesEffect:
    """What proposed percentages would have done to past weighted pipelines; result of `nominal_rates_effect`.

    Attributes
    ----------
    quarters : DataFrame, one row a quarter and method (``nominal``, ``proposed``)
        ``quarter``, ``made_on`` (last day before it: nothing later is in the percentages), ``method``; ``n_deals``
        (open then), ``n_vanished`` (more of them, left out: no longer seen, and nobody knows what came of them),
        ``n_undecided`` (of those still open on ``as_of`` with time left to the horizon),
        ``n_without_amount`` (counted, but in no amount); ``count`` and ``amount`` (weighted); ``count_signed``,
        ``amount_signed`` (what these deals signed by ``as_of``, within the horizon, with their last known amounts);
        ``count_to_come``, ``amount_to_come`` (what the undecided ones are expected to sign until the horizon, by the
        stage table of ``as_of``); ``count_error``, ``amount_error`` = weighted less (signed + to come).
    methods : DataFrame, one row a method
        ``method``, ``n_quarters``; ``count_bias``, ``amount_bias`` (mean error), ``count_ratio``, ``amount_ratio``
        (all weighted / all signed and to come), ``count_miss``, ``amount_miss`` (mean absolute error).
    proposals : DataFrame, one row a quarter and state
        ``quarter``, ``made_on``, then the columns of `propose_nominal_rates`.
    horizon_days : int
        Days within which a signing counts.
    unit : str
        Of the amounts.
    """

    quarters: pd.DataFrame
    methods: pd.DataFrame
    proposals: pd.DataFrame
    horizon_days: int
    unit: str


def nominal_rates_effect(book: DealBook, *, as_of: Any, quarters: int = 8, horizon_days: int = 730) -> RatesEffect:
    """What proposals, each made from what was known at a quarter's start, would have said of the pipeline then.

    On the last day before each of the last quarters that are over, all open deals are weighted twice: by the nominal
    rates of their stage (a deal on hold: of its last stage), and by the percentages that `propose_nominal_rates`
    would have given on that day (a deal on hold: by that of the pause). Both are held against what those same deals
    signed within the horizon. Of the late quarters much is not decided on ``as_of``; what is still to come of it is
    expected by the stage table, from the state and age of each deal on ``as_of``. Neighbouring quarters share deals,
    so eight are not eight trials.

    Parameters
    ----------
    book : DealBook
    as_of : date
    quarters : int
        How many quarters; those in which no deal was open at the start are left out.
    horizon_days : int

    Returns
    -------
    RatesEffect

    Raises
    ------
    SchemaError
        ``quarters`` is not positive, or the process has no nominal rates, or not of every stage.
    AsOfError
        ``as_of`` lies after the end of the book.
    """
    at_least_1(quarters, "quarters")
    nominal = {stage: nominal_rate(book, stage) for stage in book.process.stage_ids}
    if all(np.isnan(rate) for rate in nominal.values()):
        raise SchemaError("The process has no nominal win rates to compare with.")
    if without := [stage for stage, rate in nominal.items() if np.isnan(rate)]:
        raise SchemaError(
            f"The process has no nominal win rate of {', '.join(without)}: what nominal rates would have said of past "
            "pipelines cannot be told. State them as nominal_win_rate of these stages."
        )
    day = as_of_day(book, as_of)
    last = quarter_of(day + 1, fiscal_year_start=book.settings.fiscal_year_start)
    periods = [last.back(k) for k in range(quarters, 0, -1)]
    pipeline = _with_outcomes(book, _pipeline(book, [p.start_day - 1 for p in periods]), day, horizon_days)
    rows, proposals = [], []
    for period in periods:
        then = pipeline[pipeline["as_of_day"] == period.start_day - 1]
        n_vanished, then = int(then["vanished"].sum()), then[~then["vanished"]]
        if not len(then):
            continue
        made_on = to_date(period.start_day - 1)
        proposal = propose_nominal_rates(book, as_of=made_on, horizon_days=horizon_days)
        head = {"quarter": period.name, "made_on": pd.Timestamp(made_on)}
        proposals.append(proposal.assign(**head)[[*head, *proposal]])
        rows += [head | row for row in _weighted_twice(then, n_vanished, nominal, proposal)]
    if not rows:
        return _nothing_open(book, pipeline, nominal, as_of=as_of, horizon_days=horizon_days)
    table = pd.DataFrame(rows)
    found = pd.concat(proposals, ignore_index=True)
    return RatesEffect(table, _by_method(table), found, horizon_days, book.settings.unit)


def _weighted_twice(
    then: pd.DataFrame, n_vanished: int, nominal: dict[str, float], proposal: pd.DataFrame
) -> list[dict[str, Any]]:
    """Deals open at a quarter's start by nominal and by proposed rates, a row each."""
    by_state = proposal.set_index("stage")["proposed"]
    proposed = then["state"].map(by_state).fillna(then["stage"].map(by_state))
    rates = {"nominal": then["stage"].map(nominal), "proposed": proposed}
    return [
        {"method": method, "n_vanished": n_vanished} | _held_against(then, rate.fillna(0.0))
        for method, rate in rates.items()
    ]


def _nothing_open(
    book: DealBook, pipeline: pd.DataFrame, nominal: dict[str, float], *, as_of: Any, horizon_days: int
) -> RatesEffect:
    """Where no deal stood open at the start of any quarter: tables without rows, with the columns of one that had."""
    proposal = propose_nominal_rates(book, as_of=as_of, horizon_days=horizon_days)
    head = {"quarter": "", "made_on": pd.NaT}
    table = pd.DataFrame([head | row for row in _weighted_twice(pipeline.iloc[:0], 0, nominal, proposal)])
    proposals = proposal.assign(**head)[[*head, *proposal]]
    tables = table.iloc[:0], _by_method(table).iloc[:0], proposals.iloc[:0]
    return RatesEffect(*tables, horizon_days, book.settings.unit)


def _pipeline(book: DealBook, days: list[int]) -> pd.DataFrame:
    """Deals open on each day, with their amounts of then."""
    deals = collect(book, open_deals(book, days=days).select("deal", "as_of_day", "state", "stage"))
    amount = amounts_at(book, deal_ids=deals["deal_id"], days=deals["as_of_day"])
    return deals.assign(amount=amount.to_numpy())


def _with_outcomes(book: DealBook, deals: pd.DataFrame, day: int, horizon_days: int) -> pd.DataFrame:
    """Adds what was signed since, and what the undecided deals are expected to sign, as seen from a day.

    ``vanished``: undecided and no longer seen, so that nobody knows what came of them.
    """
    known = known_outcomes(book, day)[["deal_id", "end", "end_day"]]
    known = known.merge(amounts(book, [day])[["deal_id", "amount"]], on="deal_id", how="left")
    deals = deals.merge(known.rename(columns={"amount": "amount_last"}), on="deal_id", how="left")
    last_day = deals["as_of_day"] + horizon_days
    deals["signed"] = deals["end"].eq("won") & (deals["end_day"] <= last_day)
    left = last_day - day
    now = collect(book, open_deals(book, days=[day]).select("deal", "as_of_day", "state", "since_day"))
    now["days_in_state"] = day - now.pop("since_day")
    deals["undecided"] = deals["deal_id"].isin(now["deal_id"]) & (left > 0)
    gone = deals["end"].eq(OPEN) & ~deals["deal_id"].isin(now["deal_id"])
    deals["vanished"] = gone & (deals["end_day"] < last_day)
    deals["to_come"] = 0.0
    asked = np.unique(left[deals["undecided"]])
    if len(asked):
        p, _, _ = StageTable().fit(book, as_of=to_date(day)).predict(now, horizon_days=asked, confidence=None)
        row = pd.Index(now["deal_id"]).get_indexer(deals.loc[deals["undecided"], "deal_id"])
        deals.loc[deals["undecided"], "to_come"] = p[row, np.searchsorted(asked, left[deals["undecided"]])]
    return deals


def _held_against(deals: pd.DataFrame, rate: pd.Series) -> dict[str, float]:
    priced = deals["amount"].notna()
    found: dict[str, float] = {
        "n_deals": len(deals),
        "n_undecided": int(deals["undecided"].sum()),
        "n_without_amount": int((~priced).sum()),
    }
    one = pd.Series(1.0, index=deals.index)
    for measure, then, last in (("count", one, one), ("amount", deals["amount"], deals["amount_last"].where(priced))):
        parts = {"": rate * then, "_signed": deals["signed"] * last, "_to_come": deals["to_come"] * last}
        found |= {f"{measure}{kind}": float(values.sum()) for kind, values in parts.items()}
        came = found[f"{measure}_signed"] + found[f"{measure}_to_come"]
        found[f"{measure}_error"] = found[measure] - came
    return found


def _by_method(table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for method, part in table.groupby("method"):
        row: dict[str, Any] = {"method": method, "n_quarters": len(part)}
        for measure in ("count", "amount"):
            error, said = part[f"{measure}_error"], part[measure].sum()
            came = said - error.sum()
            row |= {f"{measure}_bias": error.mean(), f"{measure}_miss": error.abs().mean()}
            row[f"{measure}_ratio"] = said / came if came > 0 else np.nan
        rows.append(row)
    return pd.DataFrame(rows)
