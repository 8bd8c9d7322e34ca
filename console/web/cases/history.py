"""What happened to a case, as one stream: decisions, messages, facts and files, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from console.web.cases.facts import changes, source_of
from console.web.cases.masking import Eyes, Sight
from console.web.cases.messages import MessageLine
from console.web.cases.reading import Dossier
from console.web.cases.standing import Reader
from console.web.lettering import valued
from engine.definition import CANCELLED, Bilingual, MoveKind
from engine.records import Json, Outcome
from engine.store.stories import StoryLine
from engine.trail.event import EventKind


class Group(StrEnum):
    """By what the stream can be narrowed."""

    DECISION = "decision"
    MESSAGE = "message"
    FACT = "fact"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one rule said then, and what it is called by the rules of today."""

    id: str
    title: Bilingual
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line of the stream.

    Attributes:
        seq: The number of the event in the case's chain, which is its permanent link; None for what is no event of it.
        icon: Which sign stands before it, and in which tone.
        subject: What it was about, beside its title: a deadline, a document, a state.
        note: Reason, remark or answer, word for word.
        failed: Ids of the rules that refused it, and of those that could not be decided.
        said: What every rule said then; `seen` the values they saw, with what these are called.
    """

    at: datetime
    group: Group
    seq: int | None
    icon: str
    tone: str
    title: Bilingual
    who: str = ""
    role: Bilingual | None = None
    subject: Bilingual | None = None
    note: str = ""
    failed: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    seen: tuple[tuple[Bilingual, str], ...] = ()
    fact_seq: int | None = None

    @property
    def anchor(self) -> str:
        """Where it stands on the page."""
        if self.seq is not None:
            return f"e{self.seq}"
        return f"f{self.fact_seq}" if self.fact_seq is not None else ""


_Look = tuple[Group, str, str, Bilingual]
_D, _M, _F = Group.DECISION, Group.MESSAGE, Group.FILE
_KINDS: Mapping[str, _Look] = {
    EventKind.OPENED: (_D, "plus", "run", Bilingual(zh="建立", en="Opened")),
    EventKind.MOVED: (_D, "arrow-right", "run", Bilingual(zh="办理", en="Moved")),
    EventKind.SIGNED: (_D, "signature", "ok", Bilingual(zh="签字", en="Signed")),
    EventKind.SIGNER_CHANGED: (_D, "signature", "neutral", Bilingual(zh="加签、减签", en="Signers changed")),
    EventKind.REFUSED: (_D, "circle-x", "bad", Bilingual(zh="被拒", en="Refused")),
    EventKind.RETRACTED: (_D, "history", "return", Bilingual(zh="撤回", en="Withdrawn")),
    EventKind.DELEGATED: (_D, "users", "neutral", Bilingual(zh="委派", en="Delegated")),
    EventKind.HANDED_OVER: (_D, "arrows-exchange", "neutral", Bilingual(zh="转办", en="Handed over")),
    EventKind.DELEGATION_REVOKED: (_D, "users", "neutral", Bilingual(zh="收回委派", en="Delegation taken back")),
    EventKind.RELOCATED: (_D, "arrows-exchange", "neutral", Bilingual(zh="转到别的单位", en="Moved to another unit")),
    EventKind.MIGRATED: (_D, "git-branch", "neutral", Bilingual(zh="改按新版定义", en="Moved to a later version")),
    EventKind.COMMENTED: (_D, "message", "neutral", Bilingual(zh="备注", en="Comment")),
    EventKind.COPIED: (_M, "mail", "neutral", Bilingual(zh="抄送", en="Copied")),
    EventKind.ERASED: (_D, "eraser", "neutral", Bilingual(zh="抹除个人信息", en="Personal data erased")),
    EventKind.DEADLINE_MOVED: (_D, "clock", "neutral", Bilingual(zh="期限变动", en="Deadline moved")),
    EventKind.LATE: (_D, "clock-exclamation", "bad", Bilingual(zh="标为逾期", en="Marked late")),
    EventKind.TIMER_BLOCKED: (_D, "clock-exclamation", "warn", Bilingual(zh="定时步骤受阻", en="Timer blocked")),
    EventKind.URGED: (_M, "bell", "neutral", Bilingual(zh="催办", en="Nudged")),
    EventKind.REMINDED: (_M, "mail", "neutral", Bilingual(zh="提醒", en="Reminded")),
    EventKind.ESCALATED: (_M, "mail", "warn", Bilingual(zh="上报", en="Reported")),
    EventKind.EVIDENCE_ADDED: (_F, "file-text", "neutral", Bilingual(zh="上传材料", en="File handed in")),
    EventKind.EVIDENCE_WITHDRAWN: (_F, "file-off", "neutral", Bilingual(zh="撤下材料", en="File withdrawn")),
    EventKind.VIEWED: (_F, "eye", "neutral", Bilingual(zh="查看", en="Looked at")),
    EventKind.FACT_CHANGED: (Group.FACT, "edit", "neutral", Bilingual(zh="信息变更", en="Facts changed")),
}
_BY_KIND: Mapping[MoveKind, tuple[str, str]] = {
    MoveKind.ADVANCE: ("circle-check", "run"),
    MoveKind.RETURN: ("arrow-back-up", "return"),
    MoveKind.REJECT: ("ban", "bad"),
    MoveKind.WITHDRAW: ("arrow-back-up", "neutral"),
}
_VIEWS: Mapping[str, Bilingual] = {
    "view:case": Bilingual(zh="整件", en="the whole case"),
    "view:facts": Bilingual(zh="个人信息", en="personal data"),
}
_AMONG_COLLEAGUES = frozenset({EventKind.COMMENTED, EventKind.COPIED})
_OF_STEP: Mapping[str, tuple[str, str]] = {
    EventKind.REFUSED: ("…：被拒", "…: refused"),
    EventKind.RETRACTED: ("撤回“…”", "Withdrawn: …"),
    EventKind.SIGNED: ("…：签字", "…: signed"),
    EventKind.OPENED: ("…", "…"),
    EventKind.MOVED: ("…", "…"),
}
"""What happened to a step, its title at the dots."""
_OUTCOMES = {one.word: one for one in Outcome}


def history(dossier: Dossier, reader: Reader, messages: Sequence[MessageLine]) -> tuple[Happening, ...]:
    """Everything that happened, the newest first; what auditors noted is not for the people of the case."""
    events = [_happening(dossier, reader, line) for line in dossier.lines if _is_for(reader, line)]
    told = [_told(one) for one in messages]
    return tuple(sorted((*reversed(events), *told), key=lambda one: one.at, reverse=True))


def _is_for(reader: Reader, line: StoryLine) -> bool:
    """Whether an event is shown to a reader: notes of auditors to nobody, what colleagues write not to the student."""
    kind = line.event["kind"]
    return kind in _KINDS and (kind not in _AMONG_COLLEAGUES or reader.veil.eyes is not Eyes.STUDENT)


def counts(stream: Iterable[Happening]) -> dict[str, int]:
    """How many lines each group has; `all` the whole stream."""
    found = {"all": 0} | dict.fromkeys(Group, 0)
    for one in stream:
        found["all"] += 1
        found[one.group] += 1
    return found


def happening(dossier: Dossier, reader: Reader, seq: int) -> Happening | None:
    """One event of the case's own chain, by its number; None where there is none to be shown."""
    line = next((one for one in dossier.own() if one.seq == seq and _is_for(reader, one)), None)
    return None if line is None else _happening(dossier, reader, line)


