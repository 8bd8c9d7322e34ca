"""Every shipped workflow as a diagram: its main road, blocks apart, Mermaid, and BPMN that moves alike."""

from collections.abc import Mapping
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from engine.definition import CANCELLED, NEW, Bilingual, Definition, MoveKind
from engine.loading.folder import read_workflow
from exchange.bpmn import bpmn
from exchange.diagrams import diagram_of, main_road
from exchange.layouts import Block, Line, layout
from exchange.mermaid import mermaid
from exchange.processes import NodeKind, process_of, state_id

FILES = sorted(Path("workflows").glob("*.yaml"))
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
BOUNDS = "{http://www.omg.org/spec/DD/20100524/DC}Bounds"


@cache
def profiles(file: Path) -> Mapping[str, Definition]:
    return read_workflow(file)


@cache
def machines() -> dict[str, Definition]:
    """Each workflow and list as its file has it."""
    first = [next(iter(profiles(file).values())) for file in FILES]
    return {machine.workflow: machine for one in first for machine in one.machines()}


def road_of(workflow):
    return [machines()[workflow].states[state].title.zh for state in main_road(machines()[workflow])[1:]]


def test_the_main_road_is_the_way_that_goes_well() -> None:
    assert road_of("diploma-registration") == [
        "在籍", "已提出毕业申请", "教学点审批同意", "分校审批同意", "省校审核通过", "学历已注册",
    ]  # fmt: skip
    assert road_of("graduation-eligibility-review") == ["待审查", "符合毕业条件", "名单已确认", "本批次已办结"]
    assert "本人报告有误" not in road_of("freshman-record-registration")
    assert "未参加集中采集" not in road_of("graduate-photo-collection")


def test_every_main_road_starts_at_the_start_ends_finally_and_is_gone_by_steps() -> None:
    for one in machines().values():
        diagram = diagram_of(one)
        assert diagram.road[0] == NEW
        assert diagram.road[-1] in diagram.finals or not any(state.final for state in one.states.values()), one.workflow
        for origin, target in pairwise(diagram.road):
            assert any(passage.road == (origin, target) for passage in diagram.passages), (one.workflow, origin)


def test_every_step_is_drawn_once_on_a_passage_or_as_a_mark_of_its_states() -> None:
    for one in machines().values():
        diagram = diagram_of(one)
        passing = [step for passage in diagram.passages for step in passage.steps]
        marking = {step for marks in diagram.marks.values() for step in marks}
        assert sorted([*passing, *marking]) == sorted(one.transitions)
        for passage in diagram.passages:
            for step in passage.steps:
                drawn = one.transitions[step]
                assert (drawn.origins, drawn.targets) == (passage.origins, passage.targets)


def test_a_return_leads_back_and_what_goes_on_does_not() -> None:
    passages = {step: one for one in diagram_of(machines()["diploma-registration"]).passages for step in one.steps}

    assert passages["provincial_return"].is_back
    assert passages["provincial_return"].kind is MoveKind.RETURN
    assert not passages["register"].is_back
    assert passages["site_return"] is passages["site_reject"]


def test_a_case_cancelled_from_outside_is_drawn_to_its_end() -> None:
    diagram = diagram_of(machines()["graduation-eligibility-review"], cancelled_in="eligible")

    assert diagram.passages[-1].targets == (CANCELLED,)
    assert diagram.states[CANCELLED].zh == "已撤销"


def test_blocks_do_not_overlap_and_lines_end_on_their_edges() -> None:
    blocks = [Block(name=name, width=90, height=40) for name in "abcdef"]
    lines = [Line(source=source, target=target) for source, target in ("ab", "bc", "cd", "ae", "ef", "bf")]
    lines.append(Line(source="d", target="a", is_back=True))

    placed = layout(blocks, lines, downwards=True)

    for one, other in combinations(placed.centres.values(), 2):
        assert abs(one.x - other.x) >= 90 or abs(one.y - other.y) >= 40
    for line, corners in zip(lines, placed.lines, strict=True):
        for end, name in ((corners[0], line.source), (corners[-1], line.target)):
            centre = placed.centres[name]
            beside, above = abs(end.x - centre.x) - 45, abs(end.y - centre.y) - 20
            assert min(abs(beside), abs(above)) < 1
            assert max(beside, above) < 1
    assert placed.centres["a"].y < placed.centres["b"].y < placed.centres["d"].y
    assert placed == layout(blocks, lines, downwards=True)


