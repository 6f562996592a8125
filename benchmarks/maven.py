"""A book without signal: the fictitious CRM of Maven Analytics ("CRM Sales Opportunities").

Run: python benchmarks/maven.py FOLDER   (half a minute; writes nothing)
FOLDER holds sales_pipeline.csv and sales_teams.csv, which are not part of this package: no licence is stated. One
stage, no history but two dates a deal; nothing ends before March 2017 (late entry), and many deals never end. Asked on
30 June 2017: how many of the open deals are won in the third quarter, how many of those that are older than any deal
that had ended, and whether the model could tell won from lost deals.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import yaml

from salesanalytics import CloseModel, make_book, snapshots
from salesanalytics.book import DealBook
from salesanalytics.process import read_process
from salesanalytics.report.sentences import signal_text

AS_OF, UNTIL, FIRST_END = "2017-06-30", "2017-09-30", "2017-03-01"


def read_crm(folder: Path) -> tuple[DealBook, pd.DataFrame]:
    """The book, and the table of deals that were engaged: ``won_on`` a date or NaT, ``ended_on``."""
    table = pd.read_csv(folder / "sales_pipeline.csv", parse_dates=["engage_date", "close_date"])
    table = table[table["engage_date"].notna()].rename(columns={"opportunity_id": "deal_id", "sales_agent": "rep_id"})
    columns = {"engage_date": "created_at", "account": "account_id"}
    deals = table.rename(columns=columns)[["deal_id", "created_at", "rep_id", "product", "account_id"]]
    engaged = table.assign(changed_at=table["engage_date"], value="Engaging")
    ended = table[table["close_date"].notna()]
    ended = ended.assign(changed_at=ended["close_date"], value=ended["deal_stage"].str.lower())
    history = pd.concat([engaged, ended])[["deal_id", "changed_at", "value"]].assign(field="stage")
    reps = pd.read_csv(folder / "sales_teams.csv")
    reps = reps.rename(columns={"sales_agent": "rep_id", "manager": "manager_id", "regional_office": "region"})
    with TemporaryDirectory() as temporary:
        file = Path(temporary, "process.yaml")
        file.write_text(yaml.safe_dump({"stages": ["Engaging"], "end_states": ["won", "lost"]}), encoding="utf-8")
        process, settings = read_process(file), {"observed_from": FIRST_END}
        book = make_book(deals=deals, history=history, reps=reps, process=process, settings=settings)
    won_on = table["close_date"].where(table["deal_stage"].eq("Won"))
    return book, table.assign(won_on=won_on, ended_on=table["close_date"]).set_index("deal_id")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    book, table = read_crm(parser.parse_args().folder)
    model, asked = CloseModel().fit(book, as_of=AS_OF), snapshots(book, as_of=AS_OF)
    told = model.predict(asked, until=UNTIL, confidence=None)
    open_deals = table.loc[asked["deal_id"]]
    over = table[table["ended_on"] <= AS_OF]
    longest = (over["ended_on"] - over["engage_date"]).dt.days.max()
    oldest = (pd.Timestamp(AS_OF) - open_deals["engage_date"]).dt.days.to_numpy() > longest
    came = (open_deals["won_on"] <= UNTIL).to_numpy()
    print(f"{model.rung_.name}; {len(asked):,} open deals, {came.sum()} of them won in the quarter")
    for name, which in (("all", came | True), (f"older than {longest} days", oldest)):
        table_p, p = (told.loc[which, name].sum() for name in ("p_stage_table", "p_won_until"))
        print(f"{name}: {which.sum()}; expected {p:.1f} (stage table {table_p:.1f}), came {came[which].sum()}")
    signal = model.won_or_lost()
    print(signal_text(signal, "en") if signal else "The stage table does not tell deals of an age apart.", signal)


if __name__ == "__main__":
    main()
