"""A school's own sign-on servers, on this machine: OpenID Connect and CAS 3, as they are and as they misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "xueji", "a secret of the tests"
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}) for _ in range(2))
_CAS = "http://www.yale.edu/tp/cas"

Answer = tuple[int, str, bytes]


@dataclass
class School:
    """What both servers know; a test changes it to misbehave.

    Attributes:
        login: Who is signed in at the school.
        now: The school's clock.
        changes: Claims that come otherwise than agreed.
        asked: The requests that came, path and fields.
    """

    now: Callable[[], datetime]
    login: str = ""
    address: str = ""
    key: RSAKey = field(default_factory=lambda: KEY)
    changes: dict[str, Any] = field(default_factory=dict)
    answer: Answer | None = None
    codes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    tickets: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], str | None]] = field(default_factory=list)

    def discovery(self) -> Answer:
        pages = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return _json({"issuer": self.address, **{name: f"{self.address}/{page}" for name, page in pages.items()}})

    def authorize(self, asked: Mapping[str, str]) -> str:
        """Where the browser is sent back to once the person has signed in."""
        code = secrets.token_hex(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.address})}"

    def token(self, asked: Mapping[str, str], authorization: str | None) -> Answer:
        before = self.codes.pop(asked["code"], None)
        proof = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if before is None or authorization != f"Basic {proof}" or before["code_challenge"] != challenge:
            return _json({"error": "invalid_grant"}, 400)
        return _json({"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(before["nonce"])})

    def id_token(self, nonce: str) -> str:
        at = int(self.now().timestamp())
        claims = {
            "iss": self.address, "aud": CLIENT, "sub": f"subject of {self.login}", "iat": at, "exp": at + 300,
            "nonce": nonce, "auth_time": at, "sid": "session-1", "preferred_username": self.login, **self.changes,
        }  # fmt: skip
        return self.signed({name: value for name, value in claims.items() if value is not None})

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)

    def cas_login(self, asked: Mapping[str, str]) -> str:
        ticket = f"ST-{secrets.token_hex(8)}"
        self.tickets[ticket] = (asked["service"], self.login)
        return f"{asked['service']}&{urlencode({'ticket': ticket})}"

    def validate(self, asked: Mapping[str, str]) -> Answer:
        service, login = self.tickets.pop(asked["ticket"], ("", ""))
        inside = f"<cas:authenticationSuccess><cas:user>{login}</cas:user></cas:authenticationSuccess>"
        if not service or service != asked["service"]:
            inside = '<cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure>'
        return (
            200,
            "application/xml",
            f'<cas:serviceResponse xmlns:cas="{_CAS}">{inside}</cas:serviceResponse>'.encode(),
        )


def _json(body: object, status: int = 200) -> Answer:
    return status, "application/json", json.dumps(body).encode()


@contextmanager
def teaching(now: Callable[[], datetime], login: str) -> Iterator[School]:
    """A school whose servers answer on a port of their own."""
    school = School(now=now, login=login)

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            self._answer(parts.path, asked)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(self.path, {name: values[-1] for name, values in parse_qs(body).items()})

        def _answer(self, path: str, asked: dict[str, str]) -> None:
            authorization = self.headers.get("Authorization")
            school.asked.append((path, asked, authorization))
            answers: dict[str, Callable[[], Answer]] = {
                "/.well-known/openid-configuration": school.discovery,
                "/token": lambda: school.token(asked, authorization),
                "/keys": lambda: _json({"keys": [KEY.as_dict(private=False)]}),
                "/p3/serviceValidate": lambda: school.validate(asked),
            }
            status, kind, body = school.answer or answers[path]()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        school.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield school
        finally:
            server.shutdown()
            thread.join()
