"""Where mails go: a folder, or a mail server. Either way one of four things comes of handing one over.

accepted   it has been taken;
later      it has not, and may be tried again;
never      it has not, and trying again is of no use;
unknown    nobody can tell: its last line had left, and no answer came. Such a mail is never tried again by itself,
           for that is how people are told twice (RFC 1047).
"""

from __future__ import annotations

import hashlib
import os
import re
import smtplib
import socket
import ssl
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Literal, Protocol

from typing_extensions import override

Came = Literal["accepted", "later", "never", "unknown"]
Commit = Callable[[], bool]
Security = Literal["starttls", "tls", "none"]

_LONGEST_ANSWER, _LONGEST_NAME, _NAMES_FROM = 200, 150, 3  # characters
_ACCEPTED, _FOR_NOW, _REFUSED = 2, 4, (4, 5)
"""First digits of a reply."""
_UNAVAILABLE, _NEEDS_LOGIN, _TOO_LARGE = 421, 530, 552
_BAD_ADDRESSES = frozenset({550, 551})
"""What refuses a recipient for good, where the server does not say more exactly why (RFC 5321, 4.2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of handing a mail over, and what was said: never an address, so that it may be shown and kept.

    `about` is what the answer is true of: this mail, this person's address, or the mail system as a whole, in which
    case the next mail would fare no better now.
    """

    outcome: Came
    text: str
    about: Literal["mail", "address", "system"] = "mail"


class Mailer(Protocol):
    """Takes mails, one after the other."""

    def hand_over(self, message: EmailMessage, sender: str, to: str, commit: Commit) -> Answer | None:
        """Hand a mail over.

        Args:
            message: With a Message-ID that is always the same for the same mail.
            sender: The address that bounces go to.
            to: The address it goes to.
            commit: Called once, when nothing but the mail itself is left to be handed over; unless it says yes,
                nothing is handed over. What goes wrong before may be tried again.

        Returns:
            What came of it; None if `commit` said no.
        """
        ...

    def close(self) -> None:
        """End the conversation; the next mail begins a new one."""
        ...


class FileMailer(Mailer):
    """Puts every mail into a folder as a file named by its Message-ID: the same mail is the same file, whole or absent.

    The files are readable by their owner alone. Who takes them out of the folder must do so for good: a mail that is
    handed over again would come again.

    Args:
        folder: Made if need be.
        is_lasting: A mail is on the disk before it counts as handed over. Without it a power cut may take mails away,
            which is no loss only where it takes away too what is kept of them.
    """

    def __init__(self, folder: Path, *, is_lasting: bool = True) -> None:
        self._folder = folder
        self._is_lasting = is_lasting

    @override
    def hand_over(self, message: EmailMessage, sender: str, to: str, commit: Commit) -> Answer | None:
        """Put the mail into the folder, unless it is there."""
        final = self._folder / f"{file_name(str(message['Message-ID'] or ''))}.eml"
        if final.exists():
            return Answer(outcome="accepted", text="文件已在 The file was there already.")
        try:
            written = self._written(_bytes_of(message, needs_utf8=_needs_utf8(sender, to)))
        except OSError as problem:
            return Answer(
                outcome="later", text=_trouble("无法写入文件 The file cannot be written", problem), about="system"
            )
        if not commit():
            written.unlink()
            return None
        try:
            written.replace(final)
            self._flush_names()
        except OSError as problem:
            return Answer(
                outcome="unknown", text=_trouble("请查看邮件文件夹 Look in the folder", problem), about="system"
            )
        return Answer(outcome="accepted", text="已写入文件 Put in the folder.")

    @override
    def close(self) -> None:
        """Nothing is held open."""

    def _written(self, data: bytes) -> Path:
        """The mail under a name that is no mail's yet, and on the disk; a process that dies leaves that name behind."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if self._is_lasting:
                os.fsync(descriptor)
        return Path(name)

    def _flush_names(self) -> None:
        if not self._is_lasting:
            return
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def file_name(message_id: str) -> str:
    """A Message-ID as a file may be called, different for different mails.

    Raises:
        ValueError: If there is none, for then nothing tells the mail from another.
    """
    name = message_id.strip().removeprefix("<").removesuffix(">")
    if not name:
        raise ValueError("a mail without Message-ID cannot be told from another")
    safe = re.sub(r"[^0-9A-Za-z@._-]|^[^0-9A-Za-z]", "_", name)[:_LONGEST_NAME]
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """The mail server that takes our mails.

    `context` decides whose certificates are believed; by default those the system believes. Nothing leaves in clear
    unless `security` is none.
    """

    host: str
    port: int
    security: Security
    user: str | None = None
    password: str | None = None
    context: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many seconds a silent server is waited for: connecting, a reply, taking the text, and the last answer.

    RFC 5321 (4.5.3.2) asks for ten minutes after the last line: who gives up earlier makes mails arrive twice
    elsewhere, and here makes questions of them.
    """

    connecting: float = 30.0
    reply: float = 60.0
    text: float = 180.0
    end: float = 600.0


