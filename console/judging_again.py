"""What if: past decisions judged again under other rules (`replay --all --under DIR`), and what would be otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path

from console.calling import Misuse, Sitting
from console.printing import document, line, long_moment, note, progress, table
from console.proposed_rules import NoRules, rules_in
from console.spreading import spread
from engine.expressions.kinds import SHANGHAI
from engine.judging_again import Difference, Judged, Part, judge_part
from engine.other_rules import Under
from engine.records import case_of
from engine.store.cases import read_cases
from engine.store.proposals import texts_in_force

_MOST_SHOWN = 50
_CHUNK = 500


def other_rules(sitting: Sitting, folder: Path, installed: Path) -> Under:
    """The other rules in a folder (`console.proposed_rules`), with a note where the installed ones are not in force.

    Raises:
        Misuse: If it has none.
        DefinitionFaults: If together they cannot be used.
    """
    try:
        today = sitting.at.astimezone(SHANGHAI).date()
        found = rules_in(folder, installed, texts_in_force(sitting.desk.connection, today))
    except NoRules as problem:
        raise Misuse(str(problem)) from problem
    if found.rulebook is not None and sitting.desk.rulebook in sitting.desk.unpublished():
        note("安装的 rules/ 与库中现行的不同，缺少的文件取自前者。Files missing there are the installed, not the kept.")
    return found


def judge_again(
    sitting: Sitting, parts: Iterable[tuple[int, int]], other: Under, batch: str | None, executor: Executor | None
) -> Judged:
    """Judge every decision again, range after range."""
    work = [Part(sitting.office.url, span, other, batch) for span in parts]
    done = Judged()
    with progress(sum(last - first + 1 for first, last in parts), "重新判断 judging again") as advance:
        for part, one in zip(work, spread(executor, judge_part, work), strict=True):
            done += one
            advance(part.span[1] - part.span[0] + 1)
    return done


def show_judged(sitting: Sitting, judged: Judged, *, as_json: bool) -> int:
    """Show what would have been otherwise.

    Returns:
        1 if anything would have.
    """
    owner = _owners(sitting, judged.differences)
    if as_json:
        document(_document(judged, owner))
    else:
        _tell(judged, owner)
    return 1 if judged.differences else 0


def _owners(sitting: Sitting, differences: Iterable[Difference]) -> Callable[[Difference], str | None]:
    """Whose case a decision was about, by student number."""
    chains = sorted({number for one in differences if (number := _case(one)) is not None})
    found: dict[int, str | None] = {}
    for start in range(0, len(chains), _CHUNK):
        chunk = read_cases(sitting.desk.connection, chains[start : start + _CHUNK])
        found.update((case, one.student_no) for case, one in chunk.items())
    return lambda one: found.get(_case(one) or 0)


def _case(one: Difference) -> int | None:
    kind, _, number = one.chain.partition("/")
    return case_of(number) if kind == "case" else None


def _totals(judged: Judged) -> Mapping[str, int]:
    allowed = sum(one.allows for one in judged.differences)
    return {
        "decisions": judged.decisions,
        "would_be_refused": len(judged.differences) - allowed,
        "would_be_allowed": allowed,
        "open": sum(judged.open.values()),
        "unheard": judged.unheard,
        "folded": judged.folded,
    }


def _counted(
    differences: Iterable[Difference], of: Callable[[Difference], Iterable[str]]
) -> list[tuple[str, int, int]]:
    """How many would have been refused, and allowed, by some name; the most first."""
    counts: Counter[tuple[str, bool]] = Counter()
    for one in differences:
        counts.update({(name, one.allows): 1 for name in of(one)})
    rows = [(name, counts[name, False], counts[name, True]) for name in {name for name, _ in counts}]
    return sorted(rows, key=lambda row: (-row[1] - row[2], row[0]))


def _by(judged: Judged) -> Mapping[str, list[tuple[str, int, int]]]:
    return {
        "by_rule": _counted(judged.differences, lambda one: {said.rule for said in one.rules}),
        "by_unit": _counted(judged.differences, lambda one: (one.unit,)),
        "by_approver": _counted(judged.differences, lambda one: (one.actor,)),
    }


def _document(judged: Judged, owner: Callable[[Difference], str | None]) -> dict[str, object]:
    counted = {
        name: [{"name": of, "would_be_refused": refused, "would_be_allowed": allowed} for of, refused, allowed in rows]
        for name, rows in _by(judged).items()
    }
    undecided = [{"rule": rule, "lacks": key, "count": count} for (rule, key), count in sorted(judged.open.items())]
    return {
        **_totals(judged),
        **counted,
        "undecided": undecided,
        "differences": [_difference(one, owner) for one in judged.differences],
    }


def _difference(one: Difference, owner: Callable[[Difference], str | None]) -> dict[str, object]:
    return {
        "case": one.chain.removeprefix("case/"),
        "student_no": owner(one),
        "seq": one.seq,
        "at": one.at,
        "workflow": one.workflow,
        "trigger": one.trigger,
        "actor": one.actor,
        "role": one.role,
        "unit": one.unit,
        "would_be": "allowed" if one.allows else "refused",
        "rules": [
            {"rule": said.rule, "id": said.id, "then": said.then, "now": said.now} for said in one.rules
        ],
        "values": dict(one.values),
        "personal": list(one.personal),
        "folded": list(one.folded),
    }  # fmt: skip


def _tell(judged: Judged, owner: Callable[[Difference], str | None]) -> None:
    totals = _totals(judged)
    line(f"重新判断 {totals['decisions']} 个决定 decisions judged again", style="bold")
    line(
        f"本来办理、将被拒绝 would be refused {totals['would_be_refused']}；"
        f"本来被拒、将可办理 would be allowed {totals['would_be_allowed']}；"
        f"无法判定 open {totals['open']}；未进入判断 unheard {totals['unheard']}"
    )
    if totals["folded"]:
        line(f"{totals['folded']} 个决定读取了事件未记录的值，取自当时的日志 read values folded from the trail")
    for (rule, key), count in sorted(judged.open.items()):
        line(f"  ? {rule}：{count} 个决定缺 {key}，无从得知 lack it", style="yellow")
    if not judged.differences:
        line("没有任何决定会不同。No decision would have been otherwise.", style="green")
        return
    titles = {"by_rule": ("规则 rule", "按规则 By rule"), "by_unit": ("单位 unit", "按单位 By unit"),
              "by_approver": ("办理人 who", "按办理人 By approver")}  # fmt: skip
    for name, rows in _by(judged).items():
        column, title = titles[name]
        table((column, "将被拒绝 refused", "将可办理 allowed"), rows[:_MOST_SHOWN], title)
    each = [_row(one, owner) for one in judged.differences[:_MOST_SHOWN]]
    shown = f"逐件 Each（{len(each)} / {len(judged.differences)}）"
    table(
        ("时间\nwhen", "学号\nstudent", "步骤\nstep", "办理人\nwho", "结果\nwould be", "规则与值\nrules, values"),
        each,
        shown,
    )


def _row(one: Difference, owner: Callable[[Difference], str | None]) -> tuple[str, ...]:
    verdicts = "\n".join(f"{said.id} {said.rule}：{said.then} → {said.now}" for said in one.rules)
    values = "，".join(f"{key}={value}" for key, value in one.values.items())
    hidden = "，".join(f"{key}（个人信息 personal）" for key in one.personal)
    told = "\n".join(part for part in (verdicts, values, hidden) if part)
    would_be = "可办理 allowed" if one.allows else "被拒绝 refused"
    return (long_moment(one.at), owner(one) or one.chain, one.trigger, one.actor, would_be, told)
