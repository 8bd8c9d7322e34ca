"""Erasing: a person's values become unreadable, every proof still verifies, and an event says so.

Rule 1: one act, one transaction: salts and sealed values, personal facts and fields, what is in the person's forms and
    files, and the account's name and address go together, or nothing does.
Rule 2: events stay as they are. What they say in clear cannot be taken back, and is named before and after.
Rule 3: what the law has kept is not erased: rules of the group `erasure` say what, and running cases and frozen lists
    keep what they rest on. Who is refused hears every reason, and the student's chain keeps that it was asked.

Source: 个人信息保护法 47; design, section 7; requirements.md S001-B-1.3 (学籍档案).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from engine.actors import Grant
from engine.definition import CANCELLED, Privacy
from engine.desk import Desk
from engine.errors import NotAllowed, Unknown, Unreadable
from engine.facts import asked_of
from engine.filing import PERSONAL_LOOKS
from engine.guards import judged, plain_sentence
from engine.keeping import why_barred
from engine.pinyin import order_of
from engine.records import Case, Head, Json, Outcome, Request, Sentence, Verdict
from engine.store import erasures, lists, students
from engine.store.cases import read_cases, write_events
from engine.store.students import StudentRow
from engine.trail.event import EventKind, chain_name, moment
from engine.writers import KEEPER

ERASE = "erase"
"""What the trail calls the act."""
RULES = "erasure"
"""The group of the vocabulary whose rules are asked: it has no facts of its own."""
_FIELDS_TOLD = frozenset({EventKind.OPENED, EventKind.MOVED, EventKind.SIGNED, EventKind.RETRACTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Something that is not erased, and why; `names` are facts, or numbers of cases."""

    what: Sentence
    why: Sentence
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What an erasure takes away and leaves; where `refused` says why not, it has taken nothing.

    `values` counts sealed rows, each with its salt; `fields` are by the number of the case; `account` names what was
    known of the student's own login.
    """

    student_no: str
    values: int
    facts: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]
    forms: int
    files: int
    account: tuple[str, ...]
    stays: tuple[Stay, ...] = ()
    refused: tuple[Verdict, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing left to erase."""
        return not (self.values or self.facts or self.fields or self.forms or self.files or self.account)


class _Chain(NamedTuple):
    """The events of one chain, and which names they told last behind a commitment."""

    events: Sequence[Mapping[str, Any]]
    sealed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    """A student with every case and chain, as they stand at the start of the act."""

    row: StudentRow
    cases: Sequence[Case]
    own: _Chain
    chains: Mapping[int, _Chain] = field(default_factory=dict)

    @property
    def numbers(self) -> list[int]:
        """The cases by their integers."""
        return [one.id for one in self.cases]


def erase(desk: Desk, student_no: str, request: Request, *, dry_run: bool = False) -> Erasure:
    """Erase a student's personal values, or say why they are kept.

    Args:
        desk: Where they are kept.
        student_no: The student.
        request: By whom, when, and the `reason`, which stands in the event in clear.
        dry_run: Say what would go and what would stay, and write nothing.

    Returns:
        What was erased; nothing, where `refused` has reasons or nothing was left.

    Raises:
        Unknown: If there is no such student.
        NotAllowed: If the person is not of the records section (学籍科) at the student's unit or above, in their own
            right; the student's chain keeps that it was asked.
        Unreadable: If no reason is given.
        StaleCase: If somebody wrote to the student or a case meanwhile; nothing was written.
    """
    if not str(request.fields.get("reason") or "").strip():
        raise Unreadable("--reason", "", "为什么抹除 why, in a few words without personal data")
    asked = replace(request, trigger=ERASE)
    desk.refresh()
    with desk.connection.writing():
        person = _person(desk, student_no)
        grant = _right(desk, person.row, asked)
        if grant is not None:
            return _erase(desk, person, grant, asked, dry_run=dry_run)
        barred = NotAllowed(asked.actor.login, ERASE, (KEEPER,), person.row.unit)
        if not dry_run:
            _write(desk, person.row, EventKind.REFUSED, asked, _not_heard(barred))
    raise barred


