"""A workflow as a Mermaid `stateDiagram-v2`, for documents that draw it themselves."""

from __future__ import annotations

from collections.abc import Mapping

from engine.definition import NEW
from exchange.diagrams import Diagram

_ESCAPES: Mapping[int, str] = str.maketrans(
    {"#": "#35;", ";": "#59;", ":": "#58;", '"': "#34;", "<": "#lt;", ">": "#gt;", "{": "#123;", "}": "#125;"}
)
"""What ends a label or begins something else in Mermaid; written as its own entities."""


def mermaid(diagram: Diagram) -> str:
    """The diagram as Mermaid text; what only marks a case stands as a step from a state to itself."""
    lines = ["stateDiagram-v2", f"    %% {_label(diagram.title.zh)} {_label(diagram.title.en)}"]
    lines += [
        f'    state "{_label(title.zh)}" as {_name(state)}' for state, title in diagram.states.items() if state != NEW
    ]
    for one in diagram.passages:
        words = " / ".join(_label(diagram.titles[step].zh) for step in one.steps)
        for origin in one.origins:
            source = "[*]" if origin == NEW else _name(origin)
            lines += [f"    {source} --> {_name(target)} : {words}" for target in one.targets]
    for state, marks in diagram.marks.items():
        lines += [f"    {_name(state)} --> {_name(state)} : {_label(diagram.titles[mark].zh)}" for mark in marks]
    lines += [f"    {_name(state)} --> [*]" for state in diagram.states if state in diagram.finals]
    return "\n".join((*lines, ""))


def _name(state: str) -> str:
    """A state's name with a prefix: some, such as `end` or `note`, are words of Mermaid."""
    return f"s_{state}"


def _label(text: str) -> str:
    return text.translate(_ESCAPES)
