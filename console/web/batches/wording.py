"""What a batch page calls things: stages, who is waited for, rules and who mends them; and where numbers lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from console.web.batches.counting import Looked
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.store.registry import BatchRow
from engine.vocabulary import Rule

_LONGEST_KIND = 4
"""Characters of a kind of unit that still make the head of a column."""


_TOKENS = ("chart-1", "chart-2", "chart-3", "chart-4", "chart-5")


class Stage(NamedTuple):
    """A state of the road: what it is called, who is waited for in it (empty: nobody), and its colour by token."""

    state: str
    title: str
    waits: str
    token: str


def stages_of(looked: Looked) -> tuple[Stage, ...]:
    """The states of the road after the application, in order."""
    visit, definition = looked.visit, looked.roll.definition
    return tuple(
        Stage(
            state,
            visit.title(definition.states[state].title),
            _waited_for(looked, state),
            _TOKENS[min(place, len(_TOKENS) - 1)],
        )
        for place, state in enumerate(looked.roll.road.stages)
    )


def _waited_for(looked: Looked, state: str) -> str:
    """Who takes the step that leads on, by the kind of unit where they sit: the teaching point, the province."""
    road, book = looked.roll.road, looked.machine.book.organisation
    if state not in road.waiting:
        return ""
    following = road.stages[road.stages.index(state) + 1]
    onward = (one for one in looked.roll.definition.transitions.values() if state in one.origins)
    step = next((one for one in onward if following in one.targets), None)
    role = book.roles.get(step.by[0].role) if step is not None and step.by else None
    if role is None:
        return ""
    kinds = [book.units[kind].title for kind in role.held_at]
    fits = len(kinds) == 1 and len(kinds[0].zh) <= _LONGEST_KIND
    return looked.visit.title(kinds[0] if fits else role.title)


def title_of(visit: Visit, row: BatchRow) -> str:
    """What a batch is called: in both languages where its file is still there, else as it was published."""
    known = visit.desk.library.batches.get(row.name)
    return row.title if known is None else visit.title(known.title)


class RuleWords(NamedTuple):
    """A rule in words: its id, title, who mends it (a role, empty: nobody) and how, and its clauses."""

    id: str
    title: str
    role: str
    who: str
    how: Bilingual | None
    clauses: tuple[str, ...]


def rules_of(looked: Looked) -> Mapping[str, RuleWords]:
    """The rules one applies under, by id, in the order they are asked."""
    step = looked.machine.step_anywhere(looked.roll.trigger)
    return {guard.id: _words(looked, guard.id, guard.rule) for guard in step.guards[: step.unless_from]}


def _words(looked: Looked, rule: str, text: Rule) -> RuleWords:
    visit, roles = looked.visit, looked.machine.book.organisation.roles
    by = "" if text.remedy is None else text.remedy.by
    return RuleWords(
        id=rule,
        title=rule if text.title is None else visit.title(text.title),
        role=by,
        who=visit.say("学生") if by == "student" else visit.title(roles[by].title) if by in roles else "",
        how=text.remedy,
        clauses=text.source,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Where the numbers, heads and links of a batch lead; what the address has narrowed stays so."""

    looked: Looked

    @property
    def name(self) -> str:
        """What the batch is called."""
        return title_of(self.looked.visit, self.looked.roll.batch)

    def _to(self, place: str, **changes: str) -> str:
        return f"/batches/{quote(self.looked.code)}{place}{self.looked.narrowing.query(**changes)}"

    def cases(self, key: str, unit: str | None = None) -> str:
        """To the list of exactly the students that a number counts."""
        return self._to("/cases", key=key, sort="", **({} if unit is None else {"unit": unit}))

    def page(self, **changes: str) -> str:
        """To the page of the batch, narrowed otherwise."""
        return self._to("", **changes)

    def table(self, table: str, ending: str = "") -> str:
        """To a table as a page, or with `.xlsx` as a workbook."""
        return self._to(f"/table/{table}{ending}")

    def apply(self) -> str:
        """To the filing for all who may apply and have not."""
        return self._to("/apply", sort="")

    def nudge(self, unit: str | None = None) -> str:
        """To the choice of those to be urged."""
        return f"/nudge{self.looked.narrowing.query(sort='', **({} if unit is None else {'unit': unit}))}"

    def sorted_by(self, column: str) -> str:
        """To the page with the units in the order of a column; of the column they are in, the other way round."""
        is_in_it = self.looked.narrowing.sort == column
        return self.page(sort=f"-{column}" if is_in_it else column) + "#units"

    def order_of(self, column: str) -> str:
        """How the units stand by a column, as `aria-sort` has it."""
        sort = self.looked.narrowing.sort
        if sort.removeprefix("-") != column:
            return "none"
        return "descending" if sort.startswith("-") else "ascending"


class Filter(NamedTuple):
    """One fact the figures can be narrowed by: what is chosen (empty: nothing), every choice, and how to drop it."""

    title: str
    chosen: str
    choices: tuple[tuple[str, str], ...]
    without: str


def filters_of(looked: Looked) -> tuple[Filter, ...]:
    """What the figures can be narrowed by; a fact all have in common is none."""
    ways, facts = Ways(looked=looked), looked.machine.book.vocabulary.student
    found = []
    for name, values in looked.counts.marks.items():
        chosen = looked.narrowing.marks.get(name, "")
        title = looked.visit.title(facts[name].title) if name in facts else name
        choices = tuple((value, ways.page(**{name: value})) for value in values)
        if len(values) > 1 or chosen:
            found.append(Filter(title, chosen, choices, ways.page(**{name: ""})))
    return tuple(found)
