"""Units: the tree with what is open in it, adding one, its names, where its people are reached, moving it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, urlencode

from console.web.admin.scope import own_paths, own_unit, own_units
from console.web.fault_pages import in_language
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine.errors import Misplaced, Unknown, Unreadable
from engine.moving_units import Rearrangement, Sighted, move_unit, rearranged
from engine.organisation import LONGEST_NAME, add_units, rename_unit
from engine.store import people, unit_moves
from engine.store.registry import UnitRow
from engine.unit_facts import change_unit

PHONE, HOURS, NEW_NAME = "phone", "office_hours", "new_name"
_MANY = 300
"""So many units are shown as one tree; of more, those two steps below the one that was chosen."""
_STEPS = 2
_PHONE = re.compile(r"[0-9+][0-9 ()-]{4,29}")
_LONGEST = 60
_SHOWN_PEOPLE = 20


class Line(NamedTuple):
    """One unit of the tree: how deep it stands, and how many open cases there are at it and below."""

    name: str
    code: str
    kind: str
    depth: int
    open: int
    phone: str
    address: str


class Name(NamedTuple):
    """A name a unit had: from when (None: from the beginning), until when, and who renamed it then."""

    name: str
    since: datetime | None
    until: datetime
    by: str


class Unit(NamedTuple):
    """One unit with what can be done about it; `kinds` and `places` are value and words of what may be chosen."""

    row: UnitRow
    earlier: list[Name]
    kind: str
    above: list[tuple[str, str]]
    profile: str
    open: int
    kinds: list[tuple[str, str]]
    places: list[tuple[str, str]]
    address: str


class Move(NamedTuple):
    """What a move would mean, in the words of the page."""

    unit: Unit
    to: UnitRow
    units: int
    cases: int
    gain: list[str]
    lose: list[str]
    more: int
    against: list[str]


def address_of(code: str) -> str:
    """Where a unit's page is."""
    return f"/admin/units/{quote(code, safe='')}"


def tree(visit: Visit, at: str, most: int | None = _MANY) -> list[Line]:
    """The units the visitor looks after, each below the one it belongs to; from one unit on, where that is named.

    Of more than `most` those a few steps below the top (None: all of them).

    Raises:
        NotFound: If that is no unit of the visitor's.
    """
    start = _row(visit, at).path if at else "/"
    rows, counted = [one for one in own_units(visit) if one.path.startswith(start)], open_cases(visit)
    lines, top = [], "-"
    for one in rows:
        top = top if one.path.startswith(top) else one.path
        lines.append(_line(visit, one, top.count("/"), counted))
    return lines if most is None or len(lines) <= most else [one for one in lines if one.depth <= _STEPS]


def _line(visit: Visit, row: UnitRow, top: int, counted: Mapping[str, int]) -> Line:
    return Line(
        name=row.name,
        code=row.code,
        kind=visit.title(visit.desk.library.rulebook.organisation.units[row.kind].title),
        depth=row.path.count("/") - top,
        open=counted.get(row.code, 0),
        phone=str(row.facts.get(PHONE) or ""),
        address=address_of(row.code),
    )


def open_cases(visit: Visit) -> Mapping[str, int]:
    """How many cases are open at each of the visitor's units and below it, by code."""
    desk, found = visit.desk, Counter[str]()
    for path in own_paths(visit):
        for at, shape, state, number in unit_moves.counted_below(desk.connection, path):
            if not desk.definition(shape).is_final(state):
                found.update(dict.fromkeys(at.strip("/").split("/"), number))
    return found


def _row(visit: Visit, code: str) -> UnitRow:
    return own_unit(visit, code)


def unit(visit: Visit, code: str) -> Unit:
    """One unit that the visitor looks after.

    Raises:
        NotFound: If there is none of that code, or it is somebody else's.
    """
    row, organisation = _row(visit, code), visit.desk.library.rulebook.organisation
    units = visit.desk.units()
    above = [units[one] for one in row.path.strip("/").split("/")[:-1]]
    profile = organisation.profiles.get(row.profile or "")
    return Unit(
        row=row,
        earlier=_earlier(visit, code),
        kind=visit.title(organisation.units[row.kind].title),
        above=[(one.name, address_of(one.code) if one in own_units(visit) else "") for one in above],
        profile="" if profile is None else visit.title(profile.title),
        open=open_cases(visit).get(code, 0),
        kinds=[(name, visit.title(one.title)) for name, one in organisation.units.items() if row.kind in one.inside],
        places=[
            (one.code, f"{one.name} {one.code}")
            for one in own_units(visit)
            if one.kind in organisation.units[row.kind].inside
            and one.code != row.parent
            and not one.path.startswith(row.path)
        ],
        address=address_of(code),
    )


def _earlier(visit: Visit, code: str) -> list[Name]:
    """What a unit was called before, the latest first."""
    found = visit.desk.earlier_names(code)
    names = people.named(visit.desk.connection, sorted({one.by for one in found}), None)[0] if found else {}
    return [
        Name(
            one.name,
            datetime.fromisoformat(one.since) if one.since else None,
            datetime.fromisoformat(one.until),
            names.get(one.by, one.by),
        )
        for one in reversed(found)
    ]


