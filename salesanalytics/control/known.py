"""What was known at a date of every open deal: the one thing all rules of deal control read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.control.stays import held_days, stays
from salesanalytics.models.stage_table import StageTable
from salesanalytics.process import Process
from salesanalytics.timeline import amounts, outcomes, owners
from salesanalytics.timeline.calendar import Period, as_of_day, quarter_of, to_date
from salesanalytics.timeline.evidence import fields_known, known_rows
from salesanalytics.timeline.replay import OPEN, collect
from salesanalytics.timeline.spells import open_deals

FACTS = ("deal_id", "name", "account_id", "route", "deal_class", "product")
#: An activity in which the customer took part, and one in which only we did.
WITH_CUSTOMER = ("call_in", "mail_in", "visit", "meeting")
OUTBOUND = ("call_out", "mail_out")


@dataclass(frozen=True, eq=False)
class Known:
    """A book as of a date, the way rules read it.

    Attributes
    ----------
    book : DealBook
    day : int
        The date, in days since 1970-01-01, as all days here.
    deals : DataFrame, one row an open (or paused) deal, indexed by its position ``deal`` in ``book.deals``
        ``deal_id``, ``name``, ``account_id``, ``route``, ``deal_class``, ``product``, ``rep_id`` (owner), ``amount``,
        ``created_day``, ``known_from``, ``state``, ``stage`` (the seller's last; None: never in one), ``s`` (its
        order), ``on_hold``, ``entry_rank`` (order of the first stage), ``since_day`` (of the state),
        ``entered_day`` (of the stage) and ``days`` in it (holds left out: d_s).
    ended : DataFrame, one row a deal that had ended, indexed the same way
        The facts, ``rep_id``, ``amount``, ``created_day``, ``end`` (state), ``end_day``.
    vanished : DataFrame, one row a deal that is no longer seen and has no known end, indexed the same way
        The facts, ``rep_id``, ``amount``, ``created_day``.
    stays, holds : DataFrame
        Of all known deals, ended ones too, see `stays`.
    fields : DataFrame
        Fields of which something was known, see `fields_known`.
    """

    book: DealBook
    day: int
    deals: pd.DataFrame
    ended: pd.DataFrame
    vanished: pd.DataFrame
    stays: pd.DataFrame
    holds: pd.DataFrame
    fields: pd.DataFrame
    _rows: dict[str, pd.DataFrame] = field(default_factory=dict)
    _chances: dict[tuple[int, bool], pd.Series] = field(default_factory=dict)

    @property
    def process(self) -> Process:
        """The sales process of the book."""
        return self.book.process

    def rows(self, name: str) -> pd.DataFrame:
        """Known rows of a field, open deals only, in order; see `known_rows`."""
        if name not in self._rows:
            self._rows[name] = known_rows(self.book, name, day=self.day, deals=self.deals.index.to_numpy())
        return self._rows[name]

    def all_rows(self, name: str) -> pd.DataFrame:
        """Known rows of a field of all deals, ended ones too."""
        if f"all {name}" not in self._rows:
            self._rows[f"all {name}"] = known_rows(self.book, name, day=self.day)
        return self._rows[f"all {name}"]

    def on_deals(self, values: pd.Series, missing: Any = np.nan) -> pd.Series:
        """A series by deal, on the index of ``deals``."""
        return values.reindex(self.deals.index, fill_value=missing)

    def last(self, name: str, column: str = "value") -> pd.Series:
        """Last known value of a field, by open deal; missing where it was emptied."""
        return self.on_deals(_last(self.rows(name), column))

    def last_of_all(self, name: str) -> pd.Series:
        """Last known value of a field, of all deals that had one, ended ones too; missing where it was emptied."""
        return _last(self.all_rows(name), "value")

    def first_day(self, rows: pd.DataFrame) -> pd.Series:
        """First day of some rows, by open deal."""
        return self.on_deals(rows.groupby("deal")["day"].min())

    def last_day(self, rows: pd.DataFrame) -> pd.Series:
        """Last day of some rows, by open deal."""
        return self.on_deals(rows.groupby("deal")["day"].max())

    def days_since(self, since: pd.Series) -> pd.Series:
        """Days from a day (by open deal) to the date, holds left out."""
        return self.day - since - held_days(self.holds, since, self.day)

    def quarter(self, offset: int = 0) -> Period:
        """The fiscal quarter of the date, or one that many later."""
        return quarter_of(self.day, fiscal_year_start=self.book.settings.fiscal_year_start).back(-offset)

    @cached_property
    def b(self) -> pd.Series:
        """Order of the last confirmed buyer stage, NaN where none was stated."""
        order = {stage.id: float(stage.order) for stage in self.process.buyer_stages}
        return self.last("buyer_stage").map(order).astype(float)

    @cached_property
    def m(self) -> pd.Series:
        """Highest k with M1..Mk all done; NaN where the book keeps no milestones."""
        if "milestone" not in self.fields.index:
            return pd.Series(np.nan, self.deals.index)
        reached = self.in_row_days.notna().sum(axis=1)
        return reached.astype(float)

    @cached_property
    def milestone_days(self) -> pd.DataFrame:
        """First day of each milestone (columns: order of its stage), by open deal; NaN: not done."""
        rank = {s.milestone.id: s.order for s in self.process.stages if s.milestone}
        rows = self.rows("milestone")
        table = rows.assign(k=rows["value"].map(rank)).pivot_table(
            index="deal", columns="k", values="day", aggfunc="min"
        )
        return table.reindex(index=self.deals.index, columns=sorted(rank.values())).astype(float)

    @cached_property
    def in_row_days(self) -> pd.DataFrame:
        """Day since which the milestones up to each one are all done; NaN: they are not."""
        days = self.milestone_days
        complete = np.maximum.accumulate(days.fillna(np.inf).to_numpy(), axis=1)
        return pd.DataFrame(np.where(np.isinf(complete), np.nan, complete), days.index, days.columns)

    @cached_property
    def steps(self) -> pd.DataFrame:
        """How s, b and m moved: ``deal``, ``day``, ``s``, ``b``, ``m`` after each move, by deal and day."""
        order = {stage.id: float(stage.order) for stage in self.process.buyer_stages}
        here = self.stays[self.stays["deal"].isin(self.deals.index)]
        s = here[["deal", "entered_day", "stage"]].set_axis(["deal", "day", "s"], axis=1)
        b = self.rows("buyer_stage")[["deal", "day"]].assign(b=self.rows("buyer_stage")["value"].map(order))
        parts = [s, b]
        if "milestone" in self.fields.index:
            m = self.in_row_days.stack().rename("day").rename_axis(["deal", "k"]).reset_index()
            m["m"] = m["k"].map({k: i for i, k in enumerate(self.in_row_days.columns, start=1)}).astype(float)
            nothing = pd.DataFrame({"deal": self.deals.index, "day": self.deals["created_day"], "m": 0.0})
            parts += [nothing, m[["deal", "day", "m"]]]
        moves = pd.concat(parts, ignore_index=True).sort_values(["deal", "day"], kind="stable", ignore_index=True)
        moves[["s", "b", "m"]] = moves.reindex(columns=["s", "b", "m"]).groupby(moves["deal"]).ffill()
        return moves.groupby(["deal", "day"], as_index=False)[["s", "b", "m"]].last()

    def since(self, holds_now: pd.Series) -> pd.Series:
        """First day of the present run of True, by open deal, of a column of truth on the rows of ``steps``."""
        deal = self.steps["deal"]
        true = holds_now.to_numpy(dtype=bool)
        starts = true & ~pd.Series(true).groupby(deal).shift(fill_value=False).to_numpy()
        begun = self.steps["day"].where(starts).groupby(deal).ffill().where(true)
        return self.on_deals(begun.groupby(deal).nth(-1).set_axis(deal.drop_duplicates(keep="last")))

    @cached_property
    def conditions(self) -> pd.DataFrame:
        """The last known word on each condition of an open deal.

        ``deal``, ``condition``, ``done``, ``waived``, ``day`` (first of the present word), ``evidence``.
        """
        rows = self.rows("condition")
        said = {value: value.partition(":") for value in rows["value"].unique()}
        condition, word = (rows["value"].map({value: parts[k] for value, parts in said.items()}) for k in (0, 2))
        each = [rows["deal"], condition]
        begins = word.ne(word.groupby(each).shift())
        day = rows["day"].where(begins).groupby(each).ffill()
        table = rows.assign(condition=condition, done=word.eq(""), waived=word.eq("waived"), day=day)
        table = table.drop_duplicates(["deal", "condition"], keep="last")
        return table[["deal", "condition", "done", "waived", "day", "evidence"]].reset_index(drop=True)

    @cached_property
    def closed_days(self) -> pd.DataFrame:
        """Day on which each condition (columns) was done or waived, by open deal; NaN: it stands open."""
        table = self.conditions[self.conditions["done"] | self.conditions["waived"]]
        ids = list(self.process.condition_ids)
        days = np.full((len(self.deals), len(ids)), np.nan)
        place = table["condition"].map({c: k for k, c in enumerate(ids)}).to_numpy(dtype=int)
        days[self.deals.index.get_indexer(table["deal"]), place] = table["day"]
        return pd.DataFrame(days, self.deals.index, ids)

    @cached_property
    def applies(self) -> pd.DataFrame:
        """Whether each condition (columns) applies to an open deal: its procurement route is among those named."""
        conditions = [c for s in self.process.stages for c in s.conditions]
        route = self.deals["route"]
        columns = {c.id: route.isin(c.routes) if c.routes else np.ones(len(route), dtype=bool) for c in conditions}
        return pd.DataFrame(columns, index=route.index)

    @cached_property
    def owned(self) -> pd.DataFrame:
        """Owner and amount of every known deal, vanished ones too, by position."""
        return self.everyone[["rep_id", "amount"]]

    @cached_property
    def everyone(self) -> pd.DataFrame:
        """Facts, ``rep_id`` and ``amount`` of every known deal, open, ended or vanished, by position."""
        columns = [*FACTS, "rep_id", "amount"]
        return pd.concat([part[columns] for part in (self.deals, self.ended, self.vanished)])

    @cached_property
    def won_stays(self) -> pd.DataFrame:
        """Stays of deals that had been won, with ``deal_class`` and ``product``."""
        won = self.ended.index[self.ended["end"].eq("won")]
        part = self.stays[self.stays["deal"].isin(won) & self.stays["left_day"].notna()]
        return part.join(self.ended[["deal_class", "product", "end_day"]], on="deal")

    @cached_property
    def table(self) -> StageTable:
        """Chance of signing by state and days in it, from what was known at the date."""
        return StageTable(half_life_days=float("inf")).fit(self.book, as_of=to_date(self.day))

    def p_won(self, horizon_days: int, *, fresh: bool = False) -> pd.Series:
        """Chance of every open deal to be won within some days, by the stage table; ``fresh``: as if just entered."""
        key = (horizon_days, fresh)
        if key not in self._chances:
            days = 0 if fresh else self.day - self.deals["since_day"]
            asked = pd.DataFrame({"state": self.deals["state"], "days_in_state": days})
            won, _, _ = self.table.predict(asked, horizon_days=[horizon_days], confidence=None)
            self._chances[key] = pd.Series(won[:, 0], self.deals.index)
        return self._chances[key]


def know(book: DealBook, *, as_of: Any) -> Known:
    """Gather what was known at the end of a date."""
    day = as_of_day(book, as_of)
    codes = book.state_codes
    names = np.array([None, *codes], dtype=object)
    columns = ["deal", "state", "since_day", "stage", "created_day", "known_from", "entry_rank"]
    standing = open_deals(book, days=[day]).select(*columns).collect("pyarrow").to_native().to_pandas()
    standing = standing.set_index("deal").sort_index().rename(columns={"stage": "s"})
    facts = _facts(book, day)
    n_stages, n_pauses = len(book.process.stages), len(book.process.pause_states)
    rows = known_rows(book, "stage", day=day)[["deal", "day", "code"]]
    silent = standing.index.difference(rows["deal"].unique())
    unsaid = pd.DataFrame({"deal": silent, "day": standing.loc[silent, "created_day"].to_numpy(), "code": 1})
    rows = pd.concat([rows, unsaid]).sort_values("deal", kind="stable", ignore_index=True).astype("int64")
    found, holds = stays(rows, n_stages=n_stages, n_pauses=n_pauses, day=day)
    now = found.drop_duplicates("deal", keep="last").set_index("deal")[["entered_day", "days"]]
    deals = standing.join(facts).join(now)
    deals["on_hold"] = deals["state"] > n_stages
    deals["state"], deals["stage"] = (names[deals[name].to_numpy(dtype=int)] for name in ("state", "s"))
    deals["s"] = deals["s"].where(deals["s"] > 0)
    stands = outcomes(book, [day]).drop("as_of_day").with_columns(position=nw.col("deal"))
    known = collect(book, stands).set_index("position").drop(columns=["deal_id", "known_from"]).rename_axis("deal")
    is_open = known["end"].eq(OPEN)
    ended, gone = known[~is_open].join(facts), known[is_open & ~known.index.isin(deals.index)]
    vanished = gone.drop(columns=["end", "end_day"]).join(facts)
    return Known(book, day, deals, ended, vanished, found, holds, fields_known(book, day=day))


def roles_reached(contacts: pd.DataFrame) -> pd.DataFrame:
    """Rows of contacts with a role; that somebody left (``DM:left``) is none."""
    return contacts[~contacts["value"].str.contains(":", regex=False, na=True).astype(bool)]


def _last(rows: pd.DataFrame, column: str) -> pd.Series:
    return rows.drop_duplicates("deal", keep="last").set_index("deal")[column]


def _facts(book: DealBook, day: int) -> pd.DataFrame:
    """Facts, owner and amount of every known deal, by position."""
    position = pd.Series(np.arange(len(book.deals)), index=book.deals["deal_id"])
    table = book.deals.reindex(columns=list(FACTS)).set_axis(range(len(book.deals)), axis=0)
    for found, name in ((amounts(book, [day]), "amount"), (owners(book, [day]), "rep_id")):
        table[name] = pd.Series(found[name].to_numpy(), index=position.loc[found["deal_id"]].to_numpy())
    return table
