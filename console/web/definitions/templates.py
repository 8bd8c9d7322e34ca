"""Templates of mails: what they say and since when, by whom, how a mail looks, and how they are changed by two persons.

A changed text is tried first; then it is handed in as a proposal like a definition (docs/decisions/0018), one for each
template, and is in force once another administrator has approved it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from console.message_view import body_of, left_out, sample_mail, texts_of
from console.web.definitions import publishing
from console.web.definitions.comparing import Pair, side_by_side
from console.web.definitions.mails import ADDRESS, TITLES, shown_as, templates_of
from console.web.definitions.reading import is_overtaken
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.lettering import as_day
from console.web.visit import Visit
from console.wiring import origin_of
from engine import proposing
from engine.errors import DefinitionFaults, Fault, NothingNew, Unreadable, WaitsAlready, XuejiError
from engine.loading.origins import Templates
from engine.proposed_templates import usable
from engine.proposing import Read, SeveralReasons
from engine.records import Request
from engine.store import people, proposals
from engine.store.proposals import MESSAGES, Line, Proposal, Stage, is_template
from notifications.messages.catalogue import parts, shipped, variables
from notifications.messages.overriding import TemplatesRefused, check_overrides, texts_in

MOST = 200_000
"""Characters of one template; as many bytes are refused by the check."""
_OWN_BODY = ("/body.txt", "/body.html")


class Row(NamedTuple):
    """A mail: where its page is, what it is called, whose its templates are (`Part.source`), how many wait."""

    address: str
    title: str
    folder: str
    source: str
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One template of a mail.

    Attributes:
        name: Below `messages/`.
        text: As it is shown: in force, as a form has it, or as a proposal does.
        in_force: What mails are made with.
        source: house, own (a folder of the institution), approved; `left-out`: approved, but it cannot be used.
        words: What it may say.
        published: The proposal by which it is in force; None where it is as installed.
        is_overtaken: The installed text is another one than when it was published.
        is_shared: Nothing is said here for this mail alone; what is shown is said to all that come alone.
        places: Where `text` differs from `in_force`.
    """

    name: str
    text: str
    in_force: str
    source: str
    words: Sequence[str]
    published: Line | None
    is_overtaken: bool
    is_shared: bool

    @property
    def places(self) -> tuple[tuple[Pair, ...], ...]:
        """Where the text shown differs from what is in force."""
        return side_by_side(self.in_force, self.text) if self.has_changed else ()

    @property
    def has_changed(self) -> bool:
        """Whether the text shown is another one than is in force."""
        return _plain(self.text) != _plain(self.in_force)


class Past(NamedTuple):
    """A text that was approved: when it came into force, and when another one did; None: it still is, or will be."""

    line: Line
    since: str
    until: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail with its templates, as it would look about invented cases.

    Attributes:
        faults: Placed in the templates.
        left_out: Faults of approved templates, of whichever mail, that are not used.
        is_tried: What is shown was typed, and is kept nowhere.
        proposal: Whose text is shown; None: what is in force, or typed.
        first: The first day from which a change may be in force.
    """

    folder: str
    title: str
    parts: Sequence[Part]
    subject: str
    text: str
    faults: Sequence[Fault]
    left_out: Sequence[Fault]
    waiting: Sequence[Line]
    past: Sequence[Past]
    names: Mapping[str, str]
    first: date
    is_tried: bool = False
    proposal: Line | None = None

    @property
    def address(self) -> str:
        """Where its page is."""
        return f"{ADDRESS}/{self.folder}"

    @property
    def published(self) -> list[tuple[str, str]]:
        """The templates that could be as installed again, as choices of a form."""
        return [(one.name, one.name) for one in self.parts if one.source in ("approved", "left-out")]

    @property
    def changed(self) -> list[Part]:
        """The templates that are not shown as they are in force."""
        return [one for one in self.parts if one.has_changed]


class _Standing(NamedTuple):
    """What is installed and approved, read once for a page; texts of `own` may have faults."""

    own: Mapping[str, str]
    approved: Mapping[str, str | None]
    lines: Mapping[str, Line]
    every: Sequence[Line]
    left_out: Sequence[Fault]


def overview(visit: Visit) -> tuple[list[Row], list[Fault]]:
    """Every mail there is, and what is wrong with approved templates that are left out."""
    stands = _standing(visit)
    return [_row(visit, folder, stands) for folder in TITLES], [*stands.left_out]


def _row(visit: Visit, folder: str, stands: _Standing) -> Row:
    names = templates_of(folder)
    sources = {_source(name, stands) for name in names}
    source = next(one for one in ("left-out", "approved", "own", "house") if one in sources)
    files = {f"{MESSAGES}{name}" for name in names}
    waiting = sum(one.stage is Stage.PROPOSED and one.file in files for one in stands.every)
    return Row(f"{ADDRESS}/{folder}", visit.say(TITLES[folder]), folder, source, waiting)


def own_faults(visit: Visit) -> list[Fault]:
    """What is wrong with the institution's folder; with a fault no mail leaves (`xueji work` says so and stops)."""
    folder = visit.house.settings.messages
    return [] if folder is None else check_overrides(folder)


