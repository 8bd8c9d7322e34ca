"""Asking witnesses to vouch for the newest head: which there are, by HTTP, and as a file for those without a line.

The file `XUEJI_WITNESSES` is a C2SP tlog-policy, the very one auditors are given: who has a URL in it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from typing_extensions import override

from console.settings import Settings
from engine.errors import Unknown, XuejiError
from engine.store import leaves
from engine.store.database import Connection
from engine.trail.notes import Checkpoint, Note, NoteError, Policy, Signature, Verifier
from engine.trail.tree import consistency_path
from engine.witnessing import Submission

_PATIENCE_SECONDS = 5.0
"""For each answer of a witness; the worker that waits tells people their reminders too."""
_MOST_BYTES = 65_536
"""Of an answer; a cosignature has some 150."""
_CONFLICT = 409


class WitnessesRefused(XuejiError):
    """The file of the witnesses, or an answer of one, cannot be used."""


class Witness(NamedTuple):
    """Who is to vouch: the name the policy has for it, its key, and where it answers (None: by file)."""

    name: str
    key: Verifier
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """Everybody who is to vouch, and how many are enough."""

    policy: Policy
    each: tuple[Witness, ...]

    def one(self, name: str | None) -> Witness:
        """A witness by the policy's name; without a name, the only one there is.

        Raises:
            Unknown: If there is none of that name, or the name is needed.
        """
        found = [one for one in self.each if name in (None, one.name)]
        if len(found) != 1:
            raise Unknown("见证人 witness", name or "—", [one.name for one in self.each])
        return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a witness answered: its signature, or why there is none."""

    witness: str
    signature: Signature | None = None
    why: str = ""


class _Answer(NamedTuple):
    status: int
    body: str


def witnesses_of(settings: Settings) -> Witnesses | None:
    """Who is to vouch; None where nobody is.

    Raises:
        WitnessesRefused: If the file cannot be used; every fault of it is named.
    """
    path = settings.witnesses
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
        policy = Policy.parse(text)
    except (OSError, UnicodeDecodeError, NoteError) as problem:
        message = f"XUEJI_WITNESSES：{path} 不是 tlog-policy 文件 is no policy that can be used: {problem}"
        raise WitnessesRefused(message) from problem
    urls = _urls(text)
    each = tuple(Witness(name, key, urls.get(name)) for name, key in policy.witnesses.items())
    if wrong := [url for url in urls.values() if urlsplit(url).scheme not in {"http", "https"}]:
        message = f"XUEJI_WITNESSES：{path}：应为 http 或 https 地址 expected http or https: {'、'.join(wrong)}"
        raise WitnessesRefused(message)
    return Witnesses(policy=policy, each=each)


def _urls(text: str) -> dict[str, str]:
    lines = (line.split() for line in text.splitlines())
    return {words[1]: words[3].rstrip("/") for words in lines if words[:1] == ["witness"] and len(words) > 3}  # noqa: PLR2004 witness NAME VKEY URL


def submission(connection: Connection, note: Note, old: int) -> Submission:
    """What a witness that last vouched for a head of size `old` is handed."""
    head = Checkpoint.parse(note.text)
    path = consistency_path(min(old, head.size), head.size, leaves.node(connection))
    ours = tuple(one for one in note.signatures if one.name == head.origin)
    return Submission(old=old, path=tuple(path), note=Note(note.text, ours))


def ask_all(connection: Connection, witnesses: Iterable[Witness]) -> tuple[Asked, ...]:
    """Ask everybody who has a URL and has not vouched for the newest head; their signatures are kept.

    All are asked at once; who remembers another size than we do is asked again from there.
    """
    note = leaves.latest(connection)
    if note is None:
        return ()
    size = Checkpoint.parse(note.text).size
    known = leaves.cosigned_sizes(connection)
    left = [(one, known.get(one.key.name, 0)) for one in witnesses if one.url and known.get(one.key.name) != size]
    answers = _answers(connection, note, left)
    again = [
        (one, int(answer.body))
        for (one, old), answer in zip(left, answers, strict=True)
        if answer.status == _CONFLICT and _is_size(answer.body) and old != int(answer.body) <= size
    ]
    second = dict(zip((one.name for one, _ in again), _answers(connection, note, again), strict=True))
    asked = [_read(one, second.get(one.name, first), note) for (one, _), first in zip(left, answers, strict=True)]
    for one in asked:
        if one.signature is not None:
            leaves.keep_cosignature(connection, size, one.signature)
    return tuple(asked)


