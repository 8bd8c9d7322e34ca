"""Fifty people at once before one process of `xueji serve`: everybody is answered, and nothing is done twice."""

import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx
import orjson
import pytest

from console.access import sessions
from console.demo import evening, school
from console.demo.sheets import Files
from console.demo.story import stage_evening
from console.web.guarding import HEADER, token
from console.wiring import Office, office
from tests.web.test_deciding import form_of
from tests.web.test_queue import numbers

PEOPLE, SECONDS, STUDENTS = 50, 60.0, 1_200
_COOKIE = "xueji"
_STAFF = (
    evening.APPROVER, evening.SECOND, evening.OPERATOR, school.HEAD,
    *(school.approver(site.code) for site in school.SITES), *(school.operator(site.code) for site in school.SITES),
)  # fmt: skip


@dataclass(slots=True)
class Tally:
    """What was answered: by kind of request the seconds each took, and how many of each status."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def lines(self) -> Iterator[str]:
        """One for each kind."""
        for kind, taken in sorted(self.seconds.items()):
            middle, late = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
            yield f"{kind:<10} {len(taken):>6} requests  median {middle * 1000:6.0f} ms  95 % {late * 1000:6.0f} ms"


class Clerk(threading.Thread):
    """Somebody who looks at the queue, opens a case, approves it if it is ready, and thinks in between."""

    def __init__(self, address: str, cookie: str, seed: int, tally: Tally) -> None:
        super().__init__()
        self._cookie, self._tally = cookie, tally
        self._chance = Random(seed)  # noqa: S311 pauses, no secret
        self._browser = httpx.Client(base_url=address, timeout=60)
        self._browser.headers["cookie"] = f"{_COOKIE}={cookie}"
        self.failed: BaseException | None = None

    def run(self) -> None:
        until = time.monotonic() + SECONDS
        try:
            with self._browser:
                while time.monotonic() < until:
                    self._work()
        except BaseException as problem:  # noqa: BLE001 told by the test, in its own thread
            self.failed = problem

    def _work(self) -> None:
        listed = numbers(self._asked("queue", "GET", "/queue/todo").text)
        if not listed:
            return
        number = self._chance.choice(listed)
        page = self._asked("case", "GET", f"/queue/todo?case={number}").text
        if '<form id="approve"' in page:
            self._asked("decision", "POST", f"/cases/{number}/do/site_approve", form_of(page))

    def _asked(self, kind: str, method: str, address: str, form: Mapping[str, object] | None = None) -> httpx.Response:
        time.sleep(self._chance.uniform(0.5, 1.5))
        headers = {"Sec-Fetch-Site": "same-origin", HEADER: token(self._cookie, evening.NOW)} if form else {}
        begun = time.perf_counter()
        answer = self._browser.request(method, address, data=dict(form or {}), headers=headers)
        self._tally.seconds[kind].append(time.perf_counter() - begun)
        self._tally.statuses[answer.status_code] += 1
        return answer


@contextmanager
def serving(files: Files) -> Iterator[str]:
    """`xueji serve` as people start it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
    database = f"sqlite:///{evening.database_of(files)}"
    at = evening.NOW.strftime("%Y-%m-%dT%H:%M")
    command = [str(Path(sys.executable).with_name("xueji")), "--database", database, "--now", at]
    process = subprocess.Popen([*command, "serve", "--no-work", "--listen", place], stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            try:
                if httpx.get(f"http://{place}/healthz").is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield f"http://{place}"
    finally:
        process.terminate()
        process.wait()


def _approvals(opened: Office) -> Counter[int]:
    """How often each case was approved at its teaching point."""
    rows = opened.desk.connection.execute("SELECT chain, body FROM event").fetchall()
    told = ((chain, orjson.loads(bytes(body))) for chain, body in rows)
    return Counter(chain for chain, one in told if one["kind"] == "moved" and one["data"]["trigger"] == "site_approve")


@pytest.mark.heavy
def test_fifty_people_at_once_are_all_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = stage_evening(tmp_path, STUDENTS)
    tally = Tally()
    with office(evening.settings_of(files)) as opened:
        connection = opened.desk.connection
        cookies = [sessions.begin(connection, _STAFF[one % len(_STAFF)], evening.NOW) for one in range(PEOPLE)]
        with serving(files) as address:
            clerks = [Clerk(address, cookie, seed, tally) for seed, cookie in enumerate(cookies)]
            for one in clerks:
                one.start()
            for one in clerks:
                one.join()
        with capsys.disabled():
            sys.stdout.write("\n".join(["", *tally.lines(), f"{dict(tally.statuses)}\n"]))

        assert [one.failed for one in clerks if one.failed] == []
        assert {status for status in tally.statuses if status >= 500} == set()
        assert tally.statuses[303] > 0, "nothing was decided"
        assert set(_approvals(opened).values()) == {1}
