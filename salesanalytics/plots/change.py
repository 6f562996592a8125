"""Pictures of what moved a forecast or the pipeline: from one level to the next, cause by cause."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from salesanalytics.forecast import Change, PipelineChange
from salesanalytics.labels import amount_label, decimals, label, number, signed
from salesanalytics.labels.units import unit_for_deals
from salesanalytics.plots.fonts import drawable, nothing_drawn, with_fonts
from salesanalytics.plots.forecast import ACCENT, INK, MIDDLE, STRONG

SMALL = 0.002  # of the larger level: causes below it are not drawn, and said to be so


def forecast_waterfall(change: Change, *, unit: str = "", ax: Axes | None = None, lang: str = "en") -> Axes:
    """Mean before, what each cause added or took (`explain_change`), mean after."""
    names = [label(f"cause_{cause}", lang) for cause in change.causes["cause"]]
    ends = [(label(f"mean_{when}", lang), getattr(change, when)["mean"]) for when in ("before", "after")]
    steps = pd.Series(change.causes["amount"].to_numpy(dtype=float), names)
    return _waterfall(ends, steps, title=label("title_waterfall", lang), unit=unit, ax=ax, lang=lang)


def pipeline_waterfall(change: PipelineChange, *, unit: str = "", ax: Axes | None = None, lang: str = "en") -> Axes:
    """Open pipeline before, what came in, changed and went out (`pipeline_change`), open pipeline after."""
    names = [label(f"flow_{cause}", lang) for cause in change.causes["cause"]]
    ends = [(str(change.before_on), change.before["amount"]), (str(change.after_on), change.after["amount"])]
    steps = pd.Series(change.causes["amount"].to_numpy(dtype=float), names)
    return _waterfall(ends, steps, title=label("title_pipeline_waterfall", lang), unit=unit, ax=ax, lang=lang)


def _waterfall(
    ends: list[tuple[str, float | None]], steps: pd.Series, *, title: str, unit: str, ax: Axes | None, lang: str
) -> Axes:
    """The level before, each step, and the level after, all with their names; or that nothing is known of them."""
    if all(level is None for _, level in ends):
        ax = ax or plt.subplots(figsize=(7, 1.5), layout="constrained")[1]
        return nothing_drawn(ax, title, label("no_amounts", lang))
    first, last = (float(level or 0.0) for _, level in ends)
    scale, unit = unit_for_deals(max(first, last), unit, lang)
    seen = steps[steps.abs() > SMALL * max(first, last, 1e-300)] / scale
    rest = (last - first) / scale - seen.sum()
    level = first / scale + np.r_[0.0, np.cumsum(seen)]
    ax = ax or plt.subplots(figsize=(7, 0.34 * len(seen) + 1.5), layout="constrained")[1]
    names = [ends[0][0], *seen.index]
    bars = [(0.0, first / scale, MIDDLE), *zip(level[:-1], seen, np.where(seen > 0, STRONG, ACCENT), strict=True)]
    if abs(rest) > 1e-9:
        names.append(label("cause_small", lang))
        bars.append((level[-1], rest, STRONG if rest > 0 else ACCENT))
    names.append(ends[1][0])
    bars.append((0.0, last / scale, MIDDLE))
    digits = decimals(max(first, last) / scale)
    step_digits = decimals(max(seen.abs(), default=0.0))  # as in the table of causes
    for place, (start, size, colour) in enumerate(bars):
        ax.barh(place, size, left=start, color=colour, height=0.62)
        text = number(size, digits) if place in (0, len(bars) - 1) else signed(size, step_digits)
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
    ax.set_title(title, loc="left")
    return with_fonts(ax)
