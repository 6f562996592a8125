"""Signed, to go, covered: how far the quarter has come beside past ones, and what open deals could still bring."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesanalytics import plots
from salesanalytics.forecast import QuarterForecast, coverage_ratio
from salesanalytics.labels import amount_label, label, number, percent
from salesanalytics.labels.units import unit_for
from salesanalytics.report.columns import numbers
from salesanalytics.report.section import Section

IN_MONEY = ("signed", "to_go", "open_amount", "expected_open")


def pacing_section(forecast: QuarterForecast, pacing: pd.DataFrame | None, lang: str) -> Section | None:
    """Cover of what the target lacks, and this period beside past ones where pacing is given; None without both."""
    covered = forecast.p_target is not None
    lead = (label("coverage_rule", lang),) if covered else ()
    tables = ((_coverage_rows(forecast, lang), 0),) if covered else ()
    if pacing is None:
        return Section(label("title_coverage", lang), lead, tables) if tables else None
    measure = "amount" if forecast.amounts_known else "count"
    return Section(
        label("title_coverage", lang),
        lead,
        (*tables, (_pace_rows(pacing, forecast, measure, lang), 1)),
        lambda ax: plots.pacing(pacing, measure=measure, target=forecast.target, unit=forecast.unit, ax=ax, lang=lang),
        3.6,
        (label("pacing_rule", lang),),
    )


def _coverage_rows(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """`coverage_ratio` in one row."""
    told = coverage_ratio(forecast)
    scale, unit = unit_for(forecast.total().mean(), forecast.unit, lang)
    amounts = numbers(pd.Series([told[key] / scale for key in IN_MONEY]))
    heads = [amount_label(label_key, unit, lang) for label_key in IN_MONEY]
    ratios = {label(key, lang): times(told[key], lang) for key in ("coverage", "expected_coverage")}
    return pd.DataFrame([dict(zip(heads, amounts, strict=True)) | ratios])


def times(ratio: float, lang: str) -> str:
    """A ratio as so many times; an en dash where there is nothing to cover.

    Examples
    --------
    >>> times(9.29, "en"), times(0.893, "zh"), times(float("nan"), "en")
    ('9.3 times', '0.89 倍', '–')
    """
    return label("times", lang, n=number(ratio, 1 if ratio >= 1 else 2)) if ratio == ratio else "–"


def _pace_rows(pacing: pd.DataFrame, forecast: QuarterForecast, measure: str, lang: str) -> pd.DataFrame:
    """One row a period: signed by its last full week so far, in the end, and the share of the one in the other."""
    now = pacing[pacing["is_current"]]
    days = (now["day"] - pd.Timestamp(forecast.period.start)).dt.days + 1
    full = now[(days >= 7 * now["week"]) | now["day"].eq(pd.Timestamp(forecast.period.end))]
    week = int((full if len(full) else now)["week"].max())
    then = pacing[pacing["week"] <= week].groupby("quarter", sort=False).tail(1)
    final, by_now = then[f"final_{measure}"], then[measure]
    scale, unit = unit_for(float(np.nanmax([*by_now, *final])), forecast.unit, lang) if measure == "amount" else (1, "")
    head = amount_label(measure, unit, lang)
    return pd.DataFrame(
        {
            label("of_period", lang): then["quarter"],
            label("part_of", lang, text=head, part=label("by_week", lang, week=week)): numbers(by_now / scale),
            label("part_of", lang, text=head, part=label("actual", lang)): numbers(final / scale),
            label("share_by_then", lang): [percent(x) for x in (by_now / final).where(final > 0)],
        }
    )


def pacing_table(pacing: pd.DataFrame, unit: str, lang: str) -> pd.DataFrame:
    """The weeks of all periods for the workbook."""
    heads = {"quarter": label("of_period", lang), "week": label("week_of_period", lang), "day": label("last_day", lang)}
    ends = {"": "signed_so_far", "final_": "actual"}
    for measure in ("amount", "count"):
        name = amount_label(measure, unit if measure == "amount" else "", lang)
        heads |= {f"{k}{measure}": label("part_of", lang, text=name, part=label(v, lang)) for k, v in ends.items()}
    return pacing[list(heads)].rename(columns=heads)
