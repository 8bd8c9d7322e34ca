"""Handing in one document for many students at once: each goes onto the student's own case, all of them or none.

A document has its place on the open case whose procedure asks for it (`engine.documents.asked_by`); of several such
cases it goes onto the newest. A student without one can be told of, and is left to whoever called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from engine.attaching import attach, withdraw_document
from engine.desk import Desk
from engine.documents import Upload, asked_by, document_of, hear_file, of_kind, titled
from engine.facts import FactRefusal
from engine.recording import WholeRefused
from engine.records import Case, Refused, Request, Verdict
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import documents
from engine.store.cases import Found, read_case, students_cases
from engine.store.students import StudentRow


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
