"""Handing in one document for many students at once: each goes onto the student's own case, all of them or none.

A document has its place on the open case whose procedure asks for it (`engine.documents.asked_by`); of several such
cases it goes onto the newest. A student without one can be told of, and is left to whoever called: where a procedure
of the student's asks for the document and may be opened by the same person, it can be opened for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

from engine.attaching import attach, withdraw_document
from engine.definition import Definition
from engine.desk import Desk
from engine.documents import Upload, asked_by, document_of, hear_file, of_kind, titled
from engine.errors import NotAllowed, TransitionNotOpen
from engine.facts import FactRefusal
from engine.fetching import Fetched, Neighbourhood
from engine.opening import Subject, holder, open_one, opening_of
from engine.recording import WholeRefused
from engine.records import Case, Json, Refused, Request, Verdict
from engine.roll_call import among
from engine.sight import Seeing
from engine.starting import About, open_together
from engine.steps import Machine
from engine.store import documents, students
from engine.store.cases import Found, read_case, students_cases
from engine.store.students import StudentRow
from engine.taking_in import paths_of

_BATCH = "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """What handing in did, case by case: new ones, those in place of another file, and those that were there."""

    added: tuple[int, ...] = ()
    replaced: tuple[int, ...] = ()
    there: tuple[int, ...] = ()


class Places:
    """Where a document of one kind has its place, student by student; who asks for it is worked out once."""

    def __init__(self, desk: Desk, kind: str) -> None:
        self._desk = desk
        self._kind = kind
        self._asks: dict[str, bool] = {}

    def case_of(self, student: StudentRow) -> Case | None:
        """The newest open case of a student that has a place for the document."""
        for case in reversed(students_cases(self._desk.connection, student.id)):
            machine = self._desk.machine(case.shape)
            if case.shape not in self._asks:
                self._asks[case.shape] = self._kind in asked_by(machine)
            if self._asks[case.shape] and not machine.is_final(case.state):
                return case
        return None

    def against(self, student: StudentRow, upload: Upload, request: Request) -> tuple[Verdict, ...]:
        """What the document's own rules say against a file, as of the student's case, or of the record without one."""
        case = self.case_of(student)
        found = read_case(self._desk.connection, student.record or 0 if case is None else case.id)
        return () if found is None else tuple(self._verdicts(found, upload, request))

    def _verdicts(self, found: Found, upload: Upload, request: Request) -> Iterator[Verdict]:
        machine = self._desk.machine_for(found.case, {})
        yield from _wrong_kind(machine, self._kind, upload)
        yield from hear_file(
            machine, self._kind, upload.looks, Seeing(self._desk, machine, found, request).see
        ).refusing


class Room(NamedTuple):
    """A procedure that asks for a document, and how a person opens it: by which step, in which batch if in any."""

    workflow: str
    profile: str
    trigger: str
    batch: str | None = None


class Rooms:
    """Where a document could have its place if a case were opened for it by this person.

    Never guessed: where two procedures ask for the document, or a student is in two batches, a person decides.
    """

    def __init__(self, desk: Desk, kind: str, request: Request) -> None:
        self._desk = desk
        self._kind = kind
        self._request = request

    def for_some(self, some: Sequence[StudentRow]) -> Mapping[Room, list[StudentRow]]:
        """Which case would open for whom of some students, none of whom has a case with a place; nothing is written."""
        found: dict[Room, list[StudentRow]] = defaultdict(list)
        by_profile: dict[str, list[StudentRow]] = defaultdict(list)
        for one in some:
            by_profile[self._desk.profile_of(one.unit)].append(one)
        for profile, rows in by_profile.items():
            rooms = {room: self._whom(room, rows) for room in self._rooms(profile)}
            for one in rows:
                fitting = [room for room, whom in rooms.items() if one.id in whom]
                if len(fitting) == 1:
                    found[fitting[0]].append(one)
        judged = {room: list(self._opening(room, rows)) for room, rows in found.items()}
        return {room: rows for room, rows in judged.items() if rows}

    def open(self, some: Sequence[StudentRow]) -> int:
        """Open the cases for whom that is possible, and count them; inside the open transaction.

        Raises:
            NotAllowed, TransitionNotOpen, AlreadyOpen: If the person may not open one of them after all.
            LinkedRefusal, StaleCase: If what an opening causes is refused, or somebody else was faster.
        """
        opened = 0
        for room, rows in self.for_some(some).items():
            about = [About(one.student_no, one.id) for one in rows]
            opened += open_together(self._desk, self._definition(room), about, self._asking(room))
        return opened

    def _asking(self, room: Room) -> Request:
        fields: dict[str, Json] = {} if room.batch is None else {_BATCH: room.batch}
        return replace(self._request, trigger=room.trigger, fields=fields, id=None)

    def _opening(self, room: Room, rows: Sequence[StudentRow]) -> Iterator[StudentRow]:
        """Those for whom the case would open: its rules hold, and there has been none that is one of its kind."""
        desk, request = self._desk, self._asking(room)
        machine = desk.machine(desk.hash_of(self._definition(room)))
        around = Fetched(Neighbourhood(desk.connection, [one.id for one in rows]), {})
        _, last = students.last_ids(desk.connection)
        for one in rows:
            with suppress(NotAllowed, TransitionNotOpen):
                outcome = open_one(desk, machine, Subject(one.unit, one, around), last + 1, request)
                if not isinstance(outcome, Refused) and holder(desk, outcome) is None:
                    yield one

    def _rooms(self, profile: str) -> Iterator[Room]:
        """The procedures of a profile that ask for the document, and open without moving anything else."""
        for definition in self._desk.library.of_profile(profile).values():
            trigger = opening_of(definition, self._request.actor)
            dimensions = [one for one in definition.about if one != "student"]
            if trigger is None or definition.transitions[trigger].then or definition.record:
                continue
            if "student" in definition.about and self._is_asked(definition):
                room = Room(definition.workflow, profile, trigger)
                if not dimensions:
                    yield room
                elif len(dimensions) == 1 and dimensions[0].startswith(f"{_BATCH} "):
                    kind = dimensions[0].removeprefix(f"{_BATCH} ")
                    yield from (
                        room._replace(batch=one.name)
                        for one in self._desk.every_batch()
                        if (one.kind, one.profile) == (kind, profile)
                    )

    def _definition(self, room: Room) -> Definition:
        return self._desk.library.definition(room.workflow, room.profile)

    def _is_asked(self, definition: Definition) -> bool:
        return self._kind in asked_by(self._desk.machine(self._desk.hash_of(definition)))

    def _whom(self, room: Room, rows: Iterable[StudentRow]) -> Collection[int]:
        """Of some students those whom the person may open it for, and who are in its batch."""
        roles = {who.acting_role for who in self._definition(room).transitions[room.trigger].by}
        paths = paths_of(self._request.actor, roles, self._request.at)
        below = [one.id for one in rows if self._desk.units()[one.unit].path.startswith(paths)]
        if room.batch is None or not below:
            return below
        return among(self._desk, room.batch, self._request.at, below)


def _wrong_kind(machine: Machine, kind: str, upload: Upload) -> Iterator[Verdict]:
    document = document_of(machine, kind)
    if upload.kind not in document.file:
        kinds = "、".join(document.file)
        yield machine.engine_verdict("wrong-file", what=titled(document.title), found=upload.kind, kinds=kinds)


def hand_in_all(desk: Desk, kind: str, files: Sequence[tuple[StudentRow, Case, Upload]], request: Request) -> HandedIn:
    """Put a file on each student's case as the document; another that is there is taken off, for `request`'s reason.

    Args:
        desk: Where the cases are worked.
        kind: The document, such as `E-PHOTO`.
        files: By student, with the case of `Places.case_of`.
        request: By whom and when; its `reason` stands in the event of each file taken off.

    Raises:
        WholeRefused: If one is refused; nothing was written.
        NotAllowed: If the person takes no part in such cases; nothing was written.
    """
    added: list[int] = []
    replaced: list[int] = []
    there: list[int] = []
    with desk.connection.writing():
        rows = documents.of_cases(desk.connection, [case.id for _, case, _ in files]) if files else {}
        refused: list[FactRefusal] = []
        for student, case, upload in files:
            old = of_kind(rows[case.id], kind)
            if any(one.sha256 == upload.sha256 for one in old):
                there.append(case.id)
                continue
            for one in old:
                _demand(refused, student, withdraw_document(desk, case.id, one.seq, request))
            _demand(refused, student, attach(desk, case.id, kind, upload, replace(request, fields={})))
            (replaced if old else added).append(case.id)
        if refused:
            raise WholeRefused(tuple(refused))
    return HandedIn(added=tuple(added), replaced=tuple(replaced), there=tuple(there))


def _demand(refused: list[FactRefusal], student: StudentRow, answer: object) -> None:
    if isinstance(answer, Refused):
        refused.append(FactRefusal(student_no=student.student_no, verdicts=answer.verdicts))
