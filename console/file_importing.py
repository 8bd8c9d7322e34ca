"""Taking in the files somebody answers for by name: packages of photographs, results of audits.

By the functions of the page (`console.taking_in_kinds`), with its checks: read whole, judged whole, and kept whole
under a number (批号), which the page of files finds, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from console.calling import Caller, Misuse, Sitting
from console.documents import Document, fact_refusal
from console.importing import explain, show_cells
from console.printing import document, line, long_moment, note, progress, role_title, table
from console.taking_in import REFUSED, Effect, Judged, Told, rehearsed
from console.taking_in_kinds import Kind, admit, judge, kinds_of
from console.taking_in_photos import PHOTOS, PRESENT
from console.taking_in_results import AUDITS, recorders
from console.taking_in_whole import keep_refused, run_at_keyboard, settle_done
from engine.actors import Actor
from engine.desk import Desk
from engine.records import Request
from engine.store import import_runs
from engine.store.import_runs import Before, Run
from engine.writers import taken_in_by
from exchange.faults import Fault, Sentence
from exchange.photo_packages import names_in
from exchange.refusals import SheetRefused

_MEGA = 2**20
_MOST_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FileImport:
    """What was asked for: the kind of file, the file, in whose name, and how."""

    kind: str
    path: Path
    login: str
    dry_run: bool
    as_json: bool
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What taking a file in did, or would do; `before` is who has taken the same file in."""

    judged: Judged
    effect: Effect = field(default_factory=Effect)
    number: str | None = None
    before: Before | None = None

    @property
    def is_refused(self) -> bool:
        return bool(self.judged.faults or self.effect.refused)


def import_file(caller: Caller, asked: FileImport) -> int:
    """Take in a file; every fault is named, and then nothing is written.

    Raises:
        Misuse: If the person may not take such files in, or it cannot be read.
        StaleCase: If somebody else wrote to the same students meanwhile; nothing was written.
    """
    with caller.sitting() as sitting:
        desk, actor = sitting.desk, sitting.desk.actor(asked.login)
        kind = _kind(sitting, asked, actor)
        body = _body(asked.path, kind)
        if not asked.dry_run:
            desk.publish(sitting.at, actor.login)
        run = _run(sitting, asked, kind, body)
        request = sitting.request(kind.trigger, actor)
        total = len(names_in(body)) if kind.is_package else None
        with _readable(asked.path), _told(total, "检查 checking") as told:
            judged = judge(desk, kind, run, (body, request, told))
        done = _Done(judged=judged)
        if not judged.faults:
            done = _rehearsed(desk, judged, request) if asked.dry_run else _kept(desk, kind, run, judged, request)
            before = import_runs.taken_in_before(desk.connection, kind.name, run.sha256)
            done = replace(done, before=before if done.number is None else None)
        _answer(desk, asked, done)
        return 1 if done.is_refused else 0


def _kind(sitting: Sitting, asked: FileImport, actor: Actor) -> Kind:
    desk = sitting.desk
    found = next((one for one in kinds_of(desk, actor, sitting.at) if one.name == asked.kind), None)
    if found is None:
        book = desk.library.rulebook
        facts = book.vocabulary.student
        roles = taken_in_by(facts[PRESENT]) if asked.kind == PHOTOS else sorted(recorders(desk, AUDITS[asked.kind]))
        wanted = "、".join(role_title(book.organisation.roles, one) for one in roles)
        message = f"{actor.login} 无权导入：需要担任 {wanted}。{actor.login} may not import this: it needs that role."
        raise Misuse(message)
    return found


def _body(path: Path, kind: Kind) -> bytes:
    """The bytes of a file that may be read without harm."""
    with _readable(path):
        try:
            with path.open("rb") as file:
                body = file.read(kind.most_bytes + 1)
        except OSError as problem:
            raise SheetRefused(
                Sentence(f"打不开（{problem.strerror}）", f"cannot be opened ({problem.strerror})")
            ) from None
        if len(body) > kind.most_bytes:
            most = kind.most_bytes // _MEGA
            raise SheetRefused(Sentence(f"文件最多 {most} MB", f"at most {most} MB"))
        admit(kind, path.name, body)
        return body


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """A file that cannot be read is the caller's mistake, told by its name."""
    try:
        yield
    except SheetRefused as refused:
        message = f"{path.name}：{refused.reason.zh}。{refused.reason.en}."
        raise Misuse(message) from refused


def _run(sitting: Sitting, asked: FileImport, kind: Kind, body: bytes) -> Run:
    options = " ".join(one for one in asked.options if one in kind.options)
    return run_at_keyboard(kind.name, options, asked.login, (asked.path.name, body), sitting.at)


@contextmanager
def _told(total: int | None, label: str) -> Iterator[Told]:
    """Progress, told of the row that was looked at last."""
    with progress(total, label) as advance:
        last = 0

        def told(row: int) -> None:
            nonlocal last
            advance(row - last)
            last = row

        yield told


