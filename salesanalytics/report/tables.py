"""Result frames as tables of texts for a person: labelled, rounded, in either language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.forecast import QuarterForecast
from salesanalytics.forecast.months import month_names
from salesanalytics.forecast.result import reaches
from salesanalytics.forecast.rollups import NOT_BY_DEAL
from salesanalytics.labels import amount_label, band, chance, decimals, label, number, percent, short
from salesanalytics.labels.units import unit_for, unit_for_deals
from salesanalytics.plots.units import deals_in
from salesanalytics.process import Process
from salesanalytics.report.columns import group_head, group_names, intervals, numbers, state_namer, with_names
from salesanalytics.report.faults import said

FORMULA = re.compile(r"^[\t\r\n]|^\s*[=+\-@＝＋－＠]")


def summary_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """The total in amount and count: mean, median, both bands."""
    rows = []
    for measure, name in _measures(forecast, lang).items():
        total = forecast.total(measure)
        middle = {"mean": total.mean(), "median": pd.Series(total).median()}
        row = {label("total", lang): name}
        if measure == "amount" and not forecast.amounts_known:
            rows.append(row)
            continue
        row |= {label(key, lang): short(value) for key, value in middle.items()}
        bands = forecast.bands(measure)
        rows.append(row | {label(f"band_{level}", lang): band(low, high) for level, (low, high) in bands.items()})
    return pd.DataFrame(rows).fillna("–")


def _measures(forecast: QuarterForecast, lang: str) -> dict[str, str]:
    return {"amount": amount_label("amount", forecast.unit, lang), "count": label("count", lang)}


def p_target_text(forecast: QuarterForecast) -> str:
    """Chance to reach the target; only what is signed already makes it certain, and no amount says nothing."""
    if not forecast.amounts_known:
        return chance(None, 1)
    certain = reaches(forecast.amount["signed"].min(), forecast.target or 0.0)
    return chance(forecast.p_target, len(forecast.total()), certain=bool(certain))


def known_amounts(frame: pd.DataFrame, forecast: QuarterForecast) -> pd.DataFrame:
    """A frame about a forecast; without its amounts, and chances to reach one, where no amount is known."""
    if forecast.amounts_known:
        return frame
    told = ("amount", "expected_amount", "p_target")
    return frame.assign(**{str(c): np.nan for c in frame if str(c).startswith(told)})


def component_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """Components and the total: mean and 80 % band of amount and count."""
    table = known_amounts(forecast.components(), forecast)
    columns: dict[str, Any] = {label("component", lang): [label(c, lang) for c in table["component"]]}
    for measure, name in _measures(forecast, lang).items():
        columns[name] = numbers(table[measure])
        limits = table[[f"{measure}_lower", f"{measure}_upper"]]
        digits = 0 if measure == "count" else decimals(limits.max(axis=None))
        head = label("part_of", lang, text=label(measure, lang), part=label("band_80", lang))
        columns[head] = [band(low, high, digits) for low, high in limits.itertuples(index=False)]
    return pd.DataFrame(columns)


def group_rows(parts: pd.DataFrame, forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """A `rollup`: mean and 80 % band of amount and count of each group; target and the chance of it where stated."""
    scale, unit = unit_for(forecast.total().mean(), forecast.unit, lang)
    by, parts = str(parts.columns[0]), known_amounts(parts, forecast)
    columns: dict[str, Any] = {group_head(by, lang): group_names(parts[by], forecast.process, forecast.rep_names, lang)}
    for measure, part in (("amount", scale), ("count", 1.0)):
        head = amount_label("amount", unit, lang) if measure == "amount" else label("count", lang)
        columns[head] = numbers(parts[measure] / part)
        limits = parts[[f"{measure}_lower", f"{measure}_upper"]] / part
        digits = 0 if measure == "count" else decimals(limits.max(axis=None))
        band_head = label("part_of", lang, text=label(measure, lang), part=label("band_80", lang))
        columns[band_head] = [band(low, high, digits) for low, high in limits.itertuples(index=False)]
    if "target" in parts:
        columns[amount_label("target", unit, lang)] = numbers(parts["target"] / scale)
        groups = forecast.signed[by] if by in forecast.signed else month_names(forecast.signed["end_day"])
        signed_now = forecast.signed["amount"].groupby(groups).sum().reindex(parts[by]).fillna(0.0)
        sure, n = reaches(signed_now, parts["target"].to_numpy()), len(forecast.total())
        columns[label("p_target", lang)] = [
            chance(p, n, certain=reached) for p, reached in zip(parts["p_target"], sure, strict=True)
        ]
    return pd.DataFrame(columns)


def group_notes(parts: pd.DataFrame, lang: str) -> tuple[str, ...]:
    """What the chances of the targets of groups leave out: a sentence, or none; months hold deals to come, too."""
    apart = parts.iloc[:, 0].eq(NOT_BY_DEAL).any()
    return (label("groups_without_to_come", lang),) if "target" in parts and apart else ()


def baseline_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """This forecast above the simple methods, and what each rests on."""
    mine = {"method": "forecast", "count": forecast.total("count").mean(), "amount": forecast.total().mean()}
    table = pd.concat([pd.DataFrame([mine | {"basis": ""}]), forecast.baselines], ignore_index=True)
    table = known_amounts(table, forecast)
    columns: dict[str, Any] = {label("method", lang): [label(m, lang) for m in table["method"]]}
    columns[label("basis", lang)] = [said(basis, lang) for basis in table["basis"]]
    return pd.DataFrame(columns | {name: numbers(table[m]) for m, name in _measures(forecast, lang).items()})


def deal_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """Open deals, largest expected amount first."""
    factor, unit = unit_for_deals(float(forecast.total().mean()), forecast.unit, lang)
    deals = deals_in(known_amounts(forecast.deals, forecast), factor)
    who = {"rep_id": with_names(deals["rep_id"], forecast.rep_names, nobody="")}
    columns = _deal_columns(deals, forecast.process, lang, p="p_in_period", who=who)
    columns["days_in_state"] = deals["days_in_state"].map(number)
    columns["p_won"] = deals["p_won"].map(percent)
    columns["sign_q50"] = deals["sign_q50"].dt.strftime("%Y-%m-%d").fillna("–")
    if deals["older_than_any_win"].any():
        columns["older_than_any_win"] = deals["older_than_any_win"].map({True: label("yes", lang), False: ""})
    return _labelled(columns, unit, lang)


def score_rows(deals: pd.DataFrame, book: DealBook, lang: str) -> pd.DataFrame:
    """Scored deals (`score_open_deals`) for the terminal."""
    factor, unit = unit_for_deals(deals["expected_amount"].sum(), book.settings.unit, lang)
    deals = deals_in(deals, factor)
    columns = _deal_columns(deals, book.process, lang, p="p_won_until", who={})
    columns["interval"] = intervals(deals["p_lower"], deals["p_upper"], 1)
    columns["days_in_state"] = deals["days_in_state"].map(number)
    columns["p_won"] = deals["p_won"].map(percent)
    first, last = (deals[key].dt.strftime("%Y-%m-%d") for key in ("sign_q10", "sign_q90"))
    columns["signs_between"] = (first + " – " + last).fillna("–")
    if deals["p_rep"].notna().any():
        columns["p_rep"] = deals["p_rep"].map(percent)
    columns["p_stage_table"] = deals["p_stage_table"].map(lambda value: percent(value, 1))
    return _labelled(columns, unit, lang)


def _deal_columns(
    deals: pd.DataFrame, process: Process, lang: str, *, p: str, who: dict[str, pd.Series]
) -> dict[str, Any]:
    return {
        "deal_id": deals["deal_id"],
        "name": deals["name"].fillna(""),
        **who,
        "state": deals["state"].map(state_namer(process, lang)),
        p: deals[p].map(lambda value: percent(value, 1)),
        "amount": numbers(deals["amount"]),
        "expected_amount": numbers(deals["expected_amount"]),
    }


def _labelled(columns: dict[str, Any], unit: str, lang: str) -> pd.DataFrame:
    heads = {key: amount_label(key, unit, lang) for key in ("amount", "expected_amount")}
    heads["interval"] = label("interval", lang, level=percent(0.8))
    return pd.DataFrame({heads.get(key) or label(key, lang): values for key, values in columns.items()})


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame as csv for spreadsheets and machines.

    UTF-8 with a byte order mark, so that spreadsheets read Chinese; dates ISO; numbers to six decimals. A text that a
    spreadsheet would run as a formula (it begins with = + - @, or with their full-width forms) gets an apostrophe.
    """
    numbers = frame.select_dtypes("number").columns
    safe = frame.assign(**{str(c): frame[c].round(6) for c in numbers})
    for column in safe.select_dtypes(exclude=["number", "bool", "datetime"]):
        safe[column] = safe[column].map(lambda v: f"'{v}" if isinstance(v, str) and FORMULA.search(v) else v)
    path.parent.mkdir(parents=True, exist_ok=True)
    safe.to_csv(path, index=False, encoding="utf-8-sig", date_format="%Y-%m-%d")
    return path
