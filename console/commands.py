"""`xueji`: the names, arguments and options of the commands, which are a contract (design, section 9).

What a command does lives in the module it imports; it is imported when the command runs, so that help is instant.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer

from console import (
    access_commands,
    audit_aids_commands,
    audit_commands,
    backup_commands,
    clock_commands,
    deadline_commands,
    definition_commands,
    document_commands,
    erasing_commands,
    exporting_commands,
    import_commands,
    lane_commands,
    mail_commands,
    message_commands,
    people_commands,
    process_mining_commands,
    sealing_commands,
    serving_commands,
    step_commands,
    unit_commands,
)

if TYPE_CHECKING:
    from console.calling import Caller

P = ParamSpec("P")


def _answering(command: Callable[P, int]) -> Callable[P, None]:
    """Turn what a command returns into the exit code, and an error into its text on standard error."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from engine.errors import XuejiError

        try:
            code = command(*args, **kwargs)
        except XuejiError as problem:
            from console.calling import exit_code
            from console.printing import note

            note(str(problem))
            code = exit_code(problem)
        raise typer.Exit(code)

    return run


def _group(help_text: str) -> typer.Typer:
    return typer.Typer(help=help_text, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
unit_app = _group("单位。Units of the organisation.")
user_app = _group("用户与角色。People and their roles.")
batch_app = _group("批次。Batches.")
term_app = _group("学期。Terms.")
import_app = _group("导入表格。Take sheets in: all or nothing.")
calendar_app = _group("校历：工作日与学期。Working days and terms.")
app.add_typer(unit_app, name="unit")
app.add_typer(user_app, name="user")
app.add_typer(batch_app, name="batch")
app.add_typer(term_app, name="term")
app.add_typer(import_app, name="import")
app.add_typer(calendar_app, name="calendar")
app.add_typer(audit_commands.audit, name="audit")

CalendarOf = Annotated[str, typer.Option("--profile", metavar="P", help="办学类型 Whose terms; default: everybody's.")]
As = Annotated[str, typer.Option("--as", metavar="USER", help="以谁的身份办理 In whose name.")]
Batch = Annotated[str, typer.Option("--batch", metavar="B", help="批次 The batch.")]
BatchName = Annotated[str, typer.Argument(metavar="B", help="批次 The batch.")]
Json = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document on standard output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只判断，不写入 Judge, and write nothing.")]
CaseNo = Annotated[str | None, typer.Option("--case", metavar="NO", help="办件号，默认为学籍 Default: the record.")]
Fields = Annotated[list[str] | None, typer.Argument(metavar="[FIELD=VALUE]...", help="字段=值 Fields of the step.")]
StartDay = Annotated[str, typer.Argument(metavar="DATE", help="起算日 The day the count is from: 2024-09-18.")]
Offset = Annotated[str, typer.Argument(metavar="OFFSET", help="+15wd 工作日 working days, -7d 天 days, 3m 月.")]
Year = Annotated[int, typer.Argument(metavar="YEAR", min=1, max=9999, help="年 The year.")]
StudentNo = Annotated[str, typer.Argument(metavar="STUDENT_NO", help="学号 The student number.")]


@app.callback()
def _options(
    ctx: typer.Context,
    *,
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="数据库 Default: sqlite:///xueji.db, or XUEJI_DATABASE."),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="指定时间，仅限演练库 The time to go by; rehearsal databases only."),
    ] = None,
) -> None:
    """学籍业务流程引擎。A workflow engine for student records."""
    ctx.obj = (database, now)


def _caller(ctx: typer.Context) -> Caller:
    from console.calling import caller_of

    return caller_of(*ctx.obj)


@app.command()
@_answering
def init(
    ctx: typer.Context,
    *,
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="演练库 It may be told the time.")] = False,
    profile: Annotated[str | None, typer.Option(metavar="P", help="默认办学类型 The profile of topmost units.")] = None,
) -> int:
    """建立或升级数据库。Create the database, or bring it up to date."""
    from console import setting_up

    return setting_up.init(_caller(ctx), rehearsal=rehearsal, profile=profile)


unit_app.command("add")(_answering(unit_commands.unit_add))
unit_app.command("rename")(_answering(unit_commands.unit_rename))
unit_app.command("set")(_answering(unit_commands.unit_set))
unit_app.command("show")(_answering(unit_commands.unit_show))
user_app.command("add")(_answering(people_commands.user_add))
user_app.command("address")(_answering(people_commands.user_address))
access_commands.access_in(user_app, _answering)
app.add_typer(people_commands.absences_in(_group("不在岗。Who is away when."), _answering), name="absence")
app.command()(_answering(definition_commands.new))
app.command()(_answering(definition_commands.diff))
app.command()(_answering(definition_commands.migrate))
publications = definition_commands.publications_in(_group("发布定义：由两人办理。Publishing by two."), _answering)
app.add_typer(publications, name="definition")
app.command()(_answering(people_commands.delegate))
app.command("hand-over")(_answering(people_commands.hand_over))
app.command()(_answering(people_commands.revoke))
app.command()(_answering(people_commands.urge))


