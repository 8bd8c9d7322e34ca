"""Reasons to choose from by number: the usual ones of the procedure, then those the person gave before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from console.web.queue.step_fields import REASON, can_oppose
from console.web.visit import Visit
from engine.step import Step
from engine.steps import Machine
from engine.store import desk_work

_MOST = 9
"""One for each key."""
_CHOSEN = "preset"
"""What an address says is the place of the reason that was chosen: words may be about somebody, a place is not."""


class Offered(NamedTuple):
    """A reason that can be chosen: the address of the same form with it, its words, whether they are the person's."""

    address: str
    words: str
    is_own: bool


def offered(
    visit: Visit, machine: Machine, step: Step, here: str, asked: Sequence[tuple[str, str]] = ()
) -> tuple[Offered, ...]:
    """The reasons of a step in the order of their keys; none where nobody is asked why.

    Args:
        visit: Whose form it is; the words are in its language.
        machine: By what the case is decided.
        step: What is to be said why of.
        here: The address of the form, without what it was asked with.
        asked: What it was asked with.
    """
    if REASON not in step.asked and not can_oppose(step):
        return ()
    rest = [(name, value) for name, value in asked if name != _CHOSEN]
    return tuple(
        Offered(f"{here}?{urlencode([*rest, (_CHOSEN, place)])}", words, is_own)
        for place, (words, is_own) in enumerate([*_found(visit, machine, step)][:_MOST], start=1)
    )


def _found(visit: Visit, machine: Machine, step: Step) -> Iterator[tuple[str, bool]]:
    usual = visit.desk.library.usual_reasons(machine.definition, step.transition)
    yield from ((visit.title(one), False) for one in usual)
    if REASON in step.asked and len(usual) < _MOST:
        known = {words for one in usual for words in (one.zh, one.en)}
        own = desk_work.reasons_of(visit.desk.connection, visit.login, step.trigger, _MOST + len(known))
        yield from ((words, True) for words in own if words not in known)


def chosen(visit: Visit, those: Sequence[Offered]) -> str | None:
    """The words of the one that the address of a visit names; None where it names none."""
    place = visit.request.query_params.get(_CHOSEN, "")
    return those[int(place) - 1].words if place in {str(one) for one in range(1, len(those) + 1)} else None
