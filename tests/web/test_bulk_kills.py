"""A bulk decision whose server is killed (SIGKILL) in the middle goes on where it was, and decides nothing twice."""

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
import pytest

from console import wiring
from console.access import sessions
from console.demo import evening
from console.demo.sheets import Files
from console.settings import Settings
from console.web.guarding import HEADER, token
from console.web.house import COOKIE
from engine.records import case_of
from tests.forking import ended
from tests.web.conftest import Watch, _answering
from tests.web.mortal_servers import KILLED, served
from tests.web.test_bulk_decisions import TICK

_PATIENCE = 60


class House:
    """A database of the evening, a session in it, and servers that come and go at one address."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "evening.db"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = str(free.getsockname()[1])
        with wiring.office(Settings(database=f"sqlite:///{self.database}", channels=None)) as office:
            self.cookie = sessions.begin(office.desk.connection, evening.APPROVER, evening.NOW)
        self.browser = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", cookies={COOKIE: self.cookie}, timeout=30)

    def served(self, at: datetime, point: str) -> AbstractContextManager[BaseProcess]:
        """A server of its own process from a moment on, which kills itself at a point."""
        words = (str(self.database), self.port, at.isoformat(), point)
        return served("tests.web.bulk_server", *words, browser=self.browser, patience=_PATIENCE)

    @contextmanager
    def served_here(self, at: datetime) -> Iterator[None]:
        """A server from a moment on that nobody kills."""
        listening = socket.create_server(("127.0.0.1", int(self.port)))
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sees to it only where it binds itself
        address = f"http://127.0.0.1:{self.port}"
        settings = Settings(database=f"sqlite:///{self.database}", url=address, channels=None)
        with _answering(settings, Watch(at), 2, listening):
            yield

    def post(self, address: str, form: dict[str, object]) -> httpx.Response:
        """A form of a page of the session."""
        headers = {"Sec-Fetch-Site": "same-origin", HEADER: token(self.cookie, evening.NOW)}
        return self.browser.post(address, data=form, headers=headers)

    def moves(self) -> dict[int, int]:
        """How often each case was moved in bulk, of those that were."""
        with wiring.office(Settings(database=f"sqlite:///{self.database}", channels=None)) as office:
            sql = "SELECT chain, count(*) FROM event WHERE chain > 0 AND request LIKE '%/%' GROUP BY chain"
            return {int(chain): int(many) for chain, many in office.desk.connection.execute(sql).fetchall()}


@pytest.fixture
def house(staged_evening: Files, tmp_path: Path) -> Iterator[House]:
    for file in staged_evening.into.glob("evening.db*"):
        shutil.copy(file, tmp_path)
    house = House(tmp_path)
    with house.browser:
        yield house


def test_killed_twice_in_the_middle_a_bulk_decision_goes_on_and_decides_each_case_once(house: House) -> None:
    with house.served(evening.NOW, "commit") as server:
        page = house.browser.get("/queue/todo?lane=ready").text
        numbers = [number for number, ticked in TICK.findall(page) if ticked]
        address = house.post("/bulk", {"trigger": "site_approve", "case": numbers}).headers["location"]
        with suppress(httpx.TransportError):  # it may be gone before it has answered
            house.post(f"{address}/commit", {})
        assert ended(server, _PATIENCE) == KILLED
    assert sorted(house.moves().values()) == [1] * 10, "the second chunk was not committed"

    with house.served(evening.NOW + timedelta(minutes=1), "told") as server:
        with suppress(httpx.TransportError):
            house.browser.get(address)
        assert ended(server, _PATIENCE) == KILLED
    assert sorted(house.moves().values()) == [1] * 30, "two more chunks were, and of the second nobody was told"

    with house.served_here(evening.NOW + timedelta(minutes=2)):
        until = time.monotonic() + _PATIENCE
        while "Refresh" in (answer := house.browser.get(address)).headers and time.monotonic() < until:
            time.sleep(0.1)
        rows = house.browser.get(f"{address}/rows?outcome=moved").text
    assert "同意 <b>47</b>" in answer.text
    assert all(f"/cases/{number}" in rows for number in numbers)
    assert house.moves() == dict.fromkeys([case_of(number) for number in numbers], 1)
