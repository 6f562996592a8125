"""Picture of what moved a forecast: from one mean to the next, cause by cause."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from salesanalytics.forecast import Change
from salesanalytics.labels import amount_label, decimals, label, number, signed
from salesanalytics.labels.units import unit_for_deals
from salesanalytics.plots.fonts import drawable, nothing_drawn, with_fonts
from salesanalytics.plots.forecast import ACCENT, INK, MIDDLE, STRONG

SMALL = 0.002  # of the larger mean: causes below it are not drawn, and said to be so


def forecast_waterfall(change: Change, *, unit: str = "", ax: Axes | None = None, lang: str = "en") -> Axes:
    """Mean before, what each cause added or took (`explain_change`), mean after."""
    if change.before["mean"] is None and change.after["mean"] is None:
        ax = ax or plt.subplots(figsize=(7, 1.5), layout="constrained")[1]
        return nothing_drawn(ax, label("title_waterfall", lang), label("no_amounts", lang))
    first, last = (float(told["mean"] or 0.0) for told in (change.before, change.after))
    scale, unit = unit_for_deals(max(first, last), unit, lang)
    causes = change.causes[change.causes["amount"].abs() > SMALL * max(first, last, 1e-300)]
    steps = causes["amount"].to_numpy(dtype=float) / scale
    rest = (last - first) / scale - steps.sum()
    level = first / scale + np.r_[0.0, np.cumsum(steps)]
    ax = ax or plt.subplots(figsize=(7, 0.34 * len(steps) + 1.5), layout="constrained")[1]
    names = [label("mean_before", lang), *(label(f"cause_{c}", lang) for c in causes["cause"])]
    bars = [(0.0, first / scale, MIDDLE), *zip(level[:-1], steps, np.where(steps > 0, STRONG, ACCENT), strict=True)]
    if abs(rest) > 1e-9:
        names.append(label("cause_small", lang))
        bars.append((level[-1], rest, STRONG if rest > 0 else ACCENT))
    names.append(label("mean_after", lang))
    bars.append((0.0, last / scale, MIDDLE))
    digits = decimals(max(first, last) / scale)
    step_digits = decimals(max(np.abs(steps), default=0.0))  # as in the table of causes
    for place, (start, size, colour) in enumerate(bars):
        ax.barh(place, size, left=start, color=colour, height=0.62)
        ends = place in (0, len(bars) - 1)
        text = number(size, digits) if ends else signed(size, step_digits)
        ax.annotate(text, (max(start, start + size), place), xytext=(4, 0), textcoords="offset points", va="center",
                    fontsize=8)  # fmt: skip
    for place, (start, size, _) in enumerate(bars[:-1]):
        ax.plot([start + size] * 2, [place + 0.31, place + 0.69], color=INK, lw=0.7)
    ax.set_yticks(np.arange(len(bars)), names)
    ax.invert_yaxis()
    ax.margins(x=0.14)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x, digits if x % 1 else 0)))
    ax.set_xlabel(drawable(amount_label("amount", unit, lang)))
    ax.spines[["right", "top"]].set_visible(False)
    ax.set_title(label("title_waterfall", lang), loc="left")
    return with_fonts(ax)