def _happening(dossier: Dossier, reader: Reader, line: StoryLine) -> Happening:
    event, data = line.event, line.event["data"]
    group, icon, tone, title = _KINDS[event["kind"]]
    if line.chain != dossier.case.id:
        return _of_student(dossier, line, (group, icon, tone, title))
    step = dossier.definition.transitions.get(str(data.get("signing") or data.get("trigger")))
    if event["kind"] == EventKind.MOVED and step is not None:
        icon, tone = _BY_KIND[step.kind]
    return Happening(
        at=datetime.fromisoformat(event["at"]),
        group=group,
        seq=line.seq,
        icon=icon,
        tone=tone,
        title=_title(event, title, None if step is None else step.title),
        who=dossier.name(str(event["actor"])),
        role=_role(dossier, event),
        subject=_subject(dossier, event),
        note=_note(line),
        failed=tuple(data.get("failed", ())),
        undecided=tuple(data.get("undecided", ())),
        said=tuple(_said(dossier, data)),
        seen=tuple(_seen(dossier, reader, line)),
    )


def _of_student(dossier: Dossier, line: StoryLine, look: _Look) -> Happening:
    """A change of what is known about the student: what it was of, by title."""
    group, icon, tone, title = look
    vocabulary = dossier.machine.book.vocabulary.student
    titles = [vocabulary[name].title for name, *_ in changes(line) if name in vocabulary]
    source = source_of(dossier, line)
    return Happening(
        at=datetime.fromisoformat(line.event["at"]),
        group=Group.FACT if line.event["kind"] == EventKind.FACT_CHANGED else group,
        seq=None,
        fact_seq=line.seq,
        icon=icon,
        tone=tone,
        title=source.title if line.event["kind"] == EventKind.FACT_CHANGED else title,
        who=source.who,
        subject=_listed(titles),
        failed=tuple(line.event["data"].get("failed", ())),
    )


