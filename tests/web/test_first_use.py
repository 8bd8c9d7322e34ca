"""The first password and a forgotten one: by a code for one use, and nobody learns whether an account exists."""

from __future__ import annotations

import email
import re
import time
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import httpx
import pytest

from console.access import entering
from console.access.limiter import MAILS, Guess
from console.demo import evening
from engine.store import access, people
from tests.web.conftest import Person, Site
from tests.web.reading import told

WHO = evening.OPERATOR
NEW = "柳桥的梧桐叶落了三次"
ADDRESS = "lin@example.invalid"


def at(site: Site, address: str) -> Person:
    person = site.stranger()
    assert person.get(address).status_code == 200
    return person


def code_for(site: Site, login: str = WHO) -> str:
    with site.house.desks.borrowed() as office:
        return entering.issue(office.desk.connection, login, "activate", site.watch.at)


def activates(person: Person, code: str, password: str = NEW, *, login: str = WHO, again: str | None = None):
    form = {"account": login, "code": code, "password": password, "repeated": password if again is None else again}
    return person.post("/activate", form)


def signs_in(site: Site, password: str, login: str = WHO) -> httpx.Response:
    return at(site, "/sign-in").post("/sign-in", {"account": login, "password": password})


def mails(site: Site, count: int) -> list[EmailMessage]:
    """What lies in the folder for mails, once that many do; a moment later when none is wanted."""
    folder = Path(site.house.settings.mail_folder)
    until = time.monotonic() + (5 if count else 0.3)
    while time.monotonic() < until and len(list(folder.glob("reset-*.eml"))) < max(count, 1):
        time.sleep(0.01)
    return [email.message_from_bytes(one.read_bytes(), policy=default) for one in sorted(folder.glob("reset-*.eml"))]


def reachable(site: Site, login: str = WHO) -> None:
    with site.house.desks.borrowed() as office:
        people.set_address(office.desk.connection, login, ADDRESS)


def test_a_code_gives_the_first_password_once(site: Site) -> None:
    code, person = code_for(site), at(site, "/activate")

    first = activates(person, code.lower().replace("-", " "))
    second = activates(person, code, "another long password")

    assert first.headers["location"] == "/sign-in?set=1"
    assert "密码已设好，请登录" in person.get("/sign-in?set=1").text
    assert second.status_code == 422
    assert signs_in(site, NEW).status_code == 303
    assert signs_in(site, evening.PASSWORD).status_code == 422


@pytest.mark.parametrize(
    ("password", "again", "says"),
    [
        pytest.param("12345", None, "至少 10 个字符", id="short"),
        pytest.param("1234567890", None, "太常见", id="common"),
        pytest.param(f"my {WHO} password", None, "不能含有账号", id="with the account in it"),
        pytest.param(NEW, "another", "两次输入的密码不一样", id="mistyped"),
    ],
)
def test_a_password_that_is_not_taken_leaves_the_code_good(site: Site, password: str, again: str | None, says: str):
    code, person = code_for(site), at(site, "/activate")

    refused = activates(person, code, password, again=again)

    assert refused.status_code == 422
    assert says in refused.text
    assert password not in refused.text
    assert activates(person, code).status_code == 303


def test_a_wrong_code_an_old_one_and_one_of_another_account_are_told_the_same(site: Site) -> None:
    code = code_for(site)
    answers = [
        activates(at(site, "/activate"), given, login=login)
        for given, login in (("0000", WHO), (code, evening.APPROVER), (code, "nobody-at-all"))
    ]
    site.watch.pass_by(days=14)
    answers.append(activates(at(site, "/activate"), code))

    sentences = {re.search(r'role="alert">([^<]*)<', answer.text)[1] for answer in answers}  # type: ignore[index]  # fails if none
    assert len(sentences) == 1
    assert {answer.status_code for answer in answers} == {422}


def test_wrong_codes_of_others_keep_nobody_from_the_first_use(site: Site) -> None:
    code, person = code_for(site), at(site, "/activate")

    answers = {activates(at(site, "/activate"), f"guess {number}").status_code for number in range(20)}

    assert answers == {422}
    assert activates(person, code).status_code == 303


def test_who_sets_a_password_with_a_code_signs_in_there_whatever_others_guess(site: Site) -> None:
    code, person = code_for(site), at(site, "/activate")
    for _ in range(6):
        signs_in(site, "not the password")

    assert activates(person, code).status_code == 303
    assert signs_in(site, NEW).status_code == 429
    person.get("/sign-in")
    assert person.post("/sign-in", {"account": WHO, "password": NEW}).status_code == 303


def test_who_asks_for_everybodys_mail_is_told_to_wait_and_the_account_typed_is_kept(site: Site) -> None:
    with site.house.desks.borrowed() as office:
        for number in range(200):
            entering.may_mail(office.desk.connection, Guess(f"s-{number}", MAILS, "127.0.0.1"), site.watch.at)

    answers = [at(site, "/forgotten").post("/forgotten", {"account": who}) for who in (WHO, "nobody")]

    assert {answer.status_code for answer in answers} == {429}
    assert told(answers[0], WHO) == told(answers[1], "nobody")
    assert "请 1 分钟后再试" in answers[0].text
    assert f'value="{WHO}"' in answers[0].text


def test_who_forgot_the_password_gets_a_code_by_mail_that_is_good_for_an_hour(site: Site) -> None:
    reachable(site)
    person = at(site, "/forgotten")

    answer = person.post("/forgotten", {"account": WHO})

    assert "如果账号存在，已发出重置邮件" in answer.text
    [mail] = mails(site, 1)
    body = mail.get_content()
    code = re.search(r"\b[0-9A-Z]{5}(-[0-9A-Z]{5}){3}\b", body)
    assert code is not None
    assert ADDRESS in mail["To"]
    assert "演练" in mail["Subject"]
    assert WHO not in mail["Subject"]
    site.watch.pass_by(minutes=59)
    assert activates(person, code[0]).status_code == 303
    assert signs_in(site, NEW).status_code == 303


def test_whether_there_is_an_account_is_not_told_and_nobody_else_is_written_to(site: Site) -> None:
    reachable(site)
    with site.house.desks.borrowed() as office:
        people.set_address(office.desk.connection, evening.SECOND, "second@example.invalid")
        access.disable(office.desk.connection, evening.SECOND, site.watch.at)

    answers = [
        at(site, "/forgotten").post("/forgotten", {"account": who}) for who in (WHO, evening.SECOND, "nobody", "")
    ]

    assert len({told(answer) for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert [mail["To"].addresses[0].addr_spec for mail in mails(site, 1)] == [ADDRESS]


def test_nobody_is_mailed_to_over_and_over(site: Site) -> None:
    reachable(site)
    person = at(site, "/forgotten")

    answers = [person.post("/forgotten", {"account": WHO}).status_code for _ in range(9)]

    assert answers == [200] * 9
    assert len(mails(site, 6)) == 5


def test_an_address_that_cannot_be_written_to_is_nobodys_trouble(site: Site) -> None:
    with site.house.desks.borrowed() as office:
        people.set_address(office.desk.connection, WHO, "not an address\r\nBcc: all@example.invalid")

    assert at(site, "/forgotten").post("/forgotten", {"account": WHO}).status_code == 200
    assert mails(site, 0) == []
    assert at(site, "/sign-in").get("/healthz").status_code == 200
