"""What may be known and asked: the frozen values that the files under `rules/` are read into.

Source: the definition language, sections 8, 10 and 12.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, model_validator

from engine.definition import Bilingual, Day, Expression, Part, Privacy, Words

Entry = TypeVar("Entry")


class Group(Part):
    """Facts that are closed together; the guards are asked at every write of one of them."""

    title: Bilingual
    guards: Words = ()


def _code_titles(given: object) -> object:
    """A code that is itself a word of the trade needs no second Chinese title."""
    if not isinstance(given, Mapping):
        return given
    return {code: {"zh": code, **title} if isinstance(title, Mapping) else title for code, title in given.items()}


Choice = Annotated[
    Mapping[str, Bilingual],
    BeforeValidator(_code_titles, json_schema_input_type=Mapping[str, Mapping[str, str]]),
]


class Fact(Part):
    """One thing that may be known about a student or a unit."""

    type: str
    title: Bilingual
    group: str | None = None
    privacy: Privacy = Privacy.OPEN
    header: Words = ()
    written_by: Words = ()
    unique: StrictBool = False
    derive: Expression | None = None
    caution: Literal["corrected", "retaken"] | None = None
    source: Words = ()


def _fields_stand_beside(schema: dict[str, Any]) -> None:
    """Tell editors what `_fields_beside_check` reads: every key but `check` is a field."""
    schema["additionalProperties"] = schema["properties"].pop("fields")["additionalProperties"]
    del schema["required"]


class BatchKind(Part):
    """The fields of one kind of batch, and the order their dates must keep."""

    model_config = ConfigDict(json_schema_extra=_fields_stand_beside)

    fields: Mapping[str, Fact]
    check: tuple[Expression, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fields_beside_check(cls, given: object) -> object:
        """In the file the fields stand beside `check`, without a level of their own."""
        if not isinstance(given, Mapping) or "fields" in given:
            return given
        return {
            "fields": {key: value for key, value in given.items() if key != "check"},
            "check": given.get("check", ()),
        }


class Table(Part):
    """A table that others maintain: majors offered, programme rules."""

    title: Bilingual
    columns: Mapping[str, str]


class Vocabulary(Part):
    """Everything that rules may speak of."""

    groups: Mapping[str, Group] = Field(default_factory=dict)
    choices: Mapping[str, Choice] = Field(default_factory=dict)
    student: Mapping[str, Fact] = Field(default_factory=dict)
    unit: Mapping[str, Fact] = Field(default_factory=dict)
    batch: Mapping[str, BatchKind] = Field(default_factory=dict)
    tables: Mapping[str, Table] = Field(default_factory=dict)


class Remedy(Bilingual):
    """Who can mend what a rule refuses, and how."""

    by: str


class Rule(Part):
    """One named condition, its sentence and its remedy; or (`all_of` alone) a set of rules."""

    id: str | None = None
    title: Bilingual | None = None
    source: Words = ()
    of: Literal["case", "file"] = "case"
    let: Mapping[str, Expression] = Field(default_factory=dict)
    applies: Expression | None = None
    holds: Expression | None = None
    show: Mapping[str, Expression] = Field(default_factory=dict)
    otherwise: Bilingual | None = None
    remedy: Remedy | None = None
    all_of: Words = ()

    @model_validator(mode="after")
    def _set_or_condition(self) -> Self:
        """A set says nothing but its members; a condition can be named, cited and read."""
        if self.all_of and self.model_fields_set != {"all_of"}:
            message = "a set of rules has all_of and nothing else"
            raise ValueError(message)
        missing = [key for key in ("id", "title", "source", "otherwise") if not getattr(self, key)]
        if missing and not self.all_of:
            message = f"a rule needs {', '.join(missing)}"
            raise ValueError(message)
        return self


NAMES = ("student_no", "exam_no", "registration_no", "id_number", "number")
"""Columns by which a line of a form says whom it is about, the usual one first; some may be unknown yet of somebody."""


class Document(Part):
    """A form or a piece of evidence; `ticked_by_another`: by somebody else than who handed it in."""

    title: Bilingual
    file: Words = ()
    made_from: str | None = None
    rows: Expression | None = None
    columns: Words = ()
    sort: Words = ()
    sheet: str | None = None
    last_row: str | None = None
    count: int | None = None
    copies: int | None = None
    rules: Words = ()
    ticks: Mapping[str, Bilingual] = Field(default_factory=dict)
    ticked_by_another: StrictBool = False
    source: Words = ()


class UnitKind(Part):
    """A kind of organisation node, and under which kinds it stands."""

    title: Bilingual
    inside: Words = Field(default=(), alias="in")


class Role(Part):
    """A role, at which kinds of unit it may be held, and which other roles nobody holds beside it (三员分立)."""

    title: Bilingual
    held_at: Words
    excludes: Words = ()


class Profile(Part):
    """One way of running things: an institution's or a kind of institution's."""

    title: Bilingual
    before: Literal["inclusive", "exclusive"] = "inclusive"


NOBODY_HOLDS: Mapping[str, Bilingual] = {
    "student": Bilingual(zh="学生本人", en="the student"),
    "effect": Bilingual(zh="其他业务", en="another procedure"),
    "timer": Bilingual(zh="定时", en="the clock"),
    "import": Bilingual(zh="导入", en="an import"),
}
"""Roles that are not given to anybody (language, section 3)."""


class Organisation(Part):
    """Kinds of unit, roles and profiles."""

    units: Mapping[str, UnitKind]
    roles: Mapping[str, Role]
    profiles: Mapping[str, Profile]

    def excluded_beside(self, role: str, held: Collection[str]) -> str | None:
        """Which of the roles somebody holds excludes another one, or None; one that is not known excludes nothing."""
        named = self.roles.get(role)
        return None if named is None else next((one for one in named.excludes if one in held), None)

    def called(self, role: str) -> Bilingual:
        """What a role is called, also one that is given to nobody; its name where the organisation has it no more."""
        known = self.roles.get(role)
        return NOBODY_HOLDS.get(role, Bilingual(zh=role, en=role)) if known is None else known.title


class BatchFile(Part):
    """One batch (届/批次) as written; the fields of its kind stand beside these keys."""

    model_config = ConfigDict(extra="allow", frozen=True)

    batch: str
    kind: str
    title: Bilingual
    profile: str
    source: Words = ()
    units: Words = ("all",)

    @property
    def values(self) -> Mapping[str, object]:
        """The fields of the batch's kind as written, untyped."""
        return self.model_extra or {}


