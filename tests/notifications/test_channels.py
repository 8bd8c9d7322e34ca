"""Who has a channel is told there, once, in a line that names nobody; everybody else still gets mail."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from typing_extensions import override

from engine.desk import Desk
from engine.library import Library
from engine.store.mails import mails
from engine.trail.event import chain_name, moment
from notifications.channels import ChannelMailer, fault_of
from notifications.composing import Composed, Hours, compose
from notifications.lettering import Letters
from notifications.mailers import Answer, Patience
from notifications.messages.briefs import Briefs
from notifications.messages.catalogue import MESSAGES
from notifications.messages.letters import Letter
from notifications.messages.samples import AT, sample_notice
from notifications.people import Person
from notifications.planning import plan
from notifications.reach import Reach
from notifications.scanning import scan
from notifications.sending import Sent, send
from tests.engine.lab import CHECK, loan
from tests.engine.town import FIRST, NOW
from tests.faults.channel_server import HANGS, HANGS_UP, SECRET, TAKES, TRICKLES, Service, serving
from tests.faults.mail_server import made_certificate
from tests.faults.mailroom import NOW as SENT_AT
from tests.faults.mailroom import SENDER, Slot, add_mails, fast, held, letter, mailroom, states
from tests.notifications.lending import address, lent, own_account, reminded, shanghai

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise's PGP

SOON = Patience(connecting=2.0, reply=0.4, text=1.0, end=1.0)
LINK = "https://xueji.example/cases/K7Q2M4XA"
WANG = Person(key="person/wang", name="王丽", address=None, refused=False)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as one:
        yield one


def reach_of(url: str) -> Reach:
    return Reach({WANG.key: url})


def address_at(reach: Reach) -> str:
    found = reach.of(WANG).address
    assert found is not None
    return found


def brief(to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, to, "【学籍】借阅：还剩 3 个工作日"
    message.set_content(LINK)
    return message


def told(url: str, commits: bool = True) -> Answer | None:  # noqa: FBT001, FBT002 what the database says
    reach = reach_of(url)
    to = address_at(reach)
    return ChannelMailer(Slot(), reach, SOON).hand_over(brief(to), SENDER, to, lambda: commits)


def outcome(url: str) -> str:
    answer = told(url)
    assert answer is not None
    assert answer.about == "mail", "what is wrong with one person's channel holds up nobody's mail"
    return answer.outcome


# --- handing over ----------------------------------------------------------------------------------


def test_a_channel_is_told_the_subject_and_the_link_and_nothing_else(service: Service):
    assert outcome(service.url) == "accepted"

    [heard] = service.heard
    assert heard == {
        "version": "1.0", "title": "【学籍】借阅：还剩 3 个工作日", "message": LINK, "attachments": [], "type": "info",
    }  # fmt: skip


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 302, 307])
def test_what_a_service_refuses_waits_for_its_next_try(service: Service, status: int):
    service.does = status

    assert outcome(service.url) == "later"
    assert len(service.heard) == 1
    assert service.paths == [f"/hook/{SECRET}"], "a message goes nowhere else"


@pytest.mark.parametrize("does", [408, 500, 502, 503, 504, HANGS, HANGS_UP, TRICKLES])
def test_what_may_have_been_taken_is_unknown(service: Service, does: str | int):
    service.does = does

    assert outcome(service.url) == "unknown"
    assert len(service.heard) == 1


def test_what_never_left_waits_for_its_next_try(tmp_path: Path):
    with serving(Service()) as gone:
        pass
    tls = made_certificate(tmp_path).of_server()
    with serving(Service(), tls) as unbelieved:
        assert outcome(gone.url) == "later"
        assert outcome(unbelieved.url.replace("json:", "jsons:")) == "later"
    assert unbelieved.heard == []


def test_what_is_said_meanwhile_of_another_message_counts_for_nothing(service: Service):
    """One that trickles is left alone, and its thread may speak when the next is under way."""
    service.does = 404
    service.meanwhile = lambda: logging.getLogger("apprise").warning("A Connection error occurred")

    assert outcome(service.url) == "later"


def test_nothing_leaves_that_may_not_leave(service: Service):
    assert told(service.url, commits=False) is None
    assert service.heard == []


def test_whoever_has_no_channel_gets_mail(service: Service):
    slot = Slot()
    mailer = ChannelMailer(slot, reach_of(service.url), SOON)

    answer = mailer.hand_over(brief("li@people.invalid"), SENDER, "li@people.invalid", lambda: True)

    assert answer is not None
    assert (answer.outcome, slot.taken, service.heard) == ("accepted", {"li@people.invalid": 1}, [])


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Everything that reaches the log of the process (pytest's own also hears what is kept from it)."""
    said: list[str] = []

    class Listener(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    root, listener = logging.getLogger(), Listener()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    yield said
    root.removeHandler(listener)
    root.setLevel(level)


@pytest.mark.parametrize("does", [TAKES, 404, 500, HANGS, HANGS_UP])
def test_no_secret_is_in_any_answer_or_log(service: Service, does: str | int, logged: list[str], capfd):
    service.does = does

    answer = told(service.url)

    assert logged == []
    assert SECRET not in f"{answer}{reach_of(service.url)!r}{capfd.readouterr()}"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (SECRET, "Apprise"),
        (f"wecombott://{SECRET}", "'wecombot'"),
        (f"json://localhost/{SECRET}?retry=2", "retry"),
        (f"json://localhost/{SECRET}?optional=yes", "optional"),
        (f"json://localhost/{SECRET}?redirect=yes", "redirect"),
        (f"jsons://localhost/{SECRET}?verify=no", "verify"),
        (f"bark://localhost/{SECRET}/another", "exactly one"),
    ],
)
def test_an_address_that_would_tell_twice_or_nobody_is_refused_and_not_repeated(url: str, says: str, logged: list[str]):
    fault = fault_of(url)

    assert fault is not None
    assert says in fault
    assert SECRET not in fault
    assert logged == []


