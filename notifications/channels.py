"""Channels: people told through a chat program or a telephone instead of by mail, by Apprise (the extra `channels`).

Apprise says yes or no. Its no may come before anything was sent, or when the message was taken and the answer was lost,
so what it writes to its log meanwhile is read as well (`_Listener`). Only what cannot have been taken is tried again.

Nothing that Apprise says goes anywhere else: it may quote the address of a channel, and that is a secret.
"""

from __future__ import annotations

import logging
import re
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email import charset
from email.message import EmailMessage
from threading import Thread, get_ident

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, PersistentStoreMode
from typing_extensions import override
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError, SSLError

from engine.errors import nearest
from notifications.mailers import PATIENT, Answer, Commit, Mailer, Patience
from notifications.reach import Reach

_APPRISE, _REQUESTS = "apprise", "urllib3"
"""The logs of those whose words may hold secrets: an address of a channel is in the requests as well."""

_STATUS = re.compile(r"\berror=([0-9]{3})\b")
_SAYS_NO = frozenset(range(300, 500)) - {408}
"""Answers of a server that has done nothing, redirections too, for they are not followed. 408 is said by those who hold
that they have not heard all of it; 500 and more may come from somebody in between."""

_BEFORE_IT_LEFT = (NewConnectionError, ConnectTimeoutError, ProxyError, ssl.SSLCertVerificationError)
_USUAL = ("bark", "dingtalk", "feishu", "json", "jsons", "lark", "pushplus", "wecombot")
"""What to ask after when none is known by a name; Apprise knows some 180."""

_SCHEME = re.compile(r"([a-z0-9]+)://", re.IGNORECASE)


class ChannelMailer(Mailer):
    """Hands over what goes to a channel, each with a new connection; mails go to another mailer.

    Args:
        mailer: Takes the mails.
        reach: Who has which channel, each looked at with `fault_of` before.
        patience: How long a silent service is waited for: connecting, a reply, and (`text`) all of it.
    """

    def __init__(self, mailer: Mailer, reach: Reach, patience: Patience = PATIENT) -> None:
        self._mailer = mailer
        self._reach = reach
        self._patience = patience

    @override
    def hand_over(self, message: EmailMessage, sender: str, to: str, commit: Commit) -> Answer | None:
        """Hand the mail to the recipient's channel, or to the mailer where there is none."""
        url = self._reach.channel(to)
        if url is None:
            return self._mailer.hand_over(message, sender, to, commit)
        service = _service(url)
        if service is None:  # it was one when the settings were read: what it is made of has changed since
            return Answer(outcome="later", text="渠道无法使用 The channel cannot be used; see XUEJI_CHANNELS")
        service.socket_connect_timeout = self._patience.connecting
        service.socket_read_timeout = self._patience.reply
        if not commit():
            return None
        telling = _Telling(service, str(message["Subject"]), message.get_content().strip())
        telling.start()
        telling.join(self._patience.text)
        return telling.answer()

    @override
    def close(self) -> None:
        self._mailer.close()


def fault_of(url: str) -> str | None:
    """Why an address is no channel for one person, never repeating it; None: it is one.

    An address that tells several people, or tells again by itself, would tell somebody twice; one whose no is passed
    over, or whose yes comes from elsewhere, would lose a message.
    """
    service = _service(url)
    if service is None:
        scheme = _SCHEME.match(url)
        hint = "" if scheme is None else nearest(scheme[1].lower(), _USUAL)
        return f"不是可用的 Apprise 地址 it is no Apprise address that can be used, such as wecombot://KEY.{hint}"
    if service.retry or service.optional or service.redirects:
        return "不能带 retry、optional、redirect: nothing else may try again, pass over a no or go elsewhere"
    if len(service) != 1:
        return "只能有一个接收方 it must tell exactly one target"
    if not service.verify_certificate:
        return "须核对证书 the certificate must be checked: no verify=no"
    return None


