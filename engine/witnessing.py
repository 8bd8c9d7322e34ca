"""Witnessing: what a witness asks of a log's head before it vouches for it, and the text in which it is asked.

The rules are those of C2SP tlog-witness, and the text is the same whether it goes by HTTP or as a file. A witness
remembers of each log the last head it vouched for; whoever calls keeps that, and keeps it before anybody hears.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from engine.errors import nearest
from engine.trail.notes import Checkpoint, Note, NoteError, Verifier
from engine.trail.tree import EMPTY_ROOT, HASH_BYTES, LARGEST_TREE, extends

PLAIN = "text/plain; charset=utf-8"
TREE_SIZE = "text/x.tlog.size"
"""What a witness's answer is when it says which size it expected."""
MOST_BYTES = 100_000
"""Of a request; a path of 63 hashes and a note with some signatures are below a tenth of it."""
_MOST_HASHES = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A head handed to a witness: its note, and the path from a smaller tree of `old` leaves."""

    old: int
    path: tuple[bytes, ...]
    note: Note

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a submission.

        Raises:
            NoteError: If it is none, or larger than any could be.
        """
        if len(body) > MOST_BYTES:
            raise NoteError(f"a submission of {len(body)} bytes is not read; {MOST_BYTES} are")
        head, blank, note = body.partition(b"\n\n")
        try:
            first, *hashes = head.decode("ascii").split("\n")
        except UnicodeDecodeError as fault:
            raise NoteError("a submission begins with ASCII: an old size and a path") from fault
        old = _OLD.fullmatch(first)
        if old is None or not blank or int(old[1]) >= LARGEST_TREE:
            raise NoteError(f"not a submission: {first[:40]!r}; expected: old SIZE, a path, an empty line, a note")
        if len(hashes) > _MOST_HASHES:
            raise NoteError(f"a path of {len(hashes)} hashes is not read; {_MOST_HASHES} are")
        return cls(old=int(old[1]), path=tuple(map(_hash, hashes)), note=Note.parse(note))

    def encoded(self) -> str:
        """The submission as it is sent."""
        return "\n".join([f"old {self.old}", *(b64encode(one).decode() for one in self.path), "", self.note.encoded()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """A witness does not vouch: the status of the answer, its body, and what kind of text that is."""

    status: int
    body: str
    kind: str = PLAIN


def _hash(coded: str) -> bytes:
    try:
        found = b64decode(coded, validate=True)
    except binascii.Error:
        found = b""
    if len(found) != HASH_BYTES or b64encode(found).decode() != coded:
        raise NoteError(f"not a hash of the path: {coded[:60]!r}; expected {HASH_BYTES} bytes in base64")
    return found


def judge(submission: Submission, logs: Iterable[Verifier], last: Checkpoint | None) -> Checkpoint | Declined:
    """The head to vouch for, or why not.

    Args:
        submission: What is handed in.
        logs: The keys of the logs this witness knows; several may sign for one log.
        last: The last head of this log that it vouched for; None: it never did.
    """
    known = tuple(logs)
    try:
        head = Checkpoint.parse(submission.note.text)
    except NoteError as fault:
        return Declined(status=400, body=f"{fault}\n")
    keys = [one for one in known if one.name == head.origin]
    if not keys:
        hint = nearest(head.origin, {one.name for one in known})
        return Declined(status=404, body=f"This witness does not know the log '{head.origin}'.{hint}\n")
    if not any(submission.note.signed_by(key) for key in keys):
        return Declined(status=403, body=f"No key that this witness trusts for '{head.origin}' signed this head.\n")
    return _grown(submission, head, last)


def _grown(submission: Submission, head: Checkpoint, last: Checkpoint | None) -> Checkpoint | Declined:
    """The head, if it shows to be the last one with leaves added."""
    size, root = (0, EMPTY_ROOT) if last is None else (last.size, last.root)
    if submission.old > head.size:
        return Declined(status=400, body=f"The old size {submission.old} is above the size {head.size} of the head.\n")
    if submission.old != size:
        return Declined(status=409, body=f"{size}\n", kind=TREE_SIZE)
    if head.size == size and head.root != root:
        return Declined(status=409, body=f"Another head of size {size} was vouched for: this log has forked.\n")
    if not extends(size, root, head.size, head.root, submission.path):
        return Declined(status=422, body=f"The path does not lead from size {size} to size {head.size}.\n")
    return head
