"""Amounts in units that a person reads, once they are long enough: millions and billions in English, 万 and 亿."""

from __future__ import annotations

from salesanalytics.labels import label, short

LONG = 1e7


def unit_for(amount: float, unit: str, lang: str) -> tuple[float, str]:
    """How many of the book's units make one that suits a sum of this size, and its name.

    Examples
    --------
    >>> unit_for(6.1e7, "CNY", "en"), unit_for(6.1e7, "CNY", "zh"), unit_for(2500, "MW", "en")
    ((1000000.0, 'million CNY'), (10000.0, '万元'), (1.0, 'MW'))
    >>> unit_for(1e10, "CNY", "en"), unit_for(1e9, "CNY", "zh")
    ((1000000000.0, 'billion CNY'), (100000000.0, '亿元'))
    """
    largest = 1e8 if lang == "zh" else 1e9
    factor, name = unit_for_deals(amount, unit, lang)
    if not abs(amount) >= 10 * largest:
        return factor, name
    return largest, label("in_largest_units", lang, unit=_own(unit, lang)).strip()


def unit_for_deals(amount: float, unit: str, lang: str) -> tuple[float, str]:
    """As `unit_for` their sum, but no larger than millions or 万: a deal is read to the last figure.

    Examples
    --------
    >>> unit_for_deals(1e9, "CNY", "zh")
    (10000.0, '万元')
    """
    unit = _own(unit, lang)
    if not abs(amount) >= LONG:  # nor where nothing is known
        return 1.0, unit
    return (1e4 if lang == "zh" else 1e6), label("in_large_units", lang, unit=unit).strip()


def _own(unit: str, lang: str) -> str:
    return "元" if (unit, lang) == ("CNY", "zh") else unit


def amount_text(amount: float, unit: str, lang: str) -> str:
    """An amount as a sentence names it, with its unit; an en dash where there is none.

    Examples
    --------
    >>> amount_text(5.83e12, "CNY", "zh"), amount_text(2.32e7, "EUR", "en"), amount_text(0.17, "MW", "en")
    ('58,300 亿元', '23.2 million EUR', '0.17 MW')
    """
    factor, name = unit_for(amount, unit, lang)
    return f"{short(amount / factor)} {name}".rstrip() if amount == amount else "–"
