"""Reading a document: only by right, only once the trail keeps who looked, and an auditor can check each look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from threading import Barrier, Thread

import orjson
import pytest

from engine.actors import Actor, Grant
from engine.attaching import withdraw_document
from engine.casework import move
from engine.documents import reviewed
from engine.errors import NotAllowed, Unknown
from engine.invariants import audit_histories
from engine.issuing import Issued, made_hash
from engine.library import Library
from engine.organisation import add_student_account, give_role
from engine.records import Json, Moved, case_number
from engine.store import documents
from engine.store.cases import read_case
from engine.store.database import INTEGRITY_ERRORS
from engine.store.documents import DocumentRow
from engine.store.trail import spans
from engine.timeline import timeline
from engine.viewing import Viewed, view
from tests.engine.forging import Forger
from tests.engine.papers import MADE, SCAN, WITHDRAWAL, Papers, papers_at, with_papers
from tests.engine.passing import hire, lend
from tests.engine.town import FIRST, NOW, SECOND, town_at
from tests.exchange.pictures import picture
from tests.house.source import ROOT, modules, rooms

AUDITOR = "auditor"
HASH = "ab" * 32


@pytest.fixture
def papers(district_url: str, library: Library) -> Iterator[Papers]:
    with papers_at(district_url, library) as at:
        yield at


def look(papers: Papers, row: DocumentRow, login: str = "operator.s1", **changes: object) -> Viewed:
    return view(papers.town.desk, papers.case, row.kind, row.seq, papers.request(login, **changes))


def at_fault(papers: Papers) -> dict[str, set[tuple[str, int]]]:
    """The cases and events at fault, by invariant."""
    faults = [audit_histories(papers.town.connection, span) for span in spans(papers.town.connection, 1)]
    return {name: {(one.case, one.seq) for one in some} for part in faults for name, some in part.items()}


def test_a_look_is_an_event_and_leaves_the_case_as_it_is(papers: Papers):
    body = picture()
    row = papers.handed_in(WITHDRAWAL, body)
    before, counts = papers.town.by_id(papers.case), papers.town.counts()
    assert look(papers, row, "approver.s1") == Viewed(document=row, body=body)
    event = papers.town.events(papers.case)[-1]
    assert (event["kind"], event["actor"], event["role"], event["unit"], event["at"]) == (
        "viewed", "approver.s1", "site_approver", "S1", "2024-04-20T02:00:00.000000Z",
    )  # fmt: skip
    assert event["data"] == {
        "trigger": f"view:{WITHDRAWAL}", "document": WITHDRAWAL, "added": row.seq, "sha256": sha256(body).hexdigest(),
    }  # fmt: skip
    after = papers.town.by_id(papers.case)
    assert after == before._replace(head=after.head)
    assert after.head.seq == before.head.seq + 1
    assert papers.town.counts() == (counts[0] + 1, *counts[1:])
    assert papers.town.replayed().diverged == ()
    assert at_fault(papers) == {}


def test_the_same_request_again_is_another_look(papers: Papers):
    row = papers.handed_in(WITHDRAWAL)
    assert look(papers, row, id="r-1") == look(papers, row, id="r-1")
    assert [one["kind"] for one in papers.town.events(papers.case)[-2:]] == ["viewed", "viewed"]


def test_a_page_opened_before_a_look_still_decides(papers: Papers):
    row = papers.handed_in(WITHDRAWAL)
    seen = papers.town.by_id(papers.case).revision
    look(papers, row, "approver.s1")
    request = replace(papers.town.request("give_up", "operator.s1"), seen=seen)
    assert isinstance(move(papers.town.desk, papers.case, request), Moved)


def test_a_form_made_here_is_shown_as_the_bytes_its_hash_is_of(papers: Papers):
    made: dict[str, Json] = {"columns": ["name"], "rows": [["测试"]]}
    row = Issued(kind=MADE, made=made, sha256=made_hash(made)).row(papers.case, 1)
    documents.add(papers.town.connection, [row, row._replace(kind=SCAN)])  # one step may bring several
    shown = look(papers, row)
    event = papers.town.events(papers.case)[-1]
    assert orjson.loads(shown.body) == made
    assert sha256(shown.body).hexdigest() == event["data"]["sha256"] == made_hash(made)
    assert (shown.document.kind, event["data"]["document"]) == (MADE, MADE)
    assert not reviewed([shown.document], MADE)


@pytest.mark.parametrize("login", ["operator.s2", "operator.t1", "province.kf"])
def test_who_takes_no_part_sees_nothing_and_the_case_keeps_that_it_was_asked(papers: Papers, login: str):
    row = papers.handed_in(WITHDRAWAL)
    before, counts = papers.town.by_id(papers.case), papers.town.counts()
    with pytest.raises(NotAllowed, match=r"site_operator.*auditor"):
        look(papers, row, login)
    event = papers.town.events(papers.case)[-1]
    assert (event["kind"], event["actor"]) == ("refused", login)
    assert event["data"] == {
        "trigger": f"view:{WITHDRAWAL}", "from": "asked", "barred": "not_allowed", "failed": [], "undecided": [],
    }  # fmt: skip
    after = papers.town.by_id(papers.case)
    assert after == before._replace(head=after.head)
    assert papers.town.counts() == (counts[0] + 1, *counts[1:])
    assert papers.town.replayed().diverged == ()
    assert at_fault(papers) == {}


def test_an_auditor_looks_at_the_cases_below_and_at_no_others(papers: Papers):
    row = papers.handed_in(WITHDRAWAL)
    for login, unit in (("checks.sx", "SX"), ("checks.kf", "KF")):
        give_role(papers.town.desk, login, AUDITOR, unit, at=NOW, actor="setup")
    assert look(papers, row, "checks.sx").document == row
    event = papers.town.events(papers.case)[-1]
    assert (event["role"], event["unit"]) == (AUDITOR, "SX")
    with pytest.raises(NotAllowed, match=r"checks\.kf"):
        look(papers, row, "checks.kf")
    assert at_fault(papers) == {}


def test_a_student_sees_the_papers_of_the_own_case_and_of_no_other(papers: Papers):
    row = papers.handed_in(SCAN, picture(), "一.jpg")
    for login, number in (("zhao", FIRST), ("qian", SECOND)):
        add_student_account(papers.town.desk, login, number, at=NOW, actor="setup")
    assert look(papers, row, "zhao").document == row
    assert papers.town.events(papers.case)[-1]["role"] == "student"
    with pytest.raises(NotAllowed, match="qian"):
        look(papers, row, "qian")
    assert at_fault(papers) == {}


@pytest.mark.parametrize(("giver", "role"), [("operator.s1", "site_operator"), ("records.sx", "records_section")])
def test_who_acts_for_another_looks_as_long_as_it_lasts_and_names_them(papers: Papers, giver: str, role: str):
    """The second lends at the teaching point what is held above it."""
    row = papers.handed_in(WITHDRAWAL)
    until = NOW + timedelta(days=1)
    assert lend(papers.town, giver, "operator.s2", role, "S1", until=until) == ()
    look(papers, row, "operator.s2")
    event = papers.town.events(papers.case)[-1]
    assert (event["actor"], event["unit"], event["delegation"]["by"]) == ("operator.s2", "S1", giver)
    with pytest.raises(NotAllowed, match=r"operator\.s2"):
        look(papers, row, "operator.s2", at=until + timedelta(seconds=1))
    assert at_fault(papers) == {}


def test_a_lent_auditors_right_that_has_run_out_shows_nothing(papers: Papers):
    row = papers.handed_in(WITHDRAWAL)
    path = papers.town.desk.units()["SX"].path
    lent = Grant(role=AUDITOR, unit="SX", path=path, giver="checks.sx", until="2024-04-20T03:00:00.000000Z")
    deputy = papers.request(actor=Actor(login="deputy", delegated=(lent,)), at=NOW + timedelta(hours=2))
    with pytest.raises(NotAllowed, match="deputy"):
        view(papers.town.desk, papers.case, row.kind, row.seq, deputy)


def test_what_is_not_on_the_case_is_a_mistake_and_leaves_no_look(papers: Papers):
    row, gone = papers.handed_in(WITHDRAWAL), papers.handed_in(SCAN, picture(), "一.jpg")
    withdraw_document(papers.town.desk, papers.case, gone.seq, papers.request(fields={"reason": "重复"}))
    counts = papers.town.counts()
    for kind, seq, named in (
        (WITHDRAWAL, 99, str(row.seq)), (WITHDRAWAL, row.seq - 1, str(row.seq)),
        (SCAN, row.seq, "document number"), (SCAN, gone.seq, "document number"), ("E-WE", row.seq, WITHDRAWAL),
    ):  # fmt: skip
        with pytest.raises(Unknown, match=named):
            view(papers.town.desk, papers.case, kind, seq, papers.request())
    with pytest.raises(Unknown):
        view(papers.town.desk, 10**6, WITHDRAWAL, row.seq, papers.request())
    assert papers.town.counts() == counts


def test_nothing_is_handed_out_unless_the_look_is_kept(papers: Papers):
    """An event stands already where the look would stand, as on a disk that refuses to write."""
    row = papers.handed_in(WITHDRAWAL)
    head = papers.town.by_id(papers.case).head
    sql = "INSERT INTO event (chain, seq, body, hash, mac) VALUES (?, ?, ?, ?, ?)"
    papers.town.connection.execute(sql, (papers.case, head.seq + 1, b"{}", b"", b""))
    shown: list[Viewed] = []
    with pytest.raises(INTEGRITY_ERRORS):
        shown.append(look(papers, row))
    assert shown == []
    assert papers.town.by_id(papers.case).head == head


def test_two_who_look_at_once_are_both_kept(papers: Papers, library: Library):
    row, start, seen = papers.handed_in(WITHDRAWAL), Barrier(2), list[str]()

    def reader(login: str) -> None:
        with town_at(papers.town.url, with_papers(library)) as town:
            own, request = replace(papers, town=town), papers.request(login)
            start.wait()
            view(town.desk, own.case, row.kind, row.seq, request)
            seen.append(login)

    readers = [Thread(target=reader, args=(login,)) for login in ("operator.s1", "approver.s1")]
    for one in readers:
        one.start()
    for one in readers:
        one.join()
    looks = [one["actor"] for one in papers.town.events(papers.case) if one["kind"] == "viewed"]
    assert sorted(looks) == sorted(seen) == ["approver.s1", "operator.s1"]
    assert papers.town.replayed().diverged == ()


def test_a_timeline_tells_who_looked_at_what(papers: Papers):
    look(papers, papers.handed_in(WITHDRAWAL), "approver.s1")
    found = read_case(papers.town.connection, papers.case)
    assert found is not None
    last = timeline(papers.town.desk, found)[-1]
    assert (last.kind, last.actor, last.trigger) == ("viewed", "approver.s1", f"view:{WITHDRAWAL}")


def test_nothing_but_a_look_reads_the_bytes_of_a_document():
    reading = {str(path.relative_to(ROOT)) for path in modules(*rooms()) if "file_body(" in path.read_text("utf-8")}
    assert reading == {"engine/store/documents.py", "engine/viewing.py"}


Told = Mapping[str, object]
LENT = {"by": "operator.s1", "why": "出差", "until": None}
FALSE_LOOKS: dict[str, Told] = {
    "no role": {"actor": "nobody"},
    "a role of another place": {"actor": "operator.s2", "unit": "S2"},
    "a role held elsewhere": {"actor": "operator.s2"},
    "a role that takes no part": {"actor": "handler.s1", "role": "handler"},
    "no auditor": {"role": AUDITOR},
    "an auditor of another branch": {"actor": "checks.kf", "role": AUDITOR, "unit": "KF"},
    "before the role was given": {"at": "2023-01-01T00:00:00.000000Z"},
    "lent by nobody": {"actor": "approver.s1", "delegation": LENT},
    "not the student": {"actor": "qian", "role": "student"},
    "a unit nobody knows": {"unit": "S9"},
    "a document never handed in": {"added": 77},
    "another document": {"document": SCAN},
    "another file": {"sha256": HASH[::-1]},
}
"""Looks that somebody with the key wrote past every rule, each as it differs from a good one."""


def forged_case(forge: Forger) -> int:
    """A loan with a paper on it, forged: the paper is event 2."""
    case = forge.case("loan", "online-ed", forge.student(), {"trigger": "ask", "to": "asked"})
    file: Told = {"sha256": HASH, "kind": "jpeg"}
    return forge.step(case, "evidence_added", trigger=f"attach:{WITHDRAWAL}", document=WITHDRAWAL, file=file)


def forged_look(forge: Forger, case: int, **told: object) -> int:
    good = {"trigger": f"view:{WITHDRAWAL}", "document": WITHDRAWAL, "added": 2, "sha256": HASH}
    return forge.step(case, "viewed", **{**good, **told})


def test_each_look_without_right_is_named_and_good_ones_are_not(papers: Papers):
    forge = Forger(town=papers.town)
    give_role(papers.town.desk, "checks.kf", AUDITOR, "KF", at=NOW, actor="setup")
    give_role(papers.town.desk, "checks.sx", AUDITOR, "SX", at=NOW, actor="setup")
    hire(papers.town, "handler.s1")
    add_student_account(papers.town.desk, "qian", SECOND, at=NOW, actor="setup")
    good = forged_case(forge)
    forged_look(forge, good)
    forged_look(forge, good, actor="checks.sx", role=AUDITOR, unit="SX")
    bad = {what: forged_look(forge, forged_case(forge), **told) for what, told in FALSE_LOOKS.items()}
    named = at_fault(papers).get("INV-ACC-1", set())
    assert {what for what, case in bad.items() if (case_number(case), 3) not in named} == set()
    assert len(named) == len(bad)


def _role_ended(papers: Papers) -> None:
    papers.town.edit(("role_grant", "until"), "2024-04-20T01:00:00.000000Z", login="operator.s1")


def _paper_withdrawn(papers: Papers) -> None:
    data = {"trigger": f"withdraw:{WITHDRAWAL}", "document": WITHDRAWAL, "added": 2, "reason": "重复"}
    Forger(town=papers.town).step(papers.case, "evidence_withdrawn", **data)


@pytest.mark.parametrize("spoil", [_role_ended, _paper_withdrawn], ids=["role ended", "paper withdrawn"])
def test_a_look_after_the_right_or_the_paper_was_gone_is_named(papers: Papers, spoil: Callable[[Papers], None]):
    row = papers.handed_in(WITHDRAWAL)
    spoil(papers)
    look = {"trigger": f"view:{WITHDRAWAL}", "document": WITHDRAWAL, "added": row.seq, "sha256": row.sha256}
    Forger(town=papers.town).step(papers.case, "viewed", **look)
    last = papers.town.by_id(papers.case).head.seq
    assert (case_number(papers.case), last) in at_fault(papers)["INV-ACC-1"]


def test_a_role_that_ended_later_was_held_then(papers: Papers):
    look(papers, papers.handed_in(WITHDRAWAL))
    papers.town.edit(("role_grant", "until"), "2024-04-21T00:00:00.000000Z", login="operator.s1")
    assert at_fault(papers) == {}
