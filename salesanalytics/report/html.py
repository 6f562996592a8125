"""The page a person opens: one self-contained HTML file."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesanalytics import plots
from salesanalytics.forecast import PipelineChange, QuarterForecast
from salesanalytics.labels import band, label, number, percent, short
from salesanalytics.plots.forecast import SHOWN_DEALS
from salesanalytics.plots.units import in_units
from salesanalytics.report.judgement_section import hypothesis_text
from salesanalytics.report.largest import gap_text
from salesanalytics.report.page import WHOLE, written
from salesanalytics.report.sections import sections
from salesanalytics.report.sentences import ceiling_text, method_text, note_texts
from salesanalytics.report.tables import baseline_rows, component_rows, deal_rows, p_target_text

LISTED_DEALS = 100
PICTURE_INCHES = 9.5  # shown 950 px wide, so that its letters are as large as those of the page
_HEADINGS = ("distribution", "parts", "contributions", "baselines", "notes", "deals")


def write_page(
    forecast: QuarterForecast,
    path: Path,
    *,
    lang: str = "en",
    before: QuarterForecast | None = None,
    groups: pd.DataFrame | None = None,
    outlook: pd.DataFrame | None = None,
    pacing: pd.DataFrame | None = None,
    pipeline: PipelineChange | None = None,
) -> Path:
    """Write a forecast as one self-contained HTML file: no network, every value escaped."""
    content = _content(in_units(forecast, lang), lang) | {"pictures": _pictures(forecast, lang)}
    content["deals"] = deal_rows(forecast, lang).head(LISTED_DEALS)
    content["sections"] = [
        vars(part) | {"picture": part.draw and png(part.draw, part.height)}
        for part in sections(
            forecast, lang, before=before, groups=groups, outlook=outlook, pacing=pacing, pipeline=pipeline
        )
    ]
    return written(WHOLE, content, path)


def _content(forecast: QuarterForecast, lang: str) -> dict[str, Any]:
    n_more = len(forecast.deals) - LISTED_DEALS
    return {
        "lang": "zh-CN" if lang == "zh" else "en",
        "title": label("title_forecast", lang, quarter=forecast.period.name, as_of=forecast.as_of),
        "words": {f"title_{key}": label(f"title_{key}", lang) for key in _HEADINGS},
        "hypothesis": hypothesis_text(forecast, lang),
        "tiles": _tiles(forecast, lang),
        "lead": _lead(forecast, lang),
        "carried": _carried(forecast, lang),
        "notes": note_texts(forecast, lang),
        "parts": component_rows(forecast, lang),
        "simple": baseline_rows(forecast, lang),
        "more": label("more_deals", lang, n=number(n_more)) if n_more > 0 else "",
        "method": method_text(forecast, lang),
    }


def _tiles(forecast: QuarterForecast, lang: str) -> list[dict[str, Any]]:
    tiles: list[dict[str, Any]] = []
    for measure, unit in (("amount", forecast.unit), ("count", "")):
        if measure == "amount" and not forecast.amounts_known:
            tiles.append({"name": label(measure, lang), "value": "–", "more": []})
            continue
        mean = forecast.total(measure).mean()
        bands = forecast.bands(measure).items()
        more = [f"{label(f'band_{level}', lang)} {band(low, high)}" for level, (low, high) in bands]
        more += [f"{label('reached_80', lang)} {short(forecast.reached_80 or 0.0)}"] if measure == "amount" else []
        tiles.append({"name": label(measure, lang), "value": f"{short(mean)} {unit}", "more": more})
    if forecast.target is not None:
        more = [f"{label('target', lang)} {short(forecast.target)} {forecast.unit}"]
        if forecast.gap is not None:
            more.append(f"{label('target_gap', lang)} {gap_text(forecast.gap, forecast.target)} {forecast.unit}")
        tiles.append({"name": label("p_target", lang), "value": p_target_text(forecast), "more": more})
    return tiles


def _lead(forecast: QuarterForecast, lang: str) -> str:
    measure = _measure(forecast)
    limits = {f"band_{level}": band(low, high) for level, (low, high) in forecast.bands(measure).items()}
    if measure == "count":
        limits = {key: label("n_deals", lang, n=text) for key, text in limits.items()}
    else:
        limits = {key: f"{text} {forecast.unit}".rstrip() for key, text in limits.items()}
    bands = label("lead_bands", lang, **limits)
    return label("two_sentences", lang, first=bands, second=ceiling_text(forecast, lang)).rstrip()


def _measure(forecast: QuarterForecast) -> str:
    """What the distribution is told in: the number of deals where no amount is known of any."""
    return "count" if not forecast.amounts_known else "amount"


def _carried(forecast: QuarterForecast, lang: str) -> str:
    if not forecast.amounts_known:
        return ""
    if not len(forecast.deals):
        return label("no_open_deals", lang)
    expected = forecast.deals["expected_amount"]
    shown, whole = expected.nlargest(SHOWN_DEALS), expected.sum()
    share = percent(shown.sum() / whole if whole else float("nan"))
    return label("carried_by", lang, n=number(len(shown)), all=number(len(expected)), share=share)


def _pictures(forecast: QuarterForecast, lang: str) -> dict[str, str]:
    measure = _measure(forecast)
    found = {
        "distribution": png(lambda ax: plots.forecast_distribution(forecast, measure=measure, ax=ax, lang=lang), 3.4)
    }
    if measure == "amount" and len(forecast.deals):
        height = 1.0 + 0.3 * min(len(forecast.deals), SHOWN_DEALS)
        found["contributions"] = png(lambda ax: plots.contributions(forecast, ax=ax, lang=lang), height)
    return found


def png(draw: Callable[[Axes], Axes], height: float) -> str:
    """A picture without its title, which is the heading above it; no figure is left behind."""
    figure = Figure(figsize=(PICTURE_INCHES, height), layout="constrained")
    draw(figure.subplots()).set_title("", loc="left")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
