"""Regathering: who was on a list that has let its members go since.

The trail keeps a hash of them. They are gathered again from the cases as they were when the list froze; only what has
that hash is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from engine.actors import THE_PAST
from engine.desk import Desk
from engine.lists import digest_of
from engine.past import Past, past_of
from engine.records import Case, Request, case_number, case_of
from engine.sight import Seeing
from engine.store.cases import Found, read_case
from engine.store.past import add_members, event_at, lines_of

_CHUNK = 500


def gather_again(past: Past, desk: Desk, chains: Sequence[int], case: int) -> None:
    """Find the members of the lists in a past whose members are let go, by gathering them as they were.

    A list that gathers still asks who is on others of its kind: where that cannot be found, its own are unknown too.

    Args:
        past: Where they are missing (`members/NUMBER` in its desk's `unknown`).
        desk: The desk of the present, with the definitions of that time.
        chains: What the past was folded from.
        case: The case that is looked at.
    """
    then = past.desk()
    for name in sorted(one for one in then.unknown if one.startswith("members/")):
        of = case_of(name.partition("/")[2]) or 0
        members = _members(past, desk, chains, of)
        if members is not None:
            found = read_case(then.connection, of)
            kind = "" if found is None else found.case.workflow
            add_members(then.connection, [(of, one.id, kind, one.entered_at) for one in members])
            then.unknown.discard(name)
    looked_at = read_case(then.connection, case)
    if looked_at is not None and then.definition(looked_at.case.shape).members and _lacks(then):
        then.unknown.add(f"members/{case_number(case)}")


def _lacks(desk: Desk) -> bool:
    return any(one.startswith("members/") for one in desk.unknown)


def _members(past: Past, desk: Desk, chains: Sequence[int], case: int) -> list[Case] | None:
    """The cases a list would have gathered just before it froze, if they are those it fixed."""
    fixed = past.fixed(case)
    frozen = None if fixed is None else event_at(desk.connection, case, fixed[1])
    if fixed is None or frozen is None:
        return None
    event = orjson.loads(frozen)
    with past_of(desk) as before:
        for start in range(0, len(chains), _CHUNK):
            for line in lines_of(desk.connection, chains[start : start + _CHUNK], (case, fixed[1])):
                before.take(line)
        then = before.desk()
        found = read_case(then.connection, case)
        if found is None:
            return None
        data = event["data"]
        fields = {**found.case.fields, **(data.get("fields") or {})}
        one = Found(
            case=found.case._replace(state=data["to"], fields=fields), known={}, student_no=None, record=None
        )  # fmt: skip
        asked = Request(trigger=data["trigger"], actor=THE_PAST, at=datetime.fromisoformat(event["at"]))
        sight = Seeing(then, then.machine_for(one.case, {}), one, asked)
        members = [other.case for other in sight.candidates()]
    return members if digest_of(members) == fixed[0] else None
