"""Lanes and deeds in the database: written in the transaction that moves a case, one statement for many.

On PostgreSQL a plain step is one data-modifying statement; what it writes here is a part of that (`beside_a_step`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from engine.store.database import Connection, Row
from engine.store.students import below

NEVER = "9999-12-31T00:00:00.000000Z"
"""What stands for the end of all days where no deadline runs: it sorts last."""

_CHUNK = 1000
COLUMNS = (
    "case_id, role, at_path, trigger, workflow, shape, state, path, batch, lane, due_at, entered_at, in_person, leads,"
    " apart, hindrances, cautions, judged_at, rulebook, pinyin"
)
_TYPES = (
    "bigint", "text", "text", "text", "text", "text", "text", "text", "text", "smallint", "text", "text", "boolean",
    "boolean", "text", "text", "text", "text", "text", "text",
)  # fmt: skip
_MARKS = ",".join("?" * len(_TYPES))
_INSERT = f"INSERT INTO lane ({COLUMNS}) VALUES ({_MARKS})"  # noqa: S608 constant text
_HAND = "INSERT INTO lane_hand (case_id, login) VALUES (?, ?)"
_DEED = "INSERT INTO deed (case_id, seq, login, kind, trigger, at, giver, late) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_UPDATE = (
    f"UPDATE lane SET {', '.join(f'{name} = ?' for name in COLUMNS.split(', ')[1:])}"  # noqa: S608 constant text
    " WHERE case_id = ? AND role = ? AND at_path = ?"
)
_UPSERT = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS.split(", ")[3:])


class Lane(NamedTuple):
    """One row of `lane` (`engine.store.lane_tables`)."""

    case: int
    role: str
    at_path: str
    trigger: str
    workflow: str
    shape: str
    state: str
    path: str
    batch: str | None
    lane: int
    due_at: str
    entered_at: str
    in_person: bool
    leads: bool
    apart: str | None
    hindrances: str | None
    cautions: str | None
    judged_at: str
    rulebook: str
    pinyin: str


class Deed(NamedTuple):
    """One row of `deed`."""

    case: int
    seq: int
    login: str
    kind: str
    trigger: str
    at: str
    giver: str | None
    late: bool


class Kept(NamedTuple):
    """What of a row says where a case waits, and whom others' steps keep from it there."""

    role: str
    at_path: str
    apart: str | None


class Standing(NamedTuple):
    """Where a case waits from now on: its rows in place of those it had; none where it waits for nobody.

    `was` are those it had, as read in the transaction that writes these; None: whichever they are.
    """

    case: int
    rows: tuple[Lane, ...]
    was: Sequence[Kept] | None = None

    @property
    def hands(self) -> list[str]:
        """Whom others' steps keep from a step of the case, sorted."""
        return _hands(self.rows)


def _hands(rows: Sequence[Lane] | Sequence[Kept]) -> list[str]:
    if len(rows) == 1:  # they stand there in order
        text = rows[0].apart
        return [] if text is None else text[1:-1].split("|")
    texts = {row.apart for row in rows if row.apart is not None}
    return sorted({login for text in texts for login in text[1:-1].split("|")})


def put(connection: Connection, standings: Sequence[Standing]) -> None:
    """Write where cases wait; call inside the transaction that moves them."""
    for one in standings:
        if one.was is not None:
            _change(connection, one, one.was)
    anew = [one for one in standings if one.was is None]
    cases = [one.case for one in anew]
    _delete(connection, "lane", cases)
    _delete(connection, "lane_hand", cases)
    _insert(connection, _INSERT, [row for one in anew for row in one.rows])
    _insert(connection, _HAND, [(one.case, login) for one in anew for login in one.hands])


