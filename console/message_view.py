"""What a message looks like, and whether an institution's own templates can be used.

Templates in force are those of the house, an institution's folder (`XUEJI_MESSAGES`) over them, and over both what two
persons have approved in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Literal, NamedTuple

from console.calling import Caller
from console.printing import document, line, note
from engine.errors import Fault, Unknown
from engine.store.proposals import MESSAGES as BELOW
from engine.store.proposals import Line, Template, digest_of, is_template
from notifications.messages.catalogue import DIGEST, MESSAGES
from notifications.messages.laying import laid
from notifications.messages.letters import Letter
from notifications.messages.overriding import check_overrides, texts_in
from notifications.messages.rendering import Messages
from notifications.messages.samples import sample_letter, sample_notice

NOTHING_APPROVED: Mapping[str, str | None] = {}
_INVENTED = {"url": "https://xueji.example", "sender": "学籍科 <records@school.example>", "log": "xueji/sample"}
_NO_TEXT = digest_of("")


class Under(NamedTuple):
    """What a message is made with beside the templates of the house: a folder, and what was approved over it."""

    folder: Path | None = None
    approved: Mapping[str, str | None] = NOTHING_APPROVED
    lines: tuple[Line, ...] = ()


def in_force(caller: Caller) -> Under:
    """What mails are made with today; without a database, the folder of the settings alone.

    Raises:
        NoRehearsal: If a moment was given for a live database.
        DatabaseTrouble: If the database or the way to it fails.
    """
    found = caller.published()
    if found is None:
        return Under(caller.settings.messages)
    lines = tuple(one for one in found.lines.values() if is_template(one.file))
    return Under(caller.settings.messages, texts_of(found.templates), lines)


def texts_of(approved: Iterable[Template]) -> dict[str, str | None]:
    """Approved texts by name, as they are laid over a folder; None: one that was altered since."""
    return {one.name: one.text for one in approved}


def left_out(folder: Path | None, approved: Mapping[str, str | None]) -> tuple[Fault, ...]:
    """What is wrong with approved templates that cannot be used any more; mails are made without them.

    Where something is wrong with the folder, that is told first, and by others.
    """
    if not approved or (folder is not None and check_overrides(folder)):
        return ()
    return laid({} if folder is None else texts_in(folder), approved).left_out


def check_in_force(caller: Caller, *, as_json: bool) -> int:
    """Say what is wrong with the templates that are in force: the folder of the settings, and what was approved.

    Returns:
        1 if there is a fault.
    """
    under = in_force(caller)
    own = [] if under.folder is None else check_overrides(under.folder)
    return _told([*own, *left_out(under.folder, under.approved)], as_json=as_json)


def check(folder: Path, *, as_json: bool) -> int:
    """Say what is wrong with a folder of templates.

    Returns:
        1 if there is a fault.
    """
    return _told(check_overrides(folder), as_json=as_json)


def _told(faults: list[Fault], *, as_json: bool) -> int:
    if as_json:
        document([{"file": one.file, "line": one.line, "message": one.message} for one in faults])
    else:
        for one in faults:
            line(str(one))
        if faults:
            line(f"{len(faults)} 处错误 faults", style="red")
        else:
            line("模板没有错误，可以使用 no faults: the templates can be used", style="green")
    return 1 if faults else 0


def show(name: str, html: Path | None, under: Under) -> int:
    """Print a mail about invented cases as text, and write its HTML where that is asked for.

    Args:
        name: A message, or `digest`.
        html: The file, replaced if it exists.
        under: Templates to be used instead of those of the house.

    Raises:
        Unknown: If there is no such message.
        TemplatesRefused: If a template has a fault.
    """
    mail = sample_mail(name, under.folder, under.approved)
    for header in ("From", "To", "Subject"):
        line(f"{header}: {mail[header]}")
    line()
    line(body_of(mail, "plain"))
    for one in [each for each in under.lines if each.file.startswith(_files(name))]:
        by = f"{one.made_by}、{one.decided_by}"
        said = "用回安装的 installed" if one.sha256 == _NO_TEXT else "已批准 approved"
        note(f"{one.file}：{said}，{by}，{one.effective_on}")
    for fault in left_out(under.folder, under.approved):
        note(f"不使用 not used：{fault}", style="yellow")
    if html is not None:
        html.write_text(body_of(mail, "html"), encoding="utf-8")
        note(f"网页版已写到 its HTML is in {html}")
    return 0


def _files(name: str) -> tuple[str, ...]:
    """How the files of the templates begin that make a mail."""
    return tuple(f"{BELOW}{part}" for part in (f"{name}/", "notice.", "base."))


def sample_mail(name: str, folder: Path | None, approved: Mapping[str, str | None] = NOTHING_APPROVED) -> EmailMessage:
    """The mail of a message, or of the `digest`, about invented cases.

    Args:
        name: Which.
        folder: Templates to be used instead of those of the house.
        approved: Templates laid over both; what cannot be used is not.

    Raises:
        Unknown: If there is no such message.
        TemplatesRefused: If a template of the folder has a fault.
    """
    letter, house = _letter(name), Messages(folder, **_INVENTED, is_rehearsal=True)
    house.lay(approved)
    return house.mail(letter)


def body_of(mail: EmailMessage, kind: Literal["plain", "html"]) -> str:
    """One of the two bodies of a mail."""
    body = mail.get_body((kind,))
    return "" if body is None else str(body.get_content()).replace("\r\n", "\n")


def _letter(name: str) -> Letter:
    if name == DIGEST:
        return sample_letter(map(sample_notice, MESSAGES))
    for message in MESSAGES:
        if name == message:
            return sample_letter((sample_notice(message),))
    raise Unknown("消息 message", name, (*MESSAGES, DIGEST))
