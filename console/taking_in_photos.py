"""Taking in a package of photographs (照片包): each onto its student's case, all of them or none.

A picture is named by student number, candidate number or ID number. It is judged by the rules of the document it
becomes. A paper of a student's belongs to a procedure, which says who looks at it and for how long it is kept; so a
picture has its place on the open case of the photo collection (W-21), which can be opened for it by who may open one.
Where there is none, it is only noted that there is a picture (G-GR-12), and that is said before anybody says yes.

Source: requirements.md, S000-3.5c (F-08), S001-I-6.12 (G-PH-01), S001-I-6.8 (G-GR-12).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from console.taking_in import Effect, Judged, Told, freeing
from engine.desk import Desk
from engine.documents import Upload
from engine.facts import keep_refusals, write_facts
from engine.handing_in import Places, Rooms, hand_in_all
from engine.recording import WholeRefused
from engine.records import Case, Json, Request, Verdict
from engine.store import students
from engine.store.own import PHOTO
from engine.store.students import StudentRow
from engine.taking_in import not_theirs, reach_of, ready
from exchange.faults import Fault, Sentence
from exchange.identity import mask
from exchange.photo_packages import Picture, lists_in, pictures_in

PHOTOS = "photos"
PRESENT, REVIEW = "electronic_photo", "photo_review"
"""The facts that there is a picture at hand (G-GR-12), and what was said of it (G-GR-06)."""
_PASSED, _PENDING = "通过", "待审"
_PART = 200
_BY = ("exam_no", "id_number")
_NUMBER = re.compile(r"(?a:(?<!\d)\d{6,}[Xx]?)")
"""What may be a number of a student's in a name, as it is spelt in half width."""
_ID_NUMBER = re.compile(r"\d{17}[\dXxＸｘ]")  # noqa: RUF001 as a Chinese keyboard writes it


class _Named(NamedTuple):
    """A picture with the student it is of, and where it has its place."""

    picture: Picture
    student: StudentRow


def photos(desk: Desk, content: bytes, request: Request, told: Told, *, opens: bool = False) -> Judged:
    """A package that was admitted, as whoever sends it may take it in.

    Args:
        desk: Where it would be kept.
        content: The archive.
        request: By whom and when.
        told: Told of each picture that was looked at.
        opens: Whether a photo collection is opened for those who have none, as far as the sender may.
    """
    reading = _Reading(desk, request)
    rows = 0
    for one in pictures_in(content):
        rows = one.place
        reading.look(one)
        told(one.place)
    reading.compare(lists_in(content))
    files = {one.student.student_no: one.picture.upload for one in reading.named if one.picture.upload is not None}
    numbers = list(files)
    parts = [{one: files[one] for one in numbers[at : at + _PART]} for at in range(0, len(numbers), _PART)]
    return Judged(
        rows=rows,
        faults=tuple(reading.faults),
        warnings=tuple(reading.doubts),
        keep=partial(_keep, files, opens),
        parts=tuple(partial(_keep, one, opens) for one in parts),
        first=1,
    )


