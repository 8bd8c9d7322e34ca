"""The tables of administrators' pages as they are taken along: people, units, delegations, mails, changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from console.web import forms
from console.web.admin import absences, access, changes, delegations, outbox, people, tokens, units
from console.web.auditing.frame import scope_of
from console.web.lettering import local
from console.web.shown import FEWER_THAN_ALL, Shown, both, minute
from console.web.visit import Visit
from exchange.cells import Cell


def _people(visit: Visit) -> Shown:
    """Everybody with every role, or those of the posted `typed`, which is a name and told to nobody."""
    typed = visit.form.get("typed", "")
    page = people.find(visit, typed, FEWER_THAN_ALL) if typed else people.people(visit, "", FEWER_THAN_ALL)
    givers, none = people.named_givers(visit, page.people), visit.say("没有角色")
    disabled, enabled = visit.say("已停用"), visit.say("可登录")
    rows = (
        (
            one.name, one.login, role.title if role else none, role.unit if role else None,
            local(role.since).date() if role else None,
            givers.get((one.login, role.name, role.code)) if role else None,
            disabled if one.is_disabled else enabled,
        )
        for one in page.people
        for role in one.roles or (None,)
    )  # fmt: skip
    return Shown("人员与角色", both("姓名", "用户", "角色", "单位", "始于", "由谁给", "登录"), rows, "")


def _roles(visit: Visit) -> Shown:
    """The roles of one person, whom the form names (`of`): the event tells of nobody."""
    somebody = people.person(visit, visit.form.get("of", ""))
    givers = people.named_givers(visit, [somebody])
    rows = [
        (
            somebody.name, somebody.login, role.title, role.unit, role.code, local(role.since).date(),
            givers.get((somebody.login, role.name, role.code)),
        )
        for role in somebody.roles
    ]  # fmt: skip
    return Shown("现有角色", both("姓名", "用户", "角色", "单位", "代码", "始于", "由谁给"), rows, "")


def _tokens(visit: Visit) -> Shown:
    """The tokens of one person, whom the form names (`of`)."""
    somebody = people.person(visit, visit.form.get("of", ""))
    rows = [(somebody.name, somebody.login, *one) for one in _token_rows(visit, somebody.login)]
    return Shown("接口令牌", both("姓名", "用户", *_OF_TOKENS), rows, "")


def own_tokens(visit: Visit) -> Shown:
    """One's own tokens; they are nobody else's, so that nobody is named.

    Raises:
        NotFound: If the visitor holds no role.
    """
    tokens.refuse_others(visit)
    return Shown("接口令牌", both(*_OF_TOKENS), list(_token_rows(visit, visit.login)), "", names_people=False)


_OF_TOKENS = ("用途", "范围", "自", "至", "最近使用", "状况", "本人验证")


def _token_rows(visit: Visit, login: str) -> Iterator[tuple[Cell, ...]]:
    unproved = visit.say("未经本人验证，或已过期限")
    for one in tokens.lines(visit, login):
        used = visit.say("从未") if one.used_at is None else minute(one.used_at)
        doubt = unproved if one.is_good and not one.is_proved else None
        yield one.name, one.scopes, minute(one.made_at), minute(one.until), used, one.standing, doubt


def _units(visit: Visit) -> Shown:
    at = visit.request.query_params.get("at", "")
    rows = [(one.name, one.code, one.kind, one.open, one.phone or None) for one in units.tree(visit, at, None)]
    heads = both("名称", "代码", "类别", "在办", "联系电话")
    return Shown("单位", heads, rows, f"at={at}" if at else "", names_people=False)


def _delegations(visit: Visit) -> Shown:
    """What is lent, with `over` what was; with `refused` what was not done of late."""
    asked = visit.request.query_params
    if asked.get("refused"):
        heads = both("时间", "委派人", "受托人", "角色", "单位", "为什么")
        refused = [
            (minute(one.at), one.giver, one.taker, one.role, one.unit, "；".join(one.why))
            for one in delegations.refused(visit)
        ]
        return Shown("没有办成的委派", heads, refused, "refused=1")
    is_over = bool(forms.number(asked.get("over", "")))
    rows = [
        (
            one.one.giver_name, one.one.taker_name, one.role, one.unit,
            visit.say("仅一件") if one.one.case else None, "；".join(delegations.steps_of(visit, one.one.role)),
            minute(one.one.since), minute(one.one.until), one.one.reason,
        )
        for one in delegations.lent(visit, None, FEWER_THAN_ALL, is_over=is_over)
    ]  # fmt: skip
    heads = both("委派人", "受托人", "角色", "单位", "仅一件", "能办", "自", "至", "理由")
    return Shown("委派一览", heads, rows, "over=1" if is_over else "")


def _absences(visit: Visit) -> Shown:
    rows = [
        (
            one.name, one.one.login, one.unit, one.one.first, one.one.last, one.waiting,
            "；".join(f"{gap.unit} · {gap.role}" for gap in one.gaps) or None, one.teller or visit.say("本人"),
            None if one.one.told_at is None else minute(one.one.told_at), one.one.reason,
        )
        for one in absences.page(visit, most=FEWER_THAN_ALL)
    ]  # fmt: skip
    heads = both(
        "人员",
        "用户",
        "单位",
        "第一天",
        "最后一天",
        "在等的件数",
        "没有别人能办的",
        "由谁登记",
        "登记时间",
        "理由",
    )
    return Shown("不在岗", heads, rows, "")


def _outbox(visit: Visit) -> Shown:
    state = visit.request.query_params.get("state", "unknown")
    rows = [
        (one.number, one.to, one.address, one.slot, one.attempts, minute(one.changed_at), one.answer or None)
        for one in outbox.outbox(visit, state, None, FEWER_THAN_ALL).lines
    ]
    heads = both("编号", "收件人", "邮箱", "内容", "次数", "变更于", "答复")
    return Shown("邮件", heads, rows, f"state={state}")


def _changes(visit: Visit) -> Shown:
    return _changes_at(visit, access.own_paths(visit))


def audited_changes(visit: Visit) -> Shown:
    """What was changed at the units one audits."""
    return _changes_at(visit, scope_of(visit).paths)


def _changes_at(visit: Visit, paths: Sequence[str]) -> Shown:
    rows = [
        (minute(one.at), one.who, one.login, one.what, one.seq)
        for one in changes.page(visit, paths, None, FEWER_THAN_ALL).lines
    ]
    return Shown("变更记录", both("时间", "谁", "用户", "改了什么", "记录号"), rows, "")


ADMINISTERED: Mapping[str, Callable[[Visit], Shown]] = {
    "people": _people, "units": _units, "delegations": _delegations, "absences": _absences, "outbox": _outbox,
    "changes": _changes,
}  # fmt: skip
"""By the last part of their page's address, which says whose they are (`frame.PLACES`)."""
OF_PERSON: Mapping[str, Callable[[Visit], Shown]] = {"person-roles": _roles, "person-tokens": _tokens}
"""What stands on the page of one of the people (`/admin/people`)."""
