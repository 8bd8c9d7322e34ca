"""Handing in documents: what does not fit is refused with every reason, and no file name stands in the trail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import orjson
import pytest

from engine.actors import Actor, Grant
from engine.attaching import Attached, Withdrawn, attach, withdraw_document
from engine.errors import NotAllowed, StaleCase, Unknown
from engine.filing import documents_agree, files_agree
from engine.library import Library
from engine.records import Moved, Refused, Repeated
from engine.store import documents
from engine.trail.chain import commitment
from exchange.evidence import inspect
from tests.engine.papers import (
    BY_RULE,
    EVIDENCE,
    LIST,
    MADE,
    NAME,
    PHOTO,
    PHOTO_BY_NUMBER,
    SCAN,
    STATEMENT,
    STRANGE,
    WITHDRAWAL,
    Papers,
    papers_at,
    with_papers,
)
from tests.engine.town import FIRST, NOW, SECOND, roster_facts, town_at
from tests.exchange.pictures import of_size, pdf, picture, sheet

ID_NUMBER = str(roster_facts(FIRST)["id_number"])
TEN_MIB = 10 * 2**20


@pytest.fixture
def papers(district_url: str, library: Library) -> Iterator[Papers]:
    with papers_at(district_url, library) as at:
        yield at


@pytest.fixture(scope="module")
def shared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, library: Library) -> Iterator[Papers]:
    copy = tmp_path_factory.mktemp("papers") / "copy.db"
    shutil.copy(sqlite_template, copy)
    with papers_at(f"sqlite:///{copy}", library) as at:
        yield at


@pytest.fixture
def quick(shared: Papers) -> Iterator[Papers]:
    """On SQLite alone and taken back afterwards, for rules that no database has a part in."""
    with shared.town.undone():
        yield shared


def as_image(size: tuple[int, int], kind: str = "JPEG", orientation: int | None = None) -> bytes:
    return picture(kind, size, orientation)


NO_PICTURE = ("G-WD-05a", "G-WD-05c", "G-WD-05d", "X-20")
"""What a withdrawal form that is neither JPG nor PNG is refused for: nobody knows its size and position either."""

FORMATS = [
    pytest.param(WITHDRAWAL, of_size(TEN_MIB), f"{FIRST}{NAME}.jpg", (), id="E-WD: exactly 10 MiB"),
    pytest.param(WITHDRAWAL, of_size(TEN_MIB + 1), f"{FIRST}{NAME}.jpg", ("G-WD-05b",), id="E-WD: one byte more"),
    pytest.param(WITHDRAWAL, as_image((200, 200)), f"{FIRST}{NAME}.jpg", (), id="E-WD: 200 by 200"),
    pytest.param(WITHDRAWAL, as_image((199, 200)), f"{FIRST}{NAME}.jpg", ("G-WD-05c",), id="E-WD: 199 wide"),
    pytest.param(WITHDRAWAL, as_image((200, 199)), f"{FIRST}{NAME}.jpg", ("G-WD-05c",), id="E-WD: 199 high"),
    pytest.param(WITHDRAWAL, as_image((200, 200), "PNG"), f"{FIRST}{NAME}.jpg", (), id="E-WD: PNG named .jpg"),
    pytest.param(WITHDRAWAL, as_image((200, 200)), f"{FIRST}{NAME}.JPG", (), id="E-WD: capital ending"),
    pytest.param(
        WITHDRAWAL, as_image((200, 200), "JPEG", 3), f"{FIRST}{NAME}.jpg", ("G-WD-05d",), id="E-WD: upside down"
    ),
    pytest.param(WITHDRAWAL, as_image((200, 200), "JPEG", 6), f"{FIRST}{NAME}.jpg", ("G-WD-05d",), id="E-WD: turned"),
    pytest.param(WITHDRAWAL, as_image((200, 200), "JPEG", 1), f"{FIRST}{NAME}.jpg", (), id="E-WD: upright by EXIF"),
    pytest.param(WITHDRAWAL, as_image((200, 200)), f"{FIRST}+{NAME}.jpg", ("G-WD-04",), id="E-WD: a plus in the name"),
    pytest.param(WITHDRAWAL, as_image((200, 200)), f"{FIRST} {NAME}.jpg", ("G-WD-04",), id="E-WD: a space in the name"),
    pytest.param(WITHDRAWAL, as_image((200, 200)), f"{FIRST}{NAME} .jpg", ("G-WD-04",), id="E-WD: a space at the end"),
    pytest.param(WITHDRAWAL, as_image((200, 200)), f"{FIRST}.jpg", ("G-WD-04",), id="E-WD: without the name"),
    pytest.param(WITHDRAWAL, as_image((200, 200)), f"{FIRST[2:]}{NAME}.jpg", ("G-WD-04",), id="E-WD: short number"),
    pytest.param(WITHDRAWAL, as_image((200, 200)), f"{SECOND}{NAME}.jpg", ("G-WD-04",), id="E-WD: somebody else's"),
    pytest.param(WITHDRAWAL, as_image((300, 300), "GIF"), f"{FIRST}{NAME}.jpg", NO_PICTURE, id="E-WD: GIF named .jpg"),
    pytest.param(WITHDRAWAL, pdf(), f"{FIRST}{NAME}.jpg", NO_PICTURE, id="E-WD: PDF named .jpg"),
    pytest.param(EVIDENCE, of_size(TEN_MIB, "PNG"), "身份证.png", (), id="E-IC: exactly 10 MiB"),
    pytest.param(EVIDENCE, of_size(TEN_MIB + 1, "PNG"), "身份证.png", ("G-EV-01",), id="E-IC: one byte more"),
    pytest.param(EVIDENCE, as_image((200, 200)), "身份证.jpg", (), id="E-IC: 200 by 200"),
    pytest.param(EVIDENCE, as_image((199, 200)), "身份证.jpg", ("G-EV-02",), id="E-IC: 199 wide"),
    pytest.param(EVIDENCE, as_image((200, 200)), "证据/报名登记表.jpg", (), id="E-IC: a form by its content"),
    pytest.param(EVIDENCE, as_image((200, 200)), "公民身份证号码更正事项告知函.png", (), id="E-IC: a notice"),
    pytest.param(EVIDENCE, as_image((200, 200)), "毕业生登记表.jpg", (), id="E-IC-GRADFORM"),
    pytest.param(EVIDENCE, as_image((200, 200)), f"{FIRST}{NAME}.jpg", ("G-EV-05",), id="E-IC: named after a person"),
    pytest.param(EVIDENCE, as_image((200, 200)), "扫描件1.jpg", ("G-EV-05",), id="E-IC: a name that says nothing"),
    pytest.param(EVIDENCE, pdf(), "身份证.jpg", ("G-EV-02", "G-EV-04", "X-20"), id="E-IC: PDF"),
    pytest.param(PHOTO, as_image((480, 640)), f"{ID_NUMBER}.jpg", (), id="E-PHOTO: 480 by 640"),
    pytest.param(PHOTO, as_image((640, 480)), f"{ID_NUMBER}.jpg", ("G-PH-01",), id="E-PHOTO: landscape"),
    pytest.param(PHOTO, as_image((479, 640)), f"{ID_NUMBER}.jpg", ("G-PH-01",), id="E-PHOTO: one short"),
    pytest.param(PHOTO, as_image((960, 1280)), f"{ID_NUMBER}.jpg", ("G-PH-01",), id="E-PHOTO: twice as large"),
    pytest.param(PHOTO_BY_NUMBER, as_image((480, 640)), f"{ID_NUMBER}.jpg", (), id="photo by ID number"),
    pytest.param(PHOTO_BY_NUMBER, as_image((480, 640)), f"{FIRST}.jpg", ("T-01",), id="photo by student number"),
    pytest.param(PHOTO, as_image((480, 640), "PNG"), f"{ID_NUMBER}.jpg", ("X-20",), id="E-PHOTO: PNG"),
    pytest.param(STATEMENT, pdf(), "说明.pdf", (), id="F-04 scan: PDF"),
    pytest.param(STATEMENT, of_size(TEN_MIB + 1), "说明.jpg", ("G-EV-01",), id="F-04 scan: too large"),
    pytest.param(LIST, sheet([["学号"], [FIRST]]), "名单.xlsx", (), id="list: xlsx"),
    pytest.param(LIST, as_image((200, 200)), "名单.xlsx", ("X-20",), id="list: a picture of it"),
    pytest.param(BY_RULE, as_image((200, 200)), "x.jpg", (), id="a document only a rule asks for"),
    pytest.param(STRANGE, as_image((200, 200)), "x.jpg", ("X-23",), id="a document of another procedure"),
    pytest.param(MADE, as_image((200, 200)), "x.jpg", ("X-26",), id="a form the registry makes itself"),
]


@pytest.mark.parametrize(("kind", "body", "name", "refused_for"), FORMATS)
def test_a_file_is_taken_or_refused_as_requirements_6_1_says(
    quick: Papers, kind: str, body: bytes, name: str, refused_for: tuple[str, ...]
):
    if refused_for:
        assert tuple(sorted(quick.refused(kind, body, name))) == refused_for
        assert (quick.rows(), quick.files()) == ([], 0)
    else:
        row = quick.handed_in(kind, body, name)
        assert quick.rows() == [row]
        assert documents.file_body(quick.town.connection, str(row.sha256)) == body


def test_what_is_taken_is_kept_with_its_bytes_its_event_and_a_new_revision(papers: Papers):
    before = papers.town.by_id(papers.case)
    body = as_image((210, 220))
    outcome = papers.hand_in(WITHDRAWAL, body)
    assert isinstance(outcome, Attached)
    after = papers.town.by_id(papers.case)
    assert outcome.case == after
    assert (after.revision, after.head.seq, after.state) == (before.revision + 1, before.head.seq + 1, before.state)
    event = papers.town.events(papers.case)[-1]
    assert (event["kind"], event["actor"], event["role"]) == ("evidence_added", "operator.s1", "site_operator")
    assert event["data"]["document"] == WITHDRAWAL
    looks = {"kind": "jpeg", "bytes": len(body), "width": 210, "height": 220, "orientation": 1}
    assert event["data"]["file"] == {"sha256": inspect("x", body).sha256, **looks}
    assert set(event["data"]["verdicts"].values()) == {"holds"}
    assert papers.rows() == [outcome.document]
    assert outcome.document.looks == {**looks, "stem": f"{FIRST}{NAME}"}
    assert papers.town.replayed().diverged == ()


def test_no_name_of_a_file_or_a_person_stands_in_the_trail_but_its_commitment_does(papers: Papers):
    papers.handed_in(WITHDRAWAL)
    papers.handed_in(LIST, sheet([["身份证号"], [ID_NUMBER]]), f"{NAME}名单.xlsx")
    papers.refused(PHOTO_BY_NUMBER, as_image((480, 640)), f"{NAME}.jpg")
    bodies = papers.town.connection.execute("SELECT body FROM event WHERE chain = ?", (papers.case,)).fetchall()
    trail = b"".join(bytes(row[0]) for row in bodies).decode()
    assert NAME not in trail
    assert ID_NUMBER not in trail
    kept = papers.town.connection.execute(
        "SELECT seq, salt, body FROM personal WHERE chain = ? ORDER BY seq", (papers.case,)
    ).fetchall()
    events = {event["seq"]: event for event in papers.town.events(papers.case)}
    opened = [orjson.loads(bytes(row[2])) for row in kept]
    assert [one["file.stem"] for one in opened] == [f"{FIRST}{NAME}", f"{NAME}名单", NAME]
    assert opened[1]["file.listed"] == [[ID_NUMBER]]
    assert (opened[0]["name"], opened[2]["id_number"]) == (NAME, ID_NUMBER), "what the rules saw of the student"
    for seq, salt, body in kept:
        assert events[int(str(seq))]["data"]["sealed"] == commitment(bytes(salt), bytes(body))


def test_a_refusal_names_every_reason_is_an_event_and_changes_nothing(papers: Papers):
    before, counts = papers.town.by_id(papers.case), papers.town.counts()
    outcome = papers.hand_in(WITHDRAWAL, as_image((150, 150), "JPEG", 8), "扫描 1.jpg")
    assert isinstance(outcome, Refused)
    assert outcome.failed == ("G-WD-04", "G-WD-05c", "G-WD-05d")
    shown = {one.id: one.sentence.zh for one in outcome.verdicts}
    assert f"{FIRST}{NAME}" in shown["G-WD-04"], "the right name is told"
    assert "150×150" in shown["G-WD-05c"]
    assert all(one.remedy is not None and one.source for one in outcome.verdicts)
    event = papers.town.events(papers.case)[-1]
    assert (event["kind"], event["data"]["trigger"]) == ("refused", f"attach:{WITHDRAWAL}")
    assert event["data"]["failed"] == ["G-WD-04", "G-WD-05c", "G-WD-05d"]
    assert event["data"]["verdicts"]["withdrawal-picture-size"] == "holds"
    after = papers.town.by_id(papers.case)
    assert (after.revision, after.head.seq) == (before.revision, before.head.seq + 1)
    assert papers.town.counts() == (counts[0] + 1, counts[1], counts[2] + 1, *counts[3:])
    assert (papers.rows(), papers.files()) == ([], 0)
    assert papers.town.replayed().diverged == ()


def test_no_more_files_than_the_document_has_room_for(papers: Papers):
    papers.handed_in(SCAN, picture(), "一.jpg")
    papers.handed_in(SCAN, picture(), "二.jpg")
    assert papers.refused(SCAN, picture(), "三.jpg") == ("X-21",)
    assert len(papers.rows()) == 2


def test_the_same_file_twice_is_refused_but_kept_once_for_two_cases(papers: Papers):
    body = picture()
    papers.handed_in(SCAN, body, "一.jpg")
    assert papers.refused(SCAN, body, "二.jpg") == ("X-25",)
    opened = papers.town.open(("loan", "ask"), SECOND, "operator.s1")
    assert isinstance(opened, Moved)
    replace(papers, case=opened.case.id).handed_in(SCAN, body, "一.jpg")
    assert papers.files() == 1


def test_a_withdrawn_document_makes_room_and_stays_in_the_trail(papers: Papers):
    body = picture()
    row = papers.handed_in(WITHDRAWAL, body)
    request = papers.request(fields={"reason": "扫描不清"})
    outcome = withdraw_document(papers.town.desk, papers.case, row.seq, request)
    assert isinstance(outcome, Withdrawn)
    assert papers.rows() == []
    event = papers.town.events(papers.case)[-1]
    assert event["kind"] == "evidence_withdrawn"
    assert event["data"] == {
        "added": row.seq,
        "document": WITHDRAWAL,
        "from": "asked",
        "reason": "扫描不清",
        "trigger": f"withdraw:{WITHDRAWAL}",
    }
    assert documents.file_body(papers.town.connection, str(row.sha256)) == body
    papers.handed_in(WITHDRAWAL, body)
    with pytest.raises(Unknown, match=str(row.seq)):
        withdraw_document(papers.town.desk, papers.case, row.seq, request)
    assert papers.town.replayed().diverged == ()


def test_withdrawing_asks_for_a_reason(papers: Papers):
    row = papers.handed_in(WITHDRAWAL)
    outcome = withdraw_document(papers.town.desk, papers.case, row.seq, papers.request())
    assert isinstance(outcome, Refused)
    assert outcome.failed == ("X-05",)
    assert papers.rows() == [row]


def test_a_case_that_has_ended_keeps_its_papers_as_they_are(papers: Papers):
    row = papers.handed_in(WITHDRAWAL)
    assert isinstance(papers.town.decided(papers.case, "give_up", "operator.s1"), Moved)
    assert papers.refused(SCAN, picture(), "一.jpg") == ("X-27",)
    request = papers.request(fields={"reason": "不要了"})
    outcome = withdraw_document(papers.town.desk, papers.case, row.seq, request)
    assert isinstance(outcome, Refused)
    assert outcome.failed == ("X-27",)
    assert papers.rows() == [row]


@pytest.mark.parametrize("login", ["operator.s2", "operator.t1"])
def test_only_who_takes_part_in_such_cases_there_may_hand_in(quick: Papers, login: str):
    counts = quick.town.counts()
    with pytest.raises(NotAllowed, match="site_operator"):
        quick.hand_in(WITHDRAWAL, picture(), request=quick.request(login))
    assert quick.town.counts() == counts


def test_a_signatory_takes_part_too(quick: Papers):
    assert isinstance(quick.hand_in(WITHDRAWAL, picture(), request=quick.request("records.sx")), Attached)


def test_a_student_hands_in_for_the_own_case_and_for_no_other(quick: Papers):
    own, other = (quick.town.student(number).id for number in (FIRST, SECOND))
    with pytest.raises(NotAllowed, match="student"):
        quick.hand_in(SCAN, picture(), request=quick.request(actor=Actor(login="pupil", student=other)))
    pupil = quick.request(actor=Actor(login="pupil", student=own))
    assert isinstance(quick.hand_in(SCAN, picture(), request=pupil), Attached)
    assert quick.town.events(quick.case)[-1]["role"] == "student"


def test_who_acts_by_a_delegation_hands_in_as_long_as_it_lasts(quick: Papers):
    path = quick.town.by_id(quick.case).path
    right = Grant(role="site_operator", unit="S1", path=path, giver="operator.s1", until="2024-04-21T00:00:00.000000Z")
    deputy = quick.request(actor=Actor(login="deputy", delegated=(right,)))
    assert isinstance(quick.hand_in(SCAN, picture(), request=deputy), Attached)
    with pytest.raises(NotAllowed):
        quick.hand_in(SCAN, picture(), request=replace(deputy, at=NOW + timedelta(days=2)))


def test_a_document_nobody_knows_is_a_mistake_and_the_nearest_is_named(quick: Papers):
    with pytest.raises(Unknown, match=WITHDRAWAL):
        quick.hand_in("E-WE", picture())


def test_a_page_from_before_the_last_document_is_out_of_date(papers: Papers):
    seen = papers.town.by_id(papers.case).revision
    papers.handed_in(SCAN, picture(), "一.jpg")
    with pytest.raises(StaleCase):
        papers.hand_in(SCAN, picture(), "二.jpg", papers.request(seen=seen))
    assert len(papers.rows()) == 1


def test_a_repeated_request_gets_its_first_answer(papers: Papers):
    body = picture()
    first = papers.hand_in(WITHDRAWAL, body, request=papers.request(id="r-1"))
    assert isinstance(first, Attached)
    again = papers.hand_in(WITHDRAWAL, body, request=papers.request(id="r-1"))
    assert again == Repeated(trigger=f"attach:{WITHDRAWAL}", number=first.case.number, moved=True, state="asked")
    assert isinstance(papers.hand_in(PHOTO, body, request=papers.request(id="r-2")), Refused)
    refused = papers.hand_in(PHOTO, body, request=papers.request(id="r-2"))
    assert isinstance(refused, Repeated)
    assert (refused.moved, refused.failed) == (False, ("G-PH-01",))
    assert len(papers.rows()) == 1
    assert papers.town.replayed().diverged == ()


def test_of_two_who_fill_the_last_place_at_once_one_is_taken_and_the_other_refused(papers: Papers, library: Library):
    start, said = Barrier(2), {}

    def clerk(login: str, body: bytes) -> None:
        with town_at(papers.town.url, with_papers(library)) as town:
            own = replace(papers, town=town)
            upload, request = inspect(f"{FIRST}{NAME}.jpg", body), own.request(login)
            start.wait()
            said[login] = attach(town.desk, own.case, WITHDRAWAL, upload, request)

    clerks = [Thread(target=clerk, args=(login, picture())) for login in ("operator.s1", "both.s1")]
    for one in clerks:
        one.start()
    for one in clerks:
        one.join()
    refused = [one for one in said.values() if isinstance(one, Refused)]
    assert [one.failed for one in refused] == [("X-21",)]
    assert sum(isinstance(one, Attached) for one in said.values()) == 1
    assert (len(papers.rows()), papers.files()) == (1, 1)
    assert papers.town.replayed().diverged == ()


def agreeing(papers: Papers) -> list[str]:
    bodies = papers.town.connection.execute(
        "SELECT body FROM event WHERE chain = ? ORDER BY seq", (papers.case,)
    ).fetchall()
    with papers.town.connection.reading():
        return documents_agree(papers.town.connection, papers.case, [bytes(row[0]) for row in bodies])


def test_the_documents_kept_are_those_the_events_add_up_to(papers: Papers):
    kept, gone = papers.handed_in(SCAN, picture(), "一.jpg"), papers.handed_in(SCAN, picture(), "二.jpg")
    papers.handed_in(LIST, sheet([["学号"], [FIRST]]), "名单.xlsx")
    papers.refused(PHOTO, picture())
    withdraw_document(papers.town.desk, papers.case, gone.seq, papers.request(fields={"reason": "重复"}))
    assert agreeing(papers) == []
    assert [row.seq for row in papers.rows()] == [kept.seq, kept.seq + 2]
    place = f"document {SCAN} #{kept.seq}"
    for column, value in (
        ("withdrawn", True), ("seq", 99), ("ticks", '{"legible":true}'), ("case_id", 1), ("kind", WITHDRAWAL),
        ("looks", '{"kind":"jpeg"}'), ("made", "{}"),
        ("looks", orjson.dumps({**kept.looks, "stem": "三"}).decode()),
    ):  # fmt: skip
        with papers.town.undone():
            papers.town.edit(("document", column), value, case_id=papers.case, seq=kept.seq)
            bodies = [orjson.dumps(event) for event in papers.town.events(papers.case)]
            assert place in documents_agree(papers.town.connection, papers.case, bodies), column


def test_a_name_that_was_erased_is_not_missed(papers: Papers):
    row = papers.handed_in(SCAN, picture(), "一.jpg")
    papers.town.connection.execute("DELETE FROM personal WHERE chain = ?", (papers.case,))
    looks = {name: value for name, value in row.looks.items() if name != "stem"}
    papers.town.edit(("document", "looks"), orjson.dumps(looks).decode(), case_id=papers.case)
    assert agreeing(papers) == []


def test_bytes_that_were_exchanged_are_noticed(papers: Papers):
    row = papers.handed_in(SCAN, picture(), "一.jpg")
    with papers.town.connection.reading():
        assert files_agree(papers.town.connection) == []
    papers.town.edit(("file", "body"), picture(), sha256=row.sha256)
    with papers.town.connection.reading():
        assert files_agree(papers.town.connection) == [row.sha256]


def test_the_documents_of_many_cases_are_read_at_once(papers: Papers):
    row = papers.handed_in(SCAN, picture(), "一.jpg")
    assert documents.of_cases(papers.town.connection, [papers.case, 2]) == {papers.case: [row], 2: []}


def test_the_moment_of_handing_in_is_the_requests(quick: Papers):
    later = NOW + timedelta(hours=3)
    quick.hand_in(SCAN, picture(), "一.jpg", quick.request(at=later))
    assert quick.town.events(quick.case)[-1]["at"] == "2024-04-20T05:00:00.000000Z"
