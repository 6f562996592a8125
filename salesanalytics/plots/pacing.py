"""Picture of pacing: this quarter against past ones, week by week."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from salesanalytics.labels import amount_label, decimals, label, number
from salesanalytics.labels.units import unit_for
from salesanalytics.plots.fonts import drawable, nothing_drawn, with_fonts
from salesanalytics.plots.forecast import ACCENT, INK, STRONG

PAST = "#b9b9b9"


def pacing(
    table: pd.DataFrame,
    *,
    measure: str = "amount",
    target: float | None = None,
    unit: str = "",
    ax: Axes | None = None,
    lang: str = "en",
) -> Axes:
    """Signed so far by week: past periods grey, their middle dashed, this one bold. Takes the result of `pacing`."""
    ax = ax or plt.subplots(figsize=(7, 3.6), layout="constrained")[1]
    largest = max(float(table[measure].max()), target or 0.0)
    if measure == "amount" and not largest and table["count"].any():
        return nothing_drawn(ax, label("title_pacing", lang), label("no_amounts", lang))
    factor, unit = unit_for(largest, unit, lang) if measure == "amount" else (1.0, "")
    past, now = table[~table["is_current"]], table[table["is_current"]]
    for k, (_, part) in enumerate(past.groupby("quarter", sort=False)):
        name = label("past_periods", lang, n=past["quarter"].nunique()) if k == 0 else None
        ax.plot([0, *part["week"]], [0, *part[measure] / factor], color=PAST, lw=1, label=name)
    if len(past):
        middle = past.groupby("week")[measure].median() / factor
        ax.plot([0, *middle.index], [0, *middle], color=INK, lw=1.2, ls="--", label=label("median", lang))
    if len(now):
        ax.plot(
            [0, *now["week"]], [0, *now[measure] / factor], color=STRONG, lw=2.6, marker="o", ms=3.5,
            label=now["quarter"].iloc[0],
        )  # fmt: skip
    if target is not None and measure == "amount":
        ax.axhline(target / factor, color=ACCENT, lw=1.3, label=label("target", lang))
    ax.set_xlabel(label("week_of_period", lang))
    ax.set_ylabel(drawable(amount_label("amount", unit, lang)) if measure == "amount" else label("count", lang))
    ax.set_title(label("title_pacing", lang), loc="left")
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    digits = decimals(largest / factor)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=measure == "count"))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: number(y, digits if y % 1 else 0)))
    ax.spines[["right", "top"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    return with_fonts(ax)
