"""The built-in process holds what it should; other processes are read; faults are named, all at once."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from salesanalytics.errors import ProcessError
from salesanalytics.process import Process, Stage, read_process
from salesanalytics.process.model import Text

Faulty = Callable[[str], str]


@pytest.fixture(scope="module")
def built_in() -> Process:
    return read_process()


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Process]:
    def read_text(text: str) -> Process:
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return read_process(path)

    return read_text


@pytest.fixture
def faulty(read: Callable[[str], Process]) -> Faulty:
    def message(text: str) -> str:
        with pytest.raises(ProcessError) as caught:
            read(text)
        return str(caught.value)

    return message


def parts(value: Any) -> Iterator[Any]:
    """Walk every dataclass inside a value."""
    if isinstance(value, tuple):
        for item in value:
            yield from parts(item)
    elif is_dataclass(value):
        yield value
        for part in fields(value):
            yield from parts(getattr(value, part.name))


# The built-in process


def test_built_in_holds_the_whole_method(built_in: Process) -> None:
    assert built_in.id == "project_sales_8"
    assert built_in.stage_ids == ("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8")
    assert built_in.buyer_stage_ids == ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8")
    assert built_in.milestone_ids == ("M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8")
    assert built_in.end_state_ids == ("won", "lost", "no_decision", "withdrawn")
    assert built_in.pause_state_ids == ("on_hold",)
    assert built_in.first_stage == "S1"
    assert len(built_in.condition_ids) == len(set(built_in.condition_ids)) == 50
    assert [len(stage.conditions) for stage in built_in.stages] == [6, 6, 7, 6, 7, 6, 6, 6]
    assert len(built_in.rules) == 54
    assert len(built_in.roles) == 7
    assert len(built_in.procurement_routes) == 5
    assert len(built_in.end_state_reasons) == 12
    assert {name: len(scale) for name, scale in built_in.contact_scales.items()} == {
        "contact_depth": 4,
        "stance": 5,
        "influence": 3,
    }
    assert built_in.contact_scales["stance"][-2].en == "strongly against"


def test_stages_pair_one_to_one_with_buyer_stages_in_order(built_in: Process) -> None:
    assert [stage.buyer_stage for stage in built_in.stages] == list(built_in.buyer_stage_ids)
    assert [stage.order for stage in built_in.stages] == list(range(1, 9))
    assert [stage.order for stage in built_in.buyer_stages] == list(range(1, 9))


def test_nominal_win_rates_rise_from_ten_to_hundred_percent(built_in: Process) -> None:
    rates = list(built_in.nominal_win_rates.values())
    assert rates == [0.10, 0.20, 0.25, 0.30, 0.50, 0.75, 0.90, 1.00]
    assert tuple(built_in.nominal_win_rates) == built_in.stage_ids
    assert built_in.nominal_prior_strength == 10
    assert dict(built_in.evidence_factor) == {"buyer": 1.0, "seller": 0.7, "none": 0.3}


@pytest.mark.parametrize("number", range(8))
def test_weights_sum_to_100_per_stage(built_in: Process, number: int) -> None:
    assert sum(condition.weight for condition in built_in.stages[number].conditions) == 100


@pytest.mark.parametrize("number", range(8))
def test_every_stage_is_complete(built_in: Process, number: int) -> None:
    stage = built_in.stages[number]
    assert stage.milestone is not None
    assert stage.milestone.evidence is not None
    assert stage.milestone.evidence.side == "buyer"
    assert all(condition.evidence for condition in stage.conditions)
    assert stage.tools
    assert stage.roles_reached_by_exit
    assert stage.warning_signs


def test_every_text_is_written_in_both_languages(built_in: Process) -> None:
    texts = [part for part in parts(built_in) if isinstance(part, Text)]
    texts += [name for scale in built_in.contact_scales.values() for name in scale.values()]
    assert len(texts) > 8 + 8 + 8 + 2 * 50 + 54
    assert [text for text in texts if not (text.zh.strip() and text.en.strip())] == []
    assert [text for text in texts if not text.en.isascii() or text.zh.isascii()] == []


def test_rules_are_whole_and_unlike(built_in: Process) -> None:
    rules = {rule.id: rule for rule in built_in.rules}
    assert len(rules) == 54
    assert all(rule.rule and rule.needs for rule in built_in.rules)
    assert {rule.scope for rule in built_in.rules} == {"deal", "rep", "portfolio"}
    assert {rule.severity for rule in built_in.rules} == {"high", "medium", "low"}
    assert dict(rules["A01"].params) == {"gap": 2, "persist_days": 14}
    assert rules["T05"].params["N"]["S5"] == 14
    assert rules["R05"].params["buckets"] == (90, 180, 365)


def test_one_of_several_roles_is_kept_as_a_choice(built_in: Process) -> None:
    assert built_in.stage("S1").roles_reached_by_exit == (("USER", "PURCH"),)
    assert built_in.stage("S2").roles_reached_by_exit == (("PURCH",), ("USER",))


def test_tender_conditions_apply_to_tenders_only(built_in: Process) -> None:
    bound = {c.id: c.routes for stage in built_in.stages for c in stage.conditions if c.routes}
    assert bound == dict.fromkeys(("S4.C4", "S5.C6"), ("open_tender", "invited_tender"))


def test_transition_policy_exempts_fast_track_deals(built_in: Process) -> None:
    policy = built_in.transition_policy
    assert (policy.gate, policy.allow_regression, policy.allow_skip) == ("milestone", True, "fast_track")
    assert [part.id for part in policy.fast_track_classes] == ["repeat_order", "small_deal", "partner_led"]


# Lookups


@pytest.mark.parametrize(
    ("item_id", "zh", "en"),
    [
        ("S1", "项目立项", "Open the project"),
        ("B3", "项目立项，组建小组", "Approve the project and form the team"),
        ("M6", "项目评估", "Evaluation passed"),
        ("S1.C4", "约到首次面谈", "Get the first meeting accepted"),
        ("won", "成交", "Won"),
        ("no_decision", "客户取消/未决", "No decision or cancelled by the customer"),
        ("on_hold", "暂停", "On hold"),
        ("DM", "决策者", "Decision maker"),
        ("F09", "藏单", "Sandbagging"),
        ("open_tender", "公开招标", "Open tender"),
        ("repeat_order", "重复订单", "Repeat order"),
    ],
)
def test_label_names_every_kind_of_item(built_in: Process, item_id: str, zh: str, en: str) -> None:
    assert built_in.label(item_id, "zh") == zh
    assert built_in.label(item_id, "en") == en


def test_unknown_ids_and_languages_are_errors(built_in: Process) -> None:
    with pytest.raises(ProcessError, match=r"item_id must be an id of the process 'project_sales_8', got 'S9'"):
        built_in.label("S9", "zh")
    with pytest.raises(ProcessError, match=r"lang must be 'zh' or 'en', got 'fr'"):
        built_in.label("S1", "fr")
    with pytest.raises(ProcessError, match=r"stage_id must be one of S1, .*S8, got 'won'"):
        built_in.stage("won")


def test_stage_returns_the_stage(built_in: Process) -> None:
    assert isinstance(built_in.stage("S3"), Stage)
    assert built_in.stage("S3") is built_in.stages[2]


def test_nothing_can_be_changed(built_in: Process) -> None:
    with pytest.raises(FrozenInstanceError):
        built_in.id = "other"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        built_in.stages[0].nominal_win_rate = 0.5  # type: ignore[misc]
    for mapping in (built_in.nominal_win_rates, built_in.evidence_factor, built_in.rules[0].params):
        with pytest.raises(TypeError):
            mapping["gap"] = 1  # type: ignore[index]


def test_a_process_can_be_compared_hashed_copied_and_pickled(built_in: Process) -> None:
    for twin in (read_process(), copy.deepcopy(built_in), pickle.loads(pickle.dumps(built_in))):
        assert twin == built_in
        assert hash(twin) == hash(built_in)


# Processes of another shape

MINIMAL = "stages: [lead, quote, order]"


def test_three_ids_are_a_process(read: Callable[[str], Process]) -> None:
    process = read(MINIMAL)
    assert (process.id, process.version, process.name) == ("mine", "1", Text("mine", "mine"))
    assert process.stage_ids == ("lead", "quote", "order")
    assert process.first_stage == "lead"
    assert process.nominal_win_rates == {"lead": None, "quote": None, "order": None}
    assert process.end_state_ids == ("won", "lost", "no_decision", "withdrawn")
    assert process.pause_state_ids == ("on_hold",)
    assert process.label("won", "zh") == "成交"
    assert process.label("quote", "zh") == process.label("quote", "en") == "quote"
    nothing = (process.buyer_stage_ids, process.milestone_ids, process.condition_ids, process.rules)
    assert nothing == ((), (), (), ())
    assert process.nominal_prior_strength == 10
    assert process.evidence_factor["seller"] == 0.7


def test_names_may_be_one_text_or_two_languages(read: Callable[[str], Process]) -> None:
    process = read("""