def _change(connection: Connection, one: Standing, was: Sequence[Kept]) -> None:
    """Write only what is otherwise than it was: mostly one row becomes another, and one more person is kept apart."""
    stays = {(row.role, row.at_path) for row in one.rows}
    had = {(row.role, row.at_path) for row in was}
    free = sorted(had - stays)
    for row in one.rows:
        place = (row.role, row.at_path)
        instead = place if place in had else free.pop() if free else None
        if instead is None:
            connection.execute(_INSERT, row)
        else:
            connection.execute(_UPDATE, (*row[1:], one.case, *instead))
    for place in free:
        connection.execute("DELETE FROM lane WHERE case_id = ? AND role = ? AND at_path = ?", (one.case, *place))
    before, after = {*_hands(was)}, {*one.hands}
    if gone := sorted(before - after):
        sql = f"DELETE FROM lane_hand WHERE case_id = ? AND login IN ({','.join('?' * len(gone))})"  # noqa: S608 marks
        connection.execute(sql, (one.case, *gone))
    if new := sorted(after - before):
        sql = f"INSERT INTO lane_hand (case_id, login) VALUES {','.join(['(?, ?)'] * len(new))}"  # noqa: S608 marks
        connection.execute(sql, [value for login in new for value in (one.case, login)])


def _delete(connection: Connection, table: str, cases: Sequence[int]) -> None:
    sql = f"DELETE FROM {table} WHERE case_id"  # noqa: S608 a table's name
    if len(cases) == 1:
        connection.execute(f"{sql} = ?", (cases[0],))
    elif cases and connection.is_sqlite:
        connection.executemany(f"{sql} = ?", [(case,) for case in cases])
    elif cases:
        connection.execute(f"{sql} = ANY(?)", (list(cases),))


def _insert(connection: Connection, sql: str, rows: Sequence[Sequence[object]]) -> None:
    if len(rows) == 1:
        connection.execute(sql, rows[0])
    elif rows:
        connection.executemany(sql, rows)


def add_deeds(connection: Connection, deeds: Sequence[Deed]) -> None:
    """Keep what people did; call inside the transaction that writes the events."""
    _insert(connection, _DEED, deeds)


def beside_a_step(standing: Standing | None, deed: Deed | None) -> tuple[str, tuple[object, ...]]:
    """The parts of PostgreSQL's one statement that write lane and deed if the step `won`, with their parameters."""
    sql, params = "", list[object]()
    if standing is not None:
        keys = [(row.role, row.at_path) for row in standing.rows]
        stays = f" AND (l.role, l.at_path) NOT IN ({','.join(['(?, ?)'] * len(keys))})" if keys else ""
        sql += f", ld AS (DELETE FROM lane l USING won WHERE l.case_id = won.id{stays})"  # noqa: S608 question marks only
        params += [part for key in keys for part in key]
        for place, row in enumerate(standing.rows):
            values = ",".join(f"CAST(? AS {kind})" for kind in _TYPES)
            sql += (
                f", l{place} AS (INSERT INTO lane ({COLUMNS}) SELECT {values} FROM won"  # noqa: S608 constant text
                f" ON CONFLICT (case_id, role, at_path) DO UPDATE SET {_UPSERT})"
            )
            params += row
        hands = standing.hands
        stays = f" AND h.login NOT IN ({','.join('?' * len(hands))})" if hands else ""
        sql += f", hd AS (DELETE FROM lane_hand h USING won WHERE h.case_id = won.id{stays})"  # noqa: S608 question marks only
        params += hands
        for place, login in enumerate(hands):
            sql += f", h{place} AS (INSERT INTO lane_hand (case_id, login) SELECT won.id, CAST(? AS text)"
            sql += " FROM won ON CONFLICT DO NOTHING)"
            params.append(login)
    if deed is not None:
        sql += (
            ", de AS (INSERT INTO deed (case_id, seq, login, kind, trigger, at, giver, late) SELECT CAST(? AS bigint),"
            " CAST(? AS integer), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS text),"
            " CAST(? AS boolean) FROM won)"
        )
        params += deed
    return sql, tuple(params)


