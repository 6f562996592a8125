"""A project-sales company with known truth: its book, and everything the book does not say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook, make_book
from salesanalytics.process import Process, read_process
from salesanalytics.simulate import records
from salesanalytics.simulate.facts import NEW_DAYS, Reps, account_name, draw_deals, draw_reps
from salesanalytics.simulate.habits import back_dated, habit_rows
from salesanalytics.simulate.params import Company
from salesanalytics.simulate.state import ENDS, OPEN, State, quarter_index
from salesanalytics.simulate.truth import FUTURE_DAYS, Truth, to_day
from salesanalytics.simulate.walk import walk


def simulate_book(*, n_deals: int, seed: int, company: Company | None = None) -> DealBook:
    """Simulate a company that sells industrial projects by the built-in eight-stage process.

    Parameters
    ----------
    n_deals : int
        Projects opened between ``company.start`` and ``company.end``.
    seed : int
        Same number, same company.
    company : Company, optional
        Its parameters.

    Returns
    -------
    DealBook
        As it stood at the end of ``company.end``, with `Truth` as ``book.truth``.
    """
    company = company or Company()
    process = read_process()
    facts_rng, shock_rng, record_rng = (np.random.default_rng([seed, k]) for k in (0, 2, 3))
    reps = draw_reps(company, facts_rng)
    deals, start, done = draw_deals(company, reps, process, n_deals, facts_rng)
    first_day, end_day = to_day(company.start), to_day(company.end)
    quarters = range(quarter_index(first_day), quarter_index(end_day + FUTURE_DAYS) + 1)
    shock = {q: float(shock_rng.normal(0, company.walk.shock)) for q in quarters}
    state = start.take(np.arange(len(deals)))
    log: records.Log = []
    path_rng = np.random.default_rng([seed, 1])
    log_day, last_day = end_day + NEW_DAYS, end_day + FUTURE_DAYS
    walk(state, company.walk, first_day=first_day, last_day=log_day, shock=shock, rng=path_rng, log=log)
    back_rng = np.random.default_rng([seed, 4])
    history = _history(log, deals, start, done, reps, company, log_day, process, record_rng, back_rng)
    walk(state, company.walk, first_day=log_day + 1, last_day=last_day, shock=shock, rng=path_rng)
    book = _book(deals, history, reps, company, end_day, process)
    truth = Truth(
        deals=_true_deals(deals, start, state, history),
        reps=reps.table[["rep_id"]].assign(skill=reps.skill, discipline=reps.discipline, optimism=reps.optimism),
        back_dated=_true_back_dating(deals, history),
        effective_conditions=company.reps.effective_conditions,
        shock={f"{1970 + q // 4}Q{q % 4 + 1}": s for q, s in shock.items()},
        company=company,
        _start=start,
        _seed=seed,
        _first_day=first_day,
        _shock=shock,
    )
    return replace(book, truth=truth)


def _history(
    log: records.Log, deals: pd.DataFrame, start: State, done: np.ndarray, reps: Reps, company: Company, end_day: int,
    process: Process, rng: np.random.Generator, back_rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    rows = records.Rows()
    visits = records.path_rows(rows, log, deals, start.stage, process)
    records.buyer_rows(rows, log, deals, start.buyer, process, rng)
    records.work_rows(rows, visits, done, company, end_day, process, rng)
    records.people_rows(rows, visits, deals, end_day, process, rng)
    habit_rows(rows, visits, deals, reps, company, end_day, process, rng)
    return back_dated(records.record(rows.table(), deals, company, rng), visits, company.reps.back_date, back_rng)


def _book(
    deals: pd.DataFrame, history: pd.DataFrame, reps: Reps, company: Company, end_day: int, process: Process
) -> DealBook:
    """Cut to what was recorded by the end, and hand it through the door like any other data."""
    seen = history[(history["recorded_day"] <= end_day) & (history["day"] <= end_day)]
    seen = seen.sort_values(["changed_at", "deal"], kind="stable")
    ids = deals["deal_id"].to_numpy(dtype=object)
    table = pd.DataFrame(
        {
            "deal_id": ids[seen["deal"].to_numpy()],
            "changed_at": seen["changed_at"].to_numpy(),
            "recorded_at": seen["recorded_at"].to_numpy(),
            "field": seen["field"].to_numpy(),
            "value": seen["value"].to_numpy(),
            "who": seen["who"].to_numpy(),
            "evidence": seen["evidence"].to_numpy(),
        }
    )
    known = deals[deals["deal_id"].isin(table["deal_id"])]
    facts = known.drop(columns=["rep", "quality", "created_day"])
    facts.insert(1, "created_at", known["created_day"].to_numpy().astype("datetime64[D]").astype("datetime64[s]"))
    facts.insert(4, "rep_id", reps.table["rep_id"].to_numpy(dtype=object)[known["rep"].to_numpy()])
    facts["currency"] = "CNY"
    numbers = sorted({int(a[1:]) - 1 for a in known["account_id"]})
    accounts = pd.DataFrame(
        {"account_id": [f"A{a + 1:04d}" for a in numbers], "name": [account_name(a) for a in numbers]}
    )
    settings = {"extracted_on": company.end, "currency": "CNY"}
    return make_book(deals=facts, history=table, reps=reps.table, accounts=accounts, settings=settings, process=process)


def _true_back_dating(deals: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    rows = history[history["back_dated"] > 0].drop_duplicates(["deal", "back_dated"])
    typed = rows["recorded_day"].to_numpy().astype("datetime64[D]").astype("datetime64[s]")
    ids = deals["deal_id"].to_numpy(dtype=object)[rows["deal"].to_numpy()]
    return pd.DataFrame({"deal_id": ids, "stage": rows["back_dated"].to_numpy(), "typed_on": typed})


def _true_deals(deals: pd.DataFrame, start: State, final: State, history: pd.DataFrame) -> pd.DataFrame:
    amounts = history[history["field"].eq("amount")].sort_values("day", kind="stable").groupby("deal")["value"].last()
    ended = final.end != OPEN
    end_on = pd.Series(final.end_day.astype("datetime64[D]").astype("datetime64[s]")).where(ended)
    return pd.DataFrame(
        {
            "deal_id": deals["deal_id"],
            "created_on": deals["created_day"].to_numpy().astype("datetime64[D]").astype("datetime64[s]"),
            "amount": amounts.astype(float).reindex(deals.index).fillna(deals["amount"]),
            "quality": deals["quality"],
            "fast_track": start.fast,
            "end": [ENDS.get(int(e), "open") for e in final.end],
            "end_on": end_on,
            "dead": final.dead,
        }
    )
