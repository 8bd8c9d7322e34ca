"""A few students on days of May, each in one of the places a student can be: staged once, copied for each test."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from console import wiring
from console.access.rehearsal import furnish
from console.calling import Sitting
from console.demo import evening, school
from console.demo.acts import take_step
from console.demo.cast import Cast, gather
from console.demo.sheets import take_in_facts, take_in_roster, write_fact_sheet, write_roster
from console.settings import Settings
from console.wiring import Office
from engine.expressions.kinds import SHANGHAI
from engine.facts import write_facts
from engine.organisation import add_student_account
from engine.publishing import publish_batch
from engine.store.people import set_name

FILE = "evening.db"
"""As the houses of `conftest.py` expect it."""
MORNING = datetime(2024, 5, 10, 9, 0, tzinfo=SHANGHAI)
"""A Friday, with a Saturday that is worked before the deadline of Monday."""
REASON = "登记表上的主要学习经历没有从高中填起，请改好再交"
SOUND: Mapping[str, str] = {
    "prior_qualification": "审核通过", "key_info_confirmed": "是", "level_exam": "合格", "photo_collected": "是",
    "photo_review": "通过", "identity_check": "通过", "fee_owed": "0.00", "card_filled": "是", "form_filled": "是",
    "form_signed": "是", "file_reviewed": "是", "site_opinion": "是", "electronic_photo": "是",
}  # fmt: skip
_STUDENTS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Where the database lies, and who is where: student numbers, which are also the logins."""

    folder: Path
    busy: str
    ready: str
    waiting: str
    returned: str
    outside: str
    debtor: str

    @property
    def everybody(self) -> tuple[str, ...]:
        """All of them."""
        return self.busy, self.ready, self.waiting, self.returned, self.outside, self.debtor


@cache
def staged_in(folder: Path) -> Days:
    """The days, staged when somebody first asks for them in this folder."""
    folder.mkdir()
    return stage_days(folder)


def stage_days(folder: Path) -> Days:
    """Stage a few students of one batch, each at a teaching point."""
    cast = gather(_STUDENTS, 1)
    settings = Settings(database=f"sqlite:///{folder / FILE}", channels=None)
    wiring.create(settings, rehearsal=True, profile=school.PROFILE)
    with wiring.office(settings) as office:
        office.desk.connection.execute("PRAGMA synchronous = OFF")
        days = _play(office, cast, folder)
        office.desk.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return days


def _play(office: Office, cast: Cast, folder: Path) -> Days:
    sitting = Sitting(office=office, at=school.PUBLISHED_AT)
    desk = sitting.desk
    desk.publish(sitting.at, school.HEAD)
    school.add_school(desk)
    write_roster(folder / "roster.xlsx", [one.roster for one in cast.students])
    take_in_roster(sitting, folder / "roster.xlsx", desk.actor(school.HEAD))
    school.add_people(desk, cast.short_staffed)
    publish_batch(desk, school.BATCH, sitting.request("batch_publish", desk.actor(school.HEAD)))
    days = _cast(cast, folder)
    _facts(office, cast, days)
    _names(office, days)
    _apply(office, days)
    return days


def _cast(cast: Cast, folder: Path) -> Days:
    """Some within the batch, and one of a cohort that is not."""
    inside = [one for one in cast.students if one.roster["cohort"] == "2022" and one.roster["level"] == "专科"]
    outside = next(one for one in cast.students if int(one.roster["cohort"]) < 2018)
    busy, ready, waiting, returned, debtor, *_ = (one.student_no for one in inside)
    return Days(folder=folder, busy=busy, ready=ready, waiting=waiting, returned=returned, debtor=debtor,
                outside=outside.student_no)  # fmt: skip


def _facts(office: Office, cast: Cast, days: Days) -> None:
    terms = {one.student_no: one.facts["terms_required"] for one in cast.students}
    rows = {
        number: {"student_no": number, **SOUND, "terms_required": terms[number], "terms_passed": terms[number]}
        for number in days.everybody
    }
    rows[days.busy] |= {"key_info_confirmed": "否", "form_filled": "否", "form_signed": "否"}
    rows[days.debtor] |= {"fee_owed": "1280.50", "terms_passed": "1"}
    sitting = Sitting(office=office, at=school.FACTS_AT)
    sheet = days.folder / "facts.xlsx"
    write_fact_sheet(sheet, list(rows.values()))
    take_in_facts(sitting, sheet, sitting.desk.actor(school.HEAD))
    kind = {"student_type": "开放教育"}  # no column of a sheet, and asked for by the registration form (G-FM-03)
    write_facts(sitting.desk, {days.busy: kind}, sitting.request("facts", sitting.desk.actor(school.HEAD)))


def _names(office: Office, days: Days) -> None:
    desk = office.desk
    for number in days.everybody:
        add_student_account(desk, number, number, at=school.FACTS_AT, actor=school.HEAD)
    with desk.connection.writing():
        for site in school.SITES:
            set_name(desk.connection, school.operator(site.code), "林芳")
            set_name(desk.connection, school.approver(site.code), "周敏")
    furnish(desk.connection, days.everybody, evening.PASSWORD, MORNING)


def _apply(office: Office, days: Days) -> None:
    """Two have been filed for; one of the applications came back."""
    for number, at in ((days.waiting, MORNING.replace(hour=8)), (days.returned, MORNING.replace(hour=8, minute=5))):
        sitting = Sitting(office=office, at=at)
        take_step(sitting, _at_site_of(office, number, "operator"), number, "apply", {"batch": school.BATCH})
    sitting = Sitting(office=office, at=MORNING.replace(hour=8, minute=30))
    approver = _at_site_of(office, days.returned, "approver")
    take_step(sitting, approver, days.returned, "site_return", {"reason": REASON})


def _at_site_of(office: Office, student_no: str, what: str) -> str:
    row = office.desk.connection.execute(
        "SELECT c.unit FROM cases c JOIN student s ON s.record = c.id WHERE s.student_no = ?", (student_no,)
    ).fetchone()
    assert row is not None
    return school.operator(row[0]) if what == "operator" else school.approver(row[0])


def signature(strokes: Sequence[tuple[int, int]] = ((60, 200), (200, 80), (300, 240), (500, 90))) -> str:
    """A name written by finger, as the page sends it."""
    picture = Image.new("RGB", (640, 320), "white")
    ImageDraw.Draw(picture).line(list(strokes) or [(0, 0)], fill="black", width=5)
    out = BytesIO()
    picture.save(out, "PNG")
    return "data:image/png;base64," + b64encode(out.getvalue()).decode()
