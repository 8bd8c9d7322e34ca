#!/usr/bin/env python3
"""学籍留痕离线核验 — checks a xueji audit bundle without believing whoever made it.

    python3 -I xueji_verify.py BUNDLE.zip --policy POLICY [--seen HEAD [--remember]] [--json] [--jobs N]

One file, Python 3.11 and the library `cryptography`; it imports nothing of xueji and shares no code with it, so that
agreement of the two says something. It reads the bundle, the policy and the head you kept; it never uses the network.

Trusted is the policy alone (C2SP tlog-policy: the log's key, the witnesses, their quorum), which must not come out of
the bundle. The checks, in this order, are the sections of this file:

    1  what is found         outcomes and their exit codes
    2  texts                 canonical JSON: RFC 8785 without floats
    3  the policy            and signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature)
    4  the tree              RFC 6962, RFC 9162 section 2.1
    5  the bundle            a zip that may be hostile
    6  laws                  definitions and rulebooks, by the hash of their text
    7  expressions           the three-valued language that rules are written in
    8  rules                 verdicts, computed again from the values that were seen
    9  the ground            who held which role when, told by the registry's own chain
    10 events                bytes, hash, chain, columns, place in the tree, sealed values
    11 a case replayed       state, fields, signatures, rights, rules, deadlines, refusals
    12 a student replayed    facts, with old and new value
    13 spans                 the work cut into pieces for several processes
    14 the whole             the checks in order, and the summary

Exit codes: 0 sound · 10 sound, with events that are not sealed yet · 20 diverged: bytes and seals are good and the
history breaks its own rules · 30 invalid: a signature, tree, hash, chain or text is not what it must be · 40
incomplete: something that must be there is missing · 2 misuse.
"""

from __future__ import annotations

import argparse
import ast
import binascii
import gc
import json
import mmap
import os
import re
import stat
import sys
import tempfile
import unicodedata
import zipfile
from array import array
from base64 import b64decode
from bisect import bisect_right
from calendar import monthrange
from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from itertools import chain as linked
from itertools import groupby, islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Data = Mapping[str, Any]
"""A JSON object of the bundle. What is in it is checked where it is used; `misshapen` answers for the rest."""

# ======================================================================================================================
# 1  What is found
# ======================================================================================================================

SOUND, UNSEALED, DIVERGED, INVALID, INCOMPLETE, MISUSE = 0, 10, 20, 30, 40, 2
GRAVITY = (SOUND, UNSEALED, DIVERGED, INCOMPLETE, INVALID)
"""From the lightest to the gravest; a bundle is as bad as the worst that is found in it."""

OUTCOMES: Mapping[int, tuple[str, str, str]] = {
    SOUND: ("sound", "完好", "sound"),
    UNSEALED: ("unsealed", "完好，但尾部尚未封存", "sound, with an unsealed tail"),
    DIVERGED: ("diverged", "字节与封存无误，但内容与规则不符", "bytes and seals are good, the history is not"),
    INVALID: ("invalid", "无效", "invalid"),
    INCOMPLETE: ("incomplete", "不完整", "incomplete"),
}

CODES: Mapping[str, int] = {
    **dict.fromkeys(("unsealed",), UNSEALED),
    **dict.fromkeys(
        (
            "container", "manifest", "line", "order", "note", "signature", "origin", "rolled-back", "forked",
            "inconsistent", "root", "leaf", "canonical", "hash", "chain", "sequence", "column", "log", "content-hash",
            "commitment",
        ),
        INVALID,
    ),
    **dict.fromkeys(
        (
            "head-missing", "quorum", "no-consistency", "leaf-missing", "event-missing", "definition-missing",
            "rule-missing", "personal-missing",
        ),
        INCOMPLETE,
    ),
    **dict.fromkeys(
        (
            "shape", "kind", "unpublished", "pinned", "opening", "state", "trigger", "target", "applies", "fields",
            "assigned", "rounds", "rests", "signature-place", "signature-twice", "signature-order", "quorum-of-slots",
            "signers", "distinct", "own-case", "right", "delegation", "cause", "timer", "late", "deadline", "effects",
            "documents", "rules", "verdict", "against-rules", "refusal", "retraction", "relocation", "migration",
            "seen", "facts", "row", "erasure",
        ),
        DIVERGED,
    ),
}  # fmt: skip
"""Every code of a finding with what it makes of the bundle. docs/verifying.md explains each."""

MOST_CAUSES = 500_000
"""How many different causes are remembered until all chains are read; what is beyond is counted as not checked."""

MOST_FINDINGS = 200
"""How many findings are told in full; the rest is counted."""


class Finding(NamedTuple):
    """One thing that is wrong: its code, the chain and event (0: as a whole), a sentence in both languages."""

    code: str
    chain: str
    seq: int
    zh: str
    en: str


class Cause(NamedTuple):
    """What another chain's event must be to have caused one: when, by whom, with which effect (empty: any)."""

    chain: int
    seq: int
    at: str
    actor: str
    effect: str


@dataclass(slots=True)
class Report:
    """What was found, what was counted on the way, and which causes are still to be looked up."""

    findings: list[Finding] = field(default_factory=list)
    causes: dict[Cause, tuple[str, int]] = field(default_factory=dict)
    codes: Counter[str] = field(default_factory=Counter)
    tally: Counter[str] = field(default_factory=Counter)

    def add(self, code: str, zh: str, en: str, where: tuple[str, int] = ("", 0)) -> None:
        """Note a finding; `where` is the chain and the event."""
        self.codes[code] += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(code, *where, zh, en))

    def join(self, other: Report) -> None:
        """Take over what another report found."""
        self.codes += other.codes
        self.tally += other.tally
        self.want(other.causes)
        self.findings += other.findings[: MOST_FINDINGS - len(self.findings)]

    def want(self, causes: Mapping[Cause, tuple[str, int]]) -> None:
        """Remember causes to be looked up, each with one event that names it."""
        for one, where in causes.items():
            if one in self.causes or len(self.causes) < MOST_CAUSES:
                self.causes[one] = where
            else:
                self.tally["unjudged: causes beyond those remembered"] += 1

    @property
    def exit_code(self) -> int:
        """The gravest of what was found."""
        return max((CODES[code] for code in self.codes), key=GRAVITY.index, default=SOUND)


class Stop(Exception):
    """A finding after which nothing else can be checked."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code, self.zh, self.en = code, zh, en


class Refused(Stop):
    """The zip cannot be unpacked: whatever was found in it before says nothing."""


class Misuse(Exception):
    """The call itself is wrong: nothing was checked."""


# ======================================================================================================================
# 2  Texts: sorted keys, no spaces, NFC, whole numbers below 2^53 (RFC 8785 without floats)
# ======================================================================================================================

SAFE = 1 << 53
_LONGEST_NUMBER = 16


@lru_cache(maxsize=4096)
def _whole(text: str) -> int:
    number = int(text) if len(text) <= _LONGEST_NUMBER + 1 else SAFE
    if abs(number) >= SAFE:
        raise ValueError("2^53")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(text[:40])


_JSON = json.JSONDecoder(parse_int=_whole, parse_float=_no_number, parse_constant=_no_number)
read_json: Callable[[str], Any] = _JSON.decode
write_json: Callable[[object], str] = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


class NotCanonical(ValueError):
    """A text that is not the one way of writing what it says."""


def read_canonical(text: str) -> Any:  # noqa: ANN401 JSON of the bundle
    """Read a text that must be the canonical form of what it says: written again, it gives the same bytes.

    Raises:
        NotCanonical: If it is anything else.
    """
    try:
        value = read_json(text)
        same = write_json(value) == text
    except (ValueError, RecursionError) as problem:
        raise NotCanonical(str(problem)[:80]) from problem
    if not same or not (text.isascii() or unicodedata.is_normalized("NFC", text)):
        raise NotCanonical("written otherwise")
    return value


def is_hex(text: object, length: int = 64) -> bool:
    """Whether something is that many lower-case hexadecimal digits."""
    return isinstance(text, str) and len(text) == length and _HEX.fullmatch(text) is not None


_HEX = re.compile(r"[0-9a-f]+")
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SPREAD, _SPACE = 0x5851F42D4D, 1 << 40


@lru_cache(maxsize=65536)
def chain_name(chain: int) -> str:
    """How events call a chain: `registry` (0), `case/…` (positive), `student/…` (negative).

    The eight characters are 40 bits in Crockford's base 32, the number times an odd constant modulo 2^40.
    """
    if chain == 0:
        return "registry"
    spread = abs(chain) * _SPREAD % _SPACE
    letters = "".join(_BASE32[spread >> shift & 31] for shift in range(35, -1, -5))
    return f"{'case' if chain > 0 else 'student'}/{letters}"


@lru_cache(maxsize=4096)
def chain_number(name: str) -> int | None:
    """The chain behind a name; None where it is no name of a chain."""
    kind, _, letters = name.partition("/")
    if name == "registry":
        return 0
    if kind not in ("case", "student") or len(letters) != 8 or any(one not in _BASE32 for one in letters):  # noqa: PLR2004 8 x 5 bits
        return None
    spread = 0
    for letter in letters:
        spread = spread << 5 | _BASE32.index(letter)
    number = spread * pow(_SPREAD, -1, _SPACE) % _SPACE
    return number if kind == "case" else -number


# ======================================================================================================================
# 3  The policy and signed notes
# ======================================================================================================================

ED25519, COSIGNATURE = 1, 4
"""Kinds of signature that C2SP signed-note assigns: over the text, and a witness's over the text and a time."""

_DASH = "\u2014 "
_LARGEST_NOTE = 1_000_000
_MOST_SIGNATURES = 100
_LARGEST_TREE = 1 << 48
_SIZE = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)
_KEY_NAME = re.compile(r"[^\s+]+")


class NotSigned(ValueError):
    """A text that is no signed note, checkpoint or key; it says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and the name it signs under (C2SP signed-note, verifier keys)."""

    name: str
    key_id: bytes
    kind: int
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> Key:
        """Read `NAME+ID+KEY`; the id must be that of name and key.

        Raises:
            NotSigned: If it is not written so.
        """
        name, _, rest = vkey.partition("+")
        told, _, coded = rest.partition("+")
        raw = _from_base64(coded)
        if not _KEY_NAME.fullmatch(name) or len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):  # noqa: PLR2004 kind and key
            raise NotSigned(f"not a verifier key: {vkey[:60]!r}")
        key_id = sha256(name.encode() + b"\n" + raw).digest()[:4]
        if key_id.hex() != told:
            raise NotSigned(f"the id of key {name} is {key_id.hex()}, not {told[:20]!r}")
        return cls(name, key_id, raw[0], raw[1:])

    def signed_at(self, note: Note) -> int | None:
        """Whether this key has signed a note: None if not, else the seconds of its cosignature (a log's: 0).

        Raises:
            NotSigned: If a signature under this key is there and is wrong: such a note is rejected as a whole.
        """
        own = [signature for *key, signature in note.signatures if key == [self.name, self.key_id]]
        moments = [self._checked(note.text, signature) for signature in own]
        if None in moments:
            raise NotSigned(f"a signature under {self.name} is wrong")
        return moments[0] if moments else None

    def _checked(self, text: str, signature: bytes) -> int | None:
        at, message = 0, text
        if self.kind == COSIGNATURE:
            at, signature = int.from_bytes(signature[:8]), signature[8:]
            message = f"cosignature/v1\ntime {at}\n{text}"
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message.encode())
        except (InvalidSignature, ValueError):
            return None
        return at


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note: the text, and who claims to have signed it (name, key id, signature)."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    @classmethod
    def parse(cls, encoded: bytes) -> Note:
        """Read a note; who has really signed it is asked of the keys.

        Raises:
            NotSigned: If it is no signed note.
        """
        if len(encoded) > _LARGEST_NOTE:
            raise NotSigned("larger than 1 MB")
        try:
            whole = encoded.decode()
        except UnicodeDecodeError as problem:
            raise NotSigned("not UTF-8") from problem
        text, blank, below = whole.rpartition("\n\n")
        lines = below.split("\n")
        if not blank or lines.pop() or not 0 < len(lines) <= _MOST_SIGNATURES or re.search(r"[\0-\x09\x0b-\x1f]", text):
            raise NotSigned("expected text, an empty line, and signature lines")
        return cls(text + "\n", tuple(map(_signature_line, lines)))


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    name, _, coded = line.removeprefix(_DASH).partition(" ")
    raw = _from_base64(coded)
    if not line.startswith(_DASH) or not _KEY_NAME.fullmatch(name) or len(raw) <= 4:  # noqa: PLR2004 the key's id
        raise NotSigned(f"not a signature line: {line[:60]!r}")
    return name, raw[:4], raw[4:]


def _from_base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise NotSigned(f"not base64: {text[:60]!r}") from problem


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint (C2SP tlog-checkpoint): whose tree, of how many leaves, with which root."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read the text of a checkpoint; extension lines are left alone.

        Raises:
            NotSigned: If it is none.
        """
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0] or not _SIZE.fullmatch(lines[1]) or int(lines[1]) > _LARGEST_TREE:  # noqa: PLR2004 three lines and the end
            raise NotSigned("expected an origin, a size and a root")
        root = _from_base64(lines[2])
        if len(root) != 32:  # noqa: PLR2004 SHA-256
            raise NotSigned("the root is no SHA-256")
        return cls(lines[0], int(lines[1]), root)


@dataclass(slots=True)
class Policy:
    """Whom an auditor trusts (C2SP tlog-policy): logs, witnesses, groups of them, and the quorum."""

    logs: list[Key] = field(default_factory=list)
    witnesses: dict[str, Key] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    quorum: str = ""

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Read a policy.

        Raises:
            Misuse: If a line is wrong, or the log or the quorum is missing; every fault is told.
        """
        policy, faults = cls(), []
        for number, line in enumerate(text.splitlines(), start=1):
            words = line.split()
            if words and not words[0].startswith("#"):
                try:
                    policy.take(words)
                except (NotSigned, ValueError, IndexError) as problem:
                    faults.append(f"  第 {number} 行 line {number}: {line[:80]} — {problem}")
        if not policy.logs:
            faults.append("  缺少 missing: log VKEY")
        if not policy.quorum:
            faults.append("  缺少 missing: quorum NAME | quorum none")
        if faults:
            raise Misuse("\n".join(["策略文件有误 the policy is faulty:", *faults]))
        return policy

    def take(self, words: Sequence[str]) -> None:
        """Read one line."""
        match words:
            case ["log", vkey, *_]:
                self.logs.append(Key.parse(vkey))
            case ["witness", name, vkey, *_] if self._is_new(name):
                self.witnesses[name] = Key.parse(vkey)
            case ["group", name, number, *members] if self._is_new(name) and members:
                self.groups[name] = (self._needed(number, members), list(members))
            case ["quorum", name] if not self.quorum:
                self.quorum = self._known(name)
            case _:
                raise ValueError("log VKEY · witness NAME VKEY · group NAME N MEMBER… · quorum NAME")

    def _is_new(self, name: str) -> bool:
        return name != "none" and name not in self.witnesses and name not in self.groups

    def _known(self, name: str) -> str:
        if name != "none" and self._is_new(name):
            raise ValueError(f"{name}?")
        return name

    def _needed(self, number: str, members: Sequence[str]) -> int:
        known = [self._known(name) for name in members]
        needed = {"any": 1, "all": len(known)}.get(number) or int(number)
        if not 1 <= needed <= len(set(known)) or "none" in known or len(set(known)) != len(known):
            raise ValueError(f"{number} of {len(known)}?")
        return needed

    def is_met(self, seen: Collection[str], name: str | None = None) -> bool:
        """Whether the witnesses in `seen` make up the quorum."""
        name = self.quorum if name is None else name
        if name in self.groups:
            needed, members = self.groups[name]
            return sum(self.is_met(seen, one) for one in members) >= needed
        return name in seen or name == "none"


# ======================================================================================================================
# 4  The tree (RFC 6962, section 2.1; proofs verified as in RFC 9162, sections 2.1.3.2 and 2.1.4.2)
# ======================================================================================================================


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf; the leaf of an event is its hash followed by its MAC."""
    return sha256(b"\0" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


_BLOCK = 12
"""The height of the trees that are computed level by level."""


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, with few of them in memory and as many inner nodes as the tree is high."""
    peaks: list[tuple[int, bytes]] = []
    rest = iter(leaves)
    while block := list(islice(rest, 1 << _BLOCK)):
        if len(block) == 1 << _BLOCK:
            _put(peaks, _BLOCK, _top(block))
        else:
            for leaf in block:
                _put(peaks, 0, leaf)
    root = b""
    for _, digest in reversed(peaks):
        root = node_hash(digest, root) if root else digest
    return root or sha256(b"").digest()


def _top(block: Sequence[bytes]) -> bytes:
    """The root over a power of two of leaf hashes, level by level."""
    while len(block) > 1:
        block = [sha256(b"\1" + left + right).digest() for left, right in zip(block[::2], block[1::2], strict=True)]
    return block[0]


def _put(peaks: list[tuple[int, bytes]], height: int, digest: bytes) -> None:
    """Add a tree to the right of those that stand there, and join those of one height."""
    while peaks and peaks[-1][0] == height:
        digest = node_hash(peaks.pop()[1], digest)
        height += 1
    peaks.append((height, digest))


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf stands at a place of the tree with that size and root."""
    if not 0 <= index < size <= _LARGEST_TREE:
        return False
    place, last, digest = index, size - 1, leaf
    for sibling in path:
        if not last:
            return False
        if place & 1 or place == last:
            digest = node_hash(sibling, digest)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            digest = node_hash(digest, sibling)
        place, last = place >> 1, last >> 1
    return not last and digest == root


def extends(old: Head, new: Head, path: Sequence[bytes]) -> bool:
    """Whether the tree of `new` has the tree of `old` as its beginning."""
    if not 0 < old.size < new.size:
        return not path and (old.size == 0 or old == new)
    hashes = [old.root, *path] if old.size & (old.size - 1) == 0 else list(path)
    place, last = old.size - 1, new.size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = hashes[0] if hashes else b""
    for sibling in hashes[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        place, last = place >> 1, last >> 1
    return not last and before == old.root and after == new.root


# ======================================================================================================================
# 5  The bundle: a zip that may be hostile
# ======================================================================================================================

_ENTRIES = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"manifest\.json", r"head\.note", r"consistency\.jsonl", r"leaves\.bin", r"events\.jsonl", r"personal\.jsonl",
        r"definitions/[0-9a-f]{64}\.json", r"rulebooks/[0-9a-f]{64}\.json", r"cases\.jsonl", r"students\.jsonl",
        r"verifier/[a-z_]{1,40}\.(?:css|html|js|py)", r"README\.txt",
    )
)  # fmt: skip
"""The entries in the order in which they stand; whatever else is in the zip makes it invalid."""

_NEEDED = ("manifest.json", "events.jsonl", "personal.jsonl", "cases.jsonl", "students.jsonl")
_LONGEST_LINE = 4 << 20
_LARGEST_TEXT = 16 << 20
_MOST_ENTRIES = 20_000
_LARGEST_RATIO, _RATIO_FROM = 200, 4 << 20
_LARGEST_WHOLE = 1 << 40
_MOST_CONSISTENCY = 2_000
_PIECE = 1 << 20


def container(en: str) -> Refused:
    """A zip that is refused."""
    return Refused("container", f"审计包不可用：{en}", f"the bundle is refused: {en}")


def _entries(archive: zipfile.ZipFile) -> Mapping[str, zipfile.ZipInfo]:
    """The entries of the zip, each known, once, in order, not overlapping, and not blown up."""
    infos = archive.infolist()
    if len(infos) > _MOST_ENTRIES or sum(one.file_size for one in infos) > _LARGEST_WHOLE:
        raise container("too many entries, or too large")
    rank, end = 0, 0
    for one in infos:
        here = next((place for place, known in enumerate(_ENTRIES) if known.fullmatch(one.filename)), -1)
        if here < rank:
            raise container(f"{one.filename[:60]!r} is unknown, or stands out of order")
        rank = here
        packed = max(one.compress_size, 1)
        if one.flag_bits & 1 or one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise container(f"{one.filename} is encrypted, or packed otherwise than by deflate")
        if one.file_size > _RATIO_FROM and one.file_size / packed > _LARGEST_RATIO:
            raise container(f"{one.filename} unpacks to more than {_LARGEST_RATIO} times its size")
        if one.header_offset < end:
            raise container(f"{one.filename} overlaps another entry")
        end = one.header_offset + one.compress_size
    named = {one.filename: one for one in infos}
    lacking = [name for name in _NEEDED if name not in named]
    if lacking or len(named) != len(infos):
        raise container(f"there is no {', '.join(lacking)}" if lacking else "an entry stands there twice")
    return named


class Lines:
    """A file of JSON lines in rising order of chain (and seq), read from any chain on without an index."""

    def __init__(self, path: Path, size: int | None = None) -> None:
        self.path = path
        self.size = size if size is not None else path.stat().st_size if path.exists() else 0

    def count(self) -> int:
        """How many lines there are."""
        if not self.size:
            return 0
        with self.path.open("rb") as file:
            return sum(piece.count(b"\n") for piece in iter(lambda: file.read(_PIECE), b""))

    def first_from(self, chain: int) -> int:
        """The offset of the first line of a chain or a later one, by bisection."""
        low, high = 0, self.size
        with self.path.open("rb") as file:
            while low < high:
                middle = (low + high) // 2
                file.seek(max(middle - 1, 0))
                if middle:
                    file.readline(_LONGEST_LINE)
                start = file.tell()
                line = _bounded(file.readline(_LONGEST_LINE)) if start < self.size else b""
                if line and chain_of(line) < chain:
                    low = start + len(line)
                else:
                    high = middle
        return low

    def between(self, start: int, end: int) -> Iterator[Data]:
        """The lines from one offset to another."""
        return map(read_line, self.raw(start, end))

    def raw(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of the lines from one offset to another."""
        with self.path.open("rb", buffering=_PIECE) as file:
            file.seek(start)
            at = start
            while at < end:
                line = _bounded(file.readline(_LONGEST_LINE))
                yield line
                at += len(line)


def _bounded(line: bytes) -> bytes:
    if len(line) >= _LONGEST_LINE:
        raise Stop("line", "一行超过 4 MiB", "a line is longer than 4 MiB")
    return line


def read_line(line: bytes) -> Data:
    """One line as JSON."""
    try:
        value = read_json(line.decode())
    except (ValueError, RecursionError) as problem:
        raise Stop("line", "有一行不是 JSON", "a line is no JSON") from problem
    if not isinstance(value, dict):
        raise Stop("line", "有一行不是 JSON 对象", "a line is no JSON object")
    return value


def chain_of(line: bytes) -> int:
    """The chain a line belongs to."""
    chain = read_line(line).get("chain")
    if isinstance(chain, bool) or not isinstance(chain, int) or abs(chain) >= _SPACE:
        raise Stop("line", "有一行没有链号", "a line names no chain")
    return chain


@dataclass(slots=True)
class Bundle:
    """An unpacked bundle: the folder with its lines, its manifest, the head, and the texts it brings."""

    folder: Path
    manifest: Data
    head: bytes | None
    texts: Mapping[str, bytes]

    def lines(self, name: str) -> Lines:
        """The lines of `NAME.jsonl`."""
        return Lines(self.folder / f"{name}.jsonl")

    @property
    def is_whole(self) -> bool:
        """Whether the bundle says that it holds everything."""
        return bool(self.manifest["scope"]["kind"] == "all")


