"""A whole institution of one profile for stories: every kind of unit, two people in every role, invented students.

A story is told in the words of the registry: `world.opens(…)`, `case.takes(…)`, `case.signs(…)`, `case.refuses(…)`.
What must not be granted whatever the story is tried apart from it, in `test_wrong_ways`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from types import MappingProxyType

from engine.actors import IMPORT, TIMER, Actor
from engine.attaching import Attached, Withdrawn, attach, withdraw_document
from engine.casework import move, open_case
from engine.deadlines import due_of
from engine.definition import CANCELLED, Definition
from engine.enrolling import Enrolment, enrol
from engine.errors import NotAllowed, TransitionNotOpen
from engine.expressions.kinds import SHANGHAI
from engine.facts import write_facts
from engine.ladder import over_at
from engine.library import Library
from engine.organisation import add_units, give_role
from engine.publishing import change_batch, publish_batch, start_term
from engine.records import Case, Json, Moved, Refused, Request, case_number
from engine.sight import Seeing
from engine.store import schema
from engine.store.cases import read_case
from engine.store.database import open_engine
from engine.store.deadlines import hold
from engine.store.deadlines import of_case as of_deadlines
from engine.store.documents import of_case
from engine.store.registry import UnitRow
from engine.tabling import replace_table
from engine.timers import Firing, fire_timer, mark_late
from exchange.evidence import inspect
from tests.engine.town import READY, Town, roster_facts, town_at
from tests.exchange.pictures import pdf, picture

NOON = datetime(2024, 4, 22, 4, tzinfo=UTC)
"""A Monday of term, at noon in Shanghai."""
OPEN_TREE = (
    ("P", "province", "GK"), ("B1", "branch", "P"), ("B2", "branch", "P"), ("S1", "site", "B1"), ("S2", "site", "B1"),
    ("S3", "site", "B2"), ("K1", "class", "S1"),
)  # fmt: skip
ONLINE_SCHOOL = (("U", "school", "P"), ("SU", "site", "U"))
"""A school that teaches online has teaching points of its own, beside those of the branches."""
SCHOOL_TREE = (
    ("P", "province", "GK"), ("U", "school", "P"), ("F1", "faculty", "U"), ("F2", "faculty", "U"),
    ("K1", "class", "F1"), ("K2", "class", "F1"), ("K3", "class", "F2"), ("B1", "branch", "U"), ("FB", "faculty", "B1"),
    ("KB", "class", "FB"), ("S1", "site", "U"),
)  # fmt: skip
OPEN_PROFILES = frozenset({"open-university", "online-ed"})
LIVES_IN = {"open-university": "S1", "online-ed": "S1", "vocational-branch": "KB"}
"""Where a student of a profile belongs, if nothing else is said; else class K1."""


@dataclass
class World:
    """One institution, and the moment it is there."""

    town: Town
    profile: str
    now: datetime = NOON
    numbers: Iterator[int] = field(default_factory=lambda: count(2022030000101))

    @cached_property
    def tree(self) -> Mapping[str, tuple[str, str | None]]:
        """Every unit: its kind and the unit above."""
        rows: Sequence[tuple[str, str, str]] = OPEN_TREE if self.profile in OPEN_PROFILES else SCHOOL_TREE
        if self.profile == "online-ed":
            rows = (*OPEN_TREE, *ONLINE_SCHOOL)
        return {"GK": ("country", None)} | {code: (kind, parent) for code, kind, parent in rows}

    @property
    def keeps_records(self) -> bool:
        """Whether the profile has a record of its own (W-01); primary and secondary schools have none here (W-49)."""
        return any(one.record for one in self.town.desk.library.of_profile(self.profile).values())

    def above(self, unit: str) -> list[str]:
        """A unit and those above it, nearest first."""
        found, at = [], unit
        while at:
            found.append(at)
            at = self.tree[at][1] or ""
        return found

    def person(self, role: str, near: str) -> str:
        """Somebody who holds a role at a unit or above it: `role` or `role2` (another person), `role@UNIT` (there)."""
        name, _, where = role.partition("@")
        bare = name.removesuffix("2")
        kinds = self.town.desk.library.rulebook_for(self.profile).organisation.roles[bare].held_at
        places = [where] if where else [unit for unit in self.above(near) if self.tree[unit][0] in kinds]
        assert places, f"nobody holds {bare} at or above {near}"
        return f"{name}@{places[0]}"

    def actor(self, role: str, near: str, student: int | None = None) -> Actor:
        """The person behind a word of a story: a role, `student`, or `import`."""
        if role == "import":
            return IMPORT
        if role == "timer":
            return TIMER
        if role == "student":
            return Actor(login=f"student.{student}", student=student)
        return self.town.desk.actor(self.person(role, near))

    def request(self, trigger: str, actor: Actor, **fields: Json) -> Request:
        """A request at this moment; the next one is a microsecond later, as no two acts are at the same moment."""
        request = Request(trigger=trigger, actor=actor, at=self.now, fields=fields)
        self.now += timedelta(microseconds=1)
        return request

    def enrols(self, unit: str | None = None, **facts: Json) -> str:
        """A student, with a record where the profile keeps any, of whom the roster and these facts are known."""
        number = str(next(self.numbers))
        where = unit or LIVES_IN.get(self.profile, "K1")
        known = roster_facts(number)
        enrol(
            self.town.desk, [Enrolment(student_no=number, unit=where, facts=known)],
            self.request("open_record", IMPORT), opens_record=self.keeps_records,
        )  # fmt: skip
        if facts:
            self.knows(number, **facts)
        return number

    def ready(self, unit: str | None = None, **facts: Json) -> str:
        """A student between whom and the certificate nothing stands, except what these facts say."""
        number = self.enrols(unit)
        self.knows(number, **{**READY, "certificate_no": f"5116152024{int(number) % 10**8:08d}", **facts})
        return number

    def knows(self, student_no: str, **facts: Json) -> None:
        write_facts(self.town.desk, {student_no: facts}, self.request("facts", IMPORT))

    def fact(self, student_no: str, name: str) -> Json:
        return self.town.facts(student_no).get(name)

    def record(self, student_no: str) -> Told:
        return Told(self, self.town.record(student_no))

    def cases_of(self, student_no: str, workflow: str) -> list[Told]:
        """The cases of a student in a workflow, the latest first, cancelled ones too."""
        student = self.town.student(student_no).id
        sql = "SELECT id FROM cases WHERE student = ? AND workflow = ? ORDER BY id DESC"
        rows = self.town.connection.execute(sql, (student, workflow)).fetchall()
        return [Told(self, int(row[0])) for row in rows]

    def cases(self, workflow: str) -> list[Told]:
        """All cases of a workflow or list (`WORKFLOW.LIST`), the latest first."""
        sql = "SELECT id FROM cases WHERE workflow = ? ORDER BY id DESC"
        return [Told(self, int(row[0])) for row in self.town.connection.execute(sql, (workflow,)).fetchall()]

    def opens(self, workflow: str, about: str, trigger: str, by: str, /, **fields: Json) -> Told:
        """Open a case about a student or unit; it must be opened."""
        outcome = self.tries_to_open(workflow, about, trigger, by, **fields)
        assert isinstance(outcome, Moved), told(outcome)
        return Told(self, outcome.case.id)

    def tries_to_open(self, workflow: str, about: str, trigger: str, by: str, /, **fields: Json) -> Moved | Refused:
        student = None if about in self.tree else self.town.student(about)
        near = about if student is None else student.unit
        actor = self.actor(by, near, None if student is None else student.id)
        outcome = open_case(self.town.desk, workflow, about, self.request(trigger, actor, **fields))
        assert isinstance(outcome, Moved | Refused)
        return outcome

    def opening_refused(self, workflow: str, about: str, trigger: str, by: str, /, **fields: Json) -> set[str]:
        """The ids under which an opening is refused; nothing but the refusal was written."""
        before = self.counts()
        outcome = self.tries_to_open(workflow, about, trigger, by, **fields)
        assert isinstance(outcome, Refused), f"{workflow}.{trigger} was not refused"
        assert self.counts() == (before[0] + 1, *before[1:]), "a refusal is one event and nothing else"
        return {*outcome.failed, *outcome.undecided}

    def gives(self, login: str, role: str, unit: str) -> None:
        """Give somebody (`role@UNIT`) a second role, so that one person could act at two levels."""
        give_role(self.town.desk, login, role, unit, at=NOON, actor="setup")

    def fills(self, table: str, rows: Sequence[Mapping[str, Json]]) -> None:
        """Make these rows the whole of a table."""
        keeper = self.actor("records_section", "U" if "U" in self.tree else "P")
        replace_table(self.town.desk, table, rows, self.request("import", keeper))

    def starts_term(self, term: str, now: datetime) -> None:
        """A day of a term has come, and the records section says that the term has begun."""
        self.now = now
        start_term(self.town.desk, term, self.request("term_start", self.actor("records_section", "P")))

    def publishes(self, batch: str, by: str = "records_section", **values: str) -> None:
        """Publish a batch of the files and set what is still open in it."""
        actor = self.actor(by, "U" if "U" in self.tree else "P")
        publish_batch(self.town.desk, batch, self.request("publish", actor))
        if values:
            change_batch(self.town.desk, batch, values, self.request("set", actor))

    def counts(self) -> tuple[int, ...]:
        """Events, and the rows of everything that a refusal must not touch."""
        tables = ("event", "cases", "student", "member", "document", "outbox", "delegation")
        rows = [self.town.connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables]  # noqa: S608 constant
        return tuple(int(str(row[0])) for row in rows if row)

    def replays_clean(self) -> None:
        """The whole trail adds up to the rows."""
        diverged = self.town.replayed().diverged
        assert diverged == (), diverged


@dataclass(frozen=True)
class Told:
    """One case of a story."""

    world: World
    id: int

    @property
    def case(self) -> Case:
        found = read_case(self.world.town.connection, self.id)
        assert found is not None
        return found.case

    @property
    def state(self) -> str:
        return self.case.state

    @property
    def number(self) -> str:
        return case_number(self.id)

    @property
    def definition(self) -> Definition:
        return self.world.town.desk.definition(self.case.shape)

    def field(self, name: str) -> Json:
        return self.case.fields.get(name)

    def asks(self, trigger: str, by: str, /, *, to: Json = None, **fields: Json) -> Moved | Refused:
        """Ask for a step, ticking everything a reviewer has to tick; the answer, whatever it is."""
        return self._decided(replace(self._request(trigger, by, fields), to=_word(to)))

    def in_order(self, trigger: str) -> dict[str, bool]:
        """Every tick of the papers on the case that a step reviews, given with yes."""
        desk = self.world.town.desk
        one = self.definition.transitions.get(trigger)
        kinds = {row.kind for row in of_case(desk.connection, self.id) if not row.withdrawn}
        book = desk.library.rulebook_for(self.world.profile).documents
        reviews = one.reviews if one else ()
        return {f"{kind}.{tick}": True for kind in reviews if kind in kinds for tick in book[kind].ticks}

    def refuses_ticks(self, trigger: str, by: str, ticks: Mapping[str, bool], /, **fields: Json) -> set[str]:
        """The ids under which a step is refused when the reviewer ticks just this."""
        return self._refused(replace(self._request(trigger, by, fields), ticks=ticks))

    def takes(self, trigger: str, by: str, /, *, to: Json = None, **fields: Json) -> Told:
        """Take a step; it must be taken. The `timer` takes it when its deadline is over, and time goes on to then."""
        if by == "timer" and self._is_missed(trigger):
            return self
        outcome = self.asks(trigger, by, to=to, **fields)
        assert isinstance(outcome, Moved), f"{trigger}: {told(outcome)}"
        assert not outcome.signed, f"{trigger} waits for more signatures: {outcome.data}"
        return self

    def _is_missed(self, trigger: str) -> bool:
        """Let the deadline that fires a step be missed, and its row fire it; False where its date is still open."""
        desk, world = self.world.town.desk, self.world
        timed = {name for name, one in self.definition.deadlines.items() if one.missed and one.missed.fire == trigger}
        due = {row.name: row.due_at for row in of_deadlines(desk.connection, self.id) if row.name in timed}
        name, at = next(((name, at) for name, at in due.items() if at is not None), ("", None))
        if at is None:
            return False
        world.now = max(world.now, over_at(at))
        with desk.connection.writing():
            row = hold(desk.connection, self.id, name)
            assert row is not None
            row = mark_late(desk, row, world.request("scan", TIMER))
        assert fire_timer(desk, row, world.request("scan", TIMER)) is Firing.FIRED, self.events()[-1]
        return True

    def signs(self, trigger: str, slot: str, by: str, /, *, yes: Json = True, **fields: Json) -> Told:
        """Sign for a step in a slot; the signature must be taken."""
        request = replace(self._request(trigger, by, fields), slot=slot, consents=yes is True)
        outcome = self._decided(request)
        assert isinstance(outcome, Moved), f"{trigger}.{slot}: {told(outcome)}"
        return self

    def hands_in(self, *kinds: str, by: str, body: bytes | None = None, name: str = "") -> Told:
        """Hand in a paper of each kind, or this very file as one; it must be taken."""
        for kind in kinds:
            outcome = self._handed_in(kind, by, body, name)
            assert isinstance(outcome, Attached), f"{kind}: {told(outcome)}"
        return self

    def takes_off(self, kind: str, *, by: str) -> Told:
        """Take every paper of a kind off again; it must be done."""
        for row in of_case(self.world.town.connection, self.id):
            if row.kind == kind:
                request = self._request("withdraw", by, {"reason": "重新扫描"})
                outcome = withdraw_document(self.world.town.desk, self.id, row.seq, request)
                assert isinstance(outcome, Withdrawn), f"{kind}: {told(outcome)}"
        return self

    def hands_in_vainly(self, kind: str, *, by: str, body: bytes, name: str = "") -> set[str]:
        """The ids under which a file is not taken; nothing but the refusal was written."""
        counted = self.world.counts()
        outcome = self._handed_in(kind, by, body, name)
        assert isinstance(outcome, Refused), f"{kind} was taken"
        assert self.world.counts() == (counted[0] + 1, *counted[1:]), "a refusal is one event and nothing else"
        return {*outcome.failed, *outcome.undecided}

    def made(self, kind: str) -> list[list[Json]]:
        """The rows of the form that a step has made."""
        made = [row.made for row in of_case(self.world.town.connection, self.id) if row.kind == kind]
        assert len(made) == 1, f"{len(made)} forms {kind}"
        rows = made[0]["rows"] if made[0] else None
        assert isinstance(rows, list)
        return rows

    def _handed_in(self, kind: str, by: str, body: bytes | None, name: str) -> object:
        """A paper handed in; without a body a small picture (or PDF) of its own, named as the rules name pictures."""
        desk = self.world.town.desk
        takes = desk.library.rulebook_for(self.world.profile).documents[kind].file
        if body is None:
            body = pdf() + kind.encode() if "pdf" in takes else picture("JPEG" if "jpeg" in takes else "PNG")
        kinds = {b"%PDF": "pdf", b"\x89PNG": "png"}
        upload = inspect(name or f"{self._stem()}.{kinds.get(body[:4], 'jpg')}", body)
        return attach(desk, self.id, kind, upload, self._request("attach", by))

    def _stem(self) -> str:
        """Student number and name, as a picture of a student is named; else the case's number."""
        found = read_case(self.world.town.connection, self.id)
        return self.number if found is None or found.student_no is None else f"{found.student_no}{found.facts['name']}"

    def refuses(self, trigger: str, by: str, /, *, slot: Json = None, yes: Json = True, **fields: Json) -> set[str]:
        """The ids under which a step or signature is refused; nothing but the refusal was written."""
        return self._refused(replace(self._request(trigger, by, fields), slot=_word(slot), consents=yes is True))

    def _refused(self, request: Request) -> set[str]:
        before, counted = self.case, self.world.counts()
        outcome = self._decided(request)
        assert isinstance(outcome, Refused), f"{request.trigger} by {request.actor.login} was not refused"
        after = self.case
        assert after._replace(head=before.head) == before, "a refusal leaves the case as it was"
        assert self.world.counts() == (counted[0] + 1, *counted[1:]), "a refusal is one event and nothing else"
        return {*outcome.failed, *outcome.undecided}

    def bars(self, trigger: str, by: str, /, **fields: Json) -> None:
        """The step is not open, or not to this person: refused, nothing changed."""
        before = self.case
        try:
            outcome = self._decided(self._request(trigger, by, fields))
        except (TransitionNotOpen, NotAllowed):
            assert self.case._replace(head=before.head) == before
        else:
            raise AssertionError(f"{trigger} by {by} was answered: {outcome}")

    def due(self, deadline: str) -> str | None:
        """The last second of a deadline in Shanghai, as now counted; None while a date of it is open."""
        desk = self.world.town.desk
        found = read_case(desk.connection, self.id)
        assert found is not None
        machine = desk.machine(found.case.shape)
        bound = machine.deadline(deadline)
        seeing = Seeing(desk, machine, found, self._request("look", "import"))
        due = due_of(bound, machine.decoded(seeing.see((), bound.reads)))
        kept = [row for row in of_deadlines(desk.connection, self.id) if row.name == deadline]
        assert all(row.extended or row.due_at == due for row in kept), kept
        return None if due is None else f"{due.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"

    def events(self) -> list[dict[str, Json]]:
        return self.world.town.events(self.id)

    def is_over(self) -> bool:
        return self.state == CANCELLED or self.definition.states[self.state].final

    def _request(self, trigger: str, by: str, fields: Mapping[str, Json] = MappingProxyType({})) -> Request:
        case = self.case
        request = self.world.request(trigger, self.world.actor(by, case.unit, case.student), **fields)
        return replace(request, ticks=self.in_order(trigger))

    def _decided(self, request: Request) -> Moved | Refused:
        outcome = move(self.world.town.desk, self.id, request)
        assert isinstance(outcome, Moved | Refused)
        return outcome


