"""Signing in and out: account and password, then a code (the console's specification, 7.1).

One answer for every failure, with the same bytes after the same time. A new token at every sign-in; nothing a browser
showed before is good afterwards.
"""

from __future__ import annotations

from fastapi import Response

from console.access import entering, sessions, totp
from console.access.entering import HALFWAY
from console.access.limiter import PASSWORD
from console.access.passwords import Crowded
from console.access.refusals import MustWait, NotLetIn, WrongCode
from console.demo import evening
from console.web import kept
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.fault_pages import in_language
from console.web.signing_in import browser, school_settings
from console.web.turns import of_password
from console.web.visit import Visit
from engine.errors import XuejiError
from engine.store import access
from engine.store.access import CredentialRow

doors = Doors()

WRONG, TOO_OFTEN = 422, 429
_SEVERAL_SECONDS = 5


@doors.get("/sign-in", to=Audience.ANYONE)
def sign_in(visit: Visit) -> Response:
    """The form; somebody signed in goes on to the page wanted."""
    return browser.to_next(visit) if visit.session is not None else sign_in_page(visit)


@doors.post("/sign-in", to=Audience.ANYONE, turn=of_password)
def sign_in_with_password(visit: Visit) -> Response:
    """Account and password: in, or on to the code."""
    guess = browser.guess(visit, visit.form.get("account", ""), PASSWORD)
    try:
        visit.demand_turn()
        row = entering.by_password(visit.desk.connection, guess, str(visit.posted.get("password", "")), visit.at)
    except (NotLetIn, MustWait, Crowded) as problem:
        return failed(visit, problem, sign_in_page)
    step = _next_step(visit, row)
    if step is None:
        browser.come_in(visit, row.login)
        return browser.to_next(visit)
    token = entering.halfway(visit.desk.connection, row.login, visit.at)
    browser.keep_halfway(visit, token, int(HALFWAY.total_seconds()))
    return visit.go(browser.with_next(step, browser.wanted(visit)))


def _next_step(visit: Visit, row: CredentialRow) -> str | None:
    """What follows the password: a code, a second factor to be set up, or (None) nothing.

    Staff have a second factor; the invented people of a rehearsal need none.
    """
    if row.totp_secret is not None:
        return "/sign-in/code"
    return None if row.is_student or visit.house.rehearsal else "/sign-in/enrol"


def sign_in_page(visit: Visit, *, status: int = 200, error: str = "") -> Response:
    """The form, empty but for the account that was typed."""
    roots = [unit.name for unit in visit.desk.units().values() if unit.parent is None]
    return visit.page(
        "sign-in/sign_in.html",
        rehearsed=evening.accounts(visit.office),
        rehearsed_by=evening.PASSWORD,
        status=status,
        error=error,
        tidings="" if error else _tidings(visit),
        school=roots[0] if roots else "",
        account=visit.form.get("account", ""),
        next=browser.wanted(visit),
        ways=school_settings.ways(visit.house.settings),
    )


def _tidings(visit: Visit) -> str:
    """What has just happened, as the address says; nothing that is not one of these."""
    if browser.wanted(visit).startswith(kept.PLACE):
        return visit.say("登录已过期，您写的内容还在：登录后再按一次即可")
    told = {
        "out": visit.say("已安全退出"),
        "set": visit.say("密码已设好，请登录"),
        "school": visit.say("学校统一身份登录没有回应，可用本系统账号"),
        "unknown": visit.say("已通过统一身份认证，但本系统没有您的账号，请找学籍科"),
    }
    return next((text for name, text in told.items() if name in visit.request.query_params), "")


@doors.get("/sign-in/code", to=Audience.ANYONE)
def code(visit: Visit) -> Response:
    """The form for the code; whose password was not right a short while ago begins anew."""
    return _code_page(visit) if _who(visit) is not None else _begin_anew(visit)


