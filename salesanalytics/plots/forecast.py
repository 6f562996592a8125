"""Pictures of a forecast: result in, Axes out; nothing is computed that a table does not hold."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesanalytics.forecast import QuarterForecast
from salesanalytics.labels import label, number, percent
from salesanalytics.plots.fonts import with_fonts

INK, STRONG, WEAK, ACCENT = "#333333", "#2f6f9f", "#a9cbe3", "#c8502d"


def forecast_distribution(
    forecast: QuarterForecast, *, measure: str = "amount", ax: Axes | None = None, lang: str = "en"
) -> Axes:
    """Distribution of the total with its 50 % and 80 % bands, the mean, and the target."""
    ax = ax or plt.subplots(figsize=(7, 3.2), layout="constrained")[1]
    total = forecast.total(measure)
    low, high = np.quantile(total, [0.001, 0.995])
    whole = measure == "count"
    edges = np.arange(np.floor(low), np.ceil(high) + 2) - 0.5 if whole else np.linspace(low, high, 61)
    heights, edges = np.histogram(total, bins=edges)
    share = heights / len(total)
    middle = (edges[:-1] + edges[1:]) / 2
    bands = forecast.bands(measure)
    inside_80 = (middle >= bands["80"][0]) & (middle <= bands["80"][1])
    inside_50 = (middle >= bands["50"][0]) & (middle <= bands["50"][1])
    width = np.diff(edges)
    ax.bar(middle, share, width=width, color="#e3e3e3")
    ax.bar(middle[inside_80], share[inside_80], width=width[inside_80], color=WEAK, label=label("band_80", lang))
    ax.bar(
        middle[inside_50],
        share[inside_50],
        width=width[inside_50],
        color=STRONG,
        label=label("band_50", lang),
    )
    ax.axvline(total.mean(), color=INK, lw=1.2, ls="--", label=f"{label('mean', lang)} {number(total.mean())}")
    if measure == "amount" and forecast.target is not None:
        text = f"{label('target', lang)} {number(forecast.target)} ({percent(forecast.p_target or 0.0)})"
        ax.axvline(forecast.target, color=ACCENT, lw=1.5, label=text)
    unit = f" ({forecast.unit})" if measure == "amount" and forecast.unit else ""
    ax.set_xlabel(label(measure, lang) + unit)
    ax.set_yticks([])
    ax.set_title(label("title_distribution", lang), loc="left")
    ax.xaxis.set_major_formatter(lambda x, _: number(x))
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    return with_fonts(ax)


def forecast_components(
    forecast: QuarterForecast, *, measure: str = "amount", ax: Axes | None = None, lang: str = "en"
) -> Axes:
    """Mean and 80 % band of each component and of the total."""
    ax = ax or plt.subplots(figsize=(7, 3), layout="constrained")[1]
    table = forecast.components()
    table = table[table[measure].notna()].iloc[::-1]
    mean = table[measure].to_numpy()
    lower, upper = table[f"{measure}_lower"].to_numpy(), table[f"{measure}_upper"].to_numpy()
    is_total = table["component"].eq("total").to_numpy()
    ax.barh(range(len(table)), mean, color=np.where(is_total, STRONG, WEAK), height=0.6)
    ax.hlines(range(len(table)), lower, upper, color=INK, lw=1.4)
    ax.set_yticks(range(len(table)), [label(c, lang) for c in table["component"]])
    room = max(float(upper.max()), 1e-9) * 0.02
    for y, (m, u) in enumerate(zip(mean, upper, strict=True)):
        ax.text(max(m, u) + room, y, number(m, 1 if measure == "count" else 0), va="center", fontsize=8)
    unit = f" ({forecast.unit})" if measure == "amount" and forecast.unit else ""
    ax.set_xlabel(f"{label(measure, lang)}{unit}, {label('mean', lang)} + {label('band_80', lang)}")
    ax.set_title(label("title_parts", lang), loc="left")
    ax.xaxis.set_major_formatter(lambda x, _: number(x))
    ax.margins(x=0.12)
    ax.spines[["right", "top"]].set_visible(False)
    return with_fonts(ax)


def contributions(deals: pd.DataFrame, *, top: int = 12, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Open deals with the largest expected amount (`QuarterForecast.deals`), their chance beside the bar."""
    ax = ax or plt.subplots(figsize=(7, 0.3 * min(top, max(len(deals), 1)) + 1.2), layout="constrained")[1]
    rows = deals.nlargest(top, "expected_amount").iloc[::-1]
    names = [_short(n if isinstance(n, str) else d) for n, d in zip(rows["name"], rows["deal_id"], strict=True)]
    ax.barh(range(len(rows)), rows["expected_amount"], color=STRONG, height=0.65)
    ax.set_yticks(range(len(rows)), names)
    room = max(float(rows["expected_amount"].max()), 1e-9) * 0.02 if len(rows) else 0
    for y, row in enumerate(rows.itertuples()):
        text = f"{percent(row.p_in_period)} × {number(row.amount)}"
        ax.text(row.expected_amount + room, y, text, va="center", fontsize=8)
    ax.set_xlabel(label("expected_amount", lang))
    ax.set_title(label("title_contributions", lang), loc="left")
    ax.xaxis.set_major_formatter(lambda x, _: number(x))
    ax.margins(x=0.2)
    ax.spines[["right", "top"]].set_visible(False)
    return with_fonts(ax)


def _short(name: str, at_most: int = 34) -> str:
    return name if len(name) <= at_most else name[: at_most - 1] + "…"