def _word(given: Json) -> str | None:
    """A word beside fields that are given as one mapping, so that it may be of any kind until here."""
    assert given is None or isinstance(given, str), given
    return given


def told(outcome: object) -> str:
    """Why something was refused, for the message of a failing story."""
    if not isinstance(outcome, Refused):
        return str(outcome)
    return "; ".join(f"{one.id} {one.sentence.zh}" for one in outcome.verdicts)


@contextmanager
def world_at(path: Path, library: Library, profile: str) -> Iterator[World]:
    """An institution of a profile in a database of its own, in which drafts open too."""
    url = f"sqlite:///{path}"
    engine = open_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    with town_at(url, library, rehearsal=True) as town:
        world = World(town=town, profile=profile)
        _furnish(world)
        yield world


def _furnish(world: World) -> None:
    desk = world.town.desk
    desk.publish(NOON, "setup")
    rows = [
        UnitRow(code=code, name=code, kind=kind, parent=parent, path="", profile=world.profile if code == "P" else None)
        for code, (kind, parent) in world.tree.items()
    ]
    add_units(desk, rows, at=NOON, actor="setup")
    roles = desk.library.rulebook_for(world.profile).organisation.roles
    for role, one in roles.items():
        for code, (kind, _) in world.tree.items():
            if kind in one.held_at:
                for login in (f"{role}@{code}", f"{role}2@{code}"):
                    give_role(desk, login, role, code, at=NOON, actor="setup")
