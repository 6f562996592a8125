"""Rolling forecasts of 44 finished quarters (2010Q1-2020Q4) of the UK planning book, each from its first day.

Run: python benchmarks/repd_rolling.py   (about two minutes; writes nothing)
Prints WAPE, bias, CRPS and attained bands of the forecast beside the simple methods. All quarters are judged by the
same extract, so late recording and later edits are invisible: real forecasts will do somewhat worse.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd

from salesanalytics import actual, forecast_quarter, read_book

SAMPLE = Path(__file__).parents[1] / "data" / "sample" / "repd"
SIMPLE = ("stage_week_conversion", "same_quarter_last_year", "mean_of_last_four")


def crps(draws: np.ndarray, truth: float) -> float:
    """Continuous ranked probability score of an ensemble (Gneiting & Raftery 2007)."""
    ordered = np.sort(draws)
    n = len(ordered)
    spread = (2 * np.arange(1, n + 1) - n - 1) @ ordered / n**2
    return float(np.abs(ordered - truth).mean() - spread)


def main() -> None:
    book = read_book(SAMPLE)
    rows = []
    started = time.perf_counter()
    for quarter in [f"{year}Q{q}" for year in range(2010, 2021) for q in range(1, 5)]:
        as_of = pd.Period(quarter, freq="Q").start_time.date() - pd.Timedelta(days=1)
        forecast = forecast_quarter(book, quarter=quarter, as_of=as_of)
        truth = actual(book, quarter=quarter, known_at=book.settings.extracted_on)
        simple = forecast.baselines.set_index("method")
        for measure in ("count", "amount"):
            draws, y = forecast.total(measure), truth[measure]
            row = {"quarter": quarter, "measure": measure, "actual": y, "forecast": draws.mean()}
            row |= {f"in_{b}": lo <= y <= hi for b, (lo, hi) in forecast.bands(measure).items()}
            row["crps"] = crps(draws, y)
            row |= {m: simple.at[m, measure] for m in SIMPLE}
            rows.append(row)
    table = pd.DataFrame(rows)
    print(f"{table['quarter'].nunique()} quarters, {time.perf_counter() - started:.0f} s")
    for measure, part in table.groupby("measure"):
        total = part["actual"].sum()
        held = ", ".join(f"{b} % band {part[f'in_{b}'].sum()} of {len(part)}" for b in (50, 80))
        print(f"\n{measure}: {held}")
        print(f"{'forecast':24s} CRPS/mean {part['crps'].mean() / part['actual'].mean():.3f}")
        for method in ("forecast", *SIMPLE):
            error = part[method] - part["actual"]
            print(
                f"{method:24s} WAPE {error.abs().sum() / total:.3f}  expected/actual {part[method].sum() / total:.2f}"
            )


if __name__ == "__main__":
    main()
