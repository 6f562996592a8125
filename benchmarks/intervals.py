"""Do the intervals of single chances hold what large books say of the same deals?

Run: python benchmarks/intervals.py   (about four minutes; writes nothing)
The mean of four close models, each learned from another 10,000 deals of the simulated company, stands for the truth
that a history could tell: one alone would bring the good or bad times of its own last year. Deals older than any that
was won are left out. Prints the share of deals whose interval holds that chance, and the mean chance that the model,
the large books and the simulator (which knows the hidden facts) give.
"""

from __future__ import annotations

import pandas as pd

from salesanalytics import CloseModel, simulate_book, snapshots

LARGE, LARGE_SEEDS = 10_000, (900, 907, 908, 909)
BOOKS = {800: (901, 902, 903, 904, 911, 912), 3_000: (905, 906)}  # deals, seeds
WEEKS = (13, 52)
MATTERS = 0.05


def judge(n_deals: int, seed: int, large: list[CloseModel]) -> pd.DataFrame:
    """One row an open deal and horizon: ``held``, ``below`` (the truth lies below the interval), ``matters``, and the
    chances ``p`` (of the book), ``p_large`` and ``p_true`` (of the simulator).
    """
    book = simulate_book(n_deals=n_deals, seed=seed)
    as_of = book.settings.extracted_on
    model, asked = CloseModel().fit(book, as_of=as_of), snapshots(book, as_of=as_of)
    parts = []
    for weeks in WEEKS:
        until = pd.Timestamp(as_of) + pd.Timedelta(weeks=weeks)
        found = model.predict(asked, until=until)
        told = [model.predict(asked, until=until, confidence=None)["p_won_until"] for model in large]
        true = pd.concat(told, axis=1).mean(axis=1)
        part = pd.DataFrame({"n_deals": n_deals, "weeks": weeks, "below": true < found["p_lower"]})
        part["p"], part["p_large"] = found["p_won_until"], true
        part["p_true"] = book.truth.true_p(asked["deal_id"], as_of=as_of, until=until)
        part["held"] = true.between(found["p_lower"], found["p_upper"])
        part["matters"] = (true > MATTERS) | (found["p_won_until"] > MATTERS)
        part["width"] = found["p_upper"] - found["p_lower"]
        parts.append(part[~found["older_than_any_win"]])
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    books = [simulate_book(n_deals=LARGE, seed=seed) for seed in LARGE_SEEDS]
    large = [CloseModel().fit(book, as_of=book.settings.extracted_on) for book in books]
    rows = pd.concat([judge(n, seed, large) for n, seeds in BOOKS.items() for seed in seeds], ignore_index=True)
    kinds = {"all open deals": rows, f"one of the two chances above {MATTERS:.0%}": rows[rows["matters"]]}
    for which, part in kinds.items():
        table = part.groupby(["n_deals", "weeks"]).agg(
            deals=("held", "size"), held=("held", "mean"), below=("below", "mean"), width=("width", "mean"),
            p=("p", "mean"), p_large=("p_large", "mean"), p_true=("p_true", "mean"),
        )  # fmt: skip
        print(f"\n{which}: 80 % intervals\n{table.round(2).to_string()}")


if __name__ == "__main__":
    main()
