"""Signed heads of the tree as text that other tools read too: C2SP signed-note, tlog-checkpoint, tlog-cosignature.

A note is text and signature lines below it. What a note says counts only once a key that the reader already trusts
has been seen to have signed it; keys are never taken from the note. A `Policy`
says which to trust. Of the assigned kinds of signature there are two here: 1, Ed25519 over the text, and 4, a
witness's cosignature/v1 with its time.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.errors import XuejiError, nearest
from engine.trail.tree import HASH_BYTES, LARGEST_TREE

ED25519 = 1
COSIGNATURE = 4
_KINDS = (ED25519, COSIGNATURE)

_DASH = "\u2014 "  # how a signature line begins
_ID_BYTES = 4
_KEY_BYTES = 32
_TIME_BYTES = 8
_LARGEST_NOTE = 1_000_000  # bytes; a head is some hundred
_MOST_SIGNATURES = 100  # a reader must accept 16
_CHECKPOINT_LINES = 3
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteError(XuejiError):
    """Text that is not the note, checkpoint, key or policy it was read as, or is not believed."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(f"签名文本不可用。{sentence}")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: by whom, and the bytes after the key's id."""

    name: str
    key_id: bytes
    body: bytes

    @classmethod
    def parse(cls, line: str) -> Self:
        """The signature of a line `— NAME BASE64`, without its line break.

        Raises:
            NoteError: If it is not such a line.
        """
        name, _, coded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not is_key_name(name):
            raise NoteError(f"not a signature line: {line[:80]!r}; expected: — NAME BASE64")
        raw = _decoded(coded, "a signature")
        if len(raw) <= _ID_BYTES:
            raise NoteError(f"the signature of {name} is empty")
        return cls(name, raw[:_ID_BYTES], raw[_ID_BYTES:])

    def line(self) -> str:
        """The line as it stands in a note, without its line break."""
        return f"{_DASH}{self.name} {b64encode(self.key_id + self.body).decode()}"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key that signs notes under a name. `kind` is 1 for a log, 4 for a witness."""

    name: str
    key_id: bytes
    kind: int
    public: bytes

    @classmethod
    def of(cls, name: str, kind: int, public: bytes) -> Self:
        """The verifier of an Ed25519 public key (32 bytes); its id follows from the three.

        Raises:
            NoteError: If the name, the kind or the key cannot be a verifier's.
        """
        if not is_key_name(name):
            raise NoteError(f"not the name of a key: {name[:80]!r}; it may hold neither spaces nor '+'")
        if kind not in _KINDS:
            raise NoteError(f"key {name} signs as kind {kind}; known are 1 (Ed25519) and 4 (cosignature/v1)")
        if len(public) != _KEY_BYTES:
            raise NoteError(f"key {name} has {len(public)} bytes; an Ed25519 key has {_KEY_BYTES}")
        return cls(name, sha256(f"{name}\n".encode() + bytes([kind]) + public).digest()[:_ID_BYTES], kind, public)

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """The verifier written `NAME+ID+BASE64`.

        Raises:
            NoteError: If it is not written so, or the id is not that of the name and the key.
        """
        name, _, rest = vkey.partition("+")
        told, plus, coded = rest.partition("+")  # the key itself may hold a plus
        if not plus:
            raise NoteError(f"not a verifier key: {vkey[:80]!r}; expected: NAME+ID+KEY")
        raw = _decoded(coded, f"the key of {name}")
        found = cls.of(name, int.from_bytes(raw[:1]), raw[1:])
        if told != found.key_id.hex():
            raise NoteError(f"the id of key {name} is {found.key_id.hex()}, not {told}: was the key copied whole?")
        return found

    def vkey(self) -> str:
        """How the key is handed to whoever is to check its signatures."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    def verifies(self, text: str, signature: Signature) -> bool:
        """Whether this key made the signature over the text of a note."""
        if (signature.name, signature.key_id) != (self.name, self.key_id):
            return False
        signed, message = signature.body, text
        if self.kind == COSIGNATURE:
            at = timestamp(signature)
            if at is None:
                return False
            signed, message = signed[_TIME_BYTES:], _cosigned(text, at)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signed, message.encode())
        except (InvalidSignature, UnicodeEncodeError):
            return False
        return True


