"""What errors and the door of a book say, in Chinese: the English text is looked up by its form."""

from __future__ import annotations

import re
from functools import cache

from salesanalytics.errors.of_books import TEXTS as BOOKS
from salesanalytics.errors.of_questions import TEXTS as QUESTIONS
from salesanalytics.errors.of_rules import TEXTS as RULES

#: Names of placeholders whose filling is a phrase of ours too; the filling of any other one is the user's own.
_PHRASES = frozenset(
    {"what", "hint", "fault", "faults", "listed", "error", "days", "months", "points", "commas", "where", "kind"}
)
#: Names of placeholders that are counts: only so is "rule, n rows" told from a rule that has a comma itself.
_COUNTS = frozenset({"n", "read"})
_HAN = "[\u3400-\u9fff]"
_MANY_LINES = frozenset({"fault", "faults", "listed", "error", "found"})


def in_chinese(text: str) -> str:
    """An error message in Chinese; one whose form is not known stays as it is.

    Examples
    --------
    >>> in_chinese("as_of must be one date here, got 2.")
    '这里的 as_of 必须是一个日期，得到了 2 个。'
    """
    lines = text.split("\n")
    if len(lines) > 1 and all(_by_form(line) for line in lines):
        return "\n".join(map(in_chinese, lines))
    parts = text.split("; ")
    if len(parts) > 1 and all(map(_by_form, parts)):
        return "；".join(map(in_chinese, parts))
    found = _by_form(text)
    if found is not None:
        return found
    return "\n".join(map(in_chinese, lines)) if len(lines) > 1 else text


def rule_in_chinese(text: str) -> str:
    """A rule, note, table name or basis that comes in English with the data, in Chinese; an own one stays as it is.

    Examples
    --------
    >>> rule_in_chinese("created_at unreadable"), rule_in_chinese("my own rule")
    ('created_at 无法读取', 'my own rule')
    """
    if text in RULES:
        return RULES[text]
    for form, chinese in RULES.items():
        match = re.fullmatch(re.escape(form).replace(r"\{\}", "(.+)"), text)
        if match:
            return _put(chinese, {"": (match[1], RULES.get(match[1], match[1]))})
    return text


def _by_form(text: str) -> str | None:
    """The text by the first form that fits, the longest ones tried first; None where none does."""
    bullet, rest = ("- ", text[2:]) if text.startswith("- ") else ("", text)
    for form, chinese in _forms():
        match = form.fullmatch(rest)
        if match:
            return bullet + _put(
                chinese, {name: (value, _filled(name, value)) for name, value in match.groupdict().items()}
            )
    return None


def _put(chinese: str, fillings: dict[str, tuple[str, str]]) -> str:
    """A form filled in (by name: what was there, what is said); no blank stays between its Chinese words and ours."""
    for name, (value, filled) in fillings.items():
        place = re.escape(f"{{{name}}}")
        if filled != value and re.match(_HAN, filled):
            chinese = re.sub(f"(?<={_HAN}) (?={place})", "", chinese)
        if filled != value and re.search(f"{_HAN}$", filled):
            chinese = re.sub(f"({place}) (?={_HAN})", r"\1", chinese)
    return re.sub(r"\{(\w*)\}", lambda place: fillings[place[1]][1], chinese)


def _filled(name: str, value: str) -> str:
    return rule_in_chinese(value) if name == "rule" else in_chinese(value) if name in _PHRASES else value


@cache
def _forms() -> list[tuple[re.Pattern[str], str]]:
    texts = BOOKS | QUESTIONS
    order = sorted(texts, key=lambda form: -len(re.sub(r"\{\w+\}", "", form)))
    return [(_pattern(form), texts[form]) for form in order]


def _pattern(form: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", form)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = [f"(?P<{name}>{_filling(name)})" for name in parts[1::2]]
    return re.compile("".join(parts))


def _filling(name: str) -> str:
    return r"[\d,]+" if name in _COUNTS else "(?s:.*?)" if name in _MANY_LINES else ".*?"
