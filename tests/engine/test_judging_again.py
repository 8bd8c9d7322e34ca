"""What if: the difference other rules would have made, worked out by hand for a few loans and found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest

from engine.definition import Definition
from engine.judging_again import ASKS, DISTINCT, NOT_ALLOWED, NOT_OPEN, Judged, Part, Said, judge_part
from engine.library import Library
from engine.other_rules import under
from engine.records import Moved, Refused
from engine.store.trail import spans
from engine.vocabulary import Fact, Rule
from tests.engine.lab import CHECK, Written, loan, opened, rule, with_loan, working
from tests.engine.town import FIRST, SECOND, THIRD, Town

PAID = rule("fee_owed == 0")
GUARDED: Written = {**CHECK["check"], "guards": ["paid"]}
LOAN = loan({"check": GUARDED})


@contextmanager
def lent(url: str, library: Library) -> Iterator[Town]:
    """Three loans: one was checked, one refused for 3 yuan owed, one checked without a signed form."""
    with working(url, library, [LOAN], paid=PAID) as town:
        town.know(SECOND, fee_owed="3.00")
        town.know(THIRD, form_signed=False)
        cases = [opened(town, "loan", one) for one in (FIRST, SECOND, THIRD)]
        outcomes = [town.decided(case, "check", "approver.s1") for case in cases]
        assert [type(one) for one in outcomes] == [Moved, Refused, Moved]
        town.know(THIRD, form_signed=True)  # afterwards: it must not be taken for what was known then
        town.know(FIRST, fee_owed="9.00")
        yield town


def judged(town: Town, definition: Definition = LOAN, *, parts: int = 1, **rules: Rule) -> Judged:
    """What the decisions would have come to under a definition and rules."""
    other = with_loan(town.desk.library, definition, **rules)
    return judged_under(town, other, [definition], parts=parts)


def judged_under(town: Town, library: Library, procedures: list[Definition], parts: int = 1) -> Judged:
    wanted = under(library, procedures, rules=True)
    done = [judge_part(Part(town.url, span, wanted)) for span in spans(town.connection, parts)]
    return sum(done, Judged())


def told(one: Judged) -> list[tuple[object, ...]]:
    """Each difference: by whom, whether it allows, rules, values, what was folded."""
    return [
        (each.trigger, each.actor, each.allows, each.rules, dict(each.values), each.folded) for each in one.differences
    ]


def test_the_same_rules_make_no_difference(district_url: str, library: Library):
    with lent(district_url, library) as town:
        same = judged(town)
        assert (same.differences, same.open, same.folded) == ((), {}, 0)
        assert same.decisions == _decisions(town)


def _decisions(town: Town) -> int:
    rows = town.connection.execute("SELECT DISTINCT chain FROM event WHERE chain > 0").fetchall()
    events = [one for (chain,) in rows for one in town.events(int(chain))]
    return Counter(one["kind"] in ("opened", "moved", "signed", "refused") for one in events)[True]


def test_a_threshold_that_was_raised_would_have_let_one_through(sqlite_district: str, library: Library):
    with lent(sqlite_district, library) as town:
        would = judged(town, paid=rule("fee_owed <= 5"))
        said = Said("paid", "T-01", "fails", "holds")
        assert told(would) == [("check", "approver.s1", True, (said,), {"fee_owed": "3.00"}, ())]
        [one] = would.differences
        assert (one.workflow, one.role, one.unit, one.seq) == ("loan", "site_approver", "S1", 2)


def test_a_threshold_that_was_lowered_would_have_held_up_those_it_had_let_through(
    sqlite_district: str, library: Library
):
    with lent(sqlite_district, library) as town:
        would = judged(town, paid=rule("fee_owed < 0"))
        said = Said("paid", "T-01", "holds", "fails")
        assert told(would) == [("check", "approver.s1", False, (said,), {"fee_owed": "0.00"}, ())] * 2


def test_a_rule_that_is_added_reads_what_was_known_at_that_time(district_url: str, library: Library):
    with lent(district_url, library) as town:
        more = loan({"check": {**GUARDED, "guards": ["paid", "signed"]}})
        would = judged(town, more, signed=rule("form_signed"))
        said = Said("signed", "T-01", "—", "fails")
        assert told(would) == [
            ("check", "approver.s1", False, (said,), {"form_signed": False}, ("form_signed",)),
        ]
        assert would.folded == 3


def test_a_rule_that_is_taken_away_lets_through_whom_it_held_up(sqlite_district: str, library: Library):
    with lent(sqlite_district, library) as town:
        would = judged(town, loan(CHECK))
        said = Said("paid", "T-01", "fails", "—")
        assert told(would) == [("check", "approver.s1", True, (said,), {"fee_owed": "3.00"}, ())]


def test_a_word_of_the_vocabulary_that_means_something_else_changes_what_its_rules_say(
    sqlite_district: str, library: Library
):
    def owing(text: str) -> Library:
        title = {"zh": "欠费", "en": "owes"}
        fact = Fact.model_validate({"type": "yes_no", "title": title, "derive": text, "source": ["test"]})
        book = library.rulebook
        known = book.vocabulary.model_copy(update={"student": {**book.vocabulary.student, "owes": fact}})
        changed = {"vocabulary": known, "variants": {}}
        return replace(library, rulebook=book.model_copy(update=changed))

    guarded = loan({"check": {**GUARDED, "guards": ["owes-nothing"]}})
    rules = {"owes_nothing": rule("not owes")}
    with working(sqlite_district, owing("fee_owed > 0"), [guarded], **rules) as town:
        town.know(SECOND, fee_owed="3.00")
        for one in (FIRST, SECOND):
            town.decided(opened(town, "loan", one), "check", "approver.s1")
        would = judged_under(town, with_loan(owing("fee_owed > 5"), guarded, **rules), [guarded])
        said = Said("owes-nothing", "T-01", "fails", "holds")
        assert told(would) == [("check", "approver.s1", True, (said,), {"fee_owed": "3.00"}, ())]


def test_a_step_that_is_gone_would_have_been_refused_to_everybody(sqlite_district: str, library: Library):
    with lent(sqlite_district, library) as town:
        would = judged(town, loan({"look": CHECK["check"]}))
        assert [(one.allows, [said.rule for said in one.rules]) for one in would.differences] == [
            (False, [NOT_OPEN])
        ] * 2


@pytest.mark.parametrize(
    ("change", "more", "why"),
    [
        pytest.param({"by": "records_section"}, {}, NOT_ALLOWED, id="another role"),
        pytest.param({"to": "lent"}, {}, NOT_OPEN, id="another state"),
        pytest.param({"applies": "form_signed == false and fee_owed > 100"}, {}, NOT_OPEN, id="it does not apply"),
    ],
)
def test_what_holds_up_a_step_beside_its_rules_is_found(
    sqlite_district: str, library: Library, change: Written, more: Mapping[str, object], why: str
):
    with lent(sqlite_district, library) as town:
        would = judged(town, loan({"check": {**GUARDED, **change}}, **more))
        assert {(one.trigger, one.allows, one.rules[0].rule) for one in would.differences} == {("check", False, why)}
        assert len(would.differences) == 2


def test_two_steps_that_are_kept_apart_would_have_stopped_who_took_both(sqlite_district: str, library: Library):
    both: Mapping[str, Written] = {"check": {**GUARDED, "by": "site_operator"}}
    with working(sqlite_district, library, [loan(both)], paid=PAID) as town:
        case = opened(town, "loan", FIRST)
        assert isinstance(town.decided(case, "check", "operator.s1"), Moved)
        other = with_loan(town.desk.library, apart := loan(both, distinct=[["ask", "check"]]))
        would = judged_under(town, other, [apart])
        assert [(one.trigger, one.rules[0].rule) for one in would.differences] == [("check", DISTINCT)]


def test_what_nobody_was_asked_leaves_the_decision_open_and_is_counted(sqlite_district: str, library: Library):
    with lent(sqlite_district, library) as town:
        fields = {"fields": {"why": {"type": "text", "title": {"zh": "缘由", "en": "Why"}}}}
        would = judged(town, loan({"check": {**GUARDED, "asks": ["why"]}}, **fields))
        assert (would.differences, would.open) == ((), {(ASKS, "why"): 2})


def test_cases_of_others_are_not_folded_and_the_decision_stays_open(sqlite_district: str, library: Library):
    with lent(sqlite_district, library) as town:
        more = loan({"check": {**GUARDED, "guards": ["paid", "first"]}})
        would = judged(town, more, first=rule("not any(others('loan'), it.open)"))
        assert would.differences == ()
        assert list(would.open.values()) == [2]
        [(name, key)] = would.open
        assert (name, key.startswith("any(others")) == ("first", True)


def test_a_personal_value_is_judged_by_and_told_by_its_name_only(sqlite_district: str, library: Library):
    named = loan({"check": {**GUARDED, "guards": ["named"]}})
    with working(sqlite_district, library, [named], named=rule("name == '测试'")) as town:
        town.decided(opened(town, "loan", FIRST), "check", "approver.s1")
        other = with_loan(town.desk.library, named, named=rule("name == '某某'"))
        [one] = judged_under(town, other, [named]).differences
        assert (one.allows, one.values, one.personal) == (False, {}, ("name",))
        town.connection.execute("DELETE FROM personal WHERE chain > 0")
        would = judged_under(town, other, [named])
        assert (would.differences, would.open) == ((), {("named", "name"): 1})


def test_one_batch_alone_can_be_asked_about_and_ranges_add_up(town: Town):
    for trigger, login in (("apply", "operator.s1"), ("site_approve", "approver.s1")):
        assert isinstance(town.take(FIRST, trigger, login), Moved)
    record = town.desk.library.record("online-ed")
    strict = town.desk.library.rulebook.rules["terms-passed"].model_copy(update={"holds": "terms_passed > 5"})
    book = town.desk.library.rulebook
    other = under(
        replace(town.desk.library, rulebook=book.model_copy(update={"rules": {**book.rules, "terms-passed": strict}})),
        [record], rules=True,
    )  # fmt: skip
    [span] = spans(town.connection, 1)
    everything, own, none = (
        judge_part(Part(town.url, span, other, batch)) for batch in (None, "2024-06", "2024-07-open")
    )
    assert own.differences == everything.differences != ()
    assert {one.trigger for one in own.differences} <= {"apply", "site_approve"}
    assert {said.rule for one in own.differences for said in one.rules} == {"terms-passed"}
    assert none.differences == ()
    parts = [judge_part(Part(town.url, part, other)) for part in spans(town.connection, 5)]
    added = sum(parts, Judged())
    assert added.decisions == everything.decisions
    assert sorted(map(repr, added.differences)) == sorted(map(repr, everything.differences))


def test_judging_again_changes_nothing_in_the_database(town: Town):
    counts = town.counts()
    [span] = spans(town.connection, 1)
    judge_part(Part(town.url, span, under(town.desk.library, [], rules=True)))
    assert town.counts() == counts


def test_every_decision_is_told_as_it_was_and_would_be_when_asked_and_only_below_the_units_asked(town: Town):
    for trigger, login in (("apply", "operator.s1"), ("site_approve", "approver.s1")):
        assert isinstance(town.take(FIRST, trigger, login), Moved)
    record = town.desk.library.record("online-ed")
    book = town.desk.library.rulebook
    strict = book.rules["terms-passed"].model_copy(update={"holds": "terms_passed > 5"})
    other = under(
        replace(town.desk.library, rulebook=book.model_copy(update={"rules": {**book.rules, "terms-passed": strict}})),
        [record], rules=True,
    )  # fmt: skip
    [span] = spans(town.connection, 1)
    own, foreign = ((town.desk.units()[code].path,) for code in ("SX", "KF"))
    quiet, told, here, elsewhere = (
        judge_part(Part(town.url, span, other, "2024-06", paths, tells=tells))
        for paths, tells in (((), False), ((), True), (own, True), (foreign, True))
    )
    assert quiet.told == ()
    assert replace(told, told=()) == quiet
    assert len(told.told) == told.decisions
    assert {one.seq: (one.allowed, one.allows) for one in told.told if one.allows is not one.allowed} == {
        one.seq: (True, False) for one in told.differences
    }
    assert here == told
    assert elsewhere == Judged()
