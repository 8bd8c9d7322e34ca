"""Reading the trail back in order, in step with the rows that must agree with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from engine.store.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEnd:
    """What a case's row claims: where its chain ends, and what its events add up to."""

    chain: int
    seq: int
    head: bytes
    state: str
    fields: str
    taken: str
    slots: str | None
    rounds: int
    shape: str
    workflow: str
    unit: str
    batch: str | None
    opened_at: str
    entered_at: str
    path_agrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentEnd:
    """What a student's row claims: where the chain ends, the facts, and the columns that must agree with them."""

    chain: int
    seq: int
    head: bytes
    facts: str
    columns: dict[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEnd:
    """Where the registry's chain ends."""

    chain: int
    seq: int
    head: bytes


End = CaseEnd | StudentEnd | RegistryEnd

_STUDENTS = (
    "SELECT id, seq, head, facts, student_no, exam_no, id_number, certificate_no, unit FROM student"
    " WHERE id >= ? AND id <= ? ORDER BY id DESC"
)
_CASES = (
    "SELECT c.id, c.seq, c.head, c.state, c.fields, c.taken, c.slots, c.rounds, c.shape, c.workflow, c.unit, c.batch,"
    " c.opened_at, c.entered_at, c.path = u.path FROM cases c LEFT JOIN unit u ON u.code = c.unit"
    " WHERE c.id >= ? AND c.id <= ? ORDER BY c.id"
)


EventRow: TypeAlias = "tuple[int, int, bytes, bytes, bytes, str | None]"
"""Chain, sequence, body, hash, MAC and request of one event."""


def events(connection: Connection, span: tuple[int, int]) -> Iterator[EventRow]:
    """Every event of the chains in the span, in that order; streamed."""
    sql = "SELECT chain, seq, body, hash, mac, request FROM event WHERE chain >= ? AND chain <= ? ORDER BY chain, seq"
    yield from connection.stream(sql, span)


def containing(connection: Connection) -> str:
    """The condition, in SQL with one parameter, that the bytes of an event `e` have some bytes in them."""
    return "instr(e.body, ?) > 0" if connection.is_sqlite else "position(?::bytea IN e.body) > 0"


def personal_values(connection: Connection, span: tuple[int, int]) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Chain, sequence, salt and body of every sealed value of the span, in that order; streamed."""
    yield from connection.stream(
        "SELECT chain, seq, salt, body FROM personal WHERE chain >= ? AND chain <= ? ORDER BY chain, seq", span
    )


def ends(connection: Connection, span: tuple[int, int]) -> Iterator[End]:
    """Every row that has a chain in the span, in the order of the chains: students (negative), registry, cases."""
    low, high = span
    for row in connection.stream(_STUDENTS, (max(1, -high), -low)):
        student, seq, head, facts, number, exam, identity, certificate, unit = row
        columns = {
            "student_no": number,
            "exam_no": exam,
            "id_number": identity,
            "certificate_no": certificate,
            "unit": unit,
        }
        yield StudentEnd(chain=-student, seq=seq, head=bytes(head), facts=facts, columns=columns)
    if low <= 0 <= high:
        for seq, head in connection.execute("SELECT seq, head FROM registry WHERE id = 0").fetchall():
            yield RegistryEnd(chain=0, seq=seq, head=bytes(head))
    for row in connection.stream(_CASES, (max(1, low), high)):
        case, seq, head, state, fields, taken, slots, rounds, shape, workflow, unit, batch, opened, entered, path = row
        yield CaseEnd(
            chain=case,
            seq=seq,
            head=bytes(head),
            state=state,
            fields=fields,
            taken=taken,
            slots=slots,
            rounds=rounds,
            shape=shape,
            workflow=workflow,
            unit=unit,
            batch=batch,
            opened_at=opened,
            entered_at=entered,
            path_agrees=bool(path),
        )


class Lent(NamedTuple):
    """One delegation as kept, without its case; moments as the trail writes them."""

    giver: str
    taker: str
    role: str
    unit: str
    reason: str
    for_good: bool
    since: str
    until: str | None
    revoked_at: str | None

    @property
    def is_standing(self) -> bool:
        """Whether it can still be taken back."""
        return self.revoked_at is None and not self.for_good


def members_in_range(connection: Connection, span: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """List and member of every member of the frozen lists in the span, in that order; streamed."""
    sql = "SELECT list_id, member FROM member WHERE list_id >= ? AND list_id <= ? ORDER BY list_id, member"
    for of, member in connection.stream(sql, span):
        yield int(of), int(member)


def delegations_in_range(connection: Connection, span: tuple[int, int]) -> Iterator[tuple[int, Lent]]:
    """Every delegation of the span with its case, those for all cases under the registry's 0; streamed."""
    sql = (
        "SELECT coalesce(case_id, 0) AS of, giver, taker, role, unit, reason, for_good, since, until, revoked_at"
        " FROM delegation WHERE coalesce(case_id, 0) >= ? AND coalesce(case_id, 0) <= ? ORDER BY 1, id"
    )
    for of, giver, taker, role, unit, reason, for_good, since, until, revoked_at in connection.stream(sql, span):
        yield int(of), Lent(giver, taker, role, unit, reason, bool(for_good), since, until, revoked_at)


def spans(connection: Connection, parts: int) -> list[tuple[int, int]]:
    """The chains cut into about `parts` ranges of like size, none overlapping, together everything there is."""
    row = connection.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM student), (SELECT coalesce(max(id), 0) FROM cases),"
        " (SELECT coalesce(min(chain), 0) FROM event), (SELECT coalesce(max(chain), 0) FROM event)"
    ).fetchone()
    assert row is not None  # noqa: S101 an aggregate always has a row
    students, cases, lowest, highest = (int(one) for one in row)
    low, high = min(-students, lowest), max(cases, highest)
    step = max(1, -(-(high - low + 1) // parts))
    return [(start, min(start + step - 1, high)) for start in range(low, high + 1, step)]