@batch_app.command("publish")
@_answering
def batch_publish(ctx: typer.Context, batch: BatchName, *, login: As) -> int:
    """发布批次，固定规则集。Publish a batch; the rules in force are pinned."""
    from console import setting_up

    return setting_up.publish(_caller(ctx), batch, login)


@batch_app.command("set")
@_answering
def batch_set(ctx: typer.Context, batch: BatchName, fields: Fields = None, *, login: As) -> int:
    """设置已发布批次的值。Set values of a published batch."""
    from console import setting_up
    from console.calling import read_pairs

    return setting_up.set_values(_caller(ctx), batch, read_pairs(fields or ()), login)


@term_app.command("start")
@_answering
def term_start(
    ctx: typer.Context,
    term: Annotated[str, typer.Argument(metavar="TERM", help="学期 The term that has begun: 2024-1.")],
    *,
    login: As,
) -> int:
    """学期开始，建立随学期开始的业务。Say that a term has begun; what starts with it is opened."""
    from console import setting_up

    return setting_up.start_term(_caller(ctx), term, login)


import_app.command("roster")(_answering(import_commands.import_roster))
import_app.command("facts")(_answering(import_commands.import_facts))
import_app.command("table")(_answering(import_commands.import_table))
import_app.command("photos")(_answering(import_commands.import_photos))
import_app.command("final-results")(_answering(import_commands.import_final_results))
import_app.command("provincial-results")(_answering(import_commands.import_provincial_results))


@calendar_app.command("explain", context_settings={"ignore_unknown_options": True})
@_answering
def calendar_explain(
    ctx: typer.Context, start: StartDay, offset: Offset, *, profile: CalendarOf = "", as_json: Json = False
) -> int:
    """推算日期，逐日说明跳过的原因。Count from a day; every day skipped, and why."""
    from console import calendar_view

    return calendar_view.explain(_caller(ctx), profile, (start, offset), as_json=as_json)


@calendar_app.command("show")
@_answering
def calendar_show(ctx: typer.Context, year: Year, *, profile: CalendarOf = "", as_json: Json = False) -> int:
    """一年的放假、调休上班与学期。Holidays, make-up working days and terms of a year."""
    from console import calendar_view

    return calendar_view.show(_caller(ctx), profile, year, as_json=as_json)


@app.command()
@_answering
def eligibility(ctx: typer.Context, *, batch: Batch, as_json: Json = False) -> int:
    """批次的毕业资格审核。Who of a batch may apply, and why not."""
    from console import judging

    return judging.show_eligibility(_caller(ctx), batch, as_json=as_json)


@app.command()
@_answering
def queue(ctx: typer.Context, *, login: As, as_json: Json = False) -> int:
    """待办。What waits for a person."""
    from console import working

    return working.show_queue(_caller(ctx), login, as_json=as_json)


app.command("open")(_answering(step_commands.open_))
app.command()(_answering(step_commands.move))
app.command()(_answering(step_commands.sign))
app.command()(_answering(step_commands.retract))
app.command()(_answering(erasing_commands.erase))
app.command()(_answering(clock_commands.work))
app.command()(_answering(serving_commands.serve))
app.command()(_answering(backup_commands.backup))
app.command()(_answering(backup_commands.restore))
remind_app = _group("提醒：将提醒谁，立即提醒。Reminders: what is coming, and telling now.")
remind_app.command("plan")(_answering(clock_commands.remind_plan))
remind_app.command("run")(_answering(clock_commands.remind_run))
app.add_typer(remind_app, name="remind")
signer_app = step_commands.signers_in(_group("加签与减签。Signers added to a step, or let go."), _answering)
app.add_typer(signer_app, name="signer")
deadline_app = deadline_commands.deadlines_in(_group("期限：正在运行的，延期，重新推算。Deadlines."), _answering)
app.add_typer(deadline_app, name="deadline")
app.add_typer(lane_commands.lanes_in(_group("待办的三栏。Lanes of the queues."), _answering), name="lanes")
app.add_typer(mail_commands.mails_in(_group("邮件：去向不明与未送达的。Mails."), _answering), name="mail")
messages_app = _group("消息：本单位的模板。Messages, and an institution's own templates.")
messages_app.command("check")(_answering(message_commands.messages_check))
messages_app.command("show")(_answering(message_commands.messages_show))
app.add_typer(messages_app, name="messages")
audit_commands.audit.command("sample")(_answering(audit_aids_commands.audit_sample))
audit_commands.audit.command("findings")(_answering(audit_aids_commands.audit_findings))
audit_commands.audit.command("note")(_answering(audit_aids_commands.audit_note))
audit_commands.audit.command("papers")(_answering(audit_aids_commands.audit_papers))
audit_commands.audit.command("report")(_answering(audit_aids_commands.audit_report))
sealing_commands.sealing_in(audit_commands.audit, _group("见证：为封存头联署。Witnesses of the log."), _answering)
audit_commands.audit.command("xes")(_answering(process_mining_commands.audit_xes))
audit_commands.audit.command("ocel")(_answering(process_mining_commands.audit_ocel))
audit_commands.audit.command("export")(_answering(exporting_commands.audit_export))
audit_commands.audit.command("verify")(_answering(exporting_commands.audit_verify))
app.command()(_answering(process_mining_commands.draw))
app.command()(_answering(document_commands.attach))
app.command()(_answering(document_commands.detach))
app.command()(_answering(document_commands.documents))


