"""A sales process as frozen data: what the stages are, what proves them, how a deal ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from salesanalytics.errors import ProcessError


class FrozenMap(Mapping[Any, Any]):
    """A mapping that cannot be changed; unlike ``MappingProxyType`` it can be hashed, copied and pickled."""

    def __init__(self, values: Mapping[Any, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, key: Any) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"FrozenMap({self._values!r})"


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in Chinese and English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Named:
    """An id and its name: of an end or pause state, reason, tool, procurement route, deal class."""

    id: str
    name: Text


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves a milestone or condition; ``side`` (buyer or seller) says who produces it."""

    side: str
    text: Text


@dataclass(frozen=True, slots=True)
class BuyerStage:
    """A step of the customer's own buying process; ``actors`` are the customer's people who act in it."""

    id: str
    order: int
    name: Text
    actors: Text | None = None
    buying_job: Text | None = None


@dataclass(frozen=True, slots=True)
class Milestone:
    """The act of the customer that proves a stage passed."""

    id: str
    name: Text
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Work to be done in a stage; scored, never blocking.

    ``key`` is a readable second id, ``owner`` the function that does the work, ``weight`` (>= 0) its share in
    the stage's score. It applies to deals on the procurement ``routes`` named; none named means all deals.
    """

    id: str
    name: Text
    key: str
    required: bool = True
    weight: float = 1.0
    owner: str = "sales"
    evidence: Evidence | None = None
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of our selling process.

    ``order`` counts from 1. ``nominal_win_rate`` is the stated P(win) while in the stage, or None.
    ``alias`` is a second name in use. In ``roles_*_by_exit`` each entry is a tuple of role ids of which one
    is enough. ``warning_signs`` bear the id of the rule that sees them.
    """

    id: str
    order: int
    name: Text
    nominal_win_rate: float | None = None
    buyer_stage: str | None = None
    milestone: Milestone | None = None
    conditions: tuple[Condition, ...] = ()
    tools: tuple[Named, ...] = ()
    roles_reached_by_exit: tuple[tuple[str, ...], ...] = ()
    roles_named_by_exit: tuple[tuple[str, ...], ...] = ()
    warning_signs: tuple[Named, ...] = ()
    alias: Text | None = None
    western_equivalents: str | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """The part a contact plays at the customer; a ``core`` role is expected in every deal."""

    id: str
    name: Text
    core: bool = True
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """An anomaly rule.

    ``scope`` is deal, rep or portfolio; ``rule`` its wording, ``params`` its numbers, ``severity`` high,
    medium or low; without the data it ``needs`` it stays silent.
    """

    id: str
    scope: str
    name: Text
    rule: str
    params: FrozenMap
    severity: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TransitionPolicy:
    """What counts as usual movement between stages; nothing here makes a record wrong.

    ``gate``: milestone or none. ``allow_skip``: always, never or fast_track (deals of these classes only).
    ``won_without_last_milestone``: reported as unproved or proved.
    """

    gate: str = "milestone"
    allow_regression: bool = True
    allow_skip: str = "always"
    won_without_last_milestone: str = "unproved"
    fast_track_classes: tuple[Named, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Process:
    """A sales process; made by `read_process`, which checks what this class takes as given.

    Attributes
    ----------
    id, version, name, notes
        Which process this is; the notes say what is stated by the method and what is a default.
    stages, buyer_stages : tuples of Stage and BuyerStage, in order
    end_states, pause_states, end_state_reasons, procurement_routes : tuples of Named
        ``won`` is always an end state.
    roles, rules : tuples of Role and Rule
    contact_scales : mapping of scale to mapping of value to Text
    transition_policy : TransitionPolicy
    evidence_factor : mapping of buyer, seller, none to the share of its weight a condition earns
    nominal_prior_strength : float, deals
        What a nominal win rate p is worth as the prior Beta(strength * p, strength * (1 - p)).
    """

    id: str
    version: str
    name: Text
    stages: tuple[Stage, ...]
    buyer_stages: tuple[BuyerStage, ...]
    end_states: tuple[Named, ...]
    pause_states: tuple[Named, ...]
    end_state_reasons: tuple[Named, ...]
    procurement_routes: tuple[Named, ...]
    roles: tuple[Role, ...]
    rules: tuple[Rule, ...]
    contact_scales: FrozenMap
    transition_policy: TransitionPolicy
    evidence_factor: FrozenMap
    nominal_prior_strength: float
    notes: tuple[Text, ...]

    def __repr__(self) -> str:
        return f"<Process {self.id} {self.version}: {len(self.stages)} stages, {len(self.rules)} rules>"

    @property
    def stage_ids(self) -> tuple[str, ...]:
        """Ids of the stages, in order."""
        return tuple(stage.id for stage in self.stages)

    @property
    def first_stage(self) -> str:
        """Id of the first stage."""
        return self.stages[0].id

    @property
    def buyer_stage_ids(self) -> tuple[str, ...]:
        """Ids of the buyer stages, in order."""
        return tuple(stage.id for stage in self.buyer_stages)

    @property
    def end_state_ids(self) -> tuple[str, ...]:
        """Ids of the end states."""
        return tuple(state.id for state in self.end_states)

    @property
    def pause_state_ids(self) -> tuple[str, ...]:
        """Ids of the pause states."""
        return tuple(state.id for state in self.pause_states)

    @property
    def milestone_ids(self) -> tuple[str, ...]:
        """Ids of the milestones, in stage order."""
        return tuple(stage.milestone.id for stage in self.stages if stage.milestone)

    @property
    def condition_ids(self) -> tuple[str, ...]:
        """Ids of the conditions, in stage order."""
        return tuple(condition.id for stage in self.stages for condition in stage.conditions)

    @property
    def nominal_win_rates(self) -> FrozenMap:
        """Stage id -> stated P(win) while in the stage, None where the process states none."""
        return FrozenMap({stage.id: stage.nominal_win_rate for stage in self.stages})

    def stage(self, stage_id: str) -> Stage:
        """Return the stage with this id; raise `ProcessError` if there is none."""
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise ProcessError(f"stage_id must be one of {', '.join(self.stage_ids)}, got {stage_id!r}.")

    def label(self, item_id: str, lang: str) -> str:
        """Name in ``zh`` or ``en`` of a stage, buyer stage, milestone, condition, state, role, rule, route or class.

        Raises
        ------
        ProcessError
            The process names nothing so, or the language is another.
        """
        if lang not in ("zh", "en"):
            raise ProcessError(f"lang must be 'zh' or 'en', got {lang!r}.")
        if item_id not in self._names:
            raise ProcessError(f"item_id must be an id of the process {self.id!r}, got {item_id!r}.")
        name = self._names[item_id]
        return name.zh if lang == "zh" else name.en

    @cached_property
    def _names(self) -> dict[str, Text]:
        milestones = [stage.milestone for stage in self.stages if stage.milestone]
        conditions = [condition for stage in self.stages for condition in stage.conditions]
        customer: tuple[Any, ...] = (*self.buyer_stages, *self.roles)
        ours = (*self.stages, *milestones, *conditions, *self.end_states, *self.pause_states, *self.rules)
        words = (*self.procurement_routes, *self.transition_policy.fast_track_classes)
        return {item.id: item.name for item in (*words, *customer, *ours)}