def _is_size(text: str) -> bool:
    return text.strip().isdecimal() and len(text) <= 20  # noqa: PLR2004 digits of the largest tree


def _answers(connection: Connection, note: Note, left: Sequence[tuple[Witness, int]]) -> list[_Answer]:
    """What each answers; the paths are read here, for a connection belongs to one thread."""
    if not left:
        return []
    handed = [(f"{one.url}/add-checkpoint", submission(connection, note, old).encoded()) for one, old in left]
    with ThreadPoolExecutor(len(handed)) as pool:
        return list(pool.map(_post, handed))


class _NoRedirects(HTTPRedirectHandler):
    """A witness answers itself: followed elsewhere, a POST would turn into a GET."""

    @override
    def redirect_request(self, *_: object) -> None:
        return None


def _post(handed: tuple[str, str]) -> _Answer:
    url, body = handed
    request = Request(url, body.encode(), {"Content-Type": "text/plain; charset=utf-8"}, method="POST")  # noqa: S310 http and https alone come here
    try:
        with build_opener(_NoRedirects).open(request, timeout=_PATIENCE_SECONDS) as answer:
            return _Answer(answer.status, answer.read(_MOST_BYTES).decode("utf-8", "replace"))
    except HTTPError as answer:
        with answer:
            return _Answer(answer.code, answer.read(_MOST_BYTES).decode("utf-8", "replace"))
    except (OSError, HTTPException, ValueError) as problem:
        return _Answer(0, str(getattr(problem, "reason", problem)) or type(problem).__name__)


def _read(witness: Witness, answer: _Answer, note: Note) -> Asked:
    if answer.status != 200:  # noqa: PLR2004 OK
        why = "连不上 not reached" if answer.status == 0 else f"HTTP {answer.status}"
        ahead = " 它见过更大的树：数据库或被退回 it has seen a larger tree" if _is_ahead(answer, note) else ""
        return Asked(witness=witness.name, why=f"{why}: {answer.body.strip()[:200]}{ahead}")
    try:
        return Asked(witness=witness.name, signature=cosignature_in(answer.body, witness.key, note))
    except NoteError as problem:
        return Asked(witness=witness.name, why=problem.sentence)


def _is_ahead(answer: _Answer, note: Note) -> bool:
    is_size = answer.status == _CONFLICT and _is_size(answer.body)
    return is_size and int(answer.body) > Checkpoint.parse(note.text).size


def cosignature_in(lines: str, key: Verifier, note: Note) -> Signature:
    """The witness's signature on a note among the lines of an answer; lines by other keys are passed over.

    Raises:
        NoteError: If there is none, or it is wrong.
    """
    given = [Signature.parse(line) for line in lines.splitlines() if line]
    for one in given:
        if key.verifies(note.text, one):
            return one
    raise NoteError(f"no line of the answer is a good signature of {key.name} on this head")


def read_answer(path: Path) -> str:
    """An answer that came as a file.

    Raises:
        WitnessesRefused: If it cannot be read.
    """
    try:
        if path.stat().st_size <= _MOST_BYTES:
            return path.read_text(encoding="utf-8")
        why = f"{path.stat().st_size} bytes"
    except (OSError, UnicodeDecodeError) as problem:
        raise WitnessesRefused(f"{path} 读不出 cannot be read: {problem}") from problem
    raise WitnessesRefused(f"{path} 太大，不是见证人的答复 is too large for a witness's answer: {why}")
