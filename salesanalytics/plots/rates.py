"""Pictures of stage rates."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, PercentFormatter

from salesanalytics.errors import SchemaError
from salesanalytics.labels import amount_label, label, number, percent, stage_label
from salesanalytics.labels.units import unit_for
from salesanalytics.models.rates_effect import RatesEffect
from salesanalytics.models.rates_over_time import LEAST_REACHED
from salesanalytics.plots.fonts import below_axis, beside_axis, drawable, with_fonts
from salesanalytics.plots.forecast import ACCENT, INK, MIDDLE, STRONG, WEAK

INCHES = 0.55  # a stage takes of the width of a picture
MOST_LABELS = 9


def stage_rates(rates: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Nominal rate, observed rate of deals standing in the stage with its interval, and the closed-only rate.

    Takes the result of `stage_win_rates` without ``by``.
    """
    ax = ax or plt.subplots(figsize=(max(7, INCHES * len(rates)), 3.6), layout="constrained")[1]
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
    names = [beside_axis(stage_label(stage, lang)) for stage in rates["stage"]]
    below_axis(ax, [f"{name}\n{n}" for name, n in zip(names, deals, strict=True)], size=7.5)
    ax.set_ylabel(label("chance_within", lang, days=number(rates["horizon_days"].iloc[0])))
    return _share_axis(ax, label("title_stage_rates", lang))


def rates_over_time(over_time: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Rates of one stage by year or quarter with intervals: what happened then, and what became of those who entered.

    Takes the rows of one stage from `stage_rates_over_time`. Pale: periods too young to have seen most signings, and
    cohorts of which more than a tenth is still open.

    Raises
    ------
    SchemaError
        The rows are of several stages, or of none.
    """
    if over_time["stage"].nunique() != 1:
        stages = ", ".join(over_time["stage"].unique()) or "none"
        raise SchemaError(f"rates_over_time draws one stage, got {stages}; choose with over_time['stage'] == 'S5'.")
    ax = ax or plt.subplots(figsize=(7, 3.6), layout="constrained")[1]
    x = np.arange(len(over_time))
    reached = over_time["share_reached"].ge(LEAST_REACHED).to_numpy()
    decided = over_time["p_open_cohort"].le(1 - LEAST_REACHED).to_numpy()
    for kind, shift, colour, marker, sure in (
        ("cohort", -0.11, MIDDLE, "s", decided), ("period", 0.11, STRONG, "o", reached),
    ):  # fmt: skip
        p = over_time[f"p_won_{kind}"].to_numpy(dtype=float)
        error = np.abs(over_time[[f"lower_{kind}", f"upper_{kind}"]].to_numpy(dtype=float).T - p)
        for chosen, alpha in ((sure, 1.0), (~sure, 0.3)):
            named = label(kind, lang) if alpha == 1 else None
            ax.errorbar(
                x[chosen] + shift, p[chosen], yerr=error[:, chosen], fmt=marker, color=colour, ms=5, capsize=2,
                alpha=alpha, label=named,
            )  # fmt: skip
    ax.errorbar([], [], yerr=[], fmt="o", color=INK, alpha=0.3, label=label("not_sure_yet", lang))
    step = -(-len(x) // MOST_LABELS)
    entered = [label("n_deals", lang, n=number(n)) for n in over_time["n_entered"]]
    names = [f"{period}\n{n}" for period, n in zip(over_time["period"], entered, strict=True)]
    ax.set_xticks(x[::step], names[::step], fontsize=7.5)
    ax.set_ylabel(label("chance_within", lang, days=number(over_time["horizon_days"].iloc[0])))
    return _share_axis(
        ax, label("title_over_time", lang, stage=drawable(stage_label(over_time["stage"].iloc[0], lang)))
    )


def proposed_rates(proposal: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Proposed nominal percentages with the interval they rest on, beside the present ones.

    Takes the result of `propose_nominal_rates`.
    """
    ax = ax or plt.subplots(figsize=(max(7, INCHES * len(proposal)), 3.6), layout="constrained")[1]
    x = np.arange(len(proposal))
    level = label("interval", lang, level=percent(proposal["confidence"].iloc[0]))
    ax.vlines(x, proposal["lower"], proposal["upper"], color=WEAK, lw=7, label=level)
    ax.plot(x, proposal["proposed"], "o", color=STRONG, label=label("proposed", lang))
    if proposal["nominal"].notna().any():
        ax.plot(x, proposal["nominal"], "_", ms=14, mew=2, color=ACCENT, label=label("nominal", lang))
    for at, p in zip(x, proposal["proposed"], strict=True):
        if p == p:
            ax.annotate(percent(p), (at, p), xytext=(9, 0), textcoords="offset points", va="center", fontsize=8)
    deals = [label("n_deals", lang, n=number(n)) for n in proposal["n_in_stock"]]
    names = [beside_axis(stage_label(stage, lang)) for stage in proposal["stage"]]
    below_axis(ax, [f"{name}\n{n}" for name, n in zip(names, deals, strict=True)], size=7.5)
    ax.set_ylabel(label("chance_within", lang, days=number(proposal["horizon_days"].iloc[0])))
    return _share_axis(ax, label("title_proposal", lang))


def rates_effect(effect: RatesEffect, *, measure: str = "count", ax: Axes | None = None, lang: str = "en") -> Axes:
    """Pipelines of past quarters weighted by nominal and by proposed percentages, and what those deals signed.

    Takes the result of `nominal_rates_effect`; ``measure`` is ``count`` or ``amount``.
    """
    ax = ax or plt.subplots(figsize=(7, 3.4), layout="constrained")[1]
    table = effect.quarters
    factor, unit = unit_for(table["amount"].sum() / 2, effect.unit, lang) if measure == "amount" else (1.0, "")
    parts = {kind: table[f"{measure}{kind}"] / factor for kind in ("", "_signed", "_to_come")}
    nominal = table["method"].eq("nominal")
    signed, to_come = (parts[kind][nominal].to_numpy() for kind in ("_signed", "_to_come"))
    x = np.arange(len(signed))
    ax.bar(x, signed, color=MIDDLE, width=0.6, label=label("signed_since", lang))
    ax.bar(x, to_come, bottom=signed, color=WEAK, width=0.6, label=label("to_come", lang))
    for method, shift, mark, colour in (("nominal", -0.12, "D", ACCENT), ("proposed", 0.12, "o", INK)):
        weighted = parts[""][table["method"].eq(method)]
        ax.plot(x + shift, weighted, mark, color=colour, ms=6, label=label(f"weighted_{method}", lang))
    ax.set_xticks(x, table.loc[nominal, "quarter"], fontsize=8)
    ax.set_ylabel(drawable(amount_label("amount", unit, lang) if measure == "amount" else label("count", lang)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: number(y)))
    return _finished(ax, label("title_effect", lang), ncols=4)


def _share_axis(ax: Axes, title: str) -> Axes:
    ax.set_ylim(0, 1.04)
    ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    return _finished(ax, title, ncols=3)


def _finished(ax: Axes, title: str, *, ncols: int) -> Axes:
    ax.margins(x=0.12)
    ax.set_title(title, loc="left", pad=24)
    ax.grid(axis="y", color="#eeeeee")
    ax.set_axisbelow(True)
    ax.spines[["right", "top"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=ncols)
    return with_fonts(ax)
