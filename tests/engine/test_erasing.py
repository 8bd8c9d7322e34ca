"""Erasing a person's values: they are gone for good, every proof still verifies, and what must be kept is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from engine.attaching import Attached, attach
from engine.definition import Privacy
from engine.enrolling import Enrolment, enrol
from engine.erasing import Erasure, erase
from engine.errors import ContentsErased, NotAllowed, Unknown, Unreadable
from engine.filing import files_agree
from engine.invariants import Faults, audit_histories, audit_rows
from engine.library import Library
from engine.records import Head, Json, Moved, Request
from engine.replaying.erasures import NOT_COVERED
from engine.store import students
from engine.store.cases import write_events
from engine.store.erasures import overwrite
from engine.store.people import set_address, set_name
from engine.trail.event import EventKind, chain_name, moment
from engine.viewing import view
from exchange.evidence import inspect
from tests.engine.lab import CHECK, loan
from tests.engine.papers import MADE, SCAN, with_papers
from tests.engine.town import ELSEWHERE, FIRST, NOW, SECOND, THIRD, Town, roster_facts, town_at
from tests.exchange.pictures import picture

WHY = "本人申请"
ADDRESS = "幸福路九号院三单元"
"""Given within a case, and nowhere else."""
PERSONAL = ("born_on", "gender", "id_number", "name")
LOAN = loan(
    {**CHECK, "note": {"from": "asked", "by": "site_operator", "asks": ["address"]},
     "lend": {"from": "checked", "to": "lent", "by": "site_approver", "issues": [MADE]},
     "give_up": {"from": "asked", "to": "lent", "by": "site_operator", "reviews": [SCAN]}},
    fields={"address": {"type": "text", "title": {"zh": "住址", "en": "Address"}, "privacy": "personal"}},
)  # fmt: skip


def papered(library: Library) -> Library:
    more = with_papers(library)
    return replace(more, definitions={**more.definitions, ("loan", "online-ed"): LOAN})


@contextmanager
def leaving(url: str, library: Library) -> Iterator[tuple[Town, int]]:
    """A desk in a town whose first student has lent a file, handed in a paper, and withdrawn."""
    with town_at(url, papered(library)) as town:
        town.desk.publish(NOW, "setup")
        opened = town.open(("loan", "ask"), FIRST, "operator.s1")
        assert isinstance(opened, Moved)
        case = opened.case.id
        assert isinstance(town.decided(case, "note", "operator.s1", address=ADDRESS), Moved)
        hand_in(town, case, picture(), "测试身份证.jpg")
        assert isinstance(town.decided(case, "check", "approver.s1"), Moved)
        assert isinstance(town.decided(case, "lend", "approver.s1"), Moved)
        town.go(FIRST, (("withdraw", "records.sx"),))
        yield town, case


def hand_in(town: Town, case: int, body: bytes, name: str) -> Attached:
    outcome = attach(town.desk, case, SCAN, inspect(name, body), town.request("attach", "operator.s1"))
    assert isinstance(outcome, Attached), outcome
    return outcome


def asked(town: Town, login: str = "records.sx", reason: str = WHY) -> Request:
    return town.request("erase", login, reason=reason)


def erased(town: Town, student_no: str = FIRST, *, dry_run: bool = False) -> Erasure:
    return erase(town.desk, student_no, asked(town), dry_run=dry_run)


def chain_of(town: Town, student_no: str) -> int:
    return -town.student(student_no).id


def sealed_rows(town: Town, *chains: int) -> int:
    marks = ",".join("?" * len(chains))
    sql = f"SELECT count(*) FROM personal WHERE chain IN ({marks})"  # noqa: S608 marks
    [row] = town.connection.execute(sql, chains).fetchall()
    return int(row[0])


def dumped(town: Town) -> str:
    """Every text and every byte of every row but the events, which are compared by themselves."""
    tables = ("student", "cases", "personal", "document", "file", "account", "outbox", "mail", "member")
    rows = [row for table in tables for row in town.connection.execute(f"SELECT * FROM {table}").fetchall()]  # noqa: S608
    return "\n".join(
        bytes(one).decode("utf-8", "replace") if isinstance(one, bytes | memoryview) else str(one)
        for row in rows
        for one in row
    )


def test_what_is_erased_is_in_no_row_any_more_and_the_whole_trail_replays(district_url: str, library: Library):
    with leaving(district_url, library) as (town, case):
        chain, record = chain_of(town, FIRST), town.record(FIRST)
        before = [row for one in (chain, record, case) for row in town.events(one)]
        taken = erased(town)
        assert taken.refused == ()
        assert (taken.facts, taken.fields) == (PERSONAL, {town.by_id(case).number: ("address",)})
        assert (taken.forms, taken.files) == (1, 1)
        assert taken.values >= 3
        assert sealed_rows(town, chain, record, case) == 0
        assert not set(PERSONAL) & town.facts(FIRST).keys()
        assert town.facts(FIRST)["exam_no"] == roster_facts(FIRST)["exam_no"]
        assert town.kept(("student", "id_number"), student_no=FIRST) is None
        assert town.kept(("student", "pinyin"), student_no=FIRST) == ""
        assert town.connection.execute("SELECT 1 FROM lane WHERE case_id IN (?, ?)", (record, case)).fetchall() == []
        assert "address" not in town.by_id(case).fields
        for value in (ADDRESS, roster_facts(FIRST)["id_number"], "测试身份证"):
            assert str(value) not in dumped(town)
        after = [row for one in (chain, record, case) for row in town.events(one)]
        assert [one for one in after if one["kind"] != EventKind.ERASED] == before
        assert town.replayed().diverged == ()
        with town.connection.reading():
            assert files_agree(town.connection) == []


def test_the_event_says_what_kinds_of_value_went_how_many_by_whom_and_why_and_no_value(
    sqlite_district: str, library: Library
):
    with leaving(sqlite_district, library) as (town, case):
        taken = erased(town)
        chain = chain_of(town, FIRST)
        event = town.events(chain)[-1]
        number = town.by_id(case).number
        assert (event["kind"], event["actor"], event["role"], event["unit"]) == (
            "erased", "records.sx", "records_section", "SX",
        )  # fmt: skip
        assert event["data"]["reason"] == WHY
        assert event["data"]["erased"] == {
            "values": taken.values, "facts": list(PERSONAL), "fields": {number: ["address"]}, "forms": 1, "files": 1,
            "account": [],
        }  # fmt: skip
        ends = {name: seq for name, seq in event["data"]["chains"].items() if seq}
        assert ends[chain_name(chain)] == event["seq"] - 1
        assert ends[f"case/{number}"] == town.by_id(case).head.seq
        assert str(roster_facts(FIRST)["id_number"]) not in str(event)


def test_other_people_keep_every_value(sqlite_district: str, library: Library):
    with leaving(sqlite_district, library) as (town, _):
        others = [dict(town.facts(one)) for one in (SECOND, THIRD, ELSEWHERE)]
        before = sealed_rows(town, *(chain_of(town, one) for one in (SECOND, THIRD, ELSEWHERE)))
        erased(town)
        assert [dict(town.facts(one)) for one in (SECOND, THIRD, ELSEWHERE)] == others
        assert sealed_rows(town, *(chain_of(town, one) for one in (SECOND, THIRD, ELSEWHERE))) == before


def test_a_dry_run_tells_the_same_and_writes_nothing(sqlite_district: str, library: Library):
    with leaving(sqlite_district, library) as (town, _):
        counts, known = town.counts(), dict(town.facts(FIRST))
        planned = erased(town, dry_run=True)
        assert (town.counts(), dict(town.facts(FIRST))) == (counts, known)
        assert erased(town) == planned


def test_a_second_erasure_finds_nothing_and_leaves_no_second_event(sqlite_district: str, library: Library):
    with leaving(sqlite_district, library) as (town, _):
        erased(town)
        events = len(town.events(chain_of(town, FIRST)))
        again = erased(town)
        assert again.is_empty
        assert len(town.events(chain_of(town, FIRST))) == events


def test_a_personal_row_deleted_by_hand_is_found_and_named(district_url: str, library: Library):
    with leaving(district_url, library) as (town, case):
        for chain in (chain_of(town, FIRST), case):
            with town.undone():
                town.connection.execute("DELETE FROM personal WHERE chain = ?", (chain,))
                [found] = town.replayed().diverged
                assert (found.chain, found.why) == (chain_name(chain), NOT_COVERED)
                first = next(one["seq"] for one in town.events(chain) if "sealed" in one["data"])
                assert found.seq == first


def test_an_erasure_of_somebody_else_covers_nobody(sqlite_district: str, library: Library):
    with leaving(sqlite_district, library) as (town, _):
        erased(town)
        town.connection.execute("DELETE FROM personal WHERE chain = ?", (chain_of(town, SECOND),))
        assert [one.chain for one in town.replayed().diverged] == [chain_name(chain_of(town, SECOND))]


def test_what_is_given_after_an_erasure_is_not_covered_by_it(sqlite_district: str, library: Library):
    with leaving(sqlite_district, library) as (town, _):
        erased(town)
        town.know(FIRST, phone="13900000000")
        chain = chain_of(town, FIRST)
        assert town.replayed().diverged == ()
        town.connection.execute("DELETE FROM personal WHERE chain = ?", (chain,))
        [found] = town.replayed().diverged
        assert (found.chain, found.why) == (chain_name(chain), NOT_COVERED)


def test_an_erasure_whose_values_come_back_from_a_copy_is_found(district_url: str, library: Library):
    with leaving(district_url, library) as (town, case):
        row = town.connection.execute("SELECT chain, seq, salt, body FROM personal WHERE chain = ?", (case,)).fetchone()
        assert row is not None
        made = town.kept(("document", "made"), case_id=case, kind=MADE)
        erased(town)
        name = chain_name(chain_of(town, FIRST))
        with town.undone():
            town.connection.execute("INSERT INTO personal (chain, seq, salt, body) VALUES (?, ?, ?, ?)", row)
            found = {one.chain: one.why for one in town.replayed().diverged}
            assert found.keys() == {name, chain_name(case)}
            assert "values told to be erased are there" in found[name]
        with town.undone():
            town.edit(("document", "made"), made, case_id=case, kind=MADE)
            assert [one.chain for one in town.replayed().diverged] == [name]
        town.edit(("student", "facts"), orjson.dumps({**town.facts(FIRST), "name": "测试"}).decode(), student_no=FIRST)
        assert [one.chain for one in town.replayed().diverged] == [name]


def test_a_form_or_file_emptied_by_hand_is_found(sqlite_district: str, library: Library):
    with leaving(sqlite_district, library) as (town, case):
        with town.undone():
            town.edit(("document", "made"), None, case_id=case, kind=MADE)
            assert [one.chain for one in town.replayed().diverged] == [chain_name(case)]
        sha256 = town.kept(("document", "sha256"), case_id=case, kind=SCAN)
        town.edit(("file", "body"), b"", sha256=sha256)
        with town.connection.reading():
            assert files_agree(town.connection) == [sha256]


def test_contents_that_were_erased_are_not_shown_and_leave_no_look(sqlite_district: str, library: Library):
    with leaving(sqlite_district, library) as (town, case):
        places = [(one["data"], one["seq"]) for one in town.events(case)]
        scan = next(seq for data, seq in places if data.get("document") == SCAN)
        form = next(seq for data, seq in places if data.get("documents"))
        erased(town)
        events = len(town.events(case))
        for kind, seq in ((SCAN, scan), (MADE, form)):
            with pytest.raises(ContentsErased, match=f"{kind} #{seq}"):
                view(town.desk, case, kind, seq, town.request("view", "operator.s1"))
        assert len(town.events(case)) == events


def test_a_file_that_another_students_case_has_too_stays_until_both_are_erased(district_url: str, library: Library):
    with leaving(district_url, library) as (town, case):
        sha256 = town.kept(("document", "sha256"), case_id=case, kind=SCAN)
        body = bytes(town.kept(("file", "body"), sha256=sha256))
        opened = town.open(("loan", "ask"), SECOND, "operator.s1")
        assert isinstance(opened, Moved)
        hand_in(town, opened.case.id, body, "另一人.jpg")
        planned = erased(town)
        assert planned.files == 0
        assert any(stay.what.en.startswith("1 files that other") for stay in planned.stays)
        assert bytes(town.kept(("file", "body"), sha256=sha256)) == body
        assert town.replayed().diverged == ()


def test_bytes_handed_in_again_after_they_were_erased_are_kept_again(district_url: str, library: Library):
    with leaving(district_url, library) as (town, case):
        sha256 = town.kept(("document", "sha256"), case_id=case, kind=SCAN)
        body = bytes(town.kept(("file", "body"), sha256=sha256))
        erased(town)
        opened = town.open(("loan", "ask"), SECOND, "operator.s1")
        assert isinstance(opened, Moved)
        row = hand_in(town, opened.case.id, body, "另一人.jpg").document
        shown = view(town.desk, opened.case.id, SCAN, row.seq, town.request("view", "operator.s1"))
        assert shown.body == body
        with town.connection.reading():
            assert files_agree(town.connection) == []


def test_the_students_own_account_forgets_name_and_address(district_url: str, library: Library):
    with leaving(district_url, library) as (town, _):
        student = town.student(FIRST).id
        town.connection.execute(
            "INSERT INTO account (login, created_at, student) VALUES (?, ?, ?)",
            ("stu.first", "2024-04-20T02:00:00.000000Z", student),
        )
        set_name(town.connection, "stu.first", "测试同学")
        set_address(town.connection, "stu.first", "first@example.edu")
        taken = erased(town)
        assert taken.account == ("name", "email")
        assert "first@example.edu" not in dumped(town)
        assert "测试同学" not in dumped(town)
        assert any(stay.names == ("stu.first",) for stay in taken.stays)


def test_what_stays_is_told_with_the_reason(sqlite_district: str, library: Library):
    with leaving(sqlite_district, library) as (town, _):
        stays = {stay.what.en: stay for stay in erased(town, dry_run=True).stays}
        assert {"student_no", "exam_no", "level"} <= set(stays["Facts that are not personal"].names)
        assert any(one.endswith("events, hashes and MACs") for one in stays)
        assert all(one.why.zh and one.why.en for one in stays.values())


def test_a_fact_told_in_clear_before_it_was_personal_stays_and_is_named(sqlite_district: str, library: Library):
    with leaving(sqlite_district, library) as (town, _):
        town.know(FIRST, major="工商管理")
        book = town.desk.library.rulebook
        fact = book.vocabulary.student["major"].model_copy(update={"privacy": Privacy.PERSONAL})
        vocabulary = book.vocabulary.model_copy(update={"student": {**book.vocabulary.student, "major": fact}})
        later = replace(town.desk.library, rulebook=book.model_copy(update={"vocabulary": vocabulary}))
        with town_at(sqlite_district, later) as after:
            after.desk.publish(NOW, "setup")
            taken = erased(after)
            assert "major" not in taken.facts
            assert ("major",) in [stay.names for stay in taken.stays]
            assert after.facts(FIRST)["major"] == "工商管理"
            assert after.replayed().diverged == ()


def rules_said(town: Town, student_no: str) -> tuple[str, ...]:
    """Ask for an erasure that must be refused; the rules that stand in the way, and that nothing was taken."""
    known, rows = dict(town.facts(student_no)), sealed_rows(town, chain_of(town, student_no))
    refused = erased(town, student_no)
    assert (dict(town.facts(student_no)), sealed_rows(town, chain_of(town, student_no))) == (known, rows)
    event = town.events(chain_of(town, student_no))[-1]
    assert (event["kind"], event["data"]["trigger"]) == ("refused", "erase")
    assert event["data"]["failed"] == sorted({one.id for one in refused.refused})
    assert town.replayed().diverged == ()
    return tuple(one.rule for one in refused.refused)


def test_a_student_on_roll_keeps_the_values_their_case_rests_on(town: Town):
    assert rules_said(town, FIRST) == ("cases-running",)


def test_a_registered_diploma_is_kept_by_law(town: Town):
    town.advance(FIRST, "registered")
    assert rules_said(town, FIRST) == ("credential-not-registered",)
    [why] = erased(town, dry_run=True).refused
    assert "永久保存" in why.sentence.zh


def test_a_case_on_a_frozen_list_is_kept(district_url: str, library: Library):
    with leaving(district_url, library) as (town, case):
        lists = town.connection.execute("SELECT id FROM cases WHERE workflow = 'graduation-audit-rounds'").fetchall()
        town.connection.execute(
            "INSERT INTO member (list_id, member, kind, stay) VALUES (?, ?, ?, ?)",
            (lists[0][0], case, "made-up", town.by_id(case).entered_at),
        )
        refused = erased(town).refused
        assert [one.rule for one in refused] == ["on-frozen-list"]
        assert town.by_id(int(lists[0][0])).number in refused[0].sentence.zh


@pytest.mark.parametrize("login", ["operator.s1", "records.kf", "import"])
def test_only_the_records_section_at_the_unit_or_above_erases(town: Town, login: str):
    town.go(FIRST, (("withdraw", "records.sx"),))
    rows = sealed_rows(town, chain_of(town, FIRST))
    with pytest.raises(NotAllowed, match="records_section"):
        erase(town.desk, FIRST, asked(town, login))
    event = town.events(chain_of(town, FIRST))[-1]
    assert (event["kind"], event["actor"], event["data"]["barred"]) == ("refused", login, "not_allowed")
    assert sealed_rows(town, chain_of(town, FIRST)) == rows
    assert town.replayed().diverged == ()


def test_a_right_that_was_lent_does_not_erase(town: Town):
    town.go(FIRST, (("withdraw", "records.sx"),))
    lender = town.actor("records.sx")
    lent = replace(lender.grants[0], giver="records.sx", reason="休假")
    request = replace(asked(town, "operator.s2"), actor=replace(town.actor("operator.s2"), delegated=(lent,)))
    with pytest.raises(NotAllowed):
        erase(town.desk, FIRST, request)


def test_an_erasure_without_a_reason_or_of_nobody_is_refused(town: Town):
    with pytest.raises(Unreadable, match="reason"):
        erase(town.desk, FIRST, asked(town, reason="  "))
    with pytest.raises(Unknown, match="student number"):
        erase(town.desk, "2022030000999", asked(town))


def test_a_candidate_without_any_case_can_be_erased(town: Town):
    number = "2024990000777"
    facts = roster_facts(number)
    row = Enrolment(student_no=number, unit="S1", facts=facts)
    enrol(town.desk, [row], town.request("open_record", "import"), opens_record=False)
    assert erased(town, number).facts == PERSONAL
    assert town.replayed().diverged == ()


def test_in_the_file_of_a_sqlite_database_nothing_is_left_of_what_was_erased(sqlite_district: str, library: Library):
    path = Path(sqlite_district.removeprefix("sqlite:///"))
    with leaving(sqlite_district, library) as (town, _):
        identity = str(roster_facts(FIRST)["id_number"]).encode()
        erased(town)
        assert overwrite(town.connection)
        files = [one for one in path.parent.iterdir() if one.name.startswith(path.name)]
        held = b"".join(one.read_bytes() for one in files)
        assert identity not in held
        assert ADDRESS.encode() not in held


FORGED: dict[str, dict[str, Json]] = {
    "a role that erases nothing": {"actor": "operator.s1", "role": "site_operator", "unit": "S1"},
    "a role nobody held": {"actor": "operator.s1", "role": "records_section", "unit": "SX"},
    "the section of another province": {"actor": "records.kf", "role": "records_section", "unit": "KF"},
    "no reason": {"actor": "records.sx", "role": "records_section", "unit": "SX", "reason": ""},
    "a right that was lent": {
        "actor": "records.sx", "role": "records_section", "unit": "SX", "delegation": {"by": "auditor.sx"},
    },
}  # fmt: skip


def at_fault(town: Town) -> Faults:
    """What auditors find in the rows, and in the history of each case."""
    histories = audit_histories(town.connection, (1, 1 << 40))
    rows = audit_rows(town.desk, NOW)
    return {name: [*histories.get(name, ()), *rows.get(name, ())] for name in histories.keys() | rows.keys()}


def test_an_erasure_by_right_breaks_no_invariant(sqlite_district: str, library: Library):
    with leaving(sqlite_district, library) as (town, _):
        before = at_fault(town)
        erased(town)
        assert at_fault(town) == before


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_an_erasure_that_somebody_with_the_key_wrote_without_the_right_is_named(town: Town, forged: dict[str, Json]):
    row = town.student(FIRST)
    said = {"reason": WHY, **forged}
    data: Json = {"trigger": "erase", "reason": said["reason"], "chains": {}, "erased": {}}
    event: dict[str, Json] = {"at": moment(NOW), "data": data, **{key: said[key] for key in said if key != "reason"}}
    written = town.desk.scribe.write(-row.id, row.head, EventKind.ERASED, event)
    write_events(town.connection, [written])
    students.set_facts(town.connection, row, row.facts, Head(seq=written.seq, hash=written.hash))
    assert town.replayed().diverged == ()
    [fault] = at_fault(town)["INV-ACC-1"]
    assert (fault.chain, fault.seq) == (-row.id, written.seq)