class Span(NamedTuple):
    """A range of the events that holds whole chains, and the chain that follows it (None: it is the last)."""

    start: int
    end: int
    following: int | None


class Unpacking:
    """The events of a bundle, unpacked while those that stand there already are checked."""

    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
        self._pieces = _extracted(archive, entry, path)

    def close(self) -> None:
        """Leave the rest packed."""
        self._pieces.close()

    def finish(self) -> None:
        """Unpack what is left: only at its end is it known that the zip is whole."""
        deque(self._pieces, maxlen=0)

    def spans(self) -> Iterator[Span]:
        """Every event in ranges of about the same size, each as soon as it stands in the file."""
        start = end = 0
        tail, before = b"", None
        for piece in self._pieces:
            whole, newline, tail = (tail + piece).rpartition(b"\n")
            here, end = end, end + len(whole) + len(newline)
            if end - start < _SPAN or not newline:
                continue
            for line in whole.split(b"\n"):
                chain = chain_of(line)
                if before not in (None, chain):
                    yield Span(start, here, chain)
                    start, before = here, None
                    break
                before, here = chain, here + len(line) + 1
        if start < end + len(tail):
            yield Span(start, end + len(tail), None)


@contextmanager
def unpacked(path: Path, folder: Path) -> Iterator[tuple[Bundle, Unpacking]]:
    """Unpack a bundle into an empty folder; its events, which are nearly all of it, as they are asked for.

    Raises:
        Refused: If the zip is not one that an honest exporter writes.
        Stop: If its manifest cannot be read.
    """
    with _refusing():
        archive = zipfile.ZipFile(path)
    with archive:
        with _refusing():
            entries = dict(_entries(archive))
            entry = entries.pop("events.jsonl")
            events = Unpacking(archive, entry, folder / entry.filename)
            for name, one in entries.items():
                if name.endswith(".jsonl") or name == "leaves.bin":
                    deque(_extracted(archive, one, folder / name), maxlen=0)
            texts = {name: _text(archive, one) for name, one in entries.items() if _is_text(name)}
        try:
            manifest = _manifest(texts.pop("manifest.json"))
        except Stop:
            events.finish()
            raise
        with closing(events):
            yield Bundle(folder, manifest, texts.pop("head.note", None), texts), events


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever reading a broken zip raises refuses the bundle."""
    try:
        yield
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError, ValueError) as problem:
        raise container(str(problem)[:120] or "broken") from problem
    except Exception as problem:
        if type(problem).__module__ != "zlib":
            raise
        raise container(str(problem)[:120]) from problem


def _is_text(name: str) -> bool:
    return name in ("manifest.json", "head.note") or name.startswith(("definitions/", "rulebooks/"))


def _extracted(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> Generator[bytes, None, None]:
    """Stream an entry into a file; the zip's own declared size is the bound, which was checked."""
    with _refusing(), archive.open(entry) as source, path.open("xb") as target:
        while piece := source.read(_PIECE):
            target.write(piece)
            target.flush()
            if entry.filename.endswith(".jsonl") and b"\n" not in piece and _is_endless(path, target.tell()):
                raise Refused("line", "一行超过 4 MiB", "a line is longer than 4 MiB")
            yield piece


def _is_endless(path: Path, written: int) -> bool:
    """Whether the last line break lies too far back."""
    with path.open("rb") as file:
        file.seek(max(0, written - _LONGEST_LINE - _PIECE))
        return written > _LONGEST_LINE and b"\n" not in file.read()


def _text(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > _LARGEST_TEXT:
        raise container(f"{entry.filename} is larger than {_LARGEST_TEXT} bytes")
    return archive.read(entry)


def _manifest(text: bytes) -> Data:
    try:
        manifest = read_canonical(text.decode())
        scope = manifest["scope"]
        is_good = (
            manifest["format"] == "xueji-bundle/1"
            and isinstance(manifest["log"], str)
            and scope["kind"] in ("case", "batch", "all")
            and all(type(manifest[key]) is int and 0 <= manifest[key] <= _LARGEST_TREE for key in ("size", "events"))
        )
    except (ValueError, KeyError, TypeError) as problem:
        raise Stop("manifest", "manifest.json 不可读", "manifest.json cannot be read") from problem
    if not is_good:
        raise Stop("manifest", "manifest.json 不是 xueji-bundle/1", "manifest.json is not of xueji-bundle/1")
    return dict(manifest)


# ======================================================================================================================
# 6  Laws: definitions and rulebooks. They go by the SHA-256 of their text; defaults stand out of it
#    (the definition language, sections 3 to 8)
# ======================================================================================================================

NEW, CANCELLED, EFFECT = "new", "cancelled", "effect"
_DEFAULT_ROUNDS = 5
_BUILT_IN: Mapping[str, str] = {
    "state": "text", "open": "yes_no", "unit": "unit", "batch": "batch", "opened_on": "date", "opened_term": "term",
    "entered_on": "date", "rounds": "number", "late": "yes_no", "reason": "text",
}  # fmt: skip
_CLOCK: Mapping[str, str] = {"today": "date", "now": "moment", "this_term": "term"}


def acting_role(who: Data) -> str:
    """The role of the person at the keyboard: who records it, else who does it."""
    return str(who.get("recorded_by") or who["role"])


class Law:
    """One definition under one rulebook, as its profile has both: what a step asks, and what its values mean."""

    def __init__(self, definition: Data, rulebook: Data, books: Library) -> None:
        self.definition = definition
        self.transitions: Mapping[str, Data] = definition["transitions"]
        self.states: Mapping[str, Data] = definition["states"]
        self.fields: Mapping[str, Data] = definition.get("fields", {})
        variant = rulebook.get("variants", {}).get(definition["profile"], {})
        self.rules: Mapping[str, Data] = _replaced(rulebook["rules"], variant.get("rules", {}))
        self.documents: Mapping[str, Data] = _replaced(rulebook["documents"], variant.get("documents", {}))
        self.engine: Mapping[str, Data] = rulebook["engine"]
        self.vocabulary: Data = variant.get("vocabulary") or rulebook["vocabulary"]
        self.facts: Mapping[str, Data] = self.vocabulary.get("student", {})
        self.has_functions = bool(rulebook.get("functions"))
        self.calendar = calendar_of(rulebook.get("calendar", {}), definition["profile"])
        self.derived = {name: fact["derive"] for name, fact in self.facts.items() if fact.get("derive")}
        self._record = books.record_of(definition["profile"])
        self._decoders: dict[str, Callable[[Any], object] | None] = {}
        self._rules: dict[str, Rule] = {}
        self._steps: dict[tuple[str, str], Step] = {}
        self._texts: dict[str, Formula] = {}

    def is_final(self, state: str) -> bool:
        """Whether no move leads on from a state."""
        return state == CANCELLED or bool(self.states.get(state, {}).get("final"))

    def rests(self, state: str) -> bool:
        """Whether counting starts anew in a state."""
        return state != CANCELLED and bool(self.states.get(state, {}).get("rests"))

    def dimensions(self) -> list[str]:
        """The fields that are part of what a case is about: `batch`, and every `case.FIELD`."""
        about = self.definition["about"]
        batch = ["batch"] if any(one.startswith("batch ") for one in about) else []
        return batch + [one.removeprefix("case.") for one in about if one.startswith("case.")]

    def batch_kind(self) -> str:
        """The kind of batch a case belongs to; empty where to none."""
        kinds = [one.removeprefix("batch ") for one in self.definition["about"] if one.startswith("batch ")]
        written = str(self.fields.get("batch", {}).get("type", ""))
        kinds += [written.removeprefix("batch ")] if written.startswith("batch ") else []
        return kinds[0] if kinds else ""

    def type_of(self, key: str) -> str:
        """The type of what a key names, as definitions write types; empty where it is not known."""
        group, dot, name = key.partition(".")
        if not dot:
            return str(self.facts.get(key, {}).get("type") or _CLOCK.get(key, ""))
        if group == "case":
            return str(self.fields.get(name, {}).get("type") or _BUILT_IN.get(name, ""))
        if group == "record":
            return str(self._record.get(name, {}).get("type") or _BUILT_IN.get(name, ""))
        if group == "batch":
            kinds = self.vocabulary.get("batch", {}).get(self.batch_kind(), {})
            return str(kinds.get("fields", {}).get(name, {}).get("type", ""))
        if group == "file":
            return "number" if name not in ("kind", "stem") else "text"
        return str(self.vocabulary.get("unit", {}).get(name, {}).get("type", ""))

    def value(self, key: str, raw: Any) -> object:  # noqa: ANN401 JSON of the bundle
        """The value behind JSON, by the type of its key."""
        if raw is None:
            return None
        if key not in self._decoders:
            self._decoders[key] = decoder_of(self.type_of(key))
        decode = self._decoders[key]
        return plain_value(raw) if decode is None else decode(raw)

    def is_personal(self, key: str) -> bool:
        """Whether the value of a key may stand behind a commitment only."""
        owner = self.fields if key.startswith("case.") else self.facts
        return bool(owner.get(key.removeprefix("case."), {}).get("privacy", "open") != "open")

    def codes(self, key: str) -> tuple[str, ...]:
        """The codes of the choice list that a field or fact takes its values from."""
        return tuple(self.vocabulary.get("choices", {}).get(self.type_of(key).removeprefix("choice "), ()))

    def formula(self, text: str) -> Formula:
        """An expression of the definition, read once."""
        if text not in self._texts:
            self._texts[text] = Formula(Reader(self, {}).read(text), self)
        return self._texts[text]

    def rule(self, name: str) -> Rule:
        """A single rule, read once."""
        if name not in self._rules:
            self._rules[name] = Rule(self, name, self.rules[name])
        return self._rules[name]

    def step(self, trigger: str, slot: str = "") -> Step:
        """A transition, or what one of its slots asks."""
        key = (trigger, slot)
        if key not in self._steps:
            self._steps[key] = Step(self, trigger, slot)
        return self._steps[key]

    def flat(self, names: Iterable[str]) -> list[str]:
        """Rules by name, sets opened, each once."""
        found: dict[str, None] = {}
        for name in names:
            if name not in self.rules:
                raise MissingRule(name)
            several = self.rules[name].get("all_of")
            found.update(dict.fromkeys(self.flat(several) if several else [name]))
        return list(found)


class MissingRule(Exception):
    """A rule that is named and is not in the rulebook."""


def _replaced(entries: Mapping[str, Data], others: Mapping[str, Data | None]) -> Mapping[str, Data]:
    return {name: one for name, one in {**entries, **others}.items() if one is not None}


class Fitting(NamedTuple):
    """Those whom a step waits for that a role fits, and for whom it may be recorded as done (None: for nobody)."""

    who: list[Data]
    done_by: frozenset[str | None]

    @classmethod
    def among(cls, waiting: Iterable[Data], role: str, *, is_caused: bool) -> Fitting:
        """Those of some who act in a role; where another case's step has caused this one, whoever stands for that."""
        if is_caused:
            who = [one for one in waiting if one["role"] in (EFFECT, "members")]
        else:
            who = [one for one in waiting if role in (acting_role(one), one["role"])]
        return cls(who, frozenset(one["role"] if one.get("recorded_by") else None for one in who))


class Step:
    """What one transition asks and does, taken apart once; with a slot, as that slot takes it."""

    def __init__(self, law: Law, trigger: str, slot: str) -> None:
        one = law.transitions[trigger]
        self.one, self.law, self.trigger = one, law, trigger
        self.kind = one.get("kind", "advance")
        self.targets: Sequence[str] = one.get("to", ())
        self.sign: Data | None = one.get("sign")
        own = {} if self.sign is None else self.sign["slots"].get(slot, {})
        self.needs = [*one.get("needs", ()), *own.get("needs", ())]
        self.has_papers = bool(self.needs or one.get("reviews") or one.get("issues"))
        self.sets: Mapping[str, str | None] = one.get("set", {})
        self.effects: Sequence[Data] = one.get("then", ())
        asks = list(one.get("asks", ()))
        self.asks = asks if self.kind == "advance" or "reason" in asks else [*asks, "reason"]
        opens = one["from"] == [NEW]
        dimensions = law.dimensions() if opens else []
        started = {name for name, field in law.fields.items() if field.get("starts")}
        self.required = [*self.asks, *(name for name in dimensions if name not in started)]
        targets = {name.removeprefix("case.") for name in self.sets if name.startswith("case.")}
        self.may_set = {*self.asks, *one.get("accepts", ()), *dimensions, *targets, *(started if opens else ())}
        named = [*one.get("guards", ()), *own.get("guards", ()), *self._of_groups()]
        self.guards = [law.rule(name) for name in law.flat(named)]
        self.unless = [law.rule(name) for name in law.flat(one.get("unless", ()))]
        self.warns = [law.rule(name) for name in law.flat(one.get("warns", ()))]
        self.rules = [*self.guards, *self.unless, *self.warns]
        self.apart = _apart_from(law, trigger, slot)
        self.names = {rule.name for rule in self.rules}
        self.applies = law.formula(one["applies"]) if one.get("applies") else None
        self.waits_for: list[Data] = [*one.get("by", ()), *([{"role": one["when"]}] if one.get("when") else [])]
        self._fitting: dict[tuple[str, bool], Fitting] = {}
        strangers = self.applies is not None and bool(self.applies.strangers)
        self.is_opaque = strangers or any(rule.is_opaque for rule in self.rules)

    def fitting(self, role: str, *, is_caused: bool) -> Fitting:
        """Those whom the step itself waits for and who act in a role, or as whom another case's step acts."""
        key = (role, is_caused)
        if key not in self._fitting:
            self._fitting[key] = Fitting.among(self.waits_for, role, is_caused=is_caused)
        return self._fitting[key]

    def _of_groups(self) -> list[str]:
        """The rules asked whenever a fact of a group is written (language.md, section 11)."""
        facts, groups = self.law.facts, self.law.vocabulary.get("groups", {})
        written = [name.partition(".")[2] for name in self.sets if name.startswith("student.")]
        named = sorted({str(facts[name]["group"]) for name in written if facts.get(name, {}).get("group")})
        return [rule for group in named for rule in groups[group].get("guards", ())]

    def against(self, said: Mapping[str, str]) -> list[tuple[Rule, str]]:
        """What stands in the way: guards that do not hold, and `unless` when none of its rules fails."""
        if not self.unless and "fails" not in said.values() and "undecided" not in said.values():
            return []
        found = [(rule, said[rule.name]) for rule in self.guards if said[rule.name] in ("fails", "undecided")]
        unless = [(rule, said[rule.name]) for rule in self.unless]
        undecided = [pair for pair in unless if pair[1] == "undecided"]
        if undecided or not unless or any(word == "fails" for _, word in unless):
            return found + undecided
        return found + [(rule, "fails") for rule, _ in unless]


class Library:
    """All texts of the bundle by hash, and the laws they make together."""

    def __init__(self, definitions: Mapping[str, Data], rulebooks: Mapping[str, Data]) -> None:
        self.definitions = definitions
        self.rulebooks = rulebooks
        self._laws: dict[tuple[str, str], Law] = {}

    def law(self, shape: str, rulebook: str) -> Law | None:
        """A definition under a rulebook; None where one of them is not there."""
        key = (shape, rulebook)
        if key not in self._laws:
            if shape not in self.definitions or rulebook not in self.rulebooks:
                return None
            self._laws[key] = Law(self.definitions[shape], self.rulebooks[rulebook], self)
        return self._laws[key]

    def record_of(self, profile: str) -> Mapping[str, Data]:
        """The fields of a profile's record, as far as the bundle brings its definition."""
        return {
            name: one
            for definition in self.definitions.values()
            if definition.get("record") and definition["profile"] == profile
            for name, one in definition.get("fields", {}).items()
        }


def library_of(texts: Mapping[str, bytes], report: Report) -> Library:
    """Read the texts, each of which must have the hash it is named by."""
    found: dict[str, dict[str, Data]] = {"definitions": {}, "rulebooks": {}}
    for name, text in texts.items():
        folder, _, file = name.partition("/")
        digest = file.removesuffix(".json")
        if sha256(text).hexdigest() != digest:
            zh, en = f"{folder} {digest[:8]} 的内容与哈希不符", f"the text of {folder} {digest[:8]} has another hash"
            report.add("content-hash", zh, en)
            continue
        try:
            found[folder][digest] = json.loads(text)
        except (ValueError, RecursionError):
            report.add("content-hash", f"{folder} {digest[:8]} 不是 JSON", f"{folder} {digest[:8]} is no JSON")
    return Library(found["definitions"], found["rulebooks"])


# ======================================================================================================================
# 7  Expressions: Python's grammar through an allow-list, three-valued (the definition language, section 10)
#
#    A call on rows, documents or history (`none(cases('leave'), it.open)`) is not computed: what it came to when the
#    step was taken was recorded under its own text, and is looked up. So is `x in TABLE`.
# ======================================================================================================================

SHANGHAI = timezone(timedelta(hours=8))
_LONGEST_EXPRESSION, _MOST_NODES, _MOST_BRACKETS = 4_000, 500, 40
_TOKEN = re.compile(
    r"[ \n]+|(?P<text>'[^'\\\n]*')|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>==|!=|<=|>=|[<>+\-().,]|\*(?!\*))"
)
_WORDS = frozenset({"and", "or", "not", "in", "if", "else"})
_HIDE = "_x_"
"""Put before every name, so that `class` and other words that only Python reserves are names like any other."""

_CONDITIONAL, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _MINUS, _PRIMARY = range(9)
_SIGNS: Mapping[type[ast.AST], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*",
}  # fmt: skip
_ROW_SOURCES = frozenset({"cases", "others", "rows", "same_person"})
_ANSWERS = frozenset(
    {"has", "reviewed", "same_students", "empty_fields", "differing_fields", "taken", "before", "within"}
)
_OVER_ROWS = frozenset({"every", "any", "none", "where", "count", "values"})

Values = Mapping[str, Any]
"""What is known, by key; absent is missing."""


class NotAnExpression(ValueError):
    """A text that is not of the language."""


@dataclass(frozen=True, slots=True)
class Node:
    """One part of an expression: what it does, its canonical text, how tightly that binds, its parts."""

    what: str
    text: str
    rank: int = _PRIMARY
    parts: tuple[Node, ...] = ()
    value: object = None

    @property
    def is_looked_up(self) -> bool:
        """Whether its value was recorded as a whole."""
        return self.what in ("fetched", "over") or (self.what == "in" and self.parts[1].value == "rows")

    def inside(self, rank: int) -> str:
        """Its text where something of a rank is wanted."""
        return self.text if self.rank >= rank else f"({self.text})"

    def size(self) -> int:
        """How many nodes it is made of, written out."""
        return 1 + sum(part.size() for part in self.parts)


class Reader:
    """Reads expressions for one law; `lets` are texts that stand for their names."""

    def __init__(self, law: Law, lets: Mapping[str, str]) -> None:
        self._law = law
        self._lets = {**law.derived, **lets}
        self._done: dict[str, Node] = {}
        self._under_way: list[str] = []
        self._source = b""

    def read(self, text: str) -> Node:
        """Read one text.

        Raises:
            NotAnExpression: If it is not of the language, or too large.
        """
        source = _as_python(text)
        try:
            tree = ast.parse(source, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
            raise NotAnExpression(text[:80]) from problem
        before, self._source = self._source, source.encode()
        try:
            node = self._node(tree)
        finally:
            self._source = before
        if node.size() > _MOST_NODES:
            raise NotAnExpression("too large")
        return node

    def _node(self, at: ast.expr) -> Node:
        match at:
            case ast.Name(id=name):
                return self._name(name.removeprefix(_HIDE))
            case ast.Attribute(value=ast.Name(id=group), attr=name):
                return self._dotted(group.removeprefix(_HIDE), name.removeprefix(_HIDE))
            case ast.Constant():
                return self._constant(at)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name.removeprefix(_HIDE), arguments)
            case ast.Tuple(elts=[_, *_] as items):
                return _tuple([self._node(one) for one in items])
            case _:
                return self._operation(at)

    def _operation(self, at: ast.expr) -> Node:
        match at:
            case ast.BoolOp(op=op, values=parts):
                return _junction("and" if isinstance(op, ast.And) else "or", [self._node(one) for one in parts])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return _not(self._node(operand))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                part = self._node(operand)
                return Node("negative", f"-{part.inside(_PRIMARY)}", _MINUS, (part,))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
                return _arithmetic(_SIGNS[type(op)], self._node(left), self._node(right))
            case ast.IfExp(test=test, body=then, orelse=otherwise):
                return _conditional(self._node(then), self._node(test), self._node(otherwise))
            case ast.Compare():
                return self._comparison(at)
            case _:
                raise NotAnExpression(type(at).__name__)

    def _name(self, name: str) -> Node:
        if name in ("true", "false"):
            return Node("constant", name, value=name == "true")
        if name in self._lets:
            return self._let(name)
        return Node("fetched", name, value="members") if name == "members" else Node("name", name)

    def _let(self, name: str) -> Node:
        if name in self._under_way or len(self._under_way) > _MOST_BRACKETS:
            raise NotAnExpression(f"{name} is made of itself")
        if name not in self._done:
            self._under_way.append(name)
            self._done[name] = self.read(self._lets[name])
            self._under_way.pop()
        return self._done[name]

    def _dotted(self, group: str, name: str) -> Node:
        return Node("column" if group == "it" else "name", f"{group}.{name}")

    def _constant(self, at: ast.Constant) -> Node:
        text = self._source[at.col_offset : at.end_col_offset].decode()
        if isinstance(at.value, str):
            return Node("constant", text, value=at.value)
        return Node("constant", text, value=Decimal(text) if "." in text else int(text))

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> Node:
        parts = tuple(self._node(one) for one in arguments)
        text = f"{name}({', '.join(part.text for part in parts)})"
        if name in _ROW_SOURCES or name in _ANSWERS:
            return Node("fetched", text, value=name)
        if name in _OVER_ROWS:
            return Node("over", text, parts=parts, value=name)
        return Node("call", text, parts=parts, value=name)

    def _comparison(self, at: ast.Compare) -> Node:
        sides = [self._node(at.left)]
        for operator, one in zip(at.ops, at.comparators, strict=True):
            sides.append(self._options(one) if isinstance(operator, ast.In | ast.NotIn) else self._node(one))
        links = [_link(operator, *pair) for operator, pair in zip(at.ops, pairwise(sides), strict=True)]
        return links[0] if len(links) == 1 else _junction("and", links)

    def _options(self, at: ast.expr) -> Node:
        """What stands right of `in`: a bare name that is no fact and no `let` is a table."""
        if isinstance(at, ast.Name):
            name = at.id.removeprefix(_HIDE)
            if name not in self._lets and not self._law.type_of(name):
                return Node("fetched", name, value="rows")
        return self._node(at)


def _as_python(text: str) -> str:
    """The text for Python's parser, if every token is one of ours."""
    text = text.strip().replace("\n", " ")
    if not text or len(text) > _LONGEST_EXPRESSION:
        raise NotAnExpression("empty, or too long")
    found, at, depth = [], 0, 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise NotAnExpression(f"{text[at : at + 20]!r}")
        word = token[0]
        depth += {"(": 1, ")": -1}.get(word, 0)
        if not 0 <= depth <= _MOST_BRACKETS:
            raise NotAnExpression("brackets")
        found.append(_HIDE + word if token["name"] and word not in _WORDS else word)
        at = token.end()
    return "".join(found)


def _tuple(items: Sequence[Node]) -> Node:
    text = f"({', '.join(one.text for one in items)}{',' * (len(items) == 1)})"
    return Node("tuple", text, parts=tuple(items))


def _junction(word: str, parts: Sequence[Node]) -> Node:
    rank = _OR if word == "or" else _AND
    return Node(word, f" {word} ".join(one.inside(rank + 1) for one in parts), rank, tuple(parts))


def _not(part: Node) -> Node:
    if part.what == "in":
        item, options = part.parts
        return Node("not", _among(item, "not in", options), _COMPARISON, (part,))
    return Node("not", f"not {part.inside(_NOT)}", _NOT, (part,))


def _arithmetic(sign: str, left: Node, right: Node) -> Node:
    rank, above = (_PRODUCT, _MINUS) if sign == "*" else (_SUM, _PRODUCT)
    return Node(sign, f"{left.inside(rank)} {sign} {right.inside(above)}", rank, (left, right))


def _conditional(then: Node, test: Node, otherwise: Node) -> Node:
    text = f"{then.inside(_OR)} if {test.inside(_OR)} else {otherwise.inside(_CONDITIONAL)}"
    return Node("if", text, _CONDITIONAL, (then, test, otherwise))


def _link(operator: ast.cmpop, left: Node, right: Node) -> Node:
    if not isinstance(operator, ast.In | ast.NotIn):
        sign = _SIGNS[type(operator)]
        return Node(sign, f"{left.inside(_SUM)} {sign} {right.inside(_SUM)}", _COMPARISON, (left, right))
    if right.value == "rows" and right.what == "fetched" and left.what != "tuple":
        left = _tuple([left])
    among = Node("in", _among(left, "in", right), _COMPARISON, (left, right))
    return _not(among) if isinstance(operator, ast.NotIn) else among


def _among(item: Node, word: str, options: Node) -> str:
    table = re.fullmatch(r"rows\('([^']*)'\)", options.text)
    return f"{item.inside(_SUM)} {word} {table[1] if table else options.text}"


# --- values -----------------------------------------------------------------------------------------------------------

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MONEY = re.compile(r"-?[0-9]{1,15}\.[0-9]{2}", re.ASCII)
_TERM = re.compile(r"([0-9]{4})-([1-9])", re.ASCII)


class WrongValue(ValueError):
    """JSON that is no value of its type."""


def _day(raw: object) -> date:
    if not isinstance(raw, str) or not _DAY.fullmatch(raw):
        raise WrongValue(raw)
    return date.fromisoformat(raw)


def _moment(raw: object) -> datetime:
    if not isinstance(raw, str) or not _MOMENT.fullmatch(raw):
        raise WrongValue(raw)
    return datetime.fromisoformat(raw)


def _money(raw: object) -> Decimal:
    if not isinstance(raw, str) or not _MONEY.fullmatch(raw):
        raise WrongValue(raw)
    return Decimal(raw)


def _clock(raw: object) -> time:
    if not isinstance(raw, str) or not re.fullmatch(r"[0-9]{2}:[0-9]{2}", raw, re.ASCII):
        raise WrongValue(raw)
    return time.fromisoformat(raw)


def _term(raw: object) -> tuple[int, int]:
    found = _TERM.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        raise WrongValue(raw)
    return int(found[1]), int(found[2])


def _typed(kind: type) -> Callable[[object], object]:
    def as_it_is(raw: object) -> object:
        """The JSON itself, if it is of that kind."""
        if type(raw) is not kind:
            raise WrongValue(raw)
        return raw

    return as_it_is


_DECODERS: Mapping[str, Callable[[Any], object]] = {
    "yes_no": _typed(bool), "number": _typed(int), "money": _money, "date": _day, "moment": _moment, "clock": _clock,
    "term": _term, "text": _typed(str), "code": _typed(str),
}  # fmt: skip


def decoder_of(written: str) -> Callable[[Any], object] | None:
    """What makes a value out of JSON for a type; None where the JSON shows it (`plain_value`)."""
    if written.startswith("set of "):
        parts = [_decoder_in_set(part.strip()) for part in written.removeprefix("set of ").split(" and ")]
        return lambda raw: frozenset(
            tuple(decode(one) for decode, one in zip(parts, element, strict=True)) for element in raw
        )
    if written.partition(" ")[0] in ("choice", "state", "unit", "batch"):
        return _DECODERS["text"]
    return _DECODERS.get(written)


def _decoder_in_set(written: str) -> Callable[[Any], object]:
    return decoder_of(written) or plain_value


def plain_value(raw: Any) -> object:  # noqa: ANN401 JSON of the bundle
    """A value whose type is not declared: one that carries its type along, a list, or what stands there."""
    if isinstance(raw, dict) and len(raw) == 1:
        ((name, inner),) = raw.items()
        return _DECODERS[name](inner)
    return tuple(map(plain_value, raw)) if isinstance(raw, list) else raw


def encoded(value: object) -> object:
    """A computed value as events write it."""
    match value:
        case Decimal():
            return f"{abs(value) if value == 0 else value:.2f}"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()[:10] if isinstance(value, date) else f"{value:%H:%M}"
        case frozenset():
            return sorted(([encoded(part) for part in one] for one in value), key=repr)
        case tuple():
            is_term = len(value) == 2 and all(type(part) is int for part in value)  # noqa: PLR2004 year and number
            return "{:04}-{}".format(*value) if is_term else [encoded(one) for one in value]
        case _:
            return value


def _alike(one: Any, other: Any) -> tuple[Any, Any]:  # noqa: ANN401 values of the language
    """Two values ready to be compared: a text beside a day, a clock, money or a term is read as such."""
    if isinstance(one, str) is isinstance(other, str):
        return one, other
    return (_read_as(one, other), other) if isinstance(one, str) else (one, _read_as(other, one))


def _read_as(text: str, beside: object) -> object:
    match beside:
        case datetime():
            return _moment(text)
        case date():
            return _day(text)
        case time():
            return _clock(text)
        case Decimal():
            return _money(text)
        case tuple():
            return _term(text)
        case _:
            return text


# --- dates (counting rules: requirements.md, 4.1) ---------------------------------------------------------------------

_MOST_DAYS = 10_000


def days_after(day: date, days: int) -> date:
    """Calendar days; the day itself is not counted."""
    return day + timedelta(days=days)


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or its last day."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, min(day.day, monthrange(day.year + years, month + 1)[1]))


def teaching_week_end(first: date, week: int) -> date:
    """The Sunday of a teaching week; week 1 is the calendar week of the first day."""
    return first + timedelta(days=7 * week - 1 - first.weekday())


class Calendar:
    """Working days and terms of a rulebook, as a profile goes by them."""

    def __init__(self, text: Data, profile: str) -> None:
        layers = [text, text.get("profiles", {}).get(profile, {})]
        years = text.get("years", ())
        self._off = {day for year in years for one in year["holidays"] for day in _stretch(one)}
        self._made_up = {_day(one) for year in years for one in year.get("working_days", ())}
        self._closed = {day for layer in layers for one in layer.get("closures", ()) for day in _stretch(one)}
        self._terms = {_term(name): one for layer in layers for name, one in layer.get("terms", {}).items()}
        self._spans = sorted((_day(one["from"]), self._end(term), term) for term, one in self._terms.items())

    def _end(self, term: tuple[int, int]) -> date:
        """The last day of a term with its vacation, which lasts until the next term or the day that is given."""
        own = self._terms[term]
        following = self._terms.get((term[0], 2) if term[1] == 1 else (term[0] + 1, 1))
        if own.get("vacation_to"):
            return _day(own["vacation_to"])
        return _day(own["to"]) if following is None else _day(following["from"]) - timedelta(days=1)

    def _is_working_day(self, day: date) -> bool:
        if day in self._closed:
            return False
        return day in self._made_up or (day.isoweekday() <= 5 and day not in self._off)  # noqa: PLR2004 Friday

    def working_days_after(self, day: date, days: int) -> date | None:
        """Working days, make-up working days (调休) included; the day itself is not counted."""
        if abs(days) > _MOST_DAYS:
            return None
        left, step = abs(days), timedelta(days=1 if days > 0 else -1)
        while left:
            day += step
            left -= self._is_working_day(day)
        return day

    def term_of(self, day: date) -> tuple[int, int] | None:
        """The term a day belongs to."""
        place = bisect_right(self._spans, day, key=lambda span: span[0]) - 1
        return self._spans[place][2] if place >= 0 and day <= self._spans[place][1] else None

    def first_day(self, term: tuple[int, int]) -> date | None:
        """The first day of a term, if it is set."""
        return _day(self._terms[term]["from"]) if term in self._terms else None

    def last_day(self, term: tuple[int, int]) -> date | None:
        """The last day of a term, if it is set."""
        return _day(self._terms[term]["to"]) if term in self._terms else None


def calendar_of(text: Data, profile: str) -> Calendar | None:
    """The calendar of a rulebook; None where it has none: what needs one is undecided."""
    return Calendar(text, profile) if text else None


def _stretch(one: Data) -> Iterator[date]:
    first = _day(one["from"])
    last = _day(one["to"]) if one.get("to") else first
    return (first + timedelta(days=count) for count in range(min((last - first).days + 1, _MOST_DAYS)))


_ITEM = re.compile(
    r"(?:\[(?P<some>[^\[\]\\^]+)\]|(?P<one>[^\[\]{}()\\.*+?|^$]))(?:\{(?P<least>[0-9]{1,2})(?:,(?P<most>[0-9]{1,2}))?\})?"
)


def matches(text: str, pattern: str) -> bool:
    """Whether the whole text has the form: characters, `[classes]` and `{counts}` only, followed set by set."""
    reached, at = {0}, 0
    while item := _ITEM.match(pattern, at):
        at = item.end()
        least = int(item["least"] or 1)
        most = int(item["most"] or least)
        reached = {end for start in reached for end in _run(item, text, start, (least, most))}
    return len(text) in reached


def _run(item: re.Match[str], text: str, start: int, counts: tuple[int, int]) -> range:
    length = 0
    while length < counts[1] and start + length < len(text) and _fits(item, text[start + length]):
        length += 1
    return range(start + counts[0], start + length + 1)


def _fits(item: re.Match[str], letter: str) -> bool:
    if item["one"] is not None:
        return letter == item["one"]
    ranges = re.findall(r"(.)-(.)", item["some"])
    return letter in re.sub(r".-.", "", item["some"]) or any(low <= letter <= high for low, high in ranges)


def _at(day: date, clock: time = time()) -> datetime:
    return datetime.combine(day, clock, SHANGHAI).astimezone(UTC)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "days_after": days_after,
    "months_after": months_after,
    "teaching_week_end": teaching_week_end,
    "start_of_day": _at,
    "end_of_day": lambda day: _at(day, time(23, 59, 59)),
    "day": lambda moment: moment.astimezone(SHANGHAI).date(),
    "clock": lambda moment: moment.astimezone(SHANGHAI).time(),
    "weekday": date.isoweekday,
    "term": lambda year, number: (year, number) if 1 <= number <= 2 else None,  # noqa: PLR2004 two terms a year
    "term_before": lambda term: (term[0], term[1] - 1) if term[1] > 1 else (term[0] - 1, 2),
    "term_after": lambda term: (term[0], 2) if term[1] < 2 else (term[0] + 1, 1),  # noqa: PLR2004 two terms a year
    "academic_year": lambda term: term[0],
    "term_number": lambda term: term[1],
    "starts_with": str.startswith,
    "matches": matches,
    "length": len,
    "code_of": lambda unit: unit,
}
_OF_CALENDAR = frozenset({"working_days_after", "term_of", "first_day", "last_day"})
_SPECIAL = frozenset({"known", "first_known", "value_of"})

