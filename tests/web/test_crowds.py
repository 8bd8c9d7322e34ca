"""A crowd at the door waits for itself alone: whoever is at work meanwhile is answered."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

import httpx
import pytest

from console.access import passwords
from console.demo import evening
from console.web import turns
from console.web.turns import Turn
from tests.web import school as servers
from tests.web.conftest import Person, Site
from tests.web.test_school_sign_on import asked_of

CROWD = 16
_A_HASH_IS_WAITED_FOR = 5.0
"""Seconds, by whoever is at a desk already."""


def _enters(person: Person) -> httpx.Response:
    return person.post("/sign-in", {"account": evening.APPROVER, "password": evening.PASSWORD})


def _at_the_form(site: Site, many: int) -> list[Person]:
    people = [site.stranger() for _ in range(many)]
    for one in people:
        one.get("/sign-in")
    return people


def test_the_queue_answers_while_a_crowd_signs_in_and_all_of_them_come_in(open_site: Callable[..., Site]) -> None:
    site = open_site(desks=3)
    clerk, people = site.signed_in(evening.OPERATOR), _at_the_form(site, CROWD)
    clerk.get("/queue/todo")

    with ThreadPoolExecutor(CROWD) as pool:
        entries = [pool.submit(_enters, one) for one in people]
        while not any(one.done() for one in entries):
            threading.Event().wait(0.01)
        answer = clerk.get("/queue/todo")
        still_outside = sum(not one.done() for one in entries)
        came = {one.result().status_code for one in entries}

    assert answer.status_code == 200
    assert still_outside > CROWD / 4, "the page of the queue waited for the crowd"
    assert came == {303}


def test_who_waited_for_a_turn_that_did_not_come_hears_it_in_the_form_and_nothing_is_counted(
    open_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(turns.PATIENCE, Turn.PASSWORD, 0.2)
    site = open_site(desks=3)
    people = _at_the_form(site, passwords.AT_ONCE + 6)

    with ThreadPoolExecutor(len(people)) as pool:
        with passwords.a_turn(), passwords.a_turn():  # so those whose turn came are not done with it
            begun = time.monotonic()
            entries = [pool.submit(_enters, one) for one in people]
            next(as_completed(entries))
            waited = time.monotonic() - begun
            told = [one.result() for one in itertools.islice(as_completed(entries), 6)]
        let_in = [one.result() for one in entries if one.result() not in told]

    assert waited < _A_HASH_IS_WAITED_FOR
    assert {answer.status_code for answer in told} == {429}
    assert "登录的人太多，请过几秒再试" in told[0].text
    assert f'value="{evening.APPROVER}"' in told[0].text
    assert told[0].headers["retry-after"] == "5"
    assert [answer.status_code for answer in let_in] == [303, 303]


def test_the_queue_answers_while_the_school_keeps_somebody_waiting(open_site: Callable[..., Site]) -> None:
    with servers.teaching(lambda: evening.NOW, evening.APPROVER) as school:
        site = open_site(desks=1, cas=school.address)
        asked, go_on, validate = threading.Event(), threading.Event(), school.validate

        def slowly(given: dict[str, str]) -> servers.Answer:
            asked.set()
            go_on.wait(4)
            return validate(given)

        school.validate = slowly  # type: ignore[method-assign, assignment]  # a server that takes its time
        clerk, person = site.signed_in(evening.OPERATOR), site.stranger()
        back = school.cas_login(asked_of(person.get("/sign-in/cas").headers["location"]))

        with ThreadPoolExecutor(1) as pool:
            entry = pool.submit(person.get, back.removeprefix(site.address))
            assert asked.wait(4)
            answer = clerk.get("/queue/todo")
            is_outside = not entry.done()
            go_on.set()

        assert (answer.status_code, is_outside) == (200, True)
        assert (entry.result().status_code, person.get("/me").status_code) == (303, 200)
