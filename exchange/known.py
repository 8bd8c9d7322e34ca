"""What the database knows already, as far as a sheet must be compared with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exchange.cells import FactValue


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUnit:
    """A teaching point or branch school in the organisation."""

    name: str
    kind: str
    """`site` or `branch`."""
    parent: str | None
    """The code of the unit above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStudent:
    """A student on file."""

    facts: Mapping[str, FactValue]
    """By fact key, as `RosterRow.facts` has them."""
    site_code: str | None = None
    school_code: str | None = None
    """Five digits, the beginning of certificate numbers; `None` where it is not settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything on file that a sheet is judged against; empty for a new database."""

    students: Mapping[str, KnownStudent] = field(default_factory=dict)
    """By student number."""
    exam_no_owners: Mapping[str, str] = field(default_factory=dict)
    """From candidate number to student number; so the next two."""
    id_number_owners: Mapping[str, str] = field(default_factory=dict)
    certificate_no_owners: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, KnownUnit] = field(default_factory=dict)
    """By code."""


def changed_keys(facts: Mapping[str, FactValue], known: KnownStudent | None) -> tuple[str, ...]:
    """The keys whose value is not on file yet; all of them for a new student."""
    on_file = known.facts if known else {}
    return tuple(key for key, value in facts.items() if on_file.get(key) != value)
