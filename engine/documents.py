"""Documents of a case, judged: what an uploaded file must satisfy, what is missing, what a reviewer has to tick.

Pure: rows and values are passed in. Attaching is `engine.attaching`, making a form is `engine.issuing`.

Source: the definition language, sections 5 (needs, reviews), 10 (documents, `of: file`) and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from engine.definition import Bilingual, Transition
from engine.errors import Unknown
from engine.expressions.functions import DOCUMENT_ANSWERS, DOCUMENT_ROWS
from engine.expressions.kinds import Row, Value
from engine.expressions.scalars import Scalar
from engine.guards import Guard, compile_guard, explain, flatten
from engine.records import Json, Outcome, Verdict
from engine.scopes import file_scope
from engine.steps import Machine
from engine.store.documents import DocumentRow
from engine.vocabulary import Document

FILE = "file."
"""What the values of a file are called by in a rule."""

See = Callable[[Sequence[str], Sequence[str]], Mapping[str, Json]]
"""Looks up values by key, `engine.machine.Sight.see`: facts of the student, then everything else."""

_FUNCTIONS = frozenset({*DOCUMENT_ANSWERS, *DOCUMENT_ROWS})
_NAMED_BY = (("student_no",), ("id_number",), ("exam_no",), ("certificate_no",), ("registration_no",))
_NAMED_WITH_NAME = (("student_no", "name"), ("registration_no", "name"))
"""By what a list or a package may name people: an identifier, or it and the name in one (S001-I-5.10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as handed in, with what its bytes say of it.

    `kind` is what the bytes are, whatever the name claims; `stem` the name without its ending, in NFC; `size` in
    bytes, `width` and `height` in pixels as stored, `orientation` as in EXIF (1: upright), `rows` those of a sheet
    below its header. `listed` holds, for a sheet or a package, each complete list of identifiers found in it.
    """

    kind: str
    stem: str
    size: int
    sha256: str
    body: bytes = field(repr=False)
    width: int | None = None
    height: int | None = None
    orientation: int | None = None
    rows: int | None = None
    listed: tuple[tuple[str, ...], ...] = ()

    @property
    def open_looks(self) -> dict[str, Json]:
        """What may stand in an event: nothing that names anybody."""
        looks: dict[str, Json] = {
            "kind": self.kind,
            "bytes": self.size,
            "width": self.width,
            "height": self.height,
            "orientation": self.orientation,
            "rows": self.rows,
        }
        return {name: value for name, value in looks.items() if value is not None}

    @property
    def personal_looks(self) -> dict[str, Json]:
        """What names people, and is sealed: the file's name, and whom it lists."""
        listed: dict[str, Json] = {"listed": [list(one) for one in self.listed]} if self.listed else {}
        return {"stem": self.stem, **listed}

    @property
    def looks(self) -> dict[str, Json]:
        """Everything that is kept with the document."""
        return {**self.open_looks, **self.personal_looks}


def asked_by(machine: Machine) -> tuple[str, ...]:
    """The documents that cases of a definition have a place for: in a step, at a signature, or read by a rule."""
    named = [kind for one in machine.definition.transitions.values() for kind in _named_by(one)]
    timed = (one for name in machine.definition.deadlines for one in machine.deadline(name).expressions)
    readings = (*machine.readings.values(), *(reading for one in timed for reading in one.readings))
    sources = (source for reading in readings for source in reading.sources)
    read = [source.argument for source in sources if source.function in _FUNCTIONS]
    return tuple(dict.fromkeys((*named, *read)))


def _named_by(one: Transition) -> Iterator[str]:
    yield from one.needs
    yield from one.reviews
    for slot in one.sign.slots.values() if one.sign else ():
        yield from slot.needs


def document_of(machine: Machine, kind: str) -> Document:
    """A document of the rulebook, as the case's profile has it.

    Raises:
        Unknown: If there is none of that name.
    """
    document = machine.book.documents.get(kind)
    if document is None:
        raise Unknown("材料 document", kind, asked_by(machine))
    return document


def titled(title: Bilingual) -> str:
    """A document or a tick by its title, for a sentence in either language."""
    return title.zh if title.zh == title.en else f"{title.zh} {title.en}"


class FileHearing(NamedTuple):
    """What the rules of a document said of one file: each by name, those that refuse in full, and what they read."""

    said: Mapping[str, Json]
    refusing: tuple[Verdict, ...]
    seen: Mapping[str, Json]


def hear_file(machine: Machine, kind: str, looks: Mapping[str, Json], see: See) -> FileHearing:
    """Ask every rule of a document of one file; none is skipped.

    Args:
        machine: The definition under the rulebook the case is judged by.
        kind: The document the file is handed in as.
        looks: What is known of the file (`Upload.looks`, or the row's).
        see: Looks up what the rules read of student and case.
    """
    guards = _file_guards(machine, kind)
    seen = _seen(machine, guards, see)
    known: dict[str, Value | None] = {**machine.decoded(seen), **_file_values(looks)}
    outcomes = [Outcome(guard.ask(*[known.get(key) for key in guard.reads])) for guard in guards]
    asked = list(zip(guards, outcomes, strict=True))
    return FileHearing(
        said={guard.name: outcome.word for guard, outcome in asked},
        refusing=tuple(explain(guard, outcome, known, machine.readers) for guard, outcome in asked if outcome.refuses),
        seen={key: value for key, value in seen.items() if value is not None},
    )


@lru_cache(maxsize=1024)
def _file_guards(machine: Machine, kind: str) -> tuple[Guard, ...]:
    """The rules of a document, compiled once for a machine; what they read joins the readings the machine knows."""
    rules, scope = machine.book.rules, file_scope(machine.scope)
    names = flatten(document_of(machine, kind).rules, rules)
    guards = tuple(compile_guard(name, rules[name], scope, machine.derived) for name in names)
    expressions = [each for guard in guards for each in (*guard.expressions, *guard.shown.values())]
    machine.readings |= {reading.key: reading for each in expressions for reading in each.readings}
    return guards


def _seen(machine: Machine, guards: Sequence[Guard], see: See) -> Mapping[str, Json]:
    """What rules and their sentences read besides the file."""
    shown = [key for guard in guards for each in guard.shown.values() for key in each.reads]
    reads = dict.fromkeys([*(key for guard in guards for key in guard.reads), *shown])
    keys = [key for key in reads if not key.startswith(FILE)]
    if not keys:
        return {}
    facts = [key for key in keys if key in machine.stored]
    return see(facts, [key for key in keys if key not in machine.stored])


def _file_values(looks: Mapping[str, Json]) -> dict[str, Value | None]:
    return {f"{FILE}{name}": value for name, value in looks.items() if isinstance(value, str | int)}


def missing(machine: Machine, needed: Sequence[str], on_case: Sequence[DocumentRow], see: See) -> list[Verdict]:
    """What a step that `needs` documents has against those on the case: absent ones, and files not in order now.

    The rules are asked again, of what is known today: a name may have changed since the file was handed in.
    """
    absent = [kind for kind in needed if not of_kind(on_case, kind)]
    found: list[Verdict] = []
    if absent:
        what = "、".join(titled(document_of(machine, kind).title) for kind in absent)
        found.append(machine.engine_verdict("document-missing", what=what))
    for kind in needed:
        for row in of_kind(on_case, kind):
            if row.sha256 is not None:
                found += hear_file(machine, kind, row.looks, see).refusing
    return found


def unticked(
    machine: Machine, reviews: Sequence[str], on_case: Sequence[DocumentRow], given: Mapping[str, bool]
) -> list[Verdict]:
    """What a step that `reviews` documents has against the ticks given with it, by `KIND.tick`.

    Every tick of every document that is on the case is given, and with yes. Whether a document must be there is for
    `needs` and the rules to say: who does not need it has nothing to tick.

    Raises:
        Unknown: If a tick is given that no reviewed document has.
    """
    titles = {name: title for kind in reviews for name, title in ticks_of(machine, kind).items()}
    for name in given:
        if name not in titles:
            raise Unknown("勾选项 tick", name, titles)
    asked = [name for kind in reviews if of_kind(on_case, kind) for name in ticks_of(machine, kind)]
    open_ones = [titled(titles[name]) for name in asked if name not in given]
    denied = [titled(titles[name]) for name in asked if given.get(name) is False]
    found = []
    if open_ones:
        found.append(machine.engine_verdict("ticks-missing", what="、".join(open_ones)))
    if denied:
        found.append(machine.engine_verdict("tick-denied", what="、".join(denied)))
    return found


def ticks_of(machine: Machine, kind: str) -> dict[str, Bilingual]:
    """The ticks of a document by the name a request gives them, `KIND.tick`."""
    return {f"{kind}.{tick}": title for tick, title in document_of(machine, kind).ticks.items()}


def ticked(machine: Machine, reviews: Sequence[str], on_case: Sequence[DocumentRow]) -> dict[str, Json]:
    """What the event of a reviewing step says, `KIND.tick` by `KIND.tick`; a document without ticks stands alone."""
    kinds = [kind for kind in reviews if of_kind(on_case, kind)]
    return {name: True for kind in kinds for name in (ticks_of(machine, kind) or (kind,))}


def marks(ticks: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """The ticks of an event, by document: what is kept with its rows."""
    found: dict[str, dict[str, Json]] = {}
    for name, value in ticks.items():
        kind, _, tick = name.partition(".")
        found.setdefault(kind, {}).update({tick: value} if tick else {})
    return found


# --- what rules may ask -------------------------------------------------------------------------


def of_kind(on_case: Sequence[DocumentRow], kind: str) -> list[DocumentRow]:
    """The documents of a kind that are on the case."""
    return [row for row in on_case if row.kind == kind and not row.withdrawn]


def has(on_case: Sequence[DocumentRow], kind: str) -> bool:
    """Whether there is one."""
    return bool(of_kind(on_case, kind))


def reviewed(on_case: Sequence[DocumentRow], kind: str) -> bool:
    """Whether there is one, and somebody has looked at every one of them since it was added."""
    rows = of_kind(on_case, kind)
    return bool(rows) and all(row.ticks is not None for row in rows)


def same_students(on_case: Sequence[DocumentRow], kind: str, people: Sequence[Row]) -> bool | None:
    """Whether a list or a package names exactly these people, each once; None where it names nobody.

    A file may list people more than once (the pictures of a package, and the sheet beside them): each list is held
    against the people by itself.
    """
    rows = of_kind(on_case, kind)
    if not rows:
        return False
    lists = [listed for row in rows for listed in _lists(row)]
    if not lists:
        return None
    return all(_names(listed, people) for listed in lists)


def _lists(row: DocumentRow) -> Iterator[Sequence[Json]]:
    listed = row.looks.get("listed")
    if isinstance(listed, Sequence):
        yield from (one for one in listed if isinstance(one, Sequence))


def _names(listed: Sequence[Json], people: Sequence[Row]) -> bool:
    names = sorted(map(str, listed))
    return any(
        names == sorted("".join(str(one.get(key) or "") for key in keys) for one in people)
        for keys in (*_NAMED_BY, *_NAMED_WITH_NAME)
    )


def empty_fields(machine: Machine, kind: str, row: Row) -> tuple[Row, ...]:
    """The columns of a form that have no value yet, by title; `row` is what the form would be made from."""
    columns = document_of(machine, kind).columns
    return tuple({"name": column_title(machine, name)} for name in columns if row.get(name) in (None, ""))


def differing_fields(
    machine: Machine, on_case: Sequence[DocumentRow], kind: str, row: Mapping[str, Json]
) -> tuple[Row, ...]:
    """The columns in which the form last made differs from what is known now; none where none was made.

    Args:
        machine: The definition under the rulebook the case is judged by.
        on_case: The documents of the case.
        kind: The form.
        row: What the form would be made from now, as JSON.
    """
    made = next((one.made for one in reversed(of_kind(on_case, kind)) if one.made is not None), None)
    if made is None:
        return ()
    columns, rows = made["columns"], made["rows"]
    if not isinstance(columns, Sequence) or not isinstance(rows, Sequence) or not rows:
        return ()
    pairs = zip(map(str, columns), rows[0] if isinstance(rows[0], Sequence) else (), strict=True)
    return tuple(
        {"name": column_title(machine, name), "expected": _word(row.get(name)), "found": _word(value)}
        for name, value in pairs
        if value != row.get(name)
    )


def _word(value: Json) -> Scalar | None:
    return None if value is None else str(value)


def column_title(machine: Machine, name: str) -> str:
    """How a column of a form is headed."""
    title = machine.readers.titles.get(name) or machine.readers.titles.get(f"case.{name}")
    return name if title is None else title.zh
