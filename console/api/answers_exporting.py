"""What programs send and are answered about what may be taken out: tables, lists and reports."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from console.api.answers import Answer
from console.api.errands import Word


class WhomIn(BaseModel):
    """Which students are counted: at a unit and below it, and of whom something is so; else all the person sees."""

    model_config = ConfigDict(extra="forbid")
    unit: Word = ""
    level: Word = ""
    cohort: Word = ""


class CountedIn(WhomIn):
    """A page of those that one number counts."""

    key: Word = Field(default="expected", description="Which number of the batch's page, such as `expected`")
    after: str = Field(
        default="", pattern=r"^([0-9A-Za-z]{4}-?[0-9A-Za-z]{4})?$", description="`next` of the page before"
    )


class TableOut(Answer):
    """A table of a batch, as its page shows it: counts and nobody's name."""

    caption: str
    columns: list[str]
    rows: list[list[str | int | float | bool | None]] = Field(description="Days as YYYY-MM-DD")


class CountedOut(Answer):
    """The students one number of a batch counts, by case; `next` is to be given as `after`."""

    total: int
    cases: list[str]
    next: str | None = None
