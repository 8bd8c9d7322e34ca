"""What auditors' programs send and are answered; every field is listed here, and nothing else leaves."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from console.api.answers import Answer, Words
from console.api.errands import Prose, Word

OutcomeOut = Literal["holds", "fails", "undecided", "not_applicable"]
StandingOut = Literal["open", "confirmed", "unfounded", "mended"]


class TickOut(Answer):
    """One event of a case: its number in the chain, its moment, and what it is called if it was a step."""

    seq: int
    at: str
    title: Words | None = None


class SeenOut(Answer):
    """A value that a rule saw, as it is shown to an auditor."""

    title: Words
    value: str


class WhyOut(Answer):
    """What one rule said in an event: on which values, and by which clauses."""

    id: str
    title: Words
    outcome: OutcomeOut
    seen: list[SeenOut]
    clauses: list[str]


class FactOut(Answer):
    """One thing known of the student then; `changed_later` is when it was changed next, if it was."""

    name: str
    title: Words
    value: str
    before: str
    is_hidden: bool
    source: Words
    by: str
    at: str
    changed_later: str | None = None


class MomentOut(Answer):
    """A case right after one of its events; `lacking` is what nobody knows any more."""

    number: str
    seq: int
    last: int
    at: str
    state_title: Words
    batch: str | None = None
    what: Words | None = None
    by: str | None = None
    verdicts: list[WhyOut]
    facts: list[FactOut]
    lacking: list[Words]
    events: list[TickOut]


class MismatchOut(Answer):
    """An event that does not agree: of the case itself or of its student."""

    is_own: bool
    seq: int
    why: str


class VerifiedOut(Answer):
    """What came of verifying a case; `missing` are events said to be sealed that are not under the newest head."""

    number: str
    agrees: bool
    events: int
    mismatches: list[MismatchOut]
    head: int = Field(description="How many events are under the newest head; 0 before the first")
    sealed: int
    unsealed: int
    missing: list[MismatchOut]


class StratumOut(Answer):
    """How many cases of a unit were drawn from how many."""

    unit: str
    population: int
    drawn: int


class SampleOut(Answer):
    """A sample: with seed and algorithm anybody draws the same again. `seen`: how many have been opened since."""

    seq: int
    at: str
    by: str
    batch: str
    seed: str
    algorithm: str
    population: int
    population_sha256: str
    strata: list[StratumOut]
    cases: list[str]
    seen: int


class SampleIn(BaseModel):
    """A sample to be drawn: by size, or by confidence and error in percent."""

    model_config = ConfigDict(extra="forbid")
    batch: Word
    seed: Word = ""
    workflow: Word = ""
    by: Word = ""
    size: int | None = Field(default=None, ge=1, le=100_000)
    confidence: Word = "95"
    error: Word = "5"


class PlaceOut(Answer):
    """Events of one chain a finding rests on: of a case, or of a student."""

    case: str
    seqs: list[int]


class JudgementOut(Answer):
    """What was concluded of a finding; `text` is absent where it was erased."""

    at: str
    by: str
    standing: StandingOut
    text: str | None = None


class FindingOut(Answer):
    """What deserves a look. It accuses nobody: it asks."""

    finding: str = Field(description="The SHA-256 of what it rests on")
    code: str
    title: Words
    people: list[str]
    at: str
    sentence: Words
    standing: StandingOut
    places: list[PlaceOut]
    judged: list[JudgementOut]


class FindingsOut(Answer):
    """The newest look through a batch: `stage` running, done, failed or broken; absent where nobody has looked yet."""

    batch: str
    stage: str | None = None
    made_at: str | None = None
    cases: int | None = None
    counts: dict[str, int] = Field(default={})
    findings: list[FindingOut] = Field(default=[])
    next: str | None = None


class LookThroughIn(BaseModel):
    """What is to be looked through; empty for every batch the person audits."""

    model_config = ConfigDict(extra="forbid")
    batch: Word = ""


class ConclusionIn(BaseModel):
    """What is concluded of a finding, and why."""

    model_config = ConfigDict(extra="forbid")
    standing: Literal["confirmed", "unfounded", "mended"]
    text: Prose


class HeadLineOut(Answer):
    """A signed head: how many events are under it, its root in short, when and by which keys it was signed."""

    size: int
    root: str
    signed_at: str
    signers: list[str]


class SealsOut(Answer):
    """Heads, the newest first; `next` is to be given as `before`."""

    log: str
    heads: list[HeadLineOut]
    unsealed: int
    next: int | None = None


class SealsCheckedOut(Answer):
    """What came of working out the newest heads again; `changed` are those whose root is another now."""

    agrees: bool
    heads: int
    changed: list[int]
    size: int
    unsealed: int
    guards_missing: list[str]
    trouble: str | None = None


class ChangeOut(Answer):
    """A change of people, tokens or units; `seq` is its place in the registry's chain."""

    seq: int
    at: str
    by: str
    what: Words


class ChangesOut(Answer):
    """Changes, the newest first; `next` is to be given as `before`."""

    changes: list[ChangeOut]
    next: int | None = None
