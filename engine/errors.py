"""Everything that can be wrong with a call, one class per situation.

A refusal is not here: it is an answer (`engine.records.Refused`). These are the caller's mistakes and broken data.

    XuejiError
    ├── DefinitionFaults       a file under workflows/ or rules/ cannot be used
    ├── TransitionNotOpen      the case is not in a state this trigger leaves
    ├── NotAllowed             the person does not hold a role this step asks for, here
    ├── StaleCase              somebody was faster, or the page is old
    ├── NotRetractable         a step that cannot be taken back, or not by this person
    ├── RuleInUse              a rulebook lacks a rule that open cases ask
    ├── AlreadyOpen            there is one already
    ├── SeveralOpen            several cases could be meant: name one
    ├── NotNow                 a term that has not begun, or is over
    ├── Unknown                no student, unit, user, batch, workflow, case, rule of that name
    ├── Unreadable             a given value is not of its kind
    ├── ContentsErased         what was asked for was erased at a person's request
    ├── Misplaced              a unit or a role where the organisation does not allow it
    └── RolesApart             two roles that nobody holds together
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """One thing wrong with a definition file, placed; lines and columns count from 1."""

    file: str
    line: int
    column: int
    code: str
    message: str
    excerpt: str = ""
    is_warning: bool = False

    def __str__(self) -> str:
        """The fault as editors understand it, then the line with a caret."""
        head = f"{self.file}:{self.line}:{self.column}: {self.code}: {self.message}"
        return f"{head}\n{self.excerpt}\n{' ' * (self.column - 1)}^" if self.excerpt else head


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest right words, or the empty string; ready to be put behind a full stop."""
    words = sorted(known)
    close = get_close_matches(word, words, n=1, cutoff=0.6) or [one for one in words if word and one.startswith(word)]
    if close:
        return f" Did you mean '{close[0]}'?"
    return f" Known: {', '.join(words)}." if words and len(words) <= 12 else ""  # noqa: PLR2004 a line's worth


class XuejiError(Exception):
    """The root of what xueji raises; its text is meant for the person who can act."""


class DefinitionFaults(XuejiError):
    """Files under workflows/ or rules/ cannot be used; every fault is placed."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


class TransitionNotOpen(XuejiError):
    """The case is not in a state this trigger leaves."""

    def __init__(self, trigger: str, state: str, open_triggers: Iterable[str]) -> None:
        self.trigger, self.state, self.open_triggers = trigger, state, tuple(open_triggers)
        hint = nearest(trigger, self.open_triggers) if self.open_triggers else " Nothing leads on from here."
        super().__init__(f"“{state}”状态下不能办理“{trigger}”。No transition '{trigger}' out of '{state}'.{hint}")


class NotAllowed(XuejiError):
    """The person does not hold a role this step asks for, at this unit or above it."""

    def __init__(self, login: str, trigger: str, roles: Iterable[str], unit: str) -> None:
        self.login, self.trigger, self.roles, self.unit = login, trigger, tuple(roles), unit
        wanted = " / ".join(self.roles) or "—"
        super().__init__(
            f"{login} 无权办理“{trigger}”：需要在 {unit} 或其上级担任 {wanted}。"
            f" {login} may not take '{trigger}': it needs {wanted} at {unit} or above."
        )


class StaleCase(XuejiError):
    """Somebody was faster, or the page is old: the case has moved on since it was seen."""

    def __init__(self, case: str, seen: int, now: int | None = None) -> None:
        self.case, self.seen, self.now = case, seen, now
        super().__init__(
            f"{case} 已被他人办理，请刷新后再试。{case} changed since it was seen (revision {seen}); look again."
        )


class NotRetractable(XuejiError):
    """The last thing that happened to the case is not the person's own step, or cannot be taken back."""

    def __init__(self, case: str, trigger: str) -> None:
        self.case, self.trigger = case, trigger
        super().__init__(
            f"{case} 的“{trigger}”不能撤回：须是本人最近一步、尚无人办理且定义允许撤回。"
            f" '{trigger}' of {case} cannot be taken back: it must be your own last step, untouched, and retractable."
        )


class RuleInUse(XuejiError):
    """A rulebook lacks rules that open cases ask; it cannot be published."""

    def __init__(self, lacking: Iterable[str]) -> None:
        self.lacking = tuple(lacking)
        lines = "\n".join(self.lacking)
        super().__init__(f"规则集缺少未办结业务所用的规则，不能发布。The rulebook cannot be published:\n{lines}")


