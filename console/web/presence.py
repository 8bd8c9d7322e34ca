"""Somebody who asks for something, at a browser or through a program: with which rights, at which desk, when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import Request

from console.web.audiences import Audience
from console.web.faults import NotFound
from console.web.house import House
from engine.actors import Actor
from engine.exporting import looked
from engine.records import Json, case_of
from engine.records import Request as Asked
from engine.store.cases import Found, read_case
from engine.visibility import Visible, visible_to

if TYPE_CHECKING:
    from console.wiring import Office
    from engine.desk import Desk


@dataclass(slots=True, kw_only=True)
class Presence:
    """One request, from the door to the answer.

    Attributes:
        at: The moment it is dealt with, aware UTC; the clock is read once.
        actor: Who asks, with the rights held now.
    """

    house: House
    request: Request
    office: Office
    at: datetime
    actor: Actor
    _visible: Visible | None = None

    @property
    def desk(self) -> Desk:
        """Where cases are worked."""
        return self.office.desk

    @property
    def visible(self) -> Visible:
        """Which cases the person may know of."""
        if self._visible is None:
            self._visible = visible_to(self.desk, self.actor, self.at)
        return self._visible

    def case(self, number: str) -> Found:
        """A case the person may know of, by its number, with or without the dash.

        Raises:
            NotFound: If there is none, or not for this person.
        """
        case = case_of(number.replace("-", ""))
        found = None if case is None else read_case(self.desk.connection, case)
        if found is None or not self.visible.sees(found.case):
            raise NotFound
        self.desk.as_of(found.registry)
        return found

    def leaves_trace(self, page: str, **told: Json) -> None:
        """An auditor's every page is an event; that somebody else looks at a list or at figures is none.

        Call before it is shown; `told` says which it is, and nothing personal. A case has its own (`looked_at`).
        """
        if Audience.AUDITOR.admits(self.actor):
            looked(self.desk, self.asks(f"view:{page}"), told)

    def asks(
        self,
        trigger: str,
        fields: Mapping[str, Json] | None = None,
        *,
        seen: int | None = None,
        request: str | None = None,
    ) -> Asked:
        """What the person asks of the engine now: at which revision it was seen, and under which request number."""
        return Asked(trigger=trigger, actor=self.actor, at=self.at, fields=fields or {}, seen=seen, id=request)
