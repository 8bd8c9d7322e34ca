"""Line breaks and other controls in what comes in: they begin no header, no line of the log, and lead to no page."""

from __future__ import annotations

import http.client
import re
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from console.demo import evening
from tests.web.conftest import Site

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
    assert len(logged.splitlines()) <= 2  # the second may not be there yet
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
