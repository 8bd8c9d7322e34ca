"""What was told because of a case, and whether it arrived: a message that reached nobody is somebody's task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.web.cases.reading import Dossier
from engine.actors import Actor
from engine.definition import Bilingual
from engine.desk import Desk
from engine.store.cases import Found
from engine.store.outbox import UNTOLD
from engine.store.people import PERSON, STUDENT
from engine.store.stories import ToldLine
from engine.trail.event import EventKind
from engine.writers import KEEPER, holds_one

_CALLED: Mapping[str, Bilingual] = {
    "approaching": Bilingual(zh="到期提醒", en="Reminder"),
    "due_today": Bilingual(zh="今天到期的提醒", en="Due-today reminder"),
    "overdue": Bilingual(zh="逾期提醒", en="Overdue reminder"),
    "moved": Bilingual(zh="进度通知", en="Progress notice"),
    "returned": Bilingual(zh="退回通知", en="Sent-back notice"),
    "refused": Bilingual(zh="未通过通知", en="Refusal notice"),
    "registered": Bilingual(zh="注册通知", en="Registration notice"),
    "urged": Bilingual(zh="催办", en="Nudge"),
    "copied": Bilingual(zh="抄送", en="Copy"),
    "delegated": Bilingual(zh="委派通知", en="Delegation notice"),
    "delegation_ended": Bilingual(zh="委派收回通知", en="Delegation-ended notice"),
    "deadline_moved": Bilingual(zh="期限变动通知", en="Deadline notice"),
    "escalated": Bilingual(zh="逾期上报", en="Escalation"),
    "nobody_left": Bilingual(zh="无人可办的上报", en="Nobody-left notice"),
}
_WAITING = Bilingual(zh="待发", en="waiting")
_NO_ADDRESS = Bilingual(zh="没有地址", en="no address")
_BECAME: Mapping[str, Bilingual] = {
    "": _WAITING,
    "waiting": _WAITING,
    "claimed": Bilingual(zh="发送中", en="being sent"),
    "handing_over": Bilingual(zh="发送中", en="being sent"),
    "accepted": Bilingual(zh="已送达", en="delivered"),
    "failed": Bilingual(zh="退信", en="bounced"),
    "unknown": Bilingual(zh="不明", en="unknown"),
    "dropped": Bilingual(zh="不再发送", en="not sent any more"),
}
MAIL = "email"
"""The fact by which a student is reached."""
_LOST = ("failed", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """One message to one recipient: what it told, to whom, what became of it, when, and what the mail system said."""

    id: int
    what: Bilingual
    whom: Bilingual
    became: Bilingual
    is_bounced: bool
    is_delivered: bool
    is_to_student: bool
    at: datetime
    answer: str
    seq: int

    @property
    def told(self) -> Bilingual:
        """What it was and what became of it, in one."""
        return Bilingual(zh=f"{self.what.zh}{self.became.zh}", en=f"{self.what.en} {self.became.en}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """The messages of a case, newest first, how they went, and when the student's address was last changed."""

    lines: tuple[MessageLine, ...]
    changed_at: datetime | None = None

    @property
    def sent(self) -> int:
        """How many have left, or were to."""
        return len(self.lines)

    @property
    def bounced(self) -> int:
        """How many did not arrive, or nobody knows."""
        return sum(1 for one in self.lines if one.is_bounced)

    @property
    def lost_to_student(self) -> MessageLine | None:
        """The last message to the student, if it did not arrive."""
        last = next((one for one in self.lines if one.is_to_student), None)
        return last if last is not None and last.is_bounced else None

    @property
    def corrected_at(self) -> datetime | None:
        """Since when the student's address is another than that at which the last message was lost."""
        lost, changed = self.lost_to_student, self.changed_at
        return changed if lost is not None and changed is not None and changed >= lost.at else None


def messages(dossier: Dossier) -> Messages:
    """What was told because of a case."""
    times = {line.seq: datetime.fromisoformat(line.event["at"]) for line in dossier.own()}
    changes = (line.event for line in dossier.lines if line.event["kind"] == EventKind.FACT_CHANGED)
    moments = [datetime.fromisoformat(one["at"]) for one in changes if MAIL in one["data"].get("sealed_facts", ())]
    return Messages(
        lines=tuple(_line(dossier, one, times) for one in dossier.told), changed_at=max(moments, default=None)
    )


def may_correct(desk: Desk, actor: Actor, found: Found, at: datetime) -> bool:
    """Whether a person may say where a student is reached: who writes the fact, else its keeper (S000-0.1)."""
    if found.case.student is None:
        return False
    return holds_one(actor, _writers(desk), found.case.path, at)


def keeper_of_address(dossier: Dossier) -> str:
    """The role that says where a student is reached."""
    return _writers(dossier.desk)[0]


def _writers(desk: Desk) -> Sequence[str]:
    fact = desk.library.rulebook.vocabulary.student.get(MAIL)
    return (fact.written_by if fact is not None else ()) or (KEEPER,)


def called(message: str) -> Bilingual:
    """What a message is called."""
    return _CALLED.get(message, Bilingual(zh=message, en=message))


def is_nudge(line: MessageLine) -> bool:
    """Whether a message is a nudge."""
    return line.what is _CALLED["urged"]


def without_copies(told: Messages) -> Messages:
    """The same without what colleagues sent one another: that is not for the student."""
    return replace(told, lines=tuple(one for one in told.lines if one.what is not _CALLED["copied"]))


def last_nudge(lines: Iterable[MessageLine]) -> MessageLine | None:
    """The last nudge, if there was any."""
    return next((one for one in lines if is_nudge(one)), None)


def _line(dossier: Dossier, one: ToldLine, times: Mapping[int, datetime]) -> MessageLine:
    is_untold = one.mail == UNTOLD
    return MessageLine(
        id=one.id,
        what=called(one.message),
        whom=_whom(dossier, one.recipient),
        became=_NO_ADDRESS if is_untold else _BECAME[one.state],
        is_bounced=is_untold or one.state in _LOST,
        is_delivered=one.state == "accepted",
        is_to_student=_is_to_student(dossier, one.recipient),
        at=one.changed_at or times.get(one.seq, dossier.at),
        answer=one.answer or "",
        seq=one.seq,
    )


def _is_to_student(dossier: Dossier, recipient: str) -> bool:
    return recipient.startswith(STUDENT) or recipient == f"{PERSON}{dossier.staff.student}"


def _whom(dossier: Dossier, recipient: str) -> Bilingual:
    organisation = dossier.desk.library.rulebook.organisation
    if recipient == "student" or _is_to_student(dossier, recipient):
        return organisation.called("student")
    if recipient.startswith(PERSON):
        name = dossier.name(recipient.removeprefix(PERSON))
        return Bilingual(zh=name, en=name)
    return organisation.called(recipient)