# --- evaluating: closures over a mapping of values; None is undecided -------------------------------------------------

Run = Callable[[Values], Any]


class Formula:
    """An expression ready to be asked: the keys it reads, and its value for what is known."""

    __slots__ = ("node", "reads", "run", "strangers")

    def __init__(self, node: Node, law: Law) -> None:
        self.node = node
        self.reads = tuple(dict.fromkeys(_reads(node, law)))
        self.strangers = tuple(dict.fromkeys(_strangers(node)))
        self.run = _total(_compiled(node, law))


def _reads(node: Node, law: Law) -> Iterator[str]:
    if node.is_looked_up or node.what == "name":
        yield node.text
        return
    for part in node.parts:
        yield from _reads(part, law)
    if node.value == "value_of" and node.what == "call":
        yield from law.codes(node.parts[0].text)


def _strangers(node: Node) -> Iterator[str]:
    """Functions that only the rulebook's own program knows: what calls them cannot be judged here."""
    if node.what == "call" and node.value not in FUNCTIONS.keys() | _OF_CALENDAR | _SPECIAL:
        yield str(node.value)
    if not node.is_looked_up:
        for part in node.parts:
            yield from _strangers(part)


def _total(run: Run) -> Run:
    """Where there is no answer (a day beyond the year 9999), it is undecided."""

    def careful(values: Values) -> Any:  # noqa: ANN401 a value of the language
        """The value, or `WrongValue` whatever computing it raises."""
        try:
            return run(values)
        except (ArithmeticError, ValueError, TypeError, AttributeError, KeyError) as problem:
            raise WrongValue(str(problem)[:80]) from problem

    return careful


def _compiled(node: Node, law: Law) -> Run:
    if node.is_looked_up or node.what == "name":
        key = node.text
        return lambda values: values.get(key)
    if node.what == "constant":
        value = node.value
        return lambda _: value
    if node.what == "call":
        return _compiled_call(node, law)
    parts = [_compiled(part, law) for part in node.parts]
    if node.what in ("and", "or"):
        return _compiled_junction(parts, decides=node.what == "or")
    return _OPERATIONS.get(node.what, _compiled_sign(node.what))(*parts)


def _compiled_junction(parts: Sequence[Run], *, decides: bool) -> Run:
    def join(values: Values) -> bool | None:
        """The parts in order, until one decides; undecided where none does and one is open."""
        answer: bool | None = not decides
        for part in parts:
            one = part(values)
            if one is decides:
                return bool(decides)
            if one is None:
                answer = None
        return answer

    return join


def _compiled_sign(sign: str) -> Callable[[Run, Run], Run]:
    def make(left: Run, right: Run) -> Run:
        """The sign between two parts; undecided where one of them is."""
        operation = _SIGN_OF[sign]

        def run(values: Values) -> Any:  # noqa: ANN401 a value of the language
            """Both sides, read alike; a difference of days is their number."""
            one, other = left(values), right(values)
            if one is None or other is None:
                return None
            if type(one) is not type(other):
                one, other = _alike(one, other)
            result = operation(one, other)
            return result.days if isinstance(result, timedelta) else result

        return run

    return make


_SIGN_OF: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
}


def _compiled_not(part: Run) -> Run:
    def run(values: Values) -> bool | None:
        """The opposite; undecided stays so."""
        value = part(values)
        return None if value is None else value is not True

    return run


def _compiled_negative(part: Run) -> Run:
    def run(values: Values) -> Any:  # noqa: ANN401 a number
        """The number below zero."""
        value = part(values)
        return None if value is None else 0 - value

    return run


def _compiled_if(then: Run, test: Run, otherwise: Run) -> Run:
    def run(values: Values) -> Any:  # noqa: ANN401 a value of the language
        """One of the two; both, if they are the same, where the condition is undecided."""
        condition = test(values)
        if condition is not None:
            return then(values) if condition else otherwise(values)
        one, other = then(values), otherwise(values)
        return one if one is not None and one == other else None

    return run


def _compiled_in(item: Run, options: Run) -> Run:
    def run(values: Values) -> bool | None:
        """Whether one of the options equals it; undecided where one might."""
        one, many = item(values), options(values)
        if one is None or many is None:
            return None
        return _joined([_equal(one, other) for other in many], decides=True)

    return run


def _joined(answers: Sequence[bool | None], *, decides: bool) -> bool | None:
    """One deciding answer decides, else one undecided leaves it open."""
    return decides if decides in answers else None if None in answers else not decides


def _equal(one: object, other: object) -> bool | None:
    if other is None or one is None:
        return None
    if isinstance(one, tuple) and isinstance(other, tuple):
        return _joined([_equal(left, right) for left, right in zip(one, other, strict=True)], decides=False)
    left, right = _alike(one, other)
    return bool(left == right)


def _compiled_tuple(*parts: Run) -> Run:
    return lambda values: tuple(part(values) for part in parts)


_OPERATIONS: Mapping[str, Callable[..., Run]] = {
    "not": _compiled_not,
    "negative": _compiled_negative,
    "if": _compiled_if,
    "in": _compiled_in,
    "tuple": _compiled_tuple,
}


def _compiled_call(node: Node, law: Law) -> Run:
    name = str(node.value)
    parts = [_compiled(part, law) for part in node.parts]
    if name == "known":
        return lambda values: parts[0](values) is not None
    if name == "first_known":
        return lambda values: first if (first := parts[0](values)) is not None else parts[1](values)
    if name == "value_of":
        return lambda values: values.get(parts[0](values))
    function = getattr(law.calendar, name, None) if name in _OF_CALENDAR else FUNCTIONS.get(name)

    def run(values: Values) -> Any:  # noqa: ANN401 a value of the language
        """What the function makes of its arguments; undecided where one is, or beyond what it can compute."""
        arguments = [part(values) for part in parts]
        if function is None or None in arguments:
            return None
        try:
            return function(*arguments)
        except (OverflowError, ValueError):  # beyond the years 1 to 9999
            return None

    return run


# ======================================================================================================================
# 8  Rules: a verdict computed again from the values that were seen (the definition language, section 10, Kleene)
# ======================================================================================================================

HOLDS, FAILS, UNDECIDED, NOT_APPLICABLE = "holds", "fails", "undecided", "not_applicable"
_REMEMBERED = 20_000


class Rule:
    """One rule under one law. Equal values give equal verdicts, so they are remembered."""

    __slots__ = ("_applies", "_holds", "_law", "_said", "id", "is_opaque", "name", "reads")

    def __init__(self, law: Law, name: str, text: Data) -> None:
        reader = Reader(law, text.get("let", {}))
        self.name, self._law = name, law
        self.id = str(text.get("id") or name)
        self._holds = Formula(reader.read(text.get("holds") or "true"), law)
        self._applies = Formula(reader.read(text["applies"]), law) if text.get("applies") else None
        asked = [self._holds] if self._applies is None else [self._applies, self._holds]
        self.reads = tuple(dict.fromkeys(key for one in asked for key in one.reads))
        self.is_opaque = law.has_functions and any(one.strangers for one in asked)
        self._said: dict[str, str] = {}

    def verdict(self, seen: Data) -> str:
        """What the rule says of JSON values by key; a key that is absent is missing.

        Raises:
            WrongValue: If a value is not of its type.
        """
        raw = [seen.get(key) for key in self.reads]
        known = repr(raw)
        said = self._said.get(known)
        if said is None:
            if len(self._said) > _REMEMBERED:
                self._said.clear()
            values = {key: self._law.value(key, one) for key, one in zip(self.reads, raw, strict=True)}
            said = self._said[known] = self._judge(values)
        return said

    def _judge(self, values: Values) -> str:
        applies = True if self._applies is None else self._applies.run(values)
        if applies is False:
            return NOT_APPLICABLE
        holds = self._holds.run(values)
        if holds is True:
            return HOLDS
        return UNDECIDED if applies is None or holds is None else FAILS


# ======================================================================================================================
# 9  The ground: units, roles, accounts, delegations, batches and publications, as the registry's own chain tells them
# ======================================================================================================================

_PUBLISHED, _UNIT, _ROLE, _BATCH, _BATCH_VALUE = (
    "definition_published", "unit_changed", "role_changed", "batch_published", "batch_changed",
)  # fmt: skip
_LENT, _REVOKED = ("delegated", "handed_over"), "delegation_revoked"
_LOOKS_AFTER_PEOPLE = "security_admin"
_FOR_EVER = "~"
"""Sorts after every moment."""


class Loan(NamedTuple):
    """A right that was lent: in which role, since when, until when, and why."""

    role: str
    since: str
    until: str
    reason: str
    for_good: bool


Loans = dict[tuple[str, str], list[Loan]]
"""Loans by giver and taker."""


def lend(loans: Loans, event: Data) -> None:
    """Take an event of a delegation, or of its end, into account."""
    data, at = event["data"], event["at"]
    pair = (data["by"], data["to"])
    if event["kind"] in _LENT:
        since = data.get("since")
        begins = max(at, since) if isinstance(since, str) else at
        one = Loan(data["role"], begins, data["until"] or _FOR_EVER, data["why"], bool(data["for_good"]))
        loans.setdefault(pair, []).append(one)
        return
    for names, lent in loans.items():
        if names[1] == data["to"] and (names[0] == data["by"] or data["role"] == "student"):
            loans[names] = [_ended(one, data["role"], at) for one in lent]


def _ended(one: Loan, role: str, at: str) -> Loan:
    return one._replace(until=min(one.until, at)) if one.role == role and not one.for_good else one


@dataclass(slots=True)
class Ground:
    """Who stood where and held what at each moment."""

    units: dict[str, list[tuple[str, str | None, str]]] = field(default_factory=dict)
    terms: dict[tuple[str, str], list[tuple[str, str, str]]] = field(default_factory=dict)
    student_of: dict[str, str] = field(default_factory=dict)
    loans: Loans = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)
    batches: dict[str, list[tuple[str, Data]]] = field(default_factory=dict)
    pinned: dict[str, str] = field(default_factory=dict)
    causes: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    unmoved: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """What is above units of which neither they nor any above them has ever changed: the same at every moment."""

    def take(self, event: Data) -> None:
        """Add one event of the registry's chain."""
        kind, at, data = event["kind"], event["at"], event["data"]
        if kind in ("batch_published", "term_started", "batch_changed", "fact_changed", "table_changed"):
            self.causes[event["seq"]] = (kind, at, event["actor"])
        if kind == _UNIT:
            self.unmoved.clear()
            self.units.setdefault(data["unit"], []).append((at, data.get("parent"), data["kind"]))
        elif kind == _ROLE:
            self._take_role(data, at)
        elif kind == _PUBLISHED:
            if "message" not in data and "batch" not in data:
                self.published.setdefault(str(data.get("definition") or data.get("rulebook")), at)
        elif kind in (*_LENT, _REVOKED):
            lend(self.loans, event)
        elif kind == "sealed":
            self.keys.add(str(data.get("vkey")))
        else:
            self._take_batch(kind, data, at)

    def _take_role(self, data: Data, at: str) -> None:
        if "about" in data:
            self.student_of[data["login"]] = data["about"]
            return
        terms = self.terms.setdefault((data["login"], data["role"]), [])
        if data["held"]:
            terms.append((data["unit"], at, _FOR_EVER))
        else:
            terms[:] = [
                (unit, since, min(until, at) if unit == data["unit"] else until) for unit, since, until in terms
            ]

    def _take_batch(self, kind: str, data: Data, at: str) -> None:
        if kind == _BATCH:
            self.batches[data["batch"]] = [(at, data["values"])]
            self.pinned[data["batch"]] = data["rulebook"]
        elif kind == _BATCH_VALUE and data["batch"] in self.batches:
            versions = self.batches[data["batch"]]
            new = {name: change["new"] for name, change in data["values"].items()}
            versions.append((at, {**versions[-1][1], **new}))

    def above(self, unit: str, at: str) -> Mapping[str, str]:
        """A unit and those above it at a moment, nearest first, each with its kind."""
        found = self.unmoved.get(unit)
        if found is None:
            found = dict(self._climb(unit, at))
            if found and all(len(self.units[one]) == 1 for one in found):
                self.unmoved[unit] = found
        return found

    def _climb(self, unit: str, at: str) -> Iterator[tuple[str, str]]:
        seen: set[str] = set()
        here: str | None = unit
        while here in self.units and here not in seen:
            seen.add(here)
            versions = self.units[here]
            version = versions[0]
            if len(versions) > 1:
                version = next((one for one in reversed(versions) if one[0] <= at), version)
            _, parent, kind = version
            yield here, kind
            here = parent

    def is_above(self, upper: str, unit: str, at: str) -> bool:
        """Whether a unit is another, or stands above it."""
        return upper in self.above(unit, at)

    def holds(self, login: str, role: str, unit: str, at: str) -> bool:
        """Whether a person's own right reached a unit at a moment."""
        return any(
            since <= at <= until and self.is_above(held, unit, at)
            for held, since, until in self.terms.get((login, role), ())
        )

    def batch_values(self, name: str, at: str) -> list[Data]:
        """What the fields of a batch may have been at a moment; two versions where it changed just then."""
        versions = self.batches.get(name, [])
        return [
            values
            for place, (since, values) in enumerate(versions)
            if since <= at and (place + 1 == len(versions) or versions[place + 1][0] >= at)
        ]


