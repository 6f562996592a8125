"""Pictures of stage rates."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from salesanalytics.labels import label, number, percent
from salesanalytics.plots.fonts import drawable, with_fonts
from salesanalytics.plots.forecast import ACCENT, INK, STRONG


def stage_rates(rates: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Nominal rate, observed rate of deals standing in the stage with its interval, and the closed-only rate.

    Takes the result of `stage_win_rates` without ``by``.
    """
    ax = ax or plt.subplots(figsize=(7, 3.6), layout="constrained")[1]
    x = np.arange(len(rates))
    p = rates["p_won_in_stock"].to_numpy(dtype=float)
    error = np.abs(rates[["lower_in_stock", "upper_in_stock"]].to_numpy(dtype=float).T - p)
    level = label("interval", lang, level=percent(rates["confidence"].iloc[0]))
    shown = label("with_unit", lang, text=label("p_won_in_stock", lang), unit=level)
    ax.errorbar(x, p, yerr=error, fmt="o", color=STRONG, capsize=3, label=shown)
    ax.plot(x + 0.1, rates["closed_only_rate"], "x", color=INK, label=label("closed_only_rate", lang))
    if rates["nominal"].notna().any():
        ax.plot(x, rates["nominal"], "_", ms=22, mew=2, color=ACCENT, label=label("nominal", lang))
    deals = [label("n_deals", lang, n=number(n)) for n in rates["n_in_stock"]]
    ax.set_xticks(x, [f"{drawable(s)}\n{n}" for s, n in zip(rates["stage"], deals, strict=True)], fontsize=7.5)
    ax.set_ylim(0, 1.04)
    ax.margins(x=0.12)
    ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    ax.set_ylabel(label("chance_within", lang, days=number(rates["horizon_days"].iloc[0])))
    ax.set_title(label("title_stage_rates", lang), loc="left")
    ax.grid(axis="y", color="#eeeeee")
    ax.set_axisbelow(True)
    ax.spines[["right", "top"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)
    return with_fonts(ax)