@doors.post("/sign-in/code", to=Audience.ANYONE)
def sign_in_with_code(visit: Visit) -> Response:
    """The code: in."""
    connection, row = visit.desk.connection, _who(visit)
    if row is None:
        return _begin_anew(visit)
    try:
        given = visit.form.get("code", "")
        entering.by_code(connection, visit.office.key, browser.guess(visit, row.login, "code"), given, visit.at)
    except (WrongCode, MustWait) as problem:
        return failed(visit, problem, _code_page)
    if not entering.arrive(connection, browser.halfway_token(visit), row, visit.at):
        return _begin_anew(visit)
    browser.come_in(visit, row.login)
    return browser.to_next(visit)


def _code_page(visit: Visit, *, status: int = 200, error: str = "") -> Response:
    is_spare = "spare" in visit.request.query_params
    return visit.page("sign-in/code.html", status=status, error=error, next=browser.wanted(visit), is_spare=is_spare)


@doors.get("/sign-in/enrol", to=Audience.ANYONE)
def enrol(visit: Visit) -> Response:
    """The picture by which a telephone learns the secret, at the first sign-in of a member of staff."""
    row = _who(visit)
    return _begin_anew(visit) if row is None or row.totp_secret is not None else _enrol_page(visit)


@doors.post("/sign-in/enrol", to=Audience.ANYONE)
def enrolled(visit: Visit) -> Response:
    """The first code of a telephone: in, and the codes for when it is lost are shown once."""
    connection, key, row, token = visit.desk.connection, visit.office.key, _who(visit), browser.halfway_token(visit)
    if row is None or row.totp_secret is not None:
        return _begin_anew(visit)
    secret, given = totp.offered_secret(key, token), visit.form.get("code", "")
    if not totp.is_shown(secret, given, visit.at):
        return failed(visit, WrongCode(), _enrol_page)
    if not entering.arrive(connection, token, row, visit.at):
        return _begin_anew(visit)
    codes = totp.enrol(connection, key, row.login, secret, visit.at)
    kept = access.credential(connection, row.login)
    if kept is not None:
        totp.take(connection, key, kept, given, visit.at)  # the code just shown is used
    browser.come_in(visit, row.login)
    return visit.page("sign-in/recovery.html", codes=codes, next=browser.wanted(visit))


def _enrol_page(visit: Visit, *, status: int = 200, error: str = "") -> Response:
    row = _who(visit)
    secret = totp.offered_secret(visit.office.key, browser.halfway_token(visit))
    picture = totp.picture(secret, "" if row is None else row.login)
    return visit.page(
        "sign-in/enrol.html", status=status, error=error, next=browser.wanted(visit), picture=picture,
        secret=in_fours(secret), action="/sign-in/enrol",
    )  # fmt: skip


@doors.post("/sign-out", to=Audience.ANYONE)
def sign_out(visit: Visit) -> Response:
    """Out; the token is good no more, whoever kept it."""
    if visit.cookie is not None:
        sessions.end(visit.desk.connection, visit.cookie)
    visit.end_session()
    return visit.go("/sign-in?out=1")


def failed(visit: Visit, problem: XuejiError, page: school_settings.Page) -> Response:
    """The same form with one sentence, which does not tell what was wrong."""
    error = in_language(str(problem), visit.lang)
    if not isinstance(problem, MustWait | Crowded):
        return page(visit, status=WRONG, error=error)
    answer = page(visit, status=TOO_OFTEN, error=error)
    answer.headers["Retry-After"] = str(problem.seconds if isinstance(problem, MustWait) else _SEVERAL_SECONDS)
    return answer


def _who(visit: Visit) -> CredentialRow | None:
    return entering.who_is_halfway(visit.desk.connection, browser.halfway_token(visit), visit.at)


def _begin_anew(visit: Visit) -> Response:
    return visit.go(browser.with_next("/sign-in", browser.wanted(visit)))


def in_fours(secret: str) -> str:
    """A secret as people type it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
