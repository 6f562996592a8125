"""Pictures of stage rates."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesanalytics.labels import label
from salesanalytics.plots.fonts import with_fonts
from salesanalytics.plots.forecast import ACCENT, INK, STRONG


def stage_rates(rates: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Nominal rate, observed rate of deals standing in the stage with its interval, and the closed-only rate.

    Takes the result of `stage_win_rates` without ``by``.
    """
    ax = ax or plt.subplots(figsize=(7, 3.4), layout="constrained")[1]
    x = np.arange(len(rates))
    p = rates["p_won_in_stock"].to_numpy(dtype=float)
    error = np.abs(rates[["lower_in_stock", "upper_in_stock"]].to_numpy(dtype=float).T - p)
    shown = f"{label('p_won_in_stock', lang)} ({100 * rates['confidence'].iloc[0]:.0f} % {label('interval', lang)})"
    ax.errorbar(x, p, yerr=error, fmt="o", color=STRONG, capsize=3, label=shown)
    ax.plot(x + 0.18, rates["closed_only_rate"], "x", color=INK, label=label("closed_only_rate", lang))
    if rates["nominal"].notna().any():
        ax.plot(x, rates["nominal"], "_", ms=22, mew=2, color=ACCENT, label=label("nominal", lang))
    ax.set_xticks(x, [f"{s}\nn={n}" for s, n in zip(rates["stage"], rates["n_in_stock"], strict=True)])
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f} %")
    ax.grid(axis="y", color="#eeeeee")
    ax.set_axisbelow(True)
    ax.spines[["right", "top"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    return with_fonts(ax)
