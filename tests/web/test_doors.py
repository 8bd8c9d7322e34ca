"""Doors: who gets in, what is refused at the door, and what every answer carries."""

import pytest

from console.demo import evening, school
from tests.web.conftest import Person, Site
from tests.web.test_queue import numbers


def test_a_stranger_is_sent_to_sign_in_and_the_wanted_page_is_remembered(site: Site) -> None:
    answer = site.stranger().get("/")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2F"


def test_each_comes_to_the_page_where_the_work_is(site: Site) -> None:
    homes = {evening.APPROVER: "/queue/todo", "auditor": "/audit", "system-admin": "/admin"}
    assert {who: site.signed_in(who).get("/").headers["location"] for who in homes} == homes


def test_what_does_not_exist_is_told_in_one_sentence(site: Site) -> None:
    answer = site.signed_in("auditor").get("/nowhere")
    assert answer.status_code == 404
    assert "没有这个页面，或您无权查看" in answer.text


def test_every_answer_forbids_scripts_from_elsewhere_and_keeping(site: Site) -> None:
    for address in ("/", "/nowhere", "/healthz"):
        headers = site.stranger().get(address).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def _first_case(person: Person) -> str:
    return numbers(person.get("/queue/todo").text)[0]


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("/cases/{no}/at/x", id="a word for a place in the trail"),
        pytest.param("/cases/{no}/at/²", id="a digit that is no number"),
        pytest.param(f"/cases/{{no}}/at/{10**20}", id="more digits than a database takes"),
        pytest.param("/cases/{no}?whole=q", id="a letter for a yes"),
        pytest.param("/queue/pulse?total=x", id="a word for a count"),
        pytest.param(f"/queue/done?after=2024-05-15/{10**20}/1", id="a place in a list that is none"),
        pytest.param(f"/queue/copies?after={10**20}", id="a number of a message that is none"),
    ],
)
def test_an_address_that_was_mistyped_leads_to_a_page_that_says_so_or_leaves_it_aside(
    read_site: Site, address: str
) -> None:
    clerk = read_site.signed_in(evening.APPROVER)

    answer = clerk.get(address.format(no=_first_case(clerk)))

    if "after=" in address:
        assert answer.status_code == 200
        return
    assert answer.status_code == 404
    assert "没有这个页面，或您无权查看" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_a_stranger_is_told_no_more_of_a_mistyped_address(read_site: Site) -> None:
    answers = [read_site.stranger().get(one) for one in ("/cases/7QK4-M2T9/at/x", "/queue/pulse?total=x", "/nowhere")]

    assert {answer.status_code for answer in answers} == {404}
    assert all("没有这个页面，或您无权查看" in answer.text for answer in answers)


def test_what_is_done_by_a_button_says_so_where_it_is_opened_as_a_page(read_site: Site) -> None:
    clerk = read_site.signed_in(evening.APPROVER)

    answer = clerk.get(f"/cases/{_first_case(clerk)}/claim")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "请回到页面上按按钮办理" in answer.text
    assert "回到首页" in answer.text


def test_a_form_with_more_fields_than_anybody_ticks_is_refused_in_words(read_site: Site) -> None:
    clerk = read_site.signed_in(evening.APPROVER)

    answer = clerk.post("/bulk", {f"case-{number}": "1" for number in range(2_001)})

    assert answer.status_code == 400
    assert "表单内容太多或传送中断，没有收下" in answer.text


@pytest.mark.parametrize("typed", ["²", "٣", "x", "9" * 30])
def test_a_number_that_a_form_of_ours_never_sends_breaks_nothing(site: Site, typed: str) -> None:
    clerk = site.signed_in(evening.APPROVER)
    number = _first_case(clerk)

    answer = clerk.post(f"/cases/{number}/do/site_approve", {"seen": typed, "seq": typed})

    assert answer.status_code < 500
    assert "编号 Ref" not in answer.text


_NO_DAY = pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2024-W20-3"])
"""Days that no record has, the first and the last of all among them, and what is no day as people write one."""


@_NO_DAY
@pytest.mark.parametrize(
    "address",
    [
        pytest.param("/queue/todo?due={day}", id="a queue"),
        pytest.param("/queue/todo?due={day}&sort=due", id="in another order"),
        pytest.param("/queue/filters?query=due%3D{day}", id="its filters"),
        pytest.param("/queue/done?day={day}", id="what one did on a day"),
        pytest.param(f"/queue/done?unit={evening.SITE}&day={{day}}", id="at a unit"),
        pytest.param("/day?until={day}", id="what kind of day it is"),
    ],
)
def test_a_day_that_no_record_has_breaks_no_address(read_site: Site, address: str, day: str) -> None:
    clerk = read_site.signed_in(evening.APPROVER)

    assert clerk.get(address.format(day=day)).status_code == 200


@_NO_DAY
def test_a_filter_that_was_kept_with_a_day_that_no_record_has_still_opens(site: Site, day: str) -> None:
    clerk = site.signed_in(evening.APPROVER)
    kept = clerk.post("/queue/views", {"name": "早晚要办", "query": f"due={day}", "pinned": "1"})

    assert clerk.get(kept.headers["location"]).status_code == 200


@_NO_DAY
@pytest.mark.parametrize(
    ("who", "address", "form"),
    [
        (evening.APPROVER, "/cases/{no}/delegate", {"until": "{day}", "taker": "site_approver:wang", "reason": "出差"}),
        (evening.APPROVER, "/me/delegations", {"since": "{day}", "until": "2024-05-17"}),
        (evening.APPROVER, "/me/delegations", {"since": "", "until": "{day}"}),
        (evening.APPROVER, "/me/delegations/away", {"first": "2024-05-15", "last": "{day}"}),
        (evening.APPROVER, "/me/delegations/away", {"first": "{day}", "last": "2024-05-16"}),
        ("system-admin", "/admin/calendars/2024", {"first": "{day}", "kind": "off", "do": "set"}),
        ("system-admin", "/admin/terms", {"name-0-0": "2027-1", "first-0-0": "{day}", "last-0-0": "2028-01-21"}),
        (school.AUDITING, f"/admin/batches/{school.BATCH}/set", {"review_by": "{day}"}),
    ],
)  # fmt: skip
def test_a_day_that_no_record_has_is_refused_in_words_by_every_form(
    site: Site, who: str, address: str, form: dict[str, str], day: str
) -> None:
    number = _first_case(site.signed_in(evening.APPROVER)) if "{no}" in address else ""

    answer = site.signed_in(who).post(
        address.format(no=number), {"do": "check"} | {name: text.format(day=day) for name, text in form.items()}
    )

    assert answer.status_code == 422
    assert day not in site.signed_in(who).get(address.format(no=number).removesuffix("/set").removesuffix("/away")).text
