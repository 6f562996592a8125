"""A YAML file as Python values, or what is wrong with it in words for its author."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from math import inf
from pathlib import Path
from reprlib import repr as short
from typing import Any

import yaml


def load_yaml(source: Traversable | Path) -> Any:
    """What a YAML file in UTF-8 holds.

    Raises
    ------
    ValueError
        It cannot be read; the text completes the sentence "the file must be ...".
    """
    try:
        return yaml.safe_load(source.read_text(encoding="utf-8-sig"))
    except OSError as error:
        fault = f"a file that can be read, got: {error.strerror}; correct the path"
    except UnicodeDecodeError as error:
        fault = f"UTF-8 text, got the byte {error.object[error.start]:#04x}; save it as UTF-8"
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "unknown"
        look = "look there for tabs, indentation, colons, quotes, brackets"
        fault = f"valid YAML, which ends in line {line} ({error.problem}); {look}"
    except ValueError as error:
        fault = f"valid YAML, in which every date exists ({error}); look for one such as 2026-02-30"
    except yaml.YAMLError as error:
        fault = f"valid YAML ({error}); look for characters that cannot be printed".replace("\n", " ")
    raise ValueError(fault)


def as_written(value: Any) -> str:
    """A value for a message, as its author may have written it: a text in quotes, anything else as YAML has it."""
    if isinstance(value, str):
        return short(value)
    try:
        text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=inf)
    except yaml.YAMLError:  # settings given in Python may hold anything
        return short(value)
    line = text.removesuffix("...\n").strip()
    return line if len(line) <= 60 else f"{line[:57]}..."
