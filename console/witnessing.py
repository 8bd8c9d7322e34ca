"""`xueji audit witness …`: both sides of vouching for a head, by file and by HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from console.calling import REFUSED, Caller, Misuse
from console.clock import machine_now
from console.durable import put
from console.printing import line, note
from console.seal_keys import passphrase_of, read_signer
from console.sealing import publish
from console.sealing_view import NothingSealed
from console.settings import Settings
from console.witness_desk import Witness, logs_in, make_witness, record_of, witness_app
from console.witnesses import Witnesses, WitnessesRefused, cosignature_in, read_answer, submission, witnesses_of
from engine.errors import Unreadable
from engine.store import leaves
from engine.trail.notes import COSIGNATURE, Checkpoint, NoteError
from engine.witnessing import MOST_BYTES, Declined

_NO_FILE = "请用 XUEJI_WITNESSES 指明策略文件。XUEJI_WITNESSES should name the policy file with the witnesses."


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouching:
    """Who vouches for whom: the witness's key and name, its record, and the keys of the logs."""

    key: Path
    name: str
    record: Path | None
    logs: Sequence[str]


def make(settings: Settings, path: Path, name: str) -> int:
    """Make a witness's key and empty record, and print its line for policies.

    Raises:
        Misuse: If there is a key already.
    """
    try:
        signer = make_witness(path, name, passphrase_of(settings))
    except FileExistsError as problem:
        message = f"{path} 已存在，不覆盖。{path} exists and is left as it is."
        raise Misuse(message) from problem
    line(f"密钥文件 key：{path}；见证记录 record：{record_of(path)}")
    line(f"witness NAME {signer.verifier.vkey()}")
    return 0


def request(caller: Caller, path: Path, name: str | None, old: int | None) -> int:
    """Write what a witness is to be handed as a file; `old`: the size that it vouched for last, if it says so.

    Raises:
        NothingSealed: If there is no head yet.
        Misuse: If there are several witnesses and none is named, or the size is above that of the head.
    """
    with caller.sitting() as sitting:
        connection = sitting.desk.connection
        latest = leaves.latest(connection)
        if latest is None:
            raise NothingSealed
        size = Checkpoint.parse(latest.text).size
        if old is None:
            witness = _witnesses(caller.settings).one(name)
            old = leaves.cosigned_sizes(connection).get(witness.key.name, 0)
        if old > size:
            message = f"--old {old}：封存头只有 {size} 个事件。The head has {size} events only."
            raise Misuse(message)
        put(path, submission(connection, latest, old).encoded())
    line(f"{old} → {size}：{path}", style="green")
    return 0


def cosign(settings: Settings, path: Path, answer: Path, vouching: Vouching) -> int:
    """Vouch for the head in a file, and write the answer to another.

    Returns:
        1 if the witness does not vouch, with the reason.
    """
    try:
        with path.open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise Unreadable("FILE", str(path), "xueji audit witness request 写的文件 a file it wrote") from problem
    told = _witness(settings, vouching).answer(body, int(machine_now().timestamp()))
    if isinstance(told, Declined):
        note(f"不予联署 not vouched for ({told.status})：{told.body.strip()}", style="red")
        return REFUSED
    put(answer, told)
    line(f"已联署 vouched for：{answer}", style="green")
    return 0


def accept(caller: Caller, path: Path) -> int:
    """Take in a witness's answer that came as a file, and publish the head with it.

    Raises:
        NothingSealed: If there is no head yet.
        WitnessesRefused: If the file holds no good signature of any witness on any head of the last hundred.
    """
    witnesses, told = _witnesses(caller.settings), read_answer(path)
    with caller.sitting() as sitting:
        connection = sitting.desk.connection
        heads = leaves.checkpoints(connection)[:-101:-1]
        if not heads:
            raise NothingSealed
        for size, head in heads:
            for one in witnesses.each:
                try:
                    signature = cosignature_in(told, one.key, head)
                except NoteError:
                    continue
                leaves.keep_cosignature(connection, size, signature)
                publish(sitting.office, caller.settings)
                line(f"{one.name}：{size}", style="green")
                return 0
    message = (
        f"{path} 中没有已知见证人对本日志任何封存头的有效签名。"
        f" {path} holds no good signature of a known witness on a head of this log."
    )
    raise WitnessesRefused(message)


def serve(settings: Settings, listen: str, vouching: Vouching) -> int:
    """Answer over HTTP until told to end.

    Raises:
        Unreadable: If the address to listen at cannot be read.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise Unreadable("--listen", listen, "127.0.0.1:8700")
    app = witness_app(_witness(settings, vouching), lambda: int(machine_now().timestamp()))
    uvicorn.run(app, host=host.strip("[]"), port=int(port), log_level="warning", access_log=False)
    return 0


def _witness(settings: Settings, vouching: Vouching) -> Witness:
    if not vouching.logs:
        message = "请至少用一个 --log 指明日志的公钥。Name at least one log by --log VKEY."
        raise Misuse(message)
    signer = read_signer(vouching.key, vouching.name, passphrase_of(settings), COSIGNATURE)
    return Witness(signer=signer, logs=logs_in(vouching.logs), record=vouching.record or record_of(vouching.key))


def _witnesses(settings: Settings) -> Witnesses:
    found = witnesses_of(settings)
    if found is None:
        raise Misuse(_NO_FILE)
    return found
