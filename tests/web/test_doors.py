"""Doors: who gets in, what is refused at the door, and what every answer carries."""

from console.demo import evening
from tests.web.conftest import Site


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
