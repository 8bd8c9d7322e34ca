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

_NOT_APPROVED = (Stage.REFUSED, Stage.WITHDRAWN)


class Since(NamedTuple):
    """A proposal before another for the same batch, and in what they differ; None where that cannot be said."""

    line: Line
    differences: tuple[Difference, ...] | None


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
    is_over = line.stage in _NOT_APPROVED and line.effective_on is not None
    is_waiting = line.stage is Stage.PROPOSED and line.made_by == visit.login
    return is_batch(line.file) and (is_over or is_waiting) and not is_published(visit.desk, batch_name(line.file))


def can_be_changed(visit: Visit, file: str) -> bool:
    """Whether the batch of a file stands, unpublished, so that a change of it can be proposed."""
    return is_batch(file) and newest_of(visit, batch_name(file)) is not None


def since_the_former(visit: Visit, one: Proposal) -> tuple[Since, ...]:
    """In what a proposal of a batch differs from what nobody approved before it; of the time since the last approval.

    First the last one that was refused, whatever was submitted after it: who approves reads why somebody else did not.
    Then the last one of all, where that is another one and was refused or taken back.
    """
    before = _submitted_before(visit, one.line) if is_batch(one.line.file) else []
    approved = max((_decided(line) for line in before if line.stage is Stage.APPROVED), default=("", 0))
    refused = [line for line in before if line.stage is Stage.REFUSED and _decided(line) > approved]
    shown = [max(refused, key=_decided)] if refused else []
    if before and before[0].stage in _NOT_APPROVED and before[0] not in shown:
        shown.append(before[0])
    return tuple(Since(line, _differences(visit, line, one)) for line in shown)


def _submitted_before(visit: Visit, own: Line) -> list[Line]:
    """What was submitted for a batch before a proposal, the newest first; before a draft all of it.

    By the moment, not by the number: that is a draft's already, which may lie while others are refused.
    """
    every = [
        line
        for line in proposals.lines(visit.desk.connection, own.file)
        if line.number != own.number and line.effective_on is not None
    ]
    if own.stage is not Stage.DRAFT:
        every = [line for line in every if _submitted(line) < _submitted(own)]
    return sorted(every, key=_submitted, reverse=True)


def _submitted(line: Line) -> tuple[str, int]:
    return line.made_at, line.number


def _decided(line: Line) -> tuple[str, int]:
    return line.decided_at or "", line.number


def _differences(visit: Visit, former: Line, one: Proposal) -> tuple[Difference, ...] | None:
    then = proposals.proposal(visit.desk.connection, former.number)
    was = None if then is None else readable(visit, one.line.file, then.body)
    now = readable(visit, one.line.file, one.body)
    if was is None or now is None or was.kind != now.kind:
        return None
    words = visit.desk.library.rulebook_for(now.profile).vocabulary
    return tuple(batch_differences(words, was, now))
