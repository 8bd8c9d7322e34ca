"""What a program sends, as the functions behind the pages read it: a visit whose form is the body of the request.

So a program is answered by the very functions that answer a person at a page, with the same rights and the same faults.
Texts they say are in the language that is asked for (`Accept-Language`, else Chinese).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Path, Query
from pydantic import StringConstraints
from starlette.datastructures import UploadFile
from typing_extensions import override

from console.api.doors import Call
from console.web.saying import Language, Speech
from console.web.visit import Visit
from engine.records import Repeated
from engine.repeating import once

MOST = 2**53 - 1
Number = Annotated[int, Path(ge=0, le=MOST)]
Before = Annotated[int | None, Query(ge=0, le=MOST, description="`next` of the page before")]
Word = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line: a login, a code, a name."""
Prose = Annotated[str, StringConstraints(max_length=4_000, pattern=r"^[^\x00]*$")]
Login = Annotated[str, Path(max_length=100, pattern=r"^[^\x00-\x1f\x7f/]+$")]
Code = Annotated[str, Path(max_length=32, pattern=r"^[0-9A-Za-z_.-]+$", description="Of a unit")]
Date = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


@dataclass(slots=True, kw_only=True)
class Errand(Visit):
    """A program's request; `given` is what it sends, `sent` the file that goes with it."""

    call: Call
    given: Mapping[str, str] = field(default_factory=dict)
    sent: UploadFile | None = None

    @property
    @override
    def form(self) -> Mapping[str, str]:
        return self.given

    @override
    def files(self, name: str) -> tuple[UploadFile, ...]:
        """The file that was sent, by whatever name the page's form has for it."""
        return () if self.sent is None or not self.sent.filename else (self.sent,)

    @override
    def demand_fresh_proof(self, purpose: str) -> None:
        """What the page asks again was given when the token was made, or the program is turned away."""
        self.call.demand_proof()


def errand(call: Call, lang: Language | None = None, /, **given: str | None) -> Errand:
    """A program's request as a visit, with what it sends as the form, without the blanks around."""
    first = call.request.headers.get("accept-language", "zh").strip().lower()
    return Errand(
        house=call.house, request=call.request, office=call.office, at=call.at, actor=call.actor,
        cookie=None, session=None, call=call, speech=Speech(lang or ("en" if first.startswith("en") else "zh")),
        given={name: value.strip() for name, value in given.items() if value is not None},
    )  # fmt: skip


def do_once(call: Call, act: str, key: str, carry_out: Callable[[], object]) -> bool:
    """Do what keeps an event of the registry once under a key of this person's; False if it was done before.

    Args:
        call: Who asks.
        act: What the key is good for: under another act it is another request.
        key: The Idempotency-Key.
        carry_out: Does it, without naming a request.
    """
    asked = call.asks(act, request=call.own(key))

    def answering() -> object:
        with call.desk.answering(f"{act}:{asked.id}"):
            return carry_out()

    return not isinstance(once(call.desk, act, asked, lambda _: answering()), Repeated)
