"""Findings: everything planted is found under its code, and what nearly is one is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from engine.auditing.clocks import missed_unmarked
from engine.auditing.decisions import Decision
from engine.auditing.findings import CODES, called, findings
from engine.auditing.found import Finding, Limits, Place, mark
from engine.auditing.ground import Ground
from engine.auditing.hands import Pairs, two_levels
from engine.auditing.history import Event, History, Told
from engine.auditing.scope import Scope
from engine.auditing.tempo import out_of_hours, paces
from engine.calendars import WorkCalendar
from engine.errors import Unknown
from engine.library import Library
from engine.records import Sentence
from engine.store import people, registry, students
from engine.trail.event import moment
from tests.engine.forging import Forger
from tests.engine.lab import CHECK, loan, with_loan
from tests.engine.town import FIRST, NOW, Town, town_at

LEND = {"lend": {"from": "checked", "to": "lent", "by": "records_section"}}
SIGNED = {"sign_off": {"from": "asked", "to": "checked", "sign": {"slots": {
    "own": {"role": "site_approver"}, "head": {"role": "site_head", "recorded_by": "site_operator"},
}}}}  # fmt: skip
LOAN = loan({**CHECK, **LEND, **SIGNED, "shelve": {"from": "asked", "to": "shelved", "by": "site_operator"}})
MORNING = datetime(2024, 5, 14, 1, 30, tzinfo=UTC)  # a Tuesday, 9:30 in Shanghai
LIMITS = Limits()
PATHS = {"S1": "/GK/SX/B1/S1/", "B1": "/GK/SX/B1/", "SX": "/GK/SX/"}
GROUND = Ground(paths=PATHS, grants={}, student_of={}, lent={}, definitions={}, published={}, books={})


def codes(found: Sequence[Finding] | Iterator[Finding]) -> list[str]:
    return [one.code for one in found]


# ---- Tempo -------------------------------------------------------------------------------------------------------


def decided(*seconds: float, by: str = "approver", chains: Sequence[int] | None = None) -> list[Decision]:
    """Decisions so many seconds after half past nine, each on a case of its own unless `chains` says otherwise."""
    return [
        Decision(place + 1 if chains is None else chains[place], 3, after(one), by, "online-ed")
        for place, one in enumerate(seconds)
    ]


def after(seconds: float) -> str:
    return moment(MORNING + timedelta(seconds=seconds))


def test_cases_decided_singly_faster_than_one_reads_are_one_finding_that_names_them_all():
    [found] = paces(decided(0, 300, 308, 319.5, 600), LIMITS)
    assert (found.code, found.people, found.at) == ("too-fast", ("approver",), after(300))
    assert found.places == (Place(2, (3,)), Place(3, (3,)), Place(4, (3,)))
    assert "3 件，最快相隔 8.0 秒（少于 20 秒）" in found.said.zh
    assert "decided 3 cases singly" in found.said.en


@pytest.mark.parametrize(
    "near",
    [
        pytest.param(decided(0, 20, 40), id="just as long as reading takes"),
        pytest.param(decided(0, 5, 9, chains=(7, 7, 7)), id="three steps of one case"),
        pytest.param(decided(0, by="a") + decided(3, by="b"), id="two people"),
        pytest.param(decided(*[0] * 9), id="nine in one request are no single acts"),
        pytest.param(decided(*[0] * 9, 15), id="and nothing is measured from a request of many"),
    ],
)
def test_what_leaves_time_to_read_is_not_too_fast(near):
    assert codes(paces(near, LIMITS)) == []


def test_many_in_one_second_are_bulk_and_not_too_fast():
    [found] = paces(decided(*[0.01 * one for one in range(10)]), LIMITS)
    assert (found.code, found.cases) == ("in-bulk", 10)
    assert "一秒内批量办理 10 件" in found.said.zh


def test_nine_in_one_second_by_single_acts_are_too_fast_and_no_bulk():
    assert codes(paces(decided(*[0.01 * one for one in range(9)]), LIMITS)) == ["too-fast"]


def test_ten_signatures_of_one_case_are_no_bulk():
    assert codes(paces(decided(*[0] * 10, chains=[4] * 10), LIMITS)) == []


@pytest.fixture(scope="module")
def calendar(library: Library) -> WorkCalendar:
    return WorkCalendar(library.rulebook.calendar, "online-ed")


def hours(calendar: WorkCalendar, *moments: str) -> list[Finding]:
    acts = [
        Decision(place + 1, 3, moment(datetime.fromisoformat(f"{one}+08:00")), "approver", "online-ed")
        for place, one in enumerate(moments)
    ]
    return list(out_of_hours(acts, LIMITS, lambda _: calendar))


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2024-05-14T06:59:59", "非工作时间"), ("2024-05-14T21:00:00", "非工作时间"),
        ("2024-05-18T10:00:00", "周六"), ("2024-05-01T10:00:00", "劳动节"),
    ],
)  # fmt: skip
def test_a_decision_at_night_or_on_a_day_off_is_found_with_its_reason(calendar, at, why):
    [found] = hours(calendar, at)
    assert (found.code, found.people) == ("out-of-hours", ("approver",))
    assert why in found.said.zh


@pytest.mark.parametrize(
    "at",
    [
        pytest.param("2024-05-14T07:00:00", id="the office opens"),
        pytest.param("2024-05-14T20:59:59", id="the office closes"),
        pytest.param("2024-05-11T10:00:00", id="a Saturday that is worked (调休)"),
    ],
)
def test_a_decision_in_office_hours_is_not_found(calendar, at):
    assert hours(calendar, at) == []


def test_one_person_and_day_out_of_hours_is_one_finding(calendar):
    found = hours(calendar, "2024-05-18T10:00:00", "2024-05-18T23:00:00", "2024-05-19T10:00:00")
    assert [one.cases for one in found] == [2, 1]


# ---- Hands -------------------------------------------------------------------------------------------------------


def event(seq: int, trigger: str, by: str, role: str = "site_approver", unit: str = "S1", **told: object) -> Event:
    """A step of the loan; `people` and the rest of the event's data in `told`, `kind`, `done_by`, `cause` apart."""
    outer = {name: told.pop(name) for name in ("kind", "done_by", "cause") if name in told}
    data = Told(trigger=trigger, **told)  # type: ignore[arg-type] # a test's own words
    return Event(seq=seq, data=data, at=after(seq), actor=by, role=role, unit=unit, **{"kind": "moved", **outer})  # type: ignore[arg-type]