# ======================================================================================================================
# 10  Events: bytes, hash, chain, columns, place in the tree, sealed values
# ======================================================================================================================

_HASH_TAG = sha256(b"xueji/event/v1\n")
_COMMITMENT_TAG = sha256(b"xueji/commitment/v1\n")
ZERO = "0" * 64
_LINE = frozenset({"index", "chain", "seq", "request", "body", "hash", "mac"})
_LINE_WITH_PATH = _LINE | {"path"}
_EVENT = frozenset({"actor", "at", "chain", "data", "kind", "log", "prev", "seq", "v"})
_WORDS_OF_EVENT = (
    "actor", "at", "chain", "definition", "done_by", "kind", "log", "on_behalf_of", "prev", "role", "rulebook", "unit",
)  # fmt: skip
_TEXT_OR_ABSENT = frozenset({str, type(None)})


@dataclass(frozen=True, slots=True)
class Seal:
    """What events are held against: the log's name, the head, and where the leaves are (None: proofs in the lines)."""

    log: str
    head: Head | None
    leaves: Path | None
    used: Path | None


class EventLine(NamedTuple):
    """A line of events.jsonl; `encoded` are the bytes of the event. One with an empty hash is not shaped as a line."""

    chain: int
    seq: int
    place: int | None
    request: str | None
    encoded: bytes
    hash: str
    mac: str
    path: object

    @property
    def body(self) -> str:
        """The event as text."""
        return self.encoded.decode("utf-8", "surrogatepass")

    @classmethod
    def of(cls, line: Data) -> EventLine:
        """What any JSON object says.

        Raises:
            Stop: If it names no chain.
        """
        chain = line.get("chain")
        if type(chain) is not int:
            raise Stop("line", "事件行没有链号", "a line of events.jsonl names no chain")
        if not _is_line(line):
            return cls(chain, 0, None, None, b"", "", "", None)
        encoded = line["body"].encode("utf-8", "surrogatepass")
        told = (line["seq"], line["index"], line["request"], encoded, line["hash"], line["mac"])
        return cls(chain, *told, line.get("path"))


_BEFORE_BODY, _BESIDE_BODY = b'{"body":"', b'","chain":'
_SELDOM_IN_BODY = bytes(range(32)) + b"\\"
"""What a body does not hold as a JSON text in which nothing but its quotes is escaped."""
_AFTER_BODY = re.compile(
    r'","chain":(0|-?[1-9][0-9]{0,14}),"hash":"([0-9a-f]{64})","index":(0|[1-9][0-9]{0,14}|null),'
    r'"mac":"([0-9a-f]{64})","request":(?:"([^"\\\0-\x1f]*)"|null),"seq":(0|[1-9][0-9]{0,14})\}\n'
)


def event_line(raw: bytes) -> EventLine:
    """Read a line of events.jsonl; one as exporters write it needs no mapping to be made of it.

    Raises:
        Stop: If it is no JSON object, or names no chain.
    """
    end = raw.rfind(_BESIDE_BODY)
    encoded = _unescaped(raw[len(_BEFORE_BODY) : end])
    if encoded is None or not raw.startswith(_BEFORE_BODY):
        return EventLine.of(read_line(raw))
    try:
        encoded.decode()  # an event is UTF-8, or its line is no JSON
        line = _with_beside(encoded, raw[end:])
    except UnicodeDecodeError:
        line = None
    return line or EventLine.of(read_line(raw))


def _unescaped(escaped: bytes) -> bytes | None:
    """What stands in a JSON text in which nothing but each quote is escaped; None for any other."""
    encoded = escaped.translate(None, _SELDOM_IN_BODY)
    quotes = len(escaped) - len(encoded)
    return encoded if escaped.count(b'\\"') == quotes == encoded.count(b'"') else None


def _with_beside(encoded: bytes, rest: bytes) -> EventLine | None:
    """An event's bytes with what stands beside them in its line; None where that is written otherwise."""
    told = _AFTER_BODY.fullmatch(rest.decode())
    if told is None:
        return None
    chain, digest, index, mac, request, seq = told.groups()
    place = None if index == "null" else int(index)
    return EventLine(int(chain), int(seq), place, request, encoded, digest, mac, None)


class Places:
    """Where events stand in the tree; the files are shared by all processes."""

    def __init__(self, seal: Seal) -> None:
        self._head = seal.head
        self._leaves = _mapped(seal.leaves, mmap.ACCESS_READ)
        self._used = _mapped(seal.used, mmap.ACCESS_WRITE)

    def fault(self, line: EventLine, index: int) -> tuple[str, str] | None:
        """What is wrong with the place of an event, in Chinese and English; None where it stands there."""
        leaf = sha256(b"\0" + bytes.fromhex(line.hash + line.mac)).digest()
        if self._head is None or not 0 <= index < self._head.size:
            return "不在已签名的树中", "it claims a place beyond the signed tree"
        if self._leaves is not None and self._used is not None:
            if self._leaves[32 * index : 32 * index + 32] != leaf:
                return "与所在位置的叶不符", "it is not the leaf at its place"
            self._used[index] = 1
            return None
        path = line.path
        if not isinstance(path, list) or len(path) > 64 or not all(is_hex(one) for one in path):  # noqa: PLR2004 tree of 2^48
            return "没有存在证明", "it has no proof of inclusion"
        if not includes(leaf, index, self._head.size, [bytes.fromhex(one) for one in path], self._head.root):
            return "存在证明不成立", "its proof of inclusion does not hold"
        return None


def _mapped(path: Path | None, access: int) -> mmap.mmap | None:
    if path is None or not path.stat().st_size:
        return None
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), 0, access=access)


class Known(dict[str, Any]):
    """The data of an event that were read before, canonical and as `is_shaped` wants them; nobody changes them.

    They come with members that are texts only; `encoded` are their bytes. `sound` are the steps whose rules had nothing
    against them; `looks` is what was seen of the clock, the batch and the case itself.
    """

    __slots__ = ("encoded", "looks", "sound")

    def __init__(self, data: Data, text: str) -> None:
        super().__init__(data)
        self.encoded = text.encode()
        self.sound: set[Step] = set()
        self.looks = looks_at(data)


def looks_at(data: Data) -> list[tuple[str, Any]]:
    """What was seen of the clock, the batch and the case itself, which can be held against what they were."""
    seen = data.get("seen") or {}
    return [(key, seen[key]) for key in seen if key in ("today", "now") or key.startswith(("batch.", "case."))]


_known: dict[str, Known] = {}
_MOST_KNOWN, _LONGEST_KNOWN = 1_000, 2_000
"""How many data are remembered, and how long their text may be: a few MiB."""
_once: set[int] = set()
"""Hashes of texts that came once: most that is said of one student is said of nobody else, and is not remembered."""

_PLAIN = r'"([^"\\\0-\x1f]*)"'
"""A text in which nothing is escaped: there is one way of writing it."""

_BEFORE_DATA = re.compile(rf'\{{"actor":{_PLAIN},"at":"({_MOMENT.pattern})","chain":{_PLAIN},"data":', re.ASCII)
_AFTER_DATA = re.compile(
    rf'(?:,"definition":{_PLAIN})?(?:,"done_by":{_PLAIN})?,"kind":{_PLAIN},"log":{_PLAIN}(?:,"on_behalf_of":{_PLAIN})?'
    rf',"prev":"0"(?:,"role":{_PLAIN})?(?:,"rulebook":{_PLAIN})?,"seq":0(?:,"unit":{_PLAIN})?,"v":1\}}'
)
_NAMES_AFTER = ("definition", "done_by", "kind", "log", "on_behalf_of", "role", "rulebook", "unit")
_AFTER_PREV = re.compile(rf'"(?:,"request":{_PLAIN})?([^}}]*),"seq":(0|[1-9][0-9]{{0,14}})(,[^}}]*\}})')

_frames: dict[tuple[str, str, str], Data] = {}
"""Members that many events share, by the texts around `prev` with `request`, and `seq`, that say them."""


def usual_event(text: str) -> Data | None:
    """What a text says whose members are plain texts, around data that were read before; None for any other.

    Written so, and normalized, it is canonical if its data are; its members are what `is_event` wants. What stands
    beside an ASCII character, as the parts do here, is never composed with it: they are normalized one by one.
    """
    start, prev = text.find(',"data":') + 8, text.rfind(',"prev":"')
    end = text.rfind('},"definition":"', start, prev) + 1 or text.rfind('},"kind":"', start, prev) + 1
    before, after = _BEFORE_DATA.fullmatch(text, 0, start), _AFTER_PREV.fullmatch(text, prev + 9 + len(ZERO))
    if before is None or after is None:
        return None
    request, middle, seq, rest = after.groups()
    digest, data, around = text[prev + 9 : prev + 9 + len(ZERO)], text[start:end], (text[end:prev], middle, rest)
    known, frame = _known.get(data) or _known_data(data), _frames.get(around) or _frame(around)
    if known is None or frame is None or not (digest.isascii() and digest.isalnum()):
        return None
    if not (text.isascii() or unicodedata.is_normalized("NFC", f"{before[0]}{request}")):
        return None
    event = {**frame, "prev": digest, "seq": int(seq), "data": known}
    event["actor"], event["at"], event["chain"] = before.groups()
    if request is not None:
        event["request"] = request
    return event


def _frame(around: tuple[str, str, str]) -> Data | None:
    """The members that the texts around `prev` and `seq` say; None where they are not such as many events share."""
    text = '{},"prev":"0"{},"seq":0{}'.format(*around)
    told = _AFTER_DATA.fullmatch(text)
    if told is None or len(text) > _LONGEST_KNOWN or not unicodedata.is_normalized("NFC", text):
        return None
    if len(_frames) >= _MOST_KNOWN:
        _frames.clear()
    members = zip(_NAMES_AFTER, told.groups(), strict=True)
    _frames[around] = frame = {"v": 1, **{name: value for name, value in members if value is not None}}
    return frame


_ASCII = rb"([ !#-\[\]-~]*)"
"""What a text holds in which nothing is escaped and nothing is to be normalized."""
_BEFORE_ESCAPED = re.compile(
    rb'\{"body":"\{\\"actor\\":\\"' + _ASCII + rb'\\",\\"at\\":\\"(' + _MOMENT.pattern.encode() + rb')\\",'
    rb'\\"chain\\":\\"' + _ASCII + rb'\\",\\"data\\":'
)  # fmt: skip
_AFTER_ESCAPED = re.compile(_AFTER_BODY.pattern.replace(r'"([^"\\\0-\x1f]*)"', f'"{_ASCII.decode()}"').encode())


class Around(NamedTuple):
    """The members that three texts of an event say, and the bytes of the texts (see `_frames`)."""

    members: Data
    first: bytes
    middle: bytes
    last: bytes


_escaped_data: dict[bytes, Known] = {}
_escaped_frames: dict[tuple[bytes, bytes, bytes], Around] = {}
"""Data and members that were read before, by the bytes that say them in a line."""


def usual_line(raw: bytes) -> tuple[EventLine, Data] | None:
    """The line and the event of a line that says what is known, but for the few members that always differ.

    Its hash is right and its bytes are canonical. None for any other: `event_line` and `Walker` tell what that is.
    """
    start, stop, prev, end = _places_in(raw)
    known = _escaped_data.get(raw[start:stop])
    before, beside = _BEFORE_ESCAPED.fullmatch(raw, 0, start), _AFTER_ESCAPED.fullmatch(raw, end)
    if known is None or before is None or beside is None:
        return None
    actor, at, name = before.groups()
    chain, told, index, mac, request, seq = beside.groups()
    frame = _escaped_frames.get((raw[stop:prev], *_split(raw[prev + _PREV : end], request, seq)))
    digest = raw[prev + _PREV - len(ZERO) : prev + _PREV]
    if frame is None or not digest.isalnum():
        return None
    asked = b"" if request is None else b',"request":"%b"' % request
    encoded = b'{"actor":"%b","at":"%b","chain":"%b","data":%b%b,"prev":"%b"%b%b,"seq":%b%b' % (
        actor, at, name, known.encoded, frame.first, digest, asked, frame.middle, seq, frame.last,
    )  # fmt: skip
    found = told.decode()
    if event_hash(encoded) != found:
        return None
    event = {
        **frame.members, "actor": actor.decode(), "at": at.decode(), "chain": name.decode(), "data": known,
        "prev": digest.decode(), "seq": int(seq),
    }  # fmt: skip
    if request is not None:
        request = event["request"] = request.decode()
    place = None if index == b"null" else int(index)
    return EventLine(int(chain), int(seq), place, request, encoded, found, mac.decode(), None), event


_PREV = len(rb",\"prev\":\"") + len(ZERO)


def _places_in(raw: bytes) -> tuple[int, int, int, int]:
    """Where in a usual line the data begin and end, `prev` begins, and the body ends."""
    start, end = raw.find(rb",\"data\":") + 10, raw.rfind(_BESIDE_BODY)
    prev = raw.rfind(rb",\"prev\":\"", start, end)
    stop = raw.rfind(rb"},\"definition\":\"", start, prev) + 1 or raw.rfind(rb"},\"kind\":\"", start, prev) + 1
    return start, stop, prev, end


def _split(rest: bytes, request: bytes | None, seq: bytes) -> tuple[bytes, bytes]:
    """What stands between the request and `seq`, and after them; nothing at all where these are not there."""
    asked = rb"\"" if request is None else rb"\",\"request\":\"%b\"" % request
    middle, _, last = rest.rpartition(rb",\"seq\":%b" % seq)
    return (middle[len(asked) :], last) if middle.startswith(asked) else (b"", b"")


def learn(raw: bytes, line: EventLine, event: Data) -> None:
    """Remember how the data and the members of an event that was found good stand in its line."""
    start, stop, prev, end = _places_in(raw)
    known, request = event["data"], None if line.request is None else line.request.encode()
    middle, last = _split(raw[prev + _PREV : end], request, b"%d" % line.seq)
    escaped = (raw[stop:prev], middle, last)
    if raw[start:stop] in _escaped_data and escaped in _escaped_frames:
        return  # what makes this line another than usual is none of these
    plain = [_unescaped(one) for one in (raw[start:stop], *escaped)]
    if None in plain or plain[0] != known.encoded or not all(plain):
        return
    texts = [one.decode() for one in plain[1:] if one is not None]
    members = _frame((texts[0], texts[1], texts[2]))
    if members is None:
        return
    for memory in (_escaped_data, _escaped_frames):
        if len(memory) >= _MOST_KNOWN:
            memory.clear()
    _escaped_data[raw[start:stop]] = known
    _escaped_frames[escaped] = Around(members, *(one.encode() for one in texts))


def _known_data(text: str) -> Known | None:
    """The data behind a text that has come before; None where it has not, or they are not such as are remembered."""
    if len(text) > _LONGEST_KNOWN or not _comes_again(text):
        return None
    try:
        value = read_canonical(text)
    except NotCanonical:
        return None
    if not isinstance(value, dict) or not _are_shaped(value):
        return None
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    data = _known[text] = Known(value, text)
    return data


def _comes_again(text: str) -> bool:
    key = hash(text)
    if key in _once:
        return True
    if len(_once) >= _REMEMBERED:
        _once.clear()
    _once.add(key)
    return False


Fault = tuple[str, str, str]
"""A code and a sentence in both languages."""


def event_hash(encoded: bytes) -> str:
    """The hash of an event's bytes."""
    digest = _HASH_TAG.copy()
    digest.update(encoded)
    return digest.hexdigest()


def _decoded(line: EventLine) -> tuple[Data, Fault | None]:
    """An event's bytes as JSON, or what is wrong with them."""
    if event_hash(line.encoded) != line.hash:
        return {}, ("hash", "内容与哈希不符", "the bytes do not have the hash beside them")
    body = line.body
    event = usual_event(body)
    if event is not None:
        return event, None
    try:
        event = read_canonical(body)
    except NotCanonical:
        return {}, ("canonical", "内容不是规范形式", "the bytes are not in canonical form")
    if not is_event(event):
        return {}, ("canonical", "内容不是事件", "the bytes are no event")
    return event, None


class Walker:
    """Walks along the events of chains in order and checks each against the one before it."""

    def __init__(self, seal: Seal, report: Report) -> None:
        self._places, self._log, self.report = Places(seal), seal.log, report
        self.chain: int | None = None
        self.name = ""
        self.seq = 0
        self.head = ZERO
        self._last_index = -1
        self._is_tail = False
        self.is_broken = False

    def begin(self, chain: int) -> None:
        """The next chain starts; chains rise."""
        if self.chain is not None and chain <= self.chain:
            raise Stop("order", "事件未按链排列", "the events do not stand in the order of their chains")
        self.chain, self.name = chain, chain_name(chain)
        self.seq, self.head, self._last_index = 0, ZERO, -1
        self._is_tail = self.is_broken = False

    def take(self, line: EventLine, event: Data | None = None) -> Data | None:
        """Check an event's line; the event, or None where its chain can no longer be followed.

        `event` is what the line is known to say, if its bytes were found to be good (`usual_line`).
        """
        self.report.tally["events"] += 1
        if not line.hash:
            raise Stop("line", "事件行的形状不对", "a line of events.jsonl is not shaped as one")
        self._placed(line)
        if self.is_broken:
            return None
        self.seq += 1
        if line.seq != self.seq:
            self.seq = min(self.seq, line.seq)
            return self._fail("sequence", f"缺少事件 #{self.seq}，此处是 #{line.seq}", f"expected event #{self.seq}")
        event = self._read(line, event)
        if event is not None:
            self.head = line.hash
        return event

    def _placed(self, line: EventLine) -> None:
        """The place in the tree: places rise along a chain, and only its tail may be unsealed."""
        index = line.place
        if index is None:
            self.report.tally["unsealed"] += 1
            self._is_tail = True
            return
        self.report.tally["sealed"] += 1
        fault = self._places.fault(line, index)
        if fault is None and (self._is_tail or index <= self._last_index):
            fault = "封存次序与链的次序不符", "it was sealed before an earlier event of its chain"
        if fault is not None:
            self.report.add("leaf", *fault, (self.name, line.seq))
        self._last_index = index

    def _read(self, line: EventLine, event: Data | None) -> Data | None:
        """The bytes of an event: their hash first, then their form, then whether they belong here."""
        fault = None
        if event is None:
            event, fault = _decoded(line)
        if fault is None:
            fault = self._misplaced(event, line)
        return event if fault is None else self._fail(*fault)

    def _misplaced(self, event: Data, line: EventLine) -> Fault | None:
        """Whether an event follows the one before it, in this log, under the columns beside it."""
        if event["prev"] != self.head:
            return "chain", "前一事件的哈希不符", "it does not name the hash of the event before it"
        if event["log"] != self._log:
            return "log", f"属于另一日志 {event['log'][:40]}", f"it belongs to log {event['log'][:40]!r}"
        if (event["chain"], event["seq"], event.get("request")) != (self.name, line.seq, line.request):
            return "column", "列与内容不符", "chain, seq or request beside the bytes are not theirs"
        return None

    def _fail(self, code: str, zh: str, en: str) -> Data | None:
        self.is_broken = True
        self.report.add(code, zh, en, (self.name, self.seq))
        return None


def _is_line(line: Data) -> bool:
    index, request = line.get("index"), line.get("request")
    return (
        _LINE <= line.keys() <= _LINE_WITH_PATH
        and (index is None or (type(index) is int and index >= 0))
        and type(line["seq"]) is int
        and (request is None or isinstance(request, str))
        and isinstance(line["body"], str)
        and is_hex(line["hash"] + line["mac"], 128)
    )


def is_event(event: object) -> bool:
    """Whether JSON has what every event has."""
    return (
        isinstance(event, dict)
        and event.keys() >= _EVENT
        and event["v"] == 1
        and type(event["seq"]) is int
        and set(map(type, map(event.get, _WORDS_OF_EVENT))) <= _TEXT_OR_ABSENT
        and isinstance(event["data"], dict)
        and _MOMENT.fullmatch(event["at"] or "") is not None
    )


def _is_salt(text: object) -> bool:
    return isinstance(text, str) and len(text) in (32, 64) and is_hex(text, len(text))


class Personal:
    """The sealed values of a range of chains, in step with the events."""

    def __init__(self, lines: Iterator[Data], report: Report) -> None:
        self._lines, self._report = lines, report
        self._next: Data | None = None
        self._last: tuple[int, int] | None = None
        self._step()

    def _step(self) -> None:
        self._next = next(self._lines, None)
        if self._next is None:
            return
        one = self._next
        is_good = one.keys() == {"chain", "seq", "salt", "body"} and all(
            type(one[key]) is int for key in ("chain", "seq")
        )
        if not is_good or not _is_salt(one["salt"]) or not isinstance(one["body"], str):
            raise Stop("line", "personal.jsonl 有一行形状不对", "a line of personal.jsonl is not shaped as one")
        here = (one["chain"], one["seq"])
        if self._last is not None and here <= self._last:
            raise Stop("order", "personal.jsonl 未按次序排列", "personal.jsonl does not stand in order")
        self._last = here

    def until(self, chain: int, seq: int) -> Data | None:
        """The values of an event, or None; those of events in between belong to nothing."""
        while self._next is not None and self._last is not None and self._last < (chain, seq):
            self.stray(self._next)
        if self._next is None or self._last != (chain, seq):
            return None
        found = self._next
        self._step()
        return found

    def stray(self, one: Data) -> None:
        """A value that no event has committed to."""
        zh, en = "有个人信息，而没有事件承诺过", "personal values that no event has committed to"
        self._report.add("commitment", zh, en, (chain_name(one["chain"]), one["seq"]))
        self._step()

    def finish(self) -> None:
        """All events are read."""
        while self._next is not None:
            self.stray(self._next)


