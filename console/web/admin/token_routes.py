"""The doors of tokens: one's own, and those of the own people."""

from __future__ import annotations

from fastapi import Response

from console.access.programs import PROVED_FOR
from console.web.admin import people, tokens
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFaults
from console.web.visit import Visit

doors = Doors()
_FIELDS = ("name", "scopes", "days")


@doors.get("/me/tokens", to=Audience.SIGNED_IN)
def my_tokens(visit: Visit, said: str = "") -> Response:
    """One's own tokens, and making one."""
    return _own(visit, said=said)


def _own(visit: Visit, *, said: str = "", made: str = "", problem: FieldFaults | None = None) -> Response:
    tokens.refuse_others(visit)
    faults = () if problem is None else problem.faults
    reasons = {one.field: one.reason for one in faults}
    given = visit.form if faults else {}
    return visit.page(
        "admin/own_tokens.html",
        status=422 if faults else 200,
        lines=tokens.lines(visit, visit.login),
        scopes=[(f"scope_{name}", visit.say(text), f"scope_{name}" in given) for name, text in tokens.SCOPES.items()],
        spans=[(str(one), visit.say("有效 {n} 天", n=one)) for one in tokens.SPANS],
        proved_for=PROVED_FOR.days,
        said=said,
        made=made,
        faults=faults,
        reasons={name: reasons.get(name, "") for name in _FIELDS},
        given={"name": given.get("name", ""), "days": given.get("days", "90")},
    )


@doors.post("/me/tokens", to=Audience.SIGNED_IN)
def make_token(visit: Visit) -> Response:
    """Make a token of one's own; it is shown on this page alone."""
    tokens.refuse_others(visit)
    visit.demand_fresh_proof(visit.say("生成接口令牌"))
    try:
        return _own(visit, made=tokens.make(visit))
    except FieldFaults as problem:
        return _own(visit, problem=problem)


@doors.post("/me/tokens/end", to=Audience.SIGNED_IN)
def end_token(visit: Visit) -> Response:
    """End a token of one's own at once."""
    tokens.refuse_others(visit)
    tokens.end(visit, visit.login)
    return visit.go("/me/tokens?said=ended")


@doors.post("/admin/people/{login}/tokens/end", to=Audience.SECURITY_ADMIN)
def admin_end_token(visit: Visit, login: str) -> Response:
    """End a token of somebody's at once."""
    somebody = people.person(visit, login)
    visit.demand_fresh_proof(visit.say("作废接口令牌"))
    tokens.end(visit, login)
    return visit.go(f"{somebody.address}?said=token")
