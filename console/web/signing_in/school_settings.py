"""Which sign-on of the school is set up, and what the pages call a form that may be shown again with an error."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from fastapi import Response

from console.settings import Settings
from console.web.visit import Visit


class Page(Protocol):
    """A form, as it is shown the first time and again with what went wrong."""

    def __call__(self, visit: Visit, *, status: int = 200, error: str = "") -> Response:
        """The page."""
        ...


class Way(NamedTuple):
    """A sign-on of the school: where it begins here."""

    address: str


def ways(settings: Settings) -> tuple[Way, ...]:
    """The sign-ons of the school that are set up; mostly one, or none."""
    has_oidc = settings.oidc_issuer is not None and settings.oidc_client_id is not None
    found = (("/sign-in/oidc", has_oidc), ("/sign-in/cas", settings.cas is not None))
    return tuple(Way(address) for address, is_set in found if is_set)
