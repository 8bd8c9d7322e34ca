"""The list behind a number: exactly the students it counts, fifty a page, by case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.web.batches.counting import Looked
from console.web.batches.wording import Ways, rules_of, stages_of
from console.web.faults import NotFound
from engine.figures import Standing, chosen
from engine.records import case_number, case_of
from engine.store.cases import records_of

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One student: who, where, in which state, and what is missing."""

    number: str
    student_no: str
    name: str
    unit: str
    marks: tuple[str, ...]
    state: str
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of the list behind a number; `following` leads to the next page, None on the last."""

    title: str
    total: int
    first: int
    rows: tuple[Row, ...]
    following: str | None


def listing(looked: Looked, key: str, after: str) -> Listing:
    """The students a number counts, beginning after a case.

    Raises:
        NotFound: If no number has that name.
    """
    choice = chosen(key, looked.roll.road)
    if choice is None:
        raise NotFound
    found = sorted((one for one in looked.counts.seen if choice(one)), key=lambda one: one.case)
    since = case_of(after.replace("-", "")) or 0
    rest = [one for one in found if one.case > since]
    page = rest[:PAGE]
    address = Ways(looked=looked).cases(key)
    return Listing(
        title=title_of(looked, key),
        total=len(found),
        first=len(found) - len(rest) + 1,
        rows=tuple(_rows(looked, page)),
        following=f"{address}&after={case_number(page[-1].case)}" if len(rest) > PAGE else None,
    )


def _rows(looked: Looked, page: Sequence[Standing]) -> list[Row]:
    visit, definition, rules = looked.visit, looked.roll.definition, rules_of(looked)
    read = records_of(visit.desk.connection, [one.student for one in page]) if page else []
    found = {one.case.id: one for one in read}
    units = visit.desk.units()
    return [
        Row(
            number=case_number(one.case),
            student_no=found[one.case].student_no or "",
            name=str(found[one.case].facts.get("name") or ""),
            unit=units[one.unit].name,
            marks=tuple(str(value) for value in one.marks.values() if value is not None),
            state=visit.title(definition.states[one.state].title) if one.state in definition.states else one.state,
            lacking=tuple(rules[rule].title if rule in rules else rule for rule in one.lacking),
        )
        for one in page
        if one.case in found
    ]


def title_of(looked: Looked, key: str) -> str:
    """What a number is called, at the head of its list."""
    say, (word, _, of) = looked.visit.say, key.partition(":")
    plain = {
        "expected": say("预毕业"),
        "takers": say("可参加"),
        "filed": say("已申请"),
        "open": say("未申请"),
        "complete": say("条件已齐"),
        "ready": say("漏申请"),
        "unready": say("条件未齐"),
        "sole": say("只差一条"),
        "off": say("不能参加"),
    }
    if not of:
        return plain[word]
    rules, stages = rules_of(looked), {one.state: one.title for one in stages_of(looked)}
    states = {name: looked.visit.title(one.title) for name, one in looked.roll.definition.states.items()}
    if word in ("at", "passed"):
        return stages.get(of) or states.get(of, of)
    rule = rules[of].title if of in rules else of
    kind = {"sole": say("补上就齐"), "fails": say("不符合"), "undecided": say("待定"), "rule": say("不符合或待定")}[
        word
    ]
    return f"{rule}　{kind}"