class _Reading:
    """A package while it is read: whose each picture is, and what is wrong with it."""

    def __init__(self, desk: Desk, request: Request) -> None:
        self._desk = desk
        self._request = request
        self._paths = reach_of(desk.library.rulebook, request.actor, request.at).paths.get(PRESENT, ())
        self._owners = {name: students.owners(desk.connection, name) for name in _BY}
        self._places = Places(desk, PHOTO)
        self._seen: dict[str, int] = {}
        self._bytes: dict[str, int] = {}
        self.named: list[_Named] = []
        self.faults: list[Fault] = []
        self.doubts: list[Fault] = []

    def look(self, one: Picture) -> None:
        """Judge one picture; what is right about it is kept for later."""
        student = self._student(one)
        self.faults += [_fault(one, header, reason) for header, reason in one.against]
        self.doubts += [_fault(one, header, reason) for header, reason in one.doubts]
        if student is None:
            return
        first = self._seen.setdefault(student.student_no, one.place)
        if first != one.place:
            self.faults.append(_fault(one, _NAME, _twice(first), _TWICE))
        if one.upload is not None:
            other = self._bytes.setdefault(one.upload.sha256, one.place)
            if other != one.place and first == one.place:
                self.faults.append(_fault(one, _NAME, _same(other), _SAME))
            self.faults += [_by_rule(one, said) for said in self._places.against(student, one.upload, self._request)]
            self.named.append(_Named(one, student))

    def compare(self, lists: Sequence[Sequence[Sequence[str]]]) -> None:
        """Hold the pictures against the lists that lie beside them: nobody without a picture (G-PH-03)."""
        for columns in lists:
            for code in columns[0] if columns else ():
                if not self._seen.keys() & self._numbers(code):
                    self.faults.append(
                        Fault(
                            row=0,
                            column=_both(_LIST),
                            cell="",
                            value=_masked(code),
                            reason=_NO_PICTURE,
                            sort=_LIST_AGREES,
                        )
                    )

    def _student(self, one: Picture) -> StudentRow | None:
        found = self._called(one.code)
        if len(found) == 1:
            return found[0]
        self.faults.append(_fault(one, _NAME, _SEVERAL if found else self._unknown(one.code)))
        return None

    def _called(self, code: str) -> Sequence[StudentRow]:
        """The students whom a code may mean, of those the sender may know of."""
        rows = students.by_numbers(self._desk.connection, sorted(self._numbers(code))).values()
        return [row for row in rows if self._desk.units()[row.unit].path.startswith(self._paths)]

    def _unknown(self, code: str) -> Sentence:
        """Why a code names nobody: there is a known number in it, and something else beside."""
        parts = [one for one in _NUMBER.findall(code) if one != code]
        known = [one for one in parts if len(self._called(one)) == 1]
        return _more_than(known[0]) if len(known) == 1 else _UNKNOWN

    def _numbers(self, code: str) -> set[str]:
        """The student numbers that a code may mean; an ID number may end in a small x."""
        return {code, *(self._owners[name].get(spelt, code) for name in _BY for spelt in (code, code.upper()))}


def _keep(files: Mapping[str, Upload], opens: bool, desk: Desk, request: Request) -> Effect:  # noqa: FBT001 bound before
    numbers = list(files)
    with desk.connection.writing():
        rows = students.by_numbers(desk.connection, numbers)
        facts: dict[str, dict[str, Json]] = {number: {PRESENT: True} for number in numbers}
        if refused := not_theirs(desk, facts, request):
            keep_refusals(desk, refused, request)
            return Effect(refused=refused)
        before = ready(desk, numbers, request)
        places = _placed(desk, rows.values(), request, opens=opens)
        placed = [(row, case, files[row.student_no]) for row, case in places.found]
        done = hand_in_all(desk, PHOTO, placed, replace(request, fields={"reason": _IN_PLACE}))
        of_case = {case.id: row for row, case, _ in placed}
        again = {one for one in done.replaced if of_case[one].facts.get(REVIEW) == _PASSED}
        facts |= {of_case[one].student_no: {PRESENT: True, REVIEW: _PENDING} for one in again}
        written = write_facts(desk, facts, request)
        if written.refused:  # the pictures are on their cases by now: everything is taken back
            raise WholeRefused(written.refused)
        after = ready(desk, numbers, request)
        after = after._replace(waiting=after.waiting - places.new)  # they were opened, and not freed of anything
    pictures = len(done.added) + len(done.replaced)
    touched = {of_case[one].student_no for one in (*done.added, *done.replaced)}
    touched |= {number for number, row in rows.items() if row.facts.get(PRESENT) is not True}
    effect = Effect(
        opened=len(places.new), changed=len(touched), unchanged=len(numbers) - len(touched), pictures=pictures,
        loose=len(numbers) - len(placed), openable=places.openable, reviews=frozenset(again),
    )  # fmt: skip
    return freeing(effect, before, after)


