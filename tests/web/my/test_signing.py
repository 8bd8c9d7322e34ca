"""Filling in the form and signing it: once, in person, with the password."""

from __future__ import annotations

import re

import pytest

from console.demo import evening
from engine.store import documents
from engine.store.own import cases_of
from tests.web.conftest import Person, Site
from tests.web.my.pages import events, facts, form_of, words
from tests.web.student_days import Days, signature

CEILING = 8
LARGEST = 60_000


# --- signing --------------------------------------------------------------------------------------------------------


def _filled_in(person: Person) -> str:
    address = re.search(r'href="(/my/do/[^"]+)"', person.get("/my").text)[1]  # type: ignore[index]  # it is there
    chosen = {"field-first_stage": "高中", "field-in_order": "true", "field-site_kind": "县级"}
    answer = person.post(address, form_of(person, address, **chosen))
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
    done = person.post(address, {**form, "proof": evening.PASSWORD})

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
    with may.house.desks.borrowed() as office:
        cases = cases_of(office.desk.connection, office.desk.actor(days.busy).student or 0)
        kept = documents.of_cases(office.desk.connection, [one.case.id for one in cases])
    assert sum(row.kind == "E-SIGN" for rows in kept.values() for row in rows) == 1
