"""A value of a process file, where it stands, and what is wrong with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from math import inf, isfinite
from typing import Any, TypeVar

from salesanalytics.process import model
from salesanalytics.process.yaml_file import as_written

# Kinds of items that share one namespace, so that Process.label needs the id alone.
_LABELLED = {
    "stages",
    "buyer_stages",
    "milestones",
    "conditions",
    "end_states",
    "pause_states",
    "roles",
    "rules",
}
_T = TypeVar("_T")


@dataclass(frozen=True)
class Node:
    """A value of the file and where it stands; all nodes of a file share its faults and ids."""

    value: Any
    where: str = "the file"
    faults: list[str] = field(default_factory=list)
    ids: list[tuple[str, str, str]] = field(default_factory=list)  # kind, id, where

    def fault(self, rule: str) -> None:
        """Note that the value is not what the rule says."""
        self.faults.append(f"{self.where} must be {rule}, got {as_written(self.value)}.")

    def mapping(self, *known: str) -> Node:
        """Return self if a mapping, else an empty one; if keys are given, any other key is a fault."""
        if not isinstance(self.value, dict):
            self.fault("a mapping")
            return replace(self, value={})
        if unknown := [key for key in self.value if known and key not in known]:
            self.faults.append(
                f"{self.where} may have only the keys {', '.join(known)}, got {', '.join(map(str, unknown))}."
            )
        return self

    def get(self, key: Any, default: Any = None) -> Node:
        """Return what stands under a key of this mapping; null counts as left out."""
        value = self.value.get(key)
        where = f"{self.where}, {key}".removeprefix("the file, ")
        return replace(self, value=default if value is None else value, where=where)

    def maybe(self, key: str, read: Callable[[Node], _T]) -> _T | None:
        """Return what ``read`` makes of the value under a key, None where it is left out."""
        node = self.get(key)
        return None if node.value is None else read(node)

    def each(self, key: str, read: Callable[[Node], _T], *, default: Any = ()) -> tuple[_T, ...]:
        """Return what ``read`` makes of each item of the list under a key."""
        node = self.get(key, list(default))
        if not isinstance(node.value, list):
            node.fault("a list")
            return ()
        places = enumerate(node.value, start=1)
        return tuple(read(replace(node, value=value, where=f"{node.where} #{n}")) for n, value in places)

    def entry(self, kind: str, model_class: type) -> tuple[Node, str, model.Text]:
        """Return this item with its id and name: a text alone is the id, and an id alone is the name."""
        node = self if isinstance(self.value, dict) else replace(self, value={"id": self.value})
        if item_id := node.get("id").word():
            node = replace(node, where=f"{self.where} ({item_id})")
            self.ids.append((kind, item_id, node.where))
        return node.mapping(*keys_of(model_class)), item_id, node.get("name", item_id or "?").text()

    def word(self) -> str:
        """Return the text; an empty one and a fault where it is none."""
        if isinstance(self.value, str) and self.value.strip():
            return self.value
        self.fault("text (in quotes if it looks like a number, a date or yes/no)")
        return ""

    def text(self) -> model.Text:
        """Return both languages; one text alone stands for both."""
        if isinstance(self.value, dict):
            both = self.mapping("zh", "en")
            return model.Text(both.get("zh").word(), both.get("en").word())
        return model.Text(self.word(), str(self.value))

    def number(self, high: float = inf) -> float:
        """Return the number, which must be finite and within 0 and ``high``."""
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        if is_number and isfinite(self.value) and 0 <= self.value <= high:
            return float(self.value)
        self.fault("a number >= 0" if high == inf else f"a number from 0 to {high:g}")
        return 0.0

    def flag(self) -> bool:
        """Return whether it is true; what is neither true nor false is a fault."""
        if not isinstance(self.value, bool):
            self.fault("true or false")
        return self.value is True

    def choice(self, *allowed: Any) -> Any:
        """Return the value, which must be one of those allowed."""
        if self.value not in allowed:
            names = ", ".join(map(str, allowed))
            self.fault(f"one of {names}" if names else "left out: the file has nothing that it could name")
        return self.value

    def reference(self, kind: str) -> str:
        """Return the id, which must be that of an item of this kind read so far."""
        return self.choice(*(item_id for known, item_id, _ in self.ids if known == kind))


def duplicates(ids: list[tuple[str, str, str]]) -> list[str]:
    """Faults of ids and keys that are used more than once; data bear ids in any case, so case makes no difference."""
    places: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for kind, item_id, where in ids:
        names = ("id", item_id.casefold()) if kind in _LABELLED else (kind, item_id)
        places[names].append((item_id, where))
    return [
        f"{'key' if kind == 'key' else 'id'} {used[0][0]!r} must be used once, got it at "
        f"{'; '.join(where for _, where in used)}."
        for (kind, _), used in places.items()
        if len(used) > 1
    ]


def keys_of(model_class: type, *left_out: str) -> list[str]:
    """Return the keys a mapping may have: the fields of its class, but for the order, which is the place."""
    return [part.name for part in fields(model_class) if part.name not in ("order", *left_out)]