def history(*events: Event, chain: int = 1, before: Sequence[str] = ("new", "asked", "checked", "checked")) -> History:
    states = before[: len(events)]
    return History(chain=chain, events=events, definition=LOAN, before=states, units=["S1"] * len(events), student=5)


OPENED = event(1, "ask", "operator", "site_operator", kind="opened")
CHECKED = event(2, "check", "wang")


def test_one_person_at_two_levels_of_a_case_is_found_once():
    [found] = two_levels(history(OPENED, CHECKED, event(3, "lend", "wang", "records_section", "SX")), GROUND)
    assert (found.code, found.places) == ("two-levels", (Place(1, (2, 3)),))
    assert found.people == ("wang",)
    assert "site_approver" in found.said.zh
    assert "records_section" in found.said.en


def test_whoever_lends_a_right_has_had_a_hand_in_what_is_done_by_it():
    lent = event(3, "lend", "zhao", "records_section", "SX", people=["zhao", "wang"])
    [found] = two_levels(history(OPENED, CHECKED, lent), GROUND)
    assert found.people == ("wang", "zhao")


def test_the_same_role_at_a_higher_unit_is_another_level():
    [found] = two_levels(history(OPENED, CHECKED, event(3, "lend", "wang", "site_approver", "SX")), GROUND)
    assert found.places == (Place(1, (2, 3)),)


@pytest.mark.parametrize(
    "near",
    [
        pytest.param(history(OPENED, CHECKED, event(3, "lend", "zhao", "records_section", "SX")), id="two people"),
        pytest.param(history(OPENED, CHECKED, event(3, "lend", "wang")), id="twice at one level"),
        pytest.param(
            history(OPENED, CHECKED, event(3, "lend", "wang", "effect", "SX", cause={"chain": "case/X", "seq": 1})),
            id="a step that another one caused",
        ),
        pytest.param(
            history(
                event(1, "shelve", "wang", "site_operator", rests=True), event(2, "check", "wang"),
                before=("asked", "shelved"),
            ),
            id="two rounds",
        ),
        pytest.param(
            history(
                OPENED, CHECKED, event(3, "check", "wang", kind="retracted"),
                event(4, "lend", "wang", "records_section"),
            ),
            id="what was taken back",
        ),
        pytest.param(
            history(
                OPENED,
                event(2, "sign_off", "operator", kind="signed", slot="head", signing="sign_off", done_by="site_head"),
                before=("new", "asked"),
            ),
            id="a signature on paper is its signer's, not its recorder's",
        ),
    ],
)  # fmt: skip
def test_what_is_not_two_levels_by_one_person_is_not_found(near):
    assert codes(two_levels(near, GROUND)) == []