class Signer:
    """A private key that signs notes under a name, as a log (kind 1) or as a witness (kind 4)."""

    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, key: Ed25519PrivateKey, kind: int = ED25519) -> None:
        self._key = key
        self.verifier = Verifier.of(name, kind, key.public_key().public_bytes_raw())

    def sign(self, text: str, at: int | None = None) -> Signature:
        """Sign the text of a note.

        Args:
            text: The text with its last line break.
            at: When, in seconds since 1970: for a cosignature, and for nothing else.

        Raises:
            NoteError: If the text cannot stand in a note.
            ValueError: If a time is missing, or given where none is signed.
        """
        _check_text(text)
        if (at is None) is (self.verifier.kind == COSIGNATURE) or (at is not None and not 0 <= at < LARGEST_TREE):
            message = f"key {self.verifier.name} of kind {self.verifier.kind} cannot sign with the time {at}"
            raise ValueError(message)
        stamp, message = (b"", text) if at is None else (at.to_bytes(_TIME_BYTES), _cosigned(text, at))
        body = stamp + self._key.sign(message.encode())
        return Signature(self.verifier.name, self.verifier.key_id, body)


@dataclass(frozen=True, slots=True)
class Note:
    """Text, ending in a line break, and the signatures below it; whether they are good is for a verifier to say."""

    text: str
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def parse(cls, encoded: bytes | str) -> Self:
        """Read a note; it is not yet known who signed it.

        Raises:
            NoteError: If it is not a signed note, or above 1 MB or 100 signatures.
        """
        whole = _as_text(encoded)
        text, blank, below = whole.rpartition("\n\n")
        text += "\n"
        if not blank or not below.endswith("\n"):
            raise NoteError("not a signed note: expected text, an empty line, and signature lines below it")
        _check_text(text)
        lines = below[:-1].split("\n")
        if len(lines) > _MOST_SIGNATURES:
            raise NoteError(f"a note with {len(lines)} signatures is not read; {_MOST_SIGNATURES} are")
        return cls(text, tuple(map(Signature.parse, lines)))

    def encoded(self) -> str:
        """The note as it is published.

        Raises:
            NoteError: If the text cannot stand in a note, or nobody has signed it.
        """
        _check_text(self.text)
        if not self.signatures:
            raise NoteError("a note that nobody has signed is not published")
        return "\n".join([self.text, *(signature.line() for signature in self.signatures), ""])

    def with_signature(self, *more: Signature) -> Self:
        """The note with further signatures below those it has; one it has already is not repeated."""
        return replace(self, signatures=tuple(dict.fromkeys((*self.signatures, *more))))

    def by(self, verifier: Verifier) -> tuple[Signature, ...]:
        """The signatures that claim to be by this key."""
        told = (verifier.name, verifier.key_id)
        return tuple(one for one in self.signatures if (one.name, one.key_id) == told)

    def signed_by(self, verifier: Verifier) -> bool:
        """Whether this key signed the note: there is a signature by it, and none in its name is wrong."""
        claimed = self.by(verifier)
        return bool(claimed) and all(verifier.verifies(self.text, one) for one in claimed)


def cosigned_at(note: Note, verifier: Verifier) -> int | None:
    """When a witness last cosigned the note, in seconds since 1970; None where it did not, or a line of it is wrong."""
    if verifier.kind != COSIGNATURE or not note.signed_by(verifier):
        return None
    return max(at for one in note.by(verifier) if (at := timestamp(one)) is not None)


