"""Reach: who is told by mail, and who through a channel of their own, a chat program or a telephone.

A person who has a channel has an address here that no mail system delivers to (RFC 2606), so that everything that
asks whether somebody can be reached, and where, is asked in one way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from notifications.people import Person

_DOMAIN = "channel.invalid"
_LETTERS = 32
"""Of the hash in front of the @, which says nothing of the person."""


class Reach:
    """Who has a channel; who has none is written to.

    Args:
        channels: The Apprise URL of each person, by key (`person/LOGIN`, `student/NUMBER`). They hold secrets: they are
            shown to nobody, and leave this only by `channel`.
    """

    def __init__(self, channels: Mapping[str, str]) -> None:
        self._channels = {_address(key): url for key, url in channels.items()}

    def __bool__(self) -> bool:
        """Whether anybody has a channel."""
        return bool(self._channels)

    def of(self, person: Person) -> Person:
        """A person as they are reached: through their channel, whatever became of mail to them."""
        address = _address(person.key)
        return replace(person, address=address, refused=False) if address in self._channels else person

    def channel(self, address: str) -> str | None:
        """The URL of the channel behind an address; None: it is one for mail."""
        return self._channels.get(address)


BY_MAIL = Reach({})
"""Nobody has a channel."""


def _address(key: str) -> str:
    return f"{hashlib.sha256(key.encode()).hexdigest()[:_LETTERS]}@{_DOMAIN}"
