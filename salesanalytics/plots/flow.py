"""Pictures of the funnel and of signing curves."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from salesanalytics.labels import label, number, percent, stage_label
from salesanalytics.plots.fonts import drawable, with_fonts
from salesanalytics.plots.forecast import INK, STRONG, WEAK


def funnel(flow: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Deals that entered each stage and those that passed it, of those with a result.

    Takes the result of `stage_flow` without ``by``.
    """
    ax = ax or plt.subplots(figsize=(7, 0.42 * len(flow) + 1.2), layout="constrained")[1]
    y = np.arange(len(flow))[::-1]
    ax.barh(y, flow["n_entered"], color=WEAK, height=0.75, label=label("n_entered", lang))
    ax.barh(y, flow["n_passed"], color=STRONG, height=0.4, label=label("n_passed", lang))
    room = max(float(flow["n_entered"].max()), 1.0) * 0.015
    for at, row in zip(y, flow.itertuples(), strict=True):
        decided = row.n_entered - row.n_undecided
        text = f"{number(row.n_passed)} / {number(decided)} = {percent(row.pass_rate)}"
        text = text if decided else label("none_decided", lang)
        ax.text(row.n_entered + room, at, text, va="center", fontsize=8)
    ax.set_yticks(y, [drawable(str(s)) for s in flow["stage"]])
    ax.margins(x=0.2)
    ax.set_xlabel(label("funnel_axis", lang))
    ax.set_title(label("title_funnel", lang), loc="left")
    ax.spines[["right", "top"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8, loc="lower right")
    return with_fonts(ax)


def signing_curves(curves: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Incidence of signing by days since the first entry into each stage, with the interval of each curve.

    Takes the result of `salesanalytics.signing_curves` without ``by``.
    """
    ax = ax or plt.subplots(figsize=(7, 3.8), layout="constrained")[1]
    stages = list(dict.fromkeys(curves["stage"]))
    shades = plt.get_cmap("viridis")(np.linspace(0.05, 0.9, max(len(stages), 1)))
    for shade, stage in zip(shades, stages, strict=True):
        curve, paused = curves[curves["stage"] == stage], stage == "on_hold"
        shade, name = INK if paused else shade, drawable(stage_label(str(stage), lang))
        ax.step(curve["days"], curve["p_won"], where="post", color=shade, ls="--" if paused else "-", label=name)
        ax.fill_between(curve["days"], curve["lower_won"], curve["upper_won"], step="post", color=shade, alpha=0.12)
    ax.set_ylim(0, 1.02)
    ax.set_xlim(left=0)
    ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    ax.set_xlabel(label("days_since_entry", lang))
    ax.set_ylabel(label("p_signed", lang))
    ax.set_title(label("title_curves", lang), loc="left")
    ax.spines[["right", "top"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), reverse=True)
    return with_fonts(ax)
