"""The school's sign-on by OpenID Connect: authorization code with PKCE, state and nonce, and back-channel logout.

Only signatures by a key of the school's own are believed; never `none`, and never one by a secret we share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from console.access.school import Identity, Note, SchoolSilent, answer_of, asking, trusted

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
_LEEWAY_SECONDS = 120
_JUST_NOW = timedelta(minutes=5)
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
_FAULTS = (httpx.HTTPError, AuthlibBaseError, JoseError, ValueError, KeyError, TypeError)
"""Whatever a server may do that keeps to no agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The school's server, who we are there, which claim is the login here, and where the browser comes back to."""

    issuer: str
    client_id: str
    secret: str | None
    claim: str
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the school's server answers, as it says itself."""

    authorization: str
    token: str
    keys: str
    takes_secret_in_form: bool


def login_address(provider: Provider, note: Note) -> str:
    """Where the browser is sent.

    Raises:
        SchoolSilent: If the server does not say where.
    """
    try:
        with asking() as client:
            found = _discovered(client, provider)
            asked = {"nonce": note.nonce, "state": note.state, "code_verifier": note.verifier}
            if note.again:
                asked |= {"prompt": "login", "max_age": "0"}
            address, _ = _client(client, provider).create_authorization_url(found.authorization, **asked)
    except _FAULTS as problem:
        raise SchoolSilent from problem
    return str(address)


def identify(provider: Provider, note: Note, code: str, at: datetime) -> Identity:
    """Whom the server has signed in, for a code that came back with the browser.

    Raises:
        SchoolSilent: If it does not answer, or what it says cannot be believed.
    """
    try:
        with asking() as client:
            found = _discovered(client, provider)
            token = _client(client, provider).fetch_token(
                found.token, code=code, code_verifier=note.verifier, grant_type="authorization_code",
                redirect_uri=provider.back, **_proof(provider, found),
            )  # fmt: skip
            said = _believed(client, found, token["id_token"])
        claims = CodeIDToken(
            said.claims,
            said.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
            },
            {"nonce": note.nonce, "client_id": provider.client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now=int(at.timestamp()), leeway=_LEEWAY_SECONDS)
    except _FAULTS as problem:
        raise SchoolSilent from problem
    return _identity(provider, said.claims, note, at)


def ended(provider: Provider, logout_token: str, at: datetime) -> tuple[str, ...]:
    """The sign-ins that the server says are over (Back-Channel Logout 1.0); none if it cannot be believed."""
    try:
        with asking() as client:
            claims = _believed(client, _discovered(client, provider), logout_token).claims
        jwt.JWTClaimsRegistry(
            now=int(at.timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": provider.client_id},
            iat={"essential": True},
        ).validate(claims)
        if _LOGOUT not in claims["events"] or "nonce" in claims:
            return ()
    except (SchoolSilent, *_FAULTS):
        return ()
    names = [str(claims[one]) for one in ("sid", "sub") if claims.get(one)]
    return tuple(_ticket(provider, name) for name in names)


def _identity(provider: Provider, claims: Mapping[str, Any], note: Note, at: datetime) -> Identity:
    login = claims.get(provider.claim)
    if not isinstance(login, str) or not login:
        raise SchoolSilent
    if note.again and at.timestamp() - float(claims.get("auth_time") or 0) > _JUST_NOW.total_seconds():
        raise SchoolSilent
    return Identity(login=login, ticket=_ticket(provider, str(claims.get("sid") or claims["sub"])))


def _ticket(provider: Provider, name: str) -> str:
    return f"oidc {provider.issuer} {name}"


def _discovered(client: httpx.Client, provider: Provider) -> Endpoints:
    issuer = trusted(provider.issuer)
    said = orjson.loads(answer_of(client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")))
    if said["issuer"] != issuer:
        raise SchoolSilent
    ways = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Endpoints(
        authorization=trusted(said["authorization_endpoint"]),
        token=trusted(said["token_endpoint"]),
        keys=trusted(said["jwks_uri"]),
        takes_secret_in_form="client_secret_basic" not in ways,
    )


def _client(client: httpx.Client, provider: Provider) -> OAuth2Client:
    return OAuth2Client(
        client, client_id=provider.client_id, client_secret=provider.secret, scope="openid profile",
        redirect_uri=provider.back, code_challenge_method="S256",
    )  # fmt: skip


def _proof(provider: Provider, found: Endpoints) -> dict[str, Any]:
    """How we prove who we are: by a secret in a header or in the form, or by PKCE alone."""
    if provider.secret is not None and not found.takes_secret_in_form:
        return {"auth": httpx.BasicAuth(provider.client_id, provider.secret)}
    given = {"client_id": provider.client_id}
    if provider.secret is not None:
        given["client_secret"] = provider.secret
    return {"auth": httpx.Auth(), **given}


def _believed(client: httpx.Client, found: Endpoints, token: str) -> jwt.Token:
    """A token whose signature is by one of the server's keys."""
    keys = KeySet.import_key_set(orjson.loads(answer_of(client.get(found.keys))))
    return jwt.decode(token, keys, algorithms=_ALGORITHMS)
