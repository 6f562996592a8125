"""Pictures of past forecasts: bands beside what was signed, a quarter week by week, hits, errors, PIT."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from salesanalytics.errors import InsufficientDataError
from salesanalytics.forecast import TrackRecord
from salesanalytics.labels import amount_label, decimals, label, number
from salesanalytics.labels.units import unit_for
from salesanalytics.plots.fonts import drawable, nothing_drawn, with_fonts
from salesanalytics.plots.forecast import ACCENT, INK, MIDDLE, REST, STRONG, WEAK

OURS = "forecast"
N_BINS = 5
MANY_WEEKS = 5  # counts beside each other no longer fit above them
PLATE = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # a text across a line is read


def past_quarters(
    record: TrackRecord, *, measure: str = "amount", unit: str = "", ax: Axes | None = None, lang: str = "en"
) -> Axes:
    """Bands of every past quarter, made in its earliest scored week, and what was signed; missed ones stand out."""
    own = _own(record, measure)
    own = own[own["week"].eq(own["week"].min())]
    ax = ax or plt.subplots(figsize=(7, 3.2), layout="constrained")[1]
    return _bands(ax, own, own["quarter"].to_list(), measure, unit, lang, title=label("title_past_quarters", lang))


def quarter_fan(
    record: TrackRecord,
    *,
    quarter: str,
    measure: str = "amount",
    unit: str = "",
    ax: Axes | None = None,
    lang: str = "en",
) -> Axes:
    """How the forecast of one past quarter narrowed week by week, and what was signed in the end.

    Raises
    ------
    InsufficientDataError
        The record has no such quarter.
    """
    own = _own(record, measure)
    own = own[own["quarter"].eq(quarter)].sort_values("week")
    if not len(own):
        raise InsufficientDataError(f"The record has no quarter {quarter!r}; it has: {_quarters(record)}.")
    ax = ax or plt.subplots(figsize=(7, 3.2), layout="constrained")[1]
    title = label("title_fan", lang, quarter=quarter)
    names = [number(week) for week in own["week"]]
    _bands(ax, own, names, measure, unit, lang, title=title)
    ax.set_xlabel(label("week_of_quarter", lang))
    return with_fonts(ax)


def hits_by_week(record: TrackRecord, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Share of past 80 % bands that held, by week of the quarter and measure, with the count beside it."""
    ax = ax or plt.subplots(figsize=(7, 3), layout="constrained")[1]
    judged = [("amount", STRONG)] * _amounts_known(record) + [("count", WEAK)]
    for k, (measure, colour) in enumerate(judged):
        weeks = _own(record, measure).groupby("week")["in_80"].agg(["mean", "sum", "size"])
        places = np.arange(len(weeks)) + 0.38 * k
        ax.bar(places, weeks["mean"], width=0.34, color=colour, label=label(measure, lang))
        for x, row in zip(places, weeks.itertuples(), strict=True):
            told = ax.annotate(f"{row.sum:.0f}/{row.size}", (x, row.mean + 0.03), ha="center", fontsize=8)
            told.set(bbox=PLATE, rotation=90 if len(weeks) > MANY_WEEKS else 0)
    ax.axhline(0.8, color=INK, lw=1, ls="--")
    ax.set_xticks(np.arange(len(weeks)) + 0.19 * (len(judged) - 1), [number(week) for week in weeks.index])
    ax.set_ylim(0, 1.25)
    ax.set_yticks([0, 0.5, 0.8, 1], ["0", "50 %", "80 %", "100 %"])
    ax.set_xlabel(label("week_of_quarter", lang))
    ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    ax.spines[["right", "top"]].set_visible(False)
    ax.set_title(label("title_hits", lang), loc="left")
    return with_fonts(ax)


