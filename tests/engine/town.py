"""A small school district for tests: two profiles under one roof, its people, and students who do not exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from engine.actors import IMPORT, Actor
from engine.casework import find_case, move, open_case
from engine.desk import Desk
from engine.enrolling import Enrolment, enrol
from engine.facts import FactsWritten, write_facts
from engine.library import Library
from engine.organisation import add_units, give_role
from engine.publishing import change_batch, publish_batch
from engine.records import Case, Json, Moved, Refused, Repeated, Request
from engine.replay import Replayed, replay_range
from engine.store import students
from engine.store.append_only import GUARDED
from engine.store.cases import read_case
from engine.store.database import Connection, open_engine
from engine.store.registry import UnitRow
from engine.store.trail import spans
from engine.trail.chain import Scribe
from exchange.identity import make_check_digit
from tests.engine.tampering import tamper

HOME = Path(__file__).resolve().parents[2]
NOW = datetime(2024, 4, 20, 2, tzinfo=UTC)
LOG = "xueji/test"
KEY = sha256(b"a key only tests use").digest()
BATCH, OPEN_BATCH = "2024-06", "2024-07-open"

FIRST, SECOND, THIRD = "2022030000001", "2022030000002", "2022030000003"
ELSEWHERE = "2022030000004"
OPEN_FIRST, OPEN_SECOND = "2022030000005", "2022030000006"
SITE_OF = {FIRST: "S1", SECOND: "S1", THIRD: "S1", ELSEWHERE: "S2", OPEN_FIRST: "T1", OPEN_SECOND: "T1"}

UNITS = (
    ("GK", "country", None, None),
    ("SX", "province", "GK", "online-ed"),
    ("B1", "branch", "SX", None),
    ("B2", "branch", "SX", None),
    ("S1", "site", "B1", None),
    ("S2", "site", "B2", None),
    ("KF", "province", "GK", "open-university"),
    ("C1", "branch", "KF", None),
    ("T1", "site", "C1", None),
)
ROLES = (
    ("operator.s1", "site_operator", "S1"),
    ("approver.s1", "site_approver", "S1"),
    ("both.s1", "site_operator", "S1"),
    ("both.s1", "site_approver", "S1"),
    ("operator.s2", "site_operator", "S2"),
    ("approver.s2", "site_approver", "S2"),
    ("records.sx", "records_section", "SX"),
    ("auditor.sx", "records_section", "SX"),
    ("operator.t1", "site_operator", "T1"),
    ("approver.t1", "site_approver", "T1"),
    ("branch.c1", "branch_approver", "C1"),
    ("branch.c1", "handler", "C1"),
    ("province.kf", "provincial_auditor", "KF"),
    ("records.kf", "records_section", "KF"),
)

STEPS_TO_REGISTERED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "online-ed": (
        ("apply", "operator.s1"),
        ("site_approve", "approver.s1"),
        ("branch_approve", "records.sx"),
        ("provincial_audit", "auditor.sx"),
        ("register", "auditor.sx"),
    ),
    "open-university": (
        ("apply", "operator.t1"),
        ("site_approve", "approver.t1"),
        ("branch_approve", "branch.c1"),
        ("provincial_audit", "province.kf"),
        ("register", "records.kf"),
    ),
}
"""Who takes a record from enrolled to registered at S1 and T1, step by step."""

STATES_TO_REGISTERED = (
    "enrolled", "applied", "site_approved", "branch_approved", "provincially_audited", "registered",
)  # fmt: skip
"""Where those steps lead."""

REASON: Mapping[str, Json] = {"reason": "材料不齐"}
FIELDS: Mapping[str, Mapping[str, Json]] = {
    "withdraw": {"reason_code": "voluntary", "decided_on": "2024-04-20", "document_no": "2024-17"},
    "suspend": {"decided_on": "2024-04-20", "document_no": "2024-18", "suspended_until": "2025-04-20"},
    "resume": {"decided_on": "2024-04-20", "document_no": "2024-19"},
    "annotate_lost": {"proof_no": "ZM-1"},
    "annotate_minor": {"minor_no": "FX-1"},
    "cancel_application": REASON, "site_return": REASON, "site_reject": REASON, "branch_return": REASON,
    "branch_reject": REASON, "provincial_return": REASON, "provincial_reject": REASON, "national_reject": REASON,
}  # fmt: skip
"""What each step of the record asks for besides the batch."""

READY: Mapping[str, Json] = {
    "prior_qualification": "符合", "key_info_confirmed": True, "terms_required": 5, "terms_passed": 5,
    "level_exam": "合格", "photo_collected": True, "photo_review": "通过", "photo_vendor": "新华社",
    "identity_check": "通过", "fee_owed": "0.00", "card_filled": True, "form_filled": True, "form_signed": True,
    "file_reviewed": True, "site_opinion": True, "electronic_photo": True, "preliminary_passed": True,
    "unified_exam_passed": True, "unified_exam_synced": True, "conclusion": "毕业", "graduated_on": "2024-06-30",
    "issued_on": "2024-06-30",
}  # fmt: skip
"""Facts with which nothing stands between a student and the certificate."""


def roster_facts(student_no: str) -> dict[str, Json]:
    """What the roster says of an invented student; the ID number is valid and its own."""
    serial = int(student_no) % 10_000
    first_17 = f"610103200001{1 + serial % 28:02d}{serial % 1000:03d}"
    return {
        "student_no": student_no, "exam_no": f"2261{serial:06d}", "name": "测试", "gender": "女",
        "id_number": first_17 + make_check_digit(first_17), "born_on": f"2000-01-{1 + serial % 28:02d}",
        "level": "专科", "cohort": 2022, "major_code": "530605", "study_mode": "开放教育",
        "enrolled_on": "2022-03-01",
    }  # fmt: skip


class _Undone(Exception):
    """Rolls a transaction back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A desk on a database that only this test uses, and short words for what tests do at it."""

    desk: Desk
    url: str

    @property
    def connection(self) -> Connection:
        return self.desk.connection

    def actor(self, login: str) -> Actor:
        return IMPORT if login == "import" else self.desk.actor(login)

    def request(self, trigger: str, login: str, **fields: Json) -> Request:
        return Request(trigger=trigger, actor=self.actor(login), at=NOW, fields=fields)

    def step(self, trigger: str, login: str, batch: str = BATCH) -> Request:
        """A request with everything the record's step asks for."""
        fields = {"batch": batch} if trigger == "apply" else FIELDS.get(trigger, {})
        if trigger == "register" and batch == OPEN_BATCH:
            fields = {"final_audit": "通过"}  # only the open university's final audit is asked for
        return self.request(trigger, login, **fields)

    def record(self, student_no: str) -> int:
        return find_case(self.desk, student_no)

    def take(self, student_no: str, trigger: str, login: str, **changes: object) -> Moved | Refused | Repeated:
        """Take a step of the student's record; `changes` are those of the request."""
        batch = OPEN_BATCH if SITE_OF.get(student_no) == "T1" else BATCH
        request = replace(self.step(trigger, login, batch), **changes)  # type: ignore[arg-type] # a test's own words
        return move(self.desk, self.record(student_no), request)

    def go(self, student_no: str, steps: tuple[tuple[str, str], ...]) -> Case:
        """Take steps that must all succeed; the case as it stands afterwards."""
        for trigger, login in steps:
            outcome = self.take(student_no, trigger, login)
            assert isinstance(outcome, Moved), (trigger, outcome)
        return self.case(student_no)

    def advance(self, student_no: str, upto: str) -> Case:
        """Walk the record up the usual way, from where it is, until it is in a state."""
        steps = STEPS_TO_REGISTERED[self.desk.profile_of(SITE_OF[student_no])]
        here, there = STATES_TO_REGISTERED.index(self.case(student_no).state), STATES_TO_REGISTERED.index(upto)
        case = self.go(student_no, steps[here:there])
        assert case.state == upto
        return case

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever happens inside has not happened afterwards: a fresh town without a fresh database."""
        with suppress(_Undone), self.connection.writing():
            yield
            raise _Undone

    def case(self, student_no: str) -> Case:
        return self.by_id(self.record(student_no))

    def by_id(self, case: int) -> Case:
        found = read_case(self.connection, case)
        assert found is not None
        return found.case

    def open(self, opening: tuple[str, str], student_no: str, login: str, **fields: Json) -> Moved | Refused | Repeated:
        """Open a case: (workflow, trigger), about whom, by whom."""
        workflow, trigger = opening
        return open_case(self.desk, workflow, student_no, self.request(trigger, login, **fields))

    def decided(self, case: int, trigger: str, login: str, to: str | None = None, **fields: Json) -> Moved | Refused:
        """Take a step of any case with a request that is not a repeated one."""
        outcome = move(self.desk, case, replace(self.request(trigger, login, **fields), to=to))
        assert isinstance(outcome, Moved | Refused)
        return outcome

    def know(self, student_no: str, **facts: Json) -> FactsWritten:
        return write_facts(self.desk, {student_no: facts}, self.request("facts", "import"))

    def facts(self, student_no: str) -> Mapping[str, Json]:
        return self.student(student_no).facts

    def student(self, student_no: str) -> students.StudentRow:
        row = students.student(self.connection, student_no)
        assert row is not None
        return row

    def events(self, chain: int) -> list[dict[str, Any]]:
        rows = self.connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (chain,)).fetchall()
        return [orjson.loads(bytes(row[0])) for row in rows]

    def edit(self, place: tuple[str, str], value: object, **key: object) -> None:
        """Change a column of a table (table, column) behind the engine's back, in the rows with this key."""
        table, column = place
        where = " AND ".join(f"{name} = ?" for name in key)
        sql = f"UPDATE {table} SET {column} = ? WHERE {where}"  # noqa: S608 a test's own words
        if table in GUARDED:
            tamper(self.connection, sql, (value, *key.values()))
        else:
            self.connection.execute(sql, (value, *key.values()))

    def kept(self, place: tuple[str, str], **key: object) -> Any:
        """The value of one column of one row."""
        table, column = place
        where = " AND ".join(f"{name} = ?" for name in key)
        sql = f"SELECT {column} FROM {table} WHERE {where}"  # noqa: S608 a test's own words
        [row] = self.connection.execute(sql, tuple(key.values())).fetchall()
        return row[0]

    def told(self) -> list[tuple[object, ...]]:
        return self.connection.execute("SELECT chain, seq, recipient, message FROM outbox ORDER BY id").fetchall()

    def counts(self) -> tuple[int, ...]:
        """How many rows each table of the hot path has: nothing was written if they are as before."""
        tables = ("event", "outbox", "personal", "cases", "student")
        rows = [self.connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables]  # noqa: S608 constant
        return tuple(int(str(row[0])) for row in rows if row)

    def replayed(self) -> Replayed:
        """The whole trail, replayed in two ranges."""
        parts = [replay_range(self.connection, LOG, KEY, span) for span in spans(self.connection, 2)]
        return sum(parts, Replayed(cases=0, events=0))