def pairs(*cases: tuple[str, str]) -> list[Finding]:
    """What is found in so many loans, each checked by one person and lent by another."""
    counted = Pairs(LIMITS)
    for number, (one, other) in enumerate(cases, start=1):
        lent = event(3, "lend", other, "records_section", "SX")
        counted.add(history(OPENED, event(2, "check", one), lent, chain=number), GROUND)
    return list(counted.found())


def test_two_who_always_approve_each_other_are_found_though_others_are_there():
    [found] = pairs(*[("wang", "zhao")] * 10, *[("qian", "sun")] * 3)
    assert (found.code, found.people, found.cases) == ("always-paired", ("wang", "zhao"), 10)
    assert found.places[0] == Place(1, (2, 3))


@pytest.mark.parametrize(
    "near",
    [
        pytest.param([("wang", "zhao")] * 9 + [("qian", "sun")] * 3, id="nine times is too few"),
        pytest.param([("wang", "zhao")] * 10 + [("qian", "zhao")] * 3, id="the other one serves everybody"),
        pytest.param([("wang", "zhao")] * 10 + [("wang", "sun")] * 3, id="the first one goes to others too"),
        pytest.param([("wang", "zhao")] * 30, id="nobody else is there to choose"),
        pytest.param([("wang", "wang")] * 10 + [("qian", "sun")] * 3, id="one person is no pair"),
    ],
)
def test_who_meets_by_the_way_things_are_is_no_pair(near):
    assert pairs(*near) == []


# ---- Clocks ------------------------------------------------------------------------------------------------------


def running(*events: Event) -> list[str]:
    told = event(1, "ask", "operator", kind="opened", deadlines={"D-1": {"due": after(3600)}})
    flaws = missed_unmarked(history(told, *events), after(7200))
    return [flaw.en for flaw in flaws]


def test_a_deadline_that_is_over_and_of_which_no_event_says_so_is_found():
    assert running() == ["D-1 was due Tue 14 May 2024, 10:30 and is not marked late"]


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(event(2, "", "timer", kind="late", deadline="D-1", due=after(3600)), id="marked"),
        pytest.param(event(2, "check", "wang", deadlines={"D-1": None}), id="closed"),
        pytest.param(event(2, "", "wang", kind="deadline_moved", deadline="D-1", new=after(9000)), id="moved"),
        pytest.param(
            event(2, "", "wang", kind="deadline_moved", deadline="D-1", new=after(3600), settled=True), id="settled"
        ),
    ],
)  # fmt: skip
def test_a_deadline_that_is_marked_closed_moved_or_settled_is_not_found(last):
    assert running(last) == []


# ---- The whole look, on both databases ---------------------------------------------------------------------------


@pytest.fixture
def lending(district_url: str, library: Library) -> Iterator[Town]:
    with town_at(district_url, with_loan(library, LOAN)) as town:
        town.desk.publish(NOW, "setup")
        yield town


ASK = {"trigger": "ask", "to": "asked"}
SAW: Mapping[str, object] = {
    "trigger": "check", "to": "checked", "role": "site_approver", "seen": {"fee_owed": "0.00", "terms_passed": 5},
}  # fmt: skip


def corrected_cases(forge: Forger) -> tuple[int, dict[str, int]]:
    """A case decided on a fee that was corrected afterwards; and cases that nearly are."""

    def checked(name: str, *more: Mapping[str, object]) -> tuple[str, int]:
        student = forge.student()
        step = {**SAW, "at": moment(NOW + timedelta(days=1)), "actor": name}
        return student, forge.case("loan", "online-ed", student, ASK, step, *more)

    later = NOW + timedelta(days=2)
    planted, case = checked("a.planted")
    forge.facts(planted, later, fee_owed="120.00")
    near = {}
    right, near["set right back"] = checked("a.right")
    forge.facts(right, later, fee_owed="120.00")
    forge.facts(right, later + timedelta(hours=1), fee_owed="0.00")
    unread, near["another fact"] = checked("a.unread")
    forge.facts(unread, later, name="某某")
    anew, near["decided anew"] = checked(
        "a.anew", {"trigger": "lend", "to": "lent", "role": "records_section", "at": moment(later + timedelta(days=1))}
    )
    forge.facts(anew, later, fee_owed="120.00")
    early, near["known before"] = checked("a.early")
    forge.facts(early, NOW, fee_owed="120.00")
    return case, near


