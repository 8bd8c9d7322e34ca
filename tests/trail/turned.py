"""Every byte of every stored column of an event turned over, and what the verifier says to each.

A verifier that read the whole bundle again for each of 700,000 bytes would take days. Each event is therefore taken by
the verifier's own walker, standing where it stands after the event before; that is all the verifier knows of an event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.trail.event import chain_name
from tests.trail.parcels import Parcel, Row
from tests.trail.verifying import verifier

WIDTH = 8
"""Bytes of a chain or sequence number, as the databases keep them."""
TEXTS = {"body": "body", "request": "request"}
BINARY = ("hash", "mac")

Found = set[tuple[str, str, int]]


def flipped(kept: bytes, step: int, start: int = 0) -> Iterator[bytes]:
    """The same bytes but for one of them, for each in turn; which of its bits goes by its place."""
    for place in range(start % step, len(kept), step):
        yield kept[:place] + bytes([kept[place] ^ 1 << place % 8]) + kept[place + 1 :]


def numbers(kept: int, step: int, start: int = 0) -> Iterator[int]:
    """The same for a number of 64 bits, two's complement, as far as the databases and chains go."""
    for other in flipped(kept.to_bytes(WIDTH, signed=True), step, start):
        yield int.from_bytes(other, signed=True)


class Bench:
    """The events of a bundle under the verifier, each to be taken in place of what it was."""

    def __init__(self, parcel: Parcel, folder: Path) -> None:
        self.rows = parcel.rows("events.jsonl")
        leaves, used = folder / "leaves.bin", folder / "used"
        leaves.write_bytes(parcel["leaves.bin"])
        used.write_bytes(bytes(len(self.rows)))
        note = verifier.Note.parse(parcel["head.note"])
        self.head = verifier.Head.parse(note.text)
        log = self.head.origin
        self._walker: Any = verifier.Walker(verifier.Seal(log, self.head, leaves, used), verifier.Report())
        self._ends: dict[int, Row] = {row["chain"]: row for row in self.rows}
        self._before: dict[tuple[int, int], Row] = {(row["chain"], row["seq"]): row for row in self.rows}

    def taken(self, line: Mapping[str, object], chain: int, seq: int) -> Found:
        """What the verifier finds in a line that follows event `seq - 1` of a chain; a refused bundle is code alone."""
        walker, before = self._walker, self._before.get((chain, seq - 1))
        walker.report = verifier.Report()
        walker.chain = None
        try:
            walker.begin(chain)
            walker.seq = seq - 1
            walker.head = verifier.ZERO if before is None else before["hash"]
            walker.take(verifier.EventLine.of(line))
        except verifier.Stop as stop:
            return {(stop.code, "", 0)}
        return {(one.code, one.chain, one.seq) for one in walker.report.findings}

    def of_bytes(self, row: Row, column: str, step: int) -> Iterator[tuple[Row, Found]]:
        """Every byte of a column: what is stored goes into the bundle as the exporter writes it."""
        chain, seq = row["chain"], row["seq"]
        if column in BINARY:
            for other in flipped(bytes.fromhex(row[column]), step, seq):
                yield row, self.taken({**row, column: other.hex()}, chain, seq)
            return
        for other in flipped(row[column].encode(), step, seq):
            yield row, self.taken({**row, column: other.decode(errors="replace")}, chain, seq)

    def of_numbers(self, row: Row, column: str, step: int) -> Iterator[tuple[Row, Found]]:
        """Every byte of chain or sequence: the line goes to where it is sorted now, and is missing where it was."""
        for other in numbers(row[column], step, row["seq"]):
            moved = {**row, column: other}
            place = (moved["chain"], moved["seq"])
            if place in self._before:
                continue  # no database takes two events of one place
            yield row, self._left(row) | self._joined(moved)

    def _left(self, row: Row) -> Found:
        """What is found where an event has gone: the one after it follows nothing."""
        after = self._before.get((row["chain"], row["seq"] + 1))
        return set() if after is None else self.taken(after, row["chain"], row["seq"])

    def _joined(self, moved: Row) -> Found:
        """What is found where an event has come: last in its new chain, or before all others of it."""
        end = self._ends.get(moved["chain"])
        last = 0 if end is None else end["seq"]
        found = self.taken(moved, moved["chain"], last + 1 if moved["seq"] > 0 else 1)
        no_row = {("row", chain_name(moved["chain"]), 0)}  # what the verifier says of a chain without a row
        return found if moved["chain"] in self._ends else found | no_row


def names(found: Found, row: Row) -> bool:
    """Whether an event is named: its chain and number."""
    return any((chain, seq) == (chain_name(row["chain"]), row["seq"]) for _, chain, seq in found)
