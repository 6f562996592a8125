"""Pictures of reps and conditions: who lies outside what chance allows, effects with their intervals."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

from salesanalytics.errors import SchemaError
from salesanalytics.labels import label, number, percent
from salesanalytics.plots.fonts import below_axis, beside_axis, nothing_drawn, with_fonts
from salesanalytics.plots.forecast import INK, MIDDLE, STRONG
from salesanalytics.reps import ConditionEffects, RepEvaluation

ALARM = "#c0392b"
WIDEST = 10.0  # intervals that reach further leave the picture
LEAST_SHADE = 0.1  # the darkest colour stands for a gap of at least that
TICKS = (0.1, 0.2, 0.5, 0.75, 1, 1.5, 2, 5, 10)


def rep_funnel(evaluation: RepEvaluation, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Observed / expected against expected, each rep with the limits of chance and of the usual spread between reps."""
    reps = evaluation.reps[evaluation.reps["n"] > 0]
    ax = ax or plt.subplots(figsize=(8, 4.8), layout="constrained")[1]
    flagged = reps["flag"].notna()
    level = percent(evaluation.funnel)
    limits = label("rep_limits", lang, level=level)
    ax.vlines(reps["expected"], reps["funnel_lower"], reps["funnel_upper"], color="#d5dbe0", lw=5, label=limits)
    ax.plot(reps["expected"][~flagged], reps["oe"][~flagged], "o", color=STRONG, ms=5)
    if flagged.any():
        outside = reps[flagged]
        ax.plot(outside["expected"], outside["oe"], "D", color=ALARM, ms=6, label=label("rep_flagged", lang))
    for rep in reps[flagged].itertuples():
        ax.annotate(_name(rep), (rep.expected, rep.oe), xytext=(6, 4), textcoords="offset points", fontsize=8)
    ax.axhline(1, color=INK, lw=1)
    ax.set_xlabel(label("rep_expected", lang))
    ax.set_ylabel(label("rep_oe", lang))
    ax.set_ylim(0)
    return _dressed(ax, "title_rep_funnel", lang, columns=2)


