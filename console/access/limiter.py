"""Waits after wrong guesses: for an account, for each device its owner has used before, and for a network.

A guess is counted before it is looked at, in the transaction that reads the count, so that a hundred at the same moment
are as few as a hundred in a row. What others guess at an account makes strangers wait, never a device the owner has
signed in from: that one is counted by itself. An account that does not exist is counted like one that does.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from console.access.tokens import hash_of
from engine.store import access
from engine.store.access import Tries
from engine.store.database import Connection
from engine.trail.event import moment

FORGOTTEN_AFTER = timedelta(days=1)
_FIRST_WAIT = timedelta(minutes=1)
_MOST_DOUBLINGS = 12
_V6_SITE = 64
"""Bits of an IPv6 address that name the customer; the rest anybody there may change with every guess."""


class Guess(NamedTuple):
    """What somebody tries: as whom, at what (the password, a code), from which network and device (its hash)."""

    login: str
    what: str
    network: str
    device: str | None = None


class Bucket(NamedTuple):
    """What is counted together: its key, tries that are free, tries from one doubling of the wait to the next."""

    key: str
    free: int
    step: int
    longest: timedelta
    is_shared: bool = False


def buckets(connection: Connection, guess: Guess) -> tuple[Bucket, ...]:
    """Where a guess is counted: at a device its owner has used, by itself; else with all others at the account."""
    if guess.device is not None and access.knows_device(connection, guess.device, guess.login):
        key = hash_of(f"device\n{guess.what}\n{guess.device}\n{guess.login}")
        return (Bucket(key, free=10, step=1, longest=timedelta(minutes=15)),)
    account = hash_of(f"account\n{guess.what}\n{guess.login}")
    network = hash_of(f"network\n{network_of(guess.network)}")
    return (
        Bucket(account, free=5, step=1, longest=timedelta(hours=1)),
        Bucket(network, free=50, step=10, longest=timedelta(minutes=15), is_shared=True),
    )


def network_of(address: str) -> str:
    """What addresses of one customer have in common: the address, or the site's part of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed), _V6_SITE), strict=False))
    return str(parsed)


def begin(connection: Connection, counted: Sequence[Bucket], at: datetime) -> timedelta:
    """Count a guess as a wrong one, and how long to wait before it may be made; none at all: it may be looked at now.

    A guess that has to wait is not counted: who only asks again makes nobody wait longer.
    """
    with connection.writing():
        held = [(bucket, access.hold_bucket(connection, bucket.key, at)) for bucket in sorted(counted)]
        wait = max(_left(bucket, tries, at) for bucket, tries in held)
        if wait > timedelta():
            return wait
        for bucket, tries in held:
            access.write_bucket(connection, bucket.key, _after(bucket, tries, at))
    return timedelta()


def _left(bucket: Bucket, tries: Tries, at: datetime) -> timedelta:
    """How long a bucket is still closed; never longer than it was closed for, also when a clock was set back."""
    return min(datetime.fromisoformat(tries.free_at) - at, waiting(bucket, tries.tries))


def _after(bucket: Bucket, tries: Tries, at: datetime) -> Tries:
    is_old = tries.last_at < moment(at - FORGOTTEN_AFTER)
    count = 1 if is_old else tries.tries + 1
    return Tries(count, moment(at), moment(at + waiting(bucket, count)))


def waiting(bucket: Bucket, tries: int) -> timedelta:
    """How long a bucket is closed after so many tries: not at all, then a minute, then twice as long each time."""
    if tries < bucket.free:
        return timedelta()
    doublings = min((tries - bucket.free) // bucket.step, _MOST_DOUBLINGS)
    return min(_FIRST_WAIT * (1 << doublings), bucket.longest)


def proved(connection: Connection, counted: Sequence[Bucket], at: datetime) -> None:
    """Say that the guess just counted was right: the account begins anew, the network has one wrong guess less."""
    with connection.writing():
        access.clear_buckets(connection, [bucket.key for bucket in counted if not bucket.is_shared])
        take_back(connection, [bucket for bucket in counted if bucket.is_shared], at)
        access.forget_tries(connection, at - FORGOTTEN_AFTER)


def take_back(connection: Connection, counted: Sequence[Bucket], at: datetime) -> None:
    """Say that the guess just counted was none: nobody looked at it."""
    with connection.writing():
        for bucket in sorted(counted):
            tries = access.hold_bucket(connection, bucket.key, at)
            access.write_bucket(connection, bucket.key, Tries(max(tries.tries - 1, 0), tries.last_at, moment(at)))
