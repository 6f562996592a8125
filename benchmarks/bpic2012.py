"""Chances on an event log of another trade: loan applications of the BPI Challenge 2012.

Run: python benchmarks/bpic2012.py bpic2012.csv.gz   (about a minute; writes nothing)
The log (doi:10.4121/uuid:3926db30-f712-4394-aebc-75976070e91f, as a flat file) is not part of this package: no licence
is stated. Every activity is a stage, the first approval is the signing, a decline or a cancellation the other end;
what follows an end, and what was only scheduled, is left out. The model is fitted once, on what was known at the end of
14 January 2012, and asked on the open cases of the end of 14, 21 and 28 January.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import yaml

from salesanalytics import CloseModel, make_book, snapshots
from salesanalytics.book import DealBook
from salesanalytics.models import auc, brier
from salesanalytics.process import read_process
from salesanalytics.timeline import known_outcomes

FITTED_ON, ASKED_ON = "2012-01-14", ("2012-01-14", "2012-01-21", "2012-01-28")
EDGES = (0, 1, 2, 3, 5, 7, 10, 14, 21, 30)
HORIZONS = (7, 14, 30)
ENDS = {
    **dict.fromkeys(("A_APPROVED", "A_REGISTERED", "A_ACTIVATED"), "won"),
    "A_DECLINED": "declined",
    "A_CANCELLED": "cancelled",
}


def read_log(path: Path) -> DealBook:
    log = pd.read_csv(path, dtype=str)
    log = log[log["lifecycle:transition"].ne("SCHEDULE")].rename(
        columns={"case:concept:name": "deal_id", "time:timestamp": "changed_at", "case:AMOUNT_REQ": "amount"}
    )
    log["changed_at"] = log["changed_at"].str.slice(0, 23)  # local time
    log["value"] = log["concept:name"].map(ENDS).fillna(log["concept:name"])
    is_end = log["value"].isin(ENDS.values())
    log = log[~is_end.groupby(log["deal_id"]).cumsum().sub(is_end).astype(bool)]  # up to the first end
    stages = log.loc[~log["value"].isin(ENDS.values()), "value"].drop_duplicates()
    first = log.groupby("deal_id", as_index=False)[["changed_at", "amount"]].first()
    deals = first.rename(columns={"changed_at": "created_at"})
    history = log[["deal_id", "changed_at", "value"]].assign(field="stage")
    process = {"stages": stages.tolist(), "end_states": ["won", "declined", "cancelled"]}
    with TemporaryDirectory() as folder:
        file = Path(folder, "process.yaml")
        file.write_text(yaml.safe_dump(process), encoding="utf-8")
        return make_book(deals=deals, history=history, process=read_process(file))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path)
    book = read_log(parser.parse_args().log)
    chosen = CloseModel(edges=EDGES, every_days=7).fit(book, as_of=FITTED_ON).rung_.name
    model = CloseModel(edges=EDGES, every_days=7, rung="blend").fit(book, as_of=FITTED_ON)  # it has all methods
    asked = snapshots(book, as_of=ASKED_ON)
    ends = known_outcomes(book, book.extracted_day).set_index("deal_id").loc[asked["deal_id"]]
    days = ends["end_day"].to_numpy() - asked["as_of"].to_numpy().astype("datetime64[D]").astype("int64")
    won_after = np.where(ends["end"].eq("won"), days, np.inf)
    print(f"{chosen} in use; {len(asked):,} open cases, {(won_after <= HORIZONS[-1]).sum()} of them approved in time")
    for method in ("stage_table", "logistic", "boosting", "blend"):
        p, _ = model.curves(asked, days=HORIZONS, rung=method)
        for k, horizon in enumerate(HORIZONS):
            won = won_after <= horizon
            scores = f"AUC {auc(p[:, k], won):.3f}, Brier {brier(p[:, k], won):.4f}"
            print(f"{method}, {horizon} days: {scores}, expected {p[:, k].sum():.0f}, came {won.sum()}")


if __name__ == "__main__":
    main()
