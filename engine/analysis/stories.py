"""Steps as plain sentences: who does what, and where that leaves the case; Chinese first, then English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from engine.analysis.configurations import Move, Space
from engine.analysis.walking import Step
from engine.checking.subjects import Subject
from engine.definition import CANCELLED, NEW, Bilingual, Transition

Story = tuple[str, ...]


class Both(NamedTuple):
    """A piece of a sentence in both languages; it may be empty."""

    zh: str
    en: str

    @staticmethod
    def of(title: Bilingual) -> Both:
        """A title as a piece of a sentence."""
        return Both(title.zh, title.en)

    def __str__(self) -> str:
        return f"{self.zh} · {self.en}"


_NOTHING = Both("", "")
_SYSTEM = Both("系统", "the system")
_RESERVED: Mapping[str, Both] = {
    "student": Both("学生", "the student"),
    "effect": Both("联动", "a linked case"),
    "timer": Both("期限", "a deadline"),
    "members": Both("首名成员", "the first member"),
    "import": Both("导入", "an import"),
}
_STATES: Mapping[str, Both] = {CANCELLED: Both("已取消", "Cancelled"), NEW: Both("未建立", "Not yet there")}
_YES_NO: Mapping[object, Both] = {True: Both("是", "yes"), False: Both("否", "no"), None: Both("未填", "not given")}


def story(space: Space, steps: Iterable[Step], ending: Both = _NOTHING) -> Story:
    """Numbered sentences, and what comes of it."""
    lines = [f"{number}. {sentence(space, step.move)}" for number, step in enumerate(steps, 1)]
    return (*lines, str(ending)) if ending.zh else tuple(lines)


def sentence(space: Space, move: Move) -> Both:
    """One step: who, what, what was given, where to."""
    subject, transition = space.subject, space.machine.transitions[move.trigger]
    who, what, to = _who(subject, transition, move), transition.title, state_title(subject, move.to.state)
    how, given = _signature(move), _given(subject, move)
    zh = f"{who.zh}“{what.zh}”{how.zh}{given.zh} → {to.zh}"
    return Both(zh, f"{who.en}: {what.en}{how.en}{given.en} → {to.en}")


def state_title(subject: Subject, state: str) -> Both:
    """How a state is called."""
    return _STATES[state] if state in _STATES else Both.of(subject.machine.states[state].title)


def role_title(subject: Subject, role: str) -> Both:
    """How a role is called; reserved words have titles of their own."""
    found = subject.library.rulebook.organisation.roles.get(role)
    return _RESERVED.get(role, Both(role, role)) if found is None else Both.of(found.title)


def _who(subject: Subject, transition: Transition, move: Move) -> Both:
    if move.deadline:
        title = subject.machine.deadlines[move.deadline].title
        return Both(f"期限“{title.zh}”已过，", f"deadline '{title.en}' missed")
    if move.slot and transition.sign is not None:
        return role_title(subject, transition.sign.slots[move.slot].role)
    return role_title(subject, transition.by[0].role) if transition.by else _SYSTEM


def _signature(move: Move) -> Both:
    if not move.slot:
        return _NOTHING
    if move.agrees:
        return Both(f"（签“{move.slot}”栏）", f" (signs '{move.slot}')")
    return Both(f"（在“{move.slot}”栏不同意）", f" (says no at '{move.slot}')")


def _given(subject: Subject, move: Move) -> Both:
    if not move.given:
        return _NOTHING
    named = [(subject.machine.fields[name].title, _value(value)) for name, value in move.given]
    zh = "，".join(f"{title.zh}={value.zh}" for title, value in named)
    return Both(f"（{zh}）", f" ({', '.join(f'{title.en}={value.en}' for title, value in named)})")


def _value(value: object) -> Both:
    return _YES_NO[value] if value is None or isinstance(value, bool) else Both(str(value), str(value))
