"""加签 and 减签: who signs besides, and before whom, or which place goes unsigned; chosen together with the step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import Response

from console.web.audiences import Audience
from console.web.cases.asking import Form, carry_out, done, form_of
from console.web.cases.looking import asked, dossier_of
from console.web.cases.reading import Dossier
from console.web.doors import Doors
from console.web.visit import Visit
from engine.definition import Bilingual, Sign
from engine.prospects import Prospect
from engine.records import Request, Verdict
from engine.signers import add_signer, drop_signer
from engine.signing import places
from engine.store.cases import Found

doors = Doors()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One slot of a step as people know it: its number in the definition's order, whose it is, and what it seals."""

    slot: str
    number: int
    role: Bilingual
    seal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What may be changed about who signs a step.

    Attributes:
        add: The roles that may be asked to sign besides, with their titles.
        drop: The places that may go unsigned, as far as nobody has signed there.
        before: Where one signs in sequence, the places before which a signer may be added.
        own: That of them at which the reader signs.
        after: The one after it; None where nobody comes after the reader.
    """

    trigger: str
    title: Bilingual
    add: tuple[tuple[str, Bilingual], ...]
    drop: tuple[Place, ...]
    before: tuple[Place, ...]
    own: Place | None
    after: Place | None


@doors.get("/cases/{no}/signers", to=Audience.STAFF)
def signers_form(visit: Visit, no: str) -> Response:
    """Which signer is to be added or dropped, of which step that is being signed."""
    found = visit.case(no)
    return _page(visit, found, form_of(visit, found))


@doors.post("/cases/{no}/signers", to=Audience.STAFF, page=signers_form)
def signers_post(visit: Visit, no: str) -> Response:
    """Add a signer (加签) or let a slot go unsigned (减签)."""
    found = visit.case(no)
    act, trigger, what = (*visit.form.get("change", "").split(":", 2), "", "")[:3]
    reason = visit.form.get("reason", "")
    if act not in ("add", "drop") or not what or not reason:
        lacking = visit.say("请选择加签或减签") if act not in ("add", "drop") or not what else visit.say("请写明理由")
        return _page(visit, found, form_of(visit, found, faults=[lacking]), status=422)
    before = visit.form.get(f"before:{trigger}") or None

    def change(told: Request) -> tuple[Verdict, ...]:
        if act == "drop":
            return drop_signer(visit.desk, found.case.id, what, told)
        return add_signer(visit.desk, found.case.id, what, told, before=before)

    refused = carry_out(visit, f"{act}_signer", asked(visit, trigger, reason=reason), change)
    if refused:
        return _page(visit, found, form_of(visit, found, refused), status=422)
    return done(visit, found)


def _page(visit: Visit, found: Found, form: Form, *, status: int = 200) -> Response:
    offers = tuple(_offers(visit, dossier_of(visit, found)))
    return visit.page("case/signers.html", status=status, form=form, offers=offers)


def _offers(visit: Visit, dossier: Dossier) -> Iterator[Offer]:
    """One for each step that is being signed now and lets its signers be changed."""
    organisation = dossier.desk.library.rulebook.organisation
    for one in dossier.steps:
        signing = dossier.machine.step(dossier.case.state, one.trigger).signing
        sign = None if signing is None else signing.sign
        if sign is None or (sign.add is None and sign.drop is None):
            continue
        known = {
            name: Place(slot=name, number=number, role=organisation.called(slot.role), seal=slot.seal)
            for number, (name, slot) in enumerate(sign.slots.items(), start=1)
        }
        before = tuple(known[name] for name in places(sign, dossier.case.slots, one.trigger))
        mine = next((at for at, place in enumerate(before) if _signs(one, place.slot, visit.login)), None)
        yield Offer(
            trigger=one.trigger,
            title=one.title,
            add=()
            if sign.add is None
            else tuple((role, organisation.called(role)) for role in sign.add.roles if role in organisation.roles),
            drop=tuple(known[name] for name in _droppable(sign, one)),
            before=before,
            own=None if mine is None else before[mine],
            after=None if mine is None else next(iter(before[mine + 1 :]), None),
        )


def _signs(one: Prospect, slot: str, login: str) -> bool:
    """Whether a person could sign in a slot."""
    seats = () if one.signatures is None else one.signatures.seats
    return any(login in seat.could for seat in seats if seat.name.partition("@")[0] == slot)


def _droppable(sign: Sign, one: Prospect) -> Iterator[str]:
    """The slots that may go: those that are waited for, and in none of whose seats anybody has signed."""
    seats = () if one.signatures is None or sign.drop is None else one.signatures.seats
    waiting = {seat.name.partition("@")[0] for seat in seats}
    over = {seat.name.partition("@")[0] for seat in seats if seat.given is not None}
    yield from (name for name in (sign.drop.slots if sign.drop else ()) if name in waiting - over)
