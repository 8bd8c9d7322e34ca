"""The commands of sealing and of witnesses (`console.commands`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from console.people_commands import caller_for

Answering = Callable[[Callable[..., int]], Callable[..., None]]

AsJson = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document on standard output.")]
WitnessKey = Annotated[Path, typer.Option("--key", metavar="K", help="见证密钥文件 The witness's key file.")]
WitnessName = Annotated[str, typer.Option("--name", metavar="NAME", help="见证人的名称 The witness's name.")]
Record = Annotated[
    Path | None, typer.Option("--state", metavar="S", help="见证记录，默认在密钥旁 What was vouched for.")
]
Logs = Annotated[list[str], typer.Option("--log", metavar="VKEY", help="日志公钥，可重复 A log's key; repeat.")]


def audit_key(
    ctx: typer.Context,
    *,
    rotate: Annotated[bool, typer.Option("--rotate", help="换新密钥，旧钥暂同签 A new key beside the old.")] = False,
    as_json: AsJson = False,
) -> int:
    """建立封存密钥，显示审计方策略。Make the key that signs heads, and print the auditor's policy."""
    from console import sealing_view

    return sealing_view.show_key(caller_for(ctx), rotate=rotate, as_json=as_json)


def audit_seal(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """立即封存，公布封存头，请见证人联署。Seal now, publish the head, ask the witnesses."""
    from console import sealing_view

    return sealing_view.seal_now(caller_for(ctx), as_json=as_json)


def audit_status(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """封存、联署与数据库防护的状况。How sealing, witnesses and the database's guards stand."""
    from console import sealing_view

    return sealing_view.show_status(caller_for(ctx), as_json=as_json)


def audit_head(
    ctx: typer.Context,
    *,
    picture: Annotated[Path | None, typer.Option("--qr", metavar="FILE", help="另存二维码 As a QR code too.")] = None,
) -> int:
    """显示最新封存头，供打印留存。Print the newest head, to be kept on paper."""
    from console import sealing_view

    return sealing_view.show_head(caller_for(ctx), picture)


def witness_key(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="密钥文件 The key file to make.")],
    *,
    name: WitnessName,
) -> int:
    """建立见证密钥与空的见证记录。Make a witness's key and its empty record."""
    from console import witnessing

    return witnessing.make(caller_for(ctx).settings, file, name)


def witness_request(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="写入的请求 The request to write.")],
    *,
    witness: Annotated[str | None, typer.Option(metavar="NAME", help="策略中的名称 Its name in the policy.")] = None,
    old: Annotated[int | None, typer.Option(metavar="SIZE", min=0, help="它上次联署的大小 What it says.")] = None,
) -> int:
    """把最新封存头写成请求文件。Write the newest head as a file for a witness without a line."""
    from console import witnessing

    return witnessing.request(caller_for(ctx), file, witness, old)


def witness_cosign(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="请求 The request.")],
    *,
    answer: Annotated[Path, typer.Option("--answer", metavar="A", help="写入的答复 The answer to write.")],
    key: WitnessKey,
    name: WitnessName,
    log: Logs,
    state: Record = None,
) -> int:
    """为请求中的封存头联署。Vouch for the head in a request, as a witness."""
    from console import witnessing

    vouching = witnessing.Vouching(key=key, name=name, record=state, logs=log)
    return witnessing.cosign(caller_for(ctx).settings, file, answer, vouching)


def witness_accept(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE", help="答复 The answer.")]
) -> int:
    """收下见证人的答复并公布。Take in a witness's answer, and publish it."""
    from console import witnessing

    return witnessing.accept(caller_for(ctx), file)


def witness_serve(
    ctx: typer.Context,
    *,
    key: WitnessKey,
    name: WitnessName,
    log: Logs,
    state: Record = None,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="监听地址 Where to listen.")] = "127.0.0.1:8700",
) -> int:
    """以 HTTP 提供见证服务。Be a witness over HTTP until told to end."""
    from console import witnessing

    vouching = witnessing.Vouching(key=key, name=name, record=state, logs=log)
    return witnessing.serve(caller_for(ctx).settings, listen, vouching)


def sealing_in(audit: typer.Typer, witness: typer.Typer, answering: Answering) -> None:
    """Put the commands of sealing into the auditors' group, and those of witnesses into one of their own below it."""
    for name, command in (("key", audit_key), ("seal", audit_seal), ("status", audit_status), ("head", audit_head)):
        audit.command(name)(answering(command))
    witness.command("key")(answering(witness_key))
    witness.command("request")(answering(witness_request))
    witness.command("cosign")(answering(witness_cosign))
    witness.command("accept")(answering(witness_accept))
    witness.command("serve")(answering(witness_serve))
    audit.add_typer(witness, name="witness")
