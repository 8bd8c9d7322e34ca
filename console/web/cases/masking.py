"""What somebody sees of a student's values: in full, masked, or not at all, by the field and by who looks.

Source: the console's specification, section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from console.web.lettering import masked_id, masked_mail, masked_phone
from engine.actors import Actor
from engine.checking.names import people
from engine.definition import Privacy
from engine.records import Case, Json
from engine.steps import Machine

_KNOWN_TO_ALL = frozenset({"name", "name_pinyin", "student_no", "gender"})
"""Personal, and on every list that staff work with."""
_FIELD = "case."
"""How fields of the case itself are called; whoever works on the case has written them."""
_MASKS: Mapping[str, Callable[[str], str]] = {
    "id_number": masked_id,
    "phone": masked_phone,
    "guardian_phone": masked_phone,
    "email": masked_mail,
}


class Eyes(Enum):
    """Who looks: somebody with a part in the case, other staff, an auditor, or the student."""

    HANDLER = "handler"
    STAFF = "staff"
    AUDITOR = "auditor"
    STUDENT = "student"


class Sight(Enum):
    """How much of a value is shown."""

    FULL = "full"
    MASKED = "masked"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Veil:
    """What one person sees of the values of one student.

    Attributes:
        eyes: Who looks.
        privacy: How carefully each fact is handled.
        revealed: What the person has just been shown in full.
    """

    eyes: Eyes
    privacy: Mapping[str, Privacy]
    revealed: frozenset[str] = frozenset()

    def sight(self, fact: str) -> Sight:
        """How much of a fact is shown."""
        is_open = self.privacy.get(fact, Privacy.OPEN) is Privacy.OPEN
        if fact.startswith(_FIELD) and self.eyes is Eyes.HANDLER:
            return Sight.FULL
        if is_open or fact in _KNOWN_TO_ALL or fact in self.revealed or self.eyes is Eyes.STUDENT:
            is_number = fact == "id_number" and fact not in self.revealed
            return Sight.MASKED if is_number and not is_open else Sight.FULL
        if fact not in _MASKS or (self.eyes is Eyes.STAFF and fact != "id_number"):
            return Sight.HIDDEN
        return Sight.MASKED

    def may_reveal(self, fact: str) -> bool:
        """Whether the person may ask for the value in full."""
        is_open = self.privacy.get(fact, Privacy.OPEN) is Privacy.OPEN
        is_fact = not is_open and not fact.startswith(_FIELD)
        return is_fact and self.sight(fact) is not Sight.FULL and self.eyes is not Eyes.STAFF

    def over(self, fact: str, value: Json) -> Json:
        """The value as it is shown; None where nothing of it is."""
        sight = self.sight(fact)
        if value is None or sight is Sight.FULL:
            return value
        return _MASKS[fact](str(value)) if sight is Sight.MASKED else None


def eyes_of(actor: Actor, machine: Machine, case: Case) -> Eyes:
    """Who looks at a case."""
    if actor.is_student(case.student):
        return Eyes.STUDENT
    roles = {who.acting_role for one in machine.definition.transitions.values() for who, _ in people(one)}
    grants = [one for one in (*actor.grants, *actor.delegated) if case.path.startswith(one.path)]
    if any(one.role in roles and one.case in (None, case.id) for one in grants):
        return Eyes.HANDLER
    return Eyes.AUDITOR if any(one.role == "auditor" for one in grants) else Eyes.STAFF


def veil_of(eyes: Eyes, machine: Machine, revealed: frozenset[str] = frozenset()) -> Veil:
    """What those eyes see of the facts of a machine's students."""
    privacy = {name: fact.privacy for name, fact in machine.book.vocabulary.student.items()}
    privacy |= {f"{_FIELD}{name}": field.privacy for name, field in machine.definition.fields.items()}
    return Veil(eyes=eyes, privacy=privacy, revealed=revealed)
