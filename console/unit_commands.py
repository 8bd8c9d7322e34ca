"""The commands about units (`console.commands`)."""

from __future__ import annotations

from typing import Annotated

import typer

from console.people_commands import As, caller_for

Code = Annotated[str, typer.Argument(metavar="CODE", help="单位代码 The unit's code.")]
Facts = Annotated[
    list[str] | None,
    typer.Argument(metavar="FACT=VALUE...", help="信息项=值，值留空为清除 An empty value clears it."),
]


def unit_add(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(metavar="CODE", help="单位代码 Its code.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="名称 Its name.")],
    *,
    kind: Annotated[str, typer.Option(metavar="K", help="类别 province, school, branch, site, …")],
    parent: Annotated[str | None, typer.Option(metavar="P", help="上级单位代码 The unit above.")] = None,
    profile: Annotated[str | None, typer.Option(metavar="P", help="办学类型 Its profile, if not that above.")] = None,
) -> int:
    """添加单位。Add a unit."""
    from console import setting_up
    from engine.store.registry import UnitRow

    row = UnitRow(code=code, name=name, kind=kind, parent=parent, path="", profile=profile)
    return setting_up.add_unit(caller_for(ctx), row)


def unit_rename(
    ctx: typer.Context,
    code: Code,
    name: Annotated[str, typer.Argument(metavar="NAME", help="新名称 Its new name.")],
) -> int:
    """给单位改名；代码不变，以前的纸面和名册仍写旧名。Rename a unit; what was made before keeps the old name."""
    from console import units

    return units.rename(caller_for(ctx), code, name)


def unit_set(ctx: typer.Context, code: Code, facts: Facts = None, *, login: As) -> int:
    """设置单位信息，如首次班会日期；读取它的期限随之变动。Set facts of a unit; deadlines that read them move."""
    from console import units
    from console.calling import read_pairs

    return units.set_facts(caller_for(ctx), code, read_pairs(facts or ()), login)


def unit_show(ctx: typer.Context, code: Code) -> int:
    """查看单位信息。What is known of a unit."""
    from console import units

    return units.show(caller_for(ctx), code)
