"""The auditor's pages: where to begin, any moment of a case, what is kept of a look, and what a check finds."""

import re
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from console.demo import evening
from console.seal_keys import make_key
from console.sealing import sealer_of
from engine.records import case_number, case_of
from engine.sealing import seal
from engine.store import leaves
from tests.web.conftest import Site

_MOST_STATEMENTS = 7
"""Of a moment, beside those that keep the look."""
_OF_THE_LOOK = 3
"""The case as it stands now is read, its row and its chain written."""


def _rows(site: Site, sql: str, values: Sequence[object] = ()) -> list[Any]:
    with site.house.desks.borrowed() as office:
        return list(office.desk.connection.execute(sql, tuple(values)).fetchall())


def _returned(site: Site) -> str:
    """An application that was sent back once and filed again: four events, the third the return."""
    sql = "SELECT id FROM cases WHERE unit = ? AND state = 'applied' AND workflow = 'diploma-registration' AND seq = 4"
    return case_number(_rows(site, sql, (evening.SITE,))[0][0])


def _mended(site: Site) -> str:
    """A record of whose student an open fact was replaced by another after the second event."""
    sql = (
        "SELECT c.id, e.body, o.body FROM cases c JOIN event e ON e.chain = -c.student"
        " JOIN event o ON o.chain = c.id AND o.seq = 2 WHERE c.unit = ?"
        " AND c.workflow = 'diploma-registration' ORDER BY e.id DESC"
    )
    for case, body, second in _rows(site, sql, (evening.SITE,)):
        event = orjson.loads(bytes(body))
        is_later = event["at"] > orjson.loads(bytes(second))["at"]
        if is_later and any(one["old"] is not None for one in event["data"].get("facts", {}).values()):
            return case_number(case)
    raise AssertionError(sql)


def _events(site: Site, number: str) -> list[dict[str, Any]]:
    rows = _rows(site, "SELECT body FROM event WHERE chain = ? ORDER BY seq", (case_of(number),))
    return [orjson.loads(bytes(row[0])) for row in rows]


