"""Access: whoever looked at a document had the right to, told from the looks that its case keeps.

Facts of a student leave a look where personal ones are shown in full, masked ones leave none; and whoever reads the
tables past the engine never leaves one.

Source: requirements.md 7 (INV-ACC).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.auditing.ground import Flaw, Ground
from engine.auditing.history import NOTED, REFUSED, VIEWED, Event, History
from engine.checking.names import people
from engine.trail.event import EventKind

Flaws = Iterator[Flaw]
_AUDITOR, _STUDENT = "auditor", "student"
"""Who looks without a part in any step: all of what is below the own unit, and what is one's own."""
_WHOLE = "view:case"
"""The trigger of a look at a case as a whole: no document is handed out (`engine.viewing.view_case`)."""
_VALUES = "view:facts"
"""The trigger of a look at personal values in full (`engine.viewing.reveal`)."""


def seen_by_right(history: History, ground: Ground) -> Flaws:
    """INV-ACC-1: each look by a role that takes part or audits, held then and there, at a document of the case."""
    if not any(one.kind == VIEWED for one in history.events):
        return
    there: dict[tuple[object, str], str] = {}
    for place, one in enumerate(history.events):
        if one.kind == VIEWED:
            yield from _of_right(history, ground, one, history.units[place])
            if one.data.trigger == _WHOLE:
                yield from _of_whole(one)
            elif one.data.trigger != _VALUES:
                yield from _of_case(one, there)
        elif one.kind == EventKind.EVIDENCE_WITHDRAWN:
            there.pop((one.data.added, one.data.document), None)
        elif one.kind != REFUSED:
            there.update(_brought(one))


def noted_by_right(history: History, ground: Ground) -> Flaws:
    """INV-ACC-1: whoever noted something on a case was an auditor at its unit or above, in the own right."""
    for place, one in enumerate(history.events):
        if one.kind != NOTED:
            continue
        own = one.role == _AUDITOR and one.delegation is None
        held = own and ground.holds(one.actor, _AUDITOR, one.unit or "", one.at)
        if not held or not ground.is_above(one.unit or "", history.units[place]):
            yield Flaw(
                one.seq, f"{one.actor} 当时不是该单位的审计员而作记录", f"{one.actor} noted and was no auditor there"
            )


def _brought(one: Event) -> Iterator[tuple[tuple[object, str], str]]:
    """The documents an event brings, by its place and their kind: a file that was handed in, forms a step made."""
    data = one.data
    if one.kind == EventKind.EVIDENCE_ADDED:
        yield (one.seq, data.document), str((data.file or {}).get("sha256"))
    for kind, digest in (data.documents or {}).items():
        yield (one.seq, kind), digest


def _of_whole(one: Event) -> Flaws:
    """Looks at a case as a whole are kept of auditors only."""
    if one.role != _AUDITOR:
        yield Flaw(one.seq, f"以角色“{one.role}”查看整件", f"the case as a whole was seen by a {one.role}")


def _of_case(one: Event, there: Mapping[tuple[object, str], str]) -> Flaws:
    data = one.data
    named = f"{data.document} #{data.added}"
    digest = there.get((data.added, data.document))
    if digest is None:
        yield Flaw(one.seq, f"查看了当时不在办件上的材料 {named}", f"{named} was seen and was not on the case")
    elif digest != data.sha256:
        yield Flaw(one.seq, f"查看的 {named} 不是上交的文件", f"what was seen as {named} is another file")


def _of_right(history: History, ground: Ground, one: Event, unit: str) -> Flaws:
    role = one.role or ""
    definition = ground.definitions.get(one.definition, history.definition)
    everyone = (who for step in definition.transitions.values() for who, _ in people(step))
    acting = [who for who in everyone if role in (who.role, who.acting_role)]
    if not acting and role not in (_AUDITOR, _STUDENT):
        yield Flaw(one.seq, f"角色“{role}”不参与此类办件而查看材料", f"{role} takes no part and looked at a document")
    if one.delegation is not None and not ground.loans(history.chain, one):
        yield Flaw(one.seq, f"{one.actor} 无委派而查看材料", f"{one.actor} looked without a delegation")
    if role == _STUDENT:
        if one.delegation is None and ground.student_of.get(one.actor) != history.student:
            yield Flaw(one.seq, f"{one.actor} 不是学生本人而查看材料", f"{one.actor} is not the student and looked")
        return
    holder = one.actor if one.delegation is None else str(one.delegation["by"])
    if not ground.holds(holder, role, one.unit or "", one.at):
        what = f"{holder} 当时在 {one.unit} 没有角色“{role}”而查看材料"
        yield Flaw(one.seq, what, f"{holder} was no {role} at {one.unit} and a document was looked at")
    elif not any(who.at for who in acting) and not ground.is_above(one.unit or "", unit):
        yield Flaw(one.seq, f"{one.unit} 不管 {unit} 的办件而查看材料", f"{one.unit} is not above {unit} and looked")
