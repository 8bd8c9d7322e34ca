"""Working papers: what an auditor notes, concludes or draws is in the trail, sealed, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from engine.auditing.found import Finding, Place
from engine.auditing.papers import FOLLOWING, Conclusion, Standing, concluded, judgements, papers, samples
from engine.auditing.sampling import draw, population_of
from engine.auditing.scope import Scope
from engine.casework import move
from engine.errors import NotAllowed, Unknown, Unreadable
from engine.exporting import looked
from engine.invariants import audit_histories
from engine.library import Library
from engine.noting import Plan, Remark, Ruling, draw_sample, judge_finding, note_batch, note_case
from engine.organisation import give_role
from engine.records import Moved, Request, Sentence, case_number
from engine.retracting import retract
from engine.store.cases import read_case
from engine.store.trail import spans
from engine.timeline import timeline
from engine.trail.event import REGISTRY
from tests.engine.forging import Forger
from tests.engine.lab import CHECK, lending, loan
from tests.engine.town import BATCH, FIRST, NOW, OPEN_FIRST, SECOND, THIRD, Town

AUDITOR, ELSEWHERE = "shen.sx", "shen.kf"
SAID = "学生张某的证件与底册不一致"


@pytest.fixture
def audited(town: Town) -> Town:
    """The district with an auditor of each province."""
    give_role(town.desk, AUDITOR, "auditor", "SX", at=NOW, actor="setup")
    give_role(town.desk, ELSEWHERE, "auditor", "KF", at=NOW, actor="setup")
    return town


def asking(town: Town, login: str = AUDITOR) -> Request:
    return town.request("audit:note", login)


def read(town: Town, scope: Scope | None = None) -> list[tuple[int, str | None, str | None]]:
    with town.connection.reading():
        return [(one.chain, one.conclusion, one.text) for one in papers(town.connection, scope or Scope())]


def at_fault(town: Town) -> dict[str, set[tuple[str, int]]]:
    faults = [audit_histories(town.connection, span) for span in spans(town.connection, 1)]
    return {name: {(one.case, one.seq) for one in some} for part in faults for name, some in part.items()}


def test_a_note_is_an_event_whose_text_is_sealed_and_the_case_stays_as_it_is(audited: Town):
    before, counts = audited.case(FIRST), audited.counts()
    note_case(audited.desk, before.id, Remark(text=f" {SAID} ", conclusion=Conclusion.EXCEPTION), asking(audited))
    event = audited.events(before.id)[-1]
    assert (event["kind"], event["actor"], event["role"], event["unit"]) == ("noted", AUDITOR, "auditor", "SX")
    assert event["data"] | {"sealed": ""} == {
        "noted": "note", "conclusion": "exception", "sealed": "", "trigger": "audit:note",
    }  # fmt: skip
    assert SAID not in str(event)
    after = audited.case(FIRST)
    assert after == before._replace(head=after.head)
    assert audited.counts() == (counts[0] + 1, counts[1], counts[2] + 1, *counts[3:])
    assert read(audited) == [(before.id, "exception", SAID)]
    assert audited.replayed().diverged == ()
    assert at_fault(audited) == {}


def test_the_people_of_the_case_do_not_see_that_it_was_noted_on(audited: Town):
    case = audited.record(FIRST)
    found = read_case(audited.connection, case)
    assert found is not None
    before = timeline(audited.desk, found)
    note_case(audited.desk, case, Remark(text=SAID), asking(audited))
    assert timeline(audited.desk, found) == before


def test_a_page_opened_before_a_note_still_decides(audited: Town):
    audited.advance(FIRST, "applied")
    case = audited.case(FIRST)
    note_case(audited.desk, case.id, Remark(text=SAID), asking(audited))
    request = replace(audited.step("site_approve", "approver.s1"), seen=case.revision)
    assert isinstance(move(audited.desk, case.id, request), Moved)


def test_a_step_that_was_noted_on_may_still_be_taken_back(district_url: str, library: Library):
    definition = loan({"check": {**CHECK["check"], "retractable": True}})
    with lending(district_url, library, definition) as (town, case):
        give_role(town.desk, AUDITOR, "auditor", "SX", at=NOW, actor="setup")
        assert isinstance(town.decided(case, "check", "approver.s1"), Moved)
        note_case(town.desk, case, Remark(text=SAID), asking(town))
        assert retract(town.desk, case, town.request("retract", "approver.s1")).state == "asked"
        assert town.replayed().diverged == ()


@pytest.mark.parametrize("login", [ELSEWHERE, "records.sx", "operator.s1"])
def test_who_is_no_auditor_at_the_unit_or_above_notes_nothing_and_the_case_keeps_that_it_was_asked(audited, login):
    case = audited.case(FIRST)
    with pytest.raises(NotAllowed, match="auditor"):
        note_case(audited.desk, case.id, Remark(text=SAID), asking(audited, login))
    event = audited.events(case.id)[-1]
    assert (event["kind"], event["actor"], event["data"]["barred"]) == ("refused", login, "not_allowed")
    assert read(audited) == []
    assert audited.replayed().diverged == ()


@pytest.mark.parametrize("text", ["", "  \n", "\ud800"])
def test_a_note_without_text_is_none(audited: Town, text: str):
    counts = audited.counts()
    with pytest.raises(Unreadable, match="--text"):
        note_case(audited.desk, audited.record(FIRST), Remark(text=text), asking(audited))
    with pytest.raises(Unknown):
        note_case(audited.desk, 10**6, Remark(text=SAID), asking(audited))
    assert audited.counts() == counts


def test_a_note_on_a_batch_stands_in_the_registry_and_is_read_by_auditors_of_the_unit(audited: Town):
    note_batch(audited.desk, BATCH, Remark(text=SAID, conclusion=Conclusion.OPEN), asking(audited))
    paths = {code: audited.desk.units()[code].path for code in ("SX", "KF")}
    assert read(audited, Scope(batch=BATCH, paths=(paths["SX"],))) == [(REGISTRY, "open", SAID)]
    assert read(audited, Scope(batch=BATCH, paths=(paths["KF"],))) == []
    assert read(audited, Scope(batch="2024-07-open")) == []
    with pytest.raises(NotAllowed):
        note_batch(audited.desk, BATCH, Remark(text=SAID), asking(audited, "operator.s1"))
    with pytest.raises(Unknown, match=BATCH):
        note_batch(audited.desk, "2024-60", Remark(text=SAID), asking(audited))
    assert audited.replayed().diverged == ()


def test_the_last_conclusion_of_a_case_counts_and_an_erased_text_leaves_it(audited: Town):
    case = audited.record(FIRST)
    for conclusion in (Conclusion.OPEN, Conclusion.SOUND, None):
        note_case(audited.desk, case, Remark(text=SAID, conclusion=conclusion), asking(audited))
    audited.connection.execute("DELETE FROM personal WHERE chain = ?", (case,))
    assert read(audited) == [(case, "open", None), (case, "sound", None), (case, None, None)]
    with audited.connection.reading():
        last = concluded(papers(audited.connection, Scope()))
    assert {number: one.conclusion for number, one in last.items()} == {case_number(case): "sound"}


def test_a_note_that_somebody_with_the_key_wrote_without_the_right_is_named(audited: Town):
    forge, case = Forger(town=audited), audited.record(FIRST)
    good: dict[str, object] = {"actor": AUDITOR, "role": "auditor", "unit": "SX", "noted": "note"}
    forge.step(case, "noted", **good)
    bad = (
        {"actor": ELSEWHERE, "unit": "KF"}, {"role": "records_section"}, {"actor": "operator.s1"},
        {"delegation": {"by": AUDITOR, "why": "出差", "until": None}},
    )  # fmt: skip
    named = set()
    for told in bad:
        forge.step(case, "noted", **{**good, **told})
        named.add((case_number(case), audited.by_id(case).head.seq))
    assert at_fault(audited) == {"INV-ACC-1": named}


def test_a_sample_is_an_event_from_which_it_can_be_drawn_again(audited: Town):
    for student in (FIRST, SECOND, THIRD):
        audited.advance(student, "applied")
    plan = Plan(batch=BATCH, seed="2024", workflow="diploma-registration", size=2)
    drawn = draw_sample(audited.desk, plan, audited.request("audit:sample", AUDITOR))
    assert len(drawn.cases) == 2
    assert set(drawn.cases) < {case_number(audited.record(student)) for student in (FIRST, SECOND, THIRD)}
    with audited.connection.reading():
        [kept] = samples(audited.connection, Scope(batch=BATCH))
    told = kept.told
    assert (kept.actor, told["seed"], told["population"], told["strata"]) == (AUDITOR, "2024", 3, {"S1": [3, 2]})
    scope = Scope(batch=BATCH, paths=(audited.desk.units()["SX"].path,))
    again = draw(population_of(audited.connection, scope, told["of"], {}), told["size"], told["seed"])
    assert (again, again.cases, again.digest) == (drawn, kept.cases, told["population_sha256"])
    assert audited.replayed().diverged == ()


def test_an_auditor_draws_among_the_cases_of_the_own_units(audited: Town):
    audited.advance(FIRST, "applied")
    audited.advance(OPEN_FIRST, "applied")
    asked = audited.request("audit:sample", ELSEWHERE)
    plan = Plan(batch="2024-07-open", seed="2024", workflow="diploma-registration", by="branch")
    drawn = draw_sample(audited.desk, plan, asked)
    assert [(one.unit, one.drawn) for one in drawn.strata] == [("C1", (case_number(audited.record(OPEN_FIRST)),))]
    with pytest.raises(Unknown, match="办件"):
        draw_sample(audited.desk, replace(plan, batch=BATCH), asked)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"batch": "2024-60"}, Unknown), ({"by": "sites"}, Unknown), ({"workflow": "diploma"}, Unknown),
        ({"size": 0}, Unreadable), ({"error": Fraction(0)}, Unreadable),
    ],
)  # fmt: skip
def test_a_sample_that_cannot_be_meant_is_not_drawn(audited: Town, change: dict[str, object], error: type[Exception]):
    audited.advance(FIRST, "applied")
    counts = audited.counts()
    plan = replace(Plan(batch=BATCH, seed="2024"), **change)  # type: ignore[arg-type] # a test's own words
    with pytest.raises(error):
        draw_sample(audited.desk, plan, audited.request("audit:sample", AUDITOR))
    assert audited.counts() == counts


def test_who_is_no_auditor_draws_nothing(audited: Town, library: Library):
    assert BATCH in library.batches
    with pytest.raises(NotAllowed, match="auditor"):
        draw_sample(audited.desk, Plan(batch=BATCH, seed="1"), audited.request("audit:sample", "records.sx"))


def test_a_note_may_say_which_event_of_the_case_it_is_about(audited: Town):
    case = audited.case(FIRST)
    note_case(audited.desk, case.id, Remark(text=SAID, about=1), asking(audited))
    with audited.connection.reading():
        assert [one.about for one in papers(audited.connection, Scope())] == [1]
    counts = audited.counts()
    with pytest.raises(Unknown):
        note_case(audited.desk, case.id, Remark(text=SAID, about=99), asking(audited))
    assert audited.counts() == counts
    assert (audited.replayed().diverged, at_fault(audited)) == ((), {})


def test_what_is_concluded_of_a_finding_is_sealed_in_the_registry_and_read_by_auditors_of_the_unit(audited: Town):
    places = (Place(audited.record(FIRST), (1,)),)
    one = Finding(code="in-bulk", people=("x",), at="2024", places=places, said=Sentence(zh="甲", en="a"))
    reworded = replace(one, said=Sentence(zh="乙", en="b"))
    for standing in (Standing.CONFIRMED, Standing.MENDED):
        judge_finding(audited.desk, BATCH, one, Ruling(standing=standing, text=SAID), asking(audited))
    with audited.connection.reading():
        paths = [audited.desk.units()[code].path for code in ("SX", "KF")]
        own, elsewhere = (judgements(audited.connection, Scope(paths=(path,))) for path in paths)
    assert [(each.standing, each.text) for each in own[reworded.digest]] == [("confirmed", SAID), ("mended", SAID)]
    assert elsewhere == {}
    assert SAID not in str(audited.events(REGISTRY)[-2:])
    assert replace(one, places=(Place(places[0].chain, (1, 2)),)).digest != one.digest
    assert set(FOLLOWING) == set(Standing)
    with pytest.raises(NotAllowed):
        judge_finding(
            audited.desk, BATCH, one, Ruling(standing=Standing.OPEN, text=SAID), asking(audited, "records.sx")
        )
    assert audited.replayed().diverged == ()


def test_a_look_at_what_is_gathered_from_many_cases_is_an_event_of_the_registry(audited: Town):
    written = looked(audited.desk, audited.request("view:findings", AUDITOR), {"batch": BATCH})
    event = audited.events(REGISTRY)[-1]
    assert (event["seq"], event["kind"], event["actor"], event["unit"]) == (written.seq, "viewed", AUDITOR, "SX")
    assert event["data"] == {"trigger": "view:findings", "batch": BATCH}
    with pytest.raises(NotAllowed):
        looked(audited.desk, audited.request("view:findings", "records.sx"), {})
    assert audited.events(REGISTRY)[-1]["kind"] == "refused"
    assert audited.replayed().diverged == ()
