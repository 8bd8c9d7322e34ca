"""What programs send and are answered about queues: what waits, what was done, saved filters, many at once."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from console.api.answers import Answer, Words
from console.api.errands import Prose, Word

_MOST = 10_000
LaneOut = Literal["blocked", "look", "ready"]


class FilterIn(BaseModel):
    """What of a queue is meant; what is left empty leaves nothing out."""

    model_config = ConfigDict(extra="forbid")
    wf: Word = Field(default="", description="A workflow")
    state: Word = ""
    batch: Word = ""
    unit: Word = Field(default="", description="A unit with everything below it")
    lane: Literal["", "blocked", "look", "ready"] = ""
    rule: Word = Field(default="", description="The name of a rule that stands in the way")
    caution: Word = ""
    due: Literal[""] | date = Field(default="", description="A day: what is due by its end")
    cohort: Word = ""
    level: Word = ""
    sort: Literal["", "lane", "due", "entered", "unit", "number", "pinyin"] = ""


class PageIn(FilterIn):
    """A page of a queue under a filter."""

    after: str = Field(
        default="", max_length=400, pattern=r"^[0-9A-Za-z_/.:~-]*$", description="`next` of the page before"
    )


class HindranceOut(Answer):
    """A rule that holds cases up: how many, and of how many it is the only one."""

    rule: str
    title: Words
    cases: int
    sole: int


class CountsOut(Answer):
    """How many wait under a filter, by lane, and what holds the blocked ones up; up to 10,000 exact."""

    total: int
    blocked: int
    look: int
    ready: int
    hindrances: list[HindranceOut]


class QueuedOut(Answer):
    """A case that waits, with its lane, what holds it up, and what is to be looked at."""

    number: str
    workflow: str
    state: str
    revision: int
    unit: str
    batch: str | None = None
    student_no: str | None = None
    trigger: str = Field(description="The step it waits for")
    lane: LaneOut
    hindrances: list[str]
    cautions: list[str]
    due_at: str | None = None
    entered_at: str


class QueuePageOut(Answer):
    """A page of a queue; `next` is to be given as `after`."""

    cases: list[QueuedOut]
    next: str | None = None
    anew: bool = Field(
        default=False, description="The place to go on from is no more (a name was corrected): this is the first page"
    )


class DeedOut(Answer):
    """One thing the person did, or was told of: the event of the case, what it was, and whom the case waits for now."""

    number: str
    seq: int
    workflow: Words
    what: Words
    at: str | None = None
    state: Words
    student_no: str | None = None
    waits_for: list[Words]
    may_withdraw: bool
    is_read: bool = Field(description="Of what one was told: the case was opened since; of one's own deeds always")
    sender: str | None = Field(default=None, description="The colleague who sent a copy (抄送), by name")
    note: str | None = Field(default=None, description="What that person wrote with it")


class DeedsOut(Answer):
    """A page of them, the newest first; `next` is to be given as `after`."""

    lines: list[DeedOut]
    next: str | None = None


class FindIn(BaseModel):
    """What is looked for: a name, a student number, an ID number or a case, exactly; it stands in no address."""

    model_config = ConfigDict(extra="forbid")
    text: Word


class FoundOut(Answer):
    """A case that was found."""

    number: str
    workflow: str
    state: str
    unit: str
    student_no: str | None = None


class ViewIn(BaseModel):
    """A filter to be kept under a name; `shared` with everybody at the person's first unit."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=20, pattern=r"^\S([^\x00-\x1f\x7f]*\S)?$")
    filter: FilterIn = FilterIn()
    shared: bool = False
    pinned: bool = False


class ViewOut(Answer):
    """A saved filter; `unit` where it is for everybody there, `is_own` if the person keeps it."""

    id: str
    name: str
    filter: dict[str, str]
    unit: str | None = None
    pinned: bool
    is_own: bool


class NudgeIn(BaseModel):
    """Whom to remind: in a batch of a rule, of `filing`, or the units that are `lagging`; else what a rule holds up."""

    model_config = ConfigDict(extra="forbid")
    about: Word = Field(min_length=1)
    batch: Word = Field(default="", description="Empty: of one's queue, under `filter`")
    filter: FilterIn = FilterIn()


class NudgeOut(Answer):
    """What a selection would tell how many, or, with a `result`, has told; `again` were told today and are left out."""

    handle: str
    recipients: int
    again: int
    silent: int = Field(description="Without an address")
    texts: list[str]
    result: dict[str, int] | None = None


# --- many at once ----------------------------------------------------------------------------------------------------

OutcomeOut = Literal["can", "look", "cannot", "moved", "changed", "refused", "broken", "withdrawn", "stays"]


class BulkIn(BaseModel):
    """What is to be decided on which cases: those named, or else all that the filter shows, 10,000 at most."""

    model_config = ConfigDict(extra="forbid")
    trigger: Word = Field(min_length=1)
    cases: list[Word] = Field(default=[], max_length=_MOST)
    filter: FilterIn = FilterIn()
    fields: dict[str, Prose] = Field(default={}, max_length=100, description="What it is given; a reason may wait")


class ConfirmIn(BaseModel):
    """Why, where the step asks for it and the preview has not said so."""

    model_config = ConfigDict(extra="forbid")
    reason: Prose = ""


class SampledOut(Answer):
    """A case to be opened before the preview is confirmed, and whether it was."""

    number: str
    is_seen: bool


class BulkOut(Answer):
    """A decision on many cases: a preview, under way, or done, and how many stand how."""

    id: str
    trigger: str
    title: Words
    stage: Literal["preview", "running", "done", "withdrawing"]
    is_final: bool
    wants_reason: bool
    counts: dict[str, int] = Field(description="By outcome; what there is none of is left out")
    total: int
    done: int
    failed: int = Field(description="How many can be tried again")
    against: list[HindranceOut] = Field(default=[], description="What those lack that cannot be in it")
    sample: list[SampledOut] = Field(default=[], description="To be opened first")


class BulkRowOut(Answer):
    """One case of it; `rules` are those against it."""

    number: str
    outcome: OutcomeOut
    rules: list[str]


class BulkRowsOut(Answer):
    """A page of its cases, by number; `next` is to be given as `after`."""

    rows: list[BulkRowOut]
    next: str | None = None
