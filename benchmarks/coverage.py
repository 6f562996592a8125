"""Does the forecast's interval hold? The engine alone, the full pipeline on simulated companies, skill, and the draws.

Run: python benchmarks/coverage.py [--parts draws engine pipeline skill] [--cache DIR] [--companies 40] [--processes 2]
Companies are kept in DIR, one file each, so that a run that was stopped goes on; take another DIR for another version.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from coverage_oracle import foreseen
from joblib import parallel_config
from scipy.special import expit, logit

from salesanalytics import actual, backtest, simulate_book
from salesanalytics.book import DealBook
from salesanalytics.forecast.amount_ratios import AmountRatios
from salesanalytics.forecast.draws import deal_keys, draw_deals
from salesanalytics.forecast.lent_amounts import LentAmounts
from salesanalytics.forecast.parts import draw_open
from salesanalytics.forecast.track_record import OURS
from salesanalytics.models import band_columns, crps
from salesanalytics.models.shock import fit_shock
from salesanalytics.simulate.params import Company, Walk
from salesanalytics.timeline import parse_period
from salesanalytics.timeline.calendar import to_date

SPREADS = (0.0, 0.2, 0.4)
OPEN_DEALS, PAST_QUARTERS = (40, 150), (8, 12, 20)
ENGINE_QUARTERS, ENGINE_DRAWS = 2_000, 2_000
START, END = "2021-10-01", "2026-10-31"
N_DEALS, QUARTERS, SCORED = 900, 20, 12
ORACLE = "oracle"
SIMPLE = ("same_quarter_last_year", "mean_of_last_four", "nominal_weighted", "stage_table")
KEPT = ["quarter", "measure", "method", "forecast", "actual", "q10", "q25", "q75", "q90", "crps", "pit", "stretch",
        "comparable"]  # fmt: skip


def shown(table: pd.DataFrame) -> None:
    """Print as a markdown table."""
    print("| " + " | ".join(map(str, table.columns)) + " |\n" + "|---" * table.shape[1] + "|")
    for row in table.itertuples(index=False):
        print("| " + " | ".join(f"{x:.3f}" if isinstance(x, float) else str(x) for x in row) + " |", flush=True)


def side_by_side(work: Callable[[Any], Any], jobs: Iterable[Any], processes: int) -> Iterable[Any]:
    """Results of the jobs in their order, each process a job at a time."""
    if processes == 1:
        yield from map(work, jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(work, jobs)


# ---------------------------------------------------------------- draws


def draws(_: argparse.Namespace) -> None:
    """Seconds and memory of 10,000 deals x 10,000 draws, and the draws against what is known of them exactly."""
    own = {"mp_context": multiprocessing.get_context("spawn"), "max_tasks_per_child": 1}
    with ProcessPoolExecutor(1, **own) as pool:  # a process of its own each: peak memory is that of the draws
        print("\n".join(pool.map(large, [0.0, 0.3])))
    rng = np.random.default_rng(2)
    p, keys = rng.beta(0.8, 6, 2_000), deal_keys(pd.Series([f"D{k}" for k in range(2_000)]), 0)
    settings = {"shock": np.zeros(20_000), "amount_pool": np.zeros(0)}
    count = draw_deals(p, np.ones(2_000), keys, **settings).count()
    sd = np.sqrt((p * (1 - p)).sum())
    off = (count.mean() - p.sum()) / (sd / np.sqrt(len(count)))
    print(f"\nindependent deals: mean {off:+.2f} standard errors (3) from that of the Poisson-binomial distribution, "
          f"sd {count.std():.3f} and {sd:.3f}, {count.std() / sd - 1:+.2%} (3 %)")  # fmt: skip
    shock = rng.normal(0, 0.3, 2_000)
    whole, rest = (
        draw_deals(p[k:], np.ones(2_000 - k), keys[k:], shock=shock, amount_pool=np.zeros(0)) for k in (0, 1)
    )
    others = whole.deal > 0
    same = np.array_equal(whole.deal[others], rest.deal + 1) and np.array_equal(whole.draw[others], rest.draw)
    print(f"one more deal leaves the draws of all others unchanged: {same}")


def large(spread: float, n: int = 10_000) -> str:
    rng = np.random.default_rng(1)
    deals = pd.DataFrame({"deal_id": [f"D{k}" for k in range(n)], "state": [f"S{k % 8 + 1}" for k in range(n)],
                          "p_in_period": rng.beta(0.8, 6, n), "amount": rng.lognormal(13.8, 1, n)})  # fmt: skip
    pool = rng.lognormal(13.8, 1, 400)
    deals.loc[::20, "amount"] = np.nan
    lent = LentAmounts(pool[None], None, pd.Index([], dtype=object))
    ratios = {f"S{k}": AmountRatios(rng.normal(0, 0.1, 300)) for k in range(1, 9)}
    shift = rng.normal(0, spread, n)
    start, worked = time.perf_counter(), time.process_time()
    found = draw_open(deals, ratios, seed=0, shift=shift - shift.mean(), lent=lent)
    total = found.total()
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    told = f"{seconds:.2f} s (3), {worked:.2f} s of work, {peak:.2f} GiB at peak (1.5)"
    return f"{n:,} deals x {n:,} draws, shock {spread}: {told}, {len(found.deal):,} signings, mean {total.mean():.3g}"


# ---------------------------------------------------------------- engine


def engine(asked: argparse.Namespace) -> None:
    """Bands where every chance is known, and only the spread of the shock is learned, from past quarters."""
    cells = list(product(OPEN_DEALS, SPREADS, PAST_QUARTERS))
    start = time.perf_counter()
    table = pd.DataFrame(list(side_by_side(engine_cell, cells, asked.processes)))
    print(f"\nEngine alone, {ENGINE_QUARTERS:,} quarters a cell, {time.perf_counter() - start:.0f} s")
    shown(table)


def engine_cell(cell: tuple[int, float, int]) -> dict[str, Any]:
    n_deals, spread, n_past = cell
    rng, start = np.random.default_rng([n_deals, round(10 * spread), n_past]), time.perf_counter()
    found = pd.DataFrame([engine_quarter(rng, n_deals, spread, n_past, k) for k in range(ENGINE_QUARTERS)])
    return {"open deals": n_deals, "shock": spread, "past quarters": n_past, **found.mean(),
            "s": round(time.perf_counter() - start)}  # fmt: skip


def engine_quarter(rng: np.random.Generator, n_deals: int, spread: float, n_past: int, seed: int) -> dict[str, float]:
    """One quarter drawn after some past ones: did its bands hold, were independent deals' bands enough."""
    p = np.clip(rng.beta(1, 4, (n_past + 1, n_deals)), 1e-4, 1 - 1e-4)
    shift = spread * rng.standard_normal((n_past + 1, 1))
    signed = rng.random(p.shape) < expit(level(p, spread) + shift)
    past = pd.DataFrame({"origin_day": np.repeat(np.arange(n_past), n_deals), "p": p[:-1].ravel(),
                         "signed": signed[:-1].ravel().astype(float)})  # fmt: skip
    shock = fit_shock(past)
    amount, keys = rng.lognormal(0, 1, n_deals), deal_keys(pd.Series(np.arange(n_deals).astype(str)), seed)
    truth = {"count": float(signed[-1].sum()), "amount": float(signed[-1] @ amount)}
    row: dict[str, float] = {}
    for name, drawn in (("", shock.draw(rng, ENGINE_DRAWS)), ("independent ", np.zeros(ENGINE_DRAWS))):
        some = draw_deals(p[-1], amount, keys, shock=drawn, amount_pool=np.zeros(0))
        for measure, draws in (("amount", some.total()), ("count", some.count())):
            q10, q25, _, q75, q90 = band_columns(draws).values()
            row[f"{name}80 % {measure}"] = float(inside(truth[measure], q10, q90))
            row[f"{name}50 % {measure}"] = float(inside(truth[measure], q25, q75))
        for share in (0.8, 0.5):
            row[f"{name}{100 * share:.0f} % count, a whole number in part"] = share_within(
                some.count(), truth["count"], share
            )
    return row | {"spread": shock.spread}