process: {id: short, version: 2.1, name: Short sale}
stages:
- {id: a, name: Lead, nominal_win_rate: 0, milestone: {id: met, name: Meeting held}}
- id: b
  name: {zh: 报价, en: Quote}
  nominal_win_rate: 1
  conditions: [priced, {id: sent, weight: 3, required: false, evidence: {side: buyer, text: Receipt}}]
end_states: [won, {id: gone, name: Gone}]
pause_states: []
""")
    assert (process.id, process.version) == ("short", "2.1")
    assert (process.label("a", "zh"), process.label("b", "zh")) == ("Lead", "报价")
    assert process.milestone_ids == ("met",)
    assert process.condition_ids == ("priced", "sent")
    assert [(c.key, c.weight, c.required) for c in process.stage("b").conditions] == [
        ("priced", 1.0, True),
        ("sent", 3.0, False),
    ]
    assert process.end_state_ids == ("won", "gone")
    assert process.pause_state_ids == ()


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(MINIMAL, encoding="utf-8-sig")
    assert read_process(str(path)).first_stage == "lead"


# Faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "the file must be a mapping, got null."),
        ("- a", "the file must be a mapping, got [a]."),
        ("process: {id: x}", "stages must be a list of at least one stage, got null."),
        ("stages: []", "stages must be a list of at least one stage, got []."),
        ("stages: {a: 0.1, b: null}", "stages must be a list, got {a: 0.1, b: null}."),
        ("stages: [2026-03-05]", "no), got 2026-03-05."),
        ("stages: lead", "stages must be a list, got 'lead'."),
        (
            "stages: [7]",
            "stages #1, id must be text (in quotes if it looks like a number, a date or yes/no), got 7.",
        ),
        ("stages: [{name: A}]", "stages #1, id must be text (in quotes"),
        ("stages: [{id: no}]", "stages #1, id must be text (in quotes"),
        ("stages: [{id: a, name: {zh: 甲}}]", "stages #1 (a), name, en must be text"),
        ("stages: [{id: a, name: ''}]", "stages #1 (a), name must be text"),
        ("stages: [{id: a, nmae: A}]", "stages #1 (a)"),
        (
            "stages: [{id: a, nominal_win_rate: 1.5}]",
            "nominal_win_rate must be a number from 0 to 1, got 1.5.",
        ),
        (
            "stages: [{id: a, nominal_win_rate: 10%}]",
            "nominal_win_rate must be a number from 0 to 1, got '10%'.",
        ),
        (
            "stages: [{id: a, nominal_win_rate: true}]",
            "nominal_win_rate must be a number from 0 to 1, got true.",
        ),
        (
            "stages: [{id: a, nominal_win_rate: .nan}]",
            "nominal_win_rate must be a number from 0 to 1, got .nan.",
        ),
        (
            "buyer_stages: [b]\nstages: [{id: a, buyer_stage: B9}]",
            "stages #1 (a), buyer_stage must be one of b, got 'B9'.",
        ),
        (
            "stages: [{id: a, buyer_stage: b}]",
            "buyer_stage must be left out: the file has nothing that it could name, got 'b'.",
        ),
        (
            "stages: [{id: a, conditions: [{id: c, weight: -5}]}]",
            "stages #1 (a), conditions #1 (c), weight must be a number >= 0, got -5.",
        ),
        ("stages: [{id: a, conditions: [{id: c, weight: big}]}]", "weight must be a number >= 0, got 'big'."),
        ("stages: [{id: a, conditions: [{id: c, weight: .inf}]}]", "weight must be a number >= 0, got .inf."),
        ("stages: [{id: a, conditions: [{id: c, required: 1}]}]", "required must be true or false, got 1."),
        (
            "stages: [{id: a, conditions: [{id: c, evidence: {side: us, text: T}}]}]",
            "evidence, side must be one of buyer, seller, got 'us'.",
        ),
        (
            "stages: [{id: a, conditions: [{id: c, routes: [tender]}]}]",
            "routes #1 must be left out: the file has nothing that it could name, got 'tender'.",
        ),
        ("stages: [{id: a, roles_reached_by_exit: [DM|X]}]\nroles: [DM]", "must be one of DM, got 'X'."),
        (
            "stages: [{id: a, warning_signs: [{rule: Z, name: N}]}]",
            "rule must be left out: the file has nothing that it could name, got 'Z'.",
        ),
        (
            "stages: [a]\nend_states: [lost]",
            "end_states must be a list with the end state won, got [lost].",
        ),
        (
            "stages: [a]\nrules: [{id: R, rule: r, severity: high, params: 3}]",
            "rules #1 (R), params must be a mapping, got 3.",
        ),
        (
            "stages: [a]\nrules: [{id: R, rule: r, severity: urgent}]",
            "rules #1 (R), severity must be one of high, medium, low, got 'urgent'.",
        ),
        ("stages: [a]\nrules: [{id: R, rule: r}]", "severity must be one of high, medium, low, got null."),
        ("stages: [a]\nstagez: [b]", "the file may have only the keys process, stages"),
        (
            "stages: [a]\nevidence_factor: {buyer: 2}",
            "evidence_factor, buyer must be a number from 0 to 1, got 2.",
        ),
        ("stages: [a]\ncontact_scales: {s: [{value: 1.5, name: n}]}", "value must be text or a whole number"),
        ("stages: [a]\nprocess: {version: [1]}", "process, version must be text"),
    ],
)
def test_each_fault_names_place_rule_and_value(faulty: Faulty, text: str, fault: str) -> None:
    assert fault in faulty(text)


def test_a_typo_is_shown(faulty: Faulty) -> None:
    assert "got stagez" in faulty("stages: [a]\nstagez: [b]")
    assert "got nmae" in faulty("stages: [{id: a, nmae: A}]")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("stages: [a, b, a]", "stages #1 (a); stages #3 (a)"),
        ("stages: [Lead, lead]", "stages #1 (Lead); stages #2 (lead)"),
        ("stages: [won]", "stages #1 (won); end_states #1 (won)"),
        ("stages: [Won]", "stages #1 (Won); end_states #1 (won)"),
        ("stages: [on_hold]", "stages #1 (on_hold); pause_states #1 (on_hold)"),
        ("stages: [a]\nend_states: [won, x]\npause_states: [x]", "end_states #2 (x); pause_states #1 (x)"),
        (
            "stages: [{id: a, milestone: m}, {id: b, milestone: m}]",
            "stages #1 (a), milestone (m); stages #2 (b), milestone (m)",
        ),
        (
            "stages: [{id: a, conditions: [c]}, {id: b, conditions: [c]}]",
            "stages #1 (a), conditions #1 (c); stages #2 (b), conditions #1 (c)",
        ),
        ("stages: [{id: a, conditions: [a]}]", "stages #1 (a); stages #1 (a), conditions #1 (a)"),
        ("stages: [a]\nbuyer_stages: [a]", "buyer_stages #1 (a); stages #1 (a)"),
        ("stages: [a]\nend_state_reasons: [r, r]", "end_state_reasons #1 (r); end_state_reasons #2 (r)"),
    ],
)
def test_an_id_used_twice_is_a_fault_that_names_the_places(faulty: Faulty, text: str, places: str) -> None:
    assert f"must be used once, got it at {places}." in faulty(text)


def test_condition_keys_are_unique(faulty: Faulty) -> None:
    text = "stages: [{id: a, conditions: [{id: c, key: k}, {id: d, key: k}]}]"
    assert "key 'k' must be used once" in faulty(text)


def test_a_reason_may_bear_the_id_of_an_end_state(read: Callable[[str], Process]) -> None:
    process = read("stages: [a]\nend_state_reasons: [no_decision]")
    assert process.end_state_reasons[0].id == "no_decision"


def test_all_faults_are_listed_at_once(faulty: Faulty) -> None:
    message = faulty("""
