"""Tables and a forecast as plain text: Chinese counts two cells, numbers are never cut."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd

from salesanalytics.book import DealBook
from salesanalytics.forecast import PipelineChange, QuarterForecast
from salesanalytics.labels import cells, label, percent, short
from salesanalytics.models import CloseModel
from salesanalytics.plots.units import in_units
from salesanalytics.report.faults import fault_rows, row_counts
from salesanalytics.report.judgement_section import hypothesis_text
from salesanalytics.report.largest import gap_text
from salesanalytics.report.section import Section
from salesanalytics.report.sections import sections
from salesanalytics.report.sentences import ceiling_text, method_text, note_texts, reason_lines, rung_text, signal_text
from salesanalytics.report.tables import (
    baseline_rows,
    component_rows,
    deal_rows,
    p_target_text,
    score_rows,
    summary_rows,
)

GAP = 2
LEAST_TEXT, MOST_TEXT = 12, 60  # cells that a text keeps at least, and fills at most
TOP_DEALS = 10
LINES = 4  # of a folded text
_PIECES = re.compile(r"[（“]*(?:[\u2e80-\uffef]|[^\s\u2e80-\uffef]+)[）”，。；：？！、]*|\s+")


def fold(text: str, width: int | None) -> list[str]:
    """Lines of at most this many cells, broken at spaces and between Chinese characters."""
    lines = [""]
    for piece in _PIECES.findall(text):
        if width and lines[-1] and cells(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [line.rstrip() for line in lines]


def text_table(frame: pd.DataFrame, *, title: str, n_text: int, lang: str, width: int | None = None) -> str:
    """A frame of texts for a terminal of ``width`` cells: the first ``n_text`` columns left, numbers right.

    Where the width does not suffice, heads and texts are folded, then columns are left out from the right and named
    below.
    """
    heads = [_clean(str(head)) for head in frame.columns]
    columns = [[_clean(str(value)) for value in frame.iloc[:, i]] for i in range(len(heads))]
    body = [max(map(cells, column), default=0) for column in columns]

    def room(head: Callable[[str], int], text: int) -> list[int]:
        return [
            max(head(h), min(b, text) if i < n_text else b) for i, (h, b) in enumerate(zip(heads, body, strict=True))
        ]

    widths = _fit(room(cells, MOST_TEXT), room(_narrowest, LEAST_TEXT), n_text, width)
    lines = [title, ""]
    for row in (heads, ["-" * w for w in widths], *zip(*columns, strict=True)):
        parts = [fold(text, w) for text, w in zip(row, widths, strict=False)]
        lines += _lines(parts, widths, n_text, bottom=row is heads)
    if not len(frame):
        lines.append(label("nothing", lang))
    if len(widths) < len(heads):
        lines += fold(label("not_shown", lang, columns=label("list_comma", lang).join(heads[len(widths) :])), width)
    return "\n".join([*lines, ""])


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _narrowest(head: str) -> int:
    """Cells of the longest word; Chinese may be broken anywhere and gets at least four characters a line."""
    least = min(cells(head), 8) if cells(head) > len(head) else 0
    return max(least, *map(cells, _PIECES.findall(head)))


def _fit(wide: list[int], least: list[int], n_text: int, width: int | None) -> list[int]:
    """Widths of the columns that fit, the first ones first; the room that is left is shared, texts first."""
    if width is None or sum(wide) + GAP * (len(wide) - 1) <= width:
        return wide
    n = 1
    while n < len(least) and sum(least[: n + 1]) + GAP * n <= width:
        n += 1
    widths = least[:n]
    spare = width - sum(widths) - GAP * (n - 1)
    for group in (range(min(n_text, n)), range(n_text, n)):
        while spare and any(widths[i] < wide[i] for i in group):
            for i in group:
                more = int(widths[i] < wide[i] and spare > 0)
                widths[i], spare = widths[i] + more, spare - more
    return widths


def _lines(parts: list[list[str]], widths: list[int], n_text: int, *, bottom: bool) -> list[str]:
    """The lines of one row; a text that needs more than `LINES` of them ends in an ellipsis."""
    height = min(max(map(len, parts)), LINES)
    out = []
    for k in range(height):
        line = []
        for i, (part, width) in enumerate(zip(parts, widths, strict=True)):
            at = k - (height - len(part) if bottom else 0)
            text = part[at] if 0 <= at < len(part) else ""
            text = _cut(text, width, more=k == LINES - 1 and len(part) > LINES)
            room = " " * (width - cells(text))
            line.append(text + room if i < n_text else room + text)
        out.append((" " * GAP).join(line).rstrip())
    return out


def _cut(text: str, width: int, *, more: bool) -> str:
    """The text in at most so many cells; an ellipsis where there is more of it."""
    if not more and cells(text) <= width:
        return text
    while cells(text) > width - 1:
        text = text[:-1]
    return text + "…"


def check_text(book: DealBook, lang: str, width: int | None = None) -> str:
    """What the door of a book saw, for a terminal."""
    name = book.process.name.zh if lang == "zh" else book.process.name.en
    title, more = label("title_check", lang, process=name), label("title_faults", lang)
    counts = text_table(row_counts(book, lang), title=title, n_text=1, lang=lang, width=width)
    return counts + "\n" + text_table(fault_rows(book, lang), title=more, n_text=5, lang=lang, width=width)


def score_text(
    scores: pd.DataFrame,
    reasons: pd.DataFrame,
    book: DealBook,
    lang: str,
    width: int | None = None,
    *,
    model: CloseModel,
    as_of: date,
    until: date,
) -> str:
    """Scored open deals (`score_open_deals`) for a terminal, the reasons of some (`close_reasons`), and the model."""
    rung, told = model.rung_, model.won_or_lost()
    title = label("title_score", lang, as_of=as_of, until=until)
    parts = [text_table(score_rows(scores, book, lang), title=title, n_text=3, lang=lang, width=width)]
    if len(reasons):
        lines = [line for text in reason_lines(reasons, lang) for line in fold(text, width)]
        parts.append("\n".join([*fold(label("title_reasons", lang), width), "", *lines, ""]))
    line = label("model_line", lang, rung=label(f"rung_{rung.name}", lang))
    notes = [
        label("two_sentences", lang, first=line, second=rung_text(rung, lang)),
        *([signal_text(told, lang)] if told else []),
        label("interval_note_table" if model.learners_ is None else "interval_note", lang, level=percent(0.8)),
    ]
    watched = model.table_.watched_days_
    if (until - as_of).days > watched and len(scores):
        notes.insert(
            0, label("score_beyond_watched", lang, n=watched, day=as_of + timedelta(days=watched), until=until)
        )
    parts += ["\n".join([*fold(note, width), ""]) for note in notes]
    return "\n".join(parts)


def forecast_text(
    forecast: QuarterForecast,
    lang: str,
    width: int | None = None,
    *,
    parts: pd.DataFrame | None = None,
    before: QuarterForecast | None = None,
    pipeline: PipelineChange | None = None,
) -> str:
    """The forecast for a terminal: how sure it is, what it consists of, what carries it, what simple methods say.

    ``parts``: a `rollup` of it, ``before``: an earlier one of the quarter, ``pipeline``: what moved the pipeline since;
    shown as well.
    """
    whole, forecast = forecast, in_units(forecast, lang)
    title = label("title_forecast", lang, quarter=forecast.period.name, as_of=forecast.as_of)
    blocks = ["\n".join([*fold(hypothesis_text(forecast, lang), width), ""])] if forecast.decided else []
    blocks += [text_table(summary_rows(forecast, lang), title=title, n_text=1, lang=lang, width=width)]
    blocks += [_goal_text(forecast, lang)]
    for rows, key, n_text in (
        (component_rows(forecast, lang), "title_parts", 1),
        (deal_rows(whole, lang).head(TOP_DEALS).drop(columns=label("rep_id", lang)), "title_contributions", 3),
        (baseline_rows(forecast, lang), "title_baselines", 2),
    ):
        blocks.append(text_table(rows, title=label(key, lang), n_text=n_text, lang=lang, width=width))
    for part in sections(whole, lang, before=before, groups=parts, outlook=None, pipeline=pipeline):
        blocks += _section_text(part, lang, width)
    lines = [label("title_notes", lang), ""]
    for note in note_texts(forecast, lang):
        first, *rest = fold(note, width and width - 2)
        lines += [f"- {first}", *(f"  {line}" for line in rest)]
    last = [line for text in (ceiling_text(forecast, lang), method_text(forecast, lang)) for line in fold(text, width)]
    return "\n".join([*blocks, *lines, "", *filter(None, last), ""])


def _goal_text(forecast: QuarterForecast, lang: str) -> str:
    """What is reached for sure; the target, the chance to reach it, and what the mean lacks of it: a line each."""
    told = {} if forecast.reached_80 is None else {"reached_80": short(forecast.reached_80)}
    told |= {} if forecast.target is None else {"target": short(forecast.target)}
    if forecast.target is not None and forecast.gap is not None:
        told["target_gap"] = gap_text(forecast.gap, forecast.target)
    told = {key: f"{amount} {forecast.unit}".rstrip() for key, amount in told.items()}
    told |= {} if forecast.target is None else {"p_target": p_target_text(forecast)}
    return "".join(label("part_of", lang, text=label(key, lang), part=part) + "\n" for key, part in told.items())


def _section_text(part: Section, lang: str, width: int | None) -> list[str]:
    """A part of the pack without its picture; its title stands above its first table."""
    blocks: list[str] = []
    for frame, n_text in part.tables:
        title = part.title if not blocks else ""
        text = text_table(frame, title=title, n_text=n_text, lang=lang, width=width)
        blocks.append(text if title else text.lstrip("\n"))
    lines = [line for text in (*part.lead, *part.below) for line in fold(text, width)]
    return [*blocks, "\n".join([*lines, ""])] if lines else blocks
