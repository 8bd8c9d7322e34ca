"""The evening of 15 May: one teaching point's approver, an hour and a half before the end of the day, sixty to go.

A copy of the demonstration's database at the moment when every list was submitted; played on to 17:31, it is what
`make serve` opens: an approver with 47 cases that are ready, five to look at closely and eight that others hold up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from console import wiring
from console.access.rehearsal import furnish
from console.calling import Sitting
from console.demo import acts, school
from console.demo.acts import take_step
from console.demo.cast import Cast, mended
from console.demo.sheets import Files, take_in_facts, take_in_roster, write_fact_sheet, write_roster
from console.settings import Settings
from console.wiring import Office
from engine.definition import Bilingual
from engine.eligibility import eligibility
from engine.expressions.kinds import SHANGHAI
from engine.organisation import add_student_account, give_role
from engine.queues import Waiting, waiting_for
from engine.store.database import Connection
from engine.store.people import set_name
from engine.trail.event import moment

NOW = datetime(2024, 5, 15, 17, 31, tzinfo=SHANGHAI)
"""When the doors open."""
SITE = school.SITES[3].code
_TAKES_PART = "G-GR-01"
PASSWORD = "rehearsal-2024-06"  # noqa: S105 of people who do not exist, in databases that are not real
APPROVER, OPERATOR, SECOND = school.approver(SITE), school.operator(SITE), "second-approver"
_APPROVED_FROM = NOW.replace(hour=15, minute=0)

_READY, _LOOKED_AT, _RETURNED, _NO_PHOTO, _NOT_REVIEWED = 47, 5, 2, 5, 2
_BLOCKED = _NO_PHOTO + _NOT_REVIEWED + 1
TO_GO = _READY + _LOOKED_AT + _BLOCKED

_NAMES = {
    APPROVER: "周敏", OPERATOR: "林芳", SECOND: "王建国", school.HEAD: "赵凯", school.ACCEPTING: "吴岚",
    school.AUDITING: "何正平", school.REGISTERING: "沈悦", "auditor": "郑文", "system-admin": "钱立",
    "security-admin": "孙宁", "audit-admin": "李澄", "second-system-admin": "冯远",
}  # fmt: skip
_ROLES = (
    (SECOND, "site_approver", SITE),
    (APPROVER, "site_operator", SITE),  # fills in for a day, and meets her own application again (G-SG-08)
    ("auditor", "auditor", school.SCHOOL.code),
    ("system-admin", "system_admin", school.SCHOOL.code),
    ("second-system-admin", "system_admin", school.SCHOOL.code),
    ("security-admin", "security_admin", school.SCHOOL.code),
    ("audit-admin", "audit_admin", school.SCHOOL.code),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody of the evening one may sign in as."""

    login: str
    name: str
    part: Bilingual
    unit: str


def database_of(files: Files) -> Path:
    """Where the evening is kept."""
    return files.into / "evening.db"


def settings_of(files: Files) -> Settings:
    """How the evening is opened."""
    return Settings(database=f"sqlite:///{database_of(files)}", channels=None)


def set_down(files: Files, connection: Connection) -> None:
    """Copy the database as it stands, with its key, for the evening to be played on.

    Args:
        files: Where the demonstration lies.
        connection: The demonstration's own, at the moment when all lists are submitted.
    """
    settings = settings_of(files)
    _copy(connection, database_of(files))
    settings.key_file.unlink(missing_ok=True)
    settings.key_file.write_bytes(Settings(database=files.url).key_file.read_bytes())
    settings.key_file.chmod(0o600)


