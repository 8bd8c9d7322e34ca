"""A real mail server on the loopback that does as it is told: takes mails, refuses them, hangs, or drops the line."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import IPv4Address
from pathlib import Path
from threading import Event, Thread
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DROP, TAKE_AND_DROP, HANG, TAKE_AND_HANG = "drop", "take and drop", "hang", "take and hang"
"""What a server may do instead of answering."""

Fault = Callable[[str, str], str | None]
"""Asked at MAIL, RCPT and DATA (the text has come) for whom a mail is: what to answer or do; None: all is well."""

USER, PASSWORD = "sender", "correct horse"
_HANGING_SECONDS = 30.0


def takes_everything(_step: str, _to: str) -> None:
    """No fault at all."""


@dataclass  # no slots: aiosmtpd looks at every name of it, which Python before 3.11.3 does not bear then
class Office:
    """What the server has seen: every mail it took, and how often; `log` has the verbs of every conversation."""

    fault: Fault = takes_everything
    taken: Counter[str] = field(default_factory=Counter)
    texts: dict[str, bytes] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    port: int = 0

    def mail(self, message_id: str) -> EmailMessage:
        """One of the mails it took."""
        message = message_from_bytes(self.texts[message_id], policy=default)
        assert isinstance(message, EmailMessage)
        return message

    async def handle_EHLO(self, server: SMTP, session: Session, _: Envelope, name: str, said: list[str]) -> list[str]:  # noqa: N802 as aiosmtpd names it
        session.host_name = name
        self.log.append("EHLO")
        answer = await self._answer(server, "EHLO", "", "")
        return said if not answer else [answer]

    async def handle_MAIL(  # noqa: N802 as aiosmtpd calls it
        self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.log.append("MAIL")
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self._answer(server, "MAIL", address, "250 2.1.0 OK")

    async def handle_RCPT(  # noqa: N802 as aiosmtpd calls it
        self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._answer(server, "RCPT", address, "250 2.1.5 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return answer

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802 as aiosmtpd names it
        text = bytes(envelope.original_content or b"")
        message_id = str(message_from_bytes(text, policy=default)["Message-ID"])
        told = self.fault("DATA", envelope.rcpt_tos[0])
        if told is None or told.startswith(("take", "2")):
            self.taken[message_id] += 1
            self.texts[message_id] = text
        return await self._do(server, told, f"250 2.0.0 OK: queued as {self.taken[message_id]:08X}")

    async def _answer(self, server: SMTP, step: str, to: str, good: str) -> str:
        return await self._do(server, self.fault(step, to), good)

    async def _do(self, server: SMTP, told: str | None, good: str) -> str:
        if told in {DROP, TAKE_AND_DROP}:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if told in {DROP, TAKE_AND_DROP, HANG, TAKE_AND_HANG}:
            await asyncio.sleep(_HANGING_SECONDS)
        return told or good


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for this machine that nobody else believes, as a file with its key."""

    file: Path

    def of_server(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.file)
        return context

    def believed(self) -> ssl.SSLContext:
        """A client's that believes it."""
        return ssl.create_default_context(cafile=str(self.file))


def made_certificate(folder: Path) -> Certificate:
    """A certificate that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    here = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
    now = datetime.now(UTC)  # noqa: TID251 a certificate is checked against the machine's clock
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "mail-server.pem"
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return Certificate(file)


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    known = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known and mechanism in {"LOGIN", "PLAIN"}, handled=False)


@contextmanager
def serving(office: Office, *, tls: ssl.SSLContext | None = None, **server: Any) -> Iterator[Office]:
    """Serve on a free port, in a thread, until the end.

    Args:
        office: What to do, and where to write what was seen.
        tls: Encrypted from the first byte; STARTTLS is asked for with `tls_context` in `server`.
        server: What else aiosmtpd's server is made with.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an answer of several lines must not wait
    office.port = listening.getsockname()[1]
    loop = asyncio.new_event_loop()
    ready, over = Event(), asyncio.Event()

    async def serve() -> None:
        def protocol() -> SMTP:
            return SMTP(office, hostname="localhost", loop=loop, enable_SMTPUTF8=True, timeout=120, **server)

        running = await loop.create_server(protocol, sock=listening, ssl=tls)
        ready.set()
        await over.wait()
        running.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    thread = Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(10)
    try:
        yield office
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


AUTHENTICATED: dict[str, Any] = {"authenticator": _knows, "auth_required": True, "auth_require_tls": True}
"""A server that takes mails only from who logs in, and lets nobody log in in clear."""
