"""The committed sample: a simulated company written as the files of a book, without its truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.simulate.company import simulate_book

N_DEALS, SEED = 1500, 20260930
TARGET_QUARTERS = 8
TARGET_MEMORY, STRETCH, STEP = 8, 1.25, 1e5
_BOOK_YAML = """# A simulated company (no real person, customer or deal); see README.md.
extracted_on: {extracted_on}
currency: CNY
attributes: [product, region, source, route, deal_class]
"""


def write_sample(folder: str | Path, *, n_deals: int = N_DEALS, seed: int = SEED) -> Path:
    """Write a simulated company: ``deals``, ``history``, ``reps``, ``accounts``, ``targets`` (csv.gz), ``book.yaml``.

    The same call writes the same bytes before compression. The truth stays out.

    Returns
    -------
    Path
        The folder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    book = simulate_book(n_deals=n_deals, seed=seed)
    columns = ["deal_id", "changed_at", "recorded_at", "field", "value", "who", "evidence"]
    deals = ["deal_id", "created_at", "name", "account_id", "rep_id", "amount", "currency", "product", "region"]
    tables = {
        "deals": book.deals[[*deals, "source", "route", "deal_class"]],
        "history": book.history[columns],  # in the order of what happened, which settles equal days
        "reps": book.reps[["rep_id", "name", "team", "region", "manager_id", "hired_at"]],
        "accounts": book.accounts[["account_id", "name"]],
        "targets": make_targets(book),
    }
    for name, table in tables.items():
        path = folder / f"{name}.csv.gz"
        written = {"index": False, "float_format": "%.0f", "lineterminator": "\n"}
        table.to_csv(path, compression={"method": "gzip", "compresslevel": 9, "mtime": 0}, **written)
    (folder / "book.yaml").write_text(_BOOK_YAML.format(extracted_on=book.settings.extracted_on), encoding="utf-8")
    return folder


def make_targets(book: DealBook) -> pd.DataFrame:
    """Targets of the last eight quarters, the coming one included, by team and rep.

    Management asks every team for 25 % more than its mean of the eight quarters before (two years, so that a few weak
    quarters do not make an easy target), and shares it out evenly, in whole 100,000 a rep.
    """
    history = book.history
    won = history[history["field"].eq("stage") & history["value"].eq("won")].groupby("deal_id")["changed_at"].max()
    amounts = history[history["field"].eq("amount")].groupby("deal_id")["value"].last().astype(float)
    first = book.deals.set_index("deal_id")
    amount = amounts.reindex(won.index).fillna(first["amount"].reindex(won.index))
    team_of = book.reps.set_index("rep_id")["team"]
    team = first["rep_id"].reindex(won.index).map(team_of)
    signed = pd.DataFrame({"quarter": won.dt.to_period("Q"), "team": team, "amount": amount})
    by_team = signed.pivot_table(index="quarter", columns="team", values="amount", aggfunc="sum", fill_value=0.0)
    by_team = by_team.reindex(columns=sorted(team_of.unique()), fill_value=0.0)
    last = pd.Period(book.settings.extracted_on, freq="Q") + 1
    rows = []
    for quarter in pd.period_range(last - TARGET_QUARTERS + 1, last, freq="Q"):
        before = pd.period_range(quarter - TARGET_MEMORY, quarter - 1, freq="Q")
        mean = by_team.reindex(before, fill_value=0.0).mean()
        for name, asked in (mean * STRETCH).items():
            reps = book.reps.loc[book.reps["team"].eq(name), "rep_id"]
            each = max(np.ceil(asked / len(reps) / STEP), 1.0) * STEP
            rows.append((str(quarter), None, name, each * len(reps)))
            rows += [(str(quarter), rep, None, each) for rep in reps]
    return pd.DataFrame(rows, columns=["quarter", "rep_id", "team", "amount"])
