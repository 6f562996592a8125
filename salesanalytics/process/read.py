"""Read a process from YAML; one error lists every fault of the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from importlib import resources
from importlib.resources.abc import Traversable
from math import inf, isfinite
from pathlib import Path
from reprlib import repr as short
from typing import Any, TypeVar

import yaml

from salesanalytics.errors import ProcessError
from salesanalytics.process import model

_END_STATES = (
    {"id": "won", "name": {"zh": "成交", "en": "Won"}},
    {"id": "lost", "name": {"zh": "输单", "en": "Lost to a rival"}},
    {"id": "no_decision", "name": {"zh": "客户取消/未决", "en": "No decision or cancelled by the customer"}},
    {"id": "withdrawn", "name": {"zh": "主动放弃", "en": "Withdrawn by us"}},
)
_PAUSE_STATES = ({"id": "on_hold", "name": {"zh": "暂停", "en": "On hold"}},)
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
_EVIDENCE_FACTOR = {"buyer": 1.0, "seller": 0.7, "none": 0.3}
_T = TypeVar("_T")
_S = TypeVar("_S", model.Stage, model.BuyerStage)


def read_process(path: str | Path | None = None) -> model.Process:
    """Read a sales process from a YAML file.

    Parameters
    ----------
    path : str or Path, optional
        Without it, the built-in eight-stage project sales process, which is also the pattern to copy. A file
        needs only ``stages``; an item may be written as its id alone, a name as one text or as {zh, en}.
        End states left out are won, lost, no_decision and withdrawn; the pause state left out is on_hold.

    Returns
    -------
    Process

    Raises
    ------
    ProcessError
        The file cannot be read or breaks rules; the message lists every fault with place, rule and value.

    Examples
    --------
    >>> process = read_process()
    >>> process.first_stage, process.label("S1", "en"), process.nominal_win_rates["S1"]
    ('S1', 'Open the project', 0.1)
    """
    built_in = resources.files("salesanalytics.process") / "project_sales_8.yaml"
    source = built_in if path is None else Path(path)
    root = _Node(_load(source))
    top = root.mapping("process", *_keys(model.Process, "id", "version", "name"))
    process = _process(top, Path(source.name).stem)
    if faults := [*root.faults, *_duplicates(root.ids)]:
        listed = "\n".join(f"- {fault}" for fault in faults)
        raise ProcessError(f"{source} breaks {len(faults)} rule(s) of a process file; correct there:\n{listed}")
    return process


def _load(source: Traversable | Path) -> Any:
    try:
        return yaml.safe_load(source.read_text(encoding="utf-8-sig"))
    except OSError as error:
        fault = f"a file that can be read, got: {error.strerror}; correct the path"
    except UnicodeDecodeError as error:
        fault = f"UTF-8 text, got the byte {error.object[error.start]:#04x}; save it as UTF-8"
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "unknown"
        fault = f"valid YAML, got in line {line}: {error.problem}; correct it there"
    except yaml.YAMLError as error:
        fault = f"valid YAML, got: {error}; correct it there"
    raise ProcessError(f"Process file {source} must be {fault}, or leave the path out for the built-in process.")


@dataclass(frozen=True)
class _Node:
    """A value of the file and where it stands; all nodes of a file share its faults and ids."""

    value: Any
    where: str = "the file"
    faults: list[str] = field(default_factory=list)
    ids: list[tuple[str, str, str]] = field(default_factory=list)  # kind, id, where

    def fault(self, rule: str) -> None:
        self.faults.append(f"{self.where} must be {rule}, got {short(self.value)}.")

    def mapping(self, *known: str) -> _Node:
        """Return self if a mapping, else an empty one; if keys are given, any other key is a fault."""
        if not isinstance(self.value, dict):
            self.fault("a mapping")
            return replace(self, value={})
        if unknown := [key for key in self.value if known and key not in known]:
            self.faults.append(f"{self.where} may have only the keys {', '.join(known)}, got {unknown}.")
        return self

    def get(self, key: Any, default: Any = None) -> _Node:
        """Return what stands under a key of this mapping; null counts as left out."""
        value = self.value.get(key)
        where = f"{self.where}, {key}".removeprefix("the file, ")
        return replace(self, value=default if value is None else value, where=where)

    def maybe(self, key: str, read: Callable[[_Node], _T]) -> _T | None:
        """Return what ``read`` makes of the value under a key, None where it is left out."""
        node = self.get(key)
        return None if node.value is None else read(node)

    def each(self, key: str, read: Callable[[_Node], _T], *, default: Any = ()) -> tuple[_T, ...]:
        """Return what ``read`` makes of each item of the list under a key."""
        node = self.get(key, list(default))
        if not isinstance(node.value, list):
            node.fault("a list")
            return ()
        places = enumerate(node.value, start=1)
        return tuple(read(replace(node, value=value, where=f"{node.where} #{n}")) for n, value in places)

    def entry(self, kind: str, model_class: type) -> tuple[_Node, str, model.Text]:
        """Return this item with its id and name: a text alone is the id, and an id alone is the name."""
        node = self if isinstance(self.value, dict) else replace(self, value={"id": self.value})
        if item_id := node.get("id").word():
            node = replace(node, where=f"{self.where} ({item_id})")
            self.ids.append((kind, item_id, node.where))
        return node.mapping(*_keys(model_class)), item_id, node.get("name", item_id or "?").text()

    def word(self) -> str:
        if isinstance(self.value, str) and self.value.strip():
            return self.value
        self.fault("text (in quotes if it looks like a number, a date or yes/no)")
        return ""

    def text(self) -> model.Text:
        if isinstance(self.value, dict):
            both = self.mapping("zh", "en")
            return model.Text(both.get("zh").word(), both.get("en").word())
        return model.Text(self.word(), str(self.value))

    def number(self, high: float = inf) -> float:
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        if is_number and isfinite(self.value) and 0 <= self.value <= high:
            return float(self.value)
        self.fault("a number >= 0" if high == inf else f"a number from 0 to {high:g}")
        return 0.0

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.fault("true or false")
        return self.value is True

    def choice(self, *allowed: Any) -> Any:
        if self.value not in allowed:
            self.fault(f"one of {', '.join(map(str, allowed)) or '(there are none)'}")
        return self.value

    def reference(self, kind: str) -> str:
        """Return the id, which must be that of an item of this kind read so far."""
        return self.choice(*(item_id for known, item_id, _ in self.ids if known == kind))


def _duplicates(ids: list[tuple[str, str, str]]) -> list[str]:
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for kind, item_id, where in ids:
        places["id" if kind in _LABELLED else kind, item_id].append(where)
    repeated = {where: used for where, used in places.items() if len(used) > 1}
    return [
        f"{'key' if kind == 'key' else 'id'} {item_id!r} must be used once, got it at {'; '.join(used)}."
        for (kind, item_id), used in repeated.items()
    ]


def _keys(model_class: type, *left_out: str) -> list[str]:
    """Return the keys a mapping may have: the fields of its class, but for the order, which is the place."""
    return [part.name for part in fields(model_class) if part.name not in ("order", *left_out)]


def _process(root: _Node, stem: str) -> model.Process:
    header = root.get("process", {}).mapping("id", "version", "name")
    process_id = header.get("id", stem).word()
    version = header.get("version", "1")
    factors = root.get("evidence_factor", {}).mapping(*_EVIDENCE_FACTOR)
    earned = {side: factors.get(side, share).number(1.0) for side, share in _EVIDENCE_FACTOR.items()}
    scales = root.get("contact_scales", {}).mapping()
    points = {key: model.FrozenMap(dict(scales.each(key, _scale_point))) for key in scales.value}
    return model.Process(
        id=process_id,
        version=str(version.value) if isinstance(version.value, int | float) else version.word(),
        name=header.get("name", process_id or "?").text(),
        notes=root.each("notes", _Node.text),
        # What stages refer to is read before them.
        buyer_stages=_numbered(root.each("buyer_stages", _buyer_stage)),
        procurement_routes=root.each("procurement_routes", _named("procurement_routes")),
        roles=root.each("roles", _role),
        rules=root.each("rules", _rule),
        stages=_stages(root),
        end_states=_end_states(root),
        pause_states=root.each("pause_states", _named("pause_states"), default=_PAUSE_STATES),
        end_state_reasons=root.each("end_state_reasons", _named("end_state_reasons")),
        contact_scales=model.FrozenMap(points),
        transition_policy=_policy(root.get("transition_policy", {})),
        evidence_factor=model.FrozenMap(earned),
        nominal_prior_strength=root.get("nominal_prior_strength", 10.0).number(),
    )


def _stages(root: _Node) -> tuple[model.Stage, ...]:
    if root.get("stages", []).value == []:
        root.get("stages").fault("a list of at least one stage")
    return _numbered(root.each("stages", _stage))


def _end_states(root: _Node) -> tuple[model.Named, ...]:
    states = root.each("end_states", _named("end_states"), default=_END_STATES)
    if "won" not in [state.id for state in states]:
        root.get("end_states").fault("a list with the end state won")
    return states


def _numbered(stages: tuple[_S, ...]) -> tuple[_S, ...]:
    return tuple(replace(stage, order=n) for n, stage in enumerate(stages, start=1))


def _named(kind: str) -> Callable[[_Node], model.Named]:
    def read(node: _Node) -> model.Named:
        _, item_id, name = node.entry(kind, model.Named)
        return model.Named(item_id, name)

    return read


def _buyer_stage(node: _Node) -> model.BuyerStage:
    node, item_id, name = node.entry("buyer_stages", model.BuyerStage)
    actors, buying_job = node.maybe("actors", _Node.text), node.maybe("buying_job", _Node.text)
    return model.BuyerStage(item_id, order=0, name=name, actors=actors, buying_job=buying_job)


def _stage(node: _Node) -> model.Stage:
    node, item_id, name = node.entry("stages", model.Stage)
    return model.Stage(
        id=item_id,
        order=0,
        name=name,
        nominal_win_rate=node.maybe("nominal_win_rate", lambda rate: rate.number(1.0)),
        buyer_stage=node.maybe("buyer_stage", lambda stage: stage.reference("buyer_stages")),
        milestone=node.maybe("milestone", _milestone),
        conditions=node.each("conditions", _condition),
        tools=node.each("tools", _named(f"{node.where}, tools")),
        roles_reached_by_exit=node.each("roles_reached_by_exit", _either_role),
        roles_named_by_exit=node.each("roles_named_by_exit", _either_role),
        warning_signs=node.each("warning_signs", _warning_sign),
        alias=node.maybe("alias", _Node.text),
        western_equivalents=node.maybe("western_equivalents", _Node.word),
    )


def _milestone(node: _Node) -> model.Milestone:
    node, item_id, name = node.entry("milestones", model.Milestone)
    return model.Milestone(item_id, name, node.maybe("evidence", _evidence))


def _condition(node: _Node) -> model.Condition:
    node, item_id, name = node.entry("conditions", model.Condition)
    key = node.get("key", item_id or "?").word()
    if item_id:
        node.ids.append(("key", key, node.where))
    return model.Condition(
        id=item_id,
        name=name,
        key=key,
        required=node.get("required", default=True).flag(),
        weight=node.get("weight", 1.0).number(),
        owner=node.get("owner", "sales").word(),
        evidence=node.maybe("evidence", _evidence),
        routes=node.each("routes", lambda route: route.reference("procurement_routes")),
    )


def _evidence(node: _Node) -> model.Evidence:
    node = node.mapping(*_keys(model.Evidence))
    return model.Evidence(node.get("side").choice("buyer", "seller"), node.get("text").text())


def _either_role(node: _Node) -> tuple[str, ...]:
    return tuple(replace(node, value=role).reference("roles") for role in str(node.value).split("|"))


def _warning_sign(node: _Node) -> model.Named:
    node = node.mapping("rule", "name")
    return model.Named(node.get("rule").reference("rules"), node.get("name").text())


def _role(node: _Node) -> model.Role:
    node, item_id, name = node.entry("roles", model.Role)
    core = node.get("core", default=True).flag()
    return model.Role(item_id, name, core, node.maybe("note", _Node.text))


def _rule(node: _Node) -> model.Rule:
    node, item_id, name = node.entry("rules", model.Rule)
    return model.Rule(
        id=item_id,
        scope=node.get("scope", "deal").choice("deal", "rep", "portfolio"),
        name=name,
        rule=node.get("rule").word(),
        params=_freeze(node.get("params", {}).mapping().value),
        severity=node.get("severity").choice("high", "medium", "low"),
        needs=node.each("needs", _Node.word),
    )


def _freeze(value: Any) -> Any:
    if isinstance(value, dict):
        return model.FrozenMap({key: _freeze(item) for key, item in value.items()})
    return tuple(_freeze(item) for item in value) if isinstance(value, list) else value


def _scale_point(node: _Node) -> tuple[str | int, model.Text]:
    node = node.mapping("value", "name")
    value = node.get("value")
    if not isinstance(value.value, str | int):
        value.fault("text or a whole number")
    node.ids.append((node.where.rpartition(" #")[0], str(value.value), node.where))
    return value.value if isinstance(value.value, int) else str(value.value), node.get("name").text()


def _policy(node: _Node) -> model.TransitionPolicy:
    node = node.mapping(*_keys(model.TransitionPolicy))
    return model.TransitionPolicy(
        gate=node.get("gate", "milestone").choice("milestone", "none"),
        allow_regression=node.get("allow_regression", default=True).flag(),
        allow_skip=node.get("allow_skip", "always").choice("always", "fast_track", "never"),
        won_without_last_milestone=node.get("won_without_last_milestone", "unproved").choice("unproved", "proved"),
        fast_track_classes=node.each("fast_track_classes", _named("fast_track_classes")),
    )
