"""Large files through the page: what they cost is printed; a server killed in the middle leaves nothing half done."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
import pytest
from PIL import Image

from console import wiring
from console.access import sessions
from console.settings import Settings
from console.taking_in import Enrolling, roster
from console.web.guarding import HEADER, token
from console.web.house import COOKIE
from console.wiring import Office
from engine.records import Request
from engine.starting import About, open_together
from engine.store.students import by_numbers
from exchange.fact_sheets import FACT_COLUMNS
from exchange.invented import invent_students
from exchange.rosters import ROSTER_COLUMNS
from exchange.templates import write_sheet
from exchange.workbooks import read_first_sheet
from tests.console.counter import SITES, Counter
from tests.exchange.pictures import package
from tests.forking import ended
from tests.web.mortal_servers import KILLED, served

NOW = datetime(2024, 5, 13, 1, 30, tzinfo=UTC)
LOGIN, BATCH, COLLECTION = "rec", "2024-06", "graduate-photo-collection"
PICTURES, ROWS = 2_000, 10_000
MOST_MB = 600
"""Above what the server takes at rest: ten times the largest package (60 MB). It is held as it is sent, as it is bound
and as it is read back, with its pictures, and two connections keep 64 MB of pages each; 503 were measured."""
_PATIENCE, _STARTING = 1_800, 300
"""Seconds until it is taken for hung; others may work beside it."""


class School:
    """A database of many students, and servers that come and go at one address."""

    def __init__(self, counter: Counter, students: int) -> None:
        self.database = counter.folder / "xueji.db"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = str(free.getsockname()[1])
        made = [one.roster for one in invent_students(students, 1, SITES)]
        write_sheet(counter.folder / "roster.xlsx", ROSTER_COLUMNS, made)
        self.numbers = sorted(str(one["student_no"]) for one in made)
        with self.office() as office:
            desk = office.desk
            request = Request(trigger="open_record", actor=desk.actor(LOGIN), at=NOW)
            grid = read_first_sheet(counter.folder / "roster.xlsx")
            judged = roster(desk, grid, request, Enrolling(), lambda _: None)
            assert judged.faults == ()
            assert judged.keep(desk, request).opened == students
            self.cookie = sessions.begin(desk.connection, LOGIN, NOW)
        self.browser = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", cookies={COOKIE: self.cookie}, timeout=_PATIENCE
        )

    @contextmanager
    def office(self) -> Iterator[Office]:
        with wiring.office(Settings(database=f"sqlite:///{self.database}", channels=None)) as office:
            yield office

    def collecting(self) -> None:
        """A photo collection of everybody."""
        with self.office() as office:
            desk = office.desk
            rows = by_numbers(desk.connection, self.numbers)
            request = Request(trigger="start", actor=desk.actor(LOGIN), at=NOW, fields={"batch": BATCH})
            about = [About(one.student_no, one.id) for one in rows.values()]
            definition = desk.library.definition(COLLECTION, "online-ed")
            assert open_together(desk, definition, about, request) == len(about)

    def counted(self) -> tuple[int, ...]:
        """How many events there are, and papers on cases, and files of them."""
        with self.office() as office:
            tables = ("event", "document", "file")
            rows = [office.desk.connection.execute(f"SELECT count(*) FROM {one}").fetchone() for one in tables]  # noqa: S608
        return tuple(int(str(row[0])) for row in rows if row)

    def served(self, at: datetime, killed_after: int = 0) -> AbstractContextManager[BaseProcess]:
        """A server of its own process from a moment on, which may kill itself."""
        words = (str(self.database), self.port, at.isoformat(), str(killed_after))
        return served("tests.web.import_server", *words, browser=self.browser, patience=_STARTING)

    def post(self, address: str, body: bytes | None = None) -> httpx.Response:
        headers = {"Sec-Fetch-Site": "same-origin", HEADER: token(self.cookie, NOW)}
        files = None if body is None else [("file", ("a.zip", body, "application/octet-stream"))]
        answer = self.browser.post(address, data={}, headers=headers, files=files)
        assert answer.status_code == 303, answer.text
        return answer

    def settled(self, address: str) -> str:
        """The page of a file once nobody works on it any more."""
        until = time.monotonic() + _PATIENCE
        while "Refresh" in (answer := self.browser.get(address)).headers and time.monotonic() < until:
            time.sleep(0.1)
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


@pytest.fixture
def school_of(counter: Counter) -> Iterator[Callable[[int], School]]:
    """Makes a school of so many students."""
    with ExitStack() as closing:

        def make(students: int) -> School:
            made = School(counter, students)
            closing.enter_context(made.browser)
            return made

        yield make


@pytest.fixture
def counter(tmp_path: Path) -> Counter:
    return Counter(url=f"sqlite:///{tmp_path / 'xueji.db'}", folder=tmp_path).set_up()


def photographs(numbers: Sequence[str]) -> bytes:
    """A package with a picture of everybody, each of its own bytes and of the size collectors ask for."""
    bases = []
    for shade in range(8):
        image = Image.effect_noise((480, 640), 12 + shade).convert("RGB")
        made = BytesIO()
        image.save(made, "JPEG", quality=30)
        bases.append(made.getvalue())
    assert 20 * 1024 < len(bases[0]) < 30 * 1024, len(bases[0])

    def own(place: int, number: str) -> bytes:
        said = number.encode()
        base = bases[place % len(bases)]
        return base[:2] + b"\xff\xfe" + (len(said) + 2).to_bytes(2, "big") + said + base[2:]  # a comment, as cameras do

    return package({f"{number}.jpg": own(place, number) for place, number in enumerate(numbers)})


def most_mb(server: BaseProcess) -> float:
    """The most memory a process has had at once so far."""
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@pytest.mark.heavy
def test_two_thousand_photographs_are_kept_whole_though_the_server_is_killed_in_the_middle(
    school_of: Callable[[int], School],
) -> None:
    school = school_of(PICTURES)
    school.collecting()
    before, body = school.counted(), photographs(school.numbers)

    with school.served(NOW, killed_after=PICTURES // 2) as server:
        school.browser.get("/files")
        at_rest = most_mb(server)
        begun = time.monotonic()
        address = school.post("/imports/new/photos", body).headers["location"]
        sent = time.monotonic() - begun
        page = school.settled(address)
        checked = time.monotonic() - begun - sent
        assert f"{PICTURES:,} 张存入照片采集的办件" in page, page
        checking = most_mb(server) - at_rest
        with suppress(httpx.TransportError):
            school.post(f"{address}/commit")
        assert ended(server, _PATIENCE) == KILLED
    assert school.counted() == before, "a thousand pictures were on their cases, and none of them is"

    with school.served(NOW + timedelta(minutes=2)) as server:
        school.browser.get("/files")
        at_rest, begun = most_mb(server), time.monotonic()
        page = school.settled(address)
        kept, keeping = time.monotonic() - begun, most_mb(server) - at_rest
    assert "已导入" in page
    events, papers, files = school.counted()
    assert (papers, files) == (before[1] + PICTURES, before[2] + PICTURES), "each once"
    assert events >= before[0] + PICTURES
    print(  # noqa: T201 what was measured
        f"\n{PICTURES} photographs, {len(body) / 2**20:.0f} MB: sent {sent:.1f} s, checked {checked:.1f} s with"
        f" {checking:.0f} MB, kept {kept:.1f} s with {keeping:.0f} MB beside the {at_rest:.0f} MB at rest"
    )
    assert max(checking, keeping) < MOST_MB


@pytest.mark.heavy
def test_ten_thousand_rows_of_facts_go_through_the_page_whole(
    school_of: Callable[[int], School], counter: Counter
) -> None:
    school = school_of(ROWS)
    rows = [{"student_no": number, "fee_owed": "12.50"} for number in school.numbers]
    used = [one for one in FACT_COLUMNS if one.key in rows[0]]
    write_sheet(counter.folder / "facts.xlsx", used, rows)
    body = (counter.folder / "facts.xlsx").read_bytes()

    with school.served(NOW) as server:
        school.browser.get("/files")
        at_rest, begun = most_mb(server), time.monotonic()
        address = school.post("/imports/new/facts", body).headers["location"]
        sent = time.monotonic() - begun
        page = school.settled(address)
        checked = time.monotonic() - begun - sent
        assert f"将改动 {ROWS:,} 人" in page, page
        begun = time.monotonic()
        school.post(f"{address}/commit")
        page = school.settled(address)
        kept, most = time.monotonic() - begun, most_mb(server) - at_rest
    assert f"已导入：改动 {ROWS:,} 人" in page, page
    print(  # noqa: T201 what was measured
        f"\n{ROWS} rows of facts, {len(body) / 2**20:.1f} MB: sent {sent:.1f} s, checked {checked:.1f} s,"
        f" kept {kept:.1f} s, with {most:.0f} MB at most beside the {at_rest:.0f} MB at rest"
    )