def mail(visit: Visit, folder: str, number: int | None = None) -> Mail:
    """A mail as it is sent now, or as it would be with a proposal.

    Raises:
        NotFound: If there is no such mail, or no such proposal about it that the visitor may see.
    """
    stands = _standing(visit)
    plain = _mail(visit, folder, stands)
    if number is None:
        return _looking(visit, plain, stands, {})
    one, shown = _proposed(visit, plain, stands, number)
    parts_ = [replace(part, text=shown.get(part.name, part.text)) for part in plain.parts]
    return replace(_looking(visit, replace(plain, parts=parts_), stands, _over(one)), proposal=one.line)


def page_of(visit: Visit, folder: str, number: int | None = None) -> str:
    """The mail as a mail program shows it: the HTML with everything in it.

    Raises:
        NotFound: As `mail`.
    """
    stands = _standing(visit)
    plain = _mail(visit, folder, stands)
    over = {} if number is None else _over(_proposed(visit, plain, stands, number)[0])
    return body_of(_sample(visit, folder, stands, over), "html")


def tried(visit: Visit, folder: str) -> Mail:
    """The mail with the texts of the form in place of those there are; nothing is kept.

    Raises:
        NotFound: If there is no such mail.
        FieldFaults: If a text is too long.
    """
    stands = _standing(visit)
    plain = _mail(visit, folder, stands)
    shown = replace(plain, parts=[replace(one, text=_typed(visit, one)) for one in plain.parts], is_tried=True)
    texts = {one.name: one.text for one in shown.changed}
    approved = usable(proposals.templates_in_force(visit.desk.connection, date.max))
    known = _templates(visit)
    faults = [fault for name, text in texts.items() for fault in known.faults(name, text or "\n", approved)]
    return replace(_looking(visit, shown, stands, {} if faults else texts), faults=sorted(set(faults)))


def submit(visit: Visit, folder: str) -> list[int]:
    """Hand in every changed text of the form as a proposal of its own; their numbers. All of them, or none.

    Raises:
        NotFound: If there is no such mail.
        FieldFaults: If nothing was changed, no reason is given, or the day is too early.
        DefinitionFaults: If a text cannot be used.
    """
    texts = {one.name: one.text for one in tried(visit, folder).changed}
    if not texts:
        raise FieldFaults([FieldFault("texts", visit.say("文字"), visit.say("没有改动，无须提交"))])
    request = _asked(visit)
    read = [
        proposing.read_given(visit.desk, origin_of(visit.house.settings), (f"{MESSAGES}{name}", text.encode()), request)
        for name, text in texts.items()
    ]
    return _hand_in(visit, read, publishing.day_in(visit))


