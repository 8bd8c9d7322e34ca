"""Eligibility (毕业资格): for a whole batch, who may apply today and what stands in the others' way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from console import documents
from console.calling import Caller, Sitting
from console.printing import document, line, progress, stacked, table
from engine.actors import ONLOOKER, Actor
from engine.definition import Bilingual
from engine.desk import Desk
from engine.eligibility import Eligibility, application, eligibility

NOBODY = Actor(login=ONLOOKER)
"""Who asks where nobody's rights are asked."""


def show_eligibility(caller: Caller, batch: str, *, as_json: bool) -> int:
    """Judge every student of a batch, and change nothing."""
    with caller.sitting() as sitting:
        answers = _judge(sitting, batch)
        if as_json:
            document([documents.eligibility(one) for one in answers])
        else:
            _show(sitting.desk, batch, answers)
    return 0


def _judge(sitting: Sitting, batch: str) -> tuple[Eligibility, ...]:
    with progress(None, "审核资格 judging") as advance:
        return eligibility(sitting.desk, batch, sitting.request("eligibility", NOBODY), advance)


def _show(desk: Desk, batch: str, answers: Sequence[Eligibility]) -> None:
    row = desk.batch(batch)
    line(f"{row.title if row else ''} {batch}", style="bold")
    line(
        f"学生 {len(answers)} students：符合 {sum(map(_is_eligible, answers))} eligible，"
        f"不符合 {sum(map(_fails, answers))} failed，无法判定 {sum(map(_is_undecided, answers))} undecided"
    )
    if not answers:
        return
    _show_units(desk, answers)
    titles = rule_titles(desk, batch)
    rows = [
        (rule, titles.get(rule, rule), failed, undecided, not_applicable)
        for rule, (failed, undecided, not_applicable) in sorted(_by_rule(answers, titles).items())
    ]
    columns = ("规则 rule", "名称 title", "不符合 failed", "无法判定 undecided", "不适用 n/a")
    table(columns, rows, "按规则 By rule")


def _is_eligible(one: Eligibility) -> bool:
    return one.eligible


def _fails(one: Eligibility) -> bool:
    return bool(one.failed)


def _is_undecided(one: Eligibility) -> bool:
    return bool(one.undecided) and not one.failed


def _show_units(desk: Desk, answers: Sequence[Eligibility]) -> None:
    by_unit: dict[str, list[Eligibility]] = defaultdict(list)
    for one in answers:
        by_unit[one.unit].append(one)
    asked: tuple[Callable[[Eligibility], bool], ...] = (_is_eligible, _fails, _is_undecided)
    rows: list[list[str | int]] = [
        [unit, desk.units()[unit].name, len(some), *(sum(map(ask, some)) for ask in asked)]
        for unit, some in sorted(by_unit.items())
    ]
    columns = ("单位 unit", "名称 name", "学生 students", "符合 eligible", "不符合 failed", "无法判定 undecided")
    table(columns, rows, "按单位 By unit")


def _by_rule(answers: Sequence[Eligibility], asked: Mapping[str, str]) -> Mapping[str, tuple[int, int, int]]:
    """How often each rule fails, is undecided, does not apply; a rule nobody has trouble with is there too."""
    failed = Counter(rule for one in answers for rule in one.failed)
    undecided = Counter(rule for one in answers for rule in one.undecided)
    not_applicable = Counter(rule for one in answers for rule in one.not_applicable)
    rules = {*asked, *failed, *undecided, *not_applicable}
    return {rule: (failed[rule], undecided[rule], not_applicable[rule]) for rule in rules}


def rule_titles(desk: Desk, batch: str) -> Mapping[str, str]:
    """The titles of the rules one applies under, by id, ready for a table."""
    row = desk.batch(batch)
    if row is None:
        return {}
    definition = desk.library.record(row.profile)
    machine = desk.machine(desk.hash_of(definition), row.rulebook)
    step = machine.step_anywhere(application(desk, batch))
    untitled = Bilingual(zh="—", en="—")
    return {guard.id: stacked(guard.rule.title or untitled) for guard in step.guards[: step.unless_from]}
