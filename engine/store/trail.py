"""Reading the trail back in order, in step with the rows that must agree with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.store.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What a row claims about its chain: where it ends, and for cases and students what its events add up to."""

    chain: int
    seq: int
    head: bytes
    state: str | None = None
    fields: str | None = None
    taken: str | None = None
    rounds: int = 0
    facts: str | None = None


def events(connection: Connection, span: tuple[int, int]) -> Iterator[tuple[int, int, bytes, bytes, bytes]]:
    """Chain, sequence, body, hash and MAC of every event of the chains in the span, in that order; streamed."""
    yield from connection.stream(
        "SELECT chain, seq, body, hash, mac FROM event WHERE chain >= ? AND chain <= ? ORDER BY chain, seq", span
    )


def personal_values(connection: Connection, span: tuple[int, int]) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Chain, sequence, salt and body of every sealed value of the span, in that order; streamed."""
    yield from connection.stream(
        "SELECT chain, seq, salt, body FROM personal WHERE chain >= ? AND chain <= ? ORDER BY chain, seq", span
    )


def ends(connection: Connection, span: tuple[int, int]) -> Iterator[End]:
    """Every row that has a chain in the span, in the order of the chains: students (negative), registry, cases."""
    low, high = span
    students = "SELECT id, seq, head, facts FROM student WHERE id >= ? AND id <= ? ORDER BY id DESC"
    for student, seq, head, facts in connection.stream(students, (max(1, -high), -low)):
        yield End(chain=-student, seq=seq, head=bytes(head), facts=facts)
    if low <= 0 <= high:
        for seq, head in connection.execute("SELECT seq, head FROM registry WHERE id = 0").fetchall():
            yield End(chain=0, seq=seq, head=bytes(head))
    cases = "SELECT id, seq, head, state, fields, taken, rounds FROM cases WHERE id >= ? AND id <= ? ORDER BY id"
    for case, seq, head, state, fields, taken, rounds in connection.stream(cases, (max(1, low), high)):
        yield End(chain=case, seq=seq, head=bytes(head), state=state, fields=fields, taken=taken, rounds=rounds)


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
