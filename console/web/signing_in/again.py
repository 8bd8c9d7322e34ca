"""Stepping up: what cannot be undone asks once more who is there, and says what for (the specification, 7.1).

What for is kept with the form that waits: it names people, and stands in no address.
"""

from __future__ import annotations

from fastapi import Response

from console.access import stepping_up
from console.access.passwords import Crowded
from console.access.refusals import MustWait, NotLetIn, WrongCode
from console.web import kept
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.fault_pages import kept_page
from console.web.faults import NotFound
from console.web.signing_in import browser, school_settings
from console.web.signing_in.routes import failed
from console.web.turns import of_proof
from console.web.visit import Visit

doors = Doors()


@doors.get("/sign-in/again", to=Audience.SIGNED_IN)
def again(visit: Visit) -> Response:
    """The form; somebody who has just proved who they are goes on."""
    session = visit.session
    if session is not None and stepping_up.is_fresh(session, visit.at):
        return browser.to_next(visit)
    return _page(visit)


@doors.post("/sign-in/again", to=Audience.SIGNED_IN, turn=of_proof)
def prove(visit: Visit) -> Response:
    """A code, or the password: on to what was wanted, under a new token."""
    session = visit.session
    if session is None:
        return _page(visit)
    given = str(visit.posted.get("proof", ""))
    try:
        visit.demand_turn()
        token = stepping_up.prove(visit.desk.connection, visit.office.key, session, given, visit.at)
    except (WrongCode, NotLetIn, MustWait, Crowded) as problem:
        return failed(visit, problem, _page)
    visit.begin_session(token)
    return browser.to_next(visit)


@doors.get("/kept/{handle}", to=Audience.SIGNED_IN)
def kept_form(visit: Visit, handle: str) -> Response:
    """What the person sent and was not done, to be looked at and sent again; or the page that was asked for."""
    form = kept.found(visit, handle)
    if form is None:
        raise NotFound
    if page := kept.page_of(form, handle):
        return visit.go(page)
    visit.kept, visit.told = handle, visit.say("您写的内容还在，请看过再按一次")
    return kept_page(visit, form)


def _page(visit: Visit, *, status: int = 200, error: str = "") -> Response:
    purpose = kept.purpose_of(visit, browser.wanted(visit)) or visit.say("继续办理")
    asks = stepping_up.PASSWORD if visit.session is None else stepping_up.asks_for(visit.session)
    return visit.page(
        "sign-in/again.html",
        status=status,
        error=error,
        sentence=_sentence(visit, asks, purpose),
        asks=asks,
        next=browser.wanted(visit),
        ways=school_settings.ways(visit.house.settings),
    )


def _sentence(visit: Visit, asks: str, purpose: str) -> str:
    if asks == stepping_up.CODE:
        return visit.say("为了{purpose}，请再输一次动态口令", purpose=purpose)
    return visit.say("为了{purpose}，请再输一次密码", purpose=purpose)
