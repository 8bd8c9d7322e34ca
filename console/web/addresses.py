"""Where somebody goes after signing in: only to a page of this house (OWASP ASVS 3.7.2)."""

from __future__ import annotations

HOME = "/"
_LONGEST = 2000


def own_path(wanted: str) -> str:
    """The address if it is a path of our own, else the way home.

    Ours are plain ASCII: what browsers drop or turn round (tabs, backslashes, a second slash) is in none of them.
    """
    is_plain = wanted.isascii() and wanted.isprintable() and " " not in wanted and "\\" not in wanted
    is_path = wanted.startswith("/") and not wanted.startswith("//")
    return wanted if is_plain and is_path and len(wanted) <= _LONGEST else HOME
