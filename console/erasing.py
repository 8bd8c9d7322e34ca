"""Erasing a person's values: what would go and what stays, then the act itself."""

from __future__ import annotations

from dataclasses import dataclass

from console import documents as said
from console.calling import REFUSED, Caller
from console.printing import both, document, line, note, table, verdicts
from engine.desk import Desk
from engine.erasing import Erasure, Stay, erase
from engine.store.erasures import overwrite


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureAsked:
    """Whose values, in whose name, and why; a dry run only says what would go."""

    student_no: str
    login: str
    reason: str
    dry_run: bool = False


_TRACES = (
    "已抹除，但数据库文件中可能仍有旧页，请在无人使用时执行 VACUUM（PostgreSQL：VACUUM FULL）。"
    " Erased; the database's files may still hold old pages: run VACUUM (PostgreSQL: VACUUM FULL) when nobody is at it."
)


def erase_values(caller: Caller, asked: ErasureAsked, *, as_json: bool) -> int:
    """Erase a student's personal values, or print every reason why they are kept."""
    with caller.sitting(publishes_as=asked.login) as sitting:
        request = sitting.request("erase", sitting.desk.actor(asked.login), {"reason": asked.reason})
        erasure = erase(sitting.desk, asked.student_no, request, dry_run=asked.dry_run)
        if not (asked.dry_run or erasure.refused or erasure.is_empty) and not overwrite(sitting.desk.connection):
            note(_TRACES)
        if as_json:
            document(_document(erasure, dry_run=asked.dry_run))
        else:
            _tell(sitting.desk, erasure, dry_run=asked.dry_run)
    return REFUSED if erasure.refused else 0


def _document(one: Erasure, *, dry_run: bool) -> said.Document:
    return {
        "student_no": one.student_no,
        "outcome": "refused" if one.refused else "empty" if one.is_empty else "would_erase" if dry_run else "erased",
        "values": one.values,
        "facts": list(one.facts),
        "fields": {number: list(names) for number, names in one.fields.items()},
        "forms": one.forms,
        "files": one.files,
        "account": list(one.account),
        "stays": [
            {"what": said.words(stay.what), "why": said.words(stay.why), "names": list(stay.names)}
            for stay in one.stays
        ],
        "refused": [said.verdict(verdict) for verdict in one.refused],
    }


def _tell(desk: Desk, one: Erasure, *, dry_run: bool) -> None:
    head = f"学号 {one.student_no}"
    if one.refused:
        line(f"{head}：依法须保存，未抹除 the values are kept, nothing is erased", style="red")
        verdicts(one.refused, desk.library.rulebook.organisation.roles)
        return
    if one.is_empty:
        line(f"{head}：已没有可抹除的个人信息 nothing is left to erase", style="green")
    else:
        what = "将抹除 would be erased" if dry_run else "已抹除 erased"
        table((what, "数量 count", "名称 names"), _rows(desk, one), head)
    table(("保留 what stays", "原因 why", "名称 names"), map(_stay, one.stays))
    if not dry_run and not one.is_empty:
        note("备份与已发出的邮件不在此库中，请另行销毁。Backups and mails already sent are not here: destroy them too.")


def _rows(desk: Desk, one: Erasure) -> list[tuple[str | int, ...]]:
    vocabulary = desk.library.rulebook.vocabulary.student
    facts = "、".join(vocabulary[name].title.zh if name in vocabulary else name for name in one.facts)
    fields = "、".join(f"{number} {name}" for number, names in one.fields.items() for name in names)
    rows: list[tuple[str | int, ...]] = [
        ("封存的信息及其盐 sealed values with their salt", one.values, ""),
        ("学生信息 facts", len(one.facts), facts),
        ("办件字段 fields of cases", sum(map(len, one.fields.values())), fields),
        ("表单内容 contents of forms", one.forms, ""),
        ("上传文件 uploaded files", one.files, ""),
        ("账号 account", len(one.account), "、".join(one.account)),
    ]
    return [row for row in rows if row[1]]


def _stay(one: Stay) -> tuple[str, str, str]:
    return both(one.what), both(one.why), "、".join(one.names)
