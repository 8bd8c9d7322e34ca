"""Filling in the form and signing it: once, in person, with the password."""

from __future__ import annotations

import re

import pytest

from console.demo import evening, school
from engine.facts import write_facts
from engine.records import Json, Request
from engine.store import documents
from engine.store.own import cases_of
from tests.web.conftest import Person, Site
from tests.web.my.pages import events, facts, form_of, hidden, words
from tests.web.student_days import Days, signature

CEILING = 8
LARGEST = 60_000
FILLED_IN = {"field-first_stage": "高中", "field-in_order": "true", "field-site_kind": "县级"}


# --- signing --------------------------------------------------------------------------------------------------------


def _filled_in(person: Person) -> str:
    address = re.search(r'href="(/my/do/[^"]+)"', person.get("/my").text)[1]  # type: ignore[index]  # it is there
    answer = person.post(address, form_of(person, address, **FILLED_IN))
    assert answer.status_code == 303, words(answer.text)
    return answer.headers["location"]


def test_the_form_is_filled_in_first_and_then_only_the_signature_is_missing(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)

    assert f'href="{address}"' in person.get("/my").text
    page = person.get(address)
    assert "高中" in page.text
    assert "请到教学点现场签" in page.text
    assert facts(may, days.busy)["form_signed"] is False


