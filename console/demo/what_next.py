"""The end of the telling: where the files are, and commands that go on from there."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from console.demo import evening, school, telling
from console.demo.cast import Cast
from console.demo.sheets import Files
from console.printing import line


def show_what_next(files: Files, cast: Cast, seconds: float) -> None:
    """Say how long it took, what lies in the folder, and what to type next."""
    line()
    line(f"全部用时 in all {seconds:.1f} s", style="bold")
    line(f"文件在 the files are in {files.into}：")
    line(f"  {files.database.name}（日志密钥 its log's key {files.database.name}.key）")
    line(f"  {'、'.join(path.name for path in files.sheets)}")
    telling.rule("接下来可以试 What to try next", "bold green")
    for zh, en, command in what_to_try(files, cast):
        line(f"# {zh} {en}", style="dim")
        line(command)
    line("# 在浏览器里接着办：5月15日 17:31，周敏还有 60 件 in a browser: the approver with sixty to go", style="dim")
    line(to_serve(files))
    line(
        f"# 账号 accounts：{evening.APPROVER}（周敏）…，见登录页 see the page；密码 password {evening.PASSWORD}",
        style="dim",
    )


def to_serve(files: Files) -> str:
    """The command that opens the evening of the demonstration."""
    if files.into == Path("demo"):
        return "make serve"
    url = f"sqlite:///{evening.database_of(files)}"
    return f"{telling.program()} --database {quote(url)} --now {evening.NOW:%Y-%m-%dT%H:%M} serve"


def what_to_try(files: Files, cast: Cast) -> tuple[tuple[str, str, str], ...]:
    """Commands that work in this order when typed as they stand: what each shows, in two languages, and the command."""
    xueji = f"{telling.program()} --database {quote(files.url)}"
    at = f"{xueji} --now {school.DAY_AFTER.isoformat()}"
    approver, roster = school.approver(cast.short_staffed), quote(str(files.roster))
    return (
        ("迟到的申请在等另一人审批", "the late application waits for another person", f"{xueji} queue --as {approver}"),
        ("由另一人审批", "who approves it", f"{at} move {cast.late} site_approve --as {approver}"),
        ("未通过者：每一步还差什么", "the one refused: what stands in the way", f"{at} case {cast.several}"),
        ("再导入同一名册", "the same roster again", f"{at} import roster {roster} --dry-run"),
        ("一名毕业生的全过程", "a graduate from beginning to end", f"{xueji} replay {cast.debtor}"),
        ("核验整个日志", "verify the whole trail", f"{xueji} replay --all"),
    )
