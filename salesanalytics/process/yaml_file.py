"""A YAML file as Python values, or what is wrong with it in words for its author."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path
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
