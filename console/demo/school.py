"""The school of the demonstration: its units, the people who act, and the days of the batch.

Nobody here exists. One person holds one role at one unit, except the one who shows why that matters (G-SG-08).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from console.calling import SETUP
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.organisation import add_units, give_role
from engine.store import registry
from engine.store.people import set_address
from engine.store.registry import UnitRow
from exchange.invented import SCHOOL_CODE, InventedSite, invent_sites

BATCH = "2024-06"
PROFILE = "online-ed"
SITES = invent_sites(3, 4)
SCHOOL = UnitRow(code=SCHOOL_CODE, name="示范开放大学", kind="province", parent=None, path="", profile=PROFILE)

HEAD = "records-head"
"""Of the four people of the records section, the one who publishes the batch and reads the sheets in."""
ACCEPTING = "records-accept"
AUDITING = "records-audit"
REGISTERING = "records-register"

MAIL = "xueji.invalid"
"""Where everybody's mail goes: a domain that no mail system delivers to."""

# The days follow the notice of the batch (requirements.md, S000-4): photos, fees and files by 13 May, review by 15 May.
PUBLISHED_AT = datetime(2024, 4, 15, 9, 0, tzinfo=SHANGHAI)
FACTS_AT = datetime(2024, 4, 22, 9, 0, tzinfo=SHANGHAI)
MENDINGS_AT = (
    datetime(2024, 5, 8, 17, 0, tzinfo=SHANGHAI),
    datetime(2024, 5, 11, 17, 0, tzinfo=SHANGHAI),
    datetime(2024, 5, 12, 17, 0, tzinfo=SHANGHAI),
)
"""Two days after the first reminder, and on the days after the second and of the third."""
MENDED_AT = datetime(2024, 5, 13, 8, 30, tzinfo=SHANGHAI)
APPLIED_AT = datetime(2024, 5, 13, 9, 0, tzinfo=SHANGHAI)
REVIEWED_AT = datetime(2024, 5, 14, 9, 0, tzinfo=SHANGHAI)
ACCEPTED_AT = datetime(2024, 5, 15, 9, 0, tzinfo=SHANGHAI)
AUDITED_AT = datetime(2024, 5, 20, 9, 0, tzinfo=SHANGHAI)
LAST_MORNING_AT = datetime(2024, 5, 20, 18, 0, tzinfo=SHANGHAI)
REGISTERED_AT = datetime(2024, 6, 20, 9, 0, tzinfo=SHANGHAI)
DAY_AFTER = REGISTERED_AT.date() + timedelta(days=1)


def operator(site: str) -> str:
    """Who files the applications of a teaching point."""
    return f"operator-{_short(site)}"


def approver(site: str) -> str:
    """Who decides on them there."""
    return f"approver-{_short(site)}"


def both_in_one(site: str) -> str:
    """Who, at a short-staffed teaching point, holds both roles."""
    return f"both-{_short(site)}"


def add_school(desk: Desk) -> None:
    """The school itself and its records section; branches and teaching points come with the roster."""
    add_units(desk, [SCHOOL], at=PUBLISHED_AT, actor=SETUP)
    for login in (HEAD, ACCEPTING, AUDITING, REGISTERING):
        give_role(desk, login, "records_section", SCHOOL.code, at=PUBLISHED_AT, actor=SETUP)


def add_people(desk: Desk, short_staffed: str) -> None:
    """Two people at each teaching point, and a third who holds both roles at one; everybody has an address."""
    for login, role, site in _people(SITES, short_staffed):
        give_role(desk, login, role, site, at=PUBLISHED_AT, actor=SETUP)
    with desk.connection.writing():
        for login in registry.logins(desk.connection):
            set_address(desk.connection, login, f"{login}@{MAIL}")


def _people(sites: tuple[InventedSite, ...], short_staffed: str) -> Iterator[tuple[str, str, str]]:
    for site in sites:
        yield operator(site.code), "site_operator", site.code
        yield approver(site.code), "site_approver", site.code
    yield both_in_one(short_staffed), "site_operator", short_staffed
    yield both_in_one(short_staffed), "site_approver", short_staffed


def _short(site: str) -> str:
    return site.removeprefix(SCHOOL_CODE)
