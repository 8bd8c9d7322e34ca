"""What auditors' programs send and are answered about working papers and about decisions judged again."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from console.api.answers import Answer, Words
from console.api.errands import Word

ConclusionOut = Literal["sound", "exception", "open"]


class PaperOut(Answer):
    """A note on a case or on a batch; `text` is absent where it was erased."""

    name: str = Field(description="By which it is asked for: the case's number or `batch`, and the event's")
    at: str
    by: str
    case: str | None = None
    batch: str | None = None
    about: int | None = Field(default=None, description="The event of the case that it is about")
    conclusion: ConclusionOut | None = None
    text: str | None = None


class OnePaperOut(PaperOut):
    """A note, and under the head of which size it is sealed; absent: not yet."""

    sealed_under: int | None = None


class PapersOut(Answer):
    """A page of notes, the newest first; `counts`: the last conclusions of cases; `next` is to be given as `start`."""

    papers: list[PaperOut]
    total: int
    counts: dict[str, int]
    next: int | None = None


class PaperIn(BaseModel):
    """A note on a case, at one of its events if `seq` says so, or else on a batch."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=4_000, pattern=r"^[^\x00]*\S[^\x00]*$")
    case: Word = ""
    seq: int | None = Field(default=None, ge=1, le=2**53 - 1)
    batch: Word = ""
    conclusion: ConclusionOut | None = None


class BatchIn(BaseModel):
    """Of which batch; empty: of any."""

    model_config = ConfigDict(extra="forbid")
    batch: Word = ""


class WhatIfLineOut(Answer):
    """One that was asked for: of which batch, under which rules, how far it is."""

    id: str
    batch: str
    rules: str
    stage: Literal["running", "done", "failed", "broken"]
    made_at: str
    read: int
    of: int


class WhatIfsOut(Answer):
    """What was asked for last, and the folders of rules that may be chosen."""

    runs: list[WhatIfLineOut]
    folders: list[str]


class ComparedOut(Answer):
    """What is compared: the hashes now and under the other rules."""

    title: Words
    now: str
    other: str


class CellOut(Answer):
    """How many decisions came out one way and would come out another."""

    was: Literal["passed", "refused"]
    now: Literal["pass", "refuse", "open"]
    decisions: int


class OpenOut(Answer):
    """What could not be judged: by which rule, for want of what, how often."""

    rule: str
    missing: str
    decisions: int


class JudgedOut(Answer):
    """One decision: which event of which chain, by whom, what it was and would be; `case` is absent of a request."""

    case: str | None = None
    student_no: str | None = None
    seq: int
    at: str
    workflow: str
    trigger: str
    by: str
    unit: str
    was: Literal["passed", "refused"]
    now: Literal["pass", "refuse", "open"]
    rules: list[str] = Field(description="That make it another")
    seen: Words | None = None


class WhatIfOut(WhatIfLineOut):
    """What came of it: sums, and a page of the decisions asked for; `next` is to be given as `start`."""

    error: str | None = Field(default=None, description="Why it failed")
    same: int = 0
    changed: int = 0
    compared: list[ComparedOut] = Field(default=[])
    matrix: list[CellOut] = Field(default=[])
    open: list[OpenOut] = Field(default=[])
    decisions: list[JudgedOut] = Field(default=[])
    listed: int = Field(default=0, description="How many decisions the filter shows")
    next: int | None = None


class NarrowedIn(BaseModel):
    """Which decisions; with nothing said, those that would be otherwise."""

    model_config = ConfigDict(extra="forbid")
    was: Literal["", "passed", "refused"] = ""
    now: Literal["", "pass", "refuse", "open"] = ""
    rule: Word = ""
    unit: Word = ""
    who: Word = ""
    sort: Literal["when", "student", "unit", "who", "rule"] = "when"


class NarrowedPageIn(NarrowedIn):
    """A page of them."""

    start: int = Field(default=0, ge=0, le=10_000_000)
