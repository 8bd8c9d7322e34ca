"""Controls and halves of characters in what comes in: they begin no header, no line of the log, and lead to no page.

In a form or behind the question mark each stands as �, for PostgreSQL takes no nought in a text
(`test_on_postgres.py`).
"""

from __future__ import annotations

import http.client
import re
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from console.demo import evening, school
from console.web.guarding import HEADER, token
from tests.web.conftest import Person, Site
from tests.web.test_queue import ready

_BREAKS = ["%0d%0a", "%0a", "%00", "%7f", "%c2%85", "%e2%80%a8"]
"""Carriage return with line feed, line feed, nought, delete, next line, line separator."""
_LINE = re.compile(r"\[info +\] request +")


def _asked(site: Site, *paths: str) -> list[tuple[int, str]]:
    """Status and headers for addresses as they are written here, one after the other on one line; clients mend them."""
    with closing(http.client.HTTPConnection(urlsplit(site.address).netloc, timeout=30)) as line:
        return [_answered(site, line, path) for path in paths]


def _answered(site: Site, line: http.client.HTTPConnection, path: str) -> tuple[int, str]:
    line.putrequest("GET", path)
    line.putheader("Cookie", f"{site.house.cookie}={site.signed_in(evening.APPROVER).cookie}")
    line.endheaders()
    answer = line.getresponse()
    answer.read()
    return answer.status, str(answer.headers)


@pytest.mark.parametrize("at", _BREAKS)
def test_an_address_with_a_control_in_it_is_no_page_and_begins_no_header(read_site: Site, at: str) -> None:
    answers = _asked(
        read_site, f"/help/keys{at}", f"/cases/{at}Set-Cookie:%20seen=1", f"/batches/2024-06/table/x{at}.xlsx"
    )

    assert [status for status, _ in answers] == [404, 404, 404]
    assert not any("seen=1" in headers for _, headers in answers)


@pytest.mark.parametrize("path", [
    "/cases/7QK4-M2T9%0a2024-05-15%2017:31:00%20[info%20%20%20%20%20]%20request%20method=GET%20route=/forged",
    "/batches/2024-06/cases?key=%0d%0a2024-05-15%20[info%20%20%20%20%20]%20request%20route=/forged",
    "/find/forged%1b[2J",
])  # fmt: skip
def test_one_request_leaves_one_line_of_log_with_nothing_of_its_address(
    read_site: Site, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    capsys.readouterr()
    _asked(read_site, path, "/healthz")  # on the same line, so the house has done with what was before
    logged = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)

    assert len(_LINE.findall(logged)) - logged.count("route=/healthz") == 1
    assert len(logged.splitlines()) - logged.count("route=/healthz") == 1  # whose own may come late
    assert "forged" not in logged
    assert "7QK4" not in logged


@pytest.mark.parametrize(
    "wanted", ["/my\r\nSet-Cookie: seen=1", "/\n/evil.example", "//evil.example", "/\\evil.example"]
)
def test_where_sign_in_leads_back_to_is_a_path_of_this_house_alone(site: Site, wanted: str) -> None:
    answer = site.signed_in(evening.APPROVER).post("/me/language", {"lang": "zh", "next": wanted})

    assert answer.headers["location"].startswith("/")
    assert "evil" not in answer.headers["location"]
    assert "seen=1" not in str(answer.headers)


def test_what_htmx_says_of_its_page_leads_to_no_other_house(read_site: Site) -> None:
    person = read_site.signed_in(evening.APPROVER)
    said = {"HX-Request": "true", "HX-Current-URL": "http://evil.example/queue/todo"}
    answer = person.browser.get("/cases/none", headers=said)

    assert "evil" not in str(answer.headers)


_REMARK = "/cases/{}/comment"


def _remarks(person: Person, number: str) -> str:
    return person.get(f"/cases/{number}").text


@pytest.mark.parametrize("sent", ["\x00", "\x08", "\x0b", "\x1b", "\x1f", "\x7f", "\x85"])
def test_a_control_that_is_typed_into_a_form_stands_there_as_no_character(site: Site, sent: str) -> None:
    person = site.signed_in(evening.APPROVER)
    number = ready(person)

    assert person.post(_REMARK.format(number), {"text": f"照片{sent}已重采"}).status_code == 303

    assert "照片�已重采" in _remarks(person, number)


def test_lines_and_tabs_of_a_text_stay(site: Site) -> None:
    person = site.signed_in(evening.APPROVER)
    number = ready(person)

    assert person.post(_REMARK.format(number), {"text": "照片\t已重采\r\n请再看"}).status_code == 303

    assert re.search(r"照片\t已重采\r?\n请再看", _remarks(person, number))


def _of_a_charset(person: Person, charset: str, value: bytes) -> tuple[int, str]:
    """A remark sent in parts, in a character set that no browser of ours names."""
    own = person.browser.cookies.get(person.site.house.cookie) or ""
    parts = b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n%s\r\n--x--\r\n' % value
    answer = person.browser.post(
        _REMARK.format(ready(person)),
        content=parts,
        headers={
            "Content-Type": f"multipart/form-data; boundary=x; charset={charset}",
            "Sec-Fetch-Site": "same-origin",
            HEADER: token(own, person.site.watch.at),
        },
    )
    return answer.status_code, answer.text


def test_half_a_character_stands_as_none_and_a_form_that_nobody_can_read_is_refused_in_words(site: Site) -> None:
    person = site.signed_in(evening.APPROVER)
    number = ready(person)

    assert _of_a_charset(person, "utf-7", b"ok +2AA- ok")[0] == 303
    status, said = _of_a_charset(person, "undefined", b"ok")

    assert "ok � ok" in _remarks(person, number)
    assert status == 400
    assert "表单内容太多或传送中断，没有收下" in said


@pytest.mark.parametrize("sent", ["%00", "%1B", "%c2%85", "%ed%a0%80"])
@pytest.mark.parametrize(
    ("who", "address"),
    [
        pytest.param(evening.APPROVER, "/queue/todo?rule={sent}", id="a filter"),
        pytest.param(evening.APPROVER, "/queue/filters?query=rule%3D{within}", id="within a value"),
        pytest.param(school.HEAD, "/files?find={sent}", id="a search"),
    ],
)
def test_a_control_behind_the_question_mark_is_asked_for_as_no_character(
    read_site: Site, who: str, address: str, sent: str
) -> None:
    asked = address.format(sent=sent, within=sent.replace("%", "%25"))

    html = read_site.signed_in(who).get(asked).text

    assert "�" in html
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", html)
