"""What is wrong with an expression, said to the person who wrote it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(unsafe_hash=True, kw_only=True)
class ExpressionFault(Exception):
    """One fault of one text: what is wrong, where, and what would have been right.

    Attributes:
        code: `expression`, `unknown-fact`, `unknown-field`, `unknown-choice` and so on.
        message: One English sentence, with the nearest right word where there is one.
        offset: Characters before the fault in its text, for the caret.
        let: The `let` whose text is meant; empty for the expression itself.
    """

    code: str
    message: str
    offset: int
    let: str = ""

    def __str__(self) -> str:
        place = f"let {self.let}, " if self.let else ""
        return f"{place}character {self.offset + 1}: {self.message}"


class ExpressionFaults(Exception):
    """Every fault of one expression and of the `let` texts it reads, in the order of reading."""

    def __init__(self, faults: tuple[ExpressionFault, ...]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word is meant, as a sentence to append; list them if they are few."""
    words = sorted(known)
    if close := get_close_matches(word, words, n=1, cutoff=0.6):
        return f" Did you mean '{close[0]}'?"
    few = 12
    return f" Known: {', '.join(words)}." if words and len(words) <= few else ""
