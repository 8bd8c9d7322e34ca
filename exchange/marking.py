"""A person's own sheet given back with every bad cell tinted and commented."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import orjson

from exchange import marking_child
from exchange.faults import Fault, Sentence
from exchange.refusals import SheetRefused
from exchange.zip_gate import admit

_SECONDS_TO_WAIT = 2 * marking_child.MOST_SECONDS
_WHOLE_SHEET = "1:1"
"""Where a fault stands that is about the header row as a whole; it is said in the first cell."""


def marked(content: bytes, faults: Iterable[Fault], warnings: Iterable[Fault] = ()) -> bytes:
    """The workbook with the cells of its first sheet marked; what is said twice of a cell stands there in two lines.

    Raises:
        SheetRefused: If it cannot be opened that way, because it is too large or somebody made it so.
    """
    admit(content)
    told = _by_cell(warnings)
    bad = _by_cell(faults)
    cells = [(cell, "\n".join((*text, *told.pop(cell, ()))), False) for cell, text in bad.items()]
    cells += [(cell, "\n".join(text), True) for cell, text in told.items()]
    command = (sys.executable, "-I", marking_child.__file__)
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and script, no shell
            command, input=orjson.dumps(cells) + b"\n" + content, capture_output=True, check=False,
            timeout=_SECONDS_TO_WAIT,
        )  # fmt: skip
    except subprocess.TimeoutExpired as problem:
        raise SheetRefused(_TOO_MUCH) from problem
    if child.returncode != 0:
        raise SheetRefused(_TOO_MUCH)
    return child.stdout


def _by_cell(faults: Iterable[Fault]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in faults:
        place = "A1" if one.cell == _WHOLE_SHEET else one.cell
        found.setdefault(place, []).append(f"{one.reason.zh}\n{one.reason.en}")
    return found


_TOO_MUCH = Sentence(
    "这份表太大或含有无法保留的内容，不能标注；请照页面上的清单改",
    "this sheet is too large, or holds what cannot be kept, so it cannot be marked; mend it by the list on the page",
)
