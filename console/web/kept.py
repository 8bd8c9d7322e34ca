"""What was typed into a form that was sent and not done: kept, and shown again, so that nobody writes it twice.

A form is not done when its page is believed no more, when the session is over, or when a proof is wanted first. It is
never sent again by itself: the person sees it and presses once more, under a new token. Shown or kept is only what
comes from a page of this house (Fetch-Metadata or Origin) that was made for this very person (the seal in its token),
so that nobody can lay a form before another. Passwords, codes and files are not kept. Once it was sent again and done
it is forgotten; what is given up goes within the hour (`console.rounds`).
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import FormData

from console.web import guarding
from console.web.guarding import FIELD, HEADER
from console.web.visit import Visit
from engine.store import kept_forms
from engine.store.database import Busy
from engine.store.kept_forms import KeptForm

PLACE = "/kept/"
NAME = "kept"
"""In the address of a page that shows again what was typed into its form."""
AGAIN = "_kept"
"""In the forms of such a page: which one is sent again."""
_SECRET = frozenset({"password", "repeated", "current", "proof", "code", "signature"})
_HANDLE = re.compile(r"[A-Za-z0-9_-]{16}")
_LONGEST = 100_000
"""Characters; what people type is far below."""
_SAFE = ("GET", "HEAD")


def is_own(visit: Visit) -> bool:
    """Whether what was posted comes from a page of this house that was made for the person who is signed in."""
    return visit.session is not None and _owner(visit) == guarding.owner(visit.whose)


def way_back(visit: Visit) -> str | None:
    """Keep what was posted by somebody whose session is over; the address at which that very person finds it."""
    owner = _owner(visit)
    return None if owner is None or not _is_sent(visit) else _keep(visit, owner, sent(visit))


def for_proof(visit: Visit, purpose: str) -> str:
    """Keep what the person wants until it is proved who it is; the address at which it is found again."""
    owner = guarding.owner(visit.whose)
    if visit.request.method in _SAFE:
        asked = KeptForm(address=visit.wanted, origin=visit.wanted, purpose=purpose)
        return _keep(visit, owner, asked) or visit.wanted
    return _keep(visit, owner, sent(visit, purpose)) or visit.wanted


def found(visit: Visit, handle: str) -> KeptForm | None:
    """What was kept for the person who is signed in."""
    if visit.session is None or not _HANDLE.fullmatch(handle):
        return None
    return kept_forms.kept_form(visit.desk.connection, handle, guarding.owner(visit.whose), visit.at)


def purpose_of(visit: Visit, wanted: str) -> str:
    """What the person was about to do at the address wanted; empty where that is not known."""
    form = found(visit, wanted.removeprefix(PLACE)) if wanted.startswith(PLACE) else None
    return "" if form is None else form.purpose


def lay_out(visit: Visit) -> None:
    """Let a page that was asked for show again what was typed into its form."""
    handle = visit.request.query_params.get(NAME)
    form = None if handle is None or visit.request.method not in _SAFE else found(visit, handle)
    if form is not None and form.pairs is not None and urlsplit(form.address).path == visit.request.url.path:
        visit.request.state.form = FormData([*form.pairs])
        visit.kept = handle or ""
        visit.told = visit.say("您写的内容还在，请看过再按一次")


def carry_on(visit: Visit) -> None:
    """What was posted may be one that was kept: whatever page answers, its forms say so too."""
    visit.kept = str(visit.posted.get(AGAIN, "")) if visit.request.method not in _SAFE else ""


def done(visit: Visit) -> None:
    """Forget what was kept, if it is what was posted and done now."""
    form = found(visit, visit.kept) if visit.kept and visit.request.method not in _SAFE else None
    if form is not None and urlsplit(form.address).path == visit.request.url.path:
        with suppress(Busy), visit.desk.connection.writing():  # it is done all the same, and this one goes by itself
            kept_forms.forget(visit.desk.connection, visit.kept)


def page_of(form: KeptForm, handle: str) -> str | None:
    """Where it is shown: the page it is a form of, or the page that was asked for; None where it has none."""
    if form.pairs is None:
        return form.address
    return f"{urlsplit(form.address).path}?{urlencode({NAME: handle})}" if form.has_page else None


def sent(visit: Visit, purpose: str = "") -> KeptForm:
    """What was posted, without what nobody may keep."""
    url, posted = visit.request.url, visit.posted.multi_items()
    texts = tuple((name, text) for name, text in posted if isinstance(text, str) and name not in (FIELD, AGAIN))
    pairs = tuple((name, text) for name, text in texts if name not in _SECRET)
    files = [one for _, one in posted if not isinstance(one, str) and one.filename]
    return KeptForm(
        address=url.path + (f"?{url.query}" if url.query else ""),
        origin=visit.wanted,
        pairs=pairs,
        purpose=purpose,
        is_whole=len(pairs) == len(texts) and not files,
        has_page=visit.has_page,
    )


def _keep(visit: Visit, owner: str, form: KeptForm) -> str | None:
    if sum(len(name) + len(text) for name, text in form.pairs or ()) > _LONGEST:
        return None
    handle = secrets.token_urlsafe(12)
    with visit.desk.connection.writing():
        kept_forms.keep_form(visit.desk.connection, handle, owner, form, visit.at)
    return PLACE + handle


def _owner(visit: Visit) -> str | None:
    """Whose page what was posted comes from; None where that cannot be said."""
    if visit.request.method in _SAFE or guarding.foreign(visit.request.headers, visit.house.origin):
        return None
    given = (visit.form.get(FIELD), visit.request.headers.get(HEADER))
    return next((who for one in given if (who := guarding.owner_in(one, visit.office.key))), None)


def _is_sent(visit: Visit) -> bool:
    """Whether a person has pressed a button; scripts that keep drafts have not."""
    headers = visit.request.headers
    return headers.get("HX-Request") == "true" or headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
