"""The lists of the teaching points: everybody reviewed, the list closed, signed on paper, sealed and submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO

from PIL import Image

from console.calling import Sitting
from console.demo.acts import NOTHING, Done, take_on
from console.demo.school import SITES, operator
from engine.attaching import attach
from engine.casework import move
from engine.queues import Waiting, waiting_for
from engine.records import Json, Moved
from exchange.evidence import inspect

_MISSING: Mapping[str, Json] = {"reason": "毕业条件尚未齐备"}
_SLOTS = ("handler", "head", "seal")
"""Who signs and seals the statement, on paper; the operator records it."""


def find_eligible(sitting: Sitting, students: frozenset[str]) -> Done:
    """At each teaching point the operator finds eligible in the review whoever is."""
    return _reviewed(sitting, "find_eligible", students)


def find_the_rest(sitting: Sitting) -> Done:
    """Whoever is still undecided is set aside: something is missing."""
    return _reviewed(sitting, "set_aside", None)


def submit_lists(sitting: Sitting) -> int:
    """Each teaching point closes its list, hands in the signed statement and submits it; how many did."""
    submitted = 0
    for site in SITES:
        login = operator(site.code)
        for one in _waiting(sitting, login, "close"):
            submitted += _submit(sitting, login, one.case)
    return submitted


def _reviewed(sitting: Sitting, trigger: str, students: frozenset[str] | None) -> Done:
    """One finding for these students, or for everybody whose review is still to be done."""
    done = NOTHING
    for site in SITES:
        login = operator(site.code)
        waiting = [one for one in _waiting(sitting, login, "find_eligible") if one.state == "undecided"]
        cases = [(one.case, one.revision) for one in waiting if students is None or one.student_no in students]
        done += take_on(sitting, login, trigger, cases, {} if students else _MISSING)
    return done


def _waiting(sitting: Sitting, login: str, trigger: str) -> list[Waiting]:
    waiting = waiting_for(sitting.desk, sitting.desk.actor(login), sitting.at)
    return [one for one in waiting if trigger in one.triggers]


def _submit(sitting: Sitting, login: str, case: int) -> bool:
    desk, actor = sitting.desk, sitting.desk.actor(login)
    move(desk, case, sitting.request("close", actor))
    attach(desk, case, "E-F04", inspect("statement.png", _scan()), sitting.request("attach", actor))
    signing = sitting.request("submit_list", actor)
    signed = [move(desk, case, replace(signing, slot=slot)) for slot in _SLOTS]
    return all(isinstance(one, Moved) for one in signed)


def _scan() -> bytes:
    """A page, blank but for its paper."""
    written = BytesIO()
    Image.new("L", (620, 877), 250).save(written, "PNG")
    return written.getvalue()