def share_within(draws: np.ndarray, y: float, share: float) -> float:
    """What of y lies within the central share of its distribution: of a whole number often only a part does.

    Coverage by the randomised probability integral transform, without its noise (Czado, Gneiting & Held 2009).
    """
    low, high = float((draws < y).mean()), float((draws <= y).mean())
    if high == low:
        return float(abs(low - 0.5) <= share / 2)
    return max(min(high, 0.5 + share / 2) - max(low, 0.5 - share / 2), 0.0) / (high - low)


def level(p: np.ndarray, spread: float) -> np.ndarray:
    """Log odds whose chance is p on average over the shock (Gauss-Hermite)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    location = logit(p)
    for _ in range(5 if spread else 0):
        chance = expit(location[..., None] + spread * nodes)
        slope = (chance * (1 - chance)) @ weights
        location = location + (p * weights.sum() - chance @ weights) / slope
    return location


# ---------------------------------------------------------------- pipeline


def companies(asked: argparse.Namespace) -> pd.DataFrame:
    """Scored quarters of all companies by all methods and the oracle; from the cache where they are in it."""
    jobs = [(spread, seed) for seed in range(asked.companies) for spread in SPREADS]
    asked.cache.mkdir(parents=True, exist_ok=True)
    found = side_by_side(partial(one_company, cache=asked.cache), jobs, asked.processes)
    return with_bands(pd.concat(found, ignore_index=True))


def with_bands(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores with what became of their bands."""
    for band, low, high in ((50, "q25", "q75"), (80, "q10", "q90")):
        scores[f"in_{band}"] = inside(scores["actual"], scores[low], scores[high])
    return scores.assign(width=scores["q90"] - scores["q10"])