def play(files: Files, cast: Cast) -> None:
    """Play the evening on the copy that was set down."""
    with wiring.office(settings_of(files)) as office:
        office.desk.connection.execute("PRAGMA synchronous = OFF")  # like the demonstration: told again if lost
        _Evening(office, files, cast).play()
        office.desk.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def played_beside(files: Files, cast: Cast) -> Iterator[Future[None]]:
    """Play the evening in a process of its own while the story goes on."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool.submit(play, files, cast)


def _copy(connection: Connection, file: Path) -> None:
    for old in file.parent.glob(f"{file.name}*"):
        old.unlink()
    connection.execute("VACUUM INTO ?", (str(file),))


class _Evening:
    """What happens from the morning of 14 May to 17:31 of the next day."""

    def __init__(self, office: Office, files: Files, cast: Cast) -> None:
        self._office = office
        self._files = files
        self._cast = cast
        self._rosters = {one.student_no: one.roster for one in cast.students}

    def play(self) -> None:
        """Everybody does their part."""
        self._gather_people()
        self._elsewhere()
        self._at_the_site()

    def _on(self, at: datetime) -> Sitting:
        return Sitting(office=self._office, at=at)

    def _gather_people(self) -> None:
        desk, at = self._office.desk, school.REVIEWED_AT
        for login, role, unit in _ROLES:
            give_role(desk, login, role, unit, at=at, actor=school.HEAD)
        student_no = self._unready()
        add_student_account(desk, student_no, student_no, at=at, actor=school.HEAD)
        with desk.connection.writing():
            for login, name in _NAMES.items():
                set_name(desk.connection, login, name)
        furnish(desk.connection, [*_NAMES, student_no], PASSWORD, at)

    def _unready(self) -> str:
        """A student of the teaching point with something left to do."""
        sitting = self._on(school.REVIEWED_AT)
        request = sitting.request("eligibility", sitting.desk.actor(school.HEAD))
        answers = eligibility(sitting.desk, school.BATCH, request)
        here = {number for number, roster in self._rosters.items() if roster["site_code"] == SITE}
        taking_part = [one for one in answers if not one.eligible and _TAKES_PART not in one.failed]
        open_ = sorted((len(one.failed) + len(one.undecided), one.student_no) for one in taking_part)
        return next((number for _, number in open_ if number in here), min(here))

    def _elsewhere(self) -> None:
        """The other teaching points are done, and the records section has accepted some of it."""
        sitting = self._on(school.REVIEWED_AT + timedelta(hours=6))
        for site in school.SITES:
            if site.code != SITE:
                acts.work_queue(sitting, school.approver(site.code), "site_approve", self._cast.late)
        accepting = self._on(school.ACCEPTED_AT)
        waiting = self._waiting(accepting, school.ACCEPTING, "branch_approve")
        cases = [(one.case, one.revision) for one in waiting[::2]]
        acts.take_on(accepting, school.ACCEPTING, "branch_approve", cases)

    def _at_the_site(self) -> None:
        waiting = self._waiting(self._on(school.ACCEPTED_AT), APPROVER, "site_approve")
        numbers = in_order([one.student_no for one in waiting if one.student_no is not None], self._cast)
        to_go, done = numbers[:TO_GO], numbers[TO_GO:]
        looked_at, blocked = to_go[:_LOOKED_AT], to_go[_LOOKED_AT : _LOOKED_AT + _BLOCKED]
        self._return_and_file_again(looked_at[:_RETURNED])
        self._correct_name(looked_at[_RETURNED : _RETURNED + 1])
        self._change(looked_at[_RETURNED + 1 :], {"electronic_photo": "否"}, NOW.replace(hour=13))
        self._change(looked_at[_RETURNED + 1 :], {"electronic_photo": "是"}, NOW.replace(hour=14))
        self._change(blocked[:_NO_PHOTO], {"electronic_photo": "否"}, NOW.replace(hour=14, minute=10))
        self._change(blocked[_NO_PHOTO:-1], {"file_reviewed": "否"}, NOW.replace(hour=14, minute=20))
        self._file_oneself(blocked[-1:])
        for place, student_no in enumerate(done):
            at = _APPROVED_FROM + place * (NOW - _APPROVED_FROM) / (len(done) + 1)
            take_step(self._on(at), APPROVER, student_no, "site_approve")

    def _return_and_file_again(self, numbers: Sequence[str]) -> None:
        """Sent back, and filed again with another photograph."""
        for place, student_no in enumerate(numbers):
            sitting = self._on(NOW.replace(hour=10, minute=place))
            take_step(sitting, APPROVER, student_no, "site_return", {"reason": "电子照片不是本人近照，请重采后再报"})
        self._change(numbers, {"electronic_photo": "否"}, NOW.replace(hour=10, minute=20))
        self._change(numbers, {"electronic_photo": "是"}, NOW.replace(hour=10, minute=50))
        for place, student_no in enumerate(numbers):
            take_step(self._on(NOW.replace(hour=11, minute=place)), OPERATOR, student_no, "apply",
                      {"batch": school.BATCH})  # fmt: skip

    def _correct_name(self, numbers: Sequence[str]) -> None:
        """A name was misspelt on the roster: the student's second syllable is another character of the same sound."""
        if not numbers:
            return
        rows = [{**self._rosters[number], "name": self._rosters[number]["name"] + "雯"} for number in numbers]
        sitting = self._on(NOW.replace(hour=12))
        write_roster(self._files.into / "姓名更正.xlsx", rows)
        take_in_roster(sitting, self._files.into / "姓名更正.xlsx", sitting.desk.actor(school.HEAD))

    def _change(self, numbers: Sequence[str], cells: dict[str, str], at: datetime) -> None:
        if not numbers:
            return
        sitting = self._on(at)
        file = self._files.into / f"补充材料-{moment(at)[11:13]}{moment(at)[14:16]}.xlsx"
        write_fact_sheet(file, [{"student_no": number, **cells} for number in numbers])
        take_in_facts(sitting, file, sitting.desk.actor(school.HEAD))

    def _file_oneself(self, numbers: Sequence[str]) -> None:
        """The approver files one application herself: somebody else will have to decide on it."""
        for student_no in numbers:
            sitting = self._on(NOW.replace(hour=14, minute=30))
            take_step(sitting, OPERATOR, student_no, "cancel_application", {"reason": "经办人不在，改由他人代报"})
            take_step(acts.later(sitting, 5), APPROVER, student_no, "apply", {"batch": school.BATCH})

    @staticmethod
    def _waiting(sitting: Sitting, login: str, trigger: str) -> list[Waiting]:
        found = waiting_for(sitting.desk, sitting.desk.actor(login), sitting.at)
        return sorted((one for one in found if trigger in one.triggers), key=lambda one: str(one.student_no))


