"""The yardstick on SQLite: BEGIN IMMEDIATE, one SELECT, the UPDATE by revision, the INSERTs, COMMIT."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from console.bench.by_hand import STEPS, Decided, Grant, Letterhead, Row, decide_by_hand
from console.bench.hand_sql import (
    EVENT,
    RIGHTS,
    TOLD,
    UPDATE,
    ManyByHand,
    Raw,
    Step,
    select,
    select_params,
    won_all,
)  # fmt: skip
from console.bench.lanes_by_hand import INTO_DEED, INTO_HAND, INTO_LANE, OUT_OF_HAND, OUT_OF_LANE
from console.bench.scene import Act

_GATHER = "group_concat({})"
_SELECTS = {trigger: select(trigger, which="= ?", gather=_GATHER) for trigger in STEPS}


def rights(raw: Raw, login: str) -> list[Grant]:
    """The rights a person holds now."""
    return list(raw.execute(RIGHTS, (login,)).fetchall())


def one_by_one(raw: Raw, letterhead: Letterhead) -> Step:
    """Takes single steps, each in its own transaction."""

    def take(case: int, act: Act, request: str, grant: Grant) -> None:
        """One step, all of it or nothing."""
        raw.execute("BEGIN IMMEDIATE")
        try:
            row = raw.execute(_SELECTS[act.trigger], select_params(act, case)).fetchone()
            one = decide_by_hand(row, act, request, grant, letterhead)
            won_all(raw.execute(UPDATE, one.update).rowcount, 1)
            raw.execute(EVENT, one.event)
            if one.told is not None:
                raw.execute(TOLD, one.told)
            _write_beside(raw, one)
            raw.execute("COMMIT")
        except BaseException:
            raw.execute("ROLLBACK")
            raise

    return take


def _write_beside(raw: Raw, one: Decided) -> None:
    """Where the case waits, whom that is kept from, and who did it."""
    if one.waited:
        raw.execute(OUT_OF_LANE, one.event[:1])
        raw.execute(OUT_OF_HAND, one.event[:1])
    if one.waits.lane is not None:
        raw.execute(INTO_LANE, one.waits.lane)
    for hand in one.waits.hands:
        raw.execute(INTO_HAND, hand)
    raw.execute(INTO_DEED, one.deed)


def many(raw: Raw, letterhead: Letterhead) -> ManyByHand:
    """Takes a step on many cases with `executemany`."""

    def read(act: Act, cases: Sequence[int]) -> list[Row]:
        return list(raw.execute(_select_many(act.trigger, len(cases)), select_params(act, tuple(cases))).fetchall())

    def write(steps: Sequence[Decided]) -> None:
        won_all(raw.executemany(UPDATE, [one.update for one in steps]).rowcount, len(steps))
        raw.executemany(EVENT, [one.event for one in steps])
        raw.executemany(TOLD, [one.told for one in steps if one.told is not None])
        waited = [(one.event[0],) for one in steps if one.waited]
        raw.executemany(OUT_OF_LANE, waited)
        raw.executemany(OUT_OF_HAND, waited)
        raw.executemany(INTO_LANE, [one.waits.lane for one in steps if one.waits.lane is not None])
        raw.executemany(INTO_HAND, [hand for one in steps for hand in one.waits.hands])
        raw.executemany(INTO_DEED, [one.deed for one in steps])

    return ManyByHand(raw=raw, letterhead=letterhead, begin="BEGIN IMMEDIATE", read=read, write=write)


@lru_cache
def _select_many(trigger: str, count: int) -> str:
    return select(trigger, which=f"IN ({','.join('?' * count)})", gather=_GATHER)
