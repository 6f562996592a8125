"""Where model and rep disagree most, on the page, in the terminal, in the workbook."""

from __future__ import annotations

import pandas as pd

from salesanalytics.forecast import QuarterForecast, disagreements
from salesanalytics.labels import amount_label, label, number, percent
from salesanalytics.labels.units import unit_for_deals
from salesanalytics.report.columns import differences, numbers, with_names
from salesanalytics.report.section import Section

SHOWN = 10


def disagreement_section(forecast: QuarterForecast, lang: str) -> Section | None:
    """The largest disagreements; None where no rep says anything of the period."""
    found = disagreements(forecast)
    if not len(found) or not forecast.amounts_known:
        return None
    scale, unit = unit_for_deals(forecast.total().mean(), forecast.unit, lang)
    top = found[found["effect"] != 0].head(SHOWN)
    rows = {
        label("deal_id", lang): top["deal_id"],
        label("name", lang): top["name"].fillna("–"),
        label("rep_id", lang): with_names(top["rep_id"], forecast.rep_names),
        label("p_rep_in_period", lang): [percent(p, 1) for p in top["p_rep_in_period"]],
        label("p_model", lang): [percent(p, 1) for p in top["p_model"]],
        amount_label("amount", unit, lang): numbers(top["amount"] / scale),
        amount_label("disagreement_effect", unit, lang): differences(top["effect"] / scale),
    }
    sums = [top_sum / scale for top_sum in (found["effect"].clip(lower=0).sum(), -found["effect"].clip(upper=0).sum())]
    more, less = numbers(pd.Series(sums))
    lead = label("disagreement_lead", lang, n=number(len(found)), more=more, less=less, unit=unit)
    return Section(label("title_disagreements", lang), (lead,), ((pd.DataFrame(rows), 3),))


def disagreement_table(found: pd.DataFrame, forecast: QuarterForecast, unit: str, lang: str) -> pd.DataFrame:
    """`disagreements` for the workbook, every deal of which a rep says something."""
    heads = {key: label(key, lang) for key in ("deal_id", "name", "rep_id", "stage", "close_date")}
    heads |= {"amount": amount_label("amount", unit, lang)}
    heads |= {key: label(key, lang) for key in ("p_rep", "p_rep_in_period", "p_model")}
    heads |= {"effect": amount_label("disagreement_effect", unit, lang), "expects_more": label("expects_more", lang)}
    sides = {"rep": label("side_rep", lang), "model": label("side_model", lang)}
    words = {
        "rep_id": with_names(found["rep_id"], forecast.rep_names),
        "expects_more": found["expects_more"].map(sides),
    }
    return found.assign(**words)[list(heads)].rename(columns=heads)