def _rehearsed(desk: Desk, judged: Judged, request: Request) -> _Done:
    with _told(judged.rows, "试算 rehearsing") as told:
        return _Done(judged=judged, effect=rehearsed(desk, judged, request, told))


def _kept(desk: Desk, kind: Kind, run: Run, judged: Judged, request: Request) -> _Done:
    """Keep the whole file in one transaction with its run, or nothing of it but who was refused."""
    try:
        with desk.connection.writing(), progress(None, "写入 keeping"):
            effect = judged.keep(desk, request)
            if effect.refused or effect.does_nothing:
                return _Done(judged=judged, effect=effect)
            import_runs.add_run(desk.connection, run, b"")
            found = settle_done(desk, run, judged, effect, request.at)
        return _Done(judged=judged, effect=effect, number=found.number)
    except REFUSED as problem:
        with desk.connection.writing():
            keep_refused(desk, kind, problem.refused, request)
        return _Done(judged=judged, effect=Effect(refused=problem.refused))
    finally:
        desk.refresh()


# --- the answer -----------------------------------------------------------------------------------


def _answer(desk: Desk, asked: FileImport, done: _Done) -> None:
    if asked.as_json:
        document(_document(asked, done))
    else:
        _tell(desk, asked, done)


def _document(asked: FileImport, done: _Done) -> Document:
    effect = done.effect
    return {
        "kind": asked.kind,
        "rows": done.judged.rows,
        "number": done.number,
        "opened": effect.opened,
        "changed": effect.changed,
        "unchanged": effect.unchanged,
        "passed": effect.passed,
        "failed": effect.failed,
        "pictures": effect.pictures,
        "loose": effect.loose,
        "openable": effect.openable,
        "ready": len(effect.ready),
        "reviews": len(effect.reviews),
        "faults": [_plain(one).as_document() for one in done.judged.faults],
        "warnings": [_plain(one).as_document() for one in done.judged.warnings],
        "refused": [fact_refusal(one) for one in effect.refused],
        "dry_run": asked.dry_run,
    }


def _plain(one: Fault) -> Fault:
    """A fault as it is told without a page: of a picture there is no cell, only its place."""
    return replace(one, cell="") if one.cell and not one.cell[-1:].isdecimal() else one


def _tell(desk: Desk, asked: FileImport, done: _Done) -> None:
    judged, effect = done.judged, done.effect
    if judged.warnings:
        show_cells([_plain(one) for one in judged.warnings], f"请核对 {len(judged.warnings)} 处 to check")
    if judged.faults:
        faults = [_plain(one) for one in judged.faults]
        show_cells(faults, f"{asked.path.name}：{len(faults)} 处错误 faults")
        line("什么都没有写入；改正后请重新导入。Nothing was written; mend the file and import it again.", style="red")
    elif effect.refused:
        explain(desk, effect.refused)
        line(f"{len(effect.refused)} 名学生不符合条件，什么都没有写入。Refused; nothing was written.", style="red")
    else:
        _sum_up(asked, done)


def _sum_up(asked: FileImport, done: _Done) -> None:
    judged, effect = done.judged, done.effect
    if effect.does_nothing:
        line(f"{judged.rows} 项均与库中一致，没有任何变动。All {judged.rows} are on file already: nothing changed.")
    else:
        verb = "预览，未写入 preview, nothing written" if asked.dry_run else "完成 done"
        line(f"{judged.rows} 项（{verb}）：{_photos(effect) if asked.kind == PHOTOS else _results(effect)}")
    if judged.listed:
        table(("学号 student", "未通过原因 reason"), judged.listed[:_MOST_LISTED], "未通过 Failed")
    if effect.loose:
        how = f"；--open-collections 可为其中 {effect.openable} 人建立" if effect.openable else ""
        line(
            f"{effect.loose} 人没有进行中的照片采集，图片不保存，只记“有电子照片”{how}。"
            f" {effect.loose} have no photo collection under way: pictures are not kept."
        )
    if done.before is not None:
        note(
            f"这份文件 {long_moment(done.before.at)} 已由 {done.before.who} 导入过。"
            f" The same file was imported before, by {done.before.who}."
        )
    if effect.ready:
        line(
            f"其中 {len(effect.ready)} 件因此条件已齐。Nothing stands in the way of {len(effect.ready)} cases any more."
        )
    if effect.reviews:
        line(f"{len(effect.reviews)} 人的照片需重审。{len(effect.reviews)} pictures are to be reviewed again.")
    if done.number is not None:
        line(f"批号 number {done.number}")


def _photos(effect: Effect) -> str:
    opened = f"建立照片采集 {effect.opened} collections opened，" if effect.opened else ""
    return (
        f"{opened}存入 {effect.pictures} pictures kept，变更 {effect.changed} changed，"
        f"不变 {effect.unchanged} unchanged"
    )


def _results(effect: Effect) -> str:
    return f"通过 {effect.passed} passed，未通过 {effect.failed} failed，已记录过 {effect.unchanged} recorded before"
