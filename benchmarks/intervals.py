"""Do the intervals of single chances hold what a large book says of the same deals?

Run: python benchmarks/intervals.py   (about four minutes; writes nothing)
A close model learned from 10,000 deals of the simulated company stands for the truth that a book of its history could
tell; deals older than any that was won are left out. Prints the share of deals whose interval holds that chance.
"""

from __future__ import annotations

import pandas as pd

from salesanalytics import CloseModel, simulate_book, snapshots

LARGE, LARGE_SEED = 10_000, 900
BOOKS = {800: (901, 902, 903, 904), 3_000: (905, 906)}  # deals, seeds
WEEKS = (13, 52)
MATTERS = 0.05


def judge(n_deals: int, seed: int, truth: CloseModel) -> pd.DataFrame:
    """One row an open deal and horizon: ``held``, ``below`` (the truth lies below the interval), ``matters``."""
    book = simulate_book(n_deals=n_deals, seed=seed)
    as_of = book.settings.extracted_on
    model, asked = CloseModel().fit(book, as_of=as_of), snapshots(book, as_of=as_of)
    parts = []
    for weeks in WEEKS:
        until = pd.Timestamp(as_of) + pd.Timedelta(weeks=weeks)
        found = model.predict(asked, until=until)
        true = truth.predict(asked, until=until, confidence=None)["p_won_until"]
        part = pd.DataFrame({"n_deals": n_deals, "weeks": weeks, "below": true < found["p_lower"]})
        part["held"] = true.between(found["p_lower"], found["p_upper"])
        part["matters"] = (true > MATTERS) | (found["p_won_until"] > MATTERS)
        part["width"] = found["p_upper"] - found["p_lower"]
        parts.append(part[~found["older_than_any_win"]])
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    large = simulate_book(n_deals=LARGE, seed=LARGE_SEED)
    truth = CloseModel().fit(large, as_of=large.settings.extracted_on)
    rows = pd.concat([judge(n, seed, truth) for n, seeds in BOOKS.items() for seed in seeds])
    kinds = {"all open deals": rows, f"one of the two chances above {MATTERS:.0%}": rows[rows["matters"]]}
    for which, part in kinds.items():
        table = part.groupby(["n_deals", "weeks"]).agg(
            deals=("held", "size"), held=("held", "mean"), below=("below", "mean"), width=("width", "mean")
        )
        print(f"\n{which}: 80 % intervals\n{table.round(2).to_string()}")


if __name__ == "__main__":
    main()
