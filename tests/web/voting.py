"""An open university with two steps that ask for a vote: a degree, which is final, and a leave to be confirmed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from console.access.rehearsal import furnish
from console.demo.sheets import Files
from engine.loading.folder import load
from engine.records import case_number, case_of
from engine.store import registry
from engine.store.people import set_name
from tests.definitions.test_stories_of_open_credentials import DEGREE, applicant
from tests.definitions.test_stories_of_status import drafted, submitted
from tests.definitions.world import NOON, world_at
from tests.engine.town import HOME, KEY, LOG
from tests.web.conftest import Person, Site, opening

SIGNER, OTHER = "site_approver@S1", "site_approver2@S1"
PASSWORD = "rehearsal-2024-06"  # noqa: S105 of people who do not exist
_VOTES = "votes.json"
WHY = "平均成绩不足，学位外语没有通过"


@dataclass(frozen=True, slots=True)
class Vote:
    """A case that waits for the vote of the teaching point: `step` is asked, `no` is what a vote against leads to."""

    number: str
    step: str
    no: str

    @property
    def form(self) -> str:
        return f"/cases/{self.number}/do/{self.step}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """A house, and the votes that wait in it."""

    site: Site
    votes: dict[str, Vote]

    def signer(self, login: str = SIGNER) -> Person:
        return self.site.signed_in(login)

    def votes_given(self, vote: Vote) -> list[tuple[str, str]]:
        """Every vote that the trail knows of for a step: who, and which."""
        found = (one for one in self.events(vote) if one["data"].get("vote"))
        return [(str(one["actor"]), str(one["data"]["vote"])) for one in found]

    def events(self, vote: Vote) -> list[dict[str, Any]]:
        with self.site.house.desks.borrowed() as office:
            sql = "SELECT body FROM event WHERE chain = ? ORDER BY seq"
            rows = office.desk.connection.execute(sql, (case_of(vote.number),)).fetchall()
        return [orjson.loads(bytes(body)) for (body,) in rows]

    def state(self, vote: Vote) -> str:
        with self.site.house.desks.borrowed() as office:
            sql = "SELECT state FROM cases WHERE id = ?"
            [(state,)] = office.desk.connection.execute(sql, (case_of(vote.number),)).fetchall()
        return str(state)


def stage(folder: Path) -> None:
    """Set down the database in a folder, and beside it the votes that wait in it."""
    database = folder / "evening.db"
    with world_at(database, load(HOME), "open-university") as world:
        student = applicant(world)
        degree = world.opens(DEGREE, student, "apply", "site_operator")
        world.knows(student, name="更名后")  # to be looked at before somebody votes for it
        leave = submitted(drafted(world, world.enrols()).hands_in("F-55", by="site_operator"))
        connection = world.town.connection
        with connection.writing():
            registry.set_setting(connection, "log", LOG)
            registry.set_setting(connection, "rehearsal", "yes")
            for login, name in ((SIGNER, "周敏"), (OTHER, "王建国")):
                set_name(connection, login, name)
        furnish(connection, [SIGNER, OTHER], PASSWORD, NOON)
    votes = {
        "degree": (case_number(degree.id), "approve", "refused"),
        "leave": (case_number(leave.id), "confirm", "drafted"),
    }
    (folder / _VOTES).write_bytes(orjson.dumps(votes))
    key = database.with_name("evening.db.key")
    key.write_text(KEY.hex())
    key.chmod(0o600)


@contextmanager
def balloting(folder: Path, tmp_path: Path) -> Iterator[Ballot]:
    """A house over a copy of what was set down."""
    votes = {name: Vote(*told) for name, told in orjson.loads((folder / _VOTES).read_bytes()).items()}
    with opening(Files(into=folder), tmp_path) as open_one:
        yield Ballot(site=open_one(), votes=votes)
