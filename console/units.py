"""Facts of units: set by hand, and shown."""

from __future__ import annotations

from collections.abc import Mapping

from console.calling import Caller, Misuse
from console.printing import line, note, table, value_shown
from engine.desk import Desk
from engine.errors import Unknown
from engine.unit_facts import change_unit


def set_facts(caller: Caller, code: str, given: Mapping[str, str], login: str) -> int:
    """Set facts of a unit; what is known of it then."""
    if not given:
        message = (
            "请写明要设置的信息，例如 first_meeting_on=2024-09-02。Say what to set, e.g. first_meeting_on=2024-09-02."
        )
        raise Misuse(message)
    with caller.sitting(publishes_as=login) as sitting:
        change_unit(sitting.desk, code, given, sitting.request("unit_set", sitting.desk.actor(login)))
        line(f"单位 unit {code}：已设置 set {'、'.join(given)}")
        _show(sitting.desk, code)
    return 0


def show(caller: Caller, code: str) -> int:
    """Show what is known of a unit."""
    with caller.sitting() as sitting:
        _show(sitting.desk, code)
    return 0


def _show(desk: Desk, code: str) -> None:
    row = desk.units().get(code)
    if row is None:
        raise Unknown("单位 unit", code, desk.units())
    known = desk.library.rulebook.vocabulary
    table(
        ("信息项 fact", "名称 title", "值 value"),
        [(name, one.title.zh, value_shown(known, one.type, row.facts.get(name))) for name, one in known.unit.items()],
        f"{row.name} {code}",
    )
    if any(row.facts.get(name) is None for name in known.unit):
        note(f"未定的值用此命令设置 set what is open with: xueji unit set {code} FACT=VALUE --as USER")