def _said(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_an_auditor_begins_with_batches_and_how_far_the_log_is_sealed(read_site: Site) -> None:
    auditor = read_site.signed_in("auditor")
    page = auditor.get(auditor.get("/").headers["location"])

    assert page.status_code == 200
    assert "审计只读，每次查看都会留痕" in page.text
    assert 'href="/batches/2024-06"' in page.text
    assert "日志还没有封存过" in page.text
    assert 'href="/audit" aria-current="page"' in page.text
    assert read_site.signed_in(evening.APPROVER).get("/audit").status_code == 404


def test_a_case_is_found_by_its_number_and_an_unknown_one_is_said_to_be(read_site: Site) -> None:
    number, auditor = _returned(read_site), read_site.signed_in("auditor")
    found = auditor.post("/audit/cases", {"number": f" {number[:4].lower()}-{number[4:]} "})
    unknown = auditor.post("/audit/cases", {"number": "0000-0000"})

    assert (found.status_code, found.headers["location"]) == (303, f"/audit/cases/{number}")
    assert unknown.status_code == 422
    assert "没有件号“0000-0000”的件" in unknown.text


def test_a_moment_shows_state_facts_and_the_rules_of_that_event(site: Site) -> None:
    number, auditor = _returned(site), site.signed_in("auditor")
    applied, sent_back = (auditor.get(f"/audit/cases/{number}?seq={seq}").text for seq in (2, 3))

    assert "第 2 条 / 共 4 条" in _said(applied)
    assert "G-GR-05" in applied
    assert "欠费" in _said(applied)
    assert f'href="/audit/cases/{number}?seq=3"' in applied
    assert _events(site, number)[2]["data"]["reason"] in sent_back
    assert "这一条没有规则结果" in sent_back
    assert auditor.get(f"/audit/cases/{number}?seq=99").status_code == 404


def test_a_value_that_was_changed_afterwards_is_marked(site: Site) -> None:
    number, auditor = _mended(site), site.signed_in("auditor")

    assert "后来改过 2024年5月" in _said(auditor.get(f"/audit/cases/{number}?seq=2").text)


def test_each_moment_looked_at_is_an_event_of_the_case_as_page_and_as_part_of_one(site: Site) -> None:
    number, auditor = _returned(site), site.signed_in("auditor")
    page = auditor.get(f"/audit/cases/{number}?seq=2")
    part = auditor.fragment(f"/audit/cases/{number}?seq=3")

    looks = [one for one in _events(site, number) if one["kind"] == "viewed"]
    own = {one["seq"]: one["at"] for one in _events(site, number)}
    assert [(one["actor"], one["data"]["as_of"]) for one in looks] == [("auditor", own[2]), ("auditor", own[3])]
    assert "<html" in page.text
    assert "<html" not in part.text
    assert "第 3 条 / 共 4 条" in _said(part.text)


def test_a_check_says_what_agrees_and_what_is_not_sealed_yet(site: Site) -> None:
    number, auditor = _returned(site), site.signed_in("auditor")
    address = f"/audit/cases/{number}/verify"
    before = _said(auditor.post(address).text)
    size = _seal(site)
    auditor.get(f"/audit/cases/{number}")
    after = _said(auditor.post(address).text)

    assert "链完整" in before
    assert "尚未封存" in before
    assert "已封存于" not in before
    assert f"已封存于 #{size}" in after
    assert "最近 1 条尚未封存" in after


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            "UPDATE event SET body = CAST(replace(body, 'rests', 'tests') AS BLOB) WHERE chain = ? AND seq = 3",
            "第 3 条",
        ),
        ("UPDATE cases SET state = 'site_approved' WHERE id = ?", "记录与事件不符"),
    ],
)
def test_a_check_names_what_was_tampered_with(site: Site, spoil: str, told: str) -> None:
    number = _returned(site)
    with site.house.desks.borrowed() as office:
        raw = office.desk.connection.raw
        for (trigger,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {trigger}")
        raw.execute(spoil, (case_of(number),))
        raw.commit()
    said = _said(site.signed_in("auditor").post(f"/audit/cases/{number}/verify").text)

    assert "对不上：" in said
    assert told in said
    assert "链完整" not in said


def _registry_looks(site: Site) -> list[str]:
    rows = _rows(site, "SELECT body FROM event WHERE chain = 0 ORDER BY id")
    told = [orjson.loads(bytes(body)) for (body,) in rows]
    return [one["data"]["trigger"] for one in told if one["kind"] == "viewed"]


def test_verifying_a_case_is_an_event_of_it_and_is_not_among_what_was_verified(site: Site) -> None:
    number, auditor = _returned(site), site.signed_in("auditor")
    before = len(_events(site, number))
    said = _said(auditor.post(f"/audit/cases/{number}/verify").text)

    assert [one["data"]["trigger"] for one in _events(site, number)[before:]] == ["view:case"]
    assert "链完整" in said
    again = _said(auditor.post(f"/audit/cases/{number}/verify").text)
    assert "链完整" in again


def test_an_auditors_searches_and_batches_are_events_and_those_of_others_are_none(site: Site) -> None:
    auditor, approver = site.signed_in("auditor"), site.signed_in(evening.APPROVER)
    for person in (approver, auditor):
        found = person.post("/find", {"q": "nobody of this name"}).headers["location"]
        for address in (found, "/batches", "/batches/2024-06", "/batches/2024-06/cases"):
            assert person.get(address).status_code == 200
        assert person.get("/batches/2024-06/table/units.xlsx").status_code == 200
        if person is approver:
            assert _registry_looks(site) == []
    auditor.post("/audit/cases", {"number": "none"})

    assert _registry_looks(site) == [
        "view:find", "view:find", "view:batches", "view:batch", "view:batch", "view:batch", "view:audit",
    ]  # fmt: skip


def test_a_moment_costs_as_many_statements_whatever_the_case(narrow_site: Site) -> None:
    auditor, numbers = narrow_site.signed_in("auditor"), (_returned(narrow_site), _mended(narrow_site))
    for seq in (1, 3):  # what is published is read once in a process, what a role takes part in once a desk
        auditor.get(f"/audit/cases/{numbers[0]}?seq={seq}")
    for number in numbers:
        with narrow_site.counted() as statements:
            assert auditor.get(f"/audit/cases/{number}?seq=2").status_code == 200
        assert len(statements) <= _MOST_STATEMENTS + _OF_THE_LOOK, statements


def _seal(site: Site) -> int:
    """Seal everything there is; the size of the head."""
    settings = site.house.settings
    make_key(settings.seal_key_file, None)
    with site.house.desks.borrowed() as office:
        sealer = sealer_of(settings, office.log)
        assert sealer is not None
        seal(office.desk.connection, sealer, "test", site.watch)
        return leaves.size(office.desk.connection)