def test_a_decision_on_a_fact_that_was_corrected_later_is_found_with_both_events(lending: Town):
    planted, near = corrected_cases(Forger(town=lending))
    found = findings(lending.desk, Scope(), LIMITS, NOW, ("facts-corrected",))
    assert [(one.code, one.people, one.places[0]) for one in found] == [
        ("facts-corrected", ("a.planted",), Place(planted, (2,)))
    ]
    assert found[0].places[1].chain == -(lending.by_id(planted).student or 0)
    assert planted not in near.values()


def test_a_finding_says_people_steps_facts_values_and_moments_as_people_do(lending: Town):
    forge = Forger(town=lending)
    corrected_cases(forge)
    student = forge.student()
    photo = {**SAW, "seen": {"photo_collected": True}, "at": moment(NOW + timedelta(days=1)), "actor": "b.yes"}
    forge.case("loan", "online-ed", student, ASK, photo)
    forge.facts(student, NOW + timedelta(days=2), photo_collected=False)
    fees, yes = findings(lending.desk, Scope(), LIMITS, NOW, ("facts-corrected",))

    number, said = fees.places[0].number, fees.told({"a.planted": "李审批"})
    assert number == f"{fees.places[0].case[:4]}-{fees.places[0].case[4:]}"
    assert said.zh == (
        f"李审批 对 {number} 办理“check”时，“欠费金额”为“0.00元”，2024年4月22日（周一）10:00更正为“120.00元”，未再办理"
    )
    assert said.en.startswith(
        f"李审批 took check on {number} when Fees owed was CNY 0.00; it was corrected to CNY 120.00"
    )
    assert "为“是”" in yes.told({}).zh
    assert "更正为“否”" in yes.told({}).zh
    assert yes.told({}).zh.startswith("b.yes 对"), "who has no name is called by the login"
    assert fees.said.zh.startswith(f"{mark('a.planted')} 对"), (
        "kept with it is who it was; a name goes in when it is told"
    )


def test_who_decided_is_called_by_name_and_a_student_by_the_login_alone(lending: Town):
    connection, student = lending.connection, students.student(lending.connection, FIRST)
    assert student is not None
    with connection.writing():
        for login, name in (("a.wang", "王敏"), ("s.own", "李同学"), ("b.none", "")):
            registry.add_account(connection, login, moment(NOW))
            people.set_name(connection, login, name)
        registry.set_student(connection, "s.own", student.id)
    said = Sentence(zh="", en="")
    found = Finding(code="too-fast", people=("a.wang", "s.own", "b.none"), at=after(0), places=(), said=said)

    with connection.reading():
        names = called(connection, [found])

    assert names == {"a.wang": "王敏"}
    assert found.who(names) == ("王敏（a.wang）", "s.own", "b.none")


def test_a_step_and_a_role_are_called_by_their_titles_where_the_definitions_have_them(library: Library):
    book = library.rulebook_for("online-ed")
    ground = Ground(
        paths=PATHS, grants={}, student_of={}, lent={}, definitions={}, published={"x": ""},
        books={"x": book.model_dump_json(by_alias=True, exclude_defaults=True)},
    )  # fmt: skip
    [found] = two_levels(history(OPENED, CHECKED, event(3, "lend", "wang", "records_section", "SX")), ground)
    roles = book.organisation.roles
    assert f"以“{roles['site_approver'].title.zh}”办理" in found.told({"wang": "王敏"}).zh
    assert f"as {roles['records_section'].title.en}" in found.said.en
    assert found.told({"wang": "王敏"}).zh.startswith("王敏 在 ")


def test_a_finding_is_the_same_whatever_words_it_is_told_in():
    """What was concluded of it before its sentence read otherwise, is found again: the hash is a contract."""
    places = (Place(7, (2, 3)),)
    told = [
        Finding(code="too-fast", people=("wang",), at="2024-05-14T01:30:00.000000Z", places=places, said=said)
        for said in (Sentence(zh="甲", en="a"), Sentence(zh="乙", en="b"))
    ]
    assert {one.digest for one in told} == {"88d0ba57b195c40db08cc558bd7554f270cc4979eff4f92647c6ac574235b0b1"}


