"""The REST interface: for whom a token acts, what it may be used for, and that nothing is done twice."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from console.access.programs import Wish, issue
from console.demo import evening, school
from engine.facts import write_facts
from engine.records import Request, case_number, case_of
from engine.store.cases import read_case
from engine.store.looks import of_person
from tests.web.cases import events_of
from tests.web.conftest import Site


class Program:
    """A program that shows a token, which its person made with a proof unless it is said."""

    def __init__(self, site: Site, login: str, *scopes: str, days: int = 30, is_proved: bool = True) -> None:
        with site.house.desks.borrowed() as office:
            wish = Wish(login, "test", scopes, timedelta(days=days), site.watch.at if is_proved else None)
            self.token = issue(office.desk, wish, site.watch.at, "setup")
        self._client = site.program

    def get(self, path: str) -> httpx.Response:
        return self._client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {self.token}"})

    def post(self, path: str, body: object, key: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **({"Idempotency-Key": key} if key else {})}
        return self._client.post(f"/api/v1{path}", json=body, headers=headers)


@pytest.fixture
def approver(site: Site) -> Program:
    """A program of the approver's that may read and decide."""
    return Program(site, evening.APPROVER, "read", "decide")


def waiting(program: Program, asked: str = "sort=entered") -> list[dict[str, Any]]:
    """All that waits for the person, page after page; the longest waiting first unless something else is asked."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = program.get(f"/queue/todo?{asked}&after={after}").json()
        found += page["cases"]
        after = page.get("next")
    return found


def _first(program: Program) -> dict[str, Any]:
    return waiting(program)[0]


def _ready(program: Program) -> list[dict[str, Any]]:
    """Those that nothing but the person's own decision is missing to."""
    return waiting(program, "lane=ready")


def test_without_a_good_token_nothing_is_said(site: Site, approver: Program) -> None:
    site.watch.pass_by(days=31)
    answers = [site.program.get("/api/v1/queue/todo"), approver.get("/queue/todo")]
    assert [one.status_code for one in answers] == [401, 401]
    assert {one.headers["content-type"] for one in answers} == {"application/problem+json"}


def test_a_token_does_what_its_scopes_say_and_no_more(site: Site) -> None:
    reader = Program(site, evening.APPROVER, "read")
    one = _first(reader)
    answer = reader.post(f"/cases/{one['number']}/transitions/site_approve", {"revision": one["revision"]}, "key-00001")
    assert answer.status_code == 403
    assert _first(reader) == one


def test_the_same_key_is_answered_the_same_and_decides_once(approver: Program) -> None:
    ready = _ready(approver)[0]
    address, body = f"/cases/{ready['number']}/transitions/site_approve", {"revision": ready["revision"]}
    first, again = approver.post(address, body, "key-00001"), approver.post(address, body, "key-00001")
    assert first.json()["moved"], first.json()
    assert not first.json()["repeated"]
    assert again.json() == {**again.json(), "moved": True, "repeated": True, "state": first.json()["state"]}
    history = approver.get(f"/cases/{ready['number']}/events").json()
    assert [one["kind"] for one in history if one.get("trigger") == "site_approve"] == ["moved"]


def test_an_old_revision_is_a_conflict_that_says_the_new_one(approver: Program) -> None:
    one = _ready(approver)[0]
    address = f"/cases/{one['number']}/transitions/site_approve"
    answer = approver.post(address, {"revision": one["revision"] - 1}, "key-00002")
    assert answer.status_code == 409
    assert answer.json()["revision"] == one["revision"]


def test_a_refusal_is_an_answer_with_every_reason(approver: Program) -> None:
    blocked = waiting(approver, "rule=electronic-photo")[0]
    body = {"revision": blocked["revision"], "cautions": blocked["cautions"]}
    answer = approver.post(f"/cases/{blocked['number']}/transitions/site_approve", body, "key-00003")
    assert answer.status_code == 200
    assert not answer.json()["moved"]
    assert answer.json()["failed"]
    assert all(one["sentence"]["zh"] and one["sentence"]["en"] for one in answer.json()["verdicts"])


