"""The commands that take the trail out and have it checked (`console.commands`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.people_commands import As, caller_for

Target = Annotated[Path, typer.Argument(metavar="FILE", help="写入的文件 The file to write, a zip.")]
BundleFile = Annotated[Path, typer.Argument(metavar="FILE", help="审计包 The bundle.")]
OfCase = Annotated[str | None, typer.Option("--case", metavar="NO", help="一个办件 One case.")]
OfBatch = Annotated[str | None, typer.Option("--batch", metavar="B", help="一个批次 The cases of a batch.")]
AsJson = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document on standard output.")]
PolicyFile = Annotated[Path, typer.Option("--policy", metavar="P", help="您自己的策略文件 Your own policy file.")]
SeenHead = Annotated[Path | None, typer.Option("--seen", metavar="H", help="上次留存的日志头 The head you kept.")]


def audit_export(
    ctx: typer.Context,
    file: Target,
    *,
    login: As,
    case: OfCase = None,
    batch: OfBatch = None,
    everything: Annotated[bool, typer.Option("--all", help="全部 Everything there is.")] = False,
    as_json: AsJson = False,
) -> int:
    """导出审计包，可离线核验；导出留痕。Take the trail out as a bundle that is checked offline."""
    from console import exporting

    wanted = exporting.Wanted(path=file, login=login, case=case, batch=batch, everything=everything)
    return exporting.export(caller_for(ctx), wanted, as_json=as_json)


def audit_verify(
    file: BundleFile,
    *,
    policy: PolicyFile,
    seen: SeenHead = None,
    remember: Annotated[
        bool, typer.Option("--remember", help="核验通过后更新留存的日志头 Keep the new head, once all is well.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """核验审计包（独立进程，只信您的策略）。Check a bundle; only your policy is believed."""
    from console import exporting

    words = [str(file), "--policy", str(policy)]
    words += [] if seen is None else ["--seen", str(seen)]
    words += ["--remember"] * remember + ["--json"] * as_json
    return exporting.verify(words)
