"""What the interface answers: every field is listed here, and nothing else leaves (OWASP ASVS 15.3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from console.api.errands import Prose, Word
from engine.definition import Bilingual
from engine.records import Outcome, Sentence, Verdict


class Answer(BaseModel):
    """What is answered has these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class Words(Answer):
    """A text in both languages."""

    zh: str
    en: str


def words(text: Bilingual | Sentence) -> Words:
    """A text of ours as it is answered."""
    return Words(zh=text.zh, en=text.en)


class VerdictOut(Answer):
    """What one rule said."""

    rule: str
    id: str
    outcome: Literal["holds", "fails", "undecided", "not_applicable"]
    title: Words
    sentence: Words
    remedy_by: str | None = None
    remedy: Words | None = None
    source: list[str]


def verdict(one: Verdict) -> VerdictOut:
    """A verdict as it is answered."""
    outcome: Mapping[Outcome, Literal["holds", "fails", "undecided", "not_applicable"]] = {
        Outcome.HOLDS: "holds",
        Outcome.FAILS: "fails",
        Outcome.UNDECIDED: "undecided",
        Outcome.NOT_APPLICABLE: "not_applicable",
    }
    return VerdictOut(
        rule=one.rule,
        id=one.id,
        outcome=outcome[one.outcome],
        title=words(one.title),
        sentence=words(one.sentence),
        remedy_by=one.remedy_by,
        remedy=None if one.remedy is None else words(one.remedy),
        source=list(one.source),
    )


class StepOut(Answer):
    """A step out of the state a case is in."""

    trigger: str
    title: Words
    targets: list[str]
    roles: list[str]
    asks: list[str]
    reasons: list[Words] = Field(description="What is usually said, where the step (or a no to it) asks for `reason`")
    is_open: bool = Field(description="Whether neither a rule nor a document stands in the way")
    verdicts: list[VerdictOut]
    papers: list[VerdictOut]
    missing_signatures: list[str]


class DeadlineOut(Answer):
    """A deadline that runs."""

    name: str
    due_at: str | None = None
    settled: bool


class CaseOut(Answer):
    """A case as it stands; nothing of what is known about its student."""

    number: str
    workflow: str
    state: str
    state_title: Words
    revision: int = Field(description="To be given with a decision; another revision is a conflict")
    unit: str
    batch: str | None = None
    student_no: str | None = None
    opened_at: str
    entered_at: str
    steps: list[StepOut]
    deadlines: list[DeadlineOut]


class EventOut(Answer):
    """One line of a case's history."""

    seq: int
    kind: str
    at: str
    actor: str
    role: str | None = None
    trigger: str | None = None
    state: str | None = None
    failed: list[str]
    undecided: list[str]


Fields = Annotated[
    dict[str, Prose], Field(max_length=100, description="What a step is given, by the names it asks for")
]


class DecisionIn(BaseModel):
    """What is decided on a case."""

    model_config = ConfigDict(extra="forbid")
    revision: int = Field(ge=0, le=2**53 - 1, description="At which the case was seen")
    fields: Fields = {}
    to: Word | None = Field(default=None, description="Where to; to be said where the step may lead to several states")
    slot: Word | None = None
    consents: bool | None = Field(
        default=None, description="Whether the signature is for it; to be said where one may sign against it"
    )
    ticks: dict[str, bool] = Field(
        default={}, max_length=200, description="What a reviewer found of documents, such as `E-F04.signed`"
    )
    cautions: list[Word] = Field(
        default=[], max_length=100, description="What was looked at, as the queue names it; a step on wants all of it"
    )


class DecisionOut(Answer):
    """What became of a decision: the first answer, however often it is asked under the same key."""

    number: str | None = Field(default=None, description="The case's; absent of an opening that was refused")
    trigger: str
    moved: bool
    state: str
    repeated: bool = False
    failed: list[str]
    undecided: list[str]
    verdicts: list[VerdictOut] = []


class OpeningIn(BaseModel):
    """A case to be opened."""

    model_config = ConfigDict(extra="forbid")
    workflow: Word
    about: Word = Field(max_length=40, description="A student number, or the code of a unit")
    fields: Fields = {}


class CaseAt(BaseModel):
    """A case as it was seen."""

    model_config = ConfigDict(extra="forbid")
    number: Word = Field(max_length=9)
    revision: int = Field(ge=0, le=2**53 - 1)


class ManyIn(BaseModel):
    """One decision on many cases; each is decided by itself."""

    model_config = ConfigDict(extra="forbid")
    trigger: Word
    cases: list[CaseAt] = Field(min_length=1, max_length=10_000)
    fields: Fields = {}
    consents: bool | None = Field(
        default=None, description="Whether the signatures are for it; to be said where one may sign against it"
    )
    dry_run: bool = Field(default=True, description="Judge every case and write nothing")


class RefusedOut(Answer):
    """A case that was refused, and the ids of the rules."""

    number: str
    failed: list[str]
    undecided: list[str]


class LookOut(Answer):
    """A case of which something is to be looked at first: it is decided by itself, with these `cautions`."""

    number: str
    cautions: list[str]


class ManyOut(Answer):
    """What became of each: the first answer, however often it is asked under the same key."""

    dry_run: bool
    moved: list[str]
    look: list[LookOut] = Field(description="Would be decided, but something is to be looked at first (需细看)")
    refused: list[RefusedOut]
    conflicts: list[str]
    barred: list[str]


class EligibleOut(Answer):
    """One student of a batch."""

    student_no: str
    eligible: bool
    failed: list[str]
    undecided: list[str]
    not_applicable: list[str]


class EligibilityOut(Answer):
    """A page of a batch's students by number; `next` is to be given as `after`."""

    students: list[EligibleOut]
    next: int | None = None


class BatchOut(Answer):
    """A published batch."""

    name: str
    kind: str
    profile: str
    title: str


class UnitOut(Answer):
    """A unit of the organisation."""

    code: str
    name: str
    kind: str
    parent: str | None = None


class WorkflowOut(Answer):
    """A definition that has cases or may be opened."""

    workflow: str
    profile: str
    version: int
    title: Words
    states: dict[str, Words]
    steps: dict[str, Words]


class HeadOut(Answer):
    """How far the log is sealed: the newest signed head, if there is one."""

    log: str
    events_sealed: int
    checkpoint: str | None = None


class GrantOut(Answer):
    """A role held at a unit."""

    role: str
    unit: str


class MeOut(Answer):
    """For whom the token acts, and what for."""

    login: str
    scopes: list[str]
    grants: list[GrantOut]
