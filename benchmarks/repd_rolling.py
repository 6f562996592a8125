"""Rolling forecasts of 44 finished quarters (2010Q1-2020Q4) of the UK planning book, each from its first day.

Run: python benchmarks/repd_rolling.py   (about ten minutes alone; writes nothing)
Prints WAPE, bias, CRPS and attained bands of the forecast beside the simple methods, and how good the chances of the
open applications were, beside a plain logistic regression. The chances are told of two sets: of the shipped book, in
which projects that ended without a usable date are set aside by their status, and of all that are open by their dates,
in which these stay open for ever. All quarters are judged by the same extract, so late recording and later edits are
invisible: real forecasts will do somewhat worse.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import yaml
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer

from salesanalytics import (
    QuarterForecast,
    actual,
    auc,
    calibration_line,
    crps,
    forecast_quarter,
    log_loss,
    read_book,
    snapshots,
    spells,
)
from salesanalytics.book import DealBook
from salesanalytics.models import decompose

SAMPLE = Path(__file__).parents[1] / "data" / "sample" / "repd"
QUARTERS = pd.period_range("2010Q1", "2020Q4", freq="Q")
LEARNED_FROM = 16  # quarter starts before each forecast, of the plain logistic regression
LARGE_MW = 250
SIMPLE = ("stage_week_conversion", "same_quarter_last_year", "mean_of_last_four")
FLOOR = 0.001  # chances are kept this far from 0 and 1


def open_by_dates() -> DealBook:
    """The shipped book without the rule that sets ended projects aside whose end has no usable date."""
    with TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(SAMPLE, Path(folder) / "repd"))
        settings = yaml.safe_load((copy / "book.yaml").read_text(encoding="utf-8"))
        del settings["tables"]["deals"]["ended_status"]
        (copy / "book.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        return read_book(copy)


def eve(quarter: pd.Period) -> pd.Timestamp:
    """The day before a quarter begins."""
    return quarter.start_time.normalize() - pd.Timedelta(days=1)


def granted_in(book: DealBook, asked: pd.DataFrame) -> np.ndarray:
    """Whether each application of ``asked`` (deal_id, quarter) was granted in its quarter, by the whole extract."""
    known = spells(book, as_of=book.settings.extracted_on)
    won = known[known["next_state"].eq("won")]
    grants = pd.MultiIndex.from_arrays([won["deal_id"], won["left_on"].dt.to_period("Q")])
    return pd.MultiIndex.from_frame(asked[["deal_id", "quarter"]]).isin(grants)


def plain_logit(book: DealBook) -> np.ndarray:
    """What a user could write in an afternoon: splines of two clocks and the size, technology, country, state."""
    starts = pd.period_range(QUARTERS[0] - LEARNED_FROM, QUARTERS[-1], freq="Q")
    rows = snapshots(book, as_of=[eve(q).date().isoformat() for q in starts])
    rows["quarter"] = (pd.to_datetime(rows["as_of"]) + pd.Timedelta(days=1)).dt.to_period("Q")
    rows["won"] = granted_in(book, rows)
    rows["clock"], rows["age"] = np.log1p(rows["days_in_state"]), np.log1p(rows["age_days"])
    splines = SplineTransformer(6, knots="quantile")
    design = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), splines), ["clock", "age", "log_amount"]),
        (OneHotEncoder(handle_unknown="ignore"), ["state", "technology", "country"]),
    )
    chances = []
    for quarter in QUARTERS:
        past = rows[rows["quarter"].between(quarter - LEARNED_FROM, quarter - 1)]
        model = make_pipeline(design, LogisticRegression(max_iter=2000)).fit(past, past["won"])
        asked = rows[rows["quarter"] == quarter]
        chances.append(asked[["quarter", "deal_id", "won"]].assign(p=model.predict_proba(asked)[:, 1]))
    return pd.concat(chances)


def tell_chances(name: str, asked: pd.DataFrame) -> None:
    """Print how good chances (quarter, deal_id, p, won) were: of all at once, and the mean of the quarters."""
    p, won = asked["p"].clip(FLOOR, 1 - FLOOR), asked["won"]
    line = calibration_line(p, won, cluster=asked["deal_id"]).set_index("parameter")
    slope, low, high = line.loc["slope", ["estimate", "lower", "upper"]]
    parts = decompose(p, won, score="log_loss")
    hindsight = parts.score - parts.miscalibration  # the best recalibration there could have been
    quarters = [(log_loss(p[i], won[i]), auc(p[i], won[i])) for i in asked.groupby("quarter").groups.values()]
    loss, order = np.mean(quarters, axis=0)
    print(f"{name}: {len(asked):,} chances, expected {p.sum():.0f}, granted {won.sum()}")
    print(
        f"  all at once: log loss {parts.score:.4f} (recalibrated in hindsight {hindsight:.4f}), "
        f"AUC {auc(p, won):.3f}, slope {slope:.2f} [{low:.2f}, {high:.2f}]"
    )
    print(f"  mean of {len(quarters)} quarters: log loss {loss:.4f}, AUC {order:.3f}")


def forecasts(book: DealBook) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of every quarter, forecast on its eve: a row a measure beside the truth, and the chances of open applications."""
    rows, chances = [], []
    for quarter in QUARTERS:
        forecast = forecast_quarter(book, quarter=str(quarter), as_of=eve(quarter).date())
        truth = actual(book, quarter=str(quarter), known_at=book.settings.extracted_on)
        deals = forecast.deals.assign(quarter=quarter)
        chances.append(deals[["quarter", "deal_id", "p_in_period", "amount"]].rename(columns={"p_in_period": "p"}))
        rows += [judged(forecast, measure, truth[measure]) for measure in ("count", "amount")]
    asked = pd.concat(chances, ignore_index=True)
    return pd.DataFrame(rows), asked.assign(won=granted_in(book, asked))


