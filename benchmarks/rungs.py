"""Where on the ladder does a book belong? Every rung on books of 30 to 2,000 closed deals, against the true chances.

Run: python benchmarks/rungs.py [--seeds 12]   (about ten minutes on one core; writes nothing)
Books of `simulate_book`, asked on their last day about every open deal: the chance to be signed within 91 and 364 days.
What is told is the mean log loss that the true chances make of it (cross entropy; the simulator's chances, hidden facts
included) less that of the stage table: below 0 is better. The mean over the books, with its standard error.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from coverage import shown

from salesanalytics import CloseModel, simulate_book, snapshots
from salesanalytics.timeline.calendar import to_date

#: Closed deals -> deals of a company of five years that has about as many; books: fewer of the large ones.
SIZES = {30: 45, 60: 85, 150: 200, 400: 500, 2_000: 2_400}
DAYS = (91, 364)
METHODS = ("stage_table", "logistic", "blend", "in use")
LEAST = 0.001


def losses(n_deals: int, seed: int) -> pd.DataFrame:
    """Cross entropy of each method on one book, by horizon."""
    book = simulate_book(n_deals=n_deals, seed=20_000 + seed)
    as_of = to_date(book.extracted_day)
    asked = snapshots(book, as_of=as_of)
    model, whole = CloseModel().fit(book, as_of=as_of), CloseModel(rung="blend").fit(book, as_of=as_of)
    said = {m: whole.curves(asked, days=DAYS, rung=m)[0] for m in METHODS[:3]}
    said["in use"] = model.curves(asked, days=DAYS)[0]
    rows = []
    for k, days in enumerate(DAYS):
        until = to_date(book.extracted_day + days)
        true = book.truth.true_p(asked["deal_id"], as_of=as_of, until=until, draws=200)
        for method, p in said.items():
            chance = np.clip(p[:, k], LEAST, 1 - LEAST)
            loss = -(true * np.log(chance) + (1 - true) * np.log(1 - chance)).mean()
            rows.append({"days": days, "method": method, "loss": loss})
    rung = model.rung_
    return pd.DataFrame(rows).assign(seed=seed, rung=rung.name, closed=rung.n_closed, n_open=len(asked))


def row(found: pd.DataFrame, size: int) -> dict[str, object]:
    """One size: rungs used, and each method less the stage table."""
    books = found.drop_duplicates("seed")
    rungs = ", ".join(f"{name} {n}" for name, n in books["rung"].value_counts().items())
    told: dict[str, object] = {"closed deals": f"{size} ({books['closed'].min()} to {books['closed'].max()})"}
    told |= {"open": int(books["n_open"].mean()), "books": len(books), "rungs in use": rungs}
    for days in DAYS:
        table = found[found["days"].eq(days)].pivot_table(index="seed", columns="method", values="loss")
        told[f"table, {days} d"] = f"{table['stage_table'].mean():.3f}"
        for method in METHODS[1:]:
            less = table[method] - table["stage_table"]
            told[f"{method}, {days} d"] = f"{less.mean():+.3f} +- {less.std() / np.sqrt(len(less)):.3f}"
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12)
    n_seeds = parser.parse_args().seeds
    rows = []
    for size, n_deals in SIZES.items():
        seeds = range(n_seeds if size < 1_000 else max(n_seeds // 3, 2))
        rows.append(row(pd.concat([losses(n_deals, seed) for seed in seeds]), size))
        print(rows[-1], flush=True)
    shown(pd.DataFrame(rows))


if __name__ == "__main__":
    main()