class AlreadyOpen(XuejiError):
    """There is such a case already, and the workflow allows one."""

    def __init__(self, workflow: str, case: str, state: str) -> None:
        self.workflow, self.case, self.state = workflow, case, state
        super().__init__(f"已有“{workflow}”：{case}（{state}）。There is one already: {case} ({state}).")


class NotNow(XuejiError):
    """A term was said to have begun that is not the term of the day."""

    def __init__(self, term: str, running: Iterable[str]) -> None:
        self.term = term
        now = "、".join(sorted(running)) or "—"
        super().__init__(
            f"今天不在学期 {term} 内，或没有随学期开始的业务；现为 {now}，见校历。"
            f" It is not term {term} now, or nothing starts with a term; by the calendars it is {now}."
        )


class SeveralOpen(XuejiError):
    """Several open cases could be meant; their numbers tell them apart."""

    def __init__(self, about: str, cases: Iterable[tuple[str, str, str]]) -> None:
        self.about, self.cases = about, tuple(cases)
        lines = "".join(f"\n  {number} {workflow}（{state}）" for number, workflow, state in self.cases)
        many = len(self.cases)
        super().__init__(f"{about} 有 {many} 件未办结业务，请指明办件号。{many} cases are open; name one:{lines}")


class Unknown(XuejiError):
    """There is nothing of that name."""

    def __init__(self, what: str, name: str, known: Iterable[str] = ()) -> None:
        self.what, self.name = what, name
        super().__init__(f"没有{what}“{name}”。No {what} '{name}'.{nearest(name, known)}")


class Unreadable(XuejiError):
    """A given value is not of its kind."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        super().__init__(
            f"{name}：“{value}”无法识别，应为 {expected}。{name}: cannot read '{value}', expected {expected}."
        )


class ContentsErased(XuejiError):
    """A document is still told of, and what was in it has been erased."""

    def __init__(self, document: str, seq: int) -> None:
        self.document, self.seq = document, seq
        super().__init__(
            f"材料 {document} #{seq} 的内容已按本人信息的抹除销毁，仅存哈希。"
            f" The contents of {document} #{seq} were erased; only their hash is left."
        )


class Misplaced(XuejiError):
    """A kind of unit stands, or a role is held, where the organisation file does not allow it."""

    def __init__(self, what: str, kind: str, where: str, where_kind: str, allowed: Iterable[str]) -> None:
        self.what, self.kind, self.where, self.where_kind = what, kind, where, where_kind
        self.allowed = tuple(allowed)
        places = "、".join(self.allowed) or "最上级 the top"
        super().__init__(
            f"“{what}”（{kind}）不能设在 {where}（{where_kind}），应设在：{places}。"
            f" {what} ({kind}) cannot be at {where} ({where_kind}); allowed: {places}."
        )


class Named(Protocol):
    """What has a name in two languages."""

    @property
    def zh(self) -> str:
        """The Chinese name."""
        ...

    @property
    def en(self) -> str:
        """The English name."""
        ...


class Reserved(XuejiError):
    """A login that xueji itself goes by, so that no person can be called so."""

    def __init__(self, login: str) -> None:
        self.login = login
        super().__init__(
            f"系统自己用登录名“{login}”，请换一个。xueji itself goes by the login '{login}'; choose another."
        )


class RolesApart(XuejiError):
    """Two roles that nobody holds together: who looks after the system does not look after its traces."""

    def __init__(self, login: str, held: Named, wanted: Named) -> None:
        self.login = login
        super().__init__(
            f"{login} 不能同时担任{held.zh}与{wanted.zh}。"
            f" {login} cannot be both {held.en.lower()} and {wanted.en.lower()}."
        )


class NeedsAnother(XuejiError):
    """Who has proposed something does not approve it."""

    def __init__(self, login: str) -> None:
        super().__init__(f"须由另一人批准：{login} 是提交人。Another person must approve: {login} proposed it.")


class NothingNew(XuejiError):
    """A text says what is in force already."""

    def __init__(self, file: str) -> None:
        super().__init__(
            f"{file} 与现行的没有差别，无须发布。{file} says what is in force; there is nothing to publish."
        )


class WaitsAlready(XuejiError):
    """The same person has proposed the same text for the same file, and nobody has decided on it yet."""

    def __init__(self, file: str, number: int) -> None:
        self.number = number
        super().__init__(
            f"{file} 的同样文字您已提交，即第 {number} 号发布，正等另一人批准；要改日期或理由，请先撤回那一号。"
            f" You have proposed this text of {file} already: publication {number} waits for another person. To change"
            " its day or reason, withdraw it first."
        )