def _person(desk: Desk, student_no: str) -> _Person:
    row = students.student(desk.connection, student_no)
    if row is None:
        raise Unknown("学号 student number", student_no)
    cases = erasures.cases_of(desk.connection, row.id)
    row = students.by_id(desk.connection, row.id)  # as it is now that nobody else changes it
    return _Person(
        row=row,
        cases=cases,
        own=_chain(desk, -row.id, "facts"),
        chains={one.id: _chain(desk, one.id, "fields") for one in cases},
    )


def _chain(desk: Desk, chain: int, told: str) -> _Chain:
    """`told` is where events of the chain tell values in clear; `sealed_…` names those that they do not."""
    events = erasures.told(desk.connection, chain)
    sealed: set[str] = set()
    for event in events:
        data = event["data"]
        if told == "facts" or event["kind"] in _FIELDS_TOLD:
            sealed.difference_update(data.get(told) or ())
        sealed.update(data.get(f"sealed_{told}") or ())
    return _Chain(events, frozenset(sealed))


def _right(desk: Desk, row: StudentRow, request: Request) -> Grant | None:
    """Who keeps the records erases, and in the own right: nobody lends it."""
    own = replace(request.actor, delegated=())
    return own.grant_for((KEEPER,), desk.units()[row.unit].path)


def _erase(desk: Desk, person: _Person, grant: Grant, request: Request, *, dry_run: bool) -> Erasure:
    erasure = _planned(desk, person)
    refused = tuple(_kept_by(desk, person, request))
    if refused:
        erasure = replace(erasure, refused=refused)
    if dry_run or (erasure.is_empty and not refused):
        return erasure
    if refused:
        failed: list[Json] = [*sorted({one.id for one in refused})]
        _write(desk, person.row, EventKind.REFUSED, request, {"failed": failed}, grant=grant)
    else:
        _take_out(desk, person, erasure, grant, request)
    return erasure


def _planned(desk: Desk, person: _Person) -> Erasure:
    row = person.row
    held = erasures.holdings(desk.connection, row.id, person.numbers)
    account = erasures.account_of(desk.connection, row.id)
    fields = {one.number: _held(one.fields, person.chains[one.id].sealed) for one in person.cases}
    return Erasure(
        student_no=row.student_no,
        values=held.values,
        facts=_held(row.facts, person.own.sealed),
        fields={number: names for number, names in fields.items() if names},
        forms=held.forms,
        files=held.files,
        account=() if account is None else account[1],
        stays=tuple(_stays(desk, person, held.shared, None if account is None else account[0])),
    )


def _held(values: Mapping[str, Json], sealed: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name, value in values.items() if name in sealed and value is not None))


def _kept_by(desk: Desk, person: _Person, request: Request) -> Iterator[Verdict]:
    """Everything for which the values have to be kept: running cases, frozen lists, and what the rules say."""
    going = [one for one in person.cases if not desk.definition(one.shape).is_final(one.state)]
    if going:
        yield _own_rule(desk, "cases-running", [f"{one.number}（{one.workflow}）" for one in going])
    frozen = sorted({on for one in person.cases for on in lists.lists_of(desk.connection, one.id)})
    if frozen:
        yield _own_rule(desk, "on-frozen-list", [chain_name(one).removeprefix("case/") for one in frozen])
    said: dict[str, Verdict] = {}
    found = read_cases(desk.connection, [one.id for one in person.cases if one.state != CANCELLED])
    for one in found.values():  # each sees the others of the student, and none itself
        machine = desk.machine(one.case.shape)
        group = machine.book.vocabulary.groups.get(RULES)
        verdicts = asked_of(desk, machine, one, () if group is None else group.guards, request)
        said.update((verdict.rule, verdict) for verdict in verdicts if verdict.outcome.refuses)
    yield from said.values()


def _own_rule(desk: Desk, name: str, which: Iterable[str]) -> Verdict:
    rule = desk.library.rulebook.engine[name]
    return judged(name, rule, Outcome.FAILS, plain_sentence(rule.otherwise, {"which": "、".join(which)}))


