"""Result frames as sheets: every head and key in words, amounts with their unit, numbers as they are."""

from __future__ import annotations

from typing import Any

import pandas as pd

from salesanalytics.forecast import Change, QuarterForecast, TrackRecord
from salesanalytics.forecast.change import CAUSES
from salesanalytics.labels import amount_label, label
from salesanalytics.report.columns import group_head, group_names, places
from salesanalytics.report.review_rows import judged_measures, method_name

#: Ends of bands, by the last part of the name of a column: how the end is called, and of which band it is.
BAND_ENDS = {
    "lower": ("lower_of", "80"), "upper": ("upper_of", "80"), "q10": ("lower_of", "80"), "q90": ("upper_of", "80"),
    "q25": ("lower_of", "50"), "q75": ("upper_of", "50"),
}  # fmt: skip
OTHER_ENDS = {"q50": "median", "signed": "signed_so_far"}
MEASURES = ("amount", "count")


def change_table(change: Change, unit: str, lang: str) -> pd.DataFrame:
    """What moved a forecast, one row a cause."""
    causes = [label(f"cause_{cause}", lang) for cause in change.causes["cause"]]
    return pd.DataFrame({label("cause", lang): causes} | _measured(change.causes, unit, lang))


def change_deal_table(change: Change, names: pd.Series, unit: str, lang: str) -> pd.DataFrame:
    """The deals that moved a forecast, one row a deal, one column of amounts a cause; ``names`` by deal."""
    deals = change.deals
    columns = {
        label("deal_id", lang): deals["deal_id"],
        label("name", lang): names.reindex(deals["deal_id"]).to_list(),
        amount_label("amount", unit, lang): deals["amount"],
    }
    return pd.DataFrame(columns | {label(f"cause_{c}", lang): deals[c] for c in deals.columns.intersection(CAUSES)})


def group_table(groups: pd.DataFrame, forecast: QuarterForecast, unit: str, lang: str) -> pd.DataFrame:
    """A `rollup`, one row a group."""
    by = str(groups.columns[0])
    names = group_names(groups[by], forecast.process, forecast.rep_names, lang)
    columns: dict[str, Any] = {group_head(by, lang): names} | _measured(groups, unit, lang)
    if "target" in groups:
        columns |= {amount_label("target", unit, lang): groups["target"], label("p_target", lang): groups["p_target"]}
    return pd.DataFrame(columns)


def outlook_table(outlook: pd.DataFrame, unit: str, lang: str) -> pd.DataFrame:
    """Months, quarters and the year, one row a period."""
    columns: dict[str, Any] = {
        label("of_period", lang): outlook["period"],
        label("kind_of_period", lang): [label(f"kind_{kind}", lang) for kind in outlook["kind"]],
        label("first_day", lang): outlook["start"],
        label("last_day", lang): outlook["end"],
        amount_label("target", unit, lang): outlook["target"],
        label("p_target", lang): outlook["p_target"],
    }
    return pd.DataFrame(columns | _measured(outlook, unit, lang))


def past_table(record: TrackRecord, unit: str, lang: str) -> pd.DataFrame:
    """Past forecasts beside what was signed; the measure says what the numbers of a row are counted in."""
    scores = record.scores[record.scores["measure"].isin(judged_measures(record))]
    measures = {"amount": amount_label("amount", unit, lang), "count": label("count", lang)}
    columns: dict[str, Any] = {label(key, lang): scores[key] for key in ("quarter", "week", "as_of")}
    columns[label("measure", lang)] = scores["measure"].map(measures)
    columns[label("method", lang)] = [method_name(method, lang) for method in scores["method"]]
    for key, name in (("forecast", "mean"), ("actual", "actual")):
        columns[label(name, lang)] = scores[key]
    columns |= {_end(end, lang): scores[end] for end in ("q10", "q25", "q50", "q75", "q90")}
    for key in ("crps", "interval_score", "held_50", "held_80", "pit", "stretch"):
        columns[label(key, lang)] = scores[key.replace("held", "in")]
    columns[label("comparable", lang)] = [label("yes" if yes else "no", lang) for yes in scores["comparable"]]
    return pd.DataFrame(columns)


def form_of(*values: float | None) -> str:
    """The number format of a column with these numbers: decimals as on the page, and what is hardly there reads so."""
    column = pd.Series(values, dtype=float)
    digits = places(column)
    form = f"{0:,.{digits}f}".replace("0", "#,##0", 1)
    half = 0.5 * 10.0**-digits
    hardly = column.gt(0) & column.lt(half)
    return f'[=0]0;[<{half:.{digits + 1}f}]"<{10.0**-digits:.{digits}f}";{form}' if hardly.any() else form


def _measured(frame: pd.DataFrame, unit: str, lang: str) -> dict[str, pd.Series]:
    """The columns of amount and count of a frame, by their heads."""
    found = {}
    for measure in MEASURES:
        name = amount_label(measure, unit if measure == "amount" else "", lang)
        for column in frame.columns[frame.columns.str.match(f"{measure}(_|$)")]:
            end = str(column).removeprefix(measure).removeprefix("_")
            found[label("part_of", lang, text=name, part=_end(end, lang)) if end else name] = frame[column]
    return found


def _end(end: str, lang: str) -> str:
    if end in OTHER_ENDS:
        return label(OTHER_ENDS[end], lang)
    side, level = BAND_ENDS[end]
    return label(side, lang, text=label(f"band_{level}", lang))
