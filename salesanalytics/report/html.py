"""The page a person opens: one self-contained HTML file."""

from __future__ import annotations

import base64
import io
from importlib import resources
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from jinja2 import Environment, Template
from markupsafe import Markup
from matplotlib.figure import Figure

from salesanalytics import plots
from salesanalytics.errors import SalesAnalyticsError
from salesanalytics.forecast import QuarterForecast
from salesanalytics.labels import label, number, percent
from salesanalytics.report.tables import baseline_rows, component_rows, deal_rows, method_text, note_texts

SHOWN_DEALS = 100
_TABLE = """<table><thead><tr>{% for c in frame.columns %}<th{% if loop.index0 < n_text %} class="text"{% endif %}>{{ c }}</th>
{%- endfor %}</tr></thead><tbody>
{% for row in frame.itertuples(index=False) %}<tr{% if loop.last and total %} class="total"{% endif %}>
{%- for v in row %}<td{% if loop.index0 < n_text %} class="text"{% endif %}>{{ v }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table>"""


def write_report(forecast: QuarterForecast, path: str | Path, *, lang: str = "en") -> Path:
    """Write a forecast as one self-contained HTML file (no network, every value escaped).

    Parameters
    ----------
    forecast : QuarterForecast
    path : str or Path
        Ends in ``.html``; folders are made.
    lang : {"en", "zh"}

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SalesAnalyticsError
        The path does not end in ``.html``.
    """
    path = Path(path)
    if path.suffix != ".html":
        raise SalesAnalyticsError(f"A report is written as .html, got {path.name!r}.")
    environment = Environment(autoescape=True)
    table = environment.from_string(_TABLE)
    template = environment.from_string((resources.files("salesanalytics.report") / "page.html").read_text("utf-8"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(template.render(_content(forecast, table, lang)), encoding="utf-8")
    return path


def _content(forecast: QuarterForecast, table: Template, lang: str) -> dict[str, Any]:
    def as_table(part: tuple[pd.DataFrame, int, bool]) -> Markup:
        frame, n_text, total = part
        return Markup(table.render(frame=frame, n_text=n_text, total=total))

    n_more = len(forecast.deals) - SHOWN_DEALS
    keys = (
        "title_notes",
        "title_distribution",
        "title_parts",
        "title_contributions",
        "title_baselines",
        "title_deals",
    )
    return {
        "lang": "zh-CN" if lang == "zh" else "en",
        "title": label("title_forecast", lang, quarter=forecast.period.name, as_of=forecast.as_of),
        "words": {key: label(key, lang) for key in keys},
        "tiles": _tiles(forecast, lang),
        "notes": note_texts(forecast, lang),
        "pictures": _pictures(forecast, lang),
        "table": as_table,
        "parts": (component_rows(forecast, lang), 1, True),
        "simple": (baseline_rows(forecast, lang), 1, False),
        "deals": (deal_rows(forecast, lang).head(SHOWN_DEALS), 4, False),
        "more": label("more_deals", lang, n=n_more) if n_more > 0 else "",
        "foot": label(
            "draws_line",
            lang,
            n=number(len(forecast.total())),
            seed=forecast.seed,
            method=method_text(forecast, lang),
        ),
    }


def _tiles(forecast: QuarterForecast, lang: str) -> list[dict[str, str]]:
    tiles = []
    for measure in ("amount", "count"):
        draws, (low, high) = forecast.total(measure), forecast.bands(measure)["80"]
        unit = f" {forecast.unit}" if measure == "amount" else ""
        more = f"{label('band_80', lang)} {number(low)} – {number(high)}"
        tiles.append({"name": label(measure, lang), "value": number(draws.mean()) + unit, "more": more})
    if forecast.p_target is not None:
        more = f"{label('target', lang)} {number(forecast.target or 0.0)} {forecast.unit}"
        tiles.append({"name": label("p_target", lang), "value": percent(forecast.p_target), "more": more})
    return tiles


def _pictures(forecast: QuarterForecast, lang: str) -> dict[str, str]:
    axes = {
        "distribution": plots.forecast_distribution(forecast, lang=lang),
        "contributions": plots.contributions(forecast.deals, lang=lang),
    }
    return {name: _png(ax.get_figure(root=True)) for name, ax in axes.items()}


def _png(figure: Figure | None) -> str:
    if figure is None:
        return ""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    plt.close(figure)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
