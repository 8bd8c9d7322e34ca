"""A house of the evening of 15 May, answering over HTTP on a port of its own; each test gets a copy of its database."""

import shutil
import socket
import sqlite3
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from console import serving
from console.access import passwords, sessions
from console.demo import evening
from console.demo.sheets import Files
from console.demo.story import stage_evening
from console.serving import opened, server_of
from console.settings import Settings
from console.web.guarding import HEADER, token
from console.web.house import House
from console.web.rendering import Pages
from console.web.words import WORDS
from engine import proposed_texts
from engine.checking.examining import examine
from engine.expressions.functions import Registered
from tests.conftest import MadeOnce

_STUDENTS = 170
_LIGHT = PasswordHash((Argon2Hasher(memory_cost=1024, time_cost=1, parallelism=1),))
_TLS = ssl.create_default_context()
"""Nothing here is asked by TLS, and every client would make one of its own first."""


@pytest.fixture(scope="session", autouse=True)
def passwords_are_soon_looked_at() -> Iterator[None]:
    """Every sign-in would cost 64 MiB and a tenth of a second; what is real is tested in tests/console/access."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", _LIGHT)
        patch.setattr(passwords, "NOBODYS", _LIGHT.hash("of nobody"))
        yield


@pytest.fixture(scope="session")
def staged_evening(made_once: MadeOnce) -> Files:
    """The evening of 15 May as `make serve` shows it, with fewer students elsewhere."""
    return Files(into=made_once("evening", _stage))


def _stage(folder: Path) -> None:
    stage_evening(folder, _STUDENTS)
    with sqlite3.connect(folder / "evening.db") as connection:  # the evening was played in a process of its own
        kept = passwords.hashed(evening.PASSWORD)
        connection.execute("UPDATE credential SET password_hash = ?", (kept,))
    connection.close()


@dataclass(slots=True)
class Watch:
    """The clock of a house: it stands still until a test sets it."""

    at: datetime = evening.NOW

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **span: float) -> None:
        """So much later."""
        self.at += timedelta(**span)


@dataclass(slots=True)
class Site:
    """A house that answers, and what a test needs of it."""

    house: House
    address: str
    watch: Watch
    people: "list[Person]" = field(default_factory=list)
    program: httpx.Client = field(init=False)
    """Something that keeps no cookies."""

    def __post_init__(self) -> None:
        self.program = httpx.Client(base_url=self.address, timeout=30, verify=_TLS)

    def close(self) -> None:
        """Everybody closes the browser."""
        self.program.close()
        for one in self.people:
            one.browser.close()

    def signed_in(self, login: str) -> "Person":
        """Somebody at a browser without JavaScript, signed in without the form."""
        with self.house.desks.borrowed() as office:
            cookie = sessions.begin(office.desk.connection, login, self.watch.at)
        return Person(site=self, cookie=cookie)

    def stranger(self) -> "Person":
        """Somebody at a browser, not signed in."""
        return Person(site=self, cookie=None)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements that read or write rows, in their order; for a house with one desk on SQLite."""
        with self.house.desks.borrowed(is_dated=True) as office:
            raw = office.desk.connection.raw
        found: list[str] = []
        raw.set_trace_callback(lambda sql: found.append(sql) if _touches_rows(sql) else None)
        try:
            yield found
        finally:
            raw.set_trace_callback(None)


def _touches_rows(sql: str) -> bool:
    return sql.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"))


