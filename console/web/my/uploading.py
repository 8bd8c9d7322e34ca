"""Handing in papers of one's own cases: each is looked at at once, and it is said what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fastapi import Response

from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.my.acting import asked, own_form, refusals
from console.web.my.reading import Own, read_own
from console.web.my.todos import CHANGE, lacking_papers, takes_papers
from console.web.my.view import answered_in, contact
from console.web.visit import Visit
from engine.attaching import attach
from engine.documents import Upload
from engine.records import Case, Refused, Sentence, Verdict
from engine.steps import Machine
from exchange.by_phone import is_camera_picture
from exchange.evidence import FileRefused, inspect

doors = Doors()

_MOST_READ = 64 * 2**20
_KIND, _BYTES, _SIDE = "jpeg-or-png", "at-most-10-mb", "at-least-200-by-200"
_PICTURE_OF = "图片"
"""What the title of a document ends with that is called without it in the dictionary of names (S001-I-5.21)."""
_SCANNED = "choice capture_device"
"""The kind of a field that asks how papers were captured: a procedure with one wants a scanner or document camera."""
_ACCEPTS: Mapping[str, str] = {"jpeg": "image/jpeg", "png": "image/png", "pdf": "application/pdf"}
"""What browsers call the kinds of files; others go by their ending."""
_SHORT: Mapping[str, str] = {"jpeg": "JPG"}
"""How people call them where it is not the name in capitals."""
_PICTURES = frozenset({"jpeg", "png"})
_BY_PHONE = Sentence(
    zh="信息更正不收手机照片，请到教学点高拍",
    en="Photos by phone are not taken for a change of information: have it captured at the teaching point",
)


@doors.get("/my/upload/{what}", to=Audience.STUDENT)
def uploading(visit: Visit, what: str) -> Response:
    """What is there, what is missing, and where to choose a file."""
    own = read_own(visit)
    return _page(visit, own, case_of_papers(own, what))


@doors.post("/my/upload/{what}", to=Audience.STUDENT)
def upload(visit: Visit, what: str) -> Response:
    """Look at the file, and put it on the case if nothing is wrong with it."""
    own = read_own(visit)
    case = case_of_papers(own, what)
    try:
        refused = hand_in(visit, own, case)
    except FieldFaults as problem:
        return _page(visit, own, case, faults=problem.faults)
    return _page(visit, own, case, refused=refused) if refused else visit.go(f"/my/upload/{case.number}")


def hand_in(visit: Visit, own: Own, case: Case) -> tuple[Sentence, ...]:
    """Look at the file that was sent, and put it on the case; why not, or nothing where it is there.

    Raises:
        FieldFaults: If there is no file, or no such document is taken.
    """
    machine = own.desk.machine_for(case, {})
    kind = visit.form.get("kind", "")
    file = next(iter(visit.files("file")), None)
    if kind not in takes_papers(own, case) or file is None:
        field = "kind" if file is not None else "file"
        title = visit.say("哪一种材料") if file is not None else visit.say("要上传的文件")
        raise FieldFaults([FieldFault(field, title, visit.say("请选一项"))])
    with file.file as opened:
        body = opened.read(_MOST_READ)
    ending = (file.filename or "").rpartition(".")[2][:5] or "jpg"
    try:
        looked_at = inspect(f"{_name_of(machine, kind)}.{ending}", body)
    except FileRefused as problem:
        return (Sentence(zh=problem.reason.zh, en=problem.reason.en),)
    if is_scanned(machine) and looked_at.kind == "jpeg" and is_camera_picture(body):
        return (_BY_PHONE,)
    answer = attach(visit.desk, case.id, kind, looked_at, asked(visit, kind, part="-file"))
    if isinstance(answer, Refused):
        return tuple(_said(machine, looked_at, answer.verdicts))
    return refusals(answer)


def is_scanned(machine: Machine) -> bool:
    """Whether the papers of a procedure are scanned, and no photo by phone is taken for one (S001-I-5.14)."""
    return any(one.type == _SCANNED for one in machine.definition.fields.values())


def case_of_papers(own: Own, what: str) -> Case:
    """A case of the student's that takes papers.

    Raises:
        NotFound: If there is none of that number.
    """
    plain = what.replace("-", "").upper()
    case = next((one for one in own.cases if one.number == plain), None)
    if case is None or not takes_papers(own, case):
        raise NotFound
    return case


def _name_of(machine: Machine, kind: str) -> str:
    """How the file is to be called (S001-I-5.21): by what it shows, as the student has just said."""
    return machine.book.documents[kind].title.zh.removesuffix(_PICTURE_OF)


def _said(machine: Machine, file: Upload, verdicts: tuple[Verdict, ...]) -> Iterator[Sentence]:
    """What is wrong with a file, in the words of the page where it has some; the limits are those of the rules."""
    for one in verdicts:
        rule = machine.book.rules.get(one.rule)
        limits = {} if rule is None else {name: str(value) for name, value in rule.let.items()}
        if one.rule == _KIND:
            kind = file.kind.upper()
            yield Sentence(zh=f"要 JPG 或 PNG，这份是 {kind}", en=f"JPG or PNG wanted, this is {kind}")
        elif one.rule == _BYTES:
            size, most = file.size / 2**20, int(limits["limit"]) // 2**20
            yield Sentence(zh=f"{size:.1f} MB，最多 {most} MB", en=f"{size:.1f} MB, at most {most} MB")
        elif one.rule == _SIDE and file.width is not None:
            side = limits["side"]
            yield Sentence(
                zh=f"尺寸 {file.width}×{file.height}，至少 {side}×{side}",
                en=f"{file.width}×{file.height} pixels, at least {side}×{side}",
            )
        elif not (one.rule == _SIDE and file.width is None):  # of what is no picture, its kind has been said
            yield one.sentence


def _page(
    visit: Visit,
    own: Own,
    case: Case,
    *,
    faults: tuple[FieldFault, ...] = (),
    refused: tuple[Sentence, ...] = (),
) -> Response:
    machine = own.desk.machine_for(case, {})
    documents = own.glance.documents.get(case.id, ())
    taken = {kind: machine.book.documents[kind] for kind in takes_papers(own, case)}
    files = tuple(dict.fromkeys(kind for one in taken.values() for kind in one.file))
    titles = {kind: one.title for kind, one in taken.items()}
    item = machine.readers.choices.get("changed_item", {}).get(str(case.fields.get("item")))
    return visit.page(
        "my/upload.html",
        status=422 if faults or refused else 200,
        number=case.number,
        title_of=own.desk.definition(case.shape).title,
        state=own.desk.definition(case.shape).states[case.state].title,
        item=item,
        is_report=case.workflow == CHANGE,
        answered_in=answered_in(visit, own, case),
        is_scanned=is_scanned(machine),
        is_pictured=not is_scanned(machine) and bool(_PICTURES.intersection(files)),
        accepts=[_ACCEPTS.get(kind, f".{kind}") for kind in files],
        formats=[_SHORT.get(kind, kind.upper()) for kind in files],
        kinds=titles,
        chosen=visit.form.get("kind", ""),
        there=[titles[row.kind] for row in documents if row.kind in titles],
        lacking=lacking_papers(own, case),
        form=own_form(visit, None, refused),
        faults=faults,
        contact=contact(own),
    )
