"""The yardstick's other rows: in which lane the case waits next, whom that step is kept from, and who has done what.

The rules of the next step are asked as one would write them for this one purpose, on the facts the step has read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

Facts = Mapping[str, Any]  # JSON of a document
Lane = tuple[Any, ...]  # the columns of a row

INTO_LANE = (
    "INSERT INTO lane (case_id, role, at_path, trigger, workflow, shape, state, path, batch, lane, due_at, entered_at,"
    " in_person, leads, apart, hindrances, cautions, judged_at, rulebook, pinyin)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
OUT_OF_LANE = "DELETE FROM lane WHERE case_id = ?"
INTO_HAND = "INSERT INTO lane_hand (case_id, login) VALUES (?, ?)"
OUT_OF_HAND = "DELETE FROM lane_hand WHERE case_id = ?"
INTO_DEED = (
    "INSERT INTO deed (case_id, seq, login, kind, trigger, at, giver, late) VALUES (?, ?, ?, 'moved', ?, ?, NULL, ?)"
)
LANE_TYPES = (
    "int8", "text", "text", "text", "text", "text", "text", "text", "text", "int2", "text", "text", "bool", "bool",
    "text", "text", "text", "text", "text", "text",
)  # fmt: skip
_NEVER = "9999-12-31T00:00:00.000000Z"
_OF_CERTIFICATE = (
    "name", "gender", "born_on", "enrolled_on", "major_code", "level", "conclusion", "study_mode", "certificate_no",
)  # fmt: skip


class Next(NamedTuple):
    """What a case waits for in a state: the role, the step, which steps are kept apart from it, and its rules."""

    role: str
    trigger: str
    apart: tuple[str, ...]
    judge: Callable[[Facts], Sequence[str]]


class Waits(NamedTuple):
    """Where a case waits from now on (None: for nobody), and whom others' steps keep from it."""

    lane: Lane | None
    hands: tuple[tuple[int, str], ...]


def wait_by_hand(
    case: tuple[int, str, str, str | None],
    student: tuple[str, str],
    taken: Mapping[str, Sequence[str]],
    pinned: tuple[str, str, str],
    *,
    sent_back: bool,
) -> Waits:
    """Where a case waits in its new state.

    Args:
        case: Its number, the path of its unit, the state, the batch.
        student: What is known of the student, and by what the name is put in order.
        taken: Who has taken which step.
        pinned: Definition, rulebook, and the moment.
        sent_back: Whether it came back before, which is to be looked at.
    """
    number, path, state, batch = case
    following = NEXT.get(state)
    if following is None:
        return Waits(None, ())
    shape, rulebook, at = pinned
    facts, pinyin = student
    against = following.judge(orjson.loads(facts))
    apart = sorted({login for trigger in following.apart for login in taken.get(trigger, ())})
    lane = (
        number, following.role, path, following.trigger, "diploma-registration", shape, state, path, batch,
        0 if against else 1 if sent_back else 2, _NEVER, at, False, True, _barred(apart), _barred(against),
        "|sent-back|" if sent_back else None, at, rulebook[:12], pinyin,
    )  # fmt: skip
    return Waits(lane, tuple((number, login) for login in apart))


def _barred(words: Sequence[str]) -> str | None:
    return f"|{'|'.join(words)}|" if words else None


def _nothing(_facts: Facts) -> Sequence[str]:
    return ()


def _at_site(facts: Facts) -> Sequence[str]:
    said = {
        "file-reviewed": facts["file_reviewed"] and facts["site_opinion"],
        "electronic-photo": facts["electronic_photo"],
    }
    return [f"{name}=1" for name, holds in said.items() if not holds]


def _at_registration(facts: Facts) -> Sequence[str]:
    is_complete = all(facts.get(name) is not None for name in _OF_CERTIFICATE)
    against = [] if is_complete else ["certificate-complete=1"]
    if not facts["electronic_photo"]:
        against.append("photo-present=1")
    if facts.get("issued_on") is None:
        against.append("issued-on-graduation-day=2")
    if facts.get("conclusion") is None:
        against.append("certificate-kind=2")
    return against


_SECTION = "records_section"
NEXT = {
    "applied": Next("site_approver", "site_approve", ("apply", "branch_approve", "provincial_audit"), _at_site),
    "site_approved": Next(_SECTION, "branch_approve", ("apply", "site_approve", "provincial_audit"), _nothing),
    "branch_approved": Next(_SECTION, "provincial_audit", ("apply", "site_approve", "branch_approve"), _nothing),
    "provincially_audited": Next(_SECTION, "register", (), _at_registration),
}
