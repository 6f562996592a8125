"""Picture of the ratios of time to signing."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from salesanalytics.labels import label, percent
from salesanalytics.models.signing_time import AT_CREATION, CHANGING
from salesanalytics.plots.fonts import drawable, with_fonts
from salesanalytics.plots.forecast import INK, MIDDLE, STRONG

NAMED = {c.name for c in (*CHANGING, *AT_CREATION)} | {"product", "region", "source", "route", "deal_class"}
DOUBTFUL = 0.05
WIDEST = 20.0  # intervals that reach further leave the picture
FINE, COARSE = (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2), (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


def signing_time(ratios: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Each ratio with its interval, on a log scale; covariates that were left out are not drawn.

    Takes the result of `signing_time_effects` (hollow: the ratio changes with the age of the deal) or of
    `signing_time_ratios` (two models, one above the other).
    """
    measure = "hazard_ratio" if "hazard_ratio" in ratios else "time_ratio"
    shown = ratios[ratios["left_out"].isna()]
    models = list(dict.fromkeys(shown["model"])) if "model" in shown else [None]
    parts = [shown if model is None else shown[shown["model"] == model] for model in models]
    told = zip(parts[0]["effect"], parts[0]["level"], parts[0]["reference"], strict=True)
    names = [_name(effect, level, reference, lang) for effect, level, reference in told]
    ax = ax or plt.subplots(figsize=(8, 0.3 * len(names) + 1.6), layout="constrained")[1]
    rows = np.arange(len(names))[::-1]
    for k, (model, part) in enumerate(zip(models, parts, strict=True)):
        _draw(ax, rows + 0.16 * (len(models) - 1) * (1 - 2 * k), part, measure, model, (STRONG, MIDDLE)[k], lang)
    if "ph_p" in shown and (shown["ph_p"] < DOUBTFUL).any():
        ax.plot([], [], "o", mfc="white", color=STRONG, ms=5, label=label("ratio_changes", lang))
    ax.axvline(1, color=INK, lw=1, zorder=1)
    ax.set_yticks(rows, [drawable(name) for name in names], fontsize=8)
    _log_axis(ax, shown)
    ax.set_xlabel(f"{label(measure, lang)}\n{label('not_a_cause', lang)}", fontsize=8)
    ax.set_title(label("title_signing_time", lang), loc="left", pad=24)
    ax.grid(axis="x", color="#eeeeee")
    ax.set_axisbelow(True)
    ax.spines[["right", "top"]].set_visible(False)
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2, ncols=2)
    return with_fonts(ax)


def _draw(ax: Axes, y: np.ndarray, part: pd.DataFrame, measure: str, model: str | None, colour: str, lang: str) -> None:
    value = part[measure].to_numpy(float)
    lower, upper = part["lower"].to_numpy(float), part["upper"].to_numpy(float)
    level = label("interval", lang, level=percent(part["confidence"].iloc[0]))
    name = level if model is None else label("with_unit", lang, text=label(f"model_{model}", lang), unit=level)
    ax.hlines(y, lower, upper, color=colour, lw=1.4)
    ax.plot(value, y, "o", color=colour, ms=5, label=name)
    if "ph_p" in part:
        hollow = part["ph_p"].to_numpy(float) < DOUBTFUL
        ax.plot(value[hollow], y[hollow], "o", mfc="white", color=colour, ms=5)
    if model is None:
        for at, v, low, high in zip(y, value, lower, upper, strict=True):
            text = f"{v:.2f}  ({low:.2f} – {high:.2f})"
            ax.annotate(text, (1.01, at), xycoords=("axes fraction", "data"), va="center", fontsize=8)


def _log_axis(ax: Axes, shown: pd.DataFrame) -> None:
    """A log scale around 1 as far as the intervals reach, with round ratios along it."""
    low = max(min(shown["lower"].min() / 1.1, 0.8), 1 / WIDEST)
    high = min(max(shown["upper"].max() * 1.1, 1.25), WIDEST)
    ticks = np.array(FINE if high / low < 4 else COARSE)
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(FixedLocator(ticks[(ticks >= low) & (ticks <= high)]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))


def _name(effect: str, level: str, reference: str | None, lang: str) -> str:
    """The covariate and the change or the level that the ratio is for, in words."""
    name = label(f"effect_{effect}", lang) if effect in NAMED else effect
    if reference is None:
        return label("effect_step", lang, effect=name, level=level)
    if (level, reference) == ("yes", "no"):
        return label("effect_yes", lang, effect=name)
    said = [label(f"level_{v}", lang) if v in ("other", "unknown") else v for v in (level, reference)]
    return label("effect_level", lang, effect=name, level=said[0], reference=said[1])