class _Telling(Thread):
    """One message on its way, beside the caller, who does not wait for ever for a service that trickles.

    A daemon: a process that is to end does not wait for it either. What comes of it then nobody hears.
    """

    def __init__(self, service: NotifyBase, title: str, body: str) -> None:
        super().__init__(daemon=True)
        self._service = service
        self._title = title
        self._body = body
        self._noes: tuple[str | None, ...] = ()
        self._is_told: bool | None = None

    @override
    def run(self) -> None:
        listener, log = _Listener(get_ident()), logging.getLogger(_APPRISE)
        log.addHandler(listener)
        try:
            self._is_told = self._service.notify(body=self._body, title=self._title, body_format=NotifyFormat.TEXT)
        except Exception:  # noqa: BLE001 a plugin that breaks may have told before, and its words may hold a secret
            self._is_told = None
        finally:
            log.removeHandler(listener)
            self._noes = tuple(listener.noes)

    def answer(self) -> Answer:
        """What came of it, as far as is known now."""
        name = str(self._service.service_name)
        if self.is_alive() or self._is_told is None:
            return Answer(outcome="unknown", text=f"{name}：没有答复 No answer came.")
        if self._is_told:
            return Answer(outcome="accepted", text=f"{name}：已收下 Taken.")
        sure = [one for one in self._noes if one is not None]
        if not sure or len(sure) < len(self._noes):
            return Answer(outcome="unknown", text=f"{name}：不知是否送达 Nobody knows whether it was taken.")
        return Answer(outcome="later", text=f"{name}：{sure[-1]}")


class _Listener(logging.Handler):
    """Hears what Apprise says of one message, and keeps of it what every sentence means.

    Attributes:
        noes: Why nothing can have been taken, in words without secrets; None for a sentence that does not mean that.
    """

    def __init__(self, thread: int) -> None:
        super().__init__(logging.INFO)
        self.noes: list[str | None] = []
        self._thread = thread

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.noes.append(_sure_no(record.getMessage(), sys.exception()))


def _sure_no(said: str, problem: BaseException | None) -> str | None:
    """Why nothing can have been taken, if that is what a sentence means that was said while `problem` was handled."""
    if problem is not None:
        return "无法连接 It cannot be reached" if isinstance(_reason(problem), _BEFORE_IT_LEFT) else None
    status = _STATUS.search(said)
    return f"未收 Refused：HTTP {status[1]}" if status is not None and int(status[1]) in _SAYS_NO else None


def _reason(problem: BaseException) -> object:
    """Why a connection failed, which requests hands on inside errors of its own.

    Not what led to it: a plugin may try another server when the first cannot be reached.
    """
    reason: object = getattr(next(iter(problem.args), None), "reason", None)
    return next(iter(reason.args), None) if isinstance(reason, SSLError) else reason


@contextmanager
def _charsets_as_they_are() -> Iterator[None]:
    """Loading Apprise's services changes for the whole process how mails are encoded; put that back."""
    kept = dict(charset.CHARSETS)
    try:
        yield
    finally:
        charset.CHARSETS.update(kept)


def _service(url: str) -> NotifyBase | None:
    """What tells by a URL, new for every message, so that nothing of the one before is left; None: it is none.

    It writes no files, names no pictures elsewhere, and goes where it is sent and not where it is sent on.
    """
    asset = AppriseAsset(
        app_id="xueji", app_desc="xueji", app_url="", image_url_mask="", image_url_logo="", http_redirects=False,
        interpret_emojis=False, pgp_autogen=False, pem_autogen=False, storage_mode=PersistentStoreMode.MEMORY,
    )  # fmt: skip
    with _charsets_as_they_are():
        return Apprise.instantiate(url, asset=asset)


def _hush() -> None:
    """Keep what Apprise says away from every log but our listener, and let the requests say nothing."""
    log = logging.getLogger(_APPRISE)
    log.addHandler(logging.NullHandler())
    log.propagate = False
    log.setLevel(logging.INFO)
    logging.getLogger(_REQUESTS).setLevel(logging.CRITICAL)


_hush()
