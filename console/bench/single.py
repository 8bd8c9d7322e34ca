"""One durable move at a time on a held connection: the engine against the same step by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from console.bench import hand_postgres, hand_sqlite
from console.bench.by_hand import Grant, Letterhead
from console.bench.hand_sql import Step, right_of, with_rights
from console.bench.races import Prepare, Raced, race
from console.bench.results import Line, ratio_line
from console.bench.scene import AT, BATCH, CYCLE, Act, Scene, requests
from engine.casework import move
from engine.records import Request
from engine.trail.chain import mac_maker

NAME = "single"
ENGINE, ENGINE_RIGHTS = "engine", "engine with rights looked up"
HAND, HAND_RIGHTS, HAND_CTE = "by hand", "by hand with rights looked up", "by hand in one statement"

_CASES_A_TURN = 10

Take = Callable[[int, Act, str], None]
"""Takes one act on one case under a request id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How long a race is."""

    rounds: int
    turns: int


def letterhead(scene: Scene) -> Letterhead:
    """What the yardstick puts into every event, looked up beforehand."""
    desk = scene.desk
    definition = desk.hash_of(desk.library.record("online-ed"))
    batch = desk.batch(BATCH)
    rulebook = batch.rulebook if batch else desk.rulebook
    return Letterhead(log=scene.office.log, definition=definition, rulebook=rulebook, mac=mac_maker(scene.office.key))


def grants(scene: Scene) -> Mapping[str, Grant]:
    """The right each person of the cycle holds, by login."""
    return {login: (one.grants[0].role, one.grants[0].unit, one.grants[0].path) for login, one in scene.actors.items()}


def run_single(scene: Scene, size: Size) -> list[Line]:
    """Race single moves; a turn is one whole cycle of a few cases."""
    racers = {name: _preparing(scene, take) for name, take in takers(scene).items()}
    raced = race(racers, rounds=size.rounds, turns=size.turns, things=_CASES_A_TURN * len(CYCLE))
    return _lines(raced, sqlite=scene.desk.connection.is_sqlite)


def takers(scene: Scene) -> dict[str, Take]:
    """Everybody who can take a step in this database, by name; the engine first."""
    raw, head, held = scene.desk.connection.raw, letterhead(scene), grants(scene)
    if scene.desk.connection.is_sqlite:
        typed = hand_sqlite.one_by_one(raw, head)
        hands = {HAND: typed, HAND_RIGHTS: with_rights(typed, lambda login: hand_sqlite.rights(raw, login))}
    else:
        typed = hand_postgres.by_round_trips(raw, head)
        looked_up = with_rights(typed, lambda login: hand_postgres.rights(raw, login))
        hands = {HAND: typed, HAND_RIGHTS: looked_up, HAND_CTE: hand_postgres.in_one_statement(raw, head)}
    engine: dict[str, Take] = {ENGINE: _by_engine(scene), ENGINE_RIGHTS: _by_engine_with_rights(scene)}
    return engine | {name: _with_grants(step, held) for name, step in hands.items()}


def _by_engine(scene: Scene) -> Take:
    def take(case: int, act: Act, request: str) -> None:
        move(scene.desk, case, asked_of(scene, act, request))

    return take


def _by_engine_with_rights(scene: Scene) -> Take:
    def take(case: int, act: Act, request: str) -> None:
        actor = scene.desk.actor(act.login)
        move(scene.desk, case, Request(trigger=act.trigger, actor=actor, at=AT, fields=act.fields, id=request))

    return take


def asked_of(scene: Scene, act: Act, request: str | None) -> Request:
    """An act as the engine is asked for it."""
    return Request(trigger=act.trigger, actor=scene.actors[act.login], at=AT, fields=act.fields, id=request)


def _with_grants(step: Step, held: Mapping[str, Grant]) -> Take:
    def take(case: int, act: Act, request: str) -> None:
        step(case, act, request, right_of(act, [held[act.login]]))

    return take


def _preparing(scene: Scene, take: Take) -> Prepare:
    def prepare(number: int) -> Callable[[], None]:
        work = list(requests(CYCLE, _slice(scene.cases, number)))

        def run() -> None:
            for case, act, request in work:
                take(case, act, request)

        return run

    return prepare


def _slice(cases: Sequence[int], number: int) -> Sequence[int]:
    """Other cases in every turn, spread over all of them, the same for everybody."""
    stride = max(1, len(cases) // _CASES_A_TURN)
    return [cases[(place * stride + number) % len(cases)] for place in range(_CASES_A_TURN)]


def _lines(raced: Raced, *, sqlite: bool) -> list[Line]:
    promised = 0.85 if sqlite else 1.2
    yardstick = HAND if sqlite else "by hand in round trips"
    lines = [
        ratio_line(NAME, f"engine / {yardstick}", raced.ratio(ENGINE, HAND), promised),
        ratio_line(NAME, "the same, rights looked up by both", raced.ratio(ENGINE_RIGHTS, HAND_RIGHTS)),
        ratio_line(NAME, f"engine with rights looked up / {yardstick} without", raced.ratio(ENGINE_RIGHTS, HAND)),
    ]
    if not sqlite:
        lines.append(ratio_line(NAME, f"engine / {HAND_CTE}", raced.ratio(ENGINE, HAND_CTE)))
    lines += [Line(race=NAME, what=name, value=raced.per_second(name), unit="moves/s") for name in raced.seconds]
    cost = raced.microseconds_more(ENGINE_RIGHTS, ENGINE)
    return [*lines, Line(race=NAME, what="rights looked up, engine", value=cost, unit="µs a step")]
