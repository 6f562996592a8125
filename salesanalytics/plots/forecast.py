"""Pictures of a forecast: result in, Axes out, amounts in large units; no figure that a table does not hold."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from salesanalytics.forecast import QuarterForecast
from salesanalytics.forecast.result import reaches
from salesanalytics.labels import amount_label, band, chance, decimals, label, number, percent, rounded, short
from salesanalytics.labels.units import unit_for_deals
from salesanalytics.plots.fonts import beside_axis, drawable, nothing_drawn, with_fonts
from salesanalytics.plots.units import deals_in, in_units

INK, STRONG, MIDDLE, WEAK, REST, ACCENT = "#333333", "#2f6f9f", "#6ea3c9", "#a9cbe3", "#e3e3e3", "#c8502d"
SHOWN_DEALS = 12
LEAST_SHARE = 0.1  # of the axis that is left to the draws; a target further off is told by its number and an arrow


def forecast_distribution(
    forecast: QuarterForecast, *, measure: str = "amount", ax: Axes | None = None, lang: str = "en"
) -> Axes:
    """Distribution of the total with its 50 % and 80 % bands, the mean, and the target.

    The axis runs from the 0.1 % to the 99.5 % quantile of the draws (and to the target, unless it is far off).
    """
    ax = ax or plt.subplots(figsize=(7, 3.2), layout="constrained")[1]
    if measure == "amount" and not forecast.amounts_known:
        return nothing_drawn(ax, label("title_distribution", lang), label("no_amounts", lang))
    forecast = in_units(forecast, lang)
    total, bands = forecast.total(measure), forecast.bands(measure)
    low, high = np.quantile(total, [0.001, 0.995])
    whole = measure == "count"
    half = 0.5 if whole else 0.0
    edges = (
        np.arange(np.floor(low), np.ceil(high) + 2) - half
        if whole
        else np.linspace(low, high if high > low else low + 1, 61)
    )
    share = np.histogram(total, bins=edges)[0] / len(total)
    ax.stairs(share, edges, fill=True, color=REST)
    for level, colour in (("80", WEAK), ("50", STRONG)):
        lower, upper = bands[level]
        text = f"{label(f'band_{level}', lang)} {band(lower, upper)}"
        bars = ax.stairs(share, edges, fill=True, color=colour, label=text)
        first, last = (lower, upper) if upper > lower or whole else _bar_of(lower, edges)
        inside = Rectangle((first - half, 0), last - first + 2 * half, 1, transform=ax.get_xaxis_transform())
        bars.set_clip_path(inside)
    ax.axvline(total.mean(), color=INK, lw=1.2, ls="--", label=f"{label('mean', lang)} {short(total.mean())}")
    if measure == "amount" and forecast.target is not None:
        text = f"{label('target', lang)} {short(forecast.target)}"
        if _in_sight(forecast.target, low, high):
            ax.axvline(forecast.target, color=ACCENT, lw=1.5, label=text)
        else:
            ax.plot([], [], color=ACCENT, lw=1.5, label=f"{text} {'→' if forecast.target > high else '←'}")
    ax.set_xlabel(drawable(amount_label("amount", forecast.unit, lang)) if not whole else label("count", lang))
    ax.set_ylabel(label("share_of_draws", lang))
    ax.set_yticks([])
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    return _finished(ax, label("title_distribution", lang))


def target_curve(forecast: QuarterForecast, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Chance to reach any amount: what is reached with 80 %, the median, and the target where there is one.

    Many draws may bring the same (nothing, say): an amount is named with the share that does reach it. The axis runs as
    that of `forecast_distribution`; a target that is far off is in the legend alone.
    """
    ax = ax or plt.subplots(figsize=(7, 3), layout="constrained")[1]
    if not forecast.amounts_known:
        return nothing_drawn(ax, label("title_target_curve", lang), label("no_amounts", lang))
    forecast = in_units(forecast, lang)
    total = np.sort(forecast.total())
    ax.plot(total, 1 - np.arange(len(total)) / len(total), color=STRONG, lw=2)
    asked = dict.fromkeys(float(np.quantile(total, 1 - p)) for p in (0.8, 0.5))
    marks = [(x, float(reaches(total, x).mean()), INK, "reached_with") for x in asked]
    if forecast.target is not None:
        marks.append((forecast.target, forecast.p_target or 0.0, ACCENT, "target_with"))
    for x, p, colour, key in marks:
        ax.plot([x, x, 0], [0, p, p], color=colour, lw=0.9, ls="--")
        reached = chance(p, len(total), certain=bool(reaches(forecast.amount["signed"].min(), x)))
        text = label(key, lang, amount=short(x), p=reached)
        ax.scatter([x], [p], color=colour, s=24, zorder=3, label=drawable(text))
    low, high = np.quantile(total, [0.001, 0.995])
    shown = [low, high, *(x for x, *_ in marks if _in_sight(x, low, high))]
    ax.set_xlim(0.9 * min(shown), 1.02 * max(shown) or 1)
    ax.set_ylim(0, 1.02)
    ax.set_yticks([0, 0.25, 0.5, 0.8, 1], ["0", "25 %", "50 %", "80 %", "100 %"])
    ax.set_xlabel(drawable(amount_label("amount", forecast.unit, lang)))
    ax.legend(frameon=False, fontsize=8)
    ax.spines[["right", "top"]].set_visible(False)
    return _finished(ax, label("title_target_curve", lang))