def _stays(desk: Desk, person: _Person, shared: int, login: str | None) -> Iterator[Stay]:
    """What is left and why: told in clear by events, or not this person's alone."""
    events = [*person.own.events, *(one for chain in person.chains.values() for one in chain.events)]
    yield Stay(what=_both(f"{len(events)} 条事件及其哈希、MAC", f"{len(events)} events, hashes and MACs"), why=_PROOF)
    open_facts = [name for name in person.row.facts if name not in person.own.sealed]
    vocabulary = desk.library.rulebook.vocabulary.student
    for is_personal, what, why in _OPEN_OR_TOLD:
        names = tuple(sorted(one for one in open_facts if _is_personal(vocabulary.get(one)) is is_personal))
        if names:
            yield Stay(what=what, why=why, names=names)
    reasons = sum(1 for one in events if one["data"].get("reason") or one["data"].get("why"))
    if reasons:
        yield Stay(what=_both(f"{reasons} 条填写的理由", f"{reasons} reasons as typed"), why=_IN_CLEAR)
    if login is not None:
        yield Stay(what=_both("学生的登录名", "The student's login"), why=_IN_CLEAR, names=(login,))
    if shared:
        what = _both(f"{shared} 份他人办件也有的文件", f"{shared} files that other people's cases name too")
        yield Stay(what=what, why=_both("不只属于该生", "They are not this student's alone"))
    naming = erasures.lists_naming(desk.connection, person.row.student_no)
    if naming:
        why = _both("名单归档保存，且涉及他人", "Lists are archived, and are about others too")
        yield Stay(what=_both("写有该生的名单", "Lists that name the student"), why=why, names=tuple(naming))


def _both(zh: str, en: str) -> Sentence:
    return Sentence(zh=zh, en=en)


_PROOF = _both("证据；个人信息只以承诺存于其中", "Evidence; personal values stand in it as commitments only")
_IN_CLEAR = _both("已明文记入事件，事件不可更改", "Events tell it in clear, and events are never changed")
_OPEN_OR_TOLD = (
    (False, _both("非个人信息的信息项", "Facts that are not personal"), _IN_CLEAR),
    (True, _both("列为个人信息之前已明文记入的信息项", "Facts told before they were personal"), _IN_CLEAR),
)


def _is_personal(fact: Any) -> bool:  # noqa: ANN401 an entry of the vocabulary, or none
    return fact is not None and fact.privacy is not Privacy.OPEN


def _take_out(desk: Desk, person: _Person, erasure: Erasure, grant: Grant, request: Request) -> None:
    connection, row = desk.connection, person.row
    erasures.empty(connection, row.id, person.numbers)
    erasures.forget_looks(connection, person.numbers, PERSONAL_LOOKS)
    for one in person.cases:
        gone = erasure.fields.get(one.number)
        if gone:
            left = {name: value for name, value in one.fields.items() if name not in gone}
            erasures.set_fields(connection, one, left)
    account = erasures.account_of(connection, row.id)
    erasures.clear_account(connection, row.id, None if account is None else account[0])
    facts = {name: value for name, value in row.facts.items() if name not in erasure.facts}
    students.set_pinyin(connection, [(order_of(facts), row.id)])  # it holds the name
    _write(desk, row._replace(facts=facts), EventKind.ERASED, request, _told(person, erasure), grant=grant)


def _told(person: _Person, erasure: Erasure) -> dict[str, Json]:
    """How far each chain is erased, which names lost their value, and how many rows, forms and files."""
    ends = {-person.row.id: person.row.head.seq, **{one.id: one.head.seq for one in person.cases}}
    return {
        "chains": {chain_name(chain): seq for chain, seq in ends.items()},
        "erased": {
            "values": erasure.values,
            "facts": [*erasure.facts],
            "fields": {number: [*names] for number, names in erasure.fields.items()},
            "forms": erasure.forms,
            "files": erasure.files,
            "account": [*erasure.account],
        },
    }


def _not_heard(problem: NotAllowed) -> dict[str, Json]:
    return {"barred": why_barred(problem), "failed": [], "undecided": []}


def _write(
    desk: Desk, row: StudentRow, kind: EventKind, request: Request, data: dict[str, Json], *, grant: Grant | None = None
) -> None:
    """The next event of the student's chain, and the row with its facts as given."""
    event: dict[str, Json] = {
        "at": moment(request.at),
        "actor": request.actor.login,
        "data": {"trigger": request.trigger, "reason": request.fields["reason"], **data},
    }
    if grant is not None:
        event |= {"role": grant.role, "unit": grant.unit, "rulebook": desk.rulebook}
    written = desk.scribe.write(-row.id, row.head, kind, event)
    write_events(desk.connection, [written])
    students.set_facts(desk.connection, row, row.facts, Head(seq=written.seq, hash=written.hash))