def rename(visit: Visit, code: str) -> None:
    """Call a unit by the name that the form gives.

    Raises:
        NotFound: If the unit is not the visitor's.
        FieldFaults: If there is no name, it is too long, or it is called so already.
    """
    _row(visit, code)
    title = visit.say("新名称")
    try:
        is_new = rename_unit(visit.desk, code, visit.form.get(NEW_NAME, ""), at=visit.at, actor=visit.login)
    except Unreadable as problem:
        why = visit.say("写 1 至 {n} 个字，不要换行", n=LONGEST_NAME)
        raise FieldFaults([FieldFault(NEW_NAME, title, why)]) from problem
    if not is_new:
        raise FieldFaults([FieldFault(NEW_NAME, title, visit.say("现在就叫这个名称"))])


def add(visit: Visit, under: str) -> None:
    """Add the unit that the form describes.

    Raises:
        NotFound: If the unit above is not the visitor's.
        FieldFaults: If something is missing, the code is taken or cannot be one, or the kind does not stand there.
    """
    parent, form = _row(visit, under), visit.form
    titles = {"code": visit.say("单位代码"), "name": visit.say("名称"), "kind": visit.say("类别")}
    missing = [FieldFault(one, title, visit.say("请填写")) for one, title in titles.items() if not form.get(one)]
    if missing:
        raise FieldFaults(missing)
    row = UnitRow(
        code=form["code"], name=form["name"][:_LONGEST], kind=form["kind"], parent=parent.code, path="", profile=None
    )
    try:
        added = add_units(visit.desk, [row], at=visit.at, actor=visit.login)
    except (Unreadable, Misplaced, Unknown) as problem:
        field = "code" if isinstance(problem, Unreadable) else "kind"
        raise FieldFaults([FieldFault(field, titles[field], in_language(str(problem), visit.lang))]) from problem
    if not added:
        raise FieldFaults([FieldFault("code", titles["code"], visit.say("已有这个代码的单位"))])


def describe(visit: Visit, code: str) -> None:
    """Write where the unit's people are reached, and when.

    Raises:
        NotFound: If the unit is not the visitor's.
        FieldFaults: If the number cannot be dialled, or a text is too long.
    """
    _row(visit, code)
    phone, hours = visit.form.get(PHONE, ""), visit.form.get(HOURS, "")
    faults = []
    if phone and not _PHONE.fullmatch(phone):
        faults.append(FieldFault(PHONE, visit.say("联系电话"), visit.say("只写数字、空格、括号和横线，5 至 30 位")))
    if len(hours) > _LONGEST:
        faults.append(FieldFault(HOURS, visit.say("办公时间"), visit.say("最多 {n} 个字", n=_LONGEST)))
    if faults:
        raise FieldFaults(faults)
    change_unit(visit.desk, code, {PHONE: phone, HOURS: hours}, visit.asks("unit_set"))


def preview(visit: Visit, code: str, under: str) -> Move:
    """What a move would mean.

    Raises:
        NotFound: If one of the units is not the visitor's, or they do not go together.
    """
    here, there = unit(visit, code), _row(visit, under)
    try:
        return _shown(visit, here, rearranged(visit.desk, code, there.code, visit.at))
    except Misplaced as problem:
        raise NotFound from problem


def move(visit: Visit, code: str) -> list[str]:
    """Move a unit under the one that the form names; every reason why not, and then nothing was done.

    Raises:
        NotFound: As `preview`.
        StaleCase: If somebody moved a case of the unit meanwhile.
    """
    here, there = _row(visit, code), _row(visit, visit.form.get("under", ""))
    try:
        done = move_unit(visit.desk, here.code, there.code, visit.asks("unit_move"))
    except Misplaced as problem:
        raise NotFound from problem
    return [one.zh if visit.lang == "zh" else one.en for one in done.against]


def _shown(visit: Visit, here: Unit, meant: Rearrangement) -> Move:
    gain, lose = (list(dict.fromkeys(_person(visit, one) for one in some)) for some in (meant.gain, meant.lose))
    return Move(
        unit=here,
        to=meant.under,
        units=meant.units,
        cases=meant.cases,
        gain=gain[:_SHOWN_PEOPLE],
        lose=lose[:_SHOWN_PEOPLE],
        more=max(0, len(gain) - _SHOWN_PEOPLE) + max(0, len(lose) - _SHOWN_PEOPLE),
        against=[one.zh if visit.lang == "zh" else one.en for one in meant.against],
    )


def _person(visit: Visit, one: Sighted) -> str:
    title, unit = visit.title(visit.desk.library.rulebook.organisation.called(one.role)), visit.desk.units()[one.unit]
    return visit.say("{name}（{unit}，{role}）", name=one.name, unit=unit.name, role=title)


def move_address(code: str, under: str) -> str:
    """Where the preview of a move is."""
    return f"{address_of(code)}/move?{urlencode({'under': under})}"
