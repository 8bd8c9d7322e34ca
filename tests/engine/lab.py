"""Small procedures made up for one test, beside the shipped ones: what W-01 does not happen to use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from engine.definition import Definition
from engine.library import Library
from engine.records import Json, Moved
from engine.vocabulary import Rule
from tests.engine.town import FIRST, NOW, SITE_OF, Town, town_at

Written = Mapping[str, object]

STATES: Mapping[str, Written] = {
    "asked": {}, "checked": {}, "shelved": {"rests": True}, "lent": {"final": True},
}  # fmt: skip
OPEN: Mapping[str, Written] = {"ask": {"from": "new", "to": "asked", "by": "site_operator"}}
CHECK: Mapping[str, Written] = {"check": {"from": "asked", "to": "checked", "by": "site_approver"}}
SEND_BACK: Mapping[str, Written] = {
    "send_back": {"from": "checked", "to": ["asked", "shelved"], "kind": "return", "by": "records_section"}
}


def loan(transitions: Mapping[str, Written], **more: object) -> Definition:
    """A procedure for lending a file (档案借阅), opened by `ask` into the state `asked`."""
    file = {
        "workflow": "loan", "procedure": "W-99", "title": {"zh": "档案借阅", "en": "Loan"}, "version": 1,
        "effective_from": "2024-01-01", "profile": "online-ed", "about": ["student"],
        "states": titled(STATES), "transitions": titled({**OPEN, **transitions}),
    }  # fmt: skip
    return Definition.model_validate({**file, **more})


def titled(written: Mapping[str, Written]) -> dict[str, Written]:
    """States or transitions whose names are their titles."""
    return {name: {"title": {"zh": name, "en": name}, **one} for name, one in written.items()}


def rule(holds: str, **more: object) -> Rule:
    """A rule that says its own name."""
    text = {"zh": "不行", "en": "no"}
    return Rule.model_validate(
        {"id": "T-01", "title": text, "holds": holds, "otherwise": text, "source": "test", **more}
    )


def with_loan(library: Library, definition: Definition, **rules: Rule) -> Library:
    """The shipped library with one procedure and some rules more; a name like `a_b` stands for the rule `a-b`."""
    named = {name.replace("_", "-"): one for name, one in rules.items()}
    rulebook = library.rulebook.model_copy(update={"rules": {**library.rulebook.rules, **named}})
    definitions = {**library.definitions, (definition.workflow, definition.profile): definition}
    return replace(library, definitions=definitions, rulebook=rulebook)


@contextmanager
def lending(url: str, library: Library, definition: Definition, **rules: Rule) -> Iterator[tuple[Town, int]]:
    """A desk that also lends, and a loan just asked for by the first student."""
    with town_at(url, with_loan(library, definition, **rules)) as town:
        town.desk.publish(NOW, "setup")
        opened = town.open((definition.workflow, "ask"), FIRST, "operator.s1")
        assert isinstance(opened, Moved), opened
        yield town, opened.case.id


def procedure(workflow: str, transitions: Mapping[str, Written], **more: object) -> Definition:
    """Another procedure beside the loan, with the same states and the same opening, which effects may also use."""
    openings = {"ask": {**OPEN["ask"], "by": ["site_operator", "effect"]}}
    return loan({**openings, **transitions}, workflow=workflow, procedure=f"W-{len(workflow)}", **more)


@contextmanager
def working(url: str, library: Library, definitions: Sequence[Definition], **rules: Rule) -> Iterator[Town]:
    """A desk that also works some made-up procedures."""
    for one in definitions:
        library = with_loan(library, one, **rules)
    with town_at(url, library) as town:
        town.desk.publish(NOW, "setup")
        yield town


def opened(town: Town, workflow: str, student_no: str = FIRST, **fields: Json) -> int:
    """A case just opened by the operator of the student's site."""
    outcome = town.open(
        (workflow, "ask"), student_no, "operator.s2" if SITE_OF[student_no] == "S2" else "operator.s1", **fields
    )
    assert isinstance(outcome, Moved), outcome
    return outcome.case.id
