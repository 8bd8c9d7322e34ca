"""The filter of a queue. The address is the filter: what is read from it and written to it is all there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from console.web import forms
from engine.expressions.kinds import SHANGHAI
from engine.lanes import Lane


class Which(StrEnum):
    """Which queue: what waits for the person, what they have decided, what they have opened, what they were told of."""

    TODO = "todo"
    DONE = "done"
    MINE = "mine"
    COPIES = "copies"


LANES: Mapping[str, Lane] = {"blocked": Lane.BLOCKED, "look": Lane.LOOK, "ready": Lane.READY}
"""How lanes are called in addresses."""


class Sort(StrEnum):
    """In which order: by lane first unless something else is asked for."""

    LANE = "lane"
    DUE = "due"
    ENTERED = "entered"
    UNIT = "unit"
    NUMBER = "number"
    PINYIN = "pinyin"


NARROWING = ("wf", "state", "batch", "unit", "lane", "rule", "caution", "due", "cohort", "level", "who")
"""What takes cases out of the queue, in the order of the chips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What of a queue is shown, in which order, from where on, and which case is open.

    Attributes:
        wf: A workflow.
        state: A state of it.
        batch: A batch.
        unit: The code of a unit; with everything below it.
        lane: `blocked`, `look` or `ready`.
        rule: The name of a rule that stands in the way.
        caution: The id of a caution.
        due: A day (YYYY-MM-DD): what is due by its end.
        cohort: A cohort of students, `level` a level of study.
        who: `me`: what the person has open; `seen`: what they have opened since it came.
        sort: One of `Sort`.
        after: Where the page before ended (`paging.Ends.after`).
        case: The number of the open case.
    """

    wf: str = ""
    state: str = ""
    batch: str = ""
    unit: str = ""
    lane: str = ""
    rule: str = ""
    caution: str = ""
    due: str = ""
    cohort: str = ""
    level: str = ""
    who: str = ""
    sort: str = ""
    after: str = ""
    case: str = ""

    def chips(self) -> Iterator[tuple[str, str]]:
        """What narrows it, by name, but for the lane, which has tabs."""
        for name in NARROWING:
            value = getattr(self, name)
            if value and name != "lane":
                yield name, value

    def facts(self) -> Iterator[tuple[str, str]]:
        """What is asked to be known of the students."""
        yield from (("cohort", self.cohort), ("level", self.level))

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        return any(getattr(self, name) for name in NARROWING)

    @property
    def due_by(self) -> datetime | None:
        """The end of the day by which a case must be due; None where the day cannot be read."""
        day = forms.day(self.due)
        return None if day is None else datetime.combine(day + timedelta(days=1), time(), SHANGHAI)

    def with_(self, **changes: str) -> Filter:
        """The same with something changed."""
        return replace(self, **changes)

    def without(self, name: str) -> Filter:
        """The same without one chip, from the beginning."""
        return replace(self, **{name: ""}, after="")

    def cleared(self) -> Filter:
        """Everything, in the same order."""
        return Filter(sort=self.sort)

    def query(self) -> str:
        """The query of its address; what says nothing is left out."""
        return urlencode({one.name: value for one in fields(self) if (value := getattr(self, one.name))})

    def address(self, which: Which = Which.TODO, **changes: str) -> str:
        """The address of a queue so filtered."""
        query = self.with_(**changes).query()
        return f"/queue/{which.value}" + (f"?{query}" if query else "")


def read_filter(asked: Mapping[str, str]) -> Filter:
    """The filter an address says; what no queue knows is passed over, so that an old bookmark still opens."""
    known = {one.name for one in fields(Filter)}
    said = {name: forms.readable(value) for name, value in asked.items() if name in known}  # also from within a form
    if said.get("lane") not in LANES:
        said.pop("lane", None)
    if said.get("sort") not in set(Sort):
        said.pop("sort", None)
    return Filter(**said)