def opened_values(kept: Data, expected: object) -> Data | None:
    """The values behind a commitment, if they are those that were committed to."""
    digest = _COMMITMENT_TAG.copy()
    digest.update(bytes.fromhex(kept["salt"]) + kept["body"].encode("utf-8", "surrogatepass"))
    if digest.hexdigest() != expected:
        return None
    try:
        values = read_canonical(kept["body"])
    except NotCanonical:
        return None
    return values if isinstance(values, dict) else None


# ======================================================================================================================
# 11  A case replayed under the definition it is pinned to
# ======================================================================================================================

_STEPS = ("opened", "moved")
_NO_ACTS = frozenset({"viewed", "noted", "commented", "copied", "reminded", "escalated", "late"})
"""Who has read a document, noted something, or was reminded, has not acted: what went before can be taken back."""
_MIGRATES = ("records_section", "academic_affairs", "provincial_auditor")
_ERASES = "records_section"
_SECONDS = len("2024-05-13T15:59:59")
_MISSHAPEN = (KeyError, TypeError, AttributeError, ValueError, IndexError)
"""What reading an event raises that is not shaped as its kind is."""


@dataclass(slots=True)
class Standing:
    """What the events of a case add up to so far."""

    state: str = NEW
    fields: dict[str, Any] = field(default_factory=dict)
    taken: dict[str, list[str]] = field(default_factory=dict)
    slots: dict[str, dict[str, Any]] = field(default_factory=dict)
    rounds: int = 0
    shape: str = ""
    workflow: str | None = None
    unit: str = ""
    student: str = ""
    opened_at: str = ""
    entered_at: str = ""
    erased: set[str] = field(default_factory=set)

    def told_back(self) -> Data:
        """What taking the next step back would have to restore, in the words of that event."""
        return {
            "to": self.state,
            "fields": dict(self.fields),
            "taken": {key: list(who) for key, who in self.taken.items()},
            "rounds": self.rounds,
            "slots": {
                step: {part: _copied(value) for part, value in block.items()} for step, block in self.slots.items()
            },
        }

    def enter(self, state: str, at: str) -> None:
        """Go to a state; staying in one does not begin the stay anew."""
        if state != self.state:
            self.state, self.entered_at = state, at

    def add(self, told: Told) -> None:
        """Take a step, an opening or a signature into account."""
        data, people = told.data, told.people
        self.fields.update(data.get("fields") or {})
        slot = data.get("slot")
        if data.get("rests"):
            self.taken, self.rounds = {}, 0
        else:
            if slot is not None:
                self.taken.setdefault(f"{data['signing']}.{slot.partition('@')[0]}", []).extend(people)
            if told.kind in _STEPS:
                self.taken.setdefault(data["trigger"], []).extend(people)
                self.rounds = data.get("rounds", self.rounds)
        if told.kind == "signed":
            self._vote(told)
        elif data["to"] != self.state:
            self.slots = {}
        else:
            self.slots.pop(data.get("signing") or data["trigger"], None)
        if told.kind in _STEPS:
            self.enter(data["to"], told.at)

    def _vote(self, told: Told) -> None:
        data, people = told.data, told.people
        vote: dict[str, Any] = {"by": told.actor, "yes": data["vote"] == "yes"}
        if len(people) > 1:
            vote["for"] = people[1]
        self.slots.setdefault(data["signing"], {}).setdefault("given", {})[data["slot"]] = vote

    def reveal(self, told: Told) -> None:
        """Add personal fields from behind the commitment; what was erased is known no more, in the row neither."""
        for name in told.data.get("sealed_fields") or ():
            self.fields[name] = told.opened.get(f"fields.{name}")
            if told.hidden:
                self.erased.add(name)


def _copied(value: Any) -> Any:  # noqa: ANN401 a part of a block of signatures
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return list(value) if isinstance(value, list) else value


SHAPES: Mapping[str, str] = {
    **dict.fromkeys(
        [
            "at_unit",
            "barred",
            "before",
            "deadline",
            "document",
            "from",
            "role",
            "rung",
            "sealed",
            "sha256",
            "signer",
            "signing",
            "slot",
            "to",
            "trigger",
            "unit",
            "vote",
            "was",
            "why",
            "workflow",
            "by",
            "dropped",
        ],
        "text",
    ),
    **dict.fromkeys(["due", "new", "old", "reason", "until"], "text or nothing"),
    **dict.fromkeys(["added"], "text or number"),
    **dict.fromkeys(
        [
            "cautions",
            "effects",
            "engine",
            "failed",
            "late",
            "missing",
            "people",
            "sealed_facts",
            "sealed_fields",
            "sealed_given",
            "undecided",
        ],
        "texts",
    ),
    **dict.fromkeys(["rounds"], "number"),
    **dict.fromkeys(["extended", "for_good", "rests", "settled"], "flag"),
    **dict.fromkeys(["fields", "file", "given", "seen"], "object"),
    **dict.fromkeys(["about", "documents", "verdicts"], "words"),
    **dict.fromkeys(["ticks"], "flags"),
    **dict.fromkeys(["taken"], "lists of texts"),
    **dict.fromkeys(["facts"], "facts"),
    **dict.fromkeys(["deadlines"], "deadlines"),
    **dict.fromkeys(["slots"], "slots"),
}
"""What each word of an event of a case or student holds; an event in which one of them holds something else is lost."""


def _is_word(value: object) -> bool:
    return isinstance(value, str)


def _are_words(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_word, value))


