"""What comes in: forms as they were posted, read before the endpoint runs, and numbers and days in what was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, UploadFile

from engine.expressions.kinds import YEARS

_MOST_FIELDS = 2_000
"""A selection of a page ticked by hand is far below; more is nobody's form."""
_MOST_FILES = 20
_LONGEST_FIELD = 64 * 1024
MOST = 2**63 - 1
"""The largest whole number that a database takes."""
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls but for tab and line breaks, and halves of characters: in no text of ours, and a database takes no NUL."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


async def read_form(request: Request) -> None:
    """Keep the form of a request for the visit, its texts `readable`; anything but a form is left unread.

    Raises:
        HTTPException: 400, if it is no form or too much of one.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    form = FormData()
    if kind in _FORMS:
        try:
            form = await request.form(max_fields=_MOST_FIELDS, max_files=_MOST_FILES, max_part_size=_LONGEST_FIELD)
        except UnicodeError as problem:  # it names a character set by which nothing can be read
            raise HTTPException(400) from problem
    request.state.form = FormData([(readable(name), _readable(sent)) for name, sent in form.multi_items()])


def _readable(sent: str | UploadFile) -> str | UploadFile:
    if isinstance(sent, str):
        return readable(sent)
    sent.filename = readable(sent.filename or "")
    return sent


def readable(text: str) -> str:
    """A text with � for each character of it that is none: a control (but tab and line breaks), half a character."""
    return _UNREADABLE.sub("\ufffd", text)


def readable_query(query: bytes) -> bytes:
    """The query of an address with its names and values `readable`; as it was sent where they are."""
    said = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    if not any(_UNREADABLE.search(text) for pair in said for text in pair):
        return query
    return urlencode([(readable(name), readable(value)) for name, value in said]).encode()


def posted(request: Request) -> FormData:
    """The form of a request; empty where there is none."""
    form: FormData = getattr(request.state, "form", None) or FormData()
    return form


def texts(form: FormData) -> Mapping[str, str]:
    """The text fields, the last of each name, without the blanks around them."""
    return MappingProxyType({name: value.strip() for name, value in form.multi_items() if isinstance(value, str)})


def files(form: FormData, name: str) -> tuple[UploadFile, ...]:
    """The files of one field that were chosen; an empty choice is none."""
    return tuple(one for one in form.getlist(name) if isinstance(one, UploadFile) and one.filename)


def number(text: str) -> int | None:
    """A whole number from 0 to `MOST`, written in plain digits; None where a text is none.

    `str.isdigit` says yes to ² too, and a number with more digits than a database takes is nobody's.
    """
    is_one = text.isascii() and text.isdigit() and len(text) <= len(str(MOST))
    found = int(text) if is_one else None
    return found if found is not None and found <= MOST else None


def day(text: str) -> date | None:
    """A day within `YEARS`, written 2024-05-13; None where a text is none."""
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
    return found if found is not None and found.year in YEARS else None
