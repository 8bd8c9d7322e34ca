"""What the browser of somebody who comes in carries, and the moment of coming in."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Response

from console.access import sessions
from console.access.limiter import Guess
from console.access.sessions import Arrival
from console.access.tokens import hash_of, new_token
from console.web.addresses import own_path
from console.web.visit import Visit
from engine.store import access

_DEVICE_SECONDS = 400 * 24 * 3600
"""As long as browsers keep a cookie at all."""
_BROWSERS = (
    ("Edg", "Edge"),
    ("MicroMessenger", "微信"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def guess(visit: Visit, login: str, what: str) -> Guess:
    """A guess of this browser: who it says it is, at what, from where."""
    client = visit.request.client
    device = visit.request.cookies.get(_device_cookie(visit))
    return Guess(login, what, "" if client is None else client.host, None if device is None else hash_of(device))


def halfway_token(visit: Visit) -> str:
    """What the browser got when its password was right; empty where it has none."""
    return visit.request.cookies.get(_halfway_cookie(visit), "")


def keep_halfway(visit: Visit, token: str, seconds: int) -> None:
    """Let the browser carry that its password was right."""
    visit.set_cookie(_halfway_cookie(visit), token, seconds=seconds)


def come_in(visit: Visit, login: str, *, ticket: str | None = None) -> None:
    """Sign a person in at this browser, which is known from now on; whoever was signed in here before is out.

    Args:
        visit: The request that has proved who it is.
        login: Who.
        ticket: What the school's sign-on calls this sign-in; it proved who it is, and nothing was asked here.
    """
    connection, device = visit.desk.connection, _device(visit)
    if visit.cookie is not None:
        sessions.end(connection, visit.cookie)
    arrival = Arrival(
        device=hash_of(device),
        browser=browser_of(visit.request.headers.get("user-agent", "")),
        ticket=ticket,
        is_proven=ticket is None,
    )
    with connection.writing():
        know(visit, login, device)
        token = sessions.begin(connection, login, visit.at, arrival)
    visit.set_cookie(_halfway_cookie(visit), "", seconds=0)
    visit.begin_session(token)


def know(visit: Visit, login: str, device: str = "") -> None:
    """Know this browser as one of a person who has proved to be its owner: nobody else's guesses make it wait."""
    device = device or _device(visit)
    access.know_device(visit.desk.connection, hash_of(device), login, visit.at)
    visit.set_cookie(_device_cookie(visit), device, seconds=_DEVICE_SECONDS)


def browser_of(agent: str) -> str:
    """A browser as people call it, to tell their sessions apart by: no version, nothing to follow them by."""
    found = [next((name for mark, name in one if mark in agent), "") for one in (_BROWSERS, _SYSTEMS)]
    return " · ".join(name for name in found if name)


def with_next(address: str, wanted: str, **more: str) -> str:
    """An address of ours that leads on to the page wanted."""
    return f"{address}?{urlencode({'next': own_path(wanted), **more})}"


def to_next(visit: Visit) -> Response:
    """On to the page wanted."""
    return visit.go(wanted(visit))


def wanted(visit: Visit) -> str:
    """The page of ours that was wanted when signing in came between."""
    return own_path(visit.form.get("next") or visit.request.query_params.get("next", "/"))


def _device(visit: Visit) -> str:
    """What the browser shows of itself, or what it is given to show."""
    return visit.request.cookies.get(_device_cookie(visit)) or new_token()


def _device_cookie(visit: Visit) -> str:
    return f"{visit.house.cookie}-device"


def _halfway_cookie(visit: Visit) -> str:
    return f"{visit.house.cookie}-in"