stages:
- {id: a, nominal_win_rate: 2}
- {id: a, conditions: [{id: c, weight: -1}]}
rules: [{id: R, rule: r, severity: urgent}]
colour: red
""")
    assert "breaks 5 rule(s)" in message
    assert message.count("\n- ") == 5
    for part in ("colour", "'urgent'", "nominal_win_rate", "weight", "'a' must be used once"):
        assert part in message


def test_wrong_yaml_names_the_line(faulty: Faulty) -> None:
    assert "must be valid YAML, which ends in line 4 (" in faulty("process: {id: x}\nstages:\n- {id: a\nrules: []\n")


def test_a_file_that_cannot_be_read_is_a_process_error(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match=r"none\.yaml must be a file that can be read, got: No such file"):
        read_process(tmp_path / "none.yaml")
    with pytest.raises(ProcessError, match="must be a file that can be read"):
        read_process(tmp_path)
    other = tmp_path / "gbk.yaml"
    other.write_bytes("stages: [线索]".encode("gb18030"))
    with pytest.raises(ProcessError, match="must be UTF-8 text, got the byte"):
        read_process(other)
    other.write_text("process: {id: x, version: 2026-02-30}\nstages: [a]")
    with pytest.raises(ProcessError, match="in which every date exists") as error:
        read_process(other)
    assert "日期都须存在" in error.value.__notes__[0]
    other.write_bytes(b"stages: [\x00]")
    with pytest.raises(ProcessError, match="must be valid YAML"):
        read_process(other)