@dataclass(slots=True)
class Person:
    """A browser: keeps its cookies, follows no redirect by itself."""

    site: Site
    cookie: str | None
    browser: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        cookies = httpx.Cookies()
        if self.cookie is not None:  # with its domain, or a new one from the house would stand beside it
            cookies.set(self.site.house.cookie, self.cookie, domain=urlsplit(self.site.address).hostname or "")
        self.browser = httpx.Client(base_url=self.site.address, cookies=cookies, timeout=30, verify=_TLS)
        self.site.people.append(self)

    def get(self, address: str, **headers: str) -> httpx.Response:
        """A page."""
        return self.browser.get(address, headers=_named(headers))

    def fragment(self, address: str) -> httpx.Response:
        """A part of a page, as htmx asks for it."""
        return self.browser.get(address, headers={"HX-Request": "true"})

    def post(
        self,
        address: str,
        form: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        files: Sequence[tuple[str, tuple[str, bytes, str]]] = (),
    ) -> httpx.Response:
        """A form of a page of this session."""
        own = self.browser.cookies.get(self.site.house.cookie) or ""
        said = {"Sec-Fetch-Site": "same-origin", HEADER: token(own, self.site.watch.at), **(headers or {})}
        return self.browser.post(address, data=dict(form or {}), headers=said, files=list(files) or None)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture(scope="session", autouse=True)
def _prepared(definitions_are_read_once: None) -> None:
    """Definitions are read once."""


@pytest.fixture(scope="session", autouse=True)
def definitions_are_checked_once() -> Iterator[None]:
    """What was found in the folder with a text over it is found again: checking all of it takes seconds."""
    kept: dict[object, object] = {}

    def once(folder: Path, functions: Mapping[str, Registered], *, messages: object, over: Mapping[str, str]) -> object:
        key = tuple(sorted(over.items()))
        if key not in kept:
            kept[key] = examine(folder, functions, messages=messages, over=over)  # type: ignore[arg-type] # as given
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proposed_texts, "examine", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def templates_are_compiled_once() -> Iterator[None]:
    """They do not change during the tests either."""
    compiled = Pages(WORDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "Pages", lambda _words: compiled)
        yield


@pytest.fixture
def open_site(staged_evening: Files, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Opens houses of the evening: `open_site(desks=1)`; each on a copy of the database of its own."""
    with opening(staged_evening, tmp_path) as open_one:
        yield open_one


@pytest.fixture(scope="session")
def read_site(staged_evening: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One house for all tests that only look: nobody decides anything in it, and its clock stands still."""
    with opening(staged_evening, tmp_path_factory.mktemp("read")) as open_one:
        yield open_one()


@contextmanager
def opening(staged_evening: Files, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    closing: list[AbstractContextManager[House]] = []
    sites: list[Site] = []

    def open_one(*, desks: int = 4, **settings: object) -> Site:
        folder = tmp_path / f"house-{len(closing)}"
        folder.mkdir()
        for file in staged_evening.into.glob("evening.db*"):
            shutil.copy(file, folder)
        listening = _listening()
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sees to it only where it binds itself
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        here = {"database": f"sqlite:///{folder / 'evening.db'}", "url": address, "channels": None}
        told = Settings(**{**here, **settings})  # type: ignore[arg-type]  # as a test says, which pydantic looks at
        watch = Watch()
        context = _answering(told, watch, desks, listening)
        house = context.__enter__()
        closing.append(context)
        sites.append(Site(house=house, address=address, watch=watch))
        return sites[-1]

    try:
        yield open_one
    finally:
        for site in sites:
            site.close()
        for context in reversed(closing):
            context.__exit__(None, None, None)
        _PORTS.extend(int(site.address.rpartition(":")[2]) for site in sites)


_PORTS: list[int] = []
"""Of houses that are closed. A browser that knows the address has a page there, and need not make one (browser/)."""


def _listening() -> socket.socket:
    """A port that a house had before, or, if somebody else has taken it meanwhile, another."""
    with suppress(IndexError, OSError):
        return socket.create_server(("127.0.0.1", _PORTS.pop()))
    return socket.create_server(("127.0.0.1", 0))


@contextmanager
def _answering(settings: Settings, watch: Watch, desks: int, listening: socket.socket) -> Iterator[House]:
    with opened(settings, watch, told=watch.at, desks=desks) as house:
        server = server_of(house, *listening.getsockname())
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                thread.join(0.01)
            yield house
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def site(open_site: Callable[..., Site]) -> Site:
    """A house of the evening that answers."""
    return open_site()


@pytest.fixture
def narrow_site(open_site: Callable[..., Site]) -> Site:
    """The same with one desk, so that every statement can be counted."""
    return open_site(desks=1)