def errors_by_week(record: TrackRecord, *, measure: str = "amount", ax: Axes | None = None, lang: str = "en") -> Axes:
    """Error of every method by week of the quarter, as a share of what was signed (WAPE)."""
    ax = ax or plt.subplots(figsize=(7, 3.4), layout="constrained")[1]
    if measure == "amount" and not _amounts_known(record):
        title = label("title_errors", lang, measure=label(measure, lang))
        return nothing_drawn(ax, title, label("no_amounts", lang))
    told = record.scores[record.scores["measure"].eq(measure)].dropna(subset=["forecast"])
    told = told.assign(missed=(told["forecast"] - told["actual"]).abs())
    sums = told.groupby(["method", "week"])[["missed", "actual"]].sum()
    share = (sums["missed"] / sums["actual"]).unstack("method")
    places = np.arange(len(share))
    for method in sorted(share, key=lambda m: (m != OURS, float(share[m].iloc[-1]))):
        ours = method == OURS
        name = label("our_forecast" if ours else str(method), lang)
        (line,) = ax.plot(places, share[method], marker="o", ms=5 if ours else 3, label=name)
        line.set(linewidth=2.4 if ours else 1.1, linestyle="-" if ours else "--", zorder=3 if ours else 2)
        if ours:
            line.set_color(STRONG)
    ax.set_xticks(places, [number(week) for week in share.index])
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{number(100 * y)} %"))
    ax.set_xlabel(label("week_of_quarter", lang))
    ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    ax.spines[["right", "top"]].set_visible(False)
    ax.set_title(label("title_errors", lang, measure=label(measure, lang)), loc="left")
    return with_fonts(ax)


def pit_histogram(record: TrackRecord, *, measure: str = "count", ax: Axes | None = None, lang: str = "en") -> Axes:
    """Where in the forecast distribution the truth fell; flat if the distribution was right (Dawid 1984)."""
    ax = ax or plt.subplots(figsize=(5, 2.8), layout="constrained")[1]
    pit = _own(record, measure)["pit"].astype(float)
    counts = np.histogram(pit, bins=N_BINS, range=(0, 1))[0]
    ax.bar((np.arange(N_BINS) + 0.5) / N_BINS, counts, width=0.96 / N_BINS, color=MIDDLE)
    ax.axhline(len(pit) / N_BINS, color=INK, lw=1, ls="--", label=label("if_right", lang))
    ax.set_xticks(np.linspace(0, 1, N_BINS + 1), [f"{100 * x:.0f} %" for x in np.linspace(0, 1, N_BINS + 1)])
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.set_xlabel(label("pit", lang))
    ax.set_ylabel(label("n_forecasts", lang))
    ax.legend(frameon=False, fontsize=8)
    ax.spines[["right", "top"]].set_visible(False)
    ax.set_title(label("title_pit", lang), loc="left")
    return with_fonts(ax)


def _own(record: TrackRecord, measure: str) -> pd.DataFrame:
    scores = record.scores
    return scores[scores["method"].eq(OURS) & scores["measure"].eq(measure)]


def _amounts_known(record: TrackRecord) -> bool:
    return bool(_own(record, "amount")[["q90", "actual"]].any(axis=None))


def _quarters(record: TrackRecord) -> str:
    return ", ".join(record.scores["quarter"].unique())


def _bands(ax: Axes, own: pd.DataFrame, names: list[str], measure: str, unit: str, lang: str, *, title: str) -> Axes:
    table = own[["q10", "q25", "q50", "q75", "q90", "actual"]].astype(float)
    if measure == "amount" and not table.any(axis=None):
        return nothing_drawn(ax, title, label("no_amounts", lang))
    scale, unit = unit_for(float(table.max(axis=None)), unit, lang) if measure == "amount" else (1.0, "")
    table = table / scale
    places = np.arange(len(table))
    ax.vlines(places, table["q10"], table["q90"], color=REST, lw=9, label=label("band_80", lang))
    ax.vlines(places, table["q25"], table["q75"], color=WEAK, lw=9, label=label("band_50", lang))
    ax.scatter(places, table["q50"], marker="_", s=90, color=STRONG, label=label("median", lang), zorder=3)
    held = table["actual"].between(table["q10"], table["q90"]).to_numpy()
    for inside, colour, key in ((held, INK, "signed_inside"), (~held, ACCENT, "signed_outside")):
        if inside.any():
            ax.scatter(places[inside], table["actual"][inside], s=26, color=colour, label=label(key, lang), zorder=4)
    ax.set_xticks(places, names, rotation=0 if len(names) <= 9 else 45, fontsize=8)
    digits = decimals(float(table.max(axis=None)))
    ax.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10], integer=measure == "count"))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: number(y, digits if y % 1 else 0)))
    ax.set_ylim(bottom=0)
    ax.set_ylabel(drawable(amount_label("amount", unit, lang)) if measure == "amount" else label("count", lang))
    ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    ax.spines[["right", "top"]].set_visible(False)
    ax.set_title(title, loc="left")
    return with_fonts(ax)
