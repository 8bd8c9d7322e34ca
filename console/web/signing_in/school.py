"""The school's own sign-on: out to the school's server and back (OpenID Connect, CAS 3), and out when it says so."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Depends, Request, Response

from console.access import cas, oidc, school, sessions
from console.access.oidc import Provider
from console.access.school import GOOD_FOR, Identity, Note, SchoolSilent
from console.settings import Settings
from console.web import forms
from console.web.addresses import own_path
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import NotFound
from console.web.house import House
from console.web.signing_in import browser, school_settings
from console.web.turns import of_school
from console.web.visit import Visit
from engine.errors import Unreadable
from engine.store import access

doors = Doors()

_NO_STORE = {"Cache-Control": "no-store"}


@doors.get("/sign-in/oidc", to=Audience.ANYONE, turn=of_school)
def to_oidc(visit: Visit) -> Response:
    """To the school's server, with a note of what was wanted."""
    provider = _provider(visit.house)
    return _out(visit, lambda note: oidc.login_address(provider, note))


@doors.get("/sign-in/oidc/back", to=Audience.ANYONE, turn=of_school)
def from_oidc(visit: Visit) -> Response:
    """Back from the school's server with a code."""
    provider, code = _provider(visit.house), visit.request.query_params.get("code", "")
    return _back(visit, lambda note: oidc.identify(provider, note, code, visit.at))


@doors.get("/sign-in/cas", to=Audience.ANYONE)
def to_cas(visit: Visit) -> Response:
    """To the school's CAS server, with a note of what was wanted."""
    server, origin = _cas(visit.house.settings), visit.house.origin
    return _out(
        visit, lambda note: cas.login_address(server, cas.service_of(origin, note.state), renew=bool(note.again))
    )


@doors.get("/sign-in/cas/back", to=Audience.ANYONE, turn=of_school)
def from_cas(visit: Visit) -> Response:
    """Back from the CAS server with a ticket."""
    server, origin = _cas(visit.house.settings), visit.house.origin
    ticket = visit.request.query_params.get("ticket", "")
    return _back(
        visit, lambda note: cas.identify(server, cas.service_of(origin, note.state), ticket, renew=bool(note.again))
    )


def _out(visit: Visit, address: Callable[[Note], str]) -> Response:
    is_again = visit.session is not None and "again" in visit.request.query_params
    note = school.new_note(browser.wanted(visit), visit.at, again=visit.login if is_again else "")
    if not visit.has_turn:
        return _failed(visit, "school", note.next)
    try:
        with visit.away():
            leads_to = address(note)
    except SchoolSilent:
        return _failed(visit, "school", note.next)
    seconds = int(GOOD_FOR.total_seconds())
    visit.set_cookie(_note_cookie(visit), school.written(note, visit.office.key), seconds=seconds)
    return visit.go(leads_to)


def _back(visit: Visit, identify: Callable[[Note], Identity]) -> Response:
    """Let in whom the school has signed in, if this is the browser that was sent there."""
    state = visit.request.query_params.get("state", "")
    kept = visit.request.cookies.get(_note_cookie(visit), "")
    note = school.read(kept, state, visit.office.key, visit.at)
    visit.set_cookie(_note_cookie(visit), "", seconds=0)
    if note is None or not visit.has_turn:
        return _failed(visit, "school", "/" if note is None else note.next)
    try:
        with visit.away():
            identity = identify(note)
    except SchoolSilent:
        return _failed(visit, "school", note.next)
    return _proved(visit, identity, note) if note.again else _arrived(visit, identity, note)


def _arrived(visit: Visit, identity: Identity, note: Note) -> Response:
    row = access.credential(visit.desk.connection, identity.login)
    if row is None or row.is_disabled:
        return _failed(visit, "unknown", note.next)
    browser.come_in(visit, row.login, ticket=identity.ticket)
    return visit.go(own_path(note.next))


def _proved(visit: Visit, identity: Identity, note: Note) -> Response:
    """Step up: the same person, at the same browser."""
    if visit.session is None or not visit.login == note.again == identity.login:
        return _failed(visit, "unknown", note.next)
    token = sessions.step_up(visit.desk.connection, visit.session, visit.at)
    if token is not None:
        visit.begin_session(token)
    return visit.go(own_path(note.next))


def _failed(visit: Visit, why: str, following: str) -> Response:
    """To our own form, which says so; somebody signed in already goes on to the page wanted, no further than before."""
    return visit.go(browser.with_next("/sign-in", following, **{why: "1"}))


def _ended_by_cas(request: Request) -> Response:
    """The CAS server says that a sign-in is over; who knows its ticket may say so, and nobody else can."""
    ticket = cas.ended(forms.texts(forms.posted(request)).get("logoutRequest", ""))
    return _end(request.app.state.house, () if ticket is None else (ticket,))


def _ended_by_oidc(request: Request) -> Response:
    """The school's server says, signed, that a sign-in is over."""
    house: House = request.app.state.house
    token = forms.texts(forms.posted(request)).get("logout_token", "")
    is_set = bool(school_settings.ways(house.settings))
    return _end(house, oidc.ended(_provider(house), token, house.now()) if is_set else ())


def _end(house: House, tickets: tuple[str, ...]) -> Response:
    if not tickets:
        return Response(status_code=400, headers=_NO_STORE)
    with house.desks.borrowed() as office:
        for ticket in tickets:
            sessions.end_by_ticket(office.desk.connection, ticket)
    return Response(status_code=200, headers=_NO_STORE)


for _path, _endpoint in (("/sign-in/cas/back", _ended_by_cas), ("/sign-in/oidc/out", _ended_by_oidc)):
    # a server comes here and no browser: it has no page of ours, and brings its own proof
    doors.add_api_route(
        _path, _endpoint, methods=["POST"], dependencies=[Depends(forms.read_form)], include_in_schema=False
    )


def _provider(house: House) -> Provider:
    settings = house.settings
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        raise NotFound
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=_secret(settings),
        claim=settings.oidc_claim,
        back=f"{house.origin}/sign-in/oidc/back",
    )


def _secret(settings: Settings) -> str | None:
    file = settings.oidc_client_secret_file
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as problem:
        expected = "存有客户端密钥的文件 the file that holds the client's secret"
        raise Unreadable("XUEJI_OIDC_CLIENT_SECRET_FILE", str(file), expected) from problem


def _cas(settings: Settings) -> str:
    if settings.cas is None:
        raise NotFound
    return settings.cas


def _note_cookie(visit: Visit) -> str:
    return f"{visit.house.cookie}-school"
