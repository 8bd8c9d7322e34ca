"""The commands about people: accounts and roles, who acts for whom, and who is reminded (`console.commands`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from console.calling import Caller

As = Annotated[str, typer.Option("--as", metavar="USER", help="以谁的身份办理 In whose name.")]
Taker = Annotated[str, typer.Option("--to", metavar="LOGIN", help="交给谁 To whom.")]
PassedRole = Annotated[str, typer.Option("--role", metavar="R", help="角色 The role; student: a signature left.")]
WhyPassed = Annotated[str, typer.Option("--reason", metavar="R", help="事由，明文留痕 Why; it stands in the trail.")]
ThisCase = Annotated[str, typer.Option("--case", metavar="NO", help="办件号 The case.")]
RequestId = Annotated[str | None, typer.Option(metavar="ID", help="请求号，重复无害 Makes repeating safe.")]
ToldBy = Annotated[str | None, typer.Option("--as", metavar="USER", help="由谁登记（管理人员者） Who tells it.")]
OnlyCase = Annotated[str | None, typer.Option("--case", metavar="NO", help="仅限此办件 This case only.")]


def caller_for(ctx: typer.Context) -> Caller:
    """The caller behind a command: its database and settings."""
    from console.calling import caller_of

    return caller_of(*ctx.obj)


def user_add(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="登录名 The login.")],
    *,
    role: Annotated[str | None, typer.Option(metavar="R", help="角色 The role.")] = None,
    unit: Annotated[str | None, typer.Option(metavar="CODE", help="在哪个单位 At which unit.")] = None,
    student: Annotated[str | None, typer.Option(metavar="STUDENT_NO", help="学生本人账号 Whose own account.")] = None,
) -> int:
    """授予角色（必要时建立用户），或建立学生本人账号。Give a person a role, or make a student's own account."""
    from console import delegating, setting_up
    from console.calling import Misuse

    if student is not None and role is None and unit is None:
        return delegating.add_student(caller_for(ctx), login, student)
    if role is None or unit is None or student is not None:
        message = "请写明 --role 与 --unit，或只写 --student。Give --role and --unit, or --student alone."
        raise Misuse(message)
    return setting_up.add_user(caller_for(ctx), login, role, unit)


def delegate(
    ctx: typer.Context,
    *,
    login: As,
    taker: Taker,
    role: PassedRole,
    reason: WhyPassed,
    until: Annotated[str, typer.Option(metavar="MOMENT", help="期限，只写日期则含当日 A day counts whole.")],
    since: Annotated[
        str, typer.Option("--from", metavar="MOMENT", help="自何时起，不写即刻 From when; at once if not said.")
    ] = "",
    unit: Annotated[str | None, typer.Option(metavar="U", help="单位及下级 There and below; default: yours.")] = None,
    number: OnlyCase = None,
    request: RequestId = None,
) -> int:
    """委派：由他人在期限内代行本人的角色。Let somebody act in your role until a moment."""
    from console import delegating

    asked = delegating.Passing(
        login=login, taker=taker, role=role, reason=reason, unit=unit, case=number, since=since, until=until,
        request=request,
    )  # fmt: skip
    return delegating.pass_on(caller_for(ctx), asked)


def hand_over(
    ctx: typer.Context,
    *,
    login: As,
    taker: Taker,
    role: PassedRole,
    reason: WhyPassed,
    number: ThisCase,
    request: RequestId = None,
) -> int:
    """转办：把办件交给担任同一角色的人员。Hand a case over for good to another holder of the role."""
    from console import delegating

    asked = delegating.Passing(login=login, taker=taker, role=role, reason=reason, case=number, request=request)
    return delegating.hand_on(caller_for(ctx), asked)


def revoke(
    ctx: typer.Context,
    *,
    login: As,
    taker: Taker,
    role: PassedRole,
    number: OnlyCase = None,
    request: RequestId = None,
) -> int:
    """收回委派。Take a delegation back."""
    from console import delegating

    asked = delegating.Passing(login=login, taker=taker, role=role, case=number, request=request)
    return delegating.take_back(caller_for(ctx), asked)


def urge(
    ctx: typer.Context,
    student_no: Annotated[str, typer.Argument(metavar="STUDENT_NO", help="学号 The student number.")],
    *,
    login: As,
    number: OnlyCase = None,
    request: RequestId = None,
) -> int:
    """催办，每案每人每日一次。Remind whom a case waits for, once a day."""
    from console import delegating

    return delegating.remind(caller_for(ctx), student_no, login, number, request=request)


def user_address(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="登录名 The login.")],
    address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]", help="邮箱 Where mail goes.")] = None,
    *,
    none: Annotated[bool, typer.Option("--none", help="无邮箱 There is none.")] = False,
    name: Annotated[str | None, typer.Option(metavar="N", help="姓名，用于邮件称呼 For the greeting.")] = None,
) -> int:
    """登记邮箱与姓名。Say where mail reaches a person, and the name."""
    from console import reaching

    return reaching.set_contact(caller_for(ctx), login, address, name, no_address=none)


def absence_set(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="登录名 The login.")],
    first: Annotated[str, typer.Argument(metavar="FROM", help="第一天 The first day: 2024-05-13.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="最后一天 The last day, included.")],
    *,
    teller: ToldBy = None,
    reason: Annotated[str, typer.Option(metavar="R", help="事由，明文留痕 Why; with --as.")] = "",
) -> int:
    """登记不在岗：其间提醒代理人；--as 替别人登记。Somebody is away; with --as told for them by another."""
    from console import reaching
    from console.calling import Misuse

    if teller is None and reason:
        message = "--reason 须与 --as 同用。Give --reason with --as."
        raise Misuse(message)
    if teller is None:
        return reaching.set_absence(caller_for(ctx), login, first, last)
    return reaching.tell_absence(caller_for(ctx), teller, (login, first, last), reason)


def absence_list(
    ctx: typer.Context,
    login: Annotated[str | None, typer.Argument(metavar="[LOGIN]", help="登录名，默认全部 Default: all.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document.")] = False,
) -> int:
    """查看不在岗。Who is away when."""
    from console import reaching

    return reaching.show_absences(caller_for(ctx), login, as_json=as_json)


def absence_clear(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="登录名 The login.")],
    *,
    teller: ToldBy = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="从这一天开始的一段 The one that begins on this day.")
    ] = None,
) -> int:
    """结束今天的不在岗；--from 结束以后的一段。Somebody is back today; with --from, will not be away after all."""
    from console import reaching

    return reaching.clear_absences(caller_for(ctx), login, teller or login, first)


def absences_in(group: typer.Typer, answering: Callable[[Callable[..., int]], Callable[..., None]]) -> typer.Typer:
    """Put the commands about absences into a group."""
    group.command("set")(answering(absence_set))
    group.command("list")(answering(absence_list))
    group.command("clear")(answering(absence_clear))
    return group
