"""A ledger for a terminal: what was recorded, what is damaged, and how the forecasts did."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from salesanalytics.forecast.result import reaches
from salesanalytics.labels import amount_label, band, chance, decimals, label, number, short, signed
from salesanalytics.labels.units import unit_for
from salesanalytics.report.text import fold, text_table
from salesanalytics.timeline import parse_period
from salesanalytics.timeline.calendar import GRACE_DAYS, to_date, to_day


def ledger_text(records: pd.DataFrame, lang: str, width: int | None = None, *, path: str | Path) -> str:
    """Recorded forecasts (`Ledger.list`), the oldest first; damaged ones are named below.

    Of a folder without any, it says where they may lie.
    """
    if not len(records):
        inner = Path(path) / "ledger"
        below = [label("ledger_below", lang, path=inner)] if inner.is_dir() else []
        told = [label("ledger_empty", lang, path=path), *below]
        return "\n".join(line for text in told for line in fold(text, width)) + "\n"
    sound = records[records["damage"].eq("")]
    amounts = ["mean", "q10", "q90", "p_target"]  # nothing though deals are expected: no amount was known
    nothing = sound["q90"].eq(0) & sound["mean"].fillna(0).eq(0) & sound["count_mean"].gt(0)
    sound = sound.assign(**sound[amounts].mask(nothing))
    sure = reaches(sound["signed"], sound["target"].astype(float))
    factors, units = _units(sound["mean"], sound["unit"], lang)
    columns: dict[str, Any] = {
        "record_id": sound["record_id"],
        "quarter": sound["quarter"],
        "as_of": sound["as_of"].map(str),
        "recorded_at": sound["recorded_at"].map("{:%Y-%m-%d %H:%M}".format),
        "amount_unit": units,
        "mean": (sound["mean"] / factors).map(short),
        "band_80": [band(a, b) for a, b in zip(sound["q10"] / factors, sound["q90"] / factors, strict=True)],
        "p_target": [
            chance(p, n, certain=bool(reached))
            for p, n, reached in zip(sound["p_target"], sound["draws"], sure, strict=True)
        ],
    }
    title = label("title_ledger", lang, path=path)
    table = text_table(_labelled(columns, lang), title=title, n_text=0, lang=lang, width=width)  # an id is never cut
    bad = records[records["damage"].ne("")]
    told = [
        label("damaged_record", lang, record=row.record_id, damage=label(f"damage_{row.damage}", lang, file=row.file))
        for row in bad.itertuples()
    ]
    return "\n".join([table, *(line for text in told for line in fold(text, width))]).rstrip("\n") + "\n"


def accuracy_text(judged: pd.DataFrame, lang: str, width: int | None = None, *, as_of: date, unit: str) -> str:
    """How the recorded forecasts did (`Ledger.accuracy`)."""
    amounts = judged["measure"].eq("amount")
    largest = judged.loc[amounts, "forecast"].max() if amounts.any() else 0.0
    factor, unit = unit_for(float(largest), unit, lang)
    scale = amounts.map({True: factor, False: 1.0})
    columns: dict[str, Any] = {
        "quarter": judged["quarter"],
        "as_of": judged["as_of"].map(str),
        "measure": judged["measure"].map(lambda measure: amount_label(measure, unit * (measure == "amount"), lang)),
        "mean": (judged["forecast"] / scale).map(short),
        "band_80": [band(a, b) for a, b in zip(judged["q10"] / scale, judged["q90"] / scale, strict=True)],
        "signed_then": (judged["actual"] / scale).map(short),
        "forecast_error": (judged["error"] / scale).map(lambda x: signed(x, 0 if x % 1 == 0 else decimals(x))),
        "in_band_80": judged["in_80"].map(lambda held: label("yes" if held else "no", lang)),
    }
    title = label("title_accuracy", lang, as_of=as_of)
    table = text_table(_labelled(columns, lang), title=title, n_text=3, lang=lang, width=width)
    no_amounts = not judged.loc[amounts, ["forecast", "actual"]].any(axis=None)
    held = [
        label(
            "bands_held",
            lang,
            measure=label(str(measure), lang),
            k=number(part["in_80"].sum()),
            k_50=number(part["in_50"].sum()),
            n=number(len(part)),
            quarters=number(part["quarter"].nunique()),
        )
        for measure, part in judged.groupby("measure", sort=False)
        if measure == "count" or not no_amounts
    ]
    return "\n".join([table, *(line for text in held for line in fold(text, width))]).rstrip("\n") + "\n"


def waiting_text(
    records: pd.DataFrame, lang: str, width: int | None = None, *, as_of: date, fiscal_year_start: int
) -> str:
    """From which day on the recorded forecasts are judged whose quarter is over, but not for long enough."""
    lines = []
    for quarter in records.loc[records["damage"].eq(""), "quarter"].unique():
        end_day = parse_period(quarter, fiscal_year_start=fiscal_year_start).end_day
        if end_day <= to_day(as_of) < end_day + GRACE_DAYS:
            day = to_date(end_day + GRACE_DAYS)
            lines += fold(label("judged_from", lang, quarter=quarter, day=day, days=GRACE_DAYS), width)
    return "".join(f"{line}\n" for line in lines)


def _units(mean: pd.Series, unit: pd.Series, lang: str) -> tuple[pd.Series, list[str]]:
    """For each record by how much its amounts are divided, and what they are counted in."""
    largest = mean.abs().groupby(unit).transform("max")
    found = [unit_for(float(size), name, lang) for size, name in zip(largest, unit, strict=True)]
    return pd.Series([factor for factor, _ in found], index=mean.index, dtype=float), [name for _, name in found]


def _labelled(columns: dict[str, Any], lang: str) -> pd.DataFrame:
    return pd.DataFrame({label(key, lang): values for key, values in columns.items()})
