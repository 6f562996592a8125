"""What people put over the model, who and why; and that a what-if is no forecast."""

from __future__ import annotations

from typing import Any

import pandas as pd

from salesanalytics.forecast import QuarterForecast
from salesanalytics.labels import amount_label, band, label, percent, short
from salesanalytics.labels.units import unit_for
from salesanalytics.report.section import Section
from salesanalytics.report.tables import p_target_text


def judgement_section(forecast: QuarterForecast, lang: str) -> Section:
    """Judged deals, and what the forecast is without judgement."""
    plain = forecast.unjudged
    assert plain is not None
    scale, unit = unit_for(forecast.total().mean(), forecast.unit, lang)
    low, high = plain.bands()["80"]
    text = f"{short(plain.total().mean() / scale)} [{band(low / scale, high / scale)}] {unit}"
    text += "" if plain.p_target is None else label("change_target", lang, p=p_target_text(plain))
    rows = _judged(forecast, lang)
    rows = rows.assign(**{label(key, lang): [percent(p, 1) for p in rows[label(key, lang)]] for key in CHANCES})
    line = label("part_of", lang, text=label("without_judgement", lang), part=text)
    return Section(label("title_judgement", lang), (line,), ((rows, 3),))


CHANCES = ("p_model", "p_judged")


def _judged(forecast: QuarterForecast, lang: str) -> pd.DataFrame:
    """One row a judgement, chances as numbers."""
    assert forecast.unjudged is not None
    used, model = (f.deals.set_index("deal_id")["p_in_period"] for f in (forecast, forecast.unjudged))
    ids = [one.deal_id for one in forecast.judgements]
    told: dict[str, Any] = {"deal_id": ids, "who": [one.who for one in forecast.judgements]}
    told |= {"why": [one.why for one in forecast.judgements]}
    told |= {"p_model": [model[i] for i in ids], "p_judged": [used[i] for i in ids]}
    return pd.DataFrame({label(key, lang): values for key, values in told.items()})


def judgement_table(forecast: QuarterForecast, unit: str, lang: str) -> pd.DataFrame:
    """As `judgement_section` for the workbook, with the date and the amount where these were judged."""
    dates, amounts = ([getattr(one, key) for one in forecast.judgements] for key in ("signs_on", "amount"))
    more = {label("signs_on", lang): pd.to_datetime(pd.Series(dates)), amount_label("amount", unit, lang): amounts}
    return _judged(forecast, lang).assign(**more)


def with_and_without_judgement(forecast: QuarterForecast, lang: str) -> list[list[Any]]:
    """Text, mean, ends of the 80 % band and chance of the target (None: not known), with judgement and without."""
    assert forecast.unjudged is not None
    told = (
        (label(key, lang), f) for key, f in (("with_judgement", forecast), ("without_judgement", forecast.unjudged))
    )
    sums = ((text, f.to_dict()) for text, f in told)
    return [[text, one["mean"], *one["bands"]["80"], one["p_target"]] for text, one in sums]


def hypothesis_text(forecast: QuarterForecast, lang: str) -> str:
    """That a what-if is no forecast, and which deals it decides how; nothing of a forecast."""
    if not forecast.decided:
        return ""
    signs = forecast.deals.set_index("deal_id")["p_in_period"].loc[list(forecast.decided)] == 1
    won, lost = (label("list_comma", lang).join(signs.index[which]) for which in (signs, ~signs))
    nothing = label("nothing", lang)
    return label("hypothesis", lang, won=won or nothing, lost=lost or nothing)