def submit_back(visit: Visit, folder: str) -> int:
    """Hand in that a template is to be as installed again; the number of the proposal.

    Raises:
        NotFound: If there is no such template of the mail.
        FieldFaults: If no reason is given.
        DefinitionFaults: If the others cannot be used with it.
    """
    name = visit.form.get("part", "")
    if folder not in TITLES or name not in templates_of(folder):
        raise NotFound
    read = proposing.read_back(visit.desk, origin_of(visit.house.settings), f"{MESSAGES}{name}", _asked(visit))
    first = proposing.earliest(visit.desk, read.file, read.findings, visit.today)
    [number] = _hand_in(visit, [read], first)
    return number


def _hand_in(visit: Visit, read: Sequence[Read], day: date) -> list[int]:
    """All of them, or none, with every reason once.

    Raises:
        FieldFaults: As `submit`.
        DefinitionFaults: As `submit`.
    """
    given, against = list[int | None](), dict[str, XuejiError]()
    request = _asked(visit)
    with visit.desk.connection.writing():
        for one in read:
            try:
                given.append(proposing.propose_text(visit.desk, one, day, request))
            except (DefinitionFaults, NothingNew, Unreadable, WaitsAlready) as problem:
                against[str(problem)] = problem
            except SeveralReasons as problem:
                against |= {str(reason): reason for reason in problem.reasons}
        if faults := [one for one in against.values() if isinstance(one, DefinitionFaults)]:
            raise faults[0]
        if against:
            raise FieldFaults([publishing.to_mend(visit, one) for one in against.values()])
    return [one for one in given if one is not None]


def _asked(visit: Visit) -> Request:
    return visit.asks("definition_publish", {"reason": visit.form.get("reason", "")})


def _standing(visit: Visit) -> _Standing:
    connection, folder = visit.desk.connection, visit.house.settings.messages
    approved = texts_of(proposals.templates_in_force(connection, visit.today))
    every = [one for one in proposals.lines(connection) if is_template(one.file)]
    return _Standing(
        own={} if folder is None else texts_in(folder),
        approved=approved,
        lines=_in_force(every, visit.today),
        every=every,
        left_out=left_out(folder, approved),
    )


def _in_force(every: Sequence[Line], day: date) -> dict[str, Line]:
    """The proposal by which each file is in force."""
    there = [one for one in every if one.stage is Stage.APPROVED and (one.effective_on or "") <= day.isoformat()]
    return {one.file: one for one in sorted(there, key=_order)}


def _of(every: Sequence[Line], file: str) -> list[Line]:
    return [one for one in every if one.file == file]


def _order(one: Line) -> tuple[str, str, int]:
    return one.effective_on or "", one.decided_at or "", one.number


def _source(name: str, stands: _Standing) -> str:
    if any(one.file == name for one in stands.left_out):
        return "left-out"
    return "approved" if stands.approved.get(name) else "own" if name in stands.own else "house"


def _mail(visit: Visit, folder: str, stands: _Standing) -> Mail:
    """A mail with what is in force, without how it looks.

    Raises:
        NotFound: If there is no such mail.
    """
    if folder not in TITLES:
        raise NotFound
    names = templates_of(folder)
    files = {f"{MESSAGES}{name}" for name in names}
    mine = [one for one in stands.every if one.file in files]
    people_ = [login for one in mine for login in (one.made_by, one.decided_by) if login is not None]
    told, _ = people.named(visit.desk.connection, people_, None) if people_ else ({}, None)
    approved = [one.effective_on for one in mine if one.stage is Stage.APPROVED and one.effective_on is not None]
    return Mail(
        folder=folder, title=visit.say(TITLES[folder]), parts=[*_parts(visit, names, stands)], subject="", text="",
        faults=(), left_out=stands.left_out, waiting=[one for one in mine if one.stage is Stage.PROPOSED],
        past=[*_past(mine)], names={login: told.get(login) or login for login in people_},
        first=max([visit.today, *map(date.fromisoformat, approved)]),
    )  # fmt: skip


