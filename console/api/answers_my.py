"""What a student's program is answered: where the student is, what is to be done, which steps are the student's own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from console.api.answers import Answer, VerdictOut, Words


class TodoOut(Answer):
    """One thing to do; `blocked` is why it cannot be done yet."""

    title: Words
    said: Words
    due_at: str | None = None
    blocked: list[VerdictOut]


class OthersTodoOut(Answer):
    """What somebody else has to do: how it stands, and which role."""

    title: Words
    said: Words
    role: Words


class OwnStepOut(Answer):
    """A step that is the student's own: taken below `/cases/{number}/transitions/{trigger}`."""

    number: str
    trigger: str
    title: Words
    revision: int
    asks: list[str]
    writes: list[str] = Field(description="What it would write, such as `key_info_confirmed`")
    needs: list[str] = Field(description="Documents; a signature is drawn by the student on the page alone")
    refusing: list[VerdictOut]


class OwnCaseOut(Answer):
    """A case of the student's, which documents are taken on it, and what is still missing of them."""

    number: str
    workflow: str
    state: str
    revision: int
    takes: list[str]
    lacking: list[VerdictOut]


class MyOut(Answer):
    """Where a student is, what is to be done and until when; nothing of what is known about the student."""

    answer: Literal["todo", "late", "others", "ready", "waiting", "done", "outside", "stopped"]
    state: Words
    due_at: str | None = None
    todos: list[TodoOut]
    others: list[OthersTodoOut]
    steps: list[OwnStepOut]
    cases: list[OwnCaseOut]


class HandedInOut(Answer):
    """Whether a file was put on a case, and every reason why it was not."""

    number: str
    kind: str
    done: bool
    refused: list[Words]
