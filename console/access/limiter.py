"""Waits after wrong guesses, so made that whoever guesses makes nobody wait but who guesses like that.

A guess is counted before it is looked at, in the transaction that reads the count, so that a hundred at the same moment
are as few as a hundred in a row. An account that does not exist is counted like one that does.

Where a guess at a password is counted (OWASP ASVS 6.1.1, 6.3.1: guessing is limited, and the limit locks nobody out):

- At a device its owner has signed in from, or set a password at: there by itself, and nowhere else.
- Anywhere else: at this account from this network, which soon waits long; at this account from everywhere, and for this
  network with whatever account, where each wrong guess runs off again after a while. So who guesses from elsewhere
  keeps the owner from nothing, also where no device of theirs is known; and on a campus that shares one address a
  crowd with typing errors closes nothing: whoever gets in at last takes the own errors back.
- Many networks together may still close an account to unknown devices, and a neighbour who never stops may close one
  network to them. The owner then sets a new password with a code by mail, which nothing closes; that device is known.

A code for one use is not counted: it has 100 random bits, and 64 are enough (NIST SP 800-63B-3, 5.1.2.2).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from console.access.tokens import hash_of
from engine.store import access
from engine.store.access import Tries
from engine.store.database import Connection
from engine.trail.event import moment

FORGOTTEN_AFTER = timedelta(days=1)
_NONE = timedelta()
_FIRST_WAIT = timedelta(minutes=1)
_MOST_DOUBLINGS = 12
_V6_SITE = 64
"""Bits of an IPv6 address that name the customer; the rest anybody there may change with every guess."""
PASSWORD, MAILS = "password", "forgotten"
"""What a guess at a password is counted as, and asking for a mail with a code."""
_WHILE_A_CODE_IS_GOOD = timedelta(minutes=30)
"""No wait for another mail is longer: the last one's code is good for an hour."""


class Guess(NamedTuple):
    """What somebody tries: as whom, at what (the password, a code), from which network and device (its hash)."""

    login: str
    what: str
    network: str
    device: str | None = None


class Bucket(NamedTuple):
    """Somebody's own tries: how many are free; after that each doubles the wait. Who gets in begins anew."""

    key: str
    free: int
    longest: timedelta

    def left(self, tries: Tries, at: datetime) -> timedelta:
        """How long it is still closed; never longer than it was closed for, also when a clock was set back."""
        return min(datetime.fromisoformat(tries.free_at) - at, waiting(self, tries.tries))

    def after(self, tries: Tries, at: datetime) -> Tries:
        """How it stands with one try more; what is a day old is forgotten."""
        is_old = tries.last_at < moment(at - FORGOTTEN_AFTER)
        count = 1 if is_old else tries.tries + 1
        return Tries(count, moment(at), moment(at + waiting(self, count)))

    def less(self, tries: Tries, count: int, at: datetime) -> Tries:
        """How it stands when so many of the tries were none: open, or they would not have been let through."""
        return Tries(max(tries.tries - count, 0), tries.last_at, moment(at))


class Basin(NamedTuple):
    """What the tries of many run into: it holds so many, one runs off each `every`, and when it is full one waits.

    `free_at` is when it will be empty.
    """

    key: str
    holds: int
    every: timedelta

    def left(self, tries: Tries, at: datetime) -> timedelta:
        """How long until there is room for one."""
        return self._empty_at(tries, at) - (self.holds - 1) * self.every - at

    def after(self, tries: Tries, at: datetime) -> Tries:
        """How it stands with one try more."""
        return Tries(tries.tries + 1, moment(at), moment(self._empty_at(tries, at) + self.every))

    def less(self, tries: Tries, count: int, at: datetime) -> Tries:
        """How it stands when so many of the tries were none."""
        return Tries(max(tries.tries - count, 0), moment(at), moment(self._empty_at(tries, at) - count * self.every))

    def _empty_at(self, tries: Tries, at: datetime) -> datetime:
        """When, if nothing more comes; where a clock was set back, as long from now as it was from then."""
        set_back = max(datetime.fromisoformat(tries.last_at) - at, _NONE)
        return max(datetime.fromisoformat(tries.free_at) - set_back, at)


