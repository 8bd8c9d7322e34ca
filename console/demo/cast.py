"""The students of the demonstration: those invented in bulk, and four whose cases are told one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from console.demo.school import MAIL, REGISTERED_AT, SITES
from exchange.identity import make_check_digit
from exchange.invented import PAIRS_OF_BATCH, TROUBLES, Cells, InventedSite, InventedStudent, invent_students

FEWEST_STUDENTS = 36
"""Three at each of twelve teaching points: enough for the four stories."""

_DEBT: Cells = {"fee_owed": "1280.50"}
_SEVERAL: Cells = {**_DEBT, "terms_passed": "", "photo_collected": "否", "photo_review": "", "electronic_photo": "否"}

# What the second sheet of facts mends: the trouble it finds, the cells it says instead, and that every so-manieth
# student is left as he is (0: nobody).
_MENDING: tuple[tuple[Cells, Cells, int], ...] = (
    (_DEBT, {"fee_owed": "0.00"}, 4),
    ({"fee_owed": ""}, {"fee_owed": "0.00"}, 0),
    ({"photo_collected": "否"}, {"photo_collected": "是", "photo_review": "通过", "electronic_photo": "是"}, 3),
    ({"photo_review": "待审"}, {"photo_review": "通过"}, 0),
    ({"terms_passed": "", "terms_required": "5"}, {"terms_passed": "5"}, 0),
    ({"terms_passed": "", "terms_required": "10"}, {"terms_passed": "10"}, 0),
    ({"level_exam": "", "cohort": "2022", "level": "专科"}, {"level_exam": "合格"}, 0),
    ({"level_exam": "", "cohort": "2022", "level": "专升本"}, {"level_exam": "合格"}, 0),
    ({"key_info_confirmed": "否"}, {"key_info_confirmed": "是", "identity_check": "通过"}, 2),
    (
        {"form_filled": "否"},
        {"form_filled": "是", "form_signed": "是", "file_reviewed": "是", "site_opinion": "是"},
        0,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Everybody, and the student numbers of the four."""

    students: tuple[InventedStudent, ...]
    debtor: str
    """Owes fees in April, pays, is returned once by the teaching point, and graduates."""
    several: str
    """Lacks several things and mends none of them."""
    late: str
    """Applies a day late, through the person who holds both roles."""
    contested: str
    """Decided by two people at once; at the same teaching point as the late one."""

    @property
    def short_staffed(self) -> str:
        """The teaching point where one person holds both roles."""
        return self.site_of(self.late)

    def site_of(self, student_no: str) -> str:
        """The teaching point of a student."""
        return next(one.roster["site_code"] for one in self.students if one.student_no == student_no)


def gather(count: int, seed: int, sites: Sequence[InventedSite] = SITES) -> Cast:
    """Invent so many students, at least `FEWEST_STUDENTS`, at sites in turn, and give four of them their parts."""
    students = invent_students(count, seed, sites, graduated_on=REGISTERED_AT.date())
    sound = [one for one in students if _is_in_order(one)]
    late, contested = _two_of_one_site(sound)
    debtor, several = [one for one in sound if one not in (late, contested)][:2]
    parts = {debtor.student_no: _DEBT, several.student_no: _SEVERAL}
    return Cast(
        students=tuple(_with(one, parts.get(one.student_no, {})) for one in students),
        debtor=debtor.student_no,
        several=several.student_no,
        late=late.student_no,
        contested=contested.student_no,
    )


def mended(cast: Cast) -> list[Cells]:
    """The second sheet of facts: for each student with whom something has been put right, the cells that changed."""
    rows: list[Cells] = []
    for place, one in enumerate(cast.students):
        cells = {} if one.student_no == cast.several else _mended(one, place, spares=one.student_no != cast.debtor)
        if cells:
            rows.append({"student_no": one.student_no, **cells})
    return rows


def mended_by(cast: Cast, part: int) -> list[Cells]:
    """The same as it stands after that many reminders: half after the first, of the rest most after the second."""
    after = (1, 1, 2, 1, 3, 2, 1, 2)
    return [row for place, row in enumerate(mended(cast)) if after[place % len(after)] <= part]


def with_two_slips(cast: Cast) -> list[Cells]:
    """One teaching point's roster as first handed in: a digit of an ID number mistyped, a level nobody calls so."""
    rows = [one.roster for one in cast.students if one.roster["site_code"] == SITES[0].code]
    number = rows[1]["id_number"]
    wrong = next(digit for digit in "0123456789" if digit != make_check_digit(number[:17]))
    rows[1] = {**rows[1], "id_number": number[:17] + wrong}
    rows[2] = {**rows[2], "level": f"{rows[2]['level']}生"}
    return rows


def _is_in_order(one: InventedStudent) -> bool:
    pair = (int(one.roster["cohort"]), one.roster["level"])
    is_examined = one.facts["level_exam"] != "" or one.roster["cohort"] != "2022"
    troubled = any(cells.items() <= one.facts.items() for _, cells in TROUBLES if "level_exam" not in cells)
    return pair in PAIRS_OF_BATCH and is_examined and not troubled and one.facts["level_exam"] != "缺考"


def _two_of_one_site(students: Sequence[InventedStudent]) -> tuple[InventedStudent, InventedStudent]:
    first_of_site: dict[str, InventedStudent] = {}
    for one in students:
        other = first_of_site.setdefault(one.roster["site_code"], one)
        if other is not one:
            return other, one
    message = f"fewer than {FEWEST_STUDENTS} students were asked for"
    raise ValueError(message)


def _mended(one: InventedStudent, place: int, *, spares: bool) -> dict[str, str]:
    known = {**one.roster, **one.facts}
    cells: dict[str, str] = {}
    for trouble, instead, left in _MENDING:
        is_left = spares and left and place % left == 0
        if trouble.items() <= known.items() and not is_left:
            cells.update(instead)
    return cells


def _with(one: InventedStudent, cells: Cells) -> InventedStudent:
    return replace(one, roster={**one.roster, "email": _address(one)}, facts={**one.facts, **cells})


def _address(one: InventedStudent) -> str:
    """Every other student has left an address; the others see what they are told when they look."""
    return "" if int(one.student_no[-1]) % 2 else f"{one.student_no}@students.{MAIL}"
