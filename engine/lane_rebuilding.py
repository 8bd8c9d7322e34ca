"""Rebuilding: lanes, deeds, marks of facts, 姓名拼音 and how often a case came back, from cases, facts and the trail.

What is kept in every step must be what would be made now: `astray` compares, after random histories in the tests and
before a rebuild in the office (`xueji lanes rebuild --dry-run`). Rebuilding is for a database from before there were
lanes, or one whose rows somebody has edited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import orjson

from engine import lanes
from engine.cautions import BY_HAND, UNIT, Mark, Marks, marked, written_marks
from engine.deeds import KINDS, deed_of, sent_back
from engine.desk import Desk
from engine.records import Json, Request
from engine.store import lanes as store
from engine.store import students
from engine.store.cases import read_cases
from engine.store.database import Connection
from engine.store.lanes import Deed, Lane, Standing
from engine.trail.event import EventKind

_CHUNK = 1000


def rebuild(desk: Desk, request: Request, progress: Callable[[int], None] = lambda _: None) -> int:
    """Make lanes, deeds, marks, counts and by what names are put in order anew, all of them in one transaction.

    Args:
        desk: Where the cases are worked.
        request: Its moment is now.
        progress: Told of cases done.

    Returns:
        The number of rows of lanes.
    """
    desk.refresh()
    connection = desk.connection
    rows = 0
    with connection.writing():
        store.clear(connection)
        for span in _spans(connection, "student"):
            students.set_marks(connection, [(written_marks(one), who) for who, one in _marks(connection, span)])
            named = students.pinyin_within(connection, span)
            students.set_pinyin(connection, [(made, who) for who, kept, made in named if made != kept])
        for span in _spans(connection, "cases"):
            store.add_deeds(connection, [*_deeds(connection, span)])
            store.set_sent_back(connection, span, _sent_back(desk, span))
            standing = [one for one in _standings(desk, span, request) if one.rows]
            store.put(connection, standing)
            rows += sum(len(one.rows) for one in standing)
            progress(span[1] - span[0] + 1)
    return rows


class Astray(NamedTuple):
    """What is kept otherwise than made now.

    Cases by lanes, deeds and how often they came back, students by marks and by what they are put in order.
    """

    cases: frozenset[int]
    students: frozenset[int]


def astray(desk: Desk, request: Request, progress: Callable[[int], None] = lambda _: None) -> Astray:
    """Where `rebuild` would change anything; nothing is written.

    Lanes that wait for `lanes.refresh`, because only time has passed, are among them.
    """
    desk.refresh()
    connection, cases, pupils = desk.connection, set[int](), set[int]()
    with connection.reading():
        for span in _spans(connection, "student"):
            made = {(who, text) for who, one in _marks(connection, span) if (text := written_marks(one))}
            pupils |= {who for who, _ in made ^ {*students.marks_within(connection, span)}}
            pupils |= {who for who, kept, made_now in students.pinyin_within(connection, span) if kept != made_now}
        for span in _spans(connection, "cases"):
            cases.update(_cases_astray(desk, span, request))
            progress(span[1] - span[0] + 1)
    return Astray(frozenset(cases), frozenset(pupils))


def _cases_astray(desk: Desk, span: tuple[int, int], request: Request) -> Iterator[int]:
    connection, standings = desk.connection, [*_standings(desk, span, request)]
    rows = {_timeless(row) for one in standings for row in one.rows}
    hands = {(one.case, login) for one in standings for login in one.hands}
    yield from (row.case for row in rows ^ {*map(_timeless, store.rows_within(connection, span))})
    yield from (case for case, _ in hands ^ {*store.hands_within(connection, span)})
    yield from (deed.case for deed in {*_deeds(connection, span)} ^ {*store.deeds_within(connection, span)})
    yield from (case for case, _ in {*_sent_back(desk, span)} ^ {*store.sent_back_within(connection, span)})


def _timeless(row: Lane) -> Lane:
    """A row without when and by which rulebook it was judged: judged again with the same outcome, it is the same."""
    return row._replace(judged_at="", rulebook="")


def _spans(connection: Connection, table: str) -> Iterator[tuple[int, int]]:
    """The numbers of a table's rows in parts, first and last of each included."""
    row = connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()  # noqa: S608 a table's name
    last = int(row[0]) if row else 0
    return ((start, min(start + _CHUNK - 1, last)) for start in range(1, last + 1, _CHUNK))


def _standings(desk: Desk, span: tuple[int, int], request: Request) -> Iterator[Standing]:
    found = read_cases(desk.connection, range(span[0], span[1] + 1))
    return lanes.standings(desk, list(found.values()), request)


def _deeds(connection: Connection, span: tuple[int, int]) -> Iterator[Deed]:
    for chain, event in _events(connection, span):
        deed = deed_of(str(event["kind"]), event, (chain, int(str(event["seq"]))))
        if deed is not None and event["kind"] in KINDS:
            yield deed


def _sent_back(desk: Desk, span: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Every case that came back, with how often."""
    for case, events in groupby(_events(desk.connection, span), key=itemgetter(0)):
        many = sent_back((event for _, event in events), lambda shape: desk.definition(shape).transitions)
        if many:
            yield case, many


def _marks(connection: Connection, span: tuple[int, int]) -> Iterator[tuple[int, Marks]]:
    """Of every student how the facts were changed, folded from the student's chain."""
    for chain, events in groupby(_events(connection, (-span[1], -span[0])), key=itemgetter(0)):
        marks, named = dict[str, Mark](), set[str]()
        for _, event in events:
            if event["kind"] == EventKind.FACT_CHANGED:
                marks = _marked(marks, event, named)
        yield -chain, marks


def _marked(marks: dict[str, Mark], event: Mapping[str, Json], named: set[str]) -> dict[str, Mark]:
    """The marks after one event; a personal value stays sealed, and has replaced another if it was written before."""
    data = event["data"]
    assert isinstance(data, Mapping)  # noqa: S101 an event as the scribe writes it
    place = int(str(event["seq"])), str(event["at"])
    if "unit" in data and "was" in data:
        return {**marks, UNIT: Mark(*place, by_hand=False, replaced=True)}
    change: dict[str, tuple[Json, Json]] = {}
    facts = data.get("facts")
    if isinstance(facts, Mapping):
        change |= {name: (one.get("old"), one.get("new")) for name, one in facts.items() if isinstance(one, Mapping)}
    sealed = data.get("sealed_facts")
    for name in sealed if isinstance(sealed, Sequence) else ():
        change[str(name)] = (True if name in named else None, True)
        named.add(str(name))
    if place[0] == 1:
        return marks  # what is first heard of a student has replaced nothing
    return marked(marks, change, place, by_hand=data.get("source") == BY_HAND)


def _events(connection: Connection, span: tuple[int, int]) -> Iterator[tuple[int, Mapping[str, Json]]]:
    """The events of some chains, each chain from its first on."""
    sql = "SELECT chain, body FROM event WHERE chain >= ? AND chain <= ? ORDER BY chain, seq"
    return ((int(chain), orjson.loads(bytes(body))) for chain, body in connection.execute(sql, span).fetchall())
