"""What is a person's own: language, seconds to undo, keys, density, password, second factor, sessions (`/me`)."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import Response
from pydantic import TypeAdapter, ValidationError

from console.access import entering, passwords, sessions, totp
from console.access.limiter import PASSWORD
from console.access.passwords import Crowded, WeakPassword
from console.access.refusals import MustWait, NotLetIn, WrongCode
from console.web.audiences import Audience, audiences
from console.web.doors import Doors
from console.web.fault_pages import in_language
from console.web.faults import NotFound
from console.web.signing_in import browser
from console.web.signing_in.routes import WRONG, failed, in_fours
from console.web.turns import of_password
from console.web.visit import LANGUAGE_COOKIE, Visit
from engine.store import access
from engine.store import sessions as stored
from engine.store.sessions import Preference, SessionRow

doors = Doors()

_YEAR = 365 * 24 * 3600
_LANGUAGES = ("zh", "en")
UNDO_SECONDS = (10, 30, 60)
_PREFERENCE = TypeAdapter(Preference)


@doors.get("/me", to=Audience.SIGNED_IN)
def me(visit: Visit) -> Response:
    """One's own settings, and where one is signed in."""
    return _page(visit)


@doors.post("/me/language", to=Audience.ANYONE)
def language(visit: Visit) -> Response:
    """Chinese or English, for this browser and for the person; back to the page it was chosen on."""
    lang = visit.form.get("lang", "")
    if lang not in _LANGUAGES:
        raise NotFound
    visit.set_cookie(LANGUAGE_COOKIE, lang, seconds=_YEAR)
    if visit.session is not None:
        _keep(visit, visit.session, lang=lang)
    return visit.go(visit.wanted)


@doors.post("/me/preferences", to=Audience.SIGNED_IN)
def preferences(visit: Visit) -> Response:
    """How the pages are liked."""
    form = visit.form
    lang, seconds = form.get("lang", ""), form.get("undo_seconds", "")
    undo = next((one for one in UNDO_SECONDS if str(one) == seconds), None)
    _keep(visit, _mine(visit), lang=lang or None, undo_seconds=undo, keys="keys" in form, density=form.get("density"))
    if lang:
        visit.set_cookie(LANGUAGE_COOKIE, lang, seconds=_YEAR)
    return visit.go("/me?kept=1")


@doors.post("/me/password", to=Audience.SIGNED_IN, turn=of_password)
def new_password(visit: Visit) -> Response:
    """A new password, for who knows the old one; every other session ends, this one gets a new token."""
    posted, row, connection = visit.posted, _mine(visit), visit.desk.connection
    wanted = str(posted.get("password", ""))
    if wanted != str(posted.get("repeated", "")):
        return _page(visit, status=WRONG, error=visit.say("两次输入的密码不一样"))
    try:
        visit.demand_turn()
        passwords.refuse_weak(wanted, row.login)
        guess = browser.guess(visit, row.login, PASSWORD)
        entering.by_password(connection, guess, str(posted.get("current", "")), visit.at)
        kept = passwords.hashed(wanted)
    except WeakPassword as problem:
        return _page(visit, status=WRONG, error=in_language(str(problem), visit.lang))
    except (NotLetIn, MustWait, Crowded) as problem:
        return failed(visit, problem, _page)
    entering.replace_password(connection, row.login, kept, visit.at)
    browser.come_in(visit, row.login)
    return visit.go("/me?password=1")


@doors.get("/me/second-factor", to=Audience.SIGNED_IN)
def second_factor(visit: Visit) -> Response:
    """A telephone to enrol, in place of another if there is one; asks first who is there."""
    visit.demand_fresh_proof(visit.say("更换动态口令"))
    return _enrol_page(visit)


@doors.post("/me/second-factor", to=Audience.SIGNED_IN)
def new_second_factor(visit: Visit) -> Response:
    """The first code of the new telephone; the old one and its spare codes are good no more."""
    visit.demand_fresh_proof(visit.say("更换动态口令"))
    connection, row, given = visit.desk.connection, _mine(visit), visit.form.get("code", "")
    secret = _offered(visit, row)
    if not totp.is_shown(secret, given, visit.at):
        return failed(visit, WrongCode(), _enrol_page)
    codes = totp.enrol(connection, visit.office.key, row.login, secret, visit.at)
    kept = access.credential(connection, row.login)
    if kept is not None:
        totp.take(connection, visit.office.key, kept, given, visit.at)  # the code just shown is used
    sessions.end_all(connection, row.login, but=row)
    return visit.page("sign-in/recovery.html", codes=codes, next="/me")


@doors.post("/me/sessions", to=Audience.SIGNED_IN)
def end_sessions(visit: Visit) -> Response:
    """Sign out one other browser, or (`all`) every other."""
    connection, row, which = visit.desk.connection, _mine(visit), visit.form.get("session", "")
    if which == "all":
        sessions.end_all(connection, row.login, but=row)
    elif which == row.id_hash or not sessions.end_one(connection, row.login, which):
        raise NotFound
    return visit.go("/me?ended=1")


def _page(visit: Visit, *, status: int = 200, error: str = "") -> Response:
    row, connection = _mine(visit), visit.desk.connection
    told = {
        "kept": visit.say("已保存"),
        "ended": visit.say("已退出所选的登录"),
        "password": visit.say("密码已更改，其他登录都已退出"),
    }
    return visit.page(
        "sign-in/me.html",
        status=status,
        error=error,
        tidings=next((text for name, text in told.items() if name in visit.request.query_params and not error), ""),
        mine=row,
        liked=row.preference,
        sessions=[one for one in stored.sessions_of(connection, row.login) if sessions.ends_at(one) > visit.at],
        undo_seconds=UNDO_SECONDS,
        codes_left=access.codes_left(connection, row.login, "recovery"),
        has_queue=Audience.STAFF in audiences(visit.actor),
    )


def _enrol_page(visit: Visit, *, status: int = 200, error: str = "") -> Response:
    row = _mine(visit)
    secret = _offered(visit, row)
    return visit.page(
        "sign-in/enrol.html", status=status, error=error, next="/me", picture=totp.picture(secret, row.login),
        secret=in_fours(secret), action="/me/second-factor",
    )  # fmt: skip


def _offered(visit: Visit, row: SessionRow) -> str:
    """The same secret while nothing has come of it; another once this one, or any, is kept."""
    kept = access.credential(visit.desk.connection, row.login)
    occasion = f"{row.id_hash} {'' if kept is None else kept.totp_secret or ''}"
    return totp.offered_secret(visit.office.key, occasion)


def _mine(visit: Visit) -> SessionRow:
    if visit.session is None:
        raise NotFound
    return visit.session


def _keep(visit: Visit, row: SessionRow, **changes: object) -> None:
    """Keep what was changed.

    Raises:
        NotFound: If a value is not one of its field's; no form of ours sends one.
    """
    try:
        liked = _PREFERENCE.validate_python({**asdict(row.preference), **changes})
    except ValidationError:
        raise NotFound from None
    with visit.desk.connection.writing():
        stored.set_preference(visit.desk.connection, row.login, liked)
