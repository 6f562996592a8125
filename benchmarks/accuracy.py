"""Ours beside what a user would pick instead, on simulated books whose true chances are known.

Run: python benchmarks/accuracy.py [--sizes 800 3000 10000] [--seeds 101 102 103 104 105] [--methods "ours" ...]
Prints a table a size; a run of all methods also writes them to ``benchmarks/RESULTS.md``. Peers that the product does
without are installed for it: pip install comprisk hazardous scikit-survival (hours with them, minutes without).
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from peers import METHODS, Task
from threadpoolctl import threadpool_limits

from salesanalytics import simulate_book

RESULTS = Path(__file__).parent / "RESULTS.md"
START, END = "<!-- accuracy.py writes from here -->", "<!-- to here -->"
WEEKS = (13, 52)
SCORES = ("rmse", "log_loss")
COLUMNS = {
    (score, weeks): f"{name} {weeks} w"
    for score, name in zip(SCORES, ("RMSE", "log loss"), strict=True)
    for weeks in WEEKS
}
CERTAIN = 0.001  # chances are kept this far from 0 and 1 for the log loss: some peers say 0
PACKAGES = ("scikit-learn", "lifelines", "comprisk", "hazardous", "scikit-survival")
TRUTH, OURS, TABLE = "the truth itself", "ours", "stage table"

ABOUT = (
    "Books of `simulate_book`; every deal open on 2026-09-30 gets its chance of being signed within 13 and 52 weeks. "
    "RMSE: to the chance that the simulator gives it, hidden facts included, so nobody reaches 0 (that chance comes "
    "from 400 futures a deal, which alone makes about .012 and .017). Log loss: on what then happened; chances are "
    "kept within .001 to .999. Means over the books. All learn from the same landmark snapshots, the peers with "
    "medians for what is missing, indicators of categories, all scaled. s: CPU seconds of fit and prediction, median "
    "of the books; ours makes its landmarks in them. Last row: mean difference to the best peer +- its standard error."
)
CHOICES = (
    "Chosen for the peers: logistic: signed within the horizon, from deals that are over. HistGradientBoosting: one a "
    "horizon, from landmarks watched that long. Cox and the scikit-survival forest know no competing ends: one model "
    "for signing and one for the other ends, put together; Cox with penalizer .1 (at .01 it diverges), the forest on "
    "weeks and at most 10,000 landmarks. SurvivalBoost: at most 5,000 landmarks. Fine-Gray: without columns that are "
    "sums of others. Naive Bayes: as Odoo describes its lead scoring, which names no date. All else is the default."
)


def judge(p: np.ndarray, truth: np.ndarray, signed: np.ndarray) -> list[dict[str, Any]]:
    """Scores of chances (n_deals, n_horizons), one row a horizon."""
    kept = np.clip(p, CERTAIN, 1 - CERTAIN)
    loss = -np.log(np.where(signed, kept, 1 - kept)).mean(axis=0)
    rmse = np.sqrt(((p - truth) ** 2).mean(axis=0))
    return [{"weeks": w, "rmse": r, "log_loss": x} for w, r, x in zip(WEEKS, rmse, loss, strict=True)]


def run_book(n_deals: int, seed: int, methods: list[str]) -> list[dict[str, Any]]:
    """All methods on one book, one row a method and horizon."""
    book = simulate_book(n_deals=n_deals, seed=seed)
    as_of = pd.Timestamp(book.settings.extracted_on)
    untils = [as_of + pd.Timedelta(weeks=w) for w in WEEKS]
    task = Task(book, as_of, tuple(7 * w for w in WEEKS))
    ids = task.asked["deal_id"]
    truth = np.column_stack([book.truth.true_p(ids, as_of=as_of, until=until) for until in untils])
    ends = [book.truth.state_at(until).set_index("deal_id")["end"].loc[ids] for until in untils]
    signed = np.column_stack([end.eq("won") for end in ends])
    of_book = {"n_deals": n_deals, "seed": seed, "n_open": len(ids), "n_rows": len(task.encoded[0])}
    rows = [{**of_book, "method": TRUTH, **score} for score in judge(truth, truth, signed)]
    for method in methods:
        started = time.process_time()
        try:
            p = METHODS[method][0](task)
        except Exception as error:  # one peer that fails must not end hours of work
            print(f"{n_deals} {seed} {method}: failed, {error!r}", file=sys.stderr, flush=True)
            continue
        seconds = time.process_time() - started
        scores = judge(p, truth, signed)
        rows += [{**of_book, "method": method, "seconds": seconds, **score} for score in scores]
        told = ", ".join(f"{s['weeks']} w RMSE {s['rmse']:.4f} log loss {s['log_loss']:.4f}" for s in scores)
        print(f"{n_deals} {seed} {method}: {told}, {seconds:.1f} s", file=sys.stderr, flush=True)
    return rows


def compare(found: pd.DataFrame) -> pd.DataFrame:
    """Ours against its best peer (smallest mean over the books, methods that failed on a book left out).

    Returns
    -------
    DataFrame, one row a size, score and horizon
        ``n_deals``, ``score``, ``weeks``, ``peer``, ``difference`` (mean of ours - peer), ``se`` (of that mean, over
        books), ``ours``, ``table`` (means).
    """
    rows = []
    for (n_deals, weeks), part in found[found["method"].ne(TRUTH)].groupby(["n_deals", "weeks"]):
        for score in SCORES:
            by_book = part.pivot(index="seed", columns="method", values=score).dropna(axis=1)
            if OURS not in by_book or by_book.shape[1] == 1:
                continue
            mean = by_book.mean()
            peer = mean.drop(OURS).idxmin()
            gap = by_book[OURS] - by_book[peer]
            row = {"n_deals": n_deals, "score": score, "weeks": weeks, "peer": peer, "difference": gap.mean()}
            rows.append({**row, "se": gap.sem(), "ours": mean[OURS], "table": mean.get(TABLE, np.nan)})
    return pd.DataFrame(rows)


def text(found: pd.DataFrame, methods: list[str], sizes: list[int], seeds: list[int]) -> str:
    """The section of RESULTS.md."""
    compared = compare(found)
    peers = ", ".join(f"{name} {version(name)}" for name in PACKAGES if _installed(name))
    lines = [
        "## Accuracy against peers: simulated truth",
        "",
        f"`python benchmarks/accuracy.py --sizes {_words(sizes)} --seeds {_words(seeds)}`, {peers}; one thread.",
        "",
        ABOUT,
        "",
        CHOICES,
        "",
        *verdict(compared),
    ]
    for n_deals in sizes:
        lines += ["", *_table(found[found["n_deals"].eq(n_deals)], compared, methods)]
    return "\n".join(lines)


def verdict(compared: pd.DataFrame) -> list[str]:
    """In how many comparisons ours is ahead, level or behind, and which are the latter."""
    if compared.empty:
        return []
    ahead = compared["difference"] <= 0
    level = ~ahead & (compared["difference"] <= compared["se"])
    behind = compared[~ahead & ~level]
    over = compared[compared["ours"] > compared["table"]]
    told = f"Of {len(compared)} comparisons ours is the best in {ahead.sum()}, within one standard error of the best "
    told += f"peer in {level.sum()}, behind it in {len(behind)}{_listed(behind)}; worse than the stage table in "
    return [told + f"{len(over)}{_listed(over)}."]


def _listed(compared: pd.DataFrame) -> str:
    names = [f"{row.n_deals:,} deals {COLUMNS[row.score, row.weeks]}" for row in compared.itertuples()]
    return f" ({'; '.join(names)})" if names else ""


def _table(found: pd.DataFrame, compared: pd.DataFrame, methods: list[str]) -> list[str]:
    n_deals, n_seeds = found["n_deals"].iloc[0], found["seed"].nunique()
    head = [f"{n_deals:,} deals, {n_seeds} books, {_span(found['n_open'])} open, {_span(found['n_rows'])} landmarks"]
    lines = ["| " + " | ".join([*head, *COLUMNS.values(), "s"]) + " |", "|---" * (len(COLUMNS) + 2) + "|"]
    for method in (*methods, TRUTH):
        part = found[found["method"].eq(method)]
        cells = [method if part["seed"].nunique() == n_seeds else f"{method}: {_missing(method, part, n_seeds)}"]
        means = part.groupby("weeks")[list(SCORES)].mean()
        cells += [_short(means[score].get(weeks, np.nan)) for score, weeks in COLUMNS]
        cells.append(f"{part['seconds'].median():.1f}" if part["seconds"].notna().any() else "")
        lines.append("| " + " | ".join(f"**{c}**" if method == OURS and c else c for c in cells) + " |")
    own = compared[compared["n_deals"].eq(n_deals)].set_index(["score", "weeks"]) if len(compared) else compared
    if len(own):
        gaps = [own.loc[key] for key in COLUMNS]
        cells = [f"{_short(g['difference'], signed=True)} +- {_short(g['se'])} ({g['peer']})" for g in gaps]
        lines.append("| " + " | ".join(["ours - best peer", *cells, ""]) + " |")
    return lines


def _missing(method: str, part: pd.DataFrame, n_seeds: int) -> str:
    needs = METHODS[method][1]
    if needs is not None and find_spec(needs) is None:
        return "not installed"
    return f"failed on {n_seeds - part['seed'].nunique()} of {n_seeds}"


def _short(x: float, *, signed: bool = False) -> str:
    """Three decimals without the leading zero; empty for nothing."""
    told = "" if np.isnan(x) else f"{x:{'+' if signed else ''}.3f}"
    return told.replace("0.", ".", 1) if abs(x) < 1 else told


def _span(values: pd.Series) -> str:
    low, high = values.min(), values.max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _words(numbers: list[int]) -> str:
    return " ".join(str(n) for n in numbers)


def _installed(package: str) -> bool:
    return find_spec({"scikit-learn": "sklearn", "scikit-survival": "sksurv"}.get(package, package)) is not None


def write(section: str) -> None:
    """Put the section between the two markers of RESULTS.md, at its end the first time."""
    page = RESULTS.read_text(encoding="utf-8")
    if START not in page:
        page = f"{page.rstrip()}\n\n{START}\n{END}\n"
    before, rest = page.split(START, 1)
    after = rest.split(END, 1)[1]
    RESULTS.write_text(f"{before}{START}\n{section}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[800, 3_000, 10_000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103, 104, 105])
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS), metavar="METHOD")
    given = parser.parse_args()
    sys.path.remove(str(Path(__file__).parent))  # its coverage.py hides the package that a peer imports
    ready = [m for m in given.methods if METHODS[m][1] is None or find_spec(METHODS[m][1])]
    with threadpool_limits(limits=1):
        rows = [row for n in given.sizes for seed in given.seeds for row in run_book(n, seed, ready)]
    section = text(pd.DataFrame(rows), given.methods, given.sizes, given.seeds)
    print(section)
    if set(given.methods) == set(METHODS):
        write(section)


if __name__ == "__main__":
    main()