@pytest.mark.parametrize("url", [f"json://localhost/{SECRET}", "wecombot://ab-cd", "bark://localhost/device"])
def test_an_address_that_tells_one_person_once_is_good(url: str):
    assert fault_of(url) is None


# --- sending ---------------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with mailroom(f"sqlite:///{tmp_path / 'xueji.db'}", is_new=True) as desk:
        add_mails(desk.connection, [1])
        yield desk


def sent(desk: Desk, service: Service, at: datetime = SENT_AT) -> Sent:
    """A run in which the only mail goes to a channel."""
    reach = reach_of(service.url)
    mailer = ChannelMailer(Slot(), reach, SOON)
    return send(desk, mailer, lambda _row, _at: brief(address_at(reach)), lambda: at, held(desk, at), rate=fast())


def test_a_channel_that_took_it_is_not_told_again(desk: Desk, service: Service):
    assert sent(desk, service) == Sent(accepted=1)
    assert sent(desk, service) == Sent()
    assert len(service.heard) == 1


def test_a_refusal_is_tried_again_until_it_is_taken(desk: Desk, service: Service):
    service.does = 429
    assert sent(desk, service) == Sent(later=1)
    [row] = mails(desk.connection, ["waiting"], 10)
    assert row.answer == "JSON：未收 Refused：HTTP 429"

    service.does = TAKES
    assert sent(desk, service, row.not_before) == Sent(accepted=1)
    assert len(service.heard) == 2, "of which the first was refused"


@pytest.mark.parametrize("does", [500, HANGS, HANGS_UP])
def test_what_is_unknown_is_left_to_people(desk: Desk, service: Service, does: str | int):
    service.does = does
    assert sent(desk, service) == Sent(unknown=1)

    service.does = TAKES
    assert sent(desk, service, SENT_AT.replace(year=2025)) == Sent()
    assert (states(desk.connection), len(service.heard)) == ({1: "unknown"}, 1)


