"""One request as the house sees it: who is there, at which desk, at what moment, in which language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, UploadFile

from console.access import sessions
from console.access.passwords import Crowded
from console.access.stepping_up import is_fresh
from console.access.tokens import new_token
from console.web import forms, guarding
from console.web.addresses import own_path
from console.web.audiences import Audience, audiences
from console.web.bar import Entry, entries
from console.web.due import Due, nearest
from console.web.faults import Doubted, FreshProofWanted, NotFound
from console.web.guarding import FIELD, HEADER, Whose
from console.web.house import House
from console.web.lettering import time_left
from console.web.presence import Presence
from console.web.saying import Language, Speech
from engine.actors import Actor
from engine.calendars import WorkCalendar, calendar_of
from engine.definition import Bilingual
from engine.expressions.kinds import SHANGHAI
from engine.lane_queries import Queue
from engine.store.sessions import SessionRow

NOBODY = Actor(login="")
LANGUAGE_COOKIE = "xueji-lang"
PULSE = "/pulse"
"""How addresses end that a page asks for by itself: that somebody sits before it is not said by them."""
_SAFE = ("GET", "HEAD")
_BROKEN = 500
"""Answers from here on: something is amiss, such as a database that is busy, and nothing more is asked of it."""


@dataclass(slots=True, kw_only=True)
class Visit(Presence):
    """Somebody at a browser; `actor` is `NOBODY` before they have signed in.

    Attributes:
        cookie: What the browser shows.
        session: Of the person signed in; None for anybody else.
        waiting: How many cases wait for the person, once they are counted.
        told: What the person is to know of a form that is shown again: why it was not done.
        has_page: Whether the address asked for is that of a page too, which shows its form again.
        kept: Under what the form was kept that is shown or sent again; empty for any other.
        has_turn: Whether the turn came for which the door waited; True where it waits for none.
    """

    cookie: str | None
    session: SessionRow | None
    speech: Speech
    waiting: int | None = None
    told: str = ""
    has_page: bool = False
    kept: str = ""
    has_turn: bool = True
    _lent: ExitStack = field(default_factory=ExitStack)
    _leaving: list[Callable[[Response], None]] = field(default_factory=list)

    @property
    def login(self) -> str:
        """Who is signed in."""
        return self.actor.login

    @property
    def lang(self) -> str:
        """The language of the page, `zh` or `en`."""
        return self.speech.lang

    @property
    def today(self) -> date:
        """The day in Shanghai."""
        return self.at.astimezone(SHANGHAI).date()

    @property
    def is_fragment(self) -> bool:
        """Whether only a part of the page was asked for (htmx), and not for going back in history."""
        headers = self.request.headers
        return headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"

    @property
    def form(self) -> Mapping[str, str]:
        """The text fields that were posted."""
        return forms.texts(self.posted)

    @property
    def posted(self) -> FormData:
        """The form as posted, with fields of one name in their order."""
        return forms.posted(self.request)

    def files(self, name: str) -> tuple[UploadFile, ...]:
        """The files of a field."""
        return forms.files(self.posted, name)

    def say(self, text: str, /, **values: object) -> str:
        """A text in the language of the page; the Chinese is its name."""
        return self.speech.say(text, **values)

    def title(self, words: Bilingual) -> str:
        """What a definition calls something, in the language of the page."""
        return words.zh if self.lang == "zh" else words.en

    @property
    def calendar(self) -> WorkCalendar | None:
        """The working days of the visitor's first unit; the country's where that says nothing of its own."""
        grant = next(iter((*self.actor.grants, *self.actor.delegated)), None)
        profile = "" if grant is None else self.desk.profile_of(grant.unit)
        return calendar_of(self.desk.library.rulebook.calendar, profile, () if grant is None else [grant.unit])

    @property
    def place(self) -> str:
        """Where and as what the person works first of all; empty for those who hold nothing."""
        grant = next(iter((*self.actor.grants, *self.actor.delegated)), None)
        if grant is None:
            return ""
        role = self.desk.library.rulebook.organisation.roles.get(grant.role)
        return f"{self.desk.units()[grant.unit].name} · {grant.role if role is None else self.title(role.title)}"

    @property
    def nearest_due(self) -> Due | None:
        """What is due within three working days for somebody on the staff; None for others, and where nothing is."""
        if self.session is None or Audience.STAFF not in audiences(self.actor):
            return None
        calendar = self.calendar
        units = tuple(dict.fromkeys(grant.unit for grant in (*self.actor.grants, *self.actor.delegated)))
        return nearest(
            self.desk,
            self.house.batches.of(self.desk, self.session.registry),
            units,
            lambda at: at > self.at and time_left(at, self.lang, self.at, calendar).tone != "neutral",
        )

    @property
    def bar(self) -> tuple[Entry, ...]:
        """Where the person's work is, from left to right."""
        return entries(self.actor, self.request.url.path, self.waiting)

    @property
    def idle_seconds(self) -> int:
        """How long the session lasts while nobody uses it; 0 without one."""
        return 0 if self.session is None else int(sessions.idle_span(self.session).total_seconds())

    @property
    def seconds_left(self) -> int:
        """How long the session can last at all, however it is used; 0 without one."""
        return 0 if self.session is None else int((self.session.expires_at - self.at).total_seconds())

    @property
    def may_find(self) -> bool:
        """Whether there is anybody or anything to be found: who only administers sees no student and no case."""
        return bool(audiences(self.actor) & {Audience.STAFF, Audience.STUDENT, Audience.PARTAKER, Audience.AUDITOR})

    def token(self) -> str:
        """A token for the forms of this page."""
        whose = None if self.session is None else self.whose
        return guarding.token(self._own_cookie(), self.at, whose)

    @property
    def whose(self) -> Whose:
        """Whose the pages of this visit are."""
        return Whose(self.office.key, self.login)

    def demand_fresh_proof(self, purpose: str) -> None:
        """Let only somebody go on who gave the second factor a short while ago.

        Raises:
            FreshProofWanted: If that is too long ago.
        """
        if self.session is None or not is_fresh(self.session, self.at):
            raise FreshProofWanted(purpose)

    def demand_turn(self) -> None:
        """Let only somebody go on whose turn came to have a password looked at.

        Raises:
            Crowded: If it did not.
        """
        if not self.has_turn:
            raise Crowded

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let others have the desk while something outside is waited for; what was read at it may have changed since.

        Raises:
            AllTaken: If none is free afterwards.
        """
        self._lent.close()
        try:
            yield
        finally:
            self.office, self._visible = self._lent.enter_context(self.house.desks.borrowed()), None

    def turned_away(
        self, admits: Callable[[Actor], bool], way_back: Callable[[Visit], str | None], *, is_public: bool
    ) -> Response | None:
        """The answer to somebody for whom the route is not, or None.

        `way_back` is where somebody who is not signed in finds what was sent, None where nothing of it was kept.

        Raises:
            NotFound: If the person is signed in and it is not for them.
        """
        if self.session is None and not is_public:
            return self.go(f"/sign-in?{urlencode({'next': way_back(self) or self.wanted})}")
        if not admits(self.actor):
            raise NotFound
        return None

    @property
    def wanted(self) -> str:
        """The address of the page the person is on or wants: what was asked for, or where an act was begun."""
        url = self.request.url
        if self.request.method in _SAFE and not self.is_fragment:
            return url.path + (f"?{url.query}" if url.query else "")
        said = self.request.headers.get("HX-Current-URL") or self.request.headers.get("referer") or ""
        return own_path(said.removeprefix(self.house.origin)) if said.startswith(f"{self.house.origin}/") else "/"

    def go(self, address: str) -> Response:
        """Send the browser to another page of the house."""
        if self.is_fragment:  # a part of a page cannot become another page
            return Response(status_code=200, headers={"HX-Redirect": address})
        return RedirectResponse(address, status_code=303)

    def page(self, template: str, /, *, block: str = "main", status: int = 200, **values: object) -> HTMLResponse:
        """A page of the house, or the block of it that htmx asked for."""
        words = {"visit": self, "say": self.say, "title": self.title, **values}
        pages = self.house.pages
        if self.is_fragment:
            return HTMLResponse(pages.block(template, block, words), status)
        if self.waiting is None and status < _BROKEN and Audience.STAFF in audiences(self.actor):
            self.waiting = Queue(self.desk.connection, self.actor, self.at, self.house.lengths).total()
        return HTMLResponse(pages.whole(template, words), status)

    def part(self, template: str, block: str, /, **values: object) -> str:
        """One block of a template, for answers that are put together from several."""
        return self.house.pages.block(template, block, {"visit": self, "say": self.say, "title": self.title, **values})

    def set_cookie(self, name: str, value: str, *, seconds: int | None = None, is_read_by_none: bool = True) -> None:
        """Give the browser a cookie with the answer."""

        def give(answer: Response) -> None:
            answer.set_cookie(
                name, value, max_age=seconds, path="/", secure=self.house.is_secure, httponly=is_read_by_none,
                samesite="lax",
            )  # fmt: skip

        self._leaving.append(give)

    def begin_session(self, token: str) -> None:
        """From now on the browser shows this session's token."""
        self.cookie = token
        self.set_cookie(self.house.cookie, token)

    def end_session(self) -> None:
        """The browser shows a token of no session from now on."""
        self.session, self.cookie = None, None

    def leave_with(self, answer: Response) -> Response:
        """The answer with the cookies that go with it."""
        for give in self._leaving:
            give(answer)
        answer.headers.setdefault("Vary", "HX-Request, Cookie, Accept-Language")
        return answer

    def _own_cookie(self) -> str:
        """The token the browser shows; somebody unknown gets one that names no session, so that forms can be bound."""
        if self.cookie is None:
            self.begin_session(new_token())
        return self.cookie or ""


