"""What the names of an expression mean, for the cases of one workflow as one profile runs it.

Pure and cheap: the checks and the machine build their scopes here, so what checks clean compiles.
A type that is none becomes the kind `unknown`; `engine.checking` says so where it stands.
Source: the definition language, section 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.definition import CANCELLED, NEW, Definition, MachineFile
from engine.expressions.kinds import (
    CODE,
    DATE,
    MOMENT,
    NUMBER,
    TERM,
    TEXT,
    UNKNOWN,
    YES_NO,
    Kind,
    Row,
    Titles,
    decode,
    parse_kind,
    state,
)
from engine.expressions.scope import Scope
from engine.library import Library
from engine.records import Json
from engine.vocabulary import Fact, Table, Vocabulary

FILE_COLUMNS: Mapping[str, Kind] = {
    "kind": TEXT,
    "bytes": NUMBER,
    "width": NUMBER,
    "height": NUMBER,
    "stem": TEXT,
    "orientation": NUMBER,
    "rows": NUMBER,
}
"""What is known of an uploaded file; sizes in bytes and pixels, orientation as in EXIF."""

BUILT_IN = (
    "state",
    "open",
    "unit",
    "batch",
    "opened_on",
    "opened_term",
    "entered_on",
    "rounds",
    "late",
)
"""What every case has besides its fields; `batch` only where the workflow has one."""

_CLOCK: Mapping[str, Kind] = {"today": DATE, "now": MOMENT, "this_term": TERM}


def case_scope(library: Library, definition: Definition, part: str | None = None) -> Scope:
    """The names that rules, dates and values of a case may use.

    Args:
        library: Where the linked workflows, the vocabulary and the documents are found.
        definition: The workflow as one profile runs it.
        part: The list of the workflow that is meant, if it is not the workflow itself.
    """
    library = replace(library, rulebook=library.rulebook_for(definition.profile))
    machine = part_of(definition, part)
    vocabulary = library.rulebook.vocabulary
    facts = _kinds(vocabulary.student) if "student" in machine.about else {}
    neighbours = _Neighbours(library=library, definition=definition, part=part)
    return Scope(
        names={**facts, **_CLOCK},
        groups=_groups(library, definition, machine),
        rows=neighbours,
        choices=choice_titles(vocabulary),
        triggers=tuple(machine.transitions),
        deadlines=tuple(machine.deadlines),
        documents=tuple(library.rulebook.documents),
        states=_states(machine),
        functions=library.functions,
        workflows=tuple(neighbours.names()),
        tables=tuple(vocabulary.tables),
    )


def file_scope(scope: Scope) -> Scope:
    """The names of a rule that is asked of each uploaded file: those of the case, and `file`."""
    return replace(scope, groups={**scope.groups, "file": FILE_COLUMNS})


def batch_scope(vocabulary: Vocabulary, kind: str) -> Scope:
    """The names of the order constraints of a kind of batch: its fields, without a dot."""
    return Scope(names=_kinds(vocabulary.batch[kind].fields), choices=choice_titles(vocabulary))


def part_of(definition: Definition, part: str | None) -> MachineFile:
    """The machine of a workflow, or of one of its lists."""
    return definition if part is None else definition.lists[part]


def batch_kind(machine: MachineFile) -> str | None:
    """The kind of batch a case belongs to: what it is about, else its field named `batch`."""
    about = next((one.removeprefix("batch ") for one in machine.about if one.startswith("batch ")), None)
    field = machine.fields.get("batch")
    if about is None and field is not None and field.type.startswith("batch "):
        return field.type.removeprefix("batch ")
    return about


def choice_titles(vocabulary: Vocabulary) -> Titles:
    """Choice list → code → title by language, as the expression language wants it."""
    return {
        name: {code: {"zh": title.zh, "en": title.en} for code, title in codes.items()}
        for name, codes in vocabulary.choices.items()
    }


def kind_or_unknown(text: str) -> Kind:
    """The kind a type is written for, or `unknown`."""
    try:
        return parse_kind(text)
    except ValueError:
        return UNKNOWN


def typed_rows(table: Table, rows: Iterable[Mapping[str, Json]]) -> tuple[Row, ...]:
    """The rows of a table as values of its columns, for `rows(…)` and `in`; a column a row lacks is missing."""
    kinds = {column: kind_or_unknown(text) for column, text in table.columns.items()}
    return tuple({column: _cell(kind, row.get(column)) for column, kind in kinds.items()} for row in rows)


def _cell(kind: Kind, raw: Json) -> Any:  # noqa: ANN401 JSON becomes a value here
    return None if raw is None else decode(kind, raw)


def case_columns(vocabulary: Vocabulary, machine: MachineFile, name: str = "") -> Mapping[str, Kind]:
    """What is known of a case by itself: its fields, the last reason, what every case has."""
    fields = {field: kind_or_unknown(one.type) for field, one in machine.fields.items()}
    batch = batch_kind(machine)
    columns: dict[str, Kind] = {
        **fields,
        "reason": TEXT,
        "state": state(_states(machine), name),
        "open": YES_NO,
        "unit": Kind(name="unit", of=_unit_kind(machine)),
        "opened_on": DATE,
        "opened_term": TERM,
        "entered_on": DATE,
        "rounds": NUMBER,
        "late": YES_NO,
    }
    if batch is not None and batch in vocabulary.batch:
        columns["batch"] = Kind(name="batch", of=batch)
    return columns


def _kinds(facts: Mapping[str, Fact]) -> dict[str, Kind]:
    return {name: kind_or_unknown(fact.type) for name, fact in facts.items()}


def _states(machine: MachineFile) -> tuple[str, ...]:
    return (*machine.states, CANCELLED, NEW)


def _unit_kind(machine: MachineFile) -> str:
    """The kind of unit a case is about; empty where its unit is its student's."""
    dimensions = (one for one in machine.about if one != "student" and "." not in one and " " not in one)
    return next(dimensions, "")