class Stretch(Part):
    """Days on end, the first and the last included; without `to` a single day."""

    title: Bilingual
    first: Day = Field(alias="from")
    until: Day | None = Field(default=None, alias="to")

    @property
    def last(self) -> date:
        """The last day."""
        return self.until or self.first

    def days(self) -> Iterator[date]:
        """Every day."""
        return (self.first + timedelta(days=count) for count in range((self.last - self.first).days + 1))


class CalendarYear(Part):
    """The holidays (放假) and make-up working days (调休上班) of one year's notice of the State Council.

    `provisional`: the notice is not out; the days are those the law names, and every count says so.
    """

    year: int
    status: Literal["confirmed", "provisional"] = "confirmed"
    source: Words = ()
    holidays: tuple[Stretch, ...]
    working_days: tuple[Day, ...] = ()


class TermDates(Part):
    """The first and last day of a term; its vacation ends before the next term, or on the day that is given."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    vacation_to: Day | None = None


TermName = Annotated[str, Field(pattern=r"^[0-9]{4}-[12]$")]
"""A term as it is written: 2024-1 is the first of the academic year 2024/25."""


class LocalCalendar(Part):
    """What stands beside the working days of the country: terms, and days on which nobody works here."""

    source: Words = ()
    terms: Mapping[TermName, TermDates] = Field(default_factory=dict)
    closures: tuple[Stretch, ...] = ()


class TermsFile(LocalCalendar):
    """Terms and closures for everybody, by profile, and of single units (by code) that differ from their profile."""

    profiles: Mapping[str, LocalCalendar] = Field(default_factory=dict)
    units: Mapping[str, LocalCalendar] = Field(default_factory=dict)


class CalendarText(TermsFile):
    """All files under `rules/calendars/`."""

    years: tuple[CalendarYear, ...] = ()


class RulebookHead(Part):
    """From which day a rulebook is in force."""

    title: Bilingual
    effective_from: Day
    source: Words = ()


class RulebookVariant(Part):
    """What one profile has otherwise: a vocabulary of its own, and rules and documents (None: it has none such)."""

    vocabulary: Vocabulary | None = None
    rules: Mapping[str, Rule | None] = Field(default_factory=dict)
    documents: Mapping[str, Document | None] = Field(default_factory=dict)


class RulebookText(Part):
    """All files under `rules/` of one moment: hashed, pinned by batches, named by every event.

    The files as they stand, and beside them what each profile has otherwise, so that one hash pins all of it.
    `functions` is the hash of the source of the registered functions; empty where there are none.
    """

    effective_from: Day
    vocabulary: Vocabulary
    rules: Mapping[str, Rule]
    engine: Mapping[str, Rule]
    documents: Mapping[str, Document]
    organisation: Organisation
    functions: str = ""
    variants: Mapping[str, RulebookVariant] = Field(default_factory=dict)
    calendar: CalendarText = CalendarText()

    def for_profile(self, profile: str) -> Self:
        """The rulebook as a profile reads it; itself where the profile has nothing otherwise."""
        variant = self.variants.get(profile)
        if variant is None:
            return self
        changes = {
            "vocabulary": variant.vocabulary or self.vocabulary,
            "rules": _replaced(self.rules, variant.rules),
            "documents": _replaced(self.documents, variant.documents),
            "variants": {},
        }
        return self.model_copy(update=changes)


def _replaced(entries: Mapping[str, Entry], others: Mapping[str, Entry | None]) -> Mapping[str, Entry]:
    both = {**entries, **others}
    return {name: one for name, one in both.items() if one is not None}
