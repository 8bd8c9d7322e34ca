"""A sheet as it comes in: looked at by its bytes, refused in the words of the page, or kept and given to a worker."""

from __future__ import annotations

import secrets
from contextlib import closing
from hashlib import sha256
from pathlib import PurePosixPath
from typing import NamedTuple

from console.taking_in_kinds import Kind, admit
from console.web.faults import FieldFault, FieldFaults, FileRefused
from console.web.files import working
from console.web.presence import Presence
from console.web.visit import Visit
from engine.store import import_runs
from engine.store.import_runs import KEPT, Run, Stage
from engine.trail.event import moment
from exchange.refusals import SheetRefused

FIELD = "file"
_MEGA = 2**20
_LONGEST_NAME = 120


def receive(visit: Visit, kind: Kind) -> Run:
    """Keep the sheet of a form, and have it checked.

    Raises:
        FieldFaults: If none was chosen.
        FileRefused: If it is too large, or no sheet that can be read without harm.
    """
    file = next(iter(visit.files(FIELD)), None)
    if file is None:
        raise FieldFaults([FieldFault(FIELD, visit.say("文件"), visit.say("请选择文件"))])
    with closing(file.file) as lying:
        body = lying.read(kind.most_bytes + 1)
    name = plain(file.filename or "")
    _admit(visit, kind, name, body, file.size or len(body))
    options = [one for one in kind.options if visit.form.get(one)]
    return keep(visit, kind, Sent(id=secrets.token_urlsafe(12), name=name, body=body, options=tuple(options)))


class Sent(NamedTuple):
    """A file that may be read without harm: the run it becomes, its plain name, and how it is to be taken in."""

    id: str
    name: str
    body: bytes
    options: tuple[str, ...] = ()


def keep(visit: Presence, kind: Kind, sent: Sent) -> Run:
    """Keep a file that somebody has sent, and have it checked; nothing else is changed.

    Raises:
        TooManyOpen: If the person has as many open as one may.
    """
    body, options = sent.body, [one for one in sent.options if one in kind.options]
    run = Run(
        id=sent.id, login=visit.actor.login, kind=kind.name, options=" ".join(options), name=sent.name,
        sha256=sha256(body).hexdigest(), size=len(body), stage=Stage.CHECKING, read=0, told="",
        made_at=moment(visit.at), beat_at=None, done_at=None, expires_at=moment(visit.at + KEPT),
    )  # fmt: skip
    with visit.desk.connection.writing():
        working.refuse_too_many(visit)
        import_runs.add_run(visit.desk.connection, run, body)
    working.begin(visit, run, Stage.CHECKING)
    return run


def _admit(visit: Visit, kind: Kind, name: str, body: bytes, size: int) -> None:
    if len(body) > kind.most_bytes:
        sentence = visit.say(
            "文件 {size} MB，最多 {most} MB", size=f"{size / _MEGA:.1f}", most=kind.most_bytes // _MEGA
        )
        raise FileRefused(sentence, 413)
    try:
        admit(kind, name, body)
    except SheetRefused as problem:
        raise FileRefused(said_in(visit, problem), 415) from problem


def said_in(visit: Visit, problem: SheetRefused) -> str:
    """Why a file is refused, in the language of the page."""
    return problem.reason.zh if visit.lang == "zh" else problem.reason.en[:1].upper() + problem.reason.en[1:]


def plain(name: str) -> str:
    """The last part of a name, without what no name has."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(one for one in last if one.isprintable())[-_LONGEST_NAME:] or "—"
