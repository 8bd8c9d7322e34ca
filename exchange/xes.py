"""XES: an event log for process mining, written case by case, never held whole.

Source: IEEE 1849-2016 (XES) with its extensions concept, time, lifecycle and org; what only we know has the prefix
`xueji`. The order of what stands in a log is the schema's: extensions, globals, classifiers, attributes, traces.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from engine.definition import Definition
from engine.records import case_number
from engine.store.process_logs import LoggedCase
from engine.trail.event import EventKind
from exchange.process_logs import Counted, Happening, Reading, Sink

_NAMESPACE = "http://www.xes-standard.org/"
_EXTENSIONS = (
    ("Concept", "concept", f"{_NAMESPACE}concept.xesext"),
    ("Time", "time", f"{_NAMESPACE}time.xesext"),
    ("Lifecycle", "lifecycle", f"{_NAMESPACE}lifecycle.xesext"),
    ("Organizational", "org", f"{_NAMESPACE}org.xesext"),
    ("Xueji", "xueji", "urn:xueji:xes:1"),
)
_CLASSIFIERS = (("Step", "concept:name"), ("Title", "xueji:title"), ("Resource", "org:resource"))
_EVERY_EVENT = (
    "concept:name", "lifecycle:transition", "org:resource", "org:role", "org:group", "xueji:title", "xueji:title_en",
)  # fmt: skip
_MISSING = "—"
_LIFECYCLE: Mapping[EventKind, str] = {EventKind.REFUSED: "ate_abort"}
"""The standard model's word for what was tried and not done; everything else is `complete`."""
_IN_XML: Mapping[int, str] = {
    **dict.fromkeys((*range(0x9), 0xB, 0xC, *range(0xE, 0x20), 0xFFFE, 0xFFFF), "\N{REPLACEMENT CHARACTER}"),
    **{ord(letter): f"&#{ord(letter)};" for letter in '&<>"\t\n\r'},
}
"""How letters that mean something in XML are written, and what stands for those it has no place for."""


def write_xes(
    file: Sink, log: Mapping[str, str], reading: Reading, events: Iterable[tuple[LoggedCase, bytes]]
) -> Counted:
    """Write a log: a trace for each case, in it an event for each step taken, in the order they came.

    Args:
        file: Where to; gzip is the caller's (`opened_for`).
        log: What is said of the whole log, by key with its prefix.
        reading: How events become lines.
        events: Events with their cases, those of a case together.
    """
    file.write(_head(log).encode())
    cases = lines = 0
    for case, many in groupby(events, key=lambda one: one[0]):
        happenings = [one for _, body in many if (one := reading.read(case, body)) is not None]
        file.write("".join(_trace(case, reading, happenings)).encode())
        cases += 1
        lines += len(happenings)
    file.write(b"</log>\n")
    return Counted(cases=cases, events=lines)


@contextmanager
def opened_for(path: Path, part: Path) -> Iterator[Sink]:
    """Open `part` for writing what will be called `path`: gzipped where that name ends in .gz."""
    with part.open("wb") as raw:
        if path.suffix != ".gz":
            yield raw
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
            yield packed


def _head(log: Mapping[str, str]) -> str:
    """Everything before the first trace."""
    every_event = "".join(_text(key, _MISSING) for key in _EVERY_EVENT)
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            f'<log xes.version="1849.2016" xes.features="" xmlns="{_NAMESPACE}">\n',
            *(f'<extension name="{name}" prefix="{prefix}" uri="{uri}"/>\n' for name, prefix, uri in _EXTENSIONS),
            f'<global scope="trace">\n{_text("concept:name", _MISSING)}</global>\n',
            f'<global scope="event">\n{every_event}{_date("1970-01-01T00:00:00.000000Z")}</global>\n',
            *(f'<classifier name="{name}" scope="event" keys="{key}"/>\n' for name, key in _CLASSIFIERS),
            *(_text(key, value) for key, value in {"lifecycle:model": "standard", **log}.items()),
        )
    )


def _trace(case: LoggedCase, reading: Reading, happenings: Iterable[Happening]) -> Iterator[str]:
    yield "<trace>\n"
    for key, value in _told_of(case, reading.definitions[case.shape]):
        yield _text(key, value)
    if case.student is not None:
        yield _text("xueji:student", reading.pseudonyms.student(case.student, case.student_no))
    for one in happenings:
        yield "<event>\n"
        yield from _event(one)
        yield "</event>\n"
    yield "</trace>\n"


def _event(one: Happening) -> Iterator[str]:
    yield _text("concept:name", one.step)
    yield _date(one.at)
    yield _text("lifecycle:transition", _LIFECYCLE.get(one.kind, "complete"))
    yield _text("org:resource", one.resource)
    yield _text("org:role", one.role or _MISSING)
    yield _text("org:group", one.unit or _MISSING)
    yield _text("xueji:title", one.title.zh)
    yield _text("xueji:title_en", one.title.en)
    yield _text("xueji:kind", one.kind.value)
    yield f'<int key="xueji:seq" value="{one.seq}"/>\n'
    yield _text("xueji:from", one.origin)
    yield _text("xueji:to", one.target)
    for name, value in one.more.items():
        yield _text(f"xueji:{name}", value)


def _text(key: str, value: str) -> str:
    return f'<string key="{key}" value="{value.translate(_IN_XML)}"/>\n'


def _date(at: str) -> str:
    return f'<date key="time:timestamp" value="{at}"/>\n'


def _told_of(case: LoggedCase, definition: Definition) -> Iterator[tuple[str, str]]:
    """What a trace says of its case beside the student."""
    yield "concept:name", case_number(case.id)
    yield "xueji:workflow", case.workflow
    yield "xueji:procedure", definition.procedure
    yield "xueji:profile", definition.profile
    yield "xueji:version", str(definition.version)
    yield "xueji:definition", case.shape
    yield "xueji:unit", case.unit
    if case.batch is not None:
        yield "xueji:batch", case.batch
    yield "xueji:state", case.state
    yield "xueji:final", "true" if definition.is_final(case.state) else "false"