def of_cases(connection: Connection, cases: Sequence[int]) -> dict[int, list[Lane]]:
    """The rows of some cases, by case; the one that leads first."""
    found: dict[int, list[Lane]] = {}
    for part in _parts(cases):
        where = f"case_id IN ({','.join('?' * len(part))})"
        sql = f"SELECT {COLUMNS} FROM lane WHERE {where} ORDER BY case_id, leads DESC, role, at_path"  # noqa: S608
        for row in map(read, connection.execute(sql, tuple(part)).fetchall()):
            found.setdefault(row.case, []).append(row)
    return found


def read(row: Row) -> Lane:
    """A row of `COLUMNS`."""
    one = Lane(*row)
    return one._replace(in_person=bool(one.in_person), leads=bool(one.leads))


def rows_within(connection: Connection, span: tuple[int, int]) -> Iterator[Lane]:
    """Every row of the cases from the first to the last of a span."""
    sql = f"SELECT {COLUMNS} FROM lane WHERE case_id >= ? AND case_id <= ?"  # noqa: S608 our own columns
    return map(read, connection.execute(sql, span).fetchall())


def hands_within(connection: Connection, span: tuple[int, int]) -> Iterator[tuple[int, str]]:
    """Every hand of the cases of a span."""
    sql = "SELECT case_id, login FROM lane_hand WHERE case_id >= ? AND case_id <= ?"
    return ((int(case), str(login)) for case, login in connection.execute(sql, span).fetchall())


def deeds_within(connection: Connection, span: tuple[int, int]) -> Iterator[Deed]:
    """Every deed of the cases of a span."""
    sql = "SELECT case_id, seq, login, kind, trigger, at, giver, late FROM deed WHERE case_id >= ? AND case_id <= ?"
    return map(_deed, connection.execute(sql, span).fetchall())


def _deed(row: Row) -> Deed:
    case, seq, login, kind, trigger, at, giver, late = row
    return Deed(case, seq, login, kind, trigger, at, giver, bool(late))


def last_deeds(connection: Connection, cases: Sequence[int]) -> dict[int, Deed]:
    """The last deed of each of some cases."""
    found: dict[int, Deed] = {}
    for part in _parts(cases):
        sql = (
            "SELECT case_id, seq, login, kind, trigger, at, giver, late FROM deed"  # noqa: S608 question marks only
            f" WHERE case_id IN ({','.join('?' * len(part))}) ORDER BY case_id, seq"
        )
        found.update((one.case, one) for one in map(_deed, connection.execute(sql, tuple(part))))
    return found


def waiting_of(connection: Connection, cases: Sequence[int]) -> dict[int, list[tuple[str, str, str, str]]]:
    """Where cases wait elsewhere than at their own unit: trigger, slot, role, path of the unit."""
    found: dict[int, list[tuple[str, str, str, str]]] = {}
    for part in _parts(cases):
        sql = (
            "SELECT case_id, trigger, slot, role, path FROM waiting"  # noqa: S608 question marks only
            f" WHERE case_id IN ({','.join('?' * len(part))}) ORDER BY case_id, trigger, slot, role, path"
        )
        for case, *place in connection.execute(sql, tuple(part)).fetchall():
            found.setdefault(int(case), []).append((place[0], place[1], place[2], place[3]))
    return found


