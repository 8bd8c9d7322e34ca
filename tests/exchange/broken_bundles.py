"""Bundles that are broken in one way each, and the code by which the verifier says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from engine.trail.chain import event_hash
from engine.trail.notes import Checkpoint, Note
from tests.trail.parcels import Parcel, Row, reseal
from tests.trail.prey import POLICY, SEALING, STRANGER, WITNESSED, Prey

Breaks = Callable[[Parcel, Prey], object]


class Broken(NamedTuple):
    """A bundle (of one case, if `part`), what is done to it, and what is found."""

    code: str
    breaks: Breaks
    policy: str = POLICY
    part: bool = False


def _at(rows: list[Row], chain: int, seq: int) -> Row:
    return next(row for row in rows if (row["chain"], row["seq"]) == (chain, seq))


def line(**said: object) -> Breaks:
    """Let the line of an event say something else beside it."""
    return lambda parcel, prey: parcel.edit("events.jsonl", lambda rows: _at(rows, prey.walked, 3).update(said))


def body(old: str, new: str) -> Breaks:
    """Change the bytes of an event, and its hash with them."""

    def breaks(parcel: Parcel, prey: Prey) -> None:
        def mend(rows: list[Row]) -> None:
            row = _at(rows, prey.walked, 3)
            assert old in row["body"]
            row["body"] = row["body"].replace(old, new, 1)
            row["hash"] = event_hash(row["body"].encode()).hex()

        parcel.edit("events.jsonl", mend)

    return breaks


def _cut(name: str) -> Breaks:
    return lambda parcel, _: parcel.edit(name, lambda rows: rows[:-1])


def _another_key(parcel: Parcel, _: Prey) -> None:
    note = Note.parse(parcel["head.note"])
    parcel["head.note"] = Note(note.text, (STRANGER.sign(note.text),)).encoded().encode()


def _foreign(parcel: Parcel, _: Prey) -> None:
    parcel.tell(log="somebody/else")


def _older(parcel: Parcel, _: Prey) -> None:
    reseal(parcel, SEALING, size=5)


def _another_history(parcel: Parcel, prey: Prey) -> None:
    """As large as the head that was kept, with another root."""
    assert prey.seen is not None
    size = Checkpoint.parse(prey.seen.text).size

    def swap(rows: list[Row]) -> None:
        first, second = (next(row for row in rows if row["index"] == index) for index in (0, 1))
        first["index"], second["index"] = 1, 0

    parcel.edit("events.jsonl", swap)
    reseal(parcel, SEALING, size=size)


def _no_path(parcel: Parcel, _: Prey) -> None:
    parcel["consistency.jsonl"] = b""


def _wrong_path(parcel: Parcel, _: Prey) -> None:
    parcel.edit("consistency.jsonl", lambda rows: [{**row, "path": ["0" * 64]} for row in rows])


def _text_changed(parcel: Parcel, _: Prey) -> None:
    name = parcel.names("rulebooks/")[0]
    parcel[name] = parcel[name] + b" "


def _text_dropped(parcel: Parcel, _: Prey) -> None:
    for name in parcel.names("rulebooks/"):
        parcel.drop(name)


BROKEN: tuple[Broken, ...] = (
    Broken("container", lambda parcel, _: parcel.insert("secret.exe", b"x")),
    Broken("manifest", lambda parcel, _: parcel.tell(format="xueji-bundle/2")),
    Broken("line", line(more=1)),
    Broken("order", lambda parcel, _: parcel.edit("events.jsonl", lambda rows: [*rows[-2:], *rows[:-2]])),
    Broken("note", lambda parcel, _: parcel.__setitem__("head.note", b"nothing\n")),
    Broken("signature", _another_key),
    Broken("origin", _foreign),
    Broken("rolled-back", _older),
    Broken("forked", _another_history),
    Broken("inconsistent", _wrong_path, part=True),
    Broken("no-consistency", _no_path, part=True),
    Broken("root", lambda parcel, _: parcel.__setitem__("leaves.bin", parcel["leaves.bin"][::-1])),
    Broken("leaf", line(mac="0" * 64)),
    Broken("canonical", body('{"', '{ "')),
    Broken("hash", line(hash="0" * 64)),
    Broken("chain", body('"prev":"', '"prev":"0')),
    Broken("log", body('"log":"xueji/test"', '"log":"xueji/tset"')),
    Broken("column", line(request="somebody's")),
    Broken(
        "sequence",
        lambda parcel, prey: parcel.edit(
            "events.jsonl", lambda rows: [row for row in rows if (row["chain"], row["seq"]) != (prey.walked, 3)]
        ),
    ),
    Broken("content-hash", _text_changed),
    Broken("definition-missing", _text_dropped),
    Broken("commitment", lambda parcel, _: parcel.edit("personal.jsonl", lambda rows: rows[0].update(salt="0" * 64))),
    Broken("head-missing", lambda parcel, _: parcel.drop("head.note")),
    Broken("quorum", lambda *_: None, policy=WITNESSED),
    Broken(
        "leaf-missing",
        lambda parcel, prey: parcel.edit(
            "events.jsonl", lambda rows: [row for row in rows if row["chain"] != prey.other]
        ),
    ),
    Broken("event-missing", lambda parcel, _: parcel.tell(events=1)),
    Broken("row", lambda parcel, _: parcel.edit("cases.jsonl", lambda rows: rows[-1].update(state="applied"))),
)
