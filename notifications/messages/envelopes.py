"""Pages as a mail: headers that nobody can write lines into, a text beside the HTML, the calendar file.

Headers are checked here, not only folded by the standard library: it lacks a check of its own before Python 3.11.10
(reliability.md, finding 13).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Any

from typing_extensions import override

from engine.errors import XuejiError
from notifications.invitations import FILE_NAME
from notifications.messages.letters import Letter
from notifications.messages.wording import local

_LINE_BREAKERS = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Categories of characters that end a line for somebody, or cannot be written as UTF-8."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_LONGEST_ADDRESS, _LONGEST_LOCAL_PART = 254, 64
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,120}@[!-;=?A-~]{1,120}>")

_MOST_REMEMBERED = 1024
"""Headers, as mails have them in common: all that is said of parts, a sender, the readers of a morning."""

_TOGETHER, _EITHER = "=_xueji_a_text_and_its_calendar_file", "=_xueji_one_text_as_plain_and_as_html"
"""What keeps parts apart: every part is base64, in which there is no ``=_`` (RFC 2045, 6.7 and 6.8)."""


class _FoldedOnce(BaseHeader):
    """A header that is folded once, however many mails bear it: nothing changes it, so its lines stay what they are."""

    @override
    def init(self, name: str, **kwds: Any) -> None:
        super().init(name, **kwds)
        self._lines: dict[tuple[object, ...], str] = {}

    @override
    def fold(self, *, policy: Policy) -> str:
        asked = tuple(vars(policy).items())
        lines = self._lines.get(asked)
        if lines is None:
            lines = self._lines[asked] = super().fold(policy=policy)
        return lines


class _Headers(HeaderRegistry):
    """Headers, each made once for all mails that bear it: the standard library parses each of every mail anew."""

    @override
    def __getitem__(self, name: str) -> type[BaseHeader]:
        return _class_of(name)

    @override
    def __call__(self, name: str, value: object) -> BaseHeader:
        return _header(name, value) if isinstance(value, str) else _class_of(name)(name, value)


@lru_cache(maxsize=64)
def _class_of(name: str) -> type[BaseHeader]:
    return _STANDARD[name]


@lru_cache(maxsize=_MOST_REMEMBERED)
def _header(name: str, value: str) -> BaseHeader:
    return _class_of(name)(name, value)


_STANDARD = HeaderRegistry(base_class=_FoldedOnce)
_POLICY = SMTP.clone(header_factory=_Headers())


class Unmailable(XuejiError):
    """A letter cannot become a mail, because of what it says or whom it is for; the text names nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What one mail says; `calendar` is empty where there is nothing to put into one."""

    subject: str
    text: str
    html: str
    calendar: bytes


def address_of(name: str | None, address: str) -> Address:
    """A person or an office as mail headers write it.

    Raises:
        Unmailable: If the address is none, or the name would break a header.
    """
    local_part = address.partition("@")[0]
    fits = len(address) <= _LONGEST_ADDRESS and len(local_part) <= _LONGEST_LOCAL_PART
    if not fits or _ADDRESS.fullmatch(address) is None:
        raise Unmailable(
            "收信地址不是有效的邮件地址（形如 name@school.example，只用英文字母、数字和符号）。"
            "The address is no mail address (like name@school.example, in ASCII)."
        )
    check_line("姓名 name", name or "")
    return Address(display_name=name or "", addr_spec=address)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _mailbox(header: str, name: str | None, address: str) -> BaseHeader:
    return _class_of(header)(header, address_of(name, address))


def sender_of(setting: str) -> Address:
    """The sender, from a setting like 学籍科 <records@school.example>.

    Raises:
        Unmailable: If it is no such thing.
    """
    check_line("发信人 sender", setting)
    name, address = parseaddr(setting)
    return address_of(name or None, address)


def check_line(what: str, text: str) -> None:
    """Refuse text that would not stay on its line of the headers.

    Raises:
        Unmailable: If it has a line break or another control character.
    """
    if any(unicodedata.category(one) in _LINE_BREAKERS for one in text):
        raise Unmailable(
            f"{what}：含有换行或控制字符，不能写入邮件。{what}: it has a line break or a control character;"
            f" no mail is made of it."
        )


def enclose(letter: Letter, sender: Address, pages: Pages) -> EmailMessage:
    """The mail of a letter.

    There is no `Precedence`: what honours it also honours `Auto-Submitted` (RFC 3834), and some systems put mail that
    calls itself bulk aside, which a legal deadline must not be.

    Raises:
        Unmailable: If a header cannot be written; nothing is made then.
    """
    check_line("主题 subject", pages.subject)
    if _MESSAGE_ID.fullmatch(letter.message_id) is None:
        raise Unmailable("Message-ID 应形如 <name@host>。The Message-ID should read <name@host>, in ASCII.")
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _mailbox("From", sender.display_name, sender.addr_spec)
    mail["To"] = _mailbox("To", letter.name, letter.to)
    mail["Subject"] = pages.subject
    mail["Date"] = format_datetime(local(letter.at))
    mail["Message-ID"] = letter.message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    mail.set_content(pages.text, cte="base64")
    mail.make_alternative(boundary=_EITHER)
    mail.add_alternative(pages.html, subtype="html", cte="base64")
    if pages.calendar:
        mail.make_mixed(boundary=_TOGETHER)
        mail.add_attachment(
            pages.calendar, maintype="text", subtype="calendar", filename=FILE_NAME,
            params={"charset": "utf-8", "method": "PUBLISH"},
        )  # fmt: skip
    mail["Content-Language"] = "zh-CN, en"  # last: set earlier, it would become that of the text alone
    return mail
