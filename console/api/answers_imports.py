"""What the interface answers about sheets on their way in: how far one is, what is wrong with it, what it does."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from console.api.answers import Answer, Words


class RefusedRowOut(Answer):
    """A student of a sheet whom the rules refuse, and every reason."""

    student_no: str
    reason: Words


class RunOut(Answer):
    """A sheet that the person has sent: how far it is, and what it would do or has done.

    `ready` and `otherwise` wait to be confirmed; `done` is taken in; `checking` and `committing` are under way;
    all others have ended and nothing was taken in.
    """

    id: str
    kind: str
    name: str
    sha256: str
    size: int
    stage: Literal[
        "checking", "unreadable", "faulty", "refused", "again", "ready", "otherwise", "committing", "done", "broken"
    ]
    read: int = Field(description="Rows that were read so far")
    made_at: str
    done_at: str | None = None
    number: str | None = Field(default=None, description="批号, once it is taken in")
    rows: int
    good: int = Field(description="Rows without a fault")
    faults: int = Field(description="Cells to mend: nothing is taken in while there is one")
    warnings: int = Field(description="Cells to look at")
    counts: dict[str, int] = Field(description="What it does, such as `changed`; what it does not do is left out")
    facts: dict[str, int] = Field(description="How often it changes which fact")
    ready: int = Field(description="Cases that nothing stands in the way of any more")
    applying: int = Field(description="Of them the records whose students may apply")
    reviews: int = Field(description="Cases whose picture is to be looked at again")
    refusals: int = Field(description="Students whom the rules refuse; of them the first 200 in `refused`")
    refused: list[RefusedRowOut]
    error: Words | None = Field(default=None, description="Why it could not be read or kept at all")


class RunsOut(Answer):
    """A page of one's own runs, the newest first; `next` is to be given as `after`."""

    runs: list[RunOut]
    next: str | None = None


class FaultOut(Answer):
    """A cell to mend, or with `is_warning` to look at; of a package a picture, and `row` its place in it."""

    is_warning: bool
    row: int
    column: str
    cell: str
    value: str
    reason: Words


class FaultsOut(Answer):
    """A page of what is wrong with a sheet, cells to mend first; `next` is to be given as `after`."""

    faults: list[FaultOut]
    next: int | None = None


class FreedOut(Answer):
    """Those cases among an import's that the person may know of, by number; `next` is to be given as `after`."""

    numbers: list[str]
    next: str | None = None