def forecast_components(
    forecast: QuarterForecast, *, measure: str = "amount", ax: Axes | None = None, lang: str = "en"
) -> Axes:
    """Mean and 80 % band of each component that can be known, and of the total."""
    ax = ax or plt.subplots(figsize=(7, 3), layout="constrained")[1]
    if measure == "amount" and not forecast.amounts_known:
        return nothing_drawn(ax, label("title_parts", lang), label("no_amounts", lang))
    forecast = in_units(forecast, lang)
    table = forecast.components()
    table = table[table[measure].notna()].iloc[::-1]
    mean = table[measure].to_numpy()
    lower, upper = table[f"{measure}_lower"].to_numpy(), table[f"{measure}_upper"].to_numpy()
    rows = np.arange(len(table))
    ax.barh(rows, mean, color=np.where(table["component"].eq("total"), MIDDLE, WEAK), height=0.6)
    ax.hlines(rows, lower, upper, color=INK, lw=1.4)
    ax.set_yticks(rows, [label(c, lang) for c in table["component"]])
    digits = 0 if (mean % 1 == 0).all() else decimals(mean.max())  # as the table beside it has them
    for y, m, u in zip(rows, mean, upper, strict=True):
        ax.annotate(
            rounded(m, digits), (max(m, u), y), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8
        )
    name = amount_label("amount", forecast.unit, lang) if measure == "amount" else label("count", lang)
    ax.set_xlabel(drawable(label("mean_and_band", lang, text=name)))
    ax.margins(x=0.12)
    ax.set_xlim(left=0)
    ax.spines[["right", "top"]].set_visible(False)
    return _finished(ax, label("title_parts", lang))


def contributions(
    forecast: QuarterForecast, *, top: int = SHOWN_DEALS, ax: Axes | None = None, lang: str = "en"
) -> Axes:
    """Open deals with the largest expected amount, chance and amount beside the bar; in words that there are none."""
    factor, unit = unit_for_deals(float(forecast.total().mean()), forecast.unit, lang)
    rows = deals_in(forecast.deals, factor).nlargest(top, "expected_amount").iloc[::-1]
    ax = ax or plt.subplots(figsize=(7, 0.3 * max(len(rows), 1) + 1.2), layout="constrained")[1]
    if not len(rows):
        return nothing_drawn(ax, label("title_contributions", lang), label("no_open_deals", lang))
    places = np.arange(len(rows))
    ax.barh(places, rows["expected_amount"], color=STRONG, height=0.65)
    names = rows["name"].where(rows["name"].notna(), rows["deal_id"])
    ax.set_yticks(places, [beside_axis(name) for name in names])
    amounts = rows["amount"].dropna()
    digits = 0 if (amounts % 1 == 0).all() else decimals(amounts.max())
    for y, row in zip(places, rows.itertuples(), strict=True):
        amount = number(row.amount, digits) if row.amount == row.amount else label("no_amount", lang)
        text = f"{percent(row.p_in_period, 1)} × {amount}"
        place = (row.expected_amount, y)
        ax.annotate(text, place, xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    name = amount_label("expected_amount", unit, lang)
    ax.set_xlabel(drawable(label("chance_times_amount", lang, text=name)))
    ax.margins(x=0.3)
    ax.set_xlim(left=0)
    ax.spines[["right", "top"]].set_visible(False)
    return _finished(ax, label("title_contributions", lang))


def _bar_of(value: float, edges: np.ndarray) -> tuple[float, float]:
    """Ends of the bar that holds a value: of a band without width it is the bar in which its draws lie."""
    k = int(np.clip(np.searchsorted(edges, value, side="right"), 1, len(edges) - 1))
    return float(edges[k - 1]), float(edges[k])


def _in_sight(target: float, low: float, high: float) -> bool:
    """Whether the axis can run to the target without making a sliver of the draws between ``low`` and ``high``."""
    return bool(high - low >= LEAST_SHARE * (max(target, high) - min(target, low)) or high == low)


def _finished(ax: Axes, title: str) -> Axes:
    """Title, fonts, and numbers along the axis: few enough not to touch, with the decimals that tell them apart."""
    ax.set_title(title, loc="left")
    longest = len(number(ax.get_xlim()[1]))
    ax.xaxis.set_major_locator(MaxNLocator(min(max(42 // longest, 2), 7), steps=[1, 2, 2.5, 5, 10]))
    step = float(np.diff(ax.get_xticks())[0])
    digits = next(d for d in range(16) if abs(round(step, d) - step) <= 1e-6 * step)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x, digits)))
    return with_fonts(ax)
