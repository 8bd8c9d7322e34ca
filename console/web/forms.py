"""What comes in: forms as they were posted, read before the endpoint runs, and numbers in what was written."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

_MOST_FIELDS = 2_000
"""A selection of a page ticked by hand is far below; more is nobody's form."""
_MOST_FILES = 20
_LONGEST_FIELD = 64 * 1024
MOST = 2**63 - 1
"""The largest whole number that a database takes."""
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def read_form(request: Request) -> None:
    """Keep the form of a request for the visit; anything but a form is left unread."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    form = FormData()
    if kind in _FORMS:
        form = await request.form(max_fields=_MOST_FIELDS, max_files=_MOST_FILES, max_part_size=_LONGEST_FIELD)
    request.state.form = form


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
