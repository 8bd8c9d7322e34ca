"""Mail that arrives once: a real server that refuses, hangs and drops the line, and real senders that are killed."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest

from engine.store.database import Connection
from tests.faults.crews import Crew, Ended, crew
from tests.faults.mail_server import DROP, TAKE_AND_DROP, Office, serving
from tests.faults.mailroom import (
    NOW,
    add_mails,
    mailroom,
    message_id,
    number_of,
    states,
    waiting,
)
from tests.faults.sender import Job
from tests.sabotage.office import rows

HOUR = timedelta(hours=1)
MANY = {"sqlite": 2000, "postgresql": 600}


@pytest.fixture(scope="module")
def senders() -> Iterator[Crew[Job]]:
    with crew("tests.faults.sender") as process:
        yield Crew(process)


@pytest.fixture
def room(database_url: str) -> Iterator[Connection]:
    """A connection to a database without mails."""
    with mailroom(database_url, is_new=True) as desk:
        yield desk.connection


class Weather:
    """A server that is disturbed at random, by a seed: what it does to whom, and what must come of it."""

    KINDS: ClassVar[Mapping[str, Sequence[str]]] = {
        "MAIL": ("421 4.3.2 Going down", "451 4.7.1 Too fast", DROP),
        "RCPT": ("421 4.3.2 Going down", "451 4.3.0 Try again", "452 4.2.2 Full", DROP, "550 5.1.1 No such user"),
        "DATA": ("451 4.3.0 Try again", "452 4.3.1 No room", "554 5.7.1 Spam", DROP, TAKE_AND_DROP),
    }

    def __init__(self, seed: int, share: float) -> None:
        self._chance = Random(seed)  # noqa: S311 weather, no secret
        self._share = share
        self.doubtful: set[int] = set()
        self.refused: set[int] = set()
        self.bad_addresses: set[int] = set()
        self.disturbed = Counter[str]()

    def __call__(self, step: str, to: str) -> str | None:
        """Of the tries a share is disturbed, at one of the three steps."""
        if step not in self.KINDS or self._chance.random() < (1 - self._share) ** (1 / 3):
            return None
        told = self._chance.choice(self.KINDS[step])
        self.disturbed[told] += 1
        if step == "DATA" and told in {DROP, TAKE_AND_DROP}:
            self.doubtful.add(number_of(to))
        if told.startswith("55"):
            self.refused.add(number_of(to))
        if told.startswith("550"):
            self.bad_addresses.add(number_of(to))
        return told


def assert_each_arrived_once_or_is_accounted_for(connection: Connection, office: Office, weather: Weather) -> None:
    """The server's own count, and what the rows say, against what was done to whom."""
    ended = states(connection)
    assert set(ended.values()) == {"accepted", "unknown", "failed"}
    assert [one for one, times in office.taken.items() if times > 1] == []
    assert {number for number, state in ended.items() if state == "unknown"} == weather.doubtful
    assert {number for number, state in ended.items() if state == "failed"} == weather.refused
    missing = {number for number in ended if message_id(number) not in office.taken}
    assert missing <= weather.doubtful | weather.refused
    marked = rows(connection, "SELECT login FROM account WHERE refused_at IS NOT NULL")
    assert {int(str(login)[1:]) for (login,) in marked} == weather.bad_addresses


def all_sent_in_bad_weather(senders: Crew[Job], url: str, connection: Connection, many: int) -> None:
    weather = Weather(seed=many, share=0.4)
    add_mails(connection, range(1, many + 1))
    with serving(Office(fault=weather)) as office:
        job = Job(url=url, way=str(office.port), at=NOW.isoformat(), holder="one", jumps=3600)
        assert senders.work(job)[0].signal == 0

    assert_each_arrived_once_or_is_accounted_for(connection, office, weather)
    assert min(weather.disturbed[told] for kinds in Weather.KINDS.values() for told in kinds) > many / 200
    assert weather.doubtful - {number for number in weather.doubtful if message_id(number) in office.taken}


def test_notifications_with_two_tries_in_five_disturbed_arrive_once_or_are_accounted_for(senders, room, database_url):
    all_sent_in_bad_weather(senders, database_url, room, MANY[database_url.partition(":")[0]])


@pytest.mark.heavy
def test_twenty_thousand_notifications_with_two_tries_in_five_disturbed_arrive_once_or_are_accounted_for(
    senders, room, database_url
):
    all_sent_in_bad_weather(senders, database_url, room, 20_000)


def restarted(senders: Crew[Job], job: Job, at: datetime) -> None:
    """A sender that nobody disturbs, so much later that nothing of the dead one is in the way."""
    assert senders.work(job._replace(at=at.isoformat(), holder="next", jumps=3600))[0].signal == 0


