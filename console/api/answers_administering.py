"""What administrators' programs send and are answered about units, people and rights that are lent."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from console.api.answers import Answer, Words
from console.api.errands import Date, Prose, Word
from engine.absences import LONGEST_REASON

AbsenceReason = Annotated[str, StringConstraints(max_length=LONGEST_REASON, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Why somebody is away: one line."""


class Given(BaseModel):
    """What is sent has these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class FormerNameOut(Answer):
    """A name a unit had until a moment."""

    name: str
    until: str
    by: str


class UnitLineOut(Answer):
    """A unit one looks after; `open` is how many cases are open at it and below."""

    code: str
    name: str
    kind: str
    parent: str | None = None
    profile: str | None = None
    open: int
    phone: str
    office_hours: str


class UnitsOut(Answer):
    """A page of units, each below the one it belongs to; `next` is to be given as `after`."""

    units: list[UnitLineOut]
    next: str | None = None


class OneUnitOut(UnitLineOut):
    """A unit with the names it had, the latest first."""

    earlier: list[FormerNameOut]


class UnitIn(Given):
    """A unit to be added below another."""

    under: Word
    code: Word
    name: Word
    kind: Word


class UnitNameIn(Given):
    """What a unit is called from now on."""

    name: Word


class UnitContactIn(Given):
    """Where the unit's people are reached, and when."""

    phone: Word = ""
    office_hours: Word = ""


class UnderIn(Given):
    """Under which unit one is to be moved."""

    under: Word


class SightedOut(Answer):
    """Somebody whose sight changes, and by which role at which unit."""

    login: str
    role: str
    unit: str


class MoveOut(Answer):
    """What a move means: who gains and who loses sight of how many units and open cases; `against` is why not."""

    unit: str
    under: str
    units: int
    cases: int
    gain: list[SightedOut]
    lose: list[SightedOut]
    against: list[Words]


class MovedOut(Answer):
    """Where a unit stands after it was to be moved, and every reason why it was not."""

    unit: str
    under: str | None = None
    moved: bool
    against: list[Words]


class HeldOut(Answer):
    """A role held at a unit, since when, and who gave it, as far as the trail tells."""

    role: str
    unit: str
    since: str
    by: str | None = None


class TokenOut(Answer):
    """A token by which a program acts for the person; never the token itself."""

    name: str
    scopes: list[str]
    made_at: str
    expires_at: str
    used_at: str | None = None
    proved_at: str | None = Field(default=None, description="Absent: a command made it, not its person")
    is_good: bool


class PersonOut(Answer):
    """Somebody with the roles held at one's units; `elsewhere` is how many more there are."""

    login: str
    name: str
    is_disabled: bool
    roles: list[HeldOut]
    elsewhere: int
    tokens: list[TokenOut] | None = None


class PeopleOut(Answer):
    """A page of people by login; `next` is to be given as `after`."""

    people: list[PersonOut]
    next: str | None = None


class RoleIn(Given):
    """A role at a unit."""

    role: Word
    unit: Word


class AccountIn(Given):
    """Somebody new: login, name, mail address if there is one, and the first role at a unit."""

    login: Word
    name: Word
    mail: Annotated[str, StringConstraints(max_length=254, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    role: Word
    unit: Word


class LookForIn(Given):
    """A part of a name or of a login."""

    text: Word


class CodeOut(Answer):
    """A code for one use and until when it is good; told once: both are absent where the same request came before."""

    login: str
    code: str | None = None
    until: str | None = None


class DisableIn(Given):
    """To whom the cases are handed on that nobody else could act on, and why."""

    taker: Word = ""
    reason: Prose = ""


class TokenNameIn(Given):
    """Which token, by its name."""

    name: Word


class LentOut(Answer):
    """A right that is lent: who to whom, which role where, why, from when until when."""

    id: int
    giver: str
    taker: str
    role: str
    unit: str
    reason: str
    since: str
    until: str | None = None
    is_to_come: bool


class RefusedLoanOut(Answer):
    """A delegation that was refused, with every reason."""

    at: str
    giver: str
    taker: str
    role: Word
    unit: Word
    why: list[str]


class GapOut(Answer):
    """Days on which nobody can act in a role at a unit, and how many cases wait there."""

    role: str
    unit: str
    cases: int
    first: str
    last: str
    held_by_nobody: bool


class DelegationsOut(Answer):
    """A page of what is lent, the newest first, what was refused, and where nobody can act."""

    lent: list[LentOut]
    refused: list[RefusedLoanOut]
    gaps: list[GapOut]
    next: int | None = None


class AbsenceOut(Answer):
    """Days on which one is away; `told_by`, by name, and why where an administrator told it."""

    id: int
    first: str
    last: str
    told_by: str | None = None
    reason: str | None = None


class OwnDelegationsOut(Answer):
    """What one lends or is lent, and the days one is away; `refused` is why a delegation was not made."""

    lent: list[LentOut]
    away: list[AbsenceOut]
    refused: list[Words] = Field(default=[])


class LoanIn(Given):
    """A role of one's own to be lent until the end of a day; at once, or from the beginning of a later day."""

    role: Word
    unit: Word
    taker: Word
    since: Date | None = None
    until: Date
    reason: Prose


class EndLoanIn(Given):
    """What is lent to whom, to be taken back."""

    taker: Word
    role: Word


class AwayIn(Given):
    """The first and the last day one is away."""

    first: Date
    last: Date


class ToldAbsenceOut(Answer):
    """An absence at one's units: whose, when, how many cases wait for their roles, and where nobody else can act.

    `told_by`, `told_at` and `reason` are absent where the person said so.
    """

    id: int
    login: str
    name: str
    first: str
    last: str
    waiting: int
    nobody_for: list[str]
    told_by: str | None = None
    told_at: str | None = None
    reason: str | None = None


class AbsencesOut(Answer):
    """Who is away at one's units now and next; `refused` is why an absence was not kept."""

    absences: list[ToldAbsenceOut]
    refused: list[Words] = Field(default=[])
    next: str | None = None


class ToldDaysIn(Given):
    """The first and the last day somebody is away, and why that is said."""

    first: Date
    last: Date
    reason: AbsenceReason


class ChangedAbsenceIn(ToldDaysIn):
    """The same, and `told_at` of the absence as it was read; absent where it was."""

    told_at: Word | None = None


class ToldAbsenceIn(ToldDaysIn):
    """The same, and who is away."""

    login: Word
