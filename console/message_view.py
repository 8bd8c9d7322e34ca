"""What a message looks like, and whether an institution's own templates can be used."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path
from typing import Literal

from console.printing import document, line, note
from engine.errors import Unknown
from notifications.messages.catalogue import DIGEST, MESSAGES
from notifications.messages.letters import Letter
from notifications.messages.overriding import check_overrides
from notifications.messages.rendering import Messages
from notifications.messages.samples import sample_letter, sample_notice

_INVENTED = {"url": "https://xueji.example", "sender": "学籍科 <records@school.example>", "log": "xueji/sample"}


def check(folder: Path, *, as_json: bool) -> int:
    """Say what is wrong with a folder of templates.

    Returns:
        1 if there is a fault.
    """
    faults = check_overrides(folder)
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


def show(name: str, html: Path | None, under: Path | None) -> int:
    """Print a mail about invented cases as text, and write its HTML where that is asked for.

    Args:
        name: A message, or `digest`.
        html: The file, replaced if it exists.
        under: Templates to be used instead of those of the house.

    Raises:
        Unknown: If there is no such message.
        TemplatesRefused: If a template has a fault.
    """
    mail = sample_mail(name, under)
    for header in ("From", "To", "Subject"):
        line(f"{header}: {mail[header]}")
    line()
    line(body_of(mail, "plain"))
    if html is not None:
        html.write_text(body_of(mail, "html"), encoding="utf-8")
        note(f"网页版已写到 its HTML is in {html}")
    return 0


def sample_mail(name: str, under: Path | None) -> EmailMessage:
    """The mail of a message, or of the `digest`, about invented cases.

    Raises:
        Unknown: If there is no such message.
        TemplatesRefused: If a template of the folder has a fault.
    """
    return Messages(under, **_INVENTED, is_rehearsal=True).mail(_letter(name))


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