def timestamp(signature: Signature) -> int | None:
    """The time that a cosignature names, believed or not; None where its bytes are none."""
    at = int.from_bytes(signature.body[:_TIME_BYTES])
    return at if len(signature.body) == _TIME_BYTES + 64 and at < LARGEST_TREE else None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a tree: whose log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The head that the text of a note tells; lines beyond the third are extensions, and pass unread.

        Raises:
            NoteError: If the text is no checkpoint.
        """
        lines = text.split("\n")
        if lines.pop() or len(lines) < _CHECKPOINT_LINES or not all(lines):
            raise NoteError("not a checkpoint: expected three lines or more (origin, size, root), none of them empty")
        origin, size, coded = lines[:_CHECKPOINT_LINES]
        if not _SIZE.fullmatch(size) or int(size) >= LARGEST_TREE:
            raise NoteError(f"not the size of a tree: {size[:40]!r}; expected a number below 2^63, no zeros before it")
        root = _decoded(coded, "the root")
        if len(root) != HASH_BYTES:
            raise NoteError(f"the root has {len(root)} bytes; expected {HASH_BYTES}")
        return cls(origin, int(size), root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Witnesses, or groups of them, of which `least` must have cosigned."""

    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Whose heads the reader trusts (C2SP tlog-policy): which logs, and which witnesses must have seen them.

    `witnesses` and `groups` go by the names that only the policy knows; `quorum` is one of them, or None.
    """

    logs: tuple[Verifier, ...]
    witnesses: Mapping[str, Verifier]
    groups: Mapping[str, Group]
    quorum: str | None

    @property
    def log(self) -> Verifier:
        """The log; of several, the first."""
        return self.logs[0]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a policy.

        Raises:
            NoteError: With every fault of the file, each with its line.
        """
        reading = _PolicyReading()
        for number, line in enumerate(text.split("\n"), start=1):
            reading.read(number, line)
        reading.end()
        return cls(
            logs=tuple(reading.logs),
            witnesses=MappingProxyType(reading.witnesses),
            groups=MappingProxyType(reading.groups),
            quorum=None if reading.quorum == "none" else reading.quorum,
        )

    def cosigners(self, note: Note) -> tuple[str, ...]:
        """The witnesses that cosigned the note, by their names here."""
        return tuple(name for name, witness in self.witnesses.items() if note.signed_by(witness))

    def is_quorum(self, cosigners: Iterable[str]) -> bool:
        """Whether these witnesses are enough."""
        met = set(cosigners) & self.witnesses.keys()
        for name, group in self.groups.items():  # each names only what stands before it
            if len(met.intersection(group.members)) >= group.least:
                met.add(name)
        return self.quorum is None or self.quorum in met

    def accept(self, note: Note) -> Checkpoint:
        """The head that the note tells, if this policy believes it.

        Raises:
            NoteError: If no log of the policy signed it as its own, or too few witnesses did.
        """
        head = Checkpoint.parse(note.text)
        if not any(log.name == head.origin and note.signed_by(log) for log in self.logs):
            names = ", ".join(log.name for log in self.logs)
            raise NoteError(f"this head of {head.origin!r} is not signed by a log of the policy: {names}")
        found = self.cosigners(note)
        if not self.is_quorum(found):
            raise NoteError(f"the quorum {self.quorum!r} is not met: cosigned by {', '.join(found) or 'nobody'}")
        return head