PATIENT = Patience()


class _Refused(Exception):
    """The server said no at some step; `answer` is what comes of it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


class SmtpMailer(Mailer):
    """Hands mails to a server by SMTP, many over one connection."""

    def __init__(self, relay: Relay, patience: Patience = PATIENT) -> None:
        self._relay = relay
        self._patience = patience
        self._line: smtplib.SMTP | None = None

    @override
    def hand_over(self, message: EmailMessage, sender: str, to: str, commit: Commit) -> Answer | None:
        """Hand the mail to the server, over the line that is open or a new one."""
        try:
            return self._handed_over(message, sender, to, commit)
        except _Refused as refused:
            self._reset()
            return _without(refused.answer, to)
        except OSError as problem:  # smtplib's own errors are OSErrors too
            self._hang_up()
            return Answer(outcome="later", text=_trouble("连接中断 The connection was lost", problem), about="system")
        except BaseException:
            self._hang_up()  # whoever could not commit has left the conversation in the middle
            raise

    @override
    def close(self) -> None:
        if self._line is not None:
            with suppress(OSError):
                self._line.quit()
        self._hang_up()

    def _handed_over(self, message: EmailMessage, sender: str, to: str, commit: Commit) -> Answer | None:
        needs_utf8 = _needs_utf8(sender, to)
        data = _with_dots_doubled(_bytes_of(message, needs_utf8=needs_utf8))
        line = self._begun(sender, needs_utf8=needs_utf8)
        _expect("RCPT", line.rcpt(to), 250, 251)
        if not commit():
            self._reset()
            return None
        _expect("DATA", line.docmd("DATA"), 354)
        return _without(self._sent(line, data), to)

    def _begun(self, sender: str, *, needs_utf8: bool) -> smtplib.SMTP:
        """A connection on which the mail has begun; a new one if the old has gone quiet or is tired of us."""
        if self._line is not None:
            with suppress(OSError):
                code, said = _begin(self._line, sender, needs_utf8=needs_utf8)
                if code != _UNAVAILABLE:
                    _expect("MAIL", (code, said), 250)
                    return self._line
            self._hang_up()
        self._line = self._connected()
        _expect("MAIL", _begin(self._line, sender, needs_utf8=needs_utf8), 250)
        return self._line

    def _sent(self, line: smtplib.SMTP, data: bytes) -> Answer:
        """Send the text, and then, apart from it, the line that makes it a mail: only what fails there is unknown."""
        _wait(line, self._patience.text)
        line.send(data)
        _wait(line, self._patience.end)
        try:
            line.send(b".\r\n")
            code, said = line.getreply()
        except OSError as problem:
            self._hang_up()
            text = _trouble("已发出但未收到答复 It was sent, and no answer came", problem)
            return Answer(outcome="unknown", text=text, about="system")
        _wait(line, self._patience.reply)
        if code // 100 == _ACCEPTED:
            return Answer(outcome="accepted", text=_said(code, said))
        if code // 100 not in _REFUSED:
            self._hang_up()
            return Answer(outcome="unknown", text=f"答复无法理解 Not understood: {_said(code, said)}", about="system")
        raise _Refused(_refusal("text", code, said))

    def _connected(self) -> smtplib.SMTP:
        """A new connection: encrypted as asked for, its certificate checked, and logged in."""
        relay = self._relay
        line: smtplib.SMTP | None = None
        try:
            line = _dialled(relay, self._patience.connecting)
            _wait(line, self._patience.reply)
            line.ehlo_or_helo_if_needed()
            if relay.security == "starttls":
                line.starttls(context=relay.context or ssl.create_default_context())
                line.ehlo()
            if relay.user is not None:
                line.login(relay.user, relay.password or "")
        except (OSError, UnicodeError) as problem:
            if line is not None:
                line.close()
            raise _Refused(_no_line(relay, problem)) from problem
        return line

    def _reset(self) -> None:
        """Ready for the next mail, over the same connection if that still answers."""
        if self._line is not None:
            try:
                code, _ = self._line.rset()
            except OSError:
                code = _UNAVAILABLE
            if code == _UNAVAILABLE:
                self._hang_up()

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def _dialled(relay: Relay, seconds: float) -> smtplib.SMTP:
    if relay.security == "tls":
        context = relay.context or ssl.create_default_context()
        line: smtplib.SMTP = smtplib.SMTP_SSL(relay.host, relay.port, timeout=seconds, context=context)
    else:
        line = smtplib.SMTP(relay.host, relay.port, timeout=seconds)
    if line.sock is not None:  # the last line is sent apart from the text, and must not wait for its receipt
        line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def _begin(line: smtplib.SMTP, sender: str, *, needs_utf8: bool) -> tuple[int, bytes]:
    if not needs_utf8:
        return line.mail(sender)
    if not line.has_extn("smtputf8"):
        text = "邮件服务器不支持非英文地址 The mail server takes no addresses with other letters than ASCII (SMTPUTF8)"
        raise _Refused(Answer(outcome="never", text=text, about="address"))
    return line.mail(sender, ["SMTPUTF8", "BODY=8BITMIME"])


def _wait(line: smtplib.SMTP, seconds: float) -> None:
    """From here on wait that long for every answer."""
    if line.sock is not None:
        line.sock.settimeout(seconds)


def _expect(step: str, reply: tuple[int, bytes], *good: int) -> None:
    code, said = reply
    if code not in good:
        raise _Refused(_refusal(step, code, said))


def _refusal(step: str, code: int, said: bytes) -> Answer:
    """What a server's no means; a no to MAIL, which names only ourselves and a size, would be said to any mail."""
    text = f"{step}: {_said(code, said)}"
    is_ours = step == "MAIL" and code != _TOO_LARGE
    if is_ours or code in {_UNAVAILABLE, _NEEDS_LOGIN} or code // 100 not in _REFUSED:
        return Answer(outcome="later", text=text, about="system")
    if code // 100 == _FOR_NOW:
        return Answer(outcome="later", text=text)
    about: Literal["mail", "address"] = "address" if step == "RCPT" and _is_bad_address(code, said) else "mail"
    return Answer(outcome="never", text=text, about=about)