def test_mermaid_names_every_state_and_step_and_escapes_what_it_would_take_for_its_own() -> None:
    diagram = diagram_of(machines()["diploma-registration"])
    text = mermaid(diagram)

    assert text.startswith("stateDiagram-v2\n")
    assert "    s_branch_approved --> s_provincially_audited : 审核通过\n" in text
    assert "    [*] --> s_enrolled : 建立学籍\n" in text
    assert "    s_registered --> [*]\n" in text
    odd = diagram_of(machines()["diploma-registration"].model_copy(update={"title": Bilingual(zh='甲:"乙";#', en="x")}))
    assert "甲#58;#34;乙#34;#59;#35;" in mermaid(odd)


def allowed(one: Definition) -> set[tuple[str, str, str]]:
    """Every move a definition has: from, by, to."""
    return {
        (origin, trigger, target)
        for trigger, step in one.transitions.items()
        for origin in step.origins
        for target in step.targets or (origin,)
    }


def moves_in(process) -> set[tuple[str, str, str]]:
    """Every move a token can make from a state to a state through one task; choices and timers are passed through."""
    onward: dict[str, list[str]] = {}
    for flow in process.flows:
        onward.setdefault(flow.source, []).append(flow.target)

    def walks(node, taken=""):
        for target in onward.get(node, ()):
            if target.startswith("state.") and taken:
                yield taken, target.removeprefix("state.")
            elif not target.startswith("end."):
                task = target.split(".")[1] if target.startswith("step.") else ""
                assert not (task and taken), "two tasks without a state between"
                yield from walks(target, taken or task)

    states = [node.id.removeprefix("state.") for node in process.nodes if node.id.startswith("state.")]
    return {(state, task, target) for state in states for task, target in walks(state_id(state))}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_bpmn_process_moves_exactly_as_its_definition(file: Path) -> None:
    for procedure in profiles(file).values():
        for one in procedure.machines():
            assert moves_in(process_of(one, {})) == allowed(one), (one.workflow, one.profile)


def test_a_missed_deadline_that_fires_a_step_is_a_timer_between_state_and_task() -> None:
    process = process_of(machines()["diploma-registration"], {})

    (timer,) = [node for node in process.nodes if node.kind is NodeKind.TIMER]
    flows = [(flow.source, flow.target) for flow in process.flows if timer.id in (flow.source, flow.target)]
    assert (timer.name, timer.due) == ("学历查询开通", "start_of_day(issued_on)")
    assert flows == [("state.registered", timer.id), (timer.id, "step.publish.registered")]


def test_steps_stand_in_the_lane_of_who_takes_them() -> None:
    process = process_of(machines()["diploma-registration"], {"site_approver": "教学点审批人"})
    lanes = {node.id: node.lane for node in process.nodes}
    kinds = {node.id: node.kind for node in process.nodes}

    assert lanes["step.site_approve"] == lanes["step.site_return"] == "教学点审批人"
    assert lanes["step.publish.registered"] == "自动办理"
    assert kinds["step.publish.registered"] is NodeKind.BY_ITSELF
    assert kinds["step.site_approve"] is NodeKind.BY_HAND


def test_signatures_are_several_instances_in_sequence_where_they_sign_in_sequence() -> None:
    process = process_of(machines()["graduation-eligibility-review.site_list"], {})
    signed = machines()["graduation-eligibility-review.site_list"].transitions["submit_list"].sign

    assert signed is not None
    assert [node.signers for node in process.nodes if node.id == "step.submit_list"] == [signed.order]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_bpmn_file_is_whole_and_everything_in_it_has_its_place_inside_its_lane(file: Path) -> None:
    one = next(iter(profiles(file).values()))
    root = ET.fromstring(bpmn(process_of(one, {})).encode())  # noqa: S314 written a moment ago

    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    flows = root.findall(f".//{BPMN}sequenceFlow")
    nodes = {ref.text for ref in root.iter(f"{BPMN}flowNodeRef")}
    assert {flow.get(end) for flow in flows for end in ("sourceRef", "targetRef")} <= nodes <= set(ids)
    drawn = {shape.get("bpmnElement"): shape.find(BOUNDS) for shape in root.iter(f"{DI}BPMNShape")}
    lines = {edge.get("bpmnElement"): list(edge) for edge in root.iter(f"{DI}BPMNEdge")}
    assert lines.keys() == {flow.get("id") for flow in flows}
    assert all(len(points) > 1 for points in lines.values())
    for lane in root.iter(f"{BPMN}lane"):
        top, bottom = edges_of(drawn[lane.get("id")])
        for ref in lane:
            above, below = edges_of(drawn[ref.text])
            assert top <= above < below <= bottom


def edges_of(bounds):
    return float(bounds.get("y")), float(bounds.get("y")) + float(bounds.get("height"))