def test_a_service_that_is_down_holds_up_no_mail(desk: Desk, service: Service):
    add_mails(desk.connection, [2])
    service.does = 429
    reach, slot = reach_of(service.url), Slot()

    done = send(
        desk, ChannelMailer(slot, reach, SOON),
        lambda row, at: brief(address_at(reach)) if row.id == 1 else letter(row, at),
        lambda: SENT_AT, held(desk, SENT_AT), rate=fast(),
    )  # fmt: skip

    assert (done, sum(slot.taken.values())) == (Sent(accepted=1, later=1), 1)


# --- who can be reached ----------------------------------------------------------------------------


def test_a_channel_counts_where_there_is_no_address_or_it_has_refused(district_url: str, library: Library):
    reach = Reach({"person/approver.s1": "json://a", "person/both.s1": "json://b"})
    with lent(district_url, library, reminded()) as (town, _):
        address(town, "both.s1")
        town.edit(("account", "refused_at"), moment(NOW), login="both.s1")
        at = shanghai("2024-05-06 09:00")
        coming = plan(town.desk, shanghai("2024-05-05 00:00"), 3, reach)
        scan(town.desk, at, 10)

        done = compose(town.desk, at, Hours(), reach)
        letters = [Letters(town.desk, reach).letter(one, at) for one in mails(town.connection, ["waiting"], 10)]

        assert [one.has_address for one in coming] == [True, True]
        assert done == Composed(digests=2)
        assert {one and reach.channel(one.to) for one in letters} == {"json://a", "json://b"}
        assert [Letters(town.desk).letter(one, at) for one in mails(town.connection, ["waiting"], 10)] == [None, None]


def test_a_student_has_a_channel_by_number_or_by_an_account(district_url: str, library: Library):
    telling = {"check": {**CHECK["check"], "tell": "student"}}
    with lent(district_url, library, loan(telling)) as (town, _):
        number = chain_name(-town.student(FIRST).id)
        reach = Reach({number: "json://a", "person/zhao": "json://b"})
        town.decided(town.connection.execute("SELECT id FROM cases WHERE state = 'asked'").fetchall()[0][0],
                     "check", "approver.s1")  # fmt: skip
        compose(town.desk, NOW, Hours(), reach)
        [row] = mails(town.connection, ["waiting"], 10)

        before = Letters(town.desk, reach).letter(row, NOW)
        own_account(town, "zhao", FIRST)
        after = Letters(town.desk, reach).letter(row, NOW)

        assert row.recipient == number
        assert (before and reach.channel(before.to), after and reach.channel(after.to)) == ("json://a", "json://b")


# --- what is said ----------------------------------------------------------------------------------


PERSONAL = ("欧阳", "王丽", "610103", "缺学生签名页", "出差", "张三")


def sample(*notices_of: str) -> Letter:
    reason = "张三 610103199001011234 缺学生签名页"
    notices = tuple(replace(sample_notice(one), reason=reason) for one in MESSAGES if one in notices_of)
    return Letter(
        to=address_at(reach_of("json://a")), name="王丽", slot="single/1", message_id="<1@x>", at=AT, notices=notices
    )


_PLACES = {"revealed_often": "admin/access", "absence": "me/delegations"}
"""Where a message leads that is about no case."""


@pytest.mark.parametrize("names", [*((one,) for one in MESSAGES), MESSAGES], ids=" ".join)
@pytest.mark.parametrize("is_rehearsal", [False, True])
def test_no_brief_names_anybody_or_gives_a_reason(names: tuple[str, ...], is_rehearsal: bool):  # noqa: FBT001 a fact of the database
    written = Briefs("https://xueji.example", SENDER, is_rehearsal=is_rehearsal).mail(sample(*names))

    subject, text = str(written["Subject"]), written.get_content().strip()
    whole = json.dumps([str(one) for one in written.values()], ensure_ascii=False) + text
    assert [one for one in PERSONAL if one in whole] == []
    place = _PLACES.get(names[0], "cases/7QK4M2T9") if len(names) == 1 else "queue/todo"
    assert text == f"https://xueji.example/{place}"
    assert subject.startswith("【演练】【学籍】" if is_rehearsal else "【学籍】")
    assert not written.is_multipart()
