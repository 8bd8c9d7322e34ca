"""What somebody who hands a bundle over may have done to it; some hold the MAC key, the sealing key, or neither."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.trail.notes import Checkpoint
from tests.engine.town import KEY
from tests.trail.attacks_on_rows import DIVERGED, INCOMPLETE, INVALID, SOUND, UNSEALED
from tests.trail.prey import POLICY, SEALING, STRANGER, UNKNOWN_WITNESS, WITNESS, WITNESSED, signer
from tests.trail.tricks import (
    Does,
    bytes_rewritten,
    data_rewritten,
    drop_case,
    drop_event,
    drops,
    end_says,
    first,
    flipped,
    fork,
    head,
    hidden_tail,
    indexes_swapped,
    leaves_swapped,
    moved_entry,
    no_text,
    older_head,
    other_log,
    path,
    raw,
    repeat,
    rewritten,
    same_index,
    set_in,
    signed_also,
    swap_personal,
    swapped,
    tells,
    text,
    uncommitted,
    unsealed_forgery,
    without,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """An attack on a bundle of everything (of one case, if `partial`), and what the verifier must come to and name.

    `seen`: whether the auditor brings the head kept from earlier.
    """

    name: str
    does: Does
    outcome: str = INVALID
    chain: str | None = None
    seen: bool = True
    partial: bool = False
    policy: str = POLICY


ATTACKS = (
    Attack(name="an event is left out", does=drop_event, chain="walked"),
    Attack(name="an event is left out and the manifest counts it", does=lambda parcel, prey: parcel.edit(
        "events.jsonl", without(prey.walked, 3)), chain="walked"),
    Attack(name="a case is left out with its row", does=drop_case, outcome=INCOMPLETE),
    Attack(name="two lines of events change places", does=swapped("events.jsonl")),
    Attack(name="an event stands twice", does=repeat("events.jsonl")),
    Attack(name="an index is used twice", does=same_index, chain="walked"),
    Attack(name="two events have each other's index", does=indexes_swapped, chain="walked"),
    Attack(name="a sealed event passes for unsealed", does=set_in("events.jsonl", index=None)),
    Attack(name="an index beyond the tree", does=set_in("events.jsonl", index=100_000), chain="walked"),
    Attack(name="a huge index", does=set_in("events.jsonl", index=2**52), chain="walked"),
    Attack(name="a negative index", does=set_in("events.jsonl", index=-1)),
    Attack(name="an index that is no number", does=set_in("events.jsonl", index="3")),
    Attack(name="an index that is true", does=set_in("events.jsonl", index=True)),
    Attack(name="another chain beside the event", does=set_in("events.jsonl", chain=99)),
    Attack(name="another place beside the event", does=set_in("events.jsonl", seq=9), chain="walked"),
    Attack(name="another request beside the event", does=set_in("events.jsonl", request="r"), chain="walked"),
    Attack(name="another MAC", does=set_in("events.jsonl", mac="00" * 32), chain="walked"),
    Attack(name="a short MAC", does=set_in("events.jsonl", mac="00")),
    Attack(name="a key more in a line", does=set_in("events.jsonl", trusted=True)),
    Attack(name="leaves one short", does=raw("leaves.bin", lambda body: body[:-32]), outcome=INCOMPLETE),
    Attack(name="leaves one byte short", does=raw("leaves.bin", lambda body: body[:-1]), outcome=INCOMPLETE),
    Attack(name="leaves one too many", does=raw("leaves.bin", lambda body: body + bytes(32)), outcome=INCOMPLETE),
    Attack(name="leaves change places", does=raw("leaves.bin", leaves_swapped)),
    Attack(name="no leaves", does=raw("leaves.bin", lambda _: b""), outcome=INCOMPLETE),
    Attack(name="leaves are missing", does=drops("leaves.bin"), outcome=INCOMPLETE),
    Attack(name="a case is told anew without the key", does=rewritten(None, actor="somebody"), chain="walked"),
    Attack(name="a case is told anew with the MAC key", does=rewritten(KEY, actor="somebody"), chain="walked"),
    Attack(name="a case is told anew and sealed by a stranger", does=rewritten(KEY, STRANGER, actor="somebody")),
    Attack(name="a second history sealed by the same key", does=fork),
    Attack(name="somebody acted who held no role, all keys stolen", does=rewritten(KEY, SEALING, actor="op.nobody"),
           outcome=DIVERGED, chain="walked", seen=False),
    Attack(name="a step that is not open in the state, all keys stolen", outcome=DIVERGED, chain="walked", seen=False,
           does=data_rewritten(4, lambda event: event["data"].update(trigger="register", to="registered"))),
    Attack(name="a rule failed and the step was taken, all keys stolen", outcome=DIVERGED, chain="walked", seen=False,
           does=data_rewritten(2, lambda event: event["data"]["verdicts"].update(
               {next(iter(event["data"]["verdicts"])): "fails"}))),
    Attack(name="a step leads where it does not lead, all keys stolen", outcome=DIVERGED, chain="walked", seen=False,
           does=data_rewritten(6, lambda event: event["data"].update(to="withdrawn"))),
    Attack(name="a head that nobody signed", does=raw("head.note", lambda body: body.split(b"\n\n")[0] + b"\n\n")),
    Attack(name="a head that a stranger signed", does=head(lambda head: head, STRANGER)),
    Attack(name="a head of another log", does=head(
        lambda head: Checkpoint("xueji/elsewhere", head.size, head.root), signer("xueji/elsewhere", "elsewhere"))),
    Attack(name="a head of another log signed by this one", does=head(
        lambda head: Checkpoint("xueji/elsewhere", head.size, head.root))),
    Attack(name="a head with another root", does=head(lambda head: Checkpoint(head.origin, head.size, bytes(32)))),
    Attack(name="a head of another size", does=head(lambda head: Checkpoint(head.origin, head.size - 1, head.root))),
    Attack(name="a head of a huge size", does=head(lambda head: Checkpoint(head.origin, 2**62, head.root))),
    Attack(name="an altered head", does=raw(
        "head.note", lambda body: re.sub(rb"\n(\d+)\d\n", rb"\n\g<1>\n", body, count=1))),
    Attack(name="a good and a bad signature of the log", does=signed_also(SEALING, spoilt=True)),
    Attack(name="a head older than the one that was seen", does=older_head),
    Attack(name="the head is missing", does=drops("head.note"), outcome=INCOMPLETE),
    Attack(name="a forged path from the head that was seen", partial=True, does=lambda parcel, _: parcel.edit(
        "consistency.jsonl", lambda rows: rows[1].update(path=[flipped(hop) for hop in rows[1]["path"]]))),
    Attack(name="a path of ten thousand hashes", does=lambda parcel, _: parcel.edit(
        "consistency.jsonl", lambda rows: rows[1].update(path=["00" * 32] * 10_000)), partial=True),
    Attack(name="no path from the head that was seen, in a part", partial=True, outcome=INCOMPLETE,
           does=raw("consistency.jsonl", lambda _: b"")),
    Attack(name="a quorum is asked for and no witness has seen the head", does=lambda *_: None, outcome=INCOMPLETE,
           policy=WITNESSED),
    Attack(name="an unknown witness", does=signed_also(UNKNOWN_WITNESS, 1_713_600_000), outcome=INCOMPLETE,
           policy=WITNESSED),
    Attack(name="a witness that signed another head", does=signed_also(WITNESS, 1_713_600_000, spoilt=True),
           policy=WITNESSED),
    Attack(name="the manifest counts one event fewer", does=tells(events=1), outcome=INCOMPLETE),
    Attack(name="the manifest counts a quadrillion events", does=tells(events=10**15)),
    Attack(name="the manifest tells another size", does=tells(size=7)),
    Attack(name="the manifest tells a huge size", does=tells(size=2**52)),
    Attack(name="the manifest tells of another log", does=tells(log="xueji/elsewhere")),
    Attack(name="the manifest says that everything is a part", does=tells(scope={"kind": "batch", "name": "2024-06"})),
    Attack(name="the manifest says that a part is everything", does=tells(scope={"kind": "all", "name": None}),
           partial=True, outcome=INCOMPLETE),
    Attack(name="a scope that nobody knows", does=tells(scope={"kind": "some", "name": None})),
    Attack(name="another format", does=tells(format="xueji-bundle/2")),
    Attack(name="no manifest", does=drops("manifest.json")),
    Attack(name="no events", does=drops("events.jsonl")),
    Attack(name="no personal values at all", does=drops("personal.jsonl")),
    Attack(name="no rows of cases", does=drops("cases.jsonl")),
    Attack(name="no rows of students", does=drops("students.jsonl")),
    Attack(name="an entry twice", does=lambda parcel, _: parcel.insert("cases.jsonl", parcel["cases.jsonl"])),
    Attack(name="an entry that nobody knows", does=lambda parcel, _: parcel.insert("more.jsonl", b"{}\n")),
    Attack(name="an entry that leads outside", does=lambda parcel, _: parcel.insert("verifier/../../x.py", b"")),
    Attack(name="entries in another order", does=moved_entry),
    Attack(name="a float in a line", does=first(
        "cases.jsonl", lambda line: line.replace(b'"rounds":0', b'"rounds":0.0'))),
    Attack(name="an empty line", does=raw("events.jsonl", lambda body: body + b"\n")),
    Attack(name="a byte that is no UTF-8", does=first(
        "events.jsonl", lambda line: line.replace(b"actor", b"act\xffr", 1))),
    Attack(name="a line without end", does=raw("events.jsonl", lambda body: b'{"body":"' + b"a" * 5_000_000 + body)),
    Attack(name="a line of ten thousand brackets", does=raw("cases.jsonl", lambda body: b"[" * 10_000 + b"\n" + body)),
    Attack(name="spaces in the bytes of an event, all keys stolen", seen=False, chain="walked",
           does=bytes_rewritten(lambda body: body.replace('":', '": ', 1))),
    Attack(name="another order of keys in an event, all keys stolen", seen=False, chain="walked",
           does=bytes_rewritten(lambda body: '{"v":1,' + body[1:].replace(',"v":1}', "}"))),
    Attack(name="an escape in an event, all keys stolen", seen=False, chain="walked",
           does=bytes_rewritten(lambda body: body.replace('"actor"', '"\\u0061ctor"', 1))),
    Attack(name="a float in an event, all keys stolen", seen=False, chain="walked",
           does=bytes_rewritten(lambda body: body.replace('"v":1}', '"v":1.0}'))),
    Attack(name="a number beyond 2^53 in an event, all keys stolen", seen=False, chain="walked",
           does=bytes_rewritten(lambda body: body.replace('"data":{', '"data":{"a":9007199254740993,', 1))),
    Attack(name="a decomposed letter in an event, all keys stolen", seen=False, chain="walked",
           does=bytes_rewritten(lambda body: body.replace('"data":{', '"data":{"a":"e\u0301",', 1))),
    Attack(name="a key twice in an event, all keys stolen", seen=False, chain="walked",
           does=bytes_rewritten(lambda body: body.replace('{"actor":', '{"actor":"somebody","actor":', 1))),
    Attack(name="not a number in an event, all keys stolen", seen=False, chain="walked",
           does=bytes_rewritten(lambda body: body.replace('"data":{', '"data":{"a":NaN,', 1))),
    Attack(name="every event of another log, all keys stolen", does=other_log, seen=False),
    Attack(name="personal values of two events change places", does=swap_personal),
    Attack(name="a salt is replaced", does=lambda parcel, _: parcel.edit(
        "personal.jsonl", lambda rows: rows[0].update(salt="00" * 16))),
    Attack(name="a personal value is edited", does=lambda parcel, _: parcel.edit(
        "personal.jsonl", lambda rows: rows[0].update(body=rows[0]["body"].replace("女", "男")))),
    Attack(name="personal values of an event that committed to none", does=uncommitted, chain="walked"),
    Attack(name="personal values stand twice", does=repeat("personal.jsonl")),
    Attack(name="personal values in another order", does=swapped("personal.jsonl")),
    Attack(name="the state in a row", does=end_says("cases.jsonl", "walked", state="enrolled"), outcome=DIVERGED,
           chain="walked"),
    Attack(name="the fields in a row", does=end_says("cases.jsonl", "walked", fields={"batch": "2024-06"}),
           outcome=DIVERGED, chain="walked"),
    Attack(name="the end in a row", does=end_says("cases.jsonl", "walked", head="00" * 32), chain="walked"),
    Attack(name="the facts in a row", does=end_says("students.jsonl", "student", facts={}), outcome=DIVERGED,
           chain="student"),
    Attack(name="a row of a case is missing", outcome=DIVERGED, chain="walked", does=lambda parcel, prey: parcel.edit(
        "cases.jsonl", without(prey.walked))),
    Attack(name="a row of a case stands twice", does=repeat("cases.jsonl"), outcome=DIVERGED),
    Attack(name="another text of a definition", does=text(
        "definitions", lambda body: body.replace(b"site_o", b"site_a", 1))),
    Attack(name="another text of a rulebook", does=text("rulebooks", lambda body: body.replace(b"==", b"!=", 1))),
    Attack(name="no text of a definition", does=no_text("definitions"), outcome=INCOMPLETE),
    Attack(name="no text of a rulebook", does=no_text("rulebooks"), outcome=INCOMPLETE),
    Attack(name="a path with another hash, in a part", partial=True, chain="walked",
           does=path(lambda path: [flipped(path[0]), *path[1:]])),
    Attack(name="a path too long, in a part", partial=True, does=path(lambda path: path + ["00" * 32] * 10_000)),
    Attack(name="a path too short, in a part", partial=True, chain="walked", does=path(lambda path: path[:-1])),
    Attack(name="a path of no hashes, in a part", partial=True, does=path(lambda _: ["x"])),
    Attack(name="an event left out of a part", partial=True, chain="walked", does=drop_event),
    Attack(name="a sealed event of a part passes for unsealed", partial=True, chain="walked",
           does=set_in("events.jsonl", index=None)),
)  # fmt: skip

UNFOUND = (
    Attack(name="what was sealed last never happened, and the auditor has seen no newer head", does=hidden_tail,
           outcome=SOUND),
    Attack(name="an event more after the head, by somebody without any key", does=unsealed_forgery, outcome=UNSEALED,
           chain="walked"),
)  # fmt: skip
"""What a bundle alone cannot show (docs/trail.md); `outcome` is what is said all the same."""

TOLERATED = (
    Attack(name="a key more in the manifest", does=tells(trusted=True)),
    Attack(name="spaces in a line", does=first("events.jsonl", lambda line: line.replace(b'":', b'": ', 1))),
    Attack(name="a key twice in a line", does=first("events.jsonl", lambda line: line.replace(
        b'{"body"', b'{"body":"","body"', 1))),
    Attack(name="no end to a line", does=raw("events.jsonl", lambda body: body[:-1])),
)  # fmt: skip
"""Lines that say the same in another spelling: what is hashed are the bytes of the event inside."""