def inside(y: Any, low: Any, high: Any) -> Any:
    """Whether a band held: its ends belong to it."""
    return np.where((low <= y) & (y <= high), 1.0, 0.0)


def one_company(job: tuple[float, int], *, cache: Path) -> pd.DataFrame:
    spread, seed = job
    path = cache / f"shock{spread}-company{seed}-deals{N_DEALS}.csv"
    if not path.exists():
        start = time.process_time()
        company = replace(Company(), walk=Walk(shock=spread), start=START, end=END)
        book = simulate_book(n_deals=N_DEALS, seed=round(1000 * spread) + seed, company=company)
        kept = scored_company(book, seed)
        part = path.with_suffix(".part")
        kept.assign(spread=spread, company=f"{spread}/{seed}", s=time.process_time() - start).to_csv(part, index=False)
        part.replace(path)
    return pd.read_csv(path)


def scored_company(book: DealBook, seed: int) -> pd.DataFrame:
    """The last quarters of a simulated company by all methods of a backtest, and by the oracle."""
    with parallel_config(backend="sequential"):  # companies are side by side already
        scores = backtest(book, as_of=END, quarters=QUARTERS, weeks=(0,)).scores
    scored = sorted(scores["quarter"].unique())[-SCORED:]
    rows = []
    for number, name in enumerate(scored):
        period = parse_period(name, fiscal_year_start=1)
        told = foreseen(book.truth, period, rng=np.random.default_rng([seed, number]))
        truth = actual(book, quarter=name, known_at=to_date(period.end_day + 30))
        rows += [one_oracle(name, measure, told[measure], truth[measure]) for measure in told]
    kept = pd.concat([scores.loc[scores["quarter"].isin(scored), KEPT], pd.DataFrame(rows)], ignore_index=True)
    return kept.assign(n_before=kept["quarter"].map({name: k for k, name in enumerate(scored)}))


def one_oracle(quarter: str, measure: str, draws: np.ndarray, y: float) -> dict[str, Any]:
    pit = float((draws < y).mean() + 0.5 * (draws == y).mean())
    row = {"quarter": quarter, "measure": measure, "method": ORACLE, "forecast": draws.mean(), "actual": y, "pit": pit}
    return row | band_columns(draws) | {"crps": float(crps(draws, y)), "comparable": True}


