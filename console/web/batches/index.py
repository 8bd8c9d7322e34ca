"""The list of batches: those whose students a visitor may see."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from urllib.parse import quote

from console.web.batches.counting import GOALS, day_from
from console.web.batches.sight import profiles_in_sight
from console.web.batches.wording import title_of
from console.web.visit import Visit
from engine.desk import Desk
from engine.errors import Unknown
from engine.store.registry import BatchRow


class Shown(NamedTuple):
    """A batch in the list: its name, by which profile it runs, and by when everybody is to have applied."""

    code: str
    title: str
    profile: str
    due: date | None
    address: str


def shown_batches(visit: Visit) -> tuple[Shown, ...]:
    """The batches in which students of units in sight apply, those that end last first."""
    desk, seen = visit.desk, profiles_in_sight(visit)
    found = [_shown(visit, row) for row in desk.every_batch() if row.profile in seen and applies_in(desk, row)]
    return tuple(sorted(found, key=lambda one: (one.due is not None, one.due, one.code), reverse=True))


def applies_in(desk: Desk, row: BatchRow) -> bool:
    """Whether students apply in batches of this kind."""
    try:
        record = desk.library.record(row.profile)
    except Unknown:
        return False
    fields = {name for name, field in record.fields.items() if field.type == f"batch {row.kind}"}
    return any(fields.intersection(one.asks) for one in record.transitions.values())


def _shown(visit: Visit, row: BatchRow) -> Shown:
    profile = visit.desk.library.rulebook.organisation.profiles.get(row.profile)
    return Shown(
        code=row.name,
        title=title_of(visit, row),
        profile=row.profile if profile is None else visit.title(profile.title),
        due=day_from(row.values.get(GOALS.get(row.kind, ""))),
        address=f"/batches/{quote(row.name)}",
    )
