"""Runs of an auditor's findings: the workbook has all of them, a lent role opens none, a busy house spoils none."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook

from console.demo import evening, school
from console.web.auditing import findings, working
from console.web.desks import AllTaken
from engine.store import audit_runs
from engine.store.database import Busy
from engine.store.delegations import DelegationRow, add_delegation
from engine.trail.event import moment
from tests.web.conftest import Person, Site
from tests.web.test_audit_work import found, registry, rows


@pytest.fixture
def auditor(site: Site) -> Person:
    """The auditor of the school."""
    return site.signed_in("auditor")


def test_the_workbook_of_findings_has_every_case_however_many_there_are(
    site: Site, auditor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(auditor)
    whole, cut = (_places(auditor, most, monkeypatch) for most in (10_000, 3))

    assert max(map(len, whole.values())) > 3, "some rest on more cases than a row holds"
    assert cut == whole
    told = [one["data"]["counts"]["findings"] for one in registry(site) if one["kind"] == "exported"]
    assert told[-1] == told[-2], "a finding that goes on in another row is one"


def _places(auditor: Person, most: int, patch: pytest.MonkeyPatch) -> dict[tuple[object, ...], list[str]]:
    """By finding, its cases as the workbook has them where a row holds so many."""
    patch.setattr(findings, "SHOWN", most)
    book = auditor.post("/audit/findings/export", {"batch": school.BATCH})
    told: dict[tuple[object, ...], list[str]] = {}
    for *said_, places in load_workbook(BytesIO(book.content)).worksheets[0].iter_rows(min_row=2, values_only=True):
        assert "… +" not in str(places)
        told.setdefault(tuple(said_), []).extend(str(places).split("、"))
    return told


def test_an_auditors_role_that_is_only_lent_opens_no_page_of_an_auditors_work(site: Site, auditor: Person) -> None:
    """Nobody lends it any more; a loan of earlier days is still in the database."""
    finding = re.search(r"/audit/findings/[0-9a-f]{64}", found(auditor))[0]  # type: ignore[index]  # there are some
    held = rows(site, "SELECT unit FROM role_grant WHERE login = 'auditor' AND until IS NULL")[0][0]
    loan = DelegationRow(
        giver="auditor", taker=evening.APPROVER, role="auditor", unit=held, case=None, reason="出差", for_good=False,
        since=moment(site.watch.at), until=moment(site.watch.at + timedelta(days=1)),
    )  # fmt: skip
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        add_delegation(office.desk.connection, loan)
    before, deputy = len(registry(site)), site.signed_in(evening.APPROVER)

    assert [deputy.get(one).status_code for one in (finding, "/audit", "/audit/findings")] == [404] * 3
    assert deputy.get("/batches").status_code == 200
    assert len(registry(site)) == before


def test_a_look_that_finds_the_house_busy_is_not_told_that_its_rules_are_bad(site: Site, auditor: Person) -> None:
    found(auditor)
    with site.house.desks.borrowed() as office:
        newest = audit_runs.latest_of(office.desk.connection, audit_runs.FINDINGS, "auditor", "")
    assert newest is not None
    run, worker = newest[0], working.Worker(house=site.house, run=newest[0])
    rows(site, "UPDATE audit_run SET stage = ? WHERE id = ?", audit_runs.RUNNING, run.id)

    def crowded(_: working.Worker) -> str:
        raise AllTaken

    with pytest.raises(Busy):
        worker.work(crowded)

    assert rows(site, "SELECT stage FROM audit_run WHERE id = ?", run.id) == [(audit_runs.RUNNING,)]
