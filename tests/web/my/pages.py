"""What the tests of a student's pages read and send."""

from __future__ import annotations

import re

import orjson

from engine.casework import find_case
from engine.store.cases import read_case
from engine.store.own import cases_of
from tests.web.conftest import Person, Site


def hidden(text: str) -> dict[str, str]:
    """The request number, the revision and the mark of the text of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="(request|seen|read)" value="([^"]*)">', text))


def words(text: str) -> str:
    """What a page says, without its marks."""
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", "", text[text.index("<body") :]))


def facts(site: Site, login: str) -> dict[str, object]:
    with site.house.desks.borrowed() as office:
        found = read_case(office.desk.connection, find_case(office.desk, login))
        assert found is not None
        return dict(found.facts)


def events(site: Site, login: str) -> list[str]:
    """The kinds and steps of every event of a student's cases."""
    with site.house.desks.borrowed() as office:
        connection = office.desk.connection
        student = office.desk.actor(login).student or 0
        chains = [one.case.id for one in cases_of(connection, student)]
        marks = ",".join("?" * len(chains))
        sql = f"SELECT body FROM event WHERE chain IN ({marks}) ORDER BY id"  # noqa: S608 question marks only
        rows = connection.execute(sql, tuple(chains))
        return [str(orjson.loads(bytes(row[0]))["data"].get("trigger")) for row in rows.fetchall()]


def form_of(person: Person, address: str, **fields: object) -> dict[str, object]:
    """The form of a page as the browser would send it."""
    return {**hidden(person.get(address).text), **fields}
