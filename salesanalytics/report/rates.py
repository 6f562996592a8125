"""Stage rates for a terminal: the table, why won / closed differs, the years, the proposal, whether segments differ."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.labels import label, number, percent, signed
from salesanalytics.models.nominal_rates import CLEAR_FALL
from salesanalytics.models.rates_effect import RatesEffect
from salesanalytics.models.rising_rates import RisingRates
from salesanalytics.report.columns import group_head, group_names, intervals, state_namer
from salesanalytics.report.text import fold, text_table

LAST_YEARS = 4
UNSEEN = 0.05  # part of the deals of a stage, still open when last watched, that is worth a line
DRIFT_CONFIDENCE = 0.9  # of `rate_drift`


def rates_text(
    rates: pd.DataFrame, book: DealBook, lang: str, width: int | None = None, *, as_of: date, by: str | None = None
) -> str:
    """Stage win rates (`stage_win_rates`)."""
    title = label("title_rates", lang, as_of=as_of, days=number(rates["horizon_days"].max()))
    rows = rate_rows(rates, book, lang, by)
    value = rates["p_won_in_stock_value"].map(percent)
    rows.insert(4 if by is None else 5, label("by_value", lang), value)
    return text_table(rows, title=title, n_text=2 if by else 1, lang=lang, width=width)


def rate_rows(rates: pd.DataFrame, book: DealBook, lang: str, by: str | None = None) -> pd.DataFrame:
    """Stage rates: nominal, standing there with interval, shrunk, closed-only, from entry, and the counts."""
    columns: dict[str, Any] = {label("stage", lang): rates["stage"].map(state_namer(book.process, lang))}
    if by:
        columns[group_head(by, lang)] = group_names(rates[by], book.process, book.rep_names, lang)
    level = label("interval", lang, level=percent(rates["confidence"].max()))
    columns[label("nominal", lang)] = rates["nominal"].map(percent)
    columns[label("p_won_in_stock", lang)] = rates["p_won_in_stock"].map(percent)
    columns[level] = intervals(rates["lower_in_stock"], rates["upper_in_stock"])
    shares = {"shrunk": "shrunk_in_stock", "closed_only_rate": "closed_only_rate", "p_won_entry": "p_won"}
    columns |= {label(key, lang): rates[name].map(percent) for key, name in shares.items()}
    columns |= {label(key, lang): rates[key].map(number) for key in ("n_entered", "n_won", "n_other_end", "n_open")}
    columns[label("p_open", lang)] = rates["p_open_in_stock"].map(percent)
    return pd.DataFrame(columns)


def gap_text(rates: pd.DataFrame, book: DealBook, lang: str, width: int | None = None) -> str:
    """Won / closed beside the chance from first entry, and what makes the difference."""
    gap = 100 * (rates["closed_only_rate"] - rates["p_won"])
    columns: dict[str, Any] = {
        "stage": rates["stage"].map(state_namer(book.process, lang)),
        "closed_only_rate": rates["closed_only_rate"].map(lambda value: percent(value, 1)),
        "p_won_entry": rates["p_won"].map(lambda value: percent(value, 1)),
        "gap": [label("points", lang, n=signed(value, 1)) if value == value else "–" for value in gap],
        "days_to_won_q50": rates["days_to_won_q50"].map(number),
        "days_to_other_end_q50": rates["days_to_other_end_q50"].map(number),
        "open_share": rates["open_share"].map(percent),
        "known_too_late": rates["n_retrospective"].map(number),
        "beyond": intervals(rates["share_beyond"], rates["share_beyond_most"]),
    }
    heads = {"beyond": label("beyond", lang, days=number(rates["horizon_days"].max()))}
    table = text_table(
        _labelled(columns, lang, heads), title=label("title_gap", lang), n_text=1, lang=lang, width=width
    )
    late = fold(label("gap_late", lang), width) if rates["n_retrospective"].any() else []
    beyond = fold(label("beyond_why", lang), width)
    return "\n".join([table, *fold(label("gap_why", lang), width), *late, *beyond, ""])


def over_time_text(
    over_time: pd.DataFrame, drift: pd.DataFrame, book: DealBook, lang: str, width: int | None = None
) -> str:
    """Rates of the last years (`stage_rates_over_time`), by cohort and period, and their drift (`rate_drift`)."""
    if not len(over_time):
        return ""
    shown = over_time.assign(cell=_pairs(over_time["p_won_cohort"], over_time["p_won_period"]))
    cells = shown.pivot(index="stage", columns="period", values="cell").reindex(drift["stage"])
    columns: dict[str, Any] = {"stage": drift["stage"].map(state_namer(book.process, lang)).to_numpy()}
    columns |= {year: cells[year].to_numpy() for year in sorted(cells)[-LAST_YEARS:]}
    points = 100 * drift[["drift_per_year", "lower", "upper"]]
    columns["drift"] = [
        label("gap_between", lang, gap=signed(gap, 1), lower=signed(low, 1), upper=signed(high, 1))
        if gap == gap
        else "–"
        for gap, low, high in points.itertuples(index=False)
    ]
    columns["p_value"] = drift["p_value"].map(p_text)
    heads = {year: str(year) for year in cells} | {"drift": label("drift", lang, level=percent(DRIFT_CONFIDENCE))}
    days = number(over_time["horizon_days"].iloc[0])
    table = text_table(
        _labelled(columns, lang, heads), title=label("title_years", lang), n_text=1, lang=lang, width=width
    )
    return "\n".join([table, *fold(label("years_note", lang, days=days), width), ""])


def _pairs(first: pd.Series, second: pd.Series) -> list[str]:
    """Two chances in a cell."""
    both = zip(first.map(percent), second.map(percent), strict=True)
    return [f"{a.removesuffix(' %')} / {b}" for a, b in both]


def proposal_text(
    proposal: pd.DataFrame, rising: RisingRates, book: DealBook, lang: str, width: int | None = None
) -> str:
    """Proposed nominal percentages (`propose_nominal_rates`), and whether the chance rises with the stage."""
    columns: dict[str, Any] = {
        "stage": proposal["stage"].map(state_namer(book.process, lang)),
        "nominal": proposal["nominal"].map(percent),
        "proposed": proposal["proposed"].map(percent),
        "interval": intervals(proposal["lower"], proposal["upper"], 1),
        "outside": proposal["is_outside"].map({True: label("yes", lang), False: ""}),
    }
    heads = {"interval": label("interval", lang, level=percent(proposal["confidence"].iloc[0]))}
    table = text_table(
        _labelled(columns, lang, heads), title=label("title_proposal", lang), n_text=1, lang=lang, width=width
    )
    days, n = number(proposal["horizon_days"].iloc[0]), number(book.process.nominal_prior_strength)
    key = "proposal_basis" if proposal["nominal"].notna().any() else "proposal_basis_observed"
    basis = label(key, lang, days=days, n=n)
    unseen = label("list_comma", lang).join(columns["stage"][proposal["p_unseen"] >= UNSEEN])
    late = label("proposal_unseen", lang, days=days, stages=unseen) if unseen else ""
    told = [text for text in (basis, late, rising_sentence(rising, lang)) if text]
    return "\n".join([table, *(line for text in told for line in fold(text, width)), ""])


def effect_text(effect: RatesEffect, lang: str, width: int | None = None) -> str:
    """What such proposals would have said of past pipelines (`nominal_rates_effect`); empty without a past quarter."""
    if not len(effect.methods):
        return ""
    methods = effect.methods.set_index("method")
    lines = []
    for measure in ("count", "amount"):
        ratio = methods[f"{measure}_ratio"]
        if ratio.isna().any():
            continue
        said = {method: f"{signed(100 * (ratio[method] - 1))} %" for method in ("nominal", "proposed")}
        lines.append(label(f"pipeline_{measure}", lang, n=methods["n_quarters"].iloc[0], **said))
    missed = methods["count_miss"]
    lines += [] if np.isclose(*missed) else [label(f"nearer_{missed.idxmin()}", lang)]
    return "\n".join([*(part for line in lines for part in fold(line, width)), ""])


def rising_sentence(rising: RisingRates, lang: str) -> str:
    """Whether the chance rises with the stage (`rising_rates`), said plainly; empty where it is one in all."""
    if rising.stages["p_won_in_stock"].nunique() < 2:
        return ""
    if rising.rise:
        return label("rising_yes", lang)
    stages = label("list_comma", lang).join(rising.stages.loc[rising.stages["falls"], "stage"])
    key = "rising_chance" if rising.p_value >= CLEAR_FALL else "rising_no"
    p = p_text(rising.p_value)
    return label(key, lang, stages=stages, p=f"p {p[0]} {p[1:]}" if p[0] in "<>" else f"p = {p}")


def differ_text(tests: pd.DataFrame, book: DealBook, lang: str, width: int | None = None) -> str:
    """Whether the segments of each stage differ (`segments_differ`)."""
    columns: dict[str, Any] = {
        "stage": tests["stage"].map(state_namer(book.process, lang)),
        "n_segments": tests["n_segments"].map(number),
        "count": tests["n_deals"].map(number),
        "n_missing": tests["n_missing"].map(number),
        "statistic": tests["statistic"].map(lambda value: number(value, 1)),
        "df": tests["df"].map(number),
        "p_value": tests["p_value"].map(p_text),
    }
    return text_table(_labelled(columns, lang), title=label("title_differ", lang), n_text=1, lang=lang, width=width)


def p_text(p: float) -> str:
    """A p-value as a person reads it.

    Examples
    --------
    >>> p_text(0.2345), p_text(0.00002), p_text(0.9999), p_text(float("nan"))
    ('0.23', '<0.001', '>0.99', '–')
    """
    if p != p:
        return "–"
    if p < 0.001 or p > 0.995:
        return "<0.001" if p < 0.5 else ">0.99"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _labelled(columns: dict[str, Any], lang: str, heads: dict[str, str] | None = None) -> pd.DataFrame:
    return pd.DataFrame({(heads or {}).get(key) or label(key, lang): values for key, values in columns.items()})
