"""Going through a sample case by case: where one is in it, and what stands beside it."""

from collections.abc import Sequence
from typing import NamedTuple


class Walk(NamedTuple):
    """Where one is in a sample: the number-th of so many, and the addresses of the sample and of those beside it."""

    sample: str
    number: int
    total: int
    before: str | None
    after: str | None


def walk_through(sample: str, addresses: Sequence[str], at: int) -> Walk:
    """Where the case at a place of a sample stands.

    Args:
        sample: The address to which one goes back.
        addresses: Of all its cases, in their order.
        at: The place, from 0.
    """
    before = addresses[at - 1] if at else None
    return Walk(sample, at + 1, len(addresses), before, next(iter(addresses[at + 1 :]), None))