@app.command()
@_answering
def case(
    ctx: typer.Context,
    student_no: StudentNo,
    *,
    number: CaseNo = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="MOMENT", help="回看当时的情况 As it stood then, from the trail.")
    ] = None,
    login: Annotated[
        str | None, typer.Option("--as", metavar="USER", help="谁查看，审计员留痕 Who looks; an auditor's is kept.")
    ] = None,
    as_json: Json = False,
) -> int:
    """查看办件：状态、可办步骤及原因、经过。One case, what blocks it, its timeline."""
    from console import case_view
    from console.calling import read_moment

    moment = None if at is None else read_moment(at, "--at")
    look = case_view.Look(about=student_no, number=number, at=moment, login=login)
    return case_view.show_case(_caller(ctx), look, as_json=as_json)


@app.command()
@_answering
def replay(
    ctx: typer.Context,
    student_no: Annotated[str | None, typer.Argument(metavar="[STUDENT_NO]", help="学号 One student.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="全部 Every chain there is.")] = False,
    under: Annotated[
        Path | None, typer.Option(metavar="DIR", help="按另一套规则重新判断 Judge again under the rules there.")
    ] = None,
    batch: Annotated[str | None, typer.Option(metavar="B", help="只看此批次 With --under: this batch only.")] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", min=1, help="进程数 Default: all cores.")] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="交给 Dask 集群 Spread over a Dask cluster.")
    ] = None,
    as_json: Json = False,
) -> int:
    """回放日志并与库比对，或按另一套规则重判。Fold the trail and compare; or judge again under other rules."""
    from console import proving

    asked = proving.Asked(student_no=student_no, under=under, batch=batch, workers=workers, cluster=cluster)
    return proving.replay(_caller(ctx), proving.either(asked, everything=everything), as_json=as_json)


@app.command()
@_answering
def check(
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="定义 Folders or files; default: installed."),
    ] = None,
    *,
    guards: Annotated[bool, typer.Option("--guards", help="条件作逻辑检查 Rules as logic, with samples.")] = False,
    as_json: Json = False,
) -> int:
    """检查流程与规则定义。Check definitions and rules: all faults, each with its place."""
    from console import checking

    return checking.check(paths or (), _caller(ctx).settings.definitions, guards=guards, as_json=as_json)


@app.command()
@_answering
def demo(
    *,
    students: Annotated[int, typer.Option(metavar="N", min=1, help="学生数 How many students.")] = 1200,
    seed: Annotated[int, typer.Option(metavar="S", help="随机种子 The same seed, the same people.")] = 1,
    into: Annotated[Path, typer.Option(metavar="DIR", help="目录 Where to.")] = Path("demo"),
) -> int:
    """演示：虚构学生的一次完整毕业批次。A whole graduation batch on invented students."""
    from console.demo.story import run

    return run(students=students, seed=seed, into=into)


@app.command()
@_answering
def bench(
    ctx: typer.Context,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="少量 Small sizes.")] = False,
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="只测这些 Only these; repeat.")] = None,
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="轮数 Rounds.")] = 9,
    students: Annotated[int, typer.Option(metavar="N", min=1, help="学生数 Students judged in memory.")] = 100_000,
    events: Annotated[int, typer.Option(metavar="N", min=1, help="事件数 Events replayed.")] = 1_000_000,
    as_json: Json = False,
) -> int:
    """本机速度，以手写驱动代码为尺。The speed of this machine against its own raw driver, as ratios."""
    from console.bench.running import run

    return run(
        _caller(ctx).settings, quick=quick, only=tuple(only or ()), rounds=rounds, students=students, events=events,
        json=as_json,
    )  # fmt: skip


def main() -> None:
    """The entry point of `xueji`."""
    app(prog_name="xueji")