@contextmanager
def arriving(request: Request) -> Iterator[Visit]:
    """Find out who comes, and whether what would change something was meant.

    Raises:
        Doubted: If it was not shown to be.
        AllTaken: If every desk is taken.
    """
    house: House = request.app.state.house
    at = house.now()
    cookie = request.cookies.get(house.cookie)
    with ExitStack() as lent:
        office = lent.enter_context(house.desks.borrowed(is_dated=True))
        is_use = not request.url.path.endswith(PULSE)
        session = None if cookie is None else sessions.resume(office.desk.connection, cookie, at, is_use=is_use)
        if session is None:
            office.desk.refresh()
        else:
            office.desk.as_of(session.registry)
        actor = NOBODY if session is None else office.desk.actor(session.login).begun_by(at)
        visit = Visit(
            house=house, request=request, office=office, at=at, cookie=cookie, session=session, actor=actor,
            speech=Speech(_language(request, session)), has_turn=getattr(request.state, "has_turn", True), _lent=lent,
        )  # fmt: skip
        yield visit


def believe(visit: Visit) -> None:
    """Refuse what would change something unless it comes from a page of this session.

    Raises:
        Doubted: If it does not.
    """
    request = visit.request
    if request.method in _SAFE:
        return
    if guarding.foreign(request.headers, visit.house.origin):
        raise Doubted(guarding.Doubt.FOREIGN)
    doubts = [guarding.doubt(given, visit.cookie, visit.at) for given in tokens_of(visit)]
    if None not in doubts:
        raise Doubted(doubts[0] or guarding.Doubt.MISSING)


def tokens_of(visit: Visit) -> list[str | None]:
    """The tokens of a request: of the form, and of the page around it. A form that was shown again is the younger."""
    return [visit.form.get(FIELD), visit.request.headers.get(HEADER)]


def _language(request: Request, session: SessionRow | None) -> Language:
    """What the person chose, else what the browser asks for; Chinese where neither says English."""
    chosen = (session and session.preference.lang) or request.cookies.get(LANGUAGE_COOKIE)
    if chosen in ("zh", "en"):
        return "en" if chosen == "en" else "zh"
    first = request.headers.get("accept-language", "zh").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"
