"""The list behind a number: exactly the students it counts, fifty a page, by case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from console.web.batches.counting import Looked
from console.web.batches.wording import Ways, rules_of, stages_of
from console.web.faults import NotFound
from engine.figures import Standing, chosen
from engine.records import case_number, case_of
from engine.store.cases import records_of

PAGE = 50
COLUMNS = ("unit", "state", "lacking")
"""What the list can be put in the order of, beside the case."""


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
    """A page of the list behind a number.

    `previous` and `following` lead to the pages beside it, None where there is none; `query` is what the list is
    exported under; `address` leads to it by case, `by` is the column it is in the order of.
    """

    title: str
    total: int
    first: int
    rows: tuple[Row, ...]
    previous: str | None
    following: str | None
    query: str
    address: str
    by: str

    def sorted_by(self, column: str) -> str:
        """To the list in the order of a column; of the one it is in, the other way round."""
        return f"{self.address}&by={'-' if self.by == column else ''}{column}"

    def order_of(self, column: str) -> str:
        """How the list stands by a column, as `aria-sort` has it."""
        if self.by.removeprefix("-") != column:
            return "none"
        return "descending" if self.by.startswith("-") else "ascending"


def listing(looked: Looked, key: str, after: str, by: str = "") -> Listing:
    """The students a number counts, beginning after a case.

    Args:
        looked: The look at the batch.
        key: The number's name.
        after: The number of a case; empty: from the beginning.
        by: The column they are in the order of, one of `COLUMNS`, with a `-` before it the other way round; empty: by
            case.

    Raises:
        NotFound: If no number has that name.
    """
    by = by if by.removeprefix("-") in COLUMNS else ""
    found = standings_of(looked, key, by)
    start = _start(found, case_of(after.replace("-", "")), is_by_case=not by)
    page, plain = found[start : start + PAGE], Ways(looked=looked).cases(key)
    address = f"{plain}&by={by}" if by else plain
    before = found[start - PAGE - 1] if start > PAGE else None
    return Listing(
        title=title_of(looked, key),
        total=len(found),
        first=start + 1,
        rows=tuple(rows_of(looked, page)),
        previous=None if not start else f"{address}&after={case_number(before.case)}" if before else address,
        following=f"{address}&after={case_number(page[-1].case)}" if len(found) > start + PAGE else None,
        query=f"of={quote(looked.code)}&{address.partition('?')[2]}",
        address=plain,
        by=by,
    )


def _start(found: Sequence[Standing], after: int | None, *, is_by_case: bool) -> int:
    """Where a page begins; who is gone meanwhile is behind one only where the order itself says so."""
    if after is None:
        return 0
    if is_by_case:
        return sum(one.case <= after for one in found)
    return next((place + 1 for place, one in enumerate(found) if one.case == after), 0)


def _in_order(looked: Looked, found: list[Standing], by: str) -> list[Standing]:
    units, road = looked.visit.desk.units(), looked.roll.road
    states = {state: place for place, state in enumerate(road.states)}
    keys: dict[str, Callable[[Standing], tuple[int | str, ...]]] = {
        "unit": lambda one: (units[one.unit].path,),
        "state": lambda one: (states.get(one.state, len(states)), one.state),
        "lacking": lambda one: (len(one.lacking), *one.lacking),
    }
    key = keys.get(by.removeprefix("-"))
    return found if key is None else sorted(found, key=key, reverse=by.startswith("-"))


def standings_of(looked: Looked, key: str, by: str = "") -> list[Standing]:
    """All the students a number counts, by case or in the order of a column.

    Raises:
        NotFound: If no number has that name.
    """
    choice = chosen(key, looked.roll.road)
    if choice is None:
        raise NotFound
    return _in_order(looked, sorted((one for one in looked.counts.seen if choice(one)), key=lambda one: one.case), by)


def rows_of(looked: Looked, page: Sequence[Standing]) -> list[Row]:
    """Some students as the list shows them."""
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
