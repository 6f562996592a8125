"""Were the conditions of a stage met before it was left? Deal by deal, and by rep, team, stage, quarter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.errors import InsufficientDataError, SchemaError
from salesanalytics.process import Process
from salesanalytics.reps.compliance_rates import compliance_rates
from salesanalytics.timeline.calendar import as_of_day, quarter_of
from salesanalytics.timeline.conditions import DONE, UNDONE, WAIVED, condition_ticks, last_stage_visits
from salesanalytics.timeline.openings import owned_on, owner_spells

GROUPS = ("rep_id", "team", "stage", "condition", "quarter")
BULK_TICKS, BULK_MINUTES = 5, 10
BULK_SHARE, BULK_FEWEST = 0.6, 3
#: What can become of a condition: those that earn, those that are due and earn nothing, those that are not due.
EARNING, FAILING, NOT_DUE = (DONE,), ("missing", UNDONE, "late", "back_filled", "bulk"), (WAIVED, "not_applicable")


@dataclass(frozen=True)
class Compliance:
    """Conditions as they stood when each stage was left.

    Attributes
    ----------
    conditions : DataFrame
        One row a deal, stage it was in, and condition of that stage: ``deal_id``, ``stage``, ``condition``,
        ``rep_id`` (owner when the stage was left), ``team``, ``quarter`` (of leaving), ``entered_day``, ``left_day``
        (``as_of`` while the stage lasts), ``left_to`` (passed, back, ended, open), ``status``, ``evidence`` (buyer,
        seller, none; None unless done), ``weight``, ``due`` (the weight, 0 where not due), ``earned`` (weight x
        evidence factor, where done).
    rates : DataFrame
        One row a group, see `condition_compliance`.
    tally : DataFrame
        ``status``, ``counts`` (earned, failed, not_due), then how many rows there are for each ``left_to``, and ``n``.
        Sums to the rows of ``conditions``.
    by : str
    recorded : bool
        Whether the book says when ticks were typed in; if not, late and back-filled ones cannot be seen.
    """

    conditions: pd.DataFrame
    rates: pd.DataFrame
    tally: pd.DataFrame
    by: str
    recorded: bool


def condition_compliance(book: DealBook, *, as_of: Any, by: str = "rep_id", confidence: float = 0.9) -> Compliance:
    """Which conditions were met, with what evidence, before each stage was left for the last time.

    A condition counts if it stood as done in the records of the day on which the stage was left; of a stage that
    lasts, of ``as_of``. ``back_filled``: typed in later, dated before; ``late``: dated later as well; ``bulk``: ticked
    with at least four others within ten minutes, or on the day of leaving with at least 60 % (and three) of the
    conditions of its stage; ``undone``: taken back; ``missing``: none of this, or waived after the stage was left. All
    these are due and earn nothing. ``waived`` by then and ``not_applicable`` (another procurement route) are not due.
    A stage that a deal jumped over asks for nothing.

    Parameters
    ----------
    book : DealBook
    as_of : date
        End of that day, inclusive.
    by : str
        ``rep_id``, ``team`` (today's team of the rep), ``stage``, ``condition`` or ``quarter``.
    confidence : float
        Of the intervals.

    Returns
    -------
    Compliance
        ``rates`` has one row a group: ``<by>``; ``n_deals``, ``n_stages``, ``n_conditions`` of stages passed;
        ``score`` (weight earned / weight due in stages passed), ``shrunk``, ``lower``, ``upper`` (drawn to the score
        of all, deals as clusters), ``confidence``; ``buyer_share`` (of what was done, by weight, proved by the buyer);
        ``late_share`` (late and back-filled, of what is due, by weight), ``bulk_share``; ``n_ended``, ``ended_score``
        (stages in which the deal was lost), ``n_open``, ``open_score`` (stages that last).

    Raises
    ------
    InsufficientDataError
        The book has no conditions.
    SchemaError
        ``by`` is something else.
    """
    if by not in GROUPS:
        raise SchemaError(f"by must be one of {', '.join(GROUPS)}, got {by!r}.")
    ticks = condition_ticks(book, as_of=as_of)
    if ticks.empty:
        raise InsufficientDataError(f"The book has no conditions (history field condition) known at {as_of}.")
    rows = _judged(_asked(book, as_of), ticks)
    rows["due"] = rows["weight"].where(~rows["status"].isin(NOT_DUE), 0.0)
    factor = rows["evidence"].map(dict(book.process.evidence_factor)).astype(float)
    rows["earned"] = (rows["weight"] * factor).where(rows["status"].isin(EARNING), 0.0)
    rows = _owned(book, rows, as_of)
    columns = ["deal_id", "stage", "condition", "rep_id", "team", "quarter", "entered_day", "left_day", "left_to"]
    rows = rows[[*columns, "status", "evidence", "weight", "due", "earned"]]
    rates = compliance_rates(rows, by=by, confidence=confidence)
    return Compliance(rows, rates, _tally(rows), by, book.told_when_recorded(as_of_day(book, as_of)))


def condition_table(process: Process) -> pd.DataFrame:
    """Conditions of a process: ``stage``, ``condition``, ``weight``, ``routes``."""
    found = [(s.id, c.id, float(c.weight), c.routes) for s in process.stages for c in s.conditions]
    return pd.DataFrame(found, columns=["stage", "condition", "weight", "routes"])


def _asked(book: DealBook, as_of: Any) -> pd.DataFrame:
    """Deals x stages x conditions, with whether the condition applies to the deal's procurement route."""
    visits = last_stage_visits(book, as_of=as_of)
    table = condition_table(book.process)
    rows = visits.merge(table.drop(columns="routes"), on="stage", how="inner")
    route = rows["deal_id"].map(book.deals.set_index("deal_id")["route"])
    limited = table[table["routes"].map(len) > 0]
    pairs = {(condition, r) for condition, routes in zip(limited["condition"], limited["routes"], strict=True)
             for r in routes}  # fmt: skip
    of_route = pd.MultiIndex.from_arrays([rows["condition"], route.fillna("")]).isin(list(pairs) or [("", "-")])
    return rows.assign(applies=~rows["condition"].isin(limited["condition"]) | of_route)


def _judged(asked: pd.DataFrame, ticks: pd.DataFrame) -> pd.DataFrame:
    """Adds ``status`` and ``evidence``: what the records of the day of leaving said, and what came after."""
    key = ["deal_id", "condition"]
    found = asked[[*key, "left_day"]].merge(ticks.assign(bulk=_at_one_instant(ticks)), on=key)
    in_time = found["known_day"] <= found["left_day"]
    then = found[in_time].drop_duplicates(key, keep="last").drop(columns="left_day")
    after = found[~in_time & found["mark"].eq(DONE)].drop_duplicates(key)  # waived afterwards is still missing
    after = after.assign(after=np.where(after["day"] <= after["left_day"], "back_filled", "late"))
    rows = asked.merge(then, on=key, how="left").merge(after[[*key, "after"]], on=key, how="left")
    done = rows["mark"].eq(DONE) & rows["applies"]
    bulk = done & (rows["bulk"].eq(1) | _on_the_last_day(rows, done))
    cases = {
        "not_applicable": ~rows["applies"],
        "bulk": bulk,
        DONE: done,
        WAIVED: rows["mark"].eq(WAIVED),
        UNDONE: rows["mark"].eq(UNDONE),
        "back_filled": rows["after"].eq("back_filled"),
        "late": rows["after"].eq("late"),
    }
    rows["status"] = np.select(list(cases.values()), list(cases), "missing")
    rows["evidence"] = rows["evidence"].where(rows["status"].eq(DONE), None)
    return rows


def _at_one_instant(ticks: pd.DataFrame) -> np.ndarray:
    """Ticks of a deal of which at least five were typed in within ten minutes; needs the time of day."""
    done = ticks[ticks["mark"].eq(DONE) & ticks["typed_at"].notna()].sort_values(["deal_id", "typed_at"], kind="stable")
    deal = pd.factorize(done["deal_id"])[0]
    minute = done["typed_at"].to_numpy().astype("datetime64[s]").astype("int64") / 60
    first, found = np.arange(max(len(done) - BULK_TICKS + 1, 0)), np.zeros(len(done), dtype=bool)
    last = first + BULK_TICKS - 1
    first = first[(deal[first] == deal[last]) & (minute[last] - minute[first] <= BULK_MINUTES)]
    for step in range(BULK_TICKS):
        found[first + step] = True
    marked = pd.Series(found, done.index)
    return marked.reindex(ticks.index, fill_value=False).to_numpy()


def _on_the_last_day(rows: pd.DataFrame, done: pd.Series) -> pd.Series:
    """Conditions of a stage most of which are dated on the day on which it was left."""
    last = done & rows["day"].eq(rows["left_day"]) & rows["left_to"].ne("open")
    stage = [rows["deal_id"], rows["stage"]]
    n_last, n_asked = (flag.groupby(stage).transform("sum") for flag in (last, rows["applies"]))
    return last & (n_last >= BULK_FEWEST) & (n_last >= BULK_SHARE * n_asked)


def _owned(book: DealBook, rows: pd.DataFrame, as_of: Any) -> pd.DataFrame:
    """Adds who owned the deal when the stage was left, his team, and the quarter of leaving."""
    rep = owned_on(owner_spells(book, as_of=as_of), rows["deal_id"], rows["left_day"])
    teams = book.reps.drop_duplicates("rep_id").set_index("rep_id")["team"] if "team" in book.reps else {}
    start = book.settings.fiscal_year_start
    days = rows["left_day"].clip(upper=as_of_day(book, as_of))
    names = {day: quarter_of(int(day), fiscal_year_start=start).name for day in days.unique()}
    rep_id = pd.Series(rep, rows.index, dtype=object)
    return rows.assign(rep_id=rep_id, team=rep_id.map(teams).astype(object), quarter=days.map(names))


def _tally(rows: pd.DataFrame) -> pd.DataFrame:
    order = {
        status: counts
        for counts, kinds in (("earned", EARNING), ("failed", FAILING), ("not_due", NOT_DUE))
        for status in kinds
    }
    left = ["passed", "back", "ended", "open"]
    counted = pd.crosstab(rows["status"], rows["left_to"]).reindex(index=list(order), columns=left, fill_value=0)
    counted.columns.name = None
    table = counted.reset_index().rename(columns={"index": "status"})
    table.insert(1, "counts", table["status"].map(order))
    return table.assign(n=table[left].sum(axis=1))
