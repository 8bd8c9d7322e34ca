"""A student's own, for the school's application: where one is, what to do, and handing papers in.

Confirming the own data, reporting what is wrong, applying: each is one of `steps`, taken as any step is; a change of
information is opened as any case is. Signing is not here: a student signs in person, on the page.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import File, Form, UploadFile

from console.access.programs import Scope
from console.api.answers import verdict, words
from console.api.answers_my import HandedInOut, MyOut, OthersTodoOut, OwnCaseOut, OwnStepOut, TodoOut
from console.api.doors import ApiDoors, Call
from console.api.errands import Word, errand
from console.api.routes import Key, Number
from console.web.audiences import Audience
from console.web.my.reading import Own, OwnStep, read_own
from console.web.my.todos import lacking_papers, takes_papers
from console.web.my.uploading import case_of_papers, hand_in
from console.web.my.view import my_view
from engine.records import Case

doors = ApiDoors()


@doors.door("GET", "/my", scope=Scope.READ, to=Audience.STUDENT)
def my(call: Call) -> MyOut:
    """Where I am, what I must do, until when; and the steps that are mine to take."""
    own = read_own(errand(call))
    view = my_view(own, "zh")
    return MyOut(
        answer=view.answer.value,
        state=words(view.state),
        due_at=None if view.due_at is None else view.due_at.isoformat(),
        todos=[
            TodoOut(
                title=words(one.title),
                said=words(one.said),
                due_at=None if one.due_at is None else one.due_at.isoformat(),
                blocked=[verdict(why) for why in one.blocked],
            )
            for one in view.todos.open
        ],
        others=[
            OthersTodoOut(title=words(one.title), said=words(one.said), role=words(one.role))
            for one in view.todos.others
        ],
        steps=[_step(one) for one in own.steps],
        cases=[_case(own, one) for one in own.cases],
    )


def _step(one: OwnStep) -> OwnStepOut:
    transition = one.step.transition
    return OwnStepOut(
        number=one.case.number,
        trigger=one.trigger,
        title=words(transition.title),
        revision=one.case.revision,
        asks=list(one.step.asked),
        writes=sorted(one.writes),
        needs=list(transition.needs),
        refusing=[verdict(why) for why in one.refusing],
    )


def _case(own: Own, case: Case) -> OwnCaseOut:
    return OwnCaseOut(
        number=case.number,
        workflow=case.workflow,
        state=case.state,
        revision=case.revision,
        takes=list(takes_papers(own, case)),
        lacking=[verdict(why) for why in lacking_papers(own, case)],
    )


@doors.door("POST", "/my/cases/{number}/documents", scope=Scope.DECIDE, to=Audience.STUDENT)
def upload(
    call: Call,
    number: Number,
    kind: Annotated[Word, Form(min_length=1, description="One of those that the case `takes`")],
    file: Annotated[UploadFile, File(description="The picture; what it is, is read from its bytes")],
    key: Key,
) -> HandedInOut:
    """Hand a paper in on an own case; what does not fit is an answer with every reason."""
    visit = errand(call, kind=kind, request=call.own(key))
    visit.sent = file
    own = read_own(visit)
    case = case_of_papers(own, number)
    refused = hand_in(visit, own, case)
    return HandedInOut(number=case.number, kind=kind, done=not refused, refused=[words(why) for why in refused])