_MOST_LISTED = 4


def _listed(titles: Sequence[Bilingual]) -> Bilingual | None:
    """The first of many titles, and how many there are."""
    if not titles:
        return None
    many = len(titles) > _MOST_LISTED
    first = titles[:_MOST_LISTED]
    zh, en = "、".join(one.zh for one in first), ", ".join(one.en for one in first)
    return Bilingual(zh=f"{zh} 等 {len(titles)} 项" if many else zh, en=f"{en} … {len(titles)} in all" if many else en)


def _title(event: Mapping[str, Any], kind: Bilingual, step: Bilingual | None) -> Bilingual:
    """What happened: the step, with what became of it where it was not taken."""
    if event["data"].get("trigger") == CANCELLED:
        return Bilingual(zh="已撤销", en="Cancelled")
    zh, en = _OF_STEP.get(event["kind"], ("", ""))
    if step is None or not zh:
        return kind
    return Bilingual(zh=zh.replace("…", step.zh), en=en.replace("…", step.en))


def _role(dossier: Dossier, event: Mapping[str, Any]) -> Bilingual | None:
    role = event.get("done_by") or event.get("role") or event["data"].get("role")
    one = dossier.desk.library.rulebook.organisation.roles.get(str(role))
    return None if one is None else one.title


def _subject(dossier: Dossier, event: Mapping[str, Any]) -> Bilingual | None:
    data = event["data"]
    if isinstance(data.get("deadline"), str):
        known = dossier.definition.deadlines.get(data["deadline"])
        return Bilingual(zh=data["deadline"], en=data["deadline"]) if known is None else known.title
    if isinstance(data.get("document"), str):
        known_as = dossier.machine.book.documents.get(data["document"])
        return Bilingual(zh=data["document"], en=data["document"]) if known_as is None else known_as.title
    if event["kind"] == EventKind.VIEWED:
        return _VIEWS.get(data["trigger"])
    if event["kind"] in (EventKind.DELEGATED, EventKind.HANDED_OVER, EventKind.DELEGATION_REVOKED):
        taker = dossier.name(str(data.get("to")))
        return Bilingual(zh=f"交给 {taker}", en=f"to {taker}")
    if event["kind"] == EventKind.COPIED:
        names = [dossier.name(str(one)) for one in data["colleagues"]]
        return Bilingual(zh=f"给 {'、'.join(names)}", en=f"to {', '.join(names)}")
    state = dossier.definition.states.get(str(data.get("to")))
    return state.title if state is not None and data.get("to") != data.get("from") else None


def _note(line: StoryLine) -> str:
    data = line.event["data"]
    if line.event["kind"] in _AMONG_COLLEAGUES:
        return str(line.opened.get("text", ""))
    return str(data.get("reason") or data.get("why") or "")


def _said(dossier: Dossier, data: Mapping[str, Any]) -> Iterator[Said]:
    rules = dossier.machine.book.rules
    for name, word in data.get("verdicts", {}).items():
        rule = rules.get(name) or dossier.desk.library.rulebook.engine.get(name)
        title = None if rule is None else rule.title
        yield Said(
            id=name if rule is None or rule.id is None else rule.id,
            title=title or Bilingual(zh=name, en=name),
            outcome=_OUTCOMES[word],
        )


def _seen(dossier: Dossier, reader: Reader, line: StoryLine) -> Iterator[tuple[Bilingual, str]]:
    """The values that rules saw then, as far as they are this reader's to see."""
    machine = dossier.machine
    for key, raw in {**line.event["data"].get("seen", {}), **line.opened}.items():
        title = machine.readers.titles.get(key)
        if title is None or isinstance(raw, Mapping | list):
            continue
        yield title, _value(dossier, reader, key, raw)


def _value(dossier: Dossier, reader: Reader, key: str, raw: Json) -> str:
    sight = reader.veil.sight(key)
    if sight is not Sight.FULL:
        return str(reader.veil.over(key, raw) or "••••") if raw is not None else "—"
    kind = dossier.machine.kind(key)
    if kind is None:
        return str(raw)
    value = dossier.machine.decoded({key: raw})[key]
    return valued(kind, value, reader.lang, dossier.machine.readers.choices)


def _told(one: MessageLine) -> Happening:
    return Happening(
        at=one.at,
        group=Group.MESSAGE,
        seq=None,
        icon="mail",
        tone="bad" if one.is_bounced else "neutral",
        title=one.told,
        subject=one.whom,
        note=one.answer if one.is_bounced else "",
    )
