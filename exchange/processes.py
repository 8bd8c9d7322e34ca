"""A workflow as a BPMN process, without a place on paper yet: which nodes, which flows, in whose lane. Pure.

| of ours | in BPMN |
|---|---|
| a state | an exclusive gateway, for one of the steps that leave it is taken; a final one an end event |
| a step | a task: a user task in the lane of its role, a service task where nobody takes it by hand |
| signatures of a step | several instances of its task, one after the other where they sign in sequence |
| a step with several targets | its task, then a gateway where the one who takes it chooses |
| a step that only marks the case | a task of its own at every state it leaves, and back |
| a missed deadline that fires a step | a timer event between state and task, with our expression as its date |
| other deadlines | in the documentation of their states: reminders do not move a case |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from engine.definition import CANCELLED, NEW, Definition, Transition

_NOBODY: Mapping[str, str] = {"student": "学生本人"}
"""The role that people act in and nobody is given."""
AUTOMATIC = "自动办理"
"""The lane of what is done by other cases, the clock, batches and imports."""
_AUTOMATIC_ROLES = frozenset({"effect", "timer", "members", "import", ""})


class NodeKind(StrEnum):
    """What a node is, by its element."""

    START = "startEvent"
    END = "endEvent"
    STATE = "exclusiveGateway"
    BY_HAND = "userTask"
    BY_ITSELF = "serviceTask"
    TIMER = "intermediateCatchEvent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node: `due` is the date of a timer, `signers` how a step is signed (empty where it is not)."""

    id: str
    kind: NodeKind
    name: str
    lane: str
    documentation: str = ""
    due: str = ""
    signers: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sequence flow between two nodes; `is_back` where it runs against the order of the file."""

    source: str
    target: str
    is_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A workflow as BPMN knows it; lanes in the order in which their people first act."""

    id: str
    title: str
    nodes: tuple[Node, ...]
    flows: tuple[Flow, ...]

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes that have nodes."""
        return tuple(dict.fromkeys(node.lane for node in self.nodes))


def process_of(definition: Definition, roles: Mapping[str, str]) -> Process:
    """A workflow or list as a BPMN process.

    Args:
        definition: The workflow.
        roles: What roles are called, by name.
    """
    making = _Making(definition=definition, roles=roles)
    making.states()
    for trigger, one in definition.transitions.items():
        making.step(trigger, one)
    title = f"{definition.procedure} {definition.title.zh}"
    return Process(id=definition.workflow, title=title, nodes=tuple(making.nodes.values()), flows=tuple(making.flows))


def state_id(state: str) -> str:
    """The node of a state."""
    return f"state.{state}"


def step_id(trigger: str, state: str = "") -> str:
    """The task of a step; one that only marks the case has one at each of its states."""
    return f"step.{trigger}.{state}" if state else f"step.{trigger}"


@dataclass(slots=True, kw_only=True)
class _Making:
    """A process while it grows."""

    definition: Definition
    roles: Mapping[str, str]
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)

    def states(self) -> None:
        """The start, a gateway for each state, an end event for each that is final."""
        definition = self.definition
        self._add(Node(id=state_id(NEW), kind=NodeKind.START, name="", lane=self._lane_from(NEW)))
        if len(definition.openings) > 1:
            self._add(Node(id="opening", kind=NodeKind.STATE, name="", lane=self._lane_from(NEW)))
            self._flow(state_id(NEW), "opening")
        for state, one in definition.states.items():
            leads_on = any(state in step.origins for step in definition.transitions.values())
            lane, ends = self._lane_from(state) or self._lane_to(state), one.final
            told = "；".join((one.title.en, *self._deadlines(state)))
            if leads_on or not ends:
                self._add(
                    Node(id=state_id(state), kind=NodeKind.STATE, name=one.title.zh, lane=lane, documentation=told)
                )
            if ends:
                node = f"end.{state}" if leads_on else state_id(state)
                self._add(Node(id=node, kind=NodeKind.END, name=one.title.zh, lane=lane, documentation=told))
                if leads_on:
                    self._flow(state_id(state), node)
        if any(CANCELLED in one.targets for one in definition.transitions.values()):
            lane = self._lane_to(CANCELLED)
            self._add(Node(id=state_id(CANCELLED), kind=NodeKind.END, name="已撤销", lane=lane))

    def step(self, trigger: str, one: Transition) -> None:
        """A task with the ways to it and from it; a step that changes no state has one for each and leads back."""
        if not one.targets:
            for state in one.origins:
                self._task(step_id(trigger, state), one)
                self._arrive(trigger, one, state, step_id(trigger, state))
                self._flow(step_id(trigger, state), state_id(state), is_back=True)
            return
        task = step_id(trigger)
        self._task(task, one)
        for state in one.origins:
            self._arrive(trigger, one, state, task)
        leaves = task
        if len(one.targets) > 1:
            leaves = f"choice.{trigger}"
            self._add(Node(id=leaves, kind=NodeKind.STATE, name="", lane=self._lane(one)))
            self._flow(task, leaves)
        for target in one.targets:
            self._flow(leaves, state_id(target), is_back=self._is_back(one, target))

    def _task(self, node: str, one: Transition) -> None:
        kind = NodeKind.BY_ITSELF if self._lane(one) == AUTOMATIC else NodeKind.BY_HAND
        signers = "" if one.sign is None or len(one.sign.slots) == 1 else one.sign.order
        documentation = "\n".join((one.title.en, *(f"{rule}" for rule in one.guards)))
        self._add(
            Node(
                id=node, kind=kind, name=one.title.zh, lane=self._lane(one), documentation=documentation,
                signers=signers,
            )
        )  # fmt: skip

    def _arrive(self, trigger: str, one: Transition, state: str, task: str) -> None:
        """The flow from a state into a task: past the clock where a missed deadline fires it there."""
        timed = [
            (name, deadline)
            for name, deadline in self.definition.deadlines.items()
            if deadline.missed is not None and deadline.missed.fire == trigger and state in deadline.running
        ]
        source = "opening" if state == NEW and "opening" in self.nodes else state_id(state)
        back = bool(one.targets) and all(self._is_back(one, target) for target in one.targets)
        for name, deadline in timed:
            node = f"timer.{name}.{state}"
            self._add(
                Node(id=node, kind=NodeKind.TIMER, name=deadline.title.zh, lane=self._lane(one), due=deadline.due)
            )
            self._flow(source, node, is_back=back)
            self._flow(node, task, is_back=back)
        if not timed or {who.role for who in one.by} != {"timer"}:
            self._flow(source, task, is_back=back)

    def _deadlines(self, state: str) -> Iterator[str]:
        for deadline in self.definition.deadlines.values():
            if state in deadline.running and deadline.missed is None:
                yield f"期限：{deadline.title.zh}（{deadline.due}）"

    def _is_back(self, one: Transition, target: str) -> bool:
        places = [NEW, *self.definition.states, CANCELLED]
        return all(places.index(target) <= places.index(origin) for origin in one.origins)

    def _lane_from(self, state: str) -> str:
        """Who acts next: the lane of the first step that leads on from a state."""
        return next((self._lane(one) for one in self.definition.transitions.values() if state in one.origins), "")

    def _lane_to(self, state: str) -> str:
        lanes = (self._lane(one) for one in self.definition.transitions.values() if state in one.targets)
        return next(lanes, AUTOMATIC)

    def _lane(self, one: Transition) -> str:
        """The lane of a step: of its first role that is a person's, of its first signature's else."""
        slots = () if one.sign is None else tuple(one.sign.slots.values())
        roles = [who.acting_role for who in (*one.by, *slots)]
        role = next((role for role in roles if role not in _AUTOMATIC_ROLES), "")
        return self.roles.get(role) or _NOBODY.get(role) or role or AUTOMATIC

    def _add(self, node: Node) -> None:
        self.nodes[node.id] = node

    def _flow(self, source: str, target: str, *, is_back: bool = False) -> None:
        self.flows.append(Flow(source=source, target=target, is_back=is_back))
