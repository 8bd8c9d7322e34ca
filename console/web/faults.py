"""What goes wrong at a door, and the page that says so: what happened, what to do, and a number for support.

Source: the console's specification, section 6, "Errors".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from console.access.passwords import Crowded, WeakPassword
from console.access.refusals import MustWait, NotLetIn, WrongCode
from console.web.guarding import Doubt
from engine.errors import (
    AlreadyOpen,
    ContentsErased,
    Misplaced,
    NotAllowed,
    NotNow,
    NotRetractable,
    SeveralOpen,
    StaleCase,
    TransitionNotOpen,
    Unknown,
    Unreadable,
    XuejiError,
)
from engine.store.database import Busy


class NotFound(XuejiError):
    """There is no such page, or not for this person; which of the two is not said."""

    def __init__(self) -> None:
        super().__init__("没有这个页面，或您无权查看。No such page, or not for you.")


class Doubted(XuejiError):
    """A request that would change something was not shown to be meant by the person at the browser."""

    def __init__(self, why: Doubt) -> None:
        self.why = why
        super().__init__(
            "这不是从您现在打开的页面上发出的，没有办理；请刷新页面后再办。"
            "This did not come from a page you have open now; nothing was done. Reload the page and do it again."
        )


class FieldFault(NamedTuple):
    """One field of a form, what it is called on the page, and what is wrong with what stands in it."""

    field: str
    title: str
    reason: str


class FieldFaults(XuejiError):
    """A form with fields to mend; nothing was done."""

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("；".join(f"{one.title}——{one.reason}" for one in faults))


class Unread(XuejiError):
    """A form that cannot be read as one: more fields than anybody ticks, or broken on its way."""

    def __init__(self) -> None:
        super().__init__(
            "表单内容太多或传送中断，没有收下；请返回后分几次提交。"
            "Too much in one form, or it came broken; nothing was kept. Go back and send it in parts."
        )


class NotSoAsked(XuejiError):
    """An address that is there, but is not asked like this: what is done by a button was opened as a page."""

    def __init__(self) -> None:
        super().__init__(
            "这个地址不能直接打开，请回到页面上按按钮办理。"
            "This address is not opened by itself; use the button on its page."
        )


class TooFast(XuejiError):
    """Somebody asks more often than anybody needs to."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"太快了，{seconds} 秒后再试，已填的还在。Too fast; again in {seconds} s, your input is kept.")


class TooManyOpen(XuejiError):
    """Somebody has as much worked on in the background as one person may; nothing was begun."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"您已有 {most} 项在后台办理，没有再开始；等其中一项完成后再来。"
            f"You have {most} at work in the background; nothing more was begun. Come back when one of them is done."
        )


class FileRefused(XuejiError):
    """A file that cannot be taken: `status` 413 for its size, 415 for what it is."""

    def __init__(self, sentence: str, status: int) -> None:
        self.status = status
        super().__init__(sentence)


class FreshProofWanted(XuejiError):
    """An act that asks for the second factor once more; `purpose` says to the person what for."""

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        super().__init__(f"为了{purpose}，请再输一次动态口令。To {purpose}, enter a code again.")


_STATUS: tuple[tuple[type[XuejiError] | tuple[type[XuejiError], ...], int], ...] = (
    (Unread, 400),
    (Doubted, 403),
    (NotAllowed, 403),
    ((NotFound, Unknown), 404),
    (NotSoAsked, 405),
    ((StaleCase, TransitionNotOpen, AlreadyOpen, NotRetractable, SeveralOpen, NotNow), 409),
    (ContentsErased, 410),
    ((FieldFaults, Unreadable, Misplaced, NotLetIn, WrongCode, WeakPassword), 422),
    ((TooFast, MustWait, TooManyOpen), 429),
    ((Busy, Crowded), 503),
)


def status_of(problem: XuejiError) -> int:
    """The HTTP status by which a problem is told (RFC 9110, section 15.5)."""
    if isinstance(problem, FileRefused):
        return problem.status
    return next((status for kinds, status in _STATUS if isinstance(problem, kinds)), 409)
