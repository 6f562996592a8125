"""Read a process from YAML; one error lists every fault of the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from salesanalytics.errors import ProcessError
from salesanalytics.process import model
from salesanalytics.process.node import Node, duplicates, keys_of
from salesanalytics.process.yaml_file import load_yaml

_END_STATES = (
    {"id": "won", "name": {"zh": "成交", "en": "Won"}},
    {"id": "lost", "name": {"zh": "输单", "en": "Lost to a rival"}},
    {"id": "no_decision", "name": {"zh": "客户取消/未决", "en": "No decision or cancelled by the customer"}},
    {"id": "withdrawn", "name": {"zh": "主动放弃", "en": "Withdrawn by us"}},
)
_PAUSE_STATES = ({"id": "on_hold", "name": {"zh": "暂停", "en": "On hold"}},)

_EVIDENCE_FACTOR = {"buyer": 1.0, "seller": 0.7, "none": 0.3}

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
    root = Node(_load(source))
    top = root.mapping("process", *keys_of(model.Process, "id", "version", "name"))
    process = _process(top, Path(source.name).stem)
    if faults := [*root.faults, *duplicates(root.ids)]:
        listed = "\n".join(f"- {fault}" for fault in faults)
        raise ProcessError(f"{source} breaks {len(faults)} rule(s) of a process file; correct there:\n{listed}")
    return process


def _load(source: Traversable | Path) -> Any:
    try:
        return load_yaml(source)
    except ValueError as error:
        message = f"Process file {source} must be {error}, or leave the path out for the built-in process."
        raise ProcessError(message) from error


def _process(root: Node, stem: str) -> model.Process:
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
        notes=root.each("notes", Node.text),
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


def _stages(root: Node) -> tuple[model.Stage, ...]:
    if root.get("stages", []).value == []:
        root.get("stages").fault("a list of at least one stage")
    return _numbered(root.each("stages", _stage))


def _end_states(root: Node) -> tuple[model.Named, ...]:
    states = root.each("end_states", _named("end_states"), default=_END_STATES)
    if "won" not in [state.id for state in states]:
        root.get("end_states").fault("a list with the end state won")
    return states


def _numbered(stages: tuple[_S, ...]) -> tuple[_S, ...]:
    return tuple(replace(stage, order=n) for n, stage in enumerate(stages, start=1))


def _named(kind: str) -> Callable[[Node], model.Named]:
    def read(node: Node) -> model.Named:
        _, item_id, name = node.entry(kind, model.Named)
        return model.Named(item_id, name)

    return read


def _buyer_stage(node: Node) -> model.BuyerStage:
    node, item_id, name = node.entry("buyer_stages", model.BuyerStage)
    actors, buying_job = node.maybe("actors", Node.text), node.maybe("buying_job", Node.text)
    return model.BuyerStage(item_id, order=0, name=name, actors=actors, buying_job=buying_job)


def _stage(node: Node) -> model.Stage:
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
        alias=node.maybe("alias", Node.text),
        western_equivalents=node.maybe("western_equivalents", Node.word),
    )


def _milestone(node: Node) -> model.Milestone:
    node, item_id, name = node.entry("milestones", model.Milestone)
    return model.Milestone(item_id, name, node.maybe("evidence", _evidence))


def _condition(node: Node) -> model.Condition:
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


def _evidence(node: Node) -> model.Evidence:
    node = node.mapping(*keys_of(model.Evidence))
    return model.Evidence(node.get("side").choice("buyer", "seller"), node.get("text").text())


def _either_role(node: Node) -> tuple[str, ...]:
    return tuple(replace(node, value=role).reference("roles") for role in str(node.value).split("|"))


def _warning_sign(node: Node) -> model.Named:
    node = node.mapping("rule", "name")
    return model.Named(node.get("rule").reference("rules"), node.get("name").text())


def _role(node: Node) -> model.Role:
    node, item_id, name = node.entry("roles", model.Role)
    core = node.get("core", default=True).flag()
    return model.Role(item_id, name, core, node.maybe("note", Node.text))


def _rule(node: Node) -> model.Rule:
    node, item_id, name = node.entry("rules", model.Rule)
    return model.Rule(
        id=item_id,
        scope=node.get("scope", "deal").choice("deal", "rep", "portfolio"),
        name=name,
        rule=node.get("rule").word(),
        params=_freeze(node.get("params", {}).mapping().value),
        severity=node.get("severity").choice("high", "medium", "low"),
        needs=node.each("needs", Node.word),
    )


def _freeze(value: Any) -> Any:
    if isinstance(value, dict):
        return model.FrozenMap({key: _freeze(item) for key, item in value.items()})
    return tuple(_freeze(item) for item in value) if isinstance(value, list) else value


def _scale_point(node: Node) -> tuple[str | int, model.Text]:
    node = node.mapping("value", "name")
    value = node.get("value")
    if not isinstance(value.value, str | int):
        value.fault("text or a whole number")
    node.ids.append((node.where.rpartition(" #")[0], str(value.value), node.where))
    return value.value if isinstance(value.value, int) else str(value.value), node.get("name").text()


def _policy(node: Node) -> model.TransitionPolicy:
    node = node.mapping(*keys_of(model.TransitionPolicy))
    return model.TransitionPolicy(
        gate=node.get("gate", "milestone").choice("milestone", "none"),
        allow_regression=node.get("allow_regression", default=True).flag(),
        allow_skip=node.get("allow_skip", "always").choice("always", "fast_track", "never"),
        won_without_last_milestone=node.get("won_without_last_milestone", "unproved").choice("unproved", "proved"),
        fast_track_classes=node.each("fast_track_classes", _named("fast_track_classes")),
    )
