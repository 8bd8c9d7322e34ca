"""From a path within a definition to a fault that names file, line and column.

A fault begins with the Chinese label of its code, then says in English what, where and the nearest
right answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import Fault
from engine.loading.nodes import Node, Place

LABELS: Mapping[str, str] = {
    "against-not-open": "反对后无路可走",
    "double-firing": "同一步骤被触发两次",
    "effect-asks": "联动未给出必填项",
    "effect-cycle": "联动循环",
    "effect-not-allowed": "对方步骤不允许联动",
    "expression": "表达式有误",
    "gap": "分支遗漏",
    "invariant": "不变式写法有误",
    "invariant-broken": "不变式会被打破",
    "leaves-final": "终态不能再办理",
    "missing-key": "缺少必填项",
    "moves-identity": "案件对象不可更改",
    "name-clash": "名称重复使用",
    "never-ending": "永远办不完",
    "never-fails": "永远成立",
    "never-full": "签字数永远不够",
    "never-holds": "永远不成立",
    "no-way-out": "无法走到终态",
    "nobody-can": "无人可以办理",
    "nobody-waits": "无人接办",
    "not-a-writer": "不由此人填写",
    "not-decided": "未能判定",
    "nothing-asks": "没有步骤要写此类理由",
    "nothing-fires": "没有联动触发此步骤",
    "one-person-alone": "一人可办到底",
    "one-sided": "互斥须双方都写",
    "opening-lacks": "联动开立缺少对象",
    "overlap": "分支重叠",
    "reads-the-clock": "截止日期不得读取当前时间",
    "retract-effect": "此步骤不可撤回",
    "rule-in-use": "规则仍在使用",
    "rule-unused": "规则未被使用",
    "signed-while-open": "名单未冻结不能签字",
    "slots-may-be-empty": "可能无人需要签字",
    "stuck": "卡死",
    "syntax": "格式有误",
    "timer": "定时步骤有误",
    "too-large": "情形过多",
    "trap": "退路全被无法补救的条件堵住",
    "twice": "重复定义",
    "uncapped-loop": "可无限循环",
    "unknown-batch": "没有这个批次类型",
    "unknown-choice": "没有这个代码",
    "unknown-deadline": "没有这个期限",
    "unknown-document": "没有这份材料",
    "unknown-fact": "没有这项信息",
    "unknown-field": "没有这个字段",
    "unknown-function": "没有这个函数",
    "unknown-group": "没有这个信息组",
    "unknown-key": "没有这个键",
    "unknown-list": "没有这个名单",
    "unknown-message": "没有这种消息",
    "unknown-name": "没有这个名称",
    "unknown-path": "没有这个路径",
    "unknown-profile": "没有这个机构类型",
    "unknown-role": "没有这个角色",
    "unknown-rule": "没有这条规则",
    "unknown-slot": "没有这个签字栏",
    "unknown-state": "没有这个状态",
    "unknown-table": "没有这张表",
    "unknown-trigger": "没有这个步骤",
    "unknown-type": "没有这个类型",
    "unknown-unit": "没有这类单位",
    "unknown-workflow": "没有这个流程",
    "unreachable": "无法到达",
    "wrong-value": "取值不符",
}
"""What each code is called on the screen of a registrar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong, before it is placed.

    `offset` counts characters into an expression; `asked_by` is the workflow whose use of a rule brought it out.
    """

    code: str
    message: str
    offset: int = 0
    is_warning: bool = False
    asked_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """Where everything stands: a tree per definition or kind of file, the lines of every file."""

    trees: Mapping[str, Node]
    lines: Mapping[str, Sequence[str]]

    def tree_of(self, name: str, profile: str) -> str:
        """The name of the tree a profile reads: its own where the files have a variant for it."""
        varied = varied_key(name, profile)
        return varied if varied in self.trees else name

    def fault(self, tree: str, path: Sequence[str | int], finding: Finding) -> Fault:
        """A fault at the value a path leads to."""
        node = self.trees[tree].at(path)
        inset = node.inset + finding.offset if isinstance(node.value, str) else 0
        place = Place(file=node.place.file, line=node.place.line, column=node.place.column + inset)
        return placed(finding, place if finding.offset else node.place, self.lines)

    def fault_at_key(self, tree: str, path: Sequence[str | int], finding: Finding) -> Fault:
        """A fault at the last key of a path."""
        return placed(finding, self.trees[tree].place_of_key(path), self.lines)


def placed(finding: Finding, place: Place, lines: Mapping[str, Sequence[str]]) -> Fault:
    """The fault of a finding, with the line it stands on."""
    text = lines.get(place.file, ())
    excerpt = text[place.line - 1] if place.line <= len(text) else ""
    return Fault(
        file=place.file,
        line=place.line,
        column=min(place.column, len(excerpt) + 1) if excerpt else place.column,
        code=finding.code,
        message=f"{LABELS[finding.code]} · {finding.message}",
        excerpt=excerpt,
        is_warning=finding.is_warning,
    )


def key_of(workflow: str, profile: str) -> str:
    """The name of the tree of a workflow as a profile runs it."""
    return f"{workflow}@{profile}"


def varied_key(name: str, profile: str) -> str:
    """The name of the tree of a kind of file under `rules/` as a profile reads it."""
    return f"rules/{name}@{profile}"
