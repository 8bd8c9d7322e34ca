"""What is told to one person in one mail, before it is put into words.

Nothing here names a student but the reader: a case is its number, and no message has a place for a student's name,
student number, ID number or grade. Of colleagues it names only who passes something on to the reader or sends a copy,
and to those who look after people whom somebody has to be asked about; and to who is away who said so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from engine.definition import Bilingual

Message = Literal[
    "moved",
    "returned",
    "refused",
    "registered",
    "delegated",
    "delegation_ended",
    "urged",
    "copied",
    "approaching",
    "due_today",
    "overdue",
    "escalated",
    "nobody_left",
    "deadline_moved",
    "revealed_often",
    "absence",
]
"""What can be told; each has a folder of templates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How far a due day is from the day of the letter; negative once it is over, zero on the day itself.

    Attributes:
        days: Calendar days.
        working_days: Working days, counted as `+1wd` counts; None where no calendar covers the days between.
    """

    days: int
    working_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """What somebody passed on to the reader, or took back.

    Attributes:
        giver: The colleague who did, by name, else by login; None: the student, whom no message names.
        role: The role in which the reader acts.
        since: From when; None once it is taken back.
        until: The last moment, or when it was taken back; None: for good (转办).
        begins_later: Whether it begins only after it was passed on.
    """

    giver: str | None
    role: Bilingual
    since: datetime | None
    until: datetime | None
    begins_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell: about one case, about a role at a unit that is passed on, or about a colleague.

    Attributes:
        message: What kind of thing it is.
        case: The number people read; None: it is about no single case.
        workflow: What the procedure is called; without a case, the role.
        state: Where the case stands now; None without a case.
        unit: The name of the unit whose case it is, or at which the role is.
        step: The step that was taken.
        deadline: What the deadline is called.
        deadline_name: Its name in the definition (`D-02`), which keeps an entry in a calendar the same entry.
        due_at: The last moment in time; None while it is open (待定), or where there is no deadline.
        was_due_at: What it was before it was moved.
        is_provisional: The date rests on a year whose holidays are not confirmed (暂定).
        left: How long there is; None with `due_at`.
        todo: Titles of the steps the reader may take now.
        why: Why this reader is told, a clause without a full stop: 您是柳桥教学点的经办人.
        sequence: How often the deadline was moved.
        reason: The words of whoever sent it back, refused it, passed it on, sent a copy or moved the deadline.
        delegation: What was passed on or taken back, where it is about that.
        person: The colleague it is about, who sends the copy, or who told the absence, by name, where there is one.
        away: The first and the last day the reader is away; None once that is ended, and in other notices.
        was_away: The same as it was, of what was changed or is ended.
    """

    message: Message
    case: str | None
    workflow: Bilingual
    state: Bilingual | None
    unit: str
    step: Bilingual | None = None
    deadline: Bilingual | None = None
    deadline_name: str | None = None
    due_at: datetime | None = None
    was_due_at: datetime | None = None
    is_provisional: bool = False
    left: Left | None = None
    todo: tuple[Bilingual, ...] = ()
    why: Bilingual
    sequence: int = 0
    reason: str | None = None
    delegation: Delegation | None = None
    person: str | None = None
    away: tuple[date, date] | None = None
    was_away: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail to one person.

    Attributes:
        to: The address.
        name: The reader's own name, for the greeting.
        slot: What makes it the only one: `digest/2024-05-13`, `single/17`.
        message_id: Stable for this mail, with angle brackets.
        at: When it is written.
        notices: What is told, at least one thing, in the order it happened.
    """

    to: str
    name: str | None
    slot: str
    message_id: str
    at: datetime
    notices: tuple[Notice, ...]