def _seen(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Some cases as a program names them."""
    return [{"number": one["number"], "revision": one["revision"]} for one in cases]


def _histories(program: Program, numbers: list[str]) -> list[Any]:
    return [program.get(f"/cases/{one}/events").json() for one in numbers]


def test_a_dry_run_of_many_decides_nothing_and_says_what_would_become_of_each(approver: Program) -> None:
    every = waiting(approver)
    judged = approver.post("/decisions", {"trigger": "site_approve", "cases": _seen(every)}, "key-00005").json()

    assert judged["dry_run"]
    assert [len(judged[name]) for name in ("moved", "look", "refused", "barred", "conflicts")] == [47, 5, 8, 0, 0]
    assert waiting(approver) == every


def test_the_same_key_for_many_is_answered_the_same_and_nothing_is_done_twice(approver: Program) -> None:
    every = waiting(approver)
    told = {"trigger": "site_approve", "cases": _seen(every), "dry_run": False}
    first = approver.post("/decisions", told, "key-00006").json()
    numbers = [first["moved"][0], first["refused"][0]["number"], first["look"][0]["number"]]
    histories = _histories(approver, numbers)

    again = approver.post("/decisions", told, "key-00006").json()

    assert [len(first[name]) for name in ("moved", "look", "refused")] == [47, 5, 8]
    for answer in (first, again):
        answer["refused"].sort(key=lambda one: one["number"])
    assert again == first
    assert _histories(approver, numbers) == histories
    other = approver.post("/decisions", told, "key-00016").json()
    assert (other["moved"], len(other["conflicts"])) == ([], 47), "under another key it is another request"


def test_what_is_to_be_looked_at_first_is_told_apart_by_many_and_stays(approver: Program) -> None:
    look = waiting(approver, "lane=look")
    told = {"trigger": "site_approve", "cases": _seen(look), "dry_run": False}
    answer = approver.post("/decisions", told, "key-00017").json()
    assert (answer["moved"], len(answer["look"])) == ([], 5)
    assert {one["number"]: one["cautions"] for one in answer["look"]} == {x["number"]: x["cautions"] for x in look}
    assert all(one["cautions"] for one in answer["look"])
    assert waiting(approver, "lane=look") == look


def test_a_refusal_among_many_is_kept_whether_or_not_something_was_to_be_looked_at_first(
    site: Site, approver: Program
) -> None:
    first = waiting(approver, "lane=look")[0]["number"]
    with site.house.desks.borrowed() as office:
        desk = office.desk
        found = read_case(desk.connection, case_of(first) or 0)
        assert found is not None
        request = Request(trigger="facts", actor=desk.actor(school.HEAD), at=site.watch.at)
        write_facts(desk, {found.student_no or "": {"electronic_photo": False}}, request)
    every = sorted(
        waiting(approver, "lane=look") + waiting(approver, "lane=blocked"), key=lambda x: x["number"] != first
    )
    numbers = [one["number"] for one in every]
    before = _histories(approver, numbers)
    dry = approver.post("/decisions", {"trigger": "site_approve", "cases": _seen(every)}, "key-00020").json()
    assert _histories(approver, numbers) == before, "a dry run leaves nothing"

    told = {"trigger": "site_approve", "cases": _seen(every), "dry_run": False}
    answer = approver.post("/decisions", told, "key-00021").json()

    refused = {one["number"] for one in answer["refused"]}
    assert refused == {one["number"] for one in dry["refused"]}
    assert (numbers[0], numbers[0] in refused, every[0]["cautions"] != []) == (first, True, True)
    for number, then, now in zip(numbers, before, _histories(approver, numbers), strict=True):
        kinds = [one["kind"] for one in now[len(then) :]]
        assert kinds == (["refused"] if number in refused else []), number


def test_many_are_not_decided_together_by_whoever_opens_a_sample_first(site: Site) -> None:
    head = Program(site, school.HEAD, "read", "decide")
    cases = _seen([one for one in waiting(head, "lane=ready") if one["trigger"] == "branch_approve"][:3])
    many = {"trigger": "branch_approve", "cases": cases}
    refused = head.post("/decisions", {**many, "dry_run": False}, "key-00018")
    assert (refused.status_code, "/bulk" in refused.json()["title_en"]) == (409, True), refused.text
    assert len(head.post("/decisions", many, "key-00018").json()["moved"]) == 3, "a dry run decides nothing"
    one = cases[0]
    address = f"/cases/{one['number']}/transitions/branch_approve"
    assert head.post(address, {"revision": one["revision"]}, "key-00019").json()["moved"]


def test_a_case_with_cautions_is_decided_once_each_was_looked_at_and_its_event_keeps_them(
    site: Site, approver: Program
) -> None:
    one = waiting(approver, "lane=look")[0]
    address = f"/cases/{one['number']}/transitions/site_approve"
    refused = approver.post(address, {"revision": one["revision"]}, "key-00020")
    assert refused.status_code == 422
    wanted = [("body.cautions", f"需细看：{caution}") for caution in one["cautions"]]
    assert [(each["where"], each["reason"]) for each in refused.json()["fields"]] == wanted
    body = {"revision": one["revision"], "cautions": one["cautions"]}
    assert approver.post(address, body, "key-00020").json()["moved"]
    assert events_of(site, one["number"])[-1]["data"]["cautions"] == one["cautions"]


def test_a_reason_that_a_student_reads_is_as_long_as_on_the_page(approver: Program) -> None:
    one = _ready(approver)[0]
    address = f"/cases/{one['number']}/transitions/site_return"
    for reason in ("", "重报", "长" * 501):
        answer = approver.post(address, {"revision": one["revision"], "fields": {"reason": reason}}, "key-00021")
        assert (answer.status_code, answer.json()["fields"][0]["where"]) == (422, "body.fields.reason")
    body = {"revision": one["revision"], "fields": {"reason": "电子照片不是本人近照，请重采"}}
    assert approver.post(address, body, "key-00021").json()["moved"]


def test_where_a_step_leads_to_is_chosen_by_whoever_takes_it(site: Site) -> None:
    head = Program(site, school.HEAD, "read", "decide")
    one = next(one for one in waiting(head) if one["trigger"] == "branch_approve")
    address = f"/cases/{one['number']}/transitions/branch_return"
    body = {"revision": one["revision"], "fields": {"reason": "电子照片不是本人近照，请重采"}}
    silent = head.post(address, body, "key-00022")
    assert (silent.status_code, silent.json()["fields"][0]["where"]) == (422, "body.to")
    returned = head.post(address, {**body, "to": "enrolled"}, "key-00022").json()
    assert (returned["moved"], returned["state"]) == (True, "enrolled")


def test_an_old_revision_is_a_conflict_whatever_else_is_wrong(approver: Program) -> None:
    one = waiting(approver, "lane=look")[0]
    address = f"/cases/{one['number']}/transitions/site_approve"
    assert approver.post(address, {"revision": one["revision"] - 1}, "key-00023").status_code == 409


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/cases", {"workflow": "leave-of-absence", "about": "20\x0022"}),
        ("/cases", {"workflow": "leave-of-absence", "about": "x", "fields": {"batch": "2024\x0006"}}),
        ("/decisions", {"trigger": "site\x00approve", "cases": [{"number": "x", "revision": 0}]}),
    ],
)
def test_a_text_that_no_database_takes_is_a_value_that_cannot_be(approver: Program, path: str, body: object) -> None:
    assert approver.post(path, body, "key-00024").status_code == 422


def test_a_case_is_opened_once_and_a_wrong_word_is_told_with_the_right_one(site: Site, approver: Program) -> None:
    operator = Program(site, evening.OPERATOR, "read", "decide")
    student = str(_first(approver)["student_no"])
    asked = {"item": "name", "kind": "entry_error", "new_value": "顾予安"}
    body = {"workflow": "student-information-change", "about": student, "fields": asked}
    opened = [operator.post("/cases", body, "key-00007") for _ in range(2)]
    assert [one.status_code for one in opened] == [201, 201], opened[0].text
    assert opened[0].json()["moved"], opened[0].text
    assert [one.json()["number"] for one in opened] == [opened[0].json()["number"]] * 2
    assert operator.post("/cases", {**body, "about": "no-such-student"}, "key-00008").status_code == 404
    misspelt = operator.post("/cases", {**body, "workflow": "student-information-chnge"}, "key-00009")
    assert misspelt.status_code == 422
    assert "student-information-change" in misspelt.json()["title_en"]


def test_the_same_key_for_another_case_decides_on_that_one(approver: Program) -> None:
    cases = _ready(approver)[-2:]
    step = "transitions/site_approve"
    told = [
        approver.post(f"/cases/{one['number']}/{step}", {"revision": one["revision"]}, "key-00015").json()
        for one in cases
    ]
    assert [(one["moved"], one["repeated"]) for one in told] == [(True, False)] * 2
    assert [one["number"] for one in told] == [one["number"] for one in cases]


def test_a_case_read_by_a_program_is_kept_among_those_its_person_has_looked_at(site: Site, approver: Program) -> None:
    number = str(_first(approver)["number"])
    approver.get(f"/cases/{number}")
    approver.get("/cases/00000000")
    with site.house.desks.borrowed() as office:
        kept = of_person(office.desk.connection, ["/"], evening.APPROVER, 2**53, 10)
    assert [case_number(one.case) for one in kept] == [number]


def test_two_people_who_choose_the_same_key_have_asked_for_two_things(site: Site, approver: Program) -> None:
    operator = Program(site, evening.OPERATOR, "read", "decide")
    ready = _ready(approver)[-1]
    address, body = f"/cases/{ready['number']}/transitions/site_approve", {"revision": ready["revision"]}
    decided = approver.post(address, body, "key-00014").json()
    change = {"item": "name", "kind": "entry_error", "new_value": "顾予安"}
    about = {"workflow": "student-information-change", "about": str(ready["student_no"]), "fields": change}
    opened = operator.post("/cases", about, "key-00014").json()
    assert [(one["moved"], one["repeated"]) for one in (decided, opened)] == [(True, False)] * 2
    assert opened["number"] != ready["number"]


def test_an_opening_that_is_refused_names_no_case(site: Site, approver: Program) -> None:
    operator = Program(site, evening.OPERATOR, "read", "decide")
    asked = {"cause": "illness", "leave_from": "2024-05-20", "leave_to": "2024-06-20"}
    body = {"workflow": "leave-of-absence", "about": str(_first(approver)["student_no"]), "fields": asked}
    refused = [operator.post("/cases", body, "key-00013").json() for _ in range(2)]
    assert [one["failed"] for one in refused] == [["G-SC-06"]] * 2
    assert [one["repeated"] for one in refused] == [False, True]
    assert not any("number" in one for one in refused)


def test_a_step_taken_back_twice_under_one_key_is_taken_back_once(approver: Program) -> None:
    ready = _ready(approver)[0]
    address = f"/cases/{ready['number']}"
    approver.post(f"{address}/transitions/site_approve", {"revision": ready["revision"]}, "key-00010")
    back = [approver.post(f"{address}/retraction", {}, "key-00011").json() for _ in range(2)]
    assert back[0]["state"] == ready["state"]
    assert back[1] == back[0]


def test_what_one_may_not_know_of_is_not_there(site: Site, approver: Program) -> None:
    elsewhere = Program(site, "approver-0101", "read")
    number = _first(approver)["number"]
    assert elsewhere.get(f"/cases/{number}").status_code == 404
    assert elsewhere.get("/cases/00000000").json()["title"] == elsewhere.get(f"/cases/{number}").json()["title"]


def test_every_field_that_is_not_declared_is_refused(approver: Program) -> None:
    one = _first(approver)
    body = {"revision": one["revision"], "state": "registered"}
    answer = approver.post(f"/cases/{one['number']}/transitions/site_approve", body, "key-00004")
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["where"] == "body.state"


def test_pages_of_the_queue_follow_each_other_without_gap_or_double(approver: Program) -> None:
    for order in ("lane", "due", "entered", "unit", "number", "pinyin"):
        first = approver.get(f"/queue/todo?sort={order}").json()
        whole = [one["number"] for one in waiting(approver, f"sort={order}")]
        assert (len(first["cases"]), len(whole), len({*whole})) == (50, 60, 60)


def test_a_page_goes_on_after_a_case_that_has_left_the_queue(approver: Program) -> None:
    page = approver.get("/queue/todo?sort=lane").json()
    rest = waiting(approver, "sort=lane")[50:]
    last = page["cases"][-1]
    address = f"/cases/{last['number']}/transitions/site_approve"
    assert approver.post(address, {"revision": last["revision"]}, "key-00012").json()["moved"]
    following = approver.get(f"/queue/todo?sort=lane&after={page['next']}").json()["cases"]
    assert [one["number"] for one in following] == [one["number"] for one in rest]


def test_what_is_there_is_described_as_openapi(site: Site) -> None:
    told = site.program.get("/api/v1/openapi.json").json()
    assert told["openapi"].startswith("3.")
    assert {"/queue/todo", "/cases/{number}", "/decisions"} <= set(told["paths"])


def test_metrics_count_requests_by_route_and_name_nobody(site: Site) -> None:
    site.signed_in(evening.APPROVER).get("/queue/todo")
    told = site.program.get("/metrics").text
    assert 'xueji_requests_total{method="GET",route="/queue/{which}"' in told
    assert "xueji_mails" in told
    assert evening.APPROVER not in told


def test_metrics_are_told_to_this_machine_alone_whatever_a_proxy_on_it_says_or_leaves_out(site: Site) -> None:
    port = site.address.rpartition(":")[2]
    asked: list[dict[str, str]] = [
        {"Host": f"localhost:{port}"},
        {"Host": "xueji.school.example"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
    ]
    assert [site.program.get("/metrics", headers=said).status_code for said in asked] == [200, 404, 404, 404]
