"""The commands that work cases: open one, take a step, sign, take a step back (`console.commands`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from console.calling import Caller

As = Annotated[str, typer.Option("--as", metavar="USER", help="以谁的身份办理 In whose name.")]
About = Annotated[
    str, typer.Argument(metavar="STUDENT_NO_OR_UNIT", help="学号或单位代码 The student number, or the unit's code.")
]
CaseNo = Annotated[
    str | None,
    typer.Option("--case", metavar="NO", help="办件号，默认学籍或唯一未办结的 Default: the record, or the one open."),
]
Fields = Annotated[list[str] | None, typer.Argument(metavar="[FIELD=VALUE]...", help="字段=值 Fields.")]
Reason = Annotated[str | None, typer.Option(metavar="R", help="理由 The reason.")]
RequestId = Annotated[str | None, typer.Option(metavar="ID", help="请求号，重复无害 Makes repeating safe.")]
Ticks = Annotated[
    list[str] | None,
    typer.Option("--tick", metavar="DOC.TICK", help="勾选，=no 为否 What the reviewer found; may be repeated."),
]
SignedStep = Annotated[str, typer.Argument(metavar="TRIGGER", help="正在签字的步骤 The step being signed.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只判断，不写入 Judge, and write nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document on standard output.")]


def _caller(ctx: typer.Context) -> Caller:
    from console.calling import caller_of

    return caller_of(*ctx.obj)


def open_(
    ctx: typer.Context,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="业务或名单 The workflow, or WORKFLOW.LIST.")],
    about: About,
    fields: Fields = None,
    *,
    login: As,
) -> int:
    """为学生或单位发起业务。Open a case about a student or a unit."""
    from console import working
    from console.calling import read_pairs

    return working.open_one(_caller(ctx), workflow, about, login, read_pairs(fields or ()))


def move(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDENT_NO_OR_UNIT TRIGGER [FIELD=VALUE]...",
            help="With --all-eligible: no student number.",
        ),
    ],
    *,
    login: As,
    case: CaseNo = None,
    to: Annotated[str | None, typer.Option(metavar="STATE", help="去向 Where to, if there is a choice.")] = None,
    reason: Reason = None,
    request: RequestId = None,
    ticks: Ticks = None,
    everybody: Annotated[bool, typer.Option("--all-eligible", help="全批次办理 Everybody of the batch.")] = False,
    batch: Annotated[str | None, typer.Option(metavar="B", help="批次 With --all-eligible: the batch.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """办理一步。Take a step of one case, or of all of a batch."""
    from console import moving

    typed = moving.Typed(
        words=tuple(words), login=login, case=case, to=to, reason=reason, request=request, everybody=everybody,
        batch=batch, dry_run=dry_run, as_json=as_json, ticks=tuple(ticks or ()),
    )  # fmt: skip
    return moving.move(_caller(ctx), typed)


def sign(
    ctx: typer.Context,
    about: About,
    trigger: Annotated[str, typer.Argument(metavar="TRIGGER", help="签字的步骤 The step that is signed for.")],
    fields: Fields = None,
    *,
    login: As,
    case: CaseNo = None,
    slot: Annotated[str | None, typer.Option(metavar="S", help="签字位 The place to sign; default: yours.")] = None,
    against: Annotated[bool, typer.Option("--against", help="不同意 Say no.")] = False,
    reason: Reason = None,
    request: RequestId = None,
    ticks: Ticks = None,
    as_json: AsJson = False,
) -> int:
    """签字、盖章。Sign a step of a case; the last signature that is needed takes the step."""
    from console import moving

    typed = moving.Typed(
        words=(about, trigger, *(fields or ())), login=login, case=case, reason=reason, request=request,
        as_json=as_json, ticks=tuple(ticks or ()),
    )  # fmt: skip
    return moving.sign(_caller(ctx), typed, slot=slot, against=against)


def retract(ctx: typer.Context, about: About, *, login: As, case: CaseNo = None) -> int:
    """撤回本人最近一步。Take back your own last step."""
    from console import working

    return working.retract_last(_caller(ctx), about, login, case)


def signer_add(
    ctx: typer.Context,
    about: About,
    trigger: SignedStep,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="加签的角色 The role that is to sign besides.")],
    *,
    login: As,
    unit: Annotated[
        str | None, typer.Option(metavar="U", help="在哪个单位 At which unit; default: the case's.")
    ] = None,
    before: Annotated[
        str | None, typer.Option(metavar="SLOT", help="依次签字时，在哪一位之前 In sequence: before which slot.")
    ] = None,
    case: CaseNo = None,
    reason: Reason = None,
    request: RequestId = None,
    as_json: AsJson = False,
) -> int:
    """加签：流程允许时，另请一个角色签字。Ask for one signature more, where the definition offers it."""
    from console import signing_changes

    asked = signing_changes.Change(
        about=about, trigger=trigger, what=role, login=login, unit=unit, before=before, case=case, reason=reason,
        request=request,
    )  # fmt: skip
    return signing_changes.add(_caller(ctx), asked, as_json=as_json)


def signer_remove(
    ctx: typer.Context,
    about: About,
    trigger: SignedStep,
    slot: Annotated[str, typer.Argument(metavar="SLOT", help="减去的签字位 The slot that need not be signed.")],
    *,
    login: As,
    case: CaseNo = None,
    reason: Reason = None,
    request: RequestId = None,
    as_json: AsJson = False,
) -> int:
    """减签：流程允许时，减去一个签字位。Let a slot go unsigned, where the definition offers it."""
    from console import signing_changes

    asked = signing_changes.Change(
        about=about, trigger=trigger, what=slot, login=login, case=case, reason=reason, request=request,
    )  # fmt: skip
    return signing_changes.remove(_caller(ctx), asked, as_json=as_json)


def signers_in(group: typer.Typer, answering: Callable[[Callable[..., int]], Callable[..., None]]) -> typer.Typer:
    """Put the commands that change who signs into a group."""
    group.command("add")(answering(signer_add))
    group.command("remove")(answering(signer_remove))
    return group
