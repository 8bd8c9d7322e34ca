"""What the interface answers about work beside the steps: documents, acts, deadlines; lists and books."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from console.api.answers import Answer, VerdictOut, Words
from console.api.errands import Prose, Word

_REVISION = Field(default=None, ge=0, le=2**53 - 1, description="At which the case was seen; another is a conflict")


class _Asked(BaseModel):
    """What is asked has these fields and no others."""

    model_config = ConfigDict(extra="forbid")


# --- documents -------------------------------------------------------------------------------------------------------


class DocumentOut(Answer):
    """A document on a case: no name of a file, and nothing of what stands in it."""

    seq: int = Field(description="The event that brought it; with `kind` it names the document")
    kind: str
    title: Words
    sha256: str | None = Field(default=None, description="Of the file as handed in, or of the form that was made")
    is_made: bool = Field(description="Whether a step made it; such a document is not withdrawn")
    file: str | None = Field(default=None, description="What the bytes are, such as `jpeg`")
    size: int | None = Field(default=None, description="Bytes of a file that was handed in")
    is_reviewed: bool


class WithdrawalIn(_Asked):
    """Why a document is taken off again."""

    reason: Prose = Field(min_length=1, max_length=500)
    revision: int | None = _REVISION


class ActOut(Answer):
    """What became of an act beside the steps: the first answer, however often it is asked under the same key."""

    number: str = Field(description="The case's")
    done: bool
    repeated: bool = False
    revision: int = Field(description="The case's now")
    seq: int | None = Field(default=None, description="Of a document that was attached: its number on the case")
    failed: list[str]
    undecided: list[str]
    verdicts: list[VerdictOut] = Field(default=[])


# --- acts beside the steps -------------------------------------------------------------------------------------------


class HandingOverIn(_Asked):
    """To whom a case is handed for good (转办), in which of the own roles, and why."""

    taker: Word = Field(min_length=1)
    role: Word = Field(min_length=1)
    reason: Prose = Field(min_length=1, max_length=500)
    revision: int | None = _REVISION


class DelegationIn(HandingOverIn):
    """Who is to act in one's stead on a case (委派), and the last day of it in Shanghai, within a year."""

    until: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")


class ReminderIn(_Asked):
    """Nothing has to be said: those whom the case waits for are reminded (催办)."""

    revision: int | None = _REVISION


class CommentIn(_Asked):
    """A remark (备注) for everybody who works on the case."""

    text: Prose = Field(min_length=1, max_length=500)
    revision: int | None = _REVISION


class CopyIn(_Asked):
    """To which colleagues a case is shown (抄送), and what is written with it."""

    to: list[Annotated[Word, Field(min_length=1)]] = Field(max_length=100, description="Their logins")
    note: Prose = Field(default="", description="200 characters at most; may be empty")
    revision: int | None = _REVISION


class SignerIn(_Asked):
    """A change of who signs a step that is being signed."""

    trigger: Word = Field(min_length=1, description="The step that is being signed")
    change: Literal["add", "drop"] = Field(description="加签 or 减签")
    signer: Word = Field(min_length=1, description="To add: a role; to drop: a slot")
    unit: Word | None = Field(default=None, max_length=40, description="Where an added role counts; else the case's")
    before: Word | None = Field(
        default=None, description="Where one signs in sequence: the slot before which; else last"
    )
    reason: Prose = Field(min_length=1, max_length=500)
    revision: int | None = _REVISION


# --- deadlines -------------------------------------------------------------------------------------------------------


class DueOut(Answer):
    """A deadline that runs, as it stands now."""

    number: str = Field(description="The case's")
    name: str
    title: Words
    due_at: str | None = Field(default=None, description="The last moment in time; absent of an open date (待定)")
    is_settled: bool
    is_late: bool
    is_extended: bool = Field(description="A person has set the date")
    unit: str
    student_no: str | None = None
    state: str


class DuesOut(Answer):
    """A page of what is due in a batch, soonest first, open dates last; `next` is to be given as `after`."""

    deadlines: list[DueOut]
    next: str | None = None


# --- lists and books -------------------------------------------------------------------------------------------------


class ListedOut(Answer):
    """A list or book as it stands."""

    number: str
    kind: str = Field(description="Its workflow")
    title: Words
    unit: str
    batch: str | None = None
    state: str
    state_title: Words
    revision: int
    is_over: bool
    members: int = Field(description="How many are fixed on it")
    sha256: str | None = Field(default=None, description="Of the members as they are fixed; absent while it gathers")
    signed: int = Field(description="Signatures given of `seats`; no seats: it is not being signed")
    seats: int
    waits_for: Words | None = Field(default=None, description="The role it waits for")
    due_at: str | None = None
    is_late: bool


class ListsOut(Answer):
    """A page of lists, by number; `next` is to be given as `after`."""

    lists: list[ListedOut]
    next: str | None = None


class SeatOut(Answer):
    """A place to sign: `is_turn` says whose turn it is, `could` who could sign there."""

    slot: str = Field(description="To be given with the signature")
    role: str
    unit: str
    is_turn: bool
    could: list[str]
    given: bool | None = Field(default=None, description="For it or against it; absent while nobody has signed")
    by: list[str]


class SigningOut(Answer):
    """A step that is being signed now; a signature goes by the step's own address, with a `slot`."""

    trigger: str
    title: Words
    needed: int
    in_sequence: bool
    seats: list[SeatOut]


class SignatureOut(Answer):
    """A signature on the draft that stands."""

    trigger: str
    slot: str
    by: str
    at: str
    consents: bool


class MemberOut(Answer):
    """A case on a list; nothing else of what is known about its student."""

    number: str
    workflow: str
    state: str
    unit: str
    student_no: str | None = None


class ListOut(Answer):
    """One list with a page of its members, by number; `next` is to be given as `after`."""

    number: str
    kind: str
    title: Words
    unit: str
    batch: str | None = None
    state: str
    state_title: Words
    revision: int
    is_fixed: bool
    draft: int = Field(description="Which draft stands, or is being made")
    sha256: str | None = Field(default=None, description="Of the members as they are fixed; absent while it gathers")
    count: int
    signatures: list[SignatureOut]
    signing: list[SigningOut]
    members: list[MemberOut]
    next: str | None = None