def in_order(numbers: Iterable[str], cast: Cast) -> list[str]:
    """Students by number, those behind with whom something had to be put right: what was changed is looked at again.

    The first `TO_GO` are left for the evening, the others were approved before it.
    """
    changed = {row["student_no"] for row in mended(cast)}
    return sorted(numbers, key=lambda number: (number in changed, number))


def accounts(office: Office) -> tuple[Account, ...]:
    """Whom one may be of an evening, the approver first; nobody of a live database, and nobody of another rehearsal."""
    if not office.rehearsal:
        return ()
    roles = office.desk.library.rulebook.organisation.roles
    rows = office.desk.connection.execute(
        "SELECT a.login, a.name, coalesce(min(g.role), 'student'), coalesce(min(u.name), '') FROM account a"
        " JOIN credential c ON c.login = a.login LEFT JOIN role_grant g ON g.login = a.login AND g.until IS NULL"
        " LEFT JOIN unit u ON u.code = g.unit WHERE c.password_hash IS NOT NULL GROUP BY a.login, a.name"
    ).fetchall()
    found = {
        str(login): Account(
            login=login,
            name=name or "",
            part=Bilingual(zh="学生", en="Student") if role == "student" else roles[role].title,
            unit=unit,
        )
        for login, name, role, unit in rows
    }
    first = [found[login] for login in _NAMES if login in found]
    return tuple(first + [one for login, one in found.items() if login not in _NAMES]) if first else ()