@contextmanager
def town_at(url: str, library: Library, *, rehearsal: bool = False) -> Iterator[Town]:
    """Sit down at a database with a connection of one's own; another one beside it is another clerk."""
    engine = open_engine(url)
    connection = Connection(engine)
    salts = count()
    try:
        desk = Desk(
            connection, Scribe(LOG, KEY), library, salt=lambda size: sha256(b"%d" % next(salts)).digest()[:size],
            rehearsal=rehearsal,
        )  # fmt: skip
        yield Town(desk=desk, url=url)
    finally:
        connection.close()
        engine.dispose()


def build(town: Town) -> None:
    """Everything a test finds: definitions, units, people, published batches, students who lack nothing."""
    desk = town.desk
    desk.publish(NOW, "setup")
    rows = [
        UnitRow(code=code, name=code, kind=kind, parent=parent, path="", profile=profile)
        for code, kind, parent, profile in UNITS
    ]
    add_units(desk, rows, at=NOW, actor="setup")
    for login, role, unit in ROLES:
        give_role(desk, login, role, unit, at=NOW, actor="setup")
    for batch, login in ((BATCH, "records.sx"), (OPEN_BATCH, "records.kf")):
        publish_batch(desk, batch, town.request("publish", login))
        dates = {"graduation_on": "2024-06-30", "school_name": "示范大学", "president": "校长甲"}
        change_batch(desk, batch, dates, town.request("set", login))
    [rounds] = town.connection.execute("SELECT id FROM cases WHERE workflow = 'graduation-audit-rounds'").fetchall()
    assert isinstance(town.decided(int(rounds[0]), "start_round_1", "province.kf"), Moved)
    roster = [Enrolment(student_no=no, unit=unit, facts=roster_facts(no)) for no, unit in SITE_OF.items()]
    enrol(desk, roster, town.request("open_record", "import"))
    facts = {no: {**READY, "certificate_no": f"5116152024{int(no) % 10**8:08d}"} for no in SITE_OF}
    write_facts(desk, facts, town.request("facts", "import"))
