"""Glyphs for both languages: a subset of Noto Sans CJK SC (OFL) travels with the package."""

from __future__ import annotations

from functools import cache
from importlib import resources

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.text import Text


@cache
def families() -> list[str]:
    """Font families to fall back through, glyph by glyph: Latin first, then Chinese."""
    source = resources.files("salesanalytics.plots") / "fonts" / "NotoSansCJKsc-GB2312.otf"
    with resources.as_file(source) as path:
        font_manager.fontManager.addfont(path)
        name = font_manager.FontProperties(fname=path).get_name()
    return ["DejaVu Sans", name]


def with_fonts(ax: Axes) -> Axes:
    """Give every text of an Axes the families, ticks included; settings of the user stay as they are."""
    ax.tick_params(labelfontfamily=families())
    for text in ax.figure.findobj(Text):
        text.set_fontfamily(families())
    return ax
