"""Typesetting: a template of this room and data become a PDF, or pictures of its pages.

Rule 1: data never becomes markup: it is one JSON text, which the template reads.
Rule 2: the font comes with the program, and whatever the compiler warns of is an error: where the font is not found,
typst would set boxes on paper and only warn.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import as_file, files
from typing import Literal

import orjson
import typst

_FONTS = "noto_cjk_sans_otc"
_POINTS_PER_INCH = 110


class CannotTypeset(Exception):
    """A template cannot be set as it should be: the compiler's own words, for whoever maintains the template."""

    def __init__(self, template: str, said: str) -> None:
        super().__init__(f"版式 {template} 不能排版：{said}。The template cannot be set.")


def typeset(template: str, data: Mapping[str, object], at: datetime) -> bytes:
    """Set a template as a PDF; the same data and moment make the same bytes.

    Args:
        template: The name of a .typ file of this room.
        data: What it reads as `json(bytes(sys.inputs.data))`.
        at: The moment that stands in the file as that of its making.

    Raises:
        CannotTypeset: If the compiler refuses it, or warns of anything.
    """
    return _set(template, data, at, "pdf")[0]


def pictures(template: str, data: Mapping[str, object], at: datetime) -> list[bytes]:
    """The same as PNG, a picture a page, to be looked at.

    Raises:
        CannotTypeset: As `typeset`.
    """
    return _set(template, data, at, "png")


def _set(template: str, data: Mapping[str, object], at: datetime, kind: Literal["pdf", "png"]) -> list[bytes]:
    with as_file(files("exchange") / template) as source, as_file(files(_FONTS)) as fonts:
        try:
            made, warnings = typst.compile_with_warnings(
                source,
                root=source.parent,
                font_paths=[fonts],
                ignore_system_fonts=True,
                format=kind,
                ppi=_POINTS_PER_INCH,
                sys_inputs={"data": orjson.dumps(data).decode()},
                timestamp=int(at.timestamp()),
            )
        except typst.TypstError as problem:
            raise CannotTypeset(template, str(problem)) from problem
    if warnings:
        raise CannotTypeset(template, "; ".join(one.message for one in warnings))
    pages: object = made  # one PDF, or a list of pictures, which its types do not say
    return [one for one in pages if isinstance(one, bytes)] if isinstance(pages, list) else [made]
