"""What can be done to a bundle, with the MAC key, the sealing key, or neither."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from engine.store import leaves
from engine.trail.chain import event_hash, mac_maker
from engine.trail.event import canonical
from engine.trail.notes import Checkpoint, Note, Signer
from tests.engine.town import KEY
from tests.trail.attacks_on_rows import BARRED
from tests.trail.parcels import Parcel, Row, body_of, rechained, reseal, say
from tests.trail.prey import SEALING, Prey

Does = Callable[[Parcel, Prey], object]


def at(rows: list[Row], chain: int, seq: int) -> Row:
    """One event of a bundle."""
    return next(row for row in rows if (row["chain"], row.get("seq", seq)) == (chain, seq))


def set_in(entry: str, **said: object) -> Does:
    """Let the line of an event of the attacked case say something else beside it."""
    return lambda parcel, prey: parcel.edit(entry, lambda rows: at(rows, prey.walked, 3).update(said))


def end_says(entry: str, who: str, **said: object) -> Does:
    """Let a row claim something else."""
    return lambda parcel, prey: parcel.edit(
        entry, lambda rows: next(row for row in rows if row["chain"] == getattr(prey, who)).update(said)
    )


def raw(entry: str, change: Callable[[bytes], bytes]) -> Does:
    """Change the bytes of an entry."""
    return lambda parcel, _: parcel.__setitem__(entry, change(parcel[entry]))


def tells(**said: object) -> Does:
    """Let the manifest say something else."""
    return lambda parcel, _: parcel.tell(**said)


def drops(entry: str) -> Does:
    """Leave an entry out."""
    return lambda parcel, _: parcel.drop(entry)


def without(chain: int, seq: int | None = None) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: [row for row in rows if row["chain"] != chain or seq not in (None, row["seq"])]


def drop_event(parcel: Parcel, prey: Prey) -> None:
    parcel.edit("events.jsonl", without(prey.walked, 3))
    parcel.counted()


def drop_case(parcel: Parcel, prey: Prey) -> None:
    for entry in ("events.jsonl", "personal.jsonl", "cases.jsonl"):
        parcel.edit(entry, without(prey.walked))
    parcel.counted()


def repeat(entry: str) -> Does:
    def does(parcel: Parcel, _: Prey) -> None:
        parcel.edit(entry, lambda rows: [*rows[:7], rows[6], *rows[7:]])
        parcel.counted()

    return does


def swapped(entry: str) -> Does:
    return lambda parcel, _: parcel.edit(entry, lambda rows: [rows[1], rows[0], *rows[2:]])


def same_index(parcel: Parcel, prey: Prey) -> None:
    def mend(rows: list[Row]) -> None:
        at(rows, prey.walked, 3)["index"] = at(rows, prey.walked, 2)["index"]

    parcel.edit("events.jsonl", mend)


def indexes_swapped(parcel: Parcel, prey: Prey) -> None:
    def mend(rows: list[Row]) -> None:
        one, two = at(rows, prey.walked, 3), at(rows, prey.walked, 2)
        one["index"], two["index"] = two["index"], one["index"]

    parcel.edit("events.jsonl", mend)


def leaves_swapped(body: bytes) -> bytes:
    return body[32:64] + body[:32] + body[64:]


def rewritten(key: bytes | None, sealed_by: Signer | None = None, **said: object) -> Does:
    """Let the third event of a case say something else and mend all that the attacker can mend."""

    def does(parcel: Parcel, prey: Prey) -> None:
        parcel.edit("events.jsonl", lambda rows: say(at(rows, prey.walked, 3), **said))
        rechained(parcel, prey.walked, key)
        if sealed_by is not None:
            reseal(parcel, sealed_by)

    return does


def data_rewritten(seq: int, change: Callable[[Row], object]) -> Does:
    """Let an event tell another story, mended and sealed by those who hold every key."""

    def does(parcel: Parcel, prey: Prey) -> None:
        def mend(rows: list[Row]) -> None:
            row = at(rows, prey.walked, seq)
            event = body_of(row)
            change(event)
            row["body"] = canonical(event).decode()

        parcel.edit("events.jsonl", mend)
        rechained(parcel, prey.walked, KEY)
        reseal(parcel, SEALING)

    return does


def bytes_rewritten(change: Callable[[str], str]) -> Does:
    """Other bytes that mean the same, or nothing: the last event of a case, sealed by those who hold every key."""

    def does(parcel: Parcel, prey: Prey) -> None:
        def mend(rows: list[Row]) -> None:
            row = at(rows, prey.walked, 6)
            changed = change(row["body"])
            assert changed != row["body"]
            row["body"] = changed
            row["hash"] = event_hash(changed.encode()).hex()
            row["mac"] = mac_maker(KEY)(changed.encode()).hex()

        parcel.edit("events.jsonl", mend)
        head = at(parcel.rows("events.jsonl"), prey.walked, 6)["hash"]
        end_says("cases.jsonl", "walked", head=head)(parcel, prey)
        reseal(parcel, SEALING)

    return does


def fork(parcel: Parcel, prey: Prey) -> None:
    """Another history, from the first sealing on, sealed by the same key."""
    data_rewritten(3, lambda event: event["data"].update(note="another history"))(parcel, prey)


def head(change: Callable[[Checkpoint], Checkpoint], by: Signer = SEALING) -> Does:
    """Another head, signed by somebody."""

    def does(parcel: Parcel, _: Prey) -> None:
        text = change(Checkpoint.parse(Note.parse(parcel["head.note"]).text)).text()
        parcel["head.note"] = Note(text, (by.sign(text),)).encoded().encode()

    return does


def signed_also(by: Signer, at: int | None = None, *, spoilt: bool = False) -> Does:
    """One signature more on the head."""

    def does(parcel: Parcel, _: Prey) -> None:
        note = Note.parse(parcel["head.note"])
        more = by.sign(note.text + "x\n" if spoilt else note.text, at)
        parcel["head.note"] = note.with_signature(more).encoded().encode()

    return does


def older_head(parcel: Parcel, prey: Prey) -> None:
    """The head of the first sealing; what came later passes for unsealed."""
    size, note = leaves.checkpoints(prey.town.connection)[0]

    def unseal(rows: list[Row]) -> None:
        for row in rows:
            row["index"] = row["index"] if row["index"] < size else None

    parcel.edit("events.jsonl", unseal)
    parcel["head.note"] = note.encoded().encode()
    parcel["leaves.bin"] = parcel["leaves.bin"][: 32 * size]
    parcel["consistency.jsonl"] = b""
    parcel.tell(size=size)


def hidden_tail(parcel: Parcel, prey: Prey) -> None:
    """What was sealed last passes for never having happened; the head is the one before."""
    size, note = leaves.checkpoints(prey.town.connection)[1]
    gone = [row for row in parcel.rows("events.jsonl") if row["index"] >= size]
    parcel.edit("events.jsonl", lambda rows: [row for row in rows if row["index"] < size])
    parcel["head.note"] = note.encoded().encode()
    parcel["leaves.bin"] = parcel["leaves.bin"][: 32 * size]
    parcel.edit("consistency.jsonl", lambda rows: rows[:1])
    parcel.tell(size=size)
    parcel.counted()
    for row in gone:
        cut(parcel, row)


def cut(parcel: Parcel, row: Row) -> None:
    """The row of a student says what it said before the last telephone number."""
    chain, change = row["chain"], body_of(row)
    kept = [one for one in parcel.rows("events.jsonl") if one["chain"] == chain][-1]
    opened = [one for one in parcel.rows("personal.jsonl") if (one["chain"], one["seq"]) == (chain, row["seq"])]
    parcel.edit("personal.jsonl", without(chain, row["seq"]))
    [old] = [orjson.loads(one["body"])["phone"]["old"] for one in opened]
    assert change["kind"] == "fact_changed"

    def mend(ends: list[Row]) -> None:
        end = next(one for one in ends if one["chain"] == chain)
        end["seq"], end["head"], end["facts"] = kept["seq"], kept["hash"], {**end["facts"], "phone": old}

    parcel.edit("students.jsonl", mend)


def swap_personal(parcel: Parcel, _: Prey) -> None:
    def mend(rows: list[Row]) -> None:
        one, two = rows[0], rows[1]
        for name in ("salt", "body"):
            one[name], two[name] = two[name], one[name]

    parcel.edit("personal.jsonl", mend)


def uncommitted(parcel: Parcel, prey: Prey) -> None:
    """Personal values for an event that has none."""
    rows = parcel.rows("personal.jsonl")
    taken = {(row["chain"], row["seq"]) for row in rows}
    free = next(seq for seq in range(1, 7) if (prey.walked, seq) not in taken)
    rows.append({"chain": prey.walked, "seq": free, "salt": "00" * 16, "body": "{}"})
    parcel.set_rows("personal.jsonl", sorted(rows, key=lambda row: (row["chain"], row["seq"])))


def text(folder: str, change: Callable[[bytes], bytes]) -> Does:
    """Another text of the definition, or the rulebook, that the case is pinned to."""

    def does(parcel: Parcel, prey: Prey) -> None:
        event = body_of(at(parcel.rows("events.jsonl"), prey.walked, 3))
        name = f"{folder}/{event[folder.removesuffix('s')]}.json"
        changed = change(parcel[name])
        assert changed != parcel[name]
        parcel[name] = changed

    return does


def no_text(folder: str) -> Does:
    def does(parcel: Parcel, prey: Prey) -> None:
        event = body_of(at(parcel.rows("events.jsonl"), prey.walked, 3))
        parcel.drop(f"{folder}/{event[folder.removesuffix('s')]}.json")

    return does


def path(change: Callable[[list[str]], object]) -> Does:
    return lambda parcel, prey: parcel.edit(
        "events.jsonl", lambda rows: at(rows, prey.walked, 3).update(path=change(at(rows, prey.walked, 3)["path"]))
    )


def flipped(hop: str) -> str:
    return f"{int(hop[0], 16) ^ 1:x}{hop[1:]}"


def first(entry: str, change: Callable[[bytes], bytes]) -> Does:
    """Other bytes for the first line of an entry."""

    def apply(body: bytes) -> bytes:
        line, _, rest = body.partition(b"\n")
        assert change(line) != line
        return change(line) + b"\n" + rest

    return raw(entry, apply)


def moved_entry(parcel: Parcel, _: Prey) -> None:
    body = parcel["personal.jsonl"]
    parcel.drop("personal.jsonl")
    parcel.insert("personal.jsonl", body, before="events.jsonl")


def other_log(parcel: Parcel, _: Prey) -> None:
    """Everything is told of another log: events, MACs, tree, head, by the one who holds every key."""

    def mend(rows: list[Row]) -> None:
        for row in rows:
            say(row, log="xueji/elsewhere")

    parcel.edit("events.jsonl", mend)
    for chain in dict.fromkeys(row["chain"] for row in parcel.rows("events.jsonl")):
        rechained(parcel, chain, KEY)
    reseal(parcel, SEALING)


def unsealed_forgery(parcel: Parcel, prey: Prey) -> None:
    """An event more, after the head, in the name of the engine; whoever made it has no MAC key."""

    def mend(rows: list[Row]) -> list[Row]:
        last = at(rows, prey.walked, 6)
        more = {**last, "seq": 7, "index": None, "mac": "00" * 32}
        say(more, seq=7, kind="refused", actor="somebody", data=BARRED)
        place = rows.index(last) + 1
        return [*rows[:place], more, *rows[place:]]

    parcel.edit("events.jsonl", mend)
    rechained(parcel, prey.walked)
    parcel.counted()
