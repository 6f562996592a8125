"""The words a person reads, in English and Chinese: one catalogue for tables, plots, reports and the terminal."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from salesanalytics.errors import SalesAnalyticsError
from salesanalytics.labels import commands, control, general, knowledge, models, preparation, quarter, reps, review

LANGUAGES = ("en", "zh")

_TEXTS: dict[str, tuple[str, str]] = {
    key: text
    for words in (general, models, quarter, preparation, review, control, knowledge, reps, commands)
    for key, text in words.TEXTS.items()
}
_COUNTED = re.compile(r"\{(\w+)\} (?:day|deal|stage|quarter|record)s\b")  # of one the English word loses its s


def label(key: str, lang: str = "en", **values: Any) -> str:
    """The text of a key in a language, with its placeholders filled in.

    Raises
    ------
    SalesAnalyticsError
        The key or the language is unknown.

    Examples
    --------
    >>> label("with_unit", "zh", text=label("amount", "zh"), unit="MW")
    '金额（MW）'
    >>> label("alert_T05", days="1", limit="30"), label("n_deals", n=2)
    ('No activity for 1 day (limit 30).', '2 deals')
    """
    if lang not in LANGUAGES:
        raise SalesAnalyticsError(f"lang must be one of {', '.join(LANGUAGES)}, got {lang!r}.")
    if key not in _TEXTS:
        raise SalesAnalyticsError(f"No label {key!r} in the catalogue.")
    text = _TEXTS[key][LANGUAGES.index(lang)]
    text = _COUNTED.sub(lambda counted: counted[0].removesuffix("s" * (str(values.get(counted[1])) == "1")), text)
    return text.format(**values)


def has_label(key: str) -> bool:
    """Whether the catalogue knows a key."""
    return key in _TEXTS


def number(value: float, digits: int = 0) -> str:
    """A number as a person reads it: thousands separated, a bare 0, never -0, an en dash where there is none.

    Examples
    --------
    >>> number(12345.6), number(0.0, 1), number(-0.4), number(float("nan"))
    ('12,346', '0', '0', '–')
    """
    return "–" if value is None or value != value else f"{value:z,.{digits if value else 0}f}"


def signed(value: float, digits: int = 0) -> str:
    """A difference with its sign; a bare 0 where it rounds to none.

    Examples
    --------
    >>> signed(1234.5), signed(-0.25, 1), signed(0.01, 1), signed(float("nan"))
    ('+1,234', '−0.2', '0', '–')
    """
    if value is None or value != value:
        return "–"
    return f"{'−' if value < 0 else '+'}{number(abs(value), digits)}" if round(value, digits) else "0"


def percent(value: float, digits: int = 0) -> str:
    """A probability in percent; only what is certain reads 0 or 100.

    Examples
    --------
    >>> percent(0.123), percent(0.9999), percent(0.0), percent(float("nan"))
    ('12 %', '>99 %', '0 %', '–')
    >>> percent(0.005), percent(0.995)
    ('<1 %', '>99 %')
    """
    if value is None or value != value:
        return "–"
    smallest, read = 10.0**-digits, round(100 * float(value), digits)
    if value > 0 and read == 0:
        return f"<{smallest:.{digits}f} %"
    if value < 1 and read == 100:
        return f">{100 - smallest:.{digits}f} %"
    return f"{number(100 * value, digits)} %"


def chance(p: float | None, n_draws: float, *, certain: bool = False) -> str:
    """A chance told by draws, in percent: unless it is certain, never quite 0 or 100.

    Examples
    --------
    >>> chance(0.0, 10_000), chance(1.0, 10_000), chance(1.0, 10_000, certain=True), chance(0.5, 10), chance(None, 10)
    ('<1 %', '>99 %', '100 %', '50 %', '–')
    """
    if p is None or p != p or certain:
        return percent(float("nan") if p is None else p)
    return percent(min(max(p, 0.5 / n_draws), 1 - 0.5 / n_draws))


def decimals(largest: float) -> int:
    """Decimals for numbers of this size: none from 1,000 on, one from 1 on, else two."""
    return 0 if abs(largest) >= 1000 else 1 if abs(largest) >= 1 else 2


def short(value: float) -> str:
    """A number with as many decimals as its size asks for, none where it is whole."""
    return number(value, 0 if value % 1 == 0 else decimals(value))


def rounded(value: float, digits: int) -> str:
    """An amount or a count with so many decimals, as a table has them; one below the last of them reads so, not 0.

    Examples
    --------
    >>> rounded(8.26, 1), rounded(0.01, 1), rounded(0.0, 1), rounded(float("nan"), 1)
    ('8.3', '<0.1', '0', '–')
    """
    hardly = value > 0 and round(float(value), digits) == 0
    return f"<{number(10.0**-digits, digits)}" if hardly else number(value, digits)


def band(lower: float, upper: float, digits: int | None = None) -> str:
    """A band; one number where it has no width to be seen. An end below the last digit reads so, not 0.

    Examples
    --------
    >>> band(0.0, 12.5), band(82.1, 82.3, 0), band(0.0, 0.02, 1), band(7.0, 7.0), band(float("nan"), float("nan"))
    ('0 – 12.5', '82', '0 – <0.1', '7', '–')
    """
    digits = (0 if lower % 1 == upper % 1 == 0 else decimals(upper)) if digits is None else digits
    return " – ".join(dict.fromkeys(rounded(end, digits) for end in (lower, upper)))


def cells(text: str) -> int:
    """Width of a text in cells of a terminal: a Chinese character takes two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def stage_label(stage: str, lang: str) -> str:
    """A stage as a picture names it: by its id, which the process settles; the pause of the contract by its word."""
    return label("on_hold", lang) if stage == "on_hold" else stage


def amount_label(key: str, unit: str, lang: str) -> str:
    """The name of an amount with its unit, where the book states one."""
    return label("with_unit", lang, text=label(key, lang), unit=unit) if unit else label(key, lang)
