"""The page of each fault: what happened, what to do, where to go on (the console's specification, section 6)."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Response

from console.web import kept
from console.web.faults import Doubted, FieldFaults, FreshProofWanted, NotFound, status_of
from console.web.visit import Visit
from engine.errors import NotAllowed, Unknown, XuejiError
from engine.store import people, registry
from engine.store.kept_forms import KeptForm


def fault_page(visit: Visit, problem: XuejiError) -> Response:
    """The answer to a request that could not be served as asked; nothing of it was kept."""
    if isinstance(problem, FreshProofWanted):
        return visit.go(f"/sign-in/again?{urlencode({'next': kept.for_proof(visit, problem.purpose)})}")
    status = status_of(problem)
    sentence, hints = _told(visit, problem)
    return visit.page(
        "fault.html",
        status=status,
        sentence=sentence,
        hints=hints,
        faults=problem.faults if isinstance(problem, FieldFaults) else (),
        number=visit.request.scope["state"]["number"],
        origin=visit.wanted if isinstance(problem, Doubted) else "/",
    )


def kept_page(visit: Visit, form: KeptForm) -> Response:
    """A form that was sent and not done, with what stood in it, to be sent again; `visit.told` says why."""
    words = {
        "reason": visit.say("理由"), "text": visit.say("备注"), "vote": visit.say("您的意见"),
        "name": visit.say("名称"),
    }  # fmt: skip
    votes = {"yes": visit.say("同意"), "no": visit.say("不同意")}
    typed = [
        (words[name], votes.get(text, text) if name == "vote" else text)
        for name, text in form.pairs or () if name in words and text
    ]  # fmt: skip
    return visit.page("kept.html", form=form, typed=typed)


def _told(visit: Visit, problem: XuejiError) -> tuple[str, tuple[str, ...]]:
    if isinstance(problem, NotFound | Unknown) and not visit.form:
        return visit.say("没有这个页面，或您无权查看"), ()
    if isinstance(problem, NotAllowed):
        return _not_allowed(visit, problem), ()
    if isinstance(problem, FieldFaults):
        return visit.say("有 {n} 处要改", n=len(problem.faults)), ()
    return in_language(str(problem), visit.lang), ()


def _not_allowed(visit: Visit, problem: NotAllowed) -> str:
    """Whom it needs, what the person is, and whom to ask: there, or near the person where no place is said."""
    roles = visit.desk.library.rulebook.organisation.roles
    wanted = " / ".join(visit.title(roles[one].title) if one in roles else one for one in problem.roles)
    units = visit.desk.units()
    there = [units[code] for code in problem.unit.split("、") if code in units]
    near = there or [units[grant.unit] for grant in visit.actor.grants if grant.unit in units]
    own = {grant.role for grant in visit.actor.grants}
    mine = "、".join(visit.title(roles[one].title) for one in sorted(own) if one in roles)
    able = [
        login
        for one in problem.roles
        for unit in near
        for login in registry.holders(visit.desk.connection, one, unit.path)
    ]
    called = people.named(visit.desk.connection, able[:1], None)[0]
    return visit.say(
        "办这件事要“{role}”（{unit}）；您是{yours}。可找 {name}",
        role=wanted, unit="、".join(unit.name for unit in there) or "—", yours=mine or "—",
        name=next((called.get(one, one) for one in able), "—"),
    )  # fmt: skip


def in_language(text: str, lang: str) -> str:
    """The half of a sentence pair that a reader wants: our errors say the same in Chinese, then in English.

    Texts of one language only are given whole.
    """
    cut = max(text.rfind(mark) for mark in "。！？") + 1
    zh, en = text[:cut].strip(), text[cut:].strip()
    if not zh or not en:
        return text
    return zh if lang == "zh" else en