def _each(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_deadline(value: object) -> bool:
    return value is None or (
        isinstance(value, dict)
        and (value.get("due") is None or _is_word(value["due"]))
        and _is_flag(value.get("settled", False))
    )


def _is_vote(value: object) -> bool:
    return (
        isinstance(value, dict)
        and _is_word(value.get("by"))
        and _is_flag(value.get("yes"))
        and _is_word(value.get("for", ""))
    )


def _is_seat(value: object) -> bool:
    return (
        isinstance(value, dict)
        and all(_is_word(value.get(key)) for key in ("path", "role", "unit"))
        and _is_word(value.get("before", ""))
    )


def _is_block(value: object) -> bool:
    return (
        isinstance(value, dict)
        and _each(_is_vote)(value.get("given", {}))
        and _each(_is_seat)(value.get("added", {}))
        and _are_words(value.get("dropped", []))
    )


_IS_SHAPED: Mapping[str, Callable[[object], bool]] = {
    "text": _is_word,
    "text or nothing": lambda value: value is None or _is_word(value),
    "text or number": lambda value: _is_word(value) or type(value) is int,
    "texts": _are_words,
    "number": lambda value: type(value) is int,
    "flag": _is_flag,
    "object": lambda value: isinstance(value, dict),
    "words": _each(_is_word),
    "flags": _each(_is_flag),
    "lists of texts": _each(_are_words),
    "facts": lambda value: _are_words(value) or _each(lambda one: isinstance(one, dict))(value),
    "deadlines": _each(_is_deadline),
    "slots": _each(_is_block),
}
_CHECKS = {name: _IS_SHAPED[word] for name, word in SHAPES.items()}


def _are_shaped(data: Data) -> bool:
    for name, value in data.items():
        check = _CHECKS.get(name)
        if check is not None and not check(value):
            return False
    return True


def is_shaped(event: Data) -> bool:
    """Whether everything in an event that is looked at has the form it must have."""
    if not _are_shaped(event["data"]):
        return False
    for name in _WORDS_OF_EVENT:
        if name in event and not isinstance(event[name], str):
            return False
    cause, delegation = event.get("cause"), event.get("delegation")
    return (
        "actor" in event
        and (
            cause is None
            or (isinstance(cause, dict) and _is_word(cause.get("chain")) and type(cause.get("seq")) is int)
        )
        and (delegation is None or (isinstance(delegation, dict) and _is_word(delegation.get("by"))))
    )


class Told:
    """One event with what opens its commitment.

    `hidden` says that it has one and the values are gone; `people` count as having taken the step, `lender` has
    delegated it; `slot` is the slot of the definition that was signed in, which one `each` unit has a seat of.
    """

    __slots__ = (
        "actor", "at", "data", "event", "hidden", "is_caused", "kind", "lender", "opened", "people", "role", "seen",
        "seq", "slot",
    )  # fmt: skip

    def __init__(self, event: Data, opened: Data | None, *, hidden: bool) -> None:
        self.event, self.data = event, event["data"]
        if not isinstance(self.data, Known) and not is_shaped(event):
            raise ValueError(str(event.get("kind"))[:40])
        self.kind, self.at, self.actor, self.seq = event["kind"], event["at"], event["actor"], event["seq"]
        self.opened, self.hidden = opened or {}, hidden
        seen = self.data.get("seen") or {}
        self.seen: Data = {**seen, **opened} if opened else seen
        self.role = str(event.get("role", ""))
        self.is_caused = self.role == EFFECT
        delegation = event.get("delegation")
        self.lender = None if delegation is None else str(delegation["by"])
        people = self.data.get("people")
        self.people: list[str] = [self.actor] if people is None else people
        slot = self.data.get("slot")
        self.slot = str(slot).partition("@")[0] if slot else ""


@dataclass(slots=True)
class Clock:
    """A deadline that runs, as the events tell of it."""

    due: str | None
    settled: bool
    is_late: bool = False


class CaseReplay:
    """Replays one case, event by event, and holds each against the definition, the ground and the case so far."""

    def __init__(self, name: str, ground: Ground, library: Library, report: Report) -> None:
        self.name, self.ground, self.library, self.report = name, ground, library, report
        self.standing = Standing()
        self.loans: Loans = {}
        self._clocks: dict[str, Clock] = {}
        self._rungs: set[tuple[str, str, str]] = set()
        self._documents: dict[tuple[int, str], str | None] = {}
        self._missing: dict[str, list[str] | None] = {}
        self._last: Told | None = None
        self._before: Data = {}
        self._takes_back = False
        self._seq = 0

    def find(self, code: str, zh: str, en: str) -> None:
        """Note a finding at the event that is being looked at."""
        self.report.add(code, zh, en, (self.name, self._seq))

    def take(self, told: Told) -> None:
        """Check one event, then add it."""
        self._seq = told.seq
        try:
            self._check(told)
            self._add(told)
        except MissingRule as problem:
            self.find("rule-missing", f"规则集没有规则“{problem}”", f"the rulebook has no rule '{problem}'")
            self._add(told)
        except NotAnExpression as problem:
            self.find("rule-missing", f"条件不可读：{problem}", f"an expression cannot be read: {problem}")
            self._add(told)
        except _MISSHAPEN as problem:
            what = f"{type(problem).__name__} {problem}"[:80]
            self.find("shape", f"事件的形状不对：{what}", f"the event is not shaped as its kind is: {what}")

    def _check(self, told: Told) -> None:
        check = _CASE_EVENTS.get(told.kind)
        if check is None:
            self.find("kind", f"办件没有“{told.kind}”这种事件", f"a case has no events of the kind '{told.kind}'")
            return
        if (told.seq == 1) is not (told.kind == "opened"):
            self.find(
                "opening", "办件的第一个事件、且只有它是 opened", "a case begins with its opening and has one only"
            )
        self._pinned(told)
        check(self, told)

    def _add(self, told: Told) -> None:
        """Add an event to what the case has come to."""
        standing, data, kind = self.standing, told.data, told.kind
        if kind not in _NO_ACTS:
            self._last = told
            self._before = standing.told_back() if self._takes_back and kind in ("moved", "signed") else {}
        if kind == "opened":
            standing.shape, standing.workflow, standing.unit = told.event["definition"], data["workflow"], data["unit"]
            standing.student = data["about"].get("student", "")
            standing.opened_at = standing.entered_at = told.at
            self._pin()
        if kind in _STEPS or kind == "signed":
            self._note_missing(told)
            standing.add(told)
            standing.reveal(told)
        elif kind in _FOLDS:
            _FOLDS[kind](self, told)
        self._note_clocks(told)
        self._note_documents(told)

    def _pin(self) -> None:
        """Only where a step can be taken back is it remembered how the case stood before each."""
        steps = self.library.definitions.get(self.standing.shape, {}).get("transitions", {})
        self._takes_back = any(one.get("retractable") for one in steps.values())

    def law(self, told: Told) -> Law | None:
        """The definition and rulebook an event names; one that is missing is a finding."""
        shape, rulebook = told.event.get("definition", ""), told.event.get("rulebook", "")
        law = self.library.law(shape, rulebook)
        if law is None:
            lacking = "、".join(one[:8] or "—" for one in (shape, rulebook) if not self._is_there(one))
            self.find(
                "definition-missing", f"缺少定义或规则集 {lacking}", f"a definition or rulebook is missing: {lacking}"
            )
        return law

    def _is_there(self, digest: str) -> bool:
        return digest in self.library.definitions or digest in self.library.rulebooks

    def _pinned(self, told: Told) -> None:
        """Which definition and rulebook an event is judged by: the pinned one, published by then; the batch's own."""
        shape, rulebook = told.event.get("definition", ""), told.event.get("rulebook", "")
        if told.kind not in ("opened", "migrated") and shape != self.standing.shape and (shape or told.kind in _JUDGED):
            self.find("pinned", "所依据的定义不是办件所属版本", "judged by a definition the case is not pinned to")
        for digest in (shape, rulebook):
            if digest and self.ground.published.get(digest, _FOR_EVER) > told.at:
                self.find("unpublished", f"当时 {digest[:8]} 尚未发布", f"{digest[:8]} was not published by then")
        if told.kind not in ("moved", "signed") or told.data["trigger"] == CANCELLED:
            return
        if self.ground.pinned.get(str(self._batch(told)), rulebook) != rulebook:
            self.find("pinned", "所依据的规则集不是批次所固定的", "judged by a rulebook that is not the batch's own")

    def _batch(self, told: Told) -> object:
        """The batch an event is about: the one given with it, else the case's."""
        given, fields = told.data.get("given") or {}, told.data.get("fields") or {}
        batch = fields["batch"] if "batch" in fields else given.get("batch")
        return batch or self.standing.fields.get("batch")

    # --- steps and signatures -----------------------------------------------------------------------------------------

    def _step(self, told: Told) -> None:
        law, data = self.law(told), told.data
        if law is None:
            return
        if told.kind == "opened":
            self._opening(law, told)
        trigger = data["trigger"]
        if trigger == CANCELLED and trigger not in law.transitions:
            self._cancelled(law, told)
            return
        if trigger not in law.transitions:
            self.find("trigger", f"没有步骤“{trigger}”", f"there is no step '{trigger}'")
            return
        step = law.step(trigger, told.slot if data.get("signing") == trigger else "")
        self._placed(step, told)
        self._judged(step, told)
        self._given(step, told)
        self._assigned(step, told)
        self._entitled(step, told)
        self._apart(step, told)
        self._signed(law, step, told)
        self._papers(step, told)
        if told.kind != "signed":
            self._counted(step, told)
            self._effects(step, told)
            self._late(told, fired=_fired(law.definition, told))

    def _opening(self, law: Law, told: Told) -> None:
        data, about = told.data, told.data["about"]
        is_student = "student" in law.definition["about"]
        fits = (
            set(about) == ({"student"} if is_student else {"unit"}) and about.get("unit", data["unit"]) == data["unit"]
        )
        if data["workflow"] != law.definition["workflow"] or not fits:
            self.find("opening", "开始事件与定义不符", "the opening does not fit its definition")
        if not self.ground.above(data["unit"], told.at):
            self.find("opening", f"没有单位 {data['unit']}", f"there is no unit {data['unit']}")

    def _cancelled(self, law: Law, told: Told) -> None:
        """What `cancel: open_cases` of another case does; the record cannot be cancelled so."""
        data = told.data
        legal = data["from"] == self.standing.state and data["to"] == CANCELLED and told.kind == "moved"
        if not legal or law.is_final(self.standing.state) or law.definition.get("record"):
            self.find("state", "此处不能取消", "this case could not be cancelled here")
        if not told.is_caused or told.people:
            self.find("right", "取消只能由另一办件引起", "only another case's step cancels a case")
        self._caused(told, "open_cases")

    def _placed(self, step: Step, told: Told) -> None:
        """The step starts in the state the case is in, and leads to one of its targets."""
        state, data = self.standing.state, told.data
        if data["from"] != state:
            self.find("state", f"从“{data['from']}”办理，而当时处于“{state}”", f"taken from {data['from']} in {state}")
        if state not in step.one["from"]:
            self.find("trigger", f"“{step.trigger}”不在“{state}”办理", f"{step.trigger} is not taken in {state}")
        if told.kind in _STEPS and data["to"] not in (step.targets or (state,)):
            self.find(
                "target", f"“{step.trigger}”不通向“{data['to']}”", f"{step.trigger} does not lead to {data['to']}"
            )

    def _judged(self, step: Step, told: Told) -> None:
        """Every rule of the step was asked, said what follows from what was seen, and let it through."""
        known = told.data if isinstance(told.data, Known) and not told.opened and not told.hidden else None
        if known is not None and step in known.sound:
            self.report.tally["verdicts"] += len(step.rules)
        else:
            before = self.report.codes.total()
            self._asked(step, told)
            if known is not None and not step.is_opaque and self.report.codes.total() == before:
                known.sound.add(step)
        self._seen(step.law, told)

    def _asked(self, step: Step, told: Told) -> None:
        """The rules of the step, which depend on nothing but what was seen."""
        said = told.data.get("verdicts") or {}
        if said.keys() != step.names:
            differing = "、".join(sorted(said.keys() ^ step.names))
            self.find(
                "rules", f"所问条件与定义不符：{differing}", f"other rules were asked than the step has: {differing}"
            )
        self._verdicts(step.law, [rule for rule in step.rules if rule.name in said], told)
        if said.keys() >= step.names and (against := step.against(said)):
            names = "、".join(f"{rule.id}" for rule, _ in against)
            self.find("against-rules", f"条件 {names} 不成立而办理", f"taken although {names} stood against it")
        if step.applies is not None and self._known(step.law, step.applies, told) is False:
            self.find("applies", f"“{step.trigger}”此时不适用", f"{step.trigger} did not apply")

    def _verdicts(self, law: Law, rules: Iterable[Rule], told: Told, more: Data | None = None) -> None:
        """Compute each verdict again from the values that were seen."""
        said = told.data.get("verdicts") or {}
        seen = {**told.seen, **more} if more else told.seen
        for rule in rules:
            if rule.is_opaque:
                self.report.tally["unjudged: function of the rulebook's own"] += 1
            elif told.hidden and any(key not in seen and _is_hidden(law, key) for key in rule.reads):
                self.report.tally["unjudged: values erased"] += 1
            else:
                self._verdict(rule, said.get(rule.name), seen)

    def _verdict(self, rule: Rule, told: str | None, seen: Data) -> None:
        self.report.tally["verdicts"] += 1
        try:
            found = rule.verdict(seen)
        except _MISSHAPEN as problem:
            self.find("seen", f"“{rule.name}”所见的值不可读：{problem}", f"a value that {rule.name} saw cannot be read")
            return
        if found != told:
            zh = f"条件“{rule.name}”({rule.id})记为“{told}”，由所见的值得出“{found}”"
            self.find("verdict", zh, f"{rule.name} ({rule.id}) is recorded as {told}; what was seen makes it {found}")

    def _known(self, law: Law, formula: Formula, told: Told) -> Any:  # noqa: ANN401 a value of the language
        """The value of an expression for what was seen; `NotImplemented` where it cannot be judged here."""
        hidden = told.hidden and any(key not in told.seen and _is_hidden(law, key) for key in formula.reads)
        if formula.strangers or hidden:
            self.report.tally["unjudged: expressions"] += 1
            return NotImplemented
        return formula.run({key: law.value(key, told.seen.get(key)) for key in formula.reads})

    def _seen(self, law: Law, told: Told) -> None:
        """What was seen of the clock, the batch and the case itself is what they were."""
        for key, value in told.data.looks if isinstance(told.data, Known) else looks_at(told.data):
            if key == "today":
                right = value == _today(told.at)
            elif key == "now":
                right = value == told.at
            elif key.startswith("batch."):
                right = self._is_of_batch(key[6:], value, told)
            else:
                right = self._is_own(law, key[5:], value, told)
            if not right:
                self.find("seen", f"所见的 {key} 与当时不符", f"{key} was not what was seen")

    def _is_of_batch(self, name: str, value: object, told: Told) -> bool:
        batch = self._batch(told)
        values = self.ground.batch_values(batch, told.at) if isinstance(batch, str) else []
        return not values or any(one.get(name) == value for one in values)

    def _is_own(self, law: Law, name: str, value: object, told: Told) -> bool:
        standing = self.standing
        if name in ("state", "rounds"):
            return bool(value == getattr(standing, name))
        if name not in law.fields or name in told.data.get("sealed_fields", ()):
            return True
        given = {**(told.data.get("given") or {}), **(told.data.get("fields") or {})}
        starts = told.kind == "opened" or f"case.{name}" in law.transitions[told.data["trigger"]].get("set", {})
        return starts or value in (standing.fields.get(name), given.get(name))

    def _given(self, step: Step, told: Told) -> None:
        """Fields that were written are those the step may write, and what it asks for is there."""
        data = told.data
        names = {*(data.get("fields") or ()), *(data.get("sealed_fields") or ())}
        if names and not names <= step.may_set:
            listed = "、".join(sorted(names - step.may_set))
            self.find("fields", f"“{step.trigger}”不写 {listed}", f"{step.trigger} does not write {listed}")
        if told.kind == "signed" or not step.required:
            return
        after = {**self.standing.fields, **(data.get("fields") or {})}
        lacking = [
            name
            for name in step.required
            if (data if name == "reason" else after).get(name) in (None, "")
            and name not in self.standing.erased
            and name not in data.get("sealed_fields", ())
        ]
        if lacking:
            listed = "、".join(lacking)
            self.find("fields", f"“{step.trigger}”缺少 {listed}", f"{step.trigger} lacks {listed}")

    def _assigned(self, step: Step, told: Told) -> None:
        """What the step sets follows from what was seen; the facts it writes are those it names."""
        if told.kind == "signed" or not (step.sets or told.data.get("facts")):
            return
        facts = []
        after = {**self.standing.fields, **(told.data.get("fields") or {})}
        for target, text in step.sets.items():
            owner, _, name = target.partition(".")
            if target.startswith("student["):
                facts.append(str(told.seen.get(target.removeprefix("student[").removesuffix("]"))))
            elif owner == "student":
                facts.append(name)
            elif name not in step.law.fields or step.law.fields[name].get("privacy", "open") == "open":
                self._is_set(step.law, text, (name, after.get(name)), told)
        if sorted(set(facts)) != (told.data.get("facts") or []):
            self.find("assigned", "所写的信息项与定义不符", "other facts are written than the step sets")

    def _is_set(self, law: Law, text: str | None, found: tuple[str, object], told: Told) -> None:
        name, value = found
        wanted = None if text is None else self._known(law, law.formula(text), told)
        if isinstance(value, dict) and len(value) == 1:
            value = next(iter(value.values()))
        if wanted is not NotImplemented and encoded(wanted) != value:
            self.find("assigned", f"字段“{name}”不是所见之值推得的", f"field {name} does not follow from what was seen")

    def _counted(self, step: Step, told: Told) -> None:
        """Returns are counted and end at the cap; a state that rests starts counting anew."""
        data, law = told.data, step.law
        rests = data["to"] != self.standing.state and law.rests(data["to"])
        if bool(data.get("rests")) is not rests:
            self.find(
                "rests", f"“{data['to']}”是否为静置状态与事件不符", f"the event misstates whether {data['to']} rests"
            )
        returns = step.kind == "return"
        if returns and self.standing.rounds >= law.definition.get("rounds", _DEFAULT_ROUNDS):
            self.find("rounds", "退回次数已满", "there were as many returns as there may be")
        if data.get("rounds") != (self.standing.rounds + 1 if returns and not rests else None):
            self.find("rounds", "退回次数计错", "the returns are miscounted")

    def _effects(self, step: Step, told: Told) -> None:
        """The effects it set off are those of the definition that apply."""
        if not step.effects and not told.data.get("effects"):
            return
        due = []
        for effect in step.effects:
            formula = step.law.formula(effect["applies"]) if effect.get("applies") else None
            value = True if formula is None else self._known(step.law, formula, told)
            if value is NotImplemented:
                return
            due += (
                [next(effect[verb] for verb in ("fire", "open", "move", "cancel") if verb in effect)] if value else []
            )
        if due != (told.data.get("effects") or []):
            self.find("effects", "联动与定义不符", "the effects are not those of the definition")

    # --- who ----------------------------------------------------------------------------------------------------------

    def _entitled(self, step: Step, told: Told) -> None:
        """Whoever acted held, then and there, a right the definition lets act (G-SG-01, G-SG-02)."""
        role, actor = told.role, told.actor
        caused = told.is_caused
        found = self._fitting(step, told)
        fitting = found.who
        if caused:
            self._caused(told, step.trigger if any(who["role"] == EFFECT for who in fitting) else "")
        if not fitting:
            self.find("right", f"“{step.trigger}”不由“{role}”办理", f"{role} does not take {step.trigger}")
        elif role in ("timer", "import"):
            self._by_machine(step, told)
        elif role in ("batch_published", "term_started"):
            self._with_the_registry(told)
        elif role == "student":
            self._by_student(fitting, told)
        elif not caused:
            self._by_staff(fitting, told)
        expected = [] if caused else [actor, *([told.lender] if told.lender else [])]
        if told.people != expected:
            self.find("right", "记为办理人的不是办理人", "others are counted as having acted than have")
        self._recorded(step, found, told)

    def _fitting(self, step: Step, told: Told) -> Fitting:
        """Those who fit the role, of those whom the step names or who sit in the seat that is signed."""
        if told.slot:
            return Fitting.among(self._in_seat(step, told), told.role, is_caused=told.is_caused)
        return step.fitting(told.role, is_caused=told.is_caused)

    def _in_seat(self, step: Step, told: Told) -> list[Data]:
        signing = told.data["signing"]
        added = self.standing.slots.get(signing, {}).get("added", {}).get(told.slot)
        if added is not None:
            return [{"role": added["role"], "here": added["unit"]}]
        sign = step.law.transitions[signing].get("sign") or {"slots": {}}
        return [sign["slots"][told.slot]] if told.slot in sign["slots"] else []

    def _place(self, who: Data, told: Told) -> str:
        """The unit at which a role counts for this step."""
        here = self.standing.unit or str(told.data.get("unit", ""))
        if "here" in who:
            return str(who["here"])
        if who.get("each"):
            return str(told.data["slot"]).partition("@")[2]
        at = who.get("at")
        if at is None:
            return here
        if at.startswith("case."):
            name = at.removeprefix("case.")
            fields = {**self.standing.fields, **(told.data.get("fields") or {})}
            return str(fields.get(name) or here)
        return next((unit for unit, kind in self.ground.above(here, told.at).items() if kind == at), here)

    def _by_staff(self, fitting: Sequence[Data], told: Told) -> None:
        role, unit, holder = told.role, str(told.event.get("unit", "")), told.lender or told.actor
        if not self.ground.holds(holder, role, unit, told.at):
            self.find("right", f"{holder} 当时在 {unit} 没有“{role}”", f"{holder} was no {role} at {unit} then")
        elif not any(self.ground.is_above(unit, self._place(who, told), told.at) for who in fitting):
            self.find("right", f"{unit} 不管此处的办件", f"{unit} has no say at the unit of this case")
        if self.ground.student_of.get(told.actor, "—") == self.standing.student:
            self.find("own-case", f"{told.actor} 办理本人的办件", f"{told.actor} decided the own case")
        if told.lender is not None:
            in_person = all(who.get("in_person") for who in fitting)
            self._lent(told, {one.reason for one in self._loans(told)} if not in_person else set())

    def _by_student(self, fitting: Sequence[Data], told: Told) -> None:
        """The student's own account, or somebody to whom the student has left it where `delegates` allows."""
        student = self.standing.student or told.data.get("about", {}).get("student", "")
        if told.lender is None:
            if self.ground.student_of.get(told.actor) != student:
                self.find("right", f"{told.actor} 不是学生本人", f"{told.actor} is not the student")
            return
        if told.lender != student and self.ground.student_of.get(told.lender) != student:
            self.find("delegation", f"{told.lender} 不是学生本人", f"{told.lender} is not the student")
        allowed = [who["delegates"] for who in fitting if who.get("delegates")]
        unit = self._place(fitting[0], told)
        roles = [role for one in allowed for role in one.get("roles", ())]
        if not any(self.ground.holds(told.actor, role, unit, told.at) for role in roles):
            self.find("delegation", f"不可委托给 {told.actor}", f"it could not be left to {told.actor}")
        reasons = {reason for one in allowed for reason in one.get("reasons", ())}
        self._lent(told, {one.reason for one in self._loans(told)} & reasons)

    def _loans(self, told: Told) -> list[Loan]:
        pair = (told.lender or "", told.actor)
        return [
            one
            for one in (*self.loans.get(pair, ()), *self.ground.loans.get(pair, ()))
            if one.role == told.role and one.since <= told.at <= one.until
        ]

    def _lent(self, told: Told, reasons: Collection[str]) -> None:
        if not reasons:
            zh = f"{told.lender} 对 {told.actor} 没有当时有效、且定义允许的委派"
            self.find("delegation", zh, f"no delegation by {told.lender} to {told.actor} was good then")

    def _by_machine(self, step: Step, told: Told) -> None:
        if told.actor != told.role:
            self.find("right", f"“{told.role}”不是 {told.actor}", f"{told.actor} is not the {told.role}")
        if told.role == "timer":
            fired = _fired(step.law.definition, told)
            if not any(self._clocks[name].is_late for name in fired if name in self._clocks):
                self.find("timer", "没有逾期的期限引发这一步", "no deadline was missed that fires this step")

    def _with_the_registry(self, told: Told) -> None:
        """Opened with a batch or a term: by the registry's event itself, for whoever caused it."""
        cause = told.event.get("cause") or {}
        if cause.get("chain") != "registry" or self.ground.causes.get(cause["seq"]) != (
            told.role, told.at, told.actor,
        ):  # fmt: skip
            self.find("cause", "没有引起它的登记事件", "there is no event of the registry that caused it")

    def _caused(self, told: Told, effect: str) -> None:
        """Name the step that caused this one; it is looked up once all chains are read."""
        cause = told.event.get("cause")
        cause = cause if isinstance(cause, dict) else {"chain": "", "seq": 0}
        chain = chain_number(str(cause["chain"]))
        if chain is None or (effect and cause["chain"] == self.name) or type(cause["seq"]) is not int:
            self.find("cause", "没有写明由何事引起", "it does not name what caused it")
        else:
            one = Cause(chain, cause["seq"], told.at, told.actor, effect)
            self.report.want({one: (self.name, told.seq)})

    def _recorded(self, step: Step, fitting: Fitting, told: Told) -> None:
        """Done by somebody else, or on the student's behalf, only where the definition says so."""
        if told.is_caused:
            return
        if fitting.who and told.event.get("done_by") not in fitting.done_by:
            self.find("right", "代为登记与定义不符", "it is recorded for somebody the definition does not name")
        if told.event.get("on_behalf_of") != step.one.get("on_behalf_of"):
            self.find("right", "代学生办理与定义不符", "it says otherwise than the definition on whose behalf")

    def _apart(self, step: Step, told: Told) -> None:
        """Nobody takes two steps that the definition keeps apart since the case opened or last rested (G-SG-08)."""
        taken = [people for key in step.apart if (people := self.standing.taken.get(key))]
        for person in told.people if taken else ():
            if any(person in people for people in taken):
                zh = f"{person} 已办理须由他人办理的步骤"
                self.find("distinct", zh, f"{person} had taken a step that is kept apart from this one")

    # --- signatures ---------------------------------------------------------------------------------------------------

    def _signed(self, law: Law, step: Step, told: Told) -> None:
        """A signature in its seat, once, in turn; the step once enough have signed (the language, section 6)."""
        data = told.data
        if "slot" not in data:
            if told.kind == "signed" or (step.sign is not None and not told.is_caused):
                self.find(
                    "quorum-of-slots", f"“{step.trigger}”没有签字", f"{step.trigger} was taken without signatures"
                )
            return
        signing = law.transitions.get(data["signing"], {})
        sign = signing.get("sign")
        if sign is None or self.standing.state not in signing["from"]:
            self.find("signature-place", f"“{data['signing']}”此时无须签字", f"{data['signing']} is not signed here")
            return
        seats = Seats(sign, self.standing.slots.get(data["signing"], {}))
        self._seated(seats, told)
        self._in_turn(seats, told)
        self._standing_of(seats, step, told)

    def _seated(self, seats: Seats, told: Told) -> None:
        seat = told.data["slot"]
        if not seats.has(told.slot):
            self.find("signature-place", f"没有签字处“{seat}”", f"there is no place '{seat}' to sign")
        if seat in seats.given:
            self.find("signature-twice", f"“{seat}”已签", f"'{seat}' was signed already")
        if not seats.is_on_paper(told.slot):
            for person in told.people:
                if person in seats.signers:
                    self.find("signature-twice", f"{person} 重复签字", f"{person} had signed already")

    def _in_turn(self, seats: Seats, told: Told) -> None:
        """What the event calls missing holds every seat that certainly waits; in sequence none of them comes before."""
        missing = told.data.get("missing")
        if told.kind != "signed" or not isinstance(missing, list):
            return
        filled = {*seats.given, told.data["slot"]}
        if lacking := [name for name in seats.certain if name not in filled and name not in missing]:
            listed = "、".join(lacking)
            self.find("quorum-of-slots", f"未列出尚缺的签字 {listed}", f"{listed} is missing and not said to be")
        if seats.in_sequence and any(seats.order(one) < seats.order(told.data["slot"]) for one in missing):
            self.find("signature-order", f"“{told.slot}”未到次序", f"'{told.slot}' signed out of turn")

    def _standing_of(self, seats: Seats, step: Step, told: Told) -> None:
        """Whether the block is open, reached or lost with this signature is what the event takes it for."""
        data = told.data
        before = self._missing.get(data["signing"])
        missing = data.get("missing") if told.kind == "signed" else before
        others = set(seats.certain) | (set(missing or ()) if told.kind == "signed" else set())
        votes = {**seats.given, data["slot"]: {"yes": data["vote"] == "yes"}}
        stands = seats.stands(votes, others | votes.keys())
        if told.kind == "moved" and before is None and seats.is_uncertain:
            self.report.tally["unjudged: how many seats a step had"] += 1
        wanted = "open" if told.kind == "signed" else "reached" if step.trigger == data["signing"] else "lost"
        if wanted == "lost" and step.trigger != seats.against:
            self.find("quorum-of-slots", "反对不通向此步", "a no does not lead to this step")
        if stands != wanted:
            self.find(
                "quorum-of-slots", f"签字状况为 {stands}，记为 {wanted}", f"the block is {stands}, taken for {wanted}"
            )

    def _note_missing(self, told: Told) -> None:
        if told.kind == "signed":
            self._missing[told.data["signing"]] = told.data.get("missing")
        elif told.data["to"] != self.standing.state or "slot" in told.data:
            self._missing = {}

    def _signers_changed(self, told: Told) -> None:
        """加签, 减签: as the definition offers it, by whom it names."""
        law, data = self.law(told), told.data
        if law is None:
            return
        sign = law.transitions.get(data["trigger"], {}).get("sign") or {}
        block = self.standing.slots.get(data["trigger"], {})
        wanted: dict[str, Any] = {step: dict(one) for step, one in self.standing.slots.items()}
        own = wanted.setdefault(data["trigger"], {})
        offer = sign.get("add" if "added" in data else "drop") or {}
        if "added" in data:
            unit = data["at_unit"]
            path = "".join(f"/{one}" for one in reversed([*self.ground.above(unit, told.at)])) + "/"
            seat = {"role": data["signer"], "unit": unit, "path": path}
            place = {"before": data["before"]} if "before" in data else {}
            own["added"] = {**block.get("added", {}), data["added"]: {**seat, **place}}
            fits = (
                data["signer"] in offer.get("roles", ())
                and len(own["added"]) <= offer.get("at_most", 1)
                and (not place or data["before"] in Seats(sign, block).ahead)
            )
        else:
            own["dropped"] = [*block.get("dropped", ()), data["dropped"]]
            fits = data["dropped"] in offer.get("slots", ()) and data["dropped"] not in Seats(sign, block).signed_slots
        if not fits or data["slots"] != wanted or data["from"] != self.standing.state:
            self.find("signers", "加签或减签与定义不符", "signers were changed otherwise than the definition lets them")
        if told.role not in offer.get("by", ()):
            self.find("right", f"“{told.role}”不可加签减签", f"{told.role} does not change signers")
        self._by_staff([{"role": told.role}], told)

    def _add_signers(self, told: Told) -> None:
        self.standing.slots = {step: _copied(block) for step, block in told.data["slots"].items()}
        self._missing[told.data["trigger"]] = None

    # --- papers -------------------------------------------------------------------------------------------------------

    def _papers(self, step: Step, told: Told) -> None:
        """What the step needs is on the case, what it reviews is ticked, what it makes is told (section 5)."""
        if not (step.has_papers or "documents" in told.data or "ticks" in told.data):
            return
        there = {kind for _, kind in self._documents}
        if lacking := [kind for kind in step.needs if kind not in there]:
            listed = "、".join(lacking)
            self.find("documents", f"缺少材料 {listed}", f"documents are missing: {listed}")
        if told.kind == "signed":
            return
        data, law = told.data, step.law
        if sorted(data.get("documents") or ()) != sorted(set(step.one.get("issues", ()))):
            self.find("documents", "所制材料与定义不符", "other documents are made than the step makes")
        kinds = [kind for kind in step.one.get("reviews", ()) if kind in there]
        ticks = {name: True for kind in kinds for name in _ticks(law, kind)}
        if ticks != (data.get("ticks") or {}):
            self.find("documents", "勾选与定义不符", "other ticks are given than the step asks for")

    def _evidence(self, told: Told) -> None:
        """A file handed in: by somebody with a part in such cases, its rules asked and answered."""
        law, data = self.law(told), told.data
        if law is None:
            return
        document = law.documents.get(data["document"])
        if document is None or data["from"] != self.standing.state or law.is_final(self.standing.state):
            self.find("documents", f"此处不收材料“{data['document']}”", f"{data['document']} is not taken here")
            return
        self._takes_part(law, told)
        names = law.flat(document.get("rules", ()))
        said = data.get("verdicts") or {}
        if said.keys() != set(names):
            self.find("rules", "所问条件与材料的不符", "other rules were asked than the document has")
        rules = [law.rule(name) for name in names if name in said]
        self._verdicts(law, rules, told, _looks_of(data))
        if refusing := [rule.id for rule in rules if said[rule.name] in (FAILS, UNDECIDED)]:
            listed = "、".join(refusing)
            self.find("against-rules", f"条件 {listed} 不成立而收下", f"taken although {listed} stood against it")
        self._seen(law, told)

    def _withdrawn(self, told: Told) -> None:
        law, data = self.law(told), told.data
        if (data["added"], data["document"]) not in self._documents or not data.get("reason"):
            self.find(
                "documents",
                "撤下的材料不在办件上，或没有理由",
                "a document is withdrawn that is not there, or without reason",
            )
        if law is not None:
            self._takes_part(law, told)

    def _viewed(self, told: Told) -> None:
        """A look at a document that is on the case, by somebody who takes part or audits (INV-ACC-1)."""
        law, data, trigger = self.law(told), told.data, told.data["trigger"]
        if trigger == "view:case" and told.role != "auditor":
            self.find("right", f"以角色“{told.role}”查看整件", f"the case as a whole was seen by a {told.role}")
        if trigger not in ("view:case", "view:facts") and not self._is_there_to_see(data):
            self.find("documents", "查看了不在办件上的材料", "a document was looked at that is not on the case")
        if law is not None:
            self._takes_part(law, told)

    def _is_there_to_see(self, data: Data) -> bool:
        key = (data["added"], data["document"])
        return key in self._documents and self._documents[key] in (None, data["sha256"])

    def _takes_part(self, law: Law, told: Told) -> None:
        everyone = [who for one in law.transitions.values() for who in _everybody(one)]
        fitting = [who for who in everyone if told.role in (acting_role(who), who["role"])]
        if not fitting and not (told.role in ("auditor", "student") and told.kind == "viewed"):
            self.find("right", f"“{told.role}”不参与此类办件", f"{told.role} takes no part in such cases")
        elif told.role == "student":
            if told.lender is None and self.ground.student_of.get(told.actor) != self.standing.student:
                self.find("right", f"{told.actor} 不是学生本人", f"{told.actor} is not the student")
        elif not self.ground.holds(told.lender or told.actor, told.role, str(told.event.get("unit")), told.at):
            holder = told.lender or told.actor
            self.find("right", f"{holder} 当时没有“{told.role}”", f"{holder} was no {told.role} then")

    def _note_documents(self, told: Told) -> None:
        data = told.data
        if told.kind == "evidence_added":
            self._documents[told.seq, data["document"]] = data["file"].get("sha256")
        elif told.kind == "evidence_withdrawn":
            self._documents.pop((data["added"], data["document"]), None)
        elif told.kind in _STEPS:
            for kind, digest in (data.get("documents") or {}).items():
                self._documents[told.seq, kind] = digest

    # --- deadlines ----------------------------------------------------------------------------------------------------

    def _late(self, told: Told, *, fired: Collection[str]) -> None:
        """A step taken after a deadline is marked late (INV-DL-1)."""
        if told.data["to"] == self.standing.state or not self._clocks:
            return
        over = {name for name, clock in self._clocks.items() if _is_over(clock, told.at)} - set(fired)
        if lacking := sorted(over - set(told.data.get("late") or ())):
            listed = "、".join(lacking)
            self.find("late", f"“{listed}”已逾期而未标记", f"late for {listed} and not marked")

    def _deadline_moved(self, told: Told) -> None:
        data = told.data
        clock = self._clocks.get(data["deadline"])
        if clock is not None and data.get("old") != clock.due:
            self.find("deadline", "原期限不是当时的期限", "the old date is not the one that ran")
        if data.get("extended") and not data.get("reason"):
            self.find("deadline", "延期没有理由", "an extension gives no reason")
        if "cause" in told.event:
            self._caused(told, "")

    def _deadline_told(self, told: Told) -> None:
        """Late once its moment has passed; each rung told once for its date, none once it is settled (INV-DL-2)."""
        data, clock = told.data, self._clocks.get(told.data["deadline"])
        if clock is None or clock.settled or clock.due != data["due"]:
            self.find("deadline", f"期限“{data['deadline']}”此时不在运行", f"{data['deadline']} did not run then")
        elif told.kind == "late" and not _is_over(clock, told.at):
            self.find("deadline", f"期限“{data['deadline']}”尚未逾期", f"{data['deadline']} was not over")
        rung = (data["deadline"], str(data["due"]), str(data.get("rung")))
        if told.kind in ("reminded", "escalated"):
            if rung in self._rungs:
                self.find("deadline", f"{rung[2]} 提醒了两次", f"{rung[2]} was told twice")
            self._rungs.add(rung)

    def _note_clocks(self, told: Told) -> None:
        data = told.data
        if told.kind == "deadline_moved":
            self._put_clock(data["deadline"], data["new"], settled=bool(data.get("settled")))
        elif told.kind == "late" and data["deadline"] in self._clocks:
            self._clocks[data["deadline"]].is_late = True
        for name, one in (data.get("deadlines") or {}).items():
            if one is None:
                self._clocks.pop(name, None)
            else:
                self._put_clock(name, one["due"], settled=bool(one.get("settled")))

    def _put_clock(self, name: str, due: str | None, *, settled: bool) -> None:
        old = self._clocks.get(name)
        is_late = old is not None and old.due == due and old.is_late
        self._clocks[name] = Clock(due, settled, is_late)

    # --- what else happens to a case ----------------------------------------------------------------------------------

    def _refused(self, told: Told) -> None:
        """A refusal had something against it, and says what follows from what was seen (INV-AP-3)."""
        data, trigger = told.data, told.data.get("trigger", "")
        if not any(data.get(name) for name in ("failed", "undecided", "engine", "barred")):
            self.find("refusal", "拒绝未写明原因", "a refusal that gives no reason")
        if data.get("barred"):
            self.report.tally["unjudged: why a request was not heard at all"] += 1
        if data.get("barred") or "verdicts" not in data:
            return
        law = self.law(told)
        if law is None:
            return
        asked = self._asked_of_file(law, told) if trigger.startswith("attach:") else self._asked_of_step(law, told)
        if asked is not None:
            self._against(law, asked, told)

    def _asked_of_file(self, law: Law, told: Told) -> list[tuple[Rule, str]]:
        """The rules of a document that stood against a file."""
        data, said = told.data, told.data["verdicts"]
        document = law.documents.get(data["document"], {})
        rules = [law.rule(name) for name in law.flat(document.get("rules", ())) if name in said]
        self._verdicts(law, rules, told, _looks_of(data))
        return [(rule, said[rule.name]) for rule in rules if said[rule.name] in (FAILS, UNDECIDED)]

    def _asked_of_step(self, law: Law, told: Told) -> list[tuple[Rule, str]] | None:
        """The rules of a step that stood against it. A no was asked those of the step to which it leads."""
        said, trigger = told.data["verdicts"], told.data.get("trigger", "")
        if trigger not in law.transitions:
            self.find("trigger", f"没有步骤“{trigger}”", f"there is no step '{trigger}'")
            return None
        steps = [law.step(trigger, told.slot)]
        if told.slot and steps[0].sign is not None and steps[0].sign.get("against"):
            steps.append(law.step(steps[0].sign["against"]))
        step = next((one for one in steps if one.names == said.keys()), None)
        if step is None:
            self.find("rules", "所问条件与定义不符", "other rules were asked than the step has")
            return None
        self._verdicts(law, step.rules, told)
        for name in told.data["engine"]:
            if self._engine_said(name, step, told) is False:
                self.find("refusal", f"引擎所称“{name}”并非如此", f"what the engine says of '{name}' is not so")
        return step.against(said)

    def _engine_said(self, name: str, step: Step, told: Told) -> bool | None:
        """Whether what the engine itself had against a step was so; None where the event does not show it."""
        data, standing = told.data, self.standing
        match name:
            case "rounds-used-up":
                return bool(standing.rounds >= step.law.definition.get("rounds", _DEFAULT_ROUNDS))
            case "document-missing":
                return any(kind not in {one for _, one in self._documents} for kind in step.needs)
            case "asked-missing" if not told.slot and "sealed_given" not in data:
                given = {**(data.get("given") or {}), "reason": data.get("reason")}
                return any(given.get(one) in (None, "") for one in step.required)
            case "own-case":
                return self.ground.student_of.get(told.actor, "—") == standing.student
            case _:
                self.report.tally["unjudged: the engine's own reasons to refuse"] += 1
                return None

    def refused_opening(self, told: Told) -> None:
        """An opening that was refused stands in the student's own chain."""
        self._seq, self.standing.shape = told.seq, told.event.get("definition", "")
        try:
            self._refused(told)
        except (MissingRule, NotAnExpression) as problem:
            self.find("rule-missing", f"规则不可读：{problem}", f"a rule is missing or cannot be read: {problem}")

    def _against(self, law: Law, against: Sequence[tuple[Rule, str]], told: Told) -> None:
        """The ids a refusal lists are those of the rules that stood against it, and of the engine's own."""
        data = told.data
        if "linked-case" in data["engine"]:
            return  # what linked cases said stands in their own words
        if not against and not data["engine"]:
            self.find("refusal", "没有任何条件不成立而拒绝", "refused although nothing stood against it")
        own = {str(one["sign"]["id"]) for one in law.transitions.values() if (one.get("sign") or {}).get("id")}
        own.update(law.definition.get("invariants", ()))
        engine = {str({**law.rules, **law.engine}.get(name, {}).get("id", name)) for name in data["engine"]} | own
        for listed, word in (("failed", FAILS), ("undecided", UNDECIDED)):
            found = {rule.id for rule, outcome in against if outcome == word}
            told_ids = set(data.get(listed) or ())
            unknown = any(name not in law.engine and name not in law.rules for name in data["engine"])
            if not found <= told_ids or (told_ids - found - engine and not unknown):
                self.find("refusal", f"{listed} 与判断不符", f"what it lists as {listed} is not what the rules said")

    def _retracted(self, told: Told) -> None:
        """撤回: the own last step or signature, where the definition lets it; everything stands as before."""
        law, data, last = self.law(told), told.data, self._last
        if law is None or last is None:
            return
        one = law.transitions.get(data["trigger"], {})
        is_last = last.kind in ("moved", "signed") and last.data["trigger"] == data["trigger"]
        is_own = is_last and last.actor == told.actor and "cause" not in last.event
        if not is_own or not one.get("retractable") or law.is_final(self.standing.state):
            self.find("retraction", "不可撤回", "this could not be taken back")
        elif data["from"] != self.standing.state or any(data[key] != value for key, value in self._before.items()):
            self.find("retraction", "撤回后与办理前不同", "it does not stand as before the step")

    def _add_retracted(self, told: Told) -> None:
        data, standing = told.data, self.standing
        standing.fields, standing.rounds = dict(data["fields"]), data["rounds"]
        standing.taken = {key: list(who) for key, who in data["taken"].items()}
        standing.slots = {step: _copied(block) for step, block in data["slots"].items()}
        standing.enter(data["to"], told.at)
        self._missing = {}

    def _relocated(self, told: Told) -> None:
        data = told.data
        if data["was"] != self.standing.unit or not self.ground.above(data["unit"], told.at):
            self.find("relocation", "迁入或迁出单位不对", "it moves from or to a unit that is not right")
        self._caused(told, "student")

    def _add_relocated(self, told: Told) -> None:
        self.standing.unit = told.data["unit"]

    def _migrated(self, told: Told) -> None:
        """To a later version of its definition, along `upgrades`, by somebody who moves cases (section 12)."""
        data, law = told.data, self.law(told)
        old = self.library.definitions.get(data["was"])
        if law is None or old is None:
            return
        ways = law.definition.get("upgrades", {}).get(str(old["version"]))
        same = all(law.definition[key] == old[key] for key in ("workflow", "profile"))
        state = self.standing.state
        if data["was"] != self.standing.shape or data["from"] != state or not same or ways is None:
            self.find("migration", "不可转到该版本", "it could not move to that version")
        elif data["to"] != ways.get(state, state) or data["to"] not in law.states:
            self.find("migration", "转版本后的状态不对", "that version leads to another state")
        if not any(self._ever_held(told, role) for role in _MIGRATES):
            self.find("right", f"{told.actor} 不可转版本", f"{told.actor} does not move cases to another version")

    def _ever_held(self, told: Told, role: str) -> bool:
        terms = self.ground.terms.get((told.actor, role), ())
        return any(since <= told.at <= until for _, since, until in terms)

    def _add_migrated(self, told: Told) -> None:
        self.standing.shape = told.event["definition"]
        self._pin()
        self.standing.enter(told.data["to"], told.at)

    def _delegated(self, told: Told) -> None:
        """委派, 转办: of a right that is the giver's own; what somebody leaves behind is handed on by others."""
        data = told.data
        is_own = data["by"] == told.actor or (
            data["for_good"] and self.ground.holds(told.actor, _LOOKS_AFTER_PEOPLE, data["unit"], told.at)
        )
        if data["role"] != "student" and not (
            is_own and self.ground.holds(data["by"], data["role"], data["unit"], told.at)
        ):
            self.find(
                "delegation", f"{data['by']} 没有可委派的“{data['role']}”", f"{data['by']} is no {data['role']} there"
            )
        if data["role"] == "student" and self.standing.student not in (
            data["by"],
            self.ground.student_of.get(data["by"]),
        ):
            self.find("delegation", f"{data['by']} 不是学生本人", f"{data['by']} is not the student")

    def _add_loan(self, told: Told) -> None:
        lend(self.loans, told.event)

    def _nothing(self, told: Told) -> None:
        """An event that says only that something was done beside the case."""

    def differences(self, row: Data) -> list[str]:
        """The columns of the case's row that its events do not add up to."""
        now = self.standing
        pairs = {
            "fields": (_known_of(row["fields"]), _known_of(now.fields)),
            "slots": (row["slots"] or {}, now.slots),
            "batch": (row["batch"], now.fields.get("batch")),
            **{
                name: (row[name], getattr(now, name))
                for name in ("state", "rounds", "taken", "shape", "workflow", "unit", "opened_at", "entered_at")
            },
        }
        return [name for name, (one, other) in pairs.items() if one != other]


_CASE_EVENTS: Mapping[str, Callable[[CaseReplay, Told], None]] = {
    **dict.fromkeys(("opened", "moved", "signed"), CaseReplay._step),  # noqa: SLF001 a table of the class's own methods
    **dict.fromkeys(("late", "reminded", "escalated"), CaseReplay._deadline_told),  # noqa: SLF001
    **dict.fromkeys(("delegated", "handed_over"), CaseReplay._delegated),  # noqa: SLF001
    **dict.fromkeys(("urged", "timer_blocked", "noted", "commented", "copied"), CaseReplay._nothing),  # noqa: SLF001
    **dict.fromkeys(("delegation_revoked", "imported"), CaseReplay._nothing),  # noqa: SLF001
    "refused": CaseReplay._refused,  # noqa: SLF001
    "signer_changed": CaseReplay._signers_changed,  # noqa: SLF001
    "retracted": CaseReplay._retracted,  # noqa: SLF001
    "relocated": CaseReplay._relocated,  # noqa: SLF001
    "migrated": CaseReplay._migrated,  # noqa: SLF001
    "deadline_moved": CaseReplay._deadline_moved,  # noqa: SLF001
    "evidence_added": CaseReplay._evidence,  # noqa: SLF001
    "evidence_withdrawn": CaseReplay._withdrawn,  # noqa: SLF001
    "viewed": CaseReplay._viewed,  # noqa: SLF001
}
"""What each kind of event is held against; a case has no others."""

_FOLDS: Mapping[str, Callable[[CaseReplay, Told], None]] = {
    **dict.fromkeys((*_LENT, _REVOKED), CaseReplay._add_loan),  # noqa: SLF001
    "signer_changed": CaseReplay._add_signers,  # noqa: SLF001
    "retracted": CaseReplay._add_retracted,  # noqa: SLF001
    "relocated": CaseReplay._add_relocated,  # noqa: SLF001
    "migrated": CaseReplay._add_migrated,  # noqa: SLF001
}
_JUDGED = frozenset({"moved", "signed", "retracted", "signer_changed", "relocated"})
"""Kinds that must name the definition they are judged by."""


def _known_of(values: Data) -> Data:
    """What was cleared and what was never known are the same."""
    return {name: value for name, value in values.items() if value is not None}


class Seats:
    """The places to sign for one step: those of its definition, and what was added, dropped and given so far."""

    def __init__(self, sign: Data, block: Data) -> None:
        self._sign = sign
        self._slots: Mapping[str, Data] = sign.get("slots", {})
        self._added: Mapping[str, Data] = block.get("added", {})
        dropped = block.get("dropped", ())
        self.given: Mapping[str, Data] = block.get("given", {})
        self._open = [name for name in self._slots if name not in dropped]
        plain = [
            name for name in self._open if not self._slots[name].get("applies") and not self._slots[name].get("each")
        ]
        self.certain = [*plain, *self._added]
        self.is_uncertain = len(plain) < len(self._open)
        self.in_sequence = sign.get("order", "any") == "sequence"
        self.against = sign.get("against")

    def has(self, slot: str) -> bool:
        """Whether there is such a slot."""
        return slot in self._open or slot in self._added

    def is_on_paper(self, slot: str) -> bool:
        """Whether a signature was given on paper: who records it signs nothing and may record them all."""
        return bool(self._slots.get(slot, {}).get("recorded_by"))

    @property
    def ahead(self) -> list[str]:
        """The slots before which a signer may be added: in sequence, those in which nobody has signed."""
        return [name for name in self._open if name not in self.signed_slots] if self.in_sequence else []

    @property
    def signed_slots(self) -> set[str]:
        """The slots in which somebody has signed."""
        return {seat.partition("@")[0] for seat in self.given}

    @property
    def signers(self) -> set[str]:
        """Who has signed, and who has had it done by a delegate."""
        own = [vote for seat, vote in self.given.items() if not self.is_on_paper(seat.partition("@")[0])]
        return {str(vote[key]) for vote in own for key in ("by", "for") if key in vote}

    def order(self, seat: str) -> int:
        """The place of a seat in the sequence."""
        every = [one for name in self._slots for one in (*self._added_before(name), name)]
        every += [one for one in self._added if one not in every]
        slot = seat.partition("@")[0]
        return every.index(slot) if slot in every else len(every)

    def _added_before(self, slot: str) -> list[str]:
        return [name for name, one in self._added.items() if one.get("before") == slot]

    def stands(self, votes: Mapping[str, Data], seats: Collection[str]) -> str:
        """Whether the quorum is reached, lost, or still open."""
        yes = sum(1 for vote in votes.values() if vote["yes"])
        no = len(votes) - yes
        needed = self._needed(len(seats))
        if no and (self._sign.get("veto", True) or len(seats) - no < needed):
            return "lost"
        return "reached" if yes >= needed else "open"

    def _needed(self, seats: int) -> int:
        quorum = self._sign.get("quorum", "all")
        named = {"all": seats, "any": 1, "majority": seats // 2 + 1}
        return named[quorum] if quorum in named else min(int(quorum), seats)


def _apart_from(law: Law, trigger: str, slot: str) -> list[str]:
    """The keys of `taken` that nobody who takes this step, or signs in this slot, may stand under."""
    own = {trigger, f"{trigger}.{slot}"}
    groups = law.definition.get("distinct", ())
    others = [one for group in groups if own & set(group) for one in group if one not in own]
    keys = []
    for other in others:
        sign = law.transitions.get(other, {}).get("sign") or {}
        most = (sign.get("add") or {}).get("at_most", 1) if sign.get("add") else 0
        slots = [*sign.get("slots", ()), *(f"+{count}" for count in range(1, most + 1))]
        keys += [other, *(f"{other}.{name}" for name in slots)]
    return keys


def _everybody(one: Data) -> Iterator[Data]:
    yield from one.get("by", ())
    yield from (one.get("sign") or {}).get("slots", {}).values()


def _looks_of(data: Data) -> Data:
    """What the rules of a document may ask of a file."""
    return {f"file.{name}": value for name, value in data["file"].items() if isinstance(value, str | int)}


def _ticks(law: Law, kind: str) -> list[str]:
    return [f"{kind}.{tick}" for tick in law.documents.get(kind, {}).get("ticks", ())] or [kind]


def _fired(definition: Data, told: Told) -> list[str]:
    """The deadlines that fire a step themselves, where the clock has taken it."""
    if told.actor != "timer":
        return []
    timed = definition.get("deadlines", {}).items()
    return [name for name, one in timed if (one.get("missed") or {}).get("fire") == told.data["trigger"]]


def _is_over(clock: Clock, at: str) -> bool:
    return clock.due is not None and not clock.settled and at[:_SECONDS] > clock.due[:_SECONDS]


def _is_hidden(law: Law, key: str) -> bool:
    return law.is_personal(key) or key == "file.stem"


@lru_cache(maxsize=4096)
def _today(at: str) -> str:
    """The day of a moment in Asia/Shanghai."""
    return datetime.fromisoformat(at).astimezone(SHANGHAI).date().isoformat()


# ======================================================================================================================
# 12  A student replayed: facts with old and new value, and openings that were refused
# ======================================================================================================================


class StudentReplay:
    """Replays what is known of one student."""

    def __init__(self, name: str, ground: Ground, library: Library, report: Report) -> None:
        self.name, self.report = name, report
        self.facts: dict[str, Any] = {}
        self.unit: str | None = None
        self.erased: set[str] = set()
        self._refusals = CaseReplay(name, ground, library, report)
        self._ground = ground

    def take(self, told: Told) -> None:
        """Check one event, then add it."""
        try:
            self._take(told)
        except _MISSHAPEN as problem:
            what = f"{type(problem).__name__} {problem}"[:80]
            self.report.add(
                "shape", f"事件的形状不对：{what}", f"the event is not shaped: {what}", (self.name, told.seq)
            )

    def _take(self, told: Told) -> None:
        if told.kind == "fact_changed":
            self._learn(told)
        elif told.kind == "refused":
            self._refusals.refused_opening(told)
        elif told.kind == "erased":
            self._erased(told)
        elif told.kind not in ("imported", "noted", "viewed"):
            zh, en = f"学生没有“{told.kind}”这种事件", f"a student has no events of the kind '{told.kind}'"
            self.report.add("kind", zh, en, (self.name, told.seq))

    def _learn(self, told: Told) -> None:
        changes = {**told.data["facts"], **told.opened}
        for name, change in changes.items():
            if name not in self.erased and change.get("old") != self.facts.get(name):
                zh, en = f"“{name}”的原值不是当时的值", f"the old value of {name} is not what was known"
                self.report.add("facts", zh, en, (self.name, told.seq))
            self.facts[name] = change.get("new")
            self.erased.discard(name)
        for name in told.data.get("sealed_facts") or () if told.hidden else ():
            self.erased.add(name)
            self.facts[name] = None
        self._caused(told, [*told.data["facts"], *(told.data.get("sealed_facts") or ())])
        self.unit = told.data.get("unit") or self.unit

    def _erased(self, told: Told) -> None:
        """Personal values were erased by somebody of the records section over the student."""
        unit = str(told.event.get("unit", ""))
        holds = self._ground.holds(told.actor, _ERASES, unit, told.at)
        if told.role != _ERASES or not holds or not self._ground.is_above(unit, self.unit or "", told.at):
            zh, en = f"{told.actor} 不可抹除个人信息", f"{told.actor} does not erase personal values here"
            self.report.add("right", zh, en, (self.name, told.seq))

    def _caused(self, told: Told, names: Sequence[str]) -> None:
        """Facts that a step has written name the step, which must have written facts of those names."""
        cause = told.data.get("cause") or told.event.get("cause")
        if cause is None:
            return
        chain = chain_number(str(cause["chain"]))
        effect = f"facts {' '.join(sorted(names))}" if "cause" in told.data else "student"
        if chain is not None and type(cause["seq"]) is int:
            self.report.want({Cause(chain, cause["seq"], told.at, told.actor, effect): (self.name, told.seq)})

    def differences(self, row: Data) -> list[str]:
        """The facts and columns of the student's row that the events do not add up to."""
        kept = _known_of(row["facts"])
        names = kept.keys() | self.facts.keys()
        differing = sorted(name for name in names if kept.get(name) != self.facts.get(name))
        differing += ["unit"] if row["unit"] != self.unit else []
        columns: Data = row["columns"]
        return differing + [f"column {name}" for name, value in columns.items() if value != kept.get(name)]


# ======================================================================================================================
# 13  Spans: ranges of chains, each checked by itself, so that several processes share the work and memory stays flat
# ======================================================================================================================

_CAUSES = 5_000
"""How many causes one process looks up at a time."""

_SPAN = 2 << 20
"""About how many bytes of events one process takes at a time."""


@dataclass(slots=True)
class Work:
    """What every process is given once."""

    bundle: Bundle
    seal: Seal
    library: Library
    ground: Ground


@dataclass(slots=True)
class Done:
    """What a span comes to: the report, the chains it began and ended with, and what is settled at the end."""

    report: Report
    is_stopped: bool = False
    first: int | None = None
    last: int | None = None
    starts: array[int] = field(default_factory=lambda: array("q"))
    used: Counter[str] = field(default_factory=Counter)
    hidden: list[tuple[str, int]] = field(default_factory=list)
    erased: dict[str, int] = field(default_factory=dict)


_work: list[Work] = []


def _given(work: Work) -> None:
    _work[:] = [work]


_SELDOM = 100_000
"""What is read here makes no cycles: looking for them as often as usual costs a tenth of the time."""


def check_span(span: Span) -> Done:
    """Check the events of a span, and everything that belongs to their chains."""
    one = Chains(_work[0], span)
    try:
        gc.set_threshold(_SELDOM)
        one.run()
    except Stop as stop:
        one.done.report.add(stop.code, stop.zh, stop.en)
        one.done.is_stopped = True
    return one.done


class Chains:
    """The chains of one span with the personal values and rows that belong to them."""

    def __init__(self, work: Work, span: Span) -> None:
        self._work, self._span = work, span
        self.done = Done(Report())
        self._report = self.done.report
        self._walker = Walker(work.seal, self._report)
        self._replay: CaseReplay | StudentReplay | None = None
        self._personal: Personal | None = None
        self._rows: dict[str, Iterator[Data]] = {}
        self._next: dict[str, Data | None] = {}

    def run(self) -> None:
        """Check them; what is found so far stands in `done` also where it has to stop."""
        at = self._span.start
        for raw in self._work.bundle.lines("events").raw(at, self._span.end):
            usual = usual_line(raw)
            line, known = usual or (event_line(raw), None)
            if abs(line.chain) >= _SPACE:
                raise Stop("line", "事件行没有链号", "a line of events.jsonl names no chain")
            if line.chain != self._walker.chain:
                self._begin(line.chain)
                self.done.starts.extend((line.chain, at))
            event = self._walker.take(line, known)
            if usual is None and event is not None and isinstance(event["data"], Known):
                learn(raw, line, event)
            if event is not None:
                self._add(line.chain, event)
            at += len(raw)
        self._close()
        if self._personal is not None:
            self._personal.finish()
        self.done.last = self._walker.chain

    def _begin(self, chain: int) -> None:
        self._close()
        if self._personal is None:
            self._aside(chain)
        self._walker.begin(chain)
        name, work = self._walker.name, self._work
        if chain == 0:
            self._replay = None
        else:
            kind = CaseReplay if chain > 0 else StudentReplay
            self._replay = kind(name, work.ground, work.library, self._report)
            self._report.tally["cases" if chain > 0 else "students"] += 1

    def _aside(self, chain: int) -> None:
        """Open the personal values of the chains of this span."""
        self.done.first = chain
        lines, following = self._work.bundle.lines("personal"), self._span.following
        start = 0 if self._span.start == 0 else lines.first_from(chain)
        end = lines.size if following is None else lines.first_from(following)
        self.done.used["personal"] = end - start
        self._personal = Personal(lines.between(start, end), self._report)

    def _add(self, chain: int, event: Data) -> None:
        kept = None if self._personal is None else self._personal.until(chain, event["seq"])
        opened, hidden = self._opened(event, kept)
        if self._replay is None:
            return  # the registry's: its events are the ground, which has been read
        try:
            told = Told(event, opened, hidden=hidden)
        except _MISSHAPEN:
            where = (self._walker.name, event["seq"])
            self._report.add("shape", "事件的形状不对", "the event is not shaped as its kind is", where)
            return
        self._replay.take(told)
        if event["kind"] == "erased":
            self._erase(event["data"])

    def _erase(self, data: Data) -> None:
        for name, seq in erased_by(data).items():
            self.done.erased[name] = max(seq, self.done.erased.get(name, 0))

    def _opened(self, event: Data, kept: Data | None) -> tuple[Data | None, bool]:
        """The sealed values, which must be those the event has committed to, and whether they cannot be seen."""
        expected = event["data"].get("sealed")
        if kept is None and expected is None:
            return None, False
        where = (self._walker.name, event["seq"])
        if kept is None:
            self._report.tally["sealed values not there"] += 1
            self.done.hidden.append(where)
            return None, True
        values = None if expected is None else opened_values(kept, expected)
        if values is None:
            self._report.add("commitment", "个人信息与承诺不符", "these are not the values it committed to", where)
        else:
            self._report.tally["sealed values opened"] += 1
        return values, values is None

    def _close(self) -> None:
        """The chain has ended: its row must be what its events add up to."""
        walker, replay = self._walker, self._replay
        if walker.chain is None or replay is None:
            return
        row = self._row("cases" if walker.chain > 0 else "students", walker.chain)
        where = (walker.name, walker.seq)
        if row is None:
            self._report.add("row", "没有对应的记录", "there are events and no row", (walker.name, 0))
        elif not walker.is_broken:
            self._compared(replay, row, where)

    def _compared(self, replay: CaseReplay | StudentReplay, row: Data, where: tuple[str, int]) -> None:
        if row["seq"] != self._walker.seq:
            zh, en = f"记录称有 {row['seq']} 个事件", f"the row has seen {row['seq']} events, {where[1]} are there"
            self._report.add("sequence", zh, en, (where[0], min(where[1], row["seq"]) + 1))
        elif row["head"] != self._walker.head:
            self._report.add("chain", "记录的链尾不是最后的事件", "the row does not end with the last event", where)
        else:
            try:
                differing = replay.differences(row)
            except _MISSHAPEN:
                differing = ["?"]
            if differing:
                names = "、".join(differing)
                self._report.add(
                    "row", f"记录与事件不符：{names}", f"the row is not what the events add up to: {names}", where
                )

    def _row(self, name: str, chain: int) -> Data | None:
        """The row of a chain; rows in between have no events, and are counted as left over."""
        if name not in self._rows:
            lines = self._work.bundle.lines(name)
            self._rows[name] = lines.between(lines.first_from(chain), lines.size)
            self._next[name] = next(self._rows[name], None)
        while (row := self._next[name]) is not None and is_row(row) and row["chain"] < chain:
            self._next[name] = next(self._rows[name], None)
        if row is None or row.get("chain") != chain or not is_row(row):
            return None
        self._next[name] = next(self._rows[name], None)
        self.done.used[name] += 1
        return row


def is_row(row: Data) -> bool:
    """Whether a row says where its chain ends."""
    return type(row.get("chain")) is int and type(row.get("seq")) is int and is_hex(row.get("head"))


def erased_by(data: Data) -> Mapping[str, int]:
    """The chains whose personal values an erasure has taken away, each up to an event."""
    chains = data.get("chains")
    told = chains.items() if isinstance(chains, dict) else ()
    return {name: seq for name, seq in told if type(seq) is int}


def check_causes(causes: Sequence[tuple[Cause, int]]) -> list[Cause]:
    """Those among some causes (in order, each with where its chain starts) that are not what they are said to be."""
    wrong, lines = [], _work[0].bundle.lines("events")
    for (_, start), several in groupby(causes, key=lambda pair: (pair[0].chain, pair[1])):
        wanted = [one for one, _ in several]
        events = _events_at(lines, start, {one.seq for one in wanted})
        wrong += [one for one in wanted if not _is_cause(events.get(one.seq), one)]
    return wrong


def _events_at(lines: Lines, start: int, places: Collection[int]) -> dict[int, object]:
    """The events of a chain at some places."""
    found: dict[int, object] = {}
    last, chain = max(places), None
    for line in map(event_line, lines.raw(start, lines.size)):
        chain = line.chain if chain is None else chain
        if line.chain != chain or line.seq > last:
            break
        if line.seq in places:
            try:
                found[line.seq] = read_json(line.body)
            except (ValueError, RecursionError):
                continue
    return found


def _is_cause(event: object, wanted: Cause) -> bool:
    """Whether an event can have caused what it is said to: then, by that person, with that effect, those facts."""
    data = event.get("data") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(data, dict):
        return False
    if (event.get("at"), event.get("actor")) != (wanted.at, wanted.actor):
        return False
    if wanted.effect.startswith("facts "):
        return set(wanted.effect.split()[1:]) <= set(data.get("facts") or ())
    effects = [str(one).rpartition(".")[2] for one in data.get("effects") or ()]
    return not wanted.effect or wanted.effect in effects


# ======================================================================================================================
# 14  The whole: the checks in order, and what they come to
# ======================================================================================================================


@dataclass(slots=True)
class Summary:
    """Everything that is told at the end."""

    report: Report = field(default_factory=Report)
    log: str = ""
    scope: str = ""
    made_at: str = ""
    head: Head | None = None
    note: bytes = b""
    signed_by: list[str] = field(default_factory=list)
    witnesses: dict[str, int] = field(default_factory=dict)
    newest: str = ""
    not_checked: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Asked:
    """What the auditor brings: the policy, the head kept from last time, how many processes to use."""

    policy: Policy
    seen: bytes | None = None
    jobs: int = 1


def verify(path: Path, asked: Asked) -> Summary:
    """Check a bundle against what an auditor brings."""
    summary = Summary()
    with tempfile.TemporaryDirectory(prefix="xueji-verify-") as folder:
        try:
            with unpacked(path, Path(folder)) as (bundle, events):
                _verify_all(bundle, events, asked, summary)
        except Stop as stop:
            summary = Summary()
            summary.report.add(stop.code, stop.zh, stop.en)
    return summary


def _verify_all(bundle: Bundle, events: Unpacking, asked: Asked, summary: Summary) -> None:
    """Check as far as it goes, and that the zip was whole in any case."""
    try:
        _verify(bundle, events, asked, summary)
    except Refused:
        raise
    except Stop as stop:
        summary.report.add(stop.code, stop.zh, stop.en)
    events.finish()


def _verify(bundle: Bundle, events: Unpacking, asked: Asked, summary: Summary) -> None:
    summary.log, summary.made_at = bundle.manifest["log"], str(bundle.manifest.get("made_at", ""))
    scope = bundle.manifest["scope"]
    summary.scope = " ".join(str(scope[key]) for key in ("kind", "name") if scope.get(key))
    head = _head(bundle, asked.policy, summary)
    leaves = bundle.folder / "leaves.bin"
    if head is not None:
        _tree(head, leaves if bundle.is_whole else None)
    if asked.seen is not None:
        _seen_before(bundle, asked, head, summary)
    library = library_of(bundle.texts, summary.report)
    work = Work(bundle, _seal(bundle, head), library, Ground())
    _events(work, events, asked.jobs, summary)
    _say_what_was_not_checked(bundle, summary)


def _head(bundle: Bundle, policy: Policy, summary: Summary) -> Head | None:
    """The signed head: by a log the policy names, with its quorum of witnesses, of this bundle's tree."""
    if bundle.manifest["log"] not in {key.name for key in policy.logs}:
        raise Stop("origin", f"日志 {summary.log[:60]} 不在策略中", f"the policy trusts no log {summary.log[:60]!r}")
    if bundle.head is None:
        if bundle.manifest["size"]:
            raise Stop("head-missing", "缺少已签名的日志头 head.note", "the signed head is missing")
        return None
    try:
        note = Note.parse(bundle.head)
        head = Head.parse(note.text)
    except NotSigned as problem:
        raise Stop("note", f"head.note 不可读：{problem}", f"head.note cannot be read: {problem}") from problem
    if head.origin != summary.log:
        raise Stop("origin", f"日志头属于 {head.origin[:60]}", f"the head is of {head.origin[:60]!r}")
    try:
        _vouched(note, head, policy, summary)
    except NotSigned as problem:
        raise Stop("signature", f"签名不成立：{problem}", f"{problem}") from problem
    if head.size != bundle.manifest["size"]:
        raise Stop("manifest", "manifest.json 与日志头的大小不符", "manifest.json states another size than the head")
    summary.head, summary.note = head, bundle.head
    return head


def _vouched(note: Note, head: Head, policy: Policy, summary: Summary) -> None:
    """Who has signed the head: the log, without which nothing is checked, and enough of the witnesses."""
    summary.signed_by = [f"{key.name}+{key.key_id.hex()}" for key in policy.logs if _signs(key, head, note)]
    if not summary.signed_by:
        raise Stop("signature", "日志头没有策略所信任的签名", "no key that the policy trusts has signed the head")
    signed = ((name, key.signed_at(note)) for name, key in policy.witnesses.items() if key.kind == COSIGNATURE)
    summary.witnesses = {name: at for name, at in signed if at is not None}
    if not policy.is_met(summary.witnesses.keys()):
        there = "、".join(summary.witnesses) or "无 none"
        summary.report.add("quorum", f"见证方不足：{there}", f"the quorum of witnesses is not met: {there}")


def _signs(key: Key, head: Head, note: Note) -> bool:
    return key.name == head.origin and key.kind == ED25519 and key.signed_at(note) is not None


def _tree(head: Head, leaves: Path | None) -> None:
    """The whole tree, computed again from its leaves; a part proves each event by itself."""
    if leaves is None:
        return
    size = leaves.stat().st_size if leaves.exists() else 0
    if size != 32 * head.size:
        raise Stop("leaf-missing", "leaves.bin 与树的大小不符", "leaves.bin does not have the leaves of the tree")
    if root_of(_leaves(leaves, head.size)) != head.root:
        raise Stop("root", "由叶算得的根与日志头不符", "the leaves do not have the root that is signed")


def _leaves(path: Path, count: int) -> Iterator[bytes]:
    with path.open("rb", buffering=_PIECE) as file:
        for _ in range(count):
            yield file.read(32)


def _seen_before(bundle: Bundle, asked: Asked, head: Head | None, summary: Summary) -> None:
    """The head kept from last time: this tree must have it as its beginning (no roll-back, no fork)."""
    try:
        note = Note.parse(asked.seen or b"")
        seen = Head.parse(note.text)
        is_signed = any(_signs(key, seen, note) for key in asked.policy.logs)
    except NotSigned as problem:
        raise Misuse(f"留存的日志头不可读 the head that was kept cannot be read: {problem}") from problem
    if seen.origin != summary.log or not is_signed:
        raise Misuse(
            f"留存的日志头不是 {summary.log} 所签 the head that was kept is not signed by the log of this bundle"
        )
    size = 0 if head is None else head.size
    if size < seen.size or head is None:
        if seen.size:
            zh, en = f"日志由 {seen.size} 退回到 {size}", f"the log was rolled back from {seen.size} to {size}"
            raise Stop("rolled-back", zh, en)
        return
    _leads_on(bundle, seen, head)


def _leads_on(bundle: Bundle, seen: Head, head: Head) -> None:
    if seen.size == head.size:
        if seen.root != head.root:
            raise Stop("forked", f"大小 {seen.size} 有两个不同的日志头", f"there are two heads of size {seen.size}")
        return
    leaves = bundle.folder / "leaves.bin"
    if bundle.is_whole and leaves.exists():
        if root_of(_leaves(leaves, seen.size)) != seen.root:
            raise Stop("forked", "日志与留存的日志头不一致", "the log does not go on from the head that was kept")
        return
    path = _path_from(bundle, seen.size)
    if path is None and seen.size:
        raise Stop(
            "no-consistency", f"没有自 {seen.size} 起的一致性证明", f"there is no proof that leads on from {seen.size}"
        )
    if not extends(seen, head, path or []):
        raise Stop("inconsistent", "日志与留存的日志头不一致", "the log does not go on from the head that was kept")


def _path_from(bundle: Bundle, size: int) -> list[bytes] | None:
    lines = bundle.lines("consistency")
    for place, line in enumerate(lines.between(0, lines.size)):
        path = line.get("path")
        is_good = isinstance(path, list) and len(path) <= 128 and all(is_hex(one) for one in path)  # noqa: PLR2004 tree of 2^48
        if place >= _MOST_CONSISTENCY or not is_good or type(line.get("size")) is not int:
            raise Stop("line", "consistency.jsonl 的形状不对", "consistency.jsonl is not shaped as it must be")
        if line["size"] == size and isinstance(path, list):
            return [bytes.fromhex(one) for one in path]
    return None


def _seal(bundle: Bundle, head: Head | None) -> Seal:
    """What events are held against; a byte per leaf notes that an event stands there."""
    log = bundle.manifest["log"]
    if head is None or not bundle.is_whole:
        return Seal(log, head, None, None)
    used = bundle.folder / "used"
    with used.open("wb") as file:
        file.truncate(head.size)
    return Seal(log, head, bundle.folder / "leaves.bin", used)


def _events(work: Work, events: Unpacking, jobs: int, summary: Summary) -> None:
    """Every span, and what is settled once all are checked."""
    report = summary.report
    spans = _on_ground(work, events.spans(), report)
    hidden: list[tuple[str, int]] = []
    erased: dict[str, int] = {}
    used: Counter[str] = Counter()
    last: int | None = None
    starts: array[int] = array("q")
    for done in _mapped_over(check_span, work, spans, jobs):
        if last is not None and done.first is not None and done.first <= last:
            raise Stop("order", "事件未按链排列", "the events do not stand in the order of their chains")
        last = done.last
        report.join(done.report)
        if done.is_stopped:
            return
        hidden += done.hidden
        erased |= {name: max(seq, erased.get(name, 0)) for name, seq in done.erased.items()}
        used += done.used
        starts.extend(done.starts)
    _look_up_causes(work, jobs, starts, report)
    _settle(work, summary, (hidden, erased, used))


_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")


def _on_ground(work: Work, spans: Iterator[Span], report: Report) -> Iterator[Span]:
    """The spans, once the registry stands there: it is read first, for it is the ground of all others."""
    waiting: list[Span] = []
    for span in spans:
        waiting.append(span)
        if span.following is None or span.following > 0:
            break
    size = waiting[-1].end if waiting else 0
    _read_registry(work, Lines(work.bundle.folder / "events.jsonl", size), report)
    yield from waiting
    yield from spans


def _mapped_over(
    act: Callable[[_Piece], _Result], work: Work, pieces: Iterable[_Piece], jobs: int
) -> Iterator[_Result]:
    """What comes of each piece of the work, in order; with several jobs, in processes of their own."""
    rest = iter(pieces)
    first = list(islice(rest, 2))
    if jobs <= 1 or len(first) <= 1:
        _given(work)
        yield from map(act, linked(first, rest))
        return
    pool = ProcessPoolExecutor(jobs, initializer=_given, initargs=(work,))
    under_way: deque[Future[_Result]] = deque()
    try:
        for piece in linked(first, rest):
            under_way.append(pool.submit(act, piece))
            while under_way and under_way[0].done():
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _look_up_causes(work: Work, jobs: int, starts: array[int], report: Report) -> None:
    """Every cause that is in the bundle is the event it must be; a part leaves some out, which are counted."""
    offsets = dict(zip(starts[::2], starts[1::2], strict=True))
    there = [(one, offsets[one.chain]) for one in sorted(report.causes) if one.chain in offsets]
    pieces = [there[place : place + _CAUSES] for place in range(0, len(there), _CAUSES)]
    wrong = [one for found in _mapped_over(check_causes, work, pieces, jobs) for one in found]
    report.tally["causes"] = len(there)
    report.tally["causes elsewhere"] = len(report.causes) - len(there)
    if work.bundle.is_whole:
        wrong += [one for one in report.causes if one.chain not in offsets]
    for one in wrong:
        what = f"{chain_name(one.chain)} #{one.seq}"
        report.add("cause", f"{what} 不是它的起因", f"{what} is not what caused it", report.causes[one])


def _read_registry(work: Work, lines: Lines, report: Report) -> None:
    """Learn the ground from the registry's chain; its own soundness is checked with all the others."""
    start, end = lines.first_from(0), lines.first_from(1)
    for line in lines.between(start, end):
        try:
            event = read_json(line["body"])
            if line["chain"] == 0:
                work.ground.take(event)
        except (*_MISSHAPEN, RecursionError):
            where = ("registry", line.get("seq", 0) if type(line.get("seq")) is int else 0)
            report.add("shape", "登记链的事件形状不对", "an event of the registry is not shaped as its kind is", where)
    for folder in ("definitions", "rulebooks"):
        for digest in getattr(work.library, folder):
            if digest not in work.ground.published:
                zh, en = f"{digest[:8]} 从未在登记链上发布", f"{digest[:8]} was never published in the registry's chain"
                report.add("unpublished", zh, en, ("registry", 0))


def _settle(work: Work, summary: Summary, loose: tuple[list[tuple[str, int]], dict[str, int], Counter[str]]) -> None:
    """What only the whole can tell: nothing is missing, nothing is left over, what was erased was erased by right."""
    report, bundle = summary.report, work.bundle
    hidden, erased, used = loose
    _erasures(bundle, hidden, erased, report)
    if report.tally["events"] != bundle.manifest["events"]:
        told = bundle.manifest["events"]
        report.add("event-missing", f"manifest 称有 {told} 个事件", f"the manifest states {told} events")
    for name in ("cases", "students"):
        count = bundle.lines(name).count()
        if count != used[name]:
            zh, en = (
                f"{name}.jsonl 有 {count - used[name]} 行没有事件",
                f"{count - used[name]} rows of {name}.jsonl have no events",
            )
            report.add("row", zh, en)
    if used["personal"] != bundle.lines("personal").size:
        report.add("commitment", "有个人信息不属于任何事件", "there are personal values that belong to no event")
    _all_leaves(work, report)
    if report.tally["unsealed"]:
        count = report.tally["unsealed"]
        report.add("unsealed", f"{count} 个事件尚未封存", f"{count} events are not sealed yet")


def _erasures(bundle: Bundle, hidden: Iterable[tuple[str, int]], erased: Mapping[str, int], report: Report) -> None:
    """Sealed values that are not there were erased, and those that were erased are not there."""
    for chain, seq in hidden:
        if seq > erased.get(chain, 0):
            zh, en = (
                "个人信息缺失，且没有抹除记录",
                "sealed values are missing, and no event says that they were erased",
            )
            report.add("personal-missing", zh, en, (chain, seq))
    for name, seq in sorted(erased.items()):
        _left_behind(bundle, name, seq, report)


def _left_behind(bundle: Bundle, name: str, seq: int, report: Report) -> None:
    """Values that are told to be erased are not in the bundle any more."""
    lines, chain = bundle.lines("personal"), chain_number(name)
    for one in lines.between(lines.first_from(chain), lines.size) if chain is not None else ():
        if one["chain"] != chain or one["seq"] > seq:
            break
        zh, en = "已抹除的个人信息仍在", "values that are told to be erased are there"
        report.add("erasure", zh, en, (name, one["seq"]))


def _all_leaves(work: Work, report: Report) -> None:
    """In a whole bundle every leaf is an event's: as many as there are places, and every place taken."""
    seal = work.seal
    if seal.head is None or seal.used is None:
        return
    with seal.used.open("rb") as file:
        taken = sum(piece.count(1) for piece in iter(lambda: file.read(_PIECE), b""))
    if taken < seal.head.size:
        count = seal.head.size - taken
        report.add("leaf-missing", f"缺少 {count} 个已封存的事件", f"{count} events that were sealed are missing")
    elif report.tally["sealed"] != seal.head.size:
        report.add("leaf", "有两个事件占同一位置", "two events claim one place in the tree")


def _say_what_was_not_checked(bundle: Bundle, summary: Summary) -> None:
    tally, say = summary.report.tally, summary.not_checked
    say.append(("事件的 MAC：其密钥不在包中", "the MACs of events: their key is not in the bundle"))
    say.append(
        (
            "规则未记录的读数（例如期限如何算得、名单成员如何选出）",
            "what no event records: how a due date was counted, how the members of a list were chosen",
        )
    )
    say.append(
        (
            "所见的学生信息、他案状态是否当时确为如此（仅按所见的值重算判断）",
            "whether facts of students and states of other cases were as seen; verdicts are judged by what was seen",
        )
    )
    say.append(
        (
            "定义的不变式（invariants）、信息项由谁写（written_by）、登记事件由谁作出",
            "the invariants of definitions, who may write a fact (written_by), who may write to the registry",
        )
    )
    if not bundle.is_whole and tally["causes elsewhere"]:
        count = tally["causes elsewhere"]
        say.append((f"{count} 个起因在包外", f"{count} causes that are not in this bundle"))
    for name, count in sorted(tally.items()):
        if name.startswith("unjudged: "):
            say.append((f"{count} 项判断：{name}", f"{count} verdicts: {name}"))
    if not bundle.is_whole:
        say.append(("本包只是部分内容：其他办件不在其中", "this bundle is a part: other cases are not in it"))
    if summary.head is None:
        say.append(
            ("尚无封存的日志头：末尾被截去不能发现", "nothing is sealed: a history cut off at its end is not found")
        )


# --- telling ----------------------------------------------------------------------------------------------------------


def as_json(summary: Summary) -> Data:
    """The result as one JSON document."""
    report, head = summary.report, summary.head
    word, _, _ = OUTCOMES[report.exit_code]
    return {
        "outcome": word,
        "code": report.exit_code,
        "log": summary.log,
        "scope": summary.scope,
        "made_at": summary.made_at,
        "size": None if head is None else head.size,
        "root": None if head is None else head.root.hex(),
        "signed_by": summary.signed_by,
        "witnesses": summary.witnesses,
        "events": report.tally["events"],
        "unsealed": report.tally["unsealed"],
        "cases": report.tally["cases"],
        "students": report.tally["students"],
        "verdicts": report.tally["verdicts"],
        "unjudged": sum(count for name, count in report.tally.items() if name.startswith("unjudged: ")),
        "codes": dict(sorted(report.codes.items())),
        "findings": [one._asdict() for one in report.findings],
        "not_checked": [{"zh": zh, "en": en} for zh, en in summary.not_checked],
    }


def as_text(summary: Summary) -> str:
    """The result as people read it."""
    report, tally = summary.report, summary.report.tally
    word, zh, en = OUTCOMES[report.exit_code]
    lines = [f"结论 Outcome: {zh} {en} ({word}, {report.exit_code})", ""]
    lines += [f"日志 Log: {summary.log}　范围 Scope: {summary.scope}　制作于 Made at: {summary.made_at}"]
    lines += _told_of_head(summary)
    lines += [
        f"事件 Events: {tally['events']}（未封存 unsealed: {tally['unsealed']}）",
        f"办件 Cases: {tally['cases']}　学生 Students: {tally['students']}",
        f"重算的判断 Verdicts computed again: {tally['verdicts']}",
        f"打开的个人信息 Sealed values opened: {tally['sealed values opened']}",
        f"查到的起因 Causes looked up: {tally['causes']}",
        "",
    ]
    if report.findings:
        lines += ["发现 Findings:"]
        lines += [_line_of(one) for one in report.findings]
        lines += [f"  （共 {report.codes.total()} 项 in all：{_counted(report.codes)}）", ""]
    lines += ["未核对 Not checked:", *(f"  · {zh} {en}" for zh, en in summary.not_checked)]
    return "\n".join(lines)


def _counted(codes: Counter[str]) -> str:
    return "，".join(f"{code} {count}" for code, count in sorted(codes.items()))


def _line_of(one: Finding) -> str:
    where = f"{one.chain} #{one.seq} " if one.chain else ""
    return f"  [{one.code}] {where}{one.zh} — {one.en}"


def _told_of_head(summary: Summary) -> list[str]:
    if summary.head is None:
        return ["日志头 Head: 无 none"]
    seen = "；".join(
        f"{name} {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%SZ}" for name, at in summary.witnesses.items()
    )
    return [
        f"日志头 Head: {summary.head.size} 叶 leaves，根 root {summary.head.root.hex()[:16]}…",
        f"签名 Signed by: {'、'.join(summary.signed_by)}",
        f"见证 Witnesses: {seen or '无 none'}",
    ]


def _read_seen(path: Path | None, *, remember: bool) -> bytes | None:
    if path is None or (remember and not path.exists()):
        return None
    return path.read_bytes()


def _remember(path: Path, note: bytes) -> None:
    """Keep the head for the next time, whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)
    Path(file.name).replace(path)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="xueji_verify.py", description="学籍留痕离线核验 checks an audit bundle, offline"
    )
    parser.add_argument("bundle", type=Path, help="审计包 the bundle (.zip)")
    parser.add_argument("--policy", type=Path, required=True, help="策略文件：所信任的公钥 whom you trust")
    parser.add_argument("--seen", type=Path, help="上次留存的日志头 the head you kept")
    parser.add_argument(
        "--remember", action="store_true", help="核对无误后更新留存的日志头 keep the new head afterwards"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON one JSON document")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="进程数 processes")
    return parser.parse_args(words)


def _answered(given: argparse.Namespace) -> Summary:
    if given.remember and given.seen is None:
        raise Misuse("--remember 需要 --seen --remember needs --seen")
    if not given.bundle.is_file():
        raise Misuse(f"没有文件 there is no file {given.bundle}")
    policy = Policy.parse(given.policy.read_text("utf-8"))
    seen = _read_seen(given.seen, remember=given.remember)
    return verify(given.bundle, Asked(policy, seen, max(1, given.jobs)))


def main(words: Sequence[str] | None = None) -> int:
    """Check the bundle named on the command line; the exit code is the outcome."""
    given = _arguments(words)
    try:
        summary = _answered(given)
    except (Misuse, OSError, UnicodeDecodeError) as problem:
        sys.stderr.write(f"{problem}\n")
        return MISUSE
    told = json.dumps(as_json(summary), ensure_ascii=False) if given.json else as_text(summary)
    sys.stdout.write(f"{told}\n")
    code = summary.report.exit_code
    if given.remember and code in (SOUND, UNSEALED) and summary.note:
        _remember(given.seen, summary.note)
    return code


if __name__ == "__main__":
    sys.exit(main())