def frozen_among(connection: Connection, cases: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """Those of some cases that stand on lists in their present stay, each with shape and state of the lists."""
    found: dict[int, list[tuple[str, str]]] = {}
    for part in _parts(cases):
        sql = (
            "SELECT c.id, l.shape, l.state FROM member m JOIN cases c ON c.id = m.member AND m.stay = c.entered_at"  # noqa: S608
            f" JOIN cases l ON l.id = m.list_id WHERE m.member IN ({','.join('?' * len(part))})"
        )
        for case, shape, state in connection.execute(sql, tuple(part)).fetchall():
            found.setdefault(int(case), []).append((str(shape), str(state)))
    return found


def of_students(connection: Connection, students: Sequence[int]) -> list[tuple[int, int, str]]:
    """The cases of students that wait: student, case, shape; each once."""
    found: list[tuple[int, int, str]] = []
    for part in _parts(students):
        sql = (
            "SELECT DISTINCT c.student, l.case_id, l.shape FROM cases c JOIN lane l ON l.case_id = c.id"  # noqa: S608
            f" WHERE c.student IN ({','.join('?' * len(part))}) ORDER BY l.case_id"
        )
        rows = connection.execute(sql, tuple(part)).fetchall()
        found += [(int(student), int(case), str(shape)) for student, case, shape in rows]
    return found


def unblocked_of(connection: Connection, students: Sequence[int]) -> set[int]:
    """The cases of students that wait and are not blocked at their likeliest step."""
    found: set[int] = set()
    for part in _parts(students):
        sql = (
            "SELECT l.case_id FROM cases c JOIN lane l ON l.case_id = c.id"  # noqa: S608 question marks
            f" WHERE l.leads AND l.lane > 0 AND c.student IN ({','.join('?' * len(part))})"
        )
        found.update(int(row[0]) for row in connection.execute(sql, tuple(part)).fetchall())
    return found


def of_shapes(
    connection: Connection, shapes: Sequence[str], narrowed: str = "", params: Sequence[object] = ()
) -> list[int]:
    """The waiting cases of some shapes, each once; `narrowed` is a further condition on `lane`."""
    if not shapes:
        return []
    marks = ",".join("?" * len(shapes))
    sql = f"SELECT DISTINCT case_id FROM lane WHERE shape IN ({marks}){narrowed} ORDER BY case_id"  # noqa: S608
    return [int(row[0]) for row in connection.execute(sql, (*shapes, *params)).fetchall()]


def of_batch(connection: Connection, batch: str, shapes: Sequence[str]) -> list[int]:
    """The waiting cases of a batch that have one of some shapes."""
    return of_shapes(connection, shapes, " AND batch = ?", (batch,))


def of_units(connection: Connection, path: str, shapes: Sequence[str]) -> list[int]:
    """The waiting cases at a unit and below that have one of some shapes."""
    return of_shapes(connection, shapes, " AND path >= ? AND path < ?", below(path))


def judged_before(connection: Connection, at: str, shapes: Sequence[str]) -> list[int]:
    """The waiting cases of some shapes that were last judged before a moment."""
    return of_shapes(connection, shapes, " AND judged_at < ?", (at,))


def outdated(connection: Connection, day: str, now: str, rulebook: str) -> list[int]:
    """The waiting cases that time alone may have changed, whatever their rules read.

    A deadline has passed since they were judged, a caution that passes stood in the way, or another rulebook is in
    force; a batch keeps the one it has pinned.
    """
    rows = connection.execute(
        "SELECT DISTINCT case_id FROM lane WHERE (due_at <= ? AND judged_at <= due_at)"
        " OR (batch IS NULL AND rulebook <> ?) OR (cautions LIKE ? AND judged_at < ?) ORDER BY case_id",
        (now, rulebook, "%|transferred|%", day),
    )
    return [int(row[0]) for row in rows.fetchall()]


def clear(connection: Connection) -> None:
    """Empty the projections, to make them anew."""
    connection.execute("DELETE FROM lane")
    connection.execute("DELETE FROM lane_hand")
    connection.execute("DELETE FROM deed")


def _parts(many: Sequence[int]) -> Iterator[Sequence[int]]:
    return (many[start : start + _CHUNK] for start in range(0, len(many), _CHUNK))


def sent_back_within(connection: Connection, span: tuple[int, int]) -> list[tuple[int, int]]:
    """Every case of a span, first and last included, that came back, with how often."""
    sql = "SELECT id, sent_back FROM cases WHERE id >= ? AND id <= ? AND sent_back <> 0"
    return [(int(case), int(many)) for case, many in connection.execute(sql, span).fetchall()]


def set_sent_back(connection: Connection, span: tuple[int, int], found: Iterable[tuple[int, int]]) -> None:
    """Write how often the cases of a span came back: those (case, how often) as said, the others never."""
    connection.execute("UPDATE cases SET sent_back = 0 WHERE id >= ? AND id <= ? AND sent_back <> 0", span)
    connection.executemany("UPDATE cases SET sent_back = ? WHERE id = ?", [(many, case) for case, many in found])
