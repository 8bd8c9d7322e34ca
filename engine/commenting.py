"""Commenting (备注): who works on a case writes something on it for the others; nothing is decided by it.

Rule 1: the revision stays, so pages that are open decide as before, and a step may still be taken back.
Rule 2: the text is sealed like a personal value, for people write names; erasing it leaves every proof.

A repeated click is no second comment.
"""

from __future__ import annotations

import unicodedata

from engine.attaching import part_in
from engine.casework import as_seen, record_barred
from engine.delegating import event_of
from engine.desk import Desk
from engine.errors import NotAllowed, StaleCase, Unreadable
from engine.keeping import write_event
from engine.records import Json, Repeated, Request
from engine.repeating import once
from engine.sight import Seeing
from engine.store.cases import Sealed, extend, hold_case
from engine.trail.chain import commitment
from engine.trail.event import EventKind, Written, canonical

LONGEST = 500
"""Characters; as much as a reason may have."""


def comment(desk: Desk, case: int, text: str, request: Request) -> Written | Repeated:
    """Write something on a case for everybody who works on it.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        text: What is written.
        request: By whom and when; under the id of one that came before nothing is written again.

    Returns:
        The event, or the first answer.

    Raises:
        Unreadable: If the text is empty, too long, or no text.
        Unknown: If there is no such case.
        NotAllowed: If the person takes no part in such cases; the case keeps that it was asked.
        StaleCase: If the chain has grown meanwhile.
    """
    said = _read(text)
    try:
        return once(desk, "comment", request, lambda asked: _write(desk, case, said, asked))
    except NotAllowed as problem:  # what was begun is taken back, so that this is kept by itself
        record_barred(desk, case, request, problem)
        raise


def _write(desk: Desk, case: int, said: str, request: Request) -> Written:
    with desk.connection.writing():
        hold_case(desk.connection, case)
        found = as_seen(desk, case, request)
        machine = desk.machine_for(found.case, {})
        grant = part_in(machine, found.case, request, request.trigger, Seeing(desk, machine, found, request))
        sealed = Sealed(salt=desk.salt(), body=canonical({"text": said}))
        told: dict[str, Json] = {"trigger": request.trigger, "sealed": commitment(sealed.salt, sealed.body)}
        event = {**event_of(request, told), "role": grant.role, "unit": grant.unit}
        written = write_event(desk, machine, found.case, EventKind.COMMENTED, event)
        if not extend(desk.connection, found.case, written, sealed):
            raise StaleCase(found.case.number, found.case.revision)
    return written


def _read(text: str) -> str:
    said = unicodedata.normalize("NFC", text.strip())
    if not said or len(said) > LONGEST or any("\ud800" <= letter <= "\udfff" for letter in said):
        shown = ascii(text) if len(text) <= LONGEST else f"{len(text)} 字 characters"
        raise Unreadable("备注 comment", shown, f"1 至 {LONGEST} 字 1 to {LONGEST} characters")
    return said
