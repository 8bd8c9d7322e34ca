"""How people are told, as the settings say it: where mails go, in whose name, how many a minute, and at what hours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from console.channel_file import channels_in
from console.settings import Settings
from console.webhook_file import webhooks_in
from engine.errors import Unreadable, XuejiError, nearest
from notifications.composing import Hours
from notifications.mailers import Relay, Security
from notifications.messages.envelopes import Unmailable, sender_of
from notifications.reach import BY_MAIL, Reach
from notifications.webhooks import Webhook

T = TypeVar("T")

_PORTS: Mapping[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
_NOBODY = "xueji@localhost"
"""The sender of mails that are only put in a folder: an address that no mail system delivers to."""
_WAYS = "file:文件夹 FOLDER、smtp://USER@HOST:587?security=starttls、smtps://USER@HOST"
_MOST_A_MINUTE, _LONGEST_LEASE = 6000, 3600


class UnusableSettings(XuejiError):
    """Settings about telling people cannot be read; every one that cannot is named with what is expected."""

    def __init__(self, faults: Iterable[Exception]) -> None:
        self.faults = tuple(map(str, faults))
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """How people are told.

    Attributes:
        way: Where mails go: a folder, or a mail server; its password comes from a file, never from the address.
        sender: Their From.
        url: Where the console answers; links in mails begin with it.
        a_minute: At most so many mails.
        hours: When people are written to.
        overrides: A folder of the institution's own message templates.
        lease_seconds: How long a worker leads before another may take over.
        reach: Who has a channel and is told there.
        webhooks: Which systems are told of what was sealed.
        seal_seconds: How often what was written is sealed.
    """

    way: Path | Relay
    sender: str
    url: str
    a_minute: int
    hours: Hours
    overrides: Path | None
    lease_seconds: float
    reach: Reach
    webhooks: Sequence[Webhook] = ()
    seal_seconds: float = 60.0


def post_of(settings: Settings) -> Post:
    """Read how people are told.

    Raises:
        UnusableSettings: If anything cannot be read; all of it is named at once.
    """
    faults: list[Exception] = []
    at_home: Path | Relay = settings.mail_folder

    def read(reader: Callable[[str, str], T], name: str, text: str, instead: T) -> T:
        try:
            return reader(name, text)
        except XuejiError as fault:
            faults.append(fault)
            return instead

    quiet_from, quiet_to = read(_hours, "XUEJI_QUIET_HOURS", settings.quiet_hours, (time(), time()))
    hours = Hours(
        digest=read(_time, "XUEJI_DIGEST_HOUR", settings.digest_hour, time()),
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        working_days_only=read(_yes_or_no, "XUEJI_WORKING_DAYS_ONLY", settings.working_days_only, False),  # noqa: FBT003 what stands in for an unreadable one
    )
    post = Post(
        way=read(_way_of(settings), "XUEJI_MAIL", settings.mail or "", at_home),
        sender=read(_sender_of(settings), "XUEJI_SENDER", settings.sender or "", _NOBODY),
        url=read(_url, "XUEJI_URL", settings.url, ""),
        a_minute=read(_whole(_MOST_A_MINUTE), "XUEJI_MAIL_RATE", settings.mail_rate or _usual_rate(settings), 1),
        hours=hours,
        overrides=read(_folder, "XUEJI_MESSAGES", str(settings.messages or ""), None),
        lease_seconds=read(_seconds, "XUEJI_LEASE_SECONDS", settings.lease_seconds, 1.0),
        reach=read(lambda _name, _text: reach_of(settings), "XUEJI_CHANNELS", "", BY_MAIL),
        webhooks=read(lambda _name, _text: webhooks_of(settings), "XUEJI_WEBHOOKS", "", ()),
        seal_seconds=read(_seconds, "XUEJI_SEAL_SECONDS", settings.seal_seconds, 60.0),
    )
    if faults:
        raise UnusableSettings(faults)
    return post


def reach_of(settings: Settings) -> Reach:
    """Read who is told through a channel.

    Raises:
        ChannelsRefused: If the file cannot be used; every fault of it is named.
    """
    return BY_MAIL if settings.channels is None else Reach(channels_in(settings.channels))


def webhooks_of(settings: Settings) -> Sequence[Webhook]:
    """Read which systems are told.

    Raises:
        WebhooksRefused: If the file cannot be used; every fault of it is named.
    """
    return () if settings.webhooks is None else webhooks_in(settings.webhooks)


def _way_of(settings: Settings) -> Callable[[str, str], Path | Relay]:
    def read(name: str, text: str) -> Path | Relay:
        if not text:
            return settings.mail_folder
        if text.startswith("file:") and len(text) > len("file:"):
            return Path(text.removeprefix("file:"))
        return _relay(name, text, settings.mail_password_file)

    return read


def _relay(name: str, text: str, password_file: Path | None) -> Relay:
    shown = re.sub(r"(//[^:/@]*):[^@]*@", r"\1:***@", text)
    parts = urlsplit(text)
    security = _security(parts)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or security is None or _port(parts) is None:
        raise Unreadable(name, shown, _WAYS)
    if parts.password is not None:
        raise Unreadable(name, shown, "不含密码的地址，密码放在文件中 no password in it: XUEJI_MAIL_PASSWORD_FILE")
    user = unquote(parts.username) if parts.username else None
    if user is not None and security == "none":
        raise Unreadable(name, shown, "有用户名时须加密 a user only with security=starttls, or smtps://")
    password = None if user is None else _password(password_file)
    return Relay(
        host=parts.hostname, port=_port(parts) or _PORTS[security], security=security, user=user, password=password
    )


def _security(parts: SplitResult) -> Security | None:
    """`smtps` is encrypted from the first byte; `smtp` asks for STARTTLS unless the address says `security=none`."""
    asked = parse_qs(parts.query, keep_blank_values=True)
    said = asked.pop("security", ["tls" if parts.scheme == "smtps" else "starttls"])
    if asked or parts.path not in {"", "/"}:
        return None
    if parts.scheme == "smtps":
        return "tls" if said == ["tls"] else None
    return "starttls" if said == ["starttls"] else "none" if said == ["none"] else None


def _port(parts: SplitResult) -> int | None:
    """The port named, 0 where none is, None where it is no port."""
    try:
        return parts.port or 0
    except ValueError:
        return None


def _password(file: Path | None) -> str:
    expected = "存有邮箱密码的文件 the file that holds the mail account's password"
    if file is None:
        raise Unreadable("XUEJI_MAIL_PASSWORD_FILE", "", expected)
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as problem:
        raise Unreadable("XUEJI_MAIL_PASSWORD_FILE", str(file), expected) from problem


def _sender_of(settings: Settings) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if not text and not (settings.mail or "").startswith("smtp"):
            return _NOBODY
        try:
            sender_of(text)
        except Unmailable as problem:
            raise Unreadable(name, text, "发件人 the sender, such as 学籍科 <xueji@xueji.invalid>") from problem
        return text

    return read


def _usual_rate(settings: Settings) -> str:
    """One a second is what mail servers bear; a folder bears anything."""
    return "60" if (settings.mail or "").startswith("smtp") else str(_MOST_A_MINUTE)


def _url(name: str, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise Unreadable(name, text, "https://HOST，可带路径 a path may follow")
    return text.rstrip("/")


def _whole(most: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= most:
            raise Unreadable(name, text, f"1–{most} 的整数 a whole number")
        return int(text)

    return read


def _seconds(name: str, text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9])?", text) or not 0 < float(text) <= _LONGEST_LEASE:
        raise Unreadable(name, text, f"秒数 seconds, at most {_LONGEST_LEASE}: 30")
    return float(text)


def _hours(name: str, text: str) -> tuple[time, time]:
    if text == "none":
        return time(), time()
    begin, _, end = text.partition("-")
    try:
        return _time(name, begin), _time(name, end)
    except Unreadable as problem:
        raise Unreadable(name, text, "21:00-07:00，或 or none") from problem


def _time(name: str, text: str) -> time:
    if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text) is None:
        raise Unreadable(name, text, "09:10")
    return time.fromisoformat(text)


def _yes_or_no(name: str, text: str) -> bool:
    known = {"yes": True, "no": False}
    if text not in known:
        raise Unreadable(name, text, f"yes 或 or no.{nearest(text, known)}")
    return known[text]


def _folder(name: str, text: str) -> Path | None:
    if text and not Path(text).is_dir():
        raise Unreadable(name, text, "已有的文件夹 a folder that exists")
    return Path(text) if text else None
