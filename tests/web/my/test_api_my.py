"""A student's own by the school's application: where one is, confirming, reporting an error, handing papers in."""

from __future__ import annotations

from io import BytesIO

import httpx
from PIL import Image

from tests.web.conftest import Site
from tests.web.my.pages import events, facts
from tests.web.student_days import Days
from tests.web.test_api import Program


def _application(site: Site, login: str) -> Program:
    return Program(site, login, "read", "decide", is_proved=False)


def _upload(site: Site, student: Program, number: str, body: bytes, key: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {student.token}", "Idempotency-Key": key}
    sent = {"data": {"kind": "E-IC-ID"}, "files": {"file": ("a.jpg", body)}}
    return site.program.post(f"/api/v1/my/cases/{number}/documents", headers=headers, **sent)  # type: ignore[arg-type]


def _scan(side: int) -> bytes:
    out = BytesIO()
    Image.effect_noise((side, side), 60).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def test_a_student_is_told_where_one_is_and_confirms_by_the_step_that_is_named(may: Site, days: Days) -> None:
    student = _application(may, days.busy)
    told = student.get("/my").json()
    assert told["answer"] == "todo"
    assert {"核对照片和信息"} <= {one["title"]["zh"] for one in told["todos"]}
    [step] = [
        one for one in told["steps"] if "key_info_confirmed" in one["writes"] and one["trigger"] != "report_error"
    ]
    assert step["asks"] == ["checked_where"]
    address = f"/cases/{step['number']}/transitions/{step['trigger']}"

    said = {"revision": step["revision"], "fields": {"checked_where": "platform"}}
    answers = [student.post(address, said, "confirm-01").json() for _ in range(2)]

    assert [one["moved"] for one in answers] == [True, True], answers
    assert facts(may, days.busy)["key_info_confirmed"] is True
    assert events(may, days.busy).count(step["trigger"]) == 1
    assert _application(may, days.waiting).get("/my").json()["answer"] == "waiting"


def test_an_error_is_reported_by_opening_the_change_and_its_papers_are_handed_in_once(may: Site, days: Days) -> None:
    student = _application(may, days.busy)
    wrong = {"item": "name", "kind": "entry_error", "new_value": "诸葛浩非"}
    change = {"workflow": "student-information-change", "about": days.busy, "fields": wrong}
    number = student.post("/cases", change, "change-001").json()["number"]
    [case] = [one for one in student.get("/my").json()["cases"] if one["number"] == number]
    assert case["takes"]
    assert case["lacking"]

    small = _upload(may, student, number, _scan(150), "paper-0001").json()
    sound = [_upload(may, student, number, _scan(400), "paper-0002").json() for _ in range(2)]

    assert (small["done"], "尺寸 150×150" in small["refused"][0]["zh"]) == (False, True)
    assert [one["done"] for one in sound] == [True, True], sound
    documents = student.get(f"/cases/{number}/documents").json()
    assert [one["kind"] for one in documents] == ["E-IC-ID"]
    other = _application(may, days.debtor)
    assert _upload(may, other, number, _scan(400), "paper-0003").status_code == httpx.codes.NOT_FOUND
