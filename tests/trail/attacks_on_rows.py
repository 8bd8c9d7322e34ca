"""What somebody who can write the database may try; with `key`, the MAC key as well. Each after the sealing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.trail.event import EventKind
from tests.engine.town import KEY
from tests.trail.prey import Prey, Told

BARRED = {"trigger": "withdraw", "from": "registered", "barred": "not_allowed", "failed": [], "undecided": []}
"""What is told of somebody who was not heard: it changes nothing, so it follows from anything."""

INVALID, DIVERGED, INCOMPLETE, UNSEALED, SOUND = "invalid", "diverged", "incomplete", "unsealed", "sound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """An attack: what it does, the chain that replay must name, what a bundle of everything must come to, and name.

    `replay` None: replay finds nothing, for it has no tree; then the bundle must.
    """

    name: str
    does: Callable[[Prey], object]
    replay: str | None
    outcome: str
    chain: str | None


def change(seq: int, **data: object) -> Callable[[Told], object]:
    """Let one event say something else."""

    def apply(events: Told) -> None:
        said = events[seq - 1]["data"]
        assert isinstance(said, dict)
        events[seq - 1]["data"] = {**said, **data}

    return apply


def _swap(prey: Prey, column: str, one: int, two: int) -> None:
    chain = prey.walked
    sql = f"SELECT {column} FROM event WHERE chain = ? AND seq IN (?, ?) ORDER BY seq"  # noqa: S608 columns below
    (first,), (second,) = prey.town.connection.execute(sql, (chain, one, two)).fetchall()
    for seq, value in ((one, second), (two, first)):
        prey.run(f"UPDATE event SET {column} = ? WHERE chain = ? AND seq = ?", value, chain, seq)  # noqa: S608 the same


def _change_places(prey: Prey) -> None:
    for seq, to in ((2, 99), (3, 2), (99, 3)):
        prey.run("UPDATE event SET seq = ? WHERE chain = ? AND seq = ?", to, prey.walked, seq)


def _copy(prey: Prey, seq: int, chain: int, to: int) -> None:
    prey.run(
        "INSERT INTO event (chain, seq, body, hash, mac) SELECT ?, ?, body, hash, mac FROM event"
        " WHERE chain = ? AND seq = ?",
        chain, to, prey.walked, seq,
    )  # fmt: skip


def _forget_refusal(prey: Prey) -> None:
    """The refusal that a case ends with goes, and the row says that it never was."""
    chain, last = prey.refused, prey.last(prey.refused)
    sql = "SELECT hash FROM event WHERE chain = ? AND seq = ?"
    [(before,)] = prey.town.connection.execute(sql, (chain, last - 1)).fetchall()
    for table in ("event", "personal"):
        prey.run(f"DELETE FROM {table} WHERE chain = ? AND seq = ?", chain, last)  # noqa: S608 the two
    prey.claim(chain, last - 1, bytes(before))


def _swap_personal(prey: Prey) -> None:
    one, two = prey.student, prey.second
    prey.run("UPDATE personal SET chain = 99999999 WHERE chain = ? AND seq = 2", one)
    prey.run("UPDATE personal SET chain = ? WHERE chain = ? AND seq = 2", one, two)
    prey.run("UPDATE personal SET chain = ? WHERE chain = 99999999", two)


def _swap_leaves(prey: Prey) -> None:
    prey.run("UPDATE leaf SET event = -event WHERE idx IN (300, 301)")
    [(one,), (two,)] = prey.town.connection.execute(
        "SELECT event FROM leaf WHERE idx IN (300, 301) ORDER BY idx"
    ).fetchall()
    prey.run("UPDATE leaf SET event = ? WHERE idx = 300", -int(two))
    prey.run("UPDATE leaf SET event = ? WHERE idx = 301", -int(one))


def _no_role(events: Told) -> None:
    """The event that gave an approver the role is about somebody else."""
    for event in events:
        data = event["data"]
        if event["kind"] == "role_changed" and isinstance(data, dict) and data.get("login") == "approver.s1":
            event["data"] = {**data, "login": "somebody"}


def _new_text(prey: Prey, table: str, of: str) -> None:
    """Another text under the hash that events name."""
    sql = f"SELECT {table}.hash, {table}.body FROM {table} JOIN cases ON cases.id = ? WHERE {of}"  # noqa: S608 below
    digest, body = prey.town.connection.execute(sql, (prey.walked,)).fetchall()[0]
    changed = str(body).replace("site_operator", "site_approver", 1)
    assert changed != body
    prey.run(f"UPDATE {table} SET body = ? WHERE hash = ?", changed, digest)  # noqa: S608 the two tables


def _edit(table: str, column: str, value: object, who: str) -> Callable[[Prey], object]:
    sql = f"UPDATE {table} SET {column} = ? WHERE id = ?"  # noqa: S608 the tables below
    return lambda prey: prey.run(sql, value, abs(int(getattr(prey, who))))


ATTACKS = (
    Attack(
        name="the first event of a case is deleted",
        does=lambda prey: prey.run("DELETE FROM event WHERE chain = ? AND seq = 1", prey.walked),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="an event in the middle is deleted",
        does=lambda prey: prey.run("DELETE FROM event WHERE chain = ? AND seq = 3", prey.walked),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="the last event is deleted",
        does=lambda prey: prey.run("DELETE FROM event WHERE chain = ? AND seq = 6", prey.walked),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="a refusal at the end is deleted and the row says that it never was",
        does=_forget_refusal, replay=None, outcome=INCOMPLETE, chain=None,
    ),
    Attack(
        name="a case goes with its row and all its events",
        does=lambda prey: prey.vanish(prey.walked), replay=None, outcome=INCOMPLETE, chain=None,
    ),
    Attack(
        name="a list goes with its row and all its events",
        does=lambda prey: prey.vanish(prey.listed),
        replay=None, outcome=INCOMPLETE, chain=None,
    ),
    Attack(name="two events change places", does=_change_places, replay="walked", outcome=INVALID, chain="walked"),
    Attack(
        name="two events change their bytes", does=lambda prey: _swap(prey, "body", 2, 3),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="two events change their MACs", does=lambda prey: _swap(prey, "mac", 2, 3),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="two events change their hashes", does=lambda prey: _swap(prey, "hash", 2, 3),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="an event is repeated at the end", does=lambda prey: _copy(prey, 6, prey.walked, 7),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="an event is put on another case", does=lambda prey: _copy(prey, 6, prey.other, 7),
        replay="other", outcome=INVALID, chain="other",
    ),
    Attack(
        name="an event is added without the key and the row counts it",
        does=lambda prey: prey.add(prey.walked, EventKind.REFUSED, BARRED, bytes(32)),
        replay="walked", outcome=UNSEALED, chain=None,
    ),
    Attack(
        name="a chain is rewritten with right hashes and without the key",
        does=lambda prey: prey.rewrite(prey.walked, change(2, trigger="withdraw")),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="a chain is rewritten with right hashes and the key",
        does=lambda prey: prey.rewrite(prey.walked, change(2, note="rewritten"), KEY),
        replay=None, outcome=INVALID, chain="walked",
    ),
    Attack(
        name="an event is taken out of a chain, which is closed again with the key",
        does=lambda prey: prey.rewrite(prey.refused, lambda events: events.pop(), KEY),
        replay=None, outcome=INCOMPLETE, chain=None,
    ),
    Attack(
        name="who approved is somebody else, with the key",
        does=lambda prey: prey.rewrite(prey.walked, lambda events: events[2].update(actor="somebody"), KEY),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="a role was given to somebody else, with the key",
        does=lambda prey: prey.rewrite(0, _no_role, KEY), replay="registry", outcome=INVALID, chain="registry",
    ),
    Attack(
        name="the event of a role is deleted",
        does=lambda prey: prey.run("DELETE FROM event WHERE chain = 0 AND seq = ?", prey.last(0)),
        replay="registry", outcome=INCOMPLETE, chain=None,
    ),
    Attack(
        name="a fact was another one, with the key",
        does=lambda prey: prey.rewrite(prey.student, change(2, source="somebody"), KEY),
        replay=None, outcome=INVALID, chain="student",
    ),
    Attack(
        name="an event answers another request",
        does=lambda prey: prey.run("UPDATE event SET request = 'r' WHERE chain = ? AND seq = 2", prey.walked),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="personal values of two students change places",
        does=_swap_personal, replay="student", outcome=INVALID, chain="student",
    ),
    Attack(
        name="a personal value is edited",
        does=lambda prey: prey.flip("personal", "body", "chain = ? AND seq = 2", prey.student),
        replay="student", outcome=INVALID, chain="student",
    ),
    Attack(
        name="personal values are deleted and no erasure says so",
        does=lambda prey: prey.run("DELETE FROM personal WHERE chain = ? AND seq = 2", prey.student),
        replay="student", outcome=INCOMPLETE, chain="student",
    ),
    Attack(
        name="a salt is replaced",
        does=lambda prey: prey.run("UPDATE personal SET salt = ? WHERE chain = ? AND seq = 2", bytes(16), prey.student),
        replay="student", outcome=INVALID, chain="student",
    ),
    Attack(
        name="a case is in another state", does=_edit("cases", "state", "enrolled", "walked"),
        replay="walked", outcome=DIVERGED, chain="walked",
    ),
    Attack(
        name="the fields of a case are edited", does=_edit("cases", "fields", '{"batch":"2024-06"}', "walked"),
        replay="walked", outcome=DIVERGED, chain="walked",
    ),
    Attack(
        name="nobody has taken a step of a case", does=_edit("cases", "taken", "{}", "walked"),
        replay="walked", outcome=DIVERGED, chain="walked",
    ),
    Attack(
        name="a case is at another unit", does=_edit("cases", "unit", "S2", "walked"),
        replay="walked", outcome=DIVERGED, chain="walked",
    ),
    Attack(
        name="a case is of another batch", does=_edit("cases", "batch", None, "walked"),
        replay="walked", outcome=DIVERGED, chain="walked",
    ),
    Attack(
        name="a case was opened earlier", does=_edit("cases", "opened_at", "2020-01-01T00:00:00.000000Z", "walked"),
        replay="walked", outcome=DIVERGED, chain="walked",
    ),
    Attack(
        name="a row ends with another event",
        does=lambda prey: prey.flip("cases", "head", "id = ?", prey.walked),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="a row has counted another number of events", does=_edit("cases", "seq", 5, "walked"),
        replay="walked", outcome=INVALID, chain="walked",
    ),
    Attack(
        name="the row of a case is deleted",
        does=lambda prey: prey.run("DELETE FROM cases WHERE id = ?", prey.walked),
        replay="walked", outcome=DIVERGED, chain="walked",
    ),
    Attack(
        name="the facts of a student are edited", does=_edit("student", "facts", '{"fee_owed":"0.00"}', "student"),
        replay="student", outcome=DIVERGED, chain="student",
    ),
    Attack(
        name="an examination number in the row alone", does=_edit("student", "exam_no", "K0", "student"),
        replay="student", outcome=DIVERGED, chain="student",
    ),
    Attack(
        name="another definition under the same hash",
        does=lambda prey: _new_text(prey, "shape", "shape.hash = cases.shape"),
        replay="registry", outcome=INVALID, chain=None,
    ),
    Attack(
        name="another rulebook under the same hash",
        does=lambda prey: _new_text(prey, "rulebook", "rulebook.hash IS NOT NULL"),
        replay="registry", outcome=INVALID, chain=None,
    ),
    Attack(
        name="the definition of a case is deleted",
        does=lambda prey: prey.run(
            "DELETE FROM shape WHERE hash = (SELECT shape FROM cases WHERE id = ?)", prey.walked
        ),
        replay="registry", outcome=INCOMPLETE, chain="walked",
    ),
    Attack(
        name="a leaf is another hash",
        does=lambda prey: prey.flip("leaf", "hash", "idx = 300"), replay=None, outcome=INVALID, chain=None,
    ),
    Attack(name="two events change their leaves", does=_swap_leaves, replay=None, outcome=INVALID, chain=None),
    Attack(
        name="an event has lost its leaf to nobody",
        does=lambda prey: prey.run("UPDATE leaf SET event = 99999999 WHERE idx = 300"),
        replay=None, outcome=INVALID, chain=None,
    ),
    Attack(
        name="the head in the database is one that somebody else has signed",
        does=lambda prey: prey.run(
            "UPDATE checkpoint SET note = replace(note, '\u2014 xueji/test ', '\u2014 xueji/other ')"
        ),
        replay=None, outcome=INVALID, chain=None,
    ),
    Attack(
        name="the newest head is deleted, and with it what it sealed is unsealed again",
        does=lambda prey: prey.run("DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint)"),
        replay=None, outcome=UNSEALED, chain=None,
    ),
    Attack(
        name="every head is deleted",
        does=lambda prey: prey.run("DELETE FROM checkpoint"), replay=None, outcome=INVALID, chain=None,
    ),
)  # fmt: skip
