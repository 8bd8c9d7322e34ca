"""A repeated click is one act: what stands beside the steps of a case (delegating, urging, changing signers).

Source: docs/decisions/0007.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import orjson

from engine.desk import Desk
from engine.errors import XuejiError
from engine.records import Repeated, Request, Sentence, case_number
from engine.store.database import INTEGRITY_ERRORS
from engine.trail.event import EventKind

Answer = TypeVar("Answer")


def once(desk: Desk, act: str, request: Request, carry_out: Callable[[Request], Answer]) -> Answer | Repeated:
    """Do what is asked, or, for a request that came before, give its first answer and do nothing.

    What was refused stays refused under its id. What was never heard (an error) left nothing, and may be tried again.

    Args:
        desk: Where cases are worked.
        act: What the id is good for, such as `urge`: under another act the same id is another request.
        request: By whom, when; without an `id` it is never a repeated one.
        carry_out: Does it, by the request it is given; the trail keeps that one's id.
    """
    if request.id is None:
        return carry_out(request)
    asked = replace(request, id=f"{act}:{request.id}")
    try:
        with desk.connection.writing():
            first = _first_answer(desk, act, asked)
            return carry_out(asked) if first is None else first
    except (XuejiError, *INTEGRITY_ERRORS):  # somebody else may have been answering it at this moment
        first = _first_answer(desk, act, asked)
        if first is None:
            raise
        return first


def refused_before(first: Repeated) -> Sentence:
    """What is still known of a request that was refused when it came first: the ids of what stood in its way."""
    ids = "、".join((*first.failed, *first.undecided))
    return Sentence(zh=f"刚才没有办成：{ids}", en=f"It was refused before: {ids}")


def answered_at(desk: Desk, act: str, request: str) -> tuple[int, int] | None:
    """Where the first answer to a request stands: its chain and the number of its event; None where it left none."""
    row = desk.connection.execute("SELECT chain, seq FROM event WHERE request = ?", (f"{act}:{request}",)).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def _first_answer(desk: Desk, act: str, request: Request) -> Repeated | None:
    """What was answered when the request came first, read back from its event."""
    row = desk.connection.execute("SELECT chain, body FROM event WHERE request = ?", (request.id,)).fetchone()
    if row is None:
        return None
    chain, event = int(row[0]), orjson.loads(bytes(row[1]))
    data = event["data"]
    return Repeated(
        trigger=data.get("trigger", act),
        number=case_number(chain) if chain > 0 else "",
        moved=event["kind"] != EventKind.REFUSED,
        state=data.get("from", ""),
        failed=tuple(data.get("failed", ())),
        undecided=tuple(data.get("undecided", ())),
    )
