"""Every step of every procedure and list, tried in every wrong state, by every wrong role and at every wrong unit.

Cases are placed into each state: what a story would have to walk to is set on a stage, through the store's own
functions. Who may do what is worked out in `wrong_ways`, apart from the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import orjson
import pytest

from engine.actors import Actor
from engine.casework import move, open_case
from engine.definition import CANCELLED, NEW, Definition, Slot
from engine.errors import NotAllowed, TransitionNotOpen
from engine.library import Library, content_hash
from engine.neighbours import unit_kind
from engine.organisation import add_units, give_role
from engine.records import NO_SLOTS, Case, Head, Json, Refused, Request
from engine.signing import Vote, with_vote
from engine.store.cases import Keeping, add_cases, keep, read_case, write_events
from engine.store.lists import freeze
from engine.store.registry import UnitRow
from engine.store.students import last_ids
from engine.trail.event import EventKind, moment
from tests.definitions.conftest import Furnish
from tests.definitions.world import LIVES_IN, NOON, World
from tests.definitions.wrong_ways import Answer, Stop, Town, Way, Wrong, has_part, parties, wrong_ways

BARRED = (Answer.NOT_OPEN, Answer.NOT_ALLOWED)
"""What is said to somebody who is not heard at all; to the others the engine's own rules answer."""
NEXT_DOOR = (
    ("MOE", "country", None), ("P9", "province", "MOE"), ("U9", "school", "P9"), ("B9", "branch", "U9"),
    ("F9", "faculty", "U9"), ("S9", "site", "B9"), ("K9", "class", "F9"),
)  # fmt: skip
"""Another institution with every kind of unit, so that every role is also held where it is of no use here."""


PROFILES = (
    "online-ed", "open-university", "fulltime-university", "fulltime-vocational", "fulltime-college",
    "vocational-branch", "generic", "k12-generic",
)  # fmt: skip


def test_every_profile_is_tried(shipped: Library):
    assert set(PROFILES) == set(shipped.rulebook.organisation.profiles)


def own(library: Library, profile: str) -> Iterator[Definition]:
    """What a profile runs, but for what one before it runs word for word."""
    before = {
        content_hash(one.model_copy(update={"profile": ""}))
        for other in PROFILES[: PROFILES.index(profile)]
        for one in library.machines_of(other).values()
    }
    for one in library.machines_of(profile).values():
        if content_hash(one.model_copy(update={"profile": ""})) not in before:
            yield one


@pytest.mark.parametrize("profile", PROFILES)
def test_no_step_is_taken_in_a_wrong_state_by_a_wrong_role_or_at_a_wrong_unit(world_of: Furnish, profile: str):
    stage = Stage(world_of(profile))
    stage.tries_all_ways(own(stage.desk.library, profile))


@pytest.mark.heavy
@pytest.mark.parametrize("profile", PROFILES)
def test_nor_where_a_profile_runs_word_for_word_what_another_does(world_of: Furnish, profile: str):
    stage = Stage(world_of(profile))
    stage.tries_all_ways(stage.desk.library.machines_of(profile).values())


def assert_nothing_left_out(town: Town, definition: Definition, tried: Counter[tuple[str, str, Way]]) -> None:
    """Each step was tried in every state: where it is open by all roles there are, else by who could take it."""
    for trigger, one in definition.transitions.items():
        part, roles = has_part(one), set(town.holders)
        others = len((roles | {"import", "timer", "another student"}) - part)
        for state in (*([NEW] if one.opens else []), *definition.states, CANCELLED):
            ways = {way: tried.pop((state, trigger, way), 0) for way in Way}
            where = f"{definition.workflow}: {trigger} in {state}"
            if state in one.origins:
                assert ways[Way.ROLE] >= others, where
                assert ways[Way.UNIT] >= len(roles & part), where
                assert ways[Way.STATE] == 0, where
            else:
                assert (ways[Way.STATE] > 0, ways[Way.ROLE], ways[Way.UNIT]) == (True, 0, 0), where
    assert not tried, "tried what is no step of it"