def _groups(library: Library, definition: Definition, machine: MachineFile) -> Mapping[str, Mapping[str, Kind]]:
    vocabulary = library.rulebook.vocabulary
    unit = {"code": CODE, "name": TEXT, "kind": TEXT, **_kinds(vocabulary.unit)}
    groups: dict[str, Mapping[str, Kind]] = {}
    groups.update(dict.fromkeys(("unit", *library.rulebook.organisation.units), unit))
    groups["case"] = case_columns(vocabulary, machine, definition.workflow)
    record = next((one for one in library.of_profile(definition.profile).values() if one.record), None)
    if record is not None and "student" in machine.about:
        groups["record"] = case_columns(vocabulary, record, record.workflow)
    batch = batch_kind(machine)
    if batch is not None and batch in vocabulary.batch:
        groups["batch"] = _kinds(vocabulary.batch[batch].fields)
    return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class _Neighbours:
    """The columns of `it` for every function that gives rows."""

    library: Library
    definition: Definition
    part: str | None

    def __call__(self, function: str, argument: str) -> Mapping[str, Kind] | None:
        match function:
            case "cases" | "others":
                return self._related(argument)
            case "members":
                gathered = part_of(self.definition, self.part).members
                return self._related(gathered.of) if gathered else None
            case "same_person":
                record = {"record_state": state(self._record_states())}
                return {**_kinds(self.library.rulebook.vocabulary.student), **record}
            case "rows":
                return self._table(argument)
            case _:
                return None

    def _table(self, name: str) -> Mapping[str, Kind] | None:
        table = self.library.rulebook.vocabulary.tables.get(name)
        if table is None:
            return None
        return {column: kind_or_unknown(one) for column, one in table.columns.items()}

    def names(self) -> Iterator[str]:
        """Every workflow, list and family of this profile."""
        for name, one in self._shelf().items():
            yield name
            yield from (f"{name}.{part}" for part in one.lists)
        yield from {one.family for one in self._shelf().values() if one.family}

    def _shelf(self) -> Mapping[str, Definition]:
        own = {self.definition.workflow: self.definition}
        return {**self.library.of_profile(self.definition.profile), **own}

    def _related(self, argument: str) -> Mapping[str, Kind] | None:
        found = tuple(machines_called(argument, self._shelf()))
        if not found:
            return None
        columns: dict[str, Kind] = {"number": CODE}  # first: it is what a sentence calls the case by
        vocabulary = self.library.rulebook.vocabulary
        for machine in found:
            if "student" in machine.about:
                columns.update(_kinds(vocabulary.student))
            columns.update(case_columns(vocabulary, machine, argument))
        return {**columns, "state": state(_all_states(found), argument)}

    def _record_states(self) -> tuple[str, ...]:
        return _all_states(one for one in self._shelf().values() if one.record)


def machines_called(name: str, shelf: Mapping[str, Definition]) -> Iterator[MachineFile]:
    """The machines a workflow's name, a family's name or `WORKFLOW.LIST` stands for."""
    workflow, _, part = name.partition(".")
    if part:
        found = shelf.get(workflow)
        if found is not None and part in found.lists:
            yield found.lists[part]
    elif workflow in shelf:
        yield shelf[workflow]
    else:
        yield from (one for one in shelf.values() if one.family == name)


def _all_states(machines: Iterable[MachineFile]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for machine in machines for word in _states(machine)))
