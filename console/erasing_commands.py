"""The command that erases a person's values (`console.commands`)."""

from __future__ import annotations

from typing import Annotated

import typer

from console.people_commands import As, caller_for

Whose = Annotated[str, typer.Argument(metavar="STUDENT_NO", help="学号 The student number.")]
Why = Annotated[str, typer.Option("--reason", metavar="R", help="事由，明文留痕 Why; kept in clear, so no names.")]
Preview = Annotated[bool, typer.Option("--dry-run", help="只列出，不抹除 Say what would go and stay; erase nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document on standard output.")]


def erase(
    ctx: typer.Context,
    student_no: Whose,
    *,
    login: As,
    reason: Why,
    dry_run: Preview = False,
    as_json: AsJson = False,
) -> int:
    """抹除一名学生的个人信息，证据不变；依法须保存的不予抹除。Erase a person's values; every proof still verifies."""
    from console import erasing

    asked = erasing.ErasureAsked(student_no=student_no, login=login, reason=reason, dry_run=dry_run)
    return erasing.erase_values(caller_for(ctx), asked, as_json=as_json)
