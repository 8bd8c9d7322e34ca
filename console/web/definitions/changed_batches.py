"""A batch that is proposed anew: after somebody said no, it was taken back, or otherwise than it waits or stands now.

What is submitted takes the place of one's own proposal that waits (`engine.proposing`); whoever approves is told in
what it differs from the one before.
"""

from __future__ import annotations

from typing import NamedTuple

from console.web.definitions import publishing
from console.web.definitions.batch_patterns import readable
from console.web.definitions.new_batches import Form, Made, form_of_text, newest_of
from console.web.faults import NotFound
from console.web.visit import Visit
from engine.differences import Difference
from engine.proposed_batches import batch_differences, batch_name, is_published
from engine.store import proposals
from engine.store.proposals import Line, Proposal, Stage, is_batch


class Since(NamedTuple):
    """A proposal before another for the same batch, and in what they differ."""

    line: Line
    differences: tuple[Difference, ...]


def form_again(visit: Visit, number: int) -> Form:
    """A form with what a proposal says that nobody approved: it was refused, was taken back, or is one's own.

    Raises:
        NotFound: If it is none of a batch that can be proposed anew.
    """
    one = publishing.seen(visit, number)
    read = readable(visit, one.line.file, one.body)
    if read is None or not can_be_made_anew(visit, one.line):
        raise NotFound
    change = read.batch if newest_of(visit, read.batch) is not None else ""
    return form_of_text(visit, read, Made(again=str(number), change=change))


def form_of_batch(visit: Visit, name: str) -> Form:
    """A form with what a batch says that is not published yet.

    Raises:
        NotFound: If there is none.
    """
    read = newest_of(visit, name)
    if read is None:
        raise NotFound
    return form_of_text(visit, read, Made(change=name))


def can_be_made_anew(visit: Visit, line: Line) -> bool:
    """Whether the visitor may propose anew what a proposal of a batch said."""
    is_over = line.stage in (Stage.REFUSED, Stage.WITHDRAWN) and line.effective_on is not None
    is_waiting = line.stage is Stage.PROPOSED and line.made_by == visit.login
    return is_batch(line.file) and (is_over or is_waiting) and not is_published(visit.desk, batch_name(line.file))


def can_be_changed(visit: Visit, file: str) -> bool:
    """Whether the batch of a file stands, unpublished, so that a change of it can be proposed."""
    return is_batch(file) and newest_of(visit, batch_name(file)) is not None


def since_the_one_before(visit: Visit, one: Proposal) -> Since | None:
    """In what a proposal of a batch differs from the last one that nobody approved; None where there is none."""
    formers = [
        line
        for line in (proposals.lines(visit.desk.connection, one.line.file) if is_batch(one.line.file) else ())
        if line.number < one.line.number and line.effective_on is not None
    ]
    if not formers or formers[0].stage not in (Stage.REFUSED, Stage.WITHDRAWN):
        return None
    former = proposals.proposal(visit.desk.connection, formers[0].number)
    was = None if former is None else readable(visit, one.line.file, former.body)
    now = readable(visit, one.line.file, one.body)
    if was is None or now is None or was.kind != now.kind:
        return None
    words = visit.desk.library.rulebook_for(now.profile).vocabulary
    return Since(formers[0], tuple(batch_differences(words, was, now)))
