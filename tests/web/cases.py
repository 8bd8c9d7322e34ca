"""Cases of the evening, as they stand in its database, and what their pages say."""

import re
from typing import Any

import orjson

from console.demo import evening
from engine.records import case_number, case_of
from tests.web.conftest import Site


def records(site: Site, where: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The records at the site of the evening: number of the case, of the student, and what is known."""
    sql = (
        "SELECT c.id, s.student_no, s.facts FROM cases c JOIN student s ON s.record = c.id"  # noqa: S608 a test's own words
        f" WHERE c.unit = ? AND {where} ORDER BY s.student_no"
    )
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute(sql, (evening.SITE,)).fetchall()
    return [(case_number(case), number, orjson.loads(facts)) for case, number, facts in rows]


def a_blocked(site: Site) -> str:
    """A record that cannot be applied for."""
    return records(site, "c.state = 'enrolled'")[0][0]


def a_filed(site: Site) -> str:
    """An application that the operator filed, and that waits for the approver."""
    every = records(site, "c.state = 'applied' AND c.seq = 2")
    return next(number for number, _, facts in every if facts["electronic_photo"] and facts["file_reviewed"])


def numbers_of(site: Site, where: str) -> list[str]:
    """The numbers of records at the site of the evening."""
    return [number for number, *_ in records(site, where)]


def number_of(site: Site, sql: str) -> str:
    """The number of the first case at the site of the evening that is found."""
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute(f"{sql} AND unit = ? ORDER BY id", (evening.SITE,)).fetchall()
    return case_number(rows[0][0])


def events_of(site: Site, number: str) -> list[dict[str, Any]]:
    """The events of a case, in their order."""
    sql = "SELECT e.body FROM event e WHERE e.chain = ? ORDER BY e.seq"
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute(sql, (case_of(number),)).fetchall()
    return [orjson.loads(bytes(row[0])) for row in rows]


def texts(html: str) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