class _PolicyReading:
    """A policy while its lines are read; faults are gathered, and told together at the end."""

    def __init__(self) -> None:
        self.logs: list[Verifier] = []
        self.witnesses: dict[str, Verifier] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self.faults: list[str] = []
        self._members: set[str] = set()

    def read(self, number: int, line: str) -> None:
        words = [word for word in re.split("[ \t]+", line) if word]
        try:
            if words and not words[0].startswith("#"):
                self._take(words)
        except NoteError as fault:
            self.faults.append(f"line {number}: {fault.sentence}")

    def end(self) -> None:
        self.faults += ["no quorum line; without witnesses it reads: quorum none"] * (self.quorum is None)
        self.faults += ["no log line; it reads: log VKEY"] * (not self.logs)
        if self.faults:
            raise NoteError("; ".join(self.faults))

    def _take(self, words: Sequence[str]) -> None:
        if any(letter < " " or letter == "\x7f" for word in words for letter in word):
            raise NoteError("a control character; lines end with a line feed alone")
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self.logs.append(_of_kind(vkey, ED25519, self.logs))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self.witnesses[self._new(name)] = _of_kind(vkey, COSIGNATURE, self.witnesses.values())
            case ["group", name, least, *members] if members:
                self.groups[self._new(name)] = self._group(least, members)
            case ["quorum", name]:
                self._set_quorum(name)
            case _:
                raise NoteError(f"not understood: {' '.join(words)[:80]!r}; known are log, witness, group, quorum")

    def _new(self, name: str) -> str:
        if name == "none" or name in self.witnesses or name in self.groups:
            raise NoteError(f"the name {name} is taken")
        return name

    def _known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            hint = nearest(name, (*self.witnesses, *self.groups))
            raise NoteError(f"neither witness nor group on a line before this one: {name}.{hint}")

    def _group(self, least: str, members: Sequence[str]) -> Group:
        for name in members:
            self._known(name)
            if name in self._members:
                raise NoteError(f"{name} is already the member of a group, and counts once")
            self._members.add(name)
        count = {"any": 1, "all": len(members)}.get(least, int(least) if _SIZE.fullmatch(least) else 0)
        if not 1 <= count <= len(members):
            raise NoteError(f"a group of {len(members)} needs any, all, or a number from 1 to {len(members)}: {least}")
        return Group(least=count, members=tuple(members))

    def _set_quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise NoteError("a second quorum line; there is exactly one")
        if name != "none":
            self._known(name)
        self.quorum = name


def _of_kind(vkey: str, kind: int, others: Iterable[Verifier]) -> Verifier:
    found = Verifier.parse(vkey)
    if found.kind != kind:
        raise NoteError(f"key {found.name} is of kind {found.kind}; a log's is 1, a witness's is 4")
    if any(found.public == other.public for other in others):
        raise NoteError(f"the key of {found.name} is listed twice")
    return found


def is_key_name(name: str) -> bool:
    """Whether a key may be called so: neither empty, nor with spaces, plus or control characters."""
    return bool(name) and not any(letter.isspace() or letter == "+" or letter < " " for letter in name)


def _cosigned(text: str, at: int) -> str:
    return f"cosignature/v1\ntime {at}\n{text}"


def _as_text(encoded: bytes | str) -> str:
    if len(encoded) > _LARGEST_NOTE:
        raise NoteError(f"a note of {len(encoded)} bytes is not read; {_LARGEST_NOTE} are")
    if isinstance(encoded, str):
        return encoded
    try:
        return encoded.decode()
    except UnicodeDecodeError as fault:
        raise NoteError(f"a note is UTF-8; byte {fault.start} is not") from fault


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("the text of a note ends with a line break")
    strange = next((letter for letter in text if letter < " " and letter != "\n"), None)
    if strange is not None:
        raise NoteError(f"the text of a note holds no control character such as {strange!r}")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise NoteError("the text of a note holds half a character, which UTF-8 cannot say")


def _decoded(coded: str, what: str) -> bytes:
    """Base64 as RFC 4648 section 4 writes it, in its one canonical form."""
    try:
        raw = b64decode(coded.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError) as fault:
        raise NoteError(f"{what} is not base64: {coded[:60]!r}") from fault
    if b64encode(raw).decode() != coded:
        raise NoteError(f"{what} is base64 with spare bits, which nobody writes: {coded[:60]!r}")
    return raw
