"""The scene of the races: a school, its people, one batch, and students whose records may all go round.

The cycle leads a record from enrolled to enrolled: apply, two approvals, the audit, and the final audit failed.
Everybody who races takes the same steps on the same cases, so the rows one leaves are the rows the next one finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from console.bench.scratch import PROFILE, scratch_office
from console.settings import Settings
from console.wiring import Office
from engine.actors import IMPORT, Actor
from engine.desk import Desk
from engine.enrolling import Enrolment, enrol
from engine.library import Library
from engine.organisation import add_units, give_role
from engine.publishing import publish_batch
from engine.records import Json, Request
from engine.store.registry import UnitRow
from exchange.invented import InventedStudent, invent_sites, invent_students

AT = datetime(2024, 4, 20, 2, tzinfo=UTC)
BATCH = "2024-06"
SETUP = "setup"
PROVINCE = "SX"
SITES = invent_sites(1, 1)
SITE = SITES[0].code

IN_ORDER: Mapping[str, Json] = {
    "level": "专科", "cohort": 2022, "study_mode": "开放教育", "enrolled_on": "2022-03-01",
    "prior_qualification": "符合", "key_info_confirmed": True, "terms_required": 5, "terms_passed": 5,
    "level_exam": "合格", "photo_collected": True, "photo_review": "通过", "photo_vendor": "新华社",
    "identity_check": "通过", "fee_owed": "0.00", "card_filled": True, "form_filled": True, "form_signed": True,
    "file_reviewed": True, "site_opinion": True, "electronic_photo": True, "preliminary_passed": True,
    "unified_exam_passed": True, "unified_exam_synced": True,
}  # fmt: skip
"""What is known of a student with whom everything is in order, apart from who it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One step of the cycle: who takes it, and what it is given."""

    trigger: str
    login: str
    fields: Mapping[str, Json] = field(default_factory=dict)


CYCLE = (
    Act(trigger="apply", login="operator", fields={"batch": BATCH}),
    Act(trigger="site_approve", login="approver"),
    Act(trigger="branch_approve", login="reviewer"),
    Act(trigger="provincial_audit", login="recorder"),
    Act(trigger="national_reject", login="recorder", fields={"reason": "材料不全"}),
)

_ROLES = (
    ("operator", "site_operator", SITE),
    ("approver", "site_approver", SITE),
    ("reviewer", "records_section", PROVINCE),
    ("recorder", "records_section", PROVINCE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An office with records in it, and the people who take the steps."""

    office: Office
    cases: tuple[int, ...]
    actors: Mapping[str, Actor]

    @property
    def desk(self) -> Desk:
        """Where the cases are worked."""
        return self.office.desk


@contextmanager
def scene(settings: Settings, library: Library, students: int) -> Iterator[Scene]:
    """A scene in a database of its own, with that many records."""
    with scratch_office(settings, library) as office:
        found_school(office.desk)
        open_records(office.desk, students)
        actors = {login: office.desk.actor(login) for login, _, _ in _ROLES}
        yield Scene(office=office, cases=tuple(range(1, students + 1)), actors=actors)


def found_school(desk: Desk) -> None:
    """Add the branch, the teaching point and the people to the province, and publish the batch."""
    found_province(desk)
    add_units(desk, list(_below_the_province()), at=AT, actor=SETUP)
    for login, role, unit in _ROLES:
        give_role(desk, login, role, unit, at=AT, actor=SETUP)
    publish_batch(desk, BATCH, Request(trigger="publish", actor=desk.actor("recorder"), at=AT))


def found_province(desk: Desk) -> None:
    """Publish the definitions and add the province, below which everything stands."""
    desk.publish(AT, SETUP)
    top = UnitRow(code=PROVINCE, name="省校", kind="province", parent=None, path="", profile=PROFILE)
    add_units(desk, [top], at=AT, actor=SETUP)


def _below_the_province() -> Iterator[UnitRow]:
    for code, name in {site.branch_code: site.branch for site in SITES}.items():
        yield UnitRow(code=code, name=name, kind="branch", parent=PROVINCE, path="", profile=None)
    for site in SITES:
        yield UnitRow(code=site.code, name=site.name, kind="site", parent=site.branch_code, path="", profile=None)


def open_records(desk: Desk, students: int) -> None:
    """Open the record of that many invented students, everything in order with all of them."""
    rows = [_enrolment(one) for one in invent_students(students, seed=1, sites=SITES)]
    enrol(desk, rows, Request(trigger="open_record", actor=IMPORT, at=AT))


def requests(acts: Sequence[Act], cases: Sequence[int]) -> Iterator[tuple[int, Act, str]]:
    """Every step on every case, act by act, each with a request id of its own as the console gives one."""
    for act in acts:
        for case in cases:
            yield case, act, uuid4().hex


def _enrolment(student: InventedStudent) -> Enrolment:
    cells = student.roster
    who = {
        name: cells[name] for name in ("student_no", "exam_no", "name", "gender", "id_number", "major_code", "major")
    }
    day = cells["born_on"]
    born_on = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    return Enrolment(
        student_no=student.student_no, unit=cells["site_code"], facts={**IN_ORDER, **who, "born_on": born_on}
    )
