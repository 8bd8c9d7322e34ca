"""One number, one student: in the file and against the database, in one pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exchange.columns import Findings, Line, cell_name
from exchange.faults import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueKey:
    """A column whose values may not repeat, remembering where each was first seen."""

    key: str
    owners: Mapping[str, str]
    """From value to the student number that has it on file."""
    first_seen: dict[str, int] = field(default_factory=dict)

    def check(self, line: Line, findings: Findings) -> None:
        """Refuse a value seen in an earlier row, or on file under another student."""
        value = line.text(self.key)
        if value is None:
            return
        first_row = self.first_seen.setdefault(value, line.number)
        if first_row != line.number:
            cell = cell_name(findings.placed[self.key].index, first_row)
            findings.refuse(line, self.key, _repeated(cell))
        owner, student_no = self.owners.get(value), line.text("student_no")
        if owner is not None and student_no is not None and owner != student_no:
            findings.refuse(line, self.key, _owned(owner))


def _repeated(cell: str) -> Sentence:
    return Sentence(f"与 {cell} 重复", f"the same as {cell}")


def _owned(owner: str) -> Sentence:
    return Sentence(f"已属于学号 {owner}", f"already belongs to student {owner}")