Counted: TypeAlias = Bucket | Basin


def buckets(connection: Connection, guess: Guess) -> tuple[Counted, ...]:
    """Where a guess is counted, as the head of this module says."""
    network = network_of(guess.network)
    if guess.device is not None and access.knows_device(connection, guess.device, guess.login):
        return (Bucket(_key("device", guess.what, guess.device, guess.login), 10, timedelta(minutes=15)),)
    if guess.what == MAILS:
        return (
            Bucket(_key("account", guess.what, guess.login), 5, _WHILE_A_CODE_IS_GOOD),
            Basin(_key("network", guess.what, network), 200, timedelta(minutes=1)),
        )
    if guess.what != PASSWORD:  # a code of the second factor has six digits, and only who has the password may guess it
        return (Bucket(_key("account", guess.what, guess.login), 5, timedelta(hours=1)),)
    return (
        Bucket(_key("account", guess.what, guess.login, network), 5, timedelta(hours=1)),
        Basin(_key("everywhere", guess.what, guess.login), 30, timedelta(minutes=15)),
        Basin(_key("network", guess.what, network), 100, timedelta(minutes=2)),
    )


def _key(*parts: str) -> str:
    """Under which something is counted: what somebody typed stands in no table."""
    return hash_of("\n".join(parts))


def network_of(address: str) -> str:
    """What addresses of one customer have in common: the address, or the site's part of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed), _V6_SITE), strict=False))
    return str(parsed)


def begin(connection: Connection, counted: Sequence[Counted], at: datetime) -> timedelta:
    """Count a guess as a wrong one, and how long to wait before it may be made; none at all: it may be looked at now.

    A guess that has to wait is not counted: who only asks again makes nobody wait longer.
    """
    with connection.writing():
        held = _held(connection, counted, at)
        wait = max((one.left(tries, at) for one, tries in held), default=_NONE)
        if wait > _NONE:
            return wait
        for one, tries in held:
            access.write_bucket(connection, one.key, one.after(tries, at))
    return _NONE


def waiting(bucket: Bucket, tries: int) -> timedelta:
    """How long a bucket is closed after so many tries: not at all, then a minute, then twice as long each time."""
    if tries < bucket.free:
        return _NONE
    return min(_FIRST_WAIT * (1 << min(tries - bucket.free, _MOST_DOUBLINGS)), bucket.longest)


def proved(connection: Connection, counted: Sequence[Counted], at: datetime) -> None:
    """Say that the guess just counted was right: its maker begins anew, what they got wrong before was no guessing."""
    with connection.writing():
        held = _held(connection, counted, at)
        own = max((tries.tries for one, tries in held if isinstance(one, Bucket)), default=0)
        for one, tries in held:
            if isinstance(one, Basin):
                access.write_bucket(connection, one.key, one.less(tries, own, at))
        access.clear_buckets(connection, [one.key for one in counted if isinstance(one, Bucket)])
        access.forget_tries(connection, at - FORGOTTEN_AFTER)


def take_back(connection: Connection, counted: Sequence[Counted], at: datetime) -> None:
    """Say that the guess just counted was none: nobody looked at it."""
    with connection.writing():
        for one, tries in _held(connection, counted, at):
            access.write_bucket(connection, one.key, one.less(tries, 1, at))


def _held(connection: Connection, counted: Sequence[Counted], at: datetime) -> list[tuple[Counted, Tries]]:
    """What is known of each; held in the order of their keys, so that no two guesses wait for each other."""
    return [(one, access.hold_bucket(connection, one.key, at)) for one in sorted(counted, key=attrgetter("key"))]
