"""What is wrong with a sheet, said to the person who can mend it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in the two languages of the office."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing to mend (or, among the warnings, to look at) in one cell."""

    row: int
    """Counted from 1; the header is row 1."""
    column: str
    """The header as it stands in the file."""
    cell: str
    """The address Excel shows, such as `C7`."""
    value: str
    """What the cell holds; ID numbers are masked."""
    reason: Sentence
    sort: Sentence | None = None
    """What it has in common with others of its kind, such as the title of a rule; None: to be read off the reason."""

    def in_chinese(self) -> str:
        """The fault as one line of a report for the office."""
        return f"第{self.row}行 {self.cell}（{self.column}）“{self.value}”：{self.reason.zh}"

    def in_english(self) -> str:
        """The fault as one line of a report in English."""
        return f"Row {self.row}, {self.cell} ({self.column}) {self.value!r}: {self.reason.en}"

    def as_document(self) -> Mapping[str, object]:
        """The same fault for `--json`."""
        return {
            "row": self.row,
            "column": self.column,
            "cell": self.cell,
            "value": self.value,
            "reason": {"zh": self.reason.zh, "en": self.reason.en},
        }


class Changing(Protocol):
    """A row that knows what it would change."""

    @property
    def changed(self) -> tuple[str, ...]:
        """The keys whose value is new."""
        ...


Row = TypeVar("Row", bound=Changing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet(Generic[Row]):
    """A sheet read whole: all rows, or no row and every fault."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        """Whether the sheet may be imported; warnings do not stand in the way."""
        return not self.faults

    @property
    def changes_nothing(self) -> bool:
        """Whether importing it would leave everything as it is, as the second time does."""
        return self.ok and not any(row.changed for row in self.rows)
