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
    """A reason that can be chosen: the address of the same form with it, its words, whether they are the person's.

    `gloss` is what the words say in the language of the page, where that is another.
    """

    address: str
    words: str
    is_own: bool
    gloss: str = ""


def offered(
    visit: Visit, machine: Machine, step: Step, here: str, asked: Sequence[tuple[str, str]] = ()
) -> tuple[Offered, ...]:
    """The reasons of a step in the order of their keys; none where nobody is asked why.

    Args:
        visit: Whose form it is; only the gloss is in its language.
        machine: By what the case is decided.
        step: What is to be said why of.
        here: The address of the form, without what it was asked with.
        asked: What it was asked with.
    """
    if REASON not in step.asked and not can_oppose(step):
        return ()
    rest = [(name, value) for name, value in asked if name != _CHOSEN]
    return tuple(
        Offered(f"{here}?{urlencode([*rest, (_CHOSEN, place)])}", words, is_own, gloss)
        for place, (words, is_own, gloss) in enumerate([*_found(visit, machine, step)][:_MOST], start=1)
    )


def _found(visit: Visit, machine: Machine, step: Step) -> Iterator[tuple[str, bool, str]]:
    """Words, whether they are the person's, gloss: students read the Chinese, some at the desk only English."""
    usual = visit.desk.library.usual_reasons(machine.definition, step.trigger)
    yield from ((one.zh, False, one.en if visit.lang == "en" else "") for one in usual)
    if len(usual) < _MOST:
        known = {words for one in usual for words in (one.zh, one.en)}
        own = desk_work.reasons_of(visit.desk.connection, visit.login, _taken(step), _MOST + len(known))
        yield from ((words, True, "") for words in own if words not in known)


def _taken(step: Step) -> str:
    """The step under which a reason is kept: of a vote against, the one that the no takes."""
    sign = step.transition.sign
    against = None if sign is None or REASON in step.asked else sign.against
    return against or step.trigger


def of_every(ways: Sequence[tuple[Offered, ...]]) -> tuple[Offered, ...]:
    """What is offered where several steps are to choose from: none, unless the same is usual with each of them."""
    usual = {tuple(one.words for one in those if not one.is_own) for those in ways}
    return ways[0] if len(usual) == 1 else ()


def chosen(visit: Visit, those: Sequence[Offered]) -> str | None:
    """The words of the one that the address of a visit names; None where it names none."""
    place = visit.request.query_params.get(_CHOSEN, "")
    return those[int(place) - 1].words if place in {str(one) for one in range(1, len(those) + 1)} else None