def killed_at_every_moment(senders: Crew[Job], room: Connection, job: Job) -> Counter[str]:
    """Kill a sender of two mails before its first moment, its second, and so on; what state the mails were left in."""
    left: Counter[str] = Counter()
    moment, at, ended = 0, NOW, Ended(signal.SIGKILL, [])
    while ended.signal:
        moment += 1
        pair = (2 * moment, 2 * moment + 1)
        add_mails(room, pair, at=at)
        (ended,) = senders.work(job._replace(at=at.isoformat(), kill_at=moment))
        before = {number: states(room)[number] for number in pair}
        left.update(before.values())
        restarted(senders, job, at + HOUR)
        expected = {one: "unknown" if state == "handing_over" else "accepted" for one, state in before.items()}
        assert {number: states(room)[number] for number in pair} == expected
        at += 12 * HOUR
    assert moment > 30
    return left


def assert_nothing_is_lost_and_nothing_came_twice(room: Connection, taken: Counter[str]) -> None:
    ended = states(room)
    assert set(ended.values()) <= {"accepted", "unknown"}
    assert [number for number, state in ended.items() if state == "accepted" and taken[message_id(number)] != 1] == []
    assert [number for number, state in ended.items() if taken[message_id(number)] > 1] == []


def test_a_sender_killed_before_any_statement_and_any_line_loses_no_mail_and_sends_none_twice(
    senders, room, database_url
):
    with serving(Office()) as office:
        job = Job(url=database_url, way=str(office.port), at="", holder="killed")
        left = killed_at_every_moment(senders, room, job)

    assert {"waiting", "claimed", "handing_over", "accepted"} == set(left)
    assert_nothing_is_lost_and_nothing_came_twice(room, office.taken)
    unknown = {number for number, state in states(room).items() if state == "unknown"}
    arrived = {number for number in unknown if message_id(number) in office.taken}
    assert arrived  # killed after the last line
    assert unknown - arrived  # killed before it


def mails_in(folder: Path) -> Counter[str]:
    """Every `.eml` there, by Message-ID; each must be whole."""
    found: Counter[str] = Counter()
    for file in folder.glob("*.eml"):
        message = message_from_bytes(file.read_bytes(), policy=default)
        number = int(message["Message-ID"].partition("@")[0].removeprefix("<mail-"))
        assert message.get_content().splitlines()[-1] == f".. single/{number}"
        found[str(message["Message-ID"])] += 1
    return found


def test_a_sender_killed_at_any_call_leaves_no_half_file_and_no_mail_twice_in_the_folder(senders, tmp_path):
    url, folder = f"sqlite:///{tmp_path / 'mails.db'}", tmp_path / "mail"
    with mailroom(url, is_new=True) as desk:
        left = killed_at_every_moment(senders, desk.connection, Job(url=url, way=str(folder), at="", holder="killed"))

        assert {"claimed", "handing_over", "accepted"} <= set(left)
        assert_nothing_is_lost_and_nothing_came_twice(desk.connection, mails_in(folder))


def test_senders_killed_at_random_one_after_the_other_lose_nothing_and_send_nothing_twice(senders, room, database_url):
    chance = Random(11)  # noqa: S311 delays, no secret
    add_mails(room, range(1, 301))
    killed, at, longest = 0, NOW, 0.25
    with serving(Office()) as office:
        job = Job(url=database_url, way=str(office.port), at="", holder="killed")
        while waiting(room):
            before = len(office.taken)
            (ended,) = senders.work(job._replace(at=at.isoformat(), kill_after=chance.uniform(0.02, longest)))
            killed += ended.signal == signal.SIGKILL
            at += HOUR
            longest *= 1 if len(office.taken) > before else 1.3  # a busy machine gets nowhere in so short a life

    assert killed > 3
    assert_nothing_is_lost_and_nothing_came_twice(room, office.taken)
    assert sum(state == "unknown" for state in states(room).values()) <= killed


def test_two_senders_who_both_believe_that_they_lead_send_each_mail_once(senders, room, database_url):
    add_mails(room, range(1, 401))
    with serving(Office()) as office:
        job = Job(url=database_url, way=str(office.port), at=NOW.isoformat(), holder="one", lease="a", lasts=20)
        senders.work(job, job._replace(holder="two", lease="b"))

    assert set(states(room).values()) == {"accepted"}
    assert office.taken == {message_id(number): 1 for number in range(1, 401)}


def test_senders_stopped_beyond_their_lease_and_let_go_on_send_nothing_twice(senders, room, database_url):
    add_mails(room, range(1, 401))
    with serving(Office()) as office:
        job = Job(
            url=database_url, way=str(office.port), at=NOW.isoformat(), holder="one", pauses=3, speed=300, lasts=8
        )
        senders.work(job, job._replace(holder="two"))
        (epoch,) = rows(room, "SELECT epoch FROM lease")[0]
        restarted(senders, job._replace(pauses=0, lasts=0), NOW + 10 * HOUR)

    assert epoch > 1, "nobody was stopped beyond a lease"
    assert_nothing_is_lost_and_nothing_came_twice(room, office.taken)