def pipeline(asked: argparse.Namespace) -> None:
    """Bands of the whole forecast on simulated companies: how often they held, how wide they are beside the oracle."""
    start = time.perf_counter()
    scores = companies(asked)
    seconds = scores.drop_duplicates("company")["s"]
    print(f"\n{len(seconds)} companies, {SCORED} scored quarters each; {seconds.mean():.0f} s of work a company, "
          f"{time.perf_counter() - start:.0f} s now")  # fmt: skip
    own = scores[scores["method"].isin([OURS, ORACLE])]
    pooled = pd.concat([own.assign(shock=own["spread"].astype(str)), own.assign(shock="all")])
    rows = [held(part, measure=m, shock=s) for (m, s), part in pooled.groupby(["measure", "shock"])]
    shown(pd.DataFrame(rows))
    print("\nby the number of quarters scored before")
    before = own.assign(before=(own["n_before"] // 4 * 4).map(lambda k: f"{k} to {k + 3}"))
    shown(pd.DataFrame([held(part, measure=m, before=b) for (m, b), part in before.groupby(["measure", "before"])]))


def held(scores: pd.DataFrame, **what: str) -> dict[str, Any]:
    """Shares of bands that held, with the standard error over companies, and widths, beside the oracle's."""
    ours, best = (scores[scores["method"].eq(method)] for method in (OURS, ORACLE))
    row: dict[str, Any] = what | {"quarters": len(ours)}
    for band in (80, 50):
        by_company = ours.groupby("company")[f"in_{band}"].mean()
        error = by_company.std() / np.sqrt(len(by_company))
        row |= {f"{band} % band": f"{ours[f'in_{band}'].mean():.3f} +- {error:.3f}"}
    row |= {f"oracle {band} %": best[f"in_{band}"].mean() for band in (80, 50)}
    width = ours.groupby("company")["width"].mean() / best.groupby("company")["width"].mean()
    row |= {"width / oracle": width.mean(), "below q10": (ours["pit"] < 0.1).mean(),
            "above q90": (ours["pit"] > 0.9).mean(), "stretch": ours["stretch"].mean()}  # fmt: skip
    for name, part in (("", ours), ("oracle ", best)):
        row |= {f"{name}bias": part["forecast"].sum() / part["actual"].sum() - 1,
                f"{name}CRPS / mean": part["crps"].mean() / part["actual"].mean()}  # fmt: skip
    return row


# ---------------------------------------------------------------- skill


def skill(asked: argparse.Namespace) -> None:
    """CRPS of the forecast less that of a simple method, in shares of what a company signs a quarter on average."""
    scores = companies(asked)
    usual = scores[scores["method"].eq(OURS)].groupby(["company", "measure"])["actual"].mean().rename("usual")
    scores = scores[scores["comparable"]].merge(usual.reset_index(), on=["company", "measure"])
    scores["share"] = scores["crps"] / scores["usual"]
    key = ["measure", "spread", "company", "quarter"]
    table = scores.pivot_table(index=key, columns="method", values="share")
    rows = []
    for measure, part in table.groupby("measure"):
        for method in [m for m in part.columns if m not in (OURS, ORACLE)]:
            gap = (part[OURS] - part[method]).groupby("company").mean().dropna()
            error = gap.std() / np.sqrt(len(gap))
            rows.append({"measure": measure, "method": method, "quarters": int(part[method].notna().sum()),
                         "CRPS": part[method].mean(), "ours": part.loc[part[method].notna(), OURS].mean(),
                         "ours less it": f"{gap.mean():+.4f} +- {error:.4f}",
                         "standard errors": gap.mean() / error})  # fmt: skip
    print("\nCRPS over what a company signs a quarter, quarters in which every method has one; below 0: ours is better")
    shown(pd.DataFrame(rows))


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {f.__name__: f for f in (draws, engine, pipeline, skill)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--cache", type=Path, default=Path("coverage_cache"))
    parser.add_argument("--companies", type=int, default=40, help="of each of the three shocks")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    for part in asked.parts:
        PARTS[part](asked)


if __name__ == "__main__":
    main()
