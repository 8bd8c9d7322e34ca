"""`xueji remind` and `xueji work`: who is going to be told what, telling it once, and what stands in the way."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from random import Random

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import OperationalError
from typer.testing import Result

from console import wiring, worker
from console.calling import Caller
from console.clock import machine_now, rehearsed
from console.post import post_of
from console.reminding import tell, told_clock
from console.rounds import Rounds
from console.settings import Settings
from console.work import Pace, wake
from console.worker import Premises, Worker
from engine.store.database import Connection, open_engine
from engine.store.kept_forms import KeptForm, keep_form
from engine.store.leases import leader, take
from engine.store.timekeeping import confirm, mark
from tests.console.counter import FACTS, OWES, PEOPLE, ROSTER, SITES, UNKNOWN, Counter
from tests.faults.channel_server import HANGS_UP, SECRET, Service, serving
from tests.faults.crews import watching

HALF_HOUR = timedelta(minutes=30)
EVE, MORNING, LATER = "2024-05-06T08:00", "2024-05-06T09:05", "2024-05-06T09:20"
"""Around the reminder seven days before the fees are due."""


@pytest.fixture(scope="module")
def reminded_counter(tmp_path_factory: pytest.TempPathFactory) -> Counter:
    """A counter whose batch reminds: one student owes, one has unknown fees; only the first has an address."""
    folder = tmp_path_factory.mktemp("reminded")
    one = Counter(url=f"sqlite:///{folder / 'xueji.db'}", folder=folder)
    early = "2024-04-15T09:00"
    for words in (
        ("init", "--rehearsal", "--profile", "online-ed"),
        ("unit", "add", "SX", "示范省校", "--kind", "province"),
        ("unit", "add", SITES[0].branch_code, SITES[0].branch, "--kind", "branch", "--parent", "SX"),
        *(("unit", "add", s.code, s.name, "--kind", "site", "--parent", s.branch_code) for s in SITES),
        *(("user", "add", login, "--role", role, "--unit", unit) for login, role, unit in PEOPLE),
        ("import", "roster", one.sheet("roster.xlsx", [with_address(row) for row in ROSTER])),
        ("import", "facts", one.sheet("facts.xlsx", FACTS)),
        ("batch", "publish", "2024-06", "--as", "rec"),
    ):
        assert one.xueji(*words, now=early).exit_code == 0
    return one


def with_address(row):
    return {**row, "email": "owes@xueji.invalid"} if row["student_no"] == OWES else row


@pytest.fixture
def office(reminded_counter: Counter, tmp_path: Path) -> Counter:
    return reminded_counter.copied(tmp_path)


def connection_to(counter: Counter) -> Connection:
    return Connection(open_engine(counter.url))


def count(counter: Counter, sql: str) -> int:
    connection = connection_to(counter)
    try:
        [row] = connection.execute(sql).fetchall()
        return int(row[0])
    finally:
        connection.close()


def letters(counter: Counter) -> list[EmailMessage]:
    read = BytesParser(EmailMessage, policy=policy.default)
    return [read.parsebytes(path.read_bytes()) for path in counter.folder.glob("mail/*.eml")]


# --- plan ------------------------------------------------------------------------------------------


def test_the_plan_names_day_person_deadline_reason_and_whether_mail_would_arrive(office):
    result = office.xueji("remind", "plan", "--days", "1", now=EVE)

    assert result.exit_code == 1, "one of them has no address"
    assert "2024年5月6日（周一）" in result.stdout
    for words in ("缴清学费", "临期 approaching", "09:00", "没有 none", "有 known"):
        assert words in result.stdout
    assert "项送不到人" in result.stdout


def test_the_plan_as_a_document_says_the_same_and_writes_nothing(office):
    before = count(office, "SELECT count(*) FROM event")
    [one, other] = [
        one for one in office.document("remind", "plan", "--days", "1", "--as-of", EVE, code=1)
        if one["deadline"]["zh"] == "缴清学费"
    ]  # fmt: skip

    assert {one["has_address"], other["has_address"]} == {True, False}
    assert (one["rung"], one["message"], one["at"]) == ("before:7d", "approaching", "2024-05-06T01:00:00+00:00")
    assert one["case"] != other["case"]
    assert one["why"]["en"] == "this is your own case"
    assert count(office, "SELECT count(*) FROM event") == before


def test_when_nothing_is_coming_the_plan_says_so(office):
    result = office.xueji("remind", "plan", "--days", "3", now="2024-04-20")

    assert (result.exit_code, "没有提醒" in result.stdout) == (0, True)


def test_a_long_day_is_cut_short_on_screen_and_says_by_how_much(office, monkeypatch):
    monkeypatch.setattr("console.reminding._MOST_LINES", 1)

    result = office.xueji("remind", "plan", "--days", "1", now=EVE)

    assert "见 --json" in result.stderr


# --- run -------------------------------------------------------------------------------------------


def test_a_run_tells_once_and_a_second_run_at_the_same_moment_tells_nothing(office):
    first = office.document("remind", "run", "--as-of", MORNING)
    again = office.document("remind", "run", "--as-of", MORNING)

    assert first["scanned"]["told"] > 0
    assert (again["scanned"]["looked"], again["scanned"]["told"]) == (0, 0)
    assert first["composed"]["untold"] > 0, "who has no address is counted"


def test_what_a_run_has_written_leaves_with_the_digest_of_the_morning(office):
    office.xueji("remind", "run", now=MORNING)
    assert letters(office) == []

    result = office.xueji("remind", "run", now=LATER)

    assert result.exit_code == 0
    [letter] = letters(office)
    assert str(letter["To"]).endswith("<owes@xueji.invalid>")
    text = letter.get_body(("plain",))
    assert text is not None
    assert "缴清学费" in text.get_content()


def test_a_dry_run_counts_what_a_run_would_do_and_leaves_everything_as_it_was(office):
    questions = (
        "SELECT count(*) FROM event",
        "SELECT count(*) FROM outbox",
        "SELECT count(*) FROM mail",
        "SELECT count(*) FROM deadline WHERE told_at > '2024-05-01'",
    )
    before = [count(office, question) for question in questions]

    dry = office.document("remind", "run", "--dry-run", "--as-of", MORNING)

    assert [count(office, question) for question in questions] == before
    wet = office.document("remind", "run", "--as-of", MORNING)
    assert (dry["scanned"], dry["composed"]) == (wet["scanned"], wet["composed"])


@pytest.mark.parametrize(("waits", "flushed"), [("FULL", 2), ("OFF", 0)])
def test_a_mail_in_the_folder_waits_for_the_disk_as_the_database_does_that_says_it_is_there(office, waits, flushed):
    settings, seen = Settings(database=office.url), list[str]()
    with wiring.office(settings) as opened:
        connection = opened.desk.connection
        connection.execute(f"PRAGMA synchronous = {waits}")
        rounds = Rounds(opened, post_of(settings), Random(0))  # noqa: S311 spreads retries; no secret

        with watching({"fsync"}, seen):
            told = tell(connection, rounds, told_clock(datetime.fromisoformat(f"{MORNING}+08:00")), settling=HALF_HOUR)

    assert told.sent.accepted == len(letters(office)) == 1
    assert len(seen) == flushed


def test_a_dry_run_says_that_it_was_one(office):
    assert "没有写入" in office.xueji("remind", "run", "--dry-run", now=MORNING).stdout


def test_while_a_worker_is_at_it_a_run_does_nothing_and_says_until_when(office):
    connection = connection_to(office)
    at = datetime(2024, 5, 6, 1, 5, tzinfo=UTC)
    take(connection, "work", "somebody", at, 60)
    connection.close()

    result = office.xueji("remind", "run", now=MORNING)

    assert result.exit_code == 1
    assert "另一进程正在提醒（至 2024年5月6日（周一）09:06）" in result.stderr
    assert count(office, "SELECT count(*) FROM outbox WHERE rung IS NOT NULL") == 0


def test_a_run_gives_its_lease_up(office):
    office.xueji("remind", "run", now=MORNING)

    connection = connection_to(office)
    assert leader(connection, "work") is None
    connection.close()


def test_settings_that_cannot_be_read_are_named_before_anything_is_written(office, monkeypatch):
    monkeypatch.setenv("XUEJI_MAIL", "mail.xueji.invalid")
    monkeypatch.setenv("XUEJI_DIGEST_HOUR", "nine")

    for words in (("remind", "run"), ("work", "--once")):
        result = office.xueji(*words, now=MORNING)
        assert result.exit_code == 2
        assert "XUEJI_MAIL：“mail.xueji.invalid”" in result.stderr
        assert "XUEJI_DIGEST_HOUR：“nine”" in result.stderr
    assert count(office, "SELECT count(*) FROM outbox WHERE rung IS NOT NULL") == 0


# --- live databases and the clock --------------------------------------------------------------------


@pytest.fixture
def live(office: Counter) -> Counter:
    """The same, no rehearsal any more."""
    connection = connection_to(office)
    connection.execute("UPDATE setting SET value = 'no' WHERE name = 'rehearsal'")
    connection.close()
    return office


@pytest.mark.parametrize("words", [("remind", "run"), ("remind", "plan"), ("work", "--once")])
def test_a_live_database_is_not_told_the_time(live, words):
    result = live.xueji(*words, now=MORNING)

    assert result.exit_code == 2
    assert "不是演练库" in result.stderr


def test_a_clock_file_is_for_rehearsals_only(live, monkeypatch, tmp_path):
    monkeypatch.setenv("XUEJI_CLOCK", str(tmp_path / "shift"))

    assert live.xueji("work", "--once", now=None).exit_code == 2


def test_after_a_leap_of_the_clock_a_run_waits_to_be_told_that_it_is_right(live):
    connection = connection_to(live)
    confirm(connection, machine_now() - timedelta(days=60))
    connection.close()

    leapt = live.xueji("remind", "run", now=None)
    assert leapt.exit_code == 1
    assert "xueji work --confirm-clock" in leapt.stderr

    assert "已确认时钟" in live.xueji("work", "--confirm-clock", now=None).stdout
    assert live.xueji("remind", "run", now=None).exit_code in (0, 1)


# --- work ------------------------------------------------------------------------------------------


def caller(counter: Counter, now: str | None) -> Caller:
    told = None if now is None else datetime.fromisoformat(f"{now}+08:00").astimezone(UTC)
    return Caller(settings=Settings(database=counter.url), now=told)


def once(counter: Counter, now: str) -> Result:
    return counter.xueji("work", "--once", now=now)


def test_once_does_each_round_once_and_says_what_it_did(office):
    early, late = once(office, MORNING), once(office, LATER)

    assert (early.exit_code, late.exit_code) == (0, 0)
    assert "event=working" in early.stderr
    assert "event=scan looked=" in early.stderr
    assert "event=send accepted=1" in late.stderr
    assert len(letters(office)) == 1


def test_what_somebody_typed_and_gave_up_is_forgotten_by_the_next_round_though_nobody_keeps_anything_again(office):
    connection = connection_to(office)
    for handle, moment in (("old", "2024-05-06T07:59"), ("young", "2024-05-06T08:30")):
        form = KeptForm(address="/cases/K7Q2M4XA/comment", origin="/", pairs=(("text", "请核对"),))
        keep_form(connection, handle, "somebody", form, datetime.fromisoformat(f"{moment}+08:00"))
    connection.close()

    once(office, "2024-05-06T09:00")

    assert count(office, "SELECT count(*) FROM kept_form") == 1
    assert count(office, "SELECT count(*) FROM kept_form WHERE handle = 'young'") == 1


def test_once_raises_the_mark_and_leaves_no_lease_behind(office):
    once(office, MORNING)

    connection = connection_to(office)
    at = mark(connection)
    assert at is not None
    assert at - datetime(2024, 5, 6, 1, 5, tzinfo=UTC) < timedelta(minutes=5)
    assert leader(connection, "work") is None
    connection.close()


def test_the_status_says_who_leads_since_when_and_how_mails_stand(office):
    nobody = office.xueji("work", "--status", now=EVE)
    assert (nobody.exit_code, "提醒进程 worker：无 none" in nobody.stdout) == (1, True)

    once(office, LATER)
    connection = connection_to(office)
    take(connection, "work", "here/1", datetime(2024, 5, 6, 1, 30, tzinfo=UTC), 60)
    connection.close()
    led = office.xueji("work", "--status", now="2024-05-06T09:30:30")

    assert led.exit_code == 0
    assert "提醒进程 worker：here/1" in led.stdout
    assert "最近一轮 last round：2024年5月6日（周一）09:20" in led.stdout
    assert "邮件 mails：accepted" in led.stdout or "邮件 mails：waiting" in led.stdout


def premises_of(counter: Counter, now: str) -> Premises:
    asked = caller(counter, now)
    return Premises(
        settings=asked.settings, post=post_of(asked.settings), wall=rehearsed(asked.now, None), is_told=True
    )


def test_a_second_worker_stands_by_and_leads_when_the_first_has_ended(office):
    said: list[str] = []
    first, second = (Worker(premises_of(office, MORNING), lambda event, **_: said.append(event)) for _ in range(2))

    first.do("scan")
    second.do("scan")
    assert said == ["working", "leading", "scan", "working", "another worker leads"]
    first.close()
    second.do("compose")
    second.close()

    assert said[5:] == ["leading", "compose"]


def test_a_database_that_is_gone_is_said_once_and_asked_again_after_a_wait_that_grows(office, monkeypatch):
    said: list[dict[str, object]] = []
    one = Worker(premises_of(office, MORNING), lambda event, **more: said.append({"event": event, **more}))
    passed = [1000.0]
    monkeypatch.setattr(worker, "steady_seconds", lambda: passed[0])

    def gone(_settings: Settings, *, today: date) -> None:
        assert MORNING.startswith(today.isoformat())
        raise OperationalError("connect", {}, Exception("refused"))

    monkeypatch.setattr(worker, "office", gone)
    for seconds in (0, 0.5, 1, 1, 1.5, 100):
        passed[0] += seconds
        one.do("scan")

    assert [one["again_in_seconds"] for one in said] == [1.0, 2.0, 4.0, 8.0]
    assert {one["event"] for one in said} == {"database lost"}


def test_an_error_in_one_round_is_named_without_its_text_and_ends_nothing(office, monkeypatch):
    said: list[dict[str, object]] = []
    one = Worker(premises_of(office, MORNING), lambda event, **more: said.append({"event": event, **more}))

    def fails(*_: object) -> None:
        raise KeyError("张三 610103")

    monkeypatch.setattr("console.rounds.scan", fails)
    one.do("scan")
    one.do("compose")
    one.close()

    [failed] = [line for line in said if line["event"] == "round failed"]
    assert (failed["error"], failed["round"]) == ("KeyError", "scan")
    assert "610103" not in json.dumps(said, ensure_ascii=False)


def test_a_worker_that_is_to_end_begins_nothing(office):
    said: list[str] = []
    one = Worker(premises_of(office, MORNING), lambda event, **_: said.append(event))
    one.is_ending = True

    one.do("scan")

    assert said == []


def test_rounds_put_off_by_a_clock_turned_back_are_brought_forward():
    scheduler = BackgroundScheduler(timezone=UTC)
    now = machine_now()
    pace = Pace()
    scheduler.start(paused=True)
    for kind in pace._fields:
        scheduler.add_job(print, "interval", id=kind, seconds=30, next_run_time=now + timedelta(seconds=3))

    wake(scheduler, pace, now)
    assert {job.next_run_time for job in scheduler.get_jobs()} == {now + timedelta(seconds=3)}
    wake(scheduler, pace, now - timedelta(days=1))

    assert {job.next_run_time for job in scheduler.get_jobs()} == {now - timedelta(days=1)}
    scheduler.shutdown()


# --- channels --------------------------------------------------------------------------------------


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as one:
        yield one


@pytest.fixture
def told_otherwise(office: Counter, service: Service, monkeypatch) -> Counter:
    """Of the two students who are to be reminded one has an address, the other a channel."""
    coming = office.document("remind", "plan", "--days", "1", "--as-of", EVE, code=1)
    [key] = {one["person"] for one in coming if not one["has_address"]}
    file = office.folder / "channels.yaml"
    file.touch(mode=0o600)
    file.write_text(f"{key}: {service.url}\n", encoding="utf-8")
    monkeypatch.setenv("XUEJI_CHANNELS", str(file))
    return office


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise's PGP
def test_one_is_written_to_and_the_other_told_once_in_a_line_that_names_nobody(told_otherwise, service):
    told_otherwise.document("remind", "plan", "--days", "1", "--as-of", EVE, code=0)
    for now in (MORNING, LATER, LATER):
        told_otherwise.document("remind", "run", "--as-of", now)

    assert {one["To"].addresses[0].addr_spec for one in letters(told_otherwise)} == {"owes@xueji.invalid"}
    [heard] = service.heard
    assert str(heard["title"]).startswith("【演练】【学籍】")
    assert str(heard["message"]).startswith("http://localhost:8000/")
    [name] = {row["name"] for row in ROSTER if row["student_no"] == UNKNOWN}
    assert [one for one in (name, UNKNOWN, SECRET) if one in str(heard)] == []


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise's PGP
def test_a_channel_that_hangs_up_leaves_a_question_for_staff_without_its_address(told_otherwise, service):
    service.does = HANGS_UP
    told_otherwise.xueji("remind", "run", now=MORNING)

    result = told_otherwise.xueji("remind", "run", now=LATER)
    listed = told_otherwise.xueji("mail", "list", now=LATER)

    assert (result.exit_code, len(service.heard)) == (1, 1)
    assert "去向不明 unknown 1" in listed.stdout
    assert SECRET not in result.output + listed.output
