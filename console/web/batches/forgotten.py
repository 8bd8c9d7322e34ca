"""漏申请: students who may apply and have not, and for whom whoever visits files.

Their records are at rest and wait for nobody, so no queue has them: the roll of a batch says who they are.

Source: console.md 2 (the site operator), requirements.md F-81 (S001-I-6.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from console.web.batches.rolls import roll_of
from console.web.visit import Visit
from engine.errors import Unknown
from engine.figures import Standing, chosen
from engine.roll_call import Roll


class Forgotten(NamedTuple):
    """Students of one batch who may apply and have not, by record; `code` and `title` are those of the batch."""

    code: str
    title: str
    cases: tuple[int, ...]


def may_file(visit: Visit, roll: Roll) -> bool:
    """Whether a visitor files for students anywhere."""
    return not _roles(roll).isdisjoint(one.role for one in (*visit.actor.grants, *visit.actor.delegated))


def forgotten(visit: Visit, roll: Roll, among: Iterable[Standing]) -> tuple[int, ...]:
    """The records of those of some students who may apply and have not, and for whom the visitor files."""
    is_ready, roles, units = chosen("ready", roll.road), _roles(roll), visit.desk.units()
    if is_ready is None or not may_file(visit, roll):
        return ()
    own = {code for code, one in units.items() if visit.actor.grant_for(roles, one.path)}
    return tuple(one.case for one in among if one.unit in own and is_ready(one))


def _roles(roll: Roll) -> frozenset[str]:
    """Who takes the step of applying."""
    return frozenset(who.acting_role for who in roll.definition.transitions[roll.trigger].by)


def forgotten_of(visit: Visit, cases: Sequence[int]) -> list[Forgotten]:
    """The same of some records, batch by batch; those of which nobody is left are not told."""
    return [Forgotten(roll.batch.name, roll.batch.title, mine) for roll, mine in _by_batch(visit, frozenset(cases))]


def _by_batch(visit: Visit, cases: frozenset[int]) -> Iterator[tuple[Roll, tuple[int, ...]]]:
    for batch in visit.desk.every_batch() if cases else ():
        with suppress(Unknown):  # nobody applies in batches of this kind
            roll = roll_of(visit, batch.name)
            mine = forgotten(visit, roll, (roll.standings[one] for one in sorted(cases & roll.standings.keys())))
            if mine:
                yield roll, mine
