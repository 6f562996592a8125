"""Tables and a forecast as plain text: Chinese counts two cells, numbers are never cut."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from salesanalytics.forecast import QuarterForecast
from salesanalytics.labels import label, number
from salesanalytics.report.tables import (
    baseline_rows,
    component_rows,
    deal_rows,
    method_text,
    note_texts,
    p_target_text,
    summary_rows,
)

GAP = 2
LEAST_TEXT, MOST_TEXT = 12, 60  # cells that a text keeps at least, and fills at most
TOP_DEALS = 10
_PIECES = re.compile(r"[\u2e80-\uffef]|[^\s\u2e80-\uffef]+|\s+")


def cells(text: str) -> int:
    """Width of a text in a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


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

    Where the width does not suffice, heads are folded, then texts are cut, then columns are left out from the right
    and named below.
    """
    heads = [_clean(str(head)) for head in frame.columns]
    columns = [[_clean(str(value)) for value in frame.iloc[:, i]] for i in range(len(heads))]
    body = [max(map(cells, column), default=0) for column in columns]
    wide = [
        max(cells(h), min(b, MOST_TEXT) if i < n_text else b) for i, (h, b) in enumerate(zip(heads, body, strict=True))
    ]
    widths = _fit(
        wide,
        [
            max(_narrowest(h), min(b, LEAST_TEXT) if i < n_text else b)
            for i, (h, b) in enumerate(zip(heads, body, strict=True))
        ],
        width,
    )
    folded = [fold(head, w) for head, w in zip(heads, widths, strict=False)]
    height = max(map(len, folded))
    rows = [
        [lines[k - height + len(lines)] if k >= height - len(lines) else "" for lines in folded] for k in range(height)
    ]
    rows.append(["-" * w for w in widths])
    rows += [list(row) for row in zip(*columns[: len(widths)], strict=True)]
    lines = [title, "", *(_line(row, widths, n_text) for row in rows)]
    if not len(frame):
        lines.append(label("nothing", lang))
    if len(widths) < len(heads):
        lines += fold(label("not_shown", lang, columns=label("list_comma", lang).join(heads[len(widths) :])), width)
    return "\n".join([*lines, ""])


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _narrowest(head: str) -> int:
    return max(min(cells(head), 8), *map(cells, _PIECES.findall(head)))


def _fit(wide: list[int], least: list[int], width: int | None) -> list[int]:
    """Widths of the columns that fit, the first ones first; room that is left goes to them from the left."""
    if width is None or sum(wide) + GAP * (len(wide) - 1) <= width:
        return wide
    n = 1
    while n < len(least) and sum(least[: n + 1]) + GAP * n <= width:
        n += 1
    widths, spare = least[:n], width - sum(least[:n]) - GAP * (n - 1)
    for i in range(n):
        more = max(min(wide[i] - widths[i], spare), 0)
        widths[i], spare = widths[i] + more, spare - more
    return widths


def _line(row: list[str], widths: list[int], n_text: int) -> str:
    parts = []
    for i, (text, width) in enumerate(zip(row, widths, strict=True)):
        shown = _cut(text, width) if i < n_text else text
        room = " " * (width - cells(shown))
        parts.append(shown + room if i < n_text else room + shown)
    return (" " * GAP).join(parts).rstrip()


def _cut(text: str, width: int) -> str:
    if cells(text) <= width:
        return text
    while cells(text) > width - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def forecast_text(forecast: QuarterForecast, lang: str, width: int | None = None) -> str:
    """The forecast for a terminal: how sure it is, what it consists of, what carries it, what simple methods say."""
    title = label("title_forecast", lang, quarter=forecast.period.name, as_of=forecast.as_of)
    parts = [text_table(summary_rows(forecast, lang), title=title, n_text=1, lang=lang, width=width)]
    if forecast.target is not None:
        target = label("part_of", lang, text=label("target", lang), part=f"{number(forecast.target)} {forecast.unit}")
        chance = label("part_of", lang, text=label("p_target", lang), part=p_target_text(forecast))
        parts.append(f"{target.rstrip()}\n{chance}\n")
    for rows, key, n_text in (
        (component_rows(forecast, lang), "title_parts", 1),
        (deal_rows(forecast, lang).head(TOP_DEALS).drop(columns=label("rep_id", lang)), "title_contributions", 3),
        (baseline_rows(forecast, lang), "title_baselines", 2),
    ):
        parts.append(text_table(rows, title=label(key, lang), n_text=n_text, lang=lang, width=width))
    lines = [label("title_notes", lang), ""]
    for note in note_texts(forecast, lang):
        first, *rest = fold(note, width and width - 2)
        lines += [f"- {first}", *(f"  {line}" for line in rest)]
    return "\n".join([*parts, *lines, "", *fold(method_text(forecast, lang), width)])