def _is_bad_address(code: int, said: bytes) -> bool:
    """Whether the address is at fault, and not what we may send to whom (5.7) or who we are (5.1.7, 5.1.8)."""
    exact = re.match(rb"5\.(\d+)\.(\d+)\b", said)
    if exact is None:
        return code in _BAD_ADDRESSES
    subject, detail = int(exact[1]), int(exact[2])
    return (subject == 1 and detail not in {7, 8}) or (subject, detail) == (2, 1)


def _no_line(relay: Relay, problem: Exception) -> Answer:
    """Why there is no connection that a mail may go over, for whoever looks after the settings."""
    where = f"{relay.host}:{relay.port}"
    match problem:
        case ssl.SSLCertVerificationError():
            what = f"{where} 的证书不可信 Its certificate is not trusted; see XUEJI_MAIL"
        case smtplib.SMTPAuthenticationError():
            what = f"{where} 不接受用户名或密码 It refuses the user or password; see XUEJI_MAIL"
        case smtplib.SMTPNotSupportedError():
            what = f"{where} 不支持加密或登录 It offers no STARTTLS or no login; nothing was sent; see XUEJI_MAIL"
        case UnicodeError():
            what = f"用户名和密码只能用 ASCII 字符 A user and password for {where} must be ASCII; see XUEJI_MAIL"
        case _:
            what = f"{where} 无法连接 It cannot be reached"
    return Answer(outcome="later", text=_trouble(what, problem), about="system")


def _needs_utf8(sender: str, to: str) -> bool:
    return not (sender.isascii() and to.isascii())


def _bytes_of(message: EmailMessage, *, needs_utf8: bool) -> bytes:
    """The mail as it travels: lines end in CRLF, the last too, and nothing but ASCII unless an address needs more."""
    text = message.as_bytes(policy=SMTP.clone(cte_type="7bit", utf8=needs_utf8))
    return b"\r\n".join(text.splitlines()) + b"\r\n"


def _with_dots_doubled(text: bytes) -> bytes:
    """A line that is a dot alone would end the mail (RFC 5321, 4.5.2)."""
    return re.sub(rb"(?m)^\.", b"..", text)


def _said(code: int, said: bytes | str) -> str:
    return f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"


def _trouble(what: str, problem: Exception) -> str:
    """What went wrong, with the first line of what the system says; no path, for it may name a person."""
    match problem:
        case ssl.SSLCertVerificationError():
            said = problem.verify_message
        case smtplib.SMTPResponseException():
            said = _said(problem.smtp_code, problem.smtp_error)
        case OSError(strerror=str()):
            said = str(problem.strerror)
        case _:
            said = str(problem) if isinstance(problem, OSError) else type(problem).__name__
    return _short(f"{what}：{said}")


def _without(answer: Answer, to: str) -> Answer:
    """The same answer without any address, and without the name in front of this one's @."""
    name = to.rpartition("@")[0]
    text = re.sub(r"[^\s<>,;:()\"']+@[^\s<>,;:()\"']+", "…", answer.text)
    if len(name) >= _NAMES_FROM:
        text = re.sub(re.escape(name), "…", text, flags=re.IGNORECASE)
    return replace(answer, text=_short(text))


def _short(text: str) -> str:
    """On one line, and not longer than anybody reads."""
    plain = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return plain if len(plain) <= _LONGEST_ANSWER else f"{plain[: _LONGEST_ANSWER - 1]}…"
