"""A click that comes again: rights are passed on, people urged and signers changed once, however often it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from engine.casework import move
from engine.delegating import Mandate, delegate, delegate_case, hand_over, leave_to, revoke
from engine.errors import Unknown
from engine.library import Library
from engine.organisation import give_role
from engine.records import Moved, Repeated, Request, Verdict
from engine.repeating import once
from engine.signers import add_signer, drop_signer
from engine.trail.event import REGISTRY
from engine.urging import urge
from tests.engine.lab import lending, loan
from tests.engine.town import NOW, Town, town_at

WEEK = NOW + timedelta(days=7)
AWAY = "因故不能返校"
TO_SECOND = Mandate(taker="second.s1", role="site_approver", reason=AWAY)
OF_STUDENT = Mandate(taker="second.s1", role="student", reason=AWAY)
LOAN = loan({
    "lend": {
        "from": "asked", "to": "lent",
        "sign": {
            "slots": {"one": {"role": "site_approver"}, "two": {"role": "site_operator"}},
            "add": {"by": ["site_operator"], "roles": ["records_section"], "at_most": 2},
            "drop": {"by": ["site_operator"], "slots": ["two"]},
        },
    },
    "confirm": {
        "from": "asked", "to": "lent",
        "by": {"role": "student", "delegates": {"roles": ["site_approver"], "reasons": [AWAY]}},
    },
})  # fmt: skip

Said = tuple[Verdict, ...] | int
Act = Callable[[Town, int, Request], Said]


def _delegate(town: Town, _: int, request: Request) -> Said:
    return delegate(town.desk, "S1", TO_SECOND, WEEK, request)


def _delegate_case(town: Town, case: int, request: Request) -> Said:
    return delegate_case(town.desk, case, TO_SECOND, WEEK, request)


def _hand_over(town: Town, case: int, request: Request) -> Said:
    return hand_over(town.desk, case, TO_SECOND, request)


def _leave(town: Town, case: int, request: Request) -> Said:
    return leave_to(town.desk, case, OF_STUDENT, WEEK, request)


def _revoke(town: Town, _: int, request: Request) -> Said:
    return revoke(town.desk, "second.s1", "site_approver", request)


def _revoke_case(town: Town, case: int, request: Request) -> Said:
    return revoke(town.desk, "second.s1", "site_approver", request, case=case)


def _urge(town: Town, case: int, request: Request) -> Said:
    return urge(town.desk, case, request)


def _add_signer(town: Town, case: int, request: Request) -> Said:
    return add_signer(town.desk, case, "records_section", request)


def _drop_signer(town: Town, case: int, request: Request) -> Said:
    return drop_signer(town.desk, case, "two", request)


ACTS: dict[str, tuple[Act, str]] = {
    "delegate": (_delegate, "approver.s1"),
    "delegate_case": (_delegate_case, "approver.s1"),
    "hand_over": (_hand_over, "approver.s1"),
    "leave_to": (_leave, "records.sx"),
    "revoke": (_revoke, "approver.s1"),
    "revoke_case": (_revoke_case, "approver.s1"),
    "urge": (_urge, "operator.s1"),
    "add_signer": (_add_signer, "operator.s1"),
    "drop_signer": (_drop_signer, "operator.s1"),
}
"""Every act, and somebody who may."""


@contextmanager
def asked_for(url: str, library: Library) -> Iterator[tuple[Town, int]]:
    """A loan just asked for, and a second approver at its site."""
    with lending(url, library, LOAN) as (town, case):
        give_role(town.desk, "second.s1", "site_approver", "S1", at=NOW, actor="setup")
        yield town, case


@pytest.fixture
def waiting(district_url: str, library: Library) -> Iterator[tuple[Town, int]]:
    with asked_for(district_url, library) as at:
        yield at


def click(town: Town, case: int, name: str, number: str | None = "R1") -> Said | Repeated:
    """Ask for an act under an id, or under none."""
    act, login = ACTS[name]
    trigger = "lend" if name.endswith("signer") else name
    request = replace(town.request(trigger, login), id=number)
    return once(town.desk, name, request, lambda asked: act(town, case, asked))


def prepare(town: Town, case: int, name: str) -> None:
    """What has to be lent before it can be taken back."""
    if name == "revoke":
        assert click(town, case, "delegate", None) == ()
    elif name == "revoke_case":
        assert click(town, case, "delegate_case", None) == ()


@pytest.mark.parametrize("name", ACTS)
def test_a_repeated_click_is_the_first_answer_and_no_second_act(waiting: tuple[Town, int], name: str):
    town, case = waiting
    prepare(town, case, name)
    first = click(town, case, name)
    after = (town.counts(), town.by_id(case))

    again = click(town, case, name)

    assert first == (1 if name.startswith("revoke") else ())
    assert isinstance(again, Repeated)
    assert again.moved
    assert (town.counts(), town.by_id(case)) == after
    assert town.replayed().diverged == ()


def test_what_was_refused_stays_refused_under_its_id(waiting: tuple[Town, int]):
    town, case = waiting
    click(town, case, "urge", "R1")
    refused = click(town, case, "urge", "R2")
    before = town.counts()

    again = click(town, case, "urge", "R2")

    assert isinstance(refused, tuple)
    assert isinstance(again, Repeated)
    assert (again.moved, again.failed) == (False, ("X-32",))
    assert town.counts() == before


def test_the_second_click_on_a_page_is_answered_though_the_first_has_made_the_page_old(waiting: tuple[Town, int]):
    town, case = waiting
    request = replace(town.request("lend", "operator.s1"), id="R1", seen=town.by_id(case).revision)

    answers = [once(town.desk, "add_signer", request, lambda asked: _add_signer(town, case, asked)) for _ in range(2)]

    assert answers[0] == ()
    assert isinstance(answers[1], Repeated)


def test_without_an_id_a_click_is_always_a_new_one(waiting: tuple[Town, int]):
    town, case = waiting

    assert [click(town, case, "add_signer", None) for _ in range(2)] == [(), ()]
    assert [event["data"]["added"] for event in town.events(case)[1:]] == ["+1", "+2"]


def test_an_error_left_nothing_and_may_be_tried_again_under_the_same_id(waiting: tuple[Town, int]):
    town, case = waiting
    with pytest.raises(Unknown, match="委派"):
        click(town, case, "revoke")
    prepare(town, case, "revoke")

    assert click(town, case, "revoke") == 1


def test_the_same_id_under_another_act_is_another_request(waiting: tuple[Town, int]):
    town, case = waiting
    click(town, case, "urge")

    assert click(town, case, "add_signer") == ()
    assert click(town, case, "delegate") == ()
    assert click(town, case, "drop_signer") == ()
    step = replace(town.request("lend", "approver.s1"), id="R1")
    assert isinstance(move(town.desk, case, step), Moved)
    assert [event["request"] for event in town.events(case)[1:3]] == ["urge:R1", "add_signer:R1"]


def test_what_ends_several_delegations_names_its_id_in_each_event(waiting: tuple[Town, int]):
    town, case = waiting
    give_role(town.desk, "approver.s1", "site_approver", "S2", at=NOW, actor="setup")
    for unit in ("S1", "S2"):
        assert delegate(town.desk, unit, TO_SECOND, WEEK, town.request("delegate", "approver.s1")) == ()

    assert click(town, case, "revoke") == 2

    assert [event["request"] for event in town.events(REGISTRY)[-2:]] == ["revoke:R1", "revoke:R1/2"]
    assert isinstance(click(town, case, "revoke"), Repeated)
    assert town.replayed().diverged == ()


@pytest.mark.parametrize("name", ["delegate", "hand_over", "urge", "add_signer"])
def test_two_clicks_at_the_same_moment_are_one_act(district_url: str, library: Library, name: str):
    with asked_for(district_url, library) as (town, case):
        begin, before = Barrier(2), town.counts()

        def sit_down_and_click(_: int) -> Said | Repeated:
            with town_at(district_url, town.desk.library) as own:
                begin.wait(timeout=30)
                return click(own, case, name)

        with ThreadPoolExecutor(2) as clerks:
            answers = list(clerks.map(sit_down_and_click, range(2)))

        assert sorted(type(one).__name__ for one in answers) == ["Repeated", "tuple"]
        assert () in answers
        assert town.counts()[0] == before[0] + 1, "one event"
        assert town.replayed().diverged == ()