class _Placed(NamedTuple):
    """The students whose pictures have a place, each with the case; which were opened for it, and how many could be."""

    found: Sequence[tuple[StudentRow, Case]]
    new: frozenset[int] = frozenset()
    openable: int = 0


def _placed(desk: Desk, rows: Collection[StudentRow], request: Request, *, opens: bool) -> _Placed:
    places, rooms = Places(desk, PHOTO), Rooms(desk, PHOTO, request)
    there = {row.student_no: case for row in rows if (case := places.case_of(row))}
    without = [row for row in rows if row.student_no not in there]
    new: dict[str, Case] = {}
    if opens and rooms.open(without):
        new = {row.student_no: case for row in without if (case := places.case_of(row))}
    there |= new
    openable = 0 if opens else sum(map(len, rooms.for_some(without).values()))
    found = [(row, there[row.student_no]) for row in rows if row.student_no in there]
    return _Placed(found, frozenset(case.id for case in new.values()), openable)


# --- sentences ----------------------------------------------------------------------------------


def _fault(one: Picture, header: Sentence, reason: Sentence, sort: Sentence | None = None) -> Fault:
    return Fault(
        row=one.place, column=_both(header), cell=_SHOWN if one.is_shown else "", value=_masked(one.name),
        reason=reason, sort=sort,
    )  # fmt: skip


def _by_rule(one: Picture, said: Verdict) -> Fault:
    """A fault as the rule says it, with its number, clause and remedy."""
    remedy = Sentence("", "") if said.remedy is None else Sentence(said.remedy.zh, said.remedy.en)
    reason = Sentence(
        f"{said.sentence.zh}；{remedy.zh}（{said.id}，{'、'.join(said.source)}）",
        f"{said.sentence.en}; {remedy.en} ({', '.join((said.id, *said.source))})",
    )
    sort = Sentence(f"{said.id} {said.title.zh}", f"{said.id} {said.title.en}")
    cell = _SHOWN if one.is_shown else ""
    return Fault(row=one.place, column=_both(_RULE), cell=cell, value=_masked(one.name), reason=reason, sort=sort)


def _both(words: Sentence) -> str:
    return f"{words.zh} / {words.en}"


def _masked(name: str) -> str:
    return _ID_NUMBER.sub(lambda found: mask(found[0]), name)


def _more_than(number: str) -> Sentence:
    shown = _masked(number)
    return Sentence(
        f"文件名里除了号码 {shown} 还有别的字；请改成只有号码",
        f"the name says more than the number {shown}; leave the number alone in it",
    )


def _twice(first: int) -> Sentence:
    return Sentence(f"与第 {first} 张是同一名学生；只留一张", f"the same student as picture {first}; leave one of them")


def _same(first: int) -> Sentence:
    return Sentence(
        f"和第 {first} 张是同一张照片，却是两名学生；请换成本人的",
        f"the very same picture as number {first}, which is of another student; put the student's own",
    )


_SHOWN = "shown"
_SAME = Sentence("两人同一张", "One picture for two")
_TWICE = Sentence("一人两张", "Two of one student")
_NAME, _RULE, _LIST = Sentence("文件名", "Name"), Sentence("照片标准", "Standard"), Sentence("名单", "List")
_LIST_AGREES = Sentence("G-PH-03 照片与名单一一对应", "G-PH-03 Pictures and list agree")
_NO_PICTURE = Sentence(
    "名单上有，包里没有照片；补上照片，或从名单去掉", "on the list without a picture; add it, or strike it off"
)
_UNKNOWN = Sentence(
    "库中没有这个号码；文件名应为学号、考生号或身份证号",
    "nobody has this number; name it by student, candidate or ID number",
)
_SEVERAL = Sentence(
    "这个号码对应不止一名学生；请用学号命名", "more than one student has this number; name it by student number"
)
_IN_PLACE = "导入的照片包中有新照片"
