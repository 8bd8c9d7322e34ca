"""Which browser of this machine the tests use: found by its name, never fetched.

The one without windows first: it costs a third less than the whole browser without its windows shown.
"""

import shutil

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
MISSING = f"没有浏览器 no browser: none of {', '.join(NAMES)} is on the PATH; install Debian's chromium-headless-shell"


def installed() -> str | None:
    """Where it is."""
    return next(filter(None, map(shutil.which, NAMES)), None)
