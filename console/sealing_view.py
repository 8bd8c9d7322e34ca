"""`xueji audit key`, `seal`, `head` and `status`: the key, sealing now, how the log stands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import segno

from console.calling import REFUSED, SETUP, Caller, Misuse, Sitting
from console.clock import rehearsed
from console.printing import document, line, long_moment, note, progress
from console.seal_keys import make_key, passphrase_of, previous, signers_of
from console.sealing import Round, seal_round, sealer_of
from console.settings import Settings
from console.witnesses import Witnesses, witnesses_of
from engine import sealing
from engine.errors import XuejiError
from engine.sealing import SealedElsewhere, Sealer, SealingRefused
from engine.store import append_only, leaves
from engine.store.database import Connection
from engine.store.leaves import TreeBroken
from engine.trail.notes import Checkpoint, Note, NoteError, cosigned_at

_NO_KEY = "还没有封存密钥，请先运行 xueji audit key。There is no key to seal with; run 'xueji audit key' first."


class NothingSealed(XuejiError):
    """There is no head yet."""

    def __init__(self) -> None:
        super().__init__("尚未封存，请先运行 xueji audit seal。Nothing is sealed yet; run 'xueji audit seal' first.")


def show_key(caller: Caller, *, rotate: bool, as_json: bool) -> int:
    """Make the key if there is none, or a new one beside the old; print what auditors put into their policy.

    Raises:
        Misuse: If a key is to be changed that is not there, or whose predecessor still signs.
        UnusableKey: If the key cannot be read.
    """
    with caller.sitting() as sitting:
        path = caller.settings.seal_key_file
        if rotate:
            _set_aside(path)
        if not path.exists():
            make_key(path, passphrase_of(caller.settings))
        signers = signers_of(caller.settings, sitting.office.log)
        vkeys = [one.verifier.vkey() for one in signers]
        sealing.announce(sitting.desk, vkeys[0], at=sitting.at, actor=SETUP)
    if as_json:
        document({"log": sitting.office.log, "key": str(path), "vkey": vkeys[0], "previous": vkeys[1:]})
        return 0
    line(f"密钥文件 key：{path}")
    line("审计方的策略文件 The auditor's policy:")
    for vkey in vkeys:
        line(f"log {vkey}")
    line("quorum none")
    if vkeys[1:]:
        note(
            f"两把密钥都在签名；审计方都有了新公钥之后，删除 {previous(path)}。"
            f" Both keys sign; once every auditor has the new line, remove that file."
        )
    return 0


def _set_aside(path: Path) -> None:
    if not path.exists():
        raise Misuse(_NO_KEY)
    if previous(path).exists():
        message = (
            f"{previous(path)} 仍在签名；确认审计方都有现用公钥后先删除它。"
            f" The key before this one still signs; remove that file first, once every auditor has the present line."
        )
        raise Misuse(message)
    path.rename(previous(path))


def seal_now(caller: Caller, *, as_json: bool) -> int:
    """Seal everything there is, and ask the witnesses.

    Returns:
        1 if nothing may be sealed now, with the reason.

    Raises:
        Misuse: If there is no key.
    """
    with caller.sitting() as sitting:
        sealer = sealer_of(caller.settings, sitting.office.log)
        if sealer is None:
            raise Misuse(_NO_KEY)
        clock = rehearsed(caller.now, caller.settings.clock)
        total = leaves.count_unsealed(sitting.desk.connection)
        try:
            with progress(total, "封存 sealing") as advance:
                done = seal_round(sitting.office, caller.settings, sealer, clock, advance)
        except (SealingRefused, SealedElsewhere, TreeBroken, NoteError) as problem:
            note(str(problem), style="red")
            return REFUSED
        latest = leaves.latest(sitting.desk.connection)
    _tell(caller.settings, done, latest, as_json=as_json)
    return 0


def _tell(settings: Settings, done: Round, latest: Note | None, *, as_json: bool) -> None:
    head = None if latest is None else Checkpoint.parse(latest.text)
    if as_json:
        document({
            "sealed": done.sealed.events,
            "size": 0 if head is None else head.size,
            "root": None if head is None else head.root.hex(),
            "witnesses": {one.witness: one.why or "cosigned" for one in done.asked},
        })  # fmt: skip
        return
    line(f"封存 {done.sealed.events} 个事件 events sealed", style="green")
    if head is not None:
        line(f"封存头 head：{head.size} {head.root.hex()}")
        line(f"已公布 published：{settings.checkpoint_file}")
    for one in done.asked:
        line(f"见证 witness {one.witness}：{one.why or '已联署 cosigned'}", style="yellow" if one.why else "green")


def show_head(caller: Caller, picture: Path | None) -> int:
    """Print the newest head; with `picture`, put it into a QR code as well, for the printed register.

    Raises:
        NothingSealed: If there is none.
        Misuse: If the picture is neither SVG nor PNG.
    """
    if picture is not None and picture.suffix.lower() not in {".svg", ".png"}:
        raise Misuse(f"--qr {picture}：应以 .svg 或 .png 结尾 should end in .svg or .png")
    with caller.sitting() as sitting:
        latest = leaves.latest(sitting.desk.connection)
    if latest is None:
        raise NothingSealed
    line(latest.encoded().rstrip("\n"))
    if picture is not None:
        segno.make(latest.encoded(), micro=False, error="m").save(str(picture), scale=4)
        note(f"二维码 QR code：{picture}")
    return 0


def show_status(caller: Caller, *, as_json: bool) -> int:
    """Show how much is sealed and vouched for, how long ago, and what is wrong.

    Returns:
        1 if there is no key, the next head could not be signed, or a guard of the database is missing.
    """
    with caller.sitting() as sitting:
        told = _status(sitting, caller.settings)
    if as_json:
        document(told)
    else:
        _show(told)
    return REFUSED if told["trouble"] or told["guards_missing"] or told["key"] is None else 0


def _status(sitting: Sitting, settings: Settings) -> dict[str, object]:
    connection, log = sitting.desk.connection, sitting.office.log
    sealer, witnesses = sealer_of(settings, log), witnesses_of(settings)
    latest, signed_at = leaves.latest(connection), leaves.signed_at(connection)
    return {
        "log": log,
        "key": None if sealer is None else sealer.signers[0].verifier.vkey(),
        "size": 0 if latest is None else Checkpoint.parse(latest.text).size,
        "signed_at": None if signed_at is None else signed_at.isoformat(),
        "age_seconds": None if signed_at is None else max(0, round((sitting.at - signed_at).total_seconds())),
        "unsealed": leaves.count_unsealed(connection),
        "witnesses": [] if witnesses is None else _vouched(connection, witnesses),
        "quorum": None if witnesses is None or latest is None else _is_quorum(witnesses, latest),
        "guards_missing": list(append_only.missing(connection)),
        "trouble": _trouble(connection, sealer),
    }


def _trouble(connection: Connection, sealer: Sealer | None) -> str | None:
    """Why the next head could not be signed."""
    if sealer is None:
        return None
    try:
        sealing.check(connection, sealer)
    except (SealingRefused, TreeBroken, NoteError) as problem:
        return str(problem)
    return None


def _vouched(connection: Connection, witnesses: Witnesses) -> list[dict[str, object]]:
    """For which head each witness vouched last, and when by its own clock."""
    sizes = leaves.cosigned_sizes(connection)
    told: list[dict[str, object]] = []
    for one in witnesses.each:
        size = sizes.get(one.key.name)
        note_then = None if size is None else leaves.checkpoint_of(connection, size)
        at = None if note_then is None else cosigned_at(note_then, one.key)
        when = None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
        told.append({"name": one.name, "url": one.url, "size": None if at is None else size, "at": when})
    return told


def _is_quorum(witnesses: Witnesses, latest: Note) -> bool:
    return witnesses.policy.is_quorum(witnesses.policy.cosigners(latest))


def _show(told: dict[str, object]) -> None:
    line(f"日志 log：{told['log']}")
    line(f"密钥 key：{told['key'] or _NO_KEY}", style="" if told["key"] else "yellow")
    signed = told["signed_at"]
    line(f"已封存 sealed：{told['size']}；{'—' if signed is None else long_moment(str(signed))}")
    line(f"未封存 unsealed：{told['unsealed']}", style="yellow" if told["unsealed"] else "")
    witnesses = told["witnesses"]
    for one in witnesses if isinstance(witnesses, list) else ():
        when = "从未 never" if one["at"] is None else f"{one['size']}，{long_moment(one['at'])}"
        line(f"见证 witness {one['name']}：{when}")
    if told["quorum"] is not None:
        line("联署够数 quorum met" if told["quorum"] else "联署不够 quorum not met")
    missing = told["guards_missing"]
    if isinstance(missing, list) and missing:
        line(f"数据库防护被拆除 guards taken off：{'、'.join(missing)}", style="red")
    if told["trouble"]:
        line(str(told["trouble"]), style="red")
