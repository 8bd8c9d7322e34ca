"""An auditor's own work by a program: papers noted once, decisions judged again, what is taken out told each time."""

import time
from io import BytesIO
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from console.demo import school
from tests.web.conftest import Site
from tests.web.test_api import Program
from tests.web.test_api_auditing import _case, _kept, _searched
from tests.web.test_audit_work import stricter


@pytest.fixture
def auditor(site: Site) -> Program:
    """A program of the school's auditor."""
    return Program(site, "auditor", "audit")


def _told(site: Site, kind: str) -> list[dict[str, Any]]:
    return [one for one in _kept(site, 0) if one["kind"] == kind]


def test_a_paper_is_noted_once_under_a_key_on_a_case_at_an_event_or_on_a_batch(site: Site, auditor: Program) -> None:
    case, number = _case(site, "applied")
    said = {"case": number, "seq": 1, "text": "与纸质档案相符", "conclusion": "sound"}
    noted = [auditor.post("/audit/papers", said, "paper-0001") for _ in range(2)]
    assert [one.status_code for one in noted] == [201, 201], noted[0].text
    assert noted[0].json() == noted[1].json()
    assert (noted[0].json()["case"], noted[0].json()["about"]) == (number, 1)
    assert [one["kind"] for one in _kept(site, case)].count("noted") == 1
    assert auditor.post("/audit/papers", said, "paper-0002").json()["name"] != noted[0].json()["name"]

    batch = [
        auditor.post("/audit/papers", {"batch": school.BATCH, "text": "抽样已毕"}, "paper-0003").json()
        for _ in range(2)
    ]

    assert batch[0] == batch[1]
    listed = auditor.get(f"/audit/papers?batch={school.BATCH}").json()
    assert (listed["total"], listed["counts"]["sound"]) == (3, 1)
    name = batch[0]["name"]
    assert auditor.get(f"/audit/papers/{name}").json()["text"] == "抽样已毕"
    assert [one["data"]["trigger"] for one in _told(site, "viewed")] == ["view:papers", "view:paper"]
    lost = auditor.post("/audit/papers", {"text": "无处可写"}, "paper-0004")
    assert (lost.status_code, lost.json()["fields"][0]["where"]) == (422, "body.case")


def _asked(site: Site, auditor: Program, key: str, body: bytes, name: str = "graduation.yaml") -> httpx.Response:
    headers = {"Authorization": f"Bearer {auditor.token}", "Idempotency-Key": key}
    return site.program.post(
        "/api/v1/audit/what-if", data={"batch": school.BATCH}, files={"file": (name, body)}, headers=headers
    )


def test_decisions_are_judged_again_once_under_a_key_summed_and_told_one_by_one(site: Site, auditor: Program) -> None:
    begun = [_asked(site, auditor, "whatif-001", stricter()) for _ in range(2)]
    assert [one.status_code for one in begun] == [202, 202], begun[0].text
    run = begun[0].json()["id"]
    assert begun[1].json()["id"] == run
    address = f"/audit/what-if/{run}"
    came = auditor.get(address).json()
    for _ in range(600):
        if came["stage"] != "running":
            break
        time.sleep(0.1)
        came = auditor.get(address).json()

    cells = {(one["was"], one["now"]): one["decisions"] for one in came["matrix"]}
    assert came["changed"] == cells["passed", "refuse"] > 100
    assert sum(cells.values()) == came["same"] + came["changed"]
    assert came["listed"] == came["changed"]
    assert (len(came["decisions"]), came["next"]) == (50, 50)
    assert {one["now"] for one in came["decisions"]} == {"refuse"}
    assert {bool(one["rules"]) for one in came["decisions"]} == {True}
    following = auditor.get(f"{address}?start=50").json()["decisions"][0]
    assert (following["case"], following["seq"]) not in {(one["case"], one["seq"]) for one in came["decisions"]}
    assert [one["id"] for one in auditor.get("/audit/what-if").json()["runs"]] == [run]

    book = auditor.post(f"{address}/export", {"was": "passed", "now": "refuse"})
    assert load_workbook(BytesIO(book.content)).worksheets[0].max_row == came["changed"] + 1
    assert [one["data"]["trigger"] for one in _told(site, "exported")] == ["audit:what-if"]


def test_rules_that_are_none_are_refused_by_their_field_and_that_somebody_came_with_them_is_kept(
    site: Site, auditor: Program
) -> None:
    refused = _asked(site, auditor, "whatif-002", b"a: b\n", "notes.yaml")
    assert (refused.status_code, refused.json()["fields"][0]["where"]) == (422, "body.file")
    assert [one["data"]["trigger"] for one in _told(site, "viewed")][-1:] == ["view:what-if"]


def test_findings_and_papers_are_taken_out_by_whoever_proved_and_each_time_is_told(
    site: Site, auditor: Program
) -> None:
    auditor.post("/audit/papers", {"batch": school.BATCH, "text": "抽样已毕"}, "paper-0005")
    auditor.post("/audit/findings", {"batch": school.BATCH}, "search-02")
    found = _searched(auditor)
    printed = Program(site, "auditor", "audit", is_proved=False)
    wanted = {"batch": school.BATCH}
    for what in ("papers", "findings"):
        assert printed.post(f"/audit/{what}/export", wanted).status_code == httpx.codes.FORBIDDEN

    pdf, book = (auditor.post(f"/audit/{what}/export", wanted) for what in ("papers", "findings"))

    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert load_workbook(BytesIO(book.content)).worksheets[0].max_row == sum(found["counts"].values()) + 1
    assert [one["data"]["trigger"] for one in _told(site, "exported")] == ["audit:papers", "audit:findings"]
