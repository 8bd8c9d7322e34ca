"""Strict YAML 1.2: text to a tree of places, and what it will not read.

Refused: duplicate keys, anchors, aliases, tags, merge keys, directives, a second document, empty
values, every boolean but `true` and `false`, characters that only YAML 1.1 takes for the end of a line.
Codes keep their leading zeros; dates and clocks stay text until a model asks for them.
Only libyaml's events are used, which know no kinds of values: where YAML 1.1 and 1.2 part, these rules decide.
Source: the definition language, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import cast

import yaml
from yaml.error import Mark, MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from engine.errors import Fault
from engine.loading.nodes import Node, Place
from engine.loading.positions import Finding, placed

MAX_CHARACTERS = 2_000_000
MAX_DEPTH = 40

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z", re.ASCII)
_CONSTANTS = {"true": True, "false": False, "null": None}
_LOOKALIKES = frozenset({"yes", "no", "on", "off", "y", "n", "~", "true", "false", "null"})
"""Words that YAML readers have disagreed about; neither keys nor bare values of the language."""

_HIDDEN = re.compile("[\x85\u2028\u2029\ud800-\udfff]")
"""Ends of lines in YAML 1.1 only, which no editor shows, and halves of characters."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml, eight times as fast; a PyYAML built without it reads the same."""

_QUOTE_IT = " A text or expression inside {…} or […] must be quoted when it has a comma, bracket or quote."


def _is_empty(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and not event.style and event.value == ""


@dataclass(slots=True)
class _Reader:
    """One pass over the events of one file; faults are collected, never raised."""

    file: str
    lines: tuple[str, ...]
    events: Iterator[Event]
    faults: list[Fault] = field(default_factory=list)

    def report(self, place: Place, code: str, message: str) -> None:
        finding = Finding(code=code, message=message)
        self.faults.append(placed(finding, place, {self.file: self.lines}))

    def place(self, event: Event) -> Place:
        mark = cast("Mark", event.start_mark)  # only events made by hand have none
        return Place(file=self.file, line=mark.line + 1, column=mark.column + 1)

    def document(self) -> Node | None:
        """The tree of the only document."""
        root = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if event.version or event.tags:
                    self.report(self.place(event), "syntax", "YAML directives are not used here.")
                if root is not None:
                    self.report(self.place(event), "syntax", "One file holds one document.")
            elif isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent):
                root = self.node(event, 0)
        return root

    def node(self, event: Event, depth: int) -> Node:
        """The value that begins with an event, whatever it is."""
        place = self.place(event)
        self.refuse_extras(event, place)
        if depth > MAX_DEPTH:
            self.report(place, "syntax", f"Nested deeper than {MAX_DEPTH} levels.")
        if isinstance(event, MappingStartEvent):
            return self.mapping(place, depth)
        if isinstance(event, SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(event := next(self.events), SequenceEndEvent):
                if _is_empty(event):
                    self.report(
                        self.place(event),
                        "syntax",
                        "Nothing stands here: write null if that is meant.",
                    )
                items.append(self.node(event, depth + 1))
            return Node(place=place, value=tuple(items))
        return self.scalar(event, place)

    def refuse_extras(self, event: Event, place: Place) -> None:
        if isinstance(event, AliasEvent):
            self.report(place, "syntax", f"No aliases (*{event.anchor}): write it out.")
        elif getattr(event, "anchor", None):
            self.report(place, "syntax", "No anchors (&): write it out where it is meant.")
        elif getattr(event, "tag", None):
            self.report(place, "syntax", "No tags (!): the language knows what each key holds.")

    def mapping(self, place: Place, depth: int) -> Node:
        """Keys and values up to the end of the mapping; of a key that stands twice the first counts."""
        value: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            where = self.place(event)
            key = self.key(event, where, depth)
            event = next(self.events)
            if _is_empty(event):
                message = f"'{key}' has no value: write null if that is meant.{_QUOTE_IT}"
                self.report(where, "syntax", message)
            entry = self.node(event, depth + 1)
            if key is None:
                continue
            if key in value:
                self.report(where, "twice", f"'{key}' stands twice, first in line {keys[key].line}.")
            else:
                value[key], keys[key] = entry, where
        return Node(place=place, value=value, keys=keys)

    def key(self, event: Event, place: Place, depth: int) -> str | None:
        """A key, or None where something stands that can be none."""
        if not isinstance(event, ScalarEvent):
            self.node(event, depth)
            self.report(place, "syntax", "A key is one word." + _QUOTE_IT)
            return None
        self.refuse_extras(event, place)
        text = str(event.value)
        if not event.style and (text.lower() in _LOOKALIKES or text in {"<<", ""}):
            self.report(
                place,
                "syntax",
                f"'{text}' cannot be a key: there are no merge keys or truth values here.",
            )
        return text

    def scalar(self, event: Event, place: Place) -> Node:
        """A text, number, truth value or null; what other YAML would read as a truth value is refused."""
        text = str(getattr(event, "value", ""))
        style = getattr(event, "style", None)
        if style:
            return Node(place=place, value=text, inset=1 if style in {"'", '"'} else 0)
        if text in _CONSTANTS:
            return Node(place=place, value=_CONSTANTS[text])
        if text.lower() in _LOOKALIKES:
            self.report(
                place,
                "syntax",
                f"'{text}' is no value here: write true, false, null or a quoted text.",
            )
        return Node(place=place, value=int(text) if _INTEGER.match(text) else text)


def read_text(text: str, file: str) -> tuple[Node | None, tuple[Fault, ...]]:
    """The tree of a file, and every fault of its text; no tree if it cannot be read to its end."""
    lines = tuple(text.splitlines())
    start = Place(file=file, line=1, column=1)
    reader = _Reader(file, lines, iter(()))
    if len(text) > MAX_CHARACTERS:
        reader.report(start, "syntax", f"Longer than {MAX_CHARACTERS} characters.")
        return None, tuple(reader.faults)
    if hidden := _HIDDEN.search(text):
        before = text[: hidden.start()].split("\n")
        place = replace(start, line=len(before), column=len(before[-1]) + 1)
        reader.report(place, "syntax", f"U+{ord(hidden[0]):04X} cannot be seen and is refused: remove it.")
        return None, tuple(reader.faults)
    root = None
    try:
        reader.events = yaml.parse(text, Loader=_Loader)
        root = reader.document()
    except YAMLError as error:
        why = _explained(text) or error
        reader.report(_place_of(why, start), "syntax", _sentence(why))
        return None, tuple(reader.faults)
    if root is None:
        reader.report(start, "syntax", "The file is empty.")
    return root, tuple(reader.faults)


def _explained(text: str) -> YAMLError | None:
    """Why a text is not YAML, in the words of the slower parser: it says what stands there instead."""
    try:
        for _ in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
    except YAMLError as error:
        return error
    return None


def _place_of(error: YAMLError, start: Place) -> Place:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    return replace(start, line=mark.line + 1, column=mark.column + 1) if mark else start


def _sentence(error: YAMLError) -> str:
    if not isinstance(error, MarkedYAMLError):
        return str(error).splitlines()[0]
    context = f"{error.context}: " if error.context else ""
    hint = _QUOTE_IT if "flow" in context or "mapping values" in str(error.problem) else ""
    return f"Not YAML: {context}{error.problem}.{hint}"