def _parts(visit: Visit, names: Sequence[str], stands: _Standing) -> Iterator[Part]:
    known, broken = _templates(visit), {one.file for one in stands.left_out}
    approved = {name: text for name, text in stands.approved.items() if text and name not in broken}
    sources = {**shipped(), **stands.own, **approved}
    for name in names:
        line, in_force = stands.lines.get(f"{MESSAGES}{name}"), known.said(name, approved)
        yield Part(
            name=name, text=in_force, in_force=in_force, source=_source(name, stands),
            words=sorted(variables()[name]), published=line,
            is_overtaken=line is not None and is_overtaken(visit, line.file, _of(stands.every, line.file)),
            is_shared=name.endswith(_OWN_BODY) and name not in parts(name.partition("/")[0], sources),
        )  # fmt: skip


def _past(mine: Sequence[Line]) -> Iterator[Past]:
    """What was approved, of each template with the moment at which the next came into force; the newest first."""
    found = []
    for file in {one.file for one in mine}:
        there = sorted((one for one in _of(mine, file) if one.stage is Stage.APPROVED), key=_order)
        for one, following in pairwise([*there, None]):
            if one is not None:
                found.append(Past(one, _since(one), None if following is None else _since(following)))
    yield from sorted(found, key=lambda one: one.since, reverse=True)


def _since(line: Line) -> str:
    """The day from which it is in force, or the moment of its approval on that day."""
    decided, day = line.decided_at or "", line.effective_on or ""
    return decided if as_day(decided).isoformat() == day else day


def _looking(visit: Visit, one: Mail, stands: _Standing, over: Mapping[str, str]) -> Mail:
    """How a mail looks with texts in place of what is in force; the folder's faults, where it has any."""
    try:
        made, faults = _made(visit.house.settings.messages, one.folder, stands, over), one.faults
    except TemplatesRefused as problem:
        made, faults = _made(None, one.folder, stands, over), problem.faults
    return replace(one, subject=str(made["Subject"]), text=body_of(made, "plain"), faults=faults)


def _sample(visit: Visit, folder: str, stands: _Standing, over: Mapping[str, str]) -> EmailMessage:
    """The mail; where the folder has a fault, as the house would send it."""
    try:
        return _made(visit.house.settings.messages, folder, stands, over)
    except TemplatesRefused:
        return _made(None, folder, stands, over)


def _made(own: Path | None, folder: str, stands: _Standing, over: Mapping[str, str]) -> EmailMessage:
    return sample_mail(shown_as(folder), own, {**stands.approved, **over})


def _proposed(visit: Visit, plain: Mail, stands: _Standing, number: int) -> tuple[Proposal, Mapping[str, str]]:
    """A proposal about a template of a mail, and the text it brings, by name.

    Raises:
        NotFound: If there is none that the visitor may see, or it is about something else.
    """
    one = publishing.seen(visit, number)
    name = one.line.file.removeprefix(MESSAGES)
    if not is_template(one.line.file) or name not in templates_of(plain.folder):
        raise NotFound
    others = {other: text for other, text in stands.approved.items() if text and other != name}
    return one, {name: one.body or _templates(visit).said(name, others)}


def _over(one: Proposal) -> Mapping[str, str]:
    return {one.line.file.removeprefix(MESSAGES): one.body}


def _typed(visit: Visit, part: Part) -> str:
    """What a field says; as in force where it says the same, with whatever ends of lines.

    Raises:
        FieldFaults: If it is too long.
    """
    said = visit.posted.get(part.name)
    if not isinstance(said, str) or _plain(said) == _plain(part.in_force):
        return part.in_force
    if len(said) > MOST:
        raise FieldFaults([FieldFault(part.name, part.name, visit.say("最多 {n} 字", n=f"{MOST:,}"))])
    return _plain(said)


def _plain(text: str) -> str:
    """A text as a browser gives it back: without blank lines before and after it."""
    return "\n".join(text.splitlines()).strip("\n").rstrip() + "\n"


def _templates(visit: Visit) -> Templates:
    known = origin_of(visit.house.settings).templates
    assert known is not None  # noqa: S101 the composition root gives them
    return known
