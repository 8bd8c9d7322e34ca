"""The first password, and another one when it was forgotten: both by a code for one use that somebody was given."""

from __future__ import annotations

from fastapi import Response
from starlette.background import BackgroundTask

from console.access import entering
from console.access.entering import NewPassword
from console.access.limiter import MAILS
from console.access.passwords import Crowded, WeakPassword
from console.access.refusals import MustWait, WrongCode
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.fault_pages import in_language
from console.web.signing_in import browser
from console.web.signing_in.resetting import send_reset
from console.web.signing_in.routes import WRONG, failed
from console.web.turns import of_password
from console.web.visit import Visit

doors = Doors()


@doors.get("/activate", to=Audience.ANYONE)
def activate(visit: Visit) -> Response:
    """The form for account, code and password."""
    return _page(visit)


@doors.post("/activate", to=Audience.ANYONE, turn=of_password)
def activated(visit: Visit) -> Response:
    """The password its owner wants; signing in with it comes next, at a browser that is the owner's from now on."""
    login, posted = visit.form.get("account", ""), visit.posted
    wanted = NewPassword(visit.form.get("code", ""), str(posted.get("password", "")))
    if wanted.password != str(posted.get("repeated", "")):
        return _page(visit, status=WRONG, error=visit.say("两次输入的密码不一样"))
    try:
        visit.demand_turn()
        entering.by_one_time_code(visit.desk.connection, browser.guess(visit, login, MAILS), wanted, visit.at)
    except WeakPassword as problem:
        return _page(visit, status=WRONG, error=in_language(str(problem), visit.lang))
    except (WrongCode, Crowded) as problem:
        return failed(visit, problem, _page)
    browser.know(visit, login)
    return visit.go("/sign-in?set=1")


def _page(visit: Visit, *, status: int = 200, error: str = "") -> Response:
    account, code = visit.form.get("account", ""), visit.form.get("code", "")
    return visit.page("sign-in/activate.html", status=status, error=error, account=account, code=code)


@doors.get("/forgotten", to=Audience.ANYONE)
def forgotten(visit: Visit) -> Response:
    """The form for the account."""
    return _mail_page(visit)


@doors.post("/forgotten", to=Audience.ANYONE)
def reset(visit: Visit) -> Response:
    """The same answer whether or not there is such an account; what is done for one is done after the answer."""
    asked = browser.guess(visit, visit.form.get("account", ""), MAILS)
    try:
        is_due = entering.may_mail(visit.desk.connection, asked, visit.at)
    except MustWait as problem:
        return failed(visit, problem, _mail_page)
    answer = visit.page("sign-in/forgotten.html", is_done=True, error="")
    if is_due:
        answer.background = BackgroundTask(send_reset, visit.house, asked.login, visit.at)
    return answer


def _mail_page(visit: Visit, *, status: int = 200, error: str = "") -> Response:
    account = visit.form.get("account", "")
    return visit.page("sign-in/forgotten.html", status=status, error=error, is_done=False, account=account)