def test_what_the_form_lacks_is_said_beside_the_field(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = re.search(r'href="(/my/do/[^"]+)"', person.get("/my").text)[1]  # type: ignore[index]  # it is there
    answer = person.post(address, form_of(person, address, **{"field-first_stage": "高中"}))

    assert answer.status_code == 422
    assert "教学点类别——要填" in words(answer.text)


def test_a_form_that_a_rule_refuses_is_not_kept_for_signing(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = re.search(r'href="(/my/do/[^"]+)"', person.get("/my").text)[1]  # type: ignore[index]  # it is there
    wrong = {"field-first_stage": "其他", "field-in_order": "true", "field-site_kind": "县级"}
    answer = person.post(address, form_of(person, address, **wrong))

    assert answer.status_code == 422
    assert "学习经历应从高中" in answer.text


def test_a_signature_with_the_password_is_kept_with_its_form_and_the_step_is_taken(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    form = form_of(person, address, signature=signature())
    asked = person.post(address, form)
    assert asked.status_code == 200
    assert 'name="proof"' in asked.text
    done = person.post(address, {**hidden(asked.text), "signature": signature(), "proof": evening.PASSWORD})

    assert done.status_code == 303, words(done.text)
    assert facts(may, days.busy)["form_signed"] is True
    assert "签好了，今天 09:00" in words(person.get(address).text)
    assert "登记表再改动，要重签" in person.get(address).text


def test_a_signature_sent_twice_is_given_once(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    form = {**form_of(person, address, signature=signature()), "proof": evening.PASSWORD}
    answers = [person.post(address, form).status_code for _ in range(2)]

    assert answers == [303, 303]
    happened = events(may, days.busy)
    assert (happened.count("fill_form"), happened.count("attach:E-SIGN")) == (1, 1)


def test_a_wrong_password_signs_nothing_and_keeps_the_drawing(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    drawn = signature()
    answer = person.post(address, {**form_of(person, address, signature=drawn), "proof": "not the password"})

    assert answer.status_code == 422
    assert "密码不对" in answer.text
    assert drawn in answer.text
    assert "attach:E-SIGN" not in events(may, days.busy)


def _signatures(site: Site, login: str) -> int:
    with site.house.desks.borrowed() as office:
        cases = cases_of(office.desk.connection, office.desk.actor(login).student or 0)
        kept = documents.of_cases(office.desk.connection, [one.case.id for one in cases])
    return sum(row.kind == "E-SIGN" for rows in kept.values() for row in rows)


def _corrected(site: Site, login: str, **known: Json) -> None:
    """The records section corrects what the form will say."""
    with site.house.desks.borrowed() as office:
        head = office.desk.actor(school.HEAD)
        write_facts(office.desk, {login: known}, Request(trigger="facts", actor=head, at=site.watch.at))


def _other_id_number(number: str) -> str:
    """One that reads the same where the page masks it."""
    return f"{number[:8]}{(int(number[8]) + 1) % 10}{number[9:]}"


def _drawn(person: Person, address: str) -> dict[str, str]:
    """What the browser would send with the password: the fields of the very page that asks for it."""
    answer = person.post(address, form_of(person, address, signature=signature()))
    assert answer.status_code == 200, words(answer.text)
    return {**hidden(answer.text), "signature": signature(), "proof": evening.PASSWORD}


def test_a_form_that_changed_before_the_signature_was_drawn_is_shown_again(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    read = form_of(person, address, signature=signature())
    _corrected(may, days.busy, name="陈另名")
    answer = person.post(address, read)

    assert answer.status_code == 422
    assert "要签的内容刚才有改动，请再看一遍后签名" in words(answer.text)
    assert "陈另名" in words(answer.text)
    assert 'name="proof"' not in answer.text


def test_a_form_that_changed_between_signature_and_password_is_not_signed(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    form = _drawn(person, address)
    _corrected(may, days.busy, name="陈另名")
    answer = person.post(address, form)

    assert answer.status_code == 422
    assert "要签的内容刚才有改动，请再看一遍后签名" in words(answer.text)
    assert "陈另名" in words(answer.text)
    assert facts(may, days.busy)["form_signed"] is False
    assert _signatures(may, days.busy) == 0
    assert "attach:E-SIGN" not in events(may, days.busy)


def test_what_was_filled_in_anew_in_another_tab_is_not_signed_unread(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    filling = re.search(r'href="(/my/do/[^"]+)"', person.get("/my").text)[1]  # type: ignore[index]  # it is there
    address = _filled_in(person)
    form = _drawn(person, address)
    anew = form_of(person, filling, **{**FILLED_IN, "field-site_kind": "地市级"})
    assert person.post(filling, anew).status_code == 303
    answer = person.post(address, form)

    assert answer.status_code == 422
    assert "地市级" in words(answer.text)
    assert _signatures(may, days.busy) == 0


def test_an_id_number_that_changed_where_it_is_masked_is_noticed(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    form = _drawn(person, address)
    before = person.get(address).text
    _corrected(may, days.busy, id_number=_other_id_number(str(facts(may, days.busy)["id_number"])))
    after = person.get(address).text

    assert words(after) == words(before)
    assert hidden(after)["read"] != hidden(before)["read"]
    assert person.post(address, form).status_code == 422
    assert _signatures(may, days.busy) == 0


@pytest.mark.parametrize("lacking", ["seen", "read"])
def test_a_form_that_does_not_say_what_was_read_signs_nothing(may: Site, days: Days, lacking: str) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    form = {name: value for name, value in _drawn(person, address).items() if name != lacking}

    assert person.post(address, form).status_code == 422
    assert _signatures(may, days.busy) == 0


def test_read_in_english_and_signed_in_chinese_it_is_the_same_form(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    read = hidden(person.get(address, Accept_Language="en").text)
    answer = person.post(address, {**read, "signature": signature(), "proof": evening.PASSWORD})

    assert answer.status_code == 303, words(answer.text)


def test_a_wrong_password_does_not_make_an_older_text_the_one_that_was_read(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    asked = person.post(address, {**_drawn(person, address), "proof": "not the password"})
    assert "密码不对" in asked.text
    _corrected(may, days.busy, name="陈另名")
    again = {**hidden(asked.text), "signature": signature(), "proof": evening.PASSWORD}

    assert person.post(address, again).status_code == 422
    assert _signatures(may, days.busy) == 0


def test_the_page_to_sign_and_the_one_that_asks_for_the_password_take_few_statements(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    form = form_of(person, address, signature=signature())
    with may.counted() as reading:
        page = person.get(address)
    with may.counted() as drawing:
        proof = person.post(address, form)

    assert len(reading) <= CEILING, "\n".join(reading)
    assert len(drawing) <= CEILING, "\n".join(drawing)
    assert max(len(page.content), len(proof.content)) <= LARGEST


@pytest.mark.parametrize("drawn", ["", "data:image/png;base64,AAAA", "data:text/html;base64,PGI+", "x" * 300_000])
def test_what_is_no_drawing_is_not_taken_for_a_signature(may: Site, days: Days, drawn: str) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    answer = person.post(address, form_of(person, address, signature=drawn))

    assert answer.status_code in (400, 413, 422)
    assert "attach:E-SIGN" not in events(may, days.busy)


def test_an_empty_frame_is_not_a_signature(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    answer = person.post(address, form_of(person, address, signature=signature(strokes=())))

    assert answer.status_code == 422
    assert "还没有签名" in answer.text


def test_a_form_that_was_sent_back_is_signed_anew_in_place_of_the_old_signature(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _filled_in(person)
    person.post(address, {**form_of(person, address, signature=signature()), "proof": evening.PASSWORD})
    reopened = address.replace("/sign/", "/do/") + "/reopen_form"
    may.watch.pass_by(minutes=5)
    assert person.post(reopened, form_of(person, reopened, reason="主要学习经历填漏了一段，要改填")).status_code == 303
    address = _filled_in(person)
    anew = signature(strokes=((40, 40), (600, 280), (60, 250)))
    done = person.post(address, {**form_of(person, address, signature=anew), "proof": evening.PASSWORD})

    assert done.status_code == 303, words(done.text)
    assert _signatures(may, days.busy) == 1
