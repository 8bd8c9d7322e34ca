"""The school's sign-on by CAS 3: a ticket comes with the browser, and the server says whose it is, once.

The address of ours that the ticket is for is the same byte for byte when it is asked about; it carries the state that
binds it to one browser, which CAS itself does not.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, ParseError

import httpx
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from console.access.school import Identity, SchoolSilent, answer_of, asking, trusted

_CAS = "{http://www.yale.edu/tp/cas}"
_SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
_TICKET = re.compile(r"[!-~]{1,256}")
_LONGEST_MESSAGE = 16 * 1024


def service_of(origin: str, state: str) -> str:
    """The address of ours that a ticket is for."""
    return f"{origin}/sign-in/cas/back?{urlencode({'state': state})}"


def login_address(server: str, service: str, *, renew: bool) -> str:
    """Where the browser is sent; `renew` asks for the password even of somebody who is signed in at the school.

    Raises:
        SchoolSilent: If the server is not to be trusted with it.
    """
    asked = {"service": service, **({"renew": "true"} if renew else {})}
    return f"{trusted(server).rstrip('/')}/login?{urlencode(asked)}"


def identify(server: str, service: str, ticket: str, *, renew: bool) -> Identity:
    """Whose ticket it is; a ticket is good once.

    Raises:
        SchoolSilent: If the server does not answer, or says that it is nobody's.
    """
    if _TICKET.fullmatch(ticket) is None:
        raise SchoolSilent
    asked = {"service": service, "ticket": ticket, **({"renew": "true"} if renew else {})}
    try:
        with asking() as client:
            response = client.get(f"{trusted(server).rstrip('/')}/p3/serviceValidate", params=asked)
        login = _parsed(answer_of(response)).findtext(f"{_CAS}authenticationSuccess/{_CAS}user", "").strip()
    except httpx.HTTPError as problem:
        raise SchoolSilent from problem
    if not login:
        raise SchoolSilent
    return Identity(login=login, ticket=f"cas {ticket}")


def ended(message: str) -> str | None:
    """The ticket whose sign-in the school says is over (single logout), or None if it says nothing of the kind."""
    if len(message) > _LONGEST_MESSAGE:
        return None
    try:
        root = _parsed(message.encode())
    except SchoolSilent:
        return None
    index = root.findtext(f"{_SAMLP}SessionIndex", "").strip()
    return f"cas {index}" if root.tag == f"{_SAMLP}LogoutRequest" and index else None


def _parsed(body: bytes) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as problem:
        raise SchoolSilent from problem
    return root
