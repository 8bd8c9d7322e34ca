"""Tokens by which programs act for people: one's own made and ended, those of the own people seen and ended.

Nobody makes a token for somebody else here: who has it acts as that person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from console.access.programs import Scope, Wish, is_proved, issue, longest
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine.store import api_tokens
from engine.store.api_tokens import TokenRow
from engine.tokens import end_tokens

SCOPES: Mapping[str, str] = {
    Scope.READ: "查看", Scope.DECIDE: "提交办理", Scope.IMPORT: "导入", Scope.AUDIT: "审计", Scope.ADMIN: "管理",
}  # fmt: skip
"""What a token may be used for, by the words of the page."""
SPANS = (7, 30, 90, 180, 365)
"""For how many days one can be made."""
_LONGEST_NAME = 40


class Line(NamedTuple):
    """A token in words: what it is for, what it may be used for, from when until when, last used, how it stands.

    `is_proved`: it may do what pages ask a fresh proof for.
    """

    name: str
    scopes: str
    made_at: datetime
    until: datetime
    used_at: datetime | None
    standing: str
    is_good: bool
    is_proved: bool


def lines(visit: Visit, login: str) -> list[Line]:
    """A person's tokens, newest first; never a token itself."""
    return [_line(visit, one) for one in api_tokens.tokens_of(visit.desk.connection, login)]


def _line(visit: Visit, one: TokenRow) -> Line:
    ended = visit.say("已终止") if one.revoked_at is not None else visit.say("已过期")
    is_good = one.is_good(visit.at)
    standing = visit.say("有效") if is_good else ended
    scopes, proved = scopes_said(visit, one.scopes), is_proved(one, visit.at)
    return Line(one.name, scopes, one.made_at, one.expires_at, one.used_at, standing, is_good, proved)


def scopes_said(visit: Visit, scopes: frozenset[str]) -> str:
    """Scopes in words, in their order."""
    return visit.say("、").join(visit.say(text) for name, text in SCOPES.items() if name in scopes)


def refuse_others(visit: Visit) -> None:
    """Let only those go on who hold a role: students have no programs.

    Raises:
        NotFound: If the visitor holds none.
    """
    if not visit.actor.grants:
        raise NotFound


def make(visit: Visit) -> str:
    """Make a token of one's own as the form says; it is returned this once.

    Raises:
        FieldFaults: If it has no name, or that of another that is good, no scope, or no span, or too long a one.
    """
    name, chosen = visit.form.get("name", ""), [one for one in SCOPES if f"scope_{one}" in visit.form]
    days, faults = visit.form.get("days", ""), []
    own = api_tokens.tokens_of(visit.desk.connection, visit.login)
    if not name or len(name) > _LONGEST_NAME:
        why = visit.say("写 1 至 {n} 个字", n=_LONGEST_NAME)
        faults.append(FieldFault("name", visit.say("用途"), why))
    elif any(one.name == name and one.is_good(visit.at) for one in own):
        why = visit.say("已有同名的有效令牌，请先作废或另起名")
        faults.append(FieldFault("name", visit.say("用途"), why))
    if not chosen:
        faults.append(FieldFault("scopes", visit.say("范围"), visit.say("请至少选一项")))
    if days not in map(str, SPANS):
        faults.append(FieldFault("days", visit.say("有效天数"), visit.say("请选择")))
    elif timedelta(days=int(days)) > (most := longest(chosen)):
        why = visit.say("含“管理”的最多 {n} 天", n=most.days)
        faults.append(FieldFault("days", visit.say("有效天数"), why))
    if faults:
        raise FieldFaults(faults)
    proved_at = None if visit.session is None else visit.session.stepped_up_at
    wish = Wish(visit.login, name, chosen, timedelta(days=int(days)), proved_at)
    return issue(visit.desk, wish, visit.at, visit.login)


def end(visit: Visit, login: str) -> None:
    """End a person's tokens of the name that the form gives.

    Raises:
        NotFound: If none of that name is good.
    """
    if not end_tokens(visit.desk, login, visit.form.get("name", ""), at=visit.at, actor=visit.login):
        raise NotFound
