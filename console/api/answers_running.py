"""What programs of those who run the system send and are answered: definitions, calendars, batches, mails, health."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from console.api.answers import Answer, Words
from console.api.answers_administering import Given
from console.api.errands import Date, Prose, Word

StageOut = Literal["draft", "proposed", "approved", "refused", "withdrawn"]


class ProposalLineOut(Answer):
    """A proposal without its text: who made it, who decided, from which day it is in force."""

    number: int
    file: str
    sha256: str
    stage: StageOut
    effective_on: str | None = None
    reason: str
    made_by: str
    made_at: str
    decided_by: str | None = None
    decided_at: str | None = None
    answer: str


class LineOut(Answer):
    """Lines that stand beside each other; absent where one of the texts has nothing there."""

    old_number: int | None = None
    old: str | None = None
    new_number: int | None = None
    new: str | None = None
    has_changed: bool


class ProposalOut(ProposalLineOut):
    """A proposal with what was found in it, in what it differs, whom it touches, and the texts side by side."""

    faults: list[str]
    differences: list[Words]
    earliest: str = Field(description="The first day from which it may be in force")
    open_cases: int
    batches: int
    places: list[list[LineOut]]


class DraftIn(Given):
    """A file to be published: of definitions or rules its name and text (YAML), or a template `messages/…`.

    `installed`: the template is to be as installed again; the text is not looked at.
    """

    name: Word
    installed: bool = False
    text: str = Field(max_length=500_000, pattern=r"^[^\x00]*$")


class SubmitIn(Given):
    """From which day it is to be in force, and why."""

    effective_on: Date
    reason: Prose


class ReasonIn(Given):
    """Why not."""

    reason: Prose


class ProcedureOut(Answer):
    """A procedure: its file's name, title, id, versions, how many profiles run it, how many cases are open."""

    name: str
    title: Words
    procedure: str
    versions: list[int]
    profiles: int
    open: int


class DefinitionsOut(Answer):
    """Which definitions and files of rules there are."""

    procedures: list[ProcedureOut]
    rules: list[str]


class ProposalsOut(Answer):
    """A page of proposals, the newest first; `next` is to be given as `before`."""

    proposals: list[ProposalLineOut]
    next: int | None = None


class VersionOut(Answer):
    """A version as it was published."""

    profile: str
    version: int
    hash: str
    open: int
    is_in_force: bool
    published_at: str | None = None
    published_by: str | None = None


class DefinitionOut(Answer):
    """One file: its text as in force, its versions, its proposals."""

    name: str
    file: str
    title: Words
    text: str
    versions: list[VersionOut]
    proposals: list[ProposalLineOut]
    is_overtaken: bool


class DayOut(Answer):
    """A day that is not what its weekday says: off, or made up."""

    day: str
    kind: Literal["off", "made-up"]
    reason: Words | None = None


class YearOut(Answer):
    """A year of the calendar in force; `is_confirmed`: its notice is out."""

    year: int
    is_confirmed: bool
    years: list[int]
    working_days: list[int] = Field(description="Of each month, from January on")
    days: list[DayOut]


class TermOut(Answer):
    """A term; `of` is the profile or unit that differs, empty for everybody."""

    of: str
    term: str
    first: str
    last: str


class BatchLineOut(Answer):
    """A batch of the files or of the database."""

    name: str
    title: str
    profile: str
    is_published: bool
    open_fields: int


class BatchFieldOut(Answer):
    """A value of a batch, as text; `can_be_set`: by this interface."""

    name: str
    title: str
    kind: str
    value: str
    can_be_set: bool


class BatchValuesOut(BatchLineOut):
    """A batch with its values and the orders its dates keep."""

    kind: str
    fields: list[BatchFieldOut]
    checks: list[str]


class ValuesIn(Given):
    """Values of a batch to be set; a dry run unless said otherwise."""

    values: dict[Word, Word] = Field(min_length=1, max_length=100)
    dry_run: bool = True


class PublishIn(Given):
    """Whether a batch is really to be published; a dry run unless said otherwise."""

    dry_run: bool = True


class PublishedOut(Answer):
    """How many cases publishing a batch opens, or has opened; none where it was published before."""

    dry_run: bool
    is_published: bool
    opened: int


class TermIn(Given):
    """The term that has begun."""

    term: str = Field(pattern=r"^[0-9]{4}-[0-9]$", description="Such as `2024-1`")


class TermStartedOut(Answer):
    """A term that has begun: for which profiles, how many cases were opened, and how many could not be."""

    term: str
    profiles: list[str]
    opened: int
    not_opened: int


class ChangeOut(Answer):
    """One value as it was and as it is to be."""

    title: str
    old: str
    new: str


class ValuesOut(Answer):
    """The batch as it stands; of a dry run also what setting the values changes, and how many deadlines it moves."""

    dry_run: bool
    changes: list[ChangeOut]
    deadlines: int
    batch: BatchValuesOut


class MailOut(Answer):
    """A mail; addresses are masked and students not named. `is_open`: somebody has to say whether it arrived."""

    number: int
    to: str
    address: str
    slot: str
    attempts: int
    changed_at: str
    answer: str
    is_open: bool


class OutboxOut(Answer):
    """A page of mails in a state, the newest first; `next` is to be given as `before`."""

    mails: list[MailOut]
    next: int | None = None


class SettledOut(Answer):
    """How a mail stands after it was said what became of it, by whoever was first."""

    number: int
    state: str


class PartOut(Answer):
    """One part of the machinery: fine, look (somebody has to), fault (it does not do its work)."""

    name: Words
    health: Literal["fine", "look", "fault"]
    sentence: Words
    remedy: Words | None = None


class WhoseIn(Given):
    """Whose looks are asked for: those of a person by login, or else those at a student."""

    who: Word = ""
    student_no: Word = ""


class LooksIn(WhoseIn):
    """A page of looks, and one of what a person took along."""

    before: int | None = Field(default=None, ge=0, le=2**53 - 1)
    taken_before: int | None = Field(default=None, ge=0, le=2**53 - 1)


class LookOut(Answer):
    """One look: who, when, at which case, and why."""

    at: str
    login: str
    number: str
    workflow: str
    unit: str
    what: str


class TakenOut(Answer):
    """Something taken along: who, when, in the right of which unit, what and how much; never whose it was."""

    seq: int
    at: str
    login: str
    unit: str
    what: str
    many: str


class LooksOut(Answer):
    """A page of looks, the newest first; `next` is to be given as `before`.

    `taken` is what the person took along (of a student nothing says it), `taken_next` to be given as `taken_before`.
    """

    looks: list[LookOut]
    next: int | None = None
    taken: list[TakenOut] = Field(default_factory=list)
    taken_next: int | None = None
