"""The file of a batch, written as one would by hand: what it is, then the values of its kind, a line each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from engine.definition import Bilingual
from engine.records import Json

_PLAIN = re.compile(r"[0-9]{4}-([0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2})?|[12])")
"""Days, moments and terms stand without quotes, as in the files that are shipped."""


class BatchHead(NamedTuple):
    """What a batch is: its name, kind and profile, words of the definitions all three; whose it is and where from."""

    batch: str
    kind: str
    profile: str
    title: Bilingual
    source: Sequence[str]
    units: Sequence[str]


def batch_text(head: BatchHead, values: Mapping[str, Json]) -> str:
    """The text of a batch file.

    Args:
        head: What it is; `units` ("all",) for everybody.
        values: By field, as a person writes them: 2025-05-13, 2025-05-13T17:00, numbers, lists; None is open.
    """
    return "".join(f"{line}\n" for line in _lines(head, values))


def _lines(head: BatchHead, values: Mapping[str, Json]) -> Iterator[str]:
    yield f"batch: {head.batch}"
    yield f"kind: {head.kind}"
    yield f"title: {{zh: {_scalar(head.title.zh)}, en: {_scalar(head.title.en)}}}"
    yield f"profile: {head.profile}"
    if head.source:
        yield f"source: {_row(head.source)}"
    yield "units: all" if tuple(head.units) == ("all",) else f"units: {_row(head.units)}"
    for name, value in values.items():
        if isinstance(value, list) and value:
            yield f"{name}:"
            yield from (f"  - {_row(one) if isinstance(one, list) else _scalar(one)}" for one in value)
        else:
            yield f"{name}: {_scalar(value)}"


def _row(some: Sequence[Json]) -> str:
    return f"[{', '.join(map(_scalar, some))}]"


def _scalar(value: Json) -> str:
    """A text in quotes unless it is a day, a moment or a term; JSON's are those of YAML."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)
