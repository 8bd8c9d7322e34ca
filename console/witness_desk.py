"""The witness's side: a province that vouches for the heads of its branches, by file or by HTTP (C2SP tlog-witness).

What it vouched for last is kept in a file, on the disk before an answer is given, and never by two processes at once.
A witness that has lost this file could vouch for a second history: it does not go on without, and needs a new key.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from console.durable import OWNER_ONLY, locked, put
from console.seal_keys import make_key, read_signer
from engine.errors import XuejiError
from engine.trail.notes import COSIGNATURE, Checkpoint, NoteError, Signer, Verifier
from engine.witnessing import MOST_BYTES, PLAIN, Declined, Submission, judge


class UnusableState(XuejiError):
    """The file of what a witness has vouched for is missing, or is none."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"见证记录 {path} 丢失或损坏，不能继续见证：请从备份放回最新的一份，否则须换新的见证密钥。"
            f" The record {path} of what was vouched for is missing or damaged: put back its newest copy,"
            f" or retire this witness and make a new key."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness: its key, whose heads it vouches for, and the record of what it vouched for last."""

    signer: Signer
    logs: tuple[Verifier, ...]
    record: Path

    def answer(self, body: bytes, at: int) -> str | Declined:
        """The line by which it vouches for the head in a submission, or why not.

        Args:
            body: The submission as it was sent.
            at: When, in seconds since 1970.

        Raises:
            UnusableState: If what was vouched for before cannot be read.
        """
        try:
            submission = Submission.parse(body)
        except NoteError as fault:
            return Declined(status=400, body=f"{fault.sentence}\n")
        with locked(self.record.with_name(f"{self.record.name}.lock")):
            heads = _read(self.record)
            head = judge(submission, self.logs, heads.get(submission.note.text.split("\n", 1)[0]))
            if isinstance(head, Declined):
                return head
            signature = self.signer.sign(submission.note.text, at)
            _keep(self.record, {**heads, head.origin: head})
        return f"{signature.line()}\n"


def make_witness(path: Path, name: str, passphrase: bytes | None) -> Signer:
    """Make a witness's key, and the empty record beside it.

    Raises:
        FileExistsError: If there is a key already.
    """
    make_key(path, passphrase)
    _keep(record_of(path), {})
    return read_signer(path, name, passphrase, COSIGNATURE)


def record_of(key: Path) -> Path:
    """Where what a witness vouched for is kept, unless said otherwise."""
    return key.with_name(f"{key.name}.record")


def _read(path: Path) -> dict[str, Checkpoint]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {origin: Checkpoint(origin, int(size), b64decode(root)) for origin, (size, root) in told.items()}
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise UnusableState(path) from problem


def _keep(path: Path, heads: dict[str, Checkpoint]) -> None:
    told = {origin: (head.size, b64encode(head.root).decode()) for origin, head in sorted(heads.items())}
    put(path, json.dumps(told, ensure_ascii=False, indent=1) + "\n", OWNER_ONLY)


def logs_in(vkeys: Iterable[str]) -> tuple[Verifier, ...]:
    """The logs that a witness vouches for, from their verifier keys.

    Raises:
        NoteError: If one cannot be read.
    """
    return tuple(Verifier.parse(one) for one in vkeys)


def witness_app(witness: Witness, clock: Callable[[], int]) -> FastAPI:
    """The witness over HTTP: `POST /add-checkpoint`, and nothing else.

    Args:
        witness: Who answers.
        clock: Seconds since 1970.
    """
    app = FastAPI(openapi_url=None)

    @app.post("/add-checkpoint")
    def add_checkpoint(body: Annotated[bytes, Depends(_body)]) -> Response:  # waits for the disk: not on the event loop
        answer = witness.answer(body, clock())
        if isinstance(answer, Declined):
            return Response(answer.body, answer.status, {"Content-Type": answer.kind})
        return Response(answer, headers={"Content-Type": PLAIN})

    return app


async def _body(request: Request) -> bytes:
    """The body, or as much of it as shows that it is too large."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            break
    return body
