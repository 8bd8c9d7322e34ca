"""What every form of a case has in common: whose it is, what it was filled in for, and the one answer of the engine."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fastapi import Response

from console.web import forms
from console.web.visit import Visit
from engine.delegating import Refusal
from engine.records import Repeated, Request, Verdict
from engine.repeating import once, refused_before
from engine.store.cases import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What every form of a case has: whose it is, the revision seen, the request it is, and what was refused."""

    number: str
    name: str
    seen: int
    request: str
    refused: tuple[Verdict, ...] = ()
    faults: tuple[str, ...] = ()


def form_of(visit: Visit, found: Found, refused: Sequence[Verdict] | Repeated = (), faults: Iterable[str] = ()) -> Form:
    """The form of a case, new or as it was sent, with what was refused: then under a new number.

    What was refused stays refused under the old one (`engine.repeating`), whatever is mended in the form.
    """
    number = "" if refused else visit.form.get("request", "")
    if isinstance(refused, Repeated):
        said = refused_before(refused)
        refused, faults = (), (*faults, said.zh if visit.lang == "zh" else said.en)
    name = found.facts.get("name") or found.student_no or visit.desk.units()[found.case.unit].name
    seen = forms.number(visit.form.get("seen", "")) if visit.told else None  # shown again, not asked for again
    return Form(
        number=found.case.number,
        name=str(name),
        seen=found.case.revision if seen is None else seen,
        request=number or secrets.token_hex(8),
        refused=tuple(refused),
        faults=tuple(faults),
    )


def done(visit: Visit, found: Found) -> Response:
    """Back to the page of the case."""
    return visit.go(f"/cases/{found.case.number}")


def carry_out(visit: Visit, act: str, request: Request, do: Callable[[Request], Refusal]) -> Refusal | Repeated:
    """Ask the engine once; what it refuses, empty when it is done, by this click or by the first of several.

    A repeated click that was refused first gives that first answer, of which the ids alone are known.
    """
    answer = once(visit.desk, act, request, do)
    return () if isinstance(answer, Repeated) and answer.moved else answer
