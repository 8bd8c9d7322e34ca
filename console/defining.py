"""Writing definitions: a first draft with comments, what differs between two versions, moving open cases over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from console.calling import Caller, Misuse
from console.printing import document, line, progress, table
from engine.differences import Difference, differences
from engine.errors import Unknown
from engine.loading.folder import read_workflow
from engine.migrating import Migration, migrate
from engine.records import case_number
from engine.store.case_changes import open_cases

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def new(name: str, profile: str, into: Path) -> int:
    """Write a starting file that checks clean and says in comments what each line is for.

    Raises:
        Misuse: If the name is no file name of a workflow, or the file is there already.
    """
    if not _NAME.fullmatch(name):
        message = f"流程名用小写字母、数字和连字符，如 study-abroad。'{name}' is no name such as study-abroad."
        raise Misuse(message)
    folder = into / "workflows" if (into / "workflows").is_dir() else into
    path = folder / f"{name}.yaml"
    if path.exists():
        message = f"{path} 已存在，未改动。{path} is there already; nothing was written."
        raise Misuse(message)
    pages = Environment(loader=PackageLoader("console"), undefined=StrictUndefined, autoescape=False)  # noqa: S701 YAML
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(pages.get_template("workflow.yaml").render(name=name, profile=profile), encoding="utf-8")
    line(f"已写入 written: {path}", style="green")
    line("下一步 next: xueji check")
    return 0


def diff(old: Path, later: Path, *, as_json: bool) -> int:
    """Tell what differs between two files, profile by profile; 0 also where something does."""
    before, after = read_workflow(old), read_workflow(later)
    told = {
        profile: differences(before[profile], after[profile])
        for profile in after
        if profile in before and before[profile] != after[profile]
    }
    come, gone = [one for one in after if one not in before], [one for one in before if one not in after]
    if as_json:
        changes = {profile: [one._asdict() for one in many] for profile, many in told.items()}
        document({"profiles_added": come, "profiles_removed": gone, "changes": changes})
        return 0
    for profile, many in told.items():
        line(profile, style="bold")
        _tell(many)
    for words, profiles in (("新增办学类型 new profiles", come), ("取消办学类型 profiles gone", gone)):
        if profiles:
            line(f"{words}: {'、'.join(profiles)}")
    if not (told or come or gone):
        line("没有差别 no difference", style="green")
    return 0


def _tell(many: tuple[Difference, ...]) -> None:
    for one in many:
        line(f"  {one.zh}")
        line(f"  {one.en}", style="dim")


def migrate_cases(caller: Caller, wanted: tuple[str, str, int], login: str, *, dry_run: bool, as_json: bool) -> int:
    """Move open cases to a version; 1 if one of them stays.

    Raises:
        Unknown: If there is no such profile.
    """
    with caller.sitting(publishes_as=None if dry_run else login) as sitting:
        desk = sitting.desk
        profiles = desk.library.rulebook.organisation.profiles
        if wanted[1] not in profiles:
            raise Unknown("办学类型 profile", wanted[1], profiles)
        many = len(open_cases(desk.connection, wanted[0]))
        with progress(many, "判断 judging" if dry_run else "升级 migrating") as advance:
            answer = migrate(
                desk, wanted, sitting.request("migrate", desk.actor(login)), dry_run=dry_run, progress=advance
            )
    stays = [one for one in answer.cases if not one.goes]
    moved, conflicts = len(answer.cases) - len(stays), len(answer.conflicts)
    if as_json:
        document({"migrated": moved, "conflicts": conflicts, "stay": [_told(one) for one in stays]})
    else:
        done = "可升级 would move" if dry_run else "已升级 moved"
        line(f"{done}: {moved}；不能升级 stay: {len(stays)}；冲突 conflicts: {conflicts}")
        _tell_stays(stays)
    return 1 if stays or conflicts else 0


def _tell_stays(stays: Sequence[Migration]) -> None:
    if stays:
        rows = [(case_number(one.case), f"{one.version}", one.state, "\n".join((*one.zh, *one.en))) for one in stays]
        table(("办件 case", "版本 version", "状态 state", "原因 why"), rows)


def _told(one: Migration) -> dict[str, object]:
    stands = {"case": case_number(one.case), "version": one.version, "state": one.state}
    return {**stands, "to": one.to, "zh": one.zh, "en": one.en}
