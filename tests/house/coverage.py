"""`docs/coverage.md`: every requirement, and what answers it.

`python -m tests.house.coverage` writes it from the definitions and from `docs/coverage/requirements.yaml`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.library import Library
from engine.loading.folder import load
from rules.functions import FUNCTIONS
from tests.house.answers import Answers
from tests.house.citations import Citations, citations
from tests.house.requirements import Part, Reference, Requirement, read_parts
from tests.house.source import ROOT

PAGE = Path("docs/coverage.md")

_DRAFT = "来源只有名称，步骤为草案，只在演练库开立"
_HEAD = """\
# 需求落实情况 Coverage

每条需求由哪个流程、条件、期限、表格、命令或代码落实；没有落实的写明原因。
本页由 `python -m tests.house.coverage` 从定义与[清单](coverage/requirements.yaml)生成，测试保证两者一致，不手工修改。

*Every requirement, and the procedure, rule, deadline, form, command or code that answers it, or why it is not built.
Made from the definitions and the [list](coverage/requirements.yaml); a test keeps it in step.*

编号沿用需求说明：S 来源条款，W 流程，G 条件，D 期限，F 表格，E 证据文件，EM 证据矩阵，INV 审计不变式；
以数字开头的是说明中没有编号的计日与格式条款。
"""
_OWN = """\
## 自编编号

需求说明的目录里没有、为落实条款而加的条件、表格与期限。

*Rules, forms and deadlines beyond the catalogue, added to answer a clause.*

| 编号 | 内容 | 落实于 | 适用 |
|---|---|---|---|
"""


class Standing(StrEnum):
    """How far a requirement is met."""

    MET = "落实"
    PARTLY = "部分"
    NOT_BUILT = "未建"
    BACKGROUND = "背景"
    UNANSWERED = "无答复"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One requirement with everything that answers it."""

    id: str
    title: str
    standing: Standing
    answers: tuple[Reference, ...]
    reason: str | None
    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The list of requirements beside the definitions."""

    library: Library
    parts: tuple[Part, ...]
    cited: Citations
    answers: Answers

    def rows(self, part: Part) -> tuple[Row, ...]:
        """The requirements of a part, in its order."""
        return tuple(self._row(one, part) for one in part.requirements)

    def _row(self, one: Requirement, part: Part) -> Row:
        answers = tuple(dict.fromkeys((*self.cited.answers.get(one.id, ()), *one.answers)))
        reason = one.background or one.not_built or self._draft(one.id)
        own = (part.profile,) if part.profile is not None else self.cited.profiles.get(one.id)
        return Row(
            id=one.id,
            title=one.title or self.cited.titles.get(one.id, ""),
            standing=_standing(one, answers, reason),
            answers=answers,
            reason=reason,
            profiles=self.answers.run_by(answers) if own is None else own,
        )

    def _draft(self, procedure: str) -> str | None:
        """That the steps are a draft, and for whom if not for everybody who runs them."""
        drafts = self.cited.drafts.get(procedure)
        if drafts is None:
            return None
        if set(drafts) == set(self.cited.profiles[procedure]):
            return _DRAFT
        known = self.library.rulebook.organisation.profiles
        return f"{'、'.join(known[one].title.zh for one in drafts)}：{_DRAFT}"


def coverage(home: Path = ROOT) -> Coverage:
    """What is covered in the project as it lies on disk."""
    library = load(home, FUNCTIONS)
    return Coverage(
        library=library,
        parts=read_parts(home),
        cited=citations(library),
        answers=Answers(home=home, library=library),
    )


def page(found: Coverage) -> str:
    """The text of `docs/coverage.md`."""
    tables = [(part, found.rows(part)) for part in found.parts]
    pieces = [_HEAD, _summary(tables), *(_table(found, part, rows) for part, rows in tables)]
    return "\n".join([*pieces, _OWN + "".join(_own_rows(found))])


def _standing(one: Requirement, answers: tuple[Reference, ...], reason: str | None) -> Standing:
    if one.background is not None:
        return Standing.BACKGROUND
    if reason is not None:
        return Standing.PARTLY if answers else Standing.NOT_BUILT
    return Standing.MET if answers else Standing.UNANSWERED


def _summary(tables: Iterable[tuple[Part, tuple[Row, ...]]]) -> str:
    shown = [one for one in Standing if one is not Standing.UNANSWERED]
    lines = [f"| 部分 | 条数 | {' | '.join(shown)} |", "|---|--:|" + "--:|" * len(shown)]
    total: Counter[Standing] = Counter()
    for part, rows in tables:
        count = Counter(row.standing for row in rows)
        total += count
        anchor = f"[{part.section} {part.title.zh}](#{_anchor(part)})"
        lines.append(f"| {anchor} | {len(rows)} | {' | '.join(str(count[one]) for one in shown)} |")
    lines.append(f"| 合计 | {total.total()} | {' | '.join(str(total[one]) for one in shown)} |")
    return "\n".join([*lines, ""])


def _table(found: Coverage, part: Part, rows: tuple[Row, ...]) -> str:
    notes = [part.note.zh, "", f"*{part.note.en}*", ""] if part.note is not None else []
    lines = [f"## {part.section} {part.title.zh} {part.title.en}", "", *notes, "| 编号 | 要求 | 情况 | 落实于 | 适用 |"]
    body = [
        f"| {row.id} | {row.title} | {row.standing} | {_answers(found, row)} | {_profiles(found, row.profiles)} |"
        for row in rows
    ]
    return "\n".join([*lines, "|---|---|---|---|---|", *body, ""])


def _anchor(part: Part) -> str:
    """The anchor of a heading, as code forges make it."""
    heading = f"{part.section} {part.title.zh} {part.title.en}".lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def _answers(found: Coverage, row: Row) -> str:
    links = "；".join(found.answers.link(one) for one in row.answers)
    if row.reason is None:
        return links
    word = "" if row.standing is Standing.BACKGROUND else "尚缺：" if links else "未建："
    return "<br>".join(part for part in (links, f"{word}{row.reason}") if part)


def _profiles(found: Coverage, profiles: tuple[str, ...]) -> str:
    known = found.library.rulebook.organisation.profiles
    others = [one.title.zh for name, one in known.items() if name not in profiles]
    if not others or not profiles:
        return "全部"
    return f"除{others[0]}外" if len(others) == 1 else "、".join(known[one].title.zh for one in profiles)


def _own_rows(found: Coverage) -> Iterator[str]:
    listed = {one.id for part in found.parts for one in part.requirements}
    for one in sorted(found.cited.titles.keys() - listed):
        answers = "；".join(found.answers.link(where) for where in found.cited.answers[one])
        yield f"| {one} | {found.cited.titles[one]} | {answers} | {_profiles(found, found.cited.profiles[one])} |\n"


def main() -> None:
    """Write the page."""
    (ROOT / PAGE).write_text(page(coverage()), encoding="utf-8")


if __name__ == "__main__":
    main()