def rep_effects(evaluation: RepEvaluation, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Effect of each rep with its interval, by effect; hollow: not ranked."""
    reps = evaluation.reps[evaluation.reps["n"] > 0].sort_values("effect", kind="stable")
    ax = ax or plt.subplots(figsize=(8, 0.28 * len(reps) + 1.6), layout="constrained")[1]
    y, ranked = np.arange(len(reps)), reps["rank"].notna().to_numpy()
    ax.hlines(y, reps["effect_lower"], reps["effect_upper"], color=MIDDLE, lw=1.6)
    level = label("interval", lang, level=percent(evaluation.confidence))
    ax.plot(reps["effect"], y, "o", color=STRONG, ms=5, label=level)
    if not ranked.all():
        few = label("rep_no_rank", lang)
        ax.plot(reps["effect"][~ranked], y[~ranked], "o", mfc="white", color=STRONG, ms=5, label=few)
    ax.axvline(0, color=INK, lw=1, zorder=1)
    ax.set_yticks(y, [_name(rep) for rep in reps.itertuples()], fontsize=8)
    ax.set_ylim(-0.6, len(reps) - 0.4)
    ax.set_xlabel(label("rep_effect", lang))
    return _dressed(ax, "title_rep_effects", lang, columns=2)


def condition_effects(
    effects: ConditionEffects, *, measure: str = "passed", ax: Axes | None = None, lang: str = "en"
) -> Axes:
    """Ratio of each condition with its interval, on a log scale, the warning below; in words that there is none."""
    shown = effects.effects[effects.effects["measure"].eq(measure) & effects.effects["left_out"].isna()]
    ax = ax or plt.subplots(figsize=(8, 0.26 * len(shown) + 2.2), layout="constrained")[1]
    title = "title_condition_effects" + ("" if measure == "passed" else f"_{measure}")
    if not len(shown):
        return nothing_drawn(ax, label(title, lang), label("no_condition_effects", lang))
    y = np.arange(len(shown))[::-1]
    lower, upper = (shown[c].clip(1 / WIDEST, WIDEST) for c in ("lower", "upper"))
    ax.hlines(y, lower, upper, color=MIDDLE, lw=1.6)
    level = label("interval", lang, level=percent(effects.confidence))
    ax.plot(shown["ratio"].clip(1 / WIDEST, WIDEST), y, "o", color=STRONG, ms=5, label=level)
    ax.axvline(1, color=INK, lw=1, zorder=1)
    ax.set_yticks(y, list(shown["condition"]), fontsize=8)
    ax.set_ylim(-0.6, len(shown) - 0.4)
    ax.set_xscale("log")
    ax.set_xlim(min(lower.min() / 1.1, 0.7), max(upper.max() * 1.1, 1.4))
    ax.xaxis.set_major_locator(FixedLocator(TICKS))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ratio = label("ratio_of_days" if measure == "days_to_sign" else "odds_ratio", lang)
    ax.set_xlabel(f"{ratio}\n{_wrapped(effects.warning(lang), 60 if lang == 'zh' else 110)}", fontsize=8)
    return _dressed(ax, title, lang, columns=1)


def rep_odds(odds: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """What a rep said of his deals against what came: on the diagonal his odds are honest, below it too hopeful.

    Takes the rows of one rep from `stated_odds`. Hollow: his own share; filled: drawn to that of all reps, who are the
    grey line; deals below.

    Raises
    ------
    SchemaError
        The rows are of several reps, or of none.
    """
    if odds["rep_id"].nunique() != 1:
        reps = ", ".join(odds["rep_id"].unique()) or "none"
        raise SchemaError(f"rep_odds draws one rep, got {reps}; choose with odds['rep_id'] == 'R01'.")
    ax = ax or plt.subplots(figsize=(6.4, 4.4), layout="constrained")[1]
    ax.plot([0, 1], [0, 1], color=INK, lw=1, ls=":", label=label("rep_honest", lang))
    ax.plot(odds["said"], odds["company"], color="#b8c0c6", lw=3, label=label("rep_company", lang), zorder=1)
    ax.vlines(odds["said"], odds["lower"], odds["upper"], color=MIDDLE, lw=1.6)
    ax.plot(odds["said"], odds["won"], "o", mfc="white", color=MIDDLE, ms=5, label=label("rep_raw", lang))
    ax.plot(odds["said"], odds["shrunk"], "o", color=STRONG, ms=6, label=label("rep_drawn", lang))
    for row in odds.itertuples():
        deals = label("n_deals", lang, n=number(row.n_deals))
        ax.text(row.said, -0.06, deals, ha="center", fontsize=8, color=INK)
    ax.set_xlim(0, 1.04)
    ax.set_ylim(-0.1, 1.04)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.set_xlabel(label("rep_said", lang))
    ax.set_ylabel(label("rep_came", lang))
    return _dressed(ax, "title_rep_odds", lang, columns=4)


def rep_condition_gaps(gaps: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Process score of each rep in each stage, drawn to that of all; red: below all reps, blue: above.

    Takes the result of `condition_gaps`; a column ``name`` is shown instead of ``rep_id``. Framed: the interval does
    not hold the score of all, and his own differs from it.
    """
    return _heat_map(gaps, "score", ax, "title_rep_gaps", lang)


def rep_stage_conversion(rates: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Share of deals that each rep passed on from each stage, drawn to that of all; red: below all reps, blue: above.

    Takes the result of `stage_conversion`; a column ``name`` is shown instead of ``rep_id``. Framed: the interval
    does not hold the share of all, and his own differs from it.
    """
    return _heat_map(rates, "pass_rate", ax, "title_rep_conversion", lang)


def _heat_map(cells: pd.DataFrame, own: str, ax: Axes | None, title: str, lang: str) -> Axes:
    """Reps by stages: the shrunk share of each cell on the colour of its gap; all reps in the last row.

    Who did exactly as all reps is shown so: no stage is certain to the method, so that it draws 100 % of 100 % lower.
    """
    cells = cells[cells["shrunk"].notna()]
    alike = np.isclose(cells[own].astype(float), cells["company"].astype(float))
    cells = cells.assign(
        shrunk=cells["shrunk"].mask(alike, cells["company"]),
        gap=cells["gap"].mask(alike, 0.0),
        framed=~alike & ~cells["company"].between(cells["lower"], cells["upper"]),
    )
    who = "name" if "name" in cells else "rep_id"
    stages, reps = cells["stage"].drop_duplicates().tolist(), sorted(cells["rep_id"].unique())
    people = cells.drop_duplicates("rep_id").sort_values("rep_id")[who]
    ax = ax or plt.subplots(figsize=(8, 0.3 * len(reps) + 1.6), layout="constrained")[1]
    gap = cells.pivot(index="rep_id", columns="stage", values="gap").loc[reps, stages].to_numpy(float)
    widest = max(float(np.nanmax(np.abs(gap), initial=0)), LEAST_SHADE)
    shades = np.vstack([-gap, np.zeros(len(stages))])
    ax.imshow(np.ma.masked_invalid(shades), cmap="RdBu", vmin=-1.6 * widest, vmax=1.6 * widest, aspect="auto")
    column, row = ({name: at for at, name in enumerate(part)} for part in (stages, reps))
    for cell in cells.itertuples():
        x, y = column[cell.stage], row[cell.rep_id]
        ax.text(x, y, percent(cell.shrunk), ha="center", va="center", fontsize=8, color=INK)
        if cell.framed:
            ax.add_patch(plt.Rectangle((x - 0.47, y - 0.44), 0.94, 0.88, fill=False, color=INK, lw=1))
    for stage, share in cells.groupby("stage")["company"].first().items():
        ax.text(column[stage], len(reps), percent(share), ha="center", va="center", fontsize=8, color=INK)
    ax.axhline(len(reps) - 0.5, color=INK, lw=1)
    below_axis(ax, [beside_axis(stage) for stage in stages])
    shown = [beside_axis(name) for name in people]
    ax.set_yticks(range(len(reps) + 1), [*shown, label("rep_company", lang)], fontsize=8)
    ax.set_xlabel(label("rep_cells", lang), fontsize=8)
    ax.set_title(label(title, lang), loc="left")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return with_fonts(ax)


def _wrapped(text: str, width: int) -> str:
    """Lines of at most so many characters, broken at spaces where there are any."""
    lines: list[str] = []
    line = ""
    for word in text.split(" ") if " " in text else text:
        between = " " if " " in text and line else ""
        if len(line) + len(between) + len(word) > width:
            lines, line, between = [*lines, line], "", ""
        line += between + word
    return "\n".join([*lines, line])


def _name(rep: pd.Series) -> str:
    """Name of a rep, else the id, as an axis has room for it."""
    return beside_axis(rep.name if isinstance(rep.name, str) else rep.rep_id)


def _dressed(ax: Axes, title: str, lang: str, *, columns: int) -> Axes:
    ax.set_title(label(title, lang), loc="left", pad=24)
    ax.grid(color="#eeeeee")
    ax.set_axisbelow(True)
    ax.spines[["right", "top"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2, ncols=columns)
    return with_fonts(ax)
