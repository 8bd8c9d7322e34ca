"""Webhooks: other systems are told of sealed events, in their order, signed, until they say that they heard.

An event is told at least once and bears the same id each time, so a receiver that keeps the ids it has seen acts once.
The form is that of Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`. What is told names
the case and the step, never a student and no value: who may know more asks the interface with a token.

Source: docs/decisions/0019.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import httpx
import orjson

from engine.desk import Desk
from engine.records import case_number
from engine.store import webhooks
from engine.store.leases import Held, still_held
from engine.store.webhooks import SealedEvent, Standing
from engine.trail.event import EventKind
from notifications.sending import Rate

PAGE = 100
"""Places of the log looked at in one go; most are not told."""
TOLD = frozenset({
    EventKind.OPENED, EventKind.MOVED, EventKind.SIGNED, EventKind.RETRACTED, EventKind.RELOCATED, EventKind.LATE,
})  # fmt: skip
_PATIENCE = httpx.Timeout(10.0)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A system that is told: what it is called, where it listens, and the secret both know."""

    name: str
    url: str
    secret: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What came of a round: how many events were taken, and how many webhooks did not take theirs."""

    taken: int = 0
    later: int = 0


class _Turn(NamedTuple):
    """By which clock, and under which lease."""

    at: Clock
    lease: Held


class Teller:
    """Tells each webhook what it has not heard of yet; one that stumbles holds up none of the others.

    Args:
        desk: Where the log is.
        log: Its name, by which receivers tell two of them apart.
        hooks: Whom to tell.
        rate: How long after a refusal one is tried again.
    """

    def __init__(self, desk: Desk, log: str, hooks: Sequence[Webhook], rate: Rate) -> None:
        self._connection, self._log, self._hooks, self._rate = desk.connection, log, hooks, rate

    def tell(self, at: Clock, lease: Held) -> Delivered:
        """Tell them what there is, while the lease is held; whoever lost it moves nobody's place."""
        turn = _Turn(at, lease)
        with self._connection.writing():
            for hook in self._hooks:
                webhooks.begin(self._connection, hook.name, at())
        found = webhooks.standings(self._connection)
        with httpx.Client(timeout=_PATIENCE, follow_redirects=False, trust_env=False) as client:
            done = [self._tell_one(client, hook, found[hook.name], turn) for hook in self._hooks]
        return Delivered(taken=sum(heard for heard, _ in done), later=sum(not is_well for _, is_well in done))

    def _tell_one(self, client: httpx.Client, hook: Webhook, standing: Standing, turn: _Turn) -> tuple[int, bool]:
        """How many events it took, and whether none is put off."""
        heard = 0
        if standing.due_at > turn.at():
            return heard, False
        for event, told in self._ahead(standing.leaf):
            now = turn.at()
            if now >= turn.lease.until:
                break
            answer = None if told is None else _handed_over(client, hook, f"{self._log}/{event.leaf}", told, now)
            if not self._keep(standing, event.leaf + 1, answer, turn):
                break
            if answer is not None:
                return heard, False
            standing = standing._replace(leaf=event.leaf + 1, tries=0)
            heard += told is not None
        return heard, True

    def _ahead(self, leaf: int) -> Iterator[tuple[SealedEvent, bytes | None]]:
        """What is to be told from a place on; and the last of each page, so that the place moves on."""
        while page := webhooks.sealed_events(self._connection, leaf, PAGE):
            for event in page:
                told = _told(self._log, event)
                if told is not None or event is page[-1]:
                    yield event, told
            leaf = page[-1].leaf + 1

    def _keep(self, before: Standing, leaf: int, answer: str | None, turn: _Turn) -> bool:
        """Whether this is still ours to say: it has heard of everything before `leaf`, or why it has not."""
        now = turn.at()
        with self._connection.writing():
            if not still_held(self._connection, turn.lease, now):
                return False
            if answer is None:
                return webhooks.move_on(self._connection, before, leaf, now)
            return webhooks.stumble(self._connection, before, now + self._rate.wait(before.tries), answer)


def signature(secret: bytes, number: str, timestamp: str, body: bytes) -> str:
    """What proves to a receiver that this came from here, unchanged (Standard Webhooks 1.0, symmetric)."""
    made = hmac.new(secret, f"{number}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"


def _told(log: str, event: SealedEvent) -> bytes | None:
    """What is told of an event; None of one that is not for others."""
    if event.chain <= 0:
        return None
    said = orjson.loads(event.body)
    if said["kind"] not in TOLD:
        return None
    data = said["data"]
    step = {name: data[name] for name in ("trigger", "from", "to") if name in data}
    about = {"log": log, "index": event.leaf, "case": case_number(event.chain), "seq": event.seq, **step}
    return orjson.dumps({"type": f"case.{said['kind']}", "timestamp": said["at"], "data": about})


def _handed_over(client: httpx.Client, hook: Webhook, number: str, body: bytes, now: datetime) -> str | None:
    """Why it did not take it, or None; what it answers is not repeated, it may be anything."""
    timestamp = str(int(now.timestamp()))
    headers = {
        "content-type": "application/json",
        "user-agent": "xueji",
        "webhook-id": number,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(hook.secret, number, timestamp, body),
    }
    try:
        with client.stream("POST", hook.url, content=body, headers=headers) as answer:
            return None if answer.is_success else f"HTTP {answer.status_code}"
    except httpx.HTTPError as problem:
        return type(problem).__name__