def test_a_personal_fact_that_was_corrected_is_found_and_its_values_are_not_told(lending: Town):
    """The step saw the name, sealed; the roster corrected it; nobody decided anew."""
    town = lending
    town.advance(FIRST, "provincially_audited")
    case = town.record(FIRST)
    town.take(FIRST, "register", "auditor.sx")
    assert any(one["data"].get("sealed") for one in town.events(case))
    seen = [one for one in town.events(case) if one["data"].get("sealed")][-1]["seq"]
    forge = Forger(town=town)
    forge.facts(FIRST, NOW + timedelta(days=3), name="改名")
    found = findings(town.desk, Scope(), LIMITS, NOW, ("facts-corrected",))
    assert [one.places[0] for one in found] == [Place(case, (seen,))]


def test_every_code_is_looked_for_in_the_scope_alone_and_over_both_databases(lending: Town):
    forge = Forger(town=lending)
    check = {"trigger": "check", "to": "checked", "role": "site_approver", "actor": "approver.s1"}
    night = {**check, "at": "2024-04-21T15:00:00.000000Z"}  # 23:00 on a Sunday
    planted = forge.case("loan", "online-ed", forge.student(), ASK, night)
    lent = {"trigger": "lend", "to": "lent", "role": "records_section", "unit": "SX", "actor": "approver.s1"}
    forge.step(planted, **{**lent, "at": "2024-04-22T03:00:00.000000Z"})
    unsigned = forge.case("loan", "online-ed", forge.student(), ASK, {"trigger": "sign_off", "to": "checked"})
    found = findings(lending.desk, Scope(), LIMITS, NOW)
    assert {(one.code, one.places[0].chain) for one in found} >= {
        ("out-of-hours", planted), ("two-levels", planted), ("signatures-missing", unsigned),
    }  # fmt: skip
    assert [one for one in found if not one.places] == []
    paths = {code: lending.desk.units()[code].path for code in ("KF", "B1")}
    elsewhere = findings(lending.desk, Scope(paths=(paths["KF"],)), LIMITS, NOW)
    assert {one.people for one in elsewhere} == {("province.kf",)}
    both = findings(lending.desk, Scope(paths=(paths["KF"], paths["B1"])), LIMITS, NOW)
    assert {planted, unsigned} <= {place.chain for one in both for place in one.places}
    assert set(elsewhere) < set(both)
    assert findings(lending.desk, Scope(batch="2024-06"), LIMITS, NOW, ("two-levels", "signatures-missing")) == ()


def test_a_list_with_all_its_signatures_and_a_late_step_that_says_so_are_not_found(lending: Town):
    forge = Forger(town=lending)
    over = {**ASK, "deadlines": {"D-1": {"due": "2024-04-01T15:59:59.000000Z"}}}
    check = {"trigger": "check", "to": "checked", "role": "site_approver", "deadlines": {"D-1": None}}
    vote = {"trigger": "sign_off", "signing": "sign_off", "vote": "yes"}
    own = {**vote, "kind": "signed", "slot": "own", "missing": ["head"]}
    late, marked = (
        forge.case("loan", "online-ed", forge.student(), over, {**check, "late": named}) for named in ([], ["D-1"])
    )
    bare, signed = (
        forge.case("loan", "online-ed", forge.student(), ASK, *first, {**vote, "slot": "head", "to": "checked"})
        for first in ((), (own,))
    )
    found = findings(lending.desk, Scope(), LIMITS, NOW, ("signatures-missing", "late-unmarked"))
    assert [(one.code, one.places) for one in found] == [
        ("signatures-missing", (Place(bare, (2,)),)), ("late-unmarked", (Place(late, (2,)),)),
    ]  # fmt: skip
    assert {marked, signed}.isdisjoint({late, bare})


def test_a_code_that_does_not_exist_is_named_with_the_nearest(lending: Town):
    with pytest.raises(Unknown, match="too-fast"):
        findings(lending.desk, Scope(), LIMITS, NOW, ("to-fast",))
    assert set(CODES) == {
        "too-fast", "in-bulk", "out-of-hours", "two-levels", "always-paired", "facts-corrected",
        "signatures-missing", "late-unmarked",
    }  # fmt: skip