class Stage:
    """A world with another institution beside it, and cases placed into any state."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.desk = world.town.desk
        self.home = LIVES_IN.get(world.profile, "K1")
        world.town.connection.execute("PRAGMA synchronous = OFF")  # a power cut would end the test anyway
        columns = [row[1] for row in world.town.connection.execute("PRAGMA table_info(cases)").fetchall()]
        rest = ", ".join(name for name in columns if name not in ("seq", "head"))
        self._read = f"SELECT seq, {rest} FROM cases WHERE id = ?"  # noqa: S608 names of columns
        rows = [
            UnitRow(code=code, name=code, kind=kind, parent=parent, path="", profile="generic")
            for code, kind, parent in NEXT_DOOR
        ]
        add_units(self.desk, rows, at=NOON, actor="setup")
        self.kinds = {code: unit.kind for code, unit in self.desk.units().items()}
        self.town = Town(
            world=world,
            parents={code: unit.parent for code, unit in self.desk.units().items()},
            holders={role: self._holders(role, one.held_at) for role, one in self._roles.items()},
            another_student=self._enrols()[1],
        )

    @property
    def _roles(self):
        return self.desk.library.rulebook_for(self.world.profile).organisation.roles

    def _holders(self, role: str, kinds: tuple[str, ...]) -> dict[str, Actor]:
        for code, kind, _ in NEXT_DOOR:
            if kind in kinds:
                give_role(self.desk, f"{role}@{code}", role, code, at=NOON, actor="setup")
        return {code: self.desk.actor(f"{role}@{code}") for code, kind in self.kinds.items() if kind in kinds}

    def _enrols(self) -> tuple[str, int]:
        number = self.world.enrols(self.home)
        return number, self.world.town.student(number).id

    def tries_all_ways(self, definitions: Iterable[Definition]) -> None:
        """Every wrong way through some procedures and lists."""
        for definition in definitions:
            tried: Counter[tuple[str, str, Way]] = Counter()
            for stop, case in self.stops(definition):
                with self.desk.connection.writing():  # one: what were written and taken back is seen
                    for wrong in wrong_ways(self.town, stop):
                        self.tries(case, wrong)
                        tried[stop.state, wrong.trigger, wrong.way] += 1
            stop, about = self.start(definition)
            for wrong in wrong_ways(self.town, stop):
                self.tries_to_open(about, definition, wrong)
                tried[NEW, wrong.trigger, wrong.way] += 1
            assert_nothing_left_out(self.town, definition, tried)

    def start(self, definition: Definition) -> tuple[Stop, str]:
        """Before there is a case: its openings, and the student or unit it would be about."""
        number, student = self._enrols() if "student" in definition.about else (None, None)
        unit = self._unit_of(definition)
        stop = Stop(
            definition=definition, state=NEW, steps=tuple(definition.openings), unit=unit, student=student, fields={},
            members_at=None,
        )  # fmt: skip
        return stop, number or unit

    def stops(self, definition: Definition) -> Iterator[tuple[Stop, Case]]:
        """A case in every state, and, where a step is signed there, one for which somebody has signed already."""
        student = self._enrols()[1] if "student" in definition.about else None
        for state in (*definition.states, CANCELLED):
            stop = Stop(
                definition=definition,
                state=state,
                steps=tuple(definition.transitions),
                unit=self._unit_of(definition),
                student=student,
                fields=self._named_units(definition),
                members_at=self.home if definition.members and definition.is_fixed(state) else None,
            )
            yield stop, self.placed(stop)
            for trigger, one in definition.transitions.items():
                if one.sign is not None and state in one.origins and len(one.sign.slots) > 1:
                    yield replace(stop, steps=(trigger,)), self.half_signed(stop, trigger, one.sign.slots)

    def _unit_of(self, definition: Definition) -> str:
        kind = unit_kind(definition)
        return self.home if kind is None else self.town.of_kind(kind, self.home) or self._any_of(kind)

    def _any_of(self, kind: str) -> str:
        return next(code for code, (one, _) in self.world.tree.items() if one == kind)

    def _named_units(self, definition: Definition) -> dict[str, str]:
        """The units that fields name at which a step is taken: never one at or above the student's own."""
        named = {}
        for who in (who for one in definition.transitions.values() for who in parties(one)):
            if who.at is not None and who.at.startswith("case."):
                near = self.town.above(self.home)
                places = [unit for unit in self.town.holders[who.acting_role] if unit not in near]
                named[who.at.removeprefix("case.")] = places[0]
        return named

    def placed(self, stop: Stop) -> Case:
        """A case that stands in a state without having walked there."""
        _, last = last_ids(self.desk.connection)
        shape, at = self.desk.hash_of(stop.definition), moment(NOON)
        case = Case(
            id=last + 1, workflow=stop.definition.workflow, shape=shape, student=stop.student, unit=stop.unit,
            path=self.desk.units()[stop.unit].path, state=stop.state, revision=1, head=Head(), fields=stop.fields,
            taken={}, rounds=0, opened_at=at, entered_at=at,
        )  # fmt: skip
        told: dict[str, Json] = {"at": at, "actor": "setup", "data": {"placed": stop.state}}
        event = self.desk.scribe.write(case.id, case.head, EventKind.OPENED, told)
        with self.desk.connection.writing():
            add_cases(self.desk.connection, [(case, event, None)])
            write_events(self.desk.connection, [event])
        if stop.members_at is not None:
            self._fix_a_member(stop, case)
        return self._now(case.id)

    def _fix_a_member(self, stop: Stop, listed: Case) -> None:
        members = stop.definition.members
        assert members is not None
        of = self.desk.library.definition(members.of, self.world.profile)
        unit = self._unit_of(of)
        student = self.town.another_student if "student" in of.about else None
        where = Stop(
            definition=of, state=next(iter(of.states)), steps=(), unit=unit, student=student, fields={}, members_at=None
        )
        member = self.placed(where)
        with self.desk.connection.writing():
            freeze(self.desk.connection, listed.id, listed.workflow, [member])

    def half_signed(self, stop: Stop, trigger: str, slots: Mapping[str, Slot]) -> Case:
        """A case for which the first of several has signed."""
        before = self.placed(stop)
        vote = Vote(by="somebody", yes=True)
        after = before._replace(slots=with_vote(NO_SLOTS, trigger, next(iter(slots)), vote))
        told: dict[str, Json] = {"at": moment(NOON), "actor": "setup", "data": {"placed": stop.state}}
        event = self.desk.scribe.write(before.id, before.head, EventKind.SIGNED, told)
        with self.desk.connection.writing():
            assert keep(self.desk.connection, Keeping(before, after, event))
        return self._now(before.id)

    def _now(self, case: int) -> Case:
        found = read_case(self.desk.connection, case)
        assert found is not None
        return found.case

    def tries(self, case: Case, wrong: Wrong) -> None:
        """Ask in a wrong way: the answer is the one expected, nothing changes, and the refusal is in the trail."""
        (seq, *before), changes = self._row(case), self.desk.connection.raw.total_changes
        answer = self._answer(case, wrong)
        assert answer is wrong.answer, f"{case.workflow} in {case.state}: {wrong}"
        (end, *after), event = self._row(case), self._event(case, seq + 1)
        assert (end, after) == (seq + 1, before), f"{case.workflow} in {case.state}: {wrong}"
        data, rows = event["data"], 2 + ("sealed" in event["data"])  # the end of the chain, the event, what it seals
        assert self.desk.connection.raw.total_changes == changes + rows, f"{case.workflow} in {case.state}: {wrong}"
        assert (event["kind"], event["actor"], data["trigger"]) == ("refused", wrong.actor.login, wrong.trigger)
        assert (data["from"], data.get("barred")) == (case.state, answer if answer in BARRED else None)

    def tries_to_open(self, about: str, definition: Definition, wrong: Wrong) -> None:
        """Ask for an opening in a wrong way: it is not heard, and all that is written is that it was asked for."""
        request = Request(trigger=wrong.trigger, actor=wrong.actor, at=NOON)
        changes = self.desk.connection.raw.total_changes
        with pytest.raises(NotAllowed):
            open_case(self.desk, definition.workflow, about, request)
        assert wrong.answer is Answer.NOT_ALLOWED
        end_and_event = 2
        assert self.desk.connection.raw.total_changes == changes + end_and_event, f"{definition.workflow}: {wrong}"
        event = self._last_event()
        data = event["data"]
        assert (event["kind"], event["actor"], data["trigger"]) == ("refused", wrong.actor.login, wrong.trigger)
        assert (data["from"], data["barred"]) == (NEW, wrong.answer)

    def _answer(self, case: Case, wrong: Wrong) -> Answer:
        request = Request(trigger=wrong.trigger, actor=wrong.actor, at=NOON, caused=wrong.caused)
        try:
            outcome = move(self.desk, case.id, request)
        except TransitionNotOpen:
            return Answer.NOT_OPEN
        except NotAllowed:
            return Answer.NOT_ALLOWED
        assert isinstance(outcome, Refused), f"{case.workflow} in {case.state}: {wrong} was granted"
        engine = outcome.data["engine"]
        assert isinstance(engine, list)
        said = [answer for answer in Answer if answer in engine]
        assert len(said) == 1, f"{case.workflow} in {case.state}: {wrong} was heard, {outcome.data}"
        return said[0]

    def _row(self, case: Case):
        """The length of the case's chain, and the rest of its row but for the hash at the chain's end."""
        [row] = self.desk.connection.execute(self._read, (case.id,)).fetchall()
        return row

    def _last_event(self):
        [row] = self.desk.connection.execute("SELECT body FROM event ORDER BY id DESC LIMIT 1").fetchall()
        return orjson.loads(row[0])

    def _event(self, case: Case, seq: int):
        sql = "SELECT body FROM event WHERE chain = ? AND seq = ?"
        [row] = self.desk.connection.execute(sql, (case.id, seq)).fetchall()
        return orjson.loads(bytes(row[0]))
