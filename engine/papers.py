"""The papers of a step: which documents it needs, what the actor ticks on them, which forms it makes. Pure.

Source: the definition language, section 5 (needs, reviews, issues).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from engine.documents import document_of, missing, ticked, titled, unticked
from engine.expressions.kinds import Row
from engine.issuing import Issued, issue
from engine.records import NOTHING, Json, Request, Verdict
from engine.rights import Sight
from engine.step import Step
from engine.steps import Machine


class Papers(NamedTuple):
    """What stands against a step for its papers, and what it makes and ticks if nothing does."""

    verdicts: tuple[Verdict, ...] = ()
    issued: tuple[Issued, ...] = ()
    ticks: Mapping[str, Json] = NOTHING


NO_PAPERS = Papers()


def papers_of(machine: Machine, step: Step, request: Request, sight: Sight, *, completes: bool) -> Papers:
    """Look at the papers of a step.

    Args:
        machine: The definition, bound.
        step: The step, or the signature of one.
        request: Gives the ticks.
        sight: Gives the documents on the case, and what forms are made from.
        completes: Whether the step is taken with this; a signature that leaves others open only needs.
    """
    on_case = sight.documents()
    verdicts = missing(machine, step.needs, on_case, sight.see)
    if not completes:
        return Papers(verdicts=tuple(verdicts))
    one = step.transition
    verdicts += unticked(machine, one.reviews, on_case, request.ticks)
    verdicts += _own_papers(machine, one.reviews, request, sight)
    made = [issue(machine, kind, _rows(machine, kind, sight), sight.see) for kind in one.issues]
    return Papers(
        verdicts=(*verdicts, *(form for form in made if isinstance(form, Verdict))),
        issued=tuple(form for form in made if isinstance(form, Issued)),
        ticks=ticked(machine, one.reviews, on_case),
    )


def _own_papers(machine: Machine, reviews: Sequence[str], request: Request, sight: Sight) -> Iterator[Verdict]:
    """Papers that somebody else has to look at than who handed them in."""
    for kind in reviews:
        document = document_of(machine, kind)
        if document.ticked_by_another and request.actor.login in sight.handed_in_by(kind):
            yield machine.engine_verdict("own-paper", what=titled(document.title), who=request.actor.login)


def _rows(machine: Machine, kind: str, sight: Sight) -> Sequence[Row]:
    """What a form is made from: the members of the list, or the case itself."""
    return sight.member_rows() if document_of(machine, kind).made_from == "members" else [sight.own_row()]
