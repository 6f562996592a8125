"""Glyphs for both languages: a subset of Noto Sans CJK SC (OFL) travels with the package."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from importlib import resources

from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.text import Text

from salesanalytics.labels import cells

LATIN = "DejaVu Sans"  # comes with matplotlib
CHINESE = "NotoSansCJKsc-Subset.otf"  # which characters: fonts/OFL.txt
LONGEST_NAME = 34  # cells beside an axis; a Chinese character takes two


def _font_bytes() -> bytes:
    return (resources.files("salesanalytics.plots") / "fonts" / CHINESE).read_bytes()


@cache
def families() -> list[str]:
    """Font families to fall back through, glyph by glyph: Latin first, then Chinese."""
    source = resources.files("salesanalytics.plots") / "fonts" / CHINESE
    with resources.as_file(source) as path:
        font_manager.fontManager.addfont(path)
        name = font_manager.FontProperties(fname=path).get_name()
    return [LATIN, name]


@cache
def _known() -> frozenset[int]:
    latin = font_manager.get_font(font_manager.findfont(LATIN)).get_charmap()
    return frozenset(latin) | frozenset(TTFont(io.BytesIO(_font_bytes())).getBestCmap())


def drawable(text: str) -> str:
    """The text as the fonts can draw it: a square for a character they lack, a space for one that is not printable."""
    return "".join((c if ord(c) in _known() else "□") if c.isprintable() else " " for c in text)


def beside_axis(name: object) -> str:
    """A name as the fonts can draw it and an axis has room for it: names that begin alike often end differently."""
    text = drawable(str(name))
    if cells(text) <= LONGEST_NAME:
        return text
    half = (LONGEST_NAME - 1) // 2
    return f"{_beginning(text, half)}…{_beginning(text[::-1], half)[::-1]}"


def below_axis(ax: Axes, names: Sequence[str], *, size: float = 10) -> None:
    """Names below an axis at 0, 1, ...; upright where they have no room beside each other."""
    widest = max((cells(line) for name in names for line in name.split("\n")), default=0)
    room = 72 * 0.85 * ax.figure.bbox.width / ax.figure.dpi / max(len(names), 1)  # points
    ax.set_xticks(range(len(names)), names, fontsize=size, rotation=90 if 0.55 * size * widest > room else 0)


def _beginning(text: str, width: int) -> str:
    text = text[:width]
    while cells(text) > width:
        text = text[:-1]
    return text


def with_fonts(ax: Axes) -> Axes:
    """Give every text of an Axes the families, ticks included, and take ``$`` as it is; other settings stay."""
    ax.tick_params(labelfontfamily=families())
    for text in ax.findobj(Text):
        text.set_fontfamily(families())
        text.set_parse_math(False)
    return ax


def nothing_drawn(ax: Axes, title: str, why: str) -> Axes:
    """An Axes without anything to draw says why in words."""
    ax.set_title(title, loc="left")
    ax.text(0.0, 0.9, why, transform=ax.transAxes, va="top")
    ax.set_axis_off()
    return with_fonts(ax)


def chinese_woff(text: str) -> bytes:
    """The Chinese glyphs of a text as a small web font; empty where it has none."""
    font = TTFont(io.BytesIO(_font_bytes()))
    wanted = {c for c in text if ord(c) > 0x2E7F and ord(c) in font.getBestCmap()}
    if not wanted:
        return b""
    subsetter = subset.Subsetter(subset.Options(layout_features=[], notdef_outline=True))
    subsetter.populate(text="".join(sorted(wanted)))
    subsetter.subset(font)
    font.flavor = "woff"
    font["head"].modified = font["head"].created  # same page, same bytes
    font.recalcTimestamp = False
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()
