"""Companies unlike the usual one: do the bands still hold, and is the forecast still better than the simple methods?

Run: python benchmarks/worlds.py [--worlds heavy growth ...] [--companies 5] [--processes 2]   (about ten minutes)
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import pandas as pd
from coverage import END, ORACLE, START, scored_company, shown, side_by_side, with_bands

from salesanalytics import simulate_book
from salesanalytics.forecast.track_record import OURS, WITH_CALLS
from salesanalytics.simulate.params import Arrivals, Company, Facts, Walk

SHOCK = 0.2
FEW_AT_FIRST = (0.3, 0.3, 0.6, 0.8, 1.0, 1.0, 0.8, 0.8, 1.2, 1.4, 1.6, 2.5)
USUAL_DAYS = Walk().buyer_days
#: World -> its deals in five years, and what is unlike the usual company.
WORLDS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "heavy": (900, "amounts far apart (log sd 1.7 for 1)", {"facts": Facts(log_amount_spread=1.7)}),
    "growth": (900, "60 % more deals each year", {"arrivals": Arrivals(growth_per_year=0.6)}),
    "shrink": (900, "35 % fewer deals each year", {"arrivals": Arrivals(growth_per_year=-0.35)}),
    "season": (
        900,
        "most deals late in the year, signings pulled to the ends of quarters",
        {"arrivals": Arrivals(season=FEW_AT_FIRST), "walk": Walk(shock=SHOCK, quarter_end_pull=10, pull_days=10)},
    ),
    "small": (250, "few deals", {}),
    "large": (2_500, "many deals", {}),
    "slow": (900, "stages twice as long", {"walk": Walk(shock=SHOCK, buyer_days=tuple(2 * d for d in USUAL_DAYS))}),
    "fast": (900, "stages .4 as long", {"walk": Walk(shock=SHOCK, buyer_days=tuple(0.4 * d for d in USUAL_DAYS))}),
    "dead": (900, "eight times as many deals die in silence", {"walk": Walk(shock=SHOCK, dead=0.004)}),
    "bigshock": (900, "a shock of .8 for .2", {"walk": Walk(shock=0.8)}),
}


def one(job: tuple[str, int]) -> pd.DataFrame:
    """One company of a world."""
    world, seed = job
    n_deals, _, unlike = WORLDS[world]
    company = replace(Company(), **{"walk": Walk(shock=SHOCK), "start": START, "end": END} | unlike)
    book = simulate_book(n_deals=n_deals, seed=9_000 + seed, company=company)
    return scored_company(book, seed).assign(world=world)


def row(scores: pd.DataFrame, world: str, measure: str) -> dict[str, Any]:
    """What became of a world, by one measure."""
    ours, oracle = (scores[scores["method"].eq(method)] for method in (OURS, ORACLE))
    mean = scores[scores["comparable"]].groupby("method")["crps"].mean() / ours["actual"].mean()
    simple = mean.drop([OURS, ORACLE, WITH_CALLS], errors="ignore")
    told = {"world": world, "measure": measure, "signed a quarter": ours["actual"].mean()}
    for name, part in (("", ours), ("oracle ", oracle)):
        told |= {f"{name}{band} %": part[f"in_{band}"].mean() for band in (80, 50)}
        told |= {f"{name}bias": part["forecast"].sum() / part["actual"].sum() - 1}
    width = ours["width"].mean() / oracle["width"].mean()
    return told | {"width / oracle": width, "stretch": ours["stretch"].mean(), "CRPS / mean": mean[OURS],
                   "best simple": simple.idxmin(), "its CRPS / mean": simple.min()}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS))
    parser.add_argument("--companies", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    jobs = [(world, seed) for world in asked.worlds for seed in range(asked.companies)]
    scores = with_bands(pd.concat(side_by_side(one, jobs, asked.processes), ignore_index=True))
    groups = scores.groupby(["world", "measure"], sort=False)
    shown(pd.DataFrame([row(part, world, measure) for (world, measure), part in groups]))


if __name__ == "__main__":
    main()
