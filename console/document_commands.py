"""The commands about the documents of a case: hand in, take off, list and save (`console.commands`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.people_commands import As, caller_for
from console.step_commands import AsJson, RequestId

StudentNo = Annotated[str, typer.Argument(metavar="STUDENT_NO", help="学号 The student number.")]
CaseNo = Annotated[str | None, typer.Option("--case", metavar="NO", help="办件号，默认为学籍 Default: the record.")]


def attach(
    ctx: typer.Context,
    student_no: StudentNo,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="材料种类 The document, such as E-IC-ID.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="文件 The file handed in.")],
    *,
    login: As,
    case: CaseNo = None,
    request: RequestId = None,
    as_json: AsJson = False,
) -> int:
    """上传材料。Hand in a file as a document of a case."""
    from console import attaching

    asked = attaching.HandedIn(
        student_no=student_no, kind=kind, path=file, login=login, case=case, request=request,
    )  # fmt: skip
    return attaching.attach_file(caller_for(ctx), asked, as_json=as_json)


def detach(
    ctx: typer.Context,
    student_no: StudentNo,
    number: Annotated[int, typer.Argument(metavar="NO", help="材料序号 Its number in 'xueji documents'.")],
    *,
    login: As,
    reason: Annotated[str, typer.Option(metavar="R", help="理由 The reason.")],
    case: CaseNo = None,
) -> int:
    """撤下材料。Take a document off a case; the trail keeps it."""
    from console import attaching

    return attaching.withdraw_file(caller_for(ctx), student_no, number, (login, reason, case))


def documents(
    ctx: typer.Context,
    student_no: StudentNo,
    *,
    number: CaseNo = None,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="存到目录，须 --as Write the files there; needs --as.")
    ] = None,
    login: Annotated[
        str | None, typer.Option("--as", metavar="USER", help="由谁查看，留痕 Who reads them, kept in the trail.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """办件的材料。The documents of a case."""
    from console import attaching

    save_as = attaching.saving(save, login)
    return attaching.show_documents(caller_for(ctx), student_no, number, save=save_as, as_json=as_json)
