"""`xueji audit key`, `seal`, `head` and `status`: the key, sealing now, how the log stands."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import segno

from console.calling import REFUSED, SETUP, Caller, Misuse
from console.clock import rehearsed
from console.printing import document, line, long_moment, note, progress
from console.seal_keys import make_key, passphrase_of, previous, signers_of
from console.seal_status import SealStatus, seal_status
from console.sealing import Round, seal_round, sealer_of
from console.settings import Settings
from engine import sealing
from engine.errors import XuejiError
from engine.sealing import SealedElsewhere, SealingRefused
from engine.store import leaves
from engine.store.leaves import TreeBroken
from engine.trail.notes import Checkpoint, Note, NoteError

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
        told = _document(seal_status(sitting.office, caller.settings), sitting.at)
    if as_json:
        document(told)
    else:
        _show(told)
    return REFUSED if told["trouble"] or told["guards_missing"] or told["key"] is None else 0


def _document(status: SealStatus, at: datetime) -> dict[str, object]:
    """The status as JSON; the keys are a contract."""
    signed_at = status.signed_at
    return {
        "log": status.log,
        "key": status.key,
        "size": status.size,
        "signed_at": None if signed_at is None else signed_at.isoformat(),
        "age_seconds": None if signed_at is None else max(0, round((at - signed_at).total_seconds())),
        "unsealed": status.unsealed,
        "witnesses": [
            {"name": one.name, "url": one.url, "size": one.size, "at": None if one.at is None else one.at.isoformat()}
            for one in status.witnesses
        ],
        "quorum": status.quorum,
        "guards_missing": list(status.guards_missing),
        "trouble": status.trouble,
    }


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
