"""Result frames as tables of texts for a person: labelled, rounded, in either language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.forecast import QuarterForecast
from salesanalytics.labels import label, number, percent


def component_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """Components and the total: mean and 80 % band of amount and count."""
    table = forecast.components()
    unit = f" ({forecast.unit})" if forecast.unit else ""
    amount, count, band = label("amount", lang) + unit, label("count", lang), label("band_80", lang)
    rows = [
        {
            label("component", lang): label(r.component, lang),
            amount: number(r.amount),
            f"{amount}: {band}": _band(r.amount_lower, r.amount_upper),
            count: number(r.count_mean, 1),
            f"{count}: {band}": _band(r.count_lower, r.count_upper),
        }
        for r in table.rename(columns={"count": "count_mean"}).itertuples()
    ]
    return pd.DataFrame(rows)


def _band(lower: float, upper: float, digits: int = 0) -> str:
    return "–" if lower != lower else f"{number(lower, digits)} – {number(upper, digits)}"


def baseline_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """This forecast above the simple methods."""
    unit = f" ({forecast.unit})" if forecast.unit else ""
    mine = {"method": "forecast", "count": forecast.total("count").mean(), "amount": forecast.total().mean()}
    table = pd.concat([pd.DataFrame([mine]), forecast.baselines], ignore_index=True)
    return pd.DataFrame(
        {
            label("method", lang): [label(m, lang) for m in table["method"]],
            label("amount", lang) + unit: table["amount"].map(number),
            label("count", lang): [number(c, 1) for c in table["count"]],
        }
    )


def deal_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """Open deals, largest expected amount first."""
    deals = forecast.deals
    flag = deals["older_than_any_win"].map({True: label("yes", lang), False: ""})
    columns: dict[str, Any] = {
        "deal_id": deals["deal_id"],
        "name": deals["name"].fillna(""),
        "rep_id": deals["rep_id"].fillna(""),
        "state": deals["state"],
        "days_in_state": deals["days_in_state"].map(number),
        "amount": deals["amount"].map(lambda v: number(v, 1)),
        "p_in_period": deals["p_in_period"].map(lambda v: percent(v, 1)),
        "expected_amount": deals["expected_amount"].map(lambda v: number(v, 1)),
        "p_won": deals["p_won"].map(percent),
        "sign_q50": deals["sign_q50"].dt.strftime("%Y-%m-%d").fillna("–"),
        "older_than_any_win": flag,
    }
    return pd.DataFrame({label(key, lang): value for key, value in columns.items()})


def note_texts(forecast: QuarterForecast, lang: str) -> list[str]:
    """What the reader has to know, in words."""
    return [label(key, lang, **values) for key, values in (*forecast.notes, ("note_bands", {}))]


def method_text(forecast: QuarterForecast, lang: str) -> str:
    """Which model stands behind the numbers."""
    days = forecast.half_life_days
    half_life = label("half_life", lang, days=number(days)) if days < float("inf") else label("no_half_life", lang)
    size = label("size_used" if forecast.size_counts else "size_unused", lang)
    shock = f"{forecast.shock_spread:.2f}"
    return label("method_stage_table", lang, half_life=half_life, size=size, shock=shock)


def rate_rows(rates: pd.DataFrame, book: DealBook, lang: str, by: str | None = None) -> pd.DataFrame:
    """Stage rates: nominal, closed-only, from entry, standing there with interval, shrunk."""
    rows = []
    for r in rates.to_dict("records"):
        named = {label("stage", lang): f"{r['stage']} {book.process.label(r['stage'], lang)}"}
        if by:
            named[label(by, lang) if by in ("rep_id",) else by] = str(r[by])
        rows.append(
            named
            | {
                label("n_entered", lang): number(r["n_entered"]),
                label("n_won", lang): number(r["n_won"]),
                label("n_other_end", lang): number(r["n_other_end"]),
                label("n_open", lang): number(r["n_open"]),
                label("nominal", lang): percent(r["nominal"]),
                label("closed_only_rate", lang): percent(r["closed_only_rate"]),
                label("p_won_entry", lang): percent(r["p_won"]),
                label("p_won_in_stock", lang): percent(r["p_won_in_stock"]),
                f"{100 * r['confidence']:.0f} % {label('interval', lang)}": (
                    f"{percent(r['lower_in_stock'])} – {percent(r['upper_in_stock'])}"
                ),
                label("shrunk", lang): percent(r["shrunk_in_stock"]),
                label("p_open", lang): percent(r["p_open_in_stock"]),
            }
        )
    return pd.DataFrame(rows)


def score_rows(deals: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Scored deals for the terminal."""
    columns: dict[str, Any] = {
        "deal_id": deals["deal_id"],
        "name": deals["name"].fillna("").str.slice(0, 28),
        "state": deals["state"],
        "days_in_state": deals["days_in_state"].map(number),
        "amount": deals["amount"].map(lambda v: number(v, 1)),
        "p_won_until": deals["p_won_until"].map(lambda v: percent(v, 1)),
        "p_lower": deals["p_lower"].map(percent),
        "p_upper": deals["p_upper"].map(percent),
        "p_won": deals["p_won"].map(percent),
        "expected_amount": deals["expected_amount"].map(lambda v: number(v, 1)),
    }
    return pd.DataFrame({label(key, lang): value for key, value in columns.items()})


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame as csv (UTF-8 with BOM, so that spreadsheets read Chinese); text that a spreadsheet would run as
    a formula (it begins with = + - @) is neutralised by an apostrophe.
    """
    safe = frame.copy()
    for column in safe.columns[safe.dtypes.eq(object)]:
        text = safe[column].where(safe[column].map(type).eq(str), "")
        risky = text.str.match(r"^[=+\-@\t\r]")
        safe.loc[risky, column] = "'" + text[risky]
    path.parent.mkdir(parents=True, exist_ok=True)
    safe.to_csv(path, index=False, encoding="utf-8-sig", float_format="%.6g", date_format="%Y-%m-%d")
    return path
