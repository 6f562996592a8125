"""Pages: self-contained HTML files that all look alike."""

from __future__ import annotations

import base64
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment

from salesanalytics.plots.fonts import chinese_woff

WHOLE = "page.html"  # the page of a forecast; all others take its head


def written(name: str, content: dict[str, Any], path: Path) -> Path:
    """A page from its template, every value escaped, with the Chinese letters it needs and no others."""
    source = resources.files("salesanalytics.report")
    text = (source / WHOLE).read_text("utf-8")
    if name != WHOLE:
        text = text.partition("<body>")[0] + (source / name).read_text("utf-8")
    page = Environment(autoescape=True).from_string(text)
    font = base64.b64encode(chinese_woff(page.render(content))).decode("ascii")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page.render(content, font=font), encoding="utf-8")
    return path
