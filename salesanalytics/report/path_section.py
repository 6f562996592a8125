"""The path to the target on the page, in the terminal, in the workbook."""

from __future__ import annotations

import pandas as pd

from salesanalytics.forecast import QuarterForecast, path_to_target
from salesanalytics.forecast.result import reaches
from salesanalytics.labels import amount_label, chance, label, number, percent
from salesanalytics.labels.units import unit_for_deals
from salesanalytics.report.columns import differences, numbers, with_names
from salesanalytics.report.section import Section
from salesanalytics.report.tables import p_target_text

SHOWN, WANTED = 10, 0.8


def path_section(forecast: QuarterForecast, lang: str) -> Section:
    """The first deals of the path, and how many of them have to be signed to reach the target with 80 %."""
    path, n, sure = path_to_target(forecast), len(forecast.total()), _sure(forecast)
    top = path.head(SHOWN)
    scale, unit = unit_for_deals(forecast.total().mean(), forecast.unit, lang)
    rows = {
        label("deal_id", lang): top["deal_id"],
        label("name", lang): top["name"].fillna("–"),
        label("rep_id", lang): with_names(top["rep_id"], forecast.rep_names),
        label("p_in_period", lang): [percent(p, 1) for p in top["p_in_period"]],
        amount_label("amount", unit, lang): numbers(top["amount"] / scale),
        label("worth", lang): differences(100 * top["worth"]),
        label("p_target_won", lang): [chance(p, n, certain=sure) for p in top["p_target_won"]],
        label("p_target_path", lang): [chance(p, n, certain=sure) for p in top["p_target_path"]],
    }
    lead = (*_how_far(path, forecast, lang), label("path_rule", lang))
    return Section(label("title_path", lang), lead, ((pd.DataFrame(rows), 3),))


def _how_far(path: pd.DataFrame, forecast: QuarterForecast, lang: str) -> tuple[str, ...]:
    """A sentence on the shortest way along the path to four chances in five, or on its end."""
    if (forecast.p_target or 0.0) >= WANTED or not len(path):
        return ()
    enough = path["p_target_path"].ge(WANTED)
    steps = int(enough.to_numpy().argmax()) + 1 if enough.any() else len(path)
    p = chance(path["p_target_path"].iloc[steps - 1], len(forecast.total()))
    return (label("path_lead", lang, n=number(steps), p=p, now=p_target_text(forecast)),)


def path_table(forecast: QuarterForecast, unit: str, lang: str) -> pd.DataFrame:
    """The whole path for the workbook, one row a deal, shares as numbers."""
    path = path_to_target(forecast)
    heads = {key: label(key, lang) for key in ("deal_id", "name", "rep_id", "stage", "p_in_period")}
    heads |= {"amount": amount_label("amount", unit, lang)}
    heads |= {key: label(key, lang) for key in ("p_target_won", "adds", "p_target_path")}
    heads["worth"] = label("worth_share", lang)
    names = {"rep_id": with_names(path["rep_id"], forecast.rep_names)}
    order = ["deal_id", "name", "rep_id", "stage", "p_in_period", "amount", "worth", "adds", "p_target_won"]
    return path.assign(**names)[[*order, "p_target_path"]].rename(columns=heads)


def _sure(forecast: QuarterForecast) -> bool:
    """Whether what is signed reaches the target already."""
    return forecast.target is not None and bool(reaches(forecast.amount["signed"].min(), forecast.target))
