"""The mail with a code for a new password: made and sent after the answer, so that its time tells nothing.

It does not go through the outbox: what it carries is a secret, good for an hour, that must not be kept anywhere.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

import structlog

from console.access import entering
from console.post import Post, post_of
from console.web.house import House
from engine.errors import XuejiError
from engine.expressions.kinds import SHANGHAI
from engine.store import access, people
from engine.store.people import Contact
from notifications.mailers import FileMailer, Mailer, SmtpMailer
from notifications.messages.envelopes import address_of, sender_of
from notifications.messages.rendering import REHEARSAL

_TEXT = """\
您好：

有人（应是您本人）要重置账号 {login} 的密码。重置码：

    {code}

一小时内在 {url}/activate 输入账号和重置码，设置新密码。
不是您本人？不用理会，密码不变。

Somebody, presumably you, asked for a new password for the account {login}.
Enter the account and the code above at {url}/activate within an hour.
Not you? Ignore this mail; nothing changes.
"""


def send_reset(house: House, login: str, at: datetime) -> None:
    """Mail a code for a new password to whoever holds an account, if there is one that may sign in and has an address.

    What goes wrong is logged by kind alone: nobody is there to be told.
    """
    with house.desks.borrowed() as office:
        connection = office.desk.connection
        row, contact = access.credential(connection, login), people.contacts(connection, [login]).get(login)
        if row is None or row.is_disabled or contact is None or contact.email is None or contact.refused:
            return
        code = entering.issue(connection, login, "reset", at)
    try:
        came = _hand_over(house, contact, _TEXT.format(login=login, code=code, url=house.settings.url), at)
    except XuejiError as problem:
        came = type(problem).__name__
    structlog.get_logger("web").info("reset mail", came=came)


def _hand_over(house: House, contact: Contact, text: str, at: datetime) -> str:
    """What came of handing the mail over.

    Raises:
        UnusableSettings: If where mails go cannot be read.
        Unmailable: If the address is none.
    """
    post, to = post_of(house.settings), contact.email or ""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender_of(post.sender)
    mail["To"] = address_of(contact.name, to)
    mail["Subject"] = f"{REHEARSAL if house.rehearsal else ''}重置密码 New password"
    mail["Date"] = format_datetime(at.astimezone(SHANGHAI))
    mail["Message-ID"] = f"<reset-{secrets.token_hex(16)}@xueji>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="base64")
    mailer = _by_mail(post)
    try:
        answer = mailer.hand_over(mail, sender_of(post.sender).addr_spec, to, lambda: True)
    finally:
        mailer.close()
    return "nothing" if answer is None else answer.outcome


def _by_mail(post: Post) -> Mailer:
    """Where mails go, past every channel: those are of companies that have no business with a code."""
    return FileMailer(post.way) if isinstance(post.way, Path) else SmtpMailer(post.way)
