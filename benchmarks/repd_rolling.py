"""Rolling forecasts of 44 finished quarters (2010Q1-2020Q4) of the UK planning book, each from its first day.

Run: python benchmarks/repd_rolling.py   (about ten minutes; writes nothing)
Prints WAPE, bias, CRPS and attained bands of the forecast beside the simple methods. All quarters are judged by the
same extract, so late recording and later edits are invisible: real forecasts will do somewhat worse.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd

from salesanalytics import QuarterForecast, actual, forecast_quarter, read_book, spells
from salesanalytics.book import DealBook
from salesanalytics.models import auc, calibration_line, decompose

SAMPLE = Path(__file__).parents[1] / "data" / "sample" / "repd"
LARGE_MW = 250
SIMPLE = ("stage_week_conversion", "same_quarter_last_year", "mean_of_last_four")


def crps(draws: np.ndarray, truth: float) -> float:
    """Continuous ranked probability score of an ensemble (Gneiting & Raftery 2007)."""
    ordered = np.sort(draws)
    n = len(ordered)
    spread = (2 * np.arange(1, n + 1) - n - 1) @ ordered / n**2
    return float(np.abs(ordered - truth).mean() - spread)


def signed_ids(book: DealBook, forecast: QuarterForecast) -> pd.Series:
    """Deals granted in the forecast's quarter, by the whole extract."""
    known = spells(book, as_of=book.settings.extracted_on)
    last = known.loc[known["next_state"].eq("won"), ["deal_id", "left_on"]]
    inside = last["left_on"].dt.date.between(forecast.period.start, forecast.period.end)
    return last.loc[inside, "deal_id"]


def main() -> None:
    book = read_book(SAMPLE)
    rows, chances = [], []
    started = time.perf_counter()
    for quarter in [f"{year}Q{q}" for year in range(2010, 2021) for q in range(1, 5)]:
        as_of = pd.Period(quarter, freq="Q").start_time.date() - pd.Timedelta(days=1)
        forecast = forecast_quarter(book, quarter=quarter, as_of=as_of)
        truth = actual(book, quarter=quarter, known_at=book.settings.extracted_on)
        simple = forecast.baselines.set_index("method")
        won = signed_ids(book, forecast)
        deals = forecast.deals.assign(quarter=quarter, won=forecast.deals["deal_id"].isin(won))
        chances.append(deals[["quarter", "deal_id", "p_in_period", "won", "amount"]])
        for measure in ("count", "amount"):
            draws, y = forecast.total(measure), truth[measure]
            row = {"quarter": quarter, "measure": measure, "actual": y, "forecast": draws.mean()}
            row["its_median"] = np.median(draws)  # of all numbers the one with the smallest expected absolute error
            row |= {f"in_{b}": lo <= y <= hi for b, (lo, hi) in forecast.bands(measure).items()}
            row["crps"] = crps(draws, y)
            row |= {m: simple.at[m, measure] for m in SIMPLE}
            rows.append(row)
    table = pd.DataFrame(rows)
    print(f"{table['quarter'].nunique()} quarters, {time.perf_counter() - started:.0f} s")
    asked = pd.concat(chances)
    p = asked["p_in_period"].clip(0.001, 0.999)
    line = calibration_line(p, asked["won"], cluster=asked["deal_id"]).set_index("parameter")
    print(f"\nchances of open deals: {len(asked):,}, expected {p.sum():.0f}, granted {asked['won'].sum()}")
    slope, low, high = line.loc["slope", ["estimate", "lower", "upper"]]
    parts, order = decompose(p, asked["won"], score="log_loss"), auc(p, asked["won"])
    print(f"AUC {order:.3f}, calibration slope {slope:.2f} [{low:.2f}, {high:.2f}]")
    print(f"log loss {parts.score:.4f}; recalibrated in hindsight {parts.score - parts.miscalibration:.4f}")
    large = asked["amount"] > LARGE_MW
    for name, part in ((f"above {LARGE_MW} MW", asked[large]), ("all others", asked[~large])):
        chance, megawatts = part["p_in_period"], part["amount"]
        expected, granted = (chance * megawatts).sum(), (part["won"] * megawatts).sum()
        print(
            f"{name}: expected {chance.sum():.1f}, {expected:,.0f} MW; granted {part['won'].sum()}, {granted:,.0f} MW"
        )
    for measure, part in table.groupby("measure"):
        total = part["actual"].sum()
        held = ", ".join(f"{b} % band {part[f'in_{b}'].sum()} of {len(part)}" for b in (50, 80))
        print(f"\n{measure}: {held}")
        print(f"{'forecast':24s} CRPS/mean {part['crps'].mean() / part['actual'].mean():.3f}")
        for method in ("forecast", "its_median", *SIMPLE):
            error = part[method] - part["actual"]
            print(
                f"{method:24s} WAPE {error.abs().sum() / total:.3f}  expected/actual {part[method].sum() / total:.2f}"
            )


if __name__ == "__main__":
    main()
