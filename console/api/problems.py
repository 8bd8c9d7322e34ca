"""Problems as RFC 9457 tells them, in both languages, with a number to ask about."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from console.web.fault_pages import in_language
from console.web.faults import FieldFaults, status_of
from engine.errors import StaleCase, Unknown, XuejiError

KIND = "application/problem+json"
_CANNOT_BE = ("有的值不能这样写。", "Some values cannot be.")


class ProblemField(BaseModel):
    """One value of a request that cannot be."""

    where: str
    reason: str


class Problem(BaseModel):
    """Why a request was not served (RFC 9457). Nothing of it was kept, but that a refusal stands in the trail."""

    type: str = "about:blank"
    title: str = Field(description="What is wrong, in Chinese")
    title_en: str = Field(description="The same in English")
    status: int
    instance: str = Field(description="A number for support")
    fields: list[ProblemField] = []
    revision: int | None = Field(default=None, description="Of a conflict: the revision the case has now")


class NotForToken(XuejiError):
    """The token is missing, not good any more, or not for this."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


def answer(request: Request, problem: XuejiError) -> JSONResponse:
    """The answer to a request that could not be served."""
    status, text = _status(problem), str(problem)
    if isinstance(problem, FieldFaults):  # said to a form, in the one language that was asked for
        faults = problem.faults
        fields = [ProblemField(where=f"body.{one.field}", reason=f"{one.title}：{one.reason}") for one in faults]
        return told(request, status, _CANNOT_BE, fields=fields)
    revision = problem.now if isinstance(problem, StaleCase) else None
    return told(request, status, (in_language(text, "zh"), in_language(text, "en")), revision=revision)


def _status(problem: XuejiError) -> int:
    """As for pages; but a word that no definition knows is a wrong value, told with the nearest right one."""
    if isinstance(problem, NotForToken):
        return problem.status
    return 422 if isinstance(problem, Unknown) else status_of(problem)


def told(
    request: Request,
    status: int,
    titles: tuple[str, str],
    *,
    fields: Sequence[ProblemField] = (),
    revision: int | None = None,
) -> JSONResponse:
    """A problem with these titles, Chinese and English."""
    number = request.scope.get("state", {}).get("number", "")
    zh, en = titles
    body = Problem(title=zh, title_en=en, status=status, instance=number, fields=list(fields), revision=revision)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}  # noqa: PLR2004 as the standard has it
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, media_type=KIND)
