"""Who may ask for what: `matrix.yaml` holds it as data, and here every entry is asked over HTTP by people of each kind.

A route that the matrix does not know, and an entry that no route answers, are failures.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
import yaml
from fastapi import APIRouter
from fastapi.routing import APIRoute

from console.access.programs import Scope, Wish, issue
from console.api.app import ALL as PROGRAMS
from console.demo import school
from console.demo.sheets import Files
from console.web.guarding import GOOD_FOR, HEADER, token
from console.web.routes import ALL
from engine.organisation import add_units, give_role
from engine.records import case_number
from engine.store.registry import UnitRow
from tests.web.conftest import Person, Site, opening

MATRIX: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("matrix.yaml").read_bytes())
UNITS: Mapping[str, str] = MATRIX["units"]
_API = "/api/v1"
_LOOKS = {"access_row"}
"""Where looks are kept, beside the events of documents and of auditors."""
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "signed-in": ("staff", "auditor", "student", "admin"),
    "staff": ("staff",),
    "partaker": ("staff", "student"),
    "student": ("student",),
    "auditor": ("auditor",),
    "batches": ("staff", "auditor"),
    "admin": ("admin",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody of the matrix."""

    name: str
    login: str = ""
    kind: str = ""
    role: str = ""
    at: str = ""
    new: bool = False

    def belongs(self, to: str) -> bool:
        """Whether the person is among those a route is for."""
        return any(one in ("anyone", self.role) or self.kind in _GROUPS.get(one, ()) for one in to.split(" or "))

    def knows(self, case: Mapping[str, Any]) -> bool:
        """Whether the policy lets the person know of a case (its third sentence)."""
        if self.kind == "student":
            return bool(case.get("student"))
        is_at_or_above = bool(self.at) and UNITS[case["unit"]].startswith(UNITS[self.at])
        return is_at_or_above and (self.kind == "auditor" or self.role in MATRIX["parts"][case["workflow"]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One route of the matrix, and what is asked of it."""

    section: str
    path: str
    to: str
    answers: tuple[int, ...] | None
    cases: tuple[str, ...]
    values: Mapping[str, str]
    but: Mapping[str, tuple[int, ...]]
    form: Mapping[str, Any]
    scope: str
    file: str
    wants_proof: bool

    def expected(self, who: Who, case: str | None) -> tuple[int, ...] | None:
        """What somebody is answered by the policy; None where it would be done."""
        if who.name == "anonymous" and self.to != "anyone":
            return (401,) if self.section.startswith("program") else (303,)
        if not who.belongs(self.to) or (case is not None and not who.knows(MATRIX["cases"][case])):
            return (404,)
        said = self.but.get(who.name, self.but.get(who.kind))
        return self.answers if said is None else said

    def address(self, number: str) -> str:
        """Where it is asked for about a case."""
        names = {"no": number, "number": number, **self.values}
        return self.path.format(**{name: value.format(no=number) for name, value in names.items()})


def _several(said: int | list[int]) -> tuple[int, ...]:
    return (said,) if isinstance(said, int) else tuple(said)


def entries(section: str) -> Iterator[Entry]:
    several = ((path, one if isinstance(one, list) else [one]) for path, one in MATRIX[section].items())
    for path, said in ((path, one) for path, each in several for one in each):
        answers = said.get("is", 200 if section.endswith("get") else ())
        yield Entry(
            section=section, path=path, to=said["to"], cases=tuple(said.get("case", ())), values=said.get("with", {}),
            answers=_several(answers) or None, but={who: _several(one) for who, one in said.get("but", {}).items()},
            form=said.get("form", {}), scope=said.get("scope", ""), file=said.get("file", ""),
            wants_proof=said.get("proof", False),
        )  # fmt: skip


PEOPLE = {name: Who(name=name, **said) for name, said in MATRIX["people"].items()}
everybody = pytest.mark.parametrize("name", PEOPLE)


@dataclass(slots=True)
class Town:
    """The one house of these tests, with somebody of each kind in it, and a case of each kind."""

    site: Site
    numbers: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)
    student: str = ""
    _people: dict[str, Person] = field(default_factory=dict)
    _bearers: dict[str, dict[str, str]] = field(default_factory=dict)

    def person(self, name: str) -> Person:
        """Somebody's browser."""
        if name not in self._people:
            login = PEOPLE[name].login.format(student=self.student)
            self._people[name] = self.site.signed_in(login) if login else self.site.stranger()
        return self._people[name]

    def issued(self, name: str, *scopes: str, days: int = 30, is_proved: bool = True) -> str:
        """A token of somebody's, made with a proof unless it is said."""
        login = PEOPLE[name].login.format(student=self.student)
        with self.site.house.desks.borrowed() as office:
            at = self.site.watch.at
            wish = Wish(login, "matrix", scopes, timedelta(days=days), at if is_proved else None)
            return issue(office.desk, wish, at, "setup")

    def rows(self) -> dict[str, frozenset[tuple[object, ...]]]:
        """Every row of the database, by its table."""
        file = urlsplit(self.site.house.settings.database).path.removeprefix("/")
        raw = sqlite3.connect(f"file:/{file.lstrip('/')}?mode=ro", uri=True)
        tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: frozenset(raw.execute(f"SELECT * FROM {name}")) for name in tables}  # noqa: S608 its own tables
        found["cases"] = frozenset(raw.execute("SELECT id, state, revision, unit, fields FROM cases"))
        found["registry"] = frozenset(
            raw.execute("SELECT id FROM registry")
        )  # its head grows with each look, as a case's
        raw.close()
        return found

    def ask(self, name: str, entry: Entry, case: str | None) -> httpx.Response:
        """What somebody is answered, as a person at a browser or by a program of theirs."""
        number = self.numbers.get(case or "", "")
        address, form = entry.address(number), entry.form
        if entry.section == "get":
            return self.person(name).get(address)
        if entry.section == "post":
            return self.person(name).post(address, form)
        bearer = self._bearer(name)
        if entry.section == "program get":
            return self.site.program.get(_API + address, headers=bearer)
        headers = {**bearer, "Idempotency-Key": f"matrix-{name}-{case}"}
        return self.site.program.post(_API + address, headers=headers, **_sent(entry, self, number))

    def _bearer(self, name: str) -> dict[str, str]:
        if name not in self._bearers:
            self._bearers[name] = (
                {} if name == "anonymous" else {"Authorization": f"Bearer {self.issued(name, *Scope)}"}
            )
        return self._bearers[name]


def _told(form: Mapping[str, Any], town: Town, number: str) -> object:
    """What a program sends about a case."""
    said = orjson.dumps(form).decode().replace("{no}", number).replace("{revision}", town.revisions.get(number, ""))
    return orjson.loads(said)


def _sent(entry: Entry, town: Town, number: str) -> dict[str, Any]:
    """The body of what a program posts about a case: JSON, or a form where a file goes with it."""
    told = _told(entry.form, town, number)
    return {"data": told, "files": {"file": (entry.file, b"x")}} if entry.file else {"json": told}


@pytest.fixture(scope="module")
def town(staged_evening: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One house for all of it."""
    with opening(staged_evening, tmp_path_factory.mktemp("matrix")) as open_one:
        town = Town(open_one())
        with town.site.house.desks.borrowed() as office:
            at = town.site.watch.at
            room = UnitRow(code=UNITS["room"], name="一班", kind="class", parent=UNITS["site"], path="", profile=None)
            add_units(office.desk, [room], at=at, actor=school.HEAD)
            for one in PEOPLE.values():
                if one.new:
                    give_role(office.desk, one.login, one.role, UNITS[one.at], at=at, actor=school.HEAD)
            [(town.student, own)] = office.desk.connection.execute(
                "SELECT a.login, s.record FROM account a JOIN student s ON s.id = a.student"
            ).fetchall()
            for name, case in MATRIX["cases"].items():
                [(found, revision)] = office.desk.connection.execute(
                    "SELECT id, revision FROM cases WHERE workflow = ? AND unit = ?"
                    " AND CASE WHEN ? = '' THEN id = ? ELSE state = ? AND id <> ? END ORDER BY id LIMIT 1",
                    (case["workflow"], UNITS[case["unit"]], state := case.get("state", ""), own, state, own),
                ).fetchall()
                town.numbers[name] = case_number(found)
                town.revisions[town.numbers[name]] = str(revision)
        yield town


def _asked(name: str, *sections: str) -> Iterator[tuple[Entry, str | None, tuple[int, ...]]]:
    """Everything that somebody asks for without doing it."""
    for section in sections:
        for entry in entries(section):
            for case in entry.cases or (None,):
                expected = entry.expected(PEOPLE[name], case)
                if expected is not None:
                    yield entry, case, expected


def _wrong(town: Town, name: str, *sections: str) -> list[str]:
    """What is answered otherwise than the policy says."""
    found = []
    for entry, case, expected in _asked(name, *sections):
        status = town.ask(name, entry, case).status_code
        if status not in expected:
            found.append(f"{entry.section} {entry.path} ({case or '—'}): {status}, not {expected}")
    return found


def _changes(town: Town, before: Mapping[str, frozenset[tuple[object, ...]]]) -> dict[str, object]:
    """What is otherwise than before, by table; of events those that are neither looks nor refusals."""
    after = town.rows()
    others = [name for name in after if name not in {*_LOOKS, "event"}]
    found: dict[str, object] = {
        name: sorted(map(str, after[name] ^ before[name]))[:3] for name in others if after[name] != before[name]
    }
    kinds = {_kind(row) for row in after["event"] ^ before["event"]} - {"viewed", "refused"}
    return {**found, "event": kinds} if kinds else found


def _kind(row: tuple[object, ...]) -> str:
    body = next(one for one in row if isinstance(one, bytes) and one.startswith(b"{"))
    return str(orjson.loads(body)["kind"])


def _routes(doors: APIRouter) -> Iterator[tuple[str, str]]:
    for route in doors.routes:
        assert isinstance(route, APIRoute)
        yield from ((method, route.path) for method in route.methods or ())


def test_every_route_stands_in_the_matrix_and_every_entry_has_a_route() -> None:
    """Whoever opens a door says here, in words, for whom it is."""
    pages = {(method.lower(), path) for doors in ALL for method, path in _routes(doors)}
    for_programs = {(f"program {method.lower()}", path) for doors in PROGRAMS for method, path in _routes(doors)}
    told = {(section, path) for section in ("get", "post", "program get", "program post") for path in MATRIX[section]}
    told |= {("post", path) for path in MATRIX["servers"]}
    there = pages | for_programs | {("program get", "/openapi.json")}
    assert sorted(there - told) == [], "routes that the matrix does not know"
    assert sorted(told - there) == [], "entries without a route"


@everybody
def test_each_sees_what_the_policy_says_and_looking_changes_nothing(town: Town, name: str) -> None:
    town.person(name)
    before = town.rows()
    assert "\n".join(_wrong(town, name, "get")) == ""
    assert _changes(town, before) == {}


_OWN_MATTERS = (
    *("/me", "/help", "/activate", "/forgotten", "/sign-in", "/stay", "/day", "/healthz", "/metrics"),
    "/cases/{no}/reveal",
)
"""Pages that tell of nobody but who asks, and of no work; the form that asks what a value is wanted for shows none."""


def _looks_kept(town: Town) -> int:
    """How many events say that somebody looked at something."""
    with town.site.house.desks.borrowed() as office:
        sql = 'SELECT count(*) FROM event WHERE body LIKE \'%"kind":"viewed"%\''
        [(found,)] = office.desk.connection.execute(sql).fetchall()
    return int(found)


@pytest.mark.parametrize("how", ["page", "fragment"])
def test_every_page_an_auditor_opens_is_an_event(town: Town, how: str) -> None:
    """Whether all of it is asked for or what htmx would ask for: all of a page may be had as a fragment."""
    auditor, unkept = town.person("auditor"), []
    for entry, case, expected in _asked("auditor", "get"):
        if expected != (200,) or entry.path.startswith(_OWN_MATTERS):
            continue
        address, before = entry.address(town.numbers.get(case or "", "")), _looks_kept(town)
        answer = auditor.fragment(address) if how == "fragment" else auditor.get(address)
        if answer.status_code == httpx.codes.OK and _looks_kept(town) == before:
            unkept.append(f"{entry.path} ({case or '—'})")
    assert unkept == []


_TELLS_OF_NOBODY = ("/openapi.json", "/me", "/audit/head")
"""Of programs: what can be asked, who asks, and how far the log is sealed."""


def test_whatever_an_auditors_program_reads_is_an_event(town: Town) -> None:
    unkept = []
    for entry, case, expected in _asked("auditor", "program get"):
        if expected != (200,) or entry.path in _TELLS_OF_NOBODY:
            continue
        before = _looks_kept(town)
        status = town.ask("auditor", entry, case).status_code
        if status == httpx.codes.OK and _looks_kept(town) == before:
            unkept.append(f"{entry.path} ({case or '—'})")
    assert unkept == []


@everybody
def test_what_is_not_for_somebody_is_not_done_however_well_it_is_asked(town: Town, name: str) -> None:
    town.person(name)
    before = town.rows()
    assert "\n".join(_wrong(town, name, "post")) == ""
    assert _changes(town, before) == {}


@everybody
def test_a_program_may_no_more_than_its_person(town: Town, name: str) -> None:
    before = town.rows()
    assert "\n".join(_wrong(town, name, "program get", "program post")) == ""
    changed = _changes(town, before)
    assert changed.pop("event", {"token_changed"}) == {"token_changed"}, "the tokens that are asked with, and no more"
    assert changed.keys() <= {"api_token"}


def _doubtful(town: Town, own: str) -> dict[str, dict[str, str]]:
    """The headers of requests that nobody at a page of this session made, by what is wrong with them."""
    at, other = town.site.watch.at, town.person("beside").cookie or ""
    good, here = token(own, at), {"Sec-Fetch-Site": "same-origin"}
    return {
        "from another site": {"Sec-Fetch-Site": "cross-site", HEADER: good},
        "from a neighbour": {"Sec-Fetch-Site": "same-site", HEADER: good},
        "from another origin": {"Origin": "https://elsewhere.example", HEADER: good},
        "from nowhere": {HEADER: good},
        "without a token": here,
        "with a forged one": {**here, HEADER: good[:-1] + ("0" if good[-1] != "0" else "1")},
        "with another session's": {**here, HEADER: token(other, at)},
        "with an old one": {**here, HEADER: token(own, at - GOOD_FOR - timedelta(minutes=1))},
    }


_ACTORS = ("anonymous", "approver", "records", "student", "auditor", "system_admin", "security_admin")
"""Between them they may do everything; each is asked for what those before may not."""


@pytest.mark.parametrize("name", _ACTORS)
def test_whatever_changes_something_is_refused_when_it_is_not_shown_to_be_meant(town: Town, name: str) -> None:
    person, _ = town.person(name), town.person("beside")
    person.get("/sign-in")
    own = person.browser.cookies.get(town.site.house.cookie) or ""
    before = town.rows()
    believed = []
    for entry in entries("post"):
        if name != next(one for one in _ACTORS if PEOPLE[one].belongs(entry.to)):
            continue
        address = entry.address(town.numbers["own" if name == "student" else "applied"])
        for doubt, headers in _doubtful(town, own).items():
            status = person.browser.post(address, data=entry.form, headers=headers).status_code
            if status != httpx.codes.FORBIDDEN:
                believed.append(f"{entry.path} {doubt}: {status}")
    assert believed == []
    assert _changes(town, before) == {}


def test_a_sign_on_server_without_a_proof_ends_nothing(town: Town) -> None:
    before, server, forged = town.rows(), town.site.stranger().browser, {"logoutRequest": "x", "logout_token": "x"}
    for entry in entries("servers"):
        assert server.post(entry.path, data=forged).status_code in (entry.answers or ())
    assert _changes(town, before) == {}


def test_a_program_without_a_good_token_or_the_scope_is_refused_everywhere(town: Town) -> None:
    forged = town.issued("approver", *Scope)[:-4] + "AAAA"
    old = town.issued("approver", *Scope, days=0)
    lacking = {scope: town.issued("approver", *(one for one in Scope if one != scope)) for scope in Scope}
    cookie = town.person("approver").cookie or ""
    before, wrong = town.rows(), []
    for entry in [one for section in ("program get", "program post") for one in entries(section) if one.scope]:
        address = _API + entry.address(town.numbers["applied"])
        shown = {f"Bearer {forged}": 401, f"Bearer {old}": 401, f"Bearer {lacking[Scope(entry.scope)]}": 403}
        for said, expected in {**shown, f"Bearer {cookie}": 401, "Basic eA==": 401}.items():
            headers = {"Authorization": said, "Idempotency-Key": "matrix-forged"}
            body = _sent(entry, town, town.numbers["applied"]) if entry.section == "program post" else {}
            status = town.site.program.request(entry.section.split()[1], address, headers=headers, **body).status_code
            if status != expected:
                wrong.append(f"{entry.path} {said[:12]}: {status}, not {expected}")
    assert wrong == []
    assert _changes(town, before).keys() <= {"api_token"}


def test_what_a_page_asks_a_fresh_proof_for_is_not_done_by_a_token_that_nobody_proved(town: Town) -> None:
    before, wrong = town.rows(), []
    for entry in [one for one in entries("program post") if one.wants_proof]:
        name = next(one for one in PEOPLE if PEOPLE[one].belongs(entry.to) and one not in entry.but)
        headers = {
            "Authorization": f"Bearer {town.issued(name, *Scope, is_proved=False)}",
            "Idempotency-Key": "matrix-unproved",
        }
        address = _API + entry.address(town.numbers["applied"])
        answer = town.site.program.post(address, headers=headers, **_sent(entry, town, ""))
        if answer.status_code != httpx.codes.FORBIDDEN or "/me/tokens" not in answer.json()["title_en"]:
            wrong.append(f"{entry.path}: {answer.status_code}")
    assert wrong == []
    assert _changes(town, before).keys() <= {"api_token", "event"}


def test_what_stands_behind_a_handle_is_its_makers_alone(town: Town) -> None:
    """Searches, nudges, saved filters, drafts and sessions of one person, asked for by another who has the address."""
    approver, others = town.person("approver"), [town.person(name) for name in ("operator", "records", "beside")]
    again = town.site.signed_in(PEOPLE["approver"].login)
    search = approver.post("/find", {"q": "nobody of this name"}).headers["location"]
    nudge = approver.post("/nudge", {"batch": "2024-06", "about": "filing"}).headers["location"]
    assert [approver.get(address).status_code for address in (search, nudge)] == [200, 200]
    assert {one.get(search).status_code for one in (*others, again)} == {404}
    assert {one.get(nudge).status_code for one in others} | {one.post(nudge).status_code for one in others} == {404}

    approver.post("/queue/views", {"name": "自己的", "query": "level=x"})
    step = f"/cases/{town.numbers['applied']}/do/site_return"
    approver.post(f"/cases/{town.numbers['applied']}/draft", {"trigger": "site_return", "reason": "只有我自己看得到"})
    assert "只有我自己看得到" in approver.get(step).text
    assert "只有我自己看得到" not in town.person("operator").get(step).text
    with town.site.house.desks.borrowed() as office:
        [(view,)] = office.desk.connection.execute("SELECT id FROM saved_view").fetchall()
        [(session, *_)] = office.desk.connection.execute(
            "SELECT id_hash FROM session WHERE login = ? ORDER BY created_at LIMIT 1", (PEOPLE["approver"].login,)
        ).fetchall()
    before = town.rows()
    for one in others:
        assert "自己的" not in one.get("/queue/views").text
        one.post("/queue/views", {"drop": view})
        assert one.post("/me/sessions", {"session": session}).status_code == httpx.codes.NOT_FOUND
    assert _changes(town, before) == {}
