"""Pictures of deal control."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesanalytics.errors import SchemaError
from salesanalytics.labels import label, number, percent
from salesanalytics.plots.fonts import below_axis, beside_axis, nothing_drawn, with_fonts
from salesanalytics.plots.forecast import INK, WEAK

MIN_PAST = 5  # past deals below which a cell shows no share


def clock_table(table: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Seller's stage by buyer's stage: open deals, and below how many of past deals that stood there were won.

    Takes the result of `salesanalytics.clock_table`. The darker a cell, the more open deals; cells in step are framed;
    a share needs 5 past deals. In words where there is neither an open deal nor a share to show.

    Raises
    ------
    SchemaError
        The table has no cell.
    """
    if not len(table):
        raise SchemaError("clock_table draws a table with at least one cell; the process names no buyer stages.")
    ax = ax or plt.subplots(figsize=(7.2, 5.4), layout="constrained")[1]
    if not table["n_open"].any() and not (table["n_past"] >= MIN_PAST).any():
        return nothing_drawn(ax, label("title_clock_table", lang), label("no_buyer_stage", lang))
    sellers, buyers = table["stage"].drop_duplicates().tolist(), table["buyer_stage"].drop_duplicates().tolist()
    open_now = table["n_open"].to_numpy(dtype=float).reshape(len(sellers), len(buyers))
    ax.imshow(np.sqrt(open_now), cmap="Blues", vmin=0, vmax=max(1.6 * np.sqrt(open_now.max()), 1), aspect="auto")
    for place, row in enumerate(table.itertuples()):
        y, x = divmod(place, len(buyers))
        ax.text(x, y - 0.12, number(row.n_open) if row.n_open else "", ha="center", va="center", color=INK, fontsize=10)
        if row.n_past >= MIN_PAST:
            past = label("clock_past", lang, p=percent(row.p_won), n=number(row.n_past))
            ax.text(x, y + 0.26, past, ha="center", va="center", color=INK, fontsize=7)
        if row.ahead == 0:
            ax.add_patch(plt.Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, color=WEAK, lw=1.5))
    below_axis(ax, [beside_axis(name) for name in buyers])
    ax.set_yticks(range(len(sellers)), [beside_axis(name) for name in sellers])
    ax.set_ylabel(label("axis_seller", lang))
    days = number(table["horizon_days"].iloc[0])
    ax.set_xlabel(f"{label('axis_buyer', lang)}\n{label('clock_table_cell', lang, days=days)}")
    ax.set_title(label("title_clock_table", lang), loc="left")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return with_fonts(ax)