def judged(forecast: QuarterForecast, measure: str, truth: float) -> dict[str, object]:
    """One measure of one forecast, the simple methods, and what came."""
    draws, simple = forecast.total(measure), forecast.baselines.set_index("method")
    row = {"measure": measure, "actual": truth, "forecast": draws.mean(), "crps": float(crps(draws, truth))}
    row["its_median"] = np.median(draws)  # of all numbers the one with the smallest expected absolute error
    row |= {f"in_{b}": lo <= truth <= hi for b, (lo, hi) in forecast.bands(measure).items()}
    return row | {method: simple.at[method, measure] for method in SIMPLE}


def tell_sizes(asked: pd.DataFrame) -> None:
    """Print grants and MW of the largest projects and of all others, expected and come."""
    large = asked["amount"] > LARGE_MW
    for name, part in ((f"above {LARGE_MW} MW", asked[large]), ("all others", asked[~large])):
        chance, megawatts, won = part["p"], part["amount"], part["won"]
        print(
            f"{name}: expected {chance.sum():.1f}, {(chance * megawatts).sum():,.0f} MW; "
            f"granted {won.sum()}, {(won * megawatts).sum():,.0f} MW"
        )


def tell_quarters(table: pd.DataFrame) -> None:
    """Print error, bias, CRPS and bands of counts and MW."""
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


def main() -> None:
    started = time.perf_counter()
    shipped, dated = read_book(SAMPLE), open_by_dates()
    table, asked = forecasts(shipped)
    tell_chances("shipped book", asked)
    tell_chances("shipped book, plain logistic regression", plain_logit(shipped))
    tell_chances("open by their dates", forecasts(dated)[1])
    tell_chances("open by their dates, plain logistic regression", plain_logit(dated))
    tell_sizes(asked)
    tell_quarters(table)
    print(f"\n{len(QUARTERS)} quarters of two books, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
